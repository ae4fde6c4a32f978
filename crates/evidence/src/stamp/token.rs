//! A timestamp token: what it says, and whether whoever it names said so (RFC 3161, section 2.4.2; RFC 5652, section 5).

use super::{
    Refusal, Stamp, algorithm,
    asn1::{
        Algorithm, Attribute, CONTENT_TYPE, Content, EssCertId, EssCertIdV2, EssIssuer, Extension, IssuerAndSerial,
        MESSAGE_DIGEST, QC_STATEMENTS, QUALIFIED, SIGNED_DATA, SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2, Sequenced,
        Set, SignedData, Signer, SigningCertificate, TST_INFO, TstInfo,
    },
    certificate::Certificate,
};
use aws_lc_rs::digest::{SHA256, digest};
use der::{
    Decode, Encode, Tag, Tagged,
    asn1::{AnyRef, ObjectIdentifier, OctetStringRef},
};
use domain::UtcMicros;
use jiff::{civil::DateTime, tz::TimeZone};
use ledger::Digest;

/// Certificates and lists inside a token.
const INSIDE_MAX: usize = 32;

/// A token that could be read; nothing of it is believed yet.
pub struct Token<'a> {
    /// The bytes that are signed for by their digest.
    content: &'a [u8],
    info: TstInfo<'a>,
    signer: Signer<'a>,
    at: UtcMicros,
    pub certificates: Vec<&'a [u8]>,
    pub lists: Vec<&'a [u8]>,
}

