//! Reels: the signed header, sync records, index and footers, and the walk that tells what of a reel is sound (R3 to R6).

mod index;
mod walk;

pub use index::IndexEntry;
pub use walk::{Sound, Walk};

use crate::{
    Digest, Kind, RecordHeader, Result, SealError,
    record::{self, Fields, NO_STREAM},
    root::Root,
    sign::{self, PublicKey, Purpose, RunCertificate, Signature, SigningKey},
};
use domain::{Hour, ReelId, RunId, SiteId, UtcMicros};

/// What a reel's first record says in clear (R7): no camera, no exact time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReelHeader {
    pub reel: ReelId,
    pub hour: Hour,
    pub deadline: UtcMicros,
    /// Signs sync records and the footer.
    pub reel_key: PublicKey,
    /// Signs this header; certified by the site key.
    pub certificate: RunCertificate,
}

/// A point up to which everything is durable and signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncPoint {
    /// Offset of the sync record in the reel, bytes.
    pub offset: u64,
    /// Records before it.
    pub records: u32,
    /// BLAKE3 of the digests of all records before it.
    pub running: Digest,
}

/// The end of a reel that was closed in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Footer {
    pub point: SyncPoint,
    /// Offset of the index record.
    pub index_offset: u64,
    pub root: Root,
}

/// The end of a reel whose recorder died: written by the next run (R5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecoveryFooter {
    /// Where this record stands: the block after the last valid sync record.
    pub point: SyncPoint,
    pub root: Root,
    /// The run that recovered.
    pub certificate: RunCertificate,
}

/// A whole record: header and payload.
pub fn record(kind: Kind, handle: u16, number: u32, reel: ReelId, payload: &[u8]) -> Vec<u8> {
    let header = RecordHeader { kind, handle, payload_bytes: payload.len() as u32, number, reel, commitment: [0; 32] };
    [&header.to_bytes()[..], payload].concat()
}

impl ReelHeader {
    /// The whole header record, signed by the run's key.
    pub fn to_record(&self, run_key: &SigningKey) -> Vec<u8> {
        let mut payload = self.unsigned();
        let signature = run_key.sign(Purpose::ReelHeader, &[&self.reel.0[..], &payload].concat());
        payload.extend_from_slice(&signature);
        record(Kind::Header, NO_STREAM, 0, self.reel, &payload)
    }

    /// Reads and verifies the payload of a header record of `reel`. Errors: as read, `BadSignature`.
    pub fn from_payload(reel: ReelId, payload: &[u8], site_key: &PublicKey) -> Result<ReelHeader> {
        let mut fields = Fields::new("reel header", payload);
        let site = SiteId(fields.array()?);
        let run = RunId(fields.array()?);
        let hour = Hour::from_bytes(&fields.array()?).ok_or(fields.malformed("hour"))?;
        let deadline = UtcMicros(fields.i64()?);
        let reel_key = fields.array()?;
        let certificate = RunCertificate { site, run, run_key: fields.array()?, signature: fields.array()? };
        let signature: Signature = fields.array()?;
        fields.end()?;
        let header = ReelHeader { reel, hour, deadline, reel_key, certificate };
        certificate.verify(site_key)?;
        let message = [&reel.0[..], &header.unsigned()].concat();
        sign::verify(&certificate.run_key, Purpose::ReelHeader, &message, &signature)?;
        Ok(header)
    }

    /// The hour that the payload of a header record claims, not verified: enough to refuse, never to open.
    pub fn claimed_hour(payload: &[u8]) -> Result<Hour> {
        let mut fields = Fields::new("reel header", payload);
        let (_site, _run): ([u8; 16], [u8; 16]) = (fields.array()?, fields.array()?);
        Hour::from_bytes(&fields.array()?).ok_or(fields.malformed("hour"))
    }

    fn unsigned(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(256);
        payload.extend_from_slice(&self.certificate.site.0);
        payload.extend_from_slice(&self.certificate.run.0);
        payload.extend_from_slice(&self.hour.to_bytes());
        payload.extend_from_slice(&self.deadline.0.to_le_bytes());
        payload.extend_from_slice(&self.reel_key);
        payload.extend_from_slice(&self.certificate.run_key);
        payload.extend_from_slice(&self.certificate.signature);
        payload
    }
}

impl SyncPoint {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(44);
        bytes.extend_from_slice(&self.offset.to_le_bytes());
        bytes.extend_from_slice(&self.records.to_le_bytes());
        bytes.extend_from_slice(&self.running);
        bytes
    }

    fn read(fields: &mut Fields<'_>) -> Result<SyncPoint> {
        Ok(SyncPoint { offset: fields.u64()?, records: fields.u32()?, running: fields.array()? })
    }

    /// The whole sync record, signed by the reel's key.
    pub fn to_record(self, reel: ReelId, number: u32, reel_key: &SigningKey) -> Vec<u8> {
        let mut payload = self.to_bytes();
        let signature = reel_key.sign(Purpose::Sync, &[&reel.0[..], &number.to_le_bytes(), &payload].concat());
        payload.extend_from_slice(&signature);
        record(Kind::Sync, NO_STREAM, number, reel, &payload)
    }

    /// Reads and verifies the payload of a sync record.
    pub fn from_payload(header: &RecordHeader, payload: &[u8], reel_key: &PublicKey) -> Result<SyncPoint> {
        let mut fields = Fields::new("sync record", payload);
        let point = SyncPoint::read(&mut fields)?;
        let message = [&header.reel.0[..], &header.number.to_le_bytes(), &point.to_bytes()].concat();
        sign::verify(reel_key, Purpose::Sync, &message, &fields.array()?)?;
        fields.end()?;
        Ok(point)
    }
}

