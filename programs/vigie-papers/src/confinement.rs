//! What this process keeps: the pipes or the socket that it was started with, memory and threads. The rest is given up before anything
//! is read.

use confine::{Files, Lack, Limits, Sockets};
use domain::limit::{PAPER_BYTES_MAX, PAPER_MEMORY_BYTES_MAX, PAPER_SECONDS_MAX};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Why the process would print with more rights than it needs.
#[derive(Debug, thiserror::Error)]
pub enum ConfinementError {
    #[error("room and time, {0}")]
    Room(#[from] rustix::io::Errno),
    #[error("{0}")]
    Lack(Lack),
}

/// 1 room and time, which the list of calls lets nobody change · 2 files, sockets, calls. A kernel without Landlock is one that
/// towns have: the list of calls holds there, as in every role of `vigie`.
pub fn enter() -> Result<(), ConfinementError> {
    limit(Resource::As, PAPER_MEMORY_BYTES_MAX)?; // 1
    limit(Resource::Cpu, PAPER_SECONDS_MAX)?;
    limit(Resource::Fsize, PAPER_BYTES_MAX as u64)?;
    limit(Resource::Core, 0)?; // a core file would hold the paper
    let limits = Limits {
        files: Some(Files::default()),
        sockets: Sockets::None,
        connect: Some(confine::Ports::default()),
        foreign_library: false,
    };
    let serious = |lack: &Lack| !matches!(lack, Lack::NoLandlock | Lack::NoPorts | Lack::NoSignals);
    match confine::enter(&limits).lacks.into_iter().find(serious) {
        Some(lack) => Err(ConfinementError::Lack(lack)),
        None => Ok(()), // 2
    }
}

fn limit(resource: Resource, most: u64) -> Result<(), rustix::io::Errno> {
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
}
