//! A role in the hands of an attacker: a program that `serve` starts in the role's place, confined by the same function with the
//! same paths, tries what the role may not. Each claim is made twice: without the confinement the same program succeeds.

mod support;

use std::{
    fs,
    net::{TcpListener, UdpSocket},
    path::{Path, PathBuf},
};
use support::until;

use simulator::installation::Installation;

/// What refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    /// Landlock: of any kernel that has it.
    Files,
    /// Landlock from Linux 6.7 on.
    Ports,
    /// seccomp, or both.
    Calls,
    /// The keeper knows its siblings.
    Keeper,
}

/// A try and what refuses it; `None`: the role needs it and it works.
type Claim = (String, Option<By>);

struct Town {
    _folder: tempfile::TempDir,
    site: Installation,
    /// Where a camera listens, as the configuration says, and where one does not.
    camera: TcpListener,
    elsewhere: TcpListener,
    _names: UdpSocket,
    names: String,
}

fn town() -> Town {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_vigie-captive"));
    let mut site = Installation::new(program, &folder.path().join("site"), "Ville prise", 0).unwrap();
    let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (camera, elsewhere, names) = (listen(), listen(), UdpSocket::bind("127.0.0.1:0").unwrap());
    site.variable("VIGIE_CAMERAS_PORTS", &camera.local_addr().unwrap().port().to_string());
    site.variable("VIGIE_LANG", "en");
    site.init().unwrap();
    site.serve().unwrap(); // catalog, journal and sockets are made
    site.stop().unwrap();
    fs::create_dir(site.folder.join("mount")).unwrap();
    let address = names.local_addr().unwrap().to_string();
    Town { _folder: folder, site, camera, elsewhere, _names: names, names: address }
}

impl Town {
    fn path(&self, of: &str) -> String {
        self.site.folder.join(of).display().to_string()
    }

