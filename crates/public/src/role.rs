//! The role's second: is there a new checkpoint, what do the witnesses say, has the hour turned?

use crate::{
    client::{self, Post, https_agent},
    folder::{self, LogFolder},
    mirror::{Mirror, MirrorError},
    state::{LogTrouble, PublicState, WitnessState, WitnessTrouble},
};
use disk::{Disk, DiskError};
use domain::limit::{CHECKPOINT_SECONDS, MIRROR_SECONDS, NOTE_BYTES_MAX};
use ledger::{
    Checkpoint, Cosignature, WitnessPolicy, checkpoint,
    cosignature::with_lines,
    quorum::{PolicyWitness, Quorum},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

/// What the role is made of.
pub struct PublicParts {
    pub disk: Arc<dyn Disk>,
    /// The keeper's public files; only read.
    pub log: PathBuf,
    /// The role's own folder: `state.json`, `cosigned`, `mirror/`.
    pub folder: PathBuf,
    pub policy: WitnessPolicy,
}

/// The role between two looks.
pub struct PublicRole {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    log: LogFolder,
    mirror: Mirror,
    policy: WitnessPolicy,
    state: PublicState,
    agent: ureq::Agent,
    /// The newest note, with the cosignatures that came; asked about already.
    newest: Option<(Vec<u8>, Checkpoint)>,
}

type Said = Result<(String, Cosignature), WitnessTrouble>;

impl PublicRole {
    pub fn open(parts: PublicParts) -> Result<PublicRole, DiskError> {
        let PublicParts { disk, log, folder, policy } = parts;
        let mirror_folder = folder.join("mirror");
        disk.create_dir(&mirror_folder)?;
        let mut state = PublicState::read(&*disk, &folder.join("state.json"))?.unwrap_or_default();
        let known = |witness: &PolicyWitness| {
            let known = state.witnesses.iter().find(|known| known.name == witness.name).cloned();
            known.unwrap_or(WitnessState { name: witness.name.clone(), ..WitnessState::default() })
        };
        state.witnesses = policy.witnesses.iter().map(known).collect();
        state.format = 1;
        let log = LogFolder::new(disk.clone(), log);
        let mirror = Mirror::new(log.clone(), LogFolder::new(disk.clone(), mirror_folder));
        Ok(PublicRole { disk, folder, log, mirror, policy, state, agent: https_agent(), newest: None })
    }

    /// What `state.json` says.
    pub fn state(&self) -> &PublicState {
        &self.state
    }

    /// One look over HTTP; see [`PublicRole::look_by`].
    pub fn look(&mut self, now_seconds: i64) {
        let agent = self.agent.clone();
        self.look_by(&|url, body| client::post(&agent, url, body), now_seconds);
    }

    /// One look, once a second: 1 is there a new checkpoint · 2 every witness is asked about it, at once · 3 the note that
    /// enough of them cosigned is kept, durably · 4 at the turn of an hour the mirror gets the newest such note · 5 what was
    /// seen is written down. What goes wrong is in the state, and is tried again at the next checkpoint.
    pub fn look_by(&mut self, post: Post<'_>, now_seconds: i64) {
        let seen = self.checkpoint(); // 1
        let is_new = match &seen {
            Ok((_, checkpoint)) => self.newest.as_ref().is_none_or(|(_, known)| known != checkpoint),
            Err(trouble) => self.state.trouble.as_ref() != Some(trouble),
        };
        let hour = now_seconds.div_euclid(MIRROR_SECONDS);
        let hour_turned = hour != self.state.mirror_hour;
        // a state that is never written looks like a role that died
        let is_silent = now_seconds - self.state.at_seconds >= CHECKPOINT_SECONDS;
        if !is_new && !hour_turned && !is_silent {
            return;
        }
        self.state.at_seconds = now_seconds;
        match seen {
            Ok((note, checkpoint)) => {
                if is_new {
                    self.ask_all(post, note, checkpoint, now_seconds); // 2, 3
                }
                if hour_turned {
                    self.bring_mirror_up(hour); // 4
                } else if !matches!(self.state.trouble, Some(LogTrouble::Behind { .. } | LogTrouble::Forked { .. })) {
                    // what the mirror found stays said until it is brought up
                    self.state.trouble = None;
                }
            }
            Err(trouble) => self.state.trouble = Some(trouble),
        }
        self.write_state(); // 5
    }

    /// The keeper's note, if it is this log's.
    fn checkpoint(&self) -> Result<(Vec<u8>, Checkpoint), LogTrouble> {
        let failed = |error: DiskError| LogTrouble::Files { detail: error.to_string() };
        let note = self.log.note().map_err(failed)?.ok_or(LogTrouble::NoCheckpoint)?;
        let (origin, checkpoint) = checkpoint::claimed(&note).ok_or(LogTrouble::NotSigned)?;
        if self.policy.logs.is_empty() {
            return Ok((note, checkpoint)); // each witness verifies it, and refuses what the log did not sign
        }
        let key = self.policy.log_key(&origin).ok_or(LogTrouble::NotSigned)?;
        key.verify(&note).map(|_| (note, checkpoint)).map_err(|_| LogTrouble::NotSigned)
    }

    fn ask_all(&mut self, post: Post<'_>, note: Vec<u8>, new: Checkpoint, now_seconds: i64) {
        let (policy, state, log) = (&self.policy, &self.state, &self.log);
        let said: Vec<Said> = thread::scope(|scope| {
            let asked: Vec<_> = policy
                .witnesses
                .iter()
                .zip(&state.witnesses)
                .map(|(witness, known)| {
                    let note = &note;
                    scope.spawn(move || {
                        let url = witness.url.as_deref().ok_or(WitnessTrouble::NoAddress)?;
                        client::ask(post, (url, &witness.key), log, (note, new), known.size)
                    })
                })
                .collect();
            let lost = || WitnessTrouble::Unreachable { detail: "the question broke off".into() };
            asked.into_iter().map(|asked| asked.join().unwrap_or_else(|_| Err(lost()))).collect()
        });
        let lines: Vec<String> = said.iter().flatten().map(|(line, _)| line.clone()).collect();
        let note = with_lines(&note, &lines);
        for (known, said) in self.state.witnesses.iter_mut().zip(said) {
            match said {
                Ok((_, cosignature)) => {
                    (known.size, known.at_seconds) = (new.size, cosignature.at_seconds);
                    (known.heard_seconds, known.trouble) = (now_seconds, None);
                }
                Err(trouble) => {
                    if known.trouble.as_ref() != Some(&trouble) {
                        tracing::warn!(witness = known.name, ?trouble, "no cosignature");
                    }
                    known.trouble = Some(trouble);
                }
            }
        }
        self.state.origin = checkpoint::claimed(&note).map(|(origin, _)| origin).unwrap_or_default();
        self.state.size = new.size;
        let Quorum { is_met, .. } = self.policy.judge(&note);
        if is_met {
            (self.state.quorum_size, self.state.quorum_at_seconds) = (new.size, now_seconds);
            if let Err(error) = disk::write_all(&*self.disk, &self.cosigned(), &note) {
                self.state.trouble = Some(LogTrouble::Files { detail: error.to_string() });
            }
        }
        self.newest = Some((note, new));
    }

    /// The hour is noted before anything is shown: a role that dies in between shows an hour late, never twice an hour.
    fn bring_mirror_up(&mut self, hour: i64) {
        let Some((newest, newest_checkpoint)) = &self.newest else { return };
        let cosigned = folder::read(&*self.disk, &self.cosigned(), NOTE_BYTES_MAX).ok().flatten();
        let cosigned = cosigned.and_then(|note| Some((checkpoint::claimed(&note)?.1, note)));
        // the newest that enough witnesses cosigned; where none came since, the newest, so that readers see who is missing
        let (checkpoint, note) = cosigned
            .filter(|(cosigned, _)| cosigned.size > self.state.mirror_size)
            .unwrap_or_else(|| (*newest_checkpoint, newest.clone()));
        self.state.mirror_hour = hour;
        self.write_state();
        self.state.trouble = match self.mirror.publish(&note, checkpoint) {
            Ok(()) => {
                self.state.mirror_size = checkpoint.size;
                None
            }
            Err(MirrorError::Behind { mirrored, .. }) => Some(LogTrouble::Behind { mirrored }),
            Err(MirrorError::Forked { mirrored }) => Some(LogTrouble::Forked { mirrored }),
            Err(error) => Some(LogTrouble::Files { detail: error.to_string() }),
        };
        if let Some(trouble) = &self.state.trouble {
            tracing::error!(?trouble, "the public mirror stays as it was");
        }
    }

    fn write_state(&self) {
        if let Err(error) = self.state.write(&*self.disk, &self.folder.join("state.json")) {
            tracing::error!(%error, "what the witnesses said cannot be written down");
        }
    }

    fn cosigned(&self) -> PathBuf {
        Path::new(&self.folder).join("cosigned")
    }
}

#[cfg(test)]
mod tests;
