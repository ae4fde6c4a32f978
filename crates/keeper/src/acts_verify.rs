//! The papers in the registry against the ledger: one that was edited, brought back or written there beside Vigie is named.

use crate::{
    acts::content_hex,
    core::{KeeperCore, failed},
    journal::{JournalError, LogKeyError},
};
use catalog::{ActVersion, Registry};
use domain::{ActId, UtcMicros};
use ledger::{Entry, Event};
use std::collections::BTreeMap;
use vault::KeeperError;

/// What the ledger says of each paper. Of entries whose details ended (L2) it says nothing any more.
#[derive(Default)]
pub(crate) struct ActBook {
    /// When the first readable entry was made: what was recorded before may have its entry in the dark.
    known_from: Option<UtcMicros>,
    acts: BTreeMap<ActId, Said>,
}

/// Of one paper, last.
struct Said {
    content_hex: String,
    withdrawn_from: Option<UtcMicros>,
}

impl ActBook {
    pub fn take(&mut self, entry: &Entry) {
        self.known_from.get_or_insert(entry.at);
        if let Event::Act { change, act, until, content_hex, .. } = &entry.event {
            let withdrawn_from = until.filter(|_| change == "withdrawn");
            self.acts.insert(*act, Said { content_hex: content_hex.clone(), withdrawn_from });
        }
    }

    /// Everything in which the registry differs from the ledger. A paper that the ledger has and the registry has not lets
    /// nothing record: a crash may have left it.
    pub fn faults(&self, registry: &Registry) -> Result<Vec<String>, KeeperError> {
        let known = registry.acts_known(UtcMicros(i64::MAX)).map_err(failed)?;
        let faults = known.iter().map(|version| self.fault(version));
        Ok(faults.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    fn fault(&self, version: &ActVersion) -> Result<Option<String>, KeeperError> {
        let (id, number) = (version.act.id, &version.act.number);
        let Some(said) = self.acts.get(&id) else {
            let must_be_known = self.known_from.is_some_and(|from| from <= version.recorded_at);
            let fault = || {
                format!(
                    "act `{number}` ({id}) is in the registry and no entry tells of it: it was written beside Vigie"
                )
            };
            return Ok(must_be_known.then(fault));
        };
        if said.content_hex != content_hex(&version.act)? {
            return Ok(Some(format!(
                "act `{number}` ({id}) in the registry is not the one that the ledger entered: it was changed beside Vigie"
            )));
        }
        let told = |at: Option<UtcMicros>| at.map_or("not withdrawn".to_owned(), |at| format!("withdrawn from {at}"));
        Ok((said.withdrawn_from != version.withdrawn_from).then(|| {
            format!(
                "act `{number}` ({id}) is {} by the ledger and {} in the registry: withdraw it again",
                told(said.withdrawn_from),
                told(version.withdrawn_from)
            )
        }))
    }
}

impl KeeperCore {
    /// Reads the ledger anew: what is in memory came from it once, and may be older than what root did.
    pub(crate) fn act_faults(&self) -> Result<Vec<String>, KeeperError> {
        let mut book = ActBook::default();
        let read = self.journal().each(0, &mut |sealed| {
            match self.journal().open_entry(&sealed) {
                Ok(entry) => book.take(&entry),
                Err(JournalError::Key(LogKeyError::Unavailable { month, source })) => {
                    return Err(LogKeyError::Unavailable { month, source }.into());
                }
                Err(_) => {}
            }
            Ok(())
        });
        read.map_err(failed)?;
        book.faults(&self.parts.registry)
    }
}
