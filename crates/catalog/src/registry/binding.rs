//! Sign-in by a provider: the provider's confirmed keys, and whose identity there belongs to which account. Both sealed.

use super::Registry;
use super::account::AccountId;
use crate::column;
use crate::error::CatalogError;
use domain::{Sensitive, UtcMicros};
use sqlx::Row;

/// An account, and who its person is at a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    pub account: AccountId,
    /// Issuer and subject, sealed by the keeper.
    pub sealed: Sensitive<Vec<u8>>,
}

impl Registry {
    /// The provider's keys as they were confirmed last, sealed by the keeper.
    pub fn provider_keys(&self, issuer: &str) -> Result<Option<Vec<u8>>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let query = sqlx::query("select keys from provider_keys where site = $1 and issuer = $2");
            let row = query.bind(site).bind(issuer).fetch_optional(db).await?;
            Ok(row.map(|row| row.try_get("keys")).transpose()?)
        })
    }

    /// From here on these keys are the provider's, and no others.
    pub fn provider_keys_set(&self, issuer: &str, sealed: &[u8], now: UtcMicros) -> Result<(), CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let put = "insert into provider_keys (site, issuer, keys, confirmed) values ($1, $2, $3, $4)
                on conflict (site, issuer) do update set keys = excluded.keys, confirmed = excluded.confirmed";
            sqlx::query(put).bind(site).bind(issuer).bind(sealed).bind(now.0).execute(db).await?;
            Ok(())
        })
    }

    /// All identities that belong to accounts: one at most of each.
    pub fn bindings(&self) -> Result<Vec<Binding>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let query = sqlx::query("select account, identity from binding where site = $1 order by account");
            let rows = query.bind(site).fetch_all(db).await?;
            let identity = |row: &sqlx::sqlite::SqliteRow| {
                let account = AccountId(column::array(row, "account")?);
                Ok(Binding { account, sealed: Sensitive::new(row.try_get("identity")?) })
            };
            Ok(rows.iter().map(identity).collect::<Result<_, sqlx::Error>>()?)
        })
    }

    /// The account's identity is this one from here on.
    pub fn binding_set(&self, account: AccountId, sealed: &[u8], now: UtcMicros) -> Result<(), CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let put = "insert into binding (site, account, identity, bound) values ($1, $2, $3, $4)
                on conflict (site, account) do update set identity = excluded.identity, bound = excluded.bound";
            sqlx::query(put).bind(site).bind(&account.0[..]).bind(sealed).bind(now.0).execute(db).await?;
            Ok(())
        })
    }

    /// `false` if the account has none.
    pub fn binding_remove(&self, account: AccountId) -> Result<bool, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let delete = sqlx::query("delete from binding where site = $1 and account = $2");
            Ok(delete.bind(site).bind(&account.0[..]).execute(db).await?.rows_affected() == 1)
        })
    }
}
