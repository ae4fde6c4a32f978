//! What may happen to the town, tried on a copy of it: power cuts, restored backups, edited files, forged permits.

use crate::{
    checks::{self, Broken, Held, Looker, broken},
    recording::{Place, Recording, locked},
    support::{Opened, World, fast_folder, folder},
    town::{Town, place, sign_in, streams},
    truth::Truth,
};
use catalog::Registry;
use disk::Image;
use domain::{CameraId, Span, UtcMicros, limit::RECORD_HEADER_BYTES};
use ledger::Event;
use seal::Kind;
use simulator::random::Dice;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use vault::{
    keeper::{KeyQuery, Permit, ReelPart, View},
    rebuild::Scope,
    service::Located,
    store::index_of,
};

const LOG: &str = "/log";

/// What somebody copied of the town on some day.
pub struct Backup {
    stores: Vec<Image>,
    keyrings: [Image; 2],
    log: Image,
    /// What the ledger had then.
    entries: u64,
    catalog: TempDir,
}

impl Backup {
    pub fn of(town: &Town) -> Backup {
        let disk = &town.world.disk;
        let catalog = fast_folder();
        copy_catalog(&town.place.footage, &catalog.path().join("footage.db"));
        Backup {
            stores: town.disks.paths().map(|path| disk.image(path)).collect(),
            keyrings: [disk.image(&folder(0)), disk.image(&folder(1))],
            log: disk.image(Path::new(LOG)),
            entries: town.core().map_or(u64::MAX, |core| core.journal().size()),
            catalog,
        }
    }
}

/// The copy.
struct Fork {
    world: World,
    place: Place,
    now: UtcMicros,
    _folder: TempDir,
}

/// A keeper and a recorder that came up on it.
struct Running {
    opened: Opened,
    recording: Recording,
    registry: Registry,
}

impl Fork {
    fn of(town: &Town, dice: &mut Dice) -> Fork {
        let world = town.world.fork(dice.throw() | 1 << 63);
        let folder = fast_folder();
        let footage = folder.path().join("footage.db");
        copy_catalog(&town.place.footage, &footage);
        let own = locked(&town.place.truth).beside();
        let place = place(&world, town.place.stores.clone(), footage, Arc::new(Mutex::new(own)), dice.throw());
        Fork { world, place, now: town.now(), _folder: folder }
    }

    /// Everything starts, and the recorder has looked after its catalog.
    fn run(&self, scope: &Scope) -> Result<Running, String> {
        let opened = self.world.try_open()?;
        self.place.wire.connect(Some(opened.core.clone()));
        let mut recording =
            Recording::begin(&self.place, &opened.core, &streams()).map_err(|error| error.to_string())?;
        if *scope == Scope::All {
            recording.is_mended = recording.rebuild(scope).map_err(|error| error.to_string())?;
        } else {
            recording.mend();
        }
        recording.writer_settles();
        let registry = Registry::open(&self.world.registry_path()).map_err(|error| error.to_string())?;
        sign_in(&registry, crate::town::believed(&opened.core));
        Ok(Running { opened, recording, registry })
    }
}

fn some_missing() -> Scope {
    Scope::Missing { also: Default::default() }
}

fn look(running: &Running, truth: &Truth, now: UtcMicros, whole: bool) -> Held {
    sign_in(&running.registry, crate::town::believed(&running.opened.core));
    let looker = Looker { core: &running.opened.core, recording: &running.recording, truth, now };
    checks::footage(&looker, whole)
}

/// The power goes at this instant: both come up again, what was held opens, what was told is in the ledger.
pub fn power_cut(town: &mut Town) -> Held {
    let mut dice = town.dice.clone();
    let fork = Fork::of(town, &mut dice);
    fork.world.disk.reboot();
    let running = fork.run(&some_missing()).map_err(|what| Broken { rule: "promise 1, R5", what })?;
    let size = running.opened.core.journal().size();
    for (seq, told) in town.told.iter().enumerate() {
        let read = running.opened.core.journal().read(seq as u64);
        if !read.is_ok_and(|entry| entry.commitment == *told) {
            return broken("promise 4, L1", format!("entry {seq} was told; after a power cut {size} are there"));
        }
    }
    let dead: Vec<_> = town.seen_dead.iter().copied().collect();
    checks::keys_dead(&*running.opened.keyring, &dead)?;
    let is_whole = running.recording.is_mended && !town.disks.asks_for_rebuild;
    look(&running, &locked(&town.place.truth), fork.now, is_whole)
}

