//! Proof by solver: whatever a town permits, no request of the schema opens what the law closes; and each rule that goes is missed.
//!
//! Asked of each action and of the rules in force from each date on, the very sets that requests are decided by.

use cedar_policy::{Authorizer, Decision, Effect, PolicyId, PolicySet, RequestEnv};
use cedar_policy_symcc::Env;
use domain::UtcMicros;
use policy::law::files::PackFiles;
use policy::{Action, Law, calendar};
use proof::ROWS;
use proof::claims::{self, Claim};
use proof::prover::{Prover, Rules, permits};
use std::collections::BTreeSet;

const EVERYTHING: &str = r#"@id("everything") permit (principal, action, resource);"#;

/// Rules whose going no claim misses, since another rule forbids all that they forbid.
const BESIDE_ANOTHER: [(&str, &str); 1] = [
    // written down for the day on which a pack ends that other one
    ("event-detection-after-its-end", "event-detection-revival-not-verified"),
];

fn open_town() -> Law {
    Law::load_unsigned(&PackFiles::built_in(), EVERYTHING).expect("a town may write this")
}

fn environment(law: &Law, action: Action) -> RequestEnv {
    let mut found = law.schema().request_envs().filter(|each| {
        let uid: &str = each.action().id().unescaped();
        uid == action.name()
    });
    let environment = found.next().unwrap_or_else(|| panic!("{action:?} is no action of the schema"));
    assert!(found.next().is_none(), "{action:?} applies to several kinds of person or camera: ask about each");
    environment
}

fn claimed(claims: &[Claim], action: Action, from: UtcMicros) -> Vec<&Claim> {
    claims.iter().filter(|claim| claim.action == action && claim.holds_from(from)).collect()
}

fn permits_of(claims: &[&Claim]) -> PolicySet {
    permits(claims.iter().map(|claim| (claim.name.as_str(), claim.permit()))).expect("claims are rules of Cedar")
}

/// Which rules of a set decide a request that the solver made up, by the engine that Vigie decides with.
fn decided(set: &PolicySet, case: &Env) -> (Decision, Vec<String>) {
    let response = Authorizer::new().is_authorized(&case.request, set, &case.entities);
    (response.decision(), response.diagnostics().reason().map(ToString::to_string).collect())
}

#[test]
fn the_claims_speak_of_every_action_of_the_schema() {
    let law = open_town();
    let told: BTreeSet<&str> = ROWS.iter().map(|row| row.action.name()).collect();
    let of_schema: BTreeSet<String> =
        law.schema().request_envs().map(|each| each.action().id().unescaped().to_owned()).collect();
    assert_eq!(told.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), of_schema);
}

#[test]
fn no_request_of_the_schema_opens_what_the_table_the_acts_and_the_bounds_close() {
    let (law, claims) = (open_town(), claims::all());
    let mut prover = Prover::start().expect("a solver");
    let (mut questions, mut proved) = (0, 0);
    for (from, set) in law.periods() {
        for row in ROWS {
            let environment = environment(&law, row.action);
            let claims = claimed(&claims, row.action, from);
            let claimed = permits_of(&claims);
            let rules = Rules::of(set, &environment, law.schema()).expect("rules of the schema");
            let against = Rules::of(&claimed, &environment, law.schema()).expect("claims of the schema");
            if let Some(case) = prover.allowed_by_both(&rules, &against).expect("a decided question") {
                panic!(
                    "row {} from {day}: {:?} is opened by\n{case}",
                    row.number,
                    decided(&claimed, &case).1,
                    day = calendar::day_en(from)
                );
            }
            questions += 1;
            proved += claims.len();
        }
    }
    println!("{proved} claims proved in {questions} questions, none answered by a request");
}

