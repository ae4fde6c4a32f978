//! Keys: minted for a recorder's run, handed out chunk by chunk under a permit (P4, P6, K4 to K6, K9).

use crate::core::{KeeperCore, failed, malformed};
use domain::{CameraId, Hour, RunId, Secret32, StreamId, UtcMicros, limit::MINT_HOURS_AHEAD};
use ledger::{Actor, Event, MintedKey, Role};
use policy::retention;
use seal::{
    CameraHourKey, DataKey, Extent, GroupStart, KeyRecord, Kind, LookupKey, RecordHeader,
    key::KeyContext,
    reel::ReelHeader,
    sign::{PublicKey, RunCertificate},
};
use std::collections::BTreeMap;
use vault::{
    KeeperError,
    keeper::{KeyAnswer, KeyQuery, Minted, ReelKeys, ReelPart, RunGrant, View},
};

/// A reel's part, opened as far as the keeper may: when its chunks are, and the data key that gives their keys.
struct OpenedPart {
    reel: domain::ReelId,
    handle: u16,
    data_key: DataKey,
    extents: Vec<Extent>,
}

impl KeeperCore {
    /// Certifies the key of a recorder's run and gives it its time (R5, R9).
    pub(crate) fn begin_run(&self, run: RunId, run_key: PublicKey) -> Result<RunGrant, KeeperError> {
        let anchor = self.trusted()?;
        let public_key_hex = run_key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.enter_events(Actor::Role { role: Role::Recorder }, vec![Event::Run { run, public_key_hex, anchor }])?;
        self.moving().recorder.run = Some(run);
        let certificate = RunCertificate::issue(&self.site_key, self.parts.site, run, run_key);
        Ok(RunGrant { certificate, site_key: self.site_key.public(), anchor })
    }

    /// 1 the hour may be minted for · 2 deadlines · 3 entry *mint* · 4 camera-hour keys in the keyring · 5 data keys,
    /// wrapped. An hour that has its camera-hour keys already gets 5 only: each run has its own data keys (K4).
    pub fn mint(&self, hour: Hour, run: RunId, streams: &[StreamId]) -> Result<Vec<Minted>, KeeperError> {
        let now = self.trusted()?;
        let present = self.parts.hour_length.hour_of(now);
        if hour.length() != present.length() || hour < present || present.plus(MINT_HOURS_AHEAD) < hour {
            return Err(malformed(format!("no key is minted for {hour} at {now}"))); // 1
        }
        let missing = self.missing(hour, streams, now)?; // 2
        if !missing.is_empty() {
            let cameras = missing.iter().map(|(camera, deadline)| MintedKey { camera: *camera, deadline: *deadline });
            let mint = Event::Mint { hour, cameras: cameras.collect() };
            self.enter_events(Actor::Role { role: Role::Recorder }, vec![mint])?; // 3
            self.parts.keyring.add(hour, &missing).map_err(failed)?; // 4
        }
        let page = self.parts.keyring.page(hour).map_err(failed)?.ok_or(KeeperError::Closed { hour })?;
        let lookup = LookupKey(page.lookup.clone());
        let minted = streams.iter().filter_map(|stream| {
            let key = page.cameras.get(&stream.camera)?;
            Some(self.data_key(*stream, hour, run, &lookup, &key.key, key.deadline))
        });
        Ok(minted.collect()) // 5
    }

