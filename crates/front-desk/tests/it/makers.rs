//! What people and programs make goes on without them: it does no more than its maker could, names them, and ends with them if
//! somebody wants that.

use crate::{
    people::Browser,
    support::{Answer, App, Tenant, Token, key_of},
    users::joined,
};
use http::Method;
use serde_json::{Value, json};

const ANA: &str = "ana@business.example";
const DEV: &str = "dev@business.example";

/// Somebody whose server has the secret that an answer shows.
pub(crate) fn holder(tenant: &Tenant, made: &Answer) -> Tenant {
    Tenant { secret_id: made.text("keyId"), secret: key_of(&made.text("secret")), ..tenant.clone() }
}

pub(crate) async fn managing(app: &App, server: &Tenant) -> Token {
    app.server(server, json!({ "siteId": "main", "permissions": ["tenant:manage"] })).await
}

/// A developer, with a second factor.
async fn developer(app: &App, ana: &mut Browser, tenant: &Tenant) -> (Browser, String) {
    let (mut dev, id) = joined(app, ana, tenant, DEV, &["developer"]).await;
    dev.enroll_app(app).await;
    (dev, id)
}

fn actions(answer: &Value) -> Vec<&str> {
    answer["actions"].as_array().unwrap().iter().map(|action| action.as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_secret_of_a_registration_carries_all_but_people_roles_and_privileged_operations() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = managing(&app, &andina).await;
    let listed = app.call(&token, Method::GET, &andina.path("/secrets"), None).await.expect(200);
    let carried = actions(&listed.body["items"][0]);
    for action in
        ["context-pack:write", "sites:write", "keys:write", "secrets:write", "audit:read", "tokens:revoke"]
    {
        assert!(carried.contains(&action), "{carried:?}");
    }
    for action in
        ["users:read", "users:write", "roles:write", "sign-in:write", "privilege:use", "tenant:delete"]
    {
        assert!(!carried.contains(&action), "{carried:?}");
    }
    app.call(&token, Method::GET, &andina.path("/audit"), None).await.expect(200);
    app.call(&token, Method::GET, &andina.path("/users"), None).await.refused(403, "permission_denied");
}

#[tokio::test]
async fn a_secret_does_no_more_than_who_made_it_could() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (mut dev, id) = developer(&app, &mut ana, &andina).await;
    let path = andina.path("/secrets");
    // Asked for beyond one's own it is refused; what is no program's is nobody's to give.
    let beyond = json!({ "actions": ["sites:read", "audit:read"] });
    dev.post(&app, &path, &beyond).await.refused(403, "permission_denied");
    let people = json!({ "actions": ["users:write"] });
    for browser in [&mut dev, &mut ana] {
        browser.post(&app, &path, &people).await.refused(422, "validation_failed");
    }
    // Not asked for, it goes on as the one before, as far as its maker goes.
    let made = dev.post(&app, &path, &json!({ "overlapSeconds": 3600 })).await.expect(201);
    assert_eq!(made.text("madeBy"), id);
    let carried = actions(&made.body);
    assert!(carried.contains(&"sites:write") && !carried.contains(&"audit:read"), "{carried:?}");
    let server = holder(&andina, &made);
    let token = managing(&app, &server).await;
    app.call(&token, Method::GET, &andina.path("/sites"), None).await.expect(200);
    app.call(&token, Method::GET, &andina.path("/audit"), None).await.refused(403, "permission_denied");
    let plain = json!({ "contactEmail": "eva@evil.example" });
    app.call(&token, Method::PATCH, &andina.path(""), Some(&plain)).await.refused(403, "permission_denied");
    // Nor does what such a secret makes: by itself, by asking, or by changing what is there.
    let more = json!({ "actions": ["audit:read"] });
    app.call(&token, Method::POST, &path, Some(&more)).await.refused(403, "permission_denied");
    let own = format!("{path}/{}", server.secret_id);
    app.call(&token, Method::PATCH, &own, Some(&more)).await.refused(403, "permission_denied");
    let next = app.call(&token, Method::POST, &path, Some(&json!({}))).await.expect(201);
    assert_eq!(actions(&next.body), carried);
    assert_eq!(next.text("madeBy"), server.secret_id);
}

