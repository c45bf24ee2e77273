//! Several replicas on one database and one Redis.

use crate::support::{App, Token, replica_through, send_to};
use axum::Router;
use http::Method;
use http_body_util::BodyExt;
use misy_front_desk::FrontDesk;
use misy_store::shared::PATIENCE;
use misy_testkit::{redis::TestRedis, store::test_store};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::timeout};
use tower::ServiceExt;

pub(crate) struct Replicas {
    pub(crate) redis: TestRedis,
    pub(crate) app: App,
    pub(crate) desks: Vec<FrontDesk>,
    pub(crate) routers: Vec<Router>,
}

/// Replicas, the first of which is also the app.
pub(crate) async fn replicas(count: usize) -> Replicas {
    // However slow the machine is that the test runs on.
    replicas_with(count, Duration::from_secs(20)).await
}

async fn replicas_with(count: usize, patience: Duration) -> Replicas {
    let redis = TestRedis::start().unwrap();
    let store = test_store().await.unwrap();
    let mut desks = Vec::new();
    for _ in 0..count {
        desks.push(replica_through(&store, &redis, patience).await);
    }
    let routers: Vec<_> = desks.iter().map(FrontDesk::router).collect();
    let app = App { store, desk: desks[0].clone(), router: routers[0].clone() };
    Replicas { redis, app, desks, routers }
}

async fn until_redis_is(desk: &FrontDesk, up: bool) {
    let redis = desk.redis.as_ref().unwrap();
    let change = async {
        while redis.is_up() != up {
            tokio::task::yield_now().await;
        }
    };
    timeout(crate::support::PATIENCE, change).await.expect("a change in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_the_limit_passes_on_three_replicas_and_a_change_of_it_reaches_all() {
    let Replicas { redis: _redis, app, routers, desks } = replicas(3).await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let set = async |requests: u32| {
        let limits =
            json!({ "limits": [{ "scope": "session", "requests": requests, "periodSeconds": 86_400 }] });
        app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&limits)).await.expect(200);
        // It is heard at once; a second later it would be seen in any case.
        for desk in &desks {
            let quota = async || desk.tenants.get(&andina.tenant_id()).await.unwrap().unwrap();
            let change = async {
                while quota().await.quota(misy_store::limits::Scope::Session, "").requests != requests {
                    tokio::task::yield_now().await;
                }
            };
            timeout(crate::support::PATIENCE, change).await.expect("the limit holds");
        }
    };
    for (limit, sent) in [(40, 240), (25, 120)] {
        set(limit).await;
        let mut tasks = JoinSet::new();
        for number in 0..sent {
            let body = json!({ "sessionId": session, "channel": "web", "text": "hola" });
            let request = app.signed(&token, Method::POST, "/messages", Some(&body));
            let router = routers[number % 3].clone();
            tasks.spawn(async move { send_to(&router, request).await.status.as_u16() });
        }
        let statuses = tasks.join_all().await;
        let count = |status: u16| statuses.iter().filter(|given| **given == status).count();
        assert_eq!((count(202), count(429)), (limit as usize, sent - limit as usize), "{statuses:?}");
    }
}

