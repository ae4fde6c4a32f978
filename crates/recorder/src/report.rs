//! The recorder's health as the console reads it: JSON, once a second, through the keeper.

use crate::clocks;
use crate::health::{CameraHealth, CameraState, HealthBoard};
use catalog::StoredBytes;
use domain::{StreamId, StreamKind, UtcMicros, limit};
use keeper::wire::{Finding, FindingState};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};
use vault::{
    keeper::CameraClock,
    store::{Trouble, Usage},
};

/// What threads note, and what the clerk reads out.
#[derive(Default)]
pub struct Report {
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    board: Option<HealthBoard>,
    last_sync: Option<UtcMicros>,
    last_sync_ms: u64,
    slow_syncs: u64,
    failed_syncs: u64,
    failure: Option<(Trouble, String)>,
    unknown_slots: usize,
    bytes_past_deadline: u64,
    bytes_closed_unconfirmed: u64,
    /// Findings of others, such as of space and of the catalog, by their id.
    others: BTreeMap<String, Finding>,
    usage: Option<Usage>,
    is_short_of_room: bool,
    /// Last admitted picture of each stream; durable after the next sync.
    admitted: HashMap<StreamId, UtcMicros>,
    durable: HashMap<StreamId, UtcMicros>,
    no_key: HashMap<StreamId, UtcMicros>,
    /// Since when each stream is to be recorded by this run.
    expected: HashMap<StreamId, UtcMicros>,
    /// Bytes of each stream at the last reading, for a rate.
    bytes: HashMap<StreamId, (UtcMicros, u64)>,
}

#[derive(Serialize)]
struct Json {
    cameras: Vec<CameraJson>,
    store: Option<StoreJson>,
    findings: Vec<Finding>,
    bytes_past_deadline: u64,
    bytes_closed_unconfirmed: u64,
}

#[derive(Serialize)]
struct CameraJson {
    id: String,
    state: &'static str,
    detail_fr: String,
    detail_en: String,
    since: String,
    codec: Option<String>,
    width: u16,
    height: u16,
    /// Pictures in a thousand seconds that were kept; none before enough of them came.
    millihertz: Option<u32>,
    last_durable: Option<String>,
    bytes_per_second: u64,
    /// How far the camera's own clock is ahead (R9); `None` where it was not told lately.
    clock_ahead_ms: Option<i64>,
    /// Jumps of the clock of its pictures since the start (R9).
    clock_jumps: u64,
    sub: Option<SubJson>,
}

/// A camera's sub-stream.
#[derive(Serialize)]
struct SubJson {
    state: &'static str,
    codec: Option<String>,
    width: u16,
    height: u16,
}

#[derive(Serialize)]
struct StoreJson {
    slots: u32,
    slots_free: u32,
    slots_max: u32,
    slot_bytes: u64,
    bytes_live: u64,
}

