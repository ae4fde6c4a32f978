//! A camera that a test turns bad while it is recorded: another codec, a description that is none, a flood.

use simulator::{
    clip,
    mark::Mark,
    packetise::{CodedClip, Stamp, VIDEO_PAYLOAD_TYPE},
    rtsp::{
        auth::base64,
        message::{Answer, Parsed, Request, interleaved_channels, parse},
    },
    scene::ClipSize,
};
use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

const FRAMES_PER_SECOND: u32 = 12;
/// What a camera that floods sends.
pub const FLOOD_BITS_PER_SECOND: u64 = 100_000_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    Good,
    /// Motion JPEG and nothing else.
    JpegOnly,
    /// DESCRIBE is answered with bytes that are no SDP.
    GarbageDescription,
    /// H.264 at 100 Mbit/s.
    Flood,
}

/// One camera on a port of its own.
pub struct Rogue {
    pub address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
}

impl Rogue {
    pub fn start() -> Rogue {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let manner = Arc::new(Mutex::new(Manner::Good));
        let files = clip::prepare(1, 1, ClipSize::Small, &clip::cache_folder().unwrap()).unwrap();
        let coded = Arc::new(clip::load(&files).unwrap());
        let shared = manner.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (manner, coded) = (shared.clone(), coded.clone());
                // a connection that ends is everyday life
                thread::spawn(move || drop(serve(stream, &manner, &coded)));
            }
        });
        Rogue { address, manner }
    }

    pub fn url(&self) -> String {
        format!("rtsp://{}/rogue", self.address)
    }

    /// From now on; its connections are cut.
    pub fn turn(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

fn serve(mut stream: TcpStream, manner: &Mutex<Manner>, clip: &CodedClip) -> std::io::Result<()> {
    let mine = *manner.lock().unwrap();
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    let (mut received, mut piece, mut channel, mut playing) = (Vec::new(), [0; 4_096], 0, None::<Playing>);
    while *manner.lock().unwrap() == mine {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => received.extend_from_slice(&piece[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        loop {
            match parse(&received) {
                Parsed::Request(request, bytes) => {
                    received.drain(..bytes);
                    if let Some((rtp, _)) = request.header("transport").and_then(interleaved_channels) {
                        channel = rtp.unwrap_or(0);
                    }
                    stream.write_all(&answer(&request, mine, clip).to_bytes(&request, "rogue"))?;
                    if request.method == "PLAY" {
                        playing = Some(Playing { began: Instant::now(), sent: 0, bytes: 0, sequence: 1 });
                    }
                }
                Parsed::Skip(bytes) => drop(received.drain(..bytes)),
                Parsed::More => break,
                Parsed::Bad => return Ok(()),
            }
        }
        if let Some(playing) = &mut playing {
            playing.send_due(&mut stream, mine, channel, clip)?;
        }
    }
    Ok(())
}

struct Playing {
    began: Instant,
    sent: u64,
    bytes: u64,
    sequence: u16,
}

impl Playing {
    fn send_due(
        &mut self,
        stream: &mut TcpStream,
        manner: Manner,
        channel: u8,
        clip: &CodedClip,
    ) -> std::io::Result<()> {
        let mut out = Vec::new();
        loop {
            let micros = self.began.elapsed().as_micros() as u64;
            let due = match manner {
                Manner::Flood => self.bytes < micros * FLOOD_BITS_PER_SECOND / 8 / 1_000_000,
                _ => self.sent <= micros * u64::from(FRAMES_PER_SECOND) / 1_000_000,
            };
            if !due {
                return Ok(());
            }
            // a flood is many pictures at their true times
            let timestamp = match manner {
                Manner::Flood => (micros * 9 / 100) as u32,
                _ => (self.sent * 90_000 / u64::from(FRAMES_PER_SECOND)) as u32,
            };
            let mark = Mark { camera: 900, frame: self.sent };
            let frame = &clip.frames[(self.sent % clip.frames.len() as u64) as usize];
            self.sequence = frame.stamp(Stamp { channel, sequence: self.sequence, timestamp, ssrc: 9, mark }, &mut out);
            stream.write_all(&out)?;
            self.sent += 1;
            self.bytes += out.len() as u64;
        }
    }
}

fn answer(request: &Request, manner: Manner, clip: &CodedClip) -> Answer {
    match request.method.as_str() {
        "OPTIONS" => Answer::ok().with("Public", "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"),
        "DESCRIBE" => {
            let base = format!("{}/", request.url.trim_end_matches('/'));
            Answer::ok().with("Content-Base", base).with_body("application/sdp", description(manner, clip))
        }
        "SETUP" => {
            let transport = request.header("transport").unwrap_or_default().to_owned();
            Answer::ok().with("Transport", transport).with("Session", "77")
        }
        _ => Answer::ok().with("Session", "77"),
    }
}

fn description(manner: Manner, clip: &CodedClip) -> String {
    let video = match manner {
        Manner::GarbageDescription => return "m=\u{1}video\r\n\r\nv=zz\r\na=rtpmap\r\nm=m=m=\r\n".into(),
        Manner::JpegOnly => "m=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\n".to_owned(),
        Manner::Good | Manner::Flood => format!(
            "m=video 0 RTP/AVP {VIDEO_PAYLOAD_TYPE}\r\na=rtpmap:{VIDEO_PAYLOAD_TYPE} H264/90000\r\n\
             a=fmtp:{VIDEO_PAYLOAD_TYPE} packetization-mode=1;sprop-parameter-sets={},{}\r\n",
            base64(&clip.sps),
            base64(&clip.pps)
        ),
    };
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=rogue\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n{video}a=control:video\r\n"
    )
}
