//! What people who prove nothing about themselves can use up, and what they can leave behind.

use crate::support::{Answer, App, PATIENCE, Tenant, Token, put, send_to};
use futures_util::{StreamExt, stream};
use http::Method;
use misy_trust::{ApiKey, ApiKeyKind, RandomToken, SystemEntropy, TokenUse};
use serde_json::{Value, json};
use std::time::Duration;

/// A visitor who comes from an address, as the proxy in front tells it.
struct Visitor<'a> {
    app: &'a App,
    token: Token,
    session: String,
    address: String,
}

impl<'a> Visitor<'a> {
    async fn new(app: &'a App, tenant: &Tenant, address: &str) -> Result<Self, Answer> {
        let mut request = app.mint_request(tenant, &json!({ "siteId": "main" }));
        put(&mut request, "x-forwarded-for", address);
        let minted = app.send(request).await.expect(201);
        let token = Token::of(&minted.body, None, Some(tenant.origin.clone()));
        let mut visitor = Self { app, token, session: String::new(), address: address.to_owned() };
        let opened = visitor.call("/sessions", &json!({ "channel": "web" })).await;
        if opened.status != 201 {
            return Err(opened);
        }
        visitor.session = opened.text("sessionId");
        Ok(visitor)
    }

    async fn call(&self, path: &str, body: &Value) -> Answer {
        let mut request = self.app.signed(&self.token, Method::POST, path, Some(body));
        put(&mut request, "x-forwarded-for", &self.address);
        self.app.send(request).await
    }

    async fn say(&self) -> Answer {
        self.call("/messages", &json!({ "sessionId": self.session, "text": "hola" })).await
    }
}

async fn behind_a_proxy(quota: i64) -> (App, Tenant) {
    let app = App::start_with(|settings| settings.trusted_proxies = 1).await;
    let (owner, andina) = app.two().await;
    let body = json!({ "limits": [], "quotas": [{ "kind": "messages", "monthly": quota }] });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&body)).await.expect(200);
    (app, andina)
}

/// How many messages get through from addresses, each with visitors that are new, before all is slowed down.
async fn flood(app: &App, tenant: &Tenant, addresses: impl Iterator<Item = String>) -> i64 {
    let mut stored = 0;
    for address in addresses {
        let visitor = match Visitor::new(app, tenant, &address).await {
            Ok(visitor) => visitor,
            Err(refused) => {
                refused.refused(429, "rate_limited");
                break;
            }
        };
        let mut got = 0;
        for _ in 0..20 {
            let answer = visitor.say().await;
            if answer.status == 202 {
                got += 1;
                continue;
            }
            // Slowed down, with the time after which to come again, and never told that the month is over.
            assert!(answer.refused(429, "rate_limited").headers.contains_key("retry-after"));
            break;
        }
        stored += got;
        if got == 0 {
            break;
        }
    }
    stored
}

#[tokio::test]
async fn one_address_uses_up_a_share_of_the_month_and_leaves_the_rest_to_others() {
    let (app, andina) = behind_a_proxy(4_000).await;
    let stored = flood(&app, &andina, (0..100).map(|_| "198.51.100.7:4711".to_owned())).await;
    assert!((190..=204).contains(&stored), "{stored}");
    let other = Visitor::new(&app, &andina, "198.51.100.8").await.ok().unwrap();
    other.say().await.expect(202);
    // A little later a little more is left for the first one too.
    app.advance(Duration::from_mins(20));
    Visitor::new(&app, &andina, "198.51.100.7").await.ok().unwrap().say().await.expect(202);
}

#[tokio::test]
async fn one_visitor_has_a_smaller_share_and_a_network_of_ipv6_is_no_way_around() {
    let (app, andina) = behind_a_proxy(4_000).await;
    let visitor = Visitor::new(&app, &andina, "198.51.100.7").await.ok().unwrap();
    let mut stored = 0;
    while visitor.say().await.status == 202 {
        stored += 1;
        // A session takes 30 messages a minute.
        app.advance(Duration::from_secs(2));
        assert!(stored < 150);
    }
    assert!((95..=110).contains(&stored), "{stored}");
    // Each from a /64 of its own, a few out of each /56, all out of one /48.
    let stored = flood(&app, &andina, (0..1_000).map(|n| format!("[2001:db8:7:{:x}::1]:443", n * 64))).await;
    assert!((390..=410).contains(&stored), "{stored}");
    // All out of one /56.
    let stored = flood(&app, &andina, (0..256).map(|n| format!("[2001:db8:9:{n:x}::1]:443"))).await;
    assert!((95..=210).contains(&stored), "{stored}");
    Visitor::new(&app, &andina, "2001:db8:8::1").await.ok().unwrap().say().await.expect(202);
}

