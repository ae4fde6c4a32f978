//! The registry: accounts, setup links, sessions, dated cameras, reopening, damage.

use catalog::{Account, AccountId, Camera, CatalogError, NewFactor, Registry, SecondFactor, Site};
use domain::{CameraClass, CameraId, CameraRights, Films, Purpose, Sensitive, SiteId, UtcMicros, limit};
use std::path::PathBuf;
use tempfile::TempDir;

/// Nobody touches a session for so long.
const IDLE: i64 = 3_600;

const fn at(seconds: i64) -> UtcMicros {
    UtcMicros::from_seconds(seconds)
}

struct Bench {
    folder: TempDir,
    registry: Registry,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let registry = Registry::create(&folder.path().join("registry.db"), &site()).expect("created");
        Bench { folder, registry }
    }
    fn path(&self) -> PathBuf {
        self.folder.path().join("registry.db")
    }
    fn reopen(self) -> Bench {
        let Bench { folder, registry } = self;
        drop(registry);
        let registry = Registry::open(&folder.path().join("registry.db")).expect("reopened");
        Bench { folder, registry }
    }
}

fn site() -> Site {
    Site { id: SiteId([7; 16]), name: "Ville de démonstration".to_owned(), created: at(1_000) }
}

fn account(number: u8) -> Account {
    Account {
        id: AccountId([number; 16]),
        name: Sensitive::new(format!("compte-{number}")),
        role: "operator".to_owned(),
        password_hash: None,
        disabled: false,
        created: at(2_000),
    }
}

fn factor() -> NewFactor {
    let seed = Sensitive::new(vec![1, 2, 3]);
    NewFactor { factor: SecondFactor { seed, last_step: 70 }, recovery_hashes: vec![[1; 32], [2; 32]] }
}

fn camera(number: u8) -> Camera {
    Camera {
        id: CameraId([number; 16]),
        name: format!("camera-{number}"),
        place: "place de la mairie".to_owned(),
        sub_url: number.is_multiple_of(2).then(|| format!("rtsp://10.0.0.{number}:554/sub")),
        url: "rtsp://127.0.0.1:8554/1?token=a@b".to_owned(),
        credential: Some(Sensitive::new(vec![1, 2, 3])),
        delay_days: 15,
        purposes: vec![Purpose::PublicBuildings, Purpose::Dumping],
        fingerprint: Some("host port realm".to_owned()),
        rights: Default::default(),
        class: CameraClass::ALL.get(usize::from(number)).copied(),
    }
}

#[test]
fn everything_written_is_there_after_reopening() {
    let bench = Bench::new();
    let mut with_password = account(1);
    with_password.password_hash = Some(Sensitive::new("$argon2id$v=19$...".to_owned()));
    bench.registry.account_add(&with_password).expect("added");
    bench.registry.account_add(&account(2)).expect("added");
    let session = bench.registry.session_start([5; 32], with_password.id, at(3_000), at(9_000)).expect("started");
    assert_eq!(bench.registry.camera_put(&camera(1), at(3_000), at(3_000)).expect("put"), 1);

    let bench = bench.reopen();
    assert_eq!(*bench.registry.site(), site());
    assert_eq!(bench.registry.accounts().expect("read"), [with_password.clone(), account(2)]);
    assert_eq!(bench.registry.account(AccountId([2; 16])).expect("read"), Some(account(2)));
    assert_eq!(bench.registry.account_by_name("compte-1").expect("read"), Some(with_password.clone()));
    assert_eq!(bench.registry.account_by_name("compte-9").expect("read"), None);
    assert_eq!(bench.registry.session_use([5; 32], at(3_001), IDLE).expect("read"), Some((session, with_password)));
    let cameras = bench.registry.cameras(at(3_000)).expect("read");
    assert_eq!(cameras.len(), 1);
    assert_eq!(cameras[0].camera, camera(1));
}

#[test]
fn an_account_name_is_given_once() {
    let bench = Bench::new();
    bench.registry.account_add(&account(1)).expect("added");
    let mut namesake = account(2);
    namesake.name = account(1).name;
    let error = bench.registry.account_add(&namesake).expect_err("taken");
    assert!(matches!(error, CatalogError::AccountNameTaken), "{error}");
    assert!(!error.to_string().contains("compte"), "a name in an error: {error}");
    assert_eq!(bench.registry.accounts().expect("read").len(), 1);
}

