//! What papers say: the registers' lines with names beside their ids, and the log's word. Nothing is decided and nothing is entered
//! here: who may have a paper is who may see the same on a page.

use crate::{
    core::{KeeperCore, failed, malformed},
    wire::{
        FateState, HourFate,
        papers::{
            DestructionPaper, ExportLine, HoldPaper, PaperAnswer, PaperQuestion, PaperSays, PaperTown, Pictures,
            RequisitionPaper, TownPerson,
        },
    },
};
use catalog::ExportRow;
use domain::{
    AccountId, HoldId, Hour, RequisitionId, Role, Span, UtcMicros, Window,
    act::{ActKind, ActScope},
    limit::MESSAGE_BYTES_MAX,
};
use ledger::{Entry, Event};
use vault::{KeeperError, keeper::SessionSecret};

/// Of an export's line without its windows, and of each of these, about.
const LINE_BYTES: usize = 1_024;
const PICTURES_BYTES: usize = 512;
/// A journal that is longer is asked for in parts.
const JOURNAL_BYTES_MAX: usize = MESSAGE_BYTES_MAX * 3 / 4;

impl KeeperCore {
    /// What web asks to fill a paper in.
    pub fn paper_question(&self, question: PaperQuestion) -> Result<PaperAnswer, KeeperError> {
        let says = match question {
            PaperQuestion::Requisition { session, id } => self.paper_of_requisition(&session, id),
            PaperQuestion::Access { session, id } => {
                let view = self.access_one(&session, id)?;
                Ok(view.map_or(PaperSays::Unknown, |view| PaperSays::Access(Box::new(view))))
            }
            PaperQuestion::Hold { session, id } => self.paper_of_hold(&session, id),
            PaperQuestion::Destruction { session, window } => self.paper_of_destruction(&session, &window),
            PaperQuestion::Exports { session, span } => self.journal_of_exports(&session, span),
        };
        Ok(PaperAnswer { says: says?, town: self.paper_town()? })
    }

    fn paper_town(&self) -> Result<PaperTown, KeeperError> {
        let published = self.parts.journal.published().map_err(failed)?;
        Ok(PaperTown {
            name: self.parts.registry.site().name.clone(),
            log_key: self.parts.journal.checkpoint_key().verifier_key(),
            checkpoint: published.map(|(_, checkpoint)| (checkpoint.size, checkpoint.root)),
        })
    }

    fn paper_of_requisition(&self, session: &SessionSecret, id: RequisitionId) -> Result<PaperSays, KeeperError> {
        let Some(view) = self.requisition_one(session, id)? else { return Ok(PaperSays::Unknown) };
        let rows = self.parts.registry.exports().map_err(failed)?;
        let of = rows.iter().filter(|row| row.requisition == id);
        let exports = of.map(|row| self.export_line(row, &view.requisition)).collect::<Result<_, _>>()?;
        let windows = self.pictures(&view.requisition.says.windows)?;
        Ok(PaperSays::Requisition(Box::new(RequisitionPaper { view, windows, exports })))
    }

    fn export_line(&self, row: &ExportRow, of: &domain::Requisition) -> Result<ExportLine, KeeperError> {
        let (made, copy_destroyed) = {
            let places = &self.moving().places;
            (places.exported(row.id), places.copy_destroyed(row.id))
        };
        let delivery = of.says.deliveries.iter().find(|delivery| delivery.export == row.id);
        Ok(ExportLine {
            export: row.id,
            entry: row.leaf,
            made,
            opened: row.opened,
            number: of.label(),
            framework: of.says.framework_title(),
            pictures: self.pictures(&row.windows)?,
            executed: self.town_person(row.account, row.opened)?,
            second: self.town_person(row.second, row.opened)?,
            manifest: row.manifest.map(ledger::Digest),
            delivery: delivery.cloned(),
            copy_destroyed,
        })
    }

    /// With the act by which somebody was habilitated then.
    fn town_person(&self, id: AccountId, at: UtcMicros) -> Result<Option<TownPerson>, KeeperError> {
        let Some(account) = self.parts.registry.account(id).map_err(failed)? else { return Ok(None) };
        let acts = self.known_acts()?;
        let is_theirs = |kind| matches!(kind, ActKind::Habilitation | ActKind::Approval);
        let mut held =
            acts.iter().filter(|act| is_theirs(act.kind) && act.scope == ActScope::Person(id) && act.holds_at(at));
        let habilitation = held.next().map(|act| act.number.clone()).unwrap_or_default();
        Ok(Some(TownPerson { name: account.name, role: account.role, habilitation }))
    }

    pub(crate) fn pictures(&self, windows: &[Window]) -> Result<Vec<Pictures>, KeeperError> {
        windows.iter().map(|window| self.pictures_of(window)).collect()
    }

    fn pictures_of(&self, window: &Window) -> Result<Pictures, KeeperError> {
        let (camera, place) = self.as_it_was(window)?;
        Ok(Pictures { camera, place, span: window.span })
    }

