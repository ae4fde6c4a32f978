//! The law in force, and the facts of persons, cameras and acts that it decides on.

use crate::core::{KeeperCore, failed};
use catalog::Account;
use domain::{CameraId, UtcMicros};
use policy::{CameraFacts, Law, Paper, PersonFacts};
use std::sync::{Arc, PoisonError};
use vault::KeeperError;

impl KeeperCore {
    /// The law pack in force with the town's own rules.
    pub fn law(&self) -> Arc<Law> {
        self.law.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn person_facts(&self, account: &Account, now: UtcMicros) -> Result<PersonFacts, KeeperError> {
        let role = account.role.parse().map_err(failed)?;
        let _ = now;
        Ok(PersonFacts { account: account.id, role, habilitated: true })
    }

    /// Each camera as the registry has it; one that it does not know has `exists: false`.
    pub(crate) fn camera_facts(&self, cameras: &[CameraId], now: UtcMicros) -> Result<Vec<CameraFacts>, KeeperError> {
        let in_service = self.parts.registry.cameras(now).map_err(failed)?;
        let facts = |id: &CameraId| {
            let recorded = in_service.iter().find(|version| version.camera.id == *id).cloned();
            let recording = recorded.is_some();
            let known = match recorded {
                Some(version) => Some(version),
                None => self.parts.registry.camera(*id, now).map_err(failed)?,
            };
            let exists = known.is_some();
            let (name, place, purposes) = known.map_or_else(Default::default, |version| {
                let camera = version.camera;
                (camera.name, camera.place, camera.purposes)
            });
            Ok(CameraFacts { id: *id, name, place, exists, recording, public_road: true, purposes, missing: vec![] })
        };
        cameras.iter().map(facts).collect()
    }

    /// Papers that hold now and on which gated capabilities depend.
    pub(crate) fn papers(&self, _now: UtcMicros) -> Result<Vec<Paper>, KeeperError> {
        Ok(vec![])
    }
}
