//! `POST /tenants/register/owner` and `POST /tenants/register`: a tenant comes to be.

use super::registration::{Registration, checked};
use crate::{
    address::{self, Purpose},
    desk::FrontDesk,
    idempotent::Once,
    management::AtHome,
    pipeline::{Received, bearer},
    problem::{Code, FieldError, Problem},
    settings::SelfRegistration,
};
use axum::{
    extract::{FromRequest, Request, State},
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use misy_domain::{Action, Plan, TenantId, TenantStatus, TenantType, Timestamp, act};
use misy_store::{
    StoreError,
    audit::{Actor, AuditEntry, Kind},
    provisioning::{self, NewTenant, Provisioned},
    tenant_tx,
};
use serde::Serialize;
use utoipa::ToSchema;

/// A site of a new tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FirstSite {
    /// Its slug.
    #[schema(value_type = misy_domain::SiteId)]
    site_id: String,
    /// Where it may be used from.
    origins: Vec<String>,
}

/// A publishable key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FirstKey {
    /// Its id.
    #[schema(value_type = misy_domain::KeyId)]
    key_id: String,
    /// The key.
    #[schema(example = "pk_live_…")]
    key: String,
}

/// The tenant secret, shown once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FirstSecret {
    /// Its id, for `X-Misy-Key`.
    #[schema(value_type = misy_domain::KeyId)]
    key_id: String,
    /// 32 bytes in base64url.
    secret: String,
}

/// How the first administrator comes in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Enrollment {
    /// The page that hands over the token.
    url: String,
    /// Enrols the first administrator, once (`POST /auth/enroll`); a bearer token for automation too.
    #[schema(example = "adm_…")]
    token: String,
    /// Until when it is good.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// A new tenant with its credentials, shown once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationAnswer {
    /// Its slug.
    #[schema(value_type = misy_domain::TenantId)]
    tenant_id: String,
    /// The kind of tenant.
    tenant_type: TenantType,
    /// Where it stands in its life.
    status: TenantStatus,
    /// Its first site.
    site: FirstSite,
    /// For pages of the site.
    publishable_key: FirstKey,
    /// For trying out.
    test_key: FirstKey,
    /// For its servers.
    tenant_secret: FirstSecret,
    /// For its first administrator.
    enrollment: Enrollment,
}

/// Register the owner
///
/// Once, with the bootstrap secret of the installation. The id is the configured one, whatever the name.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/register/owner", tag = "tenants", operation_id = "registerOwner",
    request_body(content = Registration, example = json!({
        "tenantName": "ColombiaTIC", "contactEmail": "hola@colombiatic.example",
        "websiteUrl": "https://colombiatic.example", "businessIndustry": "Technology"
    })),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once")),
    responses((status = 201, description = "The owner, with credentials shown once", body = RegistrationAnswer)),
    security(("bootstrapSecret" = []))
)]
pub(crate) async fn owner(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    address::guard(&desk, request.extensions(), Purpose::Registrations)?;
    let received = Received::read(&desk, request, desk.settings.body_limit).await?;
    let result = register_owner(&desk, &received).await;
    if let Err(problem) = &result {
        // A success is in the trail already, written with the tenant. What failed left nothing else behind.
        let mut entry = AuditEntry::new(
            Kind::Change,
            received.record.operation,
            &Actor::outside("bootstrap"),
            &*desk.clock,
            &*desk.entropy,
        );
        problem.code().as_str().clone_into(&mut entry.outcome);
        entry.status = Some(i32::from(problem.status().as_u16()));
        entry.request_id = Some(received.record.request_id.clone());
        desk.audit.record(desk.settings.owner_id.clone(), entry);
    }
    result
}

async fn register_owner(desk: &FrontDesk, received: &Received) -> Result<Response, Problem> {
    let refused = || Problem::unauthorized(Code::BootstrapSecretInvalid);
    let secret = desk.settings.bootstrap_secret.as_ref().ok_or_else(refused)?;
    let given = bearer(received).ok_or_else(refused)?;
    if !secret.matches(given) {
        return Err(refused());
    }
    let registration: Registration = received.json()?;
    let tenant = desk.settings.owner_id.clone();
    let mut mistakes = Vec::new();
    if registration.tenant_id.as_ref().is_some_and(|id| id != tenant.as_str()) {
        mistakes.push(FieldError::new(
            "/tenantId",
            "format",
            format!("must be {tenant} in this installation"),
        ));
    }
    let new = checked(received, registration, TenantType::Owner, Actor::outside("bootstrap"), mistakes)?;
    let once = Once::of(received, "bootstrap")?;
    let answer = carry_out(desk, &tenant, &new, &once).await;
    match answer {
        Err(problem) if problem.code() == Code::Conflict => {
            Err(Problem::conflict(Code::OwnerAlreadyRegistered, "The owner is registered already."))
        }
        other => other,
    }
}

