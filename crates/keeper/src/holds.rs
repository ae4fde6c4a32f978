//! Holds (gel): "freeze now, the paper follows" (K12, law RET-06).
//!
//! Open: 1 who asks may process requisitions · 2 something of what is asked for lives · 3 entry *hold*, and *bound* where its requisition
//! is there, durable · 4 keys of the hold, one an hour, in the keyring. From 3 on the hours' own keys wait for the recorder, which
//! has the chunks' keys wrapped ([`keys`]) and the chunks copied; a crash before 4 is mended when it asks.
//! Bind: 1 the requisition asks for all that is held · 2 entry *bound* · 3 the keys live as long as it says.
//! End ([`ends`]): without a requisition each hour of it with the footage's own; else when the package is handed over, or when nobody
//! collects it.

mod book;
mod ends;
mod finding;
mod keys;

pub(crate) use book::{Hold, Holds};

use crate::{
    core::{KeeperCore, actor, failed, malformed},
    exports::{Own, is_no_day},
    wire::holds::{HoldAnswer, HoldAsk, HoldQuestion, HoldView},
};
use catalog::Account;
use domain::{
    HoldEnd, HoldId, Hour, RequisitionId, Sensitive, UtcMicros, Window,
    limit::{HOLD_HOURS_MAX, HOLDS_MAX, MESSAGE_BYTES_MAX, REASON_CHARS_MAX, REASON_CHARS_MIN, WINDOWS_MAX},
    requisition::Outcome,
};
use ledger::{Event, HeldHour};
use policy::{
    certificate::{EndedHold, certificate},
    holds::{DAYS_FACT, wait_days},
    letter::Letter,
    requisition::lacking,
    retention::closes_at,
};
use std::{collections::BTreeMap, sync::atomic::Ordering};
use vault::{
    KeeperError,
    keeper::{Refused, RefusedReason, SessionSecret},
};

const REQUESTER_CHARS_MAX: usize = 200;
/// Of a hold's view with its certificate, and of each of its windows in it, about.
const VIEW_BYTES: usize = 6 * 1024;
const WINDOW_BYTES: usize = 256;

impl KeeperCore {
    /// How long held footage waits to be collected once its requisition is there; never longer than the law pack says.
    pub fn wait_for_collection(&self, days: i64) {
        self.hold_days.store(days, Ordering::Relaxed);
    }

    /// What web asks of holds.
    pub fn hold_question(&self, question: HoldQuestion) -> Result<HoldAnswer, KeeperError> {
        match question {
            HoldQuestion::Open(ask) => self.hold_open(&ask),
            HoldQuestion::Bind { session, hold, requisition } => self.hold_bind(&session, hold, requisition),
            HoldQuestion::Lift { session, hold } => {
                let account = self.registrar(&session)?;
                self.end_hold(Some(&account), hold, HoldEnd::Lifted)?;
                Ok(HoldAnswer::Done)
            }
            HoldQuestion::May { session } => self.registrar(&session).map(|_| HoldAnswer::Done),
            HoldQuestion::List { session } => {
                self.registrar(&session)?;
                Ok(HoldAnswer::Holds(self.hold_views()?))
            }
        }
    }

    fn hold_open(&self, ask: &HoldAsk) -> Result<HoldAnswer, KeeperError> {
        let account = self.registrar(&ask.session)?; // 1
        self.hold_for(&account, ask)
    }

