//! What root records are sealed under: the passphrase alone, or together with one object of a token that dies at every
//! destruction.
//!
//! With a token the root key is HKDF-SHA-256(salt = argon2id(passphrase), input = the object's answer to site and its own
//! id). Whoever has every file, the passphrase and the token of today lacks the objects of yesterday.

use super::{root::Root, sealing::Kdf, slot::Slot};
use crate::{
    Away, CopyState, TokenStatus,
    pkcs11::{ObjectId, Outcome, Token, TokenFault},
};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use domain::{Random, Secret32, SiteId};
use std::collections::BTreeSet;

const QUESTION: &[u8] = b"vigie keyring root 2";
const PURPOSE: &[u8] = b"vigie keyring root key 2";
/// A record sealed under the passphrase alone is taken beside a token only if the token's objects were made for the very next
/// change: then a crash came between the first object and the first record under it. A generation may skip one number.
const NEXT_CHANGE: u64 = 2;

/// The key of one generation's record, and the object behind it.
#[derive(Clone)]
pub struct RootKey {
    /// `None`: the passphrase alone.
    pub object: Option<ObjectId>,
    pub key: Secret32,
}

/// What opens and seals root records.
pub struct RootSeal {
    pub kdf: Kdf,
    site: SiteId,
    from_passphrase: Secret32,
    current: RootKey,
    token: Option<Held>,
}

struct Held {
    token: Box<dyn Token>,
    /// Away from the beginning of a destruction until its old objects are gone.
    state: CopyState,
}

impl RootSeal {
    /// A seal that goes on with the key of the passphrase alone; the first record written under it is under a token's object
    /// where there is a token.
    pub fn new(kdf: Kdf, site: SiteId, from_passphrase: Secret32, token: Option<Box<dyn Token>>) -> RootSeal {
        let current = RootKey { object: None, key: from_passphrase.clone() };
        let token = token.map(|token| {
            let fault = TokenFault::OldKeyKept { label: token.label().to_owned() };
            Held { token, state: CopyState::Away(Away::Token(Box::new(fault))) }
        });
        RootSeal { kdf, site, from_passphrase, current, token }
    }

    /// The same token with another salt's key.
    pub fn of(self, kdf: Kdf, from_passphrase: Secret32) -> RootSeal {
        let current = RootKey { object: None, key: from_passphrase.clone() };
        RootSeal { kdf, from_passphrase, current, ..self }
    }

    pub fn current(&self) -> &RootKey {
        &self.current
    }

    /// A record under this key was confirmed by a copy.
    pub fn became(&mut self, key: RootKey) {
        self.current = key;
    }

    /// The record in a slot; `None` if its object is dead or the passphrase is another.
    pub fn open(&self, slot: &Slot) -> Outcome<Option<Root>> {
        let Some(key) = self.key_of(slot.object)? else { return Ok(None) };
        Ok(slot.open(&key.key))
    }

    /// The format of a record that a later program sealed.
    pub fn later_format(&self, slot: &Slot) -> Outcome<Option<u16>> {
        Ok(self.key_of(slot.object)?.and_then(|key| slot.later_format(&key.key)))
    }

    /// The key behind an object; `None` for one that the token does not have.
    pub fn key_of(&self, object: Option<ObjectId>) -> Outcome<Option<RootKey>> {
        if object == self.current.object {
            return Ok(Some(self.current.clone()));
        }
        let Some(id) = object else {
            return Ok(Some(RootKey { object: None, key: self.from_passphrase.clone() }));
        };
        let Some(held) = &self.token else { return Ok(None) };
        let answer = held.token.answer(&id, &question(self.site, id))?;
        Ok(answer.map(|answer| RootKey { object, key: combine(&self.from_passphrase, &answer) }))
    }

    /// Whether a record of this generation that no object seals may be believed.
    pub fn believes_bare(&self, generation: u64) -> Outcome<bool> {
        let Some(held) = &self.token else { return Ok(true) };
        Ok(held.token.objects()?.iter().all(|object| object.generation <= generation + NEXT_CHANGE))
    }

