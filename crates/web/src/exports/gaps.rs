//! The times of a package without pictures, each with its cause: what the recorder noted, and what is missing beside that. Pure.

use domain::{Span, UtcMicros, Window};
use evidence::manifest::{DESTROYED, GapPart};
use keeper::wire::{FateState, HourFate};
use vault::service::{Located, TimelineGap};

/// Two batches meet within it, as the verifier of packages has it.
const APART_MICROS: i64 = 2_500_000;

/// What is known of a window.
pub struct Known<'a> {
    pub window: &'a Window,
    /// When the pictures of the package were taken.
    pub covered: &'a [(UtcMicros, UtcMicros)],
    pub noted: &'a [TimelineGap],
    pub fates: &'a [HourFate],
    /// Footage that the catalog knows, first and last picture of each reel.
    pub recorded: &'a [(UtcMicros, UtcMicros)],
    pub now: UtcMicros,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Missing {
    Future,
    /// Within ten minutes of its deadline, or past it: its key is about to die.
    Closed,
    Destroyed,
    Unreadable,
    Unknown,
}

/// Reels of hours that still open.
pub fn openable(mut located: Vec<Located>, fates: &[HourFate]) -> Vec<Located> {
    let is_over = |fate: &HourFate| matches!(fate.state, FateState::Closed | FateState::Destroyed);
    located.retain(|reel| !fates.iter().any(|fate| fate.hour == reel.hour && is_over(fate)));
    located
}

/// In the order of time.
pub fn gaps(known: &Known<'_>) -> Vec<GapPart> {
    let span = known.window.span;
    let noted = known.noted.iter().filter_map(|gap| {
        let (from, to) = (gap.from.max(span.from()), gap.to.unwrap_or(known.now).min(span.to()));
        let part = GapPart { from, to, cause: gap.cause.clone(), fr: gap.cause_fr.clone(), en: gap.cause_en.clone() };
        (from < to).then_some(part)
    });
    let mut gaps: Vec<GapPart> = noted.collect();
    let told = known.covered.iter().copied().chain(gaps.iter().map(|gap| (gap.from, gap.to))).collect();
    for (from, to) in holes(span, told) {
        gaps.extend(explained(known, from, to));
    }
    gaps.sort_by_key(|gap| (gap.from, gap.to));
    gaps
}

/// Times of the span that nothing of `told` covers, longer than two batches are apart.
fn holes(span: Span, mut told: Vec<(UtcMicros, UtcMicros)>) -> Vec<(UtcMicros, UtcMicros)> {
    told.sort();
    let mut holes = Vec::new();
    let mut until = span.from();
    for (from, to) in told.into_iter().chain([(span.to(), span.to())]) {
        if until < span.to() && from.since(until) > APART_MICROS {
            holes.push((until, from.min(span.to())));
        }
        until = until.max(to);
    }
    holes
}

/// A hole, cut where its cause changes.
fn explained(known: &Known<'_>, from: UtcMicros, to: UtcMicros) -> Vec<GapPart> {
    let ends = known.fates.iter().flat_map(|fate| [fate.hour.start(), fate.hour.end()]);
    let reels = known.recorded.iter().flat_map(|(first, last)| [*first, *last]);
    let mut cuts: Vec<UtcMicros> =
        ends.chain(reels).chain([known.now]).filter(|cut| from < *cut && *cut < to).collect();
    cuts.extend([from, to]);
    cuts.sort();
    cuts.dedup();
    let mut parts: Vec<(UtcMicros, UtcMicros, Missing)> = Vec::new();
    for pair in cuts.windows(2) {
        let missing = cause(known, pair[0]);
        match parts.last_mut() {
            Some((_, until, last)) if *last == missing => *until = pair[1],
            _ => parts.push((pair[0], pair[1], missing)),
        }
    }
    parts.into_iter().map(|(from, to, missing)| missing.part(from, to)).collect()
}

fn cause(known: &Known<'_>, at: UtcMicros) -> Missing {
    if known.now <= at {
        return Missing::Future;
    }
    let fate = known.fates.iter().find(|fate| fate.hour.span().holds(at));
    match fate.map(|fate| fate.state) {
        Some(FateState::Closed) => return Missing::Closed,
        Some(FateState::Destroyed) => return Missing::Destroyed,
        Some(FateState::Live | FateState::Empty) | None => {}
    }
    match known.recorded.iter().any(|(first, last)| *first <= at && at < *last) {
        true => Missing::Unreadable,
        false => Missing::Unknown,
    }
}