    /// The caller knows that this account may have footage held.
    pub(crate) fn hold_for(&self, account: &Account, ask: &HoldAsk) -> Result<HoldAnswer, KeeperError> {
        let now = self.trusted()?;
        check(ask, now)?;
        let number =
            ask.requisition.map(|requisition| self.number_if_it_asks_for(requisition, &ask.windows)).transpose();
        let number = match number? {
            Some(Err(reason)) => return self.refuse_hold(account, &ask.windows, &ask.reason, reason),
            number => number.transpose().unwrap_or_default(),
        };
        let hold = HoldId::draw(&*self.parts.random);
        let hours = {
            let _keys_stay_as_they_are = self.change_keys();
            let hours = self.living_hours(&ask.windows)?; // 2
            if hours.is_empty() {
                return self.refuse_hold(account, &ask.windows, &ask.reason, GONE.reason());
            }
            self.check_room_for(hours.len())?;
            let events = self.opening(account, ask, hold, &hours, number, now);
            self.enter_events(actor(account), events)?; // 3
            self.ready_keys(hold)?; // 4
            hours
        };
        tracing::info!(%hold, hours = hours.len(), "footage is held");
        let known = self.moving().holds.get(hold).cloned();
        let known = known.ok_or_else(|| failed("a hold that was entered is not known"))?;
        Ok(HoldAnswer::Opened(Box::new(self.hold_view(hold, &known)?)))
    }

    fn opening(
        &self,
        account: &Account,
        ask: &HoldAsk,
        hold: HoldId,
        hours: &BTreeMap<Hour, UtcMicros>,
        number: Option<String>,
        now: UtcMicros,
    ) -> Vec<Event> {
        let opened = Event::Hold {
            hold,
            number: self.moving().holds.next_number(),
            who: account.name.clone(),
            role: account.role.clone(),
            requester: ask.requester.clone(),
            reason: ask.reason.clone(),
            windows: ask.windows.clone(),
            hours: hours.iter().map(|(hour, dies)| HeldHour { hour: *hour, dies: *dies }).collect(),
        };
        let bound = ask.requisition.zip(number).map(|(requisition, number)| {
            let until = self.collected_by(now);
            Event::HoldBound { hold, who: account.name.clone(), requisition, number, until }
        });
        std::iter::once(opened).chain(bound).collect()
    }

    fn hold_bind(
        &self,
        session: &SessionSecret,
        hold: HoldId,
        requisition: RequisitionId,
    ) -> Result<HoldAnswer, KeeperError> {
        let account = self.registrar(session)?;
        let now = self.trusted()?;
        let known = self.moving().holds.get(hold).filter(|known| known.stands()).cloned().ok_or_else(unknown)?;
        if known.requisition.is_some() {
            return Err(malformed(
                "this hold waits under a requisition already: make another one for a further requisition",
            ));
        }
        let number = match self.number_if_it_asks_for(requisition, &known.says.windows)? {
            Ok(number) => number, // 1
            Err(reason) => return self.refuse_hold(&account, &known.says.windows, &known.says.reason, reason),
        };
        let _keys_stay_as_they_are = self.change_keys();
        self.end_due_holds()?;
        if self.moving().holds.get(hold).is_none_or(|known| !known.stands() || known.requisition.is_some()) {
            return Err(unknown()); // its last hour ended meanwhile
        }
        let until = self.collected_by(now);
        let bound = Event::HoldBound { hold, who: account.name.clone(), requisition, number, until };
        self.enter_events(actor(&account), vec![bound])?; // 2
        self.moving().holds.is_compared = false; // whatever comes of 3, the next turn holds the keyring against the entry
        self.parts.keyring.keep_hold(hold, until).map_err(failed)?; // 3
        Ok(HoldAnswer::Done)
    }

    /// Its number in the register, if it asks for all of this and stands.
    fn number_if_it_asks_for(
        &self,
        requisition: RequisitionId,
        windows: &[Window],
    ) -> Result<Result<String, RefusedReason>, KeeperError> {
        let asked = self.requisition(requisition)?;
        let is_refused = asked.says.answer.as_ref().is_some_and(|answer| answer.outcome == Outcome::Refused);
        let asks_for_all = windows.iter().all(|window| asked.says.asks_for(window));
        if !asks_for_all || is_refused {
            return Ok(Err(OTHER.reason()));
        }
        // nobody prolongs anything with a line that names no authority
        let is_complete = lacking(&asked.says, self.decision_time()).is_empty();
        Ok(if is_complete { Ok(asked.label()) } else { Err(INCOMPLETE.reason()) })
    }

