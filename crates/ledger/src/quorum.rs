//! Which witnesses count, and how many of them: the policy file of C2SP tlog-policy, and the verdict on a note by it.
//!
//! ```text
//! log <verifier key> [url]
//! witness <name> <verifier key> [url]
//! group <name> all|any|<k> <name> ...
//! quorum <name>|none
//! ```

use crate::checkpoint::CheckpointKey;
use crate::cosignature::{Cosignature, WitnessKey};
use domain::limit::{WITNESS_POLICY_BYTES_MAX, WITNESS_POLICY_LINES_MAX};
use signed_note::Note;
use std::collections::{BTreeMap, BTreeSet};

/// A log that the policy names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyLog {
    pub key: CheckpointKey,
    pub url: Option<String>,
}

/// A witness that the policy names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyWitness {
    /// Its name in the policy; the key has the name that stands in notes.
    pub name: String,
    pub key: WitnessKey,
    /// Where it is asked: `<url>/add-checkpoint`.
    pub url: Option<String>,
}

/// A witness, or a group defined before, by its place in the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Member {
    Witness(usize),
    Group(usize),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Group {
    needed: usize,
    members: Vec<Member>,
}

/// A policy that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitnessPolicy {
    pub logs: Vec<PolicyLog>,
    pub witnesses: Vec<PolicyWitness>,
    groups: Vec<Group>,
    /// `None`: no cosignature is asked for.
    quorum: Option<Member>,
}

/// What the policy says of a note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quorum {
    pub is_met: bool,
    /// In the order of [`WitnessPolicy::witnesses`].
    pub cosignatures: Vec<Option<Cosignature>>,
}

