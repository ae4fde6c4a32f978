//! A reader in another language, written from the format's page alone, sees in our reels what we see.
#![cfg(feature = "view")]

mod support;

use aws_lc_rs::digest::{SHA256, digest};
use disk::FaultyDisk;
use domain::{HourLength, StreamId};
use media::Chunk;
use seal::Kind;
use serde_json::{Value, json};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
use support::{Camera, START, Town};
use vault::Location;

const REMEDY: &str = "run `make test` or `scripts/setup.sh`, which install it";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn python() -> PathBuf {
    if let Some(path) = env::var_os("VIGIE_PYTHON") {
        return path.into();
    }
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    cache.expect("HOME is set").join("vigie/venv/bin/python3")
}

/// What the reader prints, or what it complains of.
fn read(reel: &[u8], keys: &Value) -> Result<Value, String> {
    let folder = tempfile::tempdir().unwrap();
    let (reel_path, keys_path) = (folder.path().join("a.reel"), folder.path().join("keys.json"));
    fs::write(&reel_path, reel).unwrap();
    fs::write(&keys_path, keys.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reader/read_reel.py");
    let python = python();
    let run = Command::new(&python).arg(script).arg(reel_path).arg(keys_path).output();
    let run =
        run.unwrap_or_else(|error| panic!("no Python with its libraries at {}: {error}: {REMEDY}", python.display()));
    let complaint = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(!complaint.contains("ModuleNotFoundError"), "{complaint}: {REMEDY}");
    if run.status.success() { Ok(serde_json::from_slice(&run.stdout).unwrap()) } else { Err(complaint) }
}

fn vector(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../seal/vectors").join(name)).unwrap()
}

fn vector_keys(vectors: &Value) -> Value {
    json!({
        "site_public": vectors["site_key"]["public"],
        "lookup_key": vectors["lookup_key"],
        "streams": vectors["streams"],
    })
}

/// A chunk as the reader prints it.
fn printed(chunk: &Chunk, number: usize) -> Value {
    let frames = chunk
        .frames
        .iter()
        .map(|frame| json!({ "kind": frame.kind.code(), "dts": frame.dts.0, "pts": frame.pts.0, "size": frame.size }));
    let parameters = chunk.parameters.as_ref().map(|sets| {
        json!({ "codec": sets.codec.code(), "width": sets.width, "height": sets.height, "config": hex(&sets.config) })
    });
    json!({
        "stream": { "camera": chunk.stream.camera, "kind": chunk.stream.kind.code() },
        "number": number,
        "first_utc": chunk.first_utc.0,
        "last_utc": chunk.last_utc.0,
        "frames": frames.collect::<Vec<_>>(),
        "parameters": parameters,
        "sha256": hex(digest(&SHA256, &chunk.data).as_ref()),
    })
}

#[test]
fn the_reader_sees_in_the_vectors_what_their_page_says() {
    let vectors: Value = serde_json::from_slice(&vector("reel.json")).unwrap();
    for (name, end) in [("closed.reel", "footer"), ("recovered.reel", "recovery footer")] {
        let seen = read(&vector(name), &vector_keys(&vectors)).unwrap();
        assert_eq!((&seen["root"], &seen["end"]), (&vectors[name]["root"], &json!(end)));
        assert_eq!(seen["records"], vectors[name]["records"].as_array().unwrap().len());
        assert_eq!((seen["chunks"].as_array().unwrap().len(), seen["extents"].as_array().unwrap().len()), (3, 3));
        let (first, second) = (&seen["chunks"][0], &seen["chunks"][1]);
        assert_eq!((&first["stream"]["camera"], &second["number"]), (&vectors["streams"][0]["camera"], &json!(1)));
        assert_eq!(first["first_utc"].as_i64(), vectors["hour"]["start_s"].as_i64().map(|start| start * 1_000_000));
        let data: Vec<u8> = (0..64).collect();
        assert_eq!(first["sha256"], hex(digest(&SHA256, &data).as_ref()));
    }
}

#[test]
fn the_reader_refuses_a_changed_byte_and_another_key() {
    let vectors: Value = serde_json::from_slice(&vector("reel.json")).unwrap();
    let (reel, keys) = (vector("closed.reel"), vector_keys(&vectors));
    for record in vectors["closed.reel"]["records"].as_array().unwrap() {
        let at = (record["offset"].as_u64().unwrap() + record["bytes"].as_u64().unwrap() - 1) as usize;
        let mut changed = reel.clone();
        changed[at] ^= 1;
        assert!(read(&changed, &keys).is_err(), "{record}");
    }
    let mut other = keys.clone();
    other["streams"][0]["camera_hour_key"] = other["streams"][1]["camera_hour_key"].clone();
    assert!(read(&reel, &other).unwrap_err().contains("InvalidTag"));
}

#[test]
fn the_reader_sees_in_admitted_and_in_recovered_reels_what_was_given() {
    let disk = FaultyDisk::new(6);
    let mut town = Town::new(Arc::new(disk.clone()), Some(Path::new("/store")), 256 * 1024);
    let mut cameras: Vec<Camera> = (1..=3).map(|number| Camera::new(number, START)).collect();
    let mut life = town.start(START).unwrap();
    for second in 1..=66 {
        town.second(&mut life, &mut cameras, START.plus_seconds(second)).unwrap();
    }
    drop(life);
    disk.reboot();
    let life = town.start(START.plus_seconds(90)).unwrap();
    let rows = town.footage.live_reels().unwrap();
    let hour = HourLength::SIMULATED.hour_of(START);
    let stream = |stream: &StreamId| {
        let key = town.keeper.camera_hour(stream.camera, hour);
        json!({ "camera": stream.camera, "kind": 0, "camera_hour_key": hex(key.0.expose()) })
    };
    let keys = json!({
        "site_public": hex(&town.keeper.site_key.public()),
        "lookup_key": hex(town.keeper.lookup.0.expose()),
        "streams": town.given.keys().map(stream).collect::<Vec<_>>(),
    });
    let (mut seen_chunks, mut seen_gaps) = (Vec::new(), Vec::new());
    for row in &rows {
        let location = Location::from_bytes(&row.location).unwrap();
        let bytes = life.store.read(&location, 0, location.bytes()).unwrap();
        let seen = read(&bytes, &keys).unwrap();
        assert_eq!(seen["root"], hex(&row.root.unwrap()));
        assert_eq!(seen["end"], if location.index.is_some() { "footer" } else { "recovery footer" });
        for handle in 0..3 {
            let entries = vault::store::index_of(&life.store, row.reel, &location, handle).unwrap().unwrap();
            assert_eq!(entries.iter().filter(|entry| entry.is(Kind::Key)).count(), 1);
        }
        seen_chunks.extend(seen["chunks"].as_array().unwrap().clone());
        seen_gaps.extend(seen["gaps"].as_array().unwrap().clone());
    }
    assert_eq!(rows.len(), 2);
    for chunks in town.given.values() {
        for chunk in chunks {
            let seen = seen_chunks.iter().find(|seen| {
                seen["stream"]["camera"] == json!(chunk.stream.camera) && seen["first_utc"] == chunk.first_utc.0
            });
            let number = seen.and_then(|seen| seen["number"].as_u64()).expect("every chunk is seen");
            assert_eq!(seen, Some(&printed(chunk, number as usize)));
        }
    }
    for line in &town.lines_given {
        let stream = json!({ "camera": line.stream.camera, "kind": 0 });
        let printed = json!({ "stream": stream, "state": 1, "from": line.from.0, "to": null,
                              "cause": line.cause, "detail": line.detail });
        assert!(seen_gaps.contains(&printed), "{printed}");
    }
    assert_eq!(seen_gaps.len(), town.lines_given.len());
    assert_eq!(seen_chunks.len(), town.given.values().map(Vec::len).sum::<usize>());
}
