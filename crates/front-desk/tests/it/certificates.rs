//! Client certificates bound to a tenant. The TLS handshake itself is tested with the running program.

use crate::support::{Answer, App, Tenant, Token, with_bearer};
use crate::tokens::claims;
use axum::body::Body;
use http::{Method, Request};
use misy_testkit::authority::{Authority, GOOD, Issued, OVER, Years};
use misy_trust::{ClientCertificate, RefusedCertificate};
use serde_json::{Value, json};
use std::sync::Arc;

/// As the program's listener says that the connection has this certificate.
pub(crate) fn over(mut request: Request<Body>, certificate: &Issued) -> Request<Body> {
    let certificate = ClientCertificate::from_der(&certificate.der).unwrap();
    request.extensions_mut().insert(Arc::new(certificate));
    request
}

async fn bind(app: &App, tenant: &Tenant, body: &Value) -> Answer {
    app.manage(tenant, Method::POST, &tenant.path("/certificates"), Some(body)).await
}

async fn mark(app: &App, tenant: &Tenant) {
    let path = tenant.path(&format!("/secrets/{}", tenant.secret_id));
    let body = json!({ "needsCertificate": true });
    app.manage(tenant, Method::PATCH, &path, Some(&body)).await.expect(204);
}

fn read(app: &App, tenant: &Tenant, token: &Token) -> Request<Body> {
    app.signed(token, Method::GET, &tenant.path(""), None)
}

fn asked() -> Value {
    json!({ "siteId": "main", "permissions": ["tenant:manage"] })
}

#[tokio::test]
async fn a_secret_that_needs_a_certificate_is_worth_nothing_without_one_of_the_tenant() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let authority = Authority::new("clients").unwrap();
    let [own, stranger, others] =
        ["own", "stranger", "others"].map(|name| authority.issue(name, GOOD).unwrap());
    let before = app.server(&andina, asked()).await;

    let bound = bind(&app, &andina, &json!({ "name": "backend", "certificate": own.pem })).await.expect(201);
    assert_eq!((bound.text("boundBy"), bound.text("subject")), ("key".into(), "CN=own".into()));
    bind(&app, &verde, &json!({ "name": "theirs", "certificate": others.pem })).await.expect(201);
    app.send(read(&app, &andina, &before)).await.expect(200);
    mark(&app, &andina).await;
    // What was given without a certificate is refused from now on.
    app.send(read(&app, &andina, &before)).await.refused(401, "certificate_required");

    let mint = || app.server_request(&andina, &asked());
    app.send(mint()).await.refused(401, "certificate_required");
    app.send(over(mint(), &stranger)).await.refused(401, "certificate_invalid");
    app.send(over(mint(), &others)).await.refused(401, "certificate_invalid");
    let answer = app.send(over(mint(), &own)).await.expect(201);
    let token = Token::of(&answer.body, Some(&andina.secret), None);
    assert!(claims(&token.text)["cnf"]["x5t#S256"].is_string());

    // The token is worth nothing on another connection, nor with another certificate of the same tenant.
    app.send(over(read(&app, &andina, &token), &own)).await.expect(200);
    app.send(read(&app, &andina, &token)).await.refused(401, "certificate_required");
    app.send(over(read(&app, &andina, &token), &stranger)).await.refused(401, "certificate_invalid");
    bind(&app, &andina, &json!({ "name": "second", "certificate": stranger.pem })).await.expect(201);
    app.send(over(read(&app, &andina, &token), &stranger)).await.refused(401, "certificate_invalid");

    // Revoked, it is refused at once, and so is what was given with it.
    let path = andina.path(&format!("/certificates/{}", bound.text("certificateId")));
    app.manage(&verde, Method::DELETE, &path, None).await.refused(404, "not_found");
    app.manage(&andina, Method::DELETE, &path, None).await.expect(204);
    app.send(over(read(&app, &andina, &token), &own)).await.refused(401, "certificate_invalid");
    app.send(over(mint(), &own)).await.refused(401, "certificate_invalid");
    app.send(over(mint(), &stranger)).await.expect(201);
    let listed = app.manage(&andina, Method::GET, &andina.path("/certificates"), None).await.expect(200);
    let listed = listed.body["items"].as_array().unwrap();
    let revoked = listed.iter().filter(|one| one["revokedAt"].is_string()).count();
    assert_eq!((listed.len(), revoked), (2, 1));
}

