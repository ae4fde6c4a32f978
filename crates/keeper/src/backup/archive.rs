//! The file of a backup: a tar archive (POSIX.1-1988 ustar) inside a file of age, so that public programs open it, too.
//!
//! First a manifest, then the registry's database, then the sealed scans. Writing needs the recipient only; reading is for
//! `vigie restore`, which has the identity.

use aws_lc_rs::digest;
use domain::{SiteId, UtcMicros, limit::BACKUP_PART_BYTES_MAX};
use seal::age::{AgeError, Draws, Opener, OpeningKey, Recipient, SEALED_SEGMENT_BYTES, SEGMENT_BYTES, Sealer};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

pub const FORMAT: u32 = 1;
pub const MANIFEST: &str = "vigie-backup.json";
pub const REGISTRY: &str = "registry.db";
pub const SCANS: &str = "scans/";
/// The manifest's six fields, a town's name among them.
const MANIFEST_BYTES_MAX: u64 = 64 * 1024;
const BLOCK: usize = 512;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub site: SiteId,
    pub name: String,
    /// How many entries the ledger had.
    pub entries: u64,
    pub at: UtcMicros,
    /// The version of the program that made it.
    pub program: String,
}

/// Why an archive is not made or not read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(transparent)]
    Age(#[from] AgeError),
    #[error("a file cannot be read or written: {0}")]
    Io(#[from] io::Error),
    #[error("the archive is damaged, or no backup of Vigie")]
    Damaged,
    #[error("a backup of format {found}, we know {FORMAT}: install the newer program")]
    Newer { found: u32 },
}

/// An archive that is being written.
pub struct Sealing {
    out: File,
    sealer: Sealer,
    plain: Vec<u8>,
    digest: digest::Context,
    bytes: u64,
}

impl Sealing {
    pub fn begin(out: File, recipient: Recipient, draws: &Draws) -> Result<Sealing, ArchiveError> {
        let (sealer, header) = Sealer::begin(recipient, draws)?;
        let digest = digest::Context::new(&digest::SHA256);
        let mut sealing = Sealing { out, sealer, plain: Vec::new(), digest, bytes: 0 };
        sealing.put(&header)?;
        Ok(sealing)
    }

    pub fn manifest(&mut self, manifest: &Manifest) -> Result<(), ArchiveError> {
        let text = serde_json::to_vec_pretty(manifest).expect("numbers and words are JSON");
        self.write(&header(MANIFEST, text.len() as u64, manifest.at))?;
        self.padded(&mut &text[..], text.len() as u64)
    }

    pub fn file(&mut self, name: &str, path: &Path, at: UtcMicros) -> Result<(), ArchiveError> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        if BACKUP_PART_BYTES_MAX < bytes {
            return Err(io::Error::other("larger than a part of a backup may be").into());
        }
        self.write(&header(name, bytes, at))?;
        self.padded(&mut file.take(bytes), bytes)
    }

    /// Its length and SHA-256, once it is durable.
    pub fn finish(mut self) -> Result<(u64, [u8; 32]), ArchiveError> {
        self.write(&[0; 2 * BLOCK])?;
        let last = std::mem::take(&mut self.plain);
        let sealed = self.sealer.segment(last, true);
        self.put(&sealed)?;
        self.out.sync_all()?;
        let mut digest = [0; 32];
        digest.copy_from_slice(self.digest.finish().as_ref());
        Ok((self.bytes, digest))
    }

    fn padded(&mut self, from: &mut dyn Read, bytes: u64) -> Result<(), ArchiveError> {
        let (mut piece, mut left) = (vec![0; SEGMENT_BYTES], bytes);
        while 0 < left {
            let length = SEGMENT_BYTES.min(usize::try_from(left).unwrap_or(SEGMENT_BYTES));
            from.read_exact(&mut piece[..length])?;
            self.write(&piece[..length])?;
            left -= length as u64;
        }
        self.write(&[0; BLOCK][..padding(bytes)])
    }

    /// A segment is sealed when something follows it: the last one is told apart.
    fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.plain.extend_from_slice(bytes);
        while SEGMENT_BYTES < self.plain.len() {
            let rest = self.plain.split_off(SEGMENT_BYTES);
            let segment = std::mem::replace(&mut self.plain, rest);
            let sealed = self.sealer.segment(segment, false);
            self.put(&sealed)?;
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(self.out.write_all(bytes)?)
    }
}

