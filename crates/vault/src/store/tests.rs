//! Claims of the local store: whose it is, where reels lie, which slots may be written.

use super::*;
use disk::{Fault, FaultyDisk, Happened, Open};
use domain::HourLength;
use proptest::prelude::*;
use seal::{Kind, reel::IndexEntry, reel::record};
use std::io::ErrorKind;

const SITE: SiteId = SiteId([1; 16]);
const SLOT_BLOCKS: u64 = 4;
const REEL: ReelId = ReelId([5; 16]);

fn marker() -> Marker {
    Marker { format: 1, site: SITE, root: RootId([2; 16]), slot_bytes: SLOT_BLOCKS * BLOCK, slots_max: 3, number: 0 }
}

fn store(disk: &FaultyDisk) -> LocalStore {
    LocalStore::create(Arc::new(disk.clone()), Path::new("/store"), marker()).unwrap()
}

fn family(run: u8) -> Family {
    let hour = HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(5_000_000));
    Family { run: RunId([run; 16]), hour, deadline: UtcMicros(9) }
}

fn append(store: &LocalStore, run: u8, reel: ReelId, location: &mut Location, blocks: u64, fill: u8) -> Result<()> {
    let mut batch = Batch::with_capacity(0);
    batch.bytes().extend(std::iter::repeat_n(fill, (blocks * BLOCK) as usize));
    store.append(family(run), reel, location, batch.as_slice())
}

#[test]
fn a_store_is_opened_for_its_own_site_only_and_never_made_twice() {
    let disk = FaultyDisk::new(0);
    drop(store(&disk));
    let (disk, path): (Arc<dyn Disk>, _) = (Arc::new(disk), Path::new("/store"));
    assert!(LocalStore::open(disk.clone(), path, SITE).is_ok());
    let other = LocalStore::open(disk.clone(), path, SiteId([9; 16]));
    assert!(matches!(other, Err(StoreError::OtherSite { found: SITE, .. })));
    let nowhere = LocalStore::open(disk.clone(), Path::new("/mnt"), SITE);
    assert!(matches!(nowhere, Err(StoreError::NoMarker { .. })));
    assert!(matches!(LocalStore::create(disk.clone(), path, marker()), Err(StoreError::Exists { .. })));
    for slot_bytes in [0, BLOCK, 2 * BLOCK + 1] {
        let made = LocalStore::create(disk.clone(), Path::new("/new"), Marker { slot_bytes, ..marker() });
        assert!(matches!(made, Err(StoreError::SlotBytes { .. })), "{slot_bytes}");
    }
}

#[test]
fn a_store_of_a_later_version_is_refused_and_a_later_slot_is_never_written() {
    let disk = FaultyDisk::new(0);
    let store = store(&disk);
    let mut location = Location::default();
    append(&store, 1, REEL, &mut location, 2, 0xAA).unwrap();
    store.sync().unwrap();
    drop(store);
    // a slot's header whose number is another one, under a digest that holds
    let (path, mut block) = (Path::new("/store/slots/00000001.slot"), vec![0; BLOCK_BYTES]);
    let file = disk.open(path, Open::Write).unwrap();
    file.read_at(&mut block, 0).unwrap();
    block[4] += 1;
    file.write_at(&block, 0).unwrap();
    file.sync().unwrap();
    let (shared, root): (Arc<dyn Disk>, _) = (Arc::new(disk.clone()), Path::new("/store"));
    let scanned = |store: &LocalStore| store.scan(&BTreeSet::new()).unwrap();
    let damaged = LocalStore::open(shared.clone(), root, SITE).unwrap();
    assert_eq!(scanned(&damaged), Scan::default(), "a flipped bit is damage, as ever");
    let digest = *blake3::hash(&block[..92]).as_bytes();
    block[92..124].copy_from_slice(&digest);
    file.write_at(&block, 0).unwrap();
    file.sync().unwrap();
    let later = LocalStore::open(shared.clone(), root, SITE).unwrap();
    assert_eq!(scanned(&later).unreadable, BTreeSet::from([1]), "never to be written to");

    let marker = disk::read_all(&disk, &root.join("marker.json"), 4_096).unwrap();
    let text = String::from_utf8(marker).unwrap().replace("\"format\": 1", "\"format\": 2");
    disk::write_all(&disk, &root.join("marker.json"), text.as_bytes()).unwrap();
    let image = disk.image(root);
    for refused in [LocalStore::check_version(&disk, root).err(), LocalStore::open(shared, root, SITE).err()] {
        let refused = refused.expect("refused");
        assert!(matches!(refused, StoreError::LaterVersion { found: 2, .. }), "{refused}");
        assert!(refused.to_string().contains("install the later program again"), "{refused}");
    }
    assert_eq!(disk.image(root).files(), image.files());
}

