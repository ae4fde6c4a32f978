//! The published vectors in `vectors/`: made again from their seeds and compared, byte by byte. `UPDATE_VECTORS=1` rewrites them.

mod support;

use seal::{
    CameraHourKey, Kind,
    sign::{RunCertificate, SigningKey},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf};
use support::{
    CAMERAS, Maker, NEXT_RUN, REEL, RUN, SITE, camera_hour, chunk_plain, data_key, deadline, hour, lookup,
    next_run_key, reel_key, run_key, site_key,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pair(seed: u8, key: &SigningKey) -> Value {
    json!({ "seed": hex(&[seed; 32]), "public": hex(&key.public()) })
}

fn reel(maker: &Maker) -> Value {
    let records = maker.records.iter().filter(|(kind, ..)| *kind != Kind::Pad);
    let records = records.map(|(kind, offset, bytes)| {
        let record = &maker.bytes[*offset..offset + bytes];
        let digest = hex(blake3::hash(record).as_bytes());
        let commitment = hex(&record[32..64]);
        json!({ "kind": kind.code(), "offset": offset, "bytes": bytes, "commitment": commitment, "digest": digest })
    });
    json!({
        "bytes": maker.bytes.len(),
        "blake3": hex(blake3::hash(&maker.bytes).as_bytes()),
        "root": hex(&maker.root()),
        "records": records.collect::<Vec<_>>(),
    })
}

fn stream(number: u8) -> Value {
    let key = |kind, record| data_key(number).record_key(REEL, kind, number.into(), record);
    let first = key(Kind::Chunk, 0);
    let CameraHourKey(camera_hour) = camera_hour(number);
    json!({
        "handle": number,
        "camera": CAMERAS[usize::from(number)],
        "kind": 0,
        "camera_hour_key": hex(camera_hour.expose()),
        "data_key": hex(data_key(number).0.expose()),
        "wrapping_nonce": hex(&[0x30 + number; 12]),
        "lookup_tag": hex(&lookup().tag(REEL, support::stream(number))),
        "first_chunk": {
            "key": hex(first.key.expose()),
            "commitment": hex(&first.commitment),
            "plaintext": hex(&chunk_plain(number, 0)),
        },
        "first_extent_key": hex(key(Kind::Extent, 0).key.expose()),
    })
}

fn document(closed: &Maker, recovered: &Maker) -> String {
    let run = RunCertificate::issue(&site_key(), SITE, RUN, run_key().public());
    let next = RunCertificate::issue(&site_key(), SITE, NEXT_RUN, next_run_key().public());
    let document = json!({
        "format": "docs/formats/reel.md, version 1",
        "site": SITE,
        "site_key": pair(0x01, &site_key()),
        "run": { "id": RUN, "key": pair(0x02, &run_key()), "certificate": hex(&run.signature) },
        "next_run": { "id": NEXT_RUN, "key": pair(0x04, &next_run_key()), "certificate": hex(&next.signature) },
        "reel": REEL,
        "reel_key": pair(0x03, &reel_key()),
        "hour": { "start_s": hour().start_seconds(), "length_s": hour().length().seconds() },
        "deadline_us": deadline().0,
        "lookup_key": hex(lookup().0.expose()),
        "streams": [stream(0), stream(1)],
        "closed.reel": reel(closed),
        "recovered.reel": reel(recovered),
    });
    serde_json::to_string_pretty(&Sorted::of(document)).unwrap() + "\n"
}

/// A document whose fields are in order, even where another crate of the build asks serde_json to keep that of their making.
#[derive(Serialize)]
#[serde(untagged)]
enum Sorted {
    Fields(BTreeMap<String, Sorted>),
    Items(Vec<Sorted>),
    Single(Value),
}

impl Sorted {
    fn of(value: Value) -> Sorted {
        match value {
            Value::Object(fields) => {
                Sorted::Fields(fields.into_iter().map(|(name, value)| (name, Sorted::of(value))).collect())
            }
            Value::Array(items) => Sorted::Items(items.into_iter().map(Sorted::of).collect()),
            single => Sorted::Single(single),
        }
    }
}

#[test]
#[allow(clippy::disallowed_methods)] // a test's own switch: no code of the crate reads the environment
fn the_published_vectors_are_what_their_seeds_give() {
    let closed = Maker::first_batch().second_batch().closed();
    let recovered = Maker::first_batch().second_batch().recovered();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let files = [
        ("reel.json", document(&closed, &recovered).into_bytes()),
        ("closed.reel", closed.bytes),
        ("recovered.reel", recovered.bytes),
    ];
    for (name, bytes) in files {
        let path = folder.join(name);
        if std::env::var_os("UPDATE_VECTORS").is_some() {
            fs::write(&path, &bytes).unwrap();
        }
        assert!(
            fs::read(&path).unwrap() == bytes,
            "{name} differs: a format that was published does not change without a new version"
        );
    }
}
