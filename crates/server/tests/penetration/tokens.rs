//! Token tampering and confusion.

use crate::{
    stage::{ROOT_KEY, SESSION_COOKIE, Stage, Token, signed},
    wire::{Request, each},
};
use misy_domain::{Clock, SystemClock};
use misy_hostile::{HostileToken, forged, missigned};
use misy_store::{Vault, signing_keys};
use misy_testkit::{client::BASE, program::BOOTSTRAP_SECRET};
use misy_trust::{RootKey, SystemEntropy};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a token that is none may be answered with. 431: its header alone is too large.
fn is_refusal((status, code): &(u16, String)) -> bool {
    match status {
        401 => ["token_invalid", "token_expired", "token_missing"].contains(&&**code),
        400 => code == "bad_request",
        431 => true,
        _ => false,
    }
}

#[tokio::test]
async fn no_token_made_of_a_genuine_one_and_the_published_keys_opens_anything() {
    let stage = Stage::start_with(&[("MISY_TOKEN_ALGORITHM", "RS256")]).await;
    let genuine = stage.browser(&stage.andina).await;
    let session = stage.session(&genuine).await;
    let keys: Value = stage.send(Request::new("GET", "/.well-known/jwks.json")).await.expect(200).json();
    let tokens: Vec<_> =
        forged(&genuine.text, &keys).into_iter().filter(HostileToken::fits_a_header).collect();
    assert!(tokens.len() > 300, "the corpus has shrunk: {}", tokens.len());
    each(&tokens, 8, async |hostile| {
        let with = Token { text: hostile.token.clone(), ..genuine.clone() };
        let read = Request::new("GET", format!("{BASE}/sessions/{session}"));
        let manage = Request::new("GET", stage.andina.path(""));
        let renew = Request::new("POST", format!("{BASE}/tokens"))
            .header("x-api-key", &stage.andina.publishable_key)
            .json(&json!({ "siteId": "main" }));
        for request in [read, manage, renew] {
            let target = request.target.clone();
            let outcome = stage.send(with.sign(request)).await.outcome();
            assert!(is_refusal(&outcome), "{} at {target}: {outcome:?}", hostile.name);
        }
    })
    .await;
    // In a body it is looked for among tokens, where it is none.
    let administrator = &stage.andina.administrator;
    for hostile in tokens.iter().step_by(7) {
        let revoke = Request::new("POST", format!("{BASE}/tokens/revoke")).bearer(administrator);
        let answer = stage.send(revoke.json(&json!({ "token": hostile.token }))).await;
        answer.refused(404, "not_found");
    }
    // The genuine one lives.
    stage.send(genuine.sign(Request::new("GET", format!("{BASE}/sessions/{session}")))).await.expect(200);
}

#[tokio::test]
async fn no_token_that_a_genuine_key_signed_wrongly_opens_anything() {
    let stage = Stage::start().await;
    let genuine = stage.browser(&stage.andina).await;
    let session = stage.session(&genuine).await;
    // As if the signing key itself had been used by somebody who does not know what is in a token.
    let (database, clock) = (&stage.store.database, SystemClock);
    let entropy = Arc::new(SystemEntropy::new());
    let vault = Vault::new(RootKey::parse(ROOT_KEY).unwrap(), entropy.clone());
    let issuer = database.installation_issuer(&clock, &*entropy).await.unwrap();
    let keys = signing_keys::load(database, &vault, &issuer, clock.now()).await.unwrap();
    let claims = keys.verify(&genuine.text, clock.now()).unwrap();
    let tokens = missigned(&keys.keys()[0], &issuer, &claims);
    let tokens: Vec<_> = tokens.into_iter().filter(HostileToken::fits_a_header).collect();
    assert!(tokens.len() > 50, "the corpus has shrunk: {}", tokens.len());
    each(&tokens, 8, async |hostile| {
        let with = Token { text: hostile.token.clone(), ..genuine.clone() };
        let read = Request::new("GET", format!("{BASE}/sessions/{session}"));
        let outcome = stage.send(with.sign(read)).await.outcome();
        assert!(is_refusal(&outcome), "{}: {outcome:?}", hostile.name);
    })
    .await;
    stage.is_well().await;
}

