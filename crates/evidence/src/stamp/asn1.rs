//! The structures of a timestamp as RFC 3161 and RFC 5652 (CMS) write them, read strictly as DER.
//!
//! What a signature covers is kept as it stood: sets are not sorted, because `openssl ts` writes certificates in the order of its file,
//! and a set that is written anew would have another digest.

use der::{
    Decode, DecodeValue, EncodeValue, FixedTag, Header, Length, Reader, Sequence, SliceReader, Tag, Writer,
    asn1::{AnyRef, BitStringRef, IntRef, ObjectIdentifier, OctetStringRef},
};

pub const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// RFC 3161, section 2.4.2.
pub const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
pub const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
pub const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
/// RFC 2634, section 5.4.
pub const SIGNING_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
/// RFC 5035, section 3, for timestamps by RFC 5816.
pub const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
/// ETSI EN 319 422, section 9.1: a token says by these that it is a qualified one of Regulation (EU) 910/2014.
pub const QC_STATEMENTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.3");
pub const QUALIFIED: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.4.0.19422.1.1");

#[derive(Sequence)]
pub struct Algorithm<'a> {
    pub oid: ObjectIdentifier,
    pub parameters: Option<AnyRef<'a>>,
}

/// RFC 3161, section 2.4.1.
#[derive(Sequence)]
pub struct Imprint<'a> {
    pub algorithm: Algorithm<'a>,
    pub digest: &'a OctetStringRef,
}

#[derive(Sequence)]
pub struct Request<'a> {
    pub version: u8,
    pub imprint: Imprint<'a>,
    pub nonce: u64,
    pub wants_certificate: bool,
}

/// RFC 3161, section 2.4.2.
#[derive(Sequence)]
pub struct Response<'a> {
    pub status: Status<'a>,
    pub token: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
pub struct Status<'a> {
    pub status: u8,
    pub text: Option<Sequenced<'a>>,
    pub failures: Option<BitStringRef<'a>>,
}

#[derive(Sequence)]
pub struct Content<'a> {
    pub kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub content: AnyRef<'a>,
}

/// RFC 5652, section 5.1.
#[derive(Sequence)]
pub struct SignedData<'a> {
    pub version: u8,
    pub digests: Set<'a>,
    pub content: Encapsulated<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true", constructed = "true")]
    pub certificates: Option<Set<'a>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true", constructed = "true")]
    pub crls: Option<Set<'a>>,
    pub signers: Set<'a>,
}

#[derive(Sequence)]
pub struct Encapsulated<'a> {
    pub kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub content: &'a OctetStringRef,
}

/// RFC 5652, section 5.3.
#[derive(Sequence)]
pub struct Signer<'a> {
    pub version: u8,
    /// A sequence of issuer and serial number, or the subject's key identifier under the tag 0.
    pub sid: AnyRef<'a>,
    pub digest: Algorithm<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true")]
    pub attributes: Set<'a>,
    pub algorithm: Algorithm<'a>,
    pub signature: &'a OctetStringRef,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true", constructed = "true")]
    pub unsigned: Option<Set<'a>>,
}

#[derive(Sequence)]
pub struct IssuerAndSerial<'a> {
    pub issuer: AnyRef<'a>,
    pub serial: AnyRef<'a>,
}

#[derive(Sequence)]
pub struct Attribute<'a> {
    pub kind: ObjectIdentifier,
    pub values: Set<'a>,
}

/// RFC 3161, section 2.4.2. A time may have fractions of a second, which the type of crate `der` does not read.
#[derive(Sequence)]
pub struct TstInfo<'a> {
    pub version: u8,
    pub policy: ObjectIdentifier,
    pub imprint: Imprint<'a>,
    pub serial: IntRef<'a>,
    pub time: AnyRef<'a>,
    pub accuracy: Option<Accuracy>,
    #[asn1(default = "Default::default")]
    pub ordering: bool,
    pub nonce: Option<IntRef<'a>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub authority: Option<AnyRef<'a>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true", constructed = "true")]
    pub extensions: Option<Sequenced<'a>>,
}

