//! The keeper's part of a rebuild: what extents say to the recorder, after an entry, of living hours, of their own camera.

use crate::{orders::CLI, sockets::Served, support::*};
use domain::{ReelId, StreamId};
use ledger::Event;
use seal::{GroupStart, KeyRecord};
use vault::{
    Keeper, KeeperError,
    keeper::{ExtentsQuery, Minted, ReelPart, StreamFate, StreamPart},
};

const REEL: ReelId = ReelId([7; 16]);

fn part_of(opened: &Opened, minted: &Minted) -> ReelPart {
    opened.reel(7, minted, 60, GroupStart { reel: REEL, chunk: 0 })
}

fn query(rebuild: u64, part: &ReelPart) -> ExtentsQuery {
    let stream =
        StreamPart { handle: 3, key_record: part.key_record.clone(), extents: part.extents.clone(), gaps: vec![] };
    ExtentsQuery { rebuild, reel: part.reel, header: part.header.clone(), streams: vec![stream] }
}

/// What the keeper says of a stream's extents.
fn fate(opened: &Opened, part: &ReelPart) -> Result<StreamFate, KeeperError> {
    let leaf = opened.core.begin_rebuild(1, "a test").unwrap();
    opened.core.extents(&query(leaf, part)).map(|mut fates| fates.remove(0))
}

#[test]
fn extents_are_told_after_one_entry_and_of_no_more_reels_than_it_counts() {
    let world = World::new(1);
    let opened = world.open();
    let minted = opened.mint(0, &[1]).remove(0);
    let part = part_of(&opened, &minted);
    assert!(opened.core.extents(&query(0, &part)).is_err(), "without an entry");
    let leaf = opened.core.begin_rebuild(1, "the catalog was lost").unwrap();
    let rebuilds: Vec<Event> = opened.entries().into_iter().map(|entry| entry.event).collect();
    assert_eq!(rebuilds[leaf as usize], Event::Rebuild { reels: 1, why: "the catalog was lost".into() });
    let fates = opened.core.extents(&query(leaf, &part)).unwrap();
    let [StreamFate::Alive { stream: told, extents, .. }] = &fates[..] else { panic!("{fates:?}") };
    assert_eq!((*told, extents.len(), extents[0].first_utc), (stream(1), 10, utc(60)));
    assert!(opened.core.extents(&query(leaf, &part)).is_ok(), "the same reel in a further message");
    let other = opened.reel(8, &minted, 60, GroupStart { reel: REEL, chunk: 0 });
    assert!(opened.core.extents(&query(leaf, &other)).is_err(), "one more than were entered");
    assert!(opened.core.extents(&query(leaf + 1, &part)).is_err(), "under another number");
    opened.check_ledger(world.now());
}

#[test]
fn reel_ids_that_somebody_makes_up_use_up_no_place_of_a_rebuild() {
    let world = World::new(7);
    let opened = world.open();
    let minted = opened.mint(0, &[1]).remove(0);
    let part = part_of(&opened, &minted);
    let leaf = opened.core.begin_rebuild(1, "a test").unwrap();
    for n in 100..110 {
        let made_up = ExtentsQuery { reel: ReelId([n; 16]), ..query(leaf, &part) };
        assert!(opened.core.extents(&made_up).is_err(), "the header is another reel's");
    }
    assert!(opened.core.extents(&query(leaf, &part)).is_ok());
}

#[test]
fn a_second_order_to_rebuild_is_refused_while_one_waits() {
    let world = World::new(8);
    let opened = world.open();
    let served = Served::new(&opened);
    let ask = || served.control.control_ask(keeper::wire::Control::CatalogRebuild { loss_accepted: false });
    let beat = vault::keeper::Beat { health: "{}".into(), ..Default::default() };
    let (said, answers) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let said = said.clone();
            scope.spawn(move || said.send(ask()).unwrap());
        }
        let first = answers.recv().unwrap();
        assert!(matches!(first, Err(KeeperError::Malformed { ref what }) if what.contains("already")), "{first:?}");
        let taken = opened.core.check(&beat).unwrap().rebuild;
        assert_eq!(opened.core.check(&beat).unwrap().rebuild, None, "the recorder gets one order");
        served.recorder.rebuilt(taken.unwrap(), Err("a test".into())).unwrap();
        assert!(matches!(answers.recv().unwrap(), Err(KeeperError::Failed { .. })), "and its word comes back");
    });
}

