//! What the owner's people do to other tenants: the same is asked of them by whichever way they do it.

use crate::{
    people::Browser,
    support::{Answer, App, Tenant, bare, put, with_bearer},
};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const REASON: &str = "Ticket 18: abuse of the form was reported";

/// Every ordinary way to do something to a tenant that the owner answers for, with a body that fits.
fn ways(andina: &Tenant) -> Vec<(Method, String, Option<Value>)> {
    let why = Some(json!({ "reason": REASON }));
    vec![
        (Method::POST, andina.path("/suspend"), why.clone()),
        (Method::POST, andina.path("/activate"), why.clone()),
        (Method::POST, andina.path("/tokens/revoke-all"), why.clone()),
        (Method::PATCH, andina.path(""), Some(json!({ "contactEmail": "new@andina.example" }))),
        (Method::PUT, andina.path("/limits"), Some(json!({ "limits": [] }))),
        (Method::GET, andina.path("/audit/export"), None),
        (Method::POST, andina.path("/encryption/rotations"), None),
        (Method::DELETE, andina.path("/keys/key_00000000000000000000000000"), None),
        (
            Method::POST,
            "/tokens/revoke".to_owned(),
            Some(json!({ "tenantId": andina.id, "tokenId": "tat_00000000000000000000000000" })),
        ),
        (Method::POST, andina.path("/close"), why),
    ]
}

fn without_reason(body: Option<&Value>) -> Option<Value> {
    let mut body = body?.clone();
    body.as_object_mut()?.remove("reason");
    Some(body)
}

async fn told(app: &App, who: &Tenant, operation: &str) -> Vec<Value> {
    let path = who.path(&format!("/audit?kind=system&action={operation}"));
    app.manage(who, Method::GET, &path, None).await.expect(200).body["items"].as_array().unwrap().clone()
}

/// What a person of the owner sends with a reason, wherever the call takes one.
fn with_reason(
    person: &Browser,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> http::Request<axum::body::Body> {
    let mut request = person.request(method, path, body);
    if body.is_none_or(|body| body["reason"].is_null()) {
        put(&mut request, "x-misy-reason", "Ticket%2018:%20abuse%20of%20the%20form%20was%20reported");
    }
    request
}

#[tokio::test]
async fn every_way_to_a_deed_asks_for_a_person_with_a_fresh_second_factor_and_a_reason() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    for (method, path, body) in ways(&andina) {
        let of_a_person = path != "/tokens/revoke";
        // A token can prove no second factor, whatever reason it gives.
        let mut request = with_bearer(bare(method.clone(), &path, body.as_ref()), &owner.administrator);
        if body.as_ref().is_none_or(|body| body["reason"].is_null()) {
            put(&mut request, "x-misy-reason", "Ticket%2018:%20abuse%20was%20reported");
        }
        app.send(request).await.refused(401, "step_up_required");
        if !of_a_person {
            continue;
        }
        let (ana, _) = app.somebody(&owner, &["owner"]).await;
        let bare = without_reason(body.as_ref());
        app.send(ana.request(method.clone(), &path, bare.as_ref())).await.refused(422, "reason_required");
        let mut short = ana.request(method.clone(), &path, bare.as_ref());
        put(&mut short, "x-misy-reason", "because");
        app.send(short).await.refused(422, "validation_failed");
        app.advance(Duration::from_secs(301));
        let answer = app.send(with_reason(&ana, method.clone(), &path, body.as_ref())).await;
        answer.refused(401, "step_up_required");
    }
    // None of that had an effect, and the tenant itself is asked for no reason.
    let tenant = app.manage(&andina, Method::GET, &andina.path(""), None).await.expect(200);
    assert_eq!((&tenant.body["status"], &tenant.body["version"]), (&json!("active"), &json!(1)));
    let list = app.manage(&andina, Method::GET, &andina.path("/privilege"), None).await.expect(200);
    assert_eq!(list.body["items"], json!([]));
    let own = json!({ "contactEmail": "new@andina.example" });
    app.manage(&andina, Method::PATCH, &andina.path(""), Some(&own)).await.expect(200);
    app.manage(&andina, Method::POST, &andina.path("/tokens/revoke-all"), None).await.expect(200);
}

