//! Space: how long the store's disk and the registry's disk last, told before they are full.

use crate::mend::Kept;
use catalog::{Footage, Held};
use disk::Disk;
use domain::{UtcMicros, limit};
use keeper::wire::{Finding, FindingState};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tracing::warn;
use vault::store::{Arrival, Forecast, Trouble, forecast};

const LOOK: Duration = Duration::from_secs(1);
const PERIOD: Duration = Duration::from_secs(5);
const HELD_PERIOD: Duration = Duration::from_secs(60);
/// The rate is that of about the last ten minutes: night and day differ, a second does not tell.
const SMOOTHING: f64 = 120.0;
const HOUR: u64 = 3_600;
/// Ordering and fitting a disk takes a town a week.
const WARNING_SECONDS: u64 = 7 * 24 * HOUR;
/// Days ahead (R14): what is asked for on a Friday comes on a Monday.
const ALARM_SECONDS: u64 = 3 * 24 * HOUR;
/// Nothing lives longer.
const HORIZON_SECONDS: u64 = limit::RETENTION_DAYS_MAX as u64 * 24 * HOUR;
/// Ledger and registry of a quiet town grow by some MiB a day, a file of the ledger is 16 MiB.
const DATA_BYTES_WARNING: u64 = 1 << 30;
const DATA_BYTES_ALARM: u64 = 128 << 20;

/// Measures, and remembers what it measured.
pub struct Space {
    disk: Arc<dyn Disk>,
    kept: Kept,
    /// Registry, ledger and catalog.
    data: PathBuf,
    /// The catalog, on a connection of its own: the writer of rows waits for nobody.
    footage: Option<Footage>,
    /// What dies when, and when that was looked up.
    held: Vec<Held>,
    looked: Option<Instant>,
    before: Option<(UtcMicros, u64)>,
    bytes_per_second: Option<f64>,
}

impl Space {
    /// `footage`: the catalog's file, in the data folder.
    pub fn new(disk: Arc<dyn Disk>, kept: Kept, footage: &Path) -> Space {
        let data = footage.parent().unwrap_or(Path::new(".")).to_owned();
        let opened = Footage::open_for_reading(footage, kept.store.site);
        let footage = opened.inspect_err(|error| warn!(%error, "what dies when is not known")).ok();
        let (held, looked, before, bytes_per_second) = Default::default();
        Space { disk, kept, data, footage, held, looked, before, bytes_per_second }
    }

    /// Measures until `ended`.
    pub fn start(mut self, ended: Arc<AtomicBool>) -> JoinHandle<()> {
        thread::spawn(move || {
            let mut next = Instant::now();
            while !ended.load(Ordering::SeqCst) {
                thread::sleep(LOOK);
                if Instant::now() < next {
                    continue;
                }
                next = Instant::now() + PERIOD;
                let (now, report) = (self.kept.time.now(), self.kept.report.clone());
                self.measure(now, report.bytes_received());
                self.look_up_held();
                report.note_finding(self.store_finding(now));
                if let Ok(Some(free)) = self.disk.free_bytes(&self.data) {
                    report.note_finding(data_finding(free));
                }
            }
        })
    }

    fn measure(&mut self, now: UtcMicros, received: u64) {
        let Some((before, bytes)) = self.before.replace((now, received)) else { return };
        let micros = now.since(before);
        if micros <= 0 || received < bytes {
            return; // cameras were removed
        }
        let rate = (received - bytes) as f64 * 1_000_000.0 / micros as f64;
        let known = self.bytes_per_second.unwrap_or(rate);
        self.bytes_per_second = Some(known + (rate - known) / SMOOTHING);
    }

    fn look_up_held(&mut self) {
        let is_due = self.looked.is_none_or(|at| at.elapsed() > HELD_PERIOD) || self.held.is_empty();
        let Some(footage) = self.footage.as_ref().filter(|_| is_due) else { return };
        match footage.held() {
            Ok(held) => (self.held, self.looked) = (held, Some(Instant::now())),
            Err(error) => warn!(%error, "what dies when could not be looked up"),
        }
    }

