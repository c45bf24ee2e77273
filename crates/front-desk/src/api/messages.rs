//! `POST /messages`: somebody writes.

use crate::{
    api::{channels::another, sessions::open::check_metadata},
    desk::FrontDesk,
    pipeline::{Access, Received, Subjects, TenantCall},
    problem::{Code, FieldError, Problem},
};
use axum::{Json, extract::State};
use http::StatusCode;
use misy_domain::{
    Channel, Content, ConversationId, FileId, MessageId, Metered, Part, Permission, SessionId, TenantId,
    message::{MOST_PARTS, Media, Pressed, Writer, check},
    share::Trace,
};
use misy_store::{
    TenantKeys, files,
    messages::{self, InboundOrigin, Ingested, NewInbound, Receipt},
    sessions, tenant_tx,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use utoipa::ToSchema;

const LONGEST_CLIENT_ID: usize = 128;

/// A message in its envelope.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MessageRequest {
    /// The tenant; must be the token's.
    #[schema(value_type = Option<misy_domain::TenantId>)]
    tenant_id: Option<String>,
    /// The site; must be the token's.
    #[schema(value_type = Option<misy_domain::SiteId>)]
    site_id: Option<String>,
    /// The session.
    #[schema(example = "ses_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    session_id: String,
    /// The channel; must be the session's.
    channel: Option<Channel>,
    /// What is known about where it was written, at most 4 KiB. Kept with the message, sealed.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    metadata: Option<Value>,
    /// The client's own id of the message, 1 to 128 characters: sent again, it is the same message.
    client_message_id: Option<String>,
    /// What it says, 1 to 4000 characters. Needed where nothing is attached or pressed.
    #[schema(min_length = 1, max_length = 4000)]
    text: Option<String>,
    /// Files that were uploaded in this session, 1 to 9. Each can be sent once.
    #[schema(min_items = 1, max_items = 9)]
    attachments: Option<Vec<FileId>>,
    /// What was pressed, instead of all that.
    action: Option<ActionRequest>,
}

/// What was pressed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[schema(as = NewAction)]
pub enum ActionRequest {
    /// A button, an item of a list or a button of a card.
    Button {
        /// Its id.
        #[schema(example = "faq-parking")]
        id: String,
        /// The message that it stands in; the newest one that has it, unless given.
        // The description does not see `rename_all_fields`.
        #[serde(rename = "messageId")]
        message_id: Option<MessageId>,
    },
}

/// The message is durable.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageReceipt {
    /// Its id.
    message_id: MessageId,
    /// Its place in the conversation.
    #[schema(example = 7)]
    sequence: i64,
}

impl From<Receipt> for MessageReceipt {
    fn from(receipt: Receipt) -> Self {
        Self { message_id: receipt.message_id, sequence: receipt.sequence }
    }
}

/// Calls that write a message; they count against their session and channel too.
pub struct WriteMessage;

/// As much of the envelope as decides what a message counts against.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Peek<'a> {
    #[serde(borrow)]
    session_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    channel: Option<Cow<'a, str>>,
}

impl Access for WriteMessage {
    const PERMISSION: Option<Permission> = Some(Permission::ChatWrite);
    const LEAVES: Option<Trace> = Some(Trace::Message);

    fn subjects(received: &Received) -> Subjects {
        // What cannot be read is refused later, with its reason.
        let Ok(peek) = serde_json::from_slice::<Peek<'_>>(&received.body) else { return Subjects::default() };
        let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        // A message that names no channel is one of the web, and counts as one.
        let channel = owned(peek.channel).unwrap_or_else(|| Channel::Web.as_str().to_owned());
        Subjects { session: owned(peek.session_id), channel: Some(channel) }
    }
}

