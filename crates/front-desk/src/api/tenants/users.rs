//! `/tenants/{tenantId}/users`: people are invited, changed and removed.

use super::{
    Mistakes, Page, conversations, expected_version,
    made::{LeftBehind, MadeAnswer, MadeQuery},
    page_cursor, page_limit, versioned,
};
use crate::{
    desk::FrontDesk,
    idempotent::Once,
    identity::{Proved, mails},
    management::{AtTenant, Managed},
    problem::{Code, Problem},
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use misy_domain::{BuiltInRole, EmailAddress, Locale, Timestamp, UserId, act};
use misy_store::{
    TenantTx, inbox, roles, tenant_tx,
    users::{
        self, LockedUser, NewUser, User, UserChange, UserFilter, UserStatus,
        tickets::{self, TicketPurpose},
    },
};
use misy_trust::{RandomToken, TokenUse};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

const MOST_ROLES: usize = 10;

/// A person of a tenant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub struct UserAnswer {
    /// Its id.
    user_id: UserId,
    /// Whether they may come in.
    status: UserStatus,
    /// Its address.
    #[schema(example = "ana@business.example")]
    email: String,
    /// What it is called.
    name: String,
    /// Names of its roles.
    #[schema(example = json!(["manager"]))]
    roles: Vec<String>,
    /// The language it prefers.
    locale: Option<String>,
    /// Whether it has a second factor.
    has_second_factor: bool,
    /// Grows with each change; the `ETag`.
    version: i64,
    /// When it was invited or enrolled.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it signed in last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sign_in_at: Option<Timestamp>,
}

impl From<User> for UserAnswer {
    fn from(user: User) -> Self {
        Self {
            user_id: user.user_id,
            status: user.status,
            email: user.email.to_string(),
            name: user.name,
            roles: user.roles,
            locale: user.locale,
            has_second_factor: user.second_factor_since.is_some(),
            version: user.version,
            created_at: user.created_at,
            updated_at: user.updated_at,
            last_sign_in_at: user.last_sign_in_at,
        }
    }
}

/// A link that is good once, shown once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OneTimeLink {
    /// The page to open.
    pub(super) url: String,
    /// The token in it.
    pub(super) token: String,
    /// Until when it is good.
    #[schema(value_type = String, format = DateTime)]
    pub(super) expires_at: Timestamp,
}

/// Somebody who was invited, with the link.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvitedUser {
    /// The person.
    user: UserAnswer,
    /// How it comes in; goes out by mail too, where mail is set up.
    invitation: OneTimeLink,
}

/// A person as it is after a change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangedUser {
    /// The person.
    #[serde(flatten)]
    user: UserAnswer,
    /// Of who was disabled: what they made that was in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<Vec<MadeAnswer>>,
}

/// Somebody to be invited.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Invitation {
    /// Its address.
    #[schema(example = "luz@business.example")]
    email: String,
    /// What it is called.
    #[schema(example = "Luz Díaz", max_length = 120)]
    name: String,
    /// Names of its roles.
    #[schema(example = json!(["manager"]))]
    roles: Vec<String>,
    /// The language it prefers.
    #[schema(example = "es-CO")]
    locale: Option<String>,
}

/// What of a person is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserPatch {
    /// What it is called.
    #[schema(max_length = 120)]
    name: Option<String>,
    /// Names of its roles.
    roles: Option<Vec<String>>,
    /// The language it prefers.
    locale: Option<String>,
    /// Whether it may neither sign in nor call.
    disabled: Option<bool>,
}

/// Which people to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UserQuery {
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// At most so many: 1 to 200, usually 50.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Of whom this is so.
    status: Option<UserStatus>,
    /// Those with this role.
    role: Option<String>,
    /// The one with this address.
    email: Option<String>,
}

fn check_roles(roles: &[String], mistakes: &mut Mistakes) {
    if roles.is_empty() {
        mistakes.add("/roles", "required", "must have at least one role");
    }
    if roles.len() > MOST_ROLES {
        mistakes.add("/roles", "too_many", "must have at most 10 roles");
        return;
    }
    for (at, role) in roles.iter().enumerate() {
        if roles[..at].contains(role) {
            mistakes.add(&format!("/roles/{at}"), "duplicate", "stands there twice");
        }
    }
}

