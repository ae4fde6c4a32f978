//! One message: length in four bytes (little endian), a version byte, postcard. At most 1 MiB unless the caller says more.

use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, Read, Write};

const VERSION: u8 = 1;

/// Why a message could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    #[error("a message of {bytes} bytes, at most {bytes_max} are taken")]
    TooLong { bytes: usize, bytes_max: usize },
    #[error("a message of version {found}, this program speaks {VERSION}: use programs of one release")]
    Version { found: u8 },
    #[error("a message that does not read: {0}")]
    Malformed(#[from] postcard::Error),
}

/// Reads one message; `None` where the other side closed between two.
pub fn read_message<T: DeserializeOwned>(from: &mut impl Read, bytes_max: usize) -> Result<Option<T>, MessageError> {
    let mut head = [0; 5];
    match from.read(&mut head)? {
        0 => return Ok(None),
        some => from.read_exact(&mut head[some..])?,
    }
    let bytes = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    if bytes > bytes_max {
        return Err(MessageError::TooLong { bytes, bytes_max });
    }
    if head[4] != VERSION {
        return Err(MessageError::Version { found: head[4] });
    }
    let mut body = zeroize::Zeroizing::new(vec![0; bytes]);
    from.read_exact(&mut body)?;
    Ok(Some(postcard::from_bytes(&body)?))
}

/// Writes one message.
pub fn write_message<T: Serialize>(to: &mut impl Write, message: &T, bytes_max: usize) -> Result<(), MessageError> {
    let body = zeroize::Zeroizing::new(postcard::to_stdvec(message)?);
    if body.len() > bytes_max {
        return Err(MessageError::TooLong { bytes: body.len(), bytes_max });
    }
    let mut head = [0; 5];
    head[..4].copy_from_slice(&(body.len() as u32).to_le_bytes());
    head[4] = VERSION;
    let whole = zeroize::Zeroizing::new([&head[..], &body].concat());
    to.write_all(&whole)?;
    Ok(to.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Question;
    use proptest::prelude::*;

    #[test]
    fn a_message_reads_back_and_a_long_one_is_refused() {
        let mut wire = Vec::new();
        write_message(&mut wire, &Question::Site, 100).unwrap();
        assert!(matches!(read_message::<Question>(&mut &wire[..], 100), Ok(Some(Question::Site))));
        assert!(matches!(read_message::<Question>(&mut &[][..], 100), Ok(None)));
        let long = vec![0u8; 200];
        assert!(matches!(write_message(&mut wire, &long, 100), Err(MessageError::TooLong { .. })));
        let head = [200, 0, 0, 0, VERSION];
        assert!(matches!(read_message::<Question>(&mut &head[..], 100), Err(MessageError::TooLong { bytes: 200, .. })));
    }

    #[test]
    fn a_message_of_another_version_is_refused_by_name() {
        let mut wire = Vec::new();
        write_message(&mut wire, &Question::Site, 100).unwrap();
        wire[4] += 1;
        let refused = read_message::<Question>(&mut &wire[..], 100).unwrap_err();
        assert!(matches!(refused, MessageError::Version { found: 2 }), "{refused}");
        assert!(refused.to_string().contains("use programs of one release"), "{refused}");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 5..200)) {
            let length = (bytes.len() - 5) as u32;
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            bytes[4] = VERSION;
            let read = read_message::<Question>(&mut &bytes[..], 1000);
            prop_assert!(!matches!(read, Ok(None)));
        }
    }
}
