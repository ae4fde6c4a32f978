//! The published test vectors of `docs/formats/keyring.md`: the same inputs give the same bytes, for ever.

use super::{
    page_file,
    root::{PageEntry, Root},
    seal::{self, RootKey},
    sealing::{Kdf, KdfCost},
    slot::Slot,
};
use crate::{
    CameraKey, Condemned, HoldKey, LedgerHead, Month, Page, Which,
    conformance::{SITE, camera, cameras, deadline, hour},
    contents::Contents,
    pkcs11::ObjectId,
};
use aws_lc_rs::hmac;
use domain::{HoldId, Secret32};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PASSPHRASE: &str = "phrase secrète d'essai";
const KDF: Kdf = Kdf { cost: KdfCost { memory_kib: 64, passes: 2, lanes: 1 }, salt: [0x5a; 16] };
const ROOT_NONCE: [u8; 12] = [0x0c; 12];
const PAGE_KEY: Secret32 = Secret32::new([0x91; 32]);
const PAGE_GENERATION: u64 = 3;
/// The object of the vector with a token; a real one never shows its key.
const TOKEN_KEY: [u8; 32] = [0x77; 32];

fn page() -> Page {
    let key = |n: u8, days| (camera(n), CameraKey { key: Secret32::new([0xc0 + n; 32]), deadline: deadline(days) });
    Page { hour: hour(0), lookup: Secret32::new([0x10; 32]), cameras: BTreeMap::from([key(1, 30), key(2, 20)]) }
}

fn page_bytes() -> Vec<u8> {
    page_file::seal(SITE, &page(), PAGE_GENERATION, &PAGE_KEY).unwrap()
}

fn entry() -> PageEntry {
    let digest = *blake3::hash(&page_bytes()).as_bytes();
    PageEntry { generation: PAGE_GENERATION, key: PAGE_KEY, digest, earliest: deadline(20) }
}

fn root() -> Root {
    let month = |yyyymm| Month::new(yyyymm).unwrap();
    let contents = Contents {
        site_key: Secret32::new([0x51; 32]),
        config_key: Secret32::new([0x52; 32]),
        ledger_head: LedgerHead { size: 1_234, root: [0x53; 32] },
        written_off: BTreeSet::from([1]),
        condemned: vec![
            Condemned { hour: hour(-1), which: Which::All, destroyed_by: Some(6) },
            Condemned { hour: hour(0), which: cameras(&[2]), destroyed_by: None },
        ],
        log_keys: BTreeMap::from([(month(202_603), Secret32::new([0x54; 32]))]),
        dead_months: BTreeSet::from([month(202_302)]),
        holds: BTreeMap::new(),
    };
    Root { generation: 7, contents, table: BTreeMap::from([(hour(0), entry())]) }
}

/// The same record while a hold stands: format 2.
fn held_root() -> Root {
    let mut root = root();
    let held = HoldKey { key: Secret32::new([0x55; 32]), dies: deadline(40) };
    root.contents.holds.insert((HoldId([0x60; 16]), hour(0)), held);
    root
}

fn object() -> ObjectId {
    ObjectId::from_bytes(&[&6_u64.to_le_bytes()[..], &[0x0b; 16]].concat()).unwrap()
}

fn answer() -> Secret32 {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &TOKEN_KEY), &seal::question(SITE, object()));
    Secret32::new(tag.as_ref().try_into().unwrap())
}

fn token_root_key() -> RootKey {
    RootKey { object: Some(object()), key: seal::combine(&KDF.derive(PASSPHRASE).unwrap(), &answer()) }
}

fn token_slot_bytes() -> Vec<u8> {
    Slot::seal(SITE, &KDF, &token_root_key(), ROOT_NONCE, &root()).unwrap()
}

fn slot_bytes() -> Vec<u8> {
    slot_of(&root())
}

