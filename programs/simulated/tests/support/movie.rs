//! What a browser got, taken apart by a parser that is not ours: pictures with their marks and NAL digests.

use domain::UtcMicros;
use mp4_atom::{Any, Avc1, Avcc, Codec, Decode, Moof, TrunSamples};
use simulator::{
    installation::Browser,
    mark::{Mark, read_mark},
    packetise::{NalDigest, nal_digest},
};
use std::{collections::BTreeMap, io::Read, process::Command};

/// One picture of a replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    pub mark: Mark,
    /// `Vigie-From` plus its place on the timeline.
    pub utc: UtcMicros,
    pub key: bool,
    /// In order, as the camera's list has them.
    pub nal_digests: Vec<NalDigest>,
}

/// A replay, or the part of a live stream that was read.
pub struct Movie {
    pub shown: Vec<Shown>,
    /// SPS and PPS of each init segment.
    pub parameters: Vec<(Vec<u8>, Vec<u8>)>,
    pub bytes: Vec<u8>,
}

/// Fetches a replay whole.
pub fn fetch(browser: &Browser<'_>, path: &str) -> Movie {
    let mut stream = browser.open(path).unwrap_or_else(|error| panic!("{error}"));
    assert!(stream.content_type.starts_with("video/mp4; codecs=\"avc1."), "{}", stream.content_type);
    let from: jiff::Timestamp = stream.from.as_deref().expect("a replay tells its UTC of time 0").parse().unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    Movie::parse(bytes, UtcMicros(from.as_microsecond()))
}

/// The same where the program may die meanwhile: what came of it; `None` where nothing did.
pub fn try_fetch(browser: &Browser<'_>, path: &str) -> Option<Movie> {
    let mut stream = browser.open(path).ok()?;
    let from: jiff::Timestamp = stream.from.as_deref()?.parse().ok()?;
    let mut bytes = Vec::new();
    // a stream that breaks off is everyday life here: what came before counts
    if let Err(error) = stream.read_to_end(&mut bytes) {
        println!("a replay broke off: {error}");
    }
    Some(Movie::parse(bytes, UtcMicros(from.as_microsecond())))
}

impl Movie {
    /// Panics at the first byte that is not ISO BMFF, and at a picture without mark. A box that is cut off at the end is
    /// left out: a live stream is read for a while only.
    pub fn parse(bytes: Vec<u8>, from: UtcMicros) -> Movie {
        let mut movie = Movie { shown: Vec::new(), parameters: Vec::new(), bytes: Vec::new() };
        let whole = whole_boxes(&bytes);
        let (mut rest, mut moof): (&[u8], Option<Moof>) = (&bytes[..whole], None);
        while !rest.is_empty() {
            match Any::decode(&mut rest).expect("the second parser reads every box") {
                Any::Moov(moov) => match moov.trak[0].mdia.minf.stbl.stsd.codecs.as_slice() {
                    [
                        Codec::Avc1(Avc1 {
                            avcc: Avcc { sequence_parameter_sets, picture_parameter_sets, .. }, ..
                        }),
                    ] => {
                        movie.parameters.push((sequence_parameter_sets[0].clone(), picture_parameter_sets[0].clone()));
                    }
                    other => panic!("{other:?}"),
                },
                Any::Moof(new) => moof = Some(new),
                Any::Mdat(mdat) => movie.take(&moof.take().expect("a moof before its mdat"), &mdat.data, from),
                _ => {}
            }
        }
        movie.bytes = bytes;
        movie
    }

    pub fn numbers(&self) -> Vec<u64> {
        self.shown.iter().map(|shown| shown.mark.frame).collect()
    }

    fn take(&mut self, moof: &Moof, mut data: &[u8], from: UtcMicros) {
        let traf = &moof.traf[0];
        let mut dts = traf.tfdt.as_ref().expect("a tfdt").base_media_decode_time;
        for trun in &traf.trun {
            let TrunSamples::Explicit(entries) = &trun.samples else { panic!("samples without fields") };
            for entry in entries {
                let (sample, after) = data.split_at(entry.size.unwrap() as usize);
                let nals = nal_units(sample);
                let mark = nals.iter().find_map(|nal| read_mark(nal)).expect("each picture has its mark");
                self.shown.push(Shown {
                    mark,
                    utc: from.plus_micros((u128::from(dts) * 1_000_000 / 90_000) as i64),
                    key: entry.flags.unwrap() & 0x1_0000 == 0,
                    nal_digests: nals.iter().map(|nal| nal_digest(nal)).collect(),
                });
                dts += u64::from(entry.duration.unwrap());
                data = after;
            }
        }
        assert!(data.is_empty(), "bytes of an mdat that belong to no picture");
    }
}

/// Pictures by number; a number that stands twice is a fault.
pub fn by_number(shown: &[Shown]) -> BTreeMap<u64, &Shown> {
    let map: BTreeMap<u64, &Shown> = shown.iter().map(|shown| (shown.mark.frame, shown)).collect();
    assert_eq!(map.len(), shown.len(), "no picture is there twice");
    map
}

/// FFmpeg reads every packet and complains of nothing.
pub fn check_with_ffprobe(bytes: &[u8]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("replay.mp4");
    std::fs::write(&file, bytes).unwrap();
    let arguments = ["-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"];
    let output = Command::new("ffprobe").args(arguments).arg(&file).output().expect("install FFmpeg");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "ffprobe: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().trim_end_matches(',').parse().unwrap()
}

/// NAL units after their four-byte lengths.
pub fn nal_units(mut sample: &[u8]) -> Vec<&[u8]> {
    let mut nals = Vec::new();
    while let Some((length, rest)) = sample.split_first_chunk::<4>() {
        let (nal, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        nals.push(nal);
        sample = rest;
    }
    nals
}

/// Bytes of the boxes that are there whole.
pub fn whole_boxes(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(size) = bytes.get(at..at + 4) {
        let size = u32::from_be_bytes(size.try_into().unwrap()) as usize;
        assert!(size >= 8, "a box of {size} bytes");
        if at + size > bytes.len() {
            break;
        }
        at += size;
    }
    at
}
