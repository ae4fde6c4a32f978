//! French first, English where the locale asks for it.

use crate::book::BookError;

/// `true` where `VIGIE_LANG`, or else the locale, asks for English.
pub fn in_english() -> bool {
    let names = ["VIGIE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];
    let value = names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty());
    value.unwrap_or_default().to_ascii_lowercase().starts_with("en")
}

pub fn pick<T>(french: T, english: T) -> T {
    if in_english() { english } else { french }
}

/// The situation and the remedy, in French.
pub fn french(error: &BookError) -> String {
    match error {
        BookError::NoKey { folder } => {
            format!("il n'y a pas de témoin dans `{}` : lancez d'abord `vigie-witness init`", folder.display())
        }
        BookError::Exists { folder } => format!(
            "il y a déjà un témoin dans `{}` : rien n'a été changé ; une clé de témoin n'est jamais remplacée",
            folder.display()
        ),
        BookError::Key { path } => format!(
            "`{}` n'est pas une clé de témoin : ne la réparez pas, créez un nouveau témoin sous un autre nom",
            path.display()
        ),
        BookError::Record { path } => format!(
            "`{}` est abîmé : ce témoin ne signe plus pour ce registre ; créez un nouveau témoin sous un autre nom",
            path.display()
        ),
        BookError::Logs { path, line } => {
            format!(
                "`{}`, ligne {line} : clé de vérification d'un registre attendue (`nom+empreinte+clé`)",
                path.display()
            )
        }
        BookError::LogKey { text } => format!(
            "`{text}` n'est pas la clé de vérification d'un registre : demandez à la commune la ligne que donne `vigie public key`"
        ),
        BookError::SameLog { origin } => format!("le registre `{origin}` est déjà suivi"),
        BookError::Name(error) => format!(
            "nom de témoin refusé ({error}) : donnez un texte sans espace, par exemple `temoin.association.fr/2026`"
        ),
        BookError::Clock { seconds } => format!(
            "l'horloge de cette machine ({seconds} s depuis 1970) est fausse : rien n'est signé ; réglez-la, un serveur de temps aide"
        ),
        BookError::Disk(error) => format!("le disque ne suit pas ({error}) : vérifiez la place et les droits"),
    }
}
