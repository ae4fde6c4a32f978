//! The messages: a byte of kind, four of a length, the big end first, and so many of content. Both ways, in one form.
//!
//! To the program: one job, pictures in the order of decoding, an end. Back: parameter sets, pictures as they come, an end with counts;
//! or a refusal at any time, after which nothing comes.

use crate::{Job, JobError};
use domain::limit::{PICTURE_BYTES_MAX, REDACTION_JOB_BYTES_MAX, VIEWING_JOB_BYTES_MAX, VIEWING_WORDS_BYTES_MAX};

const HEAD_BYTES: usize = 5;
/// Flags and two times before a picture's bytes.
const CODED_HEAD_BYTES: usize = 17;
const COUNTS_BYTES: usize = 16;

#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    Job(Job),
    Picture(Coded),
    /// Whoever asks has no further picture.
    End,
    Sets(Made),
    /// Whoever makes has made all.
    Done(Counts),
    Refusal(Refusal),
}

/// A coded picture: NAL units, each after its length in four bytes, without parameter sets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coded {
    /// Decoding may begin here.
    pub is_key: bool,
    /// Back: nothing could be shown of its time.
    pub is_black: bool,
    /// In 1/90,000 s.
    pub pts: i64,
    pub dts: i64,
    pub data: Vec<u8>,
}

/// What the pictures that come are coded by: the contents of `avcC`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    pub config: Vec<u8>,
}

/// Of the pictures that were sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub shown: u64,
    /// Those that could not be decoded: black at their time.
    pub lacking: u64,
}

/// Nothing is made, or no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub reason: Reason,
    /// One line.
    pub words: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Of the program or the machine.
    Failed = 1,
    /// What was sent is no job, or no picture belongs there.
    NoJob = 2,
    /// Not one of the pictures could be decoded.
    NothingShown = 3,
}

/// Why bytes are not messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error("a message of unknown kind {kind}: take the program of the same version as `vigie`")]
    Kind { kind: u8 },
    #[error("a message of {bytes} bytes, at most {max} of its kind")]
    TooLong { bytes: usize, max: usize },
    #[error("a message is shorter than what it should hold")]
    Short,
    #[error(transparent)]
    Job(#[from] JobError),
}

const JOB: u8 = b'J';
const PICTURE: u8 = b'P';
const END: u8 = b'E';
const SETS: u8 = b'S';
const DONE: u8 = b'D';
const REFUSAL: u8 = b'R';

/// How long the content of a message of a kind may be.
fn bytes_max(kind: u8) -> Result<usize, MessageError> {
    match kind {
        JOB => Ok(REDACTION_JOB_BYTES_MAX),
        PICTURE => Ok(CODED_HEAD_BYTES + PICTURE_BYTES_MAX),
        END => Ok(0),
        SETS => Ok(VIEWING_JOB_BYTES_MAX),
        DONE => Ok(COUNTS_BYTES),
        REFUSAL => Ok(1 + VIEWING_WORDS_BYTES_MAX),
        kind => Err(MessageError::Kind { kind }),
    }
}

/// A message as bytes. Words that are too long are cut; a picture that is too large is refused.
pub fn write(message: &Message) -> Result<Vec<u8>, MessageError> {
    let (kind, content) = match message {
        Message::Job(job) => (JOB, job.to_json()),
        Message::Picture(Coded { is_key, is_black, pts, dts, data }) => {
            let flags = u8::from(*is_key) | u8::from(*is_black) << 1;
            let head = [&[flags][..], &pts.to_be_bytes(), &dts.to_be_bytes()].concat();
            (PICTURE, [&head[..], data].concat())
        }
        Message::End => (END, vec![]),
        Message::Sets(Made { config }) => (SETS, config.clone()),
        Message::Done(counts) => (DONE, [counts.shown.to_be_bytes(), counts.lacking.to_be_bytes()].concat()),
        Message::Refusal(Refusal { reason, words }) => {
            let words = &words.as_bytes()[..words.floor_char_boundary(VIEWING_WORDS_BYTES_MAX)];
            (REFUSAL, [&[*reason as u8][..], words].concat())
        }
    };
    let (bytes, max) = (content.len(), bytes_max(kind)?);
    let length = u32::try_from(bytes).ok().filter(|_| bytes <= max).ok_or(MessageError::TooLong { bytes, max })?;
    Ok([&[kind][..], &length.to_be_bytes(), &content].concat())
}

/// Takes bytes as they come, gives messages. It holds at most one message and what came with it.
#[derive(Default)]
pub struct Messages {
    came: Vec<u8>,
    /// Of those, taken already.
    taken: usize,
}

impl Messages {
    pub fn feed(&mut self, bytes: &[u8]) {
        self.came.drain(..std::mem::take(&mut self.taken));
        self.came.extend_from_slice(bytes);
    }

    /// The next one; none until more bytes come. After an error nothing that follows can be understood.
    pub fn next_message(&mut self) -> Result<Option<Message>, MessageError> {
        let Some((head, rest)) = self.came[self.taken..].split_first_chunk::<HEAD_BYTES>() else { return Ok(None) };
        let [kind, length @ ..] = *head;
        let (bytes, max) = (u32::from_be_bytes(length) as usize, bytes_max(kind)?);
        if bytes > max {
            return Err(MessageError::TooLong { bytes, max }); // before anything of it is waited for
        }
        let Some(content) = rest.get(..bytes) else { return Ok(None) };
        let message = read(kind, content)?;
        self.taken += HEAD_BYTES + bytes;
        Ok(Some(message))
    }

