//! The description of the API (OpenAPI 3.1), generated from the code it describes.

use crate::{
    api,
    problem::ProblemBody,
    routes::{self, Served},
};
use http::Method;
use misy_trust::AccessPolicies;
use serde::Serialize;
use serde_json::json;
use std::{collections::HashMap, sync::OnceLock};
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        Components, Content, HttpMethod, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
        Type,
        path::{Operation, ParameterBuilder, ParameterIn, PathItem},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

/// All operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Misy",
        description = "An AI agent that talks to a business's customers: chat, tenants, credentials.\n\nJSON in camelCase; \
            times are RFC 3339 in UTC; lists have `items` and `nextCursor`. A refusal is a problem (RFC 9457) with a stable \
            `code`. Creating calls take an `Idempotency-Key`; changes take an `If-Match` with the `ETag` that was read."
    ),
    paths(
        api::health::live, api::health::ready, api::health::metrics, api::jwks::read, api::audit_keys::read,
        api::tokens::mint::mint, api::tokens::revoke::revoke, api::tokens::revoke_all::revoke_all,
        api::auth::sign_in::sign_in, api::auth::second_factor::prove, api::auth::me::sign_out, api::auth::me::read,
        api::auth::sessions::list, api::auth::sessions::end, api::auth::sessions::end_others,
        api::auth::step_up::step_up, api::auth::totp::propose, api::auth::totp::confirm, api::auth::totp::renew_codes,
        api::auth::enroll::enroll, api::auth::invitations::accept,
        api::auth::password::change, api::auth::password::forgot, api::auth::password::reset,
        api::auth::tokens::list, api::auth::tokens::create, api::auth::tokens::revoke,
        api::auth::passkeys::list, api::auth::passkeys::rename, api::auth::passkeys::remove,
        api::auth::passkeys::registration::begin, api::auth::passkeys::registration::finish,
        api::auth::passkeys::sign_in::begin, api::auth::passkeys::sign_in::finish,
        api::auth::passkeys::sign_in::begin_second_factor, api::auth::passkeys::sign_in::finish_second_factor,
        api::auth::passkeys::sign_in::begin_step_up, api::auth::passkeys::sign_in::finish_step_up,
        api::auth::oidc::start_of_tenant, api::auth::oidc::start_of_installation, api::auth::oidc::callback,
        api::tenants::sign_in::read, api::tenants::sign_in::replace, api::tenants::sign_in::delete,
        api::tenants::domains::list, api::tenants::domains::create, api::tenants::domains::verify,
        api::tenants::domains::delete,
        api::sessions::open::open, api::sessions::read::read, api::sessions::history::list,
        api::sessions::events::follow, api::messages::write, api::channels::pass_on,
        api::tenants::channels::list, api::tenants::channels::create, api::tenants::channels::read,
        api::tenants::channels::change, api::tenants::channels::rotate, api::tenants::channels::deliveries,
        api::tenants::register::owner, api::tenants::register::register, api::tenants::create::create,
        api::tenants::list::list, api::tenants::record::read, api::tenants::record::change, api::tenants::life::delete,
        api::tenants::life::suspend, api::tenants::life::activate, api::tenants::life::close, api::tenants::life::reopen,
        api::tenants::events::list,
        api::tenants::certificates::list, api::tenants::certificates::bind, api::tenants::certificates::revoke,
        api::tenants::context_pack::read, api::tenants::context_pack::replace,
        api::tenants::sites::list, api::tenants::sites::create, api::tenants::sites::read, api::tenants::sites::change,
        api::tenants::sites::delete,
        api::tenants::keys::list, api::tenants::keys::create, api::tenants::keys::revoke,
        api::tenants::secrets::list, api::tenants::secrets::rotate, api::tenants::secrets::change, api::tenants::secrets::revoke,
        api::tenants::users::list, api::tenants::users::invite, api::tenants::users::read, api::tenants::users::change,
        api::tenants::users::remove, api::tenants::user_access::sessions, api::tenants::user_access::end_sessions,
        api::tenants::user_access::end_session, api::tenants::user_access::renew_invitation,
        api::tenants::user_access::make_password_link, api::tenants::user_access::reset_second_factor,
        api::tenants::limits::read, api::tenants::limits::replace,
        api::tenants::roles::list, api::tenants::roles::create, api::tenants::roles::read, api::tenants::roles::change,
        api::tenants::roles::delete,
        api::tenants::privilege::list, api::tenants::privilege::run, api::tenants::privilege::catalogue,
        api::tenants::privilege::end, api::tenants::alerts::list, api::tenants::alerts::acknowledge,
        api::tenants::audit::list, api::tenants::audit::proofs::checkpoint, api::tenants::audit::proofs::checkpoints,
        api::tenants::audit::proofs::inclusion, api::tenants::audit::proofs::consistency,
        api::tenants::audit::export::export, api::tenants::audit::report::read, api::tenants::decisions::read,
        api::tenants::usage::read, api::tenants::usage::invoice::read, api::tenants::usage::refusals::read,
        api::tenants::encryption::read, api::tenants::encryption::rotate,
    ),
    components(schemas(ProblemBody<'static>)),
    tags(
        (name = "tokens", description = "Keys become tokens"),
        (name = "auth", description = "People sign in and look after their own account"),
        (name = "chat", description = "Sessions, messages, live events"),
        (name = "channels", description = "Messages that come and go beside the tenant's own sites"),
        (name = "tenants", description = "Tenants and what belongs to them"),
        (name = "people", description = "Users of a tenant and what they may do"),
        (name = "privilege", description = "What the owner's people do to tenants, and what is suspicious of it"),
        (name = "operation", description = "For whoever runs the installation"),
    ),
    modifiers(&Security, &Problems, &Actions)
)]
struct Description;

