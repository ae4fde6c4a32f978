//! What lies in a store: records, headers, footers, index, key records, extents, chunks, locations.

use domain::{
    CameraId, HoldId, Hour, HourLength, MediaTicks, ReelId, RunId, Secret32, SiteId, Span, StreamId, UtcMicros,
};
use media::{Chunk, FrameEntry, FrameKind};
use seal::{
    ChunkKey, DataKey, Extent, GroupStart, KeyRecord, Kind, RecordHeader,
    gap::GapLine,
    key::{KEY_RECORD_BYTES, TAG_BYTES},
    reel::{Footer, IndexEntry, RecoveryFooter, ReelHeader, SyncPoint, Walk, record as record_of},
    sign::{RunCertificate, SigningKey},
};
use vault::{
    hold::HeldReel,
    keeper::WrappedReel,
    service::Located,
    store::{Location, SlotHeader},
};

const REEL: ReelId = ReelId([7; 16]);
const STREAM: StreamId = StreamId::main(CameraId([3; 16]));
/// Of `crates/seal/vectors`: whole reels, one closed in order, one recovered.
const REELS: [&[u8]; 2] = [
    include_bytes!("../../crates/seal/vectors/closed.reel"),
    include_bytes!("../../crates/seal/vectors/recovered.reel"),
];

fn hour() -> Hour {
    HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(1_700_000_000))
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Secret32::new([seed; 32]))
}

fn certificate() -> RunCertificate {
    RunCertificate::issue(&key(1), SiteId([1; 16]), RunId([2; 16]), key(2).public())
}

/// What reads is written back the same.
pub fn record(bytes: &[u8]) {
    if let Ok(header) = RecordHeader::from_bytes(bytes) {
        assert_eq!(header.to_bytes()[..], bytes[..64]);
    }
}
pub fn record_seeds() -> Vec<Vec<u8>> {
    vec![record_of(Kind::Sync, 0xFFFF, 3, REEL, &[1; 8]), record_of(Kind::Unknown(99), 5, 0, REEL, &[])]
}

/// The bytes as a reel: its records until one is refused.
pub fn walk(bytes: &[u8]) {
    let Ok(first) = RecordHeader::from_bytes(bytes) else { return };
    let mut walk = Walk::new(first.reel, key(1).public());
    while !walk.closed() {
        let at = walk.offset() as usize;
        let Some(header) = bytes.get(at..).and_then(|rest| rest.first_chunk::<64>()) else { break };
        let Ok(read) = RecordHeader::from_bytes(header) else { break };
        let Some(payload) = bytes.get(at + 64..at + read.record_bytes() as usize) else { break };
        if walk.push(header, payload).is_err() {
            break;
        }
        assert!(walk.offset() as usize > at, "a walk goes on");
    }
    if let Some(sound) = walk.sound() {
        assert!(sound.cut as usize <= bytes.len().next_multiple_of(4_096));
    }
}
pub fn walk_seeds() -> Vec<Vec<u8>> {
    let header = ReelHeader {
        reel: REEL,
        hour: hour(),
        deadline: UtcMicros(9),
        reel_key: key(3).public(),
        certificate: certificate(),
    };
    let mut reel = header.to_record(&key(2));
    let mut running = seal::reel::Running::default();
    running.push_record(&reel).expect("a record made here");
    let chunk = record_of(Kind::Key, 0, 0, REEL, &[5; KEY_RECORD_BYTES]);
    running.push_record(&chunk).expect("a record made here");
    reel.extend_from_slice(&chunk);
    reel.extend_from_slice(&running.point(reel.len() as u64).to_record(REEL, 0, &key(3)));
    REELS.map(<[u8]>::to_vec).into_iter().chain([reel]).collect()
}

/// Behind a signature of its own, so that what a signed header may hold is met.
pub fn header(bytes: &[u8]) {
    drop(ReelHeader::from_payload(REEL, bytes, &key(1).public()));
    let message = [&REEL.0[..], bytes].concat();
    let signed = [bytes, &key(2).sign(seal::sign::Purpose::ReelHeader, &message)].concat();
    if let Ok(header) = ReelHeader::from_payload(REEL, &signed, &key(1).public()) {
        assert_eq!(header.to_record(&key(2))[64..], signed);
    }
}
pub fn header_seeds() -> Vec<Vec<u8>> {
    let header = ReelHeader {
        reel: REEL,
        hour: hour(),
        deadline: UtcMicros(9),
        reel_key: key(3).public(),
        certificate: certificate(),
    };
    let payload = header.to_record(&key(2))[64..].to_vec();
    vec![payload[..payload.len() - 64].to_vec(), payload]
}

