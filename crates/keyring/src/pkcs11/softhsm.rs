//! Tokens of SoftHSM2 for tests, in a folder of their own. The library takes its configuration from the environment of its
//! process, so a test that needs it starts this test program again with `SOFTHSM2_CONF` set.

use super::{Pkcs11Token, TokenSettings, module::module};
use cryptoki::{
    error::{Error, RvError},
    object::{Attribute, AttributeType, ObjectClass},
    session::UserType,
    types::AuthPin,
};
use domain::SiteId;
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};
use zeroize::Zeroizing;

pub const PIN: &str = "135790";
const SECURITY_OFFICER: &str = "8642086420";
/// Set for the second process: the module's path.
const MODULE: &str = "VIGIE_TEST_SOFTHSM";
const PLACES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

/// In the second process: the module.
pub fn here() -> Option<PathBuf> {
    std::env::var_os(MODULE).map(PathBuf::from)
}

/// A new token of its own, and its label.
pub fn new_token(path: &Path) -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let label = format!("jeton {}", MADE.fetch_add(1, Ordering::SeqCst));
    new_token_named(path, &label);
    label
}

pub fn new_token_named(path: &Path, label: &str) {
    let module = module(path).unwrap();
    let is_new = |slot: &cryptoki::slot::Slot| !module.get_token_info(*slot).unwrap().token_initialized();
    let slot = module.get_slots_with_token().unwrap().into_iter().find(is_new).unwrap();
    let officer = AuthPin::from(SECURITY_OFFICER);
    module.init_token(slot, &officer, label).unwrap();
    let session = module.open_rw_session(slot).unwrap();
    session.login(UserType::So, Some(&officer)).unwrap();
    session.init_pin(&AuthPin::from(PIN)).unwrap();
    session.logout().unwrap();
}

/// How many secret keys of a token give their value to somebody who is logged in.
pub fn readable_values(path: &Path, label: &str) -> usize {
    let module = module(path).unwrap();
    let is_ours = |slot: &cryptoki::slot::Slot| module.get_token_info(*slot).unwrap().label() == label;
    let slot = module.get_slots_with_token().unwrap().into_iter().find(is_ours).unwrap();
    let session = module.open_rw_session(slot).unwrap();
    match session.login(UserType::User, Some(&AuthPin::from(PIN))) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
        Err(error) => panic!("{error}"),
    }
    let keys = session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap();
    assert!(!keys.is_empty());
    keys.into_iter().filter(|key| !session.get_attributes(*key, &[AttributeType::Value]).unwrap().is_empty()).count()
}

pub fn token(module: &Path, label: &str, pin: &str, site: SiteId) -> Pkcs11Token {
    let pin = Zeroizing::new(pin.to_owned());
    Pkcs11Token::new(TokenSettings { module: module.to_owned(), token: label.to_owned(), pin }, site)
}

/// Runs tests of this program in a process with SoftHSM2.
fn run(arguments: &[&str], at_least: usize) {
    let Some(module) = PLACES.iter().find(|place| Path::new(place).exists()) else {
        eprintln!("skipped: SoftHSM2 is not installed; scripts/setup.sh installs it (Debian package softhsm2)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (conf, tokens) = (folder.path().join("softhsm2.conf"), folder.path().join("tokens"));
    std::fs::create_dir(&tokens).unwrap();
    std::fs::write(&conf, format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display())).unwrap();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(arguments).arg("--test-threads=1").env("SOFTHSM2_CONF", &conf).env(MODULE, module);
    let output = again.output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");
    let passed = said.lines().filter(|line| line.starts_with("test ") && line.ends_with(" ok")).count();
    assert!(passed >= at_least, "{passed} tests only ran on SoftHSM2:\n{said}");
    assert_ne!(std::fs::read_dir(&tokens).unwrap().count(), 0, "no token was made:\n{said}");
}

#[test]
fn every_check_of_the_conformance_suite_holds_on_softhsm() {
    run(&["conformance::"], 9);
}

#[test]
fn every_drill_of_a_real_token_holds_on_softhsm() {
    run(&["--ignored", "on_softhsm"], 6);
}
