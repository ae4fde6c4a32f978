//! Damaged reels: whatever was changed, torn or cut, the walk keeps what is signed before it and nothing else.

mod support;

use domain::ReelId;
use proptest::prelude::*;
use seal::{
    Extent, KeyRecord, Kind, RecordHeader, SealError,
    reel::{Footer, IndexEntry, RecoveryFooter, ReelHeader, SyncPoint, Walk, record},
};
use support::{Maker, REEL, UNKNOWN_KIND, next_run_key, reel_key, site_key, walk};

const BLOCK: usize = 4_096;

fn closed() -> Maker {
    Maker::first_batch().second_batch().closed()
}

#[test]
fn a_whole_reel_walks_to_its_footer_and_its_index_is_that_of_the_walk() {
    let maker = closed();
    let (walk, error) = walk(&maker.bytes);
    assert_eq!(error, None);
    assert_eq!(walk.footer.map(|footer| footer.root), Some(maker.root()));
    let (offset, bytes) = walk.index_record().unwrap();
    let payload = &maker.bytes[offset as usize + 64..offset as usize + bytes as usize];
    assert_eq!(IndexEntry::from_payload(payload), Ok(walk.sound().unwrap().index));
    assert_eq!(walk.streams(), 2);
}

#[test]
fn a_recovered_reel_walks_to_its_recovery_footer_and_takes_nothing_more() {
    let maker = Maker::first_batch().second_batch().recovered();
    let (mut walked, error) = walk(&maker.bytes);
    assert_eq!(error, None);
    let sound = walked.sound().unwrap();
    assert_eq!((walked.recovery.unwrap().root, sound.root, sound.streams), (maker.root(), maker.root(), 2));
    let more = record(Kind::Unknown(UNKNOWN_KIND), 0xFFFF, 1, REEL, b"");
    assert!(walked.push(more.first_chunk().unwrap(), b"").is_err());
}

#[test]
fn a_reel_cut_anywhere_keeps_what_its_last_whole_sync_record_signs() {
    let maker = closed();
    let syncs: Vec<usize> =
        maker.records.iter().filter(|(kind, ..)| *kind == Kind::Sync).map(|(_, at, bytes)| at + bytes).collect();
    let footer =
        maker.records.iter().find(|(kind, ..)| *kind == Kind::Footer).map(|(_, at, bytes)| at + bytes).unwrap();
    for cut in 0..=maker.bytes.len() {
        let (walk, _) = walk(&maker.bytes[..cut]);
        let whole = syncs.iter().rfind(|end| **end <= cut);
        let sound = walk.sound();
        assert_eq!(
            sound.as_ref().map(|sound| sound.cut as usize),
            whole.map(|end| end.next_multiple_of(BLOCK)),
            "{cut}"
        );
        assert_eq!(walk.footer.is_some(), footer <= cut, "{cut}");
    }
    let first = Maker::first_batch();
    let (walked, _) = walk(&maker.bytes[..syncs[1] - 1]);
    let sound = walked.sound().unwrap();
    assert_eq!((sound.root, sound.running, sound.cut as usize), (first.root(), first.running(), first.bytes.len()));
    assert_eq!(sound.index.len(), 6);
}

#[test]
fn a_flipped_bit_in_any_record_is_refused_and_costs_what_its_sync_signs() {
    let maker = closed();
    let ends: Vec<usize> =
        maker.records.iter().filter(|(kind, ..)| *kind == Kind::Sync).map(|(_, at, bytes)| at + bytes).collect();
    for (kind, at, bytes) in maker.records.iter().filter(|(kind, ..)| *kind != Kind::Pad) {
        for byte in *at..at + bytes {
            let mut damaged = maker.bytes.clone();
            damaged[byte] ^= 1 << (byte % 8);
            let (walk, _) = walk(&damaged);
            let before = ends.iter().rfind(|end| **end <= *at).map(|end| end.next_multiple_of(BLOCK) as u64);
            assert_eq!(walk.sound().map(|sound| sound.cut), before, "{kind:?} byte {}", byte - at);
            assert!(!walk.closed(), "{kind:?} byte {}", byte - at);
        }
    }
}

#[test]
fn padding_may_be_anything_after_a_power_cut() {
    let maker = closed();
    let mut torn = maker.bytes.clone();
    for (_, at, bytes) in maker.records.iter().filter(|(kind, ..)| *kind == Kind::Pad) {
        for sector in (*at..at + bytes).step_by(512).skip(1) {
            let end = (sector + 512).min(at + bytes);
            torn[sector..end].fill(0xEE);
        }
        torn[*at] ^= 0xFF;
    }
    let (walk, error) = walk(&torn);
    assert_eq!((error, walk.footer.map(|footer| footer.root)), (None, Some(maker.root())));
}

