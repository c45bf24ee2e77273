//! `GET` and `PATCH /tenants/{tenantId}`.

use super::{Mistakes, TenantAnswer, expected_version, versioned};
use crate::{
    desk::FrontDesk,
    management::Managed,
    problem::{FieldError, Problem},
};
use axum::{extract::State, response::Response};
use misy_domain::{Action, Locale, Origin, Plan, act, context_pack::ZoneName};
use misy_store::{
    tenant_tx,
    tenants::{self, TenantChange},
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// What of a tenant is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantPatch {
    /// The name of the business.
    #[schema(max_length = 120)]
    tenant_name: Option<String>,
    /// Whom to write to.
    contact_email: Option<String>,
    /// Its main web page.
    website_url: Option<String>,
    /// What it does.
    #[schema(max_length = 120)]
    business_industry: Option<String>,
    /// Its language tag.
    locale: Option<String>,
    /// Its IANA time zone.
    timezone: Option<String>,
    /// `FREE`, `PRO` or `ENTERPRISE`; the owner alone decides it.
    plan: Option<Plan>,
    /// How long a session lives: a minute to a year.
    #[schema(minimum = 60, maximum = 31_536_000)]
    session_ttl_seconds: Option<i32>,
}

/// Read a tenant
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}", tag = "tenants", operation_id = "readTenant",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The tenant, with its version as ETag", body = TenantAnswer)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::TenantRead>,
) -> Result<Response, Problem> {
    let mut tx = desk.database.tenant("tenants.read", &call.tenant).await?;
    let tenant = tenants::read(&mut tx).await?;
    tx.commit().await?;
    let tenant = tenant.ok_or_else(Problem::not_found)?;
    Ok(versioned(tenant.version, TenantAnswer::from(tenant)))
}

/// Change a tenant
#[utoipa::path(
    patch, path = "/api/meta-agent/tenants/{tenantId}", tag = "tenants", operation_id = "changeTenant",
    request_body(content = TenantPatch, example = json!({"tenantName": "Clínica Andina Centro"})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 200, description = "The tenant as it is now", body = TenantAnswer),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn change(
    State(desk): State<FrontDesk>,
    call: Managed<act::TenantWrite>,
) -> Result<Response, Problem> {
    let expected = expected_version(&call.received)?;
    let patch: TenantPatch = call.received.json()?;
    if patch.plan.is_some() {
        call.also(&desk, Action::PlanWrite).await?;
    }
    let change = checked(patch)?;
    let tenant = tenant_tx!(desk.database, "tenants.change", &call.tenant, async |tx| {
        let tenant = tenants::change(tx, &change, expected).await?.ok_or_else(Problem::not_found)?;
        let detail = json!({ "version": tenant.version });
        call.record_change(&desk, tx, call.tenant.as_str(), Some(detail)).await?;
        Ok::<_, Problem>(tenant)
    })
    .await?;
    desk.tenants.changed(&call.tenant);
    Ok(versioned(tenant.version, TenantAnswer::from(tenant)))
}

fn checked(patch: TenantPatch) -> Result<TenantChange, Problem> {
    let mut mistakes = Mistakes::default();
    for (pointer, text) in
        [("/tenantName", &patch.tenant_name), ("/businessIndustry", &patch.business_industry)]
    {
        if let Some(text) = text {
            mistakes.line(pointer, text, 120);
        }
    }
    if patch.contact_email.as_ref().is_some_and(|email| !is_email(email)) {
        mistakes.add("/contactEmail", "format", "must be an e-mail address");
    }
    if patch.website_url.as_ref().is_some_and(|url| Origin::of_url(url).is_err() || url.len() > 2_000) {
        mistakes.add("/websiteUrl", "format", "must be an https address");
    }
    if let Some(Err(error)) = patch.locale.as_ref().map(|locale| locale.parse::<Locale>()) {
        mistakes.add("/locale", "format", &error.to_string());
    }
    if patch.timezone.as_ref().is_some_and(|zone| ZoneName::parse(zone).is_none()) {
        mistakes.add("/timezone", "format", "must be a time zone such as America/Bogota");
    }
    if patch.session_ttl_seconds.is_some_and(|seconds| !(60..=31_536_000).contains(&seconds)) {
        mistakes.0.push(FieldError::new("/sessionTtlSeconds", "range", "must be from 60 to 31536000"));
    }
    mistakes.into_result()?;
    Ok(TenantChange {
        name: patch.tenant_name,
        contact_email: patch.contact_email,
        website_url: patch.website_url,
        business_industry: patch.business_industry,
        locale: patch.locale,
        timezone: patch.timezone,
        plan: patch.plan,
        session_ttl_seconds: patch.session_ttl_seconds,
    })
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | '"' | '\\' | '@');
    (1..=64).contains(&local.len())
        && local.chars().all(plain)
        && domain.contains('.')
        && Origin::of_url(&format!("https://{domain}")).is_ok()
}
