//! Files, TCP ports and signals, by Landlock.

use crate::{Lack, Limits};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, NetPort, PathBeneath, PathFd, RestrictionStatus,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, Scope,
};
use std::path::Path;

/// The newest version of the kernel's interface that this was tried with; an older kernel gives what it has.
const TRIED: ABI = ABI::V7;

/// What could not be had.
pub fn enter(limits: &Limits) -> Vec<Lack> {
    match restrict(limits) {
        Err(source) => vec![Lack::Files { source }],
        Ok(RestrictionStatus { landlock: LandlockStatus::Available { effective_abi, .. }, .. }) => {
            let ports = (effective_abi < ABI::V4 && limits.connect.is_some()).then_some(Lack::NoPorts);
            let signals = (effective_abi < ABI::V6).then_some(Lack::NoSignals);
            ports.into_iter().chain(signals).collect()
        }
        Ok(_) => vec![Lack::NoLandlock],
    }
}

fn restrict(limits: &Limits) -> Result<RestrictionStatus, RulesetError> {
    let mut ruleset = Ruleset::default().scope(Scope::from_all(TRIED))?;
    if limits.files.is_some() {
        ruleset = ruleset.handle_access(AccessFs::from_all(TRIED))?;
    }
    if limits.connect.is_some() {
        ruleset = ruleset.handle_access(AccessNet::from_all(TRIED))?; // no port may be bound: listeners are open
    }
    let mut created = ruleset.create()?;
    if let Some(files) = &limits.files {
        for path in &files.read {
            created = beneath(created, path, AccessFs::ReadFile | AccessFs::ReadDir)?;
        }
        for path in &files.write {
            created = beneath(created, path, writing())?;
        }
    }
    for port in limits.connect.iter().flat_map(crate::Ports::each) {
        created = created.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    created.restrict_self()
}

/// All that is done to files, but no device, no link and no program to run.
fn writing() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::Refer
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::MakeSock
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir
}

/// A path that is not there gets no rule: nothing beneath it can be reached.
fn beneath(
    created: landlock::RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<landlock::RulesetCreated, RulesetError> {
    let Ok(descriptor) = PathFd::new(path) else { return Ok(created) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(TRIED) };
    created.add_rule(PathBeneath::new(descriptor, access))
}