#[test]
fn a_reel_reads_back_over_its_slots_and_not_beyond() {
    let store = store(&FaultyDisk::new(0));
    let mut location = Location::default();
    append(&store, 1, REEL, &mut location, 2, 0xAA).unwrap();
    append(&store, 1, REEL, &mut location, 3, 0xBB).unwrap();
    assert_eq!(location.pieces.iter().map(|piece| piece.bytes / BLOCK).collect::<Vec<_>>(), [3, 2]);
    let bytes = store.read(&location, 0, 5 * BLOCK).unwrap();
    assert_eq!(bytes, [vec![0xAA; 2 * BLOCK as usize], vec![0xBB; 3 * BLOCK as usize]].concat());
    assert_eq!(store.read(&location, 3 * BLOCK - 1, 2).unwrap(), [0xBB; 2]);
    for (offset, bytes) in [(5 * BLOCK, 1), (0, 5 * BLOCK + 1), (u64::MAX, 2), (1, u64::MAX)] {
        assert!(
            matches!(store.read(&location, offset, bytes), Err(StoreError::OutsideReel { .. })),
            "{offset} {bytes}"
        );
    }
    assert_eq!(Location::from_bytes(&location.to_bytes()), Some(location));
}

#[test]
fn a_reopened_store_writes_over_nothing_before_it_is_told_what_lives() {
    let disk = FaultyDisk::new(0);
    let first = store(&disk);
    let mut location = Location::default();
    append(&first, 1, REEL, &mut location, 1, 1).unwrap();
    drop(first);
    let store = LocalStore::open(Arc::new(disk), Path::new("/store"), SITE).unwrap();
    assert_eq!(store.usage().slots_free, 0);
    let mut other = Location::default();
    append(&store, 2, ReelId([6; 16]), &mut other, 1, 2).unwrap();
    assert_ne!(location.pieces[0].slot, other.pieces[0].slot);
    store.in_use([]);
    assert_eq!(store.usage().slots_free, 1, "all but the one that is written to");
    store.free(other.slots());
    assert_eq!(store.usage().slots_free, 1, "what is written to is not freed");
    store.finish(|_| true);
    store.free(other.slots());
    assert_eq!(store.usage().slots_free, 1, "nor is what no row protects yet, whoever says that it is dead");
    store.release(other.slots());
    store.free(other.slots().chain([77]));
    assert_eq!(store.usage().slots_free, 2, "a slot that does not exist is not freed");
}

#[test]
fn slots_are_claimed_for_an_end_as_long_as_the_writer_has_taken_none_of_them() {
    let disk = FaultyDisk::new(0);
    let store = store(&disk);
    let mut dead = Location::default();
    append(&store, 1, REEL, &mut dead, 1, 1).unwrap();
    store.finish(|_| true);
    store.release(dead.slots());
    store.free(dead.slots());
    assert!(store.claim(&dead));
    let mut other = Location::default();
    append(&store, 2, ReelId([6; 16]), &mut other, 1, 2).unwrap();
    assert_ne!(dead.pieces[0].slot, other.pieces[0].slot, "nobody writes where an end is about to be written");
    assert!(store.claim(&dead), "also twice");
    store.free(dead.slots());
    append(&store, 3, ReelId([7; 16]), &mut Location::default(), 1, 3).unwrap();
    assert!(!store.claim(&dead), "it is being written to");
    store.finish(|_| true);
    assert!(!store.claim(&dead), "and no row protects it yet");
}

#[test]
fn a_full_store_refuses_and_gives_back_what_the_batch_had_taken() {
    let store = store(&FaultyDisk::new(0));
    let mut location = Location::default();
    append(&store, 1, REEL, &mut location, 2, 1).unwrap();
    let before = location.clone();
    let refused = append(&store, 1, REEL, &mut location, 20, 2);
    assert!(matches!(refused, Err(StoreError::Full { slots: 3, .. })));
    assert_eq!((location, store.usage().slots_free), (before.clone(), 2));
    assert_eq!(store.next_place(family(1)).pieces[0].slot_offset, 3 * BLOCK);
}

