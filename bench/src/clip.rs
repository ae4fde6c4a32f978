//! The picture that all cameras send: a test card with noise at a camera's bit rate, made once by FFmpeg, never committed.

use crate::Outcome;
use simulator::{coding::Codec, packetise::CodedClip};
use std::{fs, path::Path, process::Command, sync::Arc};

pub const FRAMES_PER_SECOND: u32 = 25;
/// A key frame every two seconds, as cameras come from the factory.
pub const GROUP_FRAMES: u32 = 50;
const SECONDS: u32 = 20;

/// 1080p25 H.264 of so many kbit/s.
pub fn prepare(folder: &Path, kilobits: u32) -> Outcome<Arc<CodedClip>> {
    let path = folder.join(format!("clip-{kilobits}.h264"));
    if !path.exists() {
        let (input, rate) =
            (format!("testsrc2=size=1920x1080:rate={FRAMES_PER_SECOND},noise=alls=6:allf=t"), format!("{kilobits}k"));
        let (buffer, group, seconds) = (format!("{}k", kilobits * 2), GROUP_FRAMES.to_string(), SECONDS.to_string());
        let temporary = path.with_extension("tmp");
        #[rustfmt::skip]
        let status = Command::new("ffmpeg")
            .args(["-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i", &input, "-t", &seconds])
            .args(["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", &group])
            .args(["-sc_threshold", "0", "-b:v", &rate, "-minrate", &rate, "-maxrate", &rate, "-bufsize", &buffer])
            .args(["-x264-params", "nal-hrd=cbr:force-cfr=1", "-f", "h264"])
            .arg(&temporary)
            .status()
            .map_err(|error| format!("cannot start ffmpeg: {error}: install it (scripts/setup.sh)"))?;
        if !status.success() {
            return Err("ffmpeg could not make the clip".into());
        }
        fs::rename(&temporary, &path)?;
    }
    let clip = CodedClip::from_annex_b(Codec::H264, &fs::read(&path)?)?;
    let bits: usize = clip.frames.iter().map(|frame| frame.payload_bytes() * 8).sum();
    let rate = bits as f64 / clip.frames.len() as f64 * f64::from(FRAMES_PER_SECOND) / 1e6;
    println!("clip: {} pictures, {rate:.2} Mbit/s", clip.frames.len());
    Ok(Arc::new(clip))
}