#[test]
fn a_recovery_footer_stands_right_behind_the_last_sync_record_or_nowhere() {
    let mut maker = Maker::first_batch();
    maker.push(&record(Kind::Unknown(UNKNOWN_KIND), 0xFFFF, 0, REEL, b"not signed yet"));
    let (walked, error) = walk(&maker.recovered().bytes);
    assert_eq!(error, Some(SealError::Mismatch { what: "recovery footer" }));
    assert!(!walked.closed());
}

#[test]
fn a_record_of_another_reel_ends_the_walk() {
    let mut maker = Maker::first_batch();
    let sound = maker.bytes.len();
    maker.bytes.extend_from_slice(&record(Kind::Pad, 0xFFFF, 0, ReelId([9; 16]), &[0; 4_032]));
    let (walked, error) = walk(&maker.bytes);
    assert_eq!((error, walked.sound().map(|sound| sound.cut as usize)), (Some(SealError::OtherReel), Some(sound)));
}

#[test]
fn a_second_key_record_a_second_header_and_a_chunk_without_a_key_are_refused() {
    let maker = Maker::first_batch();
    let of = |kind| {
        maker
            .records
            .iter()
            .find(|(found, ..)| *found == kind)
            .map(|(_, at, bytes)| maker.bytes[*at..at + bytes].to_vec())
    };
    let mut chunk_of_no_stream = of(Kind::Chunk).unwrap();
    chunk_of_no_stream[6] = 9;
    for again in [of(Kind::Key).unwrap(), of(Kind::Header).unwrap(), of(Kind::Chunk).unwrap(), chunk_of_no_stream] {
        let mut bytes = maker.bytes.clone();
        bytes.extend_from_slice(&again);
        let (walked, error) = walk(&bytes);
        assert!(error.is_some(), "{:?}", Kind::from_code(again[5]));
        assert_eq!(walked.sound().unwrap().root, maker.root());
    }
}

#[test]
fn a_reel_of_another_site_is_refused_at_its_header() {
    let bytes = closed().bytes;
    let mut walk = Walk::new(REEL, next_run_key().public());
    let header = RecordHeader::from_bytes(&bytes).unwrap();
    let (header, payload) = bytes[..header.record_bytes() as usize].split_first_chunk().unwrap();
    assert_eq!(walk.push(header, payload), Err(SealError::BadSignature { what: "run certificate" }));
}

proptest! {
    #[test]
    fn arbitrary_payloads_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let key = site_key().public();
        let header = RecordHeader { kind: Kind::Sync, handle: 0xFFFF, payload_bytes: bytes.len() as u32, number: 0, reel: REEL, commitment: [0; 32] };
        prop_assert!(ReelHeader::from_payload(REEL, &bytes, &key).is_err());
        prop_assert!(SyncPoint::from_payload(&header, &bytes, &key).is_err());
        prop_assert!(Footer::from_payload(REEL, &bytes, &key).is_err());
        prop_assert!(RecoveryFooter::from_payload(REEL, &bytes, &key).is_err());
        prop_assert_eq!(IndexEntry::from_payload(&bytes).is_ok(), bytes.len() % IndexEntry::BYTES == 0);
        prop_assert_eq!(KeyRecord::from_bytes(&bytes).is_ok(), bytes.len() == 92);
        prop_assert!(Extent::from_bytes(&bytes).is_err() || bytes.len() >= 68);
    }

    #[test]
    fn a_reel_with_arbitrary_damage_never_panics_and_never_gains(at in 0usize..20_000, damage in proptest::collection::vec(any::<u8>(), 1..600)) {
        let maker = closed();
        let mut bytes = maker.bytes.clone();
        let at = at % bytes.len();
        let end = (at + damage.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&damage[..end - at]);
        let (walked, _) = walk(&bytes);
        let before = walk(&maker.bytes[..at]).0.sound().map(|sound| sound.cut);
        prop_assert!(walked.sound().map(|sound| sound.cut) >= before.filter(|cut| *cut <= at as u64));
        if let Some(footer) = walked.footer {
            prop_assert_eq!(footer.root, maker.root());
        }
    }

    #[test]
    fn arbitrary_records_behind_a_header_never_panic(kinds in proptest::collection::vec((any::<u8>(), 0u16..3, 0u32..3, proptest::collection::vec(any::<u8>(), 0..120)), 0..20)) {
        let mut maker = Maker::first_batch();
        let root = maker.root();
        for (kind, handle, number, payload) in &kinds {
            maker.push(&record(Kind::from_code(*kind), *handle, *number, REEL, payload));
        }
        let (walked, _) = walk(&maker.bytes);
        prop_assert_eq!(walked.sound().map(|sound| sound.root), Some(root));
    }
}

