//! One paper for one caller, at the socket that this process was started with (decision 0077).

use crate::{Failed, all_of, confinement, print, read};
use documents::{Status, answer};
use domain::limit::{PAPER_SECONDS_MAX, PAPER_SILENCE_SECONDS_MAX};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::{
    io,
    os::{
        fd::AsFd,
        unix::net::{UnixListener, UnixStream},
    },
    process, thread,
    time::Duration,
};

/// As the program's other failures.
const TOO_LONG: i32 = 1;

/// 1 who started it is gone: so is this · 2 give up files, sockets and room · 3 one caller is taken, and stands where the listener stood:
/// whatever a paper does to this process, it can take no further one · 4 its time begins · 5 read, understand, print · 6 answer.
/// A caller that goes, or says nothing, is no failure of this program.
pub fn print_one() -> Result<(), Failed> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| Failed::Listener(error.into()))?; // 1
    confinement::enter()?; // 2
    let stream = accept_one().map_err(Failed::Listener)?; // 3
    thread::spawn(|| {
        thread::sleep(Duration::from_secs(PAPER_SECONDS_MAX));
        process::exit(TOO_LONG);
    }); // 4
    let printed = all_of(&stream).and_then(|json| Ok(print::pdf(&read(&json)?)?)); // 5
    let answered = match printed {
        Ok(pdf) => answer(&stream, Status::Printed, &pdf),
        Err(Failed::Input(_)) => return Ok(()), // nobody waits
        Err(failed) => answer(&stream, failed.status(), failed.to_string().as_bytes()),
    }; // 6
    drop(answered);
    Ok(())
}

fn accept_one() -> io::Result<UnixStream> {
    let listener = UnixListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (stream, _) = listener.accept()?;
    rustix::stdio::dup2_stdin(&stream)?;
    let silence = Some(Duration::from_secs(PAPER_SILENCE_SECONDS_MAX));
    stream.set_read_timeout(silence)?;
    stream.set_write_timeout(silence)?;
    Ok(stream)
}

impl Failed {
    fn status(&self) -> Status {
        match self {
            Failed::Arguments | Failed::TooLarge | Failed::NoPaper { .. } | Failed::Format => Status::NoPaper,
            _ => Status::Failed,
        }
    }
}
