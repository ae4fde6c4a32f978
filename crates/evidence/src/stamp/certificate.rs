//! One certificate: whose it is, what it may do, who signed it (RFC 5280).

use super::{
    algorithm::{self, Fault},
    asn1::{Sequenced, Signed},
};
use der::{Decode, Encode};
use domain::UtcMicros;
use x509_parser::{
    certificate::X509Certificate,
    extensions::{BasicConstraints, ExtendedKeyUsage, KeyUsage, ParsedExtension},
    pem::Pem,
    prelude::FromDer,
    time::ASN1Time,
    x509::X509Name,
};

pub const NO_PURPOSE: &str = "it has no extended key usage";
pub const OTHER_PURPOSE: &str = "its extended key usage is another one, or not this one alone";
pub const NOT_CRITICAL: &str = "its extended key usage is not critical";
pub const NO_SIGNING: &str = "its key may not sign";
pub const NOT_A_CA: &str = "it is no certification authority";
pub const TOO_LONG: &str = "the chain is longer than it allows";
pub const UNKNOWN_EXTENSION: &str = "it has a critical extension that is not known";

/// Of a name that is told: what a certificate calls itself may be of any length.
const NAME_SIGNS_MAX: usize = 160;

/// Those that are looked at here; any other that is critical refuses the certificate (RFC 5280, section 4.2): basic constraints, key
/// usage, extended key usage; policies, of which every one is accepted; other names of the subject, of which nothing depends.
const KNOWN: [&str; 5] = ["2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.32", "2.5.29.17"];

pub struct Certificate<'a> {
    pub x509: X509Certificate<'a>,
}

impl<'a> Certificate<'a> {
    /// Errors: why these bytes are no certificate.
    pub fn parse(der: &'a [u8]) -> Result<Certificate<'a>, String> {
        let (rest, x509) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        if !rest.is_empty() {
            return Err("more bytes behind a certificate".into());
        }
        if x509.extensions_map().is_err() {
            return Err("a certificate that has an extension twice".into());
        }
        if x509.signature_algorithm != x509.tbs_certificate.signature {
            return Err("a certificate that names two algorithms".into());
        }
        Ok(Certificate { x509 })
    }

    pub fn der(&self) -> &'a [u8] {
        self.x509.as_raw()
    }

    pub fn name(&self) -> String {
        name(self.x509.subject())
    }

    pub fn issuer_name(&self) -> String {
        name(self.x509.issuer())
    }

    /// Names are compared as bytes: issuers copy them (RFC 5280, section 7.1, would allow more).
    pub fn is_named_issuer_of(&self, other: &Certificate<'_>) -> bool {
        self.x509.subject().as_raw() == other.x509.issuer().as_raw()
    }

    pub fn has_signed(&self, der: &[u8]) -> Result<(), Fault> {
        let signed = Signed::from_der(der).map_err(|_| Fault::Broken)?;
        let body = signed.body.to_der().map_err(|_| Fault::Broken)?;
        let signature = signed.signature.as_bytes().ok_or(Fault::Broken)?;
        algorithm::verify(self.x509.public_key().raw, &signed.algorithm, None, &body, signature)
    }

    pub fn is_self_issued(&self) -> bool {
        self.x509.subject().as_raw() == self.x509.issuer().as_raw()
    }

    /// Those of the first version have none.
    pub fn has_extensions(&self) -> bool {
        !self.x509.extensions().is_empty()
    }

    pub fn validity(&self) -> (UtcMicros, UtcMicros) {
        let validity = self.x509.validity();
        (instant(validity.not_before), instant(validity.not_after))
    }

