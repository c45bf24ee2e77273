//! What is served. Each operation has its method, path, name and description at its handler (`#[utoipa::path]`), and what it
//! asks in the handler's type; the router and the description of the API are both made from that, here and nowhere else.

use crate::{
    api::{audit_keys, auth, channels, files, health, jwks, messages, sessions, tenants, tokens},
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
use utoipa::{
    __dev::{SchemaReferences, Tags},
    openapi::{HttpMethod, RefOr, path::Operation, schema::Schema},
};

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

/// Types by the names that they have in the description.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// An operation as it is served.
#[derive(Debug, Clone)]
pub struct Served {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// Of a management operation: any of these lets a caller in. The others see to their callers themselves.
    pub actions: Option<&'static [Action]>,
    describe: fn() -> Operation,
    schemas: fn(&mut Schemas),
}

impl Served {
    /// As its handler describes it.
    pub fn operation(&self) -> Operation {
        (self.describe)()
    }

    /// The types that it takes and gives.
    pub fn schemas(&self) -> Schemas {
        let mut schemas = Vec::new();
        (self.schemas)(&mut schemas);
        schemas
    }
}

/// Everything that is served but pages and files. What management operations ask is read from the types of their handlers.
pub fn served() -> Vec<Served> {
    all().served
}

fn all() -> Routes {
    [operation(), chat(), people(), life(), belongings(), members(), inbox(), oversight()]
        .into_iter()
        .fold(Routes::default(), Routes::merge)
}

/// A handler together with its description. What is not described is not served: it does not compile.
macro_rules! served {
    (@ [$($module:tt)*] $handler:ident) => {
        pastey::paste! { ($($module)* [<__path_ $handler>], $($module)* $handler) }
    };
    (@ [$($module:tt)*] $next:ident :: $($rest:tt)+) => {
        served!(@ [$($module)* $next ::] $($rest)+)
    };
    ($($handler:tt)+) => {
        served!(@ [] $($handler)+)
    };
}

/// What `#[utoipa::path]` says of a handler.
trait Described: utoipa::Path + SchemaReferences + Tags<'static> {}

impl<P: utoipa::Path + SchemaReferences + Tags<'static>> Described for P {}

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
    fn open<P, H, T>(self, served: (P, H)) -> Self
    where
        P: Described,
        H: Handler<T, FrontDesk>,
        T: 'static,
    {
        self.add(served, None)
    }

    /// What may be done by whom the access policies let. A handler that takes no authorised call does not fit here.
    fn managed<P, H, Via, Call>(self, served: (P, H)) -> Self
    where
        P: Described,
        H: Handler<(Via, State<FrontDesk>, Call), FrontDesk>,
        Via: 'static,
        Call: Authorised + 'static,
    {
        self.add(served, Some(Call::ACTIONS))
    }

    fn add<P, H, T>(mut self, (_, handler): (P, H), actions: Option<&'static [Action]>) -> Self
    where
        P: Described,
        H: Handler<T, FrontDesk>,
        T: 'static,
    {
        let (path, method) = (P::path(), method_of::<P>());
        #[allow(clippy::expect_used, reason = "every method below is one: else nothing starts")]
        let filter = MethodFilter::try_from(method.clone()).expect("a method of HTTP");
        self.router = self.router.route(&path, on(filter, handler));
        self.served.push(Served { method, path, actions, describe: operation_of::<P>, schemas: P::schemas });
        self
    }

    fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.served.extend(other.served);
        self
    }
}

fn operation_of<P: Described>() -> Operation {
    let mut operation = P::operation();
    operation.tags = Some(P::tags().into_iter().map(str::to_owned).collect());
    operation
}

/// The one method of an operation.
fn method_of<P: utoipa::Path>() -> Method {
    match P::methods().first() {
        Some(HttpMethod::Post) => Method::POST,
        Some(HttpMethod::Put) => Method::PUT,
        Some(HttpMethod::Patch) => Method::PATCH,
        Some(HttpMethod::Delete) => Method::DELETE,
        _ => Method::GET,
    }
}

