//! Whose turn it is: reels are spread over the roots by the room that each has, and none begins where writing failed.

use super::{Family, LocalStore, Location, Result, Root, StoreError};
use domain::limit::ROOT_TURNS_MAX;
use std::{collections::BTreeMap, sync::MutexGuard};

/// Reels begun lately, by root.
#[derive(Default)]
pub(super) struct Turns(BTreeMap<u8, u64>);

impl Turns {
    /// The root with the most room for each reel that it was given and for this one (d'Hondt's rule): over time each has its
    /// share, and none waits until another is full.
    fn next<'a>(&self, roots: &[(&'a Root, u64)]) -> Option<&'a Root> {
        let share = |number: u8, room: u64| room / (1 + self.0.get(&number).copied().unwrap_or(0));
        let most = roots.iter().max_by_key(|(root, room)| {
            let number = root.marker.number;
            (share(number, *room), u8::MAX - number)
        });
        most.map(|(root, _)| *root)
    }

    fn began(&mut self, number: u8) {
        *self.0.entry(number).or_insert(0) += 1;
        // what is past weighs less: a disk that was away does not get every reel until it has caught up
        if self.0.values().sum::<u64>() >= ROOT_TURNS_MAX {
            self.0.values_mut().for_each(|reels| *reels /= 2);
        }
    }
}

impl LocalStore {
    /// Where the next reel begins: in a root that is well and has room, else in one that is held, else where at least the disk
    /// may be well; the first where none is. Errors: there is no root at all.
    pub(super) fn next_root(&self) -> Result<&Root> {
        if let [only] = self.roots() {
            return Ok(only);
        }
        let is_able = |root: &Root| root.free_bytes().is_ok_and(|bytes| bytes > 0) && root.trouble().is_none();
        let room = |root: &Root| root.room().ok().filter(|_| is_able(root));
        let mut able: Vec<(&Root, u64)> = self.roots().iter().filter_map(|root| Some((root, room(root)?))).collect();
        if able.iter().any(|(root, _)| !root.is_held()) {
            able.retain(|(root, _)| !root.is_held());
        }
        let well = || self.roots().iter().find(|root| root.trouble().is_none());
        let next = self.turns().next(&able).or_else(well).or(self.roots().first());
        next.ok_or(StoreError::RootAway { number: 0 })
    }

    /// The root in which a reel begins with a slot of its own.
    pub(super) fn begin(&self, family: Family) -> Result<&Root> {
        let root = self.next_root()?;
        if self.roots().len() > 1 {
            // no row names a place in a slot that is begun already: a recovery would not find it there
            root.finish(|finished| *finished == family);
        }
        self.began(root.marker.number);
        Ok(root)
    }

    pub(super) fn began(&self, number: u8) {
        self.turns().began(number);
    }

    /// Whether a reel had better end where it is, because its root has less room than so many bytes and another has more.
    pub fn is_short(&self, location: &Location, bytes: u64) -> bool {
        let room = |root: &Root| root.free_bytes().unwrap_or(0);
        let Some(here) = location.root().filter(|_| self.roots().len() > 1) else { return false };
        let short = self.root(here).is_ok_and(|root| room(root) < bytes);
        short && self.roots().iter().any(|root| root.trouble().is_none() && room(root) >= bytes)
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().expect("no thread panics while it holds the roots' turns")
    }
}