/// An archive that is being read.
pub struct Reading {
    file: File,
    left: u64,
    opener: Opener,
    plain: Vec<u8>,
    at: usize,
}

impl Reading {
    /// The manifest comes first: whose backup it is, before anything else is looked at.
    pub fn begin(mut file: File, identity: &OpeningKey) -> Result<(Reading, Manifest), ArchiveError> {
        let bytes = file.metadata()?.len();
        let mut first = Vec::new();
        (&mut file).take(SEGMENT_BYTES as u64).read_to_end(&mut first)?;
        let (opener, header) = Opener::begin(identity, &first)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(header as u64))?;
        let mut reading = Reading { file, left: bytes - header as u64, opener, plain: Vec::new(), at: 0 };
        if reading.left == 0 {
            return Err(ArchiveError::Damaged); // cut behind its header
        }
        let (name, length) = reading.next_file()?.ok_or(ArchiveError::Damaged)?;
        if name != MANIFEST || MANIFEST_BYTES_MAX < length {
            return Err(ArchiveError::Damaged);
        }
        let mut text = Vec::new();
        reading.copy(length, &mut text)?;
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let Version { format } = serde_json::from_slice(&text).map_err(|_| ArchiveError::Damaged)?;
        if format != FORMAT {
            return Err(ArchiveError::Newer { found: format });
        }
        Ok((reading, serde_json::from_slice(&text).map_err(|_| ArchiveError::Damaged)?))
    }

    /// Name and length of the next file, whose bytes [`Reading::copy`] gives; none at the archive's end.
    pub fn next_file(&mut self) -> Result<Option<(String, u64)>, ArchiveError> {
        let mut block = [0; BLOCK];
        self.exact(&mut block)?;
        if block == [0; BLOCK] {
            self.exact(&mut block)?;
            let is_end = block == [0; BLOCK] && self.left == 0 && self.at == self.plain.len();
            return if is_end { Ok(None) } else { Err(ArchiveError::Damaged) };
        }
        let name = block[..100].split(|byte| *byte == 0).next().unwrap_or_default();
        let name = String::from_utf8(name.to_vec()).map_err(|_| ArchiveError::Damaged)?;
        let octal = std::str::from_utf8(&block[124..135]).ok();
        let bytes = octal.and_then(|octal| u64::from_str_radix(octal, 8).ok()).ok_or(ArchiveError::Damaged)?;
        if BACKUP_PART_BYTES_MAX < bytes {
            return Err(ArchiveError::Damaged);
        }
        Ok(Some((name, bytes)))
    }

    pub fn copy(&mut self, bytes: u64, to: &mut dyn Write) -> Result<(), ArchiveError> {
        let (mut piece, mut left) = (vec![0; SEGMENT_BYTES], bytes);
        while 0 < left {
            let length = SEGMENT_BYTES.min(usize::try_from(left).unwrap_or(SEGMENT_BYTES));
            self.exact(&mut piece[..length])?;
            to.write_all(&piece[..length])?;
            left -= length as u64;
        }
        self.exact(&mut [0; BLOCK][..padding(bytes)])
    }

    fn exact(&mut self, into: &mut [u8]) -> Result<(), ArchiveError> {
        let mut filled = 0;
        while filled < into.len() {
            if self.at == self.plain.len() {
                self.open_segment()?;
            }
            let length = (into.len() - filled).min(self.plain.len() - self.at);
            into[filled..filled + length].copy_from_slice(&self.plain[self.at..self.at + length]);
            (filled, self.at) = (filled + length, self.at + length);
        }
        Ok(())
    }

    fn open_segment(&mut self) -> Result<(), ArchiveError> {
        if self.left == 0 {
            return Err(ArchiveError::Damaged);
        }
        let length = self.left.min(SEALED_SEGMENT_BYTES as u64);
        let mut sealed = vec![0; length as usize];
        self.file.read_exact(&mut sealed)?;
        self.left -= length;
        self.plain = self.opener.segment(&sealed, self.left == 0)?.to_vec();
        self.at = 0;
        if self.plain.is_empty() { Err(ArchiveError::Damaged) } else { Ok(()) }
    }
}

