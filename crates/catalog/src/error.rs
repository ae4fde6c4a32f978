//! What can go wrong with a catalog, and what to do then: the registry is restored, footage is rebuilt.

use domain::{ActId, CameraId, ReelId, SiteId};
use std::{fmt, path::PathBuf};

/// Which of the two databases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    Registry,
    Footage,
}

impl Which {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Which::Registry => "registry",
            Which::Footage => "footage",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Which::Registry => "stop Vigie and restore the registry's newest backup by `vigie restore`",
            Which::Footage => "it holds nothing that the reels do not: delete it, it is rebuilt from them",
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a catalog did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("there is no {which}, or an empty one, at `{}`: {}", path.display(), missing_remedy(*.which))]
    Missing { which: Which, path: PathBuf },
    #[error("there is a registry at `{}` already: use it, or choose another folder for the new site", path.display())]
    AlreadyExists { path: PathBuf },
    #[error("the {which} at `{}` is damaged: {}", path.display(), which.remedy())]
    Damaged { which: Which, path: PathBuf, source: sqlx::Error },
    #[error("`{}` is a database, but not a {which}: check the configured path", path.display())]
    Foreign { which: Which, path: PathBuf },
    #[error(
        "the {which} at `{}` has version {found} of a later program, this one knows {known}: nothing was changed; install the \
         later program again",
        path.display()
    )]
    Newer { which: Which, path: PathBuf, found: i64, known: i64 },
    #[error("the {which} at `{}` has version {found}, we need {known}: start its writer", path.display())]
    Older { which: Which, path: PathBuf, found: i64, known: i64 },
    #[error("the {which} at `{}` belongs to site {found}, not {expected}: check the configured path", path.display())]
    OtherSite { which: Which, path: PathBuf, found: SiteId, expected: SiteId },
    #[error("`{}` cannot be used: check the folder, its owner and its rights", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("the disk of the {which} at `{}` is full: free space on it", path.display())]
    Full { which: Which, path: PathBuf, source: sqlx::Error },
    #[error("the {which} at `{}` is locked by another program: only one may write to it", path.display())]
    Locked { which: Which, path: PathBuf, source: sqlx::Error },
    #[error("the {which} at `{}` refused a statement: see the cause", path.display())]
    Sql { which: Which, path: PathBuf, source: sqlx::Error },

    #[error("this account name is taken: choose another")]
    AccountNameTaken,
    #[error("the registry knows no such account: list the accounts")]
    UnknownAccount,
    #[error("the camera name `{name}` is taken by another camera in service: choose another")]
    CameraNameTaken { name: String },
    #[error("the registry knows no camera {camera}: list the cameras")]
    UnknownCamera { camera: CameraId },
    #[error("the camera's address holds a user name or password: give them apart, they are stored sealed")]
    CredentialInUrl,
    #[error(
        "camera {camera} has a version recorded later than this one: correct the clock, versions are recorded in order"
    )]
    RecordedBackwards { camera: CameraId },

    #[error("the registry knows no act {act}: `vigie act list` names them")]
    UnknownAct { act: ActId },
    #[error("act {act} has a version recorded later than this one: correct the clock, versions are recorded in order")]
    ActRecordedBackwards { act: ActId },

    #[error("the catalog knows no live reel {reel}: it is dead, or was never opened")]
    NotLive { reel: ReelId },
    #[error("reel {reel} is in the catalog already, with other facts: clear the footage catalog and rebuild it")]
    Contradiction { reel: ReelId },
}

const fn missing_remedy(which: Which) -> &'static str {
    match which {
        Which::Registry => "run `vigie init` for a new site, or restore the registry's backup by `vigie restore`",
        Which::Footage => "start the recorder, it creates it",
    }
}

/// What a piece of work ended with inside the crate: SQL's complaint, still without its place, or an answer of ours.
pub(crate) enum Failure {
    Sql(sqlx::Error),
    Said(CatalogError),
}

impl From<sqlx::Error> for Failure {
    fn from(source: sqlx::Error) -> Failure {
        Failure::Sql(source)
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Failure {
        Failure::Said(error)
    }
}

impl Failure {
    /// SQLite's result codes (sqlite.org/rescode.html, low byte) to situations that have a remedy.
    pub(crate) fn at(self, which: Which, path: &std::path::Path) -> CatalogError {
        let source = match self {
            Failure::Said(error) => return error,
            Failure::Sql(source) => source,
        };
        let path = path.to_owned();
        if matches!(source, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) {
            return CatalogError::Damaged { which, path, source };
        }
        match sqlite_code(&source) {
            // SQLITE_CORRUPT, SQLITE_NOTADB
            Some(11 | 26) => CatalogError::Damaged { which, path, source },
            // SQLITE_FULL
            Some(13) => CatalogError::Full { which, path, source },
            // SQLITE_BUSY, SQLITE_LOCKED
            Some(5 | 6) => CatalogError::Locked { which, path, source },
            _ => CatalogError::Sql { which, path, source },
        }
    }
}

fn sqlite_code(error: &sqlx::Error) -> Option<i64> {
    let code: i64 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
