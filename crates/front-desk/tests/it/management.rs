//! Tenants and what belongs to them.

use crate::{
    support::{App, PATIENCE, bare, put, with_bearer},
    users::joined,
};
use http::Method;
use misy_domain::Clock;
use serde_json::{Value, json};

#[tokio::test]
async fn the_owner_sees_all_tenants_and_a_tenant_itself() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let ids = |answer: &Value| -> Vec<String> {
        answer["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["tenantId"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = app.manage(&owner, Method::GET, "/tenants", None).await.expect(200);
    assert_eq!(ids(&all.body), ["andina", "colombiatic", "verde-cafe"]);
    let own = app.manage(&andina, Method::GET, "/tenants", None).await.expect(200);
    assert_eq!(ids(&own.body), ["andina"]);
    for (query, expected) in [
        ("limit=2", vec!["andina", "colombiatic"]),
        ("limit=2&cursor=colombiatic", vec!["verde-cafe"]),
        ("type=owner", vec!["colombiatic"]),
        ("q=VERDE", vec!["verde-cafe"]),
        ("status=suspended", vec![]),
        ("plan=FREE&q=n", vec!["andina"]),
    ] {
        let page = app.manage(&owner, Method::GET, &format!("/tenants?{query}"), None).await.expect(200);
        assert_eq!(ids(&page.body), expected, "{query}");
    }
    for query in ["limit=0", "limit=201", "status=gone", "nothing=1", "cursor=%00", "limit=1&limit=2"] {
        let answer = app.manage(&owner, Method::GET, &format!("/tenants?{query}"), None).await;
        assert!([400, 422].contains(&answer.status.as_u16()), "{query}: {}", answer.body);
    }
    app.manage(&andina, Method::GET, &verde.path(""), None).await.refused(404, "not_found");
    app.manage(&andina, Method::GET, "/tenants/nobody", None).await.refused(404, "not_found");
    app.manage(&andina, Method::POST, "/tenants", Some(&json!({}))).await.refused(403, "permission_denied");
}

/// People of the owner who run nothing, and tokens for something else, learn nothing of other tenants.
#[tokio::test]
async fn all_tenants_are_shown_to_nobody_but_who_may_list_them() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let mut ana = app.administrator(&owner, "ana@colombiatic.example").await;
    let expires = (app.store.clock.now() + jiff::SignedDuration::from_hours(24)).to_string();
    let shown = |answer: &Value| answer["items"].as_array().unwrap().len();
    assert_eq!(shown(&ana.get(&app, "/tenants").await.expect(200).body), 2);
    // A token that is narrowed to something else is refused; one that may read its own tenant sees that.
    for (scopes, own) in [(json!(["usage:read"]), false), (json!(["tenant:read"]), true)] {
        let body = json!({ "name": "report", "scopes": scopes, "expiresAt": expires });
        let token = ana.post(&app, "/auth/tokens", &body).await.expect(201).text("token");
        let answer = app.send(with_bearer(bare(Method::GET, "/tenants", None), &token)).await;
        if own {
            assert_eq!(answer.expect(200).body["items"][0]["tenantId"], "colombiatic");
        } else {
            answer.refused(403, "permission_denied");
        }
    }
    // Every role below the owner sees its own tenant at most, at the owner's and at a tenant alike.
    let mut luis = app.administrator(&andina, "luis@andina.example").await;
    let nothing = json!({ "roleId": "nothing", "actions": ["usage:read"] });
    ana.post(&app, &owner.path("/roles"), &nothing).await.expect(201);
    luis.post(&app, &andina.path("/roles"), &nothing).await.expect(201);
    for role in ["analyst", "developer", "auditor", "admin", "nothing"] {
        for (who, tenant) in [(&mut ana, &owner), (&mut luis, &andina)] {
            let email = format!("{role}@{}.example", tenant.id);
            let mut one = joined(&app, who, tenant, &email, &[role]).await.0;
            if ["admin", "developer"].contains(&role) {
                one.enroll_app(&app).await;
            }
            let answer = one.get(&app, "/tenants").await;
            if role == "nothing" {
                answer.refused(403, "permission_denied");
            } else {
                let answer = answer.expect(200);
                assert_eq!(shown(&answer.body), 1, "{role}: {}", answer.body);
                assert_eq!(answer.body["items"][0]["tenantId"], *tenant.id);
            }
            who.step_up(&app).await;
        }
    }
}

