//! One connection of a client: answers its requests, and sends when it plays.

use super::auth::{self, Verdict};
use super::camera::Camera;
use super::fault::{FLAP_FRAMES, Fault, JITTER_FRAMES, NONCE_FRAMES};
use super::message::{Answer, Parsed, Request, interleaved_channels, parse};
use super::play::Play;
use super::sdp;
use super::town::{Offer, Shared, StartAt};
use crate::scene::FRAMES_PER_SECOND;
use std::{
    io,
    sync::{Arc, atomic::Ordering::Relaxed},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    time::{Duration, Instant, sleep, sleep_until},
};

/// What the URL of a camera's second stream has behind the camera: `/cam1/sub`.
const SUB: &str = "sub";
/// Pictures that a camera sends which drops each session: two seconds.
const DROP_FRAMES: u64 = 2 * FRAMES_PER_SECOND as u64;
const METHODS: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER, TEARDOWN";

struct Session {
    shared: Arc<Shared>,
    nonce: String,
    id: String,
    /// The camera this connection speaks to, from its first request that names one.
    camera: Option<Arc<Camera>>,
    /// Rung when the camera goes away.
    hang_up: Arc<Notify>,
    video: Option<Channels>,
    audio: Option<Channels>,
    play: Option<Play>,
    /// Frames sent since PLAY.
    sent: u64,
    /// The camera dropped its sessions already when this one began to play.
    began_dropping: bool,
    /// Answers given after PLAY.
    answers_after_play: u32,
    /// What a camera with jitter has not sent yet, and the pictures in it as it noted them.
    held: (Vec<u8>, Vec<Option<usize>>),
}

/// The interleaved channels of one track and the URL of its SETUP.
struct Channels {
    rtp: u8,
    rtcp: u8,
    url: String,
}

/// What happens after an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    HangUp,
}

