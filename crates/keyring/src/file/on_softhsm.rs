//! Drills on a real token, that of SoftHSM2; run in a process of their own by `crates/keyring/src/pkcs11/softhsm.rs`.

use super::{
    tests::{PASSPHRASE, paths},
    token_tests::World,
};
use crate::{
    CopyState, CustodianKind, FileKeyring, KdfCost, Keyring, KeyringError, Result, TokenFault, Which,
    conformance::{SITE, camera, deadline, hour},
    pkcs11::{
        ObjectId, Token,
        softhsm::{self, PIN},
    },
    seeded::Seeded,
};
use disk::{Fault, Happened};
use domain::SiteId;
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A disk in memory and a new token of SoftHSM2.
struct Bench {
    world: World,
    module: PathBuf,
    label: String,
}

impl Bench {
    fn new(seed: u64) -> Bench {
        let module = softhsm::here().expect("run by the test of the same words in pkcs11/softhsm.rs");
        let label = softhsm::new_token(&module);
        Bench { world: World::new(seed), module, label }
    }

    fn found(&self, pin: &str, site: SiteId) -> Option<Box<dyn Token>> {
        let token = softhsm::token(&self.module, &self.label, pin, site);
        Some(self.world.mishaps.over(token, &self.world.disk))
    }

    fn create(&self) -> FileKeyring {
        let (disk, random) = (Arc::new(self.world.disk.clone()), Arc::new(Seeded::new(1)));
        let token = self.found(PIN, SITE);
        let secret = (PASSPHRASE, KdfCost::LEAST);
        let keyring = FileKeyring::create_with(disk, paths(), SITE, secret, random, token).unwrap();
        for n in 0..2 {
            keyring.add(hour(n), &[1, 2].map(|n| (camera(n), deadline(30)))).unwrap();
        }
        keyring
    }

    fn open_as(&self, pin: &str) -> Result<FileKeyring> {
        let disk = &self.world.disk;
        let random = Arc::new(Seeded::new(1_000 + disk.steps()));
        FileKeyring::open_with(Arc::new(disk.clone()), paths(), SITE, PASSPHRASE, random, self.found(pin, SITE))
    }

    fn token(&self) -> impl Token {
        softhsm::token(&self.module, &self.label, PIN, SITE)
    }

    fn objects(&self) -> Vec<ObjectId> {
        self.token().objects().unwrap().into_iter().collect()
    }

    /// Page keys of hour 0 in any slot ever written, opened with the token of now.
    fn readable(&self) -> usize {
        let roots = self.world.roots_ever(&self.token());
        roots.iter().filter(|root| root.table.contains_key(&hour(0))).count()
    }
}

fn said(result: Result<FileKeyring>) -> TokenFault {
    match result {
        Err(KeyringError::Token(fault)) => fault,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    }
}

#[test]
#[ignore = "runs in a process of its own"]
fn copies_of_all_files_at_every_moment_and_todays_token_open_nothing_destroyed() {
    let bench = Bench::new(1);
    let keyring = bench.create();
    assert_eq!(keyring.custodian().kind, CustodianKind::Pkcs11Software);
    assert!(keyring.custodian().statement().en.contains("revives what was destroyed"), "K3: SoftHSM is files");
    assert!(bench.readable() > 0);
    let images = paths().map(|path| bench.world.disk.image(&path));
    assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    assert_eq!((bench.readable(), bench.objects().len()), (0, 1));
    drop(keyring);
    images.iter().for_each(|image| bench.world.disk.restore(image));
    assert!(matches!(bench.open_as(PIN), Err(KeyringError::OlderThanToken { .. })));
}

