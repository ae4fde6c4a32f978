//! What can be wrong with a package: one name, one exit code, one sentence in each language.

use crate::{stamp::Refusal, utc};
use domain::{CameraId, ReelId, UtcMicros};

/// One thing that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finding {
    /// The manifest is not there or is none.
    Manifest {
        why: String,
    },
    /// The manifest is not the one that the town's log holds the digest of.
    ManifestReplaced,
    /// What the log says is not there, or cannot be read.
    Register {
        why: String,
    },
    /// The checkpoint is not signed by the key that the reader holds: another log, or one that forked.
    OtherLog {
        why: String,
    },
    /// An entry is not in the log of the checkpoint.
    EntryNotProved {
        seq: u64,
    },
    /// The log does not say that this package was handed over.
    NotHandedOver,
    /// Too few witnesses.
    Quorum {
        missing: Vec<String>,
    },
    FileMissing {
        path: String,
    },
    /// The manifest does not name it.
    FileExtra {
        path: String,
    },
    /// Not the bytes that the manifest names.
    FileChanged {
        path: String,
    },
    /// A copy for the eye that the manifest names is not there.
    CopyMissing {
        path: String,
    },
    /// A copy for the eye is not the one that the town made.
    CopyChanged {
        path: String,
    },
    /// The proofs of a camera are not there or are none.
    Proof {
        path: String,
        why: String,
    },
    /// The digests of a reel do not lead to a root that the log holds.
    ReelNotProved {
        camera: CameraId,
        reel: ReelId,
    },
    /// Pictures that were recorded by another camera than the manifest says.
    CameraSwapped {
        camera: CameraId,
        reel: ReelId,
    },
    /// A line that says when pictures were taken, or why none are there, is not the one that was recorded.
    LineChanged {
        camera: CameraId,
        reel: ReelId,
    },
    /// The key handed over is not the one that the pictures were recorded under: another picture under the same ciphertext.
    OtherKey {
        camera: CameraId,
        at: UtcMicros,
    },
    /// Pictures of the time asked for that are neither here nor declared missing.
    Incomplete {
        camera: CameraId,
        from: UtcMicros,
        to: UtcMicros,
    },
    /// The manifest says that pictures are destroyed, and the log does not prove it.
    NotDestroyed {
        camera: CameraId,
        from: UtcMicros,
        to: UtcMicros,
    },
    /// A file of pictures that cannot be read.
    Movie {
        path: String,
        why: String,
    },
    Dropped {
        path: String,
        from: UtcMicros,
        to: UtcMicros,
    },
    Truncated {
        path: String,
        from: UtcMicros,
        to: UtcMicros,
    },
    OtherBytes {
        path: String,
        from: UtcMicros,
        to: UtcMicros,
    },
    Swapped {
        path: String,
        from: UtcMicros,
        to: UtcMicros,
    },
    Duplicated {
        path: String,
        from: UtcMicros,
        to: UtcMicros,
    },
    /// Pictures that no proof belongs to.
    Foreign {
        path: String,
        pictures: u64,
    },
    /// The file shows pictures at other times than they were taken.
    TimeShifted {
        path: String,
        at: UtcMicros,
    },
    /// The file tells a player to decode the pictures otherwise than the camera said.
    CodedOtherwise {
        path: String,
    },
    /// The timestamp is not believed.
    Timestamp(Refusal),
}

