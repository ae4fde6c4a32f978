//! Two small reels made from fixed seeds, byte by byte as the format says: one closed in order, one recovered.
#![allow(dead_code)] // each test file uses its part

use domain::{CameraId, Hour, HourLength, ReelId, RunId, Secret32, SiteId, StreamId, UtcMicros};
use seal::{
    CameraHourKey, DataKey, Extent, GapLine, GapState, GroupStart, KeyRecord, Kind, LookupKey, RecordHeader, SealError,
    key::{KeyContext, TAG_BYTES},
    record::{NO_STREAM, digest},
    reel::{Footer, IndexEntry, RecoveryFooter, ReelHeader, Running, Walk, pad, record},
    root::{Root, StreamDigests, reel_root},
    sign::{RunCertificate, SigningKey},
};
use std::collections::BTreeMap;

pub const REEL: ReelId = ReelId([0xa1; 16]);
pub const SITE: SiteId = SiteId([0x51; 16]);
pub const RUN: RunId = RunId([0x72; 16]);
pub const NEXT_RUN: RunId = RunId([0x73; 16]);
pub const CAMERAS: [CameraId; 2] = [CameraId([0xc0; 16]), CameraId([0xc1; 16])];
/// A kind that no version defines: readers digest and skip it.
pub const UNKNOWN_KIND: u8 = 0x77;

pub fn seed(byte: u8) -> Secret32 {
    Secret32::new([byte; 32])
}
pub fn site_key() -> SigningKey {
    SigningKey::from_seed(&seed(0x01))
}
pub fn run_key() -> SigningKey {
    SigningKey::from_seed(&seed(0x02))
}
pub fn reel_key() -> SigningKey {
    SigningKey::from_seed(&seed(0x03))
}
pub fn next_run_key() -> SigningKey {
    SigningKey::from_seed(&seed(0x04))
}
pub fn lookup() -> LookupKey {
    LookupKey(seed(0x05))
}
pub fn camera_hour(stream: u8) -> CameraHourKey {
    CameraHourKey(seed(0x10 + stream))
}
pub fn data_key(stream: u8) -> DataKey {
    DataKey(seed(0x20 + stream))
}
pub fn stream(stream: u8) -> StreamId {
    StreamId::main(CAMERAS[usize::from(stream)])
}
/// 2026-03-12T14:00Z.
pub fn hour() -> Hour {
    HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(1_773_324_000))
}
pub fn deadline() -> UtcMicros {
    hour().start().plus_seconds(30 * 86_400)
}
pub fn header() -> ReelHeader {
    let certificate = RunCertificate::issue(&site_key(), SITE, RUN, run_key().public());
    ReelHeader { reel: REEL, hour: hour(), deadline: deadline(), reel_key: reel_key().public(), certificate }
}
pub fn first_utc(stream: u8, chunk: u32) -> UtcMicros {
    hour().start().plus_micros(i64::from(stream) * 40_000 + i64::from(chunk) * 500_000)
}

/// The plaintext of a chunk of two pictures, written by hand.
pub fn chunk_plain(stream: u8, chunk: u32) -> Vec<u8> {
    let first_utc = first_utc(stream, chunk);
    let starts_group = chunk == 0;
    let mut plain = vec![1, u8::from(starts_group), 2, 0];
    plain.extend_from_slice(&first_utc.0.to_le_bytes());
    plain.extend_from_slice(&first_utc.plus_micros(250_000).0.to_le_bytes());
    plain.extend_from_slice(&(900_000 + i64::from(chunk) * 45_000).to_le_bytes());
    for (kind, dts, size) in [(if starts_group { 1 } else { 5 }, 0u32, 40u32), (5, 22_500, 24)] {
        plain.extend_from_slice(&[kind, 0, 0, 0]);
        plain.extend_from_slice(&dts.to_le_bytes());
        plain.extend_from_slice(&0i32.to_le_bytes());
        plain.extend_from_slice(&size.to_le_bytes());
    }
    if starts_group {
        plain.extend_from_slice(b"\x01\x00\x00\x05\xd0\x02\x06\x00\x01\x64\x00\x1f\xff\xe1");
    }
    plain.extend((0..64).map(|n| n + 64 * stream + chunk as u8));
    plain
}

