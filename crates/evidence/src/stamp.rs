//! The timestamp of a package: an authority that is not the town says that the package existed at a time (RFC 3161, RFC 5816).
//!
//! It dates `registre.json`, which binds all the rest: the log's entry in it has the manifest's digest, and the manifest has that of each
//! file. `request` asks, `token` reads what is answered, `certificate`, `chain` and `revocation` say whether whoever signed may be believed,
//! `refusal` why not. Everything is decided by what lies in the package and the roots that the reader brings: no network, no clock.

mod algorithm;
mod asn1;
mod ber;
mod certificate;
mod chain;
mod refusal;
mod request;
mod revocation;
mod token;

pub use refusal::Refusal;
pub use request::{REQUEST_TYPE, RESPONSE_BYTES_MAX, RESPONSE_TYPE, ResponseError, StampRequest};
pub use revocation::{NotCheckable, Why};

use crate::Hex;
use certificate::Certificate;
use chain::{Chain, End};
use domain::UtcMicros;
use ledger::Digest;
use revocation::List;
use token::Token;

/// The token, in the folder of the timestamp.
pub const TOKEN: &str = "horodatage/jeton.tst";
/// A token with a chain of four certificates is ten kilobytes.
pub const TOKEN_BYTES_MAX: usize = 128 << 10;
/// Certificates between the authority and its root that the token lacks.
pub const CERTIFICATES_MAX: usize = 8;
pub const CERTIFICATE_BYTES_MAX: usize = 16 << 10;
/// Lists that were kept: one for each certificate of the chain.
pub const LISTS_MAX: usize = 8;
/// Authorities of timestamps revoke few; the largest public lists have some hundred kilobytes.
pub const LIST_BYTES_MAX: usize = 4 << 20;
/// A reader trusts a handful, or a whole trust list.
const ROOTS_MAX: usize = 256;

pub fn certificate_path(nth: usize) -> String {
    format!("horodatage/certificat-{}.cer", nth + 1)
}
pub fn list_path(nth: usize) -> String {
    format!("horodatage/liste-{}.crl", nth + 1)
}

/// All that a package keeps of its timestamp, as DER.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StampFiles {
    pub token: Vec<u8>,
    /// What the token lacks of the chain; the order does not matter.
    pub certificates: Vec<Vec<u8>>,
    /// Revocation lists as they were when the timestamp was made.
    pub lists: Vec<Vec<u8>>,
}

impl StampFiles {
    /// Paths and bytes, to be put into the package behind `registre.json`.
    pub fn files(&self) -> Vec<(String, &[u8])> {
        let certificates = self.certificates.iter().enumerate().map(|(nth, der)| (certificate_path(nth), &der[..]));
        let lists = self.lists.iter().enumerate().map(|(nth, der)| (list_path(nth), &der[..]));
        [(TOKEN.to_owned(), &self.token[..])].into_iter().chain(certificates).chain(lists).collect()
    }

    /// Certificates of a file (PEM or DER) that the token does not carry. Errors: as read, more than a package has.
    pub fn keep_certificates(&mut self, file: &[u8]) -> Result<(), Refusal> {
        let damaged = |why: String| Refusal::Damaged { why };
        let read = certificate::read_all(file).map_err(damaged)?;
        let inside = Token::parse(&self.token)?.certificates;
        let mut with = self.clone();
        for der in read {
            if !inside.contains(&&der[..]) && !with.certificates.contains(&der) {
                with.certificates.push(der);
            }
        }
        is_bounded(&with)?;
        self.certificates = with.certificates;
        Ok(())
    }

    /// A list as it was fetched (DER, or PEM). Errors: it is none, or longer than a package has; then nothing is kept. Whether its issuer signed it
    /// says [`judge`]: a package with a list that refuses it is not handed over, so leave that one out.
    pub fn keep_list(&mut self, fetched: &[u8]) -> Result<(), Refusal> {
        let path = list_path(self.lists.len());
        let der = revocation::to_der(&path, fetched)?;
        List::parse(&path, &der)?;
        let lists = [&self.lists[..], &[der]].concat();
        let with = StampFiles { lists, ..self.clone() };
        is_bounded(&with)?;
        *self = with;
        Ok(())
    }

    /// Where the lists of the signer and of the authorities above it are published: what to fetch, and to keep beside the token. None where
    /// [`judge`] does not believe the token, and none of certificates that merely lie in it: nobody signed that they do, and they could name any
    /// machine.
    pub fn list_addresses(&self, imprint: Digest, roots: &Roots) -> Vec<String> {
        let mut told = Learnt::default();
        match decide(self, imprint, roots, &mut told) {
            Ok(Outcome::Good { .. }) => told.addresses,
            _ => Vec::new(),
        }
    }
}

/// The roots that a reader trusts for timestamps. None of them may come from the package.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Roots(Vec<Vec<u8>>);

/// Why a file has no roots.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no certificate of a timestamp authority's root can be read ({why}): give PEM or DER")]
pub struct RootsError {
    pub why: String,
}

