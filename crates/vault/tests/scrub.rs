//! Scrubbing: each byte of a reel that changed is found without a key, and replay refuses that chunk alone; what agrees is quiet,
//! and what catalog, store, keyring and ledger say differently is named.
#![cfg(feature = "view")]

mod support;

use catalog::{ReelRow, ReelState};
use disk::{Disk, FaultyDisk, Open};
use domain::{Hour, HourLength, Span, StreamId, UtcMicros};
use seal::Kind;
use std::{cell::Cell, collections::BTreeMap, path::Path, sync::Arc};
use support::{Camera, Life, Town, brief};
use vault::{
    LocalStore, Location,
    audit::{Books, Disagreement, HourBook},
    keeper::Fact,
    scrub::{Looked, Scrubber, Wrong},
    store::walk_index,
};

const SLOT_BYTES: u64 = 48 * 1024;
const STORE: &str = "/store";

fn begin() -> UtcMicros {
    HourLength::SIMULATED.hour_of(support::START).start().plus_seconds(20)
}

fn after() -> UtcMicros {
    begin().plus_seconds(500)
}

/// A town that recorded two reels of three cameras and stopped in order.
struct Bench {
    disk: FaultyDisk,
    town: Town,
    store: Arc<LocalStore>,
}

impl Bench {
    fn new() -> Bench {
        let disk = FaultyDisk::new(5);
        let mut town = Town::new(Arc::new(disk.clone()), Some(Path::new(STORE)), SLOT_BYTES);
        let mut cameras: Vec<Camera> = (1..=3).map(|number| Camera::new(number, begin())).collect();
        cameras.iter_mut().for_each(|camera| camera.picture_bytes = 1_200);
        let mut life: Life = town.start(begin()).unwrap();
        for second in [1, 2, 3, 61, 62, 66] {
            if second == 61 || second == 66 {
                cameras.iter_mut().for_each(|camera| camera.skip(begin().plus_seconds(second - 1)));
            }
            town.second(&mut life, &mut cameras, begin().plus_seconds(second)).unwrap();
        }
        town.close(&mut life, begin().plus_seconds(80)).unwrap();
        Bench { disk, store: life.store, town }
    }

    fn scrubber(&self) -> Scrubber<'_> {
        let site_key = self.town.keeper.site_key.public();
        Scrubber { store: &self.store, footage: &self.town.footage, site_key, now: after() }
    }

    fn look(&self, row: &ReelRow) -> Looked {
        self.scrubber().look(row, None, &mut |_| true).unwrap()
    }

    /// Changes the bits of `mask` in one byte of a reel; again, and they are as before.
    fn flip(&self, row: &ReelRow, at: u64, mask: u8) {
        let location = Location::from_bytes(&row.location).unwrap();
        let piece = location.pieces.iter().find(|piece| at < piece.reel_offset + piece.bytes).unwrap();
        self.flip_in_slot(piece.slot, piece.slot_offset + at - piece.reel_offset, mask);
    }

    fn flip_in_slot(&self, slot: u32, at: u64, mask: u8) {
        let file = self.disk.open(&Path::new(STORE).join(format!("slots/{slot:08}.slot")), Open::Write).unwrap();
        let mut byte = [0];
        file.read_at(&mut byte, at).unwrap();
        file.write_at(&[byte[0] ^ mask], at).unwrap();
        file.sync().unwrap();
    }

    /// What a keyring and a ledger that agree with the town say.
    fn books(&self) -> Books {
        let mut books: Books = BTreeMap::new();
        for row in self.town.footage.live_reels().unwrap() {
            let book = books.entry(row.hour).or_insert_with(|| empty(row.hour));
            for stream in self.town.footage.streams_of(row.reel).unwrap() {
                book.keys.insert(stream.stream.camera, row.deadline);
                book.minted.insert(stream.stream.camera, row.deadline);
                book.deadlines.insert(row.deadline);
            }
        }
        for fact in &self.town.facts {
            if let Fact::Reel(fact) = fact {
                books.get_mut(&fact.hour).unwrap().reels.push(*fact);
            }
        }
        books
    }
}

fn empty(hour: Hour) -> HourBook {
    let (keys, minted, deadlines, ended, reels) = Default::default();
    HourBook { hour, keys, page_damaged: false, minted, deadlines, ended, reels }
}