#[tokio::test]
async fn what_is_taken_from_a_secret_is_taken_from_its_tokens_at_once() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let all = json!({ "siteId": "main", "permissions": ["tenant:manage", "chat:read", "chat:write"], "sig": "token" });
    let token = app.server(&andina, all).await;
    let path = andina.path(&format!("/secrets/{}", andina.secret_id));
    let mut change = async |body: &Value| {
        ana.step_up(&app).await;
        ana.call_on(&app.router, Method::PATCH, &path, Some(body)).await.expect(204);
    };
    let can =
        async |target: &str| app.call(&token, Method::GET, &andina.path(target), None).await.status == 200;
    assert!(can("/sites").await && can("/keys").await);
    change(&json!({ "actions": ["keys:read"] })).await;
    assert!(!can("/sites").await && can("/keys").await);
    app.session(&token).await;
    change(&json!({ "permissions": ["chat:read", "tenant:manage"] })).await;
    assert!(can("/keys").await);
    let session = json!({ "channel": "web" });
    app.call(&token, Method::POST, "/sessions", Some(&session)).await.refused(403, "permission_denied");
    // Left out, management is gone.
    change(&json!({ "permissions": ["chat:read", "chat:write"] })).await;
    assert!(!can("/keys").await);
    let asked = json!({ "siteId": "main", "permissions": ["tenant:manage"] });
    app.send(app.server_request(&andina, &asked)).await.refused(403, "permission_denied");
    change(&json!({ "actions": ["keys:read"] })).await;
    assert!(can("/keys").await);
    // And a secret that is revoked manages nothing, even through tokens that live on to chat.
    ana.order(&app, Method::DELETE, &path).await.expect(204);
    assert!(!can("/keys").await);
}

#[tokio::test]
async fn a_server_revokes_tokens_only_if_its_secret_carries_that() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let made =
        ana.post(&app, &andina.path("/secrets"), &json!({ "actions": ["sites:read"] })).await.expect(201);
    let token = managing(&app, &holder(&andina, &made)).await;
    let victim = app.browser(&andina).await;
    let body = json!({ "token": victim.text });
    app.call(&token, Method::POST, "/tokens/revoke", Some(&body)).await.refused(403, "permission_denied");
    app.session(&victim).await;
    // A person may, in the browser too.
    ana.post(&app, "/tokens/revoke", &body).await.expect(204);
    let session = json!({ "channel": "web" });
    app.call(&victim, Method::POST, "/sessions", Some(&session)).await.refused(401, "token_revoked");
}

