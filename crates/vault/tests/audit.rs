//! Store, catalog, keyring and ledger held against each other: what agrees is quiet, and each contradiction that is planted
//! is found and named, and nothing else.
#![cfg(feature = "view")]

mod support;

use catalog::{ReelEnd, ReelRow, ReelState};
use disk::{Disk, FaultyDisk, Open};
use domain::{CameraId, HourLength, RunId, UtcMicros};
use std::{cell::Cell, collections::BTreeMap, path::Path, sync::Arc};
use support::{Camera, Life, Town};
use vault::{
    LocalStore, Location,
    audit::{Audit, Auditor, Books, Disagreement, HourBook},
    keeper::{Fact, ReelFact},
};

const SLOT_BYTES: u64 = 48 * 1024;
const STORE: &str = "/store";

fn begin() -> UtcMicros {
    HourLength::SIMULATED.hour_of(support::START).end().plus_seconds(-65)
}

/// A town that recorded over an hour's turn and stopped in order, and what keeper and ledger would say of it.
struct Bench {
    disk: FaultyDisk,
    town: Town,
    store: Arc<LocalStore>,
    books: Books,
}

impl Bench {
    fn new() -> Bench {
        let disk = FaultyDisk::new(21);
        let mut town = Town::new(Arc::new(disk.clone()), Some(Path::new(STORE)), SLOT_BYTES);
        let mut cameras: Vec<Camera> = (1..=3).map(|number| Camera::new(number, begin())).collect();
        cameras.iter_mut().for_each(|camera| camera.picture_bytes = 1_200);
        town.keeper.delays.lock().unwrap().insert(cameras[2].stream.camera, 10);
        let mut life: Life = town.start(begin()).unwrap();
        let mut before = 0;
        for second in [1, 2, 3, 61, 62, 66, 67, 78, 79] {
            if second > before + 1 {
                cameras.iter_mut().for_each(|camera| camera.skip(begin().plus_seconds(second - 1)));
            }
            before = second;
            town.second(&mut life, &mut cameras, begin().plus_seconds(second)).unwrap();
        }
        town.close(&mut life, begin().plus_seconds(80)).unwrap();
        let books = books(&town);
        Bench { disk, store: life.store, town, books }
    }

    fn audit(&self) -> Audit {
        let pace = |_| {};
        let auditor = Auditor {
            store: &self.store,
            footage: &self.town.footage,
            site_key: self.town.keeper.site_key.public(),
            now: begin().plus_seconds(100),
            pace: &pace,
        };
        let first = auditor.audit(&self.books).unwrap();
        auditor.confirm(&self.books, first).unwrap()
    }

    #[track_caller]
    fn finds(&self, expected: &[Disagreement]) {
        let found = self.audit().disagreements;
        assert_eq!(found, expected);
        for disagreement in &found {
            for text in [disagreement.text_fr(), disagreement.text_en()] {
                assert!(
                    text.ends_with('.') && text.matches(['.', ':', ';']).count() > 1,
                    "situation and remedy: {text}"
                );
            }
        }
    }

    fn row(&self) -> ReelRow {
        self.town.footage.live_reels().unwrap().remove(0)
    }

    fn book(&mut self) -> &mut HourBook {
        let hour = self.row().hour;
        self.books.get_mut(&hour).unwrap()
    }

    /// Overwrites bytes of a reel.
    fn damage(&self, row: &ReelRow, at: u64, bytes: &[u8]) {
        let location = Location::from_bytes(&row.location).unwrap();
        let piece = location.pieces.iter().find(|piece| at < piece.reel_offset + piece.bytes).unwrap();
        let path = Path::new(STORE).join(format!("slots/{:08}.slot", piece.slot));
        let file = self.disk.open(&path, Open::Write).unwrap();
        file.write_at(bytes, piece.slot_offset + at - piece.reel_offset).unwrap();
        file.sync().unwrap();
    }
}

/// What a keyring and a ledger that agree with the town say.
fn books(town: &Town) -> Books {
    let mut books: Books = BTreeMap::new();
    for row in town.footage.live_reels().unwrap() {
        let book = books.entry(row.hour).or_insert_with(|| HourBook {
            hour: row.hour,
            keys: BTreeMap::new(),
            page_damaged: false,
            minted: BTreeMap::new(),
            deadlines: Default::default(),
            ended: Default::default(),
            reels: Vec::new(),
        });
        for stream in town.footage.streams_of(row.reel).unwrap() {
            book.keys.insert(stream.stream.camera, row.deadline);
            book.minted.insert(stream.stream.camera, row.deadline);
            book.deadlines.insert(row.deadline);
        }
    }
    for fact in &town.facts {
        if let Fact::Reel(fact) | Fact::Recovered { reel: fact, .. } = fact {
            books.get_mut(&fact.hour).unwrap().reels.push(*fact);
        }
    }
    // the reel that tests plant things in comes first
    let first = town.footage.live_reels().unwrap().remove(0);
    let reels = &mut books.get_mut(&first.hour).unwrap().reels;
    reels.sort_by_key(|fact| fact.reel != first.reel);
    books
}

