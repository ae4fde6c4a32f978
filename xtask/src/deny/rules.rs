//! `deny.toml` as values: allowed licences, exceptions, duplicates that are borne, each with its reason.

use toml::{Table, Value};

/// One package that may have a licence which is not allowed to all.
#[derive(Clone, Debug)]
pub struct Exception {
    pub package: String,
    pub licence: String,
}

/// One crate that is borne in several versions, each given as far as compatibility reaches: `1`, `0.21`.
#[derive(Clone, Debug)]
pub struct Duplicate {
    pub package: String,
    pub versions: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub allow: Vec<String>,
    pub exceptions: Vec<Exception>,
    pub duplicates: Vec<Duplicate>,
}

impl Rules {
    /// # Errors
    /// A sentence that names the entry and the field that is missing; an entry without its reason is refused.
    pub fn parse(text: &str) -> Result<Rules, String> {
        let table = text.parse::<Table>().map_err(|error| format!("deny.toml: {error}"))?;
        let allow = table.get("licences").and_then(|licences| licences.get("allow")).map(strings).unwrap_or_default();
        let mut rules = Rules { allow, ..Rules::default() };
        for entry in entries(&table, "exception") {
            reasoned(entry)?;
            rules.exceptions.push(Exception { package: field(entry, "package")?, licence: field(entry, "licence")? });
        }
        for entry in entries(&table, "duplicate") {
            reasoned(entry)?;
            let versions = entry.get("versions").map(strings).unwrap_or_default();
            rules.duplicates.push(Duplicate { package: field(entry, "package")?, versions });
        }
        Ok(rules)
    }
}

fn entries<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = &'a Value> {
    table.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn field(entry: &Value, key: &str) -> Result<String, String> {
    let text = entry.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    text.map(str::to_owned).ok_or_else(|| format!("deny.toml: an entry lacks its `{key}`: {entry}"))
}

fn reasoned(entry: &Value) -> Result<(), String> {
    field(entry, "reason").map(drop)
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_without_its_reason_is_refused() {
        let entry = "[[duplicate]]\npackage = \"rand\"\nversions = [\"0.8\", \"0.10\"]\n";
        assert!(Rules::parse(entry).is_err());
        let rules = Rules::parse(&format!("{entry}reason = \"two users\"\n")).unwrap();
        assert_eq!(rules.duplicates[0].versions, ["0.8", "0.10"]);
        assert!(Rules::parse("[[exception]]\npackage = \"x\"\nreason = \"y\"\n").is_err());
    }
}