#[test]
fn that_a_person_accepts_a_loss_is_entered_before_the_recorder_hears_of_it() {
    let world = World::new(8);
    let opened = world.open();
    let served = Served::new(&opened);
    let ask = || served.control.control_ask(keeper::wire::Control::CatalogRebuild { loss_accepted: true });
    let beat = vault::keeper::Beat { permits: vec![], health: "{}".into(), clocks: Vec::new() };
    std::thread::scope(|scope| {
        let asked = scope.spawn(ask);
        let (number, loss_accepted) = loop {
            let pulse = opened.core.check(&beat).unwrap();
            match pulse.rebuild {
                Some(number) => break (number, pulse.loss_accepted),
                None => std::thread::sleep(std::time::Duration::from_millis(20)),
            }
        };
        assert!(loss_accepted);
        let entered = |entry: &ledger::Entry| matches!(&entry.event, ledger::Event::Config { what } if what.contains("accepted as lost"));
        assert!(opened.entries().iter().any(entered));
        served.recorder.rebuilt(number, Err("a test".into())).unwrap();
        assert!(asked.join().unwrap().is_err());
    });
}

/// R13: a key record says whose a stream is, and unwraps for nobody else.
#[test]
fn footage_never_comes_to_another_camera() {
    let world = World::new(2);
    let opened = world.open();
    let minted = opened.mint(0, &[1, 2]);
    let (one, two) = (part_of(&opened, &minted[0]), part_of(&opened, &minted[1]));
    let record = |part: &ReelPart| KeyRecord::from_bytes(&part.key_record).unwrap();
    // the tag of the one camera before the wrapped key of the other
    let swapped = KeyRecord { lookup_tag: record(&two).lookup_tag, wrapped: record(&one).wrapped };
    let forged = ReelPart { key_record: swapped.to_bytes().to_vec(), ..one.clone() };
    assert!(matches!(fate(&opened, &forged), Err(KeeperError::Malformed { .. })));
    // the whole key record of the other camera before these extents
    let forged = ReelPart { key_record: two.key_record.clone(), ..one.clone() };
    assert!(matches!(fate(&opened, &forged), Err(KeeperError::Malformed { .. })));
    // the same in another reel: the tag is that reel's
    let elsewhere = opened.reel(9, &minted[0], 60, GroupStart { reel: REEL, chunk: 0 });
    let forged = ReelPart { key_record: one.key_record.clone(), ..elsewhere };
    assert_eq!(fate(&opened, &forged), Ok(StreamFate::Dead), "no camera bears that tag there");
    // another hour's page has other keys
    let next = opened.mint(1, &[1]).remove(0);
    let forged = ReelPart { header: part_of(&opened, &next).header, ..one.clone() };
    assert_ne!(fate(&opened, &forged).ok().map(|fate| matches!(fate, StreamFate::Alive { .. })), Some(true));
    assert!(
        matches!(fate(&opened, &one), Ok(StreamFate::Alive { stream: StreamId { camera, .. }, .. }) if camera == minted[0].stream.camera)
    );
}

#[test]
fn by_the_shorter_deadline_of_an_order_no_extent_is_told_although_the_page_is_still_the_old_one() {
    let world = World::new(4);
    let opened = world.open();
    let minted = opened.mint(0, &[2, 3]);
    let (other, named) = (part_of(&opened, &minted[0]), part_of(&opened, &minted[1]));
    world.clock.pass(2 * DAY);
    (0..2).for_each(|copy| world.disk.unplug(&folder(copy)));
    assert!(opened.core.order_shorter_delay(CLI, camera(3), 3).is_err(), "the keyring says no");
    (0..2).for_each(|copy| world.disk.plug(&folder(copy)));
    assert!(matches!(fate(&opened, &named), Ok(StreamFate::Alive { .. })), "a day is left");
    world.clock.pass(DAY);
    let deadlines = opened.keyring.page(hour(0)).unwrap().unwrap().cameras;
    assert!(world.now() < deadlines[&camera(3)].deadline, "the page was not rewritten");
    assert_eq!(fate(&opened, &named), Ok(StreamFate::Closed));
    assert!(matches!(fate(&opened, &other), Ok(StreamFate::Alive { .. })), "another camera's");
}

