//! One timestamp asked for: the question, its answer judged under the town's roots, the revocation lists of its chain.
//!
//! 1 the town's roots are read · 2 the authority is asked, again while it is away and time is left · 3 the answer is the one to this question ·
//! 4 its token is judged · 5 each list of the chain is fetched, and kept where it says something of it
//!
//! Nothing is written anywhere; whatever fails before 5 leaves no timestamp, and a list that cannot be had leaves one that says so to its reader.

use super::{StampError, TimestampConfig, Trusted};
use domain::limit::STAMP_QUESTION_SECONDS_MAX;
use evidence::stamp::{
    LIST_BYTES_MAX, Outcome, REQUEST_TYPE, RESPONSE_BYTES_MAX, RESPONSE_TYPE, Refusal, StampFiles, StampRequest, judge,
};
use openidconnect::{
    http::{HeaderMap, Request, header},
    url::Url,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const ONE_QUESTION: Duration = Duration::from_secs(STAMP_QUESTION_SECONDS_MAX);
/// An authority that is away is asked again after this.
const AGAIN: Duration = Duration::from_secs(2);
/// Where lists are published, besides the authority's own port.
const LIST_PORTS: [u16; 2] = [80, 443];
/// RFC 2585, section 4.2.
const LIST_TYPE: &str = "application/pkix-crl";
/// Of a type that a stranger wrote.
const TYPE_LETTERS_MAX: usize = 60;

pub struct Asking {
    config: TimestampConfig,
    request: StampRequest,
    until: Instant,
    stopped: Arc<AtomicBool>,
}

impl Asking {
    pub fn new(
        config: TimestampConfig,
        bytes: &[u8],
        chance: [u8; 8],
        (until, stopped): (Instant, Arc<AtomicBool>),
    ) -> Asking {
        Asking { config, request: StampRequest::new(bytes, chance), until, stopped }
    }

    pub fn run(&self) -> Result<StampFiles, StampError> {
        let trusted = self.config.trusted()?; // 1
        let agent = https::direct_agent(ONE_QUESTION);
        let answer = self.patiently(|| self.answer(&agent))?; // 2
        let mut files = StampFiles { token: self.request.token(&answer)?, ..StampFiles::default() }; // 3
        if let Some(file) = &trusted.certificates {
            files.keep_certificates(file).map_err(|refusal| self.config.many_certificates(&refusal))?;
        }
        let unknown = match judge(&files, self.request.imprint(), &trusted.roots) {
            Outcome::Good { not_checkable, .. } => not_checkable.len(),
            Outcome::NoRoot { .. } => return Err(StampError::NoRoot),
            Outcome::Refused { refusal, .. } => return Err(StampError::Token(refusal)),
        }; // 4
        self.keep_lists(&agent, &mut files, &trusted, unknown)?; // 5
        Ok(files)
    }

    /// Nothing where the time is over, or nobody waits any more.
    fn left(&self) -> Option<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        (!left.is_zero() && !self.stopped.load(Ordering::Relaxed)).then_some(left)
    }

    fn patiently<T>(&self, ask: impl Fn() -> Result<T, StampError>) -> Result<T, StampError> {
        loop {
            let away = match ask() {
                Err(error @ (StampError::Away(_) | StampError::Status { status: 429 | 500.. })) => error,
                done => return done,
            };
            if self.left().is_none_or(|left| left <= AGAIN) {
                return Err(away);
            }
            tracing::debug!(error = %away, "the timestamp authority is asked again");
            thread::sleep(AGAIN);
        }
    }

    /// RFC 3161, section 3.4.
    fn answer(&self, agent: &https::Agent) -> Result<Vec<u8>, StampError> {
        let question = Request::post(&self.config.authority)
            .header(header::CONTENT_TYPE, REQUEST_TYPE)
            .header(header::ACCEPT, RESPONSE_TYPE)
            .body(self.request.to_der());
        let question = question.map_err(|error| StampError::Away(Box::new(error.into())))?;
        let (headers, body) = self.ask(agent, question, RESPONSE_BYTES_MAX)?;
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(RESPONSE_TYPE)) {
            return Ok(body);
        }
        Err(StampError::OtherType { kind: kind.escape_debug().take(TYPE_LETTERS_MAX).collect() })
    }

    fn ask(
        &self,
        agent: &https::Agent,
        question: Request<Vec<u8>>,
        bytes_max: usize,
    ) -> Result<(HeaderMap, Vec<u8>), StampError> {
        let patience = self.left().ok_or(StampError::Late)?.min(ONE_QUESTION);
        let answer = https::ask_within(agent, question, bytes_max, patience).map_err(|error| match error {
            https::Error::BodyExceedsLimit(_) => StampError::TooLong,
            error => StampError::Away(Box::new(error)),
        })?;
        let (parts, body) = answer.into_parts();
        match parts.status.as_u16() {
            200 => Ok((parts.headers, body)),
            status => Err(StampError::Status { status }),
        }
    }

    /// Until every certificate of the chain is spoken of. Refusals: one of them is revoked.
    fn keep_lists(
        &self,
        agent: &https::Agent,
        files: &mut StampFiles,
        trusted: &Trusted,
        mut unknown: usize,
    ) -> Result<(), StampError> {
        for address in files.list_addresses(self.request.imprint(), &trusted.roots) {
            if unknown == 0 {
                break;
            }
            let mut with = files.clone();
            let kept = self.list(agent, &address).and_then(|list| with.keep_list(&list).map_err(StampError::Token));
            if let Err(error) = kept {
                tracing::warn!(%error, "a list of revoked certificates is not kept beside the timestamp");
                continue;
            }
            match judge(&with, self.request.imprint(), &trusted.roots) {
                Outcome::Good { not_checkable, .. } if not_checkable.len() < unknown => {
                    (unknown, *files) = (not_checkable.len(), with);
                }
                Outcome::Refused {
                    refusal: refusal @ (Refusal::Revoked { .. } | Refusal::RevokedSince { .. }),
                    ..
                } => {
                    return Err(StampError::Token(refusal));
                }
                _ => tracing::warn!("a list of revoked certificates says nothing of the timestamp's chain"),
            }
        }
        Ok(())
    }

    fn list(&self, agent: &https::Agent, address: &str) -> Result<Vec<u8>, StampError> {
        let strange = || StampError::StrangeList;
        let url = Url::parse(address).ok().filter(|url| self.may_fetch(url)).ok_or_else(strange)?;
        let question = Request::get(url.as_str()).header(header::ACCEPT, LIST_TYPE).body(vec![]);
        let (_, body) = self.ask(agent, question.map_err(|_| strange())?, LIST_BYTES_MAX)?;
        Ok(body)
    }

    /// Whoever holds a key under the town's roots wrote the address.
    fn may_fetch(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        let own = Url::parse(&self.config.authority).ok().and_then(|own| own.port_or_known_default());
        let is_open = port.is_some_and(|port| LIST_PORTS.contains(&port)) || (port.is_some() && port == own);
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none() && is_open
    }
}
