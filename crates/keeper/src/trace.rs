//! Where in the ledger the entries stand that a review reads: numbers only, what happened is read from the ledger each time.

use catalog::AccountId;
use domain::{Span, UtcMicros};
use ledger::{Actor, Entry, Event, Month};
use std::collections::BTreeMap;

/// What a review tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TraceKind {
    Look,
    Refusal,
    Review,
    /// Two persons were shown a name.
    Name,
    /// Footage left under a requisition.
    Export,
}

impl TraceKind {
    /// Whether footage left the town by it.
    pub const fn is_export(self) -> bool {
        match self {
            TraceKind::Export => true,
            TraceKind::Look | TraceKind::Refusal | TraceKind::Review | TraceKind::Name => false,
        }
    }
}

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TracePlace {
    pub entry: u64,
    pub at: UtcMicros,
    pub kind: TraceKind,
    /// Whose act it is; none where no person's account acted.
    pub account: Option<AccountId>,
}

/// All of them that can be read, kept up with the ledger.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    places: BTreeMap<u64, TracePlace>,
    /// Months whose details ended: number and time of the entry that says so.
    ended: BTreeMap<Month, (u64, UtcMicros)>,
}

impl Trace {
    pub fn take(&mut self, number: u64, entry: &Entry) {
        if let Event::LogKeyDestroyed { month, .. } = entry.event {
            self.ended.insert(month, (number, entry.at));
        }
        if let Some(kind) = kind_of(&entry.event) {
            let account = match &entry.actor {
                Actor::Account { id, .. } => id.parse().ok(),
                _ => None,
            };
            self.places.insert(number, TracePlace { entry: number, at: entry.at, kind, account });
        }
    }

    /// The details of this month and of all before are over: nothing of them stays here either (L2).
    pub fn forget(&mut self, month: Month) {
        self.places.retain(|_, place| month < Month::of(place.at));
    }

    /// Those of a span, the newest first; `before`: only entries before that number.
    pub fn of(&self, span: Span, before: Option<u64>) -> impl Iterator<Item = TracePlace> + '_ {
        let below = self.places.range(..before.unwrap_or(u64::MAX)).rev();
        below.map(|(_, place)| *place).filter(move |place| span.holds(place.at))
    }

    /// Where the ledger says that the details of a month ended; months end in their order, and a later entry speaks for
    /// earlier ones.
    pub fn end_of(&self, month: Month) -> Option<(u64, UtcMicros)> {
        self.ended.range(month..).next().map(|(_, end)| *end)
    }
}

/// What of the ledger a person's review is about (law RET-08). Every event is named, so that whoever adds one, such as the
/// hand-over of footage, decides here whether a data-protection officer sees it.
fn kind_of(event: &Event) -> Option<TraceKind> {
    match event {
        Event::Look { .. } => Some(TraceKind::Look),
        Event::Refusal { .. } => Some(TraceKind::Refusal),
        Event::Export { .. } => Some(TraceKind::Export),
        Event::Review { pseudonym: Some(_), .. } => Some(TraceKind::Name),
        Event::Review { pseudonym: None, .. } => Some(TraceKind::Review),
        // break-glass has its own page, with its names, until the officer has acknowledged it; looks by it are looks
        Event::BreakGlass(_)
        | Event::Opened { .. }
        | Event::Successor { .. }
        | Event::Start { .. }
        | Event::Stop { .. }
        | Event::Run { .. }
        | Event::Mint { .. }
        | Event::Shortened { .. }
        | Event::LookEnded { .. }
        | Event::Requisition { .. }
        // seeing pictures for one is a look
        | Event::Access { .. }
        | Event::Exported { .. }
        // who fetches it is no account of the town; the register's line of its requisition tells each step
        | Event::LinkMade { .. }
        | Event::Link { .. }
        | Event::CopyDestroyed { .. }
        // a hold opens nothing; it has its own list, and its end a certificate
        | Event::Hold { .. }
        | Event::HoldBound { .. }
        | Event::HoldKept { .. }
        | Event::HoldEnded { .. }
        | Event::HoldDestroyed { .. }
        | Event::Reel { .. }
        | Event::Recovered { .. }
        | Event::RecorderHour { .. }
        | Event::Condemned { .. }
        | Event::Destroyed { .. }
        | Event::Tombstone { .. }
        | Event::LogKeyCondemned { .. }
        | Event::LogKeyDestroyed { .. }
        | Event::Camera { .. }
        | Event::Account { .. }
        | Event::Act { .. }
        | Event::Session { .. }
        | Event::Config { .. }
        | Event::Law { .. }
        | Event::Clocks { .. }
        | Event::Rebuild { .. }
        | Event::Slow { .. }
        | Event::Damaged { .. }
        | Event::Dummy => None,
    }
}
