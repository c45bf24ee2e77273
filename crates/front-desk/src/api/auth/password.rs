//! `/auth/password`: a new one, with the old one, with a fresh second factor, or by a link.

use super::{own_account, sign_in::BODY_LIMIT, step_up::renew_session};
use crate::{
    desk::FrontDesk,
    identity::{
        Asker, Stored, UserCall, csrf, expect_fresh,
        guard::{self, Guess},
        mails,
        passwords::expect_strong,
        start::{known_device, record, remember_device},
    },
    look_up,
    pipeline::Received,
    problem::{Code, Problem},
};
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use misy_domain::{EmailAddress, Secret, TenantId};
use misy_store::{
    lookup::AccountOfEmail,
    users::{
        self, UserStatus,
        tickets::{self, TicketPurpose},
        tokens,
    },
};
use misy_trust::{PasswordCheck, RandomToken, TokenUse};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordChange {
    /// The old one; not needed with a fresh second factor.
    current_password: Option<String>,
    /// The new one: 12 to 128 characters, at least 15 without a second factor.
    #[schema(min_length = 12, max_length = 128)]
    new_password: String,
}

/// Who forgot a password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordForgotten {
    /// The address of the account.
    #[schema(example = "ana@business.example")]
    email: String,
    /// The tenant; all of them unless given.
    tenant_id: Option<TenantId>,
}

/// A new password by a link.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordReset {
    /// From the link.
    #[schema(example = "rst_…")]
    token: String,
    /// The new password.
    #[schema(min_length = 12, max_length = 128)]
    password: String,
}

/// Change my password
///
/// With the current password or a fresh second factor. All other sessions end; this one gets a new token.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/password", tag = "auth", operation_id = "changePassword",
    request_body(content = PasswordChange, example = json!({"currentPassword": "…", "newPassword": "…"})),
    responses((status = 200, description = "Changed; with a new CSRF token", body = crate::identity::SignedInAnswer)),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn change(State(desk): State<FrontDesk>, call: UserCall) -> Result<Response, Problem> {
    let sign_in = call.proved_session()?.0.sign_in_id;
    let asked: PasswordChange = call.received.json()?;
    let new = Secret::new(asked.new_password);
    let (mut tx, user) = own_account(&desk, &call, "auth.password_read").await?;
    let device = known_device(&desk, &call.received, &mut tx, user.user_id).await?;
    tx.commit().await?;
    let keys = &call.proved.state.keys;
    // Whoever is signed in is known.
    let from = Asker::at(guard::address(&desk, &call.received), true);
    let by_password = asked.current_password.is_some();
    match asked.current_password.map(Secret::new) {
        Some(current) => {
            let account = desk.vault.email_route(&user.email)?;
            let address = guard::address(&desk, &call.received);
            let guess = Guess { what: "password", account: Some(&account), address, device };
            guard::count(&desk, &guess).await?;
            let stored = user.password_hash.iter().map(|hash| Stored { hash, pepper: keys.pepper() });
            let stored: Vec<Stored<'_>> = stored.collect();
            let checked = desk.passwords.check(current.expose(), &account, &stored, from).await?;
            if !matches!(checked[..], [PasswordCheck::Right { .. }]) {
                return Err(Problem::unauthorized(Code::CredentialsInvalid));
            }
        }
        None => expect_fresh(call.proved.user.second_factor_at, desk.clock.now())?,
    }
    let alone = !user.needs_second_factor() && user.second_factor_since.is_none();
    expect_strong("/newPassword", new.expose(), &user.email, &user.name, alone)?;
    let hash = desk.hash_password(&new, &user.email, keys, from).await?;
    let checked = user.password_hash.clone();
    let (mut tx, user) = own_account(&desk, &call, "auth.password_change").await?;
    // Checking and hashing took their time, in which it may have been changed.
    if by_password && user.password_hash != checked {
        return Err(Problem::unauthorized(Code::CredentialsInvalid));
    }
    users::set_password(&mut tx, user.user_id, &hash, Some(sign_in), desk.clock.now()).await?;
    mails::tell(&desk, &mut tx, &call.proved.state.keys, &user, mails::Notice::PasswordChanged).await?;
    renew_session(&desk, &call, tx, &user, None).await
}

/// Ask for a link to set a new password
///
/// The answer is the same whether there is such an account or not. The link goes out by mail; in an installation without
/// mail an administrator makes one. Links that went out before stay good; when three are, no other goes out.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/password/forgot", tag = "auth", operation_id = "forgetPassword",
    request_body(content = PasswordForgotten, example = json!({"email": "ana@business.example"})),
    responses((status = 202, description = "If there is such an account, a mail is on its way")),
    security(())
)]
pub(crate) async fn forgot(State(desk): State<FrontDesk>, request: Request) -> Result<StatusCode, Problem> {
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    csrf::check_stranger(&desk.settings, &received)?;
    let asked: PasswordForgotten = received.json()?;
    let Ok(email) = asked.email.parse::<EmailAddress>() else { return Ok(StatusCode::ACCEPTED) };
    let account = desk.vault.email_route(&email)?;
    let address = guard::address(&desk, &received);
    guard::count_asking(&desk, "forgot", &account, address).await?;
    if desk.settings.mail {
        // Afterwards, so that the time to answer does not tell whether there is an account.
        let worker = desk.clone();
        desk.in_background(async move {
            if let Err(problem) = send_links(&worker, &email, asked.tenant_id.as_ref()).await {
                tracing::warn!(code = problem.code().as_str(), "links to set a password could not be made");
            }
        });
    }
    Ok(StatusCode::ACCEPTED)
}

