//! Films of FFmpeg's own encoders, taken apart into pictures with FFmpeg's own times.

use bytes::Bytes;
use domain::Codec;
use media::{ParameterSets, codec::parameter_sets, h264, h265};
use picture::Coded;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

#[allow(dead_code)] // each test takes what it needs
pub struct Film {
    pub file: PathBuf,
    pub sets: ParameterSets,
    /// The same as NAL units after their lengths.
    pub set_units: Vec<u8>,
    pub pictures: Vec<Coded>,
}

pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("cannot run `{program}` ({error}): install FFmpeg (`make test` does)"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}:\n{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Thirty pictures, a key picture every ten.
pub fn film(
    folder: &Path,
    name: &str,
    (width, height): (u16, u16),
    codec: Codec,
    form: &str,
    options: &[&str],
) -> Film {
    let file = folder.join(format!("{name}.mp4"));
    let stream = folder.join(format!("{name}.stream"));
    let (mp4, raw) = (file.to_str().unwrap(), stream.to_str().unwrap());
    let source = format!("testsrc2=size={width}x{height}:rate=25:duration=1.2");
    let (library, filter, container) = match codec {
        Codec::H264 => ("libx264", "h264_mp4toannexb", "h264"),
        Codec::H265 => ("libx265", "hevc_mp4toannexb", "hevc"),
    };
    let input = ["-v", "error", "-f", "lavfi", "-i", &source, "-pix_fmt", form, "-c:v", library, "-g", "10"];
    let fast = [
        "-sc_threshold",
        "0",
        "-preset",
        "ultrafast",
        "-x265-params",
        "log-level=none:scenecut=0:open-gop=0:pools=none",
    ];
    let fast = if codec == Codec::H265 { &fast[2..] } else { &fast[..4] };
    run("ffmpeg", &[&input[..], fast, options, &["-video_track_timescale", "90000", mp4]].concat());
    run("ffmpeg", &["-v", "error", "-i", mp4, "-c", "copy", "-bsf:v", filter, "-f", container, raw]);
    let units = units(&fs::read(&stream).unwrap());
    let (sets, pictures): (Vec<_>, Vec<_>) = units.into_iter().partition(|unit| is_set(codec, unit));
    let of = |kind: u8| -> &[u8] { sets.iter().find(|set| kind_of(codec, set) == kind).unwrap() };
    let (config, set_units) = match codec {
        Codec::H264 => (h264::avcc_from_sets(&[of(7)], &[of(8)]).unwrap(), [of(7), of(8)].to_vec()),
        Codec::H265 => {
            (h265::hvcc_from_sets(&[of(32)], &[of(33)], &[of(34)]).unwrap(), [of(32), of(33), of(34)].to_vec())
        }
    };
    let set_units = set_units.iter().flat_map(|set| after_length(set)).collect();
    let pictures = in_pictures(codec, &pictures);
    let told = run(
        "ffprobe",
        &["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts,dts,flags", "-of", "csv=p=0", mp4],
    );
    let pictures: Vec<Coded> = told.lines().zip(pictures).map(|(line, data)| coded(line, data)).collect();
    assert_eq!((pictures.len(), told.lines().count()), (30, 30));
    Film { file, sets: parameter_sets(codec, &Bytes::from(config)).unwrap(), set_units, pictures }
}

/// `pts,dts,K__`
fn coded(line: &str, data: Vec<u8>) -> Coded {
    let words: Vec<&str> = line.split(',').collect();
    let is_key = words[2].starts_with('K');
    Coded { is_key, is_black: false, pts: words[0].parse().unwrap(), dts: words[1].parse().unwrap(), data }
}

/// Every picture, small, without what is below it.
pub fn films_shown(file: &Path, height: u16) -> Vec<u8> {
    let filter = format!("crop=iw:{height}:0:0,scale=64:36:flags=area:out_range=tv,format=yuv420p");
    let output = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-i",
            file.to_str().unwrap(),
            "-vf",
            &filter,
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-",
        ])
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Between start codes, without the zeros behind them.
fn units(stream: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> =
        (0..stream.len().saturating_sub(2)).filter(|at| stream[*at..*at + 3] == [0, 0, 1]).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    let unit = |(from, to): (&usize, usize)| {
        let unit = &stream[from + 3..to];
        unit[..unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)].to_vec()
    };
    starts.iter().zip(ends).map(unit).collect()
}

fn kind_of(codec: Codec, unit: &[u8]) -> u8 {
    match codec {
        Codec::H264 => unit[0] & 0x1f,
        Codec::H265 => unit[0] >> 1 & 0x3f,
    }
}

fn is_set(codec: Codec, unit: &[u8]) -> bool {
    match codec {
        Codec::H264 => matches!(kind_of(codec, unit), 7 | 8),
        Codec::H265 => matches!(kind_of(codec, unit), 32..=34),
    }
}

/// Whether a slice begins a picture: the first bit of its header behind the unit's own.
fn begins(codec: Codec, unit: &[u8]) -> bool {
    match codec {
        Codec::H264 => matches!(kind_of(codec, unit), 1 | 5) && unit[1] & 0x80 != 0,
        Codec::H265 => kind_of(codec, unit) <= 31 && unit[2] & 0x80 != 0,
    }
}

/// Units before the first slice of a picture belong to it.
fn in_pictures(codec: Codec, units: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let (mut pictures, mut before): (Vec<Vec<u8>>, Vec<u8>) = (vec![], vec![]);
    let is_slice = |unit: &[u8]| match codec {
        Codec::H264 => matches!(kind_of(codec, unit), 1 | 5),
        Codec::H265 => kind_of(codec, unit) <= 31,
    };
    for unit in units {
        if !is_slice(unit) {
            before.extend(after_length(unit));
            continue;
        }
        if begins(codec, unit) {
            pictures.push(std::mem::take(&mut before));
        }
        pictures.last_mut().unwrap().extend(after_length(unit));
    }
    pictures
}

fn after_length(unit: &[u8]) -> Vec<u8> {
    [&(unit.len() as u32).to_be_bytes()[..], unit].concat()
}
