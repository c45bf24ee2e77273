//! What the token of a registration opens before somebody enrols with it: what a program could, and nothing that asks for a person.

use crate::support::{App, Tenant, registration};
use http::Method;
use misy_store::{StoreError, provisioning};
use serde_json::{Value, json};
use std::time::Duration;

/// What the token did once as an administrator without a second factor.
fn for_people(tenant: &Tenant) -> Vec<(Method, String, Option<Value>)> {
    let user = "usr_00000000000000000000000000";
    let provider = json!({
        "issuer": "https://evil.example", "clientId": "x", "tenantClaim": { "name": "tenant", "value": tenant.id }
    });
    let people = json!({ "email": "eva@evil.example", "name": "Eva", "roles": ["admin"] });
    let certificate = json!({ "name": "evil", "fingerprint": "ab".repeat(32) });
    let role = json!({ "roleId": "evil", "actions": ["users:write"] });
    vec![
        (Method::GET, tenant.path("/users"), None),
        (Method::POST, tenant.path("/users"), Some(people)),
        (Method::PATCH, tenant.path(&format!("/users/{user}")), Some(json!({ "roles": ["admin"] }))),
        (Method::DELETE, tenant.path(&format!("/users/{user}")), None),
        (Method::POST, tenant.path(&format!("/users/{user}/second-factor-reset")), None),
        (Method::POST, tenant.path(&format!("/users/{user}/password-reset")), None),
        (Method::POST, tenant.path("/roles"), Some(role)),
        (Method::PUT, tenant.path("/sign-in"), Some(provider)),
        (Method::POST, tenant.path("/secrets"), Some(json!({}))),
        (Method::POST, tenant.path("/certificates"), Some(certificate)),
        (Method::POST, tenant.path("/close"), None),
        (Method::DELETE, tenant.path(""), None),
        (Method::POST, tenant.path("/reopen"), None),
    ]
}

#[tokio::test]
async fn the_token_of_a_registration_does_nothing_that_asks_for_a_person() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    for (method, path, body) in for_people(&andina) {
        let answer = app.with_token(&andina, method.clone(), &path, body.as_ref()).await;
        let answer = answer.refused(401, "step_up_required");
        assert!(
            answer.text("detail").starts_with("A person with a second factor"),
            "{method} {path}: {}",
            answer.body
        );
    }
    // The owner's is no owner, neither of its own tenant nor of another.
    for (method, path, body) in for_people(&owner) {
        app.with_token(&owner, method, &path, body.as_ref()).await.refused(401, "step_up_required");
    }
    for (method, path) in [(Method::DELETE, andina.path("")), (Method::POST, andina.path("/close"))] {
        app.with_token(&owner, method, &path, None).await.refused(401, "step_up_required");
    }
    let privilege =
        json!({ "operation": "support_access", "resource": "tenant", "reason": "because I would like to" });
    app.with_token(&owner, Method::POST, &andina.path("/privilege"), Some(&privilege))
        .await
        .refused(401, "step_up_required");
    // All of it is still there.
    let read = app.with_token(&andina, Method::GET, &andina.path(""), None).await.expect(200);
    assert_eq!(read.body["status"], "active");
}

#[tokio::test]
async fn the_token_of_a_registration_sets_a_tenant_up() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let pack = app.with_token(&andina, Method::GET, &andina.path("/context-pack"), None).await.expect(200);
    app.with_token(&andina, Method::PUT, &andina.path("/context-pack"), Some(&pack.body)).await.expect(200);
    let site = json!({ "siteId": "shop", "origins": ["https://shop.andina.example"] });
    app.with_token(&andina, Method::POST, &andina.path("/sites"), Some(&site)).await.expect(201);
    let key = json!({ "siteId": "shop" });
    let key = app.with_token(&andina, Method::POST, &andina.path("/keys"), Some(&key)).await.expect(201);
    assert!(key.text("madeBy").starts_with("key_"), "{}", key.body);
    app.with_token(&andina, Method::GET, &andina.path("/secrets"), None).await.expect(200);
    // The owner's bearer token registers tenants.
    let body = registration("Roja", "https://roja.example");
    app.with_token(&owner, Method::POST, "/tenants/register", Some(&body)).await.expect(201);
    app.with_token(&owner, Method::GET, "/tenants", None).await.expect(200);
    app.with_token(&andina, Method::GET, &owner.path(""), None).await.refused(404, "not_found");
}

#[tokio::test]
async fn where_nobody_enrolled_in_time_the_operator_makes_one_more_token_and_no_more_afterwards() {
    let app = App::start().await;
    let (_, mut andina) = app.two().await;
    let renew = async || {
        let mut tx = app.store.database.tenant("test", &andina.tenant_id()).await.unwrap();
        let made = provisioning::renew_enrollment(&mut tx, &*app.store.clock, &*app.store.entropy).await;
        tx.commit().await.unwrap();
        made.map(|made| made.token.expose().clone())
    };
    app.advance(Duration::from_hours(8 * 24));
    app.with_token(&andina, Method::GET, &andina.path(""), None).await.refused(401, "token_expired");
    let (first, second) = (renew().await.unwrap(), renew().await.unwrap());
    andina.administrator = first;
    app.with_token(&andina, Method::GET, &andina.path(""), None).await.refused(401, "token_revoked");
    andina.administrator = second;
    let mut ana = app.administrator(&andina, "ana@business.example").await;
    ana.get(&app, &andina.path("/users")).await.expect(200);
    let mut tx = app.store.database.tenant("test", &andina.tenant_id()).await.unwrap();
    let refused = provisioning::renew_enrollment(&mut tx, &*app.store.clock, &*app.store.entropy).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))));
}
