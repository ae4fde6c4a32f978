//! A keeper whose world is made of memory: faulty disk, clocks set by hand, chance from a seed, registry in a folder.
#![allow(dead_code)] // each test program uses its part

use catalog::{Account, AccountId, Camera, Registry, Site};
use disk::FaultyDisk;
use domain::{
    Act, ActId, ActKind, ActScope, ActTerms, CameraId, Clock, Hour, HourLength, OrderTerms, Purpose, Random, ReelId,
    Role, RunId, Secret32, Sensitive, SiteId, Span, StreamId, UtcMicros,
    world::{BootId, BootMicros, NtpState},
};
use keeper::{
    KeeperCore, KeeperParts,
    core::KeyringLogKeys,
    journal::{Journal, JournalParts, JournalPlace, JournalSizes},
};
use keyring::{FileKeyring, KdfCost, Keyring, MemoryKeyring};
use ledger::{Actor, Entry, Event, LogId, Report};
use policy::law::signature::{PUBLISHERS, Publisher};
use seal::{
    Extent, GroupStart, KeyRecord, Kind, RecordHeader,
    extent::EXTENT_BYTES,
    key::TAG_BYTES,
    reel::ReelHeader,
    sign::{RunCertificate, SigningKey},
};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};
use tempfile::TempDir;
use vault::keeper::{Ask, KeyQuery, Minted, Permit, ReelPart, SessionSecret, Verdict, View};

pub const SITE: SiteId = SiteId([1; 16]);
const LOG: LogId = LogId([2; 16]);
/// 2026-03-12T14:00Z.
pub const START: i64 = 1_773_324_000;
pub const DAY: i64 = 86_400;
pub const RUN: RunId = RunId([3; 16]);
pub const PASSPHRASE: &str = "a passphrase for tests";
/// Small files, so that tests cross from one to the next.
const SIZES: JournalSizes =
    JournalSizes { file_bytes: 256 * 1024, reserve_bytes: 256 * 1024, group_bytes_max: 64 * 1024 };

/// Clocks that go where they are told.
pub struct ManualClock {
    system: AtomicI64,
    boot: AtomicI64,
    boot_id: Mutex<BootId>,
    ntp: AtomicBool,
    /// What the system clock is off by since somebody set it: `set` is no part of the true time.
    off: AtomicI64,
}

impl ManualClock {
    /// Time passes.
    pub fn pass(&self, seconds: i64) {
        self.pass_micros(seconds * 1_000_000);
    }
    pub fn pass_micros(&self, micros: i64) {
        self.system.fetch_add(micros, Ordering::SeqCst);
        self.boot.fetch_add(micros, Ordering::SeqCst);
    }
    /// What somebody's setting put the system clock off by, in seconds.
    pub fn off_seconds(&self) -> i64 {
        self.off.load(Ordering::SeqCst) / 1_000_000
    }
    /// Somebody sets the system clock: the kernel then says that it is not under NTP.
    pub fn step(&self, seconds: i64) {
        self.system.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        self.off.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        self.under_ntp(false);
    }
    pub fn under_ntp(&self, is_synchronised: bool) {
        self.ntp.store(is_synchronised, Ordering::SeqCst);
    }
    /// The machine is off for a time and boots; a time server has set its clock.
    pub fn boot_after(&self, seconds: i64) {
        self.boot_without_ntp(seconds);
        self.under_ntp(true);
    }
    /// As [`ManualClock::boot_after`], and no time server answers.
    pub fn boot_without_ntp(&self, seconds: i64) {
        self.system.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        self.under_ntp(false);
        self.boot.store(10_000_000, Ordering::SeqCst);
        self.boot_id.lock().unwrap().0[0] += 1;
    }
}

impl Clock for ManualClock {
    fn utc(&self) -> UtcMicros {
        UtcMicros(self.system.load(Ordering::SeqCst))
    }
    fn boot(&self) -> BootMicros {
        BootMicros(self.boot.load(Ordering::SeqCst))
    }
    fn boot_id(&self) -> BootId {
        *self.boot_id.lock().unwrap()
    }
    fn ntp(&self) -> NtpState {
        if self.ntp.load(Ordering::SeqCst) { NtpState::Synchronised } else { NtpState::Unsynchronised }
    }
}

