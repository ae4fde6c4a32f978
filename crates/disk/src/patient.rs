//! A disk that is waited for so long and no longer: one of several that hangs must not hold up the others (decision 0065).
//!
//! Each operation is done by another thread. One that does not answer in time is an error of kind `TimedOut`: it may have
//! happened, and may still happen. Until it has ended, every other operation is refused at once, so that what a disk does
//! late is done before anything that was asked for after it.

use crate::{Disk, DiskError, DiskFile, Open, Result};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

/// What a direct write or read asks of its memory (open(2), O_DIRECT): that of [`Open::Direct`].
const ALIGNED: usize = 4_096;
const STACK_BYTES: usize = 128 * 1_024;

/// See above.
pub struct PatientDisk {
    inner: Arc<dyn Disk>,
    lane: Arc<Lane>,
}

impl PatientDisk {
    /// Waits for `patience` on each operation of `inner`.
    pub fn new(inner: Arc<dyn Disk>, patience: Duration) -> PatientDisk {
        let (hung, idle) = Default::default();
        PatientDisk { inner, lane: Arc::new(Lane { patience, hung, idle }) }
    }

    fn ask<T: Send + 'static>(
        &self,
        operation: &'static str,
        path: &Path,
        work: impl FnOnce(&dyn Disk, &Path) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (inner, owned) = (self.inner.clone(), path.to_owned());
        self.lane.ask(operation, path, move || work(&*inner, &owned))
    }
}

impl Disk for PatientDisk {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>> {
        let inner = self.ask("open", path, move |disk, path| disk.open(path, how))?;
        Ok(Arc::new(PatientFile { inner, lane: self.lane.clone(), path: path.to_owned() }))
    }
    fn exists(&self, path: &Path) -> Result<bool> {
        self.ask("look for", path, |disk, path| disk.exists(path))
    }
    fn create_dir(&self, path: &Path) -> Result<()> {
        self.ask("create folder", path, |disk, path| disk.create_dir(path))
    }
    fn list(&self, path: &Path) -> Result<Vec<String>> {
        self.ask("list", path, |disk, path| disk.list(path))
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let to = to.to_owned();
        self.ask("rename", from, move |disk, from| disk.rename(from, &to))
    }
    fn remove(&self, path: &Path) -> Result<()> {
        self.ask("remove", path, |disk, path| disk.remove(path))
    }
    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.ask("sync folder", path, |disk, path| disk.sync_dir(path))
    }
    fn free_bytes(&self, path: &Path) -> Result<Option<u64>> {
        self.ask("ask for the free space of", path, |disk, path| disk.free_bytes(path))
    }
}

struct PatientFile {
    inner: Arc<dyn DiskFile>,
    lane: Arc<Lane>,
    path: PathBuf,
}

impl PatientFile {
    fn ask<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&dyn DiskFile) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = self.inner.clone();
        self.lane.ask(operation, &self.path, move || work(&*inner))
    }
}

impl DiskFile for PatientFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let len = bytes.len();
        let read = self.ask("read", move |file| {
            let mut buffer = Aligned::zeros(len);
            file.read_at(buffer.bytes_mut(), offset).map(|()| buffer)
        })?;
        bytes.copy_from_slice(read.bytes());
        Ok(())
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        // the caller has its memory back when this returns, and the disk may not have
        let mut buffer = Aligned::zeros(bytes.len());
        buffer.bytes_mut().copy_from_slice(bytes);
        self.ask("write", move |file| file.write_at(buffer.bytes(), offset))
    }
    fn sync(&self) -> Result<()> {
        self.ask("sync", |file| file.sync())
    }
    fn len(&self) -> Result<u64> {
        self.ask("measure", |file| file.len())
    }
    fn set_len(&self, bytes: u64) -> Result<()> {
        self.ask("set the length of", move |file| file.set_len(bytes))
    }
}

/// The threads of one disk.
struct Lane {
    patience: Duration,
    /// Operations that nobody waits for any more and that have not ended.
    hung: AtomicUsize,
    idle: Mutex<Vec<Sender<Job>>>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Lane {
    fn ask<T: Send + 'static>(
        self: &Arc<Lane>,
        operation: &'static str,
        path: &Path,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let failed = |source: io::Error| DiskError { operation, path: path.to_owned(), source };
        let hangs = || failed(io::Error::new(io::ErrorKind::TimedOut, "the disk does not answer"));
        if self.hung.load(Ordering::SeqCst) > 0 {
            return Err(hangs());
        }
        let (answer, answered) = channel();
        // whoever comes second, the answer or the end of patience, knows of the other
        let (first, lane) = (Arc::new(AtomicBool::new(true)), self.clone());
        let came_first = first.clone();
        let job: Job = Box::new(move || {
            let result = work();
            if came_first.swap(false, Ordering::SeqCst) {
                drop(answer.send(result));
            } else {
                lane.hung.fetch_sub(1, Ordering::SeqCst);
            }
        });
        let worker = self.worker().map_err(failed)?;
        drop(worker.send(job));
        let result = match answered.recv_timeout(self.patience) {
            Ok(result) => result,
            Err(RecvTimeoutError::Disconnected) => return Err(failed(io::ErrorKind::Other.into())),
            Err(RecvTimeoutError::Timeout) => {
                self.hung.fetch_add(1, Ordering::SeqCst);
                if first.swap(false, Ordering::SeqCst) {
                    return Err(hangs()); // its thread ends when the operation does: nobody sends it anything more
                }
                self.hung.fetch_sub(1, Ordering::SeqCst);
                answered.recv().map_err(|_| hangs())?
            }
        };
        self.idle().push(worker);
        result
    }

