//! Which handler answers where, and what it asks of the caller.

use crate::{
    api::{audit_keys, auth, health, jwks, messages, sessions, tenants, tokens},
    assets,
    desk::FrontDesk,
    edge,
    management::Authorised,
    problem::Problem,
};
use axum::{
    Router,
    extract::State,
    handler::Handler,
    middleware,
    routing::{MethodFilter, MethodRouter, delete, get, on, patch, post},
};
use http::Method;
use misy_domain::Action;

impl FrontDesk {
    /// All routes. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`: limits per address and the
    /// protection of metrics look at the peer.
    pub fn router(&self) -> Router {
        let routes = all().router;
        routes
            .fallback(|| async { Problem::not_found() })
            .layer(middleware::from_fn_with_state(self.clone(), edge::serve))
            .with_state(self.clone())
    }
}

/// A management operation as it is served.
#[derive(Debug, Clone)]
pub struct Served {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// Any of these lets a caller in.
    pub actions: &'static [Action],
}

/// Everything that asks the access policies, with what it asks: read from the types of the handlers.
pub fn managed() -> Vec<Served> {
    all().managed
}

fn all() -> Routes {
    [operation(), chat(), people(), life(), belongings(), members(), oversight()]
        .into_iter()
        .fold(Routes::default(), Routes::merge)
}

/// Routes, as they are put together.
#[derive(Default)]
struct Routes {
    router: Router<FrontDesk>,
    managed: Vec<Served>,
}

impl Routes {
    /// What sees to its callers itself.
    fn open(mut self, path: &'static str, methods: MethodRouter<FrontDesk>) -> Self {
        self.router = self.router.route(path, methods);
        self
    }

    /// What may be done by whom the access policies let. A handler that takes no authorised call does not fit here.
    fn managed<H, Via, Call>(mut self, method: Method, path: &str, handler: H) -> Self
    where
        H: Handler<(Via, State<FrontDesk>, Call), FrontDesk>,
        Via: 'static,
        Call: Authorised + 'static,
    {
        #[allow(clippy::expect_used, reason = "every method below is one: else nothing starts")]
        let filter = MethodFilter::try_from(method.clone()).expect("a method of HTTP");
        self.router = self.router.route(path, on(filter, handler));
        self.managed.push(Served { method, path: path.to_owned(), actions: Call::ACTIONS });
        self
    }

    /// The same, of one tenant: `path` goes on from the tenant's.
    fn of_tenant<H, Via, Call>(self, method: Method, path: &str, handler: H) -> Self
    where
        H: Handler<(Via, State<FrontDesk>, Call), FrontDesk>,
        Via: 'static,
        Call: Authorised + 'static,
    {
        self.managed(method, &format!("/api/meta-agent/tenants/{{tenantId}}{path}"), handler)
    }

    fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.managed.extend(other.managed);
        self
    }
}

fn operation() -> Routes {
    Routes::default()
        .open("/health/live", get(health::live))
        .open("/health/ready", get(health::ready))
        .open("/metrics", get(health::metrics))
        .open("/.well-known/jwks.json", get(jwks::read))
        .open("/.well-known/misy-audit-keys.json", get(audit_keys::read))
        .open("/openapi.json", get(assets::openapi))
        .open("/docs", get(assets::docs))
        .open("/docs/{file}", get(assets::docs_file))
        .open("/sign-in", get(assets::people_page))
        .open("/enroll", get(assets::people_page))
        .open("/invite", get(assets::people_page))
        .open("/invitation", get(assets::people_page))
        .open("/reset", get(assets::people_page))
        .open("/reset-password", get(assets::people_page))
        .open("/account", get(assets::people_page))
        .open("/people/{file}", get(assets::people_file))
        .open("/sdk/{*file}", get(assets::sdk))
}

fn chat() -> Routes {
    Routes::default()
        .open("/api/meta-agent/tokens", post(tokens::mint::mint))
        .open("/api/meta-agent/tokens/revoke", post(tokens::revoke::revoke))
        .open("/api/meta-agent/sessions", post(sessions::open::open))
        .open("/api/meta-agent/sessions/{sessionId}", get(sessions::read::read))
        .open("/api/meta-agent/sessions/{sessionId}/messages", get(sessions::history::list))
        .open("/api/meta-agent/sessions/{sessionId}/events", get(sessions::events::follow))
        .open("/api/meta-agent/messages", post(messages::write))
}

