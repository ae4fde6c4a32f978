//! The system's decoder: coded pictures in the order of decoding in, decoded ones in that of showing out. What it guesses is not shown.

use crate::{Failed, annex_b};
use bytes::Bytes;
use domain::Codec;
use ffmpeg_next::{
    Dictionary, Error, Packet,
    codec::{Context, Id},
    decoder::{self, Check},
    frame,
};
use media::{
    ParameterSets,
    codec::{parameter_set_units, without_parameter_sets},
};
use picture::Coded;

/// One stream under one set of parameters.
pub struct Decoder {
    open: decoder::Video,
    codec: Codec,
    sets: Vec<Bytes>,
    size: (u32, u32),
    /// A picture is missing that later ones may refer to: nothing is shown up to the next with which decoding can begin.
    is_broken: bool,
}

impl Decoder {
    pub fn new(sets: &ParameterSets) -> Result<Decoder, Failed> {
        let (id, name) = match sets.codec {
            Codec::H264 => (Id::H264, "decoder of H.264"),
            Codec::H265 => (Id::HEVC, "decoder of H.265"),
        };
        let found = decoder::find(id).ok_or(Failed::Lacking(name))?;
        let (width, height) = (u32::from(sets.width), u32::from(sets.height));
        let mut context = Context::new_with_codec(found).decoder();
        context.check(Check::EXPLODE); // an error is told, not hidden under what was there before
        let mut options = Dictionary::new();
        // a parameter set that asks for more room than was announced is refused; 64 more each way are a coded picture's rims
        options.set("max_pixels", &(u64::from(width + 64) * u64::from(height + 64)).to_string());
        options.set("threads", "1");
        let open = context.open_as_with(found, options).and_then(decoder::Opened::video);
        Ok(Decoder {
            open: open.map_err(|_| Failed::Library("opening a decoder"))?,
            codec: sets.codec,
            sets: parameter_set_units(sets).map_err(|_| Failed::Picture)?,
            size: (width, height),
            is_broken: true,
        })
    }

    /// A picture; those that come out, each with the time of the one that it was coded as.
    pub fn take(&mut self, coded: Coded) -> Result<Vec<frame::Video>, Failed> {
        let mut out = vec![];
        if coded.is_key && self.is_broken {
            out = self.drained();
            self.open.flush();
            self.is_broken = false;
        }
        if self.is_broken {
            return Ok(out);
        }
        // the camera's own are in the job: those that stand in a picture could change its size
        let unit = without_parameter_sets(self.codec, &Bytes::from(coded.data)).ok().filter(|unit| !unit.is_empty());
        let sets = if coded.is_key { &self.sets[..] } else { &[] };
        let packet = unit.and_then(|unit| annex_b::with_start_codes(sets, &unit).ok()).map(|bytes| {
            let mut packet = Packet::copy(&bytes);
            packet.set_pts(Some(coded.pts));
            packet
        });
        match packet.map(|packet| self.open.send_packet(&packet)) {
            Some(Ok(())) => out.extend(self.come()),
            _ => self.is_broken = true,
        }
        Ok(out)
    }

    /// What it holds back still.
    pub fn finish(&mut self) -> Vec<frame::Video> {
        self.drained()
    }

    fn drained(&mut self) -> Vec<frame::Video> {
        // one that was drained already says so
        if self.open.send_eof().is_ok() { self.come() } else { vec![] }
    }

    fn come(&mut self) -> Vec<frame::Video> {
        let mut all = vec![];
        loop {
            let mut frame = frame::Video::empty();
            match self.open.receive_frame(&mut frame) {
                Ok(()) if self.is_whole(&frame) => all.push(frame),
                Ok(()) => {}
                Err(Error::Eof | Error::Other { .. }) => return all,
                Err(_) => {
                    self.is_broken = true;
                    return all;
                }
            }
        }
    }

    /// Of the size that the camera announced, and nothing of it guessed.
    fn is_whole(&self, frame: &frame::Video) -> bool {
        (frame.width(), frame.height()) == self.size && !frame.is_corrupt() && !frame.has_decode_errors()
    }
}
