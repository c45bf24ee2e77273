//! Which handler answers where, and what it asks of the caller.

use crate::{
    api::{audit_keys, auth, channels, health, jwks, messages, sessions, tenants, tokens},
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
    routing::{MethodFilter, get, on},
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

/// An operation as it is served.
#[derive(Debug, Clone)]
pub struct Served {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// Of a management operation: any of these lets a caller in. The others see to their callers themselves.
    pub actions: Option<&'static [Action]>,
}

/// Everything that is served but pages and files. What management operations ask is read from the types of their handlers.
pub fn served() -> Vec<Served> {
    all().served
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
    served: Vec<Served>,
}

impl Routes {
    /// Pages and files, which are no part of the API.
    fn page<H: Handler<T, FrontDesk>, T: 'static>(mut self, path: &str, handler: H) -> Self {
        self.router = self.router.route(path, get(handler));
        self
    }

    /// What sees to its callers itself.
    fn open<H: Handler<T, FrontDesk>, T: 'static>(self, method: Method, path: &str, handler: H) -> Self {
        self.add(Served { method, path: path.to_owned(), actions: None }, handler)
    }

    /// What may be done by whom the access policies let. A handler that takes no authorised call does not fit here.
    fn managed<H, Via, Call>(self, method: Method, path: &str, handler: H) -> Self
    where
        H: Handler<(Via, State<FrontDesk>, Call), FrontDesk>,
        Via: 'static,
        Call: Authorised + 'static,
    {
        self.add(Served { method, path: path.to_owned(), actions: Some(Call::ACTIONS) }, handler)
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

    fn add<H: Handler<T, FrontDesk>, T: 'static>(mut self, served: Served, handler: H) -> Self {
        #[allow(clippy::expect_used, reason = "every method below is one: else nothing starts")]
        let filter = MethodFilter::try_from(served.method.clone()).expect("a method of HTTP");
        self.router = self.router.route(&served.path, on(filter, handler));
        self.served.push(served);
        self
    }

    fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.served.extend(other.served);
        self
    }
}

fn operation() -> Routes {
    Routes::default()
        .open(Method::GET, "/health/live", health::live)
        .open(Method::GET, "/health/ready", health::ready)
        .open(Method::GET, "/metrics", health::metrics)
        .open(Method::GET, "/.well-known/jwks.json", jwks::read)
        .open(Method::GET, "/.well-known/misy-audit-keys.json", audit_keys::read)
        .page("/openapi.json", assets::openapi)
        .page("/docs", assets::docs)
        .page("/docs/{file}", assets::docs_file)
        .page("/sign-in", assets::people_page)
        .page("/enroll", assets::people_page)
        .page("/invite", assets::people_page)
        .page("/invitation", assets::people_page)
        .page("/reset", assets::people_page)
        .page("/reset-password", assets::people_page)
        .page("/account", assets::people_page)
        .page("/people/{file}", assets::people_file)
        .page("/sdk/{*file}", assets::sdk)
}

fn chat() -> Routes {
    Routes::default()
        .open(Method::POST, "/api/meta-agent/tokens", tokens::mint::mint)
        .open(Method::POST, "/api/meta-agent/tokens/revoke", tokens::revoke::revoke)
        .open(Method::POST, "/api/meta-agent/sessions", sessions::open::open)
        .open(Method::GET, "/api/meta-agent/sessions/{sessionId}", sessions::read::read)
        .open(Method::GET, "/api/meta-agent/sessions/{sessionId}/messages", sessions::history::list)
        .open(Method::GET, "/api/meta-agent/sessions/{sessionId}/events", sessions::events::follow)
        .open(Method::POST, "/api/meta-agent/messages", messages::write)
        .open(Method::POST, "/api/meta-agent/channels/api/{accountId}/messages", channels::pass_on)
}