#[tokio::test]
async fn what_was_done_stands_in_both_trails_and_with_the_tenant_whichever_way_it_was_done() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    for (method, path, body) in ways(&andina) {
        if path == "/tokens/revoke" || path.ends_with("/close") {
            continue;
        }
        // Ids of the same moment are in no order.
        app.advance(Duration::from_secs(1));
        let (ana, id) = app.somebody(&owner, &["owner"]).await;
        let answer = app.send(with_reason(&ana, method, &path, body.as_ref())).await;
        // There is no such key, and the owner may know of no other kind than an administrator's.
        let nothing_there = answer.status == 404 || answer.code() == "privilege_required";
        assert!(answer.status.as_u16() < 300 || nothing_there, "{path}: {}", answer.body);
        if path.ends_with("/suspend") {
            continue;
        }
        let list = app.manage(&andina, Method::GET, &andina.path("/privilege"), None).await.expect(200);
        let used = &list.body["items"][0];
        assert_eq!(used["actor"], format!("colombiatic/{id}"), "{path}: {used}");
        assert_eq!(used["reason"], REASON, "{path}: {used}");
        let operation = used["operation"].as_str().unwrap();
        for (trail, actor) in [(&owner, id.to_string()), (&andina, format!("colombiatic/{id}"))] {
            let entries = told(&app, trail, operation).await;
            let entry = entries.iter().find(|entry| entry["subject"] == used["grantId"]);
            let entry = entry.unwrap_or_else(|| panic!("{path} is not told to {}: {entries:?}", trail.id));
            assert_eq!((&entry["actor"], &entry["detail"]["reason"]), (&json!(actor), &json!(REASON)));
        }
    }
    // Also what was done while the tenant could not look, and by the other way to the same deed.
    let events = app.manage(&andina, Method::GET, &andina.path("/events"), None).await.expect(200);
    let suspended = |events: &Value| {
        events["items"].as_array().unwrap().iter().filter(|event| event["event"] == "suspended").count()
    };
    assert_eq!(suspended(&events.body), 1, "{}", events.body);
    let (mut ana, _) = app.somebody(&owner, &["owner"]).await;
    for operation in ["suspend_tenant", "activate_tenant"] {
        let body = json!({ "operation": operation, "resource": "tenant", "reason": REASON });
        ana.post(&app, &andina.path("/privilege"), &body).await.expect(201);
    }
    let events = app.manage(&andina, Method::GET, &andina.path("/events"), None).await.expect(200);
    assert_eq!(suspended(&events.body), 2, "{}", events.body);
    assert_eq!(events.body["items"][0]["reason"], REASON, "{}", events.body);
}

#[tokio::test]
async fn ordinary_calls_to_many_tenants_are_an_alert_and_have_the_same_limit() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let (ana, _) = app.somebody(&owner, &["owner"]).await;
    let export = async |tenant: &Tenant| -> Answer {
        app.send(with_reason(&ana, Method::GET, &tenant.path("/audit/export"), None)).await
    };
    for number in 0..4 {
        let tenant =
            app.register(&owner, &format!("tenant-{number}"), &format!("https://t{number}.example")).await;
        export(&tenant).await.expect(200);
    }
    let alerts = app.manage(&owner, Method::GET, &owner.path("/alerts"), None).await.expect(200);
    let rules: Vec<_> =
        alerts.body["items"].as_array().unwrap().iter().map(|alert| alert["rule"].clone()).collect();
    assert!(rules.contains(&json!("privilege_many_tenants")), "{rules:?}");
    let mut last = 0;
    for _ in 0..17 {
        last = export(&andina).await.status.as_u16();
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn a_reason_is_given_once_and_in_any_language() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let (ana, _) = app.somebody(&owner, &["owner"]).await;
    let send = async |header: Option<&str>, body: Value| -> Answer {
        let mut request = ana.request(Method::POST, &andina.path("/suspend"), Some(&body));
        if let Some(header) = header {
            put(&mut request, "x-misy-reason", header);
        }
        app.send(request).await
    };
    send(Some("Ticket%2018:%20unpaid"), json!({ "reason": REASON })).await.refused(400, "bad_request");
    send(Some("100%% unpaid since May"), json!({})).await.refused(400, "bad_request");
    send(None, json!({ "reason": 5 })).await.refused(422, "reason_required");
    send(Some("El%20cliente%20no%20pag%C3%B3%20en%20mayo"), json!({})).await.expect(200);
    let path = andina.path("/events");
    let events = app.manage(&owner, Method::GET, &path, None).await.expect(200);
    assert_eq!(events.body["items"][0]["reason"], "El cliente no pagó en mayo", "{}", events.body);
}

#[tokio::test]
async fn whoever_comes_from_the_owner_is_named_with_it_wherever_the_tenant_reads_of_them() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let (ana, _) = app.somebody(&owner, &["owner"]).await;
    for (method, path, body) in ways(&andina) {
        let answer = app.send(with_reason(&ana, method.clone(), &path, body.as_ref())).await;
        assert!(answer.status.is_success() || path.contains("/keys/"), "{path}: {}", answer.body);
    }
    app.in_person(&owner, Method::POST, &andina.path("/activate"), None).await.expect(200);
    let read = async |path: &str| {
        app.in_person(&andina, Method::GET, &andina.path(path), None).await.expect(200).body
    };
    let trail = read("/audit?kind=change&limit=200").await;
    let trail = trail["items"].as_array().unwrap();
    for action in ["suspendTenant", "revokeToken", "rotateDataKey", "closeTenant"] {
        assert!(trail.iter().any(|entry| entry["action"] == action), "{action}");
    }
    let rotations = read("/encryption").await["rotations"].as_array().unwrap().clone();
    let events = read("/events").await["items"].as_array().unwrap().clone();
    let named = trail.iter().chain(&events).map(|entry| &entry["actor"]);
    for actor in named.chain(rotations.iter().map(|rotation| &rotation["requestedBy"])) {
        assert!(actor.as_str().unwrap().starts_with("colombiatic/"), "{actor}");
    }
    assert_eq!(rotations.len(), 1);
}
