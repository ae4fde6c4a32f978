//! A file that is sealed as it is written: nothing of it stands on a disk in clear, and a part of it opens for nobody.

use domain::{Random, Secret32};
use evidence::{Digest, manifest::FileSum};
use seal::age::{AgeError, Draws, Passphrase, Recipient, SEGMENT_BYTES, Sealer};
use std::{
    fs::File,
    io::{self, Write},
};
use zeroize::Zeroizing;

/// Of a segment, behind it: it is sealed without a copy.
const TAG_BYTES: usize = 16;
/// So much may wait to be written to the disk: recording shares it.
const UNSYNCED_BYTES_MAX: u64 = 16 << 20;

/// For whom.
pub enum SealTo {
    Recipient(Recipient),
    /// The declared exception: whoever is told it.
    Passphrase(Passphrase),
}

/// What packages leave to everything else on their disk: as much as the keeper writes in months.
const FREE_BYTES_MIN: u64 = 1 << 30;

/// Takes plaintext, writes age.
pub struct SealedFile {
    file: File,
    sealer: Sealer,
    /// Wiped where it is not sealed any more: pictures in clear.
    segment: Zeroizing<Vec<u8>>,
    sum: FileSum,
    bytes: u64,
    unsynced: u64,
}

/// What a finished file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub bytes: u64,
    pub sha256: Digest,
}

impl SealedFile {
    pub fn begin(file: File, to: &SealTo, random: &dyn Random) -> Result<SealedFile, io::Error> {
        let draws = draws(random);
        let begun = match to {
            SealTo::Recipient(recipient) => Sealer::begin(*recipient, &draws),
            SealTo::Passphrase(passphrase) => Ok(Sealer::begin_by_passphrase(passphrase, &draws)),
        };
        let (sealer, header) = begun.map_err(|error: AgeError| io::Error::other(error))?;
        let segment = Zeroizing::new(Vec::with_capacity(SEGMENT_BYTES + TAG_BYTES));
        let mut sealed = SealedFile { file, sealer, segment, sum: FileSum::default(), bytes: 0, unsynced: 0 };
        sealed.leave_room()?;
        sealed.put(&header)?;
        Ok(sealed)
    }

    /// The last segment; then the file is durable.
    pub fn finish(mut self) -> Result<Sealed, io::Error> {
        self.seal_segment(true)?;
        self.file.sync_all()?;
        Ok(Sealed { bytes: self.bytes, sha256: self.sum.finish() })
    }

    /// The registry and the ledger stand on this disk too.
    fn leave_room(&self) -> Result<(), io::Error> {
        let of = rustix::fs::fstatvfs(&self.file)?;
        let free = of.f_bavail.saturating_mul(of.f_frsize);
        if free < FREE_BYTES_MIN { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn seal_segment(&mut self, is_last: bool) -> Result<(), io::Error> {
        // sealed where it stands: the same bytes become ciphertext
        let plain = std::mem::replace(&mut *self.segment, Vec::with_capacity(SEGMENT_BYTES + TAG_BYTES));
        let sealed = self.sealer.segment(plain, is_last);
        self.put(&sealed)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), io::Error> {
        self.file.write_all(bytes)?;
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
        self.unsynced += bytes.len() as u64;
        if self.unsynced >= UNSYNCED_BYTES_MAX {
            self.file.sync_data()?;
            self.unsynced = 0;
            self.leave_room()?;
        }
        Ok(())
    }
}

impl Write for SealedFile {
    /// A segment is sealed when the next byte comes: whether it is the last one is said in it.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.segment.len() == SEGMENT_BYTES && !bytes.is_empty() {
            self.seal_segment(false)?;
        }
        let taken = bytes.len().min(SEGMENT_BYTES - self.segment.len());
        self.segment.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn draws(random: &dyn Random) -> Draws {
    let (mut file_key, mut nonce) = (Zeroizing::new([0; 16]), [0; 16]);
    random.fill(&mut file_key[..]);
    random.fill(&mut nonce);
    Draws { file_key, ephemeral: Secret32::draw(random), nonce }
}
