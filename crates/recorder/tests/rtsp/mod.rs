//! A scripted RTSP camera on loopback: one H.264 clip, Digest or Basic, an offered audio track, and every misbehaviour
//! that the tests need. It notes what it was asked.

use md5::{Digest as _, Md5};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

pub const USER: &str = "enregistreur";
pub const PASSWORD: &str = "tr0mpette-rouillée";
const REALM: &str = "IP Camera(7)";
const NONCE: &str = "0123456789abcdef";
/// 50 pictures a second, in real time.
const PICTURE_GAP: Duration = Duration::from_millis(20);
const PICTURE_TICKS: u32 = 1_800;

/// A clip as access units, each a list of NAL units.
pub struct Clip {
    pub pictures: Vec<Vec<Vec<u8>>>,
}

impl Clip {
    /// The pictures as the recorder hands them on: lengths of four bytes, no parameter sets.
    pub fn stored(&self) -> Vec<Vec<u8>> {
        let keep = |nal: &&Vec<u8>| !matches!(nal[0] & 31, 7 | 8);
        let stored = |picture: &Vec<Vec<u8>>| {
            picture
                .iter()
                .filter(keep)
                .flat_map(|nal| [&(nal.len() as u32).to_be_bytes(), nal.as_slice()].concat())
                .collect()
        };
        self.pictures.iter().map(stored).collect()
    }
}

/// A second of test picture, encoded once per size; a group each 12 pictures, parameter sets in band.
pub fn clip(width: u32) -> &'static Clip {
    static SMALL: OnceLock<Clip> = OnceLock::new();
    static LARGE: OnceLock<Clip> = OnceLock::new();
    if width <= 320 { &SMALL } else { &LARGE }.get_or_init(|| encode(width))
}

fn encode(width: u32) -> Clip {
    let source = format!("testsrc2=size={width}x{}:rate=50", width * 3 / 4);
    let x264 = "keyint=12:scenecut=0:bframes=0:repeat-headers=1:annexb=1:aud=0:slices=1";
    let encoded = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", &source, "-frames:v", "50", "-pix_fmt", "yuv420p"])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-x264-params", x264, "-f", "h264", "-"])
        .output()
        .expect("ffmpeg is installed by `make test`");
    assert!(encoded.status.success(), "{}", String::from_utf8_lossy(&encoded.stderr));
    let mut pictures: Vec<Vec<Vec<u8>>> = vec![Vec::new()];
    for nal in annex_b(&encoded.stdout) {
        if pictures.last().is_some_and(|picture| picture.iter().any(|nal| matches!(nal[0] & 31, 1 | 5))) {
            pictures.push(Vec::new());
        }
        pictures.last_mut().expect("one at least").push(nal.to_vec());
    }
    assert_eq!(pictures.len(), 50);
    Clip { pictures }
}

fn annex_b(bytes: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (0..bytes.len() - 2).filter(|at| bytes[*at..].starts_with(&[0, 0, 1])).collect();
    let ends = starts[1..].iter().copied().chain([bytes.len()]);
    starts.iter().zip(ends).map(|(start, end)| trim_zeros(&bytes[start + 3..end])).collect()
}

fn trim_zeros(mut nal: &[u8]) -> &[u8] {
    while let [head @ .., 0] = nal {
        nal = head;
    }
    nal
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    None,
    Basic,
    Digest,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Good,
    /// 404 to DESCRIBE, and the password of the last request in the reason phrase.
    NotFound,
    /// Speaks HTTP.
    Http,
    Jpeg,
    /// Sends these many pictures, then nothing.
    SilentAfter(usize),
    /// Sends these many pictures, then closes.
    CloseAfter(usize),
    /// Sends these many pictures, then bytes that are neither RTSP nor RTP.
    RubbishAfter(usize),
    /// Sends audio on channel 2 without being asked.
    UnaskedAudio,
    /// Changes picture size after these many pictures.
    ResizeAfter(usize),
}

#[derive(Clone, Copy)]
pub struct Script {
    pub auth: Auth,
    pub manner: Manner,
    pub server: &'static str,
}

/// What the camera was asked and what it sent.
#[derive(Default)]
pub struct Notes {
    pub requests: Vec<String>,
    pub sessions: usize,
    pub pictures_sent: usize,
}

pub struct Camera {
    pub port: u16,
    pub notes: Arc<Mutex<Notes>>,
}

