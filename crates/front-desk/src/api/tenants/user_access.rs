//! What an administrator does about the access of a user: its sessions, its links, its second factor.

use super::{
    Page,
    users::{OneTimeLink, send_invitation},
};
use crate::{
    api::auth::{password::reset_url, sessions::UserSessionAnswer},
    desk::FrontDesk,
    identity::mails,
    management::{AtTenant, Managed},
    problem::{Code, Problem},
};
use axum::{Json, extract::State};
use http::StatusCode;
use misy_domain::{SignInId, UserId, act};
use misy_store::{
    TenantTx, tenant_tx,
    users::{
        self, LockedUser, User, UserStatus, factors, sign_ins,
        tickets::{self, TicketPurpose},
    },
};
use misy_trust::{RandomToken, TokenUse};
use serde_json::json;

/// The user that the path names, whom the caller may handle, locked.
async fn handled(desk: &FrontDesk, call: &AtTenant, tx: &mut TenantTx) -> Result<LockedUser, Problem> {
    let id: UserId = call.received.param("userId")?;
    call.received.expect_no_body()?;
    let user = users::lock(tx, call.keys(), id).await?.ok_or_else(Problem::not_found)?;
    call.expect_handles(desk, tx, &user.roles).await?;
    Ok(user)
}

/// Takes all second factors from a user, ends its sessions and tells it.
pub(super) async fn take_second_factors(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    call: &AtTenant,
    user: &User,
) -> Result<(), Problem> {
    factors::reset(tx, user.user_id, desk.clock.now()).await?;
    mails::tell(desk, tx, call.keys(), user, mails::Notice::SecondFactorReset).await
}

/// List a user's sessions
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/users/{userId}/sessions", tag = "tenants", operation_id = "listUserSessions",
    params(("tenantId" = String, Path, description = "The tenant"), ("userId" = String, Path, description = "The user")),
    responses((status = 200, description = "Where the user is signed in, from the newest", body = Page<UserSessionAnswer>)),
    security(("session" = []), ("personalToken" = []), ("administrator" = []))
)]
pub(crate) async fn sessions(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsersRead>,
) -> Result<Json<Page<UserSessionAnswer>>, Problem> {
    let id: UserId = call.received.param("userId")?;
    let mut tx = desk.database.tenant("users.sessions", &call.tenant).await?;
    users::read(&mut tx, call.keys(), id).await?.ok_or_else(Problem::not_found)?;
    let all = sign_ins::list(&mut tx, id, desk.clock.now()).await?;
    tx.commit().await?;
    let current = call.proved.as_ref().and_then(|proved| proved.session.as_ref());
    let current = current.map(|(sign_in, _)| sign_in.sign_in_id);
    Ok(Json(Page::whole(all).map(|sign_in| UserSessionAnswer::of(sign_in, current))))
}

