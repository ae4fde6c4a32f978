//! Making a keyring, and opening one whatever a crash, a missing device or a restored image left.

use super::{
    KdfCost,
    copy::{CopyFolder, Marked},
    custody::FileCustody,
    root::Root,
    seal::RootSeal,
    sealing::{Kdf, SALT_BYTES},
    slot::Slot,
};
use crate::{Away, KeyringError, Result, contents::Contents, pkcs11::Token, ring::Custody};
use disk::Disk;
use domain::{Random, SiteId};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// `create` writes generations 1 and 2; `open` goes on from 3. So a root up to 2 in an unmarked folder is an unfinished
/// `create` and holds no key that anything was sealed with.
const GENERATION_OF_CREATE: u64 = 2;

/// 1 refuse a folder that has a keyring · 2 folders · 3 an object in the token, both slots of both copies · 4 markers. A keyring exists from the
/// first marker on; a crash before leaves what may be made again.
pub fn create(
    disk: Arc<dyn Disk>,
    paths: [PathBuf; 2],
    site: SiteId,
    (passphrase, cost): (&str, KdfCost),
    random: Arc<dyn Random>,
    token: Option<Box<dyn Token>>,
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
    let seal = RootSeal::new(kdf, site, kdf.derive(passphrase)?, token);
    let root = Root { generation: 0, contents: Contents::draw(&*random), table: BTreeMap::new() };
    let mut custody = FileCustody::new(random, site, seal, root, copies);
    custody.initialise()?; // 3, 4
    Ok(custody)
}

/// 1 read every slot of both copies · 2 the highest generation that passphrase and token open wins · 3 it is rolled forward on
/// every copy that can be used, twice, so that no slot holds anything older; under a new object of the token, where there is
/// one, and all others die: whatever a crash left there.
pub fn open(
    disk: Arc<dyn Disk>,
    paths: [PathBuf; 2],
    site: SiteId,
    passphrase: &str,
    random: Arc<dyn Random>,
    token: Option<Box<dyn Token>>,
) -> Result<FileCustody> {
    let copies = folders(&disk, paths)?;
    let slots = slots_of(&copies, site)?; // 1
    let [first, second] = copies.each_ref().map(|copy| copy.path().to_owned());
    let (seal, root) = match newest(site, slots, passphrase, token)? {
        Newest::Found(found) => *found,
        Newest::NoSlot => return Err(KeyringError::RootDamaged { first, second }),
        Newest::OlderThanToken => return Err(KeyringError::OlderThanToken { first, second }),
        Newest::Later(found) => return Err(KeyringError::LaterVersion { path: first, found }),
    }; // 2
    let mut custody = FileCustody::new(random, site, seal, root, copies);
    custody.load_summaries();
    custody.rejoin()?; // 3
    Ok(custody)
}

/// Whether the copies that are there are of versions that this program reads; changes nothing.
pub fn check_versions(disk: &Arc<dyn Disk>, paths: [PathBuf; 2]) -> Result<()> {
    folders(disk, paths)?.iter().try_for_each(|copy| {
        let version = match (copy.marked(SiteId::default()), copy.slots()) {
            (Ok(Marked::Later(version)), _) | (_, Err(Away::LaterVersion { version })) => version,
            _ => return Ok(()),
        };
        Err(KeyringError::LaterVersion { path: copy.path().to_owned(), found: version })
    })
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
        let slots_here = copy.slots();
        if let (Ok(Marked::Later(version)), _) | (_, Err(Away::LaterVersion { version })) = (&marked, &slots_here)
            && marked != Ok(Marked::OtherSite)
        {
            return Err(KeyringError::LaterVersion { path: copy.path().to_owned(), found: *version });
        }
        let found = slots_here.unwrap_or_default();
        is_initialised |= !matches!(marked, Ok(Marked::Missing));
        is_initialised |= found.iter().any(|slot| slot.generation > GENERATION_OF_CREATE);
        reasons.push(match marked {
            Ok(Marked::Ours) => None,
            Ok(Marked::OtherSite) => Some(Away::OtherSite),
            Ok(Marked::Unreadable) if found.is_empty() => Some(Away::MarkerUnreadable),
            Ok(Marked::Missing) if found.is_empty() => {
                Some(if copy.exists().unwrap_or(false) { Away::MarkerMissing } else { Away::FolderMissing })
            }
            Ok(Marked::Unreadable | Marked::Missing | Marked::Later(_)) => None,
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

/// What the slots give.
enum Newest {
    Found(Box<(RootSeal, Root)>),
    /// No slot is valid at all.
    NoSlot,
    /// Every slot's object is dead in the token.
    OlderThanToken,
    /// The newest that opens holds a record of a later program.
    Later(u16),
}

/// The newest root that passphrase and token open. Slots of one keyring have one salt; of another one in one of the folders, the
/// higher generation goes first, as ever.
fn newest(site: SiteId, mut slots: Vec<Slot>, passphrase: &str, token: Option<Box<dyn Token>>) -> Result<Newest> {
    slots.sort_by_key(|slot| std::cmp::Reverse(slot.generation));
    let Some(first) = slots.first() else { return Ok(Newest::NoSlot) };
    if token.is_none() && slots.iter().any(|slot| slot.object.is_some()) {
        return Err(KeyringError::TokenNotConfigured);
    }
    let mut seal = RootSeal::new(first.kdf, site, first.kdf.derive(passphrase)?, token);
    let mut is_any_alive = false;
    for slot in &slots {
        if slot.kdf != seal.kdf {
            seal = seal.of(slot.kdf, slot.kdf.derive(passphrase)?);
        }
        let is_believed = slot.object.is_some() || seal.believes_bare(slot.generation)?;
        let Some(key) = seal.key_of(slot.object)?.filter(|_| is_believed) else { continue };
        is_any_alive = true;
        if let Some(root) = slot.open(&key.key) {
            seal.became(key);
            return Ok(Newest::Found(Box::new((seal, root))));
        }
        if let Some(format) = slot.later_format(&key.key) {
            return Ok(Newest::Later(format)); // before an older generation wins and is written over it
        }
    }
    if is_any_alive { Err(KeyringError::WrongPassphrase) } else { Ok(Newest::OlderThanToken) }
}

fn cannot_use(copy: &CopyFolder, reason: Away) -> KeyringError {
    KeyringError::CopyFailed { path: copy.path().to_owned(), reason }
}
