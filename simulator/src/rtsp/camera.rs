//! One camera of a running town: its address, its streams, what it sent, and its faults, set and cleared while it runs.

use super::fault::{Fault, OVERLOAD_MAX};
use super::play::{Rhythm, SentFrame};
use crate::{
    clip::{self, ClipError, ClipFiles},
    packetise::CodedClip,
    random::Dice,
    scene::{FRAMES_PER_SECOND, GroundTruth, Setting},
};
use domain::UtcMicros;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};
use tokio::sync::{Notify, watch};

/// What a stream plays: one clip over and over, or the one of the hour.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub clips: Vec<(Setting, Arc<CodedClip>)>,
    /// Of the first clip.
    pub files: ClipFiles,
}

/// Hours of the day in Paris at which it is dark enough all year to show the night.
const NIGHT_FROM_HOUR: i8 = 22;
const NIGHT_TO_HOUR: i8 = 6;
/// The turn of the clip that holds this hour's first second is the one of the yellow car.
const CORNER_HOUR: i8 = 3;

impl Stream {
    pub fn first(&self) -> &Arc<CodedClip> {
        &self.clips[0].1
    }
    /// The clip of a turn that begins at `start` and lasts `micros`.
    pub fn at(&self, start: UtcMicros, micros: i64) -> &Arc<CodedClip> {
        let wanted = setting_at(start, micros);
        self.clips.iter().find(|(setting, _)| *setting == wanted).map_or(self.first(), |(_, clip)| clip)
    }
}

fn setting_at(start: UtcMicros, micros: i64) -> Setting {
    let clock = |utc: UtcMicros| {
        let instant = jiff::Timestamp::from_microsecond(utc.0).unwrap_or_default();
        instant.to_zoned(jiff::tz::TimeZone::get("Europe/Paris").unwrap_or(jiff::tz::TimeZone::UTC))
    };
    // the instant before a turn and its last: three o'clock lies in one turn only
    let (before, end) = (clock(start.plus_micros(-1)), clock(start.plus_micros(micros - 1)));
    match end.hour() {
        CORNER_HOUR if before.hour() != CORNER_HOUR => Setting::NightCorner,
        hour if !(NIGHT_TO_HOUR..NIGHT_FROM_HOUR).contains(&hour) => Setting::Night,
        _ => Setting::Day,
    }
}

/// One camera.
pub struct Camera {
    /// 1 is the first.
    pub number: u32,
    pub address: SocketAddr,
    main: Stream,
    sub: Option<Stream>,
    phase_micros: i64,
    shift_frames: u64,
    state: watch::Sender<State>,
    sessions: Mutex<Vec<Weak<Notify>>>,
    sent: Option<Mutex<Vec<SentFrame>>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct State {
    faults: Faults,
    /// When the overload was set.
    overload_since: Option<Instant>,
    /// Counts the devices that hung in this place for good.
    device: u32,
}

/// The faults that a camera has at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Faults(u32);

/// RTP time jumps by so much: an hour, as a clock that is set to another time zone.
const JUMP_SECONDS: i32 = 3_600;

impl Faults {
    pub fn has(self, fault: Fault) -> bool {
        self.0 & fault.bit() != 0
    }
    fn with(self, fault: Fault, set: bool) -> Faults {
        Faults(if set { self.0 | fault.bit() } else { self.0 & !fault.bit() })
    }
    /// By how much RTP time is wrong.
    pub(super) fn jump_seconds(self) -> i32 {
        JUMP_SECONDS * (i32::from(self.has(Fault::JumpForward)) - i32::from(self.has(Fault::JumpBack)))
    }
}

impl Camera {
    pub(super) fn new(number: u32, address: SocketAddr, main: Stream, sub: Option<Stream>, remember: bool) -> Camera {
        let period_micros = 1_000_000 / u64::from(FRAMES_PER_SECOND);
        let mut dice = Dice::new(u64::from(number), 2);
        Camera {
            number,
            address,
            main,
            sub,
            phase_micros: (dice.throw() % period_micros) as i64,
            // Five is prime to the 24 frames of a group: the key frames of 24 cameras fall on 24 different frames.
            shift_frames: u64::from(number - 1) * 5,
            state: watch::Sender::new(State { faults: Faults::default(), overload_since: None, device: 1 }),
            sessions: Mutex::new(Vec::new()),
            sent: remember.then(Mutex::default),
        }
    }

    /// Address without credentials.
    pub fn url(&self) -> String {
        format!("rtsp://{}/cam{}", self.address, self.number)
    }
    /// Address of its second stream, if it has one.
    pub fn sub_url(&self) -> Option<String> {
        self.sub.as_ref().map(|_| format!("{}/sub", self.url()))
    }
    /// The realm of its challenges: another device in the same place has another (part of its fingerprint, R13).
    pub fn realm(&self) -> String {
        format!("Vigie simulator cam{} device {}", self.number, self.device())
    }
    /// The Server header of its answers, as much a part of the fingerprint.
    pub fn server(&self) -> String {
        match self.device() {
            1 => "vigie-simulator".into(),
            other => format!("another-device/{other}"),
        }
    }
    /// The clip of its first stream, as it is sent.
    pub fn clip(&self) -> &CodedClip {
        self.main.first()
    }
    /// What really happens in its clip.
    pub fn truth(&self) -> Result<GroundTruth, ClipError> {
        clip::load_truth(&self.main.files)
    }
    /// Every frame sent so far, if the town remembers.
    pub fn sent(&self) -> Vec<SentFrame> {
        self.sent.as_ref().map(|sent| lock(sent).clone()).unwrap_or_default()
    }

