//! What the role knows of its witnesses, in a file that `vigie status` and the health page read.

use crate::folder;
use disk::{Disk, DiskError};
use domain::limit::{CHECKPOINT_SECONDS, WITNESS_SILENCE_SECONDS_MAX};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A few hundred bytes for each of the witnesses that a policy can name.
const STATE_BYTES_MAX: usize = 256 * 1024;

/// The whole file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PublicState {
    pub format: u32,
    /// When this was written, seconds since 1970.
    pub at_seconds: i64,
    /// The log's origin, as the keeper's checkpoint says it.
    pub origin: String,
    /// Size of the newest checkpoint that the keeper signed.
    pub size: u64,
    /// Size of the newest checkpoint that enough witnesses cosigned.
    pub quorum_size: u64,
    /// When that was.
    pub quorum_at_seconds: i64,
    /// Hours since 1970: the mirror was brought up in it.
    pub mirror_hour: i64,
    pub mirror_size: u64,
    /// What is wrong with the log's files or the mirror.
    pub trouble: Option<LogTrouble>,
    pub witnesses: Vec<WitnessState>,
}

/// One witness.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct WitnessState {
    pub name: String,
    /// The size that it cosigned last; 0: none that we know of.
    pub size: u64,
    /// Of that cosignature, by the witness's own clock.
    pub at_seconds: i64,
    /// When we got it, by ours.
    pub heard_seconds: i64,
    pub trouble: Option<WitnessTrouble>,
}

/// Why a witness did not cosign the newest checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum WitnessTrouble {
    /// The policy names no address.
    NoAddress,
    Unreachable {
        detail: String,
    },
    /// It does not watch this log.
    UnknownLog,
    Answered {
        status: u16,
    },
    /// It answered, and no cosignature of the pinned key is in the answer.
    NotCosigned,
    /// It has cosigned more entries than the log has: an older state was restored here.
    Ahead {
        size: u64,
    },
    /// It has cosigned another tree of this size.
    Forked {
        size: u64,
    },
    /// It does not accept that the log continues what it cosigned.
    NotGrown,
    /// The proof cannot be computed from the public files.
    Files {
        detail: String,
    },
}

/// What is wrong with the log's files or the mirror.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LogTrouble {
    NoCheckpoint,
    /// Not signed by the log that the policy names.
    NotSigned,
    Files {
        detail: String,
    },
    /// The mirror shows more entries than the log has.
    Behind {
        mirrored: u64,
    },
    /// The log does not continue what the mirror shows.
    Forked {
        mirrored: u64,
    },
}

impl PublicState {
    /// `None` where the role never ran, or left nothing readable: it is derived.
    pub fn read(disk: &dyn Disk, path: &Path) -> Result<Option<PublicState>, DiskError> {
        let bytes = folder::read(disk, path, STATE_BYTES_MAX)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub(crate) fn write(&self, disk: &dyn Disk, path: &Path) -> Result<(), DiskError> {
        let bytes = serde_json::to_vec_pretty(self).expect("numbers and texts serialise");
        disk::write_all(disk, path, &bytes)
    }

    /// Whether the role has written nothing for three checkpoints.
    pub fn is_stale(&self, now_seconds: i64) -> bool {
        now_seconds - self.at_seconds > 3 * CHECKPOINT_SECONDS
    }

    /// Whether enough witnesses have been silent for so long that it is an alarm.
    pub fn is_unwitnessed(&self, now_seconds: i64) -> bool {
        now_seconds - self.quorum_at_seconds > WITNESS_SILENCE_SECONDS_MAX
    }
}

impl WitnessTrouble {
    /// Whether it speaks against the log, not against the line to the witness.
    pub const fn is_against_the_log(&self) -> bool {
        matches!(self, WitnessTrouble::Ahead { .. } | WitnessTrouble::Forked { .. } | WitnessTrouble::NotGrown)
    }

