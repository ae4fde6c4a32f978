//! The order in which footage dies: closed, condemned, dead, entered, freed, buried (K2, K7, K8, K10).

use crate::support::*;
use domain::ReelId;
use ledger::Event;
use vault::{
    KeeperError,
    keeper::{Beat, Dead, Fact, ReelFact},
};

fn dead(opened: &Opened) -> Vec<Dead> {
    opened.core.check(&Beat::default()).unwrap().dead
}

fn freed(n: i64, cameras: &[u8], reels: &[u8]) -> Fact {
    let cameras = cameras.iter().map(|n| camera(*n)).collect();
    Fact::Freed { hour: hour(n), cameras, reels: reels.iter().map(|n| ReelId([*n; 16])).collect(), residual: vec![] }
}

fn tombstones(opened: &Opened) -> Vec<Vec<ReelId>> {
    let buried = opened.entries().into_iter().filter_map(|entry| match entry.event {
        Event::Tombstone { reels, .. } => Some(reels),
        _ => None,
    });
    buried.collect()
}

/// At the start: an hour with cameras 1 to 3; then to the given second before camera 1's deadline.
fn before_deadline(world: &World, seconds: i64) -> (Opened, Vec<vault::keeper::Minted>) {
    let opened = world.open();
    let minted = opened.mint(0, &[1, 2, 3]);
    world.clock.pass(3 * DAY - 60 - seconds);
    (opened, minted)
}

#[test]
fn an_hour_is_closed_ten_minutes_before_its_deadline_although_its_key_still_exists() {
    let world = World::new(1);
    let (opened, minted) = before_deadline(&world, 601);
    let world_session = |opened: &Opened| opened.core.pass(&session("operator"), &ask(vault::keeper::View::Live, &[1]));
    assert!(matches!(world_session(&opened), Err(KeeperError::NoSession)), "three days idle");
    drop(opened);
    let opened = world.open_with_session();
    assert!(opened.opens(&minted[0], 0));
    world.clock.pass(1);
    assert!(!opened.opens(&minted[0], 0), "closed");
    assert!(opened.keyring.page(hour(0)).unwrap().unwrap().cameras.contains_key(&camera(1)), "but the key is there");
    assert!(opened.opens(&minted[1], 0), "another camera of the hour has more time");
    opened.core.tick().unwrap();
    assert!(!opened.keyring.page(hour(0)).unwrap().unwrap().cameras.contains_key(&camera(1)));
    assert!(opened.opens(&minted[1], 0));
    assert_eq!(opened.destructions(), [(hour(0), camera(1))]);
    opened.check_ledger(world.now());
}

#[test]
fn cameras_of_one_hour_die_one_by_one_and_the_tombstone_comes_with_the_last() {
    let world = World::new(2);
    let (opened, _) = before_deadline(&world, 600);
    opened.core.tick().unwrap();
    assert_eq!(dead(&opened), [Dead { hour: hour(0), cameras: vec![camera(1)] }]);
    opened.core.enter(&[freed(0, &[1], &[1])]).unwrap();
    assert_eq!(dead(&opened), []);
    assert_eq!(tombstones(&opened), Vec::<Vec<ReelId>>::new(), "the others live");
    assert_eq!(opened.keyring.condemned(), [], "nothing of it waits");
    world.clock.pass(4 * DAY);
    opened.core.tick().unwrap();
    opened.core.enter(&[freed(0, &[2], &[2])]).unwrap();
    world.clock.pass(23 * DAY);
    opened.core.tick().unwrap();
    assert_eq!(dead(&opened), [Dead { hour: hour(0), cameras: vec![camera(3)] }]);
    opened.core.enter(&[freed(0, &[3], &[3]), freed(0, &[3], &[])]).unwrap();
    assert_eq!(tombstones(&opened), [[1, 2, 3].map(|n| ReelId([n; 16]))]);
    assert_eq!((opened.keyring.condemned(), dead(&opened)), (vec![], vec![]));
    assert_eq!(opened.destructions(), [1, 2, 3].map(|n| (hour(0), camera(n))));
    opened.check_ledger(world.now());
}

#[test]
fn a_fact_about_footage_whose_keys_are_all_dead_is_not_entered() {
    let world = World::new(3);
    let opened = world.open();
    let deadline = opened.mint(0, &[1])[0].deadline;
    let reel = |n: u8| ReelFact {
        reel: ReelId([n; 16]),
        run: RUN,
        hour: hour(0),
        deadline,
        root: [n; 32],
        bytes: 1,
        streams: 1,
    };
    let roots = [[1; 32], [2; 32]];
    let facts = [
        Fact::Reel(reel(1)),
        Fact::Recovered { reel: reel(2), cut_bytes: 5 },
        Fact::RecorderHour { run: RUN, hour: hour(0), reels: 2, root: seal::root::tree(&roots) },
    ];
    opened.core.enter(&facts).unwrap();
    let size = opened.core.journal().size();
    opened.core.enter(&facts).unwrap();
    assert_eq!(opened.core.journal().size(), size, "told twice, entered once");
    drop(opened);
    let opened = world.open();
    let size = opened.core.journal().size();
    opened.core.enter(&facts).unwrap();
    assert_eq!(opened.core.journal().size(), size, "also across a restart");
    opened.check_ledger(world.now()); // and the vault's root of roots is the ledger's
    world.clock.pass(3 * DAY);
    opened.core.tick().unwrap();
    let size = opened.core.journal().size();
    opened.core.enter(&[Fact::Reel(reel(3)), Fact::Recovered { reel: reel(4), cut_bytes: 5 }]).unwrap();
    assert_eq!(opened.core.journal().size(), size);
    opened.check_ledger(world.now());
}

