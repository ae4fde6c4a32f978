//! At its start the keeper holds the ledger against what the keyring remembers of it (K2): neither a shorter one nor another.

use crate::support::*;
use disk::{Disk, Open};
use keeper::journal::{Journal, JournalError, JournalPlace};
use ledger::{Actor, Checkpoint, Digest, Entry, Event};
use std::path::Path;

fn note(what: &str, n: i64) -> Entry {
    Entry::new(utc(n), Actor::Cli { uid: 0 }, Event::Config { what: what.into() })
}

/// The files of a folder of the disk in memory, under the names that they have in another one.
fn put(world: &World, from: &str, to: &str) {
    for (path, bytes) in world.disk.image(Path::new(from)).files() {
        let path = Path::new(to).join(path.strip_prefix(from).unwrap());
        world.disk.create_dir(path.parent().unwrap()).unwrap();
        disk::write_all(&world.disk, &path, bytes).unwrap();
    }
}

fn remove(world: &World, folder: &str) {
    for (path, _) in world.disk.image(Path::new(folder)).files() {
        world.disk.remove(path).unwrap();
    }
}

/// As root, with every key: a journal of the same log with another past, and its public files, in the place of the true one.
fn forge(world: &World, opened: &Opened, entries: i64) {
    let parts = keeper::journal::JournalParts {
        place: JournalPlace::in_folder(Path::new("/forged")),
        ..world.journal_parts(opened.keyring.clone())
    };
    let first = opened.core.journal().entry(0).unwrap();
    let forged = Journal::create(parts, &first).unwrap();
    (0..entries).for_each(|n| drop(forged.append(&[note("nobody looked", n)]).unwrap()));
    forged.checkpoint(world.now()).unwrap();
    remove(world, "/log");
    put(world, "/forged", "/log");
}

#[test]
fn a_ledger_with_another_past_is_refused_however_long_it_is() {
    for entries in [1, 20, 200] {
        let world = World::new(60 + entries as u64);
        let opened = world.open();
        opened.mint(0, &[1]);
        opened.core.checkpoint().unwrap();
        let head = opened.core.journal().head();
        assert_eq!(opened.keyring.ledger_head().size, head.size);
        forge(&world, &opened, entries);
        drop(opened);
        let refusal = world.try_open().err().unwrap_or_else(|| panic!("{entries} forged entries were taken"));
        assert!(refusal.contains("an old state was restored"), "{refusal}");
    }
}

#[test]
fn a_journal_begins_with_every_checkpoint_it_had_and_with_no_other() {
    let world = World::new(65);
    let opened = world.open();
    let journal = opened.core.journal();
    let mut known = vec![journal.head(), Checkpoint { size: 0, root: Digest([7; 32]) }];
    for n in 0..40 {
        journal.append(&[note("a change", n)]).unwrap();
        known.push(journal.head());
    }
    for checkpoint in &known {
        journal.begins_with(*checkpoint).unwrap();
    }
    let head = journal.head();
    let other = |size| Checkpoint { size, root: Digest([7; 32]) };
    assert!(matches!(journal.begins_with(other(head.size)), Err(JournalError::Forked { .. })));
    assert!(matches!(journal.begins_with(other(5)), Err(JournalError::Forked { size: 5 })));
    let beyond = Checkpoint { size: head.size + 1, ..head };
    assert!(matches!(journal.begins_with(beyond), Err(JournalError::Behind { .. })));
    assert!(world.disk.open(Path::new("/log/journal/000001.jnl"), Open::Read).is_ok());
}
