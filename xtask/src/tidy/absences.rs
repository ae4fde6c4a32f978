//! What is forbidden is absent: names, dependencies, features, types and crates that may not occur.

use crate::manifest::{self, Manifest};
use crate::tree::{Finding, Tree};
use toml::{Table, Value};

/// A name that may stand in few places. Test code is free unless the ban says otherwise.
struct Ban {
    /// matched token by token
    pattern: &'static str,
    /// counts only in files that also name this
    beside: Option<&'static str>,
    /// beginnings of paths where it may stand
    allowed: &'static [&'static str],
    in_tests: bool,
    reason: &'static str,
}

const ANYWHERE: Ban = Ban { pattern: "", beside: None, allowed: &[], in_tests: false, reason: "" };

const BANS: &[Ban] = &[
    Ban {
        pattern: "chunk::read",
        allowed: &["crates/media/", "crates/vault/src/open.rs"],
        reason: "frames come out of a chunk's plaintext at one door: crates/vault/src/open.rs",
        ..ANYWHERE
    },
    Ban {
        pattern: ".open(",
        beside: Some("ChunkKey"),
        allowed: &["crates/seal/", "crates/vault/src/open.rs"],
        reason: "a chunk is opened at one door: crates/vault/src/open.rs",
        ..ANYWHERE
    },
    Ban {
        pattern: "ChunkKey::open",
        allowed: &["crates/seal/", "crates/vault/src/open.rs"],
        reason: "a chunk is opened at one door: crates/vault/src/open.rs",
        ..ANYWHERE
    },
    Ban {
        pattern: "keyring::",
        allowed: &["crates/keyring/", "crates/keeper/", "programs/vigie/", "simulation/"],
        in_tests: true,
        reason: "the keeper is the only user of the keyring; the program wires it for `init` and `verify`",
        ..ANYWHERE
    },
    Ban { pattern: ".unwrap()", reason: "return the error, or `expect` the reason why it holds", ..ANYWHERE },
    Ban { pattern: "dbg!", in_tests: true, reason: "remove it", ..ANYWHERE },
    Ban { pattern: "todo!", in_tests: true, reason: "write it, or leave the name out", ..ANYWHERE },
    Ban { pattern: "unimplemented!", in_tests: true, reason: "write it, or leave the name out", ..ANYWHERE },
];

/// What few crates may depend on, tests included, which these are, and what the others do instead. The simulation looks into the
/// keyring, as the town may not.
const USERS: &[(&str, &[&str], &str)] = &[
    ("keyring", &["keeper", "simulation", "vigie"], "ask the keeper through vault::Keeper"),
    (
        "ffmpeg-next",
        &["vigie-picture"],
        "ask that program through `picture::Viewing`: it is confined, and under the GPL",
    ),
    ("ffmpeg-sys-next", &[], "ffmpeg-next, in `vigie-picture`"),
];

/// Crates from which vault's feature `view` (opening chunks) stays away, with all that they stand on.
const WITHOUT_VIEW: &[&str] = &["recorder"];

/// Model runtimes, detectors and audio. A name that ends in `*` is a beginning.
const CRATES: &[&str] = &[
    "ort",
    "ort-sys",
    "onnxruntime*",
    "tract*",
    "candle*",
    "burn*",
    "tch",
    "torch-sys",
    "tflite*",
    "tensorflow*",
    "openvino*",
    "llama*",
    "whisper*",
    "opencv*",
    "rustface",
    "dlib*",
    "face*",
    "leptess",
    "tesseract*",
    "cpal",
    "rodio",
    "symphonia*",
    "alsa*",
    "portaudio*",
    "hound",
    "rubato",
    "opus*",
    "audiopus*",
    "fdk-aac*",
    "lewton",
    "claxon",
    "vosk*",
];

/// Words that no type is named after, and where a name made of them is a means to prove the absence.
const WORDS: &[(&str, &[&str])] = &[
    ("Face", &[]),
    ("Plate", &[]),
    ("Emotion", &[]),
    ("Gait", &[]),
    ("Biometric", &[]),
    ("Biometrics", &[]),
    ("Voice", &[]),
    // the simulator's cameras offer sound, so that a test shows that none of it is ever fetched
    ("Audio", &["simulator/"]),
    // in the walk over a reel it is the adjective: intact up to there
    ("Sound", &["simulator/", "crates/seal/src/reel/"]),
];

/// Whole names: `Identity` alone is a person's, `SiteIdentity` is a store's.
const NAMES: &[&str] = &["Identity", "PersonIdentity", "Person", "Persons"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let (manifests, _) = manifest::all(tree);
    let mut findings: Vec<Finding> = BANS.iter().flat_map(|ban| named(tree, ban)).collect();
    findings.extend(USERS.iter().flat_map(|rule| users(&manifests, rule)));
    findings.extend(view_stays_away(&manifests));
    findings.extend(locked_crates(tree));
    findings.extend(types(tree));
    findings
}