    fn store_finding(&self, now: UtcMicros) -> Finding {
        let free_bytes = match self.kept.store.free_bytes() {
            Ok(bytes) => bytes,
            Err(error) => return full(Trouble::from(&error)),
        };
        let usage = self.kept.store.usage();
        let bytes_per_second = self.bytes_per_second.unwrap_or(0.0);
        let arrivals = match self.looked {
            Some(_) => arrivals(bytes_per_second, &self.held),
            // not known: as long as the law allows
            None => vec![Arrival { bytes_per_second: bytes_per_second as u64, lives_seconds: HORIZON_SECONDS }],
        };
        let deaths = self.held.iter().map(|held| ((closes(held).since(now) / 1_000_000).max(0) as u64, held.bytes));
        let known = Forecast { free_bytes, arrivals, deaths: deaths.collect() };
        self.kept.report.note_short_of_room(is_short(&known, usage.slot_bytes));
        if free_bytes == 0 {
            let slots_used = usage.slots_max <= usage.slots;
            return full(if slots_used { Trouble::SlotsUsed } else { Trouble::NoSpace });
        }
        until_full(forecast(&known, HORIZON_SECONDS))
    }
}

/// When the recorder closes it: what follows frees its room.
fn closes(held: &Held) -> UtcMicros {
    held.deadline.plus_seconds(-limit::CLOSED_BEFORE_DEADLINE_SECONDS)
}

/// What comes in, shared out by how long what came last lives: a camera with a short delay needs little room.
fn arrivals(bytes_per_second: f64, held: &[Held]) -> Vec<Arrival> {
    let Some(since) = held.iter().map(|held| held.hour).max().map(|latest| latest.plus(-1)) else {
        return Vec::new(); // nothing is recorded yet
    };
    let mut bytes_by_life: BTreeMap<i64, u64> = BTreeMap::new();
    for held in held.iter().filter(|held| held.hour >= since) {
        // one more: the bytes of a reel are counted when it ends
        *bytes_by_life.entry(closes(held).since(held.hour.start())).or_default() += held.bytes + 1;
    }
    let total = bytes_by_life.values().sum::<u64>() as f64;
    let share = |(micros, bytes): (i64, u64)| Arrival {
        bytes_per_second: (bytes_per_second * bytes as f64 / total) as u64,
        lives_seconds: (micros / 1_000_000).max(0) as u64,
    };
    bytes_by_life.into_iter().map(share).collect()
}

/// Whether the oldest must make room now (R14), because what dies by itself comes too late: the keeper decides what may die.
/// The last slots count as used: each run, hour and deadline fills one of its own.
fn is_short(known: &Forecast, slot_bytes: u64) -> bool {
    let last_slots = slot_bytes.saturating_mul(limit::ROOM_SHORT_SLOTS);
    let room = Forecast { free_bytes: known.free_bytes.saturating_sub(last_slots), ..known.clone() };
    forecast(&room, limit::ROOM_SHORT_SECONDS).is_some()
}

fn until_full(seconds: Option<u64>) -> Finding {
    let Some(seconds) = seconds else {
        return finding(
            FindingState::Ok,
            "Au débit présent, la place suffit : ce qui meurt laisse la sienne à ce qui vient.".into(),
            "At the present rate there is space enough: what dies makes room for what comes.".into(),
        );
    };
    let state = match seconds {
        ..ALARM_SECONDS => FindingState::Alarm,
        ALARM_SECONDS..WARNING_SECONDS => FindingState::Warning,
        // later: told, and no reason yet to look up
        _ => FindingState::Ok,
    };
    let (fr, en) = if seconds < 2 * 24 * HOUR {
        let hours = seconds / HOUR;
        (format!("{hours} heure(s)"), format!("{hours} hour(s)"))
    } else {
        let days = seconds / (24 * HOUR);
        (format!("{days} jours"), format!("{days} days"))
    };
    finding(
        state,
        format!(
            "Au débit présent, le stockage sera plein dans {fr} environ, avant que ses images n'atteignent leur échéance : les plus anciennes mourront alors avant elle, jamais sous le délai minimal. Ajoutez de la place (`store.gibibytes_max`), réduisez le débit des caméras ou faites raccourcir le délai."
        ),
        format!(
            "At the present rate the store will be full in about {en}, before its footage reaches its deadline: the oldest then dies early, never below the minimum delay. Add space (`store.gibibytes_max`), lower the cameras' bit rate or have the delay shortened."
        ),
    )
}

fn full(trouble: Trouble) -> Finding {
    finding(FindingState::Alarm, trouble.text_fr().into(), trouble.text_en().into())
}

fn finding(state: FindingState, fr: String, en: String) -> Finding {
    Finding {
        id: "space".into(),
        state,
        title_fr: "Place pour les images".into(),
        title_en: "Space for footage".into(),
        detail_fr: fr,
        detail_en: en,
    }
}

