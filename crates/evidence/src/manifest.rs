//! The manifest: what a package holds, of which cameras and times, why it left and by whom. One JSON file, `manifeste.json`,
//! whose digest stands in the town's log.

use crate::utc;
use aws_lc_rs::digest::{Context, SHA256};
use domain::{CameraId, Codec, ExportId, SiteId, UtcMicros};
use ledger::Digest;
use serde::{Deserialize, Serialize};

/// The manifest's own name.
pub const MANIFEST: &str = "manifeste.json";
/// What the log says of it: made after it, so it is not among its files.
pub const REGISTER: &str = "registre.json";
/// The folder of viewing copies.
pub const COPIES: &str = "visionnage";
/// The version of [`Manifest`]'s JSON.
pub const FORMAT: u8 = 1;
/// A manifest names files, cameras and gaps; a day of twenty cameras is a few hundred kilobytes.
pub const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// What a package is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u8,
    pub export: ExportId,
    pub site: SitePart,
    #[serde(with = "utc")]
    pub made: UtcMicros,
    /// For what: the requisition's number in the town's register, its legal framework and procedure.
    pub ground: Ground,
    pub cameras: Vec<CameraPart>,
    /// Every file but the manifest and the register.
    pub files: Vec<FileLine>,
    /// What the town says of its clock in these minutes, in its own words.
    pub clock: Statement,
    /// The program that made the package, and the rules that allowed it.
    pub program: ProgramPart,
}

/// Whose footage it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SitePart {
    pub id: SiteId,
    pub name: String,
    /// The key by which the log's checkpoints are verified, as C2SP signed-note writes it. A reader holds it against the one
    /// that the town publishes: from here alone it proves nothing.
    pub log_key: String,
}

/// Why the package left.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ground {
    /// Number in the town's register.
    pub number: String,
    /// The article, such as `CPP 60-1`.
    pub framework: String,
    pub authority: String,
    pub procedure: String,
}

/// A sentence in both languages.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Statement {
    pub fr: String,
    pub en: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProgramPart {
    pub version: String,
    /// SHA-256 of the program's file.
    pub digest: Option<Digest>,
    pub law_pack: String,
}

/// One camera's pictures of one time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CameraPart {
    pub camera: CameraId,
    pub name: String,
    pub place: String,
    /// What was asked for: from inclusive, to exclusive.
    #[serde(with = "utc")]
    pub from: UtcMicros,
    #[serde(with = "utc")]
    pub to: UtcMicros,
    /// Path of its proofs; none where the town has nothing of that time.
    pub proof: Option<String>,
    /// In the order of time.
    pub movies: Vec<MovieLine>,
    pub gaps: Vec<GapPart>,
    /// Who looked at this before, as the log counts it.
    #[serde(default)]
    pub looked: Option<Looked>,
}

/// Looks at one camera's time before it was handed over; who they were stays in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Looked {
    /// Replays whose span touches it.
    pub past: u32,
    /// Looks at the camera's live pictures that began in it.
    pub live: u32,
    /// Different accounts of both.
    pub persons: u32,
}

/// One file of pictures without a gap inside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MovieLine {
    pub path: String,
    /// When the pictures that are shown first and last were taken.
    #[serde(with = "utc")]
    pub first: UtcMicros,
    #[serde(with = "utc")]
    pub last: UtcMicros,
    pub pictures: u64,
    pub codec: Codec,
    pub width: u16,
    pub height: u16,
    /// One made of it for the eye, where browsers cannot play it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<CopyPart>,
}

/// A viewing copy: made of a movie, and no evidence. Its digest is that of its line among the files.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CopyPart {
    pub path: String,
    /// Of the movie's pictures.
    pub shown: u64,
    /// Those that it has not: black at their time, or behind its end.
    pub lacking: u64,
    /// What it is.
    #[serde(flatten)]
    pub says: Statement,
}

/// What every viewing copy says of itself.
pub const COPY_FR: &str = "copie de visionnage, pas une preuve";
pub const COPY_EN: &str = "viewing copy, not evidence";

impl CopyPart {
    /// The name of a movie's copy: `visionnage/camera-1-001-copie-pas-une-preuve.mp4`.
    pub fn path_of(movie: &str) -> String {
        let name = movie.rsplit('/').next().unwrap_or(movie);
        let stem = name.strip_suffix(".mp4").unwrap_or(name);
        format!("{COPIES}/{stem}-copie-pas-une-preuve.mp4")
    }
}

