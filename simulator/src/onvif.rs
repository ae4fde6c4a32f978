//! The ONVIF side of a simulated camera: time, services, profiles, addresses of streams; as makers answer, wrong ones among them.
//!
//! Strict where real devices are: a UsernameToken counts within five seconds of the device's own clock, its nonce once.

use crate::rtsp::{
    Credentials, Scheme,
    auth::{self, Verdict, base64},
    message::{self, Parsed, Request},
};
use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use std::{
    collections::HashSet,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What a UsernameToken's time may differ from the device's.
const FRESH_SECONDS: i64 = 5;
const REALM: &str = "simulated device";
const NONCE: &str = "5f1c";

/// How a device answers.
#[derive(Clone, Debug)]
pub struct Habits {
    /// Seconds that its clock is ahead.
    pub clock_ahead: i64,
    pub credentials: Credentials,
    pub asks: Asks,
    /// Whether it tells the time only to those it knows.
    pub hides_time: bool,
    /// It knows Media 2; otherwise Media 1 only, and no GetServices.
    pub media2: bool,
    /// What it believes its own address to be: `http://0.0.0.0`.
    pub believes: String,
    pub analysis: bool,
    pub streams: Vec<Offered>,
}

/// How it asks who is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asks {
    /// WS-Security UsernameToken.
    Token,
    /// HTTP Digest.
    Digest,
    /// HTTP Basic: the password in clear.
    Basic,
}

/// What a device says to a question of this name; asked for its stream, the first one's.
pub fn says(habits: &Habits, name: &str) -> String {
    let body = "<tr2:ProfileToken>profile_0</tr2:ProfileToken>";
    habits.tell(name, body).map_or_else(|| fault("env:Receiver", "ter:ActionNotSupported"), |text| envelope(&text))
}

/// One media profile.
#[derive(Clone, Debug)]
pub struct Offered {
    pub source: &'static str,
    pub encoding: &'static str,
    pub size: (u32, u32),
    pub url: String,
}

/// A device that listens on loopback until it is dropped.
pub struct Device {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    habits: Habits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    over: bool,
    nonces: HashSet<String>,
    /// Names of all that was asked, in order.
    asked: Vec<String>,
}

impl Device {
    /// # Errors
    /// No port could be had.
    pub fn start(habits: Habits) -> io::Result<Device> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let shared = Arc::new(Shared { habits, state: Mutex::default() });
        let device = Device { address: listener.local_addr()?, shared: shared.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.with(|state| state.over) {
                    return;
                }
                if let Err(error) = stream.and_then(|stream| shared.serve(stream)) {
                    tracing::debug!(%error, "an ONVIF client went");
                }
            }
        });
        Ok(device)
    }
    /// `onvif://127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("onvif://{}", self.address)
    }
    pub fn port(&self) -> u16 {
        self.address.port()
    }
    /// The names of all questions so far.
    pub fn asked(&self) -> Vec<String> {
        self.shared.with(|state| state.asked.clone())
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.shared.with(|state| state.over = true);
        TcpStream::connect(self.address).ok(); // wakes the listener, which sees that it is over
    }
}

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        let Some((request, body)) = read(&mut stream)? else { return Ok(()) };
        let name = question(&body);
        self.with(|state| state.asked.push(name.clone()));
        let (status, head, text) = self.answer(&name, &request, &body);
        let length = text.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: application/soap+xml\r\nContent-Length: {length}\r\n{head}Connection: close\r\n\r\n{text}"
        )
    }

    fn answer(&self, name: &str, request: &Request, body: &str) -> (&'static str, String, String) {
        let habits = &self.habits;
        let open = name == "GetSystemDateAndTime" && !habits.hides_time;
        let scheme = match habits.asks {
            Asks::Token if open || self.knows(body) => None,
            Asks::Token => {
                return ("400 Bad Request", String::new(), fault("env:Sender", "ter:NotAuthorized"));
            }
            _ if open => None,
            Asks::Digest => Some(Scheme::DigestQop),
            Asks::Basic => Some(Scheme::Basic),
        };
        if let Some(scheme) = scheme
            && auth::check(scheme, REALM, NONCE, &habits.credentials, request) != Verdict::Accepted
        {
            let challenges = auth::challenges(scheme, REALM, NONCE);
            let head = challenges.iter().map(|one| format!("WWW-Authenticate: {one}\r\n")).collect();
            return ("401 Unauthorized", head, String::new());
        }
        match habits.tell(name, body) {
            Some(text) => ("200 OK", String::new(), envelope(&text)),
            None => ("500 Internal Server Error", String::new(), fault("env:Receiver", "ter:ActionNotSupported")),
        }
    }

    /// Whether a UsernameToken is of now, of a nonce that was not used, and of the right password.
    fn knows(&self, body: &str) -> bool {
        let field = |name: &str| element(body, name).unwrap_or_default();
        let (nonce, created) = (field("Nonce"), field("Created"));
        let Ok(time) = created.parse::<jiff::Timestamp>() else { return false };
        let mut digest = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        for part in [&from_base64(nonce)[..], created.as_bytes(), self.habits.credentials.password.reveal().as_bytes()]
        {
            digest.update(part);
        }
        let fresh = (time.as_second() - self.habits.now()).abs() <= FRESH_SECONDS;
        let right =
            field("Username") == self.habits.credentials.user && field("Password") == base64(digest.finish().as_ref());
        fresh && right && self.with(|state| state.nonces.insert(nonce.to_owned()))
    }
}

