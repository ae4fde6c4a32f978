//! An answer or a refusal by letter: who writes to whom, in paragraphs, on which texts, and what can be done against it.

use crate::{Article, paper::Private};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// Lines of the address, the name first.
    #[serde(default)]
    pub recipient: Vec<Private>,
    /// The recipient's own reference: a procedure, a letter.
    #[serde(default)]
    pub their_reference: String,
    pub object: Private,
    pub paragraphs: Vec<Private>,
    #[serde(default)]
    pub grounds: Vec<Article>,
    /// Voies et délais de recours: one paragraph each.
    #[serde(default)]
    pub appeals: Vec<String>,
    #[serde(default)]
    pub enclosures: Vec<String>,
    /// Quality of who signs, `Le maire`, `Par délégation, …`; the name is written by hand where it is empty.
    #[serde(default)]
    pub signed_as: String,
    #[serde(default)]
    pub signatory: Private,
}