pub struct Seeded(AtomicU64);

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let draw = self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes();
        blake3::Hasher::new().update(&draw).finalize_xof().fill(bytes);
    }
}

/// Everything around a keeper.
pub struct World {
    pub disk: FaultyDisk,
    pub clock: Arc<ManualClock>,
    pub random: Arc<Seeded>,
    registry: Arc<TempDir>,
    /// A keyring that outlives its keepers, for tests of a long time: files would be written ten thousand times.
    memory: Option<Arc<dyn Keyring>>,
    pub log_retention_months: u32,
    /// Of the ledger's files.
    pub sizes: JournalSizes,
    /// Of the ledger.
    pub reserve: Option<PathBuf>,
    pub oidc: Option<keeper::OidcSettings>,
}

/// An open keeper and the keyring below it, to look at.
pub struct Opened {
    pub core: Arc<KeeperCore>,
    pub keyring: Arc<dyn Keyring>,
    /// Who looks: the operator of the registry, unless a test signs in itself.
    pub session: SessionSecret,
}

pub fn camera(n: u8) -> CameraId {
    CameraId([n; 16])
}

pub fn stream(n: u8) -> StreamId {
    StreamId::main(camera(n))
}

/// The hour `n` after the start.
pub fn hour(n: i64) -> Hour {
    HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(START)).plus(n)
}

pub fn utc(seconds: i64) -> UtcMicros {
    UtcMicros::from_seconds(START + seconds)
}

pub fn folder(copy: usize) -> PathBuf {
    PathBuf::from(["/one/keyring", "/two/keyring"][copy])
}

impl World {
    /// Cameras 1, 2, 3 with delays of 3, 7 and 30 days; an operator and an administrator, signed in.
    pub fn new(seed: u64) -> World {
        World::beside(seed, Arc::new(registry()))
    }

    pub fn with_keys_in_memory(seed: u64) -> World {
        World::made_in_memory(seed, Arc::new(registry()))
    }

    /// The same with a registry of its own.
    pub fn made_in_memory(seed: u64, registry: Arc<TempDir>) -> World {
        let random = Arc::new(Seeded(AtomicU64::new(seed << 50)));
        World::made(seed, registry, Some(Arc::new(MemoryKeyring::new(random))))
    }

    /// A world of its own but for the registry: making one takes longer than all the rest.
    pub fn beside(seed: u64, registry: Arc<TempDir>) -> World {
        World::made(seed, registry, None)
    }

    fn made(seed: u64, registry: Arc<TempDir>, memory: Option<Arc<dyn Keyring>>) -> World {
        let clock = ManualClock {
            system: AtomicI64::new(START * 1_000_000 + 60_000_000),
            boot: AtomicI64::new(500_000_000),
            boot_id: Mutex::new(BootId([1; 16])),
            ntp: AtomicBool::new(true),
            off: AtomicI64::new(0),
        };
        let disk = FaultyDisk::new(seed);
        let random = Arc::new(Seeded(AtomicU64::new(seed << 40)));
        let (log_retention_months, sizes) = (12, SIZES);
        let clock = Arc::new(clock);
        let (reserve, oidc) = (None, None);
        let world = World { disk, clock, random, registry, memory, log_retention_months, sizes, reserve, oidc };
        let disk = Arc::new(world.disk.clone());
        let paths = [folder(0), folder(1)];
        let create = || FileKeyring::create(disk, paths, SITE, PASSPHRASE, KdfCost::LEAST, world.random.clone());
        let keyring = world.memory.clone().unwrap_or_else(|| Arc::new(create().unwrap()));
        let opening = Entry::new(world.clock.utc(), Actor::Cli { uid: 0 }, Event::Opened { site: SITE, log: LOG });
        drop(Journal::create(world.journal_parts(keyring), &opening).unwrap());
        world
    }

    /// The same world from now on apart from this one, on a copy of its disk and registry.
    pub fn fork(&self, seed: u64) -> World {
        let load = |number: &AtomicI64| AtomicI64::new(number.load(Ordering::SeqCst));
        let clock = ManualClock {
            system: load(&self.clock.system),
            boot: load(&self.clock.boot),
            boot_id: Mutex::new(self.clock.boot_id()),
            ntp: AtomicBool::new(self.clock.ntp.load(Ordering::SeqCst)),
            off: load(&self.clock.off),
        };
        World {
            disk: self.disk.fork(seed),
            clock: Arc::new(clock),
            random: Arc::new(Seeded(AtomicU64::new(seed))),
            registry: registry_like(&self.registry),
            memory: None,
            log_retention_months: self.log_retention_months,
            sizes: self.sizes,
            reserve: self.reserve.clone(),
            oidc: None,
        }
    }

