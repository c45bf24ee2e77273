//! Live events.

use crate::support::{App, PATIENCE, Token, put};
use axum::{body::Body, response::Response};
use http::Method;
use http_body_util::BodyExt;
use misy_front_desk::Connection;
use misy_store::bell::Agent;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// Reads a stream event by event.
pub(crate) struct Events {
    body: Body,
    rest: String,
}

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<i64>,
    pub(crate) data: Value,
}

impl Events {
    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { body: response.into_body(), rest: String::new() }
    }

    /// The next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.rest.clone().split_once("\n\n") {
                rest.clone_into(&mut self.rest);
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
                };
                if let Some(data) = field("data") {
                    let name = field("event").unwrap_or_default();
                    let id = field("id").map(|id| id.parse().unwrap());
                    return Some(Event { name, id, data: serde_json::from_str(&data).unwrap() });
                }
                continue;
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.expect("an event in time")?;
            self.rest.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        }
    }

    pub(crate) async fn expect(&mut self, name: &str) -> Event {
        let event = self.next().await.expect("an event");
        assert_eq!(event.name, name, "{event:?}");
        event
    }
}

pub(crate) async fn follow(app: &App, token: &Token, session: &str, after: Option<i64>) -> Events {
    let mut request = app.signed(token, Method::GET, &format!("/sessions/{session}/events"), None);
    if let Some(after) = after {
        put(&mut request, "last-event-id", &after.to_string());
    }
    Events::of(app.open(request).await)
}

#[tokio::test]
async fn what_is_written_is_heard_and_a_reconnect_loses_nothing() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    app.say(&token, &session, "uno").await.expect(202);
    let mut events = follow(&app, &token, &session, None).await;
    assert_eq!(events.expect("status").await.data["status"], "active");
    assert_eq!(events.expect("message").await.id, Some(1));
    app.say(&token, &session, "dos").await.expect(202);
    let two = events.expect("message").await;
    assert_eq!((two.id, &two.data["parts"][0]["text"]), (Some(2), &json!("dos")));
    drop(events);
    for text in ["tres", "cuatro"] {
        app.say(&token, &session, text).await.expect(202);
    }
    let mut events = follow(&app, &token, &session, Some(2)).await;
    events.expect("status").await;
    assert_eq!(events.expect("message").await.id, Some(3));
    assert_eq!(events.expect("message").await.id, Some(4));
}

#[tokio::test]
async fn a_change_of_status_that_nobody_rang_for_is_found() {
    let app = App::start_with(|settings| settings.keep_alive = Duration::from_millis(20)).await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let mut events = follow(&app, &token, &session, None).await;
    events.expect("status").await;
    app.store.admin("update misy.conversations set status = 'handoff'").await.unwrap();
    assert_eq!(events.expect("handoff").await.data["state"], "waiting");
    assert_eq!(events.expect("status").await.data["status"], "handoff");
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_while_many_write_and_the_reader_comes_and_goes() {
    let app = std::sync::Arc::new(App::start().await);
    let (owner, andina) = app.two().await;
    let limits = json!({ "limits": [{ "scope": "session", "requests": 10_000, "periodSeconds": 1 }] });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&limits)).await.expect(200);
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (app, token, session) = (app.clone(), token.clone(), session.clone());
            tokio::spawn(async move {
                for _ in 0..50 {
                    app.say(&token, &session, "hola").await.expect(202);
                }
            })
        })
        .collect();
    let mut seen = 0;
    let mut rounds = 0;
    while seen < 200 {
        rounds += 1;
        let mut events = follow(&app, &token, &session, Some(seen)).await;
        for _ in 0..37 {
            if seen == 200 {
                break;
            }
            let event = events.next().await.unwrap();
            if event.name == "message" {
                assert_eq!(event.id, Some(seen + 1));
                seen += 1;
            }
        }
    }
    assert!(rounds > 3);
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn typing_is_told() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let opened =
        app.call(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" }))).await.expect(201);
    let conversation = opened.text("conversationId").parse().unwrap();
    let mut events = follow(&app, &token, &opened.text("sessionId"), None).await;
    events.expect("status").await;
    let ring = |agent: Option<Agent>| {
        let news = misy_store::bell::News::typing(agent);
        app.store.bell.ring(&andina.tenant_id(), conversation, news);
    };
    ring(Some(Agent::Support));
    assert_eq!(events.expect("typing").await.data, json!({ "active": true, "agentName": "support" }));
    ring(None);
    assert_eq!(events.expect("typing").await.data, json!({ "active": false }));
}

