//! Clocks that are wrong: a doubt closes and destroys nothing; agreement goes on where it was (K9, L4).

use crate::support::*;
use keeper::wire::FindingState;
use ledger::Event;
use vault::keeper::{Beat, CameraClock};

const AWAITED: i64 = domain::limit::CAMERAS_AWAITED_SECONDS;

fn is_alarmed(opened: &Opened) -> bool {
    opened.core.health().unwrap().clock.state == FindingState::Alarm
}

#[test]
fn a_system_clock_that_is_set_within_a_boot_destroys_nothing_and_closes_what_may_be_due() {
    for (days, closes) in [(31, true), (-365, false)] {
        let world = World::new(1);
        let opened = world.open();
        let minted = opened.mint(0, &[1, 2, 3]);
        assert!(opened.opens(&minted[0], 0));
        world.clock.step(days * DAY);
        opened.core.tick().unwrap();
        assert!(is_alarmed(&opened), "{days} days");
        assert_eq!(opened.destructions(), [], "{days} days");
        assert_eq!(opened.keyring.page(hour(0)).unwrap().unwrap().cameras.len(), 3, "{days} days");
        assert!(opened.core.mint(hour(0), RUN, &[stream(1)]).is_err(), "no hour is begun on a doubt");
        let health = opened.core.health().unwrap().destruction;
        assert_eq!((health.hours_past_deadline, health.hours_closed_unconfirmed), (0, u64::from(closes)));
        drop(opened);
        let opened = world.open_with_session(); // a restart in the same boot believes no more than before
        assert!(is_alarmed(&opened), "{days} days, after a restart");
        if closes {
            assert!(!opened.opens(&minted[0], 0), "due by the fastest clock");
        }
        assert_eq!(opened.destructions(), []);
        world.clock.step(-days * DAY);
        world.clock.pass(60);
        opened.core.tick().unwrap();
        assert!(!is_alarmed(&opened));
        drop(opened);
        let opened = world.open_with_session();
        assert!(opened.opens(&minted[0], 0), "closing is undone");
        opened.mint(0, &[1]);
        world.clock.pass(3 * DAY);
        opened.core.tick().unwrap();
        assert_eq!(opened.destructions(), [(hour(0), camera(1))], "and destruction goes on");
        opened.check_ledger(world.now());
        let states = opened.entries().into_iter().filter(|entry| matches!(entry.event, Event::Clocks { .. }));
        assert!(states.count() >= 3, "agreement, doubt and agreement are entered");
    }
}

/// Recorder, web and command line all make the keeper read the clocks: who read first and is heard last must not look like
/// a machine that booted, after which a time server alone would be believed.
#[test]
fn threads_that_read_the_clocks_at_once_are_no_boot() {
    let world = World::new(12);
    let opened = world.open();
    opened.mint(0, &[1]);
    world.clock.step(31 * DAY);
    world.clock.under_ntp(true);
    assert_eq!(opened.core.judgement().trusted, None, "within a boot a time server alone is not believed");
    let believed = std::thread::scope(|scope| {
        let judges = [(); 4].map(|()| {
            scope.spawn(|| {
                let judged = (0..5_000).map(|_| {
                    world.clock.pass(1);
                    opened.core.judgement().trusted
                });
                judged.flatten().count()
            })
        });
        judges.map(|judge| judge.join().unwrap())
    });
    assert_eq!(believed, [0; 4]);
    assert_eq!(opened.destructions(), []);
}

/// A beat in which the cameras' clocks say so much more than the world's true time.
fn beat(world: &World, ahead: &[i64]) -> Beat {
    let now = world.true_time();
    let voice = |(n, ahead): (usize, &i64)| CameraClock { camera: camera(n as u8), at: now.plus_seconds(*ahead) };
    Beat { clocks: ahead.iter().enumerate().map(voice).collect(), health: "{}".into(), ..Beat::default() }
}

