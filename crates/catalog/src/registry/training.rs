//! When each person was trained in data protection (law ACC-08).

use super::{Registry, account::AccountId};
use crate::{column, error::CatalogError};
use domain::UtcMicros;
use std::collections::BTreeMap;

impl Registry {
    /// Adds a training; the same day twice is one.
    pub fn training_add(
        &self,
        account: AccountId,
        trained_on: UtcMicros,
        recorded_at: UtcMicros,
    ) -> Result<(), CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let insert = "insert into training (site, account, trained_on, recorded_at)
                values ($1, $2, $3, $4) on conflict (site, account, trained_on) do nothing";
            let insert = sqlx::query(insert).bind(site).bind(&account.0[..]).bind(trained_on.0);
            insert.bind(recorded_at.0).execute(db).await?;
            Ok(())
        })
    }

    /// Each person's latest training.
    pub fn trainings(&self) -> Result<BTreeMap<AccountId, UtcMicros>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let query = "select account, max(trained_on) as trained_on from training where site = $1 group by account";
            let rows = sqlx::query(query).bind(site).fetch_all(db).await?;
            let latest = |row| Ok((AccountId(column::array(row, "account")?), column::micros(row, "trained_on")?));
            Ok(rows.iter().map(latest).collect::<Result<_, sqlx::Error>>()?)
        })
    }
}
