//! What outsiders send and serve: notes with cosignatures, questions to a witness, policies, paths and contents of public files.

use domain::Secret32;
use ledger::{
    AddCheckpoint, Checkpoint, CheckpointSigner, Digest, Published, Tree, WitnessPolicy, WitnessSigner, checkpoint,
    cosignature::with_lines,
    judge,
    published::read_tile,
    tile::{PublicTile, public_tiles},
};

const ORIGIN: &str = "vigie/a/b";

fn log() -> CheckpointSigner {
    CheckpointSigner::new(ORIGIN, &Secret32::new([5; 32])).expect("an origin without spaces")
}

fn witness() -> WitnessSigner {
    WitnessSigner::new("temoin.example", &Secret32::new([6; 32])).expect("a name without spaces")
}

fn leaves(range: std::ops::Range<u64>) -> Result<Vec<Digest>, ledger::FileError> {
    Ok(range.map(|n| Digest([n as u8; 32])).collect())
}

fn tree(size: u64) -> Tree {
    let mut tree = Tree::new();
    leaves(0..size).expect("computed").iter().for_each(|leaf| tree.push(leaf));
    tree
}

fn note(size: u64) -> Vec<u8> {
    log().sign(Checkpoint { size, root: tree(size).root() }).expect("a checkpoint of ours can be signed")
}

/// Nothing but the text of the seed was ever cosigned, so nothing else verifies; what is cosigned verifies.
pub fn cosignature(bytes: &[u8]) {
    if witness().public().verify(bytes).is_some() {
        let (origin, checkpoint) = checkpoint::claimed(bytes).expect("the seed's text is a checkpoint");
        assert!(origin == ORIGIN && checkpoint.size == 48);
    }
    if let Ok(line) = witness().cosign(bytes, 1_773_324_001) {
        let alone =
            [&bytes[..bytes.windows(2).rposition(|pair| pair == b"\n\n").expect("a note") + 2], line.as_bytes()];
        assert_eq!(witness().public().verify(&alone.concat()).map(|found| found.at_seconds), Some(1_773_324_001));
    }
}
pub fn cosignature_seeds() -> Vec<Vec<u8>> {
    let line = witness().cosign(&note(48), 1_773_324_000).expect("a note of ours can be cosigned");
    vec![with_lines(&note(48), &[line]), note(48)]
}

/// What reads is written back the same, and no question makes a witness sign what does not continue its last tree.
pub fn add_checkpoint(bytes: &[u8]) {
    let Ok(request) = AddCheckpoint::parse(bytes) else { return };
    assert_eq!(request.to_bytes(), bytes);
    let last = Checkpoint { size: 16, root: tree(16).root() };
    if let Ok(new) = judge(&request, &log().public(), Some(last)) {
        // only what the seeds' log signed can pass
        assert!(new.size >= 16 && new.root == tree(new.size.min(4_096)).root());
    }
}
pub fn add_checkpoint_seeds() -> Vec<Vec<u8>> {
    let asked = |old: u64, new: u64| {
        let proof = if old == new { Vec::new() } else { tree(new).prove_growth(new, old, &leaves).expect("in range") };
        AddCheckpoint { old, proof, note: note(new) }.to_bytes()
    };
    vec![asked(16, 48), asked(16, 300), asked(16, 16)]
}

/// Whatever reads as a policy judges any note without panic, and none is met by nobody unless it says so.
pub fn policy(bytes: &[u8]) {
    let Ok(policy) = WitnessPolicy::parse(bytes) else { return };
    let judged = policy.judge(&note(48));
    assert!(judged.cosignatures.iter().all(Option::is_none));
    let says_none = bytes.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(b"quorum"));
    assert!(says_none);
}
pub fn policy_seeds() -> Vec<Vec<u8>> {
    let key = |n: u8| {
        let signer = WitnessSigner::new(&format!("w{n}.example"), &Secret32::new([n; 32]));
        signer.expect("a name without spaces").public().verifier_key()
    };
    let log = log().public().verifier_key();
    let text = format!(
        "# t\nlog {log} https://a.example\nwitness w1 {} https://w1.example\nwitness w2 {}\nwitness w3 {}\n\
         group g 2 w1 w2\ngroup h all g w3\nquorum h\n",
        key(1),
        key(2),
        key(3)
    );
    vec![text.into_bytes(), b"quorum none\n".to_vec()]
}

/// A path that reads is the one spelling of its tile, and leads nowhere else.
pub fn tile_path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(tile) = PublicTile::parse(text) {
        assert_eq!(tile.path(), text);
        assert!(!text.contains("..") && text.starts_with("tile/"));
    }
}
pub fn tile_path_seeds() -> Vec<Vec<u8>> {
    ["tile/0/x001/x234/067", "tile/entries/000.p/16", "tile/3/067.p/1"].map(|path| path.as_bytes().to_vec()).to_vec()
}

/// A log whose every tile is these bytes, cut to the width asked for: a proof comes out only if it fits the signed root.
pub fn tiles(bytes: &[u8]) {
    let size = 300;
    let signed = Checkpoint { size, root: tree(size).root() };
    let files = |tile: PublicTile| {
        let from = usize::from(tile.level.unwrap_or_default()) * 8_192 + tile.n as usize * 8_192;
        let content = bytes.get(from.min(bytes.len())..).unwrap_or_default();
        Ok(Some(content[..content.len().min(tile.bytes() as usize)].to_vec()))
    };
    let published = Published::new(signed, &files);
    if let Ok(root) = published.root_at(256) {
        assert_eq!(root, tree(256).root());
    }
    drop(published.prove_inclusion(299));
    let bundle = PublicTile { level: None, n: 0, width: 256 };
    if let Ok(content) = read_tile(&files, bundle) {
        assert!(bundle.entries(&content).is_none_or(|entries| entries.len() == 256));
    }
}
pub fn tiles_seeds() -> Vec<Vec<u8>> {
    let mut seed = vec![0; 3 * 8_192];
    let tree = tree(300);
    for tile in public_tiles(0, 300) {
        let Some(level) = tile.level else { continue };
        let from = (usize::from(level) + tile.n as usize) * 8_192;
        let content = tile.content(&tree, &leaves).expect("in range");
        seed[from..from + content.len()].copy_from_slice(&content);
    }
    let bundle = PublicTile { level: None, n: 0, width: 256 }.content(&tree, &leaves).expect("in range");
    vec![seed, bundle]
}
