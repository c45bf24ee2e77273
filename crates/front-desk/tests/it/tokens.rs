//! Tokens: minted, renewed, revoked, and hostile ones.

use crate::support::{App, ORIGIN, Token, put, with_bearer};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Method;
use misy_domain::Clock;
use misy_trust::token::TatClaims;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_browser_gets_the_least_bound_to_its_origin_and_a_key() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let answer = app.send(app.mint_request(&andina, &json!({ "siteId": "main" }))).await.expect(201);
    assert_eq!(answer.body["tokenType"], "TAT");
    assert_eq!(answer.headers["access-control-allow-origin"], ORIGIN);
    let said = claims(&answer.text("token"));
    assert_eq!((said["tenantId"].as_str(), said["origin"].as_str()), (Some("andina"), Some(ORIGIN)));
    assert_eq!(said["sig"], "token");
    let permissions = said["permissions"].as_array().unwrap();
    assert!(!permissions.contains(&json!("tenant:manage")) && permissions.contains(&json!("chat:write")));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 86_400);

    let narrow = json!({ "siteId": "main", "permissions": ["chat:read", "tenant:manage"], "ttlSeconds": 60 });
    let answer = app.send(app.mint_request(&andina, &narrow)).await.expect(201);
    let said = claims(&answer.text("token"));
    assert_eq!(said["permissions"], json!(["chat:read"]));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 60);

    let nothing = json!({ "siteId": "main", "permissions": ["tenant:manage"] });
    app.send(app.mint_request(&andina, &nothing)).await.refused(403, "permission_denied");
    for bad in [
        json!({ "siteId": "main", "ttlSeconds": 86_401 }),
        json!({ "siteId": "main", "ttlSeconds": 0 }),
        json!({ "siteId": "main", "sig": "tenant" }),
    ] {
        app.send(app.mint_request(&andina, &bad)).await.refused(422, "validation_failed");
    }
    app.send(app.mint_request(&andina, &json!({ "siteId": "other" }))).await.refused(404, "not_found");
    let elsewhere = json!({ "siteId": "main", "origin": "https://other.example" });
    app.send(app.mint_request(&andina, &elsewhere)).await.refused(403, "origin_not_allowed");
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_in_one_way() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let body = json!({ "siteId": "main" });
    for key in ["pk_live_x", "", "sk_live_x", &andina.administrator, &andina.publishable_key.to_lowercase()] {
        let mut request = app.mint_request(&andina, &body);
        put(&mut request, "x-api-key", key);
        app.send(request).await.refused(401, "key_invalid");
    }
    let mut request = app.mint_request(&andina, &body);
    request.headers_mut().remove("x-api-key");
    let answer = app.send(request).await.refused(401, "key_invalid");
    assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"misy\"");

    let mut request = app.server_request(&andina, &body);
    put(&mut request, "x-misy-key", "key_00000000000000000000000000");
    app.send(request).await.refused(401, "signature_invalid");
    let mut request = app.server_request(&andina, &body);
    put(&mut request, "x-misy-key", &owner.secret_id);
    app.send(request).await.refused(401, "signature_invalid");

    let keys = app.manage(&andina, Method::GET, &andina.path("/keys"), None).await.expect(200);
    let of_prefix = |key: &&Value| andina.publishable_key.starts_with(key["prefix"].as_str().unwrap());
    let id =
        keys.body["items"].as_array().unwrap().iter().find(of_prefix).unwrap()["keyId"].as_str().unwrap();
    app.manage(&andina, Method::DELETE, &andina.path(&format!("/keys/{id}")), None).await.expect(204);
    app.send(app.mint_request(&andina, &body)).await.refused(401, "key_invalid");
}

#[tokio::test]
async fn a_server_gets_what_it_asks_for_and_its_secret_leaves_no_browser() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.server(&andina, json!({ "siteId": "main", "permissions": ["tenant:manage"] })).await;
    assert_eq!(claims(&token.text)["sig"], "tenant");
    app.call(&token, Method::GET, &andina.path(""), None).await.expect(200);
    let bound = json!({ "siteId": "main", "permissions": ["tenant:manage"], "sig": "token" });
    let bound = app.server(&andina, bound).await;
    app.call(&bound, Method::GET, &andina.path(""), None).await.expect(200);

    let mut leaked = app.server_request(&andina, &json!({ "siteId": "main" }));
    put(&mut leaked, "origin", ORIGIN);
    app.send(leaked).await.refused(403, "origin_not_allowed");
    let mut leaked = app.signed(&token, Method::GET, &andina.path(""), None);
    put(&mut leaked, "origin", ORIGIN);
    app.send(leaked).await.refused(403, "origin_not_allowed");

    let request = app.server_request(&andina, &json!({ "siteId": "main" }));
    let again = clone(&request);
    app.send(request).await.expect(201);
    app.send(again).await.refused(401, "replay_detected");
    // For the tenant's own page, minted by its backend.
    let page = app.server(&andina, json!({ "siteId": "main", "origin": ORIGIN })).await;
    app.session(&page).await;
}

/// A request whose body is not needed again.
fn clone(request: &http::Request<axum::body::Body>) -> http::Request<axum::body::Body> {
    let body = json!({ "siteId": "main" }).to_string();
    let mut copy = http::Request::builder().method(request.method()).uri(request.uri());
    for (name, value) in request.headers() {
        copy = copy.header(name, value);
    }
    copy.body(body.into()).unwrap()
}

