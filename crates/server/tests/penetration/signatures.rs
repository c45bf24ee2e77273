//! Signature spoofing, replay and games with the clock.

use crate::{
    stage::{Stage, Token, nonce, seconds_from_now, signed_at},
    wire::{HOST, Request},
};
use misy_testkit::{client::BASE, redis::TestRedis};
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

fn message(session: &str, text: &str) -> Request {
    let body = json!({ "sessionId": session, "channel": "web", "text": text });
    Request::new("POST", format!("{BASE}/messages")).json(&body)
}

#[tokio::test]
async fn a_request_that_is_not_exactly_the_one_that_was_signed_is_refused() {
    let stage = Stage::start().await;
    let token = stage.browser(&stage.andina).await;
    let session = stage.session(&token).await;
    let other = stage.browser(&stage.andina).await;
    let fresh = || token.sign(message(&session, "hola"));
    let headers = [
        "authorization",
        "origin",
        "x-misy-timestamp",
        "x-misy-nonce",
        "x-misy-signature",
        "host",
        "content-type",
    ];
    for name in headers {
        let missing = stage.send(fresh().without(name)).await;
        assert!((400..500).contains(&missing.status), "without {name}: {}", missing.shown());
        let value = fresh().value(name).unwrap();
        let doubled = stage.send(fresh().header(name, &value)).await;
        assert_eq!(doubled.status, 400, "{name} twice: {}", doubled.shown());
        let empty = stage.send(fresh().set(name, "")).await;
        assert!((400..500).contains(&empty.status), "{name} empty: {}", empty.shown());
    }
    let mut changed: Vec<(&str, Request)> = vec![
        ("another body", fresh().body(message(&session, "adiós").body)),
        ("a blank more", fresh().body([&fresh().body[..], b" "].concat())),
        ("no body", fresh().body(Vec::new())),
        ("another host", fresh().set("host", "evil.example")),
        ("a port more", fresh().set("host", format!("{HOST}:443"))),
        ("another nonce", fresh().set("x-misy-nonce", nonce())),
        ("another time", fresh().set("x-misy-timestamp", seconds_from_now(1).as_second().to_string())),
        ("another's token", fresh().bearer(&other.text)),
        ("another's key", Token { key: other.key.clone(), ..token.clone() }.sign(message(&session, "x"))),
        (
            "the tenant's secret",
            Token { key: stage.andina.secret.clone(), ..token.clone() }.sign(message(&session, "x")),
        ),
        (
            "another tenant's secret",
            Token { key: stage.verde.secret.clone(), ..token.clone() }.sign(message(&session, "x")),
        ),
    ];
    for target in
        ["/messages?", "/messages?a=1", "/messages/", "//messages", "/./messages", "/%6dessages", "/sessions"]
    {
        let mut request = fresh();
        request.target = format!("{BASE}{target}");
        changed.push(("another target", request));
    }
    for method in ["PUT", "PATCH", "GET", "post", "POSTX"] {
        let mut request = fresh();
        method.clone_into(&mut request.method);
        changed.push(("another method", request));
    }
    let genuine = fresh().value("x-misy-signature").unwrap();
    for signature in [
        "v1=".to_owned(),
        "v1".to_owned(),
        "v0=0".to_owned(),
        genuine.replace("v1=", "v2="),
        genuine.replace("v1=", ""),
        format!("v1={}", "0".repeat(64)),
        format!("v1={}", "f".repeat(63)),
        format!("v1={}", "g".repeat(64)),
        format!("v1={}", "0".repeat(4_000)),
        vec![format!("v1={}", "0".repeat(64)); 50].join(" "),
    ] {
        changed.push(("another signature", fresh().set("x-misy-signature", signature)));
    }
    for (what, request) in changed {
        let answer = stage.send(request.clone()).await;
        let refused = [400, 401, 404, 405].contains(&answer.status);
        // What only looks different to a reader and not to the signature is the request that was signed.
        let same = request.target.ends_with('?') && answer.status == 202;
        assert!(refused || same, "{what} {} {}: {}", request.method, request.target, answer.shown());
    }
    stage.send(fresh()).await.expect(202);
}