#[test]
fn a_sync_record_signed_by_another_key_is_refused() {
    let mut forged = Maker::first_batch();
    let point = SyncPoint { offset: forged.bytes.len() as u64, records: 99, running: forged.running() };
    forged.push(&point.to_record(REEL, 1, &next_run_key()));
    assert_eq!(walk(&forged.bytes).1, Some(SealError::BadSignature { what: "sync record" }));
    let mut wrong = Maker::first_batch();
    wrong.push(&point.to_record(REEL, 1, &reel_key()));
    assert_eq!(walk(&wrong.bytes).1, Some(SealError::Mismatch { what: "sync record" }));
}

#[test]
fn a_footer_that_says_anything_but_what_stands_before_it_is_refused_though_its_signature_holds() {
    let closed_by = |forge: fn(&mut Footer)| Maker::first_batch().second_batch().closed_by(forge);
    assert!(walk(&closed_by(|_| {}).bytes).0.closed());
    let forged: [fn(&mut Footer); 5] = [
        |footer| footer.root[0] ^= 1,
        |footer| footer.index_offset += 1,
        |footer| footer.point.offset += 1,
        |footer| footer.point.records += 1,
        |footer| footer.point.running[0] ^= 1,
    ];
    for (nth, forge) in forged.into_iter().enumerate() {
        let (walked, error) = walk(&closed_by(forge).bytes);
        assert_eq!((error, walked.closed()), (Some(SealError::Mismatch { what: "footer" }), false), "{nth}");
    }
    let (walked, error) = walk(&Maker::first_batch().closed_without_index().bytes);
    assert_eq!((error, walked.closed()), (Some(SealError::Mismatch { what: "footer" }), false), "no index");
}

#[test]
fn a_recovery_footer_with_another_root_or_point_is_refused_though_its_signature_holds() {
    let forged: [fn(&mut RecoveryFooter); 3] =
        [|footer| footer.root[0] ^= 1, |footer| footer.point.offset += 1, |footer| footer.point.records += 1];
    for (nth, forge) in forged.into_iter().enumerate() {
        let (walked, error) = walk(&Maker::first_batch().recovered_by(forge).bytes);
        assert_eq!((error, walked.closed()), (Some(SealError::Mismatch { what: "recovery footer" }), false), "{nth}");
    }
}

#[test]
fn nothing_stands_before_a_reels_header() {
    for kind in [Kind::Pad, Kind::Unknown(UNKNOWN_KIND), Kind::Index, Kind::Key] {
        let bytes = record(kind, 0, 0, REEL, b"");
        assert_eq!(walk(&bytes).1, Some(SealError::Mismatch { what: "first record" }), "{kind:?}");
    }
}

#[test]
fn gaps_stand_under_the_root_and_in_the_index_like_chunks() {
    let mut maker = Maker::first_batch();
    let without = maker.root();
    maker.gap(1, 0);
    maker.gap(1, 1);
    maker.sync();
    assert_ne!(maker.root(), without);
    let root = maker.root();
    let (walked, error) = walk(&maker.closed().bytes);
    let index = walked.sound().unwrap().index;
    assert_eq!((error, walked.footer.map(|footer| footer.root)), (None, Some(root)));
    assert_eq!(index.iter().filter(|entry| entry.is(Kind::Gap)).map(|entry| entry.number).collect::<Vec<_>>(), [0, 1]);
    let mut out_of_order = Maker::first_batch();
    out_of_order.gap(1, 1);
    assert!(walk(&out_of_order.bytes).1.is_some());
}

#[test]
fn the_hour_that_a_header_claims_is_read_without_its_signature() {
    let bytes = closed().bytes;
    let header = RecordHeader::from_bytes(&bytes).unwrap();
    let mut payload = bytes[64..header.record_bytes() as usize].to_vec();
    *payload.last_mut().unwrap() ^= 1;
    assert!(ReelHeader::from_payload(REEL, &payload, &site_key().public()).is_err());
    assert_eq!(ReelHeader::claimed_hour(&payload), Ok(support::hour()));
    assert!(matches!(ReelHeader::claimed_hour(&payload[..20]), Err(SealError::Short { .. })));
}
