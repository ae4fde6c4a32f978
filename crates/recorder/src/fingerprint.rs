//! Who answers at a camera's address (R13, first version), and a first look at a camera before it is added.
//!
//! One DESCRIBE without credentials goes first on each connection attempt: it tells a dead host from a silent one and
//! from something that is no camera, and no password is given to a device that was not confirmed.

use crate::source::{CameraUrl, Credentials, OfferedTrack, Source, SourceError, Step, retina::RetinaSource};
use domain::{Codec, MediaTicks};
use std::{
    fmt,
    future::poll_fn,
    str::FromStr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Connecting, and each answer of an identification.
pub const IDENTIFY_TIMEOUT: Duration = Duration::from_secs(2);
/// The head of an answer; what is longer is no answer of a camera.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Realm and Server, each.
const FIELD_BYTES_MAX: usize = 256;
/// Pictures that are enough to estimate the rate: a second of an ordinary camera.
const PROBE_PICTURES: usize = 26;

/// What a device is known by: host, port, realm, Server header. Codec and size are no part of it.
///
/// Canonical text: `device-1 host=cam.example port=554 realm=IP%20Camera server=Rtsp%20Server/3.0`; bytes other than
/// letters, digits and `._:/()-` are percent-encoded, fields that the device does not send are left out.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    pub host: String,
    pub port: u16,
    pub realm: Option<String>,
    pub server: Option<String>,
}

/// A text is not a fingerprint of this version.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this is not a device fingerprint of version 1: pin the device again with `vigie camera test`")]
pub struct FingerprintError;

impl Fingerprint {
    /// The names of the fields in which another device differs, joined by `, `; empty if it is the same.
    pub fn differences(&self, other: &Fingerprint) -> String {
        let fields = [
            ("host", !self.host.eq_ignore_ascii_case(&other.host)),
            ("port", self.port != other.port),
            ("realm", self.realm != other.realm),
            ("server", self.server != other.server),
        ];
        fields.iter().filter(|field| field.1).map(|field| field.0).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device-1 host={} port={}", escape(&self.host.to_ascii_lowercase()), self.port)?;
        for (name, value) in [("realm", &self.realm), ("server", &self.server)] {
            if let Some(value) = value {
                write!(f, " {name}={}", escape(value))?;
            }
        }
        Ok(())
    }
}

/// Withheld: a host is a place in the town's network.
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹fingerprint›")
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;
    fn from_str(text: &str) -> Result<Fingerprint, FingerprintError> {
        let mut words = text.split(' ');
        if words.next() != Some("device-1") {
            return Err(FingerprintError);
        }
        let (mut host, mut port, mut realm, mut server) = (None, None, None, None);
        for word in words {
            let (name, value) = word.split_once('=').ok_or(FingerprintError)?;
            let value = unescape(value).ok_or(FingerprintError)?;
            let place = match name {
                "host" => &mut host,
                "port" => &mut port,
                "realm" => &mut realm,
                "server" => &mut server,
                _ => return Err(FingerprintError),
            };
            if place.replace(value).is_some() {
                return Err(FingerprintError);
            }
        }
        let port = port.and_then(|port| port.parse().ok()).ok_or(FingerprintError)?;
        let host = host.ok_or(FingerprintError)?.to_ascii_lowercase(); // a name is one name in any case (RFC 3986, 3.2.2)
        Ok(Fingerprint { host, port, realm, server })
    }
}

/// The head of an RTSP answer, as far as it identifies a device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    pub status: u16,
    pub server: Option<String>,
    pub realm: Option<String>,
}

/// What stands at the start of the bytes received so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HeadRead {
    /// The head is not complete yet.
    More,
    Head(Head),
    /// Not RTSP, or a head above [`HEAD_BYTES_MAX`].
    NotRtsp,
}

/// Reads an answer's head (RFC 2326, 7). Never panics, whatever the bytes.
pub fn read_head(bytes: &[u8]) -> HeadRead {
    const VERSION: &[u8] = b"RTSP/1.";
    let known = bytes.len().min(VERSION.len());
    if bytes[..known] != VERSION[..known] {
        return HeadRead::NotRtsp;
    }
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.len() >= HEAD_BYTES_MAX { HeadRead::NotRtsp } else { HeadRead::More };
    };
    if end > HEAD_BYTES_MAX {
        return HeadRead::NotRtsp;
    }
    let text = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split_ascii_whitespace().nth(1)).and_then(|word| word.parse().ok());
    let Some(status) = status else { return HeadRead::NotRtsp };
    let mut head = Head { status, server: None, realm: None };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("server") {
            head.server.get_or_insert_with(|| clean(value));
        } else if name.eq_ignore_ascii_case("www-authenticate")
            && let Some(realm) = realm_of(value)
        {
            // Digest before Basic, in whatever order they come: one device, one fingerprint.
            let digest = value.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("digest"));
            if digest || head.realm.is_none() {
                head.realm = Some(realm);
            }
        }
    }
    HeadRead::Head(head)
}

