//! Keys: minted for a recorder's run, handed out chunk by chunk under a permit (P4, P6, K4 to K6, K9).

use crate::{
    core::{KeeperCore, failed, malformed},
    key_source::KeySource,
};
use domain::{
    CameraId, Hour, ReelId, RunId, Secret32, StreamId, UtcMicros,
    limit::{CAMERAS_AWAITED_SECONDS, HOLD_GATHER_SECONDS_MAX, MINT_HOURS_AHEAD},
};
use ledger::{Actor, Event, MintedKey, Role};
use policy::retention::{self, closes_at};
use seal::{
    CameraHourKey, DataKey, Extent, KeyRecord, Kind, LookupKey, RecordHeader,
    key::KeyContext,
    reel::ReelHeader,
    sign::{PublicKey, RunCertificate},
};
use std::collections::{BTreeMap, BTreeSet};
use tracing::warn;
use vault::{
    KeeperError,
    keeper::{KeyAnswer, KeyQuery, Minted, ReelKeys, ReelPart, RunGrant, View},
};

/// An answer of this many keys is 0.7 of a message's 1 MiB with their extents: an hour of one stream at two chunks a second.
const KEYS_PER_ANSWER_MAX: usize = 7_200;
/// Eighty bytes of JSON each, of 1 MiB for an entry's details.
const MINT_CAMERAS_PER_ENTRY: usize = 1_024;

/// A reel's part, opened as far as the keeper may: when its chunks are, and what gives their keys.
pub(crate) struct OpenedPart {
    reel: ReelId,
    handle: u16,
    source: KeySource,
    /// Each with its record's number.
    extents: Vec<(u32, Extent)>,
}

impl KeeperCore {
    /// Certifies the key of a recorder's run and gives it its time (R5, R9). While the cameras are listened for that is the
    /// system clock under NTP, so that recording begins at once; in a doubt it is the lower bound: the recorder gets no keys
    /// then, but it hears the cameras' clocks, by which time may come to stand; then it begins another run. In both it
    /// frees space by the lower bound only.
    pub fn begin_run(&self, run: RunId, run_key: PublicKey) -> Result<RunGrant, KeeperError> {
        let judgement = self.judgement();
        let anchor = judgement.recording.unwrap_or(judgement.at_least);
        let at_least = judgement.trusted.unwrap_or(judgement.at_least);
        let public_key_hex = run_key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.enter_events(Actor::Role { role: Role::Recorder }, vec![Event::Run { run, public_key_hex, anchor }])?;
        self.moving().recorder.run = Some(run);
        let certificate = RunCertificate::issue(&self.site_key, self.parts.site, run, run_key);
        Ok(RunGrant { certificate, site_key: self.site_key.public(), anchor, at_least })
    }

    /// 1 the hour may be minted for, the cameras are in service; those that may not record get nothing · 2 deadlines · 3 entry
    /// *mint* · 4 camera-hour keys in the keyring · 5 data keys, wrapped. An hour that has its camera-hour keys already gets 5
    /// only: each run has its own data keys (K4). A camera whose hour is closed or condemned already gets none (K8), the others
    /// do.
    ///
    /// Minting destroys nothing, so it does not wait until the cameras were listened for; but what is minted then may lie in
    /// a wrong hour, so it is no more than what is recorded in that time. Where neither the ledger nor its reserve takes an
    /// entry, and a keeper that starts again would find neither, recording goes on: 4 is then the keeper's own record, and 3
    /// follows when one of them is back, before anything else is entered of the hour.
    pub fn mint(&self, hour: Hour, run: RunId, streams: &[StreamId]) -> Result<Vec<Minted>, KeeperError> {
        let judgement = self.judgement();
        let Some(now) = judgement.recording else { return Err(self.no_time(judgement.state)) };
        let present = self.parts.hour_length.hour_of(now);
        if hour.length() != present.length() || hour < present || present.plus(MINT_HOURS_AHEAD) < hour {
            return Err(malformed(format!("no key is minted for {hour} at {now}"))); // 1
        }
        let in_the_wait = self.parts.hour_length.hour_of(now.plus_seconds(CAMERAS_AWAITED_SECONDS));
        if judgement.trusted.is_none() && in_the_wait < hour {
            return Err(self.no_time(judgement.state)); // 1
        }
        let standing = self.standing(now)?;
        let lawful: Vec<StreamId> =
            streams.iter().copied().filter(|stream| !standing.is_blocked(stream.camera)).collect(); // 1
        if lawful.is_empty() {
            return Ok(Vec::new());
        }
        let page = {
            let _keys_stay_as_they_are = self.change_keys();
            let missing = self.missing(hour, &lawful, now)?; // 1, 2
            match self.enter_mint(hour, &missing) {
                Err(KeeperError::LedgerAway { what }) if !self.parts.journal.would_take_entries() => {
                    warn!(%hour, what, "minted; the ledger is owed the entry")
                }
                entered => entered?, // 3
            }
            if !missing.is_empty() {
                self.parts.keyring.add(hour, &missing).map_err(failed)?; // 4
            }
            self.parts.keyring.page(hour).map_err(failed)?.ok_or(KeeperError::Closed { hour })?
        };
        let lookup = LookupKey(page.lookup.clone());
        let minted = lawful.iter().filter_map(|stream| {
            let key = page.cameras.get(&stream.camera)?;
            if self.is_hour_closed(hour, stream.camera, key.deadline) {
                return None;
            }
            Some(self.data_key(*stream, hour, run, &lookup, &key.key, key.deadline))
        });
        Ok(minted.collect()) // 5
    }