async fn count(app: &App, sql: &str) -> i64 {
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&mut admin).await.unwrap()
}

async fn change(app: &App, sql: &str) {
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut admin).await.unwrap();
}

async fn told_in_a_snapshot(app: &App, tenant: &Tenant) -> (usize, bool) {
    use misy_domain::Clock;
    let now = app.store.clock.now();
    let (snapshot, _) = app.store.database.tenant_snapshot(&tenant.tenant_id(), now).await.unwrap().unwrap();
    (snapshot.revoked.len(), snapshot.revoked_more)
}

#[tokio::test]
async fn tokens_that_visitors_give_up_leave_nothing_for_long_and_count_no_more() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let first = app.browser(&andina).await;
    let session = app.session(&first).await;
    app.say(&first, &session, "hola").await.expect(202);
    app.call(&first, Method::POST, "/tokens/revoke", None).await.expect(204);
    for _ in 0..20 {
        let token = app.browser(&andina).await;
        app.call(&token, Method::POST, "/tokens/revoke", None).await.expect(204);
    }
    let rows = "select count(*) from misy.revoked_tokens";
    assert_eq!((count(&app, rows).await, told_in_a_snapshot(&app, &andina).await), (21, (21, false)));
    let read = |token: &Token| app.signed(token, Method::GET, &format!("/sessions/{session}"), None);
    app.send(read(&first)).await.refused(401, "token_revoked");

    // Later the snapshot does not tell of it any more. Here and on a replica that never saw the token it counts all the same.
    change(&app, "update misy.revoked_tokens set revoked_at = revoked_at - interval '1 hour'").await;
    assert_eq!(told_in_a_snapshot(&app, &andina).await, (0, false));
    app.desk.forget_tenant(&andina.tenant_id());
    let there = app.replica().await.router();
    app.send(read(&first)).await.refused(401, "token_revoked");
    send_to(&there, read(&first)).await.refused(401, "token_revoked");

    // After a day no token of theirs lives, and with the next one that goes nothing is remembered of them. Whoever kept the
    // old token can renew it and has an empty one, as anybody gets.
    app.advance(Duration::from_hours(26));
    let last = app.browser(&andina).await;
    app.call(&last, Method::POST, "/tokens/revoke", None).await.expect(204);
    assert_eq!(count(&app, rows).await, 1);
    let mut renewal = app.signed(&first, Method::POST, "/tokens", Some(&json!({ "siteId": "main" })));
    put(&mut renewal, "x-api-key", &andina.publishable_key);
    let renewed = app.send(renewal).await;
    if renewed.status == 201 {
        let renewed = Token::of(&renewed.body, None, Some(andina.origin.clone()));
        app.send(read(&renewed)).await.refused(404, "not_found");
        app.say(&renewed, &session, "hola").await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn however_many_were_revoked_lately_each_counts_and_the_snapshot_stays_small() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    app.call(&token, Method::POST, "/tokens/revoke", None).await.expect(204);
    change(
        &app,
        "insert into misy.revoked_tokens (tenant_id, token_id, expires_at)
         select 'andina', 'tat_' || lpad(n::text, 26, '0'), now() + interval '1 year' from generate_series(1, 3000) n",
    )
    .await;
    assert_eq!(told_in_a_snapshot(&app, &andina).await, (1_000, true));
    app.desk.forget_tenant(&andina.tenant_id());
    let read = app.signed(&token, Method::GET, &format!("/sessions/{session}"), None);
    app.send(read).await.refused(401, "token_revoked");
    // Others are served.
    let other = app.browser(&andina).await;
    app.session(&other).await;
}

#[tokio::test]
async fn of_each_thing_there_may_be_so_many_and_no_race_gets_past() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    for (path, table, most, body) in [
        (
            "/keys",
            "api_keys where expires_at is null",
            100,
            (|n| json!({ "siteId": "main", "name": format!("key {n}") })) as fn(usize) -> Value,
        ),
        (
            "/sites",
            "sites where true",
            100,
            |n| json!({ "siteId": format!("s{n}"), "origins": [format!("https://s{n}.andina.example")] }),
        ),
        (
            "/roles",
            "roles where true",
            100,
            |n| json!({ "roleId": format!("role{n}"), "name": format!("role {n}"), "actions": ["sites:read"] }),
        ),
    ] {
        let somebody = app.at_once(&andina).await;
        let calls = stream::iter(0..most + 30)
            .map(|n| app.send(somebody.request(Method::POST, &andina.path(path), Some(&body(n)))));
        // So many at once that they race, and so few that on a busy machine none waits for its connection until it gives up.
        let answers: Vec<Answer> = calls.buffer_unordered(4).collect().await;
        let full: Vec<_> = answers.iter().filter(|answer| answer.status != 201).collect();
        assert!(full.len() >= 30, "{path}: {} are refused", full.len());
        for answer in full {
            assert_eq!((answer.status.as_u16(), answer.code()), (409, "too_many"), "{path}: {}", answer.body);
            assert!(answer.text("detail").contains(&most.to_string()), "{}", answer.body);
        }
        let there = count(&app, &format!("select count(*) from misy.{table} and tenant_id = 'andina'")).await;
        assert_eq!(there, i64::try_from(most).unwrap(), "{path}");
    }
}

