//! The verdict on a package: what its files, its proofs and the town's log say of each other. Needs no key of the town's and
//! no network (P10).
//!
//! 1 the manifest and the files that it names, copies for the eye apart · 2 the log: the checkpoint under the reader's key, the entries in it, this
//! manifest among them · 3 camera by camera: reels under roots of the log, lines and pictures under their reels · 4 each file of
//! pictures against the chunks that were recorded · 5 the timestamp of the log's extract, under the roots that the reader trusts

pub mod align;
mod camera;
mod movie;
mod timestamp;

use crate::{
    CameraPart, FileLine, FileRole, Files, FilesError, Finding, LogProof, MANIFEST, Manifest, REGISTER,
    manifest::{FileSum, MANIFEST_BYTES_MAX, file_digest},
    stamp::{Outcome, Roots},
};
use domain::{CameraId, Hour, ReelId, UtcMicros};
use ledger::{Checkpoint, CheckpointKey, Digest, Event, WitnessPolicy};
use seal::root::Root;
use std::collections::{BTreeMap, BTreeSet};

/// Read at a time.
pub(crate) const STEP_BYTES: usize = 1 << 20;

/// What the reader holds of the town, beside the package.
#[derive(Default)]
pub struct Trust {
    /// The key of its log, as the town publishes it.
    pub key: Option<CheckpointKey>,
    /// Which witnesses the reader believes.
    pub policy: Option<WitnessPolicy>,
}

/// All that is wrong, and what the package says.
#[derive(Debug)]
pub struct Verdict {
    pub findings: Vec<Finding>,
    /// Of copies for the eye: nothing of the evidence depends on them, and whoever watches one is told.
    pub copies: Vec<Finding>,
    pub told: Option<Told>,
}

/// What a package says of itself, with what was found to hold of it.
#[derive(Debug)]
pub struct Told {
    pub manifest: Manifest,
    pub manifest_digest: Digest,
    pub checkpoint: Option<Checkpoint>,
    /// When the log took the manifest's digest.
    pub handed_over: Option<UtcMicros>,
    /// Whether the checkpoint was held against a key that did not come with the package.
    pub key_is_held: bool,
    pub witnesses: Option<Vec<String>>,
    /// Pictures that are the camera's own, byte for byte.
    pub pictures: u64,
    /// What an authority that is not the town says of when it was; none where the package has no timestamp.
    pub timestamp: Option<Outcome>,
}

/// What the log proves.
#[derive(Default)]
pub(crate) struct Proved {
    checkpoint: Option<Checkpoint>,
    pub reels: BTreeMap<ReelId, (Root, Hour)>,
    /// Hours whose keys are dead, camera by camera.
    pub destroyed: BTreeMap<CameraId, BTreeSet<Hour>>,
    handed_over: Option<UtcMicros>,
    witnesses: Option<Vec<String>>,
}

impl Verdict {
    /// The evidence does.
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }

    fn of(finding: Finding) -> Verdict {
        Verdict { findings: vec![finding], copies: vec![], told: None }
    }

    /// What is wrong, the evidence before what is for the eye.
    pub fn all(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().chain(&self.copies)
    }
}

/// For a reader who trusts no authority of timestamps. Errors: a medium that does not give what it lists; everything else is a finding.
pub fn check(files: &dyn Files, trust: &Trust) -> Result<Verdict, FilesError> {
    check_under(files, trust, &Roots::default())
}

/// The same, for a reader who trusts these roots for timestamps.
pub fn check_under(files: &dyn Files, trust: &Trust, roots: &Roots) -> Result<Verdict, FilesError> {
    let (mut findings, mut copies) = (Vec::new(), Vec::new());
    let listed: BTreeMap<String, u64> = files.list()?.into_iter().collect();
    let manifest_bytes = match whole(files, &listed, MANIFEST, MANIFEST_BYTES_MAX)? {
        Ok(bytes) => bytes,
        Err(why) => return Ok(Verdict::of(Finding::Manifest { why })),
    };
    let manifest = match Manifest::from_bytes(&manifest_bytes) {
        Ok(manifest) => manifest,
        Err(error) => return Ok(Verdict::of(Finding::Manifest { why: error.to_string() })),
    };
    check_files(files, &listed, &manifest, &mut findings, &mut copies)?; // 1
    let manifest_digest = file_digest(&manifest_bytes);
    let register = whole(files, &listed, REGISTER, LogProof::BYTES_MAX)?;
    let proved = match &register {
        Ok(bytes) => check_register(bytes, &manifest, manifest_digest, trust, &mut findings), // 2
        Err(why) => {
            findings.push(Finding::Register { why: why.clone() });
            Proved::default()
        }
    };
    let mut pictures = 0;
    for part in &manifest.cameras {
        pictures += camera::check(files, &listed, part, &proved, &mut findings)?; // 3, 4
    }
    let timestamp = timestamp::check(files, &listed, &register.unwrap_or_default(), roots, &mut findings)?; // 5
    let told = Told {
        manifest,
        manifest_digest,
        checkpoint: proved.checkpoint,
        handed_over: proved.handed_over,
        key_is_held: trust.key.is_some(),
        witnesses: proved.witnesses,
        pictures,
        timestamp,
    };
    Ok(Verdict { findings, copies, told: Some(told) })
}

/// A whole file; why not, where it is missing or too long.
pub(crate) fn whole(
    files: &dyn Files,
    listed: &BTreeMap<String, u64>,
    path: &str,
    bytes_max: u64,
) -> Result<Result<Vec<u8>, String>, FilesError> {
    match listed.get(path) {
        None => Ok(Err("not there".to_owned())),
        Some(bytes) if *bytes > bytes_max => Ok(Err(format!("{bytes} bytes, at most {bytes_max}"))),
        Some(bytes) => files.read(path, 0, *bytes as usize).map(Ok),
    }
}