    /// Chunk keys of a stream's span, back to its group's start (P4).
    pub fn keys(&self, query: &KeyQuery) -> Result<KeyAnswer, KeeperError> {
        if !self.holds(&query.permit) {
            return Err(KeeperError::NoPermit);
        }
        let judgement = self.judgement();
        if judgement.closes_all() {
            return Err(self.no_time(judgement.state));
        }
        let (allowed, leaves) = match query.permit.view {
            View::Replay(allowed) => (allowed, false),
            View::Export(allowed) => (allowed, true),
            View::Live => return Err(KeeperError::NoPermit),
        };
        if !allowed.covers(query.span) || !query.permit.cameras.contains(&query.stream.camera) {
            return Err(KeeperError::NoPermit);
        }
        let parts = query.parts.iter().map(|part| self.open_part(part, query.stream));
        let parts = parts.collect::<Result<Vec<OpenedPart>, KeeperError>>()?;
        select(&parts, query.span, leaves)
    }

    /// When footage of a camera minted in this hour must be gone (K7).
    pub(crate) fn deadline(&self, hour: Hour, delay_days: u32) -> UtcMicros {
        let lawful = retention::deadline(hour, delay_days);
        match self.parts.seconds_per_day {
            Some(seconds) => lawful.min(hour.start().plus_seconds(seconds * i64::from(delay_days))),
            None => lawful,
        }
    }

    /// Cameras of these streams that have no key in the hour yet, with their deadlines.
    fn missing(
        &self,
        hour: Hour,
        streams: &[StreamId],
        now: UtcMicros,
    ) -> Result<Vec<(CameraId, UtcMicros)>, KeeperError> {
        let page = self.parts.keyring.page(hour).map_err(failed)?;
        let known = |camera: &CameraId| page.as_ref().is_some_and(|page| page.cameras.contains_key(camera));
        let in_service = self.parts.registry.cameras(now).map_err(failed)?;
        let standing = self.standing(now)?;
        let mut missing = BTreeMap::new();
        for camera in streams.iter().map(|stream| stream.camera) {
            let version = in_service.iter().find(|version| version.camera.id == camera);
            let version = version.ok_or_else(|| malformed(format!("camera {camera} is not in service")))?;
            let fate = self.moving().fates.of(hour, camera).unwrap_or_default();
            let ordered = self.moving().fates.orders.delay(camera, version.camera.delay_days);
            // never longer than the prefect's order says (CSI L252-5)
            let delay_days = standing.of(camera).map_or(ordered, |go| go.delay_days(ordered));
            let lawful = self.deadline(hour, delay_days);
            // what the ledger said once holds: a crash may have come between its entry and the keyring (K7)
            let deadline = fate.deadline.map_or(lawful, |entered| entered.min(lawful));
            if !known(&camera) && fate.condemned_at.is_none() && now < closes_at(deadline) {
                missing.insert(camera, deadline);
            }
        }
        Ok(missing.into_iter().collect())
    }

