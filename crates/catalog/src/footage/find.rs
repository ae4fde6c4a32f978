//! Where footage lies: reels of a stream in a span, a day as spans of footage, and the gaps with their causes.

use super::Footage;
use super::reel::{ReelRow, StreamRow, reel_of, stream_of};
use crate::column;
use crate::error::{CatalogError, Failure};
use domain::{ReelId, Span, StreamId, UtcMicros, limit};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::{BTreeMap, HashMap};

/// A reel that holds footage of the stream asked for, and what it holds of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Located {
    pub reel: ReelRow,
    pub stream: StreamRow,
}

/// A time without footage, and why (R12).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    pub stream: StreamId,
    pub from: UtcMicros,
    /// None while it lasts.
    pub to: Option<UtcMicros>,
    /// The word of the reel's line, and its detail behind a space where it has one.
    pub cause: String,
}

/// See [`Footage::left_by_earlier_runs`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Left {
    pub last: Option<UtcMicros>,
    pub open: Option<Gap>,
    pub over: Option<Gap>,
}

/// See [`Footage::earlier_life`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EarlierLife {
    /// The latest instant of which the catalog tells: an earlier run lived at least until then. `None`: it tells of none.
    pub until: Option<UtcMicros>,
    /// The last frame of each stream, also where its hour dies before anybody asks.
    pub last: BTreeMap<StreamId, UtcMicros>,
}

/// A reel belongs to one hour, which turns at most 10 s late (R2, R8): none holds footage of two hours' length. The
/// bound lets the index skip a month of reels that begin before the span.
const REEL_MICROS_MAX: i64 = 2 * 3_600 * 1_000_000;
/// Spans of footage nearer than what a power cut may cost (promise 1) are shown as one.
const MERGED_MICROS: i64 = limit::LOSS_MS_MAX as i64 * 1_000;

impl Footage {
    /// The reels with a frame of `stream` in `span`, by the time of their first frame.
    pub fn locate(&self, stream: StreamId, span: Span) -> Result<Vec<Located>, CatalogError> {
        self.database.run(async |db| {
            let streams = streams_in(db, &self.site.0, stream, span).await?;
            let query = sqlx::query(
                "select distinct reel.* from reel_stream s join reel on reel.site = s.site and reel.reel = s.reel
                 where s.site = $1 and s.camera = $2 and s.kind = $3 and s.frames > 0
                   and s.first_utc < $4 and s.last_utc >= $5 and s.first_utc >= $6",
            );
            let rows = bind_span(query, &self.site.0, stream, span).fetch_all(db).await?;
            let reels = rows.iter().map(|row| reel_of(row).map(|reel| (reel.reel, reel)));
            let reels: HashMap<ReelId, ReelRow> = reels.collect::<Result<_, _>>()?;
            let located =
                |stream: StreamRow| reels.get(&stream.reel).map(|reel| Located { reel: reel.clone(), stream });
            Ok(streams.into_iter().filter_map(located).collect())
        })
    }

    /// The spans of `span` in which there is footage of `stream`, in order; those less than 2 s apart are one. A span
    /// ends just after its last frame.
    pub fn day(&self, stream: StreamId, span: Span) -> Result<Vec<Span>, CatalogError> {
        let rows = self.database.run(async |db| streams_in(db, &self.site.0, stream, span).await)?;
        Ok(merge(rows.into_iter().map(|row| (row.first_utc, row.last_utc.plus_micros(1))), span))
    }

    /// The same, in two: what lies in reels of which `is_there` says that they can be read, and what does not and is nowhere else.
    pub fn day_in_two(
        &self,
        stream: StreamId,
        span: Span,
        is_there: impl Fn(&ReelRow) -> bool,
    ) -> Result<(Vec<Span>, Vec<Span>), CatalogError> {
        let (mut there, mut away) = (Vec::new(), Vec::new());
        for located in self.locate(stream, span)? {
            let piece = (located.stream.first_utc, located.stream.last_utc.plus_micros(1));
            if is_there(&located.reel) { there.push(piece) } else { away.push(piece) }
        }
        let there = merge(there.into_iter(), span);
        let missing = merge(away.into_iter(), span).into_iter().flat_map(|span| without(span, &there)).collect();
        Ok((there, missing))
    }

