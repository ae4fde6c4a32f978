//! Seventy-five days in a moment (K1, K7 to K10): at each hour nothing past its deadline opens by any path and everything
//! older than ten minutes before it does; of what died nothing opens from the union of all bytes ever written.
//!
//! At each hour: what closes then, a second before, closed, and dead, by the keeper's keys for a backup and by replay; the
//! keyring's keys and deadlines are exactly those of the independent calendar; the oldest that lives of each camera, and
//! each twentieth day every chunk ever given, by both paths; every byte newly written holds no key.

use crate::{
    support::*,
    town::{CAMERAS, Town, located},
    union::{Union, assert_dead},
};
use catalog::Footage;
use disk::FaultyDisk;
use domain::{CameraId, Hour, ReelId, Span, StreamId, UtcMicros};
use ledger::Actor;
use seal::CameraHourKey;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};
use tempfile::TempDir;
use vault::{LocalStore, keeper::Permit, service::Located};

const HOURS: i64 = 75 * 24;
const CLI: Actor = Actor::Cli { uid: 0 };
/// Camera 8 (30 days) is erased on this day, camera 12 (30 days) gets ten days on that.
const ERASED_AT: i64 = 40 * 24 + 12;
const SHORTENED_AT: i64 = 45 * 24 + 7;
/// In these hours the keeper has its tick each minute: in winter, 27 March 23:00 to 28 March 03:00, when clocks go forward.
const MINUTE_BY_MINUTE: std::ops::Range<i64> = 66 * 24 + 23..67 * 24 + 3;
/// Each chunk ever given is asked for once in so many hours, a camera's day at a time.
const ROUND_HOURS: i64 = 480;

/// What somebody copied of store and catalog on some day.
struct Backup {
    image: disk::Image,
    catalog: TempDir,
    /// What opened then.
    young: BTreeSet<(Hour, CameraId)>,
}

/// A life of seventy-five days from `start` (seconds); footage is recorded in the hours that `records` names.
struct Life {
    town: Town,
    start: i64,
    union: Union,
    backup: Option<Backup>,
    opened: u64,
    refused: u64,
}

/// How many hours have footage comes back.
fn run(world: World, start: i64, records: fn(i64) -> bool) -> i64 {
    let mut life =
        Life { town: Town::new(world, start), start, union: Union::default(), backup: None, opened: 0, refused: 0 };
    for hour in 0..HOURS {
        life.hour(hour, records(hour));
    }
    let given = life.town.given.len();
    life.end();
    given as i64 / i64::from(CAMERAS)
}

impl Life {
    fn hour(&mut self, hour: i64, records: bool) {
        let begins = UtcMicros::from_seconds(self.start + hour * 3_600);
        self.town.pass_until(begins.plus_seconds(5));
        match hour % 240 {
            100 => self.town.start(), // the power goes
            220 => {
                self.town.world.clock.boot_after(30);
                self.town.start();
            }
            _ => {}
        }
        if records {
            self.town.record();
            let last = self.town.given.keys().next_back().unwrap().0;
            self.town.given.range((last, CameraId([0; 16]))..).for_each(|(_, given)| self.union.know(given));
        }
        self.give_orders(hour);
        if MINUTE_BY_MINUTE.contains(&hour) {
            self.minutes(begins);
        }
        // a second before things close
        self.town.pass_until(begins.plus_seconds(49 * 60 + 59));
        self.town.core().destroy_due().unwrap();
        let closing = self.closing_at(begins.plus_seconds(50 * 60));
        let permit = self.town.permit().unwrap();
        for key in &closing {
            let given = &self.town.given[key];
            assert!(self.town.keys_open(&permit, given), "{key:?} has a second");
            assert!(self.town.replay_opens(&permit, given), "{key:?} has a second");
        }
        // closed, whether or not the keys exist; then they die
        self.town.world.clock.pass(1);
        closing.iter().for_each(|key| self.assert_closed(&permit, key));
        self.town.tick();
        self.assert_gone(&permit, &closing);
        self.town.assert_keys();
        self.ask_around(hour, &permit);
        self.back_up_and_restore(hour);
        self.union.check(&self.town.world.disk, &self.town.footage_path());
        let health = self.town.core().health().unwrap().destruction;
        assert_eq!((health.hours_past_deadline, health.hours_closed_unconfirmed), (0, 0));
    }

    fn minutes(&mut self, begins: UtcMicros) {
        for minute in 2..50 {
            self.town.pass_until(begins.plus_seconds(minute * 60 - 1));
            self.town.assert_keys();
            self.town.world.clock.pass(1);
            self.town.tick();
        }
        assert!(!self.town.young.is_empty());
    }

