//! A package as a ZIP archive, in clear or sealed: read where it lies, or unpacked into a folder.

use evidence::{Files, FilesError, manifest::is_inside};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};
use zip::{CompressionMethod, ZipArchive};

/// Where a file's bytes stand.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u64,
    bytes: u64,
}

/// Files of a package are stored, not compressed: each is read in pieces where it stands.
pub struct Archive<R> {
    places: BTreeMap<String, Place>,
    reader: RefCell<R>,
}

impl<R: Read + Seek> Archive<R> {
    /// Errors: it is no archive, or none of a package.
    pub fn open(reader: R, name: &str) -> Result<Archive<R>, FilesError> {
        let failed = |why: String| FilesError { path: name.to_owned(), why };
        let mut zip = ZipArchive::new(reader).map_err(|error| failed(error.to_string()))?;
        let mut places = BTreeMap::new();
        for nth in 0..zip.len() {
            let file = zip.by_index_raw(nth).map_err(|error| failed(error.to_string()))?;
            let path = file.name().map_err(|error| failed(error.to_string()))?.into_owned();
            if file.compression() != CompressionMethod::Stored || file.compressed_size() != file.size() {
                return Err(failed(format!("`{path}` is not stored as a package has it")));
            }
            let start = file.data_start().ok_or_else(|| failed(format!("`{path}` has no place in it")))?;
            let place = Place { start, bytes: file.size() };
            if places.insert(path.clone(), place).is_some() {
                return Err(failed(format!("`{path}` stands in it twice")));
            }
        }
        Ok(Archive { places, reader: RefCell::new(zip.into_inner()) })
    }

    /// Every file into a folder that did not exist. Returns how many.
    pub fn unpack(&self, to: &Path) -> Result<usize, FilesError> {
        let failed = |path: &str, why: String| FilesError { path: path.to_owned(), why };
        if let Some(path) = self.places.keys().find(|path| !is_inside(path)) {
            return Err(failed(path, "its name leads out of the package, or is none that a package has".into()));
        }
        fs::create_dir(to).map_err(|error| failed(&to.display().to_string(), error.to_string()))?;
        for (path, place) in &self.places {
            self.unpack_one(place, &to.join(path)).map_err(|error| failed(path, error.to_string()))?;
        }
        Ok(self.places.len())
    }

    fn unpack_one(&self, place: &Place, to: &Path) -> io::Result<()> {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create_new(to)?;
        let mut reader = self.reader.borrow_mut();
        reader.seek(SeekFrom::Start(place.start))?;
        let copied = io::copy(&mut reader.by_ref().take(place.bytes), &mut file)?;
        if copied != place.bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.flush()
    }
}

impl<R: Read + Seek> Files for Archive<R> {
    fn list(&self) -> Result<Vec<(String, u64)>, FilesError> {
        Ok(self.places.iter().map(|(path, place)| (path.clone(), place.bytes)).collect())
    }

    fn read(&self, path: &str, offset: u64, bytes: usize) -> Result<Vec<u8>, FilesError> {
        let failed = |why: String| FilesError { path: path.to_owned(), why };
        let ends_before = || failed("it ends before it should".into());
        let place = self.places.get(path).ok_or_else(|| failed("it is not there".into()))?;
        let end = offset.checked_add(bytes as u64).filter(|end| *end <= place.bytes).ok_or_else(ends_before)?;
        let mut reader = self.reader.borrow_mut();
        reader.seek(SeekFrom::Start(place.start + offset)).map_err(|error| failed(error.to_string()))?;
        let mut data = Vec::new();
        reader.by_ref().take(end - offset).read_to_end(&mut data).map_err(|error| failed(error.to_string()))?;
        if data.len() == bytes { Ok(data) } else { Err(ends_before()) }
    }
}
