//! Keys: the keyring has the key of everything that is young and of nothing that is due (K1, K7, K8, K10).

use super::{Held, broken};
use crate::{
    recording::locked,
    support::{PASSPHRASE, SITE, World, folder},
    town::Town,
};
use domain::{CameraId, Hour};
use keyring::{Condemned, FileKeyring, Keyring};
use std::{collections::BTreeSet, sync::Arc};

/// What is due dies within the keeper's next second; a step is longer than that.
const GRACE_SECONDS: i64 = 2;

pub fn as_they_must(town: &mut Town) -> Held {
    let (Some(opened), now) = (&town.opened, town.now()) else { return Ok(()) };
    let ticked = opened.core.tick();
    if opened.core.must_restart() {
        town.kill_keeper();
        return Ok(());
    }
    let (Ok(_), Some(trusted)) = (ticked, opened.core.judgement().trusted) else {
        town.keeper_troubled = now;
        return Ok(()); // a planned fault, or a doubt in which keys wait
    };
    // by the time that the keeper trusts, which may be a little behind the true one (K9)
    let now = now.min(trusted);
    let mut truth = locked(&town.place.truth);
    truth.pass(now, town.keeper_troubled);
    let mut held = BTreeSet::new();
    for page in opened.keyring.hours() {
        for (camera, deadline) in &page.cameras {
            held.insert((page.hour, *camera));
            let (due, closes) = (truth.deadline(*camera, page.hour), truth.closes(*camera, page.hour));
            if closes.plus_seconds(GRACE_SECONDS) <= now {
                return broken("promise 2, K8", format!("{camera} has a key of {} at {now}, due at {due}", page.hour));
            }
            if due < *deadline {
                return broken("K7", format!("{camera} of {} is due at {due}, its page says {deadline}", page.hour));
            }
        }
    }
    // a page that is not listed may be there all the same
    let over = |place: &(Hour, CameraId)| truth.closes(place.1, place.0).plus_seconds(GRACE_SECONDS) <= now;
    let newly: Vec<_> =
        town.place.wire.minted().into_iter().filter(|place| over(place) && !town.seen_dead.contains(place)).collect();
    dead(&*opened.keyring, &newly)?;
    if !newly.is_empty() && !town.world.disk.is_off() {
        dead_on_disk(&town.world, &newly)?;
    }
    town.seen_dead.extend(newly);
    for (hour, camera) in town.place.wire.minted() {
        let is_young = now.plus_seconds(GRACE_SECONDS) < truth.soonest_closes(camera, hour, now);
        if is_young && !truth.doubtful.contains(&camera) && !held.contains(&(hour, camera)) {
            return broken("K10", format!("{camera} of {hour} has no key at {now} and is young"));
        }
    }
    Ok(())
}

/// The keyring has none of these keys, by its files alone, after a power cut at this instant: nobody who remembers what was
/// called dead is asked (K2).
fn dead_on_disk(world: &World, places: &[(Hour, CameraId)]) -> Held {
    let disk = world.disk.fork(1);
    disk.reboot();
    let (disk, folders) = (Arc::new(disk), [folder(0), folder(1)]);
    match FileKeyring::open(disk, folders, SITE, PASSPHRASE, world.random.clone()) {
        Ok(keyring) => dead(&keyring, places),
        Err(error) => broken("K2", format!("the keyring does not open after a destruction: {error}")),
    }
}

/// The keyring has none of these keys.
pub fn dead(keyring: &dyn Keyring, places: &[(Hour, CameraId)]) -> Held {
    let condemned = keyring.condemned();
    for (hour, camera) in places {
        let is_pending = |of: &Condemned| of.hour == *hour && of.which.names(*camera) && of.destroyed_by.is_none();
        if condemned.iter().any(is_pending) {
            return broken(
                "promise 2, K10",
                format!("the key of {camera} of {hour} is called dead and was never destroyed"),
            );
        }
        let page = keyring.page(*hour).ok().flatten();
        if page.is_some_and(|page| page.cameras.contains_key(camera)) {
            return broken("promise 2, K10", format!("{camera} still has a key of {hour}, which is called dead"));
        }
    }
    Ok(())
}