impl<'a> Token<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<Token<'a>, Refusal> {
        Token::read(bytes).map_err(|error| Refusal::Damaged { why: error.to_string() })?
    }

    fn read(bytes: &'a [u8]) -> der::Result<Result<Token<'a>, Refusal>> {
        let damaged = |why: &str| Ok(Err(Refusal::Damaged { why: why.to_owned() }));
        let outer = Content::from_der(bytes)?;
        if outer.kind != SIGNED_DATA {
            return damaged("no CMS SignedData");
        }
        let data: SignedData<'a> = outer.content.decode_as()?;
        if data.content.kind != TST_INFO {
            return damaged("no TSTInfo in it");
        }
        // RFC 3161, section 2.4.2: no signature but the authority's
        let signers = data.signers.elements()?;
        let [(_, signer)] = signers[..] else { return damaged("not one signature") };
        let content = data.content.content.as_bytes();
        let info = TstInfo::from_der(content)?;
        let Some(at) = instant(info.time) else { return damaged("its time is none") };
        if info.version != 1 {
            return damaged("a TSTInfo of another version");
        }
        let extensions = extensions(&info)?;
        if extensions.iter().any(|extension| extension.critical && extension.kind != QC_STATEMENTS) {
            return damaged("a critical extension that is not known");
        }
        let certificates = inside(data.certificates)?;
        let lists = inside(data.crls)?;
        if certificates.len() > INSIDE_MAX || lists.len() > INSIDE_MAX {
            return damaged("more certificates than any token has");
        }
        Ok(Ok(Token { content, info, signer: Signer::from_der(signer)?, at, certificates, lists }))
    }

    pub fn at(&self) -> UtcMicros {
        self.at
    }

    pub fn nonce(&self) -> Option<&'a [u8]> {
        self.info.nonce.map(|nonce| nonce.as_bytes())
    }

    /// Whether it dates the bytes of this SHA-256.
    pub fn is_of(&self, imprint: Digest) -> bool {
        self.info.imprint.algorithm.oid == algorithm::SHA256 && self.info.imprint.digest.as_bytes() == imprint.0
    }

    /// The certificate that the signer names by issuer and number, or by its key (RFC 5652, section 5.3).
    pub fn is_signer(&self, certificate: &Certificate<'_>) -> bool {
        match self.signer.sid.decode_as::<IssuerAndSerial<'_>>() {
            Ok(sid) => {
                sid.serial.value() == certificate.x509.raw_serial()
                    && sid.issuer.to_der().is_ok_and(|issuer| issuer == certificate.x509.issuer().as_raw())
            }
            Err(_) => {
                let is_key = self.signer.sid.tag().is_context_specific();
                is_key && certificate.key_identifier() == Some(self.signer.sid.value())
            }
        }
    }

    /// RFC 5652, section 5.4. The order matters for the name: a changed time is no broken signature.
    pub fn is_signed_by(&self, signer: &Certificate<'_>) -> Result<(), Refusal> {
        let digest = self.signer.digest.oid;
        let kind: ObjectIdentifier = self.attribute(CONTENT_TYPE)?;
        let expected: &OctetStringRef = self.attribute(MESSAGE_DIGEST)?;
        if kind != TST_INFO || !algorithm::has_digest(digest, self.content, expected.as_bytes())? {
            return Err(Refusal::Changed);
        }
        // signed under the tag of a set, not under that of the place where they stand
        let attributes = AnyRef::new(Tag::Set, self.signer.attributes.0).and_then(|set| set.to_der());
        let attributes = attributes.map_err(damaged)?;
        let (key, signature) = (signer.x509.public_key().raw, self.signer.signature.as_bytes());
        Ok(algorithm::verify(key, &self.signer.algorithm, Some(digest), &attributes, signature)?)
    }

    /// RFC 2634, section 5.4, and RFC 5816: the first certificate that is named has to be the signer's.
    pub fn names(&self, signer: &Certificate<'_>) -> Result<(), Refusal> {
        let not_bound = |why: &str| Err(Refusal::NotBound { why: why.to_owned() });
        let (is_its, issuer) = if self.has_attribute(SIGNING_CERTIFICATE_V2)? {
            let named: EssCertIdV2<'a> = self.first_named(SIGNING_CERTIFICATE_V2)?;
            let by = named.algorithm.map_or(algorithm::SHA256, |algorithm: Algorithm<'_>| algorithm.oid);
            (algorithm::has_digest(by, signer.der(), named.digest.as_bytes())?, named.issuer)
        } else if self.has_attribute(SIGNING_CERTIFICATE)? {
            let named: EssCertId<'a> = self.first_named(SIGNING_CERTIFICATE)?;
            (algorithm::has_sha1(signer.der(), named.digest.as_bytes()), named.issuer)
        } else {
            return not_bound("ESSCertID");
        };
        match issuer {
            _ if !is_its => not_bound("certHash"),
            Some(issuer) if !is_issuer(&issuer, signer) => not_bound("issuerSerial"),
            _ => Ok(()),
        }
    }

    /// What it says, by whom.
    pub fn stamp(&self, authority: String) -> Stamp {
        let accuracy = self.info.accuracy.as_ref().map(|accuracy| {
            let part = |part: Option<u16>| u64::from(part.unwrap_or_default());
            u64::from(accuracy.seconds.unwrap_or_default()) * 1_000_000
                + part(accuracy.millis) * 1_000
                + part(accuracy.micros)
        });
        let is_qualified = extensions(&self.info).unwrap_or_default().iter().any(is_qualified);
        Stamp {
            at: self.at,
            accuracy_micros: accuracy,
            authority,
            serial: crate::Hex(self.info.serial.as_bytes().iter().take(40).copied().collect()),
            policy: self.info.policy.to_string(),
            is_qualified,
        }
    }

    fn first_named<T: Decode<'a>>(&self, kind: ObjectIdentifier) -> Result<T, Refusal> {
        let attribute: SigningCertificate<'a> = self.attribute(kind)?;
        let certificates = attribute.certificates.elements().map_err(damaged)?;
        let unreadable = || Refusal::NotBound { why: "ESSCertID".into() };
        let (_, first) = certificates.first().ok_or_else(unreadable)?;
        T::from_der(first).map_err(|_| unreadable())
    }

    fn has_attribute(&self, kind: ObjectIdentifier) -> Result<bool, Refusal> {
        Ok(!self.attributes(kind)?.is_empty())
    }

    /// RFC 5652, section 11: once, with one value.
    fn attribute<T: Decode<'a>>(&self, kind: ObjectIdentifier) -> Result<T, Refusal> {
        let found = self.attributes(kind)?;
        let refused = || Refusal::Damaged { why: format!("signed attribute {kind}") };
        let [attribute] = &found[..] else { return Err(refused()) };
        let values = attribute.values.elements().map_err(damaged)?;
        let [(_, value)] = values[..] else { return Err(refused()) };
        T::from_der(value).map_err(|_| refused())
    }

    fn attributes(&self, kind: ObjectIdentifier) -> Result<Vec<Attribute<'a>>, Refusal> {
        let all = self.signer.attributes.elements().map_err(damaged)?;
        let read = all.iter().map(|(_, bytes)| Attribute::from_der(bytes)).collect::<Result<Vec<_>, _>>();
        Ok(read.map_err(damaged)?.into_iter().filter(|attribute| attribute.kind == kind).collect())
    }
}

