//! What is to be made, and of what: the first message of a job, as JSON.

use crate::redact::{Region, RegionError, Regions};
use domain::{Codec, limit::VIEWING_SOURCE_WIDTH_MAX};
use media::{MediaError, ParameterSets, codec::parameter_sets};
use serde::{Deserialize, Serialize};

/// The version of [`Job`] and of all messages. Program and town are of one release: another one is refused by its number.
pub const FORMAT: u8 = 1;

/// One stream of pictures under one set of parameters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    pub format: u8,
    pub task: Task,
    pub codec: Codec,
    /// Contents of `avcC` or `hvcC`, in hexadecimal.
    config: String,
}

/// What becomes of the pictures.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Task {
    /// The same in H.264, for whoever cannot see the original.
    ViewingCopy,
    /// The same in its own size, with regions covered that were drawn by hand.
    Redacted { regions: Vec<Region> },
}

/// Why bytes are no job. Nothing of them is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    #[error("the job cannot be read: {what}")]
    Json { what: &'static str },
    #[error(
        "the job has format {format}, this program reads format {FORMAT}: take the program of the same version as `vigie`"
    )]
    Format { format: u8 },
    #[error("the job's parameter sets are not in hexadecimal")]
    Hex,
    #[error(transparent)]
    Sets(#[from] MediaError),
    #[error(transparent)]
    Regions(#[from] RegionError),
    #[error("pictures of {width} × {height}: 16 to {VIEWING_SOURCE_WIDTH_MAX} pixels each way can be decoded here")]
    Size { width: u16, height: u16 },
}

impl Job {
    pub fn new(task: Task, sets: &ParameterSets) -> Job {
        let config = sets.config.iter().map(|byte| format!("{byte:02x}")).collect();
        Job { format: FORMAT, task, codec: sets.codec, config }
    }

    /// Of another format nothing but that is said.
    pub fn from_json(json: &[u8]) -> Result<Job, JobError> {
        #[derive(Deserialize)]
        struct Version {
            format: u8,
        }
        // what serde says of a value quotes it
        let told = |error: serde_json::Error| JobError::Json {
            what: match error.classify() {
                serde_json::error::Category::Eof => "it ends too early",
                serde_json::error::Category::Data => "a member is missing, unknown or of another kind",
                _ => "no JSON",
            },
        };
        let Version { format } = serde_json::from_slice(json).map_err(told)?;
        if format != FORMAT {
            return Err(JobError::Format { format });
        }
        serde_json::from_slice(json).map_err(told)
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }

    /// What is covered; none for a task that covers nothing. Errors: regions that are none.
    pub fn regions(&self) -> Result<Option<Regions>, JobError> {
        match &self.task {
            Task::ViewingCopy => Ok(None),
            Task::Redacted { regions } => Ok(Some(Regions::new(regions.clone())?)),
        }
    }

    /// The parameters that the pictures are decoded by. Errors: none, or of pictures that nobody decodes here.
    pub fn sets(&self) -> Result<ParameterSets, JobError> {
        let sets = parameter_sets(self.codec, &bytes_of(&self.config).ok_or(JobError::Hex)?)?;
        let is_usual = |pixels: u16| (16..=VIEWING_SOURCE_WIDTH_MAX).contains(&u32::from(pixels));
        if is_usual(sets.width) && is_usual(sets.height) {
            Ok(sets)
        } else {
            Err(JobError::Size { width: sets.width, height: sets.height })
        }
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digit = |sign: &u8| char::from(*sign).to_digit(16).map(|digit| digit as u8);
    let pairs = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_is_none_is_refused_in_words_that_repeat_nothing_of_it() {
        let whole = r#"{"format":1,"task":"viewing-copy","codec":"h265","config":"01"}"#;
        assert_eq!(Job::from_json(whole.as_bytes()).unwrap().task, Task::ViewingCopy);
        for (from, to) in [
            ("viewing-copy", "Dupont"),
            ("\"format\":1", "\"format\":2"),
            ("\"codec\"", "\"Dupont\""),
            ("h265", "Dupont"),
            ("{", "{\"Dupont\":1,"),
            ("}", ""),
        ] {
            let words = Job::from_json(whole.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
            assert!(!words.contains("Dupont") && words.lines().count() == 1, "{words}");
        }
        let hexless = Job::from_json(whole.replace("\"01\"", "\"0\"").as_bytes()).unwrap();
        assert_eq!(hexless.sets(), Err(JobError::Hex));
        assert!(matches!(Job::from_json(whole.as_bytes()).unwrap().sets(), Err(JobError::Sets(_))));
    }
}
