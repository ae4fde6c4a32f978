//! Sign-in by a provider, against tokens made by hand: only the provider's own word about this very sign-in counts, and only
//! for an account that an administrator bound to the identity.

use crate::{
    accounts::text,
    acts::{approve, withdraw_approval},
    authenticator::Phone,
    sockets::Served,
    support::*,
};
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use catalog::{AccountId, Registry};
use domain::Sensitive;
use keeper::{
    OidcSettings,
    wire::{
        Answer, Control, SessionView,
        oidc::{KeyChange, OidcAnswer, OidcControl, OidcQuestion, OidcRefusal, TokenFault},
    },
};
use ledger::{Actor, Event};
use policy::Role;
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example";
const SECRET: &str = "the client's secret";
const SUBJECT: &str = "7f3c-subject";
const CLI: Actor = Actor::Cli { uid: 0 };

/// A key of the provider.
struct Signer {
    kid: &'static str,
    pair: EcdsaKeyPair,
}

impl Signer {
    fn new(kid: &'static str) -> Signer {
        Signer { kid, pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap() }
    }

    fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let coordinate = |at: usize| URL_SAFE_NO_PAD.encode(&point[at..at + 32]);
        json!({ "kty": "EC", "crv": "P-256", "x": coordinate(1), "y": coordinate(33), "kid": self.kid, "use": "sig" })
    }

    fn sign(&self, claims: &Value) -> String {
        let input = input(&json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid }), claims);
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

