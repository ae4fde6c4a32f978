//! Group commit: callers wait in a queue, one of them leads, writes for all that wait, and tells each how it went.

use super::{error::JournalError, group::SealedEntry, lock};
use disk::DiskError;
use domain::Secret32;
use ledger::{Commitment, Month, Salt, commitment::sealed_bytes};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// An entry ready to be written, but for its number.
pub(super) struct Draft {
    pub commitment: Commitment,
    pub salt: Salt,
    pub details: Vec<u8>,
    pub month: Month,
    pub key: Secret32,
}

impl Draft {
    /// How much of a group it takes.
    pub fn bytes(&self) -> usize {
        SealedEntry::bytes_for(sealed_bytes(self.details.len()))
    }
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    turned: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// By ticket; each caller takes its own.
    done: BTreeMap<u64, Result<u64, JournalError>>,
    next_ticket: u64,
    led: bool,
    broken: Option<Broken>,
}

struct Job {
    ticket: u64,
    drafts: Vec<Draft>,
}

#[derive(Clone)]
enum Broken {
    Disk(Arc<DiskError>),
    WriterDied,
}

/// The right to write. Dropped by a dying thread it leaves the queue broken, so that nobody waits for ever.
struct Leadership<'a>(&'a Queue);

impl Queue {
    /// Hands in drafts and waits until they are durable; `write` takes the drafts of a group and returns the number of its
    /// first entry. Returns the number of the first of ours.
    pub fn submit(
        &self,
        drafts: Vec<Draft>,
        bytes_max: usize,
        write: impl Fn(Vec<Draft>) -> Result<u64, DiskError>,
    ) -> Result<u64, JournalError> {
        let mut state = self.usable()?;
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.waiting.push_back(Job { ticket, drafts });
        loop {
            if let Some(outcome) = state.done.remove(&ticket) {
                return outcome;
            }
            if state.led {
                state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (leadership, jobs) = self.take_lead(state, bytes_max);
            self.write_for(jobs, &write);
            drop(leadership);
            state = lock(&self.state);
        }
    }

    /// Becomes the leader, writes for those that wait, then does `act` while nobody else writes. A disk error of `act` breaks
    /// the queue as one of `write` does; any other leaves it whole.
    pub fn lead<T>(
        &self,
        bytes_max: usize,
        write: impl Fn(Vec<Draft>) -> Result<u64, DiskError>,
        act: impl FnOnce() -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut state = self.usable()?;
        while state.led {
            state = self.turned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let (_leadership, jobs) = self.take_lead(state, bytes_max);
        self.write_for(jobs, &write);
        drop(self.usable()?);
        act().map_err(|error| match error {
            JournalError::Disk(source) => JournalError::Unknown { source: self.broken_by(source) },
            other => other,
        })
    }

    /// Refuses everything from the beginning: what was there could not be made certain.
    pub fn refuse(&self, source: DiskError) {
        drop(self.broken_by(source));
    }

    pub fn why_broken(&self) -> Option<String> {
        lock(&self.state).broken.as_ref().map(|broken| broken.refusal().to_string())
    }

    /// The state, unless an earlier write failed.
    fn usable(&self) -> Result<MutexGuard<'_, State>, JournalError> {
        let state = lock(&self.state);
        match &state.broken {
            Some(broken) => Err(broken.refusal()),
            None => Ok(state),
        }
    }

    /// Takes the lead and, in their order, as many waiting jobs as fit a group.
    fn take_lead<'a>(&'a self, mut state: MutexGuard<'a, State>, bytes_max: usize) -> (Leadership<'a>, Vec<Job>) {
        state.led = true;
        let mut bytes = 0;
        let mut jobs = Vec::new();
        while let Some(job) = state.waiting.front() {
            bytes += job.drafts.iter().map(Draft::bytes).sum::<usize>();
            if bytes > bytes_max && !jobs.is_empty() {
                break;
            }
            jobs.extend(state.waiting.pop_front());
        }
        (Leadership(self), jobs)
    }