/// Where each byte of a reel stands that the chain or a signature covers: all but padding.
fn covered(bench: &Bench, row: &ReelRow) -> Vec<(u64, u64)> {
    let location = Location::from_bytes(&row.location).unwrap();
    let entries = walk_index(&bench.store, row.reel, &location).unwrap();
    let records = entries.iter().filter(|entry| !entry.is(Kind::Pad));
    records.map(|entry| (entry.offset, entry.offset + u64::from(entry.bytes))).collect()
}

#[test]
fn every_changed_byte_of_a_reel_is_found_without_a_key_and_where_it_lies() {
    let bench = Bench::new();
    for row in bench.scrubber().reels().unwrap() {
        let covered = covered(&bench, &row);
        // each record's header, the ends of its payload, and bytes in between
        let places = covered.iter().flat_map(|(from, to)| {
            let near = [0, 4, 5, 6, 8, 11, 12, 16, 31, 32, 63, 64].map(move |n| from + n);
            near.into_iter().chain([to - 1]).chain((*from..*to).step_by(499).skip(1)).filter(move |at| at < to)
        });
        let mut found = 0;
        for (n, at) in places.enumerate() {
            let mask = 1 << (n % 8);
            bench.flip(&row, at, mask);
            let looked = bench.look(&row);
            let Looked::Wrong(Wrong { disagreement, damage: Some(damage) }) = &looked else {
                panic!("byte {at} of reel {}: {looked:?}", row.reel)
            };
            assert_eq!((damage.reel, damage.hour, disagreement.reel()), (row.reel, row.hour, Some(row.reel)));
            assert!(damage.from <= at && at < damage.to, "byte {at} in {damage:?}");
            bench.flip(&row, at, mask);
            found += 1;
        }
        assert!(found > 300, "{found}");
        assert_eq!(bench.look(&row), Looked::Sound { bytes: row.bytes });
    }
}

#[test]
fn padding_and_the_headers_of_slots_are_told_from_footage() {
    let bench = Bench::new();
    let row = bench.scrubber().reels().unwrap().remove(0);
    let covered = covered(&bench, &row);
    let gap = covered.windows(2).find(|pair| pair[0].1 < pair[1].0).unwrap();
    bench.flip(&row, gap[0].1, 0x10);
    assert_eq!(bench.look(&row), Looked::Sound { bytes: row.bytes }, "padding carries nothing");
    let slot = Location::from_bytes(&row.location).unwrap().slots().next().unwrap();
    bench.flip_in_slot(slot, 50, 1);
    let looked = bench.look(&row);
    let Looked::Wrong(Wrong { disagreement, damage: None }) = looked else { panic!("{looked:?}") };
    assert!(disagreement.text_en().contains("rebuilt catalog"), "{}", disagreement.text_en());
}

#[test]
fn replay_refuses_the_chunk_that_scrubbing_found_and_that_chunk_alone() {
    let bench = Bench::new();
    let streams: Vec<StreamId> = bench.town.given.keys().copied().collect();
    let span = Span::new(begin(), after()).unwrap();
    let whole: BTreeMap<StreamId, Vec<_>> =
        streams.iter().map(|stream| (*stream, brief(&bench.town.replay(None, *stream, span)))).collect();
    for row in bench.scrubber().reels().unwrap() {
        let location = Location::from_bytes(&row.location).unwrap();
        let entries = walk_index(&bench.store, row.reel, &location).unwrap();
        for chunk in entries.iter().filter(|entry| entry.is(Kind::Chunk)).step_by(4) {
            let at = chunk.offset + 64 + u64::from(chunk.bytes - 64) / 2;
            bench.flip(&row, at, 0x40);
            assert!(matches!(bench.look(&row), Looked::Wrong(_)));
            let rows = bench.town.footage.streams_of(row.reel).unwrap();
            let of_chunk = rows.iter().find(|stream| stream.handle == chunk.handle).unwrap().stream;
            for stream in &streams {
                let shown = brief(&bench.town.replay(None, *stream, span));
                let refused: Vec<_> = whole[stream].iter().filter(|brief| !shown.contains(brief)).collect();
                let expected = usize::from(*stream == of_chunk);
                assert_eq!(refused.len(), expected, "{stream:?}, damage in a chunk of {of_chunk:?}: {refused:?}");
            }
            bench.flip(&row, at, 0x40);
        }
    }
}

