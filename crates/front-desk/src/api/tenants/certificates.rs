//! `/tenants/{tenantId}/certificates`: client certificates that the tenant's servers show beside a tenant secret.

use super::{Mistakes, Page, PageQuery};
use crate::{
    desk::FrontDesk,
    idempotent::Once,
    management::{AtTenant, Managed},
    problem::{Code, Problem},
};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use misy_domain::{CertificateId, KeyId, SiteId, Timestamp, act};
use misy_store::{
    certificates::{self, Binding, BoundBy, Certificate},
    credentials, tenant_tx,
};
use misy_trust::{
    ClientCertificate, Fingerprint,
    access::{self, Given, Powers, Reach},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// A bound client certificate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Certificate)]
pub struct CertificateAnswer {
    /// Its id.
    certificate_id: CertificateId,
    /// What people call it.
    name: String,
    /// What the fingerprint is of: `key` (its `SubjectPublicKeyInfo`) or `certificate`.
    bound_by: BoundBy,
    /// SHA-256 in hex.
    fingerprint: String,
    /// Whose it says it is.
    subject: Option<String>,
    /// The one tenant secret it is good for.
    secret_key_id: Option<KeyId>,
    /// The one site it is good for.
    site_id: Option<SiteId>,
    /// Who bound it: a user, or a secret whose server did.
    #[schema(example = "usr_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    made_by: String,
    /// When it was bound.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it is refused.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Since when it is refused.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

impl From<Certificate> for CertificateAnswer {
    fn from(certificate: Certificate) -> Self {
        Self {
            certificate_id: certificate.certificate_id,
            name: certificate.name,
            bound_by: certificate.bound_by,
            fingerprint: certificate.fingerprint.to_string(),
            subject: certificate.subject,
            secret_key_id: certificate.secret_key_id,
            site_id: certificate.site_id,
            made_by: certificate.made_by,
            created_at: certificate.created_at,
            expires_at: certificate.expires_at,
            revoked_at: certificate.revoked_at,
        }
    }
}

/// A client certificate to be bound: the certificate itself or the SHA-256 of its key or of all of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewCertificate)]
pub struct CertificateRequest {
    /// What people call it.
    #[schema(max_length = 120)]
    name: String,
    /// The certificate in PEM. Never send its private key.
    #[schema(max_length = 32_768)]
    certificate: Option<String>,
    /// Instead: SHA-256 in hex, with or without colons.
    #[schema(max_length = 95)]
    fingerprint: Option<String>,
    /// What is compared: `key` (unless given; a renewed certificate with the same key goes on) or `certificate`.
    bound_by: Option<BoundBy>,
    /// The one tenant secret it is good for; all of them unless given.
    secret_key_id: Option<KeyId>,
    /// The one site it is good for; all of them unless given.
    site_id: Option<SiteId>,
    /// From when on it is refused, whatever the certificate says.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// List client certificates
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/certificates", tag = "tenants", operation_id = "listCertificates",
    params(("tenantId" = String, Path, description = "The tenant"), PageQuery),
    responses((status = 200, description = "Certificates from the newest", body = Page<CertificateAnswer>)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::CertificatesRead>,
) -> Result<Json<Page<CertificateAnswer>>, Problem> {
    let query: PageQuery = call.received.query()?;
    let limit = query.limit()?;
    let mut tx = desk.database.tenant("certificates.list", &call.tenant).await?;
    let all = certificates::list(&mut tx, query.cursor()?, i64::from(limit) + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(all, limit, |one| one.certificate_id.to_string()).map(CertificateAnswer::from)))
}

/// Bind a client certificate
///
/// From now on a tenant secret that needs a certificate counts on TLS connections of this one. Its chain must lead to one of
/// the operator's client authorities, which the handshake sees to. It is no proof for a secret that carries more than whoever bound
/// it may do. A certificate is bound once at a time; which tenant it
/// works for is decided by whose servers show it first.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/certificates", tag = "tenants", operation_id = "bindCertificate",
    request_body(content = CertificateRequest, example = json!({
        "name": "shop backend",
        "fingerprint": "4a1c1f1f9be0d5c0a3a9d1b45f7b54a3f2a1e2b0c6d7e8f90123456789abcdef"
    })),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once"),
    ),
    responses(
        (status = 201, description = "The certificate as it is bound", body = CertificateAnswer),
        (status = 409, description = "`certificate_bound`: revoke the present binding first", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn bind(
    State(desk): State<FrontDesk>,
    call: Managed<act::CertificatesWrite>,
) -> Result<Response, Problem> {
    let new: CertificateRequest = call.received.json()?;
    let (certificate, other) = checked(&desk, &call, new)?;
    let once = Once::of(&call.received, &call.manager.maker)?;
    let mut tx = desk.database.tenant("certificates.bind", &call.tenant).await?;
    if let Some(answer) = once.answered(&desk, &mut tx).await? {
        return Ok(answer);
    }
    if let Some(secret) = certificate.secret_key_id
        && let Some(secret) = credentials::lock_secret(&mut tx, secret).await?
    {
        call.handle(&desk, secret)?;
    }
    match certificates::bind(&mut tx, &certificate, other).await? {
        Binding::Done => {}
        Binding::UnknownReference => {
            let message = "names a secret or a site that the tenant has not got";
            return Err(Problem::invalid_field("/secretKeyId", "reference", message));
        }
        Binding::Already(by) => {
            let detail = format!("The certificate is bound by {by}: revoke that first.");
            return Err(Problem::conflict(Code::CertificateBound, detail));
        }
    }
    let id = certificate.certificate_id.to_string();
    let detail = json!({
        "boundBy": certificate.bound_by.as_str(), "fingerprint": certificate.fingerprint.to_string(),
    });
    call.record_change(&desk, &mut tx, id, Some(detail)).await?;
    let answer = CertificateAnswer::from(certificate.into_inner());
    let response = once.answer(&desk, tx, call.keys(), StatusCode::CREATED, &answer).await?;
    desk.tenants.changed(&call.tenant);
    Ok(response)
}

/// What is to be bound, and the fingerprint by which the same certificate could be bound instead.
fn checked(
    desk: &FrontDesk,
    call: &AtTenant,
    new: CertificateRequest,
) -> Result<(Given<Certificate>, Option<Fingerprint>), Problem> {
    let now = desk.clock.now();
    let mut mistakes = Mistakes::default();
    mistakes.line("/name", &new.name, 120);
    let bound_by = new.bound_by.unwrap_or(BoundBy::Key);
    let (mut subject, mut expires_at, mut other) = (None, new.expires_at, None);
    let fingerprint = match (&new.certificate, &new.fingerprint) {
        (Some(pem), None) => match ClientCertificate::from_pem(pem) {
            Ok(certificate) => {
                // Bound by its key, the next certificate of the same key is good for longer.
                if let (BoundBy::Certificate, Some(end)) = (bound_by, certificate.not_after) {
                    expires_at = Some(expires_at.map_or(end, |at| at.min(end)));
                }
                let fingerprint = bound_by.fingerprint_of(&certificate);
                other = Some(bound_by.other().fingerprint_of(&certificate));
                subject = Some(certificate.subject).filter(|subject| !subject.is_empty());
                Some(fingerprint)
            }
            Err(error) => {
                mistakes.add("/certificate", "format", &error.to_string());
                None
            }
        },
        (None, Some(hex)) => match hex.parse::<Fingerprint>() {
            Ok(fingerprint) => Some(fingerprint),
            Err(error) => {
                mistakes.add("/fingerprint", "format", &error.to_string());
                None
            }
        },
        _ => {
            mistakes.add("/certificate", "required", "is required, or else fingerprint");
            None
        }
    };
    if expires_at.is_some_and(|expires| expires <= now) {
        mistakes.add("/expiresAt", "range", "must be in the future, and so must the certificate's end");
    }
    mistakes.into_result()?;
    let own = call.reach(desk)?;
    let powers = access::for_programs().into_iter().filter(|action| own.powers.contains(*action));
    let certificate = Certificate {
        certificate_id: CertificateId::new(&*desk.clock, &*desk.entropy),
        name: new.name,
        bound_by,
        // None only together with a mistake.
        fingerprint: fingerprint.ok_or_else(Problem::internal)?,
        subject,
        secret_key_id: new.secret_key_id,
        site_id: new.site_id,
        made_by: call.maker_in(&call.tenant),
        stands_for: Reach { powers: Powers::from_actions(powers), permissions: own.permissions },
        created_at: now,
        expires_at,
        revoked_at: None,
    };
    Ok((call.give(desk, certificate)?, other))
}

/// Revoke a client certificate
///
/// By whoever may do what whoever bound it could. No token is given on its connections, and those that were are refused within a second on every replica; open streams end.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/certificates/{certificateId}", tag = "tenants",
    operation_id = "revokeCertificate",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("certificateId" = String, Path, description = "The certificate's id"),
    ),
    responses((status = 204, description = "It is revoked")),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn revoke(
    State(desk): State<FrontDesk>,
    call: Managed<act::CertificatesWrite>,
) -> Result<StatusCode, Problem> {
    let id: CertificateId = call.received.param("certificateId")?;
    call.received.expect_no_body()?;
    tenant_tx!(desk.database, "certificates.revoke", &call.tenant, async |tx| {
        let certificate = certificates::lock(tx, id).await?.ok_or_else(Problem::not_found)?;
        let certificate = call.handle(&desk, certificate)?;
        certificates::revoke(tx, &certificate, desk.clock.now()).await?;
        call.record_change(&desk, tx, id.to_string(), None).await
    })
    .await?;
    desk.tenants.changed(&call.tenant);
    Ok(StatusCode::NO_CONTENT)
}