#[tokio::test]
async fn one_network_takes_a_part_of_the_rate_that_all_share_and_nobody_takes_that_of_who_manages() {
    let app = App::start_with(|settings| settings.trusted_proxies = 1).await;
    let (owner, andina) = app.two().await;
    // A day, so that nothing comes back meanwhile.
    let limits = json!([
        { "scope": "tenant", "requests": 1_000, "periodSeconds": 86_400 },
        { "scope": "key", "requests": 1_000_000, "periodSeconds": 1 },
    ]);
    let body = json!({ "limits": limits, "quotas": [] });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&body)).await.expect(200);
    let read = async |visitor: &Visitor<'_>, address: &str| {
        let path = format!("/sessions/{}", visitor.session);
        let mut request = app.signed(&visitor.token, Method::GET, &path, None);
        put(&mut request, "x-forwarded-for", address);
        app.send(request).await
    };
    // Reading counts as writing does, whatever session is asked for.
    for region in 1..=5 {
        let address = format!("203.0.{region}.7");
        let visitor = Visitor::new(&app, &andina, &address).await.ok().unwrap();
        // Its token and its session count too.
        let mut got = 2;
        while read(&visitor, &address).await.status == 200 {
            got += 1;
        }
        assert_eq!(got, 100, "of one address");
        // Somebody beside it has what is left of the region.
        let beside = format!("203.0.{region}.8");
        while read(&visitor, &beside).await.status == 200 {
            got += 1;
        }
        assert_eq!(got, 200, "of one region");
    }
    let mut request = app.mint_request(&andina, &json!({ "siteId": "main" }));
    put(&mut request, "x-forwarded-for", "203.0.6.7");
    app.send(request).await.refused(429, "rate_limited");
    // Visitors have to wait now. Whoever manages does not.
    app.manage(&andina, Method::GET, &andina.path("/sites"), None).await.expect(200);
}