/// Refuses roles that are neither built in nor made by the tenant.
async fn expect_roles(tx: &mut TenantTx, named: &[String]) -> Result<(), Problem> {
    let known = roles::known_of(tx, named).await?;
    let mut mistakes = Mistakes::default();
    for (at, role) in named.iter().enumerate() {
        if role.parse::<BuiltInRole>().is_err() && !known.contains(role) {
            mistakes.add(&format!("/roles/{at}"), "reference", "is no role of the tenant");
        }
    }
    mistakes.into_result()
}

fn check_locale(locale: Option<&String>, mistakes: &mut Mistakes) {
    if locale.is_some_and(|locale| locale.parse::<Locale>().is_err()) {
        mistakes.add("/locale", "format", "must be a language tag");
    }
}

/// Refuses what would leave a tenant without anybody who administers it. Whoever decides about that comes one after the
/// other.
async fn expect_not_last(tx: &mut TenantTx, user: &User, after: Option<&[String]>) -> Result<(), Problem> {
    for role in [BuiltInRole::Owner, BuiltInRole::Admin] {
        let keeps = after.is_some_and(|roles| roles.iter().any(|name| name == role.as_str()));
        if user.status == UserStatus::Active
            && user.has_role(role)
            && !keeps
            && users::others_with_role(tx, role, user.user_id).await? == 0
        {
            return Err(Problem::conflict(
                Code::LastAdministrator,
                "Nobody else could administer the tenant then; make another administrator first.",
            ));
        }
    }
    Ok(())
}

/// List users
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/users", tag = "tenants", operation_id = "listUsers",
    params(("tenantId" = String, Path, description = "The tenant"), UserQuery),
    responses((status = 200, description = "People from the newest", body = Page<UserAnswer>)),
    security(("session" = []), ("personalToken" = []), ("administrator" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsersRead>,
) -> Result<Json<Page<UserAnswer>>, Problem> {
    let query: UserQuery = call.received.query()?;
    let limit = page_limit(query.limit)?;
    let invalid = |name: &str, message: &str| Problem::invalid_field(name, "format", message);
    let email = query
        .email
        .as_deref()
        .map(|text| text.parse::<EmailAddress>().map_err(|_| invalid("?email", "must be an e-mail address")));
    let filter = UserFilter { status: query.status, role: query.role.clone(), email: email.transpose()? };
    let cursor = page_cursor(query.cursor.as_deref())?;
    let mut tx = desk.database.tenant("users.list", &call.tenant).await?;
    let people = users::list(&mut tx, call.keys(), &filter, cursor, i64::from(limit) + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(people, limit, |user| user.user_id.to_string()).map(UserAnswer::from)))
}

/// Invite a user
///
/// The link is good once and for seven days. Needs a fresh second factor.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/users", tag = "tenants", operation_id = "inviteUser",
    request_body(content = Invitation, example = json!({"email": "luz@business.example", "name": "Luz Díaz", "roles": ["manager"]})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once"),
    ),
    responses((status = 201, description = "Invited, with the link, shown once", body = InvitedUser)),
    security(("session" = [], "csrf" = []), ("administrator" = []))
)]
pub(crate) async fn invite(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsersWrite>,
) -> Result<Response, Problem> {
    let asked: Invitation = call.received.json()?;
    let mut mistakes = Mistakes::default();
    mistakes.line("/name", &asked.name, 120);
    check_roles(&asked.roles, &mut mistakes);
    check_locale(asked.locale.as_ref(), &mut mistakes);
    let email: Result<EmailAddress, _> = asked.email.parse();
    if email.is_err() {
        mistakes.add("/email", "format", "must be an e-mail address");
    }
    mistakes.into_result()?;
    let email = email.map_err(|_| Problem::internal())?;
    let once = Once::of(&call.received, &call.manager.maker)?;
    tenant_tx!(desk.database, "users.invite", &call.tenant, async |tx| {
        if let Some(answer) = once.answered(&desk, tx).await? {
            return Ok(answer);
        }
        expect_roles(tx, &asked.roles).await?;
        let roles = call.give_roles(&desk, tx, asked.roles.clone()).await?;
        let user_id = UserId::new(&*desk.clock, &*desk.entropy);
        let new = NewUser {
            user_id,
            status: UserStatus::Invited,
            email: &email,
            name: asked.name.trim(),
            roles: &roles,
            locale: asked.locale.as_deref(),
            password_hash: None,
        };
        users::create(tx, &desk.vault, call.keys(), &new, desk.clock.now()).await?;
        let user = users::lock(tx, call.keys(), user_id).await?.ok_or_else(Problem::internal)?;
        let invitation = send_invitation(&desk, tx, &call, &user).await?;
        let detail = json!({ "roles": user.roles });
        call.record_change(&desk, tx, user_id.to_string(), Some(detail)).await?;
        let answer = InvitedUser { user: user.into_inner().into(), invitation };
        once.keep(&desk, tx, call.keys(), StatusCode::CREATED, &answer).await
    })
    .await
}