pub fn footer(bytes: &[u8]) {
    let at =
        RecordHeader { kind: Kind::Sync, handle: 0xFFFF, payload_bytes: 0, number: 1, reel: REEL, commitment: [0; 32] };
    drop(SyncPoint::from_payload(&at, bytes, &key(3).public()));
    drop(Footer::from_payload(REEL, bytes, &key(3).public()));
    drop(RecoveryFooter::from_payload(REEL, bytes, &key(1).public()));
    let message = [&REEL.0[..], bytes].concat();
    let signed = [bytes, &key(3).sign(seal::sign::Purpose::Footer, &message)].concat();
    if let Ok(footer) = Footer::from_payload(REEL, &signed, &key(3).public()) {
        assert_eq!(footer.to_record(REEL, &key(3))[64..], signed);
    }
}
pub fn footer_seeds() -> Vec<Vec<u8>> {
    let point = SyncPoint { offset: 4_096, records: 3, running: [4; 32] };
    let footer = Footer { point, index_offset: 9, root: [6; 32] }.to_record(REEL, &key(3))[64..].to_vec();
    let recovery = RecoveryFooter { point, root: [6; 32], certificate: certificate() };
    vec![footer[..footer.len() - 64].to_vec(), footer, recovery.to_record(REEL, &key(2))[64..].to_vec()]
}

pub fn index(bytes: &[u8]) {
    if let Ok(entries) = IndexEntry::from_payload(bytes) {
        assert_eq!(entries.len() * IndexEntry::BYTES, bytes.len());
    }
}
pub fn index_seeds() -> Vec<Vec<u8>> {
    let entry = IndexEntry { kind: 3, handle: 1, number: 2, bytes: 100, offset: 4_096 };
    vec![IndexEntry::to_payload(&[entry, entry])]
}

pub fn digests(bytes: &[u8]) {
    if let Ok((header, streams)) = seal::root::digests_from_payload(bytes) {
        let again = seal::root::digests_payload(&header, streams.iter().map(|(handle, digests)| (*handle, digests)));
        assert_eq!(again, bytes);
    }
}
pub fn digests_seeds() -> Vec<Vec<u8>> {
    let stream = seal::root::StreamDigests {
        key_record: [1; 32],
        chunks: vec![[2; 32], [3; 32]],
        extents: vec![[4; 32]],
        gaps: vec![],
    };
    vec![seal::root::digests_payload(&[5; 32], [(0, &stream), (1, &stream)])]
}

pub fn key_record(bytes: &[u8]) {
    if let Ok(record) = KeyRecord::from_bytes(bytes) {
        assert_eq!(record.to_bytes()[..], *bytes);
    }
}
pub fn key_record_seeds() -> Vec<Vec<u8>> {
    vec![(0..KEY_RECORD_BYTES as u8).collect()]
}

pub fn extent(bytes: &[u8]) {
    if let Ok(extent) = Extent::from_bytes(bytes) {
        assert_eq!(Extent::from_bytes(&extent.to_bytes()), Ok(extent));
    }
}
pub fn extent_seeds() -> Vec<Vec<u8>> {
    let extent = Extent {
        stream: STREAM,
        first_chunk: 1,
        last_chunk: 4,
        first_utc: UtcMicros(5),
        last_utc: UtcMicros(9),
        frames: 12,
        group_start: GroupStart { reel: REEL, chunk: 0 },
        keys: Some([7; 28]),
    };
    vec![extent.to_bytes().to_vec()]
}

pub fn gap_line(bytes: &[u8]) {
    if let Ok(line) = GapLine::from_bytes(bytes) {
        assert_eq!(GapLine::from_bytes(&line.to_bytes()), Ok(line));
    }
}
pub fn gap_line_seeds() -> Vec<Vec<u8>> {
    vec![vec![0; seal::gap::GAP_BYTES], (0..seal::gap::GAP_BYTES).map(|n| n as u8).collect()]
}

