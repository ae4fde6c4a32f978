//! The readers of the keyring's files for fuzzing, behind digest and tag: bytes in, nothing out. Feature `fuzz`, never shipped.

use super::{
    page_file,
    root::{PageEntry, Root},
    seal::RootKey,
    sealing::{self, Kdf, KdfCost},
    slot::Slot,
};
use crate::{CameraKey, Condemned, HoldKey, LedgerHead, Month, Page, Which, contents::Contents, pkcs11::ObjectId};
use domain::{CameraId, HoldId, Hour, HourLength, Secret32, SiteId, UtcMicros};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

const SITE: SiteId = SiteId([1; 16]);
const KEY: Secret32 = Secret32::new([0x91; 32]);
const KDF: Kdf = Kdf { cost: KdfCost::LEAST, salt: [0x5a; 16] };
const GENERATION: u64 = 7;
const PAGE_HEADER_BYTES: usize = 64;
const DIGEST_BYTES: usize = 32;

fn hour() -> Hour {
    HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(1_700_000_000))
}

/// A root record's plaintext.
pub fn root(bytes: &[u8]) {
    if let Some(read) = Root::decode(GENERATION, bytes) {
        assert_eq!(Root::decode(GENERATION, &read.encode(read.encoded_len())), Some(read));
    }
}

/// Whether bytes are a root record's plaintext.
pub fn root_reads(bytes: &[u8]) -> bool {
    Root::decode(GENERATION, bytes).is_some()
}

pub fn root_seeds() -> Vec<Vec<u8>> {
    let root = right_root();
    vec![root.encode(root.encoded_len()).to_vec(), root.encode(4_096).to_vec()]
}

/// A slot file; its digest is made anew.
pub fn slot(bytes: &[u8]) {
    drop(Slot::parse(bytes));
    let record = &bytes[..bytes.len().saturating_sub(DIGEST_BYTES)];
    let again = [record, blake3::hash(record).as_bytes()].concat();
    let is_later = Slot::later_version(&again).is_some();
    if let Some(slot) = Slot::parse(&again) {
        assert!(!is_later, "what we read is no later program's");
        drop(slot.open(&KEY));
    }
}

pub fn slot_seeds() -> Vec<Vec<u8>> {
    let objects = [None, ObjectId::from_bytes(&[6; 24])];
    let keys = objects.map(|object| RootKey { object, key: KEY });
    let seal = |key| Slot::seal(SITE, &KDF, &key, [3; sealing::NONCE_BYTES], &right_root());
    keys.map(|key| seal(key).expect("a small record fits")).into()
}

/// A page's plaintext, sealed under the header that belongs to it.
pub fn page(bytes: &[u8]) {
    let whole = page_file::seal(SITE, &right_page(), GENERATION, &KEY).expect("a small page fits");
    let mut header = [0; PAGE_HEADER_BYTES];
    header.copy_from_slice(&whole[..PAGE_HEADER_BYTES]);
    let sealed_bytes = (bytes.len() + sealing::TAG_BYTES) as u64;
    header[48..56].copy_from_slice(&sealed_bytes.to_le_bytes());
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len() + sealing::TAG_BYTES));
    plain.extend_from_slice(bytes);
    let file = [&header[..], &sealing::seal(&KEY, [0; sealing::NONCE_BYTES], &header, plain)].concat();
    let digest = *blake3::hash(&file).as_bytes();
    let entry = PageEntry { generation: GENERATION, key: KEY, digest, earliest: UtcMicros(9) };
    drop(page_file::open(SITE, hour(), &entry, &file));
}

pub fn page_seeds() -> Vec<Vec<u8>> {
    let file = page_file::seal(SITE, &right_page(), GENERATION, &KEY).expect("a small page fits");
    let mut header = [0; PAGE_HEADER_BYTES];
    header.copy_from_slice(&file[..PAGE_HEADER_BYTES]);
    let plain = sealing::open(&KEY, [0; sealing::NONCE_BYTES], &header, &file[PAGE_HEADER_BYTES..]);
    let plain = plain.expect("it was sealed so").to_vec();
    vec![plain[..160.min(plain.len())].to_vec(), plain]
}

fn right_page() -> Page {
    let key = |n: u8| (CameraId([n; 16]), CameraKey { key: Secret32::new([n; 32]), deadline: UtcMicros(9) });
    Page { hour: hour(), lookup: Secret32::new([0x10; 32]), cameras: BTreeMap::from([key(1), key(2)]) }
}

fn right_root() -> Root {
    let month = |yyyymm| Month::new(yyyymm).expect("a month");
    let contents = Contents {
        site_key: Secret32::new([0x51; 32]),
        config_key: Secret32::new([0x52; 32]),
        ledger_head: LedgerHead { size: 1_234, root: [0x53; 32] },
        written_off: BTreeSet::from([1]),
        condemned: vec![
            Condemned { hour: hour().plus(-1), which: Which::All, destroyed_by: Some(6) },
            Condemned { hour: hour(), which: Which::Cameras(BTreeSet::from([CameraId([2; 16])])), destroyed_by: None },
        ],
        log_keys: BTreeMap::from([(month(202_603), Secret32::new([0x54; 32]))]),
        dead_months: BTreeSet::from([month(202_302)]),
        holds: BTreeMap::from([(
            (HoldId([3; 16]), hour()),
            HoldKey { key: Secret32::new([0x55; 32]), dies: UtcMicros(9) },
        )]),
    };
    let entry = PageEntry { generation: 3, key: KEY, digest: [4; 32], earliest: UtcMicros(9) };
    Root { generation: GENERATION, contents, table: BTreeMap::from([(hour(), entry)]) }
}