fn slot_of(root: &Root) -> Vec<u8> {
    Slot::seal(SITE, &KDF, &RootKey { object: None, key: KDF.derive(PASSPHRASE).unwrap() }, ROOT_NONCE, root).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn page_vector() -> Value {
    let bytes = page_bytes();
    let cameras: Vec<Value> = page().cameras.iter().map(|(camera, entry)| {
        json!({ "camera": camera, "key": hex(entry.key.expose()), "deadline_utc_us": entry.deadline.0 })
    }).collect();
    json!({
        "site": SITE,
        "hour_start_s": hour(0).start_seconds(),
        "hour_length_s": hour(0).length().seconds(),
        "page_generation": PAGE_GENERATION,
        "page_key": hex(PAGE_KEY.expose()),
        "lookup_key": hex(page().lookup.expose()),
        "cameras": cameras,
        "file_name": page_file::name(hour(0), PAGE_GENERATION),
        "file_blake3": blake3::hash(&bytes).to_hex().as_str(),
        "file": hex(&bytes),
    })
}

fn root_vector() -> Value {
    let (bytes, root) = (slot_bytes(), root());
    let KdfCost { memory_kib, passes, lanes } = KDF.cost;
    let entry = entry();
    json!({
        "passphrase": PASSPHRASE,
        "argon2id": { "memory_kib": memory_kib, "passes": passes, "lanes": lanes, "salt": hex(&KDF.salt) },
        "root_key": hex(KDF.derive(PASSPHRASE).unwrap().expose()),
        "nonce": hex(&ROOT_NONCE),
        "site": SITE,
        "generation": root.generation,
        "site_key": hex(root.contents.site_key.expose()),
        "config_key": hex(root.contents.config_key.expose()),
        "ledger_head": { "size": root.contents.ledger_head.size, "root": hex(&root.contents.ledger_head.root) },
        "written_off": root.contents.written_off,
        "pages": [{
            "hour_start_s": hour(0).start_seconds(),
            "hour_length_s": hour(0).length().seconds(),
            "page_generation": entry.generation,
            "page_key": hex(entry.key.expose()),
            "digest": hex(&entry.digest),
            "earliest_deadline_utc_us": entry.earliest.0,
        }],
        "condemned": [
            { "hour_start_s": hour(-1).start_seconds(), "hour_length_s": 3_600, "destroyed_by": 6, "cameras": "all" },
            { "hour_start_s": hour(0).start_seconds(), "hour_length_s": 3_600, "destroyed_by": 0, "cameras": [camera(2)] },
        ],
        "log_keys": [{ "month": 202_603, "key": hex(&[0x54; 32]) }],
        "dead_months": [202_302],
        "file_blake3": blake3::hash(&bytes).to_hex().as_str(),
        "file": hex(&bytes),
    })
}

/// The same record under passphrase and token.
fn token_root_vector() -> Value {
    let (bytes, mut vector) = (token_slot_bytes(), root_vector());
    vector["token"] = json!({
        "object_id": hex(&object().to_bytes()),
        "object_key": hex(&TOKEN_KEY),
        "answer": hex(answer().expose()),
    });
    vector["root_key"] = json!(hex(token_root_key().key.expose()));
    vector["file_blake3"] = json!(blake3::hash(&bytes).to_hex().as_str());
    vector["file"] = json!(hex(&bytes));
    vector
}

fn held_root_vector() -> Value {
    let (bytes, mut vector) = (slot_of(&held_root()), root_vector());
    vector["holds"] = json!([{
        "hold": HoldId([0x60; 16]),
        "hour_start_s": hour(0).start_seconds(),
        "hour_length_s": 3_600,
        "key": hex(&[0x55; 32]),
        "dies_utc_us": deadline(40).0,
    }]);
    vector["file_blake3"] = json!(blake3::hash(&bytes).to_hex().as_str());
    vector["file"] = json!(hex(&bytes));
    vector
}

/// Each by its file's name.
fn vectors() -> [(&'static str, Value); 4] {
    [
        ("page", page_vector()),
        ("root", root_vector()),
        ("root-token", token_root_vector()),
        ("root-holds", held_root_vector()),
    ]
}

fn path(name: &str) -> String {
    format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_published_vectors_are_what_the_code_writes() {
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        write_the_vectors();
    }
    for (name, expected) in vectors() {
        let published: Value = serde_json::from_slice(&std::fs::read(path(name)).unwrap()).unwrap();
        assert!(published == expected, "{name}: the format changed; a new version number is needed");
    }
}

#[test]
fn what_the_code_writes_it_reads() {
    let slot = Slot::parse(&slot_bytes()).unwrap();
    assert_eq!((slot.site, slot.kdf, slot.generation), (SITE, KDF, 7));
    assert_eq!(slot.open(&KDF.derive(PASSPHRASE).unwrap()), Some(root()));
    let held = Slot::parse(&slot_of(&held_root())).unwrap();
    assert_eq!(held.open(&KDF.derive(PASSPHRASE).unwrap()), Some(held_root()));
    let under_token = Slot::parse(&token_slot_bytes()).unwrap();
    assert_eq!((under_token.object, under_token.open(&token_root_key().key)), (Some(object()), Some(root())));
    assert_eq!(page_file::open(SITE, hour(0), &entry(), &page_bytes()), Some(page()));
}

#[test]
fn one_flipped_bit_anywhere_in_a_file_is_noticed() {
    let key = KDF.derive(PASSPHRASE).unwrap();
    for at in 0..slot_bytes().len() {
        let mut bytes = slot_bytes();
        bytes[at] ^= 1;
        assert_eq!(Slot::parse(&bytes), None, "byte {at}");
        // also with a digest made to fit: it is no secret
        let end = bytes.len() - 32;
        let digest = blake3::hash(&bytes[..end]);
        bytes[end..].copy_from_slice(digest.as_bytes());
        let opened = Slot::parse(&bytes).and_then(|slot| slot.open(&key));
        assert_eq!(opened.is_some(), at >= end, "byte {at}");
    }
    for at in 0..page_bytes().len() {
        let mut bytes = page_bytes();
        bytes[at] ^= 1;
        assert_eq!(page_file::open(SITE, hour(0), &entry(), &bytes), None, "byte {at}");
        let fitting = PageEntry { digest: *blake3::hash(&bytes).as_bytes(), ..entry() };
        assert_eq!(page_file::open(SITE, hour(0), &fitting, &bytes), None, "byte {at}");
    }
}

#[test]
fn a_cut_or_lengthened_file_is_none_of_ours_and_zeros_may_follow_a_slot() {
    let bytes = slot_bytes();
    for len in (0..bytes.len()).step_by(97) {
        assert_eq!(Slot::parse(&bytes[..len]), None);
    }
    assert!(Slot::parse(&[bytes, vec![0; 4_096]].concat()).is_some());
    assert_eq!(page_file::open(SITE, hour(0), &entry(), &[page_bytes(), vec![0]].concat()), None);
    assert_eq!(page_file::open(SITE, hour(1), &entry(), &page_bytes()), None, "a page is bound to its hour");
    assert_eq!(page_file::open(domain::SiteId([8; 16]), hour(0), &entry(), &page_bytes()), None);
}

/// Only with a new version of the format: `UPDATE_VECTORS=1`.
fn write_the_vectors() {
    for (name, value) in vectors() {
        std::fs::write(path(name), serde_json::to_string_pretty(&value).unwrap() + "\n").unwrap();
    }
}