/// A reel as it grows, with what is known of each record.
#[derive(Default)]
pub struct Maker {
    pub bytes: Vec<u8>,
    running: Running,
    header_digest: [u8; 32],
    streams: BTreeMap<u16, StreamDigests>,
    index: Vec<IndexEntry>,
    syncs: u32,
    /// Kind, offset and length of every record, padding included.
    pub records: Vec<(Kind, usize, usize)>,
}

impl Maker {
    /// Header, keys, a chunk of each stream, extents, sync.
    pub fn first_batch() -> Maker {
        let mut maker = Maker::default();
        maker.header_digest = maker.push(&header().to_record(&run_key()));
        for stream in [0, 1] {
            maker.key(stream);
        }
        for stream in [0, 1] {
            maker.sealed(Kind::Chunk, stream, 0, &chunk_plain(stream, 0));
        }
        for stream in [0, 1] {
            maker.extent(stream, 0, 0);
        }
        maker.sync();
        maker
    }

    /// A second batch: a record of an unknown kind, a chunk of the first stream only.
    pub fn second_batch(mut self) -> Maker {
        self.push(&record(Kind::Unknown(UNKNOWN_KIND), NO_STREAM, 0, REEL, b"from a later version"));
        self.sealed(Kind::Chunk, 0, 1, &chunk_plain(0, 1));
        self.extent(0, 1, 1);
        self.sync();
        self
    }

    pub fn closed(self) -> Maker {
        self.closed_by(|_| {})
    }

    /// Closed by a footer that says what `forge` makes of the right one, under the right key.
    pub fn closed_by(mut self, forge: impl Fn(&mut Footer)) -> Maker {
        let index_offset = self.bytes.len() as u64;
        let payload = IndexEntry::to_payload(&self.index);
        self.push(&record(Kind::Index, NO_STREAM, 0, REEL, &payload));
        self.footer(index_offset, forge)
    }

    /// A footer without the index before it.
    pub fn closed_without_index(self) -> Maker {
        let index_offset = self.bytes.len() as u64;
        self.footer(index_offset, |_| {})
    }

    fn footer(mut self, index_offset: u64, forge: impl Fn(&mut Footer)) -> Maker {
        let point = self.running.point(self.bytes.len() as u64);
        let mut footer = Footer { point, index_offset, root: self.root() };
        forge(&mut footer);
        self.push(&footer.to_record(REEL, &reel_key()));
        self.pad();
        self
    }

    pub fn recovered(self) -> Maker {
        self.recovered_by(|_| {})
    }

    /// Recovered by a footer that says what `forge` makes of the right one, under the right key.
    pub fn recovered_by(mut self, forge: impl Fn(&mut RecoveryFooter)) -> Maker {
        let certificate = RunCertificate::issue(&site_key(), SITE, NEXT_RUN, next_run_key().public());
        let point = self.running.point(self.bytes.len() as u64);
        let mut footer = RecoveryFooter { point, root: self.root(), certificate };
        forge(&mut footer);
        self.push(&footer.to_record(REEL, &next_run_key()));
        self.pad();
        self
    }

    pub fn root(&self) -> Root {
        reel_root(&self.header_digest, self.streams.iter().map(|(handle, stream)| (*handle, stream)))
    }

    pub fn running(&self) -> [u8; 32] {
        self.running.point(0).running
    }

    pub fn push(&mut self, record: &[u8]) -> [u8; 32] {
        let kind = Kind::from_code(record[5]);
        self.records.push((kind, self.bytes.len(), record.len()));
        self.bytes.extend_from_slice(record);
        self.running.push_record(record).unwrap()
    }

