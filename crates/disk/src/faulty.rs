//! A disk in memory that fails on purpose: a power cut, or a lie, at any chosen step.
//!
//! What a real disk promises is little: bytes are durable after a successful sync, names after a successful sync of their
//! folder. Everything else may or may not survive a power cut, sector by sector. This disk keeps exactly that and not more,
//! so that code which survives here leans on no accident of a file system. Chance comes from a seed: the same seed and the
//! same calls give the same ruins.

use crate::{Disk, DiskError, DiskFile, Open, Result};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A disk writes sectors of this size whole or not at all.
const SECTOR_BYTES: usize = 512;

/// Whether the operation took place before it failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happened {
    No,
    Yes,
}

/// What goes wrong at a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The power goes before (`No`) or just after (`Yes`) the step; every later operation fails until
    /// [`FaultyDisk::reboot`].
    PowerCut(Happened),
    /// The step answers with an error; `Yes`: but it took place, `No`: it did not. After a sync that failed with `No`, each
    /// unsynced write is durable or lost by chance, and a later sync does not mend that: Linux marks the pages clean.
    Error(Happened, io::ErrorKind),
}

/// A file system in memory; clones are the same disk.
#[derive(Clone)]
pub struct FaultyDisk {
    state: Arc<Mutex<State>>,
}

/// All files below a folder at one moment: what a backup tool would have copied.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    folder: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Image {
    /// Each file's path and bytes.
    pub fn files(&self) -> &[(PathBuf, Vec<u8>)] {
        &self.files
    }

    /// The same with other bytes in one file.
    pub fn with(mut self, path: &Path, bytes: Vec<u8>) -> Image {
        self.files.iter_mut().filter(|(of, _)| of == path).for_each(|(_, old)| old.clone_from(&bytes));
        self
    }

    /// The same without the files that `keep` says no to.
    pub fn only(mut self, keep: impl Fn(&Path) -> bool) -> Image {
        self.files.retain(|(path, _)| keep(path));
        self
    }
}

/// Every buffer ever given to a write, with the path its file was opened under, in order.
pub type Written = Vec<(PathBuf, Arc<[u8]>)>;

impl FaultyDisk {
    pub fn new(seed: u64) -> FaultyDisk {
        let state = State { chance: Chance(seed), ..State::default() };
        FaultyDisk { state: Arc::new(Mutex::new(state)) }
    }

    /// How many effectful operations were asked for so far: creating, writing, syncing, setting a length, renaming,
    /// removing, syncing and creating a folder.
    pub fn steps(&self) -> u64 {
        self.lock().steps
    }

    /// Plans a fault at the effectful operation number `step`, counted from 0 since the disk was made.
    pub fn plan(&self, step: u64, fault: Fault) {
        self.lock().plans.insert(step, fault);
    }

    /// What is planned and has not come yet does not come.
    pub fn forget_plans(&self) {
        self.lock().plans.clear();
    }

    /// How many planned faults have not come yet.
    pub fn plans_left(&self) -> usize {
        let state = self.lock();
        state.plans.range(state.steps..).count()
    }

    /// Power cut and return: unsynced writes survive wholly, torn at 512 bytes, or not; unsynced names survive up to some
    /// operation of their folder. Files opened before fail from now on. Plans not yet reached are forgotten.
    pub fn reboot(&self) {
        self.lock().reboot();
    }

    /// Another disk that holds and forgets what this one does, from now on apart from it: what may happen to a town is tried on
    /// the copy. Chance goes on from `seed`.
    pub fn fork(&self, seed: u64) -> FaultyDisk {
        let state = State { chance: Chance(seed), plans: BTreeMap::new(), written: Vec::new(), ..self.lock().clone() };
        FaultyDisk { state: Arc::new(Mutex::new(state)) }
    }

    /// Whether a planned power cut has come and [`FaultyDisk::reboot`] has not.
    pub fn is_off(&self) -> bool {
        self.lock().power_cut
    }

    /// The folder's device is pulled out: nothing below it exists or can be made, until [`FaultyDisk::plug`].
    pub fn unplug(&self, folder: &Path) {
        self.lock().unplugged.insert(folder.to_owned());
    }

    pub fn plug(&self, folder: &Path) {
        self.lock().unplugged.remove(folder);
    }

