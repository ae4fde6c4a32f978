//! Reviews: what was done is read from the ledger itself, by those whose office it is, and by each person their own.
//!
//! 1 who: the session's secret; the data-protection officer, an inspector for what an inspector checks
//! 2 a refusal is entered and told with its rule
//! 3 the reading is entered with its reason, durably, before anything is told
//! 4 the ledger's own entries are opened and told, under pseudonyms
//!
//! A pseudonym belongs to one span: the same person has the same one on every page of it and another one in another span.
//! Names stand in the list of accounts, which tells nothing that anybody did. Time is the only order.

mod names;
mod persons;
mod questions;
pub mod words;

use crate::{
    core::{KeeperCore, actor, failed, malformed},
    journal::{JournalError, LogKeyError},
    lawful,
    trace::{TraceKind, TracePlace},
};
use catalog::Account;
use domain::{
    CameraId, Role, Span, UtcMicros,
    limit::{
        QUESTION_DAYS_MAX, REASON_CHARS_MAX, REASON_CHARS_MIN, REVIEW_CAMERAS_NAMED_MAX, REVIEW_DAYS_MAX,
        REVIEW_PAGE_LINES,
    },
};
use keyring::KeyringError;
use ledger::{Actor, Entry, Event, Month};
use names::Pseudonyms;
use policy::{Language, golive::Missing};
use std::collections::{BTreeMap, HashMap};
use vault::{
    KeeperError,
    keeper::{Refused, RefusedReason, SessionSecret},
};
use words::{
    Cameras, Done, EndedMonth, ReviewAsk, ReviewOf, Reviewed, RuleWords, Totals, TraceLine, TracePage, WasRefused,
};

/// The rule that keeps reviews to their offices; it is the keeper's own, no rule of the law pack.
const BY_OFFICE: &str = "review-by-office";

/// Entries of an own trace that are gone through for one page: others' are passed over without being opened, but for names
/// that were shown.
const OWN_OPENED_MAX: usize = 4 * REVIEW_PAGE_LINES;

impl KeeperCore {
    pub(crate) fn review(&self, ask: &ReviewAsk) -> Result<Reviewed, KeeperError> {
        let (account, _) = self.who_acts(&ask.session)?; // 1
        check(ask)?;
        let role: Role = account.role.parse().map_err(failed)?;
        if !may(role, &ask.what) {
            return self.refuse_review(&account, ask, own_words(BY_OFFICE)).map(Reviewed::Refused); // 2
        }
        match &ask.what {
            ReviewOf::Trace { span, before } => {
                let entry = self.enter_review(&account, ask)?; // 3
                let page = self.trace_page(*span, *before, &Pseudonyms::of(self, *span))?; // 4
                Ok(Reviewed::Trace(TracePage { entry: Some(entry), ..page }))
            }
            ReviewOf::Accounts => {
                let entry = self.enter_review(&account, ask)?;
                self.accounts_page(entry).map(Reviewed::Accounts)
            }
            ReviewOf::Questions { span } => match self.staff_informed()? {
                Err(missing) => self.refuse_review(&account, ask, lawful::told(missing)).map(Reviewed::Refused),
                Ok(informed_from) => {
                    let entry = self.enter_review(&account, ask)?;
                    self.questions_page(entry, *span, informed_from).map(Reviewed::Questions)
                }
            },
            ReviewOf::Name { span, pseudonym, password, code, second } => {
                self.show_name(&account, ask, (*span, pseudonym), (password, code), second)
            }
        }
    }

    /// What the person of this session did, and was refused; no reason is asked: it is theirs.
    pub(crate) fn own_trace(
        &self,
        session: &SessionSecret,
        span: Span,
        before: Option<u64>,
    ) -> Result<TracePage, KeeperError> {
        let (account, _) = self.who(session)?;
        check_span(span, REVIEW_DAYS_MAX)?;
        let places: Vec<TracePlace> = {
            let moving = self.moving();
            let own = |place: &TracePlace| place.account == Some(account.id) || place.kind == TraceKind::Name;
            moving.trace.of(span, before).filter(own).take(OWN_OPENED_MAX + 1).collect()
        };
        let mut page = self.page(span, (&places, OWN_OPENED_MAX), |entry| {
            let takes_part = match &entry.event {
                Event::Review { second, named, .. } => [second, named].contains(&&Some(account.name.clone())),
                _ => false,
            };
            (takes_part || is_by(entry, &account)).then_some(None)
        })?;
        for line in &mut page.lines {
            if let Done::Named { of_me, .. } = &mut line.done {
                *of_me = self.names_me(line.entry, &account)?;
            }
        }
        Ok(page)
    }

