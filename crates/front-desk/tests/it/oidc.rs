//! Sign-in with OpenID Connect: against a certified provider, against one that lies, and with tokens as Amazon Cognito
//! makes them.

pub(crate) mod back_door;
mod fake;
mod hostile;
mod real;

use crate::{
    people::Browser,
    support::{Answer, App, Tenant, bare, put, raw, send_to},
};
use axum::extract::ConnectInfo;
use fake::FakeProvider;
use http::Method;
use misy_domain::{Clock, SystemClock};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};

const CLIENT: &str = "misy-console";
const SECRET: &str = "a secret of the client, for tests only";
const CALLBACK: &str = "https://api.misy.example/api/meta-agent/auth/oidc/callback";

/// The wall's time: a provider that is a program of its own has no other.
fn to_the_wall(app: &App) {
    let wall = SystemClock.now();
    let ahead = wall.duration_since(app.store.clock.now());
    app.advance(ahead.unsigned_abs());
}

const BOSS: &str = "boss@andina.example";

/// The first administrator of a tenant that has proved the domain of its people.
pub(crate) async fn boss(app: &App, tenant: &Tenant) -> Browser {
    prove_domain(app, tenant, "andina.example").await;
    app.administrator(tenant, BOSS).await
}

/// As if the file of the domain had been read.
async fn prove_domain(app: &App, tenant: &Tenant, domain: &str) {
    let sql =
        format!("insert into misy.email_domains values ('{}', '{domain}', 'line', now(), now())", tenant.id);
    app.store.admin(sql).await.unwrap();
}

/// What a tenant sets: by its own claim `tenant`, with people made as they come.
fn configuration(issuer: &str) -> Value {
    json!({
        "issuer": issuer, "clientId": CLIENT, "clientSecret": SECRET,
        "tenantClaim": { "name": "tenant", "value": "andina" }, "provisioning": true, "defaultRoles": ["analyst"],
        "emailDomains": ["andina.example"],
    })
}

async fn configure(app: &App, by: &mut Browser, tenant: &Tenant, body: &Value) -> Answer {
    by.step_up(app).await;
    by.call_on(&app.router, Method::PUT, &tenant.path("/sign-in"), Some(body)).await
}

/// A page that a browser goes to by itself.
async fn visit(app: &App, browser: &mut Browser, path: &str) -> Answer {
    let mut request = bare(Method::GET, path, None);
    let peer: SocketAddr = format!("{}:40000", browser.address).parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    let pairs: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !pairs.is_empty() {
        put(&mut request, "cookie", &pairs.join("; "));
    }
    // A page of our own sends it out, the provider sends it back.
    put(&mut request, "sec-fetch-site", if path.contains("/start") { "same-origin" } else { "cross-site" });
    let answer = send_to(&app.router, request).await;
    browser.take(&answer);
    answer
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.headers["location"].to_str().unwrap().to_owned()
}

fn parameter(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs()
        .find(|(key, _)| key == name)
        .unwrap_or_else(|| panic!("no {name} in {url}"))
        .1
        .into_owned()
}

/// Sets out for the provider of a tenant; gives where the browser is sent.
async fn set_out(app: &App, browser: &mut Browser, tenant: &str) -> String {
    location(&visit(app, browser, &format!("/auth/oidc/{tenant}/start?returnTo=/console")).await)
}

/// The claims of a token that is as it must be.
fn claims(app: &App, provider: &FakeProvider, out: &str) -> Value {
    let now = app.store.clock.now().as_second();
    json!({
        "iss": provider.issuer, "aud": CLIENT, "sub": "248289761001", "nonce": parameter(out, "nonce"),
        "iat": now, "exp": now + 3600, "auth_time": now, "tenant": "andina",
        "email": "ana@andina.example", "email_verified": true, "name": "Ana Rojas",
    })
}

/// Comes back with a code for these claims.
async fn come_back(app: &App, browser: &mut Browser, out: &str, code: &str) -> Answer {
    let state = parameter(out, "state");
    visit(app, browser, &format!("/auth/oidc/callback?code={code}&state={state}")).await
}

