//! `DELETE /files/{fileId}`: whoever brought a file takes it back, as long as no message carries it.

use crate::{
    desk::FrontDesk,
    pipeline::{Access, TenantCall},
    problem::{Code, Problem},
};
use axum::extract::State;
use http::StatusCode;
use misy_domain::{FileId, Permission, TenantId};
use misy_store::{
    files::{self, Reader, Removed},
    tenant_tx,
};
use misy_trust::RequestKeyKind;
use tracing::debug;

/// Calls that take a file back.
pub struct TakeBack;

impl Access for TakeBack {
    const PERMISSION: Option<Permission> = Some(Permission::FilesUpload);
}

/// Take a file back
///
/// By whoever brought it, as long as no message carries it: a token whose session is on the file's conversation, or a server for
/// files of the API channel. What nobody sends goes by itself after a day.
#[utoipa::path(
    delete, path = "/api/meta-agent/files/{fileId}", tag = "chat", operation_id = "takeBackFile",
    params(("fileId" = FileId, Path, description = "The file")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "`conflict`: a message carries it", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn take_back(
    State(desk): State<FrontDesk>,
    call: TenantCall<TakeBack>,
) -> Result<StatusCode, Problem> {
    call.received.expect_no_body()?;
    let id: FileId = call.received.param("fileId")?;
    call.received.record.facts().subject = Some(id.to_string());
    let reader = match call.claims().sig {
        RequestKeyKind::Token => Reader::Session { site: call.site(), family: call.family() },
        RequestKeyKind::Tenant => Reader::Program,
    };
    let removed = tenant_tx!(desk.database, "files.take_back", call.tenant(), async |tx| {
        files::take_back(tx, call.keys(), id, reader).await
    });
    // On the heap: what reads files takes much room.
    match Box::pin(removed).await? {
        Removed::Gone => {
            remove_bytes(&desk, call.tenant(), id).await;
            Ok(StatusCode::NO_CONTENT)
        }
        Removed::Sent => Err(Problem::conflict(
            Code::Conflict,
            "A message carries the file: it is a part of what was said.",
        )),
        Removed::NotFound => Err(Problem::not_found()),
    }
}

/// Removes the bytes of a file whose row is gone. What does not go now goes with the next sweep.
pub(crate) async fn remove_bytes(desk: &FrontDesk, tenant: &TenantId, file: FileId) {
    if let Err(error) = desk.files.remove(tenant, file).await {
        debug!(%tenant, %file, %error, "the bytes of a file go with the next sweep");
    }
}
