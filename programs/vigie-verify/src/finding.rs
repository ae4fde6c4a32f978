//! What can be wrong with a public log: one name, one exit code, one sentence in each language.

use ledger::Digest;

/// One thing that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finding {
    /// The checkpoint is missing, or not signed by the key that the reader holds.
    Signature { why: String },
    /// The log is smaller than it was.
    Rollback { size: u64, kept: u64 },
    /// Two checkpoints signed by the log cannot both be true.
    Fork { size: u64, root: Digest, kept: u64, kept_root: Digest },
    /// The files end before the entries that are signed for.
    Truncation { entries: u64, size: u64 },
    /// A file is missing, and later ones are there.
    MissingTile { path: String },
    /// Files do not give what was signed: an entry or a hash was changed after the signature.
    Rewriting { path: String, entry: Option<u64> },
    /// Too few witnesses.
    Quorum { found: Vec<String>, missing: Vec<String> },
    /// The entry asked about is another one.
    NotIncluded { seq: u64, found: Option<Digest> },
    /// A program started that is none of those the reader knows; without an entry: the town does not say which one runs.
    Program { entry: Option<u64>, version: String, digest: String },
}

impl Finding {
    /// Stable: scripts may compare with it. 1 is everything that could not be checked, 2 a mistake on the command line.
    pub const fn code(&self) -> u8 {
        match self {
            Finding::Signature { .. } => 10,
            Finding::Rollback { .. } => 11,
            Finding::Fork { .. } => 12,
            Finding::Truncation { .. } => 13,
            Finding::MissingTile { .. } => 14,
            Finding::Rewriting { .. } => 15,
            Finding::Quorum { .. } => 16,
            Finding::NotIncluded { .. } => 17,
            Finding::Program { .. } => 18,
        }
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Finding::Signature { .. } => "signature",
            Finding::Rollback { .. } => "rollback",
            Finding::Fork { .. } => "fork",
            Finding::Truncation { .. } => "truncation",
            Finding::MissingTile { .. } => "missing-tile",
            Finding::Rewriting { .. } => "rewriting",
            Finding::Quorum { .. } => "quorum",
            Finding::NotIncluded { .. } => "not-included",
            Finding::Program { .. } => "program",
        }
    }

    pub fn text_fr(&self) -> String {
        match self {
            Finding::Signature { why } => format!(
                "Signature : ce point de contrôle n'est pas signé par la clé que vous tenez ({why}). Vérifiez la clé auprès de la commune ; si elle est bonne, ce n'est pas son registre."
            ),
            Finding::Rollback { size, kept } => format!(
                "Retour en arrière : le registre a {size} entrées, vous en teniez déjà {kept}, signées. Des entrées ont été retirées, ou un état ancien a été restauré. Gardez votre point de contrôle : il le prouve."
            ),
            Finding::Fork { size, root, kept, kept_root } => format!(
                "Bifurcation : le registre a signé {size} entrées ({root}) et {kept} entrées ({kept_root}), et les deux ne peuvent appartenir au même passé. Gardez les deux notes : elles le prouvent à quiconque."
            ),
            Finding::Truncation { entries, size } => format!(
                "Troncature : {size} entrées sont signées, les fichiers s'arrêtent à {entries}. Redemandez plus tard ; si cela dure, des entrées ont été retirées."
            ),
            Finding::MissingTile { path } => {
                format!("Fichier manquant : `{path}`, alors que de plus récents existent. Redemandez-le à la commune.")
            }
            Finding::Rewriting { path, entry: Some(entry) } => format!(
                "Réécriture : l'entrée {entry} (`{path}`) n'est pas celle qui a été signée. Elle a été changée après coup."
            ),
            Finding::Rewriting { path, entry: None } => format!(
                "Réécriture : `{path}` ne donne pas la racine signée. Des entrées ou des empreintes ont été changées après coup."
            ),
            Finding::Quorum { found, missing } => format!(
                "Témoins : signatures trouvées : {} ; manquantes : {}. Ce n'est pas assez d'après votre fichier ; redemandez dans une heure, puis interrogez la commune.",
                named(found, "aucune"),
                named(missing, "aucune")
            ),
            Finding::NotIncluded { seq, found: Some(found) } => {
                format!("Entrée absente : à la place {seq} se trouve {found}, et non l'entrée que vous tenez.")
            }
            Finding::NotIncluded { seq, found: None } => {
                format!("Entrée absente : le registre n'a pas d'entrée {seq}, ou une autre que celle qui est montrée.")
            }
            Finding::Program { entry: Some(entry), version, digest } => format!(
                "Programme : d'après l'entrée {entry}, un programme a démarré (version {version}, empreinte {digest}) qui n'est pas de ceux que vous tenez pour publiés. Demandez à la commune lequel c'est et d'où il vient."
            ),
            Finding::Program { entry: None, .. } => {
                "Programme : la commune ne dit pas lequel tourne (fichier `starts`). Demandez-le-lui.".into()
            }
        }
    }

    pub fn text_en(&self) -> String {
        match self {
            Finding::Signature { why } => format!(
                "Signature: this checkpoint is not signed by the key that you hold ({why}). Check the key with the town; if it is right, this is not its log."
            ),
            Finding::Rollback { size, kept } => format!(
                "Rollback: the log has {size} entries, and you held {kept} of them, signed. Entries were taken out, or an older state was restored. Keep your checkpoint: it proves so."
            ),
            Finding::Fork { size, root, kept, kept_root } => format!(
                "Fork: the log signed {size} entries ({root}) and {kept} entries ({kept_root}), and both cannot have one past. Keep both notes: they prove it to anybody."
            ),
            Finding::Truncation { entries, size } => format!(
                "Truncation: {size} entries are signed for, the files end after {entries}. Ask again later; if it lasts, entries were taken out."
            ),
            Finding::MissingTile { path } => {
                format!("Missing file: `{path}`, although later ones are there. Ask the town for it.")
            }
            Finding::Rewriting { path, entry: Some(entry) } => format!(
                "Rewriting: entry {entry} (`{path}`) is not the one that was signed. It was changed afterwards."
            ),
            Finding::Rewriting { path, entry: None } => {
                format!("Rewriting: `{path}` does not give the signed root. Entries or hashes were changed afterwards.")
            }
            Finding::Quorum { found, missing } => format!(
                "Witnesses: signatures found: {}; missing: {}. That is too few by your file; ask again in an hour, then ask the town.",
                named(found, "none"),
                named(missing, "none")
            ),
            Finding::NotIncluded { seq, found: Some(found) } => {
                format!("Not included: at place {seq} stands {found}, not the entry that you hold.")
            }
            Finding::NotIncluded { seq, found: None } => {
                format!("Not included: the log has no entry {seq}, or another one than is shown.")
            }
            Finding::Program { entry: Some(entry), version, digest } => format!(
                "Program: by entry {entry} a program started (version {version}, digest {digest}) that is none of those you know as published. Ask the town which one it is and where it came from."
            ),
            Finding::Program { entry: None, .. } => {
                "Program: the town does not say which one runs (file `starts`). Ask it.".into()
            }
        }
    }
}

fn named(names: &[String], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}
