//! Clips: each scene is rendered and encoded once, then kept in a cache outside the source tree.

use crate::{
    coding::{Codec, Coding, Group, Part},
    packetise::{CodedClip, StreamError, nal_digest},
    scene::{ClipSize, FRAMES_PER_SECOND, GroundTruth, Scene, Setting},
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
        "`ffmpeg` could not encode the scene of camera {camera}: {message}: are its encoders libx264 and libx265 there (`ffmpeg -encoders`)?"
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

/// What is filmed: whose place, by which dice, how large, when.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Shot {
    pub camera: u32,
    pub seed: u64,
    pub size: ClipSize,
    pub setting: Setting,
}

/// One camera's clip on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClipFiles {
    /// H.264 or H.265, Annex B.
    pub video: PathBuf,
    /// [`GroundTruth`] as JSON.
    pub truth: PathBuf,
    pub coding: Coding,
    size: ClipSize,
    /// Each picture's place among those shown, as JSON; only where the coding is not the plain one.
    order: Option<PathBuf>,
}

/// Everything that decides how a scene looks: a change of the code gives the clip another name, so no stale one is
/// sent.
const SCENE_SOURCES: [&str; 18] = [
    include_str!("scene.rs"),
    include_str!("random.rs"),
    include_str!("scene/canvas.rs"),
    include_str!("scene/figure.rs"),
    include_str!("scene/font.rs"),
    include_str!("scene/lens.rs"),
    include_str!("scene/night.rs"),
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
    include_str!("coding.rs"),
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
    prepare_plain(Shot { camera, seed, size, setting: Setting::Day }, folder)
}

fn prepare_plain(shot: Shot, folder: &Path) -> Result<ClipFiles, ClipError> {
    // One rendering at a time in a process: the second caller finds what the first has made. Two processes may both
    // render; the files are the same and appear by a rename.
    static RENDERING: Mutex<()> = Mutex::new(());
    let files = file_names(shot, folder);
    let Shot { camera, seed, size, setting } = shot;
    let alone = RENDERING.lock().unwrap_or_else(PoisonError::into_inner);
    if !(files.video.exists() && files.truth.exists()) {
        fs::create_dir_all(folder).map_err(|source| file_error("create", folder, source))?;
        tracing::info!(camera, "rendering and encoding a street scene, once");
        let mut scene = Scene::new(camera, seed, size, setting);
        let truth = serde_json::to_vec(&scene.truth())
            .map_err(|source| ClipError::Truth { path: files.truth.clone(), source })?;
        write_renamed(&files.truth, |path| fs::write(path, truth).map_err(|source| file_error("write", path, source)))?;
        write_renamed(&files.video, |path| encode(&mut scene, camera, size, path))?;
    }
    drop(alone);
    Ok(files)
}

/// The same in another coding: made from the rendered clip, so that the ground truth is the same.
pub fn prepare_coded(shot: Shot, coding: Coding, folder: &Path) -> Result<ClipFiles, ClipError> {
    static CODING: Mutex<()> = Mutex::new(());
    let plain = prepare_plain(shot, folder)?;
    if coding.is_plain() {
        return Ok(plain);
    }
    let extension = if coding.codec == Codec::H264 { "h264" } else { "h265" };
    let settings: Vec<Vec<String>> = coding.parts(shot.size).into_iter().map(Part::encoder).collect();
    let digest = short_digest(&format!("{settings:?} {}", include_str!("clip.rs")));
    let stem = plain.video.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = |extension: &str| folder.join(format!("{stem}-{coding}-{digest}.{extension}"));
    let (video, order) = (name(extension), name("order.json"));
    let alone = CODING.lock().unwrap_or_else(PoisonError::into_inner);
    if !(video.exists() && order.exists()) {
        tracing::info!(camera = shot.camera, %coding, "coding a street scene anew, once");
        code_anew(&plain, shot.camera, coding, (&video, &order))?;
    }
    drop(alone);
    Ok(ClipFiles { video, order: Some(order), coding, ..plain })
}

/// Reads a clip and makes it ready to be sent.
pub fn load(files: &ClipFiles) -> Result<CodedClip, ClipError> {
    let read = |path: &Path| fs::read(path).map_err(|source| file_error("read", path, source));
    let (data, codec) = (read(&files.video)?, files.coding.codec);
    let Some(order) = &files.order else { return Ok(CodedClip::from_annex_b(codec, &data)?) };
    let order: Vec<u32> =
        serde_json::from_slice(&read(order)?).map_err(|source| ClipError::Truth { path: order.clone(), source })?;
    let open = files.coding.group == Group::Open;
    let clip = CodedClip::reordered(codec, &data, &order, files.size.frames(), open)?;
    let whole = files.size.frames() * files.coding.turns(files.size);
    Ok(if files.coding.group == Group::Smart { clip.spread(&order, whole) } else { clip })
}

