//! `/tenants/{tenantId}/conversations/{conversationId}/notes`: what people tell each other about a conversation.

use super::{AssigneeAnswer, named, person};
use crate::{
    api::tenants::{Mistakes, Page},
    desk::FrontDesk,
    management::Managed,
    problem::Problem,
};
use axum::{Json, extract::State};
use http::StatusCode;
use misy_domain::{NoteId, Timestamp, act};
use misy_store::{
    inbox::{self, Note},
    tenant_tx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest note, in characters.
const LONGEST: usize = 4_000;

/// A note. The contact never sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Note)]
pub struct NoteAnswer {
    /// Its id.
    note_id: NoteId,
    /// Who wrote it; nothing, where they were removed.
    author: Option<AssigneeAnswer>,
    /// What it says.
    text: String,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Note> for NoteAnswer {
    fn from(note: Note) -> Self {
        Self {
            note_id: note.note_id,
            author: note.author.map(AssigneeAnswer::from),
            text: note.text,
            created_at: note.created_at,
        }
    }
}

/// A note that is to be written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoteRequest {
    /// What it says, 1 to 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// List notes
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/conversations/{conversationId}/notes", tag = "inbox",
    operation_id = "listNotes",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("conversationId" = String, Path, description = "The conversation"),
    ),
    responses((status = 200, description = "Notes, oldest first", body = Page<NoteAnswer>)),
    security(("session" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsRead>,
) -> Result<Json<Page<NoteAnswer>>, Problem> {
    let conversation = named(&call)?;
    let notes = tenant_tx!(desk.database, "inbox.notes", &call.tenant, async |tx| {
        if inbox::handling(tx, call.keys(), conversation).await?.is_none() {
            return Err(Problem::not_found());
        }
        Ok(inbox::notes(tx, call.keys(), conversation).await?)
    })
    .await?;
    Ok(Json(Page::whole(notes).map(NoteAnswer::from)))
}

/// Write a note
///
/// For the people of the tenant; the contact never sees it. At most 200 on a conversation.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/conversations/{conversationId}/notes", tag = "inbox",
    operation_id = "addNote",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("conversationId" = String, Path, description = "The conversation"),
    ),
    request_body(content = NoteRequest, example = json!({ "text": "Called twice about the same invoice." })),
    responses((status = 201, description = "All notes as they are now, oldest first", body = Page<NoteAnswer>)),
    security(("session" = []))
)]
pub(crate) async fn add(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsWrite>,
) -> Result<(StatusCode, Json<Page<NoteAnswer>>), Problem> {
    let me = person(&call)?.user_id;
    let conversation = named(&call)?;
    let request: NoteRequest = call.received.json()?;
    let text = request.text.trim();
    let mut mistakes = Mistakes::default();
    if text.is_empty() {
        mistakes.add("/text", "required", "must not be empty");
    } else if text.chars().count() > LONGEST {
        mistakes.add("/text", "too_long", "must have at most 4000 characters");
    }
    mistakes.into_result()?;
    let note = NoteId::new(&*desk.clock, &*desk.entropy);
    let notes = tenant_tx!(desk.database, "inbox.add_note", &call.tenant, async |tx| {
        let keys = call.keys();
        let now = desk.clock.now();
        if !inbox::add_note(tx, keys, conversation, note, me, text, now, &*desk.entropy).await? {
            return Err(Problem::not_found());
        }
        call.record_change(&desk, tx, conversation.to_string(), Some(serde_json::json!({ "noteId": note })))
            .await?;
        Ok(inbox::notes(tx, keys, conversation).await?)
    })
    .await?;
    inbox::tell(&desk.bell, &call.tenant, conversation);
    Ok((StatusCode::CREATED, Json(Page::whole(notes).map(NoteAnswer::from))))
}