/// Asks who answers: one DESCRIBE without credentials.
pub async fn identify(url: &CameraUrl) -> Result<Fingerprint, SourceError> {
    let head = first_answer(url).await?;
    if head.status == 404 {
        return Err(SourceError::NotFound);
    }
    Ok(Fingerprint { host: url.host().to_ascii_lowercase(), port: url.port(), realm: head.realm, server: head.server })
}

/// What a first look at a camera found.
#[derive(Clone, PartialEq, Debug)]
pub struct ProbeReport {
    pub fingerprint: Fingerprint,
    pub codec: Codec,
    /// Pixels after cropping.
    pub width: u16,
    pub height: u16,
    /// Pictures a second over about a second; `None` if too few came.
    pub fps: Option<f32>,
    /// All tracks that the camera described; sound is never asked for (law RET-01).
    pub offered: Vec<OfferedTrack>,
}

impl ProbeReport {
    /// For people: `video H264 1024x576; audio PCMA offered, never asked for`.
    pub fn tracks_text(&self) -> String {
        let mut tracks = Vec::new();
        for track in &self.offered {
            tracks.push(match track.asked_for {
                true => format!("{} {} {}x{}", track.media, track.encoding, self.width, self.height),
                false => format!("{} {} offered, never asked for", track.media, track.encoding),
            });
        }
        tracks.join("; ")
    }
}

/// Connects, looks for about a second, takes leave. `patience` bounds each step and the wait for pictures.
pub async fn probe(
    url: &CameraUrl,
    credentials: Option<&Credentials>,
    patience: Duration,
) -> Result<ProbeReport, SourceError> {
    let fingerprint = identify(url).await?;
    let mut source = RetinaSource::open(url, credentials, patience).await?;
    let found = look(&mut source, patience).await;
    source.close().await;
    let (times, seen) = found?;
    let facts = source_facts(seen)?;
    Ok(ProbeReport {
        fingerprint,
        codec: facts.codec,
        width: facts.width,
        height: facts.height,
        fps: rate(&times),
        offered: facts.offered,
    })
}

struct Seen {
    codec: Codec,
    width: u16,
    height: u16,
    offered: Vec<OfferedTrack>,
}

fn source_facts(facts: crate::source::SourceFacts) -> Result<Seen, SourceError> {
    let codec = facts.codec.ok_or(SourceError::Protocol { during: Step::Pictures, status: None })?;
    Ok(Seen { codec, width: facts.width, height: facts.height, offered: facts.offered })
}

/// Presentation times of the first pictures, and the facts as of then.
async fn look(
    source: &mut RetinaSource,
    patience: Duration,
) -> Result<(Vec<MediaTicks>, crate::source::SourceFacts), SourceError> {
    let mut times = Vec::new();
    let began = Instant::now();
    while times.len() < PROBE_PICTURES && began.elapsed() < patience {
        let left = patience.saturating_sub(began.elapsed());
        match timeout(left, poll_fn(|context| source.poll_picture(context))).await {
            Ok(picture) => times.push(picture?.pts),
            Err(_) if times.is_empty() => return Err(SourceError::Silent { during: Step::Pictures }),
            Err(_) => break,
        }
    }
    Ok((times, source.facts().clone()))
}

fn rate(times: &[MediaTicks]) -> Option<f32> {
    // B pictures come after one that is shown later.
    let (first, last) = (times.iter().min()?, times.iter().max()?);
    let ticks = last.0.checked_sub(first.0).filter(|ticks| *ticks > 0)?;
    Some((times.len() - 1) as f32 * MediaTicks::PER_SECOND as f32 / ticks as f32)
}

async fn first_answer(url: &CameraUrl) -> Result<Head, SourceError> {
    let connect = TcpStream::connect((url.host(), url.port()));
    let mut stream = match timeout(IDENTIFY_TIMEOUT, connect).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(_)) | Err(_) => return Err(SourceError::Unreachable),
    };
    let request = format!(
        "DESCRIBE {} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: vigie\r\nAccept: application/sdp\r\n\r\n",
        url.as_str()
    );
    let during = Step::Describe;
    stream.write_all(request.as_bytes()).await.map_err(|_| SourceError::Closed { during })?;
    let mut bytes = Vec::with_capacity(1024);
    let read = async {
        loop {
            match read_head(&bytes) {
                HeadRead::Head(head) => return Ok(head),
                HeadRead::NotRtsp => return Err(SourceError::NotRtsp),
                HeadRead::More => {}
            }
            let room = (HEAD_BYTES_MAX - bytes.len()) as u64;
            match (&mut stream).take(room).read_buf(&mut bytes).await {
                Ok(0) | Err(_) if bytes.is_empty() => return Err(SourceError::Closed { during }),
                Ok(0) | Err(_) => return Err(SourceError::NotRtsp),
                Ok(_) => {}
            }
        }
    };
    timeout(IDENTIFY_TIMEOUT, read).await.unwrap_or(Err(SourceError::Silent { during }))
}

