//! `vigie-captive`: Vigie, but one role is in the hands of an attacker. In that role's own place, started by `serve` and confined
//! by the same function with the same paths, it tries what it is told and writes what it could do. For tests only.
//!
//! `VIGIE_CAPTIVE_ROLE` names the role, `VIGIE_CAPTIVE_TRIES` a file with a try a line, `VIGIE_CAPTIVE_REPORT` where the answers
//! go; `VIGIE_CAPTIVE_FREE` leaves the confinement out, which shows what it is that refuses.

use keeper::{KeeperClient, wire::Control};
use nix::{
    mount::{MsFlags, mount, umount},
    sched::{CloneFlags, unshare},
    sys::{ptrace, uio},
    unistd::Pid,
};
use std::{
    fs::{self, File},
    io::{self, IoSliceMut, Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::{fs::FileExt, net::UnixStream, process::CommandExt},
    path::Path,
    process::{Command, ExitCode},
    thread,
    time::{Duration, Instant},
};
use vigie::{
    Build, Config,
    confinement::{self, Role},
};

const VARIABLES: [&str; 4] =
    ["VIGIE_CAPTIVE_ROLE", "VIGIE_CAPTIVE_TRIES", "VIGIE_CAPTIVE_REPORT", "VIGIE_CAPTIVE_FREE"];
const PATIENCE: Duration = Duration::from_secs(5);
const KEEPER_PATIENCE: Duration = Duration::from_secs(40);

fn main() -> ExitCode {
    let build = Build { name: "vigie-captive", variables: &VARIABLES, ..Build::product() };
    let captive = std::env::var("VIGIE_CAPTIVE_ROLE").unwrap_or_default();
    let arguments: Vec<String> = std::env::args().collect();
    if !arguments.ends_with(&["role".to_owned(), captive.clone()]) {
        return vigie::main(&build);
    }
    match attack(&build, &captive, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vigie-captive: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What an attacker knows who was there before: the keeper's process, and what to try.
fn attack(build: &Build, captive: &str, arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let role = Role::of(captive).ok_or("no such role")?;
    let config = arguments.windows(2).find(|pair| pair[0] == "--config").map(|pair| pair[1].clone());
    let config = config.ok_or("`serve` names the configuration")?;
    let parsed = with_ports(Config::parse(&fs::read_to_string(&config)?, Path::new(&config))?);
    let tries = fs::read_to_string(std::env::var("VIGIE_CAPTIVE_TRIES")?)?;
    let path = std::env::var("VIGIE_CAPTIVE_REPORT")?;
    let mut report = File::create(format!("{path}.part"))?;
    let keeper = (role != Role::Keeper).then(|| the_keeper(&parsed)).flatten();
    if std::env::var_os("VIGIE_CAPTIVE_FREE").is_none() {
        for finding in confinement::enter(role, build, &parsed).findings {
            writeln!(report, "lacks\t{}", finding.detail_en)?;
        }
    }
    for line in tries.lines() {
        let (what, on) = line.split_once(' ').unwrap_or((line, ""));
        match attempt(what, on, keeper, &config, &parsed) {
            Ok(()) => writeln!(report, "did\t{line}")?,
            Err(error) => writeln!(report, "refused\t{line}\t{error}")?,
        }
    }
    writeln!(report, "end")?;
    report.sync_all()?;
    let mut rest = Vec::new();
    io::stdin().read_to_end(&mut rest)?; // until `serve` stops
    Ok(())
}

/// The one setting that the test gives by its variable.
fn with_ports(mut config: Config) -> Config {
    if let Ok(ports) = std::env::var("VIGIE_CAMERAS_PORTS") {
        config.cameras.ports = ports;
    }
    config
}

/// The keeper's process, once it answers; it derives a key first.
fn the_keeper(config: &Config) -> Option<Pid> {
    let started = Instant::now();
    while UnixStream::connect(config.control_socket()).is_err() && started.elapsed() < KEEPER_PATIENCE {
        thread::sleep(Duration::from_millis(100));
    }
    sibling("keeper")
}

/// A process that the same `serve` started.
fn sibling(role: &str) -> Option<Pid> {
    let parent = nix::unistd::getppid();
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    let is_it = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|argument| argument == role.as_bytes())
    };
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).find(is_it).map(Pid::from_raw)
}

type Done = Result<(), Box<dyn std::error::Error>>;

/// One try. An answer that only says that the kernel would have done it (a wrong address, say) counts as done.
fn attempt(what: &str, on: &str, keeper: Option<Pid>, config: &str, parsed: &Config) -> Done {
    let keeper = || keeper.ok_or("no keeper");
    match what {
        "read" => drop(File::open(on)?),
        "list" => drop(fs::read_dir(on)?),
        "write" => {
            let path = Path::new(on).join("captive");
            fs::write(&path, b"x")?;
            fs::remove_file(path)?;
        }
        "connect" => drop(TcpStream::connect_timeout(&on.parse()?, PATIENCE)?),
        "bind" => drop(TcpListener::bind(on)?),
        "udp" => drop(UdpSocket::bind("127.0.0.1:0")?.send_to(b"x", on)?),
        "control" => {
            let client = KeeperClient::control(&parsed.control_socket()).patient(PATIENCE);
            drop(client.control_ask(Control::Status)?);
        }
        "control-by-child" => {
            let mut child = Command::new("/proc/self/exe");
            let said = child.args(["--config", config, "status"]).output()?;
            if !String::from_utf8_lossy(&said.stdout).contains("Vigie") {
                return Err(String::from_utf8_lossy(&said.stderr).into());
            }
        }
        "ptrace" => {
            ptrace::seize(keeper()?, ptrace::Options::empty())?;
        }
        "memory" => {
            let maps = fs::read_to_string(format!("/proc/{}/maps", keeper()?))?;
            let first = maps.split('-').next().unwrap_or_default();
            let memory = File::open(format!("/proc/{}/mem", keeper()?))?;
            memory.read_at(&mut [0; 16], u64::from_str_radix(first, 16)?)?;
        }
        "read-memory-of" => {
            let mut bytes = [0; 16];
            let remote = [uio::RemoteIoVec { base: 0x1000, len: 16 }];
            match uio::process_vm_readv(keeper()?, &mut [IoSliceMut::new(&mut bytes)], &remote) {
                Ok(_) | Err(nix::Error::EFAULT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        "signal" => rustix::process::test_kill_process(rustix_pid(keeper()?))?,
        "unshare" => unshare(CloneFlags::CLONE_NEWNS)?,
        "mount" => {
            mount(Some("none"), on, Some("tmpfs"), MsFlags::empty(), None::<&str>)?;
            umount(on)?;
        }
        "dumpable" => rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable)?,
        "child" => drop(Command::new("/bin/true").status()?),
        "become" => return Err(Command::new(on).exec().into()), // a program that could be run shows by the report's missing end
        other => return Err(format!("no try is called `{other}`").into()),
    }
    Ok(())
}

fn rustix_pid(pid: Pid) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(pid.as_raw()).expect("a process has a number above 0")
}
