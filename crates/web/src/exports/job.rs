//! Making a package: pictures and proofs of each window, the player, the manifest, the log's word, in one sealed file.
//!
//! 1 an empty file, named as a part · 2 each window: once its reels are closed its pictures, its proofs, its gaps · 2a viewing copies of what browsers cannot
//! play, if somebody makes them · 3 player and words for the reader · 3a the printed report, if somebody prints · 4 manifest ·
//! 5 entry *exported* with its digest, durable · 6 the log's proofs, once its batch is closed · 7 their timestamp, if the town has an authority
//! for it that answers · 8 the file is whole and durable · 9 its name says so
//!
//! A crash before 9 leaves a part, which nobody opens and the next start removes; the two persons' permission stands until its end, and the
//! package is made anew. A crash after 5 leaves an entry of a package that never was: the next one has its own.

use super::{
    PLAYER, READ_ME,
    archive::Archive,
    gaps::{Known, gaps, openable},
    packages::Running,
    read_me,
    report::{self, REPORT},
    sealed::{SealTo, Sealed, SealedFile},
    stamp::{StampError, Stamping, stamp},
};
use crate::{
    console,
    problem::{self, Problem, Text},
    server::Web,
};
use domain::{CameraId, ExportId, HoldId, Hour, ReelId, Span, StreamId, UtcMicros, Window, limit::NOTE_BYTES_MAX};
use evidence::{
    CameraPart, Digest, EntryProof, FileRole, Hex, LogProof, Looked, MANIFEST, Manifest, REGISTER, file_digest,
    manifest::{self, FileSum, Ground, ProgramPart, SitePart, Statement},
    stamp::StampFiles,
};
use keeper::wire::{
    FateState, HourFate,
    exports::{ExportAnswer, ExportFacts, ExportQuestion, LogWords},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Read},
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};
use tokio::runtime::Handle;
use vault::{
    Keeper, KeeperError, LocalStore, StoreError,
    export::{CameraExport, ExportError, SinkError, export},
    hold::{HeldKeeper, HeldReel, HoldError, Reserve},
    keeper::{Permit, SessionSecret},
    replay::{Replay, ReplayError},
    service::{Located, RecorderAnswer, RecorderAsk, Timeline},
};

/// A batch of the log closes within a minute (L4).
const LOG_AGAIN: Duration = Duration::from_secs(2);
const LOG_PATIENCE: u32 = 150;
/// Witnesses are asked each minute.
const WITNESS_PATIENCE: u32 = 90;
/// Entries that the keeper proves in one answer: of reels, and of dead hours, each of which names all its cameras.
const ENTRIES_AT_ONCE: usize = 512;
const HOURS_AT_ONCE: usize = 16;

/// All that one package is made of.
pub struct Job {
    pub web: Arc<Web>,
    pub store: Arc<LocalStore>,
    pub session: SessionSecret,
    pub export: ExportId,
    pub facts: ExportFacts,
    pub permits: Vec<(Window, Permit)>,
    pub to: SealTo,
    pub running: Arc<Running>,
    pub runtime: Handle,
}

/// Footage of one window in the reserve.
struct Held {
    hold: HoldId,
    reserve: Reserve,
    reels: Vec<HeldReel>,
}

/// Where one window's pictures come from.
pub(super) struct Source {
    nth: usize,
    stream: StreamId,
    span: Span,
    located: Vec<Located>,
    held: Option<Held>,
}

/// What the log has to tell of.
#[derive(Default)]
struct Proved {
    reels: BTreeSet<ReelId>,
    destroyed: BTreeSet<(CameraId, Hour)>,
}

/// Reels and dead hours that are asked for at once.
type Part = (Vec<ReelId>, Vec<(CameraId, Hour)>);

/// Why no package came of it.
pub enum Halt {
    Cancelled,
    Problem(&'static Text),
}

impl Job {
    /// On a thread of its own: keeper and disks block.
    pub fn run(self) -> Result<Sealed, Halt> {
        let (part, whole) = self.running.paths();
        let made = self.make();
        let sealed = match made {
            Ok(sealed) => sealed,
            Err(halt) => {
                drop(fs::remove_file(&part)); // what stays is swept at the next start
                return Err(halt);
            }
        };
        fs::rename(&part, &whole).map_err(|error| self.disk(&error))?; // 9
        if let Some(folder) = whole.parent() {
            fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| self.disk(&error))?;
        }
        if self.running.is_cancelled() {
            drop(fs::remove_file(&whole));
            return Err(Halt::Cancelled);
        }
        Ok(sealed)
    }

