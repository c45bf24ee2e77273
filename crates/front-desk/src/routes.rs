//! Which handler answers where.

use crate::{
    api::{audit_keys, auth, health, jwks, messages, sessions, tenants, tokens},
    assets,
    desk::FrontDesk,
    edge,
    problem::Problem,
};
use axum::{
    Router, middleware,
    routing::{delete, get, patch, post},
};

impl FrontDesk {
    /// All routes. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`: limits per address and the
    /// protection of metrics look at the peer.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(operation())
            .merge(chat())
            .merge(people())
            .merge(management())
            .fallback(|| async { Problem::not_found() })
            .layer(middleware::from_fn_with_state(self.clone(), edge::serve))
            .with_state(self.clone())
    }
}

fn operation() -> Router<FrontDesk> {
    Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/.well-known/jwks.json", get(jwks::read))
        .route("/.well-known/misy-audit-keys.json", get(audit_keys::read))
        .route("/openapi.json", get(assets::openapi))
        .route("/docs", get(assets::docs))
        .route("/docs/{file}", get(assets::docs_file))
        .route("/sign-in", get(assets::people_page))
        .route("/enroll", get(assets::people_page))
        .route("/invite", get(assets::people_page))
        .route("/invitation", get(assets::people_page))
        .route("/reset", get(assets::people_page))
        .route("/reset-password", get(assets::people_page))
        .route("/account", get(assets::people_page))
        .route("/people/{file}", get(assets::people_file))
        .route("/sdk/{*file}", get(assets::sdk))
}

fn chat() -> Router<FrontDesk> {
    Router::new()
        .route("/api/meta-agent/tokens", post(tokens::mint::mint))
        .route("/api/meta-agent/tokens/revoke", post(tokens::revoke::revoke))
        .route("/api/meta-agent/sessions", post(sessions::open::open))
        .route("/api/meta-agent/sessions/{sessionId}", get(sessions::read::read))
        .route("/api/meta-agent/sessions/{sessionId}/messages", get(sessions::history::list))
        .route("/api/meta-agent/sessions/{sessionId}/events", get(sessions::events::follow))
        .route("/api/meta-agent/messages", post(messages::write))
}

fn people() -> Router<FrontDesk> {
    use auth::{
        enroll, invitations, me, oidc, passkeys, password, second_factor, sessions, sign_in, step_up, tokens,
        totp,
    };
    Router::new()
        .route("/api/meta-agent/auth/passkeys", get(passkeys::list))
        .route("/api/meta-agent/auth/passkeys/{passkeyId}", patch(passkeys::rename).delete(passkeys::remove))
        .route("/api/meta-agent/auth/passkeys/registration", post(passkeys::registration::begin))
        .route("/api/meta-agent/auth/passkeys/registration/finish", post(passkeys::registration::finish))
        .route("/api/meta-agent/auth/passkeys/sign-in", post(passkeys::sign_in::begin))
        .route("/api/meta-agent/auth/passkeys/sign-in/finish", post(passkeys::sign_in::finish))
        .route("/api/meta-agent/auth/passkeys/second-factor", post(passkeys::sign_in::begin_second_factor))
        .route(
            "/api/meta-agent/auth/passkeys/second-factor/finish",
            post(passkeys::sign_in::finish_second_factor),
        )
        .route("/api/meta-agent/auth/passkeys/step-up", post(passkeys::sign_in::begin_step_up))
        .route("/api/meta-agent/auth/passkeys/step-up/finish", post(passkeys::sign_in::finish_step_up))
        .route("/api/meta-agent/auth/oidc/start", get(oidc::start_of_installation))
        .route("/api/meta-agent/auth/oidc/callback", get(oidc::callback))
        .route("/api/meta-agent/auth/oidc/{tenantId}/start", get(oidc::start_of_tenant))
        .route("/api/meta-agent/auth/sign-in", post(sign_in::sign_in))
        .route("/api/meta-agent/auth/second-factor", post(second_factor::prove))
        .route("/api/meta-agent/auth/sign-out", post(me::sign_out))
        .route("/api/meta-agent/auth/me", get(me::read))
        .route("/api/meta-agent/auth/sessions", get(sessions::list).delete(sessions::end_others))
        .route("/api/meta-agent/auth/sessions/{sessionId}", delete(sessions::end))
        .route("/api/meta-agent/auth/step-up", post(step_up::step_up))
        .route("/api/meta-agent/auth/totp", post(totp::propose))
        .route("/api/meta-agent/auth/totp/confirm", post(totp::confirm))
        .route("/api/meta-agent/auth/recovery-codes", post(totp::renew_codes))
        .route("/api/meta-agent/auth/enroll", post(enroll::enroll))
        .route("/api/meta-agent/auth/invitations/accept", post(invitations::accept))
        .route("/api/meta-agent/auth/password", post(password::change))
        .route("/api/meta-agent/auth/password/forgot", post(password::forgot))
        .route("/api/meta-agent/auth/password/reset", post(password::reset))
        .route("/api/meta-agent/auth/tokens", get(tokens::list).post(tokens::create))
        .route("/api/meta-agent/auth/tokens/{keyId}", delete(tokens::revoke))
}

