//! The first source: the RTSP client `retina`, TCP interleaved, one track of H.264 or H.265, never one of sound (law RET-01).

use super::{CameraUrl, Credentials, OfferedTrack, Picture, Source, SourceError, SourceFacts, Step};
use bytes::Bytes;
use domain::{Codec, MediaTicks, UtcMicros};
use futures::Stream as _;
use media::{ParameterSets, Reorder, SteppedBack, Times, codec};
use retina::{
    NtpTimestamp, UNIX_EPOCH,
    client::{
        Demuxed, Described, InitialSequenceNumberPolicy, InitialTimestampPolicy, PlayOptions, Session, SessionGroup,
        SessionOptions, SetupOptions, TeardownPolicy, Transport, UnassignedChannelDataPolicy, UnknownRtcpSsrcPolicy,
    },
    codec::{CodecItem, FrameFormat, ParametersRef, VideoFrame},
    rtcp::ReceivedCompoundPacket,
};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::timeout;

/// How long a camera may take to answer TEARDOWN before its connection is closed all the same.
const TEARDOWN_TIMEOUT: Duration = Duration::from_secs(1);
/// Where `retina` says that a connection ended in the middle of a message; what the camera sent comes after it.
const CUT_WITHIN: usize = 80;
/// A name that a camera gives a track, as far as it is repeated.
const NAME_BYTES_MAX: usize = 24;

/// A playing session of `retina`.
pub struct RetinaSource {
    demuxed: Demuxed,
    /// Index of the one track that was set up.
    track: usize,
    /// Knows when TEARDOWN was answered.
    group: Arc<SessionGroup>,
    codec: Codec,
    facts: SourceFacts,
    parameters: Option<ParameterSets>,
    reorder: Reorder,
}

impl RetinaSource {
    /// Connects, describes, sets up the first track of H.264 or H.265 and plays it. Each step may take `patience`.
    pub async fn open(
        url: &CameraUrl,
        credentials: Option<&Credentials>,
        patience: Duration,
    ) -> Result<RetinaSource, SourceError> {
        let group = Arc::new(SessionGroup::default());
        let options = SessionOptions::default()
            .creds(credentials.map(|known| retina::client::Credentials {
                username: known.user().to_owned(),
                password: known.password().to_owned(),
            }))
            .user_agent("vigie".to_owned())
            .session_group(group.clone())
            .teardown(TeardownPolicy::Auto)
            // Some cameras send tracks that nobody asked for: such data is thrown away unread.
            .unassigned_channel_data(UnassignedChannelDataPolicy::Ignore);
        let step = Step::Describe;
        let mut session = within(patience, step, Session::describe(url.url().clone(), options)).await?;
        let (track, codec, mut facts) = choose_track(&session)?;
        let setup =
            SetupOptions::default().transport(Transport::Tcp(Default::default())).frame_format(FrameFormat::MP4);
        within(patience, Step::Setup, session.setup(track, setup)).await?;
        facts.offered[track].asked_for = true;
        // One track: media time counts from the first packet, and a wrong RTP-Info cannot hurt.
        let play = PlayOptions::default()
            .initial_timestamp(InitialTimestampPolicy::Ignore)
            .initial_seq(InitialSequenceNumberPolicy::Ignore)
            .unknown_rtcp_ssrc(UnknownRtcpSsrcPolicy::DropPackets);
        let playing = within(patience, Step::Play, session.play(play)).await?;
        let demuxed = playing.demuxed().map_err(|error| classified(&error, Step::Describe))?;
        let reorder = Reorder::default();
        let mut source = RetinaSource { demuxed, track, group, codec, facts, parameters: None, reorder };
        source.read_parameters();
        Ok(source)
    }

    /// Says TEARDOWN and waits for its answer, at most a second.
    pub async fn close(self) {
        let RetinaSource { demuxed, group, .. } = self;
        drop(demuxed);
        // Whatever the camera answers, or not: the connection is closed, the session is over.
        if let Ok(Err(_)) | Err(_) = timeout(TEARDOWN_TIMEOUT, group.await_teardown()).await {
            tracing::debug!("a camera did not answer TEARDOWN");
        }
    }

    /// Parameter sets in force, as `retina` last saw them in the description or the stream.
    fn read_parameters(&mut self) {
        let Some(ParametersRef::Video(parameters)) = self.demuxed.streams()[self.track].parameters() else { return };
        match codec::parameter_sets(self.codec, parameters.extra_data()) {
            Ok(sets) => {
                self.reorder.expect_depth(codec::reorder_depth(&sets));
                (self.facts.width, self.facts.height) = (sets.width, sets.height);
                self.parameters = Some(sets);
            }
            // The sets of before would decode into a wrong picture: no group starts until good ones come.
            Err(_) => self.parameters = None,
        }
    }

    fn picture(&mut self, frame: VideoFrame) -> Result<Option<Picture>, SourceError> {
        self.facts.packets_lost += u64::from(frame.loss());
        if self.parameters.is_none() || frame.has_new_parameters() {
            self.read_parameters();
        }
        let pts = ticks(frame.timestamp());
        let data = Bytes::from(frame.into_data());
        let data = codec::without_parameter_sets(self.codec, &data).map_err(|_| broken())?;
        if data.is_empty() {
            return Ok(None);
        }
        let kind = codec::classify(self.codec, &data).map_err(|_| broken())?;
        let Times { dts, pts } = self.reorder.place(pts).unwrap_or_else(|SteppedBack { .. }| {
            // a jump costs nothing: the lane makes times sane, whatever they are
            self.reorder.restart();
            Times { dts: pts, pts }
        });
        let parameters = if kind.starts_group() { self.parameters.clone() } else { None };
        Ok(Some(Picture { kind, dts, pts, data, parameters }))
    }

