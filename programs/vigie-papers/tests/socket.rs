//! The real program at a socket: one paper a process, whoever calls and whatever is sent.

use documents::{Language, PapersError, RenderLimits, examples, print};
use domain::limit::PAPER_JSON_BYTES_MAX;
use std::{
    fs,
    io::{Read, Write},
    net::Shutdown,
    os::{
        fd::OwnedFd,
        unix::{
            fs::MetadataExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vigie-papers");
const NO_PAPER: u8 = 2;

/// As `vigie serve` keeps it.
struct Printer {
    socket: PathBuf,
    listener: UnixListener,
    _folder: TempDir,
}

impl Printer {
    fn new() -> Printer {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("papers.sock");
        Printer { listener: UnixListener::bind(&socket).unwrap(), socket, _folder: folder }
    }

    fn start(&self) -> Child {
        let listener = OwnedFd::from(self.listener.try_clone().unwrap());
        let mut command = Command::new(PROGRAM);
        command.arg("--socket").env_clear().stdin(Stdio::from(listener)).stdout(Stdio::null());
        command.spawn().unwrap()
    }

    /// What comes back for these bytes, and how the process ended.
    fn sends(&self, bytes: &[u8]) -> (Vec<u8>, Option<i32>) {
        let mut child = self.start();
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        drop(stream.write_all(bytes)); // whoever has read enough closes
        drop(stream.shutdown(Shutdown::Write));
        let mut answer = vec![];
        drop(stream.read_to_end(&mut answer));
        (answer, child.wait().unwrap().code())
    }
}

#[test]
fn each_process_prints_one_paper_and_who_comes_meanwhile_is_served_by_the_next_one() {
    let printer = Printer::new();
    let callers: Vec<_> = [Language::Fr, Language::En]
        .map(|language| {
            let socket = printer.socket.clone();
            thread::spawn(move || print(&socket, &examples::minimal("letter", language), RenderLimits::default()))
        })
        .into();
    for _ in &callers {
        assert_eq!(printer.start().wait().unwrap().code(), Some(0));
    }
    for caller in callers {
        let pdf = caller.join().unwrap().unwrap();
        assert!(pdf.starts_with(b"%PDF-1.7") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
    }
}

#[test]
fn garbage_and_a_flood_are_refused_in_one_line_that_repeats_nothing_of_them() {
    let printer = Printer::new();
    for bytes in [&b""[..], b"Dupont", b"{\"Dupont\": 1}", &vec![b'D'; PAPER_JSON_BYTES_MAX + 1_000_000]] {
        let (answer, code) = printer.sends(bytes);
        let words = String::from_utf8(answer[5..].to_vec()).unwrap();
        assert_eq!((answer[0], code), (NO_PAPER, Some(0)), "{words}");
        assert!(!words.contains('D') && words.lines().count() == 1, "{words}");
    }
    let mut other = examples::minimal("letter", Language::Fr);
    other.format += 1;
    let child = thread::scope(|scope| {
        let said = scope.spawn(|| print(&printer.socket, &other, RenderLimits::default()));
        let code = printer.start().wait().unwrap().code();
        (said.join().unwrap(), code)
    });
    assert!(matches!(&child.0, Err(PapersError::Refused { words }) if words.contains("another format")), "{child:?}");
    assert_eq!(child.1, Some(0));
}

#[test]
fn who_says_nothing_or_goes_is_left_and_that_is_no_failure() {
    let printer = Printer::new();
    let mut child = printer.start();
    let silent = UnixStream::connect(&printer.socket).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "it waits for ever, or calls it a failure");
    drop(silent);
    let mut child = printer.start();
    let json = serde_json::to_vec(&examples::minimal("letter", Language::Fr)).unwrap();
    let mut gone = UnixStream::connect(&printer.socket).unwrap();
    gone.write_all(&json).unwrap();
    drop(gone);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_process_that_reads_a_paper_has_no_listener_left_and_can_take_no_further_one() {
    let printer = Printer::new();
    let listening = fs::metadata(format!("/proc/self/fd/{}", fd_of(&printer.listener))).unwrap().ino();
    let mut child = printer.start();
    let mut stream = UnixStream::connect(&printer.socket).unwrap();
    // the first byte is in its hands
    stream.write_all(b"{").unwrap();
    let sockets = || -> Vec<u64> {
        let fds = fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
        fds.filter_map(|fd| Some(fs::metadata(fd.ok()?.path()).ok()?.ino())).collect()
    };
    let begun = std::time::Instant::now();
    while sockets().contains(&listening) {
        assert!(begun.elapsed().as_secs() < 4, "it keeps the listener while it reads");
        thread::yield_now();
    }
    drop(stream);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn fd_of(listener: &UnixListener) -> i32 {
    std::os::fd::AsRawFd::as_raw_fd(listener)
}

#[test]
fn one_that_waits_has_loaded_no_font() {
    let printer = Printer::new();
    let mut child = printer.start();
    let resident_kib = || -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
    };
    // it sleeps in accept once it holds no more
    let waits = || fs::read_to_string(format!("/proc/{}/wchan", child.id())).unwrap_or_default();
    for _ in 0..200 {
        if waits().contains("accept") || waits().contains("unix_") || waits().contains("skb_") {
            break;
        }
        thread::sleep(std::time::Duration::from_millis(10));
    }
    let kib = resident_kib().unwrap();
    assert!(kib < 32 * 1024, "{kib} KiB");
    child.kill().unwrap();
    child.wait().unwrap();
}
