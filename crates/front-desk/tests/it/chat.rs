//! Sessions, messages, history.

use crate::support::{App, Token};
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_visitor_opens_a_session_writes_and_reads() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let body =
        json!({ "channel": "web", "locale": "pt-BR", "metadata": { "page": "https://andina.example/" } });
    let opened = app.call(&token, Method::POST, "/sessions", Some(&body)).await.expect(201);
    assert_eq!(opened.body["languages"], json!(["es", "en", "pt"]));
    assert_eq!(opened.text("locale"), "pt-BR");
    assert_eq!(opened.body["branding"]["displayName"], "andina");
    assert!(opened.text("aiDisclosure").contains("inteligência artificial"));
    assert!(opened.body["suggestions"].as_array().unwrap().len() <= 3);
    let session = opened.text("sessionId");
    let path = format!("/sessions/{session}");
    let state = app.call(&token, Method::GET, &path, None).await.expect(200);
    assert_eq!((state.body["lastSequence"].as_i64(), state.text("status").as_str()), (Some(0), "active"));

    let envelope = |id: &str, text: &str| {
        json!({ "tenantId": "andina", "siteId": "main", "sessionId": session, "channel": "web", "metadata": {},
                "clientMessageId": id, "text": text })
    };
    let first = app
        .call(&token, Method::POST, "/messages", Some(&envelope("a", "¿Tienen hora mañana?")))
        .await
        .expect(202);
    assert_eq!(first.body["sequence"], 1);
    let again = app
        .call(&token, Method::POST, "/messages", Some(&envelope("a", "¿Tienen hora mañana?")))
        .await
        .expect(202);
    assert_eq!(again.body, first.body);
    for number in 2..=5 {
        app.call(&token, Method::POST, "/messages", Some(&envelope(&number.to_string(), "más")))
            .await
            .expect(202);
    }
    let page = app.call(&token, Method::GET, &format!("{path}/messages?limit=2"), None).await.expect(200);
    assert_eq!(page.body["items"][0]["parts"][0]["text"], "¿Tienen hora mañana?");
    assert_eq!(page.body["items"][0]["clientMessageId"], "a");
    assert_eq!(page.text("nextCursor"), "2");
    let rest = app.call(&token, Method::GET, &format!("{path}/messages?after=2"), None).await.expect(200);
    assert_eq!(rest.body["items"].as_array().unwrap().len(), 3);
    assert!(rest.body["nextCursor"].is_null());
}

#[tokio::test]
async fn an_envelope_must_agree_with_the_token() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    for (body, status) in [
        (json!({ "tenantId": "verde-cafe", "sessionId": session, "text": "x" }), 403),
        (json!({ "tenantId": "", "sessionId": session, "text": "x" }), 403),
        (json!({ "siteId": "other", "sessionId": session, "text": "x" }), 403),
        (json!({ "channel": "api", "sessionId": session, "text": "x" }), 422),
    ] {
        app.call(&token, Method::POST, "/messages", Some(&body)).await.refused(status, "envelope_mismatch");
    }
    for id in ["ses_00000000000000000000000000", "msg_00000000000000000000000000", "x", ""] {
        let body = json!({ "sessionId": id, "text": "x" });
        app.call(&token, Method::POST, "/messages", Some(&body)).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn nothing_of_another_tenant_can_be_reached() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let (ours, theirs) = (app.browser(&andina).await, app.browser(&verde).await);
    let session = app.session(&theirs).await;
    app.say(&theirs, &session, "secreto").await.expect(202);
    for target in ["", "/messages", "/events"] {
        let target = format!("/sessions/{session}{target}");
        app.call(&ours, Method::GET, &target, None).await.refused(404, "not_found");
    }
    app.say(&ours, &session, "hola").await.refused(404, "not_found");
    // A token of theirs with our key, and the other way round.
    let crossed = Token { key: ours.key.clone(), ..theirs.clone() };
    app.call(&crossed, Method::GET, &format!("/sessions/{session}"), None)
        .await
        .refused(401, "signature_invalid");
}

#[tokio::test]
async fn a_session_has_its_own_limit_and_ends() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let limits = json!({ "limits": [{ "scope": "session", "requests": 3, "periodSeconds": 60 }] });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&limits)).await.expect(200);
    let token = app.browser(&andina).await;
    let (session, other) = (app.session(&token).await, app.session(&token).await);
    for left in (0..3).rev() {
        let answer = app.say(&token, &session, "hola").await.expect(202);
        assert_eq!(
            answer.headers["ratelimit"].to_str().unwrap().split(';').nth(1),
            Some(&*format!("r={left}"))
        );
    }
    let answer = app.say(&token, &session, "hola").await.refused(429, "rate_limited");
    assert_eq!(answer.headers["retry-after"], "20");
    app.say(&token, &other, "hola").await.expect(202);
    app.advance(std::time::Duration::from_secs(20));
    app.say(&token, &session, "hola").await.expect(202);

    let ttl = json!({ "sessionTtlSeconds": 60 });
    app.manage(&andina, Method::PATCH, &andina.path(""), Some(&ttl)).await.expect(200);
    let short = app.session(&token).await;
    app.advance(std::time::Duration::from_secs(61));
    app.say(&token, &short, "hola").await.refused(409, "conflict");
    let state = app.call(&token, Method::GET, &format!("/sessions/{short}"), None).await.expect(200);
    assert_eq!(state.text("status"), "closed");
}

#[tokio::test]
async fn a_session_is_taken_up_again_by_its_own_chain_only() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let resume = json!({ "channel": "web", "resume": session });
    let again = app.call(&token, Method::POST, "/sessions", Some(&resume)).await.expect(201);
    assert_eq!(again.text("sessionId"), session);
    let stranger = app.browser(&andina).await;
    app.call(&stranger, Method::POST, "/sessions", Some(&resume)).await.refused(404, "not_found");
}
