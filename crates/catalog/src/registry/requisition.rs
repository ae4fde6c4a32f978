//! The register of requisitions as dated versions, and what left under them. What a requisition says is sealed by the keeper.

use super::Registry;
use crate::column;
use crate::error::CatalogError;
use domain::{AccountId, ExportId, Purpose, RequisitionId, UtcMicros, Window};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// One line of the register as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequisitionRow {
    pub id: RequisitionId,
    /// From 1, without holes.
    pub version: u32,
    pub recorded_at: UtcMicros,
    pub year: u16,
    pub number: u32,
    /// Sealed by the keeper.
    pub facts: Vec<u8>,
}

/// One export that two persons opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportRow {
    pub id: ExportId,
    pub requisition: RequisitionId,
    pub account: AccountId,
    pub second: AccountId,
    pub opened: UtcMicros,
    /// No permit for it holds from here on.
    pub until: UtcMicros,
    pub windows: Vec<Window>,
    pub purpose: Purpose,
    pub leaf: u64,
    /// Of its package, once that is made.
    pub manifest: Option<[u8; 32]>,
}

impl Registry {
    /// Adds a version of a requisition.
    pub fn requisition_put(&self, row: &RequisitionRow) -> Result<(), CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let insert = sqlx::query(
                "insert into requisition (site, requisition, version, recorded_at, year, number, facts)
                 values ($1, $2, $3, $4, $5, $6, $7)",
            );
            let insert = insert.bind(&site[..]).bind(&row.id.0[..]).bind(i64::from(row.version));
            let insert = insert.bind(row.recorded_at.0).bind(i64::from(row.year)).bind(i64::from(row.number));
            insert.bind(&row.facts[..]).execute(db).await?;
            Ok(())
        })
    }

    /// Each requisition in its last version, by year and number.
    pub fn requisitions(&self) -> Result<Vec<RequisitionRow>, CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let query = sqlx::query(
                "select * from requisition as known where site = $1 and version =
                   (select max(version) from requisition where site = $1 and requisition = known.requisition)
                 order by year, number",
            );
            let rows = query.bind(&site[..]).fetch_all(db).await?;
            Ok(rows.iter().map(requisition_of).collect::<Result<_, _>>()?)
        })
    }

    /// Remembers an export; one that is known stays as it is.
    pub fn export_put(&self, row: &ExportRow) -> Result<(), CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let insert = sqlx::query(
                "insert into export (site, export, requisition, account, second, opened, until, windows, purpose, leaf)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
            );
            let insert = insert.bind(&site[..]).bind(&row.id.0[..]).bind(&row.requisition.0[..]);
            let insert = insert.bind(&row.account.0[..]).bind(&row.second.0[..]).bind(row.opened.0).bind(row.until.0);
            let insert = insert.bind(column::json(&row.windows)?).bind(i64::from(row.purpose.number()));
            insert.bind(column::bigint(row.leaf)).execute(db).await?;
            Ok(())
        })
    }

    /// The package of an export is made.
    pub fn export_made(&self, id: ExportId, manifest: &[u8; 32]) -> Result<(), CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let update = sqlx::query("update export set manifest = $3 where site = $1 and export = $2");
            update.bind(&site[..]).bind(&id.0[..]).bind(&manifest[..]).execute(db).await?;
            Ok(())
        })
    }

    /// One export; `None` for one that nobody opened.
    pub fn export(&self, id: ExportId) -> Result<Option<ExportRow>, CatalogError> {
        Ok(self.exports()?.into_iter().find(|row| row.id == id))
    }

    /// All exports, by the time at which they were opened.
    pub fn exports(&self) -> Result<Vec<ExportRow>, CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let query = sqlx::query("select * from export where site = $1 order by opened, export");
            let rows = query.bind(&site[..]).fetch_all(db).await?;
            Ok(rows.iter().map(export_of).collect::<Result<_, _>>()?)
        })
    }
}

pub(super) fn requisition_of(row: &SqliteRow) -> Result<RequisitionRow, sqlx::Error> {
    Ok(RequisitionRow {
        id: RequisitionId(column::array(row, "requisition")?),
        version: column::count(row, "version")?,
        recorded_at: column::micros(row, "recorded_at")?,
        year: column::count(row, "year")?,
        number: column::count(row, "number")?,
        facts: row.try_get("facts")?,
    })
}

fn export_of(row: &SqliteRow) -> Result<ExportRow, sqlx::Error> {
    let number: u8 = column::count(row, "purpose")?;
    let purpose = Purpose::from_number(number);
    Ok(ExportRow {
        id: ExportId(column::array(row, "export")?),
        requisition: RequisitionId(column::array(row, "requisition")?),
        account: AccountId(column::array(row, "account")?),
        second: AccountId(column::array(row, "second")?),
        opened: column::micros(row, "opened")?,
        until: column::micros(row, "until")?,
        windows: column::from_json(row, "windows")?,
        purpose: purpose.ok_or_else(|| column::wrong("purpose", format!("{number} is no purpose")))?,
        leaf: column::count(row, "leaf")?,
        manifest: column::array_or_none(row, "manifest")?,
    })
}
