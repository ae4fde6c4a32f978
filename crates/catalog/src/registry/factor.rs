//! Second factors: the sealed seed of an account's codes, the step that counted last, hashes of its recovery codes.

use super::Registry;
use super::account::AccountId;
use crate::column;
use crate::error::{CatalogError, Failure};
use domain::{Sensitive, UtcMicros};
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeSet;

/// The seed from which an account's codes follow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecondFactor {
    /// Sealed by the keeper: the registry is backed up, the keyring is not.
    pub seed: Sensitive<Vec<u8>>,
    /// The newest step of time whose code counted.
    pub last_step: i64,
}

/// What a setup link gives an account besides its password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewFactor {
    pub factor: SecondFactor,
    pub recovery_hashes: Vec<[u8; 32]>,
}

impl Registry {
    /// `None` for an account that has no second factor.
    pub fn second_factor(&self, account: AccountId) -> Result<Option<SecondFactor>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let query = sqlx::query("select seed, last_step from second_factor where site = $1 and account = $2");
            let row = query.bind(site).bind(&account.0[..]).fetch_optional(db).await?;
            let factor = row.map(|row| {
                let seed = Sensitive::new(row.try_get("seed")?);
                Ok::<_, sqlx::Error>(SecondFactor { seed, last_step: row.try_get("last_step")? })
            });
            Ok(factor.transpose()?)
        })
    }

    /// The code of this step counts now, and none of it or of an earlier one after it; `false` if one did already.
    pub fn second_factor_take(&self, account: AccountId, step: i64) -> Result<bool, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let update = "update second_factor set last_step = $3 where site = $1 and account = $2 and last_step < $3";
            let update = sqlx::query(update).bind(site).bind(&account.0[..]).bind(step);
            Ok(update.execute(db).await?.rows_affected() == 1)
        })
    }

    /// Uses a recovery code up; `false` if the account has none such, or used it.
    pub fn recovery_take(&self, account: AccountId, hash: [u8; 32], now: UtcMicros) -> Result<bool, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let update = "update recovery_code set used_at = $4
                where site = $1 and account = $2 and code_hash = $3 and used_at is null";
            let update = sqlx::query(update).bind(site).bind(&account.0[..]).bind(&hash[..]).bind(now.0);
            Ok(update.execute(db).await?.rows_affected() == 1)
        })
    }

    /// How many recovery codes an account has left.
    pub fn recovery_left(&self, account: AccountId) -> Result<usize, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let query = "select code_hash from recovery_code where site = $1 and account = $2 and used_at is null";
            Ok(sqlx::query(query).bind(site).bind(&account.0[..]).fetch_all(db).await?.len())
        })
    }

    /// The accounts that have a second factor.
    pub fn accounts_with_factor(&self) -> Result<BTreeSet<AccountId>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let rows =
                sqlx::query("select account from second_factor where site = $1").bind(site).fetch_all(db).await?;
            let accounts = rows.iter().map(|row| Ok(AccountId(column::array(row, "account")?)));
            Ok(accounts.collect::<Result<_, sqlx::Error>>()?)
        })
    }
}

/// Replaces what an account had: a phone that was lost, codes that somebody saw.
pub(super) async fn set_factor(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    account: AccountId,
    new: &NewFactor,
) -> Result<(), Failure> {
    for delete in [
        "delete from second_factor where site = $1 and account = $2",
        "delete from recovery_code where site = $1 and account = $2",
    ] {
        sqlx::query(delete).bind(&site[..]).bind(&account.0[..]).execute(&mut *db).await?;
    }
    let insert = "insert into second_factor (site, account, seed, last_step) values ($1, $2, $3, $4)";
    let insert = sqlx::query(insert).bind(&site[..]).bind(&account.0[..]);
    insert.bind(&new.factor.seed.reveal()[..]).bind(new.factor.last_step).execute(&mut *db).await?;
    for hash in &new.recovery_hashes {
        let insert = "insert into recovery_code (site, code_hash, account) values ($1, $2, $3)";
        let insert = sqlx::query(insert).bind(&site[..]).bind(&hash[..]).bind(&account.0[..]);
        insert.execute(&mut *db).await?;
    }
    Ok(())
}