#[tokio::test]
async fn a_renewed_certificate_of_the_same_key_goes_on_and_an_expired_one_does_not() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let authority = Authority::new("clients").unwrap();
    let old = authority.issue("backend", GOOD).unwrap();
    let renewed = authority.renew(&old, "backend", GOOD).unwrap();
    let expired = authority.renew(&old, "backend", OVER).unwrap();
    bind(&app, &andina, &json!({ "name": "by key", "certificate": old.pem })).await.expect(201);
    mark(&app, &andina).await;
    let mint = || app.server_request(&andina, &asked());
    let token = app.send(over(mint(), &old)).await.expect(201);
    let token = Token::of(&token.body, Some(&andina.secret), None);
    app.send(over(mint(), &renewed)).await.expect(201);
    app.send(over(mint(), &expired)).await.refused(401, "certificate_invalid");

    // A chain that was bound stays bound, to whichever certificate of the tenant renews it.
    let renew = || {
        let body = asked().to_string();
        let key = &andina.secret;
        let mut request =
            app.signed_by(key, Some(&token.text), Method::POST, "/tokens", Some(body.as_bytes()));
        crate::support::put(&mut request, "x-misy-key", &andina.secret_id);
        with_bearer(request, &token.text)
    };
    let path = andina.path(&format!("/secrets/{}", andina.secret_id));
    let body = json!({ "needsCertificate": false });
    app.manage(&andina, Method::PATCH, &path, Some(&body)).await.expect(204);
    app.send(renew()).await.refused(401, "certificate_required");
    let next = app.send(over(renew(), &renewed)).await.expect(201);
    let next = Token::of(&next.body, Some(&andina.secret), None);
    app.send(over(read(&app, &andina, &next), &renewed)).await.expect(200);
    app.send(over(read(&app, &andina, &next), &old)).await.refused(401, "certificate_invalid");
}

#[tokio::test]
async fn a_certificate_can_be_for_one_secret_one_site_and_a_time() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let authority = Authority::new("clients").unwrap();
    let issue = |years: Years| authority.issue("backend", years).unwrap();
    let (by_secret, by_site, for_an_hour) = (issue(GOOD), issue(GOOD), issue(GOOD));
    let other =
        app.manage(&andina, Method::POST, &andina.path("/secrets"), Some(&json!({}))).await.expect(201);
    let shop = json!({ "siteId": "shop", "origins": ["https://shop.andina.example"] });
    app.manage(&andina, Method::POST, &andina.path("/sites"), Some(&shop)).await.expect(201);
    let in_an_hour = misy_domain::Clock::now(&*app.store.clock) + std::time::Duration::from_hours(1);
    let of = |certificate: &Issued, more: Value| {
        let mut body = json!({ "name": "narrow", "certificate": certificate.pem });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let (secret, site) = (json!({ "secretKeyId": other.text("keyId") }), json!({ "siteId": "shop" }));
    bind(&app, &andina, &of(&by_secret, secret)).await.expect(201);
    bind(&app, &andina, &of(&by_site, site)).await.expect(201);
    bind(&app, &andina, &of(&for_an_hour, json!({ "expiresAt": in_an_hour }))).await.expect(201);
    mark(&app, &andina).await;
    let mint = || app.server_request(&andina, &asked());
    app.send(over(mint(), &by_secret)).await.refused(401, "certificate_invalid");
    app.send(over(mint(), &by_site)).await.refused(401, "certificate_invalid");
    let of_shop = app.server_request(&andina, &json!({ "siteId": "shop" }));
    app.send(over(of_shop, &by_site)).await.expect(201);
    let token = app.send(over(mint(), &for_an_hour)).await.expect(201);
    let token = Token::of(&token.body, Some(&andina.secret), None);
    app.advance(std::time::Duration::from_mins(59));
    app.send(over(read(&app, &andina, &token), &for_an_hour)).await.expect(200);
    app.advance(std::time::Duration::from_mins(2));
    app.send(over(read(&app, &andina, &token), &for_an_hour)).await.refused(401, "certificate_invalid");
    app.send(over(mint(), &for_an_hour)).await.refused(401, "certificate_invalid");
}

#[tokio::test]
async fn what_is_no_certificate_is_not_bound() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let one = Authority::new("clients").unwrap().issue("one", GOOD).unwrap();
    let both = format!("{}{}", one.pem, one.key);
    let hash = "ab".repeat(32);
    for bad in [
        json!({ "name": "x" }),
        json!({ "name": "", "fingerprint": hash }),
        json!({ "name": "x", "fingerprint": "12" }),
        json!({ "name": "x", "certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" }),
        json!({ "name": "x", "certificate": both }),
        json!({ "name": "x", "certificate": one.key }),
        json!({ "name": "x", "certificate": one.pem, "fingerprint": hash }),
        json!({ "name": "x", "fingerprint": hash, "siteId": "nowhere" }),
        json!({ "name": "x", "fingerprint": hash, "secretKeyId": "key_00000000000000000000000000" }),
        json!({ "name": "x", "fingerprint": hash, "expiresAt": "2001-01-01T00:00:00Z" }),
    ] {
        bind(&app, &andina, &bad).await.refused(422, "validation_failed");
    }
    let made = bind(&app, &andina, &json!({ "name": "x", "fingerprint": hash })).await.expect(201);
    assert_eq!(made.text("fingerprint"), hash);
}