fn input(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// Signed with a secret that everybody has.
fn by_hmac(kid: &str, secret: &[u8], claims: &Value) -> String {
    let input = input(&json!({ "alg": "HS256", "kid": kid }), claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

fn jwks(signers: &[&Signer]) -> String {
    json!({ "keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>() }).to_string()
}

/// A town with a provider whose key is confirmed, and an operator who is bound to it.
struct Town {
    world: World,
    opened: Opened,
    served: Served,
    signer: Signer,
}

impl Town {
    fn new() -> Town {
        let town = Town::with_provider();
        town.confirm(&[&town.signer]);
        assert_eq!(town.bind("operator", SUBJECT), Ok(()));
        town
    }

    fn with_provider() -> Town {
        let mut world = World::new(1);
        world.oidc = Some(OidcSettings {
            issuer: ISSUER.into(),
            client_id: "vigie".into(),
            secret: Some(text(SECRET)),
            acr: vec!["two".into()],
            amr: vec!["mfa".into()],
        });
        let opened = world.open();
        let served = Served::new(&opened);
        Town { world, opened, served, signer: Signer::new("first") }
    }

    fn control(&self, control: OidcControl) -> Result<OidcAnswer, String> {
        match self.served.control.control_ask(Control::Oidc(control)) {
            Ok(Answer::Oidc(answer)) => Ok(*answer),
            other => Err(format!("{other:?}")),
        }
    }

    /// As an administrator does: looks, then confirms.
    fn confirm(&self, signers: &[&Signer]) {
        let jwks = jwks(signers);
        let Ok(OidcAnswer::Keys { code, .. }) = self.control(OidcControl::Keys { jwks: jwks.clone() }) else {
            panic!("the keys are shown")
        };
        let done = self.control(OidcControl::KeysConfirm { jwks, code });
        assert!(matches!(done, Ok(OidcAnswer::Done)), "{done:?}");
    }

    fn bind(&self, name: &str, subject: &str) -> Result<(), String> {
        let (name, issuer, subject) = (text(name), ISSUER.to_owned(), text(subject));
        let shown = OidcControl::Bind { name: name.clone(), issuer: issuer.clone(), subject: subject.clone() };
        let OidcAnswer::Bind { code, .. } = self.control(shown)? else { return Err("not shown".into()) };
        match self.control(OidcControl::BindConfirm { name, issuer, subject, code })? {
            OidcAnswer::Done => Ok(()),
            other => Err(format!("{other:?}")),
        }
    }

    fn ask(&self, question: OidcQuestion) -> OidcAnswer {
        self.served.web.oidc(question).unwrap()
    }

    fn begin(&self) -> (Sensitive<String>, Sensitive<String>, String) {
        match self.ask(OidcQuestion::Begin { place: [1; 16] }) {
            OidcAnswer::Begun { state, binding, nonce, .. } => (state, binding, nonce.into_revealed()),
            other => panic!("{other:?}"),
        }
    }

    /// What the provider says of a person who showed two factors just now.
    fn claims(&self, nonce: &str) -> Value {
        let now = self.world.now().seconds();
        json!({
            "iss": ISSUER, "aud": "vigie", "sub": SUBJECT, "nonce": nonce, "iat": now, "exp": now + 300,
            "auth_time": now, "acr": "two",
        })
    }

    /// A whole sign-in, its token made out of its nonce.
    fn sign_in(&self, token: impl FnOnce(&str) -> String) -> OidcAnswer {
        let (state, binding, nonce) = self.begin();
        let OidcAnswer::Exchange { ticket, .. } = self.ask(OidcQuestion::Code { state, binding }) else {
            panic!("the state is known")
        };
        self.ask(OidcQuestion::SignIn { ticket, id_token: Sensitive::new(token(&nonce)) })
    }

    fn honest(&self) -> OidcAnswer {
        self.sign_in(|nonce| self.signer.sign(&self.claims(nonce)))
    }

    fn said(&self) -> Vec<String> {
        let change = |event| match event {
            Event::Session { change, .. } | Event::Account { change, .. } => Some(change),
            _ => None,
        };
        self.opened.entries().into_iter().filter_map(|entry| change(entry.event)).collect()
    }
}

#[track_caller]
fn refused(answer: OidcAnswer) -> OidcRefusal {
    match answer {
        OidcAnswer::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn is_unbound(answer: OidcAnswer) -> bool {
    matches!(answer, OidcAnswer::NotBound { .. })
}

#[track_caller]
fn signed_in(answer: OidcAnswer) -> SessionView {
    match answer {
        OidcAnswer::SignedIn { view, .. } => view,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_person_signs_in_by_the_provider_and_the_ledger_says_so() {
    let town = Town::new();
    let view = signed_in(town.honest());
    assert_eq!((view.name, view.role), (text("operator"), Role::Operator));
    assert_eq!(town.said().last().unwrap(), "signed in with the provider, by two factors");
    let by_amr = |nonce: &str| {
        let mut claims = town.claims(nonce);
        claims["acr"] = Value::Null;
        claims["amr"] = json!(["pwd", "mfa"]);
        town.signer.sign(&claims)
    };
    signed_in(town.sign_in(by_amr));
    let printed = format!("{:?}", town.opened.entries());
    assert!(!printed.contains(SUBJECT) && !printed.contains(SECRET));
}

#[test]
fn whatever_is_not_the_providers_word_about_this_sign_in_is_refused() {
    let town = Town::new();
    let other = Signer::new("first"); // of the same name
    let changed = |field: &'static str, value: Value| {
        let town = &town;
        move |nonce: &str| {
            let mut claims = town.claims(nonce);
            claims[field] = value;
            town.signer.sign(&claims)
        }
    };
    let check = |answer: OidcAnswer, fault: TokenFault| {
        assert_eq!(refused(answer), OidcRefusal::Token(fault));
        assert_eq!(*town.said().last().unwrap(), format!("sign-in by the provider refused: {}", fault.words()));
    };
    let now = town.world.now().seconds();
    for (field, value, fault) in [
        ("nonce", json!("of another sign-in"), TokenFault::Nonce),
        ("nonce", Value::Null, TokenFault::Nonce),
        ("aud", json!("another service"), TokenFault::Audience),
        ("aud", json!(["vigie", "another service"]), TokenFault::Audience),
        ("iss", json!("https://id.example.net"), TokenFault::Issuer),
        ("iss", json!("https://id.example/"), TokenFault::Issuer),
        ("exp", json!(now - 1), TokenFault::Expired),
        ("iat", json!(now - 3_600), TokenFault::IssuedAt),
        ("iat", json!(now + 3_600), TokenFault::IssuedAt),
        ("sub", Value::Null, TokenFault::Malformed),
        ("sub", json!(""), TokenFault::Other),
    ] {
        check(town.sign_in(changed(field, value)), fault);
    }
    check(town.sign_in(|nonce| other.sign(&town.claims(nonce))), TokenFault::Signature);
    let unsigned = |nonce: &str| format!("{}.", input(&json!({ "alg": "none" }), &town.claims(nonce)));
    check(town.sign_in(unsigned), TokenFault::Unsigned);
    let point = town.signer.pair.public_key().as_ref().to_vec();
    let jwk = town.signer.jwk().to_string();
    for secret in [&point[..], jwk.as_bytes(), SECRET.as_bytes(), b""] {
        check(town.sign_in(|nonce| by_hmac("first", secret, &town.claims(nonce))), TokenFault::Algorithm);
    }
    let altered = |nonce: &str| {
        let honest = town.signer.sign(&town.claims(nonce));
        let mut claims = town.claims(nonce);
        claims["sub"] = json!("somebody else");
        let (header, signature) = (honest.split('.').next().unwrap(), honest.rsplit('.').next().unwrap());
        format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string()))
    };
    check(town.sign_in(altered), TokenFault::Signature);
    for garbage in ["", "a.b.c", "no token", &"x".repeat(100_000)] {
        check(town.sign_in(|_| garbage.to_owned()), TokenFault::Malformed);
    }
    signed_in(town.honest());
}

#[test]
fn a_state_is_taken_once_by_the_browser_that_began_within_ten_minutes() {
    let town = Town::new();
    let take = |state: &Sensitive<String>, binding: &Sensitive<String>| {
        town.ask(OidcQuestion::Code { state: state.clone(), binding: binding.clone() })
    };
    let (state, binding, nonce) = town.begin();
    let OidcAnswer::Exchange { ticket, .. } = take(&state, &binding) else { panic!("the first time") };
    assert_eq!(refused(take(&state, &binding)), OidcRefusal::State, "replayed");
    let token = Sensitive::new(town.signer.sign(&town.claims(&nonce)));
    let bring = || town.ask(OidcQuestion::SignIn { ticket: ticket.clone(), id_token: token.clone() });
    signed_in(bring());
    assert_eq!(refused(bring()), OidcRefusal::State, "a token brought twice");

    let ((state, binding, _), (_, another, _)) = (town.begin(), town.begin());
    assert_eq!(refused(take(&state, &another)), OidcRefusal::State, "another browser");
    assert_eq!(refused(take(&state, &binding)), OidcRefusal::State, "it is used up");
    assert_eq!(refused(take(&text("made up"), &binding)), OidcRefusal::State);
    let (state, binding, _) = town.begin();
    town.world.clock.pass(601);
    assert_eq!(refused(take(&state, &binding)), OidcRefusal::State, "too late");
}

#[test]
fn who_floods_with_sign_ins_drowns_his_own_and_nobody_else_s() {
    let town = Town::new();
    let (state, binding, _) = town.begin();
    for _ in 0..=domain::limit::CEREMONIES_MAX {
        town.ask(OidcQuestion::Begin { place: [2; 16] });
    }
    let answer = town.ask(OidcQuestion::Code { state, binding });
    assert!(matches!(answer, OidcAnswer::Exchange { .. }), "it began first, and still stands: {answer:?}");
}

#[test]
fn a_rotated_key_counts_once_it_is_confirmed_and_the_old_one_no_more() {
    let town = Town::with_provider();
    assert_eq!(refused(town.ask(OidcQuestion::Begin { place: [1; 16] })), OidcRefusal::Keys, "none is confirmed yet");
    town.confirm(&[&town.signer]);
    assert_eq!(town.bind("operator", SUBJECT), Ok(()));
    let next = Signer::new("second");
    let by_next = || town.sign_in(|nonce| next.sign(&town.claims(nonce)));
    assert_eq!(refused(by_next()), OidcRefusal::Keys);
    let jwks = jwks(&[&next]);
    let Ok(OidcAnswer::Keys { keys, code }) = town.control(OidcControl::Keys { jwks: jwks.clone() }) else {
        panic!("shown")
    };
    let changes: Vec<_> = keys.iter().map(|key| (key.kid.as_str(), key.change)).collect();
    assert_eq!(changes, [("second", KeyChange::New), ("first", KeyChange::Goes)]);
    let other = OidcControl::KeysConfirm { jwks: self::jwks(&[&Signer::new("third")]), code: code.clone() };
    assert!(matches!(town.control(other), Ok(OidcAnswer::OtherCode)), "not what was shown");
    assert_eq!(refused(by_next()), OidcRefusal::Keys, "shown is not confirmed");
    assert!(matches!(town.control(OidcControl::KeysConfirm { jwks, code }), Ok(OidcAnswer::Done)));
    signed_in(by_next());
    assert_eq!(refused(town.honest()), OidcRefusal::Keys, "the old key");
}

#[test]
fn an_identity_without_an_account_signs_nobody_in_and_makes_no_account() {
    let town = Town::new();
    let accounts = || match town.served.control.control_ask(Control::AccountList).unwrap() {
        Answer::Accounts(accounts) => accounts.len(),
        other => panic!("{other:?}"),
    };
    let before = accounts();
    let stranger = |nonce: &str| {
        let mut claims = town.claims(nonce);
        claims["sub"] = json!("a stranger");
        claims["email"] = json!("operator@town.example");
        claims["preferred_username"] = json!("operator");
        town.signer.sign(&claims)
    };
    assert!(is_unbound(town.sign_in(stranger)));
    assert_eq!(accounts(), before);
    assert!(town.bind("administrator", SUBJECT).is_err(), "an identity is one account's");
    assert!(matches!(town.control(OidcControl::Unbind { name: text("operator") }), Ok(OidcAnswer::Done)));
    assert!(is_unbound(town.honest()));
    assert_eq!(town.bind("administrator", SUBJECT), Ok(()));
    assert_eq!(signed_in(town.honest()).role, Role::Administrator, "the role is Vigie's");
}

#[test]
fn a_binding_is_shown_before_it_holds_and_only_what_was_shown_is_confirmed() {
    let town = Town::with_provider();
    town.confirm(&[&town.signer]);
    let confirm = |subject: &str, code: &str| {
        let (name, issuer) = (text("operator"), ISSUER.to_owned());
        town.control(OidcControl::BindConfirm { name, issuer, subject: text(subject), code: code.into() })
    };
    let shown = OidcControl::Bind { name: text("operator"), issuer: ISSUER.into(), subject: text(SUBJECT) };
    let Ok(OidcAnswer::Bind { code, role, had_another }) = town.control(shown) else { panic!("shown") };
    assert_eq!((role, had_another), (Role::Operator, false));
    assert!(is_unbound(town.honest()), "shown is not bound");
    assert!(matches!(confirm("another", &code), Ok(OidcAnswer::OtherCode)));
    assert!(matches!(confirm(SUBJECT, "0000"), Ok(OidcAnswer::OtherCode)));
    assert!(matches!(confirm(SUBJECT, &code), Ok(OidcAnswer::Done)));
    assert!(matches!(confirm(SUBJECT, &code), Ok(OidcAnswer::OtherCode)), "the code was for another state");
    let elsewhere = OidcControl::Bind { name: text("operator"), issuer: "https://x".into(), subject: text("a") };
    assert!(town.control(elsewhere).is_err(), "another issuer than the town's");
}

#[test]
fn a_closed_account_and_an_ended_habilitation_are_refused_whatever_the_provider_says() {
    let town = Town::new();
    town.opened.core.account_add(CLI, &text("watcher"), Role::Operator).unwrap();
    assert_eq!(town.bind("watcher", "watcher's"), Ok(()));
    let watcher = || {
        town.sign_in(|nonce| {
            let mut claims = town.claims(nonce);
            claims["sub"] = json!("watcher's");
            town.signer.sign(&claims)
        })
    };
    assert_eq!(refused(watcher()), OidcRefusal::NotHabilitated, "not yet");
    approve(&town.opened, "watcher");
    signed_in(watcher());
    withdraw_approval(&town.opened);
    town.world.clock.pass(1);
    assert_eq!(refused(watcher()), OidcRefusal::NotHabilitated, "no more");
    signed_in(town.honest());
    town.opened.core.account_disable(CLI, &text("operator")).unwrap();
    assert_eq!(refused(town.honest()), OidcRefusal::Closed);
    assert!(town.bind("operator", "another").is_err());
}

#[test]
fn where_the_provider_saw_one_factor_or_an_old_session_the_accounts_own_code_is_needed() {
    let town = Town::new();
    let Ok(Answer::SetupToken { token, .. }) = town.opened.core.account_add(CLI, &text("operator"), Role::Operator)
    else {
        panic!("a link")
    };
    let phone = Phone::set_up(&town.served, &town.world, &token);
    town.world.clock.pass(30);
    let with = |field: &str, value: Value| {
        town.sign_in(|nonce| {
            let mut claims = town.claims(nonce);
            claims[field] = value;
            town.signer.sign(&claims)
        })
    };
    let old = town.world.now().seconds() - 3_600;
    for (field, value) in
        [("acr", json!("one")), ("acr", Value::Null), ("auth_time", json!(old)), ("auth_time", Value::Null)]
    {
        let answer = with(field, value);
        assert!(matches!(answer, OidcAnswer::NeedsCode { .. }), "{field}: {answer:?}");
    }
    let OidcAnswer::NeedsCode { ticket } = with("acr", json!("one")) else { panic!("a code") };
    let give =
        |code: &Sensitive<String>| town.ask(OidcQuestion::SecondFactor { ticket: ticket.clone(), code: code.clone() });
    assert!(matches!(give(&text("not a code")), OidcAnswer::WrongCode { wait_seconds: 0 }));
    let code = phone.code(town.world.now());
    assert_eq!(signed_in(give(&code)).name, text("operator"));
    assert_eq!(town.said().last().unwrap(), "signed in with the provider and a code");
    assert_eq!(refused(give(&code)), OidcRefusal::State, "a ticket serves one session");

    let OidcAnswer::NeedsCode { ticket } = with("acr", json!("one")) else { panic!("a code") };
    let guess = || town.ask(OidcQuestion::SecondFactor { ticket: ticket.clone(), code: text("not a code") });
    let waits: Vec<bool> = (0..8).map(|_| !matches!(guess(), OidcAnswer::WrongCode { wait_seconds: 0 })).collect();
    assert_eq!(waits[..4], [false; 4]);
    assert!(waits[6..].iter().all(|waits| *waits), "who guesses has to wait: {waits:?}");
}

#[test]
fn a_row_copied_or_edited_in_the_registry_signs_nobody_in() {
    let town = Town::new();
    signed_in(town.honest());
    // by somebody who has the file, beside Vigie
    let registry = Registry::open(&town.world.registry_path()).unwrap();
    let row = registry.bindings().unwrap().remove(0);
    assert!(!String::from_utf8_lossy(row.sealed.reveal()).contains(SUBJECT));
    assert!(registry.binding_remove(row.account).unwrap());
    registry.binding_set(AccountId([2; 16]), row.sealed.reveal(), town.world.now()).unwrap();
    assert!(is_unbound(town.honest()), "the row counts for its own account only");
    let mine = Signer::new("first");
    registry.provider_keys_set(ISSUER, jwks(&[&mine]).as_bytes(), town.world.now()).unwrap();
    assert!(
        town.served.web.oidc(OidcQuestion::Begin { place: [1; 16] }).is_err(),
        "keys that nobody confirmed open nothing"
    );
}
