//! The way from whoever signed to a root that the reader trusts, among certificates in any order.

use super::{Refusal, certificate::Certificate};
use domain::UtcMicros;

/// Public authorities have one or two between signer and root.
const DEPTH_MAX: usize = 8;

/// Where the way ends.
pub enum End<'c, 'a> {
    /// At this root.
    Root(&'c Certificate<'a>),
    /// The reader named no root: whoever must be trusted has this name.
    NoRoot { issuer: String },
}

/// From whoever signed upwards; the root is not among them, unless it signed itself.
pub struct Chain<'c, 'a> {
    pub path: Vec<&'c Certificate<'a>>,
    pub end: End<'c, 'a>,
}

impl<'c, 'a> Chain<'c, 'a> {
    /// Who issued the certificate at this place of the path, if that one is known.
    pub fn issuer_of(&self, nth: usize) -> Option<&'c Certificate<'a>> {
        match (&self.end, self.path.get(nth + 1)) {
            (_, Some(issuer)) => Some(issuer),
            (End::Root(root), None) => Some(root),
            (End::NoRoot { .. }, None) => None,
        }
    }
}

/// One certificate that was reached, and from which.
struct Reached<'c, 'a> {
    certificate: &'c Certificate<'a>,
    from: Option<usize>,
    depth: usize,
}

/// Looks through all ways, the shortest first, each certificate once: a mesh of authorities that sign each other costs no more than
/// their number squared. Each issuer has to be one that may issue, and everything valid at that time.
///
/// Refusals: the way ends before a root; the first certificate on it that is unfit or was not valid.
pub fn find<'c, 'a>(
    signer: &'c Certificate<'a>,
    others: &'c [Certificate<'a>],
    roots: &'c [Certificate<'a>],
    at: UtcMicros,
) -> Result<Chain<'c, 'a>, Refusal> {
    is_valid(signer, at)?;
    let mut reached = vec![Reached { certificate: signer, from: None, depth: 0 }];
    let mut refused = None;
    let mut next = 0;
    while let Some(Reached { certificate, depth, .. }) = reached.get(next) {
        let (certificate, depth) = (*certificate, *depth);
        if let Some(root) = roots.iter().find(|root| root.der() == certificate.der()) {
            return Ok(Chain { path: path(&reached, next), end: End::Root(root) });
        }
        for root in roots.iter().filter(|root| has_issued(root, certificate)) {
            match is_trusted(root, depth, at) {
                Ok(()) => return Ok(Chain { path: path(&reached, next), end: End::Root(root) }),
                Err(refusal) => drop(refused.get_or_insert(refusal)),
            }
        }
        for issuer in others.iter().filter(|issuer| depth + 1 < DEPTH_MAX && has_issued(issuer, certificate)) {
            if reached.iter().any(|known| known.certificate.der() == issuer.der()) {
                continue;
            }
            match is_fit(issuer, depth, at) {
                Ok(()) => reached.push(Reached { certificate: issuer, from: Some(next), depth: depth + 1 }),
                Err(refusal) => drop(refused.get_or_insert(refusal)),
            }
        }
        next += 1;
    }
    if let Some(refusal) = refused {
        return Err(refusal);
    }
    let last = reached.len() - 1; // the signer at least
    let top = reached[last].certificate;
    let issuer = top.issuer_name();
    match roots {
        [] => Ok(Chain { path: path(&reached, last), end: End::NoRoot { issuer } }),
        _ => Err(Refusal::OtherRoot { issuer }),
    }
}

fn has_issued(issuer: &Certificate<'_>, certificate: &Certificate<'_>) -> bool {
    issuer.is_named_issuer_of(certificate) && issuer.has_signed(certificate.der()).is_ok()
}

fn is_fit(issuer: &Certificate<'_>, below: usize, at: UtcMicros) -> Result<(), Refusal> {
    issuer.issues(below).map_err(|why| Refusal::Unfit { certificate: issuer.name(), why })?;
    is_valid(issuer, at)
}

/// The reader trusts it; what it says of itself holds where it says something (RFC 5280, section 6.2): old roots have no extensions.
fn is_trusted(root: &Certificate<'_>, below: usize, at: UtcMicros) -> Result<(), Refusal> {
    if root.has_extensions() { is_fit(root, below, at) } else { is_valid(root, at) }
}

fn is_valid(certificate: &Certificate<'_>, at: UtcMicros) -> Result<(), Refusal> {
    let (from, to) = certificate.validity();
    // until the last second is over (RFC 5280, section 4.1.2.5: inclusive)
    if from <= at && at < to.plus_seconds(1) {
        return Ok(());
    }
    Err(Refusal::Expired { certificate: certificate.name(), at, from, to })
}

fn path<'c, 'a>(reached: &[Reached<'c, 'a>], last: usize) -> Vec<&'c Certificate<'a>> {
    let mut path = Vec::new();
    let mut at = Some(last);
    while let Some(one) = at.and_then(|at| reached.get(at)) {
        path.push(one.certificate);
        at = one.from;
    }
    path.reverse();
    path
}
