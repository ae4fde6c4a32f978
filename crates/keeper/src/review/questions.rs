//! Questions worth asking: looks at night, one place again and again, reasons that say the same words. Only once the staff was told
//! of the log and the committee heard, and only about looks made since (law DP-12).
//!
//! A question names looks, never how many somebody made; questions stand by time; none says that anything was wrong.

use super::{
    CameraNames,
    names::Pseudonyms,
    words::{Asks, QuestionsPage, WorthAsking},
};
use crate::{
    core::KeeperCore,
    trace::{TraceKind, TracePlace},
};
use catalog::AccountId;
use domain::{
    ActKind, CameraId, Sensitive, Span, UtcMicros,
    limit::{
        QUESTION_LINES_MAX, QUESTION_LOOKS_MAX, QUESTION_NIGHT_FROM, QUESTION_NIGHT_UNTIL, QUESTION_REPEATS_MIN,
        QUESTIONS_MAX,
    },
};
use ledger::Event;
use policy::{calendar::hour_and_weekday, golive::Missing};
use std::collections::BTreeMap;
use vault::KeeperError;

/// The row of the required acts that asks for the staff's information.
const STAFF_RULE: &str = "act-staff";
const DAY_MICROS: i64 = 86_400_000_000;

/// One look, as far as a question goes.
#[derive(Clone, Debug)]
struct Seen {
    entry: u64,
    at: UtcMicros,
    cameras: Vec<CameraId>,
    reason: Sensitive<String>,
}

/// A question before the person has a pseudonym and the camera its name.
#[derive(Debug)]
struct Found<'a> {
    about: About,
    looks: Vec<&'a Seen>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum About {
    Night,
    Place(CameraId),
    SameWords(Sensitive<String>),
}

impl KeeperCore {
    /// Since when the staff is informed, by an act that holds; otherwise which one is missing.
    pub(super) fn staff_informed(&self) -> Result<Result<UtcMicros, Missing>, KeeperError> {
        let (now, acts) = (self.decision_time(), self.known_acts()?);
        let told = acts.iter().filter(|act| act.kind == ActKind::StaffInformation);
        if let Some(from) = told.clone().filter(|act| act.holds_at(now)).map(|act| act.from).min() {
            return Ok(Ok(from));
        }
        let ended = told.filter_map(|act| act.end()).filter(|end| *end <= now).max();
        let missing = Missing::named(self.law().required(), STAFF_RULE, ended);
        missing.map(Err).ok_or_else(|| crate::core::failed("the list of required acts has no row of the staff's"))
    }

    pub(super) fn questions_page(
        &self,
        entry: u64,
        span: Span,
        informed_from: UtcMicros,
    ) -> Result<QuestionsPage, KeeperError> {
        let is_meant = |place: &TracePlace| place.kind == TraceKind::Look && informed_from <= place.at;
        let places: Vec<TracePlace> = {
            let moving = self.moving();
            moving.trace.of(span, None).filter(is_meant).take(QUESTION_LOOKS_MAX + 1).collect()
        };
        let mut more = QUESTION_LOOKS_MAX < places.len();
        let by_person = self.looks_by_person(places.into_iter().take(QUESTION_LOOKS_MAX))?;
        let (pseudonyms, mut names) = (Pseudonyms::of(self, span), CameraNames::default());
        let mut questions = Vec::new();
        for (account, looks) in &by_person {
            let who = pseudonyms.of_account(*account);
            for found in questions_about(looks) {
                questions.push(self.worth_asking(who.clone(), found, &mut names)?);
            }
        }
        questions.sort_by_key(|question| question.looks.first().map(|(entry, at)| (*at, *entry)));
        more |= QUESTIONS_MAX < questions.len();
        questions.truncate(QUESTIONS_MAX);
        Ok(QuestionsPage { entry, informed_from, questions, more })
    }

    /// By time within each person.
    fn looks_by_person(
        &self,
        places: impl DoubleEndedIterator<Item = TracePlace> + ExactSizeIterator,
    ) -> Result<BTreeMap<AccountId, Vec<Seen>>, KeeperError> {
        let mut by_person: BTreeMap<AccountId, Vec<Seen>> = BTreeMap::new();
        for place in places.rev() {
            let (Some(account), Some(entry)) = (place.account, self.readable(place.entry)?) else { continue };
            if let Event::Look { cameras, reason, .. } = entry.event {
                let seen = Seen { entry: place.entry, at: entry.at, cameras, reason };
                by_person.entry(account).or_default().push(seen);
            }
        }
        Ok(by_person)
    }

    fn worth_asking(&self, who: String, found: Found<'_>, names: &mut CameraNames) -> Result<WorthAsking, KeeperError> {
        let first = found.looks.first().map_or(UtcMicros(0), |look| look.at);
        let about = match found.about {
            About::Night => Asks::Night,
            About::Place(camera) => Asks::Place { camera: names.one(self, camera, first)? },
            About::SameWords(reason) => Asks::SameWords { reason },
        };
        let looks = found.looks.iter().take(QUESTION_LINES_MAX).map(|look| (look.entry, look.at)).collect();
        Ok(WorthAsking { about, who, looks, more: QUESTION_LINES_MAX < found.looks.len() })
    }
}

