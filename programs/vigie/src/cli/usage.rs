//! What is wrong with a command as it was typed, in French: the parser speaks English only.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// `None` for what is no mistake (help, version), and for mistakes that clap tells better.
pub fn in_french(error: &Error) -> Option<String> {
    let of = |kind| error.get(kind).map(shown);
    let argument = of(ContextKind::InvalidArg).unwrap_or_default();
    let value = of(ContextKind::InvalidValue).unwrap_or_default();
    let text = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = of(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("il n'y a pas de commande `{name}`{}", suggestion(of(ContextKind::SuggestedSubcommand)))
        }
        ErrorKind::UnknownArgument => {
            format!("il n'y a pas d'option `{argument}`{}", suggestion(of(ContextKind::SuggestedArg)))
        }
        ErrorKind::MissingRequiredArgument => format!("il manque : {argument}"),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "il manque la commande".to_owned()
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("`{argument}` attend une valeur"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let choice = of(ContextKind::ValidValue).filter(|values| !values.is_empty());
            let choice = choice.map(|values| format!(" : {values}"));
            let why = std::error::Error::source(error).map(|source| format!(" : {source}"));
            format!("`{value}` n'est pas admis pour `{argument}`{}", choice.or(why).unwrap_or_default())
        }
        ErrorKind::ArgumentConflict => {
            format!("`{argument}` ne va pas avec {}", of(ContextKind::PriorArg).unwrap_or_default())
        }
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals => {
            format!("`{argument}` n'a pas le nombre de valeurs attendu")
        }
        ErrorKind::InvalidUtf8 => "un argument n'est pas du texte UTF-8".to_owned(),
        _ => return None,
    };
    Some(format!("{text} ; `vigie help` nomme les commandes, `--help` derrière l'une d'elles ses options"))
}

fn suggestion(near: Option<String>) -> String {
    near.map(|near| format!(" : vouliez-vous dire `{near}` ?")).unwrap_or_default()
}

fn shown(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::Number(number) => number.to_string(),
        ContextValue::StyledStr(text) => text.to_string(),
        _ => String::new(),
    }
}
