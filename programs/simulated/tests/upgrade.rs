//! n → n+1 → n on real processes while cameras are recorded, by the commands of `docs/operate/upgrade.md`: little is missing and says
//! why, keys die at their hour, every picture that was durable is there; a way back that cannot be is refused and changes nothing.
//!
//! There is one version so far. The next one is the same code in a file with another end, hence another digest, with another number
//! and a further step of the registry (`programs/simulated/src/later.rs`). `VIGIE_PREVIOUS` names a `vigie-simulated` that an earlier source
//! gave: then it, too, is version n.

mod support;

use domain::{UtcMicros, limit::UPGRADE_GAP_MS_MAX};
use serde_json::Value;
use simulator::{
    clock::{ShiftedClock, set_offset},
    rtsp::{Town, TownConfig},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};
use support::{
    CLOSED_SECONDS, DAY_SECONDS, HOUR_SECONDS, Site, credentials,
    load::look_at,
    movie::fetch,
    now,
    refusal::{assert_refused, say, sha256},
    replay_path, sleep,
    timeline::{check_covered, timeline},
    until,
    witness::assert_true,
};

const PAGE: &str = include_str!("../../../docs/operate/upgrade.md");
const UPGRADE: &str = "## Mettre à jour";
const GOING_BACK: &str = "## Revenir en arrière";
const INSTALLED: &str = "/usr/bin/vigie";
const NEXT: &str = "/opt/vigie/suivante/vigie";
const FORMER: &str = "/opt/vigie/precedente/vigie";
/// What `programs/simulated/src/later.rs` reads at the end of its own file.
const PLUS_ONE: &[u8; 16] = b"vigie version +1";
const PLUS_TWO: &[u8; 16] = b"vigie version +2";
const ON_PURPOSE: &str = "arrêté volontairement";

/// A machine in a folder, with an operator who does what the page says.
struct Machine {
    site: Site,
    root: PathBuf,
    /// For how long something on this machine waited for a processor around each restart, in microseconds.
    waited_micros: Vec<i64>,
}

impl Machine {
    /// `program` is installed; the next one lies ready.
    fn with(program: &Path, next: &[u8]) -> Machine {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("machine");
        for place in [INSTALLED, NEXT, FORMER] {
            fs::create_dir_all(at(&root, place).parent().unwrap()).unwrap();
        }
        fs::copy(program, at(&root, INSTALLED)).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_vigie-simulated"), at(&root, NEXT)).unwrap();
        File::options().append(true).open(at(&root, NEXT)).unwrap().write_all(next).unwrap();
        let (place, now) = (folder.path().join("site"), now().seconds());
        // an hour that began just now, so that none turns meanwhile
        let offset_seconds = (now / HOUR_SECONDS + 1) * HOUR_SECONDS + 20 - now;
        let mut site = Site::installed_with(&at(&root, INSTALLED), folder, &place, offset_seconds);
        site.begin();
        Machine { site, root, waited_micros: Vec::new() }
    }

    /// Cameras whose clock is the program's.
    fn town(&self, cameras: u32) -> Town {
        let clock = Arc::new(ShiftedClock::over_system(&self.site.clock));
        Town::start(TownConfig { clock, ..TownConfig::for_tests(cameras, credentials()) }).unwrap()
    }

    /// Pictures of after this moment are durable of each camera.
    fn until_durable(&self, cameras: &[String]) {
        self.site.until_durable_after(cameras, self.site.now());
    }

    /// Every command of a section of the page, in order.
    fn follow(&mut self, section: &str) {
        let commands = commands(section);
        assert!(commands.len() > 3, "the section `{section}` has its commands: {commands:?}");
        commands.iter().for_each(|line| self.run(line));
    }

