//! The gate's decision as a value: "allowed by these rules", or "refused for all these reasons".
//!
//! Refused by default: a request passes only if a rule of the town permits it *and* no rule of the law forbids it.
//! [`crate::Law::decide`] makes it.

use crate::explain::Confidence;
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