#[tokio::test]
async fn a_stream_ends_with_its_reason_when_it_is_no_longer_served() {
    let app = App::start_with(|settings| settings.keep_alive = Duration::from_millis(50)).await;
    let (owner, andina) = app.two().await;
    let end = async |mut events: Events| loop {
        let event = events.next().await.expect("a last status");
        if event.data.get("ending").is_some() {
            assert_eq!(event.name, "status");
            assert!(events.next().await.is_none(), "the stream ends");
            return event.data["ending"].as_str().unwrap().to_owned();
        }
    };
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let events = follow(&app, &token, &session, None).await;
    app.call(&token, Method::POST, "/tokens/revoke", None).await.expect(204);
    assert_eq!(end(events).await, "token_revoked");

    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let events = follow(&app, &token, &session, None).await;
    app.manage(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    assert_eq!(end(events).await, "tenant_suspended");
    app.manage(&owner, Method::POST, &andina.path("/activate"), None).await.expect(200);

    let events = follow(&app, &token, &session, None).await;
    let site = andina.path("/sites/main");
    let mute = json!({ "permissions": ["chat:write"] });
    app.manage(&andina, Method::PATCH, &site, Some(&mute)).await.expect(200);
    assert_eq!(end(events).await, "permission_denied");
    let both = json!({ "permissions": ["chat:read", "chat:write"] });
    app.manage(&andina, Method::PATCH, &site, Some(&both)).await.expect(200);

    let events = follow(&app, &token, &session, None).await;
    app.advance(Duration::from_hours(25));
    assert_eq!(end(events).await, "token_expired");
}

#[tokio::test]
async fn a_session_has_so_many_streams_and_no_more() {
    let app = App::start_with(|settings| settings.streams_per_session = 2).await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let (first, _second) =
        (follow(&app, &token, &session, None).await, follow(&app, &token, &session, None).await);
    let path = format!("/sessions/{session}/events");
    app.call(&token, Method::GET, &path, None).await.refused(429, "rate_limited");
    drop(first);
    follow(&app, &token, &session, None).await;
    app.desk.stop_streams();
}

#[tokio::test]
async fn a_visitor_with_many_sessions_and_an_address_with_many_visitors_have_so_many_streams() {
    let app = App::start_with(|settings| {
        settings.streams_per_family = 2;
        settings.streams_per_address = 3;
    })
    .await;
    let (_, andina) = app.two().await;
    let (first, second) = (app.browser(&andina).await, app.browser(&andina).await);
    let mut streams = Vec::new();
    for _ in 0..2 {
        let session = app.session(&first).await;
        streams.push(follow(&app, &first, &session, None).await);
    }
    let refused = async |token: &Token| {
        let path = format!("/sessions/{}/events", app.session(token).await);
        app.call(token, Method::GET, &path, None).await.refused(429, "rate_limited");
    };
    refused(&first).await;
    let session = app.session(&second).await;
    streams.push(follow(&app, &second, &session, None).await);
    refused(&second).await;
    streams.clear();
    follow(&app, &second, &session, None).await;
    app.desk.stop_streams();
}

/// A stream that nobody reads, and the connection it would go out on.
async fn unread(app: &App, token: &Token, session: &str) -> (Response, Connection) {
    let connection = Connection::default();
    let mut request = app.signed(token, Method::GET, &format!("/sessions/{session}/events"), None);
    request.extensions_mut().insert(connection.clone());
    let response = app.open(request).await;
    assert_eq!(response.status(), 200);
    (response, connection)
}

async fn is_cut(connection: &Connection, cause: &str) {
    timeout(PATIENCE, connection.until_cut()).await.unwrap_or_else(|_| panic!("held after {cause}"));
}

#[tokio::test]
async fn a_stream_that_nobody_reads_loses_its_connection_when_it_is_no_longer_served() {
    let app = App::start_with(|settings| settings.keep_alive = Duration::from_millis(50)).await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let (_body, connection) = unread(&app, &token, &session).await;
    app.call(&token, Method::POST, "/tokens/revoke", None).await.expect(204);
    is_cut(&connection, "the revocation of its token").await;

    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let (_body, connection) = unread(&app, &token, &session).await;
    app.manage(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    is_cut(&connection, "the suspension of its tenant").await;
    app.manage(&owner, Method::POST, &andina.path("/activate"), None).await.expect(200);

    let (_body, connection) = unread(&app, &token, &session).await;
    let mute = json!({ "permissions": ["chat:write"] });
    app.manage(&andina, Method::PATCH, &andina.path("/sites/main"), Some(&mute)).await.expect(200);
    is_cut(&connection, "the end of its permission").await;
    let both = json!({ "permissions": ["chat:read", "chat:write"] });
    app.manage(&andina, Method::PATCH, &andina.path("/sites/main"), Some(&both)).await.expect(200);

    let (_body, connection) = unread(&app, &token, &session).await;
    app.advance(Duration::from_hours(25));
    is_cut(&connection, "the end of its token").await;

    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let (_body, connection) = unread(&app, &token, &session).await;
    app.desk.stop_streams();
    is_cut(&connection, "the end of the program").await;
}

#[tokio::test]
async fn a_stream_that_is_read_ends_politely_and_its_connection_stays() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let (response, connection) = unread(&app, &token, &session).await;
    let (other, gone) = unread(&app, &token, &session).await;
    drop(other);
    let mut events = Events::of(response);
    events.expect("status").await;
    app.manage(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    assert_eq!(events.expect("status").await.data["ending"], "tenant_suspended");
    assert!(events.next().await.is_none());
    drop(events);
    // Both are looked after no more.
    app.desk.shutdown().await;
    assert!(!connection.is_cut() && !gone.is_cut());
}
