//! `GET /tenants/{tenantId}/encryption` and `POST /tenants/{tenantId}/encryption/rotations`: the keys that seal a tenant's
//! data, and a new one for all of it.

use crate::{desk::FrontDesk, idempotent::Once, management::Managed, problem::Problem};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use misy_domain::{RotationId, Timestamp, act};
use misy_store::{
    rotation::{self, KeyVersion, Rotation},
    tenant_tx,
};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How a tenant's data are sealed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Encryption)]
pub struct EncryptionAnswer {
    /// The keys, by purpose and version.
    keys: Vec<KeyVersionAnswer>,
    /// Rotations of the data key, the newest first.
    rotations: Vec<RotationAnswer>,
}

/// A version of a key. The key itself is never shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KeyVersion)]
pub struct KeyVersionAnswer {
    /// What it is for.
    #[schema(value_type = KeyPurpose)]
    purpose: String,
    /// Its number; of the data keys the highest one seals.
    #[schema(example = 2)]
    version: i32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Since when nothing is sealed under it.
    #[schema(value_type = Option<String>, format = DateTime)]
    retired_at: Option<Timestamp>,
    /// How many rows are sealed directly under it, by table; only for data keys. Of each column 50,000 rows are looked at.
    rows: BTreeMap<String, i64>,
}

/// A rotation of the data key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KeyRotation)]
pub struct RotationAnswer {
    /// Its id.
    rotation_id: RotationId,
    /// Whether it goes on.
    status: RotationStatus,
    /// The version of the new data key.
    #[schema(example = 2)]
    to_version: i32,
    /// Who asked for it.
    requested_by: String,
    /// Rows under older keys when it began. Of each column 50,000 rows are looked at.
    rows_total: i64,
    /// Rows that are under the new key since.
    rows_done: i64,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it went on last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When the older keys were retired.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// What keeps it from going on.
    last_error: Option<String>,
}

misy_domain::words! {
    /// What a key of a tenant is for.
    pub enum KeyPurpose {
        /// It seals what is stored.
        Data = "data",
        /// Keys that sign requests come from it.
        SigningRoot = "signing_root",
        /// It finds what is sealed.
        BlindIndex = "blind_index",
    }
}

misy_domain::words! {
    /// Whether a rotation goes on.
    pub enum RotationStatus {
        /// There is something left to be sealed anew.
        Running = "running",
        /// Everything is sealed anew.
        Finished = "finished",
    }
}

impl From<KeyVersion> for KeyVersionAnswer {
    fn from(key: KeyVersion) -> Self {
        let KeyVersion { purpose, version, created_at, retired_at, rows } = key;
        Self { purpose, version, created_at, retired_at, rows }
    }
}

impl From<Rotation> for RotationAnswer {
    fn from(rotation: Rotation) -> Self {
        Self {
            rotation_id: rotation.rotation_id,
            status: if rotation.finished_at.is_some() {
                RotationStatus::Finished
            } else {
                RotationStatus::Running
            },
            to_version: rotation.to_version,
            requested_by: rotation.requested_by,
            rows_total: rotation.rows_total,
            rows_done: rotation.rows_done,
            created_at: rotation.created_at,
            updated_at: rotation.updated_at,
            finished_at: rotation.finished_at,
            last_error: rotation.last_error,
        }
    }
}

/// Read how data are sealed
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/encryption", tag = "tenants", operation_id = "readEncryption",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "Keys, what is under them, and rotations", body = EncryptionAnswer)),
    security(("administrator" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::EncryptionRead>,
) -> Result<Json<EncryptionAnswer>, Problem> {
    let mut tx = desk.database.tenant("encryption.read", &call.tenant).await?;
    let keys = rotation::key_versions(&mut tx).await?;
    let rotations = rotation::rotations(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(EncryptionAnswer {
        keys: keys.into_iter().map(Into::into).collect(),
        rotations: rotations.into_iter().map(Into::into).collect(),
    }))
}

/// Rotate the data key
///
/// The new key seals at once. What is sealed under older ones is sealed anew in the background, and then they are retired.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/encryption/rotations", tag = "tenants",
    operation_id = "rotateDataKey",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses(
        (status = 202, description = "The rotation has begun", body = RotationAnswer),
        (status = 409, description = "Another rotation goes on")
    ),
    security(("administrator" = []))
)]
pub(crate) async fn rotate(
    State(desk): State<FrontDesk>,
    call: Managed<act::EncryptionRotate>,
) -> Result<Response, Problem> {
    let once = Once::of(&call.received, &call.manager.maker)?;
    tenant_tx!(desk.database, "encryption.rotate", &call.tenant, async |tx| {
        if let Some(answered) = once.answered(&desk, tx).await? {
            return Ok(answered);
        }
        let actor = call.actor_in(&call.tenant);
        let rotation = rotation::start(tx, call.keys(), &actor, &*desk.clock, &*desk.entropy).await?;
        let detail = json!({ "toVersion": rotation.to_version });
        call.record_change(&desk, tx, rotation.rotation_id.to_string(), Some(detail)).await?;
        let answer = RotationAnswer::from(rotation);
        once.keep(&desk, tx, call.keys(), StatusCode::ACCEPTED, &answer).await
    })
    .await
}
