//! One slot file of the root record: clear header, sealed body, BLAKE3 over both.

use super::sealing::{self, Kdf, KdfCost, NONCE_BYTES, SALT_BYTES, TAG_BYTES};
use super::{
    codec::{Reader, Writer},
    root::Root,
    seal::RootKey,
};
use crate::{KeyringError, Result, pkcs11::ObjectId};
use domain::{Secret32, SiteId};

const MAGIC: &[u8; 8] = b"VIGIEKRT";
/// Under the passphrase alone.
const VERSION_BARE: u16 = 1;
/// Under the passphrase and an object of a token, whose id ends the header.
const VERSION_TOKEN: u16 = 2;
const HEADER_BYTES: usize = 96;
const TOKEN_HEADER_BYTES: usize = HEADER_BYTES + 32;
const OBJECT_ID_BYTES: usize = 24;
/// Where the last field of the common header ends; zeros follow.
const NONCE_END: usize = 84;
const DIGEST_BYTES: usize = 32;
/// Records are padded to whole blocks, so that a length tells little and direct reads are possible.
pub const BLOCK_BYTES: usize = 4_096;
/// The longest header that a later version may have.
const LATER_HEADER_BYTES_MAX: usize = 512;
/// 30 days of 600-second hours and their condemnations with 500 cameras each fit four times.
pub const SLOT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The clear header of a slot whose digest holds. Nothing in it is authentic until the body opens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    pub site: SiteId,
    pub kdf: Kdf,
    /// The token's object behind the root key; `None`: the passphrase alone.
    pub object: Option<ObjectId>,
    pub generation: u64,
    nonce: [u8; NONCE_BYTES],
    header: Vec<u8>,
    body: Vec<u8>,
}

impl Slot {
    /// The bytes of a slot file; a multiple of 4,096.
    pub fn seal(site: SiteId, kdf: &Kdf, key: &RootKey, nonce: [u8; NONCE_BYTES], root: &Root) -> Result<Vec<u8>> {
        let header_bytes = if key.object.is_some() { TOKEN_HEADER_BYTES } else { HEADER_BYTES };
        let around = header_bytes + TAG_BYTES + DIGEST_BYTES;
        let total = (around + root.encoded_len()).next_multiple_of(BLOCK_BYTES);
        if total > SLOT_BYTES_MAX {
            return Err(KeyringError::TooLarge { bytes_max: SLOT_BYTES_MAX });
        }
        let plain = root.encode(total - around);
        let sealed_len = (plain.len() + TAG_BYTES) as u64;
        let header = header(site, (kdf, key.object), root.generation, sealed_len, nonce);
        let body = sealing::seal(&key.key, nonce, &header, plain);
        let mut bytes = Vec::with_capacity(total);
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(blake3::hash(&bytes).as_bytes());
        Ok(bytes)
    }

    /// A slot from a file's bytes; `None` for a file that is torn, damaged or none of ours. Zeros may follow the digest.
    pub fn parse(bytes: &[u8]) -> Option<Slot> {
        let mut fields = Reader::over(bytes);
        if fields.array::<8>()? != *MAGIC {
            return None;
        }
        let version = fields.u16()?;
        fields.u16()?;
        let site = SiteId(fields.array()?);
        let cost = KdfCost { memory_kib: fields.u32()?, passes: fields.u32()?, lanes: fields.u32()? };
        let salt = fields.array::<SALT_BYTES>()?;
        let generation = fields.u64()?;
        let body_len = usize::try_from(fields.u64()?).ok().filter(|len| *len <= SLOT_BYTES_MAX)?;
        let nonce = fields.array::<NONCE_BYTES>()?;
        fields.bytes(HEADER_BYTES - NONCE_END)?;
        let (object, header_bytes) = match version {
            VERSION_BARE => (None, HEADER_BYTES),
            VERSION_TOKEN => (Some(ObjectId::from_bytes(fields.bytes(OBJECT_ID_BYTES)?)?), TOKEN_HEADER_BYTES),
            _ => return None,
        };
        let (record, rest) = bytes.split_at_checked(header_bytes + body_len)?;
        let digest: [u8; DIGEST_BYTES] = rest.get(..DIGEST_BYTES)?.try_into().ok()?;
        if blake3::hash(record) != digest || !cost.is_sane() {
            return None;
        }
        let (header, body) = record.split_at(header_bytes);
        let (header, body) = (header.to_vec(), body.to_vec());
        Some(Slot { site, kdf: Kdf { cost, salt }, object, generation, nonce, header, body })
    }

