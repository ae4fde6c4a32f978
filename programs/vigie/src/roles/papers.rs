//! Keeps one `vigie-papers` waiting at the socket where web has papers printed (decision 0077).

use super::listen;
use crate::{Config, site::SiteError};
use std::{
    os::{
        fd::OwnedFd,
        unix::{net::UnixListener, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tracing::{error, info, warn};

/// Beside `vigie`.
const PROGRAM: &str = "vigie-papers";
/// One that fails is started again after this, doubling to the maximum; one that served its caller at once.
const AGAIN_MIN: Duration = Duration::from_millis(500);
const AGAIN_MAX: Duration = Duration::from_secs(10);

/// The socket, and the one process that waits there. Each prints one paper: no paper meets another one's process.
pub struct Papers {
    program: PathBuf,
    listener: UnixListener,
    child: Option<Child>,
    ended: Instant,
    wait: Duration,
}

impl Papers {
    /// `None`: this town prints nothing, which is told once; everything else works. A socket that was left would be believed.
    pub fn open(config: &Config) -> Option<Papers> {
        let socket = config.papers_socket();
        let Some(program) = beside_us() else {
            drop(std::fs::remove_file(&socket));
            warn!("`{PROGRAM}` is not installed beside `vigie`: no paper is printed as PDF");
            return None;
        };
        Papers::at(&socket, program).inspect_err(|error| error!(%error, "no paper is printed as PDF")).ok()
    }

    fn at(socket: &Path, program: PathBuf) -> Result<Papers, SiteError> {
        let listener = listen(socket)?;
        Ok(Papers { program, listener, child: None, ended: Instant::now(), wait: Duration::ZERO })
    }

    /// Called often: 1 a process that ended is looked at · 2 where none is there, and the time has come, another one is started.
    pub fn keep(&mut self) {
        if let Some(child) = &mut self.child {
            let status = match child.try_wait() {
                Ok(None) => return,
                Ok(Some(status)) => status,
                Err(error) => return warn!(%error, "`{PROGRAM}` cannot be waited for"),
            }; // 1
            self.child = None;
            self.ended = Instant::now();
            if status.success() {
                self.wait = Duration::ZERO;
            } else {
                error!(%status, "`{PROGRAM}` failed; it is started again");
                self.fail();
            }
        }
        if self.ended.elapsed() >= self.wait {
            match self.start() {
                Ok(child) => self.child = Some(child), // 2
                Err(error) => {
                    error!(%error, "`{PROGRAM}` could not be started");
                    self.ended = Instant::now();
                    self.fail();
                }
            }
        }
    }

    fn fail(&mut self) {
        self.wait = (self.wait * 2).clamp(AGAIN_MIN, AGAIN_MAX);
    }

    /// It inherits the socket, the technical log, and nothing else.
    fn start(&self) -> std::io::Result<Child> {
        let listener = OwnedFd::from(self.listener.try_clone()?);
        let mut command = Command::new(&self.program);
        command.arg("--socket").env_clear().process_group(0); // a Ctrl-C is for `serve`
        command.stdin(Stdio::from(listener)).stdout(Stdio::null()).spawn()
    }

    /// It keeps nothing that could be lost.
    pub fn end(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
            warn!(%error, "`{PROGRAM}` could not be stopped");
        }
        info!("no paper is printed any more");
    }
}

fn beside_us() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.parent()?.join(PROGRAM);
    program.is_file().then_some(program)
}