    fn key(&mut self, number: u8) {
        let context = KeyContext { site: SITE, stream: stream(number), hour: hour(), run: RUN, deadline: deadline() };
        let wrapped = camera_hour(number).wrap(&data_key(number), &context, [0x30 + number; 12]);
        let lookup_tag = lookup().tag(REEL, stream(number));
        let handle = u16::from(number);
        let record = record(Kind::Key, handle, 0, REEL, &KeyRecord { lookup_tag, wrapped }.to_bytes());
        self.enlist(Kind::Key, handle, 0, record.len());
        let digest = self.push(&record);
        self.streams.entry(handle).or_default().key_record = digest;
    }

    fn extent(&mut self, number: u8, record_number: u32, chunk: u32) {
        let extent = Extent {
            stream: stream(number),
            first_chunk: chunk,
            last_chunk: chunk,
            first_utc: first_utc(number, chunk),
            last_utc: first_utc(number, chunk).plus_micros(250_000),
            frames: 2,
            group_start: GroupStart { reel: REEL, chunk: 0 },
            keys: Some(seal::extent::keys_digest([&seal::extent::key_digest(&data_key(number).record_key(
                REEL,
                Kind::Chunk,
                u16::from(number),
                chunk,
            ))])),
        };
        self.sealed(Kind::Extent, number, record_number, &extent.to_bytes());
    }

    /// A gap of a stream, in the batch that is open.
    pub fn gap(&mut self, number: u8, record_number: u32) {
        let line = GapLine {
            stream: stream(number),
            state: GapState::Opened,
            from: first_utc(number, record_number),
            to: None,
            cause: "unreachable".into(),
            detail: String::new(),
        };
        self.sealed(Kind::Gap, number, record_number, &line.to_bytes());
    }

    pub fn sealed(&mut self, kind: Kind, number: u8, record_number: u32, plain: &[u8]) {
        let handle = u16::from(number);
        let key = data_key(number).record_key(REEL, kind, handle, record_number);
        let payload_bytes = (plain.len() + TAG_BYTES) as u32;
        let header =
            RecordHeader { kind, handle, payload_bytes, number: record_number, reel: REEL, commitment: key.commitment };
        let mut payload = plain.to_vec();
        let tag = key.seal(&header, &mut payload);
        payload.extend_from_slice(&tag);
        self.enlist(kind, handle, record_number, 64 + payload.len());
        let stream = self.streams.entry(handle).or_default();
        let list = match kind {
            Kind::Chunk => &mut stream.chunks,
            Kind::Extent => &mut stream.extents,
            _ => &mut stream.gaps,
        };
        list.push(digest(&header.to_bytes(), &payload));
        self.push(&[&header.to_bytes()[..], &payload].concat());
    }

    fn enlist(&mut self, kind: Kind, handle: u16, number: u32, bytes: usize) {
        let offset = self.bytes.len() as u64;
        self.index.push(IndexEntry { kind: kind.code(), handle, number, bytes: bytes as u32, offset });
    }

    pub fn sync(&mut self) {
        let record = self.running.point(self.bytes.len() as u64).to_record(REEL, self.syncs, &reel_key());
        self.syncs += 1;
        self.push(&record);
        self.pad();
    }

    fn pad(&mut self) {
        let padding = pad(REEL, self.bytes.len() as u64);
        self.records.push((Kind::Pad, self.bytes.len(), padding.len()));
        self.bytes.extend_from_slice(&padding);
    }
}

/// Walks a reel's bytes as far as they go, and the error that ended it.
pub fn walk(bytes: &[u8]) -> (Walk, Option<SealError>) {
    let mut walk = Walk::new(REEL, site_key().public());
    while !walk.closed() {
        let Some(rest) = usize::try_from(walk.offset()).ok().and_then(|offset| bytes.get(offset..)) else { break };
        let header = match RecordHeader::from_bytes(rest) {
            Ok(header) => header,
            Err(error) => return (walk, Some(error)),
        };
        let Some(record) = rest.get(..header.record_bytes() as usize) else { break };
        let (header, payload) = record.split_first_chunk::<64>().unwrap();
        if let Err(error) = walk.push(header, payload) {
            return (walk, Some(error));
        }
    }
    (walk, None)
}
