//! What the arrêté of 3 August 2007 demands of each class of cameras, at its bounds.

mod support;

use domain::{CameraClass, UtcMicros};
use policy::law::files::{PackFiles, TOWN};
use policy::technical::{Measured, Rule, Shortfall, shortfalls};
use policy::{Confidence, Law, calendar};
use support::{NOW, law};

fn lint(class: Option<CameraClass>, size: (u32, u32), millihertz: u32) -> Vec<Shortfall> {
    let measured = Measured { width: size.0, height: size.1, millihertz: Some(millihertz) };
    shortfalls(law().facts(), class, &measured, NOW)
}

#[test]
fn each_class_has_its_least_size_and_rate_and_one_pixel_or_picture_less_is_told() {
    use CameraClass::{FastFlow, FastFlowThumbnails, NarrowView, NarrowViewThumbnails, Other, Traffic};
    let narrow = (704, 576);
    let stored = (352, 288);
    for (class, size, millihertz) in [
        (None, Some(narrow), 12_000),
        (Some(NarrowView), Some(narrow), 6_000),
        (Some(NarrowViewThumbnails), None, 6_000),
        (Some(FastFlow), Some(narrow), 12_000),
        (Some(FastFlowThumbnails), None, 12_000),
        (Some(Traffic), Some(stored), 6_000),
        (Some(Other), Some(stored), 6_000),
    ] {
        let least = size.unwrap_or((160, 120));
        assert_eq!(lint(class, least, millihertz), [], "{class:?}");
        let slow = lint(class, least, millihertz * 98 / 100);
        assert_eq!(slow.len(), 1, "{class:?}");
        assert_eq!(slow[0].rule, Rule::Rate { millihertz: millihertz * 98 / 100, millihertz_min: millihertz });
        for small in [(least.0 - 1, least.1), (least.0, least.1 - 1)] {
            assert_eq!(lint(class, small, millihertz).len(), usize::from(size.is_some()), "{class:?} {small:?}");
        }
        // far below in both: both are told
        assert_eq!(lint(class, (80, 60), 500).len(), 1 + usize::from(size.is_some()), "{class:?}");
    }
}

#[test]
fn a_camera_whose_own_clock_is_a_little_slow_is_no_alarm_and_a_rate_not_known_yet_neither() {
    assert_eq!(lint(Some(CameraClass::FastFlow), (1_920, 1_080), 11_950), []);
    let unknown = Measured { width: 1_920, height: 1_080, millihertz: None };
    assert_eq!(shortfalls(law().facts(), Some(CameraClass::FastFlow), &unknown, NOW), []);
}

#[test]
fn what_falls_short_is_told_with_both_values_article_and_remedy_in_both_languages() {
    for class in [None].into_iter().chain(CameraClass::ALL.map(Some)) {
        for told in lint(class, (320, 240), 4_980) {
            let (fr, en) = (told.text_fr(), told.text_en());
            match told.rule {
                Rule::Size { .. } => assert!(fr.contains("320×240") && en.contains("320×240"), "{fr}"),
                Rule::Rate { .. } => assert!(fr.contains("4,9 images") && en.contains("4.9 pictures"), "{fr} {en}"),
            }
            assert!(told.article.contains("arrêté du 3 août 2007"), "{}", told.article);
            for text in [&fr, &en, &told.remedy_fr(), &told.remedy_en()] {
                assert!(text.ends_with('.') && !text.contains("  "), "{text}");
            }
            assert!(fr != en && told.remedy_fr() != told.remedy_en());
            assert_eq!(told.remedy_fr().contains("vigie camera class"), class.is_none() || told.duty() == "TECH-07");
        }
    }
}

#[test]
fn the_demands_are_dated_facts_of_the_pack_and_none_is_uncertain() {
    let ids = [
        "narrow-view-width-min",
        "narrow-view-height-min",
        "stored-width-min",
        "stored-height-min",
        "fast-flow-rate-min",
        "stored-rate-min",
    ];
    for id in ids {
        let fact = law().facts().of(id, NOW).cloned().unwrap_or_else(|| panic!("{id}"));
        assert_eq!(fact.confidence, Confidence::Found, "{id}");
    }
    let before = calendar::written_day("2007-08-20").unwrap();
    let small = Measured { width: 80, height: 60, millihertz: Some(1) };
    assert_eq!(shortfalls(law().facts(), None, &small, before), [], "the arrêté was not published yet");
    let files = PackFiles::built_in();
    let raised = files.text("facts.toml").unwrap().replace("value = 704", "value = 1920");
    let raised = Law::load_unsigned(&files.with("facts.toml", &raised), TOWN).unwrap();
    let found = shortfalls(raised.facts(), None, &Measured { width: 1_280, height: 720, millihertz: None }, at(2027));
    assert!(matches!(found[0].rule, Rule::Size { width_min: 1_920, .. }), "another pack demands otherwise: {found:?}");
}

fn at(year: i16) -> UtcMicros {
    calendar::day(year, 1, 1).unwrap()
}
