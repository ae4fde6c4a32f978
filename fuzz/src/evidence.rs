//! What lies in a package of evidence: manifest, proofs, register, the tables of an MP4 file.

use ::evidence::{
    CameraBuilder, CameraPart, EntryProof, FileLine, FileRole, Files, FilesError, Hex, LogProof, Manifest, Next,
    ReelProof, SealedLine, Step, Trust, manifest as parts,
};
use domain::{CameraId, Codec, ExportId, MediaTicks, ReelId, SiteId, StreamId, UtcMicros};
use ledger::Digest;
use media::{Chunk, FrameEntry, FrameKind, ParameterSets, h264::avcc_from_sets, mp4::Movie};

const CAMERA: CameraId = CameraId([2; 16]);

pub fn manifest(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::from_bytes(bytes) {
        let again = manifest.to_bytes().expect("a manifest that was read can be written");
        assert_eq!(Manifest::from_bytes(&again).expect("and read again"), manifest);
    }
    // the whole verdict, over a package that has nothing but this
    assert!(!::evidence::check(&Alone(bytes), &Trust::default()).expect("it gives what it lists").holds());
}
pub fn manifest_seeds() -> Vec<Vec<u8>> {
    let part = CameraPart {
        camera: CAMERA,
        name: "a".into(),
        place: "b".into(),
        from: UtcMicros(1_773_324_000_000_000),
        to: UtcMicros(1_773_324_060_000_000),
        proof: Some("preuves/a.jsonl".into()),
        movies: movie().1,
        gaps: vec![],
        looked: None,
    };
    let file = FileLine { path: "video/a-001.mp4".into(), role: FileRole::Movie, bytes: 7, sha256: Digest([7; 32]) };
    let manifest = Manifest {
        format: parts::FORMAT,
        export: ExportId([1; 16]),
        site: parts::SitePart { id: SiteId([3; 16]), name: "c".into(), log_key: "d".into() },
        made: UtcMicros(1_773_324_060_000_000),
        ground: parts::Ground {
            number: "2026-0001".into(),
            framework: "CPP 60-1".into(),
            authority: String::new(),
            procedure: String::new(),
        },
        cameras: vec![part],
        files: vec![file],
        clock: parts::Statement::default(),
        program: parts::ProgramPart { version: "0".into(), digest: None, law_pack: String::new() },
    };
    vec![manifest.to_bytes().unwrap_or_default()]
}

/// A package of one file.
struct Alone<'a>(&'a [u8]);

impl Files for Alone<'_> {
    fn list(&self) -> Result<Vec<(String, u64)>, FilesError> {
        Ok(vec![(::evidence::MANIFEST.into(), self.0.len() as u64)])
    }
    fn read(&self, path: &str, offset: u64, bytes: usize) -> Result<Vec<u8>, FilesError> {
        let inside = self.0.get(offset as usize..).and_then(|rest| rest.get(..bytes));
        inside.map(<[u8]>::to_vec).ok_or_else(|| FilesError { path: path.into(), why: String::new() })
    }
}

pub fn proof(bytes: &[u8]) {
    let Ok(proof) = serde_json::from_slice::<ReelProof>(bytes) else { return };
    proof.root();
    let stream = StreamId::main(CAMERA);
    for line in &proof.extents {
        proof.extent(line, stream);
    }
    for line in &proof.gaps {
        proof.gap(line, stream);
    }
    for chunk in &proof.chunks {
        assert!(!proof.is_sealed(chunk, b"not these"), "bytes that nobody sealed");
    }
}
pub fn proof_seeds() -> Vec<Vec<u8>> {
    let digest = Digest([5; 32]);
    let line = SealedLine { number: 0, key: digest, commitment: digest, plain: Hex(vec![0; 96]) };
    let chunk = ::evidence::ChunkProof { number: 0, movie: 0, key: digest, commitment: digest, head: Hex(vec![1; 44]) };
    let proof = ReelProof {
        reel: ReelId([1; 16]),
        handle: 3,
        leaf: 1,
        leaves: 3,
        path: vec![digest, digest],
        key_record: digest,
        chunk_digests: vec![digest],
        extent_digests: vec![digest],
        gap_digests: vec![],
        extents: vec![line],
        gaps: vec![],
        other_keys: vec![(1, digest)],
        chunks: vec![chunk],
        damaged: vec![2],
    };
    vec![serde_json::to_vec(&proof).unwrap_or_default()]
}

pub fn register(bytes: &[u8]) {
    let Ok(register) = serde_json::from_slice::<LogProof>(bytes) else { return };
    let checkpoint = ledger::Checkpoint { size: 16, root: Digest([9; 32]) };
    assert!(register.entries.iter().all(|entry| entry.entry(checkpoint).is_err()), "a root that nobody can lead to");
}
pub fn register_seeds() -> Vec<Vec<u8>> {
    let entry = EntryProof {
        seq: 3,
        salt: Hex(vec![1; 16]),
        details: r#"{"format":1,"at":3,"actor":{"by":"schedule"},"event":"dummy"}"#.into(),
        path: vec![Digest([4; 32]); 4],
    };
    let register = LogProof { format: LogProof::FORMAT, checkpoint: "vigie/a/b\n16\n".into(), entries: vec![entry] };
    vec![serde_json::to_vec(&register).unwrap_or_default()]
}

pub fn movie_tables(bytes: &[u8]) {
    let mut at = 0;
    // as a reader finds the box
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let Ok(place) = media::mp4::box_at(&rest[..rest.len().min(16)], rest.len() as u64) else { break };
        if &place.kind == b"moov" {
            let _read = Movie::from_moov(&rest[..place.bytes as usize]);
        }
        at += place.bytes as usize;
    }
    let _read = Movie::from_moov(bytes);
}
pub fn movie_tables_seeds() -> Vec<Vec<u8>> {
    vec![movie().0]
}

/// Tables of a second of pictures, and the line of the manifest.
fn movie() -> (Vec<u8>, Vec<::evidence::MovieLine>) {
    let config = avcc_from_sets(&[&[0x67, 0x4d, 0x40, 0x1e, 0x9a]], &[&[0x68, 0xee, 0x3c, 0x80]]).unwrap_or_default();
    let parameters = ParameterSets { codec: Codec::H264, config: config.into(), width: 640, height: 360 };
    let frame = |n: i64| FrameEntry {
        kind: if n == 0 { FrameKind::Idr } else { FrameKind::Other },
        dts: MediaTicks(n * 7_500),
        pts: MediaTicks(n * 7_500 + 7_500),
        size: 20 + n as u32,
    };
    let at = UtcMicros(1_773_324_000_000_000);
    let chunk = Chunk {
        stream: StreamId::main(CAMERA),
        hour: domain::HourLength::PRODUCT.hour_of(at),
        first_utc: at,
        last_utc: at.plus_micros(900_000),
        frames: (0..12).map(frame).collect(),
        parameters: Some(parameters.clone()),
        data: Vec::new(),
    };
    let mut builder = CameraBuilder::new("video/a");
    let pushed = builder.push(&[Next { chunk: &chunk, follows: true, parameters: &parameters }]);
    match (pushed, builder.finish()) {
        (Ok(_), Ok((Some(Step::End { tail, .. }), lines))) => (tail, lines),
        _ => (Vec::new(), Vec::new()),
    }
}