#[test]
fn a_setup_link_sets_one_password_once_before_its_end() {
    let bench = Bench::new();
    let (hash, other) = (Sensitive::new("first".to_owned()), Sensitive::new("second".to_owned()));
    let registry = &bench.registry;
    registry.account_add(&account(1)).expect("added");
    for token in [[1; 32], [2; 32], [3; 32]] {
        registry.setup_token_add(token, account(1).id, at(1_900)).expect("added");
    }
    assert_eq!(registry.setup_redeem([9; 32], &hash, &factor(), at(1_000)).expect("asked"), None, "unknown");
    assert_eq!(registry.setup_redeem([3; 32], &hash, &factor(), at(1_900)).expect("asked"), None, "expired");
    assert_eq!(registry.account(account(1).id).expect("read").and_then(|account| account.password_hash), None);
    for former in [[1; 32], [2; 32]] {
        assert_eq!(registry.setup_token(former, at(1_000)).expect("asked"), None, "a newer link ends the former ones");
    }
    assert!(registry.setup_token([3; 32], at(1_899)).expect("asked").is_some());

    assert_eq!(registry.setup_redeem([3; 32], &hash, &factor(), at(1_899)).expect("asked"), Some(account(1).id));
    for token in [[1; 32], [2; 32], [3; 32]] {
        assert_eq!(registry.setup_redeem(token, &other, &factor(), at(1_899)).expect("asked"), None, "used up");
        assert_eq!(registry.setup_token(token, at(1_899)).expect("asked"), None);
    }
    let set = registry.account(account(1).id).expect("read").and_then(|account| account.password_hash);
    assert_eq!(set, Some(hash));
}

#[test]
fn a_step_and_a_recovery_code_count_once_for_their_own_account() {
    let bench = Bench::new();
    let (registry, id) = (&bench.registry, account(1).id);
    registry.account_add(&account(1)).expect("added");
    assert_eq!(registry.second_factor(id).expect("read"), None);
    registry.setup_token_add([3; 32], id, at(1_900)).expect("added");
    registry.setup_redeem([3; 32], &Sensitive::new("x".to_owned()), &factor(), at(5)).expect("asked");
    assert_eq!(registry.accounts_with_factor().expect("read"), [id].into());
    let take = |step| registry.second_factor_take(id, step).expect("asked");
    assert!(!take(70) && take(71) && !take(71) && !take(70) && take(75));
    assert_eq!(registry.second_factor(id).expect("read").map(|factor| factor.last_step), Some(75));
    let recover = |id, hash| registry.recovery_take(id, hash, at(6)).expect("asked");
    assert!(!recover(account(2).id, [1; 32]), "another account's");
    assert!(!recover(id, [9; 32]) && recover(id, [1; 32]) && !recover(id, [1; 32]));
    assert_eq!(registry.recovery_left(id).expect("read"), 1);
}

#[test]
fn a_session_ends_by_sign_out_by_age_and_by_idleness() {
    let bench = Bench::new();
    let registry = &bench.registry;
    registry.account_add(&account(1)).expect("added");
    let alive = |secret, second| registry.session_use(secret, at(second), IDLE).expect("asked").is_some();

    registry.session_start([1; 32], account(1).id, at(0), at(100)).expect("started");
    assert!(alive([1; 32], 99) && !alive([1; 32], 100), "its age");
    assert!(!alive([2; 32], 1), "unknown");

    registry.session_start([2; 32], account(1).id, at(0), at(50_000)).expect("started");
    assert!(registry.session_end([2; 32], at(5)).expect("ended"));
    assert!(!alive([2; 32], 6));
    assert!(!registry.session_end([2; 32], at(7)).expect("asked"), "there is nothing left to end");

    let idle = IDLE;
    registry.session_start([3; 32], account(1).id, at(0), at(50_000)).expect("started");
    assert!(alive([3; 32], idle - 1), "used within the hour, and the use counts");
    assert!(alive([3; 32], 2 * idle - 2));
    assert!(!alive([3; 32], 3 * idle - 2), "unused for an hour");

    registry.session_start([5; 32], account(1).id, at(0), at(50_000)).expect("started");
    let looked = |second| registry.session_look([5; 32], at(second), IDLE).expect("asked").is_some();
    assert!(looked(idle - 1) && !looked(idle), "what a page asks by itself is no use");

    let start = registry.session_start([4; 32], account(1).id, at(0), at(10_000_000)).expect("started");
    assert_eq!(start.expires_at, at(limit::SESSION_SECONDS_MAX), "nobody begins a longer one");
    assert_eq!(registry.sessions_forget(at(50_001)).expect("deleted"), 5);
    assert!(!alive([4; 32], 1));
}