    fn sender_report(&mut self, compound: &ReceivedCompoundPacket) {
        let Some(at) = compound.rtp_timestamp() else { return };
        let report = compound.pkts().next().and_then(|packet| packet.as_sender_report().ok().flatten());
        if let Some(report) = report {
            self.facts.sender_report = Some((utc(report.ntp_timestamp()), ticks(at)));
        }
    }
}

impl Source for RetinaSource {
    fn poll_picture(&mut self, context: &mut Context<'_>) -> Poll<Result<Picture, SourceError>> {
        loop {
            match ready!(Pin::new(&mut self.demuxed).poll_next(context)) {
                Some(Ok(CodecItem::VideoFrame(frame))) => {
                    if let Some(picture) = self.picture(frame).transpose() {
                        return Poll::Ready(picture);
                    }
                }
                Some(Ok(CodecItem::Rtcp(compound))) => self.sender_report(&compound),
                // Nothing else was asked for; if it came, it would be left unread.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(classified(&error, Step::Pictures))),
                None => return Poll::Ready(Err(SourceError::Closed { during: Step::Pictures })),
            }
        }
    }

    fn facts(&self) -> &SourceFacts {
        &self.facts
    }
}

fn broken() -> SourceError {
    SourceError::Protocol { during: Step::Pictures, status: None }
}

async fn within<T>(
    patience: Duration,
    during: Step,
    answer: impl Future<Output = Result<T, retina::Error>>,
) -> Result<T, SourceError> {
    match timeout(patience, answer).await {
        Ok(answer) => answer.map_err(|error| classified(&error, during)),
        Err(_) => Err(SourceError::Silent { during }),
    }
}

/// The first video track that can be recorded, in the camera's own order, and all that was offered.
fn choose_track(session: &Session<Described>) -> Result<(usize, Codec, SourceFacts), SourceError> {
    let streams = session.streams();
    let offered: Vec<OfferedTrack> = streams
        .iter()
        .map(|stream| OfferedTrack {
            media: name(stream.media()).to_ascii_lowercase(),
            encoding: name(stream.encoding_name()).to_ascii_uppercase(),
            asked_for: false,
        })
        .collect();
    let codec_of = |stream: &retina::client::Stream| match (stream.media(), stream.encoding_name()) {
        ("video", "h264") => Some(Codec::H264),
        ("video", "h265") => Some(Codec::H265),
        _ => None,
    };
    let track = streams.iter().enumerate().find_map(|(track, stream)| Some((track, codec_of(stream)?)));
    let Some((track, codec)) = track else {
        let mut video = offered.iter().filter(|track| track.media == "video").map(|track| track.encoding.as_str());
        let what = video.next().unwrap_or("no video").to_owned();
        return Err(SourceError::UnsupportedCodec { what });
    };
    Ok((track, codec, SourceFacts { codec: Some(codec), offered, ..SourceFacts::default() }))
}

/// A camera's word for a track, bounded and without anything but letters, digits, `.` and `-`.
fn name(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).take(NAME_BYTES_MAX).collect()
}

/// What kind of failure it is. `retina` offers a status and a text; of the text only the beginning is looked at and
/// nothing is kept, because it repeats addresses and the camera's own words.
fn classified(error: &retina::Error, during: Step) -> SourceError {
    match error.status_code() {
        Some(401) => return SourceError::WrongPassword,
        Some(404) => return SourceError::NotFound,
        Some(status) => {
            let status = Some(status).filter(|status| *status >= 300);
            return SourceError::Protocol { during, status };
        }
        None => {}
    }
    let text = error.to_string();
    let begins = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
    let cut = text.get(..CUT_WITHIN).unwrap_or(&text).contains("Incomplete RTSP message at EOF");
    if begins(&["Unable to connect"]) {
        SourceError::Unreachable
    } else if cut || begins(&["Error reading from RTSP peer", "Error writing to RTSP peer"]) {
        SourceError::Closed { during }
    } else if during == Step::Describe && begins(&["RTSP framing error"]) {
        SourceError::NotRtsp
    } else {
        SourceError::Protocol { during, status: None }
    }
}

/// Media time since the session's first packet, in units of 1/90,000 s.
fn ticks(timestamp: retina::Timestamp) -> MediaTicks {
    let rate = i128::from(timestamp.clock_rate().get());
    let ticks = i128::from(timestamp.elapsed()) * i128::from(MediaTicks::PER_SECOND) / rate;
    MediaTicks(i64::try_from(ticks).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX }))
}

/// UTC of an NTP timestamp, right until the year 2106.
fn utc(ntp: NtpTimestamp) -> UtcMicros {
    let since_1970 = ntp.0.wrapping_sub(UNIX_EPOCH.0);
    let (seconds, fraction) = (since_1970 >> 32, since_1970 & 0xffff_ffff);
    UtcMicros::from_seconds(seconds as i64).plus_micros(((fraction * 1_000_000) >> 32) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ntp_time_becomes_utc() {
        // RFC 868: 2,208,988,800 is 1 January 1970; half a second above 1,700,000,000.
        let ntp = NtpTimestamp(((2_208_988_800 + 1_700_000_000) << 32) | (1 << 31));
        assert_eq!(utc(ntp), UtcMicros::from_seconds(1_700_000_000).plus_micros(500_000));
    }

    #[test]
    fn a_track_name_keeps_no_strange_characters() {
        assert_eq!(name("vnd.onvif.metadata"), "vnd.onvif.metadata");
        assert_eq!(name("h264\r\nrtsp://admin:hunter2@"), "h264rtspadminhunter2");
        assert!(name(&"x".repeat(1000)).len() <= NAME_BYTES_MAX);
    }
}