    /// Somebody else fills the folder's device: nothing below it can be made or grow, until [`FaultyDisk::drain`].
    pub fn fill(&self, folder: &Path) {
        self.lock().full.insert(folder.to_owned());
    }

    pub fn drain(&self, folder: &Path) {
        self.lock().full.remove(folder);
    }

    /// The files below `folder` as they read now; not a step.
    pub fn image(&self, folder: &Path) -> Image {
        let state = self.lock();
        let below = state.names.iter().filter(|(path, _)| path.starts_with(folder));
        let files = below.map(|(path, inode)| (path.clone(), state.inodes[*inode].now.clone())).collect();
        Image { folder: folder.to_owned(), files }
    }

    /// Puts a folder back to an image, durably: what restoring a backup does; not a step.
    pub fn restore(&self, image: &Image) {
        self.lock().restore(image);
    }

    /// Every buffer ever given to a write, wherever it went.
    pub fn all_bytes_ever_written(&self) -> Written {
        self.bytes_written_since(0)
    }

    /// The same without the first `seen` buffers: what a reader who looks again has not seen.
    pub fn bytes_written_since(&self, seen: usize) -> Written {
        self.lock().written[seen..].to_vec()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // a panic in a test's thread leaves the state as the last whole operation made it
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>> {
        let mut state = self.lock();
        let inode = if how == Open::Create {
            state.step("open", path, |state| state.create(path))?
        } else {
            state.reachable(path).and_then(|()| state.find(path)).map_err(failed("open", path))?
        };
        let handle = FaultyFile {
            disk: self.clone(),
            inode,
            boot: state.boot,
            path: path.to_owned(),
            writable: how != Open::Read,
        };
        Ok(Arc::new(handle))
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        let state = self.lock();
        state.powered().map_err(failed("look for", path))?;
        let there = state.names.contains_key(path) || state.folders.contains(path);
        Ok(there && state.reachable(path).is_ok())
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        self.lock().step("create folder", path, |state| {
            if path.ancestors().any(|above| state.names.contains_key(above)) {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            state.folders.extend(path.ancestors().map(Path::to_owned));
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> Result<Vec<String>> {
        let state = self.lock();
        state.reachable(path).and_then(|()| state.folder(path)).map_err(failed("list", path))?;
        let inside = state.names.keys().filter(|file| file.parent() == Some(path));
        Ok(inside.filter_map(|file| file.file_name()).map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.lock().step("rename", from, |state| {
            state.reachable(to)?;
            let inode = state.find(from)?;
            state.folder(parent_of(to))?;
            state.names.remove(from);
            state.names.insert(to.to_owned(), inode);
            state.unsynced.push(NameChange { remove: Some(from.to_owned()), put: Some(to.to_owned()), inode });
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.lock().step("remove", path, |state| {
            let inode = state.find(path)?;
            state.names.remove(path);
            state.unsynced.push(NameChange { remove: Some(path.to_owned()), put: None, inode });
            Ok(())
        })
    }

    fn free_bytes(&self, path: &Path) -> Result<Option<u64>> {
        let state = self.lock();
        state.reachable(path).map_err(failed("look at", path))?;
        Ok(state.is_full(path).then_some(0))
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.lock().step("sync folder", path, |state| {
            state.folder(path)?;
            for change in std::mem::take(&mut state.unsynced) {
                if change.touches(path) {
                    change.apply(&mut state.durable_names);
                } else {
                    state.unsynced.push(change);
                }
            }
            Ok(())
        })
    }
}

struct FaultyFile {
    disk: FaultyDisk,
    inode: usize,
    boot: u64,
    path: PathBuf,
    writable: bool,
}

impl FaultyFile {
    /// The state, if this handle is still of the present boot.
    fn state(&self, operation: &'static str) -> Result<MutexGuard<'_, State>> {
        let state = self.disk.lock();
        let of_this_boot = if state.boot == self.boot { Ok(()) } else { Err(power_is_off()) };
        of_this_boot.and_then(|()| state.reachable(&self.path)).map_err(failed(operation, &self.path))?;
        Ok(state)
    }

    fn change(&self, operation: &'static str, act: impl FnOnce(&mut State) -> io::Result<()>) -> Result<()> {
        let mut state = self.state(operation)?;
        if !self.writable {
            return Err(failed(operation, &self.path)(io::ErrorKind::PermissionDenied.into()));
        }
        state.step(operation, &self.path, act)
    }
}

impl DiskFile for FaultyFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let state = self.state("read")?;
        let now = &state.inodes[self.inode].now;
        let end = usize::try_from(offset).ok().and_then(|from| Some(from..from.checked_add(bytes.len())?));
        match end.and_then(|range| now.get(range)) {
            Some(found) => {
                bytes.copy_from_slice(found);
                Ok(())
            }
            None => Err(failed("read", &self.path)(io::ErrorKind::UnexpectedEof.into())),
        }
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let bytes: Arc<[u8]> = bytes.into();
        self.change("write", |state| {
            state.may_grow(&self.path, self.inode, offset as usize + bytes.len())?;
            state.written.push((self.path.clone(), bytes.clone()));
            state.inodes[self.inode].write(Change::Write { offset: offset as usize, bytes });
            Ok(())
        })
    }

    fn sync(&self) -> Result<()> {
        let mut state = self.state("sync")?;
        let failing = state.next_fault();
        let result = state.step("sync", &self.path, |state| {
            state.inodes[self.inode].sync();
            Ok(())
        });
        if let Some(Fault::Error(Happened::No, _)) = failing {
            state.ruin(self.inode);
        }
        result
    }

    fn len(&self) -> Result<u64> {
        Ok(self.state("measure")?.inodes[self.inode].now.len() as u64)
    }

    fn set_len(&self, bytes: u64) -> Result<()> {
        self.change("set the length of", |state| {
            state.may_grow(&self.path, self.inode, bytes as usize)?;
            state.inodes[self.inode].write(Change::Length(bytes as usize));
            Ok(())
        })
    }
}

#[derive(Clone, Default)]
struct State {
    chance: Chance,
    steps: u64,
    plans: BTreeMap<u64, Fault>,
    power_cut: bool,
    /// Counts boots; a handle knows the one it was opened in.
    boot: u64,
    inodes: Vec<Inode>,
    folders: BTreeSet<PathBuf>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names not synced yet, in the order they were asked for.
    unsynced: Vec<NameChange>,
    unplugged: BTreeSet<PathBuf>,
    full: BTreeSet<PathBuf>,
    written: Written,
}

impl State {
    /// Counts one step and does it, unless a fault is planned for it.
    fn step<T>(
        &mut self,
        operation: &'static str,
        path: &Path,
        act: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> Result<T> {
        self.powered().map_err(failed(operation, path))?;
        let fault = self.next_fault();
        self.steps += 1;
        self.reachable(path).map_err(failed(operation, path))?;
        let outcome = match fault {
            None => act(self),
            Some(Fault::Error(Happened::No, kind)) => Err(kind.into()),
            Some(Fault::Error(Happened::Yes, kind)) => act(self).and_then(|_| Err(kind.into())),
            Some(Fault::PowerCut(happened)) => {
                let done = if happened == Happened::Yes { act(self).map(drop) } else { Ok(()) };
                self.power_cut = true;
                done.and_then(|()| Err(power_is_off()))
            }
        };
        outcome.map_err(failed(operation, path))
    }

    fn next_fault(&self) -> Option<Fault> {
        self.plans.get(&self.steps).copied()
    }

    fn powered(&self) -> io::Result<()> {
        if self.power_cut { Err(power_is_off()) } else { Ok(()) }
    }

    fn reachable(&self, path: &Path) -> io::Result<()> {
        self.powered()?;
        if self.unplugged.iter().any(|folder| path.starts_with(folder)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(())
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn folder(&self, path: &Path) -> io::Result<()> {
        if self.folders.contains(path) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn is_full(&self, path: &Path) -> bool {
        self.full.iter().any(|folder| path.starts_with(folder))
    }

    fn may_grow(&self, path: &Path, inode: usize, bytes: usize) -> io::Result<()> {
        let grows = self.inodes[inode].now.len() < bytes;
        if grows && self.is_full(path) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn create(&mut self, path: &Path) -> io::Result<usize> {
        self.folder(parent_of(path))?;
        if self.is_full(path) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.names.contains_key(path) || self.folders.contains(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = self.inodes.len();
        self.inodes.push(Inode::default());
        self.names.insert(path.to_owned(), inode);
        self.unsynced.push(NameChange { remove: None, put: Some(path.to_owned()), inode });
        Ok(inode)
    }

    fn reboot(&mut self) {
        for inode in 0..self.inodes.len() {
            self.ruin(inode);
        }
        self.keep_some_names();
        for inode in &mut self.inodes {
            inode.now.clone_from(&inode.durable);
        }
        self.names = self.durable_names.clone();
        self.plans.clear();
        self.power_cut = false;
        self.boot += 1;
    }

    /// Decides by chance what of a file's unsynced changes reached the platter; nothing stays unsynced.
    fn ruin(&mut self, inode: usize) {
        let inode = &mut self.inodes[inode];
        for change in std::mem::take(&mut inode.unsynced) {
            match self.chance.below(3) {
                0 => {}
                1 => change.apply(&mut inode.durable),
                _ => change.apply_torn(&mut inode.durable, &mut self.chance),
            }
        }
    }

    /// In each folder the unsynced changes survive in their order up to one chosen by chance.
    fn keep_some_names(&mut self) {
        let mut left: BTreeMap<PathBuf, u64> = BTreeMap::new();
        for change in &self.unsynced {
            *left.entry(change.folder()).or_default() += 1;
        }
        for kept in left.values_mut() {
            *kept = self.chance.below(*kept + 1);
        }
        for change in std::mem::take(&mut self.unsynced) {
            let kept = left.entry(change.folder()).or_default();
            if *kept > 0 {
                *kept -= 1;
                change.apply(&mut self.durable_names);
            }
        }
    }

    fn restore(&mut self, image: &Image) {
        self.unsynced.retain(|change| !change.folder().starts_with(&image.folder));
        self.names.retain(|path, _| !path.starts_with(&image.folder));
        self.durable_names.retain(|path, _| !path.starts_with(&image.folder));
        for (path, bytes) in &image.files {
            let inode = self.inodes.len();
            self.inodes.push(Inode { now: bytes.clone(), durable: bytes.clone(), unsynced: Vec::new() });
            self.names.insert(path.clone(), inode);
            self.durable_names.insert(path.clone(), inode);
            self.folders.extend(parent_of(path).ancestors().map(Path::to_owned));
        }
    }
}

#[derive(Clone, Default)]
struct Inode {
    /// What a reader sees while the power is on.
    now: Vec<u8>,
    /// What a power cut cannot take.
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

impl Inode {
    fn write(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }

    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }
}

#[derive(Clone)]
enum Change {
    Write { offset: usize, bytes: Arc<[u8]> },
    Length(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Length(bytes) => content.resize(*bytes, 0),
            Change::Write { offset, bytes } => put(content, *offset, bytes),
        }
    }

    /// Each sector that the write touches survives or not.
    fn apply_torn(&self, content: &mut Vec<u8>, chance: &mut Chance) {
        let Change::Write { offset, bytes } = self else {
            return self.apply(content);
        };
        if chance.below(2) == 0 && content.len() < offset + bytes.len() {
            // the new length reached the disk before the data did
            content.resize(offset + bytes.len(), 0);
        }
        let mut done = 0;
        while done < bytes.len() {
            let at = offset + done;
            let piece = (SECTOR_BYTES - at % SECTOR_BYTES).min(bytes.len() - done);
            if chance.below(2) == 0 {
                put(content, at, &bytes[done..done + piece]);
            }
            done += piece;
        }
    }
}

/// One change of names; a rename removes and puts at once.
#[derive(Clone)]
struct NameChange {
    remove: Option<PathBuf>,
    put: Option<PathBuf>,
    inode: usize,
}

impl NameChange {
    /// The folder in whose order the change stands: where the new name is, else where the old one was.
    fn folder(&self) -> PathBuf {
        let path = self.put.as_ref().or(self.remove.as_ref());
        path.map(|path| parent_of(path).to_owned()).unwrap_or_default()
    }

    fn touches(&self, folder: &Path) -> bool {
        self.put.iter().chain(&self.remove).any(|path| parent_of(path) == folder)
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        if let Some(path) = &self.remove
            && names.get(path) == Some(&self.inode)
        {
            names.remove(path);
        }
        if let Some(path) = &self.put {
            names.insert(path.clone(), self.inode);
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
#[derive(Clone, Default)]
struct Chance(u64);

impl Chance {
    /// A number in `0..bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

fn parent_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

fn power_is_off() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the power is off")
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
    let path = path.to_owned();
    move |source| DiskError { operation, path, source }
}
