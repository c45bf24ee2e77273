//! `POST /files`: a contact's file is stored, to be sent with a message.

use crate::{
    desk::FrontDesk,
    edge::limited,
    files::{
        form::{Form, FormFile},
        kind::Kind,
        name,
    },
    idempotent::Once,
    pipeline::{Access, TenantCall},
    problem::{Code, Problem},
    settings::Settings,
    shares::{Counts, Who},
};
use axum::{extract::State, response::Response};
use http::{StatusCode, header};
use misy_domain::{
    Channel, ChannelAccountId, ConversationId, FileId, Metered, Permission, SessionId, share::Trace,
};
use misy_store::{
    channels::{Sender, Thread},
    files::{self, Begun, NewFile},
    limits::Decision,
    sessions, tenant_tx,
};
use misy_trust::RequestKeyKind;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// What a form has beside its file.
const FORM: usize = 16 * 1024;
/// A file comes over slow lines too. Who sends it has shown a token before more than a little of it is read.
const TIMES_AS_LONG: u32 = 6;
const LONGEST_CONTACT: usize = 256;

/// A file that is sent: a form in which `sessionId` says whose it is; from a server `accountId` and `contactId`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "says what the form has")]
pub struct NewFileForm {
    /// The session in which it will be sent.
    #[schema(value_type = Option<SessionId>)]
    session_id: Option<String>,
    /// From a server: the account of the API channel.
    #[schema(value_type = Option<ChannelAccountId>)]
    account_id: Option<String>,
    /// From a server: who sends it, by the id that the program has for them, 1 to 256 characters.
    contact_id: Option<String>,
    /// The file. Its name is made harmless; its type is what its bytes say, not what the client says.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// A file that is stored.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileAnswer {
    /// Its id, for `attachments` of a message. What no message carries is removed after a day.
    file_id: FileId,
    /// What it is, by its bytes.
    #[schema(example = "image/png")]
    media_type: String,
    /// Its length in bytes.
    size: u64,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// Calls that bring a file.
pub struct Upload;

impl Access for Upload {
    const PERMISSION: Option<Permission> = Some(Permission::FilesUpload);
    const LEAVES: Option<Trace> = Some(Trace::File);

    fn body_limit(settings: &Settings) -> usize {
        settings.largest_file + FORM
    }

    fn body_timeout(settings: &Settings) -> Duration {
        settings.body_timeout * TIMES_AS_LONG
    }
}

/// Upload a file
///
/// Answers when the file is durable. It is sealed under the key of its contact, and one message of the same conversation can
/// carry it. Taken are pictures, sound, films, PDF, Office documents and plain text, by what the bytes say; no HTML, SVG, script,
/// program or archive. The site must allow `files:upload`.
#[utoipa::path(
    post, path = "/api/meta-agent/files", tag = "chat", operation_id = "uploadFile",
    request_body(content = NewFileForm, content_type = "multipart/form-data"),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once")),
    responses(
        (status = 201, description = "The file is durable", body = FileAnswer),
        (status = 402, description = "`quota_exceeded`: the tenant has no room for more files", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: the visitor, or where they are, has brought as many files or bytes as a day allows", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn upload(
    State(desk): State<FrontDesk>,
    call: TenantCall<Upload>,
) -> Result<Response, Problem> {
    let content_type = call.received.header(&header::CONTENT_TYPE).unwrap_or_default();
    let mut form = Form::read(content_type, &call.received.body)?;
    let whose = Whose::of(&mut form)?;
    let FormFile { name, bytes } = form.file()?;
    let limits = call.state().file_limits();
    let most = limits.largest.min(desk.settings.largest_file as u64);
    if bytes.len() as u64 > most {
        let detail = format!("A file may have at most {most} bytes here.");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge, detail));
    }
    let kind = Kind::of(&bytes).ok_or_else(not_taken)?;
    let name = name.and_then(|given| name::clean(&given, kind));
    let once = Once::of(&call.received, &call.family().to_string())?;
    if once.has_key() {
        let mut tx = desk.database.tenant("files.answered", call.tenant()).await?;
        if let Some(answer) = once.answered(&desk, &mut tx).await? {
            return Ok(answer);
        }
        // The key is let go again: no transaction is open while bytes are written.
    }
    within_share(&desk, &call, bytes.len()).await?;
    let new = NewFile {
        file_id: FileId::new(&*desk.clock, &*desk.entropy),
        conversation: conversation(&desk, &call, &whose).await?,
        media_type: kind.media_type,
        size: bytes.len() as u64,
        name: name.as_deref(),
    };
    let begun = tenant_tx!(desk.database, "files.begin", call.tenant(), async |tx| {
        files::begin(tx, call.keys(), &new, limits.total, &*desk.entropy).await
    })
    .await?;
    let key = match begun {
        Begun::Begun(key) => key,
        Begun::NotFound => return Err(Problem::not_found()),
        Begun::NoRoom => return Err(no_room()),
    };
    desk.files.write(call.tenant(), new.file_id, &key, &bytes, &*desk.entropy).await?;
    let mut tx = desk.database.tenant("files.finish", call.tenant()).await?;
    // Somebody may have been faster with the same key: then this file is one that nobody sends.
    if let Some(answer) = once.answered(&desk, &mut tx).await? {
        return Ok(answer);
    }
    if !files::finish(&mut tx, new.file_id).await? {
        drop(tx);
        desk.files.remove(call.tenant(), new.file_id).await?;
        return Err(Problem::not_found());
    }
    let answer = FileAnswer {
        file_id: new.file_id,
        media_type: kind.media_type.to_owned(),
        size: new.size,
        name: name.clone(),
    };
    once.answer(&desk, tx, call.keys(), StatusCode::CREATED, &answer).await
}

