//! A small town in memory: reels sealed as a recorder seals them, a log that tells of them, and the package that is made of both.

use domain::{
    CameraId, Codec, ExportId, Hour, HourLength, MediaTicks, ReelId, RunId, Secret32, SiteId, StreamId, UtcMicros,
};
use evidence::{
    CameraBuilder, CameraPart, ChunkProof, CopyPart, EntryProof, FileLine, FileRole, Files, FilesError, Hex, LogProof,
    MANIFEST, Manifest, Next, REGISTER, ReelProof, SealedLine, Step, file_digest, manifest,
};
use ledger::{Actor, Checkpoint, CheckpointSigner, Digest, Entry, Event, LogId, Role, Tree, commit, origin};
use media::{Chunk, FrameEntry, FrameKind, ParameterSets, h264::avcc_from_sets};
use seal::{
    ChunkKey, DataKey, Extent, GroupStart, Kind, RecordHeader,
    extent::{key_digest, keys_digest},
    key::TAG_BYTES,
    record::digest,
    root::{StreamDigests, path, reel_leaves, tree},
};
use std::collections::BTreeMap;

pub const SITE: SiteId = SiteId([1; 16]);
pub const EXPORT: ExportId = ExportId([2; 16]);
pub const CAMERA: CameraId = CameraId([3; 16]);
pub const OTHER: CameraId = CameraId([4; 16]);
/// 12 March 2026, 14:00 UTC.
pub const FROM: i64 = 1_773_324_000;

/// A package in memory.
#[derive(Clone, Default)]
pub struct Package(pub BTreeMap<String, Vec<u8>>);

impl Files for Package {
    fn list(&self) -> Result<Vec<(String, u64)>, FilesError> {
        Ok(self.0.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect())
    }
    fn read(&self, path: &str, offset: u64, bytes: usize) -> Result<Vec<u8>, FilesError> {
        let wrong = || FilesError { path: path.into(), why: "ends before".into() };
        let from = usize::try_from(offset).map_err(|_| wrong())?;
        let whole = self.0.get(path).ok_or_else(wrong)?;
        let end = from.checked_add(bytes).ok_or_else(wrong)?;
        whole.get(from..end).map(<[u8]>::to_vec).ok_or_else(wrong)
    }
}

/// One reel of one stream among others, as it was recorded.
pub struct Reel {
    pub id: ReelId,
    pub data_key: DataKey,
    pub chunks: Vec<(Chunk, ChunkKey)>,
    pub digests: StreamDigests,
    pub extents: Vec<(Extent, ChunkKey)>,
    pub leaves: Vec<Vec<u8>>,
}

/// This stream's handle, and so its leaf is the second of the streams'.
const HANDLE: u16 = 1;

pub fn at(seconds: i64) -> UtcMicros {
    UtcMicros::from_seconds(FROM + seconds)
}

pub fn parameters() -> ParameterSets {
    let config = avcc_from_sets(&[&[0x67, 0x4d, 0x40, 0x1e, 0x9a]], &[&[0x68, 0xee, 0x3c, 0x80]]).unwrap();
    ParameterSets { codec: Codec::H264, config: config.into(), width: 640, height: 360 }
}

/// Half a second of pictures, twelve a second; every fourth chunk starts a group. `seed` colours the bytes.
pub fn chunk(stream: StreamId, number: u32, seed: u8) -> Chunk {
    let first_dts = i64::from(number) * 45_000;
    let starts = number.is_multiple_of(4);
    let frames: Vec<FrameEntry> = (0..6)
        .map(|n| FrameEntry {
            kind: if starts && n == 0 { FrameKind::Idr } else { FrameKind::Other },
            dts: MediaTicks(first_dts + n * 7_500),
            pts: MediaTicks(first_dts + n * 7_500 + 7_500),
            size: 40 + number * 7 % 13 + n as u32,
        })
        .collect();
    let bytes = frames.iter().map(|frame| frame.size).sum::<u32>();
    let first_utc = UtcMicros(at(0).0 + i64::from(number) * 500_000);
    Chunk {
        stream,
        hour: HourLength::PRODUCT.hour_of(at(0)),
        first_utc,
        last_utc: first_utc.plus_micros(416_666),
        parameters: starts.then(parameters),
        data: (0..bytes).map(|n| (n as u8).wrapping_mul(31).wrapping_add(number as u8 ^ seed)).collect(),
        frames,
    }
}

