//! A reel's life in the catalog: opened, its streams, closed or recovered, dead, forgotten.

use super::Footage;
use crate::column::{self, bigint};
use crate::error::{CatalogError, Failure};
use domain::{CameraId, Hour, ReelId, RunId, SiteId, StreamId, UtcMicros};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeSet;

/// What is known of a reel when it is opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewReel {
    pub reel: ReelId,
    pub run: RunId,
    pub hour: Hour,
    pub deadline: UtcMicros,
    /// Where it begins; the vault's bytes, not read here.
    pub location: Vec<u8>,
    pub opened_at: UtcMicros,
}

/// One reel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReelRow {
    pub reel: ReelId,
    pub run: RunId,
    pub hour: Hour,
    pub deadline: UtcMicros,
    pub state: ReelState,
    pub location: Vec<u8>,
    /// Of the closed reel; 0 while it is open.
    pub bytes: u64,
    /// Over the per-stream roots of chunk digests (L3); none until closed.
    pub root: Option<[u8; 32]>,
    pub opened_at: UtcMicros,
    pub closed_at: Option<UtcMicros>,
}

/// Where a reel is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReelState {
    Open,
    Closed,
    /// Closed by recovery after a crash (R5).
    Recovered,
    /// Its keys are destroyed; its bytes, if any are left, are residual ciphertext (K10).
    Dead,
}

impl ReelState {
    pub const fn name(self) -> &'static str {
        match self {
            ReelState::Open => "open",
            ReelState::Closed => "closed",
            ReelState::Recovered => "recovered",
            ReelState::Dead => "dead",
        }
    }

    fn from_name(name: &str) -> Option<ReelState> {
        let all = [ReelState::Open, ReelState::Closed, ReelState::Recovered, ReelState::Dead];
        all.into_iter().find(|state| state.name() == name)
    }
}

/// What a reel holds of one stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamRow {
    pub reel: ReelId,
    /// The stream's number in this reel (R7).
    pub handle: u16,
    pub stream: StreamId,
    /// First and last frame.
    pub first_utc: UtcMicros,
    pub last_utc: UtcMicros,
    pub frames: u64,
    pub chunks: u64,
    pub bytes: u64,
}

/// Bytes of closed reels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredBytes {
    pub live: u64,
    /// Of dead reels not forgotten yet: residual ciphertext.
    pub dead: u64,
}

/// What is known of a reel once it is closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReelEnd {
    /// Where all of it lies; opaque, made by the vault.
    pub location: Vec<u8>,
    pub root: [u8; 32],
    pub bytes: u64,
    pub closed_at: UtcMicros,
}

