//! What tenants use: monthly quotas, exact under concurrency, and the events that bills are made of.
//!
//! PostgreSQL alone counts. Messages are counted where they are stored ([`crate::Database::ingest`]); whatever takes a while
//! (a booking, the run of an agent that costs tokens) reserves first and settles what it really was.

use crate::{StoreError, TenantTx, readable::stored};
use jiff_sqlx::{Date as SqlDate, Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Channel, KeyId, Metered, Plan, SiteId, TenantType, Timestamp};
use std::collections::BTreeMap;

/// Who an amount is counted for.
#[derive(Debug, Clone, Copy, Default)]
pub struct CountedFor<'a> {
    /// The publishable key or tenant secret.
    pub key: Option<KeyId>,
    /// The site.
    pub site: Option<&'a SiteId>,
    /// The channel.
    pub channel: Option<Channel>,
}

/// What came of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// The amount is taken until it is settled.
    Taken,
    /// It was taken before under the same subject.
    Known,
    /// It is more than is left, and nothing was taken.
    QuotaExceeded,
}

/// What usage is added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// The day in UTC.
    Day,
    /// The publishable key or tenant secret.
    Key,
    /// The site.
    Site,
    /// The channel.
    Channel,
}

/// Usage of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// What was used.
    pub metered: Metered,
    /// The day, key, site or channel; empty when that is not known.
    pub group: String,
    /// How much.
    pub amount: i64,
    /// How many events that is the sum of.
    pub events: i64,
}

/// Which usage.
#[derive(Debug, Clone)]
pub struct UsageFilter<'a> {
    /// From this time on.
    pub from: Timestamp,
    /// Before this time.
    pub to: Timestamp,
    /// Added up by this.
    pub by: GroupBy,
    /// After this group and thing, as the rows are ordered.
    pub after: Option<(&'a str, &'a str)>,
    /// At most so many rows.
    pub limit: i64,
}

/// How many times calls were refused on a day for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// The day in UTC.
    pub day: jiff::civil::Date,
    /// The code of the problem.
    pub reason: String,
    /// How many times.
    pub count: i64,
}

/// When the month after this time begins, in UTC.
pub fn next_month(now: Timestamp) -> Timestamp {
    let month = now.to_zoned(jiff::tz::TimeZone::UTC).date().first_of_month();
    // Nothing after the year 9999.
    let next = month.saturating_add(jiff::Span::new().months(1)).to_zoned(jiff::tz::TimeZone::UTC);
    next.map_or(Timestamp::MAX, |next| next.timestamp())
}

/// Reserves an amount of the month's quota under a subject: the booking, or the call of a model.
pub async fn reserve(
    tx: &mut TenantTx,
    metered: Metered,
    subject: &str,
    amount: i64,
    monthly: Option<i64>,
    counted_for: CountedFor<'_>,
    now: Timestamp,
) -> Result<Reserved, StoreError> {
    let tenant = tx.tenant().clone();
    let outcome = sqlx::query_scalar!(
        "select misy.reserve_usage($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        tenant.as_str(),
        metered.as_str(),
        subject,
        amount,
        monthly,
        counted_for.key.map(|key| key.to_string()),
        counted_for.site.map(SiteId::as_str),
        counted_for.channel.map(Channel::as_str),
        now.to_sqlx() as _
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(match outcome.as_deref() {
        Some("reserved") => Reserved::Taken,
        Some("known") => Reserved::Known,
        _ => Reserved::QuotaExceeded,
    })
}

/// Says what really was used of a reservation; 0 gives all of it back. Says whether there was one to settle.
pub async fn settle(
    tx: &mut TenantTx,
    metered: Metered,
    subject: &str,
    amount: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let settled = sqlx::query_scalar!(
        "select misy.settle_usage($1, $2, $3, $4, $5)",
        tenant.as_str(),
        metered.as_str(),
        subject,
        amount,
        now.to_sqlx() as _
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(settled.unwrap_or_default())
}

/// Counts reservations in full whose subjects begin with this and that nobody settled: what died with them nobody knows, so
/// all of it may have been used. Says how many there were.
pub async fn count_unsettled(
    tx: &mut TenantTx,
    metered: Metered,
    prefix: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let tenant = tx.tenant().clone();
    let counted = sqlx::query!(
        "update usage_events set settled = true
         where tenant_id = $1 and kind = $2 and not settled and subject >= $3 and subject < $4
             and month in (misy.month_of($5), misy.month_of($5 - interval '1 month'))",
        tenant.as_str(),
        metered.as_str(),
        prefix,
        format!("{prefix}\u{10FFFF}"),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(counted.rows_affected())
}

/// What the tenant may use in a month; `None`: as much as it likes, as the owner of the platform does.
pub async fn monthly(tx: &mut TenantTx, metered: Metered) -> Result<Option<i64>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        r#"select t.plan, t.tenant_type,
                  (select q.monthly from quotas q where q.tenant_id = t.tenant_id and q.kind = $2) as own
           from tenants t where t.tenant_id = $1"#,
        tenant.as_str(),
        metered.as_str(),
    )
    .fetch_one(tx.connection())
    .await?;
    let (plan, tenant_type): (Plan, TenantType) =
        (stored(row.plan.parse())?, stored(row.tenant_type.parse())?);
    Ok(row.own.or_else(|| (tenant_type != TenantType::Owner).then(|| plan.terms().quotas.of(metered))))
}

/// What was counted in the month of a time: what quotas are checked against. Equal to the sum of the events.
pub async fn counted(tx: &mut TenantTx, at: Timestamp) -> Result<BTreeMap<Metered, i64>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select kind, sum(used)::bigint as "used!" from usage_slots
           where tenant_id = $1 and month = misy.month_of($2) group by kind"#,
        tenant.as_str(),
        at.to_sqlx() as _
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(|row| Ok((metered(&row.kind)?, row.used))).collect()
}

