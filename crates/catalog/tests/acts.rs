//! Acts in the registry: the state at a time as it was known at a time, all or none, scans beside it.

use catalog::{CatalogError, Registry, Site};
use domain::{Act, ActId, ActKind, ActScope, ActTerms, CameraId, Role, Sensitive, SiteId, UtcMicros};
use tempfile::TempDir;

const fn at(seconds: i64) -> UtcMicros {
    UtcMicros::from_seconds(seconds)
}

fn registry() -> (TempDir, Registry) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = Site { id: SiteId([7; 16]), name: "a town".to_owned(), created: at(0) };
    let registry = Registry::create(&folder.path().join("registry.db"), &site).expect("created");
    (folder, registry)
}

fn act(n: u8, from: i64, until: Option<i64>) -> Act {
    Act {
        id: ActId([n; 16]),
        kind: ActKind::Habilitation,
        number: format!("2026-{n}"),
        signed: at(from),
        signatory: Sensitive::new("the mayor".to_owned()),
        from: at(from),
        until: until.map(at),
        scope: ActScope::Cameras(vec![CameraId([1; 16])]),
        terms: ActTerms::Capacity { role: Role::MunicipalPolice, territory: "commune".to_owned() },
        scan: Some([n; 32]),
    }
}

fn ids(registry: &Registry, valid: i64, recorded: i64) -> Vec<u8> {
    let acts = registry.acts_at(at(valid), at(recorded)).expect("read");
    acts.iter().map(|version| version.act.id.0[0]).collect()
}

#[test]
fn the_state_at_a_time_is_what_held_then_as_it_was_known_then() {
    let (folder, registry) = registry();
    registry.acts_put(&[act(1, 100, Some(200)), act(2, 150, None)], at(120)).expect("put");
    registry.act_withdraw(ActId([2; 16]), at(160), at(180)).expect("withdrawn");
    for (valid, recorded, expected) in [
        (110, 110, &[][..]), // it held, and nobody had entered it
        (110, 120, &[1]),
        (99, 120, &[]),
        (170, 170, &[1, 2]), // withdrawn since 160, which nobody knew before 180
        (170, 180, &[1]),
        (155, 180, &[1, 2]), // before the withdrawal it held
        (200, 300, &[]),
    ] {
        assert_eq!(ids(&registry, valid, recorded), expected, "at {valid}, known at {recorded}");
    }
    drop(registry);
    let registry = Registry::open(&folder.path().join("registry.db")).expect("reopened");
    let history = registry.act_history(ActId([2; 16])).expect("read");
    assert_eq!(history.iter().map(|version| version.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((&history[0].act, history[1].standing().until), (&act(2, 150, None), Some(at(160))));
    assert_eq!(registry.acts_known(at(300)).expect("read").len(), 2, "what ended is known, too");
}

#[test]
fn of_papers_entered_together_all_are_kept_or_none() {
    let (_folder, registry) = registry();
    registry.acts_put(&[act(1, 100, None)], at(500)).expect("put");
    // the second one would be recorded before what is known of it
    let error = registry.acts_put(&[act(2, 100, None), act(1, 100, None)], at(400)).expect_err("backwards");
    assert!(matches!(error, CatalogError::ActRecordedBackwards { .. }), "{error}");
    assert_eq!(registry.acts_known(at(1_000)).expect("read").len(), 1);
    let unknown = registry.act_withdraw(ActId([9; 16]), at(1), at(600)).expect_err("unknown");
    assert!(matches!(unknown, CatalogError::UnknownAct { .. }) && unknown.to_string().contains("vigie act list"));
}

#[test]
fn a_scan_lies_beside_the_registry_for_its_owner_alone_and_half_a_scan_is_none() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, registry) = registry();
    assert_eq!(registry.scan(&[3; 32]).expect("read"), None);
    let path = folder.path().join("scans").join(format!("{}.sealed", "03".repeat(32)));
    registry.scan_put(&[3; 32], b"sealed").expect("put");
    assert_eq!(registry.scan(&[3; 32]).expect("read").as_deref(), Some(&b"sealed"[..]));
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    // a crash while it was written: the name is not there, and writing again makes it whole
    std::fs::remove_file(&path).expect("removed");
    std::fs::write(path.with_extension("partial"), b"sea").expect("written");
    assert!(!registry.has_scan(&[3; 32]).expect("asked"));
    registry.scan_put(&[3; 32], b"sealed").expect("put");
    assert!(registry.has_scan(&[3; 32]).expect("asked"));
}