/// What may be asked about one person's looks, which stand by time.
fn questions_about(looks: &[Seen]) -> Vec<Found<'_>> {
    let night: Vec<&Seen> = looks.iter().filter(|look| is_night(look.at)).collect();
    let mut found = Vec::new();
    if !night.is_empty() {
        found.push(Found { about: About::Night, looks: night });
    }
    let mut places: BTreeMap<CameraId, Vec<&Seen>> = BTreeMap::new();
    for look in looks {
        // a wall of many cameras is no look at one place
        if let [camera] = look.cameras[..] {
            places.entry(camera).or_default().push(look);
        }
    }
    for (camera, looks) in places {
        let again = within_a_day(&looks);
        if !again.is_empty() {
            found.push(Found { about: About::Place(camera), looks: again });
        }
    }
    found.extend(same_words_in_a_row(looks));
    found
}

fn is_night(at: UtcMicros) -> bool {
    let (hour, _) = hour_and_weekday(at);
    !(QUESTION_NIGHT_UNTIL..QUESTION_NIGHT_FROM).contains(&hour)
}

/// Those that lie, with enough others, within one day.
fn within_a_day<'a>(looks: &[&'a Seen]) -> Vec<&'a Seen> {
    let mut is_among = vec![false; looks.len()];
    for first in 0..looks.len().saturating_sub(QUESTION_REPEATS_MIN - 1) {
        let window = first..first + QUESTION_REPEATS_MIN;
        if looks[window.end - 1].at.since(looks[first].at) <= DAY_MICROS {
            is_among[window].fill(true);
        }
    }
    looks.iter().zip(is_among).filter(|(_, is_among)| *is_among).map(|(look, _)| *look).collect()
}

fn same_words_in_a_row(looks: &[Seen]) -> Vec<Found<'_>> {
    let by_words = looks.chunk_by(|one, next| words(one.reason.reveal()) == words(next.reason.reveal()));
    let long = by_words.filter(|row| QUESTION_REPEATS_MIN <= row.len());
    long.map(|row| Found { about: About::SameWords(row[0].reason.clone()), looks: row.iter().collect() }).collect()
}

/// The words of a reason, each once: who writes one word several times to make it long enough has written one word.
fn words(reason: &str) -> Vec<String> {
    let lower = reason.to_lowercase();
    let mut words: Vec<String> = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-12T11:00Z: noon in Paris.
    const NOON: i64 = 1_773_313_200;

    fn look(entry: u64, seconds: i64, cameras: &[u8], reason: &str) -> Seen {
        let cameras = cameras.iter().map(|n| CameraId([*n; 16])).collect();
        let at = UtcMicros::from_seconds(NOON + seconds);
        Seen { entry, at, cameras, reason: Sensitive::new(reason.into()) }
    }

    fn asked(looks: &[Seen]) -> Vec<(About, Vec<u64>)> {
        let found = questions_about(looks).into_iter();
        found.map(|found| (found.about, found.looks.iter().map(|look| look.entry).collect())).collect()
    }

    fn reasons(nth: u64) -> String {
        format!("un motif différent numéro {nth}")
    }

    #[test]
    fn a_night_is_one_of_paris_and_a_day_without_repeats_asks_nothing() {
        let looks = [
            look(1, 0, &[1], "accident signalé"),
            look(2, 9 * 3_600 + 3_599, &[1], "bagarre place du marché"),
            look(3, 10 * 3_600, &[1, 2], "bris de vitrine"),
            look(4, 17 * 3_600 + 3_599, &[2], "alarme du musée"),
            look(5, 18 * 3_600, &[2], "ronde du matin au parc"),
        ];
        assert_eq!(asked(&looks), [(About::Night, vec![3, 4])]);
        assert_eq!(asked(&looks[..2]), []);
    }

    #[test]
    fn one_place_is_asked_about_after_five_looks_within_a_day_and_a_wall_is_no_place() {
        let apart = |step: i64, cameras: &[u8]| -> Vec<Seen> {
            (0..6).map(|n| look(n, n as i64 * step, cameras, &reasons(n))).collect()
        };
        assert_eq!(asked(&apart(600, &[3])), [(About::Place(CameraId([3; 16])), (0..6).collect())]);
        assert_eq!(asked(&apart(600, &[1, 2, 3])), []);
        assert_eq!(asked(&apart(24 * 3_600, &[3])), [], "once a day is not again and again");
        assert_eq!(asked(&apart(600, &[3])[..4]), [], "four times happen to everybody");
    }

    #[test]
    fn one_word_five_times_in_a_row_is_asked_about_however_it_is_written() {
        let written =
            ["surveillance", "Surveillance.", "SURVEILLANCE surveillance", "surveillance !", "- surveillance -"];
        let row = |more: &[&str]| -> Vec<Seen> {
            let all = written.iter().chain(more).zip(0..);
            all.map(|(reason, n)| look(n, n as i64 * 30 * 60, &[1, 2], reason)).collect()
        };
        let expected = About::SameWords(Sensitive::new("surveillance".into()));
        assert_eq!(asked(&row(&["vol à l'étalage"])), [(expected, (0..5).collect())]);
        let mut broken = row(&[]);
        broken[2].reason = Sensitive::new("vol à l'étalage".into());
        assert_eq!(asked(&broken), [], "another reason in between");
    }
}
