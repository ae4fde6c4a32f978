//! "Freeze now, the paper follows": what is held is kept exactly, leaves whole under its requisition, and ends by itself (K12, RET-06).

use crate::{
    export::{Desk, text},
    reviews::{AccountHolder, Town},
    support::*,
};
use disk::{Disk, Fault, FaultyDisk, Happened};
use domain::{HoldEnd, HoldId, ReelId, RequisitionFacts, RequisitionId, Role, StreamId, UtcMicros, Window};
use keeper::wire::{
    FindingState, ScanPart,
    exports::{ExportQuestion, ExportView},
    holds::{HoldAnswer, HoldAsk, HoldQuestion, HoldView},
};
use ledger::Event;
use std::{collections::BTreeMap, io::ErrorKind, path::Path, sync::Arc};
use vault::{
    Keeper, KeeperError,
    hold::{Gathered, Gathering, HeldKeeper, HeldReel, HoldError, Reserve},
    keeper::{Beat, HeldJob, HeldQuery, Permit, WrapQuery},
    replay::{Replay, ReplayError},
};

const RESERVE: &str = "/reserve";
pub const SCAN: &[u8] = b"%PDF-1.4 a requisition";

impl Desk {
    fn hold_asks(&self, question: HoldQuestion) -> Result<HoldAnswer, KeeperError> {
        self.town.opened.core.hold_question(question)
    }

    fn hold_ask(&self, windows: Vec<Window>, requisition: Option<RequisitionId>) -> HoldAsk {
        let (requester, reason) = (text("commissariat"), text("une agression ce matin"));
        HoldAsk { session: self.first.session.clone(), requester, reason, windows, requisition }
    }

    pub fn holds(&self, windows: Vec<Window>, requisition: Option<RequisitionId>) -> HoldView {
        match self.hold_asks(HoldQuestion::Open(Box::new(self.hold_ask(windows, requisition)))).unwrap() {
            HoldAnswer::Opened(view) => *view,
            other => panic!("{other:?}"),
        }
    }

    fn all_holds(&self, person: &AccountHolder) -> Vec<HoldView> {
        match self.hold_asks(HoldQuestion::List { session: person.session.clone() }).unwrap() {
            HoldAnswer::Holds(views) => views,
            other => panic!("{other:?}"),
        }
    }

    fn reserve(&self, bytes_max: u64) -> Reserve {
        let disk: Arc<dyn Disk> = Arc::new(self.town.world.disk.clone());
        Reserve::open(disk, Path::new(RESERVE), SITE, bytes_max, &*self.town.world.random).unwrap()
    }

    fn jobs(&self) -> Vec<HeldJob> {
        let beat = Beat { health: "{}".into(), ..Beat::default() };
        self.town.opened.core.check(&beat).unwrap().holds.expect("a word of all holds")
    }

    fn gather(&self, reserve: &Reserve) -> Result<Vec<Gathered>, HoldError> {
        self.jobs().iter().filter(|job| !job.is_kept).map(|job| self.gathers(reserve, job)).collect()
    }

    fn gathers(&self, reserve: &Reserve, job: &HeldJob) -> Result<Gathered, HoldError> {
        let locate = |stream, span: domain::Span| {
            let earlier = domain::Span::new(span.from().plus_seconds(-60), span.to()).unwrap();
            Ok(self.locate(stream, earlier))
        };
        let keeper: &dyn Keeper = &*self.town.opened.core;
        let (store, now, is_partial) = (&*self.store, self.town.world.now(), false);
        let gathering = Gathering { reserve, store, keeper, locate: &locate, now, is_partial, go_on: &|_| true };
        gathering.copy(job, gathering.wrap(job)?)
    }

    /// A requisition whose scan is there, so that it is complete also when a day has passed.
    pub fn registers_in_writing(&self) -> RequisitionId {
        self.registers(RequisitionFacts { scan: Some(self.sends_scan()), ..self.draft() })
    }

