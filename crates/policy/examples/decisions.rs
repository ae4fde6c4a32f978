//! How long a decision takes with a pack of 200 rules: `cargo run --release -p policy --example decisions -- [RULES]`.
//!
//! The pack that ships is inflated with rules of the same kind; each kind of request is decided some thousand times. The goal is
//! one millisecond at the 99th percentile for one camera; a wall of pictures is one decision for each of its cameras.
#![allow(clippy::disallowed_methods, reason = "a measure reads the clock; the crate itself does not")]

use domain::{AccountId, CameraId, Purpose, Sensitive, Span, UtcMicros};
use policy::law::files::{PackFiles, TOWN};
use policy::{Action, CameraFacts, Controller, Decision, Law, PersonFacts, Request, Role};
use std::{env, error::Error, fmt::Write, hint::black_box, time::Instant};

const RULES: usize = 200;
/// 15 January 2027.
const NOW: UtcMicros = UtcMicros::from_seconds(1_800_000_000);

fn main() -> Result<(), Box<dyn Error>> {
    let rules = env::args().nth(1).map_or(Ok(RULES), |text| text.parse())?;
    let law = Law::load_unsigned(&inflated(rules)?, TOWN)?;
    println!("{} rules of law, {} of the town", law.rules().len(), law.town_rules().len());
    println!("{:<28} {:>12} {:>9} {:>9} {:>9}", "request", "a second", "p50 µs", "p99 µs", "max µs");
    for (name, request, times) in [
        ("live, 1 camera, allowed", request(Action::WatchLive, Role::Operator, 1), 20_000),
        ("replay, 1 camera, allowed", request(Action::Replay, Role::Operator, 1), 20_000),
        ("live, 1 camera, refused", request(Action::WatchLive, Role::Administrator, 1), 20_000),
        ("export, 1 camera, refused", request(Action::ExportRequisition, Role::Operator, 1), 20_000),
        ("live, wall of 6, allowed", request(Action::WatchLive, Role::Operator, 6), 4_000),
        ("live, wall of 50, allowed", request(Action::WatchLive, Role::Operator, 50), 500),
    ] {
        let allowed = matches!(law.decide(&request), Decision::Allow { .. });
        assert_eq!(allowed, name.ends_with("allowed"), "{name}");
        measure(name, times, || drop(black_box(law.decide(black_box(&request)))));
    }
    Ok(())
}

fn measure(name: &str, times: usize, decide: impl Fn()) {
    let mut micros: Vec<f64> = (0..times)
        .map(|_| {
            let start = Instant::now();
            decide();
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    micros.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| micros[((micros.len() - 1) as f64 * share) as usize];
    let rate = times as f64 * 1e6 / micros.iter().sum::<f64>();
    println!("{name:<28} {rate:>12.0} {:>9.1} {:>9.1} {:>9.1}", at(0.5), at(0.99), at(1.0));
}

/// The pack that ships with further prohibitions, each looking at person, camera and request as those of the law do.
fn inflated(rules: usize) -> Result<PackFiles, Box<dyn Error>> {
    let files = PackFiles::built_in();
    let shipped = Law::load_unsigned(&files, TOWN)?.rules().len();
    let mut cedar = files.text("access.cedar")?.to_owned();
    let mut words = String::new();
    for number in shipped..rules {
        write!(
            cedar,
            r#"
@id("more-{number}") @source("CSI L252-1") @confidence("R") @from("2023-11-30") @about("camera")
forbid (principal, action in [Vigie::Action::"see", Vigie::Action::"leave"], resource)
when {{ resource.known && resource.publicRoad && resource.place like "rue n° {number}*" && context.cameras > {number} }}
unless {{ principal.habilitated && ["elected", "operator"].contains(principal.role) && context.papers.contains("copy") }};
"#
        )?;
        write!(words, "\n[more-{number}]\ntext = \"une règle de plus\"\nremedy = \"aucun\"\n")?;
    }
    let with = |files: PackFiles, name: &str| -> Result<PackFiles, Box<dyn Error>> {
        let text = format!("{}{words}", files.text(name)?);
        Ok(files.with(name, &text))
    };
    with(with(files.with("access.cedar", &cedar), "messages.fr.toml")?, "messages.en.toml")
}

fn request(action: Action, role: Role, cameras: u8) -> Request {
    let camera = |number: u8| CameraFacts {
        id: CameraId([number; 16]),
        name: format!("caméra {number}"),
        place: "place du marché".to_owned(),
        exists: true,
        recording: true,
        public_road: true,
        purposes: vec![Purpose::SafetyOfPersonsAndProperty, Purpose::PublicBuildings],
        missing: vec![],
        groups: vec![],
        territory: "own".to_owned(),
    };
    Request {
        action,
        person: PersonFacts {
            account: AccountId([7; 16]),
            role,
            habilitated: true,
            teams: vec![],
            territories: vec!["own".to_owned()],
        },
        controller: Controller::Commune,
        purpose: Some(Purpose::SafetyOfPersonsAndProperty),
        reason: Sensitive::new("chute d'une personne signalée par le 18".to_owned()),
        cameras: (1..=cameras).map(camera).collect(),
        span: (action != Action::WatchLive).then(|| Span::new(NOW.plus_seconds(-600), NOW).expect("forwards")),
        permit_seconds: 3_600,
        papers: vec![],
        second_person: false,
        now: NOW,
    }
}
