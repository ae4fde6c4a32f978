//! Which papers are required, of whom, and what their absence does: the file `acts.toml` of a law pack.

use crate::{
    calendar,
    explain::Confidence,
    golive::PURPOSE,
    law::{LawError, files::PackFiles},
};
use domain::{ActKind, Role, UtcMicros};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use toml::value::Datetime;

/// The file of a pack.
const FILE: &str = "acts.toml";

/// What each camera, the site or each person of some roles must have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RequiredAct {
    pub id: String,
    /// Any one of them that holds is enough.
    pub kinds: Vec<ActKind>,
    pub per: Per,
    /// For [`Per::Person`]: of whom it is asked.
    pub roles: Vec<Role>,
    pub effect: Effect,
    pub article: String,
    pub source: String,
    pub confidence: Confidence,
    /// The rule is law from here on,
    pub from: UtcMicros,
    /// and no more from here on.
    pub to: Option<UtcMicros>,
    pub title_fr: String,
    pub title_en: String,
    pub text_fr: String,
    pub text_en: String,
    pub remedy_fr: String,
    pub remedy_en: String,
}

/// Of what it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Per {
    Site,
    Camera,
    Person,
}

/// What its absence does. Nothing else is possible: no row lets anything through.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    Block,
    Alarm,
}

impl RequiredAct {
    pub fn is_law_at(&self, now: UtcMicros) -> bool {
        self.from <= now && self.to.is_none_or(|to| now < to)
    }
}

/// Why the list of required acts does not read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequiredError {
    #[error("the list of required acts does not read: {0}: use the list of one release")]
    Toml(#[from] toml::de::Error),
    #[error("required act `{id}`: {what}")]
    Row { id: String, what: &'static str },
    #[error("the list of required acts is empty: such a law would let every camera record without a paper")]
    Empty,
}

/// The rows of a pack; a pack without them is none.
pub(crate) fn of_pack(files: &PackFiles) -> Result<Vec<RequiredAct>, LawError> {
    let text = files.text(FILE)?;
    read(text).map_err(|error| LawError::Malformed { file: FILE.into(), what: error.to_string() })
}

/// Reads the rows of a law pack.
pub fn read(text: &str) -> Result<Vec<RequiredAct>, RequiredError> {
    let list: List = toml::from_str(text)?;
    let mut known = BTreeSet::new();
    let rows: Vec<RequiredAct> = list.required.into_iter().map(Row::checked).collect::<Result<_, _>>()?;
    if rows.is_empty() {
        return Err(RequiredError::Empty);
    }
    match rows.iter().find(|row| !known.insert(row.id.clone())) {
        Some(twice) => Err(RequiredError::Row { id: twice.id.clone(), what: "it stands there twice: give each an id" }),
        None => Ok(rows),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    required: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    kinds: Vec<ActKind>,
    per: Per,
    #[serde(default)]
    roles: Vec<Role>,
    effect: Effect,
    article: String,
    source: String,
    confidence: Confidence,
    from: Datetime,
    to: Option<Datetime>,
    title_fr: String,
    title_en: String,
    text_fr: String,
    text_en: String,
    remedy_fr: String,
    remedy_en: String,
}

impl Row {
    fn checked(self) -> Result<RequiredAct, RequiredError> {
        let wrong = |what| RequiredError::Row { id: self.id.clone(), what };
        let day = |written: &Datetime| day(written).ok_or_else(|| wrong("a date is a day: `from = 2023-11-30`"));
        let (from, to) = (day(&self.from)?, self.to.as_ref().map(day).transpose()?);
        if self.id == PURPOSE {
            return Err(wrong("this name is the program's own: choose another"));
        }
        if self.kinds.is_empty() {
            return Err(wrong("name at least one kind of act"));
        }
        if to.is_some_and(|to| to <= from) {
            return Err(wrong("it ends before it begins: correct `from` or `to`"));
        }
        if (self.per == Per::Person) == self.roles.is_empty() {
            return Err(wrong("`roles` belongs to `per = \"person\"`, and only there"));
        }
        let words = [&self.article, &self.source, &self.title_fr, &self.title_en, &self.text_fr, &self.text_en];
        if words.into_iter().chain([&self.remedy_fr, &self.remedy_en]).any(|word| word.trim().is_empty()) {
            return Err(wrong("article, source, title, text and remedy are all said, in both languages"));
        }
        Ok(RequiredAct {
            id: self.id,
            kinds: self.kinds,
            per: self.per,
            roles: self.roles,
            effect: self.effect,
            article: self.article,
            source: self.source,
            confidence: self.confidence,
            from,
            to,
            title_fr: self.title_fr,
            title_en: self.title_en,
            text_fr: self.text_fr,
            text_en: self.text_en,
            remedy_fr: self.remedy_fr,
            remedy_en: self.remedy_en,
        })
    }
}

fn day(written: &Datetime) -> Option<UtcMicros> {
    let date = written.date.filter(|_| written.time.is_none())?;
    calendar::day(i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn required() -> Vec<RequiredAct> {
        of_pack(&PackFiles::built_in()).unwrap()
    }

    #[test]
    fn the_rows_of_the_pack_that_ships_read_and_block_what_the_law_blocks() {
        let rows = required();
        let effect = |kind| rows.iter().find(|row| row.kinds.contains(&kind)).map(|row| row.effect);
        for kind in [
            ActKind::Authorisation,
            ActKind::ProvisionalOrder,
            ActKind::CnilCommitment,
            ActKind::MaskStatement,
            ActKind::CommissioningNotice,
            ActKind::Dpia,
            ActKind::Habilitation,
            ActKind::Approval,
        ] {
            assert_eq!(effect(kind), Some(Effect::Block), "{kind}");
        }
        assert_eq!(effect(ActKind::Sign), Some(Effect::Alarm));
    }

    #[test]
    fn every_capacity_that_sees_pictures_has_its_act_and_no_other_role_has() {
        let rows = required();
        for role in Role::ALL {
            let rows = rows.iter().filter(|row| row.roles.contains(&role)).count();
            assert_eq!(rows, usize::from(role.article().is_some()), "{role}");
        }
    }

    #[test]
    fn a_row_that_lacks_something_or_stands_twice_is_refused_by_its_name() {
        let text = include_str!("../../../law/fr/acts.toml");
        let first = text.find("\n[[required]]").unwrap();
        let one = &text[first..first + 20 + text[first + 20..].find("\n[[required]]").unwrap()];
        assert_eq!(read(one).unwrap().len(), 1);
        for (from, to) in [
            ("effect = \"block\"", "effect = \"allow\""),
            ("from = 2012-05-01", "from = 2012-05-01\nto = 2012-05-01"),
            ("per = \"camera\"", "per = \"person\""),
            ("kinds = [\"authorisation\", \"provisional-order\"]", "kinds = []"),
            ("article = \"CSI L252-1, L252-4\"", "article = \"\""),
            ("id = \"act-authorisation\"", "id = \"act-purpose\""),
        ] {
            assert!(one.contains(from), "{from}");
            assert!(read(&one.replace(from, to)).is_err(), "{to}");
        }
        let twice = read(&[one, one].concat()).unwrap_err();
        assert!(twice.to_string().contains("act-authorisation"), "{twice}");
        assert_eq!(read("required = []"), Err(RequiredError::Empty));
    }
}