impl Reel {
    /// Chunks `first..first + count` of the session as chunks 0 … of a reel, an extent for each two.
    pub fn record(id: u8, camera: CameraId, first: u32, count: u32) -> Reel {
        let (id, stream) = (ReelId([id; 16]), StreamId::main(camera));
        let data_key = DataKey(Secret32::new([id.0[0]; 32]));
        let mut reel = Reel {
            id,
            data_key,
            chunks: Vec::new(),
            digests: StreamDigests { key_record: [5; 32], ..StreamDigests::default() },
            extents: Vec::new(),
            leaves: Vec::new(),
        };
        for number in 0..count {
            let chunk = chunk(stream, first + number, 0);
            let mut plain = Vec::new();
            media::chunk::write(&chunk, &mut plain);
            let key = reel.data_key.record_key(id, Kind::Chunk, HANDLE, number);
            reel.digests.chunks.push(seal(id, Kind::Chunk, number, &key, plain).0);
            reel.chunks.push((chunk, key));
        }
        for (number, first) in (0..count).step_by(2).enumerate() {
            let pair = &reel.chunks[first as usize..(first as usize + 2).min(count as usize)];
            let extent = Extent {
                stream,
                first_chunk: first,
                last_chunk: first + pair.len() as u32 - 1,
                first_utc: pair[0].0.first_utc,
                last_utc: pair[pair.len() - 1].0.last_utc,
                frames: 12,
                group_start: GroupStart { reel: id, chunk: first / 4 * 4 },
                keys: Some(keys_digest(&pair.iter().map(|(_, key)| key_digest(key)).collect::<Vec<_>>())),
            };
            let key = reel.data_key.record_key(id, Kind::Extent, HANDLE, number as u32);
            reel.extents.push((extent, key));
        }
        reel.seal_extents();
        reel
    }

    /// Again, where a test changed one.
    pub fn seal_extents(&mut self) {
        let lines = self.extents.iter().enumerate();
        let digests = lines.map(|(number, (extent, key))| {
            seal(self.id, Kind::Extent, number as u32, key, extent.to_bytes().to_vec()).0
        });
        self.digests.extents = digests.collect();
        self.close();
    }

    pub fn close(&mut self) {
        let other = StreamDigests { key_record: [6; 32], chunks: vec![[7; 32]], ..StreamDigests::default() };
        self.leaves = reel_leaves(&[8; 32], [(0, &other), (HANDLE, &self.digests), (2, &other)]);
    }

    pub fn root(&self) -> Digest {
        Digest(tree(&self.leaves))
    }

    /// What a package carries of it from this chunk on; the chunks' own proofs come later.
    pub fn proof(&self, from: u32) -> ReelProof {
        let list = |digests: &[[u8; 32]]| digests.iter().copied().map(Digest).collect();
        let wanted = |(_, (extent, _)): &(usize, &(Extent, ChunkKey))| extent.last_chunk >= from;
        let extents = self.extents.iter().enumerate().filter(wanted).map(|(number, (extent, key))| SealedLine {
            number: number as u32,
            key: Digest(*key.key.expose()),
            commitment: Digest(key.commitment),
            plain: Hex(extent.to_bytes().to_vec()),
        });
        let other = (from / 2 * 2..from).map(|number| (number, Digest(key_digest(&self.chunks[number as usize].1))));
        ReelProof {
            reel: self.id,
            handle: HANDLE,
            leaf: 2,
            leaves: self.leaves.len() as u64,
            path: path(&self.leaves, 2).into_iter().map(Digest).collect(),
            key_record: Digest(self.digests.key_record),
            chunk_digests: list(&self.digests.chunks),
            extent_digests: list(&self.digests.extents),
            gap_digests: vec![],
            extents: extents.collect(),
            gaps: vec![],
            other_keys: other.collect(),
            chunks: vec![],
            damaged: vec![],
        }
    }
}