    /// Its digest.
    pub fn sends_scan(&self) -> [u8; 32] {
        let session = self.first.session.clone();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, SCAN);
        let digest: [u8; 32] = digest.as_ref().try_into().unwrap();
        let part = ScanPart {
            digest,
            total_bytes: SCAN.len() as u64,
            offset: 0,
            bytes: domain::Sensitive::new(SCAN.to_vec()),
        };
        self.asks(ExportQuestion::Scan { session, part }).unwrap();
        digest
    }

    /// Until the hour of camera 1 is dead, and somebody who signs in then.
    fn after_its_deadline(&self) -> AccountHolder {
        for _ in 0..2 {
            self.town.world.clock.pass(DAY);
            self.town.opened.core.tick().unwrap();
        }
        let late = self.a_day_later();
        self.town.opened.core.tick().unwrap();
        late
    }

    pub fn pass_to(&self, at: UtcMicros) {
        let micros = at.since(self.town.world.now());
        assert!(0 <= micros);
        self.town.world.clock.pass_micros(micros);
    }

    fn lives(&self, camera_number: u8) -> bool {
        let page = self.town.opened.keyring.page(hour(0)).unwrap();
        page.is_some_and(|page| page.cameras.contains_key(&camera(camera_number)))
    }

    /// The package of an export whose footage is held.
    fn held_package(&self, view: &ExportView, hold: HoldId, reserve: &Reserve) -> crate::export::Package {
        self.package_by(view, &|permit, window, export| {
            let stream = StreamId::main(window.camera);
            let held = reserve.of(hold, stream, window.span).unwrap();
            let located = held.iter().map(|held| held.located.clone()).collect();
            let keeper = HeldKeeper { keeper: &*self.town.opened.core, hold, held: &held };
            export(Replay::new(&keeper, &reserve.store, permit, stream, window.span, located))
        })
    }
}

fn events(desk: &Desk) -> Vec<Event> {
    desk.town.opened.entries().into_iter().map(|entry| entry.event).collect()
}

#[test]
fn held_footage_leaves_whole_when_its_own_hour_is_long_dead_and_nothing_else_of_the_hour_opens() {
    let mut desk = Desk::new(601);
    let requisition = desk.registers_in_writing();
    let window = desk.window(1, 21, 81);
    let hold = desk.holds(vec![window], Some(requisition)).hold;
    let reserve = desk.reserve(1 << 30);
    let gathered = desk.gather(&reserve).unwrap();
    assert!(!gathered[0].waits && gathered[0].reels == 2 && gathered[0].bytes > 20_000, "{gathered:?}");
    assert!(desk.jobs()[0].is_kept && desk.gather(&reserve).unwrap().is_empty(), "once");
    desk.first = desk.after_its_deadline();
    assert!(!desk.lives(1) && desk.lives(2), "the hour's own key died in time");
    let view = desk.opens(requisition, vec![window]);
    let (of_window, permit) = desk.permits(&view).remove(0);
    let dead = desk.replay(permit.clone(), &of_window).next_reel();
    assert!(matches!(dead, Err(ReplayError::Keeper(KeeperError::Closed { .. }))));
    let package = desk.held_package(&view, hold, &reserve);
    let verdict = desk.verdict(&package);
    assert_eq!(verdict.findings, []);
    let told = verdict.told.unwrap();
    assert!((61 * 12..=62 * 12 + 12 * 12).contains(&told.pictures), "{}", told.pictures);
    assert_eq!(told.manifest.cameras[0].movies[0].first, desk.from.plus_seconds(20));
    // no key of anything else: a wider span, another hold, no paper
    let wide = desk.window(1, 0, 100).span;
    let held = reserve.of(hold, StreamId::main(window.camera), window.span).unwrap();
    let reels: Vec<_> = held.into_iter().map(|held| held.wrapped).collect();
    let asks = |hold, span, permit: Permit| {
        let stream = StreamId::main(window.camera);
        desk.town.opened.core.held_keys(&HeldQuery { permit, hold, stream, span, reels: reels.clone() })
    };
    assert_eq!(asks(hold, wide, permit.clone()).unwrap_err(), KeeperError::NoPermit);
    assert_eq!(asks(HoldId([9; 16]), window.span, permit.clone()).unwrap_err(), KeeperError::NoPermit);
    assert!(asks(hold, window.span, permit).is_ok());
}

