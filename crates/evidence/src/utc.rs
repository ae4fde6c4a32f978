//! Instants of the package as people and programs read them: RFC 3339 in UTC, to the microsecond.

use domain::UtcMicros;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serializer};

/// `2026-03-12T14:00:03.250000Z`
pub fn text(at: UtcMicros) -> String {
    match Timestamp::from_microsecond(at.0) {
        Ok(stamp) => format!("{stamp:.6}"),
        // years beyond 9999: no clock of ours says so
        Err(_) => at.to_string(),
    }
}

pub fn serialize<S: Serializer>(at: &UtcMicros, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&text(*at))
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UtcMicros, D::Error> {
    let text = String::deserialize(deserializer)?;
    let stamp: Timestamp = text.parse().map_err(serde::de::Error::custom)?;
    Ok(UtcMicros(stamp.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct At(#[serde(with = "super")] UtcMicros);

    proptest! {
        #[test]
        fn an_instant_reads_back_as_written(at in 0i64..4_000_000_000_000_000) {
            let text = serde_json::to_string(&At(UtcMicros(at))).unwrap();
            prop_assert_eq!(serde_json::from_str::<At>(&text).unwrap(), At(UtcMicros(at)));
        }
    }

    #[test]
    fn it_is_written_in_utc_to_the_microsecond() {
        assert_eq!(text(UtcMicros(1_773_324_003_250_000)), "2026-03-12T14:00:03.250000Z");
    }
}
