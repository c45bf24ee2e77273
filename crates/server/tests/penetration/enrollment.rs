//! The token of a registration, found in a log: what it takes over. And secrets: what they make of themselves.

use crate::{
    stage::{PASSWORD, Stage, Tenant, from_own_page, signed},
    wire::{Answer, Request},
};
use misy_domain::{Clock, SystemClock};
use misy_testkit::client::BASE;
use serde_json::json;

/// With the token, as the thief sends it.
async fn stolen(
    stage: &Stage,
    tenant: &Tenant,
    method: &str,
    path: &str,
    body: Option<serde_json::Value>,
) -> Answer {
    let request = Request::new(method, path).bearer(&tenant.administrator);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    stage.send(request).await
}

#[tokio::test]
async fn a_stolen_token_of_a_registration_takes_over_nothing_and_deletes_nothing() {
    let stage = Stage::start().await;
    let victim = format!("usr_{}", "0".repeat(26));
    for tenant in [&stage.owner, &stage.andina] {
        let role = if tenant.id == stage.owner.id { "owner" } else { "admin" };
        let invitation = json!({ "email": "eva@evil.example", "name": "Eva", "roles": [role] });
        let provider = json!({
            "issuer": "https://evil.example", "clientId": "x", "tenantClaim": { "name": "tenant", "value": tenant.id }
        });
        let takeovers = [
            ("POST", "/users".to_owned(), Some(invitation)),
            ("POST", format!("/users/{victim}/second-factor-reset"), None),
            ("POST", format!("/users/{victim}/password-reset"), None),
            ("PUT", "/sign-in".to_owned(), Some(provider)),
            ("POST", "/secrets".to_owned(), Some(json!({}))),
            ("POST", "/close".to_owned(), None),
            ("DELETE", String::new(), None),
        ];
        for (method, path, body) in takeovers {
            let answer = stolen(&stage, tenant, method, &tenant.path(&path), body).await;
            assert_eq!(answer.status, 401, "{method} {path} of {}: {}", tenant.id, answer.shown());
        }
    }
    for tenant in [&stage.andina, &stage.verde] {
        for (method, path) in [("DELETE", ""), ("POST", "/close")] {
            let answer = stolen(&stage, &stage.owner, method, &tenant.path(path), None).await;
            assert_eq!(answer.status, 401, "{method} {path}: {}", answer.shown());
        }
    }
    stage.is_well().await;
}

#[tokio::test]
async fn a_token_dies_for_the_thief_in_the_moment_somebody_enrols() {
    let stage = Stage::start().await;
    let tenant = &stage.andina;
    stolen(&stage, tenant, "GET", &tenant.path(""), None).await.expect(200);
    stage.person(tenant, "ana@business.example").await;
    let answer = stolen(&stage, tenant, "GET", &tenant.path(""), None).await;
    assert!(answer.status == 401 && answer.shown().contains("token_revoked"), "{}", answer.shown());
    let body = json!({ "token": tenant.administrator, "email": "eva@evil.example", "name": "Eva", "password": PASSWORD });
    let request = from_own_page(Request::new("POST", format!("{BASE}/auth/enroll"))).json(&body);
    assert_eq!(stage.send(request).await.status, 409);
}

#[tokio::test]
async fn deleting_a_tenant_takes_a_person_and_leaves_the_time_to_undo_it() {
    let stage = Stage::start().await;
    let verde = &stage.verde;
    let rows = stage.count("select count(*) from misy.sites where tenant_id = 'verde-cafe'").await;
    stage.manage(&stage.owner, "DELETE", &verde.path(""), None).await.expect(204);
    let read = stage.manage(&stage.owner, "GET", &verde.path(""), None).await.expect(200);
    assert_eq!(read.text("/status"), "closed");
    let none = json!({ "graceDays": 0 });
    let answer = stage.manage(&stage.owner, "POST", &verde.path("/close"), Some(&none)).await;
    assert_eq!(answer.status, 422, "{}", answer.shown());
    let left = stage.count("select count(*) from misy.sites where tenant_id = 'verde-cafe'").await;
    assert_eq!((left, rows > 0), (rows, true));
    stage.manage(&stage.owner, "POST", &verde.path("/activate"), None).await.expect(200);
    stage.is_well().await;
}

#[tokio::test]
async fn a_secret_that_may_make_secrets_makes_none_that_does_more() {
    let stage = Stage::start().await;
    let tenant = &stage.andina;
    let body = json!({ "actions": ["secrets:write", "sites:read"] });
    let made = stage.manage(tenant, "POST", &tenant.path("/secrets"), Some(&body)).await.expect(201);
    let narrow = Tenant {
        secret_id: made.text("/keyId"),
        secret: crate::stage::key_of(&made.text("/secret")),
        ..tenant.clone()
    };
    let token = stage.server(&narrow, &["tenant:manage"]).await;
    let send = async |method: &str, path: &str, body: &serde_json::Value| {
        let request = Request::new(method, tenant.path(path)).json(body);
        stage.send(token.sign(request)).await
    };
    for wanted in ["audit:export", "tenant:write", "keys:write", "tokens:revoke"] {
        let body = json!({ "actions": [wanted] });
        assert_eq!(send("POST", "/secrets", &body).await.status, 403, "{wanted}");
        let own = format!("/secrets/{}", narrow.secret_id);
        assert_eq!(send("PATCH", &own, &body).await.status, 403, "{wanted}");
    }
    for wanted in ["users:write", "roles:write", "privilege:use", "tenant:delete"] {
        assert_eq!(send("POST", "/secrets", &json!({ "actions": [wanted] })).await.status, 422, "{wanted}");
    }
    // What it makes without asking is as narrow as it is.
    let next = send("POST", "/secrets", &json!({})).await.expect(201);
    assert_eq!(next.json()["actions"], json!(["sites:read", "secrets:write"]));
    // With its own token it revokes nobody else's.
    let visitor = stage.browser(tenant).await;
    let request =
        Request::new("POST", format!("{BASE}/tokens/revoke")).json(&json!({ "token": visitor.text }));
    assert_eq!(stage.send(token.sign(request)).await.status, 403);
    // And no claim makes more of it: what counts is what the secret carries when the call comes.
    let asked = json!({ "siteId": "main", "permissions": ["tenant:manage", "chat:write"], "actions": ["users:write"] });
    let request =
        Request::new("POST", format!("{BASE}/tokens")).header("x-misy-key", &narrow.secret_id).json(&asked);
    let answer = stage.send(signed(&narrow.secret, None, request, SystemClock.unix_seconds())).await;
    assert!([400, 422].contains(&answer.status), "{}", answer.shown());
}
