//! What every custodian must hold: one suite, run by the memory, by the file custodian, and by it with a token: one in memory that has faults, and SoftHSM2.

use crate::{
    Condemned, FileKeyring, KdfCost, Keyring, KeyringError, LedgerHead, MemoryKeyring, Month, Page, Which,
    pkcs11::{Token, faulty, softhsm},
    seeded::Seeded,
};
use disk::{Disk, FaultyDisk, RealDisk};
use domain::{CameraId, HoldId, Hour, HourLength, Secret32, SiteId, UtcMicros};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

/// A custodian under test.
trait Fixture {
    fn keyring(&self) -> &dyn Keyring;
    /// Stops it and opens it again; nothing to do for one that lives in memory.
    fn reopen(&mut self);
}

struct InMemory(MemoryKeyring);

impl Fixture for InMemory {
    fn keyring(&self) -> &dyn Keyring {
        &self.0
    }
    fn reopen(&mut self) {}
}

/// The same token, found anew at each opening; `None` where there is none.
type FindToken = Box<dyn Fn() -> Option<Box<dyn Token>>>;

struct InFiles {
    disk: Arc<dyn Disk>,
    folder: std::path::PathBuf,
    token: FindToken,
    /// Closed while it is opened again.
    keyring: Option<FileKeyring>,
    opened: u64,
    _vanishes: Option<tempfile::TempDir>,
}

impl InFiles {
    fn new(disk: Arc<dyn Disk>, folder: &Path, token: FindToken, vanishes: Option<tempfile::TempDir>) -> InFiles {
        let copies = [folder.join("one"), folder.join("two")];
        let random = Arc::new(Seeded::new(1));
        let secret = ("passphrase", KdfCost::LEAST);
        let keyring = FileKeyring::create_with(disk.clone(), copies, SITE, secret, random, token()).unwrap();
        InFiles { disk, folder: folder.to_owned(), token, keyring: Some(keyring), opened: 1, _vanishes: vanishes }
    }
}

impl Fixture for InFiles {
    fn keyring(&self) -> &dyn Keyring {
        self.keyring.as_ref().unwrap()
    }
    fn reopen(&mut self) {
        self.opened += 1;
        drop(self.keyring.take());
        let copies = [self.folder.join("one"), self.folder.join("two")];
        let random = Arc::new(Seeded::new(self.opened));
        let (disk, token) = (self.disk.clone(), (self.token)());
        self.keyring = Some(FileKeyring::open_with(disk, copies, SITE, "passphrase", random, token).unwrap());
    }
}

pub const SITE: SiteId = SiteId([7; 16]);

pub fn hour(n: i64) -> Hour {
    HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(1_773_324_000)).plus(n)
}

pub fn camera(n: u8) -> CameraId {
    CameraId([n; 16])
}

pub fn deadline(days: i64) -> UtcMicros {
    hour(0).start().plus_seconds(days * 86_400)
}

pub fn cameras(numbers: &[u8]) -> Which {
    Which::Cameras(numbers.iter().map(|n| camera(*n)).collect())
}

fn keys_of(page: &Page) -> BTreeMap<CameraId, (Secret32, UtcMicros)> {
    page.cameras.iter().map(|(camera, entry)| (*camera, (entry.key.clone(), entry.deadline))).collect()
}

fn on_every_custodian(check: fn(&mut dyn Fixture)) {
    let on_real_disk = |token: FindToken| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        check(&mut InFiles::new(Arc::new(RealDisk), &path, token, Some(folder)));
    };
    if let Some(module) = softhsm::here() {
        let label = softhsm::new_token(&module);
        return on_real_disk(Box::new(move || {
            Some(Box::new(softhsm::token(&module, &label, softhsm::PIN, SITE)) as Box<dyn Token>)
        }));
    }
    check(&mut InMemory(MemoryKeyring::new(Arc::new(Seeded::new(1)))));
    check(&mut InFiles::new(Arc::new(FaultyDisk::new(1)), Path::new("/keys"), Box::new(|| None), None));
    on_real_disk(Box::new(|| None));
    let (disk, mishaps, token) = (FaultyDisk::new(1), faulty::Mishaps::default(), faulty::MemoryToken::default());
    let found = {
        let disk = disk.clone();
        move || Some(mishaps.over(token.clone(), &disk))
    };
    check(&mut InFiles::new(Arc::new(disk), Path::new("/keys"), Box::new(found), None));
}

