//! `vigie-picture`: coded pictures of a camera at a socket, others for the eye back. It reaches no file, no network and no clock of others.
//!
//! Its input is a listening socket: it waits for one caller, does that one's job, and ends (decision 0080). FFmpeg's decoders, which read
//! what a camera sent, are in this process alone; it has no key and nothing to reach.
//!
//! Codes: 0 a caller was answered, 1 not, for a reason of this program or machine, 2 a mistaken command. Whatever is said repeats nothing
//! of the pictures.

mod annex_b;
mod confinement;
mod copy;
mod decode;
mod encode;
mod frame;
mod label;
mod order;
mod socket;

use picture::{JobError, MessageError, Reason};
use std::{io, process::ExitCode};

/// Why nothing is made, or no more.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("it takes `--socket`, and its input is a socket that listens: `vigie serve` starts it so")]
    Arguments,
    #[error("it could not give up what it does not need ({0}): it makes nothing then")]
    Confinement(#[from] confinement::ConfinementError),
    #[error("its input is no socket at which somebody can be awaited ({0}): `vigie serve` starts it with one")]
    Listener(io::Error),
    #[error("whoever asked is gone ({0})")]
    Gone(io::Error),
    #[error("the system's FFmpeg has no {0}: install Debian's `libavcodec59`, which has it")]
    Lacking(&'static str),
    #[error("the system's FFmpeg failed at {0}")]
    Library(&'static str),
    #[error("of these pictures none can be decoded: no key picture among them, or none that is whole")]
    NothingShown,
    #[error("{0}")]
    Message(#[from] MessageError),
    #[error("{0}")]
    Job(#[from] JobError),
    #[error("a message stands where it does not belong: a job, then pictures, then an end")]
    Sequence,
    #[error("a picture's time lies outside what a file can have, or it has no bytes")]
    Picture,
}

impl Failed {
    fn reason(&self) -> Reason {
        match self {
            Failed::Message(_) | Failed::Job(_) | Failed::Sequence | Failed::Picture => Reason::NoJob,
            Failed::NothingShown => Reason::NothingShown,
            _ => Reason::Failed,
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let ended = match arguments.as_slice() {
        [one] if one == "--socket" => socket::serve_one(),
        _ => Err(Failed::Arguments),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("vigie-picture: {failed}");
            if matches!(failed, Failed::Arguments) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}
