//! A keeper in memory: camera-hour keys in a map, permits that say yes, chunk keys as P4 wants them.

use super::Seeded;
use domain::{CameraId, Hour, PermitId, Purpose, ReelId, RunId, Secret32, SiteId, Span, StreamId, UtcMicros};
use seal::{
    CameraHourKey, DataKey, Extent, KeyRecord, Kind, LookupKey, RecordHeader,
    key::KeyContext,
    reel::ReelHeader,
    sign::{PublicKey, RunCertificate, SigningKey},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Mutex,
};
use vault::{
    Keeper, KeeperError,
    keeper::{
        Ask, Beat, ExtentsQuery, Fact, HeldQuery, KeyAnswer, KeyQuery, Minted, Permit, Pulse, ReelKeys, ReelPart,
        RunGrant, SessionSecret, StreamFate, StreamPart, Verdict, View, WrapQuery, Wrapping,
    },
};

pub struct FakeKeeper {
    pub site: SiteId,
    pub site_key: SigningKey,
    pub lookup: LookupKey,
    /// Days a camera's footage may live; 30 where nothing is said.
    pub delays: Mutex<HashMap<CameraId, i64>>,
    pub closed: Mutex<BTreeSet<Hour>>,
    /// By how much the anchor of a run is ahead of what has passed for sure; 0: its time is trusted.
    pub unsure_seconds: Mutex<i64>,
    /// Cameras' hours whose key is dead.
    pub dead: Mutex<BTreeSet<(Hour, CameraId)>>,
    /// So many questions of a rebuild are answered before the keeper is away; `None`: all.
    pub answers_left: Mutex<Option<u64>>,
    keys: Mutex<HashMap<(CameraId, Hour), Secret32>>,
    random: Seeded,
}

struct Opened {
    reel: ReelId,
    handle: u16,
    data_key: DataKey,
    extents: Vec<Extent>,
}

impl FakeKeeper {
    pub fn new(site: SiteId) -> FakeKeeper {
        FakeKeeper {
            site,
            site_key: SigningKey::from_seed(&Secret32::new([0x5e; 32])),
            lookup: LookupKey(Secret32::new([0x10; 32])),
            delays: Mutex::default(),
            closed: Mutex::default(),
            unsure_seconds: Mutex::default(),
            dead: Mutex::default(),
            answers_left: Mutex::new(None),
            keys: Mutex::default(),
            random: Seeded::new(0xbeef),
        }
    }

    pub fn hello(&self, run: RunId, run_key: PublicKey, anchor: UtcMicros) -> RunGrant {
        let certificate = RunCertificate::issue(&self.site_key, self.site, run, run_key);
        let at_least = anchor.plus_seconds(-*self.unsure_seconds.lock().unwrap());
        RunGrant { certificate, site_key: self.site_key.public(), anchor, at_least }
    }

    pub fn minted(&self, hour: Hour, run: RunId, streams: &[StreamId]) -> Vec<Minted> {
        streams.iter().map(|stream| self.mint_one(hour, run, *stream)).collect()
    }

    pub fn camera_hour(&self, camera: CameraId, hour: Hour) -> CameraHourKey {
        let mut keys = self.keys.lock().unwrap();
        CameraHourKey(keys.entry((camera, hour)).or_insert_with(|| Secret32::draw(&self.random)).clone())
    }

    pub fn permit(&self, camera: CameraId, span: Span) -> Permit {
        Permit {
            id: PermitId([1; 16]),
            account: [2; 16],
            cameras: vec![camera],
            view: View::Replay(span),
            purpose: Purpose::Terrorism,
            leaf: 0,
            expires: UtcMicros(i64::MAX),
            glass: None,
            code: [3; 32],
        }
    }

    /// The data key of a stream in a reel, from what stands in the reel.
    pub fn data_key(
        &self,
        header: &ReelHeader,
        record: &KeyRecord,
        stream: StreamId,
    ) -> Result<DataKey, seal::SealError> {
        let (hour, run, deadline) = (header.hour, header.certificate.run, header.deadline);
        let context = KeyContext { site: self.site, stream, hour, run, deadline };
        self.camera_hour(stream.camera, hour).unwrap(&record.wrapped, &context)
    }