#[tokio::test]
async fn who_is_disabled_or_removed_leaves_nothing_behind_that_nobody_was_told_of() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (mut dev, id) = developer(&app, &mut ana, &andina).await;
    let made = dev.post(&app, &andina.path("/secrets"), &json!({ "name": "of dev" })).await.expect(201);
    let server = holder(&andina, &made);
    let token = managing(&app, &server).await;
    // A secret that the secret made, a key and a certificate.
    let second = app.call(&token, Method::POST, &andina.path("/secrets"), Some(&json!({}))).await.expect(201);
    let second = holder(&andina, &second);
    let key = dev.post(&app, &andina.path("/keys"), &json!({ "siteId": "main" })).await.expect(201);
    let certificate = json!({ "name": "laptop", "fingerprint": "ab".repeat(32) });
    let certificate = dev.post(&app, &andina.path("/certificates"), &certificate).await.expect(201);
    let account = json!({ "channel": "api", "name": "CRM", "callbackUrl": "https://crm.andina.example/" });
    let account = dev.post(&app, &andina.path("/channels"), &account).await.expect(201);
    let now = misy_domain::Clock::now(&*app.store.clock);
    let expires = now.checked_add(jiff::SignedDuration::from_hours(24)).unwrap().to_string();
    let personal = json!({ "name": "ci", "scopes": ["sites:read"], "expiresAt": expires });
    let personal = dev.post(&app, "/auth/tokens", &personal).await.expect(201);
    let expected = [
        ("secret", made.text("keyId"), id.clone()),
        ("secret", second.secret_id.clone(), made.text("keyId")),
        ("key", key.text("keyId"), id.clone()),
        ("certificate", certificate.text("certificateId"), id.clone()),
        ("channel_account", account.text("accountId"), id.clone()),
        ("personal_token", personal.text("tokenId"), id.clone()),
    ];
    let told = |answer: &Answer| -> Vec<(String, String, String, bool)> {
        let items = answer.body["made"].as_array().unwrap().iter();
        let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
        let mut told: Vec<_> = items
            .map(|item| {
                let revoked = item["revoked"].as_bool().unwrap();
                (text(item, "kind"), text(item, "id"), text(item, "madeBy"), revoked)
            })
            .collect();
        told.sort();
        told
    };
    let all = |revoked: fn(&str) -> bool| {
        let mut all: Vec<_> = expected
            .iter()
            .map(|(kind, id, by)| ((*kind).to_owned(), id.clone(), by.clone(), revoked(kind)))
            .collect();
        all.sort();
        all
    };
    let path = andina.path(&format!("/users/{id}"));
    ana.step_up(&app).await;
    let body = json!({ "disabled": true });
    let disabled = ana.call_on(&app.router, Method::PATCH, &path, Some(&body)).await.expect(200);
    assert_eq!(disabled.body["status"], "disabled");
    assert_eq!(told(&disabled), all(|kind| kind == "personal_token"));
    // Kept, it goes on …
    app.call(&token, Method::GET, &andina.path("/sites"), None).await.expect(200);
    managing(&app, &second).await;
    // … until it is revoked, with what it gave, however far down.
    let gone = ana
        .call_on(&app.router, Method::PATCH, &format!("{path}?made=revoke"), Some(&body))
        .await
        .expect(200);
    assert_eq!(
        told(&gone),
        all(|_| true).into_iter().filter(|one| one.0 != "personal_token").collect::<Vec<_>>()
    );
    app.call(&token, Method::GET, &andina.path("/sites"), None).await.refused(401, "token_revoked");
    for server in [&server, &second] {
        let asked = app.server_request(server, &json!({ "siteId": "main" }));
        app.send(asked).await.refused(401, "signature_invalid");
    }
    // Whoever leaves nothing is removed without further words.
    ana.order(&app, Method::DELETE, &path).await.expect(204);
}

#[tokio::test]
async fn what_somebody_made_is_revoked_in_the_moment_they_are_removed() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (mut dev, id) = developer(&app, &mut ana, &andina).await;
    let made = dev.post(&app, &andina.path("/secrets"), &json!({})).await.expect(201);
    let server = holder(&andina, &made);
    managing(&app, &server).await;
    ana.step_up(&app).await;
    let path = andina.path(&format!("/users/{id}?made=revoke"));
    let removed = ana.order(&app, Method::DELETE, &path).await.expect(200);
    assert_eq!(removed.body["made"][0]["id"], made.text("keyId"));
    assert_eq!(removed.body["made"][0]["revoked"], true);
    app.send(app.server_request(&server, &json!({ "siteId": "main" })))
        .await
        .refused(401, "signature_invalid");
    let trail =
        app.in_person(&andina, Method::GET, &andina.path("/audit?action=removeUser"), None).await.expect(200);
    assert!(trail.body.to_string().contains(&made.text("keyId")), "{}", trail.body);
}