/// The digest of the record, and its ciphertext with the tag.
pub fn seal(reel: ReelId, kind: Kind, number: u32, key: &ChunkKey, mut plain: Vec<u8>) -> ([u8; 32], Vec<u8>) {
    let payload_bytes = (plain.len() + TAG_BYTES) as u32;
    let header = RecordHeader { kind, handle: HANDLE, payload_bytes, number, reel, commitment: key.commitment };
    let tag = key.seal(&header, &mut plain);
    plain.extend_from_slice(&tag);
    (digest(&header.to_bytes(), &plain), plain)
}

/// What is handed over, file by file, before the manifest is made: tests change it, then have it sealed by the town's own log,
/// or change what came out.
pub struct Draft {
    pub files: Package,
    pub cameras: Vec<CameraPart>,
    pub proofs: Vec<ReelProof>,
    pub reels: Vec<Reel>,
    /// Hours whose keys the log says are dead.
    pub destroyed: Vec<(Hour, Vec<CameraId>)>,
}

pub const PROOF: &str = "preuves/mairie.jsonl";

fn role_of(path: &str) -> FileRole {
    match path.split('/').next() {
        _ if path == PROOF => FileRole::Proof,
        Some("visionnage") => FileRole::ViewingCopy,
        _ => FileRole::Movie,
    }
}

impl Draft {
    /// Two reels of twelve chunks of one camera, from chunk 4 of the first on: the group that holds second 3 begins there.
    pub fn new() -> Draft {
        Draft::of(vec![Reel::record(20, CAMERA, 0, 12), Reel::record(21, CAMERA, 12, 12)], 4)
    }

    pub fn of(reels: Vec<Reel>, from: u32) -> Draft {
        let mut files = Package::default();
        let mut builder = CameraBuilder::new("video/mairie");
        let mut proofs = Vec::new();
        let mut open = String::new();
        for (nth, reel) in reels.iter().enumerate() {
            let from = if nth == 0 { from } else { 0 };
            let mut proof = reel.proof(from);
            let sets = parameters();
            let here = &reel.chunks[from as usize..];
            let next: Vec<Next<'_>> =
                here.iter().map(|(chunk, _)| Next { chunk, follows: true, parameters: &sets }).collect();
            for step in builder.push(&next).unwrap() {
                if let Step::Data { chunks, movie, .. } = &step {
                    let proofs = chunks.clone().map(|nth| {
                        let (chunk, key) = &here[nth];
                        ChunkProof::of(from + nth as u32, *movie, key, chunk)
                    });
                    proof.chunks.extend(proofs);
                }
                apply(&mut files, &mut open, step, &next);
            }
            proofs.push(proof);
        }
        let (step, movies) = builder.finish().unwrap();
        step.into_iter().for_each(|step| apply(&mut files, &mut open, step, &[]));
        let last = reels.last().unwrap().chunks.last().unwrap().0.last_utc;
        let part = CameraPart {
            camera: CAMERA,
            name: "Mairie".into(),
            place: "Place de la Mairie".into(),
            from: at(3),
            to: UtcMicros(last.0 - last.0.rem_euclid(1_000_000)),
            proof: Some(PROOF.into()),
            movies,
            gaps: vec![],
            looked: None,
        };
        Draft { files, cameras: vec![part], proofs, reels, destroyed: vec![] }
    }

    /// The package as the town makes it.
    pub fn package(&self) -> Package {
        self.package_by(&signer())
    }

    pub fn package_by(&self, signer: &CheckpointSigner) -> Package {
        let mut package = self.files.clone();
        let lines: Vec<String> = self.proofs.iter().map(|proof| serde_json::to_string(proof).unwrap()).collect();
        package.0.insert(PROOF.into(), (lines.join("\n") + "\n").into_bytes());
        let files = package.0.iter().map(|(path, bytes)| FileLine {
            path: path.clone(),
            role: role_of(path),
            bytes: bytes.len() as u64,
            sha256: file_digest(bytes),
        });
        let manifest = manifest(self.cameras.clone(), files.collect());
        let bytes = manifest.to_bytes().unwrap();
        package.0.insert(REGISTER.into(), self.register(file_digest(&bytes), signer));
        package.0.insert(MANIFEST.into(), bytes);
        package
    }

