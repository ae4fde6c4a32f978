//! Every picture served has its entry, no entry without a decision, ends hold to the second, and no line names anybody.
//!
//! Forty days in `cargo test`, a year by `make sim` (VIGIE_YEAR_DAYS, VIGIE_YEAR_LOOKS, VIGIE_SEED). Requisitions are not part of
//! it: Vigie has none yet.

use crate::{
    centre::{CAMERAS, Centre, NAMES, camera_id},
    lines::{self, forbid},
    support::*,
};
use domain::{CameraId, PermitId, Purpose, ReelId, Sensitive, Span, StreamId};
use ledger::Event;
use seal::GroupStart;
use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
};
use vault::keeper::{Ask, Beat, KeyQuery, Minted, Permit, SessionSecret, Verdict, View};

const HOUR: i64 = 3_600;
/// An hour of footage each day, kept until it has died.
const FILMS_KEPT: usize = 34;
const REASONS: [&str; 5] = [
    "Appel au 17 : rixe devant la gare",
    "Accident signalé rue des Tanneurs",
    "Dépôt sauvage, agent sur place",
    "Enfant perdu, mère en pull rouge",
    "Vol de vélo, plaignante Mme Ortéga",
];

/// What the test decided to do, by chance from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)) % bound
    }
}

/// A picture that left, by the test's own book.
struct Seen {
    leaf: u64,
    permit: PermitId,
    who: usize,
    camera: CameraId,
    view: View,
    at: i64,
}

struct Year {
    centre: Centre,
    chance: Chance,
    films: VecDeque<(i64, Vec<Minted>)>,
    seen: Vec<Seen>,
    /// By the number of its entry: who asked, and whether the keeper allowed it.
    decided: BTreeMap<u64, (usize, bool)>,
    /// Permits of the present shift.
    held: Vec<(usize, Permit)>,
    dead: u64,
    unlawful: u64,
    away: u64,
}

impl Year {
    fn day(&mut self, day: i64, looks: u64) {
        let filmed = self.chance.below(3) as i64;
        for shift in 0..3 {
            self.pass_until(day * DAY + shift * 8 * HOUR + 120);
            self.tick();
            if shift == filmed {
                self.film();
            }
            let (first, people) = (shift as usize * 3, if shift == 2 { 2 } else { 3 });
            let turn = day as usize / 7;
            for nth in (first..first + people).map(|nth| (nth + turn) % NAMES.len()) {
                self.pass(40); // a code counts once
                let Some(session) = self.centre.sign_in(nth) else { continue };
                for _ in 0..looks {
                    let seconds = 20 + self.chance.below(600) as i64;
                    self.pass(seconds);
                    self.look(nth, &session, false);
                }
                if day % 10 == 7 && shift == 1 {
                    self.ledger_away(nth, &session);
                }
                self.check_held();
            }
            self.held.clear();
        }
    }

    fn pass(&mut self, seconds: i64) {
        self.centre.world.clock.pass(seconds);
        if self.chance.below(4) == 0 {
            self.tick();
        }
    }

    fn pass_until(&self, seconds: i64) {
        self.centre.world.clock.pass((seconds - self.centre.seconds()).max(0));
    }

    fn tick(&self) {
        self.centre.opened().core.tick().unwrap();
    }

    /// Every camera records: its hour's key, made only while the order holds.
    fn film(&mut self) {
        let hour = domain::HourLength::PRODUCT.hour_of(self.centre.world.now());
        let streams: Vec<StreamId> = (0..CAMERAS).map(|n| StreamId::main(camera_id(n))).collect();
        let from = self.centre.seconds();
        let minted = self.centre.opened().core.mint(hour, RUN, &streams).unwrap();
        let is_ordered = self.centre.ordered.iter().any(|span| span.contains(&from));
        assert_eq!(minted.len(), if is_ordered { usize::from(CAMERAS) } else { 0 }, "at {from}");
        if is_ordered {
            self.films.push_back((from, minted));
            self.films.truncate(FILMS_KEPT + 1);
            if self.films.len() > FILMS_KEPT {
                self.films.pop_front();
            }
        }
        self.centre.world.clock.pass(30);
    }

