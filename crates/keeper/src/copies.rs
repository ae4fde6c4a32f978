//! A copy of the keyring that does not come back: two persons write it off, then a new disk takes its place (K2).
//!
//! 1 who, by both factors; refused where the copy is present or written off already
//! 2 the first person: entry; remembered for fifteen minutes
//! 3 another person, not both administrators: entry *written off*
//! 4 the keyring writes it off: destructions are confirmed by the copies that are left
//! 5 a new folder at its place, later: entry, then the keyring fills it
//!
//! The old disk, if it ever turns up, holds pages of that day: whoever has the passphrase too reads what was destroyed since.
//! So it is destroyed by hand, and the answer says so.

use crate::{
    core::{KeeperCore, actor, failed, malformed},
    wire::{Answer, CopyDone, PersonProof},
};
use catalog::{Account, AccountId};
use domain::{limit::CLOCK_CONFIRM_SECONDS_MAX, world::BootMicros};
use keyring::CopyState;
use ledger::{Actor, Event};
use policy::Role;
use vault::KeeperError;

/// What the first person said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WritingOff {
    copy: usize,
    account: AccountId,
    said: BootMicros,
}

impl KeeperCore {
    /// `copy`: 1 or 2, as `keyring.copies` names them.
    pub fn copy_write_off(&self, cli: Actor, person: &PersonProof, copy: u8) -> Result<Answer, KeeperError> {
        let account = match self.by_both_factors(cli, person)? {
            Ok(account) => account,
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        };
        let at = self.place_of(copy)?;
        match self.parts.keyring.custodian().copies.get(at).map(|known| known.state.clone()) {
            Some(CopyState::Away(_)) => {}
            Some(CopyState::WrittenOff) => return Ok(Answer::CopyDone(CopyDone::WrittenOff)),
            _ => return Ok(Answer::CopyDone(CopyDone::IsPresent)),
        } // 1
        let boot = self.parts.clock.boot();
        let first = self
            .moving()
            .writing_off
            .filter(|word| word.copy == at && boot.0 - word.said.0 <= CLOCK_CONFIRM_SECONDS_MAX * 1_000_000);
        let Some(first) = first else {
            let what = format!("copy {copy} of the keyring: one person writes it off");
            self.enter_events(actor(&account), vec![Event::Config { what }])?;
            self.moving().writing_off = Some(WritingOff { copy: at, account: account.id, said: boot }); // 2
            return Ok(Answer::CopyDone(CopyDone::First));
        };
        if first.account == account.id {
            return Ok(Answer::CopyDone(CopyDone::SamePerson));
        }
        let other = self.parts.registry.account(first.account).map_err(failed)?.filter(|other| !other.disabled);
        let is_administrator = |account: &Account| account.role == Role::Administrator.name();
        if other.is_none_or(|other| is_administrator(&other) && is_administrator(&account)) {
            return Ok(Answer::CopyDone(CopyDone::NotThisPerson));
        }
        let what = format!("copy {copy} of the keyring: written off by two persons");
        self.enter_events(actor(&account), vec![Event::Config { what }])?; // 3
        self.parts.keyring.write_off(at).map_err(failed)?; // 4
        self.moving().writing_off = None;
        Ok(Answer::CopyDone(CopyDone::WrittenOff))
    }

    /// 5.
    pub fn copy_replace(&self, cli: Actor, copy: u8) -> Result<Answer, KeeperError> {
        let at = self.place_of(copy)?;
        if !matches!(
            self.parts.keyring.custodian().copies.get(at).map(|known| &known.state),
            Some(CopyState::WrittenOff)
        ) {
            return Ok(Answer::CopyDone(CopyDone::NotWrittenOff));
        }
        let what = format!("copy {copy} of the keyring: a new folder takes its place");
        self.enter_events(cli, vec![Event::Config { what }])?;
        self.parts.keyring.replace(at).map_err(failed)?;
        Ok(Answer::CopyDone(CopyDone::Replaced))
    }

    fn place_of(&self, copy: u8) -> Result<usize, KeeperError> {
        let copies = self.parts.keyring.custodian().copies.len();
        let at = usize::from(copy).checked_sub(1).filter(|at| *at < copies);
        at.ok_or_else(|| malformed(format!("the keyring has copies 1 to {copies}: `vigie status` shows each")))
    }
}
