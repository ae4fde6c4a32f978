//! Replay of sealed reels in a store: opened with the keeper's keys, packed, streamed with back-pressure.

mod fake;

use axum::http::header;
use disk::FaultyDisk;
use domain::{HourLength, ReelId, RootId, RunId, Secret32, SiteId, StreamId};
use fake::{CAMERA, FakeReel, NOW, PERMIT, REELS, Town, frame, read_until, replay_look, request, send};
use media::{Chunk, FrameEntry};
use seal::{
    DataKey, Kind, RecordHeader,
    key::TAG_BYTES,
    record::NO_STREAM,
    reel::{self, IndexEntry},
};
use std::{path::Path, sync::Arc};
use vault::{
    LocalStore, Location,
    keeper::ReelKeys,
    service::Located,
    store::{Batch, Family, Marker},
};

/// Pictures of a chunk: one group, a second.
const GROUP: i64 = 25;

/// Two reels: pictures −1000 to −951 (40 s ago) and −500 to −451.
fn store() -> Arc<LocalStore> {
    let site = SiteId([1; 16]);
    let marker =
        Marker { format: 1, site, root: RootId([2; 16]), slot_bytes: 4 * 1024 * 1024, slots_max: 4, number: 0 };
    let store = LocalStore::create(Arc::new(FaultyDisk::new(7)), Path::new("/store"), marker).unwrap();
    let reels = [(ReelId([5; 16]), -1000), (ReelId([6; 16]), -500)];
    let made = reels.map(|(reel, first)| write_reel(&store, reel, first));
    assert!(REELS.set(made.into()).is_ok());
    Arc::new(store)
}

fn write_reel(store: &LocalStore, reel: ReelId, first: i64) -> FakeReel {
    let data_key = DataKey(Secret32::new([8; 32]));
    let hour = HourLength::PRODUCT.hour_of(frame(first).utc);
    let (mut bytes, mut entries, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    let mut add = |record: Vec<u8>, kind: Kind, handle, number| {
        let offset = bytes.len() as u64;
        entries.push(IndexEntry { kind: kind.code(), handle, number, bytes: record.len() as u32, offset });
        bytes.extend_from_slice(&record);
    };
    add(reel::record(Kind::Header, NO_STREAM, 0, reel, b"header"), Kind::Header, NO_STREAM, 0);
    add(reel::record(Kind::Key, 3, 0, reel, b"key record"), Kind::Key, 3, 0);
    for (number, from) in (0..).zip([first, first + GROUP]) {
        let key = data_key.record_key(reel, Kind::Chunk, 3, number);
        let mut plain = Vec::new();
        media::chunk::write(&chunk(from), &mut plain);
        let payload_bytes = (plain.len() + TAG_BYTES) as u32;
        let header =
            RecordHeader { kind: Kind::Chunk, handle: 3, payload_bytes, number, reel, commitment: key.commitment };
        let tag = key.seal(&header, &mut plain);
        add([&header.to_bytes()[..], &plain, &tag].concat(), Kind::Chunk, 3, number);
        keys.push((number, key));
    }
    let mut batch = Batch::with_capacity(64 * 1024);
    bytes.resize(bytes.len().next_multiple_of(4096), 0);
    batch.bytes().extend_from_slice(&bytes);
    let family = Family { run: RunId([3; 16]), hour, deadline: hour.end().plus_seconds(86_400) };
    let mut location = Location::default();
    store.append(family, reel, &mut location, batch.as_slice()).unwrap();
    store.sync().unwrap();
    FakeReel {
        located: Located {
            reel,
            hour,
            handle: 3,
            location,
            first_utc: frame(first).utc,
            last_utc: frame(first + 2 * GROUP - 1).utc,
            entries: Some(entries),
        },
        keys: ReelKeys { reel, chunks: keys, extents: vec![], lines: vec![], other_keys: vec![] },
        first: frame(first).utc,
        last: frame(first + 2 * GROUP - 1).utc,
    }
}

fn chunk(from: i64) -> Chunk {
    let frames: Vec<_> = (from..from + GROUP).map(frame).collect();
    let line = |f: &media::Frame| FrameEntry { kind: f.kind, dts: f.dts, pts: f.pts, size: f.data.len() as u32 };
    Chunk {
        stream: StreamId::main(CAMERA),
        hour: HourLength::PRODUCT.hour_of(frames[0].utc),
        first_utc: frames[0].utc,
        last_utc: frames[frames.len() - 1].utc,
        frames: frames.iter().map(line).collect(),
        parameters: frames[0].parameters.clone(),
        data: frames.iter().flat_map(|frame| frame.data.to_vec()).collect(),
    }
}

/// (decoding time in ticks, pictures) of each fragment.
fn fragments(bytes: &[u8]) -> Vec<(u64, u32)> {
    let find =
        |kind: &'static [u8]| bytes.windows(4).enumerate().filter(move |(_, four)| *four == kind).map(|(at, _)| at + 4);
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    find(b"tfdt").map(|at| u64::from(number(at + 8))).zip(find(b"trun").map(|at| number(at + 4))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_is_opened_from_its_group_s_start_and_a_gap_stays_a_gap() {
    let town = Town::new();
    let mut config = town.config();
    config.store = Some(store());
    let router = web::router(config);
    send(&router, request("POST", "/api/looks", Some(&replay_look()))).await;
    let (from, to) = (frame(-990).utc, NOW);
    let path = format!("/media/{PERMIT}/{CAMERA}/replay?from={from}&to={to}");
    let response = send(&router, request("GET", &path, None)).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "video/mp4; codecs=\"avc1.42c01e\"");
    assert_eq!(response.headers()["vigie-from"], frame(-1000).utc.to_string().as_str());
    let bytes = read_until(&mut response.into_body(), |_| false).await;
    let gap_end = 500 * 3_600;
    // the newest picture of a chunk waits for the next one's time
    let expected = [
        (0, 24),
        (24 * 3_600, 25),
        (49 * 3_600, 1),
        (gap_end, 24),
        (gap_end + 24 * 3_600, 25),
        (gap_end + 49 * 3_600, 1),
    ];
    assert_eq!(fragments(&bytes), expected);
    assert_eq!(bytes.windows(4).filter(|four| *four == b"moov").count(), 1);
    for n in (-1000..-950).chain(-500..-450) {
        let picture = frame(n).data;
        assert!(bytes.windows(picture.len()).any(|window| window == &picture[..]), "picture {n} is there");
    }

    // only the group that holds `from`, of the last reel; a span in which nothing lies
    let path = format!("/media/{PERMIT}/{CAMERA}/replay?from={}&to={to}", frame(-460).utc);
    let response = send(&router, request("GET", &path, None)).await;
    assert_eq!(response.headers()["vigie-from"], frame(-475).utc.to_string().as_str());
    let path = format!("/media/{PERMIT}/{CAMERA}/replay?from={}&to={to}", NOW.plus_seconds(-5));
    assert_eq!(send(&router, request("GET", &path, None)).await.status(), 404);
}
