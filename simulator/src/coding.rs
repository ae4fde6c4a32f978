//! How a camera codes its pictures: codec, groups, B pictures, what changes in mid-stream. Named as on the command line.

use crate::scene::{ClipSize, FRAMES_PER_SECOND};
use std::{fmt, str::FromStr};

/// One camera's coding. The default is what most street cameras send: H.264, a closed group each two seconds, no B
/// pictures, nothing that changes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Coding {
    pub codec: Codec,
    pub group: Group,
    /// Two B pictures between two others (three in open groups): pictures are sent in another order than they are shown.
    pub b_frames: bool,
    pub change: Change,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Codec {
    #[default]
    H264,
    H265,
}

/// What a group of pictures is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Group {
    /// Begins with an IDR picture each two seconds.
    #[default]
    Closed,
    /// H.265: begins with a CRA picture each two seconds, followed by leading (RASL) pictures that need the group before.
    /// The camera never sends an IDR picture.
    Open,
    /// One IDR picture in sixty seconds. A session begins with one.
    Long,
    /// H.264: groups of 1, 1, 2, 4, 8 and 44 s, and in the last ones a picture each half second only, as cameras do that
    /// "save" where nothing moves. A session begins with a key picture.
    Smart,
    /// H.264: one IDR picture in sixty seconds; between, columns of intra blocks wander over pictures that need others.
    Refresh,
}

impl Group {
    /// Whether the coded clip is a minute.
    pub fn is_long(self) -> bool {
        matches!(self, Group::Long | Group::Smart | Group::Refresh)
    }
}

/// Seconds at which a smart camera begins a group.
const SMART_GROUPS_AT: [u32; 6] = [0, 1, 2, 4, 8, 16];
/// From here on it sends each sixth picture.
const SMART_SPARSE_FROM: u32 = 4 * FRAMES_PER_SECOND;
const SMART_SPARSE_EACH: u32 = FRAMES_PER_SECOND / 2;

/// What changes while a session plays, to and fro with each turn of the scene.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Change {
    #[default]
    Nothing,
    /// Other parameter sets under the same numbers; the picture's size stays.
    ParameterSets,
    /// A smaller picture, and so other parameter sets.
    Size,
}

/// Why a coding's description is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodingError {
    #[error("unknown word `{word}` in the coding `{text}`: use {WORDS}, joined by `+`")]
    UnknownWord { word: String, text: String },
    #[error("the coding `{text}` cannot be: {reason}")]
    Impossible { text: String, reason: &'static str },
}

/// The words of a description.
pub const WORDS: &str = "h264, h265, b-frames, open-gop, long-gop, smart, intra-refresh, changing-sets, changing-size";

/// Pictures of a group of two seconds.
const GROUP_FRAMES: u32 = 2 * FRAMES_PER_SECOND;
const LONG_GROUP_SECONDS: u32 = 60;

impl Coding {
    pub const H265: Coding =
        Coding { codec: Codec::H265, group: Group::Closed, b_frames: false, change: Change::Nothing };

    /// Whether the rendered clip itself is what is sent.
    pub fn is_plain(self) -> bool {
        self == Coding::default()
    }

    /// Turns of the scene in one turn of the coded clip.
    pub fn turns(self, size: ClipSize) -> u32 {
        match (self.group, self.change) {
            (group, _) if group.is_long() => LONG_GROUP_SECONDS / size.seconds(),
            (_, Change::Nothing) => 1,
            _ => 2,
        }
    }

    /// The parts that are encoded one by one and sent one after the other.
    pub(crate) fn parts(self, size: ClipSize) -> Vec<Part> {
        let plain = Part { coding: self, turns: self.turns(size), changed: false, size };
        match (self.group, self.change) {
            // a turn more: the clip is cut from its second key picture on
            (Group::Open, _) => vec![Part { turns: 2, ..plain }],
            (_, Change::Nothing) => vec![plain],
            _ => vec![Part { turns: 1, ..plain }, Part { turns: 1, changed: true, ..plain }],
        }
    }

    fn check(self) -> Result<(), &'static str> {
        if self.group == Group::Open && self.codec != Codec::H265 {
            return Err("open-gop goes with h265 only");
        }
        if matches!(self.group, Group::Smart | Group::Refresh) && (self.codec != Codec::H264 || self.b_frames) {
            return Err("smart and intra-refresh go with h264 and without b-frames only");
        }
        if self.group != Group::Closed && self.change != Change::Nothing {
            return Err("changing-sets and changing-size go with closed groups of two seconds only");
        }
        Ok(())
    }
}

impl FromStr for Coding {
    type Err = CodingError;