/// Counts the bytes against what the visitor, and where they are, may bring in a day: a few leave room for all others.
async fn within_share(desk: &FrontDesk, call: &TenantCall<Upload>, bytes: usize) -> Result<(), Problem> {
    let who = match call.claims().sig {
        RequestKeyKind::Token => Who::Visitor(call.received.record.address),
        RequestKeyKind::Tenant => Who::Program,
    };
    let counts = Counts::of_files(call.state(), who, &call.family().to_string());
    let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
    let now = desk.clock.now();
    let decision = desk.limits.check_weight(call.tenant(), &counts.limits(), kib, now).await?;
    match decision {
        // What the whole call counted against is what the answer tells of.
        Decision::Allowed(_) => Ok(()),
        refused => limited(refused, &call.received.record),
    }
}

/// Whose a file is, as the caller says.
enum Whose {
    Session(SessionId),
    Contact { account: ChannelAccountId, contact: String },
}

impl Whose {
    fn of(form: &mut Form) -> Result<Self, Problem> {
        let (session, account, contact) =
            (form.take("sessionId"), form.take("accountId"), form.take("contactId"));
        match (session, account, contact) {
            (Some(session), None, None) => {
                Ok(Self::Session(session.parse().map_err(|_| Problem::not_found())?))
            }
            (None, Some(account), Some(contact)) => {
                if !(1..=LONGEST_CONTACT).contains(&contact.chars().count()) {
                    let message = "must be 1 to 256 characters";
                    return Err(Problem::invalid_field("/contactId", "too_long", message));
                }
                let account = account.parse().map_err(|_| Problem::not_found())?;
                Ok(Self::Contact { account, contact })
            }
            _ => Err(Problem::invalid_field(
                "/sessionId",
                "required",
                "must be there, or else accountId and contactId",
            )),
        }
    }
}

/// The conversation that may carry the file, if the caller may write in it.
async fn conversation(
    desk: &FrontDesk,
    call: &TenantCall<Upload>,
    whose: &Whose,
) -> Result<ConversationId, Problem> {
    match whose {
        Whose::Session(id) => {
            call.received.record.facts().session = Some(id.to_string());
            let session = tenant_tx!(desk.database, "files.session", call.tenant(), async |tx| {
                sessions::session(tx, *id, call.family(), call.site()).await
            })
            .await?;
            let session = session.ok_or_else(Problem::not_found)?;
            if !session.is_open(desk.clock.now()) {
                return Err(Problem::conflict(Code::Conflict, "The session is over; open another one."));
            }
            Ok(session.conversation_id)
        }
        Whose::Contact { account, contact } => {
            if call.claims().sig != RequestKeyKind::Tenant {
                // Else whoever looks at a page could send files in the name of any contact.
                return Err(Problem::forbidden(
                    Code::PermissionDenied,
                    "This is for servers: the token is a browser's.",
                ));
            }
            let sender =
                Sender { account: *account, channel: Channel::Api, external_id: contact, locale: None };
            let monthly = call.state().monthly(Metered::Messages);
            let thread =
                desk.database.opened_thread(call.keys(), &sender, monthly, &*desk.clock, &*desk.entropy);
            match Box::pin(thread).await? {
                Thread::Open(conversation) => Ok(conversation),
                Thread::Disabled => Err(Problem::conflict(Code::Conflict, "The account is disabled.")),
                Thread::QuotaExceeded => Err(Problem::quota_exceeded(
                    Metered::Messages,
                    monthly.unwrap_or_default(),
                    desk.clock.now(),
                )),
                Thread::New(_) | Thread::NotFound => Err(Problem::not_found()),
            }
        }
    }
}

fn not_taken() -> Problem {
    let message = "must be a picture, sound, film, PDF, Office document or plain text";
    Problem::invalid_field("/file", "not_allowed", message)
}

fn no_room() -> Problem {
    let detail = "There is no room for more files of this tenant.";
    Problem::new(StatusCode::PAYMENT_REQUIRED, Code::QuotaExceeded, detail)
}
