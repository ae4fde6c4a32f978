//! What everybody, the two persons and the data-protection officer are told of break-glass; and how the officer acknowledges it.

use crate::{
    core::{KeeperCore, actor, failed},
    glass::{READ, Told},
    health::finding,
    wire::{Answer, Finding, FindingState, GlassDone, GlassLine, GlassMay, GlassState, GlassView, PersonProof},
};
use catalog::Account;
use domain::{GlassId, UtcMicros, limit::BREAK_GLASS_SECONDS};
use ledger::{Actor, BreakGlass, Event};
use policy::{
    Language, Role,
    calendar::{day_en, day_fr},
    glass::says,
};
use vault::{KeeperError, keeper::SessionSecret};

/// Who reads the list.
struct Viewer<'a> {
    account: &'a Account,
    is_dpo: bool,
    sees_pictures: bool,
}

impl KeeperCore {
    /// Names and reasons are told to the persons concerned, to those who may confirm, and to the officer.
    pub(crate) fn glass_view(&self, session: &SessionSecret) -> Result<GlassView, KeeperError> {
        let (account, _) = self.who(session)?;
        let sees_pictures = self.sees_pictures(&account, self.decision_time())?;
        let viewer = Viewer { is_dpo: account.role == Role::Dpo.name(), account: &account, sees_pictures };
        let mut view = self.glasses();
        for line in &mut view.lines {
            viewer.is_told(line);
        }
        Ok(view)
    }

    /// With everything: for the command line of the machine's own administrator.
    pub(crate) fn glasses(&self) -> GlassView {
        let moving = self.moving();
        let glasses = &moving.glass;
        let asked = glasses.asks.iter().map(|asking| GlassLine {
            id: asking.id,
            state: GlassState::Asked,
            who: Some(asking.who.clone()),
            second: None,
            reason: Some(asking.reason.clone()),
            cameras: asking.cameras.clone(),
            at: asking.at,
            until: None,
            looks: 0,
            may: vec![],
        });
        let told = glasses.book.0.iter().map(|(id, told)| {
            let is_open = glasses.open.iter().any(|open| open.id == *id);
            line(*id, told, if is_open { GlassState::Open } else { GlassState::Ended })
        });
        let mut lines: Vec<GlassLine> = asked.chain(told).collect();
        drop(moving);
        lines.sort_by_key(|line| line.at);
        let [text_fr, text_en] = [Language::French, Language::English].map(|language| says(language).to_owned());
        let seconds = u32::try_from(BREAK_GLASS_SECONDS).unwrap_or(u32::MAX);
        GlassView { now: self.decision_time(), seconds, text_fr, text_en, lines }
    }

    /// In the console, by the officer's own session.
    pub(crate) fn glass_read(&self, session: &SessionSecret, glass: GlassId) -> Result<Answer, KeeperError> {
        let (account, _) = self.who_acts(session)?;
        self.acknowledge(&account, glass).map(Answer::GlassDone)
    }

    /// At the command line, by an officer who shows both factors there.
    pub(crate) fn glass_read_by(
        &self,
        cli: Actor,
        person: &PersonProof,
        glass: GlassId,
    ) -> Result<Answer, KeeperError> {
        match self.by_both_factors(cli, person)? {
            Ok(account) => self.acknowledge(&account, glass).map(Answer::GlassDone),
            Err(wait_seconds) => Ok(Answer::Denied { wait_seconds }),
        }
    }

    /// 1 by the officer alone · 2 when it is over · 3 entry; the alarm ends with it
    fn acknowledge(&self, account: &Account, glass: GlassId) -> Result<GlassDone, KeeperError> {
        if account.role != Role::Dpo.name() {
            return Ok(GlassDone::NotTheOfficer); // 1
        }
        let told = self.moving().glass.book.0.get(&glass).cloned();
        let Some(told) = told else { return Ok(GlassDone::Unknown) };
        if told.ended.is_none() {
            return Ok(GlassDone::StillOpen); // 2
        }
        let read = BreakGlass { change: READ.into(), ..told.opened };
        self.enter_events(actor(account), vec![Event::BreakGlass(read)])?; // 3
        Ok(GlassDone::Acknowledged)
    }

