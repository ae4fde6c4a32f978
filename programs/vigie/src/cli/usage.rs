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

#[cfg(test)]
mod tests {
    use super::in_french;
    use crate::cli::Arguments;
    use clap::Parser;

    fn said(line: &str) -> Option<String> {
        let Err(error) = Arguments::try_parse_from(line.split(' ')) else { return Some("taken".into()) };
        in_french(&error)
    }

    #[test]
    fn a_mistake_on_the_command_line_is_told_in_french_with_what_was_meant() {
        for (line, words) in [
            ("vigie statsu", vec!["il n'y a pas de commande `statsu`", "vouliez-vous dire `status` ?"]),
            ("vigie status --jsno", vec!["il n'y a pas d'option `--jsno`", "`--json`"]),
            ("vigie camera add n rtsp://x --place p --purpose 5", vec!["il manque", "--days"]),
            ("vigie camera add n rtsp://x --place p --purpose 5 --days 31", vec!["`31` n'est pas admis", "1..=30"]),
            ("vigie camera", vec!["il manque la commande"]),
            ("vigie destroy", vec!["il manque", "--due"]),
            ("vigie catalog forget", vec!["il n'y a pas de commande `forget`"]),
        ] {
            let said = said(line).unwrap_or_else(|| panic!("nothing said of `{line}`"));
            assert!(words.iter().all(|word| said.contains(word)), "{line}: {said}");
            assert!(said.contains("vigie help"), "the remedy: {said}");
        }
    }

    #[test]
    fn a_mistake_ends_with_64_which_no_answer_does_and_help_with_0() {
        let ends =
            |line: &str| Arguments::try_parse_from(line.split(' ')).err().map(|error| crate::cli::exit_of(&error));
        for line in
            ["vigie statsu", "vigie status --jsno", "vigie", "vigie camera", "vigie destroy", "vigie verify extra"]
        {
            assert_eq!(ends(line), Some(64), "{line}");
        }
        for line in ["vigie --help", "vigie --version", "vigie status --help"] {
            assert_eq!(ends(line), Some(0), "{line}");
        }
    }

    #[test]
    fn help_and_version_are_no_mistakes() {
        assert_eq!(said("vigie --version"), None);
        assert_eq!(said("vigie config check --help"), None);
        assert_eq!(said("vigie verify --ledger-only --json").as_deref(), Some("taken"));
    }
}
