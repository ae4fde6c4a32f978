//! The walk over a reel's records: what is sound, up to where, with which root. Needs no key (R5).

use super::{Footer, IndexEntry, RecoveryFooter, ReelHeader, Running, SyncPoint};
use crate::{
    Digest, Kind, RecordHeader, Result, SealError,
    record::{self, NO_STREAM},
    root::{self, Root, StreamDigests},
    sign::PublicKey,
};
use domain::{ReelId, limit::BLOCK_BYTES};
use std::collections::BTreeMap;

/// How a reel stands, as far as it is sound.
#[derive(Clone, Debug)]
pub struct Sound {
    /// First byte after the last valid sync record and its padding: what a recovery keeps.
    pub cut: u64,
    /// State of the digest chain at `cut`.
    pub records: u32,
    pub running: Digest,
    pub root: Root,
    /// Streams before `cut`.
    pub streams: u16,
    /// Key records, chunks, extents and gaps before `cut`.
    pub index: Vec<IndexEntry>,
}

/// The state at a sync record, small enough to remember each second.
#[derive(Clone)]
struct Mark {
    point: SyncPoint,
    index_entries: usize,
    /// Handle, and how many chunks, extents and gaps it had.
    streams: Vec<(u16, [usize; 3])>,
}

/// Fed with a reel's records in order; remembers the last point that is signed.
pub struct Walk {
    reel: ReelId,
    site_key: PublicKey,
    header: Option<(ReelHeader, Digest)>,
    running: Running,
    streams: BTreeMap<u16, StreamDigests>,
    index: Vec<IndexEntry>,
    /// Offset and bytes of the index record, if it was the last one.
    index_record: Option<(u64, u32)>,
    offset: u64,
    mark: Option<Mark>,
    /// The closed end, once met.
    pub footer: Option<Footer>,
    pub recovery: Option<RecoveryFooter>,
}

impl Walk {
    pub fn new(reel: ReelId, site_key: PublicKey) -> Walk {
        Walk {
            reel,
            site_key,
            header: None,
            running: Running::default(),
            streams: BTreeMap::new(),
            index: Vec::new(),
            index_record: None,
            offset: 0,
            mark: None,
            footer: None,
            recovery: None,
        }
    }

    /// Where the next record must begin.
    pub const fn offset(&self) -> u64 {
        self.offset
    }
    pub fn header(&self) -> Option<&ReelHeader> {
        self.header.as_ref().map(|(header, _)| header)
    }
    /// Streams met so far.
    pub fn streams(&self) -> u16 {
        self.streams.len() as u16
    }
    /// Offset and bytes of the index record that stands right before the footer.
    pub fn index_record(&self) -> Option<(u64, u32)> {
        self.index_record.filter(|_| self.footer.is_some())
    }
    /// What is signed so far; `None` where no sync record was met.
    pub fn sound(&self) -> Option<Sound> {
        let mark = self.mark.as_ref()?;
        let streams: Vec<(u16, StreamDigests)> =
            mark.streams.iter().map(|(handle, len)| self.first(*handle, len)).collect();
        Some(Sound {
            cut: mark.point.offset,
            records: mark.point.records,
            running: mark.point.running,
            root: root::reel_root(&self.header_digest(), streams.iter().map(|(handle, stream)| (*handle, stream))),
            streams: streams.len() as u16,
            index: self.index[..mark.index_entries].to_vec(),
        })
    }
    /// Digests of all that was met, by handle, and the header's before them: for a closed reel, what its root stands over.
    pub fn digests(&self) -> (Digest, &BTreeMap<u16, StreamDigests>) {
        (self.header_digest(), &self.streams)
    }
    pub const fn closed(&self) -> bool {
        self.footer.is_some() || self.recovery.is_some()
    }

    /// The next record. An error ends the walk: what follows is not part of the reel.
    pub fn push(&mut self, header_bytes: &[u8; 64], payload: &[u8]) -> Result<()> {
        let header = RecordHeader::from_bytes(header_bytes)?;
        if header.reel != self.reel {
            return Err(SealError::OtherReel);
        }
        if header.payload_bytes as usize != payload.len() || self.closed() {
            return Err(SealError::Malformed { what: "record", field: "length" });
        }
        if !is_canonical(&header) {
            return Err(SealError::Malformed { what: "record", field: "header" });
        }
        let digest = record::digest(header_bytes, payload);
        match header.kind {
            Kind::Header => self.begin(payload, digest)?,
            _ if self.header.is_none() => return Err(SealError::Mismatch { what: "first record" }),
            Kind::Sync => return self.sync(&header, payload, &digest),
            Kind::Footer => self.footer(payload)?,
            Kind::RecoveryFooter => self.recovered(payload)?,
            Kind::Key | Kind::Chunk | Kind::Extent | Kind::Gap => self.footage(&header, digest)?,
            Kind::Index => self.index_record = Some((self.offset, header.record_bytes() as u32)),
            Kind::Pad | Kind::Digests | Kind::Unknown(_) => {}
        }
        if !matches!(header.kind, Kind::Index | Kind::Footer) {
            self.index_record = None;
        }
        self.advance(&header, &digest);
        Ok(())
    }

