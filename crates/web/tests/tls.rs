//! TLS on a real socket: what is served, what is refused, a renewal without a restart, the plain port beside it.

mod fake;

use axum::{body::Body, http::Request};
use domain::{Clock, UtcMicros};
use fake::{NOW, Town, request, send};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use std::{path::Path, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsConnector;
use web::{Plain, Tls, TlsError, TlsFiles, WebConfig, certificate_finding};

const NAME: &str = "vigie.ville.example";
const DAY: i64 = 86_400;

/// A certificate of its own authority, valid for so many days around the town's now, and its key.
fn write(folder: &Path, from_days: i64, to_days: i64) -> TlsFiles {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    let at = |days: i64| time::OffsetDateTime::from_unix_timestamp(NOW.seconds() + days * DAY).unwrap();
    (params.not_before, params.not_after) = (at(from_days), at(to_days));
    let files = TlsFiles { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
    std::fs::write(&files.certificate, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    files
}

fn load(files: &TlsFiles) -> Result<Tls, TlsError> {
    Tls::load(files.clone(), NOW)
}

/// A browser that trusts this certificate; its answer to `GET /api/site`.
async fn get_site(address: std::net::SocketAddr, files: &TlsFiles) -> Result<String, std::io::Error> {
    let known = CertificateDer::from_pem_file(&files.certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS12, &TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Known(known)))
        .with_no_client_auth();
    let tcp = TcpStream::connect(address).await?;
    let mut tls = TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(NAME).unwrap(), tcp).await?;
    tls.write_all(format!("GET /api/site HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    tls.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Takes exactly the certificate that it knows: the tests' certificates are of the town's time, not of the machine's.
#[derive(Debug)]
struct Known(CertificateDer<'static>);

impl rustls::client::danger::ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        if *certificate == self.0 {
            Ok(rustls::client::danger::ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General("another certificate".into()))
        }
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let known = aws_lc_rs::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &known)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let known = aws_lc_rs::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &known)
    }
    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn secure(town: &Town, tls: Tls) -> WebConfig {
    WebConfig { address: format!("https://{NAME}"), tls: Some(Arc::new(tls)), ..town.config() }
}

#[tokio::test]
async fn the_console_is_served_by_tls_and_a_renewed_certificate_without_a_restart() {
    let (folder, town) = (tempfile::tempdir().unwrap(), Town::new());
    let files = write(folder.path(), -1, 90);
    let tls = Arc::new(load(&files).unwrap());
    let config = WebConfig { tls: Some(tls.clone()), ..secure(&town, load(&files).unwrap()) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(web::serve(listener, config, std::future::pending()));
    let answer = get_site(address, &files).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("strict-transport-security: max-age="), "{answer}");
    let mut clear = TcpStream::connect(address).await.unwrap();
    clear.write_all(format!("GET /api/site HTTP/1.1\r\nHost: {NAME}\r\n\r\n").as_bytes()).await.unwrap();
    let mut said = Vec::new();
    drop(clear.read_to_end(&mut said).await);
    assert!(!String::from_utf8_lossy(&said).contains("HTTP/1.1"), "nothing in clear");

    let former = TlsFiles { certificate: folder.path().join("former.pem"), key: files.key.clone() };
    std::fs::copy(&files.certificate, &former.certificate).unwrap();
    let renewed = write(folder.path(), 0, 120);
    assert!(tls.renew(NOW).unwrap() && !tls.renew(NOW).unwrap(), "once");
    assert!(get_site(address, &renewed).await.is_ok());
    assert!(get_site(address, &former).await.is_err(), "the former one is served no more");
    std::fs::write(&renewed.key, "half of a rene").unwrap();
    assert!(matches!(tls.renew(NOW), Err(TlsError::NoKey { .. })));
    assert!(get_site(address, &renewed).await.is_ok(), "what cannot be used leaves the present one");
}

#[test]
fn a_certificate_that_browsers_would_refuse_is_refused_before_it_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let past = load(&write(folder.path(), -90, -1)).err().unwrap();
    assert!(matches!(past, TlsError::Expired { .. }) && past.to_string().contains("renew it"), "{past}");
    assert!(matches!(load(&write(folder.path(), 1, 90)), Err(TlsError::NotYet { .. })));
    let files = write(folder.path(), -1, 90);
    std::fs::write(&files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let other = load(&files).err().unwrap();
    assert!(matches!(other, TlsError::OtherKey { .. }) && other.to_string().contains("made together"), "{other}");
    std::fs::write(&files.certificate, "nothing").unwrap();
    assert!(matches!(load(&files), Err(TlsError::NoCertificate { .. })));
    std::fs::remove_file(&files.key).unwrap();
    assert!(matches!(load(&files), Err(TlsError::Unreadable { .. })));
}

#[test]
fn a_certificate_is_warned_of_thirty_days_before_its_end_and_an_alarm_after_it() {
    let state = |days: i64| {
        serde_json::to_value(certificate_finding(UtcMicros(NOW.0 + days * DAY * 1_000_000), NOW).state).unwrap()
    };
    assert_eq!([31, 30, 29, 0, -1].map(state), ["ok", "ok", "warning", "warning", "alarm"]);
}

/// The fake town has no administrator yet.
#[tokio::test]
async fn beyond_loopback_nothing_is_served_before_an_administrator_can_sign_in() {
    let (folder, town) = (tempfile::tempdir().unwrap(), Town::new());
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let tls = load(&write(folder.path(), -1, 90)).unwrap();
    let error = web::serve(listener, secure(&town, tls), std::future::pending()).await.unwrap_err();
    assert!(error.to_string().contains("nobody can sign in yet"), "{error}");
}

#[tokio::test]
async fn the_plain_port_answers_a_challenge_and_otherwise_leads_to_tls() {
    let folder = tempfile::tempdir().unwrap();
    let challenges = folder.path().join("challenges");
    std::fs::create_dir(&challenges).unwrap();
    std::fs::write(challenges.join("token-1_A"), "token-1_A.digest").unwrap();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret"), challenges.join("link")).unwrap();
    let address = format!("https://{NAME}");
    let router = web::plain_router(Plain { address, acme_folder: Some(challenges) });
    let get = async |path: &str| send(&router, request("GET", path, None)).await;
    let challenge = get("/.well-known/acme-challenge/token-1_A").await;
    assert_eq!(challenge.status(), 200);
    let bytes = http_body_util::BodyExt::collect(challenge.into_body()).await.unwrap().to_bytes();
    assert_eq!(&bytes[..], b"token-1_A.digest");
    for path in ["other", "link", "..%2Fsecret", "%2e%2e%2fsecret", "."] {
        let status = get(&format!("/.well-known/acme-challenge/{path}")).await.status();
        assert_eq!(status, 404, "{path}");
    }
    let elsewhere = get("/#/live?x=1").await;
    assert_eq!(elsewhere.status(), 308);
    assert_eq!(elsewhere.headers()["location"], format!("https://{NAME}/"));
    let posted: Request<Body> = request("POST", "/api/session", Some(r#"{"name":"x"}"#));
    assert_eq!(send(&router, posted).await.status(), 405, "what was sent in clear is not carried on");
    assert_eq!(Town::new().clock.utc(), NOW);
}
