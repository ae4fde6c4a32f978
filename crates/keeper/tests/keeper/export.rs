//! From a requisition to a verdict: two persons let footage leave, it is cut and proved, and its reader finds it intact, offline.

use crate::{
    authenticator::PASSWORD,
    reviews::{AccountHolder, Town},
    support::*,
};
use catalog::Footage;
use disk::Disk;
use domain::{
    Codec, Hour, HourLength, MediaTicks, Purpose, Random, RequisitionFacts, RequisitionId, Role, RootId, RunId,
    Secret32, Sensitive, Span, StreamId, UtcMicros, Window,
    limit::RECORD_HEADER_BYTES,
    requisition::{Authority, CallBack, Delivery, Framework, Ground, Means, Outcome, Quality},
};
use evidence::{
    CameraPart, EntryProof, FileLine, FileRole, Files, FilesError, Finding, Hex, LogProof, MANIFEST, Manifest,
    REGISTER, Trust, Verdict, file_digest, manifest,
};
use keeper::review::words::Done;
use keeper::wire::{
    PersonProof,
    exports::{ExportAnswer, ExportAsk, ExportQuestion, ExportView},
};
use ledger::{Checkpoint, CheckpointSigner, Digest, Event, WitnessPolicy, WitnessSigner, cosignature::with_lines};
use media::{Chunk, FrameEntry, FrameKind, ParameterSets, h264::avcc_from_sets};
use seal::{Kind, reel::IndexEntry, sign::SigningKey};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use tempfile::TempDir;
use vault::{
    Keeper, KeeperError, LocalStore, Location,
    admit::Admitter,
    export::{CameraExport, Sink, SinkError, export},
    keeper::{Ask, Permit, ReelPart, View},
    recover::{Closer, recover},
    replay::{Replay, ReplayError},
    service::Located,
    store::Marker,
};

const STORE: &str = "/store";
const CHUNKS: i64 = 200;
/// Of these tests: `support` says when a session locks.
const IDLE_MINUTES: i64 = 60;

pub fn text(text: &str) -> Sensitive<String> {
    Sensitive::new(text.into())
}

/// A town with two municipal police officers and a minute and forty seconds of two cameras.
pub struct Desk {
    pub town: Town,
    pub first: AccountHolder,
    pub second: AccountHolder,
    pub store: Arc<LocalStore>,
    footage: Arc<Footage>,
    pub from: UtcMicros,
    _folder: TempDir,
}

