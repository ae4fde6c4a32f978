//! Papers: entered in the ledger before the registry has them, all or none; over a disk that fails at every step.

use crate::support::*;
use aws_lc_rs::digest::{SHA256, digest};
use disk::{Fault, Happened};
use domain::{ActKind, ActTerms, OrderTerms, Purpose, Role, Sensitive, UtcMicros};
use keeper::wire::{ActQuery, Answer, ScanPart};
use ledger::{Actor, Event};
use policy::acts::{About, Draft};
use std::{io::ErrorKind, sync::Arc};

const CLI: Actor = Actor::Cli { uid: 0 };

pub fn order(number: &str, until: i64) -> Draft {
    Draft {
        kind: ActKind::Authorisation,
        number: number.into(),
        signed: utc(-3 * DAY),
        signatory: Sensitive::new("démonstration, aucun préfet n'a signé".into()),
        from: utc(-2 * DAY),
        until: Some(utc(until)),
        about: About::Cameras(vec!["camera 1".into(), "camera 2".into()]),
        terms: ActTerms::Order(OrderTerms {
            prefecture: "Gironde".into(),
            purposes: vec![Purpose::SafetyOfPersonsAndProperty],
            retention_days: 15,
            minimum_hours: None,
            recipients: vec![],
            hosting_place: "mairie".into(),
            event_end: None,
        }),
        scan: None,
    }
}

fn approval(person: &str) -> Draft {
    approval_for(person, "agrément", "commune")
}

fn approval_for(person: &str, number: &str, territory: &str) -> Draft {
    Draft {
        kind: ActKind::Approval,
        about: About::Person(Sensitive::new(person.into())),
        terms: ActTerms::Capacity { role: Role::Operator, territory: territory.into() },
        ..order(number, 100 * DAY)
    }
}

/// The same under a number of its own, for the communes that it names.
pub fn approve_for(opened: &Opened, person: &str, number: &str, territory: &str) {
    let entered = opened.core.acts_enter(CLI, vec![approval_for(person, number, territory)]).unwrap();
    assert!(matches!(entered, Answer::ActsEntered(_)), "{entered:?}");
}

/// The prefect's approval of an operator's account, without which it sees nothing.
pub fn approve(opened: &Opened, person: &str) {
    let entered = opened.core.acts_enter(CLI, vec![approval(person)]).unwrap();
    assert!(matches!(entered, Answer::ActsEntered(_)), "{entered:?}");
}

/// It is withdrawn from now on.
pub fn withdraw_approval(opened: &Opened) {
    opened.core.act_withdraw(CLI, "agrément", None).unwrap();
}

/// Numbers of the papers that hold, but for the demonstration's, which every registry here begins with.
fn numbers(opened: &Opened, now: UtcMicros) -> Vec<String> {
    let acts = opened.core.acts_at(now).unwrap().into_iter();
    acts.map(|act| act.number).filter(|number| number != "demonstration").collect()
}

fn entered(opened: &Opened) -> Vec<(String, String)> {
    let acts = opened.entries().into_iter().filter_map(|entry| match entry.event {
        Event::Act { change, number, .. } => Some((change, number)),
        _ => None,
    });
    acts.collect()
}

#[test]
fn a_dossier_is_entered_whole_or_told_everything_that_is_wrong_with_it() {
    let world = World::beside(40, Arc::new(registry()));
    let opened = world.open();
    let mut wrong = order("2", 10 * 366 * DAY);
    wrong.about = About::Cameras(vec!["camera 1".into()]);
    let mut unknown = order("3", DAY);
    unknown.about = About::Cameras(vec!["nowhere".into()]);
    let asked = vec![
        order("1", 100 * DAY),
        wrong,
        unknown,
        approval("operator"),
        approval("nobody"),
        approval("administrator"),
    ];
    let Answer::ActsRefused(refused) = opened.core.acts_enter(CLI, asked).unwrap() else { panic!("refused") };
    let told: Vec<(u32, &str)> =
        refused.iter().flat_map(|act| act.problems.iter().map(|problem| (act.nth, &*problem.field))).collect();
    assert_eq!(told, [(2, "until"), (3, "cameras"), (5, "person"), (6, "role")]);
    assert!(!format!("{refused:?}").contains("nobody"), "a name of a person is in no text");
    assert_eq!((entered(&opened), numbers(&opened, world.now())), (vec![], Vec::<String>::new()));

    let whole = vec![order("1", 100 * DAY), approval("operator")];
    assert!(
        matches!(opened.core.acts_enter(CLI, whole.clone()).unwrap(), Answer::ActsEntered(acts) if acts.len() == 2)
    );
    assert_eq!(numbers(&opened, world.now()), ["1", "agrément"]);
    assert_eq!(numbers(&opened, utc(100 * DAY)), Vec::<String>::new(), "after their end they hold no more");
    let again = opened.core.acts_enter(CLI, whole).unwrap();
    assert!(matches!(again, Answer::ActsRefused(refused) if refused.len() == 2), "the same paper is entered once");
}

