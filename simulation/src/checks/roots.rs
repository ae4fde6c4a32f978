//! The disks of the store: what lives lies in no free slot, what lies on a disk that is away is neither forgotten nor told as
//! if it could be shown (R2, R12, decision 0059).

use super::{Held, broken, footage::Looker};
use crate::{
    disks::{Known, Lies},
    recording::locked,
    town::{Town, streams},
    truth::{Fate, Given},
};
use domain::Span;
use vault::Location;

/// After every step.
pub fn as_they_must(town: &Town) -> Held {
    let (Some(run), now) = (&town.recording, town.now()) else { return Ok(()) };
    let free = run.store.free_slots();
    for row in run.ended_reels().iter().filter(|row| now < row.deadline) {
        let slots = Location::from_bytes(&row.location);
        // a slot of that number that was made anew holds nothing: the reel went with an old image of the disk
        let is_its_own = |slot: &u32| {
            let family = run.store.slot_header(*slot).ok().flatten().map(|header| header.family);
            family.is_some_and(|of| (of.run, of.hour, of.deadline) == (row.run, row.hour, row.deadline))
        };
        let mut free = slots.iter().flat_map(Location::slots).filter(|slot| free.contains(slot));
        if let Some(slot) = free.find(is_its_own) {
            return broken(
                "R2, K10",
                format!("slot {slot} is free, and the {:?} reel {} lives in it", row.state, row.reel),
            );
        }
    }
    let truth = locked(&town.place.truth);
    for root in &town.disks.roots {
        let is_held = match root.lies {
            Lies::Own => false,
            Lies::Nothing | Lies::Another => true,
            Lies::OldImage => root.is_short(&truth, now),
        };
        let must_stay = |known: &&Known| is_held && (root.lies != Lies::OldImage || known.is_alive(&truth, now));
        for Known { row, .. } in root.reels.iter().filter(must_stay) {
            if run.footage.reel(row.reel).ok().flatten().is_none() {
                let what = format!("root {} is {:?}, and its reel {} is forgotten", root.number, root.lies, row.reel);
                return broken("decision 0059", what);
            }
        }
    }
    Ok(())
}

/// Where pictures lie on a disk that is missing, the timeline says so (R12).
pub fn told(looker: &Looker<'_>) -> Held {
    let (truth, now) = (looker.truth, looker.now);
    if truth.away.is_empty() {
        return Ok(());
    }
    let is_missing = |given: &&Given| {
        let is_away = !given.roots.is_empty() && given.roots.is_subset(&truth.away);
        given.fate == Fate::Held && is_away && given.roots.is_disjoint(&truth.old)
    };
    for stream in streams().into_iter().filter(|stream| !truth.doubtful.contains(&stream.camera)) {
        let is_young =
            |given: &&Given| now.plus_seconds(2) < truth.soonest_closes(stream.camera, given.chunk.hour, now);
        for given in truth.of(stream).filter(is_missing).filter(is_young) {
            let at = given.chunk.first_utc;
            let Ok(span) = Span::new(at, at.plus_micros(1)) else { continue };
            let timeline = looker.recording.timeline(stream, span);
            let is_told = timeline.gaps.iter().any(|gap| gap.cause == "disk-missing");
            // another reel of that time may be shown, where a time was met twice
            let others = looker.recording.locate(stream, span);
            let is_covered = others.iter().any(|of| {
                let is_there = of.location.root().is_some_and(|root| !truth.away.contains(&root));
                is_there && of.first_utc <= at && at <= of.last_utc
            });
            if !is_told && !is_covered {
                let what = format!(
                    "{stream:?} at {at} lies on {:?}, away, and is told as {timeline:?} by {others:?}",
                    given.roots
                );
                return broken("R12", what);
            }
        }
    }
    Ok(())
}