    /// Writes one group for these jobs and leaves each its outcome.
    fn write_for(&self, jobs: Vec<Job>, write: impl Fn(Vec<Draft>) -> Result<u64, DiskError>) {
        if jobs.is_empty() {
            return;
        }
        let tickets: Vec<(u64, usize)> = jobs.iter().map(|job| (job.ticket, job.drafts.len())).collect();
        let written =
            write(jobs.into_iter().flat_map(|job| job.drafts).collect()).map_err(|source| self.broken_by(source));
        let mut state = lock(&self.state);
        let mut before = 0;
        for (ticket, count) in tickets {
            let outcome = match &written {
                Ok(first) => Ok(first + before),
                Err(source) => Err(JournalError::Unknown { source: source.clone() }),
            };
            state.done.insert(ticket, outcome);
            before += count as u64;
        }
    }

    /// Refuses everything from now on: what waits was certainly not written.
    fn broken_by(&self, source: DiskError) -> Arc<DiskError> {
        let source = Arc::new(source);
        self.refuse_all(Broken::Disk(source.clone()));
        source
    }

    fn refuse_all(&self, broken: Broken) {
        let mut state = lock(&self.state);
        for job in std::mem::take(&mut state.waiting) {
            state.done.insert(job.ticket, Err(broken.refusal()));
        }
        state.broken.get_or_insert(broken);
    }
}

impl Broken {
    fn refusal(&self) -> JournalError {
        match self {
            Broken::Disk(source) => JournalError::Broken { source: source.clone() },
            Broken::WriterDied => JournalError::WriterDied,
        }
    }
}

impl Drop for Leadership<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.refuse_all(Broken::WriterDied);
        }
        lock(&self.0.state).led = false;
        self.0.turned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Digest;
    use std::{sync::mpsc, thread};

    fn draft() -> Draft {
        let month = Month::from_yyyymm(202_603).unwrap();
        Draft { commitment: Digest([1; 32]), salt: [2; 16], details: vec![3; 100], month, key: Secret32::new([4; 32]) }
    }

    fn wait_until(condition: impl Fn() -> bool) {
        while !condition() {
            thread::yield_now();
        }
    }

    #[test]
    fn callers_that_come_while_a_group_is_written_share_the_next() {
        let queue = Queue::default();
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(Some(released));
        let groups = Mutex::new(Vec::new());
        let write = |drafts: Vec<Draft>| {
            let first = groups.lock().unwrap().iter().sum::<usize>() as u64;
            groups.lock().unwrap().push(drafts.len());
            let wait = released.lock().unwrap().take();
            wait.inspect(|released| released.recv().unwrap());
            Ok(first)
        };
        let mut firsts: Vec<u64> = thread::scope(|scope| {
            let leader = scope.spawn(|| queue.submit(vec![draft()], usize::MAX, write).unwrap());
            wait_until(|| groups.lock().unwrap().len() == 1);
            let followers: Vec<_> = (0..5)
                .map(|_| scope.spawn(|| queue.submit(vec![draft(), draft()], usize::MAX, write).unwrap()))
                .collect();
            wait_until(|| lock(&queue.state).waiting.len() == 5);
            release.send(()).unwrap();
            [leader].into_iter().chain(followers).map(|thread| thread.join().unwrap()).collect()
        });
        firsts.sort_unstable();
        assert_eq!(firsts, [0, 1, 3, 5, 7, 9]);
        assert_eq!(*groups.lock().unwrap(), [1, 10]);
    }

    #[test]
    fn a_group_takes_no_more_than_fits() {
        let queue = Queue::default();
        for ticket in 0..3 {
            lock(&queue.state).waiting.push_back(Job { ticket, drafts: vec![draft()] });
        }
        let sizes = Mutex::new(Vec::new());
        lock(&queue.state).next_ticket = 3;
        let write = |drafts: Vec<Draft>| {
            sizes.lock().unwrap().push(drafts.len());
            Ok(0)
        };
        queue.submit(vec![draft()], draft().bytes() * 3, write).unwrap();
        assert_eq!(*sizes.lock().unwrap(), [3, 1]);
    }

    #[test]
    fn a_leader_that_dies_leaves_nobody_waiting() {
        let queue = Queue::default();
        let died = thread::scope(|scope| {
            scope.spawn(|| queue.submit(vec![draft()], usize::MAX, |_| panic!("expected by this test"))).join()
        });
        assert!(died.is_err());
        let refused = queue.submit(vec![draft()], usize::MAX, |_| Ok(0));
        assert!(matches!(refused, Err(JournalError::WriterDied)), "{refused:?}");
    }
}
