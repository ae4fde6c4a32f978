//! Whose word about the time counts: accounts that nobody made or changed since the clocks began to disagree (K9).
//!
//! By the order of the ledger's entries, not by their times: in a doubt times prove nothing. Whoever can make an account, or
//! a new password for one, must not make two persons of it.

use super::memory::{ClockState, name};
use domain::Sensitive;
use ledger::{Entry, Event};
use policy::time::State;
use std::collections::HashSet;

/// Accounts with an entry since the clocks began to disagree.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    in_doubt: bool,
    names: HashSet<Sensitive<String>>,
}

impl Touched {
    pub fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Clocks { state } => {
                let Ok(ClockState { state, .. }) = serde_json::from_str(state) else { return };
                if state == name(State::Agree) || state == name(State::Confirmed) {
                    *self = Touched::default();
                } else {
                    self.in_doubt = true;
                }
            }
            Event::Account { name, .. } if self.in_doubt => drop(self.names.insert(name.clone())),
            _ => {}
        }
    }

    pub fn names(&self, account: &Sensitive<String>) -> bool {
        self.names.contains(account)
    }
}
