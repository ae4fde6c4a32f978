//! Promise 1 against `kill -9`: any process, at any instant, under load, again and again; nobody mends anything by hand.
//!
//! Every second round two short hours pass, so that others are destroyed; a process is killed at a chance instant. `VIGIE_CRASHES` says
//! how many times (12), `VIGIE_SEED` repeats the choices of an earlier run, `VIGIE_CRASH_TABLE` names a file for the table.

mod support;

use domain::{UtcMicros, limit::LOSS_MS_MAX};
use simulator::{
    clock::{ShiftedClock, set_offset},
    installation::Installation,
    random::Dice,
    rtsp::{Town, TownConfig},
};
use std::{collections::BTreeMap, env, fs, sync::Arc, time::Instant};
use support::{
    CLOSED_SECONDS, DAY_SECONDS, HOUR_SECONDS, Site, credentials,
    load::{Eyes, Load, look_at},
    movie::fetch,
    now, replay_path, sleep,
    store::{Sealed, assert_rows_and_bytes_agree},
    until,
    witness::{Cost, Event, Witness},
};

const LOSS_MICROS: i64 = LOSS_MS_MAX as i64 * 1_000;
/// One camera's hours die after four short hours, one's after eight, one's stay.
const DAYS: [u32; 3] = [1, 2, 30];
/// Longer than a round.
const ROUND_SECONDS: i64 = 40;
/// Who is killed in twelve rounds; `serve` alone lets its roles stop in order, `all` is what a power cut does to processes.
const DECK: [&str; 12] =
    ["recorder", "keeper", "all", "recorder", "web", "recorder", "all", "keeper", "serve", "recorder", "keeper", "all"];

#[test]
fn killed_at_any_instant_it_goes_on_by_itself_and_nothing_that_was_durable_is_lost_or_wrong() {
    let crashes = variable("VIGIE_CRASHES").unwrap_or(12);
    let seed = variable("VIGIE_SEED").unwrap_or_else(|| now().0 as u64 % 1_000_000);
    println!("VIGIE_SEED={seed} VIGIE_CRASHES={crashes}");
    let mut trial = Trial::begin(seed);
    let town = trial.town.clone();
    let mut witnesses: Vec<Witness<'_>> = town
        .cameras
        .iter()
        .zip(&trial.ids)
        .enumerate()
        .map(|(index, (camera, id))| Witness { camera, id: id.clone(), index, seen: BTreeMap::new() })
        .collect();
    let load = Load::start(&trial.eyes, &town, &trial.ids, trial.site.folder.path().to_owned());
    for round in 0..crashes {
        trial.round(round as usize, &load, &mut witnesses);
    }
    println!("{} replays and {} live pictures meanwhile", load.replays_seen(), load.live_seen());
    assert!(load.replays_seen() > crashes && load.live_seen() > 24, "there was a load");
    load.end();
    trial.end(&mut witnesses);
}

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")))
}

/// A town, its site, and what the killing cost so far.
struct Trial {
    site: Site,
    eyes: Arc<Eyes>,
    town: Arc<Town>,
    ids: Vec<String>,
    dice: Dice,
    deck: Vec<&'static str>,
    sealed: Sealed,
    tally: BTreeMap<&'static str, Tally>,
    offset_micros: i64,
    began: Instant,
}

/// What the kills of one process cost.
#[derive(Default)]
struct Tally {
    kills: u32,
    lost_micros: Vec<i64>,
    back_micros: Vec<i64>,
    /// Losses above 2 s while the machine itself stood still for at least the excess.
    excused: u32,
}

