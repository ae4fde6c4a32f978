//! Ledger: it only grows, and what somebody was told of is there after any power cut (promise 4, L1).

use super::{Held, broken};
use crate::town::Town;

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
