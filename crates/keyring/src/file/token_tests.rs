//! Situations of a keyring with a token: pulled out, lazy, emptied, of another time; and what an old copy of files is worth.

use super::{
    root::Root,
    seal::{self, RootKey},
    slot::Slot,
    tests::{self as files, PASSPHRASE, paths},
};
use crate::{
    Away, CopyState, CustodianKind, FileKeyring, KdfCost, Keyring, KeyringError, Result, TokenFault, Which,
    conformance::{SITE, camera, cameras, deadline, hour},
    pkcs11::{
        ObjectId, Token,
        faulty::{LABEL, MemoryToken, Mishaps},
        softhsm,
    },
    seeded::Seeded,
};
use disk::{FaultyDisk, Image};
use domain::{Hour, Secret32};
use std::sync::Arc;

/// A disk, a token, and what goes wrong with it.
#[derive(Clone)]
pub struct World {
    pub disk: FaultyDisk,
    pub token: MemoryToken,
    pub mishaps: Mishaps,
}

impl World {
    pub fn new(seed: u64) -> World {
        World { disk: FaultyDisk::new(seed), token: MemoryToken::default(), mishaps: Mishaps::default() }
    }

    fn found(&self) -> Option<Box<dyn Token>> {
        Some(self.mishaps.over(self.token.clone(), &self.disk))
    }

    pub fn create(&self) -> Result<FileKeyring> {
        let secret = (PASSPHRASE, KdfCost::LEAST);
        let random = Arc::new(Seeded::new(1));
        FileKeyring::create_with(Arc::new(self.disk.clone()), paths(), SITE, secret, random, self.found())
    }

    pub fn open_as(&self, passphrase: &str) -> Result<FileKeyring> {
        let random = Arc::new(Seeded::new(1_000 + self.disk.steps() + self.mishaps.steps()));
        FileKeyring::open_with(Arc::new(self.disk.clone()), paths(), SITE, passphrase, random, self.found())
    }

    pub fn open(&self) -> Result<FileKeyring> {
        self.open_as(PASSPHRASE)
    }

    pub fn with_two_hours(seed: u64) -> (World, FileKeyring) {
        let world = World::new(seed);
        let keyring = world.create().unwrap();
        for n in 0..2 {
            keyring.add(hour(n), &[1, 2].map(|n| (camera(n), deadline(30)))).unwrap();
        }
        (world, keyring)
    }

    pub fn objects(&self) -> Vec<ObjectId> {
        self.token.objects().unwrap().into_iter().collect()
    }

    pub fn reboot(&self) {
        self.disk.reboot();
        self.mishaps.reboot();
    }

    /// Every root record ever written that the passphrase and the objects of this token open: what somebody has who kept a copy
    /// of every file at every moment.
    pub fn roots_ever(&self, token: &dyn Token) -> Vec<Root> {
        let written = self.disk.all_bytes_ever_written();
        let slots = written.iter().filter_map(|(_, bytes)| Slot::parse(bytes));
        slots.filter_map(|slot| slot.open(&attackers_key(&slot, token)?)).collect()
    }

    /// The page keys of an hour that such a person has.
    pub fn page_keys_ever(&self, hour: Hour) -> Vec<Secret32> {
        let roots = self.roots_ever(&self.token);
        roots.iter().filter_map(|root| root.table.get(&hour).map(|entry| entry.key.clone())).collect()
    }

    fn images(&self) -> [Image; 2] {
        paths().map(|path| self.disk.image(&path))
    }

    fn restore(&self, images: &[Image; 2]) {
        images.iter().for_each(|image| self.disk.restore(image));
    }
}

/// The root key as `docs/formats/keyring.md` says it, from passphrase and token.
fn attackers_key(slot: &Slot, token: &dyn Token) -> Option<Secret32> {
    let from_passphrase = slot.kdf.derive(PASSPHRASE).ok()?;
    let Some(object) = slot.object else { return Some(from_passphrase) };
    let answer = token.answer(&object, &seal::question(SITE, object)).unwrap()?;
    Some(seal::combine(&from_passphrase, &answer))
}

fn token_state(keyring: &FileKeyring) -> CopyState {
    keyring.custodian().token.unwrap().state
}

#[test]
fn copies_of_all_files_at_every_moment_and_todays_token_open_nothing_destroyed() {
    let (world, keyring) = World::with_two_hours(1);
    let dead = world.page_keys_ever(hour(0));
    assert!(!dead.is_empty(), "before it dies it opens");
    let (images, old_token) = (world.images(), world.token.image());
    assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    assert_eq!(world.page_keys_ever(hour(0)), []);
    assert!(!world.page_keys_ever(hour(1)).is_empty(), "what lives is read");
    drop(keyring);
    // every file as it was, with the token of today
    world.restore(&images);
    assert!(matches!(world.open(), Err(KeyringError::OlderThanToken { .. })));
    // the control: only the token's object is missing above
    let restored = World { token: old_token, ..world };
    assert!(restored.open().unwrap().page(hour(0)).unwrap().is_some());
}