impl Trial {
    fn begin(seed: u64) -> Trial {
        let hour = UtcMicros::from_seconds((now().seconds() / HOUR_SECONDS + 1) * HOUR_SECONDS);
        let offset_seconds = hour.seconds() + 20 - now().seconds();
        let mut site = Site::installed(offset_seconds);
        let config = site.site.folder.join("vigie.toml");
        let text = fs::read_to_string(&config).unwrap().replace("slot_mebibytes = 8", "slot_mebibytes = 4");
        fs::write(&config, text).unwrap();
        let token = site.site.init().unwrap();
        // the cameras' clock is the program's: to both, the hours really pass
        let clock = Arc::new(ShiftedClock::over_system(&site.clock));
        let town = Arc::new(Town::start(TownConfig { clock, ..TownConfig::for_tests(3, credentials()) }).unwrap());
        site.site.serve().unwrap();
        site.site.set_up(&token, &site.administrator).unwrap();
        site.site.add_account("operateur", "operator", &site.operator).unwrap();
        let ids: Vec<String> = (0..3).map(|n| site.add(&town, n as u32 + 1, DAYS[n])).collect();
        ids.iter().for_each(|id| site.until_recording(id));
        let folder = site.folder.path().join("eyes");
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_vigie-simulated"));
        let mut elsewhere = Installation::new(program, &folder, "Ville d'essai", site.site.port).unwrap();
        elsewhere.persons = site.site.persons.clone();
        let eyes = Eyes { site: elsewhere, operator: site.operator.clone(), clock: site.clock.clone() };
        Trial {
            site,
            eyes: Arc::new(eyes),
            town,
            ids,
            dice: Dice::new(seed, 41),
            deck: Vec::new(),
            sealed: Sealed::default(),
            tally: BTreeMap::new(),
            offset_micros: offset_seconds * 1_000_000,
            began: Instant::now(),
        }
    }

