//! A refusal in words, French first: which rule, which article, what would make the look lawful.

use crate::decide::{Reason, Refusal};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// How sure we are of a rule's legal basis.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Found in the consolidated text.
    Found,
    /// Found in a secondary source.
    Secondary,
    /// Known, not seen in a source.
    Known,
    /// To be verified: such a rule may only refuse.
    Uncertain,
    /// Our own reading of a text that was found.
    Reading,
}

impl Confidence {
    /// From the mark that a rule bears: F found, F2 secondary source, K known, U uncertain, R our reading.
    pub fn from_letter(letter: &str) -> Option<Confidence> {
        match letter {
            "F" => Some(Confidence::Found),
            "F2" => Some(Confidence::Secondary),
            "K" => Some(Confidence::Known),
            "U" => Some(Confidence::Uncertain),
            "R" => Some(Confidence::Reading),
            _ => None,
        }
    }

    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Confidence::Found, Language::French) => "texte consolidé",
            (Confidence::Found, Language::English) => "consolidated text",
            (Confidence::Secondary, Language::French) => "source secondaire",
            (Confidence::Secondary, Language::English) => "secondary source",
            (Confidence::Known, Language::French) => "connaissance générale",
            (Confidence::Known, Language::English) => "general knowledge",
            (Confidence::Uncertain, Language::French) => "à vérifier",
            (Confidence::Uncertain, Language::English) => "to be verified",
            (Confidence::Reading, Language::French) => "notre lecture du texte",
            (Confidence::Reading, Language::English) => "our reading of the text",
        }
    }
}

/// The languages of the console.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Language {
    #[serde(rename = "fr")]
    French,
    #[serde(rename = "en")]
    English,
}

impl Reason {
    /// Why it is refused.
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::French => &self.text_fr,
            Language::English => &self.text_en,
        }
    }

    /// What would make it lawful.
    pub fn remedy(&self, language: Language) -> &str {
        match language {
            Language::French => &self.remedy_fr,
            Language::English => &self.remedy_en,
        }
    }
}

impl Refusal {
    /// The whole refusal, one paragraph for each reason. It holds no personal data: cameras appear as their count.
    pub fn explain(&self, language: Language) -> String {
        let mut text = String::new();
        for reason in &self.reasons {
            write_reason(&mut text, reason, language);
        }
        text
    }
}

fn write_reason(text: &mut String, reason: &Reason, language: Language) {
    let (why, remedy, sure) = (reason.text(language), reason.remedy(language), reason.confidence.label(language));
    let cameras = match (reason.cameras.len(), language) {
        (0, _) => String::new(),
        (1, Language::French) => " (1 caméra)".to_owned(),
        (1, Language::English) => " (1 camera)".to_owned(),
        (n, Language::French) => format!(" ({n} caméras)"),
        (n, Language::English) => format!(" ({n} cameras)"),
    };
    let (article, rule) = (&reason.article, &reason.rule);
    let written = match language {
        Language::French => {
            writeln!(
                text,
                "{why}{cameras}\n  Texte : {article} ({sure}) ; règle « {rule} ».\n  Pour que ce soit licite : {remedy}"
            )
        }
        Language::English => {
            writeln!(
                text,
                "{why}{cameras}\n  Text: {article} ({sure}); rule \"{rule}\".\n  To make it lawful: {remedy}"
            )
        }
    };
    written.expect("writing into a String cannot fail");
}
