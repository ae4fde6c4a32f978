//! A reel's root: one hash under which every record of footage stands, with proofs for each (L3, R12).
//!
//! A Merkle tree as in RFC 6962 section 2.1 with SHA-256. Its leaves: the header's digest, then for each stream in the
//! order of handles `handle u16 ‖ key record digest ‖ root of chunk digests ‖ root of extent digests ‖ root of gap digests`.

use crate::record::{Digest, Fields};
use crate::{Result, SealError};
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
    tree(&reel_leaves(header, streams))
}

/// The leaves under a reel's root: the header's first, then the streams' in the order given.
pub fn reel_leaves<'a>(header: &Digest, streams: impl IntoIterator<Item = (u16, &'a StreamDigests)>) -> Vec<Vec<u8>> {
    let streams = streams.into_iter().map(|(handle, digests)| digests.leaf(handle));
    std::iter::once(header.to_vec()).chain(streams).collect()
}

impl StreamDigests {
    /// The leaf of a stream under its reel's root.
    pub fn leaf(&self, handle: u16) -> Vec<u8> {
        let mut leaf = handle.to_le_bytes().to_vec();
        leaf.extend_from_slice(&self.key_record);
        for list in [&self.chunks, &self.extents, &self.gaps] {
            leaf.extend_from_slice(&tree(list));
        }
        leaf
    }
}

/// The payload of a digests record: the header's digest, then for each stream handle u16, its key record's digest, three counts
/// u32 of chunks, extents and gaps, and their digests.
pub fn digests_payload<'a>(header: &Digest, streams: impl IntoIterator<Item = (u16, &'a StreamDigests)>) -> Vec<u8> {
    let mut payload = header.to_vec();
    for (handle, digests) in streams {
        payload.extend_from_slice(&handle.to_le_bytes());
        payload.extend_from_slice(&digests.key_record);
        let lists = [&digests.chunks, &digests.extents, &digests.gaps];
        lists.iter().for_each(|list| payload.extend_from_slice(&(list.len() as u32).to_le_bytes()));
        lists.iter().for_each(|list| payload.extend(list.iter().flatten()));
    }
    payload
}

/// The inverse. Nothing of it is signed by itself: what it gives is believed if it leads to the root that was.
/// Errors: `Short`, `Malformed`.
pub fn digests_from_payload(payload: &[u8]) -> Result<(Digest, Vec<(u16, StreamDigests)>)> {
    let mut fields = Fields::new("digests record", payload);
    let header = fields.array()?;
    let mut streams = Vec::new();
    while fields.end().is_err() {
        let (handle, key_record) = (fields.u16()?, fields.array()?);
        let counts = [fields.u32()?, fields.u32()?, fields.u32()?];
        let mut list = |count: u32| -> Result<Vec<Digest>> {
            let bytes = fields.take((count as usize).checked_mul(32).ok_or(SealError::NotARecord)?)?;
            Ok(bytes.chunks_exact(32).map(|digest| <[u8; 32]>::try_from(digest).unwrap_or_default()).collect())
        };
        let [chunks, extents, gaps] = [list(counts[0])?, list(counts[1])?, list(counts[2])?];
        streams.push((handle, StreamDigests { key_record, chunks, extents, gaps }));
    }
    Ok((header, streams))
}

/// What proves that a leaf stands under the root of all (RFC 6962, section 2.1.1): the hashes beside the way, from the leaf up.
/// Empty where there is no such leaf.
pub fn path<L: AsRef<[u8]>>(leaves: &[L], index: usize) -> Vec<Root> {
    if leaves.len() <= 1 || leaves.len() <= index {
        return Vec::new();
    }
    let middle = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(middle);
    let (mut path, beside) =
        if index < middle { (path(left, index), right) } else { (path(right, index - middle), left) };
    path.push(tree(beside));
    path
}

/// The root that a leaf and its path lead to; `None` where the path is not one of a tree of `count` leaves.
pub fn root_by_path(leaf: &[u8], index: u64, count: u64, path: &[Root]) -> Option<Root> {
    if count <= index {
        return None;
    }
    let (mut at, mut last) = (index, count - 1);
    let mut root = sha256(&[&[0], leaf]);
    for beside in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            root = sha256(&[&[1], beside, &root]);
            // as in RFC 9162, section 2.1.3.2: levels on which this node stands alone have no hash beside it
            while at % 2 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            root = sha256(&[&[1], &root, beside]);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
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
    fn a_path_leads_each_leaf_and_no_other_to_the_root() {
        for count in 1..=17u8 {
            let leaves: Vec<[u8; 1]> = (0..count).map(|leaf| [leaf]).collect();
            let root = tree(&leaves);
            for index in 0..count {
                let way = path(&leaves, index.into());
                let led = |leaf: u8, index: u8, way: &[Root]| root_by_path(&[leaf], index.into(), count.into(), way);
                assert_eq!(led(index, index, &way), Some(root), "{index} of {count}");
                assert_ne!(led(index + 1, index, &way), Some(root), "another leaf");
                assert_eq!(led(index, count, &way), None, "a place that is not there");
                for other in (0..count).filter(|other| *other != index) {
                    assert_ne!(led(index, other, &way), Some(root), "{index} as {other} of {count}");
                }
                let long: Vec<Root> = way.iter().copied().chain([[0; 32]]).collect();
                assert_eq!(led(index, index, &long), None, "a hash too many");
                if let Some((_, short)) = way.split_last() {
                    assert_ne!(led(index, index, short), Some(root), "a hash too few");
                }
            }
        }
    }

    #[test]
    fn digests_read_back_as_written_and_cut_ones_do_not() {
        let stream =
            StreamDigests { key_record: [1; 32], chunks: vec![[2; 32], [3; 32]], extents: vec![[4; 32]], gaps: vec![] };
        let other = StreamDigests { key_record: [5; 32], gaps: vec![[6; 32]], ..StreamDigests::default() };
        let payload = digests_payload(&[7; 32], [(0, &stream), (3, &other)]);
        let read = digests_from_payload(&payload).unwrap();
        assert_eq!(read, ([7; 32], vec![(0, stream), (3, other)]));
        for cut in (0..payload.len()).filter(|cut| ![32, 32 + 46 + 96].contains(cut)) {
            assert!(digests_from_payload(&payload[..cut]).is_err(), "{cut}");
        }
        assert!(digests_from_payload(&[255; 200]).is_err());
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
