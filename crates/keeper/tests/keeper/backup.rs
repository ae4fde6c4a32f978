//! A backup of the registry: what it holds, what a restored one cannot bring back, and who lets people look again.

use crate::{
    acts::order,
    authenticator::{PASSWORD, Phone},
    orders::CLI,
    sockets::Served,
    support::*,
};
use catalog::Registry;
use domain::{Secret32, Sensitive};
use keeper::{
    backup::archive::{MANIFEST, REGISTRY, Reading},
    wire::{Answer, FindingState, PersonProof, RestoreDone, RestoredChange},
};
use ledger::Event;
use policy::Role;
use seal::age::OpeningKey;
use std::{collections::HashMap, fs::File, path::PathBuf};
use tempfile::TempDir;
use vault::keeper::{Verdict, View};

fn text(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

fn identity() -> OpeningKey {
    OpeningKey::of(Secret32::new([42; 32]))
}

/// A town with persons who have telephones, and what a backup is written to.
struct Town {
    world: World,
    phones: HashMap<&'static str, Phone>,
    folder: TempDir,
}

impl Town {
    fn new(seed: u64) -> (Town, Opened) {
        let world = World::new(seed);
        let opened = world.open();
        let mut town = Town { world, phones: HashMap::new(), folder: tempfile::tempdir().unwrap() };
        for (name, role) in
            [("anne", Role::Dpo), ("bernard", Role::Operator), ("camille", Role::Operator), ("dora", Role::Elected)]
        {
            town.give_link(&opened, name, role);
        }
        (town, opened)
    }

    fn give_link(&mut self, opened: &Opened, name: &'static str, role: Role) {
        let added = opened.core.account_add(CLI, &text(name), role).unwrap();
        let Answer::SetupToken { token, .. } = added else { panic!("{added:?}") };
        self.phones.insert(name, Phone::set_up(&Served::new(opened), &self.world, &token));
    }

    /// A code counts once: time passes before each.
    fn proof(&self, name: &str) -> PersonProof {
        self.world.clock.pass(60);
        let code = self.phones[name].code(self.world.now());
        PersonProof { account: text(name), password: text(PASSWORD), code }
    }

    /// As `vigie backup` takes it.
    fn back_up(&self, opened: &Opened) -> PathBuf {
        let recipient = identity().recipient().unwrap().to_string();
        let Answer::BackupMade(made) = opened.core.backup(CLI, &recipient).unwrap() else { panic!() };
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < made.bytes {
            let Answer::BackupPart { bytes: part } = opened.core.backup_part(bytes.len() as u64).unwrap() else {
                panic!()
            };
            bytes.extend_from_slice(part.reveal());
        }
        assert!(matches!(opened.core.backup_fetched().unwrap(), Answer::Done));
        let path = self.folder.path().join("backup.age");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The registry's database out of a backup.
    fn registry_of(&self, backup: &PathBuf) -> Vec<u8> {
        let (mut reading, manifest) = Reading::begin(File::open(backup).unwrap(), &identity()).unwrap();
        assert_eq!(manifest.site, SITE);
        let (name, bytes) = reading.next_file().unwrap().unwrap();
        let mut database = Vec::new();
        reading.copy(bytes, &mut database).unwrap();
        assert_eq!(name, REGISTRY);
        database
    }

    /// As `vigie restore` does, while no keeper runs.
    fn put_back(&self, database: &[u8]) {
        // as another file: sockets of the life before may still hold the old one open
        let path = self.world.registry_path();
        let copy = path.with_extension("restoring");
        std::fs::write(&copy, database).unwrap();
        for suffix in ["-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{suffix}", path.display())));
        }
        std::fs::rename(copy, path).unwrap();
    }

    fn confirm(&self, opened: &Opened, name: &str) -> Option<RestoreDone> {
        match opened.core.restore_confirm(CLI, &self.proof(name)).unwrap() {
            Answer::RestoreDone(done) => Some(done),
            Answer::Denied { .. } => None,
            answer => panic!("{answer:?}"),
        }
    }
}

fn refused_by(opened: &Opened) -> Vec<String> {
    match opened.core.pass(&opened.session, &ask(View::Live, &[1])).unwrap() {
        Verdict::Refused(refused) => refused.reasons.into_iter().map(|reason| reason.rule).collect(),
        Verdict::Allowed(_) => vec![],
    }
}

fn restored_entries(opened: &Opened) -> usize {
    let says = |event: &Event| matches!(event, Event::Config { what } if what.starts_with("registry restored"));
    opened.entries().iter().filter(|entry| says(&entry.event)).count()
}