/// End a user's sessions
///
/// All of them, at once. Needs a fresh second factor.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/users/{userId}/sessions", tag = "tenants", operation_id = "endUserSessions",
    params(("tenantId" = String, Path, description = "The tenant"), ("userId" = String, Path, description = "The user")),
    responses((status = 204, description = "They are over")),
    security(("session" = [], "csrf" = []), ("administrator" = []))
)]
pub(crate) async fn end_sessions(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsersWrite>,
) -> Result<StatusCode, Problem> {
    tenant_tx!(desk.database, "users.end_sessions", &call.tenant, async |tx| {
        let user = handled(&desk, &call, tx).await?;
        let detail = json!({ "ended": sign_ins::end_all(tx, user.user_id, None).await? });
        call.record_change(&desk, tx, user.user_id.to_string(), Some(detail)).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End one of a user's sessions
///
/// Needs a fresh second factor.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/users/{userId}/sessions/{sessionId}", tag = "tenants", operation_id = "endUserSession",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("userId" = String, Path, description = "The user"),
        ("sessionId" = String, Path, description = "The session, `sgn_…`"),
    ),
    responses((status = 204, description = "It is over")),
    security(("session" = [], "csrf" = []), ("administrator" = []))
)]
pub(crate) async fn end_session(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsersWrite>,
) -> Result<StatusCode, Problem> {
    let id: SignInId = call.received.param("sessionId")?;
    tenant_tx!(desk.database, "users.end_session", &call.tenant, async |tx| {
        let user = handled(&desk, &call, tx).await?;
        if !sign_ins::end(tx, user.user_id, id).await? {
            return Err(Problem::not_found());
        }
        let detail = json!({ "session": id });
        call.record_change(&desk, tx, user.user_id.to_string(), Some(detail)).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send an invitation again
///
/// With a new link, good for seven days; the old one is good no more. Needs a fresh second factor.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/users/{userId}/invitation", tag = "tenants", operation_id = "renewInvitation",
    params(("tenantId" = String, Path, description = "The tenant"), ("userId" = String, Path, description = "The user")),
    responses(
        (status = 200, description = "The link, shown once", body = OneTimeLink),
        (status = 409, description = "`not_invited`: the user has come in", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = [], "csrf" = []), ("administrator" = []))
)]
pub(crate) async fn renew_invitation(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsersWrite>,
) -> Result<Json<OneTimeLink>, Problem> {
    Ok(Json(
        tenant_tx!(desk.database, "users.renew_invitation", &call.tenant, async |tx| {
            let user = handled(&desk, &call, tx).await?;
            if user.status != UserStatus::Invited {
                return Err(Problem::conflict(
                    Code::NotInvited,
                    "Only who has not come in yet has an invitation.",
                ));
            }
            let link = send_invitation(&desk, tx, &call, &user).await?;
            call.record_change(&desk, tx, user.user_id.to_string(), None).await?;
            Ok(link)
        })
        .await?,
    ))
}

/// Make a link to set a user's password
///
/// For installations without mail, or a user without a mailbox. Good once and for an hour. Needs a fresh second factor.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/users/{userId}/password-reset", tag = "tenants", operation_id = "makePasswordLink",
    params(("tenantId" = String, Path, description = "The tenant"), ("userId" = String, Path, description = "The user")),
    responses(
        (status = 200, description = "The link, shown once", body = OneTimeLink),
        (status = 409, description = "`not_active`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = [], "csrf" = []), ("administrator" = []))
)]
pub(crate) async fn make_password_link(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsersWrite>,
) -> Result<Json<OneTimeLink>, Problem> {
    let token = RandomToken::generate(TokenUse::PasswordReset, &*desk.entropy);
    let expires_at = tenant_tx!(desk.database, "users.password_link", &call.tenant, async |tx| {
        let user = handled(&desk, &call, tx).await?;
        if user.status != UserStatus::Active {
            return Err(Problem::conflict(Code::NotActive, "The user is not active."));
        }
        let purpose = TicketPurpose::PasswordReset;
        let expires_at = tickets::issue(tx, &user, purpose, &token.hash(), desk.clock.now()).await?;
        call.record_change(&desk, tx, user.user_id.to_string(), None).await?;
        Ok(expires_at)
    })
    .await?;
    Ok(Json(OneTimeLink { url: reset_url(&desk, &token), token: token.text().to_owned(), expires_at }))
}

/// Take a user's second factor away
///
/// For who lost it and all recovery codes. The user is signed out everywhere, told by mail, and enrols a new one at the next
/// sign-in. Nobody does this to itself. Needs a fresh second factor.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/users/{userId}/second-factor-reset", tag = "tenants", operation_id = "resetSecondFactor",
    params(("tenantId" = String, Path, description = "The tenant"), ("userId" = String, Path, description = "The user")),
    responses(
        (status = 204, description = "It has none now"),
        (status = 409, description = "`conflict`: it is your own", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = [], "csrf" = []), ("administrator" = []))
)]
pub(crate) async fn reset_second_factor(
    State(desk): State<FrontDesk>,
    call: Managed<act::UsersWrite>,
) -> Result<StatusCode, Problem> {
    tenant_tx!(desk.database, "users.reset_second_factor", &call.tenant, async |tx| {
        let user = handled(&desk, &call, tx).await?;
        if call.manager.actor == user.user_id.to_string() {
            return Err(Problem::conflict(
                Code::Conflict,
                "Nobody takes its own second factor away; replace it instead.",
            ));
        }
        take_second_factors(&desk, tx, &call, &user).await?;
        call.record_change(&desk, tx, user.user_id.to_string(), None).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