    /// RFC 3161, section 2.3: extended key usage, critical, and for timestamps alone.
    pub fn stamps(&self) -> Result<(), &'static str> {
        let (critical, usage) = self.extended_usage().ok_or(NO_PURPOSE)?;
        let ExtendedKeyUsage { any, server_auth, client_auth, code_signing, email_protection, ocsp_signing, .. } =
            usage;
        let others = [any, server_auth, client_auth, code_signing, email_protection, ocsp_signing];
        if !usage.time_stamping || others.contains(&&true) || !usage.other.is_empty() {
            return Err(OTHER_PURPOSE);
        }
        if !critical {
            return Err(NOT_CRITICAL);
        }
        if self.usage().is_some_and(|usage| !usage.digital_signature() && !usage.non_repudiation()) {
            return Err(NO_SIGNING);
        }
        self.only_known()
    }

    /// RFC 5280, section 6.1.4 (k to n); `below` are the authorities between it and whoever signed. A purpose that an authority is
    /// narrowed to has to be this one, as browsers and Windows read it.
    pub fn issues(&self, below: usize) -> Result<(), &'static str> {
        let constraints = self.constraints().filter(|constraints| constraints.ca).ok_or(NOT_A_CA)?;
        if self.usage().is_some_and(|usage| !usage.key_cert_sign()) {
            return Err(NO_SIGNING);
        }
        if constraints.path_len_constraint.is_some_and(|most| (most as usize) < below) {
            return Err(TOO_LONG);
        }
        if self.extended_usage().is_some_and(|(_, usage)| !usage.time_stamping && !usage.any) {
            return Err(OTHER_PURPOSE);
        }
        self.only_known()
    }

    pub fn signs_lists(&self) -> bool {
        self.usage().is_none_or(KeyUsage::crl_sign)
    }

    pub fn key_identifier(&self) -> Option<&[u8]> {
        self.extension(|found| match found {
            ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0),
            _ => None,
        })
    }

    /// The inside of a `GeneralNames` has this certificate's issuer as its directory name.
    pub fn is_issued_by_one_of(&self, names: Sequenced<'_>) -> bool {
        let names = names.elements().unwrap_or_default();
        names.iter().any(|(name, _)| name.value() == self.x509.issuer().as_raw())
    }

    fn usage(&self) -> Option<&KeyUsage> {
        self.extension(|found| match found {
            ParsedExtension::KeyUsage(usage) => Some(usage),
            _ => None,
        })
    }

    fn constraints(&self) -> Option<&BasicConstraints> {
        self.extension(|found| match found {
            ParsedExtension::BasicConstraints(constraints) => Some(constraints),
            _ => None,
        })
    }

    fn extended_usage(&self) -> Option<(bool, &ExtendedKeyUsage<'a>)> {
        self.x509.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::ExtendedKeyUsage(usage) => Some((extension.critical, usage)),
            _ => None,
        })
    }

    fn extension<'b, T>(&'b self, of: impl Fn(&'b ParsedExtension<'a>) -> Option<T>) -> Option<T> {
        self.x509.extensions().iter().find_map(|extension| of(extension.parsed_extension()))
    }

    /// An extension that is known and cannot be read is not known either: it might have said no.
    fn only_known(&self) -> Result<(), &'static str> {
        let mut extensions = self.x509.extensions().iter();
        let is_known = |extension: &x509_parser::extensions::X509Extension<'_>| {
            let is_read = !matches!(extension.parsed_extension(), ParsedExtension::ParseError { .. });
            let is_listed = KNOWN.contains(&extension.oid.to_id_string().as_str());
            if is_listed { is_read } else { !extension.critical }
        };
        if extensions.all(is_known) { Ok(()) } else { Err(UNKNOWN_EXTENSION) }
    }
}

/// Certificates of a file: PEM, one after the other, or one as DER. Errors: why it has none.
pub fn read_all(file: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    if file.first() == Some(&0x30) {
        Certificate::parse(file)?;
        return Ok(vec![file.to_vec()]);
    }
    let mut found = Vec::new();
    for pem in Pem::iter_from_buffer(file) {
        let pem = pem.map_err(|error| error.to_string())?;
        if pem.label == "CERTIFICATE" {
            Certificate::parse(&pem.contents)?;
            found.push(pem.contents);
        }
    }
    if found.is_empty() { Err("no certificate in it".into()) } else { Ok(found) }
}

/// What a terminal may show of a name that a stranger wrote.
fn name(of: &X509Name<'_>) -> String {
    let plain = |sign: char| if sign.is_control() { '\u{b7}' } else { sign };
    of.to_string().chars().take(NAME_SIGNS_MAX).map(plain).collect()
}

/// Certificates and lists count whole seconds.
pub fn instant(time: ASN1Time) -> UtcMicros {
    UtcMicros(time.timestamp().saturating_mul(1_000_000))
}
