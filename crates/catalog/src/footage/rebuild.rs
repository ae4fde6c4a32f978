//! What a rebuild and an audit need of the catalog: a reel entered whole, a check of every page, a damaged file marked (P7).

use super::Footage;
use super::reel::{ReelRow, StreamRow, put_stream, read_reel};
use crate::column::{self, bigint};
use crate::error::CatalogError;
use domain::{CameraId, Hour, UtcMicros};
use sqlx::Row;
use std::path::{Path, PathBuf};

/// Footage of one hour that dies at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub hour: Hour,
    pub deadline: UtcMicros,
    pub bytes: u64,
}

impl Footage {
    /// Enters a reel as its own bytes tell it, with all its streams, in place of what was known of it: all or nothing.
    /// When it was opened and closed stands in no reel, nor whether the keeper heard of it: a row that is there keeps that; a new one gets
    /// `is_told`.
    ///
    /// # Errors
    /// [`CatalogError::NotLive`] for a reel that is dead: what is dead does not come back.
    pub fn reel_rebuilt(&self, row: &ReelRow, streams: &[StreamRow], is_told: bool) -> Result<(), CatalogError> {
        self.database.run(async |db| {
            let known = read_reel(db, self.site, row.reel).await?;
            if known.is_some_and(|known| known.state == super::ReelState::Dead) {
                return Err(CatalogError::NotLive { reel: row.reel }.into());
            }
            let upsert = sqlx::query(
                "insert into reel (site, reel, run, hour_start_s, hour_length_s, deadline, state, location, bytes, root,
                   opened_at, closed_at, told) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                 on conflict (site, reel) do update set run = excluded.run, hour_start_s = excluded.hour_start_s,
                   hour_length_s = excluded.hour_length_s, deadline = excluded.deadline, state = excluded.state,
                   location = excluded.location, bytes = excluded.bytes, root = excluded.root,
                   closed_at = coalesce(reel.closed_at, excluded.closed_at)",
            );
            let upsert = upsert.bind(&self.site.0[..]).bind(&row.reel.0[..]).bind(&row.run.0[..]);
            let upsert = upsert.bind(row.hour.start_seconds()).bind(i64::from(row.hour.length().seconds()));
            let upsert = upsert.bind(row.deadline.0).bind(row.state.name()).bind(&row.location);
            let upsert = upsert.bind(bigint(row.bytes)).bind(row.root.as_ref().map(|root| root.to_vec()));
            let upsert = upsert.bind(row.opened_at.0).bind(row.closed_at.map(|at| at.0)).bind(i64::from(is_told));
            upsert.execute(&mut *db).await?;
            super::reel::remember_last(&mut *db, self.site, row.reel).await?;
            let delete = sqlx::query("delete from reel_stream where site = $1 and reel = $2");
            delete.bind(&self.site.0[..]).bind(&row.reel.0[..]).execute(&mut *db).await?;
            for stream in streams {
                put_stream(db, self.site, stream).await?;
            }
            Ok(())
        })
    }

    /// Bytes that are held of these cameras in an hour.
    pub fn bytes_of(&self, hour: Hour, cameras: &[CameraId]) -> Result<u64, CatalogError> {
        let of_cameras = self.database.run(async |db| {
            let query = sqlx::query(
                "select s.camera, cast(sum(s.bytes) as bigint) as bytes
                 from reel_stream s join reel r on r.site = s.site and r.reel = s.reel
                 where r.site = $1 and r.hour_start_s = $2 and r.hour_length_s = $3 group by s.camera",
            );
            let query = query.bind(&self.site.0[..]).bind(hour.start_seconds());
            let rows = query.bind(i64::from(hour.length().seconds())).fetch_all(db).await?;
            let read = |row| Ok((CameraId(column::array(row, "camera")?), column::count::<u64>(row, "bytes")?));
            Ok(rows.iter().map(read).collect::<Result<Vec<_>, sqlx::Error>>()?)
        })?;
        Ok(of_cameras.into_iter().filter(|(camera, _)| cameras.contains(camera)).map(|(_, bytes)| bytes).sum())
    }

    /// What live reels hold, by their hour and the deadline in their header: what dies when, and what lives how long.
    pub fn held(&self) -> Result<Vec<Held>, CatalogError> {
        self.database.run(async |db| {
            let query = "select hour_start_s, hour_length_s, deadline, cast(sum(bytes) as bigint) as bytes from reel
                         where site = $1 and state <> 'dead' group by hour_start_s, hour_length_s, deadline";
            let rows = sqlx::query(query).bind(&self.site.0[..]).fetch_all(db).await?;
            let read = |row: &_| {
                let (hour, deadline) = (column::hour(row)?, column::micros(row, "deadline")?);
                Ok(Held { hour, deadline, bytes: column::count(row, "bytes")? })
            };
            Ok(rows.iter().map(read).collect::<Result<_, sqlx::Error>>()?)
        })
    }

    /// Reads every page once, in the background and on a catalog opened for reading: footage is too large to wait for this,
    /// at a start or at a sync.
    ///
    /// # Errors
    /// [`CatalogError::Damaged`]: see [`Footage::mark_damaged`].
    pub fn check_whole(&self) -> Result<(), CatalogError> {
        self.database.run(async |db| {
            let row = sqlx::query("pragma quick_check(1)").fetch_one(db).await?;
            let answer: String = row.try_get(0)?;
            if answer == "ok" { Ok(()) } else { Err(column::wrong("quick_check", answer).into()) }
        })
    }

    /// Marks a catalog that is open and damaged: the next start discards it and rebuilds.
    ///
    /// # Errors
    /// [`CatalogError::File`].
    pub fn mark_damaged(path: &Path) -> Result<(), CatalogError> {
        let mark = damage_mark(path);
        std::fs::write(&mark, b"").map_err(|source| CatalogError::File { path: mark, source })
    }

    /// Whether [`Footage::mark_damaged`] was called since the last [`Footage::discard`].
    pub fn is_marked_damaged(path: &Path) -> bool {
        damage_mark(path).exists()
    }
}

fn damage_mark(path: &Path) -> PathBuf {
    let mut mark = path.as_os_str().to_owned();
    mark.push(super::DAMAGE_MARK);
    PathBuf::from(mark)
}
