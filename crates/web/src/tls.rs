//! TLS: the town's own certificate from files, verified before it is used, taken anew when the files change.

use domain::{UtcMicros, limit::CERTIFICATE_WARNING_DAYS};
use keeper::wire::{Finding, FindingState};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Both in PEM; the certificate with those that lead to its authority behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Why a certificate is not used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read `{path}`: {source}; check the path and its rights", path = path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("there is no certificate in PEM in `{path}`", path = path.display())]
    NoCertificate { path: PathBuf },
    #[error("there is no private key in PEM in `{path}`", path = path.display())]
    NoKey { path: PathBuf },
    #[error("the key `{key}` is not that of the certificate `{certificate}`: they must be made together", key = key.display(), certificate = certificate.display())]
    OtherKey { key: PathBuf, certificate: PathBuf },
    #[error("the certificate `{path}` expired at {at}: renew it", path = path.display())]
    Expired { path: PathBuf, at: UtcMicros },
    #[error("the certificate `{path}` is valid from {at} only: check this machine's clock", path = path.display())]
    NotYet { path: PathBuf, at: UtcMicros },
    #[error("the certificate `{path}` cannot be used: {why}", path = path.display())]
    Unusable { path: PathBuf, why: String },
}

/// What is served now.
pub struct Tls {
    files: TlsFiles,
    loaded: RwLock<Loaded>,
}

struct Loaded {
    config: Arc<ServerConfig>,
    /// As the files were read.
    texts: [Vec<u8>; 2],
    expires: UtcMicros,
}

impl Tls {
    pub fn load(files: TlsFiles, now: UtcMicros) -> Result<Tls, TlsError> {
        let loaded = Loaded::of(&files, read(&files)?, now)?;
        Ok(Tls { files, loaded: RwLock::new(loaded) })
    }

    pub fn config(&self) -> Arc<ServerConfig> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).config.clone()
    }

    pub fn expires(&self) -> UtcMicros {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).expires
    }

    /// Takes changed files; true if it did. What cannot be used leaves the present certificate in place: a renewal writes two
    /// files, one after the other.
    pub fn renew(&self, now: UtcMicros) -> Result<bool, TlsError> {
        let texts = read(&self.files)?;
        if texts == self.loaded.read().unwrap_or_else(PoisonError::into_inner).texts {
            return Ok(false);
        }
        let loaded = Loaded::of(&self.files, texts, now)?;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }
}

impl Loaded {
    fn of(files: &TlsFiles, texts: [Vec<u8>; 2], now: UtcMicros) -> Result<Loaded, TlsError> {
        let path = || files.certificate.clone();
        let unusable = |why: String| TlsError::Unusable { path: files.certificate.clone(), why };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&texts[0])
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::NoCertificate { path: path() })?;
        let first = chain.first().ok_or_else(|| TlsError::NoCertificate { path: path() })?;
        let expires = validity(first, files, now)?;
        let key = PrivateKeyDer::from_pem_slice(&texts[1]).map_err(|_| TlsError::NoKey { path: files.key.clone() })?;
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]).map_err(|error| unusable(error.to_string()))?;
        let config = builder.with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::OtherKey { key: files.key.clone(), certificate: path() },
            error => unusable(error.to_string()),
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Loaded { config: Arc::new(config), texts, expires })
    }
}

/// Until when it is valid, if it is now.
fn validity(first: &CertificateDer<'_>, files: &TlsFiles, now: UtcMicros) -> Result<UtcMicros, TlsError> {
    let path = || files.certificate.clone();
    let (_, parsed) = X509Certificate::from_der(first).map_err(|_| TlsError::NoCertificate { path: path() })?;
    let at = |time: x509_parser::time::ASN1Time| UtcMicros::from_seconds(time.timestamp());
    let (from, to) = (at(parsed.validity().not_before), at(parsed.validity().not_after));
    if now < from {
        return Err(TlsError::NotYet { path: path(), at: from });
    }
    if to <= now {
        return Err(TlsError::Expired { path: path(), at: to });
    }
    Ok(to)
}

fn read(files: &TlsFiles) -> Result<[Vec<u8>; 2], TlsError> {
    let read =
        |path: &Path| std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source });
    Ok([read(&files.certificate)?, read(&files.key)?])
}

/// How long the certificate lasts, for the health page and `vigie status`.
pub fn certificate_finding(expires: UtcMicros, now: UtcMicros) -> Finding {
    let days = expires.since(now).div_euclid(86_400 * 1_000_000);
    let (state, detail_fr, detail_en) = if days < 0 {
        (
            FindingState::Alarm,
            "Il est expiré : les navigateurs refusent la console. Renouvelez-le ; il est repris sans redémarrage."
                .into(),
            "It has expired: browsers refuse the console. Renew it; it is taken without a restart.".into(),
        )
    } else if days < CERTIFICATE_WARNING_DAYS {
        (
            FindingState::Warning,
            format!("Il expire dans {days} jours. Renouvelez-le ; il est repris sans redémarrage."),
            format!("It expires in {days} days. Renew it; it is taken without a restart."),
        )
    } else {
        (FindingState::Ok, format!("Valable encore {days} jours."), format!("Valid for {days} more days."))
    };
    Finding {
        id: "certificate".into(),
        state,
        title_fr: "Certificat de la console".into(),
        title_en: "Certificate of the console".into(),
        detail_fr,
        detail_en,
    }
}