    pub fn open(&self) -> Opened {
        self.try_open().unwrap_or_else(|why| panic!("{why}"))
    }

    pub fn try_open(&self) -> Result<Opened, String> {
        let disk = Arc::new(self.disk.clone());
        let open = || FileKeyring::open(disk, [folder(0), folder(1)], SITE, PASSPHRASE, self.random.clone());
        let keyring: Arc<dyn Keyring> = match &self.memory {
            Some(keyring) => keyring.clone(),
            None => Arc::new(open().map_err(|error| error.to_string())?),
        };
        let journal = Journal::open(self.journal_parts(keyring.clone())).map_err(|error| error.to_string())?;
        let parts = KeeperParts {
            site: SITE,
            hour_length: HourLength::PRODUCT,
            seconds_per_day: None,
            clock: self.clock.clone(),
            random: self.random.clone(),
            keyring: keyring.clone(),
            journal,
            registry: Registry::open(&self.registry.path().join("registry")).unwrap(),
            publishers: publishers(),
            session_idle_seconds: 3_600,
            address: "http://localhost:8470".into(),
            oidc: self.oidc.clone(),
            log_retention_months: self.log_retention_months,
            passphrase_from: "tests".into(),
            version: "0".into(),
            findings: Vec::new(),
        };
        let core = KeeperCore::open(parts).map_err(|error| error.to_string())?;
        Ok(Opened { core: Arc::new(core), keyring, session: session("operator") })
    }

    pub fn now(&self) -> UtcMicros {
        self.clock.utc()
    }

    /// What the system clock would say had nobody set it.
    pub fn true_time(&self) -> UtcMicros {
        self.clock.utc().plus_micros(-self.clock.off.load(Ordering::SeqCst))
    }

    pub fn registry_path(&self) -> PathBuf {
        self.registry.path().join("registry")
    }

    /// Opens it with the operator signed in anew: a session ends after an hour without use.
    pub fn open_with_session(&self) -> Opened {
        let registry = Registry::open(&self.registry_path()).unwrap();
        registry.sessions_forget(self.now().plus_seconds(400 * DAY)).unwrap();
        start_session(&registry, 1, "operator", self.now());
        drop(registry);
        self.open()
    }

    pub fn journal_parts(&self, keyring: Arc<dyn Keyring>) -> JournalParts {
        JournalParts {
            disk: Arc::new(self.disk.clone()),
            place: JournalPlace::in_folder(Path::new("/log")).with_reserve(self.reserve.clone()),
            sizes: self.sizes,
            site: SITE,
            log: LOG,
            seed: Secret32::new([9; 32]),
            keys: Arc::new(KeyringLogKeys(keyring)),
            random: self.random.clone(),
        }
    }
}

/// A publisher of law packs for tests.
pub fn publisher() -> Publisher {
    Publisher::new("tests", &[7; 32])
}

/// The pinned ones, and that of the tests.
fn publishers() -> &'static [&'static str] {
    static KEYS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        let of_tests: &'static str = Box::leak(publisher().verifier_key().into_boxed_str());
        [PUBLISHERS, &[of_tests]].concat()
    });
    &KEYS
}

/// A registry with cameras, accounts, sessions and the papers of a demonstration.
pub fn registry() -> TempDir {
    let folder = bare_registry();
    let registry = Registry::open(&folder.path().join("registry")).unwrap();
    registry.acts_put(&demonstration_acts(), utc(-DAY)).unwrap();
    folder
}