    /// `serve`, with this role in the attacker's hands; what it could do and what not, a line a try.
    fn taken(&mut self, role: &str, tries: &[&str], is_free: bool) -> Vec<String> {
        let report = self.site.folder.join(format!("{role}-{is_free}"));
        let list = report.with_extension("tries");
        fs::write(&list, tries.join("\n")).unwrap();
        for (name, value) in [("ROLE", role), ("TRIES", list.to_str().unwrap()), ("REPORT", report.to_str().unwrap())] {
            self.site.variable(&format!("VIGIE_CAPTIVE_{name}"), value);
        }
        if is_free {
            self.site.variable("VIGIE_CAPTIVE_FREE", "yes");
        }
        self.site.start().unwrap();
        let part = PathBuf::from(format!("{}.part", report.display()));
        let text = until("the captive has tried everything", || {
            fs::read_to_string(&part).ok().filter(|text| text.ends_with("end\n"))
        });
        self.site.stop().unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Holds every claim, confined and free.
    fn check(&mut self, role: &str, claims: &[Claim]) {
        let tries: Vec<&str> = claims.iter().map(|(attempt, _)| attempt.as_str()).collect();
        let confined = self.taken(role, &tries, false);
        println!("{role}, confined:\n{}", confined.join("\n"));
        let lacks = |word: &str| confined.iter().any(|line| line.starts_with("lacks\t") && line.contains(word));
        let missing = |by: By| match by {
            By::Files => lacks("has no Landlock"),
            By::Ports => lacks("has no Landlock") || lacks("no TCP ports"),
            By::Calls | By::Keeper => false,
        };
        for (attempt, by) in claims {
            let did = confined.contains(&format!("did\t{attempt}"));
            match by {
                None => assert!(did, "{role} needs it: {attempt}"),
                Some(by) if missing(*by) => println!("not shown here, this kernel lacks what refuses it: {attempt}"),
                Some(by) => assert!(!did, "{role} did it, {by:?} should refuse: {attempt}"),
            }
        }
        let told = confined.iter().find(|line| line.starts_with("refused\tcontrol\t"));
        assert!(told.is_none_or(|line| line.contains("own roles")), "the keeper says why: {told:?}");
        let free = self.taken(role, &tries, true);
        for (attempt, by) in claims {
            if *by != Some(By::Keeper) && (rustix::process::getuid().is_root() || !needs_root(attempt)) {
                assert!(free.contains(&format!("did\t{attempt}")), "without confinement: {attempt}: {free:#?}");
            }
        }
    }
}

/// The keeper keeps these from its own user whoever asks (K11); mounting takes root.
fn needs_root(attempt: &str) -> bool {
    ["ptrace", "memory", "read-memory-of", "mount", "unshare"].iter().any(|word| attempt.starts_with(word))
}

fn claim(attempt: impl Into<String>, by: By) -> Claim {
    (attempt.into(), Some(by))
}

fn needed(attempt: impl Into<String>) -> Claim {
    (attempt.into(), None)
}

/// What no role may, whichever it is.
fn of_every_role(town: &Town) -> Vec<Claim> {
    let mut claims = vec![
        claim("child", By::Calls),
        claim("read-memory-of", By::Calls),
        claim("memory", By::Files),
        claim("unshare", By::Calls),
        claim(format!("mount {}", town.path("mount")), By::Calls),
        claim("dumpable", By::Calls),
        claim("bind 127.0.0.1:0", By::Ports),
        claim("read /etc/shadow", By::Files),
        claim("control", By::Keeper),
        claim("control-by-child", By::Calls),
    ];
    // last: who traces the keeper holds it
    claims.push(claim("ptrace", By::Calls));
    claims
}

fn files(town: &Town, names: &[&str]) -> Vec<Claim> {
    names.iter().map(|name| claim(format!("read {}", town.path(name)), By::Files)).collect()
}

/// The first file in a folder, by its real name.
fn first_in(town: &Town, folder: &str) -> String {
    let mut names: Vec<String> = fs::read_dir(town.site.folder.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| format!("{folder}/{}", entry.file_name().to_string_lossy()))
        .collect();
    names.sort();
    names.first().unwrap_or_else(|| panic!("no file in {folder}")).clone()
}

/// Every kind of file that holds keys, people or what was done.
fn secrets(town: &Town) -> Vec<Claim> {
    let journal = first_in(town, "data/ledger/journal");
    let (one, two) = (first_in(town, "keyring-1"), first_in(town, "keyring-2"));
    let mut claims = files(town, &["passphrase", &one, &two, "data/registry.db", &journal, "vigie.toml"]);
    for folder in ["keyring-1", "data", "data/ledger"] {
        claims.push(claim(format!("list {}", town.path(folder)), By::Files));
        claims.push(claim(format!("write {}", town.path(folder)), By::Files));
    }
    claims.push(claim(format!("write {}", town.path("data/run")), By::Files));
    claims
}

#[test]
fn whoever_takes_the_recorder_reads_no_key_no_registry_no_ledger_and_reaches_no_port_but_its_cameras() {
    let mut town = town();
    let mut claims = secrets(&town);
    claims.extend([
        needed(format!("write {}", town.path("store"))),
        needed(format!("write {}", town.path("data/footage"))),
        needed(format!("connect {}", town.camera.local_addr().unwrap())),
        claim(format!("connect {}", town.elsewhere.local_addr().unwrap()), By::Ports),
        claim(format!("udp {}", town.names), By::Calls),
    ]);
    claims.extend(of_every_role(&town));
    town.check("recorder", &claims);
}

#[test]
fn whoever_takes_web_reads_no_key_no_registry_no_ledger_writes_packages_alone_and_reaches_no_port() {
    let mut town = town();
    let mut claims = secrets(&town);
    let marker = first_in(&town, "store");
    claims.extend([
        needed(format!("read {}", town.path(&marker))),
        needed(format!("write {}", town.path("data/packages"))),
        claim(format!("write {}", town.path("store")), By::Files),
        claim(format!("write {}", town.path("data/footage")), By::Files),
        claim(format!("list {}", town.path("data/footage")), By::Files),
        claim(format!("connect {}", town.camera.local_addr().unwrap()), By::Calls),
        claim(format!("udp {}", town.names), By::Calls),
    ]);
    claims.extend(of_every_role(&town));
    town.check("web", &claims);
}

#[test]
fn whoever_takes_the_auditor_reads_no_key_no_registry_no_catalog_writes_but_its_verdict_and_reaches_no_port() {
    let mut town = town();
    let mut claims = secrets(&town);
    let marker = first_in(&town, "store");
    claims.extend([
        needed(format!("read {}", town.path(&marker))),
        needed(format!("list {}", town.path("data/ledger/public"))),
        needed(format!("write {}", town.path("data/auditor"))),
        claim(format!("write {}", town.path("data/ledger/public")), By::Files),
        claim(format!("list {}", town.path("data/ledger/journal")), By::Files),
        claim(format!("write {}", town.path("store")), By::Files),
        claim(format!("list {}", town.path("data/footage")), By::Files),
        claim(format!("connect {}", town.camera.local_addr().unwrap()), By::Calls),
        claim(format!("udp {}", town.names), By::Calls),
    ]);
    claims.extend(of_every_role(&town));
    town.check("auditor", &claims);
}

#[test]
fn whoever_takes_the_keeper_makes_no_network_socket_and_runs_no_program() {
    let mut town = town();
    let store = first_in(&town, "store");
    let claims = [
        needed(format!("read {}", town.path("data/registry.db"))),
        needed(format!("write {}", town.path("keyring-1"))),
        claim(format!("read {}", town.path(&store)), By::Files),
        claim(format!("write {}", town.path("store")), By::Files),
        claim(format!("connect {}", town.camera.local_addr().unwrap()), By::Calls),
        claim("bind 127.0.0.1:0", By::Calls),
        claim(format!("udp {}", town.names), By::Calls),
        claim("child", By::Calls),
        claim("unshare", By::Calls),
        claim(format!("mount {}", town.path("mount")), By::Calls),
        claim("dumpable", By::Calls),
        claim("read /etc/shadow", By::Files),
    ];
    town.check("keeper", &claims);
}

#[test]
fn whoever_takes_a_role_cannot_become_another_program() {
    let mut town = town();
    // a program that took the role's place would end at once, and no report of it would end
    let report = town.taken("recorder", &["become /bin/true"], false);
    assert!(report.iter().any(|line| line.starts_with("refused\tbecome")), "{report:#?}");
}