#[test]
fn a_backup_holds_no_session_no_link_no_key_and_its_taking_is_entered_before_a_byte_leaves() {
    let (town, opened) = Town::new(71);
    let open_link = opened.core.account_add(CLI, &text("eva"), Role::Operator).unwrap();
    assert!(matches!(open_link, Answer::SetupToken { .. }));
    let backup = town.back_up(&opened);
    let entry = opened.entries().into_iter().rev().find_map(|entry| match entry.event {
        Event::Config { what } if what.starts_with("registry backed up") => Some(what),
        _ => None,
    });
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &std::fs::read(&backup).unwrap());
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let entry = entry.expect("its taking is entered");
    assert!(entry.contains(&hex) && entry.contains("age1"), "{entry}");
    // what is in it, by SQLite alone
    let database = town.registry_of(&backup);
    let path = town.folder.path().join("copy");
    std::fs::write(&path, &database).unwrap();
    let copy = Registry::open(&path).unwrap();
    assert!(copy.taken().unwrap().is_some());
    let session = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, session("operator").reveal().as_bytes());
    let session: [u8; 32] = session.as_ref().try_into().unwrap();
    assert!(copy.session_look(session, town.world.now(), 1 << 40).unwrap().is_none());
    let holds = |bytes: &[u8]| database.windows(bytes.len()).any(|window| window == bytes);
    assert!(!holds(&session), "and not in a free page");
    assert!(!holds(opened.keyring.site_key().expose()) && !holds(opened.keyring.config_key().expose()));
    let page = opened.mint(0, &[1]);
    drop(page);
    assert!(!holds(&town.phones["anne"].seed), "seeds stay sealed under the keyring");
    assert!(holds(b"$argon2id$"), "password hashes are in it: decision 0062 says why");
    // nothing is left in clear beside the registry
    let left = std::fs::read_dir(town.world.registry_path().with_file_name("backup")).unwrap();
    assert_eq!(left.count(), 0);
    assert!(!String::from_utf8_lossy(&std::fs::read(&backup).unwrap()).contains(MANIFEST));
}

#[test]
fn nothing_that_ended_since_a_backup_comes_back_with_it() {
    let (mut town, opened) = Town::new(72);
    let extra = opened.core.acts_enter(CLI, vec![order("A-72", 100 * DAY)]).unwrap();
    assert!(matches!(extra, Answer::ActsEntered(_)), "{extra:?}");
    let dying = opened.mint(0, &[1, 2, 3]);
    let backup = town.back_up(&opened);
    let database = town.registry_of(&backup);
    // what happens afterwards
    opened.core.account_disable(CLI, &text("camille")).unwrap();
    town.world.clock.pass(60);
    town.give_link(&opened, "bernard", Role::Operator);
    town.give_link(&opened, "fred", Role::Operator);
    opened.core.account_disable(CLI, &text("fred")).unwrap();
    opened.core.act_withdraw(CLI, "A-72", None).unwrap();
    opened.core.order_shorter_delay(CLI, camera(3), 9).unwrap();
    let served = Served::new(&opened);
    let remove = keeper::wire::Control::CameraRemove { name: "camera 2".into() };
    assert!(matches!(served.control.control_ask(remove).unwrap(), Answer::Done));
    town.world.clock.pass(3 * DAY);
    opened.core.tick().unwrap();
    assert_eq!(opened.destructions(), [(hour(0), camera(1))]);
    drop((served, opened));

    town.put_back(&database);
    let opened = town.world.open_with_session();
    let now = town.world.now();
    let registry = Registry::open(&town.world.registry_path()).unwrap();
    let account = |name: &str| registry.account_by_name(name).unwrap();
    assert!(account("camille").unwrap().disabled, "a closed account stays closed");
    assert!(account("fred").unwrap().disabled, "also one that the backup never knew: nobody gets its name");
    assert!(account("bernard").unwrap().password_hash.is_none(), "the password of before the new link opens nothing");
    assert!(registry.second_factor(account("bernard").unwrap().id).unwrap().is_none());
    assert!(account("anne").unwrap().password_hash.is_some(), "who changed nothing keeps what is hers");
    let cameras: Vec<_> = registry.cameras(now).unwrap().into_iter().map(|version| version.camera.id).collect();
    assert_eq!(cameras, [camera(1), camera(3)], "a removed camera stays removed");
    assert_eq!(registry.camera(camera(3), now).unwrap().unwrap().camera.delay_days, 9, "a shorter delay stays");
    let act = registry.acts_known(now).unwrap().into_iter().find(|version| version.act.number == "A-72").unwrap();
    assert!(act.withdrawn_from.is_some(), "a withdrawn paper stays withdrawn");
    assert!(!opened.opens(&dying[0], 0), "a destroyed hour stays destroyed");
    assert_eq!(opened.destructions(), [(hour(0), camera(1))], "and dies once");
    assert_eq!((restored_entries(&opened), registry.taken().unwrap()), (1, None));
    drop(registry);
    // a second start tells nothing twice, and lets nobody look either
    drop(opened);
    let opened = town.world.open_with_session();
    assert_eq!((restored_entries(&opened), refused_by(&opened)), (1, vec!["registry-restored".to_owned()]));
    opened.mint(73, &[1, 3]);
    opened.check_ledger(now);
}

