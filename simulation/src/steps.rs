//! What happens next: a step is drawn by weight, and done to the town.

use crate::{
    checks::{self, Held, broken},
    disks,
    fork::{self, Backup},
    people,
    recording::{Recording, locked},
    support::{ask, camera, session},
    town::{DELAYS, Town, believed, streams},
};
use disk::{Fault, Happened};
use domain::{CameraId, HourLength, Span};
use ledger::Actor;
use std::{io::ErrorKind, path::Path};
use vault::{
    Keeper,
    keeper::{Permit, Verdict, View},
    rebuild::Scope,
};

/// A step of a life, with how often it comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Seconds of ordinary work.
    Work,
    /// Nobody sends for minutes.
    Minutes,
    /// Nobody sends for hours or days.
    Days,
    /// A camera falls silent, or comes back.
    Camera,
    /// The clock of a camera, or of its pictures, goes wrong or right.
    CameraClock,
    /// Somebody looks.
    Look,
    /// The disk fails one operation, in either way.
    DiskFault,
    /// The power goes at some operation to come.
    PowerCutSoon,
    /// The power goes now.
    PowerCut,
    /// The machine is off for a time.
    Off,
    /// The recorder dies, and is back at once or after hours.
    KillRecorder,
    StopRecorder,
    KillKeeper,
    /// The keeper stays away while seconds go by.
    KeeperAway,
    /// The line loses questions and answers, or no longer does.
    Line,
    /// A copy of the keyring is pulled out or put back.
    Copy,
    /// Somebody sets the system clock, or a time server sets it right.
    SystemClock,
    /// An order to erase or to shorten.
    Order,
    /// Two cameras share a slot of the store, and one of them is erased.
    Neighbours,
    /// Two persons have a delay shortened, or not.
    Delay,
    /// A disk of the store goes, comes back, or another comes in its place.
    Root,
    /// Somebody has the catalog made anew.
    Rebuild,
    /// Somebody says that what is missing is lost.
    AcceptLoss,
    /// Somebody copies everything.
    BackUp,
    // tried on a copy of the town
    TryPowerCut,
    TryLostCatalog,
    TryRestore,
    TryRollBack,
    TryFlip,
    /// Everything is looked at.
    Whole,
}

const WEIGHTS: [(Step, usize); 30] = [
    (Step::Work, 60),
    (Step::Minutes, 8),
    (Step::Days, 8),
    (Step::Camera, 8),
    (Step::CameraClock, 4),
    (Step::Look, 10),
    (Step::DiskFault, 6),
    (Step::PowerCutSoon, 5),
    (Step::PowerCut, 3),
    (Step::Off, 2),
    (Step::KillRecorder, 4),
    (Step::StopRecorder, 3),
    (Step::KillKeeper, 4),
    (Step::KeeperAway, 3),
    (Step::Line, 3),
    (Step::Copy, 3),
    (Step::SystemClock, 3),
    (Step::Order, 2),
    (Step::Neighbours, 2),
    (Step::Delay, 6),
    (Step::Root, 12),
    (Step::Rebuild, 2),
    (Step::AcceptLoss, 1),
    (Step::BackUp, 3),
    (Step::TryPowerCut, 4),
    (Step::TryLostCatalog, 3),
    (Step::TryRestore, 4),
    (Step::TryRollBack, 2),
    (Step::TryFlip, 3),
    (Step::Whole, 4),
];

/// What is kept from step to step beside the town.
#[derive(Default)]
pub struct Hands {
    backups: Vec<Backup>,
    is_copy_out: bool,
}

pub fn draw(town: &mut Town) -> Step {
    let all: usize = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let mut left = town.dice.below(all);
    for (step, weight) in WEIGHTS {
        if left < weight {
            return step;
        }
        left -= weight;
    }
    Step::Work
}

