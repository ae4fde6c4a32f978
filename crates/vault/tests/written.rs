//! What may never be on a disk: one key and nonce with two ciphertexts, or a picture in clear. Over every byte ever written.
#![cfg(feature = "view")]

mod support;

use disk::{Disk, Fault, FaultyDisk, Happened};
use seal::Kind;
use std::{
    collections::{HashMap, HashSet},
    io::ErrorKind,
    path::Path,
    sync::Arc,
};
use support::{Camera, START, Seeded, Town, reading::records_ever_written};

/// Nine lives of a recorder on one disk, with refused steps and power cuts by chance.
fn hard_life(picture_bytes: u64) -> (Town, FaultyDisk) {
    let disk = FaultyDisk::new(5);
    let mut town = Town::new(Arc::new(disk.clone()), Some(Path::new("/store")), 64 * 1024);
    let random = Seeded::new(11);
    for life_number in 0..9 {
        disk.reboot();
        let began = START.plus_seconds(life_number * 30);
        let Ok(mut life) = town.start(began) else { continue };
        for _ in 0..3 {
            let happened = if random.below(2) == 0 { Happened::No } else { Happened::Yes };
            disk.plan(disk.steps() + random.below(40), Fault::Error(happened, ErrorKind::Other));
        }
        disk.plan(disk.steps() + 40 + random.below(20), Fault::PowerCut(Happened::No));
        let mut cameras: Vec<Camera> = (1..4).map(|number| Camera::new(number, began)).collect();
        cameras.iter_mut().for_each(|camera| camera.picture_bytes = picture_bytes);
        for second in 1..20 {
            let synced = town.second(&mut life, &mut cameras, began.plus_seconds(second));
            if synced.is_err() && disk.exists(Path::new("/store")).is_err() {
                break;
            }
        }
    }
    disk.reboot();
    let life = town.start(START.plus_seconds(500)).unwrap();
    town.assert_complete(&life.store, "after nine lives");
    town.assert_facts_agree("after nine lives");
    assert!(town.facts.len() > 9, "reels were recovered");
    (town, disk)
}

#[test]
fn no_key_and_nonce_ever_sealed_two_different_texts() {
    let (_, disk) = hard_life(800);
    let mut sealed: HashMap<_, Vec<u8>> = HashMap::new();
    let mut seen = HashSet::new();
    let mut wrapped: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    for (header, bytes, range) in records_ever_written(&disk) {
        let payload = &bytes[range];
        match header.kind {
            // the key and the commitment come out of one HKDF: two texts under one commitment are two under one key and nonce
            Kind::Chunk | Kind::Extent | Kind::Gap => {
                assert_ne!(header.commitment, [0; 32]);
                let id = (header.reel, header.kind, header.handle, header.number, header.commitment);
                let known = sealed.entry(id).or_insert_with(|| payload.to_vec());
                // a record at the end of a slot is cut there: as much as there is must be the same
                let both = known.len().min(payload.len());
                assert_eq!(known[..both], payload[..both], "{id:?} was sealed twice");
                assert!(seen.insert((header.reel, header.kind, header.handle, header.number)), "{id:?} written twice");
            }
            // a camera-hour key wraps each data key under a nonce of its own, the same wrapping in all reels of the run
            Kind::Key if payload.len() >= 92 => {
                let known = wrapped.entry(payload[32..44].to_vec()).or_insert_with(|| payload[44..92].to_vec());
                assert_eq!(known[..], payload[44..92], "one nonce, two data keys");
            }
            _ => {}
        }
    }
    assert!(sealed.len() > 500 && wrapped.len() > 20, "{} records, {} data keys", sealed.len(), wrapped.len());
}

#[test]
fn no_sixteen_bytes_of_any_picture_were_ever_written_in_clear() {
    let (town, disk) = hard_life(120);
    let word = |window: &[u8]| u128::from_le_bytes(window.try_into().unwrap());
    let pictures = town.given.values().flatten().flat_map(|chunk| chunk.data.windows(16).map(word));
    let pictures: HashSet<u128> = pictures.collect();
    assert!(pictures.len() > 100_000);
    let mut bytes_written = 0;
    for (path, bytes) in disk.all_bytes_ever_written() {
        if bytes.iter().all(|byte| *byte == 0) {
            continue;
        }
        bytes_written += bytes.len();
        let leak = bytes.windows(16).map(word).find(|window| pictures.contains(window));
        assert_eq!(leak, None, "a picture in clear in {}", path.display());
    }
    assert!(bytes_written > 300_000);
}
