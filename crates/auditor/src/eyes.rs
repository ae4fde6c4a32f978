//! What the auditor sees by itself: which hours lie in the store until when, as the reels' signed headers say in clear (R7), and
//! how far the log's public checkpoint goes. It opens for reading only.

use disk::{Disk, Open, read_all};
use domain::{
    Hour, UtcMicros,
    limit::{BLOCK_BYTES, NOTE_BYTES_MAX, RECORD_HEADER_BYTES, RETENTION_SLOTS_PER_LOOK},
};
use ledger::checkpoint;
use seal::{Kind, RecordHeader, reel::ReelHeader, sign::PublicKey};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Looks at store and log.
pub struct Eyes {
    disk: Arc<dyn Disk>,
    /// The folders of slots, one a root of the store.
    slots: Vec<PathBuf>,
    checkpoint: PathBuf,
    /// What the first reel of each slot said when it was last read.
    seen: BTreeMap<PathBuf, Sight>,
    /// The slot that was read last.
    last: PathBuf,
}

/// Of which hour a reel is, and until when it may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sight {
    pub hour: Hour,
    pub deadline: UtcMicros,
}

impl Eyes {
    /// `stores` are the store's folders, `public` is that of the log's public files.
    pub fn new(disk: Arc<dyn Disk>, stores: &[PathBuf], public: &Path) -> Eyes {
        let (slots, checkpoint) = (stores.iter().map(|store| store.join("slots")), public.join("checkpoint"));
        Eyes { disk, slots: slots.collect(), checkpoint, seen: BTreeMap::new(), last: PathBuf::new() }
    }

    /// How many entries the log's checkpoint names; none where it cannot be read.
    pub fn log_size(&self) -> Option<u64> {
        let note = read_all(&*self.disk, &self.checkpoint, NOTE_BYTES_MAX).ok()?;
        checkpoint::claimed(&note).map(|(_, checkpoint)| checkpoint.size)
    }

    /// Reads some more slots, in turn, and tells what all of them said last. A slot that does not read is recorder's and
    /// scrubber's to tell of.
    pub fn look_at_store(&mut self, site_key: &PublicKey) -> BTreeSet<Sight> {
        let (mut names, mut away) = (BTreeSet::new(), Vec::new());
        for folder in &self.slots {
            match self.disk.list(folder) {
                Ok(listed) => {
                    let listed = listed.into_iter().filter(|name| name.ends_with(".slot"));
                    names.extend(listed.map(|name| folder.join(name)));
                }
                Err(_) => away.push(folder), // what was seen on a disk that is away stays known
            }
        }
        if away.len() < self.slots.len() {
            self.seen.retain(|name, _| names.contains(name) || away.iter().any(|folder| name.starts_with(folder)));
            let behind = names.iter().filter(|name| **name > self.last);
            let turn: Vec<&PathBuf> = behind.chain(&names).take(RETENTION_SLOTS_PER_LOOK.min(names.len())).collect();
            for name in turn {
                match self.sight(name, site_key) {
                    Some(sight) => drop(self.seen.insert(name.clone(), sight)),
                    None => drop(self.seen.remove(name)),
                }
                self.last.clone_from(name);
            }
        }
        self.seen.values().copied().collect()
    }

    /// Slots of which something is known.
    pub fn slots_seen(&self) -> usize {
        self.seen.len()
    }

    /// The reel that begins in a slot, right behind its first block (R2); none where one goes on there: it begins in another.
    fn sight(&self, slot: &Path, site_key: &PublicKey) -> Option<Sight> {
        let mut block = vec![0; BLOCK_BYTES];
        self.disk.open(slot, Open::Read).ok()?.read_at(&mut block, BLOCK_BYTES as u64).ok()?;
        let record = RecordHeader::from_bytes(&block).ok().filter(|record| record.kind == Kind::Header)?;
        let payload = block.get(RECORD_HEADER_BYTES..record.record_bytes() as usize)?;
        let header = ReelHeader::from_payload(record.reel, payload, site_key).ok()?;
        Some(Sight { hour: header.hour, deadline: header.deadline })
    }
}