/// Of a permit and a window, hands the replay of what it opens to whoever exports it.
pub type Replaying<'a> = &'a dyn Fn(Permit, &Window, &mut dyn FnMut(Replay<'_>));

/// A package in memory.
#[derive(Clone, Default)]
pub struct Package {
    files: BTreeMap<String, Vec<u8>>,
    open: Option<String>,
}

impl Sink for Package {
    fn begin(&mut self, path: &str) -> Result<(), SinkError> {
        assert!(self.open.is_none() && !self.files.contains_key(path), "one file at a time, each once");
        self.files.insert(path.into(), Vec::new());
        self.open = Some(path.into());
        Ok(())
    }
    fn append(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let open = self.open.as_ref().expect("a file is open");
        self.files.get_mut(open).unwrap().extend_from_slice(bytes);
        Ok(())
    }
    fn end(&mut self) -> Result<(), SinkError> {
        self.open.take().expect("a file is open");
        Ok(())
    }
}

impl Files for Package {
    fn list(&self) -> Result<Vec<(String, u64)>, FilesError> {
        Ok(self.files.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect())
    }
    fn read(&self, path: &str, offset: u64, bytes: usize) -> Result<Vec<u8>, FilesError> {
        let of = self.files.get(path).and_then(|file| file.get(offset as usize..)?.get(..bytes));
        of.map(<[u8]>::to_vec).ok_or_else(|| FilesError { path: path.into(), why: "ends before".into() })
    }
}

impl Desk {
    pub fn new(seed: u64) -> Desk {
        let town = Town::new(seed);
        let first = town.person("brigadier", Role::MunicipalPolice);
        let second = town.person("chef de service", Role::MunicipalPolice);
        let world = &town.world;
        let marker =
            Marker { format: 1, site: SITE, root: RootId([7; 16]), slot_bytes: 64 * 1024, slots_max: 200, number: 0 };
        LocalStore::create(Arc::new(world.disk.clone()), Path::new(STORE), marker).unwrap();
        let disk: Arc<dyn Disk> = Arc::new(world.disk.clone());
        let store = Arc::new(LocalStore::open(disk, Path::new(STORE), SITE).unwrap());
        let folder = fast_folder();
        let footage = Arc::new(Footage::open(&folder.path().join("footage.db"), SITE).unwrap());
        let from = world.now();
        let desk = Desk { town, first, second, store, footage, from, _folder: folder };
        desk.record();
        desk
    }

    /// Two chunks a second of two cameras, synced each second; reels are closed by the minute.
    fn record(&self) {
        let (world, core) = (&self.town.world, &self.town.opened.core);
        let random: Arc<dyn Random> = world.random.clone();
        let seed = Secret32::draw(&*random);
        let run_key = SigningKey::from_seed(&seed);
        let grant = core.begin_run(RunId::draw(&*random), run_key.public()).unwrap();
        let closer =
            Closer { store: &self.store, footage: &self.footage, grant: &grant, run_key: &run_key, now: grant.anchor };
        recover(&closer).unwrap();
        let mut admitter = Admitter::new(grant, &seed, self.store.clone(), self.footage.clone(), random);
        let hour = HourLength::PRODUCT.hour_of(self.from);
        assert!(hour.span().holds(self.from.plus_seconds(CHUNKS)), "the whole of it lies in one hour");
        let streams = [stream(1), stream(2)];
        admitter.give_keys(core.mint(hour, admitter.run(), &streams).unwrap());
        for number in 0..CHUNKS {
            for stream in streams {
                admitter.admit(film(stream, hour, self.from, number), world.now());
            }
            world.clock.pass_micros(500_000);
            if number % 2 == 1 {
                admitter.sync(world.now()).unwrap();
                core.enter(&admitter.take_facts()).unwrap();
            }
        }
        for _ in 0..2 {
            world.clock.pass(64);
            admitter.sync(world.now()).unwrap();
            core.enter(&admitter.take_facts()).unwrap();
        }
    }

    pub fn window(&self, camera_number: u8, from: i64, to: i64) -> Window {
        let span = Span::new(self.from.plus_seconds(from), self.from.plus_seconds(to)).unwrap();
        Window { camera: camera(camera_number), span }
    }

    pub fn draft(&self) -> RequisitionFacts {
        let now = self.town.world.now();
        RequisitionFacts {
            received: now,
            means: Means::Oral,
            authority: Authority {
                name: text("text"),
                quality: Quality::Opj,
                matricule: text("1"),
                service: "service".into(),
                court: String::new(),
            },
            framework: Framework::Cpp60_1,
            framework_other: String::new(),
            authorisation: None,
            procedure: "PV 1/2026".into(),
            object: text("text"),
            windows: vec![self.window(1, 0, 100), self.window(2, 0, 50)],
            scan: None,
            genuine: Some(CallBack { at: now, number: "17".into(), spoken_to: text("text") }),
            validator: text("text"),
            answer: None,
            deliveries: vec![],
            viewings: vec![],
            written_by: vec![],
            opinions: vec![],
        }
    }

    pub fn asks(&self, question: ExportQuestion) -> Result<ExportAnswer, KeeperError> {
        self.town.opened.core.export_question(question)
    }

    pub fn registers(&self, draft: RequisitionFacts) -> RequisitionId {
        self.registers_as(&self.first, draft)
    }

    pub fn registers_as(&self, person: &AccountHolder, draft: RequisitionFacts) -> RequisitionId {
        let (session, says) = (person.session.clone(), Box::new(draft));
        match self.asks(ExportQuestion::Register { session, known: None, says }).unwrap() {
            ExportAnswer::Registered { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    pub fn opens_with(
        &self,
        first: &AccountHolder,
        second: PersonProof,
        requisition: RequisitionId,
        windows: Vec<Window>,
    ) -> ExportAnswer {
        let PersonProof { code, .. } = self.town.proof(first);
        let purpose = Purpose::SafetyOfPersonsAndProperty;
        let (session, password) = (first.session.clone(), text(PASSWORD));
        let ask = ExportAsk { session, requisition, windows, purpose, sealed_to: None, password, code, second };
        let answer = self.asks(ExportQuestion::Open(Box::new(ask))).unwrap();
        self.town.world.clock.pass(30);
        answer
    }

    pub fn opens(&self, requisition: RequisitionId, windows: Vec<Window>) -> ExportView {
        match self.opens_with(&self.first, self.town.proof(&self.second), requisition, windows) {
            ExportAnswer::Opened(view) => view,
            other => panic!("{other:?}"),
        }
    }

    /// Somebody who signs in when a day has passed.
    pub fn a_day_later(&self) -> AccountHolder {
        self.town.world.clock.pass(DAY);
        self.town.opened.core.tick().unwrap();
        self.signs_in_anew("garde")
    }

    pub fn signs_in_anew(&self, name: &'static str) -> AccountHolder {
        let mut first = AccountHolder { session: text(""), ..self.town.person(name, Role::MunicipalPolice) };
        let begun = self.town.proof(&first);
        self.town.world.clock.pass(30);
        let begun = PersonProof { code: first.phone.code(self.town.world.now()), ..begun };
        let signed = self.town.served.web.sign_in(begun.account, begun.password, begun.code, Default::default());
        first.session = signed.unwrap().unwrap().session;
        self.town.world.clock.pass(30);
        first
    }

    fn refusal(&self, answer: ExportAnswer) -> Vec<String> {
        match answer {
            ExportAnswer::Refused(refused) => refused.reasons.into_iter().map(|reason| reason.rule).collect(),
            other => panic!("{other:?}"),
        }
    }

    pub fn permits(&self, view: &ExportView) -> Vec<(Window, Permit)> {
        let question = ExportQuestion::Permits { session: self.first.session.clone(), export: view.export };
        match self.asks(question).unwrap() {
            ExportAnswer::Permits(permits) => permits,
            other => panic!("{other:?}"),
        }
    }

    pub fn locate(&self, stream: StreamId, span: Span) -> Vec<Located> {
        let rows = self.footage.locate(stream, span).unwrap();
        let located = |row: &catalog::Located| Located {
            reel: row.reel.reel,
            hour: row.reel.hour,
            handle: row.stream.handle,
            location: Location::from_bytes(&row.reel.location).unwrap(),
            entries: None,
            first_utc: row.stream.first_utc,
            last_utc: row.stream.last_utc,
        };
        rows.iter().map(located).collect()
    }

    pub fn replay(&self, permit: Permit, window: &Window) -> Replay<'_> {
        let stream = StreamId::main(window.camera);
        let reels = self.locate(stream, window.span);
        let keeper: &dyn Keeper = &*self.town.opened.core;
        Replay::new(keeper, &self.store, permit, stream, window.span, reels)
    }

    /// What the keeper must see of the first reel of a span.
    pub fn reel_part(&self, stream: StreamId, span: Span) -> ReelPart {
        let located = self.locate(stream, span).remove(0);
        let index = vault::store::index_of(&self.store, located.reel, &located.location, located.handle);
        let entries = index.unwrap().unwrap();
        let mut reader = self.store.reader(&located.location);
        let header = reader.header(located.reel, 0).unwrap().unwrap();
        let header = reader.read(RECORD_HEADER_BYTES as u64, header.payload_bytes.into()).unwrap();
        let mut record = |entry: &IndexEntry| reader.record(located.reel, entry).unwrap();
        let key = entries.iter().find(|entry| entry.is(Kind::Key)).unwrap();
        let key_record = record(key).split_off(RECORD_HEADER_BYTES);
        let extents = entries.iter().filter(|entry| entry.is(Kind::Extent)).map(record).collect();
        ReelPart { reel: located.reel, header, key_record, extents }
    }

    /// The package of an export, as the town makes it.
    pub fn package(&self, view: &ExportView) -> Package {
        self.package_by(view, &|permit, window, export| export(self.replay(permit, window)))
    }

    /// The same with a replay of another kind.
    pub fn package_by(&self, view: &ExportView, of: Replaying<'_>) -> Package {
        let mut package = Package::default();
        let (mut cameras, mut reels) = (Vec::new(), Vec::new());
        for (nth, (window, permit)) in self.permits(view).into_iter().enumerate() {
            let (stem, proof) = (format!("video/camera-{}", nth + 1), format!("preuves/camera-{}.jsonl", nth + 1));
            let mut done = CameraExport::default();
            of(permit, &window, &mut |replay| done = export(replay, &stem, &proof, &mut package, &|_| true).unwrap());
            reels.extend(done.reels);
            cameras.push(CameraPart {
                camera: window.camera,
                name: format!("camera {}", nth + 1),
                place: "a place".into(),
                from: window.span.from(),
                to: window.span.to(),
                proof: Some(proof),
                movies: done.movies,
                gaps: vec![],
                looked: None,
            });
        }
        reels.sort();
        reels.dedup();
        let files = package.files.iter().map(|(path, bytes)| FileLine {
            path: path.clone(),
            role: if path.starts_with("video") { FileRole::Movie } else { FileRole::Proof },
            bytes: bytes.len() as u64,
            sha256: file_digest(bytes),
        });
        let manifest = self.manifest(view, cameras, files.collect());
        let bytes = manifest.to_bytes().unwrap();
        let (session, digest) = (self.first.session.clone(), file_digest(&bytes));
        let made = ExportQuestion::Made {
            session: session.clone(),
            export: view.export,
            manifest: digest,
            files: manifest.files.len() as u32,
            bytes: 1,
        };
        assert!(matches!(self.asks(made).unwrap(), ExportAnswer::Made));
        let proof = ExportQuestion::Proof { session, export: view.export, reels, destroyed: vec![], note: None };
        assert!(matches!(self.asks(proof.clone()).unwrap(), ExportAnswer::Wait), "no batch is closed over it yet");
        self.town.opened.core.checkpoint().unwrap();
        let ExportAnswer::Proof(words) = self.asks(proof).unwrap() else { panic!("the batch is closed") };
        let entries = words.entries.into_iter().map(|entry| EntryProof {
            seq: entry.seq,
            salt: Hex(entry.salt.to_vec()),
            details: entry.details.reveal().clone(),
            path: entry.path,
        });
        let register = LogProof { format: LogProof::FORMAT, checkpoint: words.checkpoint, entries: entries.collect() };
        package.files.insert(MANIFEST.into(), bytes);
        package.files.insert(REGISTER.into(), serde_json::to_vec(&register).unwrap());
        package
    }

    fn manifest(&self, view: &ExportView, cameras: Vec<CameraPart>, files: Vec<FileLine>) -> Manifest {
        let log_key = self.town.opened.core.journal().checkpoint_key().verifier_key();
        Manifest {
            format: manifest::FORMAT,
            export: view.export,
            site: manifest::SitePart { id: SITE, name: "a town".into(), log_key },
            made: self.town.world.now(),
            ground: manifest::Ground {
                number: "2026-0001".into(),
                framework: "CPP 60-1".into(),
                authority: String::new(),
                procedure: String::new(),
            },
            cameras,
            files,
            clock: manifest::Statement::default(),
            program: manifest::ProgramPart { version: "0".into(), digest: None, law_pack: "fr".into() },
        }
    }

    pub fn verdict(&self, package: &Package) -> Verdict {
        let key = Some(self.town.opened.core.journal().checkpoint_key());
        evidence::check(package, &Trust { key, policy: None }).unwrap()
    }
}

/// Half a second of six pictures; every fourth chunk starts a group.
fn film(stream: StreamId, hour: Hour, from: UtcMicros, number: i64) -> Chunk {
    let starts = number % 4 == 0;
    let first_utc = from.plus_micros(number * 500_000);
    let frames: Vec<FrameEntry> = (0..6)
        .map(|n| FrameEntry {
            kind: if starts && n == 0 { FrameKind::Idr } else { FrameKind::Other },
            dts: MediaTicks(number * 45_000 + n * 7_500),
            pts: MediaTicks(number * 45_000 + n * 7_500),
            size: 30 + (number % 5) as u32,
        })
        .collect();
    let mut data = vec![0; frames.iter().map(|frame| frame.size as usize).sum()];
    let seed = [&stream.to_bytes()[..], &number.to_le_bytes()].concat();
    blake3::Hasher::new().update(&seed).finalize_xof().fill(&mut data);
    let config = avcc_from_sets(&[&[0x67, 0x4d, 0x40, 0x1e, 0x9a]], &[&[0x68, 0xee, 0x3c, 0x80]]).unwrap();
    let sets = ParameterSets { codec: Codec::H264, config: config.into(), width: 640, height: 360 };
    let last_utc = first_utc.plus_micros(416_666);
    Chunk { stream, hour, first_utc, last_utc, frames, parameters: starts.then_some(sets), data }
}

#[test]
fn what_two_persons_let_leave_is_found_intact_by_its_reader_and_nothing_more_leaves() {
    let desk = Desk::new(501);
    let requisition = desk.registers(desk.draft());
    let windows = vec![desk.window(1, 21, 81), desk.window(2, 30, 40)];
    let view = desk.opens(requisition, windows);
    let package = desk.package(&view);
    let verdict = desk.verdict(&package);
    assert_eq!(verdict.findings, []);
    let told = verdict.told.unwrap();
    // from the group that holds second 21, which begins at 20, to the batch that holds second 81, the next one's beginning
    assert!((61 * 12..=62 * 12 + 12 * 12).contains(&told.pictures), "{}", told.pictures);
    let movie = &told.manifest.cameras[0].movies[0];
    assert_eq!((movie.first, told.manifest.cameras[0].movies.len()), (desk.from.plus_seconds(20), 1));
    // each picture is the recorded one: the file holds the camera's own bytes, one after the other
    let file = &package.files[&movie.path];
    for number in 40..162 {
        let data = film(stream(1), HourLength::PRODUCT.hour_of(desk.from), desk.from, number).data;
        assert!(file.windows(data.len()).any(|window| window == data), "chunk {number}");
    }
    let outside = film(stream(1), HourLength::PRODUCT.hour_of(desk.from), desk.from, 39).data;
    assert!(!file.windows(outside.len()).any(|window| window == outside), "nothing before the group");
    // the log tells of both persons, of the requisition and of the package
    let events: Vec<Event> = desk.town.opened.entries().into_iter().map(|entry| entry.event).collect();
    let told = events.iter().any(|event| {
        matches!(event, Event::Export { second: Some(second), number, windows, .. }
            if second.reveal() == "chef de service" && number.ends_with("-0001") && windows.len() == 2)
    });
    let day = Span::new(desk.from.plus_seconds(-DAY), desk.town.world.now().plus_seconds(1)).unwrap();
    let own = desk.town.served.web.own_trace(desk.first.session.clone(), day, None).unwrap();
    let is_export = |done: &Done| matches!(done, Done::Exported { number, .. } if number.ends_with("-0001"));
    assert!(own.lines.iter().any(|line| is_export(&line.done)), "who did it reads it in their own trace");
    assert!(told && events.iter().any(|event| matches!(event, Event::Exported { .. })));
}

#[test]
fn a_package_whose_pictures_or_proofs_are_changed_is_refused_by_its_reader() {
    let desk = Desk::new(502);
    let requisition = desk.registers(desk.draft());
    let view = desk.opens(requisition, vec![desk.window(1, 10, 20)]);
    let package = desk.package(&view);
    assert_eq!(desk.verdict(&package).findings, []);
    for path in package.files.keys() {
        let mut changed = package.clone();
        let file = changed.files.get_mut(path).unwrap();
        let middle = file.len() / 2;
        file[middle] ^= 4;
        assert!(!desk.verdict(&changed).holds(), "{path}");
    }
    let stranger = ledger::CheckpointSigner::new("vigie/a/b", &Secret32::new([1; 32])).unwrap().public();
    let verdict = evidence::check(&package, &Trust { key: Some(stranger), policy: None }).unwrap();
    assert!(matches!(verdict.findings[0], Finding::OtherLog { .. }));
}

#[test]
fn nobody_exports_alone_more_than_is_asked_or_without_a_complete_requisition() {
    let desk = Desk::new(503);
    let requisition = desk.registers(desk.draft());
    let ten = vec![desk.window(1, 10, 20)];
    // alone
    let alone = desk.opens_with(&desk.first, desk.town.proof(&desk.second), requisition, vec![desk.window(1, 90, 101)]);
    assert_eq!(desk.refusal(alone), ["export-only-what-is-asked"]);
    let other = desk.opens_with(&desk.first, desk.town.proof(&desk.second), requisition, vec![desk.window(3, 10, 20)]);
    assert!(desk.refusal(other).contains(&"export-only-what-is-asked".to_owned()));
    let operator = desk.town.person("agent", Role::Operator);
    let refused = desk.opens_with(&desk.first, desk.town.proof(&operator), requisition, ten.clone());
    assert_eq!(desk.refusal(refused), ["export-second-person"], "an agent of L132-14-1 is no second person");
    let administrator = desk.town.person("technicien", Role::Administrator);
    let refused = desk.opens_with(&desk.first, desk.town.proof(&administrator), requisition, ten.clone());
    assert_eq!(desk.refusal(refused), ["export-second-person"]);
    let wrong = PersonProof { password: text("another password"), ..desk.town.proof(&desk.second) };
    let denied = desk.opens_with(&desk.first, wrong, requisition, ten.clone());
    assert!(matches!(denied, ExportAnswer::Denied { .. }), "{denied:?}");
    // who may not even register
    for person in [&operator, &administrator] {
        let (session, says) = (person.session.clone(), Box::new(desk.draft()));
        let refused = desk.asks(ExportQuestion::Register { session, known: None, says });
        assert!(matches!(refused, Err(KeeperError::Forbidden { .. })), "{refused:?}");
    }
    // incomplete
    let bare = desk.registers(RequisitionFacts { genuine: None, procedure: String::new(), ..desk.draft() });
    let answer = desk.opens_with(&desk.first, desk.town.proof(&desk.second), bare, ten.clone());
    let ExportAnswer::Incomplete(lacks) = answer else { panic!("{answer:?}") };
    assert_eq!(lacks.iter().map(|lack| lack.field.as_str()).collect::<Vec<_>>(), ["procedure", "genuine"]);
    // what is refused is in the ledger
    let refusals = desk
        .town
        .opened
        .entries()
        .into_iter()
        .filter(|entry| matches!(&entry.event, Event::Refusal { action, .. } if action == "export-requisition"));
    assert_eq!(refusals.count(), 4);
}

#[test]
fn an_oral_requisition_that_nobody_confirmed_in_a_day_lets_nothing_leave() {
    let desk = Desk::new(504);
    let requisition = desk.registers(desk.draft());
    desk.opens(requisition, vec![desk.window(1, 10, 20)]);
    let first = desk.a_day_later();
    let answer = desk.opens_with(&first, desk.town.proof(&desk.second), requisition, vec![desk.window(1, 10, 20)]);
    let ExportAnswer::Incomplete(lacks) = answer else { panic!("{answer:?}") };
    assert_eq!(lacks[0].field, "scan");
}

#[test]
fn numbers_of_the_register_have_no_gap_and_a_completed_requisition_keeps_its_own() {
    let desk = Desk::new(505);
    let first = desk.registers(desk.draft());
    desk.registers(desk.draft());
    let (session, says) = (desk.first.session.clone(), Box::new(desk.draft()));
    let known = Some(first);
    let again = desk.asks(ExportQuestion::Register { session: session.clone(), known, says }).unwrap();
    let ExportAnswer::Registered { label, .. } = again else { panic!("{again:?}") };
    assert!(label.ends_with("-0001"), "{label}");
    let ExportAnswer::Requisitions(views, _) =
        desk.asks(ExportQuestion::Requisitions { session, before: None }).unwrap()
    else {
        panic!("the register")
    };
    let told: Vec<(u32, u32)> = views.iter().map(|view| (view.requisition.number, view.version)).collect();
    assert_eq!(told, [(2, 1), (1, 2)]);
}

#[test]
fn a_permit_to_hand_over_opens_its_own_window_and_no_look() {
    let desk = Desk::new(506);
    let requisition = desk.registers(desk.draft());
    let view = desk.opens(requisition, vec![desk.window(1, 10, 20)]);
    let (window, permit) = desk.permits(&view).remove(0);
    // another camera, a wider span
    for other in [desk.window(2, 10, 20), desk.window(1, 10, 60)] {
        let refused = desk.replay(permit.clone(), &other).next_reel();
        assert!(matches!(refused, Err(ReplayError::Keeper(KeeperError::NoPermit))), "{other:?}");
    }
    let forged = Permit { view: View::Export(desk.window(1, 0, 100).span), ..permit.clone() };
    assert!(matches!(desk.replay(forged, &window).next_reel(), Err(ReplayError::Keeper(KeeperError::NoPermit))));
    // nobody gets one by looking
    let asked = Ask { view: View::Export(window.span), ..ask(View::Live, &[1]) };
    let refused = desk.town.served.web.pass(&desk.first.session, &asked);
    assert!(matches!(refused, Err(KeeperError::Malformed { .. })), "{refused:?}");
    // nor by another's export
    let question = ExportQuestion::Permits { session: desk.second.session.clone(), export: view.export };
    assert_eq!(desk.asks(question).unwrap_err(), KeeperError::NoPermit);
    // a sign-out ends it
    assert!(desk.replay(permit.clone(), &window).next_reel().is_ok());
    desk.town.served.web.sign_out(&desk.first.session).unwrap();
    assert!(matches!(desk.replay(permit, &window).next_reel(), Err(ReplayError::Keeper(KeeperError::NoPermit))));
}

pub fn delivery(desk: &Desk, view: &ExportView) -> Delivery {
    Delivery {
        export: view.export,
        at: desk.town.world.now(),
        medium: "clé USB n° 1".into(),
        key_means: "téléphone".into(),
        recipient: text("text"),
        quality: "OPJ".into(),
        receipt: None,
        copies: 1,
        notes: text(""),
    }
}

#[test]
fn what_was_handed_over_is_in_the_register_and_is_never_made_anew() {
    let desk = Desk::new(507);
    let requisition = desk.registers(desk.draft());
    let view = desk.opens(requisition, vec![desk.window(1, 10, 20)]);
    let session = desk.first.session.clone();
    let deliver = |delivery: Delivery| {
        let delivery = Box::new(delivery);
        desk.asks(ExportQuestion::Deliver { session: session.clone(), requisition, delivery })
    };
    let early = deliver(delivery(&desk, &view)).unwrap_err();
    assert!(matches!(&early, KeeperError::Malformed { what } if what.contains("no package")), "{early:?}");
    desk.package(&view);
    let future = Delivery { at: desk.town.world.now().plus_seconds(60), ..delivery(&desk, &view) };
    let unsaid = Delivery { recipient: text(" "), ..delivery(&desk, &view) };
    let unkept = Delivery { receipt: Some([9; 32]), ..delivery(&desk, &view) };
    for wrong in [future, unsaid, unkept] {
        assert!(matches!(deliver(wrong), Err(KeeperError::Malformed { .. })));
    }
    let destroyed =
        || desk.asks(ExportQuestion::CopyDestroyed { session: session.clone(), export: view.export, bytes: 6 });
    assert!(matches!(destroyed(), Err(KeeperError::Malformed { .. })), "not before");
    deliver(delivery(&desk, &view)).unwrap();
    assert!(matches!(deliver(delivery(&desk, &view)), Err(KeeperError::Malformed { .. })), "once");
    let told = |at: usize| matches!(desk.town.opened.entries()[at].event, Event::CopyDestroyed { bytes: 6, .. });
    for _ in 0..2 {
        assert!(matches!(destroyed(), Ok(ExportAnswer::Made)));
    }
    let last = desk.town.opened.entries().len() - 1;
    assert!(told(last) && !told(last - 1), "entered once, however often it is told");
    let again = desk.asks(ExportQuestion::Permits { session: session.clone(), export: view.export });
    assert_eq!(again.unwrap_err(), KeeperError::NoPermit);
    // what is written over it keeps it
    let (known, says) = (Some(requisition), Box::new(desk.draft()));
    desk.asks(ExportQuestion::Register { session: session.clone(), known, says }).unwrap();
    let ExportAnswer::Requisitions(views, _) =
        desk.asks(ExportQuestion::Requisitions { session, before: None }).unwrap()
    else {
        panic!("the register")
    };
    assert_eq!((views[0].version, views[0].requisition.says.deliveries.len()), (3, 1));
}

#[test]
fn a_refusal_says_why_has_its_letter_and_lets_nothing_leave_until_it_is_lifted() {
    let desk = Desk::new(508);
    let requisition = desk.registers(desk.draft());
    let session = desk.first.session.clone();
    let answers = |outcome, ground, reason: &str| {
        let (session, reason) = (session.clone(), text(reason));
        desk.asks(ExportQuestion::Answer { session, requisition, outcome, ground, reason })
    };
    for (ground, reason) in [(None, "une raison qui suffit"), (Some(Ground::NoAuthority), "bref")] {
        assert!(matches!(answers(Outcome::Refused, ground, reason), Err(KeeperError::Malformed { .. })), "{reason}");
    }
    for (outcome, ground) in [
        (Outcome::Negative, Ground::NoAuthority),
        (Outcome::Refused, Ground::Destroyed),
        (Outcome::Negative, Ground::Destroyed), // it lives
    ] {
        assert!(matches!(answers(outcome, Some(ground), "une raison qui suffit"), Err(KeeperError::Malformed { .. })));
    }
    answers(Outcome::Refused, Some(Ground::NoAuthority), "une assurance le demande").unwrap();
    let view = || match desk.asks(ExportQuestion::Requisitions { session: session.clone(), before: None }).unwrap() {
        ExportAnswer::Requisitions(mut views, _) => views.remove(0),
        other => panic!("{other:?}"),
    };
    let letter = view().letter.unwrap().0.join(" ");
    assert!(letter.contains("une assurance le demande") && letter.contains("R253-6"), "{letter}");
    let windows = vec![desk.window(1, 10, 20)];
    let refused = desk.opens_with(&desk.first, desk.town.proof(&desk.second), requisition, windows.clone());
    assert_eq!(desk.refusal(refused), ["export-requisition-refused"]);
    answers(Outcome::Whole, Some(Ground::Other), "").unwrap();
    assert_eq!((view().letter, view().requisition.says.answer.unwrap().ground), (None, None));
    desk.opens(requisition, windows);
    // another office has no word in it
    let session = desk.town.person("déléguée", Role::Dpo).session;
    let reason = text("");
    let strangers = ExportQuestion::Answer { session, requisition, outcome: Outcome::Whole, ground: None, reason };
    assert!(matches!(desk.asks(strangers), Err(KeeperError::Forbidden { .. })));
}

#[test]
fn a_checkpoint_that_witnesses_cosigned_is_what_a_package_is_proved_under() {
    let desk = Desk::new(509);
    let requisition = desk.registers(desk.draft());
    let view = desk.opens(requisition, vec![desk.window(1, 10, 20)]);
    let package = desk.package(&view);
    let register: LogProof = serde_json::from_slice(&package.files[REGISTER]).unwrap();
    let witness = WitnessSigner::new("w1.example", &Secret32::new([1; 32])).unwrap();
    let line = witness.cosign(register.checkpoint.as_bytes(), 1_773_324_000).unwrap();
    let cosigned = String::from_utf8(with_lines(register.checkpoint.as_bytes(), &[line])).unwrap();
    let asks = |note: Option<String>| {
        let (session, export) = (desk.first.session.clone(), view.export);
        desk.asks(ExportQuestion::Proof { session, export, reels: vec![], destroyed: vec![], note })
    };
    let ExportAnswer::Proof(words) = asks(Some(cosigned.clone())).unwrap() else { panic!("it covers everything") };
    assert_eq!(words.checkpoint, cosigned);
    // a note that is not this log's, or of a tree that this log never had
    let other = CheckpointSigner::new("vigie/a/b", &Secret32::new([7; 32])).unwrap();
    let forged = other.sign(Checkpoint { size: 1, root: Digest([4; 32]) }).unwrap();
    for wrong in [String::from_utf8(forged).unwrap(), "words".into()] {
        assert!(matches!(asks(Some(wrong)), Err(KeeperError::Malformed { .. })));
    }
    // and its reader is told who attests it
    let register = LogProof { checkpoint: cosigned, ..register };
    let mut package = package;
    package.files.insert(REGISTER.into(), serde_json::to_vec(&register).unwrap());
    let policy = format!("witness w1 {}\nquorum w1\n", witness.public().verifier_key());
    let key = Some(desk.town.opened.core.journal().checkpoint_key());
    let trust = Trust { key, policy: Some(WitnessPolicy::parse(policy.as_bytes()).unwrap()) };
    let verdict = evidence::check(&package, &trust).unwrap();
    assert_eq!((verdict.findings, verdict.told.unwrap().witnesses), (vec![], Some(vec!["w1".to_owned()])));
}

#[test]
fn a_package_tells_how_often_and_by_how_many_its_pictures_were_looked_at_before() {
    let desk = Desk::new(510);
    let web = &desk.town.served.web;
    let looks = |session, view, camera| web.pass(session, &ask(view, &[camera])).unwrap();
    let span = |from: i64, to: i64| desk.window(1, from, to).span;
    looks(&desk.first.session, View::Replay(span(5, 15)), 1);
    looks(&desk.first.session, View::Replay(span(19, 30)), 1);
    looks(&desk.second.session, View::Replay(span(0, 100)), 1);
    // beside it: another time, another camera, live pictures of now
    looks(&desk.second.session, View::Replay(span(20, 30)), 1);
    looks(&desk.second.session, View::Replay(span(10, 20)), 2);
    looks(&desk.second.session, View::Live, 1);
    let requisition = desk.registers(desk.draft());
    let view = desk.opens(requisition, vec![desk.window(1, 10, 20), desk.window(2, 30, 40)]);
    let question = ExportQuestion::Facts { session: desk.first.session.clone(), export: view.export };
    let ExportAnswer::Facts(facts) = desk.asks(question).unwrap() else { panic!("facts") };
    let told: Vec<_> = facts.cameras.iter().map(|window| (window.past, window.live, window.persons)).collect();
    assert_eq!(told, [(3, 0, 2), (0, 0, 0)]);
    assert!(facts.clock_fr.contains("s'accordaient") && facts.number.ends_with("-0001"), "{facts:?}");
}

#[test]
fn what_came_out_since_two_persons_allowed_it_stops_an_export() {
    let desk = Desk::new(511);
    let session = desk.first.session.clone();
    let opens = |export| desk.asks(ExportQuestion::Permits { session: session.clone(), export });
    let changes = |known, change: &dyn Fn(&mut RequisitionFacts)| {
        let mut says = desk.draft();
        change(&mut says);
        let says = Box::new(says);
        desk.asks(ExportQuestion::Register { session: session.clone(), known: Some(known), says }).unwrap();
    };
    let requisition = desk.registers(desk.draft());
    let export = desk.opens(requisition, vec![desk.window(1, 10, 20)]).export;
    assert!(opens(export).is_ok());
    // a camera that was not asked for after all
    changes(requisition, &|says| says.windows.remove(0).camera.0.fill(0));
    assert_eq!(opens(export).unwrap_err(), KeeperError::NoPermit);
    changes(requisition, &|_| {});
    assert!(opens(export).is_ok());
    // the call back that was none
    changes(requisition, &|says| says.genuine = None);
    assert_eq!(opens(export).unwrap_err(), KeeperError::NoPermit);
    changes(requisition, &|_| {});
    let refusal = ExportQuestion::Answer {
        session: session.clone(),
        requisition,
        outcome: Outcome::Refused,
        ground: Some(Ground::NoAuthority),
        reason: text("un faux"),
    };
    assert!(desk.asks(refusal.clone()).is_err(), "too short a word");
    let ExportQuestion::Answer { session: by, requisition, outcome, ground, .. } = refusal else { unreachable!() };
    let reason = text("une réquisition qui est un faux");
    desk.asks(ExportQuestion::Answer { session: by, requisition, outcome, ground, reason }).unwrap();
    assert_eq!(opens(export).unwrap_err(), KeeperError::NoPermit);
}

#[test]
fn an_oral_requisition_that_is_entered_again_each_day_gets_no_new_day() {
    let desk = Desk::new(512);
    let session = desk.first.session.clone();
    let ahead = RequisitionFacts { received: desk.town.world.now().plus_seconds(60), ..desk.draft() };
    let question = ExportQuestion::Register { session: session.clone(), known: None, says: Box::new(ahead) };
    assert!(matches!(desk.asks(question), Err(KeeperError::Malformed { .. })), "received later than now");
    let requisition = desk.registers(desk.draft());
    let session = desk.a_day_later().session;
    let again = ExportQuestion::Register { session, known: Some(requisition), says: Box::new(desk.draft()) };
    let ExportAnswer::Registered { lacks, .. } = desk.asks(again).unwrap() else { panic!("a further version") };
    assert_eq!(lacks.iter().map(|lack| lack.field.as_str()).collect::<Vec<_>>(), ["scan"]);
}

#[test]
fn a_page_that_asks_by_itself_how_a_package_stands_keeps_no_session_open() {
    let desk = Desk::new(513);
    let requisition = desk.registers(desk.draft());
    let export = desk.opens(requisition, vec![desk.window(1, 10, 20)]).export;
    let session = desk.first.session.clone();
    let asks = || desk.asks(ExportQuestion::View { session: session.clone(), export });
    assert!(matches!(asks().unwrap(), ExportAnswer::Opened(view) if view.is_own));
    let minutes = (1..=IDLE_MINUTES + 1).find(|_| {
        desk.town.world.clock.pass(60);
        asks().is_err()
    });
    assert!(minutes.is_some(), "it locks although a page asks each minute");
    assert_eq!(asks().unwrap_err(), KeeperError::NoSession);
}

#[test]
fn nobody_is_told_that_what_was_not_asked_for_is_destroyed() {
    let desk = Desk::new(514);
    let requisition = desk.registers(RequisitionFacts { windows: vec![], ..desk.draft() });
    let answer = ExportQuestion::Answer {
        session: desk.first.session.clone(),
        requisition,
        outcome: Outcome::Negative,
        ground: Some(Ground::Destroyed),
        reason: text("tout est détruit, dit-on"),
    };
    assert!(matches!(desk.asks(answer), Err(KeeperError::Malformed { .. })));
    let long = Span::new(desk.from, desk.from.plus_seconds(400 * 86_400)).unwrap();
    let windows = vec![Window { camera: camera(1), span: long }];
    let says = Box::new(RequisitionFacts { windows, ..desk.draft() });
    let question = ExportQuestion::Register { session: desk.first.session.clone(), known: None, says };
    assert!(matches!(desk.asks(question), Err(KeeperError::Malformed { .. })), "a window of more than a day");
}
