//! One honest log, and for every fault the smallest dishonesty that produces it.

use super::*;
use crate::calendar::Month;
use crate::checkpoint::{CheckpointSigner, origin};
use crate::commitment::commit;
use crate::entry::{Actor, Condemnation, LogId, MintedKey};
use crate::tree::root_of;
use domain::{CameraId, Hour, HourLength, ReelId, RunId, Secret32, Sensitive, SiteId};

const SITE: SiteId = SiteId([1; 16]);
const LOG: LogId = LogId([2; 16]);
const CAMERA: CameraId = CameraId([3; 16]);
const OTHER: CameraId = CameraId([4; 16]);
const RUN: RunId = RunId([5; 16]);
const REEL: ReelId = ReelId([6; 16]);
const PERMIT: PermitId = PermitId([7; 16]);
const ROOT: Digest = Digest([8; 32]);
const HOUR_SECONDS: i64 = 3_600;

fn hour() -> Hour {
    HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(1_773_324_000))
}

fn start() -> UtcMicros {
    hour().start()
}

fn deadline() -> UtcMicros {
    start().plus_seconds(10 * HOUR_SECONDS)
}

fn signer() -> CheckpointSigner {
    CheckpointSigner::new(&origin(SITE, LOG), &Secret32::new([9; 32])).unwrap()
}

fn opened() -> Event {
    Event::Opened { site: SITE, log: LOG }
}

fn mint(cameras: &[(CameraId, UtcMicros)]) -> Event {
    Event::Mint { hour: hour(), cameras: keys(cameras) }
}

fn shortened(cameras: &[(CameraId, UtcMicros)]) -> Event {
    Event::Shortened { hour: hour(), cameras: keys(cameras) }
}

fn keys(cameras: &[(CameraId, UtcMicros)]) -> Vec<MintedKey> {
    cameras.iter().map(|&(camera, deadline)| MintedKey { camera, deadline }).collect()
}

fn condemned(cameras: &[CameraId]) -> Event {
    Event::Condemned { hour: hour(), cameras: cameras.to_vec(), why: Condemnation::Deadline }
}

fn destroyed(cameras: &[CameraId]) -> Event {
    Event::Destroyed { hour: hour(), cameras: cameras.to_vec(), generation: 1, custodian: "file".into(), copies: 2 }
}

fn tombstone() -> Event {
    Event::Tombstone { hour: hour(), reels: vec![REEL], residual: vec![] }
}

fn reel(deadline: UtcMicros) -> Event {
    Event::Reel { reel: REEL, run: RUN, hour: hour(), deadline, root: ROOT, bytes: 1, streams: 1 }
}

fn recorder_hour(reels: u32, root: Digest) -> Event {
    Event::RecorderHour { run: RUN, hour: hour(), reels, root }
}

/// Opening, then the life of one camera's hour from its mint to its tombstone.
fn honest() -> Vec<Event> {
    let life = [opened(), mint(&[(CAMERA, deadline())]), reel(deadline()), recorder_hour(1, root_of(&[ROOT]))];
    life.into_iter().chain([condemned(&[CAMERA]), destroyed(&[CAMERA]), tombstone(), Event::Dummy]).collect()
}

fn record_at(seq: u64, at: UtcMicros, event: Event) -> Record {
    let details = Entry::new(at, Actor::Schedule, event).to_details().unwrap();
    let salt = [seq as u8; 16];
    Record { seq, commitment: commit(&salt, &details), details: Details::Opened { salt, details } }
}

/// One entry a second from the start of the hour.
fn records(events: Vec<Event>) -> Vec<Record> {
    (0u64..).zip(events).map(|(seq, event)| record_at(seq, start().plus_seconds(seq as i64), event)).collect()
}

fn verdict_on(records: &[Record], notes: &[Vec<u8>], now: UtcMicros) -> Report {
    verify(records.to_vec(), notes, &signer().public(), now)
}

/// The verdict before any deadline.
fn verdict(events: Vec<Event>) -> Report {
    verdict_on(&records(events), &[], start())
}

/// Checks that a log of these events has exactly these faults.
#[track_caller]
fn check_faults(events: Vec<Event>, expected: &[Fault]) {
    assert_eq!(verdict(events).faults, expected);
}

fn key() -> KeyName {
    KeyName { hour: hour(), camera: CAMERA }
}

fn checkpoint(records: &[Record]) -> Vec<u8> {
    let root = root_of(records.iter().map(|record| &record.commitment));
    signer().sign(Checkpoint { size: records.len() as u64, root }).unwrap()
}

