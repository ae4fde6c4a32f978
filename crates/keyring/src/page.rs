//! One page: the erasable keys of one hour, one per camera.

use crate::contents::Which;
use domain::{CameraId, Hour, Random, Secret32, UtcMicros};
use std::collections::BTreeMap;

/// The key of one camera in one hour, under which its data keys are wrapped (K1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CameraKey {
    pub key: Secret32,
    /// When the key must be gone; it only ever moves earlier (K7).
    pub deadline: UtcMicros,
}

/// The keys of one hour. Secrets are wiped when it is dropped and never print.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    pub hour: Hour,
    /// Keys the lookup tag of key records (K6).
    pub lookup: Secret32,
    pub cameras: BTreeMap<CameraId, CameraKey>,
}

impl Page {
    /// A page for an hour that has none.
    pub(crate) fn draw(hour: Hour, random: &dyn Random) -> Page {
        Page { hour, lookup: Secret32::draw(random), cameras: BTreeMap::new() }
    }

    /// Adds missing cameras with new keys and shrinks the deadlines of known ones; says whether anything changed.
    pub(crate) fn add(&mut self, cameras: &[(CameraId, UtcMicros)], random: &dyn Random) -> bool {
        let mut changed = false;
        for (camera, deadline) in cameras {
            if self.cameras.contains_key(camera) {
                changed |= self.shorten(*camera, *deadline);
            } else {
                self.cameras.insert(*camera, CameraKey { key: Secret32::draw(random), deadline: *deadline });
                changed = true;
            }
        }
        changed
    }

    /// Moves a camera's deadline earlier; says whether it moved.
    pub(crate) fn shorten(&mut self, camera: CameraId, deadline: UtcMicros) -> bool {
        match self.cameras.get_mut(&camera) {
            Some(known) if deadline < known.deadline => {
                known.deadline = deadline;
                true
            }
            _ => false,
        }
    }

    /// Drops the keys that `which` names; says how many.
    pub(crate) fn drop_keys(&mut self, which: &Which) -> usize {
        let before = self.cameras.len();
        self.cameras.retain(|camera, _| !which.names(*camera));
        before - self.cameras.len()
    }

    pub(crate) fn deadlines(&self) -> BTreeMap<CameraId, UtcMicros> {
        self.cameras.iter().map(|(camera, key)| (*camera, key.deadline)).collect()
    }

    pub(crate) fn earliest(&self) -> Option<UtcMicros> {
        self.cameras.values().map(|key| key.deadline).min()
    }
}