impl Finding {
    /// Stable: scripts may compare with it. 1 is everything that could not be checked, 2 a mistake on the command line.
    pub const fn code(&self) -> u8 {
        match self {
            Finding::Manifest { .. } => 30,
            Finding::ManifestReplaced => 31,
            Finding::Register { .. } => 32,
            Finding::OtherLog { .. } => 33,
            Finding::EntryNotProved { .. } => 34,
            Finding::NotHandedOver => 35,
            Finding::Quorum { .. } => 36,
            Finding::FileMissing { .. } => 40,
            Finding::FileExtra { .. } => 41,
            Finding::FileChanged { .. } => 42,
            Finding::CopyMissing { .. } => 43,
            Finding::CopyChanged { .. } => 44,
            Finding::Proof { .. } => 50,
            Finding::ReelNotProved { .. } => 51,
            Finding::CameraSwapped { .. } => 52,
            Finding::LineChanged { .. } => 53,
            Finding::OtherKey { .. } => 54,
            Finding::Incomplete { .. } => 55,
            Finding::NotDestroyed { .. } => 56,
            Finding::Movie { .. } => 60,
            Finding::Dropped { .. } => 61,
            Finding::Truncated { .. } => 62,
            Finding::OtherBytes { .. } => 63,
            Finding::Swapped { .. } => 64,
            Finding::Duplicated { .. } => 65,
            Finding::Foreign { .. } => 66,
            Finding::TimeShifted { .. } => 67,
            Finding::CodedOtherwise { .. } => 68,
            Finding::Timestamp(refusal) => refusal.code(),
        }
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Finding::Manifest { .. } => "manifest",
            Finding::ManifestReplaced => "manifest-replaced",
            Finding::Register { .. } => "register",
            Finding::OtherLog { .. } => "other-log",
            Finding::EntryNotProved { .. } => "entry-not-proved",
            Finding::NotHandedOver => "not-handed-over",
            Finding::Quorum { .. } => "witnesses",
            Finding::FileMissing { .. } => "file-missing",
            Finding::FileExtra { .. } => "file-extra",
            Finding::FileChanged { .. } => "file-changed",
            Finding::CopyMissing { .. } => "copy-missing",
            Finding::CopyChanged { .. } => "copy-changed",
            Finding::Proof { .. } => "proof",
            Finding::ReelNotProved { .. } => "reel-not-proved",
            Finding::CameraSwapped { .. } => "camera-swapped",
            Finding::LineChanged { .. } => "line-changed",
            Finding::OtherKey { .. } => "other-key",
            Finding::Incomplete { .. } => "incomplete",
            Finding::NotDestroyed { .. } => "not-destroyed",
            Finding::Movie { .. } => "movie",
            Finding::Dropped { .. } => "dropped",
            Finding::Truncated { .. } => "truncated",
            Finding::OtherBytes { .. } => "other-bytes",
            Finding::Swapped { .. } => "swapped",
            Finding::Duplicated { .. } => "duplicated",
            Finding::Foreign { .. } => "foreign",
            Finding::TimeShifted { .. } => "time-shifted",
            Finding::CodedOtherwise { .. } => "coded-otherwise",
            Finding::Timestamp(refusal) => refusal.name(),
        }
    }

    pub fn text_fr(&self) -> String {
        match self {
            Finding::Manifest { why } => format!("Bordereau : `manifeste.json` manque ou n'en est pas un ({why})."),
            Finding::ManifestReplaced => "Bordereau remplacé : ce n'est pas celui dont le registre de la commune a gardé l'empreinte au moment de la remise.".into(),
            Finding::Register { why } => format!("Registre : `registre.json` manque ou ne se lit pas ({why}) ; rien ne prouve l'enregistrement."),
            Finding::OtherLog { why } => format!("Autre registre : le point de contrôle n'est pas signé par la clé que vous tenez ({why}). Preuve tirée d'un autre registre, ou d'un registre qui a bifurqué."),
            Finding::EntryNotProved { seq } => format!("Entrée {seq} : elle n'est pas dans le registre que le point de contrôle signe."),
            Finding::NotHandedOver => "Remise : le registre de la commune ne dit pas que ce dossier a été remis.".into(),
            Finding::Quorum { missing } => format!("Témoins : il manque {} d'après votre fichier.", missing.join(", ")),
            Finding::FileMissing { path } => format!("Fichier manquant : `{path}`, que le bordereau annonce."),
            Finding::FileExtra { path } => format!("Fichier ajouté : `{path}`, que le bordereau ne connaît pas."),
            Finding::FileChanged { path } => format!("Fichier changé : `{path}` n'a pas l'empreinte que le bordereau annonce."),
            Finding::CopyMissing { path } => format!("Copie de visionnage manquante : `{path}`, que le bordereau annonce. Les preuves n'en dépendent pas."),
            Finding::CopyChanged { path } => format!("Copie de visionnage remplacée : `{path}` n'est pas celle que la commune a faite ; ne vous y fiez pas. Les preuves n'en dépendent pas."),
            Finding::Proof { path, why } => format!("Preuves : `{path}` manque ou ne se lit pas ({why})."),
            Finding::ReelNotProved { camera, reel } => format!("Bobine {reel} (caméra {camera}) : ses empreintes ne mènent à aucune racine que le registre contient."),
            Finding::CameraSwapped { camera, reel } => format!("Caméra échangée : la bobine {reel} n'a pas été enregistrée par la caméra {camera}, comme le bordereau le dit."),
            Finding::LineChanged { camera, reel } => format!("Heures changées : une ligne de la bobine {reel} (caméra {camera}) n'est pas celle qui a été enregistrée."),
            Finding::OtherKey { camera, at } => format!("Autre clé : les images de {} (caméra {camera}) s'ouvrent par une autre clé que celle de l'enregistrement ; une autre image sous le même chiffré.", said(at)),
            Finding::Incomplete { camera, from, to } => format!("Incomplet : de {} à {}, des images de la caméra {camera} existaient et ne sont ni ici ni déclarées manquantes.", said(from), said(to)),
            Finding::NotDestroyed { camera, from, to } => format!("Destruction non prouvée : de {} à {}, le bordereau dit les images de la caméra {camera} détruites, et rien dans le registre ne le prouve.", said(from), said(to)),
            Finding::Movie { path, why } => format!("Vidéo : `{path}` ne se lit pas ({why})."),
            Finding::Dropped { path, from, to } => format!("Images retirées de `{path}` : de {} à {}.", said(from), said(to)),
            Finding::Truncated { path, from, to } => format!("Images réencodées ou tronquées dans `{path}` : de {} à {}.", said(from), said(to)),
            Finding::OtherBytes { path, from, to } => format!("Images changées dans `{path}`, à tailles égales : de {} à {}.", said(from), said(to)),
            Finding::Swapped { path, from, to } => format!("Images déplacées dans `{path}` : de {} à {}.", said(from), said(to)),
            Finding::Duplicated { path, from, to } => format!("Images répétées dans `{path}` : de {} à {}.", said(from), said(to)),
            Finding::Foreign { path, pictures } => format!("Images étrangères dans `{path}` : {pictures}, dont aucune preuve ne parle."),
            Finding::TimeShifted { path, at } => format!("Temps décalé dans `{path}` : l'image de {} est montrée ou annoncée à un autre moment.", said(at)),
            Finding::CodedOtherwise { path } => format!("Décodage : `{path}` annonce d'autres paramètres que ceux de la caméra."),
            Finding::Timestamp(refusal) => refusal.text_fr(),
        }
    }

    pub fn text_en(&self) -> String {
        match self {
            Finding::Manifest { why } => format!("Manifest: `manifeste.json` is missing or is none ({why})."),
            Finding::ManifestReplaced => {
                "Manifest replaced: it is not the one whose digest the town's log took at the handover.".into()
            }
            Finding::Register { why } => {
                format!("Register: `registre.json` is missing or cannot be read ({why}); nothing proves the recording.")
            }
            Finding::OtherLog { why } => format!(
                "Other log: the checkpoint is not signed by the key that you hold ({why}). A proof from another log, or from one that forked."
            ),
            Finding::EntryNotProved { seq } => format!("Entry {seq}: it is not in the log that the checkpoint signs."),
            Finding::NotHandedOver => "Handover: the town's log does not say that this package was handed over.".into(),
            Finding::Quorum { missing } => format!("Witnesses: missing by your file: {}.", missing.join(", ")),
            Finding::FileMissing { path } => format!("File missing: `{path}`, which the manifest names."),
            Finding::FileExtra { path } => format!("File added: `{path}`, which the manifest does not know."),
            Finding::FileChanged { path } => {
                format!("File changed: `{path}` has not the digest that the manifest names.")
            }
            Finding::CopyMissing { path } => format!("Viewing copy missing: `{path}`, which is no evidence."),
            Finding::CopyChanged { path } => format!("Viewing copy replaced: `{path}` is not the town's copy."),
            Finding::Proof { path, why } => format!("Proofs: `{path}` is missing or cannot be read ({why})."),
            Finding::ReelNotProved { camera, reel } => {
                format!("Reel {reel} (camera {camera}): its digests lead to no root that the log holds.")
            }
            Finding::CameraSwapped { camera, reel } => {
                format!("Camera swapped: reel {reel} was not recorded by camera {camera}, as the manifest says.")
            }
            Finding::LineChanged { camera, reel } => {
                format!("Times changed: a line of reel {reel} (camera {camera}) is not the one that was recorded.")
            }
            Finding::OtherKey { camera, at } => format!(
                "Other key: the pictures of {} (camera {camera}) open by another key than that of the recording; another picture under the same ciphertext.",
                said(at)
            ),
            Finding::Incomplete { camera, from, to } => format!(
                "Incomplete: from {} to {} pictures of camera {camera} existed and are neither here nor declared missing.",
                said(from),
                said(to)
            ),
            Finding::NotDestroyed { camera, from, to } => format!(
                "Destruction not proved: from {} to {} the manifest says that the pictures of camera {camera} are destroyed, and nothing in the log proves it.",
                said(from),
                said(to)
            ),
            Finding::Movie { path, why } => format!("Video: `{path}` cannot be read ({why})."),
            Finding::Dropped { path, from, to } => span_en("Pictures taken out of", path, "", from, to),
            Finding::Truncated { path, from, to } => {
                span_en("Pictures encoded anew or truncated in", path, "", from, to)
            }
            Finding::OtherBytes { path, from, to } => {
                span_en("Pictures changed in", path, ", with the same sizes", from, to)
            }
            Finding::Swapped { path, from, to } => span_en("Pictures moved in", path, "", from, to),
            Finding::Duplicated { path, from, to } => span_en("Pictures repeated in", path, "", from, to),
            Finding::Foreign { path, pictures } => {
                format!("Foreign pictures in `{path}`: {pictures}, of which no proof speaks.")
            }
            Finding::TimeShifted { path, at } => format!(
                "Time shifted in `{path}`: the picture of {} is shown or announced at another moment.",
                said(at)
            ),
            Finding::CodedOtherwise { path } => {
                format!("Decoding: `{path}` announces other parameters than the camera's.")
            }
            Finding::Timestamp(refusal) => refusal.text_en(),
        }
    }
}

fn span_en(what: &str, path: &str, how: &str, from: &UtcMicros, to: &UtcMicros) -> String {
    format!("{what} `{path}`{how}: from {} to {}.", said(from), said(to))
}

fn said(at: &UtcMicros) -> String {
    utc::text(*at)
}
