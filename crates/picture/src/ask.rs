//! Asks the `vigie-picture` that waits at a socket: pictures there, pictures back, in bounded room, and left when it falls silent.
//!
//! Both sides write while the other one does: whoever only wrote would wait for ever for one that waits to be read. So each call here
//! takes what comes while it waits to send.

use crate::{Coded, Counts, Job, Made, Message, MessageError, Messages, Reason, message};
use domain::limit::VIEWING_SILENCE_SECONDS_MAX;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How soon whoever stops it is heard.
const LOOK: Duration = Duration::from_millis(100);
const READ_BYTES: usize = 64 * 1024;

/// Why there is no copy, or no more of it. Nothing of the pictures is repeated.
#[derive(Debug, thiserror::Error)]
pub enum ViewingError {
    #[error(
        "nobody makes viewing copies at `{socket}`: install `vigie-picture` beside `vigie`, and start `vigie serve` again",
        socket = socket.display()
    )]
    NotInstalled { socket: PathBuf },
    #[error("`vigie-picture` made no copy of these pictures: {words}")]
    Refused { reason: Reason, words: String },
    #[error("`vigie-picture` said nothing for {seconds} s and was left; the technical log tells why")]
    Silent { seconds: u64 },
    #[error("`vigie-picture` ended in the middle of a copy; the technical log tells why")]
    CutOff,
    #[error("`vigie-picture` could not be spoken to ({0})")]
    Pipe(io::Error),
    #[error("`vigie-picture` said what is none of its messages: {0}")]
    Message(#[from] MessageError),
    #[error("the copy was ended")]
    Stopped,
}

/// What came meanwhile, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Came {
    /// Before the first picture.
    Sets(Made),
    Picture(Coded),
}

/// A copy that is being made.
pub struct Viewing<'a> {
    stream: UnixStream,
    messages: Messages,
    silence: Duration,
    /// Asked while it waits.
    go_on: &'a dyn Fn() -> bool,
    came: Vec<Came>,
    counts: Option<Counts>,
}

