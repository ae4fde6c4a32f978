//! What a witness keeps: its key, the logs it watches, the last note cosigned for each, and the proof of what it refused.
//!
//! ```text
//! key                       the private key, 0600
//! logs                      one verifier key a line
//! last/<SHA-256 of origin>  the last note cosigned, with the cosignature
//! forks/<…>.kept, .asked    the note that this witness had cosigned, and the question that contradicts it
//! ```

use crate::key;
use aws_lc_rs::digest::{SHA256, digest};
use disk::{Disk, DiskError};
use domain::limit::{ADD_CHECKPOINT_BYTES_MAX, CLOCK_EARLIEST_SECONDS, NOTE_BYTES_MAX};
use ledger::{
    AddCheckpoint, Checkpoint, CheckpointKey, Digest, Refusal, WitnessKey, WitnessKeyError, WitnessSigner, checkpoint,
    cosignature::with_lines, judge,
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// So many verifier keys of 200 bytes are more logs than an association watches.
const LOGS_BYTES_MAX: usize = 256 * 1024;
/// A log that keeps contradicting itself fills no disk: the first proofs tell as much as the last.
const EVIDENCE_MAX: usize = 200;

/// Why a witness cannot act.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error("there is no witness in `{folder}`: run `vigie-witness init` first", folder = folder.display())]
    NoKey { folder: PathBuf },
    #[error("there is a witness in `{folder}` already: nothing was changed; a witness's key is never replaced", folder = folder.display())]
    Exists { folder: PathBuf },
    #[error("`{path}` is no witness's key: do not mend it, make a new witness under another name", path = path.display())]
    Key { path: PathBuf },
    #[error("`{path}` is damaged: this witness signs for this log no more; make a new witness under another name", path = path.display())]
    Record { path: PathBuf },
    #[error("`{path}`, line {line}: a log's verifier key expected (`name+hash+key`)", path = path.display())]
    Logs { path: PathBuf, line: usize },
    #[error("`{text}` is no log's verifier key: ask the town for the line that `vigie public key` prints")]
    LogKey { text: String },
    #[error("the log `{origin}` is watched already")]
    SameLog { origin: String },
    #[error(transparent)]
    Name(#[from] WitnessKeyError),
    #[error("this machine's clock ({seconds} s since 1970) is wrong: nothing is signed; set it, a time server helps")]
    Clock { seconds: i64 },
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// What a witness answers.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// The line of the cosignature, with its newline.
    Cosigned(String),
    Refused(Refusal),
}

/// A log that is watched, and the last checkpoint cosigned for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Watched {
    pub key: CheckpointKey,
    pub last: Option<Checkpoint>,
    /// By the witness's own clock.
    pub at_seconds: Option<i64>,
}

/// A refusal that is kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Evidence {
    pub origin: String,
    pub kept: Checkpoint,
    pub asked: Checkpoint,
    /// The file of the question; the note kept lies beside it.
    pub path: PathBuf,
}

impl Evidence {
    /// Two trees of one size: proven by the two notes alone. Otherwise it may be the asker who proved nothing.
    pub fn is_proof(&self) -> bool {
        self.kept.size == self.asked.size
    }
}

/// The witness's folder, open.
pub struct Book {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    signer: WitnessSigner,
    /// Looking up, judging and keeping are one act: two questions at once could otherwise set the record back.
    turn: Mutex<()>,
}

impl Book {
    /// Makes a witness: folder and key.
    pub fn create(disk: Arc<dyn Disk>, folder: &Path, name: &str) -> Result<Book, BookError> {
        let path = folder.join("key");
        if disk.exists(&path)? {
            return Err(BookError::Exists { folder: folder.to_owned() });
        }
        for folder in [folder.to_owned(), folder.join("last"), folder.join("forks")] {
            disk.create_dir(&folder)?;
        }
        let signer = key::create(&*disk, &path, name)?;
        Ok(Book { disk, folder: folder.to_owned(), signer, turn: Mutex::default() })
    }

    pub fn open(disk: Arc<dyn Disk>, folder: &Path) -> Result<Book, BookError> {
        let path = folder.join("key");
        if !disk.exists(&path)? {
            return Err(BookError::NoKey { folder: folder.to_owned() });
        }
        let signer = key::read(&*disk, &path)?;
        Ok(Book { disk, folder: folder.to_owned(), signer, turn: Mutex::default() })
    }

    /// What is handed to logs and readers.
    pub fn public(&self) -> WitnessKey {
        self.signer.public()
    }