fn people() -> Routes {
    use auth::{
        enroll, invitations, me, oidc, passkeys, password, second_factor, sessions, sign_in, step_up, tokens,
        totp,
    };
    Routes::default()
        .open("/api/meta-agent/auth/passkeys", get(passkeys::list))
        .open("/api/meta-agent/auth/passkeys/{passkeyId}", patch(passkeys::rename).delete(passkeys::remove))
        .open("/api/meta-agent/auth/passkeys/registration", post(passkeys::registration::begin))
        .open("/api/meta-agent/auth/passkeys/registration/finish", post(passkeys::registration::finish))
        .open("/api/meta-agent/auth/passkeys/sign-in", post(passkeys::sign_in::begin))
        .open("/api/meta-agent/auth/passkeys/sign-in/finish", post(passkeys::sign_in::finish))
        .open("/api/meta-agent/auth/passkeys/second-factor", post(passkeys::sign_in::begin_second_factor))
        .open(
            "/api/meta-agent/auth/passkeys/second-factor/finish",
            post(passkeys::sign_in::finish_second_factor),
        )
        .open("/api/meta-agent/auth/passkeys/step-up", post(passkeys::sign_in::begin_step_up))
        .open("/api/meta-agent/auth/passkeys/step-up/finish", post(passkeys::sign_in::finish_step_up))
        .open("/api/meta-agent/auth/oidc/start", get(oidc::start_of_installation))
        .open("/api/meta-agent/auth/oidc/callback", get(oidc::callback))
        .open("/api/meta-agent/auth/oidc/{tenantId}/start", get(oidc::start_of_tenant))
        .open("/api/meta-agent/auth/sign-in", post(sign_in::sign_in))
        .open("/api/meta-agent/auth/second-factor", post(second_factor::prove))
        .open("/api/meta-agent/auth/sign-out", post(me::sign_out))
        .open("/api/meta-agent/auth/me", get(me::read))
        .open("/api/meta-agent/auth/sessions", get(sessions::list).delete(sessions::end_others))
        .open("/api/meta-agent/auth/sessions/{sessionId}", delete(sessions::end))
        .open("/api/meta-agent/auth/step-up", post(step_up::step_up))
        .open("/api/meta-agent/auth/totp", post(totp::propose))
        .open("/api/meta-agent/auth/totp/confirm", post(totp::confirm))
        .open("/api/meta-agent/auth/recovery-codes", post(totp::renew_codes))
        .open("/api/meta-agent/auth/enroll", post(enroll::enroll))
        .open("/api/meta-agent/auth/invitations/accept", post(invitations::accept))
        .open("/api/meta-agent/auth/password", post(password::change))
        .open("/api/meta-agent/auth/password/forgot", post(password::forgot))
        .open("/api/meta-agent/auth/password/reset", post(password::reset))
        .open("/api/meta-agent/auth/tokens", get(tokens::list).post(tokens::create))
        .open("/api/meta-agent/auth/tokens/{keyId}", delete(tokens::revoke))
}

/// Tenants, from registration to deletion.
fn life() -> Routes {
    use tenants::{create, events, life, limits, list, record, register};
    Routes::default()
        .open("/api/meta-agent/tenants/register/owner", post(register::owner))
        .open("/api/meta-agent/tenants/register", post(register::register))
        .managed(Method::GET, "/api/meta-agent/tenants", list::list)
        .managed(Method::POST, "/api/meta-agent/tenants", create::create)
        .of_tenant(Method::GET, "", record::read)
        .of_tenant(Method::PATCH, "", record::change)
        .of_tenant(Method::DELETE, "", life::delete)
        .of_tenant(Method::POST, "/suspend", life::suspend)
        .of_tenant(Method::POST, "/activate", life::activate)
        .of_tenant(Method::POST, "/close", life::close)
        .of_tenant(Method::POST, "/reopen", life::reopen)
        .of_tenant(Method::GET, "/events", events::list)
        .of_tenant(Method::GET, "/limits", limits::read)
        .of_tenant(Method::PUT, "/limits", limits::replace)
}