/// A look was granted: its entry is durable before a key is given (promise 3).
pub fn look_is_durable(town: &mut Town, permit: &Permit) -> Held {
    let mut dice = town.dice.clone();
    let fork = Fork::of(town, &mut dice);
    fork.world.disk.reboot();
    let opened = fork.world.try_open().map_err(|what| Broken { rule: "promise 1, R5", what })?;
    let entry = opened.core.journal().entry(permit.leaf);
    let is_it = |event: &Event| matches!(event, Event::Look { permit: id, cameras, .. } if *id == permit.id && *cameras == permit.cameras);
    match entry {
        Ok(entry) if is_it(&entry.event) => Ok(()),
        Ok(entry) => broken("promise 3", format!("entry {} of a look is {:?}", permit.leaf, entry.event)),
        Err(error) => {
            broken("promise 3", format!("a permit was given and its entry {} is not durable: {error}", permit.leaf))
        }
    }
}

/// The catalog is lost: made anew from the reels it leads to the same pictures of the same cameras, and tells the same gaps.
pub fn catalog_is_lost(town: &mut Town) -> Held {
    let mut dice = town.dice.clone();
    let mut fork = Fork::of(town, &mut dice);
    fork.place.footage = fork.place.footage.with_file_name("another.db");
    fork.world.disk.reboot();
    let running = fork.run(&Scope::All).map_err(|what| Broken { rule: "P7", what })?;
    let is_whole = running.recording.is_mended;
    let truth = locked(&town.place.truth);
    look(&running, &truth, fork.now, is_whole)?;
    let looker = Looker { core: &running.opened.core, recording: &running.recording, truth: &truth, now: fork.now };
    // lines on a disk that is missing, or lost, are told by nobody
    let has_lines = truth.away.is_empty() && !truth.lines_lost;
    if is_whole && has_lines { checks::gaps_told(&looker) } else { Ok(()) }
}

/// Somebody restores parts of a backup: nothing that died or closed meanwhile opens (promise 2, K2, K3).
pub fn backup_is_restored(town: &mut Town, backup: &Backup) -> Held {
    let mut dice = town.dice.clone();
    let fork = Fork::of(town, &mut dice);
    fork.world.disk.reboot();
    let mut restored = Vec::new();
    if dice.below(2) == 0 {
        restored.push("store and catalog");
        backup.stores.iter().for_each(|store| fork.world.disk.restore(store));
        copy_catalog(&backup.catalog.path().join("footage.db"), &fork.place.footage);
    }
    for (copy, name) in ["one copy of the keyring", "the other copy of the keyring"].into_iter().enumerate() {
        if dice.below(2) == 0 {
            restored.push(name);
            fork.world.disk.restore(&backup.keyrings[copy]);
        }
    }
    let running = match fork.run(&some_missing()) {
        Ok(running) => running,
        Err(_) => return Ok(()), // it does not start: nothing opens
    };
    // what died is dead as soon as the keeper has had its second
    drop(running.opened.core.tick());
    let blame = |broken: Broken| Broken { what: format!("{} (restored: {restored:?})", broken.what), ..broken };
    look(&running, &locked(&town.place.truth), fork.now, false).map_err(blame)
}

/// Somebody restores an old ledger, or cuts it short: the keeper notices and does not start (promise 4, K2).
pub fn ledger_is_rolled_back(town: &mut Town, backup: &Backup) -> Held {
    let Some(core) = town.core() else { return Ok(()) };
    let mut dice = town.dice.clone();
    let fork = Fork::of(town, &mut dice);
    let known = town.opened.as_ref().map_or(0, |opened| opened.keyring.ledger_head().size);
    drop(core);
    fork.world.disk.restore(&backup.log);
    match fork.world.try_open() {
        Ok(_) if backup.entries < known => {
            broken("promise 4, K2", format!("a ledger rolled back to {} of {known} entries was taken", backup.entries))
        }
        _ => Ok(()),
    }
}