    /// Somebody asks to look; what follows is what the test's own table says.
    fn look(&mut self, nth: usize, session: &SessionSecret, is_away: bool) {
        let now = self.centre.seconds();
        let film = self.chance.below(self.films.len() as u64 + 2) as usize;
        let film = self.films.get(film).map(|(from, _)| *from);
        let view = film.map_or(View::Live, |from| View::Replay(span(from, from + 10)));
        let count = 1 + self.chance.below(3);
        let cameras: Vec<CameraId> = (0..count).map(|_| camera_id(self.chance.below(CAMERAS.into()) as u16)).collect();
        let purpose = (self.chance.below(12) > 0).then_some(Purpose::SafetyOfPersonsAndProperty);
        let is_brief = self.chance.below(12) == 0;
        let reason = if is_brief { "trop bref".to_owned() } else { format!("{} ({now})", REASONS[now as usize % 5]) };
        let is_lawful = self.centre.is_lawful(nth, now) && purpose.is_some() && !is_brief;
        let is_closed = film.is_some_and(|from| self.is_closed(from));
        let ask = Ask { view, cameras, purpose, reason: Sensitive::new(reason) };
        match self.centre.opened().core.pass(session, &ask) {
            Ok(Verdict::Allowed(permit)) => {
                assert!(is_lawful && !is_away, "{} was let through at {now}: {ask:?}", NAMES[nth]);
                assert_eq!(self.decided.insert(permit.leaf, (nth, true)), None);
                self.serve(nth, &permit);
                self.held.push((nth, permit));
            }
            Ok(Verdict::Refused(refused)) => {
                assert!(!is_lawful || is_closed, "{} was refused at {now}: {:?}", NAMES[nth], refused.reasons);
                assert!(!refused.reasons.is_empty() && !is_away);
                assert_eq!(self.decided.insert(refused.leaf, (nth, false)), None);
                self.unlawful += u64::from(!is_lawful);
                self.dead += u64::from(is_lawful);
            }
            Err(error) => {
                assert!(is_away || !self.centre.is_lawful(nth, now), "at {now}: {error}");
                self.away += u64::from(is_away);
            }
        }
    }

    /// Whether the footage of that hour is closed by now (K8): every camera has the same delay.
    fn is_closed(&self, from: i64) -> bool {
        let film = self.films.iter().find(|(other, _)| *other == from).expect("films are asked for by their times");
        film.1[0].deadline.plus_seconds(-600) <= self.centre.world.now()
    }

    /// Everything that the permit opens is fetched.
    fn serve(&mut self, nth: usize, permit: &Permit) {
        let (opened, at) = (self.centre.opened(), self.centre.seconds());
        let View::Replay(span) = permit.view else {
            let alive = opened.core.check(&Beat { permits: vec![permit.clone()], ..Beat::default() }).unwrap().alive;
            assert_eq!(alive, [true]);
            self.seen.push(seen(permit, nth, permit.cameras[0], at));
            return;
        };
        let from = span.from().seconds() - START;
        let (_, film) = self.films.iter().find(|(other, _)| *other == from).expect("it was asked for by its film");
        for camera in &permit.cameras {
            let minted = film.iter().find(|minted| minted.stream.camera == *camera).unwrap();
            let part = opened.reel(7, minted, from, GroupStart { reel: ReelId([7; 16]), chunk: 0 });
            let query = KeyQuery { permit: permit.clone(), stream: minted.stream, span, parts: vec![part] };
            let answer = opened.core.keys(&query);
            let is_there = answer.is_ok_and(|answer| answer.reels.iter().any(|reel| !reel.chunks.is_empty()));
            assert_eq!(is_there, self.centre.world.now() < minted.deadline.plus_seconds(-600), "of {from} at {at}");
            if is_there {
                self.seen.push(seen(permit, nth, *camera, at));
            }
        }
    }

    /// A permit lives no longer than its holder's approval and the order.
    fn check_held(&self) {
        let permits = self.held.iter().map(|(_, permit)| permit.clone()).collect();
        let alive = self.centre.opened().core.check(&Beat { permits, ..Beat::default() }).unwrap().alive;
        for ((nth, permit), is_alive) in self.held.iter().zip(alive) {
            let is_lawful = self.centre.is_lawful(*nth, self.centre.seconds());
            assert!(is_lawful || !is_alive, "a permit of {} outlives what it rests on: {}", NAMES[*nth], permit.leaf);
        }
    }

