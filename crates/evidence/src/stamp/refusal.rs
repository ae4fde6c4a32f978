//! Why a timestamp is not believed: one name, one exit code, one sentence in each language.

use super::algorithm::Fault;
use crate::utc;
use domain::UtcMicros;

/// The reason. Names of certificates are the subjects' own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It cannot be read, or is longer than any token.
    Damaged {
        why: String,
    },
    /// A timestamp of other bytes.
    Foreign,
    /// What it says is not what was signed: another time, another number.
    Changed,
    Signature,
    /// The certificate of whoever signed is not there.
    SignerMissing,
    /// The signature does not say by which certificate it was made (RFC 3161, section 2.4.2; RFC 5816): another one of the same key could
    /// be put in its place.
    NotBound {
        why: String,
    },
    /// The certificate is not one for timestamps alone (RFC 3161, section 2.3).
    Purpose {
        certificate: String,
        why: &'static str,
    },
    Algorithm {
        oid: String,
    },
    /// Not valid when the timestamp says that it was made.
    Expired {
        certificate: String,
        at: UtcMicros,
        from: UtcMicros,
        to: UtcMicros,
    },
    /// A certificate on the way to the root that may not issue any (RFC 5280, section 6.1.4).
    Unfit {
        certificate: String,
        why: &'static str,
    },
    /// The way leads to none of the roots that the reader trusts.
    OtherRoot {
        issuer: String,
    },
    Revoked {
        certificate: String,
        revoked: UtcMicros,
    },
    /// Revoked later, for a reason that reaches back (RFC 3161, section 4).
    RevokedSince {
        certificate: String,
        revoked: UtcMicros,
    },
    /// A revocation list beside it that is none, or that its issuer did not sign.
    List {
        path: String,
        why: String,
    },
}