/// Sealed under a key of its own and opened by the one door.
pub fn chunk_plaintext(bytes: &[u8]) {
    let key: ChunkKey = DataKey(Secret32::new([9; 32])).record_key(REEL, Kind::Chunk, 0, 0);
    let header = RecordHeader {
        kind: Kind::Chunk,
        handle: 0,
        payload_bytes: (bytes.len() + TAG_BYTES) as u32,
        number: 0,
        reel: REEL,
        commitment: key.commitment,
    };
    if RecordHeader::from_bytes(&header.to_bytes()).is_err() {
        return;
    }
    let mut plain = bytes.to_vec();
    let tag = key.seal(&header, &mut plain);
    let sealed = [&header.to_bytes()[..], &plain, &tag].concat();
    if let Ok(chunk) = vault::open::open(sealed, &key, STREAM, hour()) {
        let mut again = Vec::new();
        media::chunk::write(&chunk, &mut again);
        assert_eq!(again.len(), media::chunk::plain_bytes(&chunk));
        assert_eq!(chunk.frames.iter().map(|frame| frame.size as usize).sum::<usize>(), chunk.data.len());
    }
}
pub fn chunk_plaintext_seeds() -> Vec<Vec<u8>> {
    let entry = |dts, size| FrameEntry { kind: FrameKind::Idr, dts: MediaTicks(dts), pts: MediaTicks(dts + 1), size };
    let chunk = Chunk {
        stream: STREAM,
        hour: hour(),
        first_utc: UtcMicros(5),
        last_utc: UtcMicros(9),
        frames: vec![entry(0, 3), entry(3_600, 4)],
        parameters: None,
        data: vec![1; 7],
    };
    let mut plain = Vec::new();
    media::chunk::write(&chunk, &mut plain);
    vec![plain]
}

pub fn location(bytes: &[u8]) {
    if let Some(location) = Location::from_bytes(bytes) {
        let end = location.bytes();
        assert!(location.pieces.iter().all(|piece| piece.reel_offset <= end));
        assert_eq!(Location::from_bytes(&location.to_bytes()), Some(location));
    }
}
pub fn location_seeds() -> Vec<Vec<u8>> {
    let piece = |slot, reel_offset| vault::store::Piece { slot, slot_offset: 4_096, reel_offset, bytes: 8_192 };
    let location = Location { pieces: vec![piece(1, 0), piece(2, 8_192)], index: Some((4_096, 60)) };
    vec![location.to_bytes(), Location::default().to_bytes()]
}

/// What a hold's note says, with the digest that belongs to it.
pub fn held_note(bytes: &[u8]) {
    std::hint::black_box(HeldReel::from_note(bytes));
    if let Some(held) = HeldReel::from_note(&[bytes, blake3::hash(bytes).as_bytes()].concat()) {
        let location = &held.located.location;
        assert!(location.pieces.iter().all(|piece| piece.reel_offset <= location.bytes()));
        assert_eq!(HeldReel::from_note(&held.to_note()), Some(held));
    }
}
pub fn held_note_seeds() -> Vec<Vec<u8>> {
    let (first_utc, last_utc) = (UtcMicros(1_700_000_000_000_000), UtcMicros(1_700_000_060_000_000));
    let piece = vault::store::Piece { slot: 1, slot_offset: 0, reel_offset: 0, bytes: 8_192 };
    let location = Location { pieces: vec![piece], index: Some((4_096, 60)) };
    let located = Located { reel: REEL, hour: hour(), handle: 1, location, first_utc, last_utc, entries: None };
    let (sealed, chunks, extents) = (vec![9; 80], vec![1, 2], vec![0]);
    let note = serde_json::json!({
        "format": 1, "hold": HoldId([4; 16]), "stream": STREAM, "span": Span::new(first_utc, last_utc).ok(), "nth": 0,
        "located": located, "wrapped": WrappedReel { reel: REEL, hour: hour(), sealed, chunks, extents },
        "is_here": true, "bytes": 8_192,
    });
    let held: HeldReel = serde_json::from_value(note).expect("all fields of a note");
    // the digest is made anew around what is tried
    let mut bytes = held.to_note();
    bytes.truncate(bytes.len() - 32);
    vec![bytes]
}

/// With the digest that belongs to it.
pub fn slot_header(bytes: &[u8]) {
    std::hint::black_box(SlotHeader::from_bytes(bytes));
    let fields = &bytes[..bytes.len().min(92)];
    let block = [fields, blake3::hash(fields).as_bytes()].concat();
    if let Some(header) = SlotHeader::from_bytes(&block) {
        assert_eq!(SlotHeader::from_bytes(&header.to_bytes()), Some(header));
    }
}
pub fn slot_header_seeds() -> Vec<Vec<u8>> {
    let family = vault::store::Family { run: RunId([2; 16]), hour: hour(), deadline: UtcMicros(9) };
    let header = SlotHeader { root: domain::RootId([8; 16]), slot: 4, family, reel: REEL, reel_offset: 8_192 };
    vec![header.to_bytes()[..124].to_vec()]
}