#[test]
fn a_slot_that_the_disk_has_no_room_for_leaves_nothing_behind_and_is_made_when_there_is() {
    for step in 1..4 {
        let disk = FaultyDisk::new(0);
        let store = store(&disk);
        disk.plan(disk.steps() + step, Fault::Error(Happened::No, ErrorKind::StorageFull));
        let Err(error) = store.prepare(1) else { panic!("step {step} did not fail") };
        assert_eq!(Trouble::from(&error), Trouble::NoSpace);
        let left = disk.list(Path::new("/store/slots")).unwrap();
        assert!(step > 2 || left.is_empty(), "step {step}: {left:?}");
        assert!(store.prepare(1).unwrap());
        assert_eq!(store.usage().slots_free, 1);
    }
}

#[test]
fn a_slot_is_not_lost_whichever_step_of_appending_fails() {
    for step in 0..12 {
        let disk = FaultyDisk::new(step);
        let store = store(&disk);
        disk.plan(disk.steps() + step, Fault::Error(Happened::No, ErrorKind::Other));
        let mut location = Location::default();
        let appended = append(&store, 1, REEL, &mut location, 4, 1);
        let used = if appended.is_ok() { 2 } else { 0 };
        assert_eq!(
            (location.pieces.len(), store.usage().slots - store.usage().slots_free),
            (used, used as u32),
            "{step}"
        );
    }
}

#[test]
fn slots_prepared_in_the_background_never_wipe_what_is_written_meanwhile() {
    let disk = FaultyDisk::new(0);
    let marker = Marker { slots_max: 60, ..marker() };
    let store = LocalStore::create(Arc::new(disk), Path::new("/store"), marker).unwrap();
    let mut location = Location::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| while store.prepare(3).unwrap() || store.usage().slots < 60 {});
        }
        for fill in 1..=60 {
            append(&store, 1, REEL, &mut location, SLOT_BLOCKS - 1, fill).unwrap();
        }
    });
    for fill in 1..=60 {
        let at = u64::from(fill - 1) * (SLOT_BLOCKS - 1) * BLOCK;
        assert_eq!(store.read(&location, at, BLOCK).unwrap(), vec![fill; BLOCK_BYTES], "slot {fill}");
    }
}

#[test]
fn the_next_reel_shares_its_slot_until_its_family_is_finished() {
    let store = store(&FaultyDisk::new(0));
    let mut first = Location::default();
    append(&store, 1, REEL, &mut first, 1, 1).unwrap();
    let place = store.next_place(family(1));
    assert_eq!(
        (place.pieces[0].slot, place.pieces[0].slot_offset, place.bytes()),
        (first.pieces[0].slot, 2 * BLOCK, 0)
    );
    assert_eq!(store.next_place(family(2)), Location::default(), "another family begins a slot of its own");
    store.finish(|finished| *finished == family(1));
    assert_eq!(store.next_place(family(1)), Location::default());
}

#[test]
fn what_was_written_after_the_catalog_last_heard_is_found_as_long_as_it_has_no_hole() {
    let store = store(&FaultyDisk::new(0));
    let header =
        |slot, reel_offset| SlotHeader { root: RootId([2; 16]), slot, family: family(1), reel: REEL, reel_offset };
    let start =
        Location { pieces: vec![Piece { slot: 1, slot_offset: 3 * BLOCK, reel_offset: 0, bytes: 0 }], index: None };
    let of = |headers: &[SlotHeader]| store.extended(&start, REEL, headers).slots().collect::<Vec<_>>();
    assert_eq!(of(&[]), [1]);
    assert_eq!(of(&[header(3, 4 * BLOCK), header(2, BLOCK)]), [1, 2, 3]);
    assert_eq!(of(&[header(3, 4 * BLOCK)]), [1], "the slot between is gone");
    assert_eq!(of(&[SlotHeader { reel: ReelId([6; 16]), ..header(2, BLOCK) }]), [1], "another reel's");
    assert_eq!(store.extended(&Location::default(), REEL, &[header(2, 0)]).bytes(), 3 * BLOCK);
}

#[test]
fn a_record_of_another_reel_reads_as_gone() {
    let store = store(&FaultyDisk::new(0));
    let mut location = Location::default();
    let mut batch = Batch::with_capacity(BLOCK_BYTES);
    batch.bytes().extend_from_slice(&record(Kind::Chunk, 3, 7, ReelId([6; 16]), &[1; 4_032]));
    store.append(family(1), REEL, &mut location, batch.as_slice()).unwrap();
    let entry = IndexEntry { kind: Kind::Chunk.code(), handle: 3, number: 7, bytes: 4_096, offset: 0 };
    let mut reader = store.reader(&location);
    assert!(reader.record(ReelId([6; 16]), &entry).is_ok());
    assert!(matches!(reader.record(REEL, &entry), Err(StoreError::Gone)));
    for other in
        [IndexEntry { number: 8, ..entry }, IndexEntry { handle: 2, ..entry }, IndexEntry { bytes: 4_095, ..entry }]
    {
        assert!(matches!(reader.record(ReelId([6; 16]), &other), Err(StoreError::Gone)), "{other:?}");
    }
}

