//! The recorder's last word about itself: JSON made by it, carried by the keeper. What is missing or odd is left out.

use domain::UtcMicros;
use keeper::wire::{Finding, KeeperHealth};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// The recorder speaks each second; older words say nothing about now.
const SILENCE_SECONDS_MAX: i64 = 10;

#[derive(Debug, Default)]
pub struct RecorderWord {
    pub cameras: Vec<CameraWord>,
    pub store: StoreWord,
    pub findings: Vec<Finding>,
    /// Bytes whose key exists after their deadline (K9).
    pub bytes_past_deadline: Option<u64>,
    pub bytes_closed_unconfirmed: Option<u64>,
    /// Nothing was heard lately: states are not known.
    pub silent: bool,
}

/// One camera, as the recorder sees it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CameraWord {
    id: String,
    state: String,
    pub detail_fr: String,
    pub detail_en: String,
    since: Option<Time>,
    pub codec: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    last_durable: Option<Time>,
    pub bytes_per_second: Option<f64>,
    sub: Option<SubWord>,
}

/// Its sub-stream.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SubWord {
    state: String,
    pub codec: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StoreWord {
    pub slots: u64,
    pub slots_free: u64,
    pub slots_max: u64,
    pub slot_bytes: u64,
}

/// A time as text or in microseconds.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Time {
    Micros(i64),
    Text(String),
}

impl RecorderWord {
    pub fn of(health: &KeeperHealth) -> RecorderWord {
        let age = health.recorder_seen.map(|seen| health.now.since(seen));
        if age.is_none_or(|micros| micros > SILENCE_SECONDS_MAX * 1_000_000) {
            return RecorderWord { silent: true, ..RecorderWord::read(&health.recorder) };
        }
        RecorderWord::read(&health.recorder)
    }

    fn read(text: &str) -> RecorderWord {
        let word: Value = serde_json::from_str(text).unwrap_or_default();
        RecorderWord {
            cameras: each(&word["cameras"]),
            store: StoreWord::deserialize(&word["store"]).unwrap_or_default(),
            findings: each(&word["findings"]),
            bytes_past_deadline: word["bytes_past_deadline"].as_u64(),
            bytes_closed_unconfirmed: word["bytes_closed_unconfirmed"].as_u64(),
            silent: false,
        }
    }

    pub fn camera(&self, id: &str) -> Option<&CameraWord> {
        self.cameras.iter().find(|camera| camera.id == id)
    }

    /// `unknown` for a state that nobody told lately.
    pub fn state(&self, id: &str) -> &'static str {
        known_state(self.camera(id).filter(|_| !self.silent).map_or("", |camera| &camera.state))
    }

    /// What is known now of a camera's sub-stream, with its state.
    pub fn sub(&self, id: &str) -> (&'static str, Option<&SubWord>) {
        let sub = self.camera(id).filter(|_| !self.silent).and_then(|camera| camera.sub.as_ref());
        (known_state(sub.map_or("", |sub| &sub.state)), sub)
    }
}

impl CameraWord {
    pub fn since(&self) -> Option<String> {
        self.since.as_ref().map(Time::iso)
    }
    pub fn last_durable(&self) -> Option<String> {
        self.last_durable.as_ref().map(Time::iso)
    }
}

impl Time {
    fn iso(&self) -> String {
        match self {
            Time::Micros(micros) => UtcMicros(*micros).to_string(),
            Time::Text(text) => text.clone(),
        }
    }
}

fn known_state(told: &str) -> &'static str {
    const STATES: [&str; 4] = ["recording", "connecting", "away", "refused"];
    STATES.into_iter().find(|state| *state == told).unwrap_or("unknown")
}

/// The members of a list that can be read.
fn each<T: DeserializeOwned>(list: &Value) -> Vec<T> {
    let members = list.as_array().map(Vec::as_slice).unwrap_or_default();
    members.iter().filter_map(|member| T::deserialize(member).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_odd_is_left_out_and_the_rest_is_told() {
        let word = RecorderWord::read(
            r#"{"cameras":[{"id":"a","state":"recording","since":1000000,"width":640},{"id":5},
                {"id":"b","state":"dancing","sub":{"state":"away","width":352}}],
                "store":{"slots":3,"slot_bytes":"many"},"new":1}"#,
        );
        assert_eq!((word.state("a"), word.state("b"), word.state("c")), ("recording", "unknown", "unknown"));
        assert_eq!(word.camera("a").and_then(CameraWord::since).as_deref(), Some("1970-01-01T00:00:01.000Z"));
        let width = |id| word.sub(id).1.and_then(|sub| sub.width);
        assert_eq!((word.sub("a").0, word.sub("b").0, width("b"), width("a")), ("unknown", "away", Some(352), None));
        assert_eq!((word.store.slots, word.bytes_past_deadline), (0, None));
        for text in ["", "null", "[]", "{\"cameras\":7}", "not json"] {
            assert!(RecorderWord::read(text).cameras.is_empty(), "{text}");
        }
    }
}