/// Why a file is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("longer than {WITNESS_POLICY_BYTES_MAX} bytes")]
    TooLong,
    #[error("line {line}: {why}")]
    Line { line: usize, why: PolicyFault },
    #[error("there is no line `quorum`: write `quorum <name>`, or `quorum none`")]
    NoQuorum,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    #[error("not UTF-8, or a control character other than tab")]
    Text,
    #[error("`{word}` begins no line of a policy: log, witness, group, quorum")]
    Word { word: String },
    #[error("words are missing or too many: `{shape}`")]
    Shape { shape: &'static str },
    #[error("`{text}` is no verifier key of a {of}")]
    Key { text: String, of: &'static str },
    #[error("this key stands there already")]
    SameKey,
    #[error("the name `{name}` is taken, or reserved")]
    Name { name: String },
    #[error("`{name}` is not defined on a line above")]
    Undefined { name: String },
    #[error("`{name}` is a member already: each name counts once")]
    SameMember { name: String },
    #[error("`{text}` is not `all`, `any` or a number from 1 to {members}")]
    Threshold { text: String, members: usize },
    #[error("there is a line `quorum` already")]
    SecondQuorum,
    #[error("more than {WITNESS_POLICY_LINES_MAX} lines of this kind")]
    TooMany,
}

const LOG: &str = "log <verifier key> [url]";
const WITNESS: &str = "witness <name> <verifier key> [url]";
const GROUP: &str = "group <name> all|any|<k> <name> ...";
const QUORUM: &str = "quorum <name>|none";

impl WitnessPolicy {
    pub fn parse(file: &[u8]) -> Result<WitnessPolicy, PolicyError> {
        if file.len() > WITNESS_POLICY_BYTES_MAX {
            return Err(PolicyError::TooLong);
        }
        let mut reading = Reading::default();
        for (line, bytes) in (1..).zip(file.split(|byte| *byte == b'\n')) {
            reading.line(bytes).map_err(|why| PolicyError::Line { line, why })?;
        }
        let Reading { logs, witnesses, groups, quorum, .. } = reading;
        Ok(WitnessPolicy { logs, witnesses, groups, quorum: quorum.ok_or(PolicyError::NoQuorum)? })
    }

    /// Who cosigned the note, and whether that is enough. The log's own signature is another question.
    pub fn judge(&self, note: &[u8]) -> Quorum {
        let note = Note::from_bytes(note).ok();
        let cosignature = |witness: &PolicyWitness| witness.key.cosignature_of(note.as_ref()?);
        let cosignatures: Vec<_> = self.witnesses.iter().map(cosignature).collect();
        let is_met = self.quorum.is_none_or(|quorum| self.is_witnessed(quorum, &cosignatures));
        Quorum { is_met, cosignatures }
    }

    /// The key of the log with this origin.
    pub fn log_key(&self, origin: &str) -> Option<&CheckpointKey> {
        self.logs.iter().map(|log| &log.key).find(|key| key.origin() == origin)
    }

    /// Groups refer to groups above them only, so this ends.
    fn is_witnessed(&self, member: Member, cosignatures: &[Option<Cosignature>]) -> bool {
        match member {
            Member::Witness(nth) => cosignatures[nth].is_some(),
            Member::Group(nth) => {
                let Group { needed, members } = &self.groups[nth];
                members.iter().filter(|member| self.is_witnessed(**member, cosignatures)).count() >= *needed
            }
        }
    }
}

#[derive(Default)]
struct Reading {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    groups: Vec<Group>,
    quorum: Option<Option<Member>>,
    names: BTreeMap<String, Member>,
    /// Each defined name counts in one group at most, so that a witness contributes in one way only.
    members: BTreeSet<Member>,
}

impl Reading {
    fn line(&mut self, bytes: &[u8]) -> Result<(), PolicyFault> {
        let text = std::str::from_utf8(bytes).map_err(|_| PolicyFault::Text)?;
        if text.chars().any(|char| char != '\t' && char.is_ascii_control()) {
            return Err(PolicyFault::Text);
        }
        let words: Vec<&str> = text.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", rest @ ..] => self.log(rest),
            ["witness", rest @ ..] => self.witness(rest),
            ["group", rest @ ..] => self.group(rest),
            ["quorum", rest @ ..] => self.quorum(rest),
            [word, ..] => Err(PolicyFault::Word { word: crate::vkey::shown(word) }),
        }
    }

    fn log(&mut self, words: &[&str]) -> Result<(), PolicyFault> {
        let (key, url) = match *words {
            [key] => (key, None),
            [key, url] => (key, Some(url.to_owned())),
            _ => return Err(PolicyFault::Shape { shape: LOG }),
        };
        let wrong = |_| PolicyFault::Key { text: crate::vkey::shown(key), of: "log" };
        let key = CheckpointKey::parse(key).map_err(wrong)?;
        if self.logs.iter().any(|log| log.key.public_key() == key.public_key() || log.key.origin() == key.origin()) {
            return Err(PolicyFault::SameKey);
        }
        self.logs.push(PolicyLog { key, url });
        few(&self.logs)
    }

    fn witness(&mut self, words: &[&str]) -> Result<(), PolicyFault> {
        let (name, key, url) = match *words {
            [name, key] => (name, key, None),
            [name, key, url] => (name, key, Some(url.to_owned())),
            _ => return Err(PolicyFault::Shape { shape: WITNESS }),
        };
        let wrong = |_| PolicyFault::Key { text: crate::vkey::shown(key), of: "witness" };
        let key = WitnessKey::parse(key).map_err(wrong)?;
        if self.witnesses.iter().any(|other| other.key.public_key() == key.public_key()) {
            return Err(PolicyFault::SameKey);
        }
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(PolicyWitness { name: name.to_owned(), key, url });
        few(&self.witnesses)
    }

    fn group(&mut self, words: &[&str]) -> Result<(), PolicyFault> {
        let [name, threshold, names @ ..] = words else { return Err(PolicyFault::Shape { shape: GROUP }) };
        if names.is_empty() {
            return Err(PolicyFault::Shape { shape: GROUP });
        }
        let mut members = Vec::new();
        for name in names {
            let member = self.defined(name)?;
            if !self.members.insert(member) {
                return Err(PolicyFault::SameMember { name: crate::vkey::shown(name) });
            }
            members.push(member);
        }
        let numbered = |text| crate::witness::size(text).and_then(|number| usize::try_from(number).ok());
        let needed = match *threshold {
            "all" => members.len(),
            "any" => 1,
            text => numbered(text)
                .filter(|needed| (1..=members.len()).contains(needed))
                .ok_or_else(|| PolicyFault::Threshold { text: crate::vkey::shown(text), members: members.len() })?,
        };
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { needed, members });
        few(&self.groups)
    }

    fn quorum(&mut self, words: &[&str]) -> Result<(), PolicyFault> {
        let [name] = words else { return Err(PolicyFault::Shape { shape: QUORUM }) };
        let quorum = if *name == "none" { None } else { Some(self.defined(name)?) };
        match self.quorum.replace(quorum) {
            None => Ok(()),
            Some(_) => Err(PolicyFault::SecondQuorum),
        }
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), PolicyFault> {
        if name == "none" || self.names.contains_key(name) {
            return Err(PolicyFault::Name { name: crate::vkey::shown(name) });
        }
        self.names.insert(name.to_owned(), member);
        Ok(())
    }

    fn defined(&self, name: &str) -> Result<Member, PolicyFault> {
        self.names.get(name).copied().ok_or_else(|| PolicyFault::Undefined { name: crate::vkey::shown(name) })
    }
}

