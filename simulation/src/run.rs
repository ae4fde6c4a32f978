//! One life of a town: steps from a seed, checks after each, and what to call to see it again.

use crate::{
    checks::{self, Broken},
    disks,
    steps::{self, Hands, Step},
    town::Town,
};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What a life came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    pub steps: usize,
    /// Chunks given, entries in the ledger, effectful operations of the disk.
    pub chunks: usize,
    pub entries: usize,
    pub operations: u64,
    /// Simulated seconds.
    pub seconds: i64,
    /// Digest of the ledger: the same seed gives the same one.
    pub digest: String,
}

/// A life that ended early: a promise did not hold.
#[derive(Clone, Debug)]
pub struct Failure {
    pub seed: u64,
    /// The step after which it did not hold, counted from 1.
    pub step: usize,
    pub what: Step,
    pub broken: Broken,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { seed, step, what, broken } = self;
        writeln!(f, "seed {seed}, step {step} ({what:?}): {} does not hold: {}", broken.rule, broken.what)?;
        write!(f, "again: make sim SEED={seed} STEPS={step}")
    }
}

/// Lives one life of so many steps. `each` is told what happens.
pub fn live(seed: u64, steps: usize, each: &mut dyn FnMut(usize, Step)) -> Result<Life, Failure> {
    let mut town = Town::new(seed);
    let mut hands = Hands::default();
    let began = town.now();
    for number in 1..=steps {
        let step = if number == 1 { Step::Work } else { steps::draw(&mut town) };
        each(number, step);
        let lived = catch_unwind(AssertUnwindSafe(|| one(step, &mut town, &mut hands)));
        let held = lived.unwrap_or_else(|panic| Err(Broken { rule: "no panic", what: said(&*panic) }));
        held.map_err(|broken| Failure { seed, step: number, what: step, broken })?;
    }
    let last = catch_unwind(AssertUnwindSafe(|| end(&mut town)));
    let held = last.unwrap_or_else(|panic| Err(Broken { rule: "no panic", what: said(&*panic) }));
    held.map_err(|broken| Failure { seed, step: steps, what: Step::Whole, broken })?;
    let mut digest = blake3::Hasher::new();
    for commitment in &town.told {
        digest.update(format!("{commitment:?}").as_bytes());
    }
    let chunks = crate::recording::locked(&town.place.truth).count();
    Ok(Life {
        steps,
        chunks,
        entries: town.told.len(),
        operations: town.world.disk.steps(),
        seconds: town.now().since(began) / 1_000_000,
        digest: digest.finalize().to_hex().to_string(),
    })
}

fn one(step: Step, town: &mut Town, hands: &mut Hands) -> checks::Held {
    start(town)?;
    steps::take(step, town, hands)?;
    start(town)?;
    checks::always(town)
}

/// Everything comes up, and everything that was held is there.
fn end(town: &mut Town) -> checks::Held {
    start(town)?;
    town.place.wire.lose(0);
    town.world.disk.forget_plans();
    disks::all_back(town)?;
    for _ in 0..4 {
        steps::second(town);
        start(town)?;
    }
    checks::whole(town)?;
    checks::names_every_reel(town)?;
    // each byte is looked at with every key: dear, so not in every life
    if town.seed.is_multiple_of(8) { checks::no_key_in_clear(town) } else { Ok(()) }
}

fn start(town: &mut Town) -> checks::Held {
    for _ in 0..3 {
        town.revive().map_err(|what| Broken { rule: "promise 1, R5", what })?;
        if town.opened.is_some() && town.recording.is_some() && !town.world.disk.is_off() {
            break;
        }
    }
    if !town.world.disk.is_off() && town.world.disk.plans_left() == 0 {
        town.disk_troubled = false;
    }
    Ok(())
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
