//! Which closed reels the keeper has heard of: the others are told again at a start, however long ago they were closed (L3).

use super::{
    Footage,
    reel::{ReelRow, reel_of},
};
use crate::error::CatalogError;
use domain::ReelId;

impl Footage {
    /// The ledger has these reels' leaves. Saying it twice changes nothing.
    pub fn reels_told(&self, reels: &[ReelId]) -> Result<(), CatalogError> {
        self.database.run(async |db| {
            for reel in reels {
                let update = sqlx::query("update reel set told = 1 where site = $1 and reel = $2");
                update.bind(&self.site.0[..]).bind(&reel.0[..]).execute(&mut *db).await?;
            }
            Ok(())
        })
    }

    /// Closed and recovered reels that live and of which nobody said [`Footage::reels_told`], oldest first.
    pub fn reels_untold(&self) -> Result<Vec<ReelRow>, CatalogError> {
        self.database.run(async |db| {
            let query = "select * from reel where site = $1 and state in ('closed', 'recovered') and told = 0
                         order by opened_at, reel";
            let rows = sqlx::query(query).bind(&self.site.0[..]).fetch_all(db).await?;
            Ok(rows.iter().map(reel_of).collect::<Result<_, _>>()?)
        })
    }
}