fn binding_of(token: &Token) -> String {
    claims(&token.text)["cnf"]["binding"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_certificate_is_bound_once_and_what_was_given_by_a_binding_ends_with_it() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let authority = Authority::new("clients").unwrap();
    let own = authority.issue("own", GOOD).unwrap();
    let by = |bound_by: &str| json!({ "name": "backend", "certificate": own.pem, "boundBy": bound_by });
    let first = bind(&app, &andina, &by("key")).await.expect(201).text("certificateId");
    // Nor a second time, nor by its other fingerprint, nor by the bare fingerprint.
    for body in [by("key"), by("certificate")] {
        let answer = bind(&app, &andina, &body).await.refused(409, "certificate_bound");
        assert!(answer.text("detail").contains(&first), "{}", answer.body);
    }
    let key = ClientCertificate::from_der(&own.der).unwrap().key.to_string();
    bind(&app, &andina, &json!({ "name": "x", "fingerprint": key })).await.refused(409, "certificate_bound");
    mark(&app, &andina).await;
    let mint = || app.server_request(&andina, &asked());
    let token = async || {
        let answer = app.send(over(mint(), &own)).await.expect(201);
        Token::of(&answer.body, Some(&andina.secret), None)
    };
    let old = token().await;
    assert_eq!(binding_of(&old), first);
    app.send(over(read(&app, &andina, &old), &own)).await.expect(200);

    // Revoked and bound again, it is another binding: what was given before stays refused, on every replica.
    let path = andina.path(&format!("/certificates/{first}"));
    app.manage(&andina, Method::DELETE, &path, None).await.expect(204);
    let second = bind(&app, &andina, &by("key")).await.expect(201).text("certificateId");
    let replica = app.replica().await.router();
    app.send(over(read(&app, &andina, &old), &own)).await.refused(401, "certificate_invalid");
    let there = crate::support::send_to(&replica, over(read(&app, &andina, &old), &own)).await;
    there.refused(401, "certificate_invalid");
    let new = token().await;
    assert_eq!(binding_of(&new), second);
    app.send(over(read(&app, &andina, &new), &own)).await.expect(200);

    // One whose time is over stands in nobody's way.
    let short = authority.issue("short", GOOD).unwrap();
    let in_an_hour = misy_domain::Clock::now(&*app.store.clock) + std::time::Duration::from_hours(1);
    let body = json!({ "name": "short", "certificate": short.pem, "expiresAt": in_an_hour });
    bind(&app, &andina, &body).await.expect(201);
    app.advance(std::time::Duration::from_hours(2));
    bind(&app, &andina, &json!({ "name": "again", "certificate": short.pem })).await.expect(201);
}

#[tokio::test]
async fn two_bindings_at_the_same_moment_are_one() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let body = json!({ "name": "x", "fingerprint": "cd".repeat(32) });
    let answers = futures_util::future::join_all((0..6).map(|_| bind(&app, &andina, &body))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((made, refused), (1, 5));
}

#[tokio::test]
async fn a_certificate_works_for_one_tenant_at_a_time_and_nobody_takes_it_by_naming_it() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let own = Authority::new("clients").unwrap().issue("own", GOOD).unwrap();
    let body = json!({ "name": "backend", "certificate": own.pem });
    // Whoever knows the certificate may bind it first: that neither hinders its holder nor tells anybody anything.
    bind(&app, &verde, &body).await.expect(201);
    let bound = bind(&app, &andina, &body).await.expect(201).text("certificateId");
    mark(&app, &andina).await;
    mark(&app, &verde).await;
    let mint = |tenant: &Tenant| over(app.server_request(tenant, &asked()), &own);
    app.send(mint(&andina)).await.expect(201);
    app.send(mint(&verde)).await.refused(401, "certificate_invalid");
    app.send(mint(&andina)).await.expect(201);
    // Given up there, it may work here.
    let path = andina.path(&format!("/certificates/{bound}"));
    app.manage(&andina, Method::DELETE, &path, None).await.expect(204);
    app.send(mint(&verde)).await.expect(201);
    app.send(mint(&andina)).await.refused(401, "certificate_invalid");
}

#[tokio::test]
async fn a_certificate_without_an_end_is_bound_without_one() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let authority = Authority::new("clients").unwrap();
    let endless = authority.issue_endless().unwrap();
    let body = json!({ "name": "endless", "certificate": endless.pem, "boundBy": "certificate" });
    let answer = bind(&app, &andina, &body).await.expect(201);
    assert_eq!(answer.body["expiresAt"], Value::Null);
    mark(&app, &andina).await;
    app.send(over(app.server_request(&andina, &asked()), &endless)).await.expect(201);
}

#[tokio::test]
async fn nothing_is_answered_on_a_connection_whose_certificate_counts_no_more() {
    let app = App::start().await;
    for path in ["/health/live", "/.well-known/jwks.json", "/api/meta-agent/tokens", "/nowhere"] {
        let mut request = crate::support::raw(Method::GET, path, None);
        request.extensions_mut().insert(RefusedCertificate { reason: "certificate_revoked" });
        let answer = app.send(request).await.refused(401, "certificate_invalid");
        assert_eq!(answer.headers["connection"], "close");
    }
}
