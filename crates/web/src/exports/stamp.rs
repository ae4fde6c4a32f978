//! The timestamp of a package: the authority that the town chose dates the extract of the log, and what it answers is believed or left out.
//!
//! A package never fails for it: what came of it is told to whoever makes the package (decision 0076).

mod asking;

use asking::Asking;
use domain::limit::STAMP_SECONDS_MAX;
use evidence::stamp::{RESPONSE_BYTES_MAX, RESPONSE_TYPE, Refusal, ResponseError, Roots, StampFiles};
use serde::Serialize;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};
use utoipa::ToSchema;

/// How soon whoever stops a package is heard.
const LOOK: Duration = Duration::from_millis(100);
/// A name that nobody answers for may hold the thread that asks; nobody waits for that.
const GRACE: Duration = Duration::from_secs(2);

const ROOTS: &str = "timestamp.roots";
const CERTIFICATES: &str = "timestamp.certificates";

/// The authority that the town chose, and whom it trusts for it.
#[derive(Clone, Debug)]
pub struct TimestampConfig {
    /// `https://…` or `http://…`.
    pub authority: String,
    /// Certificates in PEM or DER, read anew for each package.
    pub roots: PathBuf,
    /// Those between the authority and its root that its tokens lack.
    pub certificates: Option<PathBuf>,
    /// For everything together.
    pub patience: Duration,
}

/// What came of a package's timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stamping {
    /// It is in the package.
    Made,
    /// The authority did not answer in time.
    Away,
    /// It refused, or what it answered is not believed.
    Refused,
    /// A file that the settings name cannot be read: nobody was asked.
    Unset,
}

/// Why a package has no timestamp.
#[derive(Debug, thiserror::Error)]
pub enum StampError {
    #[error("`{path}` cannot be read ({why}): correct `{setting}`", path = path.display())]
    Unset { setting: &'static str, path: PathBuf, why: String },
    #[error("the timestamp authority does not answer ({0}): is `timestamp.authority` right, and the network there?")]
    Away(Box<https::Error>),
    #[error("the timestamp authority answers {status}: is `timestamp.authority` right?")]
    Status { status: u16 },
    #[error("the timestamp authority does not answer in time")]
    Late,
    #[error("the timestamp authority answers `{kind}`, not `{RESPONSE_TYPE}`: is `timestamp.authority` right?")]
    OtherType { kind: String },
    #[error("the timestamp authority answers more than {RESPONSE_BYTES_MAX} bytes")]
    TooLong,
    #[error(transparent)]
    Answer(#[from] ResponseError),
    #[error("the timestamp authority's token is not believed: {}", .0.text_en())]
    Token(Refusal),
    #[error("the address of a list of revoked certificates is none of HTTP on ports 80, 443 or the authority's own")]
    StrangeList,
    #[error("`timestamp.roots` holds no root: name one that stands above the authority")]
    NoRoot,
}

/// What is judged by.
struct Trusted {
    roots: Roots,
    certificates: Option<Vec<u8>>,
}

impl StampError {
    pub fn stamping(&self) -> Stamping {
        match self {
            StampError::Unset { .. } | StampError::NoRoot => Stamping::Unset,
            StampError::Away(_) | StampError::Status { .. } | StampError::Late => Stamping::Away,
            _ => Stamping::Refused,
        }
    }
}

impl TimestampConfig {
    pub const PATIENCE: Duration = Duration::from_secs(STAMP_SECONDS_MAX);

    /// Whether the files can be read, for whoever sets this up.
    pub fn check(&self) -> Result<(), StampError> {
        self.trusted().map(drop)
    }

    fn trusted(&self) -> Result<Trusted, StampError> {
        let (roots, _) = certificates(ROOTS, &self.roots)?;
        if roots.is_empty() {
            return Err(StampError::NoRoot);
        }
        let between = self.certificates.as_deref().map(|path| certificates(CERTIFICATES, path));
        Ok(Trusted { roots, certificates: between.transpose()?.map(|(_, file)| file) })
    }

    /// The file can be read, and a package has no room for what is in it.
    fn many_certificates(&self, refusal: &Refusal) -> StampError {
        let path = self.certificates.clone().unwrap_or_default();
        StampError::Unset { setting: CERTIFICATES, path, why: refusal.text_en() }
    }
}

/// What a file holds, and its bytes.
fn certificates(setting: &'static str, path: &Path) -> Result<(Roots, Vec<u8>), StampError> {
    let unset = |why: String| StampError::Unset { setting, path: path.to_owned(), why };
    let file = fs::read(path).map_err(|error| unset(error.to_string()))?;
    Ok((Roots::read(&file).map_err(|error| unset(error.why))?, file))
}

/// The timestamp of these bytes, with the lists of its day. On a thread of its own, so that whoever stops a package waits for nobody; `None`:
/// it was stopped.
pub fn stamp(
    config: &TimestampConfig,
    bytes: &[u8],
    chance: [u8; 8],
    go_on: &dyn Fn() -> bool,
) -> Option<Result<StampFiles, StampError>> {
    let until = Instant::now() + config.patience;
    let stopped = Arc::new(AtomicBool::new(false));
    let asking = Asking::new(config.clone(), bytes, chance, (until, stopped.clone()));
    let (tell, told) = mpsc::channel();
    // nobody may be there any more to hear of it
    thread::spawn(move || drop(tell.send(asking.run())));
    let done = loop {
        match told.recv_timeout(LOOK) {
            Ok(done) => break Some(done),
            Err(RecvTimeoutError::Timeout) if !go_on() => break None,
            Err(RecvTimeoutError::Timeout) if Instant::now() < until + GRACE => {}
            Err(_) => break Some(Err(StampError::Late)),
        }
    };
    stopped.store(true, Ordering::Relaxed);
    done
}

#[cfg(test)]
mod tests;
