//! `docs/law.md`: each duty of the law with the rule, code and test that hold it, or who else does; made anew and compared.
//!
//! `UPDATE_LAW_PAGE=1 cargo test -p policy --test document` renews the page.

mod page;
mod support;
mod table;

use page::capabilities::{self, Capability, Cell};
use page::duties::{self, Book, Duty};
use policy::law::files::PackFiles;
use policy::{Confidence, Law};
use std::{collections::BTreeSet, sync::OnceLock};

/// The groups of duties and how many each has.
const DUTIES: [(&str, u32); 18] = [
    ("CSI", 15),
    ("RET", 12),
    ("ACC", 8),
    ("REQ", 10),
    ("TECH", 19),
    ("ALG", 10),
    ("CNIL", 6),
    ("LAPI", 5),
    ("SND", 1),
    ("LRJ", 1),
    ("VV", 1),
    ("FR", 1),
    ("DP", 12),
    ("AI", 3),
    ("HOST", 6),
    ("PUB", 7),
    ("PEN", 16),
    ("ANSSI", 27),
];

fn open_town() -> Law {
    let town = r#"@id("everything") permit (principal, action, resource);"#;
    Law::load_unsigned(&PackFiles::built_in(), town).expect("a town may write this")
}

/// Some ten thousand decisions: made once for all tests.
fn lines() -> &'static [Capability] {
    static LINES: OnceLock<Vec<Capability>> = OnceLock::new();
    LINES.get_or_init(|| capabilities::all(&open_town()))
}

fn book() -> Book {
    duties::book()
}

#[test]
#[allow(clippy::disallowed_methods, reason = "one variable renews the page that is compared otherwise")]
fn the_checked_in_page_of_the_law_is_the_generated_one() {
    let path = duties::root().join("docs/law.md");
    let made = page::page(&support::law(), lines(), &book());
    if std::env::var_os("UPDATE_LAW_PAGE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap();
    assert!(checked_in == made, "it is old: `UPDATE_LAW_PAGE=1 cargo test -p policy --test document` renews it");
}

#[test]
fn every_numbered_duty_has_its_line_and_none_has_two() {
    let numbered =
        DUTIES.iter().flat_map(|(group, count)| (1..=*count).map(move |number| format!("{group}-{number:02}")));
    let expected: BTreeSet<String> = numbered.collect();
    let told: Vec<String> = book().duty.into_iter().map(|duty| duty.id).collect();
    assert_eq!(expected.len(), 160);
    assert_eq!(told.len(), 160, "a duty stands twice");
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn every_rule_and_fact_of_the_pack_stands_in_a_duty_and_no_duty_names_another() {
    let (law, book) = (support::law(), book());
    let named = |of: fn(&Duty) -> &Vec<String>| book.duty.iter().flat_map(of).cloned().collect::<BTreeSet<_>>();
    assert_eq!(named(|duty| &duty.rules), law.rules().iter().map(|rule| rule.id.clone()).collect());
    assert_eq!(named(|duty| &duty.facts), law.facts().all().iter().map(|fact| fact.id.clone()).collect());
}

#[test]
fn every_path_and_test_that_a_duty_names_exists_and_somebody_holds_it() {
    let book = book();
    let faults: Vec<String> =
        book.duty.iter().flat_map(duties::faults).chain(book.reader.iter().flat_map(duties::reader_faults)).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn what_does_not_exist_is_found() {
    let duty = |code: &str, test: &str| Duty {
        id: "X-01".into(),
        fr: "un devoir".into(),
        en: "a duty".into(),
        source: "CSI L251-2".into(),
        confidence: "F".into(),
        code: vec![code.into()],
        tests: vec![test.into()],
        ..Duty::default()
    };
    let (code, test) = ("crates/policy/src/law.rs", "crates/policy/tests/document.rs::what_does_not_exist_is_found");
    assert!(duties::faults(&duty(code, test)).is_empty());
    for (code, test, what) in [
        ("crates/policy/src/gone.rs", test, "does not exist"),
        (code, "crates/policy/tests/gone.rs", "is no test"),
        (code, "crates/policy/tests/document.rs::gone", "is no test"),
        (code, "crates/policy/tests/document.rs::open_town", "is no test"),
    ] {
        let faults = duties::faults(&duty(code, test));
        assert!(faults.len() == 1 && faults[0].contains(what), "{code} {test}: {faults:?}");
    }
    let unheld = Duty { code: vec![], tests: vec![], ..duty(code, test) };
    assert!(duties::faults(&unheld)[0].contains("nobody holds it"));
    assert!(duties::faults(&Duty { part: Some("10".into()), ..duty(code, test) })[0].contains("part"));
    assert!(duties::faults(&Duty { tests: vec![], ..duty(code, test) })[0].contains("no test"));
}

#[test]
fn a_duty_to_be_verified_names_no_permission() {
    let (law, book) = (support::law(), book());
    // every rule of the pack forbids, or it was not taken: a name outside of it would be a town's permit
    let permits: BTreeSet<String> = law.town_rules().iter().map(|rule| rule.id.clone()).collect();
    let uncertain: Vec<&Duty> = book.duty.iter().filter(|duty| duty.confidence == "U").collect();
    assert!(uncertain.len() >= 8);
    for duty in uncertain {
        assert!(duty.rules.iter().all(|rule| !permits.contains(rule)), "{}", duty.id);
        assert!(duty.rules.iter().all(|id| law.rules().iter().any(|rule| rule.id == *id)), "{}", duty.id);
        assert!(!duty.code.iter().any(|path| path.starts_with("law/town")), "{}", duty.id);
    }
}

#[test]
fn no_duty_is_told_as_surer_than_the_rules_that_alone_hold_it() {
    let (law, book) = (support::law(), book());
    for duty in book.duty.iter().filter(|duty| duty.confidence == "F" && duty.rules.len() == 1 && duty.code.is_empty())
    {
        let rule = law.rules().iter().find(|rule| rule.id == duty.rules[0]).expect("a rule of the pack");
        assert_ne!(rule.confidence, Confidence::Uncertain, "{} rests on `{}` alone", duty.id, rule.id);
    }
}

#[test]
fn the_page_tells_when_detection_of_events_ended_and_what_never_was() {
    let lines = lines();
    let cells = |number: &str, state: bool| {
        lines.iter().find(|line| line.row.number == number && line.state == state).expect("a row").cells
    };
    use Cell::{Allowed, Forbidden, Gated};
    assert_eq!(cells("11", false), [Gated, Forbidden, Forbidden, Forbidden]);
    assert_eq!(cells("1", false), [Allowed; 4]);
    assert_eq!((cells("10", false), cells("10", true)), ([Forbidden; 4], [Gated; 4]));
    for absent in ["8", "9", "12", "13", "15", "16", "17", "18", "19", "20", "22"] {
        assert_eq!((cells(absent, false), cells(absent, true)), ([Forbidden; 4], [Forbidden; 4]), "{absent}");
    }
    assert_eq!(lines.len(), 2 * table::ROWS.len());
}
