//! The system's encoder of H.264: drawn pictures in, coded ones out with their parameter sets apart, as Vigie's files have them.

use crate::{Failed, annex_b, frame::Canvas};
use domain::limit::VIEWING_THREADS_MAX;
use ffmpeg_next::{
    Dictionary, Packet, Rational,
    codec::Context,
    color::Range,
    encoder::{self, Video},
    format::Pixel,
    frame,
};
use media::h264::{Stripped, avcc_from_sets, strip_parameter_sets};
use picture::{Coded, Made, Message};
use std::{collections::BTreeSet, thread::available_parallelism};

const ENCODER: &str = "libx264";
/// Of pictures: a browser seeks to one of these.
const GROUP: u32 = 50;
/// x264 reckons by a rate; times are the camera's own.
const RATE: Rational = Rational(25, 1);
const TIMESCALE: i32 = 90_000;

pub struct Encoder {
    open: Video,
    /// Told once.
    made: Option<Made>,
    /// Times of which nothing is shown, of pictures that are in and not out.
    black: BTreeSet<i64>,
}

impl Encoder {
    /// In the colours of a picture as it was decoded.
    pub fn new(canvas: &Canvas, like: &frame::Video) -> Result<Encoder, Failed> {
        let codec = encoder::find_by_name(ENCODER).ok_or(Failed::Lacking("encoder libx264"))?;
        let mut context = Context::new_with_codec(codec);
        context.set_time_base(Rational(1, TIMESCALE));
        context.set_frame_rate(Some(RATE));
        let mut video = context.encoder().video().map_err(|_| Failed::Library("opening the encoder"))?;
        video.set_width(canvas.width);
        video.set_height(canvas.height);
        video.set_format(Pixel::YUV420P);
        video.set_gop(GROUP);
        video.set_max_b_frames(0); // decoded in the order of showing: a time is one time
        video.set_color_range(Range::MPEG);
        video.set_colorspace(like.color_space());
        video.set_color_primaries(like.color_primaries());
        video.set_color_transfer_characteristic(like.color_transfer_characteristic());
        let mut options = Dictionary::new();
        options.set("preset", "veryfast");
        options.set("crf", "23");
        options.set("threads", &available_parallelism().map_or(1, usize::from).min(VIEWING_THREADS_MAX).to_string());
        let open = video.open_as_with(codec, options).map_err(|_| Failed::Library("opening the encoder"))?;
        Ok(Encoder { open, made: None, black: BTreeSet::new() })
    }

    /// A picture at its time, times rising; what comes out.
    pub fn take(&mut self, mut drawn: frame::Video, pts: i64, is_black: bool) -> Result<Vec<Message>, Failed> {
        if is_black {
            self.black.insert(pts);
        }
        drawn.set_pts(Some(pts));
        self.open.send_frame(&drawn).map_err(|_| Failed::Library("encoding"))?;
        self.come()
    }

    pub fn finish(&mut self) -> Result<Vec<Message>, Failed> {
        self.open.send_eof().map_err(|_| Failed::Library("encoding"))?;
        self.come()
    }

    fn come(&mut self) -> Result<Vec<Message>, Failed> {
        let (mut all, mut packet) = (vec![], Packet::empty());
        while self.open.receive_packet(&mut packet).is_ok() {
            let failed = || Failed::Library("encoding");
            let pts = packet.pts().ok_or_else(failed)?;
            let units = annex_b::with_lengths(packet.data().ok_or_else(failed)?);
            let stripped = strip_parameter_sets(&units).map_err(|_| failed())?;
            if !stripped.sequence_sets.is_empty() {
                let made = made_of(&stripped).ok_or_else(failed)?;
                match &self.made {
                    None => all.push(Message::Sets(made.clone())),
                    Some(before) if *before == made => {}
                    Some(_) => return Err(failed()), // a file has one
                }
                self.made = Some(made);
            }
            let data = stripped.access_unit.to_vec();
            all.push(Message::Picture(Coded {
                is_key: packet.is_key(),
                is_black: self.black.remove(&pts),
                pts,
                dts: pts,
                data,
            }));
        }
        Ok(all)
    }
}

fn made_of(stripped: &Stripped) -> Option<Made> {
    let sequence_sets: Vec<&[u8]> = stripped.sequence_sets.iter().map(|set| &set[..]).collect();
    let picture_sets: Vec<&[u8]> = stripped.picture_sets.iter().map(|set| &set[..]).collect();
    Some(Made { config: avcc_from_sets(&sequence_sets, &picture_sets).ok()? })
}
