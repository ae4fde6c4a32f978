//! The package under a systemd that runs: installed, made, started by its unit, killed, stopped, removed.
//!
//! systemd boots in namespaces of its own on a layer above this machine's files; who is not root, or has none, skips it and says so.

mod support;

use serde_json::Value;
use simulator::{
    dossier,
    rtsp::{Town, TownConfig},
};
use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};
use support::{credentials, sleep, until};
use tempfile::TempDir;

const BOOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/systemd/boot.sh");
const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vigie");
/// Half seconds in which systemd is up, where it can be.
const BOOT_LOOKS: u32 = 60;
const CONFIGURATION: &str = "/etc/vigie/vigie.toml";

/// A machine in namespaces. Dropping it ends every process in it.
struct Machine {
    /// `unshare`, whose child is process 1 of the machine.
    outer: Child,
    init: u32,
    folder: TempDir,
}

impl Machine {
    /// `None`: says why there is none.
    fn boot() -> Option<Machine> {
        if !rustix::process::geteuid().is_root() || !Path::new("/lib/systemd/systemd").exists() {
            println!("skipped: booting systemd in namespaces takes root and systemd");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let (layers, package) = (folder.path().join("layers"), folder.path().join("package"));
        fs::create_dir(&layers).unwrap();
        unpack(&package);
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", BOOT]).args([&layers, &package]);
        let said = File::create(log(&folder)).unwrap();
        let outer = command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said).spawn().unwrap();
        let mut machine = Machine { outer, init: 0, folder };
        for _ in 0..BOOT_LOOKS {
            sleep(0.5);
            if machine.is_up() {
                return Some(machine);
            }
        }
        let console = fs::read_to_string(log(&machine.folder)).unwrap_or_default();
        println!("skipped: systemd does not boot in namespaces here: {console}");
        None
    }

    fn is_up(&mut self) -> bool {
        let children = format!("/proc/{0}/task/{0}/children", self.outer.id());
        let Some(init) = fs::read_to_string(&children).ok().and_then(|text| text.trim().parse().ok()) else {
            return false;
        };
        self.init = init;
        let said = self.attempt(&["systemctl", "is-system-running"], None);
        matches!(String::from_utf8_lossy(&said.stdout).trim(), "running" | "degraded")
    }

    fn attempt(&self, words: &[&str], input: Option<&str>) -> Output {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init.to_string(), "--mount", "--pid", "--uts", "--ipc", "--"]).args(words);
        // as a person signs in: of what this test was started with, nothing goes in
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = streams.spawn().unwrap();
        // who does not read its input has ended: its answer says why
        let written = child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes());
        let output = child.wait_with_output().unwrap();
        assert!(written.is_ok() || !output.status.success(), "{words:?} did not read its input");
        output
    }

    /// What a command says; it must succeed.
    fn run(&self, words: &[&str], input: Option<&str>) -> String {
        let output = self.attempt(words, input);
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{words:?}: {} {}\n{}",
            said(&output.stdout),
            said(&output.stderr),
            self.journal()
        );
        said(&output.stdout)
    }

    /// `vigie` as its own user, as the page has it.
    fn vigie(&self, words: &[&str], input: Option<&str>) -> String {
        self.run(&[&["runuser", "-u", "vigie", "--", "vigie"], words].concat(), input)
    }

    fn journal(&self) -> String {
        let said = self.attempt(&["journalctl", "-u", "vigie", "-n", "40", "--no-pager", "-o", "cat"], None);
        String::from_utf8_lossy(&said.stdout).into_owned()
    }

    fn property(&self, name: &str) -> String {
        self.run(&["systemctl", "show", "vigie", "--value", "--property", name], None).trim().to_owned()
    }

    fn until_recording(&self) {
        until("the camera is recorded", || {
            let said = self.attempt(&["runuser", "-u", "vigie", "--", "vigie", "status", "--json"], None);
            let health: Value = serde_json::from_slice(&said.stdout).ok()?;
            let recorder: Value = match &health["recorder"] {
                Value::String(word) => serde_json::from_str(word).ok()?,
                word => word.clone(),
            };
            recorder.to_string().contains("\"recording\"").then_some(())
        });
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.journal());
        }
        // a machine whose process 1 is gone has no other
        let ended = self.outer.kill().and_then(|()| self.outer.wait());
        if std::thread::panicking() {
            println!(
                "{ended:?}; the machine's console:\n{}",
                fs::read_to_string(log(&self.folder)).unwrap_or_default()
            );
        }
    }
}

fn log(folder: &TempDir) -> PathBuf {
    folder.path().join("console")
}

