//! Sign-in by a provider that is not ours, on real processes: code and PKCE over TLS, keys and identities that an administrator
//! confirmed, and each way in which nobody is signed in.

mod support;

use serde_json::{Value, json};
use support::{
    Site,
    provider::{BY_ONE_FACTOR, BY_TWO_FACTORS, Back, Provider, SECRET, Seen, Visitor},
};

/// A site that serves with a provider whose keys nobody confirmed yet.
fn town() -> (Site, Provider) {
    let mut site = Site::installed(0);
    let address = format!("http://localhost:{}", site.site.port);
    let folder = site.folder.path().join("provider");
    std::fs::create_dir(&folder).unwrap();
    let provider = Provider::start(&folder, &address);
    let secret = folder.join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    for (name, value) in [
        ("VIGIE_OIDC_ISSUER", provider.issuer().as_str()),
        ("VIGIE_OIDC_CLIENT_ID", "vigie"),
        ("VIGIE_OIDC_SECRET_FILE", secret.to_str().unwrap()),
        ("VIGIE_OIDC_ACR", "two"),
        ("VIGIE_OIDC_AMR", "mfa"),
        ("VIGIE_OIDC_NAME", "Connexion Ville"),
        ("SSL_CERT_FILE", provider.certificate().to_str().unwrap()),
    ] {
        site.site.variable(name, value);
    }
    let token = site.site.init().unwrap();
    site.site.serve().unwrap();
    site.site.set_up(&token, &site.administrator).unwrap();
    site.site.add_account("operateur", "operator", &site.operator).unwrap();
    (site, provider)
}