impl Report {
    pub fn watch(&self, board: HealthBoard) {
        self.noted().board = Some(board);
    }
    pub fn note_unknown_slots(&self, slots: usize) {
        self.noted().unknown_slots = slots;
    }
    pub fn note_past_deadline(&self, bytes: u64) {
        self.noted().bytes_past_deadline = bytes;
    }
    pub fn note_expected(&self, stream: StreamId, at: UtcMicros) {
        self.noted().expected.insert(stream, at);
    }
    /// Bytes that are closed while their keys wait (K9).
    pub fn note_closed_unconfirmed(&self, bytes: u64) {
        self.noted().bytes_closed_unconfirmed = bytes;
    }
    pub fn note_short_of_room(&self, is_short: bool) {
        self.noted().is_short_of_room = is_short;
    }
    pub fn is_short_of_room(&self) -> bool {
        self.noted().is_short_of_room
    }
    /// What another thread found; it stays until the next one of the same id.
    pub fn note_finding(&self, finding: Finding) {
        self.noted().others.insert(finding.id.clone(), finding);
    }
    /// Bytes that all cameras together have sent, for a rate.
    pub fn bytes_received(&self) -> u64 {
        let board = self.noted().board.clone();
        board.map_or(0, |board| board.snapshot().iter().map(|camera| camera.bytes).sum())
    }
    pub fn note_admitted(&self, stream: StreamId, at: UtcMicros) {
        let mut noted = self.noted();
        noted.admitted.insert(stream, at);
        noted.no_key.remove(&stream);
    }
    pub fn note_no_key(&self, stream: StreamId, at: UtcMicros) {
        self.noted().no_key.insert(stream, at);
    }
    pub fn note_sync(&self, now: UtcMicros, took_ms: u64, usage: Usage) {
        let mut noted = self.noted();
        noted.last_sync = Some(now);
        noted.last_sync_ms = took_ms;
        noted.slow_syncs += u64::from(took_ms > limit::SYNC_LATENCY_MS_MAX);
        noted.failure = None;
        noted.usage = Some(usage);
        noted.durable = noted.admitted.clone();
    }
    /// Whether writing has a hard time, or has not begun: then nobody else may use the disk for what can wait.
    pub fn sync_is_late(&self, now: UtcMicros) -> bool {
        let noted = self.noted();
        let due_micros = (limit::SYNC_PERIOD_MS + limit::SYNC_LATENCY_MS_MAX / 2) as i64 * 1_000;
        let in_time = noted.last_sync.is_some_and(|last| now.since(last) <= due_micros);
        !in_time || noted.failure.is_some() || noted.last_sync_ms > limit::SYNC_LATENCY_MS_MAX / 2
    }
    pub fn note_failed_sync(&self, trouble: Trouble, what: String, usage: Usage) {
        let mut noted = self.noted();
        noted.failed_syncs += 1;
        noted.failure = Some((trouble, what));
        noted.usage = Some(usage);
    }

    /// What the console shows. Names of cameras are the keeper's to add.
    pub fn json(&self, now: UtcMicros, stored: Option<StoredBytes>) -> String {
        let mut noted = self.noted();
        let cameras = noted.board.as_ref().map(HealthBoard::snapshot).unwrap_or_default();
        let json = Json {
            cameras: main_streams(&cameras).map(|camera| noted.with_sub(camera, &cameras, now)).collect(),
            store: noted.usage.map(|usage| StoreJson {
                slots: usage.slots,
                slots_free: usage.slots_free,
                slots_max: usage.slots_max,
                slot_bytes: usage.slot_bytes,
                bytes_live: stored.map_or(0, |stored| stored.live),
            }),
            findings: noted.findings(&cameras, now),
            bytes_past_deadline: noted.bytes_past_deadline,
            bytes_closed_unconfirmed: noted.bytes_closed_unconfirmed,
        };
        serde_json::to_string(&json).unwrap_or_default()
    }

