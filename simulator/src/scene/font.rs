//! A tiny bitmap font: capitals, digits and what a French place name needs, five by seven pixels.

/// Columns and rows of a letter, and the columns from one letter to the next.
pub const COLUMNS: usize = 5;
pub const ROWS: usize = 7;
pub const ADVANCE: usize = 6;

/// The set pixels of a text as (column, row); row 0 is the top of a capital, accents reach row -2.
pub fn pixels(text: &str) -> Vec<(i32, i32)> {
    let mut set = Vec::new();
    for (index, letter) in text.chars().enumerate() {
        let left = (index * ADVANCE) as i32;
        let (base, accent) = decompose(letter);
        for (row, bits) in rows(base).into_iter().enumerate() {
            let columns = (0..COLUMNS as i32).filter(|column| bits >> (4 - column) & 1 == 1);
            set.extend(columns.map(|column| (left + column, row as i32)));
        }
        set.extend(accent.iter().map(|&(column, row)| (left + column, row)));
    }
    set
}

fn decompose(letter: char) -> (char, &'static [(i32, i32)]) {
    match letter {
        'É' => ('E', &[(3, -2), (2, -1)]),
        'È' => ('E', &[(1, -2), (2, -1)]),
        'Ê' => ('E', &[(2, -2), (1, -1), (3, -1)]),
        'À' => ('A', &[(1, -2), (2, -1)]),
        'Ô' => ('O', &[(2, -2), (1, -1), (3, -1)]),
        'Ç' => ('C', &[(2, 7), (1, 8)]),
        other => (other, &[]),
    }
}

/// Five bits a row, the leftmost column first. Unknown letters are blank.
#[rustfmt::skip]
fn rows(letter: char) -> [u8; ROWS] {
    match letter {
        'A' => [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'B' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110],
        'C' => [0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110],
        'D' => [0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110],
        'E' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111],
        'F' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000],
        'G' => [0b01110, 0b10001, 0b10000, 0b10111, 0b10001, 0b10001, 0b01111],
        'H' => [0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'I' => [0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        'J' => [0b00111, 0b00010, 0b00010, 0b00010, 0b00010, 0b10010, 0b01100],
        'K' => [0b10001, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010, 0b10001],
        'L' => [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
        'M' => [0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001],
        'N' => [0b10001, 0b11001, 0b10101, 0b10011, 0b10001, 0b10001, 0b10001],
        'O' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'P' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000],
        'Q' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10101, 0b10010, 0b01101],
        'R' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001],
        'S' => [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110],
        'T' => [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
        'U' => [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'V' => [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01010, 0b00100],
        'W' => [0b10001, 0b10001, 0b10001, 0b10101, 0b10101, 0b11011, 0b10001],
        'X' => [0b10001, 0b10001, 0b01010, 0b00100, 0b01010, 0b10001, 0b10001],
        'Y' => [0b10001, 0b10001, 0b01010, 0b00100, 0b00100, 0b00100, 0b00100],
        'Z' => [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b11111],
        '0' => [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
        '1' => [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        '2' => [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
        '3' => [0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110],
        '4' => [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
        '5' => [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
        '6' => [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
        '7' => [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
        '8' => [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
        '9' => [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
        '/' => [0b00001, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b10000],
        '-' => [0b00000, 0b00000, 0b00000, 0b01110, 0b00000, 0b00000, 0b00000],
        '·' => [0b00000, 0b00000, 0b00000, 0b00100, 0b00000, 0b00000, 0b00000],
        '\'' => [0b00100, 0b00100, 0b01000, 0b00000, 0b00000, 0b00000, 0b00000],
        _ => [0; ROWS],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_of_every_place_is_drawn() {
        for place in crate::scene::PLACE_NAMES {
            for letter in place.chars().filter(|letter| *letter != ' ') {
                assert!(!pixels(&letter.to_string()).is_empty(), "{letter} of {place}");
            }
        }
    }

    #[test]
    fn an_accent_stands_above_its_letter() {
        assert!(pixels("É").iter().any(|&(_, row)| row < 0));
        assert!(pixels("E").iter().all(|&(_, row)| row >= 0));
    }
}
