//! The end of the registers: a line that nobody touched since a moment goes with all its versions and what left under it (CSI R253-5).

use super::{
    Registry,
    requisition::{RequisitionRow, requisition_of},
};
use crate::{column, error::CatalogError};
use domain::UtcMicros;
use std::{collections::BTreeSet, fs::File, io::ErrorKind};

/// Each of these takes the site and the moment.
const FORGET: [&str; 3] = [
    "delete from export where site = $1 and requisition in (select requisition from requisition where site = $1
       group by requisition having max(recorded_at) < $2)",
    "delete from requisition where site = $1 and requisition in (select requisition from requisition where site = $1
       group by requisition having max(recorded_at) < $2)",
    "delete from access_request where site = $1 and request in (select request from access_request where site = $1
       group by request having max(recorded_at) < $2)",
];

impl Registry {
    /// Forgets the lines of the registers whose last version is older; how many rows went. Overwritten, not only unlinked.
    pub fn registers_forget(&self, before: UtcMicros) -> Result<u64, CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let mut gone = 0;
            for forget in FORGET {
                let delete = sqlx::query(forget).bind(&site[..]).bind(before.0);
                gone += delete.execute(&mut *db).await?.rows_affected();
            }
            Ok(gone)
        })
    }

    /// Removes a scan, durably; one that is not there is gone already.
    pub fn scan_remove(&self, digest: &[u8; 32]) -> Result<(), CatalogError> {
        let path = self.scan_path(digest);
        let removed = std::fs::remove_file(&path).and_then(|()| File::open(self.scan_folder())?.sync_all());
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(CatalogError::File { path, source: error }),
            _ => Ok(()),
        }
    }

    /// Every version of every requisition, the older ones of one first.
    pub fn requisition_versions(&self) -> Result<Vec<RequisitionRow>, CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let query = sqlx::query("select * from requisition where site = $1 order by requisition, version");
            let rows = query.bind(&site[..]).fetch_all(db).await?;
            Ok(rows.iter().map(requisition_of).collect::<Result<_, _>>()?)
        })
    }

    /// Scans that any version of any act names.
    pub fn scans_of_acts(&self) -> Result<BTreeSet<[u8; 32]>, CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let query = sqlx::query("select scan from act where site = $1 and scan is not null");
            let rows = query.bind(&site[..]).fetch_all(db).await?;
            Ok(rows.iter().map(|row| column::array(row, "scan")).collect::<Result<_, _>>()?)
        })
    }
}
