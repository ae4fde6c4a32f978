//! Accounts and the one-time links that give an account its first password.

use super::Registry;
use super::factor::{NewFactor, set_factor};
use super::passkey::forget_passkeys;
use crate::column;
use crate::error::{CatalogError, Failure};
pub use domain::AccountId;
use domain::{Sensitive, UtcMicros};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// One account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    pub id: AccountId,
    /// What the person types to sign in; unique in the site.
    pub name: Sensitive<String>,
    /// The name of a role of `policy`.
    pub role: String,
    /// A PHC string; none until a setup link was used.
    pub password_hash: Option<Sensitive<String>>,
    pub disabled: bool,
    pub created: UtcMicros,
}

impl Registry {
    /// Adds an account.
    ///
    /// # Errors
    /// [`CatalogError::AccountNameTaken`].
    pub fn account_add(&self, account: &Account) -> Result<(), CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let insert = sqlx::query(
                "insert into account (site, account, name, role, password_hash, disabled, created)
                 values ($1, $2, $3, $4, $5, $6, $7) on conflict (site, name) do nothing",
            );
            let hash = account.password_hash.as_ref().map(|hash| hash.reveal().as_str());
            let insert = insert.bind(site).bind(&account.id.0[..]).bind(account.name.reveal()).bind(&account.role);
            let insert = insert.bind(hash).bind(account.disabled).bind(account.created.0);
            let added = insert.execute(db).await?.rows_affected();
            if added == 1 { Ok(()) } else { Err(CatalogError::AccountNameTaken.into()) }
        })
    }

    pub fn account(&self, id: AccountId) -> Result<Option<Account>, CatalogError> {
        self.database.run(async |db| read_account(db, &self.site.id.0, id).await)
    }

    pub fn account_by_name(&self, name: &str) -> Result<Option<Account>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let query = sqlx::query("select * from account where site = $1 and name = $2").bind(site).bind(name);
            Ok(query.fetch_optional(db).await?.as_ref().map(account_of).transpose()?)
        })
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> Result<Vec<Account>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let rows =
                sqlx::query("select * from account where site = $1 order by name").bind(site).fetch_all(db).await?;
            Ok(rows.iter().map(account_of).collect::<Result<_, _>>()?)
        })
    }

    /// Replaces an account's password (`hash` is a PHC string) and ends its sessions.
    ///
    /// # Errors
    /// [`CatalogError::UnknownAccount`].
    pub fn account_set_password(
        &self,
        id: AccountId,
        hash: &Sensitive<String>,
        now: UtcMicros,
    ) -> Result<(), CatalogError> {
        self.database.run(async |db| {
            set_password(db, &self.site.id.0, id, hash).await?;
            end_sessions(db, &self.site.id.0, id, now).await
        })
    }

    /// Disables an account: no sign-in, no session, no setup link of it works any more.
    ///
    /// # Errors
    /// [`CatalogError::UnknownAccount`].
    pub fn account_disable(&self, id: AccountId, now: UtcMicros) -> Result<(), CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let update = sqlx::query("update account set disabled = true where site = $1 and account = $2");
            let update = update.bind(&site[..]).bind(&id.0[..]);
            if update.execute(&mut *db).await?.rows_affected() == 0 {
                return Err(CatalogError::UnknownAccount.into());
            }
            use_up_tokens(db, site, id, now).await?;
            end_sessions(db, site, id, now).await
        })
    }

    /// Adds a one-time setup link, the only one of its account that works from now on: only the hash of its token is kept.
    ///
    /// # Errors
    /// [`CatalogError::UnknownAccount`].
    pub fn setup_token_add(
        &self,
        token_hash: [u8; 32],
        account: AccountId,
        expires_at: UtcMicros,
    ) -> Result<(), CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            if read_account(db, site, account).await?.is_none() {
                return Err(CatalogError::UnknownAccount.into());
            }
            // a link is asked for again because the former went to the wrong person, or was lost: it must not work any more
            let former = "delete from setup_token where site = $1 and account = $2 and used_at is null";
            sqlx::query(former).bind(&site[..]).bind(&account.0[..]).execute(&mut *db).await?;
            let insert = "insert into setup_token (site, token_hash, account, expires_at) values ($1, $2, $3, $4)";
            let insert = sqlx::query(insert).bind(&site[..]).bind(&token_hash[..]).bind(&account.0[..]);
            insert.bind(expires_at.0).execute(db).await?;
            Ok(())
        })
    }

    /// The account that an unused, unexpired setup link is for.
    pub fn setup_token(&self, token_hash: [u8; 32], now: UtcMicros) -> Result<Option<Account>, CatalogError> {
        self.database.run(async |db| open_token(db, &self.site.id.0, token_hash, now).await)
    }

    /// Uses a setup link: password and second factor are set, passkeys forgotten and every link of that account is used up, all of it or
    /// nothing. `None` if the link is unknown, used, expired, or its account is disabled.
    pub fn setup_redeem(
        &self,
        token_hash: [u8; 32],
        password_hash: &Sensitive<String>,
        factor: &NewFactor,
        now: UtcMicros,
    ) -> Result<Option<AccountId>, CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let Some(account) = open_token(db, site, token_hash, now).await? else { return Ok(None) };
            set_password(db, site, account.id, password_hash).await?;
            set_factor(db, site, account.id, factor).await?;
            forget_passkeys(db, site, account.id).await?;
            use_up_tokens(db, site, account.id, now).await?;
            end_sessions(db, site, account.id, now).await?;
            Ok(Some(account.id))
        })
    }
}