/// The disk of registry and ledger: without it nobody can look, and nothing can be sealed for long.
fn data_finding(free: u64) -> Finding {
    let mebibytes = free >> 20;
    let (state, fr, en) = match free {
        ..DATA_BYTES_ALARM => (
            FindingState::Alarm,
            format!(
                "Il ne reste que {mebibytes} Mio au disque du registre : bientôt personne ne pourra plus rien consulter, puis rien ne sera plus enregistré. Libérez de la place sur le disque de `data.folder`."
            ),
            format!(
                "Only {mebibytes} MiB are left on the ledger's disk: soon nobody can look at anything, then nothing is recorded any more. Free space on the disk of `data.folder`."
            ),
        ),
        DATA_BYTES_ALARM..DATA_BYTES_WARNING => (
            FindingState::Warning,
            format!(
                "Il reste {mebibytes} Mio au disque du registre. Libérez de la place sur le disque de `data.folder`."
            ),
            format!("{mebibytes} MiB are left on the ledger's disk. Free space on the disk of `data.folder`."),
        ),
        _ => (FindingState::Ok, "Le disque du registre a de la place.".into(), "The ledger's disk has space.".into()),
    };
    Finding {
        id: "data-space".into(),
        state,
        title_fr: "Place pour le registre".into(),
        title_en: "Space for the ledger".into(),
        detail_fr: fr,
        detail_en: en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_comes_days_before_the_store_is_full_and_names_the_time() {
        let said = |seconds| {
            let finding = until_full(seconds);
            (finding.state, finding.detail_fr)
        };
        assert_eq!(said(None).0, FindingState::Ok);
        let (state, text) = said(Some(5 * 24 * HOUR));
        assert!(state == FindingState::Warning && text.contains("5 jours"), "{text}");
        assert_eq!(said(Some(3 * 24 * HOUR - 1)).0, FindingState::Alarm);
        let (state, text) = said(Some(5 * HOUR + 60));
        assert!(state == FindingState::Alarm && text.contains("5 heure(s)"), "{text}");
    }

    #[test]
    fn room_is_short_while_something_can_still_be_written() {
        let (slot, rate) = (8 << 20, 1 << 20);
        let short = |free_slots: u64, deaths: &[(u64, u64)]| {
            let arrivals = vec![Arrival { bytes_per_second: rate, lives_seconds: HORIZON_SECONDS }];
            let known = Forecast { free_bytes: free_slots * slot, arrivals, deaths: deaths.to_vec() };
            is_short(&known, slot)
        };
        // 900 s at 1 MiB/s are 112.5 slots, and the last four are left alone
        assert!(short(0, &[]) && short(4, &[]) && short(116, &[]) && !short(117, &[]));
        assert!(!short(20, &[(100, 1 << 30)]), "what dies in time makes the room by itself");
        assert!(short(20, &[(200, 1 << 30)]), "what dies later does not");
        assert!(!is_short(&Forecast::default(), slot), "nothing comes in");
    }

    #[test]
    fn a_disk_with_room_for_the_delays_of_its_cameras_is_never_announced_as_full() {
        let hour = |number: i64| domain::HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(number * 3_600));
        let held = |number, days: i64, bytes| {
            let hour = hour(number);
            Held { hour, deadline: hour.start().plus_seconds(days * 86_400), bytes }
        };
        assert_eq!(arrivals(8.0, &[]), []);
        // long ago everything lived for thirty days; since then three quarters live for one
        let now = [held(0, 30, 9_000), held(100, 1, 299), held(101, 1, 299), held(101, 7, 199)];
        let day = |days: u64| days * 86_400 - limit::CLOSED_BEFORE_DEADLINE_SECONDS as u64;
        let arrival = |bytes_per_second, days| Arrival { bytes_per_second, lives_seconds: day(days) };
        assert_eq!(arrivals(8.0, &now), [arrival(6, 1), arrival(2, 7)]);
        let full_at = |free_bytes| {
            let known = Forecast { free_bytes, arrivals: arrivals(8.0, &now), deaths: Vec::new() };
            forecast(&known, HORIZON_SECONDS)
        };
        assert_eq!(full_at(6 * day(1) + 2 * day(7)), None);
        assert!(full_at(6 * day(1) + 2 * day(7) - 2).is_some());
    }

    #[test]
    fn the_registers_disk_alarms_before_it_is_full() {
        let states = [10 << 30, 500 << 20, 50 << 20].map(|free| data_finding(free).state);
        assert_eq!(states, [FindingState::Ok, FindingState::Warning, FindingState::Alarm]);
    }
}