#[test]
fn an_action_is_closed_to_everybody_from_a_date_on_exactly_where_the_table_says_so() {
    let law = open_town();
    let mut prover = Prover::start().expect("a solver");
    for (from, set) in law.periods() {
        for row in ROWS {
            let rules = Rules::of(set, &environment(&law, row.action), law.schema()).expect("rules of the schema");
            let opened = prover.allowed(&rules).expect("a decided question");
            let ended = row.until.is_some_and(|until| calendar::written_day(until).expect("a date") <= from);
            assert_eq!(opened.is_none(), claims::is_closed(row) || ended, "row {}, {from:?}: {opened:?}", row.number);
            let Some(case) = opened else { continue };
            assert_eq!(decided(set, &case).0, Decision::Allow, "solver and engine differ on\n{case}");
        }
    }
}

#[test]
fn without_prohibitions_a_request_is_found_for_each_claim() {
    let (law, claims) = (open_town(), claims::all());
    let mut prover = Prover::start().expect("a solver");
    for claim in &claims {
        let (set, environment) = (permits_of(&[claim]), environment(&law, claim.action));
        let rules = Rules::of(&set, &environment, law.schema()).expect("claims of the schema");
        let case = prover.allowed(&rules).expect("a decided question");
        let case = case.unwrap_or_else(|| panic!("`{}` of {:?} claims nothing", claim.name, claim.action));
        assert_eq!(decided(&set, &case).0, Decision::Allow, "solver and engine differ on\n{case}");
    }
    println!("{} claims, each about some request", claims.len());
}

#[test]
fn without_any_one_rule_the_solver_finds_a_request_that_it_alone_refused() {
    let (law, claims) = (open_town(), claims::all());
    let mut prover = Prover::start().expect("a solver");
    let (mut unmissed, mut first) = (vec![], None);
    for rule in law.rules() {
        match missed(&law, &claims, &rule.id, None, &mut prover) {
            Some((said, case)) => {
                println!("without {}: {said}", rule.id);
                first.get_or_insert((rule.id.as_str(), case));
            }
            None => unmissed.push(rule.id.as_str()),
        }
    }
    let (rule, case) = first.expect("some rule is missed");
    println!("a request that {rule} alone refuses:\n{case}");
    assert_eq!(unmissed, BESIDE_ANOTHER.map(|(rule, _)| rule));
    for (rule, other) in BESIDE_ANOTHER {
        let without_both = missed(&law, &claims, rule, Some(other), &mut prover);
        let (said, _) = without_both.unwrap_or_else(|| panic!("{rule} carries nothing, with or without {other}"));
        println!("without {rule} and {other}: {said}");
    }
}

/// What falls without this rule, from when on, and a request that shows it; where another one goes first, among the rules that are left.
fn missed(law: &Law, claims: &[Claim], id: &str, gone: Option<&str>, prover: &mut Prover) -> Option<(String, Env)> {
    for (from, set) in law.periods() {
        let mut set = set.clone();
        if let Some(gone) = gone {
            set.remove_static(PolicyId::new(gone)).ok();
        }
        let mut less = set.clone();
        let Ok(removed) = less.remove_static(PolicyId::new(id)) else { continue };
        assert_eq!(removed.effect(), Effect::Forbid);
        let concerned: Vec<RequestEnv> = removed.get_valid_request_envs(law.schema()).collect();
        for row in ROWS {
            let environment = environment(law, row.action);
            if !concerned.iter().any(|each| each.action() == environment.action()) {
                continue;
            }
            let claimed = permits_of(&claimed(claims, row.action, from));
            let rules = Rules::of(&less, &environment, law.schema()).expect("rules of the schema");
            let against = Rules::of(&claimed, &environment, law.schema()).expect("claims of the schema");
            let Some(case) = prover.allowed_by_both(&rules, &against).expect("a decided question") else { continue };
            assert_eq!(decided(&less, &case), (Decision::Allow, vec!["everything".to_owned()]));
            assert_eq!(decided(&set, &case), (Decision::Deny, vec![id.to_owned()]), "{id} alone refuses\n{case}");
            let (action, fallen) = (row.action.name(), decided(&claimed, &case).1);
            return Some((format!("{action} {fallen:?}, from {}", calendar::day_en(from)), case));
        }
    }
    None
}
