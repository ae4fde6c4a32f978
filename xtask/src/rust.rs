//! Rust source as tokens: enough of the grammar to see past strings and comments, find functions and test code.

/// A word, a number, a lifetime, a string (kept with its quotes) or one character of punctuation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// One function: its name, the line of its `fn`, and its lines up to the closing brace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// One Rust file.
pub struct Source {
    pub tokens: Vec<Token>,
    /// (line, text without the marker), block comments line by line
    pub comments: Vec<(usize, String)>,
    lines: usize,
    test_spans: Vec<(usize, usize)>,
    test_modules: Vec<String>,
}

impl Source {
    pub fn read(text: &str) -> Source {
        let mut lexer = Lexer { chars: text.chars().collect(), at: 0, line: 1, tokens: vec![], comments: vec![] };
        lexer.run();
        let mut source = Source {
            tokens: lexer.tokens,
            comments: lexer.comments,
            lines: text.lines().count(),
            test_spans: vec![],
            test_modules: vec![],
        };
        source.find_tests();
        source
    }

    pub fn is_test_line(&self, line: usize) -> bool {
        self.test_spans.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// Lines that are not test code.
    pub fn lines_before_tests(&self) -> usize {
        (1..=self.lines).filter(|line| !self.is_test_line(*line)).count()
    }

    /// Names of `#[cfg(test)] mod name;`, whose text stands in another file.
    pub fn test_modules_elsewhere(&self) -> &[String] {
        &self.test_modules
    }

    /// The lines at which `pattern` occurs, token by token; `Chunk::open` does not match `Chunk::opened`.
    pub fn occurrences(&self, pattern: &str) -> Vec<usize> {
        let wanted = Source::read(pattern).tokens;
        let same = |window: &[Token]| window.iter().zip(&wanted).all(|(here, there)| here.text == there.text);
        self.tokens.windows(wanted.len().max(1)).filter(|window| same(window)).map(|window| window[0].line).collect()
    }

    pub fn functions(&self) -> Vec<Function> {
        let named = |at: &usize| self.text(*at) == "fn" && self.text(at + 1).starts_with(is_word_start);
        (0..self.tokens.len()).filter(named).filter_map(|at| self.function(at)).collect()
    }

    /// Names of types: (line, name) after `struct`, `enum`, `union`, `trait` or `type`.
    pub fn type_names(&self) -> Vec<(usize, &str)> {
        let declares = |pair: &[Token]| {
            matches!(pair[0].text.as_str(), "struct" | "enum" | "union" | "trait" | "type")
                && pair[1].text.starts_with(is_word_start)
        };
        self.tokens.windows(2).filter(|pair| declares(pair)).map(|pair| (pair[1].line, pair[1].text.as_str())).collect()
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn function(&self, at: usize) -> Option<Function> {
        let end = self.item_end(at)?;
        if self.text(end) != "}" {
            return None;
        }
        let (first, last) = (self.tokens[at].line, self.tokens[end].line);
        Some(Function { name: self.text(at + 1).to_owned(), line: first, lines: last - first + 1 })
    }

    /// The token that ends the item which starts at `at`: its `;`, or the brace that closes its body.
    fn item_end(&self, at: usize) -> Option<usize> {
        let mut depth = 0usize;
        let mut in_body = false;
        for index in at..self.tokens.len() {
            match self.text(index) {
                ";" if depth == 0 => return Some(index),
                "{" => {
                    in_body |= depth == 0;
                    depth += 1;
                }
                "(" | "[" => depth += 1,
                ")" | "]" | "}" => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 && in_body && self.text(index) == "}" {
                        return Some(index);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn find_tests(&mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            let inner = self.text(at + 1) == "!";
            let open = if inner { at + 2 } else { at + 1 };
            if self.text(at) != "#" || self.text(open) != "[" {
                at += 1;
                continue;
            }
            let Some(close) = self.closing_bracket(open) else { return };
            if is_test_attribute(&self.tokens[open + 1..close]) {
                if inner {
                    self.test_spans.push((1, self.lines));
                    return;
                }
                at = self.mark_test_item(at, close + 1);
                continue;
            }
            at = close + 1;
        }
    }

    /// Marks the item under a test attribute; returns the token after it.
    fn mark_test_item(&mut self, attribute: usize, mut item: usize) -> usize {
        while self.text(item) == "#" && self.text(item + 1) == "[" {
            match self.closing_bracket(item + 1) {
                Some(close) => item = close + 1,
                None => return self.tokens.len(),
            }
        }
        let end = self.item_end(item).unwrap_or(self.tokens.len() - 1);
        self.test_spans.push((self.tokens[attribute].line, self.tokens[end].line));
        if self.text(end) == ";" {
            let words: Vec<&str> = (item..end).map(|index| self.text(index)).collect();
            if let Some(at) = words.iter().position(|word| *word == "mod") {
                self.test_modules.extend(words.get(at + 1).map(|name| (*name).to_owned()));
            }
        }
        end + 1
    }

    fn closing_bracket(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for index in open..self.tokens.len() {
            match self.text(index) {
                "[" => depth += 1,
                "]" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(index);
            }
        }
        None
    }
}

/// `cfg(test)`, `cfg(all(test, …))`, `test`, `tokio::test`; not `cfg(any(test, …))`, which also ships.
fn is_test_attribute(inside: &[Token]) -> bool {
    let words: Vec<&str> = inside.iter().map(|token| token.text.as_str()).collect();
    let says = |word: &str| words.contains(&word);
    match words.first() {
        Some(&"cfg") => says("test") && !says("any") && !says("not"),
        _ => words.iter().take_while(|word| **word != "(").last() == Some(&"test"),
    }
}

fn is_word_start(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
    comments: Vec<(usize, String)>,
}

impl Lexer {
    fn run(&mut self) {
        while let Some(letter) = self.peek(0) {
            match (letter, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.quoted(0, false),
                ('\'', _) => self.quote(),
                _ if is_word(letter) => self.word(),
                _ => {
                    if !letter.is_whitespace() {
                        self.push(letter.to_string(), self.line);
                    }
                    self.step();
                }
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn step(&mut self) {
        if self.peek(0) == Some('\n') {
            self.line += 1;
        }
        self.at += 1;
    }

    fn push(&mut self, text: String, line: usize) {
        self.tokens.push(Token { text, line });
    }

    fn line_comment(&mut self) {
        let rest = &self.chars[self.at..];
        let text: String = rest.iter().take_while(|letter| **letter != '\n').collect();
        self.at += text.chars().count();
        self.comments.push((self.line, text.trim_start_matches(['/', '!']).trim().to_owned()));
    }

    fn block_comment(&mut self) {
        let mut depth = 0usize;
        let mut text = String::new();
        while let Some(letter) = self.peek(0) {
            match (letter, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                ('\n', _) => self.comments.push((self.line, std::mem::take(&mut text))),
                _ => text.push(letter),
            }
            if matches!((letter, self.peek(1)), ('/', Some('*')) | ('*', Some('/'))) {
                self.step();
            }
            self.step();
            if depth == 0 {
                break;
            }
        }
        self.comments.push((self.line, text));
    }

    /// A string whose opening quote is here; raw strings know no escapes and close with `hashes` hashes.
    fn quoted(&mut self, hashes: usize, raw: bool) {
        let line = self.line;
        let mut text = String::from('"');
        self.step();
        while let Some(letter) = self.peek(0) {
            if letter == '\\' && !raw {
                self.step();
                self.step();
                continue;
            }
            let closes = letter == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
            text.push(letter);
            self.step();
            if closes {
                self.at += hashes;
                break;
            }
        }
        self.push(text, line);
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        let is_character = self.peek(1) == Some('\\') || self.peek(2) == Some('\'');
        self.step();
        if !is_character {
            return;
        }
        if self.peek(0) == Some('\\') {
            self.step();
        }
        self.step();
        while self.peek(0).is_some_and(|letter| letter != '\'') {
            self.step();
        }
        self.step();
    }

    fn word(&mut self) {
        let rest = &self.chars[self.at..];
        let text: String = rest.iter().take_while(|letter| is_word(**letter)).collect();
        let length = text.chars().count();
        if matches!(text.as_str(), "r" | "br" | "cr") {
            let hashes = rest[length..].iter().take_while(|letter| **letter == '#').count();
            if rest.get(length + hashes) == Some(&'"') {
                self.at += length + hashes;
                return self.quoted(hashes, true);
            }
        }
        self.at += length;
        self.push(text, self.line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        Source::read(text).tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn strings_comments_and_characters_hold_no_code() {
        assert_eq!(words("a // b.unwrap()\n/* c /* d */ e */ f"), ["a", "f"]);
        assert_eq!(
            words(r##"r#"x " fn y() {"# b"}\"{" '{' '\'' '"' 'a: c"##),
            ["\"x \" fn y() {\"", "b", "\"}{\"", "a", ":", "c"]
        );
    }

    #[test]
    fn a_comment_keeps_its_line() {
        let source = Source::read("//! one\nfn a() {} // two\n/* three\nfour */");
        let lines: Vec<usize> = source.comments.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2, 3, 4]);
        assert_eq!(source.comments[1].1, "two");
    }

    #[test]
    fn functions_are_measured_from_fn_to_their_closing_brace() {
        let text = "trait T { fn none(&self, a: [u8; 4]) -> [u8; 2]; }\npub fn two(\n  a: [u8; 4],\n) {\n  let s = \"}\";\n}\ntype P = fn(u8);";
        let functions = Source::read(text).functions();
        assert_eq!(functions, [Function { name: "two".to_owned(), line: 2, lines: 5 }]);
    }

    #[test]
    fn test_items_are_told_from_items_that_ship() {
        let text = "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n  fn b() {}\n}\n#[cfg(any(test, feature = \"f\"))]\nfn c() {}\n#[tokio::test(flavor = \"x\")]\nasync fn d() {}\n#[cfg(not(test))]\nfn e() {}\n";
        let source = Source::read(text);
        let tests: Vec<usize> = (1..=12).filter(|line| source.is_test_line(*line)).collect();
        assert_eq!(tests, [2, 3, 4, 5, 6, 9, 10]);
        assert_eq!(source.lines_before_tests(), 5);
    }

    #[test]
    fn a_pattern_matches_whole_tokens_only() {
        let source = Source::read("Chunk :: open(x); Chunk::opened(); MyChunk::open()");
        assert_eq!(source.occurrences("Chunk::open"), [1]);
    }
}
