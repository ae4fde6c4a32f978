//! One open reel: its key, its streams, the chunks that wait, and the batch a sync writes (R3 to R6).

use crate::{
    keeper::{Minted, ReelFact},
    store::{Batch, Family, LocalStore, Location, StoreError},
};
use catalog::{CatalogError, Footage, NewReel, StreamRow};
use domain::{
    Hour, Random, ReelId, Secret32, StreamId, UtcMicros,
    limit::{BLOCK_BYTES, RECORD_HEADER_BYTES, RECORD_PAYLOAD_BYTES_MAX},
};
use media::Chunk;
use seal::{
    Digest, Extent, GapLine, GroupStart, KeyRecord, Kind, RecordHeader,
    extent::{EXTENT_BYTES, KeyDigest, key_digest, keys_digest},
    gap::GAP_BYTES,
    key::TAG_BYTES,
    record::{NO_STREAM, digest},
    reel::{Footer, IndexEntry, ReelHeader, Running, pad, record},
    root::{StreamDigests, digests_payload, reel_root},
    sign::{RunCertificate, SigningKey},
};
use std::collections::BTreeMap;
use zeroize::Zeroize;

/// Half of what an index record can hold: a batch between two looks is far smaller than the other half.
const INDEX_ENTRIES_MAX: usize = RECORD_PAYLOAD_BYTES_MAX / IndexEntry::BYTES / 2;

/// A reel being written.
pub struct OpenReel {
    header: ReelHeader,
    key: SigningKey,
    opened_at: UtcMicros,
    streams: BTreeMap<StreamId, OpenStream>,
    running: Running,
    header_digest: [u8; 32],
    index: Vec<IndexEntry>,
    /// Entries of `index` that are durable.
    index_durable: usize,
    /// Buffers of chunks that were sealed, wiped.
    emptied: Vec<Vec<u8>>,
    /// Bytes of the reel so far.
    bytes: u64,
    syncs: u32,
    location: Location,
    /// As it was before the first byte.
    start: Location,
    /// As it was at the last sync that succeeded.
    durable: Location,
    /// Whether the catalog took the reel's row.
    entered: bool,
    ending: bool,
    root: [u8; 32],
}

struct OpenStream {
    handle: u16,
    key: Minted,
    key_written: bool,
    chunks: u32,
    /// Bytes of its chunk records.
    bytes: u64,
    waiting: Vec<(u32, Chunk, GroupStart)>,
    waiting_gaps: Vec<GapLine>,
    digests: StreamDigests,
    row: Option<StreamRow>,
    /// `row` as it was at the last sync that succeeded.
    row_durable: Option<StreamRow>,
}

/// What replay needs of an open reel: its durable part (R10).
#[derive(Clone, Debug)]
pub struct OpenView {
    pub reel: ReelId,
    pub hour: Hour,
    pub handle: u16,
    pub location: Location,
    pub entries: Vec<IndexEntry>,
    pub first_utc: UtcMicros,
    pub last_utc: UtcMicros,
}

impl OpenReel {
    pub fn new(
        reel: ReelId,
        hour: Hour,
        deadline: UtcMicros,
        certificate: RunCertificate,
        start: Location,
        now: UtcMicros,
        random: &dyn Random,
    ) -> OpenReel {
        let key = SigningKey::from_seed(&Secret32::draw(random));
        OpenReel {
            header: ReelHeader { reel, hour, deadline, reel_key: key.public(), certificate },
            key,
            opened_at: now,
            streams: BTreeMap::new(),
            running: Running::default(),
            header_digest: [0; 32],
            index: Vec::new(),
            index_durable: 0,
            emptied: Vec::new(),
            bytes: 0,
            syncs: 0,
            location: start.clone(),
            durable: start.clone(),
            start,
            entered: false,
            ending: false,
            root: [0; 32],
        }
    }

    /// The streams that it holds something of.
    pub fn ids(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.streams.keys().copied()
    }
    pub fn id(&self) -> ReelId {
        self.header.reel
    }
    pub fn hour(&self) -> Hour {
        self.header.hour
    }
    pub fn opened_at(&self) -> UtcMicros {
        self.opened_at
    }
    pub fn location(&self) -> &Location {
        &self.location
    }
    /// The part that a successful sync acknowledged.
    pub fn durable_location(&self) -> &Location {
        &self.durable
    }
    pub fn end_at_next_sync(&mut self) {
        self.ending = true;
    }
    /// Asked for, or its index nears the largest record.
    pub fn must_end(&self) -> bool {
        self.ending || self.index.len() >= INDEX_ENTRIES_MAX
    }
    /// Whether any of the stream was given to this reel.
    pub fn holds(&self, stream: StreamId) -> bool {
        self.streams.contains_key(&stream)
    }
    pub fn waiting_bytes(&self) -> usize {
        self.streams.values().flat_map(|stream| &stream.waiting).map(|(_, chunk, _)| chunk.data.len()).sum()
    }