    pub fn text_fr(&self) -> String {
        match self {
            WitnessTrouble::NoAddress => {
                "aucune adresse dans le fichier des témoins : ajoutez-la en fin de ligne.".into()
            }
            WitnessTrouble::Unreachable { detail } => {
                format!("ne répond pas ({detail}) : appelez qui le tient, ou vérifiez la sortie réseau.")
            }
            WitnessTrouble::UnknownLog => "ne suit pas ce registre : donnez-lui la ligne de `vigie public key`.".into(),
            WitnessTrouble::Answered { status } => format!("refuse (code {status}) : appelez qui le tient."),
            WitnessTrouble::NotCosigned => {
                "répond sans signature de la clé attendue : comparez la clé du fichier avec `vigie-witness key`.".into()
            }
            WitnessTrouble::Ahead { size } => format!(
                "a déjà attesté {size} entrées, plus que le registre n'en a : un état ancien du registre a été restauré. Prévenez le DPO ; ne continuez pas sur cet état."
            ),
            WitnessTrouble::Forked { size } => format!(
                "a attesté un autre registre de {size} entrées : le registre a bifurqué. Prévenez le DPO ; le témoin garde les deux preuves."
            ),
            WitnessTrouble::NotGrown => {
                "n'admet pas que le registre continue ce qu'il a attesté : le passé a été changé. Prévenez le DPO."
                    .into()
            }
            WitnessTrouble::Files { detail } => {
                format!(
                    "la preuve ne peut être calculée ({detail}) : le gardien refait ces fichiers à son redémarrage."
                )
            }
        }
    }

    pub fn text_en(&self) -> String {
        match self {
            WitnessTrouble::NoAddress => "no address in the witnesses' file: add it at the end of the line.".into(),
            WitnessTrouble::Unreachable { detail } => {
                format!("does not answer ({detail}): call who runs it, or check the way out of the network.")
            }
            WitnessTrouble::UnknownLog => "does not watch this log: give it the line of `vigie public key`.".into(),
            WitnessTrouble::Answered { status } => format!("refuses (status {status}): call who runs it."),
            WitnessTrouble::NotCosigned => {
                "answers without a signature of the expected key: compare the file's key with `vigie-witness key`."
                    .into()
            }
            WitnessTrouble::Ahead { size } => format!(
                "has attested {size} entries already, more than the log has: an older state of the log was restored. Tell the DPO; do not go on from this state."
            ),
            WitnessTrouble::Forked { size } => format!(
                "has attested another log of {size} entries: the log has forked. Tell the DPO; the witness keeps both proofs."
            ),
            WitnessTrouble::NotGrown => {
                "does not accept that the log continues what it attested: the past was changed. Tell the DPO.".into()
            }
            WitnessTrouble::Files { detail } => {
                format!("the proof cannot be computed ({detail}): the keeper makes these files anew when it starts.")
            }
        }
    }
}

impl LogTrouble {
    pub const fn is_against_the_log(&self) -> bool {
        matches!(self, LogTrouble::Behind { .. } | LogTrouble::Forked { .. } | LogTrouble::NotSigned)
    }

    pub fn text_fr(&self) -> String {
        match self {
            LogTrouble::NoCheckpoint => {
                "Le gardien n'a encore publié aucun point de contrôle ; il en signe un chaque minute.".into()
            }
            LogTrouble::NotSigned => {
                "Le point de contrôle n'est pas signé par le registre que nomme le fichier des témoins : comparez avec `vigie public key`.".into()
            }
            LogTrouble::Files { detail } => {
                format!("Les fichiers publics ne peuvent être copiés ({detail}) : vérifiez le disque ; le gardien les refait à son redémarrage.")
            }
            LogTrouble::Behind { mirrored } => format!(
                "Le miroir montre déjà {mirrored} entrées, plus que le registre n'en a : un état ancien du registre a été restauré. Prévenez le DPO."
            ),
            LogTrouble::Forked { mirrored } => format!(
                "Le registre ne continue pas les {mirrored} entrées que montre le miroir : le passé a été changé. Prévenez le DPO."
            ),
        }
    }

    pub fn text_en(&self) -> String {
        match self {
            LogTrouble::NoCheckpoint => "The keeper has published no checkpoint yet; it signs one each minute.".into(),
            LogTrouble::NotSigned => {
                "The checkpoint is not signed by the log that the witnesses' file names: compare with `vigie public key`.".into()
            }
            LogTrouble::Files { detail } => {
                format!("The public files cannot be copied ({detail}): check the disk; the keeper makes them anew when it starts.")
            }
            LogTrouble::Behind { mirrored } => format!(
                "The mirror shows {mirrored} entries already, more than the log has: an older state of the log was restored. Tell the DPO."
            ),
            LogTrouble::Forked { mirrored } => format!(
                "The log does not continue the {mirrored} entries that the mirror shows: the past was changed. Tell the DPO."
            ),
        }
    }
}