/// The description as JSON, the same bytes for the same code.
pub fn openapi_document() -> String {
    // The types of utoipa are plain data.
    let mut text = serde_json::to_string_pretty(document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The description.
pub fn document() -> &'static utoipa::openapi::OpenApi {
    static DOCUMENT: OnceLock<utoipa::openapi::OpenApi> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let mut document = Description::openapi();
        // The program's licence is nobody's business but ours.
        document.info.license = None;
        document
    })
}

/// The id of the operation that answers on a route.
pub(crate) fn operation_id(method: &Method, route: &str) -> &'static str {
    static IDS: OnceLock<HashMap<&'static str, Vec<(Method, &'static str)>>> = OnceLock::new();
    let ids = IDS.get_or_init(|| {
        let mut ids = HashMap::new();
        for (path, item) in &document().paths.paths {
            let of_path = operations(item)
                .filter_map(|(method, operation)| Some((method, operation.operation_id.as_deref()?)));
            ids.insert(path.as_str(), of_path.collect());
        }
        ids
    });
    let wanted = if method == Method::HEAD { &Method::GET } else { method };
    let of_route = ids.get(route).and_then(|list| list.iter().find(|(method, _)| method == wanted));
    of_route.map_or("none", |(_, id)| id)
}

/// Whether an operation is of this group.
pub(crate) fn is_of(operation_id: &str, tag: &str) -> bool {
    let mut all = document().paths.paths.values().flat_map(operations);
    let operation = all.find(|(_, operation)| operation.operation_id.as_deref() == Some(operation_id));
    operation.is_some_and(|(_, one)| one.tags.iter().flatten().any(|one| one == tag))
}

/// The operations of a path.
pub fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
        let bearer = |description: &str| {
            let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
            SecurityScheme::Http(scheme.build())
        };
        let header = |name: &str, description: &str| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, description)))
        };
        for (name, scheme) in [
            ("tenantAccessToken", bearer("A tenant access token; comes with a request signature.")),
            (
                "requestSignature",
                header(
                    "X-Misy-Signature",
                    "`v1=` and the HMAC-SHA256 of the canonical request; with X-Misy-Timestamp and X-Misy-Nonce.",
                ),
            ),
            (
                "administrator",
                bearer(
                    "The token of a registration, `adm_…`, until somebody enrols with it: it does what a program could.",
                ),
            ),
            (
                "session",
                SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                    "__Host-misy_session",
                    "The session of a person who signed in; calls that change something also carry X-Misy-Csrf.",
                ))),
            ),
            (
                "csrf",
                header("X-Misy-Csrf", "`csrfToken` of the session, with each call that changes something."),
            ),
            ("personalToken", bearer("A personal API token, `pat_…`.")),
            ("bootstrapSecret", bearer("The secret that registers the owner, once.")),
            (
                "publishableKey",
                header("X-Api-Key", "A publishable key, `pk_live_…` or `pk_test_…`, with the page's Origin."),
            ),
            ("tenantSecret", header("X-Misy-Key", "The id of a tenant secret that signs the request.")),
            (
                "metricsToken",
                bearer("The operator's token for metrics; not needed from a loopback or private address."),
            ),
        ] {
            components.add_security_scheme(name, scheme);
        }
    }
}

