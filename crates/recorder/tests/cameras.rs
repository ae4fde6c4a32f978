//! The ingest thread against scripted RTSP cameras over real TCP: what is recorded, what is never asked for, and what
//! each failure is called.

mod rtsp;

use domain::{CameraId, Codec, HourLength, Random, Sensitive, StreamId, UtcMicros};
use media::{Chunk, Frame};
use recorder::{
    camera::{CameraConfig, World},
    fingerprint::{identify, probe},
    health::{CameraState, GapCause, GapEvent},
    ingest::{Ingest, Sink},
    source::{Credentials, SourceError},
};
use rtsp::{Auth, Camera, Manner, PASSWORD, Script, USER, clip};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const STREAM: StreamId = StreamId::main(CameraId([9; 16]));
/// Long enough for two busy cores; a test that passes does not wait for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything that came out of the ingest thread.
#[derive(Default)]
struct Kept {
    chunks: Mutex<Vec<Chunk>>,
    frames: Mutex<Vec<Frame>>,
    gaps: Mutex<Vec<GapEvent>>,
}

impl Sink for Kept {
    fn chunk(&self, chunk: Chunk) -> bool {
        self.chunks.lock().unwrap().push(chunk);
        true
    }
    fn frame(&self, _: StreamId, frame: &Frame) {
        self.frames.lock().unwrap().push(frame.clone());
    }
    fn gap(&self, _: StreamId, event: GapEvent) {
        self.gaps.lock().unwrap().push(event);
    }
    fn expected(&self, _: StreamId, _: UtcMicros) {}
    fn missing(&self, _: StreamId, _: UtcMicros, _: UtcMicros, _: GapCause) {}
    fn released(&self, _: StreamId, _: UtcMicros) {}
    fn watched(&self) -> bool {
        true
    }
}

impl Kept {
    fn frame_count(&self) -> usize {
        self.frames.lock().unwrap().len()
    }
    fn has_gap(&self, cause: &GapCause) -> bool {
        self.gaps.lock().unwrap().iter().any(|gap| gap.opened && gap.cause == *cause)
    }
    /// All pictures of all chunks.
    fn stored(&self) -> Vec<Vec<u8>> {
        let mut pictures = Vec::new();
        for chunk in self.chunks.lock().unwrap().iter() {
            let mut rest = chunk.data.as_slice();
            for entry in &chunk.frames {
                let (picture, after) = rest.split_at(entry.size as usize);
                pictures.push(picture.to_vec());
                rest = after;
            }
            assert!(rest.is_empty());
        }
        pictures
    }
}

struct Low;
impl Random for Low {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn world() -> World {
    let now = || UtcMicros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64);
    World { trusted: Arc::new(now), random: Arc::new(Low), hour_length: HourLength::PRODUCT }
}

fn start() -> (Arc<Kept>, Ingest) {
    let kept = Arc::new(Kept::default());
    (kept.clone(), Ingest::start(world(), kept).unwrap())
}

fn credentials() -> Credentials {
    Credentials::new(Sensitive::new(USER.into()), Sensitive::new(PASSWORD.into()))
}

fn config(camera: &Camera) -> CameraConfig {
    let mut config = CameraConfig::new(STREAM, "Place du marché".into(), camera.url().parse().unwrap());
    config.credentials = Some(credentials());
    config
}

#[track_caller]
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Pictures of the clip from its start, again and again.
fn expected(pictures: usize) -> Vec<Vec<u8>> {
    clip(320).stored().into_iter().cycle().take(pictures).collect()
}

#[test]
fn every_picture_sent_is_in_a_chunk_as_it_was_sent_and_sound_is_never_asked_for() {
    for auth in [Auth::Digest, Auth::Basic, Auth::None] {
        let camera = Camera::start(auth, Manner::Good);
        let (kept, ingest) = start();
        ingest.put(config(&camera)).unwrap();
        wait_until("60 pictures", || kept.frame_count() >= 60);
        let health = ingest.health().pop().expect("one camera");
        ingest.stop().unwrap();
        let stored = kept.stored();
        assert!(stored.len() >= 60);
        assert_eq!(stored, expected(stored.len()));
        assert_eq!(stored.len(), kept.frame_count(), "each picture tapped is in a chunk");
        let first = &kept.chunks.lock().unwrap()[0];
        let parameters = first.parameters.clone().expect("a group start");
        assert_eq!((parameters.codec, parameters.width, parameters.height), (Codec::H264, 320, 240));
        assert_eq!(
            (camera.asked("SETUP", ""), camera.asked("SETUP", "audio"), camera.asked("TEARDOWN", "")),
            (1, 0, 1)
        );
        assert_eq!((health.state, health.cause, health.width), (CameraState::Recording, None, 320));
        assert!(health.camera_clock_offset_micros.is_some_and(|offset| offset < 0), "its clock stands in 2020");
        assert_eq!(health.packets_lost, 0);
    }
}

