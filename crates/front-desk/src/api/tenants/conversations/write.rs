//! `POST /tenants/{tenantId}/conversations/{conversationId}/messages`: a person answers.

use super::{named, not_held, person};
use crate::{
    api::messages::{MessageReceipt, check_client_id},
    desk::FrontDesk,
    management::Managed,
    problem::{Code, Problem},
};
use axum::{Json, extract::State};
use http::StatusCode;
use misy_domain::{
    Content, MessageId, Part, act,
    message::{Writer, check},
};
use misy_store::{
    inbox::{self, Assignee, NewAnswer, Written},
    tenant_tx, users,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// What a person writes to the contact.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnswerRequest {
    /// The client's own id of the message, 1 to 128 characters: sent again, it is the same message.
    client_message_id: Option<String>,
    /// What it says, 1 to 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// Answer a contact
///
/// The caller must hold the conversation. The message goes where the contact wrote last, with the caller's name, after all that was
/// said before. On a channel it is delivered as the assistant's are: see `deliveries` of the messages.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/conversations/{conversationId}/messages", tag = "inbox",
    operation_id = "answerConversation",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("conversationId" = String, Path, description = "The conversation"),
    ),
    request_body(content = AnswerRequest, example = json!({ "clientMessageId": "7f6b3a52", "text": "Hola, soy Ana." })),
    responses((status = 202, description = "The message is durable", body = MessageReceipt)),
    security(("session" = []))
)]
pub(crate) async fn answer(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsWrite>,
) -> Result<(StatusCode, Json<MessageReceipt>), Problem> {
    let me = person(&call)?.user_id;
    let conversation = named(&call)?;
    let request: AnswerRequest = call.received.json()?;
    check_client_id(request.client_message_id.as_deref())?;
    let parts = vec![Part::text(request.text)];
    check(&parts, Writer::Tenant, "").map_err(|mut mistakes| {
        for mistake in &mut mistakes {
            "/text".clone_into(&mut mistake.pointer);
        }
        Problem::from(mistakes)
    })?;
    let client_id = match request.client_message_id {
        Some(id) => id,
        None => MessageId::new(&*desk.clock, &*desk.entropy).to_string(),
    };
    let content = Content::of(parts);
    let written = tenant_tx!(desk.database, "inbox.answer", &call.tenant, async |tx| {
        let user = Box::pin(users::lock(tx, call.keys(), me)).await?.ok_or_else(Problem::not_found)?;
        let author = Assignee { user_id: me, name: user.name.clone() };
        let new = NewAnswer { conversation, author: &author, client_id: &client_id, content: &content };
        let written = Box::pin(inbox::answer(tx, call.keys(), &new, &*desk.clock, &*desk.entropy)).await?;
        match written {
            Written::Stored(receipt) => {
                let said = json!({ "messageId": receipt.message_id });
                call.record_change(&desk, tx, conversation.to_string(), Some(said)).await?;
            }
            Written::NotHeld => {
                let handling = Box::pin(inbox::handling(tx, call.keys(), conversation)).await?;
                return Err(not_held(handling.as_ref()));
            }
            Written::Duplicate(_) | Written::Unheard | Written::NotFound => {}
        }
        Ok(written)
    })
    .await?;
    written.tell(&desk.bell, &call.tenant);
    match written {
        Written::Stored(receipt) | Written::Duplicate(receipt) => {
            Ok((StatusCode::ACCEPTED, Json(receipt.into())))
        }
        Written::Unheard => Err(Problem::conflict(Code::Conflict, "The contact has written nothing yet.")),
        Written::NotHeld | Written::NotFound => Err(Problem::not_found()),
    }
}
