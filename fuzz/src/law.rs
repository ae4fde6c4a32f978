//! The law pack's files and the town's rules: whatever they say, nothing panics, nothing unsigned is taken, nothing opens.

use domain::{AccountId, CameraId, Purpose, Sensitive, UtcMicros};
use policy::law::files::{NAMES, PackFiles, SIGNATURE, TOWN};
use policy::{Action, CameraFacts, Controller, Decision, Law, Paper, PersonFacts, Request, Role};

/// 15 January 2027.
const NOW: UtcMicros = UtcMicros::from_seconds(1_800_000_000);

/// A town's file: text that Cedar may or may not read. What is taken permits, and opens nothing that the law closes.
pub fn town(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(law) = Law::load_unsigned(&PackFiles::built_in(), &text) else { return };
    for (action, role) in [
        (Action::WatchLive, Role::Administrator),
        (Action::Replay, Role::Inspector),
        (Action::RecogniseFace, Role::MunicipalPolice),
        (Action::CaptureSound, Role::Operator),
        (Action::ExportRequisition, Role::Operator),
    ] {
        assert!(matches!(law.decide(&request(action, role)), Decision::Refuse(_)), "{action:?} {role} by: {text}");
    }
    drop(law.decide(&request(Action::WatchLive, Role::Operator)));
}
pub fn town_seeds() -> Vec<Vec<u8>> {
    let shapes = [
        TOWN,
        r#"@id("everything") permit (principal, action, resource);"#,
        r#"@id("a") permit (principal == Vigie::Person::"x", action in [Vigie::Action::"see"], resource in Vigie::Group::"g")
           when { context.hour + 1 > 9223372036854775807 || resource.name like "é*" && !(context has from) };"#,
        r#"@id("b") permit (principal, action, resource) when { if context has to then context.to > datetime("2026-01-01") else true };"#,
    ];
    let deep = [("(", ")"), ("!", ""), ("[", "]"), ("if true then ", " else false")].map(|(open, close)| {
        let (open, close) = (open.repeat(28), close.repeat(28));
        format!(r#"@id("c") permit (principal, action, resource) when {{ {open}true{close} }};"#)
    });
    let long = format!(r#"@id("d") permit (principal, action, resource) when {{ true{} }};"#, " && true".repeat(400));
    shapes.into_iter().map(str::to_owned).chain(deep).chain([long]).map(String::into_bytes).collect()
}

/// One file of the pack, named by the first byte, with other text: taken only if the signed files are what they were.
pub fn pack(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else { return };
    let name = NAMES[usize::from(*which) % NAMES.len()];
    let built_in = PackFiles::built_in();
    let changed = built_in.with(name, &String::from_utf8_lossy(text));
    if let Ok(law) = Law::load(&changed, TOWN) {
        assert_eq!(law.digest(), built_in.digest(), "an unsigned change of `{name}` was taken");
    }
    // what a publisher may try before he signs
    if name != SIGNATURE
        && let Ok(law) = Law::load_unsigned(&changed, TOWN)
    {
        drop(law.decide(&request(Action::WatchLive, Role::Operator)));
    }
}
pub fn pack_seeds() -> Vec<Vec<u8>> {
    let files = PackFiles::built_in();
    let seed = |(which, name): (usize, &str)| {
        let text = files.text(name).expect("a file of the pack");
        [&[u8::try_from(which).expect("few files")][..], text.as_bytes()].concat()
    };
    NAMES.into_iter().enumerate().map(seed).collect()
}

/// Whether the right inputs are read: a target whose seeds are all refused tests nothing.
pub fn seeds_are_read() -> bool {
    let taken = |town: &[u8]| Law::load_unsigned(&PackFiles::built_in(), &String::from_utf8_lossy(town)).is_ok();
    town_seeds().iter().filter(|seed| taken(seed)).count() >= 3 && Law::load(&PackFiles::built_in(), TOWN).is_ok()
}

fn request(action: Action, role: Role) -> Request {
    let camera = CameraFacts {
        id: CameraId([1; 16]),
        name: "caméra".into(),
        place: "place".into(),
        exists: true,
        recording: true,
        public_road: true,
        purposes: Purpose::ALL.to_vec(),
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
        reason: Sensitive::new("un motif assez long".into()),
        cameras: vec![camera],
        span: None,
        permit_seconds: 3_600,
        papers: Paper::ALL.to_vec(),
        second_person: true,
        now: NOW,
    }
}
