//! The persons of a town under test: what each knows (a password), has (an authenticator, codes on paper) and keeps (a session).

use crate::authenticator::Authenticator;
use domain::Sensitive;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Clone, Debug)]
pub struct AccountHolder {
    pub password: Sensitive<String>,
    pub authenticator: Authenticator,
    /// Recovery codes that are left.
    pub recovery: Vec<Sensitive<String>>,
    /// The cookie of a session that may still hold: people do not sign in for each click, and a code counts once.
    pub cookie: Option<String>,
}

/// By the name of the account. A copy is the same persons, before another client of the same installation.
#[derive(Clone, Debug, Default)]
pub struct AccountHolders(Arc<Mutex<BTreeMap<String, AccountHolder>>>);

impl AccountHolders {
    pub fn add(&self, name: &str, person: AccountHolder) {
        self.lock().insert(name.to_owned(), person);
    }

    pub fn get(&self, name: &str) -> Option<AccountHolder> {
        self.lock().get(name).cloned()
    }

    /// Changes one, if there is such a person.
    pub fn with<T>(&self, name: &str, change: impl FnOnce(&mut AccountHolder) -> T) -> Option<T> {
        self.lock().get_mut(name).map(change)
    }

    /// The same persons before another installation, such as one restored from a backup: without their sessions.
    pub fn again(&self) -> AccountHolders {
        let persons = self.lock().clone().into_iter();
        let without = persons.map(|(name, person)| (name, AccountHolder { cookie: None, ..person }));
        AccountHolders(Arc::new(Mutex::new(without.collect())))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, AccountHolder>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
