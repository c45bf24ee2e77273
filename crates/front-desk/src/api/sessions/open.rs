//! `POST /sessions`: a visit begins, or goes on.

use super::WriteChat;
use crate::{
    desk::FrontDesk,
    idempotent::Once,
    pipeline::TenantCall,
    problem::Problem,
    shares::Who,
    welcome::{Welcome, ai_disclosure},
};
use axum::{extract::State, response::Response};
use http::StatusCode;
use misy_domain::{Channel, ConversationId, Language, Locale, SessionId, Timestamp};
use misy_store::sessions::{self, NewSession, Session};
use misy_trust::RequestKeyKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

const MAX_METADATA: usize = 4 * 1024;

/// A visit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionRequest {
    /// `web`, or `api` for a program.
    channel: Channel,
    /// What the visitor prefers to read.
    locale: Option<Locale>,
    /// What is known about the visit, at most 4 KiB.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    metadata: Option<Value>,
    /// Who the visitor is, signed by the tenant's own server. Not supported yet.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    identity: Option<Value>,
    /// A session of the same chain of tokens to go on with.
    resume: Option<SessionId>,
}

/// How the assistant looks.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrandingAnswer {
    /// The name that contacts know.
    display_name: String,
    /// `#RRGGBB`.
    #[schema(example = "#12807A")]
    primary_color: String,
    /// An https address.
    logo_url: Option<String>,
}

/// A session that was opened.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionAnswer {
    /// Its id.
    session_id: SessionId,
    /// The conversation it writes to.
    conversation_id: ConversationId,
    /// From when on it takes no message.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The first words.
    greeting: String,
    /// How the assistant looks.
    branding: BrandingAnswer,
    /// The language of the session.
    #[schema(example = "es-CO")]
    locale: String,
    /// The languages that are spoken.
    #[schema(example = json!(["es", "en", "pt"]))]
    languages: [Language; 3],
    /// What the visitor is to be asked. Nothing yet.
    #[schema(value_type = Vec<Object>)]
    consent: [Value; 0],
    /// Says that no person answers.
    ai_disclosure: &'static str,
    /// Questions to begin with.
    suggestions: Vec<String>,
}

/// Open a session
///
/// A new contact and a new conversation; or, with `resume`, an open session of the same chain of tokens lives on.
#[utoipa::path(
    post, path = "/api/meta-agent/sessions", tag = "chat", operation_id = "openSession",
    request_body(content = SessionRequest, example = json!({"channel": "web", "locale": "es-CO"})),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once")),
    responses((status = 201, description = "The session", body = SessionAnswer)),
    security(("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn open(
    State(desk): State<FrontDesk>,
    call: TenantCall<WriteChat>,
) -> Result<Response, Problem> {
    let asked: SessionRequest = call.received.json()?;
    check(&asked)?;
    let once = Once::of(&call.received, &call.family().to_string())?;
    let mut tx = desk.database.tenant("sessions.open", call.tenant()).await?;
    if let Some(answer) = once.answered(&desk, &mut tx).await? {
        return Ok(answer);
    }
    let counts_as = counts_as(&call);
    let new = NewSession {
        site: call.site(),
        channel: asked.channel,
        locale: asked.locale.as_ref(),
        family: call.family(),
        permissions: call.permissions(),
        metadata: asked.metadata.as_ref(),
        counts_as: &counts_as,
        ttl: call.state().session_ttl(),
    };
    let session = match asked.resume {
        Some(id) => {
            let resumed = sessions::resume_session(&mut tx, id, &new, desk.clock.now()).await?;
            resumed.ok_or_else(Problem::not_found)?
        }
        None => sessions::open_session(&mut tx, call.keys(), &new, &*desk.clock, &*desk.entropy).await?,
    };
    call.received.record.facts().session = Some(session.session_id.to_string());
    let welcome = desk.welcomes.of(&mut tx).await?;
    let answer = answer(&session, asked.locale.as_ref(), &welcome);
    once.answer(&desk, tx, call.keys(), StatusCode::CREATED, &answer).await
}

/// Whose shares the session takes from. A program has its own end.
fn counts_as(call: &TenantCall<WriteChat>) -> Vec<String> {
    let who = match call.claims().sig {
        RequestKeyKind::Token => Who::Visitor(call.received.record.address),
        RequestKeyKind::Tenant => Who::Program,
    };
    who.counts_as(call.keys(), &call.family().to_string())
}

fn check(asked: &SessionRequest) -> Result<(), Problem> {
    if asked.identity.is_some() {
        return Err(Problem::not_supported("/identity", "Verified identities are not supported yet."));
    }
    if !matches!(asked.channel, Channel::Web | Channel::Api) {
        return Err(Problem::not_supported(
            "/channel",
            "Sessions of this channel are not opened by this call.",
        ));
    }
    check_metadata(asked.metadata.as_ref())
}

/// Metadata is an object of at most 4 KiB of JSON.
pub(crate) fn check_metadata(metadata: Option<&Value>) -> Result<(), Problem> {
    let Some(metadata) = metadata else { return Ok(()) };
    if !metadata.is_object() {
        return Err(Problem::invalid_field("/metadata", "type", "must be an object"));
    }
    let size = serde_json::to_vec(metadata).map_or(usize::MAX, |json| json.len());
    if size > MAX_METADATA {
        return Err(Problem::invalid_field("/metadata", "too_long", "must be at most 4096 bytes of JSON"));
    }
    Ok(())
}

fn answer(session: &Session, preferred: Option<&Locale>, welcome: &Welcome) -> SessionAnswer {
    let language = session.language.unwrap_or_else(|| welcome.language(preferred));
    let spoken = |locale: &&Locale| locale.language() == Some(language);
    let locale = preferred.filter(spoken).or(welcome.locale.as_ref().filter(spoken));
    SessionAnswer {
        session_id: session.session_id,
        conversation_id: session.conversation_id,
        expires_at: session.expires_at,
        greeting: welcome.greeting_in(language),
        branding: BrandingAnswer {
            display_name: welcome.display_name.clone(),
            primary_color: welcome.primary_color.clone(),
            logo_url: welcome.logo_url.clone(),
        },
        locale: locale.map_or_else(|| language.code().to_owned(), |locale| locale.as_str().to_owned()),
        languages: Language::ALL,
        consent: [],
        ai_disclosure: ai_disclosure(language),
        suggestions: welcome.suggestions.clone(),
    }
}