/// The value of `realm` in a challenge (RFC 7235, 4.1), quotes and escapes resolved.
fn realm_of(challenge: &str) -> Option<String> {
    let mut rest = challenge;
    let mut boundary = true;
    while let Some(first) = rest.chars().next() {
        if boundary
            && let Some(name) = rest.get(..6)
            && name.eq_ignore_ascii_case("realm=")
        {
            return Some(clean(&quoted_or_token(&rest[6..]).0));
        }
        if first == '"' {
            let length = quoted_or_token(rest).1;
            rest = &rest[length..];
        } else {
            rest = &rest[first.len_utf8()..];
        }
        boundary = first == ',' || first.is_ascii_whitespace();
    }
    None
}

/// The value that `text` begins with, and how many bytes it takes there.
fn quoted_or_token(text: &str) -> (String, usize) {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c == ',' || c.is_ascii_whitespace()).unwrap_or(text.len());
        return (text[..end].to_owned(), end);
    };
    let mut value = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, 1 + at + 1),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, text.len())
}

/// A device's own words without control characters, bounded.
fn clean(text: &str) -> String {
    let mut value = String::new();
    for c in text.trim().chars().filter(|c| !c.is_control()) {
        if value.len() + c.len_utf8() > FIELD_BYTES_MAX {
            break;
        }
        value.push(c);
    }
    value
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"._:/()-".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(status: u16, server: Option<&str>, realm: Option<&str>) -> HeadRead {
        HeadRead::Head(Head { status, server: server.map(Into::into), realm: realm.map(Into::into) })
    }

    #[track_caller]
    fn check(bytes: &str, expected: HeadRead) {
        assert_eq!(read_head(bytes.as_bytes()), expected);
    }

    #[test]
    fn an_answer_tells_server_and_realm() {
        check(
            "RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nServer: Rtsp Server/3.0\r\n\
             WWW-Authenticate: Digest qop=\"auth, realm=no\", realm=\"IP \\\"Cam\\\" 7\", nonce=\"x\"\r\n\r\n",
            head(401, Some("Rtsp Server/3.0"), Some("IP \"Cam\" 7")),
        );
        check("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\nbody", head(200, None, None));
        check("RTSP/1.0 401 U\r\nwww-authenticate: basic realm=plain\r\n\r\n", head(401, None, Some("plain")));
    }

    #[test]
    fn the_digest_realm_counts_in_whatever_order_challenges_come() {
        let (basic, digest) = ("WWW-Authenticate: Basic realm=\"b\"\r\n", "WWW-Authenticate: Digest realm=\"d\"\r\n");
        for lines in [[basic, digest], [digest, basic]] {
            check(&format!("RTSP/1.0 401 U\r\n{}\r\n", lines.concat()), head(401, None, Some("d")));
        }
    }

    #[test]
    fn what_is_not_rtsp_is_seen_at_once_or_at_the_bound() {
        check("", HeadRead::More);
        check("RTSP/1.0 200 OK\r\nCSeq", HeadRead::More);
        check("HTTP/1.1 400 Bad Request\r\n\r\n", HeadRead::NotRtsp);
        check("SSH-2.0-OpenSSH", HeadRead::NotRtsp);
        check("RTSP/1.0 many\r\n\r\n", HeadRead::NotRtsp);
        check(&format!("RTSP/1.0 200 {}", "x".repeat(HEAD_BYTES_MAX)), HeadRead::NotRtsp);
    }

    #[test]
    fn a_fingerprint_says_what_differs() {
        let pinned = Fingerprint { host: "cam".into(), port: 554, realm: Some("a".into()), server: None };
        assert_eq!(pinned.differences(&pinned), "");
        let other = Fingerprint { realm: Some("b".into()), server: Some("s".into()), ..pinned.clone() };
        assert_eq!(pinned.differences(&other), "realm, server");
        assert_eq!(pinned.to_string(), "device-1 host=cam port=554 realm=a");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            read_head(&bytes);
            let mut answer = b"RTSP/1.0 401 U\r\nWWW-Authenticate: ".to_vec();
            answer.extend(bytes);
            answer.extend(b"\r\n\r\n");
            read_head(&answer);
        }

        #[test]
        fn realms_survive_any_text(text in "(realm=|\"|\\\\|,| |[a-z]|é){0,40}") {
            if let Some(realm) = realm_of(&text) {
                prop_assert!(realm.len() <= FIELD_BYTES_MAX);
            }
        }

        #[test]
        fn a_fingerprint_reads_back_as_written(host in "[a-z0-9.:-]{1,40}", port: u16, realm: Option<String>, server: Option<String>) {
            let fingerprint = Fingerprint { host, port, realm, server };
            prop_assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        }
    }
}
