//! The law pack as a whole: signed or refused, complete or refused, and in step with the program's own numbers.

mod support;

use domain::{CameraId, UtcMicros, limit};
use policy::law::files::{PackFiles, SIGNATURE, TOWN};
use policy::law::signature::{Publisher, verify};
use policy::{Action, Confidence, Decision, Law, LawError, Request, calendar};
use support::{NOW, known, law, lawful};

#[test]
fn the_pack_that_ships_is_signed_by_a_pinned_publisher() {
    let law = Law::built_in().expect("signed");
    assert!(law.rules().len() > 50 && law.town_rules().len() == 7);
    assert_eq!(law.digest(), PackFiles::built_in().digest());
}

#[test]
fn a_pack_with_one_changed_letter_is_refused_whatever_the_file() {
    let files = PackFiles::built_in();
    for name in policy::law::files::NAMES.into_iter().filter(|name| *name != SIGNATURE) {
        let changed = files.with(name, &format!("{}\n", files.text(name).unwrap()));
        assert!(matches!(Law::load(&changed, TOWN), Err(LawError::OtherPack { .. })), "{name}");
    }
    assert!(matches!(Law::load(&files.with(SIGNATURE, ""), TOWN), Err(LawError::Signature { .. })));
}

#[test]
fn a_pack_without_its_list_of_required_acts_or_with_an_empty_one_is_refused_by_the_files_name() {
    let files = PackFiles::built_in();
    let without = PackFiles::new(files.iter().filter(|(name, _)| *name != "acts.toml"));
    let refused = |files: &PackFiles| match Law::load_unsigned(files, TOWN) {
        Ok(_) => panic!("taken"),
        Err(error) => error.to_string(),
    };
    assert!(refused(&without).contains("no file `acts.toml`"));
    assert!(refused(&files.with("acts.toml", "required = []")).contains("empty"));
    assert!(refused(&files.with("acts.toml", "required = 7")).contains("`acts.toml` of the law pack"));
    let taken = files.text("acts.toml").unwrap().replace("id = \"act-sign\"", "id = \"no-face\"");
    assert!(refused(&files.with("acts.toml", &taken)).contains("`no-face`"), "a name is of one rule");
}

#[test]
fn what_two_packs_require_otherwise_is_told_as_a_difference() {
    let files = PackFiles::built_in();
    let stricter = files.text("acts.toml").unwrap().replace("effect = \"alarm\"", "effect = \"block\"");
    let stricter = Law::load_unsigned(&files.with("acts.toml", &stricter), TOWN).unwrap();
    let (old, new) = (law().texts(), stricter.texts());
    assert!(old.get("act-sign").is_some_and(|text| new.get("act-sign").is_some_and(|other| text != other)));
    assert_eq!(old.get("act-dpia"), new.get("act-dpia"));
}

#[test]
fn a_pack_signed_by_a_stranger_is_refused_until_his_key_is_pinned_too() {
    let files = PackFiles::built_in();
    let stranger = Publisher::new("stranger", &[5; 32]);
    let signed = files.with(SIGNATURE, &stranger.sign(&files).unwrap());
    assert!(matches!(Law::load(&signed, TOWN), Err(LawError::Signature { .. })));
    verify(&signed, &[&stranger.verifier_key()]).expect("its own key knows it");
}

#[test]
fn a_pack_permits_nothing_and_every_rule_has_its_marks() {
    let files = PackFiles::built_in();
    let marks = r#"@id("x") @source("CSI L251-2") @confidence("F") @from("2023-11-30") @about("request")"#;
    let forbid = "forbid (principal, action, resource);";
    let refused = |rule: &str| {
        let text = format!("{}\n{rule}", files.text("absent.cedar").unwrap());
        match Law::load_unsigned(&files.with("absent.cedar", &text), TOWN) {
            Ok(_) => panic!("taken: {rule}"),
            Err(error) => error.to_string(),
        }
    };
    assert!(refused(&format!("{marks} permit (principal, action, resource);")).contains("permits"));
    for mark in
        ["@id(\"x\")", "@source(\"CSI L251-2\")", "@confidence(\"F\")", "@from(\"2023-11-30\")", "@about(\"request\")"]
    {
        let text = refused(&format!("{} {forbid}", marks.replace(mark, "")));
        assert!(text.contains(mark.split('(').next().unwrap()), "{mark}: {text}");
    }
    assert!(refused(&format!("{} {forbid}", marks.replace("2023-11-30", "yesterday"))).contains("yesterday"));
    assert!(refused(&format!("{marks} {forbid}")).contains("words"), "a rule without its words");
    assert!(refused(&format!("{} {forbid}", marks.replace("\"x\"", "\"no-face\""))).contains("two rules"));
    assert!(refused(&format!("{marks} {} when {{ principal.face }};", forbid.trim_end_matches(';'))).contains("face"));
}