#[test]
fn cameras_that_agree_keep_the_time_standing_when_somebody_sets_the_system_clock() {
    for days in [31, -365] {
        let world = World::new(11);
        let opened = world.open();
        let minted = opened.mint(0, &[1, 2, 3]);
        world.clock.step(days * DAY);
        opened.core.check(&beat(&world, &[3, -2, 86_400 * 366 * 1_200])).unwrap();
        opened.core.tick().unwrap();
        let health = opened.core.health().unwrap();
        assert_eq!(health.clock.state, FindingState::Warning, "{}", health.clock.detail_en);
        assert_eq!(health.destruction.hours_closed_unconfirmed, 0);
        assert!(opened.opens(&minted[0], 0));
        assert_eq!(opened.destructions(), []);
        world.clock.pass(3 * DAY);
        opened.core.tick().unwrap();
        assert_eq!(opened.destructions(), [], "cameras that are not heard any more agree with nobody");
        opened.core.check(&beat(&world, &[1, 1, 1])).unwrap();
        opened.core.tick().unwrap();
        assert_eq!(opened.destructions(), [(hour(0), camera(1))]);
        assert!(opened.check_ledger(world.true_time()).late.len() <= 1);
    }
}

#[test]
fn one_mad_camera_closes_nothing_and_kills_nothing() {
    let world = World::new(12);
    let opened = world.open();
    let minted = opened.mint(0, &[1, 2, 3]);
    world.clock.step(-365 * DAY); // a doubt is there already
    opened.core.check(&beat(&world, &[86_400 * 366 * 1_224])).unwrap();
    opened.core.tick().unwrap();
    let health = opened.core.health().unwrap();
    assert_eq!((health.clock.state, health.destruction.hours_closed_unconfirmed), (FindingState::Alarm, 0));
    assert!(opened.opens(&minted[0], 0));
    assert_eq!(opened.destructions(), []);
}

#[test]
fn after_a_boot_without_time_server_the_recorder_begins_and_its_cameras_bring_the_time_back() {
    let world = World::new(13);
    let opened = world.open();
    let minted = opened.mint(0, &[1, 2, 3]);
    drop(opened);
    world.clock.boot_without_ntp(7 * DAY);
    let opened = world.open_with_session();
    assert!(is_alarmed(&opened));
    assert!(opened.core.mint(hour(7 * 24), RUN, &[stream(1)]).is_err(), "no hour is begun on one clock's word");
    assert!(minted.iter().all(|minted| !opened.opens(minted, 0)), "nor is anything kept open by it");
    assert_eq!(opened.destructions(), []);
    let served = crate::sockets::Served::new(&opened);
    let grant = served.recorder.begin_run(RUN, [7; 32]).unwrap();
    assert!(grant.anchor < utc(DAY), "the lower bound: nothing is freed early by it");
    opened.core.check(&beat(&world, &[2])).unwrap();
    opened.core.tick().unwrap();
    assert!(is_alarmed(&opened), "one camera and a clock that anybody may have set");
    assert_eq!(opened.destructions(), []);
    opened.core.check(&beat(&world, &[2, -3])).unwrap();
    opened.core.tick().unwrap();
    assert!(!is_alarmed(&opened), "two cameras and the system clock agree");
    assert!(opened.opens(&minted[2], 0), "what is young opens again");
    assert_eq!(opened.destructions(), [(hour(0), camera(1)), (hour(0), camera(2))]);
    assert!(served.recorder.begin_run(RUN, [7; 32]).unwrap().anchor >= utc(7 * DAY), "and a new run has the time");
    opened.check_ledger(world.now());
}