fn management() -> Router<FrontDesk> {
    use tenants::{
        alerts, audit, certificates, context_pack, create, decisions, encryption, events, keys, life, limits,
        list, privilege, record, register, roles, secrets, sign_in, sites, usage, user_access, users,
    };
    Router::new()
        .route("/api/meta-agent/tenants/register/owner", post(register::owner))
        .route("/api/meta-agent/tenants/register", post(register::register))
        .route("/api/meta-agent/tenants", get(list::list).post(create::create))
        .route(
            "/api/meta-agent/tenants/{tenantId}",
            get(record::read).patch(record::change).delete(life::delete),
        )
        .route("/api/meta-agent/tenants/{tenantId}/suspend", post(life::suspend))
        .route("/api/meta-agent/tenants/{tenantId}/activate", post(life::activate))
        .route("/api/meta-agent/tenants/{tenantId}/close", post(life::close))
        .route("/api/meta-agent/tenants/{tenantId}/reopen", post(life::reopen))
        .route("/api/meta-agent/tenants/{tenantId}/events", get(events::list))
        .route("/api/meta-agent/tenants/{tenantId}/tokens/revoke-all", post(tokens::revoke_all::revoke_all))
        .route(
            "/api/meta-agent/tenants/{tenantId}/certificates",
            get(certificates::list).post(certificates::bind),
        )
        .route(
            "/api/meta-agent/tenants/{tenantId}/certificates/{certificateId}",
            delete(certificates::revoke),
        )
        .route(
            "/api/meta-agent/tenants/{tenantId}/context-pack",
            get(context_pack::read).put(context_pack::replace),
        )
        .route(
            "/api/meta-agent/tenants/{tenantId}/sign-in",
            get(sign_in::read).put(sign_in::replace).delete(sign_in::delete),
        )
        .route("/api/meta-agent/tenants/{tenantId}/sites", get(sites::list).post(sites::create))
        .route(
            "/api/meta-agent/tenants/{tenantId}/sites/{siteId}",
            get(sites::read).patch(sites::change).delete(sites::delete),
        )
        .route("/api/meta-agent/tenants/{tenantId}/keys", get(keys::list).post(keys::create))
        .route("/api/meta-agent/tenants/{tenantId}/keys/{keyId}", delete(keys::revoke))
        .route("/api/meta-agent/tenants/{tenantId}/secrets", get(secrets::list).post(secrets::rotate))
        .route(
            "/api/meta-agent/tenants/{tenantId}/secrets/{keyId}",
            delete(secrets::revoke).patch(secrets::change),
        )
        .route("/api/meta-agent/tenants/{tenantId}/users", get(users::list).post(users::invite))
        .route(
            "/api/meta-agent/tenants/{tenantId}/users/{userId}",
            get(users::read).patch(users::change).delete(users::remove),
        )
        .route(
            "/api/meta-agent/tenants/{tenantId}/users/{userId}/sessions",
            get(user_access::sessions).delete(user_access::end_sessions),
        )
        .route(
            "/api/meta-agent/tenants/{tenantId}/users/{userId}/sessions/{sessionId}",
            delete(user_access::end_session),
        )
        .route(
            "/api/meta-agent/tenants/{tenantId}/users/{userId}/invitation",
            post(user_access::renew_invitation),
        )
        .route(
            "/api/meta-agent/tenants/{tenantId}/users/{userId}/password-reset",
            post(user_access::make_password_link),
        )
        .route(
            "/api/meta-agent/tenants/{tenantId}/users/{userId}/second-factor-reset",
            post(user_access::reset_second_factor),
        )
        .route("/api/meta-agent/tenants/{tenantId}/limits", get(limits::read).put(limits::replace))
        .route("/api/meta-agent/tenants/{tenantId}/roles", get(roles::list).post(roles::create))
        .route(
            "/api/meta-agent/tenants/{tenantId}/roles/{roleId}",
            get(roles::read).patch(roles::change).delete(roles::delete),
        )
        .route("/api/meta-agent/tenants/{tenantId}/privilege", get(privilege::list).post(privilege::run))
        .route("/api/meta-agent/tenants/{tenantId}/privilege/operations", get(privilege::catalogue))
        .route("/api/meta-agent/tenants/{tenantId}/privilege/{grantId}", delete(privilege::end))
        .route("/api/meta-agent/tenants/{tenantId}/alerts", get(alerts::list))
        .route("/api/meta-agent/tenants/{tenantId}/alerts/{alertId}/acknowledge", post(alerts::acknowledge))
        .route("/api/meta-agent/tenants/{tenantId}/usage", get(usage::read))
        .route("/api/meta-agent/tenants/{tenantId}/usage/invoice", get(usage::invoice::read))
        .route("/api/meta-agent/tenants/{tenantId}/usage/refusals", get(usage::refusals::read))
        .route("/api/meta-agent/tenants/{tenantId}/encryption", get(encryption::read))
        .route("/api/meta-agent/tenants/{tenantId}/encryption/rotations", post(encryption::rotate))
        .route("/api/meta-agent/tenants/{tenantId}/audit", get(audit::list))
        .route("/api/meta-agent/tenants/{tenantId}/audit/checkpoint", get(audit::proofs::checkpoint))
        .route("/api/meta-agent/tenants/{tenantId}/audit/checkpoints", get(audit::proofs::checkpoints))
        .route(
            "/api/meta-agent/tenants/{tenantId}/audit/entries/{auditId}/proof",
            get(audit::proofs::inclusion),
        )
        .route("/api/meta-agent/tenants/{tenantId}/audit/consistency", get(audit::proofs::consistency))
        .route("/api/meta-agent/tenants/{tenantId}/audit/export", get(audit::export::export))
        .route("/api/meta-agent/tenants/{tenantId}/audit/report", get(audit::report::read))
        .route("/api/meta-agent/tenants/{tenantId}/decisions", get(decisions::read))
}
