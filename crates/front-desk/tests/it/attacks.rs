//! What an attacker tried and got through with once.

use crate::support::{App, Token, bare, put, raw, registration};
use http::Method;
use misy_domain::{Clock, share::OF_PROGRAMS};
use misy_front_desk::settings::SelfRegistration;
use misy_store::limits::{Limit, Scope, Unreachable};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_message_that_names_no_channel_counts_against_its_limit_too() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let limits =
        json!({ "limits": [{ "scope": "channel", "subject": "web", "requests": 2, "periodSeconds": 60 }] });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&limits)).await.expect(200);
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    app.say(&token, &session, "uno").await.expect(202);
    let unnamed = json!({ "sessionId": session, "text": "dos" });
    app.call(&token, Method::POST, "/messages", Some(&unnamed)).await.expect(202);
    for body in [unnamed, json!({ "sessionId": session, "channel": null, "text": "tres" })] {
        app.call(&token, Method::POST, "/messages", Some(&body)).await.refused(429, "rate_limited");
    }
}

#[tokio::test]
async fn a_visitor_who_names_another_channel_uses_up_nothing_of_its_limit() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let limits =
        json!({ "limits": [{ "scope": "channel", "subject": "api", "requests": 2, "periodSeconds": 60 }] });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&limits)).await.expect(200);
    let visitor = app.browser(&andina).await;
    let session = app.session(&visitor).await;
    let elsewhere = json!({ "sessionId": session, "channel": "api", "text": "uno" });
    for _ in 0..3 {
        app.call(&visitor, Method::POST, "/messages", Some(&elsewhere))
            .await
            .refused(422, "envelope_mismatch");
    }

    let program =
        app.server(&andina, json!({ "siteId": "main", "permissions": ["chat:read", "chat:write"] })).await;
    let opened = app.call(&program, Method::POST, "/sessions", Some(&json!({ "channel": "api" }))).await;
    let session = opened.expect(201).text("sessionId");
    let message = json!({ "sessionId": session, "channel": "api", "text": "dos" });
    for _ in 0..2 {
        app.call(&program, Method::POST, "/messages", Some(&message)).await.expect(202);
    }
    app.call(&program, Method::POST, "/messages", Some(&message)).await.refused(429, "rate_limited");
}

#[tokio::test]
async fn the_programs_of_a_tenant_leave_so_much_behind_in_a_day_and_no_more() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let asked = json!({ "siteId": "main", "permissions": ["chat:read", "chat:write"] });
    let programs = [app.server(&andina, asked.clone()).await, app.server(&andina, asked).await];
    let open = async |program: &Token| {
        app.call(program, Method::POST, "/sessions", Some(&json!({ "channel": "web" }))).await
    };
    open(&programs[0]).await.expect(201);
    let limit = Limit { scope: Scope::Key, subject: "session programs", quota: OF_PROGRAMS };
    let (tenant, now) = (andina.tenant_id(), app.store.clock.now());
    for _ in 1..OF_PROGRAMS.requests {
        app.desk.limits.check(&tenant, None, &[limit], now, Unreachable::Refuse).await.unwrap();
    }
    for program in &programs {
        open(program).await.refused(429, "rate_limited");
    }
    // Visitors have their own.
    app.session(&app.browser(&andina).await).await;
}

#[tokio::test]
async fn neither_a_program_nor_the_token_itself_revokes_the_token_of_a_registration() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let program = app.server(&andina, json!({ "siteId": "main", "permissions": ["tenant:manage"] })).await;
    let keys = app.call(&program, Method::GET, &andina.path("/keys"), None).await.expect(200);
    let key_of = |kind: &str| {
        let keys = keys.body["items"].as_array().unwrap();
        let key = keys.iter().find(|key| key["kind"] == kind).unwrap();
        andina.path(&format!("/keys/{}", key["keyId"].as_str().unwrap()))
    };
    let path = key_of("administrator");
    app.call(&program, Method::DELETE, &path, None).await.refused(403, "permission_denied");
    app.manage(&andina, Method::GET, &andina.path(""), None).await.expect(200);
    app.call(&program, Method::DELETE, &key_of("publishable"), None).await.expect(204);
    app.with_token(&andina, Method::DELETE, &path, None).await.refused(401, "step_up_required");
    app.manage(&owner, Method::DELETE, &path, None).await.expect(204);
    app.with_token(&andina, Method::GET, &andina.path(""), None).await.refused(401, "token_revoked");
}

