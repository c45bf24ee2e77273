//! `GET /.well-known/misy-audit-keys.json`: the public keys that verify checkpoints of audit trails.

use crate::{desk::FrontDesk, problem::Problem};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, header};
use misy_domain::Timestamp;
use misy_store::audit::keys::{self, KnownKey};
use serde::Serialize;
use utoipa::ToSchema;

/// The keys that sign checkpoints.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditKeys {
    /// The name of the installation; a trail's origin is `<issuer>/audit/<tenantId>`.
    #[schema(example = "misy-01k9z3v5d2m8q4x7c1b6n0f9gh")]
    issuer: String,
    /// All keys there ever were, the oldest first.
    keys: Vec<AuditKey>,
}

/// A key that signs checkpoints.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditKey {
    /// Its id.
    key_id: String,
    /// `Ed25519`.
    algorithm: &'static str,
    /// 32 bytes in base64. What names it in a note follows from it and the trail's origin (C2SP signed-note).
    public_key: String,
    /// The public key before it, in base64; the first key has none.
    predecessor: Option<String>,
    /// That key's signature of this one, in base64: see docs/AUDIT.md.
    signature: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it signs no more.
    #[schema(value_type = Option<String>, format = DateTime)]
    retires_at: Option<Timestamp>,
}

impl From<KnownKey> for AuditKey {
    fn from(key: KnownKey) -> Self {
        let voucher = key.voucher.as_ref();
        Self {
            predecessor: voucher.map(|voucher| STANDARD.encode(&voucher.predecessor)),
            signature: voucher.map(|voucher| STANDARD.encode(&voucher.signature)),
            key_id: key.key_id,
            algorithm: "Ed25519",
            public_key: STANDARD.encode(key.public_key),
            created_at: key.created_at,
            retires_at: key.retires_at,
        }
    }
}

/// Read the keys of audit checkpoints
///
/// Keep a copy elsewhere: a verifier that holds the keys itself need not believe this installation.
#[utoipa::path(
    get, path = "/.well-known/misy-audit-keys.json", tag = "operation", operation_id = "readAuditKeys",
    responses((status = 200, description = "All keys", body = AuditKeys)),
    security(())
)]
pub(crate) async fn read(State(desk): State<FrontDesk>) -> Result<Response, Problem> {
    let known = keys::known(&desk.database, &desk.vault).await?;
    let keys = known.into_iter().map(AuditKey::from).collect();
    let mut response = Json(AuditKeys { issuer: desk.sealer.issuer().to_owned(), keys }).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}
