//! The disks of the store: pulled, back, back empty or as another one, put back from an old image, full (decisions 0058, 0059).

use crate::{
    checks::{Held, broken},
    recording::{BESIDE, locked},
    steps::second,
    support::SITE,
    town::Town,
    truth::Truth,
};
use catalog::ReelRow;
use disk::{Disk, FaultyDisk, Image};
use domain::{CameraId, RootId, UtcMicros};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};
use vault::{
    LocalStore, Location, census,
    rebuild::Scope,
    store::{Marker, Place},
};

const FOLDERS: [&str; 3] = ["/store", "/store-two", "/store-three"];
/// Numbers are given once and need not follow each other.
const NUMBERS: [u8; 3] = [0, 1, 5];
pub const SLOT_BYTES: u64 = 32 * 1024;
const SLOTS_MAX: u32 = 4_000;
/// One that runs full by itself.
const SLOTS_MAX_SMALL: u32 = 12;
const MARKER: &str = "marker.json";
/// Why a chunk may be lost.
pub const OTHER_DISK: &str = "it was written to a disk that went again";
pub const LOSS_ACCEPTED: &str = "its loss was accepted";

/// All disks of the store.
pub struct Disks {
    pub roots: Vec<Root>,
    /// An old image was there: what was forgotten of it, as of a right disk that lost little, is entered again on command.
    pub asks_for_rebuild: bool,
}

/// One of them.
pub struct Root {
    pub number: u8,
    path: PathBuf,
    pub lies: Lies,
    /// Its own contents while another disk is in its place, and what that one held when it came.
    own: Option<Image>,
    put: Option<Image>,
    /// Since when an old image is there.
    since: UtcMicros,
    /// Ended reels that the catalog knew here when it was pulled, but for those whose loss was accepted.
    pub reels: Vec<Known>,
    /// Of them, those of which an old image has no slot, and those whose first slot holds nothing of theirs.
    missing: BTreeSet<domain::ReelId>,
    other: BTreeSet<domain::ReelId>,
    is_full: bool,
}

/// A reel that the catalog knew.
pub struct Known {
    pub row: ReelRow,
    cameras: BTreeSet<CameraId>,
}

impl Known {
    /// Whether it is known for sure that something of it lives.
    pub fn is_alive(&self, truth: &Truth, now: UtcMicros) -> bool {
        let alive = |camera: &&CameraId| now.plus_seconds(2) < truth.soonest_closes(**camera, self.row.hour, now);
        self.cameras.iter().filter(|camera| !truth.doubtful.contains(camera)).any(|camera| alive(&camera))
    }
}

/// What is at a root's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lies {
    Own,
    Nothing,
    /// An empty folder, one without a marker, or the marker of another root.
    Another,
    /// The right marker, and what a disk held on another day.
    OldImage,
}

impl Disks {
    /// Every second town has one root, the others two or three.
    pub fn make(seed: u64, disk: &FaultyDisk) -> Disks {
        disk.create_dir(Path::new(BESIDE).parent().unwrap_or(Path::new("/"))).expect("a new disk takes a folder");
        let count = [1, 2, 1, 3][(seed % 4) as usize];
        let make = |(folder, number): (&&str, u8)| {
            let slots_max = if count == 3 && number == NUMBERS[1] { SLOTS_MAX_SMALL } else { SLOTS_MAX };
            let root = RootId([7 + number; 16]);
            let marker = Marker { format: 1, site: SITE, root, slot_bytes: SLOT_BYTES, slots_max, number };
            let made = LocalStore::create(Arc::new(disk.clone()), Path::new(folder), marker);
            made.expect("a new disk takes a store");
            let (lies, since, is_full) = (Lies::Own, UtcMicros(0), false);
            let (own, put, reels, missing, other) = Default::default();
            Root { number, path: folder.into(), lies, own, put, since, reels, missing, other, is_full }
        };
        Disks { roots: FOLDERS.iter().zip(NUMBERS).take(count).map(make).collect(), asks_for_rebuild: false }
    }

    pub fn places(&self) -> Vec<Place> {
        self.paths().map(|path| Place { path: path.to_owned(), slots_max: None }).collect()
    }

    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.roots.iter().map(|root| &*root.path)
    }
}