    fn run(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["systemctl", "restart", "vigie"] => {
                let before = waited_for_a_processor();
                let stopped = self.site.now();
                self.site.site.stop().unwrap();
                self.site.site.start().unwrap();
                let is_back = || {
                    let health = self.site.health()?;
                    let cameras = health["cameras"].as_array()?.clone();
                    cameras.iter().all(|one| is_after(&one["last_durable"], stopped)).then_some(())
                };
                until("every camera is recorded again", is_back);
                self.waited_micros.push(waited_for_a_processor() - before);
            }
            ["cp", from, to] => drop(fs::copy(at(&self.root, from), at(&self.root, to)).unwrap()),
            ["install", "-m", "0755", from, to] => self.install(from, to),
            // it is asked again until it is in order, as the page says
            ["vigie", "status"] => until("`vigie status` is in order", || {
                self.site.site.attempt(&["status"], None).ok().filter(|said| said.code == Some(0)).map(drop)
            }),
            ["vigie", ref arguments @ ..] => {
                let said = self.site.site.attempt(arguments, None).unwrap();
                assert_eq!(said.code, Some(0), "{line}: {said:?}");
            }
            [program, ref arguments @ ..] if program.starts_with("/opt/vigie/") => {
                let (code, said) = say(&at(&self.root, program), &self.site, arguments);
                assert_eq!(code, Some(0), "{line}: {said}");
            }
            _ => panic!("the page has a command that nobody here can run: `{line}`"),
        }
    }

    /// As `install` and a package do: beside it, then over it, so that the program that runs keeps its own file.
    fn install(&self, from: &str, to: &str) {
        let (to, new) = (at(&self.root, to), at(&self.root, to).with_extension("new"));
        fs::copy(at(&self.root, from), &new).unwrap();
        fs::rename(new, to).unwrap();
    }

    /// Version and digest of each program that started, as the ledger opens them to everybody.
    fn starts(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.site.site.folder.join("data/ledger/public/starts")).unwrap();
        let details = text.lines().map(|line| line.rsplit(' ').next().unwrap());
        let entry = |hex: &str| -> Value { serde_json::from_slice(&from_hex(hex)).unwrap() };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        details.map(entry).map(|entry| (text(&entry["version"]), text(&entry["digest_hex"]))).collect()
    }
}

/// What the kernel counts of tasks that were ready and had no processor (Documentation/accounting/psi.rst); 0 where it does not count.
fn waited_for_a_processor() -> i64 {
    let text = fs::read_to_string("/proc/pressure/cpu").unwrap_or_default();
    let total = text.lines().next().and_then(|line| line.rsplit("total=").next()?.parse().ok());
    total.unwrap_or(0)
}

fn is_after(time: &Value, instant: UtcMicros) -> bool {
    let time = time.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    time.is_some_and(|time| time.as_microsecond() > instant.0)
}

