//! The description of the API (OpenAPI 3.1), generated from the code it describes.

use crate::{
    api,
    problem::ProblemBody,
    routes::{self, Served},
};
use http::Method;
use misy_domain::{
    Action, AlertId, AuditId, BookingId, CertificateId, ConversationId, DomainName, FileId, GrantId, KeyId,
    PasskeyId, SessionId, SignInId, SiteId, TenantId, UserId,
};
use misy_trust::AccessPolicies;
use serde::Serialize;
use serde_json::{Value, json};
use std::{collections::HashMap, sync::OnceLock};
use utoipa::{
    OpenApi, ToSchema,
    openapi::{
        Components, Content, HttpMethod, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
        Type,
        path::{Operation, ParameterBuilder, ParameterIn, PathItem},
        schema::Schema,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

/// What is said once of all operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Misy",
        description = "An AI agent that talks to a business's customers: chat, tenants, credentials.\n\nJSON in camelCase; \
            times are RFC 3339 in UTC; lists have `items` and `nextCursor`. A refusal is a problem (RFC 9457) with a stable \
            `code`. Creating calls take an `Idempotency-Key`; changes take an `If-Match` with the `ETag` that was read."
    ),
    components(schemas(
        ProblemBody<'static>, api::tenants::TokensOfKey, api::tenants::made::OfMade, api::tenants::usage::Grouping,
        api::tenants::usage::Format, api::tenants::audit::export::ExportFormat, api::tenants::audit::report::ReportFormat,
    )),
    tags(
        (name = "tokens", description = "Keys become tokens"),
        (name = "auth", description = "People sign in and look after their own account"),
        (name = "chat", description = "Sessions, messages, live events"),
        (name = "channels", description = "Messages that come and go beside the tenant's own sites"),
        (name = "bookings", description = "What can be booked, and what is"),
        (name = "inbox", description = "What contacts say, and people who answer them"),
        (name = "tenants", description = "Tenants and what belongs to them"),
        (name = "people", description = "Users of a tenant and what they may do"),
        (name = "privilege", description = "What the owner's people do to tenants, and what is suspicious of it"),
        (name = "operation", description = "For whoever runs the installation"),
    ),
)]
struct About;

/// The description as JSON, the same bytes for the same code.
pub fn openapi_document() -> String {
    // The types of utoipa are plain data.
    let mut text = serde_json::to_string_pretty(document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The description: what is served, and what is said of all of it.
pub fn document() -> &'static utoipa::openapi::OpenApi {
    static DOCUMENT: OnceLock<utoipa::openapi::OpenApi> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let mut document = About::openapi();
        // The program's licence is nobody's business but ours.
        document.info.license = None;
        let components = document.components.get_or_insert_with(Components::new);
        add_security(components);
        for (name, _, description) in REFUSALS {
            components.responses.insert(name.to_owned(), RefOr::T(problem(description)));
        }
        for served in routes::served() {
            components.schemas.extend(served.schemas());
            let operation = described(&served, components);
            document.paths.add_path_operation(&served.path, vec![http_method(&served.method)], operation);
        }
        document
    })
}

/// An operation with all that is said of it because of where it is served and what it asks.
fn described(served: &Served, components: &mut Components) -> Operation {
    let mut operation = served.operation();
    add_people(&mut operation);
    add_problems(&served.path, &served.method, &mut operation);
    add_places(&served.path, &mut operation, components);
    if let Some(actions) = served.actions {
        add_actions(actions, &mut operation);
    }
    operation
}

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
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

