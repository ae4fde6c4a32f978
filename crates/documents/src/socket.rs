//! Has a paper printed by a `vigie-papers` that waits at a socket: JSON there, a PDF back, in bounded time and room.
//!
//! Asked: one paper as JSON, until the writing half is shut. Answered: a byte of [`Status`], four of a length, the big end first, and
//! so many of content: the PDF, or one line that says why there is none. A length, so that half a PDF is told from a whole one.

use crate::{
    Paper, PapersError, RenderLimits,
    render::{first_line, written},
};
use domain::limit::PAPER_WORDS_BYTES_MAX;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

/// What became of a paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    Printed = 0,
    /// For a reason of the program or the machine.
    Failed = 1,
    /// What was sent is no paper.
    NoPaper = 2,
}

impl Status {
    fn of(byte: u8) -> Option<Status> {
        [Status::Printed, Status::Failed, Status::NoPaper].into_iter().find(|status| *status as u8 == byte)
    }
}

/// The PDF of a paper. 1 reach the printer · 2 send the paper, shut the writing half · 3 take the answer. It blocks until then, or until
/// its time is over; others may be in front.
pub fn print(socket: &Path, paper: &Paper, limits: RenderLimits) -> Result<Vec<u8>, PapersError> {
    let json = written(paper)?;
    let stream = UnixStream::connect(socket).map_err(|source| match source.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => PapersError::NotInstalled { socket: socket.to_owned() },
        _ => PapersError::Pipe { source },
    })?; // 1
    let mut timed = Timed { stream, until: Instant::now() + limits.time };
    let failed = |source: io::Error| match source.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => PapersError::Slow { seconds: limits.time.as_secs() },
        ErrorKind::UnexpectedEof => PapersError::CutOff,
        _ => PapersError::Pipe { source },
    };
    let sent = timed.write_all(&json).and_then(|()| timed.stream.shutdown(Shutdown::Write)); // 2
    // whoever read no further may have said why
    let (status, content) = match take(&mut timed, limits.bytes) {
        Ok(taken) => taken?,
        Err(source) => {
            return Err(failed(sent.err().filter(|_| source.kind() == ErrorKind::UnexpectedEof).unwrap_or(source)));
        }
    }; // 3
    match status {
        Status::Printed => sent.map(|()| content).map_err(failed),
        Status::Failed | Status::NoPaper => Err(PapersError::Refused { words: first_line(&content) }),
    }
}

/// Answers whoever asked for a paper.
pub fn answer(mut to: impl Write, status: Status, content: &[u8]) -> io::Result<()> {
    let content =
        if status == Status::Printed { content } else { &content[..content.len().min(PAPER_WORDS_BYTES_MAX)] };
    let length = u32::try_from(content.len()).map_err(|_| io::Error::from(ErrorKind::FileTooLarge))?;
    to.write_all(&[status as u8])?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(content)?;
    to.flush()
}

/// The answer; inner: it is one that is not taken.
fn take(from: &mut impl Read, bytes_max: u64) -> io::Result<Result<(Status, Vec<u8>), PapersError>> {
    let mut head = [0; 5];
    from.read_exact(&mut head)?;
    let [status, length @ ..] = head;
    let (status, length) = (Status::of(status), u64::from(u32::from_be_bytes(length)));
    let Some(status) = status else { return Ok(Err(PapersError::CutOff)) };
    let most = if status == Status::Printed { bytes_max } else { PAPER_WORDS_BYTES_MAX as u64 };
    if most < length {
        return Ok(Err(PapersError::PdfTooLarge { bytes: most }));
    }
    let mut content = vec![];
    from.take(length).read_to_end(&mut content)?;
    Ok(if content.len() as u64 == length { Ok((status, content)) } else { Err(PapersError::CutOff) })
}

