//! Size and rate of what is recorded, as the recorder measured it, against what the arrêté of 3 August 2007 demands.

use crate::{sockets::Served, support::*};
use domain::{CameraClass, CameraId};
use keeper::wire::{Answer, CameraView, Control, Finding, FindingState, Question};
use ledger::Event;
use vault::keeper::Beat;

/// The recorder's word of three cameras: width, height, pictures in a thousand seconds.
fn hears(opened: &Opened, measured: [(u32, u32, Option<u32>); 3]) {
    let of = |(n, (width, height, millihertz)): (u8, (u32, u32, Option<u32>))| {
        let id = camera(n).to_string();
        serde_json::json!({"id": id, "state": "recording", "width": width, "height": height, "millihertz": millihertz})
    };
    let cameras: Vec<_> = (1..).zip(measured).map(of).collect();
    let health = serde_json::json!({"cameras": cameras, "new": 1}).to_string();
    opened.core.check(&Beat { health, ..Beat::default() }).unwrap();
}

fn states(opened: &Opened, n: u8, class: CameraClass) {
    let control = Control::CameraClass { name: format!("camera {n}"), class };
    let answer = Served::new(opened).control.ask(&Question::Control(control)).unwrap();
    assert!(matches!(answer, Answer::Done), "{answer:?}");
}

fn views(opened: &Opened) -> Vec<CameraView> {
    let answer = Served::new(opened).control.ask(&Question::Control(Control::CameraList)).unwrap();
    let Answer::CameraViews(views) = answer else { panic!("{answer:?}") };
    views.cameras
}

fn findings(opened: &Opened) -> Vec<Finding> {
    let findings = opened.core.health().unwrap().findings;
    findings.into_iter().filter(|finding| finding.id.starts_with("technical")).collect()
}

fn short(opened: &Opened, id: CameraId) -> Vec<&'static str> {
    let views = views(opened);
    let view = views.iter().find(|view| view.id == id).unwrap();
    view.shortfalls.iter().map(|short| short.duty()).collect()
}

#[test]
fn a_camera_below_what_its_class_demands_is_an_alarm_with_measured_and_demanded_value_and_goes_on_recording() {
    let world = World::new(70);
    let opened = world.open();
    assert_eq!(findings(&opened), [], "nothing was measured yet");
    let (below, above) = ((640, 480, Some(8_000)), (1_920, 1_080, Some(25_000)));
    hears(&opened, [below, above, above]);
    let alarms = findings(&opened);
    let [alarm] = &alarms[..] else { panic!("{alarms:?}") };
    assert_eq!((alarm.state, alarm.id.clone()), (FindingState::Alarm, format!("technical-{}", camera(1))));
    for said in
        ["camera 1", "640×480", "704×576", "8,0 images", "12 au moins", "arrêté du 3 août 2007", "vigie camera class"]
    {
        assert!(alarm.detail_fr.contains(said), "{said}: {}", alarm.detail_fr);
    }
    assert!(alarm.detail_en.contains("8.0 pictures") && alarm.detail_en.contains("704×576"), "{}", alarm.detail_en);
    assert_eq!(short(&opened, camera(1)), ["TECH-07", "TECH-09"]);
    let Answer::Cameras { cameras, .. } = opened.core.recorder_cameras().unwrap() else { panic!("cameras") };
    assert_eq!(cameras.len(), 3, "an alarm stops nothing");
}

#[test]
fn a_class_that_is_stated_changes_what_is_demanded_and_stands_in_the_ledger() {
    let world = World::new(71);
    let opened = world.open();
    hears(&opened, [(640, 480, Some(8_000)); 3]);
    states(&opened, 1, CameraClass::Other);
    states(&opened, 2, CameraClass::FastFlowThumbnails);
    assert_eq!(short(&opened, camera(1)), <[&str; 0]>::default());
    assert_eq!(short(&opened, camera(2)), ["TECH-09"]);
    assert_eq!(short(&opened, camera(3)), ["TECH-07", "TECH-09"], "nobody stated its class: the strictest");
    assert_eq!(findings(&opened).len(), 2);
    let stated = opened.entries().into_iter().filter_map(|entry| match entry.event {
        Event::Camera { change, details, .. } if change == "class" => Some(details),
        _ => None,
    });
    assert_eq!(stated.collect::<Vec<_>>(), ["camera 1: other", "camera 2: fast-flow-thumbnails"]);
    hears(&opened, [(1_280, 720, Some(11_900)); 3]);
    let all_well = findings(&opened);
    assert_eq!((all_well.len(), all_well[0].state), (1, FindingState::Ok), "{all_well:?}");
    assert_eq!(views(&opened)[0].class, Some(CameraClass::Other));
}

#[test]
fn a_silent_recorder_and_an_odd_word_measure_nothing() {
    let world = World::new(72);
    let opened = world.open();
    hears(&opened, [(80, 60, None); 3]);
    assert_eq!(findings(&opened).len(), 3);
    world.clock.pass(11);
    assert_eq!(findings(&opened), []);
    for odd in ["[]", "not json", r#"{"cameras":[{"id":7}]}"#, r#"{"cameras":{}}"#] {
        opened.core.check(&Beat { health: odd.into(), ..Beat::default() }).unwrap();
        assert_eq!(findings(&opened), [], "{odd}");
    }
}