fn add_security(components: &mut Components) {
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
        ("csrf", header("X-Misy-Csrf", "`csrfToken` of the session, with each call that changes something.")),
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

/// Says what a management operation asks the access policies, as the type of its handler has it.
fn add_actions(actions: &[Action], operation: &mut Operation) {
    operation.extensions.get_or_insert_default().insert("x-misy-actions".to_owned(), json!(actions));
    let policies = AccessPolicies::in_force();
    if actions.iter().any(|action| policies.is_accounted(*action)) {
        add_reason(operation);
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

/// What refuses in general, by status, with the codes that are usual there.
const REFUSALS: [(&str, &str, &str); 12] = [
    ("BadRequest", "400", "`bad_request`, `malformed_json`"),
    (
        "Unauthorized",
        "401",
        "`token_missing`, `token_invalid`, `token_expired`, `token_revoked`, `signature_missing`, `signature_invalid`, \
         `timestamp_out_of_window`, `replay_detected`, `key_invalid`, `bootstrap_secret_invalid`, `certificate_required`, \
         `certificate_invalid`",
    ),
    (
        "Forbidden",
        "403",
        "`origin_not_allowed`, `tenant_suspended`, `permission_denied`, `envelope_mismatch`",
    ),
    ("NotFound", "404", "`not_found`: what is not there and what is somebody else's alike"),
    ("RequestTimeout", "408", "`request_timeout`: the body took too long to arrive"),
    ("Conflict", "409", "`conflict`, `owner_already_registered`, `idempotency_mismatch`"),
    ("BodyTooLarge", "413", "`body_too_large`"),
    ("UnsupportedMediaType", "415", "`unsupported_media_type`: JSON in UTF-8, not compressed"),
    ("InvalidBody", "422", "`validation_failed`, `not_supported`, `envelope_mismatch`, with JSON pointers"),
    ("InvalidQuery", "422", "`validation_failed`: a parameter of the query; `not_supported`"),
    ("RateLimited", "429", "`rate_limited`, with Retry-After"),
    ("Unavailable", "503", "`unavailable`, with Retry-After"),
];

fn add_problems(path: &str, method: &Method, operation: &mut Operation) {
    let secured = operation.security.as_ref().is_some_and(|schemes| !schemes.is_empty())
        && !path.starts_with("/.well-known")
        && !path.starts_with("/health");
    let mut add = |names: &[&str]| {
        for (name, status, _) in REFUSALS.iter().filter(|(name, ..)| names.contains(name)) {
            let known = &mut operation.responses.responses;
            known.entry((*status).to_owned()).or_insert_with(|| RefOr::Ref(Ref::from_response_name(*name)));
        }
    };
    if secured {
        add(&["BadRequest", "Unauthorized", "Forbidden", "NotFound", "RateLimited"]);
    }
    if operation.request_body.is_some() {
        add(&["RequestTimeout", "BodyTooLarge", "UnsupportedMediaType", "InvalidBody"]);
    } else if secured {
        add(&["InvalidQuery"]);
    }
    if secured && method != Method::GET {
        add(&["Conflict"]);
    }
    add(&["Unavailable"]);
}

fn problem(description: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

/// Says what the parameters of its path look like: by their name they are ids.
fn add_places(path: &str, operation: &mut Operation, components: &mut Components) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && parameter.parameter_in == ParameterIn::Path
            && let Some((name, schema)) = of_place(path, &parameter.name)
        {
            parameter.schema = Some(Ref::from_schema_name(name.clone()).into());
            components.schemas.entry(name).or_insert(schema);
        }
    }
}

fn of_place(path: &str, name: &str) -> Option<(String, RefOr<Schema>)> {
    fn of<T: ToSchema>() -> (String, RefOr<Schema>) {
        (T::name().into_owned(), T::schema())
    }
    Some(match name {
        "tenantId" => of::<TenantId>(),
        "siteId" => of::<SiteId>(),
        "keyId" => of::<KeyId>(),
        "fileId" => of::<FileId>(),
        "bookingId" => of::<BookingId>(),
        "certificateId" => of::<CertificateId>(),
        "userId" => of::<UserId>(),
        "passkeyId" => of::<PasskeyId>(),
        "auditId" => of::<AuditId>(),
        "grantId" => of::<GrantId>(),
        "alertId" => of::<AlertId>(),
        "conversationId" => of::<ConversationId>(),
        "domain" => of::<DomainName>(),
        // People's sessions, and those of contacts.
        "sessionId" if path.contains("/auth/") || path.contains("/users/") => of::<SignInId>(),
        "sessionId" => of::<SessionId>(),
        _ => return None,
    })
}

/// A message as it stands in history and in live events.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Message)]
pub struct MessageSchema {
    /// Unique.
    #[schema(value_type = misy_domain::MessageId)]
    message_id: String,
    /// The session it was written in, if it was on the web.
    #[schema(value_type = Option<misy_domain::SessionId>)]
    session_id: Option<String>,
    /// The channel account it was written on, if it was not.
    #[schema(value_type = Option<misy_domain::ChannelAccountId>)]
    account_id: Option<String>,
    /// Its place in the conversation, from 1 without gaps.
    sequence: i64,
    /// Who speaks.
    role: misy_domain::Role,
    /// The agent that wrote it.
    agent_name: Option<String>,
    /// What the person is called who wrote it, where it was one of the tenant.
    author_name: Option<String>,
    /// What it says.
    parts: Vec<PartSchema>,
    /// Where the answer comes from.
    #[schema(required = false)]
    sources: Vec<misy_domain::Source>,
    /// The messages of the contact that it answers.
    #[schema(required = false)]
    in_reply_to: Vec<misy_domain::MessageId>,
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
    #[schema(value_type = String, required = false)]
    text: Option<String>,
    /// Of a `system` part: what happened.
    event: Option<String>,
    /// Of a card or a form.
    title: Option<String>,
    /// Of a place, a person, a file or a template.
    name: Option<String>,
    /// Of an image, a sound, a film or another file: the file that was uploaded.
    #[schema(value_type = Option<misy_domain::FileId>)]
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
    /// What else a type has.
    #[serde(flatten)]
    more: HashMap<String, Value>,
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
#[schema(as = PressedAction)]
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
    #[schema(value_type = misy_domain::MessageId)]
    message_id: String,
    /// What it stands for.
    #[serde(rename = "ref")]
    reference: Option<ReferenceSchema>,
}
