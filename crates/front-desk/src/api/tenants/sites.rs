//! `/tenants/{tenantId}/sites`: where the tenant may be used from.

use super::{Mistakes, Page, PageQuery, expected_version, registration::origins, versioned};
use crate::{
    desk::FrontDesk,
    idempotent::Once,
    management::Managed,
    problem::{Code, FieldError, Problem},
};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use misy_domain::{Action, Permission, Permissions, SiteId, Timestamp, act};
use misy_store::{
    sites::{self, LockedSite, Site, SiteChange},
    tenant_tx,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// A site.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Site)]
pub struct SiteAnswer {
    /// Its slug.
    #[schema(value_type = misy_domain::SiteId)]
    site_id: String,
    /// What people call it.
    name: String,
    /// What a token of it may hold at most.
    #[schema(example = json!(["chat:read", "chat:write"]))]
    permissions: Permissions,
    /// Where it may be used from.
    #[schema(example = json!(["https://andina.example"]))]
    origins: Vec<String>,
    /// Grows with each change; the `ETag`.
    version: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Site> for SiteAnswer {
    fn from(site: Site) -> Self {
        Self {
            site_id: site.site_id.to_string(),
            name: site.name,
            permissions: site.permissions,
            origins: site.origins.iter().map(ToString::to_string).collect(),
            version: site.version,
            created_at: site.created_at,
            updated_at: site.updated_at,
        }
    }
}

/// A site to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSite {
    /// Its slug, unique in the tenant.
    site_id: SiteId,
    /// What people call it; the slug unless given.
    #[schema(max_length = 120)]
    name: Option<String>,
    /// Where it may be used from: 1 to 20 origins.
    #[schema(example = json!(["https://shop.andina.example"]))]
    origins: Vec<String>,
    /// What a token of it may hold at most; everything unless given.
    permissions: Option<Vec<Permission>>,
}

/// What of a site is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SitePatch {
    /// What people call it.
    #[schema(max_length = 120)]
    name: Option<String>,
    /// Where it may be used from: 1 to 20 origins, in the place of those before.
    origins: Option<Vec<String>>,
    /// What a token of it may hold at most.
    permissions: Option<Vec<Permission>>,
}

/// List sites
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/sites", tag = "tenants", operation_id = "listSites",
    params(("tenantId" = String, Path, description = "The tenant"), PageQuery),
    responses((status = 200, description = "Sites by id", body = Page<SiteAnswer>)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::SitesRead>,
) -> Result<Json<Page<SiteAnswer>>, Problem> {
    let query: PageQuery = call.received.query()?;
    let limit = query.limit()?;
    let mut tx = desk.database.tenant("sites.list", &call.tenant).await?;
    let sites = sites::list(&mut tx, query.cursor()?.as_ref(), i64::from(limit) + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(sites, limit, |site| site.site_id.to_string()).map(SiteAnswer::from)))
}