/// Entries of an operation, once there are some that a test waits for.
async fn told(app: &App, who: &Tenant, query: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let began = std::time::Instant::now();
    loop {
        let path = who.path(&format!("/audit?limit=200&{query}"));
        let body = app.manage(who, Method::GET, &path, None).await.expect(200).body;
        let found = body["items"].as_array().cloned().unwrap_or_default();
        if enough(&found) {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{found:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_strangers_read_and_are_refused_stands_in_the_trail_together_and_every_call_counts() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let read = async |session: &str| {
        app.send(app.signed(&token, Method::GET, &format!("/sessions/{session}"), None)).await
    };
    for _ in 0..40 {
        read(&session).await.expect(200);
        read("ses_00000000000000000000000000").await.refused(404, "not_found");
    }
    // The first of each is there at once.
    let first = told(&app, &andina, "action=readSession", |found| found.len() >= 2).await;
    assert_eq!(first.len(), 2, "{first:?}");
    assert!(first.iter().all(|entry| entry["detail"].is_null()), "{first:?}");
    app.advance(Duration::from_secs(61));
    let all = told(&app, &andina, "action=readSession", |found| found.len() >= 4).await;
    let counted: i64 = all.iter().map(|entry| entry["detail"]["calls"].as_i64().unwrap_or(1)).sum();
    assert_eq!((all.len(), counted), (4, 80), "{all:?}");
    // What somebody of the tenant does stays one entry each.
    for _ in 0..5 {
        app.manage(&andina, Method::GET, &andina.path("/sites"), None).await.expect(200);
    }
    told(&app, &andina, "action=listSites", |found| found.len() == 5).await;
}

#[tokio::test]
async fn a_filter_that_fits_little_of_a_large_trail_is_answered_in_steps() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    for part in 0..5 {
        let (first, last) = (part * 5_000 + 1, (part + 1) * 5_000);
        let entries = format!(
            "insert into misy.audit_entries (tenant_id, audit_id, at, kind, action, actor, outcome)
             select 'andina', 'aud_' || lpad((2 * n)::text, 26, '0'), '2026-01-01', 'call', 'x', 'somebody-' || n, 'ok'
             from generate_series({first}, {last}) n"
        );
        change(&app, &entries).await;
    }
    let (mut cursor, mut steps, mut found) = (String::new(), 0, Vec::new());
    loop {
        let path = andina.path(&format!("/audit?actor=somebody-3{cursor}"));
        let body = app.manage(&andina, Method::GET, &path, None).await.expect(200).body;
        found.extend(body["items"].as_array().cloned().unwrap());
        steps += 1;
        let Some(next) = body["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        assert!(steps < 10);
    }
    assert_eq!((steps, found.len()), (3, 1), "{found:?}");
    // A time needs no steps through what is newer.
    let path = andina.path("/audit?actor=nobody&from=2026-04-01T00:00:00Z");
    let body = app.manage(&andina, Method::GET, &path, None).await.expect(200).body;
    assert!(body["nextCursor"].is_null(), "{body}");
}

#[tokio::test]
async fn a_large_body_is_not_read_before_its_sender_shows_a_token() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    // Its bytes never come: who waits for them waits for ever.
    let endless = |path: &str, token: Option<&str>| {
        let body = axum::body::Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let mut request = crate::support::bare(Method::POST, path, Some(&json!({})));
        *request.body_mut() = body;
        put(&mut request, "content-length", "60000");
        put(&mut request, "content-type", "application/json");
        if let Some(token) = token {
            put(&mut request, "authorization", &format!("Bearer {token}"));
        }
        request
    };
    let sites = andina.path("/sites");
    let refused = async |request, code| {
        let answered = tokio::time::timeout(PATIENCE, app.send(request));
        answered.await.expect("the body is waited for").refused(401, code);
    };
    for path in ["/messages", &sites] {
        for (token, code) in [(None, "token_missing"), (Some("nonsense"), "token_invalid")] {
            refused(endless(path, token), code).await;
        }
    }
    // What merely looks like a credential is none.
    let entropy = SystemEntropy::new();
    let personal = RandomToken::generate(TokenUse::Personal, &entropy);
    let set_up = ApiKey::generate(ApiKeyKind::Administrator, &entropy);
    for token in [personal.text(), set_up.text().expose(), "pat_1", "adm_1"] {
        refused(endless(&sites, Some(token)), "token_invalid").await;
    }
    let session = RandomToken::generate(TokenUse::Session, &entropy);
    for session in [session.text(), "bss_1"] {
        let mut request = endless(&sites, None);
        put(&mut request, "cookie", &format!("__Host-misy_session={session}"));
        refused(request, "session_invalid").await;
    }
    // Whoever has one is listened to.
    let (asked_for, is_asked_for) = tokio::sync::oneshot::channel();
    let body = stream::once(async move {
        asked_for.send(()).unwrap();
        std::future::pending::<Result<Vec<u8>, std::io::Error>>().await
    });
    let mut request = endless(&sites, Some(&andina.administrator));
    *request.body_mut() = axum::body::Body::from_stream(body);
    tokio::select! {
        answer = app.send(request) => panic!("answered with {} before the body came", answer.status),
        asked_for = is_asked_for => asked_for.unwrap(),
    }
}

#[tokio::test]
async fn a_large_body_is_not_read_of_whoever_may_not_send_it() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let endless = |path: &str, token: &Token, origin: &str| {
        let body = axum::body::Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let mut request = crate::support::bare(Method::POST, path, Some(&json!({})));
        *request.body_mut() = body;
        put(&mut request, "content-length", "60000");
        put(&mut request, "origin", origin);
        crate::support::with_bearer(request, &token.text)
    };
    let refused = async |request, status, code| {
        let answered = tokio::time::timeout(PATIENCE, app.send(request));
        answered.await.expect("the body is waited for").refused(status, code)
    };
    let (visitor, sites) = (app.browser(&andina).await, andina.path("/sites"));
    // It may chat, and neither bring files nor manage.
    refused(endless("/files", &visitor, &andina.origin), 403, "permission_denied").await;
    refused(endless(&sites, &visitor, &andina.origin), 403, "permission_denied").await;
    refused(endless("/messages", &visitor, "https://elsewhere.example"), 403, "origin_not_allowed").await;
    app.call(&visitor, Method::POST, "/tokens/revoke", None).await.expect(204);
    refused(endless("/messages", &visitor, &andina.origin), 401, "token_revoked").await;
    let other = app.browser(&andina).await;
    let why = json!({ "reason": "to see what is read" });
    app.manage(&owner, Method::POST, &andina.path("/suspend"), Some(&why)).await.expect(200);
    refused(endless("/messages", &other, &andina.origin), 403, "tenant_suspended").await;
}
