//! Basic (RFC 7617) and Digest (RFC 2617, RFC 7616) as cameras do them: MD5, with or without qop, SHA-256, several at once.

use super::message::Request;
use aws_lc_rs::digest;
use domain::Sensitive;
use md5::{Digest, Md5};

/// How a camera asks who is there. There is no anonymous camera.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    Basic,
    /// Digest as in RFC 2069: most cameras.
    Digest,
    /// Digest with `qop="auth"`.
    DigestQop,
    /// Digest with `algorithm=SHA-256` (RFC 7616).
    DigestSha256,
    /// Three challenges, each on a line of its own: SHA-256, MD5, Basic; any of them is accepted.
    Several,
}

/// What [`Scheme::Several`] offers, the best first.
const SEVERAL: [Scheme; 3] = [Scheme::DigestSha256, Scheme::DigestQop, Scheme::Basic];

/// Who may look at a camera.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: String,
    pub password: Sensitive<String>,
}

/// What became of a request's credentials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Accepted,
    /// None given: the usual first question of a client.
    Missing,
    /// Given, and wrong.
    Wrong,
}

/// The `WWW-Authenticate` headers.
pub fn challenges(scheme: Scheme, realm: &str, nonce: &str) -> Vec<String> {
    vec![match scheme {
        Scheme::Several => return SEVERAL.iter().flat_map(|one| challenges(*one, realm, nonce)).collect(),
        Scheme::Basic => format!("Basic realm=\"{realm}\""),
        Scheme::Digest => format!("Digest realm=\"{realm}\", nonce=\"{nonce}\""),
        Scheme::DigestQop => format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\""),
        Scheme::DigestSha256 => {
            format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm=SHA-256, qop=\"auth\"")
        }
    }]
}

/// Judges the `Authorization` header of a request.
pub fn check(scheme: Scheme, realm: &str, nonce: &str, credentials: &Credentials, request: &Request) -> Verdict {
    let Some(header) = request.header("authorization") else { return Verdict::Missing };
    let right = match scheme {
        Scheme::Several => {
            return match SEVERAL.map(|one| check(one, realm, nonce, credentials, request)) {
                all if all.contains(&Verdict::Accepted) => Verdict::Accepted,
                _ => Verdict::Wrong,
            };
        }
        Scheme::Basic => {
            let expected = base64(format!("{}:{}", credentials.user, credentials.password.reveal()).as_bytes());
            header
                .split_once(' ')
                .is_some_and(|(kind, text)| kind.eq_ignore_ascii_case("basic") && text.trim() == expected)
        }
        Scheme::Digest | Scheme::DigestQop | Scheme::DigestSha256 => {
            digest_is_right(scheme, realm, nonce, credentials, request, header)
        }
    };
    if right { Verdict::Accepted } else { Verdict::Wrong }
}

fn digest_is_right(
    scheme: Scheme,
    realm: &str,
    nonce: &str,
    credentials: &Credentials,
    request: &Request,
    header: &str,
) -> bool {
    let Some((kind, fields)) = header.split_once(' ') else { return false };
    let field = |name: &str| {
        fields_of(fields)
            .into_iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .unwrap_or_default()
    };
    let named = kind.eq_ignore_ascii_case("digest") && field("username") == credentials.user && field("realm") == realm;
    if !named || field("nonce") != nonce || field("uri") != request.url {
        return false;
    }
    let hex = if scheme == Scheme::DigestSha256 { sha256_hex } else { md5_hex };
    let ha1 = hex(&format!("{}:{realm}:{}", credentials.user, credentials.password.reveal()));
    let ha2 = hex(&format!("{}:{}", request.method, request.url));
    let expected = if scheme == Scheme::Digest {
        hex(&format!("{ha1}:{nonce}:{ha2}"))
    } else {
        if field("qop") != "auth" {
            return false;
        }
        hex(&format!("{ha1}:{nonce}:{}:{}:auth:{ha2}", field("nc"), field("cnonce")))
    };
    field("response") == expected
}

/// `key=value` and `key="value"` parts between commas; a quoted value may hold commas.
fn fields_of(text: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        fields.push((key.trim_matches([' ', ',']).to_owned(), value.trim().to_owned()));
        rest = left;
    }
    fields
}

