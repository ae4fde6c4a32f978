//! What may record and be watched now, by the papers that hold (CSI-06, CSI-07): followed each second.
//!
//! A camera whose papers lapse is not handed to the recorder any more, gets no key and is not shown; its hours die as they
//! would have, and their keys live until then, so that a desk can deliver what was recorded lawfully. What is stopped and what
//! begins is entered; a ledger that takes no entry stops nothing from stopping.

use crate::{
    acts::KnownActs,
    core::{KeeperCore, failed},
    wire::MissingAct,
};
use catalog::CameraVersion;
use domain::{CameraId, Purpose, StreamId, StreamKind, UtcMicros};
use ledger::{Actor, Entry, Event};
use policy::{
    Law,
    golive::{GoLive, Missing, go_live, next_change},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError},
};
use tracing::warn;
use vault::{
    KeeperError,
    keeper::{Ask, Permit, RefusedReason, View},
};

const AUTHORISED: &str = "authorised";
const NOT_AUTHORISED: &str = "not authorised";

/// What was last found and told.
#[derive(Default)]
pub(crate) struct Lawful {
    found: Option<Arc<Standing>>,
    /// Cameras that the recorder was last told to record.
    open: Option<BTreeSet<CameraId>>,
}

/// The papers' answer for every camera in service; it holds until a paper begins or ends, or another law is put in force.
pub(crate) struct Standing {
    law: Arc<Law>,
    acts: KnownActs,
    cameras_version: u64,
    from: UtcMicros,
    until: Option<UtcMicros>,
    cameras: BTreeMap<CameraId, GoLive>,
}

/// Whether a camera's last word in the ledger is that it may record.
#[derive(Debug, Default)]
pub struct LastWords(BTreeMap<CameraId, bool>);

impl LastWords {
    pub fn take(&mut self, entry: &Entry) {
        if let Event::Camera { change, camera, .. } = &entry.event
            && (change == AUTHORISED || change == NOT_AUTHORISED)
        {
            self.0.insert(*camera, change == AUTHORISED);
        }
    }
}

impl Standing {
    /// By which it was found.
    pub fn law(&self) -> &Law {
        &self.law
    }
    pub fn of(&self, camera: CameraId) -> Option<&GoLive> {
        self.cameras.get(&camera)
    }
    pub fn is_open(&self, camera: CameraId) -> bool {
        self.of(camera).is_some_and(GoLive::is_open)
    }
    /// A camera that is not in service is not blocked by its papers.
    pub fn is_blocked(&self, camera: CameraId) -> bool {
        self.of(camera).is_some_and(|go| !go.is_open())
    }
    pub fn cameras(&self) -> impl Iterator<Item = (CameraId, &GoLive)> {
        self.cameras.iter().map(|(camera, go)| (*camera, go))
    }
}

impl KeeperCore {
    /// The time for what records: trusted time, or what has passed at least: recording survives a doubt about the time (P6).
    pub(crate) fn recording_time(&self) -> UtcMicros {
        self.stamp()
    }

    pub(crate) fn standing(&self, now: UtcMicros) -> Result<Arc<Standing>, KeeperError> {
        let (law, acts) = (self.law(), self.known_acts()?);
        let cameras_version = {
            let moving = self.moving();
            let is_fresh = |found: &&Arc<Standing>| {
                found.cameras_version == moving.cameras_version
                    && Arc::ptr_eq(&found.law, &law)
                    && Arc::ptr_eq(&found.acts, &acts)
                    && found.from <= now
                    && found.until.is_none_or(|until| now < until)
            };
            if let Some(found) = moving.lawful.found.as_ref().filter(is_fresh) {
                return Ok(found.clone());
            }
            moving.cameras_version
        };
        let in_service = self.parts.registry.cameras(now).map_err(failed)?;
        let of_camera = |version: &CameraVersion| (version.camera.id, of_version(&law, &acts, version, now));
        let cameras = in_service.iter().map(of_camera).collect();
        let until = next_change(law.required(), &acts, now);
        let found = Arc::new(Standing { law, acts, cameras_version, from: now, until, cameras });
        self.moving().lawful.found = Some(found.clone());
        Ok(found)
    }

    /// 1 what may record now is found · 2 the recorder hears within its second that its cameras changed · 3 entries of what
    /// stopped and what began.
    pub(crate) fn follow_acts(&self) -> Result<(), KeeperError> {
        let _one_at_a_time = self.following.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = self.standing(self.recording_time())?; // 1
        let open: BTreeSet<CameraId> = standing.cameras().filter(|(_, go)| go.is_open()).map(|(id, _)| id).collect();
        let events: Vec<Event> = {
            let mut moving = self.moving();
            let words = &moving.fates.words.0;
            let event = |(camera, go): (CameraId, &GoLive)| match (words.get(&camera), go.is_open()) {
                (None | Some(false), true) => Some(authorised(camera, go)),
                (Some(true), false) => Some(not_authorised(camera, go)),
                _ => None,
            };
            let events = standing.cameras().filter_map(event).collect();
            if moving.lawful.open.as_ref() != Some(&open) {
                moving.lawful.open = Some(open);
                moving.cameras_version += 1; // 2
            }
            events
        };
        if !events.is_empty() {
            self.enter_events(Actor::Schedule, events)?; // 3
        }
        Ok(())
    }