impl Camera {
    pub fn start(auth: Auth, manner: Manner) -> Camera {
        Camera::scripted(Script { auth, manner, server: "Rtsp Server/3.0" })
    }
    pub fn scripted(script: Script) -> Camera {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let notes = Arc::new(Mutex::new(Notes::default()));
        let shared = notes.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let notes = shared.clone();
                std::thread::spawn(move || Connection { stream, script, notes, unread: Vec::new() }.serve());
            }
        });
        Camera { port, notes }
    }
    pub fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/stream1", self.port)
    }
    /// How often a request line begins with `method` and holds `part`.
    pub fn asked(&self, method: &str, part: &str) -> usize {
        let notes = self.notes.lock().unwrap();
        notes.requests.iter().filter(|request| request.starts_with(method) && request.contains(part)).count()
    }
}

struct Connection {
    stream: TcpStream,
    script: Script,
    notes: Arc<Mutex<Notes>>,
    unread: Vec<u8>,
}

impl Connection {
    /// Until the client or the script has enough.
    fn serve(mut self) {
        let mut playing = None;
        let mut next = std::time::Instant::now();
        loop {
            let patience = next.saturating_duration_since(std::time::Instant::now()).max(Duration::from_millis(1));
            let patience = if playing.is_some() { patience } else { Duration::from_secs(30) };
            match self.request(patience) {
                Ok(Some(request)) => match self.answer(&request) {
                    Some(true) => playing = Some(0),
                    Some(false) => {}
                    None => return,
                },
                Ok(None) => {}
                Err(()) => return,
            }
            if let Some(sent) = &mut playing
                && std::time::Instant::now() >= next
            {
                next = std::time::Instant::now() + PICTURE_GAP;
                if self.picture(*sent).is_none() {
                    return;
                }
                *sent += 1;
            }
        }
    }

