//! The lines that web keeps at the public role: the inside comes out with each, waits for a stranger's try, and answers it.
//!
//! 1 a place among the packages that leave, else *busy*, before anybody looks at the link · 2 the keeper decides and enters it, durably ·
//! 3 the file, or *no* · 4 *yes*, then its bytes, as long as the link is not revoked, taken up anew, or its package gone · 5 the public
//! role's word that the last was given on · 6 the keeper enters how it ended.
//!
//! A crash after 2 leaves a fetch that began: it may begin again within the hour.

use super::{LinkConfig, ask_keeper};
use crate::server::Web;
use domain::{
    ExportId, LinkId, LinkTry, LinkWord,
    limit::{LINK_DOWNLOADS_AT_ONCE, LINK_STALL_SECONDS_MAX},
};
use keeper::wire::links::{LinkAnswer, LinkQuestion};
use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::Semaphore,
    time::{sleep, timeout},
};
use zeroize::Zeroizing;

/// The public role is started again within a second or two.
const AGAIN: Duration = Duration::from_secs(1);
const STALL: Duration = Duration::from_secs(LINK_STALL_SECONDS_MAX);
/// What of a package is read at once to be sent.
const PART_BYTES: usize = 256 * 1024;
/// The public role's word that the last byte was given on.
const WHOLE: u8 = b'.';

/// Packages that leave by a link, now.
pub struct Leaving {
    config: Option<LinkConfig>,
    places: Semaphore,
    /// The newest beginning of each link's download: what began earlier ends.
    running: Mutex<HashMap<LinkId, (ExportId, u64)>>,
    begun: AtomicU64,
}

/// How a download ended.
enum End {
    Whole,
    BrokeOff,
    /// The same one began again: its end is told by that.
    TakenUp,
}

impl Leaving {
    pub fn new(config: Option<LinkConfig>) -> Leaving {
        let places = Semaphore::new(LINK_DOWNLOADS_AT_ONCE);
        Leaving { config, places, running: Mutex::default(), begun: AtomicU64::new(0) }
    }

    /// Where links lead; none: the town offers none.
    pub fn address(&self) -> Option<&str> {
        self.config.as_ref().map(|config| config.address.as_str())
    }

    pub fn socket(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|config| config.socket.clone())
    }

    pub fn cut_link(&self, link: LinkId) {
        self.running().remove(&link);
    }

    pub fn cut_export(&self, export: ExportId) {
        self.running().retain(|_, (of, _)| *of != export);
    }

    fn begin(&self, link: LinkId, export: ExportId) -> u64 {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        self.running().insert(link, (export, number));
        number
    }

    /// Its number, while it neither was cut nor began again.
    fn newest(&self, link: LinkId) -> Option<u64> {
        self.running().get(&link).map(|(_, number)| *number)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<LinkId, (ExportId, u64)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line, kept as long as web lives: a try at a time.
pub async fn carry(web: Weak<Web>, socket: PathBuf) {
    loop {
        if let Err(error) = one(&web, &socket).await {
            tracing::debug!(%error, "the public role takes no line");
            sleep(AGAIN).await;
        }
        if web.strong_count() == 0 {
            return;
        }
    }
}

async fn one(web: &Weak<Web>, socket: &Path) -> io::Result<()> {
    let mut line = UnixStream::connect(socket).await?;
    let mut asked = Zeroizing::new([0; LinkTry::BYTES]);
    line.read_exact(&mut *asked).await?;
    let Some(web) = web.upgrade() else { return Ok(()) };
    let Ok(_place) = web.leaving.places.try_acquire() else { return say(&mut line, LinkWord::Busy).await }; // 1
    let Some(tried) = LinkTry::from_bytes(&asked) else { return say(&mut line, LinkWord::No).await };
    let answer = ask_keeper(&web, LinkQuestion::Try(tried)).await; // 2
    let Ok(LinkAnswer::Fetch { link, nth, export }) = answer else {
        if answer.is_err() {
            tracing::warn!("a link was refused because the keeper could not say");
        }
        return say(&mut line, LinkWord::No).await;
    };
    let is_whole = match send(&web, &mut line, (link, export)).await {
        End::Whole => true,
        End::BrokeOff => false,
        End::TakenUp => return Ok(()),
    };
    // without it the download counts as one that broke off
    if ask_keeper(&web, LinkQuestion::Over { link, nth, is_whole }).await.is_err() {
        tracing::warn!("how a download ended could not be entered");
    } // 6
    Ok(())
}

async fn say(line: &mut UnixStream, word: LinkWord) -> io::Result<()> {
    timeout(STALL, line.write_all(&word.to_bytes())).await.map_err(|_| io::ErrorKind::TimedOut)?
}

async fn send(web: &Web, line: &mut UnixStream, (link, export): (LinkId, ExportId)) -> End {
    let number = web.leaving.begin(link, export);
    let sent = pass(web, line, (link, number), export).await;
    if let Err(error) = &sent {
        tracing::info!(%error, "a package that was fetched broke off");
    }
    let mut running = web.leaving.running();
    match running.get(&link) {
        Some((_, newest)) if *newest == number => drop(running.remove(&link)),
        Some(_) => return End::TakenUp,
        None => {}
    }
    if sent.is_ok() { End::Whole } else { End::BrokeOff }
}

async fn pass(web: &Web, line: &mut UnixStream, (link, number): (LinkId, u64), export: ExportId) -> io::Result<()> {
    let opened = match web.packages.whole(export) {
        Some(path) => File::open(&path).await.map(|file| (path, file)),
        None => Err(io::ErrorKind::NotFound.into()),
    };
    let Ok((path, mut file)) = opened else {
        say(line, LinkWord::No).await?;
        return Err(io::ErrorKind::NotFound.into()); // 3
    };
    let bytes = file.metadata().await?.len();
    say(line, LinkWord::Yes { export, bytes }).await?; // 4
    let (mut left, mut part) = (bytes, vec![0; PART_BYTES]);
    while 0 < left {
        let read = file.read(&mut part).await?;
        let goes_on = web.leaving.newest(link) == Some(number) && path.exists();
        if read == 0 || !goes_on {
            return Err(io::ErrorKind::Interrupted.into());
        }
        timeout(STALL, line.write_all(&part[..read])).await.map_err(|_| io::ErrorKind::TimedOut)??;
        left = left.saturating_sub(read as u64);
    }
    let mut word = [0];
    timeout(STALL, line.read_exact(&mut word)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    if word == [WHOLE] { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) } // 5
}
