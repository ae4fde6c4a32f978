//! Questions over HTTP, with Digest (RFC 7616) where a device asks for it (ONVIF Profile T, 7.1); never Basic, never a proxy.

use crate::{ANSWER_BYTES_MAX, Line, Question, Reply, SignIn, Trouble};
use http_auth::{PasswordClient, PasswordParams};
use std::time::Duration;
use ureq::http::{Response, StatusCode, header};
use url::Url;

/// Of one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A line to one device.
pub struct HttpLine<'a> {
    agent: ureq::Agent,
    sign_in: Option<&'a SignIn>,
    /// The challenge that it answered with last.
    digest: Option<PasswordClient>,
}

impl<'a> HttpLine<'a> {
    pub fn new(sign_in: Option<&'a SignIn>) -> HttpLine<'a> {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0) // a redirection could lead to another host
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        HttpLine { agent, sign_in, digest: None }
    }

    fn send(&mut self, to: &Url, question: &Question) -> Result<Response<ureq::Body>, Trouble> {
        let media_type = format!("application/soap+xml; charset=utf-8; action=\"{}\"", question.action);
        let mut request = self.agent.post(to.as_str()).content_type(media_type);
        if let (Some(digest), Some(sign_in)) = (&mut self.digest, self.sign_in) {
            let uri = &to[url::Position::BeforePath..];
            let asked = PasswordParams {
                username: sign_in.user.reveal(),
                password: sign_in.password.reveal(),
                uri,
                method: "POST",
                body: Some(question.body.as_bytes()),
            };
            let answer = digest.respond(&asked).map_err(|_| Trouble::Refused)?;
            request = request.header(header::AUTHORIZATION, answer);
        }
        request.send(&question.body).map_err(|_| Trouble::Unreachable)
    }

    /// The challenge to answer, if there is somebody to answer as.
    fn challenge(&self, answer: &Response<ureq::Body>) -> Result<Option<PasswordClient>, Trouble> {
        if answer.status() != StatusCode::UNAUTHORIZED || self.sign_in.is_none() {
            return Ok(None);
        }
        let mut builder = PasswordClient::builder();
        for value in answer.headers().get_all(header::WWW_AUTHENTICATE) {
            builder = builder.challenges(value.to_str().unwrap_or_default());
        }
        match builder.build() {
            Ok(digest @ PasswordClient::Digest(_)) => Ok(Some(digest)),
            Ok(PasswordClient::Basic(_)) => Err(Trouble::ClearPassword),
            // a scheme that nobody here knows: the refusal stays
            Ok(_) | Err(_) => Ok(None),
        }
    }
}

impl Line for HttpLine<'_> {
    fn post(&mut self, to: &Url, question: &Question) -> Result<Reply, Trouble> {
        let mut answer = self.send(to, question)?;
        // once more: nobody had asked for Digest yet, or its nonce has ended
        if let Some(digest) = self.challenge(&answer)? {
            self.digest = Some(digest);
            answer = self.send(to, question)?;
        }
        let date = answer.headers().get(header::DATE).and_then(|value| value.to_str().ok()).and_then(unix_seconds);
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX as u64 + 1).read_to_vec();
        Ok(Reply { status, date, body: body.map_err(|_| Trouble::NotOnvif)? })
    }
}

fn unix_seconds(date: &str) -> Option<i64> {
    jiff::fmt::rfc2822::parse(date).ok().map(|time| time.timestamp().as_second())
}
