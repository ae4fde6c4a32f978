//! The public role's process: the log's public files, the witnesses, the page of links; no key, no catalog, no package, no secret of another
//! role (P1).

use crate::{
    Build, Config,
    confinement::Confined,
    site::{self, SiteError},
};
use ledger::WitnessPolicy;
use public::{Lines, PublicParts, PublicRole};
use std::{
    net::TcpListener,
    os::unix::net::UnixListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(100);
/// Serving small files needs no more.
const WORKERS: usize = 2;

/// Bound before the confinement, which lets nothing be bound: where strangers come, and where web brings its lines.
pub struct Listening {
    strangers: Option<TcpListener>,
    lines: Option<UnixListener>,
}

pub fn listen(config: &Config) -> Result<Listening, SiteError> {
    Ok(Listening { strangers: strangers(config)?, lines: lines(config)? })
}

/// `None` where the town offers no links.
fn lines(config: &Config) -> Result<Option<UnixListener>, SiteError> {
    let Some(path) = config.links_socket() else { return Ok(None) };
    let failed = || SiteError::io(format!("cannot listen on `{}`", path.display()));
    std::fs::create_dir_all(config.public_folder()).map_err(failed())?;
    let listener = super::listen(&path)?;
    listener.set_nonblocking(true).map_err(failed())?;
    Ok(Some(listener))
}

/// `None` where nothing is served.
fn strangers(config: &Config) -> Result<Option<TcpListener>, SiteError> {
    let Some(address) = config.public.listen else { return Ok(None) };
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map(Some).map_err(|source| SiteError::PublicListen { address, source })
}

/// Runs until `stop`.
pub fn run(
    build: &Build,
    config: &Config,
    (listening, confined): (Listening, Confined),
    stop: &Arc<AtomicBool>,
) -> Result<(), SiteError> {
    confined.say();
    confined.watch(stop);
    let folder = config.public_folder();
    let parts = PublicParts {
        disk: site::disk(),
        log: config.ledger().join("public"),
        folder: folder.clone(),
        policy: policy(config.public.witnesses.as_deref())?,
    };
    let mut role = PublicRole::open(parts)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(SiteError::io("cannot start the public role's runtime"))?;
    if let Some(listener) = listening.strangers {
        let _entered = runtime.enter();
        let taken = || SiteError::io("cannot listen in the public role's runtime");
        let listener = tokio::net::TcpListener::from_std(listener).map_err(taken())?;
        let lines = listening.lines.map(tokio::net::UnixListener::from_std).transpose().map_err(taken())?;
        let lines = lines.map(|from| {
            let lines = Lines::new();
            runtime.spawn(lines.clone().keep(from));
            lines
        });
        tracing::info!(address = ?config.public.listen, links = lines.is_some(), "the log's public files are served");
        runtime.spawn(public::serve(listener, folder.join("mirror"), lines, std::future::pending()));
    }
    while !stop.load(Ordering::SeqCst) {
        role.look(build.clock.utc().0.div_euclid(1_000_000));
        let mut waited = Duration::ZERO;
        while waited < SECOND && !stop.load(Ordering::SeqCst) {
            std::thread::sleep(LOOK);
            waited += LOOK;
        }
    }
    runtime.shutdown_timeout(SECOND);
    Ok(())
}

/// The witnesses that count; without a file none are asked.
pub fn policy(path: Option<&Path>) -> Result<WitnessPolicy, SiteError> {
    let text = match path {
        None => b"quorum none\n".to_vec(),
        Some(path) => std::fs::read(path)
            .map_err(SiteError::io(format!("cannot read the witnesses' file `{}`", path.display())))?,
    };
    let path = path.unwrap_or(Path::new("")).to_owned();
    WitnessPolicy::parse(&text).map_err(|source| SiteError::Witnesses { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;
    use disk::{Disk, FaultyDisk};
    use domain::{PermitId, Secret32, SiteId, UtcMicros};
    use keeper::journal::{Journal, JournalParts, JournalPlace, JournalSizes, LogKeyError, LogKeys};
    use ledger::{Actor, Entry, Event, LogId, Month, checkpoint};

    struct OneKey;

    impl LogKeys for OneKey {
        fn month_key(&self, _month: Month) -> Result<Secret32, LogKeyError> {
            Ok(Secret32::new([7; 32]))
        }
    }

    /// What somebody sees who asks for the mirror every minute: each file's name and length, and the size that is signed.
    type Seen = (u64, Vec<(std::path::PathBuf, usize)>);

    fn seen(disk: &FaultyDisk) -> Seen {
        let mirror = disk.image(Path::new("/public/mirror"));
        let checkpoint = mirror.files().iter().find(|(path, _)| path.ends_with("checkpoint"));
        let size =
            checkpoint.and_then(|(_, note)| checkpoint::claimed(note)).map_or(0, |(_, checkpoint)| checkpoint.size);
        (size, mirror.files().iter().map(|(path, bytes)| (path.clone(), bytes.len())).collect())
    }

    /// Three hours of a town's log and of its mirror; in some minutes so many acts.
    fn polled(acts: &[(i64, u8)]) -> Vec<Seen> {
        let disk = FaultyDisk::new(1);
        let start = UtcMicros::from_seconds(500_000 * 3_600);
        let (site, log) = (SiteId([1; 16]), LogId([2; 16]));
        let place = JournalPlace::in_folder(Path::new("/ledger"));
        let parts = JournalParts {
            disk: Arc::new(disk.clone()),
            place: place.clone(),
            sizes: JournalSizes { file_bytes: 1 << 20, group_bytes_max: 1 << 18, ..JournalSizes::default() },
            site,
            log,
            seed: Secret32::new([3; 32]),
            keys: Arc::new(OneKey),
            random: Arc::new(SystemRandom::new()),
        };
        let opening = Entry::new(start, Actor::Schedule, Event::Opened { site, log });
        let journal = Journal::create(parts, &opening).unwrap();
        let disk_of_role: Arc<dyn Disk> = Arc::new(disk.clone());
        let policy = policy(None).unwrap();
        let parts = PublicParts { disk: disk_of_role, log: place.public, folder: "/public".into(), policy };
        let mut role = PublicRole::open(parts).unwrap();
        let minute = |minute: i64| {
            let now = start.plus_seconds(minute * 60);
            let act = |n| Entry::new(now, Actor::Schedule, Event::LookEnded { permit: PermitId([n; 16]) });
            let acts = acts.iter().filter(|(at, _)| *at == minute).flat_map(|(_, count)| (0..*count).map(act));
            let acts: Vec<Entry> = acts.collect();
            journal.append(&acts).unwrap();
            journal.checkpoint(now).unwrap();
            role.look(now.seconds());
            seen(&disk)
        };
        (0..180).map(minute).collect()
    }

    #[test]
    fn whoever_polls_the_public_log_does_not_learn_that_somebody_looked_at_three_in_the_morning() {
        let quiet = polled(&[]);
        assert_eq!(polled(&[(77, 3), (78, 15), (140, 1)]), quiet, "sizes, files and times are those of a quiet night");
        let changes: Vec<usize> = (1..quiet.len()).filter(|minute| quiet[*minute] != quiet[minute - 1]).collect();
        assert_eq!(changes, [60, 120], "minutes at which anything changes");
        assert_eq!(quiet[0].0, 16);
        assert_eq!((quiet[60].0, quiet[120].0), (61 * 16, 121 * 16));
        // a busy minute is not hidden, but told at the hour only: that of the acts remains unknown
        let busy = polled(&[(77, 40)]);
        assert_eq!(busy[..120], quiet[..120]);
        assert_eq!(busy[120].0, 121 * 16 - 16 + 64);
    }
}