/// The same without any paper.
pub fn bare_registry() -> TempDir {
    let folder = fast_folder();
    let created = utc(-DAY);
    let site = Site { id: SITE, name: "a town".into(), created };
    let registry = Registry::create(&folder.path().join("registry"), &site).unwrap();
    for (n, delay_days) in [(1, 3), (2, 7), (3, 30)] {
        let camera = Camera {
            id: camera(n),
            name: format!("camera {n}"),
            place: "a place".into(),
            sub_url: None,
            url: format!("rtsp://192.0.2.{n}/main"),
            credential: None,
            delay_days,
            purposes: vec![Purpose::SafetyOfPersonsAndProperty],
            fingerprint: None,
            rights: Default::default(),
            class: None,
        };
        registry.camera_put(&camera, created, created).unwrap();
    }
    for (n, role) in [(1, "operator"), (2, "administrator")] {
        let account = Account {
            id: AccountId([n; 16]),
            name: Sensitive::new(role.into()),
            role: role.into(),
            password_hash: None,
            disabled: false,
            created,
        };
        registry.account_add(&account).unwrap();
        start_session(&registry, n, role, utc(0));
    }
    folder
}

/// Papers by which every camera may record for 30 days and the operator may look; they say that nobody signed them.
pub fn demonstration_acts() -> Vec<Act> {
    let act = |kind, nth: u8, scope, terms| Act {
        id: ActId([nth; 16]),
        kind,
        number: "demonstration".into(),
        signed: utc(-DAY),
        signatory: Sensitive::new("démonstration, aucun préfet n'a signé".into()),
        from: utc(-DAY),
        // an order and its renewal in one, so that five years can be told
        until: Some(utc(2_500 * DAY)),
        scope,
        terms,
        scan: None,
    };
    let order = OrderTerms {
        prefecture: "demonstration".into(),
        purposes: Purpose::ALL.into(),
        retention_days: 30,
        minimum_hours: None,
        recipients: vec![],
        hosting_place: "memory".into(),
        event_end: None,
    };
    let masks = ActTerms::Masks { preset: "fixed".into(), masks: None };
    let capacity = ActTerms::Capacity { role: Role::Operator, territory: "a town".into() };
    let mut acts = vec![
        act(ActKind::Authorisation, 1, ActScope::Site, ActTerms::Order(order)),
        act(ActKind::MaskStatement, 2, ActScope::Cameras((1..=250).map(camera).collect()), masks),
        act(ActKind::Approval, 3, ActScope::Person(AccountId([1; 16])), capacity),
    ];
    let plain = [
        ActKind::CnilCommitment,
        ActKind::Dpia,
        ActKind::CommissioningNotice,
        ActKind::Sign,
        ActKind::PublicNotice,
        ActKind::ConformitySheet,
        ActKind::HostingContract,
        ActKind::ArchivesElimination,
        ActKind::CouncilDeliberation,
        ActKind::StaffInformation,
    ];
    acts.extend(plain.into_iter().zip(4..).map(|(kind, nth)| act(kind, nth, ActScope::Site, ActTerms::Plain)));
    acts
}