#[test]
fn two_persons_whose_accounts_are_older_than_the_backup_let_people_look_again() {
    let (mut town, opened) = Town::new(73);
    assert_eq!(refused_by(&opened), Vec::<String>::new());
    let backup = town.back_up(&opened);
    let database = town.registry_of(&backup);
    town.world.clock.pass(60);
    town.give_link(&opened, "bernard", Role::Operator);
    drop(opened);
    town.put_back(&database);
    let opened = town.world.open_with_session();
    let alarm = |opened: &Opened| {
        let findings = opened.core.health().unwrap().findings;
        findings.into_iter().any(|one| one.id == "registry-restored" && one.state == FindingState::Alarm)
    };
    assert!(alarm(&opened));
    assert_eq!(refused_by(&opened), ["registry-restored"]);
    let Answer::Restored(Some(view)) = opened.core.restored_view().unwrap() else { panic!() };
    let told: Vec<_> = view.lines.iter().map(|line| (line.change, line.what.reveal().as_str())).collect();
    assert_eq!(told, [(RestoredChange::NeedsLink, "bernard")]);
    // who got a way in since waits a day
    assert_eq!(town.confirm(&opened, "bernard"), None, "his password is gone");
    town.give_link(&opened, "bernard", Role::Operator);
    assert_eq!(town.confirm(&opened, "bernard"), Some(RestoreDone::TooNew));
    assert_eq!(town.confirm(&opened, "anne"), Some(RestoreDone::First));
    assert_eq!(town.confirm(&opened, "anne"), Some(RestoreDone::SamePerson));
    drop(opened);
    let opened = town.world.open_with_session(); // the first word is in the ledger
    assert_eq!(refused_by(&opened), ["registry-restored"]);
    assert_eq!(town.confirm(&opened, "dora"), Some(RestoreDone::Confirmed));
    assert_eq!((refused_by(&opened), alarm(&opened)), (vec![], false));
    assert_eq!(town.confirm(&opened, "dora"), Some(RestoreDone::NothingToConfirm));
    drop(opened);
    assert_eq!(refused_by(&town.world.open_with_session()), Vec::<String>::new());
}

#[test]
fn a_copy_of_another_past_of_the_ledger_opens_no_account_by_itself() {
    let (town, opened) = Town::new(74);
    let other = town.world.fork(99);
    let beside = other.open();
    beside.core.account_add(CLI, &text("eva"), Role::Operator).unwrap();
    let backup = town.back_up(&beside);
    let database = town.registry_of(&backup);
    opened.core.account_add(CLI, &text("fred"), Role::Operator).unwrap();
    drop(opened);
    town.put_back(&database);
    let opened = town.world.open_with_session();
    let registry = Registry::open(&town.world.registry_path()).unwrap();
    assert!(registry.accounts().unwrap().iter().all(|account| account.password_hash.is_none()));
    let Answer::Restored(Some(view)) = opened.core.restored_view().unwrap() else { panic!() };
    assert!(!view.everything_is_told);
}

#[test]
fn what_a_crash_left_of_a_restoration_is_finished_at_the_next_start() {
    let (town, opened) = Town::new(75);
    let backup = town.back_up(&opened);
    let database = town.registry_of(&backup);
    opened.core.account_disable(CLI, &text("camille")).unwrap();
    drop(opened);
    town.put_back(&database);
    // the ledger takes no entry at the start: nobody looks, and it is entered when it does
    let world = &town.world;
    let opened = world.open_with_session();
    assert_eq!(restored_entries(&opened), 1);
    drop(opened);
    town.put_back(&database); // as if the start had ended before its last step
    let opened = world.open_with_session();
    assert_eq!(refused_by(&opened), ["registry-restored"]);
    let registry = Registry::open(&world.registry_path()).unwrap();
    assert!(registry.account_by_name("camille").unwrap().unwrap().disabled);
    assert_eq!(registry.taken().unwrap(), None);
}
