//! `/tenants/{tenantId}/domains`: domains of e-mail addresses that a tenant proves to be its own. Its provider introduces people
//! of these only.

use super::{Mistakes, Page};
use crate::{
    desk::FrontDesk,
    domain_proof,
    edge::limited,
    idempotent::Once,
    management::Managed,
    problem::{Code, Problem},
};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use misy_domain::{DomainName, Timestamp, act, limit::Quota};
use misy_store::{
    email_domains::{self, EmailDomain},
    limits::{Limit, Scope, Unreachable},
    sign_in_providers, tenant_tx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Attempts of a tenant to prove domains: each calls somebody else's server.
const ATTEMPTS: Quota = Quota { requests: 20, period: jiff::SignedDuration::from_mins(10) };

/// A domain of e-mail addresses.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EmailDomain)]
pub struct DomainAnswer {
    /// The domain.
    domain: DomainName,
    /// Whether it is proved.
    status: DomainStatus,
    /// The file that proves it; to be served without redirects, but perhaps one to `www.`.
    #[schema(example = "https://business.example/.well-known/misy-domain-verification.txt")]
    file: String,
    /// A line that the file must have.
    #[schema(example = "misy-domain-verification=…")]
    line: String,
    /// When it was named.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was proved.
    #[schema(value_type = Option<String>, format = DateTime)]
    proved_at: Option<Timestamp>,
}

misy_domain::words! {
    /// Whether a domain is proved.
    pub enum DomainStatus {
        /// The file was not found yet.
        Pending = "pending",
        /// The file was found.
        Proved = "proved",
    }
}

impl From<EmailDomain> for DomainAnswer {
    fn from(domain: EmailDomain) -> Self {
        Self {
            status: if domain.proved_at.is_some() { DomainStatus::Proved } else { DomainStatus::Pending },
            file: domain_proof::file(domain.domain.as_str()),
            line: domain.challenge,
            created_at: domain.created_at,
            proved_at: domain.proved_at,
            domain: domain.domain,
        }
    }
}

/// A domain to be proved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewDomain {
    /// The domain: what stands after the `@` of its addresses.
    #[schema(example = "business.example", max_length = 253)]
    domain: String,
}

/// List domains
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/domains", tag = "people", operation_id = "listDomains",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "Domains by name: at most 50, on one page", body = Page<DomainAnswer>)),
    security(("administrator" = []), ("session" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::SignInRead>,
) -> Result<Json<Page<DomainAnswer>>, Problem> {
    let mut tx = desk.database.tenant("domains.list", &call.tenant).await?;
    let domains = email_domains::list(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(Page::whole(domains).map(DomainAnswer::from)))
}

/// Name a domain to prove
///
/// The answer says which line to publish in which file of the domain. Nothing changes until that is verified.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/domains", tag = "people", operation_id = "createDomain",
    request_body(content = NewDomain, example = json!({"domain": "business.example"})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once"),
    ),
    responses(
        (status = 201, description = "The domain, with what to publish", body = DomainAnswer),
        (status = 409, description = "`conflict`: it is named already, or 50 are", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("session" = [], "csrf" = []))
)]
pub(crate) async fn create(
    State(desk): State<FrontDesk>,
    call: Managed<act::SignInWrite>,
) -> Result<Response, Problem> {
    let asked: NewDomain = call.received.json()?;
    let mut mistakes = Mistakes::default();
    let domain: Result<DomainName, _> = asked.domain.parse();
    if domain.is_err() {
        mistakes.add("/domain", "format", "must be a domain such as business.example");
    }
    mistakes.into_result()?;
    let domain = domain.map_err(|_| Problem::internal())?;
    let once = Once::of(&call.received, &call.manager.maker)?;
    tenant_tx!(desk.database, "domains.create", &call.tenant, async |tx| {
        if let Some(answer) = once.answered(&desk, tx).await? {
            return Ok(answer);
        }
        let line = domain_proof::new_line(&*desk.entropy);
        email_domains::create(tx, &domain, &line, desk.clock.now()).await?;
        call.record_change(&desk, tx, domain.as_str(), None).await?;
        let named = email_domains::lock(tx, &domain).await?.ok_or_else(Problem::internal)?;
        once.keep(&desk, tx, call.keys(), StatusCode::CREATED, &DomainAnswer::from(named)).await
    })
    .await
}