/// Write a message
///
/// Answers when the message is durable. The reply comes as an event, and stands in the history.
#[utoipa::path(
    post, path = "/api/meta-agent/messages", tag = "chat", operation_id = "writeMessage",
    request_body(content = MessageRequest, example = json!({
        "tenantId": "andina", "siteId": "main", "sessionId": "ses_01k9z3v5d2m8q4x7c1b6n0f9gh", "channel": "web",
        "clientMessageId": "7f6b3a52", "text": "¿Tienen hora mañana?"
    })),
    responses(
        (status = 202, description = "The message is durable", body = MessageReceipt),
        (status = 402, description = "`quota_exceeded`: the month's messages are used up; says when they are there again", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn write(
    State(desk): State<FrontDesk>,
    call: TenantCall<WriteMessage>,
) -> Result<(StatusCode, Json<MessageReceipt>), Problem> {
    let message: MessageRequest = call.received.json()?;
    check_envelope(&call, &message)?;
    check_shape(&message)?;
    let session: SessionId = message.session_id.parse().map_err(|_| Problem::not_found())?;
    let session_text = session.to_string();
    call.received.record.facts().session = Some(session_text.clone());
    let content = content(&desk, &call, &message, session).await?;
    let own_id = match message.client_message_id {
        Some(id) => id,
        None => MessageId::new(&*desk.clock, &*desk.entropy).to_string(),
    };
    let inbound = NewInbound {
        tenant: call.tenant(),
        origin: InboundOrigin::Session {
            session,
            site: call.site(),
            family: call.family(),
            channel: message.channel.unwrap_or(Channel::Web),
        },
        external_id: &own_id,
        content: &content,
        sent_at: None,
        key: call.claims().key,
        monthly: call.state().monthly(Metered::Messages),
    };
    let outcome =
        desk.database.ingest(&inbound, call.keys(), &desk.bell, &*desk.clock, &*desk.entropy).await?;
    match outcome {
        Ingested::Stored(receipt) | Ingested::Duplicate(receipt) => {
            Ok((StatusCode::ACCEPTED, Json(receipt.into())))
        }
        Ingested::Another => Err(another()),
        Ingested::Expired => Err(Problem::conflict(Code::Conflict, "The session is over; open another one.")),
        Ingested::QuotaExceeded => {
            let most = inbound.monthly.unwrap_or_default();
            Err(Problem::quota_exceeded(Metered::Messages, most, desk.clock.now()))
        }
        Ingested::FilesUnavailable => Err(files_unavailable("/attachments")),
        Ingested::NotFound => Err(not_ingested(&desk, &call, session).await?),
    }
}

/// Either there is no such session for the caller, or it is on another channel.
async fn not_ingested(
    desk: &FrontDesk,
    call: &TenantCall<WriteMessage>,
    session: SessionId,
) -> Result<Problem, Problem> {
    let mut tx = desk.database.tenant("messages.refused", call.tenant()).await?;
    let session = misy_store::sessions::session(&mut tx, session, call.family(), call.site()).await?;
    tx.commit().await?;
    Ok(match session {
        Some(_) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            Code::EnvelopeMismatch,
            "The session is on another channel.",
        ),
        None => Problem::not_found(),
    })
}

fn check_envelope(call: &TenantCall<WriteMessage>, message: &MessageRequest) -> Result<(), Problem> {
    let agrees = |said: &Option<String>, is: &str| said.as_deref().is_none_or(|said| said == is);
    if !agrees(&message.tenant_id, call.tenant().as_str()) || !agrees(&message.site_id, call.site().as_str())
    {
        return Err(Problem::forbidden(Code::EnvelopeMismatch, "The envelope and the token disagree."));
    }
    check_metadata(message.metadata.as_ref())
}

/// What can be refused without a look at the session.
fn check_shape(message: &MessageRequest) -> Result<(), Problem> {
    if let Some(files) = &message.attachments {
        check_files(files, "/attachments")?;
    }
    check_client_id(message.client_message_id.as_deref())?;
    let says = message.text.is_some() || message.attachments.is_some();
    match (&message.text, &message.action) {
        (_, Some(_)) if says => {
            Err(Problem::invalid_field("/action", "format", "must not be there beside a text or files"))
        }
        (None, None) if !says => Err(Problem::invalid_field("/text", "required", "is required")),
        (Some(text), None) => check_text(text),
        _ => Ok(()),
    }
}

/// Refuses what no client may call its message.
pub(crate) fn check_client_id(id: Option<&str>) -> Result<(), Problem> {
    let fits =
        |id: &str| (1..=LONGEST_CLIENT_ID).contains(&id.chars().count()) && !id.chars().any(char::is_control);
    if id.is_none_or(fits) {
        return Ok(());
    }
    Err(Problem::invalid_field("/clientMessageId", "too_long", "must be 1 to 128 characters"))
}

/// Checks what a contact wrote in plain words.
pub(crate) fn check_text(text: &str) -> Result<(), Problem> {
    check(&[Part::text(text)], Writer::Contact, "").map_err(|mut mistakes| {
        for mistake in &mut mistakes {
            "/text".clone_into(&mut mistake.pointer);
        }
        mistakes.into()
    })
}

/// What the message says.
async fn content(
    desk: &FrontDesk,
    call: &TenantCall<WriteMessage>,
    message: &MessageRequest,
    session: SessionId,
) -> Result<Content, Problem> {
    let content = if let Some(action) = &message.action {
        let conversation = conversation(desk, call, session).await?;
        pressed_in(desk, call.tenant(), call.keys(), conversation, action).await?
    } else {
        let mut parts: Vec<Part> = message.text.iter().map(Part::text).collect();
        if let Some(files) = &message.attachments {
            let conversation = conversation(desk, call, session).await?;
            let files = carried(desk, call.tenant(), call.keys(), conversation, files).await?;
            let files = files.map_err(|missing| files_missing("/attachments", &missing))?;
            parts.extend(files.into_iter().map(Part::of_media));
        }
        Content::of(parts)
    };
    Ok(Content { metadata: message.metadata.clone(), ..content })
}

/// The session's own conversation.
async fn conversation(
    desk: &FrontDesk,
    call: &TenantCall<WriteMessage>,
    session: SessionId,
) -> Result<ConversationId, Problem> {
    let mut tx = desk.database.tenant("messages.session", call.tenant()).await?;
    let session = sessions::session(&mut tx, session, call.family(), call.site()).await?;
    tx.commit().await?;
    Ok(session.ok_or_else(Problem::not_found)?.conversation_id)
}

/// Refuses what cannot be a list of files.
fn check_files(files: &[FileId], pointer: &str) -> Result<(), Problem> {
    if !(1..MOST_PARTS).contains(&files.len()) {
        return Err(Problem::invalid_field(pointer, "too_many", "must have 1 to 9 files"));
    }
    if (1..files.len()).any(|at| files[..at].contains(&files[at])) {
        return Err(Problem::invalid_field(pointer, "duplicate", "must have no file twice"));
    }
    Ok(())
}

/// Files of a conversation as a message shows them: by what is stored of them, never by what somebody says. Else the places of
/// those that are not there. Whether another message carries one is decided when the message is stored.
pub(crate) async fn carried(
    desk: &FrontDesk,
    tenant: &TenantId,
    keys: &TenantKeys,
    conversation: ConversationId,
    files: &[FileId],
) -> Result<Result<Vec<Media>, Vec<usize>>, Problem> {
    let found = tenant_tx!(desk.database, "messages.files", tenant, async |tx| {
        files::of_conversation(tx, keys, conversation, files).await
    })
    .await?;
    if found.len() != files.len() {
        let is_missing = |file: &FileId| !found.iter().any(|one| one.file_id == *file);
        return Ok(Err((0..files.len()).filter(|at| is_missing(&files[*at])).collect()));
    }
    let media = found.into_iter().map(|file| Media {
        file_id: Some(file.file_id),
        media_type: Some(file.media_type),
        name: file.name,
        size: Some(file.size),
        ..Media::default()
    });
    Ok(Ok(media.collect()))
}

const NOT_THERE: &str = "names a file that is not there, or that another message carries";

/// What is answered to whoever sends what is not there, is not theirs, or was sent before.
pub(crate) fn files_unavailable(pointer: &str) -> Problem {
    Problem::invalid_field(pointer, "reference", NOT_THERE)
}

/// The same, naming each that is not there: whoever sent it has to bring those again.
fn files_missing(pointer: &str, missing: &[usize]) -> Problem {
    let error = |pointer: String| FieldError::new(pointer, "reference", NOT_THERE);
    let each = missing.iter().map(|at| error(format!("{pointer}/{at}")));
    Problem::invalid(std::iter::once(error(pointer.to_owned())).chain(each).collect())
}

/// What was pressed, if it stands in a conversation. It says what stood on the button: that is what the contact meant, and what
/// anybody reads who does not know of buttons.
pub(crate) async fn pressed_in(
    desk: &FrontDesk,
    tenant: &TenantId,
    keys: &TenantKeys,
    conversation: ConversationId,
    action: &ActionRequest,
) -> Result<Content, Problem> {
    let ActionRequest::Button { id, message_id } = action;
    let mut tx = desk.database.tenant("messages.pressed", tenant).await?;
    let found = messages::pressed(&mut tx, keys, conversation, *message_id, id).await?;
    tx.commit().await?;
    let pressed = found.ok_or_else(nothing_to_press)?;
    let Pressed::Button { title, .. } = &pressed;
    let content = Content::text(title.as_str());
    Ok(Content { action: Some(pressed), ..content })
}

/// What is answered to whoever presses what was not sent to them.
pub(crate) fn nothing_to_press() -> Problem {
    let message = "is nothing that can be pressed in this conversation";
    Problem::invalid_field("/action/id", "reference", message)
}