#[test]
fn what_agrees_is_quiet_and_reading_is_paced_by_each_record_and_broken_off_at_a_word() {
    let bench = Bench::new();
    let (books, scrubber) = (bench.books(), bench.scrubber());
    assert_eq!(scrubber.compare(&books).unwrap(), []);
    let rows = scrubber.reels().unwrap();
    assert_eq!(rows.len(), 2);
    for row in &rows {
        let asked = Cell::new(0);
        let mut pace = |bytes| {
            asked.set(asked.get() + bytes);
            true
        };
        let looked = scrubber.look(row, books.get(&row.hour), &mut pace).unwrap();
        assert_eq!(looked, Looked::Sound { bytes: row.bytes });
        assert!(asked.get() > row.bytes / 2 && asked.get() <= row.bytes);
        let mut left = 5;
        let mut stop = |_| {
            left -= 1;
            left > 0
        };
        assert_eq!(scrubber.look(row, None, &mut stop).unwrap(), Looked::Passed);
    }
}

#[test]
fn what_dies_or_died_is_passed_over_and_nothing_is_said_of_it() {
    let bench = Bench::new();
    let rows = bench.scrubber().reels().unwrap();
    bench.flip(&rows[0], 200, 1);
    let near = Scrubber { now: rows[0].deadline.plus_seconds(-599), ..bench.scrubber() };
    assert_eq!(near.look(&rows[0], None, &mut |_| true).unwrap(), Looked::Passed);
    assert_eq!(near.reels().unwrap(), []);
    let mut books = bench.books();
    let dead = bench.town.footage.reels_dead(rows[0].hour, None).unwrap();
    assert!(dead.iter().all(|row| row.state == ReelState::Dead));
    assert_eq!(bench.look(&rows[0]), Looked::Passed);
    for book in books.values_mut() {
        book.ended.extend(std::mem::take(&mut book.keys).into_keys());
    }
    assert_eq!(bench.scrubber().compare(&books).unwrap(), []);
}

#[test]
fn each_contradiction_of_catalog_store_keyring_and_ledger_is_named() {
    let bench = Bench::new();
    let (books, scrubber) = (bench.books(), bench.scrubber());
    let row = scrubber.reels().unwrap().remove(0);
    let (reel, hour) = (row.reel, row.hour);
    let finds = |change: &dyn Fn(&mut HourBook), expected: &dyn Fn(&Disagreement) -> bool| {
        let mut books = books.clone();
        change(books.get_mut(&hour).unwrap());
        let found = scrubber.compare(&books).unwrap();
        assert!(!found.is_empty() && found.iter().all(expected), "{found:?}");
    };
    let camera = *books[&hour].keys.keys().next().unwrap();
    finds(&|book| book.reels.retain(|fact| fact.reel != reel), &|found| {
        *found == Disagreement::NotInLedger { reel, hour }
    });
    finds(
        &|book| book.reels.iter_mut().filter(|fact| fact.reel == reel).for_each(|fact| fact.root[3] ^= 1),
        &|found| *found == Disagreement::OtherRoot { reel, hour },
    );
    finds(
        &|book| book.keys.retain(|of, _| *of != camera),
        &|found| matches!(found, Disagreement::NoKey { camera: of, .. } if *of == camera),
    );
    finds(&|book| book.deadlines.clear(), &|found| matches!(found, Disagreement::OtherDeadline { .. }));
    finds(&|book| book.ended.extend([camera]), &|found| *found == Disagreement::KeyOfDestroyed { hour, camera });
    // a lost row, a slot that counts as free, a leaf of another root
    let slot = Location::from_bytes(&row.location).unwrap().slots().next().unwrap();
    bench.store.free([slot]);
    let found = scrubber.compare(&books).unwrap();
    assert!(found.contains(&Disagreement::NoBytes { reel, hour }), "{found:?}");
    let mut other = books[&hour].clone();
    other.reels.iter_mut().for_each(|fact| fact.root[0] ^= 1);
    let looked = scrubber.look(&row, Some(&other), &mut |_| true).unwrap();
    let Looked::Wrong(Wrong { disagreement, .. }) = looked else { panic!("{looked:?}") };
    assert_eq!(disagreement, Disagreement::OtherRoot { reel, hour });
    bench.town.footage.forget(&[reel]).unwrap();
    let found = scrubber.compare(&books).unwrap();
    assert!(found.contains(&Disagreement::NoRow { reel, hour }), "{found:?}");
}
