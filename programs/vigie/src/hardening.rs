//! Holders of keys leave no core dump, are not debugged, are not swapped (K11).

use keeper::wire::{Finding, FindingState};
use rustix::{
    mm::{MlockAllFlags, mlockall},
    process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit},
};

/// No core dumps, no ptrace by the same user.
pub fn no_dumps() -> Option<Finding> {
    let no_core = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let not_dumpable = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    no_core
        .and(not_dumpable)
        .err()
        .map(|error| finding("dumps", "Vidages mémoire", "Memory dumps", &format!("{error}")))
}

/// All memory that is touched is locked; a refusal is a health state, not an end (K11).
pub fn no_swap() -> Option<Finding> {
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).err().map(|error| {
        finding("swap", "Mémoire verrouillée", "Locked memory", &format!("{error} (LimitMEMLOCK=infinity)"))
    })
}

fn finding(id: &str, title_fr: &str, title_en: &str, why: &str) -> Finding {
    Finding {
        id: id.into(),
        state: FindingState::Warning,
        title_fr: title_fr.into(),
        title_en: title_en.into(),
        detail_fr: format!("Le système refuse de protéger la mémoire des clés : {why}."),
        detail_en: format!("The system refuses to protect the keys' memory: {why}."),
    }
}
