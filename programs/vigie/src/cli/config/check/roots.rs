//! What can be asked about the store's roots: each is there, this site's, a folder and better a disk of its own, with room enough.

use super::{Check, State, folder, said};
use crate::{Config, french, site};
use std::{
    collections::BTreeMap,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};
use vault::{LocalStore, StoreError};

/// Two copies of the keyring, ledger, registry: room that must be left beside the store on its disk.
const BESIDE_STORE_BYTES: u64 = 1 << 30;

/// Everything about the store.
pub fn check(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    for (number, (path, gibibytes)) in config.rooms().enumerate() {
        let names = if number == 0 { ("store.folder", "store.gibibytes_max") } else { ("store.more", "store.more") };
        checks.push(folder(names.0, path));
        checks.extend(identity(config, names.0, path));
        checks.extend(space(config, names.1, (path, gibibytes)));
    }
    checks.extend(twice(config));
    checks
}

/// Two roots that are one folder by another name, or one disk, which a failure takes with both.
fn twice(config: &Config) -> Option<Check> {
    let setting = "store.more";
    let folders = config.store_folders();
    let real: Vec<PathBuf> = folders.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let inside =
        |n: usize, one: &PathBuf| real.iter().enumerate().any(|(other, path)| n != other && one.starts_with(path));
    if let Some((_, path)) = real.iter().enumerate().find(|(n, path)| inside(*n, path)) {
        let path = path.display();
        let fr = format!("`{path}` est un autre dossier du stockage, ou y est : chacun doit être distinct.");
        return Some(said(
            setting,
            State::Refused,
            fr,
            format!("`{path}` is another folder of the store, or lies in it: each must be a folder of its own."),
        ));
    }
    let mut devices: BTreeMap<u64, &PathBuf> = BTreeMap::new();
    for path in &folders {
        let Some(before) = device(path).and_then(|device| devices.insert(device, path)) else { continue };
        let (one, two) = (before.display(), path.display());
        let fr = format!(
            "`{one}` et `{two}` sont sur un seul disque : une seule panne emporte les deux. Placez le second ailleurs."
        );
        let en = format!("`{one}` and `{two}` are on one disk: one failure takes both. Put the second elsewhere.");
        return Some(said(setting, State::Warning, fr, en));
    }
    (folders.len() > 1).then(|| {
        said(
            setting,
            State::Ok,
            "Chaque dossier du stockage a son disque.",
            "Each folder of the store has a disk of its own.",
        )
    })
}

fn device(path: &Path) -> Option<u64> {
    path.ancestors().find_map(|folder| std::fs::metadata(folder).ok()).map(|one| one.dev())
}

/// The root is this site's, and cut as the configuration says.
fn identity(config: &Config, setting: &'static str, path: &Path) -> Option<Check> {
    let identity = match site::identity(config) {
        Ok(identity) => identity,
        Err(site::SiteError::NoSite { .. }) => return None,
        Err(error) => {
            return Some(said("data.folder", State::Refused, french::message(&error), error.to_string()));
        }
    };
    Some(match LocalStore::open(site::disk(), path, identity.site) {
        Err(StoreError::NoMarker { .. }) if setting == "store.more" => {
            let path = path.display();
            let fr = format!(
                "`{path}` ne porte pas encore de bobines : son disque est-il monté ? S'il est nouveau, `vigie store add {path}`."
            );
            let en =
                format!("`{path}` holds no reels yet: is its disk mounted? If it is new, `vigie store add {path}`.");
            said(setting, State::Warning, fr, en)
        }
        Err(error) => {
            let error = site::SiteError::from(error);
            said(setting, State::Refused, french::message(&error), error.to_string())
        }
        Ok(store) if store.usage().slot_bytes != u64::from(config.store.slot_mebibytes) << 20 => {
            let mebibytes = store.usage().slot_bytes >> 20;
            let fr = format!(
                "Ce stockage a des emplacements de {mebibytes} Mio, fixés par `init` : le réglage n'y change rien."
            );
            let en = format!("This store has slots of {mebibytes} MiB, set by `init`: the setting changes nothing.");
            said("store.slot_mebibytes", State::Warning, fr, en)
        }
        Ok(_) => said(setting, State::Ok, "Le stockage est celui de ce site.", "The store is this site's."),
    })
}

/// What the disk can give against what the store may take.
fn space(config: &Config, setting: &'static str, (path, asked): (&Path, u32)) -> Option<Check> {
    let there = path.ancestors().find(|folder| folder.exists())?;
    let free = site::disk().free_bytes(there).ok()??;
    let slots = std::fs::read_dir(path.join("slots")).into_iter().flatten().flatten();
    let used: u64 = slots.filter_map(|slot| slot.metadata().ok()).map(|metadata| metadata.len()).sum();
    let (wanted, most) = (u64::from(asked) << 30, (free + used) >> 30);
    if free + used < wanted {
        let fr = format!(
            "Le disque ne peut donner que {most} Gio sur les {asked} demandés : réduisez le réglage ou agrandissez le disque."
        );
        let en = format!(
            "The disk can give {most} GiB only of the {asked} asked for: lower the setting or enlarge the disk."
        );
        return Some(said(setting, State::Refused, fr, en));
    }
    let shared = device(path) == device(&config.data.folder);
    if shared && free + used < wanted.saturating_add(BESIDE_STORE_BYTES) {
        let fr =
            "Le stockage plein ne laisserait pas 1 Gio au registre, qui est sur le même disque : réduisez le réglage.";
        let en = "A full store would not leave 1 GiB to the ledger, which is on the same disk: lower the setting.";
        return Some(said(setting, State::Refused, fr, en));
    }
    let fr = format!("Le disque peut donner {most} Gio, {asked} sont demandés.");
    Some(said(setting, State::Ok, fr, format!("The disk can give {most} GiB, {asked} are asked for.")))
}