#[tokio::test]
async fn what_is_stored_on_one_replica_is_heard_on_another_and_so_is_a_suspension() {
    let Replicas { redis: _redis, app, routers, .. } = replicas(2).await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let request = app.signed(&token, Method::GET, &format!("/sessions/{session}/events"), None);
    let mut events = routers[1].clone().oneshot(request).await.unwrap().into_body();
    let mut heard = String::new();
    let mut until = async |wanted: &str| {
        while !heard.contains(wanted) {
            // Far less than the keep-alive, with which it would be seen in any case.
            let frame = timeout(Duration::from_secs(8), events.frame()).await.expect("news in time");
            let data = frame.expect("no end yet").unwrap().into_data().unwrap();
            heard.push_str(std::str::from_utf8(&data).unwrap());
        }
    };
    until("event: status").await;
    app.say(&token, &session, "¿me oyen?").await.expect(202);
    until("¿me oyen?").await;
    app.manage(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    until("tenant_suspended").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_reads_go_on_and_changes_are_refused_until_it_is_back() {
    let Replicas { mut redis, app, routers, desks } = replicas_with(2, PATIENCE).await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let history = format!("/sessions/{session}/messages");
    let health = async || app.send(crate::support::raw(Method::GET, "/health/ready", None)).await;
    assert_eq!(health().await.body["parts"][1], json!({ "name": "redis", "status": "ok" }));
    for way in ["slow", "gone"] {
        app.say(&token, &session, "antes").await.expect(202);
        if way == "slow" {
            redis.pause().unwrap();
        } else {
            redis.kill().unwrap();
        }
        let refused = app.say(&token, &session, "durante").await.refused(503, "unavailable");
        assert_eq!(refused.headers["retry-after"], "1");
        until_redis_is(&app.desk, false).await;
        app.send(app.mint_request(&andina, &json!({ "siteId": "main" }))).await.refused(503, "unavailable");
        app.manage(&andina, Method::PATCH, &andina.path(""), Some(&json!({})))
            .await
            .refused(503, "unavailable");
        app.call(&token, Method::GET, &history, None).await.expect(200);
        app.manage(&andina, Method::GET, &andina.path(""), None).await.expect(200);
        let said = health().await.expect(200);
        assert_eq!(said.body["parts"][1], json!({ "name": "redis", "status": "unavailable" }));
        // A read that was captured is not one twice, not even now.
        let request = || app.signed(&token, Method::GET, &history, None);
        let (first, mut second) = (request(), request());
        *second.headers_mut() = first.headers().clone();
        app.send(first).await.expect(200);
        app.send(second).await.refused(401, "replay_detected");
        if way == "slow" {
            redis.resume().unwrap();
        } else {
            redis.start_again().unwrap();
        }
        for desk in &desks {
            until_redis_is(desk, true).await;
        }
        app.say(&token, &session, "después").await.expect(202);
    }
    let said = app.call(&token, Method::GET, &history, None).await.expect(200);
    assert_eq!(said.body["items"].as_array().unwrap().len(), 4, "nothing that was refused was stored");
    let _ = routers;
}

#[tokio::test]
async fn a_request_that_one_replica_took_is_a_replay_to_another() {
    let Replicas { redis: _redis, app, routers, .. } = replicas(2).await;
    let (_, andina) = app.two().await;
    let token: Token = app.browser(&andina).await;
    let body = json!({ "channel": "web" });
    let request = || app.signed(&token, Method::POST, "/sessions", Some(&body));
    let (first, mut second) = (request(), request());
    *second.headers_mut() = first.headers().clone();
    send_to(&routers[0], first).await.expect(201);
    send_to(&routers[1], second).await.refused(401, "replay_detected");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_the_monthly_quota_is_stored_by_three_replicas() {
    let Replicas { redis: _redis, app, routers, .. } = replicas(3).await;
    let (owner, andina) = app.two().await;
    let body = json!({
        "limits": [{ "scope": "session", "requests": 10_000, "periodSeconds": 60 }],
        "quotas": [{ "kind": "messages", "monthly": 61 }],
    });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&body)).await.expect(200);
    // A server of the tenant, since one visitor has only a share.
    let token = app.server(&andina, json!({ "siteId": "main" })).await;
    let session = app.session(&token).await;
    // Each replica knows of it.
    for router in &routers {
        let seen = async || {
            let path = format!("{}{}", crate::support::BASE, andina.path("/limits"));
            let request = crate::support::with_bearer(
                crate::support::raw(Method::GET, &path, None),
                &andina.administrator,
            );
            send_to(router, request).await.body["quotasInForce"][0]["monthly"] == 61
        };
        let known = async { while !seen().await {} };
        timeout(crate::support::PATIENCE, known).await.expect("the quota holds");
    }
    let app = Arc::new(app);
    let mut tasks = JoinSet::new();
    for number in 0..150_usize {
        let body = json!({ "sessionId": session, "channel": "web", "text": "hola" });
        let request = app.signed(&token, Method::POST, "/messages", Some(&body));
        let router = routers[number % 3].clone();
        tasks.spawn(async move { send_to(&router, request).await.status.as_u16() });
    }
    let statuses = tasks.join_all().await;
    let count = |status: u16| statuses.iter().filter(|given| **given == status).count();
    assert_eq!((count(202), count(402)), (61, 89), "{statuses:?}");
}
