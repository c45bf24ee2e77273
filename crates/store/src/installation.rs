//! The one installation that a database belongs to.

use crate::{Database, StoreError};
use misy_domain::{Clock, Entropy, RequestId};

impl Database {
    /// The name by which the installation signs its tokens, made once: it stays the same when addresses change.
    pub async fn installation_issuer(
        &self,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<String, StoreError> {
        // Any unguessable text will do; the identifier's random part is one.
        let fresh = RequestId::new(clock, entropy).to_string().replace("req_", "misy-");
        let mut tx = self.system("name the installation").await?;
        sqlx::query!(
            "insert into platform.installation (installation_id) values ($1) on conflict do nothing",
            fresh
        )
        .execute(tx.connection())
        .await?;
        let issuer = sqlx::query_scalar!("select installation_id from platform.installation")
            .fetch_one(tx.connection())
            .await?;
        tx.commit().await?;
        Ok(issuer)
    }
}
