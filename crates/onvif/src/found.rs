//! What a device says of itself, and which of its streams are recorded.

use crate::Trouble;
use domain::Codec;

/// What a device says of itself. All texts are its own words, without control characters, of 64 characters at most.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    pub maker: String,
    pub model: String,
    pub firmware: String,
    /// Seconds that its clock is ahead of ours; `None` if it does not tell the time.
    pub clock_ahead: Option<i64>,
    /// It offers an analysis of its own pictures (the ONVIF Analytics service). Nothing here ever asks for it.
    pub offers_analysis: bool,
    pub streams: Vec<Stream>,
}

/// One stream: a media profile that has a video encoder and an RTSP address.
#[derive(Clone, PartialEq, Debug)]
pub struct Stream {
    pub name: String,
    /// The lens that it shows.
    pub source: String,
    /// As the device names it: `H264`, `H265`, `JPEG` …
    pub encoding: String,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    /// Pictures a second at most.
    pub rate: Option<f32>,
    /// `rtsp://` at the host that was asked, without user and password.
    pub url: String,
}

impl Stream {
    /// `None`: one that is not recorded.
    pub fn codec(&self) -> Option<Codec> {
        match self.encoding.to_ascii_uppercase().as_str() {
            "H264" => Some(Codec::H264),
            "H265" | "HEVC" => Some(Codec::H265),
            _ => None,
        }
    }
    fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

impl Found {
    /// The stream to record: the largest of the device's only lens.
    ///
    /// # Errors
    /// [`Trouble::NoStream`] without one in H.264 or H.265, [`Trouble::Lenses`] where there are several lenses to choose from.
    pub fn main(&self) -> Result<&Stream, Trouble> {
        let recordable = || self.streams.iter().filter(|stream| stream.codec().is_some());
        let first = recordable().next().ok_or(Trouble::NoStream)?;
        if recordable().any(|stream| stream.source != first.source) {
            return Err(Trouble::Lenses);
        }
        // the first of those that are equal: devices name their main stream first
        Ok(recordable().rev().max_by_key(|stream| stream.pixels()).unwrap_or(first))
    }
    /// The stream for browsers without H.265: the smallest in H.264, where the main one is in H.265.
    pub fn sub(&self) -> Option<&Stream> {
        let main = self.main().ok().filter(|main| main.codec() == Some(Codec::H265))?;
        let smaller = |stream: &&Stream| stream.codec() == Some(Codec::H264) && stream.pixels() < main.pixels();
        self.streams.iter().filter(smaller).min_by_key(|stream| stream.pixels())
    }
}
