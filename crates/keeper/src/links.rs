//! Delivery by link: a sealed package that its recipient fetches by a one-time link and a code that goes another way (vault.md P8).
//!
//! Made: 1 by who opened the export and made its package, as its delivery · 2 bounds, and no other link to it lives · 3 entry *link made*,
//! with digests only, durable · 4 token and code are told, once.
//! Tried: 1 the link of this token, if there is one: of others nothing is entered · 2 code, time, count, and whether two persons'
//! permission stands · 3 the entry of what comes of it, durable · 4 the word: yes, or no without a reason.
//! Over: 1 who may · 2 entry *ended*.
//!
//! There is no state beside the ledger's: a crash after any of these entries leaves what the entry says. A fetch that is entered and never
//! sent a byte counts as one that broke off.

mod book;

pub(crate) use book::LinkBook;

use crate::{
    core::{KeeperCore, actor, malformed},
    wire::links::{LinkAnswer, LinkAsk, LinkQuestion},
};
use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use book::{Link, Visit};
use catalog::{Account, ExportRow};
use domain::{
    ExportId, LinkCode, LinkEnd, LinkId, LinkStep, LinkToken, LinkTry,
    limit::{LINK_DOWNLOADS_MAX, LINK_SECONDS_MAX, LINK_SECONDS_MIN, LINKS_OF_EXPORT_MAX},
};
use ledger::{Actor, Digest, Event, Role};
use vault::{KeeperError, keeper::SessionSecret};

const RECIPIENT_CHARS_MAX: usize = 200;

impl KeeperCore {
    /// What web asks of links, for the town's people and for strangers.
    pub fn link_question(&self, question: LinkQuestion) -> Result<LinkAnswer, KeeperError> {
        match question {
            LinkQuestion::Make(ask) => self.link_make(&ask),
            LinkQuestion::Revoke { session, link } => self.link_revoke(&session, link),
            LinkQuestion::EndOf { session, export } => {
                let (account, _) = self.who(&session)?; // who may not make a link any more may still end one
                if self.own_package(&account, export).is_err() {
                    return Ok(LinkAnswer::Unknown);
                }
                self.end_links_of(Some(&account), export, LinkEnd::CopyGone).map(|()| LinkAnswer::Done)
            }
            LinkQuestion::Try(tried) => self.link_try(&tried),
            LinkQuestion::Over { link, nth, is_whole } => self.link_over(link, nth, is_whole),
        }
    }

    fn link_make(&self, ask: &LinkAsk) -> Result<LinkAnswer, KeeperError> {
        let account = self.registrar(&ask.session)?;
        let Ok(row) = self.own_package(&account, ask.export) else { return Ok(LinkAnswer::Unknown) }; // 1
        check(ask)?;
        let now = self.trusted()?;
        let _one_at_a_time = self.linking();
        {
            let moving = self.moving();
            let before = moving.links.of(row.id);
            if LINKS_OF_EXPORT_MAX <= before.len() || before.iter().any(|link| link.over(now).is_none()) {
                return Ok(LinkAnswer::Lives); // 2
            }
        }
        let number = self.requisition(row.requisition)?.label();
        let (token, code) = (LinkToken::draw(&*self.parts.random), LinkCode::draw(&*self.parts.random));
        let link = LinkId::draw(&*self.parts.random);
        let event = Event::LinkMade {
            link,
            export: row.id,
            requisition: row.requisition,
            number,
            who: account.name.clone(),
            recipient: ask.recipient.clone(),
            until: now.plus_seconds(ask.seconds).min(row.until),
            downloads: ask.downloads,
            token: digest_of_token(&token),
            code: digest_of_code(&token, &code),
        };
        self.enter_events(actor(&account), vec![event])?; // 3
        let view = self.moving().links.get(link).map(|link| link.view(now));
        let view = view.ok_or_else(|| malformed("a link that was entered is not known"))?;
        Ok(LinkAnswer::Made { view: Box::new(view), token, code }) // 4
    }

    fn link_revoke(&self, session: &SessionSecret, link: LinkId) -> Result<LinkAnswer, KeeperError> {
        let account = self.registrar(session)?;
        let export = self.moving().links.get(link).map(|link| link.export);
        let Some(Ok(_)) = export.map(|export| self.own_package(&account, export)) else {
            return Ok(LinkAnswer::Unknown);
        };
        let _one_at_a_time = self.linking();
        let is_open = self.moving().links.open().any(|open| open.id == link);
        if is_open {
            self.end_link(Some(&account), link, LinkEnd::Revoked)?;
        }
        Ok(LinkAnswer::Done)
    }

