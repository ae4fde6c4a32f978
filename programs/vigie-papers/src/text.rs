//! Texts of a paper, made fit to be set: what no font shows is named, what cannot be broken gets places to break at.
//!
//! Nothing is taken away: a character that has no picture, or that would turn the order of others, is printed as `[U+202E]`.

use crate::world::fonts;
use std::sync::OnceLock;
use typst::{
    foundations::{Content, IntoValue, NativeElement, Value},
    layout::BoxElem,
    text::{Coverage, LinebreakElem, TextElem},
};

/// Words of French end before this many letters.
const UNBROKEN_CHARS_MAX: usize = 18;
/// In longer ones a line may end after so many.
const BREAK_EVERY_CHARS: usize = 4;
/// In a word that somebody made to be long, less often: Typst's time grows with the square of such places.
const ENDLESS_CHARS: usize = 1_000;
const ENDLESS_BREAK_EVERY_CHARS: usize = 10;
/// Zero width space: a line may end here (Unicode UAX #14, class ZW).
const BREAK: char = '\u{200b}';
/// Of which every face of the text has to show a character.
const FAMILY: &str = "Libertinus Serif";

/// The text as a value: a string, or content where it has several lines or a place to break at. There stands a box with nothing in it: a
/// character would be copied with the word.
pub fn value(text: &str) -> Value {
    let set = settable(text);
    if !set.contains([BREAK, '\n']) {
        return set.into_value();
    }
    let mut parts = vec![];
    for (at, line) in set.split('\n').enumerate() {
        if at > 0 {
            parts.push(LinebreakElem::shared().clone());
        }
        for (at, piece) in line.split(BREAK).enumerate() {
            if at > 0 {
                parts.push(BoxElem::new().pack());
            }
            parts.push(TextElem::packed(piece));
        }
    }
    Content::sequence(parts).into_value()
}

/// The text in one line of so many letters at most: for a page's head, for metadata.
pub fn shortened(text: &str, letters_max: usize) -> String {
    let set = settable(text).replace(BREAK, "").replace('\n', " ");
    match set.char_indices().nth(letters_max) {
        Some((end, _)) => format!("{}…", &set[..end]),
        None => set,
    }
}

fn settable(text: &str) -> String {
    let mut set = String::with_capacity(text.len() + text.len() / 4);
    let mut unbroken = 0;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' if letters.peek() == Some(&'\n') => continue,
            '\n' | '\r' => {
                set.push('\n');
                unbroken = 0;
            }
            ' ' | '\t' => {
                set.push(' ');
                unbroken = 0;
            }
            shown if is_shown(shown) => {
                push_broken(&mut set, &mut unbroken, shown);
            }
            hidden => {
                for letter in format!("[U+{:04X}]", u32::from(hidden)).chars() {
                    push_broken(&mut set, &mut unbroken, letter);
                }
            }
        }
    }
    set
}

fn push_broken(set: &mut String, unbroken: &mut usize, letter: char) {
    let every = if *unbroken < ENDLESS_CHARS { BREAK_EVERY_CHARS } else { ENDLESS_BREAK_EVERY_CHARS };
    if *unbroken >= UNBROKEN_CHARS_MAX && unbroken.is_multiple_of(every) {
        set.push(BREAK);
    }
    set.push(letter);
    *unbroken += 1;
}

/// Whether it has a picture in every face, and does nothing to its neighbours but stand beside them.
fn is_shown(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_graphic();
    }
    !is_invisible(letter) && faces().iter().all(|face| face.contains(u32::from(letter)))
}

/// Controls, marks of direction, joiners, tags, variation selectors, private use: Unicode 17, Default_Ignorable_Code_Point, Bidi_Control,
/// general categories Cc, Co, Zl and Zp.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{f0000}'..='\u{10ffff}')
}

fn faces() -> &'static [Coverage] {
    static FACES: OnceLock<Vec<Coverage>> = OnceLock::new();
    FACES.get_or_init(|| {
        let faces = fonts().fonts.iter().map(|font| font.info()).filter(|info| info.family == FAMILY);
        faces.map(|info| info.coverage.clone()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// But for the places to break at.
    fn check(given: &str, expected: &str) {
        assert_eq!(settable(given).replace(BREAK, ""), expected, "{given:?}");
    }

    #[test]
    fn what_people_write_is_set_as_it_is() {
        assert!(faces().len() >= 4);
        for text in ["Hôtel de ville, n° 12 — « Cœur »", "Şükrü Łódź Ñandú", "Ελλάδα, Москва", "50 % à 3 € #*_`$<>@\\"]
        {
            check(text, text);
        }
    }

    #[test]
    fn what_has_no_picture_or_turns_others_is_named() {
        check("a\u{202e}b\u{0}c\u{7}", "a[U+202E]b[U+0000]c[U+0007]");
        check("\u{200b}\u{ad}\u{feff}", "[U+200B][U+00AD][U+FEFF]");
        check("中", "[U+4E2D]");
        check("\u{e000}", "[U+E000]");
    }

    #[test]
    fn ends_of_lines_are_one_kind_and_a_tab_is_a_space() {
        check("a\r\nb\rc\td", "a\nb\nc d");
    }

    #[test]
    fn a_head_has_one_line_of_bounded_length() {
        assert_eq!(shortened("Bourg", 5), "Bourg");
        assert_eq!(shortened("Bourg-la-Reine", 5), "Bourg…");
        assert_eq!(shortened("a\nb", 9), "a b");
        assert_eq!(shortened(&"é".repeat(40), 30), format!("{}…", "é".repeat(30)));
    }

    #[test]
    fn a_long_word_may_be_broken_and_a_short_one_may_not() {
        assert_eq!(settable(&"x".repeat(18)), "x".repeat(18));
        let long = settable(&"x".repeat(41));
        assert_eq!(long.matches(BREAK).count(), 6, "{long:?}");
        assert_eq!(long.replace(BREAK, ""), "x".repeat(41));
    }
}