/// Serves one connection until it ends, breaks, or its camera goes away.
pub async fn serve(stream: TcpStream, shared: Arc<Shared>, number: u64, nonce: String) {
    let hang_up = Arc::new(Notify::new());
    let session = Session {
        shared,
        id: format!("{:08X}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32),
        nonce,
        camera: None,
        hang_up: Arc::clone(&hang_up),
        video: None,
        audio: None,
        play: None,
        sent: 0,
        began_dropping: false,
        answers_after_play: 0,
        held: Default::default(),
    };
    let end = tokio::select! {
        end = session.run(stream) => end,
        () = hang_up.notified() => Ok(()),
    };
    // A client that goes away in the middle of a frame is everyday life.
    if let Err(error) = end {
        tracing::debug!(%error, "a connection ended");
    }
}

impl Session {
    async fn run(mut self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut received = Vec::new();
        let mut out = Vec::new();
        loop {
            let due = self.play.as_ref().map(Play::due);
            tokio::select! {
                read = stream.read_buf(&mut received) => {
                    if read? == 0 || self.answer_all(&mut stream, &mut received).await? == Then::HangUp {
                        return Ok(());
                    }
                }
                () = async { if let Some(due) = due { sleep_until(due).await } }, if due.is_some() => {
                    if self.send_due(&mut stream, &mut out).await? == Then::HangUp {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn answer_all(&mut self, stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<Then> {
        loop {
            match parse(received) {
                Parsed::More => return Ok(Then::GoOn),
                Parsed::Bad => return Ok(Then::HangUp),
                Parsed::Skip(bytes) => drop(received.drain(..bytes)),
                Parsed::Request(request, bytes) => {
                    received.drain(..bytes);
                    if request.method == "TEARDOWN" && self.is_deaf() {
                        continue;
                    }
                    let Some((answer, then)) = self.answer(&request) else { return Ok(Then::HangUp) };
                    let camera = self.camera.as_ref();
                    if camera.is_some_and(|camera| camera.faults().has(Fault::Mute)) {
                        continue;
                    }
                    let server = camera.map_or_else(|| "vigie-simulator".to_owned(), |camera| camera.server());
                    send(stream, camera, &answer.to_bytes(&request, &server)).await?;
                    if then == Then::HangUp {
                        return Ok(then);
                    }
                }
            }
        }
    }

    fn is_deaf(&self) -> bool {
        self.camera.as_ref().is_some_and(|camera| camera.faults().has(Fault::DeafToTeardown))
    }

    /// The answer to a request; `None` hangs up without one.
    fn answer(&mut self, request: &Request) -> Option<(Answer, Then)> {
        let go_on = |answer| Some((answer, Then::GoOn));
        let camera = self.shared.camera_at(&request.path());
        if camera.as_ref().is_some_and(|camera| !self.bind(camera)) {
            return None;
        }
        if request.method == "OPTIONS" {
            return go_on(Answer::ok().with("Public", METHODS));
        }
        let Some(camera) = camera else {
            return go_on(Answer::status("404 Not Found"));
        };
        let faults = camera.faults();
        let smaller = faults.has(Fault::OtherSize) && camera.stream(true).is_some();
        let sub = smaller || request.path().get(1) == Some(&SUB);
        let Some(stream) = camera.stream(sub) else {
            return go_on(Answer::status("404 Not Found"));
        };
        if self.play.is_some() && faults.has(Fault::NonceEnds) {
            self.nonce = self.nonce.chars().rev().collect();
        }
        if let Some(refusal) = self.refuse_stranger(&camera, request) {
            return go_on(refusal);
        }
        if self.play.is_some() && faults.has(Fault::SessionChange) {
            self.answers_after_play += 1;
        }
        let seconds = if faults.has(Fault::NonceEnds) { 4 } else { 60 };
        let session = match self.answers_after_play {
            0 => format!("{};timeout={seconds}", self.id),
            other => format!("{}{other};timeout={seconds}", self.id),
        };
        match request.method.as_str() {
            "DESCRIBE" => {
                let base = format!("{}/", request.url.trim_end_matches('/'));
                let body = match self.shared.offer {
                    Offer::Pictures => sdp::faulty(sdp::coded(stream.first()), faults, &base),
                    Offer::JpegOnly => sdp::jpeg(),
                    Offer::Garbage => sdp::garbage(),
                };
                let base = match base.strip_prefix("rtsp://") {
                    Some(bare) if faults.has(Fault::SdpBaseWithoutScheme) => bare.to_owned(),
                    _ => base,
                };
                go_on(Answer::ok().with("Content-Base", base).with_body("application/sdp", body))
            }
            "SETUP" => go_on(self.set_up(request, session)),
            "PLAY" => go_on(self.begin_play(&camera, sub, session)),
            "GET_PARAMETER" | "SET_PARAMETER" => go_on(Answer::ok().with("Session", session)),
            "TEARDOWN" => {
                self.play = None;
                Some((Answer::ok().with("Session", session), Then::HangUp))
            }
            _ => go_on(Answer::status("501 Not Implemented")),
        }
    }

    /// Ties the connection to its camera; false when the camera is off.
    fn bind(&mut self, camera: &Arc<Camera>) -> bool {
        if !self.camera.as_ref().is_some_and(|bound| Arc::ptr_eq(bound, camera)) {
            camera.register(&self.hang_up);
            self.camera = Some(Arc::clone(camera));
        }
        camera.is_running()
    }

    fn refuse_stranger(&self, camera: &Camera, request: &Request) -> Option<Answer> {
        let realm = camera.realm();
        match auth::check(self.shared.scheme, &realm, &self.nonce, &self.shared.credentials, request) {
            Verdict::Accepted => return None,
            Verdict::Missing => {}
            Verdict::Wrong => {
                self.shared.counters.wrong_credentials.fetch_add(1, Relaxed);
            }
        }
        let challenges = auth::challenges(self.shared.scheme, &realm, &self.nonce);
        let refusal = Answer::status("401 Unauthorized");
        Some(challenges.into_iter().fold(refusal, |refusal, one| refusal.with("WWW-Authenticate", one)))
    }

    fn set_up(&mut self, request: &Request, session: String) -> Answer {
        let Some((rtp, rtcp)) = request.header("transport").and_then(interleaved_channels) else {
            return Answer::status("461 Unsupported Transport");
        };
        let path = request.path();
        let track = path.last().copied().unwrap_or_default();
        let first = if track == sdp::AUDIO { 2 } else { 0 };
        let rtp = rtp.unwrap_or(first);
        let channels = Channels { rtp, rtcp: rtcp.unwrap_or(rtp.wrapping_add(1)), url: request.url.clone() };
        let transport = format!("RTP/AVP/TCP;unicast;interleaved={}-{}", channels.rtp, channels.rtcp);
        match track {
            sdp::VIDEO => {
                self.shared.counters.video_setups.fetch_add(1, Relaxed);
                self.video = Some(channels);
            }
            sdp::AUDIO => {
                self.shared.counters.audio_setups.fetch_add(1, Relaxed);
                self.audio = Some(channels);
            }
            _ => return Answer::status("404 Not Found"),
        }
        Answer::ok().with("Transport", transport).with("Session", session)
    }

    fn begin_play(&mut self, camera: &Camera, sub: bool, session: String) -> Answer {
        if self.video.is_none() && self.audio.is_none() {
            return Answer::status("455 Method Not Valid in This State");
        }
        if self.play.is_some() || self.shared.offer != Offer::Pictures {
            return Answer::ok().with("Session", session);
        }
        let number = self.shared.counters.plays.fetch_add(1, Relaxed);
        let at_key_frame = self.shared.start_at == StartAt::KeyFrame;
        let Some(coded) = camera.stream(sub) else { return Answer::status("404 Not Found") };
        let (coded, rhythm) = (coded.clone(), camera.rhythm(sub));
        let mut play = Play::begin(number, coded, rhythm, self.shared.clock.utc(), at_key_frame);
        (self.sent, self.began_dropping) = (0, camera.faults().has(Fault::Drop));
        if camera.faults().has(Fault::Wrap) {
            play.wrap_soon();
        }
        if let Some(audio) = &self.audio {
            play.offer_silence(audio.rtp);
        }
        let (sequence, timestamp) = play.first_numbers();
        let tracks = self.video.iter().map(|video| format!("url={};seq={sequence};rtptime={timestamp}", video.url));
        let tracks: Vec<String> =
            tracks.chain(self.audio.iter().map(|audio| format!("url={};seq=1;rtptime=0", audio.url))).collect();
        self.play = Some(play);
        Answer::ok().with("Session", session).with("Range", "npt=now-").with("RTP-Info", tracks.join(","))
    }

    /// Sends what is due: a report, sound if somebody asked for it, one frame.
    async fn send_due(&mut self, stream: &mut TcpStream, out: &mut Vec<u8>) -> io::Result<Then> {
        let (Some(play), Some(camera)) = (&mut self.play, &self.camera) else { return Ok(Then::GoOn) };
        let counters = &self.shared.counters;
        counters.frames_skipped.fetch_add(play.skip_late(), Relaxed);
        if play.due() > Instant::now() {
            return Ok(Then::GoOn);
        }
        let faults = camera.faults();
        if faults.has(Fault::Stall) || faults.has(Fault::Mute) {
            play.pass_over();
            return Ok(Then::GoOn);
        }
        let silence = play.silence();
        if !silence.is_empty() {
            stream.write_all(&silence).await?;
            counters.audio_bytes.fetch_add(silence.len() as u64, Relaxed);
        }
        let Some(video) = &self.video else {
            // Sound alone: the frame's turn only paces.
            play.pass_over();
            return Ok(Then::GoOn);
        };
        if play.is_blank() {
            play.pass_over();
            return Ok(Then::GoOn);
        }
        if let Some(report) = play.report(video.rtcp, self.shared.clock.utc(), faults) {
            send(stream, self.camera.as_ref(), &report).await?;
        }
        if faults.has(Fault::HalfClosed) {
            return close_half(stream, camera).await;
        }
        if faults.has(Fault::StaleSession) {
            stream.write_all(&play.stale_packet(video.rtp)).await?;
        }
        let entry = camera.note(play.next_frame(video.rtp, faults, out));
        self.sent += 1;
        if faults.has(Fault::Drop) && (!self.began_dropping || self.sent >= DROP_FRAMES) {
            stream.write_all(&out[..out.len() / 2]).await?;
            return Ok(Then::HangUp);
        }
        counters.video_frames.fetch_add(1, Relaxed);
        counters.video_bytes.fetch_add(out.len() as u64, Relaxed);
        self.held.0.extend_from_slice(out);
        self.held.1.push(entry);
        if faults.has(Fault::Jitter) && !self.sent.is_multiple_of(JITTER_FRAMES) {
            return Ok(Then::GoOn);
        }
        send(stream, self.camera.as_ref(), &self.held.0).await?;
        self.held.0.clear();
        self.held.1.drain(..).for_each(|entry| camera.note_whole(entry));
        let ends = (faults.has(Fault::Flap) && self.sent >= FLAP_FRAMES)
            || (faults.has(Fault::NonceEnds) && self.sent >= NONCE_FRAMES);
        Ok(if ends { Then::HangUp } else { Then::GoOn })
    }
}

/// Sends bytes, one a second while the camera trickles.
async fn send(stream: &mut TcpStream, camera: Option<&Arc<Camera>>, bytes: &[u8]) -> io::Result<()> {
    for (at, byte) in bytes.iter().enumerate() {
        if !camera.is_some_and(|camera| camera.faults().has(Fault::Trickle)) {
            return stream.write_all(&bytes[at..]).await;
        }
        stream.write_all(&[*byte]).await?;
        sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// Ends the sending side and reads on, whatever comes, until the client goes or the fault is cleared.
async fn close_half(stream: &mut TcpStream, camera: &Camera) -> io::Result<Then> {
    stream.shutdown().await?;
    let mut unread = [0; 1024];
    while camera.faults().has(Fault::HalfClosed) {
        tokio::select! {
            read = stream.read(&mut unread) => if read? == 0 { break },
            () = sleep(Duration::from_millis(100)) => {}
        }
    }
    Ok(Then::HangUp)
}