fn named(tree: &Tree, ban: &Ban) -> Vec<Finding> {
    let mut findings = vec![];
    for (path, source) in tree.rust().filter(|(path, _)| !ban.allowed.iter().any(|start| path.starts_with(start))) {
        if ban.beside.is_some_and(|other| source.occurrences(other).iter().all(|line| tree.is_test_line(path, *line))) {
            continue;
        }
        let lines =
            source.occurrences(ban.pattern).into_iter().filter(|line| ban.in_tests || !tree.is_test_line(path, *line));
        findings.extend(
            lines.map(|line| Finding::new(path, line, format!("`{}` may not stand here", ban.pattern), ban.reason)),
        );
    }
    findings
}

fn users(manifests: &[Manifest], (of, allowed, instead): &(&str, &[&str], &str)) -> Vec<Finding> {
    let others = manifests.iter().filter(|manifest| !allowed.contains(&manifest.name.as_str()));
    let users =
        others.filter_map(|manifest| Some((manifest, manifest.dependencies.iter().find(|used| used.name == *of)?)));
    users
        .map(|(manifest, used)| {
            let what = format!("`{}` depends on `{of}`", manifest.name);
            Finding::new(&manifest.path, used.line, what, *instead)
        })
        .collect()
}

/// No crate below those of `WITHOUT_VIEW`, nor themselves, turns the feature on.
fn view_stays_away(manifests: &[Manifest]) -> Vec<Finding> {
    let mut findings = vec![];
    for manifest in manifests.iter().filter(|manifest| manifest.name == "vault") {
        if manifest.default_features.iter().any(|feature| feature == "view") {
            findings.push(Finding::new(
                &manifest.path,
                0,
                "`view` is on by default",
                "leave it to the crates that look",
            ));
        }
    }
    let mut reached: Vec<&str> = WITHOUT_VIEW.to_vec();
    let mut at = 0;
    while let Some(name) = reached.get(at).copied() {
        at += 1;
        let Some(manifest) = manifests.iter().find(|manifest| manifest.name == name) else { continue };
        for used in manifest.dependencies.iter().filter(|used| !used.dev) {
            if used.name == "vault" && used.features.iter().any(|feature| feature == "view") {
                let what = format!("`{name}` turns on vault's `view`, and the recorder is built on it");
                findings.push(Finding::new(
                    &manifest.path,
                    used.line,
                    what,
                    "the recorder opens nothing: remove the feature",
                ));
            }
            if !reached.contains(&used.name.as_str()) {
                reached.push(&used.name);
            }
        }
    }
    findings
}

fn locked_crates(tree: &Tree) -> Vec<Finding> {
    let text = tree.text("Cargo.lock").unwrap_or_default();
    let Ok(lock) = text.parse::<Table>() else {
        return vec![Finding::new("Cargo.lock", 0, "it cannot be read", "let cargo write it anew")];
    };
    let packages = lock.get("package").and_then(Value::as_array).into_iter().flatten();
    let names = packages.filter_map(|package| package.get("name")?.as_str());
    names
        .filter(|name| CRATES.iter().any(|banned| is_banned(name, banned)))
        .map(|name| {
            let line = text.lines().position(|line| line == format!("name = \"{name}\"")).map_or(0, |at| at + 1);
            let what = format!("`{name}` is a model runtime, a detector or a library for sound");
            Finding::new("Cargo.lock", line, what, "do without it: the town's program neither analyses nor listens")
        })
        .collect()
}

fn is_banned(name: &str, banned: &str) -> bool {
    banned.strip_suffix('*').map_or(name == banned, |start| name.starts_with(start))
}

fn types(tree: &Tree) -> Vec<Finding> {
    let mut findings = vec![];
    for (path, source) in tree.rust() {
        for (line, name) in source.type_names() {
            let parts = camel_words(name);
            let forbidden = |(word, allowed): &&(&str, &[&str])| {
                parts.iter().any(|part| part == word) && !allowed.iter().any(|start| path.starts_with(start))
            };
            if NAMES.contains(&name) || WORDS.iter().any(|rule| forbidden(&rule)) {
                let remedy = "there is no type for a face, a person, a plate, an emotion, a gait or a sound: say what else it is";
                findings.push(Finding::new(path, line, format!("a type is named `{name}`"), remedy));
            }
        }
    }
    findings
}