    /// Enters the reel in the catalog, unless that was done.
    pub fn enter(&mut self, footage: &Footage) -> Result<(), CatalogError> {
        if !self.entered {
            footage.reel_opened(&self.row())?;
            self.entered = true;
        }
        Ok(())
    }

    /// The catalog's row at the reel's start.
    pub fn row(&self) -> NewReel {
        NewReel {
            reel: self.id(),
            run: self.header.certificate.run,
            hour: self.hour(),
            deadline: self.header.deadline,
            location: self.start.to_bytes(),
            opened_at: self.opened_at,
        }
    }

    /// The number of the next chunk of a stream; its first chunk makes it part of the reel.
    pub fn next_chunk(&mut self, key: &Minted) -> u32 {
        let stream = self.stream(key);
        stream.chunks += 1;
        stream.chunks - 1
    }

    /// Takes a line about a gap of the key's stream (R12).
    pub fn push_gap(&mut self, key: &Minted, line: GapLine) {
        self.stream(key).waiting_gaps.push(line);
    }

    fn stream(&mut self, key: &Minted) -> &mut OpenStream {
        let handle = self.streams.len() as u16;
        self.streams.entry(key.stream).or_insert_with(|| OpenStream {
            handle,
            key: key.clone(),
            key_written: false,
            chunks: 0,
            bytes: 0,
            waiting: Vec::new(),
            waiting_gaps: Vec::new(),
            digests: StreamDigests::default(),
            row: None,
            row_durable: None,
        })
    }

    pub fn push(&mut self, number: u32, chunk: Chunk, group: GroupStart) {
        let stream = self.streams.get_mut(&chunk.stream).expect("its number was given by this reel");
        stream.waiting.push((number, chunk, group));
    }

    /// Assembles a batch of everything that waits and hands it to the store; not durable yet. `ending`: the reel's last.
    pub fn write(
        &mut self,
        store: &LocalStore,
        batch: &mut Batch,
        run_key: &SigningKey,
        ending: bool,
    ) -> Result<(), StoreError> {
        let idle = self.streams.values().all(|stream| stream.waiting.is_empty() && stream.waiting_gaps.is_empty());
        if idle && !ending {
            return Ok(());
        }
        batch.clear(self.batch_bytes());
        if self.bytes == 0 {
            let record = self.header.to_record(run_key);
            self.header_digest = self.append(batch, &record);
        }
        self.write_chunks(batch);
        if ending {
            self.write_end(batch)
        } else {
            self.write_sync(batch)
        }
        let family = Family { run: self.header.certificate.run, hour: self.hour(), deadline: self.header.deadline };
        store.append(family, self.header.reel, &mut self.location, batch.as_slice())
    }

    /// Whether something was handed to the store that is not durable yet.
    pub fn is_unsynced(&self) -> bool {
        self.location.bytes() != self.durable.bytes()
    }

    /// After the store's sync: what was written counts, and the catalog knows where it is.
    pub fn durable(&mut self, footage: &Footage) -> Result<(), CatalogError> {
        if !self.is_unsynced() {
            return Ok(());
        }
        self.index_durable = self.index.len();
        self.durable = self.location.clone();
        self.streams.values_mut().for_each(|stream| stream.row_durable = stream.row);
        self.enter(footage)?;
        let rows: Vec<StreamRow> = self.streams.iter().map(|(id, stream)| self.row_of(*id, stream)).collect();
        footage.reel_streams(&rows)
    }

    /// A stream of which the reel holds gaps only has a row without frames: the reel lives as long as its key does.
    fn row_of(&self, id: StreamId, stream: &OpenStream) -> StreamRow {
        stream.row.unwrap_or(StreamRow {
            reel: self.id(),
            handle: stream.handle,
            stream: id,
            first_utc: self.hour().start(),
            last_utc: self.hour().start(),
            frames: 0,
            chunks: 0,
            bytes: stream.bytes,
        })
    }

    /// What the ledger learns of a closed reel.
    pub fn closed(&self) -> ReelFact {
        ReelFact {
            reel: self.id(),
            run: self.header.certificate.run,
            hour: self.hour(),
            deadline: self.header.deadline,
            root: self.root,
            bytes: self.bytes,
            streams: self.streams.len() as u16,
        }
    }

    /// What is durable of each of its streams.
    pub fn views(&self) -> BTreeMap<StreamId, OpenView> {
        self.ids().filter_map(|id| Some((id, self.view(id)?))).collect()
    }