/// Reads a clip's ground truth.
pub fn load_truth(files: &ClipFiles) -> Result<GroundTruth, ClipError> {
    let text = fs::read(&files.truth).map_err(|source| file_error("read", &files.truth, source))?;
    serde_json::from_slice(&text).map_err(|source| ClipError::Truth { path: files.truth.clone(), source })
}

fn file_names(shot: Shot, folder: &Path) -> ClipFiles {
    let Shot { camera, seed, size, setting } = shot;
    let coding = Coding::default();
    let settings: Vec<Vec<String>> = coding.parts(size).into_iter().map(Part::encoder).collect();
    let digest = short_digest(&format!("{shot:?} {settings:?} {}", SCENE_SOURCES.concat()));
    let when = match setting {
        Setting::Day => "day",
        Setting::Night => "night",
        Setting::NightCorner => "corner",
    };
    let stem = format!("cam{camera}-seed{seed}-{when}-{}x{}-{digest}", size.width_px(), size.height_px());
    let (video, truth) = (folder.join(format!("{stem}.h264")), folder.join(format!("{stem}.json")));
    ClipFiles { video, truth, coding, size, order: None }
}

fn short_digest(text: &str) -> String {
    nal_digest(text.as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect()
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
    let picture = format!("{}x{}", size.width_px(), size.height_px());
    let rate = FRAMES_PER_SECOND.to_string();
    let mut command = ffmpeg();
    command.args(["-f", "rawvideo", "-pix_fmt", "rgba", "-s", &picture, "-r", &rate, "-i", "pipe:0"]);
    for part in Coding::default().parts(size) {
        command.args(part.encoder());
    }
    command.args(["-f", "h264"]).arg(path);
    run(command, camera, |pipe| (0..size.frames()).try_for_each(|frame| pipe.write_all(&scene.render(frame)))).map(drop)
}

/// Each part of a coding from the rendered clip, one after the other, and the order in which the pictures are shown.
fn code_anew(plain: &ClipFiles, camera: u32, coding: Coding, to: (&Path, &Path)) -> Result<(), ClipError> {
    let rendered = fs::read(&plain.video).map_err(|source| file_error("read", &plain.video, source))?;
    let rate = FRAMES_PER_SECOND.to_string();
    let (mut video, mut order) = (Vec::new(), Vec::new());
    let folder = to.0.parent().unwrap_or(Path::new("."));
    let name = format!("coding-{}.tmp", std::process::id());
    for part in coding.parts(plain.size) {
        let mut command = ffmpeg();
        command.args(["-framerate", &rate, "-f", "h264", "-i", "pipe:0", "-map", "0:v", "-fps_mode", "passthrough"]);
        let muxer = if coding.codec == Codec::H264 { "h264" } else { "hevc" };
        // one coding, two answers: the stream, and on standard output a line for each picture with its time
        command.args(part.encoder()).args(["-f", "tee", &format!("[f={muxer}]{name}|[f=framecrc]pipe:1")]);
        command.current_dir(folder);
        let lines = run(command, camera, |pipe| (0..part.turns).try_for_each(|_| pipe.write_all(&rendered)))?;
        let path = folder.join(&name);
        video.extend(fs::read(&path).map_err(|source| file_error("read", &path, source))?);
        fs::remove_file(&path).map_err(|source| file_error("remove", &path, source))?;
        let begin = order.len() as u32;
        let lines = lines.lines().filter(|line| !line.starts_with('#'));
        let shown = lines.map(|line| line.split(',').nth(2).and_then(|time| time.trim().parse::<u32>().ok()));
        let shown: Option<Vec<u32>> = shown.collect();
        let no_order = || ClipError::Encoding { camera, message: "it told no times of pictures".into() };
        order.extend(shown.ok_or_else(no_order)?.into_iter().map(|time| begin + time));
    }
    let order = serde_json::to_vec(&order).map_err(|source| ClipError::Truth { path: to.1.to_owned(), source })?;
    write_renamed(to.1, |path| fs::write(path, order).map_err(|source| file_error("write", path, source)))?;
    write_renamed(to.0, |path| fs::write(path, video).map_err(|source| file_error("write", path, source)))
}

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]);
    command
}

/// Runs it, gives it pictures on its standard input; what it printed comes back.
fn run(
    mut command: Command,
    camera: u32,
    feed: impl FnOnce(&mut std::process::ChildStdin) -> io::Result<()>,
) -> Result<String, ClipError> {
    let failed = |message: String| ClipError::Encoding { camera, message };
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ClipError::FfmpegMissing,
        _ => failed(error.to_string()),
    })?;
    // its lines are few and short enough for a pipe until all pictures are fed: 64 KiB are a thousand pictures
    let written = child.stdin.take().map_or(Ok(()), |mut pipe| feed(&mut pipe));
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match written {
        _ if !output.status.success() => Err(failed(format!("{}: {complaint}", output.status))),
        Err(error) => Err(failed(format!("{error} {complaint}"))),
        Ok(()) => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
    }
}

