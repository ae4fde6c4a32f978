//! The cameras of a load run: RTSP over TCP on loopback, paced by the steady clock, every frame numbered and counted.

use crate::{Outcome, clip::FRAMES_PER_SECOND, clip::GROUP_FRAMES};
use simulator::{
    mark::Mark,
    packetise::{CodedClip, Stamp, VIDEO_PAYLOAD_TYPE},
    rtsp::{
        auth::base64,
        message::{Answer, Parsed, Request, interleaved_channels, parse},
    },
};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

const SERVER: &str = "vigie-bench";
/// A client that lags more loses pictures, as with a camera whose buffer is full.
const LAG_MAX: Duration = Duration::from_secs(2);

/// Running cameras; dropping it ends them.
pub struct Source {
    pub address: SocketAddr,
    pub cameras: u32,
    shared: Arc<Shared>,
}

struct Shared {
    clip: Arc<CodedClip>,
    began: Instant,
    bytes: AtomicU64,
    frames: AtomicU64,
    skipped: AtomicU64,
    /// Frames of each playing that lasts or has ended.
    plays: Mutex<Vec<(u32, Arc<AtomicU64>)>>,
    paused: AtomicBool,
    stop: AtomicBool,
}

/// What was sent until an instant.
#[derive(Clone, Copy)]
pub struct Sent {
    pub bytes: u64,
    pub frames: u64,
    pub skipped: u64,
}

impl Source {
    pub fn start(clip: Arc<CodedClip>, cameras: u32) -> Outcome<Source> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            clip,
            began: Instant::now(),
            bytes: AtomicU64::new(0),
            frames: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            plays: Mutex::default(),
            paused: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if accepting.stop.load(SeqCst) {
                    return;
                }
                let shared = accepting.clone();
                thread::spawn(move || serve(stream, &shared));
            }
        });
        Ok(Source { address, cameras, shared })
    }

    pub fn url(&self, camera: u32) -> String {
        format!("rtsp://{}/load/{camera}", self.address)
    }

    pub fn sent(&self) -> Sent {
        let Shared { bytes, frames, skipped, .. } = &*self.shared;
        Sent { bytes: bytes.load(SeqCst), frames: frames.load(SeqCst), skipped: skipped.load(SeqCst) }
    }

    /// Cameras that were played `times` times or more, and the frames sent from the `times`-th playing on.
    pub fn played(&self, times: usize) -> (usize, u64) {
        let plays = self.shared.plays.lock().expect("no thread panics with it");
        let (mut met, mut frames) = (BTreeMap::<u32, usize>::new(), 0);
        for (camera, sent) in plays.iter() {
            let met = met.entry(*camera).or_default();
            *met += 1;
            frames += if *met >= times { sent.load(SeqCst) } else { 0 };
        }
        (met.values().filter(|met| **met >= times).count(), frames)
    }

    /// Sends no further frame; what was begun is sent whole.
    pub fn pause(&self) {
        self.shared.paused.store(true, SeqCst);
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        // wakes the thread that accepts; if it is gone already there is nobody to wake
        drop(TcpStream::connect(self.address));
    }
}

/// One connection: requests on a thread of their own, frames on this one.
fn serve(stream: TcpStream, shared: &Arc<Shared>) {
    let (orders, ordered) = channel();
    let Ok(reading) = stream.try_clone() else { return };
    thread::spawn(move || read_requests(reading, &orders));
    // a client that goes away ends its connection: that is how a recording stops
    if let Err(error) = play(stream, shared, &ordered)
        && error.kind() != std::io::ErrorKind::BrokenPipe
        && error.kind() != std::io::ErrorKind::ConnectionReset
    {
        eprintln!("bench: a camera's connection ended: {error}");
    }
}

fn read_requests(mut stream: TcpStream, orders: &Sender<Request>) {
    let (mut received, mut piece) = (Vec::new(), [0; 4_096]);
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        received.extend_from_slice(&piece[..read]);
        loop {
            match parse(&received) {
                Parsed::More => break,
                Parsed::Bad => return,
                Parsed::Skip(bytes) => drop(received.drain(..bytes)),
                Parsed::Request(request, bytes) => {
                    received.drain(..bytes);
                    if orders.send(request).is_err() {
                        return;
                    }
                }
            }
        }
    }
}