    fn give_orders(&mut self, hour: i64) {
        let core = self.town.core();
        if hour == ERASED_AT {
            core.order_erasure(CLI, camera(8)).unwrap();
            let present = domain::HourLength::PRODUCT.hour_of(self.town.now()).start();
            self.town.erased(camera(8), present);
        }
        if hour == SHORTENED_AT {
            core.order_shorter_delay(CLI, camera(12), 10).unwrap();
            self.town.ordered(camera(12), 10);
        }
        if hour == ERASED_AT || hour == SHORTENED_AT {
            self.town.tick();
            let permit = self.town.permit().unwrap();
            let ordered = self.town.given.keys().filter(|(_, of)| *of == camera(8) || *of == camera(12));
            let over: Vec<_> = ordered.filter(|key| self.town.given[key].is_over(self.town.now())).copied().collect();
            assert!(over.len() > 50, "{}", over.len());
            self.assert_gone(&permit, &over);
            self.town.assert_keys();
        }
    }

    fn closing_at(&self, at: UtcMicros) -> Vec<(Hour, CameraId)> {
        let closes = |deadline: UtcMicros| deadline.plus_seconds(-600) == at;
        self.town.young.iter().filter(|(_, deadline)| closes(**deadline)).map(|(key, _)| *key).collect()
    }

    /// By the keeper's keys for a backup; by replay with the catalog's rows of then and the store of now.
    fn assert_closed(&mut self, permit: &Permit, key: &(Hour, CameraId)) {
        let given = &self.town.given[key];
        assert!(!self.town.keys_open(permit, given), "{key:?} is over");
        assert!(!self.town.replay_opens_by(permit, given, vec![given.row.clone()]), "{key:?} is over");
        self.refused += 1;
    }

    fn assert_gone(&mut self, permit: &Permit, keys: &[(Hour, CameraId)]) {
        let mut present: BTreeMap<Hour, Vec<CameraHourKey>> = BTreeMap::new();
        let mut forgotten: BTreeMap<ReelId, bool> = BTreeMap::new();
        for key in keys {
            self.assert_closed(permit, key);
            let given = &self.town.given[key];
            let reel = given.row.reel;
            let forgot = *forgotten.entry(reel).or_insert_with(|| self.town.forgot(reel));
            assert!(forgot || !self.town.replay_opens(permit, given), "{key:?} is over");
            assert!(self.town.key_is_gone(given), "{key:?}");
            // the other cameras of its hour, its neighbours, and some far away
            let near = || (-2..=2).map(|n| key.0.plus(n)).chain([key.0.plus(9), key.0.plus(100)]);
            assert_dead(given, present.entry(key.0).or_insert_with(|| self.town.present_keys(near())));
        }
    }

    /// The oldest that lives of each camera, and a part of all that was ever given: all of it in a round.
    fn ask_around(&mut self, hour: i64, permit: &Permit) {
        let mut oldest: BTreeMap<CameraId, (Hour, CameraId)> = BTreeMap::new();
        self.town.young.keys().for_each(|key| {
            oldest.entry(key.1).or_insert(*key);
        });
        for key in oldest.values() {
            assert!(self.town.keys_open(permit, &self.town.given[key]), "{key:?} is the oldest");
        }
        for day in 0..=hour / 24 {
            for n in (1..=CAMERAS).filter(|n| (day * i64::from(CAMERAS) + i64::from(*n) - hour) % ROUND_HOURS == 0) {
                self.ask_day(permit, camera(n), day);
            }
        }
    }

    /// Every chunk of a camera's day: by the keys for a backup, and by replay with what the catalog of now says of the day.
    fn ask_day(&mut self, permit: &Permit, camera: CameraId, day: i64) {
        let from = UtcMicros::from_seconds(self.start + day * DAY);
        let span = Span::new(from, from.plus_seconds(DAY)).unwrap();
        let (now, rows) = (self.town.now(), self.town.locate_all(StreamId::main(camera), span));
        let first = domain::HourLength::PRODUCT.hour_of(from);
        for key in (0..24).map(|n| (first.plus(n), camera)) {
            let Some(given) = self.town.given.get(&key) else { continue };
            let is_young = !given.is_over(now);
            let touches =
                |row: &&Located| row.first_utc <= given.chunk.last_utc && given.chunk.first_utc <= row.last_utc;
            let rows = rows.iter().filter(touches).cloned().collect();
            assert_eq!(self.town.keys_open(permit, given), is_young, "{key:?} at {now}");
            assert_eq!(self.town.replay_opens_by(permit, given, rows), is_young, "{key:?} at {now}");
            if is_young { self.opened += 1 } else { self.refused += 1 }
        }
    }

