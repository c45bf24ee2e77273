//! `DELETE /tenants/{tenantId}/files/{fileId}`: a tenant removes a file that a contact sent or brought.

use crate::{api::files::remove::remove_bytes, desk::FrontDesk, management::Managed, problem::Problem};
use axum::extract::State;
use http::StatusCode;
use misy_domain::{FileId, act};
use misy_store::{files, tenant_tx};

/// Remove a file
///
/// Whether a message carries it or not. The message keeps its words and the name of the file; its bytes are gone for everybody.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/files/{fileId}", tag = "tenants", operation_id = "removeFile",
    params(("tenantId" = String, Path, description = "The tenant"), ("fileId" = FileId, Path, description = "The file")),
    responses((status = 204, description = "It is gone")),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn remove(
    State(desk): State<FrontDesk>,
    call: Managed<act::FilesRemove>,
) -> Result<StatusCode, Problem> {
    call.received.expect_no_body()?;
    let id: FileId = call.received.param("fileId")?;
    tenant_tx!(desk.database, "files.remove", &call.tenant, async |tx| {
        if !files::remove(tx, id).await? {
            return Err(Problem::not_found());
        }
        call.record_change(&desk, tx, &id.to_string(), None).await
    })
    .await?;
    remove_bytes(&desk, &call.tenant, id).await;
    Ok(StatusCode::NO_CONTENT)
}