/// What a tenant has.
fn belongings() -> Routes {
    use tenants::{certificates, context_pack, encryption, keys, secrets, sites};
    Routes::default()
        .of_tenant(Method::POST, "/tokens/revoke-all", tokens::revoke_all::revoke_all)
        .of_tenant(Method::GET, "/certificates", certificates::list)
        .of_tenant(Method::POST, "/certificates", certificates::bind)
        .of_tenant(Method::DELETE, "/certificates/{certificateId}", certificates::revoke)
        .of_tenant(Method::GET, "/context-pack", context_pack::read)
        .of_tenant(Method::PUT, "/context-pack", context_pack::replace)
        .of_tenant(Method::GET, "/sites", sites::list)
        .of_tenant(Method::POST, "/sites", sites::create)
        .of_tenant(Method::GET, "/sites/{siteId}", sites::read)
        .of_tenant(Method::PATCH, "/sites/{siteId}", sites::change)
        .of_tenant(Method::DELETE, "/sites/{siteId}", sites::delete)
        .of_tenant(Method::GET, "/keys", keys::list)
        .of_tenant(Method::POST, "/keys", keys::create)
        .of_tenant(Method::DELETE, "/keys/{keyId}", keys::revoke)
        .of_tenant(Method::GET, "/secrets", secrets::list)
        .of_tenant(Method::POST, "/secrets", secrets::rotate)
        .of_tenant(Method::DELETE, "/secrets/{keyId}", secrets::revoke)
        .of_tenant(Method::PATCH, "/secrets/{keyId}", secrets::change)
        .of_tenant(Method::GET, "/encryption", encryption::read)
        .of_tenant(Method::POST, "/encryption/rotations", encryption::rotate)
}

/// Who of a tenant gets in, and what they may do.
fn members() -> Routes {
    use tenants::{domains, roles, sign_in, user_access, users};
    Routes::default()
        .of_tenant(Method::GET, "/domains", domains::list)
        .of_tenant(Method::POST, "/domains", domains::create)
        .of_tenant(Method::POST, "/domains/{domain}/verify", domains::verify)
        .of_tenant(Method::DELETE, "/domains/{domain}", domains::delete)
        .of_tenant(Method::GET, "/sign-in", sign_in::read)
        .of_tenant(Method::PUT, "/sign-in", sign_in::replace)
        .of_tenant(Method::DELETE, "/sign-in", sign_in::delete)
        .of_tenant(Method::GET, "/users", users::list)
        .of_tenant(Method::POST, "/users", users::invite)
        .of_tenant(Method::GET, "/users/{userId}", users::read)
        .of_tenant(Method::PATCH, "/users/{userId}", users::change)
        .of_tenant(Method::DELETE, "/users/{userId}", users::remove)
        .of_tenant(Method::GET, "/users/{userId}/sessions", user_access::sessions)
        .of_tenant(Method::DELETE, "/users/{userId}/sessions", user_access::end_sessions)
        .of_tenant(Method::DELETE, "/users/{userId}/sessions/{sessionId}", user_access::end_session)
        .of_tenant(Method::POST, "/users/{userId}/invitation", user_access::renew_invitation)
        .of_tenant(Method::POST, "/users/{userId}/password-reset", user_access::make_password_link)
        .of_tenant(Method::POST, "/users/{userId}/second-factor-reset", user_access::reset_second_factor)
        .of_tenant(Method::GET, "/roles", roles::list)
        .of_tenant(Method::POST, "/roles", roles::create)
        .of_tenant(Method::GET, "/roles/{roleId}", roles::read)
        .of_tenant(Method::PATCH, "/roles/{roleId}", roles::change)
        .of_tenant(Method::DELETE, "/roles/{roleId}", roles::delete)
}

/// What was done, what it cost, and what is suspicious of it.
fn oversight() -> Routes {
    use tenants::{alerts, audit, decisions, privilege, usage};
    Routes::default()
        .of_tenant(Method::GET, "/privilege", privilege::list)
        .of_tenant(Method::POST, "/privilege", privilege::run)
        .of_tenant(Method::GET, "/privilege/operations", privilege::catalogue)
        .of_tenant(Method::DELETE, "/privilege/{grantId}", privilege::end)
        .of_tenant(Method::GET, "/alerts", alerts::list)
        .of_tenant(Method::POST, "/alerts/{alertId}/acknowledge", alerts::acknowledge)
        .of_tenant(Method::GET, "/usage", usage::read)
        .of_tenant(Method::GET, "/usage/invoice", usage::invoice::read)
        .of_tenant(Method::GET, "/usage/refusals", usage::refusals::read)
        .of_tenant(Method::GET, "/audit", audit::list)
        .of_tenant(Method::GET, "/audit/checkpoint", audit::proofs::checkpoint)
        .of_tenant(Method::GET, "/audit/checkpoints", audit::proofs::checkpoints)
        .of_tenant(Method::GET, "/audit/entries/{auditId}/proof", audit::proofs::inclusion)
        .of_tenant(Method::GET, "/audit/consistency", audit::proofs::consistency)
        .of_tenant(Method::GET, "/audit/export", audit::export::export)
        .of_tenant(Method::GET, "/audit/report", audit::report::read)
        .of_tenant(Method::GET, "/decisions", decisions::read)
}
