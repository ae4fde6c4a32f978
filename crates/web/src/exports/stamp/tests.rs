//! The authority is `openssl ts` behind a small server of HTTP.

use super::*;
use evidence::stamp::{Outcome, Why, imprint, judge};
use served::{REPLY, Served};
use std::{net::TcpListener, sync::Mutex};
use tsa::{Authority, FROM, Keys, STAMPS, TO};

#[path = "../../../tests/fake/served.rs"]
mod served;
#[path = "../../../../evidence/tests/support/tsa.rs"]
#[allow(dead_code)] // the tests of the format use the rest
mod tsa;

const REGISTER: &[u8] = br#"{"format":1,"checkpoint":"...","entries":[]}"#;
const CHANCE: [u8; 8] = [7; 8];
const NOW: (&str, &str) = ("20260101000000Z", "20681231235959Z");
/// Long where an answer is expected, short where none will come, once where nobody is asked again.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);
const ONCE: Duration = Duration::from_secs(2);

/// An authority of `openssl`, its root in a file of the town, and what the town configures.
struct Town {
    authority: Arc<Mutex<Authority>>,
    config: TimestampConfig,
}

impl Town {
    fn new() -> Town {
        let authority = Authority::new(Keys::P256);
        let config = TimestampConfig {
            authority: "http://127.0.0.1:9/".into(),
            roots: authority.path("root.pem"),
            certificates: None,
            patience: LONG,
        };
        Town { authority: Arc::new(Mutex::new(authority)), config }
    }

    fn at(&self, served: &Served, patience: Duration) -> TimestampConfig {
        let authority = format!("http://127.0.0.1:{}/tsa", served.port);
        TimestampConfig { authority, patience, ..self.config.clone() }
    }

    /// What `openssl ts` makes of a question, with these certificates in the token.
    fn stamps(&self, certificates: &'static [&'static str]) -> impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static {
        let authority = self.authority.clone();
        move |query| authority.lock().unwrap().answer(query, certificates, "")
    }

    fn judged(&self, files: &StampFiles) -> Outcome {
        let roots = Roots::read(&self.authority.lock().unwrap().pem("root")).unwrap();
        judge(files, imprint(REGISTER), &roots)
    }

    fn unknown(&self, files: &StampFiles) -> Vec<Why> {
        match self.judged(files) {
            Outcome::Good { not_checkable, .. } => not_checkable.iter().map(|one| one.why).collect(),
            other => panic!("{other:?}"),
        }
    }
}

fn asks(config: &TimestampConfig) -> Result<StampFiles, StampError> {
    stamp(config, REGISTER, CHANCE, &|| true).expect("nobody stops it")
}

/// What the maker is told, and the reason.
fn told(done: Result<StampFiles, StampError>) -> (Stamping, String) {
    let error = done.expect_err("no timestamp");
    (error.stamping(), error.to_string())
}

#[test]
fn what_the_authority_answers_is_kept_and_believed_and_it_learns_a_digest_and_nothing_else() {
    let town = Town::new();
    let stamps = town.stamps(&["between"]);
    let served = Served::new(move |_, query| Some((200, "Application/Timestamp-Reply; q=1", stamps(query))));
    let files = asks(&town.at(&served, LONG)).unwrap();
    assert_eq!(town.unknown(&files), [Why::NoList, Why::NoList]);
    let asked = served.asked.lock().unwrap().clone();
    let [(path, query)] = &asked[..] else { panic!("{asked:?}") };
    let expected = evidence::stamp::StampRequest::new(REGISTER, CHANCE).to_der();
    assert_eq!((path.as_str(), query), ("/tsa", &expected));
    assert!(expected.len() < 80 && expected.windows(32).any(|part| part == imprint(REGISTER).0));
}

