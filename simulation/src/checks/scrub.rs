//! The scrubber over the town's store (decision 0052): without a key it finds every closed reel as it was signed, unless a disk is
//! not what it was.

use super::{Held, broken};
use crate::{
    disks::OTHER_DISK,
    recording::locked,
    town::{Town, streams},
    truth::Fate,
};
use vault::scrub::{Looked, Scrubber};

pub fn sound(town: &Town) -> Held {
    let (Some(core), Some(recording)) = (town.core(), &town.recording) else { return Ok(()) };
    // a disk that is, or was for a while, another one or an old image of itself holds other reels than the catalog says: the
    // scrubber is right to tell of it; so does the alarm of a disk on which it found too much that is another's, also of footage that
    // died since
    let is_held = recording.store.roots().iter().any(vault::store::Root::is_held);
    let is_odd = is_held || !recording.is_mended || town.disk_troubled || {
        let truth = locked(&town.place.truth);
        let went = |stream| truth.of(stream).any(|given| given.fate == Fate::Excused(OTHER_DISK));
        !truth.old.is_empty() || !truth.away.is_empty() || streams().into_iter().any(went)
    };
    let Some(view) = core.retention_view().ok().filter(|_| !is_odd) else { return Ok(()) };
    let Some(now) = view.now else { return Ok(()) };
    let scrubber = Scrubber { store: &recording.store, footage: &recording.footage, site_key: view.site_key, now };
    let rows = scrubber.reels().map_err(|error| super::Broken { rule: "decision 0052", what: error.to_string() })?;
    for row in rows {
        match scrubber.look(&row, None, &mut |_| true) {
            Ok(Looked::Sound { .. } | Looked::Passed) => {}
            other => return broken("decision 0052", format!("reel {} at {now}: {other:?}", row.reel)),
        }
    }
    Ok(())
}