fn check_files(
    files: &dyn Files,
    listed: &BTreeMap<String, u64>,
    manifest: &Manifest,
    findings: &mut Vec<Finding>,
    copies: &mut Vec<Finding>,
) -> Result<(), FilesError> {
    let mut named: BTreeSet<&str> = BTreeSet::from([MANIFEST, REGISTER]);
    let used: BTreeSet<&str> = manifest.cameras.iter().flat_map(paths_of).collect();
    // what proofs or pictures are read from is evidence, whatever its line calls it
    let is_copy = |line: &FileLine| line.role == FileRole::ViewingCopy && !used.contains(line.path.as_str());
    for line in &manifest.files {
        named.insert(&line.path);
        let path = line.path.clone();
        match listed.get(&line.path) {
            None if is_copy(line) => copies.push(Finding::CopyMissing { path }),
            None => findings.push(Finding::FileMissing { path }),
            Some(bytes) if *bytes == line.bytes && sum(files, &line.path, *bytes)? == line.sha256 => {}
            Some(_) if is_copy(line) => copies.push(Finding::CopyChanged { path }),
            Some(_) => findings.push(Finding::FileChanged { path }),
        }
    }
    // a file that the manifest uses without a digest would escape the log
    let unnamed = used.iter().filter(|path| !named.contains(*path));
    findings.extend(unnamed.map(|path| Finding::FileMissing { path: (*path).into() }));
    let of_eye = manifest.cameras.iter().flat_map(|part| &part.movies).filter_map(|movie| movie.copy.as_ref());
    let unnamed = of_eye.filter(|copy| !named.contains(copy.path.as_str()));
    copies.extend(unnamed.map(|copy| Finding::CopyMissing { path: copy.path.clone() }));
    let of_timestamp = timestamp::paths(listed);
    let is_named = |path: &String| named.contains(path.as_str()) || of_timestamp.contains(path);
    let extra = listed.keys().filter(|path| !is_named(path));
    findings.extend(extra.map(|path| Finding::FileExtra { path: path.clone() }));
    Ok(())
}

fn paths_of(part: &CameraPart) -> impl Iterator<Item = &str> {
    part.proof.iter().map(String::as_str).chain(part.movies.iter().map(|movie| movie.path.as_str()))
}

fn sum(files: &dyn Files, path: &str, bytes: u64) -> Result<Digest, FilesError> {
    let mut sum = FileSum::default();
    let mut at = 0;
    while at < bytes {
        let step = (bytes - at).min(STEP_BYTES as u64) as usize;
        sum.update(&files.read(path, at, step)?);
        at += step as u64;
    }
    Ok(sum.finish())
}

fn read_register(bytes: &[u8]) -> Result<LogProof, String> {
    let register: LogProof = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match register.format {
        LogProof::FORMAT => Ok(register),
        format => Err(format!("format {format}, this program reads {}: take a later `vigie-verify`", LogProof::FORMAT)),
    }
}

fn check_register(
    bytes: &[u8],
    manifest: &Manifest,
    manifest_digest: Digest,
    trust: &Trust,
    findings: &mut Vec<Finding>,
) -> Proved {
    let mut proved = Proved::default();
    let register = match read_register(bytes) {
        Ok(register) => register,
        Err(why) => {
            findings.push(Finding::Register { why });
            return proved;
        }
    };
    let key = match &trust.key {
        Some(key) => Ok(key.clone()),
        None => CheckpointKey::parse(&manifest.site.log_key),
    };
    let checkpoint = match key.and_then(|key| register.verified(&key)) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            findings.push(Finding::OtherLog { why: error.to_string() });
            return proved;
        }
    };
    proved.checkpoint = Some(checkpoint);
    if let Some(policy) = &trust.policy {
        proved.witnesses = Some(witnessed(policy, &register, findings));
    }
    let mut other_manifest = false;
    for line in &register.entries {
        let entry = match line.entry(checkpoint) {
            Ok(entry) => entry,
            Err(_) => {
                findings.push(Finding::EntryNotProved { seq: line.seq });
                continue;
            }
        };
        match entry.event {
            Event::Reel { reel, hour, root, .. } => {
                proved.reels.insert(reel, (root.0, hour));
            }
            Event::Destroyed { hour, cameras, .. } => {
                for camera in cameras {
                    proved.destroyed.entry(camera).or_default().insert(hour);
                }
            }
            Event::Exported { export, manifest: digest, .. } if export == manifest.export => {
                if digest == manifest_digest {
                    proved.handed_over = Some(entry.at);
                } else {
                    other_manifest = true;
                }
            }
            _ => {}
        }
    }
    if proved.handed_over.is_none() {
        findings.push(if other_manifest { Finding::ManifestReplaced } else { Finding::NotHandedOver });
    }
    proved
}

/// The names of the witnesses of this policy who signed the checkpoint.
fn witnessed(policy: &WitnessPolicy, register: &LogProof, findings: &mut Vec<Finding>) -> Vec<String> {
    let quorum = policy.judge(register.checkpoint.as_bytes());
    let named = |signed: bool| {
        let witnesses = policy.witnesses.iter().zip(&quorum.cosignatures);
        let named = witnesses.filter(move |(_, cosignature)| cosignature.is_some() == signed);
        named.map(|(witness, _)| witness.name.clone()).collect::<Vec<_>>()
    };
    if !quorum.is_met {
        findings.push(Finding::Quorum { missing: named(false) });
    }
    named(true)
}
