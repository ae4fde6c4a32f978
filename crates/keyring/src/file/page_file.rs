//! One page file: clear header, sealed keys.

use super::{
    codec::{Reader, Writer},
    root::PageEntry,
    sealing::{self, NONCE_BYTES, TAG_BYTES},
    slot::BLOCK_BYTES,
};
use crate::{CameraKey, KeyringError, Page, Result};
use domain::{Hour, Secret32, SiteId, UtcMicros};
use std::collections::BTreeMap;

const MAGIC: &[u8; 8] = b"VIGIEKPG";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 64;
const CAMERA_BYTES: usize = 16 + 32 + 8;
/// 10,000 cameras are 560 kB.
pub const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Allowed only because every write of a page draws a new key: no (key, nonce) pair meets two texts.
const NONCE: [u8; NONCE_BYTES] = [0; NONCE_BYTES];

/// `<start in seconds>-<length in seconds>.<page generation>`
pub fn name(hour: Hour, generation: u64) -> String {
    format!("{}-{}.{generation}", hour.start_seconds(), hour.length().seconds())
}

/// The bytes of a page file, a multiple of 4,096. `key` must never have sealed anything.
pub fn seal(site: SiteId, page: &Page, generation: u64, key: &Secret32) -> Result<Vec<u8>> {
    let fields_len = 32 + 4 + page.cameras.len() * CAMERA_BYTES;
    let total = (HEADER_BYTES + fields_len + TAG_BYTES).next_multiple_of(BLOCK_BYTES);
    if total > PAGE_BYTES_MAX {
        return Err(KeyringError::TooLarge { bytes_max: PAGE_BYTES_MAX });
    }
    let plain_len = total - HEADER_BYTES - TAG_BYTES;
    let mut fields = Writer::with_capacity(total);
    fields.bytes(page.lookup.expose()).count(page.cameras.len());
    for (camera, entry) in &page.cameras {
        fields.bytes(&camera.0).bytes(entry.key.expose()).i64(entry.deadline.0);
    }
    let header = header(site, page.hour, generation, (plain_len + TAG_BYTES) as u64);
    let body = sealing::seal(key, NONCE, &header, fields.padded(plain_len));
    Ok([&header[..], &body].concat())
}

/// The page in a file; `None` unless it is exactly the file that `entry` names.
pub fn open(site: SiteId, hour: Hour, entry: &PageEntry, bytes: &[u8]) -> Option<Page> {
    if blake3::hash(bytes) != entry.digest {
        return None;
    }
    let (found, body) = bytes.split_at_checked(HEADER_BYTES)?;
    let expected = header(site, hour, entry.generation, body.len() as u64);
    if found != expected {
        return None;
    }
    let plain = sealing::open(&entry.key, NONCE, &expected, body)?;
    let mut fields = Reader::over(&plain);
    let lookup = fields.secret()?;
    let mut cameras = BTreeMap::new();
    for _ in 0..fields.u32()? {
        let (camera, key) = (fields.camera()?, fields.secret()?);
        cameras.insert(camera, CameraKey { key, deadline: UtcMicros(fields.i64()?) });
    }
    fields.only_zeros_left().then_some(Page { hour, lookup, cameras })
}

fn header(site: SiteId, hour: Hour, generation: u64, sealed_len: u64) -> [u8; HEADER_BYTES] {
    let mut fields = Writer::with_capacity(HEADER_BYTES);
    fields.bytes(MAGIC).u16(VERSION).u16(0).bytes(&site.0).bytes(&hour.to_bytes()).u64(generation).u64(sealed_len);
    let mut header = [0; HEADER_BYTES];
    header.copy_from_slice(&fields.padded(HEADER_BYTES));
    header
}