/// As an administrator does: looks at what is shown, then confirms it by its code.
fn confirm(site: &Site, arguments: &[&str]) {
    let shown = site.site.run(arguments, None).unwrap();
    let code = shown.split("--confirm ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap().to_owned();
    site.site.run(&[arguments, &["--confirm", &code]].concat(), None).unwrap();
}

fn bind(site: &Site, provider: &Provider, name: &str, subject: &str) {
    confirm(site, &["account", "bind", name, "--issuer", &provider.issuer(), "--subject", subject]);
}

#[test]
fn a_person_signs_in_by_a_real_provider_only_once_an_administrator_confirmed_keys_and_identity() {
    let (site, provider) = town();
    let person = Visitor::new(&site.site.address(), &provider);
    assert_eq!(person.get("/api/site").body["provider"], "Connexion Ville");
    let begun = person.post("/api/session/oidc/begin", &json!({}));
    assert_eq!((begun.status, begun.problem()), (502, "provider-keys"), "nobody is sent there for nothing");
    confirm(&site, &["oidc", "keys"]);

    let stranger = person.signs_in(BY_TWO_FACTORS);
    assert_eq!((stranger.status, stranger.problem()), (403, "not-bound"));
    let identity = stranger.body["identity"].as_str().unwrap();
    assert_eq!((identity, person.get("/api/session").status), (BY_TWO_FACTORS.login, 401));
    bind(&site, &provider, "operateur", identity);
    let back = person.goes(BY_TWO_FACTORS);
    let signed_in = person.brings(&back);
    assert_eq!((signed_in.status, &signed_in.body["name"]), (200, &Value::from("operateur")), "{}", signed_in.body);
    assert_eq!(signed_in.body["role"], "operator");
    assert_eq!(person.get("/api/health").status, 200);
    let again = person.brings(&back);
    assert_eq!((again.status, again.problem()), (410, "provider-state"), "a state that was used");

    assert_eq!(person.delete("/api/session").status, 204);
    assert_eq!(person.get("/api/session").status, 401);
    let leave = person.post("/api/session/oidc/leave", &json!({})).body["address"].as_str().unwrap().to_owned();
    assert!(leave.starts_with(&format!("{}/session/end?client_id=vigie", provider.issuer())), "{leave}");
    assert!(!leave.contains("id_token"));
    assert_eq!(person.get(&leave).status, 200, "the provider asks whether to sign out there");

    // what went by is in no log: identity, codes, states, secret
    let log = std::fs::read_to_string(site.site.log()).unwrap();
    for secret in [identity, &back.code, &back.state, SECRET] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[test]
fn a_rotated_key_a_stolen_return_a_refused_code_and_a_silent_provider_sign_nobody_in() {
    let (mut site, mut provider) = town();
    confirm(&site, &["oidc", "keys"]);
    bind(&site, &provider, "operateur", BY_TWO_FACTORS.login);
    let person = Visitor::new(&site.site.address(), &provider);
    let check = |answered: support::provider::Answered, status: u16, problem: &str| {
        assert_eq!((answered.status, answered.problem()), (status, problem), "{}", answered.body);
        assert_eq!(person.get("/api/session").status, 401);
    };
    // somebody else's return, brought by a browser that did not begin it
    let thief = Visitor::new(&site.site.address(), &provider);
    let back = person.goes(BY_TWO_FACTORS);
    check(thief.brings(&back), 410, "provider-state");
    thief.goes(BY_TWO_FACTORS);
    check(thief.brings(&back), 410, "provider-state");
    check(person.brings(&back), 410, "provider-state");
    // a code that the provider did not give
    let Back { state, .. } = person.goes(BY_TWO_FACTORS);
    check(person.brings(&Back { state, code: "made-up".into() }), 403, "provider-refused");
    check(person.brings(&Back { state: "made-up".into(), code: "made-up".into() }), 410, "provider-state");
    // another person's code, with a state of one's own: the verifier is another one (RFC 7636)
    let (ours, theirs) = (person.goes(BY_TWO_FACTORS), thief.goes(BY_TWO_FACTORS));
    check(person.brings(&Back { state: ours.state, code: theirs.code }), 403, "provider-refused");
    // given up at the provider
    let given_up = person.goes(Seen { how: "abort=1", ..BY_TWO_FACTORS });
    check(person.brings(&given_up), 403, "provider-refused");

    provider.rotate();
    check(person.signs_in(BY_TWO_FACTORS), 502, "provider-keys");
    let shown = site.site.run(&["oidc", "keys"], None).unwrap();
    assert!(shown.contains("nouvelle") && shown.contains("ne comptera plus"), "{shown}");
    check(person.signs_in(BY_TWO_FACTORS), 502, "provider-keys");
    confirm(&site, &["oidc", "keys"]);
    assert_eq!(person.signs_in(BY_TWO_FACTORS).status, 200);

    provider.end();
    site.site.stop().unwrap();
    site.site.serve().unwrap();
    let begun = person.post("/api/session/oidc/begin", &json!({}));
    assert_eq!((begun.status, begun.problem()), (502, "provider-away"));
    assert!(site.site.sign_in("operateur", &site.operator).is_ok(), "Vigie's own accounts do not depend on it");
}

#[test]
fn one_factor_needs_the_accounts_code_and_neither_a_closed_account_nor_an_ended_approval_signs_in() {
    let (site, provider) = town();
    confirm(&site, &["oidc", "keys"]);
    bind(&site, &provider, "operateur", BY_TWO_FACTORS.login);
    bind(&site, &provider, "admin", "administratrice");
    let person = Visitor::new(&site.site.address(), &provider);
    let one = person.signs_in(BY_ONE_FACTOR);
    assert_eq!((one.status, one.problem()), (403, "provider-code"));
    assert_eq!(person.get("/api/session").status, 401, "not yet");
    let wrong = person.post("/api/session/oidc/code", &json!({ "code": "no code" }));
    assert_eq!((wrong.status, wrong.problem()), (403, "provider-wrong-code"));
    let code = site.site.code("operateur").unwrap();
    let right = person.post("/api/session/oidc/code", &json!({ "code": code.reveal() }));
    assert_eq!((right.status, &right.body["name"]), (200, &Value::from("operateur")), "{}", right.body);
    let by_methods = Visitor::new(&site.site.address(), &provider);
    let mfa = by_methods.signs_in(Seen { login: "administratrice", how: "amr=pwd%20mfa" });
    assert_eq!((mfa.status, &mfa.body["role"]), (200, &Value::from("administrator")), "{}", mfa.body);

    let acts: Value = serde_json::from_str(&site.site.run(&["act", "list", "--json"], None).unwrap()).unwrap();
    let approval =
        acts.as_array().unwrap().iter().find(|act| act["facts"]["kind"] == "approval").unwrap()["id"].clone();
    site.site.run(&["act", "withdraw", approval.as_str().unwrap()], None).unwrap();
    let ended = person.signs_in(BY_TWO_FACTORS);
    assert_eq!((ended.status, ended.problem()), (403, "not-habilitated"));
    site.site.run(&["account", "disable", "operateur"], None).unwrap();
    let closed = person.signs_in(BY_TWO_FACTORS);
    assert_eq!((closed.status, closed.problem()), (403, "account-closed"));
    site.site.run(&["account", "unbind", "operateur"], None).unwrap();
    assert_eq!(person.signs_in(BY_TWO_FACTORS).problem(), "not-bound");
}

#[test]
fn in_a_browser_the_button_leads_to_the_provider_and_back_and_nothing_of_the_return_stays_in_the_address() {
    let ui = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui");
    let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    if !ui.join("dist/index.html").exists() || !chromium.iter().any(|path| std::path::Path::new(path).exists()) {
        return eprintln!(
            "skipped: the console is not built, or there is no Chromium here (scripts/setup.sh, scripts/ui.sh)"
        );
    }
    let (site, provider) = town();
    confirm(&site, &["oidc", "keys"]);
    bind(&site, &provider, "operateur", BY_ONE_FACTOR.login);
    let walked = std::process::Command::new("node")
        .current_dir(ui)
        .args(["e2e/oidc.mjs", &format!("http://localhost:{}", site.site.port), &provider.issuer()])
        .arg(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("provider-screens"))
        .env("VIGIE_IDENTITY", BY_ONE_FACTOR.login)
        .env("VIGIE_CODE", site.site.code("operateur").unwrap().reveal())
        .output()
        .expect("Node is installed (scripts/setup.sh)");
    assert!(walked.status.success(), "{}", String::from_utf8_lossy(&walked.stderr));
}
