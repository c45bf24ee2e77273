//! `/auth/passkeys`: the passkeys of whoever is signed in, and coming in with one.

pub mod registration;
pub mod sign_in;

use crate::{
    api::auth::own_account,
    desk::FrontDesk,
    identity::{
        UserCall,
        mails::{self, Notice},
        start,
    },
    problem::Problem,
};
use axum::{Json, extract::State};
use http::StatusCode;
use misy_domain::{PasskeyId, SignInId, TenantId, Timestamp, UserId};
use misy_store::users::{passkeys, passkeys::StoredPasskey};
use misy_trust::{CeremonyHandle, Passkey, RelyingParty, passkey::Begun};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

const LONGEST_NAME: usize = 80;

/// A passkey.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Passkey)]
pub struct PasskeyAnswer {
    /// Its id.
    #[schema(value_type = String, example = "psk_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    passkey_id: PasskeyId,
    /// What its holder calls it.
    #[schema(example = "Telephone")]
    name: String,
    /// Whether it is on several devices of its holder.
    synchronised: bool,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was used last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<StoredPasskey> for PasskeyAnswer {
    fn from(stored: StoredPasskey) -> Self {
        Self {
            passkey_id: stored.passkey_id,
            name: stored.name,
            synchronised: stored.backed_up,
            created_at: stored.created_at,
            last_used_at: stored.last_used_at,
        }
    }
}

/// All passkeys of somebody.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyList {
    /// From the oldest.
    items: Vec<PasskeyAnswer>,
    /// Always null: there are at most ten.
    next_cursor: Option<String>,
}

/// What is handed to the authenticator.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CeremonyAnswer {
    /// To be sent back with the authenticator's answer, once, within five minutes.
    ceremony: String,
    /// `publicKey` of `navigator.credentials.create` or `.get`, with binary members in base64url
    /// (`PublicKeyCredential.parseCreationOptionsFromJSON`, `.parseRequestOptionsFromJSON`).
    options: Value,
}

/// What an authenticator answered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assertion {
    /// As it was given when the ceremony began.
    ceremony: String,
    /// The credential, as `PublicKeyCredential.toJSON()` gives it.
    credential: Value,
}

/// What is remembered until the authenticator answers.
#[derive(Serialize, Deserialize)]
struct Pending {
    /// Of the library.
    state: Vec<u8>,
    /// Who is signed in, or has given a password already; nobody where a passkey alone is to say who it is.
    whose: Option<Whose>,
}

/// Who alone may end a ceremony.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Whose {
    tenant: TenantId,
    user: UserId,
    /// The session that it was begun in: another one of the same person is no more than a stranger here, as it may be in
    /// other hands. None where there is no session yet.
    session: Option<SignInId>,
}

impl Whose {
    fn of(call: &UserCall) -> Result<Self, Problem> {
        let (sign_in, _) = call.session()?;
        let (tenant, user) = (call.proved.tenant.clone(), call.proved.user.user_id);
        Ok(Self { tenant, user, session: Some(sign_in.sign_in_id) })
    }
}

/// What ends a ceremony: its kind keeps an answer to one question from answering another.
#[derive(Clone, Copy)]
enum Kind {
    Registration,
    SignIn,
    SecondFactor,
    StepUp,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "passkey/registration",
            Self::SignIn => "passkey/sign-in",
            Self::SecondFactor => "passkey/second-factor",
            Self::StepUp => "passkey/step-up",
        }
    }
}

/// One answer for all that is wrong with a proof: which of it is nobody's business.
fn invalid() -> Problem {
    Problem::unauthorized("passkey_invalid")
}

fn party(desk: &FrontDesk) -> Result<&RelyingParty, Problem> {
    let message = "Passkeys need an installation that is reached by a name, over https.";
    desk.relying_party.as_ref().ok_or_else(|| Problem::not_supported("", message))
}

async fn keep(
    desk: &FrontDesk,
    kind: Kind,
    begun: Begun,
    whose: Option<Whose>,
) -> Result<Json<CeremonyAnswer>, Problem> {
    let pending = Pending { state: begun.state, whose };
    let handle = desk.database.begin_ceremony(kind.as_str(), &pending, &*desk.clock, &*desk.entropy).await?;
    Ok(Json(CeremonyAnswer { ceremony: handle.text().expose().clone(), options: begun.options }))
}