/// K9 lets one clock under NTP decide. Across a boot it waits for the cameras, which may know better: nothing is anchored and
/// nothing dies, what may be due is closed, and recording begins.
#[test]
fn after_a_boot_a_false_time_server_kills_nothing_before_the_cameras_are_heard_nor_when_they_contradict_it() {
    let world = World::new(16);
    let opened = world.open();
    let minted = opened.mint(0, &[1, 2, 3]);
    drop(opened);
    world.clock.boot_without_ntp(DAY);
    world.clock.step(31 * DAY);
    world.clock.under_ntp(true);
    let opened = world.open_with_session();
    opened.core.tick().unwrap();
    let clock = opened.core.health().unwrap().clock;
    assert_eq!(clock.state, FindingState::Warning, "{}", clock.detail_en);
    assert!(clock.detail_fr.contains("deux minutes"), "{}", clock.detail_fr);
    assert!(minted.iter().all(|minted| !opened.opens(minted, 0)), "due by the fastest clock: closed");
    world.clock.pass(AWAITED - 1);
    opened.core.tick().unwrap();
    assert_eq!((opened.destructions(), opened.core.judgement().trusted), (vec![], None));
    opened.core.check(&beat(&world, &[1, 2, 3])).unwrap();
    opened.core.tick().unwrap();
    assert!(is_alarmed(&opened), "the cameras contradict it");
    for seconds in [1, 600, DAY] {
        world.clock.pass(seconds);
        opened.core.tick().unwrap();
        assert_eq!(opened.destructions(), [], "they fell silent: that proves the time server no better");
    }
    assert_eq!(opened.keyring.page(hour(0)).unwrap().unwrap().cameras.len(), 3);
    world.clock.step(-31 * DAY);
    world.clock.under_ntp(true);
    opened.core.check(&beat(&world, &[1, 2, 3])).unwrap();
    opened.core.tick().unwrap();
    assert!(!is_alarmed(&opened), "set right, without an operator");
    assert!(
        minted.iter().skip(1).all(|minted| world.open_with_session().opens(minted, 0)),
        "and everything opens again"
    );
    opened.check_ledger(world.now());
}

#[test]
fn while_cameras_are_listened_for_after_a_boot_recording_begins_and_the_time_server_stands_as_soon_as_one_agrees() {
    let world = World::new(17);
    let opened = world.open();
    opened.mint(0, &[1, 2, 3]);
    drop(opened);
    world.clock.boot_after(7 * DAY);
    let opened = world.open();
    let served = crate::sockets::Served::new(&opened);
    let grant = served.recorder.begin_run(RUN, [7; 32]).unwrap();
    assert_eq!(grant.anchor, world.now(), "recorded by the time server's time");
    assert!(grant.at_least < utc(DAY), "but space is freed by the lower bound");
    assert_eq!(opened.core.check(&beat(&world, &[])).unwrap().now, None);
    let streams = [stream(2)];
    assert_eq!(opened.core.mint(hour(7 * 24), RUN, &streams).unwrap().len(), 1, "minting destroys nothing");
    let ahead = opened.core.mint(hour(7 * 24 + 1), RUN, &streams);
    assert!(matches!(ahead, Err(vault::KeeperError::NoTrustedTime { .. })), "no more than is recorded meanwhile");
    assert_eq!(opened.destructions(), []);
    opened.core.check(&beat(&world, &[-40])).unwrap();
    opened.core.tick().unwrap();
    assert_eq!(opened.core.judgement().trusted, Some(world.now()), "one camera and the time server, at once");
    assert_eq!(opened.destructions(), [(hour(0), camera(1)), (hour(0), camera(2))]);
    assert!(opened.core.mint(hour(7 * 24 + 2), RUN, &streams).is_ok());
    assert_eq!(opened.core.check(&beat(&world, &[-40])).unwrap().now, Some(world.now()), "no step for the recorder");
    opened.check_ledger(world.now());
}

#[test]
fn a_first_start_ahead_of_the_true_time_is_set_right_and_leaves_a_ledger_that_holds() {
    let world = World::new(18);
    world.clock.step(365 * DAY);
    drop(world.open());
    world.clock.step(-365 * DAY);
    world.clock.pass(60);
    for boots in [false, true] {
        if boots {
            world.clock.boot_without_ntp(60);
        }
        let opened = world.open();
        opened.core.tick().unwrap();
        assert_eq!(opened.core.judgement().trusted, Some(world.now()), "boots: {boots}");
    }
    let opened = world.open();
    opened.mint(0, &[1]);
    drop(opened);
    world.clock.pass(60);
    let opened = world.open();
    opened.core.tick().unwrap();
    assert_eq!(opened.core.judgement().trusted, Some(world.now()), "the anchor of the wrong time does not come back");
    opened.check_ledger(world.now());
}