#[test]
fn without_a_requisition_a_hold_ends_with_the_footage_and_says_so() {
    let desk = Desk::new(602);
    let view = desk.holds(vec![desk.window(1, 21, 81)], None);
    let reserve = desk.reserve(1 << 30);
    desk.gather(&reserve).unwrap();
    let closes = view.hours[0].dies;
    desk.pass_to(closes.plus_micros(-1));
    desk.town.opened.core.tick().unwrap();
    assert_eq!(desk.town.opened.keyring.holds().len(), 1, "not a moment earlier");
    desk.town.world.clock.pass_micros(1);
    desk.town.opened.core.tick().unwrap();
    assert_eq!(desk.town.opened.keyring.holds().len(), 0);
    let told: Vec<Event> = events(&desk).into_iter().rev().take(8).collect();
    assert!(
        told.iter()
            .any(|event| matches!(event, Event::HoldEnded { why: HoldEnd::Deadline, hours, .. } if hours.len() == 1))
    );
    assert!(told.iter().any(|event| matches!(event, Event::HoldDestroyed { copies: 2, .. })));
    assert_eq!(reserve.keep_only(&desk.jobs()).unwrap(), 2);
    assert_eq!((reserve.all().unwrap().len(), reserve.used().unwrap()), (0, 0));
    assert_eq!(desk.town.world.disk.list(&Path::new(RESERVE).join("slots")).unwrap(), Vec::<String>::new());
    // and no requisition brings it back
    let late = desk.a_day_later();
    let requisition = desk.registers_as(&late, desk.draft());
    let bind = HoldQuestion::Bind { session: late.session.clone(), hold: view.hold, requisition };
    assert!(matches!(desk.hold_asks(bind), Err(KeeperError::Malformed { .. })));
    let ended = &desk.all_holds(&late)[0];
    assert_eq!((ended.ended.unwrap().1, ended.is_destroyed), (HoldEnd::Deadline, true));
    let certificate = ended.certificate.as_ref().unwrap().0.join(" ");
    for said in ["G-0001", "commissariat", "L252-5", &format!("entrées {} (gel)", view.says.leaf)] {
        assert!(certificate.contains(said), "{said}: {certificate}");
    }
}

#[test]
fn a_hold_that_comes_a_second_before_closing_keeps_the_pictures_and_nobody_looks_meanwhile() {
    let mut desk = Desk::new(603);
    let requisition = desk.registers_in_writing();
    let window = desk.window(1, 21, 81);
    let closes = policy::retention::closes_at(
        desk.town.opened.keyring.page(hour(0)).unwrap().unwrap().cameras[&camera(1)].deadline,
    );
    for _ in 0..2 {
        desk.town.world.clock.pass(DAY);
        desk.town.opened.core.tick().unwrap();
    }
    desk.pass_to(closes.plus_seconds(-200));
    desk.first = desk.signs_in_anew("garde");
    desk.pass_to(closes.plus_seconds(-1));
    let hold = desk.holds(vec![window], Some(requisition)).hold;
    desk.town.world.clock.pass(2);
    desk.town.opened.core.tick().unwrap();
    assert!(desk.lives(1), "its key waits for the hold");
    let stream = StreamId::main(window.camera);
    let part = desk.reel_part(stream, window.span);
    let wider = WrapQuery { hold, stream, span: desk.window(1, 0, 100).span, parts: vec![part] };
    assert!(desk.town.opened.core.wrap(&wider).is_err(), "for nothing but what is held");
    let reserve = desk.reserve(1 << 30);
    desk.gather(&reserve).unwrap();
    desk.town.opened.core.tick().unwrap();
    assert!(!desk.lives(1), "and no longer");
    let view = desk.opens(requisition, vec![window]);
    let package = desk.held_package(&view, hold, &reserve);
    assert_eq!(desk.verdict(&package).findings, []);
}

#[test]
fn a_hold_that_nobody_gathers_lets_the_hour_die_before_its_deadline() {
    let desk = Desk::new(604);
    desk.holds(vec![desk.window(1, 21, 81)], None);
    let deadline = desk.town.opened.keyring.page(hour(0)).unwrap().unwrap().cameras[&camera(1)].deadline;
    desk.pass_to(policy::retention::closes_at(deadline).plus_seconds(domain::limit::HOLD_GATHER_SECONDS_MAX));
    desk.town.opened.core.tick().unwrap();
    assert!(!desk.lives(1) && desk.town.world.now() < deadline);
}

