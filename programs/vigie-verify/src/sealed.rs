//! A sealed file read anywhere: segment by segment, each opened when it is asked for, nothing written down.

use seal::age::{AgeError, Opener, OpeningKey, SEALED_SEGMENT_BYTES, SEGMENT_BYTES};
use std::io::{self, Read, Seek, SeekFrom};
use zeroize::Zeroizing;

/// What a sealed file begins with.
const FIRST_LINE: &[u8] = b"age-encryption.org/v1\n";
/// A header is far shorter.
const HEADER_BYTES_MAX: u64 = 32 * 1024;
/// The tag of a segment.
const TAG_BYTES: u64 = (SEALED_SEGMENT_BYTES - SEGMENT_BYTES) as u64;

/// What opens a package.
pub enum Opening {
    Key(OpeningKey),
    Passphrase(Zeroizing<String>),
}

/// The plaintext of a sealed file.
pub struct SealedReader<R> {
    file: R,
    opener: Opener,
    /// Where segments begin.
    start: u64,
    segments: u64,
    plain_bytes: u64,
    position: u64,
    open: Option<(u64, Zeroizing<Vec<u8>>)>,
}

/// Whether a file is sealed; its position is its beginning afterwards.
pub fn is_sealed(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut head = Vec::new();
    file.by_ref().take(FIRST_LINE.len() as u64).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(head == FIRST_LINE)
}

impl<R: Read + Seek> SealedReader<R> {
    pub fn open(mut file: R, by: &Opening) -> Result<SealedReader<R>, io::Error> {
        let mut head = Vec::new();
        file.by_ref().take(HEADER_BYTES_MAX).read_to_end(&mut head)?;
        let begun = match by {
            Opening::Key(key) => Opener::begin(key, &head),
            Opening::Passphrase(text) => Opener::begin_by_passphrase(text, &head),
        };
        let (opener, start) = begun.map_err(io::Error::other)?;
        let sealed = file.seek(SeekFrom::End(0))?.saturating_sub(start as u64);
        let segments = sealed.div_ceil(SEALED_SEGMENT_BYTES as u64);
        let plain_bytes = sealed.checked_sub(segments * TAG_BYTES).filter(|_| segments > 0);
        let plain_bytes = plain_bytes.ok_or_else(|| io::Error::other(AgeError::Damaged))?;
        Ok(SealedReader { file, opener, start: start as u64, segments, plain_bytes, position: 0, open: None })
    }

    fn segment(&mut self, number: u64) -> io::Result<&[u8]> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != number) {
            self.file.seek(SeekFrom::Start(self.start + number * SEALED_SEGMENT_BYTES as u64))?;
            let mut sealed = Vec::with_capacity(SEALED_SEGMENT_BYTES);
            self.file.by_ref().take(SEALED_SEGMENT_BYTES as u64).read_to_end(&mut sealed)?;
            let opened = self.opener.segment_at(number, &sealed, number + 1 == self.segments);
            self.open = Some((number, opened.map_err(io::Error::other)?));
        }
        Ok(self.open.as_ref().map_or(&[], |(_, plain)| plain))
    }
}

impl<R: Read + Seek> Read for SealedReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.plain_bytes || into.is_empty() {
            return Ok(0);
        }
        let (number, inside) = (self.position / SEGMENT_BYTES as u64, (self.position % SEGMENT_BYTES as u64) as usize);
        let plain = self.segment(number)?.get(inside..).unwrap_or_default();
        let taken = plain.len().min(into.len());
        into[..taken].copy_from_slice(&plain[..taken]);
        self.position += taken as u64;
        Ok(taken)
    }
}

impl<R: Read + Seek> Seek for SealedReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.plain_bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
