//! The gate's decision: a plain function from a request to "allowed by these rules" or "refused for all these reasons".
//!
//! Refused by default: a request passes only if a rule permits it *and* no rule forbids it. A refusal lists every
//! reason, so that the one who asks repairs everything at once. The seam is [`decide`]; what stands behind it may
//! change.

use crate::explain::Confidence;
use crate::request::Request;
use crate::rule::{self, Effect, Rule};
use domain::CameraId;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// The answer of the gate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Allowed by these rules, at least one.
    Allow {
        rules: Vec<RuleId>,
    },
    Refuse(Refusal),
}

/// A refusal: a value with its reasons, not an error.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// All reasons, in the order of the rules; at least one.
    pub reasons: Vec<Reason>,
}

/// One rule that refuses, with its article and what would make the look lawful, in French and English.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    pub rule: RuleId,
    /// The article of law, as cited in French.
    pub article: Cow<'static, str>,
    pub confidence: Confidence,
    pub text_fr: Cow<'static, str>,
    pub text_en: Cow<'static, str>,
    pub remedy_fr: Cow<'static, str>,
    pub remedy_en: Cow<'static, str>,
    /// The cameras that the rule refuses; empty where it refuses the whole request.
    pub cameras: Vec<CameraId>,
}

/// The name of a rule, stable across versions: ledger entries cite it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(pub Cow<'static, str>);

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Decides one request by the rules of this program.
pub fn decide(request: &Request) -> Decision {
    decide_by(rule::RULES, request)
}

fn decide_by(rules: &[Rule], request: &Request) -> Decision {
    let mut permitted_by = Vec::new();
    let mut reasons = Vec::new();
    for rule in rules {
        match rule.effect {
            Effect::Permit(permits) if permits(request) => permitted_by.push(RuleId(Cow::Borrowed(rule.id))),
            Effect::Permit(_) => {}
            Effect::Forbid(refuses) => {
                reasons.extend(refuses(request).map(|cameras| reason(rule, cameras)));
            }
        }
    }
    if permitted_by.is_empty() && reasons.is_empty() {
        reasons.push(reason(&rule::DEFAULT, Vec::new()));
    }
    if reasons.is_empty() { Decision::Allow { rules: permitted_by } } else { Decision::Refuse(Refusal { reasons }) }
}

fn reason(rule: &Rule, cameras: Vec<CameraId>) -> Reason {
    Reason {
        rule: RuleId(Cow::Borrowed(rule.id)),
        article: Cow::Borrowed(rule.article),
        confidence: rule.confidence,
        text_fr: Cow::Borrowed(rule.text.fr),
        text_en: Cow::Borrowed(rule.text.en),
        remedy_fr: Cow::Borrowed(rule.remedy.fr),
        remedy_en: Cow::Borrowed(rule.remedy.en),
        cameras,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Action, CameraFacts, Role};
    use domain::{Purpose, Sensitive, UtcMicros};

    fn lawful() -> Request {
        Request {
            action: Action::WatchLive,
            role: Role::Operator,
            purpose: Some(Purpose::PublicBuildings),
            reason: Sensitive::new("alarme incendie à l'école".to_owned()),
            cameras: vec![CameraFacts {
                id: CameraId([1; 16]),
                exists: true,
                recording: true,
                purposes: vec![Purpose::PublicBuildings],
            }],
            span: None,
            permit_seconds: 600,
            now: UtcMicros::from_seconds(1_000_000_000),
        }
    }

    #[test]
    fn what_no_rule_permits_is_refused_even_when_no_rule_forbids_it() {
        assert!(matches!(decide(&lawful()), Decision::Allow { .. }));
        let forbids_only: Vec<Rule> =
            rule::RULES.iter().filter(|rule| matches!(rule.effect, Effect::Forbid(_))).copied().collect();
        for rules in [&forbids_only[..], &[]] {
            let Decision::Refuse(refusal) = decide_by(rules, &lawful()) else { panic!("allowed by nothing") };
            assert_eq!(refusal.reasons.len(), 1);
            assert_eq!(refusal.reasons[0].rule.0, rule::DEFAULT.id);
        }
    }

    #[test]
    fn one_forbidding_rule_outweighs_every_permission() {
        let refuses_all = Rule { id: "refuses-all", effect: Effect::Forbid(|_| Some(Vec::new())), ..rule::DEFAULT };
        let mut rules = rule::RULES.to_vec();
        rules.push(refuses_all);
        assert!(matches!(decide_by(&rules, &lawful()), Decision::Refuse(_)));
    }
}
