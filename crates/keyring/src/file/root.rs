//! The root record's fields as they are sealed in a slot.

use super::codec::{Reader, Writer};
use crate::{Condemned, HoldKey, LedgerHead, Month, Which, contents::Contents};
use domain::{HoldId, Hour, Secret32, UtcMicros};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

const FORMAT: u16 = 1;
/// The same with keys of holds behind it; written only while there are any, so that a program that knows none reads the others.
const FORMAT_WITH_HOLDS: u16 = 2;

/// Where a page is and what opens it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageEntry {
    /// The root generation that the page was first written for; part of its file name.
    pub generation: u64,
    /// Random, new for every write of a page.
    pub key: Secret32,
    /// BLAKE3 of the whole page file.
    pub digest: [u8; 32],
    /// The first deadline of its cameras, so that a damaged page still has one.
    pub earliest: UtcMicros,
}

/// A root record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Root {
    pub generation: u64,
    pub contents: Contents,
    pub table: BTreeMap<Hour, PageEntry>,
}

const FIXED_BYTES: usize = 2 + 32 + 32 + 8 + 32 + 1 + 4 * 4;
const ENTRY_BYTES: usize = 12 + 8 + 32 + 32 + 8;
const CONDEMNED_BYTES: usize = 12 + 8 + 1 + 4;
const CAMERA_BYTES: usize = 16;
const LOG_KEY_BYTES: usize = 4 + 32;
const HOLD_KEY_BYTES: usize = 16 + 12 + 32 + 8;

impl Root {
    /// Bytes of the fields, before padding.
    pub fn encoded_len(&self) -> usize {
        let cameras: usize = self.contents.condemned.iter().map(|entry| cameras_of(&entry.which).len()).sum();
        FIXED_BYTES
            + self.table.len() * ENTRY_BYTES
            + self.contents.condemned.len() * CONDEMNED_BYTES
            + cameras * CAMERA_BYTES
            + self.contents.log_keys.len() * LOG_KEY_BYTES
            + self.contents.dead_months.len() * 4
            + if self.contents.holds.is_empty() { 0 } else { 4 + self.contents.holds.len() * HOLD_KEY_BYTES }
    }

    /// The fields, zeros up to `len`, and room for the tag of sealing.
    pub fn encode(&self, len: usize) -> Zeroizing<Vec<u8>> {
        let contents = &self.contents;
        let mut out = Writer::with_capacity(len + super::sealing::TAG_BYTES);
        let format = if contents.holds.is_empty() { FORMAT } else { FORMAT_WITH_HOLDS };
        out.u16(format).bytes(contents.site_key.expose()).bytes(contents.config_key.expose());
        out.u64(contents.ledger_head.size).bytes(&contents.ledger_head.root);
        out.u8(contents.written_off.iter().fold(0, |bits, copy| bits | 1 << copy));
        out.count(self.table.len());
        for (hour, entry) in &self.table {
            out.bytes(&hour.to_bytes()).u64(entry.generation).bytes(entry.key.expose());
            out.bytes(&entry.digest).i64(entry.earliest.0);
        }
        out.count(contents.condemned.len());
        for entry in &contents.condemned {
            let cameras = cameras_of(&entry.which);
            out.bytes(&entry.hour.to_bytes()).u64(entry.destroyed_by.unwrap_or(0));
            out.u8(u8::from(entry.which == Which::All)).count(cameras.len());
            for camera in cameras {
                out.bytes(&camera.0);
            }
        }
        out.count(contents.log_keys.len());
        for (month, key) in &contents.log_keys {
            out.u32(month.yyyymm()).bytes(key.expose());
        }
        out.count(contents.dead_months.len());
        for month in &contents.dead_months {
            out.u32(month.yyyymm());
        }
        if format == FORMAT_WITH_HOLDS {
            out.count(contents.holds.len());
            for ((hold, hour), key) in &contents.holds {
                out.bytes(&hold.0).bytes(&hour.to_bytes()).bytes(key.key.expose()).i64(key.dies.0);
            }
        }
        out.padded(len)
    }

    /// The format of a record that is of another one than ours.
    pub fn later_format(bytes: &[u8]) -> Option<u16> {
        Reader::over(bytes).u16().filter(|format| !(FORMAT..=FORMAT_WITH_HOLDS).contains(format))
    }

    /// The inverse; `None` for bytes that are no root record of this format.
    pub fn decode(generation: u64, bytes: &[u8]) -> Option<Root> {
        let mut fields = Reader::over(bytes);
        let format = fields.u16()?;
        if !(FORMAT..=FORMAT_WITH_HOLDS).contains(&format) {
            return None;
        }
        let (site_key, config_key) = (fields.secret()?, fields.secret()?);
        let ledger_head = LedgerHead { size: fields.u64()?, root: fields.array()? };
        let bits = fields.u8()?;
        let written_off = (0..2).filter(|copy| bits & (1 << copy) != 0).collect();
        let table = read_table(&mut fields)?;
        let condemned = read_condemned(&mut fields)?;
        let mut log_keys = BTreeMap::new();
        for _ in 0..fields.u32()? {
            log_keys.insert(Month::new(fields.u32()?).ok()?, fields.secret()?);
        }
        let mut dead_months = BTreeSet::new();
        for _ in 0..fields.u32()? {
            dead_months.insert(Month::new(fields.u32()?).ok()?);
        }
        let holds = if format == FORMAT_WITH_HOLDS { read_holds(&mut fields)? } else { BTreeMap::new() };
        let contents =
            Contents { site_key, config_key, ledger_head, written_off, condemned, log_keys, dead_months, holds };
        fields.only_zeros_left().then_some(Root { generation, contents, table })
    }
}

fn read_table(fields: &mut Reader<'_>) -> Option<BTreeMap<Hour, PageEntry>> {
    let mut table = BTreeMap::new();
    for _ in 0..fields.u32()? {
        let hour = fields.hour()?;
        let (generation, key, digest) = (fields.u64()?, fields.secret()?, fields.array()?);
        table.insert(hour, PageEntry { generation, key, digest, earliest: UtcMicros(fields.i64()?) });
    }
    Some(table)
}

fn read_holds(fields: &mut Reader<'_>) -> Option<BTreeMap<(HoldId, Hour), HoldKey>> {
    let mut holds = BTreeMap::new();
    for _ in 0..fields.u32()? {
        let of = (HoldId(fields.array()?), fields.hour()?);
        holds.insert(of, HoldKey { key: fields.secret()?, dies: UtcMicros(fields.i64()?) });
    }
    Some(holds)
}

fn read_condemned(fields: &mut Reader<'_>) -> Option<Vec<Condemned>> {
    let mut condemned = Vec::new();
    for _ in 0..fields.u32()? {
        let (hour, generation, all) = (fields.hour()?, fields.u64()?, fields.u8()?);
        let mut cameras = BTreeSet::new();
        for _ in 0..fields.u32()? {
            cameras.insert(fields.camera()?);
        }
        let which = match all {
            0 => Which::Cameras(cameras),
            1 => Which::All,
            _ => return None,
        };
        condemned.push(Condemned { hour, which, destroyed_by: (generation != 0).then_some(generation) });
    }
    Some(condemned)
}

fn cameras_of(which: &Which) -> Vec<domain::CameraId> {
    match which {
        Which::All => Vec::new(),
        Which::Cameras(cameras) => cameras.iter().copied().collect(),
    }
}
