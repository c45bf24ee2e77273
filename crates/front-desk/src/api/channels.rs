//! `POST /channels/api/{accountId}/messages`: a program of the tenant passes on what somebody wrote to it.

pub mod webhook;

mod inbox;

use crate::{
    api::{
        messages::{
            ActionRequest, MessageReceipt, carried, check_text, files_unavailable, nothing_to_press,
            pressed_in,
        },
        sessions::open::check_metadata,
    },
    desk::FrontDesk,
    pipeline::{Access, Received, Subjects, TenantCall},
    problem::{Code, FieldError, Problem},
};
use axum::{Json, extract::State};
use http::StatusCode;
use misy_domain::{
    Channel, ChannelAccountId, Content, ConversationId, FileId, Locale, Metered, Part, Permission, Timestamp,
    message::{Media, SentPart, Writer, check},
};
use misy_store::{
    channels::{Passed, Sender, Thread},
    messages::Ingested,
};
use misy_trust::RequestKeyKind;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

const LONGEST_ID: usize = 256;

/// What somebody wrote.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewChannelMessage)]
pub struct ChannelMessageRequest {
    /// Who wrote it, by the id that the program has for them: 1 to 256 characters. The same again is the same contact.
    #[schema(example = "customer-4711")]
    contact_id: String,
    /// The program's own id of the message, 1 to 256 characters: sent again, it is the same message.
    #[schema(example = "ticket-9-reply-3")]
    message_id: String,
    /// What it says, 1 to 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    text: Option<String>,
    /// What it says, as 1 to 10 parts, in the place of `text`: text, image, audio, video, file, location, contact or reaction.
    #[schema(value_type = Option<Vec<crate::openapi::PartSchema>>)]
    parts: Option<Vec<SentPart>>,
    /// What was pressed, in the place of `text`.
    action: Option<ActionRequest>,
    /// When it was written, as the program knows it. The order is that of arrival.
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
    /// What the contact prefers to read; counts when they write for the first time.
    #[schema(value_type = Option<String>, example = "es-CO")]
    locale: Option<Locale>,
    /// What is known about where it was written, at most 4 KiB. Kept with the message, sealed.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
}

/// Calls that pass on a message; they count against their channel too.
pub struct PassOn;

impl Access for PassOn {
    const PERMISSION: Option<Permission> = Some(Permission::ChatWrite);

    fn subjects(_: &Received) -> Subjects {
        Subjects { session: None, channel: Some(Channel::Api.as_str().to_owned()) }
    }
}

