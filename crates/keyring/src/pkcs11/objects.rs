//! How objects of the token are named, so that each finds its own and none is taken for another's.

use domain::{Random, SiteId};

const CHANCE_BYTES: usize = 16;
/// Generation (u64, little-endian) and chance, as they stand in CKA_ID and in a slot of the root record.
pub const OBJECT_ID_BYTES: usize = 8 + CHANCE_BYTES;

/// One object: the generation of the root record that it was made for, and chance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ObjectId {
    pub generation: u64,
    chance: [u8; CHANCE_BYTES],
}

impl ObjectId {
    pub fn draw(generation: u64, random: &dyn Random) -> ObjectId {
        let mut chance = [0; CHANCE_BYTES];
        random.fill(&mut chance);
        ObjectId { generation, chance }
    }

    pub fn to_bytes(self) -> [u8; OBJECT_ID_BYTES] {
        let mut bytes = [0; OBJECT_ID_BYTES];
        bytes[..8].copy_from_slice(&self.generation.to_le_bytes());
        bytes[8..].copy_from_slice(&self.chance);
        bytes
    }

    /// The inverse; `None` for bytes of another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<ObjectId> {
        let (generation, chance) = bytes.split_first_chunk()?;
        Some(ObjectId { generation: u64::from_le_bytes(*generation), chance: chance.try_into().ok()? })
    }
}

/// CKA_LABEL of every object of a site: several sites may share a token.
pub fn label_of(site: SiteId) -> String {
    let hex: String = site.0.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("vigie-keyring {hex}")
}