/// `PlateReader` → `Plate`, `Reader`; so `Surface` holds no `Face`.
fn camel_words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![];
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_uppercase() => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_LOCK: (&str, &str) = ("Cargo.lock", "");

    fn whats(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<(&str, &str)> = files.iter().copied().chain([EMPTY_LOCK]).collect();
        check(&Tree::of(&files)).into_iter().map(|finding| finding.what).collect()
    }

    fn manifest(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\n{rest}")
    }

    #[test]
    fn a_chunk_is_opened_at_one_door_only() {
        let text = "//! x\nfn a(key: &ChunkKey) { key.open(h, b); media::chunk::read(b); }\n";
        let expected = ["`chunk::read` may not stand here", "`.open(` may not stand here"];
        assert_eq!(whats(&[("crates/web/src/a.rs", text)]), expected);
        assert_eq!(whats(&[("crates/vault/src/replay.rs", text)]), expected);
        assert_eq!(whats(&[("crates/vault/src/open.rs", text)]), Vec::<String>::new());
        assert_eq!(whats(&[("crates/disk/src/a.rs", "//! x\nfn a() { disk.open(p); }\n")]), Vec::<String>::new());
    }

    #[test]
    fn the_keyring_is_named_by_the_keeper_only_tests_included() {
        let text = "//! x\n#[cfg(test)]\nmod tests { use keyring::Page; }\n";
        assert_eq!(whats(&[("crates/recorder/src/a.rs", text)]), ["`keyring::` may not stand here"]);
        assert_eq!(whats(&[("crates/keeper/src/a.rs", text)]), Vec::<String>::new());
        let depends = "[dev-dependencies]\nkeyring.workspace = true\n";
        assert_eq!(
            whats(&[("simulator/Cargo.toml", &manifest("simulator", depends))]),
            ["`simulator` depends on `keyring`"]
        );
        assert_eq!(whats(&[("crates/keeper/Cargo.toml", &manifest("keeper", depends))]), Vec::<String>::new());
    }

    #[test]
    fn ffmpeg_is_in_the_program_that_is_made_for_it_alone() {
        let depends = "[dependencies]\nffmpeg-next.workspace = true\n";
        let of = |name: &str| whats(&[("crates/x/Cargo.toml", &manifest(name, depends))]);
        assert_eq!(of("web"), ["`web` depends on `ffmpeg-next`"]);
        assert_eq!(of("vigie-picture"), Vec::<String>::new());
    }

    #[test]
    fn the_recorder_is_built_without_view_also_through_others() {
        let view = "[dependencies]\nvault = { workspace = true, features = [\"view\"] }\n";
        let over = "[dependencies]\nkeeper.workspace = true\n";
        assert_eq!(whats(&[("crates/recorder/Cargo.toml", &manifest("recorder", view))]).len(), 1);
        assert_eq!(whats(&[("crates/web/Cargo.toml", &manifest("web", view))]), Vec::<String>::new());
        let through = [
            ("crates/recorder/Cargo.toml", &*manifest("recorder", over)),
            ("crates/keeper/Cargo.toml", &manifest("keeper", view)),
        ];
        assert_eq!(whats(&through), ["`keeper` turns on vault's `view`, and the recorder is built on it"]);
        let default = manifest("vault", "[features]\ndefault = [\"view\"]\nview = []\n");
        assert_eq!(whats(&[("crates/vault/Cargo.toml", &default)]), ["`view` is on by default"]);
    }

    #[test]
    fn unwrap_is_for_tests_and_marks_of_the_unfinished_are_for_nobody() {
        let text = "//! x\nfn a() { b.unwrap(); c.unwrap_or(1); }\n#[test]\nfn d() { e.unwrap(); todo!() }\n";
        assert_eq!(
            whats(&[("crates/disk/src/a.rs", text)]),
            ["`.unwrap()` may not stand here", "`todo!` may not stand here"]
        );
    }

    #[test]
    fn model_runtimes_detectors_and_sound_are_not_locked() {
        for name in ["ort", "tract-onnx", "candle-core", "rustface", "symphonia-core", "cpal", "dlib-face-recognition"]
        {
            let lock = format!("[[package]]\nname = \"serde\"\n\n[[package]]\nname = \"{name}\"\n");
            let findings = check(&Tree::of(&[("Cargo.lock", &lock)]));
            assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [5], "{name}");
        }
        assert_eq!(check(&Tree::of(&[("Cargo.lock", "[[package]]\nname = \"port\"\n")])), []);
    }

    #[test]
    fn no_type_is_named_after_a_face_a_person_a_plate_or_a_sound() {
        for name in
            ["struct Face", "enum PlateReader", "struct AudioTrack", "trait Identity", "type GaitModel = u8; struct A"]
        {
            let text = format!("//! x\npub {name} {{}}\n");
            assert_eq!(whats(&[("crates/media/src/a.rs", &text)]).len(), 1, "{name}");
        }
        for name in ["struct Surface", "struct SiteIdentity", "enum Template", "struct Interface"] {
            let text = format!("//! x\npub {name} {{}}\n");
            assert_eq!(whats(&[("crates/media/src/a.rs", &text)]), Vec::<String>::new(), "{name}");
        }
        assert_eq!(whats(&[("simulator/src/a.rs", "//! x\nstruct AudioOffer {}\n")]), Vec::<String>::new());
    }
}
