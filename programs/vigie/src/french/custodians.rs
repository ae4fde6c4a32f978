//! What the journal, the keyring and the keeper say when they do not open, in French: the situation and the remedy.

use keeper::{
    core::OpenError,
    journal::{JournalError, LogKeyError},
};
use keyring::KeyringError;

/// Why a keeper does not open.
pub(super) fn opening(error: &OpenError) -> String {
    match error {
        OpenError::Journal(source) => format!("registre des actes : {}", journal(source)),
        OpenError::Keyring(source) => format!("trousseau de clés : {}", keyring(source)),
        OpenError::Registry(source) => format!("base du site : {}", super::registry(source)),
        OpenError::Law(source) => format!(
            "le recueil de règles livré avec ce programme n'est pas accepté ({source}) : installez un programme publié"
        ),
        OpenError::OtherLedger { known, entries } => format!(
            "le trousseau connaît un registre de {known} entrées, le journal en a {entries}, ou d'autres : un état ancien a été remis ; un journal ne se restaure jamais d'une sauvegarde, ouvrez un registre successeur"
        ),
        OpenError::Attested { attested, entries } => format!(
            "un registre de {attested} entrées a été publié et montré aux témoins, le journal en a {entries}, ou d'autres : registre et trousseau ont été remis ensemble d'une image ancienne ; un journal ne se restaure jamais d'une sauvegarde, ouvrez un registre successeur"
        ),
    }
}

pub(super) fn journal(error: &JournalError) -> String {
    use JournalError as Why;
    match error {
        Why::Missing { folder } => format!(
            "il n'y a pas de journal dans `{}` : montez son disque, ou ouvrez un registre successeur s'il est perdu",
            folder.display()
        ),
        Why::AlreadyThere { folder } => {
            format!("il y a déjà un journal dans `{}` : il n'est jamais écrasé", folder.display())
        }
        Why::OtherLog { file, found, expected, site } => format!(
            "`{}` est du registre {found}, et non de {expected} du site {site} : un autre disque est monté",
            file.display()
        ),
        Why::Corrupt { file, offset, .. } => format!(
            "le journal est abîmé dans `{}` à l'octet {offset} : gardez ce disque, ouvrez un registre successeur",
            file.display()
        ),
        Why::LaterVersion { file, found } => super::later(file, u32::from(*found)),
        Why::Entry(source) => format!(
            "une inscription du registre n'est pas connue de ce programme ({source}) : un programme plus récent l'a faite, réinstallez-le"
        ),
        Why::Damaged { file, offset } => format!(
            "`{}` ne peut plus être lu à l'octet {offset} : le disque perd ce qu'il gardait, remplacez-le",
            file.display()
        ),
        Why::Behind { entries, signed } => format!(
            "le journal a {entries} entrées, un point de contrôle en a signé {signed} : un état ancien a été remis ; un journal ne se restaure jamais d'une sauvegarde, ouvrez un registre successeur"
        ),
        Why::Forked { size } => format!(
            "les {size} premières entrées ne sont pas celles que le point de contrôle publié a signées : ouvrez un registre successeur"
        ),
        Why::Key(LogKeyError::Gone { month }) => {
            format!("la clé du registre de {month} a été détruite au terme de sa conservation")
        }
        Why::Key(LogKeyError::Unavailable { month, source }) => {
            format!("la clé du registre de {month} manque ({source}) : branchez les supports du trousseau")
        }
        other => other.to_string(),
    }
}

pub(super) fn keyring(error: &KeyringError) -> String {
    use KeyringError as Why;
    match error {
        Why::WrongPassphrase => "la phrase secrète n'ouvre pas le trousseau : donnez celle de `vigie init`".into(),
        Why::NeverInitialised { first, second } => format!(
            "il n'y a de trousseau ni dans `{}` ni dans `{}` : lancez `vigie init`, ou branchez les supports",
            first.display(),
            second.display()
        ),
        Why::NoCopy { first, second, .. } => format!(
            "aucune copie ne peut être utilisée (`{}`, `{}`) : branchez-en au moins une ; {error}",
            first.display(),
            second.display()
        ),
        Why::AlreadyInitialised { path } => {
            format!("il y a déjà un trousseau dans `{}` : un trousseau n'est jamais écrasé", path.display())
        }
        Why::SameFolder { path } => format!(
            "les deux copies du trousseau sont dans `{}` : choisissez deux dossiers, sur deux supports",
            path.display()
        ),
        Why::RootDamaged { first, second } => format!(
            "la racine du trousseau n'est lisible ni dans `{}` ni dans `{}` : faites examiner les supports ; les clés ne sont jamais sauvegardées, ce qu'elles ouvraient est perdu si aucune copie ne peut plus être lue",
            first.display(),
            second.display()
        ),
        Why::LaterVersion { path, found } => super::later(path, u32::from(*found)),
        Why::PageDamaged { hour } => format!(
            "les clés de l'heure {hour} ne sont lisibles dans aucune copie : ses images ne s'ouvrent plus, et l'heure entière est détruite à son échéance"
        ),
        Why::Token(fault) => fault.fr(),
        Why::OlderThanToken { first, second } => format!(
            "le jeton n'a pas de clé pour les fichiers de `{}` et `{}` : ils sont plus anciens que lui, ce qu'ils ouvraient est détruit ; branchez les supports des copies actuelles",
            first.display(),
            second.display()
        ),
        Why::TokenNotConfigured => {
            "la racine de ce trousseau est dans un jeton PKCS#11 : donnez `pkcs11.module`, `pkcs11.token` et `pkcs11.pin_file`".into()
        }
        Why::Disk(source) => format!("le support du trousseau a échoué : {source}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_the_keeper_from_opening_is_told_in_french_with_the_remedy() {
        let folder = || "/var/lib/vigie".into();
        let said = [
            (opening(&OpenError::OtherLedger { known: 7, entries: 5 }), "successeur"),
            (opening(&OpenError::Attested { attested: 7, entries: 5 }), "successeur"),
            (opening(&JournalError::Missing { folder: folder() }.into()), "montez son disque"),
            (opening(&JournalError::Behind { entries: 5, signed: 7 }.into()), "jamais d'une sauvegarde"),
            (opening(&KeyringError::OlderThanToken { first: folder(), second: folder() }.into()), "copies actuelles"),
            (opening(&KeyringError::TokenNotConfigured.into()), "`pkcs11.module`"),
            (opening(&KeyringError::RootDamaged { first: folder(), second: folder() }.into()), "faites examiner"),
        ];
        for (text, remedy) in said {
            assert!(text.contains(remedy), "{text}");
            assert!([" the ", " is ", "open a "].iter().all(|english| !text.contains(english)), "{text}");
        }
    }
}