    fn from_str(text: &str) -> Result<Coding, CodingError> {
        let mut coding = Coding::default();
        for word in text.split('+') {
            match word {
                "h264" => coding.codec = Codec::H264,
                "h265" => coding.codec = Codec::H265,
                "b-frames" => coding.b_frames = true,
                "open-gop" => (coding.group, coding.b_frames) = (Group::Open, true),
                "long-gop" => coding.group = Group::Long,
                "smart" => coding.group = Group::Smart,
                "intra-refresh" => coding.group = Group::Refresh,
                "changing-sets" => coding.change = Change::ParameterSets,
                "changing-size" => coding.change = Change::Size,
                _ => return Err(CodingError::UnknownWord { word: word.into(), text: text.into() }),
            }
        }
        match coding.check() {
            Ok(()) => Ok(coding),
            Err(reason) => Err(CodingError::Impossible { text: text.into(), reason }),
        }
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.codec == Codec::H264 { "h264" } else { "h265" })?;
        let open = self.group == Group::Open;
        let words = [
            (self.b_frames && !open, "+b-frames"),
            (open, "+open-gop"),
            (self.group == Group::Long, "+long-gop"),
            (self.group == Group::Smart, "+smart"),
            (self.group == Group::Refresh, "+intra-refresh"),
            (self.change == Change::ParameterSets, "+changing-sets"),
            (self.change == Change::Size, "+changing-size"),
        ];
        words.iter().filter(|(set, _)| *set).try_for_each(|(_, word)| f.write_str(word))
    }
}

/// A stretch of a coded clip with parameter sets of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    coding: Coding,
    pub turns: u32,
    /// The other one of two parts that differ.
    changed: bool,
    size: ClipSize,
}

impl Part {
    /// `ffmpeg`'s encoder and its settings.
    pub fn encoder(self) -> Vec<String> {
        let mut settings = match self.coding.codec {
            Codec::H264 => self.x264(),
            Codec::H265 => self.x265(),
        };
        if self.changed && self.coding.change == Change::Size {
            let (width, height) = self.size.smaller_px();
            settings.extend(["-vf".into(), format!("scale={width}:{height}")]);
        }
        if self.coding.group == Group::Smart {
            let times = SMART_GROUPS_AT.map(|second| second.to_string()).join(",");
            let kept = format!("select='lt(n,{SMART_SPARSE_FROM})+not(mod(n,{SMART_SPARSE_EACH}))'");
            settings.extend(["-force_key_frames".into(), times, "-vf".into(), kept]);
        }
        settings.extend(["-pix_fmt".into(), "yuv420p".into()]);
        settings
    }

    fn keyint(self) -> u32 {
        match self.coding.group {
            Group::Long | Group::Smart => LONG_GROUP_SECONDS * FRAMES_PER_SECOND,
            _ => GROUP_FRAMES,
        }
    }

    fn x264(self) -> Vec<String> {
        // Main without CABAC: the profile is part of the SPS, the entropy coding of the PPS.
        let (profile, other) = if self.changed { ("main", ":cabac=0") } else { ("high", "") };
        let refresh = if self.coding.group == Group::Refresh { ":intra-refresh=1" } else { "" };
        let (bf, keyint) = (if self.coding.b_frames { "2" } else { "0" }, self.keyint());
        let rules =
            format!("keyint={keyint}:min-keyint={keyint}:scenecut=0:open-gop=0:b-adapt=0:aud=0{other}{refresh}");
        let words = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", profile, "-bf", bf, "-b:v", "1M"];
        let words = words.into_iter().map(str::to_owned);
        words.chain(["-maxrate", "1500k", "-bufsize", "1M", "-x264-params"].map(str::to_owned)).chain([rules]).collect()
    }

    fn x265(self) -> Vec<String> {
        let open = self.coding.group == Group::Open;
        let bframes = if open { 3 } else { 2 * u32::from(self.coding.b_frames) };
        // Intra smoothing is told in the SPS, sign hiding in the PPS.
        let other = if self.changed { ":strong-intra-smoothing=0:signhide=0" } else { "" };
        let keyint = self.keyint();
        // Sixteen picture order counts: a turn of any clip is a multiple, so open groups go on over its seam.
        let rules = format!(
            "log-level=error:info=0:aud=0:keyint={keyint}:min-keyint={keyint}:scenecut=0:open-gop={}:bframes={bframes}:\
             b-adapt=0:log2-max-poc-lsb=4{other}",
            u8::from(open)
        );
        let words = ["-c:v", "libx265", "-preset", "superfast", "-b:v", "600k", "-x265-params"];
        words.into_iter().map(str::to_owned).chain([rules]).collect()
    }
}

// The seam of an open clip needs turns of whole sixteens.
const _: () = assert!(ClipSize::Town.frames().is_multiple_of(16) && ClipSize::Small.frames().is_multiple_of(16));
const _: () = assert!(ClipSize::Town.frames().is_multiple_of(GROUP_FRAMES));
const _: () = assert!(ClipSize::Small.frames().is_multiple_of(GROUP_FRAMES));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_reads_back_as_written() {
        for text in [
            "h264",
            "h265",
            "h264+b-frames",
            "h265+b-frames+long-gop",
            "h265+open-gop",
            "h264+changing-sets",
            "h265+b-frames+changing-size",
            "h264+smart",
            "h264+intra-refresh",
        ] {
            assert_eq!(text.parse::<Coding>().unwrap().to_string(), text);
        }
        assert_eq!("b-frames".parse::<Coding>().unwrap().to_string(), "h264+b-frames");
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_reason() {
        for (text, word) in [
            ("h266", "`h266`"),
            ("h264+open-gop", "h265 only"),
            ("h265+long-gop+changing-size", "closed groups"),
            ("h265+open-gop+changing-sets", "closed groups"),
            ("h265+smart", "h264 and without b-frames"),
            ("b-frames+intra-refresh", "h264 and without b-frames"),
        ] {
            assert!(text.parse::<Coding>().unwrap_err().to_string().contains(word), "{text}");
        }
    }
}
