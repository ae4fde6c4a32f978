//! Space: why a disk takes nothing more, and when it will, from what comes in, what is free and what dies until then.

use super::StoreError;
use disk::DiskError;
use std::io::ErrorKind;

/// EIO of Linux: the device itself failed (errno(3)); the standard library has no kind for it.
const EIO: i32 = 5;

/// Why nothing can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// Every slot that the store may have is in use.
    SlotsUsed,
    /// The file system has no room for another slot.
    NoSpace,
    /// The file system is mounted read-only, often after an error of the device.
    ReadOnly,
    /// The device failed.
    Device,
    /// The store's disk is not there, or another one is in its place.
    Away,
    /// The disk did not answer in time; what was asked of it may still happen.
    Silent,
    /// Something else; the error's own words say more.
    Other,
}

impl Trouble {
    /// Whether space is what is missing: recording goes on by itself when it comes.
    pub const fn is_full(self) -> bool {
        matches!(self, Trouble::SlotsUsed | Trouble::NoSpace)
    }

    /// The situation and the remedy, in French.
    pub const fn text_fr(self) -> &'static str {
        match self {
            Trouble::SlotsUsed => {
                "Le stockage est plein : tous ses emplacements sont occupés. Augmentez `store.gibibytes_max` si le disque le permet, ou ajoutez un disque ; l'enregistrement reprend de lui-même."
            }
            Trouble::NoSpace => {
                "Le disque du stockage est plein. Libérez de la place sur ce disque ou agrandissez-le ; l'enregistrement reprend de lui-même."
            }
            Trouble::ReadOnly => {
                "Le disque du stockage est en lecture seule, souvent après une panne. Vérifiez-le (`dmesg`), puis remontez-le en écriture."
            }
            Trouble::Device => {
                "Le disque du stockage signale une panne (erreur d'entrée-sortie). Vérifiez-le (`dmesg`, `smartctl`) et remplacez-le."
            }
            Trouble::Away => {
                "Le disque du stockage n'est plus là, ou un autre est à sa place : rien n'y est écrit. Branchez et montez le bon disque ; l'enregistrement reprend de lui-même."
            }
            Trouble::Silent => {
                "Le disque du stockage ne répond plus : rien n'y est écrit. Vérifiez-le (`dmesg`, `smartctl`) ; s'il répond de nouveau, il est repris de lui-même."
            }
            Trouble::Other => {
                "L'écriture a échoué. Vérifiez le disque du stockage (`dmesg`) et les droits de son dossier."
            }
        }
    }

    /// The same in English.
    pub const fn text_en(self) -> &'static str {
        match self {
            Trouble::SlotsUsed => {
                "The store is full: all its slots are in use. Raise `store.gibibytes_max` if the disk has room, or add a disk; recording goes on by itself."
            }
            Trouble::NoSpace => {
                "The store's disk is full. Free space on that disk or enlarge it; recording goes on by itself."
            }
            Trouble::ReadOnly => {
                "The store's disk is read-only, often after a failure. Check it (`dmesg`), then mount it for writing again."
            }
            Trouble::Device => {
                "The store's disk reports a failure (input/output error). Check it (`dmesg`, `smartctl`) and replace it."
            }
            Trouble::Away => {
                "The store's disk is not there any more, or another one is in its place: nothing is written to it. Connect and mount the right disk; recording goes on by itself."
            }
            Trouble::Silent => {
                "The store's disk does not answer any more: nothing is written to it. Check it (`dmesg`, `smartctl`); when it answers again, it is taken up by itself."
            }
            Trouble::Other => "Writing failed. Check the store's disk (`dmesg`) and the rights of its folder.",
        }
    }
}

impl From<&DiskError> for Trouble {
    fn from(error: &DiskError) -> Trouble {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Trouble::NoSpace,
            ErrorKind::ReadOnlyFilesystem => Trouble::ReadOnly,
            ErrorKind::TimedOut => Trouble::Silent,
            // a share whose machine gave up what was open there
            ErrorKind::StaleNetworkFileHandle => Trouble::Away,
            _ if error.source.raw_os_error() == Some(EIO) => Trouble::Device,
            _ => Trouble::Other,
        }
    }
}

impl From<&StoreError> for Trouble {
    fn from(error: &StoreError) -> Trouble {
        match error {
            StoreError::Full { .. } => Trouble::SlotsUsed,
            StoreError::Disk(error) => Trouble::from(error),
            StoreError::NoMarker { .. }
            | StoreError::OtherRoot { .. }
            | StoreError::OtherSite { .. }
            | StoreError::RootAway { .. } => Trouble::Away,
            _ => Trouble::Other,
        }
    }
}

/// What is known of the store's space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Bytes that may still be written before anything dies.
    pub free_bytes: u64,
    /// What comes in.
    pub arrivals: Vec<Arrival>,
    /// What dies: in so many seconds, so many bytes; in any order.
    pub deaths: Vec<(u64, u64)>,
}

/// Footage that comes in and is given the same time to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub bytes_per_second: u64,
    /// From the start of its hour to its destruction: after that long, as much of it dies as comes.
    pub lives_seconds: u64,
}