    /// What the cameras' own clocks say at `now`.
    pub fn clocks(&self, now: UtcMicros) -> Vec<CameraClock> {
        let board = self.noted().board.clone();
        clocks::heard(&board.as_ref().map(HealthBoard::snapshot).unwrap_or_default(), now)
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    /// A camera by its main stream, and what a viewer has to know of its sub-stream.
    fn with_sub(&mut self, main: &CameraHealth, all: &[CameraHealth], now: UtcMicros) -> CameraJson {
        let stream = StreamId { kind: StreamKind::Sub, ..main.stream };
        let sub = all.iter().find(|each| each.stream == stream).map(|sub| {
            let CameraJson { state, codec, width, height, .. } = self.camera(sub, now);
            SubJson { state, codec, width, height }
        });
        CameraJson { sub, ..self.camera(main, now) }
    }

    fn camera(&mut self, camera: &CameraHealth, now: UtcMicros) -> CameraJson {
        let (before, bytes) = self.bytes.insert(camera.stream, (now, camera.bytes)).unwrap_or((now, camera.bytes));
        let micros = now.since(before).max(1) as u64;
        let not_durable = self.not_durable_seconds(camera.stream, now);
        // a camera that has a cause of its own is not waiting for keys
        let no_key = self.no_key.contains_key(&camera.stream) && camera.cause.is_none();
        let cause = if no_key { Some(&crate::health::GapCause::KeeperAway) } else { camera.cause.as_ref() };
        let refused =
            |code: &str| matches!(code, "wrong-password" | "wrong-device" | "unsupported-codec" | "not-found");
        let (state, fr, en) = match (camera.state, cause) {
            (_, Some(cause)) if refused(cause.code()) => ("refused", cause.text_fr(), cause.text_en()),
            (CameraState::Recording, None) if not_durable >= limit::NOT_DURABLE_ALARM_SECONDS => (
                "away",
                format!("Des images arrivent, rien n'est sur le disque depuis {not_durable} s. Vérifiez le disque."),
                format!("Pictures come, nothing is on disk for {not_durable} s. Check the disk."),
            ),
            (CameraState::Recording, None) => ("recording", "Enregistre.".to_owned(), "Recording.".to_owned()),
            (CameraState::Connecting, None) => {
                ("connecting", "Connexion en cours.".to_owned(), "Connecting.".to_owned())
            }
            (_, Some(cause)) => ("away", cause.text_fr(), cause.text_en()),
            (CameraState::Stopped, None) => ("away", "Arrêtée.".to_owned(), "Stopped.".to_owned()),
            (CameraState::Waiting, None) => ("away", "En attente.".to_owned(), "Waiting.".to_owned()),
        };
        CameraJson {
            id: camera.stream.camera.to_string(),
            state,
            detail_fr: fr,
            detail_en: en,
            since: camera.since.to_string(),
            codec: camera.codec.map(|codec| format!("{codec:?}").to_uppercase()),
            width: camera.width,
            height: camera.height,
            millihertz: camera.kept_millihertz,
            last_durable: self.durable.get(&camera.stream).map(ToString::to_string),
            bytes_per_second: camera.bytes.saturating_sub(bytes) * 1_000_000 / micros,
            sub: None,
            clock_ahead_ms: clocks::ahead_micros(camera, now).map(|micros| micros / 1000),
            clock_jumps: camera.clock_jumps,
        }
    }

    fn findings(&self, cameras: &[CameraHealth], now: UtcMicros) -> Vec<Finding> {
        let title = ("Écriture sur le disque", "Writing to disk");
        let (state, fr, en) = match (&self.failure, self.unknown_slots) {
            (Some((trouble, what)), _) => (
                FindingState::Alarm,
                format!("{} ({what})", trouble.text_fr()),
                format!("{} ({what})", trouble.text_en()),
            ),
            (None, unknown) if unknown > 0 => (
                FindingState::Warning,
                format!(
                    "{unknown} emplacement(s) contiennent des bobines que le catalogue ne connaît pas ; ils sont gardés."
                ),
                format!("{unknown} slot(s) hold reels that the catalog does not know; they are kept."),
            ),
            _ if self.last_sync.is_none() => {
                (FindingState::Warning, "Rien n'a encore été écrit.".to_owned(), "Nothing was written yet.".to_owned())
            }
            _ if self.slow_syncs > 0 => (
                FindingState::Warning,
                format!(
                    "Écriture lente : {} fois plus de {} ms depuis le démarrage.",
                    self.slow_syncs,
                    limit::SYNC_LATENCY_MS_MAX
                ),
                format!(
                    "Slow writes: {} times more than {} ms since the start.",
                    self.slow_syncs,
                    limit::SYNC_LATENCY_MS_MAX
                ),
            ),
            _ => (
                FindingState::Ok,
                "Chaque image est sur le disque en deux secondes au plus.".to_owned(),
                "Each picture is on disk within two seconds.".to_owned(),
            ),
        };
        let finding = Finding {
            id: "disk".into(),
            state,
            title_fr: title.0.into(),
            title_en: title.1.into(),
            detail_fr: fr,
            detail_en: en,
        };
        let others = self.others.values().cloned();
        let cameras = cameras_finding(cameras, |stream| self.not_durable_seconds(stream, now));
        [Some(finding), cameras].into_iter().flatten().chain(others).collect()
    }

    /// For how long nothing of a stream became durable: the watch is on what is on disk, not on a socket.
    fn not_durable_seconds(&self, stream: StreamId, now: UtcMicros) -> i64 {
        let since = self.durable.get(&stream).max(self.expected.get(&stream));
        since.map_or(0, |since| now.since(*since) / 1_000_000)
    }
}

/// One line a camera: its sub-stream stands among the findings where something is wrong with it.
fn main_streams(cameras: &[CameraHealth]) -> impl Iterator<Item = &CameraHealth> {
    cameras.iter().filter(|camera| camera.stream.kind == StreamKind::Main)
}

/// How many cameras record, and which do not; an alarm where nothing of one became durable for too long. `None` without
/// cameras.
fn cameras_finding(cameras: &[CameraHealth], not_durable_seconds: impl Fn(StreamId) -> i64) -> Option<Finding> {
    let overdue = |camera: &CameraHealth| not_durable_seconds(camera.stream) >= limit::NOT_DURABLE_ALARM_SECONDS;
    let missing: Vec<&CameraHealth> =
        cameras.iter().filter(|camera| camera.state != CameraState::Recording || overdue(camera)).collect();
    let (all, recording) = (cameras.len(), cameras.len() - missing.len());
    let state = match missing.iter().any(|camera| overdue(camera)) {
        _ if all == 0 => return None,
        true => FindingState::Alarm,
        false if missing.is_empty() => FindingState::Ok,
        false => FindingState::Warning,
    };
    let names = missing.iter().map(|camera| camera.name.as_str()).collect::<Vec<_>>().join(", ");
    let (fr, en) = if missing.is_empty() {
        ("Toutes les caméras sont enregistrées.".to_owned(), "All cameras are recorded.".to_owned())
    } else {
        (
            format!(
                "{recording} sur {all} sont enregistrées. Manquent : {names} ; leur ligne de l'état de marche dit pourquoi."
            ),
            format!("{recording} of {all} are recorded. Missing: {names}; their line on the health page says why."),
        )
    };
    Some(Finding {
        id: "cameras".into(),
        state,
        title_fr: "Caméras".into(),
        title_en: "Cameras".into(),
        detail_fr: fr,
        detail_en: en,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CameraId, Codec};

    const STREAM: StreamId = StreamId::main(CameraId([1; 16]));

    fn at(seconds: i64) -> UtcMicros {
        UtcMicros::from_seconds(1_700_000_000 + seconds)
    }

    fn usage() -> Usage {
        Usage { slots: 1, slots_free: 1, slots_max: 1, slot_bytes: 1 }
    }

    /// State of the finding about cameras, and of the camera's own line, `now` seconds after the start.
    fn told(report: &Report, state: CameraState, now: i64) -> (String, String) {
        let board = HealthBoard::default();
        board.publish(std::iter::once(&CameraHealth { state, ..CameraHealth::new(STREAM, "Gare", at(0)) }));
        report.watch(board);
        let json: serde_json::Value = serde_json::from_str(&report.json(at(now), None)).unwrap();
        let cameras = json["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == "cameras").unwrap();
        let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        (word(&cameras["state"]), word(&json["cameras"][0]["state"]))
    }

    #[test]
    fn a_camera_of_which_nothing_becomes_durable_is_an_alarm_within_thirty_seconds_whatever_its_socket_says() {
        let report = Report::default();
        report.note_expected(STREAM, at(0));
        assert_eq!(told(&report, CameraState::Recording, 1), ("ok".into(), "recording".into()));
        report.note_admitted(STREAM, at(5));
        report.note_sync(at(6), 3, usage());
        assert_eq!(told(&report, CameraState::Recording, 20).0, "ok");
        // pictures go on to come and to be admitted; no sync makes them durable
        report.note_admitted(STREAM, at(29));
        assert_eq!(told(&report, CameraState::Recording, 30), ("alarm".into(), "away".into()));
        report.note_sync(at(31), 3, usage());
        assert_eq!(told(&report, CameraState::Recording, 31), ("ok".into(), "recording".into()));
    }

    #[test]
    fn a_sub_stream_is_told_with_its_own_state_and_coding_beside_its_camera() {
        let (report, board) = (Report::default(), HealthBoard::default());
        let sub = StreamId { kind: StreamKind::Sub, ..STREAM };
        let main = CameraHealth { codec: Some(Codec::H265), ..CameraHealth::new(STREAM, "Gare", at(0)) };
        let recording = CameraState::Recording;
        let second =
            CameraHealth { codec: Some(Codec::H264), width: 352, height: 288, ..CameraHealth::new(sub, "s", at(0)) };
        let alone = CameraHealth::new(StreamId::main(CameraId([2; 16])), "Mairie", at(0));
        board.publish([&main, &CameraHealth { state: recording, ..second }, &alone].into_iter());
        report.watch(board);
        let json: serde_json::Value = serde_json::from_str(&report.json(at(1), None)).unwrap();
        let cameras = json["cameras"].as_array().unwrap();
        assert_eq!(cameras.len(), 2, "one line a camera");
        let of = |id: CameraId| cameras.iter().find(|camera| camera["id"] == id.to_string()).unwrap();
        let expected = serde_json::json!({"state": "recording", "codec": "H264", "width": 352, "height": 288});
        assert_eq!((&of(STREAM.camera)["codec"], &of(STREAM.camera)["sub"]), (&"H265".into(), &expected));
        assert_eq!(of(CameraId([2; 16]))["sub"], serde_json::Value::Null);
    }

    #[test]
    fn a_camera_s_own_clock_and_its_jumps_are_told_on_its_line_while_they_are_fresh() {
        let (report, board) = (Report::default(), HealthBoard::default());
        let mut camera = CameraHealth::new(STREAM, "Gare", at(0));
        (camera.clock_jumps, camera.camera_clock_offset_micros) = (2, Some(-7_300_000));
        camera.camera_clock_heard = Some(at(0));
        board.publish(std::iter::once(&camera));
        report.watch(board);
        let told = |now: i64| {
            let json: serde_json::Value = serde_json::from_str(&report.json(at(now), None)).unwrap();
            (json["cameras"][0]["clock_ahead_ms"].clone(), json["cameras"][0]["clock_jumps"].clone())
        };
        assert_eq!(told(10), ((-7_300).into(), 2.into()));
        assert_eq!(told(limit::CAMERA_CLOCK_FRESH_SECONDS_MAX + 1), (serde_json::Value::Null, 2.into()));
    }

    #[test]
    fn what_can_wait_waits_while_a_sync_is_late_slow_or_failed_and_until_the_first() {
        let report = Report::default();
        assert!(report.sync_is_late(at(0)), "nothing was written yet");
        report.note_sync(at(1), 3, usage());
        assert!(!report.sync_is_late(at(2)) && report.sync_is_late(at(3)), "the next one is due each second");
        report.note_sync(at(3), limit::SYNC_LATENCY_MS_MAX / 2 + 1, usage());
        assert!(report.sync_is_late(at(3)), "it was slow, though in time");
        report.note_failed_sync(Trouble::Other, "what".into(), usage());
        assert!(report.sync_is_late(at(4)));
        report.note_sync(at(5), 3, usage());
        assert!(!report.sync_is_late(at(5)));
    }

    #[test]
    fn a_camera_that_was_never_reached_is_a_warning_at_once_and_an_alarm_within_thirty_seconds() {
        let report = Report::default();
        report.note_expected(STREAM, at(0));
        assert_eq!(told(&report, CameraState::Waiting, 1).0, "warning");
        assert_eq!(told(&report, CameraState::Waiting, limit::NOT_DURABLE_ALARM_SECONDS).0, "alarm");
    }
}
