//! What the keeper does by itself: every second, and at every full minute (L4).

use crate::core::{KeeperCore, failed};
use tracing::warn;
use vault::KeeperError;

impl KeeperCore {
    /// Called each second. Stops what is not lawful any more, destroys what is due; at each full minute, on a fixed clock and
    /// whether or not anything happened, closes a batch of the ledger, ends details that are past the log's retention, takes back
    /// copies of the keyring that were away, and forgets what expired. Each part is
    /// tried even if another failed; the first error comes back. After one, ask [`KeeperCore::must_restart`].
    pub fn tick(&self) -> Result<(), KeeperError> {
        let mut tried = vec![self.enter_clocks(), self.hold_registry_again(), self.follow_acts(), self.end_glasses()];
        let minute = self.present_minute();
        let turned = std::mem::replace(&mut self.moving().minute, minute) != minute;
        if turned {
            tried.push(self.rejoin_copies());
            tried.push(self.make_room());
        }
        if turned || self.is_anything_due() {
            tried.push(self.destroy_due().map(|_| ()));
        }
        if turned {
            tried.push(self.forget_due());
            tried.push(self.checkpoint());
            tried.push(self.forget_expired());
            tried.push(self.reconcile_holds());
        }
        tried.push(self.end_holds());
        tried.push(self.end_links(turned));
        let errors = tried.into_iter().filter_map(Result::err);
        let mut errors = errors.inspect(|error| warn!(%error, "the keeper's work of this second is not complete"));
        let first = errors.next();
        errors.for_each(drop);
        first.map_or(Ok(()), Err)
    }

    /// Closes a batch of the ledger (L4) and remembers its head in the keyring (K2).
    pub fn checkpoint(&self) -> Result<(), KeeperError> {
        let now = self.stamp();
        let closed = self.parts.journal.checkpoint(now).map_err(|error| self.journal_failed(error))?;
        self.moving().checkpoint = Some((closed.size, now));
        let head = keyring::LedgerHead { size: closed.size, root: closed.root.0 };
        self.parts.keyring.set_ledger_head(head).map_err(failed)
    }

    pub(crate) fn present_minute(&self) -> i64 {
        self.stamp().seconds().div_euclid(60)
    }

    /// A device that was unplugged is taken back when it returns; a second's look at it would wear a disk that hangs.
    fn rejoin_copies(&self) -> Result<(), KeeperError> {
        if self.parts.keyring.confirmed() {
            return Ok(());
        }
        self.parts.keyring.rejoin().map(|_| ()).map_err(failed)
    }

    fn forget_expired(&self) -> Result<(), KeeperError> {
        self.forget_expired_permits();
        self.forget_dead_reasons();
        let boot = self.parts.clock.boot();
        self.moving().throttle.forget(boot);
        let Some(now) = self.judgement().trusted else { return Ok(()) };
        self.parts.registry.sessions_forget(now).map(|_| ()).map_err(failed)
    }
}
