//! What the cameras' own clocks say, for the keeper's judgement of time (K9).
//!
//! A camera's offset was measured against this run's time, which is the keeper's anchor and the boot clock. Adding the
//! run's time of now to it takes the anchor out again: what is told is the camera's clock carried on by the boot clock, and
//! nothing of the keeper's own opinion comes back to it as evidence. That holds on two machines, too.

use crate::health::CameraHealth;
use domain::{
    StreamKind, UtcMicros,
    limit::{CAMERA_CLOCK_FRESH_SECONDS_MAX, CAMERA_CLOCKS_MAX},
};
use vault::keeper::CameraClock;

/// One voice a camera: its main stream's clock, if a sender report came lately. Of more than can be told, the first.
pub fn heard(cameras: &[CameraHealth], now: UtcMicros) -> Vec<CameraClock> {
    let voice = |camera: &CameraHealth| {
        let offset = ahead_micros(camera, now)?;
        let is_main = camera.stream.kind == StreamKind::Main;
        is_main.then(|| CameraClock { camera: camera.stream.camera, at: now.plus_micros(offset) })
    };
    cameras.iter().filter_map(voice).take(CAMERA_CLOCKS_MAX).collect()
}

/// By how much a camera's clock is ahead of this run's time, if a sender report came lately.
pub fn ahead_micros(camera: &CameraHealth, now: UtcMicros) -> Option<i64> {
    let fresh = |heard: &UtcMicros| now.since(*heard).abs() <= CAMERA_CLOCK_FRESH_SECONDS_MAX * 1_000_000;
    camera.camera_clock_heard.filter(fresh)?;
    camera.camera_clock_offset_micros
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CameraId, StreamId};

    const NOW: UtcMicros = UtcMicros::from_seconds(1_800_000_000);

    fn camera(n: u8, heard: Option<i64>, offset: Option<i64>) -> CameraHealth {
        let mut camera = CameraHealth::new(StreamId::main(CameraId([n; 16])), "a camera", NOW);
        camera.camera_clock_heard = heard.map(|ago| NOW.plus_seconds(-ago));
        camera.camera_clock_offset_micros = offset;
        camera
    }

    #[test]
    fn a_camera_has_a_voice_while_its_reports_are_fresh() {
        let cameras = [
            camera(1, Some(60), Some(7_000_000)),
            camera(2, Some(61), Some(7_000_000)),
            camera(3, None, None),
            camera(4, Some(0), Some(i64::MAX)),
        ];
        let told = heard(&cameras, NOW);
        let expected = [(1, NOW.plus_seconds(7)), (4, UtcMicros(i64::MAX))];
        assert_eq!(told, expected.map(|(n, at)| CameraClock { camera: CameraId([n; 16]), at }));
    }

    #[test]
    fn what_is_told_does_not_depend_on_the_keepers_opinion_of_the_time() {
        // the same camera, heard by a run whose anchor is a month off: the offset takes it out
        let month = 31 * 86_400;
        let right = heard(&[camera(1, Some(5), Some(0))], NOW);
        let mut seen_wrongly = camera(1, None, Some(-month * 1_000_000));
        seen_wrongly.camera_clock_heard = Some(NOW.plus_seconds(month - 5));
        assert_eq!(heard(&[seen_wrongly], NOW.plus_seconds(month)), right);
    }

    #[test]
    fn no_more_is_told_than_a_message_holds() {
        let many: Vec<CameraHealth> = (0..3_000).map(|_| camera(1, Some(1), Some(1))).collect();
        assert_eq!(heard(&many, NOW).len(), CAMERA_CLOCKS_MAX);
    }
}