#[test]
fn without_a_token_such_copies_open_what_was_destroyed() {
    let disk = FaultyDisk::new(1);
    let keyring = files::create(&disk).unwrap();
    keyring.add(hour(0), &[(camera(1), deadline(30))]).unwrap();
    assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    let world = World { disk, ..World::new(1) };
    assert!(!world.page_keys_ever(hour(0)).is_empty(), "as the statement of a bare file says");
}

#[test]
fn each_destruction_and_each_start_leaves_one_object_in_the_token() {
    let (world, keyring) = World::with_two_hours(1);
    let first = world.objects();
    keyring.add(hour(5), &[(camera(1), deadline(30))]).unwrap();
    assert_eq!(world.objects(), first, "an ordinary change makes none");
    assert!(keyring.destroy(hour(0), &cameras(&[1])).unwrap().confirmed());
    let second = world.objects();
    assert!(second.len() == 1 && second != first);
    drop(keyring);
    drop(world.open().unwrap());
    assert!(world.objects().len() == 1 && world.objects() != second);
}

#[test]
fn a_token_pulled_out_leaves_a_destruction_unconfirmed_until_it_returns() {
    let (world, keyring) = World::with_two_hours(1);
    world.mishaps.pull();
    keyring.add(hour(3), &[(camera(1), deadline(30))]).unwrap();
    assert!(!keyring.confirmed(), "it is missed at the next change, and recording goes on");
    let destroyed = keyring.destroy(hour(0), &Which::All).unwrap();
    assert!(!destroyed.confirmed() && destroyed.custodian.copies_present() == 2);
    assert!(!world.page_keys_ever(hour(0)).is_empty(), "an old copy of the files still opens with the token");
    assert_eq!(keyring.page(hour(0)).unwrap(), None);
    let written = world.disk.steps();
    assert!(!keyring.rejoin().unwrap().confirmed());
    assert_eq!(world.disk.steps(), written, "looking for it each minute writes nothing");
    world.mishaps.plug();
    assert!(keyring.rejoin().unwrap().confirmed());
    assert_eq!(world.page_keys_ever(hour(0)), []);
    assert_eq!(world.objects().len(), 1);
    assert!(keyring.page(hour(3)).unwrap().is_some());
}

