//! Coming in with a passkey, alone or after a password, and proving it anew.

use super::{Assertion, CeremonyAnswer, Kind, Whose, invalid, keep, party, provers, take};
use crate::{
    address::{self, Purpose},
    api::auth::{
        second_factor::{self, Pending},
        sign_in::BODY_LIMIT,
        step_up::renew_session,
    },
    desk::FrontDesk,
    identity::{UserCall, csrf, start, start::Entry},
    look_up,
    pipeline::Received,
    problem::Problem,
};
use axum::{
    Json,
    extract::{Request, State},
    response::Response,
};
use misy_domain::UserId;
use misy_store::{
    TenantKeys, TenantTx,
    audit::{self, Actor, AuditEntry, Kind as AuditKind},
    users::{self, LockedUser, UserStatus, passkeys},
};
use misy_trust::{
    PasskeyError,
    passkey::{self, user_handle},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Begin to sign in with a passkey
///
/// No name is asked for: the authenticator knows who it is.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/passkeys/sign-in", tag = "auth", operation_id = "beginPasskeySignIn",
    responses((status = 200, description = "What to hand to the authenticator", body = CeremonyAnswer)),
    security(())
)]
pub(crate) async fn begin(
    State(desk): State<FrontDesk>,
    request: Request,
) -> Result<Json<CeremonyAnswer>, Problem> {
    address::guard(&desk, request.extensions(), Purpose::SignIns)?;
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    received.expect_no_body()?;
    let begun = party(&desk)?.begin_authentication(&[]).map_err(|_| Problem::internal())?;
    keep(&desk, Kind::SignIn, begun, None).await
}

/// Sign in with a passkey
///
/// It counts as both factors: something one has, and what unlocks it.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/passkeys/sign-in/finish", tag = "auth", operation_id = "finishPasskeySignIn",
    request_body(content = Assertion, example = json!({"ceremony": "…", "credential": {}})),
    responses((status = 200, description = "Signed in; the session is in a cookie", body = start::SignedInAnswer)),
    security(())
)]
pub(crate) async fn finish(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    address::guard(&desk, request.extensions(), Purpose::SignIns)?;
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    csrf::check_stranger(&desk.settings, &received)?;
    let request: Assertion = received.json()?;
    let pending = take(&desk, Kind::SignIn, &request.ceremony).await?;
    let assertion = passkey::Assertion::parse(request.credential).map_err(|_| invalid())?;
    if !assertion.names_somebody() {
        return Err(invalid());
    }
    let tenant = look_up::tenant(&desk, &received, &assertion.id_hash()).await?.ok_or_else(invalid)?;
    let state = desk.tenants.get(&tenant).await?.ok_or_else(invalid)?;
    let tx = desk.database.tenant("passkeys.sign_in", &tenant).await?;
    let (tx, user) = prove(&desk, &received, tx, &state.keys, &pending.state, &assertion, None).await?;
    if !state.lets_people_in() {
        return Err(Problem::suspended());
    }
    let entry = Entry { user: &user, methods: &["passkey"], second_factor: true, is_owner: state.is_owner() };
    start::start_session(&desk, &received, tx, &entry).await
}

/// Proves an assertion by the passkey that is stored, as it is now. With `whose`, nobody else's passkey will do.
async fn prove(
    desk: &FrontDesk,
    received: &Received,
    mut tx: TenantTx,
    keys: &TenantKeys,
    state: &[u8],
    assertion: &passkey::Assertion,
    whose: Option<UserId>,
) -> Result<(TenantTx, LockedUser), Problem> {
    let stored = passkeys::hold(&mut tx, keys, &assertion.id_hash()).await?.ok_or_else(invalid)?;
    let tenant = tx.tenant().clone();
    if whose.is_some_and(|whose| whose != stored.user_id)
        || assertion.names_another_than(user_handle(&tenant, stored.user_id))
    {
        return Err(invalid());
    }
    let mut stored = stored;
    let usage = match party(desk)?.finish_authentication(state, assertion, &mut stored.passkey) {
        Ok(usage) => usage,
        Err(PasskeyError::Cloned) => {
            note_clone(desk, received, tx, &stored).await?;
            return Err(Problem::unauthorized("passkey_cloned"));
        }
        Err(_) => return Err(invalid()),
    };
    let user = users::lock(&mut tx, keys, stored.user_id).await?.ok_or_else(invalid)?;
    if user.status != UserStatus::Active {
        return Err(invalid());
    }
    passkeys::note_use(&mut tx, keys, &*desk.entropy, &stored, usage, desk.clock.now()).await?;
    Ok((tx, user))
}

/// A counter that went back tells of a copy of the authenticator: that stands in the trail whatever becomes of the call.
async fn note_clone(
    desk: &FrontDesk,
    received: &Received,
    mut tx: TenantTx,
    stored: &passkeys::StoredPasskey,
) -> Result<(), Problem> {
    let actor = Actor::of(tx.tenant(), &stored.user_id.to_string(), tx.tenant());
    let record = &received.record;
    let mut entry =
        AuditEntry::new(AuditKind::Change, record.operation, &actor, &*desk.clock, &*desk.entropy);
    entry.subject = Some(stored.passkey_id.to_string());
    entry.outcome = "passkey_cloned".into();
    entry.request_id = Some(record.request_id.clone());
    audit::record(&mut tx, &entry).await?;
    tx.commit().await?;
    metrics::counter!("misy_passkey_clones_total").increment(1);
    Ok(())
}

/// Who has given a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasskeySecondFactorRequest {
    /// As it was given for the password.
    #[schema(example = "chl_…")]
    challenge: String,
}