    fn collected_by(&self, now: UtcMicros) -> UtcMicros {
        let cap = self.law().facts().at(DAYS_FACT, now);
        now.plus_seconds(wait_days(self.hold_days.load(Ordering::Relaxed), cap) * 86_400)
    }

    /// The hours of these windows whose keys live, and when the first of their cameras' closes: no hold is longer by itself.
    pub(crate) fn living_hours(&self, windows: &[Window]) -> Result<BTreeMap<Hour, UtcMicros>, KeeperError> {
        let mut living: BTreeMap<Hour, UtcMicros> = BTreeMap::new();
        let mut asked = 0;
        for window in windows {
            for hour in book::reach(window).hours(self.parts.hour_length) {
                asked += 1;
                if HOLD_HOURS_MAX < asked {
                    return Err(malformed(format!(
                        "a hold names at most {HOLD_HOURS_MAX} hours of all its cameras together: make several"
                    )));
                }
                let Some(page) = self.parts.keyring.page(hour).map_err(failed)? else { continue };
                let Some(key) = page.cameras.get(&window.camera) else { continue };
                if !self.is_hour_closed(hour, window.camera, key.deadline) {
                    let told = self.moving().fates.of(hour, window.camera).and_then(|fate| fate.deadline);
                    let closes = closes_at(told.map_or(key.deadline, |told| told.min(key.deadline)));
                    living.entry(hour).and_modify(|dies| *dies = closes.min(*dies)).or_insert(closes);
                }
            }
        }
        Ok(living)
    }

    fn check_room_for(&self, hours: usize) -> Result<(), KeeperError> {
        let moving = self.moving();
        let (holds, held) =
            moving.holds.standing().fold((0, 0), |(n, held), (_, hold)| (n + 1, held + hold.hours.len()));
        let windows: usize = moving.holds.standing().map(|(_, hold)| hold.says.windows.len()).sum();
        if HOLDS_MAX <= holds || HOLDS_MAX * 24 < held + hours || HOLDS_MAX * 8 < windows {
            return Err(malformed(
                "too many holds stand at once: have what is held collected, or lift what nobody needs",
            ));
        }
        Ok(())
    }

    fn refuse_hold(
        &self,
        account: &Account,
        windows: &[Window],
        said: &Sensitive<String>,
        reason: RefusedReason,
    ) -> Result<HoldAnswer, KeeperError> {
        let refusal = Event::Refusal {
            who: account.name.clone(),
            role: account.role.clone(),
            action: "hold".into(),
            cameras: windows.iter().map(|window| window.camera).collect(),
            span: windows.first().map(|window| window.span),
            purpose: None,
            reason: Some(said.clone()),
            rules: vec![reason.rule.clone()],
        };
        let leaf = self.enter_events(actor(account), vec![refusal])?.first().copied().unwrap_or_default();
        Ok(HoldAnswer::Refused(Refused { reasons: vec![reason], leaf }))
    }

    fn hold_views(&self) -> Result<Vec<HoldView>, KeeperError> {
        let mut all: Vec<(HoldId, Hold)> = self.moving().holds.all().map(|(id, hold)| (id, hold.clone())).collect();
        // what stands, then the last that ended: as much as a message holds
        all.sort_by_key(|(_, hold)| (hold.ended.is_some(), std::cmp::Reverse(hold.says.number)));
        let mut room = MESSAGE_BYTES_MAX / 2;
        all.retain(|(_, hold)| {
            let bytes = VIEW_BYTES + hold.says.windows.len() * WINDOW_BYTES + hold.hours.len() * 32;
            let fits = hold.stands() || bytes <= room;
            room = room.saturating_sub(bytes);
            fits
        });
        all.iter().map(|(id, hold)| self.hold_view(*id, hold)).collect()
    }

    fn hold_view(&self, hold: HoldId, known: &Hold) -> Result<HoldView, KeeperError> {
        Ok(HoldView {
            hold,
            says: known.says.clone(),
            hours: known.lives().collect(),
            requisition: known.requisition.clone(),
            kept: known.kept,
            ended: known.ended,
            is_destroyed: known.is_destroyed(),
            certificate: self.hold_certificate(known)?.map(|letter| (letter.fr, letter.en)),
        })
    }