impl Missing {
    fn part(self, from: UtcMicros, to: UtcMicros) -> GapPart {
        let (cause, fr, en) = match self {
            Missing::Future => (
                "not-yet",
                "Ce temps n'était pas encore passé quand le dossier a été fait.",
                "This time had not passed yet when the package was made.",
            ),
            Missing::Closed => (
                "closed",
                "Le délai de conservation de ces images est passé ou passe dans les dix minutes : elles ne s'ouvrent plus.",
                "The retention period of these pictures is over, or will be within ten minutes: they cannot be opened any more.",
            ),
            Missing::Destroyed => (
                DESTROYED,
                "Les images de ce temps sont détruites : leur délai de conservation est passé, le registre le prouve.",
                "The pictures of this time are destroyed: their retention period is over, as the log proves.",
            ),
            Missing::Unreadable => (
                "unreadable",
                "Des images de ce temps ont été enregistrées et ne se lisent plus : le disque ne les rend pas intactes.",
                "Pictures of this time were recorded and cannot be read any more: the disk does not give them back intact.",
            ),
            Missing::Unknown => (
                "unknown",
                "Aucune image de ce temps n'est conservée, et rien n'en dit la cause.",
                "No picture of this time is kept, and nothing tells the cause.",
            ),
        };
        GapPart { from, to, cause: cause.into(), fr: fr.into(), en: en.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CameraId, HourLength};

    fn at(seconds: i64) -> UtcMicros {
        UtcMicros::from_seconds(1_773_324_000 + seconds)
    }

    fn told(known: &Known<'_>) -> Vec<(i64, i64, String)> {
        let seconds = |time: UtcMicros| time.since(at(0)) / 1_000_000;
        gaps(known).into_iter().map(|gap| (seconds(gap.from), seconds(gap.to), gap.cause)).collect()
    }

    #[test]
    fn every_second_of_a_window_is_a_picture_or_a_gap_with_its_cause() {
        let hour = HourLength::PRODUCT.hour_of(at(0));
        let start = hour.start().since(at(0)) / 1_000_000;
        let window = Window { camera: CameraId([1; 16]), span: Span::new(at(start), at(start + 3 * 3_600)).unwrap() };
        let fate = |hours: i64, state| HourFate { hour: hour.plus(hours), deadline: None, state, destroyed_at: None };
        let noted = TimelineGap {
            from: at(start + 3_700),
            to: Some(at(start + 3_800)),
            cause: "camera-away".into(),
            cause_fr: String::new(),
            cause_en: String::new(),
            remedy_fr: String::new(),
            remedy_en: String::new(),
        };
        let span = |from: i64, to: i64| (at(start + from), at(start + to));
        let known = Known {
            window: &window,
            covered: &[span(3_600, 3_700), span(3_802, 4_000), span(4_100, 5_000)],
            noted: &[noted],
            fates: &[fate(0, FateState::Destroyed), fate(1, FateState::Live), fate(2, FateState::Live)],
            recorded: &[span(3_600, 5_000)],
            now: at(start + 2 * 3_600),
        };
        let told = told(&known);
        let relative: Vec<(i64, i64, &str)> =
            told.iter().map(|(from, to, cause)| (from - start, to - start, cause.as_str())).collect();
        assert_eq!(
            relative,
            [
                (0, 3_600, "destroyed"),
                (3_700, 3_800, "camera-away"),
                (4_000, 4_100, "unreadable"),
                (5_000, 7_200, "unknown"),
                (7_200, 10_800, "not-yet"),
            ]
        );
    }

    #[test]
    fn a_reel_of_an_hour_that_is_closed_or_dead_is_not_asked_for() {
        let hour = HourLength::PRODUCT.hour_of(at(0));
        let reel = |hours: i64| Located {
            reel: domain::ReelId([hours as u8; 16]),
            hour: hour.plus(hours),
            handle: 0,
            location: vault::store::Location { pieces: Vec::new(), index: None },
            first_utc: hour.plus(hours).start(),
            last_utc: hour.plus(hours).end(),
            entries: None,
        };
        let fate = |hours: i64, state| HourFate { hour: hour.plus(hours), deadline: None, state, destroyed_at: None };
        let fates = [
            fate(0, FateState::Destroyed),
            fate(1, FateState::Closed),
            fate(2, FateState::Live),
            fate(3, FateState::Empty),
        ];
        // of the hour that nothing is said of the keeper decides
        let left: Vec<_> = openable((0..5).map(reel).collect(), &fates).into_iter().map(|reel| reel.hour).collect();
        assert_eq!(left, [2, 3, 4].map(|hours| hour.plus(hours)));
    }

    #[test]
    fn a_gap_that_lasts_ends_now_and_what_is_whole_has_none() {
        let window = Window { camera: CameraId([1; 16]), span: Span::new(at(0), at(60)).unwrap() };
        let whole = Known {
            window: &window,
            covered: &[(at(-1), at(30)), (at(31), at(61))],
            noted: &[],
            fates: &[],
            recorded: &[],
            now: at(100),
        };
        assert_eq!(told(&whole), []);
    }
}