#[test]
fn an_image_of_the_machine_that_is_brought_back_waits_for_a_time_server_and_no_operator() {
    let world = World::new(14);
    let opened = world.open();
    opened.mint(0, &[1, 2, 3]);
    world.clock.pass(DAY);
    opened.core.tick().unwrap();
    // memory, boot clock and boot id of yesterday; its own clock, too; the ledger's disk is another one
    world.clock.pass(-DAY / 2);
    world.clock.under_ntp(false);
    opened.core.tick().unwrap();
    assert!(is_alarmed(&opened));
    world.clock.step(DAY / 2 + 3 * DAY);
    world.clock.under_ntp(true);
    opened.core.tick().unwrap();
    assert_eq!(opened.destructions(), [], "the cameras may still be heard");
    world.clock.pass(AWAITED);
    opened.core.tick().unwrap();
    assert!(!is_alarmed(&opened));
    assert_eq!(opened.destructions(), [(hour(0), camera(1))]);
    opened.check_ledger(world.now());
}

#[test]
fn a_system_clock_far_ahead_stays_a_doubt_across_a_restart_and_a_reboot_without_a_second_clock() {
    let world = World::new(15);
    let opened = world.open();
    opened.mint(0, &[1, 2, 3]);
    world.clock.step(31 * DAY);
    drop(opened);
    let opened = world.open();
    assert!(is_alarmed(&opened));
    drop(opened);
    world.clock.boot_without_ntp(60);
    let opened = world.open();
    opened.core.tick().unwrap();
    assert!(is_alarmed(&opened), "before, a reboot was enough to be believed");
    assert_eq!((opened.destructions(), opened.keyring.hours().len()), (vec![], 1));
    assert_eq!(opened.core.health().unwrap().destruction.hours_closed_unconfirmed, 1);
}

#[test]
fn hours_that_fell_due_while_the_machine_was_off_are_closed_at_the_start_and_die_two_minutes_after() {
    let world = World::new(2);
    let opened = world.open();
    let minted = opened.mint(0, &[1, 2, 3]);
    drop(opened);
    world.clock.boot_after(7 * DAY);
    let opened = world.open_with_session();
    opened.core.tick().unwrap();
    assert!(!opened.opens(&minted[1], 0) && opened.opens(&minted[2], 0), "closed at once");
    world.clock.pass(AWAITED);
    opened.core.tick().unwrap();
    assert_eq!(opened.destructions(), [(hour(0), camera(1)), (hour(0), camera(2))]);
    assert!(!opened.opens(&minted[1], 0) && opened.opens(&minted[2], 0));
    let report = opened.check_ledger(world.now());
    assert_eq!(report.late.len(), 2, "the ledger says that they died after their deadline");
}

#[test]
fn a_machine_that_boots_in_the_past_destroys_nothing_until_its_clock_is_right() {
    let world = World::new(3);
    let opened = world.open();
    opened.mint(0, &[1, 2, 3]);
    drop(opened);
    world.clock.boot_after(-20 * 365 * DAY);
    let opened = world.open();
    assert!(is_alarmed(&opened));
    assert!(opened.core.mint(hour(0), RUN, &[stream(1)]).is_err());
    world.clock.pass(3_600);
    opened.core.tick().unwrap();
    world.clock.step(20 * 365 * DAY + 4 * DAY);
    opened.core.tick().unwrap();
    assert!(is_alarmed(&opened), "set by hand: one clock alone");
    assert_eq!(opened.destructions(), []);
    world.clock.under_ntp(true);
    opened.core.tick().unwrap();
    assert!(!is_alarmed(&opened));
    assert_eq!(opened.destructions(), [(hour(0), camera(1))]);
    opened.check_ledger(world.now());
}

#[test]
fn every_full_minute_closes_a_batch_whether_or_not_somebody_looked() {
    let sizes = |look: bool| {
        let world = World::new(4);
        let opened = world.open();
        let mut sizes = Vec::new();
        for second in 0..240 {
            if look && second % 50 == 7 {
                opened.permit(vault::keeper::View::Live, &[1]);
            }
            world.clock.pass(1);
            opened.core.tick().unwrap();
            let published = opened.core.health().unwrap().ledger.checkpoint_size;
            if sizes.last() != Some(&published) {
                sizes.push(published);
            }
        }
        sizes
    };
    assert_eq!(sizes(false), [0, 16, 32, 48, 64]);
    assert_eq!(sizes(true), sizes(false), "an observer of checkpoints sees no look");
}
