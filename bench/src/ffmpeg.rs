//! What most installations would do without a recorder: one FFmpeg per camera, copying into fragmented MP4 of 10 s.

use crate::{
    Cost, Outcome,
    processes::{cpu_seconds, memory},
    source::Source,
};
use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const WARM: Duration = Duration::from_secs(12);
const PATIENCE: Duration = Duration::from_secs(90);

/// Processes that are killed when this goes.
struct Recorders(Vec<Child>);

impl Drop for Recorders {
    fn drop(&mut self) {
        for child in &mut self.0 {
            if let Err(error) = child.kill().and_then(|()| child.wait().map(|_| ())) {
                eprintln!("bench: an ffmpeg could not be ended: {error}");
            }
        }
    }
}

pub fn measure(out: &Path, source: &Source, time: Duration) -> Outcome<Cost> {
    let folder = out.join("ffmpeg");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let mut recorders = Recorders(Vec::new());
    for camera in 1..=source.cameras {
        recorders.0.push(start(&folder, camera, &source.url(camera))?);
    }
    let asked = Instant::now();
    while source.played(1).0 < source.cameras as usize {
        if asked.elapsed() > PATIENCE {
            return Err(format!("only {} cameras play", source.played(1).0).into());
        }
        sleep(Duration::from_millis(200));
    }
    sleep(WARM);
    let cpu = || recorders.0.iter().map(|child| cpu_seconds(child.id())).sum::<f64>();
    let (cpu_before, before) = (cpu(), source.sent());
    sleep(time);
    let (cpu_after, after) = (cpu(), source.sent());
    let (resident, proportional) =
        recorders.0.iter().map(|child| memory(child.id())).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    drop(recorders);
    fs::remove_dir_all(&folder)?;
    Ok(Cost {
        name: "FFmpeg, `-c copy`, a process each".into(),
        cpu_seconds: cpu_after - cpu_before,
        bytes: after.bytes - before.bytes,
        frames: after.frames - before.frames,
        resident,
        proportional,
        parts: Vec::new(),
        lost: None,
        skipped: after.skipped,
    })
}

fn start(folder: &Path, camera: u32, url: &str) -> Outcome<Child> {
    let segments = folder.join(format!("cam{camera}-%05d.mp4"));
    let movflags = "movflags=frag_keyframe+empty_moov+default_base_moof";
    let child = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", url, "-c", "copy", "-an"])
        .args(["-f", "segment", "-segment_time", "10", "-segment_format", "mp4"])
        .args(["-segment_format_options", movflags, "-reset_timestamps", "1"])
        .arg(segments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Ok(child.map_err(|error| format!("cannot start ffmpeg: {error}: install it (scripts/setup.sh)"))?)
}
