//! A function fits a screen, a file fits a head: sizes beyond which code is split.

use crate::tree::{Finding, Tree};

/// Lines of a function from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Lines of a file without its tests.
const FILE_LINES_MAX: usize = 800;
/// Lines of a `lib.rs`: it is a table of contents.
const CONTENTS_LINES_MAX: usize = 120;

const COUNTED: &[&str] = &[".rs", ".ts", ".mjs", ".svelte", ".css", ".py", ".sh", ".sql"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tree.files().filter_map(|(path, text)| file(tree, path, text)).collect();
    for (path, source) in tree.rust() {
        let functions = source.functions().into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX);
        for function in functions.filter(|function| !tree.is_test_line(path, function.line)) {
            let what = format!("function `{}` has {} lines, {FUNCTION_LINES_MAX} fit", function.name, function.lines);
            findings.push(Finding::new(
                path,
                function.line,
                what,
                "keep the branching here and move the work to helpers",
            ));
        }
    }
    findings
}

fn file(tree: &Tree, path: &str, text: &str) -> Option<Finding> {
    if !COUNTED.iter().any(|end| path.ends_with(end)) || is_generated(text) {
        return None;
    }
    let source = tree.rust().find(|(name, _)| *name == path).map(|(_, source)| source);
    let lines = source.map_or_else(|| text.lines().count(), |source| source.lines_before_tests());
    if path.ends_with("lib.rs") && lines > CONTENTS_LINES_MAX {
        let what = format!("lib.rs has {lines} lines, {CONTENTS_LINES_MAX} fit");
        return Some(Finding::new(path, 0, what, "leave a table of contents; move the rest to modules"));
    }
    let what = format!("the file has {lines} lines without its tests, {FILE_LINES_MAX} fit");
    (lines > FILE_LINES_MAX).then(|| Finding::new(path, 0, what, "split it by subject"))
}

/// Made by a generator, which says so in its first lines.
fn is_generated(text: &str) -> bool {
    text.lines().take(3).any(|line| line.to_lowercase().contains("auto-generated"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.what).collect()
    }

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_of_71_lines_is_refused_and_one_of_70_is_not() {
        assert_eq!(whats("crates/a/src/b.rs", &function(70)), Vec::<String>::new());
        assert_eq!(whats("crates/a/src/b.rs", &function(71)), ["function `long` has 71 lines, 70 fit"]);
    }

    #[test]
    fn test_functions_may_be_long() {
        let text = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", function(90));
        assert_eq!(whats("crates/a/src/b.rs", &text), Vec::<String>::new());
        assert_eq!(whats("crates/a/tests/b.rs", &function(90)), Vec::<String>::new());
    }

    #[test]
    fn a_file_is_measured_without_its_tests() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    // x\n".repeat(900));
        assert_eq!(whats("crates/a/src/b.rs", &format!("{}{tests}", "// x\n".repeat(800))), Vec::<String>::new());
        let what = whats("crates/a/src/b.rs", &format!("{}{tests}", "// x\n".repeat(801)));
        assert_eq!(what, ["the file has 801 lines without its tests, 800 fit"]);
        assert_eq!(whats("ui/src/a.ts", &"// x\n".repeat(801)).len(), 1);
        assert_eq!(whats("ui/src/a.ts", &format!("// auto-generated\n{}", "// x\n".repeat(801))).len(), 0);
    }

    #[test]
    fn a_lib_is_a_table_of_contents() {
        assert_eq!(whats("crates/a/src/lib.rs", &"// x\n".repeat(121)), ["lib.rs has 121 lines, 120 fit"]);
    }
}