/// Create a site
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/sites", tag = "tenants", operation_id = "createSite",
    request_body(content = NewSite, example = json!({"siteId": "shop", "origins": ["https://shop.andina.example"]})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once"),
    ),
    responses((status = 201, description = "The site", body = SiteAnswer)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn create(
    State(desk): State<FrontDesk>,
    call: Managed<act::SitesWrite>,
) -> Result<Response, Problem> {
    let new: NewSite = call.received.json()?;
    let name = new.name.unwrap_or_else(|| new.site_id.to_string());
    let mut mistakes = Mistakes::default();
    mistakes.line("/name", &name, 120);
    let origins = origins("/origins", &new.origins, &mut mistakes.0);
    mistakes.into_result()?;
    let permissions: Permissions =
        new.permissions.map_or_else(Permissions::all, |list| list.into_iter().collect());
    let once = Once::of(&call.received, &call.manager.maker)?;
    let response = tenant_tx!(desk.database, "sites.create", &call.tenant, async |tx| {
        if let Some(answer) = once.answered(&desk, tx).await? {
            return Ok(answer);
        }
        sites::create(tx, &new.site_id, &name, &permissions, &origins).await?;
        let site = sites::read(tx, &new.site_id).await?.ok_or_else(Problem::internal)?;
        let detail = json!({ "origins": new.origins });
        call.record_change(&desk, tx, new.site_id.as_str(), Some(detail)).await?;
        let answer = SiteAnswer::from(site);
        once.keep(&desk, tx, call.keys(), StatusCode::CREATED, &answer).await
    })
    .await?;
    desk.tenants.changed(&call.tenant);
    desk.origins.changed();
    Ok(response)
}

/// Read a site
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/sites/{siteId}", tag = "tenants", operation_id = "readSite",
    params(("tenantId" = String, Path, description = "The tenant"), ("siteId" = String, Path, description = "The site")),
    responses((status = 200, description = "The site, with its version as ETag", body = SiteAnswer)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::SitesRead>,
) -> Result<Response, Problem> {
    let id: SiteId = call.received.param("siteId")?;
    let mut tx = desk.database.tenant("sites.read", &call.tenant).await?;
    let site = sites::read(&mut tx, &id).await?;
    tx.commit().await?;
    let site = site.ok_or_else(Problem::not_found)?;
    Ok(versioned(site.version, SiteAnswer::from(site)))
}

/// Change a site
#[utoipa::path(
    patch, path = "/api/meta-agent/tenants/{tenantId}/sites/{siteId}", tag = "tenants", operation_id = "changeSite",
    request_body(content = SitePatch, example = json!({"origins": ["https://andina.example", "https://www.andina.example"]})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("siteId" = String, Path, description = "The site"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 200, description = "The site as it is now", body = SiteAnswer),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn change(
    State(desk): State<FrontDesk>,
    call: Managed<act::SitesWrite>,
) -> Result<Response, Problem> {
    let id: SiteId = call.received.param("siteId")?;
    let expected = expected_version(&call.received)?;
    let patch: SitePatch = call.received.json()?;
    let mut mistakes: Vec<FieldError> = Vec::new();
    let allowed = patch.origins.as_ref().map(|list| origins("/origins", list, &mut mistakes));
    let mut mistakes = Mistakes(mistakes);
    if let Some(name) = &patch.name {
        mistakes.line("/name", name, 120);
    }
    mistakes.into_result()?;
    let change = SiteChange {
        name: patch.name,
        permissions: patch.permissions.map(|list| list.into_iter().collect()),
        origins: allowed,
    };
    let site = tenant_tx!(desk.database, "sites.change", &call.tenant, async |tx| {
        let site = sites::change(tx, &id, &change, expected).await?.ok_or_else(Problem::not_found)?;
        let detail = json!({ "version": site.version, "origins": patch.origins });
        call.record_change(&desk, tx, id.as_str(), Some(detail)).await?;
        Ok::<_, Problem>(site)
    })
    .await?;
    desk.tenants.changed(&call.tenant);
    desk.origins.changed();
    Ok(versioned(site.version, SiteAnswer::from(site)))
}

/// Delete a site
///
/// With its origins, its keys, its certificates and its sessions; whoever deletes it may handle those too. Its tokens are accepted no
/// longer.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/sites/{siteId}", tag = "tenants", operation_id = "deleteSite",
    params(("tenantId" = String, Path, description = "The tenant"), ("siteId" = String, Path, description = "The site")),
    responses((status = 204, description = "It is gone")),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn delete(
    State(desk): State<FrontDesk>,
    call: Managed<act::SitesWrite>,
) -> Result<StatusCode, Problem> {
    let id: SiteId = call.received.param("siteId")?;
    call.received.expect_no_body()?;
    let of_owner = call.state.is_owner();
    let goes_with_it = |site: &LockedSite| (!site.keys.is_empty(), !site.certificates.is_empty());
    let asked_for = tenant_tx!(desk.database, "sites.goes_with_it", &call.tenant, async |tx| {
        let site = sites::lock(tx, of_owner, &id).await?.ok_or_else(Problem::not_found)?;
        Ok::<_, Problem>(goes_with_it(&site))
    })
    .await?;
    // What goes with it is asked for as if it went alone. These questions have transactions of their own.
    let (keys, certificates) = asked_for;
    if keys {
        call.also(&desk, Action::KeysWrite).await?;
    }
    if certificates {
        call.also(&desk, Action::CertificatesWrite).await?;
    }
    tenant_tx!(desk.database, "sites.delete", &call.tenant, async |tx| {
        let site = sites::lock(tx, of_owner, &id).await?.ok_or_else(Problem::not_found)?;
        if goes_with_it(&site) != asked_for {
            let detail = "The site got or lost keys or certificates at this moment; try again.";
            return Err(Problem::conflict(Code::Conflict, detail));
        }
        let site = call.handle(&desk, site)?;
        sites::delete(tx, &site).await?;
        call.record_change(&desk, tx, id.as_str(), None).await
    })
    .await?;
    desk.tenants.changed(&call.tenant);
    desk.origins.changed();
    Ok(StatusCode::NO_CONTENT)
}
