//! Secrets, keys and certificates: who may change and end them, and what they speak for.

use crate::{
    certificates::over,
    giving::with_role,
    live::follow,
    makers::{holder, managing},
    people::Browser,
    support::{Answer, App, Tenant, Token, put, with_bearer},
    tokens::claims,
};
use axum::body::Body;
use http::{Method, Request};
use misy_domain::Action;
use misy_testkit::authority::{Authority, GOOD};
use serde_json::{Value, json};
use std::time::Duration;

/// What the administrator does, who may do everything.
async fn by_admin(app: &App, andina: &Tenant, method: Method, path: &str, body: &Value) -> Answer {
    app.in_person(andina, method, &andina.path(path), Some(body)).await
}

async fn secret(app: &App, andina: &Tenant, body: &Value) -> Tenant {
    holder(andina, &by_admin(app, andina, Method::POST, "/secrets", body).await.expect(201))
}

async fn change(app: &App, by: &mut Browser, path: &str, body: &Value) -> Answer {
    by.call_on(&app.router, Method::PATCH, path, Some(body)).await
}

/// Manages much, and its tokens may chat.
fn strong() -> Value {
    json!({
        "permissions": ["chat:read", "chat:write"],
        "actions": ["context-pack:write", "tenant:write", "audit:read"], "overlapSeconds": 3600,
    })
}

/// Lets its tokens chat.
fn weak() -> Value {
    json!({ "permissions": ["chat:read", "chat:write"], "actions": [], "overlapSeconds": 3600 })
}

#[tokio::test]
async fn a_secret_is_changed_ended_and_proved_by_nobody_who_may_do_less_than_it_does() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = app.administrator(&andina, "boss@andina.example").await;
    let actions = [
        Action::SecretsRead,
        Action::SecretsWrite,
        Action::CertificatesRead,
        Action::CertificatesWrite,
        Action::TenantRead,
    ];
    let (mut luis, _) = with_role(&app, &mut boss, &andina, "secrets", &actions).await;
    let strong = secret(&app, &andina, &strong()).await;
    let own = andina.path(&format!("/secrets/{}", strong.secret_id));
    let needs = json!({ "needsCertificate": true });
    app.in_person(&andina, Method::PATCH, &own, Some(&needs)).await.expect(204);
    let asked = json!({ "siteId": "main", "permissions": ["tenant:manage"] });
    app.send(app.server_request(&strong, &asked)).await.refused(401, "certificate_required");

    luis.step_up(&app).await;
    for body in [
        json!({ "needsCertificate": false }),
        json!({ "actions": [] }),
        json!({ "actions": ["tenant:read"] }),
        json!({ "permissions": ["chat:read"] }),
        json!({}),
    ] {
        change(&app, &mut luis, &own, &body).await.refused(403, "permission_denied");
    }
    for query in ["", "?tokens=revoke"] {
        luis.order(&app, Method::DELETE, &format!("{own}{query}")).await.refused(403, "permission_denied");
    }
    // A certificate of theirs is no proof for it, whether it names the secret or not.
    let laptop = Authority::new("clients").unwrap().issue("laptop", GOOD).unwrap();
    let certificates = andina.path("/certificates");
    let named = json!({ "name": "x", "certificate": laptop.pem, "secretKeyId": strong.secret_id });
    luis.post(&app, &certificates, &named).await.refused(403, "permission_denied");
    let of_all = json!({ "name": "x", "certificate": laptop.pem });
    luis.post(&app, &certificates, &of_all).await.expect(201);
    let shown = over(app.server_request(&strong, &asked), &laptop);
    app.send(shown).await.refused(401, "certificate_invalid");
    // Nor do they end it by making another: the other takes over from what they may handle.
    let made = luis.post(&app, &andina.path("/secrets"), &json!({ "overlapSeconds": 0 })).await.expect(201);
    let listed = luis.get(&app, &andina.path("/secrets")).await.expect(200);
    let of = |id: &str| {
        let all = listed.body["items"].as_array().unwrap().iter();
        all.clone().find(|one| one["keyId"] == id).unwrap().clone()
    };
    assert!(of(&strong.secret_id)["expiresAt"].is_null() && of(&strong.secret_id)["revokedAt"].is_null());
    assert_eq!(of(&strong.secret_id)["needsCertificate"], true);
    // Theirs they change and end.
    let mine = andina.path(&format!("/secrets/{}", made.text("keyId")));
    change(&app, &mut luis, &mine, &needs).await.expect(204);
    luis.order(&app, Method::DELETE, &mine).await.expect(204);

    // The administrator's certificate is one, and is not taken away by who may do less.
    let backend = Authority::new("clients").unwrap().issue("backend", GOOD).unwrap();
    let bound = json!({ "name": "backend", "certificate": backend.pem });
    let bound = by_admin(&app, &andina, Method::POST, "/certificates", &bound).await.expect(201);
    app.send(over(app.server_request(&strong, &asked), &backend)).await.expect(201);
    let bound = format!("/certificates/{}", bound.text("certificateId"));
    luis.order(&app, Method::DELETE, &andina.path(&bound)).await.refused(403, "permission_denied");
    app.send(over(app.server_request(&strong, &asked), &backend)).await.expect(201);
    app.in_person(&andina, Method::DELETE, &andina.path(&bound), None).await.expect(204);
    app.in_person(&andina, Method::DELETE, &own, None).await.expect(204);
}

