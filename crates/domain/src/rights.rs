//! What rights go by besides a role: what a camera films, in which commune, and the groups and teams that a town makes.

use crate::limit::{RIGHTS_NAME_CHARS_MAX, RIGHTS_NAMES_MAX};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What the town's IT enters of a camera so that rules can tell cameras apart. The default is the stricter one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CameraRights {
    pub films: Films,
    /// Where it stands, where that may be another commune than the controller's own (CSI R253-3 II 2°, L132-14).
    pub commune: Option<Commune>,
    /// As the town's own rules name them.
    pub groups: Vec<String>,
}

/// The two lists of CSI R253-3: who may see differs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub enum Films {
    /// R253-3 II.
    #[default]
    #[serde(rename = "voie_publique")]
    PublicRoad,
    /// A place or an establishment open to the public (L251-2, penultimate paragraph; R253-3 I).
    #[serde(rename = "lieu_ouvert_public")]
    OpenPlace,
}

impl Films {
    pub const fn name(self) -> &'static str {
        match self {
            Films::PublicRoad => "voie_publique",
            Films::OpenPlace => "lieu_ouvert_public",
        }
    }
}

impl fmt::Display for Films {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is no right.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RightsError {
    #[error("`{text}` is not what a camera films: `voie_publique` or `lieu_ouvert_public` expected")]
    Films { text: String },
    #[error("`{text}` is no INSEE code of a commune: five characters expected, such as `33063` or `2A004`")]
    Commune { text: String },
    #[error(
        "`{text}` is no name of a group or a team: 1 to {RIGHTS_NAME_CHARS_MAX} letters, digits, `-` and `_` expected"
    )]
    Name { text: String },
    #[error("{count} names: at most {RIGHTS_NAMES_MAX} groups of a camera, or teams of a person, are taken")]
    TooMany { count: usize },
    #[error("`{text}` is named twice: name each group or team once")]
    Twice { text: String },
}

fn shown(text: &str) -> String {
    text.chars().take(RIGHTS_NAME_CHARS_MAX).collect()
}

impl FromStr for Films {
    type Err = RightsError;
    fn from_str(text: &str) -> Result<Films, RightsError> {
        let known = [Films::PublicRoad, Films::OpenPlace].into_iter().find(|films| films.name() == text);
        known.ok_or_else(|| RightsError::Films { text: shown(text) })
    }
}

/// A commune by its INSEE code (Code officiel géographique): two digits of the department, or 2A, 2B; then three digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct Commune(String);

impl Commune {
    pub fn code(&self) -> &str {
        &self.0
    }

    /// The codes in a text such as "33063 Bordeaux, 33281 Mérignac", in their order, each once.
    pub fn named_in(text: &str) -> Vec<Commune> {
        let mut found: Vec<Commune> = Vec::new();
        for word in text.split(|letter: char| !letter.is_alphanumeric()) {
            if let Ok(commune) = word.parse::<Commune>()
                && !found.contains(&commune)
            {
                found.push(commune);
            }
        }
        found
    }
}

impl fmt::Display for Commune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Commune {
    type Err = RightsError;
    fn from_str(text: &str) -> Result<Commune, RightsError> {
        let is_code = |text: &str| {
            let (Some(department), Some(rest)) = (text.get(..2), text.get(2..)) else { return false };
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let department = department == "2A" || department == "2B" || (digits(department) && department != "00");
            department && rest.len() == 3 && digits(rest)
        };
        if is_code(text) { Ok(Commune(text.to_owned())) } else { Err(RightsError::Commune { text: shown(text) }) }
    }
}

impl<'de> Deserialize<'de> for Commune {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Commune, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Whether these are names of groups or teams: few, short, each once, and such that a rule can quote them.
pub fn check_names(names: &[String]) -> Result<(), RightsError> {
    if RIGHTS_NAMES_MAX < names.len() {
        return Err(RightsError::TooMany { count: names.len() });
    }
    let is_mark = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    let is_name =
        |name: &&String| (1..=RIGHTS_NAME_CHARS_MAX).contains(&name.chars().count()) && name.chars().all(is_mark);
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        return Err(RightsError::Name { text: shown(name) });
    }
    let twice = names.iter().enumerate().find(|(nth, name)| names[..*nth].contains(name));
    twice.map_or(Ok(()), |(_, name)| Err(RightsError::Twice { text: shown(name) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commune_is_an_insee_code_and_nothing_else_is() {
        for code in ["33063", "2A004", "2B033", "97411"] {
            assert_eq!(code.parse::<Commune>().map(|commune| commune.to_string()).as_deref(), Ok(code));
        }
        for text in ["", "3306", "330630", "2C004", "00001", "33O63", "é3063", "3306é"] {
            assert!(text.parse::<Commune>().is_err(), "{text}");
        }
        assert!(reads("33063") && !reads("nowhere"));
    }

    /// What comes from a registry or a socket is checked as what is typed.
    fn reads(text: &str) -> bool {
        use serde::de::{IntoDeserializer, value::Error};
        Commune::deserialize(IntoDeserializer::<Error>::into_deserializer(text)).is_ok()
    }

    #[test]
    fn the_codes_in_an_acts_text_are_found_and_words_are_none() {
        let codes = |text: &str| Commune::named_in(text).into_iter().map(|commune| commune.0).collect::<Vec<_>>();
        assert_eq!(codes("33063 Bordeaux, 33281 (Mérignac) ; 33063"), ["33063", "33281"]);
        assert!(codes("Ville de démonstration").is_empty() && codes("commune").is_empty());
    }

    #[test]
    fn names_are_few_short_and_quotable() {
        let names = |names: &[&str]| check_names(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&[]), Ok(()));
        assert_eq!(names(&["écoles", "centre-ville", "nuit_2"]), Ok(()));
        assert!(matches!(names(&["a\"b"]), Err(RightsError::Name { .. })));
        assert!(matches!(names(&[""]), Err(RightsError::Name { .. })));
        assert!(matches!(names(&["a", "b", "a"]), Err(RightsError::Twice { .. })));
        let many: Vec<String> = (0..=RIGHTS_NAMES_MAX).map(|nth| nth.to_string()).collect();
        assert_eq!(check_names(&many), Err(RightsError::TooMany { count: many.len() }));
    }
}