/// Does it; what was down is started again behind it.
pub fn take(step: Step, town: &mut Town, hands: &mut Hands) -> Held {
    match step {
        Step::Work => work(town),
        Step::Minutes | Step::Days => pass(step, town)?,
        Step::Camera => {
            let stream = streams()[town.dice.below(streams().len())];
            town.street.cameras.entry(stream).and_modify(|camera| camera.sends = !camera.sends);
        }
        Step::CameraClock => camera_clock(town),
        Step::Look => look(town)?,
        Step::DiskFault => {
            let kind = [ErrorKind::StorageFull, ErrorKind::Other, ErrorKind::ReadOnlyFilesystem][town.dice.below(3)];
            let happened = [Happened::No, Happened::Yes][town.dice.below(2)];
            town.plan(12, Fault::Error(happened, kind));
            work(town);
        }
        Step::PowerCutSoon => {
            let happened = [Happened::No, Happened::Yes][town.dice.below(2)];
            town.plan(40, Fault::PowerCut(happened));
            work(town);
        }
        Step::PowerCut => town.power_cut(),
        Step::Off => off(town),
        Step::KillRecorder => recorder_away(town),
        Step::StopRecorder => {
            if let Some(run) = town.recording.take() {
                run.finish();
            }
            town.note_trouble();
        }
        Step::KillKeeper => town.kill_keeper(),
        Step::KeeperAway => {
            town.kill_keeper();
            work(town);
        }
        Step::Line => {
            let percent = [0, 0, 5, 30][town.dice.below(4)];
            town.place.wire.lose(percent);
            town.note_trouble();
        }
        Step::Copy => copy(town, hands),
        Step::SystemClock => system_clock(town),
        Step::Order => order(town),
        Step::Neighbours => neighbours(town),
        Step::Delay => people::happens(town)?,
        Step::Root => disks::happens(town)?,
        Step::Rebuild => {
            if let Some(run) = town.recording.as_mut() {
                drop(run.rebuild(&Scope::All)); // an error is told to whoever asked
            }
        }
        Step::AcceptLoss => disks::accept_loss(town),
        Step::BackUp => {
            hands.backups.push(Backup::of(town));
            if hands.backups.len() > 3 {
                hands.backups.remove(town.dice.below(3));
            }
        }
        Step::Whole => checks::whole(town)?,
        tried => attempt(tried, town, hands)?,
    }
    Ok(())
}

/// One copy of the keyring is pulled out, or put back.
fn copy(town: &mut Town, hands: &mut Hands) {
    let copy = Path::new(if (town.seed / 4).is_multiple_of(2) { "/one" } else { "/two" });
    hands.is_copy_out = !hands.is_copy_out;
    if hands.is_copy_out {
        town.world.disk.unplug(copy)
    } else {
        town.world.disk.plug(copy)
    }
    town.note_trouble();
}

fn attempt(step: Step, town: &mut Town, hands: &mut Hands) -> Held {
    // the copy is whole: what waits for a planned fault waits
    if town.world.disk.is_off() || town.opened.is_none() || town.recording.is_none() || town.disk_troubled {
        return Ok(());
    }
    if hands.is_copy_out {
        return Ok(());
    }
    let which = town.dice.below(hands.backups.len().max(1));
    match (step, hands.backups.get(which)) {
        (Step::TryPowerCut, _) => fork::power_cut(town),
        // what a run knows of gaps and could not seal yet dies with catalog and run together
        (Step::TryLostCatalog, _) if town.recording.as_ref().is_some_and(Recording::has_sealed) => {
            fork::catalog_is_lost(town)
        }
        (Step::TryFlip, _) => fork::byte_is_flipped(town),
        (Step::TryRestore, Some(backup)) => fork::backup_is_restored(town, backup),
        (Step::TryRollBack, Some(backup)) => fork::ledger_is_rolled_back(town, backup),
        _ => Ok(()),
    }
}

/// One to four seconds.
fn work(town: &mut Town) {
    for _ in 0..1 + town.dice.below(4) {
        second(town);
    }
}

/// A second of ordinary work.
pub fn second(town: &mut Town) {
    if town.place.wire.loses() {
        town.note_trouble();
    }
    match town.recording.take() {
        Some(mut run) => {
            let before = town.world.disk.is_off();
            let went_on = run.second(&mut town.street);
            run.mend();
            if went_on.is_ok() {
                town.recording = Some(run);
            } else {
                town.note_trouble();
                run.finish(); // our time stepped: another run begins (R9)
            }
            if !before && town.world.disk.is_off() {
                town.note_trouble();
            }
        }
        None => town.world.clock.pass(1),
    }
    keepers_second(town);
}

/// What it could not do is done at the next. A keeper whose journal must be opened again ends, and is started by [`Town::revive`].
pub fn keepers_second(town: &mut Town) {
    let Some(core) = town.core() else { return };
    if core.tick().is_err() || core.judgement().trusted.is_none() {
        town.keeper_troubled = town.now();
    }
    if core.judgement().recording.is_none() {
        town.note_trouble(); // no key is made in a doubt
    }
    if core.must_restart() {
        town.kill_keeper();
    }
}

/// Minutes or days without a picture.
fn pass(step: Step, town: &mut Town) -> Held {
    let seconds = match step {
        Step::Minutes => 20 + town.dice.below(3_000) as i64,
        _ => 3_600 * (1 + town.dice.below(40) as i64),
    };
    let rounds = if step == Step::Days { 4 } else { 1 };
    for _ in 0..rounds {
        idle(town, seconds / rounds);
        if town.disk_troubled || town.opened.is_none() {
            town.note_trouble();
        }
        if let Err(what) = town.revive() {
            return broken("promise 1, R5", what);
        }
    }
    second(town);
    Ok(())
}

pub fn idle(town: &mut Town, seconds: i64) {
    match town.recording.take() {
        Some(mut run) => {
            if run.idle(seconds, &town.street).is_ok() {
                town.recording = Some(run);
            } else {
                run.finish();
            }
        }
        None => town.world.clock.pass(seconds),
    }
    keepers_second(town);
    if seconds > 3_000 {
        town.note_trouble(); // keys ahead reach two hours
    }
}

