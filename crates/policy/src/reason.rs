//! The form of a stated reason (motif, CSI R253-5): whether it says anything at all. What it means, people judge. Pure.

use domain::limit::{REASON_CODE_CHARS_MAX, REASON_CODE_CHARS_MIN, REASON_CODE_DIGITS_MIN};
use std::collections::BTreeSet;

/// What rules see of a reason: its measures, never its words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReasonForm {
    /// Characters, blanks at both ends not counted.
    pub length: usize,
    /// Different letters and digits: a row of dots has none, a key held down has one.
    pub signs: usize,
    /// It has the form of a code: the number of an event, of a file, of a call.
    pub is_code: bool,
}

impl ReasonForm {
    pub fn of(reason: &str) -> ReasonForm {
        let reason = reason.trim();
        let signs: BTreeSet<char> =
            reason.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        ReasonForm { length: reason.chars().count(), signs: signs.len(), is_code: is_code(reason) }
    }
}

/// Letters, digits and what joins them, some of them digits: `MC-2041`, `2026/118`, `18.4417`.
fn is_code(reason: &str) -> bool {
    let length = reason.chars().count();
    let digits = reason.chars().filter(char::is_ascii_digit).count();
    let joins = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '/' | '.' | '_');
    (REASON_CODE_CHARS_MIN..=REASON_CODE_CHARS_MAX).contains(&length)
        && REASON_CODE_DIGITS_MIN <= digits
        && reason.chars().all(joins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(reason: &str) -> (usize, usize, bool) {
        let ReasonForm { length, signs, is_code } = ReasonForm::of(reason);
        (length, signs, is_code)
    }

    #[test]
    fn a_number_of_an_event_is_a_code_and_a_word_or_a_row_of_dots_is_none() {
        for code in ["MC-2041", "2026/118", "18.4417", "M123", "0042", " MC-2041 ", "INT_2026-11-27-0042X"] {
            assert!(ReasonForm::of(code).is_code, "{code}");
        }
        for none in ["", ".", "....", "12", "a", "motif", "MC 2041", "é-2041", "A-12", "INT_2026-11-27-0042XY", "12:30"]
        {
            assert!(!ReasonForm::of(none).is_code, "{none}");
        }
    }

    #[test]
    fn signs_are_different_letters_and_digits_whatever_their_case() {
        assert_eq!(form("  ..........  "), (10, 0, false));
        assert_eq!(form("aAaAaAaAaA"), (10, 1, false));
        assert_eq!(form("é à, é à, é à"), (13, 2, false));
        assert_eq!(form("chute, rue haute"), (16, 7, false));
    }
}