#[test]
fn what_agrees_is_read_whole_and_quiet() {
    let bench = Bench::new();
    let rows = bench.town.footage.live_reels().unwrap();
    let audit = bench.audit();
    assert_eq!(audit.disagreements, []);
    assert_eq!((audit.reels, audit.rows, audit.open), (rows.len() as u64, rows.len() as u64, 0));
    assert_eq!(audit.bytes, rows.iter().map(|row| row.bytes).sum::<u64>());
}

#[test]
fn reading_is_paced_by_the_bytes_of_each_reel() {
    let bench = Bench::new();
    let asked = Cell::new(0);
    let pace = |bytes| asked.set(asked.get() + bytes);
    let site_key = bench.town.keeper.site_key.public();
    let (store, footage, now) = (&*bench.store, &*bench.town.footage, begin().plus_seconds(100));
    let audit = Auditor { store, footage, site_key, now, pace: &pace }.audit(&bench.books).unwrap();
    assert_eq!(asked.get(), audit.bytes);
}

#[test]
fn an_open_reel_is_no_contradiction() {
    let mut bench = Bench::new();
    let now = begin().plus_seconds(90);
    let mut life = bench.town.start(now).unwrap();
    let mut cameras = [Camera::new(1, now)];
    bench.town.second(&mut life, &mut cameras, now.plus_seconds(2)).unwrap();
    let audit = bench.audit();
    assert_eq!((audit.disagreements, audit.open), (vec![], 1));
}

#[test]
fn a_reel_without_a_row_is_found() {
    let bench = Bench::new();
    let row = bench.row();
    bench.town.footage.forget(&[row.reel]).unwrap();
    bench.finds(&[Disagreement::NoRow { reel: row.reel, hour: row.hour }]);
}

#[test]
fn a_row_without_its_reel_is_found() {
    let mut bench = Bench::new();
    let row = bench.row();
    let location = Location::from_bytes(&row.location).unwrap();
    // its slot was wiped, with every other reel in it
    let slots: Vec<u32> = location.slots().collect();
    let rows = bench.town.footage.live_reels().unwrap();
    let touched =
        |row: &&ReelRow| Location::from_bytes(&row.location).unwrap().slots().any(|slot| slots.contains(&slot));
    let gone: Vec<ReelRow> = rows.iter().filter(touched).cloned().collect();
    for row in &gone {
        for slot in Location::from_bytes(&row.location).unwrap().slots() {
            let path = Path::new(STORE).join(format!("slots/{slot:08}.slot"));
            let file = bench.disk.open(&path, Open::Write).unwrap();
            file.write_at(&vec![0; SLOT_BYTES as usize], 0).unwrap();
            file.sync().unwrap();
        }
    }
    let ids: Vec<_> = gone.iter().map(|row| row.reel).collect();
    bench.books.values_mut().for_each(|book| book.reels.retain(|fact| !ids.contains(&fact.reel)));
    let found = bench.audit().disagreements;
    assert!(!gone.is_empty());
    for row in &gone {
        assert!(found.contains(&Disagreement::NoBytes { reel: row.reel, hour: row.hour }), "{found:?}");
    }
    assert_eq!(found.len(), gone.len(), "{found:?}");
}

#[test]
fn a_row_that_says_something_else_than_its_reel_is_found() {
    let bench = Bench::new();
    let row = bench.row();
    let ReelRow { root, bytes, .. } = row.clone();
    let mut elsewhere = Location::from_bytes(&row.location).unwrap();
    elsewhere.pieces[0].slot_offset += 4_096;
    for (what, root, bytes, location) in [
        ("root", Some([9; 32]), bytes, row.location.clone()),
        ("bytes", root, bytes + 1, row.location.clone()),
        ("place", root, bytes, elsewhere.to_bytes()),
    ] {
        let end = ReelEnd { location, root: root.unwrap(), bytes, closed_at: begin() };
        bench.town.footage.reel_closed(row.reel, &end).unwrap();
        bench.finds(&[Disagreement::RowDiffers { reel: row.reel, hour: row.hour, what: what.into() }]);
    }
}

