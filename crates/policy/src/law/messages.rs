//! What each rule says when it refuses, in French and in English; a rule without its words is not taken.

use super::{LawError, files::PackFiles};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The words of one rule in one language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    /// Why it is refused.
    pub text: String,
    /// What would make it lawful.
    pub remedy: String,
}

/// The words of one rule in both languages.
pub(super) struct Says<'a> {
    pub fr: &'a Words,
    pub en: &'a Words,
}

pub(super) struct Messages {
    fr: BTreeMap<String, Words>,
    en: BTreeMap<String, Words>,
}

impl Messages {
    pub fn read(files: &PackFiles) -> Result<Messages, LawError> {
        let read = |file: &str| -> Result<BTreeMap<String, Words>, LawError> {
            let malformed = |what: String| LawError::Malformed { file: file.to_owned(), what };
            toml::from_str(files.text(file)?).map_err(|error| malformed(error.to_string()))
        };
        Ok(Messages { fr: read("messages.fr.toml")?, en: read("messages.en.toml")? })
    }

    /// Each rule has its words in both files, and there are no words without a rule.
    pub fn check<'a>(&self, rules: impl Iterator<Item = &'a str>) -> Result<(), LawError> {
        let rules: Vec<&str> = rules.collect();
        for (file, words) in [("messages.fr.toml", &self.fr), ("messages.en.toml", &self.en)] {
            let wrong = |rule: &str, what: &str| LawError::Rule {
                file: file.to_owned(),
                rule: rule.to_owned(),
                what: what.to_owned(),
            };
            for rule in &rules {
                match words.get(*rule) {
                    None => return Err(wrong(rule, "it has no words here")),
                    Some(words) if words.text.trim().is_empty() || words.remedy.trim().is_empty() => {
                        return Err(wrong(rule, "its words are empty"));
                    }
                    Some(_) => {}
                }
            }
            if let Some(foreign) = words.keys().find(|known| !rules.contains(&known.as_str())) {
                return Err(wrong(foreign, "no rule of the pack bears this name"));
            }
        }
        Ok(())
    }

    /// The words of a rule that [`Messages::check`] has seen.
    pub fn of(&self, rule: &str) -> Says<'_> {
        let words = |file: &'_ BTreeMap<String, Words>| file.contains_key(rule);
        debug_assert!(words(&self.fr) && words(&self.en), "{rule}");
        Says { fr: &self.fr[rule], en: &self.en[rule] }
    }
}
