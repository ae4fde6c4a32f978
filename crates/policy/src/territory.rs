//! Where somebody may look: the communes of a person's habilitation, held against the commune of a camera (CSI R253-3 II 2°).
//!
//! In a town that says nothing of communes everything is the controller's own. Once acts or cameras name one, both must: what is
//! named on one side only is not the same commune, and refuses.

use crate::acts::is_capacity;
use domain::{AccountId, Act, ActScope, ActTerms, CameraRights, Commune, Role, UtcMicros};

/// The controller's own territory, where no code is entered.
pub const OWN: &str = "own";

/// The communes of the acts by which a person has this capacity at `now`; an act that names no code is for the controller's own.
pub fn of_person(acts: &[Act], account: AccountId, role: Role, now: UtcMicros) -> Vec<String> {
    let mut found = Vec::new();
    let holding =
        acts.iter().filter(|act| is_capacity(act.kind) && act.scope == ActScope::Person(account) && act.holds_at(now));
    for act in holding {
        let ActTerms::Capacity { role: named, territory } = &act.terms else { continue };
        if *named != role {
            continue;
        }
        let communes = Commune::named_in(territory);
        let codes = communes.iter().map(|commune| commune.code().to_owned());
        found.extend(if communes.is_empty() { vec![OWN.to_owned()] } else { codes.collect() });
    }
    found.sort_unstable();
    found.dedup();
    found
}

pub fn of_camera(rights: &CameraRights) -> String {
    rights.commune.as_ref().map_or_else(|| OWN.to_owned(), |commune| commune.code().to_owned())
}

/// Whether the law binds this capacity to a territory: those of R253-3 II 2°.
pub const fn is_bound(role: Role) -> bool {
    matches!(role, Role::Elected | Role::MunicipalPolice | Role::Operator)
}
