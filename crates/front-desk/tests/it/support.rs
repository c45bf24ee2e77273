//! A front desk on a database of its own, and callers of every kind.

use crate::{described::expect_described, people::Browser};
use axum::{Router, body::Body, extract::ConnectInfo, response::Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, Request, StatusCode};
use misy_domain::{Clock, EmailAddress, Entropy, Secret, SignInId, TenantId, UserId};
use misy_egress::{Egress, EgressSettings};
use misy_front_desk::{FrontDesk, Parts, Settings, settings::SelfRegistration};
use misy_store::{
    Bell, Shared,
    leases::{Cursor, LeaseTerms, Share, WorkerId},
    mails::{self, Mail, Mails},
    users::{
        self, NewUser, UserStatus,
        sign_ins::{self, Lifetime, NewSignIn},
    },
};
use misy_testkit::{
    redis::TestRedis,
    store::{TestStore, test_store},
};
use misy_trust::{
    Algorithm, BootstrapSecret, PasswordCost, RandomToken, RequestKey, SignedRequest, SystemEntropy,
    TokenUse, request_signature, sha256,
};
use misy_workbench::Packs;
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tower::ServiceExt;

pub(crate) use misy_testkit::PATIENCE;

pub(crate) const BASE: &str = "/api/meta-agent";
pub(crate) const HOST: &str = "api.misy.example";
pub(crate) const BOOTSTRAP: &str = "correct horse battery staple";
pub(crate) const ORIGIN: &str = "https://andina.example";

pub(crate) struct App {
    pub(crate) store: TestStore,
    pub(crate) desk: FrontDesk,
    pub(crate) router: Router,
}

/// A tenant with its credentials.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) origin: String,
    pub(crate) publishable_key: String,
    pub(crate) secret_id: String,
    pub(crate) secret: RequestKey,
    pub(crate) administrator: String,
}

/// A token with the key that signs its requests.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) key: RequestKey,
    pub(crate) origin: Option<String>,
}