#[tokio::test]
async fn of_fifty_copies_that_come_at_once_one_counts() {
    let stage = Arc::new(Stage::start().await);
    let token = stage.browser(&stage.andina).await;
    let session = stage.session(&token).await;
    for _ in 0..3 {
        let request = token.sign(message(&session, "una vez"));
        let mut copies = JoinSet::new();
        for _ in 0..50 {
            let (stage, request) = (stage.clone(), request.clone());
            copies.spawn(async move { stage.send(request).await.outcome() });
        }
        let mut outcomes = copies.join_all().await;
        outcomes.sort_unstable();
        assert_eq!(outcomes[0], (202, String::new()));
        assert!(
            outcomes[1..].iter().all(|outcome| *outcome == (401, "replay_detected".into())),
            "{outcomes:?}"
        );
    }
    // The same nonce for something else, signed anew.
    let (used, now) = (nonce(), seconds_from_now(0).as_second().to_string());
    let sign = |text: &str| {
        let request =
            message(&session, text).bearer(&token.text).set("origin", token.origin.as_ref().unwrap());
        signed_at(&token.key, Some(&token.text), request, &now, &used)
    };
    stage.send(sign("primero")).await.expect(202);
    stage.send(sign("segundo")).await.refused(401, "replay_detected");
    assert_eq!(stage.count("select count(*) from misy.messages where role = 'contact'").await, 4);
}

#[tokio::test]
async fn what_one_replica_has_seen_is_a_replay_to_another() {
    let redis = TestRedis::start().unwrap();
    let stage = Stage::start_with(&[("MISY_REDIS_URL", &redis.url())]).await;
    let (mut other, wire) = stage.another_with(&[("MISY_REDIS_URL", &redis.url())]).await;
    let token = stage.browser(&stage.andina).await;
    let session = stage.session(&token).await;
    let request = token.sign(message(&session, "una vez"));
    stage.send(request.clone()).await.expect(202);
    wire.send(&request).await.refused(401, "replay_detected");
    wire.send(&token.sign(message(&session, "otra vez"))).await.expect(202);
    other.kill();
}

#[tokio::test]
async fn a_signature_counts_for_five_minutes_to_either_side_and_its_time_is_a_plain_number() {
    let stage = Stage::start().await;
    let token = stage.browser(&stage.andina).await;
    let session = stage.session(&token).await;
    let send = async |timestamp: &str| {
        let request =
            message(&session, "hola").bearer(&token.text).set("origin", token.origin.as_ref().unwrap());
        stage.send(signed_at(&token.key, Some(&token.text), request, timestamp, &nonce())).await
    };
    // Seconds pass between signing and looking: the edges themselves are tested with a clock that stands still.
    for (offset, good) in
        [(-295, true), (295, true), (-301, false), (306, false), (-86_400, false), (86_400, false)]
    {
        let answer = send(&seconds_from_now(offset).as_second().to_string()).await;
        if good {
            answer.expect(202);
        } else {
            answer.refused(401, "timestamp_out_of_window");
            let told = answer.text("/serverTime");
            assert!(told.ends_with('Z'), "{told}");
        }
    }
    let now = seconds_from_now(0).as_second();
    let spellings = [
        "0",
        "-1",
        "1",
        "99999999999",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "18446744073709551616",
        "1e9",
        "0x6aaf",
        "NaN",
        "inf",
        "",
        " ",
        "now",
        "２０２６",
        "1.5",
        "1,790,000,000",
    ];
    for spelling in spellings {
        let answer = send(spelling).await;
        assert!([400, 401].contains(&answer.status), "{spelling:?}: {}", answer.shown());
    }
    for spelling in [
        format!("+{now}"),
        format!("0{now}"),
        format!("{now}.0"),
        format!("{now}000"),
        format!("-{now}"),
        format!("{now} {now}"),
        format!("{now}_"),
    ] {
        let answer = send(&spelling).await;
        assert!([400, 401].contains(&answer.status), "{spelling:?}: {}", answer.shown());
    }
    for nonce in [
        "",
        "short",
        &"n".repeat(65),
        &"n".repeat(5_000),
        "with blank here",
        "ünïcödé-nonce",
        "a/b+c=d-efghij",
        "{}{}{}{}{}{}",
    ] {
        let request =
            message(&session, "hola").bearer(&token.text).set("origin", token.origin.as_ref().unwrap());
        let now = now.to_string();
        let answer = stage.send(signed_at(&token.key, Some(&token.text), request, &now, nonce)).await;
        assert!([400, 401].contains(&answer.status), "nonce {nonce:?}: {}", answer.shown());
    }
}
