//! Where decoding can begin, and which pictures nobody can decode who begins there.

use crate::FrameKind;
use domain::MediaTicks;

/// Whether pictures can be decoded, picture by picture, for somebody who saw all of them since the last [`Start::lost`].
///
/// A group that starts with an IDR picture needs nothing from before. Behind a CRA picture or a recovery point come *leading*
/// pictures, shown before it, that refer to the group before: whoever begins there cannot decode them, whoever comes from
/// the group before can. H.265 names them by their NAL types; H.264 does not, there it is their time that tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Start {
    /// Not before a group starts.
    #[default]
    Waits,
    /// In the first group, which needs the one before for what is shown before this time.
    Open(MediaTicks),
    Runs,
}

impl Start {
    /// Takes the next picture in decoding order; whether it can be decoded. `starts_group`: a group starts with it, and its
    /// parameter sets are known.
    pub fn admits(&mut self, kind: FrameKind, pts: MediaTicks, starts_group: bool) -> bool {
        match (*self, starts_group) {
            (Start::Waits, false) => false,
            (Start::Waits, true) => {
                *self = if kind == FrameKind::Idr { Start::Runs } else { Start::Open(pts) };
                true
            }
            (Start::Open(_), true) => {
                *self = Start::Runs;
                true
            }
            (Start::Open(from), false) => kind != FrameKind::Leading && pts >= from,
            (Start::Runs, _) => true,
        }
    }

    /// Pictures are missing here: only where a group starts can decoding begin again.
    pub fn lost(&mut self) {
        *self = Start::Waits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FrameKind::{Cra, Idr, Leading, Other, RecoveryPoint};

    #[track_caller]
    fn check(pictures: &[(FrameKind, i64)], expected: &[bool]) {
        let mut start = Start::default();
        let admitted = pictures.iter().map(|(kind, pts)| start.admits(*kind, MediaTicks(*pts), kind.starts_group()));
        assert_eq!(admitted.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn nothing_is_decodable_before_a_group_starts() {
        check(&[(Other, 0), (Leading, 1), (Idr, 2), (Other, 3)], &[false, false, true, true]);
    }

    #[test]
    fn pictures_that_lead_an_idr_picture_are_decodable() {
        check(&[(Idr, 3), (Leading, 1), (Leading, 2), (Other, 6)], &[true; 4]);
    }

    #[test]
    fn pictures_that_lead_a_cra_picture_are_decodable_only_for_who_comes_from_the_group_before() {
        check(
            &[(Cra, 3), (Leading, 1), (Leading, 2), (Other, 6), (Cra, 9), (Leading, 8)],
            &[true, false, false, true, true, true],
        );
    }

    #[test]
    fn in_h264_it_is_their_time_that_tells_what_leads() {
        check(&[(RecoveryPoint, 3), (Other, 1), (Other, 2), (Other, 6), (Other, 4)], &[true, false, false, true, true]);
    }

    #[test]
    fn after_a_loss_decoding_begins_anew() {
        let mut start = Start::default();
        assert!(start.admits(Cra, MediaTicks(0), true) && start.admits(Cra, MediaTicks(9), true));
        start.lost();
        assert!(!start.admits(Other, MediaTicks(10), false));
        assert!(start.admits(Cra, MediaTicks(20), true) && !start.admits(Leading, MediaTicks(19), false));
    }

    #[test]
    fn a_group_start_without_parameter_sets_starts_nothing() {
        let mut start = Start::default();
        assert!(!start.admits(Idr, MediaTicks(0), false) && !start.admits(Other, MediaTicks(1), false));
    }
}