    fn trace_page(&self, span: Span, before: Option<u64>, names: &Pseudonyms) -> Result<TracePage, KeeperError> {
        let (places, totals): (Vec<TracePlace>, Totals) = {
            let moving = self.moving();
            let mut totals = Totals::default();
            moving.trace.of(span, None).for_each(|place| totals.count(place.kind));
            (moving.trace.of(span, before).take(REVIEW_PAGE_LINES + 1).collect(), totals)
        };
        let page = self.page(span, (&places, REVIEW_PAGE_LINES), |entry| Some(Some(names.of_actor(&entry.actor))))?;
        Ok(TracePage { totals: Some(totals), ..page })
    }

    /// The lines of these entries, as many as a page takes and of at most so many of them; `who` says under which pseudonym,
    /// or that it is none of them.
    fn page(
        &self,
        span: Span,
        (places, opened_max): (&[TracePlace], usize),
        who: impl Fn(&Entry) -> Option<Option<String>>,
    ) -> Result<TracePage, KeeperError> {
        let (mut lines, mut names, mut before) = (Vec::new(), CameraNames::default(), None);
        for (nth, place) in places.iter().enumerate() {
            if lines.len() == REVIEW_PAGE_LINES || nth == opened_max {
                before = nth.checked_sub(1).map(|last| places[last].entry);
                break;
            }
            let Some(entry) = self.readable(place.entry)? else { continue };
            let (Some(who), Some(done)) = (who(&entry), self.done(&entry, &mut names)?) else { continue };
            lines.push(TraceLine { entry: place.entry, at: entry.at, who, done });
        }
        let rules = self.rules_of(&lines);
        Ok(TracePage { entry: None, lines, before, totals: None, rules, ended: self.ended_months(span)? })
    }