impl Root {
    /// Whether so much of what may live at `now` is missing here that nothing may be freed or forgotten, by a count of our own.
    pub fn is_short(&self, truth: &Truth, now: UtcMicros) -> bool {
        let alive: Vec<&Known> = self.reels.iter().filter(|known| known.is_alive(truth, now)).collect();
        let of =
            |set: &BTreeSet<domain::ReelId>| alive.iter().filter(|known| set.contains(&known.row.reel)).count() as u64;
        let known = self.reels.len() as u64;
        census::is_too_much(of(&self.missing), known) || census::is_too_much(of(&self.other), known)
    }
}

/// Something happens to one of the disks.
pub fn happens(town: &mut Town) -> Held {
    let (count, what) = (town.disks.roots.len(), town.dice.below(6));
    let at = town.dice.below(count);
    match (town.disks.roots[at].lies, what) {
        (Lies::Own, 0 | 1) => fill_or_drain(town, at),
        (Lies::Own, _) if count == 1 => fill_or_drain(town, at),
        (Lies::Own, _) => pull(town, at),
        (Lies::Nothing, 0 | 1) => plug(town, at),
        (Lies::Nothing, 2..=4) => put_another(town, at, what),
        (Lies::Nothing, _) => put_old(town, at),
        (Lies::Another | Lies::OldImage, _) => return put_back(town, at),
    }
    Ok(())
}

/// Every disk is where it belongs, and has room.
pub fn all_back(town: &mut Town) -> Held {
    for at in 0..town.disks.roots.len() {
        if town.disks.roots[at].is_full {
            fill_or_drain(town, at);
        }
        match town.disks.roots[at].lies {
            Lies::Own => {}
            Lies::Nothing => plug(town, at),
            Lies::Another | Lies::OldImage => put_back(town, at)?,
        }
    }
    Ok(())
}

/// Whether nobody needs to have the catalog made anew, or it is done now.
pub fn is_rebuilt(town: &mut Town) -> bool {
    if town.disks.asks_for_rebuild
        && let Some(run) = town.recording.as_mut()
    {
        // what an old image of a disk made of the catalog stays until all disks are there to be read
        let is_done = run.rebuild(&Scope::All).unwrap_or(false) && locked(&town.place.truth).away.is_empty();
        town.disks.asks_for_rebuild = !is_done;
    }
    !town.disks.asks_for_rebuild
}

/// Somebody says on the command line that what is missing is lost.
pub fn accept_loss(town: &mut Town) {
    let away = locked(&town.place.truth).away.clone();
    let Some(run) = town.recording.as_mut().filter(|_| !away.is_empty()) else { return };
    drop(run.rebuild(&Scope::LossAccepted)); // where it failed half-way, some of it is accepted
    let mut truth = locked(&town.place.truth);
    away.iter().for_each(|root| truth.excuse(*root, UtcMicros(i64::MIN), LOSS_ACCEPTED));
    truth.lines_lost = true;
    drop(truth);
    town.disks.roots.iter_mut().filter(|root| away.contains(&root.number)).for_each(|root| root.reels.clear());
    second(town);
    second(town);
}

fn fill_or_drain(town: &mut Town, at: usize) {
    let root = &mut town.disks.roots[at];
    root.is_full = !root.is_full;
    if root.is_full {
        town.world.disk.fill(&root.path)
    } else {
        town.world.disk.drain(&root.path)
    }
    second(town);
}

fn pull(town: &mut Town, at: usize) {
    let known = town.recording.as_ref().map(|run| run.ended_reels()).unwrap_or_default();
    let root = &mut town.disks.roots[at];
    let here = |row: &ReelRow| Location::from_bytes(&row.location).is_some_and(|of| of.root() == Some(root.number));
    let streams = |row: &ReelRow| town.recording.as_ref().and_then(|run| run.footage.streams_of(row.reel).ok());
    let cameras = |row: &ReelRow| streams(row).into_iter().flatten().map(|part| part.stream.camera).collect();
    root.reels = known.into_iter().filter(here).map(|row| Known { cameras: cameras(&row), row }).collect();
    root.lies = Lies::Nothing;
    town.world.disk.unplug(&root.path);
    locked(&town.place.truth).away.insert(root.number);
    second(town);
}