    /// Half of a message is here.
    pub fn is_amid(&self) -> bool {
        self.taken < self.came.len()
    }
}

fn read(kind: u8, content: &[u8]) -> Result<Message, MessageError> {
    let number = |at: usize| -> Result<u64, MessageError> {
        let bytes = content.get(at..).and_then(|rest| rest.first_chunk::<8>()).ok_or(MessageError::Short)?;
        Ok(u64::from_be_bytes(*bytes))
    };
    Ok(match kind {
        JOB => Message::Job(Job::from_json(content)?),
        PICTURE => {
            let (pts, dts) = (number(1)?.cast_signed(), number(9)?.cast_signed());
            let (is_key, is_black) = (content[0] & 1 != 0, content[0] & 2 != 0);
            Message::Picture(Coded { is_key, is_black, pts, dts, data: content[CODED_HEAD_BYTES..].to_vec() })
        }
        SETS => Message::Sets(Made { config: content.to_vec() }),
        DONE => Message::Done(Counts { shown: number(0)?, lacking: number(8)? }),
        REFUSAL => {
            let (reason, words) = content.split_first().ok_or(MessageError::Short)?;
            Message::Refusal(Refusal { reason: Reason::of(*reason), words: first_line(words) })
        }
        _ => Message::End,
    })
}

impl Reason {
    /// One that is not known is of the program.
    fn of(byte: u8) -> Reason {
        match byte {
            2 => Reason::NoJob,
            3 => Reason::NothingShown,
            _ => Reason::Failed,
        }
    }
}

/// Without what could act on a terminal or a log.
fn first_line(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(words);
    words.lines().next().unwrap_or_default().chars().filter(|sign| !sign.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Codec;
    use proptest::prelude::*;

    fn coded(data: usize) -> Message {
        Message::Picture(Coded { is_key: true, is_black: false, pts: -5, dts: i64::MIN, data: vec![7; data] })
    }

    fn all() -> Vec<Message> {
        let sets = media::ParameterSets { codec: Codec::H265, config: vec![1, 2].into(), width: 1, height: 1 };
        vec![
            Message::Job(Job::new(crate::Task::ViewingCopy, &sets)),
            coded(3),
            coded(0),
            Message::End,
            Message::Sets(Made { config: vec![9] }),
            Message::Done(Counts { shown: u64::MAX, lacking: 1 }),
            Message::Refusal(Refusal { reason: Reason::NothingShown, words: "non".into() }),
        ]
    }

    #[test]
    fn messages_read_back_however_their_bytes_are_cut() {
        let bytes: Vec<u8> = all().iter().flat_map(|message| write(message).unwrap()).collect();
        for step in [1, 2, 7, 64, bytes.len()] {
            let (mut messages, mut found) = (Messages::default(), vec![]);
            for part in bytes.chunks(step) {
                messages.feed(part);
                while let Some(message) = messages.next_message().unwrap() {
                    found.push(message);
                }
            }
            assert_eq!((found, messages.is_amid()), (all(), false), "{step}");
        }
    }

    #[test]
    fn a_length_beyond_its_kind_is_refused_before_anything_is_waited_for() {
        let refused = |kind: u8, length: usize| {
            let mut messages = Messages::default();
            messages.feed(&[kind]);
            messages.feed(&(length as u32).to_be_bytes());
            messages.next_message()
        };
        assert_eq!(refused(PICTURE, CODED_HEAD_BYTES + PICTURE_BYTES_MAX), Ok(None));
        for (kind, length) in
            [(PICTURE, CODED_HEAD_BYTES + PICTURE_BYTES_MAX + 1), (END, 1), (JOB, u32::MAX as usize), (DONE, 17)]
        {
            assert!(matches!(refused(kind, length), Err(MessageError::TooLong { .. })), "{kind}");
        }
        assert_eq!(refused(0, 0), Err(MessageError::Kind { kind: 0 }));
        assert_eq!(refused(DONE, 0), Err(MessageError::Short));
        assert!(matches!(write(&coded(PICTURE_BYTES_MAX + 1)), Err(MessageError::TooLong { .. })));
    }

    #[test]
    fn words_are_one_line_that_acts_on_nothing() {
        let refusal = |words: &str| Message::Refusal(Refusal { reason: Reason::Failed, words: words.into() });
        let told = |words: &str| {
            let mut messages = Messages::default();
            messages.feed(&write(&refusal(words)).unwrap());
            messages.next_message().unwrap().unwrap()
        };
        assert_eq!(told("one\u{1b}[2J\nmore"), refusal("one[2J"));
        assert_eq!(told(&"é".repeat(VIEWING_WORDS_BYTES_MAX)), refusal(&"é".repeat(VIEWING_WORDS_BYTES_MAX / 2)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_nothing_is_read_twice(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut messages = Messages::default();
            messages.feed(&bytes);
            let read = std::iter::from_fn(|| messages.next_message().ok().flatten()).count();
            prop_assert!(read <= bytes.len() / HEAD_BYTES);
        }
    }
}
