//! The archive of a package: ZIP with 64-bit lengths, stored, written in one pass into a sealed file, its files counted and hashed.

use super::sealed::{Sealed, SealedFile};
use domain::UtcMicros;
use evidence::{
    FileLine, FileRole,
    manifest::{self, FileSum},
};
use std::io::{self, Write};
use vault::export::{Sink, SinkError};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions, write::StreamWriter};

pub struct Archive {
    zip: ZipWriter<StreamWriter<SealedFile>>,
    open: Option<Open>,
    lines: Vec<FileLine>,
    made: DateTime,
}

/// The file that is written.
struct Open {
    path: String,
    role: FileRole,
    sum: FileSum,
    bytes: u64,
}

impl Archive {
    pub fn new(into: SealedFile, made: UtcMicros) -> Archive {
        Archive { zip: ZipWriter::new_stream(into), open: None, lines: Vec::new(), made: date(made) }
    }

    /// A whole file.
    pub fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), SinkError> {
        self.begin(path)?;
        self.append(bytes)?;
        self.end()
    }

    /// The files so far.
    pub fn lines(&self) -> &[FileLine] {
        &self.lines
    }

    pub fn finish(self) -> Result<Sealed, SinkError> {
        let stream = self.zip.finish().map_err(|error| SinkError(error.to_string()))?;
        stream.into_inner().finish().map_err(|error| failed(&error))
    }
}

impl Sink for Archive {
    fn begin(&mut self, path: &str) -> Result<(), SinkError> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored) // pictures are compressed already
            .large_file(true)
            .last_modified_time(self.made)
            .unix_permissions(0o444);
        self.zip.start_file(path, options).map_err(|error| SinkError(error.to_string()))?;
        self.open = Some(Open { path: path.into(), role: role_of(path), sum: FileSum::default(), bytes: 0 });
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        self.zip.write_all(bytes).map_err(|error| failed(&error))?;
        let open = self.open.as_mut().ok_or_else(|| SinkError("no file is open".into()))?;
        open.sum.update(bytes);
        open.bytes += bytes.len() as u64;
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        if let Some(Open { path, role, sum, bytes }) = self.open.take() {
            self.lines.push(FileLine { path, role, bytes, sha256: sum.finish() });
        }
        Ok(())
    }
}

/// As `docs/formats/evidence.md`, section 1, has the names.
fn role_of(path: &str) -> FileRole {
    match path.split_once('/') {
        Some(("video", _)) => FileRole::Movie,
        Some(("preuves", _)) => FileRole::Proof,
        Some((manifest::COPIES, _)) => FileRole::ViewingCopy,
        _ if path == super::PLAYER => FileRole::Player,
        _ if path == super::report::REPORT => FileRole::Report,
        _ => FileRole::Other,
    }
}

fn failed(error: &io::Error) -> SinkError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            SinkError("the disk of the packages is full: delete packages that were handed over".into())
        }
        _ => SinkError(error.to_string()),
    }
}

/// In UTC; ZIP knows no zone.
fn date(at: UtcMicros) -> DateTime {
    let parts = || {
        let at = jiff::Timestamp::from_microsecond(at.0).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
        let small = |number: i8| u8::try_from(number).ok();
        let year = u16::try_from(at.year()).ok()?;
        let time = (small(at.hour())?, small(at.minute())?, small(at.second())?);
        DateTime::from_date_and_time(year, small(at.month())?, small(at.day())?, time.0, time.1, time.2).ok()
    };
    parts().unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::exports::sealed::SealTo;
    use domain::{Random, Secret32};
    use seal::age::{Opener, OpeningKey, SEALED_SEGMENT_BYTES, SEGMENT_BYTES};
    use std::{fs, io::Read, path::Path};

    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.iter_mut().zip(3u8..=255).for_each(|(byte, n)| *byte = n);
        }
    }

    /// An archive in a file, for whoever holds the key.
    pub fn begun(path: &Path) -> (Archive, OpeningKey) {
        let key = OpeningKey::of(Secret32::new([9; 32]));
        let to = SealTo::Recipient(key.recipient().unwrap());
        let file = SealedFile::begin(fs::File::create(path).unwrap(), &to, &Fixed).unwrap();
        (Archive::new(file, UtcMicros::from_seconds(1_773_324_000)), key)
    }

    pub fn opened(file: &[u8], key: &OpeningKey) -> Vec<u8> {
        let (mut opener, at) = Opener::begin(key, file).unwrap();
        let segments: Vec<&[u8]> = file[at..].chunks(SEALED_SEGMENT_BYTES).collect();
        let open =
            |(nth, segment): (usize, &&[u8])| opener.segment(segment, nth + 1 == segments.len()).unwrap().to_vec();
        segments.iter().enumerate().flat_map(open).collect()
    }

    /// Whatever falls where a segment ends.
    #[test]
    fn what_is_written_in_pieces_of_any_length_is_found_by_its_recipient_and_counted_and_hashed() {
        let key = OpeningKey::of(Secret32::new([9; 32]));
        let folder = tempfile::tempdir().unwrap();
        for bytes in [0, 1, 1_000, SEGMENT_BYTES - 300, SEGMENT_BYTES, 3 * SEGMENT_BYTES + 7] {
            let path = folder.path().join(bytes.to_string());
            let to = SealTo::Recipient(key.recipient().unwrap());
            let file = SealedFile::begin(fs::File::create(&path).unwrap(), &to, &Fixed).unwrap();
            let mut archive = Archive::new(file, UtcMicros::from_seconds(1_773_324_000));
            let movie: Vec<u8> = (0..bytes).map(|n| (n % 251) as u8).collect();
            archive.begin("video/camera-1-001.mp4").unwrap();
            movie.chunks(777).for_each(|part| archive.append(part).unwrap());
            archive.end().unwrap();
            archive.put("preuves/camera-1.jsonl", b"{}\n").unwrap();
            let lines = archive.lines().to_vec();
            assert_eq!((lines[0].role, lines[0].bytes), (FileRole::Movie, bytes as u64));
            assert_eq!(lines[0].sha256, evidence::file_digest(&movie));
            assert_eq!(lines[1].role, FileRole::Proof);
            let sealed = archive.finish().unwrap();
            let written = fs::read(&path).unwrap();
            assert_eq!((sealed.bytes, sealed.sha256), (written.len() as u64, evidence::file_digest(&written)));
            let clear = opened(&written, &key);
            let mut zip = zip::ZipArchive::new(io::Cursor::new(clear)).unwrap();
            assert_eq!(zip.len(), 2);
            let mut found = Vec::new();
            zip.by_index(0).unwrap().read_to_end(&mut found).unwrap();
            assert!(found == movie, "{bytes}");
        }
    }

    #[test]
    fn nothing_of_the_pictures_stands_in_the_file_in_clear() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let to = SealTo::Recipient(OpeningKey::of(Secret32::new([9; 32])).recipient().unwrap());
        let file = SealedFile::begin(fs::File::create(&path).unwrap(), &to, &Fixed).unwrap();
        let mut archive = Archive::new(file, UtcMicros(0));
        archive.put("video/a.mp4", &b"une image en clair".repeat(SEGMENT_BYTES / 8)).unwrap();
        drop(archive);
        let written = fs::read(&path).unwrap();
        assert!(written.len() > SEGMENT_BYTES);
        assert!(!written.windows(18).any(|part| part == b"une image en clair"));
    }
}
