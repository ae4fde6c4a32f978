//! Keys: the keyring has the key of everything that is young and of nothing that is due (K1, K7, K8, K10).

use super::{Held, broken};
use crate::{recording::locked, town::Town};
use std::collections::BTreeSet;

/// What is due dies within the keeper's next second; a step is longer than that.
const GRACE_SECONDS: i64 = 2;

pub fn as_they_must(town: &mut Town) -> Held {
    let (Some(opened), now) = (&town.opened, town.now()) else { return Ok(()) };
    let is_sure = opened.core.judgement().trusted.is_some();
    let ticked = opened.core.tick();
    if opened.core.must_restart() {
        town.kill_keeper();
        return Ok(());
    }
    if ticked.is_err() || !is_sure {
        return Ok(()); // a planned fault, or a doubt in which keys wait
    }
    let truth = locked(&town.place.truth);
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
    for (hour, camera) in town.place.wire.minted() {
        let is_young = now.plus_seconds(GRACE_SECONDS) < truth.closes(camera, hour);
        if is_young && !truth.doubtful.contains(&camera) && !held.contains(&(hour, camera)) {
            return broken("K10", format!("{camera} of {hour} has no key at {now} and is young"));
        }
    }
    Ok(())
}