/// Usage between two times, added up from the events.
pub async fn usage(tx: &mut TenantTx, filter: &UsageFilter<'_>) -> Result<Vec<UsageRow>, StoreError> {
    let tenant = tx.tenant().clone();
    let by = match filter.by {
        GroupBy::Day => "day",
        GroupBy::Key => "key",
        GroupBy::Site => "site",
        GroupBy::Channel => "channel",
    };
    let rows = sqlx::query!(
        r#"select g.name as "name!", g.kind as "kind!", sum(g.amount)::bigint as "amount!", count(*) as "events!"
           from (
               select case $4 when 'day' then to_char(e.at at time zone 'UTC', 'YYYY-MM-DD')
                              when 'key' then coalesce(e.key_id, '')
                              when 'site' then coalesce(e.site_id, '')
                              else coalesce(e.channel, '') end collate "C" as name,
                      e.kind, e.amount
               from usage_events e
               where e.tenant_id = $1 and e.month between misy.month_of($2) and misy.month_of($3)
                   and e.at >= $2 and e.at < $3
           ) g
           where $5::text is null or (g.name, g.kind) > ($5, coalesce($6, ''))
           group by g.name, g.kind
           order by g.name, g.kind
           limit $7"#,
        tenant.as_str(),
        filter.from.to_sqlx() as _,
        filter.to.to_sqlx() as _,
        by,
        filter.after.map(|(group, _)| group),
        filter.after.map(|(_, kind)| kind),
        filter.limit
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            let metered = metered(&row.kind)?;
            Ok(UsageRow { metered, group: row.name, amount: row.amount, events: row.events })
        })
        .collect()
}

/// Quotas that were set in the place of the plan's.
pub async fn quotas(tx: &mut TenantTx) -> Result<BTreeMap<Metered, i64>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!("select kind, monthly from quotas where tenant_id = $1", tenant.as_str())
        .fetch_all(tx.connection())
        .await?;
    rows.into_iter().map(|row| Ok((metered(&row.kind)?, row.monthly))).collect()
}

/// Sets these quotas in the place of all that were set.
pub async fn replace_quotas(tx: &mut TenantTx, quotas: &BTreeMap<Metered, i64>) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!("delete from quotas where tenant_id = $1", tenant.as_str()).execute(tx.connection()).await?;
    for (metered, monthly) in quotas {
        sqlx::query!(
            "insert into quotas (tenant_id, kind, monthly) values ($1, $2, $3)",
            tenant.as_str(),
            metered.as_str(),
            monthly
        )
        .execute(tx.connection())
        .await?;
    }
    Ok(())
}

/// Adds to the counts of refused calls.
pub async fn add_refusals(
    tx: &mut TenantTx,
    counts: &[(&str, i64)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let (reasons, numbers): (Vec<String>, Vec<i64>) =
        counts.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).unzip();
    sqlx::query!(
        "insert into refusals as r (tenant_id, day, reason, count)
         select $1, ($4::timestamptz at time zone 'UTC')::date, c.reason, c.count
         from unnest($2::text[], $3::bigint[]) as c (reason, count)
         order by c.reason
         on conflict (tenant_id, day, reason) do update set count = r.count + excluded.count",
        tenant.as_str(),
        &reasons,
        &numbers,
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Refused calls by day and reason, the newest first.
pub async fn refusals(
    tx: &mut TenantTx,
    from: Timestamp,
    to: Timestamp,
    limit: i64,
) -> Result<Vec<Refusals>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select day as "day: SqlDate", reason, count from refusals
           where tenant_id = $1 and day >= ($2::timestamptz at time zone 'UTC')::date
               and day <= ($3::timestamptz at time zone 'UTC')::date
           order by day desc, reason limit $4"#,
        tenant.as_str(),
        from.to_sqlx() as _,
        to.to_sqlx() as _,
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Refusals { day: row.day.to_jiff(), reason: row.reason, count: row.count })
        .collect())
}

/// A share of a quota that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaEvent {
    /// Of what.
    pub metered: Metered,
    /// 80 or 100.
    pub percent: i16,
    /// The quota.
    pub quota: i64,
    /// When.
    pub at: Timestamp,
}

/// The shares of quotas that were reached in the month of a time, as alerts are made of.
pub async fn quota_events(tx: &mut TenantTx, at: Timestamp) -> Result<Vec<QuotaEvent>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select kind, percent, quota, at as "at: SqlTimestamp" from quota_events
           where tenant_id = $1 and month = misy.month_of($2) order by at, kind, percent"#,
        tenant.as_str(),
        at.to_sqlx() as _
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            let metered = metered(&row.kind)?;
            Ok(QuotaEvent { metered, percent: row.percent, quota: row.quota, at: row.at.to_jiff() })
        })
        .collect()
}

fn metered(text: &str) -> Result<Metered, StoreError> {
    let found = Metered::ALL.into_iter().find(|metered| metered.as_str() == text);
    stored(found.ok_or(misy_domain::tenant::UnknownValue))
}