    /// Each fifteen days somebody copies store and catalog; five days later the copy is put beside the keeper of that day.
    fn back_up_and_restore(&mut self, hour: i64) {
        if hour % 360 == 200 {
            let catalog = tempfile::tempdir().unwrap();
            for suffix in ["", "-wal", "-shm"] {
                let name = format!("footage.db{suffix}");
                let from = self.town.folder.path().join(&name);
                if from.exists() {
                    std::fs::copy(from, catalog.path().join(name)).unwrap();
                }
            }
            let young = self.town.young.keys().copied().collect();
            self.backup = Some(Backup { image: self.town.world.disk.image(Path::new("/store")), catalog, young });
        }
        if hour % 360 == 320
            && let Some(backup) = self.backup.take()
        {
            self.restore(&backup);
        }
    }

    fn restore(&mut self, backup: &Backup) {
        let disk = FaultyDisk::new(1);
        disk.restore(&backup.image);
        let store = LocalStore::open(Arc::new(disk), Path::new("/store"), SITE).unwrap();
        let footage = Footage::open(&backup.catalog.path().join("footage.db"), SITE).unwrap();
        let (permit, now) = (self.town.permit().unwrap(), self.town.now());
        let (mut opened, mut dead) = (0u64, 0u64);
        // all that died since, and of what lives a part
        let asked =
            backup.young.iter().enumerate().filter(|(nth, key)| {
                self.town.given[*key].is_over(now) || self.town.young.len() < 1_500 || nth % 3 == 0
            });
        for given in asked.map(|(_, key)| &self.town.given[key]) {
            let span = Span::new(given.chunk.first_utc, given.chunk.first_utc.plus_seconds(1)).unwrap();
            let rows = footage.locate(given.stream, span).unwrap();
            let reels: Vec<Located> = rows.iter().map(|row| located(&row.reel, &row.stream)).collect();
            assert!(!reels.is_empty(), "{:?} of {} lies in the backup", given.stream, given.hour);
            let opens = self.town.replay_from(&store, &permit, given, reels);
            assert_eq!(opens, !given.is_over(now), "{:?} of {} from the backup", given.stream, given.hour);
            if opens { opened += 1 } else { dead += 1 }
        }
        assert!(opened > 20 && dead > 10, "the backup holds both: {opened} and {dead}");
    }

    fn end(mut self) {
        let permit = self.town.permit().unwrap();
        for n in 1..=CAMERAS {
            (0..HOURS / 24).for_each(|day| self.ask_day(&permit, camera(n), day));
        }
        self.union.check(&self.town.world.disk, &self.town.footage_path());
        let opened = self.town.opened.as_ref().unwrap();
        let report = opened.check_ledger(self.town.now());
        assert_eq!(report.mints, self.town.given.len() as u64);
        let late = report.late.iter().filter(|late| late.key.camera != camera(12));
        assert_eq!(late.count(), 0, "only what an order made due was late");
        let over = self.town.given.values().filter(|given| given.is_over(self.town.now())).count() as u64;
        assert_eq!(report.destroyed, over);
        assert!(over > 1_000 && self.opened > 1_000 && self.refused > 3_000, "{over} {} {}", self.opened, self.refused);
        assert!(self.union.bytes > 5_000_000, "{} bytes were looked at", self.union.bytes);
        assert_eq!(u64::from(CAMERAS), 12);
    }
}

/// Each hour of the days at whose ends months and clocks turn, and each eighth.
fn autumn(hour: i64) -> bool {
    // from 20 September: 24 and 25 October, 30 and 31 October
    hour % 8 == 1 || [34, 35, 40, 41].contains(&(hour / 24))
}

#[test]
fn over_a_winter_with_february_and_summer_time_nothing_outlives_its_deadline_and_nothing_dies_before() {
    let start = crate::calendar::days(2027, 1, 20) * 86_400;
    let hours = run(World::with_keys_in_memory(31), start, |_| true);
    assert_eq!(hours, HOURS, "footage of every camera in every hour");
}

#[test]
fn over_an_autumn_with_winter_time_nothing_outlives_its_deadline_and_nothing_dies_before() {
    let start = crate::calendar::days(2026, 9, 20) * 86_400;
    run(World::with_keys_in_memory(32), start, autumn);
}

#[test]
fn with_the_keyring_in_files_nothing_outlives_its_deadline_either() {
    let start = crate::calendar::days(2027, 1, 20) * 86_400;
    run(World::new(33), start, |hour| hour % 12 == 3);
}
