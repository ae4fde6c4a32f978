//! The witness over HTTP, as a log meets it: statuses, types and bodies of C2SP tlog-witness; and as its owner starts it.

use disk::RealDisk;
use domain::Secret32;
use ledger::{AddCheckpoint, Checkpoint, CheckpointSigner, Digest, Tree};
use std::{os::unix::fs::PermissionsExt, process::Command, sync::Arc};
use vigie_witness::Book;

struct Witness {
    url: String,
    book: Arc<Book>,
    _folder: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

fn log(seed: u8, origin: &str) -> CheckpointSigner {
    CheckpointSigner::new(origin, &Secret32::new([seed; 32])).unwrap()
}

fn tree(size: u64, fill: u8) -> Tree {
    let mut tree = Tree::new();
    (0..size).for_each(|n| tree.push(&Digest([if n < 20 { n as u8 } else { fill }; 32])));
    tree
}

fn asked(old: u64, new: u64, fill: u8) -> AddCheckpoint {
    let leaves =
        |range: std::ops::Range<u64>| Ok(range.map(|n| Digest([if n < 20 { n as u8 } else { fill }; 32])).collect());
    let proof = if old == 0 || old == new { vec![] } else { tree(new, fill).prove_growth(new, old, &leaves).unwrap() };
    let root = tree(new, fill).root();
    AddCheckpoint { old, proof, note: log(3, "vigie/a/b").sign(Checkpoint { size: new, root }).unwrap() }
}

fn witness() -> Witness {
    let folder = tempfile::tempdir().unwrap();
    let book = Arc::new(Book::create(Arc::new(RealDisk), folder.path(), "temoin.example").unwrap());
    book.add_log(&log(3, "vigie/a/b").public().verifier_key()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(vigie_witness::serve(listener, book.clone(), std::future::pending()));
    Witness { url, book, _folder: folder, _runtime: runtime }
}

impl Witness {
    fn post(&self, path: &str, body: &[u8]) -> (u16, String, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.post(format!("{}{path}", self.url)).send(body).unwrap();
        let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        (answer.status().as_u16(), kind.unwrap_or_default(), answer.body_mut().read_to_string().unwrap())
    }

    fn ask(&self, request: &AddCheckpoint) -> (u16, String, String) {
        self.post("/add-checkpoint", &request.to_bytes())
    }
}

#[test]
fn statuses_and_bodies_are_those_of_tlog_witness() {
    let witness = witness();
    let (status, _, line) = witness.ask(&asked(0, 16, 50));
    assert_eq!(status, 200);
    let note = [asked(0, 16, 50).note, line.into_bytes()].concat();
    assert!(witness.book.public().verify(&note).is_some());
    assert_eq!(witness.ask(&asked(16, 32, 50)).0, 200);

    let size = |request: &AddCheckpoint| {
        let (status, kind, body) = witness.ask(request);
        assert_eq!((status, kind.as_str()), (409, "text/x.tlog.size"));
        body
    };
    assert_eq!(size(&asked(0, 48, 50)), "32\n");
    assert_eq!(size(&asked(32, 32, 60)), "32\n", "a fork of the same size");

    assert_eq!(witness.ask(&asked(32, 48, 60)).0, 422);
    assert_eq!(witness.ask(&AddCheckpoint { old: 64, ..asked(32, 48, 50) }).0, 400);
    let root = tree(48, 50).root();
    let unsigned = log(9, "vigie/a/b").sign(Checkpoint { size: 48, root }).unwrap();
    assert_eq!(witness.ask(&AddCheckpoint { note: unsigned, ..asked(32, 48, 50) }).0, 403);
    let unknown = log(3, "vigie/x/y").sign(Checkpoint { size: 48, root }).unwrap();
    assert_eq!(witness.ask(&AddCheckpoint { note: unknown, ..asked(32, 48, 50) }).0, 404);
    assert_eq!(witness.post("/add-checkpoint", b"old many\n\n").0, 400);
    assert_eq!(witness.post("/add-checkpoint", &vec![b'a'; 200_000]).0, 413);
    assert_eq!(witness.post("/", b"").0, 404);
    assert_eq!(witness.post("/../key", b"").0, 404);
    assert_eq!(witness.book.evidence().unwrap().len(), 2, "the fork, and what did not grow");
}

#[test]
fn of_many_questions_at_once_none_sets_the_record_back() {
    let witness = witness();
    witness.ask(&asked(0, 16, 50));
    std::thread::scope(|scope| {
        for new in (32..=128).step_by(16) {
            let witness = &witness;
            scope.spawn(move || witness.ask(&asked(16, new, 50)));
        }
    });
    let last = witness.book.logs().unwrap()[0].last.unwrap();
    assert!(last.size > 16);
    assert_eq!(witness.ask(&asked(last.size, 144, 50)).0, 200, "one was signed, and the log goes on from it");
}

fn run(folder: &std::path::Path, language: &str, words: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vigie-witness"))
        .env("VIGIE_LANG", language)
        .arg("--folder")
        .arg(folder)
        .args(words)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn its_owner_makes_it_hands_out_its_key_and_is_told_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("w");
    let (code, _, said) = run(&place, "fr", &["key"]);
    assert!(code == Some(1) && said.contains("vigie-witness init"), "{said}");
    let (code, key, _) = run(&place, "fr", &["init", "--name", "temoin.example"]);
    assert_eq!(code, Some(0));
    assert!(key.starts_with("temoin.example+"), "{key}");
    let mode = std::fs::metadata(place.join("key")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert_eq!(run(&place, "fr", &["key"]).1, key);
    let (code, _, said) = run(&place, "en", &["init", "--name", "other"]);
    assert!(code == Some(1) && said.contains("never replaced"), "{said}");
    assert_eq!(run(&place, "fr", &["key"]).1, key, "and nothing was");

    let town = log(3, "vigie/a/b").public().verifier_key();
    assert_eq!(run(&place, "fr", &["log", "add", &town]).0, Some(0));
    assert_eq!(run(&place, "fr", &["log", "list"]).1.trim(), town);
    let (code, _, said) = run(&place, "fr", &["log", "add", "x"]);
    assert!(code == Some(1) && said.contains("vigie public key"), "{said}");
    let (code, said, _) = run(&place, "fr", &["status"]);
    assert!(code == Some(0) && said.contains("rien n'a encore été signé"), "{said}");
    let (code, _, said) = run(&place, "fr", &["serve", "--listen", "0.0.0.0:0"]);
    assert!(code == Some(1) && said.contains("adresse locale"), "{said}");

    let book = Book::open(Arc::new(RealDisk), &place).unwrap();
    book.cosign(&asked(0, 32, 50), 1_800_000_000).unwrap();
    book.cosign(&asked(32, 32, 60), 1_800_000_000).unwrap();
    let (code, said, _) = run(&place, "fr", &["status"]);
    assert!(code == Some(2) && said.contains("BIFURCATION PROUVÉE"), "{said}");
    let (_, said, _) = run(&place, "en", &["status"]);
    assert!(said.contains("FORK PROVEN"), "{said}");
}
