//! The line from recorder and web to the keeper: it may be cut before a question arrives, or before the answer comes back.

use domain::{Hour, RunId, StreamId};
use keeper::KeeperCore;
use simulator::random::Dice;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use vault::{
    Keeper, KeeperError,
    keeper::{
        Ask, Beat, ExtentsQuery, Fact, HeldQuery, KeyAnswer, KeyQuery, Minted, Pulse, SessionSecret, StreamFate,
        Verdict, WrapQuery, Wrapping,
    },
};

/// One end of the line; what it carries is remembered.
pub struct Wire {
    state: Mutex<State>,
}

struct State {
    core: Option<Arc<KeeperCore>>,
    dice: Dice,
    /// Of a hundred exchanges so many are lost: half of them before the question arrives, half before the answer does.
    lost_percent: usize,
    /// Every data key that was ever handed out, and for what (K4).
    data_keys: BTreeMap<[u8; 32], (StreamId, Hour, RunId)>,
    /// Two things with one data key.
    reused: Option<String>,
    /// Camera-hours whose keys came back.
    minted: BTreeSet<(Hour, domain::CameraId)>,
}

impl Wire {
    pub fn new(dice: Dice) -> Wire {
        let (core, lost_percent, reused) = (None, 0, None);
        let (data_keys, minted) = Default::default();
        Wire { state: Mutex::new(State { core, dice, lost_percent, data_keys, reused, minted }) }
    }

    pub fn connect(&self, core: Option<Arc<KeeperCore>>) {
        self.state().core = core;
    }

    pub fn lose(&self, percent: usize) {
        self.state().lost_percent = percent;
    }

    pub fn loses(&self) -> bool {
        self.state().lost_percent > 0
    }

    pub fn reused(&self) -> Option<String> {
        self.state().reused.clone()
    }

    pub fn minted(&self) -> BTreeSet<(Hour, domain::CameraId)> {
        self.state().minted.clone()
    }

    pub fn data_keys(&self) -> Vec<[u8; 32]> {
        self.state().data_keys.keys().copied().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry<T>(&self, ask: impl FnOnce(&KeeperCore) -> Result<T, KeeperError>) -> Result<T, KeeperError> {
        let (core, throw) = {
            let mut state = self.state();
            let throw = state.dice.below(200);
            (state.core.clone(), throw / state.lost_percent.max(1) + usize::from(state.lost_percent == 0) * 2)
        };
        let away = || KeeperError::Away { detail: "the line is cut".into() };
        let Some(core) = core.filter(|_| throw != 0) else { return Err(away()) };
        let answer = ask(&core);
        if throw == 1 { Err(away()) } else { answer }
    }

    fn note(&self, run: RunId, minted: &[Minted]) {
        let mut state = self.state();
        for key in minted {
            let what = (key.stream, key.hour, run);
            let bytes: [u8; 32] = *key.data_key.0.expose();
            let known = *state.data_keys.entry(bytes).or_insert(what);
            if known.2 != run || known.1 != key.hour || known.0 != key.stream {
                state.reused = Some(format!("one data key for {known:?} and for {what:?}"));
            }
            state.minted.insert((key.hour, key.stream.camera));
        }
    }
}

impl Keeper for Wire {
    fn mint(&self, hour: Hour, run: RunId, streams: &[StreamId]) -> Result<Vec<Minted>, KeeperError> {
        let minted = self.carry(|core| core.mint(hour, run, streams))?;
        self.note(run, &minted);
        Ok(minted)
    }

    fn pass(&self, session: &SessionSecret, ask: &Ask) -> Result<Verdict, KeeperError> {
        self.carry(|core| core.pass(session, ask))
    }

    fn keys(&self, query: &KeyQuery) -> Result<KeyAnswer, KeeperError> {
        self.carry(|core| core.keys(query))
    }

    fn check(&self, beat: &Beat) -> Result<Pulse, KeeperError> {
        self.carry(|core| core.check(beat))
    }

    fn enter(&self, facts: &[Fact]) -> Result<(), KeeperError> {
        self.carry(|core| core.enter(facts))
    }

    fn begin_rebuild(&self, reels: u64, why: &str) -> Result<u64, KeeperError> {
        self.carry(|core| core.begin_rebuild(reels, why))
    }

    fn extents(&self, query: &ExtentsQuery) -> Result<Vec<StreamFate>, KeeperError> {
        self.carry(|core| core.extents(query))
    }

    fn wrap(&self, query: &WrapQuery) -> Result<Wrapping, KeeperError> {
        self.carry(|core| core.wrap(query))
    }

    fn held_keys(&self, query: &HeldQuery) -> Result<KeyAnswer, KeeperError> {
        self.carry(|core| core.held_keys(query))
    }
}
