//! Work that was given up: looked at, revived, dropped.

use crate::{StoreError, TenantTx, leases::Trouble};
use jiff_sqlx::ToSqlx;
use misy_domain::Timestamp;

/// Work that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadWork {
    /// What it is: [`Leased::KIND`](crate::leases::Leased::KIND).
    pub kind: String,
    /// The id of the row.
    pub id: String,
    /// How often it was tried.
    pub attempts: i32,
    /// The code of the last failure.
    pub last_error: Option<String>,
    /// When it was given up.
    pub dead_at: Timestamp,
}

/// A place in the list of work that was given up: behind this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// When that was given up.
    pub dead_at: Timestamp,
    /// What it is.
    pub kind: String,
    /// Its id.
    pub id: String,
}

impl DeadWork {
    /// What the last failure means, in plain words.
    pub fn meaning(&self) -> &'static str {
        let trouble = self.last_error.as_deref().and_then(Trouble::of_code);
        trouble.map_or(
            "Nobody has written down what this failure means. The log of that time says more.",
            Trouble::meaning,
        )
    }
}

/// Work of the tenant that was given up, the newest first: of one kind, if one is given.
pub async fn dead_work(
    tx: &mut TenantTx,
    kind: Option<&str>,
    behind: Option<&Behind>,
    limit: u32,
) -> Result<Vec<DeadWork>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select kind as "kind!", id as "id!", attempts as "attempts!", last_error, dead_at as "dead_at!"
           from dead_work($1, $2, $3, $4, $5, $6)"#,
        tenant.as_str(),
        kind,
        behind.map(|behind| behind.dead_at.to_sqlx()) as _,
        behind.map(|behind| &*behind.kind),
        behind.map(|behind| &*behind.id),
        i32::try_from(limit).unwrap_or(i32::MAX),
    )
    .fetch_all(tx.connection())
    .await?;
    let dead = rows.into_iter().map(|row| DeadWork {
        kind: row.kind,
        id: row.id,
        attempts: row.attempts,
        last_error: row.last_error,
        dead_at: row.dead_at.to_jiff(),
    });
    Ok(dead.collect())
}

/// Gives work that was given up another chance, at once; whether there was such work.
pub async fn revive(tx: &mut TenantTx, kind: &str, id: &str) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let revived = sqlx::query_scalar!("select revive_work($1, $2, $3)", tenant.as_str(), kind, id)
        .fetch_one(tx.connection())
        .await?;
    Ok(revived.unwrap_or_default())
}

/// Lets go of work that was given up; whether there was such work. A conversation stays and only rests.
pub async fn drop_work(tx: &mut TenantTx, kind: &str, id: &str) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let dropped = sqlx::query_scalar!("select drop_work($1, $2, $3)", tenant.as_str(), kind, id)
        .fetch_one(tx.connection())
        .await?;
    Ok(dropped.unwrap_or_default())
}
