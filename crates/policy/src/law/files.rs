//! The files of a law pack: by name, with one digest over all of them; and those compiled into this program.

use super::LawError;
use crate::calendar;
use aws_lc_rs::digest;
use domain::UtcMicros;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Signs the others; not under the digest.
pub const SIGNATURE: &str = "SIGNATURE";

/// The rules that a town starts with: its own from then on.
pub const TOWN: &str = include_str!("../../../../law/town/permits.cedar");

macro_rules! built_in {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("../../../../law/fr/", $name)))),*] };
}

/// Name and text of each file. The order of rules in a refusal is the order of the files' names in [`RULE_FILES`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackFiles(BTreeMap<String, String>);

/// The files with rules, in the order in which a refusal lists them.
pub const RULE_FILES: [&str; 6] =
    ["access.cedar", "looks.cedar", "acts.cedar", "communication.cedar", "absent.cedar", "analysis.cedar"];

/// Every file that a pack must have, and no other.
pub const NAMES: [&str; 13] = [
    "access.cedar",
    "acts.cedar",
    "acts.toml",
    "absent.cedar",
    "analysis.cedar",
    "communication.cedar",
    "facts.toml",
    "looks.cedar",
    "messages.en.toml",
    "messages.fr.toml",
    "pack.toml",
    "schema.cedarschema",
    SIGNATURE,
];

/// What `pack.toml` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackHead {
    pub name: String,
    pub version: String,
    /// The pack decides about no earlier time.
    pub from: UtcMicros,
    pub text_fr: String,
    pub text_en: String,
}

impl PackFiles {
    pub fn built_in() -> PackFiles {
        PackFiles::new(built_in!(
            "access.cedar" "acts.cedar" "acts.toml" "absent.cedar" "analysis.cedar" "communication.cedar" "facts.toml"
            "looks.cedar" "messages.en.toml" "messages.fr.toml" "pack.toml" "schema.cedarschema" "SIGNATURE"
        ))
    }

    pub fn new<N: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (N, T)>) -> PackFiles {
        PackFiles(files.into_iter().map(|(name, text)| (name.into(), text.into())).collect())
    }

    /// # Errors
    /// [`LawError::FileMissing`].
    pub fn text(&self, name: &str) -> Result<&str, LawError> {
        let text = self.0.get(name).map(String::as_str);
        text.ok_or_else(|| LawError::FileMissing { file: name.to_owned() })
    }

    /// Name and text of each file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The same pack with one file changed.
    pub fn with(&self, name: &str, text: &str) -> PackFiles {
        let mut files = self.clone();
        files.0.insert(name.to_owned(), text.to_owned());
        files
    }

    /// SHA-256 over, for each file but the signature in the order of names: length of the name, name, length of the text,
    /// text; lengths as u64, little endian.
    pub fn digest(&self) -> [u8; 32] {
        let mut all = Vec::new();
        for (name, text) in self.0.iter().filter(|(name, _)| *name != SIGNATURE) {
            for part in [name, text] {
                all.extend((part.len() as u64).to_le_bytes());
                all.extend(part.as_bytes());
            }
        }
        sha256(&all)
    }

    /// Reads `pack.toml`.
    pub fn head(&self) -> Result<PackHead, LawError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            name: String,
            version: String,
            from: String,
            text_fr: String,
            text_en: String,
        }
        let malformed = |what: String| LawError::Malformed { file: "pack.toml".into(), what };
        let written: Written = toml::from_str(self.text("pack.toml")?).map_err(|error| malformed(error.to_string()))?;
        let from = calendar::written_day(&written.from).map_err(malformed)?;
        let Written { name, version, text_fr, text_en, .. } = written;
        Ok(PackHead { name, version, from, text_fr, text_en })
    }
}

/// SHA-256, as everything of the law is named by.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