#[test]
fn a_new_keyring_has_no_hour_and_every_camera_gets_a_key_of_its_own() {
    on_every_custodian(|fixture| {
        assert_eq!(fixture.keyring().hours(), []);
        assert_eq!(fixture.keyring().page(hour(0)).unwrap(), None);
        let both = [(camera(1), deadline(30)), (camera(2), deadline(10))];
        fixture.keyring().add(hour(0), &both).unwrap();
        fixture.keyring().add(hour(1), &both).unwrap();
        fixture.reopen();
        let pages = [0, 1].map(|n| fixture.keyring().page(hour(n)).unwrap().unwrap());
        let keys: BTreeSet<[u8; 32]> =
            pages.iter().flat_map(|page| page.cameras.values()).map(|entry| *entry.key.expose()).collect();
        assert_eq!(keys.len(), 4);
        assert!(pages[0].lookup != pages[1].lookup);
        let summary = fixture.keyring().hours();
        assert_eq!(summary.iter().map(|entry| entry.hour).collect::<Vec<_>>(), [hour(0), hour(1)]);
        assert_eq!(summary[0].earliest, deadline(10));
        assert_eq!(summary[0].cameras, BTreeMap::from(both));
    });
}

#[test]
fn a_key_never_changes_when_its_camera_is_added_again_or_another_one_joins() {
    on_every_custodian(|fixture| {
        fixture.keyring().add(hour(0), &[(camera(1), deadline(30))]).unwrap();
        let before = fixture.keyring().page(hour(0)).unwrap().unwrap();
        fixture.keyring().add(hour(0), &[(camera(1), deadline(30)), (camera(2), deadline(30))]).unwrap();
        fixture.reopen();
        let after = fixture.keyring().page(hour(0)).unwrap().unwrap();
        assert_eq!(after.cameras[&camera(1)], before.cameras[&camera(1)]);
        assert_eq!((after.lookup, after.cameras.len()), (before.lookup, 2));
    });
}

#[test]
fn a_deadline_only_shrinks() {
    on_every_custodian(|fixture| {
        let keyring = fixture.keyring();
        keyring.add(hour(0), &[(camera(1), deadline(30))]).unwrap();
        keyring.shorten(hour(0), camera(1), deadline(40)).unwrap();
        keyring.add(hour(0), &[(camera(1), deadline(50))]).unwrap();
        assert_eq!(keyring.hours()[0].earliest, deadline(30));
        keyring.shorten(hour(0), camera(1), deadline(20)).unwrap();
        fixture.reopen();
        fixture.keyring().shorten(hour(0), camera(1), deadline(25)).unwrap();
        assert_eq!(fixture.keyring().hours()[0].earliest, deadline(20));
        assert_eq!(fixture.keyring().page(hour(0)).unwrap().unwrap().cameras[&camera(1)].deadline, deadline(20));
        let unknown = fixture.keyring().shorten(hour(0), camera(9), deadline(1));
        assert!(matches!(unknown, Err(KeyringError::CameraMissing { .. })));
    });
}

#[test]
fn what_is_destroyed_stays_destroyed_and_is_not_made_again_while_it_is_listed() {
    on_every_custodian(|fixture| {
        for n in 0..3 {
            fixture.keyring().add(hour(n), &[(camera(1), deadline(30)), (camera(2), deadline(30))]).unwrap();
        }
        let dead = fixture.keyring().page(hour(1)).unwrap().unwrap();
        let others = [0, 2].map(|n| keys_of(&fixture.keyring().page(hour(n)).unwrap().unwrap()));
        let destroyed = fixture.keyring().destroy(hour(1), &Which::All).unwrap();
        assert_eq!((destroyed.keys, destroyed.confirmed()), (2, true));
        for _round in 0..2 {
            assert_eq!(fixture.keyring().page(hour(1)).unwrap(), None);
            assert_eq!(fixture.keyring().hours().len(), 2);
            let again = fixture.keyring().add(hour(1), &[(camera(1), deadline(30))]);
            assert!(matches!(again, Err(KeyringError::HourCondemned { .. })));
            assert_eq!([0, 2].map(|n| keys_of(&fixture.keyring().page(hour(n)).unwrap().unwrap())), others);
            fixture.reopen();
        }
        let repeated = fixture.keyring().destroy(hour(1), &Which::All).unwrap();
        assert_eq!((repeated.keys, repeated.generation), (0, destroyed.generation));
        fixture.keyring().forget_condemned(hour(1)).unwrap();
        fixture.keyring().add(hour(1), &[(camera(1), deadline(30))]).unwrap();
        let new = fixture.keyring().page(hour(1)).unwrap().unwrap();
        assert!(new.cameras[&camera(1)].key != dead.cameras[&camera(1)].key && new.lookup != dead.lookup);
    });
}

