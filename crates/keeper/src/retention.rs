//! What the keeper tells the independent auditor of destruction (decision 0053): counts, and when destruction last had its turn.

use crate::{
    core::{KeeperCore, failed},
    fates::Fate,
    wire::{HourKeys, KeysAlive, KeysEnded, RetentionView},
};
use domain::{CameraId, Hour, UtcMicros, limit::RETENTION_DAYS_MAX};
use std::collections::BTreeMap;
use vault::KeeperError;

/// Hours older than this have no lawful key, and are told of no more once they have none.
const HOURS_BACK_SECONDS: i64 = 40 * 86_400;
/// What died before is known from an earlier look.
const ENDED_BACK_SECONDS: i64 = 2 * 86_400;

impl KeeperCore {
    /// Destruction went through all hours, whatever came of it.
    pub(crate) fn note_turn(&self) {
        self.moving().destruction_turned = Some(self.parts.clock.boot());
    }

    pub fn retention_view(&self) -> Result<RetentionView, KeeperError> {
        let now = self.stamp();
        let delays = self.delays(now)?;
        let mut alive: BTreeMap<Hour, BTreeMap<CameraId, UtcMicros>> = BTreeMap::new();
        for summary in self.parts.keyring.hours() {
            let mut cameras = summary.cameras;
            if cameras.is_empty() {
                // a page that does not read in any copy lives until it is destroyed
                cameras.insert(CameraId([0; 16]), summary.earliest);
            }
            alive.insert(summary.hour, cameras);
        }
        let first = self.parts.hour_length.hour_of(now.plus_seconds(-HOURS_BACK_SECONDS));
        let (mut hours, mut ended) = (BTreeMap::<Hour, u32>::new(), Vec::new());
        let since = now.plus_seconds(-ENDED_BACK_SECONDS);
        for (hour, camera, fate) in self.moving().fates.from(first) {
            let of_hour = hours.entry(hour).or_default();
            let lives = alive.get(&hour).is_some_and(|cameras| cameras.contains_key(&camera));
            let Some(at) = fate.condemned_at.or(fate.destroyed_at).filter(|_| !lives) else { continue };
            *of_hour += 1;
            if since <= at {
                note_ended(&mut ended, hour, &fate, at);
            }
        }
        for hour in alive.keys() {
            hours.entry(*hour).or_default();
        }
        let told = |(hour, ended)| HourKeys {
            hour,
            alive: alive.get(&hour).map(|cameras| grouped(cameras, &delays)).unwrap_or_default(),
            ended,
        };
        let boot = self.parts.clock.boot().0;
        let turned = self.moving().destruction_turned;
        Ok(RetentionView {
            now: self.judgement().trusted,
            turned_seconds: turned.map(|turned| (boot - turned.0).max(0) as u64 / 1_000_000),
            site_key: self.site_key.public(),
            hours: hours.into_iter().map(told).collect(),
            ended,
        })
    }

    /// The registered delay of each camera that is in service, or what an order made of it.
    fn delays(&self, now: UtcMicros) -> Result<BTreeMap<CameraId, u32>, KeeperError> {
        let versions = self.parts.registry.cameras(now).map_err(failed)?;
        let moving = self.moving();
        let of = |version: catalog::CameraVersion| {
            let camera = version.camera;
            (camera.id, moving.fates.orders.delay(camera.id, camera.delay_days))
        };
        Ok(versions.into_iter().map(of).collect())
    }
}

fn note_ended(ended: &mut Vec<KeysEnded>, hour: Hour, fate: &Fate, at: UtcMicros) {
    let (deadline, early) = (fate.deadline, fate.early);
    let same =
        |known: &&mut KeysEnded| (known.hour, known.deadline, known.at, known.early) == (hour, deadline, at, early);
    match ended.iter_mut().rev().take_while(|known| known.hour == hour).find(same) {
        Some(known) => known.keys += 1,
        None => ended.push(KeysEnded { hour, deadline, at, early, keys: 1 }),
    }
}

fn grouped(cameras: &BTreeMap<CameraId, UtcMicros>, delays: &BTreeMap<CameraId, u32>) -> Vec<KeysAlive> {
    let mut groups: BTreeMap<(UtcMicros, u32), u32> = BTreeMap::new();
    for (camera, deadline) in cameras {
        let days = delays.get(camera).copied().unwrap_or(RETENTION_DAYS_MAX);
        *groups.entry((*deadline, days)).or_default() += 1;
    }
    groups.into_iter().map(|((deadline, days), keys)| KeysAlive { deadline, days, keys }).collect()
}
