//! What rights go by besides a role: what a camera films, its commune and groups, the teams of persons. 1 checked · 2 entry ·
//! 3 the registry has it from now on · 4 looks that were permitted by what it was before end.

use crate::{
    core::{KeeperCore, failed, malformed},
    wire::Answer,
};
use catalog::{AccountId, Camera};
use domain::{CameraRights, Sensitive, UtcMicros, rights::check_names};
use ledger::{Actor, Event};
use policy::territory;
use std::collections::BTreeMap;
use vault::KeeperError;

impl KeeperCore {
    pub(crate) fn camera_rights(&self, actor: Actor, name: &str, rights: CameraRights) -> Result<Answer, KeeperError> {
        check_names(&rights.groups).map_err(|error| malformed(error.to_string()))?; // 1
        let (now, camera) = (self.trusted()?, self.by_name(name)?.camera);
        let details = format!("{name}: {}", rights_words(&rights));
        self.enter_events(actor, vec![Event::Camera { change: "rights".into(), camera: camera.id, details }])?; // 2
        let id = camera.id;
        self.put(Camera { rights, ..camera }, now)?; // 3
        self.end_permits_on(id); // 4
        Ok(Answer::Done)
    }

    pub(crate) fn account_teams(
        &self,
        actor: Actor,
        name: &Sensitive<String>,
        teams: &[String],
    ) -> Result<Answer, KeeperError> {
        check_names(teams).map_err(|error| malformed(error.to_string()))?; // 1
        let now = self.trusted()?;
        let known = self.parts.registry.account_by_name(name.reveal()).map_err(failed)?;
        let account = known.ok_or_else(|| malformed("no account has that name: `vigie account list` names them"))?;
        let change = format!("teams: {}", list(teams));
        self.enter_events(actor, vec![Event::Account { change, name: name.clone(), role: account.role }])?; // 2
        self.parts.registry.teams_put(account.id, teams, now, now).map_err(failed)?; // 3
        self.end_permits_of(account.id); // 4
        Ok(Answer::Done)
    }

    /// Everybody's teams.
    pub(crate) fn teams(&self, now: UtcMicros) -> Result<BTreeMap<AccountId, Vec<String>>, KeeperError> {
        self.parts.registry.teams_at(now, now).map_err(failed)
    }
}

/// As the ledger says it.
pub(crate) fn rights_words(rights: &CameraRights) -> String {
    let (films, commune) = (rights.films, territory::of_camera(rights));
    format!("films {films} · commune {commune} · groups {}", list(&rights.groups))
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}