fn play(mut stream: TcpStream, shared: &Shared, orders: &Receiver<Request>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut camera, mut channel) = (0, 0);
    while let Ok(request) = orders.recv() {
        camera = request.path().get(1).and_then(|number| number.parse().ok()).unwrap_or(camera);
        if let Some((rtp, _)) = request.header("transport").and_then(interleaved_channels) {
            channel = rtp.unwrap_or(0);
        }
        stream.write_all(&answer(&request, &shared.clip).to_bytes(&request, SERVER))?;
        match request.method.as_str() {
            "PLAY" => return send(&mut stream, shared, orders, camera, channel),
            "TEARDOWN" => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}

fn answer(request: &Request, clip: &CodedClip) -> Answer {
    let session = "12345678;timeout=60";
    match request.method.as_str() {
        "OPTIONS" => Answer::ok().with("Public", "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"),
        "DESCRIBE" => Answer::ok()
            .with("Content-Base", format!("{}/", request.url.trim_end_matches('/')))
            .with_body("application/sdp", sdp(clip)),
        "SETUP" => match request.header("transport").filter(|offered| interleaved_channels(offered).is_some()) {
            Some(offered) => {
                let offered = offered.split(',').find(|one| one.contains("TCP")).unwrap_or(offered);
                Answer::ok().with("Transport", offered).with("Session", session)
            }
            None => Answer::status("461 Unsupported Transport"),
        },
        _ => Answer::ok().with("Session", session),
    }
}

fn sdp(clip: &CodedClip) -> String {
    let profile: String = clip.sps.iter().skip(1).take(3).map(|byte| format!("{byte:02X}")).collect();
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns={SERVER}\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
         m=video 0 RTP/AVP {VIDEO_PAYLOAD_TYPE}\r\na=rtpmap:{VIDEO_PAYLOAD_TYPE} H264/90000\r\n\
         a=fmtp:{VIDEO_PAYLOAD_TYPE} packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={},{}\r\n\
         a=framerate:{FRAMES_PER_SECOND}\r\na=control:video\r\n",
        base64(&clip.sps),
        base64(&clip.pps)
    )
}

/// Frames from the next key frame on, each at its time.
fn send(
    stream: &mut TcpStream,
    shared: &Shared,
    orders: &Receiver<Request>,
    camera: u32,
    channel: u8,
) -> std::io::Result<()> {
    let counted = Arc::<AtomicU64>::default();
    shared.plays.lock().expect("no thread panics with it").push((camera, counted.clone()));
    let (length, shift) = (shared.clip.frames.len() as u64, u64::from(camera) * 7);
    let index = |number: u64| ((number + shift) % length) as usize;
    let phase = Duration::from_micros(u64::from(camera) * 7_919 % (1_000_000 / u64::from(FRAMES_PER_SECOND)));
    let due =
        |number: u64| shared.began + phase + Duration::from_micros(number * 1_000_000 / u64::from(FRAMES_PER_SECOND));
    let next =
        |from: u64| (from..=from + u64::from(GROUP_FRAMES)).find(|n| shared.clip.frames[index(*n)].kind.is_key());
    let now = || (shared.began.elapsed().as_micros() as u64 * u64::from(FRAMES_PER_SECOND)) / 1_000_000 + 1;
    let mut number = next(now()).unwrap_or_else(now);
    let (mut sequence, mut out) = (1, Vec::new());
    while !shared.stop.load(SeqCst) {
        thread::sleep(due(number).saturating_duration_since(Instant::now()));
        while let Ok(request) = orders.try_recv() {
            stream.write_all(&answer(&request, &shared.clip).to_bytes(&request, SERVER))?;
            if request.method == "TEARDOWN" {
                return Ok(());
            }
        }
        if shared.paused.load(SeqCst) {
            number += 1;
            continue;
        }
        if due(number).elapsed() > LAG_MAX {
            let later = next(now()).unwrap_or_else(now);
            shared.skipped.fetch_add(later - number, SeqCst);
            number = later;
            continue;
        }
        let mark = Mark { camera, frame: number };
        let timestamp = (number * 90_000 / u64::from(FRAMES_PER_SECOND)) as u32;
        let stamp = Stamp { channel, sequence, timestamp, ssrc: camera + 1, mark };
        sequence = shared.clip.frames[index(number)].stamp(stamp, &mut out);
        stream.write_all(&out)?;
        counted.fetch_add(1, SeqCst);
        shared.frames.fetch_add(1, SeqCst);
        shared.bytes.fetch_add(out.len() as u64, SeqCst);
        number += 1;
    }
    Ok(())
}