async fn take(desk: &FrontDesk, kind: Kind, ceremony: &str) -> Result<Pending, Problem> {
    let handle = CeremonyHandle::parse(ceremony).map_err(|_| invalid())?;
    let pending = desk.database.end_ceremony(kind.as_str(), &handle, desk.clock.now()).await?;
    pending.ok_or_else(invalid)
}

fn provers(stored: &[StoredPasskey]) -> Vec<Passkey> {
    stored.iter().map(|stored| stored.passkey.clone()).collect()
}

fn checked_name(name: &str) -> Result<&str, Problem> {
    let name = name.trim();
    let fits =
        !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    if fits {
        return Ok(name);
    }
    Err(Problem::invalid_field("/name", "format", "must be one line of 1 to 80 characters"))
}

/// List my passkeys
#[utoipa::path(
    get, path = "/api/meta-agent/auth/passkeys", tag = "auth", operation_id = "listPasskeys",
    responses((status = 200, description = "Passkeys from the oldest", body = PasskeyList)),
    security(("session" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: UserCall,
) -> Result<Json<PasskeyList>, Problem> {
    call.session()?;
    let proved = &call.proved;
    let mut tx = desk.database.tenant("passkeys.list", &proved.tenant).await?;
    let stored = passkeys::list(&mut tx, &proved.state.keys, proved.user.user_id).await?;
    tx.commit().await?;
    Ok(Json(PasskeyList { items: stored.into_iter().map(PasskeyAnswer::from).collect(), next_cursor: None }))
}

/// What of a passkey is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasskeyPatch {
    /// What its holder calls it.
    #[schema(max_length = 80)]
    name: String,
}

/// Rename a passkey of mine
#[utoipa::path(
    patch, path = "/api/meta-agent/auth/passkeys/{passkeyId}", tag = "auth", operation_id = "renamePasskey",
    request_body(content = PasskeyPatch, example = json!({"name": "Laptop"})),
    params(("passkeyId" = String, Path, description = "The passkey")),
    responses((status = 204, description = "It is called that now")),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn rename(State(desk): State<FrontDesk>, call: UserCall) -> Result<StatusCode, Problem> {
    call.proved_session()?;
    let proved = &call.proved;
    let id: PasskeyId = call.param("passkeyId")?;
    let patch: PasskeyPatch = call.json()?;
    let name = checked_name(&patch.name)?;
    let mut tx = desk.database.tenant("passkeys.rename", &proved.tenant).await?;
    if !passkeys::rename(&mut tx, proved.user.user_id, id, name).await? {
        return Err(Problem::not_found());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a passkey of mine
///
/// Not the last second factor of somebody whose role needs one, and not the last way to come in. All other sessions end, and the
/// user is told by mail.
#[utoipa::path(
    delete, path = "/api/meta-agent/auth/passkeys/{passkeyId}", tag = "auth", operation_id = "removePasskey",
    params(("passkeyId" = String, Path, description = "The passkey")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "`last_second_factor`, `last_way_in`", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = [], "csrf" = []))
)]
pub(crate) async fn remove(State(desk): State<FrontDesk>, call: UserCall) -> Result<StatusCode, Problem> {
    let session = call.proved_session()?.0.sign_in_id;
    call.expect_no_body()?;
    call.expect_fresh_second_factor(&desk)?;
    let keys = &call.proved.state.keys;
    let id: PasskeyId = call.param("passkeyId")?;
    let (mut tx, user) = own_account(&desk, &call, "passkeys.remove").await?;
    let stored = passkeys::list(&mut tx, keys, user.user_id).await?;
    let found = stored.iter().find(|stored| stored.passkey_id == id).ok_or_else(Problem::not_found)?;
    if stored.len() == 1 && !user.has_totp && user.needs_second_factor() {
        let detail = "It is your last second factor, and your role needs one: add another first.";
        return Err(Problem::conflict("last_second_factor", detail));
    }
    if stored.len() == 1 && user.password_hash.is_none() {
        let detail = "It is your only way in: set a password or add another passkey first.";
        return Err(Problem::conflict("last_way_in", detail));
    }
    passkeys::remove(&mut tx, user.user_id, id, session, desk.clock.now()).await?;
    mails::tell(&desk, &mut tx, keys, &user, Notice::PasskeyRemoved { name: &found.name }).await?;
    let detail = json!({ "passkeyId": id });
    start::record(&desk, &call.received, &mut tx, &user, Some(detail)).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
