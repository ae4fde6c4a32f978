//! Dated facts of the law: numbers and periods that rules and program share, each with its source.

use super::{LawError, files::PackFiles};
use crate::calendar;
use crate::explain::Confidence;
use domain::UtcMicros;
use serde::Deserialize;

const FILE: &str = "facts.toml";

/// One fact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    pub id: String,
    /// In the unit that the name says.
    pub value: i64,
    pub source: String,
    pub confidence: Confidence,
    pub from: UtcMicros,
    /// True until just before.
    pub to: Option<UtcMicros>,
    pub text_fr: String,
    pub text_en: String,
}

/// All facts of a pack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts(Vec<Fact>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fact: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    value: i64,
    source: String,
    confidence: String,
    from: String,
    to: Option<String>,
    text_fr: String,
    text_en: String,
}

impl Facts {
    pub(super) fn read(files: &PackFiles) -> Result<Facts, LawError> {
        let malformed = |what: String| LawError::Malformed { file: FILE.into(), what };
        let file: File = toml::from_str(files.text(FILE)?).map_err(|error| malformed(error.to_string()))?;
        Ok(Facts(file.fact.into_iter().map(fact).collect::<Result<_, LawError>>()?))
    }

    /// The value of a fact that is true at `at`.
    pub fn at(&self, id: &str, at: UtcMicros) -> Option<i64> {
        self.of(id, at).map(|fact| fact.value)
    }

    /// A fact that is true at `at`.
    pub fn of(&self, id: &str, at: UtcMicros) -> Option<&Fact> {
        self.0.iter().find(|fact| fact.id == id && fact.from <= at && fact.to.is_none_or(|to| at < to))
    }

    pub fn all(&self) -> &[Fact] {
        &self.0
    }
}

fn fact(written: Written) -> Result<Fact, LawError> {
    let Written { id, value, source, confidence, from, to, text_fr, text_en } = written;
    let wrong = |what: String| LawError::Rule { file: FILE.into(), rule: id.clone(), what };
    let day = |text: &str| calendar::written_day(text).map_err(wrong);
    let confidence = Confidence::from_letter(&confidence)
        .ok_or_else(|| wrong(format!("its confidence `{confidence}` is none of F, F2, K, U, R")))?;
    let (from, to) = (day(&from)?, to.as_deref().map(day).transpose()?);
    Ok(Fact { id, value, source, confidence, from, to, text_fr, text_en })
}