impl Footer {
    pub fn to_record(self, reel: ReelId, reel_key: &SigningKey) -> Vec<u8> {
        let mut payload = self.unsigned();
        let signature = reel_key.sign(Purpose::Footer, &[&reel.0[..], &payload].concat());
        payload.extend_from_slice(&signature);
        record(Kind::Footer, NO_STREAM, 0, reel, &payload)
    }

    pub fn from_payload(reel: ReelId, payload: &[u8], reel_key: &PublicKey) -> Result<Footer> {
        let mut fields = Fields::new("footer", payload);
        let footer =
            Footer { point: SyncPoint::read(&mut fields)?, index_offset: fields.u64()?, root: fields.array()? };
        let message = [&reel.0[..], &footer.unsigned()].concat();
        sign::verify(reel_key, Purpose::Footer, &message, &fields.array()?)?;
        fields.end()?;
        Ok(footer)
    }

    fn unsigned(&self) -> Vec<u8> {
        let mut payload = self.point.to_bytes();
        payload.extend_from_slice(&self.index_offset.to_le_bytes());
        payload.extend_from_slice(&self.root);
        payload
    }
}

impl RecoveryFooter {
    /// The whole record, signed by the key of the run that recovers; its certificate is inside.
    pub fn to_record(self, reel: ReelId, run_key: &SigningKey) -> Vec<u8> {
        let mut payload = self.unsigned();
        let signature = run_key.sign(Purpose::RecoveryFooter, &[&reel.0[..], &payload].concat());
        payload.extend_from_slice(&signature);
        record(Kind::RecoveryFooter, NO_STREAM, 0, reel, &payload)
    }

    pub fn from_payload(reel: ReelId, payload: &[u8], site_key: &PublicKey) -> Result<RecoveryFooter> {
        let mut fields = Fields::new("recovery footer", payload);
        let point = SyncPoint::read(&mut fields)?;
        let root = fields.array()?;
        let (site, run) = (SiteId(fields.array()?), RunId(fields.array()?));
        let certificate = RunCertificate { site, run, run_key: fields.array()?, signature: fields.array()? };
        let footer = RecoveryFooter { point, root, certificate };
        certificate.verify(site_key)?;
        let message = [&reel.0[..], &footer.unsigned()].concat();
        sign::verify(&certificate.run_key, Purpose::RecoveryFooter, &message, &fields.array()?)?;
        fields.end()?;
        Ok(footer)
    }

    fn unsigned(&self) -> Vec<u8> {
        let mut payload = self.point.to_bytes();
        payload.extend_from_slice(&self.root);
        payload.extend_from_slice(&self.certificate.site.0);
        payload.extend_from_slice(&self.certificate.run.0);
        payload.extend_from_slice(&self.certificate.run_key);
        payload.extend_from_slice(&self.certificate.signature);
        payload
    }
}

/// Padding that fills a reel of `length` bytes to the next block: a pad record where one fits, else zeros. It follows a
/// sync record or a footer and is no part of the digest chain: after a power cut its bytes may be anything.
pub fn pad(reel: ReelId, length: u64) -> Vec<u8> {
    use domain::limit::{BLOCK_BYTES, RECORD_HEADER_BYTES};
    let fill = (length.next_multiple_of(BLOCK_BYTES as u64) - length) as usize;
    match fill.checked_sub(RECORD_HEADER_BYTES) {
        Some(zeros) => record(Kind::Pad, NO_STREAM, 0, reel, &vec![0; zeros]),
        None => vec![0; fill],
    }
}

/// The digest chain of a reel, as its records are appended.
#[derive(Clone, Default)]
pub struct Running {
    hasher: blake3::Hasher,
    records: u32,
}

impl Running {
    pub fn push(&mut self, digest: &Digest) {
        self.hasher.update(digest);
        self.records += 1;
    }
    /// The state before a record at `offset`.
    pub fn point(&self, offset: u64) -> SyncPoint {
        SyncPoint { offset, records: self.records, running: *self.hasher.finalize().as_bytes() }
    }
    /// Digests a whole record and appends it.
    pub fn push_record(&mut self, record: &[u8]) -> Result<Digest> {
        let (header, payload) = record
            .split_first_chunk::<{ domain::limit::RECORD_HEADER_BYTES }>()
            .ok_or(SealError::Short { what: "record", have: record.len(), want: 64 })?;
        let digest = record::digest(header, payload);
        self.push(&digest);
        Ok(digest)
    }
}