#[test]
fn an_honest_log_holds() {
    let records = records(honest());
    let notes = [checkpoint(&records[..3]), checkpoint(&records[..7])];
    let report = verdict_on(&records, &notes, deadline());
    assert_eq!(report.faults, []);
    assert!(report.holds() && report.late.is_empty());
    let counts = (report.entries, report.dummies, report.closed, report.checkpoints, report.unsigned);
    assert_eq!(counts, (8, 1, 0, 2, 1));
    assert_eq!((report.mints, report.destroyed, report.live), (1, 1, 0));
    assert_eq!(report.root, root_of(records.iter().map(|record| &record.commitment)));
}

#[test]
fn a_key_lives_until_its_deadline_and_is_overdue_from_then() {
    let records = records(vec![opened(), mint(&[(CAMERA, deadline()), (OTHER, deadline().plus_micros(1))])]);
    let before = verdict_on(&records, &[], deadline().plus_micros(-1));
    assert_eq!((before.live, before.overdue), (2, vec![]));
    let at = verdict_on(&records, &[], deadline());
    assert_eq!((at.live, at.overdue.clone()), (1, vec![key()]));
    assert!(!at.holds());
}

#[test]
fn a_shortened_key_is_overdue_from_its_new_deadline() {
    let sooner = start().plus_seconds(HOUR_SECONDS);
    let events = vec![opened(), mint(&[(CAMERA, deadline())]), shortened(&[(CAMERA, sooner)])];
    assert_eq!(verdict_on(&records(events), &[], sooner).overdue, [key()]);
}

#[test]
fn a_condemned_key_is_not_dead() {
    let events = vec![opened(), mint(&[(CAMERA, deadline())]), condemned(&[CAMERA])];
    assert_eq!(verdict_on(&records(events), &[], deadline()).overdue, [key()]);
}

#[test]
fn a_destruction_after_the_deadline_is_named_late() {
    let mut records = records(vec![opened(), mint(&[(CAMERA, deadline())]), condemned(&[CAMERA])]);
    let destroyed_at = deadline().plus_seconds(1);
    records.push(record_at(3, destroyed_at, destroyed(&[CAMERA])));
    let report = verdict_on(&records, &[], destroyed_at);
    assert_eq!(report.late, [Late { key: key(), deadline: deadline(), destroyed_at }]);
    assert!(report.holds());
}

#[test]
fn what_a_crash_makes_happen_twice_is_no_fault() {
    let mut events = honest();
    for (at, event) in
        [(2, honest()[1].clone()), (4, reel(deadline())), (7, condemned(&[CAMERA])), (8, destroyed(&[CAMERA]))]
    {
        events.insert(at, event);
    }
    let report = verdict(events);
    assert_eq!((report.faults, report.mints, report.destroyed), (vec![], 1, 1));
}

#[test]
fn a_missing_entry_is_found() {
    let mut records = records(honest());
    records.remove(7);
    records.push(record_at(8, start(), Event::Dummy));
    assert_eq!(verdict_on(&records, &[], start()).faults, [Fault::EntryMissing { expected: 7, found: 8 }]);
}

#[test]
fn a_checkpoint_of_another_log_is_found() {
    let other = CheckpointSigner::new("vigie/other", &Secret32::new([9; 32])).unwrap();
    let note = other.sign(Checkpoint { size: 0, root: ROOT }).unwrap();
    let report = verdict_on(&records(honest()), &[note], start());
    assert!(matches!(report.faults[..], [Fault::CheckpointUnreadable { nth: 0, .. }]), "{:?}", report.faults);
}

#[test]
fn entries_taken_away_are_found_by_a_checkpoint() {
    let records = records(honest());
    let report = verdict_on(&records[..7], &[checkpoint(&records)], start());
    assert_eq!(report.faults, [Fault::CheckpointBeyondLog { size: 8, entries: 7 }]);
}

#[test]
fn a_changed_past_is_found_by_a_checkpoint() {
    let records = records(honest());
    let mut changed = records.clone();
    changed[7] = record_at(7, start(), Event::Config { what: "another past".into() });
    let [signed, found] = [&records, &changed].map(|log| root_of(log.iter().map(|record| &record.commitment)));
    let report = verdict_on(&changed, &[checkpoint(&records)], start());
    assert_eq!(report.faults, [Fault::RootDiffers { size: 8, signed, found }]);
}

