//! A process gives up what it does not need, for good: files and TCP ports by Landlock, system calls by seccomp, capabilities.
//!
//! [`enter`] is called while the process has one thread: Landlock holds the calling thread and those that it starts. Nothing
//! that a confined process can do takes a limit back.

mod calls;
mod files;
mod ports;
mod roots;

pub use ports::{Ports, PortsError};
pub use roots::Roots;

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use std::path::PathBuf;

/// What a process keeps. Folders mean all that is in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// `None`: files are not limited.
    pub files: Option<Files>,
    pub sockets: Sockets,
    /// TCP ports that may be connected to, at any address; `None`: any.
    pub connect: Option<Ports>,
    /// A library of somebody else runs in this process: its sockets and device calls are not known to us.
    pub foreign_library: bool,
}

/// Files and folders that stay reachable. One that is not there is left out; [`Entered::roots`] tells when it comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
}

/// Kinds of sockets that may be made. Those that are open stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sockets {
    /// None: what is open is all there is.
    None,
    /// Of this machine only (AF_UNIX).
    #[default]
    Unix,
    /// And TCP over IPv4 and IPv6.
    Tcp,
    /// And UDP, for names by DNS: no kernel yet (Linux 6.18) limits where UDP goes.
    TcpAndNames,
}

/// What is in force, and what could not be.
#[derive(Debug)]
pub struct Entered {
    pub lacks: Vec<Lack>,
    pub roots: Roots,
}

/// What this kernel does not hold; the rest holds.
#[derive(Debug, thiserror::Error)]
pub enum Lack {
    #[error("this kernel has no Landlock (Linux 5.13, `lsm=landlock,…`): files are not limited")]
    NoLandlock,
    #[error("this kernel's Landlock knows no TCP ports (Linux 6.7): ports are not limited")]
    NoPorts,
    #[error("this kernel's Landlock keeps no signals back (Linux 6.12)")]
    NoSignals,
    #[error("Landlock refused the limits ({source})")]
    Files { source: landlock::RulesetError },
    #[error("seccomp refused the list of system calls ({source})")]
    Calls { source: seccompiler::Error },
    #[error("capabilities could not be given up ({source})")]
    Capabilities { source: rustix::io::Errno },
}

/// What a role of root may need of root's rights: its files whoever owns them, locked memory.
const KEPT: CapabilitySet =
    CapabilitySet::DAC_OVERRIDE.union(CapabilitySet::FOWNER).union(CapabilitySet::CHOWN).union(CapabilitySet::IPC_LOCK);

/// 1 capabilities · 2 files, ports, signals · 3 system calls, which end the making of further limits. Each holds also where
/// another one could not be had.
pub fn enter(limits: &Limits) -> Entered {
    let mut lacks = Vec::new();
    let roots = Roots::of(limits.files.iter().flat_map(|files| files.read.iter().chain(&files.write)));
    if !limits.foreign_library {
        lacks.extend(give_up_capabilities().err().map(|source| Lack::Capabilities { source })); // 1
    }
    lacks.extend(files::enter(limits)); // 2
    lacks.extend(calls::enter(limits).err().map(|source| Lack::Calls { source })); // 3
    Entered { lacks, roots }
}

fn give_up_capabilities() -> Result<(), rustix::io::Errno> {
    let CapabilitySets { effective, permitted, .. } = capabilities(None)?;
    let inheritable = CapabilitySet::empty();
    let (effective, permitted) = (effective.intersection(KEPT), permitted.intersection(KEPT));
    set_capabilities(None, CapabilitySets { effective, permitted, inheritable })
}
