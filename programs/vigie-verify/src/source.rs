//! Where a log's public files are read: a folder, or an address over HTTP.

use domain::limit::{NOTE_BYTES_MAX, STARTS_BYTES_MAX};
use ledger::{FileError, tile::PublicTile};
use std::{io::ErrorKind, path::PathBuf, time::Duration};

/// 256 entries of at most 64 KiB would be 16 MiB; ours have 32 bytes.
const TILE_BYTES_MAX: u64 = 256 * 34;
const PATIENCE: Duration = Duration::from_secs(30);
/// From a town's address to the server that has its log.
const REDIRECTS_MAX: u32 = 3;

/// One of both.
pub enum Source {
    Folder(PathBuf),
    Http { prefix: String, agent: ureq::Agent },
}

/// Why a file cannot be read; one that is not there is no error.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("`{path}`: {source}", path = path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("`{url}`: {why}")]
    Http { url: String, why: String },
}

impl Source {
    /// What begins with `http://` or `https://` is an address, everything else a folder.
    pub fn of(text: &str) -> Source {
        if !text.starts_with("http://") && !text.starts_with("https://") {
            return Source::Folder(PathBuf::from(text));
        }
        let agent = https::agent(PATIENCE, REDIRECTS_MAX);
        Source::Http { prefix: text.trim_end_matches('/').to_owned(), agent }
    }

    /// The signed note; `None` where there is none.
    pub fn note(&self) -> Result<Option<Vec<u8>>, SourceError> {
        self.read("checkpoint", NOTE_BYTES_MAX as u64)
    }

    /// Which programs the town opens the starts of; `None` where it opens none.
    pub fn starts(&self) -> Result<Option<Vec<u8>>, SourceError> {
        self.read("starts", STARTS_BYTES_MAX as u64)
    }

    pub fn tile(&self, tile: PublicTile) -> Result<Option<Vec<u8>>, FileError> {
        Ok(self.read(&tile.path(), TILE_BYTES_MAX)?)
    }

    fn read(&self, path: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, SourceError> {
        match self {
            Source::Folder(folder) => read_file(folder.join(path), bytes_max),
            Source::Http { prefix, agent } => get(agent, format!("{prefix}/{path}"), bytes_max),
        }
    }
}

fn read_file(path: PathBuf, bytes_max: u64) -> Result<Option<Vec<u8>>, SourceError> {
    match std::fs::metadata(&path) {
        Ok(about) if about.len() > bytes_max => {
            let source = std::io::Error::new(ErrorKind::InvalidData, format!("more than {bytes_max} bytes"));
            return Err(SourceError::File { path, source });
        }
        _ => {}
    }
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(SourceError::File { path, source }),
    }
}

fn get(agent: &ureq::Agent, url: String, bytes_max: u64) -> Result<Option<Vec<u8>>, SourceError> {
    let failed = |why: String| SourceError::Http { url: url.clone(), why };
    let mut answer = agent.get(&url).call().map_err(|error| failed(error.to_string()))?;
    match answer.status().as_u16() {
        200 => {
            let read = answer.body_mut().with_config().limit(bytes_max + 1).read_to_vec();
            read.map(Some).map_err(|error| failed(error.to_string()))
        }
        404 | 410 => Ok(None),
        status => Err(failed(format!("status {status}"))),
    }
}
