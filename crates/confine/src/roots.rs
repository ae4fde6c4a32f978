//! Which files and folders the limits were made for: a disk that is mounted later at the same path is another folder, which a
//! confined process cannot reach before it starts again.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Paths and what stood there. Looking needs no right: the kernel tells of any path.
#[derive(Clone, Debug, Default)]
pub struct Roots(Vec<Root>);

#[derive(Clone, Debug)]
struct Root {
    path: PathBuf,
    /// Device and inode.
    was: Option<(u64, u64)>,
    was_readable: bool,
    /// A disk was mounted there.
    was_mounted: bool,
}

impl Roots {
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Roots {
        let root = |path: &PathBuf| Root {
            path: path.clone(),
            was: identity(path),
            was_readable: fs::read_dir(path).is_ok(),
            was_mounted: is_mounted(path),
        };
        Roots(paths.into_iter().map(root).collect())
    }

    /// A folder that is there now and was not, or was another one. One that is gone changes nothing, and the bare folder that an
    /// unmounted disk leaves is nothing to start again for: who uses it says what is missing. Files are not looked at: what
    /// replaces them is read through their folder, or at the next start.
    ///
    /// The same disk that was unmounted and is mounted again has the same device and inode, and the limits hold for what was
    /// unmounted: it is known by being refused.
    pub fn changed(&self) -> Option<&Path> {
        let changed = |root: &&Root| {
            let is_another = identity(&root.path).is_some_and(|now| Some(now) != root.was);
            let is_bare = root.was_mounted && !is_mounted(&root.path);
            root.path.is_dir() && !is_bare && (is_another || root.was_readable && is_refused(&root.path))
        };
        self.0.iter().find(changed).map(|root| root.path.as_path())
    }
}

fn is_refused(path: &Path) -> bool {
    fs::read_dir(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// Whether the folder, links followed, is on another device than the one that it lies in.
fn is_mounted(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    let above = path.parent().and_then(identity);
    above.zip(identity(&path)).is_some_and(|((above, _), (own, _))| above != own)
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