#[tokio::test]
async fn a_program_ends_no_key_and_no_secret_that_gives_more_than_its_own() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let narrow = json!({
        "permissions": ["chat:read"], "overlapSeconds": 3600,
        "actions": ["keys:read", "keys:write", "secrets:read", "secrets:write"],
    });
    let strong = secret(&app, &andina, &strong()).await;
    let token = managing(&app, &secret(&app, &andina, &narrow).await).await;
    let listed = app.call(&token, Method::GET, &andina.path("/keys"), None).await.expect(200);
    for key in listed.body["items"].as_array().unwrap().iter().filter(|key| key["kind"] == "publishable") {
        let path = andina.path(&format!("/keys/{}", key["keyId"].as_str().unwrap()));
        app.call(&token, Method::DELETE, &path, None).await.refused(403, "permission_denied");
    }
    let path = andina.path(&format!("/secrets/{}", strong.secret_id));
    app.call(&token, Method::DELETE, &path, None).await.refused(403, "permission_denied");
    let next = json!({ "overlapSeconds": 0 });
    app.call(&token, Method::POST, &andina.path("/secrets"), Some(&next)).await.expect(201);
    managing(&app, &strong).await;
    app.browser(&andina).await;
}

#[tokio::test]
async fn what_somebody_made_ends_with_them_only_by_who_may_end_it_alone() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = app.administrator(&andina, "boss@andina.example").await;
    let making = [Action::SecretsRead, Action::SecretsWrite];
    let (mut eva, eva_id) = with_role(&app, &mut boss, &andina, "making", &making).await;
    let people = [Action::UsersRead, Action::UsersWrite, Action::SecretsRead, Action::SecretsWrite];
    let (mut luis, _) = with_role(&app, &mut boss, &andina, "people", &people).await;
    eva.step_up(&app).await;
    let made = holder(&andina, &eva.post(&app, &andina.path("/secrets"), &json!({})).await.expect(201));
    // It does more since than who made it could.
    let path = andina.path(&format!("/secrets/{}", made.secret_id));
    app.in_person(&andina, Method::PATCH, &path, Some(&strong_grant())).await.expect(204);
    luis.step_up(&app).await;
    let user = andina.path(&format!("/users/{eva_id}"));
    luis.order(&app, Method::DELETE, &format!("{user}?made=revoke")).await.refused(403, "permission_denied");
    let disable = json!({ "disabled": true });
    change(&app, &mut luis, &format!("{user}?made=revoke"), &disable).await.refused(403, "permission_denied");
    managing(&app, &made).await;
    app.in_person(&andina, Method::DELETE, &format!("{user}?made=revoke"), None).await.expect(200);
    app.send(app.server_request(&made, &json!({ "siteId": "main" }))).await.refused(401, "signature_invalid");
}

fn strong_grant() -> Value {
    json!({ "actions": ["audit:read", "tenant:write"] })
}

