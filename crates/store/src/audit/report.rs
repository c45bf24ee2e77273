//! What a compliance report says of a time: counted by PostgreSQL, entry for entry the tenant's own.

use crate::{StoreError, TenantTx};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::Timestamp;

/// The longest list of a report; totals count everything.
const MOST: i64 = 500;

/// Who did something in the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Who.
    pub actor: String,
    /// How often.
    pub entries: i64,
    /// How often it was refused.
    pub refused: i64,
    /// The first time.
    pub first_at: Timestamp,
    /// The last time.
    pub last_at: Timestamp,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Its entry.
    pub audit_id: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: String,
    /// By whom.
    pub actor: String,
    /// To what.
    pub subject: Option<String>,
    /// What came of it.
    pub outcome: String,
}

/// Refusals of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// The code.
    pub outcome: String,
    /// The operation.
    pub action: String,
    /// How many.
    pub entries: i64,
}

/// A report on a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Entries of each kind.
    pub kinds: Vec<(String, i64)>,
    /// Who had access.
    pub access: Vec<Access>,
    /// Privileged operations and work by other tenants and by the system.
    pub privileged: Vec<Deed>,
    /// Changes to people, roles, keys, secrets and certificates.
    pub credentials: Vec<Deed>,
    /// Refusals by reason.
    pub refusals: Vec<Refusals>,
    /// Entries of the time that have no place in the tree yet.
    pub without_leaf: i64,
    /// Places of the tree whose entry is gone, at any time.
    pub leaves_without_entry: i64,
    /// The longest time between two entries: a silence that a reader may ask about.
    pub longest_silence: Option<(Timestamp, Timestamp)>,
}

/// Puts a report together.
pub async fn report(tx: &mut TenantTx, from: Timestamp, until: Timestamp) -> Result<Report, StoreError> {
    let tenant = tx.tenant().clone();
    let kinds = sqlx::query!(
        r#"select kind, count(*) as "entries!" from audit_entries
           where tenant_id = $1 and at >= $2 and at < $3 group by kind order by kind"#,
        tenant.as_str(),
        from.to_sqlx() as _,
        until.to_sqlx() as _
    )
    .fetch_all(tx.connection())
    .await?;
    let access = sqlx::query!(
        r#"select actor, count(*) as "entries!", count(*) filter (where kind = 'call' and outcome <> 'ok') as "refused!",
                  min(at) as "first_at!", max(at) as "last_at!"
           from audit_entries where tenant_id = $1 and at >= $2 and at < $3
           group by actor order by count(*) desc, actor limit $4"#,
        tenant.as_str(),
        from.to_sqlx() as _,
        until.to_sqlx() as _,
        MOST
    )
    .fetch_all(tx.connection())
    .await?;
    let refusals = sqlx::query_as!(
        Refusals,
        r#"select outcome, action, count(*) as "entries!" from audit_entries
           where tenant_id = $1 and at >= $2 and at < $3 and kind <> 'turn' and outcome <> 'ok'
           group by outcome, action order by count(*) desc, outcome, action limit $4"#,
        tenant.as_str(),
        from.to_sqlx() as _,
        until.to_sqlx() as _,
        MOST
    )
    .fetch_all(tx.connection())
    .await?;
    let access = access.into_iter().map(|row| Access {
        actor: row.actor,
        entries: row.entries,
        refused: row.refused,
        first_at: row.first_at.to_jiff(),
        last_at: row.last_at.to_jiff(),
    });
    let (without_leaf, leaves_without_entry) = completeness(tx, from, until).await?;
    Ok(Report {
        kinds: kinds.into_iter().map(|row| (row.kind, row.entries)).collect(),
        access: access.collect(),
        privileged: deeds(tx, from, until, true).await?,
        credentials: deeds(tx, from, until, false).await?,
        refusals,
        without_leaf,
        leaves_without_entry,
        longest_silence: silence(tx, from, until).await?,
    })
}

async fn deeds(
    tx: &mut TenantTx,
    from: Timestamp,
    until: Timestamp,
    privileged: bool,
) -> Result<Vec<Deed>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select audit_id, at, action, actor, subject, outcome from audit_entries
           where tenant_id = $1 and at >= $2 and at < $3
               and case when $4::boolean
                   then kind = 'system' or (kind = 'change' and (actor like '%/%' or actor = 'bootstrap'))
                        or action ilike '%privilege%'
                   else kind = 'change' and action ~* '(user|role|key|secret|certificate|sign|passkey|totp|password|invit|token)'
               end
           order by audit_id limit $5"#,
        tenant.as_str(),
        from.to_sqlx() as _,
        until.to_sqlx() as _,
        privileged,
        MOST
    )
    .fetch_all(tx.connection())
    .await?;
    let deeds = rows.into_iter().map(|row| Deed {
        audit_id: row.audit_id,
        at: row.at.to_jiff(),
        action: row.action,
        actor: row.actor,
        subject: row.subject,
        outcome: row.outcome,
    });
    Ok(deeds.collect())
}

async fn completeness(
    tx: &mut TenantTx,
    from: Timestamp,
    until: Timestamp,
) -> Result<(i64, i64), StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        r#"select (select count(*) from audit_entries e
                   where e.tenant_id = $1 and e.at >= $2 and e.at < $3 and not exists (
                       select from audit_leaves l where l.tenant_id = $1 and l.audit_id = e.audit_id)) as "waiting!",
                  (select count(*) from audit_leaves l
                   where l.tenant_id = $1 and not exists (
                       select from audit_entries e where e.tenant_id = $1 and e.audit_id = l.audit_id)) as "gone!""#,
        tenant.as_str(),
        from.to_sqlx() as _,
        until.to_sqlx() as _
    )
    .fetch_one(tx.connection())
    .await?;
    Ok((row.waiting, row.gone))
}

async fn silence(
    tx: &mut TenantTx,
    from: Timestamp,
    until: Timestamp,
) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        r#"select earlier as "earlier!", at as "at!" from (
               select at, lag(at) over (order by at) as earlier from audit_entries
               where tenant_id = $1 and at >= $2 and at < $3) s
           where earlier is not null order by at - earlier desc limit 1"#,
        tenant.as_str(),
        from.to_sqlx() as _,
        until.to_sqlx() as _
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.map(|row| {
        let (earlier, at): (SqlTimestamp, SqlTimestamp) = (row.earlier, row.at);
        (earlier.to_jiff(), at.to_jiff())
    }))
}