    /// Once every copy of the keyring confirmed.
    fn hold_certificate(&self, known: &Hold) -> Result<Option<Letter>, KeeperError> {
        let Some(((ended, _), destroyed)) = known.ended.zip(known.destroyed).filter(|_| known.is_destroyed()) else {
            return Ok(None);
        };
        let names = known.says.windows.iter().map(|window| Ok((self.as_it_was(window)?.0, window.span)));
        let statement = self.parts.keyring.custodian().statement();
        Ok(Some(certificate(&EndedHold {
            town: &self.parts.registry.site().name,
            number: known.says.number,
            opened: known.says.opened,
            requester: known.says.requester.reveal().trim(),
            windows: names.collect::<Result<Vec<_>, KeeperError>>()?,
            requisition: known.requisition.as_ref().map(|(_, number)| number.as_str()),
            ended,
            whys: known.whys.iter().copied().collect(),
            destroyed,
            entries: [&[known.says.leaf], &known.ends, &known.deaths],
            custodian: (statement.fr, statement.en),
        })))
    }
}

fn unknown() -> KeeperError {
    malformed("no such hold stands: it has ended, or was never made")
}

fn check(ask: &HoldAsk, now: UtcMicros) -> Result<(), KeeperError> {
    if !(1..=WINDOWS_MAX).contains(&ask.windows.len()) {
        return Err(malformed(format!("a hold names 1 to {WINDOWS_MAX} cameras and spans")));
    }
    if ask.windows.iter().any(is_no_day) {
        return Err(malformed("a window of a hold lasts at most a day: ask for several"));
    }
    if ask.windows.iter().any(|window| now < window.span.to()) {
        return Err(malformed("what is not recorded yet cannot be held: end the span now at the latest"));
    }
    let (requester, reason) = (ask.requester.reveal().trim(), ask.reason.reveal().trim());
    if requester.is_empty() || REQUESTER_CHARS_MAX < requester.chars().count() {
        return Err(malformed(format!("who asked for it, of which service: 1 to {REQUESTER_CHARS_MAX} characters")));
    }
    if !(REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&reason.chars().count()) {
        return Err(malformed(format!("a hold says why, in {REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters")));
    }
    Ok(())
}

const GONE: Own = Own {
    rule: "hold-footage-is-gone",
    article: "CSI L252-5, R253-4",
    text: (
        "Il ne reste rien de ces images : leur délai de conservation est écoulé, ou rien n'a été enregistré.",
        "Nothing is left of these pictures: their retention is over, or nothing was recorded.",
    ),
    remedy: (
        "Inscrivez la réquisition et répondez-y : la preuve de destruction part avec la réponse.",
        "Enter the requisition and answer it: the proof of destruction goes with the answer.",
    ),
};
const INCOMPLETE: Own = Own {
    rule: "hold-requisition-incomplete",
    article: "CPP 60-1 ; CSI R253-4 al. 3",
    text: (
        "Il manque à cette réquisition de quoi savoir qui demande et à quel titre : elle ne prolonge aucun gel.",
        "This requisition lacks who asks and by what right: it prolongs no hold.",
    ),
    remedy: (
        "Complétez-la au registre : ce qui manque y est nommé.",
        "Complete it in the register: what is missing is named there.",
    ),
};
const OTHER: Own = Own {
    rule: "hold-only-what-is-asked",
    article: "CSI R253-4 al. 3 ; RGPD art. 5 § 1 c",
    text: (
        "Cette réquisition ne demande pas tout ce que ce gel conserve, ou la commune l'a refusée.",
        "This requisition does not ask for all that this hold keeps, or the town refused it.",
    ),
    remedy: (
        "Tant que les images vivent, gelez exactement ce que la réquisition demande, puis levez ce gel.",
        "While the pictures live, hold exactly what the requisition asks for, then lift this hold.",
    ),
};