/// In how many seconds the store is full if cameras go on as they do; `None` where what dies until then makes room for all
/// that comes within `horizon_seconds`.
pub fn forecast(known: &Forecast, horizon_seconds: u64) -> Option<u64> {
    let died = known.deaths.iter().map(|(at_seconds, bytes)| (*at_seconds, *bytes, 0));
    let balanced = known.arrivals.iter().map(|arrival| (arrival.lives_seconds, 0, arrival.bytes_per_second));
    let mut turns: Vec<(u64, u64, u64)> = died.chain(balanced).filter(|(at, ..)| *at < horizon_seconds).collect();
    turns.push((horizon_seconds, 0, 0));
    turns.sort_unstable();
    let mut rate: u64 = known.arrivals.iter().map(|arrival| arrival.bytes_per_second).sum();
    let (mut now, mut room) = (0, known.free_bytes);
    for (at, freed, ended) in turns {
        if let Some(lasts) = room.checked_div(rate)
            && now + lasts < at
        {
            return Some(now + lasts);
        }
        room = (room - rate * (at - now)).saturating_add(freed);
        (now, rate) = (at, rate - ended);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io, path::PathBuf};

    const DAY: u64 = 86_400;

    fn known(free_bytes: u64, deaths: &[(u64, u64)]) -> Forecast {
        Forecast { free_bytes, arrivals: vec![arrival(10, 30 * DAY)], deaths: deaths.to_vec() }
    }

    fn arrival(bytes_per_second: u64, lives_seconds: u64) -> Arrival {
        Arrival { bytes_per_second, lives_seconds }
    }

    #[test]
    fn a_store_is_full_when_what_comes_has_used_what_is_free_and_what_died() {
        assert_eq!(forecast(&known(1_000, &[]), DAY), Some(100));
        assert_eq!(forecast(&known(1_000, &[(99, 500)]), DAY), Some(150));
        assert_eq!(forecast(&known(1_000, &[(101, 500)]), DAY), Some(100), "what dies later does not help");
        assert_eq!(forecast(&known(0, &[(101, 500)]), DAY), Some(0));
        assert_eq!(forecast(&known(1_000, &[(150, 1_000), (100, 1_000)]), DAY), Some(300), "in any order");
    }

    #[test]
    fn a_store_whose_footage_dies_as_fast_as_it_comes_is_never_full() {
        let each_hour: Vec<(u64, u64)> = (1..=720).map(|hour| (hour * 3_600, 36_000)).collect();
        assert_eq!(forecast(&known(36_000, &each_hour), 720 * 3_600), None);
        assert_eq!(forecast(&known(35_000, &each_hour), 720 * 3_600), Some(3_500));
        assert_eq!(forecast(&Forecast { arrivals: Vec::new(), ..known(0, &[]) }, DAY), None);
    }

    #[test]
    fn what_comes_needs_room_for_as_long_as_it_lives_only() {
        let arrivals = vec![arrival(10, DAY), arrival(1, 7 * DAY)];
        let full_at = |free_bytes| {
            let known = Forecast { free_bytes, arrivals: arrivals.clone(), deaths: Vec::new() };
            forecast(&known, 30 * DAY)
        };
        // ten bytes a second for a day and one for seven
        assert_eq!(full_at(10 * DAY + 7 * DAY), None);
        assert_eq!(full_at(10 * DAY + 7 * DAY - 1), Some(7 * DAY - 1));
        assert_eq!(full_at(11 * DAY - 11), Some(DAY - 1), "both come until the first balances");
    }

    #[test]
    fn a_full_a_read_only_and_a_broken_disk_name_themselves() {
        let error = |source| DiskError { operation: "write", path: PathBuf::from("/x"), source };
        for (source, trouble) in [
            (io::Error::from_raw_os_error(28), Trouble::NoSpace),
            (io::Error::from_raw_os_error(30), Trouble::ReadOnly),
            (io::Error::from_raw_os_error(EIO), Trouble::Device),
            (io::Error::from_raw_os_error(110), Trouble::Silent),
            (io::Error::from_raw_os_error(116), Trouble::Away),
            (io::Error::from_raw_os_error(13), Trouble::Other),
        ] {
            assert_eq!(Trouble::from(&StoreError::Disk(error(source))), trouble);
        }
        let full = StoreError::Full { slots: 1, slot_bytes: 2 };
        assert!(Trouble::from(&full).is_full() && !Trouble::ReadOnly.is_full());
        let away = StoreError::OtherRoot { path: PathBuf::from("/x") };
        assert_eq!(Trouble::from(&away), Trouble::Away);
        let all = [
            Trouble::SlotsUsed,
            Trouble::NoSpace,
            Trouble::ReadOnly,
            Trouble::Device,
            Trouble::Away,
            Trouble::Silent,
            Trouble::Other,
        ];
        for text in all.iter().flat_map(|trouble| [trouble.text_fr(), trouble.text_en()]) {
            assert!(text.ends_with('.') && text.matches(". ").count() >= 1, "situation and remedy: {text}");
        }
    }
}