/// Verify a domain
///
/// The file is read now, over https. From then on nobody else can prove the domain.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/domains/{domain}/verify", tag = "people", operation_id = "verifyDomain",
    params(("tenantId" = String, Path, description = "The tenant"), ("domain" = String, Path, description = "The domain")),
    responses(
        (status = 200, description = "It is proved", body = DomainAnswer),
        (status = 409, description = "`domain_not_proved`: the file is not there or has another line; `conflict`: it is another tenant's", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("session" = [], "csrf" = []))
)]
pub(crate) async fn verify(
    State(desk): State<FrontDesk>,
    call: Managed<act::SignInWrite>,
) -> Result<Json<DomainAnswer>, Problem> {
    let domain: DomainName = call.received.param("domain")?;
    call.received.expect_no_body()?;
    let mut tx = desk.database.tenant("domains.verify", &call.tenant).await?;
    let named = email_domains::lock(&mut tx, &domain).await?.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    let limit = Limit { scope: Scope::Key, subject: "domains/verify", quota: ATTEMPTS };
    let decision =
        desk.limits.check(&call.tenant, None, &[limit], desk.clock.now(), Unreachable::Refuse).await?;
    limited(decision, &call.received.record)?;
    if let Err(error) = domain_proof::check(&desk.egress, &domain, &named.challenge).await {
        // Why a name leads nowhere is for the log: it would tell of the network that this program is in.
        tracing::info!(target: "misy::call", %error, cause = ?std::error::Error::source(&error), "a domain is not proved");
        let detail = format!("The domain is not proved: {error}.");
        return Err(Problem::conflict(Code::DomainNotProved, detail));
    }
    call.expect_still(&desk).await?;
    let mut tx = desk.database.tenant("domains.verify", &call.tenant).await?;
    // It may have been removed and named anew while the file was read.
    let same = email_domains::lock(&mut tx, &domain).await?.filter(|now| now.challenge == named.challenge);
    same.ok_or_else(Problem::not_found)?;
    email_domains::prove(&mut tx, &domain, desk.clock.now()).await?;
    call.record_change(&desk, &mut tx, domain.as_str(), None).await?;
    let proved = email_domains::lock(&mut tx, &domain).await?.ok_or_else(Problem::internal)?;
    tx.commit().await?;
    Ok(Json(DomainAnswer::from(proved)))
}

/// Remove a domain
///
/// Refused while the tenant's provider introduces people of it.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/domains/{domain}", tag = "people", operation_id = "deleteDomain",
    params(("tenantId" = String, Path, description = "The tenant"), ("domain" = String, Path, description = "The domain")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "`domain_in_use`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("session" = [], "csrf" = []))
)]
pub(crate) async fn delete(
    State(desk): State<FrontDesk>,
    call: Managed<act::SignInWrite>,
) -> Result<StatusCode, Problem> {
    let domain: DomainName = call.received.param("domain")?;
    call.received.expect_no_body()?;
    let mut tx = desk.database.tenant("domains.delete", &call.tenant).await?;
    let provider = sign_in_providers::hold(&mut tx, call.keys()).await?;
    if provider.and_then(|provider| provider.email_domains).is_some_and(|used| used.contains(&domain)) {
        return Err(Problem::conflict(
            Code::DomainInUse,
            "The provider introduces people of this domain; take it out there first.",
        ));
    }
    if !email_domains::remove(&mut tx, &domain).await? {
        return Err(Problem::not_found());
    }
    call.record_change(&desk, &mut tx, domain.as_str(), None).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
