//! The little of RTSP 1.0 that a camera speaks (RFC 2326): requests in, answers out.

use std::fmt::Write;

/// A request longer than this is refused: real ones have some hundred bytes.
const REQUEST_BYTES_MAX: usize = 16 * 1024;

/// One request, its header names in lower case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub method: String,
    pub url: String,
    headers: Vec<(String, String)>,
}

/// What the bytes received so far begin with.
#[derive(PartialEq, Eq, Debug)]
pub enum Parsed {
    /// Nothing whole yet.
    More,
    /// So many bytes that need no answer: an interleaved packet of the client, an empty line.
    Skip(usize),
    /// A request of so many bytes.
    Request(Request, usize),
    /// No RTSP: hang up.
    Bad,
}

impl Request {
    /// A header's value; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
    /// The parts of the URL's path: `["cam1", "video"]`.
    pub fn path(&self) -> Vec<&str> {
        let after_host = self
            .url
            .split_once("://")
            .map_or(self.url.as_str(), |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
        let path = after_host.split_once('?').map_or(after_host, |(path, _)| path);
        path.split('/').filter(|part| !part.is_empty()).collect()
    }
}

/// Reads the first message of `bytes`.
pub fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [] => return Parsed::More,
        [b'$', _, high, low, ..] => {
            let whole = 4 + usize::from(u16::from_be_bytes([*high, *low]));
            return if bytes.len() < whole { Parsed::More } else { Parsed::Skip(whole) };
        }
        [b'$', ..] => return Parsed::More,
        [b'\r' | b'\n', ..] => return Parsed::Skip(1),
        _ => {}
    }
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.len() > REQUEST_BYTES_MAX { Parsed::Bad } else { Parsed::More };
    };
    let Some(request) = std::str::from_utf8(&bytes[..end]).ok().and_then(parse_head) else { return Parsed::Bad };
    let body: usize = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if body > REQUEST_BYTES_MAX {
        return Parsed::Bad;
    }
    if bytes.len() < end + 4 + body { Parsed::More } else { Parsed::Request(request, end + 4 + body) }
}

fn parse_head(text: &str) -> Option<Request> {
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, url) = (first.next()?.to_owned(), first.next()?.to_owned());
    if !first.next()?.starts_with("RTSP/1.") {
        return None;
    }
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim().to_owned()));
    Some(Request { method, url, headers: headers.collect() })
}

/// One answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    pub fn ok() -> Answer {
        Answer::status("200 OK")
    }
    pub fn status(status: &'static str) -> Answer {
        Answer { status, headers: Vec::new(), body: String::new() }
    }
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }
    pub fn with_body(mut self, content_type: &'static str, body: String) -> Answer {
        self.body = body;
        self.with("Content-Type", content_type)
    }
    pub fn is_ok(&self) -> bool {
        self.status.starts_with("200")
    }

    /// The answer as it goes on the wire.
    pub fn to_bytes(&self, request: &Request, server: &str) -> Vec<u8> {
        let mut text = format!(
            "RTSP/1.0 {}\r\nCSeq: {}\r\nServer: {server}\r\n",
            self.status,
            request.header("cseq").unwrap_or("0")
        );
        for (name, value) in &self.headers {
            // Writing to a String cannot fail.
            write!(text, "{name}: {value}\r\n").expect("a String takes every text");
        }
        if !self.body.is_empty() {
            write!(text, "Content-Length: {}\r\n", self.body.len()).expect("a String takes every text");
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        text.into_bytes()
    }
}

/// The interleaved channels that a Transport header asks for (RTP, RTCP); `None` where it asks for anything but TCP.
pub fn interleaved_channels(transport: &str) -> Option<(Option<u8>, Option<u8>)> {
    let tcp = transport.split(',').find(|choice| choice.contains("RTP/AVP/TCP"))?;
    let value = tcp.split(';').find_map(|part| part.trim().strip_prefix("interleaved="));
    let Some(value) = value else { return Some((None, None)) };
    let (rtp, rtcp) = value.split_once('-').unwrap_or((value, ""));
    Some((rtp.trim().parse().ok(), rtcp.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_whole_or_not_at_all() {
        let text = b"SETUP rtsp://127.0.0.1:8554/cam1/video RTSP/1.0\r\nCSeq: 3\r\nTransport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n\r\n";
        for end in 1..text.len() {
            assert_eq!(parse(&text[..end]), Parsed::More);
        }
        let Parsed::Request(request, bytes) = parse(text) else { panic!("a request") };
        assert_eq!((bytes, request.path(), request.header("cseq")), (text.len(), vec!["cam1", "video"], Some("3")));
        assert_eq!(interleaved_channels(request.header("transport").unwrap()), Some((Some(2), Some(3))));
    }

    #[test]
    fn a_client_s_report_is_skipped_and_another_protocol_is_not_answered() {
        assert_eq!(parse(&[b'$', 1, 0, 2, 9, 9, b'O']), Parsed::Skip(6));
        assert_eq!(parse(b"GET / HTTP/1.1\r\n\r\n"), Parsed::Bad);
        assert_eq!(parse(&[b'x'; 20_000]), Parsed::Bad);
    }

    #[test]
    fn a_transport_over_udp_has_no_channels() {
        assert_eq!(interleaved_channels("RTP/AVP;unicast;client_port=4000-4001"), None);
    }
}
