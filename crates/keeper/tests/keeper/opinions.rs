//! What is asked for under another text than the requisitions of the CPP leaves when the head of the service and the data-protection
//! officer both say yes in writing, to the words as they stand.

use crate::{
    export::{Desk, text},
    reviews::AccountHolder,
};
use domain::{
    RequisitionFacts, RequisitionId, Role, Window,
    requisition::{Framework, Ground, Means, Outcome},
};
use keeper::wire::exports::{ExportAnswer, ExportQuestion, OpinionView};
use ledger::Event;
use vault::KeeperError;

const WHY: &str = "l'acte est motivé et ne demande que le nécessaire";

impl Desk {
    /// Of a disciplinary procedure, with its act.
    fn procedure(&self) -> RequisitionFacts {
        RequisitionFacts {
            framework: Framework::Disciplinary,
            means: Means::Post,
            scan: Some(self.sends_scan()),
            ..self.draft()
        }
    }

    fn says(
        &self,
        by: &AccountHolder,
        requisition: RequisitionId,
        favourable: bool,
    ) -> Result<Vec<String>, KeeperError> {
        let (session, reason) = (by.session.clone(), text(WHY));
        match self.asks(ExportQuestion::Opinion { session, requisition, favourable, reason })? {
            ExportAnswer::Registered { lacks, .. } => Ok(lacks.into_iter().map(|lack| lack.field).collect()),
            other => panic!("{other:?}"),
        }
    }

    fn waiting(&self, by: &AccountHolder) -> Vec<OpinionView> {
        match self.asks(ExportQuestion::Opinions { session: by.session.clone() }).unwrap() {
            ExportAnswer::Opinions(views) => views,
            other => panic!("{other:?}"),
        }
    }

    fn lacks_of(&self, requisition: RequisitionId, windows: &[Window]) -> Vec<String> {
        let answer = self.opens_with(&self.first, self.town.proof(&self.second), requisition, windows.to_vec());
        let ExportAnswer::Incomplete(lacks) = answer else { panic!("{answer:?}") };
        lacks.into_iter().map(|lack| lack.field).collect()
    }

    fn changes_of(&self, requisition: RequisitionId) -> Vec<String> {
        let entries = self.town.opened.entries().into_iter();
        let changes = entries.filter_map(|entry| match entry.event {
            Event::Requisition { change, requisition: of, .. } if of == requisition => Some(change),
            _ => None,
        });
        changes.collect()
    }
}

#[test]
fn a_procedure_leaves_by_its_act_and_two_favourable_opinions_and_the_law_is_asked_for_that() {
    let desk = Desk::new(821);
    let dpo = desk.town.person("déléguée", Role::Dpo);
    let requisition = desk.registers(desk.procedure());
    let windows = vec![desk.window(1, 21, 81)];
    assert_eq!(desk.lacks_of(requisition, &windows), ["opinion.head-of-service", "opinion.dpo"]);
    assert_eq!(desk.says(&desk.second, requisition, true).unwrap(), ["opinion.dpo"]);
    assert_eq!(desk.says(&dpo, requisition, true).unwrap(), [""; 0]);
    let view = desk.opens(requisition, windows);
    let package = desk.package(&view);
    assert_eq!(desk.verdict(&package).findings, []);
    let rules = desk.town.opened.entries().into_iter().find_map(|entry| match entry.event {
        Event::Export { rules, .. } => Some(rules),
        _ => None,
    });
    assert_eq!(rules.unwrap(), ["municipal-police-executes-reasoned-acts"]);
    assert_eq!(desk.changes_of(requisition), ["entered", "opinion-favourable", "opinion-favourable"]);
    // an opinion that changes stops what was allowed before
    desk.says(&dpo, requisition, false).unwrap();
    let question = ExportQuestion::Permits { session: desk.first.session.clone(), export: view.export };
    assert!(matches!(desk.asks(question), Err(KeeperError::NoPermit)));
}

#[test]
fn an_opinion_is_on_the_words_as_they_stand_and_none_is_its_writer_s_own() {
    let desk = Desk::new(822);
    let dpo = desk.town.person("déléguée", Role::Dpo);
    let requisition = desk.registers(desk.procedure());
    assert!(matches!(desk.says(&desk.first, requisition, true), Err(KeeperError::Forbidden { .. })));
    desk.says(&desk.second, requisition, true).unwrap();
    desk.says(&dpo, requisition, true).unwrap();
    let again = |by: &AccountHolder, says: RequisitionFacts| {
        let session = by.session.clone();
        let question = ExportQuestion::Register { session, known: Some(requisition), says: Box::new(says) };
        match desk.asks(question).unwrap() {
            ExportAnswer::Registered { lacks, .. } => lacks.into_iter().map(|lack| lack.field).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    let mut says = desk.procedure();
    says.genuine = desk.line(&desk.first, requisition).says.genuine;
    assert_eq!(again(&desk.first, says.clone()), [""; 0], "the same words keep their opinions");
    says.object = text("tout autre chose");
    assert_eq!(again(&desk.second, says), ["opinion.head-of-service", "opinion.dpo"]);
    assert!(matches!(desk.says(&desk.second, requisition, true), Err(KeeperError::Forbidden { .. })), "wrote it too");
    let views = desk.waiting(&dpo);
    assert_eq!((views.len(), views[0].may.is_some(), views[0].opinions.len()), (1, true, 0));
    assert!(!views[0].pictures.is_empty() && views[0].has_act);
    assert!(desk.waiting(&desk.first)[0].may.is_none());
}

#[test]
fn nobody_else_gives_one_and_none_is_given_without_words_on_a_requisition_or_after_a_refusal() {
    let desk = Desk::new(823);
    let dpo = desk.town.person("déléguée", Role::Dpo);
    let requisition = desk.registers(desk.procedure());
    for role in [Role::Operator, Role::Administrator, Role::Inspector] {
        let other = desk.town.person(role.name(), role);
        assert!(matches!(desk.says(&other, requisition, true), Err(KeeperError::Forbidden { .. })), "{role}");
        let list = desk.asks(ExportQuestion::Opinions { session: other.session.clone() });
        assert!(matches!(list, Err(KeeperError::Forbidden { .. })), "{role}");
    }
    let (session, reason) = (dpo.session.clone(), text("oui"));
    let mute = desk.asks(ExportQuestion::Opinion { session, requisition, favourable: true, reason });
    assert!(matches!(mute, Err(KeeperError::Malformed { .. })), "{mute:?}");
    let judicial = desk.registers(desk.draft());
    assert!(matches!(desk.says(&dpo, judicial, true), Err(KeeperError::Malformed { .. })));
    assert_eq!(desk.waiting(&dpo).len(), 1, "a requisition of the CPP waits for nobody");
    let (session, reason) = (desk.first.session.clone(), text("l'acte n'est pas motivé"));
    let (outcome, ground) = (Outcome::Refused, Some(Ground::Other));
    desk.asks(ExportQuestion::Answer { session, requisition, outcome, ground, reason }).unwrap();
    assert!(matches!(desk.says(&dpo, requisition, true), Err(KeeperError::Malformed { .. })));
}