impl Footage {
    /// Enters a reel that is opened. Saying it twice changes nothing.
    ///
    /// # Errors
    /// [`CatalogError::Contradiction`] if the reel is known with other facts.
    pub fn reel_opened(&self, new: &NewReel) -> Result<(), CatalogError> {
        self.database.run(async |db| {
            let insert = sqlx::query(
                "insert into reel (site, reel, run, hour_start_s, hour_length_s, deadline, state, location, bytes,
                   opened_at, told)
                 values ($1, $2, $3, $4, $5, $6, 'open', $7, 0, $8, 0) on conflict (site, reel) do nothing",
            );
            let insert = insert.bind(&self.site.0[..]).bind(&new.reel.0[..]).bind(&new.run.0[..]);
            let insert = insert.bind(new.hour.start_seconds()).bind(i64::from(new.hour.length().seconds()));
            let insert = insert.bind(new.deadline.0).bind(&new.location).bind(new.opened_at.0);
            if insert.execute(&mut *db).await?.rows_affected() == 1 {
                return Ok(());
            }
            let known = read_reel(db, self.site, new.reel).await?;
            if known.is_some_and(|known| known.was_opened_as(new)) {
                return Ok(());
            }
            Err(CatalogError::Contradiction { reel: new.reel }.into())
        })
    }

    /// Enters what reels hold of streams; a (reel, handle) that is known gets the new facts. All or nothing.
    ///
    /// # Errors
    /// [`CatalogError::NotLive`] for a reel that is unknown or dead: what is dead does not come back.
    pub fn reel_streams(&self, streams: &[StreamRow]) -> Result<(), CatalogError> {
        self.database.run(async |db| {
            for row in streams {
                put_stream(db, self.site, row).await?;
            }
            Ok(())
        })
    }

    /// Enters that a reel is closed. Saying it twice changes nothing.
    ///
    /// # Errors
    /// [`CatalogError::NotLive`] for a reel that is unknown or dead.
    pub fn reel_closed(&self, reel: ReelId, end: &ReelEnd) -> Result<(), CatalogError> {
        self.end_reel(reel, ReelState::Closed, end)
    }

    /// Enters that recovery closed a reel at its last sound sync record (R5).
    ///
    /// # Errors
    /// [`CatalogError::NotLive`] for a reel that is unknown or dead.
    pub fn reel_recovered(&self, reel: ReelId, end: &ReelEnd) -> Result<(), CatalogError> {
        self.end_reel(reel, ReelState::Recovered, end)
    }

    /// Enters that an hour is destroyed, whole (`None`) or for these cameras only: what it held of their streams goes,
    /// and a reel of which nothing is left is dead. The hour's dead reels, with those that were dead before, so that a
    /// caller who did not hear the answer can ask again; their rows stay until [`Footage::forget`].
    pub fn reels_dead(&self, hour: Hour, cameras: Option<&[CameraId]>) -> Result<Vec<ReelRow>, CatalogError> {
        self.database.run(async |db| {
            match cameras {
                None => kill_hour(db, self.site, hour).await?,
                Some(cameras) => kill_cameras(db, self.site, hour, cameras).await?,
            }
            let dead = "select * from reel where site = $1 and hour_start_s = $2 and hour_length_s = $3
                        and state = 'dead' order by opened_at, reel";
            let rows = of_hour(sqlx::query(dead), self.site, hour).fetch_all(db).await?;
            Ok(rows.iter().map(reel_of).collect::<Result<_, _>>()?)
        })
    }

    /// One reel, dead or alive.
    pub fn reel(&self, reel: ReelId) -> Result<Option<ReelRow>, CatalogError> {
        self.database.run(async |db| read_reel(db, self.site, reel).await)
    }

    /// What a reel holds, by handle.
    pub fn streams_of(&self, reel: ReelId) -> Result<Vec<StreamRow>, CatalogError> {
        self.database.run(async |db| {
            let query = sqlx::query("select * from reel_stream where site = $1 and reel = $2 order by handle");
            let rows = query.bind(&self.site.0[..]).bind(&reel.0[..]).fetch_all(db).await?;
            Ok(rows.iter().map(stream_of).collect::<Result<_, _>>()?)
        })
    }

    /// All reels that are not dead, oldest first.
    pub fn live_reels(&self) -> Result<Vec<ReelRow>, CatalogError> {
        self.database.run(async |db| {
            let query = "select * from reel where site = $1 and state <> 'dead' order by opened_at, reel";
            let rows = sqlx::query(query).bind(&self.site.0[..]).fetch_all(db).await?;
            Ok(rows.iter().map(reel_of).collect::<Result<_, _>>()?)
        })
    }

    /// Reels that ended and of which no stream is known: whoever entered them did not come to its end.
    pub fn reels_without_streams(&self) -> Result<BTreeSet<ReelId>, CatalogError> {
        self.database.run(async |db| {
            let query = "select * from reel where site = $1 and state in ('closed', 'recovered') and not exists
                         (select 1 from reel_stream s where s.site = reel.site and s.reel = reel.reel)";
            let rows = sqlx::query(query).bind(&self.site.0[..]).fetch_all(db).await?;
            let rows = rows.iter().map(reel_of).collect::<Result<Vec<_>, _>>()?;
            Ok(rows.into_iter().map(|row| row.reel).collect())
        })
    }

    /// Reels that are dead and not forgotten: their bytes lie where they could not be given back.
    pub fn dead_reels(&self) -> Result<Vec<ReelRow>, CatalogError> {
        self.database.run(async |db| {
            let query = "select * from reel where site = $1 and state = 'dead' order by opened_at, reel";
            let rows = sqlx::query(query).bind(&self.site.0[..]).fetch_all(db).await?;
            Ok(rows.iter().map(reel_of).collect::<Result<_, _>>()?)
        })
    }

    /// Bytes of closed and recovered reels, and of dead ones.
    pub fn bytes(&self) -> Result<StoredBytes, CatalogError> {
        self.database.run(async |db| {
            let query = sqlx::query(
                "select cast(coalesce(sum(case when state <> 'dead' then bytes else 0 end), 0) as bigint) as live,
                        cast(coalesce(sum(case when state = 'dead' then bytes else 0 end), 0) as bigint) as dead
                 from reel where site = $1",
            );
            let row = query.bind(&self.site.0[..]).fetch_one(db).await?;
            Ok(StoredBytes { live: column::count(&row, "live")?, dead: column::count(&row, "dead")? })
        })
    }

    /// Deletes the rows of reels whose bytes are gone. How many of them were known.
    pub fn forget(&self, reels: &[ReelId]) -> Result<u64, CatalogError> {
        self.database.run(async |db| {
            let mut forgotten = 0;
            for reel in reels {
                remember_last(&mut *db, self.site, *reel).await?;
                // Its streams go with it: on delete cascade.
                let delete = sqlx::query("delete from reel where site = $1 and reel = $2");
                let delete = delete.bind(&self.site.0[..]).bind(&reel.0[..]);
                forgotten += delete.execute(&mut *db).await?.rows_affected();
            }
            Ok(forgotten)
        })
    }

    fn end_reel(&self, reel: ReelId, state: ReelState, end: &ReelEnd) -> Result<(), CatalogError> {
        self.database.run(async |db| {
            let update = sqlx::query(
                "update reel set state = $3, root = $4, bytes = $5, closed_at = $6, location = $7
                 where site = $1 and reel = $2 and state <> 'dead'",
            );
            let update = update.bind(&self.site.0[..]).bind(&reel.0[..]).bind(state.name()).bind(&end.root[..]);
            let update = update.bind(bigint(end.bytes)).bind(end.closed_at.0).bind(&end.location);
            let found = update.execute(db).await?.rows_affected() == 1;
            if found { Ok(()) } else { Err(CatalogError::NotLive { reel }.into()) }
        })
    }
}