    fn begin(&mut self, payload: &[u8], digest: Digest) -> Result<()> {
        if self.header.is_some() {
            return Err(SealError::Mismatch { what: "second reel header" });
        }
        self.header = Some((ReelHeader::from_payload(self.reel, payload, &self.site_key)?, digest));
        Ok(())
    }

    fn footage(&mut self, header: &RecordHeader, digest: Digest) -> Result<()> {
        let malformed = |field| SealError::Malformed { what: "record", field };
        if header.handle == NO_STREAM {
            return Err(malformed("handle"));
        }
        if header.kind == Kind::Key {
            if header.number != 0 || self.streams.contains_key(&header.handle) {
                return Err(malformed("number"));
            }
            let stream = StreamDigests { key_record: digest, ..StreamDigests::default() };
            self.streams.insert(header.handle, stream);
        } else {
            // K6: a stream's key record comes first
            let stream = self.streams.get_mut(&header.handle).ok_or(malformed("handle"))?;
            let list = match header.kind {
                Kind::Chunk => &mut stream.chunks,
                Kind::Extent => &mut stream.extents,
                _ => &mut stream.gaps,
            };
            if header.number as usize != list.len() {
                return Err(malformed("number"));
            }
            list.push(digest);
        }
        self.index.push(IndexEntry {
            kind: header.kind.code(),
            handle: header.handle,
            number: header.number,
            bytes: header.record_bytes() as u32,
            offset: self.offset,
        });
        Ok(())
    }

    fn sync(&mut self, header: &RecordHeader, payload: &[u8], digest: &Digest) -> Result<()> {
        let reel_key = self.reel_key()?;
        if SyncPoint::from_payload(header, payload, &reel_key)? != self.point() {
            return Err(SealError::Mismatch { what: "sync record" });
        }
        self.index_record = None;
        self.advance(header, digest);
        self.mark();
        Ok(())
    }

    fn footer(&mut self, payload: &[u8]) -> Result<()> {
        let footer = Footer::from_payload(self.reel, payload, &self.reel_key()?)?;
        let index = self.index_record.is_some_and(|(offset, _)| offset == footer.index_offset);
        if !index || footer.point != self.point() || footer.root != self.root() {
            return Err(SealError::Mismatch { what: "footer" });
        }
        self.footer = Some(footer);
        Ok(())
    }

    fn recovered(&mut self, payload: &[u8]) -> Result<()> {
        let footer = RecoveryFooter::from_payload(self.reel, payload, &self.site_key)?;
        // it stands right behind a sync record, nowhere else
        let at_mark = self.mark.as_ref().is_some_and(|mark| mark.point == footer.point);
        if !at_mark || footer.point != self.point() || footer.root != self.root() {
            return Err(SealError::Mismatch { what: "recovery footer" });
        }
        self.recovery = Some(footer);
        Ok(())
    }

    fn advance(&mut self, header: &RecordHeader, digest: &Digest) {
        self.running.push(digest);
        self.offset += header.record_bytes();
    }

    /// Remembers the present state as signed; what follows begins at the next block (R3).
    fn mark(&mut self) {
        self.offset = self.offset.next_multiple_of(BLOCK_BYTES as u64);
        let lengths = |stream: &StreamDigests| [stream.chunks.len(), stream.extents.len(), stream.gaps.len()];
        self.mark = Some(Mark {
            point: self.point(),
            index_entries: self.index.len(),
            streams: self.streams.iter().map(|(handle, stream)| (*handle, lengths(stream))).collect(),
        });
    }

    /// A stream's digests as they were when its lists had these lengths.
    fn first(&self, handle: u16, [chunks, extents, gaps]: &[usize; 3]) -> (u16, StreamDigests) {
        let stream = &self.streams[&handle];
        let first = StreamDigests {
            key_record: stream.key_record,
            chunks: stream.chunks[..*chunks].to_vec(),
            extents: stream.extents[..*extents].to_vec(),
            gaps: stream.gaps[..*gaps].to_vec(),
        };
        (handle, first)
    }

    fn point(&self) -> SyncPoint {
        self.running.point(self.offset)
    }

    fn root(&self) -> Root {
        root::reel_root(&self.header_digest(), self.streams.iter().map(|(handle, stream)| (*handle, stream)))
    }

    fn header_digest(&self) -> Digest {
        self.header.as_ref().map_or([0; 32], |(_, digest)| *digest)
    }

    fn reel_key(&self) -> Result<PublicKey> {
        self.header().map(|header| header.reel_key).ok_or(SealError::Mismatch { what: "first record" })
    }
}

/// Signed records have one form: what their signature does not cover is fixed.
fn is_canonical(header: &RecordHeader) -> bool {
    let in_clear = header.handle == NO_STREAM && header.commitment == [0; 32];
    match header.kind {
        Kind::Header | Kind::Footer | Kind::RecoveryFooter => in_clear && header.number == 0,
        Kind::Sync => in_clear,
        _ => true,
    }
}