/// Lower-case hexadecimal MD5: what Digest is built on.
pub fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256_hex(text: &str) -> String {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Base64 with padding (RFC 4648, section 4).
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |n: usize| u32::from(three.get(n).copied().unwrap_or(0));
        let value = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..4 {
            let letter = LETTERS[(value >> (18 - 6 * n)) as usize & 63] as char;
            text.push(if n <= three.len() { letter } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::message::{Parsed, parse};
    use super::*;

    fn check_header(scheme: Scheme, realm: &str, nonce: &str, header: &str) -> Verdict {
        let text = format!("DESCRIBE /dir/index.html RTSP/1.0\r\nCSeq: 1\r\nAuthorization: {header}\r\n\r\n");
        let Parsed::Request(request, _) = parse(text.as_bytes()) else { panic!("a request") };
        let credentials = Credentials { user: "Mufasa".into(), password: Sensitive::new("Circle Of Life".into()) };
        check(scheme, realm, nonce, &credentials, &request)
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn md5_is_that_of_rfc_1321() {
        assert_eq!(md5_hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
    }

    #[test]
    fn digest_with_qop_accepts_the_right_response_only() {
        let (realm, nonce) = ("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093");
        let ha1 = md5_hex("Mufasa:testrealm@host.com:Circle Of Life");
        let response =
            md5_hex(&format!("{ha1}:{nonce}:00000001:0a4f113b:auth:{}", md5_hex("DESCRIBE:/dir/index.html")));
        let header = |response: &str| {
            format!(
                "Digest username=\"Mufasa\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"/dir/index.html\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", response=\"{response}\""
            )
        };
        assert_eq!(check_header(Scheme::DigestQop, realm, nonce, &header(&response)), Verdict::Accepted);
        assert_eq!(check_header(Scheme::DigestQop, realm, nonce, &header(&md5_hex("x"))), Verdict::Wrong);
        assert_eq!(check_header(Scheme::DigestQop, realm, "another", &header(&response)), Verdict::Wrong);
    }

    /// The example of RFC 7616, section 3.9.1, whose method is RTSP's here.
    #[test]
    fn digest_by_sha_256_is_that_of_rfc_7616_and_one_of_several_is_enough() {
        let (realm, nonce) = ("http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v");
        let (cnonce, url) = ("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "/dir/index.html");
        let ha1 = sha256_hex("Mufasa:http-auth@example.org:Circle of Life");
        let of = |method: &str| {
            let ha2 = sha256_hex(&format!("{method}:{url}"));
            sha256_hex(&format!("{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}"))
        };
        assert_eq!(of("GET"), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
        let header = format!(
            "Digest username=\"Mufasa\", realm=\"{realm}\", uri=\"{url}\", algorithm=SHA-256, nonce=\"{nonce}\", nc=00000001, cnonce=\"{cnonce}\", qop=auth, response=\"{}\"",
            of("DESCRIBE")
        );
        let text = format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAuthorization: {header}\r\n\r\n");
        let Parsed::Request(request, _) = parse(text.as_bytes()) else { panic!("a request") };
        let credentials = Credentials { user: "Mufasa".into(), password: Sensitive::new("Circle of Life".into()) };
        for (scheme, verdict) in [
            (Scheme::DigestSha256, Verdict::Accepted),
            (Scheme::Several, Verdict::Accepted),
            (Scheme::DigestQop, Verdict::Wrong),
        ] {
            assert_eq!(check(scheme, realm, nonce, &credentials, &request), verdict, "{scheme:?}");
        }
        assert_eq!(challenges(Scheme::Several, realm, nonce).len(), 3);
    }

    #[test]
    fn basic_accepts_the_right_password_only() {
        let right = format!("Basic {}", base64(b"Mufasa:Circle Of Life"));
        assert_eq!(check_header(Scheme::Basic, "", "", &right), Verdict::Accepted);
        assert_eq!(check_header(Scheme::Basic, "", "", "Basic TXVmYXNhOng="), Verdict::Wrong);
    }
}
