//! Which signatures and digests are believed: SHA-256 and longer, RSA of 2,048 bits and more, the curves P-256, P-384 and P-521.
//!
//! SHA-1 stands in the attribute that names the signer's certificate only, where RFC 5816, section 2, leaves it.

use super::asn1::{Algorithm, PssParameters, PublicKey};
use aws_lc_rs::{digest as digests, signature as signatures};
use der::{Decode, asn1::ObjectIdentifier};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}
pub const SHA256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");
const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = oid("1.2.840.113549.1.1.10");
const RSA_SHA256: ObjectIdentifier = oid("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = oid("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = oid("1.2.840.113549.1.1.13");
const MASK_MGF1: ObjectIdentifier = oid("1.2.840.113549.1.1.8");
const EC: ObjectIdentifier = oid("1.2.840.10045.2.1");
const ECDSA_SHA256: ObjectIdentifier = oid("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = oid("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = oid("1.2.840.10045.4.3.4");
const P256: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = oid("1.3.132.0.34");
const P521: ObjectIdentifier = oid("1.3.132.0.35");

/// Why a signature is not believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// An algorithm that is not read, or no longer safe.
    Unknown {
        oid: String,
    },
    Broken,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn of(oid: ObjectIdentifier) -> Option<Hash> {
        match oid {
            SHA256 => Some(Hash::Sha256),
            SHA384 => Some(Hash::Sha384),
            SHA512 => Some(Hash::Sha512),
            _ => None,
        }
    }
    const fn bytes(self) -> u8 {
        match self {
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
            Hash::Sha512 => 64,
        }
    }
}

/// Whether these bytes have that digest.
pub fn has_digest(algorithm: ObjectIdentifier, bytes: &[u8], expected: &[u8]) -> Result<bool, Fault> {
    let hash = Hash::of(algorithm).ok_or_else(|| unknown(algorithm))?;
    let digest = match hash {
        Hash::Sha256 => digests::digest(&digests::SHA256, bytes),
        Hash::Sha384 => digests::digest(&digests::SHA384, bytes),
        Hash::Sha512 => digests::digest(&digests::SHA512, bytes),
    };
    Ok(digest.as_ref() == expected)
}

/// SHA-1, for an `ESSCertID` of the first version.
pub fn has_sha1(bytes: &[u8], expected: &[u8]) -> bool {
    digests::digest(&digests::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref() == expected
}

/// `key` is a `SubjectPublicKeyInfo`; `digest` the signer's, where CMS names it apart (RFC 3370, section 3.2).
pub fn verify(
    key: &[u8],
    algorithm: &Algorithm<'_>,
    digest: Option<ObjectIdentifier>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Fault> {
    let key = PublicKey::from_der(key).map_err(|_| Fault::Broken)?;
    let by = choose(&key, algorithm, digest)?;
    let point = key.key.as_bytes().ok_or(Fault::Broken)?;
    signatures::UnparsedPublicKey::new(by, point).verify(message, signature).map_err(|_| Fault::Broken)
}

fn choose(
    key: &PublicKey<'_>,
    algorithm: &Algorithm<'_>,
    digest: Option<ObjectIdentifier>,
) -> Result<&'static dyn signatures::VerificationAlgorithm, Fault> {
    let is_rsa = matches!(key.algorithm.oid, RSA | RSA_PSS);
    match (algorithm.oid, digest) {
        (RSA, Some(digest)) if is_rsa => Ok(rsa(Hash::of(digest).ok_or_else(|| unknown(digest))?)),
        (RSA_SHA256, _) if is_rsa => Ok(rsa(Hash::Sha256)),
        (RSA_SHA384, _) if is_rsa => Ok(rsa(Hash::Sha384)),
        (RSA_SHA512, _) if is_rsa => Ok(rsa(Hash::Sha512)),
        (RSA_PSS, _) if is_rsa => pss(algorithm),
        (ECDSA_SHA256, _) => ecdsa(key, Hash::Sha256),
        (ECDSA_SHA384, _) => ecdsa(key, Hash::Sha384),
        (ECDSA_SHA512, _) => ecdsa(key, Hash::Sha512),
        (other, _) => Err(unknown(other)),
    }
}

fn rsa(hash: Hash) -> &'static dyn signatures::VerificationAlgorithm {
    match hash {
        Hash::Sha256 => &signatures::RSA_PKCS1_2048_8192_SHA256,
        Hash::Sha384 => &signatures::RSA_PKCS1_2048_8192_SHA384,
        Hash::Sha512 => &signatures::RSA_PKCS1_2048_8192_SHA512,
    }
}

/// One digest for message and mask, a salt of its length (RFC 4055, section 3.1, recommends it); anything else is not read.
fn pss(algorithm: &Algorithm<'_>) -> Result<&'static dyn signatures::VerificationAlgorithm, Fault> {
    let refused = || unknown(RSA_PSS);
    let parameters = algorithm.parameters.ok_or_else(refused)?;
    let parameters: PssParameters<'_> = parameters.decode_as().map_err(|_| refused())?;
    let mask = parameters.mask.filter(|mask| mask.oid == MASK_MGF1).ok_or_else(refused)?;
    let of_mask: Algorithm<'_> = mask.parameters.ok_or_else(refused)?.decode_as().map_err(|_| refused())?;
    let hash = parameters.digest.and_then(|digest| Hash::of(digest.oid)).ok_or_else(refused)?;
    let is_usual = Hash::of(of_mask.oid) == Some(hash)
        && parameters.salt_bytes == Some(hash.bytes())
        && parameters.trailer.is_none_or(|trailer| trailer == 1);
    match hash {
        _ if !is_usual => Err(refused()),
        Hash::Sha256 => Ok(&signatures::RSA_PSS_2048_8192_SHA256),
        Hash::Sha384 => Ok(&signatures::RSA_PSS_2048_8192_SHA384),
        Hash::Sha512 => Ok(&signatures::RSA_PSS_2048_8192_SHA512),
    }
}

fn ecdsa(key: &PublicKey<'_>, hash: Hash) -> Result<&'static dyn signatures::VerificationAlgorithm, Fault> {
    let curve = key.algorithm.parameters.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
    match (key.algorithm.oid, curve, hash) {
        (EC, Some(P256), Hash::Sha256) => Ok(&signatures::ECDSA_P256_SHA256_ASN1),
        (EC, Some(P256), Hash::Sha384) => Ok(&signatures::ECDSA_P256_SHA384_ASN1),
        (EC, Some(P256), Hash::Sha512) => Ok(&signatures::ECDSA_P256_SHA512_ASN1),
        (EC, Some(P384), Hash::Sha256) => Ok(&signatures::ECDSA_P384_SHA256_ASN1),
        (EC, Some(P384), Hash::Sha384) => Ok(&signatures::ECDSA_P384_SHA384_ASN1),
        (EC, Some(P384), Hash::Sha512) => Ok(&signatures::ECDSA_P384_SHA512_ASN1),
        (EC, Some(P521), Hash::Sha256) => Ok(&signatures::ECDSA_P521_SHA256_ASN1),
        (EC, Some(P521), Hash::Sha384) => Ok(&signatures::ECDSA_P521_SHA384_ASN1),
        (EC, Some(P521), Hash::Sha512) => Ok(&signatures::ECDSA_P521_SHA512_ASN1),
        (EC, Some(curve), _) => Err(unknown(curve)),
        (other, ..) => Err(unknown(other)),
    }
}

fn unknown(oid: ObjectIdentifier) -> Fault {
    Fault::Unknown { oid: oid.to_string() }
}
