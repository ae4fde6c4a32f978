//! What the recorder answers to the web role on its socket: where footage lies, what exists, live frames (P5, R10).

use crate::{clerk::LivePermits, health::GapCause};
use catalog::{CatalogError, Footage, ReelRow, StreamRow};
use domain::{
    Secret32, Span, StreamId, Window,
    limit::{GROUP_SECONDS_MAX, LIVE_SILENCE_MS_MAX, MESSAGE_BYTES_MAX},
};
use keeper::{
    KeeperClient,
    socket::{MessageError, read_message, write_message},
    wire::{Answer, Peer, Question},
};
use std::{
    os::unix::net::{UnixListener, UnixStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tracing::{debug, warn};
use vault::{
    Keeper, KeeperError, LocalStore, Location,
    admit::Admitter,
    keeper::{Beat, Permit, View},
    service::{
        LIVE_MESSAGE_BYTES_MAX, LiveFrame, LiveMessage, Located, RecorderAnswer, RecorderAsk, Timeline, TimelineGap,
    },
    watch::{Hub, Next},
};

/// A viewer that takes nothing for this long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(20);
/// A connection that says nothing is closed; web keeps its own short.
const HELLO_PATIENCE: Duration = Duration::from_secs(10);
/// After a connection that could not be taken (no descriptor is free).
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// No confirmation for this long ends a live stream.
const SILENCE_MAX: Duration = Duration::from_millis(LIVE_SILENCE_MS_MAX);
/// How long a viewer waits for a picture before it hears that the recorder lives.
const IDLE: Duration = Duration::from_millis(500);
/// Reels told at once: 81 bytes each, a message is at most 1 MiB. Web asks again from where they end.
const LOCATED_MAX: usize = 4_000;

/// The service and what it reads.
#[derive(Clone)]
pub struct Service {
    pub keeper: Arc<KeeperClient>,
    pub admitter: Arc<Mutex<Admitter>>,
    pub footage: Arc<Footage>,
    pub store: Arc<LocalStore>,
    pub hub: Arc<Hub>,
    pub secret: Secret32,
    pub permits: LivePermits,
    /// When the keeper last answered for all permits.
    pub confirmed: Arc<Mutex<Instant>>,
}

impl Service {
    /// Answers for as long as the process lives; a thread a connection.
    pub fn listen(self, listener: &UnixListener) {
        for stream in listener.incoming() {
            let service = self.clone();
            match stream {
                Ok(stream) => drop(thread::spawn(move || {
                    if let Err(error) = service.converse(stream) {
                        debug!(%error, "a connection of web ended");
                    }
                })),
                Err(error) => {
                    warn!(%error, "a connection could not be taken");
                    thread::sleep(ACCEPT_AGAIN);
                }
            }
        }
    }

    fn converse(&self, mut stream: UnixStream) -> Result<(), MessageError> {
        stream.set_write_timeout(Some(WRITE_PATIENCE))?;
        stream.set_read_timeout(Some(HELLO_PATIENCE))?;
        let genuine = match read_message(&mut stream, MESSAGE_BYTES_MAX)? {
            Some(Question::Hello { peer: Peer::Web, secret }) => {
                aws_lc_rs::constant_time::verify_slices_are_equal(secret.expose(), self.secret.expose()).is_ok()
            }
            _ => false,
        };
        if !genuine {
            let refusal = KeeperError::Forbidden { what: "anything: wrong role secret".into() };
            return write_message(&mut stream, &Answer::Failed(refusal), MESSAGE_BYTES_MAX);
        }
        write_message(&mut stream, &Answer::Done, MESSAGE_BYTES_MAX)?;
        while let Some(ask) = read_message::<RecorderAsk>(&mut stream, MESSAGE_BYTES_MAX)? {
            match ask {
                RecorderAsk::Locate { stream: of, span } => {
                    write_message(&mut stream, &locate(&self.admitter, &self.footage, of, span), MESSAGE_BYTES_MAX)?;
                }
                RecorderAsk::Weigh { windows } => {
                    write_message(&mut stream, &self.weigh(&windows), MESSAGE_BYTES_MAX)?;
                }
                RecorderAsk::Timeline { stream: of, span } => {
                    let told = timeline(&self.admitter, &self.footage, &self.store, of, span);
                    write_message(&mut stream, &told, MESSAGE_BYTES_MAX)?;
                }
                RecorderAsk::Live { permit, stream: of } => return self.live(stream, permit, of),
            }
        }
        Ok(())
    }

    /// By what the catalog says of each reel; of one that the span only touches, by time.
    fn weigh(&self, windows: &[Window]) -> RecorderAnswer {
        let share = |row: &StreamRow, window: &Window| {
            let (from, to) = (row.first_utc.max(window.span.from()), row.last_utc.min(window.span.to()));
            let (part, whole) = (to.since(from).max(0) as u128, row.last_utc.since(row.first_utc).max(1) as u128);
            u64::try_from(u128::from(row.bytes) * part.min(whole) / whole).unwrap_or(u64::MAX)
        };
        let mut bytes = 0_u64;
        for window in windows {
            match self.footage.locate(StreamId::main(window.camera), window.span) {
                Ok(rows) => bytes += rows.iter().map(|row| share(&row.stream, window)).sum::<u64>(),
                Err(error) => return refused(&error.to_string()),
            }
        }
        // heads of groups, digests and indices beside the pictures
        RecorderAnswer::Weighed { bytes: bytes.saturating_add(bytes / 16) }
    }

    /// The permit is checked with the keeper before the first picture, then each second by the clerk.
    fn live(&self, mut stream: UnixStream, permit: Permit, of: StreamId) -> Result<(), MessageError> {
        let within = permit.view == View::Live && permit.cameras.contains(&of.camera);
        let beat = Beat { permits: vec![permit.clone()], ..Beat::default() };
        let alive = within && self.keeper.check(&beat).is_ok_and(|pulse| pulse.alive == [true]);
        if !alive {
            return write_message(&mut stream, &refused("no permit holds for this live stream"), MESSAGE_BYTES_MAX);
        }
        let (id, checked) = (permit.id, Instant::now());
        let watching = {
            // both under one lock: the clerk must never see the viewer without its permit
            let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
            permits.insert(id, permit);
            self.hub.watch(of, id)
        };
        write_message(&mut stream, &RecorderAnswer::Watching, MESSAGE_BYTES_MAX)?;
        let mut jumps = 0;
        loop {
            let confirmed = self.confirmed.lock().unwrap_or_else(PoisonError::into_inner).max(checked);
            if confirmed.elapsed() > SILENCE_MAX {
                return write_message(&mut stream, &LiveMessage::Ended, LIVE_MESSAGE_BYTES_MAX); // P5
            }
            let message = match watching.next(IDLE) {
                Next::Frame(frame) => LiveMessage::Frame(LiveFrame::from(&*frame)),
                Next::AwaitsGroup => LiveMessage::AwaitsGroup,
                Next::Nothing => LiveMessage::Idle,
                Next::Ended => LiveMessage::Ended,
            };
            if watching.jumps() > jumps {
                jumps = watching.jumps();
                write_message(&mut stream, &LiveMessage::Jump, LIVE_MESSAGE_BYTES_MAX)?;
            }
            write_message(&mut stream, &message, LIVE_MESSAGE_BYTES_MAX)?;
            if message == LiveMessage::Ended {
                return Ok(());
            }
        }
    }
}

/// Closed reels from the catalog, open ones from memory; earlier ones than asked too, for the group's start.
pub fn locate(admitter: &Mutex<Admitter>, footage: &Footage, stream: StreamId, span: Span) -> RecorderAnswer {
    let earlier = span.from().plus_seconds(-GROUP_SECONDS_MAX);
    let Ok(wider) = Span::new(earlier, span.to()) else { return refused("the span runs backwards") };
    let open = admitter.lock().unwrap_or_else(PoisonError::into_inner).open_views(stream);
    let rows = match footage.locate(stream, wider) {
        Ok(rows) => rows,
        Err(error) => return refused(&error.to_string()),
    };
    let closed = rows.into_iter().filter(|row| open.iter().all(|view| view.reel != row.reel.reel)).filter_map(|row| {
        let located = Located {
            reel: row.reel.reel,
            hour: row.reel.hour,
            handle: row.stream.handle,
            location: Location::from_bytes(&row.reel.location)?,
            first_utc: row.stream.first_utc,
            last_utc: row.stream.last_utc,
            entries: None,
        };
        Some(located)
    });
    let mut all: Vec<Located> = closed.collect();
    all.extend(open.into_iter().filter(|view| wider.touches(view.first_utc, view.last_utc)).map(|view| Located {
        reel: view.reel,
        hour: view.hour,
        handle: view.handle,
        location: view.location,
        first_utc: view.first_utc,
        last_utc: view.last_utc,
        entries: Some(view.entries),
    }));
    all.sort_by_key(|located| located.first_utc);
    all.truncate(LOCATED_MAX);
    RecorderAnswer::Located(all)
}

/// What can be shown of a stream, and what cannot and why.
pub fn timeline(
    admitter: &Mutex<Admitter>,
    footage: &Footage,
    store: &LocalStore,
    stream: StreamId,
    span: Span,
) -> RecorderAnswer {
    let known = day(admitter, footage, store, stream, span).and_then(|days| Ok((days, footage.gaps(stream, span)?)));
    let ((spans, missing), gaps) = match known {
        Ok(known) => known,
        Err(error) => return refused(&error.to_string()),
    };
    let told = |gap: catalog::Gap| {
        let cause = GapCause::from_text(&gap.cause);
        // a word of a later version is told as it stands, without a remedy
        let situation = |of: fn(&GapCause) -> std::borrow::Cow<'static, str>| {
            cause.as_ref().map_or_else(|| gap.cause.clone(), |cause| of(cause).into_owned())
        };
        let remedy = |of: fn(&GapCause) -> &'static str| cause.as_ref().map_or("", of).to_owned();
        TimelineGap {
            from: gap.from,
            to: gap.to,
            cause: cause.as_ref().map_or("unknown", GapCause::code).to_owned(),
            cause_fr: situation(GapCause::situation_fr),
            cause_en: situation(GapCause::situation_en),
            remedy_fr: remedy(GapCause::remedy_fr),
            remedy_en: remedy(GapCause::remedy_en),
        }
    };
    let footage = spans.into_iter().map(Into::into).collect();
    let mut gaps: Vec<TimelineGap> =
        gaps.into_iter().map(told).chain(missing.into_iter().map(on_missing_disk)).collect();
    gaps.sort_by_key(|gap| gap.from);
    RecorderAnswer::Timeline(Timeline { footage, gaps })
}

/// What can be shown, and what was recorded and lies on a disk that is missing.
fn day(
    admitter: &Mutex<Admitter>,
    footage: &Footage,
    store: &LocalStore,
    stream: StreamId,
    span: Span,
) -> Result<(Vec<Span>, Vec<Span>), CatalogError> {
    if store.is_whole() && store.roots().len() == 1 {
        return Ok((footage.day(stream, span)?, Vec::new()));
    }
    // a row says where a reel lies only once it ended
    let open = admitter.lock().unwrap_or_else(PoisonError::into_inner).places();
    let is_there = |row: &ReelRow| match open.get(&row.reel) {
        Some(place) => place.root().is_none() || !store.is_away(place),
        None => Location::from_bytes(&row.location).is_none_or(|of| !store.is_away(&of)),
    };
    footage.day_in_two(stream, span, is_there)
}

/// It is not lost yet: the time is told with where it is.
fn on_missing_disk(span: Span) -> TimelineGap {
    TimelineGap {
        from: span.from(),
        to: Some(span.to()),
        cause: "disk-missing".to_owned(),
        cause_fr: "Les images ont été enregistrées, mais le disque qui les porte manque.".to_owned(),
        cause_en: "Pictures were recorded, but the disk that holds them is missing.".to_owned(),
        remedy_fr: "Remontez ce disque : « vigie status » dit lequel.".to_owned(),
        remedy_en: "Mount that disk again: `vigie status` says which.".to_owned(),
    }
}

fn refused(why: &str) -> RecorderAnswer {
    RecorderAnswer::Refused { why: why.to_owned() }
}
