//! One playing: which frame is due when, its packets, the sender reports, and the silence for who asks for sound.

use super::camera::{Faults, Stream};
use super::fault::{Fault, OVERLOAD_BITS_PER_SECOND};
use super::oddities::odd;
use crate::{
    coding::{Codec, Group},
    mark::Mark,
    nal::PictureKind,
    packetise::{CodedClip, NalDigest, RTP_BYTES, Stamp, VIDEO_PAYLOAD_TYPE},
    scene::FRAMES_PER_SECOND,
};
use domain::UtcMicros;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A frame as it was sent on one session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SentFrame {
    /// Counts the playings of the whole town.
    pub session: u64,
    /// The number in its [`Mark`].
    pub number: u64,
    pub rtp_timestamp: u32,
    /// Its time of capture: when it was due, or earlier where B pictures are sent later.
    pub utc: UtcMicros,
    /// A key picture: IDR, or CRA where the groups are open.
    pub idr: bool,
    pub kind: PictureKind,
    /// Of the camera's second, smaller stream (`/cam1/sub`).
    pub sub: bool,
    /// Its frame in the scene's ground truth.
    pub truth_frame: u32,
    /// SHA-256 of each NAL unit in order, the mark's first, without parameter sets.
    pub nal_digests: Vec<NalDigest>,
    /// All its bytes were handed to the connection. False: it broke in the middle, the client may have a part.
    pub whole: bool,
}

/// What makes one camera's frames differ from another's.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    pub camera: u32,
    /// Part of a frame by which its clock is later than the others'.
    pub phase_micros: i64,
    /// Frames by which its clip is ahead, so that the key frames of all cameras do not coincide.
    pub shift_frames: u64,
    pub group: Group,
    pub sub: bool,
}

/// A session that plays.
#[derive(Debug)]
pub struct Play {
    pub session: u64,
    stream: Stream,
    rhythm: Rhythm,
    /// The two clocks read at the same moment: pacing follows the steady one.
    base: (Instant, UtcMicros),
    next: u64,
    ssrc: u32,
    sequence: u16,
    timestamp_offset: u32,
    packets: u32,
    octets: u32,
    report_due: Instant,
    reports: u32,
    audio: Option<Audio>,
}

/// The sound that somebody asked for: silence.
#[derive(Debug)]
struct Audio {
    channel: u8,
    sequence: u16,
    sent: u32,
}

/// A frame that is due and more than this late is left out, as a camera with a full buffer does.
const LATE_MAX: Duration = Duration::from_secs(1);
/// How old the packets of a session are that ended.
const JUMP_OF_STALE_SECONDS: i32 = 3_600;
const REPORT_PERIOD: Duration = Duration::from_secs(1);
/// PCMA, 8,000 bytes a second, packets of 20 ms (RFC 3551).
const AUDIO_PACKET: Duration = Duration::from_millis(20);
const AUDIO_BYTES: usize = 160;
/// Seconds from 1900 (NTP) to 1970.
const NTP_OFFSET_SECONDS: i64 = 2_208_988_800;
/// From the year in which this was written.
const YEARS_TO_3250: i64 = 3250 - 2026;
/// 365.2425 days.
const SECONDS_PER_YEAR: i64 = 31_556_952;

