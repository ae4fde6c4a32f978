//! Clips: each scene is rendered and encoded once, then kept in a cache outside the source tree.

use crate::{
    packetise::{CodedClip, StreamError, nal_digest},
    scene::{ClipSize, FRAMES_PER_SECOND, GroundTruth, Scene},
};
use std::{
    env, fs, io,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// Why there is no clip.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    #[error("the program `ffmpeg` is missing, the street scenes cannot be encoded: run `apt-get install ffmpeg`")]
    FfmpegMissing,
    #[error(
        "`ffmpeg` could not encode the scene of camera {camera}: {message}: is its encoder libx264 there (`ffmpeg -encoders`)?"
    )]
    Encoding { camera: u32, message: String },
    #[error("no folder for the clips: set VIGIE_CACHE, XDG_CACHE_HOME or HOME to one that can be written")]
    NoCacheFolder,
    #[error("cannot {operation} `{path}`: {source}: check rights and space, or set VIGIE_CACHE", path = path.display())]
    File { operation: &'static str, path: PathBuf, source: io::Error },
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error("the ground truth `{path}` cannot be read: {source}: delete it, it is written again", path = path.display())]
    Truth { path: PathBuf, source: serde_json::Error },
}

/// One camera's clip on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClipFiles {
    /// H.264, Annex B.
    pub video: PathBuf,
    /// [`GroundTruth`] as JSON.
    pub truth: PathBuf,
}

/// The encoder's settings: High profile, no B pictures, a closed group each two seconds, about 1 Mbit/s.
const ENCODER: [&str; 18] = [
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-profile:v",
    "high",
    "-bf",
    "0",
    "-b:v",
    "1M",
    "-maxrate",
    "1500k",
    "-bufsize",
    "1M",
    "-x264-params",
    "keyint=24:min-keyint=24:scenecut=0:open-gop=0:aud=0",
    "-pix_fmt",
    "yuv420p",
];

/// Everything that decides how a scene looks: a change of the code gives the clip another name, so no stale one is
/// sent.
const SCENE_SOURCES: [&str; 16] = [
    include_str!("scene.rs"),
    include_str!("random.rs"),
    include_str!("scene/canvas.rs"),
    include_str!("scene/figure.rs"),
    include_str!("scene/font.rs"),
    include_str!("scene/lens.rs"),
    include_str!("scene/place.rs"),
    include_str!("scene/places.rs"),
    include_str!("scene/places/centre.rs"),
    include_str!("scene/places/outskirts.rs"),
    include_str!("scene/places/pieces.rs"),
    include_str!("scene/route.rs"),
    include_str!("scene/traffic.rs"),
    include_str!("scene/truth.rs"),
    include_str!("scene/vehicle.rs"),
    include_str!("clip.rs"),
];

/// `$VIGIE_CACHE`, else `$XDG_CACHE_HOME/vigie`, else `~/.cache/vigie`.
pub fn cache_folder() -> Result<PathBuf, ClipError> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("VIGIE_CACHE")
        .or_else(|| folder("XDG_CACHE_HOME").map(|path| path.join("vigie")))
        .or_else(|| folder("HOME").map(|path| path.join(".cache").join("vigie")))
        .ok_or(ClipError::NoCacheFolder)
}

/// The files of a camera's clip in `folder`, rendered and encoded now if they are not there yet.
pub fn prepare(camera: u32, seed: u64, size: ClipSize, folder: &Path) -> Result<ClipFiles, ClipError> {
    // One rendering at a time in a process: the second caller finds what the first has made. Two processes may both
    // render; the files are the same and appear by a rename.
    static RENDERING: Mutex<()> = Mutex::new(());
    let files = file_names(camera, seed, size, folder);
    let alone = RENDERING.lock().unwrap_or_else(PoisonError::into_inner);
    if !(files.video.exists() && files.truth.exists()) {
        fs::create_dir_all(folder).map_err(|source| file_error("create", folder, source))?;
        tracing::info!(camera, "rendering and encoding a street scene, once");
        let mut scene = Scene::new(camera, seed, size);
        let truth = serde_json::to_vec(&scene.truth())
            .map_err(|source| ClipError::Truth { path: files.truth.clone(), source })?;
        write_renamed(&files.truth, |path| fs::write(path, truth).map_err(|source| file_error("write", path, source)))?;
        write_renamed(&files.video, |path| encode(&mut scene, camera, size, path))?;
    }
    drop(alone);
    Ok(files)
}