#[test]
fn destroying_some_cameras_leaves_the_keys_of_the_others() {
    on_every_custodian(|fixture| {
        let three = [1, 2, 3].map(|n| (camera(n), deadline(30)));
        fixture.keyring().add(hour(0), &three).unwrap();
        let before = fixture.keyring().page(hour(0)).unwrap().unwrap();
        let destroyed = fixture.keyring().destroy(hour(0), &cameras(&[1, 3])).unwrap();
        assert_eq!((destroyed.keys, destroyed.confirmed()), (2, true));
        fixture.reopen();
        let after = fixture.keyring().page(hour(0)).unwrap().unwrap();
        assert_eq!(after.lookup, before.lookup);
        assert_eq!(after.cameras.keys().collect::<Vec<_>>(), [&camera(2)]);
        assert_eq!(after.cameras[&camera(2)], before.cameras[&camera(2)]);
        let last = fixture.keyring().destroy(hour(0), &cameras(&[2])).unwrap();
        assert_eq!(last.keys, 1);
        assert_eq!((fixture.keyring().hours(), fixture.keyring().page(hour(0)).unwrap()), (vec![], None));
    });
}

#[test]
fn a_condemned_key_is_not_given_out_and_the_list_survives_until_its_tombstone() {
    on_every_custodian(|fixture| {
        fixture.keyring().add(hour(0), &[1, 2].map(|n| (camera(n), deadline(30)))).unwrap();
        fixture.keyring().condemn(hour(0), &cameras(&[1])).unwrap();
        fixture.reopen();
        let page = fixture.keyring().page(hour(0)).unwrap().unwrap();
        assert_eq!(page.cameras.keys().collect::<Vec<_>>(), [&camera(2)]);
        fixture.keyring().condemn(hour(0), &Which::All).unwrap();
        assert_eq!(fixture.keyring().page(hour(0)).unwrap(), None);
        assert_eq!(fixture.keyring().hours().len(), 1, "the key still exists, and is due");
        assert!(matches!(fixture.keyring().forget_condemned(hour(0)), Err(KeyringError::NotDestroyed { .. })));
        let generation = fixture.keyring().destroy(hour(0), &Which::All).unwrap().generation;
        fixture.reopen();
        let entry = |which| Condemned { hour: hour(0), which, destroyed_by: Some(generation) };
        assert_eq!(fixture.keyring().condemned(), [entry(cameras(&[1])), entry(Which::All)]);
        fixture.keyring().forget_condemned(hour(0)).unwrap();
        fixture.reopen();
        assert_eq!(fixture.keyring().condemned(), []);
    });
}

#[test]
fn site_and_config_key_stay_and_the_ledger_head_is_the_last_one_set() {
    on_every_custodian(|fixture| {
        let keys = [fixture.keyring().site_key(), fixture.keyring().config_key()];
        assert!(keys[0] != keys[1]);
        assert_eq!(fixture.keyring().ledger_head(), LedgerHead::default());
        let head = LedgerHead { size: 42, root: [3; 32] };
        fixture.keyring().set_ledger_head(head).unwrap();
        fixture.reopen();
        assert_eq!(fixture.keyring().ledger_head(), head);
        assert_eq!([fixture.keyring().site_key(), fixture.keyring().config_key()], keys);
    });
}

