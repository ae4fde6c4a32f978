//! The verdict: a small file that the auditor writes anew at each look, and what is read out of it, also when nobody answers.

use crate::{judge::Alarm, words};
use disk::{Disk, read_all};
use domain::limit::{CLOCK_AGREEMENT_SECONDS_MAX, RETENTION_ALARM_SECONDS_MAX};
use keeper::wire::{Finding, FindingState};
use serde::{Deserialize, Serialize};
use std::{mem::discriminant, path::Path};

const FORMAT: u32 = 1;
const BYTES_MAX: usize = 64 * 1024;
/// Alarms that are over, the newest ones.
const OVER_MAX: usize = 16;

/// The auditor's last word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub format: u32,
    /// By the machine's clock, seconds since 1970.
    pub at_seconds: i64,
    pub raised: Vec<Raised>,
    pub over: Vec<Over>,
    /// Hours of which a key lives, as the keeper says, and slots whose reels were read.
    pub hours: usize,
    pub slots: usize,
}

/// An alarm that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    pub alarm: Alarm,
    pub since_seconds: i64,
}

/// One that does not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    pub alarm: Alarm,
    pub since_seconds: i64,
    pub until_seconds: i64,
}

impl Verdict {
    /// The next verdict: what is wrong at `at_seconds`, and since when.
    pub fn next(mut self, alarms: Vec<Alarm>, at_seconds: i64) -> Verdict {
        let same = |raised: &Raised, alarm: &Alarm| discriminant(&raised.alarm) == discriminant(alarm);
        for gone in self.raised.iter().filter(|raised| !alarms.iter().any(|alarm| same(raised, alarm))) {
            let Raised { alarm, since_seconds } = gone.clone();
            self.over.push(Over { alarm, since_seconds, until_seconds: at_seconds });
        }
        let excess = self.over.len().saturating_sub(OVER_MAX);
        self.over.drain(..excess);
        let since = |alarm: &Alarm| {
            let known = self.raised.iter().find(|raised| same(raised, alarm));
            known.map_or(at_seconds, |raised| raised.since_seconds)
        };
        let raised = alarms.into_iter().map(|alarm| Raised { since_seconds: since(&alarm), alarm }).collect();
        Verdict { format: FORMAT, at_seconds, raised, ..self }
    }

    /// None where there is no verdict that reads.
    pub fn read(disk: &dyn Disk, path: &Path) -> Option<Verdict> {
        let bytes = read_all(disk, path, BYTES_MAX).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|verdict: &Verdict| verdict.format == FORMAT)
    }

    pub fn write(&self, disk: &dyn Disk, path: &Path) -> disk::Result<()> {
        let text = serde_json::to_vec_pretty(self).expect("a verdict is plain data");
        disk::write_all(disk, path, &text)
    }

    /// Whether it says nothing about now: too old, or of a time that has not come.
    fn is_silent(&self, now_seconds: i64) -> bool {
        let age = now_seconds - self.at_seconds;
        !(-CLOCK_AGREEMENT_SECONDS_MAX..RETENTION_ALARM_SECONDS_MAX).contains(&age)
    }
}

/// What `vigie status` and the health page show of the auditor; an auditor that is silent is an alarm itself.
pub fn findings(disk: &dyn Disk, path: &Path, now_seconds: i64) -> Vec<Finding> {
    let Some(verdict) = Verdict::read(disk, path) else {
        return vec![words::finding("retention-auditor", FindingState::Alarm, words::no_word())];
    };
    let mut findings = Vec::new();
    if verdict.is_silent(now_seconds) {
        let minutes = (now_seconds - verdict.at_seconds) / 60;
        findings.push(words::finding("retention-auditor", FindingState::Alarm, words::silent(minutes)));
    }
    findings.extend(verdict.raised.iter().map(|raised| words::of_alarm(&raised.alarm, raised.since_seconds)));
    if findings.is_empty() {
        findings.push(words::finding("retention-auditor", FindingState::Ok, words::in_order(&verdict)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use disk::FaultyDisk;

    const FROZEN: Alarm = Alarm::Frozen { minutes: 11 };

    fn states(verdict: &Verdict, now: i64) -> Vec<(String, FindingState)> {
        let (disk, path) = (FaultyDisk::new(1), Path::new("/auditor/verdict.json"));
        disk.create_dir(Path::new("/auditor")).unwrap();
        verdict.write(&disk, path).unwrap();
        findings(&disk, path, now).into_iter().map(|finding| (finding.id, finding.state)).collect()
    }

    #[test]
    fn an_auditor_that_says_nothing_for_a_quarter_of_an_hour_or_speaks_of_tomorrow_is_an_alarm() {
        let verdict = Verdict::default().next(Vec::new(), 1_000_000);
        let alone = |state| vec![("retention-auditor".to_owned(), state)];
        assert_eq!(states(&verdict, 1_000_899), alone(FindingState::Ok));
        assert_eq!(states(&verdict, 1_000_900), alone(FindingState::Alarm));
        assert_eq!(states(&verdict, 1_000_000 - 301), alone(FindingState::Alarm));
        let (disk, path) = (FaultyDisk::new(1), Path::new("/auditor/verdict.json"));
        disk.create_dir(Path::new("/auditor")).unwrap();
        verdict.write(&disk, path).unwrap();
        let told = findings(&disk, path, 1_000_959).remove(0).detail_en;
        assert!(told.contains("for 15 min"), "{told}");
        let disk = FaultyDisk::new(1);
        assert_eq!(findings(&disk, Path::new("/nowhere"), 5)[0].state, FindingState::Alarm, "no word at all");
    }

    #[test]
    fn a_verdict_of_a_later_format_counts_as_silence_until_the_next_look() {
        let (disk, path) = (FaultyDisk::new(1), Path::new("/auditor/verdict.json"));
        disk.create_dir(Path::new("/auditor")).unwrap();
        let verdict = Verdict::default().next(Vec::new(), 100);
        Verdict { format: FORMAT + 1, ..verdict.clone() }.write(&disk, path).unwrap();
        assert_eq!(findings(&disk, path, 100)[0].state, FindingState::Alarm);
        verdict.write(&disk, path).unwrap();
        assert_eq!(findings(&disk, path, 100)[0].state, FindingState::Ok);
    }

    #[test]
    fn an_alarm_keeps_its_beginning_and_its_end_is_remembered() {
        let verdict = Verdict::default().next(vec![FROZEN], 100).next(vec![Alarm::Frozen { minutes: 12 }], 160);
        assert_eq!(verdict.raised, [Raised { alarm: Alarm::Frozen { minutes: 12 }, since_seconds: 100 }]);
        assert_eq!(states(&verdict, 160), [("retention-frozen".to_owned(), FindingState::Alarm)]);
        let verdict = verdict.next(Vec::new(), 220);
        assert_eq!((verdict.raised.len(), verdict.over.len()), (0, 1));
        assert_eq!((verdict.over[0].since_seconds, verdict.over[0].until_seconds), (100, 220));
        let many = (0..40)
            .fold(verdict, |verdict, n| verdict.next(vec![FROZEN], 300 + n * 120).next(Vec::new(), 360 + n * 120));
        assert_eq!(many.over.len(), OVER_MAX);
        assert_eq!(states(&many, many.at_seconds)[0].1, FindingState::Ok);
    }
}
