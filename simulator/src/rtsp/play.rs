//! One playing: which frame is due when, its packets, the sender reports, and the silence for who asks for sound.

use crate::{
    mark::Mark,
    packetise::{CodedClip, NalDigest, RTP_BYTES, Stamp},
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
    /// When it was due: its time of capture.
    pub utc: UtcMicros,
    pub idr: bool,
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
}

/// A session that plays.
#[derive(Debug)]
pub struct Play {
    pub session: u64,
    clip: Arc<CodedClip>,
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
const REPORT_PERIOD: Duration = Duration::from_secs(1);
/// PCMA, 8,000 bytes a second, packets of 20 ms (RFC 3551).
const AUDIO_PACKET: Duration = Duration::from_millis(20);
const AUDIO_BYTES: usize = 160;
/// Seconds from 1900 (NTP) to 1970.
const NTP_OFFSET_SECONDS: i64 = 2_208_988_800;

impl Play {
    /// Begins with the next frame, or with the next key frame.
    pub fn begin(session: u64, clip: Arc<CodedClip>, rhythm: Rhythm, utc: UtcMicros, at_key_frame: bool) -> Play {
        let base = (Instant::now(), utc);
        // Each session has its own numbers, as RFC 3550 asks; scattered, but not random: a test can be repeated.
        let scatter = (session + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(u32::from(rhythm.camera as u8));
        let mut play = Play {
            session,
            clip,
            rhythm,
            base,
            next: 0,
            ssrc: scatter as u32,
            sequence: (scatter >> 32) as u16,
            timestamp_offset: (scatter >> 24) as u32,
            packets: 0,
            octets: 0,
            report_due: base.0,
            audio: None,
        };
        play.next = play.first_due(utc);
        if at_key_frame {
            play.next = play.key_frame_from(play.next);
        }
        play
    }

    pub fn offer_silence(&mut self, channel: u8) {
        self.audio = Some(Audio { channel, sequence: 1, sent: 0 });
    }

    /// For the RTP-Info header: first sequence number and timestamp.
    pub fn first_numbers(&self) -> (u16, u32) {
        (self.sequence, self.timestamp(self.next))
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

    /// Leaves out the frame that is due.
    pub fn pass_over(&mut self) {
        self.next += 1;
    }

    /// The packets of the frame that is due, on `channel`, into `out`.
    pub fn next_frame(&mut self, channel: u8, out: &mut Vec<u8>) -> SentFrame {
        let clip = Arc::clone(&self.clip);
        let frame = &clip.frames[self.index(self.next)];
        let mark = Mark { camera: self.rhythm.camera, frame: self.next };
        let timestamp = self.timestamp(self.next);
        self.sequence = frame.stamp(Stamp { channel, sequence: self.sequence, timestamp, ssrc: self.ssrc, mark }, out);
        self.packets = self.packets.wrapping_add(frame.packet_count() as u32);
        self.octets = self.octets.wrapping_add(frame.payload_bytes() as u32);
        let sent = SentFrame {
            session: self.session,
            number: self.next,
            rtp_timestamp: timestamp,
            utc: self.utc_of(self.next),
            idr: frame.idr,
            nal_digests: frame.digests(mark),
            whole: false,
        };
        self.next += 1;
        sent
    }

    /// A sender report (RFC 3550, 6.4.1) and a name, if it is time. `utc` is now by the camera's clock.
    pub fn report(&mut self, channel: u8, utc: UtcMicros) -> Option<Vec<u8>> {
        let now = Instant::now();
        if now < self.report_due {
            return None;
        }
        self.report_due = now + REPORT_PERIOD;
        let since_base = now.duration_since(self.base.0).as_micros() as i64 + self.base.1.0 - self.rhythm.phase_micros;
        let timestamp = (ticks_90k(since_base) as u32).wrapping_add(self.timestamp_offset);
        let seconds = (utc.seconds() + NTP_OFFSET_SECONDS) as u32;
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
        (from..from + self.clip.frames.len() as u64).find(|&n| self.clip.frames[self.index(n)].idr).unwrap_or(from)
    }
    fn index(&self, number: u64) -> usize {
        ((number + self.rhythm.shift_frames) % self.clip.frames.len() as u64) as usize
    }
    fn utc_of(&self, number: u64) -> UtcMicros {
        let micros = number as i128 * 1_000_000 / i128::from(FRAMES_PER_SECOND);
        UtcMicros(micros as i64 + self.rhythm.phase_micros)
    }
    fn instant_of(&self, number: u64) -> Instant {
        let micros = self.utc_of(number).since(self.base.1);
        self.base.0 + Duration::from_micros(micros.max(0) as u64)
    }
    fn timestamp(&self, number: u64) -> u32 {
        let ticks = u128::from(number) * 90_000 / u128::from(FRAMES_PER_SECOND);
        (ticks as u32).wrapping_add(self.timestamp_offset)
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
