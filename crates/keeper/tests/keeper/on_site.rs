//! Who requires looks on site: those present are named, nothing leaves, and the law decides as over the look of the agent who drives.

use crate::{
    export::{Desk, text},
    reviews::AccountHolder,
    support::*,
};
use domain::{Requisition, RequisitionId, Role, requisition::Outcome};
use keeper::wire::exports::{ExportAnswer, ExportQuestion};
use ledger::Event;
use vault::KeeperError;

impl Desk {
    fn views(
        &self,
        by: &AccountHolder,
        requisition: RequisitionId,
        present: &str,
    ) -> Result<ExportAnswer, KeeperError> {
        let (session, present) = (by.session.clone(), text(present));
        self.asks(ExportQuestion::Viewed { session, requisition, present })
    }

    pub fn line(&self, by: &AccountHolder, id: RequisitionId) -> Requisition {
        let ask = ExportQuestion::Requisitions { session: by.session.clone(), before: None };
        match self.asks(ask).unwrap() {
            ExportAnswer::Requisitions(views, _) => {
                views.into_iter().map(|view| view.requisition).find(|one| one.id == id).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn who_requires_sees_pictures_on_site_and_the_register_names_who_was_present() {
    let desk = Desk::new(811);
    let requisition = desk.registers(desk.draft());
    let operator = desk.town.person("opératrice", Role::Operator);
    let forbidden = desk.views(&operator, requisition, "deux gendarmes").unwrap_err();
    assert!(matches!(forbidden, KeeperError::Forbidden { .. }), "{forbidden}");
    assert!(matches!(desk.views(&desk.first, requisition, "  "), Err(KeeperError::Malformed { .. })));
    let entered = desk.views(&desk.second, requisition, "deux gendarmes de la brigade").unwrap();
    assert!(matches!(&entered, ExportAnswer::Registered { lacks, .. } if lacks.is_empty()), "{entered:?}");
    // what a further version says of the requisition takes no look away
    let (session, says) = (desk.first.session.clone(), Box::new(desk.draft()));
    desk.asks(ExportQuestion::Register { session, known: Some(requisition), says }).unwrap();
    let line = desk.line(&desk.first, requisition);
    let [viewing] = &line.says.viewings[..] else { panic!("{line:?}") };
    assert_eq!(
        (viewing.by.reveal().as_str(), viewing.present.reveal().as_str()),
        ("chef de service", "deux gendarmes de la brigade")
    );
    let changes: Vec<String> = desk
        .town
        .opened
        .entries()
        .into_iter()
        .filter_map(|entry| match entry.event {
            Event::Requisition { change, requisition: of, .. } if of == requisition => Some(change),
            _ => None,
        })
        .collect();
    assert_eq!(changes, ["entered", "viewed", "changed"]);
}

#[test]
fn nobody_looks_on_site_without_its_papers_after_a_refusal_or_when_nothing_is_left() {
    let desk = Desk::new(812);
    let mut draft = desk.draft();
    draft.genuine = None;
    let incomplete = desk.registers(draft);
    let lacking = desk.views(&desk.first, incomplete, "un gendarme").unwrap();
    assert!(matches!(&lacking, ExportAnswer::Incomplete(lacks) if lacks[0].field == "genuine"), "{lacking:?}");
    let refused = desk.registers(desk.draft());
    let session = desk.first.session.clone();
    let (ground, reason) = (Some(domain::requisition::Ground::Other), text("elle vise une autre commune"));
    desk.asks(ExportQuestion::Answer { session, requisition: refused, outcome: Outcome::Refused, ground, reason })
        .unwrap();
    let refusal = desk.views(&desk.first, refused, "un gendarme").unwrap();
    let ExportAnswer::Refused(refusal) = refusal else { panic!("{refusal:?}") };
    assert_eq!(
        refusal.reasons.iter().map(|reason| reason.rule.as_str()).collect::<Vec<_>>(),
        ["export-requisition-refused"]
    );
    let standing = desk.registers_in_writing();
    desk.pass_to(desk.from.plus_seconds(32 * DAY));
    desk.town.opened.core.tick().unwrap();
    let late = desk.views(&desk.signs_in_anew("garde"), standing, "un gendarme");
    assert!(
        matches!(&late, Err(KeeperError::Malformed { what }) if what.contains("nothing of these pictures lives")),
        "{late:?}"
    );
    assert!(desk.line(&desk.signs_in_anew("ronde"), refused).says.viewings.is_empty());
}