#[tokio::test]
async fn a_renewed_token_goes_on_with_the_sessions_of_the_old_one_and_no_other_does() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let first = app.browser(&andina).await;
    let session = app.session(&first).await;
    let stranger = app.browser(&andina).await;
    let path = format!("/sessions/{session}");
    app.call(&stranger, Method::GET, &path, None).await.refused(404, "not_found");
    app.say(&stranger, &session, "hola").await.refused(404, "not_found");

    let renew = |old: &Token| {
        let mut request = app.signed(old, Method::POST, "/tokens", Some(&json!({ "siteId": "main" })));
        put(&mut request, "x-api-key", &andina.publishable_key);
        request
    };
    let second = app.send(renew(&first)).await.expect(201);
    let second = Token::of(&second.body, None, first.origin.clone());
    assert_eq!(claims(&second.text)["family"], claims(&first.text)["jti"]);
    app.call(&second, Method::GET, &path, None).await.expect(200);
    app.say(&second, &session, "sigo aquí").await.expect(202);

    // Past its end it opens nothing, but can still be renewed for a month.
    app.advance(Duration::from_hours(25));
    app.call(&second, Method::GET, &path, None).await.refused(401, "token_expired");
    let third = app.send(renew(&second)).await.expect(201);
    let third = Token::of(&third.body, None, first.origin.clone());
    app.call(&third, Method::GET, &path, None).await.expect(200);

    // Another key, or another token of the same site, proves nothing.
    let forged = Token { key: stranger.key.clone(), ..third.clone() };
    app.send(renew(&forged)).await.refused(401, "signature_invalid");
    let mut unsigned = with_bearer(app.mint_request(&andina, &json!({ "siteId": "main" })), &third.text);
    unsigned.headers_mut().remove("x-misy-signature");
    app.send(unsigned).await.refused(401, "signature_missing");
    app.advance(Duration::from_hours(24 * 31));
    app.send(renew(&third)).await.refused(401, "token_expired");
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_with_its_whole_chain() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let first = app.browser(&andina).await;
    let session = app.session(&first).await;
    let mut request = app.signed(&first, Method::POST, "/tokens", Some(&json!({ "siteId": "main" })));
    put(&mut request, "x-api-key", &andina.publishable_key);
    let second = Token::of(&app.send(request).await.expect(201).body, None, first.origin.clone());
    let other = app.browser(&andina).await;

    let not_mine = json!({ "tokenId": claims(&first.text)["jti"] });
    app.call(&other, Method::POST, "/tokens/revoke", Some(&not_mine)).await.refused(403, "permission_denied");
    app.call(&second, Method::POST, "/tokens/revoke", None).await.expect(204);
    for gone in [&first, &second] {
        let path = format!("/sessions/{session}");
        app.call(gone, Method::GET, &path, None).await.refused(401, "token_revoked");
        let mut renewal = app.signed(gone, Method::POST, "/tokens", Some(&json!({ "siteId": "main" })));
        put(&mut renewal, "x-api-key", &andina.publishable_key);
        app.send(renewal).await.refused(401, "token_revoked");
    }
    app.session(&other).await;
    let by_id = json!({ "tokenId": claims(&other.text)["jti"] });
    app.manage(&andina, Method::POST, "/tokens/revoke", Some(&by_id)).await.expect(204);
    app.call(&other, Method::POST, "/sessions", Some(&json!({ "channel": "web" })))
        .await
        .refused(401, "token_revoked");
}

#[tokio::test]
async fn a_change_counts_on_another_replica_though_nobody_told_it() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let replica = app.replica().await;
    let router = replica.router();
    let open = || app.signed(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" })));
    crate::support::send_to(&router, open()).await.expect(201);
    app.manage(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    app.send(open()).await.refused(403, "tenant_suspended");
    let began = std::time::Instant::now();
    while crate::support::send_to(&router, open()).await.status != 403 {
        assert!(began.elapsed() < crate::support::PATIENCE, "the other replica has not noticed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.manage(&owner, Method::POST, &andina.path("/activate"), None).await.expect(200);
    app.send(open()).await.expect(201);
    replica.shutdown().await;
}

#[tokio::test]
async fn no_hostile_token_gets_in() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let genuine = app.browser(&andina).await;
    let parsed: TatClaims = app.desk.tokens.keys().verify(&genuine.text, app.store.clock.now()).unwrap();
    let keys = app.desk.tokens.keys();
    let mut corpus = misy_hostile::forged(&genuine.text, &keys.jwks(app.store.clock.now()));
    corpus.extend(misy_hostile::missigned(&keys.keys()[0], keys.issuer(), &parsed));
    assert!(corpus.len() > 500, "{} tokens", corpus.len());
    for hostile in corpus {
        if !hostile.fits_a_header() {
            continue;
        }
        let token = Token { text: hostile.token.clone(), ..genuine.clone() };
        let answer = app.call(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" }))).await;
        let known = ["token_invalid", "token_expired", "token_missing", "headers_too_large"];
        assert!(known.contains(&answer.code()), "{}: {}", hostile.name, answer.body);
    }
}
