//! Every source file says in its first line what it is for.

use crate::tree::{Finding, Tree};

/// (end of the file's name, what its first line begins with)
const MARKS: &[(&str, &[&str])] = &[
    (".rs", &["//!"]),
    (".ts", &["//", "/*"]),
    (".mjs", &["//", "/*"]),
    (".js", &["//", "/*"]),
    (".svelte", &["<!--"]),
    (".css", &["/*"]),
    (".sh", &["#"]),
    (".py", &["#", "\"\"\""]),
    (".sql", &["--"]),
    ("Makefile", &["#"]),
    (".ci/run", &["#"]),
];

/// Letters below which a line says nothing: «tests», «main» or a row of dashes.
const LETTERS_MIN: usize = 12;

pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().filter_map(|(path, text)| missing(path, text)).collect()
}

fn missing(path: &str, text: &str) -> Option<Finding> {
    let (_, marks) = MARKS.iter().find(|(end, _)| path.ends_with(end))?;
    let mut lines =
        text.lines().enumerate().filter(|(at, line)| !(*at == 0 && line.starts_with("#!/"))).map(|(_, line)| line);
    let first = lines.next().unwrap_or_default();
    // a lone opener, as generators write it, has its sentence on the next line
    let sentence = if first.trim_end() == "/**" { lines.next().unwrap_or_default() } else { first };
    let marked = marks.iter().any(|mark| first.starts_with(mark));
    if marked && sentence.chars().filter(|letter| letter.is_alphabetic()).count() >= LETTERS_MIN {
        return None;
    }
    let remedy = format!("open it with `{} …`: one sentence that a newcomer can use", marks[0]);
    Some(Finding::new(path, 1, "the first line does not say what the file is for", remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str, text: &str) -> bool {
        !check(&Tree::of(&[(path, text)])).is_empty()
    }

    #[test]
    fn files_that_say_their_purpose_pass() {
        for (path, text) in [
            ("a.rs", "//! The hour as a value of a length.\n"),
            ("a.sh", "#!/usr/bin/env bash\n# Installs what is missing.\n"),
            ("a.svelte", "<!-- The wall of live cameras. -->\n"),
            ("a.sql", "-- Accounts and cameras.\n"),
            ("a.ts", "/**\n * Made from openapi.json by the generator.\n */\n"),
            ("a.py", "#!/usr/bin/env python3\n\"\"\"Reads a reel without our code.\"\"\"\n"),
            ("a.json", "{}"),
        ] {
            assert!(!refused(path, text), "{path}");
        }
    }

    #[test]
    fn files_that_do_not_are_refused() {
        for (path, text) in [
            ("a.rs", "// not the kind of comment that a module has\n"),
            ("a.rs", "use std::fs;\n//! The hour as a value of a length.\n"),
            ("a.rs", "//! main\n"),
            ("a.rs", ""),
            ("a.sh", "#!/usr/bin/env bash\nset -e\n"),
            ("a.css", "body { margin: 0 }\n"),
            ("ui/Makefile", "all:\n"),
        ] {
            assert!(refused(path, text), "{path}: {text}");
        }
    }
}
