//! What a package says of its town, its ground and its clock, as the keeper knows it: whoever makes the files adds nothing of it.

use crate::{
    core::{KeeperCore, failed},
    trace::TraceKind,
    wire::exports::{ExportAnswer, ExportFacts, WindowFacts},
};
use domain::{AccountId, CameraId, ExportId, HoldId, RequisitionId, Span, UtcMicros, Window};
use ledger::{Entry, Event};
use policy::retention::closes_at;
use std::collections::{BTreeMap, BTreeSet};
use vault::{KeeperError, keeper::SessionSecret};

/// What the ledger says of the clocks, from when on; an older word than this tells nothing of footage that lives.
const WORDS_SECONDS: i64 = 32 * 24 * 3_600;
/// Words of entries in which a time stood that clocks agree with.
const AGREE: &str = "agree";

/// A look as far as a package tells of it.
struct LookSeen {
    at: UtcMicros,
    cameras: Vec<CameraId>,
    /// Of a replay.
    span: Option<Span>,
    account: Option<AccountId>,
}

/// When the clocks agreed and when not, as it was entered.
#[derive(Debug, Default)]
pub(crate) struct ClockWords(BTreeMap<UtcMicros, bool>);

impl ClockWords {
    pub fn take(&mut self, entry: &Entry) {
        let Event::Clocks { state } = &entry.event else { return };
        let agree = crate::clocks::entered_name(state).is_some_and(|name| name == AGREE);
        self.0.insert(entry.at, agree);
        // the last word before that still holds at it
        let oldest = entry.at.plus_seconds(-WORDS_SECONDS);
        if let Some((holds, _)) = self.0.range(..=oldest).next_back() {
            let holds = *holds;
            self.0 = self.0.split_off(&holds);
        }
    }

    /// Whether the clocks agreed all through a span; `None` where no word reaches back so far.
    fn agreed(&self, span: Span) -> Option<bool> {
        let (_, before) = self.0.range(..=span.from()).next_back()?;
        Some(*before && self.0.range(span.from()..span.to()).all(|(_, agree)| *agree))
    }
}

impl KeeperCore {
    pub(crate) fn export_facts(&self, session: &SessionSecret, id: ExportId) -> Result<ExportAnswer, KeeperError> {
        let (account, _) = self.who(session)?;
        let row = self.open_export(&account, id)?;
        let requisition = self.requisition(row.requisition)?;
        let (clock_fr, clock_en) = self.clock_words(&row.windows);
        let looks = self.looks_since(row.windows.iter().map(|window| window.span.from()).min())?;
        let facts = |window| {
            let held = self.held_for(row.requisition, window)?;
            Ok(WindowFacts { held, ..self.window_facts(window, &looks)? })
        };
        let cameras: Result<Vec<_>, KeeperError> = row.windows.iter().map(facts).collect();
        let site = self.parts.registry.site();
        let sealed_to = self.sealed_to(row.leaf)?;
        Ok(ExportAnswer::Facts(Box::new(ExportFacts {
            view: self.export_view(&row, &account),
            sealed_to,
            site: self.parts.site,
            site_name: site.name.clone(),
            log_key: self.parts.journal.checkpoint_key().verifier_key(),
            number: requisition.label(),
            framework: requisition.says.framework_title(),
            authority: requisition.says.authority.service.clone(),
            procedure: requisition.says.procedure.clone(),
            cameras: cameras?,
            law_pack: self.law_view()?.pack,
            clock_fr,
            clock_en,
        })))
    }

    /// What of a window is held for it. Where its hour is dead and the reserve does not have it yet, there is no package: it would say that
    /// nothing is left.
    fn held_for(&self, requisition: RequisitionId, window: &Window) -> Result<Option<HoldId>, KeeperError> {
        let Some((hold, is_kept)) = self.moving().holds.under(requisition, window) else { return Ok(None) };
        let first = self.parts.hour_length.hour_of(window.span.from());
        let mut hours = (0..).map(|nth| first.plus(nth)).take_while(|hour| hour.start() < window.span.to());
        let judgement = self.judgement();
        let dead = |hour| {
            let fate = self.moving().fates.of(hour, window.camera).unwrap_or_default();
            fate.condemned_at.is_some() || fate.deadline.is_some_and(|at| judgement.is_closed(closes_at(at)))
        };
        match (is_kept, hours.any(dead)) {
            (true, _) => Ok(Some(hold)),
            (false, false) => Ok(None),
            (false, true) => Err(KeeperError::Failed {
                what: "what is held for this requisition is still being copied to the reserve: make the package when it is there"
                    .into(),
            }),
        }
    }

    /// What both persons said in the entry of that number.
    fn sealed_to(&self, leaf: u64) -> Result<Option<String>, KeeperError> {
        let journal = &self.parts.journal;
        let (_, details) = journal.open_details(&journal.read(leaf).map_err(failed)?).map_err(failed)?;
        match Entry::from_details(&details).map_err(failed)?.event {
            Event::Export { sealed_to, .. } => Ok(sealed_to),
            _ => Err(failed("the registry names another entry as this export's")),
        }
    }