impl Habits {
    /// A device with a main stream in H.265 and a smaller one in H.264, that believes to be at 0.0.0.0.
    pub fn example(media2: bool) -> Habits {
        let offered = |encoding, size, path: &str| Offered {
            source: "lens_0",
            encoding,
            size,
            url: format!("rtsp://0.0.0.0:554{path}"),
        };
        Habits {
            clock_ahead: 0,
            credentials: Credentials { user: "vigie".into(), password: domain::Sensitive::new("seen".into()) },
            asks: Asks::Token,
            hides_time: false,
            media2,
            believes: "http://0.0.0.0".into(),
            analysis: true,
            streams: vec![offered("H265", (1920, 1080), "/main"), offered("H264", (640, 360), "/sub?a=1&b=2")],
        }
    }

    fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.as_secs()).unwrap_or(i64::MAX) + self.clock_ahead
    }

    /// `None`: this device does not know the question.
    fn tell(&self, name: &str, body: &str) -> Option<String> {
        Some(match name {
            "GetSystemDateAndTime" => self.time(),
            "GetDeviceInformation" => "<tds:GetDeviceInformationResponse><tds:Manufacturer>Simulated</tds:Manufacturer>\
                 <tds:Model>Street 1</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion></tds:GetDeviceInformationResponse>"
                .to_owned(),
            "GetServices" if self.media2 => self.services(),
            "GetCapabilities" => {
                let (at, analysis) = (&self.believes, if self.analysis { "<tt:Analytics/>" } else { "" });
                format!(
                    "<tds:GetCapabilitiesResponse><tds:Capabilities>{analysis}<tt:Media><tt:XAddr>{at}/onvif/media</tt:XAddr></tt:Media>\
                     </tds:Capabilities></tds:GetCapabilitiesResponse>"
                )
            }
            "GetProfiles" => {
                let profiles = self.streams.iter().enumerate().map(|(n, stream)| self.profile(n, stream));
                format!("<trt:GetProfilesResponse>{}</trt:GetProfilesResponse>", profiles.collect::<String>())
            }
            "GetStreamUri" => {
                let number: usize = element(body, "ProfileToken")?.trim_start_matches("profile_").parse().ok()?;
                let uri = format!("<tt:Uri>{}</tt:Uri>", self.streams.get(number)?.url.replace('&', "&amp;"));
                let inside = if self.media2 { uri } else { format!("<trt:MediaUri>{uri}</trt:MediaUri>") };
                format!("<trt:GetStreamUriResponse>{inside}</trt:GetStreamUriResponse>")
            }
            _ => return None,
        })
    }

    fn time(&self) -> String {
        let time = jiff::Timestamp::from_second(self.now()).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
        format!(
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime>\
             <tt:Time><tt:Hour>{}</tt:Hour><tt:Minute>{}</tt:Minute><tt:Second>{}</tt:Second></tt:Time>\
             <tt:Date><tt:Year>{}</tt:Year><tt:Month>{}</tt:Month><tt:Day>{}</tt:Day></tt:Date>\
             </tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>",
            time.hour(),
            time.minute(),
            time.second(),
            time.year(),
            time.month(),
            time.day()
        )
    }

    fn services(&self) -> String {
        let service = |space: &str, path: &str| {
            let at = &self.believes;
            format!(
                "<tds:Service><tds:Namespace>{space}</tds:Namespace><tds:XAddr>{at}/onvif/{path}</tds:XAddr></tds:Service>"
            )
        };
        let mut all = service("http://www.onvif.org/ver10/device/wsdl", "device_service");
        all += &service("http://www.onvif.org/ver20/media/wsdl", "media2");
        if self.analysis {
            all += &service("http://www.onvif.org/ver20/analytics/wsdl", "analytics");
        }
        format!("<tds:GetServicesResponse>{all}</tds:GetServicesResponse>")
    }

    fn profile(&self, number: usize, stream: &Offered) -> String {
        let (source, encoding, (width, height)) = (stream.source, stream.encoding, stream.size);
        let source = format!("<tt:SourceToken>{source}</tt:SourceToken>");
        let encoder = format!(
            "<tt:Encoding>{encoding}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height>\
             </tt:Resolution><tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit></tt:RateControl>"
        );
        let parts = if self.media2 {
            format!(
                "<tr2:Configurations><tr2:VideoSource>{source}</tr2:VideoSource><tr2:VideoEncoder>{encoder}</tr2:VideoEncoder>\
                 </tr2:Configurations>"
            )
        } else {
            format!(
                "<tt:VideoSourceConfiguration>{source}</tt:VideoSourceConfiguration>\
                 <tt:VideoEncoderConfiguration>{encoder}</tt:VideoEncoderConfiguration>"
            )
        };
        format!("<trt:Profiles token=\"profile_{number}\"><tt:Name>{encoding} {number}</tt:Name>{parts}</trt:Profiles>")
    }
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><env:Envelope xmlns:env=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\" xmlns:trt=\"http://www.onvif.org/ver10/media/wsdl\" \
         xmlns:tr2=\"http://www.onvif.org/ver20/media/wsdl\" xmlns:tt=\"http://www.onvif.org/ver10/schema\" \
         xmlns:ter=\"http://www.onvif.org/ver10/error\"><env:Body>{body}</env:Body></env:Envelope>"
    )
}

