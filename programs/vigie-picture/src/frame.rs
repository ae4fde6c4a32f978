//! A picture as it is encoded: 4:2:0, 8 bits, no wider than a screen, with a band below it that says what it is.

use crate::{Failed, label};
use ffmpeg_next::{
    format::Pixel,
    frame,
    software::scaling::{Context, Flags},
};
use picture::redact::{Planes, Regions};

/// Of luma and chroma, in the range of television.
const BLACK: (u8, u8) = (16, 128);

/// Draws pictures of one size.
pub struct Canvas {
    /// Of the picture in it, and of the whole.
    pub width: u32,
    pub picture_height: u32,
    pub height: u32,
    source: (u32, u32),
    words: &'static str,
    /// The scaler, for the form of the pictures that came last.
    scaler: Option<(Pixel, Context)>,
}

impl Canvas {
    /// No wider than so many pixels.
    pub fn new(width: u32, height: u32, width_max: u32, words: &'static str) -> Canvas {
        let even = |pixels: u32| (pixels & !1).max(2);
        let (shown_width, shown_height) = if width > width_max {
            (even(width_max), even(height * width_max / width))
        } else {
            (even(width), even(height))
        };
        let height_of_all = shown_height + label::band_height(shown_width);
        Canvas {
            width: shown_width,
            picture_height: shown_height,
            height: height_of_all,
            source: (width, height),
            words,
            scaler: None,
        }
    }

    /// A decoded picture. The decoder's own memory is read by the library that knows its form; ours is drawn in here.
    pub fn show(&mut self, decoded: &frame::Video) -> Result<frame::Video, Failed> {
        let form = decoded.format();
        if self.scaler.as_ref().is_none_or(|(known, _)| *known != form) {
            let (width, height) = self.source;
            let scaler =
                Context::get(form, width, height, Pixel::YUV420P, self.width, self.picture_height, Flags::BILINEAR);
            self.scaler = Some((form, scaler.map_err(|_| Failed::Library("reading a picture's form"))?));
        }
        let (_, scaler) = self.scaler.as_mut().ok_or(Failed::Library("scaling"))?;
        let mut shown = frame::Video::new(Pixel::YUV420P, self.width, self.picture_height);
        scaler.run(decoded, &mut shown).map_err(|_| Failed::Library("scaling"))?;
        let mut all = self.black();
        for plane in 0..3 {
            let (from, to) = (shown.stride(plane), all.stride(plane));
            let width = all.plane_width(plane) as usize;
            let rows = shown.data(plane).chunks(from).zip(all.data_mut(plane).chunks_mut(to));
            rows.for_each(|(from, to)| to[..width].copy_from_slice(&from[..width]));
        }
        Ok(all)
    }

    /// Regions of a drawn picture, at its time; the band says what it is, and stays.
    pub fn cover(&self, drawn: &mut frame::Video, regions: &Regions, at: i64) {
        let strides = [0, 1, 2].map(|plane| drawn.stride(plane));
        let (width, height) = (self.width as usize, self.picture_height as usize);
        let mut copies = [0, 1, 2].map(|plane| drawn.data(plane).to_vec());
        let [luma, first, second] = &mut copies;
        let planes: [(&mut [u8], usize); 3] = [(luma, strides[0]), (first, strides[1]), (second, strides[2])];
        regions.cover(at, &mut Planes { width, height, planes });
        for (plane, covered) in copies.iter().enumerate() {
            drawn.data_mut(plane).copy_from_slice(covered);
        }
    }

    /// Of a time of which no picture can be shown.
    pub fn black(&self) -> frame::Video {
        let mut all = frame::Video::new(Pixel::YUV420P, self.width, self.height);
        for plane in 0..3 {
            all.data_mut(plane).fill(if plane == 0 { BLACK.0 } else { BLACK.1 });
        }
        let (stride, band) = (all.stride(0), self.picture_height as usize);
        label::draw(self.words, &mut all.data_mut(0)[band * stride..], stride, self.width);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::limit::VIEWING_WIDTH_MAX;

    #[test]
    fn a_picture_is_no_wider_than_a_screen_and_the_band_covers_nothing_of_it() {
        for (width, height, shown) in
            [(1_280, 720, (1_280, 720)), (1_920, 1_080, (1_280, 720)), (641, 361, (640, 360)), (16, 16, (16, 16))]
        {
            let mut canvas = Canvas::new(width, height, VIEWING_WIDTH_MAX, label::VIEWING);
            assert_eq!((canvas.width, canvas.picture_height), shown);
            assert!(canvas.height > canvas.picture_height && canvas.height.is_multiple_of(2));
            let mut grey = frame::Video::new(Pixel::YUV420P, width, height);
            (0..3).for_each(|plane| grey.data_mut(plane).fill(99));
            let drawn = canvas.show(&grey).unwrap();
            let rows: Vec<&[u8]> =
                drawn.data(0).chunks(drawn.stride(0)).map(|row| &row[..canvas.width as usize]).collect();
            let (picture, band) = rows.split_at(canvas.picture_height as usize);
            assert!(picture.iter().all(|row| row.iter().all(|luma| *luma == 99)), "{width}");
            assert!(band.iter().any(|row| row.iter().any(|luma| *luma > 200)), "{width}: it says nothing");
        }
    }
}
