//! Faults of cameras, each with a name: set and cleared while sessions run, by tests or by a plan of the command line.

use std::{fmt, str::FromStr, time::Duration};

/// What a camera does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fault {
    /// Its connections are cut and its port takes no others. (On a shared port it takes them and hangs up.)
    Refuse,
    /// Closes in the middle of a picture: a running session at once, later ones after two seconds.
    Drop,
    /// Keeps its connections, answers requests, sends no picture.
    Stall,
    /// Takes connections and answers nothing at all.
    Mute,
    /// RTP time jumps forward by an hour, for as long as the fault is set.
    JumpForward,
    /// RTP time jumps back by an hour, for as long as the fault is set.
    JumpBack,
    /// RTP time of sessions that begin while it is set runs over 2³² after five seconds.
    Wrap,
    /// Sender reports of the last second that NTP's 32 bits can tell: 7 February 2036.
    ReportsAhead,
    /// Sender reports of the year 3250, of which the 32 bits of the wire keep what they can.
    Reports3250,
    /// Each sender report tells a time ten seconds before the last one.
    ReportsBackward,
    /// More than [`OVERLOAD_BITS_PER_SECOND`] of filler beside the pictures; ends by itself after [`OVERLOAD_MAX`].
    Overload,
    /// Another device at the same address: another realm, another Server header. Connections are cut at both turns.
    OtherDevice,
    /// Closes its side of the connection for sending and keeps the rest open: a running session at once, later ones at PLAY.
    HalfClosed,
    /// Whatever it sends comes at one byte a second.
    Trickle,
    /// Packets of an earlier session come between those of this one: another source, other numbers.
    StaleSession,
    /// Each answer after PLAY names another session.
    SessionChange,
    /// Does not hear TEARDOWN: no answer, and pictures go on.
    DeafToTeardown,
    /// Closes in order [`FLAP_FRAMES`] pictures after each PLAY.
    Flap,
    /// Sessions that begin while it is set have the pictures of the smaller stream, if it has one.
    OtherSize,
    /// Its description has sound alone.
    SoundOnly,
    /// Its description has no parameter sets: they come with the pictures.
    SdpNoParameters,
    /// Its description has the line of parameters twice.
    SdpTwiceParameters,
    /// Before the video its description has a medium that nobody knows.
    SdpStrangeMedium,
    /// The base of its URLs has no scheme.
    SdpBaseWithoutScheme,
    /// The URLs of its tracks are absolute.
    SdpAbsoluteUrls,
    /// Lines of its description end with blanks.
    SdpTrailingBlanks,
    /// Requests after PLAY are refused with a new nonce, as if the one before had ended; the session with them, [`NONCE_FRAMES`]
    /// pictures after PLAY.
    NonceEnds,
    /// Its pictures come six at a time: the first of them waits for nearly half a second.
    Jitter,
    /// Fragments that change their type, empty ones, a marker in the middle of a picture.
    OddFragments,
}

/// Three seconds of pictures.
pub const FLAP_FRAMES: u64 = 3 * crate::scene::FRAMES_PER_SECOND as u64;
/// Five seconds of pictures: the session's time, 4 s, and a little.
pub const NONCE_FRAMES: u64 = 5 * crate::scene::FRAMES_PER_SECOND as u64;
/// Pictures of half a second, which come together.
pub const JITTER_FRAMES: u64 = crate::scene::FRAMES_PER_SECOND as u64 / 2;
/// What an overloading camera sends.
pub const OVERLOAD_BITS_PER_SECOND: u64 = 100_000_000;
/// No overload lasts longer, whoever forgot to clear it.
pub const OVERLOAD_MAX: Duration = Duration::from_secs(60);
/// A day is more than any simulation: longer plans are slips of the pen.
const PLAN_SECONDS_MAX: u32 = 86_400;

