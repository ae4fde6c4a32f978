//! What the world outside says of the log: the witnesses' word, told by whoever starts this role, which knows where it stands.

use keeper::wire::Finding;
use serde::Serialize;
use utoipa::ToSchema;

/// The public role's last word. `None` of it: no such role is configured, so nobody outside holds the town to its log.
pub struct OutsideWord {
    /// Size of the newest checkpoint that enough witnesses cosigned; 0: none yet.
    pub witnessed_size: u64,
    /// Seconds since 1970.
    pub witnessed_seconds: i64,
    pub witnesses: usize,
    /// Each witness and whatever is wrong.
    pub findings: Vec<Finding>,
}

/// Reads it anew for each health page.
pub type AskOutside = dyn Fn() -> Option<OutsideWord> + Send + Sync;

/// What the auditor of destruction says (decision 0053), read anew for each health page, also when the keeper does not answer.
pub type AskRetention = dyn Fn() -> Vec<Finding> + Send + Sync;

/// What witnesses attested of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthWitnesses {
    /// Witnesses that are asked each minute.
    asked: usize,
    /// Entries of the newest checkpoint that enough of them attested; 0: none yet.
    attested_size: u64,
    /// ISO 8601.
    attested_at: Option<String>,
}

impl From<&OutsideWord> for HealthWitnesses {
    fn from(word: &OutsideWord) -> HealthWitnesses {
        let at = (word.witnessed_size > 0).then(|| domain::UtcMicros::from_seconds(word.witnessed_seconds).to_string());
        HealthWitnesses { asked: word.witnesses, attested_size: word.witnessed_size, attested_at: at }
    }
}