    fn make(&self) -> Result<Sealed, Halt> {
        let (part, _) = self.running.paths();
        let file = fs::File::create(&part).map_err(|error| self.disk(&error))?; // 1
        let sealed = SealedFile::begin(file, &self.to, &*self.web.random).map_err(|error| self.disk(&error))?;
        let now = self.web.clock.utc();
        let mut archive = Archive::new(sealed, now);
        let (mut cameras, mut sources, mut proved) = (Vec::new(), Vec::new(), Proved::default());
        for nth in 0..self.permits.len() {
            let (camera, source) = self.camera(nth, &mut archive, &mut proved)?; // 2
            cameras.push(camera);
            sources.push(source);
        }
        self.copies(&mut cameras, &sources, &mut archive)?; // 2a
        let mut manifest = self.manifest(cameras, now);
        // all that the page has to know of files
        let copies = archive.lines().iter().filter(|line| line.role == FileRole::ViewingCopy);
        manifest.files = copies.cloned().collect();
        let page = console::player(&manifest).ok_or(Halt::Problem(&problem::EXPORT_NO_PLAYER))?;
        archive.put(PLAYER, &page)?; // 3
        archive.put(READ_ME, read_me(&manifest).as_bytes())?;
        manifest.files = archive.lines().to_vec();
        match report::printed(&self.web, &manifest) {
            Some(pdf) => archive.put(REPORT, &pdf)?,
            None => self.web.packages.lacks_report(self.export),
        } // 3a
        manifest.files = archive.lines().to_vec();
        let bytes = manifest.to_bytes().map_err(|error| self.failed(&error))?;
        archive.put(MANIFEST, &bytes)?; // 4
        self.running.waits_for_log();
        let log = self.log(&manifest, &bytes, &proved)?; // 5, 6
        let register = serde_json::to_vec(&log).map_err(|error| self.failed(&error))?;
        archive.put(REGISTER, &register)?;
        for (path, bytes) in self.timestamp(&register)?.iter().flat_map(StampFiles::files) {
            archive.put(&path, bytes)?; // 7
        }
        Ok(archive.finish()?) // 8
    }

    /// One window's files.
    fn camera(&self, nth: usize, archive: &mut Archive, proved: &mut Proved) -> Result<(CameraPart, Source), Halt> {
        let (window, _) = &self.permits[nth];
        let stream = StreamId::main(window.camera);
        let span = self.until_now(window);
        let held = self.held(nth, stream, span)?;
        let located = match &held {
            Some(held) => held.reels.iter().map(|reel| reel.located.clone()).collect(),
            // dead reels are known until their space is freed: they are gaps, and no reason to hand over nothing
            None => openable(self.locate(stream, span)?, &self.fates(window)?),
        };
        let located = self.closed(nth, (stream, span), located, held.is_some())?;
        let recorded: Vec<_> = located.iter().map(|reel| (reel.first_utc, reel.last_utc)).collect();
        let source = Source { nth, stream, span, located, held };
        let (stem, proof) = (format!("video/camera-{}", nth + 1), format!("preuves/camera-{}.jsonl", nth + 1));
        let go_on = |done: &CameraExport| {
            self.running.at(nth, share(window, done));
            !self.running.is_cancelled()
        };
        let exported = self.replayed(&source, |replay| export(replay, &stem, &proof, archive, &go_on));
        let done = exported.map_err(|error| self.halt(error))?;
        // of what is held the hour's death says nothing: its pictures are here, and what is missing was never held or never there
        let fates = if source.held.is_some() { Vec::new() } else { self.fates(window)? };
        let timeline = self.timeline(stream, window)?;
        let gaps = gaps(&Known {
            window,
            covered: &done.covered,
            noted: &timeline.gaps,
            fates: &fates,
            recorded: &recorded,
            now: self.web.clock.utc(),
        });
        let known = self.facts.cameras.get(nth).cloned().unwrap_or_default();
        let dead = fates.iter().filter(|fate| fate.state == FateState::Destroyed);
        proved.destroyed.extend(dead.map(|fate| (window.camera, fate.hour)));
        let camera = CameraPart {
            camera: window.camera,
            name: known.name,
            place: known.place,
            from: window.span.from(),
            to: window.span.to(),
            proof: (!done.reels.is_empty()).then_some(proof),
            movies: done.movies,
            gaps,
            looked: Some(Looked { past: known.past, live: known.live, persons: known.persons }),
        };
        proved.reels.extend(done.reels);
        Ok((camera, source))
    }

