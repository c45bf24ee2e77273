//! Alerts: what somebody should look at now.

use crate::{
    StoreError, SystemTx, TenantTx, Vault,
    audit::Actor,
    readable::{readable_rows, stored},
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{AlertId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look today.
    Warning,
    /// Worth a look now.
    Critical,
}

impl Severity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// As it stands in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// An alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its id.
    pub alert_id: AlertId,
    /// The rule that raised it.
    pub rule: String,
    /// What keeps one event from raising it twice: the same rule and occurrence are one alert. Stored as a keyed hash, which
    /// is what stands here after reading: nobody without the root key raises an alert ahead of its event.
    pub occurrence: String,
    /// How bad it is.
    pub severity: Severity,
    /// Who caused it.
    pub actor: Option<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// Figures.
    pub detail: Value,
    /// When.
    pub raised_at: Timestamp,
    /// When somebody took note.
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    pub acknowledged_by: Option<String>,
}

/// Raises an alert with a tenant; says whether it is a new one.
pub async fn raise_system(
    tx: &mut SystemTx,
    vault: &Vault,
    tenant: &TenantId,
    alert: &Alert,
) -> Result<bool, StoreError> {
    raise_on(tx.connection(), vault, tenant, alert).await
}

/// Raises an alert with the tenant of the transaction; says whether it is a new one.
pub async fn raise(tx: &mut TenantTx, vault: &Vault, alert: &Alert) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    raise_on(tx.connection(), vault, &tenant, alert).await
}

async fn raise_on(
    connection: &mut sqlx::PgConnection,
    vault: &Vault,
    tenant: &TenantId,
    alert: &Alert,
) -> Result<bool, StoreError> {
    let raised = sqlx::query!(
        "insert into alerts (tenant_id, alert_id, rule, occurrence, severity, actor, subject, detail, raised_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (tenant_id, rule, occurrence) do nothing",
        tenant.as_str(),
        alert.alert_id.to_string(),
        alert.rule,
        vault.occurrence(tenant, &alert.rule, &alert.occurrence),
        alert.severity.as_str(),
        alert.actor,
        alert.subject,
        alert.detail,
        alert.raised_at.to_sqlx() as _
    )
    .execute(connection)
    .await?;
    Ok(raised.rows_affected() > 0)
}

/// Takes note of an alert. `None` if there is none of this id; taking note twice changes nothing.
pub async fn acknowledge(
    tx: &mut TenantTx,
    alert: AlertId,
    by: &Actor,
    now: Timestamp,
) -> Result<Option<Alert>, StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update alerts set acknowledged_at = $3, acknowledged_by = $4
         where tenant_id = $1 and alert_id = $2 and acknowledged_at is null",
        tenant.as_str(),
        alert.to_string(),
        now.to_sqlx() as _,
        by.as_str()
    )
    .execute(tx.connection())
    .await?;
    let row = sqlx::query_as!(
        Row,
        "select alert_id, rule, occurrence, severity, actor, subject, detail, raised_at, acknowledged_at, acknowledged_by
         from alerts where tenant_id = $1 and alert_id = $2",
        tenant.as_str(),
        alert.to_string()
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(Alert::try_from).transpose()
}

/// Alerts of the tenant, from the newest; open ones only, if asked.
pub async fn list(
    tx: &mut TenantTx,
    open_only: bool,
    before: Option<AlertId>,
    limit: i64,
) -> Result<Vec<Alert>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select alert_id, rule, occurrence, severity, actor, subject, detail, raised_at, acknowledged_at, acknowledged_by
         from alerts where tenant_id = $1 and (not $2 or acknowledged_at is null) and ($3::text is null or alert_id < $3)
         order by alert_id desc limit $4",
        tenant.as_str(),
        open_only,
        before.map(|id| id.to_string()),
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(readable_rows("alert", rows))
}

struct Row {
    alert_id: String,
    rule: String,
    occurrence: String,
    severity: String,
    actor: Option<String>,
    subject: Option<String>,
    detail: Value,
    raised_at: SqlTimestamp,
    acknowledged_at: Option<SqlTimestamp>,
    acknowledged_by: Option<String>,
}

impl TryFrom<Row> for Alert {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let severity = Severity::ALL.into_iter().find(|severity| severity.as_str() == row.severity);
        Ok(Self {
            alert_id: stored(row.alert_id.parse())?,
            rule: row.rule,
            occurrence: row.occurrence,
            severity: stored(severity.ok_or(misy_domain::tenant::UnknownValue))?,
            actor: row.actor,
            subject: row.subject,
            detail: row.detail,
            raised_at: row.raised_at.to_jiff(),
            acknowledged_at: row.acknowledged_at.map(SqlTimestamp::to_jiff),
            acknowledged_by: row.acknowledged_by,
        })
    }
}