/// A store of two roots with room for so many slots each.
fn two(disk: &FaultyDisk, first: u32, second: u32) -> LocalStore {
    let folders = ["/one", "/two"];
    let markers = [Marker { slots_max: first, ..marker() }, Marker { slots_max: second, number: 1, ..marker() }];
    for (folder, marker) in folders.iter().zip(markers) {
        drop(Root::create(Arc::new(disk.clone()), Path::new(folder), marker).unwrap());
    }
    let places = folders.map(|folder| Place { path: folder.into(), slots_max: None });
    let store = LocalStore::open_all(Arc::new(disk.clone()), &places, SITE).unwrap();
    store.in_use([]);
    store
}

/// The root in which a reel of so many blocks was begun, and ended.
fn reel(store: &LocalStore, run: u8, blocks: u64) -> Result<u8> {
    let mut location = store.next_place(family(run));
    append(store, run, ReelId([run; 16]), &mut location, blocks, run)?;
    store.finish(|_| true);
    Ok(location.root().unwrap())
}

#[test]
fn roots_have_their_share_of_reels_by_the_room_that_they_have() {
    let store = two(&FaultyDisk::new(0), 300, 100);
    let begun: Vec<u8> = (0..80).map(|run| reel(&store, run, 1).unwrap()).collect();
    let first = begun.iter().filter(|number| **number == 0).count();
    assert!((56..=64).contains(&first), "three of four: {first}");
    assert!(begun.windows(5).all(|five| five.contains(&0) && five.contains(&1)), "and none waits for long: {begun:?}");
}

#[test]
fn a_full_root_takes_no_reel_while_another_has_room_and_both_full_is_said() {
    let store = two(&FaultyDisk::new(0), 2, 5);
    let begun: Vec<u8> = (0..7).map(|run| reel(&store, run, 3).unwrap()).collect();
    assert_eq!(begun.iter().filter(|number| **number == 0).count(), 2);
    assert!(matches!(reel(&store, 9, 1), Err(StoreError::Full { .. })));
    let full = Location { pieces: vec![Piece { slot: 1, slot_offset: BLOCK, reel_offset: 0, bytes: 0 }], index: None };
    assert!(!store.is_short(&full, BLOCK), "nowhere is more room");
    store.free([first_slot(1)]);
    assert!(!store.is_short(&full, BLOCK), "what no row protects yet is not given back");
    store.release([first_slot(1)]);
    store.free([first_slot(1)]);
    assert!(store.is_short(&full, BLOCK));
}

#[test]
fn a_root_that_refused_a_write_takes_none_until_it_takes_one_again() {
    let disk = FaultyDisk::new(0);
    let store = two(&disk, 50, 50);
    for run in 0..6 {
        reel(&store, run, 1).unwrap();
    }
    disk.plan(disk.steps(), Fault::Error(Happened::No, ErrorKind::ReadOnlyFilesystem));
    let mut failed = Location::default();
    assert!(append(&store, 7, ReelId([7; 16]), &mut failed, 1, 7).is_err());
    let out: Vec<&Root> = store.roots().iter().filter(|root| root.trouble() == Some(Trouble::ReadOnly)).collect();
    let number = out[0].marker.number;
    for run in 10..20 {
        assert_ne!(reel(&store, run, 1).unwrap(), number);
    }
    disk.plan(disk.steps(), Fault::Error(Happened::No, ErrorKind::ReadOnlyFilesystem));
    assert_eq!(out[0].look(), Some(Trouble::ReadOnly), "it still refuses");
    assert_eq!(out[0].look(), None);
    assert!((20..24).any(|run| reel(&store, run, 1).unwrap() == number), "used again");
}

/// Found by the simulation: what was written to an old image of a disk had its rows in slots that the disk itself never had; the
/// next slot that was made was one of those, and a recovery, which does not look into slots of ended reels, did not find in it what
/// went on there.
#[test]
fn no_slot_is_made_of_which_a_row_says_that_another_reel_lies_there() {
    let store = two(&FaultyDisk::new(0), 300, 1);
    reel(&store, 1, 1).unwrap();
    store.in_use([1, 5, first_slot(1) + 40]);
    let mut location = store.next_place(family(2));
    append(&store, 2, ReelId([2; 16]), &mut location, 7 * 3, 2).unwrap();
    assert!(!location.slots().any(|slot| slot == 1 || slot == 5), "{location:?}");
    let made = store.roots()[0].slot_numbers().unwrap();
    assert!(location.slots().all(|slot| root_of(slot) == 1 || made.contains(&slot)), "{location:?}, {made:?}");
    store.in_use([1]);
    let again: Vec<u32> = (0..9)
        .flat_map(|run| {
            let mut location = store.next_place(family(run));
            append(&store, run, ReelId([run; 16]), &mut location, 7, run).unwrap();
            location.slots().collect::<Vec<_>>()
        })
        .collect();
    assert!(!again.contains(&5), "not even when the row is gone: {again:?}");
}

