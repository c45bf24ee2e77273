//! Privileged operations of the owner's people: what was done and why, and what access it still gives.

use crate::{
    StoreError, SystemTx, TenantTx,
    readable::{readable_rows, stored},
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{GrantId, TenantId, Timestamp};
use sqlx::Executor;
use std::time::Duration;

/// The operation that gives the owner's people access to the agents of a tenant.
pub const SYSTEM_ACCESS: &str = "system_access";
/// The operation that lets them read what a tenant has.
pub const SUPPORT_ACCESS: &str = "support_access";

/// A privileged operation that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivilegeUse {
    /// Its id.
    pub grant_id: GrantId,
    /// The owner tenant.
    pub home: TenantId,
    /// Its person.
    pub actor: String,
    /// What was done.
    pub operation: String,
    /// To what.
    pub resource: String,
    /// Why.
    pub reason: String,
    /// When.
    pub used_at: Timestamp,
    /// Until when the access lasts that it gave.
    pub expires_at: Option<Timestamp>,
    /// When that access was ended before its time.
    pub ended_at: Option<Timestamp>,
    /// By whom.
    pub ended_by: Option<String>,
}

/// What access somebody has to a tenant at this moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    /// To read.
    pub support: bool,
    /// To its agents.
    pub agents: bool,
}

/// How much somebody did lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recent {
    /// Operations.
    pub operations: i64,
    /// Tenants that they touched.
    pub tenants: i64,
}

/// Writes an operation down with the tenant that it touches.
pub async fn record(tx: &mut SystemTx, tenant: &TenantId, used: &PrivilegeUse) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into privilege_uses (tenant_id, grant_id, home_tenant, actor, operation, resource, reason, used_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        tenant.as_str(),
        used.grant_id.to_string(),
        used.home.as_str(),
        used.actor,
        used.operation,
        used.resource,
        used.reason,
        used.used_at.to_sqlx() as _,
        used.expires_at.map(ToSqlx::to_sqlx) as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What access somebody of the owner has to the tenant of the transaction.
pub async fn access(tx: &mut TenantTx, actor: &str, now: Timestamp) -> Result<Access, StoreError> {
    let tenant = tx.tenant().clone();
    let operations = sqlx::query_scalar!(
        "select distinct operation from privilege_uses
         where tenant_id = $1 and actor = $2 and ended_at is null and expires_at > $3",
        tenant.as_str(),
        actor,
        now.to_sqlx() as _
    )
    .fetch_all(tx.connection())
    .await?;
    let has = |wanted: &str| operations.iter().any(|operation| operation == wanted);
    Ok(Access { support: has(SUPPORT_ACCESS), agents: has(SYSTEM_ACCESS) })
}

/// How much somebody did since then, over all tenants.
pub async fn recent(tx: &mut SystemTx, actor: &str, since: Timestamp) -> Result<Recent, StoreError> {
    let row = sqlx::query!(
        r#"select count(*) as "operations!", count(distinct tenant_id) as "tenants!" from privilege_uses
           where actor = $1 and used_at > $2"#,
        actor,
        since.to_sqlx() as _
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(Recent { operations: row.operations, tenants: row.tenants })
}

/// Serialises privileged operations, so that counts of what was done lately are exact. They are few.
pub async fn one_at_a_time(tx: &mut SystemTx) -> Result<(), StoreError> {
    tx.connection().execute("lock table privilege_uses in share row exclusive mode").await?;
    Ok(())
}

/// Ends access before its time. Says whether it still lasted.
pub async fn end(tx: &mut TenantTx, grant: GrantId, by: &str, now: Timestamp) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let ended = sqlx::query!(
        "update privilege_uses set ended_at = $3, ended_by = $4
         where tenant_id = $1 and grant_id = $2 and ended_at is null and expires_at > $3",
        tenant.as_str(),
        grant.to_string(),
        now.to_sqlx() as _,
        by
    )
    .execute(tx.connection())
    .await?;
    Ok(ended.rows_affected() > 0)
}

/// Operations that touched the tenant, from the newest.
pub async fn list(
    tx: &mut TenantTx,
    before: Option<GrantId>,
    limit: i64,
) -> Result<Vec<PrivilegeUse>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select grant_id, home_tenant, actor, operation, resource, reason, used_at, expires_at, ended_at, ended_by
         from privilege_uses where tenant_id = $1 and ($2::text is null or grant_id < $2)
         order by grant_id desc limit $3",
        tenant.as_str(),
        before.map(|id| id.to_string()),
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(readable_rows("privilege use", rows))
}

struct Row {
    grant_id: String,
    home_tenant: String,
    actor: String,
    operation: String,
    resource: String,
    reason: String,
    used_at: SqlTimestamp,
    expires_at: Option<SqlTimestamp>,
    ended_at: Option<SqlTimestamp>,
    ended_by: Option<String>,
}

impl TryFrom<Row> for PrivilegeUse {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            grant_id: stored(row.grant_id.parse())?,
            home: stored(row.home_tenant.parse())?,
            actor: row.actor,
            operation: row.operation,
            resource: row.resource,
            reason: row.reason,
            used_at: row.used_at.to_jiff(),
            expires_at: row.expires_at.map(SqlTimestamp::to_jiff),
            ended_at: row.ended_at.map(SqlTimestamp::to_jiff),
            ended_by: row.ended_by,
        })
    }
}

/// The start of the window that ends now.
pub fn since(now: Timestamp, window: Duration) -> Timestamp {
    now.checked_sub(window).unwrap_or(Timestamp::MIN)
}