    /// The version of a slot that a later program wrote, told from damage by its digest: in every version the length of the body
    /// stands at byte 64, and the digest behind a header of 96 bytes and so many times 32, at most 512
    /// (`docs/formats/policy.md`).
    pub fn later_version(bytes: &[u8]) -> Option<u16> {
        let mut fields = Reader::over(bytes);
        if fields.array::<8>()? != *MAGIC {
            return None;
        }
        let version = fields.u16().filter(|version| !matches!(*version, VERSION_BARE | VERSION_TOKEN))?;
        let body_len = u64::from_le_bytes(bytes.get(64..72)?.try_into().ok()?);
        let body_len = usize::try_from(body_len).ok().filter(|len| *len <= SLOT_BYTES_MAX)?;
        let holds = |header_bytes: usize| {
            let (record, rest) = bytes.split_at_checked(header_bytes + body_len)?;
            (blake3::hash(record).as_bytes()[..] == *rest.get(..DIGEST_BYTES)?).then_some(version)
        };
        (HEADER_BYTES..=LATER_HEADER_BYTES_MAX).step_by(TOKEN_HEADER_BYTES - HEADER_BYTES).find_map(holds)
    }

    /// The slot's bytes with a number of its own in the root record, sealed anew.
    #[cfg(test)]
    pub fn with_record_format(bytes: &[u8], key: &Secret32, format: u16) -> Option<Vec<u8>> {
        let slot = Slot::parse(bytes)?;
        let mut plain = sealing::open(key, slot.nonce, &slot.header, &slot.body)?;
        plain[..2].copy_from_slice(&format.to_le_bytes());
        plain.reserve(TAG_BYTES);
        let mut again = [&slot.header[..], &sealing::seal(key, slot.nonce, &slot.header, plain)].concat();
        again.extend_from_slice(blake3::hash(&again).as_bytes());
        Some(again)
    }

    /// The format of a root record inside that a later program wrote; `None` for one that we read, and for another key.
    pub fn later_format(&self, key: &Secret32) -> Option<u16> {
        Root::later_format(&sealing::open(key, self.nonce, &self.header, &self.body)?)
    }

    /// The root record inside; `None` for another key or a forged slot.
    pub fn open(&self, key: &Secret32) -> Option<Root> {
        let plain = sealing::open(key, self.nonce, &self.header, &self.body)?;
        Root::decode(self.generation, &plain)
    }
}

fn header(
    site: SiteId,
    (kdf, object): (&Kdf, Option<ObjectId>),
    generation: u64,
    body_len: u64,
    nonce: [u8; NONCE_BYTES],
) -> Vec<u8> {
    let version = if object.is_some() { VERSION_TOKEN } else { VERSION_BARE };
    let mut fields = Writer::with_capacity(TOKEN_HEADER_BYTES);
    fields.bytes(MAGIC).u16(version).u16(0).bytes(&site.0);
    fields.u32(kdf.cost.memory_kib).u32(kdf.cost.passes).u32(kdf.cost.lanes).bytes(&kdf.salt);
    fields.u64(generation).u64(body_len).bytes(&nonce);
    let Some(object) = object else { return fields.padded(HEADER_BYTES).to_vec() };
    fields.bytes(&[0; HEADER_BYTES - NONCE_END]).bytes(&object.to_bytes());
    fields.padded(TOKEN_HEADER_BYTES).to_vec()
}