    fn window_facts(&self, window: &Window, looks: &[LookSeen]) -> Result<WindowFacts, KeeperError> {
        let (name, place) = self.as_it_was(window)?;
        let of_camera = looks.iter().filter(|look| look.cameras.contains(&window.camera));
        let (mut facts, mut persons) = (WindowFacts { name, place, ..WindowFacts::default() }, BTreeSet::new());
        for look in of_camera {
            let counts = match look.span {
                Some(span) => span.touches(window.span.from(), window.span.to().plus_micros(-1)),
                None => window.span.holds(look.at),
            };
            if counts {
                *(if look.span.is_some() { &mut facts.past } else { &mut facts.live }) += 1;
                persons.insert(look.account);
            }
        }
        facts.persons = u32::try_from(persons.len()).unwrap_or(u32::MAX);
        Ok(facts)
    }

    /// Every look that was entered since then and can be read.
    fn looks_since(&self, from: Option<UtcMicros>) -> Result<Vec<LookSeen>, KeeperError> {
        let Some(span) = from.and_then(|from| Span::new(from, UtcMicros(i64::MAX)).ok()) else { return Ok(Vec::new()) };
        let places: Vec<_> = {
            let moving = self.moving();
            moving.trace.of(span, None).filter(|place| place.kind == TraceKind::Look).collect()
        };
        let journal = &self.parts.journal;
        let mut looks = Vec::new();
        for place in places {
            let sealed = journal.read(place.entry).map_err(failed)?;
            let Ok((_, details)) = journal.open_details(&sealed) else { continue };
            if let Ok(Entry { event: Event::Look { cameras, span, .. }, at, .. }) = Entry::from_details(&details) {
                looks.push(LookSeen { at, cameras, span, account: place.account });
            }
        }
        Ok(looks)
    }

    /// Name and place when the footage begins; of a camera that was declared later, or is gone, those that are known.
    pub(crate) fn as_it_was(&self, window: &Window) -> Result<(String, String), KeeperError> {
        let (registry, now) = (&self.parts.registry, self.decision_time());
        let then = registry.cameras_at(window.span.from(), now).map_err(failed)?;
        let found = then.into_iter().find(|version| version.camera.id == window.camera);
        let found = match found {
            Some(version) => Some(version),
            None => registry.camera(window.camera, now).map_err(failed)?,
        };
        Ok(found.map(|version| (version.camera.name, version.camera.place)).unwrap_or_default())
    }

    /// Source of the pictures' time, and what the ledger says of the clocks in these minutes (law TECH-14).
    fn clock_words(&self, windows: &[Window]) -> (String, String) {
        const SOURCE: (&str, &str) = (
            "L'heure de chaque image est celle de l'enregistreur à l'arrivée de l'image, en UTC, et non l'heure que la caméra affiche ou incruste.",
            "The time of each picture is the recorder's when the picture arrived, in UTC, and not the time that the camera shows or burns in.",
        );
        let moving = self.moving();
        let said: Vec<Option<bool>> = windows.iter().map(|window| moving.places.clocks.agreed(window.span)).collect();
        let (fr, en) = if said.contains(&Some(false)) {
            (
                "Le registre dit que les horloges ne s'accordaient pas pendant une partie de ces heures : l'heure des images y est celle que la machine a continué de compter, son écart n'est pas connu.",
                "The log says that the clocks did not agree during a part of these hours: there the time of pictures is what the machine went on counting, its deviation is not known.",
            )
        } else if said.contains(&None) {
            (
                "Le registre ne dit rien des horloges pour une partie de ces heures.",
                "The log says nothing of the clocks for a part of these hours.",
            )
        } else {
            (
                "Le registre dit que les horloges s'accordaient pendant toutes ces heures, à cinq minutes près.",
                "The log says that the clocks agreed all through these hours, to within five minutes.",
            )
        };
        (format!("{} {fr}", SOURCE.0), format!("{} {en}", SOURCE.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Actor;

    fn words(said: &[(i64, &str)]) -> ClockWords {
        let mut words = ClockWords::default();
        for (at, state) in said {
            let event = Event::Clocks { state: format!(r#"{{"state":"{state}"}}"#) };
            words.take(&Entry::new(UtcMicros::from_seconds(*at), Actor::Schedule, event));
        }
        words
    }

    #[test]
    fn a_span_in_which_clocks_agreed_is_told_from_one_in_which_they_did_not_and_from_one_unknown() {
        let words = words(&[(100, "agree"), (200, "disagree"), (300, "agree")]);
        let agreed =
            |from, to| words.agreed(Span::new(UtcMicros::from_seconds(from), UtcMicros::from_seconds(to)).unwrap());
        assert_eq!(agreed(100, 200), Some(true));
        assert_eq!(agreed(150, 201), Some(false));
        assert_eq!(agreed(250, 400), Some(false));
        assert_eq!(agreed(300, 400), Some(true));
        assert_eq!(agreed(50, 150), None);
    }

    #[test]
    fn a_word_that_still_holds_is_kept_whatever_its_age() {
        let later = 100 + 2 * WORDS_SECONDS;
        let words = words(&[(50, "disagree"), (100, "agree"), (later, "agree")]);
        assert_eq!(words.0.len(), 2);
        let span = Span::new(UtcMicros::from_seconds(later - 10), UtcMicros::from_seconds(later)).unwrap();
        assert_eq!(words.agreed(span), Some(true));
    }
}