#[test]
fn slots_of_each_root_have_numbers_of_their_own() {
    assert_eq!((first_slot(0), first_slot(1), root_of(first_slot(255))), (1, 16_777_217, 255));
    let location = |slots: &[u32]| {
        let piece =
            |(n, slot): (usize, &u32)| Piece { slot: *slot, slot_offset: BLOCK, reel_offset: n as u64, bytes: 1 };
        Location { pieces: slots.iter().enumerate().map(piece).collect(), index: None }
    };
    let two = location(&[first_slot(1), first_slot(1) + 7]);
    assert_eq!((two.root(), Location::from_bytes(&two.to_bytes())), (Some(1), Some(two)));
    assert_eq!(Location::from_bytes(&location(&[1, first_slot(1)]).to_bytes()), None, "a reel lies in one root");
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_location_with_holes_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Some(location) = Location::from_bytes(&bytes) {
            let sum = location.pieces.iter().try_fold(0u64, |sum, piece| sum.checked_add(piece.bytes));
            prop_assert_eq!(Some(location.bytes()), sum);
        }
    }

    #[test]
    fn pieces_that_do_not_follow_each_other_are_no_location(pieces in proptest::collection::vec((any::<u32>(), any::<u64>(), any::<u64>(), any::<u64>()), 1..4)) {
        let piece = |(slot, slot_offset, reel_offset, bytes)| Piece { slot, slot_offset, reel_offset, bytes };
        let location = Location { pieces: pieces.into_iter().map(piece).collect(), index: None };
        let follows = location.pieces[0].reel_offset == 0 && location.pieces.len() == 1;
        prop_assert!(follows || Location::from_bytes(&location.to_bytes()).is_none());
    }

    #[test]
    fn arbitrary_bytes_are_no_slot_header_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(SlotHeader::from_bytes(&bytes), None);
        let mut with_magic = b"VGSL\x01\0\0\0".to_vec();
        with_magic.extend_from_slice(&bytes);
        prop_assert_eq!(SlotHeader::from_bytes(&with_magic), None);
    }
}

#[test]
fn a_disk_that_is_gone_comes_back_empty_or_is_another_one_takes_no_byte_and_the_right_one_goes_on() {
    let (disk, path) = (FaultyDisk::new(0), Path::new("/store"));
    let store = store(&disk);
    let mut location = Location::default();
    append(&store, 1, REEL, &mut location, 1, 0xAA).unwrap();
    store.sync().unwrap();
    let right = disk.image(path);
    // the same site's, made anew: its slots have the same names
    let elsewhere = FaultyDisk::new(1);
    let other = Marker { root: RootId([3; 16]), ..marker() };
    let other = LocalStore::create(Arc::new(elsewhere.clone()), path, other).unwrap();
    append(&other, 2, ReelId([6; 16]), &mut Location::default(), 1, 0xBB).unwrap();
    for (what, image) in [("empty", FaultyDisk::new(2).image(path)), ("another", elsewhere.image(path))] {
        disk.restore(&image);
        let before = location.clone();
        let away = |result: Result<()>| match result {
            Err(StoreError::NoMarker { .. }) => what == "empty",
            Err(StoreError::OtherRoot { .. }) => what == "another",
            _ => false,
        };
        assert!(away(append(&store, 1, REEL, &mut location, 1, 0xCC)), "{what}: a slot that is there");
        assert!(away(append(&store, 3, REEL, &mut Location::default(), 1, 0xCC)), "{what}: a slot to be made");
        assert!(away(store.settle(&location)) && away(store.free_bytes().map(drop)), "{what}");
        assert!(away(store.prepare(3).map(drop)), "{what}: in the background");
        assert_eq!(location, before);
        assert!(disk.image(path).files() == image.files(), "{what}: not a byte of it changed");
    }
    disk.restore(&right);
    append(&store, 1, REEL, &mut location, 1, 0xDD).unwrap();
    store.sync().unwrap();
    assert_eq!(store.read(&location, 0, BLOCK).unwrap(), vec![0xAA; BLOCK as usize]);
}
