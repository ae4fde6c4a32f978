//! Keys of held chunks: wrapped under the hold's own before the hour's die, opened for an export under the hold's requisition (K12, K5).
//!
//! What is wrapped is exactly what an export of the same span would be given: the keys of its chunks, back to the start of the group
//! in which it begins, and of the lines that name them. The hour's key is not part of it, so nothing else of the hour ever opens.

use super::unknown;
use crate::{
    core::{KeeperCore, failed, malformed},
    keys::{OpenedPart, select},
    sealed::unseal_under,
};
use domain::{CameraId, HoldId, Hour, ReelId, Span, StreamId};
use seal::reel::ReelHeader;
use vault::{
    KeeperError,
    keeper::{HeldQuery, KeyAnswer, Permit, ReelKeys, View, WrapQuery, WrappedReel, Wrapping},
};
use zeroize::Zeroizing;

impl KeeperCore {
    /// Keys of a hold that are lacking: a crash came between its entry and the keyring.
    pub(super) fn ready_keys(&self, hold: HoldId) -> Result<(), KeeperError> {
        let judgement = self.judgement();
        let (hours, until) = {
            let moving = self.moving();
            let known = moving.holds.get(hold).ok_or_else(unknown)?;
            // what is due is not made anew while the ledger that should say so is away
            let lives = known.lives().filter(|of| !judgement.may_destroy(of.dies)).map(|of| of.hour);
            (lives.map(|hour| (hour, known.hours[&hour])).collect::<Vec<_>>(), known.until)
        };
        self.parts.keyring.add_hold(hold, &hours).map_err(failed)?;
        until.map_or(Ok(()), |until| self.parts.keyring.keep_hold(hold, until)).map_err(failed)
    }

    /// For the recorder, which sees the answer as ciphertext.
    pub fn wrap(&self, query: &WrapQuery) -> Result<Wrapping, KeeperError> {
        let _keys_stay_as_they_are = self.change_keys();
        let (hold, stream) = (query.hold, query.stream);
        if !self.is_held(hold, stream.camera, query.span) {
            return Err(unknown());
        }
        self.ready_keys(hold)?;
        let parts = query.parts.iter().map(|part| {
            let hour = ReelHeader::claimed_hour(&part.header).map_err(crate::keys::malformed_by)?;
            Ok((self.open_held_part(part, stream)?, hour))
        });
        let parts = parts.collect::<Result<Vec<(OpenedPart, Hour)>, KeeperError>>()?;
        let (opened, hours): (Vec<OpenedPart>, Vec<Hour>) = parts.into_iter().unzip();
        let answer = select(&opened, query.span, true)?;
        let keys = self.parts.keyring.holds();
        let mut reels = Vec::new();
        for of_reel in answer.reels {
            let place = opened.iter().position(|part| part.reel() == of_reel.reel);
            let Some(hour) = place.and_then(|place| hours.get(place)).copied() else { continue };
            // its group began in an hour that is not held, or not any more: its head cannot be decoded, as in a replay (R8)
            let Some(key) = keys.get(&(hold, hour)) else { continue };
            let plain = Zeroizing::new(postcard::to_stdvec(&of_reel).map_err(failed)?);
            let sealed = self.seal_under(&key.key, bound_to(hold, stream, of_reel.reel), &plain)?;
            reels.push(WrappedReel {
                reel: of_reel.reel,
                hour,
                sealed,
                chunks: of_reel.chunks.iter().map(|(number, _)| *number).collect(),
                extents: of_reel.lines.iter().map(|(number, _)| *number).collect(),
            });
        }
        Ok(Wrapping { reels, needs: answer.needs })
    }

    /// For web, under a permit to hand over what the hold's requisition asks for.
    pub fn held_keys(&self, query: &HeldQuery) -> Result<KeyAnswer, KeeperError> {
        let View::Export(allowed) = query.permit.view else { return Err(KeeperError::NoPermit) };
        let within = allowed.covers(query.span) && query.permit.cameras.contains(&query.stream.camera);
        if !within || !self.holds(&query.permit) || !self.is_for(query.hold, &query.permit)? {
            return Err(KeeperError::NoPermit);
        }
        let judgement = self.judgement();
        if judgement.closes_all() {
            return Err(self.no_time(judgement.state));
        }
        if !self.is_held(query.hold, query.stream.camera, query.span) {
            return Err(unknown());
        }
        let keys = self.parts.keyring.holds();
        let mut parts = Vec::new();
        for reel in &query.reels {
            let closed = KeeperError::Closed { hour: reel.hour };
            let key = keys.get(&(query.hold, reel.hour)).ok_or(closed.clone())?;
            if judgement.is_closed(key.dies) {
                return Err(closed);
            }
            let bound = bound_to(query.hold, query.stream, reel.reel);
            let plain = unseal_under(&key.key, bound, &reel.sealed)?;
            let plain = plain.ok_or_else(|| malformed("keys that were not wrapped under this hold"))?;
            let held: ReelKeys = postcard::from_bytes(&plain).map_err(failed)?;
            parts.push(OpenedPart::held(held));
        }
        select(&parts, query.span, true)
    }

    fn is_held(&self, hold: HoldId, camera: CameraId, span: Span) -> bool {
        self.moving().holds.get(hold).is_some_and(|known| known.stands() && known.covers(camera, span))
    }

    /// Whether the permit is of an export under the requisition for which the footage is held.
    fn is_for(&self, hold: HoldId, permit: &Permit) -> Result<bool, KeeperError> {
        let exports = self.parts.registry.exports().map_err(failed)?;
        let requisition = exports.iter().find(|row| row.leaf == permit.leaf).map(|row| row.requisition);
        let moving = self.moving();
        let bound = moving.holds.get(hold).and_then(|known| known.requisition.as_ref()).map(|(id, _)| *id);
        Ok(bound.is_some() && bound == requisition)
    }
}

/// What wrapped keys are bound to.
fn bound_to(hold: HoldId, stream: StreamId, reel: ReelId) -> Vec<u8> {
    [&b"vigie hold v1\n"[..], &hold.0, &stream.camera.0, &[stream.kind as u8], &reel.0].concat()
}
