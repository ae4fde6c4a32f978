//! Gaps after a rebuild: learnt from the reels' lines, ended where footage says so, and what the lost catalog knew alone (R12).

use super::{Footage, find::Gap};
use crate::column;
use crate::error::CatalogError;
use domain::{StreamId, UtcMicros};
use sqlx::Row;

impl Footage {
    /// Enters a gap as a reel tells it. Lines come in any order: one that says that it lasts does not undo a known end.
    pub fn gap_learnt(&self, gap: &Gap) -> Result<(), CatalogError> {
        self.database.run(async |db| {
            let upsert = sqlx::query(
                "insert into gap (site, camera, kind, from_utc, to_utc, cause) values ($1, $2, $3, $4, $5, $6)
                 on conflict (site, camera, kind, from_utc) do update set to_utc = coalesce(gap.to_utc, excluded.to_utc)",
            );
            let upsert = upsert.bind(&self.site.0[..]).bind(&gap.stream.camera.0[..]);
            let upsert = upsert.bind(i64::from(gap.stream.kind.code())).bind(gap.from.0);
            upsert.bind(gap.to.map(|to| to.0)).bind(&gap.cause).execute(db).await?;
            Ok(())
        })
    }

    /// Ends gaps of `stream` that nobody keeps open, but for the one that began at `open`: where the next footage or the
    /// next gap begins. Their ends stood in a catalog or a reel that is lost. How many.
    pub fn gaps_settle(&self, stream: StreamId, open: Option<UtcMicros>) -> Result<u64, CatalogError> {
        self.database.run(async |db| {
            let update = sqlx::query(
                "update gap set to_utc = (select min(next) from (
                   select min(s.first_utc) as next from reel_stream s where s.site = gap.site and s.camera = gap.camera
                     and s.kind = gap.kind and s.frames > 0 and s.first_utc > gap.from_utc
                   union all select min(g.from_utc) from gap g where g.site = gap.site and g.camera = gap.camera
                     and g.kind = gap.kind and g.from_utc > gap.from_utc) as after)
                 where site = $1 and camera = $2 and kind = $3 and to_utc is null and from_utc <> $4",
            );
            let update = update.bind(&self.site.0[..]).bind(&stream.camera.0[..]);
            let update = update.bind(i64::from(stream.kind.code())).bind(open.map_or(i64::MIN, |open| open.0));
            Ok(update.execute(db).await?.rows_affected())
        })
    }

    /// The last frame of `stream` before `at` and the first one from it on.
    pub fn frames_around(
        &self,
        stream: StreamId,
        at: UtcMicros,
    ) -> Result<(Option<UtcMicros>, Option<UtcMicros>), CatalogError> {
        self.database.run(async |db| {
            let query = sqlx::query(
                // the nearest few by the index on either side: reels of one stream overlap by seconds at most
                "select (select max(last_utc) from (
                           select last_utc from reel_stream where site = $1 and camera = $2 and kind = $3
                             and first_utc < $4 and frames > 0 order by first_utc desc limit 8) as earlier) as before,
                        (select first_utc from reel_stream where site = $1 and camera = $2 and kind = $3
                             and first_utc >= $4 and frames > 0 order by first_utc limit 1) as after",
            );
            let query = query.bind(&self.site.0[..]).bind(&stream.camera.0[..]);
            let row = query.bind(i64::from(stream.kind.code())).bind(at.0).fetch_one(db).await?;
            let before = row.try_get::<Option<i64>, _>("before")?.map(UtcMicros);
            Ok((before, column::micros_or_none(&row, "after")?))
        })
    }
}