    pub fn view(&self, id: StreamId) -> Option<OpenView> {
        let stream = self.streams.get(&id)?;
        let row = stream.row_durable.as_ref()?;
        let durable = &self.index[..self.index_durable];
        Some(OpenView {
            reel: self.id(),
            hour: self.hour(),
            handle: stream.handle,
            location: self.durable.clone(),
            entries: durable.iter().filter(|entry| entry.handle == stream.handle).copied().collect(),
            first_utc: row.first_utc,
            last_utc: row.last_utc,
        })
    }

    /// The key records of streams that are new (K6), then stream by stream (R11) their chunks, then the extents, then what
    /// is said of gaps (R12).
    fn write_chunks(&mut self, batch: &mut Batch) {
        let streams: Vec<StreamId> = self.streams.keys().copied().collect();
        for id in &streams {
            if !self.streams[id].key_written {
                self.write_key(batch, *id);
            }
        }
        let mut extents = Vec::new();
        for id in streams {
            let waiting = std::mem::take(&mut self.streams.get_mut(&id).expect("a key of the map").waiting);
            let extent = extent_of(id, &waiting);
            let mut keys = Vec::with_capacity(waiting.len());
            for (number, mut chunk, _) in waiting {
                let plain_bytes = media::chunk::plain_bytes(&chunk);
                let write = |out: &mut Vec<u8>| media::chunk::write(&chunk, out);
                keys.push(self.seal(batch, id, Kind::Chunk, number, plain_bytes, write));
                self.keep_emptied(&mut chunk);
            }
            extents.extend(extent.map(|extent| Extent { keys: Some(keys_digest(&keys)), ..extent }));
        }
        for extent in extents {
            let number = self.streams[&extent.stream].digests.extents.len() as u32;
            let plain = extent.to_bytes();
            self.seal(batch, extent.stream, Kind::Extent, number, EXTENT_BYTES, |out| out.extend_from_slice(&plain));
            self.account(&extent);
        }
        self.write_gaps(batch);
    }

    /// Wipes what a buffer held (K11): all of it, and not the room behind, whose pages may never have been touched.
    fn keep_emptied(&mut self, chunk: &mut Chunk) {
        let mut data = std::mem::take(&mut chunk.data);
        data.as_mut_slice().zeroize();
        data.clear();
        self.emptied.push(data);
    }