    /// A new object and its key, asked twice; `None` where there is no token or it fails: then what is written next is not
    /// confirmed.
    pub fn make(&mut self, generation: u64, random: &dyn Random) -> Option<RootKey> {
        let held = self.token.as_mut()?;
        let label = held.token.label().to_owned();
        held.is_away(TokenFault::OldKeyKept { label: label.clone() });
        let id = ObjectId::draw(generation, random);
        let ask = || held.token.answer(&id, &question(self.site, id));
        let made = held.token.make(&id).and_then(|()| Ok((ask()?, ask()?)));
        let fault = match made {
            Ok((Some(answer), Some(again))) if answer == again => {
                return Some(RootKey { object: Some(id), key: combine(&self.from_passphrase, &answer) });
            }
            Ok(_) => TokenFault::Unfaithful { label },
            Err(fault) => fault,
        };
        held.is_away(fault);
        None
    }

    /// Destroys the objects that are not behind the present record, looks that they are gone and answer no more. While a copy
    /// is away, objects that are not older stay: its record may be the newer one.
    pub fn settle(&mut self, no_copy_is_away: bool) {
        let (Some(held), Some(current)) = (self.token.as_mut(), self.current.object) else { return };
        let is_dead = |id: &ObjectId| *id != current && (no_copy_is_away || id.generation < current.generation);
        match held.destroy_all(self.site, is_dead) {
            Ok(()) => held.state = CopyState::Present,
            Err(fault) => held.is_away(fault),
        }
    }

    /// Notices a token that was pulled out or lost its key.
    pub fn look(&mut self) {
        let (Some(held), Some(current)) = (self.token.as_mut(), self.current.object) else { return };
        if held.state != CopyState::Present {
            return;
        }
        match held.token.objects() {
            Ok(objects) if objects.contains(&current) => {}
            Ok(_) => held.is_away(TokenFault::KeyGone { label: held.token.label().to_owned() }),
            Err(fault) => held.is_away(fault),
        }
    }

    /// Whether a token that was away answers again: roots are not written once a minute for one that does not.
    pub fn answers_again(&mut self) -> bool {
        let Some(held) = self.token.as_mut().filter(|held| held.state != CopyState::Present) else { return false };
        match held.token.objects() {
            Ok(_) => true,
            Err(fault) => {
                held.is_away(fault);
                false
            }
        }
    }

    /// Takes back everything that was made in the token, before a keyring stands.
    pub fn abandon(&self) -> Outcome<()> {
        match &self.token {
            Some(held) => held.destroy_all(self.site, |_| true),
            None => Ok(()),
        }
    }

    /// Why the token is away, if it is.
    pub fn fault(&self) -> Option<&TokenFault> {
        match self.token.as_ref().map(|held| &held.state) {
            Some(CopyState::Away(Away::Token(fault))) => Some(fault),
            _ => None,
        }
    }

    pub fn status(&self) -> Option<TokenStatus> {
        self.token.as_ref().map(|held| TokenStatus {
            label: held.token.label().to_owned(),
            is_hardware: held.token.is_hardware(),
            state: held.state.clone(),
        })
    }
}

impl Held {
    fn is_away(&mut self, fault: TokenFault) {
        self.state = CopyState::Away(Away::Token(Box::new(fault)));
    }

    fn destroy_all(&self, site: SiteId, is_dead: impl Fn(&ObjectId) -> bool) -> Outcome<()> {
        let dead: BTreeSet<ObjectId> = self.token.objects()?.into_iter().filter(|id| is_dead(id)).collect();
        for id in &dead {
            self.token.destroy(id)?;
        }
        let listed = self.token.objects()?;
        for id in &dead {
            if listed.contains(id) || self.token.answer(id, &question(site, *id))?.is_some() {
                return Err(TokenFault::OldKeyKept { label: self.token.label().to_owned() });
            }
        }
        Ok(())
    }
}

/// What an object is asked.
pub fn question(site: SiteId, id: ObjectId) -> Vec<u8> {
    [QUESTION, &site.0, &id.to_bytes()].concat()
}

/// The root key of passphrase and token.
pub fn combine(from_passphrase: &Secret32, answer: &Secret32) -> Secret32 {
    struct Bytes32;
    impl KeyType for Bytes32 {
        fn len(&self) -> usize {
            32
        }
    }
    let extracted = Salt::new(HKDF_SHA256, from_passphrase.expose()).extract(answer.expose());
    let mut key = zeroize::Zeroizing::new([0; 32]);
    extracted
        .expand(&[PURPOSE], Bytes32)
        .and_then(|expanded| expanded.fill(&mut *key))
        .expect("HKDF gives up to 255 blocks, this is one");
    Secret32::new(*key)
}