fn few<T>(defined: &[T]) -> Result<(), PolicyFault> {
    if defined.len() > WITNESS_POLICY_LINES_MAX { Err(PolicyFault::TooMany) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosignature::{WitnessSigner, with_lines};
    use crate::{Checkpoint, CheckpointSigner, Digest};
    use domain::Secret32;
    use proptest::prelude::*;

    fn log() -> CheckpointSigner {
        CheckpointSigner::new("vigie/a/b", &Secret32::new([3; 32])).unwrap()
    }

    fn witness(n: u8) -> WitnessSigner {
        WitnessSigner::new(&format!("w{n}.example"), &Secret32::new([n; 32])).unwrap()
    }

    fn vkey(n: u8) -> String {
        witness(n).public().verifier_key()
    }

    fn note(cosigned_by: &[u8]) -> Vec<u8> {
        let note = log().sign(Checkpoint { size: 48, root: Digest([4; 32]) }).unwrap();
        let lines: Vec<_> = cosigned_by.iter().map(|n| witness(*n).cosign(&note, 1_773_324_000).unwrap()).collect();
        with_lines(&note, &lines)
    }

    /// Two of three associations, and one of two towns.
    fn two_levels() -> String {
        let witnesses: String = (1..=5).map(|n| format!("witness w{n} {}\n", vkey(n))).collect();
        format!(
            "# témoins\nlog {}\n\n{witnesses}group assos 2 w1 w2 w3\n\tgroup villes any w4 w5 \n\
             group tous all assos villes\nquorum tous\n",
            log().public().verifier_key()
        )
    }

    fn fault(file: &str) -> PolicyFault {
        match WitnessPolicy::parse(file.as_bytes()) {
            Err(PolicyError::Line { why, .. }) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_quorum_is_met_by_enough_of_each_group_and_by_nothing_less() {
        let policy = WitnessPolicy::parse(two_levels().as_bytes()).unwrap();
        assert_eq!(policy.log_key("vigie/a/b"), Some(&log().public()));
        for (by, is_met) in [
            (&[][..], false),
            (&[1, 2], false),
            (&[1, 4], false),
            (&[4, 5], false),
            (&[1, 3, 5], true),
            (&[1, 2, 3, 4, 5], true),
        ] {
            assert_eq!(policy.judge(&note(by)).is_met, is_met, "{by:?}");
        }
        let found = policy.judge(&note(&[2])).cosignatures;
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false, false, false]);
    }

    #[test]
    fn a_line_of_somebody_else_or_a_spoiled_one_hides_no_other() {
        let policy = WitnessPolicy::parse(format!("witness w1 {}\nquorum w1", vkey(1)).as_bytes()).unwrap();
        assert!(policy.judge(&note(&[9, 1])).is_met);
        let spoiled = String::from_utf8(note(&[2])).unwrap().replace("w2.example", "w1.example");
        assert!(!policy.judge(spoiled.as_bytes()).is_met);
    }

    #[test]
    fn none_asks_for_no_witness_and_a_missing_line_is_refused() {
        assert!(WitnessPolicy::parse(b"quorum none\n").unwrap().judge(&note(&[])).is_met);
        assert_eq!(WitnessPolicy::parse(b"# nothing\n"), Err(PolicyError::NoQuorum));
    }

    #[test]
    fn each_fault_is_told_by_its_line_and_kind() {
        let (one, two) = (format!("witness w1 {}\n", vkey(1)), format!("witness w2 {}\n", vkey(2)));
        let same_key = format!("{one}witness w9 {}", vkey(1));
        assert_eq!(fault(&same_key), PolicyFault::SameKey);
        assert_eq!(fault(&format!("{one}witness w1 {}", vkey(2))), PolicyFault::Name { name: "w1".into() });
        assert_eq!(fault(&format!("witness none {}", vkey(1))), PolicyFault::Name { name: "none".into() });
        assert_eq!(fault("quorum w1"), PolicyFault::Undefined { name: "w1".into() });
        assert_eq!(fault(&format!("{one}group g any w1 w1")), PolicyFault::SameMember { name: "w1".into() });
        let twice = format!("{one}{two}group g any w1\ngroup h any w1 w2");
        assert_eq!(fault(&twice), PolicyFault::SameMember { name: "w1".into() });
        for threshold in ["0", "3", "01", "+1", "most"] {
            let text = format!("{one}{two}group g {threshold} w1 w2");
            assert_eq!(fault(&text), PolicyFault::Threshold { text: threshold.into(), members: 2 });
        }
        assert_eq!(fault("quorum none\nquorum none"), PolicyFault::SecondQuorum);
        assert_eq!(fault("quorum"), PolicyFault::Shape { shape: QUORUM });
        assert_eq!(fault("witnes x"), PolicyFault::Word { word: "witnes".into() });
        assert_eq!(fault("quorum none\r"), PolicyFault::Text);
        let logs_key = format!("witness w {}", log().public().verifier_key());
        assert!(matches!(fault(&logs_key), PolicyFault::Key { of: "witness", .. }));
        let line = WitnessPolicy::parse(format!("{one}\n\nx").as_bytes()).unwrap_err();
        assert!(matches!(line, PolicyError::Line { line: 4, .. }), "{line:?}");
    }

    proptest! {
        #[test]
        fn any_threshold_of_any_witnesses_counts_exactly(by in prop::collection::btree_set(1_u8..=6, 0..6), k in 1_usize..=6) {
            let witnesses: String = (1..=6).map(|n| format!("witness w{n} {}\n", vkey(n))).collect();
            let text = format!("{witnesses}group g {k} w1 w2 w3 w4 w5 w6\nquorum g");
            let policy = WitnessPolicy::parse(text.as_bytes()).unwrap();
            let by: Vec<u8> = by.into_iter().collect();
            prop_assert_eq!(policy.judge(&note(&by)).is_met, by.len() >= k);
        }

        #[test]
        fn hostile_files_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in any::<usize>(), byte in any::<u8>()) {
            prop_assert!(WitnessPolicy::parse(&bytes).is_err());
            let mut dressed = two_levels().into_bytes();
            let at = cut % dressed.len();
            dressed[at] = byte;
            drop(WitnessPolicy::parse(&dressed));
            dressed.truncate(at);
            drop(WitnessPolicy::parse(&dressed));
        }
    }
}