/// The files of the package where its manifest puts them, without the tool that packs them (scripts/package.sh).
fn unpack(to: &Path) {
    let manifest: toml::Table = fs::read_to_string(Path::new(PACKAGE).join("Cargo.toml")).unwrap().parse().unwrap();
    let beside = Path::new(env!("CARGO_BIN_EXE_vigie-simulated")).with_file_name("vigie");
    assert!(beside.exists(), "{} is not built: cargo build -p vigie", beside.display());
    for asset in manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap() {
        let text = |n: usize| asset[n].as_str().unwrap();
        if text(0).contains('*') {
            continue; // pages
        }
        let from = if text(0).starts_with("target/") { beside.clone() } else { Path::new(PACKAGE).join(text(0)) };
        let place = to.join(text(1));
        let place = if text(1).ends_with('/') { place.join(from.file_name().unwrap()) } else { place };
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(&from, &place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(u32::from_str_radix(text(2), 8).unwrap())).unwrap();
    }
    // `lib` is a link on Debian: what belongs into it lies behind the link
    if Path::new("/lib").is_symlink() {
        let unit = "lib/systemd/system/vigie.service";
        fs::create_dir_all(to.join("usr/lib/systemd/system")).unwrap();
        fs::rename(to.join(unit), to.join("usr").join(unit)).unwrap();
        fs::remove_dir_all(to.join("lib")).unwrap();
    }
    for script in ["postinst", "prerm"] {
        fs::copy(Path::new(PACKAGE).join("debian").join(script), to.join(script)).unwrap();
    }
}

/// The page's own steps (docs/operate/package.md); what an administrator edits is written here.
fn install(machine: &Machine, port: u16) {
    machine.run(&["sh", "/postinst", "configure"], None);
    machine.run(&["install", "-d", "/etc/vigie"], None);
    let configuration = fs::read_to_string(Path::new(PACKAGE).join("debian/vigie.toml.example")).unwrap();
    let configuration =
        configuration.replace("Ville de …", "Ville d'essai").replace("gibibytes_max = 1000", "gibibytes_max = 1");
    let configuration =
        configuration.replace("554, 8554", "1024-65535") + &format!("\n[web]\nlisten = \"127.0.0.1:{port}\"\n");
    machine.run(&["tee", CONFIGURATION], Some(&configuration));
    machine.run(&["install", "-d", "-m", "0700", "-o", "vigie", "-g", "vigie", "/srv/vigie-keyring-2"], None);
    machine.vigie(&["config", "check"], None);
    machine.vigie(&["init"], None);
    let (plain, sealed) = ("/var/lib/vigie/passphrase", "/etc/credstore.encrypted/vigie-passphrase");
    machine.run(&["systemd-creds", "encrypt", "--name=vigie-passphrase", plain, sealed], None);
    machine.run(&["rm", plain], None);
    machine.run(&["install", "-d", "/etc/systemd/system/vigie.service.d"], None);
    let more = "[Service]\nReadWritePaths=/srv/vigie-keyring-2\n";
    machine.run(&["tee", "/etc/systemd/system/vigie.service.d/override.conf"], Some(more));
    machine.run(&["systemctl", "daemon-reload"], None);
}

fn import(machine: &Machine, papers: &str) {
    let path = "/var/lib/vigie/papiers.toml";
    machine.run(&["tee", path], Some(papers));
    machine.vigie(&["act", "import", path], None);
}

#[test]
fn the_package_runs_under_systemd_by_its_own_unit_and_records_again_after_a_kill_and_keeps_all_at_its_removal() {
    let Some(machine) = Machine::boot() else { return };
    let town = Town::start(TownConfig::for_tests(1, credentials())).unwrap();
    install(&machine, 18_470);
    machine.run(&["systemctl", "enable", "--now", "vigie"], None);
    until("the keeper answers", || {
        let said = machine.attempt(&["runuser", "-u", "vigie", "--", "vigie", "act", "list"], None);
        said.status.success().then_some(())
    });
    import(&machine, &dossier::of_site());
    let secret = credentials();
    let camera = ["camera", "add", "cam-1", &town.cameras[0].url(), "--place", "Place de la Mairie", "--days", "30"];
    let more = ["--purpose", "5", "--class", "other", "--user", &secret.user, "--password-stdin"];
    machine.vigie(&[&camera[..], &more[..]].concat(), Some(secret.password.reveal()));
    import(&machine, &dossier::of_camera("cam-1"));
    machine.until_recording();
    assert_eq!((machine.property("ActiveState"), machine.property("NRestarts")), ("active".into(), "0".into()));

    let first = machine.property("MainPID");
    machine.run(&["kill", "-9", &first], None);
    until("systemd starts it again", || {
        (machine.property("NRestarts") == "1" && machine.property("ActiveState") == "active").then_some(())
    });
    assert_ne!(machine.property("MainPID"), first);
    machine.until_recording();

    machine.run(&["sh", "/prerm", "remove"], None);
    assert_eq!((machine.property("ActiveState"), machine.property("Result")), ("inactive".into(), "success".into()));
    for kept in ["/var/lib/vigie/store", "/var/lib/vigie/keyring-1", "/srv/vigie-keyring-2", "/var/lib/vigie/data"] {
        machine.run(&["test", "-d", kept], None);
    }
    machine.run(&["test", "!", "-e", "/var/lib/vigie/passphrase"], None);
}