    /// Enters the mints that the ledger is owed: keys in the keyring that no readable entry tells of.
    pub(crate) fn enter_owed_mints(&self) -> Result<(), KeeperError> {
        let _keys_stay_as_they_are = self.change_keys();
        let summaries = self.parts.keyring.hours();
        let owed: Vec<(Hour, Vec<(CameraId, UtcMicros)>)> = {
            let moving = self.moving();
            let unknown = |hour: Hour, camera: CameraId| moving.fates.of(hour, camera).is_none();
            let readable = summaries.iter().filter(|summary| !moving.fates.is_forgotten(summary.hour));
            let keys = readable.map(|summary| {
                let keys = summary.cameras.iter().filter(|(camera, _)| unknown(summary.hour, **camera));
                (summary.hour, keys.map(|(camera, deadline)| (*camera, *deadline)).collect())
            });
            keys.filter(|(_, keys): &(_, Vec<_>)| !keys.is_empty()).collect()
        };
        if owed.is_empty() {
            return Ok(());
        }
        let what =
            "keys were made while neither the ledger nor its reserve took an entry; their mints follow".to_owned();
        self.enter_events(Actor::Schedule, vec![Event::Config { what }])?;
        owed.iter().try_for_each(|(hour, keys)| self.enter_mint(*hour, keys))
    }

    /// The mint's entries, but for keys that the ledger knows with that deadline.
    fn enter_mint(&self, hour: Hour, missing: &[(CameraId, UtcMicros)]) -> Result<(), KeeperError> {
        let entered =
            |camera, deadline| self.moving().fates.of(hour, camera).is_some_and(|fate| fate.deadline == Some(deadline));
        let keys = missing.iter().filter(|(camera, deadline)| !entered(*camera, *deadline));
        let keys: Vec<MintedKey> =
            keys.map(|(camera, deadline)| MintedKey { camera: *camera, deadline: *deadline }).collect();
        for cameras in keys.chunks(MINT_CAMERAS_PER_ENTRY) {
            let mint = Event::Mint { hour, cameras: cameras.to_vec() };
            self.enter_events(Actor::Role { role: Role::Recorder }, vec![mint])?;
        }
        Ok(())
    }

    fn data_key(
        &self,
        stream: StreamId,
        hour: Hour,
        run: RunId,
        lookup: &LookupKey,
        camera_hour: &Secret32,
        deadline: UtcMicros,
    ) -> Minted {
        let data_key = DataKey(Secret32::draw(&*self.parts.random));
        let mut nonce = [0; 12];
        self.parts.random.fill(&mut nonce);
        let context = KeyContext { site: self.parts.site, stream, hour, run, deadline };
        let wrapped = CameraHourKey(camera_hour.clone()).wrap(&data_key, &context, nonce);
        Minted { stream, hour, deadline, data_key, wrapped, lookup: lookup.clone() }
    }

    /// Whether a camera's hour is closed, whether or not its key still exists (K8): condemned, erased by an order, or near its
    /// deadline. An order is entered before its page is rewritten: the earlier deadline of ledger and page holds (K7).
    pub(crate) fn is_hour_closed(&self, hour: Hour, camera: CameraId, in_page: UtcMicros) -> bool {
        let (fate, is_erased) = {
            let fates = &self.moving().fates;
            (fates.of(hour, camera).unwrap_or_default(), fates.orders.erases(hour, camera))
        };
        let deadline = fate.deadline.map_or(in_page, |told| told.min(in_page));
        is_erased || fate.condemned_at.is_some() || self.judgement().is_closed(closes_at(deadline))
    }

    /// Checks that a part is the stream's, that its hour is open, and opens its extents. What is closed is refused before any
    /// signature is looked at: a console that runs through dead hours costs the keeper nothing.
    fn open_part(&self, part: &ReelPart, stream: StreamId) -> Result<OpenedPart, KeeperError> {
        self.open_part_unless(part, stream, |hour, deadline| self.is_hour_closed(hour, stream.camera, deadline))
    }