    /// Loud while it is open, and until the officer has acknowledged it. No name: everybody sees this page.
    pub(crate) fn glass_findings(&self) -> Result<Vec<Finding>, KeeperError> {
        let view = self.glasses();
        let of = |state| view.lines.iter().filter(move |line| line.state == state);
        let mut findings = Vec::new();
        let cameras: usize = of(GlassState::Open).map(|line| line.cameras.len()).sum();
        if let Some(until) = of(GlassState::Open).filter_map(|line| line.until).max() {
            let count = of(GlassState::Open).count();
            findings.push(open_finding(count, cameras, until));
        }
        if let Some(first) = of(GlassState::Ended).map(|line| line.at).min() {
            let has_officer = self
                .parts
                .registry
                .accounts()
                .map_err(failed)?
                .iter()
                .any(|account| !account.disabled && account.role == Role::Dpo.name());
            findings.push(unread_finding(of(GlassState::Ended).count(), first, has_officer));
        }
        Ok(findings)
    }
}

impl Viewer<'_> {
    fn is_told(&self, line: &mut GlassLine) {
        let name = Some(&self.account.name);
        let (is_first, is_second) = (line.who.as_ref() == name, line.second.as_ref() == name);
        let confirms = line.state == GlassState::Asked && (is_first || self.sees_pictures);
        if confirms {
            // who asked has the second person at the same screen
            line.may.push(GlassMay::Confirm);
        }
        if line.state != GlassState::Ended && (is_first || is_second || self.is_dpo) {
            line.may.push(GlassMay::End);
        }
        if line.state == GlassState::Ended && self.is_dpo {
            line.may.push(GlassMay::Acknowledge);
        }
        if is_first {
            line.may.push(GlassMay::Look);
        }
        if !(is_first || is_second || confirms || self.is_dpo) {
            (line.who, line.second, line.reason) = (None, None, None);
        }
    }
}

fn line(id: GlassId, told: &Told, state: GlassState) -> GlassLine {
    let opened = &told.opened;
    GlassLine {
        id,
        state,
        who: Some(opened.who.clone()),
        second: opened.second.clone(),
        reason: Some(opened.reason.clone()),
        cameras: opened.cameras.clone(),
        at: told.at,
        until: opened.until,
        looks: told.looks,
        may: vec![],
    }
}

fn open_finding(count: usize, cameras: usize, until: UtcMicros) -> Finding {
    finding(
        "break-glass-open",
        FindingState::Alarm,
        ("Accès d'urgence ouvert", "Break-glass open"),
        (
            format!(
                "{count} accès d'urgence ouvert(s) par deux personnes, {cameras} caméra(s), jusqu'au {} : les règles propres à la \
                 commune ne s'y appliquent pas, celles de la loi si. La page « Accès d'urgence » permet d'y mettre fin.",
                day_fr(until)
            ),
            format!(
                "{count} break-glass opened by two persons, {cameras} camera(s), until {}: the town's own rules do not apply there, \
                 the law's do. The page \"Break-glass\" ends it.",
                day_en(until)
            ),
        ),
    )
}

fn unread_finding(count: usize, first: UtcMicros, has_officer: bool) -> Finding {
    let (who_fr, who_en) = if has_officer {
        ("", "")
    } else {
        (
            " Aucun compte n'a cette qualité : `vigie account add NOM --role dpo`.",
            " No account has that role: `vigie account add NAME --role dpo`.",
        )
    };
    finding(
        "break-glass-unread",
        FindingState::Alarm,
        ("Accès d'urgence à examiner", "Break-glass to be examined"),
        (
            format!(
                "{count} accès d'urgence terminé(s), le premier ouvert le {} : le délégué à la protection des données doit en \
                 prendre acte, sur la page « Accès d'urgence » ou par `vigie break-glass acknowledge`.{who_fr}",
                day_fr(first)
            ),
            format!(
                "{count} break-glass that ended, the first one opened at {}: the data-protection officer must acknowledge it, on the \
                 page \"Break-glass\" or by `vigie break-glass acknowledge`.{who_en}",
                day_en(first)
            ),
        ),
    )
}