#[test]
fn a_withdrawn_act_holds_until_its_withdrawal_and_the_list_tells_what_was_known() {
    let world = World::beside(41, Arc::new(registry()));
    let opened = world.open();
    opened.core.acts_enter(CLI, vec![order("1", 100 * DAY)]).unwrap();
    let before = world.now();
    world.clock.pass(DAY);
    opened.core.act_withdraw(CLI, "1", Some(before.plus_seconds(3_600))).unwrap();
    assert_eq!(numbers(&opened, world.now()), Vec::<String>::new());
    assert_eq!(numbers(&opened, before), ["1"]);
    let held = |known_at: UtcMicros| {
        let query = ActQuery { at: Some(before.plus_seconds(7_200)), known_at: Some(known_at), ..ActQuery::default() };
        let Answer::Acts { acts, more: false } = opened.core.act_list(&query).unwrap() else { panic!("a list") };
        acts.iter().filter(|act| act.facts.number == "1").count()
    };
    assert_eq!((held(before), held(world.now())), (1, 0));
    assert_eq!(entered(&opened), [("entered".into(), "1".into()), ("withdrawn".into(), "1".into())]);
    assert!(opened.core.act_withdraw(CLI, "1", None).is_err(), "nothing of that number stands");
}

#[test]
fn a_scan_is_kept_sealed_and_an_act_names_only_a_scan_that_is_kept() {
    let world = World::beside(42, Arc::new(registry()));
    let opened = world.open();
    let scan: Vec<u8> = (0..1_200_000u32).map(|n| (n % 251) as u8).collect();
    let sum: [u8; 32] = digest(&SHA256, &scan).as_ref().try_into().unwrap();
    let mut draft = order("1", 100 * DAY);
    draft.scan = Some(sum);
    assert!(opened.core.acts_enter(CLI, vec![draft.clone()]).is_err());
    let part = |offset: usize, bytes: &[u8], digest| {
        let (total_bytes, offset) = (scan.len() as u64, offset as u64);
        opened.core.scan_part(ScanPart { digest, total_bytes, offset, bytes: Sensitive::new(bytes.to_vec()) })
    };
    assert!(part(600_000, &scan[600_000..1_100_000], sum).is_err(), "what follows nothing");
    for (digest, is_taken) in [([0; 32], false), (sum, true)] {
        let mut last = part(0, &scan[..500_000], digest);
        last = last.and_then(|_| part(500_000, &scan[500_000..1_000_000], digest));
        last = last.and_then(|_| part(1_000_000, &scan[1_000_000..], digest));
        assert_eq!(last.is_ok(), is_taken);
    }
    opened.core.acts_enter(CLI, vec![draft]).unwrap();
    assert!(opened.entries().iter().any(|entry| matches!(&entry.event, Event::Act { digest_hex: Some(_), .. })));

    let path = world.registry_path().parent().unwrap().join("scans");
    let file = std::fs::read_dir(path).unwrap().next().unwrap().unwrap().path();
    let mut sealed = std::fs::read(&file).unwrap();
    assert!(!sealed.windows(64).any(|window| window == &scan[..64]), "nothing of it is readable on the disk");
    let mut read = Vec::new();
    while read.len() < scan.len() {
        let answer = opened.core.scan_read(CLI, &sum, read.len() as u64).unwrap();
        let Answer::Scan(part) = answer else { panic!("a part") };
        read.extend_from_slice(part.bytes.reveal());
    }
    assert_eq!(read, scan);
    sealed[100] ^= 1;
    std::fs::write(&file, sealed).unwrap();
    assert!(opened.core.scan_read(CLI, &sum, 0).is_err(), "a scan that was changed does not open");
}

#[test]
fn whatever_step_fails_no_act_is_in_the_registry_without_its_entry() {
    const FAULTS: [Fault; 4] = [
        Fault::Error(Happened::No, ErrorKind::StorageFull),
        Fault::Error(Happened::Yes, ErrorKind::TimedOut),
        Fault::PowerCut(Happened::No),
        Fault::PowerCut(Happened::Yes),
    ];
    let template = registry();
    let world = World::beside(43, registry_like(&template));
    let opened = world.open();
    let first = world.disk.steps();
    opened.core.acts_enter(CLI, vec![order("1", 100 * DAY)]).unwrap();
    let last = world.disk.steps();
    assert!(first < last, "the ledger is written");
    let mut entries_alone = 0;
    for (step, fault) in (first..last).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        let world = World::beside(43, registry_like(&template));
        let opened = world.open();
        world.disk.plan(step, fault);
        let done = opened.core.acts_enter(CLI, vec![order("1", 100 * DAY)]).is_ok();
        let held = numbers(&opened, world.now()).len();
        assert_eq!(done, held == 1, "step {step}, {fault:?}");
        drop(opened);
        world.disk.reboot();
        let opened = world.open();
        let (held, told) = (numbers(&opened, world.now()).len(), entered(&opened).len());
        assert!(!done || (held, told) == (1, 1), "what was acknowledged is there: step {step}, {fault:?}");
        assert!(held <= told, "step {step}, {fault:?}: {held} acts, {told} entries");
        entries_alone += usize::from((held, told) == (0, 1));
        if held == 0 {
            opened.core.acts_enter(CLI, vec![order("1", 100 * DAY)]).unwrap();
        }
        assert_eq!(numbers(&opened, world.now()).len(), 1, "the same way taken again: step {step}, {fault:?}");
        opened.check_ledger(world.now());
    }
    assert!(0 < entries_alone, "a stop between the entry and the registry was among them");
}