fn operation() -> Routes {
    Routes::default()
        .open(served!(health::live))
        .open(served!(health::ready))
        .open(served!(health::metrics))
        .open(served!(jwks::read))
        .open(served!(audit_keys::read))
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
        .page("/console", assets::console)
        .page("/console/", assets::console)
        .page("/console/{*path}", assets::console)
        .page("/sdk/{*file}", assets::sdk)
}

fn chat() -> Routes {
    Routes::default()
        .open(served!(tokens::mint::mint))
        .open(served!(tokens::revoke::revoke))
        .open(served!(sessions::open::open))
        .open(served!(sessions::read::read))
        .open(served!(sessions::history::list))
        .open(served!(sessions::events::follow))
        .open(served!(sessions::bookings::list))
        .open(served!(sessions::bookings::free))
        .open(served!(sessions::bookings::create))
        .open(served!(sessions::bookings::calendar))
        .open(served!(sessions::bookings::change))
        .open(served!(sessions::bookings::cancel))
        .open(served!(messages::write))
        .open(served!(files::upload::upload))
        .open(served!(files::read::read))
        .open(served!(files::remove::take_back))
        .open(served!(channels::pass_on))
        .open(served!(channels::webhook::confirm))
        .open(served!(channels::webhook::take))
}

fn people() -> Routes {
    use auth::{
        access, enroll, invitations, me, oidc, passkeys, password, second_factor, sessions, sign_in, step_up,
        tokens, totp,
    };
    Routes::default()
        .open(served!(passkeys::list))
        .open(served!(passkeys::rename))
        .open(served!(passkeys::remove))
        .open(served!(passkeys::registration::begin))
        .open(served!(passkeys::registration::finish))
        .open(served!(passkeys::sign_in::begin))
        .open(served!(passkeys::sign_in::finish))
        .open(served!(passkeys::sign_in::begin_second_factor))
        .open(served!(passkeys::sign_in::finish_second_factor))
        .open(served!(passkeys::sign_in::begin_step_up))
        .open(served!(passkeys::sign_in::finish_step_up))
        .open(served!(oidc::start_of_installation))
        .open(served!(oidc::callback))
        .open(served!(oidc::start_of_tenant))
        .open(served!(sign_in::sign_in))
        .open(served!(second_factor::read))
        .open(served!(second_factor::prove))
        .open(served!(me::sign_out))
        .open(served!(me::read))
        .open(served!(access::read))
        .open(served!(sessions::list))
        .open(served!(sessions::end_others))
        .open(served!(sessions::end))
        .open(served!(step_up::step_up))
        .open(served!(totp::propose))
        .open(served!(totp::confirm))
        .open(served!(totp::renew_codes))
        .open(served!(enroll::enroll))
        .open(served!(invitations::accept))
        .open(served!(password::change))
        .open(served!(password::forgot))
        .open(served!(password::reset))
        .open(served!(tokens::list))
        .open(served!(tokens::create))
        .open(served!(tokens::revoke))
}

/// Tenants, from registration to deletion.
fn life() -> Routes {
    use tenants::{create, events, life, limits, list, record, register};
    Routes::default()
        .open(served!(register::owner))
        .open(served!(register::register))
        .managed(served!(list::list))
        .managed(served!(create::create))
        .managed(served!(record::read))
        .managed(served!(record::change))
        .managed(served!(life::delete))
        .managed(served!(life::suspend))
        .managed(served!(life::activate))
        .managed(served!(life::close))
        .managed(served!(life::reopen))
        .managed(served!(events::list))
        .managed(served!(limits::read))
        .managed(served!(limits::replace))
}

