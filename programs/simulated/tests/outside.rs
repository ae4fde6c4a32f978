//! The town's log seen from outside: the real program, a witness of an association, a reader with an old checkpoint. As root,
//! the whole machine is set back to an older image; the outsiders find it.

mod support;

use disk::RealDisk;
use serde_json::Value;
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
};
use support::{Site, until};
use vigie_verify::{Finding, LogQuestion, Source, check_log};
use vigie_witness::Book;

/// A witness that an association runs on a machine of its own.
struct Association {
    book: Arc<Book>,
    url: String,
    runtime: tokio::runtime::Runtime,
}

fn association(folder: &Path, log: &str) -> Association {
    let book = Arc::new(Book::create(Arc::new(RealDisk), folder, "temoin.example").unwrap());
    book.add_log(log).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(vigie_witness::serve(listener, book.clone(), std::future::pending()));
    Association { book, url, runtime }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A site whose public role is on; its log's key, its witness, where its mirror is served.
fn watched_site() -> (Site, String, Association, String) {
    let mut site = Site::installed(0);
    site.site.init().unwrap();
    let log = site.site.run(&["public", "key"], None).unwrap().trim().to_owned();
    let association = association(&site.folder.path().join("association"), &log);
    let policy = site.site.folder.join("witnesses");
    let key = association.book.public().verifier_key();
    fs::write(&policy, format!("log {log}\nwitness asso {key} {}\nquorum asso\n", association.url)).unwrap();
    let address = free_address();
    site.site.variable("VIGIE_PUBLIC_LISTEN", &address);
    site.site.variable("VIGIE_PUBLIC_WITNESSES", policy.to_str().unwrap());
    (site, log, association, format!("http://{address}"))
}

fn state(site: &Site) -> Option<Value> {
    serde_json::from_slice(&fs::read(site.site.folder.join("data/public/state.json")).ok()?).ok()
}

fn attested(association: &Association) -> u64 {
    association.book.logs().unwrap()[0].last.map_or(0, |last| last.size)
}

fn until_attested_beyond(association: &Association, size: u64) -> u64 {
    until("the witness has cosigned a newer checkpoint", || Some(attested(association)).filter(|now| *now > size))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&from, &to),
            kind if kind.is_file() => drop(fs::copy(&from, &to).unwrap()),
            _ => {}
        }
    }
}

/// Everything that the town has on its disks.
const DISKS: [&str; 4] = ["data", "keyring-1", "keyring-2", "store"];

fn verified(place: &str, log: &str, since: Vec<(String, Vec<u8>)>) -> Vec<Finding> {
    let key = ledger::CheckpointKey::parse(log).unwrap();
    check_log(&LogQuestion { source: Source::of(place), key, policy: None, since, leaf: None, programs: vec![] })
        .unwrap()
        .findings
}

#[test]
fn a_whole_machine_set_back_as_root_is_found_by_the_witness_and_by_whoever_kept_a_checkpoint() {
    let (mut site, log, association, _) = watched_site();
    site.site.serve().unwrap();
    let first = until_attested_beyond(&association, 0);
    site.site.stop().unwrap(); // each end of the keeper closes a batch
    let image: PathBuf = site.folder.path().join("image");
    DISKS.iter().for_each(|disk| copy(&site.site.folder.join(disk), &image.join(disk)));
    site.site.serve().unwrap();
    let second = until_attested_beyond(&association, first);
    site.site.stop().unwrap();
    site.site.serve().unwrap();
    let third = until_attested_beyond(&association, second);
    let public = site.site.folder.join("data/ledger/public");
    let kept = fs::read(public.join("checkpoint")).unwrap();
    assert_eq!(verified(public.to_str().unwrap(), &log, vec![("kept".into(), kept.clone())]), []);
    site.site.stop().unwrap();

    for disk in DISKS {
        fs::remove_dir_all(site.site.folder.join(disk)).unwrap();
        copy(&image.join(disk), &site.site.folder.join(disk));
    }
    site.site.serve().unwrap();
    let told = until("the status tells that the witness knows more", || {
        let status = site.site.attempt(&["status"], None).unwrap();
        status.stdout.contains("✗ Témoin asso : a déjà attesté").then_some(status)
    });
    assert_eq!(told.code, Some(2), "{}", told.stdout);
    assert!(told.stdout.contains("un état ancien du registre a été restauré"), "{}", told.stdout);
    assert_eq!(attested(&association), third, "and the witness did not go back");
    let since = vec![("kept".into(), kept)];
    let findings = verified(public.to_str().unwrap(), &log, since);
    assert!(matches!(findings[..], [Finding::Rollback { .. }]), "{findings:?}");
}