#[test]
fn a_log_that_signed_two_pasts_is_found() {
    let records = records(honest());
    let mut other = records.clone();
    other[7] = record_at(7, start(), Event::Config { what: "another past".into() });
    let report = verdict_on(&records, &[checkpoint(&records), checkpoint(&other)], start());
    assert_eq!((report.checkpoints, report.faults.len()), (1, 1));
    assert!(matches!(report.faults[0], Fault::RootDiffers { size: 8, .. }));
}

#[test]
fn details_that_do_not_open_are_found() {
    let mut records = records(honest());
    records[7].details = Details::Unreadable;
    assert_eq!(verdict_on(&records, &[], start()).faults, [Fault::DetailsUnreadable { seq: 7 }]);
}

#[test]
fn details_other_than_those_committed_to_are_found() {
    let mut records = records(honest());
    records[7].details = Details::Opened { salt: [0; 16], details: b"{}".to_vec() };
    assert_eq!(verdict_on(&records, &[], start()).faults, [Fault::NotCommitted { seq: 7 }]);
}

#[test]
fn details_that_are_no_entry_are_found() {
    let mut records = records(honest());
    let (salt, details) = ([7; 16], br#"{"format":99}"#.to_vec());
    records[7] = Record { seq: 7, commitment: commit(&salt, &details), details: Details::Opened { salt, details } };
    let faults = verdict_on(&records, &[], start()).faults;
    assert!(matches!(&faults[..], [Fault::NoEntry { seq: 7, why }] if why.contains("99")), "{faults:?}");
}

#[test]
fn a_log_without_opening_is_found() {
    check_faults(vec![Event::Dummy], &[Fault::NotOpened]);
}

#[test]
fn a_log_opened_twice_is_found() {
    check_faults(vec![opened(), opened()], &[Fault::OpenedAgain { seq: 1 }]);
}

#[test]
fn time_that_runs_backwards_is_found() {
    let (late, early) = (start().plus_seconds(301), start());
    let at = |middle, first| {
        let log = [opened(), first, Event::Dummy, Event::Dummy].into_iter().zip([early, early, middle, early]);
        let log: Vec<Record> = (0..).zip(log).map(|(seq, (event, at))| record_at(seq, at, event)).collect();
        verdict_on(&log, &[], start()).faults
    };
    let key = || mint(&[(CAMERA, deadline())]);
    assert_eq!(at(late, key()), [Fault::TimeRanBackwards { seq: 3, at: early, latest: late }]);
    assert_eq!(at(start().plus_seconds(300), key()), []);
    assert_eq!(at(late, Event::Dummy), [], "before the first key a clock may be set right");
}

#[test]
fn the_end_of_a_look_that_never_began_is_found() {
    check_faults(
        vec![opened(), Event::LookEnded { permit: PERMIT }],
        &[Fault::LookNeverBegan { seq: 1, permit: PERMIT }],
    );
    let look = Event::Look {
        permit: PERMIT,
        who: Sensitive::new("operator".into()),
        role: "operator".into(),
        live: true,
        cameras: vec![CAMERA],
        span: None,
        purpose: domain::Purpose::Terrorism,
        reason: Sensitive::new("a reason".into()),
        stated: None,
        rules: vec![],
    };
    check_faults(vec![opened(), look, Event::LookEnded { permit: PERMIT }], &[]);
}

#[test]
fn a_deadline_that_grows_is_found() {
    let later = deadline().plus_seconds(1);
    let fault = Fault::DeadlineGrew { seq: 2, key: key(), from: deadline(), to: later };
    let minted = || vec![opened(), mint(&[(CAMERA, deadline())])];
    check_faults([minted(), vec![mint(&[(CAMERA, later)])]].concat(), std::slice::from_ref(&fault));
    check_faults([minted(), vec![shortened(&[(CAMERA, later)])]].concat(), &[fault]);
}

#[test]
fn a_key_brought_back_to_life_is_found() {
    let events = [honest(), vec![mint(&[(CAMERA, deadline())])]].concat();
    check_faults(events, &[Fault::MintedAfterDestruction { seq: 8, key: key() }]);
}

#[test]
fn keys_that_were_never_minted_are_found_at_every_step() {
    check_faults(
        vec![opened(), shortened(&[(CAMERA, deadline())])],
        &[Fault::ShortenedNeverMinted { seq: 1, key: key() }],
    );
    check_faults(vec![opened(), condemned(&[CAMERA])], &[Fault::CondemnedNeverMinted { seq: 1, key: key() }]);
    check_faults(vec![opened(), destroyed(&[CAMERA])], &[Fault::DestroyedNeverMinted { seq: 1, key: key() }]);
    check_faults(vec![opened(), tombstone()], &[Fault::BuriedNeverMinted { seq: 1, hour: hour() }]);
    check_faults(vec![opened(), reel(deadline())], &[Fault::ReelWithoutKey { seq: 1, reel: REEL, hour: hour() }]);
}

#[test]
fn a_destruction_that_was_not_announced_is_found() {
    let events = honest().into_iter().filter(|event| !matches!(event, Event::Condemned { .. })).collect();
    check_faults(events, &[Fault::DestroyedNotCondemned { seq: 4, key: key() }]);
}

#[test]
fn a_destruction_that_no_copy_confirmed_is_found() {
    let mut events = honest();
    if let Event::Destroyed { copies, .. } = &mut events[5] {
        *copies = 0;
    }
    check_faults(events, &[Fault::DestroyedUnconfirmed { seq: 5, hour: hour() }]);
}

#[test]
fn a_tombstone_over_a_living_key_is_found() {
    let mut events = honest();
    events.insert(2, mint(&[(OTHER, deadline())]));
    check_faults(events, &[Fault::BuriedAlive { seq: 7, key: KeyName { hour: hour(), camera: OTHER } }]);
}

#[test]
fn a_reel_after_the_destruction_of_its_hour_is_found() {
    let mut events = honest();
    let reel = events.remove(2);
    events.insert(5, reel);
    check_faults(events, &[Fault::ReelAfterDestruction { seq: 5, reel: REEL, hour: hour() }]);
}

#[test]
fn a_reel_that_states_another_deadline_is_found() {
    let stated = deadline().plus_seconds(1);
    let mut events = honest();
    events[2] = reel(stated);
    check_faults(events, &[Fault::ReelWithOtherDeadline { seq: 2, reel: REEL, hour: hour(), deadline: stated }]);
}

#[test]
fn a_reel_with_two_roots_is_found() {
    let mut events = honest();
    let other =
        Event::Reel { reel: REEL, run: RUN, hour: hour(), deadline: deadline(), root: LATER, bytes: 1, streams: 1 };
    events.insert(3, other);
    check_faults(events, &[Fault::ReelChanged { seq: 3, reel: REEL }]);
}

const LATER: Digest = Digest([10; 32]);

#[test]
fn a_reel_missing_from_its_hour_is_found() {
    let mut events = honest();
    events[3] = recorder_hour(2, root_of(&[ROOT, LATER]));
    check_faults(events, &[Fault::ReelsMissing { run: RUN, hour: hour(), said: 2, found: 1 }]);
}

#[test]
fn a_reel_changed_against_its_hour_is_found() {
    let mut events = honest();
    events[3] = recorder_hour(1, root_of(&[LATER]));
    check_faults(events, &[Fault::HourRootDiffers { run: RUN, hour: hour() }]);
}

#[test]
fn nothing_is_concluded_about_hours_whose_mint_cannot_be_read_any_more() {
    let mut records = records(honest());
    for record in &mut records[..4] {
        record.details = Details::KeyGone;
    }
    let notes = [checkpoint(&records)];
    let report = verdict_on(&records, &notes, deadline());
    assert_eq!((report.faults, report.closed, report.checkpoints), (vec![], 4, 1));
    // an hour that began well after them must have its mint in what was read
    let next_day = hour().plus(24);
    let late = Event::Condemned { hour: next_day, cameras: vec![CAMERA], why: Condemnation::Deadline };
    records.push(record_at(8, start().plus_seconds(8), late));
    let expected = Fault::CondemnedNeverMinted { seq: 8, key: KeyName { hour: next_day, camera: CAMERA } };
    assert_eq!(verdict_on(&records, &notes, deadline()).faults, [expected]);
}

fn log_key_condemned(month: u32) -> Event {
    let month = Month::from_yyyymm(month).unwrap();
    Event::LogKeyCondemned { month, retention_months: 12, keys_destroyed: 0, carried: 0 }
}

fn log_key_destroyed(month: u32, copies: u8) -> Event {
    let month = Month::from_yyyymm(month).unwrap();
    Event::LogKeyDestroyed { month, generation: 4, custodian: "file".into(), copies }
}

#[test]
fn the_end_of_a_months_details_is_no_fault_when_it_was_announced_and_confirmed() {
    let report = verdict(vec![opened(), log_key_condemned(202_502), log_key_destroyed(202_502, 2)]);
    assert_eq!(report.faults, []);
    let month = Month::from_yyyymm(202_502).ok();
    assert_eq!((report.log_key_condemned, report.log_key_destroyed), (month, month));
}

#[test]
fn details_that_end_before_their_time_are_found() {
    let month = Month::from_yyyymm(202_503).unwrap();
    check_faults(vec![opened(), log_key_condemned(202_503)], &[Fault::LogKeyCondemnedEarly { seq: 1, month }]);
}

#[test]
fn a_log_key_that_died_without_a_word_or_on_no_copy_is_found() {
    let month = Month::from_yyyymm(202_502).unwrap();
    check_faults(vec![opened(), log_key_destroyed(202_502, 2)], &[Fault::LogKeyNotCondemned { month }]);
    check_faults(
        vec![opened(), log_key_condemned(202_501), log_key_destroyed(202_502, 2)],
        &[Fault::LogKeyNotCondemned { month }],
    );
    check_faults(
        vec![opened(), log_key_condemned(202_502), log_key_destroyed(202_502, 0)],
        &[Fault::LogKeyUnconfirmed { seq: 2, month }],
    );
}

#[test]
fn a_key_minted_again_with_an_earlier_deadline_is_overdue_from_that_one() {
    let sooner = start().plus_seconds(HOUR_SECONDS);
    let events = vec![opened(), mint(&[(CAMERA, deadline())]), mint(&[(CAMERA, sooner)])];
    let report = verdict_on(&records(events), &[], sooner);
    assert_eq!((report.faults, report.overdue, report.mints), (vec![], vec![key()], 1));
}

#[test]
fn a_deadline_that_is_stated_again_unchanged_is_no_fault() {
    let same = [(CAMERA, deadline())];
    check_faults(vec![opened(), mint(&same), mint(&same), shortened(&same)], &[]);
}

#[test]
fn a_destruction_in_the_instant_of_its_deadline_is_in_time() {
    let mut records = records(vec![opened(), mint(&[(CAMERA, deadline())]), condemned(&[CAMERA])]);
    records.push(record_at(3, deadline(), destroyed(&[CAMERA])));
    let report = verdict_on(&records, &[], deadline());
    assert_eq!((report.late, report.destroyed, report.overdue), (vec![], 1, vec![]));
}

#[test]
fn hours_that_began_three_hours_after_what_cannot_be_read_are_judged_and_those_before_are_not() {
    let faults_of = |ahead: i64| {
        let mut records = records(vec![opened(), Event::Dummy, Event::Dummy]);
        records[0].details = Details::KeyGone;
        let hour = hour().plus(ahead);
        let event = Event::Condemned { hour, cameras: vec![CAMERA], why: Condemnation::Deadline };
        records.push(record_at(3, start().plus_seconds(3), event));
        verdict_on(&records, &[], start()).faults.len()
    };
    // the first entry that can be read is of a second after the hour's start: keys of three more hours may be minted before it
    assert_eq!((faults_of(2), faults_of(3), faults_of(4)), (0, 0, 1));
}

#[test]
fn reels_that_cannot_be_read_are_not_missed_and_a_reel_too_many_is_found_all_the_same() {
    let faults_of = |said: u32, root: Digest| {
        let mut events = honest();
        events[3] = recorder_hour(said, root);
        let mut records = records(events);
        records[0].details = Details::KeyGone;
        verdict_on(&records, &[], start()).faults
    };
    let (run, hour) = (RUN, hour());
    assert_eq!(faults_of(1, root_of(&[ROOT])), []);
    assert_eq!(faults_of(2, root_of(&[LATER, ROOT])), []);
    assert_eq!(faults_of(0, root_of(&[])), [Fault::ReelsMissing { run, hour, said: 0, found: 1 }]);
    assert_eq!(faults_of(1, root_of(&[LATER])), [Fault::HourRootDiffers { run, hour }]);
}

#[test]
fn details_may_end_from_the_instant_on_until_which_they_are_kept() {
    let month = Month::from_yyyymm(202_503).unwrap();
    let faults_at = |at: UtcMicros| {
        let mut records = records(vec![opened()]);
        records.push(record_at(1, at, log_key_condemned(202_503)));
        verdict_on(&records, &[], at).faults
    };
    let kept_until = month.details_kept_until();
    assert_eq!(faults_at(kept_until), []);
    assert_eq!(faults_at(kept_until.plus_micros(-1)), [Fault::LogKeyCondemnedEarly { seq: 1, month }]);
}