    /// Enters a gap, or the end of one that is known by its stream and `from`. Causes are kept as first entered.
    pub fn gap(&self, gap: &Gap) -> Result<(), CatalogError> {
        self.database.run(async |db| {
            let upsert = sqlx::query(
                "insert into gap (site, camera, kind, from_utc, to_utc, cause) values ($1, $2, $3, $4, $5, $6)
                 on conflict (site, camera, kind, from_utc) do update set to_utc = excluded.to_utc",
            );
            let upsert = upsert.bind(&self.site.0[..]).bind(&gap.stream.camera.0[..]);
            let upsert = upsert.bind(i64::from(gap.stream.kind.code())).bind(gap.from.0);
            upsert.bind(gap.to.map(|to| to.0)).bind(&gap.cause).execute(db).await?;
            Ok(())
        })
    }

    /// What runs before `at` left of `stream`: its last frame, the gap that is open, and the last one that is over.
    pub fn left_by_earlier_runs(&self, stream: StreamId, at: UtcMicros) -> Result<Left, CatalogError> {
        self.database.run(async |db| {
            let bind = |query: Query<'static>| {
                let query = query.bind(self.site.0.to_vec()).bind(stream.camera.0.to_vec());
                query.bind(i64::from(stream.kind.code()))
            };
            // the newest few by the index: reels of one stream overlap by seconds at most
            let last = "select max(last_utc) as last from (
                          select last_utc from reel_stream where site = $1 and camera = $2 and kind = $3
                            and first_utc < $4 and frames > 0 order by first_utc desc limit 8) as newest";
            let last = bind(sqlx::query(last)).bind(at.0).fetch_one(&mut *db).await?;
            let last = column::micros_or_none(&last, "last")?;
            let over = "select * from gap where site = $1 and camera = $2 and kind = $3 and to_utc is not null
                          and from_utc < $4 order by from_utc desc limit 1";
            let over = bind(sqlx::query(over)).bind(at.0).fetch_optional(&mut *db).await?;
            let open = "select * from gap where site = $1 and camera = $2 and kind = $3 and to_utc is null
                        order by from_utc desc limit 1";
            let open = bind(sqlx::query(open)).fetch_optional(db).await?;
            let over = over.as_ref().map(gap_of).transpose()?;
            Ok(Left { last, open: open.as_ref().map(gap_of).transpose()?, over })
        })
    }

    /// What the catalog knows of earlier runs; read before recovery adds to it and takes from it.
    pub fn earlier_life(&self) -> Result<EarlierLife, CatalogError> {
        self.database.run(async |db| {
            let latest = "select max(at) as at from (
                            select max(last_utc) as at from reel_stream where site = $1 and frames > 0
                            union all select max(opened_at) from reel where site = $1
                            union all select max(closed_at) from reel where site = $1 and state = 'closed'
                            union all select max(from_utc) from gap where site = $1
                            union all select max(to_utc) from gap where site = $1) as told";
            let latest = sqlx::query(latest).bind(&self.site.0[..]).fetch_one(&mut *db).await?;
            let last = "select camera, kind, max(last_utc) as last from (
                          select camera, kind, last_utc from reel_stream where site = $1 and frames > 0
                          union all select camera, kind, last_utc from stream_last where site = $1) as known
                        group by camera, kind";
            let rows = sqlx::query(last).bind(&self.site.0[..]).fetch_all(db).await?;
            let last = rows.iter().map(|row| Ok((column::stream(row)?, column::micros(row, "last")?)));
            let last = last.collect::<Result<_, sqlx::Error>>()?;
            Ok(EarlierLife { until: column::micros_or_none(&latest, "at")?, last })
        })
    }

    /// The gaps of `stream` that share an instant with `span`, in order; one that lasts reaches into every later span.
    pub fn gaps(&self, stream: StreamId, span: Span) -> Result<Vec<Gap>, CatalogError> {
        self.database.run(async |db| {
            let query = sqlx::query(
                "select * from gap where site = $1 and camera = $2 and kind = $3
                   and from_utc < $4 and (to_utc is null or to_utc > $5) order by from_utc",
            );
            let query = query.bind(&self.site.0[..]).bind(&stream.camera.0[..]).bind(i64::from(stream.kind.code()));
            let rows = query.bind(span.to().0).bind(span.from().0).fetch_all(db).await?;
            Ok(rows.iter().map(gap_of).collect::<Result<_, _>>()?)
        })
    }

    /// Deletes the gaps that ended before `before`, and the last pictures of streams that had none since: nothing is left of the hours
    /// around them. How many gaps.
    pub fn gaps_forget(&self, before: UtcMicros) -> Result<u64, CatalogError> {
        self.database.run(async |db| {
            let last = sqlx::query("delete from stream_last where site = $1 and last_utc < $2");
            last.bind(&self.site.0[..]).bind(before.0).execute(&mut *db).await?;
            let delete = sqlx::query("delete from gap where site = $1 and to_utc < $2");
            Ok(delete.bind(&self.site.0[..]).bind(before.0).execute(db).await?.rows_affected())
        })
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// Binds $1 to $6: site, camera, kind, the span's end, its start, and the earliest first frame that can reach into it.
fn bind_span<'q>(query: Query<'q>, site: &[u8; 16], stream: StreamId, span: Span) -> Query<'q> {
    let query = query.bind(site.to_vec()).bind(stream.camera.0.to_vec()).bind(i64::from(stream.kind.code()));
    query.bind(span.to().0).bind(span.from().0).bind(span.from().plus_micros(-REEL_MICROS_MAX).0)
}