/// The cause of a gap whose pictures died at their deadline: the log proves it.
pub const DESTROYED: &str = "destroyed";

/// A time of which nothing is there, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GapPart {
    #[serde(with = "utc")]
    pub from: UtcMicros,
    #[serde(with = "utc")]
    pub to: UtcMicros,
    pub cause: String,
    pub fr: String,
    pub en: String,
}

/// A file of the package.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileLine {
    pub path: String,
    pub role: FileRole,
    pub bytes: u64,
    pub sha256: Digest,
}

/// What a file is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileRole {
    /// The camera's own pictures: the evidence.
    Movie,
    Proof,
    Report,
    Player,
    /// For the eye only: made of the evidence, not evidence itself.
    ViewingCopy,
    Other,
}

/// What a printed report says of the movies and proofs at once: SHA-256 of their lines as `sha256sum` writes them, in the order of their
/// paths. Whoever has the folder makes it again (`docs/formats/evidence.md`, section 1a).
pub fn list_digest(files: &[FileLine]) -> Digest {
    let mut of: Vec<&FileLine> =
        files.iter().filter(|file| matches!(file.role, FileRole::Movie | FileRole::Proof)).collect();
    of.sort_by(|one, other| one.path.cmp(&other.path));
    let lines: String = of.iter().map(|file| format!("{}  {}\n", file.sha256, file.path)).collect();
    file_digest(lines.as_bytes())
}

/// Why bytes are not a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("the manifest cannot be read ({0})")]
    Json(#[from] serde_json::Error),
    #[error("the manifest has format {format}, this program reads format {FORMAT}: take a later `vigie-verify`")]
    Format { format: u8 },
    #[error("the manifest names a path outside the package: `{path}`")]
    Path { path: String },
}

impl Manifest {
    pub fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        Ok(serde_json::to_vec_pretty(self)?)
    }

    /// Errors: as read, a later format, a path that leads out of the package.
    pub fn from_bytes(bytes: &[u8]) -> Result<Manifest, ManifestError> {
        #[derive(Deserialize)]
        struct Version {
            format: u8,
        }
        let Version { format } = serde_json::from_slice(bytes)?;
        if format != FORMAT {
            return Err(ManifestError::Format { format });
        }
        let manifest: Manifest = serde_json::from_slice(bytes)?;
        let proofs = manifest.cameras.iter().filter_map(|camera| camera.proof.as_ref());
        let movies = manifest.cameras.iter().flat_map(|camera| &camera.movies);
        let movies = movies.flat_map(|movie| [Some(&movie.path), movie.copy.as_ref().map(|copy| &copy.path)]).flatten();
        let mut paths = manifest.files.iter().map(|file| &file.path).chain(proofs).chain(movies);
        let outside = paths.find(|path| !is_inside(path)).cloned();
        drop(paths);
        match outside {
            Some(path) => Err(ManifestError::Path { path }),
            None => Ok(manifest),
        }
    }
}

/// SHA-256 of a whole file in memory.
pub fn file_digest(bytes: &[u8]) -> Digest {
    let mut sum = FileSum::default();
    sum.update(bytes);
    sum.finish()
}

/// SHA-256 of a file that goes by.
pub struct FileSum(Context);

impl Default for FileSum {
    fn default() -> FileSum {
        FileSum(Context::new(&SHA256))
    }
}

impl FileSum {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    pub fn finish(self) -> Digest {
        let mut digest = Digest::default();
        digest.0.copy_from_slice(self.0.finish().as_ref());
        digest
    }
}

/// A name of letters, digits, `-`, `_` and `.`, in folders: no way out, nothing that a shell or another system reads otherwise.
pub fn is_inside(path: &str) -> bool {
    let is_plain = |part: &str| {
        let plain = |sign: u8| sign.is_ascii_alphanumeric() || b"-_.".contains(&sign);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
    };
    path.len() <= 240 && path.split('/').all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_out_is_none() {
        for path in ["a", "video/cam-1_2.mp4", "preuves/x.jsonl"] {
            assert!(is_inside(path), "{path}");
        }
        for path in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a\\b", ".x", "a b", "C:x", &"a".repeat(241)] {
            assert!(!is_inside(path), "{path}");
        }
    }
}