impl ReelRow {
    /// Whether `new` says what was said of this reel before. Its location is compared while it is open only: the end of a
    /// reel sets it anew.
    fn was_opened_as(&self, new: &NewReel) -> bool {
        let same_place = self.state != ReelState::Open || self.location == new.location;
        let known = (self.run, self.hour, self.deadline, self.opened_at);
        same_place && known == (new.run, new.hour, new.deadline, new.opened_at)
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// Binds $1 to $3: site, hour's start, hour's length.
fn of_hour(query: Query<'_>, site: SiteId, hour: Hour) -> Query<'_> {
    query.bind(site.0.to_vec()).bind(hour.start_seconds()).bind(i64::from(hour.length().seconds()))
}

pub(super) async fn put_stream(db: &mut SqliteConnection, site: SiteId, row: &StreamRow) -> Result<(), Failure> {
    let upsert = sqlx::query(
        "insert into reel_stream (site, reel, handle, camera, kind, first_utc, last_utc, frames, chunks, bytes)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
         where exists (select 1 from reel where site = $1 and reel = $2 and state <> 'dead')
         on conflict (site, reel, handle) do update set camera = excluded.camera, kind = excluded.kind,
           first_utc = excluded.first_utc, last_utc = excluded.last_utc, frames = excluded.frames,
           chunks = excluded.chunks, bytes = excluded.bytes",
    );
    let upsert = upsert.bind(&site.0[..]).bind(&row.reel.0[..]).bind(i64::from(row.handle));
    let upsert = upsert.bind(&row.stream.camera.0[..]).bind(i64::from(row.stream.kind.code()));
    let upsert = upsert.bind(row.first_utc.0).bind(row.last_utc.0).bind(bigint(row.frames));
    let upsert = upsert.bind(bigint(row.chunks)).bind(bigint(row.bytes));
    let written = upsert.execute(db).await?.rows_affected() == 1;
    if written { Ok(()) } else { Err(CatalogError::NotLive { reel: row.reel }.into()) }
}

/// What dies leaves behind when the last picture of each stream was taken, until nothing may live of that time: a run that ends before
/// it said since when a stream misses pictures leaves it to the next one (R12).
macro_rules! remembers {
    ($of:literal) => {
        concat!(
            "insert into stream_last (site, camera, kind, last_utc)
             select s.site, s.camera, s.kind, max(s.last_utc)
             from reel_stream s join reel r on r.site = s.site and r.reel = s.reel
             where s.site = $1 and s.frames > 0 and ",
            $of,
            " group by s.site, s.camera, s.kind
             on conflict (site, camera, kind) do update set last_utc = excluded.last_utc
             where stream_last.last_utc < excluded.last_utc"
        )
    };
}

pub(super) async fn remember_last(db: &mut SqliteConnection, site: SiteId, reel: ReelId) -> Result<(), Failure> {
    let query = sqlx::query(remembers!("s.reel = $2")).bind(site.0.to_vec()).bind(reel.0.to_vec());
    query.execute(db).await?;
    Ok(())
}

async fn remember_last_of(db: &mut SqliteConnection, site: SiteId, hour: Hour) -> Result<(), Failure> {
    let query = sqlx::query(remembers!("r.hour_start_s = $2 and r.hour_length_s = $3"));
    of_hour(query, site, hour).execute(db).await?;
    Ok(())
}

async fn kill_hour(db: &mut SqliteConnection, site: SiteId, hour: Hour) -> Result<(), Failure> {
    remember_last_of(&mut *db, site, hour).await?;
    let streams = "delete from reel_stream where site = $1 and reel in
                   (select reel from reel where site = $1 and hour_start_s = $2 and hour_length_s = $3)";
    of_hour(sqlx::query(streams), site, hour).execute(&mut *db).await?;
    let reels = "update reel set state = 'dead' where site = $1 and hour_start_s = $2 and hour_length_s = $3";
    of_hour(sqlx::query(reels), site, hour).execute(db).await?;
    Ok(())
}

async fn kill_cameras(
    db: &mut SqliteConnection,
    site: SiteId,
    hour: Hour,
    cameras: &[CameraId],
) -> Result<(), Failure> {
    remember_last_of(&mut *db, site, hour).await?;
    for camera in cameras {
        let streams = "delete from reel_stream where site = $1 and camera = $4 and reel in
                       (select reel from reel where site = $1 and hour_start_s = $2 and hour_length_s = $3)";
        of_hour(sqlx::query(streams), site, hour).bind(&camera.0[..]).execute(&mut *db).await?;
    }
    // An open reel may not have entered its streams yet: only a closed one can be known to hold nothing more.
    let empty = "update reel set state = 'dead' where site = $1 and hour_start_s = $2 and hour_length_s = $3
                 and state <> 'open'
                 and not exists (select 1 from reel_stream s where s.site = reel.site and s.reel = reel.reel)";
    of_hour(sqlx::query(empty), site, hour).execute(db).await?;
    Ok(())
}

pub(super) async fn read_reel(
    db: &mut SqliteConnection,
    site: SiteId,
    reel: ReelId,
) -> Result<Option<ReelRow>, Failure> {
    let query = sqlx::query("select * from reel where site = $1 and reel = $2");
    let row = query.bind(&site.0[..]).bind(&reel.0[..]).fetch_optional(db).await?;
    Ok(row.as_ref().map(reel_of).transpose()?)
}

pub(super) fn reel_of(row: &SqliteRow) -> Result<ReelRow, sqlx::Error> {
    let state: String = row.try_get("state")?;
    let state = ReelState::from_name(&state).ok_or_else(|| column::wrong("state", format!("`{state}` is no state")))?;
    Ok(ReelRow {
        reel: ReelId(column::array(row, "reel")?),
        run: RunId(column::array(row, "run")?),
        hour: column::hour(row)?,
        deadline: column::micros(row, "deadline")?,
        state,
        location: row.try_get("location")?,
        bytes: column::count(row, "bytes")?,
        root: column::array_or_none(row, "root")?,
        opened_at: column::micros(row, "opened_at")?,
        closed_at: column::micros_or_none(row, "closed_at")?,
    })
}

pub(super) fn stream_of(row: &SqliteRow) -> Result<StreamRow, sqlx::Error> {
    Ok(StreamRow {
        reel: ReelId(column::array(row, "reel")?),
        handle: column::count(row, "handle")?,
        stream: column::stream(row)?,
        first_utc: column::micros(row, "first_utc")?,
        last_utc: column::micros(row, "last_utc")?,
        frames: column::count(row, "frames")?,
        chunks: column::count(row, "chunks")?,
        bytes: column::count(row, "bytes")?,
    })
}
