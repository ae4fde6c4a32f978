//! A camera records and is watched while its papers hold, and no longer; what was recorded lawfully dies on its day.

use crate::support::*;
use domain::{Act, ActId, ActKind, ActScope, ActTerms, CameraId, Purpose, StreamId};
use keeper::wire::{Answer, FindingState};
use ledger::{Actor, Event};
use seal::GroupStart;
use std::sync::Arc;
use vault::keeper::{Beat, KeyQuery, Verdict, View};

/// A world whose order ends so many seconds after the start, whose terms are changed by `change`.
fn world(seed: u64, order_end: i64, change: impl Fn(&mut Act)) -> World {
    let folder = bare_registry();
    let registry = catalog::Registry::open(&folder.path().join("registry")).unwrap();
    let mut acts = demonstration_acts();
    acts[0].until = Some(utc(order_end));
    acts.iter_mut().for_each(change);
    registry.acts_put(&acts, utc(-DAY)).unwrap();
    drop(registry);
    World::beside(seed, Arc::new(folder))
}

fn words(opened: &Opened) -> Vec<(String, CameraId)> {
    let words = opened.entries().into_iter().filter_map(|entry| match entry.event {
        Event::Camera { change, camera, .. } if change.contains("authorised") => Some((change, camera)),
        _ => None,
    });
    words.collect()
}

fn handed(opened: &Opened) -> (u64, Vec<CameraId>, Vec<StreamId>) {
    let Answer::Cameras { version, cameras, withheld } = opened.core.recorder_cameras().unwrap() else {
        panic!("cameras")
    };
    (version, cameras.into_iter().map(|camera| camera.id).collect(), withheld)
}

fn refused(opened: &Opened, view: View) -> Vec<String> {
    match opened.core.pass(&opened.session, &ask(view, &[1])).unwrap() {
        Verdict::Allowed(_) => vec![],
        Verdict::Refused(refused) => refused.reasons.into_iter().map(|reason| reason.rule).collect(),
    }
}

#[test]
fn when_an_order_ends_recording_and_viewing_stop_and_destruction_goes_on() {
    let world = world(60, 1_800, |_| {});
    let opened = world.open();
    opened.core.tick().unwrap();
    assert_eq!(words(&opened).len(), 3, "each camera's beginning is entered, once");
    let (version, cameras, withheld) = handed(&opened);
    assert_eq!((cameras.len(), withheld), (3, vec![]));
    let minted = opened.mint(0, &[1, 2, 3]).remove(0);
    let replay = opened.permit(View::Replay(span(0, 100)), &[1]);
    let live = opened.permit(View::Live, &[1, 2]);
    let alive = |opened: &Opened| {
        let beat = Beat { permits: vec![replay.clone(), live.clone()], ..Beat::default() };
        opened.core.check(&beat).unwrap().alive
    };
    world.clock.pass(1_800 - 61);
    opened.core.tick().unwrap();
    assert_eq!((alive(&opened), handed(&opened).0), (vec![true, true], version), "to its last second nothing changes");

    world.clock.pass(1);
    assert_eq!(alive(&opened), [false, false], "running views end with the order");
    opened.core.tick().unwrap();
    let (stopped, cameras, withheld) = handed(&opened);
    assert!(version < stopped, "the recorder hears that its cameras changed");
    assert_eq!((cameras, withheld.len()), (vec![], 3));
    assert_eq!(opened.mint(2, &[1, 2, 3]).len(), 0, "no key comes to life");
    assert_eq!(refused(&opened, View::Live), ["act-authorisation"]);
    assert_eq!(refused(&opened, View::Replay(span(0, 100))), ["act-authorisation"]);
    let part = opened.reel(7, &minted, 100, GroupStart { reel: domain::ReelId([7; 16]), chunk: 0 });
    let query = KeyQuery { permit: replay.clone(), stream: stream(1), span: span(0, 10), parts: vec![part] };
    assert!(opened.core.keys(&query).is_err(), "an open replay gets no further key");
    assert_eq!(words(&opened)[3..].iter().map(|(word, _)| &**word).collect::<Vec<_>>(), ["not authorised"; 3]);
    assert!(opened.keyring.page(hour(0)).unwrap().is_some(), "what was recorded lawfully can still be delivered");

    drop(opened);
    let opened = world.open();
    opened.core.tick().unwrap();
    assert_eq!(words(&opened).len(), 6, "a restart says nothing again");
    world.clock.pass(31 * DAY);
    opened.core.tick().unwrap();
    assert!(opened.keyring.hours().is_empty(), "and dies on its day");
    opened.check_ledger(world.now());
}

