//! A small RTSP client over a plain socket: what the tests know of RTSP does not come from the cameras' own code.

use domain::Sensitive;
use simulator::rtsp::{Credentials, auth::md5_hex};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

pub const USER: &str = "vigie";
pub const PASSWORD: &str = "un mot de passe d'essai";

pub fn credentials() -> Credentials {
    Credentials { user: USER.into(), password: Sensitive::new(PASSWORD.into()) }
}

/// One connection.
pub struct Client {
    stream: TcpStream,
    received: Vec<u8>,
    sequence: u32,
    /// Realm and nonce of the last challenge.
    challenge: Option<(String, String)>,
    password: String,
}

/// One answer: status and text of headers and body.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        // A guard against a test that would hang; no test depends on its length.
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client { stream, received: Vec::new(), sequence: 0, challenge: None, password: PASSWORD.into() }
    }

    pub fn with_password(mut self, password: &str) -> Client {
        self.password = password.into();
        self
    }

    /// Sends a request, with Digest once challenged, and reads its answer.
    pub fn ask(&mut self, method: &str, url: &str, headers: &str) -> Answer {
        self.sequence += 1;
        let authorization = match &self.challenge {
            None => String::new(),
            Some((realm, nonce)) => {
                let ha1 = md5_hex(&format!("{USER}:{realm}:{}", self.password));
                let response = md5_hex(&format!("{ha1}:{nonce}:{}", md5_hex(&format!("{method}:{url}"))));
                format!(
                    "Authorization: Digest username=\"{USER}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{url}\", response=\"{response}\"\r\n"
                )
            }
        };
        let text = format!("{method} {url} RTSP/1.0\r\nCSeq: {}\r\n{authorization}{headers}\r\n", self.sequence);
        self.stream.write_all(text.as_bytes()).unwrap();
        let answer = self.read_answer();
        if let Some(challenge) = answer.header("WWW-Authenticate") {
            let field = |name: &str| {
                challenge
                    .split(&format!("{name}=\""))
                    .nth(1)
                    .and_then(|rest| rest.split('"').next())
                    .unwrap_or_default()
                    .to_owned()
            };
            self.challenge = Some((field("realm"), field("nonce")));
        }
        answer
    }

    /// Sends a request and does not wait for its answer.
    pub fn send(&mut self, method: &str, url: &str) {
        self.sequence += 1;
        let text = format!("{method} {url} RTSP/1.0\r\nCSeq: {}\r\n\r\n", self.sequence);
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// DESCRIBE until let in, SETUP of the named tracks, PLAY.
    pub fn play(&mut self, url: &str, tracks: &[&str]) {
        assert_eq!(self.ask("DESCRIBE", url, "").status, 401);
        assert_eq!(self.ask("DESCRIBE", url, "").status, 200);
        for (n, track) in tracks.iter().enumerate() {
            let transport = format!("Transport: RTP/AVP/TCP;unicast;interleaved={}-{}\r\n", 2 * n, 2 * n + 1);
            assert_eq!(self.ask("SETUP", &format!("{url}/{track}"), &transport).status, 200);
        }
        assert_eq!(self.ask("PLAY", url, "").status, 200);
    }

    /// The next interleaved packet: channel and bytes. `None` when the camera has hung up.
    pub fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some(whole) = self.whole_packet() {
                let packet = self.received.drain(..whole).collect::<Vec<u8>>();
                return Some((packet[1], packet[4..].to_vec()));
            }
            if !self.fill() {
                return None;
            }
        }
    }

    /// The length of the interleaved packet that the bytes received begin with, if it is whole.
    fn whole_packet(&self) -> Option<usize> {
        let [b'$', _, high, low, ..] = self.received[..] else { return None };
        let whole = 4 + usize::from(u16::from_be_bytes([high, low]));
        (self.received.len() >= whole).then_some(whole)
    }

    fn read_answer(&mut self) -> Answer {
        loop {
            // What was on its way before the answer.
            if let Some(whole) = self.whole_packet() {
                self.received.drain(..whole);
                continue;
            }
            let end = self.received.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end.filter(|_| self.received.starts_with(b"RTSP/1.0 ")) {
                let head = String::from_utf8(self.received[..end].to_vec()).unwrap();
                let mut answer = Answer { status: head[9..12].parse().unwrap(), head, body: String::new() };
                let body: usize = answer.header("Content-Length").map_or(0, |length| length.parse().unwrap());
                if self.received.len() >= end + 4 + body {
                    answer.body = String::from_utf8(self.received[end + 4..end + 4 + body].to_vec()).unwrap();
                    self.received.drain(..end + 4 + body);
                    return answer;
                }
            }
            assert!(self.fill(), "the camera hung up instead of answering");
        }
    }

    fn fill(&mut self) -> bool {
        let mut bytes = [0; 8192];
        match self.stream.read(&mut bytes) {
            Ok(0) => false,
            Ok(count) => {
                self.received.extend_from_slice(&bytes[..count]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }
}
