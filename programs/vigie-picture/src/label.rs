//! What every picture of a copy says below itself: that it is for the eye, and no evidence. In letters of our own, of five by seven dots.

pub const VIEWING: &str = "COPIE DE VISIONNAGE, PAS UNE PREUVE - VIEWING COPY, NOT EVIDENCE";
/// Of one in which regions are covered.
pub const REDACTED: &str = "COPIE MASQUEE, PAS UNE PREUVE - REDACTED COPY, NOT EVIDENCE     ";
/// All have as many letters, so that the band is one of its width.
const LETTERS_PER_LINE: u32 = VIEWING.len() as u32;
const LETTER_WIDTH: u32 = 6;
const LETTER_HEIGHT: u32 = 7;
/// Above and below the letters, in dots.
const MARGIN: u32 = 2;
/// Luma of the letters, in the range of television.
const WHITE: u8 = 235;
const DOTS_MAX: u32 = 4;

/// Each letter's rows, the left dot in the fifth bit.
const LETTERS: &[(char, [u8; 7])] = &[
    ('A', [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11]),
    ('C', [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e]),
    ('D', [0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e]),
    ('E', [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f]),
    ('G', [0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f]),
    ('I', [0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e]),
    ('M', [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11]),
    ('N', [0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11]),
    ('O', [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e]),
    ('P', [0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10]),
    ('Q', [0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d]),
    ('R', [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11]),
    ('S', [0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e]),
    ('T', [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04]),
    ('U', [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e]),
    ('V', [0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04]),
    ('W', [0x11, 0x11, 0x11, 0x15, 0x15, 0x15, 0x0a]),
    ('Y', [0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04]),
    (',', [0x00, 0x00, 0x00, 0x00, 0x06, 0x04, 0x08]),
    ('-', [0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00]),
];

/// Pixels of one dot: as large as the words fit, up to so many.
fn dot(width: u32) -> u32 {
    (width / (LETTERS_PER_LINE * LETTER_WIDTH)).clamp(1, DOTS_MAX)
}

/// Of the band below a picture, an even number of rows.
pub fn band_height(width: u32) -> u32 {
    ((LETTER_HEIGHT + 2 * MARGIN) * dot(width)).next_multiple_of(2)
}

/// Into the luma of the band, whose rows have so many bytes. A picture too narrow for all words has their beginning.
pub fn draw(words: &str, band: &mut [u8], stride: usize, width: u32) {
    let dot = dot(width);
    for (nth, letter) in words.chars().enumerate() {
        let rows = LETTERS.iter().find(|(of, _)| *of == letter).map_or([0; 7], |(_, rows)| *rows);
        for (y, row) in (0u32..).zip(rows) {
            for x in (0..5u32).filter(|x| row >> (4 - x) & 1 == 1) {
                let (left, top) = ((nth as u32 * LETTER_WIDTH + x + 1) * dot, (y + MARGIN) * dot);
                fill(band, stride, width, (left, top), dot);
            }
        }
    }
}

fn fill(band: &mut [u8], stride: usize, width: u32, (left, top): (u32, u32), dot: u32) {
    for y in top..top + dot {
        for x in (left..left + dot).filter(|x| *x < width) {
            if let Some(luma) = band.get_mut(y as usize * stride + x as usize) {
                *luma = WHITE;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_of_the_words_has_a_form_but_the_space() {
        let formless: Vec<char> =
            [VIEWING, REDACTED].concat().chars().filter(|sign| !LETTERS.iter().any(|(of, _)| of == sign)).collect();
        assert!(formless.iter().all(|sign| *sign == ' '), "{formless:?}");
    }

    #[test]
    fn words_fit_a_usual_picture_and_no_row_is_left() {
        for width in [400, 640, 1_280, 1_920] {
            assert!(LETTERS_PER_LINE * LETTER_WIDTH * dot(width) <= width, "{width}");
        }
        for width in [2, 16, 640, 1_920] {
            let (stride, height) = (width as usize + 32, band_height(width) as usize);
            let mut band = vec![0; stride * height];
            draw(VIEWING, &mut band, stride, width);
            assert!(band.chunks(stride).all(|row| row[width as usize..].iter().all(|luma| *luma == 0)), "{width}");
            assert!(width < 16 || band.contains(&WHITE));
        }
    }
}