const NAMES: [(Fault, &str); 29] = [
    (Fault::Refuse, "refuse"),
    (Fault::Drop, "drop"),
    (Fault::Stall, "stall"),
    (Fault::Mute, "mute"),
    (Fault::JumpForward, "timestamp-jump"),
    (Fault::JumpBack, "timestamp-jump-back"),
    (Fault::Wrap, "timestamp-wrap"),
    (Fault::ReportsAhead, "reports-2036"),
    (Fault::Reports3250, "reports-3250"),
    (Fault::ReportsBackward, "reports-backward"),
    (Fault::Overload, "overload"),
    (Fault::OtherDevice, "other-device"),
    (Fault::HalfClosed, "half-closed"),
    (Fault::Trickle, "one-byte-a-second"),
    (Fault::StaleSession, "stale-session"),
    (Fault::SessionChange, "session-change"),
    (Fault::DeafToTeardown, "deaf-to-teardown"),
    (Fault::Flap, "flap"),
    (Fault::OtherSize, "other-size"),
    (Fault::SoundOnly, "sound-only"),
    (Fault::SdpNoParameters, "sdp-no-parameters"),
    (Fault::SdpTwiceParameters, "sdp-twice-parameters"),
    (Fault::SdpStrangeMedium, "sdp-strange-medium"),
    (Fault::SdpBaseWithoutScheme, "sdp-base-without-scheme"),
    (Fault::SdpAbsoluteUrls, "sdp-absolute-urls"),
    (Fault::SdpTrailingBlanks, "sdp-trailing-blanks"),
    (Fault::NonceEnds, "nonce-ends"),
    (Fault::Jitter, "jitter"),
    (Fault::OddFragments, "odd-fragments"),
];

impl Fault {
    pub const ALL: [Fault; NAMES.len()] = {
        let mut all = [Fault::Refuse; NAMES.len()];
        let mut n = 0;
        while n < all.len() {
            all[n] = NAMES[n].0;
            n += 1;
        }
        all
    };

    pub(super) const fn bit(self) -> u32 {
        1 << self as u16
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        NAMES.iter().filter(|(fault, _)| fault == self).try_for_each(|(_, name)| f.write_str(name))
    }
}

/// A fault of one camera at its time: `2:stall@20+10` is camera 2, 20 s after the start, for 10 s.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultPlan {
    pub camera: u32,
    pub fault: Fault,
    /// After the start of the town.
    pub after: Duration,
    /// `None`: for good.
    pub lasts: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no fault: write CAMERA:FAULT[@SECONDS[+SECONDS]], such as `2:stall@20+10`; faults are {}",
    names()
)]
pub struct FaultPlanError {
    text: String,
}

fn names() -> String {
    NAMES.map(|(_, name)| name).join(", ")
}

impl FromStr for FaultPlan {
    type Err = FaultPlanError;

    fn from_str(text: &str) -> Result<FaultPlan, FaultPlanError> {
        read_plan(text).ok_or_else(|| FaultPlanError { text: text.to_owned() })
    }
}

fn read_plan(text: &str) -> Option<FaultPlan> {
    let seconds = |text: &str| {
        let seconds = text.parse::<u32>().ok().filter(|seconds| *seconds <= PLAN_SECONDS_MAX);
        seconds.map(|seconds| Duration::from_secs(seconds.into()))
    };
    let (camera, rest) = text.split_once(':')?;
    let (name, time) = rest.split_once('@').unwrap_or((rest, "0"));
    let (after, lasts) = match time.split_once('+') {
        Some((after, lasts)) => (after, Some(seconds(lasts)?)),
        None => (time, None),
    };
    let fault = NAMES.iter().find(|(_, of)| *of == name)?.0;
    Some(FaultPlan { camera: camera.parse().ok().filter(|camera| *camera > 0)?, fault, after: seconds(after)?, lasts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_camera_fault_and_time() {
        let seconds = Duration::from_secs;
        let plan = |camera, fault, after, lasts: Option<u64>| {
            Ok(FaultPlan { camera, fault, after: seconds(after), lasts: lasts.map(seconds) })
        };
        assert_eq!("2:stall@20+10".parse(), plan(2, Fault::Stall, 20, Some(10)));
        assert_eq!("1:refuse".parse(), plan(1, Fault::Refuse, 0, None));
        assert_eq!("12:timestamp-jump-back@5".parse(), plan(12, Fault::JumpBack, 5, None));
    }

    #[test]
    fn every_fault_has_a_name_of_its_own_and_a_bit_of_its_own() {
        for fault in Fault::ALL {
            let plan: FaultPlan = format!("1:{fault}").parse().unwrap();
            assert_eq!(plan.fault, fault);
        }
        assert_eq!(Fault::ALL.iter().fold(0, |bits, fault| bits | fault.bit()), (1 << Fault::ALL.len()) - 1);
    }

    #[test]
    fn what_is_no_plan_is_refused_with_the_list_of_names() {
        for text in ["stall", "0:stall", "2:sleep", "2:stall@", "2:stall@1+", "2:stall@999999999"] {
            let error = text.parse::<FaultPlan>().unwrap_err().to_string();
            assert!(error.contains("reports-backward"), "{error}");
        }
    }
}
