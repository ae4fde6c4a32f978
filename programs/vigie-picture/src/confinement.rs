//! What this process keeps: the socket that it was started with, memory and threads. The rest is given up before anything is read.

use confine::{Files, Lack, Limits, Sockets};
use domain::limit::{VIEWING_CPU_SECONDS_MAX, VIEWING_MEMORY_BYTES_MAX};
use rustix::process::{Resource, Rlimit, nice, setrlimit};

/// Recording goes first: of a processor that is busy this gets what is left.
const NICE: i32 = 19;

/// Why the process would decode with more rights than it needs.
#[derive(Debug, thiserror::Error)]
pub enum ConfinementError {
    #[error("room and time, {0}")]
    Room(#[from] rustix::io::Errno),
    #[error("{0}")]
    Lack(Lack),
}

/// 1 room, time and rank, which the list of calls lets nobody change · 2 files, sockets, calls. A kernel without Landlock is one that
/// towns have: the list of calls holds there, as in every role of `vigie`.
pub fn enter() -> Result<(), ConfinementError> {
    limit(Resource::As, VIEWING_MEMORY_BYTES_MAX)?; // 1
    limit(Resource::Cpu, VIEWING_CPU_SECONDS_MAX)?;
    limit(Resource::Core, 0)?; // a core file would hold pictures
    nice(NICE).ok(); // where a system refuses it, it is a process like others
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
