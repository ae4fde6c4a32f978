//! Making a keyring, and opening one whatever a crash, a missing device or a restored image left.

use super::{
    KdfCost,
    copy::{CopyFolder, Marked},
    custody::FileCustody,
    root::Root,
    sealing::{Kdf, SALT_BYTES},
    slot::Slot,
};
use crate::{Away, KeyringError, Result, contents::Contents, ring::Custody};
use disk::Disk;
use domain::{Random, Secret32, SiteId};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// `create` writes generations 1 and 2; `open` goes on from 3. So a root up to 2 in an unmarked folder is an unfinished
/// `create` and holds no key that anything was sealed with.
const GENERATION_OF_CREATE: u64 = 2;

/// 1 refuse a folder that has a keyring · 2 folders · 3 both slots of both copies · 4 markers. A keyring exists from the
/// first marker on; a crash before leaves what may be made again.
pub fn create(
    disk: Arc<dyn Disk>,
    paths: [PathBuf; 2],
    site: SiteId,
    passphrase: &str,
    cost: KdfCost,
    random: Arc<dyn Random>,
) -> Result<FileCustody> {
    let copies = folders(&disk, paths)?;
    for copy in &copies {
        if is_taken(copy, site).map_err(|reason| cannot_use(copy, reason))? {
            return Err(KeyringError::AlreadyInitialised { path: copy.path().to_owned() }); // 1
        }
        copy.create_folders().map_err(|reason| cannot_use(copy, reason))?; // 2
    }
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt);
    let kdf = Kdf { cost, salt };
    let root_key = kdf.derive(passphrase)?;
    let root = Root { generation: 0, contents: Contents::draw(&*random), table: BTreeMap::new() };
    let mut custody = FileCustody::new(random, site, (kdf, root_key), root, copies);
    custody.initialise()?; // 3, 4
    Ok(custody)
}

/// 1 read every slot of both copies · 2 the highest generation that the passphrase opens wins · 3 it is rolled forward on
/// every copy that can be used, twice, so that no slot holds anything older.
pub fn open(
    disk: Arc<dyn Disk>,
    paths: [PathBuf; 2],
    site: SiteId,
    passphrase: &str,
    random: Arc<dyn Random>,
) -> Result<FileCustody> {
    let copies = folders(&disk, paths)?;
    let slots = slots_of(&copies, site)?; // 1
    let (kdf, root_key, root) = newest(slots, passphrase)?.ok_or_else(|| {
        let [first, second] = copies.each_ref().map(|copy| copy.path().to_owned());
        KeyringError::RootDamaged { first, second }
    })?; // 2
    let mut custody = FileCustody::new(random, site, (kdf, root_key), root, copies);
    custody.load_summaries();
    custody.rejoin()?; // 3
    Ok(custody)
}

fn folders(disk: &Arc<dyn Disk>, paths: [PathBuf; 2]) -> Result<[CopyFolder; 2]> {
    if paths[0] == paths[1] {
        let [path, _] = paths;
        return Err(KeyringError::SameFolder { path });
    }
    Ok(paths.map(|path| CopyFolder::new(disk.clone(), path)))
}

fn is_taken(copy: &CopyFolder, site: SiteId) -> std::result::Result<bool, Away> {
    let used = copy.slots()?.iter().any(|slot| slot.generation > GENERATION_OF_CREATE);
    Ok(used || copy.marked(site)? != Marked::Missing)
}

/// The valid slots of the copies that are this site's.
fn slots_of(copies: &[CopyFolder; 2], site: SiteId) -> Result<Vec<Slot>> {
    let mut slots = Vec::new();
    let mut reasons = Vec::new();
    let mut is_initialised = false;
    for copy in copies {
        let marked = copy.marked(site);
        let found = copy.slots().unwrap_or_default();
        is_initialised |= !matches!(marked, Ok(Marked::Missing));
        is_initialised |= found.iter().any(|slot| slot.generation > GENERATION_OF_CREATE);
        reasons.push(match marked {
            Ok(Marked::Ours) => None,
            Ok(Marked::OtherSite) => Some(Away::OtherSite),
            Ok(Marked::Unreadable) if found.is_empty() => Some(Away::MarkerUnreadable),
            Ok(Marked::Missing) if found.is_empty() => {
                Some(if copy.exists().unwrap_or(false) { Away::MarkerMissing } else { Away::FolderMissing })
            }
            Ok(Marked::Unreadable | Marked::Missing) => None,
            Err(away) => Some(away),
        });
        if reasons.last() == Some(&None) {
            slots.extend(found.into_iter().filter(|slot| slot.site == site));
        }
    }
    let [first, second] = copies.each_ref().map(|copy| copy.path().to_owned());
    if !is_initialised {
        return Err(KeyringError::NeverInitialised { first, second });
    }
    match <[Option<Away>; 2]>::try_from(reasons) {
        Ok([Some(first_reason), Some(second_reason)]) => {
            Err(KeyringError::NoCopy { first, first_reason, second, second_reason })
        }
        _ => Ok(slots),
    }
}

/// The newest root that the passphrase opens; `None` where no slot is valid at all.
fn newest(mut slots: Vec<Slot>, passphrase: &str) -> Result<Option<(Kdf, Secret32, Root)>> {
    slots.sort_by_key(|slot| std::cmp::Reverse(slot.generation));
    let mut keys: Vec<(Kdf, Secret32)> = Vec::new();
    for slot in &slots {
        let key = match keys.iter().find(|(kdf, _)| *kdf == slot.kdf) {
            Some((_, key)) => key.clone(),
            None => {
                let key = slot.kdf.derive(passphrase)?;
                keys.push((slot.kdf, key.clone()));
                key
            }
        };
        if let Some(root) = slot.open(&key) {
            return Ok(Some((slot.kdf, key, root)));
        }
    }
    if slots.is_empty() { Ok(None) } else { Err(KeyringError::WrongPassphrase) }
}

fn cannot_use(copy: &CopyFolder, reason: Away) -> KeyringError {
    KeyringError::CopyFailed { path: copy.path().to_owned(), reason }
}
