//! The operators' pages, followed to the letter: each page's own commands against a simulated installation.
//!
//! A page is written for this: `sh setup` names what a town changes, and the test gives its own values, for exactly those
//! names; `sh run` (with the code at its end, if not 0) is run as it stands; `text expect` behind it is what its output must
//! hold, line by line, `…` standing for anything; `<!-- situation: … -->` is what happened, and the test makes it happen.
//! `vigie`, `systemctl` and `journalctl` are small programs on the path that lead to the installation.

mod support;

use simulator::{clock::set_boot, installation::setup_token};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};
use support::{Site, now};

/// What a page says, in its order.
enum Step {
    Setup(String),
    Run { line: usize, script: String, code: i32 },
    Expect(String),
    Situation(String),
}

/// An installation as an operator has it before a screen.
struct Desk {
    site: Site,
    programs: PathBuf,
    values: BTreeMap<&'static str, String>,
    said: String,
}

impl Desk {
    /// A configuration and the three programs, nothing else.
    fn bare() -> Desk {
        let site = Site::installed(0);
        let programs = site.folder.path().join("programs");
        fs::create_dir(&programs).unwrap();
        fs::create_dir(site.folder.path().join("proofs")).unwrap();
        let desk = Desk { site, programs, values: BTreeMap::new(), said: String::new() };
        desk.program("vigie", VIGIE);
        desk.program("systemctl", SYSTEMCTL);
        desk.program("journalctl", "cat \"$LOG\"");
        desk
    }

    /// A site that serves, with an administrator and a data-protection officer who signed in before.
    fn serving() -> Desk {
        let desk = Desk::bare();
        let token = desk.site.site.init().unwrap();
        desk.bash("systemctl start vigie");
        desk.site.site.set_up(&token, &desk.site.administrator).unwrap();
        desk.site.site.add_account("dpo", "dpo", &desk.site.operator).unwrap();
        desk
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.programs.join(name);
        fs::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn place(&self, name: &str) -> PathBuf {
        self.site.site.folder.join(name)
    }

    fn value(mut self, name: &'static str, value: impl AsRef<Path>) -> Desk {
        self.values.insert(name, value.as_ref().display().to_string());
        self
    }

    /// Output and code of a script.
    fn bash(&self, script: &str) -> (String, i32) {
        let folder = self.site.folder.path();
        let path = format!("{}:{}", self.programs.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.arg("-c").arg(format!("set -euo pipefail\nexec 2>&1\n{script}"));
        // a tester's own variables are no settings of the program's, which refuses what it does not know
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VIGIE_")) {
            command.env_remove(name);
        }
        command.env("PATH", path).env("PROGRAM", env!("CARGO_BIN_EXE_vigie-simulated"));
        command.env("VIGIE_CONFIG", self.place("vigie.toml")).env("VIGIE_LANG", "fr");
        command.env("VIGIE_SIMULATED_CLOCK", &self.site.clock).env("PROOFS", folder.join("proofs"));
        command.env("LOG", self.site.site.log()).env("PID", folder.join("pid"));
        command.env("SOCKET", self.place("data/run/control.sock"));
        let output = command.stdin(Stdio::null()).output().unwrap();
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap_or(-1))
    }

    /// Follows a page from its beginning to its end.
    fn follow(&mut self, page: &str, mut happen: impl FnMut(&Desk, &str)) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate").join(page);
        let text = fs::read_to_string(&path).unwrap();
        let (mut before, mut said, mut runs, mut used) = (String::new(), String::new(), 0, Vec::new());
        for step in steps(&text) {
            match step {
                Step::Setup(script) => {
                    for line in script.lines().filter(|line| !line.trim().is_empty()) {
                        let name = line.split('=').next().unwrap().trim();
                        let value = self.values.get(name);
                        let value =
                            value.unwrap_or_else(|| panic!("{page} names `{name}`, which the test does not know"));
                        before.push_str(&format!("{name}='{value}'\n"));
                        used.push(name.to_owned());
                    }
                }
                Step::Run { line, script, code } => {
                    self.write_proofs(&script);
                    let (output, found) = self.bash(&format!("{before}{script}"));
                    assert_eq!(found, code, "{page}, line {line}:\n{script}\nsaid:\n{output}");
                    self.said.push_str(&output);
                    (said, runs) = (output, runs + 1);
                }
                Step::Expect(expected) => {
                    for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
                        let line = self
                            .values
                            .iter()
                            .fold(line.to_owned(), |line, (name, value)| line.replace(&format!("${name}"), value));
                        assert!(holds(&said, &line), "{page} promises `{line}`; it said:\n{said}");
                    }
                }
                Step::Situation(name) => happen(self, &name),
            }
        }
        assert!(0 < runs, "{page} has no command");
        let unused: Vec<_> = self.values.keys().filter(|name| !used.iter().any(|one| one == *name)).collect();
        assert!(unused.is_empty(), "{page} does not name {unused:?} any more");
    }

    /// What a person types after a command that names an account: password and code, each code once.
    fn write_proofs(&self, script: &str) {
        let words: Vec<&str> = script.split_whitespace().collect();
        for account in words.windows(2).filter(|pair| pair[0] == "--account").map(|pair| pair[1]) {
            let password = if account == "admin" { &self.site.administrator } else { &self.site.operator };
            // without a time there is no code, and none is asked for
            let code = if script.contains("clock confirm") {
                String::new()
            } else {
                self.site.site.code(account).unwrap().into_revealed()
            };
            let proof = self.site.folder.path().join("proofs").join(account);
            fs::write(proof, format!("{}\n{code}\n", password.reveal())).unwrap();
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.bash("systemctl stop vigie");
    }
}

