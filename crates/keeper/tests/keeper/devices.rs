//! `camera confirm`: the device that was shown is pinned, and no other (R13).

use crate::{sockets::Served, support::*};
use keeper::wire::{Answer, Control, Device, Probed};
use ledger::Event;
use vault::{KeeperError, keeper::Beat};

const BEFORE: &str = "device-1 host=192.0.2.1 port=554 realm=a server=x";
const AFTER: &str = "device-1 host=192.0.2.1 port=554 realm=b server=x";

/// Asks on the command line, while a recorder finds this device.
fn ask(opened: &Opened, served: &Served, asked: Control, found: &str) -> Result<Answer, KeeperError> {
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| served.control.control_ask(asked));
        let beat = Beat { health: "{}".into(), ..Beat::default() };
        let job = loop {
            if let Some(job) = opened.core.check(&beat).unwrap().probe {
                break job;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        assert!(job.identity_only && job.credentials.is_none(), "no password for a device that nobody confirmed");
        let found = Probed { fingerprint: found.into(), ..Probed::default() };
        served.recorder.probed(job.number, Ok(found)).unwrap();
        asking.join().unwrap()
    })
}

fn device(answer: Result<Answer, KeeperError>) -> Device {
    match answer.unwrap() {
        Answer::Device(device) => *device,
        answer => panic!("{answer:?}"),
    }
}

#[test]
fn a_device_is_shown_before_it_is_pinned_and_another_that_answers_meanwhile_is_refused() {
    let world = World::new(1);
    let opened = world.open();
    let served = Served::new(&opened);
    let name = || "camera 1".to_owned();
    let look = |found| device(ask(&opened, &served, Control::CameraDevice { name: name() }, found));
    let confirm =
        |code: &str, found| ask(&opened, &served, Control::CameraConfirm { name: name(), device: code.into() }, found);
    let pinned = || {
        let registry = catalog::Registry::open(&world.registry_path()).unwrap();
        registry.camera(camera(1), world.now()).unwrap().unwrap().camera.fingerprint
    };
    let entries = || {
        let confirmed = |event: &Event| matches!(event, Event::Camera { change, .. } if change == "confirmed");
        opened.entries().iter().filter(|entry| confirmed(&entry.event)).count()
    };
    let first = look(BEFORE);
    assert!(!first.is_known && first.differences.len() == 4, "{first:?}");
    assert_eq!((pinned(), entries()), (None, 0), "showing changes nothing");
    let other = confirm(&first.code, AFTER);
    assert!(matches!(other, Err(KeeperError::Malformed { ref what }) if what.contains("another device")), "{other:?}");
    assert_eq!((pinned(), entries()), (None, 0));
    world.clock.pass(1);
    assert_eq!(device(confirm(&first.code, BEFORE)).code, first.code);
    assert_eq!((pinned().as_deref(), entries()), (Some(BEFORE), 1));
    assert!(look(BEFORE).is_known);
    let second = look(AFTER);
    assert_eq!(second.differences.len(), 1);
    assert_ne!(second.code, first.code);
    world.clock.pass(1);
    device(confirm(&second.code, AFTER));
    assert_eq!((pinned().as_deref(), entries()), (Some(AFTER), 2));
}
