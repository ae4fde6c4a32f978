//! A file in one piece, or in numbered parts, one a write-once medium (`x.001`, `x.002`, …), read as one (law TECH-12).

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// Parts are counted to 999.
const DIGITS: usize = 3;

/// The file, whole.
pub struct Parts {
    /// Each with where it begins.
    files: Vec<(u64, File)>,
    bytes: u64,
    position: u64,
}

impl Parts {
    /// Opens a file; of a part, whichever it is, all that lie in its folder. Errors: also one that is missing between others.
    pub fn open(path: &Path) -> io::Result<Parts> {
        let mut parts = Parts { files: Vec::new(), bytes: 0, position: 0 };
        let Some(stem) = stem_of(path) else {
            parts.push(File::open(path)?)?;
            return Ok(parts);
        };
        let there = (1..10_usize.pow(DIGITS as u32)).filter(|number| part(&stem, *number).is_file());
        for (nth, number) in there.enumerate() {
            if number != nth + 1 {
                let missing = part(&stem, nth + 1);
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("`{}` manque · is missing", missing.display()),
                ));
            }
            parts.push(File::open(part(&stem, number))?)?;
        }
        Ok(parts)
    }

    fn push(&mut self, file: File) -> io::Result<()> {
        let bytes = file.metadata()?.len();
        self.files.push((self.bytes, file));
        self.bytes += bytes;
        Ok(())
    }

    /// How many files it is.
    pub fn files(&self) -> usize {
        self.files.len()
    }
}

/// Of a part, its name without the number.
fn stem_of(path: &Path) -> Option<PathBuf> {
    let number = path.extension()?.to_str()?;
    (number.len() == DIGITS && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| path.with_extension(""))
}

fn part(stem: &Path, number: usize) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(format!(".{number:03}"));
    name.into()
}

impl Read for Parts {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let position = self.position;
        let Some((start, file)) = self.files.iter_mut().rev().find(|(start, _)| *start <= position) else {
            return Ok(0);
        };
        file.seek(SeekFrom::Start(position - *start))?;
        // the end of a part is no end: whoever reads asks again, and the next one is found
        let read = file.read(into)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Parts {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folder(parts: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        parts.iter().for_each(|(name, bytes)| fs::write(folder.path().join(name), bytes).unwrap());
        folder
    }

    fn read(path: &Path) -> io::Result<Vec<u8>> {
        let (mut parts, mut all) = (Parts::open(path)?, Vec::new());
        parts.read_to_end(&mut all)?;
        Ok(all)
    }

    #[test]
    fn parts_are_read_as_one_whichever_of_them_is_named_and_from_anywhere() {
        let folder =
            folder(&[("a.age.001", b"01234"), ("a.age.002", b"56789"), ("a.age.003", b"x"), ("b.age.001", b"no")]);
        for name in ["a.age.001", "a.age.002", "a.age.003"] {
            assert_eq!(read(&folder.path().join(name)).unwrap(), b"0123456789x");
        }
        let mut parts = Parts::open(&folder.path().join("a.age.001")).unwrap();
        assert_eq!((parts.files(), parts.bytes), (3, 11));
        for at in 0..11 {
            let mut rest = Vec::new();
            parts.seek(SeekFrom::Start(at)).unwrap();
            parts.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, &b"0123456789x"[at as usize..]);
        }
        parts.seek(SeekFrom::End(-1)).unwrap();
        let mut last = [0];
        parts.read_exact(&mut last).unwrap();
        assert_eq!(&last, b"x");
    }

    #[test]
    fn one_file_is_read_as_it_is_and_a_part_that_is_missing_is_named() {
        let whole = folder(&[("a.zip.age", b"whole")]);
        assert_eq!(read(&whole.path().join("a.zip.age")).unwrap(), b"whole");
        let broken = folder(&[("a.001", b"one"), ("a.003", b"three")]);
        let error = read(&broken.path().join("a.001")).unwrap_err();
        assert!(error.to_string().contains("a.002"), "{error}");
        assert!(read(&broken.path().join("a.zip")).is_err());
    }
}
