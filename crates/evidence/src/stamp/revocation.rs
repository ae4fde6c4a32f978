//! Whether a certificate of the chain was revoked, by lists that were kept when the timestamp was made (RFC 5280, section 5).

use super::{
    Refusal,
    certificate::{Certificate, instant},
    chain::{Chain, End},
};
use domain::UtcMicros;
use x509_parser::{
    extensions::{DistributionPointName, GeneralName, IssuingDistributionPoint, ParsedExtension},
    pem::Pem,
    prelude::FromDer,
    revocation_list::{CertificateRevocationList, RevokedCertificate},
    x509::ReasonCode,
};

/// Why nothing is known of a certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NotCheckable {
    pub certificate: String,
    pub why: Why,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// No list of its issuer is here.
    NoList,
    /// The lists that are here say nothing of that time.
    OtherTime,
    /// The issuer's own certificate is not here, so that a list of its cannot be checked.
    NoIssuer,
    /// The list speaks of other certificates, of some reasons only, or has a critical extension that is not known.
    OtherScope,
}

impl Why {
    pub const fn text_fr(self) -> &'static str {
        match self {
            Why::NoList => "aucune liste de son émetteur n'a été gardée",
            Why::OtherTime => "les listes gardées ne disent rien de cette date",
            Why::NoIssuer => "le certificat de son émetteur n'est pas connu : donnez la racine par --tsa-root",
            Why::OtherScope => "la liste gardée ne parle pas de lui, ou pas de tous les motifs",
        }
    }
    pub const fn text_en(self) -> &'static str {
        match self {
            Why::NoList => "no list of its issuer was kept",
            Why::OtherTime => "the lists that were kept say nothing of that time",
            Why::NoIssuer => "its issuer's certificate is not known: give the root by --tsa-root",
            Why::OtherScope => "the list that was kept does not speak of it, or not of all reasons",
        }
    }
    /// For programs.
    pub const fn name(self) -> &'static str {
        match self {
            Why::NoList => "no-list",
            Why::OtherTime => "other-time",
            Why::NoIssuer => "no-issuer",
            Why::OtherScope => "other-scope",
        }
    }
}

/// A list, and what its file is called.
pub struct List<'a> {
    pub path: String,
    pub crl: CertificateRevocationList<'a>,
}

impl<'a> List<'a> {
    /// Errors: why these bytes are no list.
    pub fn parse(path: &str, der: &'a [u8]) -> Result<List<'a>, Refusal> {
        let damaged = |why: String| Refusal::List { path: path.to_owned(), why };
        let (rest, crl) = CertificateRevocationList::from_der(der).map_err(|error| damaged(error.to_string()))?;
        if !rest.is_empty() {
            return Err(damaged("more bytes behind it".into()));
        }
        if crl.signature_algorithm != crl.tbs_cert_list.signature || crl.tbs_cert_list.extensions_map().is_err() {
            return Err(damaged("it contradicts itself".into()));
        }
        Ok(List { path: path.to_owned(), crl })
    }

    fn extension<'b, T>(&'b self, of: impl Fn(&'b ParsedExtension<'b>) -> Option<T>) -> Option<T> {
        self.crl.tbs_cert_list.extensions().iter().find_map(|extension| of(extension.parsed_extension()))
    }

    /// Made by a key of another name, or by another key of that name.
    fn is_of(&self, issuer: &Certificate<'_>) -> bool {
        let key = self.extension(|found| match found {
            ParsedExtension::AuthorityKeyIdentifier(identifier) => identifier.key_identifier.as_ref().map(|key| key.0),
            _ => None,
        });
        let is_its_key = key.zip(issuer.key_identifier()).is_none_or(|(key, own)| key == own);
        self.crl.issuer().as_raw() == issuer.x509.subject().as_raw() && is_its_key
    }

    /// A list of before speaks until the next one, and a later one still names whoever was not expired when it was made.
    fn covers(&self, at: UtcMicros, certificate: &Certificate<'_>) -> bool {
        let next = self.crl.next_update().map(instant);
        next.is_some_and(|next| at <= next) && instant(self.crl.last_update()) <= certificate.validity().1
    }

    /// RFC 5280, section 5.2: of this certificate, all reasons, no difference to another list, nothing critical that is not read.
    fn speaks_of(&self, certificate: &Certificate<'_>) -> bool {
        self.crl.tbs_cert_list.extensions().iter().all(|extension| match extension.parsed_extension() {
            ParsedExtension::IssuingDistributionPoint(point) => is_for(point, certificate),
            _ => !extension.critical,
        })
    }

