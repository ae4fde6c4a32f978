//! Where a camera is and how it lets us in: an address that holds no secret, and credentials that never print.

use domain::Sensitive;
use std::{fmt, str::FromStr};
use url::Url;
use zeroize::Zeroize;

/// Default port of RTSP (RFC 2326, 3.2).
pub const RTSP_PORT: u16 = 554;

/// An `rtsp://` address without credentials. It names a place in the town's network: `Debug` withholds it.
#[derive(Clone, PartialEq, Eq)]
pub struct CameraUrl(Url);

/// Why an address cannot be a camera's. The address itself is not repeated: it may hold a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UrlError {
    #[error("the address cannot be read: it looks like `rtsp://10.0.0.8:554/stream1`")]
    Unreadable,
    #[error("the address does not begin with `rtsp://`: give the camera's RTSP address")]
    Scheme,
    #[error("the address names no host: it looks like `rtsp://10.0.0.8:554/stream1`")]
    Host,
    #[error(
        "the address holds a user or a password: give them apart (`--user`, `--password-stdin`), or they would be stored and shown with it"
    )]
    Credentials,
}

impl UrlError {
    /// The same in French.
    pub const fn text_fr(self) -> &'static str {
        match self {
            UrlError::Unreadable => "l'adresse est illisible : elle ressemble à `rtsp://10.0.0.8:554/stream1`",
            UrlError::Scheme => "l'adresse ne commence pas par `rtsp://` : donnez l'adresse RTSP de la caméra",
            UrlError::Host => "l'adresse ne nomme aucune machine : elle ressemble à `rtsp://10.0.0.8:554/stream1`",
            UrlError::Credentials => {
                "l'adresse contient un nom ou un mot de passe : donnez-les à part (`--user`, `--password-stdin`), \
                 sinon ils seraient gardés et montrés avec elle"
            }
        }
    }
}

impl CameraUrl {
    /// The whole address, for the camera itself and for sealed storage.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
    pub fn host(&self) -> &str {
        // An IPv6 host stands in brackets in a URL, and without them for a connection.
        self.0.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }
    pub fn port(&self) -> u16 {
        self.0.port().unwrap_or(RTSP_PORT)
    }
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for CameraUrl {
    type Err = UrlError;
    fn from_str(text: &str) -> Result<CameraUrl, UrlError> {
        let url = match Url::parse(text.trim()) {
            Ok(url) => url,
            Err(url::ParseError::RelativeUrlWithoutBase) => return Err(UrlError::Scheme),
            Err(url::ParseError::EmptyHost) => return Err(UrlError::Host),
            Err(_) => return Err(UrlError::Unreadable),
        };
        if url.scheme() != "rtsp" {
            return Err(UrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() || holds_password(&url) {
            return Err(UrlError::Credentials);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(UrlError::Host);
        }
        Ok(CameraUrl(url))
    }
}

impl fmt::Debug for CameraUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹camera address›")
    }
}

/// Some cameras take a password as a parameter of query or path (`/user=admin&password=x&channel=1`).
fn holds_password(url: &Url) -> bool {
    let text = [url.path(), url.query().unwrap_or_default()].join("&").to_ascii_lowercase();
    text.split(['/', '?', '&', ';', '_']).any(|part| {
        part.split_once('=')
            .is_some_and(|(name, value)| matches!(name, "password" | "passwd" | "pwd" | "pass") && !value.is_empty())
    })
}

/// User and password of a camera, for Basic and Digest (RFC 2617, 7616). Wiped when dropped.
#[derive(Clone)]
pub struct Credentials {
    user: Sensitive<String>,
    password: Sensitive<String>,
}

impl Credentials {
    pub const fn new(user: Sensitive<String>, password: Sensitive<String>) -> Credentials {
        Credentials { user, password }
    }
    pub(crate) fn user(&self) -> &str {
        self.user.reveal()
    }
    pub(crate) fn password(&self) -> &str {
        self.password.reveal()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹credentials›")
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        std::mem::take(&mut self.user).into_revealed().zeroize();
        std::mem::take(&mut self.password).into_revealed().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(&str, u16), UrlError>) {
        let read = text.parse::<CameraUrl>();
        assert_eq!(read.as_ref().map(|url| (url.host(), url.port())).map_err(|error| *error), expected, "{text}");
    }

    #[test]
    fn an_address_is_refused_with_the_reason() {
        check("rtsp://10.0.0.8/stream1", Ok(("10.0.0.8", 554)));
        check("rtsp://[fd00::8]:8554/a?b=c", Ok(("fd00::8", 8554)));
        check("rtsp://cam-12.local:8554/user=x&password=&channel=1", Ok(("cam-12.local", 8554)));
        check("http://10.0.0.8/", Err(UrlError::Scheme));
        check("rtsps://10.0.0.8/", Err(UrlError::Scheme));
        check("10.0.0.8:554/stream1", Err(UrlError::Scheme));
        check("rtsp:///stream1", Err(UrlError::Host));
        check("rtsp://10.0.0.8:99999/", Err(UrlError::Unreadable));
        check("rtsp://admin:hunter2@10.0.0.8/", Err(UrlError::Credentials));
        check("rtsp://admin@10.0.0.8/", Err(UrlError::Credentials));
        check("rtsp://10.0.0.8/s?user=admin&password=hunter2", Err(UrlError::Credentials));
        check("rtsp://10.0.0.8/user=admin_password=hunter2_channel=1", Err(UrlError::Credentials));
    }

    #[test]
    fn neither_address_nor_credentials_print() {
        let url: CameraUrl = "rtsp://10.0.0.8/stream1".parse().unwrap();
        let credentials = Credentials::new(Sensitive::new("admin".into()), Sensitive::new("hunter2".into()));
        let text = format!("{url:?} {credentials:?} {:?}", "rtsp://admin:hunter2@h/".parse::<CameraUrl>());
        assert!(!text.contains("10.0.0.8") && !text.contains("admin") && !text.contains("hunter2"), "{text}");
    }
}