/// What a tenant has.
fn belongings() -> Routes {
    use tenants::{
        bookings, certificates, channels, context_pack, encryption, files, keys, secrets, services, sites,
    };
    Routes::default()
        .managed(served!(tokens::revoke_all::revoke_all))
        .managed(served!(certificates::list))
        .managed(served!(certificates::bind))
        .managed(served!(certificates::revoke))
        .managed(served!(channels::list))
        .managed(served!(channels::create))
        .managed(served!(channels::read))
        .managed(served!(channels::change))
        .managed(served!(channels::rotate))
        .managed(served!(channels::deliveries::list))
        .managed(served!(services::list))
        .managed(served!(services::providers))
        .managed(served!(services::free))
        .managed(served!(bookings::list))
        .managed(served!(bookings::create))
        .managed(served!(bookings::read))
        .managed(served!(bookings::calendar))
        .managed(served!(bookings::change))
        .managed(served!(bookings::cancel))
        .managed(served!(channels::vendor::test))
        .managed(served!(channels::vendor::templates))
        .managed(served!(channels::vendor::create_template))
        .managed(served!(context_pack::read))
        .managed(served!(context_pack::replace))
        .managed(served!(sites::list))
        .managed(served!(sites::create))
        .managed(served!(sites::read))
        .managed(served!(sites::change))
        .managed(served!(sites::delete))
        .managed(served!(keys::list))
        .managed(served!(keys::create))
        .managed(served!(keys::revoke))
        .managed(served!(secrets::list))
        .managed(served!(secrets::rotate))
        .managed(served!(secrets::revoke))
        .managed(served!(secrets::change))
        .managed(served!(encryption::read))
        .managed(served!(encryption::rotate))
        .managed(served!(files::remove))
}

/// Who of a tenant gets in, and what they may do.
fn members() -> Routes {
    use tenants::{domains, roles, sign_in, user_access, users};
    Routes::default()
        .managed(served!(domains::list))
        .managed(served!(domains::create))
        .managed(served!(domains::verify))
        .managed(served!(domains::delete))
        .managed(served!(sign_in::read))
        .managed(served!(sign_in::replace))
        .managed(served!(sign_in::delete))
        .managed(served!(users::list))
        .managed(served!(users::invite))
        .managed(served!(users::read))
        .managed(served!(users::change))
        .managed(served!(users::remove))
        .managed(served!(user_access::sessions))
        .managed(served!(user_access::end_sessions))
        .managed(served!(user_access::end_session))
        .managed(served!(user_access::renew_invitation))
        .managed(served!(user_access::make_password_link))
        .managed(served!(user_access::reset_second_factor))
        .managed(served!(roles::list))
        .managed(served!(roles::create))
        .managed(served!(roles::read))
        .managed(served!(roles::change))
        .managed(served!(roles::delete))
}

/// What contacts say, and people who answer.
fn inbox() -> Routes {
    use tenants::conversations::{events, holding, list, messages, notes, read, typing, write};
    Routes::default()
        .managed(served!(list::list))
        .managed(served!(events::follow))
        .managed(served!(read::read))
        .managed(served!(messages::list))
        .managed(served!(write::answer))
        .managed(served!(holding::take))
        .managed(served!(holding::assign))
        .managed(served!(holding::hand_back))
        .managed(served!(holding::close))
        .managed(served!(typing::show))
        .managed(served!(notes::list))
        .managed(served!(notes::add))
}

/// What was done, what it cost, and what is suspicious of it.
fn oversight() -> Routes {
    use tenants::{alerts, audit, decisions, privilege, turns, usage, work};
    Routes::default()
        .managed(served!(privilege::list))
        .managed(served!(privilege::run))
        .managed(served!(privilege::catalogue))
        .managed(served!(privilege::end))
        .managed(served!(alerts::list))
        .managed(served!(alerts::acknowledge))
        .managed(served!(work::list))
        .managed(served!(work::revive))
        .managed(served!(work::drop_work))
        .managed(served!(usage::read))
        .managed(served!(usage::invoice::read))
        .managed(served!(usage::refusals::read))
        .managed(served!(audit::list))
        .managed(served!(audit::proofs::checkpoint))
        .managed(served!(audit::proofs::checkpoints))
        .managed(served!(audit::proofs::inclusion))
        .managed(served!(audit::proofs::consistency))
        .managed(served!(audit::export::export))
        .managed(served!(audit::report::read))
        .managed(served!(decisions::read))
        .managed(served!(turns::list))
        .managed(served!(turns::wake))
}
