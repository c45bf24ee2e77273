//! Sessions, messages, history.

use crate::support::{App, Token};
use http::Method;
use misy_domain::{Part, message::Pressed};
use serde_json::{Value, from_value, json};

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

    // Who names the session of another chain takes nothing of it.
    let (stranger, theirs) = (app.browser(&andina).await, app.session(&token).await);
    for _ in 0..3 {
        app.say(&stranger, &theirs, "hola").await.refused(404, "not_found");
    }
    app.say(&stranger, &theirs, "hola").await.refused(429, "rate_limited");
    app.say(&token, &theirs, "hola").await.expect(202);

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

/// What is asked back when the engine is not sure enough.
fn question(ids: [&str; 2]) -> Vec<Part> {
    let buttons =
        ids.map(|id| json!({ "id": id, "title": format!("¿{id}?"), "ref": { "kind": "faq", "id": id } }));
    vec![from_value(json!({ "type": "buttons", "text": "¿Cuál?", "buttons": buttons })).unwrap()]
}

fn press(session: &str, action: &Value) -> Value {
    json!({ "sessionId": session, "clientMessageId": "press", "action": action, "metadata": { "page": "/precios" } })
}

#[tokio::test]
async fn a_button_that_was_sent_can_be_pressed() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    for ids in [["parking", "prices"], ["parking", "hours"]] {
        app.say(&token, &session, "hola").await.expect(202);
        assert_eq!(app.store.answer(&question(ids)).await.unwrap(), 1);
    }
    let history = format!("/sessions/{session}/messages");
    let page = app.call(&token, Method::GET, &history, None).await.expect(200);
    let asked = page.body["items"][3].clone();
    assert_eq!(
        asked["parts"][0]["buttons"][0],
        json!({ "id": "parking", "title": "¿parking?", "ref": { "kind": "faq", "id": "parking" } })
    );

    let body = press(&session, &json!({ "type": "button", "id": "parking" }));
    let stored = app.call(&token, Method::POST, "/messages", Some(&body)).await.expect(202);
    let again = app.call(&token, Method::POST, "/messages", Some(&body)).await.expect(202);
    assert_eq!(stored.body, again.body, "pressed twice, said once");
    let page = app.call(&token, Method::GET, &format!("{history}?after=4"), None).await.expect(200);
    let said = &page.body["items"][0];
    assert_eq!(said["parts"], json!([{ "type": "text", "text": "¿parking?" }]));
    assert_eq!(
        said["action"],
        json!({ "type": "button", "id": "parking", "title": "¿parking?", "messageId": asked["messageId"],
                "ref": { "kind": "faq", "id": "parking" } })
    );
    assert!(said["metadata"].is_null(), "the client has it already");

    // The older of the two messages is meant only if it is named.
    let first = &page_item(&app, &token, &history, 1).await["messageId"];
    let mut named = press(&session, &json!({ "type": "button", "id": "parking", "messageId": first }));
    named["clientMessageId"] = json!("named");
    app.call(&token, Method::POST, "/messages", Some(&named)).await.expect(202);
    assert_eq!(page_item(&app, &token, &history, 5).await["action"]["messageId"], *first);

    let id = session.parse().unwrap();
    let mut tx = app.store.database.tenant("test", &andina.tenant_id()).await.unwrap();
    let keys = app.store.vault.keys(&app.store.database, &andina.tenant_id()).await.unwrap().unwrap();
    let claims = crate::tokens::claims(&token.text);
    let family = claims["family"].as_str().unwrap().parse().unwrap();
    let session =
        misy_store::sessions::session(&mut tx, id, family, &"main".parse().unwrap()).await.unwrap().unwrap();
    let messages =
        misy_store::messages::history(&mut tx, &keys, session.conversation_id, 4, 1).await.unwrap();
    assert_eq!(messages[0].metadata, Some(json!({ "page": "/precios" })), "kept with the message");
    let Some(Pressed::Button { reference: Some(reference), .. }) = &messages[0].action else { panic!() };
    assert_eq!(reference.id, "parking");
}

async fn page_item(app: &App, token: &Token, history: &str, at: usize) -> Value {
    app.call(token, Method::GET, history, None).await.expect(200).body["items"][at].clone()
}

#[tokio::test]
async fn a_button_that_was_not_sent_here_cannot_be_pressed() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (token, stranger) = (app.browser(&andina).await, app.browser(&andina).await);
    let (ours, theirs) = (app.session(&token).await, app.session(&stranger).await);
    app.say(&stranger, &theirs, "hola").await.expect(202);
    app.store.answer(&question(["parking", "prices"])).await.unwrap();
    app.say(&token, &ours, "parking").await.expect(202);
    let history = format!("/sessions/{theirs}/messages");
    let message = page_item(&app, &stranger, &history, 1).await["messageId"].clone();
    for action in [
        json!({ "type": "button", "id": "parking" }),
        json!({ "type": "button", "id": "parking", "messageId": message }),
        json!({ "type": "button", "id": "" }),
    ] {
        let answer = app.call(&token, Method::POST, "/messages", Some(&press(&ours, &action))).await;
        let answer = answer.refused(422, "validation_failed");
        assert_eq!(answer.body["errors"][0]["pointer"], "/action/id");
    }
    for (body, pointer) in [
        (press(&ours, &json!({ "type": "wink", "id": "a" })), "/action/type"),
        (press(&ours, &json!({ "type": "button" })), "/action/id"),
        (press(&ours, &json!({ "type": "button", "id": "a", "title": "Free money" })), "/action/title"),
        (json!({ "sessionId": ours, "text": "a", "action": { "type": "button", "id": "a" } }), "/action"),
        (json!({ "sessionId": ours }), "/text"),
    ] {
        let answer = app.call(&token, Method::POST, "/messages", Some(&body)).await;
        assert_eq!(answer.refused(422, "validation_failed").body["errors"][0]["pointer"], pointer, "{body}");
    }
    let pressed = press(&theirs, &json!({ "type": "button", "id": "parking" }));
    app.call(&token, Method::POST, "/messages", Some(&pressed)).await.refused(404, "not_found");
    app.call(&stranger, Method::POST, "/messages", Some(&pressed)).await.expect(202);
}