    /// The ledger's disk goes away: nobody looks; it returns and the keeper starts again.
    fn ledger_away(&mut self, nth: usize, session: &SessionSecret) {
        self.centre.world.disk.unplug(Path::new("/log"));
        (0..3).for_each(|_| self.look(nth, session, true));
        drop(self.centre.opened().core.tick());
        self.centre.world.disk.plug(Path::new("/log"));
        self.held.clear();
        self.centre.open();
    }

    /// The test's book against the ledger, both ways.
    fn compare(&self) {
        let opened = self.centre.opened();
        let mut looks = BTreeMap::new();
        let mut decisions = BTreeMap::new();
        let journal = opened.core.journal();
        let mut visit = |sealed| {
            let entry = journal.open_entry(&sealed)?;
            match entry.event {
                Event::Look { permit, who, cameras, span, rules, .. } => {
                    assert!(!rules.is_empty(), "entry {} says by which rule", sealed.seq);
                    decisions.insert(sealed.seq, true);
                    looks.insert(sealed.seq, (permit, who, cameras, span, entry.at));
                }
                Event::Refusal { rules, .. } => {
                    assert!(!rules.is_empty(), "entry {} says by which rule", sealed.seq);
                    decisions.insert(sealed.seq, false);
                }
                _ => {}
            }
            Ok(())
        };
        journal.each(0, &mut visit).unwrap();
        let decided: BTreeMap<u64, bool> = self.decided.iter().map(|(leaf, (_, allowed))| (*leaf, *allowed)).collect();
        assert_eq!(decided, decisions, "each decision has one entry, each entry a decision");
        for Seen { leaf, permit, who, camera, view, at } in &self.seen {
            let (of, name, cameras, span, entered) = &looks[leaf];
            assert_eq!((of, &**name.reveal()), (permit, NAMES[*who]));
            assert!(cameras.contains(camera) && *span == replayed(*view), "entry {leaf} names what was seen");
            assert!(*entered <= utc(*at), "entry {leaf} came before the picture");
            assert!(self.centre.is_lawful(*who, entered.seconds() - START), "entry {leaf}");
        }
        opened.check_ledger(self.centre.world.now());
    }
}

fn seen(permit: &Permit, who: usize, camera: CameraId, at: i64) -> Seen {
    Seen { leaf: permit.leaf, permit: permit.id, who, camera, view: permit.view, at }
}

fn replayed(view: View) -> Option<Span> {
    match view {
        View::Live => None,
        View::Replay(span) | View::Export(span) => Some(span),
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

/// A layer that reads nothing would find nothing.
fn prove_that_lines_are_read() {
    let talks = || std::thread::spawn(|| tracing::debug!(who = NAMES[3], "signed in")).join();
    assert!(talks().is_err(), "a name as a field of a line");
    assert!(lines::said_too_much());
    let talks = || std::thread::spawn(|| tracing::trace!("because of: {}", REASONS[0])).join();
    assert!(talks().is_err() && lines::said_too_much(), "a reason within a message");
    tracing::warn!(error = "an older state was restored", "harmless");
    assert!(!lines::said_too_much());
}

#[test]
fn in_a_supervision_centre_every_picture_has_its_entry_every_entry_its_decision_and_no_line_names_anybody() {
    let (days, looks) = (number("VIGIE_YEAR_DAYS", 40) as i64, number("VIGIE_YEAR_LOOKS", 5));
    let centre = Centre::new(days);
    REASONS.into_iter().chain(["trop bref"]).for_each(forbid);
    prove_that_lines_are_read();
    let before = lines::read();
    let mut year = Year {
        centre,
        chance: Chance(number("VIGIE_SEED", 20_261_127)),
        films: VecDeque::new(),
        seen: Vec::new(),
        decided: BTreeMap::new(),
        held: Vec::new(),
        dead: 0,
        unlawful: 0,
        away: 0,
    };
    for day in 0..days {
        year.day(day, looks);
        assert!(!lines::said_too_much(), "on day {day}");
    }
    year.compare();
    let (pictures, decisions, read) = (year.seen.len(), year.decided.len(), lines::read() - before);
    println!(
        "{days} days: {decisions} decisions, {} of them unlawful, {pictures} views; {} refused because the footage is dead, {} while the ledger was \
         away, {read} lines",
        year.unlawful, year.dead, year.away
    );
    let rows = [pictures as u64, year.unlawful, year.dead, year.away, read];
    assert!(rows.iter().all(|count| *count > 0), "each kind came up: {rows:?}");
}
