//! What somebody began and has yet to finish, in memory: each is taken once, ends with its time, and dies with its process.

use domain::{limit::CEREMONIES_MAX, world::BootMicros};
use std::{
    cmp::Reverse,
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

/// By the name under which each goes on.
pub(super) struct Ceremonies<K, T>(Mutex<HashMap<K, Open<T>>>);

struct Open<T> {
    /// Where it was begun, as web says; it counts for who gives way only.
    place: [u8; 16],
    until: BootMicros,
    ceremony: T,
}

impl<K, T> Default for Ceremonies<K, T> {
    fn default() -> Ceremonies<K, T> {
        Ceremonies(Mutex::default())
    }
}

impl<K: Copy + Eq + Hash, T> Ceremonies<K, T> {
    /// Strangers may begin some: of the place that began most, the one that ends first gives way, so that who floods drowns
    /// his own.
    pub fn begin(&self, now: BootMicros, seconds: i64, place: [u8; 16], key: K, ceremony: T) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, one| now < one.until);
        while CEREMONIES_MAX <= open.len() {
            let mut begun = HashMap::<[u8; 16], usize>::new();
            open.values().for_each(|one| *begun.entry(one.place).or_default() += 1);
            let gives_way = open.iter().min_by_key(|(_, one)| (Reverse(begun[&one.place]), one.until));
            let Some(first) = gives_way.map(|(key, _)| *key) else { break };
            open.remove(&first);
        }
        let until = BootMicros(now.0 + seconds * 1_000_000);
        open.insert(key, Open { place, until, ceremony });
    }

    /// Each is taken once. With the place where it began.
    pub fn take(&self, now: BootMicros, key: &K) -> Option<([u8; 16], T)> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(key).filter(|one| now < one.until).map(|one| (one.place, one.ceremony))
    }

    /// What is asked of one that goes on.
    pub fn look<R>(&self, now: BootMicros, key: &K, ask: impl FnOnce(&T) -> R) -> Option<R> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(key).filter(|one| now < one.until).map(|one| ask(&one.ceremony))
    }
}