#[test]
fn a_towns_file_only_permits() {
    let files = PackFiles::built_in();
    let refused = |rule: &str| match Law::load_unsigned(&files, rule) {
        Ok(_) => panic!("taken: {rule}"),
        Err(error) => error.to_string(),
    };
    assert!(refused(r#"@id("a") forbid (principal, action, resource);"#).contains("forbids"));
    assert!(refused("permit (principal, action, resource);").contains("@id"));
    for mark in [r#"@from("2026-01-01")"#, r#"@source("CSI L251-2")"#, r#"@confidence("F")"#] {
        assert!(refused(&format!(r#"@id("a") {mark} permit (principal, action, resource);"#)).contains("@note"));
    }
    let twice = r#"@id("a") permit (principal, action, resource); @id("a") permit (principal, action, resource);"#;
    assert!(refused(twice).contains("another rule"));
    assert!(
        refused(r#"@id("a") permit (principal, action, resource) when { resource.plate == "x" };"#).contains("plate")
    );
}

#[test]
fn a_towns_file_that_nests_without_end_is_refused_and_does_not_end_the_process() {
    let files = PackFiles::built_in();
    let nested = [("(", ")"), ("[", "]"), ("{a: ", "}"), ("if true then ", " else false"), ("true && ", "")];
    for (open, close) in nested {
        let (open, close) = (open.repeat(10_000), close.repeat(10_000));
        let town = format!(r#"@id("a") permit (principal, action, resource) when {{ {open}true{close} }};"#);
        let Err(error) = Law::load_unsigned(&files, &town) else { panic!("taken") };
        assert!(error.to_string().contains("several rules"), "{error}");
    }
    // as deep and as long as it may be: read or refused on the stack that a thread of the program has
    for (open, close, times) in [("(", ")", 28), ("if true then ", " else false", 28), ("true && ", "", 300)] {
        let (open, close) = (open.repeat(times), close.repeat(times));
        let town = format!(r#"@id("a") permit (principal, action, resource) when {{ {open}true{close} }};"#);
        Law::load_unsigned(&files, &town).expect("within the bounds");
    }
}

#[test]
fn a_town_permits_by_camera_and_hour_and_nothing_else_opens() {
    let files = PackFiles::built_in();
    let town = r#"@id("school-by-day") permit (principal, action == Vigie::Action::"watch-live", resource)
        when { resource.name like "école*" && context.hour >= 8 && context.hour < 18 && context.weekday <= 5 };"#;
    let law = Law::load_unsigned(&files, town).unwrap();
    let mut school = known(1);
    school.name = "école Jules-Ferry".into();
    // 15 January 2027 is a Friday; 9 h in Paris
    let now = calendar::written_day("2027-01-15").unwrap().plus_seconds(9 * 3_600);
    let ask = |camera: &policy::CameraFacts, now: UtcMicros| {
        law.decide(&Request { cameras: vec![camera.clone()], now, ..lawful(Action::WatchLive) })
    };
    assert!(matches!(ask(&school, now), Decision::Allow { .. }));
    for (camera, now) in [
        (school.clone(), now.plus_seconds(-2 * 3_600)),
        (school.clone(), now.plus_seconds(24 * 3_600)),
        (known(2), now),
    ] {
        let Decision::Refuse(refusal) = ask(&camera, now) else { panic!("allowed") };
        assert_eq!(refusal.reasons[0].rule.to_string(), "nothing-permits");
    }
    let Decision::Refuse(refusal) =
        law.decide(&Request { cameras: vec![school, known(2)], now, ..lawful(Action::WatchLive) })
    else {
        panic!("a camera that nothing permits came along with one that is permitted")
    };
    assert_eq!(refusal.reasons[0].cameras, [CameraId([2; 16])]);
}

/// The examples in the file that a town starts with, without their comment marks.
fn examples() -> String {
    let commented = TOWN.lines().filter_map(|line| line.strip_prefix("// "));
    let rule = |line: &&str| ["@id", "permit", "  ", ")", "when"].iter().any(|mark| line.starts_with(mark));
    commented.skip_while(|line| !line.starts_with("@id")).filter(rule).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_town_permits_by_team_group_and_commune_as_the_examples_in_its_file_do() {
    let law = Law::load_unsigned(&PackFiles::built_in(), &examples()).expect("the examples are rules");
    assert_eq!(law.town_rules().len(), 2);
    let names = |of: fn(&policy::law::TownRule) -> std::collections::BTreeSet<String>| {
        law.town_rules().iter().flat_map(of).collect::<Vec<_>>()
    };
    assert_eq!(names(policy::law::TownRule::groups), ["ecoles"]);
    assert_eq!(names(policy::law::TownRule::teams), ["ecoles", "nuit"]);
    // 15 January 2027 is a Friday; 9 h and 22 h in Paris
    let day = calendar::written_day("2027-01-15").unwrap().plus_seconds(9 * 3_600);
    let night = day.plus_seconds(13 * 3_600);
    let ask = |team: &str, group: &str, commune: &str, now| {
        let mut request = Request { now, ..lawful(Action::WatchLive) };
        request.person.teams = vec!["other".into(), team.into()];
        request.person.territories = vec![commune.into()];
        request.cameras[0].groups = vec![group.into(), "more".into()];
        request.cameras[0].territory = commune.into();
        matches!(law.decide(&request), Decision::Allow { .. })
    };
    assert!(ask("ecoles", "ecoles", "own", day) && ask("nuit", "centre", "33063", night));
    for (team, group, commune, now) in [
        ("ecoles", "centre", "own", day),
        ("centre", "ecoles", "own", day),
        ("ecoles", "ecoles", "own", night),
        ("nuit", "centre", "33281", night),
        ("nuit", "centre", "33063", day),
    ] {
        assert!(!ask(team, group, commune, now), "{team} {group} {commune}");
    }
}

#[test]
fn the_emergency_permits_name_is_no_rules_and_a_pack_of_another_schema_is_refused_whole() {
    let files = PackFiles::built_in();
    let town = r#"@id("break-glass") permit (principal, action, resource);"#;
    let Err(error) = Law::load_unsigned(&files, town) else { panic!("taken") };
    assert!(error.to_string().contains("emergency"), "{error}");
    let schema = files.text("schema.cedarschema").unwrap().replace("\"territory\": String,", "");
    let rules = files.text("access.cedar").unwrap().replace("resource.territory", "resource.place");
    let other = files.with("schema.cedarschema", &schema).with("access.cedar", &rules);
    let Err(error) = Law::load_unsigned(&other, TOWN) else { panic!("taken") };
    assert!(error.to_string().contains("one release"), "{error}");
}

#[test]
fn nothing_is_decided_about_a_time_before_the_pack() {
    let before = Request { now: law().head().from.plus_seconds(-1), ..lawful(Action::WatchLive) };
    let Decision::Refuse(refusal) = law().decide(&before) else { panic!("allowed") };
    assert_eq!(refusal.reasons[0].rule.to_string(), "before-the-pack");
    let after = Request { now: law().head().from, ..lawful(Action::WatchLive) };
    assert!(matches!(law().decide(&after), Decision::Allow { .. }));
}

#[test]
fn the_numbers_of_facts_rules_and_words_are_the_limits_of_the_program() {
    let numbers = [
        ("retention-days-max", i64::from(limit::RETENTION_DAYS_MAX), "span-within-retention"),
        ("reason-characters-min", limit::REASON_CHARS_MIN as i64, "reason-given"),
        ("reason-signs-min", limit::REASON_SIGNS_MIN as i64, "reason-says-something"),
        ("reason-characters-max", limit::REASON_CHARS_MAX as i64, "reason-at-most-a-paragraph"),
    ];
    let files = PackFiles::built_in();
    let looks = files.text("looks.cedar").unwrap();
    for (fact, number, rule) in numbers {
        assert_eq!(law().facts().at(fact, NOW), Some(number), "{fact}");
        let said = looks.split("@id(").find(|part| part.starts_with(&format!("\"{rule}\""))).unwrap();
        assert!(said.contains(&number.to_string()), "{said}");
        for words in ["messages.fr.toml", "messages.en.toml"] {
            let text = files.text(words).unwrap().split(&format!("[{rule}]")).nth(1).unwrap();
            assert!(text.lines().nth(1).unwrap().contains(&format!(" {number} ")), "{text}");
        }
    }
    assert_eq!(law().facts().at("permit-seconds-max", NOW), Some(limit::PERMIT_SECONDS_MAX));
    assert!(looks.contains(&limit::PERMIT_SECONDS_MAX.to_string()));
    assert_eq!(limit::CLOCK_AGREEMENT_SECONDS_MAX, 300, "looks.cedar writes it as 5m");
}

#[test]
fn a_fact_is_true_in_its_period_only() {
    let at = |day: &str| law().facts().at("event-detection-first-period", calendar::written_day(day).unwrap());
    assert_eq!((at("2025-03-31"), at("2025-04-01")), (Some(1), None));
}

#[test]
fn an_uncertain_rule_only_forbids() {
    let uncertain = law().rules().iter().filter(|rule| rule.confidence == Confidence::Uncertain).count();
    assert!(uncertain >= 5, "the pack's rules all forbid; {uncertain} of them rest on an uncertain basis");
}
