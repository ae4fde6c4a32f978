//! Passkeys of accounts: public keys, each with the name that its owner gave it.

use super::Registry;
use super::account::AccountId;
use crate::column;
use crate::error::{CatalogError, Failure};
use domain::{Sensitive, UtcMicros};
use sqlx::{Row, SqliteConnection};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passkey {
    pub credential: Vec<u8>,
    pub account: AccountId,
    /// As its owner calls it.
    pub label: Sensitive<String>,
    /// JSON of the library that verifies: public key, counter, flags.
    pub data: String,
    pub added: UtcMicros,
    pub last_used: Option<UtcMicros>,
}

impl Registry {
    /// `false` if this credential is known already.
    pub fn passkey_add(&self, passkey: &Passkey) -> Result<bool, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let insert = "insert into passkey (site, credential, account, label, data, added)
                values ($1, $2, $3, $4, $5, $6) on conflict (site, credential) do nothing";
            let insert = sqlx::query(insert).bind(site).bind(&passkey.credential[..]).bind(&passkey.account.0[..]);
            let insert = insert.bind(passkey.label.reveal()).bind(&passkey.data).bind(passkey.added.0);
            Ok(insert.execute(db).await?.rows_affected() == 1)
        })
    }

    /// An account's, the oldest first.
    pub fn passkeys(&self, account: AccountId) -> Result<Vec<Passkey>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let query = "select * from passkey where site = $1 and account = $2 order by added, credential";
            let rows = sqlx::query(query).bind(site).bind(&account.0[..]).fetch_all(db).await?;
            let passkey = |row: &sqlx::sqlite::SqliteRow| {
                Ok(Passkey {
                    credential: row.try_get("credential")?,
                    account: AccountId(column::array(row, "account")?),
                    label: Sensitive::new(row.try_get("label")?),
                    data: row.try_get("data")?,
                    added: column::micros(row, "added")?,
                    last_used: column::micros_or_none(row, "last_used")?,
                })
            };
            Ok(rows.iter().map(passkey).collect::<Result<_, sqlx::Error>>()?)
        })
    }

    /// It signed somebody in: its counter moved on.
    pub fn passkey_used(&self, credential: &[u8], data: &str, now: UtcMicros) -> Result<(), CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let update = "update passkey set data = $3, last_used = $4 where site = $1 and credential = $2";
            sqlx::query(update).bind(site).bind(credential).bind(data).bind(now.0).execute(db).await?;
            Ok(())
        })
    }

    /// `false` if the account has none such.
    pub fn passkey_remove(&self, account: AccountId, credential: &[u8]) -> Result<bool, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let delete = "delete from passkey where site = $1 and account = $2 and credential = $3";
            let delete = sqlx::query(delete).bind(site).bind(&account.0[..]).bind(credential);
            Ok(delete.execute(db).await?.rows_affected() == 1)
        })
    }
}

/// A new setup link replaces everything by which somebody could sign in.
pub(super) async fn forget_passkeys(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    account: AccountId,
) -> Result<(), Failure> {
    let delete = sqlx::query("delete from passkey where site = $1 and account = $2");
    delete.bind(&site[..]).bind(&account.0[..]).execute(db).await?;
    Ok(())
}