fn file_error(operation: &'static str, path: &Path, source: io::Error) -> ClipError {
    ClipError::File { operation, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nal::PictureKind;

    #[test]
    fn a_clip_is_encoded_once_and_has_a_key_frame_each_two_seconds() {
        let folder = tempfile::tempdir().unwrap();
        let files = prepare(1, 1, ClipSize::Small, folder.path()).unwrap();
        let clip = load(&files).unwrap();
        assert_eq!(clip.frames.len(), ClipSize::Small.frames() as usize);
        let keys: Vec<usize> = (0..clip.frames.len()).filter(|&n| clip.frames[n].kind.is_key()).collect();
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
        let name = |seed, size| file_names(Shot { camera: 1, seed, size, setting: Setting::Day }, Path::new("")).video;
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
    fn coded(text: &str) -> (CodedClip, Vec<usize>) {
        let folder = tempfile::tempdir().unwrap();
        let shot = Shot { camera: 1, seed: 1, size: ClipSize::Small, setting: Setting::Day };
        let files = prepare_coded(shot, text.parse().unwrap(), folder.path()).unwrap();
        let clip = load(&files).unwrap();
        let keys = (0..clip.frames.len()).filter(|&n| clip.frames[n].kind.is_key()).collect();
        let mut truth: Vec<u32> = clip.frames.iter().map(|frame| frame.truth_frame).collect();
        truth.sort_unstable();
        truth.dedup();
        assert_eq!(truth.len(), ClipSize::Small.frames() as usize, "{text}: every frame of the scene is sent");
        (clip, keys)
    }

    #[test]
    fn a_coding_in_h265_has_groups_of_two_seconds_and_all_parameter_sets() {
        let (clip, keys) = coded("h265");
        assert_eq!((keys, clip.frames.len(), clip.delay), (vec![0, 24], 48, 0));
        assert!(!clip.vps.is_empty() && clip.frames[24].parameter_sets.len() == 3);
    }

    #[test]
    fn b_pictures_are_sent_in_another_order_than_they_are_shown() {
        for text in ["h264+b-frames", "h265+b-frames"] {
            let (clip, keys) = coded(text);
            assert_eq!((keys, clip.frames.len()), (vec![0, 24], 48), "{text}");
            assert!(clip.delay >= 1 && clip.frames.iter().filter(|frame| frame.offset != 0).count() > 20, "{text}");
        }
    }

    #[test]
    fn an_open_group_has_leading_pictures_and_never_an_idr_picture() {
        let (clip, keys) = coded("h265+open-gop");
        assert_eq!((keys, clip.frames.len()), (vec![0, 24], 48));
        let of = |kind| clip.frames.iter().filter(|frame| frame.kind == kind).count();
        assert_eq!((of(PictureKind::Cra), of(PictureKind::Idr)), (2, 0));
        assert!(of(PictureKind::Leading) >= 4);
        assert!(clip.frames[1..4].iter().all(|frame| frame.kind == PictureKind::Leading && frame.offset < 0));
    }

    #[test]
    fn a_long_group_has_one_key_picture_in_sixty_seconds() {
        for text in ["h264+long-gop", "h265+long-gop"] {
            let (clip, keys) = coded(text);
            assert_eq!((keys, clip.frames.len()), (vec![0], 720), "{text}");
        }
    }

    #[test]
    fn a_smart_camera_has_groups_of_many_lengths_and_leaves_pictures_out() {
        let (clip, keys) = coded("h264+smart");
        assert_eq!((keys, clip.frames.len()), (vec![0, 12, 24, 48, 96, 192], 720));
        let sent =
            |places: std::ops::Range<usize>| clip.frames[places].iter().filter(|frame| !frame.is_blank()).count();
        assert_eq!((sent(0..48), sent(48..96), sent(192..720)), (48, 8, 88));
    }

    #[test]
    fn a_camera_with_intra_refresh_sends_one_idr_picture_and_no_whole_intra_picture_after_it() {
        let (clip, keys) = coded("h264+intra-refresh");
        assert_eq!((keys, clip.frames.len()), (vec![0], 720));
    }

    #[test]
    fn what_changes_is_told_by_other_parameter_sets_under_the_same_numbers() {
        for text in ["h264+changing-sets", "h265+changing-sets", "h264+changing-size", "h265+changing-size"] {
            let (clip, keys) = coded(text);
            assert_eq!(keys, [0, 24, 48, 72], "{text}");
            let sets = |key: usize| clip.frames[key].parameter_sets.clone();
            assert!(sets(0) == sets(24) && sets(48) == sets(72), "{text}");
            let count = sets(0).len();
            assert!(sets(0)[count - 2] != sets(48)[count - 2], "{text}: the SPS changes");
            assert!(text.contains("size") || sets(0)[count - 1] != sets(48)[count - 1], "{text}: the PPS changes");
        }
    }
}