fn padding(bytes: u64) -> usize {
    (bytes.next_multiple_of(BLOCK as u64) - bytes) as usize
}

/// A plain file, mode 0600, of nobody in particular.
fn header(name: &str, bytes: u64, at: UtcMicros) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |from: usize, text: &str| block[from..from + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000600\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{bytes:011o}\0"));
    put(136, &format!("{:011o}\0", at.seconds().max(0)));
    put(148, "        "); // the sum counts as spaces
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Secret32;
    use zeroize::Zeroizing;

    fn made(folder: &Path, parts: &[(&str, Vec<u8>)]) -> (std::path::PathBuf, OpeningKey) {
        let identity = OpeningKey::of(Secret32::new([1; 32]));
        let draws = Draws { file_key: Zeroizing::new([2; 16]), ephemeral: Secret32::new([3; 32]), nonce: [4; 16] };
        let path = folder.join("backup.age");
        let mut sealing = Sealing::begin(File::create(&path).unwrap(), identity.recipient().unwrap(), &draws).unwrap();
        sealing.manifest(&manifest()).unwrap();
        for (name, bytes) in parts {
            std::fs::write(folder.join("part"), bytes).unwrap();
            sealing.file(name, &folder.join("part"), UtcMicros(0)).unwrap();
        }
        let (bytes, _) = sealing.finish().unwrap();
        assert_eq!(bytes, std::fs::metadata(&path).unwrap().len());
        (path, identity)
    }

    fn manifest() -> Manifest {
        let (name, program) = ("Ville".to_owned(), "1".to_owned());
        Manifest { format: FORMAT, site: SiteId([1; 16]), name, entries: 7, at: UtcMicros(8), program }
    }

    fn read(path: &Path, identity: &OpeningKey) -> Result<Vec<(String, Vec<u8>)>, ArchiveError> {
        let (mut reading, found) = Reading::begin(File::open(path)?, identity)?;
        assert_eq!(found, manifest());
        let mut parts = Vec::new();
        while let Some((name, bytes)) = reading.next_file()? {
            let mut copied = Vec::new();
            reading.copy(bytes, &mut copied)?;
            parts.push((name, copied));
        }
        Ok(parts)
    }

    #[test]
    fn an_archive_reads_back_whatever_its_files_lengths() {
        let folder = tempfile::tempdir().unwrap();
        let lengths = [0, 1, 511, 512, 513, SEGMENT_BYTES, 2 * SEGMENT_BYTES + 100];
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let parts: Vec<(&str, Vec<u8>)> =
            names.iter().zip(lengths).map(|(name, length)| (*name, vec![7; length])).collect();
        let (path, identity) = made(folder.path(), &parts);
        let expected: Vec<(String, Vec<u8>)> =
            parts.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        assert_eq!(read(&path, &identity).unwrap(), expected);
    }

    #[test]
    fn an_archive_cut_anywhere_is_damaged_and_never_read_as_a_shorter_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, identity) = made(folder.path(), &[("a", vec![7; SEGMENT_BYTES])]);
        let whole = std::fs::read(&path).unwrap();
        for length in (0..whole.len()).step_by(1_003).chain([whole.len() - 1]) {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(read(&path, &identity).is_err(), "{length}");
        }
        std::fs::write(&path, [&whole[..], &[0; 16]].concat()).unwrap();
        assert!(read(&path, &identity).is_err(), "with something behind its end");
    }
}