    /// Chunk keys of a stream's span, back to its group's start (P4).
    pub fn keys(&self, query: &KeyQuery) -> Result<KeyAnswer, KeeperError> {
        if !self.holds(&query.permit) {
            return Err(KeeperError::NoPermit);
        }
        let View::Replay(allowed) = query.permit.view else { return Err(KeeperError::NoPermit) };
        if !allowed.covers(query.span) || !query.permit.cameras.contains(&query.stream.camera) {
            return Err(KeeperError::NoPermit);
        }
        let parts = query.parts.iter().map(|part| self.open_part(part, query.stream));
        let parts = parts.collect::<Result<Vec<OpenedPart>, KeeperError>>()?;
        Ok(select(&parts, query.span))
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
        let mut missing = BTreeMap::new();
        for camera in streams.iter().map(|stream| stream.camera).filter(|camera| !known(camera)) {
            let version = in_service.iter().find(|version| version.camera.id == camera);
            let version = version.ok_or_else(|| malformed(format!("camera {camera} is not in service")))?;
            missing.insert(camera, self.deadline(hour, version.camera.delay_days));
        }
        Ok(missing.into_iter().collect())
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

    /// Checks that a part is the stream's, that its hour is open, and opens its extents.
    fn open_part(&self, part: &ReelPart, stream: StreamId) -> Result<OpenedPart, KeeperError> {
        let header =
            ReelHeader::from_payload(part.reel, &part.header, &self.site_key.public()).map_err(malformed_by)?;
        let closed = KeeperError::Closed { hour: header.hour };
        let page = self.parts.keyring.page(header.hour).map_err(failed)?.ok_or(closed.clone())?;
        let camera = page.cameras.get(&stream.camera).ok_or(closed.clone())?;
        if self.judgement().is_closed(retention::closes_at(camera.deadline)) {
            return Err(closed); // K8: whether or not the key still exists
        }
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
        let mut opened = OpenedPart { reel: part.reel, handle: 0, data_key, extents: Vec::new() };
        for extent in &part.extents {
            opened.push_extent(extent, stream)?;
        }
        opened.extents.sort_by_key(|extent| extent.first_chunk);
        Ok(opened)
    }
}

impl OpenedPart {
    fn push_extent(&mut self, record: &[u8], stream: StreamId) -> Result<(), KeeperError> {
        let header = RecordHeader::from_bytes(record).map_err(malformed_by)?;
        if header.kind != Kind::Extent || header.reel != self.reel {
            return Err(malformed("a record that is no extent of this reel"));
        }
        self.handle = header.handle;
        let key = self.data_key.record_key(self.reel, Kind::Extent, header.handle, header.number);
        let mut payload = record[domain::limit::RECORD_HEADER_BYTES..].to_vec();
        let extent =
            Extent::from_bytes(key.open(&header, &mut payload).map_err(malformed_by)?).map_err(malformed_by)?;
        if extent.stream != stream {
            return Err(malformed("an extent of another stream"));
        }
        self.extents.push(extent);
        Ok(())
    }

    /// Keys of the chunks `from..=to`, and the extents that touch them.
    fn keys(&self, from: u32, to: u32) -> ReelKeys {
        let key = |number| (number, self.data_key.record_key(self.reel, Kind::Chunk, self.handle, number));
        let held: Vec<Extent> = self
            .extents
            .iter()
            .filter(|extent| from <= extent.last_chunk && extent.first_chunk <= to)
            .copied()
            .collect();
        let exists = |number: &u32| held.iter().any(|extent| (extent.first_chunk..=extent.last_chunk).contains(number));
        ReelKeys { reel: self.reel, chunks: (from..=to).filter(exists).map(key).collect(), extents: held }
    }
}

/// The chunks of the span, back to the start of the group that holds its beginning; never more.
fn select(parts: &[OpenedPart], span: domain::Span) -> KeyAnswer {
    let wanted = |extent: &&Extent| span.touches(extent.first_utc, extent.last_utc);
    let first = parts.iter().enumerate().find_map(|(n, part)| Some((n, part.extents.iter().find(wanted)?)));
    let Some((first_part, first_extent)) = first else { return KeyAnswer { reels: Vec::new(), needs: None } };
    let GroupStart { reel, chunk } = first_extent.group_start;
    let group_part = parts[..=first_part].iter().position(|part| part.reel == reel);
    let needs = if group_part.is_none() { Some(reel) } else { None };
    let (begin_part, begin_chunk) = match group_part {
        Some(part) => (part, chunk),
        None => (first_part, first_extent.first_chunk),
    };
    let mut reels = Vec::new();
    for (n, part) in parts.iter().enumerate().skip(begin_part) {
        let from = if n == begin_part { begin_chunk } else { 0 };
        let to = match part.extents.iter().filter(wanted).map(|extent| extent.last_chunk).max() {
            Some(to) => to,
            None if n < first_part => part.extents.iter().map(|extent| extent.last_chunk).max().unwrap_or(0),
            None => continue,
        };
        reels.push(part.keys(from, to));
    }
    KeyAnswer { reels, needs }
}

fn malformed_by(error: seal::SealError) -> KeeperError {
    malformed(error.to_string())
}