#[tokio::test]
async fn a_site_goes_with_its_keys_and_certificates_only_by_who_may_end_those() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (mut manager, _) = app.somebody(&andina, &["manager"]).await;
    for id in ["plain", "keyed", "bound"] {
        let site = json!({ "siteId": id, "origins": [format!("https://{id}.andina.example")] });
        by_admin(&app, &andina, Method::POST, "/sites", &site).await.expect(201);
    }
    let key = json!({ "siteId": "keyed" });
    let key = by_admin(&app, &andina, Method::POST, "/keys", &key).await.expect(201);
    let bound = json!({ "name": "x", "fingerprint": "ab".repeat(32), "siteId": "bound" });
    by_admin(&app, &andina, Method::POST, "/certificates", &bound).await.expect(201);
    manager.order(&app, Method::DELETE, &andina.path("/sites/plain")).await.expect(204);
    for site in ["keyed", "bound"] {
        let path = andina.path(&format!("/sites/{site}"));
        let refused = manager.order(&app, Method::DELETE, &path).await;
        assert!(["permission_denied", "step_up_required"].contains(&refused.code()), "{}", refused.body);
        manager.get(&app, &path).await.expect(200);
    }
    let mut mint = app.mint_request(&andina, &json!({ "siteId": "keyed" }));
    put(&mut mint, "x-api-key", &key.text("key"));
    put(&mut mint, "origin", "https://keyed.andina.example");
    app.send(mint).await.expect(201);
    // Without its key, it goes.
    let path = andina.path(&format!("/keys/{}", key.text("keyId")));
    app.in_person(&andina, Method::DELETE, &path, None).await.expect(204);
    manager.order(&app, Method::DELETE, &andina.path("/sites/keyed")).await.expect(204);
    app.in_person(&andina, Method::DELETE, &andina.path("/sites/bound"), None).await.expect(204);
}

/// A token to be renewed by a server, which signs with its secret.
fn renewal(app: &App, server: &Tenant, old: &Token, body: &Value) -> Request<Body> {
    let bytes = body.to_string();
    let mut request =
        app.signed_by(&server.secret, Some(&old.text), Method::POST, "/tokens", Some(bytes.as_bytes()));
    put(&mut request, "x-misy-key", &server.secret_id);
    with_bearer(request, &old.text)
}

#[tokio::test]
async fn a_secret_signs_for_its_own_tokens_and_renews_no_others() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let strong = secret(&app, &andina, &strong()).await;
    let weak = secret(&app, &andina, &weak()).await;
    let token = managing(&app, &strong).await;
    let forged = Token { key: weak.secret.clone(), ..token.clone() };
    let change = json!({ "businessIndustry": "Weak did it" });
    for server in [&weak, &andina] {
        let forged = Token { key: server.secret.clone(), ..token.clone() };
        app.call(&forged, Method::PATCH, &andina.path(""), Some(&change))
            .await
            .refused(401, "signature_invalid");
    }
    app.call(&forged, Method::GET, &andina.path("/audit"), None).await.refused(401, "signature_invalid");
    app.call(&token, Method::PATCH, &andina.path(""), Some(&change)).await.expect(200);

    // The text of a visitor's token, or of another secret's, opens no conversation.
    let visitor = app.browser(&andina).await;
    let session = app.session(&visitor).await;
    app.say(&visitor, &session, "mi número secreto es 4711").await.expect(202);
    let body = json!({ "siteId": "main", "sig": "tenant", "permissions": ["chat:read", "chat:write"] });
    app.send(renewal(&app, &weak, &visitor, &body)).await.refused(401, "token_invalid");
    app.send(renewal(&app, &weak, &token, &body)).await.refused(401, "token_invalid");
    let chat = json!({ "siteId": "main", "sig": "token" });
    let other = app.server(&strong, chat.clone()).await;
    app.send(renewal(&app, &weak, &other, &chat)).await.refused(401, "token_invalid");
    // Its own it renews.
    let own = app.server(&weak, chat.clone()).await;
    let session = app.session(&own).await;
    let next = app.send(renewal(&app, &weak, &own, &body)).await.expect(201);
    let next = Token::of(&next.body, Some(&weak.secret), None);
    assert_eq!(claims(&next.text)["family"], claims(&own.text)["jti"]);
    app.call(&next, Method::GET, &format!("/sessions/{session}/messages"), None).await.expect(200);
}