#[test]
fn an_authority_that_is_away_slow_or_broken_leaves_no_timestamp_and_is_told_as_away() {
    let town = Town::new();
    let nobody = TimestampConfig { patience: SHORT, ..town.config.clone() };
    assert_eq!(told(asks(&nobody)).0, Stamping::Away);
    let silent = Served::new(|_, _| None);
    assert_eq!(told(asks(&town.at(&silent, SHORT))).0, Stamping::Away);
    for status in [302, 404, 503] {
        let broken = Served::new(move |_, _| Some((status, REPLY, vec![])));
        let (stamping, why) = told(asks(&town.at(&broken, ONCE)));
        assert!(stamping == Stamping::Away && why.contains(&status.to_string()), "{why}");
        assert_eq!(broken.paths(), ["/tsa"], "no redirection is followed");
    }
}

#[test]
fn an_authority_that_fails_once_is_asked_again() {
    let town = Town::new();
    let (stamps, turn) = (town.stamps(&["between"]), AtomicBool::new(false));
    let served = Served::new(move |_, query| match turn.swap(true, Ordering::SeqCst) {
        false => Some((503, "text/html", vec![])),
        true => Some((200, REPLY, stamps(query))),
    });
    assert!(asks(&town.at(&served, LONG)).is_ok());
    assert_eq!(served.paths().len(), 2);
}

#[test]
fn an_answer_that_is_none_or_another_ones_leaves_no_timestamp_and_is_told_as_refused() {
    let town = Town::new();
    let refused = |kind: &'static str, body: Vec<u8>| {
        let served = Served::new(move |_, _| Some((200, kind, body.clone())));
        told(asks(&town.at(&served, LONG)))
    };
    let old = |bytes: &[u8], chance| {
        let query = evidence::stamp::StampRequest::new(bytes, chance).to_der();
        town.stamps(&["between"])(&query)
    };
    let good = old(REGISTER, CHANCE);
    let rejection = town.authority.lock().unwrap().answer(b"no question", &[], "");
    for (kind, body, why) in [
        (REPLY, b"<html>".to_vec(), "cannot be read"),
        (REPLY, vec![0x30; RESPONSE_BYTES_MAX + 1], "more than"),
        ("text/html", good.clone(), "`text/html`"),
        (REPLY, rejection, "refused"),
        (REPLY, old(b"other bytes", CHANCE), "other bytes"),
        (REPLY, old(REGISTER, [8; 8]), "another nonce"),
    ] {
        let (stamping, said) = refused(kind, body);
        assert!(stamping == Stamping::Refused && said.contains(why), "{said}");
    }
}

#[test]
fn a_token_that_the_towns_roots_do_not_believe_leaves_no_timestamp() {
    let (town, other) = (Town::new(), Town::new());
    let stamps = other.stamps(&["root", "between"]);
    let forged = Served::new(move |_, query| Some((200, REPLY, stamps(query))));
    let (stamping, why) = told(asks(&town.at(&forged, LONG)));
    assert!(stamping == Stamping::Refused && why.contains("not believed"), "{why}");
    assert_eq!(forged.paths(), ["/tsa"], "no list is fetched for it");
}

#[test]
fn certificates_that_the_tokens_lack_are_kept_where_the_town_names_them() {
    let town = Town::new();
    let stamps = town.stamps(&[]);
    let served = Served::new(move |_, query| Some((200, REPLY, stamps(query))));
    assert_eq!(told(asks(&town.at(&served, LONG))).0, Stamping::Refused);
    let between = town.authority.lock().unwrap().path("between.pem");
    let files = asks(&TimestampConfig { certificates: Some(between), ..town.at(&served, LONG) }).unwrap();
    assert_eq!(files.certificates.len(), 1);
    town.unknown(&files);
}

#[test]
fn files_of_the_town_that_cannot_be_read_are_named_and_nobody_is_asked() {
    let town = Town::new();
    let served = Served::new(|_, _| None);
    let none = town.authority.lock().unwrap().path("tsa.key");
    let at = town.at(&served, LONG);
    for (config, setting) in [
        (TimestampConfig { roots: "/no/such/file".into(), ..at.clone() }, ROOTS),
        (TimestampConfig { roots: none.clone(), ..at.clone() }, ROOTS),
        (TimestampConfig { certificates: Some(none), ..at }, CERTIFICATES),
    ] {
        let (stamping, why) = told(asks(&config));
        assert!(stamping == Stamping::Unset && why.contains(setting), "{why}");
        assert!(config.check().is_err());
    }
    assert_eq!(served.paths().len(), 0);
}