#[test]
fn a_destruction_that_a_stop_left_unconfirmed_is_finished_at_the_next_start() {
    let (world, keyring) = World::with_two_hours(1);
    world.mishaps.pull();
    assert!(!keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    drop(keyring);
    assert!(matches!(world.open(), Err(KeyringError::Token(TokenFault::Removed { .. }))));
    world.mishaps.plug();
    let keyring = world.open().unwrap();
    assert!(keyring.confirmed());
    assert_eq!(world.page_keys_ever(hour(0)), []);
}

#[test]
fn a_token_that_only_hides_what_it_was_told_to_destroy_is_never_confirmed() {
    let (world, keyring) = World::with_two_hours(1);
    world.mishaps.be_lazy(true);
    assert!(!keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    let kept = CopyState::Away(Away::Token(Box::new(TokenFault::OldKeyKept { label: LABEL.to_owned() })));
    assert_eq!(token_state(&keyring), kept);
    assert!(!keyring.rejoin().unwrap().confirmed());
    world.mishaps.be_lazy(false);
    assert!(keyring.rejoin().unwrap().confirmed());
    assert_eq!(world.objects().len(), 1);
}

#[test]
fn a_token_that_lost_the_present_key_gets_a_new_one_while_the_keyring_is_open() {
    let (world, keyring) = World::with_two_hours(1);
    world.token.erase();
    keyring.add(hour(4), &[(camera(1), deadline(30))]).unwrap();
    assert_eq!(
        token_state(&keyring),
        CopyState::Away(Away::Token(Box::new(TokenFault::KeyGone { label: LABEL.to_owned() })))
    );
    assert!(keyring.rejoin().unwrap().confirmed());
    drop(keyring);
    assert!(world.open().unwrap().page(hour(4)).unwrap().is_some());
    world.token.erase();
    assert!(matches!(world.open(), Err(KeyringError::OlderThanToken { .. })), "closed, nothing opens it again");
}

#[test]
fn a_keyring_in_files_is_taken_under_a_token_and_does_not_go_back() {
    let world = World::new(1);
    let keyring = files::create(&world.disk).unwrap();
    keyring.add(hour(0), &[(camera(1), deadline(30))]).unwrap();
    let page = keyring.page(hour(0)).unwrap();
    drop(keyring);
    let images = world.images();
    let keyring = world.open().unwrap();
    assert_eq!((keyring.page(hour(0)).unwrap(), keyring.custodian().kind), (page, CustodianKind::Pkcs11Device));
    assert!(files::readable_roots(&world.disk).is_empty(), "no slot opens with the passphrase alone");
    assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    drop(keyring);
    assert!(matches!(files::open(&world.disk), Err(KeyringError::TokenNotConfigured)));
    // the files of before, with the token of today
    world.restore(&images);
    assert!(matches!(world.open(), Err(KeyringError::OlderThanToken { .. })));
}

#[test]
fn a_copy_away_does_not_keep_an_old_object_alive_and_a_newer_record_on_it_is_not_lost() {
    let (world, keyring) = World::with_two_hours(1);
    let [first, second] = paths();
    world.disk.unplug(&second);
    let dead = world.objects();
    assert!(!keyring.destroy(hour(0), &Which::All).unwrap().confirmed(), "a copy away is never confirmed");
    assert_eq!(world.page_keys_ever(hour(0)), [], "but the object behind it is dead already");
    assert!(world.objects().iter().all(|object| !dead.contains(object)));
    drop(keyring);
    // now only the copy that was away: its object is dead, the other copy must come
    world.disk.plug(&second);
    world.disk.unplug(&first);
    assert!(matches!(world.open(), Err(KeyringError::OlderThanToken { .. })));
    world.disk.plug(&first);
    assert!(world.open().unwrap().confirmed());
}

#[test]
fn a_wrong_passphrase_is_told_from_a_dead_object() {
    let (world, keyring) = World::with_two_hours(1);
    drop(keyring);
    assert!(matches!(world.open_as("wrong"), Err(KeyringError::WrongPassphrase)));
    assert_eq!(world.objects().len(), 1);
    let other = World { token: MemoryToken::default(), ..world };
    assert!(matches!(other.open(), Err(KeyringError::OlderThanToken { .. })), "another token of the same name");
}

#[test]
fn neither_a_root_key_nor_an_answer_of_the_token_is_ever_written() {
    let (world, keyring) = World::with_two_hours(1);
    let mut secrets = Vec::new();
    for (_, bytes) in world.disk.all_bytes_ever_written() {
        let Some(slot) = Slot::parse(&bytes) else { continue };
        let object = slot.object.unwrap();
        secrets.extend(world.token.answer(&object, &seal::question(SITE, object)).unwrap());
        secrets.extend(attackers_key(&slot, &world.token));
    }
    drop(keyring);
    assert!(!secrets.is_empty());
    for (path, bytes) in world.disk.all_bytes_ever_written() {
        let found = secrets.iter().any(|secret| bytes.windows(32).any(|window| window == secret.expose()));
        assert!(!found, "a key stands in clear in {}", path.display());
    }
}

#[test]
fn one_flipped_bit_of_a_record_under_a_token_is_noticed() {
    let key = RootKey { object: Some(ObjectId::draw(7, &Seeded::new(3))), key: Secret32::new([9; 32]) };
    let (world, keyring) = World::with_two_hours(1);
    drop(keyring);
    let root = world.roots_ever(&world.token).pop().unwrap();
    let kdf = super::sealing::Kdf { cost: KdfCost::LEAST, salt: [4; 16] };
    let bytes = Slot::seal(SITE, &kdf, &key, [2; 12], &root).unwrap();
    assert_eq!(bytes.len() % 4_096, 0);
    let slot = Slot::parse(&bytes).unwrap();
    assert_eq!((slot.object, slot.open(&key.key)), (key.object, Some(root)));
    for at in 0..bytes.len() - 32 {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        assert_eq!(Slot::parse(&bytes), None, "byte {at}");
        let end = bytes.len() - 32;
        let digest = blake3::hash(&bytes[..end]);
        bytes[end..].copy_from_slice(digest.as_bytes());
        assert_eq!(Slot::parse(&bytes).and_then(|slot| slot.open(&key.key)), None, "byte {at}");
    }
}

#[test]
fn the_module_that_is_not_there_is_named_with_its_remedy() {
    let world = World::new(1);
    let token = softhsm::token("/nowhere/module.so".as_ref(), "x", "1", SITE);
    let secret = (PASSPHRASE, KdfCost::LEAST);
    let disk = Arc::new(world.disk.clone());
    let created =
        FileKeyring::create_with(disk, paths(), SITE, secret, Arc::new(Seeded::new(1)), Some(Box::new(token)));
    let said = created.err().unwrap().to_string();
    assert!(said.contains("`/nowhere/module.so`") && said.contains("pkcs11.module"), "{said}");
    assert!(world.disk.image(&paths()[0]).files().is_empty(), "nothing was written");
}