#[test]
fn the_vaults_root_of_roots_is_the_ledgers() {
    for count in 0..20u8 {
        let roots: Vec<[u8; 32]> = (0..count).map(|n| [n; 32]).collect();
        let digests: Vec<ledger::Digest> = roots.iter().map(|root| ledger::Digest(*root)).collect();
        assert_eq!(seal::root::tree(&roots), ledger::root_of(&digests).0, "{count} reels");
    }
}

#[test]
fn a_copy_that_is_away_delays_the_confirmation_and_nothing_else() {
    let world = World::new(4);
    let (opened, minted) = before_deadline(&world, 700);
    world.disk.unplug(&folder(1));
    opened.mint(71, &[1, 2, 3]);
    opened.mint(72, &[1, 2, 3]); // recording goes on
    world.clock.pass(100);
    opened.core.tick().unwrap();
    assert!(!opened.keyring.page(hour(0)).unwrap().unwrap().cameras.contains_key(&camera(1)), "dead where it can be");
    assert_eq!(opened.destructions(), [], "but not confirmed");
    let health = opened.core.health().unwrap();
    assert_eq!((health.destruction.hours_closed_unconfirmed, health.destruction.hours_past_deadline), (1, 0));
    assert!(health.findings.iter().any(|f| f.id == "keyring" && f.state == keeper::wire::FindingState::Alarm));
    opened.core.enter(&[freed(0, &[1], &[1])]).unwrap();
    drop(opened);
    let opened = world.open(); // also across a restart
    assert_eq!(opened.destructions(), []);
    world.disk.plug(&folder(1));
    world.clock.pass(60);
    opened.core.tick().unwrap();
    assert_eq!(opened.destructions(), [(hour(0), camera(1))]);
    assert_eq!(opened.core.health().unwrap().destruction.hours_closed_unconfirmed, 0);
    assert!(opened.check_ledger(world.now()).late.is_empty());
    assert_eq!(minted.len(), 3);
}

#[test]
fn what_died_while_the_ledger_was_away_is_entered_when_the_time_is_known_and_never_as_dead_before_its_closing() {
    let world = World::new(7);
    let (opened, _) = before_deadline(&world, 700);
    let log = std::path::Path::new("/log");
    world.disk.unplug(log);
    world.clock.pass(100 + 120);
    assert!(opened.core.tick().is_err(), "the ledger takes no entry");
    assert!(
        !opened.keyring.page(hour(0)).unwrap().unwrap().cameras.contains_key(&camera(1)),
        "and the key dies on time"
    );
    drop(opened);

    // the power fails, no time server answers: what is known of time is the ledger's last entry, days ago
    world.disk.plug(log);
    world.clock.boot_without_ntp(60);
    let opened = world.open();
    opened.core.tick().unwrap();
    assert_eq!(opened.core.judgement().trusted, None);
    let condemned = |opened: &Opened| {
        let at = opened.entries().into_iter().filter_map(|entry| match entry.event {
            Event::Condemned { .. } => Some(entry.at),
            _ => None,
        });
        at.collect::<Vec<_>>()
    };
    assert_eq!((condemned(&opened), opened.destructions()), (vec![], vec![]), "its entry waits for the time");

    world.clock.under_ntp(true);
    world.clock.pass(130);
    opened.core.tick().unwrap();
    assert_eq!(opened.destructions(), [(hour(0), camera(1))]);
    let closed = utc(3 * DAY - 600);
    assert!(condemned(&opened).iter().all(|at| closed <= *at), "{:?}", condemned(&opened));
    assert!(opened.check_ledger(world.now()).late.is_empty());
}

#[test]
fn a_restored_keyring_revives_nothing() {
    let world = World::new(5);
    let (opened, minted) = before_deadline(&world, 700);
    let images = [0, 1].map(|copy| world.disk.image(&folder(copy)));
    world.clock.pass(100);
    opened.core.tick().unwrap();
    drop(opened);
    images.iter().for_each(|image| world.disk.restore(image));
    let opened = world.open_with_session();
    assert!(!opened.opens(&minted[0], 0));
    assert!(!opened.keyring.page(hour(0)).unwrap().unwrap().cameras.contains_key(&camera(1)), "it died again");
    assert!(opened.opens(&minted[1], 0));
    assert_eq!(opened.destructions(), [(hour(0), camera(1))]);
    opened.check_ledger(world.now());
}

#[test]
fn an_older_ledger_is_refused() {
    let world = World::new(6);
    let opened = world.open();
    let image = world.disk.image(std::path::Path::new("/log"));
    opened.core.checkpoint().unwrap();
    drop(opened);
    world.disk.restore(&image);
    let refusal = world.try_open().err().unwrap();
    assert!(refusal.contains("an old state was restored"), "{refusal}");
}

#[test]
fn a_page_that_nobody_can_read_dies_whole_with_its_first_deadline() {
    let world = World::new(7);
    let (opened, _) = before_deadline(&world, 700);
    for copy in 0..2 {
        for (path, _) in world.disk.image(&folder(copy)).files() {
            if path.components().any(|part| part.as_os_str() == "pages") {
                let file = disk::Disk::open(&world.disk, path, disk::Open::Write).unwrap();
                file.write_at(&[0; 16], 40).unwrap();
                file.sync().unwrap();
            }
        }
    }
    assert!(opened.keyring.page(hour(0)).is_err(), "the damage is done");
    world.clock.pass(100);
    opened.core.tick().unwrap();
    assert_eq!(opened.keyring.hours(), []);
    assert_eq!(opened.destructions(), [1, 2, 3].map(|n| (hour(0), camera(n))));
    opened.check_ledger(world.now());
}
