//! What a text of rules may be before Cedar reads it: its parser recurses as deep as the text nests, without a bound.
//!
//! An overflowing stack ends the process, and no error comes of it: so nesting is counted here first, on words alone.

use domain::limit::{LAW_FILE_BYTES_MAX, LAW_NESTING_MAX, LAW_STATEMENT_WORDS_MAX};

/// # Errors
/// What is too large, and how large it may be.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.len() > LAW_FILE_BYTES_MAX {
        return Err(format!(
            "it has {} bytes, {LAW_FILE_BYTES_MAX} are read: split the rules or shorten them",
            text.len()
        ));
    }
    let mut statement = Statement::default();
    for word in Words(text) {
        statement.take(word);
        if statement.depth > LAW_NESTING_MAX {
            return Err(format!("a rule nests deeper than {LAW_NESTING_MAX}: write it as several rules"));
        }
        if statement.words > LAW_STATEMENT_WORDS_MAX {
            return Err(format!("a rule has more than {LAW_STATEMENT_WORDS_MAX} words: write it as several rules"));
        }
    }
    Ok(())
}

/// What has been read since the last `;`.
#[derive(Default)]
struct Statement {
    words: usize,
    depth: usize,
}

impl Statement {
    fn take(&mut self, word: &str) {
        self.words += 1;
        match word {
            ";" => *self = Statement::default(),
            // each `if` holds the rest of its expression; `<` opens a type in a schema, and few are compared in a rule
            "(" | "[" | "{" | "if" | "<" => self.depth += 1,
            ")" | "]" | "}" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// Names, numbers, whole strings and single marks; blanks and comments left out.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.0 = self.0.trim_start();
        while self.0.starts_with("//") {
            self.0 = self.0.find('\n').map_or("", |end| &self.0[end..]).trim_start();
        }
        let first = self.0.chars().next()?;
        let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = match first {
            '"' => string_end(self.0),
            letter if is_name(letter) => self.0.find(|letter| !is_name(letter)).unwrap_or(self.0.len()),
            mark => mark.len_utf8(),
        };
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(word)
    }
}

/// The length of the string that `text` begins with; all of it where it does not end.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{Words, check};
    use domain::limit::{LAW_FILE_BYTES_MAX, LAW_NESTING_MAX, LAW_STATEMENT_WORDS_MAX};

    #[test]
    fn words_are_names_strings_and_marks_and_comments_are_none() {
        let text = "permit(a2_b, \"é;\\\"(\") // (;\n; \"open (";
        assert_eq!(Words(text).collect::<Vec<_>>(), ["permit", "(", "a2_b", ",", "\"é;\\\"(\"", ")", ";", "\"open ("]);
    }

    #[test]
    fn nesting_is_counted_within_a_rule_and_neither_a_string_nor_a_comment_resets_it() {
        let open = |count: usize, mark: &str| mark.repeat(count);
        assert!(check(&open(LAW_NESTING_MAX, "( ")).is_ok());
        for mark in ["( ", "[ ", "{ ", "if ", "( \";\" ", "( // ;\n", "< "] {
            assert!(check(&open(LAW_NESTING_MAX + 1, mark)).is_err_and(|what| what.contains("nests")), "{mark}");
        }
        assert!(check(&open(LAW_NESTING_MAX * 3, "(); ")).is_ok());
    }

    #[test]
    fn a_rule_and_a_file_have_their_size() {
        let rule = "a ".repeat(LAW_STATEMENT_WORDS_MAX);
        assert!(check(&format!("{rule};{rule}")).is_ok());
        assert!(check(&format!("{rule}a")).is_err_and(|what| what.contains("words")));
        assert!(check(&" ".repeat(LAW_FILE_BYTES_MAX)).is_ok() && check(&" ".repeat(LAW_FILE_BYTES_MAX + 1)).is_err());
    }
}
