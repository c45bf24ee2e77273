//! Somebody is let in: a new session, never one that was there before.

use super::{cookies, guard};
use crate::{desk::FrontDesk, pipeline::Received, problem::Problem};
use axum::{Json, response::IntoResponse, response::Response};
use http::{HeaderValue, header};
use misy_domain::{SignInId, TenantId, Timestamp, UserId};
use misy_store::{
    TenantTx,
    audit::{self, Actor, AuditEntry, Kind},
    sign_in_providers,
    users::{
        LockedUser, User, UserStatus, devices,
        sign_ins::{self, Lifetime, NewSignIn, SignIn},
    },
};
use misy_trust::{RandomToken, TokenUse};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

const LONGEST_USER_AGENT: usize = 300;
/// Among the methods of a session: a link that was made for the user was used in this browser. Who only knows the password has
/// no such browser.
pub(crate) const LINK: &str = "link";

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignedInUser)]
pub struct UserSummary {
    /// Its id.
    #[schema(example = "usr_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    user_id: String,
    /// Its address.
    email: String,
    /// What it is called.
    name: String,
    /// Names of its roles.
    roles: Vec<String>,
    /// The language it prefers.
    locale: Option<String>,
}

impl From<&User> for UserSummary {
    fn from(user: &User) -> Self {
        Self {
            user_id: user.user_id.to_string(),
            email: user.email.to_string(),
            name: user.name.clone(),
            roles: user.roles.clone(),
            locale: user.locale.clone(),
        }
    }
}

/// Where a session stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignedIn)]
pub struct SignedInAnswer {
    /// `signed_in`.
    #[schema(example = "signed_in")]
    status: &'static str,
    /// The tenant.
    #[schema(example = "andina")]
    tenant_id: String,
    /// The user.
    user: UserSummary,
    /// The session.
    #[schema(example = "sgn_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    session_id: String,
    /// To be sent as `X-Misy-Csrf` with every call that changes something.
    csrf_token: String,
    /// When the session ends whatever happens.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// How long it lasts without a call.
    idle_seconds: i32,
    /// When the second factor was proved last.
    #[schema(value_type = Option<String>, format = DateTime)]
    second_factor_at: Option<Timestamp>,
    /// How long ago that was.
    second_factor_age_seconds: Option<i64>,
    /// A second factor must be enrolled before anything else can be done.
    second_factor_enrollment_required: bool,
}

impl SignedInAnswer {
    pub(crate) fn of(
        tenant: &TenantId,
        user: &User,
        sign_in: &SignIn,
        token: &RandomToken,
        now: Timestamp,
    ) -> Self {
        Self {
            status: "signed_in",
            tenant_id: tenant.to_string(),
            user: user.into(),
            session_id: sign_in.sign_in_id.to_string(),
            csrf_token: token.csrf_token(),
            expires_at: sign_in.expires_at,
            idle_seconds: sign_in.idle_seconds,
            second_factor_at: sign_in.second_factor_at,
            second_factor_age_seconds: sign_in.second_factor_at.map(|at| now.duration_since(at).as_secs()),
            second_factor_enrollment_required: user.needs_second_factor()
                && user.second_factor_since.is_none()
                && sign_in.second_factor_at.is_none(),
        }
    }
}

/// Somebody who is to be let in.
pub(crate) struct Entry<'a> {
    /// The user, locked in the transaction that lets them in.
    pub(crate) user: &'a LockedUser,
    /// How it proved itself: `password`, `link`, `totp`, `recovery_code`, `passkey`, `oidc`.
    pub(crate) methods: &'a [&'a str],
    /// Whether two factors were proved.
    pub(crate) second_factor: bool,
    /// Whether the tenant runs the platform.
    pub(crate) is_owner: bool,
}

/// Lets somebody in: a session with a fresh token, the browser remembered, an entry in the trail; then all is committed. The
/// session that the browser had ends, so that nobody goes on with a token that was planted or seen before.
pub(crate) async fn start_session(
    desk: &FrontDesk,
    received: &Received,
    tx: TenantTx,
    entry: &Entry<'_>,
) -> Result<Response, Problem> {
    let now = entry.second_factor.then(|| desk.clock.now());
    start_session_proved_at(desk, received, tx, entry, now).await
}

/// Refuses whose tenant has another way in only: its own provider.
pub(crate) async fn expect_local(tx: &mut TenantTx, user: &User) -> Result<(), Problem> {
    if sign_in_providers::may_sign_in_here(tx, user.user_id).await? {
        return Ok(());
    }
    Err(Problem::forbidden("provider_required", "Your organisation signs in with its own provider only."))
}

