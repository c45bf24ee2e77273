//! `GET /tenants/{tenantId}/usage`: what was used, as JSON or CSV.

pub mod csv;
pub mod invoice;
pub mod refusals;

use super::Page;
use crate::{desk::FrontDesk, management::Managed, problem::Problem};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use jiff::{SignedDuration, civil::Date, tz::TimeZone};
use misy_domain::{Timestamp, act};
use misy_store::usage::{self, GroupBy, UsageFilter, UsageRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The longest time that is added up at once.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 400);
const USUAL_PAGE: u32 = 200;
const LARGEST_PAGE: u32 = 1_000;

/// Which usage.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// From this day or time on; the first of this month unless given.
    #[param(example = "2026-10-01")]
    from: Option<String>,
    /// Before this day or time; the end of this month unless given.
    #[param(example = "2026-11-01")]
    to: Option<String>,
    /// `day` (usually), `key`, `site` or `channel`.
    #[param(value_type = Option<String>)]
    group_by: Option<Grouping>,
    /// `json` (usually) or `csv`, which `Accept: text/csv` asks for too.
    #[param(value_type = Option<String>)]
    format: Option<Format>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// At most so many: 1 to 1000, usually 200.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Grouping {
    Day,
    Key,
    Site,
    Channel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    Json,
    Csv,
}

/// What was used by one day, key, site or channel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Usage)]
pub struct UsageAnswer {
    /// The day, key, site or channel; empty when that is not known.
    #[schema(example = "2026-11-22")]
    group: String,
    /// `messages`, `bookings` or `ai_tokens`.
    #[schema(example = "messages")]
    kind: &'static str,
    /// How much.
    #[schema(example = 1204)]
    amount: i64,
    /// How many single events that is the sum of.
    #[schema(example = 1204)]
    events: i64,
}

impl From<UsageRow> for UsageAnswer {
    fn from(row: UsageRow) -> Self {
        Self { group: row.group, kind: row.metered.as_str(), amount: row.amount, events: row.events }
    }
}

impl Grouping {
    fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Key => "key",
            Self::Site => "site",
            Self::Channel => "channel",
        }
    }

    fn by(self) -> GroupBy {
        match self {
            Self::Day => GroupBy::Day,
            Self::Key => GroupBy::Key,
            Self::Site => GroupBy::Site,
            Self::Channel => GroupBy::Channel,
        }
    }
}

/// Read usage
///
/// Added up from the single events, to the unit, by days of UTC. As CSV it comes whole, without pages; there a text that a
/// spreadsheet could take for a formula begins with an apostrophe.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/usage", tag = "tenants", operation_id = "readUsage",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("Accept" = Option<String>, Header, description = "`text/csv` for CSV"),
        UsageQuery,
    ),
    responses((status = 200, description = "The usage", content((Page<UsageAnswer> = "application/json"), (String = "text/csv")))),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsageRead>,
) -> Result<Response, Problem> {
    let query: UsageQuery = call.received.query()?;
    let (from, to) = span(query.from.as_deref(), query.to.as_deref(), desk.clock.now())?;
    let grouping = query.group_by.unwrap_or(Grouping::Day);
    let csv = wants_csv(query.format, call.received.header(&header::ACCEPT));
    let limit = query.limit.unwrap_or(USUAL_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Problem::invalid_field("?limit", "range", "must be from 1 to 1000"));
    }
    let no_cursor = || Problem::invalid_field("?cursor", "format", "is no cursor of this list");
    let after = match &query.cursor {
        Some(cursor) => Some(cursor.rsplit_once('~').ok_or_else(no_cursor)?),
        None => None,
    };
    let rows = if csv { i64::MAX } else { i64::from(limit) + 1 };
    let filter = UsageFilter { from, to, by: grouping.by(), after, limit: rows };
    let mut tx = desk.database.tenant_report("usage.read", &call.tenant).await?;
    let rows = usage::usage(&mut tx, &filter).await?;
    tx.commit().await?;
    if csv {
        let mut table = csv::Table::new(&[grouping.name(), "kind", "amount", "events"]);
        for row in &rows {
            let numbers = [row.amount.to_string(), row.events.to_string()];
            table.row(&[&row.group, row.metered.as_str(), &numbers[0], &numbers[1]]);
        }
        return Ok(table.into_response("usage.csv"));
    }
    let cursor = |row: &UsageRow| format!("{}~{}", row.group, row.metered.as_str());
    Ok(Json(Page::of(rows, limit, cursor).map(UsageAnswer::from)).into_response())
}

/// Whether CSV was asked for, by the query or else by the header.
pub(super) fn wants_csv(format: Option<Format>, accept: Option<&str>) -> bool {
    let accepted = || accept.is_some_and(|accept| accept.trim_start().starts_with("text/csv"));
    format.map_or_else(accepted, |format| format == Format::Csv)
}

/// The time between two ends, each a day of UTC or an instant; this month unless given.
fn span(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let at = |pointer: &str, text: &str| {
        let day = text.parse::<Date>().ok().and_then(|day| day.to_zoned(TimeZone::UTC).ok());
        let instant = if text.contains('T') { text.parse().ok() } else { day.map(|day| day.timestamp()) };
        instant.ok_or_else(|| Problem::invalid_field(pointer, "format", "must be a day or a time (RFC 3339)"))
    };
    let this_month = now.to_zoned(TimeZone::UTC).date().first_of_month().to_zoned(TimeZone::UTC);
    let from = match from {
        Some(text) => at("?from", text)?,
        None => this_month.map_or(now, |month| month.timestamp()),
    };
    let to = match to {
        Some(text) => at("?to", text)?,
        None => usage::next_month(now),
    };
    if to < from || to.duration_since(from) > LONGEST {
        return Err(Problem::invalid_field("?to", "range", "must be at most 400 days after from"));
    }
    Ok((from, to))
}