fn camera_clock(town: &mut Town) {
    let stream = streams()[town.dice.below(streams().len())];
    let liar = *streams().first().unwrap_or(&stream);
    let off = [0, 1, -20, 40][town.dice.below(4)];
    let wild = [0, 3_600, -86_400 * 365, 86_400 * 30][town.dice.below(4)];
    let jump = [0, 0, 90, 4_000][town.dice.below(4)];
    // one camera may be mad: two that lie together would be believed
    let off = if stream == liar { wild } else { off };
    town.street.cameras.entry(stream).and_modify(|camera| {
        camera.clock_off_seconds = off;
        camera.jump_seconds = jump;
    });
}

fn off(town: &mut Town) {
    town.power_cut();
    let seconds = [30, 600, 7_200, 86_400 * 2][town.dice.below(4)];
    if town.dice.below(2) == 0 {
        // a time server sets it right
        let off = town.world.clock.off_seconds();
        town.world.clock.step(-off);
        town.world.clock.boot_after(seconds);
    } else {
        town.world.clock.boot_without_ntp(seconds);
    }
    town.note_trouble();
}

/// The recorder dies, and may stay away for hours while the keeper goes on.
fn recorder_away(town: &mut Town) {
    town.kill_recorder();
    for _ in 0..[0, 0, 1, 3, 26, 80][town.dice.below(6)] {
        town.world.clock.pass(3_600);
        keepers_second(town);
    }
    town.note_trouble();
}

fn system_clock(town: &mut Town) {
    let clock = town.world.clock.clone();
    match clock.off_seconds() {
        0 => {
            let by = [-90, 3_600, -86_400, 86_400 * 31, -86_400 * 3_650][town.dice.below(5)];
            clock.step(by);
        }
        off => {
            clock.step(-off);
            clock.under_ntp(true);
        }
    }
    town.note_trouble();
}

fn order(town: &mut Town) {
    let id = camera(town.dice.below(DELAYS.len()) as u8 + 1);
    let delay = locked(&town.place.truth).delays.get(&id).copied().unwrap_or(1);
    let Some(core) = town.core() else { return };
    if delay < 2 || town.dice.below(2) == 0 {
        return erase(town, id);
    }
    let given = core.order_shorter_delay(Actor::Cli { uid: 0 }, id, delay as u32 - 1).is_ok();
    let mut truth = locked(&town.place.truth);
    if given {
        truth.delays.insert(id, delay - 1);
    } else {
        truth.doubtful.insert(id); // it may have been entered before the answer was no
    }
}

fn erase(town: &mut Town, id: CameraId) {
    let Some(core) = town.core() else { return };
    let present = core.judgement().trusted.map(|now| HourLength::PRODUCT.hour_of(now).start());
    let given = core.order_erasure(Actor::Cli { uid: 0 }, id).is_ok();
    let mut truth = locked(&town.place.truth);
    match present.filter(|_| given) {
        Some(present) => {
            truth.erased.entry(id).and_modify(|before| *before = (*before).max(present)).or_insert(present);
        }
        None => drop(truth.doubtful.insert(id)),
    }
}

/// Two cameras of one delay send one after the other, a reel each in one slot; then one of them is erased, perhaps.
fn neighbours(town: &mut Town) {
    let pair = [domain::StreamId::main(camera(2)), domain::StreamId::main(camera(3))];
    for sending in pair {
        for stream in pair {
            town.street.cameras.entry(stream).and_modify(|camera| camera.sends = stream == sending);
        }
        second(town);
        idle(town, 61);
    }
    for stream in pair {
        town.street.cameras.entry(stream).and_modify(|camera| camera.sends = true);
    }
    if town.dice.below(2) == 0 {
        idle(town, 3_600);
        let which = town.dice.below(2);
        erase(town, pair[which].camera);
    }
    second(town);
}

/// Somebody looks at a while of a camera or two, by the line.
fn look(town: &mut Town) -> Held {
    town.sign_in();
    let Some(core) = town.core() else { return Ok(()) };
    let now = believed(&core);
    let from = now.plus_seconds(-(1 + town.dice.below(86_400) as i64));
    let Ok(span) = Span::new(from, from.plus_seconds(1 + town.dice.below(3_600) as i64)) else { return Ok(()) };
    let cameras = [1 + town.dice.below(DELAYS.len()) as u8];
    let answer = town.place.wire.pass(&session("operator"), &ask(View::Replay(span), &cameras));
    if let Ok(Verdict::Allowed(permit)) = answer {
        looked(town, &permit)?;
    }
    Ok(())
}

fn looked(town: &mut Town, permit: &Permit) -> Held {
    if !town.world.disk.is_off() {
        fork::look_is_durable(town, permit)?;
        fork::permit_is_forged(town, permit)?;
    }
    Ok(())
}
