//! Sessions: who is signed in. Only the hash of a session's secret is stored.

use super::Registry;
use super::account::{Account, AccountId, end_sessions, read_account};
use crate::column;
use crate::error::{CatalogError, Failure};
use domain::{UtcMicros, limit};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

/// One session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    pub account: AccountId,
    pub created: UtcMicros,
    /// To ten seconds: a write for each request would sync the disk for each request.
    pub last_used: UtcMicros,
    pub expires_at: UtcMicros,
    pub ended_at: Option<UtcMicros>,
}

/// `last_used` is written again after this time.
const TOUCH_SECONDS: i64 = 10;

impl Registry {
    /// Begins a session of `account` that ends at `expires_at` at the latest, and never lasts beyond
    /// [`limit::SESSION_SECONDS_MAX`].
    ///
    /// # Errors
    /// [`CatalogError::UnknownAccount`] for an account that is unknown or disabled.
    pub fn session_start(
        &self,
        secret_hash: [u8; 32],
        account: AccountId,
        now: UtcMicros,
        expires_at: UtcMicros,
    ) -> Result<Session, CatalogError> {
        let site = &self.site.id.0;
        let expires_at = expires_at.min(now.plus_seconds(limit::SESSION_SECONDS_MAX));
        self.database.run(async |db| {
            if read_account(db, site, account).await?.is_none_or(|account| account.disabled) {
                return Err(CatalogError::UnknownAccount.into());
            }
            let insert = sqlx::query(
                "insert into session (site, secret_hash, account, created, last_used, expires_at)
                 values ($1, $2, $3, $4, $4, $5)",
            );
            let insert = insert.bind(&site[..]).bind(&secret_hash[..]).bind(&account.0[..]);
            insert.bind(now.0).bind(expires_at.0).execute(db).await?;
            Ok(())
        })?;
        Ok(Session { account, created: now, last_used: now, expires_at, ended_at: None })
    }

    /// The session and its account, if it holds now: not ended, not expired, used within `idle_seconds_max`, its account
    /// not disabled. Marks it as used.
    pub fn session_use(
        &self,
        secret_hash: [u8; 32],
        now: UtcMicros,
        idle_seconds_max: i64,
    ) -> Result<Option<(Session, Account)>, CatalogError> {
        self.session_of(secret_hash, now, idle_seconds_max, true)
    }

    /// The same without marking it: what a page asks by itself is no sign of a person.
    pub fn session_look(
        &self,
        secret_hash: [u8; 32],
        now: UtcMicros,
        idle_seconds_max: i64,
    ) -> Result<Option<(Session, Account)>, CatalogError> {
        self.session_of(secret_hash, now, idle_seconds_max, false)
    }

    fn session_of(
        &self,
        secret_hash: [u8; 32],
        now: UtcMicros,
        idle_seconds_max: i64,
        is_use: bool,
    ) -> Result<Option<(Session, Account)>, CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let Some(mut session) = read_session(db, site, secret_hash).await? else { return Ok(None) };
            let idle_micros = now.since(session.last_used);
            let alive = session.ended_at.is_none()
                && now < session.expires_at
                && idle_micros < idle_seconds_max.saturating_mul(1_000_000);
            let account = read_account(db, site, session.account).await?.filter(|account| !account.disabled);
            let (true, Some(account)) = (alive, account) else { return Ok(None) };
            if is_use && idle_micros >= TOUCH_SECONDS * 1_000_000 {
                let update = sqlx::query("update session set last_used = $3 where site = $1 and secret_hash = $2");
                update.bind(&site[..]).bind(&secret_hash[..]).bind(now.0).execute(db).await?;
                session.last_used = now;
            }
            Ok(Some((session, account)))
        })
    }

    /// Ends a session; `false` if there was none to end.
    pub fn session_end(&self, secret_hash: [u8; 32], now: UtcMicros) -> Result<bool, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let update = "update session set ended_at = $3 where site = $1 and secret_hash = $2 and ended_at is null";
            let update = sqlx::query(update).bind(site).bind(&secret_hash[..]).bind(now.0);
            Ok(update.execute(db).await?.rows_affected() == 1)
        })
    }

    /// Ends all sessions of an account.
    pub fn sessions_end(&self, account: AccountId, now: UtcMicros) -> Result<(), CatalogError> {
        self.database.run(async |db| end_sessions(db, &self.site.id.0, account, now).await)
    }

    /// Deletes the sessions and setup links that expired before `before`; how many rows went.
    pub fn sessions_forget(&self, before: UtcMicros) -> Result<u64, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let sessions = sqlx::query("delete from session where site = $1 and expires_at < $2");
            let sessions = sessions.bind(site).bind(before.0).execute(&mut *db).await?.rows_affected();
            let tokens = sqlx::query("delete from setup_token where site = $1 and expires_at < $2");
            Ok(sessions + tokens.bind(site).bind(before.0).execute(db).await?.rows_affected())
        })
    }
}

async fn read_session(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    secret_hash: [u8; 32],
) -> Result<Option<Session>, Failure> {
    let query = sqlx::query("select * from session where site = $1 and secret_hash = $2");
    let row = query.bind(&site[..]).bind(&secret_hash[..]).fetch_optional(db).await?;
    Ok(row.as_ref().map(session_of).transpose()?)
}

fn session_of(row: &SqliteRow) -> Result<Session, sqlx::Error> {
    Ok(Session {
        account: AccountId(column::array(row, "account")?),
        created: column::micros(row, "created")?,
        last_used: column::micros(row, "last_used")?,
        expires_at: column::micros(row, "expires_at")?,
        ended_at: column::micros_or_none(row, "ended_at")?,
    })
}
