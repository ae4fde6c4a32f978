//! What witnesses attested holds the journal at its start, also where ledger and keyring were put back together (K2).

use crate::{Config, site::SiteError};
use domain::limit::NOTE_BYTES_MAX;
use keeper::{
    OpenError,
    journal::{Journal, JournalError},
};
use std::{fs, io::Read};
use tracing::warn;

/// The notes that the public role keeps: the newest that enough witnesses cosigned, and the one that the mirror shows.
const KEPT: [&str; 2] = ["cosigned", "mirror/checkpoint"];

/// The journal begins with what this log signed and the public role kept. A note that is not there, or that another log
/// signed, says nothing; one that cannot be read is told and says nothing either: destruction does not wait for it.
pub fn hold(config: &Config, journal: &Journal) -> Result<(), SiteError> {
    for name in KEPT {
        let path = config.public_folder().join(name);
        let mut note = Vec::new();
        let read = fs::File::open(&path).and_then(|file| file.take(NOTE_BYTES_MAX as u64).read_to_end(&mut note));
        match read {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => warn!(%error, path = %path.display(), "what witnesses attested cannot be read"),
            Ok(_) => held_by(&note, journal)?,
        }
    }
    Ok(())
}

fn held_by(note: &[u8], journal: &Journal) -> Result<(), OpenError> {
    let Ok(attested) = journal.checkpoint_key().verify(note) else { return Ok(()) };
    match journal.begins_with(attested) {
        Err(JournalError::Behind { .. } | JournalError::Forked { .. }) => {
            Err(OpenError::Attested { attested: attested.size, entries: journal.size() })
        }
        held => Ok(held?),
    }
}