#[tokio::test]
async fn a_long_list_of_origins_is_refused_without_being_compared() {
    let app = App::start_with(|settings| settings.self_registration = SelfRegistration::Open).await;
    let (_, andina) = app.two().await;
    let origins = |count: u32| -> Vec<String> { (0..count).map(|n| format!("https://a{n}.co")).collect() };
    // What reading so many takes on this machine at this moment, when none of them is looked at.
    let started = Instant::now();
    let body = json!({ "unknown": origins(24_000) });
    app.manage(&andina, Method::PATCH, &andina.path("/sites/main"), Some(&body))
        .await
        .refused(422, "validation_failed");
    let reading = started.elapsed();
    let started = Instant::now();
    let body = json!({ "origins": origins(24_000) });
    let answer = app.manage(&andina, Method::PATCH, &andina.path("/sites/main"), Some(&body)).await;
    assert_eq!(answer.refused(422, "validation_failed").body["errors"][0]["code"], "too_many");
    let mut body = registration("Verde", "https://verde.example");
    body["origins"] = json!(origins(12_000));
    let answer = app.send(bare(Method::POST, "/tenants/register", Some(&body))).await;
    assert_eq!(answer.refused(422, "validation_failed").body["errors"].as_array().map(Vec::len), Some(1));
    // Comparing each with each took a hundred times as long as reading them.
    let took = started.elapsed();
    assert!(took < reading * 20 + Duration::from_secs(1), "{took:?}, and reading {reading:?}");
}

#[tokio::test]
async fn a_body_has_one_length() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let body = json!({ "siteId": "main" }).to_string();
    for (coding, length) in
        [("chunked", true), ("gzip, chunked", false), ("identity", false), ("xchunked", false)]
    {
        let mut request = raw(Method::POST, "/api/meta-agent/tokens", Some(body.clone().into_bytes()));
        put(&mut request, "x-api-key", &andina.publishable_key);
        put(&mut request, "origin", &andina.origin);
        put(&mut request, "transfer-encoding", coding);
        if !length {
            request.headers_mut().remove("content-length");
        }
        app.send(request).await.refused(400, "bad_request");
    }
    let mut request = app.mint_request(&andina, &json!({ "siteId": "main" }));
    request.headers_mut().remove("content-length");
    put(&mut request, "transfer-encoding", "chunked");
    app.send(request).await.expect(201);
}

#[tokio::test]
async fn one_address_cannot_make_the_database_look_for_keys_and_origins_without_end() {
    let app = App::start_with(|settings| {
        settings.limits.wrong_keys_per_address = misy_domain::limit::Quota::per_minute(3);
        settings.limits.unknown_origins_per_address = misy_domain::limit::Quota::per_minute(3);
    })
    .await;
    let (_, andina) = app.two().await;
    // An administrator who shares the address has been here before.
    app.manage(&andina, Method::GET, &andina.path(""), None).await.expect(200);
    let entropy = misy_trust::SystemEntropy::new();
    let guess = async || {
        let key = misy_trust::ApiKey::generate(misy_trust::ApiKeyKind::Administrator, &entropy);
        let request = bare(Method::GET, &andina.path(""), None);
        app.send(crate::support::with_bearer(request, key.text().expose())).await
    };
    for _ in 0..3 {
        guess().await.refused(401, "token_invalid");
    }
    guess().await.refused(429, "rate_limited");
    app.manage(&andina, Method::GET, &andina.path(""), None).await.expect(200);

    let preflight = async |origin: &str| {
        let mut request = raw(Method::OPTIONS, "/api/meta-agent/messages", None);
        put(&mut request, "origin", origin);
        put(&mut request, "access-control-request-method", "POST");
        app.send(request).await.headers.contains_key("access-control-allow-origin")
    };
    assert!(preflight(&andina.origin).await);
    for number in 0..5 {
        assert!(!preflight(&format!("https://evil{number}.example")).await);
    }
    assert!(preflight(&andina.origin).await, "visitors behind the same address go on");
}
