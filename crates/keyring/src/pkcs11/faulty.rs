//! A token that fails on purpose, at any chosen step, beside a faulty disk: over objects in memory or over a real token.

use super::{ObjectId, Outcome, Token, TokenFault};
use aws_lc_rs::hmac;
use disk::{Fault, FaultyDisk, Happened};
use domain::Secret32;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

pub const LABEL: &str = "essai";

/// Objects in memory: what lies in the token. Clones are the same token.
#[derive(Clone, Default)]
pub struct MemoryToken(Arc<Mutex<BTreeMap<ObjectId, [u8; 32]>>>);

impl MemoryToken {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectId, [u8; 32]>> {
        self.0.lock().unwrap()
    }

    /// What a clone of the token would be.
    pub fn image(&self) -> MemoryToken {
        MemoryToken(Arc::new(Mutex::new(self.lock().clone())))
    }

    pub fn erase(&self) {
        self.lock().clear();
    }
}

impl Token for MemoryToken {
    fn label(&self) -> &str {
        LABEL
    }
    fn is_hardware(&self) -> bool {
        true
    }
    fn objects(&self) -> Outcome<BTreeSet<ObjectId>> {
        Ok(self.lock().keys().copied().collect())
    }
    fn make(&self, id: &ObjectId) -> Outcome<()> {
        let key = *blake3::hash(&[&b"key in a token"[..], &id.to_bytes()].concat()).as_bytes();
        self.lock().insert(*id, key);
        Ok(())
    }
    fn answer(&self, id: &ObjectId, text: &[u8]) -> Outcome<Option<Secret32>> {
        let objects = self.lock();
        let Some(key) = objects.get(id) else { return Ok(None) };
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
        Ok(Some(Secret32::new(tag.as_ref().try_into().unwrap())))
    }
    fn destroy(&self, id: &ObjectId) -> Outcome<()> {
        self.lock().remove(id);
        Ok(())
    }
}

#[derive(Default)]
struct Plan {
    steps: u64,
    faults: BTreeMap<u64, Fault>,
    is_off: bool,
    is_pulled: bool,
    is_lazy: bool,
}

/// The plan of what goes wrong; it outlives the programs that use the token.
#[derive(Clone, Default)]
pub struct Mishaps(Arc<Mutex<Plan>>);

impl Mishaps {
    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap()
    }
    /// How many calls were made so far, questions included.
    pub fn steps(&self) -> u64 {
        self.lock().steps
    }
    /// Plans a fault at call number `step`.
    pub fn plan(&self, step: u64, fault: Fault) {
        self.lock().faults.insert(step, fault);
    }
    /// The machine starts again; a token keeps what it has.
    pub fn reboot(&self) {
        let mut plan = self.lock();
        plan.is_off = false;
        plan.faults.clear();
    }
    pub fn pull(&self) {
        self.lock().is_pulled = true;
    }
    pub fn plug(&self) {
        self.lock().is_pulled = false;
    }
    /// From now on objects are only hidden when they are destroyed, and still answer.
    pub fn be_lazy(&self, is_lazy: bool) {
        self.lock().is_lazy = is_lazy;
    }
    /// A token with these mishaps, in a machine with this disk.
    pub fn over(&self, inner: impl Token + 'static, disk: &FaultyDisk) -> Box<dyn Token> {
        Box::new(FaultyToken { inner: Box::new(inner), mishaps: self.clone(), disk: disk.clone() })
    }
}

struct FaultyToken {
    inner: Box<dyn Token>,
    mishaps: Mishaps,
    disk: FaultyDisk,
}

impl FaultyToken {
    fn step<T>(&self, act: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let failed = |what: &str| TokenFault::Failed { label: LABEL.to_owned(), what: what.to_owned() };
        let fault = {
            let mut plan = self.mishaps.lock();
            if plan.is_off || disk::Disk::exists(&self.disk, "/".as_ref()).is_err() {
                return Err(failed("power is off"));
            }
            if plan.is_pulled {
                return Err(TokenFault::Removed { label: LABEL.to_owned(), what: "pulled out".to_owned() });
            }
            plan.steps += 1;
            let step = plan.steps - 1;
            plan.faults.get(&step).copied()
        };
        let Some(fault) = fault else { return act() };
        let (Fault::Error(happened, _) | Fault::PowerCut(happened)) = fault;
        if happened == Happened::Yes {
            act()?;
        }
        if let Fault::PowerCut(_) = fault {
            self.mishaps.lock().is_off = true;
            self.disk.plan(self.disk.steps(), Fault::PowerCut(Happened::No));
        }
        Err(failed("planned"))
    }
}

impl Token for FaultyToken {
    fn label(&self) -> &str {
        self.inner.label()
    }
    fn is_hardware(&self) -> bool {
        self.inner.is_hardware()
    }
    fn objects(&self) -> Outcome<BTreeSet<ObjectId>> {
        self.step(|| self.inner.objects())
    }
    fn make(&self, id: &ObjectId) -> Outcome<()> {
        self.step(|| self.inner.make(id))
    }
    fn answer(&self, id: &ObjectId, text: &[u8]) -> Outcome<Option<Secret32>> {
        self.step(|| self.inner.answer(id, text))
    }
    fn destroy(&self, id: &ObjectId) -> Outcome<()> {
        let is_lazy = self.mishaps.lock().is_lazy;
        self.step(|| if is_lazy { Ok(()) } else { self.inner.destroy(id) })
    }
}
