//! `serve`: starts keeper, recorder, web and auditor, public where it is configured, and what prints papers and codes pictures, starts them
//! again when they end, stops them in order.

use super::waiting::Waiting;
use crate::{
    Build, Config, SystemRandom,
    confinement::Role,
    formats,
    handover::Handover,
    hardening,
    site::{self, SiteError},
};
use domain::{Secret32, limit};
use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tracing::{error, info, warn};

const LOOK: Duration = Duration::from_millis(100);
/// A role that ends is started again after this, doubling to the maximum; a minute of life forgives.
const AGAIN_MIN: Duration = Duration::from_millis(500);
const AGAIN_MAX: Duration = Duration::from_secs(10);
const FORGIVEN: Duration = Duration::from_secs(60);
/// A role that does not stop in this time is killed: recovery is made for it.
const STOP_MAX: Duration = Duration::from_secs(15);

/// Of the recorder's C library (mallopt(3)): what is as large as a chunk's buffer, or larger, gets a mapping of its own, and that does
/// not change by what was freed. Its memory is locked (K11), and of locked memory only whole mappings go back to the system
/// (decision 0064). The second is the default's own value once a buffer of 1 MiB was freed. Other C libraries know neither.
const RECORDER_MEMORY: [(&str, usize); 2] =
    [("MALLOC_MMAP_THRESHOLD_", limit::CHUNK_BYTES_MAX), ("MALLOC_TRIM_THRESHOLD_", 2 * 1024 * 1024)];

struct Process {
    role: Role,
    name: &'static str,
    child: Option<Child>,
    started: Instant,
    wait: Duration,
}

/// Runs until `stop`. Processes are stopped in the reverse order of starting, so that facts find their keeper.
pub fn run(build: &Build, config_path: &Path, config: &Config, stop: &Arc<AtomicBool>) -> Result<(), SiteError> {
    if let Some(finding) = hardening::no_dumps() {
        warn!(detail = finding.detail_en, "hardening"); // the roles' secrets are in this process too
    }
    site::identity(config)?;
    let _lock = site::lock_serve(config)?;
    formats::check(build, config)?;
    check_keyring(config)?;
    prepare_folders(config)?;
    let random = SystemRandom::new();
    let handover = Handover {
        recorder: Secret32::draw(&random),
        web: Secret32::draw(&random),
        recorder_web: Secret32::draw(&random),
        auditor: Secret32::draw(&random),
    };
    let mut processes: Vec<Process> = Role::ALL
        .into_iter()
        .filter(|role| *role != Role::Public || config.public.is_on())
        .map(|role| Process {
            role,
            name: role.name(),
            child: None,
            started: Instant::now() - AGAIN_MAX,
            wait: Duration::ZERO,
        })
        .collect();
    let mut waiting = Waiting::open_all(config);
    info!(version = build.version, site = config.site.name, "Vigie serves");
    while !stop.load(Ordering::SeqCst) {
        for process in &mut processes {
            process.keep(config_path, &handover)?;
        }
        waiting.iter_mut().for_each(Waiting::keep);
        thread::sleep(LOOK);
    }
    for process in processes.iter_mut().rev() {
        process.end();
    }
    waiting.iter_mut().for_each(Waiting::end);
    info!("Vigie stopped");
    Ok(())
}

/// Folders that roles cannot make once they are confined. A catalog of footage that lay beside the registry, where an earlier
/// version kept it, moves into its own.
fn prepare_folders(config: &Config) -> Result<(), SiteError> {
    let disk = site::disk();
    std::fs::create_dir_all(config.sockets()).map_err(SiteError::io("cannot make the folder of the sockets"))?;
    if config.public.is_on() {
        disk.create_dir(&config.public_folder())?;
    }
    let footage = config.footage();
    let (Some(folder), Some(name)) = (footage.parent(), footage.file_name()) else { return Ok(()) };
    disk.create_dir(folder)?;
    if let Some(folder) = config.verdict().parent() {
        disk.create_dir(folder)?;
    }
    disk.create_dir(&config.packages())?;
    // the keeper would make it, and then those who read it would start again to reach it
    disk.create_dir(&config.ledger().join("public"))?;
    for suffix in ["-shm", "-wal", ""] {
        let name = format!("{}{suffix}", name.to_string_lossy());
        let (before, now) = (config.data.folder.join(&name), folder.join(&name));
        if before.is_file() && !now.exists() {
            disk.rename(&before, &now)?;
        }
    }
    disk.sync_dir(folder)?;
    Ok(disk.sync_dir(&config.data.folder)?)
}

/// A passphrase or a keyring that does not open is told to who starts us; a keeper that still ends has its lock, and then
/// the new keeper tells.
fn check_keyring(config: &Config) -> Result<(), SiteError> {
    let (identity, passphrase) = (site::identity(config)?, site::passphrase(config)?);
    match site::lock(config) {
        Ok(_lock) => site::open_keyring(config, identity, &passphrase).map(drop),
        Err(SiteError::InUse { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What the one who starts us has set himself stays.
fn memory_of(role: Role) -> impl Iterator<Item = (&'static str, String)> {
    let ours =
        RECORDER_MEMORY.iter().filter(move |(name, _)| role == Role::Recorder && std::env::var_os(name).is_none());
    ours.map(|(name, bytes)| (*name, bytes.to_string()))
}

impl Process {
    fn keep(&mut self, config_path: &Path, handover: &Handover) -> Result<(), SiteError> {
        if let Some(child) = &mut self.child {
            match child.try_wait().map_err(SiteError::io("cannot look after a role"))? {
                None => return Ok(()),
                Some(status) => error!(role = self.name, %status, "a role ended; it is started again"),
            }
            self.child = None;
            let forgiven = self.started.elapsed() > FORGIVEN;
            self.wait = if forgiven { AGAIN_MIN } else { (self.wait * 2).clamp(AGAIN_MIN, AGAIN_MAX) };
            self.started = Instant::now();
        }
        if self.started.elapsed() >= self.wait {
            self.started = Instant::now();
            match self.start(config_path, handover) {
                Ok(child) => self.child = Some(child),
                Err(error) => {
                    error!(role = self.name, %error, "a role could not be started");
                    self.wait = AGAIN_MAX;
                }
            }
        }
        Ok(())
    }

    fn start(&self, config_path: &Path, handover: &Handover) -> Result<Child, SiteError> {
        let failed = || SiteError::io(format!("cannot start the {}", self.name));
        // the file that runs, also when it was replaced on disk meanwhile
        let mut child = Command::new("/proc/self/exe")
            .arg("--config")
            .arg(config_path)
            .args(["role", self.name])
            .stdin(Stdio::piped())
            .process_group(0) // a Ctrl-C is for `serve`, which stops its roles in order
            .envs(memory_of(self.role))
            .spawn()
            .map_err(failed())?;
        if let Some(Err(error)) = child.stdin.as_mut().map(|input| handover.give(self.role, input)) {
            warn!(role = self.name, %error, "the handover failed");
        }
        Ok(child)
    }

    /// The end of its standard input tells the role to stop.
    fn end(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        drop(child.stdin.take());
        let asked = Instant::now();
        while asked.elapsed() < STOP_MAX {
            match child.try_wait() {
                Ok(Some(_)) => return,
                Ok(None) => thread::sleep(LOOK),
                Err(error) => return warn!(role = self.name, %error, "a role cannot be waited for"),
            }
        }
        warn!(role = self.name, "a role did not stop in time and is killed");
        if let Err(error) = child.kill().and_then(|()| child.wait().map(|_| ())) {
            warn!(role = self.name, %error, "a role could not be killed");
        }
    }
}
