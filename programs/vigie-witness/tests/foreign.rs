//! Programs of other makers beside ours: their witness asked by our client, their reader over our tiles and our cosignature.
//!
//! They are built with Go into the cache folder at the first run. Where Go is absent or its modules cannot be fetched, the tests
//! say so and end.

use disk::RealDisk;
use domain::Secret32;
use ledger::{
    Checkpoint, CheckpointSigner, Digest, Tree, WitnessKey, WitnessSigner, checkpoint, cosignature::with_lines,
    tile::public_tiles, tree::LeavesError,
};
use public::{HttpAnswer, LogFolder, WitnessTrouble, ask};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

const TORCHWOOD: &str = "v0.9.0";
/// For fetching and building, once; a machine without a way out fails sooner.
const BUILD_SECONDS: u64 = 240;

fn go() -> Option<PathBuf> {
    let places =
        env::split_paths(&env::var_os("PATH")?).chain([PathBuf::from("/usr/local/go/bin")]).collect::<Vec<_>>();
    places.into_iter().map(|place| place.join("go")).find(|path| path.is_file())
}

fn cache() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").expect("HOME is set")).join(".cache");
    let folder = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(home);
    folder.join("vigie").join(format!("go-{TORCHWOOD}"))
}

/// A program out of the cache, or made there; `None`, said, where it cannot be.
fn built(name: &str, arguments: &[&str], folder: &Path) -> Option<PathBuf> {
    let path = cache().join(name);
    if path.exists() {
        return Some(path);
    }
    let Some(go) = go() else {
        eprintln!("skipped: there is no Go here");
        return None;
    };
    fs::create_dir_all(cache()).unwrap();
    let mut build = Command::new("timeout");
    build.arg(BUILD_SECONDS.to_string()).arg(go).args(arguments).current_dir(folder).env("GOBIN", cache());
    let output = build.output().unwrap();
    if !output.status.success() || !path.exists() {
        eprintln!("skipped: `{name}` cannot be built: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(path)
}

fn torchwood(name: &str) -> Option<PathBuf> {
    built(name, &["install", &format!("filippo.io/torchwood/cmd/{name}@{TORCHWOOD}")], Path::new("/"))
}

fn log() -> CheckpointSigner {
    CheckpointSigner::new("vigie/a/b", &Secret32::new([3; 32])).unwrap()
}

fn leaves(other: bool) -> impl Fn(Range<u64>) -> Result<Vec<Digest>, LeavesError> {
    move |range| Ok(range.map(|n| Digest([if other && n >= 20 { 251 } else { (n % 250) as u8 }; 32])).collect())
}

/// The public files of a log of ours, and its signed note.
fn publish(folder: &Path, size: u64, other: bool) -> Vec<u8> {
    let mut tree = Tree::new();
    leaves(other)(0..size).unwrap().iter().for_each(|leaf| tree.push(leaf));
    for tile in public_tiles(0, size) {
        let path = folder.join(tile.path());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, tile.content(&tree, &leaves(other)).unwrap()).unwrap();
    }
    let note = log().sign(Checkpoint { size, root: tree.root() }).unwrap();
    fs::write(folder.join("checkpoint"), &note).unwrap();
    note
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).unwrap();
    }
}

