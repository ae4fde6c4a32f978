//! The one place that asks other machines: an HTTP client with TLS, bounded patience, and the certificates of this machine.
//!
//! A town's witness or mirror may stand behind a certificate of the town's own authority, so the machine's store counts where
//! there is one; where there is none (a small container), the roots that browsers trust, which the program brings along.

pub use ureq::{Agent, Error};

/// Head and body of an answer as an [`Agent`] gives it.
pub type Answer = ureq::http::Response<ureq::Body>;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use ureq::{
    config::ConfigBuilder,
    tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem},
    typestate::AgentScope,
};

/// Where Debian keeps what `update-ca-certificates` gathers.
const STORE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A client that waits no longer than `patience` for a whole answer and follows at most so many redirections. A status that is
/// no success is an answer, not an error.
pub fn agent(patience: Duration, redirects: u32) -> ureq::Agent {
    agent_trusting(&store(), patience, redirects)
}

/// One that asks the machine that an address names, and no other: no proxy of the environment, no redirection.
pub fn direct_agent(patience: Duration) -> ureq::Agent {
    builder(&store(), patience, 0).proxy(None).build().into()
}

/// The same as [`agent`] with the authorities in a PEM file, instead of this machine's.
pub fn agent_trusting(store: &Path, patience: Duration, redirects: u32) -> ureq::Agent {
    builder(store, patience, redirects).build().into()
}

fn store() -> PathBuf {
    std::env::var_os("SSL_CERT_FILE").map_or(PathBuf::from(STORE), PathBuf::from)
}

fn builder(store: &Path, patience: Duration, redirects: u32) -> ConfigBuilder<AgentScope> {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(roots(store))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build();
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(redirects)
        .timeout_global(Some(patience))
        .tls_config(tls)
}

/// One question and its whole answer, of at most so many bytes. For protocols whose library makes the questions itself.
pub fn ask(
    agent: &ureq::Agent,
    question: ureq::http::Request<Vec<u8>>,
    bytes_max: usize,
) -> Result<ureq::http::Response<Vec<u8>>, ureq::Error> {
    let (parts, mut body) = agent.run(question)?.into_parts();
    let bytes = body.with_config().limit(bytes_max as u64).read_to_vec()?;
    Ok(ureq::http::Response::from_parts(parts, bytes))
}

/// The same with another patience than the agent's.
pub fn ask_within(
    agent: &ureq::Agent,
    question: ureq::http::Request<Vec<u8>>,
    bytes_max: usize,
    patience: Duration,
) -> Result<ureq::http::Response<Vec<u8>>, ureq::Error> {
    let question = agent.configure_request(question).timeout_global(Some(patience)).build();
    ask(agent, question, bytes_max)
}

fn roots(store: &Path) -> RootCerts {
    let pem = std::fs::read(store).unwrap_or_default();
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() { RootCerts::WebPki } else { RootCerts::Specific(Arc::new(certificates)) }
}