fn damaged(error: der::Error) -> Refusal {
    Refusal::Damaged { why: error.to_string() }
}

fn is_issuer(issuer: &EssIssuer<'_>, signer: &Certificate<'_>) -> bool {
    issuer.serial.value() == signer.x509.raw_serial() && signer.is_issued_by_one_of(issuer.names)
}

/// Elements that are sequences: other forms stand under tags of their own, and nothing here reads them.
fn inside(set: Option<Set<'_>>) -> der::Result<Vec<&[u8]>> {
    let elements = set.map(Set::elements).transpose()?.unwrap_or_default();
    Ok(elements.into_iter().filter(|(any, _)| any.tag() == Tag::Sequence).map(|(_, bytes)| bytes).collect())
}

fn extensions<'a>(info: &TstInfo<'a>) -> der::Result<Vec<Extension<'a>>> {
    let elements = info.extensions.map(Sequenced::elements).transpose()?.unwrap_or_default();
    elements.iter().map(|(_, bytes)| Extension::from_der(bytes)).collect()
}

/// ETSI EN 319 422, section 9.1.
fn is_qualified(extension: &Extension<'_>) -> bool {
    let statements = || -> der::Result<bool> {
        let statements = Sequenced::from_der(extension.value.as_bytes())?.elements()?;
        Ok(statements.iter().any(|(_, bytes)| {
            let statement = Sequenced::from_der(bytes).and_then(Sequenced::elements).unwrap_or_default();
            statement.first().is_some_and(|(kind, _)| kind.decode_as() == Ok(QUALIFIED))
        }))
    };
    extension.kind == QC_STATEMENTS && statements().unwrap_or(false)
}

/// `20260312140003.25Z`: in UTC, with or without fractions, never a zone (RFC 3161, section 2.4.2).
fn instant(time: AnyRef<'_>) -> Option<UtcMicros> {
    if time.tag() != Tag::GeneralizedTime {
        return None;
    }
    let text = std::str::from_utf8(time.value()).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    if whole.len() != 14 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let part = |from: usize, to: usize| whole[from..to].parse::<i8>().ok();
    let nanos: i32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let year = whole[..4].parse().ok()?;
    let date = (year, part(4, 6)?, part(6, 8)?);
    let read = DateTime::new(date.0, date.1, date.2, part(8, 10)?, part(10, 12)?, part(12, 14)?, nanos).ok()?;
    let stamp = read.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(UtcMicros(stamp.as_microsecond()))
}

/// SHA-256 of the bytes that a timestamp dates.
pub fn imprint(bytes: &[u8]) -> Digest {
    let mut imprint = Digest::default();
    imprint.0.copy_from_slice(digest(&SHA256, bytes).as_ref());
    imprint
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<i64> {
        instant(AnyRef::new(Tag::GeneralizedTime, text.as_bytes()).unwrap()).map(|at| at.0)
    }

    #[test]
    fn a_time_has_any_fraction_and_no_zone() {
        let whole = 1_773_324_003_000_000;
        assert_eq!(read("20260312140003Z"), Some(whole));
        assert_eq!(read("20260312140003.25Z"), Some(whole + 250_000));
        assert_eq!(read("20260312140003.0000019Z"), Some(whole + 1));
        assert_eq!(read("20260312140003.1234567891234Z"), Some(whole + 123_456));
        for wrong in [
            "20260312140003",
            "20260312140003+0100",
            "202603121400Z",
            "20261312140003Z",
            "20260312240003Z",
            "20260312140003.Z",
            "20260312140003.-1Z",
            "+0260312140003Z",
            "Z",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let utc = AnyRef::new(Tag::UtcTime, b"20260312140003Z").unwrap();
        assert_eq!(instant(utc), None);
    }

    #[test]
    fn a_token_says_that_it_is_qualified_by_one_statement_alone() {
        let says = |statements: &[u8], kind| {
            let value = <&OctetStringRef>::try_from(statements).unwrap();
            is_qualified(&Extension { kind, critical: false, value })
        };
        let compliance = [0x30, 11, 0x30, 9, 0x06, 7, 4, 0, 0x81, 0x97, 0x5e, 1, 1];
        assert!(says(&compliance, QC_STATEMENTS) && !says(&compliance, TST_INFO));
        let mut other = compliance;
        other[12] = 2;
        assert!(!says(&other, QC_STATEMENTS) && !says(b"", QC_STATEMENTS));
    }
}