    /// Streams of cameras that recorded once and may not now; what was never authorised misses nothing.
    pub(crate) fn withheld(&self, closed: &[CameraVersion]) -> Vec<StreamId> {
        let moving = self.moving();
        let recorded = closed.iter().filter(|version| moving.fates.words.0.contains_key(&version.camera.id));
        let streams = recorded.flat_map(|version| {
            let main = StreamId::main(version.camera.id);
            let sub = version.camera.sub_url.as_ref().map(|_| StreamId { kind: StreamKind::Sub, ..main });
            [Some(main), sub].into_iter().flatten()
        });
        streams.collect()
    }

    /// The purposes for which a camera may be looked at: its own that its orders authorise. Without any, its papers refuse
    /// the look, in words of their own.
    pub(crate) fn lawful_purposes(&self, version: &CameraVersion, now: UtcMicros) -> Result<Vec<Purpose>, KeeperError> {
        Ok(of_order(Some(&self.go_live_of(version, now)?), version.camera.purposes.clone()))
    }

    /// What a look at these cameras lacks of papers; cameras out of service need theirs, too.
    pub(crate) fn lacking_to_view(&self, ask: &Ask, now: UtcMicros) -> Result<Vec<RefusedReason>, KeeperError> {
        let mut lacking: BTreeMap<String, RefusedReason> = BTreeMap::new();
        for camera in &ask.cameras {
            let Some(version) = self.parts.registry.camera(*camera, now).map_err(failed)? else { continue };
            for missing in self.go_live_of(&version, now)?.blocking {
                lacking.entry(missing.rule.clone()).or_insert_with(|| told(missing));
            }
        }
        Ok(lacking.into_values().collect())
    }

    /// Whether a running look has lost its papers: a replay with any of its cameras, live pictures with all of them (those of
    /// one camera end by themselves).
    pub(crate) fn is_view_closed(&self, permit: &Permit, now: UtcMicros) -> bool {
        let is_closed = |camera: &CameraId| match self.is_camera_closed(*camera, now) {
            Ok(is_closed) => is_closed,
            Err(error) => {
                warn!(%error, "nothing is shown while the papers cannot be looked up");
                true
            }
        };
        match permit.view {
            View::Live => permit.cameras.iter().all(is_closed),
            View::Replay(_) => permit.cameras.iter().any(is_closed),
            // what leaves was lawfully recorded: an act that ended since does not keep it back (`law/fr/acts.cedar`)
            View::Export(_) => false,
        }
    }

    fn is_camera_closed(&self, camera: CameraId, now: UtcMicros) -> Result<bool, KeeperError> {
        if let Some(go) = self.standing(now)?.of(camera) {
            return Ok(!go.is_open());
        }
        let version = self.parts.registry.camera(camera, now).map_err(failed)?;
        version.map_or(Ok(true), |version| Ok(!self.go_live_of(&version, now)?.is_open()))
    }

    pub(crate) fn go_live_of(&self, version: &CameraVersion, now: UtcMicros) -> Result<GoLive, KeeperError> {
        let standing = self.standing(now)?;
        let known = standing.of(version.camera.id).cloned();
        Ok(known.unwrap_or_else(|| of_version(&standing.law, &standing.acts, version, now)))
    }
}

fn of_version(law: &Law, acts: &KnownActs, version: &CameraVersion, now: UtcMicros) -> GoLive {
    let mut found = go_live(law.required(), acts, version.camera.id, now);
    if found.order.is_some() && found.purposes(&version.camera.purposes).is_empty() {
        found.blocking.push(Missing::purpose());
    }
    found
}

/// A camera's own purposes that its orders authorise; all its own where they authorise none, or none is in force.
pub(crate) fn of_order(go: Option<&GoLive>, own: Vec<Purpose>) -> Vec<Purpose> {
    let lawful = go.map(|go| go.purposes(&own)).unwrap_or_default();
    if lawful.is_empty() { own } else { lawful }
}

fn authorised(camera: CameraId, go: &GoLive) -> Event {
    let end = go.order.as_ref().and_then(|order| order.end);
    let details = end
        .map_or("every required act holds".to_owned(), |end| format!("every required act holds; the order ends {end}"));
    Event::Camera { change: AUTHORISED.into(), camera, details }
}

fn not_authorised(camera: CameraId, go: &GoLive) -> Event {
    let rules: Vec<&str> = go.blocking.iter().map(|missing| &*missing.rule).collect();
    let details = format!("recording and viewing stop; missing: {}", rules.join(", "));
    Event::Camera { change: NOT_AUTHORISED.into(), camera, details }
}

/// What a camera lacks, by name.
pub(crate) fn missing(go: &GoLive) -> Vec<MissingAct> {
    let named =
        |blocks| move |missing: &Missing| MissingAct { rule: missing.rule.clone(), blocks, ended: missing.ended };
    go.blocking.iter().map(named(true)).chain(go.alarms.iter().map(named(false))).collect()
}

/// As a refusal says it.
pub(crate) fn told(missing: Missing) -> RefusedReason {
    RefusedReason {
        rule: missing.rule,
        article: missing.article,
        text_fr: missing.text_fr,
        text_en: missing.text_en,
        remedy_fr: missing.remedy_fr,
        remedy_en: missing.remedy_en,
    }
}