#[test]
fn a_disabled_account_has_no_session_no_link_and_gets_none() {
    let bench = Bench::new();
    let registry = &bench.registry;
    registry.account_add(&account(1)).expect("added");
    registry.session_start([1; 32], account(1).id, at(0), at(9_000)).expect("started");
    registry.setup_token_add([2; 32], account(1).id, at(9_000)).expect("added");
    registry.account_disable(account(1).id, at(10)).expect("disabled");
    assert!(registry.session_use([1; 32], at(11), IDLE).expect("asked").is_none());
    assert!(
        registry.setup_redeem([2; 32], &Sensitive::new("x".to_owned()), &factor(), at(11)).expect("asked").is_none()
    );
    let refused = registry.session_start([3; 32], account(1).id, at(11), at(9_000)).expect_err("disabled");
    assert!(matches!(refused, CatalogError::UnknownAccount));
    let unknown = registry.account_disable(AccountId([9; 16]), at(10)).expect_err("unknown");
    assert!(matches!(unknown, CatalogError::UnknownAccount));
}

#[test]
fn a_new_password_ends_the_sessions_that_the_old_one_began() {
    let bench = Bench::new();
    bench.registry.account_add(&account(1)).expect("added");
    bench.registry.session_start([1; 32], account(1).id, at(0), at(9_000)).expect("started");
    bench.registry.account_set_password(account(1).id, &Sensitive::new("new".to_owned()), at(5)).expect("set");
    assert!(bench.registry.session_use([1; 32], at(6), IDLE).expect("asked").is_none());
}

#[test]
fn the_state_on_a_past_date_is_a_query() {
    let bench = Bench::new();
    let registry = &bench.registry;
    let delayed = |days| Camera { delay_days: days, ..camera(1) };
    assert_eq!(registry.camera_put(&delayed(10), at(100), at(100)).expect("put"), 1);
    assert_eq!(registry.camera_put(&delayed(20), at(300), at(300)).expect("put"), 2);
    // Recorded at 400, but true since 200: a correction of the past.
    assert_eq!(registry.camera_put(&delayed(5), at(200), at(400)).expect("put"), 3);
    assert_eq!(registry.camera_remove(camera(1).id, at(500), at(500)).expect("removed"), 4);

    for (valid, recorded, days) in [
        (99, 1_000, None),
        (100, 1_000, Some(10)),
        (250, 350, Some(10)), // what was known before the correction
        (250, 400, Some(5)),  // and after it
        (300, 1_000, Some(20)),
        (499, 1_000, Some(20)),
        (500, 499, Some(20)), // the removal was not known yet
        (500, 500, None),
        (1_000, 99, None), // nothing was known
    ] {
        let found = registry.cameras_at(at(valid), at(recorded)).expect("read");
        let found: Vec<u32> = found.iter().map(|version| version.camera.delay_days).collect();
        assert_eq!(found, Vec::from_iter(days), "at {valid} as known at {recorded}");
    }
    let now = registry.camera(camera(1).id, at(600)).expect("read").expect("a removed camera is still known");
    assert!(now.removed && now.version == 4);
    assert!(registry.camera(camera(9).id, at(600)).expect("read").is_none());
    let history = registry.camera_history(camera(1).id).expect("read");
    assert_eq!(history.iter().map(|version| version.version).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn a_camera_name_is_free_again_when_its_camera_is_removed() {
    let bench = Bench::new();
    let registry = &bench.registry;
    let namesake = Camera { name: camera(1).name, ..camera(2) };
    registry.camera_put(&camera(1), at(1), at(1)).expect("put");
    registry.camera_put(&camera(1), at(2), at(2)).expect("its own name");
    let taken = registry.camera_put(&namesake, at(3), at(3)).expect_err("taken");
    assert!(matches!(taken, CatalogError::CameraNameTaken { .. }), "{taken}");
    registry.camera_remove(camera(1).id, at(4), at(4)).expect("removed");
    registry.camera_put(&namesake, at(5), at(5)).expect("free");
    let again = registry.camera_remove(camera(1).id, at(6), at(6)).expect_err("removed already");
    assert!(matches!(again, CatalogError::UnknownCamera { .. }), "{again}");
}

#[test]
fn versions_are_recorded_in_order() {
    let bench = Bench::new();
    bench.registry.camera_put(&camera(1), at(10), at(10)).expect("put");
    let error = bench.registry.camera_put(&camera(1), at(9), at(9)).expect_err("backwards");
    assert!(matches!(error, CatalogError::RecordedBackwards { .. }), "{error}");
}

#[test]
fn an_address_with_a_password_is_refused() {
    let bench = Bench::new();
    for url in ["rtsp://user:secret@127.0.0.1/1", "rtsp://user@host:554", "user:secret@host/1"] {
        let with_credential = Camera { url: url.to_owned(), ..camera(1) };
        let error = bench.registry.camera_put(&with_credential, at(1), at(1)).expect_err("refused");
        assert!(matches!(error, CatalogError::CredentialInUrl), "{error}");
        assert!(!error.to_string().contains("secret"));
    }
    bench.registry.camera_put(&camera(1), at(1), at(1)).expect("an @ behind the host is no credential");
}

#[test]
fn nothing_personal_or_secret_prints() {
    let mut account = account(1);
    account.password_hash = Some(Sensitive::new("$argon2id$".to_owned()));
    let text = format!("{account:?} {:?}", camera(1));
    assert!(!text.contains("compte-1") && !text.contains("argon2") && !text.contains("[1, 2, 3]"), "{text}");
}

#[test]
fn a_second_site_does_not_take_the_place_of_the_first() {
    let bench = Bench::new();
    let other = Site { id: SiteId([8; 16]), ..site() };
    let path = bench.path();
    let Bench { folder: _folder, registry } = bench;
    drop(registry);
    assert!(matches!(Registry::create(&path, &other), Err(CatalogError::AlreadyExists { .. })));
    assert_eq!(*Registry::open(&path).expect("opened").site(), site());
}

#[test]
fn a_missing_or_empty_registry_says_init_or_restore() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("registry.db");
    for _ in ["missing", "empty"] {
        let error = Registry::open(&path).err().expect("nothing there");
        assert!(matches!(error, CatalogError::Missing { .. }), "{error:?}");
        assert!(error.to_string().contains("vigie init") && error.to_string().contains("backup"), "{error}");
        std::fs::write(&path, b"").expect("written");
    }
    // What a crash in the middle of `create` leaves behind does not stand in the way.
    Registry::create(&path, &site()).expect("created over an empty file");
}

#[test]
fn a_damaged_registry_says_restore_the_backup() {
    let bench = Bench::new();
    for number in 1..=200 {
        bench.registry.account_add(&account(number)).expect("added");
    }
    let path = bench.path();
    let Bench { folder: _folder, registry } = bench;
    drop(registry);
    let whole = std::fs::read(&path).expect("read");
    for damage in [0..100, 4_096 * 3..4_096 * 5, whole.len() - 8_192..whole.len()] {
        let mut bytes = whole.clone();
        bytes[damage.clone()].fill(0xa5);
        std::fs::write(&path, &bytes).expect("written");
        let error = Registry::open(&path).err().expect("damaged");
        assert!(matches!(error, CatalogError::Damaged { .. }), "{damage:?}: {error:?}");
        assert!(error.to_string().contains("restore the registry's newest backup"), "{error}");
    }
    std::fs::write(&path, &whole).expect("written");
    assert_eq!(Registry::open(&path).expect("the backup opens").accounts().expect("read").len(), 200);
}

#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.registry.account_add(&account(1)).expect("added");
    for companion in ["registry.db", "registry.db-wal", "registry.db-shm"] {
        let file = std::fs::metadata(bench.folder.path().join(companion)).expect("it is there");
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{companion}");
    }
}