async fn streams_in(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    stream: StreamId,
    span: Span,
) -> Result<Vec<StreamRow>, Failure> {
    let query = sqlx::query(
        "select s.* from reel_stream s where s.site = $1 and s.camera = $2 and s.kind = $3 and s.frames > 0
           and s.first_utc < $4 and s.last_utc >= $5 and s.first_utc >= $6
         order by s.first_utc, s.last_utc, s.reel",
    );
    let rows = bind_span(query, site, stream, span).fetch_all(db).await?;
    Ok(rows.iter().map(stream_of).collect::<Result<_, _>>()?)
}

/// Merges spans given by their start and clips them to `within`.
fn merge(pieces: impl Iterator<Item = (UtcMicros, UtcMicros)>, within: Span) -> Vec<Span> {
    let mut merged: Vec<(UtcMicros, UtcMicros)> = Vec::new();
    for (from, to) in pieces {
        match merged.last_mut() {
            Some((_, end)) if from.since(*end) < MERGED_MICROS => *end = (*end).max(to),
            _ => merged.push((from, to)),
        }
    }
    let clip = |(from, to): (UtcMicros, UtcMicros)| Span::new(from.max(within.from()), to.min(within.to())).ok();
    merged.into_iter().filter_map(clip).collect()
}

/// The parts of a span that none of the others, which stand in order, covers.
fn without(span: Span, others: &[Span]) -> Vec<Span> {
    let (mut parts, mut from) = (Vec::new(), span.from());
    for other in others.iter().filter(|other| other.to() > span.from() && other.from() < span.to()) {
        parts.extend(Span::new(from, other.from()).ok().filter(|part| part.micros() > 0));
        from = from.max(other.to());
    }
    parts.extend(Span::new(from, span.to()).ok().filter(|part| part.micros() > 0));
    parts
}

fn gap_of(row: &SqliteRow) -> Result<Gap, sqlx::Error> {
    Ok(Gap {
        stream: column::stream(row)?,
        from: column::micros(row, "from_utc")?,
        to: column::micros_or_none(row, "to_utc")?,
        cause: row.try_get("cause")?,
    })
}