/// Adds the problems that each operation can answer with.
struct Problems;

/// Whatever an administrator's key opens, a person may do who signed in, or a personal token of one, if its roles allow it.
fn add_people(operation: &mut Operation) {
    let Some(schemes) = &mut operation.security else { return };
    let json = |scheme: &SecurityRequirement| serde_json::to_value(scheme).unwrap_or_default();
    let has = |schemes: &[SecurityRequirement], name: &str| {
        schemes.iter().any(|scheme| json(scheme).get(name).is_some())
    };
    if has(schemes, "administrator") {
        for name in ["session", "personalToken"] {
            if !has(schemes, name) {
                schemes.push(SecurityRequirement::new(name, Vec::<String>::new()));
            }
        }
    }
}

impl Modify for Problems {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in [
                (HttpMethod::Get, &mut item.get),
                (HttpMethod::Post, &mut item.post),
                (HttpMethod::Put, &mut item.put),
                (HttpMethod::Patch, &mut item.patch),
                (HttpMethod::Delete, &mut item.delete),
            ] {
                if let Some(operation) = operation {
                    add_people(operation);
                    add_problems(path, &method, operation);
                }
            }
        }
    }
}

/// Says of each management operation what it asks the access policies, as the router knows it.
struct Actions;

impl Modify for Actions {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for Served { method, path, actions } in routes::served() {
            let (Some(actions), Some(item)) = (actions, document.paths.paths.get_mut(&path)) else {
                continue;
            };
            let operation = match method {
                Method::GET => &mut item.get,
                Method::POST => &mut item.post,
                Method::PUT => &mut item.put,
                Method::PATCH => &mut item.patch,
                _ => &mut item.delete,
            };
            if let Some(operation) = operation {
                operation
                    .extensions
                    .get_or_insert_default()
                    .insert("x-misy-actions".to_owned(), json!(actions));
                let policies = AccessPolicies::in_force();
                if actions.iter().any(|action| policies.is_accounted(*action)) {
                    add_reason(operation);
                }
            }
        }
    }
}

/// What the owner's people say when they do something to another tenant.
fn add_reason(operation: &mut Operation) {
    let reason = ParameterBuilder::new()
        .name("X-Misy-Reason")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Why, when a person of the owner does this to another tenant, where the body has no `reason`: 10 to 500 characters, \
             percent-encoded UTF-8. Stands in both trails. Without it `422 reason_required`; it also needs a second factor not \
             older than five minutes, else `401 step_up_required`.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
    operation.parameters.get_or_insert_default().push(RefOr::T(reason.build()));
}

fn add_problems(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let secured = operation.security.as_ref().is_some_and(|schemes| !schemes.is_empty())
        && !path.starts_with("/.well-known")
        && !path.starts_with("/health");
    let mut add = |status: &str, description: &str| {
        let known = &mut operation.responses.responses;
        known.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem(description)));
    };
    if secured {
        add("400", "`bad_request`, `malformed_json`");
        add(
            "401",
            "`token_missing`, `token_invalid`, `token_expired`, `token_revoked`, `signature_missing`, \
            `signature_invalid`, `timestamp_out_of_window`, `replay_detected`, `key_invalid`, `bootstrap_secret_invalid`, \
            `certificate_required`, `certificate_invalid`",
        );
        add("403", "`origin_not_allowed`, `tenant_suspended`, `permission_denied`, `envelope_mismatch`");
        add("404", "`not_found`: what is not there and what is somebody else's alike");
        add("429", "`rate_limited`, with Retry-After");
    }
    if operation.request_body.is_some() {
        add("408", "`request_timeout`: the body took too long to arrive");
        add("413", "`body_too_large`");
        add("415", "`unsupported_media_type`: JSON in UTF-8, not compressed");
        add("422", "`validation_failed`, `not_supported`, `envelope_mismatch`, with JSON pointers");
    } else if secured {
        add("422", "`validation_failed`: a parameter of the query; `not_supported`");
    }
    if secured && !matches!(method, HttpMethod::Get) {
        add("409", "`conflict`, `owner_already_registered`, `idempotency_mismatch`");
    }
    add("503", "`unavailable`, with Retry-After");
}