#[test]
fn an_order_that_erases_ends_a_hold_without_a_paper_and_no_other() {
    let desk = Desk::new(609);
    let requisition = desk.registers_in_writing();
    let window = desk.window(1, 21, 81);
    let bound = desk.holds(vec![window], Some(requisition)).hold;
    let unbound = desk.holds(vec![window], None).hold;
    desk.gather(&desk.reserve(1 << 30)).unwrap();
    // an erasure is of hours that are over
    desk.pass_to(hour(1).start().plus_seconds(60));
    desk.town.opened.core.order_erasure(ledger::Actor::Cli { uid: 0 }, camera(1)).unwrap();
    desk.town.opened.core.tick().unwrap();
    assert!(!desk.lives(1));
    let left: Vec<HoldId> = desk.town.opened.keyring.holds().into_keys().map(|(hold, _)| hold).collect();
    assert_eq!(left, [bound]);
    let ended = desk.all_holds(&desk.first).into_iter().find(|view| view.hold == unbound).unwrap();
    assert_eq!(ended.ended.map(|(_, why)| why), Some(HoldEnd::Deadline));
}

#[test]
fn a_camera_whose_hours_die_earlier_ends_no_hour_of_a_hold_in_which_it_is_not_held() {
    // camera 1 dies after three days, camera 2 after seven; both have the first hour, the hold has it of camera 2 only
    let mut desk = Desk::new(611);
    desk.town.opened.mint(1, &[1]);
    desk.pass_to(hour(1).start().plus_seconds(600));
    desk.first = desk.signs_in_anew("garde");
    let span = domain::Span::new(hour(1).start().plus_seconds(60), hour(1).start().plus_seconds(120)).unwrap();
    desk.holds(vec![desk.window(2, 0, 50), Window { camera: camera(1), span }], None);
    desk.gather(&desk.reserve(1 << 30)).unwrap();
    for _ in 0..4 {
        desk.town.world.clock.pass(DAY);
        desk.town.opened.core.tick().unwrap();
    }
    assert!(!desk.lives(1) && desk.lives(2));
    let left: Vec<_> = desk.town.opened.keyring.holds().into_keys().map(|(_, held)| held).collect();
    assert_eq!(left, [hour(0)]);
}

/// Each step of gathering, and of leaving the reserve, fails in each way on the reserve's own disk; at the next turn it is done.
#[test]
fn whatever_step_of_gathering_fails_what_is_held_lies_in_the_reserve_whole_at_the_next_turn() {
    let desk = Desk::new(612);
    desk.holds(vec![desk.window(1, 21, 81)], None);
    let jobs = desk.jobs();
    let open = |disk: &FaultyDisk| {
        Reserve::open(Arc::new(disk.clone()), Path::new(RESERVE), SITE, 1 << 30, &*desk.town.world.random)
    };
    let turn = |disk: &FaultyDisk, jobs: &[HeldJob]| -> Result<(), HoldError> {
        let reserve = open(disk)?;
        reserve.keep_only(jobs)?;
        jobs.iter().try_for_each(|job| desk.gathers(&reserve, job).map(drop))
    };
    // what lies in the slots, by reel and digest: the same bytes however they came there
    let lies = |disk: &FaultyDisk| -> BTreeMap<ReelId, String> {
        let reserve = open(disk).unwrap();
        let held = reserve.all().unwrap();
        assert!(held.iter().all(|held| held.is_here));
        let digest = |held: &HeldReel| {
            let bytes = reserve.store.read(&held.located.location, 0, held.bytes).unwrap();
            format!("{} bytes, {}", bytes.len(), blake3::hash(&bytes).to_hex())
        };
        held.iter().map(|held| (held.located.reel, digest(held))).collect()
    };
    let whole = FaultyDisk::new(1);
    open(&whole).unwrap();
    let first = whole.steps();
    turn(&whole, &jobs).unwrap();
    let (expected, gathered) = (lies(&whole), whole.steps());
    turn(&whole, &[]).unwrap();
    let left = whole.steps();
    assert!(expected.len() == 2 && first + 10 < gathered && gathered + 3 < left, "{first} {gathered} {left}");
    let faults = |steps: u64| (0..steps).flat_map(|step| FAULTS.map(|fault| (step, fault)));
    for (step, fault) in faults(gathered - first) {
        let disk = FaultyDisk::new(2 + step);
        open(&disk).unwrap();
        disk.plan(disk.steps() + step, fault);
        drop(turn(&disk, &jobs));
        disk.reboot();
        turn(&disk, &jobs).unwrap_or_else(|error| panic!("step {step}, {fault:?}: {error}"));
        assert_eq!(lies(&disk), expected, "step {step}, {fault:?}");
    }
    for (step, fault) in faults(left - gathered) {
        let disk = FaultyDisk::new(2 + step);
        turn(&disk, &jobs).unwrap();
        disk.plan(disk.steps() + step, fault);
        drop(turn(&disk, &[]));
        disk.reboot();
        turn(&disk, &[]).unwrap_or_else(|error| panic!("leaving, step {step}, {fault:?}: {error}"));
        assert_eq!(lies(&disk), BTreeMap::new());
        assert_eq!(disk.list(&Path::new(RESERVE).join("slots")).unwrap(), Vec::<String>::new(), "{step}, {fault:?}");
    }
}

