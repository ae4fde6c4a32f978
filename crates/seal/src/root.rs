//! A reel's root: one hash under which every record of footage stands, with proofs for each (L3, R12).
//!
//! A Merkle tree as in RFC 6962 section 2.1 with SHA-256. Its leaves: the header's digest, then for each stream in the
//! order of handles `handle u16 ‖ key record digest ‖ root of chunk digests ‖ root of extent digests ‖ root of gap digests`.

use crate::record::Digest;
use aws_lc_rs::digest::{self, SHA256};

pub type Root = [u8; 32];

/// The digests of one stream of a reel, in the order of their numbers.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct StreamDigests {
    pub key_record: Digest,
    pub chunks: Vec<Digest>,
    pub extents: Vec<Digest>,
    pub gaps: Vec<Digest>,
}

/// The root of a reel.
pub fn reel_root<'a>(header: &Digest, streams: impl IntoIterator<Item = (u16, &'a StreamDigests)>) -> Root {
    let mut leaves = vec![header.to_vec()];
    for (handle, digests) in streams {
        let mut leaf = handle.to_le_bytes().to_vec();
        leaf.extend_from_slice(&digests.key_record);
        for list in [&digests.chunks, &digests.extents, &digests.gaps] {
            leaf.extend_from_slice(&tree(list));
        }
        leaves.push(leaf);
    }
    tree(&leaves)
}

/// MTH of RFC 6962, section 2.1, of any number of leaves.
pub fn tree<L: AsRef<[u8]>>(leaves: &[L]) -> Root {
    match leaves {
        [] => sha256(&[]),
        [leaf] => sha256(&[&[0], leaf.as_ref()]),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            sha256(&[&[1], &tree(left), &tree(right)])
        }
    }
}

fn sha256(parts: &[&[u8]]) -> Root {
    let mut context = digest::Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_tree_is_that_of_rfc_6962() {
        // Known answers of the certificate-transparency reference tests.
        let leaves: [&[u8]; 3] = [b"", b"\x00", b"\x10"];
        assert_eq!(hex(&tree::<&[u8]>(&[])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex(&tree(&leaves[..1])), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(hex(&tree(&leaves[..2])), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
        assert_eq!(hex(&tree(&leaves[..3])), "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
    }

    #[test]
    fn every_digest_of_a_reel_changes_its_root() {
        let stream = StreamDigests { key_record: [1; 32], chunks: vec![[2; 32]], extents: vec![[3; 32]], gaps: vec![] };
        let root = reel_root(&[0; 32], [(0, &stream)]);
        let mut seen = std::collections::HashSet::from([root]);
        let changed = [
            StreamDigests { key_record: [9; 32], ..stream.clone() },
            StreamDigests { chunks: vec![[9; 32]], ..stream.clone() },
            StreamDigests { extents: vec![], ..stream.clone() },
            StreamDigests { gaps: vec![[2; 32]], ..stream.clone() },
        ];
        assert!(changed.iter().all(|other| seen.insert(reel_root(&[0; 32], [(0, other)]))));
        assert!(seen.insert(reel_root(&[8; 32], [(0, &stream)])) && seen.insert(reel_root(&[0; 32], [(1, &stream)])));
    }
}
