//! Basic (RFC 7617) and Digest (RFC 2617, RFC 7616) as cameras do them: MD5, with or without qop.

use super::message::Request;
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
}

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

/// The `WWW-Authenticate` header.
pub fn challenge(scheme: Scheme, realm: &str, nonce: &str) -> String {
    match scheme {
        Scheme::Basic => format!("Basic realm=\"{realm}\""),
        Scheme::Digest => format!("Digest realm=\"{realm}\", nonce=\"{nonce}\""),
        Scheme::DigestQop => format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\""),
    }
}

/// Judges the `Authorization` header of a request.
pub fn check(scheme: Scheme, realm: &str, nonce: &str, credentials: &Credentials, request: &Request) -> Verdict {
    let Some(header) = request.header("authorization") else { return Verdict::Missing };
    let right = match scheme {
        Scheme::Basic => {
            let expected = base64(format!("{}:{}", credentials.user, credentials.password.reveal()).as_bytes());
            header
                .split_once(' ')
                .is_some_and(|(kind, text)| kind.eq_ignore_ascii_case("basic") && text.trim() == expected)
        }
        Scheme::Digest | Scheme::DigestQop => digest_is_right(scheme, realm, nonce, credentials, request, header),
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
    let ha1 = md5_hex(&format!("{}:{realm}:{}", credentials.user, credentials.password.reveal()));
    let ha2 = md5_hex(&format!("{}:{}", request.method, request.url));
    let expected = if scheme == Scheme::DigestQop {
        if field("qop") != "auth" {
            return false;
        }
        md5_hex(&format!("{ha1}:{nonce}:{}:{}:auth:{ha2}", field("nc"), field("cnonce")))
    } else {
        md5_hex(&format!("{ha1}:{nonce}:{ha2}"))
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

    #[test]
    fn basic_accepts_the_right_password_only() {
        let right = format!("Basic {}", base64(b"Mufasa:Circle Of Life"));
        assert_eq!(check_header(Scheme::Basic, "", "", &right), Verdict::Accepted);
        assert_eq!(check_header(Scheme::Basic, "", "", "Basic TXVmYXNhOng="), Verdict::Wrong);
    }
}