/// A person's words come where an account is named; everything else is the program.
const VIGIE: &str = r#"account=; last=
for word in "$@"; do [ "$last" = --account ] && account=$word; last=$word; done
if [ -n "$account" ] && [ -e "$PROOFS/$account" ]; then exec "$PROGRAM" "$@" < "$PROOFS/$account"; fi
exec "$PROGRAM" "$@""#;

const SYSTEMCTL: &str = r#"case "$1" in
  start)
    "$PROGRAM" serve < /dev/null > /dev/null 2>> "$LOG" &
    echo $! > "$PID"
    for _ in $(seq 60); do "$PROGRAM" account list > /dev/null 2>&1 && exit 0; sleep 0.5; [ -e "$PID.quick" ] && exit 0; done ;;
  stop)
    [ -e "$PID" ] || exit 0
    pid=$(cat "$PID"); rm "$PID"; kill "$pid" 2> /dev/null || exit 0
    for _ in $(seq 60); do kill -0 "$pid" 2> /dev/null || exit 0; sleep 0.5; done
    kill -9 "$pid" ;;
  restart) "$0" stop "$2" && "$0" start "$2" ;;
  *) echo "unknown: $1"; exit 1 ;;
esac"#;

fn steps(text: &str) -> Vec<Step> {
    let (mut steps, mut fence): (Vec<Step>, Option<(String, usize, String)>) = (Vec::new(), None);
    for (nth, line) in (1..).zip(text.lines()) {
        match &mut fence {
            Some((info, begins, body)) if line == "```" => {
                let words: Vec<&str> = info.split_whitespace().collect();
                match words[..] {
                    ["sh", "setup"] => steps.push(Step::Setup(without_comments(body))),
                    ["sh", "run"] => steps.push(Step::Run { line: *begins, script: body.clone(), code: 0 }),
                    ["sh", "run", code] => {
                        let code = code.parse().unwrap();
                        steps.push(Step::Run { line: *begins, script: body.clone(), code });
                    }
                    ["text", "expect"] => steps.push(Step::Expect(body.clone())),
                    _ => panic!("line {begins}: a block that the test does not follow: `{info}`"),
                }
                fence = None;
            }
            Some((_, _, body)) => {
                body.push_str(line);
                body.push('\n');
            }
            None => {
                if let Some(info) = line.strip_prefix("```") {
                    fence = Some((info.to_owned(), nth, String::new()));
                } else if let Some(name) = line.strip_prefix("<!-- situation: ") {
                    steps.push(Step::Situation(name.trim_end_matches(" -->").to_owned()));
                }
            }
        }
    }
    assert!(fence.is_none(), "a block is not closed");
    steps
}

/// Of `NAME=value   # what it is`.
fn without_comments(body: &str) -> String {
    body.lines().map(|line| line.split(" #").next().unwrap_or_default().trim_end()).collect::<Vec<_>>().join("\n")
}