#[test]
fn ledger_and_keyring_put_back_together_are_refused_at_the_start_by_what_witnesses_attested() {
    let (mut site, _, association, _) = watched_site();
    site.site.serve().unwrap();
    let first = until_attested_beyond(&association, 0);
    site.site.stop().unwrap();
    let image: PathBuf = site.folder.path().join("image");
    let together = ["data/ledger", "keyring-1", "keyring-2"];
    together.iter().for_each(|folder| copy(&site.site.folder.join(folder), &image.join(folder)));
    site.site.serve().unwrap();
    until_attested_beyond(&association, first);
    site.site.stop().unwrap();
    site.site.serve().unwrap();
    let note = fs::read(image.join("data/ledger/public/checkpoint")).unwrap();
    let in_image = ledger::checkpoint::claimed(&note).unwrap().1.size;
    until("the attested note is kept", || {
        Some(()).filter(|()| state(&site).is_some_and(|state| state["quorum_size"].as_u64() > Some(in_image)))
    });
    site.site.stop().unwrap();

    for folder in together {
        fs::remove_dir_all(site.site.folder.join(folder)).unwrap();
        copy(&image.join(folder), &site.site.folder.join(folder));
    }
    site.site.start().unwrap();
    until("the keeper says why it does not start", || {
        let said = fs::read_to_string(site.site.log()).unwrap();
        said.contains("registre et trousseau ont été remis ensemble").then_some(())
    });
    assert!(site.site.nobody().get("/api/site").is_err(), "and nothing answers");
    site.site.stop().unwrap();
    // without the attested note the image starts: it is this that holds it, and then the witness tells (above)
    fs::remove_dir_all(site.site.folder.join("data/public")).unwrap();
    site.site.serve().unwrap();
}

/// SHA-256 of a file, by a program that is not ours.
fn digest(path: &Path) -> String {
    let output = std::process::Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_program_swapped_as_root_is_found_by_whoever_knows_the_published_one_and_one_that_hides_its_start_too() {
    let mut site = Site::installed(0);
    let program = site.folder.path().join("vigie");
    fs::copy(env!("CARGO_BIN_EXE_vigie-simulated"), &program).unwrap();
    let clock = site.clock.to_str().unwrap().to_owned();
    site.site =
        simulator::installation::Installation::new(&program, &site.folder.path().join("site"), "Ville", 0).unwrap();
    site.site.variable("VIGIE_SIMULATED_CLOCK", &clock);
    site.site.variable("VIGIE_LANG", "fr");
    site.site.init().unwrap();
    let log = site.site.run(&["public", "key"], None).unwrap().trim().to_owned();
    let public = site.site.folder.join("data/ledger/public");
    let found = |programs: &[String]| {
        let (key, source) = (ledger::CheckpointKey::parse(&log).unwrap(), Source::of(public.to_str().unwrap()));
        let programs = programs.to_vec();
        check_log(&LogQuestion { source, key, policy: None, since: vec![], leaf: None, programs }).unwrap().findings
    };
    let published = digest(&program);
    site.site.serve().unwrap();
    site.site.stop().unwrap(); // as each minute, each end closes a batch
    assert_eq!(found(std::slice::from_ref(&published)), []);

    let mut bytes = fs::read(&program).unwrap();
    bytes.extend(b"not what was published");
    fs::remove_file(&program).unwrap();
    fs::write(&program, bytes).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let swapped = digest(&program);
    site.site.serve().unwrap();
    site.site.stop().unwrap();
    let findings = found(std::slice::from_ref(&published));
    let [Finding::Program { entry: Some(_), digest, .. }] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(*digest, swapped);
    assert_eq!(found(&[published.clone(), swapped.clone()]), [], "both are known: an upgrade");

    // the list of starts is changed, or taken away
    let starts = fs::read_to_string(public.join("starts")).unwrap();
    let honest: Vec<&str> = starts.lines().collect();
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let forged = honest[1].replace(&hex(&swapped), &hex(&published));
    assert_ne!(forged, honest[1]);
    fs::write(public.join("starts"), format!("{}\n{forged}\n", honest[0])).unwrap();
    assert!(matches!(found(std::slice::from_ref(&published))[..], [Finding::NotIncluded { .. }]));
    fs::remove_file(public.join("starts")).unwrap();
    assert!(matches!(found(&[published])[..], [Finding::Program { entry: None, .. }]));
}

#[test]
fn the_public_role_serves_the_mirror_tells_its_witness_and_holds_no_file_of_keys_or_people() {
    let (mut site, log, association, url) = watched_site();
    site.site.serve().unwrap();
    until_attested_beyond(&association, 0);
    let findings = until("the mirror is served", || {
        let key = ledger::CheckpointKey::parse(&log).unwrap();
        let policy = ledger::WitnessPolicy::parse(&fs::read(site.site.folder.join("witnesses")).unwrap()).unwrap();
        let question = LogQuestion {
            source: Source::of(&url),
            key,
            policy: Some(policy),
            since: vec![],
            leaf: None,
            programs: vec![],
        };
        check_log(&question).ok().filter(|verdict| verdict.checkpoint.is_some())
    });
    assert_eq!(findings.findings, [], "signed, whole, and attested by the witness");
    assert_eq!(findings.cosigned_by[0].0, "asso");
    assert_eq!(state(&site).unwrap()["witnesses"][0]["trouble"], Value::Null);
    let status = site.site.attempt(&["status"], None).unwrap().stdout;
    assert!(status.contains("✓ Témoin asso"), "{status}");

    let process = site.site.process_of("public").unwrap();
    let open: Vec<PathBuf> = fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .collect();
    let forbidden = ["keyring", "registry.db", "footage.db", "passphrase", "journal", "store"];
    let held = open.iter().find(|path| forbidden.iter().any(|name| path.to_string_lossy().contains(name)));
    assert_eq!(held, None);

    association.runtime.shutdown_background();
    site.site.stop().unwrap();
    site.site.serve().unwrap();
    let status = until("a witness that is away is told", || {
        let status = site.site.attempt(&["status"], None).unwrap().stdout;
        status.contains("! Témoin asso").then_some(status)
    });
    assert!(status.contains("ne répond pas") && status.contains("il a attesté"), "{status}");
}
