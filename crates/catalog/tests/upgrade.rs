//! Going on behind a later program's steps, and where that cannot be (decision 0060).

use catalog::{Account, AccountId, CatalogError, Registry, Site, StepToCome};
use domain::{Sensitive, SiteId, UtcMicros};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const ADDED: StepToCome = StepToCome {
    sql: "alter table account add column to_come text not null default 'nothing';
          create table to_come (site bytea not null, number bigint not null);",
    is_additive: true,
};
const CHANGED: StepToCome =
    StepToCome { sql: "alter table account rename column role to quality;", is_additive: false };

fn made() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("registry.db");
    let site = Site { id: SiteId([7; 16]), name: "Ville".to_owned(), created: UtcMicros::from_seconds(1_000) };
    drop(Registry::create(&path, &site).expect("created"));
    (folder, path)
}

fn account(number: u8) -> Account {
    Account {
        id: AccountId([number; 16]),
        name: Sensitive::new(format!("compte-{number}")),
        role: "operator".to_owned(),
        password_hash: None,
        disabled: false,
        created: UtcMicros::from_seconds(2_000),
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("read")
}

fn names(registry: &Registry) -> Vec<String> {
    let accounts = registry.accounts().expect("accounts");
    accounts.iter().map(|account| account.name.reveal().clone()).collect()
}

#[test]
fn behind_an_additive_step_the_program_before_goes_on_and_leaves_the_schema_alone() {
    let (_folder, path) = made();
    Registry::open_with(&path, &[ADDED]).expect("upgraded").account_add(&account(1)).expect("added");
    Registry::check_version(&path, &[]).expect("it may go on");
    let before = Registry::open(&path).expect("the program before goes on");
    before.account_add(&account(2)).expect("and writes without knowing the column");
    assert_eq!(names(&before), ["compte-1", "compte-2"]);
    drop(before);
    let again = Registry::open_with(&path, &[ADDED]).expect("the later program is back, and has no step to take");
    assert_eq!(names(&again), ["compte-1", "compte-2"]);
    drop(again);
    // a further program, of which only the last step is additive, shuts out who does not know the one before
    drop(Registry::open_with(&path, &[ADDED, CHANGED, StepToCome { sql: "create table more (n bigint);", ..ADDED }]));
    assert!(matches!(Registry::open(&path), Err(CatalogError::Newer { .. })));
    assert!(matches!(Registry::open_with(&path, &[ADDED]), Err(CatalogError::Newer { .. })));
    Registry::open_with(&path, &[ADDED, CHANGED]).expect("who knows the breaking step goes on");
}

#[test]
fn behind_a_breaking_step_the_program_before_is_refused_and_nothing_changes() {
    let (_folder, path) = made();
    drop(Registry::open_with(&path, &[CHANGED]).expect("upgraded"));
    let before = bytes(&path);
    for refused in [Registry::check_version(&path, &[]).err(), Registry::open(&path).err()] {
        let refused = refused.expect("refused");
        assert!(matches!(refused, CatalogError::Newer { .. }), "{refused}");
        let said = refused.to_string();
        assert!(said.contains("nothing was changed") && said.contains("install the later program again"), "{said}");
    }
    assert_eq!(bytes(&path), before);
}

#[test]
fn looking_into_a_registry_upgrades_nothing() {
    let (_folder, path) = made();
    let before = bytes(&path);
    Registry::check_version(&path, &[ADDED]).expect("it could be upgraded");
    drop(Registry::open_for_reading(&path).expect("read"));
    assert_eq!(bytes(&path), before);
}
