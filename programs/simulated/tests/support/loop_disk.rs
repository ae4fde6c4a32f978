//! Real disks that fail: an image on a loop device with a file system of its own, cut off, filled, frozen, slowed, taken away.
//!
//! A power cut is the file system's own shutdown (`xfs_io -x -c shutdown`): what was not synced is gone, the log is not flushed,
//! every later write is an input/output error until it is mounted again. Needs root and a kernel with loop devices.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// xfs wants 300 MiB at least; the images are sparse.
const MEBIBYTES: u64 = 320;
/// A file that is just open keeps a disk for some milliseconds.
const BUSY: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileSystem {
    Ext4,
    Xfs,
}

/// One disk. Dropping it unmounts it, whoever uses it still.
pub struct LoopDisk {
    pub fs: FileSystem,
    /// Where it is mounted; a bare folder while it is not.
    pub path: PathBuf,
    image: PathBuf,
    folder: TempDir,
}

impl FileSystem {
    fn name(self) -> &'static str {
        match self {
            FileSystem::Ext4 => "ext4",
            FileSystem::Xfs => "xfs",
        }
    }
}

impl LoopDisk {
    /// A new disk, mounted; where this machine cannot, it says why and gives none.
    pub fn or_skip(fs: FileSystem) -> Option<LoopDisk> {
        match LoopDisk::make(fs) {
            Ok(disk) => Some(disk),
            Err(why) => {
                println!("skipped: {why}");
                None
            }
        }
    }

    fn make(fs: FileSystem) -> Result<LoopDisk, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("only root may mount a disk".into());
        }
        let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
        if !known.split_whitespace().any(|name| name == fs.name()) {
            return Err(format!("this kernel has no {}", fs.name()));
        }
        for program in [format!("mkfs.{}", fs.name()).as_str(), "xfs_io", "losetup"] {
            let asked = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
            if !asked.is_ok_and(|output| output.status.success()) {
                return Err(format!("there is no `{program}`: scripts/setup.sh installs it"));
            }
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (image, path) = (folder.path().join("image"), folder.path().join("disk"));
        fs::create_dir(&path).map_err(|error| error.to_string())?;
        let disk = LoopDisk { fs, path, image, folder };
        disk.format(&disk.image)?;
        disk.try_mount(&disk.image)?;
        Ok(disk)
    }

    fn format(&self, image: &Path) -> Result<(), String> {
        let file = fs::File::create(image).map_err(|error| error.to_string())?;
        file.set_len(MEBIBYTES << 20).map_err(|error| error.to_string())?;
        let force = if self.fs == FileSystem::Ext4 { "-F" } else { "-f" };
        try_run(&format!("mkfs.{}", self.fs.name()), &["-q", force, text(image)])
    }

    fn try_mount(&self, image: &Path) -> Result<(), String> {
        try_run("mount", &["-o", "loop", text(image), text(&self.path)])
    }

    /// The power goes, or the cable: every write fails from now on, and what was not synced is gone.
    pub fn shut_down(&self) {
        run("xfs_io", &["-x", "-c", "shutdown", text(&self.path)]);
    }

    /// Its folder is bare then, and nobody has the disk: a copy of the mount in another program's namespace (`unshare --mount`)
    /// keeps the file system, which the next mount would be given as it is, cut off.
    pub fn unmount(&self) {
        patiently("umount", &[text(&self.path)]);
        let began = Instant::now();
        while self.is_attached() {
            assert!(began.elapsed() < BUSY, "the disk is unmounted here, and a device still has it");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_attached(&self) -> bool {
        let output =
            Command::new("losetup").args(["--list", "--noheadings", "--output", "BACK-FILE"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().any(|image| image.starts_with(text(self.folder.path())))
    }

    /// The disk that was made first.
    pub fn mount(&self) {
        self.try_mount(&self.image).unwrap();
    }

    /// Another disk in its place: newly formatted, with what `fill` puts there. It is another one each time.
    pub fn mount_another(&self, name: &str, fill: impl FnOnce(&Path)) {
        let image = self.folder.path().join(name);
        self.format(&image).unwrap();
        self.try_mount(&image).unwrap();
        fill(&self.path);
    }

    pub fn read_only(&self, yes: bool) {
        patiently("mount", &["-o", if yes { "remount,ro" } else { "remount,rw" }, text(&self.path)]);
    }

    /// Nothing is written and nothing answers until it thaws; one that is dropped thaws by itself.
    pub fn freeze(&self) -> Frozen<'_> {
        run("fsfreeze", &["--freeze", text(&self.path)]);
        Frozen(self)
    }

    /// Takes all its room but for so many bytes; removing the file gives it back.
    pub fn fill(&self, but_bytes: u64) -> PathBuf {
        let filler = self.path.join("filler");
        let free = rustix::fs::statvfs(&self.path).map(|of| of.f_bavail * of.f_frsize).unwrap();
        run("fallocate", &["-l", &free.saturating_sub(but_bytes).max(4096).to_string(), text(&filler)]);
        filler
    }

    /// Major and minor number of its device.
    fn device(&self) -> Option<String> {
        let columns = ["--list", "--noheadings", "--output", "MAJ:MIN", "--associated"];
        let output = Command::new("losetup").args(columns).arg(&self.image).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|device| device.contains(':'))
    }

    /// A process that may write no more than so many bytes a second to this disk, directly; `None`: the kernel cannot do it here.
    pub fn slow(&self, process: u32, bytes_per_second: u64) -> Option<Slowed> {
        let name = self.folder.path().file_name()?.to_str()?.trim_start_matches('.');
        let group = PathBuf::from(format!("/sys/fs/cgroup/blkio/vigie-test-{name}"));
        fs::create_dir(&group).ok()?;
        let slowed = Slowed(group);
        let line = format!("{} {bytes_per_second}", self.device()?);
        fs::write(slowed.0.join("blkio.throttle.write_bps_device"), line).ok()?;
        fs::write(slowed.0.join("cgroup.procs"), process.to_string()).ok()?;
        Some(slowed)
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        // all that lie there, lazily: a program that uses them may end after them where a test fails
        for _ in 0..3 {
            if try_run("umount", &["--lazy", text(&self.path)]).is_err() {
                break;
            }
        }
    }
}

/// See [`LoopDisk::freeze`].
pub struct Frozen<'a>(&'a LoopDisk);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        if let Err(error) = try_run("fsfreeze", &["--unfreeze", text(&self.0.path)]) {
            eprintln!("{error}");
        }
    }
}

/// See [`LoopDisk::slow`]; dropped, the process is as fast as before.
pub struct Slowed(PathBuf);

impl Drop for Slowed {
    fn drop(&mut self) {
        let members = fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default();
        let freed = |process: &str| fs::write(self.0.with_file_name("cgroup.procs"), process);
        members.lines().filter_map(|process| freed(process).err()).for_each(|error| eprintln!("{error}"));
        if let Err(error) = fs::remove_dir(&self.0) {
            eprintln!("`{}` stays: {error}", self.0.display());
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("folders of tests have plain names")
}

fn run(program: &str, arguments: &[&str]) {
    try_run(program, arguments).unwrap();
}

/// Again and again while the disk is busy.
fn patiently(program: &str, arguments: &[&str]) {
    let began = Instant::now();
    while let Err(error) = try_run(program, arguments) {
        assert!(began.elapsed() < BUSY, "{error}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn try_run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output().map_err(|error| format!("`{program}`: {error}"))?;
    let said = || format!("`{program} {}`: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    if output.status.success() { Ok(()) } else { Err(said()) }
}
