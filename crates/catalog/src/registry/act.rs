//! Acts as dated versions: "which papers held on 12 March at 14:00, as we knew them on the 20th" is a query.

use super::Registry;
use crate::column;
use crate::error::{CatalogError, Failure};
use domain::{Act, ActId, ActKind, ActScope, ActTerms, Sensitive, UtcMicros};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;

/// One dated version of a paper.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActVersion {
    pub act: Act,
    /// From 1, without holes.
    pub version: u32,
    /// The paper is known like this from here on.
    pub recorded_at: UtcMicros,
    /// The paper was withdrawn, and holds no more from here on.
    pub withdrawn_from: Option<UtcMicros>,
}

impl ActVersion {
    /// The paper as it stands: a withdrawal is its end, if no earlier one is.
    pub fn standing(&self) -> Act {
        let mut act = self.act.clone();
        act.until = match (act.until, self.withdrawn_from) {
            (Some(until), Some(withdrawn)) => Some(until.min(withdrawn)),
            (until, withdrawn) => until.or(withdrawn),
        };
        act
    }
}

impl Registry {
    /// Adds a version of each: new papers, or papers read again and corrected. All of them, or none.
    ///
    /// # Errors
    /// [`CatalogError::ActRecordedBackwards`].
    pub fn acts_put(&self, acts: &[Act], recorded_at: UtcMicros) -> Result<(), CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            for act in acts {
                add_version(db, site, act, recorded_at, None).await?;
            }
            Ok(())
        })
    }

    /// Withdraws a paper from `from` on: its last facts, with that end. The version's number.
    ///
    /// # Errors
    /// [`CatalogError::UnknownAct`], [`CatalogError::ActRecordedBackwards`].
    pub fn act_withdraw(&self, id: ActId, from: UtcMicros, recorded_at: UtcMicros) -> Result<u32, CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let known = versions(db, site, recorded_at).await?;
            let last = known.into_iter().rfind(|version| version.act.id == id);
            let last = last.ok_or(CatalogError::UnknownAct { act: id })?;
            add_version(db, site, &last.act, recorded_at, Some(from)).await
        })
    }

    /// The papers that held at `valid_time` as they were known at `recorded_time`, each as it stood then.
    pub fn acts_at(&self, valid_time: UtcMicros, recorded_time: UtcMicros) -> Result<Vec<ActVersion>, CatalogError> {
        let mut known = self.acts_known(recorded_time)?;
        known.retain(|version| version.standing().holds_at(valid_time));
        Ok(known)
    }

    /// Every paper as it was known at `recorded_time`, whether it held or not, by kind and beginning.
    pub fn acts_known(&self, recorded_time: UtcMicros) -> Result<Vec<ActVersion>, CatalogError> {
        let site = &self.site.id.0;
        let all = self.database.run(async |db| versions(db, site, recorded_time).await)?;
        // in the order of their versions: the last one counts
        let last: BTreeMap<ActId, ActVersion> = all.into_iter().map(|version| (version.act.id, version)).collect();
        let mut known: Vec<ActVersion> = last.into_values().collect();
        known.sort_by_key(|version| (version.act.kind, version.act.from, version.act.id));
        Ok(known)
    }

    /// All versions of one paper, in the order in which they were recorded.
    pub fn act_history(&self, id: ActId) -> Result<Vec<ActVersion>, CatalogError> {
        let site = &self.site.id.0;
        let mut all = self.database.run(async |db| versions(db, site, UtcMicros(i64::MAX)).await)?;
        all.retain(|version| version.act.id == id);
        Ok(all)
    }
}

async fn versions(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    recorded_time: UtcMicros,
) -> Result<Vec<ActVersion>, Failure> {
    let query = sqlx::query("select * from act where site = $1 and recorded_at <= $2 order by act, version");
    let rows = query.bind(&site[..]).bind(recorded_time.0).fetch_all(db).await?;
    Ok(rows.iter().map(version_of).collect::<Result<_, _>>()?)
}

async fn add_version(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    act: &Act,
    recorded_at: UtcMicros,
    withdrawn_from: Option<UtcMicros>,
) -> Result<u32, Failure> {
    let last = sqlx::query(
        "select coalesce(max(version), 0) as version, max(recorded_at) as recorded_at
         from act where site = $1 and act = $2",
    );
    let last = last.bind(&site[..]).bind(&act.id.0[..]).fetch_one(&mut *db).await?;
    if column::micros_or_none(&last, "recorded_at")?.is_some_and(|known| known > recorded_at) {
        return Err(CatalogError::ActRecordedBackwards { act: act.id }.into());
    }
    let version = column::count::<u32>(&last, "version")? + 1;
    let insert = sqlx::query(
        "insert into act (site, act, version, recorded_at, withdrawn_from, kind, number, signed, signatory, valid_from,
           valid_until, scope, terms, scan)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    );
    let insert = insert.bind(&site[..]).bind(&act.id.0[..]).bind(i64::from(version)).bind(recorded_at.0);
    let insert = insert.bind(withdrawn_from.map(|at| at.0)).bind(act.kind.name()).bind(&act.number);
    let insert = insert.bind(act.signed.0).bind(act.signatory.reveal()).bind(act.from.0);
    let insert = insert.bind(act.until.map(|at| at.0)).bind(column::json(&act.scope)?).bind(column::json(&act.terms)?);
    insert.bind(act.scan.as_ref().map(|scan| &scan[..])).execute(db).await?;
    Ok(version)
}

fn version_of(row: &SqliteRow) -> Result<ActVersion, sqlx::Error> {
    let kind: String = row.try_get("kind")?;
    let act = Act {
        id: ActId(column::array(row, "act")?),
        kind: kind.parse::<ActKind>().map_err(|error| column::wrong("kind", error.to_string()))?,
        number: row.try_get("number")?,
        signed: column::micros(row, "signed")?,
        signatory: Sensitive::new(row.try_get("signatory")?),
        from: column::micros(row, "valid_from")?,
        until: column::micros_or_none(row, "valid_until")?,
        scope: column::from_json::<ActScope>(row, "scope")?,
        terms: column::from_json::<ActTerms>(row, "terms")?,
        scan: column::array_or_none(row, "scan")?,
    };
    Ok(ActVersion {
        act,
        version: column::count(row, "version")?,
        recorded_at: column::micros(row, "recorded_at")?,
        withdrawn_from: column::micros_or_none(row, "withdrawn_from")?,
    })
}
