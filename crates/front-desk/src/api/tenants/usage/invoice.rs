//! `GET /tenants/{tenantId}/usage/invoice`: what a month costs.

use super::{Format, csv, wants_csv};
use crate::{desk::FrontDesk, management::Managed, problem::Problem};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use jiff::civil::Date;
use misy_domain::{
    Metered, Plan, Timestamp, act,
    plan::{Billing, Price},
};
use misy_store::usage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Which month.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InvoiceQuery {
    /// The month in UTC; this one unless given.
    #[param(example = "2026-11")]
    month: Option<String>,
    /// `json` (usually) or `csv`, which `Accept: text/csv` asks for too.
    #[param(value_type = Option<String>)]
    format: Option<Format>,
}

/// What a month costs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    /// The tenant.
    #[schema(example = "andina")]
    tenant_id: String,
    /// The month.
    #[schema(example = "2026-11")]
    month: String,
    /// Whether the month is over, so that nothing is added any more.
    is_final: bool,
    /// The plan that the tenant has now.
    #[schema(example = "ENTERPRISE")]
    plan: &'static str,
    /// `fixed` or `pay_per_use`.
    #[schema(value_type = String, example = "pay_per_use")]
    billing: Billing,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: &'static str,
    /// What is charged.
    lines: Vec<InvoiceLine>,
    /// The sum of the lines.
    #[schema(example = "1003.20")]
    total: String,
}

/// One thing that is charged.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceLine {
    /// `plan`, `messages`, `bookings` or `ai_tokens`.
    #[schema(example = "messages")]
    item: &'static str,
    /// How much was used.
    #[schema(example = 1_022_000)]
    quantity: i64,
    /// How much of it the plan includes.
    #[schema(example = 1_000_000)]
    included: i64,
    /// What is charged for.
    #[schema(example = 22_000)]
    billable: i64,
    /// The price of one.
    #[schema(example = "0.000600")]
    unit_price: String,
    /// What it comes to, rounded to hundredths once.
    #[schema(example = "13.20")]
    amount: String,
}

/// Read an invoice
///
/// The summary of a month by the plan that the tenant has now: its price, and for pay-per-use what goes beyond what is
/// included. No tax, and no part of a month when the plan was changed in it.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/usage/invoice", tag = "tenants", operation_id = "readInvoice",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("Accept" = Option<String>, Header, description = "`text/csv` for CSV"),
        InvoiceQuery,
    ),
    responses((status = 200, description = "The invoice", content((Invoice = "application/json"), (String = "text/csv")))),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsageRead>,
) -> Result<Response, Problem> {
    let query: InvoiceQuery = call.received.query()?;
    let now = desk.clock.now();
    let start = month(query.month.as_deref(), now)?;
    let mut tx = desk.database.tenant_report("usage.invoice", &call.tenant).await?;
    let used = usage::counted(&mut tx, start).await?;
    tx.commit().await?;
    let text = start.to_string();
    let month = text.get(..7).unwrap_or_default();
    let invoice =
        invoice(call.tenant.as_str(), call.state.plan(), month, &used, usage::next_month(start) <= now);
    if !wants_csv(query.format, call.received.header(&header::ACCEPT)) {
        return Ok(Json(invoice).into_response());
    }
    let mut table = csv::Table::new(&[
        "month",
        "item",
        "quantity",
        "included",
        "billable",
        "unitPrice",
        "amount",
        "currency",
    ]);
    for line in &invoice.lines {
        let numbers = [line.quantity, line.included, line.billable].map(|number| number.to_string());
        let [quantity, included, billable] = &numbers;
        let prices = [line.unit_price.as_str(), line.amount.as_str(), invoice.currency];
        table.row(&[
            &invoice.month,
            line.item,
            quantity,
            included,
            billable,
            prices[0],
            prices[1],
            prices[2],
        ]);
    }
    Ok(table.into_response("invoice.csv"))
}

/// The beginning of a month that is not in the future.
fn month(text: Option<&str>, now: Timestamp) -> Result<Timestamp, Problem> {
    let refused = || Problem::invalid_field("?month", "format", "must be a month until now, such as 2026-11");
    let day = match text {
        Some(text) if text.len() == 7 => format!("{text}-01").parse::<Date>().map_err(|_| refused())?,
        Some(_) => return Err(refused()),
        None => now.to_zoned(jiff::tz::TimeZone::UTC).date().first_of_month(),
    };
    let start = day.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| refused())?.timestamp();
    if start > now { Err(refused()) } else { Ok(start) }
}

fn invoice(tenant: &str, plan: Plan, month: &str, used: &BTreeMap<Metered, i64>, is_final: bool) -> Invoice {
    let price = &plan.terms().price;
    let mut total = cents(price.monthly);
    let mut lines = vec![InvoiceLine {
        item: "plan",
        quantity: 1,
        included: 0,
        billable: 1,
        unit_price: money(i128::from(price.monthly), 6),
        amount: money(total, 2),
    }];
    for metered in Metered::ALL {
        let (line, amount) = line(price, metered, used.get(&metered).copied().unwrap_or_default());
        total += amount;
        lines.push(line);
    }
    Invoice {
        tenant_id: tenant.to_owned(),
        month: month.to_owned(),
        is_final,
        plan: plan.as_str(),
        billing: price.billing,
        currency: price.currency,
        lines,
        total: money(total, 2),
    }
}

fn line(price: &Price, metered: Metered, quantity: i64) -> (InvoiceLine, i128) {
    let included = price.included.of(metered);
    let billable = if price.billing == Billing::PayPerUse { (quantity - included).max(0) } else { 0 };
    let per_unit = i128::from(price.per_unit.of(metered));
    let amount = round(per_unit * i128::from(billable));
    let line = InvoiceLine {
        item: metered.as_str(),
        quantity,
        included,
        billable,
        unit_price: money(per_unit, 6),
        amount: money(amount, 2),
    };
    (line, amount)
}

fn cents(micros: i64) -> i128 {
    round(i128::from(micros))
}

/// From millionths to hundredths, half up.
fn round(micros: i128) -> i128 {
    (micros + 5_000).div_euclid(10_000)
}

/// A number of 10^-decimals as a decimal text. Amounts are never negative.
fn money(amount: i128, decimals: u32) -> String {
    let unit = 10_i128.pow(decimals);
    let width = usize::try_from(decimals).unwrap_or_default();
    format!("{}.{:0width$}", amount / unit, amount % unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_plan_costs_its_price_whatever_was_used() {
        let used = BTreeMap::from([(Metered::Messages, 199_999)]);
        let invoice = invoice("andina", Plan::Pro, "2026-11", &used, true);
        assert_eq!(invoice.total, "149.00");
        assert_eq!((invoice.lines[1].quantity, invoice.lines[1].amount.as_str()), (199_999, "0.00"));
    }

    #[test]
    fn pay_per_use_charges_what_goes_beyond_and_rounds_each_line_once() {
        let used = BTreeMap::from([
            (Metered::Messages, 1_000_008),
            (Metered::Bookings, 20_001),
            (Metered::AiTokens, 200_007_499),
        ]);
        let invoice = invoice("andina", Plan::Enterprise, "2026-11", &used, false);
        let amounts: Vec<_> = invoice.lines.iter().map(|line| line.amount.as_str()).collect();
        // 8 × 0.0006 = 0.0048; 1 × 0.02; 7,499 × 0.000002 = 0.014998.
        assert_eq!(amounts, ["990.00", "0.00", "0.02", "0.01"]);
        assert_eq!(invoice.total, "990.03");
        assert_eq!(invoice.lines[1].unit_price, "0.000600");
    }
}
