//! Ledger: it only grows, and what somebody was told of is there after any power cut (promise 4, L1).

use super::{Held, broken};
use crate::town::Town;
use catalog::ReelState;
use ledger::Event;
use std::collections::BTreeSet;
use vault::Location;

/// Remembers what is new.
pub fn grows(town: &mut Town) -> Held {
    let Some(core) = town.core() else { return Ok(()) };
    let (size, told) = (core.journal().size(), town.told.len() as u64);
    if size < told {
        return broken("promise 4, L1", format!("{told} entries were told, {size} are there"));
    }
    for seq in told..size {
        match core.journal().read(seq) {
            Ok(entry) => town.told.push(entry.commitment),
            Err(_) if town.world.disk.is_off() => return Ok(()),
            Err(error) => return broken("L1", format!("entry {seq} of {size} does not read: {error}")),
        }
    }
    Ok(())
}

/// Every entry is the one that was told.
pub fn whole(town: &Town) -> Held {
    let Some(core) = town.core() else { return Ok(()) };
    for (seq, told) in town.told.iter().enumerate() {
        match core.journal().read(seq as u64) {
            Ok(entry) if entry.commitment == *told => {}
            Ok(_) => return broken("promise 4", format!("entry {seq} is another than it was")),
            Err(_) if town.world.disk.is_off() => return Ok(()),
            Err(error) => return broken("L1", format!("entry {seq} does not read: {error}")),
        }
    }
    Ok(())
}

/// Every reel that was closed has its leaf (L3), once keeper and recorder have spoken in peace.
pub fn names_every_reel(town: &Town) -> Held {
    let (Some(core), Some(run)) = (town.core(), &town.recording) else { return Ok(()) };
    let mut named = BTreeSet::new();
    for seq in 0..core.journal().size() {
        // details of a month that ended, and dummies, name nothing
        if let Ok(entry) = core.journal().entry(seq)
            && let Event::Reel { reel, .. } = entry.event
        {
            named.insert(reel);
        }
    }
    let rows = run.footage.live_reels().unwrap_or_default();
    // of what lies on a disk of which too much is missing nothing is told before somebody decides (decision 0059)
    let held = |row: &catalog::ReelRow| Location::from_bytes(&row.location).is_some_and(|of| run.store.is_held(&of));
    let ended = |row: &catalog::ReelRow| matches!(row.state, ReelState::Closed | ReelState::Recovered);
    // a disk that was away may bring a reel whose keys died meanwhile: the keeper enters nothing about what nobody can open
    let was_dead = |row: &catalog::ReelRow| row.closed_at.is_some_and(|at| row.deadline <= at);
    let closed = |row: &&catalog::ReelRow| ended(row) && !held(row) && !was_dead(row);
    match rows.iter().filter(closed).find(|row| !named.contains(&row.reel)) {
        Some(row) => {
            let is_told = !run.footage.reels_untold().unwrap_or_default().contains(row);
            let what = format!(
                "{:?} reel {} of {}, closed at {:?}, has no leaf",
                row.state, row.reel, row.hour, row.closed_at
            );
            broken("L3", format!("{what}; told: {is_told}; due {}", row.deadline))
        }
        None => Ok(()),
    }
}
