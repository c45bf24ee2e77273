//! `GET` and `PUT /tenants/{tenantId}/context-pack`: what agents may know of the tenant.

use super::{expected_version, versioned};
use crate::{desk::FrontDesk, management::Managed, problem::Problem};
use axum::{extract::State, response::Response};
use misy_domain::{ContextPack, act};
use misy_store::{context_packs, tenant_tx};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The pack that is in force now.
#[derive(Serialize, ToSchema)]
#[schema(as = ContextPackVersion)]
pub struct PackVersion {
    /// Its version.
    #[schema(example = 2)]
    version: i64,
}

/// Read the context pack
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/context-pack", tag = "tenants", operation_id = "readContextPack",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The pack, with its version as ETag", body = ContextPack)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::ContextPackRead>,
) -> Result<Response, Problem> {
    let mut tx = desk.database.tenant("context_pack.read", &call.tenant).await?;
    let stored = context_packs::current(&mut tx).await?;
    tx.commit().await?;
    let stored = stored.ok_or_else(Problem::not_found)?;
    Ok(versioned(stored.version, stored.pack))
}

/// Replace the context pack
///
/// Every field is checked and every mistake told at once, up to a hundred. It is made ready for answering before it is
/// stored; one that would cost too much is refused with the part, the measure and the limit. Agents answer from it with
/// the next message.
#[utoipa::path(
    put, path = "/api/meta-agent/tenants/{tenantId}/context-pack", tag = "tenants", operation_id = "replaceContextPack",
    request_body(content = ContextPack, example = json!({
        "displayName": "Clínica Andina", "industry": "Dental clinic", "locale": "es-CL", "timezone": "America/Santiago",
        "currency": "CLP", "contact": {"email": "contacto@clinicaandina.example"},
        "faq": [{"id": "horario", "question": "¿Cuál es el horario?", "answer": "De lunes a viernes de 9 a 19."}]
    })),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 200, description = "It is in force", body = PackVersion),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn replace(
    State(desk): State<FrontDesk>,
    call: Managed<act::ContextPackWrite>,
) -> Result<Response, Problem> {
    let expected = expected_version(&call.received)?;
    let value: Value = call.received.json_value()?;
    // Making a pack ready is work, which whoever comes too late does not ask for.
    tenant_tx!(desk.database, "context_pack.expect", &call.tenant, async |tx| {
        context_packs::expect(tx, expected).await
    })
    .await?;
    let prepared = desk.packs.prepare(&call.tenant, value).await?;
    let replaced = tenant_tx!(desk.database, "context_pack.replace", &call.tenant, async |tx| {
        let version = context_packs::put(tx, &prepared.pack, expected).await?;
        let detail = json!({ "version": version });
        call.record_change(&desk, tx, "context-pack", Some(detail)).await?;
        Ok::<_, Problem>(version)
    });
    let version = replaced.await?;
    desk.packs.keep(&call.tenant, version, prepared.compiled);
    Ok(versioned(version, PackVersion { version }))
}