#[test]
fn what_is_held_stays_in_its_slots_until_the_reserve_has_it() {
    let desk = Desk::new(605);
    let requisition = desk.registers_in_writing();
    desk.holds(vec![desk.window(1, 21, 81)], Some(requisition));
    let small = desk.reserve(1_000);
    let full = desk.gather(&small).unwrap_err();
    assert!(matches!(full, HoldError::Full { used: 0, max: 1_000, .. }), "{full}");
    desk.after_its_deadline();
    assert!(!desk.lives(1), "its keys are wrapped: the hour's died in time");
    let dead = |desk: &Desk| desk.town.opened.core.check(&Beat::default()).unwrap().dead;
    assert_eq!(dead(&desk), [], "and its bytes wait");
    desk.gather(&desk.reserve(1 << 30)).unwrap();
    assert_eq!(dead(&desk).len(), 1);
}

#[test]
fn what_waits_for_the_reserve_is_an_alarm_after_a_quarter_of_an_hour() {
    let desk = Desk::new(609);
    let finding = |desk: &Desk| {
        let findings = desk.town.opened.core.health().unwrap().findings;
        findings.into_iter().find(|finding| finding.id == "holds-kept")
    };
    assert!(finding(&desk).is_none(), "nothing is held");
    desk.holds(vec![desk.window(1, 21, 81)], None);
    assert_eq!(finding(&desk).unwrap().state, FindingState::Ok, "it is on its way");
    desk.gather(&desk.reserve(1_000)).unwrap_err();
    desk.town.world.clock.pass(15 * 60 + 1);
    let waits = finding(&desk).unwrap();
    assert_eq!(waits.state, FindingState::Alarm);
    assert!(
        waits.detail_fr.starts_with("Gel(s) n° 1 :") && waits.detail_en.contains("store.holds_percent"),
        "{waits:?}"
    );
    desk.gather(&desk.reserve(1 << 30)).unwrap();
    assert_eq!(finding(&desk).unwrap().state, FindingState::Ok, "the reserve has it");
}