impl Play {
    /// Begins with the next frame, or with the next key frame.
    pub fn begin(session: u64, stream: Stream, rhythm: Rhythm, utc: UtcMicros, at_key_frame: bool) -> Play {
        let base = (Instant::now(), utc);
        // Each session has its own numbers, as RFC 3550 asks; scattered, but not random: a test can be repeated.
        let scatter = (session + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(u32::from(rhythm.camera as u8));
        let mut play = Play {
            session,
            stream,
            rhythm,
            base,
            next: 0,
            ssrc: scatter as u32,
            sequence: (scatter >> 32) as u16,
            timestamp_offset: (scatter >> 24) as u32,
            packets: 0,
            octets: 0,
            report_due: base.0,
            reports: 0,
            audio: None,
        };
        play.next = play.first_due(utc);
        if rhythm.group.is_long() && at_key_frame {
            // nobody waits sixty seconds: such a camera makes a key picture for who comes
            let length = play.length();
            play.rhythm.shift_frames = length - play.next % length;
        } else if at_key_frame {
            play.next = play.key_frame_from(play.next);
        }
        play
    }

    /// Its RTP time runs over 2³² in five seconds.
    pub fn wrap_soon(&mut self) {
        let before = 5 * 90_000;
        self.timestamp_offset = self.timestamp_offset.wrapping_sub(self.timestamp(self.next, 0)).wrapping_sub(before);
    }

    pub fn offer_silence(&mut self, channel: u8) {
        self.audio = Some(Audio { channel, sequence: 1, sent: 0 });
    }

    /// For the RTP-Info header: first sequence number and timestamp.
    pub fn first_numbers(&self) -> (u16, u32) {
        (self.sequence, self.timestamp(self.next, 0))
    }

    /// When the next frame is due.
    pub fn due(&self) -> Instant {
        self.instant_of(self.next)
    }

    /// Leaves out what is too late to be sent; gives how many frames.
    pub fn skip_late(&mut self) -> u64 {
        let late = Instant::now().saturating_duration_since(self.due());
        if late <= LATE_MAX {
            return 0;
        }
        let from = self.next;
        let now = self.base.1.plus_micros(self.base.0.elapsed().as_micros() as i64);
        self.next = self.key_frame_from(self.first_due(now));
        self.next - from
    }

    /// Nothing is sent in this place: the camera has nothing to say of a picture that does not change.
    pub fn is_blank(&self) -> bool {
        self.clip(self.next).frames[self.index(self.next)].is_blank()
    }

    /// A packet of a session that ended: another source, another sequence, an hour ago.
    pub fn stale_packet(&self, channel: u8) -> Vec<u8> {
        let timestamp = self.timestamp(self.next, -JUMP_OF_STALE_SECONDS);
        let mut packet = vec![0x80, 0x80 | VIDEO_PAYLOAD_TYPE];
        packet.extend_from_slice(&self.sequence.wrapping_add(0x4000).to_be_bytes());
        packet.extend_from_slice(&timestamp.to_be_bytes());
        packet.extend_from_slice(&(!self.ssrc.rotate_left(7)).to_be_bytes());
        packet.extend_from_slice(&[0x41, 0x9a, 0x00, 0x01]); // a slice of nothing
        interleave(channel, &packet)
    }

    /// Leaves out the frame that is due.
    pub fn pass_over(&mut self) {
        self.next += 1;
    }

    /// The packets of the frame that is due, on `channel`, into `out`.
    pub fn next_frame(&mut self, channel: u8, faults: Faults, out: &mut Vec<u8>) -> SentFrame {
        let clip = Arc::clone(self.clip(self.next));
        let filled;
        let mut frame = &clip.frames[self.index(self.next)];
        if faults.has(Fault::Overload) {
            filled = frame.with_filler((OVERLOAD_BITS_PER_SECOND / 8 / u64::from(FRAMES_PER_SECOND)) as usize);
            frame = &filled;
        }
        let mark = Mark { camera: self.rhythm.camera, frame: self.next };
        let shown = self.next.saturating_add_signed(frame.offset - i64::from(clip.delay));
        let timestamp = self.timestamp(shown, faults.jump_seconds());
        self.sequence = frame.stamp(Stamp { channel, sequence: self.sequence, timestamp, ssrc: self.ssrc, mark }, out);
        if faults.has(Fault::OddFragments) && clip.codec == Codec::H264 {
            let (wire, added) = odd(out);
            self.sequence = self.sequence.wrapping_add(added);
            *out = wire;
        }
        self.packets = self.packets.wrapping_add(frame.packet_count() as u32);
        self.octets = self.octets.wrapping_add(frame.payload_bytes() as u32);
        let sent = SentFrame {
            session: self.session,
            number: self.next,
            rtp_timestamp: timestamp,
            utc: self.utc_of(shown),
            idr: frame.kind.is_key(),
            kind: frame.kind,
            sub: self.rhythm.sub,
            truth_frame: frame.truth_frame,
            nal_digests: frame.digests(mark),
            whole: false,
        };
        self.next += 1;
        sent
    }

    /// A sender report (RFC 3550, 6.4.1) and a name, if it is time. `utc` is now by the camera's clock.
    pub fn report(&mut self, channel: u8, utc: UtcMicros, faults: Faults) -> Option<Vec<u8>> {
        let now = Instant::now();
        if now < self.report_due {
            return None;
        }
        self.report_due = now + REPORT_PERIOD;
        let since_base = now.duration_since(self.base.0).as_micros() as i64 + self.base.1.0 - self.rhythm.phase_micros;
        let jump = faults.jump_seconds() as u32;
        let timestamp =
            (ticks_90k(since_base) as u32).wrapping_add(self.timestamp_offset).wrapping_add(jump.wrapping_mul(90_000));
        self.reports = self.reports.wrapping_add(1);
        let told = match () {
            () if faults.has(Fault::ReportsBackward) => utc.seconds() - 10 * i64::from(self.reports),
            () if faults.has(Fault::Reports3250) => utc.seconds() + YEARS_TO_3250 * SECONDS_PER_YEAR,
            () if faults.has(Fault::ReportsAhead) => i64::from(u32::MAX) - NTP_OFFSET_SECONDS,
            () => utc.seconds(),
        };
        let seconds = (told + NTP_OFFSET_SECONDS) as u32;
        let fraction = ((utc.0.rem_euclid(1_000_000) as u64) << 32) / 1_000_000;
        let mut rtcp = vec![0x80, 200, 0, 6];
        for word in [self.ssrc, seconds, fraction as u32, timestamp, self.packets, self.octets] {
            rtcp.extend_from_slice(&word.to_be_bytes());
        }
        // SDES: SSRC, CNAME of 8 bytes, end and padding.
        rtcp.extend_from_slice(&[0x81, 202, 0, 4]);
        rtcp.extend_from_slice(&self.ssrc.to_be_bytes());
        rtcp.extend_from_slice(b"\x01\x08vigiesim\x00\x00");
        Some(interleave(channel, &rtcp))
    }

    /// The packets of silence that are due; empty when nobody asked for sound.
    pub fn silence(&mut self) -> Vec<u8> {
        let Some(audio) = &mut self.audio else { return Vec::new() };
        let due = (self.base.0.elapsed().as_micros() / AUDIO_PACKET.as_micros()) as u32;
        let mut out = Vec::new();
        while audio.sent < due {
            let mut packet = vec![0x80, 8];
            packet.extend_from_slice(&audio.sequence.to_be_bytes());
            packet.extend_from_slice(&(audio.sent.wrapping_mul(AUDIO_BYTES as u32)).to_be_bytes());
            packet.extend_from_slice(&(!self.ssrc).to_be_bytes());
            packet.resize(RTP_BYTES + AUDIO_BYTES, 0xd5); // A-law silence
            out.extend(interleave(audio.channel, &packet));
            audio.sequence = audio.sequence.wrapping_add(1);
            audio.sent += 1;
        }
        out
    }

    fn first_due(&self, utc: UtcMicros) -> u64 {
        let since = (utc.0 - self.rhythm.phase_micros).max(0) as i128 * i128::from(FRAMES_PER_SECOND);
        (since.div_euclid(1_000_000) + 1) as u64
    }
    fn key_frame_from(&self, from: u64) -> u64 {
        // A clip begins with a key frame, so there is one within its length.
        let is_key = |number: u64| self.clip(number).frames[self.index(number)].kind.is_key();
        (from..from + self.length()).find(|&number| is_key(number)).unwrap_or(from)
    }
    /// Pictures of a turn: the same in every setting.
    fn length(&self) -> u64 {
        self.stream.first().frames.len() as u64
    }
    fn index(&self, number: u64) -> usize {
        ((number + self.rhythm.shift_frames) % self.length()) as usize
    }
    fn clip(&self, number: u64) -> &Arc<CodedClip> {
        let start = number.saturating_sub(self.index(number) as u64);
        let micros = self.utc_of(start + self.length()).since(self.utc_of(start));
        self.stream.at(self.utc_of(start), micros)
    }
    fn utc_of(&self, number: u64) -> UtcMicros {
        let micros = number as i128 * 1_000_000 / i128::from(FRAMES_PER_SECOND);
        UtcMicros(micros as i64 + self.rhythm.phase_micros)
    }
    fn instant_of(&self, number: u64) -> Instant {
        let micros = self.utc_of(number).since(self.base.1);
        self.base.0 + Duration::from_micros(micros.max(0) as u64)
    }
    fn timestamp(&self, number: u64, jump_seconds: i32) -> u32 {
        let ticks = u128::from(number) * 90_000 / u128::from(FRAMES_PER_SECOND);
        let jump = (jump_seconds as u32).wrapping_mul(90_000);
        (ticks as u32).wrapping_add(self.timestamp_offset).wrapping_add(jump)
    }
}

/// A packet behind its interleaved header (RFC 2326, 10.12).
fn interleave(channel: u8, packet: &[u8]) -> Vec<u8> {
    let [high, low] = (packet.len() as u16).to_be_bytes();
    [&[b'$', channel, high, low], packet].concat()
}

fn ticks_90k(micros: i64) -> i64 {
    (i128::from(micros) * 90_000 / 1_000_000) as i64
}