#[derive(Sequence)]
pub struct Accuracy {
    pub seconds: Option<u32>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub millis: Option<u16>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub micros: Option<u16>,
}

#[derive(Sequence)]
pub struct Extension<'a> {
    pub kind: ObjectIdentifier,
    #[asn1(default = "Default::default")]
    pub critical: bool,
    pub value: &'a OctetStringRef,
}

/// Both versions of the signing certificate attribute; the certificates' forms differ.
#[derive(Sequence)]
pub struct SigningCertificate<'a> {
    pub certificates: Sequenced<'a>,
    pub policies: Option<AnyRef<'a>>,
}

/// RFC 2634, section 5.4.1: the digest is SHA-1.
#[derive(Sequence)]
pub struct EssCertId<'a> {
    pub digest: &'a OctetStringRef,
    pub issuer: Option<EssIssuer<'a>>,
}

/// RFC 5035, section 4: without an algorithm the digest is SHA-256.
#[derive(Sequence)]
pub struct EssCertIdV2<'a> {
    pub algorithm: Option<Algorithm<'a>>,
    pub digest: &'a OctetStringRef,
    pub issuer: Option<EssIssuer<'a>>,
}

#[derive(Sequence)]
pub struct EssIssuer<'a> {
    pub names: Sequenced<'a>,
    pub serial: AnyRef<'a>,
}

/// What a certificate and a revocation list have in common (RFC 5280, sections 4.1 and 5.1).
#[derive(Sequence)]
pub struct Signed<'a> {
    pub body: AnyRef<'a>,
    pub algorithm: Algorithm<'a>,
    pub signature: BitStringRef<'a>,
}

#[derive(Sequence)]
pub struct PublicKey<'a> {
    pub algorithm: Algorithm<'a>,
    pub key: BitStringRef<'a>,
}

/// RFC 4055, section 3.1.
#[derive(Sequence)]
pub struct PssParameters<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub digest: Option<Algorithm<'a>>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    pub mask: Option<Algorithm<'a>>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    pub salt_bytes: Option<u8>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    pub trailer: Option<u8>,
}

/// The inside of a set, as it stood.
#[derive(Clone, Copy)]
pub struct Set<'a>(pub &'a [u8]);

/// The inside of a sequence, as it stood.
#[derive(Clone, Copy)]
pub struct Sequenced<'a>(pub &'a [u8]);

macro_rules! as_it_stood {
    ($name:ident, $tag:expr) => {
        impl FixedTag for $name<'_> {
            const TAG: Tag = $tag;
        }
        impl<'a> DecodeValue<'a> for $name<'a> {
            type Error = der::Error;
            fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
                reader.read_slice(header.length()).map($name)
            }
        }
        impl EncodeValue for $name<'_> {
            fn value_len(&self) -> der::Result<Length> {
                self.0.len().try_into()
            }
            fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
                writer.write(self.0)
            }
        }
        impl<'a> $name<'a> {
            /// Each element, and its bytes as they stood.
            pub fn elements(self) -> der::Result<Vec<(AnyRef<'a>, &'a [u8])>> {
                elements(self.0)
            }
        }
    };
}
as_it_stood!(Set, Tag::Set);
as_it_stood!(Sequenced, Tag::Sequence);

fn elements(bytes: &[u8]) -> der::Result<Vec<(AnyRef<'_>, &[u8])>> {
    let mut reader = SliceReader::new(bytes)?;
    let mut found = Vec::new();
    while !reader.is_finished() {
        let from = usize::try_from(reader.position())?;
        let any = AnyRef::decode(&mut reader)?;
        let to = usize::try_from(reader.position())?;
        found.push((any, bytes.get(from..to).unwrap_or_default()));
    }
    Ok(found)
}