/// An answer that was read whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.body)).to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status.as_u16(), self.code()), (status, code), "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert!(self.text("requestId").starts_with("req_"));
        self
    }
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(test_store().await.unwrap(), change).await
    }

    /// With another way out.
    pub(crate) async fn with_egress(egress: Egress) -> Self {
        Self::with_egress_and(egress, |_| {}).await
    }

    /// With another way out and other settings.
    pub(crate) async fn with_egress_and(egress: Egress, change: impl FnOnce(&mut Settings)) -> Self {
        let store = test_store().await.unwrap();
        let desk = desk_through(&store, None, store.bell.clone(), egress, change).await;
        Self { router: desk.router(), desk, store }
    }

    pub(crate) async fn on(store: TestStore, change: impl FnOnce(&mut Settings)) -> Self {
        let desk = desk_on(&store, change).await;
        Self { router: desk.router(), desk, store }
    }

    /// Another replica on the same database.
    pub(crate) async fn replica(&self) -> FrontDesk {
        self.replica_with(|_| {}).await
    }

    /// One with other settings.
    pub(crate) async fn replica_with(&self, change: impl FnOnce(&mut Settings)) -> FrontDesk {
        desk_on(&self.store, change).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send_to(&self.router, request).await
    }

    /// The response with its body still to come.
    pub(crate) async fn open(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn owner(&self) -> Tenant {
        let body = registration("ColombiaTIC", "https://colombiatic.example");
        let request = bare(Method::POST, "/tenants/register/owner", Some(&body));
        let answer = self.send(with_bearer(request, BOOTSTRAP)).await.expect(201);
        Tenant::of(&answer.body)
    }

    /// Registers a tenant on behalf of an owner.
    pub(crate) async fn register(&self, owner: &Tenant, id: &str, origin: &str) -> Tenant {
        let mut body = registration(id, origin);
        body["tenantId"] = json!(id);
        let answer = self.manage(owner, Method::POST, "/tenants/register", Some(&body)).await.expect(201);
        Tenant::of(&answer.body)
    }

    /// An owner and one tenant.
    pub(crate) async fn two(&self) -> (Tenant, Tenant) {
        let owner = self.owner().await;
        let tenant = self.register(&owner, "andina", ORIGIN).await;
        (owner, tenant)
    }

    /// A call of a tenant's administrator: with the token of the registration, which sets up much; where that is not enough,
    /// or not good any more, as a person with a second factor of this moment.
    pub(crate) async fn manage(
        &self,
        who: &Tenant,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let answer = self.with_token(who, method.clone(), path, body).await;
        if ["step_up_required", "token_revoked", "token_expired"].contains(&answer.code()) {
            return self.in_person(who, method, path, body).await;
        }
        answer
    }

    /// A call with the token that the registration answered with.
    pub(crate) async fn with_token(
        &self,
        who: &Tenant,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        self.send(with_bearer(bare(method, path, body), &who.administrator)).await
    }

    /// A call of a person who administers a tenant and proved a second factor at this moment.
    pub(crate) async fn in_person(
        &self,
        who: &Tenant,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let browser = self.at_once(who).await;
        let mut request = browser.request(method, path, body);
        if body.is_none_or(|body| body["reason"].is_null()) {
            put(&mut request, "x-misy-reason", "Ticket%2017:%20as%20agreed%20on%20the%20phone");
        }
        self.send(request).await
    }

    /// The mails that are queued for people of a tenant, which are gone with that.
    pub(crate) async fn take_mails(&self, who: &Tenant) -> Vec<Mail> {
        let (store, tenant) = (&self.store, who.tenant_id());
        let keys = store.vault.keys(&store.database, &tenant).await.unwrap().unwrap();
        let worker = WorkerId::new(&*store.entropy);
        let (terms, anywhere) = (LeaseTerms::default(), Cursor::default());
        let claimed =
            store.database.claim::<Mails>(&worker, 10, &terms, &anywhere, Share::ALL).await.unwrap();
        let mut taken = Vec::new();
        // Those of other tenants are claimed with them, and left alone.
        for claimed in claimed.leases.into_iter().filter(|lease| lease.tenant == tenant) {
            let mut tx = store.database.tenant_work("test.mails", &tenant).await.unwrap();
            taken.push(mails::open(&mut tx, &keys, &claimed).await.unwrap().unwrap());
            mails::sent(&mut tx, &claimed).await.unwrap();
            tx.commit().await.unwrap();
        }
        taken
    }

    /// The browser of a person who administers a tenant, as if they had signed in at this moment.
    pub(crate) async fn at_once(&self, who: &Tenant) -> Browser {
        let (store, now) = (&self.store, self.store.clock.now());
        let (tenant, entropy) = (who.tenant_id(), SystemEntropy::new());
        let keys = store.vault.keys(&store.database, &tenant).await.unwrap().unwrap();
        let email: EmailAddress = format!("somebody@{}.example", who.id).parse().unwrap();
        // Before the transaction: whoever asks for a second connection within it waits for those who wait for its lock.
        let is_owner = store.database.owner_tenant().await.unwrap().as_ref() == Some(&tenant);
        let mut tx = store.database.tenant("test.person", &tenant).await.unwrap();
        // One after the other: two calls at once would both make them.
        users::lock_administrators(&mut tx).await.unwrap();
        let known = users::by_email(&mut tx, &keys, &email).await.unwrap();
        let user_id =
            known.as_ref().map_or_else(|| UserId::new(&*store.clock, &entropy), |user| user.user_id);
        if known.is_none() {
            let roles = misy_trust::access::first_administrator(is_owner);
            let new = NewUser {
                user_id,
                status: UserStatus::Active,
                email: &email,
                name: "Somebody",
                roles: &roles,
                locale: None,
                password_hash: None,
            };
            users::create(&mut tx, &store.vault, &keys, &new, now).await.unwrap();
        }
        let token = RandomToken::generate(TokenUse::Session, &entropy);
        let new = NewSignIn {
            sign_in_id: SignInId::new(&*store.clock, &entropy),
            token_hash: &token.hash(),
            methods: &["passkey".to_owned()],
            second_factor_at: Some(now),
            user_agent: None,
            address_prefix: None,
            lifetime: Lifetime::STANDARD,
        };
        let user = users::lock(&mut tx, &keys, user_id).await.unwrap().unwrap();
        sign_ins::open(&mut tx, &user, &new, now).await.unwrap();
        tx.commit().await.unwrap();
        Browser::holding(&token)
    }

    /// A browser's token.
    pub(crate) async fn browser(&self, tenant: &Tenant) -> Token {
        let answer = self.send(self.mint_request(tenant, &json!({ "siteId": "main" }))).await.expect(201);
        Token::of(&answer.body, None, Some(tenant.origin.clone()))
    }

    #[allow(clippy::unused_self, reason = "reads like the other callers")]
    pub(crate) fn mint_request(&self, tenant: &Tenant, body: &Value) -> Request<Body> {
        let mut request = bare(Method::POST, "/tokens", Some(body));
        put(&mut request, "x-api-key", &tenant.publishable_key);
        put(&mut request, "origin", &tenant.origin);
        request
    }

    /// A server's token.
    pub(crate) async fn server(&self, tenant: &Tenant, body: Value) -> Token {
        let answer = self.send(self.server_request(tenant, &body)).await.expect(201);
        Token::of(&answer.body, Some(&tenant.secret), body["origin"].as_str().map(str::to_owned))
    }

    pub(crate) fn server_request(&self, tenant: &Tenant, body: &Value) -> Request<Body> {
        let mut request =
            self.signed_by(&tenant.secret, None, Method::POST, "/tokens", Some(body.to_string().as_bytes()));
        put(&mut request, "x-misy-key", &tenant.secret_id);
        request
    }

    /// A signed request.
    pub(crate) fn signed(
        &self,
        token: &Token,
        method: Method,
        target: &str,
        body: Option<&Value>,
    ) -> Request<Body> {
        let body = body.map(|body| body.to_string().into_bytes());
        let mut request = self.signed_by(&token.key, Some(&token.text), method, target, body.as_deref());
        if let Some(origin) = &token.origin {
            put(&mut request, "origin", origin);
        }
        request
    }

    pub(crate) async fn call(
        &self,
        token: &Token,
        method: Method,
        target: &str,
        body: Option<&Value>,
    ) -> Answer {
        self.send(self.signed(token, method, target, body)).await
    }

    pub(crate) fn nonce(&self) -> String {
        let mut bytes = [0; 16];
        self.store.entropy.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(crate) fn signed_by(
        &self,
        key: &RequestKey,
        token: Option<&str>,
        method: Method,
        target: &str,
        body: Option<&[u8]>,
    ) -> Request<Body> {
        let timestamp = self.store.clock.unix_seconds().to_string();
        let nonce = self.nonce();
        let full = format!("{BASE}{target}");
        let (path, query) = full.split_once('?').unwrap_or((&full, ""));
        let signature = request_signature::sign(
            key,
            &SignedRequest {
                method: method.as_str(),
                host: HOST,
                path,
                query,
                body_sha256: sha256(body.unwrap_or_default()),
                timestamp: &timestamp,
                nonce: &nonce,
                token_sha256: token.map(|token| sha256(token.as_bytes())),
            },
        )
        .unwrap();
        let mut request = raw(method, &full, body.map(<[u8]>::to_vec));
        put(&mut request, "x-misy-timestamp", &timestamp);
        put(&mut request, "x-misy-nonce", &nonce);
        put(&mut request, "x-misy-signature", &signature);
        match token {
            Some(token) => with_bearer(request, token),
            None => request,
        }
    }

    /// A session of a token.
    pub(crate) async fn session(&self, token: &Token) -> String {
        let body = json!({ "channel": "web", "locale": "es-CO" });
        self.call(token, Method::POST, "/sessions", Some(&body)).await.expect(201).text("sessionId")
    }

    pub(crate) async fn say(&self, token: &Token, session: &str, text: &str) -> Answer {
        let body = json!({ "sessionId": session, "channel": "web", "text": text });
        self.call(token, Method::POST, "/messages", Some(&body)).await
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.store.clock.advance(by);
    }

    /// The same, and by PostgreSQL's clock for what is closed, which goes only when both clocks say so.
    pub(crate) async fn pass(&self, by: Duration) {
        self.advance(by);
        let seconds = by.as_secs();
        let passes =
            format!("update misy.tenants set purge_not_before = purge_not_before - interval '{seconds} s'");
        self.store.admin(passes).await.unwrap();
    }
}

pub(crate) async fn desk_on(store: &TestStore, change: impl FnOnce(&mut Settings)) -> FrontDesk {
    desk_through(store, None, store.bell.clone(), local_egress(), change).await
}

/// A way out that this machine itself may be called by.
fn local_egress() -> Egress {
    Egress::new(EgressSettings { allow_loopback: true, ..EgressSettings::default() }).unwrap()
}

/// A replica with a bell of its own, as another process on the same database and Redis has.
pub(crate) async fn replica_through(store: &TestStore, redis: &TestRedis, patience: Duration) -> FrontDesk {
    let redis = Shared::open_with(&redis.url(), patience).await.unwrap();
    let letters = store.vault.letters(&store.database, store.clock.clone()).await.unwrap();
    let bell = Bell::through(Some(&redis), letters);
    desk_through(store, Some(redis), bell, local_egress(), |_| {}).await
}

async fn desk_through(
    store: &TestStore,
    redis: Option<Shared>,
    bell: Bell,
    egress: Egress,
    change: impl FnOnce(&mut Settings),
) -> FrontDesk {
    let mut settings = Settings::new("https://api.misy.example", "colombiatic".parse().unwrap());
    settings.algorithm = Algorithm::EdDsa;
    settings.password_cost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };
    settings.bootstrap_secret = Some(BootstrapSecret::new(&Secret::new(BOOTSTRAP.to_owned())));
    settings.self_registration = SelfRegistration::Invite;
    change(&mut settings);
    FrontDesk::new(Parts {
        database: store.database.clone(),
        vault: store.vault.clone(),
        bell,
        clock: store.clock.clone(),
        entropy: Arc::new(misy_trust::SystemEntropy::new()),
        egress,
        settings,
        metrics: None,
        redis,
        packs: Packs::start(64 * 1024 * 1024).unwrap(),
        files: store.files.clone(),
    })
    .await
    .unwrap()
}

