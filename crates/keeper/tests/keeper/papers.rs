//! What the keeper tells for papers: to whom, when, and that it is what the log says.

use crate::export::{Desk, delivery};
use domain::{AccessId, HoldId, RequisitionId, Role, Span};
use keeper::wire::{
    exports::ExportQuestion,
    papers::{PaperQuestion, PaperSays},
};
use ledger::Event;
use vault::{KeeperError, keeper::SessionSecret};

impl Desk {
    fn paper(&self, question: PaperQuestion) -> Result<PaperSays, KeeperError> {
        self.town.opened.core.paper_question(question).map(|answer| {
            assert!(!answer.town.name.is_empty() && answer.town.log_key.contains('+'));
            answer.says
        })
    }

    fn day(&self) -> Span {
        let now = self.town.world.now();
        Span::new(now.plus_seconds(-3_600), now.plus_seconds(3_600)).unwrap()
    }
}

/// The paper of each register, and the journal.
fn all(desk: &Desk, session: &SessionSecret, requisition: RequisitionId, hold: HoldId) -> [PaperQuestion; 4] {
    let session = || session.clone();
    [
        PaperQuestion::Requisition { session: session(), id: requisition },
        PaperQuestion::Hold { session: session(), id: hold },
        PaperQuestion::Access { session: session(), id: AccessId([9; 16]) },
        PaperQuestion::Exports { session: session(), span: desk.day() },
    ]
}

#[test]
fn papers_are_for_those_who_may_see_the_same_and_the_officer_s_journal_names_nobody() {
    let desk = Desk::new(901);
    let requisition = desk.registers(desk.draft());
    let view = desk.opens(requisition, vec![desk.window(1, 10, 20)]);
    desk.package(&view);
    let session = desk.first.session.clone();
    let handed = Box::new(delivery(&desk, &view));
    desk.asks(ExportQuestion::Deliver { session: session.clone(), requisition, delivery: handed }).unwrap();
    let hold = HoldId([9; 16]);
    for (name, role) in
        [("agente", Role::Operator), ("informatique", Role::Administrator), ("contrôle", Role::Inspector)]
    {
        let other = desk.town.person(name, role);
        for question in all(&desk, &other.session, requisition, hold) {
            assert!(matches!(desk.paper(question), Err(KeeperError::Forbidden { .. })), "{name}");
        }
    }
    let officer = desk.town.person("déléguée", Role::Dpo);
    let [of_requisition, of_hold, of_access, journal] = all(&desk, &officer.session, requisition, hold);
    for question in [of_requisition, of_hold] {
        assert!(matches!(desk.paper(question), Err(KeeperError::Forbidden { .. })));
    }
    assert!(matches!(desk.paper(of_access), Ok(PaperSays::Unknown)));
    let PaperSays::Exports(lines, _) = desk.paper(journal).unwrap() else { panic!("a journal") };
    let (executed, second) = (lines[0].executed.as_ref().unwrap(), lines[0].second.as_ref().unwrap());
    assert!(executed.name.reveal().is_empty() && second.name.reveal().is_empty() && executed.habilitation.is_empty());
    assert_eq!(executed.role, "municipal-police");

    let [of_requisition, of_hold, _, journal] = all(&desk, &session, requisition, hold);
    assert!(matches!(desk.paper(of_hold), Ok(PaperSays::Unknown)));
    let PaperSays::Exports(lines, size) = desk.paper(journal).unwrap() else { panic!("a journal") };
    assert_eq!(lines[0].executed.as_ref().unwrap().name.reveal(), "brigadier");
    assert!(lines[0].entry < size && lines.len() == 1);
    let PaperSays::Requisition(known) = desk.paper(of_requisition).unwrap() else { panic!("a requisition") };
    let line = &known.exports[0];
    assert_eq!(line.second.as_ref().unwrap().name.reveal(), "chef de service");
    assert_eq!(line.delivery.as_ref().unwrap().medium, "clé USB n° 1");
    assert!(line.entry < line.made.unwrap() && line.manifest.is_some());
    let named = |pictures: &keeper::wire::papers::Pictures| !pictures.camera.is_empty();
    assert!(known.windows.iter().all(named) && line.pictures.iter().all(named));
}

#[test]
fn a_hold_s_certificate_waits_for_its_keys_death_and_an_hour_s_for_its_own_and_both_name_their_entries() {
    let desk = Desk::new(902);
    let window = desk.window(1, 21, 81);
    let hold = desk.holds(vec![window], None).hold;
    let papers = |session: &SessionSecret| {
        let hold = desk.paper(PaperQuestion::Hold { session: session.clone(), id: hold });
        (hold.unwrap(), desk.paper(PaperQuestion::Destruction { session: session.clone(), window }).unwrap())
    };
    assert!(matches!(papers(&desk.first.session), (PaperSays::NotYet, PaperSays::NotYet)));
    for _ in 0..2 {
        desk.town.world.clock.pass(86_400);
        desk.town.opened.core.tick().unwrap();
    }
    let late = desk.a_day_later();
    desk.town.opened.core.tick().unwrap();
    let (PaperSays::Hold(ended), PaperSays::Destruction(dead)) = papers(&late.session) else { panic!("both are dead") };
    let events: Vec<Event> = desk.town.opened.entries().into_iter().map(|entry| entry.event).collect();
    let at = |seq: &u64| &events[usize::try_from(*seq).unwrap()];
    assert_eq!(ended.number, 1);
    assert!(matches!(at(&ended.entries[0][0]), Event::Hold { .. }));
    assert!(ended.entries[1].iter().all(|seq| matches!(at(seq), Event::HoldEnded { .. })));
    assert!(!ended.entries[2].is_empty());
    assert!(ended.entries[2].iter().all(|seq| matches!(at(seq), Event::HoldDestroyed { .. })));
    let of = |cameras: &[domain::CameraId]| cameras.contains(&window.camera);
    assert!(!dead.hours.is_empty() && !dead.destroyed.is_empty() && !dead.condemned.is_empty());
    assert!(dead.destroyed.iter().all(|seq| matches!(at(seq), Event::Destroyed { cameras, .. } if of(cameras))));
    assert!(dead.condemned.iter().all(|seq| matches!(at(seq), Event::Condemned { cameras, .. } if of(cameras))));
    assert_eq!((dead.copies, dead.early, dead.holds.len()), (2, false, 0));
    // a time that is not over, and one that was never recorded, have no certificate
    let on = Span::new(window.span.from(), desk.town.world.now().plus_seconds(3_600)).unwrap();
    let question =
        PaperQuestion::Destruction { session: late.session.clone(), window: domain::Window { span: on, ..window } };
    assert!(matches!(desk.paper(question), Ok(PaperSays::NotYet)));
    let never = domain::Window {
        span: Span::new(window.span.from().plus_seconds(-40 * 86_400), window.span.from().plus_seconds(-39 * 86_400))
            .unwrap(),
        ..window
    };
    let question = PaperQuestion::Destruction { session: late.session.clone(), window: never };
    assert!(matches!(desk.paper(question), Ok(PaperSays::NotYet)));
}
