//! An identity provider that is not ours (npm `oidc-provider`, over TLS on 127.0.0.1), and a person's browser that goes from
//! Vigie to it and back.

use serde_json::{Value, json};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(30);
pub const SECRET: &str = "secret-of-the-client-7c1e-2f9d-4b";

/// The running provider. Ends with this value.
pub struct Provider {
    child: Option<Child>,
    folder: PathBuf,
    port: u16,
    /// Vigie's, which is registered there.
    address: String,
}

impl Provider {
    /// Its certificate, its own authority's, is `certificate.pem` in the folder.
    pub fn start(folder: &Path, address: &str) -> Provider {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=fournisseur", "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
            .arg(folder.join("key.pem"))
            .arg("-out")
            .arg(folder.join("certificate.pem"))
            .output()
            .expect("openssl is installed (scripts/setup.sh)");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut provider = Provider { child: None, folder: folder.to_owned(), port: 0, address: address.to_owned() };
        provider.begin();
        provider
    }

    pub fn issuer(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// It goes on at the same address with another key.
    pub fn rotate(&mut self) {
        self.end();
        std::fs::remove_file(self.folder.join("keys.json")).unwrap();
        self.begin();
    }

    pub fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn begin(&mut self) {
        let client = json!({
            "client_id": "vigie", "client_secret": SECRET,
            "redirect_uris": [format!("{}/oidc", self.address)],
            "post_logout_redirect_uris": [format!("{}/", self.address)],
            "grant_types": ["authorization_code"], "response_types": ["code"],
        });
        let settings = json!({ "port": self.port, "keys": self.folder.join("keys.json"), "client": client });
        std::fs::write(self.folder.join("settings.json"), settings.to_string()).unwrap();
        let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui");
        assert!(ui.join("node_modules/oidc-provider").exists(), "`scripts/ui.sh build` installs the provider");
        let log = self.folder.join("provider.log");
        let mut child = Command::new("node")
            .current_dir(ui)
            .arg("e2e/provider.mjs")
            .args(["certificate.pem", "key.pem", "settings.json"].map(|name| self.folder.join(name)))
            .stdin(Stdio::piped())
            .stdout(File::create(&log).unwrap())
            .stderr(File::create(self.folder.join("provider.errors")).unwrap())
            .spawn()
            .expect("Node is installed (scripts/setup.sh)");
        self.port = super::until("the provider listens", || {
            let errors = self.folder.join("provider.errors");
            assert_eq!(child.try_wait().unwrap(), None, "{}", std::fs::read_to_string(errors).unwrap());
            let text = std::fs::read_to_string(&log).unwrap();
            text.lines().find_map(|line| line.strip_prefix("port ")?.parse().ok())
        });
        self.child = Some(child);
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.end();
    }
}

/// How the provider saw a person.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    pub login: &'a str,
    /// Of the query that its form sends.
    pub how: &'a str,
}

pub const BY_TWO_FACTORS: Seen<'_> = Seen { login: "personne-7f3c", how: "acr=two" };
pub const BY_ONE_FACTOR: Seen<'_> = Seen { login: "personne-7f3c", how: "acr=one" };

/// A browser with its cookies of Vigie and of the provider.
pub struct Visitor {
    agent: https::Agent,
    vigie: String,
    cookies: RefCell<BTreeMap<(String, String), String>>,
}

/// What came back, and with which status.
pub struct Answered {
    pub status: u16,
    pub body: Value,
    location: Option<String>,
}

impl Answered {
    /// The end of a problem's type.
    pub fn problem(&self) -> &str {
        self.body["type"].as_str().and_then(|kind| kind.rsplit(':').next()).unwrap_or_default()
    }
}

/// What the provider's address brings back to the console.
#[derive(Clone, Debug)]
pub struct Back {
    pub state: String,
    pub code: String,
}

impl Visitor {
    pub fn new(vigie: &str, provider: &Provider) -> Visitor {
        let agent = https::agent_trusting(&provider.certificate(), PATIENCE, 0);
        Visitor { agent, vigie: vigie.to_owned(), cookies: RefCell::default() }
    }

    /// From the button to the console's page, by the provider's form.
    pub fn goes(&self, seen: Seen<'_>) -> Back {
        let begun = self.post("/api/session/oidc/begin", &json!({}));
        assert_eq!(begun.status, 200, "{}", begun.body);
        let address = begun.body["address"].as_str().unwrap().to_owned();
        for part in ["code_challenge_method=S256", "nonce=", "prompt=login", "acr_values=two"] {
            assert!(address.contains(part), "{part}: {address}");
        }
        let provider = address.split("/auth?").next().unwrap().to_owned();
        let form = self.get(&address).location.expect("the provider asks who it is");
        let form = if form.starts_with('/') { format!("{provider}{form}") } else { form };
        let mut next = format!("{form}?login={}&{}", seen.login, seen.how);
        for _ in 0..4 {
            next = self.get(&next).location.expect("the provider sends the browser on");
            if let Some((_, query)) = next.split_once("/oidc?") {
                let of = |name: &str| {
                    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
                };
                return Back { state: of("state"), code: of("code") };
            }
        }
        panic!("the provider does not come to an end: {next}")
    }

    /// As the console's page does with what came back.
    pub fn brings(&self, back: &Back) -> Answered {
        self.post("/api/session/oidc", &json!({ "state": back.state, "code": back.code }))
    }

    /// A whole sign-in.
    pub fn signs_in(&self, seen: Seen<'_>) -> Answered {
        self.brings(&self.goes(seen))
    }

    pub fn get(&self, url: &str) -> Answered {
        let url = if url.starts_with('/') { format!("{}{url}", self.vigie) } else { url.to_owned() };
        let answer = self.agent.get(&url).header("cookie", self.cookies_for(&url)).call();
        self.read(&url, answer.unwrap())
    }

    pub fn post(&self, path: &str, body: &Value) -> Answered {
        let url = format!("{}{path}", self.vigie);
        let request = self.agent.post(&url).header("cookie", self.cookies_for(&url)).header("vigie-request", "1");
        self.read(&url, request.content_type("application/json").send(body.to_string()).unwrap())
    }

    pub fn delete(&self, path: &str) -> Answered {
        let url = format!("{}{path}", self.vigie);
        let request = self.agent.delete(&url).header("cookie", self.cookies_for(&url)).header("vigie-request", "1");
        self.read(&url, request.call().unwrap())
    }

    fn cookies_for(&self, url: &str) -> String {
        let host = host(url);
        let cookies = self.cookies.borrow();
        let ours = cookies.iter().filter(|((of, _), _)| *of == host);
        ours.map(|((_, name), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn read(&self, url: &str, mut answer: https::Answer) -> Answered {
        let text = |name: &str| {
            let values = answer.headers().get_all(name).iter();
            values.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect::<Vec<_>>()
        };
        let (set, location) = (text("set-cookie"), text("location").pop());
        for cookie in set {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if url.starts_with(&self.vigie) {
                assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{name}");
            }
            let of = (host(url), name.to_owned());
            match value.is_empty() {
                true => drop(self.cookies.borrow_mut().remove(&of)),
                false => drop(self.cookies.borrow_mut().insert(of, value.to_owned())),
            }
        }
        let status = answer.status().as_u16();
        let body = answer.body_mut().read_to_string().unwrap_or_default();
        Answered { status, body: serde_json::from_str(&body).unwrap_or(Value::Null), location }
    }
}

fn host(url: &str) -> String {
    url.split('/').nth(2).unwrap_or_default().to_owned()
}