/// Makes the link that an invited person comes in by, and sends it where mail is set up.
pub(super) async fn send_invitation(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    call: &AtTenant,
    user: &LockedUser,
) -> Result<OneTimeLink, Problem> {
    let token = RandomToken::generate(TokenUse::Invitation, &*desk.entropy);
    let now = desk.clock.now();
    let expires_at = tickets::issue(tx, user, TicketPurpose::Invitation, &token.hash(), now).await?;
    let url = format!("{}/invite#token={}", desk.settings.public_url, token.text());
    mails::tell(desk, tx, call.keys(), user, mails::Notice::Invitation { url: &url }).await?;
    Ok(OneTimeLink { url, token: token.text().to_owned(), expires_at })
}

/// Read a user
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/users/{userId}", tag = "tenants", operation_id = "readUser",
    params(("tenantId" = String, Path, description = "The tenant"), ("userId" = String, Path, description = "The user")),
    responses((status = 200, description = "The user, with its version as ETag", body = UserAnswer)),
    security(("session" = []), ("personalToken" = []), ("administrator" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsersRead>,
) -> Result<Response, Problem> {
    let id: UserId = call.received.param("userId")?;
    let mut tx = desk.database.tenant("users.read", &call.tenant).await?;
    let user = users::read(&mut tx, call.keys(), id).await?;
    tx.commit().await?;
    let user = user.ok_or_else(Problem::not_found)?;
    Ok(versioned(user.version, UserAnswer::from(user)))
}

/// Change a user
///
/// Whoever is disabled is signed out everywhere at once, and their personal tokens are revoked for good. Whoever gains a role is
/// signed out too, and signs in anew. What else they made goes
/// on, unless `made=revoke` ends it in the same moment; the answer lists it. The last administrator stays one. Needs a fresh
/// second factor.
#[utoipa::path(
    patch, path = "/api/meta-agent/tenants/{tenantId}/users/{userId}", tag = "tenants", operation_id = "changeUser",
    request_body(content = UserPatch, example = json!({"roles": ["agent"]})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("userId" = String, Path, description = "The user"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
        MadeQuery,
    ),
    responses(
        (status = 200, description = "The user as it is now, and what who was disabled made", body = ChangedUser),
        (status = 409, description = "`last_administrator`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = [], "csrf" = []), ("administrator" = []))
)]
pub(crate) async fn change(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsersWrite>,
) -> Result<Response, Problem> {
    let id: UserId = call.received.param("userId")?;
    let expected = expected_version(&call.received)?;
    let query: MadeQuery = call.received.query()?;
    let patch: UserPatch = call.received.json()?;
    let mut mistakes = Mistakes::default();
    if let Some(name) = &patch.name {
        mistakes.line("/name", name, 120);
    }
    if let Some(roles) = &patch.roles {
        check_roles(roles, &mut mistakes);
    }
    check_locale(patch.locale.as_ref(), &mut mistakes);
    mistakes.into_result()?;
    let (user, made, disables, released) =
        tenant_tx!(desk.database, "users.change", &call.tenant, async |tx| {
            users::lock_administrators(tx).await?;
            expect_roles(tx, patch.roles.as_deref().unwrap_or_default()).await?;
            let user = users::lock(tx, call.keys(), id).await?.ok_or_else(Problem::not_found)?;
            call.expect_handles(&desk, tx, &user.roles).await?;
            let mut detail = json!({ "roles": patch.roles, "disabled": patch.disabled, "was": user.roles });
            let roles = match patch.roles.clone() {
                Some(roles) => Some(call.give_roles(&desk, tx, roles).await?),
                None => None,
            };
            let status = match (patch.disabled, user.status) {
                (Some(true), _) => Some(UserStatus::Disabled),
                // Who never came in is invited still; who came in without a password, as with a passkey, is not.
                (Some(false), UserStatus::Disabled) if !user.came_in() => Some(UserStatus::Invited),
                (Some(false), UserStatus::Disabled) => Some(UserStatus::Active),
                (Some(false) | None, _) => None,
            };
            let disables = status == Some(UserStatus::Disabled);
            let after = roles.as_deref().unwrap_or(&user.roles);
            expect_not_last(tx, &user, Some(&after[..]).filter(|_| !disables)).await?;
            let now = desk.clock.now();
            let (mut made, mut released) = (None, Vec::new());
            if disables {
                released = inbox::release(tx, id).await?;
                made = Some(query.settle(&desk, &call, tx, id).await?);
                detail["made"] = json!(made);
            }
            let changed = UserChange {
                name: patch.name.as_deref().map(|name| name.trim().to_owned()),
                roles,
                locale: patch.locale.clone(),
                status,
                keep: call.proved.as_ref().and_then(Proved::sign_in_id),
            };
            users::change(tx, &desk.vault, call.keys(), &user, &changed, expected, now).await?;
            call.record_change(&desk, tx, id.to_string(), Some(detail)).await?;
            let user = users::read(tx, call.keys(), id).await?.ok_or_else(Problem::not_found)?;
            released.extend(conversations::release_unless_answers(&desk, &call, tx, &user).await?);
            Ok::<_, Problem>((user, made, disables, released))
        })
        .await?;
    // First: their own streams end before the others hear.
    if disables {
        desk.tenants.changed(&call.tenant);
    }
    conversations::tell_of_all(&desk, &call.tenant, released);
    Ok(versioned(user.version, ChangedUser { user: user.into(), made }))
}

/// Remove a user
///
/// With their sessions and personal tokens; an invitation is revoked by this too. What else they made goes on, unless
/// `made=revoke` ends it in the same moment; the answer lists it if there is anything. The last administrator stays. Needs a
/// fresh second factor.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/users/{userId}", tag = "tenants", operation_id = "removeUser",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("userId" = String, Path, description = "The user"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
        MadeQuery,
    ),
    responses(
        (status = 200, description = "They are gone; with what they made", body = LeftBehind),
        (status = 204, description = "They are gone, and had made nothing that was in force"),
        (status = 409, description = "`last_administrator`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = [], "csrf" = []), ("administrator" = []))
)]
pub(crate) async fn remove(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsersWrite>,
) -> Result<Response, Problem> {
    let id: UserId = call.received.param("userId")?;
    let expected = expected_version(&call.received)?;
    let query: MadeQuery = call.received.query()?;
    call.received.expect_no_body()?;
    let (made, released) = tenant_tx!(desk.database, "users.remove", &call.tenant, async |tx| {
        users::lock_administrators(tx).await?;
        let user = users::lock(tx, call.keys(), id).await?.ok_or_else(Problem::not_found)?;
        call.expect_handles(&desk, tx, &user.roles).await?;
        if expected.is_some_and(|version| version != user.version) {
            return Err(misy_store::StoreError::Stale("user").into());
        }
        expect_not_last(tx, &user, None).await?;
        let made = query.settle(&desk, &call, tx, id).await?;
        let released = inbox::release(tx, id).await?;
        users::remove(tx, id).await?;
        let detail = json!({ "was": user.roles, "made": made });
        call.record_change(&desk, tx, id.to_string(), Some(detail)).await?;
        Ok::<_, Problem>((made, released))
    })
    .await?;
    desk.tenants.changed(&call.tenant);
    conversations::tell_of_all(&desk, &call.tenant, released);
    if made.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(Json(LeftBehind { made }).into_response())
}