#[tokio::test]
async fn a_rotated_secret_goes_on_for_the_one_it_took_over_from_as_far_as_it_carries_the_same() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let old = managing(&app, &andina).await;
    let chat = json!({ "siteId": "main", "sig": "token" });
    let chain = app.server(&andina, chat.clone()).await;
    let session = app.session(&chain).await;
    let second = secret(&app, &andina, &json!({ "overlapSeconds": 60 })).await;
    let third = secret(&app, &andina, &json!({ "overlapSeconds": 3600 })).await;
    // Servers change over one after the other: with the same token, whichever of the secrets they have.
    for server in [&andina, &second, &third] {
        let token = Token { key: server.secret.clone(), ..old.clone() };
        app.call(&token, Method::GET, &andina.path(""), None).await.expect(200);
    }
    // The other way round nothing goes.
    let newest = managing(&app, &third).await;
    let backwards = Token { key: second.secret.clone(), ..newest };
    app.call(&backwards, Method::GET, &andina.path(""), None).await.refused(401, "signature_invalid");
    // What takes over is less: it signs for nothing that was more.
    let path = andina.path(&format!("/secrets/{}", third.secret_id));
    let less = json!({ "actions": ["tenant:read"] });
    app.in_person(&andina, Method::PATCH, &path, Some(&less)).await.expect(204);
    let token = Token { key: third.secret.clone(), ..old.clone() };
    app.call(&token, Method::GET, &andina.path(""), None).await.refused(401, "signature_invalid");
    // Chains go on beyond the end of the secret that began them.
    app.advance(Duration::from_secs(61));
    app.call(&old, Method::GET, &andina.path(""), None).await.refused(401, "signature_invalid");
    let next = app.send(renewal(&app, &third, &chain, &chat)).await.expect(201);
    let next = Token::of(&next.body, None, None);
    app.call(&next, Method::GET, &format!("/sessions/{session}/messages"), None).await.expect(200);
}

#[tokio::test]
async fn a_secret_that_is_over_gives_its_tokens_nothing_back() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let narrow = json!({ "permissions": ["chat:read"] });
    let chat = json!({ "siteId": "main", "sig": "token" });
    let page = json!({ "siteId": "main", "origin": andina.origin });
    let open = json!({ "channel": "web" });
    // Revoked, or run out.
    for revoke in [true, false] {
        let server = secret(&app, &andina, &weak()).await;
        let tokens = [app.server(&server, chat.clone()).await, app.server(&server, page.clone()).await];
        for token in &tokens {
            app.session(token).await;
        }
        let path = andina.path(&format!("/secrets/{}", server.secret_id));
        app.in_person(&andina, Method::PATCH, &path, Some(&narrow)).await.expect(204);
        for token in &tokens {
            app.call(token, Method::POST, "/sessions", Some(&open)).await.refused(403, "permission_denied");
        }
        if revoke {
            app.in_person(&andina, Method::DELETE, &path, None).await.expect(204);
        } else {
            secret(&app, &andina, &json!({ "overlapSeconds": 1 })).await;
            app.advance(Duration::from_secs(2));
        }
        for token in &tokens {
            app.call(token, Method::POST, "/sessions", Some(&open)).await.refused(403, "permission_denied");
        }
    }
}

#[tokio::test]
async fn an_open_stream_ends_when_its_secret_may_read_no_more() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let server = secret(&app, &andina, &weak()).await;
    let token = app.server(&server, json!({ "siteId": "main", "sig": "token" })).await;
    let session = app.session(&token).await;
    let mut events = follow(&app, &token, &session, None).await;
    events.expect("status").await;
    let path = andina.path(&format!("/secrets/{}", server.secret_id));
    let write = json!({ "permissions": ["chat:write"] });
    app.in_person(&andina, Method::PATCH, &path, Some(&write)).await.expect(204);
    let history = format!("/sessions/{session}/messages");
    app.call(&token, Method::GET, &history, None).await.refused(403, "permission_denied");
    assert_eq!(events.expect("status").await.data["ending"], "permission_denied");
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_personal_token_waits_for_no_role_that_its_maker_has_not_got() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (mut eva, _) = app.somebody(&andina, &["analyst"]).await;
    let expires =
        (misy_domain::Clock::now(&*app.store.clock) + jiff::SignedDuration::from_hours(24)).to_string();
    let token = |scopes: Value| json!({ "name": "x", "scopes": scopes, "expiresAt": expires });
    for beyond in [json!(["tenant:write"]), json!(["usage:read", "users:read"]), json!(["audit:export"])] {
        eva.post(&app, "/auth/tokens", &token(beyond)).await.refused(403, "permission_denied");
    }
    eva.post(&app, "/auth/tokens", &token(json!(["usage:read", "sites:read"]))).await.expect(201);
}

