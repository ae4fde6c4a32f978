//! What the process can still do once it has given up the rest. A file of its own: nothing in this process gets a right back.

#[path = "../src/confinement.rs"]
mod confinement;

use std::{
    fs::{self, File},
    io::ErrorKind,
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::net::UnixStream,
    process::Command,
};

#[test]
fn the_program_reaches_no_file_and_no_network_and_ranks_behind_all_others() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = listener.local_addr().unwrap();
    let kept = tempfile::NamedTempFile::new().unwrap();
    confinement::enter().unwrap();
    let denied = |what: &str, done: std::io::Result<()>| {
        let kind = done.expect_err(what).kind();
        assert_eq!(kind, ErrorKind::PermissionDenied, "{what}");
    };
    denied("tcp", TcpStream::connect(there).map(|_| ()));
    denied("listening", TcpListener::bind("127.0.0.1:0").map(|_| ()));
    denied("udp", UdpSocket::bind("127.0.0.1:0").map(|_| ()));
    denied("unix", UnixStream::pair().map(|_| ()));
    denied("a program", Command::new("/bin/true").spawn().map(|_| ()));
    if std::path::Path::new("/sys/kernel/security/landlock").exists() || File::open("/etc/passwd").is_err() {
        denied("reading", File::open("/etc/passwd").map(|_| ()));
        denied("a folder", fs::read_dir("/").map(|_| ()));
        denied("writing", fs::write(kept.path(), "x"));
        denied("the devices", File::open("/dev/urandom").map(|_| ()));
    } else {
        eprintln!("this kernel has no Landlock: files are not limited here");
    }
    assert_eq!(rustix::process::getpriority_process(None).unwrap(), 19);
    assert!(std::thread::spawn(|| 1 + 1).join().is_ok(), "threads are the encoder's");
}
