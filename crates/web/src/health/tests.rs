//! The health answer from words of keeper and recorder made here.

use super::*;
use domain::{CameraId, UtcMicros};
use keeper::wire::MissingAct;
use keeper::wire::{KeyringHealth, LedgerHealth};

const NOW: UtcMicros = UtcMicros::from_seconds(1_700_000_000);

fn finding(state: FindingState) -> Finding {
    let text = || "t".to_owned();
    Finding { id: "x".into(), state, title_fr: text(), title_en: text(), detail_fr: text(), detail_en: text() }
}

fn keeper_health(recorder: &str, seen_s_ago: i64) -> KeeperHealth {
    KeeperHealth {
        site: "Ville de démonstration".into(),
        now: NOW,
        clock: finding(FindingState::Ok),
        ledger: LedgerHealth { size: 9, root_hex: "ab".into(), checkpoint_size: 8, checkpoint_at: Some(NOW) },
        destruction: DestructionHealth {
            next_at: None,
            next_hour: None,
            hours_past_deadline: 0,
            hours_closed_unconfirmed: 0,
            camera_hours_destroyed: 3,
            last_destroyed_at: None,
        },
        keyring: KeyringHealth {
            kind: "file".into(),
            copies: vec!["present".into()],
            token: None,
            sentence_fr: "s".into(),
            sentence_en: "s".into(),
        },
        recorder: recorder.into(),
        recorder_seen: Some(NOW.plus_seconds(-seen_s_ago)),
        findings: vec![],
    }
}

fn row(id: &str, article: &str) -> RequiredAct {
    let row = serde_json::json!({
        "id": id, "kinds": ["authorisation"], "per": "camera", "roles": [], "effect": "block", "article": article,
        "source": article, "confidence": "found", "from": 0, "to": null, "title_fr": "t", "title_en": "t",
        "text_fr": "Il manque.", "text_en": "It lacks.", "remedy_fr": "Inscrivez-le.", "remedy_en": "Enter it.",
    });
    serde_json::from_value(row).unwrap()
}

fn views() -> CameraViews {
    let id = CameraId([0xaa; 16]);
    let cameras = vec![CameraView {
        id,
        name: "Place".into(),
        place: "p".into(),
        delay_days: 30,
        purposes: vec![],
        since: NOW,
        has_sub: false,
        missing: vec![],
        order_end: None,
        rights: Default::default(),
        class: None,
        shortfalls: vec![],
    }];
    CameraViews { cameras, required: vec![row("act-authorisation", "CSI L252-1"), row("act-sign", "CSI L255-1")] }
}

const WORD: &str = r#"{"cameras":[{"id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","state":"recording","bytes_per_second":512000.5,"clock_ahead_ms":-7300,"clock_jumps":2,
    "last_durable":"2023-11-14T22:13:19.000Z"}],"store":{"slots":10,"slots_free":4,"slots_max":100,"slot_bytes":1000}}"#;

#[test]
fn all_well_is_ok_and_slots_that_do_not_exist_yet_are_free() {
    let health = compose(keeper_health(WORD, 1), &views(), "0".into());
    assert_eq!(health.state, CheckState::Ok);
    assert_eq!(health.store, HealthStore { bytes: 100_000, bytes_used: 6_000, slots: 100, slots_free: 94 });
    let camera = &health.cameras[0];
    assert_eq!((camera.state, camera.bytes_per_second), ("recording", 512_000));
    assert_eq!((camera.clock_ahead_ms, camera.clock_jumps), (Some(-7_300), 2));
    assert_eq!(health.destruction.camera_hours_destroyed, 3);
}

#[test]
fn cameras_of_a_silent_recorder_are_unknown_and_their_last_durable_picture_is_told() {
    let health = compose(keeper_health(WORD, 11), &views(), "0".into());
    assert_eq!((health.cameras[0].state, health.cameras[0].bytes_per_second), ("unknown", 0));
    assert_eq!((health.cameras[0].clock_ahead_ms, health.cameras[0].clock_jumps), (None, 0));
    assert_eq!(health.cameras[0].last_durable.as_deref(), Some("2023-11-14T22:13:19.000Z"));
}

#[test]
fn the_worst_of_findings_and_clock_is_the_state() {
    let mut keeper = keeper_health(WORD, 1);
    keeper.findings.push(finding(FindingState::Warning));
    assert_eq!(compose(keeper.clone(), &views(), "0".into()).state, CheckState::Warning);
    keeper.clock = finding(FindingState::Alarm);
    assert_eq!(compose(keeper, &views(), "0".into()).state, CheckState::Alarm);
}

#[test]
fn a_key_past_its_deadline_is_never_shown_as_zero_bytes() {
    let mut keeper = keeper_health(WORD, 1);
    keeper.destruction.hours_past_deadline = 2;
    assert_eq!(compose(keeper.clone(), &views(), "0".into()).destruction.bytes_past_deadline, 2);
    keeper.recorder = r#"{"bytes_past_deadline":70000}"#.into();
    assert_eq!(compose(keeper, &views(), "0".into()).destruction.bytes_past_deadline, 70_000);
}

#[test]
fn a_camera_without_its_papers_is_refused_with_the_article_and_what_to_do() {
    let mut views = views();
    views.cameras[0].missing = ["act-authorisation", "act-sign", "of another law"]
        .map(|rule| MissingAct { rule: rule.into(), blocks: rule != "act-sign", ended: None })
        .into();
    let camera = &compose(keeper_health(WORD, 1), &views, "0".into()).cameras[0];
    let told = serde_json::to_value(camera).unwrap();
    assert_eq!(told["state"], "refused");
    assert!(told["detail_fr"].as_str().unwrap().contains("CSI L252-1"), "{told}");
    let missing = told["missing"].as_array().unwrap();
    assert_eq!(missing.iter().map(|act| act["blocks"].as_bool().unwrap()).collect::<Vec<_>>(), [true, false]);
    assert!(missing.iter().all(|act| act["remedy_fr"] != act["remedy_en"]));
    views.cameras[0].missing.retain(|act| !act.blocks);
    assert_eq!(
        compose(keeper_health(WORD, 1), &views, "0".into()).cameras[0].state,
        "recording",
        "an alarm stops nothing"
    );
}

#[test]
fn what_witnesses_say_of_the_log_stands_beside_the_checkpoint_and_their_word_counts() {
    let mut health = compose(keeper_health(WORD, 1), &views(), "0".into());
    health.hear(None);
    assert!(serde_json::to_value(&health.ledger).unwrap()["witnesses"].is_null(), "nobody is asked");
    health.hear(Some(OutsideWord {
        witnessed_size: 8,
        witnessed_seconds: NOW.seconds(),
        witnesses: 2,
        findings: vec![finding(FindingState::Alarm)],
    }));
    let told = serde_json::to_value(&health.ledger).unwrap();
    let expected = serde_json::json!({ "asked": 2, "attested_size": 8, "attested_at": NOW.to_string() });
    assert_eq!(told["witnesses"], expected);
    assert_eq!(health.checks.last().unwrap().state, CheckState::Alarm);
}