    fn entry(&self, certificate: &Certificate<'_>) -> Option<&RevokedCertificate<'a>> {
        self.crl.iter_revoked_certificates().find(|entry| entry.raw_serial() == certificate.x509.raw_serial())
    }
}

/// A list as it was published: RFC 5280, section 4.2.1.13, asks for DER; some publish PEM.
pub fn to_der(path: &str, published: &[u8]) -> Result<Vec<u8>, Refusal> {
    if published.first() == Some(&0x30) {
        return Ok(published.to_vec());
    }
    let none = || Refusal::List { path: path.to_owned(), why: "neither DER nor PEM".into() };
    let pem = Pem::iter_from_buffer(published).next().and_then(Result::ok).ok_or_else(none)?;
    if pem.label == "X509 CRL" { Ok(pem.contents) } else { Err(none()) }
}

/// Each certificate of the chain but the root, which the reader trusts as it is. Refusals: one is revoked, a list was not signed by its issuer.
pub fn check(chain: &Chain<'_, '_>, lists: &[List<'_>], at: UtcMicros) -> Result<Vec<NotCheckable>, Refusal> {
    let mut unknown = Vec::new();
    for (nth, certificate) in chain.path.iter().enumerate() {
        let is_root = |root: &Certificate<'_>| root.der() == certificate.der();
        let is_trusted = matches!(&chain.end, End::Root(root) if is_root(root)) || certificate.is_self_issued();
        if !is_trusted && let Some(why) = check_one(chain, nth, lists, at)? {
            unknown.push(NotCheckable { certificate: certificate.name(), why });
        }
    }
    Ok(unknown)
}

fn check_one(chain: &Chain<'_, '_>, nth: usize, lists: &[List<'_>], at: UtcMicros) -> Result<Option<Why>, Refusal> {
    let certificate = chain.path[nth];
    let Some(issuer) = chain.issuer_of(nth) else { return Ok(Some(Why::NoIssuer)) };
    let mut found = Why::NoList;
    let mut is_checked = false;
    for list in lists.iter().filter(|list| list.is_of(issuer)) {
        let damaged = |why: &str| Refusal::List { path: list.path.clone(), why: why.to_owned() };
        issuer.has_signed(list.crl.as_raw()).map_err(|_| damaged("its signature does not hold"))?;
        if !issuer.signs_lists() || !list.speaks_of(certificate) {
            found = Why::OtherScope;
            continue;
        }
        if let Some(entry) = list.entry(certificate) {
            judge(entry, certificate, at)?;
        }
        match list.covers(at, certificate) {
            true => is_checked = true,
            false => found = Why::OtherTime,
        }
    }
    Ok((!is_checked).then_some(found))
}

/// RFC 3161, section 4: what was signed before stays valid where the reason says so, and where no reason is given it does not.
fn judge(entry: &RevokedCertificate<'_>, certificate: &Certificate<'_>, at: UtcMicros) -> Result<(), Refusal> {
    let (certificate, revoked) = (certificate.name(), instant(entry.revocation_date));
    let reason = entry.reason_code().map(|(_, reason)| reason);
    let reaches_back = !matches!(
        reason,
        Some(
            ReasonCode::Unspecified
                | ReasonCode::AffiliationChanged
                | ReasonCode::Superseded
                | ReasonCode::CessationOfOperation
        )
    );
    match reason {
        // only lists of differences say it, and those are not read
        Some(ReasonCode::RemoveFromCRL) => Ok(()),
        _ if revoked <= at => Err(Refusal::Revoked { certificate, revoked }),
        _ if reaches_back => Err(Refusal::RevokedSince { certificate, revoked }),
        _ => Ok(()),
    }
}

fn is_for(point: &IssuingDistributionPoint<'_>, certificate: &Certificate<'_>) -> bool {
    let is_ca = certificate.x509.is_ca();
    let whole = !point.indirect_crl
        && !point.only_contains_attribute_certs
        && point.only_some_reasons.is_none()
        && (!point.only_contains_user_certs || !is_ca)
        && (!point.only_contains_ca_certs || is_ca);
    let is_named = match &point.distribution_point {
        None => true,
        Some(DistributionPointName::FullName(names)) => names.iter().any(|name| names_of(certificate).contains(&name)),
        Some(DistributionPointName::NameRelativeToCRLIssuer(_)) => false,
    };
    whole && is_named
}

fn names_of<'b>(certificate: &'b Certificate<'_>) -> Vec<&'b GeneralName<'b>> {
    let points = certificate.x509.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::CRLDistributionPoints(points) => Some(&points.points),
        _ => None,
    });
    let names = points.flatten().filter_map(|point| match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) => Some(names),
        _ => None,
    });
    names.flatten().collect()
}

/// Where the lists of a certificate are published, as it says: addresses of HTTP.
pub fn addresses(certificate: &Certificate<'_>) -> Vec<String> {
    let address = |name: &&GeneralName<'_>| match name {
        GeneralName::URI(address) if address.starts_with("http://") || address.starts_with("https://") => {
            Some((*address).to_owned())
        }
        _ => None,
    };
    names_of(certificate).iter().filter_map(address).collect()
}
