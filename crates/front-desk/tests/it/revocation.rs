//! What is taken away counts within a second on a replica that was told nothing.

use crate::live::Events;
use crate::support::{Answer, App, PATIENCE, Tenant, Token, put, send_to, with_bearer};
use crate::tokens::claims;
use axum::{Router, body::Body};
use http::{Method, Request};
use misy_testkit::authority::{Authority, GOOD};
use misy_trust::ClientCertificate;
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tower::ServiceExt;

/// What the other replica answers once it has noticed. How long that may take stands in the settings; a machine that is
/// busy with other tests may take longer to say so.
async fn refused_there(router: &Router, request: impl Fn() -> Request<Body>, status: u16, code: &str) {
    let began = Instant::now();
    loop {
        let answer: Answer = send_to(router, request()).await;
        if (answer.status.as_u16(), answer.code()) == (status, code) {
            break;
        }
        assert!(answer.status.is_success(), "{}", answer.body);
        assert!(began.elapsed() < PATIENCE, "the other replica does not notice {code}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn open(app: &App, token: &Token) -> Request<Body> {
    app.signed(token, Method::POST, "/sessions", Some(&json!({ "channel": "web" })))
}

async fn renew(app: &App, tenant: &Tenant, old: &Token) -> Answer {
    let mut request = app.signed(old, Method::POST, "/tokens", Some(&json!({ "siteId": "main" })));
    put(&mut request, "x-api-key", &tenant.publishable_key);
    app.send(request).await
}

#[tokio::test]
async fn every_revocation_counts_on_a_replica_that_was_told_nothing() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let replica = app.replica().await;
    let there = replica.router();

    // One token by its id.
    let token = app.browser(&andina).await;
    send_to(&there, open(&app, &token)).await.expect(201);
    let by_id = json!({ "tokenId": claims(&token.text)["jti"] });
    app.manage(&andina, Method::POST, "/tokens/revoke", Some(&by_id)).await.expect(204);
    refused_there(&there, || open(&app, &token), 401, "token_revoked").await;

    // All of a tenant.
    let token = app.browser(&andina).await;
    send_to(&there, open(&app, &token)).await.expect(201);
    let why = json!({ "reason": "a laptop was stolen" });
    let all = andina.path("/tokens/revoke-all");
    let answer = app.manage(&andina, Method::POST, &all, Some(&why)).await.expect(200);
    assert_eq!(answer.body["epoch"], 2);
    refused_there(&there, || open(&app, &token), 401, "token_revoked").await;
    renew(&app, &andina, &token).await.refused(401, "token_revoked");

    // A publishable key with the tokens that it gave, and without them.
    let token = app.browser(&andina).await;
    send_to(&there, open(&app, &token)).await.expect(201);
    let key = claims(&token.text)["key"].as_str().unwrap().to_owned();
    let path = andina.path(&format!("/keys/{key}"));
    app.manage(&andina, Method::DELETE, &path, None).await.expect(204);
    refused_there(&there, || app.mint_request(&andina, &json!({ "siteId": "main" })), 401, "key_invalid")
        .await;
    send_to(&there, open(&app, &token)).await.expect(201);
    app.manage(&andina, Method::DELETE, &format!("{path}?tokens=revoke"), None).await.expect(204);
    refused_there(&there, || open(&app, &token), 401, "token_revoked").await;
    app.manage(&andina, Method::DELETE, &format!("{path}?tokens=some"), None).await.expect(422);

    // What was renewed meanwhile with another key is of the first all the same.
    let (keys, main) = (andina.path("/keys"), json!({ "siteId": "main" }));
    let one_more = app.manage(&andina, Method::POST, &keys, Some(&main)).await.expect(201);
    let another = app.manage(&andina, Method::POST, &keys, Some(&main)).await.expect(201);
    let another = Tenant { publishable_key: another.text("key"), ..andina.clone() };
    let mut first = app.mint_request(&andina, &main);
    put(&mut first, "x-api-key", &one_more.text("key"));
    let first = Token::of(&app.send(first).await.expect(201).body, None, Some(andina.origin.clone()));
    let renewed = renew(&app, &another, &first).await.expect(201);
    let renewed = Token::of(&renewed.body, None, Some(andina.origin.clone()));
    send_to(&there, open(&app, &renewed)).await.expect(201);
    let path = andina.path(&format!("/keys/{}?tokens=revoke", one_more.text("keyId")));
    app.manage(&andina, Method::DELETE, &path, None).await.expect(204);
    refused_there(&there, || open(&app, &renewed), 401, "token_revoked").await;
    renew(&app, &another, &renewed).await.refused(401, "token_revoked");

    // A tenant secret.
    let body = json!({ "siteId": "main", "permissions": ["tenant:manage"] });
    let server = app.server(&andina, body.clone()).await;
    let bound = app.server(&andina, json!({ "siteId": "main", "sig": "token" })).await;
    let read = || app.signed(&server, Method::GET, &andina.path(""), None);
    send_to(&there, read()).await.expect(200);
    send_to(&there, open(&app, &bound)).await.expect(201);
    let path = andina.path(&format!("/secrets/{}?tokens=revoke", andina.secret_id));
    app.manage(&andina, Method::DELETE, &path, None).await.expect(204);
    refused_there(&there, read, 401, "token_revoked").await;
    refused_there(&there, || open(&app, &bound), 401, "token_revoked").await;
    refused_there(&there, || app.server_request(&andina, &body), 401, "signature_invalid").await;

    // An administrator's key.
    let list = || {
        let request = crate::support::bare(Method::GET, &andina.path("/keys"), None);
        with_bearer(request, &andina.administrator)
    };
    let keys = send_to(&there, list()).await.expect(200);
    let administrator =
        keys.body["items"].as_array().unwrap().iter().find(|key| key["kind"] == "administrator");
    let id = administrator.unwrap()["keyId"].as_str().unwrap().to_owned();
    app.manage(&owner, Method::DELETE, &andina.path(&format!("/keys/{id}")), None).await.expect(204);
    refused_there(&there, list, 401, "token_revoked").await;
    replica.shutdown().await;
}

#[tokio::test]
async fn a_suspended_tenant_is_refused_everywhere_on_every_replica_and_its_streams_end() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let replica = app.replica().await;
    let there = replica.router();
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    let events = app.signed(&token, Method::GET, &format!("/sessions/{session}/events"), None);
    let mut stream = Events::of(there.clone().oneshot(events).await.unwrap());
    let server = app.server(&andina, json!({ "siteId": "main", "permissions": ["tenant:manage"] })).await;
    send_to(&there, open(&app, &token)).await.expect(201);

    app.manage(
        &owner,
        Method::POST,
        &andina.path("/suspend"),
        Some(&json!({ "reason": "unpaid since May" })),
    )
    .await
    .expect(200);
    let began = Instant::now();
    let ending = loop {
        let event = stream.next().await.expect("a last status");
        if let Some(ending) = event.data.get("ending") {
            break ending.as_str().unwrap().to_owned();
        }
    };
    println!("the stream ended after {:?}", began.elapsed());
    assert_eq!(ending, "tenant_suspended");
    let suspended = "tenant_suspended";
    refused_there(&there, || open(&app, &token), 403, suspended).await;
    let manage = || app.signed(&server, Method::GET, &andina.path(""), None);
    refused_there(&there, manage, 403, suspended).await;
    let mint = || app.mint_request(&andina, &json!({ "siteId": "main" }));
    refused_there(&there, mint, 403, suspended).await;
    let of_server = || app.server_request(&andina, &json!({ "siteId": "main" }));
    refused_there(&there, of_server, 403, suspended).await;
    let administer =
        || with_bearer(crate::support::bare(Method::GET, &andina.path(""), None), &andina.administrator);
    refused_there(&there, administer, 403, suspended).await;
    replica.shutdown().await;
}