/// Register a tenant
///
/// Onboarding: the tenant, its first site with origins, keys, a starting context pack and the first administrator. Who may
/// do it is the operator's choice: anyone, the owner by its bearer token, or nobody.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/register", tag = "tenants", operation_id = "registerTenant",
    request_body(content = Registration, example = json!({
        "tenantName": "Clínica Andina", "contactEmail": "contacto@clinicaandina.example",
        "websiteUrl": "https://clinicaandina.example", "businessIndustry": "Dental clinic", "tenantId": "andina"
    })),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once")),
    responses((status = 201, description = "The tenant, with credentials shown once", body = RegistrationAnswer)),
    security((), ("administrator" = []))
)]
pub(crate) async fn register(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    let proves = request.headers().contains_key(http::header::AUTHORIZATION);
    match desk.self_registration() {
        SelfRegistration::Off => Err(Problem::not_found()),
        SelfRegistration::Open if !proves => {
            address::guard(&desk, request.extensions(), Purpose::Registrations)?;
            let received = Received::read(&desk, request, desk.settings.body_limit).await?;
            let registration: Registration = received.json()?;
            let mut mistakes = Vec::new();
            if registration.plan.is_some_and(|plan| plan != Plan::Free) {
                mistakes.push(FieldError::new("/plan", "format", "must be FREE unless the owner registers"));
            }
            let once = Once::of_stranger(&received)?;
            create(&desk, &received, registration, Actor::outside("self-registration"), once, mistakes).await
        }
        SelfRegistration::Open | SelfRegistration::Invite => {
            let call = AtHome::from_request(request, &desk).await?;
            by_owner(&desk, &call).await
        }
    }
}

/// The owner makes a tenant.
pub(super) async fn by_owner(
    desk: &FrontDesk,
    call: &AtHome<act::TenantsCreate>,
) -> Result<Response, Problem> {
    let registration: Registration = call.received.json()?;
    if registration.plan.is_some_and(|plan| plan != Plan::Free) {
        // To give a plan is as much here as it is later.
        call.also(desk, Action::PlanWrite).await?;
        call.expect_fresh_second_factor(desk)?;
    }
    let once = Once::of(&call.received, &call.manager.maker)?;
    let actor = Actor::from_elsewhere(&call.manager.home, &call.manager.actor);
    create(desk, &call.received, registration, actor, once, Vec::new()).await
}

async fn create(
    desk: &FrontDesk,
    received: &Received,
    registration: Registration,
    actor: Actor,
    once: Once,
    mut mistakes: Vec<FieldError>,
) -> Result<Response, Problem> {
    let tenant = match &registration.tenant_id {
        Some(id) => id.parse::<TenantId>().map_err(|error| ("/tenantId", error.to_string())),
        None => TenantId::from_name(&registration.tenant_name)
            .map_err(|_| ("/tenantName", "has too little in it to make an id of; give tenantId".to_owned())),
    };
    if let Err((pointer, message)) = &tenant {
        mistakes.push(FieldError::new(*pointer, "format", message));
    }
    let new = checked(received, registration, TenantType::Standard, actor, mistakes)?;
    let tenant = tenant.map_err(|(pointer, message)| Problem::invalid_field(pointer, "format", message))?;
    if provisioning::is_reserved(&tenant) || tenant == desk.settings.owner_id {
        return Err(taken());
    }
    received.record.facts().subject = Some(tenant.to_string());
    carry_out(desk, &tenant, &new, &once).await
}

fn taken() -> Problem {
    Problem::conflict(Code::Conflict, "This tenant id is taken.")
}

/// The tenant with everything that belongs to it, in one transaction.
async fn carry_out(
    desk: &FrontDesk,
    tenant: &TenantId,
    new: &NewTenant,
    once: &Once,
) -> Result<Response, Problem> {
    let response = tenant_tx!(desk.database, "tenants.provision", tenant, async |tx| {
        if let Some(answer) = once.answered(desk, tx).await? {
            return Ok(answer);
        }
        let made = provisioning::provision(tx, &desk.vault, &*desk.clock, new, |_| Ok(())).await;
        let made = made.map_err(|error| match error {
            StoreError::Conflict(_) => taken(),
            other => other.into(),
        })?;
        let answer = answer(&desk.settings.public_url, tenant, new, &made);
        once.keep(desk, tx, &made.keys, StatusCode::CREATED, &answer).await
    })
    .await?;
    desk.tenants.changed(tenant);
    desk.origins.changed();
    Ok(response)
}

fn answer(public_url: &str, tenant: &TenantId, new: &NewTenant, made: &Provisioned) -> RegistrationAnswer {
    let token = made.administrator.token.expose().clone();
    RegistrationAnswer {
        tenant_id: tenant.to_string(),
        tenant_type: new.tenant_type,
        status: TenantStatus::Active,
        site: FirstSite {
            site_id: made.site_id.to_string(),
            origins: new.origins.iter().map(ToString::to_string).collect(),
        },
        publishable_key: FirstKey {
            key_id: made.publishable_key.0.to_string(),
            key: made.publishable_key.1.expose().clone(),
        },
        test_key: FirstKey { key_id: made.test_key.0.to_string(), key: made.test_key.1.expose().clone() },
        tenant_secret: FirstSecret {
            key_id: made.tenant_secret.0.to_string(),
            secret: URL_SAFE_NO_PAD.encode(made.tenant_secret.1.expose()),
        },
        enrollment: Enrollment {
            url: format!("{public_url}/enroll#token={token}"),
            token,
            expires_at: made.administrator.expires_at,
        },
    }
}
