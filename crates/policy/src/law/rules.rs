//! Rules as they are taken from the pack's and the town's files: parsed, annotated, checked against the schema.

use super::{
    LawError, bounds,
    files::{PackFiles, RULE_FILES},
};
use crate::calendar;
use crate::explain::Confidence;
use crate::glass::BREAK_GLASS;
use cedar_policy::{Effect, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use domain::UtcMicros;
use std::collections::BTreeSet;

/// One prohibition of the law.
#[derive(Clone, Debug)]
pub struct LawRule {
    pub id: String,
    pub file: String,
    /// The articles, as cited in French.
    pub source: String,
    pub confidence: Confidence,
    pub from: UtcMicros,
    /// In force until just before.
    pub to: Option<UtcMicros>,
    pub(crate) about: About,
    pub(crate) policy: Option<Policy>,
}

/// One permission of the town.
#[derive(Clone, Debug)]
pub struct TownRule {
    pub id: String,
    pub(crate) policy: Policy,
}

/// Whether a rule refuses the request as a whole, or because of certain cameras.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum About {
    Request,
    Camera,
}

impl TownRule {
    /// The entities of this type that the rule names, such as `Vigie::Group`.
    fn named<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = String> + 'a {
        let entities = self.policy.entity_literals().into_iter();
        let of_kind = entities.filter(move |entity| entity.type_name().to_string() == kind);
        of_kind.map(|entity| entity.id().unescaped().to_owned())
    }

    /// Groups of cameras that the rule names.
    pub fn groups(&self) -> BTreeSet<String> {
        self.named("Vigie::Group").collect()
    }

    /// Teams of persons that the rule names.
    pub fn teams(&self) -> BTreeSet<String> {
        self.named("Vigie::Team").collect()
    }
}

pub(super) fn schema(files: &PackFiles) -> Result<Schema, LawError> {
    const FILE: &str = "schema.cedarschema";
    let text = files.text(FILE)?;
    bounds::check(text).map_err(|what| LawError::Malformed { file: FILE.into(), what })?;
    let read = Schema::from_cedarschema_str(text);
    let (schema, _) = read.map_err(|error| LawError::Malformed { file: FILE.into(), what: error.to_string() })?;
    Ok(schema)
}

/// All rules of the pack, in the order in which a refusal lists them.
pub(super) fn of_pack(files: &PackFiles, schema: &Schema) -> Result<Vec<LawRule>, LawError> {
    let mut rules: Vec<LawRule> = Vec::new();
    let mut ids = BTreeSet::new();
    for file in RULE_FILES {
        for policy in parsed(file, files.text(file)?, schema)? {
            let rule = law_rule(file, policy)?;
            if !ids.insert(rule.id.clone()) {
                return Err(wrong(file, &rule.id, "two rules bear this @id"));
            }
            rules.push(rule);
        }
    }
    Ok(rules)
}

/// The town's rules: permissions only, each with a name of its own, without a date or a legal basis.
pub(super) fn of_town(text: &str, schema: &Schema) -> Result<Vec<TownRule>, LawError> {
    const FILE: &str = "town/permits.cedar";
    let mut ids = BTreeSet::new();
    let mut rules = Vec::new();
    for policy in parsed(FILE, text, schema)? {
        let id = policy.annotation("id").unwrap_or_default().to_owned();
        let refused = |what: &str| LawError::Town { rule: id.clone(), what: what.to_owned() };
        if policy.effect() != Effect::Permit {
            return Err(refused("it forbids"));
        }
        if id.is_empty() {
            return Err(refused("it has no @id"));
        }
        if policy.annotations().any(|(key, _)| !["id", "note"].contains(&key)) {
            return Err(refused("it bears an annotation other than @id and @note"));
        }
        if id == BREAK_GLASS {
            return Err(refused("its @id is that of the emergency permit of two persons: give it another one"));
        }
        if !ids.insert(id.clone()) {
            return Err(refused("another rule bears this @id"));
        }
        let policy = policy.new_id(PolicyId::new(&id));
        rules.push(TownRule { id, policy });
    }
    Ok(rules)
}

/// The policies of one file in their order, checked against the schema by Cedar's strict validation.
fn parsed(file: &str, text: &str, schema: &Schema) -> Result<Vec<Policy>, LawError> {
    let malformed = |what: String| LawError::Rules { file: file.to_owned(), what };
    bounds::check(text).map_err(malformed)?;
    let set: PolicySet = text.parse().map_err(|error: cedar_policy::ParseErrors| malformed(error.to_string()))?;
    if set.templates().next().is_some() {
        return Err(malformed("it has a template; each rule stands for itself".into()));
    }
    let checked = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    if let Some(error) = checked.validation_errors().next() {
        return Err(malformed(error.to_string()));
    }
    let mut policies: Vec<Policy> = set.policies().cloned().collect();
    // the parser names them policy0, policy1 … in the order of the text
    policies.sort_by_key(|policy| {
        policy.id().to_string().trim_start_matches("policy").parse::<usize>().unwrap_or(usize::MAX)
    });
    Ok(policies)
}

fn law_rule(file: &str, policy: Policy) -> Result<LawRule, LawError> {
    let id = policy.annotation("id").unwrap_or_default().to_owned();
    let wrong = |what: &str| wrong(file, &id, what);
    let of = |key: &str| policy.annotation(key).filter(|text| !text.is_empty());
    if id.is_empty() {
        return Err(wrong("it has no @id"));
    }
    if id == BREAK_GLASS {
        return Err(wrong("its @id is that of the emergency permit of two persons"));
    }
    if policy.effect() != Effect::Forbid {
        return Err(wrong("it permits; the law pack forbids, the town permits"));
    }
    let source = of("source").ok_or_else(|| wrong("it has no @source"))?.to_owned();
    let confidence = of("confidence").and_then(Confidence::from_letter);
    let confidence = confidence.ok_or_else(|| wrong("its @confidence is none of F, F2, K, U, R"))?;
    let about = match of("about") {
        Some("request") => About::Request,
        Some("camera") => About::Camera,
        _ => return Err(wrong("its @about is neither `request` nor `camera`")),
    };
    let day = |text: &str| calendar::written_day(text).map_err(|what| wrong(&what));
    let from = day(of("from").ok_or_else(|| wrong("it has no @from"))?)?;
    let to = of("to").map(day).transpose()?;
    if to.is_some_and(|to| to <= from) {
        return Err(wrong("its @to is not after its @from"));
    }
    let policy = policy.new_id(PolicyId::new(&id));
    Ok(LawRule { id, file: file.to_owned(), source, confidence, from, to, about, policy: Some(policy) })
}

fn wrong(file: &str, rule: &str, what: &str) -> LawError {
    LawError::Rule { file: file.to_owned(), rule: rule.to_owned(), what: what.to_owned() }
}
