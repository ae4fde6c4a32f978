//! Whom the client believes, against a server with a certificate of its own, and whom it asks. Needs `openssl`; says so and ends without it.

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    env,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::Command,
    sync::Arc,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn certificate(folder: &Path, name: &str) -> Option<()> {
    let (key, cert) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pem")));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=temoin.example", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(key)
        .arg("-out")
        .arg(cert)
        .output();
    match made {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            eprintln!("skipped: no openssl here: {error}");
            return None;
        }
    }
    Some(())
}

/// Answers every connection that gets through its handshake; lives as long as the test.
fn server(folder: &Path, name: &str) -> String {
    let cert = CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![cert], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            if stream.read(&mut [0; 4_096]).is_ok_and(|bytes| bytes > 0) {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").unwrap();
                stream.flush().unwrap();
            }
        }
    });
    format!("https://{address}/")
}

#[test]
fn who_is_vouched_for_by_the_machines_store_is_read_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let made = certificate(folder.path(), "ours").and_then(|()| certificate(folder.path(), "others"));
    let Some(()) = made else { return };
    let url = server(folder.path(), "ours");
    let ask = |store: &str| {
        let agent = https::agent_trusting(&folder.path().join(store), PATIENCE, 0);
        agent.get(&url).call().map(|mut answer| answer.body_mut().read_to_string().unwrap())
    };
    assert_eq!(ask("ours.pem").unwrap(), "ok");
    for store in ["others.pem", "no-such-file.pem"] {
        let refused = ask(store).unwrap_err().to_string();
        assert!(refused.contains("certificate"), "{store}: {refused}");
    }
}

/// Answers everything by its name, in clear.
fn named(name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            if stream.read(&mut [0; 4_096]).is_ok_and(|bytes| bytes > 0) {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", name.len());
                // whoever asked may be gone
                drop(stream.write_all(format!("{head}{name}").as_bytes()));
            }
        }
    });
    format!("http://{address}/")
}

#[test]
fn a_direct_client_asks_the_machine_that_is_named_and_no_proxy_of_the_environment() {
    // variables are of a whole process: a child has them
    if let Ok(url) = env::var("VIGIE_TEST_URL") {
        let ask = |agent: https::Agent| agent.get(&url).call().map(|mut answer| answer.body_mut().read_to_string());
        assert_eq!(ask(https::direct_agent(PATIENCE)).unwrap().unwrap(), "machine");
        let usual = ask(https::agent(PATIENCE, 0));
        assert!(!matches!(usual, Ok(Ok(text)) if text == "machine"), "the variable counts for other clients");
        return;
    }
    let name = "a_direct_client_asks_the_machine_that_is_named_and_no_proxy_of_the_environment";
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", name]).env("VIGIE_TEST_URL", named("machine")).env("ALL_PROXY", named("proxy"));
    for variable in ["NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"] {
        child.env_remove(variable);
    }
    let done = child.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}
