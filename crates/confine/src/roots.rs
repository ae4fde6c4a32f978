//! Which files and folders the limits were made for: a disk that is mounted later at the same path is another folder, which a
//! confined process cannot reach before it starts again.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Paths and what stood there, by device and inode. Looking needs no right: the kernel tells of any path.
#[derive(Clone, Debug, Default)]
pub struct Roots(Vec<(PathBuf, Option<(u64, u64)>)>);

impl Roots {
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Roots {
        Roots(paths.into_iter().map(|path| (path.clone(), identity(path))).collect())
    }

    /// A folder that is there now and was not, or was another one. One that is gone changes nothing. Files are not looked at:
    /// what replaces them is read through their folder, or at the next start.
    pub fn changed(&self) -> Option<&Path> {
        let changed = |(path, was): &&(PathBuf, Option<(u64, u64)>)| {
            path.is_dir() && identity(path).is_some_and(|now| Some(now) != *was)
        };
        self.0.iter().find(changed).map(|(path, _)| path.as_path())
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_that_comes_or_is_replaced_is_told_and_one_that_goes_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (there, away) = (folder.path().join("there"), folder.path().join("away"));
        fs::create_dir(&there).unwrap();
        let roots = Roots::of([&there, &away]);
        assert_eq!(roots.changed(), None);
        fs::rename(&there, folder.path().join("elsewhere")).unwrap();
        assert_eq!(roots.changed(), None, "it is gone");
        fs::create_dir(&there).unwrap();
        assert_eq!(roots.changed(), Some(&*there), "another one has its name");
        fs::remove_dir(&there).unwrap();
        fs::rename(folder.path().join("elsewhere"), &there).unwrap();
        assert_eq!(roots.changed(), None, "it is back");
        fs::create_dir(&away).unwrap();
        assert_eq!(roots.changed(), Some(&*away));
    }
}