/// A stream that is given up at a moment, however many bytes still come.
struct Timed {
    stream: UnixStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(into)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Language, examples};
    use std::{os::unix::net::UnixListener, sync::mpsc, thread};

    const FAST: RenderLimits = RenderLimits { time: Duration::from_secs(20), bytes: 1_000 };

    fn paper() -> Paper {
        examples::minimal("letter", Language::Fr)
    }

    /// What [`print`] says of a printer that does this with its one caller.
    fn check(limits: RenderLimits, does: impl FnOnce(UnixStream) + Send + 'static) -> Result<Vec<u8>, PapersError> {
        check_until(limits, (), does)
    }

    /// And drops `held` when it has said it.
    fn check_until<T>(
        limits: RenderLimits,
        held: T,
        does: impl FnOnce(UnixStream) + Send + 'static,
    ) -> Result<Vec<u8>, PapersError> {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("papers.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let printer = thread::spawn(move || does(listener.accept().unwrap().0));
        let said = print(&socket, &paper(), limits);
        drop(held);
        printer.join().unwrap();
        said
    }

    fn reads_all(stream: &mut UnixStream) -> Vec<u8> {
        let mut json = vec![];
        stream.read_to_end(&mut json).unwrap();
        json
    }

    #[test]
    fn the_printer_gets_the_paper_to_its_end_and_its_answer_comes_back() {
        let json = serde_json::to_vec(&paper()).unwrap();
        let echoed = check(RenderLimits { bytes: 100_000, ..FAST }, |mut stream| {
            let json = reads_all(&mut stream);
            answer(stream, Status::Printed, &json).unwrap();
        });
        assert_eq!(echoed.unwrap(), json);
        let exact = check(FAST, |mut stream| {
            reads_all(&mut stream);
            answer(stream, Status::Printed, &[7; 1_000]).unwrap();
        });
        assert_eq!(exact.unwrap(), [7; 1_000]);
    }

    #[test]
    fn a_printer_that_refuses_is_quoted_in_one_line() {
        for status in [Status::Failed, Status::NoPaper] {
            let refused = check(FAST, move |mut stream| {
                reads_all(&mut stream);
                answer(stream, status, "no JSON\nmore ".repeat(100).as_bytes()).unwrap();
            });
            let words = refused.unwrap_err().to_string();
            assert!(words.contains("(no JSON)") && !words.contains("more"), "{words}");
        }
    }

    #[test]
    fn half_an_answer_more_than_allowed_or_another_one_is_no_paper() {
        let raw = |bytes: Vec<u8>| {
            check(FAST, move |mut stream| {
                reads_all(&mut stream);
                stream.write_all(&bytes).unwrap();
            })
        };
        let half = [&[0, 0, 0, 1, 0][..], &[1; 255]].concat();
        for bytes in [vec![], vec![0, 0, 0], half, vec![9, 0, 0, 0, 0]] {
            assert!(matches!(raw(bytes), Err(PapersError::CutOff)));
        }
        assert!(matches!(raw(vec![0, 0, 0, 4, 0]), Err(PapersError::PdfTooLarge { bytes: 1_000 })));
        assert!(matches!(raw(vec![1, 255, 255, 255, 255]), Err(PapersError::PdfTooLarge { .. })));
    }

    #[test]
    fn a_printer_that_is_silent_or_gives_byte_by_byte_is_left_when_the_time_is_over() {
        let limits = RenderLimits { time: Duration::from_millis(50), ..FAST };
        for says in [&[][..], &[0, 0, 0, 3, 0]] {
            let (asks, goes) = mpsc::channel::<()>();
            let left = check_until(limits, asks, move |mut stream| {
                stream.write_all(says).unwrap();
                // until whoever waits has gone
                while goes.try_recv() == Err(mpsc::TryRecvError::Empty) {
                    if !says.is_empty() {
                        drop(stream.write_all(&[0]));
                    }
                    thread::sleep(Duration::from_millis(1));
                }
            });
            assert!(matches!(left, Err(PapersError::Slow { .. })), "{left:?}");
        }
    }

    #[test]
    fn where_nobody_listens_the_program_to_install_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("papers.sock");
        let words = print(&nowhere, &paper(), FAST).unwrap_err().to_string();
        assert!(words.contains("install `vigie-papers` beside `vigie`"), "{words}");
        drop(UnixListener::bind(&nowhere).unwrap());
        assert!(matches!(print(&nowhere, &paper(), FAST), Err(PapersError::NotInstalled { .. })));
    }

    #[test]
    fn a_paper_that_is_too_large_is_not_sent() {
        let mut paper = paper();
        paper.reference = "x".repeat(domain::limit::PAPER_JSON_BYTES_MAX);
        assert!(matches!(print(Path::new("/nowhere"), &paper, FAST), Err(PapersError::TooLarge { .. })));
    }
}
