//! Later versions of this program, for tests of upgrades: the same code whose file ends with a word of sixteen bytes (decision 0060).
//!
//! A file with another end has another digest, which the ledger names at each start (L3). What a later version would bring in
//! code is not here; what it leaves for the earlier one to meet is: its number, and steps of the registry.

use std::{fs::File, os::unix::fs::FileExt};
use vigie::{Build, StepToCome};

/// Adds what the version before may leave out.
const NEXT: (&[u8; 16], &str, &[StepToCome]) = (b"vigie version +1", "next", &[ADDED]);
/// Keeps what the version before would forget: it must not go on.
const BREAKING: (&[u8; 16], &str, &[StepToCome]) = (b"vigie version +2", "after-next", &[ADDED, CHANGED]);

const ADDED: StepToCome = StepToCome {
    sql: "alter table camera add column to_come text not null default 'nothing';
          create table to_come (site bytea not null references site (site), number bigint not null);
          insert into to_come (site, number) select site, 1 from site;",
    is_additive: true,
};
/// Footage that must not die yet: who does not know of it would destroy it.
const CHANGED: StepToCome =
    StepToCome { sql: "create table to_keep (site bytea not null, hour bigint not null);", is_additive: false };

/// The program that this process's own file is.
pub fn of_this_file(build: Build) -> Build {
    let end = end_of_this_file().unwrap_or_default();
    match [NEXT, BREAKING].iter().find(|(word, ..)| **word == end) {
        Some((_, version, to_come)) => Build { version, to_come, ..build },
        None => build,
    }
}

fn end_of_this_file() -> std::io::Result<[u8; 16]> {
    let (file, mut end) = (File::open("/proc/self/exe")?, [0; 16]);
    let start = file.metadata()?.len().saturating_sub(16);
    file.read_exact_at(&mut end, start)?;
    Ok(end)
}
