//! `POST /auth/invitations/accept`: somebody who was invited comes in.

use super::sign_in::{BODY_LIMIT, SignInAnswer, after_first_factor};
use crate::{
    api::tenants::Mistakes,
    desk::FrontDesk,
    identity::{Asker, csrf, guard, mails, passwords::expect_strong, start::LINK},
    look_up,
    pipeline::Received,
    problem::{Code, Problem},
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use misy_domain::Secret;
use misy_store::users::{
    self, UserChange, UserStatus,
    tickets::{self, TicketPurpose},
};
use misy_trust::{RandomToken, TokenUse};
use serde::Deserialize;
use utoipa::ToSchema;

/// Somebody who was invited.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Acceptance {
    /// From the link.
    #[schema(example = "inv_…")]
    token: String,
    /// The password: 12 to 128 characters, at least 15 where the role needs no second factor.
    #[schema(min_length = 12, max_length = 128)]
    password: String,
    /// What the user is called, if the invitation has it wrong.
    #[schema(max_length = 120)]
    name: Option<String>,
}

/// Accept an invitation
///
/// Sets the password and signs the user in. Who gets a role that needs a second factor must enrol one next; who has one already
/// proves it: `second_factor_required`, as after a password.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/invitations/accept", tag = "auth", operation_id = "acceptInvitation",
    request_body(content = Acceptance, example = json!({"token": "inv_…", "password": "…"})),
    responses(
        (status = 200, description = "In, or on the way", body = SignInAnswer),
        (status = 401, description = "`link_invalid`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(())
)]
pub(crate) async fn accept(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    csrf::check_stranger(&desk.settings, &received)?;
    let asked: Acceptance = received.json()?;
    let password = Secret::new(asked.password);
    let mut mistakes = Mistakes::default();
    if let Some(name) = &asked.name {
        mistakes.line("/name", name, 120);
    }
    mistakes.into_result()?;
    let invalid = || Problem::unauthorized(Code::LinkInvalid);
    let token = RandomToken::parse(TokenUse::Invitation, &asked.token).ok_or_else(invalid)?;
    let tenant = look_up::tenant(&desk, &received, &token.hash()).await?.ok_or_else(invalid)?;
    let state = desk.tenants.get(&tenant).await?.filter(|state| state.is_active()).ok_or_else(invalid)?;
    let now = desk.clock.now();
    let purpose = TicketPurpose::Invitation;
    let mut tx = desk.database.tenant("auth.accept", &tenant).await?;
    let ticket = tickets::hold(&mut tx, purpose, &token.hash(), now).await?.ok_or_else(invalid)?;
    let invited = |user: &users::User| user.status == UserStatus::Invited;
    let user =
        users::read(&mut tx, &state.keys, ticket.user_id).await?.filter(invited).ok_or_else(invalid)?;
    tx.commit().await?;
    let name = asked.name.as_deref().map_or(&*user.name, str::trim);
    expect_strong("/password", password.expose(), &user.email, name, !user.needs_second_factor())?;
    let from = Asker::at(guard::address(&desk, &received), false);
    let hash = desk.hash_password(&password, &user.email, &state.keys, from).await?;
    let mut tx = desk.database.tenant("auth.accept", &tenant).await?;
    // Hashing took its time, in which the link may have been used.
    tickets::hold(&mut tx, purpose, &token.hash(), now).await?.ok_or_else(invalid)?;
    let user = users::lock(&mut tx, &state.keys, ticket.user_id).await?;
    let user = user.filter(|user| invited(user)).ok_or_else(invalid)?;
    if let Some(name) = &asked.name {
        let change = UserChange { name: Some(name.trim().to_owned()), ..UserChange::default() };
        users::change(&mut tx, &desk.vault, &state.keys, &user, &change, None, now).await?;
    }
    users::set_password(&mut tx, user.user_id, &hash, None, now).await?;
    mails::tell(&desk, &mut tx, &state.keys, &user, mails::Notice::PasswordSet).await?;
    let user = users::lock(&mut tx, &state.keys, user.user_id).await?.ok_or_else(invalid)?;
    after_first_factor(&desk, &received, tx, &user, state.is_owner(), &["password", LINK]).await
}