#[test]
fn a_month_has_one_log_key_until_it_is_destroyed_for_ever() {
    on_every_custodian(|fixture| {
        let [march, april] = [202_603, 202_604].map(|month| Month::new(month).unwrap());
        let key = fixture.keyring().log_key(march).unwrap();
        let other = fixture.keyring().log_key(april).unwrap();
        assert!(key != other);
        let may = Month::new(202_605).unwrap();
        assert_eq!(fixture.keyring().log_key_to_read(may).unwrap(), None, "reading makes none");
        fixture.reopen();
        assert_eq!(fixture.keyring().log_key(march).unwrap(), key);
        assert_eq!(fixture.keyring().log_key_to_read(march).unwrap(), Some(key));
        let destroyed = fixture.keyring().destroy_log_key(march).unwrap();
        assert_eq!((destroyed.keys, destroyed.confirmed()), (1, true));
        fixture.reopen();
        assert!(matches!(fixture.keyring().log_key(march), Err(KeyringError::LogKeyDestroyed { month: 202_603 })));
        let to_read = fixture.keyring().log_key_to_read(march);
        assert!(matches!(to_read, Err(KeyringError::LogKeyDestroyed { month: 202_603 })));
        assert_eq!(fixture.keyring().log_key(april).unwrap(), other);
        assert_eq!(fixture.keyring().log_months(), [april]);
    });
}

#[test]
fn a_hold_has_a_key_an_hour_that_lives_longer_only_when_its_paper_comes_and_dies_for_ever() {
    on_every_custodian(|fixture| {
        let (ours, other) = (HoldId([1; 16]), HoldId([2; 16]));
        let hours = [(hour(0), deadline(10)), (hour(1), deadline(20))];
        fixture.keyring().add_hold(ours, &hours).unwrap();
        fixture.keyring().add_hold(other, &hours[..1]).unwrap();
        let before = fixture.keyring().holds();
        fixture.keyring().add_hold(ours, &[(hour(0), deadline(25)), (hour(1), deadline(5))]).unwrap();
        fixture.reopen();
        assert_eq!(fixture.keyring().holds(), before, "the same keys, and no other end");
        assert!(before[&(ours, hour(0))].key != before[&(other, hour(0))].key);
        fixture.keyring().keep_hold(ours, deadline(15)).unwrap();
        fixture.reopen();
        let dies = |of: HoldId, at: Hour| fixture.keyring().holds()[&(of, at)].dies;
        let ends = [dies(ours, hour(0)), dies(ours, hour(1)), dies(other, hour(0))];
        assert_eq!(ends, [deadline(15), deadline(20), deadline(10)], "never earlier, and no other hold");
        let destroyed = fixture.keyring().destroy_hold(ours, &BTreeSet::from([hour(0)])).unwrap();
        assert_eq!((destroyed.keys, destroyed.confirmed()), (1, true));
        fixture.reopen();
        let left: Vec<_> = fixture.keyring().holds().into_keys().collect();
        assert_eq!(left, [(ours, hour(1)), (other, hour(0))]);
        let again = fixture.keyring().destroy_hold(ours, &BTreeSet::from([hour(0), hour(1)])).unwrap();
        let other = fixture.keyring().destroy_hold(other, &BTreeSet::from([hour(0)])).unwrap();
        assert_eq!((again.keys, other.keys, fixture.keyring().holds().len()), (1, 1, 0));
    });
}

#[test]
fn nothing_that_prints_shows_a_key() {
    on_every_custodian(|fixture| {
        fixture.keyring().add(hour(0), &[(camera(1), deadline(30))]).unwrap();
        let page = fixture.keyring().page(hour(0)).unwrap().unwrap();
        let text = format!("{page:?} {:?} {:?}", fixture.keyring().custodian(), fixture.keyring().hours());
        for secret in [&page.lookup, &page.cameras[&camera(1)].key] {
            let listed = format!("{:?}", secret.expose());
            let hex: String = secret.expose().iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(!text.contains(&listed) && !text.contains(&hex), "{text}");
        }
    });
}

#[test]
fn a_number_that_is_no_month_is_refused() {
    for text in [0, 202_600, 202_613, 20_263, 1_000_001] {
        assert!(Month::new(text).is_err(), "{text}");
    }
}