    /// `Ok(None)`: nothing came in time.
    fn request(&mut self, patience: Duration) -> Result<Option<String>, ()> {
        self.stream.set_read_timeout(Some(patience)).map_err(|_| ())?;
        loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = self.unread.drain(..end + 4).collect();
                return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
            }
            let mut bytes = [0; 2048];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(()),
                Ok(n) => self.unread.extend_from_slice(&bytes[..n]),
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                    return Ok(None);
                }
                Err(_) => return Err(()),
            }
        }
    }

    /// Whether pictures begin; `None` ends the connection.
    fn answer(&mut self, request: &str) -> Option<bool> {
        let line = request.lines().next().unwrap_or_default().to_owned();
        self.notes.lock().unwrap().requests.push(line.clone());
        if self.script.manner == Manner::Http {
            self.stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").ok()?;
            return None;
        }
        let header = |name: &str| request.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let cseq = header("CSeq:").unwrap_or("0");
        let mut words = line.split(' ');
        let (method, uri) = (words.next()?, words.next()?);
        let server = self.script.server;
        let head = move |status: &str| format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\nServer: {server}\r\n");
        if self.script.auth != Auth::None && !self.allows(method, uri, header("Authorization:")) {
            let scheme = if self.script.auth == Auth::Basic { "Basic" } else { "Digest" };
            let nonce = if self.script.auth == Auth::Basic { String::new() } else { format!(", nonce=\"{NONCE}\"") };
            let answer =
                format!("{}WWW-Authenticate: {scheme} realm=\"{REALM}\"{nonce}\r\n\r\n", head("401 Unauthorized"));
            return self.stream.write_all(answer.as_bytes()).ok().map(|()| false);
        }
        let mut begins = false;
        let answer = match method {
            "DESCRIBE" if self.script.manner == Manner::NotFound => {
                format!("{}\r\n", head(&format!("404 no stream for {USER}:{PASSWORD}")))
            }
            "DESCRIBE" => {
                let sdp = self.sdp();
                let kind = "Content-Type: application/sdp\r\n";
                format!("{}{kind}Content-Length: {}\r\n\r\n{sdp}", head("200 OK"), sdp.len())
            }
            "SETUP" => {
                let channels = if uri.contains("audio") { "2-3" } else { "0-1" };
                format!(
                    "{}Session: 77;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved={channels}\r\n\r\n",
                    head("200 OK")
                )
            }
            "PLAY" => {
                begins = true;
                self.notes.lock().unwrap().sessions += 1;
                format!("{}Session: 77\r\n\r\n", head("200 OK"))
            }
            _ => format!("{}Session: 77\r\n\r\n", head("200 OK")),
        };
        self.stream.write_all(answer.as_bytes()).ok()?;
        if method == "TEARDOWN" { None } else { Some(begins) }
    }

    fn allows(&self, method: &str, uri: &str, given: Option<&str>) -> bool {
        let Some(given) = given else { return false };
        if self.script.auth == Auth::Basic {
            return given == "Basic ZW5yZWdpc3RyZXVyOnRyMG1wZXR0ZS1yb3VpbGzDqWU=";
        }
        let secret = hex_md5(&format!("{USER}:{REALM}:{PASSWORD}"));
        let expected = hex_md5(&format!("{secret}:{NONCE}:{}", hex_md5(&format!("{method}:{uri}"))));
        given.contains(&format!("response=\"{expected}\""))
    }

    fn sdp(&self) -> String {
        let video = match self.script.manner {
            Manner::Jpeg => "m=video 0 RTP/AVP 26\r\na=control:video\r\n".to_owned(),
            _ => "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:video\r\n".to_owned(),
        };
        let audio = "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:audio\r\n";
        format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=street\r\nt=0 0\r\na=control:*\r\n{audio}{video}")
    }

    /// Sends picture number `n`; `None` ends the connection.
    fn picture(&mut self, n: usize) -> Option<()> {
        let mut from = clip(320);
        match self.script.manner {
            Manner::CloseAfter(pictures) if n >= pictures => return None,
            Manner::SilentAfter(pictures) if n >= pictures => return Some(()),
            Manner::RubbishAfter(pictures) if n >= pictures => {
                return self.stream.write_all(&(0u8..=255).cycle().skip(n * 7).take(999).collect::<Vec<_>>()).ok();
            }
            Manner::ResizeAfter(pictures) if n >= pictures => from = clip(480),
            Manner::UnaskedAudio => self.interleaved(2, &[0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0xd5, 0xd5])?,
            _ => {}
        }
        let ticks = (n as u32).wrapping_mul(PICTURE_TICKS).wrapping_add(0xffff_f000);
        if n % 25 == 1 {
            self.interleaved(1, &sender_report(ticks))?;
        }
        let nals = &from.pictures[n % from.pictures.len()];
        let mut packets = Vec::new();
        for nal in nals {
            match nal.len() {
                0..=1400 => packets.push(nal.clone()),
                _ => packets.extend(fragments(nal)),
            }
        }
        let last = packets.len() - 1;
        for (i, payload) in packets.iter().enumerate() {
            let sequence = self.notes_sequence();
            let marker = if i == last { 0x80 } else { 0 };
            let mut packet = vec![0x80, 96 | marker];
            packet.extend(sequence.to_be_bytes());
            packet.extend(ticks.to_be_bytes());
            packet.extend(7u32.to_be_bytes());
            packet.extend(payload);
            self.interleaved(0, &packet)?;
        }
        self.notes.lock().unwrap().pictures_sent += 1;
        Some(())
    }

    fn notes_sequence(&mut self) -> u16 {
        thread_local!(static SEQUENCE: std::cell::Cell<u16> = const { std::cell::Cell::new(65_500) });
        SEQUENCE.with(|sequence| sequence.replace(sequence.get().wrapping_add(1)))
    }

    fn interleaved(&mut self, channel: u8, packet: &[u8]) -> Option<()> {
        let length = (packet.len() as u16).to_be_bytes();
        self.stream.write_all(&[&[b'$', channel], length.as_slice(), packet].concat()).ok()
    }
}

/// FU-A (RFC 6184, 5.8).
fn fragments(nal: &[u8]) -> Vec<Vec<u8>> {
    let parts: Vec<&[u8]> = nal[1..].chunks(1_398).collect();
    let last = parts.len() - 1;
    let fragment = |(i, part): (usize, &&[u8])| {
        let ends = if i == 0 { 0x80 } else { 0 } | if i == last { 0x40 } else { 0 };
        [&[nal[0] & 0x60 | 28, nal[0] & 31 | ends], *part].concat()
    };
    parts.iter().enumerate().map(fragment).collect()
}

/// The camera's clock says 2020-01-01T00:00:00Z at `ticks`, always.
fn sender_report(ticks: u32) -> Vec<u8> {
    let ntp_seconds: u32 = 2_208_988_800 + 1_577_836_800;
    let mut report = vec![0x80, 200, 0, 6];
    for word in [7, ntp_seconds, 0, ticks, 0, 0] {
        report.extend(word.to_be_bytes());
    }
    report
}

fn hex_md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