    /// A copy for the eye of the first movie, as the manifest names it.
    pub fn with_copy(mut self) -> Draft {
        let movie = &mut self.cameras[0].movies[0];
        let path = CopyPart::path_of(&movie.path);
        let says = evidence::manifest::Statement { fr: "copie".into(), en: "copy".into() };
        movie.copy = Some(CopyPart { path: path.clone(), shown: movie.pictures, lacking: 0, says });
        self.files.0.insert(path, b"for the eye".to_vec());
        self
    }

    /// The log: other entries, the reels, the handover.
    fn register(&self, manifest: Digest, signer: &CheckpointSigner) -> Vec<u8> {
        let hour = HourLength::PRODUCT.hour_of(at(0));
        let mut events = vec![Event::Dummy; 3];
        events.extend(self.reels.iter().map(|reel| Event::Reel {
            reel: reel.id,
            run: RunId([9; 16]),
            hour,
            deadline: at(2_000_000),
            root: reel.root(),
            bytes: 1,
            streams: 3,
        }));
        events.extend(self.destroyed.iter().map(|(hour, cameras)| Event::Destroyed {
            hour: *hour,
            cameras: cameras.clone(),
            generation: 1,
            custodian: "file".into(),
            copies: 2,
        }));
        events.push(Event::Exported { export: EXPORT, manifest, files: 3, bytes: 1 });
        events.extend(vec![Event::Dummy; 9]);
        let mut tree = Tree::new();
        let opened: Vec<(String, Digest)> = events
            .into_iter()
            .enumerate()
            .map(|(nth, event)| {
                let entry = Entry::new(at(5_000 + nth as i64), Actor::Role { role: Role::Keeper }, event);
                let details = String::from_utf8(entry.to_details().unwrap()).unwrap();
                let commitment = commit(&[nth as u8; 16], details.as_bytes());
                tree.push(&commitment);
                (details, commitment)
            })
            .collect();
        let leaves = |range: std::ops::Range<u64>| {
            Ok(opened[range.start as usize..range.end as usize].iter().map(|(_, commitment)| *commitment).collect())
        };
        let entries = (3..4 + (self.reels.len() + self.destroyed.len()) as u64).map(|seq| EntryProof {
            seq,
            salt: Hex(vec![seq as u8; 16]),
            details: opened[seq as usize].0.clone(),
            path: tree.prove_inclusion(tree.size(), seq, &leaves).unwrap(),
        });
        let checkpoint = Checkpoint { size: tree.size(), root: tree.root() };
        let register = LogProof {
            format: LogProof::FORMAT,
            checkpoint: String::from_utf8(signer.sign(checkpoint).unwrap()).unwrap(),
            entries: entries.collect(),
        };
        serde_json::to_vec(&register).unwrap()
    }

    pub fn movie(&self) -> String {
        self.cameras[0].movies[0].path.clone()
    }
}

/// Does to the files in memory what the builder says.
pub fn apply(files: &mut Package, open: &mut String, step: Step, next: &[Next<'_>]) {
    match step {
        Step::Begin { path, head } => {
            files.0.insert(path.clone(), head);
            *open = path;
        }
        Step::Data { header, chunks, .. } => {
            let file = files.0.get_mut(open).unwrap();
            file.extend(header);
            next[chunks].iter().for_each(|next| file.extend_from_slice(&next.chunk.data));
        }
        Step::End { path, tail } => files.0.get_mut(&path).unwrap().extend(tail),
    }
}

pub fn signer() -> CheckpointSigner {
    CheckpointSigner::new(&origin(SITE, LogId([5; 16])), &Secret32::new([6; 32])).unwrap()
}

pub fn manifest(cameras: Vec<CameraPart>, files: Vec<FileLine>) -> Manifest {
    Manifest {
        format: manifest::FORMAT,
        export: EXPORT,
        site: manifest::SitePart { id: SITE, name: "Exemple".into(), log_key: signer().public().verifier_key() },
        made: at(5_000),
        ground: manifest::Ground {
            number: "2026-0001".into(),
            framework: "CPP 60-1".into(),
            authority: "text".into(),
            procedure: "text".into(),
        },
        cameras,
        files,
        clock: manifest::Statement::default(),
        program: manifest::ProgramPart { version: "0".into(), digest: None, law_pack: "fr".into() },
    }
}