#[tokio::test]
async fn a_change_needs_the_version_that_was_read() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let read = app.manage(&andina, Method::GET, &andina.path(""), None).await.expect(200);
    let tag = read.headers["etag"].to_str().unwrap().to_owned();
    let change = |tag: &str, name: &str| {
        let mut request = bare(Method::PATCH, &andina.path(""), Some(&json!({ "tenantName": name })));
        put(&mut request, "if-match", tag);
        with_bearer(request, &andina.administrator)
    };
    let changed = app.send(change(&tag, "Andina Centro")).await.expect(200);
    assert_eq!(changed.text("tenantName"), "Andina Centro");
    app.send(change(&tag, "Andina Sur")).await.refused(412, "stale");
    app.send(change("*", "Andina Sur")).await.expect(200);
    app.send(change("x", "Andina Sur")).await.refused(400, "bad_request");
    let plan = json!({ "plan": "ENTERPRISE" });
    app.manage(&andina, Method::PATCH, &andina.path(""), Some(&plan)).await.refused(403, "permission_denied");
    app.manage(&owner, Method::PATCH, &andina.path(""), Some(&plan)).await.expect(200);
}

#[tokio::test]
async fn a_suspended_tenant_is_refused_everywhere_and_a_deleted_one_leaves_its_trail() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    app.manage(&andina, Method::POST, &andina.path("/suspend"), None).await.refused(403, "permission_denied");
    app.manage(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    app.call(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" })))
        .await
        .refused(403, "tenant_suspended");
    app.send(app.mint_request(&andina, &json!({ "siteId": "main" }))).await.refused(403, "tenant_suspended");
    app.send(app.server_request(&andina, &json!({ "siteId": "main" })))
        .await
        .refused(403, "tenant_suspended");
    app.manage(&andina, Method::GET, &andina.path(""), None).await.refused(403, "tenant_suspended");
    let closed = app.manage(&owner, Method::POST, &andina.path("/close"), None).await.expect(200);
    assert!(closed.body["closedAt"].is_string());
    app.manage(&owner, Method::DELETE, &owner.path(""), None).await.refused(409, "conflict");
    app.manage(&owner, Method::POST, &owner.path("/suspend"), None).await.refused(409, "conflict");
    app.manage(&owner, Method::DELETE, &andina.path(""), None).await.expect(204);
    // What is closed already goes when its time is over.
    app.manage(&owner, Method::GET, &andina.path(""), None).await.expect(200);
    app.pass(std::time::Duration::from_hours(30 * 24)).await;
    assert_eq!(app.desk.purge_due().await.unwrap(), 1);
    app.in_person(&owner, Method::GET, &andina.path(""), None).await.refused(404, "not_found");
    app.call(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" })))
        .await
        .refused(401, "token_expired");
    app.with_token(&andina, Method::GET, "/tenants", None).await.refused(401, "token_invalid");
    // The id is gone for ever, and the trail is not.
    let mut again = crate::support::registration("andina", "https://andina.example");
    again["tenantId"] = json!("andina");
    app.manage(&owner, Method::POST, "/tenants", Some(&again)).await.refused(409, "conflict");
    app.desk.audit.shutdown().await;
    let mut tx = app.store.database.tenant("test", &andina.tenant_id()).await.unwrap();
    let filter = misy_store::audit::AuditFilter { limit: 100, ..Default::default() };
    let trail = misy_store::audit::list(&mut tx, &filter).await.unwrap().entries;
    for action in ["provisionTenant", "suspendTenant", "closeTenant", "deleteTenant"] {
        assert!(trail.iter().any(|entry| entry.action == action), "{action}");
    }
    assert!(trail.iter().any(|entry| entry.actor.starts_with("colombiatic/")));
}

#[tokio::test]
async fn sites_keys_and_secrets_come_and_go() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let shop = json!({ "siteId": "shop", "origins": ["https://shop.andina.example"], "permissions": ["chat:read", "chat:write"] });
    app.manage(&andina, Method::POST, &andina.path("/sites"), Some(&shop)).await.expect(201);
    app.manage(&andina, Method::POST, &andina.path("/sites"), Some(&shop)).await.refused(409, "conflict");
    let key = json!({ "siteId": "shop", "mode": "test", "requestsPerMinute": 1 });
    let key = app.manage(&andina, Method::POST, &andina.path("/keys"), Some(&key)).await.expect(201);
    assert!(key.text("key").starts_with("pk_test_"));
    let listed = app.manage(&andina, Method::GET, &andina.path("/keys"), None).await.expect(200);
    assert!(!listed.body.to_string().contains(&key.text("key")), "a key is shown once");
    let mint = || {
        let mut request = app.mint_request(&andina, &json!({ "siteId": "shop" }));
        put(&mut request, "x-api-key", &key.text("key"));
        put(&mut request, "origin", "https://shop.andina.example");
        request
    };
    app.send(mint()).await.expect(201);
    app.send(mint()).await.refused(429, "rate_limited");
    let mut wrong_site = app.mint_request(&andina, &json!({ "siteId": "main" }));
    put(&mut wrong_site, "x-api-key", &key.text("key"));
    app.send(wrong_site).await.refused(403, "permission_denied");
    app.manage(&andina, Method::DELETE, &andina.path("/sites/shop"), None).await.expect(204);
    app.manage(&andina, Method::GET, &andina.path("/sites/shop"), None).await.refused(404, "not_found");
    app.send(mint()).await.refused(401, "key_invalid");

    // The old secret goes on for its overlap and not longer.
    let rotate = json!({ "overlapSeconds": 60 });
    let made = app.manage(&andina, Method::POST, &andina.path("/secrets"), Some(&rotate)).await.expect(201);
    let mut newer = andina.clone();
    newer.secret_id = made.text("keyId");
    newer.secret = crate::support::key_of(&made.text("secret"));
    let body = json!({ "siteId": "main", "permissions": ["tenant:manage"] });
    let old_token = app.server(&andina, body.clone()).await;
    let new_token = app.server(&newer, body.clone()).await;
    app.call(&old_token, Method::GET, &andina.path("/secrets"), None).await.expect(200);
    app.advance(std::time::Duration::from_secs(61));
    app.call(&old_token, Method::GET, &andina.path("/secrets"), None).await.refused(401, "signature_invalid");
    app.send(app.server_request(&andina, &body)).await.refused(401, "signature_invalid");
    let path = andina.path(&format!("/secrets/{}", made.text("keyId")));
    app.call(&new_token, Method::GET, &andina.path(""), None).await.expect(200);
    app.manage(&andina, Method::DELETE, &path, None).await.expect(204);
    app.call(&new_token, Method::GET, &andina.path(""), None).await.refused(401, "signature_invalid");
}

#[tokio::test]
async fn a_context_pack_is_checked_versioned_and_in_force_at_once() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let path = andina.path("/context-pack");
    let read = app.manage(&andina, Method::GET, &path, None).await.expect(200);
    assert_eq!(read.headers["etag"], "\"1\"");
    let mut pack = read.body.clone();
    pack["displayName"] = json!("Clínica Andina");
    pack["branding"] = json!({ "primaryColor": "#12807A" });
    let put_pack = |tag: &str, pack: &Value| {
        let mut request = bare(Method::PUT, &path, Some(pack));
        put(&mut request, "if-match", tag);
        with_bearer(request, &andina.administrator)
    };
    let written = app.send(put_pack("\"1\"", &pack)).await.expect(200);
    assert_eq!(written.body, json!({ "version": 2 }));
    app.send(put_pack("\"1\"", &pack)).await.refused(412, "stale");
    let mut broken = pack.clone();
    broken["faq"] = json!([{ "id": "a", "question": "", "answer": "x" }]);
    broken["more"] = json!(1);
    // Whoever comes too late hears of that before anything is made of what they sent.
    app.send(put_pack("\"1\"", &broken)).await.refused(412, "stale");
    let answer = app.send(put_pack("*", &broken)).await.refused(422, "validation_failed");
    let pointers: Vec<_> =
        answer.body["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert!(pointers.contains(&"/faq/0/question") && pointers.contains(&"/more"), "{pointers:?}");
    let token = app.browser(&andina).await;
    let opened =
        app.call(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" }))).await.expect(201);
    assert_eq!(opened.body["branding"]["displayName"], "Clínica Andina");
    assert_eq!(opened.body["branding"]["primaryColor"], "#12807A");
}

#[tokio::test]
async fn calls_and_changes_stand_in_the_trail() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    app.say(&token, &session, "hola").await.expect(202);
    app.say(&token, "ses_00000000000000000000000000", "hola").await.refused(404, "not_found");
    let find = async |query: &str| {
        let path = andina.path(&format!("/audit?{query}"));
        app.manage(&andina, Method::GET, &path, None).await.expect(200).body["items"].clone()
    };
    let mut written = Value::Null;
    let began = std::time::Instant::now();
    while began.elapsed() < PATIENCE {
        written = find("action=writeMessage&kind=call").await;
        if written.as_array().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let ok = written.as_array().unwrap().iter().find(|entry| entry["outcome"] == "ok").unwrap();
    assert_eq!(
        (ok["sessionId"].as_str(), ok["origin"].as_str(), ok["status"].as_i64()),
        (Some(&*session), Some(&*andina.origin), Some(202))
    );
    assert!(ok["actor"].as_str().unwrap().starts_with("tat_") && ok["durationMicros"].as_i64().unwrap() > 0);
    assert_eq!(find("action=writeMessage&outcome=not_found").await.as_array().unwrap().len(), 1);
    assert_eq!(find("kind=change&action=provisionTenant").await.as_array().unwrap().len(), 1);
    assert_eq!(find(&format!("sessionId={session}&limit=1")).await.as_array().unwrap().len(), 1);
}