async fn send_links(
    desk: &FrontDesk,
    email: &EmailAddress,
    wanted: Option<&TenantId>,
) -> Result<(), Problem> {
    let route = desk.vault.email_route(email)?;
    for AccountOfEmail { tenant, .. } in desk.database.accounts_of_email(&route, &[], wanted).await? {
        // What one tenant cannot do keeps none of the others from it.
        if let Err(problem) = send_link(desk, email, &tenant).await {
            tracing::warn!(tenantId = %tenant, code = problem.code().as_str(), "a link to set a password could not be made");
        }
    }
    Ok(())
}

/// Sends the link of one tenant, if there is such an account.
async fn send_link(desk: &FrontDesk, email: &EmailAddress, tenant: &TenantId) -> Result<(), Problem> {
    let Some(state) = desk.tenants.get(tenant).await?.filter(|state| state.is_active()) else {
        return Ok(());
    };
    let mut tx = desk.database.tenant("auth.forgot", tenant).await?;
    let Some(user) = users::by_email(&mut tx, &state.keys, email).await? else { return Ok(()) };
    let user = users::lock(&mut tx, &state.keys, user.user_id).await?;
    let Some(user) = user.filter(|user| user.status == UserStatus::Active) else { return Ok(()) };
    let token = RandomToken::generate(TokenUse::PasswordReset, &*desk.entropy);
    let (purpose, now) = (TicketPurpose::PasswordReset, desk.clock.now());
    // Anybody may ask, so this leaves the links as they are that were asked for before, and makes no end of them.
    if !tickets::issue_one_more(&mut tx, &user, purpose, &token.hash(), now).await? {
        return Ok(());
    }
    let url = reset_url(desk, &token);
    mails::tell(desk, &mut tx, &state.keys, &user, mails::Notice::PasswordReset { url: &url }).await?;
    Ok(tx.commit().await?)
}

/// The page that a reset link leads to.
pub(crate) fn reset_url(desk: &FrontDesk, token: &RandomToken) -> String {
    format!("{}/reset#token={}", desk.settings.public_url, token.text())
}

/// Set a new password by a link
///
/// The link is good once and for an hour; others that were sent end with it. All sessions end and all personal tokens are
/// revoked: whoever had the old password may have made them. The second factor stays as it is; who needs one and has none may
/// enrol it after signing in with the new password in the same browser.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/password/reset", tag = "auth", operation_id = "resetPassword",
    request_body(content = PasswordReset, example = json!({"token": "rst_…", "password": "…"})),
    responses(
        (status = 204, description = "Set; sign in with it"),
        (status = 401, description = "`link_invalid`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(())
)]
pub(crate) async fn reset(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    csrf::check_stranger(&desk.settings, &received)?;
    let asked: PasswordReset = received.json()?;
    let password = Secret::new(asked.password);
    let invalid = || Problem::unauthorized(Code::LinkInvalid);
    let token = RandomToken::parse(TokenUse::PasswordReset, &asked.token).ok_or_else(invalid)?;
    let tenant = look_up::tenant(&desk, &received, &token.hash()).await?.ok_or_else(invalid)?;
    let state = desk.tenants.get(&tenant).await?.filter(|state| state.is_active()).ok_or_else(invalid)?;
    let now = desk.clock.now();
    let purpose = TicketPurpose::PasswordReset;
    let mut tx = desk.database.tenant("auth.password_reset", &tenant).await?;
    let ticket = tickets::hold(&mut tx, purpose, &token.hash(), now).await?.ok_or_else(invalid)?;
    let user = users::read(&mut tx, &state.keys, ticket.user_id).await?;
    let user = user.filter(|user| user.status == UserStatus::Active).ok_or_else(invalid)?;
    tx.commit().await?;
    let alone = !user.needs_second_factor() && user.second_factor_since.is_none();
    expect_strong("/password", password.expose(), &user.email, &user.name, alone)?;
    let from = Asker::at(guard::address(&desk, &received), false);
    let hash = desk.hash_password(&password, &user.email, &state.keys, from).await?;
    let mut tx = desk.database.tenant("auth.password_reset", &tenant).await?;
    // Hashing took its time, in which the link may have been used and the user disabled.
    tickets::hold(&mut tx, purpose, &token.hash(), now).await?.ok_or_else(invalid)?;
    let user = users::lock(&mut tx, &state.keys, user.user_id).await?;
    let user = user.filter(|user| user.status == UserStatus::Active).ok_or_else(invalid)?;
    users::set_password(&mut tx, user.user_id, &hash, None, now).await?;
    tokens::revoke_all(&mut tx, user.user_id, now).await?;
    let device = remember_device(&desk, &received, &mut tx, &user, true).await?;
    mails::tell(&desk, &mut tx, &state.keys, &user, mails::Notice::PasswordChanged).await?;
    record(&desk, &received, &mut tx, &user, Some(json!({ "by": "link" }))).await?;
    tx.commit().await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().extend(device.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}
