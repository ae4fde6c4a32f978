//! Reads whole reels with all keys, straight from the slots: what is really there, whatever the catalog says of streams.

use super::Town;
use catalog::{ReelRow, ReelState};
use disk::FaultyDisk;
use domain::{CameraId, ReelId, StreamId};
use media::Chunk;
use seal::{GapLine, KeyRecord, Kind, RecordHeader, reel::ReelHeader, root::Root};
use std::{collections::BTreeMap, sync::Arc};
use vault::{LocalStore, Location, keeper::Fact};

impl Town {
    /// Every chunk of every live reel, by stream in the order of time. Panics at a chunk that is not what was given, or is
    /// there twice.
    pub fn everything(&self, store: &LocalStore) -> BTreeMap<StreamId, Vec<Chunk>> {
        let mut all: BTreeMap<StreamId, Vec<Chunk>> = BTreeMap::new();
        for row in self.footage.live_reels().unwrap().iter().filter(|row| row.state != ReelState::Open) {
            for (stream, chunks, _) in self.records_of(store, row) {
                all.entry(stream).or_default().extend(chunks);
            }
        }
        for (stream, chunks) in &mut all {
            chunks.sort_by_key(|chunk| chunk.first_utc);
            for pair in chunks.windows(2) {
                assert!(pair[0].first_utc < pair[1].first_utc, "a chunk is there twice");
            }
            for chunk in chunks {
                assert!(self.given[stream].contains(chunk), "a chunk that was never given: {:?}", chunk.first_utc);
            }
        }
        all
    }

    /// Every line about a gap in every live reel. Panics at one that was never given, or is there twice.
    pub fn gap_lines(&self, store: &LocalStore) -> Vec<GapLine> {
        let rows = self.footage.live_reels().unwrap();
        let ended = rows.iter().filter(|row| row.state != ReelState::Open);
        let lines: Vec<GapLine> = ended.flat_map(|row| self.records_of(store, row)).flat_map(|all| all.2).collect();
        for (n, line) in lines.iter().enumerate() {
            assert!(self.lines_given.contains(line) && !lines[..n].contains(line), "{line:?}");
        }
        lines
    }

    fn records_of(&self, store: &LocalStore, row: &ReelRow) -> Vec<(StreamId, Vec<Chunk>, Vec<GapLine>)> {
        let location = Location::from_bytes(&row.location).unwrap();
        let mut reader = store.reader(&location);
        let payload_bytes = reader.header(row.reel, 0).unwrap().unwrap().payload_bytes;
        let header = reader.read(64, payload_bytes.into()).unwrap();
        let header = ReelHeader::from_payload(row.reel, &header, &self.keeper.site_key.public()).unwrap();
        let mut streams = Vec::new();
        for handle in 0.. {
            let entries = vault::store::index_of(store, row.reel, &location, handle).unwrap().unwrap_or_default();
            let Some(key) = entries.iter().find(|entry| entry.is(Kind::Key)) else { break };
            let key_record = KeyRecord::from_bytes(&reader.record(row.reel, key).unwrap()[64..]).unwrap();
            let known = self.given.keys().copied().chain(self.lines_given.iter().map(|line| line.stream));
            let cameras: Vec<CameraId> = known.map(|stream| stream.camera).collect();
            let stream = self.keeper.lookup.find(&key_record.lookup_tag, row.reel, cameras).unwrap();
            let data_key = self.keeper.data_key(&header, &key_record, stream).unwrap();
            let mut chunks = Vec::new();
            for entry in entries.iter().filter(|entry| entry.is(Kind::Chunk)) {
                let key = data_key.record_key(row.reel, Kind::Chunk, handle, entry.number);
                let record = reader.record(row.reel, entry).unwrap();
                chunks.push(vault::open::open(record, &key, stream, row.hour).unwrap());
            }
            let mut lines = Vec::new();
            for entry in entries.iter().filter(|entry| entry.is(Kind::Gap)) {
                let mut record = reader.record(row.reel, entry).unwrap();
                let header = RecordHeader::from_bytes(&record).unwrap();
                let key = data_key.record_key(row.reel, Kind::Gap, handle, entry.number);
                lines.push(GapLine::from_bytes(key.open(&header, &mut record[64..]).unwrap()).unwrap());
            }
            streams.push((stream, chunks, lines));
        }
        streams
    }

    /// Everything that a sync acknowledged is there, equal; nothing is there twice or was never given.
    pub fn assert_complete(&self, store: &LocalStore, what: &str) {
        let lines = self.gap_lines(store);
        for line in &self.lines_acknowledged {
            assert!(lines.contains(line), "{what}: lost {line:?} although acknowledged");
        }
        let there = self.everything(store);
        for (stream, first_utc) in &self.acknowledged {
            let found =
                there.get(stream).is_some_and(|chunks| chunks.iter().any(|chunk| chunk.first_utc == *first_utc));
            assert!(found, "{what}: lost {stream:?} {first_utc} although acknowledged");
        }
    }

    /// Facts may be told twice, never differently (the keeper enters each once).
    pub fn assert_facts_agree(&self, what: &str) {
        let mut roots: BTreeMap<ReelId, Root> = BTreeMap::new();
        for fact in &self.facts {
            if let Fact::Reel(reel) | Fact::Recovered { reel, .. } = fact {
                let known = roots.entry(reel.reel).or_insert(reel.root);
                assert_eq!(*known, reel.root, "{what}: reel {} has two roots", reel.reel);
            }
        }
        for row in self.footage.live_reels().unwrap() {
            if let (Some(root), Some(known)) = (row.root, roots.get(&row.reel)) {
                assert_eq!(root, *known, "{what}: catalog and facts differ");
            }
        }
    }
}

/// Every record in every buffer that was ever written to a slot: its header and as much of its payload as the buffer has.
pub fn records_ever_written(disk: &FaultyDisk) -> Vec<(RecordHeader, Arc<[u8]>, std::ops::Range<usize>)> {
    let mut records = Vec::new();
    for (path, bytes) in disk.all_bytes_ever_written() {
        if path.extension().is_none_or(|extension| extension != "slot") {
            continue;
        }
        let mut at = 0;
        while let Some(found) = bytes[at..].windows(5).position(|window| window == b"VGRL\x01") {
            at += found;
            if let Ok(header) = RecordHeader::from_bytes(&bytes[at..]) {
                let end = (at + header.record_bytes() as usize).min(bytes.len());
                records.push((header, bytes.clone(), at + 64..end));
            }
            at += 5;
        }
    }
    records
}