#[test]
fn a_renewal_lets_recording_begin_again_at_once() {
    let world = world(61, 600, |_| {});
    let opened = world.open();
    opened.core.tick().unwrap();
    world.clock.pass(1_200);
    opened.core.tick().unwrap();
    assert_eq!(handed(&opened).1, []);
    let mut renewed = crate::acts::order("renewal", 100 * DAY);
    (renewed.signed, renewed.from) = (world.now(), world.now());
    opened.core.acts_enter(Actor::Cli { uid: 0 }, vec![renewed]).unwrap();
    assert_eq!(handed(&opened).1, [camera(1), camera(2)], "the cameras that it names, and no other");
    assert_eq!(opened.mint(2, &[1, 2, 3]).len(), 2);
    assert_eq!(refused(&opened, View::Live), Vec::<String>::new());
}

#[test]
fn delay_and_purposes_are_never_more_than_the_orders() {
    let world = world(62, 100 * DAY, |act| {
        if let ActTerms::Order(order) = &mut act.terms {
            (order.retention_days, order.purposes) = (5, vec![Purpose::SafetyOfPersonsAndProperty]);
        }
    });
    let opened = world.open();
    // registered with 3, 7 and 30 days
    let deadlines: Vec<i64> = opened
        .mint(0, &[1, 2, 3])
        .iter()
        .map(|minted| minted.deadline.since(hour(0).start()) / 86_400_000_000)
        .collect();
    assert_eq!(deadlines, [3, 5, 5]);
    let mut other = ask(View::Live, &[1]);
    other.purpose = Some(Purpose::Dumping);
    assert!(matches!(opened.core.pass(&opened.session, &other).unwrap(), Verdict::Refused(_)));

    let traffic_only = world_for_traffic();
    let opened = traffic_only.open();
    assert_eq!(refused(&opened, View::Live).len(), 1, "none of its purposes is authorised");
    assert_eq!(handed(&opened).1, []);
}

fn world_for_traffic() -> World {
    world(63, 100 * DAY, |act| {
        if let ActTerms::Order(order) = &mut act.terms {
            order.purposes = vec![Purpose::TrafficRegulation];
        }
    })
}

#[test]
fn each_blocking_act_stops_a_camera_and_a_missing_sign_only_alarms() {
    for kind in [
        ActKind::Authorisation,
        ActKind::CnilCommitment,
        ActKind::MaskStatement,
        ActKind::CommissioningNotice,
        ActKind::Dpia,
        ActKind::Sign,
    ] {
        let world = world(64, 100 * DAY, |act| {
            if act.kind == kind {
                // a paper of another camera, or of nothing that is asked for
                act.scope = ActScope::Cameras(vec![CameraId([0; 16])]);
            }
        });
        let opened = world.open();
        let blocks = kind != ActKind::Sign;
        assert_eq!(handed(&opened).1.is_empty(), blocks, "{kind}");
        assert_eq!(refused(&opened, View::Live).len(), usize::from(blocks), "{kind}");
        let health = opened.core.health().unwrap();
        let finding = health.findings.iter().find(|finding| finding.id.starts_with("act-") && finding.id != "acts");
        let finding = finding.unwrap_or_else(|| panic!("{kind}"));
        assert_eq!(finding.state, FindingState::Alarm, "{kind}");
        assert!(finding.detail_fr.contains("3 caméra(s)") && finding.detail_fr.contains('['), "{}", finding.detail_fr);
    }
}

#[test]
fn the_end_of_an_order_is_told_twelve_months_before_and_the_renewal_silences_it() {
    let world = world(65, 200 * DAY, |act| act.from = utc(-400 * DAY));
    let opened = world.open();
    let told = |opened: &Opened| {
        let health = opened.core.health().unwrap();
        health
            .findings
            .iter()
            .find(|finding| finding.id.starts_with("act-authorisation-end"))
            .map(|finding| finding.detail_en.clone())
    };
    let text = told(&opened).expect("it ends within a year");
    assert!(text.contains("within twelve months") && text.contains("3 camera(s)"), "{text}");
    let registry = catalog::Registry::open(&world.registry_path()).unwrap();
    let mut next = demonstration_acts().remove(0);
    (next.id, next.from, next.until) = (ActId([77; 16]), utc(200 * DAY), Some(utc(1_700 * DAY)));
    registry.acts_put(&[next], utc(-DAY)).unwrap();
    drop((registry, opened));
    assert_eq!(told(&world.open()), None);
}