    fn link_try(&self, tried: &LinkTry) -> Result<LinkAnswer, KeeperError> {
        let token = digest_of_token(&tried.token);
        let now = self.trusted()?;
        let _one_at_a_time = self.linking();
        let Some(link) = self.moving().links.by_token(&token).cloned() else { return Ok(LinkAnswer::No) }; // 1
        let code = digest_of_code(&tried.token, &tried.code);
        let is_code = verify_slices_are_equal(&link.code.0, &code.0).is_ok();
        let may_leave = self.standing_export(link.export).is_ok();
        let steps = match link.visit(is_code, may_leave, now) {
            // 2
            Visit::Fetch { nth, again } => vec![LinkStep::Fetch { nth, again }],
            Visit::WrongCode { is_last: false } => vec![LinkStep::WrongCode],
            Visit::WrongCode { is_last: true } => {
                vec![LinkStep::WrongCode, LinkStep::Ended { why: LinkEnd::WrongCodes }]
            }
            Visit::Late => vec![LinkStep::Late],
            Visit::Silent => vec![],
        };
        self.enter_steps(web(), &link, &steps)?; // 3
        Ok(match steps.first() {
            Some(LinkStep::Fetch { nth, .. }) => LinkAnswer::Fetch { link: link.id, nth: *nth, export: link.export },
            _ => LinkAnswer::No,
        }) // 4
    }

    fn link_over(&self, link: LinkId, nth: u8, is_whole: bool) -> Result<LinkAnswer, KeeperError> {
        let _one_at_a_time = self.linking();
        let Some(link) = self.moving().links.get(link).cloned() else { return Ok(LinkAnswer::Unknown) };
        if link.runs() != Some(nth) {
            return Ok(LinkAnswer::Done); // another one began since, or this was told before
        }
        self.enter_steps(web(), &link, &[if is_whole { LinkStep::Sent { nth } } else { LinkStep::BrokeOff { nth } }])?;
        Ok(LinkAnswer::Done)
    }

    /// Each second: links whose time or count is over. Each minute also those whose package may not leave any more, such as after a crash
    /// between a handover and their end.
    pub(crate) fn end_links(&self, minute_turned: bool) -> Result<(), KeeperError> {
        let Some(now) = self.judgement().trusted else { return Ok(()) };
        let _one_at_a_time = self.linking();
        let open: Vec<Link> = self.moving().links.open().cloned().collect();
        let mut tried = Vec::new();
        for link in open {
            let is_gone = || minute_turned && self.standing_export(link.export).is_err();
            if let Some(why) = link.over(now).or_else(|| is_gone().then_some(LinkEnd::CopyGone)) {
                tried.push(self.end_link(None, link.id, why));
            }
        }
        tried.into_iter().collect()
    }

    /// A handover, or another end of the town's copy.
    pub(crate) fn end_links_of(
        &self,
        who: Option<&Account>,
        export: ExportId,
        why: LinkEnd,
    ) -> Result<(), KeeperError> {
        let _one_at_a_time = self.linking();
        let open: Vec<LinkId> =
            self.moving().links.open().filter(|link| link.export == export).map(|link| link.id).collect();
        open.into_iter().try_for_each(|link| self.end_link(who, link, why))
    }

    fn end_link(&self, who: Option<&Account>, link: LinkId, why: LinkEnd) -> Result<(), KeeperError> {
        let Some(link) = self.moving().links.get(link).cloned() else { return Ok(()) };
        self.enter_steps(who.map_or(Actor::Schedule, actor), &link, &[LinkStep::Ended { why }])
    }

    fn enter_steps(&self, actor: Actor, link: &Link, steps: &[LinkStep]) -> Result<(), KeeperError> {
        if steps.is_empty() {
            return Ok(());
        }
        let event = |step: &LinkStep| Event::Link { link: link.id, export: link.export, step: *step };
        self.enter_events(actor, steps.iter().map(event).collect()).map(drop)
    }

    /// A package that who asks opened, that was made, and that may leave.
    fn own_package(&self, account: &Account, export: ExportId) -> Result<ExportRow, KeeperError> {
        let row = self.open_export(account, export)?;
        if row.manifest.is_some() { Ok(row) } else { Err(KeeperError::NoPermit) }
    }
}

fn check(ask: &LinkAsk) -> Result<(), KeeperError> {
    let chars = ask.recipient.reveal().trim().chars().count();
    if !(1..=RECIPIENT_CHARS_MAX).contains(&chars) {
        return Err(malformed(format!("a link says to whom it goes, in at most {RECIPIENT_CHARS_MAX} characters")));
    }
    if !(LINK_SECONDS_MIN..=LINK_SECONDS_MAX).contains(&ask.seconds) {
        return Err(malformed("a link lives a quarter of an hour to three days"));
    }
    if !(1..=LINK_DOWNLOADS_MAX).contains(&ask.downloads) {
        return Err(malformed(format!("a link serves one download, and at most {LINK_DOWNLOADS_MAX}")));
    }
    Ok(())
}

/// Strangers have no account; web brings their word.
fn web() -> Actor {
    Actor::Role { role: Role::Web }
}

fn digest_of_token(token: &LinkToken) -> Digest {
    sha256(&[b"vigie link token v1\n", token.expose()])
}

/// With the token, which nobody guesses: who has this digest and not the link tries no codes against it.
fn digest_of_code(token: &LinkToken, code: &LinkCode) -> Digest {
    sha256(&[b"vigie link code v1\n", token.expose(), code.expose()])
}

fn sha256(parts: &[&[u8]]) -> Digest {
    let mut sum = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| sum.update(part));
    let mut bytes = [0; 32];
    bytes.copy_from_slice(sum.finish().as_ref());
    Digest(bytes)
}