/// A folder in memory where there is one: SQLite syncs a hundred thousand times in a long life.
pub fn fast_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// The same registry in a folder of its own.
pub fn registry_like(template: &TempDir) -> Arc<TempDir> {
    let folder = fast_folder();
    for file in std::fs::read_dir(template.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    Arc::new(folder)
}

pub fn start_session(registry: &Registry, account: u8, role: &str, now: UtcMicros) {
    let hash = sha256(session(role).reveal());
    registry.session_start(hash, AccountId([account; 16]), now, now.plus_seconds(DAY)).unwrap();
}

pub fn session(role: &str) -> SessionSecret {
    Sensitive::new(format!("session of {role}"))
}

fn sha256(text: &str) -> [u8; 32] {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref().try_into().unwrap()
}

pub fn ask(view: View, cameras: &[u8]) -> Ask {
    Ask {
        view,
        cameras: cameras.iter().map(|n| camera(*n)).collect(),
        purpose: Some(Purpose::SafetyOfPersonsAndProperty),
        reason: Sensitive::new("appel au 17 pour une rixe".into()),
    }
}

/// Seconds after the start.
pub fn span(from: i64, to: i64) -> Span {
    Span::new(utc(from), utc(to)).unwrap()
}

impl Opened {
    pub fn entries(&self) -> Vec<Entry> {
        let journal = self.core.journal();
        (0..journal.size()).map(|seq| journal.entry(seq).unwrap()).collect()
    }

    #[track_caller]
    pub fn check_ledger(&self, now: UtcMicros) -> Report {
        let report = self.core.journal().verify(&[], now).unwrap();
        assert_eq!(report.faults, []);
        assert_eq!(report.overdue, []);
        report
    }

    #[track_caller]
    pub fn permit(&self, view: View, cameras: &[u8]) -> Permit {
        match self.core.pass(&self.session, &ask(view, cameras)).unwrap() {
            Verdict::Allowed(permit) => permit,
            Verdict::Refused(refused) => panic!("refused by {:?}", refused.reasons),
        }
    }

    #[track_caller]
    pub fn mint(&self, n: i64, cameras: &[u8]) -> Vec<Minted> {
        let streams: Vec<StreamId> = cameras.iter().map(|n| stream(*n)).collect();
        self.core.mint(hour(n), RUN, &streams).unwrap()
    }

    /// How often each (hour, camera) was entered as destroyed.
    pub fn destructions(&self) -> Vec<(Hour, CameraId)> {
        let mut found = Vec::new();
        for entry in self.entries() {
            if let Event::Destroyed { hour, cameras, .. } = entry.event {
                found.extend(cameras.into_iter().map(|camera| (hour, camera)));
            }
        }
        found.sort_unstable();
        found
    }

    /// The same where older details cannot be read any more; an entry made again counts once.
    pub fn destructions_readable(&self) -> Vec<(Hour, CameraId)> {
        let journal = self.core.journal();
        let mut found = std::collections::BTreeSet::new();
        for entry in (0..journal.size()).filter_map(|seq| journal.entry(seq).ok()) {
            if let Event::Destroyed { hour, cameras, .. } = entry.event {
                found.extend(cameras.into_iter().map(|camera| (hour, camera)));
            }
        }
        found.into_iter().collect()
    }

    /// A reel with ten extents of two chunks each, one a second from `from`; the group begins at chunk `group` of `group_reel`.
    pub fn reel(&self, id: u8, minted: &Minted, from: i64, group: GroupStart) -> ReelPart {
        let reel = ReelId([id; 16]);
        let run_key = SigningKey::from_seed(&Secret32::new([4; 32]));
        let site_key = SigningKey::from_seed(&self.keyring.site_key());
        let certificate = RunCertificate::issue(&site_key, SITE, RUN, run_key.public());
        let header = ReelHeader { reel, hour: minted.hour, deadline: minted.deadline, reel_key: [5; 32], certificate };
        let lookup_tag = minted.lookup.tag(reel, minted.stream);
        let key_record = KeyRecord { lookup_tag, wrapped: minted.wrapped.clone() }.to_bytes();
        let extents = (0..10).map(|n| {
            let extent = Extent {
                stream: minted.stream,
                first_chunk: 2 * n,
                last_chunk: 2 * n + 1,
                first_utc: utc(from + i64::from(n)),
                last_utc: utc(from + i64::from(n)).plus_micros(900_000),
                frames: 25,
                group_start: group,
                keys: None,
            };
            sealed(minted, reel, n, &extent)
        });
        ReelPart {
            reel,
            header: header.to_record(&run_key)[domain::limit::RECORD_HEADER_BYTES..].to_vec(),
            key_record: key_record.to_vec(),
            extents: extents.collect(),
        }
    }

    /// Whether a replay permit still opens anything of a minted stream.
    pub fn opens(&self, minted: &Minted, at: i64) -> bool {
        let part = self.reel(7, minted, at, GroupStart { reel: ReelId([7; 16]), chunk: 0 });
        let asked = ask(View::Replay(span(at, at + 10)), &[minted.stream.camera.0[0]]);
        let Verdict::Allowed(permit) = self.core.pass(&self.session, &asked).unwrap() else { return false };
        let query = KeyQuery { permit, stream: minted.stream, span: span(at, at + 10), parts: vec![part] };
        self.core.keys(&query).is_ok_and(|answer| !answer.reels.is_empty())
    }
}

fn sealed(minted: &Minted, reel: ReelId, number: u32, extent: &Extent) -> Vec<u8> {
    let key = minted.data_key.record_key(reel, Kind::Extent, 3, number);
    let header = RecordHeader {
        kind: Kind::Extent,
        handle: 3,
        payload_bytes: (EXTENT_BYTES + TAG_BYTES) as u32,
        number,
        reel,
        commitment: key.commitment,
    };
    let mut payload = extent.to_bytes();
    let tag = key.seal(&header, &mut payload);
    [&header.to_bytes()[..], &payload, &tag].concat()
}