pub(super) fn account_of(row: &SqliteRow) -> Result<Account, sqlx::Error> {
    Ok(Account {
        id: AccountId(column::array(row, "account")?),
        name: Sensitive::new(row.try_get("name")?),
        role: row.try_get("role")?,
        password_hash: row.try_get::<Option<String>, _>("password_hash")?.map(Sensitive::new),
        disabled: row.try_get("disabled")?,
        created: column::micros(row, "created")?,
    })
}

pub(super) async fn read_account(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    id: AccountId,
) -> Result<Option<Account>, Failure> {
    let query = sqlx::query("select * from account where site = $1 and account = $2");
    let row = query.bind(&site[..]).bind(&id.0[..]).fetch_optional(db).await?;
    Ok(row.as_ref().map(account_of).transpose()?)
}

pub(super) async fn end_sessions(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    account: AccountId,
    now: UtcMicros,
) -> Result<(), Failure> {
    let update = "update session set ended_at = $3 where site = $1 and account = $2 and ended_at is null";
    sqlx::query(update).bind(&site[..]).bind(&account.0[..]).bind(now.0).execute(db).await?;
    Ok(())
}

async fn set_password(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    account: AccountId,
    hash: &Sensitive<String>,
) -> Result<(), Failure> {
    let update = sqlx::query("update account set password_hash = $3 where site = $1 and account = $2");
    let update = update.bind(&site[..]).bind(&account.0[..]).bind(hash.reveal());
    let found = update.execute(db).await?.rows_affected() == 1;
    if found { Ok(()) } else { Err(CatalogError::UnknownAccount.into()) }
}

pub(super) async fn use_up_tokens(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    account: AccountId,
    now: UtcMicros,
) -> Result<(), Failure> {
    let update = "update setup_token set used_at = $3 where site = $1 and account = $2 and used_at is null";
    sqlx::query(update).bind(&site[..]).bind(&account.0[..]).bind(now.0).execute(db).await?;
    Ok(())
}

async fn open_token(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    token_hash: [u8; 32],
    now: UtcMicros,
) -> Result<Option<Account>, Failure> {
    let query = sqlx::query(
        "select account.* from setup_token
         join account on account.site = setup_token.site and account.account = setup_token.account
         where setup_token.site = $1 and token_hash = $2 and used_at is null and expires_at > $3 and not disabled",
    );
    let row = query.bind(&site[..]).bind(&token_hash[..]).bind(now.0).fetch_optional(db).await?;
    Ok(row.as_ref().map(account_of).transpose()?)
}
