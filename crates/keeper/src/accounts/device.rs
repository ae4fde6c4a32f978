//! Who has to wait after failures: strangers wait for each other, never the person whose name they try on a browser that is
//! known to be hers.
//!
//! A browser on which somebody signed in gets a token of the account, made with a key of the keyring. Failures with it have a
//! measure of their own; failures without it are counted by name and place, by name, and by place.

use super::{
    digest_of,
    throttle::{FREE_TRIES, Throttle},
};
use crate::{
    core::{KeeperCore, failed},
    wire::Browser,
};
use aws_lc_rs::{constant_time::verify_slices_are_equal, hkdf, hmac};
use catalog::{Account, AccountId};
use domain::{Sensitive, limit::KNOWN_DEVICE_PERSONS_MAX, world::BootMicros};
use vault::KeeperError;

/// Failures with one name from everywhere, and from one place with any name, before strangers have to wait.
const FREE_TRIES_BY_NAME: u32 = 20;
const FREE_TRIES_BY_PLACE: u32 = 30;
const NONCE_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

/// Where a password is asked for.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    /// On the sign-in page.
    By(&'a Browser),
    /// In a session, or by the machine's own administrator.
    Within,
}

/// What failures of one try are counted by, with what is free.
pub(super) struct Measures(Vec<([u8; 32], u32)>);

impl Measures {
    pub fn must_wait(&self, throttle: &Throttle, now: BootMicros) -> Option<u32> {
        self.0.iter().filter_map(|(measure, _)| throttle.must_wait(measure, now)).max()
    }

    pub fn note_failure(&self, throttle: &mut Throttle, now: BootMicros) -> u32 {
        let waits = self.0.iter().map(|(measure, free)| throttle.note_failure(*measure, *free, now));
        waits.max().unwrap_or_default()
    }

    /// The first measure is the person's own; the others count strangers, whom one success does not excuse.
    pub fn forgive(&self, throttle: &mut Throttle) {
        if let Some((measure, _)) = self.0.first() {
            throttle.forgive(measure);
        }
    }
}

impl KeeperCore {
    pub(super) fn measures(
        &self,
        name: &Sensitive<String>,
        account: Option<&Account>,
        asked: Asked<'_>,
    ) -> Result<Measures, KeeperError> {
        let name = name.reveal().as_bytes();
        let browser = match asked {
            Asked::Within => return Ok(Measures(vec![(digest_of(&[b"within ", name]), FREE_TRIES)])),
            Asked::By(browser) => browser,
        };
        if let (Some(account), Some(tokens)) = (account, &browser.device)
            && let Some(known) = self.known_device(account.id, tokens.reveal())?
        {
            return Ok(Measures(vec![(digest_of(&[b"device ", &account.id.0, known.as_bytes()]), FREE_TRIES)]));
        }
        Ok(Measures(vec![
            (digest_of(&[b"name and place ", &browser.place, name]), FREE_TRIES),
            (digest_of(&[b"name ", name]), FREE_TRIES_BY_NAME),
            (digest_of(&[b"place ", &browser.place]), FREE_TRIES_BY_PLACE),
        ]))
    }

    /// The token of a browser on which this account signed in.
    pub(super) fn new_device(&self, account: AccountId) -> Result<Sensitive<String>, KeeperError> {
        let mut nonce = [0; NONCE_BYTES];
        self.parts.random.fill(&mut nonce);
        let tag = self.device_tag(account, &nonce)?;
        Ok(Sensitive::new([&nonce[..], &tag].concat().iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The one among a browser's tokens that is this account's.
    fn known_device<'a>(&self, account: AccountId, tokens: &'a str) -> Result<Option<&'a str>, KeeperError> {
        for token in tokens.split('.').take(KNOWN_DEVICE_PERSONS_MAX) {
            let Some(bytes) = bytes_of(token) else { continue };
            let (nonce, tag) = bytes.split_at(NONCE_BYTES);
            if verify_slices_are_equal(&self.device_tag(account, nonce)?, tag).is_ok() {
                return Ok(Some(token));
            }
        }
        Ok(None)
    }

    fn device_tag(&self, account: AccountId, nonce: &[u8]) -> Result<[u8; TAG_BYTES], KeeperError> {
        let key = self.parts.keyring.config_key();
        let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, b"vigie known device v1").extract(key.expose());
        let key: hmac::Key = pseudorandom.expand(&[b"tag"], hmac::HMAC_SHA256).map_err(failed)?.into();
        let whole = hmac::sign(&key, &[&account.0[..], nonce].concat());
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&whole.as_ref()[..TAG_BYTES]);
        Ok(tag)
    }
}

fn bytes_of(token: &str) -> Option<[u8; NONCE_BYTES + TAG_BYTES]> {
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = token.as_bytes().chunks(2).map(digits).collect();
    bytes?.try_into().ok()
}