impl Roots {
    /// From PEM, several after each other, or DER.
    pub fn read(file: &[u8]) -> Result<Roots, RootsError> {
        let found = certificate::read_all(file).map_err(|why| RootsError { why })?;
        if found.len() > ROOTS_MAX {
            return Err(RootsError { why: format!("more than {ROOTS_MAX}") });
        }
        Ok(Roots(found))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a token says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    pub at: UtcMicros,
    /// More or less; none where the authority does not say.
    pub accuracy_micros: Option<u64>,
    /// Subject of the certificate that signed.
    pub authority: String,
    pub serial: Hex,
    /// Object identifier of the authority's policy.
    pub policy: String,
    /// The token claims to be a qualified one (Regulation (EU) 910/2014, article 42); whether its authority is, the trust lists say.
    pub is_qualified: bool,
}

/// The verdict on a timestamp.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Everything holds, up to this root of the reader's.
    Good { stamp: Stamp, root: String, not_checkable: Vec<NotCheckable> },
    /// Imprint and signature hold, and the reader named no root: whether the time is believed depends on whether this issuer is.
    NoRoot { stamp: Stamp, issuer: String, not_checkable: Vec<NotCheckable> },
    /// The stamp is told where it could be read: nothing of it is believed.
    Refused { refusal: Refusal, stamp: Option<Stamp> },
}

impl Outcome {
    pub fn stamp(&self) -> Option<&Stamp> {
        match self {
            Outcome::Good { stamp, .. } | Outcome::NoRoot { stamp, .. } => Some(stamp),
            Outcome::Refused { stamp, .. } => stamp.as_ref(),
        }
    }
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Outcome::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }
}

/// The verdict over the bytes of this SHA-256.
///
/// 1 everything can be read · 2 the imprint is that of these bytes · 3 the signer's certificate is there · 4 the content is what was signed, and by
/// that certificate · 5 the signature names it · 6 it is one for timestamps · 7 the chain, valid at that time · 8 revocation
pub fn judge(files: &StampFiles, imprint: Digest, roots: &Roots) -> Outcome {
    let mut told = Learnt::default();
    match decide(files, imprint, roots, &mut told) {
        Ok(outcome) => outcome,
        Err(refusal) => Outcome::Refused { refusal, stamp: told.stamp },
    }
}

/// What was learnt on the way to a verdict.
#[derive(Default)]
struct Learnt {
    stamp: Option<Stamp>,
    /// Where the chain says that its lists are.
    addresses: Vec<String>,
}

/// The imprint that a timestamp of these bytes has to have.
pub fn imprint(bytes: &[u8]) -> Digest {
    token::imprint(bytes)
}

fn decide(files: &StampFiles, imprint: Digest, roots: &Roots, told: &mut Learnt) -> Result<Outcome, Refusal> {
    is_bounded(files)?;
    let token = Token::parse(&files.token)?; // 1
    let inside = token.certificates.iter().copied().chain(files.certificates.iter().map(Vec::as_slice));
    let certificates = inside.map(certificate).collect::<Result<Vec<_>, _>>()?;
    let trusted = roots.0.iter().map(|der| certificate(der)).collect::<Result<Vec<_>, _>>()?;
    let lists = lists(files, &token)?;
    if !token.is_of(imprint) {
        return Err(Refusal::Foreign); // 2
    }
    // a reader may trust the signer itself, and the token not carry it
    let named: Vec<_> =
        certificates.iter().chain(&trusted).filter(|certificate| token.is_signer(certificate)).collect();
    // of several with one issuer and number, the one whose digest the signature names
    let own = named.iter().find(|certificate| token.names(certificate).is_ok());
    let signer = *own.or(named.first()).ok_or(Refusal::SignerMissing)?; // 3
    told.stamp = Some(token.stamp(signer.name()));
    token.is_signed_by(signer)?; // 4
    token.names(signer)?; // 5
    signer.stamps().map_err(|why| Refusal::Purpose { certificate: signer.name(), why })?; // 6
    let chain = chain::find(signer, &certificates, &trusted, token.at())?; // 7
    told.addresses = addresses(&chain);
    let not_checkable = revocation::check(&chain, &lists, token.at())?; // 8
    let stamp = token.stamp(signer.name());
    Ok(match &chain.end {
        End::Root(root) => Outcome::Good { stamp, root: root.name(), not_checkable },
        End::NoRoot { issuer } => Outcome::NoRoot { stamp, issuer: issuer.clone(), not_checkable },
    })
}

/// Each once, no more than a package has lists.
fn addresses(chain: &Chain<'_, '_>) -> Vec<String> {
    let mut addresses: Vec<String> = chain.path.iter().flat_map(|one| revocation::addresses(one)).collect();
    addresses.sort();
    addresses.dedup();
    addresses.truncate(LISTS_MAX);
    addresses
}

/// Bounds of a package's files, of which nothing else is known yet.
fn is_bounded(files: &StampFiles) -> Result<(), Refusal> {
    let too_many = files.certificates.len() > CERTIFICATES_MAX || files.lists.len() > LISTS_MAX;
    let too_long = files.token.len() > TOKEN_BYTES_MAX
        || files.certificates.iter().any(|der| der.len() > CERTIFICATE_BYTES_MAX)
        || files.lists.iter().any(|der| der.len() > LIST_BYTES_MAX);
    let why = match (too_many, too_long) {
        (true, _) => "more files than any timestamp has",
        (_, true) => "longer than any timestamp is",
        _ => return Ok(()),
    };
    Err(Refusal::Damaged { why: why.into() })
}

fn certificate(der: &[u8]) -> Result<Certificate<'_>, Refusal> {
    Certificate::parse(der).map_err(|why| Refusal::Damaged { why })
}

/// Those beside the token, and those in it.
fn lists<'a>(files: &'a StampFiles, token: &Token<'a>) -> Result<Vec<List<'a>>, Refusal> {
    let beside = files.lists.iter().enumerate().map(|(nth, der)| (list_path(nth), der.as_slice()));
    let inside = token.lists.iter().map(|der| (TOKEN.to_owned(), *der));
    beside.chain(inside).map(|(path, der)| List::parse(&path, der)).collect()
}
