//! What the keeper keeps: the keyring's files, the journal's groups, the ledger's entries and checkpoints.

use domain::{Secret32, SiteId};
use keeper::fuzzing::{journal as groups, keyring as files};
use ledger::{Checkpoint, CheckpointKey, CheckpointSigner, Digest, Entry, LogId, origin};

pub fn keyring_root(bytes: &[u8]) {
    files::root(bytes);
}
pub fn keyring_root_seeds() -> Vec<Vec<u8>> {
    files::root_seeds()
}

pub fn keyring_slot(bytes: &[u8]) {
    files::slot(bytes);
}
pub fn keyring_slot_seeds() -> Vec<Vec<u8>> {
    files::slot_seeds()
}

pub fn keyring_page(bytes: &[u8]) {
    files::page(bytes);
}
pub fn keyring_page_seeds() -> Vec<Vec<u8>> {
    files::page_seeds()
}

pub fn group(bytes: &[u8]) {
    groups::group(bytes);
}
pub fn group_seeds() -> Vec<Vec<u8>> {
    groups::group_seeds()
}

/// What reads is written back the same.
pub fn details(bytes: &[u8]) {
    if let Ok(entry) = Entry::from_details(bytes) {
        let again = entry.to_details().expect("what was read can be written");
        assert_eq!(Entry::from_details(&again).ok().as_ref(), Some(&entry));
    }
}
pub fn details_seeds() -> Vec<Vec<u8>> {
    keeper::fuzzing::entries().iter().filter_map(|entry| entry.to_details().ok()).collect()
}

fn signer() -> CheckpointSigner {
    let name = origin(SiteId([1; 16]), LogId([2; 16]));
    CheckpointSigner::new(&name, &Secret32::new([5; 32])).expect("an origin of ours is right")
}

pub fn checkpoint(bytes: &[u8]) {
    let key: CheckpointKey = signer().public();
    if let Ok(read) = key.verify(bytes) {
        assert_eq!(key.verify(&signer().sign(read).expect("it can be signed again")).ok(), Some(read));
    }
}
pub fn checkpoint_seeds() -> Vec<Vec<u8>> {
    let checkpoint = Checkpoint { size: 9, root: Digest([3; 32]) };
    vec![signer().sign(checkpoint).expect("a checkpoint of ours can be signed")]
}
