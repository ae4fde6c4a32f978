//! The one permit that is neither the law's nor the town's: break-glass, for exactly one person and one camera at a time.

use super::LawError;
use crate::glass::BREAK_GLASS;
use cedar_policy::{EntityUid, PolicyId, PolicySet, Schema, SlotId, Template, ValidationMode, Validator};
use std::collections::HashMap;

const TEMPLATE: &str = "break-glass-of";
/// Live pictures and replay, and nothing that leaves, records or analyses.
const TEXT: &str = r#"permit (
  principal == ?principal,
  action in [Vigie::Action::"watch-live", Vigie::Action::"replay"],
  resource == ?resource
);"#;

/// The template, checked against the schema as every rule is.
pub(super) fn template(schema: &Schema) -> Result<Template, LawError> {
    let wrong = |what: String| LawError::Rules { file: BREAK_GLASS.to_owned(), what };
    let template = Template::parse(Some(PolicyId::new(TEMPLATE)), TEXT).map_err(|error| wrong(error.to_string()))?;
    let mut set = PolicySet::new();
    set.add_template(template.clone()).map_err(|error| wrong(error.to_string()))?;
    let checked = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    match checked.validation_errors().next() {
        Some(error) => Err(wrong(error.to_string())),
        None => Ok(template),
    }
}

/// The law's prohibitions with the one permit for this person and this camera; none of the town's rules.
pub(super) fn set_for(forbids: &PolicySet, person: EntityUid, camera: EntityUid) -> Option<PolicySet> {
    let mut set = forbids.clone();
    let slots = HashMap::from([(SlotId::principal(), person), (SlotId::resource(), camera)]);
    set.link(PolicyId::new(TEMPLATE), PolicyId::new(BREAK_GLASS), slots).ok()?;
    Some(set)
}
