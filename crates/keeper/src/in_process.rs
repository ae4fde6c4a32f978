//! The trait of the vault, by the keeper itself in the same process: for tests and the simulator (P2).

use crate::core::KeeperCore;
use domain::{Hour, RunId, StreamId};
use vault::{
    Keeper, KeeperError,
    keeper::{
        Ask, Beat, ExtentsQuery, Fact, HeldQuery, KeyAnswer, KeyQuery, Minted, Pulse, SessionSecret, StreamFate,
        Verdict, WrapQuery, Wrapping,
    },
};

impl Keeper for KeeperCore {
    fn mint(&self, hour: Hour, run: RunId, streams: &[StreamId]) -> Result<Vec<Minted>, KeeperError> {
        KeeperCore::mint(self, hour, run, streams)
    }

    fn pass(&self, session: &SessionSecret, ask: &Ask) -> Result<Verdict, KeeperError> {
        KeeperCore::pass(self, session, ask)
    }

    fn keys(&self, query: &KeyQuery) -> Result<KeyAnswer, KeeperError> {
        KeeperCore::keys(self, query)
    }

    fn check(&self, beat: &Beat) -> Result<Pulse, KeeperError> {
        KeeperCore::check(self, beat)
    }

    fn enter(&self, facts: &[Fact]) -> Result<(), KeeperError> {
        KeeperCore::enter(self, facts)
    }

    fn begin_rebuild(&self, reels: u64, why: &str) -> Result<u64, KeeperError> {
        KeeperCore::begin_rebuild(self, reels, why)
    }

    fn extents(&self, query: &ExtentsQuery) -> Result<Vec<StreamFate>, KeeperError> {
        KeeperCore::extents(self, query)
    }

    fn wrap(&self, query: &WrapQuery) -> Result<Wrapping, KeeperError> {
        KeeperCore::wrap(self, query)
    }

    fn held_keys(&self, query: &HeldQuery) -> Result<KeyAnswer, KeeperError> {
        KeeperCore::held_keys(self, query)
    }
}