#[test]
fn near_its_deadline_an_hour_is_closed_and_past_it_dead() {
    let world = World::new(3);
    let opened = world.open();
    let minted = opened.mint(0, &[1, 2]);
    let (short, long) = (part_of(&opened, &minted[0]), part_of(&opened, &minted[1]));
    world.clock.pass(3 * DAY - 700);
    assert!(matches!(fate(&opened, &short), Ok(StreamFate::Alive { .. })));
    world.clock.pass(60);
    assert_eq!(fate(&opened, &short), Ok(StreamFate::Closed), "ten minutes before its deadline");
    opened.core.destroy_due().unwrap();
    assert_eq!(fate(&opened, &short), Ok(StreamFate::Dead));
    assert!(matches!(fate(&opened, &long), Ok(StreamFate::Alive { .. })));
    world.clock.pass(5 * DAY);
    opened.core.destroy_due().unwrap();
    assert_eq!(fate(&opened, &long), Ok(StreamFate::Dead));
}

#[test]
fn web_is_told_no_extent_and_the_recorder_no_key() {
    let world = World::new(4);
    let opened = world.open();
    let served = Served::new(&opened);
    let minted = opened.mint(0, &[1]).remove(0);
    let part = part_of(&opened, &minted);
    let leaf = served.recorder.begin_rebuild(1, "a test").unwrap();
    assert!(matches!(served.web.extents(&query(leaf, &part)), Err(KeeperError::Forbidden { .. })));
    assert!(matches!(served.web.begin_rebuild(1, "a test"), Err(KeeperError::Forbidden { .. })));
    let told = served.recorder.extents(&query(leaf, &part)).unwrap();
    let bytes = postcard::to_stdvec(&told).unwrap();
    let key = minted.data_key.record_key(REEL, seal::Kind::Chunk, 3, 0);
    let keys = [minted.data_key.0.expose().to_vec(), key.key.expose().to_vec()];
    assert!(keys.iter().all(|key| !bytes.windows(32).any(|window| window == &key[..])));
}

#[test]
fn bytes_that_wait_while_clocks_disagree_are_named_by_hour_and_camera() {
    let world = World::new(5);
    let opened = world.open();
    opened.mint(0, &[1, 3]);
    let beat = || {
        let beat = vault::keeper::Beat { health: "{}".into(), ..Default::default() };
        opened.core.check(&beat).unwrap().closed_unconfirmed
    };
    assert_eq!(beat(), []);
    world.clock.step(5 * DAY);
    let closed = beat();
    assert_eq!(closed.len(), 1);
    assert_eq!(
        (closed[0].hour, &closed[0].cameras[..]),
        (hour(0), &[camera(1)][..]),
        "camera 3 may be kept for 30 days"
    );
    assert_eq!(opened.core.health().unwrap().destruction.hours_closed_unconfirmed, 1);
    world.clock.step(-5 * DAY);
    assert_eq!(beat(), []);
}

#[test]
fn the_books_of_a_verification_say_of_each_living_hour_what_keyring_and_ledger_hold() {
    let world = World::new(6);
    let opened = world.open();
    let served = Served::new(&opened);
    opened.mint(0, &[1, 2]);
    opened.mint(1, &[2]);
    let books = || {
        let asked = keeper::wire::Control::AuditHours { after: None };
        let keeper::wire::Answer::AuditHours { hours, more, .. } = served.control.control_ask(asked).unwrap() else {
            panic!("another answer")
        };
        assert!(!more);
        hours
    };
    let told = books();
    assert_eq!(told.iter().map(|book| book.hour).collect::<Vec<_>>(), [hour(0), hour(1)]);
    assert_eq!(told[0].keys, told[0].minted);
    assert_eq!((told[0].keys.len(), told[1].keys.len(), told[0].deadlines.len()), (2, 1, 2));
    world.clock.pass(3 * DAY);
    opened.core.destroy_due().unwrap();
    let told = books();
    assert_eq!(told[0].keys.keys().collect::<Vec<_>>(), [&camera(2)]);
    assert!(told[0].ended.contains(&camera(1)) && !told[0].ended.contains(&camera(2)));
}