#[test]
fn a_flipped_bit_of_a_picture_is_found_by_reading_without_a_key() {
    let bench = Bench::new();
    let row = bench.row();
    let store = bench.town.open_store().unwrap();
    let entries = vault::store::walk_index(&store, row.reel, &Location::from_bytes(&row.location).unwrap()).unwrap();
    let chunk = entries.iter().find(|entry| entry.is(seal::Kind::Chunk)).unwrap();
    bench.damage(&row, chunk.offset + 100, &[0xEE; 3]);
    let found = bench.audit().disagreements;
    let [Disagreement::Damaged { reel, slot, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!((*reel, *slot), (Some(row.reel), Location::from_bytes(&row.location).unwrap().pieces[0].slot));
}

#[test]
fn another_root_than_the_ledgers_is_found() {
    let mut bench = Bench::new();
    let row = bench.row();
    bench.book().reels[0].root = [7; 32];
    bench.finds(&[Disagreement::OtherRoot { reel: row.reel, hour: row.hour }]);
}

#[test]
fn a_reel_that_the_ledger_does_not_know_or_knows_otherwise_is_found() {
    let mut bench = Bench::new();
    let row = bench.row();
    let known: ReelFact = bench.book().reels.remove(0);
    bench.finds(&[Disagreement::NotInLedger { reel: row.reel, hour: row.hour }]);
    bench.book().reels.insert(0, ReelFact { run: RunId([9; 16]), ..known });
    bench.finds(&[Disagreement::LedgerDiffers { reel: row.reel, hour: row.hour }]);
}

#[test]
fn a_reel_of_the_ledger_that_the_store_has_not_is_found() {
    let mut bench = Bench::new();
    let row = bench.row();
    let lost = ReelFact { reel: domain::ReelId([3; 16]), ..bench.book().reels[0] };
    bench.book().reels.push(lost);
    bench.finds(&[Disagreement::NotInStore { reel: lost.reel, hour: row.hour }]);
}

#[test]
fn a_reel_of_an_hour_that_was_never_minted_or_with_another_deadline_is_found() {
    let mut bench = Bench::new();
    let row = bench.row();
    bench.book().deadlines.remove(&row.deadline);
    let of_hour =
        |row: &ReelRow| Disagreement::OtherDeadline { reel: row.reel, hour: row.hour, deadline: row.deadline };
    let rows = bench.town.footage.live_reels().unwrap();
    let with = |other: &&ReelRow| (other.hour, other.deadline) == (row.hour, row.deadline);
    let mut found = bench.audit().disagreements;
    assert!(rows.iter().filter(with).all(|row| found.contains(&of_hour(row))));
    found.retain(|one| !matches!(one, Disagreement::OtherDeadline { .. }));
    assert_eq!(found, []);
    let hour = row.hour;
    bench.books.remove(&hour);
    let found = bench.audit().disagreements;
    assert!(found.contains(&Disagreement::NoMint { reel: row.reel, hour }), "{found:?}");
    assert!(found.iter().all(|one| matches!(one, Disagreement::NoMint { .. })), "{found:?}");
}

#[test]
fn keys_that_the_keyring_has_not_or_should_not_have_are_found() {
    let mut bench = Bench::new();
    let hour = bench.row().hour;
    let (camera, deadline) = bench.book().keys.pop_first().unwrap();
    let found = bench.audit().disagreements;
    assert!(found.contains(&Disagreement::NoKey { reel: None, hour, camera }), "{found:?}");
    assert!(
        found.iter().all(|one| matches!(one, Disagreement::NoKey { camera: of, .. } if *of == camera)),
        "{found:?}"
    );
    bench.book().keys.insert(camera, deadline);

    let stranger = CameraId([0xAA; 16]);
    bench.book().keys.insert(stranger, deadline);
    bench.finds(&[Disagreement::KeyNeverMinted { hour, camera: stranger }]);
    bench.book().keys.remove(&stranger);

    let ledger = deadline.plus_seconds(-1);
    bench.book().minted.insert(camera, ledger);
    bench.finds(&[Disagreement::KeyDeadlineDiffers { hour, camera, keyring: deadline, ledger }]);
    bench.book().minted.insert(camera, deadline);

    bench.book().ended.insert(camera);
    bench.finds(&[Disagreement::KeyOfDestroyed { hour, camera }]);
    bench.book().ended.clear();

    bench.book().page_damaged = true;
    bench.finds(&[Disagreement::PageDamaged { hour }]);
}

#[test]
fn of_destroyed_hours_ciphertext_may_be_left_and_rows_may_not() {
    let mut bench = Bench::new();
    let hour = bench.row().hour;
    let cameras: Vec<CameraId> = bench.book().minted.keys().copied().collect();
    bench.book().keys.clear();
    bench.book().ended.extend(cameras.iter().copied());
    let dead = bench.town.footage.reels_dead(hour, Some(&cameras)).unwrap();
    bench.town.footage.forget(&dead.iter().map(|row| row.reel).collect::<Vec<_>>()).unwrap();
    assert!(bench.town.footage.live_reels().unwrap().iter().all(|row| row.state != ReelState::Dead));
    bench.finds(&[]);
}