#[tokio::test]
async fn a_proof_of_one_kind_is_no_proof_of_another() {
    let stage = Stage::start().await;
    let person = stage.person(&stage.andina, "ana@business.example").await;
    let token = stage.browser(&stage.andina).await;
    let program = stage.server(&stage.andina, &["tenant:manage"]).await;
    let session = stage.session(&token).await;
    let own = stage.andina.path("");
    // As bearer of the wrong kind of call.
    for (what, bearer) in [
        ("an administrator's key", &*stage.andina.administrator),
        ("a publishable key", &*stage.andina.publishable_key),
        ("the id of a secret", &*stage.andina.secret_id),
        ("a session of the console", &*person.cookie),
        ("its CSRF token", &*person.csrf),
        ("the bootstrap secret", BOOTSTRAP_SECRET),
        ("a session of a chat", &*session),
        ("nothing", ""),
    ] {
        let as_token = Token { text: bearer.to_owned(), ..token.clone() };
        let answer =
            stage.send(as_token.sign(Request::new("GET", format!("{BASE}/sessions/{session}")))).await;
        assert_eq!(answer.status, 401, "{what} as a visitor: {}", answer.shown());
        if bearer != stage.andina.administrator {
            let answer = stage.send(Request::new("GET", &*own).bearer(bearer)).await;
            assert_eq!(answer.status, 401, "{what} as an administrator: {}", answer.shown());
        }
        let answer = stage.send(Request::new("GET", format!("{BASE}/auth/me")).bearer(bearer)).await;
        assert_eq!(answer.status, 401, "{what} as a person: {}", answer.shown());
        let cookie = format!("{SESSION_COOKIE}={bearer}");
        if bearer != person.cookie {
            let answer =
                stage.send(Request::new("GET", format!("{BASE}/auth/me")).header("cookie", cookie)).await;
            assert_eq!(answer.status, 401, "{what} as a cookie: {}", answer.shown());
        }
        let owner = Request::new("POST", format!("{BASE}/tenants/register/owner"));
        if bearer != BOOTSTRAP_SECRET {
            let answer = stage.send(owner.bearer(bearer).json(&crate::stage::registration("other"))).await;
            assert_eq!(answer.status, 401, "{what} as the bootstrap secret: {}", answer.shown());
        }
    }
    for key in [&stage.andina.administrator, &token.text, &person.cookie, &stage.andina.secret_id] {
        let request = crate::stage::mint_request(&stage.andina).set("x-api-key", key);
        stage.send(request).await.refused(401, "key_invalid");
    }
    // Tenant tokens without their signature, or with the signature of another's key.
    let manage = Request::new("GET", &*own);
    stage.send(manage.clone().bearer(&program.text)).await.refused(401, "signature_missing");
    let stolen = Token { key: token.key.clone(), ..program.clone() };
    stage.send(stolen.sign(manage.clone())).await.refused(401, "signature_invalid");
    stage.send(token.sign(manage.clone())).await.refused(403, "permission_denied");
    stage.send(program.sign(manage)).await.expect(200);
}

#[tokio::test]
async fn a_credential_is_written_in_one_way_and_stands_in_one_place() {
    let stage = Stage::start().await;
    let token = stage.browser(&stage.andina).await;
    let session = stage.session(&token).await;
    let target = format!("{BASE}/sessions/{session}");
    let good = |target: &str| token.sign(Request::new("GET", target));
    let text = &token.text;
    for value in [
        format!("Basic {text}"),
        format!("Bearer  {text}"),
        format!("Bearer\t{text}"),
        format!("Bearer {text},{text}"),
        format!("Bearer {text} {text}"),
        format!("Bearer \"{text}\""),
        format!("Bearer={text}"),
        format!("Token {text}"),
        text.clone(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {text}="),
        format!("Bearer {}", text.to_uppercase()),
    ] {
        let answer = stage.send(good(&target).set("authorization", &value)).await;
        assert_eq!(answer.status, 401, "{value}: {}", answer.shown());
    }
    stage
        .send(good(&target).header("authorization", format!("Bearer {text}")))
        .await
        .refused(400, "bad_request");
    for name in ["access_token", "token", "authorization", "bearer"] {
        let request = good(&format!("{target}?{name}={text}")).without("authorization");
        stage.send(request).await.refused(401, "token_missing");
    }
    for name in ["x-authorization", "proxy-authorization", "x-access-token", "x-forwarded-authorization"] {
        let request = good(&target).without("authorization").header(name, format!("Bearer {text}"));
        stage.send(request).await.refused(401, "token_missing");
    }
    stage.send(good(&target)).await.expect(200);
}

#[tokio::test]
async fn a_token_serves_its_own_tenant_and_site_whatever_the_body_says() {
    let stage = Stage::start().await;
    let token = stage.browser(&stage.andina).await;
    let other = stage.browser(&stage.verde).await;
    let (session, foreign) = (stage.session(&token).await, stage.session(&other).await);
    let write = async |body: Value| {
        stage.send(token.sign(Request::new("POST", format!("{BASE}/messages")).json(&body))).await
    };
    for body in [
        json!({ "tenantId": "verde-cafe", "sessionId": session, "channel": "web", "text": "x" }),
        json!({ "tenantId": "verde-cafe", "sessionId": foreign, "channel": "web", "text": "x" }),
        json!({ "tenantId": "colombiatic", "sessionId": session, "channel": "web", "text": "x" }),
        json!({ "tenantId": "andina", "siteId": "other", "sessionId": session, "channel": "web", "text": "x" }),
        json!({ "sessionId": foreign, "channel": "web", "text": "x" }),
    ] {
        let answer = write(body.clone()).await;
        assert!([403, 404, 422].contains(&answer.status), "{body}: {}", answer.shown());
    }
    // Renewed with the key, the secret or the origin of another tenant.
    let renew = |key: &str, origin: &str| {
        let body = json!({ "siteId": "main" });
        let request = Request::new("POST", format!("{BASE}/tokens")).header("x-api-key", key).json(&body);
        let with = Token { origin: Some(origin.to_owned()), ..token.clone() };
        with.sign(request)
    };
    let (andina, verde) = (&stage.andina, &stage.verde);
    stage.send(renew(&verde.publishable_key, &verde.origin)).await.refused(401, "token_invalid");
    stage.send(renew(&verde.publishable_key, &andina.origin)).await.refused(403, "origin_not_allowed");
    let body = json!({ "siteId": "main" });
    let request =
        Request::new("POST", format!("{BASE}/tokens")).header("x-misy-key", &verde.secret_id).json(&body);
    let request = request.bearer(&token.text);
    let request = signed(&verde.secret, Some(&token.text), request, SystemClock.unix_seconds());
    stage.send(request).await.refused(401, "token_invalid");
    stage.send(renew(&andina.publishable_key, &andina.origin)).await.expect(201);
    stage.is_well().await;
}
