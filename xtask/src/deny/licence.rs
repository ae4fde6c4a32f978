//! SPDX licence expressions (SPDX 2.3, annex D): parsed, and satisfied or not by the allowed licences.

use super::rules::Rules;
use super::{PAGE, Package};
use crate::tree::Finding;
use std::collections::BTreeSet;

/// Says which packages no allowed licence covers, and which exceptions nobody needs.
pub fn check(rules: &Rules, packages: &BTreeSet<Package>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = packages.iter().filter_map(|package| refused(rules, package)).collect();
    for exception in &rules.exceptions {
        if !packages.iter().any(|package| package.name == exception.package) {
            let what = format!("nothing depends on `{}`, the exception is stale", exception.package);
            findings.push(Finding::new(PAGE, 0, what, "remove it"));
        }
    }
    findings
}

fn refused(rules: &Rules, package: &Package) -> Option<Finding> {
    let named = format!("`{}` {}", package.name, package.version);
    let exceptions = rules.exceptions.iter().filter(|exception| exception.package == package.name);
    let allowed: Vec<&str> =
        rules.allow.iter().chain(exceptions.map(|exception| &exception.licence)).map(String::as_str).collect();
    let Some(text) = &package.licence else {
        return Some(Finding::new(
            PAGE,
            0,
            format!("{named} states no licence"),
            "read its licence file, or do without it",
        ));
    };
    match satisfied(text, &allowed) {
        Ok(true) => None,
        Ok(false) => {
            let what = format!("{named} is under `{text}`, which is not allowed");
            Some(Finding::new(PAGE, 0, what, "do without it, or make an exception with its reason"))
        }
        Err(why) => {
            Some(Finding::new(PAGE, 0, format!("{named}: `{text}`: {why}"), "correct the reader of expressions"))
        }
    }
}

/// Can a user of the package choose among its licences so that all that remain are allowed?
///
/// # Errors
/// What cannot be read of the expression.
pub fn satisfied(expression: &str, allowed: &[&str]) -> Result<bool, String> {
    // `MIT/Apache-2.0` is the older way to write OR
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut reader = Reader { words: spaced.split_whitespace().collect(), at: 0, allowed };
    let answer = reader.any()?;
    match reader.peek() {
        None => Ok(answer),
        Some(word) => Err(format!("`{word}` stands where nothing should")),
    }
}

struct Reader<'a> {
    words: Vec<&'a str>,
    at: usize,
    allowed: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        self.at += usize::from(there);
        there
    }

    /// OR binds least.
    fn any(&mut self) -> Result<bool, String> {
        let mut answer = self.all()?;
        while self.take("OR") {
            answer |= self.all()?;
        }
        Ok(answer)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut answer = self.one()?;
        while self.take("AND") {
            answer &= self.one()?;
        }
        Ok(answer)
    }

    /// A licence, a licence WITH an exception (a name of its own in the list), or parentheses.
    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let answer = self.any()?;
            return if self.take(")") { Ok(answer) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        let Some(id) = self.peek().filter(|word| !matches!(*word, "OR" | "AND" | "WITH" | ")")) else {
            return Err("a licence is missing".to_owned());
        };
        self.at += 1;
        let name = if self.take("WITH") {
            let exception = self.peek().ok_or("an exception is missing")?;
            self.at += 1;
            format!("{id} WITH {exception}")
        } else {
            id.to_owned()
        };
        Ok(self.allowed.contains(&name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: &[&str] = &["MIT", "Apache-2.0", "ISC"];

    #[test]
    fn expressions_are_read_as_spdx_reads_them() {
        for (expression, answer) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", true),
            ("MIT AND GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT AND ISC", true),
            ("(GPL-3.0-only OR MIT) AND ISC", true),
            ("ISC AND (GPL-3.0-only OR (LGPL-2.1-or-later AND MIT))", false),
            ("Unlicense/MIT", true),
            ("Apache-2.0 WITH LLVM-exception", false),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ] {
            assert_eq!(satisfied(expression, ALLOWED), Ok(answer), "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_is_not_taken_for_one() {
        for expression in ["", "MIT OR", "(MIT", "MIT Apache-2.0", "AND MIT", "MIT)", "MIT WITH"] {
            assert!(satisfied(expression, ALLOWED).is_err(), "{expression}");
        }
    }

    #[test]
    fn a_package_without_an_allowed_licence_needs_an_exception_and_a_stale_exception_goes() {
        let package = |name: &str, licence: Option<&str>| Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: licence.map(str::to_owned),
        };
        let packages = BTreeSet::from([package("a", Some("MIT")), package("b", Some("OpenSSL")), package("c", None)]);
        let whats = |text: &str| -> Vec<String> {
            check(&Rules::parse(text).unwrap(), &packages).into_iter().map(|finding| finding.what).collect()
        };
        let allow = "[licences]\nallow = [\"MIT\"]\n";
        let expected = ["`b` 1.0.0 is under `OpenSSL`, which is not allowed", "`c` 1.0.0 states no licence"];
        assert_eq!(whats(allow), expected);
        let with =
            |name: &str| format!("{allow}[[exception]]\npackage = \"{name}\"\nlicence = \"OpenSSL\"\nreason = \"x\"\n");
        assert_eq!(whats(&with("b")), ["`c` 1.0.0 states no licence"]);
        assert_eq!(whats(&with("d"))[2], "nothing depends on `d`, the exception is stale");
    }
}