/// Begin to prove a second factor by a passkey
#[utoipa::path(
    post, path = "/api/meta-agent/auth/passkeys/second-factor", tag = "auth", operation_id = "beginPasskeySecondFactor",
    request_body(content = PasskeySecondFactorRequest, example = json!({"challenge": "chl_…"})),
    responses((status = 200, description = "What to hand to the authenticator", body = CeremonyAnswer)),
    security(())
)]
pub(crate) async fn begin_second_factor(
    State(desk): State<FrontDesk>,
    request: Request,
) -> Result<Json<CeremonyAnswer>, Problem> {
    address::guard(&desk, request.extensions(), Purpose::SignIns)?;
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    csrf::check_stranger(&desk.settings, &received)?;
    let request: PasskeySecondFactorRequest = received.json()?;
    let mut pending = second_factor::pending(&desk, &received, &request.challenge).await?;
    let user = pending.user.user_id;
    let begun = ask(&desk, &mut pending.tx, &pending.state.keys, user).await?;
    let tenant = pending.tx.tenant().clone();
    pending.tx.commit().await?;
    keep(&desk, Kind::SecondFactor, begun, Some(Whose { tenant, user, session: None })).await
}

/// Asks for one of somebody's own passkeys.
async fn ask(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    keys: &TenantKeys,
    user: UserId,
) -> Result<passkey::Begun, Problem> {
    let stored = passkeys::list(tx, keys, user).await?;
    if stored.is_empty() {
        return Err(Problem::conflict("no_passkey", "There is no passkey: use another second factor."));
    }
    party(desk)?.begin_authentication(&provers(&stored)).map_err(|_| Problem::internal())
}

/// A passkey after a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecondFactorAssertion {
    /// As it was given for the password.
    #[schema(example = "chl_…")]
    challenge: String,
    /// As it was given when the ceremony began.
    ceremony: String,
    /// The credential, as `PublicKeyCredential.toJSON()` gives it.
    credential: Value,
}

/// Prove a second factor by a passkey
#[utoipa::path(
    post, path = "/api/meta-agent/auth/passkeys/second-factor/finish", tag = "auth",
    operation_id = "finishPasskeySecondFactor",
    request_body(content = SecondFactorAssertion, example = json!({"challenge": "chl_…", "ceremony": "…", "credential": {}})),
    responses((status = 200, description = "Signed in; the session is in a cookie", body = start::SignedInAnswer)),
    security(())
)]
pub(crate) async fn finish_second_factor(
    State(desk): State<FrontDesk>,
    request: Request,
) -> Result<Response, Problem> {
    address::guard(&desk, request.extensions(), Purpose::SignIns)?;
    let received = Received::read(&desk, request, BODY_LIMIT).await?;
    csrf::check_stranger(&desk.settings, &received)?;
    let request: SecondFactorAssertion = received.json()?;
    let remembered = take(&desk, Kind::SecondFactor, &request.ceremony).await?;
    let pending = second_factor::pending(&desk, &received, &request.challenge).await?;
    let (tenant, user) = (pending.tx.tenant().clone(), pending.user.user_id);
    if remembered.whose != Some(Whose { tenant, user, session: None }) {
        return Err(invalid());
    }
    let assertion = passkey::Assertion::parse(request.credential).map_err(|_| invalid())?;
    let (state, whose) = (pending.state.clone(), Some(pending.user.user_id));
    let (tx, user) =
        prove(&desk, &received, pending.tx, &state.keys, &remembered.state, &assertion, whose).await?;
    let pending = Pending { tx, user, ..pending };
    second_factor::finish(&desk, &received, pending, "passkey").await
}

/// Begin to prove my second factor anew by a passkey
#[utoipa::path(
    post, path = "/api/meta-agent/auth/passkeys/step-up", tag = "auth", operation_id = "beginPasskeyStepUp",
    responses((status = 200, description = "What to hand to the authenticator", body = CeremonyAnswer)),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn begin_step_up(
    State(desk): State<FrontDesk>,
    call: UserCall,
) -> Result<Json<CeremonyAnswer>, Problem> {
    call.session()?;
    call.expect_no_body()?;
    let proved = &call.proved;
    let mut tx = desk.database.tenant("passkeys.step_up", &proved.tenant).await?;
    let begun = ask(&desk, &mut tx, &proved.state.keys, proved.user.user_id).await?;
    tx.commit().await?;
    keep(&desk, Kind::StepUp, begun, Some(Whose::of(&call)?)).await
}

/// Prove my second factor anew by a passkey
///
/// The session gets a new token.
#[utoipa::path(
    post, path = "/api/meta-agent/auth/passkeys/step-up/finish", tag = "auth", operation_id = "finishPasskeyStepUp",
    request_body(content = Assertion, example = json!({"ceremony": "…", "credential": {}})),
    responses((status = 200, description = "Proved; the session is in a new cookie", body = start::SignedInAnswer)),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn finish_step_up(
    State(desk): State<FrontDesk>,
    call: UserCall,
) -> Result<Response, Problem> {
    call.session()?;
    let request: Assertion = call.json()?;
    let proved = &call.proved;
    let pending = take(&desk, Kind::StepUp, &request.ceremony).await?;
    if pending.whose != Some(Whose::of(&call)?) {
        return Err(invalid());
    }
    let assertion = passkey::Assertion::parse(request.credential).map_err(|_| invalid())?;
    let tx = desk.database.tenant("passkeys.step_up", &proved.tenant).await?;
    let whose = Some(proved.user.user_id);
    let (tx, user) =
        prove(&desk, &call.received, tx, &proved.state.keys, &pending.state, &assertion, whose).await?;
    renew_session(&desk, &call, tx, &user, Some("passkey")).await
}