fn fault(code: &str, subcode: &str) -> String {
    envelope(&format!(
        "<env:Fault><env:Code><env:Value>{code}</env:Value><env:Subcode><env:Value>{subcode}</env:Value></env:Subcode></env:Code>\
         <env:Reason><env:Text>no</env:Text></env:Reason></env:Fault>"
    ))
}

/// A whole request over HTTP, whose head is one of RTSP but for the version's name; `None`: the client said nothing whole.
fn read(stream: &mut TcpStream) -> io::Result<Option<(Request, String)>> {
    let mut bytes = Vec::new();
    let mut block = [0; 4096];
    loop {
        let count = stream.read(&mut block)?;
        bytes.extend(&block[..count]);
        let text = String::from_utf8_lossy(&bytes).replacen(" HTTP/1.1\r\n", " RTSP/1.0\r\nCSeq: 1\r\n", 1);
        if let Parsed::Request(request, _) = message::parse(text.as_bytes()) {
            let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
            return Ok(Some((request, body)));
        }
        if count == 0 {
            return Ok(None);
        }
    }
}

/// The name of the first element in the body of an envelope.
fn question(body: &str) -> String {
    let inside = body.split_once("Body>").map_or("", |(_, inside)| inside);
    let name = inside.trim_start().trim_start_matches('<').split([' ', '>', '/']).next().unwrap_or_default();
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

/// What stands in the first element of this name, whatever its prefix.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let name = format!(":{name}");
    let mut begins = text.match_indices(&name).map(|(at, found)| at + found.len());
    // `Username` is no `UsernameToken`
    let begin = begins.find(|at| text[*at..].starts_with(['>', ' ']))?;
    let inside = &text[begin + text[begin..].find('>')? + 1..];
    Some(&inside[..inside.find("</")?])
}

fn from_base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let sixes = text.bytes().filter_map(|byte| LETTERS.iter().position(|letter| *letter == byte));
    let (mut bytes, mut held, mut bits) = (vec![], 0_usize, 0);
    for six in sixes {
        held = (held << 6 | six) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
        }
    }
    bytes
}
