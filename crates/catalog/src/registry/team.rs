//! Teams of persons as dated versions: what the town's own rules name, and who was in which when.

use super::Registry;
use super::account::AccountId;
use crate::column;
use crate::error::CatalogError;
use domain::UtcMicros;
use sqlx::Row;
use std::collections::BTreeMap;

impl Registry {
    /// These are a person's teams from `valid_from` on, as known from `recorded_at` on.
    pub fn teams_put(
        &self,
        account: AccountId,
        teams: &[String],
        valid_from: UtcMicros,
        recorded_at: UtcMicros,
    ) -> Result<(), CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let last = "select coalesce(max(version), 0) as version from team where site = $1 and account = $2";
            let last = sqlx::query(last).bind(site).bind(&account.0[..]).fetch_one(&mut *db).await?;
            let version: i64 = last.try_get("version")?;
            let insert = "insert into team (site, account, version, valid_from, recorded_at, teams)
                values ($1, $2, $3, $4, $5, $6)";
            let insert = sqlx::query(insert).bind(site).bind(&account.0[..]).bind(version + 1);
            let insert = insert.bind(valid_from.0).bind(recorded_at.0).bind(column::json(&teams)?);
            insert.execute(db).await?;
            Ok(())
        })
    }

    /// Everybody's teams at `valid_time` as they were known at `recorded_time`; who is in none is left out.
    pub fn teams_at(
        &self,
        valid_time: UtcMicros,
        recorded_time: UtcMicros,
    ) -> Result<BTreeMap<AccountId, Vec<String>>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let query = sqlx::query(
                "select account, teams from (
                   select team.*, row_number() over (partition by account order by valid_from desc, version desc) as nth
                   from team where site = $1 and valid_from <= $2 and recorded_at <= $3
                 ) as dated where nth = 1",
            );
            let rows = query.bind(site).bind(valid_time.0).bind(recorded_time.0).fetch_all(db).await?;
            let mut found = BTreeMap::new();
            for row in &rows {
                let teams: Vec<String> = column::from_json(row, "teams")?;
                if !teams.is_empty() {
                    found.insert(AccountId(column::array(row, "account")?), teams);
                }
            }
            Ok(found)
        })
    }
}