    fn worker(&self) -> io::Result<Sender<Job>> {
        if let Some(idle) = self.idle().pop() {
            return Ok(idle);
        }
        let (worker, jobs): (Sender<Job>, Receiver<Job>) = channel();
        let work = move || jobs.into_iter().for_each(|job| job());
        thread::Builder::new().name("disk".into()).stack_size(STACK_BYTES).spawn(work)?;
        Ok(worker)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Sender<Job>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that begin at a multiple of [`ALIGNED`] in memory.
struct Aligned {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl Aligned {
    fn zeros(len: usize) -> Aligned {
        let memory = vec![0; len + ALIGNED];
        let start = memory.as_ptr().align_offset(ALIGNED).min(ALIGNED);
        Aligned { memory, start, len }
    }
    fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }
    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FaultyDisk;
    use std::sync::Condvar;

    /// A disk whose writes wait while it is frozen.
    struct Freezing {
        disk: FaultyDisk,
        frozen: Arc<(Mutex<bool>, Condvar)>,
    }

    struct FreezingFile {
        file: Arc<dyn DiskFile>,
        frozen: Arc<(Mutex<bool>, Condvar)>,
    }

    impl Disk for Freezing {
        fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>> {
            Ok(Arc::new(FreezingFile { file: self.disk.open(path, how)?, frozen: self.frozen.clone() }))
        }
        fn exists(&self, path: &Path) -> Result<bool> {
            self.disk.exists(path)
        }
        fn create_dir(&self, path: &Path) -> Result<()> {
            self.disk.create_dir(path)
        }
        fn list(&self, path: &Path) -> Result<Vec<String>> {
            self.disk.list(path)
        }
        fn rename(&self, from: &Path, to: &Path) -> Result<()> {
            self.disk.rename(from, to)
        }
        fn remove(&self, path: &Path) -> Result<()> {
            self.disk.remove(path)
        }
        fn sync_dir(&self, path: &Path) -> Result<()> {
            self.disk.sync_dir(path)
        }
    }

    impl DiskFile for FreezingFile {
        fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
            self.file.read_at(bytes, offset)
        }
        fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
            let (frozen, thawed) = &*self.frozen;
            drop(thawed.wait_while(frozen.lock().unwrap(), |frozen| *frozen).unwrap());
            self.file.write_at(bytes, offset)
        }
        fn sync(&self) -> Result<()> {
            self.file.sync()
        }
        fn len(&self) -> Result<u64> {
            self.file.len()
        }
        fn set_len(&self, bytes: u64) -> Result<()> {
            self.file.set_len(bytes)
        }
    }

    #[test]
    fn a_disk_that_hangs_is_an_error_in_time_and_is_used_again_only_when_what_it_owed_is_done() {
        let frozen = Arc::new((Mutex::new(false), Condvar::new()));
        let inner = Freezing { disk: FaultyDisk::new(1), frozen: frozen.clone() };
        let disk = PatientDisk::new(Arc::new(inner), Duration::from_millis(50));
        let path = Path::new("/a/file");
        disk.create_dir(Path::new("/a")).unwrap();
        let file = disk.open(path, Open::Create).unwrap();
        file.write_at(b"before", 0).unwrap();
        *frozen.0.lock().unwrap() = true;
        assert_eq!(file.write_at(b"during", 0).unwrap_err().kind(), io::ErrorKind::TimedOut);
        // nothing is asked of it meanwhile, and nobody waits
        assert_eq!(disk.exists(path).unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(file.sync().unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(disk.lane.hung.load(Ordering::SeqCst), 1);
        *frozen.0.lock().unwrap() = false;
        frozen.1.notify_all();
        while disk.exists(path).is_err() {
            thread::yield_now();
        }
        let mut read = [0; 6];
        file.read_at(&mut read, 0).unwrap();
        assert_eq!(&read, b"during", "what was asked for first is done first");
        file.write_at(b"after.", 0).unwrap();
        file.read_at(&mut read, 0).unwrap();
        assert_eq!((&read, file.len().unwrap()), (b"after.", 6));
    }

    #[test]
    fn all_that_a_disk_does_is_done_and_its_threads_are_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let disk = PatientDisk::new(Arc::new(crate::RealDisk), Duration::from_secs(60));
        let (below, path) = (folder.path().join("b"), folder.path().join("b/file"));
        disk.create_dir(&below).unwrap();
        crate::write_all(&disk, &path, &[7; 10_000]).unwrap();
        assert_eq!(crate::read_all(&disk, &path, 10_000).unwrap(), [7; 10_000]);
        let direct = disk.open(&path, Open::Direct).unwrap();
        direct.set_len(8_192).unwrap();
        direct.write_at(&[8; 4_096], 4_096).unwrap();
        let mut block = vec![0; 4_096];
        direct.read_at(&mut block, 4_096).unwrap();
        assert_eq!(block, [8; 4_096]);
        assert_eq!(disk.open(Path::new("/there/is/none"), Open::Read).map(drop).unwrap_err().operation, "open");
        disk.rename(&path, &below.join("other")).unwrap();
        assert_eq!(disk.list(&below).unwrap(), ["other"]);
        assert!(disk.free_bytes(&below).unwrap().is_some());
        disk.remove(&below.join("other")).unwrap();
        assert!(!disk.exists(&below.join("other")).unwrap());
        assert_eq!(disk.lane.idle().len(), 1, "one at a time needs one thread");
    }
}
