//! Keeps programs waiting at the sockets where web has papers printed and pictures coded: one process a job (decisions 0077, 0080).

use super::listen;
use crate::{Config, site::SiteError};
use domain::limit::PACKAGES_AT_ONCE_MAX;
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

/// One that fails is started again after this, doubling to the maximum; one that served its caller at once.
const AGAIN_MIN: Duration = Duration::from_millis(500);
const AGAIN_MAX: Duration = Duration::from_secs(10);

/// A program that waits, and what a town lacks without it.
#[derive(Clone, Copy)]
struct Kind {
    /// Its name; it lies beside `vigie`.
    program: &'static str,
    lacks: &'static str,
    /// Processes that wait at once: what takes minutes is not waited for by the next one.
    places: usize,
}

const PAPERS: Kind = Kind { program: "vigie-papers", lacks: "no paper is printed as PDF", places: 1 };
const PICTURE: Kind =
    Kind { program: "vigie-picture", lacks: "packages have no viewing copies of H.265", places: PACKAGES_AT_ONCE_MAX };

/// A socket, and the processes that wait there. Each does one job: no job meets another one's process.
pub struct Waiting {
    kind: Kind,
    program: PathBuf,
    listener: UnixListener,
    places: Vec<Place>,
}

/// Of one process after the other.
struct Place {
    child: Option<Child>,
    ended: Instant,
    wait: Duration,
}

impl Waiting {
    /// Those that are installed beside `vigie`. What a town is without is told once; everything else works.
    pub fn open_all(config: &Config) -> Vec<Waiting> {
        let all = [(PAPERS, config.papers_socket()), (PICTURE, config.picture_socket())];
        all.into_iter().filter_map(|(kind, socket)| Waiting::open(kind, &socket, beside_us(kind.program))).collect()
    }

    /// A socket that was left would be believed.
    fn open(kind: Kind, socket: &Path, program: Option<PathBuf>) -> Option<Waiting> {
        let Some(program) = program else {
            drop(std::fs::remove_file(socket));
            warn!("`{}` is not installed beside `vigie`: {}", kind.program, kind.lacks);
            return None;
        };
        let opened = Waiting::at(kind, socket, program);
        opened.inspect_err(|error| error!(%error, program = kind.program, "{}", kind.lacks)).ok()
    }

    fn at(kind: Kind, socket: &Path, program: PathBuf) -> Result<Waiting, SiteError> {
        let listener = listen(socket)?;
        let place = || Place { child: None, ended: Instant::now(), wait: Duration::ZERO };
        let places = (0..kind.places).map(|_| place()).collect();
        Ok(Waiting { kind, program, listener, places })
    }

    /// Called often.
    pub fn keep(&mut self) {
        for place in &mut self.places {
            place.keep(self.kind.program, || start(&self.program, &self.listener));
        }
    }

    /// They keep nothing that could be lost.
    pub fn end(&mut self) {
        let program = self.kind.program;
        for mut child in self.places.iter_mut().filter_map(|place| place.child.take()) {
            if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
                warn!(%error, "`{program}` could not be stopped");
            }
        }
        info!("`{program}` waits no more");
    }
}

impl Place {
    /// 1 a process that ended is looked at · 2 where none is there, and the time has come, another one is started.
    fn keep(&mut self, program: &str, start: impl Fn() -> std::io::Result<Child>) {
        if let Some(child) = &mut self.child {
            let status = match child.try_wait() {
                Ok(None) => return,
                Ok(Some(status)) => status,
                Err(error) => return warn!(%error, "`{program}` cannot be waited for"),
            }; // 1
            self.child = None;
            self.ended = Instant::now();
            if status.success() {
                self.wait = Duration::ZERO;
            } else {
                error!(%status, "`{program}` failed; it is started again");
                self.fail();
            }
        }
        if self.ended.elapsed() >= self.wait {
            match start() {
                Ok(child) => self.child = Some(child), // 2
                Err(error) => {
                    error!(%error, "`{program}` could not be started");
                    self.ended = Instant::now();
                    self.fail();
                }
            }
        }
    }

    fn fail(&mut self) {
        self.wait = (self.wait * 2).clamp(AGAIN_MIN, AGAIN_MAX);
    }
}

/// It inherits the socket, the technical log, and nothing else.
fn start(program: &Path, listener: &UnixListener) -> std::io::Result<Child> {
    let listener = OwnedFd::from(listener.try_clone()?);
    let mut command = Command::new(program);
    command.arg("--socket").env_clear().process_group(0); // a Ctrl-C is for `serve`
    command.stdin(Stdio::from(listener)).stdout(Stdio::null()).spawn()
}

fn beside_us(program: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.parent()?.join(program);
    program.is_file().then_some(program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        collections::BTreeSet,
        fs,
        io::Read,
        os::unix::{fs::PermissionsExt, net::UnixStream},
        thread,
    };

    /// Answers one caller by its number, and ends; what such programs do, without them.
    const ONE_CALLER: &str = "#!/usr/bin/env -S PATH=/usr/bin:/bin python3\n\
        import os, socket\n\
        listener = socket.socket(fileno=0)\n\
        stream, _ = listener.accept()\n\
        stream.sendall(str(os.getpid()).encode())\n";

    #[test]
    fn each_place_has_a_process_and_a_caller_meets_no_other_callers() {
        let folder = tempfile::tempdir().unwrap();
        let (program, socket) = (folder.path().join("one"), folder.path().join("one.sock"));
        fs::write(&program, ONE_CALLER).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let kind = Kind { places: 2, ..PICTURE };
        let mut waiting = Waiting::open(kind, &socket, Some(program)).unwrap();
        waiting.keep();
        let running = |waiting: &Waiting| waiting.places.iter().filter(|place| place.child.is_some()).count();
        assert_eq!(running(&waiting), 2);
        let ask = move || {
            let mut said = String::new();
            UnixStream::connect(&socket).unwrap().read_to_string(&mut said).unwrap();
            said.parse::<u32>().unwrap()
        };
        let callers = thread::spawn(move || (0..4).map(|_| ask()).collect::<BTreeSet<u32>>());
        while !callers.is_finished() {
            waiting.keep();
            thread::sleep(Duration::from_millis(5));
        }
        let met = callers.join().unwrap();
        assert_eq!(met.len(), 4, "a process served two");
        waiting.end();
        assert_eq!(running(&waiting), 0);
    }

    #[test]
    fn without_the_program_no_socket_is_left_to_be_believed() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("picture.sock");
        fs::write(&socket, b"left").unwrap();
        assert!(Waiting::open(PICTURE, &socket, None).is_none());
        assert!(!socket.exists());
    }
}