#[test]
fn sound_that_comes_unasked_goes_nowhere() {
    let camera = Camera::start(Auth::None, Manner::UnaskedAudio);
    let (kept, ingest) = start();
    ingest.put(config(&camera)).unwrap();
    wait_until("30 pictures", || kept.frame_count() >= 30);
    ingest.stop().unwrap();
    let stored = kept.stored();
    assert_eq!(stored, expected(stored.len()));
    assert_eq!(camera.asked("SETUP", "audio"), 0);
}

#[test]
fn times_are_those_of_the_media_clock_and_rise() {
    let camera = Camera::start(Auth::None, Manner::Good);
    let (kept, ingest) = start();
    ingest.put(config(&camera)).unwrap();
    wait_until("40 pictures", || kept.frame_count() >= 40);
    ingest.stop().unwrap();
    let frames = kept.frames.lock().unwrap();
    for pair in frames.windows(2) {
        assert_eq!(pair[1].dts.0 - pair[0].dts.0, 1_800);
        let step = pair[1].utc.since(pair[0].utc);
        assert!((19_980..=20_020).contains(&step), "{step}");
    }
}

#[test]
fn parameter_sets_that_change_are_those_of_the_groups_that_follow() {
    let camera = Camera::start(Auth::Digest, Manner::ResizeAfter(50));
    let (kept, ingest) = start();
    ingest.put(config(&camera)).unwrap();
    wait_until("90 pictures", || kept.frame_count() >= 90);
    ingest.stop().unwrap();
    let chunks = kept.chunks.lock().unwrap();
    let widths: Vec<u16> = chunks.iter().filter_map(|chunk| chunk.parameters.as_ref()).map(|sets| sets.width).collect();
    let change = widths.iter().position(|width| *width == 480).expect("the large groups");
    // 50 pictures of groups of 12 are five groups.
    assert_eq!(change, 5, "{widths:?}");
    assert!(widths[change..].iter().all(|width| *width == 480));
}

/// What the gap is called when a camera fails so.
#[track_caller]
fn check_gap(config: CameraConfig, expected: &GapCause) {
    let (kept, ingest) = start();
    ingest.put(config).unwrap();
    wait_until(expected.code(), || kept.has_gap(expected));
    wait_until("health says so", || {
        ingest.health().pop().is_some_and(|health| health.cause.as_ref() == Some(expected))
    });
    ingest.stop().unwrap();
    let gaps = kept.gaps.lock().unwrap();
    assert_eq!(
        gaps.last().map(|gap| (&gap.cause, gap.opened)),
        Some((&GapCause::Stopped, true)),
        "a stop is a gap too"
    );
}

#[test]
fn each_failure_has_its_name() {
    let jpeg = GapCause::UnsupportedCodec { what: "JPEG".into() };
    for (auth, manner, cause) in [
        (Auth::None, Manner::NotFound, GapCause::NotFound),
        (Auth::Digest, Manner::NotFound, GapCause::NotFound),
        (Auth::None, Manner::Http, GapCause::NotRtsp),
        (Auth::Digest, Manner::Jpeg, jpeg),
        (Auth::Digest, Manner::CloseAfter(20), GapCause::Closed),
        (Auth::Digest, Manner::RubbishAfter(20), GapCause::Protocol),
    ] {
        let camera = Camera::start(auth, manner);
        check_gap(config(&camera), &cause);
    }
}

#[test]
fn a_closed_port_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("rtsp://127.0.0.1:{free}/");
    check_gap(CameraConfig::new(STREAM, "Gare".into(), url.parse().unwrap()), &GapCause::Unreachable);
}

#[test]
fn a_wrong_password_and_a_missing_one_are_named_and_not_tried_again_and_again() {
    for auth in [Auth::Digest, Auth::Basic] {
        let camera = Camera::start(auth, Manner::Good);
        let wrong = Credentials::new(Sensitive::new(USER.into()), Sensitive::new("faux".into()));
        for given in [Some(wrong), None] {
            let given = CameraConfig { credentials: given, ..config(&camera) };
            check_gap(given, &GapCause::WrongPassword);
        }
        // Each: one look without credentials, one DESCRIBE that is refused, and one answer to the challenge if any.
        assert!(camera.asked("DESCRIBE", "") <= 5, "{}", camera.asked("DESCRIBE", ""));
    }
}

#[test]
fn a_camera_that_falls_silent_is_noticed() {
    let camera = Camera::start(Auth::None, Manner::SilentAfter(20));
    let config = CameraConfig { silence_max: Duration::from_millis(400), ..config(&camera) };
    check_gap(config, &GapCause::Silent);
}

#[test]
fn a_device_that_was_not_confirmed_is_refused_and_gets_no_password() {
    let camera = Camera::start(Auth::Digest, Manner::Good);
    let stranger = Camera::scripted(Script { auth: Auth::Basic, manner: Manner::Good, server: "Somebody else/1.0" });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pinned = runtime.block_on(identify(&camera.url().parse().unwrap())).unwrap();
    assert_eq!(pinned.realm.as_deref(), Some("IP Camera(7)"));
    // The same place, another device: only what it says of itself differs.
    let pinned = recorder::fingerprint::Fingerprint { port: stranger.port, ..pinned };
    check_gap(CameraConfig { pinned: Some(pinned), ..config(&stranger) }, &GapCause::WrongDevice);
    assert_eq!((stranger.asked("DESCRIBE", ""), stranger.asked("SETUP", "")), (1, 0));
}