    /// Does something with the pictures of a window, from where they are.
    pub(super) fn replayed<T>(&self, source: &Source, does: impl FnOnce(Replay<'_>) -> T) -> T {
        let live: &dyn Keeper = &*self.web.keeper;
        let permit = self.permits[source.nth].1.clone();
        let located = source.located.clone();
        match &source.held {
            Some(held) => {
                let keeper = HeldKeeper { keeper: live, hold: held.hold, held: &held.reels };
                does(Replay::new(&keeper, &held.reserve.store, permit, source.stream, source.span, located))
            }
            None => does(Replay::new(live, &self.store, permit, source.stream, source.span, located)),
        }
    }

    /// What of a window lies in the reserve, where all of it does: its own hours may be dead.
    fn held(&self, nth: usize, stream: StreamId, span: Span) -> Result<Option<Held>, Halt> {
        let hold = self.facts.cameras.get(nth).and_then(|facts| facts.held);
        let Some((hold, place)) = hold.zip(self.web.reserve.as_ref()) else { return Ok(None) };
        let read = || {
            let reserve = place.read()?;
            let reels = reserve.of(hold, stream, span)?;
            Ok(Held { hold, reserve, reels })
        };
        read().map(Some).map_err(|error: HoldError| {
            tracing::warn!(%error, "the reserve cannot be read");
            Halt::Problem(&problem::STORE_AWAY)
        })
    }

    /// The reels of a window, when all of them are closed and entered: what a reel holds is told by its end, within a minute.
    fn closed(
        &self,
        nth: usize,
        (stream, span): (StreamId, Span),
        mut located: Vec<Located>,
        is_held: bool,
    ) -> Result<Vec<Located>, Halt> {
        for turn in 0..LOG_PATIENCE {
            if turn > 0 && !is_held {
                located = openable(self.locate(stream, span)?, &self.fates(&self.permits[nth].0)?);
            }
            let mut closed = true;
            for part in located.chunks(ENTRIES_AT_ONCE) {
                let reels = part.iter().map(|reel| reel.reel).collect();
                let ask = ExportQuestion::Closed { session: self.session.clone(), export: self.export, reels };
                closed &= matches!(self.ask(ask)?, ExportAnswer::Made);
            }
            if closed {
                self.running.at(nth, 0);
                return Ok(located);
            }
            self.running.waits_for_reels();
            self.pause()?;
        }
        Err(Halt::Problem(&problem::EXPORT_LOG_WAITS))
    }

    /// Until something is asked again; ends at once for who stops it.
    fn pause(&self) -> Result<(), Halt> {
        thread::sleep(LOG_AGAIN);
        if self.running.is_cancelled() { Err(Halt::Cancelled) } else { Ok(()) }
    }

    fn manifest(&self, cameras: Vec<CameraPart>, made: UtcMicros) -> Manifest {
        let facts = self.facts.clone();
        Manifest {
            format: manifest::FORMAT,
            export: self.export,
            site: SitePart { id: facts.site, name: facts.site_name, log_key: facts.log_key },
            made,
            ground: Ground {
                number: facts.number,
                framework: facts.framework,
                authority: facts.authority,
                procedure: facts.procedure,
            },
            cameras,
            files: Vec::new(),
            clock: Statement { fr: facts.clock_fr, en: facts.clock_en },
            program: ProgramPart {
                version: self.web.version.clone(),
                digest: program_digest(),
                law_pack: facts.law_pack,
            },
        }
    }

    /// 1 entry *exported* · 2 the entries of reels and export, all under one checkpoint
    fn log(&self, manifest: &Manifest, bytes: &[u8], proved: &Proved) -> Result<LogProof, Halt> {
        let made = ExportQuestion::Made {
            session: self.session.clone(),
            export: self.export,
            manifest: file_digest(bytes),
            files: u32::try_from(manifest.files.len()).unwrap_or(u32::MAX),
            bytes: manifest.files.iter().map(|file| file.bytes).sum(),
        };
        self.ask(made)?; // 1
        for nth in 0..LOG_PATIENCE {
            // witnesses that are away do not keep a package back for ever: what is missing its reader sees
            let note = if nth < WITNESS_PATIENCE { self.cosigned() } else { None };
            let waits = self.web.cosigned.is_some() && nth < WITNESS_PATIENCE && note.is_none();
            if !waits && let Some(proof) = self.proof(proved, note)? {
                return Ok(proof); // 2
            }
            self.pause()?;
        }
        Err(Halt::Problem(&problem::EXPORT_LOG_WAITS))
    }

    /// `None`: the town has no authority for it, or nothing came of it, which whoever makes the package is told; the package is whole without.
    fn timestamp(&self, register: &[u8]) -> Result<Option<StampFiles>, Halt> {
        let Some(config) = &self.web.timestamp else { return Ok(None) };
        self.running.waits_for_timestamp();
        let mut chance = [0; 8];
        self.web.random.fill(&mut chance);
        let asked = stamp(config, register, chance, &|| !self.running.is_cancelled()).ok_or(Halt::Cancelled)?;
        if let Err(error) = &asked {
            tracing::warn!(%error, "a package has no timestamp");
        }
        self.running.stamped(asked.as_ref().map_or_else(StampError::stamping, |_| Stamping::Made));
        Ok(asked.ok())
    }

    /// The newest note that witnesses cosigned.
    fn cosigned(&self) -> Option<String> {
        let path = self.web.cosigned.as_ref()?;
        let file = fs::File::open(path).ok()?;
        let mut note = String::new();
        file.take(NOTE_BYTES_MAX as u64).read_to_string(&mut note).ok()?;
        Some(note)
    }

    /// `None`: not yet, or another checkpoint was published between two answers.
    fn proof(&self, proved: &Proved, note: Option<String>) -> Result<Option<LogProof>, Halt> {
        let (mut checkpoint, mut entries) = (None, BTreeMap::new());
        for (reels, destroyed) in proved.parts() {
            let (session, export, note) = (self.session.clone(), self.export, note.clone());
            let ask = ExportQuestion::Proof { session, export, reels, destroyed, note };
            let ExportAnswer::Proof(LogWords { checkpoint: note, entries: told }) = self.ask(ask)? else {
                return Ok(None);
            };
            if checkpoint.get_or_insert_with(|| note.clone()) != &note {
                return Ok(None);
            }
            entries.extend(told.into_iter().map(|entry| (entry.seq, entry)));
        }
        let entries = entries.into_values().map(|entry| EntryProof {
            seq: entry.seq,
            salt: Hex(entry.salt.to_vec()),
            details: entry.details.reveal().clone(),
            path: entry.path,
        });
        let checkpoint = checkpoint.unwrap_or_default();
        Ok(Some(LogProof { format: LogProof::FORMAT, checkpoint, entries: entries.collect() }))
    }

    fn ask(&self, question: ExportQuestion) -> Result<ExportAnswer, Halt> {
        self.web.keeper.export(question).map_err(|error| self.keeper(error))
    }

    /// What of a window has passed when its turn comes: what is still to be recorded is told as such.
    fn until_now(&self, window: &Window) -> Span {
        let (from, to) = (window.span.from(), window.span.to());
        Span::new(from, to.min(self.web.clock.utc()).max(from)).unwrap_or(window.span)
    }

    fn locate(&self, stream: StreamId, span: Span) -> Result<Vec<Located>, Halt> {
        if span.micros() == 0 {
            return Ok(Vec::new());
        }
        match self.recorder(&RecorderAsk::Locate { stream, span })? {
            RecorderAnswer::Located(reels) => Ok(reels),
            _ => Err(Halt::Problem(&problem::RECORDER_AWAY)),
        }
    }

    fn timeline(&self, stream: StreamId, window: &Window) -> Result<Timeline, Halt> {
        match self.recorder(&RecorderAsk::Timeline { stream, span: window.span })? {
            RecorderAnswer::Timeline(timeline) => Ok(timeline),
            _ => Err(Halt::Problem(&problem::RECORDER_AWAY)),
        }
    }

    fn recorder(&self, ask: &RecorderAsk) -> Result<RecorderAnswer, Halt> {
        let answer = self.runtime.block_on(self.web.recorder.ask(ask));
        answer.map_err(|error| Halt::Problem(Problem::from(error).text))
    }

    fn fates(&self, window: &Window) -> Result<Vec<HourFate>, Halt> {
        let told = self.web.keeper.see_hours(&self.session, window.camera, window.span);
        told.map_err(|error| self.keeper(error))
    }

    fn halt(&self, error: ExportError) -> Halt {
        match error {
            ExportError::Ended => Halt::Cancelled,
            ExportError::Replay(ReplayError::Keeper(error)) => self.keeper(error),
            // its deadline came while it was being made
            ExportError::Replay(ReplayError::Store(StoreError::Gone) | ReplayError::OtherReel { .. }) => {
                Halt::Problem(&problem::CLOSED)
            }
            ExportError::Replay(ReplayError::Store(StoreError::RootAway { .. })) => Halt::Problem(&problem::STORE_AWAY),
            ExportError::Sink(error) => error.into(),
            error => self.failed(&error),
        }
    }

    /// Permits end with the session: another sign-in goes on with the same permission.
    fn keeper(&self, error: KeeperError) -> Halt {
        match error {
            KeeperError::NoPermit | KeeperError::NoSession => Halt::Problem(&problem::EXPORT_SESSION_ENDED),
            error => Halt::Problem(Problem::from(error).text),
        }
    }

    fn failed(&self, error: &dyn std::error::Error) -> Halt {
        tracing::warn!(%error, "a package was not made");
        Halt::Problem(&problem::FAILED)
    }

    fn disk(&self, error: &io::Error) -> Halt {
        tracing::warn!(%error, "the folder of packages cannot be written");
        Halt::Problem(&problem::EXPORT_DISK)
    }
}

impl From<SinkError> for Halt {
    fn from(error: SinkError) -> Halt {
        tracing::warn!(%error, "a package was not made");
        Halt::Problem(&problem::EXPORT_DISK)
    }
}

impl Proved {
    /// What is asked for at once; an export of a time without footage has its own entries still.
    fn parts(&self) -> Vec<Part> {
        let reels: Vec<ReelId> = self.reels.iter().copied().collect();
        let destroyed: Vec<(CameraId, Hour)> = self.destroyed.iter().copied().collect();
        let of_reels = reels.chunks(ENTRIES_AT_ONCE).map(|part| (part.to_vec(), vec![]));
        let of_hours = destroyed.chunks(HOURS_AT_ONCE).map(|part| (vec![], part.to_vec()));
        let parts: Vec<_> = of_reels.chain(of_hours).collect();
        if parts.is_empty() { vec![(vec![], vec![])] } else { parts }
    }
}

/// SHA-256 of this program's file, read once in a process.
fn program_digest() -> Option<Digest> {
    static DIGEST: OnceLock<Option<Digest>> = OnceLock::new();
    *DIGEST.get_or_init(|| {
        let mut file = fs::File::open(std::env::current_exe().ok()?).ok()?;
        let (mut sum, mut part) = (FileSum::default(), vec![0; 1 << 20]);
        loop {
            match file.read(&mut part).ok()? {
                0 => return Some(sum.finish()),
                bytes => sum.update(&part[..bytes]),
            }
        }
    })
}

/// Of 1000: how far the window's pictures are written.
fn share(window: &Window, done: &CameraExport) -> u32 {
    let until = done.covered.last().map_or(window.span.from(), |(_, last)| *last);
    let part = until.since(window.span.from()).clamp(0, window.span.micros().max(1));
    u32::try_from(part.saturating_mul(1_000) / window.span.micros().max(1)).unwrap_or(1_000)
}