/// An authority whose lists lie at its own port, as its certificates say.
fn with_lists(more: &str) -> (Town, TcpListener) {
    let (town, listener) = (Town::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    {
        let authority = town.authority.lock().unwrap();
        let base = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let at = |path: &str| format!("crlDistributionPoints=URI:{base}{path}{more}");
        let between = format!("{}\n{}", tsa::ROOT, at("/root.crl"));
        authority.certify("between", "between", "root", &between, (FROM, TO));
        authority.certify("tsa", "tsa", "between", &format!("{STAMPS}\n{}", at("/between.crl")), (FROM, TO));
        authority.issue("stranger", "root", &format!("{STAMPS}\n{}", at("/stranger.crl")), (FROM, TO));
    }
    (town, listener)
}

/// Both lists, but for what the test puts in the place of one.
fn lists(town: &Town, listener: TcpListener, instead: &'static str, bytes: Vec<u8>) -> Served {
    let authority = town.authority.lock().unwrap();
    let (root, between) = (authority.list("root", NOW), authority.list("between", NOW));
    let stamps = town.stamps(&["between", "stranger"]);
    let answers = move |path: &str, body: &[u8]| match path {
        "/tsa" => Some((200, REPLY, stamps(body))),
        path if path == instead => Some((200, "application/pkix-crl", bytes.clone())),
        "/root.crl" => Some((200, "application/pkix-crl", root.clone())),
        "/between.crl" => Some((200, "application/pkix-crl", between.clone())),
        _ => Some((404, "text/html", vec![])),
    };
    Served::begin(listener, Box::new(answers))
}

#[test]
fn the_lists_of_the_chain_are_fetched_and_kept_and_no_other_address_is_asked() {
    let (town, listener) =
        with_lists(",URI:http://127.0.0.1:9/closed.crl,URI:ldap://127.0.0.1/x,URI:http://u:p@127.0.0.1/");
    let served = lists(&town, listener, "", vec![]);
    let files = asks(&town.at(&served, LONG)).unwrap();
    assert_eq!((files.lists.len(), town.unknown(&files)), (2, vec![]));
    let mut paths = served.paths();
    paths.sort();
    assert_eq!(
        paths,
        ["/between.crl", "/root.crl", "/tsa"],
        "a certificate that merely lies in the token names nothing"
    );
}

#[test]
fn a_list_that_is_none_too_long_or_forged_is_left_out_and_the_timestamp_stands() {
    let forger = Town::new();
    let mut damaged = forger.authority.lock().unwrap().list("between", NOW);
    for bytes in [b"<html>".to_vec(), vec![0x30; (4 << 20) + 1], damaged.clone(), {
        *damaged.last_mut().unwrap() ^= 1;
        damaged
    }] {
        let (town, listener) = with_lists("");
        let served = lists(&town, listener, "/between.crl", bytes);
        let files = asks(&town.at(&served, LONG)).unwrap();
        assert_eq!((files.lists.len(), town.unknown(&files)), (1, vec![Why::NoList]));
    }
}

#[test]
fn a_token_of_an_authority_that_its_own_list_says_was_revoked_is_no_timestamp() {
    let (town, listener) = with_lists("");
    town.authority.lock().unwrap().revoke("tsa", "between", "260101000000Z,keyCompromise");
    let served = lists(&town, listener, "", vec![]);
    let (stamping, why) = told(asks(&town.at(&served, LONG)));
    assert!(stamping == Stamping::Refused && why.contains("revoked"), "{why}");
}

#[test]
fn whoever_stops_a_package_waits_for_no_authority() {
    let town = Town::new();
    let silent = Served::new(|_, _| None);
    let asked = silent.asked.clone();
    // stopped once the authority was asked, which it never answers
    let go_on = move || asked.lock().unwrap().is_empty();
    assert!(stamp(&town.at(&silent, Duration::from_secs(86_400)), REGISTER, CHANCE, &go_on).is_none());
}
