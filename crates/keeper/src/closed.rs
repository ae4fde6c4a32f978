//! Footage that is closed while its keys wait (K9): the hours are the keeper's to know, their bytes the recorder's.

use crate::core::KeeperCore;
use domain::{CameraId, Hour, UtcMicros};
use policy::retention::closes_at;
use std::collections::{BTreeMap, BTreeSet};
use vault::keeper::Dead;

/// A pulse is one message of 1 MiB: 16 bytes a camera. What is beyond is counted by the hours' number only.
const CAMERAS_PER_PULSE: usize = 16_384;

impl KeeperCore {
    /// Condemned and not confirmed dead, or closed by the fastest plausible clock while no time is trusted.
    pub(crate) fn closed_unconfirmed(&self) -> BTreeMap<Hour, BTreeSet<CameraId>> {
        let judgement = self.judgement();
        let closed = |deadline: UtcMicros| judgement.trusted.is_none() && judgement.is_closed(closes_at(deadline));
        let mut waiting: BTreeMap<Hour, BTreeSet<CameraId>> = BTreeMap::new();
        for (hour, camera, fate) in self.moving().fates.pressing(closed) {
            if fate.condemned_at.is_some() || fate.deadline.is_some_and(closed) {
                waiting.entry(hour).or_default().insert(camera);
            }
        }
        if judgement.trusted.is_none() {
            for summary in self.parts.keyring.hours() {
                let cameras =
                    summary.cameras.iter().filter(|(_, deadline)| closed(**deadline)).map(|(camera, _)| *camera);
                let cameras: BTreeSet<CameraId> = cameras.collect();
                if !cameras.is_empty() {
                    waiting.entry(summary.hour).or_default().extend(cameras);
                }
            }
        }
        waiting
    }

    pub(crate) fn closed_for_the_recorder(&self) -> Vec<Dead> {
        let mut named = 0;
        let waiting = self.closed_unconfirmed().into_iter();
        waiting
            .map(|(hour, cameras)| Dead { hour, cameras: cameras.into_iter().collect() })
            .take_while(|closed| {
                named += closed.cameras.len();
                named <= CAMERAS_PER_PULSE
            })
            .collect()
    }
}