#[tokio::test]
async fn a_revoked_certificate_counts_no_more_on_every_replica_and_its_streams_end() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let replica = app.replica().await;
    let there = replica.router();
    let issued = Authority::new("clients").unwrap().issue("backend", GOOD).unwrap();
    let certificate = Arc::new(ClientCertificate::from_der(&issued.der).unwrap());
    let over = |mut request: Request<Body>| {
        request.extensions_mut().insert(certificate.clone());
        request
    };
    let made = json!({ "name": "backend", "certificate": issued.pem });
    let bound =
        app.manage(&andina, Method::POST, &andina.path("/certificates"), Some(&made)).await.expect(201);
    let path = andina.path(&format!("/secrets/{}", andina.secret_id));
    let needs = json!({ "needsCertificate": true });
    app.manage(&andina, Method::PATCH, &path, Some(&needs)).await.expect(204);
    let answer = app.send(over(app.server_request(&andina, &json!({ "siteId": "main" })))).await.expect(201);
    let token = Token::of(&answer.body, Some(&andina.secret), None);
    let session = send_to(&there, over(open(&app, &token))).await.expect(201).text("sessionId");
    let events = over(app.signed(&token, Method::GET, &format!("/sessions/{session}/events"), None));
    let mut stream = Events::of(there.clone().oneshot(events).await.unwrap());

    let path = andina.path(&format!("/certificates/{}", bound.text("certificateId")));
    app.manage(&andina, Method::DELETE, &path, None).await.expect(204);
    refused_there(&there, || over(open(&app, &token)), 401, "certificate_invalid").await;
    let ending = loop {
        let event = stream.next().await.expect("a last status");
        if let Some(ending) = event.data.get("ending") {
            break ending.as_str().unwrap().to_owned();
        }
    };
    assert_eq!(ending, "certificate_invalid");
    replica.shutdown().await;
}