#[test]
fn a_camera_that_closes_is_connected_again_and_the_gap_ends() {
    let camera = Camera::start(Auth::Digest, Manner::CloseAfter(30));
    let (kept, ingest) = start();
    ingest.put(config(&camera)).unwrap();
    wait_until("a third session", || kept.frame_count() > 60);
    ingest.stop().unwrap();
    let stored = kept.stored();
    let sessions: Vec<_> = stored.chunks(30).take(2).collect();
    assert_eq!(sessions[0], sessions[1], "two sessions, each whole");
    let gaps = kept.gaps.lock().unwrap();
    assert_eq!((&gaps[0].cause, gaps[0].opened), (&GapCause::Closed, true));
    assert_eq!((&gaps[1].cause, gaps[1].opened), (&GapCause::Closed, false));
    assert!(gaps[0].at < gaps[1].at);
}

#[test]
fn cameras_come_change_and_go_while_others_record() {
    let (first, second) = (Camera::start(Auth::Digest, Manner::Good), Camera::start(Auth::None, Manner::Good));
    let (kept, ingest) = start();
    let other = StreamId::main(CameraId([1; 16]));
    ingest.put(config(&first)).unwrap();
    ingest.put(CameraConfig { stream: other, ..config(&second) }).unwrap();
    wait_until("both play", || first.asked("PLAY", "") == 1 && second.asked("PLAY", "") == 1);
    // The first moves to where the second is.
    ingest.put(config(&second)).unwrap();
    wait_until("the change", || second.asked("PLAY", "") == 2 && first.asked("TEARDOWN", "") == 1);
    ingest.remove(other.camera).unwrap();
    wait_until("the removal", || ingest.health().len() == 1);
    let before = kept.frame_count();
    wait_until("the changed one records on", || kept.frame_count() > before + 20);
    ingest.stop().unwrap();
    assert_eq!(second.asked("TEARDOWN", ""), 2);
}

/// Breaks down at the first picture of one stream.
struct Breaks(Kept);
impl Sink for Breaks {
    fn chunk(&self, chunk: Chunk) -> bool {
        self.0.chunk(chunk)
    }
    fn frame(&self, stream: StreamId, frame: &Frame) {
        assert_eq!(stream, STREAM, "a bug that meets one camera only");
        self.0.frame(stream, frame);
    }
    fn gap(&self, stream: StreamId, event: GapEvent) {
        if stream != STREAM {
            self.0.gap(stream, event);
        }
    }
    fn expected(&self, _: StreamId, _: UtcMicros) {}
    fn missing(&self, _: StreamId, _: UtcMicros, _: UtcMicros, _: GapCause) {}
    fn released(&self, _: StreamId, _: UtcMicros) {}
    fn watched(&self) -> bool {
        false
    }
}

#[test]
fn a_task_that_breaks_down_is_a_gap_of_its_camera_and_the_others_record_on() {
    let camera = Camera::start(Auth::None, Manner::Good);
    let kept = Arc::new(Breaks(Kept::default()));
    let ingest = Ingest::start(world(), kept.clone()).unwrap();
    ingest.put(config(&camera)).unwrap();
    ingest.put(CameraConfig { stream: StreamId::main(CameraId([1; 16])), ..config(&camera) }).unwrap();
    wait_until("the gap", || kept.0.has_gap(&GapCause::Protocol));
    let before = kept.0.frame_count();
    wait_until("the other records on", || kept.0.frame_count() > before + 20);
    assert!(ingest.is_running());
    ingest.stop().unwrap();
}

#[test]
fn a_probe_tells_what_a_camera_is_and_takes_leave() {
    let camera = Camera::start(Auth::Digest, Manner::Good);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = camera.url().parse().unwrap();
    let report = runtime.block_on(probe(&url, Some(&credentials()), Duration::from_secs(5))).unwrap();
    assert_eq!(report.tracks_text(), "audio PCMA offered, never asked for; video H264 320x240");
    assert_eq!(report.fingerprint.server.as_deref(), Some("Rtsp Server/3.0"));
    assert_eq!(report.fps, Some(50.0));
    assert_eq!((camera.asked("SETUP", "audio"), camera.asked("TEARDOWN", "")), (0, 1));
}

#[test]
fn no_error_repeats_a_password_or_an_address() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (manner, password) in
        [(Manner::NotFound, PASSWORD), (Manner::Good, "mot-de-passe-faux"), (Manner::Jpeg, PASSWORD)]
    {
        let camera = Camera::start(Auth::Digest, manner);
        let given = Credentials::new(Sensitive::new(USER.into()), Sensitive::new(password.into()));
        let url = camera.url().parse().unwrap();
        let error: SourceError = runtime.block_on(probe(&url, Some(&given), Duration::from_secs(5))).unwrap_err();
        let text = format!("{error} {error:?} {:?} {}", error.cause(), error.cause().text_fr());
        for secret in [USER, password, "127.0.0.1", &camera.port.to_string()] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