/// Whether some line of the output has the parts of the expected one, in their order.
fn holds(output: &str, expected: &str) -> bool {
    output.lines().any(|line| {
        let mut rest = line;
        expected.split('…').all(|part| match rest.split_once(part.trim()) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    })
}

fn nothing(_: &Desk, situation: &str) {
    panic!("the test does not know how `{situation}` comes about");
}

#[test]
fn the_page_on_installing_leads_to_a_site_that_serves() {
    let desk = Desk::bare();
    let config = fs::read_to_string(desk.place("vigie.toml")).unwrap();
    let port = config.split("127.0.0.1:").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (config, passphrase, data) = (desk.place("vigie.toml"), desk.place("passphrase"), desk.place("data"));
    let (first, second, store) = (desk.place("keyring-1"), desk.place("keyring-2"), desk.place("store"));
    let mut desk = desk.value("CONFIG", config).value("PASSPHRASE", passphrase).value("DATA", data);
    desk = desk.value("KEYS_1", first).value("KEYS_2", second).value("STORE", store).value("PORT", port);
    desk.follow("install.md", nothing);
    let token = setup_token(&desk.said).unwrap();
    desk.site.site.set_up(&token, &desk.site.administrator).unwrap();
    desk.site.administrator();
}

#[test]
fn the_page_on_ports_says_what_listens() {
    let desk = Desk::serving();
    if desk.bash("command -v ss").1 != 0 {
        return eprintln!("skipped: there is no `ss` (iproute2)");
    }
    let port = desk.site.site.address().rsplit(':').next().unwrap().to_owned();
    desk.value("PORT", port).follow("ports.md", nothing);
}

#[test]
fn the_page_on_backups_takes_one_and_brings_it_back() {
    let desk = Desk::serving();
    let (config, folder) = (desk.place("vigie.toml"), desk.site.folder.path().to_owned());
    let mut desk = desk.value("CONFIG", config).value("KEY", folder.join("identity"));
    desk = desk.value("BACKUP", folder.join("vigie.age"));
    desk.follow("backup.md", nothing);
    assert_eq!(desk.site.check("registry-restored"), None);
}

#[test]
fn the_page_on_disasters_brings_back_a_registry_that_is_damaged() {
    let desk = Desk::serving();
    let folder = desk.site.folder.path().to_owned();
    let (key, backup) = (folder.join("identity"), folder.join("vigie.age"));
    let script = format!(
        "printf '\\n[backup]\\nrecipient = \"%s\"\\n' \"$(vigie backup key '{}' 2> /dev/null)\" >> \"$VIGIE_CONFIG\"\nvigie backup '{}'",
        key.display(),
        backup.display()
    );
    let (said, code) = desk.bash(&script);
    assert_eq!(code, 0, "{said}");
    let data = desk.place("data");
    let mut desk = desk.value("DATA", &data).value("KEY", key).value("BACKUP", backup);
    desk.follow("disaster.md", |desk, situation| {
        assert_eq!(situation, "registry-damaged");
        desk.bash("systemctl stop vigie");
        let registry = data.join("registry.db");
        let bytes = fs::metadata(&registry).unwrap().len() as usize;
        fs::write(&registry, vec![0x5a; bytes]).unwrap();
        desk.quick_start();
        support::until("the log says so", || {
            fs::read_to_string(desk.site.site.log()).ok().filter(|log| log.contains("est abîmé"))
        });
    });
}

#[test]
fn the_page_on_dead_disks_gives_the_keyring_its_second_copy_back() {
    let desk = Desk::serving();
    let second = desk.place("keyring-2");
    let mut desk = desk.value("KEYS_2", &second);
    desk.follow("disk-died.md", |_, situation| {
        assert_eq!(situation, "second-copy-died");
        fs::remove_dir_all(&second).unwrap();
    });
    assert!(fs::read_dir(&second).unwrap().count() > 0);
}

#[test]
fn the_page_on_a_keeper_that_does_not_start_makes_it_start() {
    let desk = Desk::serving();
    let passphrase = desk.place("passphrase");
    let mut desk = desk.value("PASSPHRASE", &passphrase);
    desk.follow("keeper-does-not-start.md", |desk, situation| {
        assert_eq!(situation, "passphrase-open");
        desk.bash("systemctl stop vigie");
        fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o644)).unwrap();
        desk.quick_start();
        support::until("the log says so", || {
            fs::read_to_string(desk.site.site.log()).ok().filter(|log| log.contains("peut être lu par d'autres"))
        });
    });
}

#[test]
fn the_page_on_a_wrong_clock_brings_the_time_back() {
    let desk = Desk::serving();
    let at = now().plus_seconds(60).to_string();
    let mut desk = desk.value("NOW", at);
    desk.follow("clock-was-wrong.md", |desk, situation| {
        assert_eq!(situation, "no-clock-stands");
        desk.bash("systemctl stop vigie");
        set_boot(&desk.site.clock, -20 * 365 * 86_400_000_000, 1).unwrap();
        desk.bash("systemctl start vigie");
    });
}

#[test]
fn what_a_page_promises_and_nobody_says_is_found() {
    let said = "✓ Registre : tient\nSauvegarde du 3, pour age1xyz\n";
    assert!(holds(said, "Sauvegarde…pour age1") && holds(said, "✓ Registre"));
    assert!(!holds(said, "pour age1…Sauvegarde"), "in its order");
    assert!(!holds(said, "Registre…Sauvegarde"), "on one line");
    let page =
        "x\n```sh setup\nA=1   # one\n```\n<!-- situation: s -->\n```sh run 2\nfalse\n```\n```text expect\nno\n```\n";
    let steps = steps(page);
    assert!(
        matches!(&steps[..], [Step::Setup(a), Step::Situation(s), Step::Run { line: 6, script, code: 2 }, Step::Expect(e)]
        if a == "A=1" && s == "s" && script == "false\n" && e == "no\n")
    );
}

impl Desk {
    /// Starts what does not come up, and does not wait for it.
    fn quick_start(&self) {
        let quick = self.site.folder.path().join("pid.quick");
        fs::write(&quick, "").unwrap();
        self.bash("systemctl start vigie");
        fs::remove_file(quick).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
}