#[test]
fn a_hold_ends_when_its_package_is_handed_over_when_nobody_collects_it_and_when_it_is_lifted() {
    let mut desk = Desk::new(606);
    let requisition = desk.registers_in_writing();
    let window = desk.window(1, 21, 81);
    let [delivered, uncollected] = [0, 1].map(|_| desk.holds(vec![window], Some(requisition)).hold);
    let other = desk.holds(vec![desk.window(2, 0, 50)], Some(requisition)).hold;
    let lifted = desk.holds(vec![window], None).hold;
    let reserve = desk.reserve(1 << 30);
    desk.gather(&reserve).unwrap();
    let session = desk.first.session.clone();
    desk.hold_asks(HoldQuestion::Lift { session: session.clone(), hold: lifted }).unwrap();
    assert!(desk.hold_asks(HoldQuestion::Lift { session, hold: lifted }).is_err(), "once");
    let late = desk.after_its_deadline();
    desk.first = late;
    let view = desk.opens(requisition, vec![window]);
    desk.held_package(&view, delivered, &reserve);
    let (session, handed) = (desk.first.session.clone(), Box::new(crate::export::delivery(&desk, &view)));
    desk.asks(ExportQuestion::Deliver { session, requisition, delivery: handed }).unwrap();
    let why = |desk: &Desk, hold: HoldId| {
        let views = desk.all_holds(&desk.first);
        views.iter().find(|view| view.hold == hold).unwrap().ended.map(|(_, why)| why)
    };
    assert_eq!(why(&desk, lifted), Some(HoldEnd::Lifted));
    assert_eq!(why(&desk, delivered), Some(HoldEnd::Delivered));
    assert_eq!(why(&desk, uncollected), Some(HoldEnd::Delivered), "all that waited for that requisition's window");
    assert_eq!(why(&desk, other), None, "what was not handed over waits");
    for _ in 0..domain::limit::HOLD_DAYS {
        desk.town.world.clock.pass(DAY);
        desk.town.opened.core.tick().unwrap();
    }
    desk.first = desk.signs_in_anew("adjointe");
    assert_eq!(why(&desk, other), Some(HoldEnd::Uncollected));
    assert_eq!(desk.town.opened.keyring.holds().len(), 0);
}

#[test]
fn a_hold_is_bound_only_to_a_requisition_that_asks_for_all_of_it_and_made_by_who_may() {
    let desk = Desk::new(607);
    let requisition = desk.registers(desk.draft());
    let wide = desk.holds(vec![desk.window(2, 0, 100)], None).hold;
    let session = desk.first.session.clone();
    let bind = |hold| desk.hold_asks(HoldQuestion::Bind { session: session.clone(), hold, requisition }).unwrap();
    let refused = |answer| match answer {
        HoldAnswer::Refused(refused) => refused.reasons[0].rule.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(bind(wide)), "hold-only-what-is-asked");
    let narrow = desk.holds(vec![desk.window(2, 0, 50)], None);
    assert!(matches!(bind(narrow.hold), HoldAnswer::Done));
    let now = desk.all_holds(&desk.first).into_iter().find(|view| view.hold == narrow.hold).unwrap();
    assert!(narrow.hours[0].dies < now.hours[0].dies && now.requisition.unwrap().0 == requisition);
    // a line that names nobody who asks by any right prolongs nothing
    let bare = desk.registers(RequisitionFacts { genuine: None, procedure: String::new(), ..desk.draft() });
    let asked = desk.hold_ask(vec![desk.window(1, 0, 50)], Some(bare));
    let answer = desk.hold_asks(HoldQuestion::Open(Box::new(asked))).unwrap();
    assert_eq!(refused(answer), "hold-requisition-incomplete");
    // nothing is there, not recorded yet, no reason
    let open = |ask: HoldAsk| desk.hold_asks(HoldQuestion::Open(Box::new(ask)));
    let gone = open(desk.hold_ask(vec![desk.window(3, 0, 50)], None)).unwrap();
    assert_eq!(refused(gone), "hold-footage-is-gone");
    let future = open(desk.hold_ask(vec![desk.window(1, 0, 4_000)], None));
    let mute = open(HoldAsk { reason: text("bref"), ..desk.hold_ask(vec![desk.window(1, 0, 50)], None) });
    for wrong in [future, mute] {
        assert!(matches!(wrong, Err(KeeperError::Malformed { .. })));
    }
    for role in [Role::Operator, Role::Administrator, Role::Dpo] {
        let person = desk.town.person(role.name(), role);
        let ask = HoldAsk { session: person.session, ..desk.hold_ask(vec![desk.window(1, 0, 50)], None) };
        assert!(matches!(open(ask), Err(KeeperError::Forbidden { .. })), "{role:?}");
    }
}

const FAULTS: [Fault; 4] = [
    Fault::Error(Happened::No, ErrorKind::StorageFull),
    Fault::Error(Happened::Yes, ErrorKind::TimedOut),
    Fault::PowerCut(Happened::No),
    Fault::PowerCut(Happened::Yes),
];

