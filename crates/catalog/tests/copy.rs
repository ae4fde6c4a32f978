//! A copy of the registry: of one moment, without sessions and links, knowing that it is one; and ways in that end.

use catalog::{Account, AccountId, CatalogError, NewFactor, Registry, SecondFactor, Site, Taken};
use domain::{Sensitive, SiteId, UtcMicros};
use std::os::unix::fs::PermissionsExt;

const AT: UtcMicros = UtcMicros(1_800_000_000_000_000);
const ID: AccountId = AccountId([7; 16]);

fn account() -> Account {
    Account {
        id: ID,
        name: Sensitive::new("anne".into()),
        role: "operator".into(),
        password_hash: Some(Sensitive::new("$argon2id$hash".into())),
        disabled: false,
        created: AT,
    }
}

fn made(folder: &std::path::Path) -> Registry {
    let site = Site { id: SiteId([1; 16]), name: "Ville".into(), created: AT };
    let registry = Registry::create(&folder.join("registry.db"), &site).unwrap();
    registry.account_add(&account()).unwrap();
    registry.session_start([5; 32], ID, AT, AT.plus_seconds(3_600)).unwrap();
    registry.setup_token_add([6; 32], ID, AT.plus_seconds(900)).unwrap();
    registry
}

#[test]
fn a_copy_has_everything_but_sessions_and_links_and_knows_when_it_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    let registry = made(folder.path());
    let (path, taken) = (folder.path().join("copy.db"), Taken { entries: 12, root: [3; 32], at: AT });
    registry.copy_to(&path, &taken).unwrap();
    registry.copy_to(&path, &taken).unwrap(); // another one takes its place
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!path.with_file_name("copy.db-wal").exists(), "one file is all of it");
    let copy = Registry::open(&path).unwrap();
    assert_eq!(copy.taken().unwrap(), Some(taken));
    assert_eq!(copy.accounts().unwrap(), [account()]);
    assert!(copy.session_look([5; 32], AT, 600).unwrap().is_none() && copy.setup_token([6; 32], AT).unwrap().is_none());
    copy.taken_forget().unwrap();
    assert_eq!(copy.taken().unwrap(), None);
    // the one in use is as it was
    assert_eq!(registry.taken().unwrap(), None);
    assert!(registry.session_look([5; 32], AT, 600).unwrap().is_some());
}

#[test]
fn an_account_without_ways_in_is_there_and_only_a_new_link_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let registry = made(folder.path());
    let factor = SecondFactor { seed: Sensitive::new(vec![1]), last_step: 0 };
    registry
        .setup_redeem(
            [6; 32],
            &Sensitive::new("$argon2id$".into()),
            &NewFactor { factor, recovery_hashes: vec![[8; 32]] },
            AT,
        )
        .unwrap();
    registry.session_start([9; 32], ID, AT, AT.plus_seconds(3_600)).unwrap();
    registry.binding_set(ID, b"sealed", AT).unwrap();
    registry.account_close_ways_in(ID, AT).unwrap();
    let known = registry.account(ID).unwrap().unwrap();
    assert!(known.password_hash.is_none() && !known.disabled);
    assert!(registry.second_factor(ID).unwrap().is_none() && registry.recovery_left(ID).unwrap() == 0);
    assert!(registry.session_look([9; 32], AT, 600).unwrap().is_none() && registry.bindings().unwrap().is_empty());
    assert!(matches!(registry.account_close_ways_in(AccountId([8; 16]), AT), Err(CatalogError::UnknownAccount)));
}

#[test]
fn only_names_of_scans_are_taken_for_scans() {
    let digest = "0123456789abcdef".repeat(4);
    assert!(catalog::is_scan_name(&format!("{digest}.sealed")));
    for name in
        [format!("{digest}.partial"), format!("{}.sealed", digest.to_uppercase()), "../registry.db".into(), digest]
    {
        assert!(!catalog::is_scan_name(&name), "{name}");
    }
}