impl<'a> Viewing<'a> {
    /// Reaches the program and tells it what is to be made.
    pub fn begin(socket: &Path, job: &Job, go_on: &'a dyn Fn() -> bool) -> Result<Viewing<'a>, ViewingError> {
        Viewing::begin_within(socket, job, go_on, Duration::from_secs(VIEWING_SILENCE_SECONDS_MAX))
    }

    fn begin_within(
        socket: &Path,
        job: &Job,
        go_on: &'a dyn Fn() -> bool,
        silence: Duration,
    ) -> Result<Viewing<'a>, ViewingError> {
        let stream = UnixStream::connect(socket).map_err(|source| match source.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                ViewingError::NotInstalled { socket: socket.to_owned() }
            }
            _ => ViewingError::Pipe(source),
        })?;
        stream.set_nonblocking(true).map_err(ViewingError::Pipe)?;
        let mut viewing = Viewing { stream, messages: Messages::default(), silence, go_on, came: vec![], counts: None };
        viewing.send(&Message::Job(job.clone()))?;
        Ok(viewing)
    }

    /// The next picture in the order of decoding. What came back meanwhile, of earlier ones, is [taken](Viewing::take_came) then, also
    /// after an error.
    pub fn push(&mut self, picture: Coded) -> Result<(), ViewingError> {
        self.send(&Message::Picture(picture))
    }

    /// No further picture: how many were shown, when the last has come.
    pub fn finish(&mut self) -> Result<Counts, ViewingError> {
        self.send(&Message::End)?;
        self.stream.shutdown(Shutdown::Write).map_err(ViewingError::Pipe)?;
        loop {
            if let Some(counts) = self.counts {
                return Ok(counts);
            }
            self.wait(PollFlags::IN)?;
            self.receive()?;
        }
    }

    /// What came since the last call.
    pub fn take_came(&mut self) -> Vec<Came> {
        std::mem::take(&mut self.came)
    }

    fn send(&mut self, message: &Message) -> Result<(), ViewingError> {
        let bytes = message::write(message)?;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let ready = self.wait(PollFlags::IN | PollFlags::OUT)?;
            if ready.contains(PollFlags::IN) {
                self.receive()?;
                // it may have said why it takes no more
                if self.counts.is_some() {
                    return Err(ViewingError::CutOff);
                }
            }
            match self.stream.write(rest) {
                Ok(sent) => rest = &rest[sent..],
                Err(error) if is_to_be_tried_again(&error) => {}
                // whoever closed may have said why before
                Err(error) if is_gone(&error) => self.last_words()?,
                Err(error) => return Err(ViewingError::Pipe(error)),
            }
        }
        Ok(())
    }

    /// Until one of these is so, or the other side is gone. Errors: stopped, silent.
    fn wait(&self, for_what: PollFlags) -> Result<PollFlags, ViewingError> {
        let begun = Instant::now();
        let look = Timespec { tv_sec: 0, tv_nsec: LOOK.as_nanos() as _ };
        loop {
            if !(self.go_on)() {
                return Err(ViewingError::Stopped);
            }
            let mut fds = [PollFd::new(&self.stream, for_what)];
            match poll(&mut fds, Some(&look)) {
                Ok(0) if begun.elapsed() >= self.silence => {
                    return Err(ViewingError::Silent { seconds: self.silence.as_secs() });
                }
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(fds[0].revents()),
                Err(error) => return Err(ViewingError::Pipe(error.into())),
            }
        }
    }

    /// What is there now.
    fn receive(&mut self) -> Result<(), ViewingError> {
        let mut part = vec![0; READ_BYTES];
        match self.stream.read(&mut part) {
            Ok(0) => return Err(ViewingError::CutOff),
            Ok(bytes) => self.messages.feed(&part[..bytes]),
            Err(error) if is_to_be_tried_again(&error) => return Ok(()),
            Err(error) if is_gone(&error) => return Err(ViewingError::CutOff),
            Err(error) => return Err(ViewingError::Pipe(error)),
        }
        while let Some(message) = self.messages.next_message()? {
            match message {
                _ if self.counts.is_some() => return Err(ViewingError::CutOff), // nothing follows the end
                Message::Sets(made) => self.came.push(Came::Sets(made)),
                Message::Picture(coded) => self.came.push(Came::Picture(coded)),
                Message::Done(counts) => self.counts = Some(counts),
                Message::Refusal(refusal) => {
                    return Err(ViewingError::Refused { reason: refusal.reason, words: refusal.words });
                }
                Message::Job(_) | Message::End => return Err(ViewingError::CutOff),
            }
        }
        Ok(())
    }

    /// Reads until the refusal, or to the end, which is an error too.
    fn last_words(&mut self) -> Result<(), ViewingError> {
        loop {
            self.wait(PollFlags::IN)?;
            self.receive()?;
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)
}