fn plug(town: &mut Town, at: usize) {
    let root = &mut town.disks.roots[at];
    root.lies = Lies::Own;
    root.reels.clear();
    town.world.disk.plug(&root.path);
    let mut truth = locked(&town.place.truth);
    truth.away.remove(&root.number);
    truth.old.remove(&root.number);
    drop(truth);
    second(town);
}

fn put(town: &mut Town, at: usize, image: Image, lies: Lies) {
    let now = town.now();
    let root = &mut town.disks.roots[at];
    root.own = Some(town.world.disk.image(&root.path));
    town.world.disk.restore(&image);
    town.world.disk.plug(&root.path);
    (root.put, root.lies, root.since) = (Some(image), lies, now);
    second(town);
}

/// An empty disk, one without a marker, or one of the site's with another identity and this one's number.
fn put_another(town: &mut Town, at: usize, which: usize) {
    let root = &town.disks.roots[at];
    let (own, marker) = (town.world.disk.image(&root.path), root.path.join(MARKER));
    let image = match which {
        2 => own.only(|_| false),
        3 => own.only(|path| path != marker),
        _ => {
            let text = own.files().iter().find(|(path, _)| *path == marker).map(|(_, text)| text.clone());
            let mut changed: Marker = serde_json::from_slice(&text.unwrap_or_default()).expect("a marker was there");
            changed.root = RootId([99; 16]);
            own.with(&marker, serde_json::to_vec(&changed).expect("a marker is plain data"))
        }
    };
    put(town, at, image, Lies::Another);
}

/// The disk as it was on another day: every third slot is not there, another third holds nothing.
fn put_old(town: &mut Town, at: usize) {
    let root = &mut town.disks.roots[at];
    let slot = |path: &Path| path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u32>().ok());
    let mut image = town.world.disk.image(&root.path).only(|path| slot(path).is_none_or(|slot| slot % 3 != 0));
    let zeroed: Vec<_> =
        image.files().iter().filter(|(path, _)| slot(path).is_some_and(|slot| slot % 3 == 1)).collect();
    let zeroed: Vec<_> = zeroed.into_iter().map(|(path, bytes)| (path.clone(), vec![0; bytes.len()])).collect();
    for (path, bytes) in zeroed {
        image = image.with(&path, bytes);
    }
    (root.missing, root.other) = Default::default();
    for Known { row, .. } in &root.reels {
        let slots: Vec<u32> = Location::from_bytes(&row.location).iter().flat_map(Location::slots).collect();
        if slots.iter().all(|slot| slot % 3 == 0) {
            root.missing.insert(row.reel);
        } else if slots.first().is_some_and(|slot| slot % 3 == 1) {
            root.other.insert(row.reel);
        }
    }
    locked(&town.place.truth).old.insert(root.number);
    put(town, at, image, Lies::OldImage);
}

/// The own disk is put back. On one that was not the town's nothing was written meanwhile.
fn put_back(town: &mut Town, at: usize) -> Held {
    let was_old = town.disks.roots[at].lies == Lies::OldImage;
    let path = town.disks.roots[at].path.clone();
    town.world.disk.unplug(&path);
    second(town);
    let root = &mut town.disks.roots[at];
    let (own, put) = (root.own.take(), root.put.take());
    if !was_old && put.as_ref().is_some_and(|put| *put != town.world.disk.image(&path)) {
        return broken(
            "decision 0058",
            format!("something was written to a disk in `{}` that is not the town's", path.display()),
        );
    }
    own.iter().for_each(|own| town.world.disk.restore(own));
    if was_old {
        let (number, since) = (root.number, root.since);
        let mut truth = locked(&town.place.truth);
        truth.excuse(number, since, OTHER_DISK);
        truth.lines_lost = true;
        drop(truth);
        town.disks.asks_for_rebuild = true;
        town.kill_recorder(); // who swaps a disk for its own copy stops what writes to it
    }
    plug(town, at);
    Ok(())
}
