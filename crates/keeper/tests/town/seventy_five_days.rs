//! Seventy-five days in a moment (K1, K7 to K10): at each hour nothing past its deadline opens by any path and everything
//! older than ten minutes before it does; of what died nothing opens from the union of all bytes ever written.

use crate::{
    support::*,
    town::{CAMERAS, Given, Town},
    union::{Union, assert_dead},
};
use catalog::Footage;
use disk::FaultyDisk;
use domain::{CameraId, Hour, UtcMicros};
use ledger::Actor;
use seal::sign::SigningKey;
use std::{collections::BTreeSet, path::Path, sync::Arc};
use tempfile::TempDir;
use vault::{LocalStore, Location, keeper::Permit, service::Located};

const HOURS: i64 = 75 * 24;
const CLI: Actor = Actor::Cli { uid: 0 };
/// Camera 8 (30 days) is erased on this day, camera 12 (30 days) gets ten days on that.
const ERASED_AT: i64 = 40 * 24 + 12;
const SHORTENED_AT: i64 = 45 * 24 + 7;

/// What somebody copied of store and catalog on some day.
struct Backup {
    image: disk::Image,
    catalog: TempDir,
    hours: BTreeSet<Hour>,
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

fn run(world: World, start: i64, records: fn(i64) -> bool) {
    let mut life =
        Life { town: Town::new(world, start), start, union: Union::default(), backup: None, opened: 0, refused: 0 };
    for hour in 0..HOURS {
        life.hour(hour, records(hour));
    }
    life.end();
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
            self.learn_secrets();
        }
        self.give_orders(hour);
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
        closing.iter().for_each(|key| self.assert_gone(&permit, key));
        self.sample(hour, &permit);
        if hour % 240 == 239 {
            self.sweep(&permit);
        }
        self.back_up_and_restore(hour);
        if hour % 72 == 71 {
            self.union.check(&self.town.world.disk, &self.town.footage_path());
        }
        let health = self.town.core().health().unwrap().destruction;
        assert_eq!((health.hours_past_deadline, health.hours_closed_unconfirmed), (0, 0));
    }

    fn site_key(&self) -> [u8; 32] {
        SigningKey::from_seed(&self.town.opened.as_ref().unwrap().keyring.site_key()).public()
    }

    fn learn_secrets(&mut self) {
        let site_key = self.site_key();
        let last = self.town.given.keys().next_back().unwrap().0;
        self.town.given.range((last, CameraId([0; 16]))..).for_each(|(_, given)| self.union.know(given, &site_key));
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
            over.iter().for_each(|key| self.assert_gone(&permit, key));
        }
    }

    fn closing_at(&self, at: UtcMicros) -> Vec<(Hour, CameraId)> {
        let closes = |given: &Given| !given.erased && given.deadline.plus_seconds(-600) == at;
        self.town.given.iter().filter(|(_, given)| closes(given)).map(|(key, _)| *key).collect()
    }

    fn assert_closed(&mut self, permit: &Permit, key: &(Hour, CameraId)) {
        let given = &self.town.given[key];
        assert!(!self.town.keys_open(permit, given), "{key:?} is over");
        assert!(!self.town.replay_opens(permit, given), "{key:?} is over");
        self.refused += 1;
    }

    fn assert_gone(&mut self, permit: &Permit, key: &(Hour, CameraId)) {
        self.assert_closed(permit, key);
        let given = &self.town.given[key];
        assert!(self.town.key_is_gone(given), "{key:?}");
        // the other cameras of its hour, its neighbours, and some far away
        let near = (-2..=2).map(|n| key.0.plus(n)).chain([key.0.plus(9), key.0.plus(100)]);
        assert_dead(given, &self.town.present_keys(near), &self.site_key());
    }

    /// A few of all ages, by another path each.
    fn sample(&mut self, hour: i64, permit: &Permit) {
        let now = self.town.now();
        let count = self.town.given.len().max(1);
        let chosen = (0..4).map(|n| (hour as usize * 7_919 + n * 104_729) % count);
        let chosen: BTreeSet<usize> = chosen.collect();
        let keys: Vec<_> = chosen.into_iter().filter_map(|nth| self.town.given.keys().nth(nth)).copied().collect();
        for key in keys {
            self.assert_as_it_must_be(permit, &key, now);
        }
    }

    fn sweep(&mut self, permit: &Permit) {
        let (now, keys) = (self.town.now(), self.town.given.keys().copied().collect::<Vec<_>>());
        keys.iter().for_each(|key| self.assert_as_it_must_be(permit, key, now));
    }

    fn assert_as_it_must_be(&mut self, permit: &Permit, key: &(Hour, CameraId), now: UtcMicros) {
        let given = &self.town.given[key];
        let is_young = !given.is_over(now);
        assert_eq!(self.town.keys_open(permit, given), is_young, "{key:?} at {now}");
        assert_eq!(self.town.replay_opens(permit, given), is_young, "{key:?} at {now}");
        if is_young { self.opened += 1 } else { self.refused += 1 }
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
            let hours = self.town.given.keys().map(|(hour, _)| *hour).collect();
            self.backup = Some(Backup { image: self.town.world.disk.image(Path::new("/store")), catalog, hours });
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
        let (mut opened, mut dead) = (0, 0);
        for ((hour, _), given) in self.town.given.iter().filter(|((hour, _), _)| backup.hours.contains(hour)) {
            let span = domain::Span::new(given.chunk.first_utc, given.chunk.first_utc.plus_seconds(1)).unwrap();
            let located = |row: catalog::Located| Located {
                reel: row.reel.reel,
                hour: row.reel.hour,
                handle: row.stream.handle,
                first_utc: row.stream.first_utc,
                last_utc: row.stream.last_utc,
                location: Location::from_bytes(&row.reel.location).unwrap(),
                entries: None,
            };
            let reels: Vec<Located> = footage.locate(given.stream, span).unwrap().into_iter().map(located).collect();
            let lies_there = !reels.is_empty();
            let is_young = !given.is_over(now);
            let opens = lies_there && self.town.replay_from(&store, &permit, given, reels);
            assert_eq!(opens, is_young, "{:?} of {hour} from the backup", given.stream);
            opened += u64::from(opens);
            dead += u64::from(lies_there && !opens);
        }
        assert!(opened > 20 && dead > 10, "the backup holds both: {opened} and {dead}");
    }

    fn end(mut self) {
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

/// Every sixth hour, and each hour of the days at whose ends months and clocks turn.
fn winter(hour: i64) -> bool {
    // from 20 January: 30 and 31 January, 28 February, 27 and 28 March
    hour % 6 == 0 || [10, 11, 39, 66, 67].contains(&(hour / 24))
}

fn autumn(hour: i64) -> bool {
    // from 20 September: 24 and 25 October, 30 and 31 October
    hour % 8 == 1 || [34, 35, 40, 41].contains(&(hour / 24))
}

#[test]
fn over_a_winter_with_february_and_summer_time_nothing_outlives_its_deadline_and_nothing_dies_before() {
    let start = crate::calendar::days(2027, 1, 20) * 86_400;
    run(World::with_keys_in_memory(31), start, winter);
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