    /// From now on it does this wrong, until it is cleared. Faults add up.
    pub fn set(&self, fault: Fault) {
        self.change(fault, true);
    }
    /// It does this right again.
    pub fn clear(&self, fault: Fault) {
        self.change(fault, false);
    }
    /// The faults it has now.
    pub fn faults(&self) -> Faults {
        let state = *self.state.borrow();
        let over = state.overload_since.is_none_or(|since| since.elapsed() > OVERLOAD_MAX);
        if over { state.faults.with(Fault::Overload, false) } else { state.faults }
    }

    /// Cuts its connections and takes no others, as if somebody had pulled its cable: [`Fault::Refuse`].
    pub fn stop(&self) {
        self.set(Fault::Refuse);
    }
    /// Takes connections again, on the same port, in some milliseconds.
    pub fn restart(&self) {
        self.clear(Fault::Refuse);
    }
    /// Keeps its connections and sends nothing on them, as a camera whose encoder hangs: [`Fault::Stall`].
    pub fn freeze(&self) {
        self.set(Fault::Stall);
    }
    /// Goes on with the frame that is due now.
    pub fn thaw(&self) {
        self.clear(Fault::Stall);
    }
    /// Another device hangs in this place for good: same address, another realm. Its connections are cut.
    pub fn replace_device(&self) {
        self.state.send_modify(|state| state.device += 1);
        self.hang_up_all();
    }
    pub fn is_running(&self) -> bool {
        !self.faults().has(Fault::Refuse)
    }
    pub fn is_frozen(&self) -> bool {
        self.faults().has(Fault::Stall)
    }

    pub(super) fn stream(&self, sub: bool) -> Option<&Stream> {
        if sub { self.sub.as_ref() } else { Some(&self.main) }
    }
    pub(super) fn rhythm(&self, sub: bool) -> Rhythm {
        let group = self.stream(sub).unwrap_or(&self.main).files.coding.group;
        let (phase_micros, shift_frames) = (self.phase_micros, self.shift_frames);
        Rhythm { camera: self.number, phase_micros, shift_frames, group, sub }
    }
    /// Waits until it takes connections, or until it does not.
    pub(super) async fn until_running(&self, running: bool) {
        let mut state = self.state.subscribe();
        // fails when the camera is gone, and who waits with it
        drop(state.wait_for(|state| state.faults.has(Fault::Refuse) != running).await);
    }
    /// A connection that wants to be told when the camera goes away.
    pub(super) fn register(&self, hang_up: &Arc<Notify>) {
        let mut sessions = lock(&self.sessions);
        sessions.retain(|session| session.strong_count() > 0);
        sessions.push(Arc::downgrade(hang_up));
    }
    /// Remembers a frame before its first byte leaves, so that who received it finds it. Gives its place.
    pub(super) fn note(&self, frame: SentFrame) -> Option<usize> {
        let mut sent = lock(self.sent.as_ref()?);
        sent.push(frame);
        Some(sent.len() - 1)
    }
    /// The frame noted at `entry` left whole.
    pub(super) fn note_whole(&self, entry: Option<usize>) {
        if let (Some(entry), Some(sent)) = (entry, &self.sent) {
            lock(sent)[entry].whole = true;
        }
    }

    fn device(&self) -> u32 {
        let state = *self.state.borrow();
        // far from the devices that replace it for good
        state.device + if state.faults.has(Fault::OtherDevice) { 1_000 } else { 0 }
    }
    fn change(&self, fault: Fault, set: bool) {
        self.state.send_modify(|state| {
            state.faults = state.faults.with(fault, set);
            if fault == Fault::Overload {
                state.overload_since = set.then(Instant::now);
            }
        });
        if fault == Fault::OtherDevice || (fault == Fault::Refuse && set) {
            self.hang_up_all();
        }
    }
    fn hang_up_all(&self) {
        lock(&self.sessions).drain(..).filter_map(|session| session.upgrade()).for_each(|session| session.notify_one());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(text: &str) -> Setting {
        let start: jiff::Timestamp = text.parse().unwrap();
        setting_at(UtcMicros(start.as_microsecond()), 20_000_000)
    }

    #[test]
    fn it_is_night_from_ten_to_six_in_paris_and_the_yellow_car_comes_at_three() {
        for (text, wanted) in [
            ("2026-07-01T09:00:00Z", Setting::Day),
            ("2026-07-01T19:59:00Z", Setting::Day),
            ("2026-07-01T20:00:00Z", Setting::Night),
            ("2026-12-01T20:59:00Z", Setting::Day),
            ("2026-12-01T21:00:00Z", Setting::Night),
            ("2026-12-02T01:59:39Z", Setting::Night),
            ("2026-12-02T01:59:50Z", Setting::NightCorner),
            ("2026-12-02T02:00:00Z", Setting::NightCorner),
            ("2026-12-02T02:00:20Z", Setting::Night),
            ("2026-12-02T05:00:00Z", Setting::Day),
        ] {
            assert_eq!(setting(text), wanted, "{text}");
        }
    }
}