    /// The same for a hold, which may have come a second before the hour closed: its key lives on for that, and for nothing else.
    pub(crate) fn open_held_part(&self, part: &ReelPart, stream: StreamId) -> Result<OpenedPart, KeeperError> {
        let judgement = self.judgement();
        if judgement.closes_all() {
            return Err(self.no_time(judgement.state)); // asked again when a time stands
        }
        self.open_part_unless(part, stream, |hour, deadline| {
            let (fate, is_erased) = {
                let fates = &self.moving().fates;
                (fates.of(hour, stream.camera).unwrap_or_default(), fates.orders.erases(hour, stream.camera))
            };
            let deadline = fate.deadline.map_or(deadline, |told| told.min(deadline));
            let gathered_by = closes_at(deadline).plus_seconds(HOLD_GATHER_SECONDS_MAX);
            let is_over = is_erased || fate.condemned_at.is_some() || judgement.is_closed(gathered_by);
            is_over
                || judgement.is_closed(closes_at(deadline))
                    && !self.moving().holds.delays(hour, stream.camera, deadline, &judgement)
        })
    }

    fn open_part_unless(
        &self,
        part: &ReelPart,
        stream: StreamId,
        is_closed: impl Fn(Hour, UtcMicros) -> bool,
    ) -> Result<OpenedPart, KeeperError> {
        let hour = ReelHeader::claimed_hour(&part.header).map_err(malformed_by)?;
        let closed = KeeperError::Closed { hour };
        let page = self.parts.keyring.page(hour).map_err(failed)?.ok_or(closed.clone())?;
        let camera = page.cameras.get(&stream.camera).ok_or(closed.clone())?;
        if is_closed(hour, camera.deadline) {
            return Err(closed);
        }
        let header =
            ReelHeader::from_payload(part.reel, &part.header, &self.site_key.public()).map_err(malformed_by)?;
        let record = KeyRecord::from_bytes(&part.key_record).map_err(malformed_by)?;
        if LookupKey(page.lookup.clone()).tag(part.reel, stream) != record.lookup_tag {
            return Err(malformed("the key record is another stream's"));
        }
        let context = KeyContext {
            site: self.parts.site,
            stream,
            hour: header.hour,
            run: header.certificate.run,
            deadline: header.deadline,
        };
        let data_key = CameraHourKey(camera.key.clone()).unwrap(&record.wrapped, &context).map_err(malformed_by)?;
        let mut opened = OpenedPart::new(part.reel, data_key);
        for extent in &part.extents {
            opened.push_extent(extent, stream)?;
        }
        opened.extents.sort_by_key(|(_, extent)| extent.first_chunk);
        Ok(opened)
    }
}

impl OpenedPart {
    /// What a gap record of this reel says (R12).
    pub fn gap(&self, record: &[u8], handle: u16, stream: StreamId) -> Result<seal::GapLine, KeeperError> {
        let KeySource::Data(data_key) = &self.source else { return Err(malformed("gaps of held footage")) };
        let header = RecordHeader::from_bytes(record).map_err(malformed_by)?;
        if header.kind != Kind::Gap || header.reel != self.reel || header.handle != handle {
            return Err(malformed("a record that is no gap of this stream and reel"));
        }
        let key = data_key.record_key(self.reel, Kind::Gap, handle, header.number);
        let mut payload = record[domain::limit::RECORD_HEADER_BYTES..].to_vec();
        let line =
            seal::GapLine::from_bytes(key.open(&header, &mut payload).map_err(malformed_by)?).map_err(malformed_by)?;
        if line.stream == stream { Ok(line) } else { Err(malformed("a gap of another stream")) }
    }
}

impl OpenedPart {
    pub fn new(reel: ReelId, data_key: DataKey) -> OpenedPart {
        OpenedPart { reel, handle: 0, source: KeySource::Data(data_key), extents: Vec::new() }
    }
    /// As a hold wrapped it.
    pub fn held(keys: ReelKeys) -> OpenedPart {
        let (reel, extents, source) = KeySource::held(keys);
        OpenedPart { reel, handle: 0, source, extents }
    }
    pub fn reel(&self) -> ReelId {
        self.reel
    }
    pub fn handle(&self) -> u16 {
        self.handle
    }
    pub fn into_extents(self) -> Vec<Extent> {
        self.extents.into_iter().map(|(_, extent)| extent).collect()
    }

    /// Opens one extent record of the stream. Errors: `Malformed` for anything else.
    pub fn push_extent(&mut self, record: &[u8], stream: StreamId) -> Result<(), KeeperError> {
        let header = RecordHeader::from_bytes(record).map_err(malformed_by)?;
        if header.kind != Kind::Extent || header.reel != self.reel {
            return Err(malformed("a record that is no extent of this reel"));
        }
        let KeySource::Data(data_key) = &self.source else { return Err(malformed("extents of held footage")) };
        self.handle = header.handle;
        let key = data_key.record_key(self.reel, Kind::Extent, header.handle, header.number);
        let mut payload = record[domain::limit::RECORD_HEADER_BYTES..].to_vec();
        let extent =
            Extent::from_bytes(key.open(&header, &mut payload).map_err(malformed_by)?).map_err(malformed_by)?;
        if extent.stream != stream {
            return Err(malformed("an extent of another stream"));
        }
        self.extents.push((header.number, extent));
        Ok(())
    }

