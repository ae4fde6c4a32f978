//! The fields of one paper in TOML, taken one by one; what is left over is an error, not ignored.

use super::DossierError;
use crate::calendar;
use domain::{ActKind, UtcMicros, limit::ACT_NAMES_MAX};
use jiff::civil::{DateTime, Time};
use std::str::FromStr;
use toml::{Table, Value, value::Datetime};

pub struct Fields(pub Table);

type Read<T> = Result<T, DossierError>;

impl Fields {
    pub fn text(&mut self, field: &str) -> Read<String> {
        self.text_or_none(field)?.ok_or_else(|| missing(field, "\"…\""))
    }

    pub fn text_or_none(&mut self, field: &str) -> Read<Option<String>> {
        match self.0.remove(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(field, "un texte entre guillemets", "a text in quotes", "\"…\"")),
        }
    }

    pub fn texts_or_none(&mut self, field: &str) -> Read<Option<Vec<String>>> {
        let text = |value: Value| if let Value::String(text) = value { Some(text) } else { None };
        self.list(field, text, "une liste de textes", "a list of texts", "[\"…\", \"…\"]")
    }

    pub fn counts(&mut self, field: &str) -> Read<Vec<u32>> {
        let count = |value: Value| value.as_integer().and_then(|number| u32::try_from(number).ok());
        let counts = self.list(field, count, "une liste de nombres", "a list of numbers", "[1, 5]")?;
        counts.ok_or_else(|| missing(field, "[1, 5]"))
    }

    fn list<T>(
        &mut self,
        field: &str,
        item: impl Fn(Value) -> Option<T>,
        fr: &str,
        en: &str,
        example: &str,
    ) -> Read<Option<Vec<T>>> {
        match self.0.remove(field) {
            None => Ok(None),
            Some(Value::Array(values)) if values.len() <= ACT_NAMES_MAX => {
                let items: Option<Vec<T>> = values.into_iter().map(item).collect();
                items.map(Some).ok_or_else(|| wrong(field, fr, en, example))
            }
            Some(_) => Err(wrong(field, fr, en, example)),
        }
    }

    pub fn count(&mut self, field: &str) -> Read<u32> {
        self.count_or_none(field)?.ok_or_else(|| missing(field, "30"))
    }

    pub fn count_or_none(&mut self, field: &str) -> Read<Option<u32>> {
        let Some(value) = self.0.remove(field) else { return Ok(None) };
        let count = value.as_integer().and_then(|number| u32::try_from(number).ok());
        count.map(Some).ok_or_else(|| wrong(field, "un nombre entier", "a whole number", "30"))
    }

    pub fn date(&mut self, field: &str) -> Read<UtcMicros> {
        self.date_or_none(field)?.ok_or_else(|| missing(field, "2026-03-12"))
    }

    /// A day is its beginning in Paris; a clock time without an offset is that of Paris.
    pub fn date_or_none(&mut self, field: &str) -> Read<Option<UtcMicros>> {
        let Some(value) = self.0.remove(field) else { return Ok(None) };
        let written = match value {
            Value::Datetime(datetime) => instant(&datetime),
            _ => None,
        };
        written.map(Some).ok_or_else(|| {
            wrong(
                field,
                "une date sans guillemets, en heure de Paris",
                "a date without quotes, by the clock of Paris",
                "2026-03-12",
            )
        })
    }

    /// One of a closed list of names.
    pub fn named<T: FromStr>(&mut self, field: &str, names: &[&str]) -> Read<T> {
        let (list, written) = (names.join(", "), self.text(field)?);
        written.parse().map_err(|_| {
            let written: String = written.chars().take(40).collect();
            DossierError::new(
                format!("`{field}` : `{written}` n'existe pas : écrivez l'un de {list}"),
                format!("`{field}`: there is no `{written}`: write one of {list}"),
            )
        })
    }

    pub fn nothing_left(&self, kind: ActKind) -> Read<()> {
        let Some(stray) = self.0.keys().next() else { return Ok(()) };
        Err(DossierError::new(
            format!(
                "`{stray}` n'est pas un champ de cet acte : retirez-le ; `vigie act template {kind}` donne les champs"
            ),
            format!("`{stray}` is no field of this act: take it away; `vigie act template {kind}` gives the fields"),
        ))
    }
}

fn instant(written: &Datetime) -> Option<UtcMicros> {
    let date = written.date?;
    let (year, month, day) =
        (i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    if written.time.is_none() {
        return calendar::day(year, month, day);
    }
    if written.offset.is_some() {
        let timestamp: jiff::Timestamp = written.to_string().parse().ok()?;
        return Some(UtcMicros(timestamp.as_microsecond()));
    }
    let time = written.time?;
    let clock = |part: Option<u8>| i8::try_from(part.unwrap_or_default()).ok();
    let time =
        Time::new(i8::try_from(time.hour).ok()?, i8::try_from(time.minute).ok()?, clock(time.second)?, 0).ok()?;
    calendar::local(DateTime::from_parts(jiff::civil::Date::new(year, month, day).ok()?, time))
}

fn missing(field: &str, example: &str) -> DossierError {
    DossierError::new(
        format!("`{field}` manque : écrivez `{field} = {example}`"),
        format!("`{field}` is missing: write `{field} = {example}`"),
    )
}

fn wrong(field: &str, fr: &str, en: &str, example: &str) -> DossierError {
    DossierError::new(
        format!("`{field}` attend {fr} : écrivez `{field} = {example}`"),
        format!("`{field}` takes {en}: write `{field} = {example}`"),
    )
}