impl Refusal {
    /// Stable, as those of [`crate::Finding`].
    pub const fn code(&self) -> u8 {
        match self {
            Refusal::Damaged { .. } => 70,
            Refusal::Foreign => 71,
            Refusal::Changed => 72,
            Refusal::Signature => 73,
            Refusal::SignerMissing => 74,
            Refusal::NotBound { .. } => 75,
            Refusal::Purpose { .. } => 76,
            Refusal::Algorithm { .. } => 77,
            Refusal::Expired { .. } => 78,
            Refusal::Unfit { .. } => 79,
            Refusal::OtherRoot { .. } => 80,
            Refusal::Revoked { .. } => 81,
            Refusal::RevokedSince { .. } => 82,
            Refusal::List { .. } => 83,
        }
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Refusal::Damaged { .. } => "timestamp-damaged",
            Refusal::Foreign => "timestamp-foreign",
            Refusal::Changed => "timestamp-changed",
            Refusal::Signature => "timestamp-signature",
            Refusal::SignerMissing => "timestamp-signer",
            Refusal::NotBound { .. } => "timestamp-unbound",
            Refusal::Purpose { .. } => "timestamp-purpose",
            Refusal::Algorithm { .. } => "timestamp-algorithm",
            Refusal::Expired { .. } => "timestamp-expired",
            Refusal::Unfit { .. } => "timestamp-chain",
            Refusal::OtherRoot { .. } => "timestamp-other-root",
            Refusal::Revoked { .. } => "timestamp-revoked",
            Refusal::RevokedSince { .. } => "timestamp-revoked-since",
            Refusal::List { .. } => "timestamp-crl",
        }
    }

    pub fn text_fr(&self) -> String {
        match self {
            Refusal::Damaged { why } => format!("Horodatage abîmé : il ne se lit pas ({why})."),
            Refusal::Foreign => {
                "Horodatage étranger : il date d'autres octets que `registre.json` de ce dossier.".into()
            }
            Refusal::Changed => "Horodatage changé : ce qu'il dit (heure, numéro) n'est pas ce qui a été signé.".into(),
            Refusal::Signature => {
                "Horodatage : sa signature n'est pas celle de l'autorité dont il porte le certificat.".into()
            }
            Refusal::SignerMissing => {
                "Horodatage : le certificat de l'autorité qui a signé n'est pas dans le dossier.".into()
            }
            Refusal::NotBound { why } => format!(
                "Horodatage : la signature ne désigne pas le certificat de l'autorité ({why}) ; un autre pourrait en tenir lieu."
            ),
            Refusal::Purpose { certificate, why } => format!(
                "Horodatage : le certificat « {certificate} » n'est pas réservé à l'horodatage ({}).",
                why_fr(why)
            ),
            Refusal::Algorithm { oid } => format!("Horodatage : l'algorithme {oid} n'est pas lu, ou n'est plus sûr."),
            Refusal::Expired { certificate, at, from, to } => format!(
                "Horodatage : le certificat « {certificate} » vaut du {} au {}, et l'horodatage est du {}.",
                said(from),
                said(to),
                said(at)
            ),
            Refusal::Unfit { certificate, why } => format!(
                "Horodatage : le certificat « {certificate} » ne peut pas en délivrer d'autres ({}).",
                why_fr(why)
            ),
            Refusal::OtherRoot { issuer } => format!(
                "Horodatage : son autorité dépend de « {issuer} », qui n'est pas parmi les racines auxquelles vous vous fiez (--tsa-root)."
            ),
            Refusal::Revoked { certificate, revoked } => format!(
                "Horodatage : le certificat « {certificate} » était révoqué à la signature, depuis le {}.",
                said(revoked)
            ),
            Refusal::RevokedSince { certificate, revoked } => format!(
                "Horodatage : le certificat « {certificate} » a été révoqué le {}, pour un motif qui vaut aussi pour ce qui fut signé avant.",
                said(revoked)
            ),
            Refusal::List { path, why } => {
                format!("Horodatage : `{path}` n'est pas la liste de révocation de l'émetteur ({why}).")
            }
        }
    }

    pub fn text_en(&self) -> String {
        match self {
            Refusal::Damaged { why } => format!("Timestamp damaged: it cannot be read ({why})."),
            Refusal::Foreign => "Foreign timestamp: it dates other bytes than this package's `registre.json`.".into(),
            Refusal::Changed => "Timestamp changed: what it says (time, number) is not what was signed.".into(),
            Refusal::Signature => {
                "Timestamp: its signature is not that of the authority whose certificate it carries.".into()
            }
            Refusal::SignerMissing => {
                "Timestamp: the certificate of the authority that signed is not in the package.".into()
            }
            Refusal::NotBound { why } => format!(
                "Timestamp: the signature does not name the authority's certificate ({why}); another could stand in for it."
            ),
            Refusal::Purpose { certificate, why } => {
                format!("Timestamp: the certificate `{certificate}` is not one for timestamps alone ({why}).")
            }
            Refusal::Algorithm { oid } => format!("Timestamp: the algorithm {oid} is not read, or no longer safe."),
            Refusal::Expired { certificate, at, from, to } => format!(
                "Timestamp: the certificate `{certificate}` is valid from {} to {}, and the timestamp is of {}.",
                said(from),
                said(to),
                said(at)
            ),
            Refusal::Unfit { certificate, why } => {
                format!("Timestamp: the certificate `{certificate}` may not issue any ({why}).")
            }
            Refusal::OtherRoot { issuer } => format!(
                "Timestamp: its authority stands under `{issuer}`, which is not among the roots that you trust (--tsa-root)."
            ),
            Refusal::Revoked { certificate, revoked } => {
                format!("Timestamp: the certificate `{certificate}` was revoked at signing, since {}.", said(revoked))
            }
            Refusal::RevokedSince { certificate, revoked } => format!(
                "Timestamp: the certificate `{certificate}` was revoked on {}, for a reason that reaches what was signed before.",
                said(revoked)
            ),
            Refusal::List { path, why } => format!("Timestamp: `{path}` is not the issuer's revocation list ({why})."),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        match fault {
            Fault::Unknown { oid } => Refusal::Algorithm { oid },
            Fault::Broken => Refusal::Signature,
        }
    }
}

/// Reasons that name an extension, in French.
fn why_fr(why: &'static str) -> &'static str {
    match why {
        super::certificate::NO_PURPOSE => "il n'en dit rien",
        super::certificate::OTHER_PURPOSE => "il vaut aussi ou seulement pour autre chose",
        super::certificate::NOT_CRITICAL => "il le dit sans que ce soit critique",
        super::certificate::NO_SIGNING => "sa clé ne peut pas signer",
        super::certificate::NOT_A_CA => "ce n'est pas une autorité de certification",
        super::certificate::TOO_LONG => "la chaîne est plus longue qu'il ne le permet",
        super::certificate::UNKNOWN_EXTENSION => "il a une extension critique inconnue",
        other => other,
    }
}

fn said(at: &UtcMicros) -> String {
    utc::text(*at)
}