    /// Keys of the chunks of these extents, in order; for what leaves, also what shows that they are all of these extents'.
    fn keys(&self, chunks: &BTreeSet<u32>, leaves: bool) -> ReelKeys {
        let touched =
            |(_, extent): &&(u32, Extent)| chunks.range(extent.first_chunk..=extent.last_chunk).next().is_some();
        let touched: Vec<(u32, Extent)> = self.extents.iter().filter(touched).copied().collect();
        let source = &self.source;
        let keyed = |kind, number: u32| Some((number, source.key(self.reel, self.handle, kind, number)?));
        let (mut lines, mut other_keys) = (Vec::new(), Vec::new());
        if leaves {
            lines = touched.iter().filter_map(|(number, _)| keyed(Kind::Extent, *number)).collect();
            let named = touched.iter().flat_map(|(_, extent)| extent.first_chunk..=extent.last_chunk);
            let others = named.filter(|number| !chunks.contains(number));
            other_keys =
                others.filter_map(|number| Some((number, source.digest(self.reel, self.handle, number)?))).collect();
        }
        let mut chunks: Vec<_> = chunks.iter().filter_map(|number| keyed(Kind::Chunk, *number)).collect();
        chunks.sort_unstable_by_key(|(number, _)| *number);
        let extents = touched.into_iter().map(|(_, extent)| extent).collect();
        ReelKeys { reel: self.reel, chunks, extents, lines, other_keys }
    }
}

/// The chunks of the span's extents, back to the start of the group that the first of them begins in; never more, whatever
/// parts are given in whatever order: only what the sealed extents say decides.
pub(crate) fn select(parts: &[OpenedPart], span: domain::Span, leaves: bool) -> Result<KeyAnswer, KeeperError> {
    let wanted = |extent: &Extent| span.touches(extent.first_utc, extent.last_utc);
    let all = parts.iter().flat_map(|part| part.extents.iter().map(move |(_, extent)| (part.reel, *extent)));
    let first = all.filter(|(_, extent)| wanted(extent)).min_by_key(|(_, extent)| extent.first_utc);
    let Some((first_reel, first)) = first else { return Ok(KeyAnswer { reels: Vec::new(), needs: None }) };
    let group = first.group_start;
    // By numbers where they tell: a camera's clock may jump (R9). All that follows a group's start in its reel is of the
    // group, if the group goes on into another reel; a reel between says itself which group it is of.
    let leads_to_first = |reel: ReelId, extent: &Extent| match (reel == group.reel, reel == first_reel) {
        (true, true) => group.chunk <= extent.last_chunk && extent.first_chunk < first.first_chunk,
        (true, false) => group.chunk <= extent.last_chunk,
        (false, _) => extent.group_start == group && extent.first_utc < first.first_utc,
    };
    let mut reels = Vec::new();
    let mut keys = 0;
    for part in parts {
        let mut chunks = BTreeSet::new();
        for (_, extent) in &part.extents {
            let from = if wanted(extent) {
                extent.first_chunk
            } else if leads_to_first(part.reel, extent) {
                if part.reel == group.reel { extent.first_chunk.max(group.chunk) } else { extent.first_chunk }
            } else {
                continue;
            };
            keys += (extent.last_chunk - from) as usize + 1;
            if keys > KEYS_PER_ANSWER_MAX {
                return Err(malformed(format!("more than {KEYS_PER_ANSWER_MAX} chunks: ask for a shorter span")));
            }
            chunks.extend(from..=extent.last_chunk);
        }
        if !chunks.is_empty() {
            reels.push(part.keys(&chunks, leaves));
        }
    }
    let needs = if parts.iter().any(|part| part.reel == group.reel) { None } else { Some(group.reel) };
    Ok(KeyAnswer { reels, needs })
}

pub(crate) fn malformed_by(error: seal::SealError) -> KeeperError {
    malformed(error.to_string())
}