/// Reads a clip and makes it ready to be sent.
pub fn load(files: &ClipFiles) -> Result<CodedClip, ClipError> {
    let data = fs::read(&files.video).map_err(|source| file_error("read", &files.video, source))?;
    Ok(CodedClip::from_annex_b(&data)?)
}

/// Reads a clip's ground truth.
pub fn load_truth(files: &ClipFiles) -> Result<GroundTruth, ClipError> {
    let text = fs::read(&files.truth).map_err(|source| file_error("read", &files.truth, source))?;
    serde_json::from_slice(&text).map_err(|source| ClipError::Truth { path: files.truth.clone(), source })
}

fn file_names(camera: u32, seed: u64, size: ClipSize, folder: &Path) -> ClipFiles {
    let what = format!("{camera} {seed} {size:?} {ENCODER:?} {}", SCENE_SOURCES.concat());
    let digest: String = nal_digest(what.as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let stem = format!("cam{camera}-seed{seed}-{}x{}-{digest}", size.width_px(), size.height_px());
    ClipFiles { video: folder.join(format!("{stem}.h264")), truth: folder.join(format!("{stem}.json")) }
}

/// 1 write under a temporary name of this process · 2 rename; what was written is removed when it failed.
fn write_renamed(path: &Path, write: impl FnOnce(&Path) -> Result<(), ClipError>) -> Result<(), ClipError> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = write(&temporary)
        .and_then(|()| fs::rename(&temporary, path).map_err(|source| file_error("rename", &temporary, source)));
    match written {
        Ok(()) => Ok(()),
        Err(error) => match fs::remove_file(&temporary) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(file_error("remove", &temporary, source)),
            _ => Err(error),
        },
    }
}

/// Pipes the rendered pictures into `ffmpeg`.
fn encode(scene: &mut Scene, camera: u32, size: ClipSize, path: &Path) -> Result<(), ClipError> {
    let failed = |message: String| ClipError::Encoding { camera, message };
    let picture = format!("{}x{}", size.width_px(), size.height_px());
    let rate = FRAMES_PER_SECOND.to_string();
    let mut child = Command::new("ffmpeg")
        .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgba"])
        .args(["-s", &picture, "-r", &rate, "-i", "pipe:0"])
        .args(ENCODER)
        .args(["-f", "h264"])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ClipError::FfmpegMissing,
            _ => failed(error.to_string()),
        })?;
    let mut written = Ok(());
    if let Some(mut pipe) = child.stdin.take() {
        written = (0..size.frames()).try_for_each(|frame| pipe.write_all(&scene.render(frame)));
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match written {
        _ if !output.status.success() => Err(failed(format!("{}: {complaint}", output.status))),
        Err(error) => Err(failed(format!("{error} {complaint}"))),
        Ok(()) => Ok(()),
    }
}

fn file_error(operation: &'static str, path: &Path, source: io::Error) -> ClipError {
    ClipError::File { operation, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_encoded_once_and_has_a_key_frame_each_two_seconds() {
        let folder = tempfile::tempdir().unwrap();
        let files = prepare(1, 1, ClipSize::Small, folder.path()).unwrap();
        let clip = load(&files).unwrap();
        assert_eq!(clip.frames.len(), ClipSize::Small.frames() as usize);
        let keys: Vec<usize> = (0..clip.frames.len()).filter(|&n| clip.frames[n].idr).collect();
        assert_eq!(keys, [0, 24]);
        assert_eq!(clip.sps[1], 100, "High profile");
        let written = fs::metadata(&files.video).unwrap().modified().unwrap();
        assert_eq!(prepare(1, 1, ClipSize::Small, folder.path()).unwrap(), files);
        assert_eq!(fs::metadata(&files.video).unwrap().modified().unwrap(), written);
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "no temporary file stays: {names:?}");
        assert_eq!(load_truth(&files).unwrap().camera, 1);
    }

    #[test]
    fn another_seed_or_size_has_another_name() {
        let name = |seed, size| file_names(1, seed, size, Path::new("")).video;
        assert_ne!(name(1, ClipSize::Small), name(2, ClipSize::Small));
        assert_ne!(name(1, ClipSize::Small), name(1, ClipSize::Town));
    }

    #[test]
    fn every_file_of_the_scene_decides_the_name_of_its_clips() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![source.join("scene")];
        let mut texts = vec![fs::read_to_string(source.join("scene.rs")).unwrap()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { texts.push(fs::read_to_string(path).unwrap()) }
            }
        }
        assert!(texts.len() > 10);
        assert!(texts.iter().all(|text| SCENE_SOURCES.contains(&text.as_str())));
    }
}