    /// An hour passes, a process dies, all is well again.
    fn round(&mut self, round: usize, load: &Load, witnesses: &mut [Witness<'_>]) {
        let (began, from) = (now(), self.eyes.now());
        let process = self.deal();
        let mut events = vec![self.event("the round begins")];
        if round % 2 == 1 {
            self.look_around_a_turn(witnesses, from);
            self.pass_hours();
            // while hours are being destroyed
            sleep(f64::from(self.dice.between(0.0, 1.5)));
        } else {
            sleep(f64::from(self.dice.between(0.0, 3.0)));
        }
        events.push(self.event(process));
        println!("    next: {process}");
        let killed = self.eyes.now();
        let clock = Instant::now();
        self.kill(process);
        if process == "recorder" && self.dice.below(3) == 0 {
            sleep(f64::from(self.dice.between(0.5, 1.5)));
            events.push(self.event("recorder"));
            self.site.site.kill("recorder").unwrap();
        }
        until("the console answers", || self.eyes.operator().ok().map(|_| ()));
        let answered = clock.elapsed();
        let resumed = self.eyes.now();
        until("every camera is durable again", || self.all_durable_after(resumed.max(killed)));
        self.check_verify();
        self.sealed.look(&self.site.site.folder.join("store"));

        let to = self.eyes.now();
        self.see(witnesses, from.plus_seconds(-15), to);
        let stall = load.stalled_since(began.plus_micros(-3_000_000));
        events.iter_mut().for_each(|event| event.stall_micros = stall);
        let disturbs = |what: &str| !matches!(what, "keeper" | "web");
        let breaking: Vec<Event> = events.iter().filter(|event| disturbs(event.what)).cloned().collect();
        for witness in witnesses.iter() {
            let costs = witness.costs(&breaking, &witness.camera.sent(), to);
            for (event, cost) in breaking.iter().zip(costs) {
                self.note(event, cost, witness.camera.number);
            }
            self.check_holes_have_causes(witness, from, to);
        }
        let tally = self.tally.entry(process).or_default();
        tally.kills += 1;
        if !disturbs(process) {
            tally.lost_micros.push(0);
            tally.back_micros.push(answered.as_micros() as i64);
        }
        println!("{:>3} {process} after {:.0} s", round + 1, self.began.elapsed().as_secs_f64());
    }

    /// The first camera's hours close two short hours after their end: where one ends about now, what it filmed since the last
    /// look would close unseen.
    fn look_around_a_turn(&self, witnesses: &mut [Witness<'_>], from: UtcMicros) {
        let into = self.eyes.now().seconds().rem_euclid(HOUR_SECONDS);
        if (ROUND_SECONDS..HOUR_SECONDS - ROUND_SECONDS).contains(&into) {
            return;
        }
        // until what the hour's last second holds is durable
        let left = if into < ROUND_SECONDS { 5 - into } else { HOUR_SECONDS - into + 5 };
        sleep(left.max(0) as f64);
        self.see(witnesses, from.plus_seconds(-15), self.eyes.now());
    }

    /// Two short hours pass while nobody films: for the program and the cameras they have really passed.
    fn pass_hours(&mut self) {
        self.town.cameras.iter().for_each(|camera| camera.stop());
        self.offset_micros += 2 * HOUR_SECONDS * 1_000_000;
        set_offset(&self.site.clock, self.offset_micros).unwrap();
        self.town.cameras.iter().for_each(|camera| camera.restart());
    }

    fn deal(&mut self) -> &'static str {
        if self.deck.is_empty() {
            self.deck = DECK.to_vec();
        }
        let at = self.dice.below(self.deck.len());
        self.deck.swap_remove(at)
    }

    fn event(&self, what: &'static str) -> Event {
        let sent = self.town.cameras.iter().map(|camera| camera.sent().len()).collect();
        Event { what, at: self.eyes.now(), sent, stall_micros: 0 }
    }

    /// `serve` and all its roles are what a service manager looks after: it starts them again.
    fn kill(&mut self, process: &str) {
        match process {
            "all" => self.site.site.kill_all().unwrap(),
            "serve" => self.site.site.kill_serve().unwrap(),
            role => {
                assert!(self.site.site.kill(role).unwrap(), "the {role} runs");
                return;
            }
        }
        self.site.site.start().unwrap();
    }

    fn all_durable_after(&self, instant: UtcMicros) -> Option<()> {
        let health = self.eyes.operator().ok()?.get("/api/health").ok()?;
        let cameras = health["cameras"].as_array()?;
        let durable = |id: &String| {
            let camera = cameras.iter().find(|one| one["id"] == **id)?;
            let last: jiff::Timestamp = camera["last_durable"].as_str()?.parse().ok()?;
            (camera["state"] == "recording" && last.as_microsecond() > instant.0).then_some(())
        };
        self.ids.iter().all(|id| durable(id).is_some()).then_some(())
    }

    fn see(&self, witnesses: &mut [Witness<'_>], from: UtcMicros, to: UtcMicros) {
        let operator = self.eyes.operator().unwrap();
        let permit = look_at(&operator, &self.ids, from, to);
        for witness in witnesses {
            witness.take(&fetch(&operator, &replay_path(&permit, &witness.id, from, to)).shown);
        }
    }

    /// How many keys were destroyed so far, as `vigie verify` counts them in the ledger.
    fn check_verify(&self) -> u64 {
        let verified = self.site.site.attempt(&["verify"], None).unwrap();
        assert_eq!(verified.code, Some(0), "vigie verify: {verified:?}");
        let number = verified.stdout.split("détruites : ").nth(1).and_then(|rest| rest.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{}", verified.stdout))
    }

    /// Counts what an event cost, and refuses a loss above 2 s that the machine did not cause (R1).
    fn note(&mut self, event: &Event, cost: Option<Cost>, camera: u32) {
        let Some(cost) = cost else { return };
        let excess = cost.lost_micros - LOSS_MICROS;
        assert!(
            excess <= event.stall_micros,
            "camera {camera}: `{}` cost {} ms, the machine stalled for {} ms",
            event.what,
            cost.lost_micros / 1_000,
            event.stall_micros / 1_000
        );
        let tally = self.tally.entry(event.what).or_default();
        tally.excused += u32::from(excess > 0);
        tally.lost_micros.push(cost.lost_micros);
        tally.back_micros.extend(cost.down_micros);
    }

    /// What is missing stands in the gaps with a cause, but for what a kill may cost (R1, R12).
    fn check_holes_have_causes(&self, witness: &Witness<'_>, from: UtcMicros, to: UtcMicros) {
        let operator = self.eyes.operator().unwrap();
        for (start, end) in witness.holes(2 * LOSS_MICROS) {
            if end < from || start > to {
                continue;
            }
            let covered: i64 = gaps(&operator, &witness.id, start, end)
                .iter()
                .map(|(gap_from, gap_to)| gap_to.min(&end).since(*gap_from.max(&start)).max(0))
                .sum();
            let missing = end.since(start) - covered;
            let number = witness.camera.number;
            assert!(
                missing <= LOSS_MICROS + 500_000,
                "camera {number}: {start} to {end} is missing, {} ms of it without a cause",
                missing / 1_000
            );
        }
    }

    /// All at once: what could be seen can be seen, dead hours are gone, rows and bytes agree.
    fn end(mut self, witnesses: &mut [Witness<'_>]) {
        let to = self.eyes.now();
        let health = self.site.health().unwrap();
        assert_eq!(health["destruction"]["bytes_past_deadline"], 0, "{health}");
        let operator = self.eyes.operator().unwrap();
        let last = witnesses.len() - 1;
        let kept = &mut witnesses[last];
        // in a long run the first hours of this camera, too, die on their day
        let alive = to.plus_seconds(-(i64::from(DAYS[last]) * DAY_SECONDS - CLOSED_SECONDS - HOUR_SECONDS - 60));
        kept.seen.retain(|_, at| alive < *at);
        let from = kept.seen.values().min().copied().unwrap().plus_seconds(-10);
        let permit = look_at(&operator, &self.ids[last..], from, to);
        let movie = fetch(&operator, &replay_path(&permit, &kept.id, from, to));
        let numbers: std::collections::BTreeSet<u64> = movie.numbers().into_iter().collect();
        let missing: Vec<_> = kept.seen.iter().filter(|(number, _)| !numbers.contains(number)).take(5).collect();
        assert!(missing.is_empty(), "what was seen once is still there, but for {missing:?}");
        kept.take(&movie.shown);
        drop(operator);
        self.check_verify();
        self.site.site.stop().unwrap();
        self.sealed.look(&self.site.site.folder.join("store"));
        let rows = assert_rows_and_bytes_agree(&self.site.site.folder, self.eyes.now());
        let destroyed = self.check_verify();
        // a short-lived camera's hours close after three more
        assert!(self.rounds() < 4 || destroyed > 0, "destruction ran meanwhile");
        let (records, keys) = self.sealed.counts();
        assert!(records > 100 && keys > 6, "{records} sealed records, {keys} data keys");
        let table = self.table();
        println!(
            "{table}\n{records} sealed records, {keys} data keys, no key and nonce twice; {rows} reels whole; {destroyed} keys destroyed meanwhile"
        );
        if let Some(path) = env::var_os("VIGIE_CRASH_TABLE") {
            fs::write(&path, table).unwrap();
        }
    }

    fn rounds(&self) -> u32 {
        self.tally.values().map(|tally| tally.kills).sum()
    }

    fn table(&self) -> String {
        let mut text =
            "| killed | times | most media lost | median back after | longest | above 2 s, machine stalled |\n\
                        | --- | --- | --- | --- | --- | --- |\n"
                .to_owned();
        for (process, tally) in self.tally.iter().filter(|(_, tally)| tally.kills > 0) {
            let mut back = tally.back_micros.clone();
            back.sort_unstable();
            let seconds =
                |micros: Option<&i64>| micros.map_or("-".into(), |micros| format!("{:.1} s", *micros as f64 / 1e6));
            text += &format!(
                "| {process} | {} | {} | {} | {} | {} |\n",
                tally.kills,
                seconds(tally.lost_micros.iter().max()),
                seconds(back.get(back.len() / 2)),
                seconds(back.last()),
                tally.excused
            );
        }
        text
    }
}

/// Gaps of a camera between two instants, each to its end or to `to`.
fn gaps(
    operator: &simulator::installation::Browser<'_>,
    id: &str,
    from: UtcMicros,
    to: UtcMicros,
) -> Vec<(UtcMicros, UtcMicros)> {
    let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    let date = |at: UtcMicros| jiff::Timestamp::from_microsecond(at.0).unwrap().to_zoned(paris.clone()).date();
    let utc = |text: &str| UtcMicros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
    let mut found = Vec::new();
    let days = if date(from) == date(to) { vec![date(from)] } else { vec![date(from), date(to)] };
    for day in days {
        let day = operator.get(&format!("/api/cameras/{id}/day?date={day}")).unwrap();
        for gap in day["gaps"].as_array().unwrap() {
            assert!(gap["cause_fr"].as_str().is_some_and(|cause| !cause.is_empty()), "a gap without a cause: {gap}");
            found.push((utc(gap["from"].as_str().unwrap()), gap["to"].as_str().map_or(to, utc)));
        }
    }
    found
}