/// As [`start_session`], for who proved the second factor elsewhere and at another time.
pub(crate) async fn start_session_proved_at(
    desk: &FrontDesk,
    received: &Received,
    mut tx: TenantTx,
    entry: &Entry<'_>,
    second_factor_at: Option<Timestamp>,
) -> Result<Response, Problem> {
    if !entry.methods.contains(&"oidc") {
        expect_local(&mut tx, entry.user).await?;
    }
    if entry.user.status != UserStatus::Active {
        return Err(Problem::unauthorized("credentials_invalid"));
    }
    if entry.user.second_factor_since.is_some() && second_factor_at.is_none() {
        return Err(Problem::second_factor_required());
    }
    let now = desk.clock.now();
    let tenant = tx.tenant().clone();
    let (settings, headers) = (&desk.settings, &received.parts.headers);
    if let Some(old) = cookies::session(settings, headers) {
        sign_ins::end_by_hash(&mut tx, &old.hash()).await?;
    }
    let token = RandomToken::generate(TokenUse::Session, &*desk.entropy);
    let lifetime = if entry.is_owner { Lifetime::OWNER } else { Lifetime::STANDARD };
    let mut methods: Vec<String> = entry.methods.iter().map(|&method| method.to_owned()).collect();
    let by_link = entry.methods.contains(&LINK);
    if entry.methods == ["password"] && had_link(desk, received, &mut tx, entry.user).await? {
        methods.push(LINK.to_owned());
    }
    let agent = received
        .header(&header::USER_AGENT)
        .map(|agent| agent.chars().filter(|c| !c.is_control()).take(LONGEST_USER_AGENT).collect::<String>());
    let prefix = guard::address(desk, received).map(guard::shown_prefix);
    let sign_in = SignIn {
        sign_in_id: SignInId::new(&*desk.clock, &*desk.entropy),
        user_id: entry.user.user_id,
        methods,
        second_factor_at,
        user_agent: agent,
        address_prefix: prefix,
        created_at: now,
        last_seen_at: now,
        expires_at: now.checked_add(lifetime.absolute).unwrap_or(Timestamp::MAX),
        idle_seconds: i32::try_from(lifetime.idle.as_secs()).unwrap_or(i32::MAX),
    };
    let new = NewSignIn {
        sign_in_id: sign_in.sign_in_id,
        token_hash: &token.hash(),
        methods: &sign_in.methods,
        second_factor_at: sign_in.second_factor_at,
        user_agent: sign_in.user_agent.as_deref(),
        address_prefix: sign_in.address_prefix.as_deref(),
        lifetime,
    };
    sign_ins::open(&mut tx, entry.user, &new, now).await?;
    let devices = remember_device(desk, received, &mut tx, entry.user, by_link).await?;
    record(desk, received, &mut tx, entry.user, Some(json!({ "methods": sign_in.methods }))).await?;
    tx.commit().await?;
    let answer = SignedInAnswer::of(&tenant, entry.user, &sign_in, &token, now);
    let mut response = Json(answer).into_response();
    for cookie in [cookies::set_session(settings, &token, lifetime.absolute), devices].into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Remembers the browser for a user, and whether a link was used in it that was made for them. Gives the cookie with its
/// device tokens, that of the user in front.
pub(crate) async fn remember_device(
    desk: &FrontDesk,
    received: &Received,
    tx: &mut TenantTx,
    user: &User,
    by_link: bool,
) -> Result<Option<HeaderValue>, Problem> {
    let now = desk.clock.now();
    let mut tokens = cookies::devices(&desk.settings, &received.parts.headers);
    let hashes: Vec<[u8; 32]> = tokens.iter().map(RandomToken::hash).collect();
    let known = devices::known(tx, user.user_id, &hashes, now).await?;
    match known.and_then(|hash| hashes.iter().position(|known| *known == hash)) {
        Some(at) => tokens[..=at].rotate_right(1),
        None => tokens.insert(0, RandomToken::generate(TokenUse::Device, &*desk.entropy)),
    }
    devices::remember(tx, user.user_id, &tokens[0].hash(), by_link, now).await?;
    Ok(cookies::set_devices(&desk.settings, &tokens))
}

/// Whether a link was used in this browser that was made for the user.
async fn had_link(
    desk: &FrontDesk,
    received: &Received,
    tx: &mut TenantTx,
    user: &User,
) -> Result<bool, Problem> {
    let tokens = cookies::devices(&desk.settings, &received.parts.headers);
    let hashes: Vec<[u8; 32]> = tokens.iter().map(RandomToken::hash).collect();
    Ok(devices::had_link(tx, user.user_id, &hashes, desk.clock.now()).await?)
}

/// The device of the browser, if it is known for the user.
pub(crate) async fn known_device(
    desk: &FrontDesk,
    received: &Received,
    tx: &mut TenantTx,
    user: UserId,
) -> Result<Option<[u8; 32]>, Problem> {
    let tokens = cookies::devices(&desk.settings, &received.parts.headers);
    let hashes: Vec<[u8; 32]> = tokens.iter().map(RandomToken::hash).collect();
    Ok(devices::known(tx, user, &hashes, desk.clock.now()).await?)
}

/// Records what a user did to its own account, in the transaction of it.
pub(crate) async fn record(
    desk: &FrontDesk,
    received: &Received,
    tx: &mut TenantTx,
    user: &User,
    detail: Option<serde_json::Value>,
) -> Result<(), Problem> {
    let record = &received.record;
    let actor = user.user_id.to_string();
    {
        let mut facts = record.facts();
        facts.tenant = Some(tx.tenant().clone());
        facts.actor = Some(actor.clone());
    }
    let somebody = Actor::of(tx.tenant(), &actor, tx.tenant());
    let mut entry = AuditEntry::new(Kind::Change, record.operation, &somebody, &*desk.clock, &*desk.entropy);
    entry.subject = Some(actor.clone());
    entry.detail = detail;
    entry.request_id = Some(record.request_id.clone());
    Ok(audit::record(tx, &entry).await?)
}