#[tokio::test]
async fn revoking_any_token_of_a_chain_by_its_id_ends_the_whole_chain() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let first = app.browser(&andina).await;
    let next = async |old: &Token| {
        let answer = renew(&app, &andina, old).await.expect(201);
        Token::of(&answer.body, None, old.origin.clone())
    };
    let second = next(&first).await;
    let third = next(&second).await;
    let stranger = app.browser(&andina).await;
    let middle = json!({ "tokenId": claims(&second.text)["jti"] });
    app.manage(&andina, Method::POST, "/tokens/revoke", Some(&middle)).await.expect(204);
    for token in [&first, &second, &third] {
        app.send(open(&app, token)).await.refused(401, "token_revoked");
        renew(&app, &andina, token).await.refused(401, "token_revoked");
    }
    app.send(open(&app, &stranger)).await.expect(201);
}

#[tokio::test]
async fn what_collides_with_another_is_done_again_once_and_the_caller_notices_nothing() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let collide = |sequence: &str, table: &str, times: u32| {
        format!(
            "create sequence public.{sequence};
             create function public.{sequence}_collides() returns trigger language plpgsql security definer as $$
             begin
                 if nextval('public.{sequence}') <= {times} then
                     raise exception 'another was first' using errcode = '40P01';
                 end if;
                 return new;
             end $$;
             grant execute on function public.{sequence}_collides() to public;
             create trigger {sequence} before insert on misy.{table}
             for each row execute function public.{sequence}_collides()"
        )
    };
    app.store.admin(collide("twice", "tenant_events", 2)).await.unwrap();
    let all = andina.path("/tokens/revoke-all");
    let answer = app.manage(&andina, Method::POST, &all, Some(&json!({}))).await.expect(200);
    assert_eq!(answer.body["epoch"], 2, "raised once");

    app.store.admin(collide("messages", "messages", 3)).await.unwrap();
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    app.say(&token, &session, "Hola").await.expect(202);

    // Not for ever.
    app.store.admin("alter sequence public.twice minvalue -100 restart with -100").await.unwrap();
    app.manage(&andina, Method::POST, &all, Some(&json!({}))).await.refused(503, "unavailable");
}
