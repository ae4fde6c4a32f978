//! Law packs and the town's rules as dated texts: proposed by one person, in force once another one has approved.

use super::Registry;
use crate::column;
use crate::error::CatalogError;
use domain::{AccountId, UtcMicros};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// Which text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LawKind {
    /// A law pack: all its files.
    Pack,
    /// The town's own rules.
    Town,
}

impl LawKind {
    const fn name(self) -> &'static str {
        match self {
            LawKind::Pack => "pack",
            LawKind::Town => "town",
        }
    }
}

/// One proposed or approved text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LawText {
    pub kind: LawKind,
    pub digest: [u8; 32],
    /// A pack: its files as a JSON object of name and text. The town's rules: themselves.
    pub content: String,
    pub proposed_at: UtcMicros,
    /// None for what came with the installation.
    pub proposed_by: Option<AccountId>,
    /// In force from here on, until another one is approved.
    pub approved_at: Option<UtcMicros>,
    pub approved_by: Option<AccountId>,
}

impl Registry {
    /// Keeps a text. Nothing is in force by that, unless it says so itself (what came with the installation).
    pub fn law_add(&self, text: &LawText) -> Result<(), CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let insert = sqlx::query(
                "insert into law (site, digest, kind, content, proposed_at, proposed_by, approved_at, approved_by)
                 values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
            );
            let insert = insert.bind(site).bind(&text.digest[..]).bind(text.kind.name()).bind(&text.content);
            let by = |account: Option<AccountId>| account.map(|account| account.0.to_vec());
            let insert = insert.bind(text.proposed_at.0).bind(by(text.proposed_by));
            insert.bind(text.approved_at.map(|at| at.0)).bind(by(text.approved_by)).execute(db).await?;
            Ok(())
        })
    }

    /// Puts the last proposal of that digest in force. Whether there was one that waited.
    pub fn law_approve(
        &self,
        kind: LawKind,
        digest: [u8; 32],
        by: AccountId,
        at: UtcMicros,
    ) -> Result<bool, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let update = sqlx::query(
                "update law set approved_at = $4, approved_by = $5 where site = $1 and kind = $2 and digest = $3
                 and approved_at is null",
            );
            let update = update.bind(site).bind(kind.name()).bind(&digest[..]).bind(at.0).bind(&by.0[..]);
            Ok(update.execute(db).await?.rows_affected() > 0)
        })
    }

    /// The text in force at `at`: the one approved last by then.
    pub fn law_in_force(&self, kind: LawKind, at: UtcMicros) -> Result<Option<LawText>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let query = sqlx::query(
                "select * from law where site = $1 and kind = $2 and approved_at <= $3 order by approved_at desc limit 1",
            );
            let row = query.bind(site).bind(kind.name()).bind(at.0).fetch_optional(db).await?;
            Ok(row.as_ref().map(|row| text_of(row, kind)).transpose()?)
        })
    }

    /// Texts that wait for a second person, the newest first.
    pub fn law_waiting(&self, kind: LawKind) -> Result<Vec<LawText>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let query = sqlx::query(
                "select * from law where site = $1 and kind = $2 and approved_at is null order by proposed_at desc",
            );
            let rows = query.bind(site).bind(kind.name()).fetch_all(db).await?;
            Ok(rows.iter().map(|row| text_of(row, kind)).collect::<Result<_, _>>()?)
        })
    }
}

fn text_of(row: &SqliteRow, kind: LawKind) -> Result<LawText, sqlx::Error> {
    let account = |name: &str| -> Result<Option<AccountId>, sqlx::Error> {
        let bytes: Option<Vec<u8>> = row.try_get(name)?;
        Ok(bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).map(AccountId))
    };
    Ok(LawText {
        kind,
        digest: column::array(row, "digest")?,
        content: row.try_get("content")?,
        proposed_at: column::micros(row, "proposed_at")?,
        proposed_by: account("proposed_by")?,
        approved_at: row.try_get::<Option<i64>, _>("approved_at")?.map(UtcMicros),
        approved_by: account("approved_by")?,
    })
}