/// `litewitness` with a key of its own in an agent of its own, watching our log; its address and verifier key.
fn litewitness(folder: &Path) -> Option<(Vec<Killed>, String, WitnessKey)> {
    let witness = torchwood("litewitness")?;
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(folder).output().ok()?;
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        Some(String::from_utf8(output.stdout).unwrap())
    };
    let Some(_) = run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "key"]) else {
        eprintln!("skipped: there is no ssh-keygen here");
        return None;
    };
    let fingerprint = run("ssh-keygen", &["-l", "-f", "key.pub"])?.split(' ').nth(1)?.to_owned();
    let quiet = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let agent = Killed(quiet(Command::new("ssh-agent").args(["-D", "-a", "agent.sock"]).current_dir(folder)));
    while !folder.join("agent.sock").exists() {
        thread::sleep(Duration::from_millis(20));
    }
    let mut add = Command::new("ssh-add");
    let mut add = quiet(add.args(["-q", "key"]).env("SSH_AUTH_SOCK", "agent.sock").current_dir(folder));
    assert!(add.wait().unwrap().success());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut serving = Command::new(witness);
    serving.args(["-name", "lite.example", "-db", "db", "-ssh-agent", "agent.sock"]);
    serving.args(["-key", &fingerprint, "-listen", &address]).current_dir(folder);
    let mut serving = Killed(serving.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let mut said = BufReader::new(serving.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    let key = said.find_map(|line| {
        let key = line.split("vkey=").nth(1)?.trim_matches('"').to_owned();
        Some(WitnessKey::parse(&key).unwrap())
    })?;
    // it ends when nobody reads what it says
    thread::spawn(move || said.for_each(drop));
    while std::net::TcpStream::connect(&address).is_err() {
        thread::sleep(Duration::from_millis(20));
    }
    // as its own `witnessctl` does, which stands on modules that not every proxy has
    run("python3", &["-c", WATCH, log().origin(), &log().public().verifier_key()])?;
    Some((vec![serving, agent], format!("http://{address}"), key))
}

/// Enters a log and its key into the database of `litewitness`.
const WATCH: &str = "
import base64, hashlib, sqlite3, sys
db = sqlite3.connect('db', timeout=10)
root = base64.b64encode(hashlib.sha256(b'').digest()).decode()
db.execute('INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)', (sys.argv[1], root))
db.execute('INSERT INTO key (origin, key) VALUES (?, ?)', (sys.argv[1], sys.argv[2]))
db.commit()
";

#[test]
fn litewitness_cosigns_our_log_when_our_client_asks_and_refuses_our_fork() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_running, url, key)) = litewitness(folder.path()) else { return };
    let agent = public::https_agent();
    let post = |url: &str, body: &[u8]| {
        let mut answer = agent.post(url).send(body).map_err(|error| error.to_string())?;
        let (status, body) = (answer.status().as_u16(), answer.body_mut().read_to_vec());
        Ok(HttpAnswer { status, body: body.map_err(|error| error.to_string())? })
    };
    let asked = |place: &str, size: u64, other: bool, known: u64| {
        let note = publish(&folder.path().join(place), size, other);
        let log = LogFolder::new(Arc::new(RealDisk), folder.path().join(place));
        let (_, checkpoint) = checkpoint::claimed(&note).unwrap();
        ask(&post, (&url, &key), &log, (&note, checkpoint), known).map(|(line, _)| with_lines(&note, &[line]))
    };
    let first = asked("log", 16, false, 0).unwrap();
    assert!(key.verify(&first).is_some_and(|cosignature| cosignature.at_seconds > 1_700_000_000));
    asked("log", 300, false, 16).unwrap();
    asked("log", 1_030, false, 0).expect("who forgot the size is told it, and gets on");
    asked("log", 1_030, false, 1_030).expect("the same once more");
    assert_eq!(asked("older", 512, false, 512), Err(WitnessTrouble::Ahead { size: 1_030 }));
    assert_eq!(asked("fork", 1_030, true, 1_030), Err(WitnessTrouble::Forked { size: 1_030 }));
    assert_eq!(asked("fork", 1_100, true, 1_030), Err(WitnessTrouble::NotGrown));
    asked("log", 1_100, false, 1_030).expect("and the log as it was goes on");
}

#[test]
fn the_go_libraries_read_our_tiles_our_signature_and_our_cosignature() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign");
    let target = cache().join("reader").display().to_string();
    let Some(reader) = built("reader", &["build", "-o", &target, "."], &sources) else { return };
    let witness = WitnessSigner::new("temoin.example/w1", &Secret32::new([1; 32])).unwrap();
    for size in [16, 256, 600, 1_030] {
        let folder = tempfile::tempdir().unwrap();
        let note = publish(folder.path(), size, false);
        let cosigned = with_lines(&note, &[witness.cosign(&note, 1_773_324_000).unwrap()]);
        fs::write(folder.path().join("checkpoint"), &cosigned).unwrap();
        let read = || {
            let mut reader = Command::new(&reader);
            reader.arg(folder.path()).arg(log().public().verifier_key()).arg(witness.public().verifier_key());
            reader.output().unwrap()
        };
        let output = read();
        assert!(output.status.success(), "{size}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("read {size}\n"));
        let bundle = folder.path().join(if size < 256 { "tile/entries/000.p/16" } else { "tile/entries/000" });
        let mut content = fs::read(&bundle).unwrap();
        content[40] ^= 1;
        fs::write(bundle, content).unwrap();
        assert!(!read().status.success(), "{size}: a changed entry is refused there, too");
    }
}
