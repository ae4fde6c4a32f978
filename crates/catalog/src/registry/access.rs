//! The register of requests for access as dated versions. What a request says is sealed by the keeper.

use super::Registry;
use crate::column;
use crate::error::CatalogError;
use domain::{AccessId, UtcMicros};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// One line of the register as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessRow {
    pub id: AccessId,
    /// From 1, without holes.
    pub version: u32,
    pub recorded_at: UtcMicros,
    pub year: u16,
    pub number: u32,
    /// Sealed by the keeper.
    pub facts: Vec<u8>,
}

impl Registry {
    /// Adds a version of a request.
    pub fn access_put(&self, row: &AccessRow) -> Result<(), CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let insert = sqlx::query(
                "insert into access_request (site, request, version, recorded_at, year, number, facts)
                 values ($1, $2, $3, $4, $5, $6, $7)",
            );
            let insert = insert.bind(&site[..]).bind(&row.id.0[..]).bind(i64::from(row.version));
            let insert = insert.bind(row.recorded_at.0).bind(i64::from(row.year)).bind(i64::from(row.number));
            insert.bind(&row.facts[..]).execute(db).await?;
            Ok(())
        })
    }

    /// Each request in its last version, by year and number.
    pub fn access_requests(&self) -> Result<Vec<AccessRow>, CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let query = sqlx::query(
                "select * from access_request as known where site = $1 and version =
                   (select max(version) from access_request where site = $1 and request = known.request)
                 order by year, number",
            );
            let rows = query.bind(&site[..]).fetch_all(db).await?;
            Ok(rows.iter().map(access_of).collect::<Result<_, _>>()?)
        })
    }
}

fn access_of(row: &SqliteRow) -> Result<AccessRow, sqlx::Error> {
    Ok(AccessRow {
        id: AccessId(column::array(row, "request")?),
        version: column::count(row, "version")?,
        recorded_at: column::micros(row, "recorded_at")?,
        year: column::count(row, "year")?,
        number: column::count(row, "number")?,
        facts: row.try_get("facts")?,
    })
}