    /// Buffers of the chunks that were sealed since the last call.
    pub fn take_emptied(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.emptied)
    }

    fn write_gaps(&mut self, batch: &mut Batch) {
        let waiting = self.streams.iter_mut().map(|(id, stream)| (*id, std::mem::take(&mut stream.waiting_gaps)));
        let waiting: Vec<(StreamId, Vec<GapLine>)> = waiting.collect();
        for (id, line) in waiting.iter().flat_map(|(id, lines)| lines.iter().map(|line| (*id, line))) {
            let number = self.streams[&id].digests.gaps.len() as u32;
            let plain = line.to_bytes();
            self.seal(batch, id, Kind::Gap, number, GAP_BYTES, |out| out.extend_from_slice(&plain));
        }
    }

    fn write_key(&mut self, batch: &mut Batch, id: StreamId) {
        let stream = self.streams.get_mut(&id).expect("a key of the map");
        stream.key_written = true;
        let lookup_tag = stream.key.lookup.tag(self.header.reel, id);
        let payload = KeyRecord { lookup_tag, wrapped: stream.key.wrapped.clone() }.to_bytes();
        let handle = stream.handle;
        let record = record(Kind::Key, handle, 0, self.header.reel, &payload);
        self.enlist(Kind::Key, handle, 0, record.len());
        let digest = self.append(batch, &record);
        self.streams.get_mut(&id).expect("a key of the map").digests.key_record = digest;
    }

    /// Writes a plaintext into the batch and seals it there: the only copy (R4). Returns its key's digest.
    fn seal(
        &mut self,
        batch: &mut Batch,
        id: StreamId,
        kind: Kind,
        number: u32,
        plain_bytes: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> KeyDigest {
        let stream = self.streams.get_mut(&id).expect("a key of the map");
        let handle = stream.handle;
        let key = stream.key.data_key.record_key(self.header.reel, kind, handle, number);
        let header = RecordHeader {
            kind,
            handle,
            payload_bytes: (plain_bytes + TAG_BYTES) as u32,
            number,
            reel: self.header.reel,
            commitment: key.commitment,
        };
        let header_bytes = header.to_bytes();
        let out = batch.bytes();
        out.extend_from_slice(&header_bytes);
        let start = out.len();
        write(out);
        let tag = key.seal(&header, &mut out[start..]);
        out.extend_from_slice(&tag);
        let digest = digest(&header_bytes, &out[start..]);
        match kind {
            Kind::Chunk => {
                stream.digests.chunks.push(digest);
                stream.bytes += header.record_bytes();
            }
            Kind::Extent => stream.digests.extents.push(digest),
            _ => stream.digests.gaps.push(digest),
        }
        self.running.push(&digest);
        self.enlist(kind, handle, number, header.record_bytes() as usize);
        self.bytes += header.record_bytes();
        key_digest(&key)
    }

    fn write_sync(&mut self, batch: &mut Batch) {
        let record = self.running.point(self.bytes).to_record(self.header.reel, self.syncs, &self.key);
        self.syncs += 1;
        self.append(batch, &record);
        self.write_pad(batch);
    }

    fn write_end(&mut self, batch: &mut Batch) {
        let digests = self.streams.values().map(|stream| (stream.handle, &stream.digests));
        let by_handle: BTreeMap<u16, &StreamDigests> = digests.collect();
        self.root = reel_root(&self.header_digest, by_handle.iter().map(|(handle, digests)| (*handle, *digests)));
        let digests = digests_payload(&self.header_digest, by_handle);
        // a reel of more streams than that is read whole where digests are wanted
        if digests.len() <= RECORD_PAYLOAD_BYTES_MAX {
            let digests = record(Kind::Digests, NO_STREAM, 0, self.header.reel, &digests);
            self.enlist(Kind::Digests, NO_STREAM, 0, digests.len());
            self.append(batch, &digests);
        }
        let payload = IndexEntry::to_payload(&self.index);
        let index_offset = self.bytes;
        let index = record(Kind::Index, NO_STREAM, 0, self.header.reel, &payload);
        self.append(batch, &index);
        let footer = Footer { point: self.running.point(self.bytes), index_offset, root: self.root };
        self.append(batch, &footer.to_record(self.header.reel, &self.key));
        self.write_pad(batch);
        self.location.index = Some((index_offset, index.len() as u32));
    }

    fn write_pad(&mut self, batch: &mut Batch) {
        let padding = pad(self.header.reel, self.bytes);
        self.bytes += padding.len() as u64;
        batch.bytes().extend_from_slice(&padding);
    }

    /// Appends a record in clear.
    fn append(&mut self, batch: &mut Batch, record: &[u8]) -> [u8; 32] {
        self.bytes += record.len() as u64;
        batch.bytes().extend_from_slice(record);
        self.running.push_record(record).expect("a record made here has a header")
    }

    fn enlist(&mut self, kind: Kind, handle: u16, number: u32, bytes: usize) {
        self.index.push(IndexEntry { kind: kind.code(), handle, number, bytes: bytes as u32, offset: self.bytes });
    }

    fn account(&mut self, extent: &Extent) {
        let chunks = extent.last_chunk - extent.first_chunk + 1;
        let reel = self.header.reel;
        let stream = self.streams.get_mut(&extent.stream).expect("a key of the map");
        let row = stream.row.get_or_insert(StreamRow {
            reel,
            handle: stream.handle,
            stream: extent.stream,
            first_utc: extent.first_utc,
            last_utc: extent.last_utc,
            frames: 0,
            chunks: 0,
            bytes: 0,
        });
        row.first_utc = row.first_utc.min(extent.first_utc);
        row.last_utc = row.last_utc.max(extent.last_utc);
        row.frames += u64::from(extent.frames);
        row.chunks += u64::from(chunks);
        row.bytes = stream.bytes;
    }

    /// Room for the batch, so that assembling it moves nothing.
    fn batch_bytes(&self) -> usize {
        let per_record = RECORD_HEADER_BYTES + TAG_BYTES;
        let waiting = self.streams.values().flat_map(|stream| &stream.waiting);
        let entry = IndexEntry::BYTES;
        let chunks: usize = waiting.map(|(_, chunk, _)| media::chunk::plain_bytes(chunk) + per_record + entry).sum();
        let gaps: usize = self.streams.values().map(|stream| stream.waiting_gaps.len()).sum();
        let gaps = gaps * (GAP_BYTES + per_record + entry);
        // each record's digest stands in the digests record, at the end
        let records = chunks + gaps + self.streams.len() * (512 + 2 * entry);
        records + self.index.len() * (entry + size_of::<Digest>()) + 4 * BLOCK_BYTES
    }
}

fn extent_of(stream: StreamId, waiting: &[(u32, Chunk, GroupStart)]) -> Option<Extent> {
    let (first_chunk, _, group_start) = waiting.first()?;
    let (last_chunk, _, _) = waiting.last()?;
    // a camera's clock may have jumped within the batch (R9)
    let earliest = waiting.iter().map(|(_, chunk, _)| chunk.first_utc).min()?;
    let latest = waiting.iter().map(|(_, chunk, _)| chunk.last_utc).max()?;
    Some(Extent {
        stream,
        first_chunk: *first_chunk,
        last_chunk: *last_chunk,
        first_utc: earliest,
        last_utc: latest.max(earliest),
        frames: waiting.iter().map(|(_, chunk, _)| chunk.frames.len() as u32).sum(),
        group_start: *group_start,
        keys: None,
    })
}