impl Tenant {
    pub(crate) fn of(body: &Value) -> Self {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
        Self {
            id: text("/tenantId"),
            origin: text("/site/origins/0"),
            publishable_key: text("/publishableKey/key"),
            secret_id: text("/tenantSecret/keyId"),
            secret: key_of(&text("/tenantSecret/secret")),
            administrator: text("/enrollment/token"),
        }
    }

    pub(crate) fn tenant_id(&self) -> TenantId {
        self.id.parse().unwrap()
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/tenants/{}{rest}", self.id)
    }
}

impl Token {
    pub(crate) fn of(body: &Value, secret: Option<&RequestKey>, origin: Option<String>) -> Self {
        let key = match body["signingKey"].as_str() {
            Some(text) => key_of(text),
            None => secret.unwrap().clone(),
        };
        Self { text: body["token"].as_str().unwrap().to_owned(), key, origin }
    }
}

pub(crate) fn key_of(text: &str) -> RequestKey {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap();
    RequestKey::new(Secret::new(bytes))
}

pub(crate) fn registration(name: &str, website: &str) -> Value {
    json!({
        "tenantName": name, "contactEmail": "hola@business.example", "websiteUrl": website,
        "businessIndustry": "Dental clinic"
    })
}

/// A request without any proof.
pub(crate) fn bare(method: Method, path: &str, body: Option<&Value>) -> Request<Body> {
    raw(method, &format!("{BASE}{path}"), body.map(|body| body.to_string().into_bytes()))
}

pub(crate) fn raw(method: Method, path: &str, body: Option<Vec<u8>>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", HOST);
    if let Some(body) = &body {
        request = request.header("content-type", "application/json").header("content-length", body.len());
    }
    let peer: SocketAddr = "192.0.2.7:40000".parse().unwrap();
    request.extension(ConnectInfo(peer)).body(body.map_or_else(Body::empty, Body::from)).unwrap()
}

pub(crate) fn put(request: &mut Request<Body>, name: &'static str, value: &str) {
    request.headers_mut().insert(name, value.parse().unwrap());
}

pub(crate) fn with_bearer(mut request: Request<Body>, token: &str) -> Request<Body> {
    put(&mut request, "authorization", &format!("Bearer {token}"));
    request
}

pub(crate) async fn send_to(router: &Router, request: Request<Body>) -> Answer {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let kind = parts.headers.get("content-type");
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
        // It has no end: whoever wants its events opens it.
        return Answer { status: parts.status, headers: parts.headers, body: Value::Null };
    }
    let bytes = axum::body::to_bytes(body, 10_000_000).await.unwrap();
    expect_described(&method, &path, parts.status, &parts.headers, &bytes);
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status: parts.status, headers: parts.headers, body }
}
