//! Passkeys against an authenticator in software: both factors in one, bound to the console's address, each challenge once.

use crate::{
    accounts::{link, text},
    authenticator::{PASSWORD, Phone},
    sockets::Served,
    support::*,
};
use domain::{AccountId, Sensitive};
use keeper::wire::{Answer, Browser, Control, Question};
use ledger::Event;
use vault::keeper::SessionSecret;
use webauthn_authenticator_rs::{WebauthnAuthenticator, softpasskey::SoftPasskey};
use webauthn_rs::prelude::{CreationChallengeResponse, RequestChallengeResponse, Url};
use webauthn_rs_proto::AllowCredentials;

const ORIGIN: &str = "http://localhost:8470";

struct Owner {
    world: World,
    opened: Opened,
    served: Served,
    phone: Phone,
    session: SessionSecret,
    account: AccountId,
    key: SoftPasskey,
    credential: Vec<u8>,
}

impl Owner {
    /// Signed in by password and code; `verifies`: her authenticator says that it verified its user.
    fn new(verifies: bool) -> Owner {
        let world = World::new(1);
        let opened = world.open();
        let served = Served::new(&opened);
        let phone = Phone::set_up(&served, &world, &link(&opened, "watcher"));
        world.clock.pass(30);
        let signed_in = served
            .web
            .sign_in(text("watcher"), text(PASSWORD), phone.code(world.now()), Browser::default())
            .unwrap()
            .unwrap();
        let (session, view) = (signed_in.session, signed_in.view);
        world.clock.pass(30);
        let key = SoftPasskey::new(verifies);
        let account = AccountId(view.account);
        Owner { world, opened, served, phone, session, account, key, credential: vec![] }
    }

    /// Adds her passkey as the page does.
    fn add(&mut self) -> bool {
        let code = self.phone.code(self.world.now());
        let begun = self.served.web.passkey_begin(self.session.clone(), text(PASSWORD), code).unwrap();
        let (ceremony, options) = begun.unwrap();
        let mut options: CreationChallengeResponse = serde_json::from_str(options.reveal()).unwrap();
        let selection = options.public_key.authenticator_selection.as_mut().unwrap();
        assert!(selection.require_resident_key, "nobody types a name");
        selection.require_resident_key = false; // the one in software keeps none: it is told which to use, below
        let Ok(made) = self.key.do_registration(Url::parse(ORIGIN).unwrap(), options) else { return false };
        self.credential = made.raw_id.to_vec();
        let made = Sensitive::new(serde_json::to_string(&made).unwrap());
        self.served.web.passkey_add(self.session.clone(), ceremony, text("my key"), made).unwrap()
    }

    /// What the browser answers to a challenge, at this address.
    fn answer(&mut self, origin: &str) -> ([u8; 16], Sensitive<String>) {
        let (ceremony, options) = self.served.web.passkey_ask([1; 16]).unwrap().unwrap();
        let mut options: RequestChallengeResponse = serde_json::from_str(options.reveal()).unwrap();
        assert!(options.public_key.allow_credentials.is_empty(), "a challenge tells nobody's passkeys");
        options.public_key.allow_credentials =
            vec![AllowCredentials { type_: "public-key".into(), id: self.credential.clone(), transports: None }];
        let mut signed = self.key.do_authentication(Url::parse(origin).unwrap(), options).unwrap();
        signed.response.user_handle = Some(self.account.0.to_vec());
        (ceremony, Sensitive::new(serde_json::to_string(&signed).unwrap()))
    }
}

#[test]
fn a_passkey_alone_signs_in_and_the_ledger_says_so() {
    let mut person = Owner::new(true);
    assert!(person.add());
    let lines = person.served.web.passkeys(person.session.clone()).unwrap();
    assert_eq!((lines.len(), &lines[0].label), (1, &text("my key")));
    let (ceremony, signed) = person.answer(ORIGIN);
    let view = person.served.web.passkey_sign_in(ceremony, signed.clone()).unwrap().unwrap().view;
    assert_eq!(view.name, text("watcher"));
    assert!(person.served.web.passkey_sign_in(ceremony, signed).unwrap().is_err(), "a challenge is answered once");
    let said: Vec<String> = person.opened.entries().into_iter().filter_map(change).collect();
    assert!(said.contains(&"passkey added".to_owned()), "{said:?}");
    assert_eq!(said.last().unwrap(), "signed in with passkey, its user verified");
}