/// Somebody changes a byte where pictures lie: nothing wrong opens.
pub fn byte_is_flipped(town: &mut Town) -> Held {
    let mut dice = town.dice.clone();
    let fork = Fork::of(town, &mut dice);
    fork.world.disk.reboot();
    let stores: Vec<PathBuf> = town.disks.paths().map(Path::to_owned).collect();
    for _ in 0..1 + dice.below(4) {
        let image = fork.world.disk.image(&stores[dice.below(stores.len())]);
        let files: Vec<_> = image.files().iter().filter(|(_, bytes)| !bytes.is_empty()).collect();
        let Some((path, bytes)) = dice.pick(&files).copied() else { return Ok(()) };
        let mut changed = bytes.clone();
        let at = dice.below(changed.len());
        changed[at] ^= 1 << dice.below(8);
        fork.world.disk.restore(&image.clone().with(path, changed));
    }
    let running = match fork.run(&some_missing()) {
        Ok(running) => running,
        Err(_) => return Ok(()), // said so at the start
    };
    look(&running, &locked(&town.place.truth), fork.now, false)
}

/// Somebody changes a permit, or asks beyond it: no key is given (P4).
pub fn permit_is_forged(town: &mut Town, permit: &Permit) -> Held {
    let (Some(core), Some(recording)) = (town.core(), &town.recording) else { return Ok(()) };
    let View::Replay(span) = permit.view else { return Ok(()) };
    let stream = domain::StreamId::main(permit.cameras[0]);
    let located = recording.locate(stream, span);
    let (Some(part), Ok(longer)) = (
        located.first().and_then(|located| part_of(recording, located)),
        Span::new(span.from().plus_seconds(-3_600), span.to()),
    ) else {
        return Ok(());
    };
    // what the honest question does not open, no forged one can be told from
    let honest = KeyQuery { permit: permit.clone(), stream, span, parts: vec![part.clone()] };
    if core.keys(&honest).is_err() {
        return Ok(());
    }
    let forged = [
        ("another leaf", Permit { leaf: permit.leaf ^ 1, ..permit.clone() }, span),
        ("another expiry", Permit { expires: permit.expires.plus_seconds(60), ..permit.clone() }, span),
        ("another camera", Permit { cameras: vec![CameraId([99; 16]), stream.camera], ..permit.clone() }, span),
        ("a longer span", Permit { view: View::Replay(longer), ..permit.clone() }, longer),
        ("more than the permit's span", permit.clone(), longer),
    ];
    for (what, permit, span) in forged {
        let query = KeyQuery { permit, stream, span, parts: vec![part.clone()] };
        if core.keys(&query).is_ok() {
            return broken("P4", format!("keys are given for a permit with {what}"));
        }
    }
    Ok(())
}

/// What a look asks the keeper to open of a reel.
fn part_of(recording: &Recording, located: &Located) -> Option<ReelPart> {
    let (reel, place) = (located.reel, &located.location);
    let known =
        located.entries.clone().map_or_else(|| index_of(&recording.store, reel, place, located.handle).ok()?, Some);
    let entries = known?;
    let mut reader = recording.store.reader(place);
    let key = entries.iter().find(|entry| entry.is(Kind::Key))?;
    let key_record = reader.record(reel, key).ok()?.split_off(RECORD_HEADER_BYTES);
    let payload_bytes = reader.header(reel, 0).ok()??.payload_bytes;
    let header = reader.read(RECORD_HEADER_BYTES as u64, payload_bytes.into()).ok()?;
    let extents = entries.iter().filter(|entry| entry.is(Kind::Extent));
    let extents = extents.map(|entry| reader.record(reel, entry).ok()).collect::<Option<_>>()?;
    Some(ReelPart { reel, header, key_record, extents })
}

/// SQLite's file with what stands beside it.
fn copy_catalog(from: &Path, to: &Path) {
    for end in ["", "-wal", "-shm", ".damaged"] {
        let named = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        if fs::copy(named(from), named(to)).is_err() {
            drop(fs::remove_file(named(to))); // it is not there, so it is not there in the copy either
        }
    }
}
