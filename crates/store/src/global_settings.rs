//! What the owner decided for the whole installation while it runs. It wins over the settings that the program started with.

use crate::{Database, StoreError, SystemTx};
use jiff_sqlx::ToSqlx;
use misy_domain::Timestamp;
use serde_json::Value;

impl Database {
    /// All that was decided, by name.
    pub async fn global_settings(&self) -> Result<Vec<(String, Value)>, StoreError> {
        let rows = sqlx::query!("select name, value from platform.global_settings order by name")
            .fetch_all(self.app())
            .await?;
        Ok(rows.into_iter().map(|row| (row.name, row.value)).collect())
    }
}

/// Decides.
pub async fn set(
    tx: &mut SystemTx,
    name: &str,
    value: &Value,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into platform.global_settings values ($1, $2, $3, $4)
         on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at, changed_by = excluded.changed_by",
        name,
        value,
        now.to_sqlx() as _,
        by
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
