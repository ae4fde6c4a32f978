//! Cameras of another maker: GStreamer's RTSP server with streams encoded here, and its own word of what it sent.

use domain::UtcMicros;
use serde_json::Value;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// What a camera sends: a file of MPEG-TS.
pub struct Film {
    pub codec: &'static str,
    pub path: PathBuf,
}

/// A picture as it went into the camera's payloader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    pub session: u64,
    pub at: UtcMicros,
    /// Nanoseconds on the camera's own clock.
    pub pts: i64,
    /// SHA-256 of each NAL unit that is no parameter set, and its type.
    pub nals: Vec<(String, u8)>,
    /// The same of parameter sets.
    pub sets: Vec<String>,
}

/// The running server. Ends with this value.
pub struct Cameras {
    child: Child,
    log: PathBuf,
    port: u16,
    codecs: Vec<&'static str>,
}

impl Cameras {
    pub fn start(films: &[Film], folder: &Path) -> Cameras {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gstreamer/cameras.py");
        let log = folder.join("sent.log");
        let arguments = films.iter().map(|film| format!("{}={}", film.codec, film.path.display()));
        // Debian's Python: the bindings are a package of the system
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(File::create(&log).unwrap())
            .stderr(File::create(folder.join("gstreamer.log")).unwrap())
            .spawn()
            .expect("Debian's Python is installed (scripts/setup.sh)");
        let port = super::until("GStreamer's RTSP server listens (scripts/setup.sh installs it)", || {
            assert_eq!(child.try_wait().unwrap(), None, "see {}", folder.join("gstreamer.log").display());
            let text = std::fs::read_to_string(&log).unwrap();
            text.lines().next()?.strip_prefix("port ")?.parse().ok()
        });
        Cameras { child, log, port, codecs: films.iter().map(|film| film.codec).collect() }
    }

    pub fn url(&self, number: usize) -> String {
        format!("rtsp://127.0.0.1:{}/{number}", self.port)
    }

    /// Everything that a camera has sent by now, in order.
    pub fn sent(&self, number: usize) -> Vec<Sent> {
        let mut sent: Vec<Sent> = Vec::new();
        let text = std::fs::read_to_string(&self.log).unwrap();
        // the newest line may be on its way
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines().skip(1) {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["camera"] == number {
                let picture = self.picture(number, &line);
                // a pipeline that starts hands its first picture on twice, the second time whole, and sends it once
                if sent.last().is_some_and(|last| (last.session, last.pts) == (picture.session, picture.pts)) {
                    sent.pop();
                }
                sent.push(picture);
            }
        }
        sent
    }

    fn picture(&self, number: usize, line: &Value) -> Sent {
        let sets = if self.codecs[number] == "h264" { 7..=8 } else { 32..=34 };
        let unit = |unit: &Value| (unit[0].as_str().unwrap().to_owned(), unit[1].as_u64().unwrap() as u8);
        let units: Vec<_> = line["nals"].as_array().unwrap().iter().map(unit).collect();
        let is_set = |unit: &&(String, u8)| sets.contains(&unit.1);
        Sent {
            session: line["session"].as_u64().unwrap(),
            at: UtcMicros(line["at"].as_i64().unwrap()),
            pts: line["pts"].as_i64().unwrap(),
            nals: units.iter().filter(|unit| !is_set(unit)).cloned().collect(),
            sets: units.iter().filter(is_set).map(|unit| unit.0.clone()).collect(),
        }
    }
}

impl Drop for Cameras {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if self.child.kill().and_then(|()| self.child.wait()).is_err() {
            eprintln!("GStreamer's server had ended before");
        }
    }
}

/// A test picture of so many seconds, encoded.
pub fn film(folder: &Path, name: &str, picture: &str, seconds: u32, codec: &'static str, encoder: &[&str]) -> Film {
    let path = folder.join(format!("{name}.ts"));
    let source = format!("{picture}:duration={seconds}");
    let library = if codec == "h264" { "libx264" } else { "libx265" };
    let input = ["-v", "error", "-f", "lavfi", "-i", &source, "-pix_fmt", "yuv420p", "-c:v", library];
    ffmpeg(&[&input[..], &["-preset", "ultrafast"], encoder, &["-f", "mpegts", path.to_str().unwrap()]].concat());
    Film { codec, path }
}

/// A film as it is, again and again until it is long enough.
pub fn looped(folder: &Path, name: &str, film: &Path, seconds: u32) -> Film {
    let path = folder.join(format!("{name}.ts"));
    let (film, length) = (film.to_str().unwrap(), seconds.to_string());
    let input = ["-v", "error", "-stream_loop", "-1", "-i", film, "-map", "0:v", "-c", "copy", "-t", &length];
    ffmpeg(&[&input[..], &["-f", "mpegts", path.to_str().unwrap()]].concat());
    Film { codec: "h264", path }
}

/// Films one after the other, each with its own parameter sets.
pub fn joined(folder: &Path, name: &str, films: &[&Film], seconds: u32) -> Film {
    let (list, path) = (folder.join(format!("{name}.txt")), folder.join(format!("{name}.ts")));
    let lines = films.iter().map(|film| format!("file '{}'\n", film.path.display()));
    std::fs::write(&list, lines.collect::<String>()).unwrap();
    let (list, length) = (list.to_str().unwrap(), seconds.to_string());
    let input = ["-v", "error", "-f", "concat", "-safe", "0", "-i", list, "-c", "copy", "-t", &length];
    ffmpeg(&[&input[..], &["-f", "mpegts", path.to_str().unwrap()]].concat());
    Film { codec: films[0].codec, path }
}

fn ffmpeg(arguments: &[&str]) {
    let output = Command::new("ffmpeg").arg("-y").args(arguments).output().expect("install FFmpeg");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ffmpeg {arguments:?}: {errors}");
}