    /// Watches one more log from now on.
    pub fn add_log(&self, verifier_key: &str) -> Result<CheckpointKey, BookError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = |_| BookError::LogKey { text: verifier_key.chars().take(120).collect() };
        let key = CheckpointKey::parse(verifier_key.trim()).map_err(wrong)?;
        let mut keys = self.keys()?;
        if keys.iter().any(|other| other.origin() == key.origin()) {
            return Err(BookError::SameLog { origin: key.origin().to_owned() });
        }
        keys.push(key.clone());
        let text: String = keys.iter().map(|key| format!("{}\n", key.verifier_key())).collect();
        disk::write_all(&*self.disk, &self.folder.join("logs"), text.as_bytes())?;
        Ok(key)
    }

    /// Every log that is watched.
    pub fn logs(&self) -> Result<Vec<Watched>, BookError> {
        let watched = |key: CheckpointKey| {
            let note = self.last_note(&key)?;
            let last = note.as_deref().map(|note| self.read_last(&key, note)).transpose()?;
            let at_seconds = note.as_deref().and_then(|note| Some(self.public().verify(note)?.at_seconds));
            Ok(Watched { key, last, at_seconds })
        };
        self.keys()?.into_iter().map(watched).collect()
    }

    /// Judges a question and answers it:
    ///
    /// 1. which log it is, and what was cosigned last for it
    /// 2. the log's signature and the proof of growth
    /// 3. what contradicts is kept, durably, before it is refused
    /// 4. the cosignature
    /// 5. note and cosignature are kept, durably, in the place of the last
    /// 6. the cosignature leaves
    ///
    /// After an error nothing left; asking again is right.
    pub fn cosign(&self, request: &AddCheckpoint, now_seconds: i64) -> Result<Answer, BookError> {
        let now = u64::try_from(now_seconds).ok().filter(|_| now_seconds >= CLOCK_EARLIEST_SECONDS);
        let now = now.ok_or(BookError::Clock { seconds: now_seconds })?;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((origin, asked)) = checkpoint::claimed(&request.note) else {
            return Ok(Answer::Refused(Refusal::NotSigned));
        };
        let Some(key) = self.keys()?.into_iter().find(|key| key.origin() == origin) else {
            return Ok(Answer::Refused(Refusal::UnknownLog));
        };
        let note = self.last_note(&key)?;
        let last = note.as_deref().map(|note| self.read_last(&key, note)).transpose()?; // 1
        if let Err(refusal) = judge(request, &key, last) {
            // 2
            if let (Some(kept), Refusal::Forked { .. } | Refusal::NotGrown { .. }) = (&note, &refusal) {
                self.keep_evidence(&origin, asked, kept, request)?; // 3
            }
            return Ok(Answer::Refused(refusal));
        }
        let line = self.signer.cosign(&request.note, now)?; // 4
        let record = with_lines(&request.note, std::slice::from_ref(&line));
        disk::write_all(&*self.disk, &self.last_path(&origin), &record)?; // 5
        Ok(Answer::Cosigned(line)) // 6
    }

    /// Refusals that were kept, and that speak against a log.
    pub fn evidence(&self) -> Result<Vec<Evidence>, BookError> {
        let folder = self.folder.join("forks");
        let mut found = Vec::new();
        for name in self.disk.list(&folder)?.iter().filter(|name| name.ends_with(".asked")) {
            let path = folder.join(name);
            let kept = disk::read_all(&*self.disk, &path.with_extension("kept"), NOTE_BYTES_MAX)?;
            let asked = disk::read_all(&*self.disk, &path, ADD_CHECKPOINT_BYTES_MAX)?;
            let asked = AddCheckpoint::parse(&asked).ok().and_then(|asked| checkpoint::claimed(&asked.note));
            let damaged = || BookError::Record { path: path.clone() };
            let (origin, asked) = asked.ok_or_else(damaged)?;
            let (_, kept) = checkpoint::claimed(&kept).ok_or_else(damaged)?;
            found.push(Evidence { origin, kept, asked, path });
        }
        Ok(found)
    }

    /// The note kept comes first: a question without it would be no evidence.
    fn keep_evidence(
        &self,
        origin: &str,
        asked: Checkpoint,
        kept: &[u8],
        request: &AddCheckpoint,
    ) -> Result<(), BookError> {
        let folder = self.folder.join("forks");
        let log = hex(&sha256(origin.as_bytes()));
        let name = format!("{}-{}-{}", &log[..16], asked.size, &asked.root.to_string()[..16]);
        let path = folder.join(format!("{name}.asked"));
        if self.disk.exists(&path)? || self.disk.list(&folder)?.len() >= 2 * EVIDENCE_MAX {
            return Ok(());
        }
        disk::write_all(&*self.disk, &folder.join(format!("{name}.kept")), kept)?;
        disk::write_all(&*self.disk, &path, &request.to_bytes())?;
        Ok(())
    }

    fn keys(&self) -> Result<Vec<CheckpointKey>, BookError> {
        let path = self.folder.join("logs");
        if !self.disk.exists(&path)? {
            return Ok(Vec::new());
        }
        let wrong = |line| BookError::Logs { path: path.clone(), line };
        let bytes = disk::read_all(&*self.disk, &path, LOGS_BYTES_MAX)?;
        let text = String::from_utf8(bytes).map_err(|_| wrong(1))?;
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        lines.map(|(line, text)| CheckpointKey::parse(text.trim()).map_err(|_| wrong(line))).collect()
    }

    /// `None`: never cosigned. A record that is there and cannot be read is an error, never a `None`.
    fn last_note(&self, key: &CheckpointKey) -> Result<Option<Vec<u8>>, BookError> {
        let path = self.last_path(key.origin());
        if !self.disk.exists(&path)? {
            return Ok(None);
        }
        Ok(Some(disk::read_all(&*self.disk, &path, NOTE_BYTES_MAX)?))
    }

    /// Signed by the log and cosigned by us, or nothing to build on.
    fn read_last(&self, key: &CheckpointKey, note: &[u8]) -> Result<Checkpoint, BookError> {
        let damaged = || BookError::Record { path: self.last_path(key.origin()) };
        let last = key.verify(note).map_err(|_| damaged())?;
        self.public().verify(note).map(|_| last).ok_or_else(damaged)
    }

    fn last_path(&self, origin: &str) -> PathBuf {
        self.folder.join("last").join(hex(&sha256(origin.as_bytes())))
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn hex(digest: &[u8; 32]) -> String {
    Digest(*digest).to_string()
}

#[cfg(test)]
mod tests;