fn people() -> Routes {
    use auth::{
        enroll, invitations, me, oidc, passkeys, password, second_factor, sessions, sign_in, step_up, tokens,
        totp,
    };
    Routes::default()
        .open(Method::GET, "/api/meta-agent/auth/passkeys", passkeys::list)
        .open(Method::PATCH, "/api/meta-agent/auth/passkeys/{passkeyId}", passkeys::rename)
        .open(Method::DELETE, "/api/meta-agent/auth/passkeys/{passkeyId}", passkeys::remove)
        .open(Method::POST, "/api/meta-agent/auth/passkeys/registration", passkeys::registration::begin)
        .open(
            Method::POST,
            "/api/meta-agent/auth/passkeys/registration/finish",
            passkeys::registration::finish,
        )
        .open(Method::POST, "/api/meta-agent/auth/passkeys/sign-in", passkeys::sign_in::begin)
        .open(Method::POST, "/api/meta-agent/auth/passkeys/sign-in/finish", passkeys::sign_in::finish)
        .open(
            Method::POST,
            "/api/meta-agent/auth/passkeys/second-factor",
            passkeys::sign_in::begin_second_factor,
        )
        .open(
            Method::POST,
            "/api/meta-agent/auth/passkeys/second-factor/finish",
            passkeys::sign_in::finish_second_factor,
        )
        .open(Method::POST, "/api/meta-agent/auth/passkeys/step-up", passkeys::sign_in::begin_step_up)
        .open(Method::POST, "/api/meta-agent/auth/passkeys/step-up/finish", passkeys::sign_in::finish_step_up)
        .open(Method::GET, "/api/meta-agent/auth/oidc/start", oidc::start_of_installation)
        .open(Method::GET, "/api/meta-agent/auth/oidc/callback", oidc::callback)
        .open(Method::GET, "/api/meta-agent/auth/oidc/{tenantId}/start", oidc::start_of_tenant)
        .open(Method::POST, "/api/meta-agent/auth/sign-in", sign_in::sign_in)
        .open(Method::POST, "/api/meta-agent/auth/second-factor", second_factor::prove)
        .open(Method::POST, "/api/meta-agent/auth/sign-out", me::sign_out)
        .open(Method::GET, "/api/meta-agent/auth/me", me::read)
        .open(Method::GET, "/api/meta-agent/auth/sessions", sessions::list)
        .open(Method::DELETE, "/api/meta-agent/auth/sessions", sessions::end_others)
        .open(Method::DELETE, "/api/meta-agent/auth/sessions/{sessionId}", sessions::end)
        .open(Method::POST, "/api/meta-agent/auth/step-up", step_up::step_up)
        .open(Method::POST, "/api/meta-agent/auth/totp", totp::propose)
        .open(Method::POST, "/api/meta-agent/auth/totp/confirm", totp::confirm)
        .open(Method::POST, "/api/meta-agent/auth/recovery-codes", totp::renew_codes)
        .open(Method::POST, "/api/meta-agent/auth/enroll", enroll::enroll)
        .open(Method::POST, "/api/meta-agent/auth/invitations/accept", invitations::accept)
        .open(Method::POST, "/api/meta-agent/auth/password", password::change)
        .open(Method::POST, "/api/meta-agent/auth/password/forgot", password::forgot)
        .open(Method::POST, "/api/meta-agent/auth/password/reset", password::reset)
        .open(Method::GET, "/api/meta-agent/auth/tokens", tokens::list)
        .open(Method::POST, "/api/meta-agent/auth/tokens", tokens::create)
        .open(Method::DELETE, "/api/meta-agent/auth/tokens/{keyId}", tokens::revoke)
}

/// Tenants, from registration to deletion.
fn life() -> Routes {
    use tenants::{create, events, life, limits, list, record, register};
    Routes::default()
        .open(Method::POST, "/api/meta-agent/tenants/register/owner", register::owner)
        .open(Method::POST, "/api/meta-agent/tenants/register", register::register)
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
    use tenants::{certificates, channels, context_pack, encryption, keys, secrets, sites};
    Routes::default()
        .of_tenant(Method::POST, "/tokens/revoke-all", tokens::revoke_all::revoke_all)
        .of_tenant(Method::GET, "/certificates", certificates::list)
        .of_tenant(Method::POST, "/certificates", certificates::bind)
        .of_tenant(Method::DELETE, "/certificates/{certificateId}", certificates::revoke)
        .of_tenant(Method::GET, "/channels", channels::list)
        .of_tenant(Method::POST, "/channels", channels::create)
        .of_tenant(Method::GET, "/channels/{accountId}", channels::read)
        .of_tenant(Method::PATCH, "/channels/{accountId}", channels::change)
        .of_tenant(Method::POST, "/channels/{accountId}/secret", channels::rotate)
        .of_tenant(Method::GET, "/channels/{accountId}/deliveries", channels::deliveries)
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