fn problem(description: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

/// A message as it stands in history and in live events.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Message)]
pub struct MessageSchema {
    /// Unique.
    #[schema(example = "msg_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    message_id: String,
    /// The session it was written in, if it was on the web.
    session_id: Option<String>,
    /// The channel account it was written on, if it was not.
    account_id: Option<String>,
    /// Its place in the conversation, from 1 without gaps.
    sequence: i64,
    /// `contact`, `agent`, `human` or `system`.
    role: String,
    /// The agent that wrote it.
    agent_name: Option<String>,
    /// What it says.
    parts: Vec<PartSchema>,
    /// Where the answer comes from.
    #[schema(required = false)]
    sources: Vec<SourceSchema>,
    /// The messages of the contact that it answers.
    #[schema(required = false)]
    in_reply_to: Vec<String>,
    /// What the contact pressed.
    action: Option<ActionSchema>,
    /// The id that the client gave.
    client_message_id: Option<String>,
    /// When it became durable.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A piece of a message. Which members it has depends on its type; a reader that does not know a type shows its `text`,
/// `title`, `caption` or `name`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Part)]
pub struct PartSchema {
    /// `text`, `image`, `audio`, `video`, `file`, `location`, `contact`, `buttons`, `list`, `card`, `carousel`, `template`,
    /// `form`, `reaction`, `system` or `unsupported`.
    #[serde(rename = "type")]
    #[schema(example = "text")]
    kind: String,
    /// Text in a subset of Markdown.
    text: Option<String>,
    /// Of a `system` part: what happened.
    event: Option<String>,
    /// Of a card or a form.
    title: Option<String>,
    /// Of a place, a person, a file or a template.
    name: Option<String>,
    /// Of an image, a sound, a film or another file: the file that was uploaded.
    file_id: Option<String>,
    /// The same, where it lies elsewhere.
    url: Option<String>,
    /// What the file is.
    #[schema(example = "image/png")]
    media_type: Option<String>,
    /// The length of the file in bytes.
    size: Option<i64>,
    /// What is said about the file.
    caption: Option<String>,
    /// Of a place.
    latitude: Option<f64>,
    /// Of a place.
    longitude: Option<f64>,
    /// Of `buttons` and of a card: what can be pressed.
    buttons: Option<Vec<ButtonSchema>>,
}

/// A button.
#[derive(Serialize, ToSchema)]
#[schema(as = Button)]
pub struct ButtonSchema {
    /// Its id, for `action`.
    #[schema(example = "faq-parking")]
    id: String,
    /// What stands on it.
    title: String,
    /// What it stands for.
    #[serde(rename = "ref")]
    reference: Option<ReferenceSchema>,
    /// Where it leads; such a button is not pressed.
    url: Option<String>,
}

/// What a choice stands for.
#[derive(Serialize, ToSchema)]
#[schema(as = Reference)]
pub struct ReferenceSchema {
    /// `faq`, `service`, …
    kind: String,
    /// The id within the context pack.
    id: String,
}

/// What a contact pressed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Action)]
pub struct ActionSchema {
    /// `button`.
    #[serde(rename = "type")]
    #[schema(example = "button")]
    kind: String,
    /// Its id.
    id: String,
    /// What stood on it.
    title: String,
    /// The message that it stood in.
    message_id: String,
    /// What it stands for.
    #[serde(rename = "ref")]
    reference: Option<ReferenceSchema>,
}

/// Where an answer comes from.
#[derive(Serialize, ToSchema)]
#[schema(as = Source)]
pub struct SourceSchema {
    /// `faq`, `service`, …
    kind: String,
    /// The id within the context pack.
    id: String,
    /// What to show to the reader.
    title: String,
}