    /// An entry of the ledger; none where its details are over.
    pub(super) fn readable(&self, number: u64) -> Result<Option<Entry>, KeeperError> {
        match self.parts.journal.entry(number) {
            Ok(entry) => Ok(Some(entry)),
            Err(JournalError::Key(LogKeyError::Gone { .. })) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn names_me(&self, number: u64, account: &Account) -> Result<bool, KeeperError> {
        let entry = self.readable(number)?.map(|entry| entry.event);
        Ok(matches!(entry, Some(Event::Review { named: Some(named), .. }) if named == account.name))
    }

    fn done(&self, entry: &Entry, names: &mut CameraNames) -> Result<Option<Done>, KeeperError> {
        Ok(Some(match &entry.event {
            Event::Look { live, cameras, span, purpose, reason, .. } => Done::Looked {
                live: *live,
                cameras: names.of(self, cameras, entry.at)?,
                span: *span,
                purpose: *purpose,
                reason: reason.clone(),
            },
            Event::Refusal { action, cameras, span, purpose, reason, rules, .. } => Done::Refused(WasRefused {
                action: action.clone(),
                cameras: names.of(self, cameras, entry.at)?,
                span: *span,
                purpose: *purpose,
                reason: reason.clone(),
                rules: rules.clone(),
            }),
            Event::Export { number, windows, purpose, .. } => {
                let cameras: Vec<CameraId> = windows.iter().map(|window| window.camera).collect();
                let from = windows.iter().map(|window| window.span.from()).min();
                let to = windows.iter().map(|window| window.span.to()).max();
                Done::Exported {
                    number: number.clone(),
                    cameras: names.of(self, &cameras, entry.at)?,
                    span: from.zip(to).and_then(|(from, to)| Span::new(from, to).ok()),
                    purpose: *purpose,
                }
            }
            Event::Review { pseudonym: Some(pseudonym), span, reason, .. } => {
                Done::Named { pseudonym: pseudonym.clone(), span: *span, reason: reason.clone(), of_me: false }
            }
            Event::Review { what, span, reason, .. } => {
                Done::Reviewed { what: what.clone(), span: *span, reason: reason.clone() }
            }
            _ => return Ok(None),
        }))
    }

    fn rules_of(&self, lines: &[TraceLine]) -> BTreeMap<String, RuleWords> {
        let of_line = |line: &TraceLine| match &line.done {
            Done::Refused(refused) => refused.rules.clone(),
            _ => Vec::new(),
        };
        lines.iter().flat_map(of_line).map(|rule| (rule.clone(), self.rule_words(&rule))).collect()
    }

    /// What a rule says: of the law in force, of a missing paper, or of reviews. Empty for one of another release.
    fn rule_words(&self, rule: &str) -> RuleWords {
        let law = self.law();
        let (fr, en) = (law.says(rule, Language::French).0, law.says(rule, Language::English).0);
        if !fr.is_empty() {
            return RuleWords { text_fr: fr.to_owned(), text_en: en.to_owned() };
        }
        let missing = Missing::named(law.required(), rule, None).map(|missing| (missing.text_fr, missing.text_en));
        let (text_fr, text_en) = missing.unwrap_or_else(|| {
            let own = own_words(rule);
            (own.text_fr, own.text_en)
        });
        RuleWords { text_fr, text_en }
    }

    /// Months of a span whose log key is dead. The month of an entry stands beside its sealed details in clear, in order.
    fn ended_months(&self, span: Span) -> Result<Vec<EndedMonth>, KeeperError> {
        let (mut ended, mut month) = (Vec::new(), Month::of(span.from()));
        let until = span.to().min(self.decision_time());
        while month.start() < until {
            let named = crate::core::of_keyring(month).map_err(failed)?;
            if matches!(self.parts.keyring.log_key_to_read(named), Err(KeyringError::LogKeyDestroyed { .. })) {
                ended.extend(self.ended_month(month)?);
            }
            let next = Month::of(month.end());
            if next <= month {
                break; // the last month of the calendar
            }
            month = next;
        }
        Ok(ended)
    }

    fn ended_month(&self, month: Month) -> Result<Option<EndedMonth>, KeeperError> {
        let head = self.parts.journal.head();
        let first = self.first_entry_from(month, head.size)?;
        let after = self.first_entry_from(Month::of(month.end()), head.size)?;
        if first == after {
            return Ok(None);
        }
        let root_hex = head.root.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let end = self.moving().trace.end_of(month);
        Ok(Some(EndedMonth {
            month: month.to_string(),
            first,
            last: after - 1,
            ended: end,
            log_size: head.size,
            root_hex,
        }))
    }

    /// The number of the first entry of this month or a later one.
    fn first_entry_from(&self, month: Month, size: u64) -> Result<u64, KeeperError> {
        let (mut from, mut to) = (0, size);
        while from < to {
            let middle = from + (to - from) / 2;
            if self.parts.journal.read(middle).map_err(failed)?.month < month {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        Ok(from)
    }

    fn enter_review(&self, account: &Account, ask: &ReviewAsk) -> Result<u64, KeeperError> {
        let review = Event::Review {
            who: account.name.clone(),
            role: account.role.clone(),
            what: ask.what.name().into(),
            span: ask.what.span(),
            reason: ask.reason.clone(),
            pseudonym: None,
            second: None,
            named: None,
        };
        Ok(self.enter_events(actor(account), vec![review])?.first().copied().unwrap_or_default())
    }

    /// Enters why a review is refused.
    fn refuse_review(&self, account: &Account, ask: &ReviewAsk, reason: RefusedReason) -> Result<Refused, KeeperError> {
        let refusal = Event::Refusal {
            who: account.name.clone(),
            role: account.role.clone(),
            action: format!("review-{}", ask.what.name()),
            cameras: Vec::new(),
            span: ask.what.span(),
            purpose: None,
            reason: Some(ask.reason.clone()),
            rules: vec![reason.rule.clone()],
        };
        let leaf = self.enter_events(actor(account), vec![refusal])?.first().copied().unwrap_or_default();
        Ok(Refused { reasons: vec![reason], leaf })
    }
}

impl ReviewOf {
    /// As the ledger names it.
    pub const fn name(&self) -> &'static str {
        match self {
            ReviewOf::Trace { .. } => "trace",
            ReviewOf::Accounts => "accounts",
            ReviewOf::Questions { .. } => "questions",
            ReviewOf::Name { .. } => "name",
        }
    }

    pub const fn span(&self) -> Option<Span> {
        match self {
            ReviewOf::Trace { span, .. } | ReviewOf::Questions { span } | ReviewOf::Name { span, .. } => Some(*span),
            ReviewOf::Accounts => None,
        }
    }
}

impl Totals {
    fn count(&mut self, kind: TraceKind) {
        self.exports += u64::from(kind.is_export());
        match kind {
            TraceKind::Look => self.looks += 1,
            TraceKind::Refusal => self.refusals += 1,
            TraceKind::Review => self.reviews += 1,
            TraceKind::Name => self.names += 1,
            // counted above
            TraceKind::Export => {}
        }
    }
}

/// Cameras' names of the present answer.
#[derive(Default)]
pub(super) struct CameraNames(HashMap<CameraId, String>);

impl CameraNames {
    fn of(&mut self, keeper: &KeeperCore, cameras: &[CameraId], at: UtcMicros) -> Result<Cameras, KeeperError> {
        let named = cameras.iter().take(REVIEW_CAMERAS_NAMED_MAX).map(|camera| self.one(keeper, *camera, at));
        let names = named.collect::<Result<Vec<_>, _>>()?;
        let more = cameras.len() - names.len();
        Ok(Cameras { names, more: u32::try_from(more).unwrap_or(u32::MAX) })
    }

    /// As it was called then; a camera that the registry does not know by its number.
    pub fn one(&mut self, keeper: &KeeperCore, camera: CameraId, at: UtcMicros) -> Result<String, KeeperError> {
        if let Some(known) = self.0.get(&camera) {
            return Ok(known.clone());
        }
        let version = keeper.parts.registry.camera(camera, at).map_err(failed)?;
        let name = version.map_or_else(|| camera.to_string(), |version| version.camera.name);
        self.0.insert(camera, name.clone());
        Ok(name)
    }
}

/// An inspector checks what was done and who is habilitated (CSI L253-1, L253-3); to put questions to the staff, and to ask for a
/// name, is the data-protection officer's.
const fn may(role: Role, what: &ReviewOf) -> bool {
    match what {
        ReviewOf::Trace { .. } | ReviewOf::Accounts => matches!(role, Role::Dpo | Role::Inspector),
        ReviewOf::Questions { .. } | ReviewOf::Name { .. } => matches!(role, Role::Dpo),
    }
}

fn check(ask: &ReviewAsk) -> Result<(), KeeperError> {
    let chars = ask.reason.reveal().trim().chars().count();
    if !(REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&chars) {
        return Err(malformed(format!("a review has a reason of {REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters")));
    }
    match &ask.what {
        ReviewOf::Accounts => Ok(()),
        ReviewOf::Questions { span } => check_span(*span, QUESTION_DAYS_MAX),
        ReviewOf::Trace { span, .. } | ReviewOf::Name { span, .. } => check_span(*span, REVIEW_DAYS_MAX),
    }
}

fn check_span(span: Span, days_max: i64) -> Result<(), KeeperError> {
    if days_max * 86_400_000_000 < span.micros() {
        return Err(malformed(format!("a span of at most {days_max} days can be reviewed: choose a shorter one")));
    }
    Ok(())
}

fn is_by(entry: &Entry, account: &Account) -> bool {
    matches!(&entry.actor, Actor::Account { id, .. } if *id == account.id.to_string())
}

/// The keeper's own rules about reviews, in words; empty for a name that none bears.
fn own_words(rule: &str) -> RefusedReason {
    let (article, text, remedy) = names::words_of(rule).unwrap_or(match rule {
        BY_OFFICE => (
            "RGPD art. 38, 39 ; CSI L253-1, L253-3",
            (
                "La relecture du registre est l'office du délégué à la protection des données ; un inspecteur y lit les consultations et les comptes.",
                "To review the ledger is the data-protection officer's office; an inspector reads looks and accounts.",
            ),
            (
                "Demandez-la au délégué. Votre propre trace se lit dans la page Mon compte.",
                "Ask the officer. Your own trace is on the page My account.",
            ),
        ),
        _ => ("", ("", ""), ("", "")),
    });
    RefusedReason {
        rule: rule.into(),
        article: article.into(),
        text_fr: text.0.into(),
        text_en: text.1.into(),
        remedy_fr: remedy.0.into(),
        remedy_en: remedy.1.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_officer_asks_questions_and_names_and_nobody_who_looks_reviews() {
        let span = Span::new(UtcMicros(0), UtcMicros(1)).expect("forwards");
        let (trace, questions) = (ReviewOf::Trace { span, before: None }, ReviewOf::Questions { span });
        for role in Role::ALL {
            assert_eq!(may(role, &trace), matches!(role, Role::Dpo | Role::Inspector), "{role}");
            assert_eq!(may(role, &questions), role == Role::Dpo, "{role}");
        }
    }

    #[test]
    fn each_of_the_keepers_own_rules_has_words_in_both_languages_and_an_article() {
        for rule in [BY_OFFICE].into_iter().chain(names::RULES) {
            let told = own_words(rule);
            for text in [told.article, told.text_fr, told.text_en, told.remedy_fr, told.remedy_en] {
                assert!(text.len() > 5, "{rule}");
            }
        }
        assert_eq!(own_words("another").text_fr, "");
    }
}