#[tokio::test]
async fn a_plan_is_given_with_a_fresh_second_factor_by_whichever_call() {
    let app = App::start().await;
    let owner = app.owner().await;
    let (mut olga, _) = app.somebody(&owner, &["owner"]).await;
    app.advance(Duration::from_mins(6));
    let mut body = crate::support::registration("Verde", "https://verde.example");
    body["plan"] = json!("ENTERPRISE");
    for path in ["/tenants", "/tenants/register"] {
        olga.post(&app, path, &body).await.refused(401, "step_up_required");
        app.with_token(&owner, Method::POST, path, Some(&body)).await.refused(401, "step_up_required");
    }
    app.in_person(&owner, Method::POST, "/tenants", Some(&body)).await.expect(201);
    body["plan"] = json!("FREE");
    body["tenantId"] = json!("rojo");
    olga.post(&app, "/tenants", &body).await.expect(201);
}

/// What goes when something else goes, and why whoever may remove the one may remove the other.
const GOES_WITH: [(&str, &str, &str); 34] = [
    ("api_keys", "enrollments", "is a part of it"),
    ("certificates", "certificate_holders", "is a part of it"),
    ("channel_accounts", "channel_threads", "no call removes an account"),
    ("channel_accounts", "expected_messages", "no call removes an account"),
    ("channel_threads", "deliveries", "is a part of it, and no call removes one"),
    ("contact_identities", "channel_threads", "is a part of it, and no call removes one"),
    ("contacts", "attachments", "is a part of it"),
    ("contacts", "bookings", "is a part of it"),
    ("contacts", "contact_identities", "is a part of it"),
    ("contacts", "contact_keys", "is a part of it"),
    ("contacts", "conversations", "is a part of it"),
    ("contacts", "sessions", "is a part of it"),
    ("conversations", "attachments", "is a part of it"),
    ("conversations", "booking_forms", "is a part of it"),
    ("conversations", "bookings", "is a part of it"),
    ("conversations", "channel_threads", "is a part of it"),
    ("conversations", "conversation_notes", "is a part of it"),
    ("conversations", "decisions", "is a part of it"),
    ("conversations", "messages", "is a part of it"),
    ("conversations", "sessions", "is a part of it"),
    ("deliveries", "delivery_pieces", "is a part of it: whoever drops the one drops the other"),
    ("sites", "api_keys", "deleteSite asks for keys:write too, and handles them"),
    ("sites", "certificates", "deleteSite asks for certificates:write too, and handles them"),
    ("sites", "sessions", "is a part of it, and no other call removes one"),
    ("sites", "site_origins", "is a part of it"),
    ("tenant_secrets", "certificates", "no call removes a secret"),
    ("users", "federated_identities", "is a part of them, who are handled"),
    ("users", "passkeys", "is a part of them, who are handled"),
    ("users", "personal_tokens", "is a part of them, who are handled"),
    ("users", "sign_in_providers", "forgets who it was that comes in without it"),
    ("users", "user_devices", "is a part of them, who are handled"),
    ("users", "user_recovery_codes", "is a part of them, who are handled"),
    ("users", "user_sessions", "is a part of them, who are handled"),
    ("users", "user_tickets", "is a part of them, who are handled"),
];

#[tokio::test]
async fn nothing_goes_with_something_else_that_its_own_call_would_have_guarded() {
    let app = App::start().await;
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let cascades: Vec<(String, String)> = sqlx::query_as(
        "select parent.relname, child.relname from pg_constraint k
         join pg_class parent on parent.oid = k.confrelid join pg_class child on child.oid = k.conrelid
         where k.contype = 'f' and k.confdeltype in ('c', 'n', 'd') and parent.relname <> 'tenants'
             and parent.relnamespace::regnamespace::text in ('misy', 'platform') and not child.relispartition
         order by 1, 2",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    let known: Vec<_> =
        GOES_WITH.iter().map(|(parent, child, _)| ((*parent).to_owned(), (*child).to_owned())).collect();
    assert_eq!(cascades, known, "say of the new one whose call guards it");
}
