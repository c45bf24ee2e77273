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
    routing::{delete, get, post},
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
        .route("/enroll", get(assets::enroll))
        .route("/enroll/{file}", get(assets::docs_file))
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
    use auth::{enroll, me, second_factor, sessions, sign_in, step_up, totp};
    Router::new()
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
}

fn management() -> Router<FrontDesk> {
    use tenants::{
        alerts, audit, certificates, context_pack, create, decisions, encryption, events, keys, life, limits,
        list, privilege, record, register, roles, secrets, sites, usage,
    };
    Router::new()
        .route("/api/meta-agent/tenants/register/owner", post(register::owner))
        .route("/api/meta-agent/tenants/register", post(register::register))
        .route("/api/meta-agent/tenants", get(list::list).post(create::create))
        .route(
            "/api/meta-agent/tenants/{tenantId}",
            get(record::read).patch(record::change).delete(record::delete),
        )
        .route("/api/meta-agent/tenants/{tenantId}/suspend", post(life::suspend))
        .route("/api/meta-agent/tenants/{tenantId}/activate", post(life::activate))
        .route("/api/meta-agent/tenants/{tenantId}/close", post(life::close))
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
