//! What a dossier reads as, and what is said of one that does not read.

use super::*;
use crate::calendar::day;
use domain::UtcMicros;
use proptest::prelude::*;

const ORDER: &str = r#"
kind = "authorisation"
number = "33-2026-0412"
signed = 2026-03-12
signatory = "démonstration, aucun préfet n'a signé"
from = 2026-03-12
until = 2031-03-12T00:00:00Z
cameras = ["Mairie", "Gare"]
prefecture = "Gironde"
purposes = [1, 5]
retention_days = 15
hosting_place = "mairie"
scan = "arrete.pdf"
"#;

fn said(text: &str) -> String {
    let error = read(text).expect_err("it does not read");
    assert_ne!(error.text_fr(), error.to_string());
    format!("{} | {error}", error.text_fr())
}

#[test]
fn an_order_reads_with_its_terms_and_days_begin_in_paris() {
    let entered = read(ORDER).unwrap().remove(0);
    let draft = &entered.draft;
    assert_eq!((draft.from, entered.scan_file.as_deref()), (day(2026, 3, 12).unwrap(), Some("arrete.pdf")));
    assert_eq!(draft.until, Some(UtcMicros::from_seconds(1_931_040_000)));
    assert_eq!(draft.about, About::Cameras(vec!["Mairie".into(), "Gare".into()]));
    let ActTerms::Order(order) = &draft.terms else { panic!("an order") };
    assert_eq!(order.purposes, [Purpose::PublicBuildings, Purpose::SafetyOfPersonsAndProperty]);
    assert_eq!((order.retention_days, order.minimum_hours), (15, None));
}

#[test]
fn many_acts_stand_each_under_its_head_and_an_error_says_which_one() {
    let act = |text: &str| format!("[[act]]\n{text}\n");
    assert_eq!(read(&[act(ORDER), act(ORDER)].concat()).unwrap().len(), 2);
    let second = said(&[act(ORDER), act(&ORDER.replace("number", "numero"))].concat());
    assert!(second.contains("acte 2 : `number` manque") && second.contains("act 2 : `number` is missing"), "{second}");
}

#[test]
fn each_mistake_names_its_field_and_its_remedy() {
    for (from, to, expected) in [
        ("kind = \"authorisation\"", "kind = \"order\"", "`order`"),
        ("signed = 2026-03-12", "signed = \"2026-03-12\"", "`signed = 2026-03-12`"),
        ("purposes = [1, 5]", "purposes = [12]", "1 à 11"),
        ("purposes = [1, 5]", "purposes = 5", "`purposes = [1, 5]`"),
        ("retention_days = 15", "retention_days = -1", "`retention_days = 30`"),
        ("cameras = [\"Mairie\", \"Gare\"]", "cameras = [1]", "`cameras`"),
        ("hosting_place = \"mairie\"", "", "`hosting_place` manque"),
        ("scan = \"arrete.pdf\"", "colour = 1", "vigie act template authorisation"),
        ("number = \"33-2026-0412\"", "number =", "ligne 3"),
    ] {
        let said = said(&ORDER.replace(from, to));
        assert!(said.contains(expected), "{to}: {said}");
    }
    assert!(said("act = 1").contains("[[act]]") && said("colour = 1\n[[act]]\n").contains("`colour`"));
}

#[test]
fn a_template_of_each_kind_reads_once_it_is_filled_in() {
    for kind in ActKind::ALL {
        let filled = template(kind).replace("= \"\"", "= \"x\"").replace("purposes = []", "purposes = [5]");
        let entered = read(&filled).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(entered[0].draft.kind, kind);
        // and with every optional field
        let all: String = filled.lines().map(|line| uncommented(line) + "\n").collect();
        read(&all).unwrap_or_else(|error| panic!("{kind}: {error}\n{all}"));
    }
}

/// `# until = …` as a field; comments in words stay.
fn uncommented(line: &str) -> String {
    let field = line.strip_prefix("# ").filter(|rest| {
        rest.split_once(" = ")
            .is_some_and(|(name, _)| name.chars().all(|char| char.is_ascii_lowercase() || char == '_'))
    });
    field.unwrap_or(line).to_owned()
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\[\\[act\\]\\]\n)?(kind|number|from|act|purposes|until) = [0-9T:\"a-z\\[\\],.-]{0,30}\n.{0,80}") {
        let again = read(&text).map_err(|error| error.to_string());
        prop_assert_eq!(read(&text).map_err(|error| error.to_string()), again);
    }
}
