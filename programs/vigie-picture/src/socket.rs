//! One job for one caller, at the socket that this process was started with (decisions 0077, 0080).

use crate::{Failed, confinement, copy::Copier};
use domain::limit::VIEWING_SILENCE_SECONDS_MAX;
use picture::{Message, Messages, Refusal, write};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::{
    io::{self, ErrorKind, Read, Write},
    os::{
        fd::AsFd,
        unix::net::{UnixListener, UnixStream},
    },
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// As the program's other failures.
const TOO_LONG: i32 = 1;
const READ_BYTES: usize = 64 * 1024;

/// 1 who started it is gone: so is this · 2 give up files, sockets and room · 3 one caller is taken, and stands where the listener stood:
/// whatever a picture does to this process, it can take no further one · 4 a watch ends it if one picture takes for ever · 5 the job,
/// pictures in, pictures out · 6 the end, or why there is none. A caller that goes, or says nothing, is no failure of this program.
pub fn serve_one() -> Result<(), Failed> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| Failed::Listener(error.into()))?; // 1
    confinement::enter()?; // 2
    let stream = accept_one().map_err(Failed::Listener)?; // 3
    let beat = watch(); // 4
    let mut talk = Talk { stream: &stream, messages: Messages::default(), beat };
    match talk.job_done() {
        Ok(()) => Ok(()), // 5, 6
        Err(Failed::Gone(_)) => Ok(()),
        Err(failed) => {
            let refusal = Refusal { reason: failed.reason(), words: failed.to_string() };
            drop(talk.say(&Message::Refusal(refusal))); // who is gone is told nothing
            Ok(())
        }
    }
}

fn accept_one() -> io::Result<UnixStream> {
    let listener = UnixListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (stream, _) = listener.accept()?;
    rustix::stdio::dup2_stdin(&stream)?;
    let silence = Some(Duration::from_secs(VIEWING_SILENCE_SECONDS_MAX));
    stream.set_read_timeout(silence)?;
    stream.set_write_timeout(silence)?;
    Ok(stream)
}

/// Ends the process where nothing was read or written from one look to the next: a decoder that goes round in circles.
fn watch() -> Arc<AtomicU64> {
    let beat = Arc::new(AtomicU64::new(0));
    let looked = beat.clone();
    thread::spawn(move || {
        let mut before = u64::MAX;
        loop {
            let now = looked.load(Ordering::Relaxed);
            if now == before {
                process::exit(TOO_LONG);
            }
            before = now;
            // longer than any wait for the caller, so that this one tells of the library alone
            thread::sleep(Duration::from_secs(2 * VIEWING_SILENCE_SECONDS_MAX));
        }
    });
    beat
}

/// With the one caller.
struct Talk<'a> {
    stream: &'a UnixStream,
    messages: Messages,
    beat: Arc<AtomicU64>,
}

impl Talk<'_> {
    fn job_done(&mut self) -> Result<(), Failed> {
        let Message::Job(job) = self.hear()? else { return Err(Failed::Sequence) };
        let mut copier = Copier::new(&job)?;
        loop {
            match self.hear()? {
                Message::Picture(coded) => self.say_all(copier.take(coded)?)?,
                Message::End => break,
                _ => return Err(Failed::Sequence),
            }
        }
        let (rest, counts) = copier.finish()?;
        self.say_all(rest)?;
        self.say(&Message::Done(counts))
    }

    fn hear(&mut self) -> Result<Message, Failed> {
        let mut part = [0; READ_BYTES];
        loop {
            if let Some(message) = self.messages.next_message()? {
                return Ok(message);
            }
            match self.stream.read(&mut part) {
                Ok(0) => return Err(Failed::Gone(ErrorKind::UnexpectedEof.into())),
                Ok(bytes) => self.messages.feed(&part[..bytes]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Failed::Gone(error)),
            }
            self.beat.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn say_all(&mut self, messages: Vec<Message>) -> Result<(), Failed> {
        messages.iter().try_for_each(|message| self.say(message))
    }

    fn say(&mut self, message: &Message) -> Result<(), Failed> {
        self.stream.write_all(&write(message)?).map_err(Failed::Gone)?;
        self.beat.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
