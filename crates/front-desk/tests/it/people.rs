//! Browsers with people in front of them.

use crate::support::{Answer, App, Tenant, bare, put, send_to};
use axum::{Router, body::Body, extract::ConnectInfo};
use http::{Method, Request};
use misy_domain::{Clock, SignInId, UserId};
use misy_store::users::{
    self, NewUser, UserStatus,
    sign_ins::{self, Lifetime, NewSignIn},
};
use misy_testkit::person::app_of;
use misy_trust::{RandomToken, TokenUse, TotpSecret};
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

pub(crate) const PASSWORD: &str = "tres tristes tigres";
pub(crate) const OWN_ORIGIN: &str = "https://api.misy.example";

/// A browser with its cookies, on a page of the installation.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) csrf: String,
    pub(crate) address: String,
    pub(crate) totp: Option<TotpSecret>,
}

impl Browser {
    pub(crate) fn at(address: &str) -> Self {
        Self { cookies: BTreeMap::new(), csrf: String::new(), address: address.to_owned(), totp: None }
    }

    /// One with the cookie of a session.
    pub(crate) fn holding(token: &RandomToken) -> Self {
        let cookies = BTreeMap::from([("__Host-misy_session".to_owned(), token.text().to_owned())]);
        Self { cookies, csrf: token.csrf_token(), ..Self::new() }
    }

    pub(crate) fn new() -> Self {
        Self::at("192.0.2.7")
    }

    /// Another browser of the same person, who has the app at hand.
    pub(crate) fn new_with(other: &Self) -> Self {
        Self { totp: other.totp.clone(), ..Self::new() }
    }

    /// A request as a page of the installation makes it.
    pub(crate) fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Request<Body> {
        let mut request = bare(method, path, body);
        let peer: SocketAddr = format!("{}:40000", self.address).parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            put(&mut request, "cookie", &pairs.join("; "));
        }
        put(&mut request, "origin", OWN_ORIGIN);
        put(&mut request, "sec-fetch-site", "same-origin");
        if !self.csrf.is_empty() {
            put(&mut request, "x-misy-csrf", &self.csrf);
        }
        request
    }

    /// Takes what an answer sets.
    pub(crate) fn take(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            let (name, rest) = text.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(token) = answer.body["csrfToken"].as_str() {
            token.clone_into(&mut self.csrf);
        }
    }

    pub(crate) async fn call_on(
        &mut self,
        router: &Router,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let answer = send_to(router, self.request(method, path, body)).await;
        self.take(&answer);
        answer
    }

    pub(crate) async fn get(&mut self, app: &App, path: &str) -> Answer {
        self.call_on(&app.router, Method::GET, path, None).await
    }

    pub(crate) async fn post(&mut self, app: &App, path: &str, body: &Value) -> Answer {
        self.call_on(&app.router, Method::POST, path, Some(body)).await
    }

    /// A call without a body.
    pub(crate) async fn order(&mut self, app: &App, method: Method, path: &str) -> Answer {
        self.call_on(&app.router, method, path, None).await
    }

    pub(crate) async fn sign_in(&mut self, app: &App, email: &str, password: &str) -> Answer {
        self.post(app, "/auth/sign-in", &json!({ "email": email, "password": password })).await
    }

    /// The code that the app shows now.
    pub(crate) fn code(&self, app: &App) -> String {
        self.totp.as_ref().unwrap().code_at(app.store.clock.now())
    }

    /// The code after the one that was used last.
    pub(crate) fn next_code(&self, app: &App) -> String {
        app.advance(Duration::from_secs(30));
        self.code(app)
    }

    /// Enrols an authenticator app; answers with the recovery codes.
    pub(crate) async fn enroll_app(&mut self, app: &App) -> Vec<String> {
        let proposal = self.order(app, Method::POST, "/auth/totp").await.expect(200);
        self.totp = app_of(&proposal.text("secret"));
        let code = self.next_code(app);
        let answer = self.post(app, "/auth/totp/confirm", &json!({ "code": code })).await.expect(200);
        let codes = answer.body["recoveryCodes"].as_array().unwrap();
        codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
    }

    /// Signs in with password and app.
    pub(crate) async fn sign_in_twice(&mut self, app: &App, email: &str) -> Answer {
        let first = self.sign_in(app, email, PASSWORD).await.expect(200);
        assert_eq!(first.text("status"), "second_factor_required");
        let body =
            json!({ "challenge": first.text("challenge"), "factor": "totp", "code": self.next_code(app) });
        self.post(app, "/auth/second-factor", &body).await
    }

    /// Proves the second factor again.
    pub(crate) async fn step_up(&mut self, app: &App) {
        let body = json!({ "factor": "totp", "code": self.next_code(app) });
        // Guesses are counted by PostgreSQL's clock, which has to go on with the other.
        let half_a_minute = "update platform.guesses set arrival = arrival - interval '30 s'";
        app.store.admin(half_a_minute).await.unwrap();
        self.post(app, "/auth/step-up", &body).await.expect(200);
    }
}

impl App {
    /// The body that enrols somebody with the token of a tenant.
    pub(crate) fn enrollment(tenant: &Tenant, email: &str) -> Value {
        json!({ "token": tenant.administrator, "email": email, "name": "Ana Rojas", "password": PASSWORD })
    }

    /// The first administrator of a tenant, enrolled with an authenticator app and signed in.
    pub(crate) async fn administrator(&self, tenant: &Tenant, email: &str) -> Browser {
        let mut browser = Browser::new();
        browser.post(self, "/auth/enroll", &Self::enrollment(tenant, email)).await.expect(200);
        browser.enroll_app(self).await;
        browser
    }

    /// Somebody of a tenant, as if they had been there all along: signed in just now, with both factors.
    pub(crate) async fn somebody(&self, tenant: &Tenant, roles: &[&str]) -> (Browser, UserId) {
        let (desk, id, now) = (&self.desk, tenant.tenant_id(), self.store.clock.now());
        let state = desk.tenants.get(&id).await.unwrap().unwrap();
        let user_id = UserId::new(&*desk.clock, &*desk.entropy);
        let email = format!("{user_id}@business.example").parse().unwrap();
        let new = NewUser {
            user_id,
            status: UserStatus::Active,
            email: &email,
            name: "Somebody",
            roles: &misy_trust::access::first_administrator(false),
            locale: None,
            password_hash: None,
        };
        let mut tx = desk.database.tenant("test.somebody", &id).await.unwrap();
        users::create(&mut tx, &desk.vault, &state.keys, &new, now).await.unwrap();
        let token = RandomToken::generate(TokenUse::Session, &*desk.entropy);
        let sign_in = NewSignIn {
            sign_in_id: SignInId::new(&*desk.clock, &*desk.entropy),
            token_hash: &token.hash(),
            methods: &["password".to_owned(), "totp".to_owned()],
            second_factor_at: Some(now),
            user_agent: None,
            address_prefix: None,
            lifetime: Lifetime::STANDARD,
        };
        let user = users::lock(&mut tx, &state.keys, user_id).await.unwrap().unwrap();
        sign_ins::open(&mut tx, &user, &sign_in, now).await.unwrap();
        tx.commit().await.unwrap();
        // Past every check of what may be given: also roles that nobody gives.
        let roles = roles.join(",");
        let given = format!("update misy.users set roles = '{{{roles}}}' where user_id = '{user_id}'");
        self.store.admin(given).await.unwrap();
        (Browser::holding(&token), user_id)
    }
}