fn is_to_be_tried_again(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Refusal, Task};
    use domain::Codec;
    use std::{os::unix::net::UnixListener, sync::mpsc, thread};

    fn job() -> Job {
        let sets = media::ParameterSets { codec: Codec::H265, config: vec![1].into(), width: 64, height: 64 };
        Job::new(Task::ViewingCopy, &sets)
    }

    fn picture(pts: i64, bytes: usize) -> Coded {
        Coded { is_key: pts == 0, is_black: false, pts, dts: pts, data: vec![7; bytes] }
    }

    fn said(messages: &[Message]) -> Vec<u8> {
        messages.iter().flat_map(|message| message::write(message).unwrap()).collect()
    }

    /// What somebody who asks finds of a maker that does this with its one caller.
    fn with<T>(
        does: impl FnOnce(UnixStream) + Send + 'static,
        asks: impl FnOnce(&Path) -> Result<T, ViewingError>,
    ) -> Result<T, ViewingError> {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("picture.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let maker = thread::spawn(move || does(listener.accept().unwrap().0));
        let found = asks(&socket);
        maker.join().unwrap();
        found
    }

    /// Pushes pictures until it ends, then finishes.
    fn copies(socket: &Path, pictures: i64, bytes: usize) -> Result<(Vec<Came>, Counts), ViewingError> {
        let mut viewing = Viewing::begin(socket, &job(), &|| true)?;
        let mut all = vec![];
        for pts in 0..pictures {
            viewing.push(picture(pts, bytes))?;
            all.extend(viewing.take_came());
        }
        let counts = viewing.finish()?;
        all.extend(viewing.take_came());
        Ok((all, counts))
    }

    /// Answers each picture by another one, as large, at once.
    fn echoes(mut stream: UnixStream) {
        let (mut messages, mut part, mut shown) = (Messages::default(), vec![0; 4096], 0);
        loop {
            let bytes = stream.read(&mut part).unwrap();
            messages.feed(&part[..bytes]);
            while let Some(message) = messages.next_message().unwrap() {
                match message {
                    Message::Job(found) => {
                        assert_eq!(found, job());
                        stream.write_all(&said(&[Message::Sets(Made { config: vec![3] })])).unwrap();
                    }
                    Message::Picture(coded) => {
                        shown += 1;
                        stream.write_all(&said(&[Message::Picture(coded)])).unwrap();
                    }
                    _ => {
                        return stream.write_all(&said(&[Message::Done(Counts { shown, lacking: 0 })])).unwrap();
                    }
                }
            }
        }
    }

    /// More than both sides' buffers hold: whoever only wrote would wait for ever.
    #[test]
    fn pictures_come_back_while_others_are_sent() {
        let (all, counts) = with(echoes, |socket| copies(socket, 40, 300_000)).unwrap();
        assert_eq!((counts, all.len()), (Counts { shown: 40, lacking: 0 }, 41));
        assert!(matches!(all[0], Came::Sets(_)));
        let times: Vec<i64> =
            all[1..].iter().map(|came| if let Came::Picture(coded) = came { coded.pts } else { -1 }).collect();
        assert_eq!(times, (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn a_maker_that_refuses_is_quoted_also_when_it_reads_no_further() {
        let words = "no key picture".to_owned();
        let refusal = said(&[Message::Refusal(Refusal { reason: Reason::NothingShown, words })]);
        let refused = with(move |mut stream| stream.write_all(&refusal).unwrap(), |socket| copies(socket, 40, 300_000));
        assert!(
            matches!(&refused, Err(ViewingError::Refused { reason: Reason::NothingShown, words }) if words == "no key picture"),
            "{refused:?}"
        );
    }

    #[test]
    fn a_maker_that_ends_early_says_too_much_or_another_thing_is_left() {
        let whole = [Message::Done(Counts::default())];
        let twice = [whole[0].clone(), Message::Done(Counts::default())];
        for bytes in
            [vec![], said(&whole)[..4].to_vec(), said(&whole), said(&twice), said(&[Message::End]), vec![b'?'; 9]]
        {
            let (tell, told) = mpsc::channel::<()>();
            let left = with(
                move |mut stream| {
                    drop(stream.write_all(&bytes));
                    drop(stream.shutdown(Shutdown::Write));
                    assert!(told.recv().is_err()); // it stays until whoever asks has gone
                },
                |socket| {
                    let found = copies(socket, 40, 300_000);
                    drop(tell);
                    found
                },
            );
            assert!(matches!(left, Err(ViewingError::CutOff | ViewingError::Message(_))), "{left:?}");
        }
    }

    #[test]
    fn a_maker_that_is_silent_is_left_and_whoever_stops_is_heard() {
        let (tell, told) = mpsc::channel::<()>();
        let left = with(
            move |_stream| assert!(told.recv().is_err()),
            |socket| {
                let silent = Viewing::begin_within(socket, &job(), &|| true, Duration::ZERO)?.finish();
                drop(tell);
                silent
            },
        );
        assert!(matches!(left, Err(ViewingError::Silent { .. })), "{left:?}");
        let stopped = with(drop, |socket| Viewing::begin(socket, &job(), &|| false).map(drop));
        assert!(matches!(stopped, Err(ViewingError::Stopped)), "{stopped:?}");
    }

    #[test]
    fn where_nobody_waits_the_program_to_install_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("picture.sock");
        let words = copies(&nowhere, 1, 1).unwrap_err().to_string();
        assert!(words.contains("install `vigie-picture` beside `vigie`"), "{words}");
    }
}
