//! Pseudonyms, and the name behind one: shown to the data-protection officer with a second person, each proving who they are.
//!
//! 1 who asks proves it again, with password and code · 2 the second person proves it, with both factors · 3 the second person is
//! the mayor, or a councillor with the delegation, habilitated today; nobody is judge in their own case · 4 entry, with the
//! reason and whose name it is · 5 the name

use super::{
    actor, own_words,
    words::{NameShown, ReviewAsk, Reviewed},
};
use crate::{
    core::{KeeperCore, failed},
    wire::PersonProof,
};
use aws_lc_rs::hmac;
use catalog::{Account, AccountId};
use domain::{Role, Sensitive, Span};
use ledger::{Actor, Event};
use vault::KeeperError;

const SAME_PERSON: &str = "review-two-persons";
const CHIEF: &str = "review-second-person";
const OWN_CASE: &str = "review-own-case";
const UNKNOWN: &str = "review-pseudonym";
#[cfg(test)]
pub(super) const RULES: [&str; 4] = [SAME_PERSON, CHIEF, OWN_CASE, UNKNOWN];

const LABEL: &[u8] = b"vigie review pseudonym v1";
/// Without letters that look like digits (Crockford).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Five bits each: forty bits tell some hundred persons apart.
const PSEUDONYM_LETTERS: usize = 8;

/// Article, text and remedy, each text in French and English.
pub(super) type Words = (&'static str, (&'static str, &'static str), (&'static str, &'static str));

/// The pseudonyms of one span: made from a key that only the keeper has, kept nowhere.
pub(super) struct Pseudonyms {
    key: hmac::Key,
    span: Span,
}

impl Pseudonyms {
    pub fn of(keeper: &KeeperCore, span: Span) -> Pseudonyms {
        let site = hmac::Key::new(hmac::HMAC_SHA256, keeper.parts.keyring.site_key().expose());
        Pseudonyms { key: hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&site, LABEL).as_ref()), span }
    }

    pub fn of_account(&self, account: AccountId) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&self.span.from().0.to_le_bytes());
        context.update(&self.span.to().0.to_le_bytes());
        context.update(&account.0);
        let tag = context.sign();
        let bits = tag.as_ref().iter().take(5).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        let letter = |nth: usize| char::from(LETTERS[(bits >> (5 * nth) & 31) as usize]);
        let all: String = (0..PSEUDONYM_LETTERS).rev().map(letter).collect();
        let (first, second) = all.split_at(PSEUDONYM_LETTERS / 2);
        format!("{first}-{second}")
    }

    /// Whoever acted; a line of the machine's own has no person behind it.
    pub fn of_actor(&self, actor: &Actor) -> String {
        let account = match actor {
            Actor::Account { id, .. } => id.parse().ok(),
            _ => None,
        };
        account.map_or_else(|| "-".to_owned(), |account| self.of_account(account))
    }
}

impl KeeperCore {
    pub(super) fn show_name(
        &self,
        account: &Account,
        ask: &ReviewAsk,
        (span, pseudonym): (Span, &str),
        (password, code): (&Sensitive<String>, &Sensitive<String>),
        second: &PersonProof,
    ) -> Result<Reviewed, KeeperError> {
        let own = PersonProof { account: account.name.clone(), password: password.clone(), code: code.clone() };
        if let Err(wait_seconds) = self.by_both_factors(actor(account), &own)? {
            return Ok(Reviewed::Denied { wait_seconds }); // 1
        }
        let second = match self.by_both_factors(actor(account), second)? {
            Ok(second) => second,
            Err(wait_seconds) => return Ok(Reviewed::Denied { wait_seconds }), // 2
        };
        let names = Pseudonyms::of(self, span);
        let accounts = self.parts.registry.accounts().map_err(failed)?;
        let meant = accounts.into_iter().find(|account| names.of_account(account.id) == pseudonym);
        let named = match self.objection(account, &second, meant.as_ref())? {
            None => meant.ok_or_else(|| failed("a pseudonym without objection has its person"))?,
            Some(rule) => return self.refuse_review(account, ask, own_words(rule)).map(Reviewed::Refused), // 3
        };
        let review = Event::Review {
            who: account.name.clone(),
            role: account.role.clone(),
            what: ask.what.name().into(),
            span: Some(span),
            reason: ask.reason.clone(),
            pseudonym: Some(pseudonym.to_owned()),
            second: Some(second.name),
            named: Some(named.name.clone()),
        };
        let entry = self.enter_events(actor(account), vec![review])?.first().copied().unwrap_or_default(); // 4
        let role = named.role.parse().map_err(failed)?;
        Ok(Reviewed::Name(NameShown { entry, pseudonym: pseudonym.to_owned(), name: named.name, role })) // 5
    }

    /// The rule by which this name is not shown to these two; none if it is.
    fn objection(
        &self,
        first: &Account,
        second: &Account,
        meant: Option<&Account>,
    ) -> Result<Option<&'static str>, KeeperError> {
        if first.id == second.id {
            return Ok(Some(SAME_PERSON));
        }
        let is_elected = second.role == Role::Elected.name();
        if !is_elected || !self.person_facts(second, self.decision_time())?.habilitated {
            return Ok(Some(CHIEF));
        }
        Ok(match meant {
            None => Some(UNKNOWN),
            Some(meant) if meant.id == first.id || meant.id == second.id => Some(OWN_CASE),
            Some(_) => None,
        })
    }
}

pub(super) fn words_of(rule: &str) -> Option<Words> {
    Some(match rule {
        SAME_PERSON => (
            "RGPD art. 5 § 1 c, 32",
            ("Un nom ne se montre pas à une personne seule.", "A name is not shown to one person alone."),
            (
                "Le maire, ou l'élu délégué, prouve lui-même qui il est.",
                "The mayor, or the delegated councillor, proves in person who they are.",
            ),
        ),
        CHIEF => (
            "CSI L132-14-1, R253-3 II 2° a",
            (
                "La seconde personne est le maire, ou l'élu qui a sa délégation, habilité aujourd'hui.",
                "The second person is the mayor, or the councillor with the delegation, habilitated today.",
            ),
            (
                "Faites venir cette personne, ou inscrivez son habilitation (`vigie act template habilitation`).",
                "Have this person come, or enter the habilitation (`vigie act template habilitation`).",
            ),
        ),
        OWN_CASE => (
            "RGPD art. 38 § 6",
            (
                "Ce pseudonyme est celui de l'une des deux personnes : nul n'est juge de sa propre trace.",
                "This pseudonym is that of one of the two persons: nobody is judge of their own trace.",
            ),
            (
                "Chacun lit sa propre trace dans la page Mon compte ; pour le nom, venez avec un autre élu délégué.",
                "Everybody reads their own trace on the page My account; for the name, come with another delegated councillor.",
            ),
        ),
        UNKNOWN => (
            "CSI R253-5",
            ("Personne n'a ce pseudonyme dans cette période.", "Nobody has this pseudonym in this span."),
            (
                "Recopiez-le de la relecture de la même période : il change avec elle.",
                "Copy it from the review of the same span: it changes with it.",
            ),
        ),
        _ => return None,
    })
}