fn at(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// The lines between the fences of a section.
fn commands(section: &str) -> Vec<String> {
    let mut lines = PAGE.lines().skip_while(|line| !line.starts_with(section)).skip(1);
    let section = lines.by_ref().take_while(|line| !line.starts_with("## "));
    let fenced = section.skip_while(|line| *line != "```sh").skip(1).take_while(|line| *line != "```");
    fenced.map(str::to_owned).collect()
}

fn from_hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Pictures that can be replayed of each camera, by number.
type Seen = Vec<BTreeMap<u64, UtcMicros>>;

fn replay(site: &Site, cameras: &[String], from: UtcMicros, to: UtcMicros) -> Seen {
    let operator = site.operator();
    let permit = look_at(&operator, cameras, from, to);
    let shown = |id: &String| fetch(&operator, &replay_path(&permit, id, from, to)).shown;
    cameras.iter().map(|id| shown(id).iter().map(|one| (one.mark.frame, one.utc)).collect()).collect()
}

fn assert_kept(before: &Seen, after: &Seen) {
    for (number, (before, after)) in before.iter().zip(after).enumerate() {
        let lost: Vec<_> = before.iter().filter(|(frame, utc)| after.get(frame) != Some(utc)).collect();
        assert!(lost.is_empty(), "camera {}: pictures that could be replayed cannot any more: {lost:?}", number + 1);
    }
}

/// n → n+1 → n, by the page; what it cost and what it kept.
fn there_and_back(program: &Path, next: &[u8]) {
    let mut machine = Machine::with(program, next);
    let town = machine.town(3);
    let start = machine.site.now();
    let hour = UtcMicros::from_seconds(start.seconds() / HOUR_SECONDS * HOUR_SECONDS);
    let mut ids = vec![machine.site.add(&town, 1, 1), machine.site.add(&town, 2, 30)];
    ids.iter().for_each(|id| machine.site.until_recording(id));
    sleep(6.0);
    machine.until_durable(&ids);
    let first = replay(&machine.site, &ids, start, machine.site.now());

    machine.follow(UPGRADE);
    machine.until_durable(&ids);
    // what the next version is given is there for the former one, too: a person, and a camera with its keys
    machine.site.site.add_account("renfort", "operator", &machine.site.operator).unwrap();
    ids.push(machine.site.add(&town, 3, 30));
    machine.site.until_recording(&ids[2]);
    sleep(5.0);
    machine.until_durable(&ids);
    let second = replay(&machine.site, &ids, start, machine.site.now());
    assert_kept(&first, &second);

    machine.follow(GOING_BACK);
    machine.until_durable(&ids);
    sleep(3.0);
    let end = machine.site.now();
    let third = replay(&machine.site, &ids, start, end);
    assert_kept(&second, &third);
    for (number, (id, expected)) in ids.iter().zip([2, 2, 1]).enumerate() {
        let waited = &machine.waited_micros[2 - expected..];
        check_gaps(&machine.site, (number + 1, id), start, &third[number], waited);
        check_covered(&machine.site, id, start, end);
    }
    let shown = machine.site.site.run(&["account", "list"], None).unwrap();
    assert!(shown.contains("renfort"), "{shown}");

    let [installed, next] = [INSTALLED, NEXT].map(|path| sha256(&at(&machine.root, path)));
    let starts = machine.starts();
    let digests: Vec<&String> = starts.iter().map(|(_, digest)| digest).collect();
    assert_eq!(digests, [&installed, &next, &installed], "the ledger names each program: {starts:?}");
    assert!(starts[0].0 == starts[2].0 && (starts[0].0 != starts[1].0 || next.is_empty()), "{starts:?}");

    destroyed_at_its_hour(&machine.site, &town, &ids, hour, (start, end));
    town.cameras.iter().zip(&ids).skip(1).for_each(|(camera, id)| {
        let operator = machine.site.operator();
        let permit = look_at(&operator, &ids[1..], start, end);
        assert_true(camera, &fetch(&operator, &replay_path(&permit, id, start, end)).shown);
    });
}

/// Each restart is one gap of the ledger of gaps, with its cause, and costs no more than it may: by what is told and by pictures.
fn check_gaps(
    site: &Site,
    (number, id): (usize, &str),
    start: UtcMicros,
    seen: &BTreeMap<u64, UtcMicros>,
    waited: &[i64],
) {
    let (_, gaps) = timeline(site, id, start);
    let gaps: Vec<_> = gaps.into_iter().filter(|gap| gap.from >= start).collect();
    assert_eq!(gaps.len(), waited.len(), "one gap a restart: {gaps:#?}");
    assert!(gaps.iter().all(|gap| gap.cause.contains(ON_PURPOSE)), "{gaps:#?}");
    let told = gaps.iter().map(|gap| (gap.from, gap.to.expect("it is recorded again")));
    let mut shown: Vec<UtcMicros> = seen.values().copied().collect();
    shown.sort();
    let is_long = |(from, to): &(UtcMicros, UtcMicros)| to.since(*from) > 1_000_000;
    let without_pictures: Vec<_> = shown.windows(2).map(|pair| (pair[0], pair[1])).filter(is_long).collect();
    assert_eq!(without_pictures.len(), waited.len(), "pictures are missing where a gap is told, and nowhere else");
    for ((from, to), waited) in told.zip(waited).chain(without_pictures.into_iter().zip(waited)) {
        let (ms, waited_ms) = (to.since(from) / 1_000, waited / 1_000);
        println!("camera {number}: nothing for {ms} ms; tasks had no processor for {waited_ms} ms meanwhile");
        assert!(ms <= UPGRADE_GAP_MS_MAX as i64 + waited_ms, "camera {number}: {from} to {to}");
    }
}

/// The short camera's hour opens until it closes and is dead when it is due; the others' stays.
fn destroyed_at_its_hour(
    site: &Site,
    town: &Town,
    ids: &[String],
    hour: UtcMicros,
    (start, end): (UtcMicros, UtcMicros),
) {
    // the time passes while nobody films: for program and cameras alike it has really passed
    let move_to = |to: UtcMicros| {
        town.cameras.iter().for_each(|camera| camera.stop());
        set_offset(&site.clock, to.since(now())).unwrap();
        town.cameras.iter().for_each(|camera| camera.restart());
    };
    let opens = |id: &String| {
        let operator = site.operator();
        let look = operator.post("/api/looks", &support::replay_of(&[id], start, end)).ok()?;
        operator.open(&replay_path(look["permit"].as_str()?, id, start, end)).ok().map(drop)
    };
    let due = hour.plus_seconds(DAY_SECONDS);
    move_to(due.plus_seconds(-CLOSED_SECONDS - 120));
    until("the short camera's hour opens to its end", || opens(&ids[0]));
    move_to(due.plus_seconds(20));
    until("it is destroyed at its hour", || site.fate(&ids[0], hour).filter(|state| state == "destroyed"));
    assert!(opens(&ids[0]).is_none(), "what is dead does not open");
    until("the other camera's hour opens", || opens(&ids[1]));
    assert_eq!(site.health().unwrap()["destruction"]["bytes_past_deadline"], 0);
    let verified = site.site.attempt(&["verify"], None).unwrap();
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[test]
fn the_page_s_own_commands_replace_the_program_and_bring_the_former_one_back_while_cameras_record() {
    there_and_back(Path::new(env!("CARGO_BIN_EXE_vigie-simulated")), PLUS_ONE);
}

#[test]
fn the_program_of_an_earlier_source_is_followed_by_this_one_and_comes_back() {
    match std::env::var_os("VIGIE_PREVIOUS") {
        // followed by this source's own program: what it adds to the registry, and nothing else
        Some(program) => there_and_back(Path::new(&program), b""),
        None => println!("skipped: `VIGIE_PREVIOUS` names no program of an earlier source"),
    }
}

#[test]
fn a_way_back_that_cannot_be_is_refused_with_its_reason_and_changes_not_a_byte() {
    let mut machine = Machine::with(Path::new(env!("CARGO_BIN_EXE_vigie-simulated")), PLUS_TWO);
    let town = machine.town(1);
    let start = machine.site.now();
    let ids = [machine.site.add(&town, 1, 30)];
    machine.site.until_recording(&ids[0]);
    machine.follow(UPGRADE);
    machine.until_durable(&ids);
    let seen = replay(&machine.site, &ids, start, machine.site.now());

    // asked before anything is replaced, while the later one records
    let former = at(&machine.root, FORMER);
    let (code, said) = say(&former, &machine.site, &["config", "check"]);
    assert!(code == Some(1) && said.contains("plus récent") && said.contains("registry.db"), "{said}");
    // installed all the same
    machine.site.site.stop().unwrap();
    machine.install(FORMER, INSTALLED);
    assert_refused(&at(&machine.root, INSTALLED), &machine.site, &["registry.db", "version"]);

    machine.install(NEXT, INSTALLED);
    machine.site.site.serve().unwrap();
    machine.until_durable(&ids);
    assert_kept(&seen, &replay(&machine.site, &ids, start, machine.site.now()));
    let verified = machine.site.site.attempt(&["verify"], None).unwrap();
    assert_eq!(verified.code, Some(0), "{verified:?}");
}