/// Pass on a message
///
/// For servers. Answers when the message is durable; the same `messageId` again answers the same. What agents say is delivered to
/// the account's callback.
#[utoipa::path(
    post, path = "/api/meta-agent/channels/api/{accountId}/messages", tag = "channels", operation_id = "passOnMessage",
    request_body(content = ChannelMessageRequest, example = json!({
        "contactId": "customer-4711", "messageId": "ticket-9-reply-3", "text": "¿Tienen hora mañana?"
    })),
    params(("accountId" = String, Path, description = "The account")),
    responses(
        (status = 202, description = "The message is durable", body = MessageReceipt),
        (status = 402, description = "`quota_exceeded`: the month's messages are used up; says when they are there again", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 409, description = "`idempotency_mismatch`: another message has this `messageId`, of another contact or with other words; `conflict`: the account is disabled", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn pass_on(
    State(desk): State<FrontDesk>,
    call: TenantCall<PassOn>,
) -> Result<(StatusCode, Json<MessageReceipt>), Problem> {
    if call.claims().sig != RequestKeyKind::Tenant {
        // Else whoever looks at a page could write in the name of any contact.
        return Err(Problem::forbidden(
            Code::PermissionDenied,
            "This is for servers: the token is a browser's.",
        ));
    }
    let account: ChannelAccountId = call.received.param("accountId")?;
    let message: ChannelMessageRequest = call.received.json()?;
    check_shape(&message)?;
    let written = written(&message)?;
    let sender = Sender {
        account,
        channel: Channel::Api,
        external_id: &message.contact_id,
        locale: message.locale.as_ref(),
    };
    let monthly = call.state().monthly(Metered::Messages);
    let content = match (written, &message.action) {
        (Some(content), _) => Box::pin(with_files(&desk, &call, &sender, monthly, content)).await?,
        (None, Some(action)) => {
            // Whoever never wrote was sent nothing that they could press.
            let conversation = thread(&desk, &call, &sender, monthly).await?.ok_or_else(nothing_to_press)?;
            pressed_in(&desk, call.tenant(), call.keys(), conversation, action).await?
        }
        (None, None) => return Err(nothing_to_press()),
    };
    let content = Content { metadata: message.metadata.clone(), ..content };
    let passed = Passed {
        sender,
        site: Some(call.site()),
        external_id: &message.message_id,
        content: &content,
        sent_at: message.sent_at,
        key: call.claims().key,
        monthly,
    };
    let outcome = desk.database.pass_on(call.keys(), &passed, &desk.bell, &*desk.clock, &*desk.entropy);
    match Box::pin(outcome).await? {
        Ingested::Stored(receipt) | Ingested::Duplicate(receipt) => {
            Ok((StatusCode::ACCEPTED, Json(receipt.into())))
        }
        Ingested::Another => Err(another()),
        Ingested::Expired => Err(disabled()),
        Ingested::QuotaExceeded => Err(used_up(&desk, monthly)),
        Ingested::FilesUnavailable => Err(files_unavailable("/parts")),
        Ingested::NotFound => Err(Problem::not_found()),
    }
}

/// What is answered to whoever gives a known id to another message.
pub(crate) fn another() -> Problem {
    Problem::conflict(
        Code::IdempotencyMismatch,
        "Another message has this id: of somebody else, or one that says something else.",
    )
}

/// The conversation of somebody on the account; `None` if they never wrote and never sent a file.
async fn thread(
    desk: &FrontDesk,
    call: &TenantCall<PassOn>,
    sender: &Sender<'_>,
    monthly: Option<i64>,
) -> Result<Option<ConversationId>, Problem> {
    match desk.database.thread(call.keys(), sender, monthly, &*desk.clock).await? {
        Thread::Open(conversation) => Ok(Some(conversation)),
        Thread::New(_) => Ok(None),
        Thread::QuotaExceeded => Err(used_up(desk, monthly)),
        Thread::Disabled => Err(disabled()),
        Thread::NotFound => Err(Problem::not_found()),
    }
}

/// The same with what is stored of its files in the place of what the caller says of them; a caption and a description stay.
async fn with_files(
    desk: &FrontDesk,
    call: &TenantCall<PassOn>,
    sender: &Sender<'_>,
    monthly: Option<i64>,
    mut content: Content,
) -> Result<Content, Problem> {
    let files: Vec<FileId> = content.files().collect();
    if files.is_empty() {
        return Ok(content);
    }
    let unavailable = || files_unavailable("/parts");
    let conversation = thread(desk, call, sender, monthly).await?.ok_or_else(unavailable)?;
    let found = carried(desk, call.tenant(), call.keys(), conversation, &files).await?;
    let mut found = found.map_err(|_| unavailable())?.into_iter();
    for part in &mut content.parts {
        let Some(said) = part.media().filter(|media| media.file_id.is_some()).cloned() else { continue };
        if let Some(stored) = found.next() {
            *part = Part::of_media(Media { caption: said.caption, alt: said.alt, ..stored });
        }
    }
    Ok(content)
}

fn used_up(desk: &FrontDesk, monthly: Option<i64>) -> Problem {
    Problem::quota_exceeded(Metered::Messages, monthly.unwrap_or_default(), desk.clock.now())
}

fn disabled() -> Problem {
    Problem::conflict(Code::Conflict, "The account is disabled.")
}

fn check_shape(message: &ChannelMessageRequest) -> Result<(), Problem> {
    let mut mistakes = Vec::new();
    for (pointer, id) in [("/contactId", &message.contact_id), ("/messageId", &message.message_id)] {
        let fits = (1..=LONGEST_ID).contains(&id.chars().count()) && !id.chars().any(char::is_control);
        if !fits {
            mistakes.push(FieldError::new(pointer, "too_long", "must be 1 to 256 characters"));
        }
    }
    let ways = [message.text.is_some(), message.parts.is_some(), message.action.is_some()];
    if ways.into_iter().filter(|way| *way).count() != 1 {
        mistakes.push(FieldError::new("/text", "required", "must have either text, parts or action"));
    }
    if !mistakes.is_empty() {
        return Err(Problem::invalid(mistakes));
    }
    check_metadata(message.metadata.as_ref())
}

/// What the message says in words and parts; `None` if something was pressed, for which the conversation must be known.
fn written(message: &ChannelMessageRequest) -> Result<Option<Content>, Problem> {
    if let Some(text) = &message.text {
        check_text(text)?;
        return Ok(Some(Content::text(text.as_str())));
    }
    let Some(parts) = &message.parts else { return Ok(None) };
    let parts: Vec<Part> = parts.iter().map(|part| part.0.clone()).collect();
    check(&parts, Writer::Contact, "/parts")?;
    Ok(Some(Content::of(parts)))
}
