//! The owner, once; tenants, by whoever may.

use crate::{
    people::Browser,
    support::{App, BOOTSTRAP, Tenant, bare, put, registration, with_bearer},
};
use http::Method;
use jiff::SignedDuration;
use misy_domain::{Clock, KeyId, Timestamp};
use misy_front_desk::SelfRegistration;
use misy_store::users::enrollments::{self, Held};
use serde_json::json;

#[tokio::test]
async fn the_owner_is_registered_once_and_only_with_the_secret() {
    let app = App::start().await;
    let body = registration("Cualquier Nombre", "https://colombiatic.example");
    let request = || bare(Method::POST, "/tenants/register/owner", Some(&body));
    app.send(request()).await.refused(401, "bootstrap_secret_invalid");
    for wrong in ["", "x", "correct horse battery stapl", "correct horse battery staple "] {
        app.send(with_bearer(request(), wrong)).await.refused(401, "bootstrap_secret_invalid");
    }
    let mut other = body.clone();
    other["tenantId"] = json!("somebody");
    let other = bare(Method::POST, "/tenants/register/owner", Some(&other));
    app.send(with_bearer(other, BOOTSTRAP)).await.refused(422, "validation_failed");
    let answer = app.send(with_bearer(request(), BOOTSTRAP)).await.expect(201);
    assert_eq!(
        (answer.text("tenantId"), answer.text("tenantType")),
        ("colombiatic".to_owned(), "owner".to_owned())
    );
    assert_eq!(answer.body["site"], json!({ "siteId": "main", "origins": ["https://colombiatic.example"] }));
    assert!(answer.body["publishableKey"]["key"].as_str().unwrap().starts_with("pk_live_"));
    let token = answer.body["enrollment"]["token"].as_str().unwrap();
    assert_eq!(answer.body["enrollment"]["url"], format!("https://api.misy.example/enroll#token={token}"));
    app.send(with_bearer(request(), BOOTSTRAP)).await.refused(409, "owner_already_registered");

    let owner = Tenant::of(&answer.body);
    app.desk.audit.shutdown().await;
    let path = owner.path("/audit?action=registerOwner&limit=100");
    // The audit log takes nothing more, so this read is told to the program's log instead.
    let trail = app.manage(&owner, Method::GET, &path, None).await.expect(200);
    let outcomes: Vec<_> =
        trail.body["items"].as_array().unwrap().iter().map(|e| e["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "bootstrap_secret_invalid").count(), 5);
    assert!(outcomes.contains(&"owner_already_registered"));
}

#[tokio::test]
async fn of_two_owners_at_once_one_wins() {
    let app = App::start().await;
    let body = registration("ColombiaTIC", "https://colombiatic.example");
    let request = || with_bearer(bare(Method::POST, "/tenants/register/owner", Some(&body)), BOOTSTRAP);
    let (a, b, c, d) =
        tokio::join!(app.send(request()), app.send(request()), app.send(request()), app.send(request()));
    let mut statuses = [a.status.as_u16(), b.status.as_u16(), c.status.as_u16(), d.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}

#[tokio::test]
async fn every_mistake_is_told_at_once() {
    let app = App::start().await;
    let owner = app.owner().await;
    let body = json!({
        "tenantName": " ", "contactEmail": "nobody", "websiteUrl": "not a url", "businessIndustry": "x".repeat(200),
        "locale": "español", "timezone": "Mars/Olympus", "tenantId": "A b", "origins": ["https://a.example/", "*"]
    });
    let answer = app
        .manage(&owner, Method::POST, "/tenants/register", Some(&body))
        .await
        .refused(422, "validation_failed");
    let pointers: Vec<_> =
        answer.body["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    for expected in ["/websiteUrl", "/locale", "/timezone", "/tenantId", "/origins/0", "/origins/1"] {
        assert!(pointers.contains(&expected), "{expected} in {pointers:?}");
    }
    let body = json!({ "tenantName": "\u{202e}", "contactEmail": "nobody", "websiteUrl": "https://a.example", "businessIndustry": "" });
    let answer = app
        .manage(&owner, Method::POST, "/tenants/register", Some(&body))
        .await
        .refused(422, "validation_failed");
    let pointers: Vec<_> =
        answer.body["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    for expected in ["/tenantName", "/contactEmail", "/businessIndustry"] {
        assert!(pointers.contains(&expected), "{expected} in {pointers:?}");
    }
}

#[tokio::test]
async fn who_may_register_a_tenant_is_the_operators_choice() {
    let body = registration("Verde Café", "https://verde.example");
    let anonymous = || bare(Method::POST, "/tenants/register", Some(&body));

    let app = App::start().await;
    let owner = app.owner().await;
    app.send(anonymous()).await.refused(401, "token_missing");
    let verde = app.manage(&owner, Method::POST, "/tenants/register", Some(&body)).await.expect(201);
    assert_eq!(verde.text("tenantId"), "verde-cafe");
    let verde = Tenant::of(&verde.body);
    app.manage(&verde, Method::POST, "/tenants/register", Some(&body))
        .await
        .refused(403, "permission_denied");
    for id in ["verde-cafe", "colombiatic", "register", "admin", "misy"] {
        let mut body = body.clone();
        body["tenantId"] = json!(id);
        app.manage(&owner, Method::POST, "/tenants/register", Some(&body)).await.refused(409, "conflict");
    }

    let app = App::start_with(|settings| settings.self_registration = SelfRegistration::Open).await;
    app.owner().await;
    let mut paid = body.clone();
    paid["plan"] = json!("PRO");
    app.send(bare(Method::POST, "/tenants/register", Some(&paid))).await.refused(422, "validation_failed");
    let mut guessable = anonymous();
    put(&mut guessable, "idempotency-key", "1");
    app.send(guessable).await.refused(400, "bad_request");
    app.send(anonymous()).await.expect(201);

    let app = App::start_with(|settings| settings.self_registration = SelfRegistration::Off).await;
    let owner = app.owner().await;
    app.manage(&owner, Method::POST, "/tenants/register", Some(&body)).await.refused(404, "not_found");
    app.manage(&owner, Method::POST, "/tenants", Some(&body)).await.expect(201);
}

#[tokio::test]
async fn the_token_of_a_registration_ends_after_a_week_and_can_be_revoked() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let keys = app.manage(&andina, Method::GET, &andina.path("/keys"), None).await.expect(200);
    let administrator =
        keys.body["items"].as_array().unwrap().iter().find(|k| k["kind"] == "administrator").unwrap();
    let id = administrator["keyId"].as_str().unwrap();
    app.manage(&owner, Method::DELETE, &andina.path(&format!("/keys/{id}")), None).await.expect(204);
    app.with_token(&andina, Method::GET, &andina.path(""), None).await.refused(401, "token_revoked");
    app.advance(std::time::Duration::from_hours(24 * 7));
    app.with_token(&owner, Method::GET, "/tenants", None).await.refused(401, "token_expired");
}

#[tokio::test]
async fn the_token_of_a_registration_is_judged_when_nobody_else_can_change_it_any_more() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (store, tenant) = (&app.store, andina.tenant_id());
    let key: String = sqlx::query_scalar(
        "select key_id from misy.api_keys where tenant_id = 'andina' and kind = 'administrator'",
    )
    .fetch_one(&mut store.connect_as("postgres").await.unwrap())
    .await
    .unwrap();
    let key: KeyId = key.parse().unwrap();
    let held = async |now: Timestamp| {
        let mut tx = store.database.tenant("test", &tenant).await.unwrap();
        enrollments::hold(&mut tx, key, now).await.unwrap()
    };
    let now = store.clock.now();
    assert_eq!(held(now).await, Held::Good);
    assert_eq!(held(now + SignedDuration::from_hours(24 * 365)).await, Held::Dead, "it is over");
    store.admin(format!("update misy.api_keys set revoked_at = now() where key_id = '{key}'")).await.unwrap();
    assert_eq!(held(now).await, Held::Dead, "it was revoked while somebody's password was hashed");
    let asked = App::enrollment(&andina, "ana@business.example");
    Browser::new().post(&app, "/auth/enroll", &asked).await.refused(401, "token_invalid");
}