/// What stands by the ledger's word, and how often it says that a hold ended and that its keys are dead.
fn told(opened: &Opened) -> (Vec<HoldId>, usize, usize) {
    let events: Vec<Event> = opened.entries().into_iter().map(|entry| entry.event).collect();
    let count = |which: fn(&Event) -> bool| events.iter().filter(|event| which(event)).count();
    let ended = count(|event| matches!(event, Event::HoldEnded { .. }));
    let destroyed = count(|event| matches!(event, Event::HoldDestroyed { .. }));
    let beat = Beat { health: "{}".into(), ..Beat::default() };
    let jobs = opened.core.check(&beat).unwrap().holds.unwrap();
    (jobs.into_iter().map(|job| job.hold).collect(), ended, destroyed)
}

/// Runs `act` in forks of a world, with each fault at each of its steps; then the machine starts again. `check` sees what is left,
/// and whether the act was acknowledged.
pub fn crash(world: &World, act: &dyn Fn(&Opened) -> bool, check: &dyn Fn(&Opened, bool, &str)) {
    let fork = |seed| {
        let fork = world.fork(seed);
        let opened = fork.open();
        (fork, opened)
    };
    let (whole, opened) = fork(1);
    let first = whole.disk.steps();
    assert!(act(&opened));
    let last = whole.disk.steps();
    assert!(first < last, "{first} {last}");
    for (step, fault) in (0..last - first).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        let what = format!("step {step} of {}, {fault:?}", last - first);
        let (fork, opened) = fork(2 + step);
        fork.disk.plan(fork.disk.steps() + step, fault);
        let acknowledged = act(&opened);
        drop(opened);
        fork.disk.reboot();
        let opened = fork.open();
        opened.core.tick().unwrap();
        check(&opened, acknowledged, &what);
        drop(opened);
        let (again, size) = (fork.open(), told(&fork.open()));
        again.core.tick().unwrap();
        assert_eq!(told(&again), size, "one more start, nothing to do: {what}");
    }
}

#[test]
fn a_hold_is_made_and_ended_whole_whatever_the_disk_does_at_whichever_step() {
    let town = Town::new(608);
    let person = town.person("brigadier", Role::MunicipalPolice);
    town.opened.mint(0, &[1]);
    let Town { world, opened, served } = town;
    let span = domain::Span::new(utc(60), utc(70)).unwrap();
    let windows = vec![Window { camera: camera(1), span }];
    let open = |opened: &Opened| {
        let (requester, reason) = (text("commissariat"), text("une agression ce matin"));
        let (session, windows, requisition) = (person.session.clone(), windows.clone(), None);
        let ask = HoldAsk { session, requester, reason, windows, requisition };
        opened.core.hold_question(HoldQuestion::Open(Box::new(ask))).is_ok()
    };
    crash(&world, &open, &|opened, acknowledged, what| {
        let (standing, ended, _) = told(opened);
        assert!(ended == 0 && (standing.len() == 1 || standing.is_empty() && !acknowledged), "{what}");
        for hold in &standing {
            // the recorder asks for as long as it stands
            let query = WrapQuery { hold: *hold, stream: stream(1), span, parts: vec![] };
            opened.core.wrap(&query).unwrap();
        }
        let keys: Vec<HoldId> = opened.keyring.holds().into_keys().map(|(hold, _)| hold).collect();
        assert_eq!(keys, standing, "{what}");
    });
    assert!(open(&opened));
    let hold = told(&opened).0[0];
    drop((served, opened));
    let lift = |opened: &Opened| {
        let session = person.session.clone();
        opened.core.hold_question(HoldQuestion::Lift { session, hold }).is_ok()
    };
    let is_whole = |opened: &Opened, acknowledged: bool, what: &str| {
        let keys: Vec<HoldId> = opened.keyring.holds().into_keys().map(|(hold, _)| hold).collect();
        match told(opened) {
            (standing, 0, 0) => assert!(!acknowledged && standing == [hold] && keys == [hold], "{what}"),
            (standing, 1, 1) => assert!(standing.is_empty() && keys.is_empty(), "{what}"),
            other => panic!("{other:?}: {what}"),
        }
    };
    crash(&world, &lift, &is_whole);
    let dies = world.open().keyring.holds().values().map(|key| key.dies).min().unwrap();
    world.clock.pass_micros(dies.since(world.now()));
    let tick = |opened: &Opened| {
        let acknowledged = opened.core.tick().is_ok();
        acknowledged && opened.keyring.confirmed()
    };
    crash(&world, &tick, &is_whole);
}