    fn paper_of_hold(&self, session: &SessionSecret, id: HoldId) -> Result<PaperSays, KeeperError> {
        self.registrar(session)?;
        let Some(known) = self.moving().holds.get(id).cloned() else { return Ok(PaperSays::Unknown) };
        let Some(((ended, _), destroyed)) = known.ended.zip(known.destroyed).filter(|_| known.is_destroyed()) else {
            return Ok(PaperSays::NotYet);
        };
        let statement = self.parts.keyring.custodian().statement();
        Ok(PaperSays::Hold(Box::new(HoldPaper {
            number: known.says.number,
            opened: known.says.opened,
            requester: known.says.requester,
            pictures: self.pictures(&known.says.windows)?,
            requisition: known.requisition.map(|(_, number)| number),
            ended,
            whys: known.whys.into_iter().collect(),
            destroyed,
            entries: [vec![known.says.leaf], known.ends, known.deaths],
            custodian: (statement.fr.into(), statement.en.into()),
        })))
    }

    /// Only where every hour that had a key is dead, and the log can still say when.
    fn paper_of_destruction(&self, session: &SessionSecret, window: &Window) -> Result<PaperSays, KeeperError> {
        let mut hours = self.see_hours(session, window.camera, window.span)?;
        hours.retain(|hour| hour.state != FateState::Empty);
        let is_told = |hour: &HourFate| hour.state == FateState::Destroyed && hour.destroyed_at.is_some();
        // what is still to come has no key either
        if self.decision_time() < window.span.to() || hours.is_empty() || !hours.iter().all(is_told) {
            return Ok(PaperSays::NotYet);
        }
        let mut destroyed: Vec<u64> = hours.iter().filter_map(|hour| self.death_of(window.camera, hour.hour)).collect();
        sort(&mut destroyed);
        let (kind, copies) = self.confirmed_by(&destroyed)?;
        let (mut condemned, residual_bytes, early, holds) = {
            let moving = self.moving();
            let condemned: Vec<(Hour, u64)> =
                hours.iter().flat_map(|at| moving.places.condemned(at.hour).map(|entry| (at.hour, entry))).collect();
            let residual = hours.iter().map(|at| moving.places.residual(at.hour)).sum();
            let fate = |at: &HourFate| moving.fates.of(at.hour, window.camera);
            let early = hours.iter().filter_map(fate).any(|fate| fate.early);
            let covers = |held: &Window| {
                held.camera == window.camera
                    && held.span.from() < window.span.to()
                    && window.span.from() < held.span.to()
            };
            let standing = moving.holds.standing().filter(|(_, hold)| hold.says.windows.iter().any(covers));
            (condemned, residual, early, standing.map(|(_, hold)| hold.says.number).collect())
        };
        condemned.retain(|(_, entry)| self.condemns(*entry, window));
        let mut condemned: Vec<u64> = condemned.into_iter().map(|(_, entry)| entry).collect();
        sort(&mut condemned);
        let statement = self.parts.keyring.custodian().statement();
        Ok(PaperSays::Destruction(Box::new(DestructionPaper {
            pictures: self.pictures_of(window)?,
            hours,
            early,
            condemned,
            destroyed,
            kind,
            copies,
            custodian: (statement.fr.into(), statement.en.into()),
            residual_bytes,
            holds,
        })))
    }

    /// The kind of custodian that the last of these entries names, and the fewest copies that confirmed any of them.
    fn confirmed_by(&self, destroyed: &[u64]) -> Result<(String, u8), KeeperError> {
        let (mut kind, mut fewest) = (String::new(), u8::MAX);
        for seq in destroyed {
            if let Some(Event::Destroyed { custodian, copies, .. }) = self.event_of(*seq) {
                (kind, fewest) = (custodian, fewest.min(copies));
            }
        }
        if kind.is_empty() {
            Err(failed("the log does not say who destroyed what it says is dead"))
        } else {
            Ok((kind, fewest))
        }
    }

    fn condemns(&self, seq: u64, window: &Window) -> bool {
        matches!(self.event_of(seq), Some(Event::Condemned { cameras, .. }) if cameras.contains(&window.camera))
    }

    /// As far as its details can still be read.
    fn event_of(&self, seq: u64) -> Option<Event> {
        let journal = &self.parts.journal;
        let (_, details) = journal.open_details(&journal.read(seq).ok()?).ok()?;
        Some(Entry::from_details(&details).ok()?.event)
    }

    /// For who may process requisitions, and for the data-protection officer: counts and words, no picture.
    fn journal_of_exports(&self, session: &SessionSecret, span: Span) -> Result<PaperSays, KeeperError> {
        let account = self.desk(session)?;
        let rows = self.parts.registry.exports().map_err(failed)?;
        let mut of: Vec<&ExportRow> = rows.iter().filter(|row| span.holds(row.opened)).collect();
        of.sort_by_key(|row| row.leaf);
        let bytes: usize = of.iter().map(|row| LINE_BYTES + row.windows.len() * PICTURES_BYTES).sum();
        if JOURNAL_BYTES_MAX < bytes {
            return Err(malformed("more exports than fit one journal: ask for a shorter time"));
        }
        let size = self.parts.journal.size();
        // who somebody is, the officer learns from another person's word too, not from a list
        let is_officer = account.role == Role::Dpo.name();
        let line = |row: &&ExportRow| {
            let mut line = self.export_line(row, &self.requisition(row.requisition)?)?;
            for person in [&mut line.executed, &mut line.second].into_iter().flatten().filter(|_| is_officer) {
                (person.name, person.habilitation) = Default::default();
            }
            Ok(line)
        };
        Ok(PaperSays::Exports(of.iter().map(line).collect::<Result<_, _>>()?, size))
    }
}

fn sort(entries: &mut Vec<u64>) {
    entries.sort_unstable();
    entries.dedup();
}