#[tokio::test]
async fn what_a_tenant_sets_is_checked_shown_without_its_secret_and_removed() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let provider = FakeProvider::start("").await;
    let path = andina.path("/sign-in");
    boss.get(&app, &path).await.refused(404, "not_found");
    let answer = configure(&app, &mut boss, &andina, &configuration(&provider.issuer)).await.expect(200);
    assert_eq!(answer.body["hasClientSecret"], true);
    assert_eq!(answer.body["redirectUri"], CALLBACK);
    assert!(!answer.body.to_string().contains(SECRET));
    let etag = answer.headers["etag"].to_str().unwrap().to_owned();
    // Without a new secret the one before stays, unless it would go to somebody else.
    let mut change = configuration(&provider.issuer);
    change.as_object_mut().unwrap().remove("clientSecret");
    for (status, version) in [(200, json!(2)), (412, Value::Null)] {
        let mut request = boss.request(Method::PUT, &path, Some(&change));
        put(&mut request, "if-match", &etag);
        let answer = app.send(request).await.expect(status);
        assert_eq!(answer.body["version"], version);
    }
    // Whoever comes too late has nobody called.
    let mut late = change.clone();
    late["issuer"] = json!("http://10.0.0.1");
    let mut request = boss.request(Method::PUT, &path, Some(&late));
    put(&mut request, "if-match", &etag);
    app.send(request).await.refused(412, "stale");
    let other = FakeProvider::start("").await;
    change["issuer"] = json!(other.issuer);
    let answer = configure(&app, &mut boss, &andina, &change).await.refused(422, "validation_failed");
    assert_eq!(answer.body["errors"][0]["pointer"], "/clientSecret");
    boss.order(&app, Method::DELETE, &path).await.expect(204);
    boss.order(&app, Method::DELETE, &path).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_cannot_work_or_opens_too_much_is_not_taken() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let provider = FakeProvider::start("").await;
    let mut boss = boss(&app, &andina).await;
    let cases: [(&str, Value, &str); 15] = [
        ("issuer", json!("http://10.0.0.1"), "/issuer"),
        ("issuer", json!("http://169.254.169.254/latest"), "/issuer"),
        ("issuer", json!("not an address"), "/issuer"),
        ("issuer", json!(format!("{}/other", provider.issuer)), "/issuer"),
        ("issuer", json!(format!("{}?x=1", provider.issuer)), "/issuer"),
        ("clientId", json!(""), "/clientId"),
        ("tenantClaim", json!({ "name": "", "value": "andina" }), "/tenantClaim/name"),
        ("defaultRoles", json!(["owner"]), "/defaultRoles/0"),
        ("defaultRoles", json!(["king"]), "/defaultRoles/0"),
        ("roleClaim", json!({ "name": "groups", "roles": { "a/b": ["owner"] } }), "/roleClaim/roles/a~1b/0"),
        ("emailDomains", json!([]), "/emailDomains"),
        ("emailDomains", json!(["andina.example", "127.0.0.1"]), "/emailDomains/1"),
        ("emailDomains", json!(["business.example"]), "/emailDomains/0"),
        ("exclusive", json!(true), "/breakGlassUserId"),
        ("breakGlassUserId", json!("usr_00000000000000000000000000"), "/breakGlassUserId"),
    ];
    for (member, value, pointer) in cases {
        let mut body = configuration(&provider.issuer);
        body[member] = value.clone();
        let answer = configure(&app, &mut boss, &andina, &body).await.refused(422, "validation_failed");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{member}: {value}");
    }
    // A description that names another issuer, or sends codes over an open line.
    provider.describe("issuer", json!("https://login.evil.example"));
    let refused = configure(&app, &mut boss, &andina, &configuration(&provider.issuer)).await;
    assert_eq!(refused.refused(422, "validation_failed").body["errors"][0]["pointer"], "/issuer");
    // Keys without end: whoever is on the way in holds a copy of them.
    let provider = FakeProvider::start("").await;
    provider.has_more_keys(50);
    let refused = configure(&app, &mut boss, &andina, &configuration(&provider.issuer)).await;
    assert_eq!(refused.refused(422, "validation_failed").body["errors"][0]["pointer"], "/issuer");
    provider.has_more_keys(49);
    configure(&app, &mut boss, &andina, &configuration(&provider.issuer)).await.expect(200);
}

#[tokio::test]
async fn whoever_is_disabled_while_their_provider_is_asked_sets_none() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    boss.step_up(&app).await;
    let me = boss.get(&app, "/auth/me").await.expect(200).body["user"]["userId"].as_str().unwrap().to_owned();
    let provider = FakeProvider::start("").await;
    let held = provider.hold().await;
    let body = configuration(&provider.issuer);
    let setting = app.send(boss.request(Method::PUT, &andina.path("/sign-in"), Some(&body)));
    let meanwhile = async {
        provider.is_asked().await;
        let path = andina.path(&format!("/users/{me}"));
        app.in_person(&andina, Method::PATCH, &path, Some(&json!({ "disabled": true }))).await.expect(200);
        drop(held);
    };
    let (answer, ()) = tokio::join!(setting, meanwhile);
    answer.refused(401, "session_invalid");
    let shown = app.in_person(&andina, Method::GET, &andina.path("/sign-in"), None).await;
    shown.refused(404, "not_found");
}

#[tokio::test]
async fn a_token_of_a_provider_proves_nothing_at_the_api() {
    let app = App::start().await;
    to_the_wall(&app);
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let provider = FakeProvider::start("").await;
    configure(&app, &mut boss, &andina, &configuration(&provider.issuer)).await.expect(200);
    let out = set_out(&app, &mut Browser::new(), "andina").await;
    let token = provider.token(&claims(&app, &provider, &out), fake::Signed::Well);
    for path in [andina.path(""), "/auth/me".into(), "/tenants".into()] {
        let request = crate::support::with_bearer(bare(Method::GET, &path, None), &token);
        assert_eq!(app.send(request).await.status, 401, "{path}");
    }
    let metrics = raw(Method::GET, "/metrics", None);
    assert_ne!(app.send(crate::support::with_bearer(metrics, &token)).await.status, 200);
}

#[tokio::test]
async fn with_the_provider_as_the_only_way_in_one_account_keeps_another() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let me = boss.get(&app, "/auth/me").await.expect(200).body["user"]["userId"].clone();
    let provider = FakeProvider::start("").await;
    let mut body = configuration(&provider.issuer);
    body["exclusive"] = json!(true);
    body["breakGlassUserId"] = me;
    configure(&app, &mut boss, &andina, &body).await.expect(200);
    boss.sign_in_twice(&app, BOSS).await.expect(200);
    app.advance(Duration::from_secs(1));
    // For somebody else it is closed: the account is there, its password right.
    body["breakGlassUserId"] = Value::Null;
    configure(&app, &mut boss, &andina, &body).await.refused(422, "validation_failed");
    app.store.admin("update misy.sign_in_providers set break_glass_user_id = null").await.unwrap();
    let refused = Browser::new().sign_in(&app, BOSS, crate::people::PASSWORD).await;
    refused.refused(403, "provider_required");
}