    fn mint_one(&self, hour: Hour, run: RunId, stream: StreamId) -> Minted {
        let days = self.delays.lock().unwrap().get(&stream.camera).copied().unwrap_or(30);
        let deadline = hour.start().plus_seconds(days * 86_400);
        let data_key = DataKey(Secret32::draw(&self.random));
        let mut nonce = [0; 12];
        domain::Random::fill(&self.random, &mut nonce);
        let context = KeyContext { site: self.site, stream, hour, run, deadline };
        let wrapped = self.camera_hour(stream.camera, hour).wrap(&data_key, &context, nonce);
        Minted { stream, hour, deadline, data_key, wrapped, lookup: self.lookup.clone() }
    }

    fn answers(&self) -> Result<(), KeeperError> {
        match &mut *self.answers_left.lock().unwrap() {
            Some(0) => Err(KeeperError::Away { detail: "a test".into() }),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn open_part(&self, part: &ReelPart, stream: StreamId) -> Result<Opened, KeeperError> {
        let wrong = |what: &str| KeeperError::Malformed { what: what.to_owned() };
        let header = ReelHeader::from_payload(part.reel, &part.header, &self.site_key.public());
        let header = header.map_err(|_| wrong("header"))?;
        if self.closed.lock().unwrap().contains(&header.hour) {
            return Err(KeeperError::Closed { hour: header.hour });
        }
        let record = KeyRecord::from_bytes(&part.key_record).map_err(|_| wrong("key record"))?;
        if self.lookup.tag(part.reel, stream) != record.lookup_tag {
            return Err(wrong("lookup tag"));
        }
        let data_key = self.data_key(&header, &record, stream).map_err(|_| wrong("wrapped key"))?;
        let mut opened = Opened { reel: part.reel, handle: 0, data_key, extents: Vec::new() };
        for extent in &part.extents {
            let header = RecordHeader::from_bytes(extent).map_err(|_| wrong("extent"))?;
            let key = opened.data_key.record_key(part.reel, Kind::Extent, header.handle, header.number);
            let mut payload = extent[64..].to_vec();
            let plain = key.open(&header, &mut payload).map_err(|_| wrong("extent"))?;
            opened.extents.push(Extent::from_bytes(plain).map_err(|_| wrong("extent"))?);
            opened.handle = header.handle;
        }
        Ok(opened)
    }
}

/// All chunks, reel by reel, with their extents, from the group's start to the last extent of the span.
fn select(parts: &[Opened], span: Span) -> KeyAnswer {
    let all: Vec<(usize, &Extent)> =
        parts.iter().enumerate().flat_map(|(n, part)| part.extents.iter().map(move |extent| (n, extent))).collect();
    let touches = |(_, extent): &&(usize, &Extent)| span.touches(extent.first_utc, extent.last_utc);
    let (Some(first), Some(last)) = (all.iter().find(touches), all.iter().rfind(touches)) else {
        return KeyAnswer { reels: Vec::new(), needs: None };
    };
    let start = first.1.group_start;
    let begin = parts.iter().position(|part| part.reel == start.reel).map(|part| (part, start.chunk));
    let needs = if begin.is_none() { Some(start.reel) } else { None };
    let (from, to) = (begin.unwrap_or((first.0, first.1.first_chunk)), (last.0, last.1.last_chunk));
    let mut reels = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        let numbers = part.extents.iter().flat_map(|extent| extent.first_chunk..=extent.last_chunk);
        let wanted = numbers.filter(|number| from <= (n, *number) && (n, *number) <= to);
        let key = |number| (number, part.data_key.record_key(part.reel, Kind::Chunk, part.handle, number));
        reels.push(ReelKeys {
            reel: part.reel,
            chunks: wanted.map(key).collect(),
            extents: part.extents.clone(),
            lines: vec![],
            other_keys: vec![],
        });
    }
    KeyAnswer { reels, needs }
}

impl Keeper for FakeKeeper {
    fn mint(&self, hour: Hour, run: RunId, streams: &[StreamId]) -> Result<Vec<Minted>, KeeperError> {
        Ok(self.minted(hour, run, streams))
    }
    fn pass(&self, _: &SessionSecret, ask: &Ask) -> Result<Verdict, KeeperError> {
        match ask.view {
            View::Replay(span) | View::Export(span) => Ok(Verdict::Allowed(self.permit(ask.cameras[0], span))),
            View::Live => Err(KeeperError::NoSession),
        }
    }
    fn keys(&self, query: &KeyQuery) -> Result<KeyAnswer, KeeperError> {
        if query.permit.cameras != [query.stream.camera] || query.permit.view != View::Replay(query.span) {
            return Err(KeeperError::NoPermit);
        }
        let parts: Vec<Opened> =
            query.parts.iter().map(|part| self.open_part(part, query.stream)).collect::<Result<_, _>>()?;
        Ok(select(&parts, query.span))
    }
    fn check(&self, beat: &Beat) -> Result<Pulse, KeeperError> {
        Ok(Pulse { alive: vec![true; beat.permits.len()], ..Pulse::default() })
    }
    fn enter(&self, _: &[Fact]) -> Result<(), KeeperError> {
        Ok(())
    }
    fn wrap(&self, _: &WrapQuery) -> Result<Wrapping, KeeperError> {
        Err(KeeperError::NoPermit)
    }
    fn held_keys(&self, _: &HeldQuery) -> Result<KeyAnswer, KeeperError> {
        Err(KeeperError::NoPermit)
    }
    fn begin_rebuild(&self, _: u64, _: &str) -> Result<u64, KeeperError> {
        self.answers()?;
        Ok(1)
    }
    fn extents(&self, query: &ExtentsQuery) -> Result<Vec<StreamFate>, KeeperError> {
        self.answers()?;
        let wrong = |what: &str| KeeperError::Malformed { what: what.to_owned() };
        let header = ReelHeader::from_payload(query.reel, &query.header, &self.site_key.public());
        let header = header.map_err(|_| wrong("header"))?;
        let cameras: Vec<CameraId> = self
            .keys
            .lock()
            .unwrap()
            .keys()
            .filter(|(_, hour)| *hour == header.hour)
            .map(|(camera, _)| *camera)
            .collect();
        let fate = |part: &StreamPart| {
            let record = KeyRecord::from_bytes(&part.key_record).map_err(|_| wrong("key record"))?;
            let named = self.lookup.find(&record.lookup_tag, query.reel, cameras.iter().copied());
            let Some(stream) = named else { return Ok(StreamFate::Dead) };
            if self.dead.lock().unwrap().contains(&(header.hour, stream.camera)) {
                return Ok(StreamFate::Dead);
            }
            if self.closed.lock().unwrap().contains(&header.hour) {
                return Ok(StreamFate::Closed);
            }
            let (reel, key_record) = (query.reel, part.key_record.clone());
            let gaps = part.gaps.clone();
            let part = ReelPart { reel, header: query.header.clone(), key_record, extents: part.extents.clone() };
            let opened = self.open_part(&part, stream)?;
            let line = |record: &Vec<u8>| {
                let header = RecordHeader::from_bytes(record).map_err(|_| wrong("gap"))?;
                let key = opened.data_key.record_key(reel, Kind::Gap, header.handle, header.number);
                let mut payload = record[64..].to_vec();
                let plain = key.open(&header, &mut payload).map_err(|_| wrong("gap"))?;
                seal::GapLine::from_bytes(plain).map_err(|_| wrong("gap"))
            };
            let gaps = gaps.iter().map(line).collect::<Result<_, _>>()?;
            Ok(StreamFate::Alive { stream, extents: opened.extents, gaps })
        };
        query.streams.iter().map(fate).collect()
    }
}