#[test]
fn a_passkey_answers_for_its_own_address_and_its_own_challenge_only() {
    let mut person = Owner::new(true);
    assert!(person.add());
    let (ceremony, elsewhere) = person.answer("http://localhost:8471");
    assert!(person.served.web.passkey_sign_in(ceremony, elsewhere).unwrap().is_err(), "another address");
    let (_, old) = person.answer(ORIGIN);
    let (ceremony, _) = person.answer(ORIGIN);
    assert!(person.served.web.passkey_sign_in(ceremony, old).unwrap().is_err(), "another challenge");
    let (ceremony, late) = person.answer(ORIGIN);
    person.world.clock.pass(301);
    assert!(person.served.web.passkey_sign_in(ceremony, late).unwrap().is_err(), "too late");
    let (ceremony, signed) = person.answer(ORIGIN);
    let session = person.served.web.passkey_sign_in(ceremony, signed).unwrap().unwrap().session;
    assert!(person.served.web.session(&session).is_ok());
}

#[test]
fn who_floods_with_ceremonies_drowns_his_own_and_nobody_else_s() {
    let mut person = Owner::new(true);
    assert!(person.add());
    let (ceremony, signed) = person.answer(ORIGIN);
    for _ in 0..=domain::limit::CEREMONIES_MAX {
        person.served.web.passkey_ask([2; 16]).unwrap().unwrap();
    }
    assert!(person.served.web.passkey_sign_in(ceremony, signed).unwrap().is_ok(), "hers began first, and still stands");
}

#[test]
fn an_authenticator_that_did_not_verify_its_user_is_no_passkey() {
    let mut person = Owner::new(false);
    assert!(!person.add());
    assert!(person.served.web.passkeys(person.session.clone()).unwrap().is_empty());
}

#[test]
fn a_passkey_is_added_with_password_and_code_anew_and_by_the_session_that_began() {
    let mut person = Owner::new(true);
    let begin = |session: SessionSecret, password: &str, code: Sensitive<String>| {
        person.served.web.passkey_begin(session, text(password), code)
    };
    let code = person.phone.code(person.world.now());
    assert!(begin(person.session.clone(), "a wrong password", code.clone()).unwrap().is_err());
    assert!(begin(person.session.clone(), PASSWORD, text("000")).unwrap().is_err());
    assert!(begin(text("no session"), PASSWORD, code.clone()).is_err());
    let (ceremony, options) = begin(person.session.clone(), PASSWORD, code).unwrap().unwrap();
    let mut options: CreationChallengeResponse = serde_json::from_str(options.reveal()).unwrap();
    options.public_key.authenticator_selection.as_mut().unwrap().require_resident_key = false;
    let made = person.key.do_registration(Url::parse(ORIGIN).unwrap(), options).unwrap();
    let made = Sensitive::new(serde_json::to_string(&made).unwrap());
    let other = session("operator");
    assert!(!person.served.web.passkey_add(other, ceremony, text("stolen"), made).unwrap());
}

#[test]
fn a_removed_passkey_a_disabled_account_and_a_new_link_end_sign_in_by_it() {
    for way in 0..3 {
        let mut person = Owner::new(true);
        assert!(person.add());
        match way {
            0 => {
                let id = person.served.web.passkeys(person.session.clone()).unwrap()[0].id;
                person.served.web.passkey_remove(person.session.clone(), id).unwrap();
            }
            1 => {
                let disabled = Question::Control(Control::AccountDisable { name: text("watcher") });
                assert!(matches!(person.served.control.ask(&disabled), Ok(Answer::Done)));
            }
            _ => {
                person.world.clock.pass(30);
                Phone::set_up(&person.served, &person.world, &link(&person.opened, "watcher"));
            }
        }
        let (ceremony, signed) = person.answer(ORIGIN);
        assert!(person.served.web.passkey_sign_in(ceremony, signed).unwrap().is_err(), "way {way}");
    }
}

fn change(entry: ledger::Entry) -> Option<String> {
    match entry.event {
        Event::Session { change, .. } | Event::Account { change, .. } => Some(change),
        _ => None,
    }
}