#[test]
fn an_async_program_uses_it_through_spawn_blocking_and_may_drop_it() {
    let Bench { folder: _folder, registry } = Bench::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let registry = std::sync::Arc::new(registry);
        let asked = registry.clone();
        let accounts = tokio::task::spawn_blocking(move || asked.accounts()).await.expect("no panic");
        assert_eq!(accounts.expect("read").len(), 0);
        drop(registry);
    });
}

#[test]
fn what_a_camera_films_its_commune_and_groups_and_a_persons_teams_are_dated_facts() {
    let bench = Bench::new();
    let registry = &bench.registry;
    registry.camera_put(&camera(1), at(10), at(10)).expect("added");
    let groups = vec!["écoles".to_owned(), "centre".to_owned()];
    let rights = CameraRights { films: Films::OpenPlace, commune: "2A004".parse().ok(), groups };
    registry.camera_put(&Camera { rights: rights.clone(), ..camera(1) }, at(20), at(20)).expect("changed");
    registry.account_add(&account(1)).expect("added");
    registry.account_add(&account(2)).expect("added");
    registry.teams_put(account(1).id, &["nuit".to_owned()], at(20), at(20)).expect("put");
    registry.teams_put(account(2).id, &["jour".to_owned()], at(20), at(20)).expect("put");
    registry.teams_put(account(2).id, &[], at(30), at(30)).expect("put");
    let bench = bench.reopen();
    let registry = &bench.registry;
    let of = |second| registry.cameras(at(second)).expect("read").remove(0).camera.rights;
    assert_eq!((of(19), of(20)), (CameraRights::default(), rights));
    assert_eq!(CameraRights::default().films, Films::PublicRoad, "the stricter list");
    let teams = |valid, known| registry.teams_at(at(valid), at(known)).expect("read");
    assert!(teams(19, 99).is_empty() && teams(99, 19).is_empty());
    assert_eq!(teams(20, 20).len(), 2);
    assert_eq!(teams(30, 30), [(account(1).id, vec!["nuit".to_owned()])].into());
    assert_eq!(teams(29, 99)[&account(2).id], ["jour"]);
}
