//! What a browser got of any camera, taken apart by a parser that is not ours: pictures, times, parameter sets.

use super::movie::{nal_units, whole_boxes};
use domain::UtcMicros;
use mp4_atom::{Any, Codec, Decode, Moof, TrunSamples};
use simulator::{installation::Browser, packetise::nal_digest};
use std::{io::Read, process::Command};

/// One picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    /// Ticks of 1/90,000 s on the answer's timeline.
    pub dts: i64,
    pub pts: i64,
    /// UTC of time 0 plus `pts`.
    pub utc: UtcMicros,
    pub key: bool,
    /// SHA-256 of each NAL unit, in hexadecimal.
    pub nals: Vec<String>,
    /// Parameter sets in force, the same way.
    pub sets: Vec<String>,
}

/// A replay, or the part of a live stream that was read.
pub struct Fragments {
    pub content_type: String,
    pub pictures: Vec<Picture>,
    /// Each initialization segment with the fragments that follow it: a file that any player takes.
    pub files: Vec<Vec<u8>>,
}

/// Fetches an answer, whole or until so many bytes are there.
pub fn fetch(browser: &Browser<'_>, path: &str, bytes_max: usize) -> Fragments {
    let mut stream = browser.open(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let origin: jiff::Timestamp = stream.from.as_deref().expect("the UTC of time 0 is told").parse().unwrap();
    let content_type = stream.content_type.clone();
    let mut bytes = Vec::new();
    let mut block = vec![0; 64 * 1024];
    while bytes.len() < bytes_max {
        match stream.read(&mut block).unwrap() {
            0 => break,
            read => bytes.extend_from_slice(&block[..read]),
        }
    }
    parse(&bytes, UtcMicros(origin.as_microsecond()), content_type)
}

fn parse(bytes: &[u8], origin: UtcMicros, content_type: String) -> Fragments {
    let mut fragments = Fragments { content_type, pictures: Vec::new(), files: Vec::new() };
    let (mut rest, mut moof, mut sets) = (&bytes[..whole_boxes(bytes)], None::<Moof>, Vec::new());
    while !rest.is_empty() {
        let before = rest;
        let any = Any::decode(&mut rest).expect("the second parser reads every box");
        let raw = &before[..before.len() - rest.len()];
        if matches!(any, Any::Ftyp(_)) {
            fragments.files.push(Vec::new());
        }
        fragments.files.last_mut().expect("ftyp comes first").extend_from_slice(raw);
        match any {
            Any::Moov(moov) => sets = sets_of(&moov.trak[0].mdia.minf.stbl.stsd.codecs),
            Any::Moof(new) => moof = Some(new),
            Any::Mdat(mdat) => {
                let moof = moof.take().expect("a moof before its mdat");
                take(&mut fragments.pictures, &moof, &mdat.data, origin, &sets);
            }
            _ => {}
        }
    }
    fragments
}

fn sets_of(codecs: &[Codec]) -> Vec<String> {
    let sets: Vec<&Vec<u8>> = match codecs {
        [Codec::Avc1(avc1)] => {
            avc1.avcc.sequence_parameter_sets.iter().chain(&avc1.avcc.picture_parameter_sets).collect()
        }
        [Codec::Hvc1(hvc1)] => hvc1.hvcc.arrays.iter().flat_map(|array| &array.nalus).collect(),
        other => panic!("{other:?}"),
    };
    sets.into_iter().map(|set| hex(set)).collect()
}

fn take(pictures: &mut Vec<Picture>, moof: &Moof, mut data: &[u8], origin: UtcMicros, sets: &[String]) {
    let traf = &moof.traf[0];
    let mut dts = traf.tfdt.as_ref().expect("a tfdt").base_media_decode_time as i64;
    for trun in &traf.trun {
        let TrunSamples::Explicit(entries) = &trun.samples else { panic!("samples without fields") };
        for entry in entries {
            let (sample, after) = data.split_at(entry.size.unwrap() as usize);
            let pts = dts + entry.cts.unwrap();
            pictures.push(Picture {
                dts,
                pts,
                utc: origin.plus_micros(pts * 100 / 9),
                key: entry.flags.unwrap() & 0x1_0000 == 0,
                nals: nal_units(sample).into_iter().map(hex).collect(),
                sets: sets.to_vec(),
            });
            dts += i64::from(entry.duration.unwrap());
            data = after;
        }
    }
    assert!(data.is_empty(), "bytes of an mdat that belong to no picture");
}

fn hex(nal: &[u8]) -> String {
    nal_digest(nal).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Fragments {
    /// FFmpeg counts every packet, decodes every picture, and complains of nothing. `absent`: what it may say of pictures from
    /// before the beginning.
    pub fn check_with_ffmpeg(&self, name: &str, absent: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        let mut packets = 0;
        for (number, bytes) in self.files.iter().enumerate() {
            packets += super::movie::check_with_ffprobe(bytes);
            let file = folder.path().join(format!("{number}.mp4"));
            std::fs::write(&file, bytes).unwrap();
            // in our own ticks: at a varying rate FFmpeg's own would have two pictures at one time
            let null = ["-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "null", "-"];
            let output = Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(&file).args(null).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            let is_error = |line: &&str| absent.is_none_or(|absent| !line.contains(absent));
            let errors: Vec<&str> = said.lines().filter(is_error).collect();
            assert!(output.status.success() && errors.is_empty(), "{name}, file {number}: {errors:?}");
        }
        assert_eq!(packets, self.pictures.len(), "{name}: FFmpeg and the second parser count the same");
    }
}
