//! What a town writes and what the law pack holds: dossiers of papers, rows of required acts, the configuration.

use domain::ActKind;
use policy::{acts, dossier, required};
use std::{hint::black_box, path::Path};

/// A dossier reads, or says which field and what to do; in both languages.
pub fn dossier(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match dossier::read(text) {
        Err(error) => assert!(!error.text_fr().is_empty() && !error.to_string().is_empty()),
        Ok(entered) => {
            for one in entered {
                let is_order = matches!(one.draft.terms, domain::ActTerms::Order(_));
                assert_eq!(is_order, acts::is_order(one.draft.kind));
                black_box(one);
            }
        }
    }
}

pub fn dossier_seeds() -> Vec<Vec<u8>> {
    let filled = |kind| dossier::template(kind).replace("= \"\"", "= \"x\"").replace("= []", "= [5]");
    let mut seeds: Vec<Vec<u8>> = ActKind::ALL.iter().map(|kind| filled(*kind).into_bytes()).collect();
    seeds.push(simulator::dossier::of_site().into_bytes());
    seeds
}

/// Rows of a law pack: whatever is taken only blocks or alarms, and is said in both languages.
pub fn required_acts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for row in required::read(text).unwrap_or_default() {
        assert!(!row.kinds.is_empty() && !row.text_fr.is_empty() && !row.remedy_en.is_empty());
        assert!(row.to.is_none_or(|to| row.from < to));
    }
}

pub fn required_acts_seeds() -> Vec<Vec<u8>> {
    let rows = include_str!("../../law/fr/acts.toml").split("\n\n[[required]]").skip(1);
    rows.map(|row| format!("[[required]]{row}").into_bytes()).collect()
}

/// A configuration reads, or says what is wrong with it.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match vigie::Config::parse(text, Path::new("vigie.toml")) {
        Err(error) => assert!(error.to_string().contains("vigie.toml") || text.is_empty(), "{error}"),
        Ok(config) => {
            black_box((config.store_places(), config.address(), config.provider_name()));
        }
    }
}

pub fn configuration_seeds() -> Vec<Vec<u8>> {
    let example = include_str!("../../programs/vigie/debian/vigie.toml.example");
    let public = "\n[public]\nlisten = \"127.0.0.1:8081\"\n";
    let oidc = "\n[oidc]\nissuer = \"https://id.example/\"\nclient_id = \"vigie\"\n";
    [example.to_owned(), format!("{example}{public}"), format!("{example}{oidc}")].map(String::into_bytes).to_vec()
}

/// A target whose seeds are refused tests nothing.
pub fn configurations_are_read() -> bool {
    let reads = |seed: &Vec<u8>| {
        let text = std::str::from_utf8(seed).unwrap_or_default();
        vigie::Config::parse(text, Path::new("vigie.toml")).is_ok()
    };
    configuration_seeds().iter().all(reads)
}
