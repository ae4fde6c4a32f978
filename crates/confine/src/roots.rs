//! Which files and folders the limits were made for: a disk that is mounted later at the same path is another folder, which a
//! confined process cannot reach before it starts again.

use std::{
    io::ErrorKind,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Paths and what stood there.
#[derive(Clone, Debug, Default)]
pub struct Roots(Vec<(PathBuf, Option<Was>)>);

/// What stood at a path: device and inode, which the kernel tells without a right; whether a disk was mounted there, and whether it
/// was a folder that we could read.
#[derive(Clone, Copy, Debug)]
struct Was {
    identity: (u64, u64),
    mounted: bool,
    readable: bool,
}

impl Roots {
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Roots {
        let was = |path: &PathBuf| {
            let readable = std::fs::read_dir(path).is_ok();
            identity(path).map(|identity| Was { identity, mounted: is_mounted(path), readable })
        };
        Roots(paths.into_iter().map(|path| (path.clone(), was(path))).collect())
    }

    /// A folder that is there now and was not, or was another one. One that is gone changes nothing, and the bare folder that an
    /// unmounted disk leaves is nothing to start again for: its user says what is missing. Files are not looked at: what replaces
    /// them is read through their folder, or at the next start.
    pub fn changed(&self) -> Option<&Path> {
        let changed = |(path, was): &&(PathBuf, Option<Was>)| {
            let other = identity(path).is_some_and(|now| was.is_none_or(|was| was.identity != now));
            let unmounted = was.is_some_and(|was| was.mounted) && !is_mounted(path);
            path.is_dir() && !unmounted && (other || was.is_some_and(|was| was.readable && is_refused(path)))
        };
        self.0.iter().find(changed).map(|(path, _)| path.as_path())
    }
}

/// A disk that was unmounted and mounted again has the device and the inode that it had, and the limits were made for the folder
/// of before.
fn is_refused(path: &Path) -> bool {
    std::fs::read_dir(path).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Whether the folder, links followed, is on another device than the folder that it lies in.
fn is_mounted(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    let above = path.parent().and_then(identity);
    above.zip(identity(&path)).is_some_and(|((above, _), (own, _))| above != own)
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