#[test]
#[ignore = "runs in a process of its own"]
fn a_destruction_that_fails_at_any_call_of_the_token_is_finished_and_leaves_one_object() {
    let faults = [
        Fault::Error(Happened::No, ErrorKind::Other),
        Fault::Error(Happened::Yes, ErrorKind::Other),
        Fault::PowerCut(Happened::No),
        Fault::PowerCut(Happened::Yes),
    ];
    let bench = Bench::new(1);
    let keyring = bench.create();
    let first = bench.world.mishaps.steps();
    assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    let last = bench.world.mishaps.steps();
    assert!(last > first + 4);
    for (step, fault) in (first..last).flat_map(|step| faults.map(|fault| (step, fault))) {
        let bench = Bench::new(step);
        let keyring = bench.create();
        bench.world.mishaps.plan(step, fault);
        let what = format!("call {} of {}, {fault:?}", step - first, last - first);
        let answer = keyring.destroy(hour(0), &Which::All);
        if answer.is_ok_and(|destroyed| destroyed.confirmed()) {
            assert_eq!(bench.readable(), 0, "{what}");
        }
        drop(keyring);
        bench.world.reboot();
        let keyring = bench.open_as(PIN).unwrap();
        let is_dead = keyring.page(hour(0)).unwrap().is_none();
        assert!(keyring.confirmed() && keyring.page(hour(1)).unwrap().is_some(), "{what}");
        assert_eq!((bench.objects().len(), bench.readable() == 0), (1, is_dead), "{what}");
    }
}

#[test]
#[ignore = "runs in a process of its own"]
fn a_wrong_pin_is_told_and_not_tried_a_second_time() {
    let bench = Bench::new(1);
    drop(bench.create());
    let fault = said(bench.open_as("000000"));
    assert_eq!(fault, TokenFault::WrongPin { label: bench.label.clone() });
    assert!(!fault.to_string().contains("000000") && !fault.fr().contains("000000"));
    let token = softhsm::token(&bench.module, &bench.label, "000000", SITE);
    for _try in 0..2 {
        assert_eq!(token.objects(), Err(TokenFault::WrongPin { label: bench.label.clone() }));
    }
    assert!(token.was_refused());
    assert!(bench.open_as(PIN).unwrap().confirmed());
}

#[test]
#[ignore = "runs in a process of its own"]
fn a_token_that_is_not_there_and_two_of_one_name_are_told() {
    let mut bench = Bench::new(1);
    drop(bench.create());
    let right = std::mem::replace(&mut bench.label, "personne".to_owned());
    assert_eq!(said(bench.open_as(PIN)), TokenFault::Absent { label: "personne".to_owned() });
    softhsm::new_token_named(&bench.module, &right);
    bench.label = right.clone();
    assert_eq!(said(bench.open_as(PIN)), TokenFault::Ambiguous { label: right });
}

#[test]
#[ignore = "runs in a process of its own"]
fn a_token_taken_away_under_a_running_keyring_is_missed_and_finishes_when_it_returns() {
    let bench = Bench::new(1);
    let keyring = bench.create();
    let folder = Path::new(&std::env::var_os("SOFTHSM2_CONF").unwrap()).with_file_name("tokens");
    let newest = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let newest = newest.max_by_key(|path| fs::metadata(path.join("token.object")).unwrap().modified().unwrap());
    let (here, away) = (newest.unwrap(), folder.with_file_name("away"));
    fs::rename(&here, &away).unwrap();
    assert!(!keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    let state = keyring.custodian().token.unwrap().state;
    assert!(matches!(state, CopyState::Away(_)), "{state:?}");
    assert!(!keyring.rejoin().unwrap().confirmed());
    keyring.add(hour(3), &[(camera(1), deadline(30))]).unwrap();
    fs::rename(&away, &here).unwrap();
    assert!(keyring.rejoin().unwrap().confirmed(), "{:?}", keyring.custodian());
    assert_eq!((bench.objects().len(), bench.readable()), (1, 0));
}

#[test]
#[ignore = "runs in a process of its own"]
fn the_key_in_the_token_cannot_be_read_and_another_sites_key_is_left_alone() {
    let bench = Bench::new(1);
    let other = SiteId([8; 16]);
    let stranger = softhsm::token(&bench.module, &bench.label, PIN, other);
    let theirs = ObjectId::draw(1, &Seeded::new(9));
    stranger.make(&theirs).unwrap();
    let keyring = bench.create();
    assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    assert!(stranger.objects().unwrap().contains(&theirs));
    assert_eq!(softhsm::readable_values(&bench.module, &bench.label), 0);
    let text = b"a question";
    let answer = stranger.answer(&theirs, text).unwrap();
    assert!(answer.is_some() && answer == stranger.answer(&theirs, text).unwrap());
    stranger.destroy(&theirs).unwrap();
    stranger.destroy(&theirs).unwrap();
    assert_eq!(stranger.answer(&theirs, text), Ok(None));
}
