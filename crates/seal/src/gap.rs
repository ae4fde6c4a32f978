//! Gap lines: what is missing of a stream, since when, until when and why, sealed like an extent (R12). Fixed size.

use crate::{Result, record::Fields};
use domain::{CameraId, StreamId, StreamKind, UtcMicros};

/// Plaintext bytes of a gap line: the fields, then zeros.
pub const GAP_BYTES: usize = 128;
/// Bytes of the cause and of its detail, each.
pub const GAP_WORD_BYTES_MAX: usize = 32;

/// What a line says of its gap. One gap is known by its stream and its beginning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum GapState {
    /// It began; nobody knows yet how long it lasts.
    Opened = 1,
    /// It still lasts: said again in each hour, so that the hours that die take no cause with them.
    Lasts = 2,
    /// It is over.
    Closed = 3,
}

impl GapState {
    pub const fn code(self) -> u8 {
        self as u8
    }
    pub const fn from_code(code: u8) -> Option<GapState> {
        match code {
            1 => Some(GapState::Opened),
            2 => Some(GapState::Lasts),
            3 => Some(GapState::Closed),
            _ => None,
        }
    }
}

/// A time without footage of one stream.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct GapLine {
    pub stream: StreamId,
    pub state: GapState,
    /// The last instant of which something is held.
    pub from: UtcMicros,
    /// The first picture again; `None` while it lasts.
    pub to: Option<UtcMicros>,
    /// A word for the cause, such as `unreachable`; at most 32 bytes.
    pub cause: String,
    /// What belongs to it, such as the codec that was offered; mostly empty; at most 32 bytes.
    pub detail: String,
}

impl GapLine {
    /// Words that are too long are cut at a character: a line is never refused.
    pub fn to_bytes(&self) -> [u8; GAP_BYTES] {
        let mut bytes = [0; GAP_BYTES];
        bytes[..17].copy_from_slice(&self.stream.to_bytes());
        bytes[17] = self.state.code();
        let (cause, detail) = (short(&self.cause), short(&self.detail));
        (bytes[18], bytes[19]) = (cause.len() as u8, detail.len() as u8);
        bytes[20..28].copy_from_slice(&self.from.0.to_le_bytes());
        bytes[28..36].copy_from_slice(&self.to.map_or(0, |to| to.0).to_le_bytes());
        bytes[36] = u8::from(self.to.is_some());
        bytes[40..40 + cause.len()].copy_from_slice(cause);
        bytes[72..72 + detail.len()].copy_from_slice(detail);
        bytes
    }

    /// Errors: `Short`, `Malformed` (unknown kind of stream or state, words that are too long or no text, an end that is
    /// missing, too much or before the beginning).
    pub fn from_bytes(bytes: &[u8]) -> Result<GapLine> {
        let mut fields = Fields::new("gap", bytes);
        let camera = CameraId(fields.array()?);
        let kind = StreamKind::from_code(fields.u8()?).ok_or(fields.malformed("stream"))?;
        let state = GapState::from_code(fields.u8()?).ok_or(fields.malformed("state"))?;
        let [cause_bytes, detail_bytes] = fields.array()?;
        let from = UtcMicros(fields.i64()?);
        let end = UtcMicros(fields.i64()?);
        let [ended, ..] = fields.array::<4>()?;
        let to = (ended == 1).then_some(end);
        if ended > 1 || to.is_some() != (state == GapState::Closed) || to.is_some_and(|to| to < from) {
            return Err(fields.malformed("end"));
        }
        let words: [[u8; GAP_WORD_BYTES_MAX]; 2] = [fields.array()?, fields.array()?];
        let word = |of: &[u8; GAP_WORD_BYTES_MAX], bytes: u8| {
            of.get(..bytes.into()).and_then(|word| std::str::from_utf8(word).ok()).map(str::to_owned)
        };
        let cause = word(&words[0], cause_bytes).ok_or(fields.malformed("cause"))?;
        let detail = word(&words[1], detail_bytes).ok_or(fields.malformed("detail"))?;
        Ok(GapLine { stream: StreamId { camera, kind }, state, from, to, cause, detail })
    }
}

fn short(word: &str) -> &[u8] {
    &word.as_bytes()[..word.floor_char_boundary(GAP_WORD_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(to: Option<i64>, cause: &str, detail: &str) -> GapLine {
        GapLine {
            stream: StreamId::main(CameraId([7; 16])),
            state: if to.is_some() { GapState::Closed } else { GapState::Opened },
            from: UtcMicros(-3),
            to: to.map(UtcMicros),
            cause: cause.into(),
            detail: detail.into(),
        }
    }

    proptest! {
        #[test]
        fn a_gap_reads_back_as_written(camera: [u8; 16], kind in 0u8..3, from: i32, length in proptest::option::of(0i64..1 << 40),
                                       lasts: bool, cause in "[a-z-]{1,32}", detail in "[A-Z0-9]{0,32}") {
            let open = if lasts { GapState::Lasts } else { GapState::Opened };
            let line = GapLine {
                stream: StreamId { camera: CameraId(camera), kind: StreamKind::from_code(kind).expect("0..3") },
                state: if length.is_some() { GapState::Closed } else { open },
                from: UtcMicros(from.into()),
                to: length.map(|length| UtcMicros(i64::from(from) + length)),
                cause,
                detail,
            };
            prop_assert_eq!(GapLine::from_bytes(&line.to_bytes()), Ok(line));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..160)) {
            let read = GapLine::from_bytes(&bytes);
            prop_assert!(bytes.len() >= 104 || read.is_err());
        }
    }

    #[test]
    fn a_word_that_is_too_long_is_cut_between_two_characters() {
        let read = GapLine::from_bytes(&line(None, "closed", &"é".repeat(30)).to_bytes()).unwrap();
        assert_eq!(read.detail, "é".repeat(16));
    }

    #[test]
    fn an_end_that_contradicts_the_state_is_refused() {
        for (at, byte) in [(17, 1), (17, 9), (36, 0), (36, 2), (18, 33)] {
            let mut bytes = line(Some(5), "closed", "").to_bytes();
            bytes[at] = byte;
            assert!(GapLine::from_bytes(&bytes).is_err(), "{at} = {byte}");
        }
        let mut backwards = line(Some(5), "closed", "").to_bytes();
        backwards[28..36].copy_from_slice(&(-4i64).to_le_bytes());
        assert!(GapLine::from_bytes(&backwards).is_err());
        let mut lasts = line(None, "closed", "").to_bytes();
        lasts[36] = 2;
        assert!(GapLine::from_bytes(&lasts).is_err(), "an end that is neither there nor not");
    }

    #[test]
    fn a_gap_may_end_in_the_instant_in_which_it_began() {
        let line = line(Some(-3), "closed", "");
        assert_eq!(GapLine::from_bytes(&line.to_bytes()), Ok(line));
    }
}
