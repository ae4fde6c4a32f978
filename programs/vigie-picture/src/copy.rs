//! A copy for the eye, picture by picture: decoded, drawn, encoded. What cannot be shown is black at its time, and counted.
//!
//! Nothing is handed out before the first picture that can be shown: whoever asks learns that there is none before anything was kept.

use crate::{
    Failed,
    decode::Decoder,
    encode::Encoder,
    frame::Canvas,
    label,
    order::{Blind, Order, Slot},
};
use domain::limit::{VIEWING_SOURCE_WIDTH_MAX, VIEWING_WIDTH_MAX};
use ffmpeg_next::{frame, log};
use picture::{Coded, Counts, Job, Message, Task, redact::Regions};

/// Times lie within: 99 years of a file's clock, and no sum of two overflows.
const PTS_MAX: u64 = 1 << 48;

pub struct Copier {
    decoder: Decoder,
    order: Order,
    canvas: Canvas,
    regions: Option<Regions>,
    encoder: Option<Encoder>,
}

impl Copier {
    pub fn new(job: &Job) -> Result<Copier, Failed> {
        // what the library says of a stream quotes it, and repeats itself for each picture
        log::set_level(log::Level::Quiet);
        let sets = job.sets()?;
        let (width, height) = (u32::from(sets.width), u32::from(sets.height));
        let canvas = match job.task {
            Task::ViewingCopy => Canvas::new(width, height, VIEWING_WIDTH_MAX, label::VIEWING),
            // drawn in the original's own size: a scaler would mix what is covered into what is beside it
            Task::Redacted { .. } => Canvas::new(width, height, VIEWING_SOURCE_WIDTH_MAX, label::REDACTED),
        };
        Ok(Copier {
            decoder: Decoder::new(&sets)?,
            order: Order::default(),
            canvas,
            regions: job.regions()?,
            encoder: None,
        })
    }

    /// The next picture in the order of decoding; what is ready.
    pub fn take(&mut self, coded: Coded) -> Result<Vec<Message>, Failed> {
        if coded.pts.unsigned_abs() > PTS_MAX || coded.data.is_empty() {
            return Err(Failed::Picture);
        }
        let overdue = self.order.sent(coded.pts, coded.is_key)?;
        let mut out = self.draw_all(overdue, None)?;
        for decoded in self.decoder.take(coded)? {
            out.extend(self.show(&decoded)?);
        }
        Ok(out)
    }

    pub fn finish(mut self) -> Result<(Vec<Message>, Counts), Failed> {
        let mut out = vec![];
        for decoded in self.decoder.finish() {
            out.extend(self.show(&decoded)?);
        }
        let (rest, counts) = self.order.end()?;
        out.extend(self.draw_all(rest, None)?);
        out.extend(self.encoder.as_mut().map(Encoder::finish).transpose()?.unwrap_or_default());
        Ok((out, counts))
    }

    fn show(&mut self, decoded: &frame::Video) -> Result<Vec<Message>, Failed> {
        let slots = decoded.pts().map(|pts| self.order.came(pts)).unwrap_or_default();
        self.draw_all(slots, Some(decoded))
    }

    fn draw_all(&mut self, slots: Vec<Slot>, decoded: Option<&frame::Video>) -> Result<Vec<Message>, Failed> {
        let mut out = vec![];
        for slot in slots {
            let (drawn, pts, is_black) = match (slot, decoded) {
                (Slot::Shown(pts), Some(decoded)) => {
                    let mut drawn = self.canvas.show(decoded)?;
                    self.regions.iter().for_each(|regions| self.canvas.cover(&mut drawn, regions, pts));
                    (drawn, pts, false)
                }
                (Slot::Shown(pts) | Slot::Black(pts), _) => (self.canvas.black(), pts, true),
            };
            let encoder = match (&mut self.encoder, decoded) {
                (Some(encoder), _) => encoder,
                (none, Some(like)) => none.insert(Encoder::new(&self.canvas, like)?),
                (None, None) => return Err(Failed::NothingShown),
            };
            out.extend(encoder.take(drawn, pts, is_black)?);
        }
        Ok(out)
    }
}

impl From<Blind> for Failed {
    fn from(_: Blind) -> Failed {
        Failed::NothingShown
    }
}
