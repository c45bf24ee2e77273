//! Ways around the limits.

use crate::{
    stage::{PASSWORD, Stage, from_own_page, mint_request},
    wire::Request,
};
use futures_util::{StreamExt, stream};
use misy_testkit::client::BASE;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Headers in which somebody may say to be somebody else.
const LIES: [&str; 10] = [
    "x-forwarded-for",
    "x-real-ip",
    "forwarded",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-cluster-client-ip",
    "x-originating-ip",
    "x-remote-addr",
    "via",
];

async fn set_limit(stage: &Stage, scope: &str, requests: u32) {
    let others = ["tenant", "site", "key", "session", "channel"].iter().filter(|one| **one != scope);
    let mut limits: Vec<Value> =
        others.map(|scope| json!({ "scope": scope, "requests": 1_000_000, "periodSeconds": 1 })).collect();
    if scope != "none" {
        // A day, so that nothing comes back while the test runs.
        limits.push(json!({ "scope": scope, "requests": requests, "periodSeconds": 86_400 }));
    }
    let path = stage.andina.path("/limits");
    stage.govern("PUT", &path, &json!({ "limits": limits })).await.expect(200);
}

fn tally(outcomes: Vec<u16>) -> BTreeMap<u16, usize> {
    let mut tally = BTreeMap::new();
    for status in outcomes {
        *tally.entry(status).or_default() += 1;
    }
    tally
}

/// Enrolling counts guesses per address as signing in does, and takes no time for a password.
fn guess_at_a_token(turn: usize) -> Request {
    let body = json!({
        "token": format!("adm_{turn}"), "email": "x@business.example", "name": "x", "password": PASSWORD
    });
    from_own_page(Request::new("POST", format!("{BASE}/auth/enroll"))).json(&body)
}

/// Sends all of them, twenty at a time.
async fn at_once(stage: &Stage, requests: Vec<Request>) -> BTreeMap<u16, usize> {
    let answers = stream::iter(&requests).map(|request| async {
        let answer = if request.value("x-forwarded-for").is_some() {
            stage.wire.send_as_is(request).await
        } else {
            stage.send(request.clone()).await
        };
        answer.status
    });
    tally(answers.buffer_unordered(20).collect().await)
}

#[tokio::test]
async fn a_limit_is_exact_however_many_come_at_once_with_however_many_tokens() {
    let stage = Stage::start().await;
    for (scope, several_tokens, several_sessions) in [
        ("session", false, false),
        ("channel", false, true),
        ("key", false, true),
        ("site", true, true),
        ("tenant", true, true),
    ] {
        set_limit(&stage, "none", 1).await;
        let mut senders = Vec::new();
        for _ in 0..if several_tokens { 8 } else { 1 } {
            let token = stage.browser(&stage.andina).await;
            for _ in 0..if several_sessions { 4 } else { 1 } {
                let session = stage.session(&token).await;
                senders.push((token.clone(), session));
            }
        }
        set_limit(&stage, scope, 17).await;
        let requests = (0..80)
            .map(|turn| {
                let (token, session) = &senders[turn % senders.len()];
                let body = json!({ "sessionId": session, "channel": "web", "text": "x" });
                token.sign(Request::new("POST", format!("{BASE}/messages")).json(&body))
            })
            .collect();
        let seen = at_once(&stage, requests).await;
        assert_eq!(seen, BTreeMap::from([(202, 17), (429, 63)]), "{scope}");
    }
}

#[tokio::test]
async fn who_tries_names_and_keys_gets_as_far_as_one_address_does() {
    // No proxy in front: no header tells an address.
    let stage = Stage::start_with(&[("MISY_TRUSTED_PROXIES", "0")]).await;
    let guess = |turn: usize| {
        let request = guess_at_a_token(turn);
        let lie = format!("203.0.113.{}", turn % 250);
        let forwarded = format!("for={lie};by={lie}");
        LIES.iter().fold(request, |request, name| {
            request.header(name, if *name == "forwarded" { &forwarded } else { &lie })
        })
    };
    // A hundred guesses in ten minutes; the first ones may come back while the last are made.
    let seen = at_once(&stage, (0..130).map(guess).collect()).await;
    let through = seen.get(&401).copied().unwrap_or_default();
    assert!((100..=110).contains(&through), "{seen:?}");
    assert_eq!(through + seen.get(&429).copied().unwrap_or_default(), 130, "{seen:?}");
}

#[tokio::test]
async fn behind_a_proxy_only_what_the_proxy_wrote_is_believed() {
    let stage = Stage::start_with(&[("MISY_TRUSTED_PROXIES", "1")]).await;
    // The proxy appends who it saw; whatever stands before it, in how many lines and how odd, is the caller's own word.
    let guess = |turn: usize, seen: &str| {
        let request = guess_at_a_token(turn);
        let lie = format!("203.0.113.{turn}");
        let request = match turn % 5 {
            0 => request.header("x-forwarded-for", format!("{lie}, {seen}")),
            1 => request.header("x-forwarded-for", lie).header("x-forwarded-for", seen),
            2 => request.header("x-forwarded-for", format!("{lie},{lie},,\t {seen}")),
            3 => request.header("x-forwarded-for", format!("\"{lie}\", unknown, {seen} ")),
            _ => request.header("x-forwarded-for", format!("::1, {seen}")).header("x-real-ip", lie),
        };
        request.header("forwarded", "for=1.2.3.4")
    };
    let seen = at_once(&stage, (0..130).map(|turn| guess(turn, "198.51.100.7")).collect()).await;
    let through = seen.get(&401).copied().unwrap_or_default();
    assert!((100..=110).contains(&through), "{seen:?}");
    // Others behind the same proxy are not hindered, and who has IPv6 has one /64 and not as many addresses as it likes.
    let other = at_once(&stage, vec![guess(999, "198.51.100.8")]).await;
    assert_eq!(other, BTreeMap::from([(401, 1)]));
    let many = (0..130).map(|turn| guess(1_000 + turn, &format!("2001:db8::{turn:x}"))).collect();
    let through = at_once(&stage, many).await.get(&401).copied().unwrap_or_default();
    assert!((100..=110).contains(&through), "{through}");
}

#[tokio::test]
async fn guessing_at_one_account_from_everywhere_stays_slow_and_locks_its_owner_out_of_nothing() {
    let stage = Stage::start().await;
    let ana = stage.person(&stage.andina, "ana@business.example").await;
    let guess = |turn: usize| {
        let email =
            ["ana@business.example", "ANA@business.example", " ana@business.example", "Ana@Business.Example"]
                [turn % 4];
        let body = json!({ "email": email, "password": format!("guess number {turn}") });
        from_own_page(Request::new("POST", format!("{BASE}/auth/sign-in"))).json(&body)
    };
    // Every one from an address of its own.
    let seen = at_once(&stage, (0..60).map(guess).collect()).await;
    assert!(seen.get(&401).copied().unwrap_or_default() <= 42 && !seen.contains_key(&200), "{seen:?}");
    assert!(seen.contains_key(&429), "{seen:?}");
    stage.send(ana.sends(Request::new("GET", format!("{BASE}/auth/me")))).await.expect(200);
}

#[tokio::test]
async fn a_tenant_has_so_many_secrets_and_no_more_however_many_are_made_at_once() {
    let stage = Stage::start().await;
    let server = stage.server(&stage.andina, &["tenant:manage"]).await;
    let make = || {
        let body = json!({ "name": "another", "overlapSeconds": 86_400 });
        server.sign(Request::new("POST", stage.andina.path("/secrets")).json(&body))
    };
    let seen = at_once(&stage, (0..60).map(|_| make()).collect()).await;
    // Who waits too long behind its own tenant is told to come again (503), and nothing is half done.
    assert!(seen.keys().all(|status| [201, 409, 503].contains(status)), "{seen:?}");
    for _ in seen.get(&201).copied().unwrap_or_default()..19 {
        stage.send(make()).await.expect(201);
    }
    stage.send(make()).await.refused(409, "too_many");
    let there = "select count(*) from misy.tenant_secrets where tenant_id = 'andina'";
    assert_eq!(stage.count(there).await, 20);
}

#[tokio::test]
async fn a_flood_of_tokens_from_one_address_ends_and_leaves_others_alone() {
    let stage = Stage::start().await;
    // With a key that is none, which takes no time: counted is before anything is looked at.
    let asked = || mint_request(&stage.andina).header("x-forwarded-for", "198.51.100.9");
    let seen = at_once(&stage, (0..1_500).map(|_| asked().set("x-api-key", "x")).collect()).await;
    assert!(seen.get(&429).copied().unwrap_or_default() > 0, "{seen:?}");
    assert!(seen.keys().all(|status| [401, 429].contains(status)), "{seen:?}");
    stage.browser(&stage.andina).await;
}

#[tokio::test]
async fn nobody_reads_the_metrics_by_saying_to_be_near() {
    for proxies in ["0", "1", "2"] {
        let stage = Stage::start_with(&[("MISY_TRUSTED_PROXIES", proxies)]).await;
        let ask = async |name: &str, value: &str| {
            stage.wire.send_as_is(&Request::new("GET", "/metrics").header(name, value)).await
        };
        // A proxy on the same machine makes everybody look near.
        for name in LIES
            .iter()
            .copied()
            .filter(|name| !["x-cluster-client-ip", "x-originating-ip", "x-remote-addr"].contains(name))
        {
            for value in [
                "127.0.0.1",
                "::1",
                "127.0.0.1, 127.0.0.1",
                "203.0.113.9",
                "unknown",
                "",
                "203.0.113.9, 10.0.0.1",
            ] {
                ask(name, value).await.refused(404, "not_found");
            }
        }
        for (name, value) in
            [("origin", "http://127.0.0.1"), ("origin", "null"), ("sec-fetch-site", "same-origin")]
        {
            ask(name, value).await.refused(404, "not_found");
        }
    }
    let stage = Stage::start_with(&[("MISY_METRICS_TOKEN", "a token for metrics only")]).await;
    for bearer in [
        "Bearer ",
        "Bearer a token for metrics",
        "bearer a token for metrics only",
        "Basic x",
        "a token for metrics only",
    ] {
        let request = Request::new("GET", "/metrics").header("authorization", bearer);
        stage.wire.send_as_is(&request).await.refused(404, "not_found");
    }
    let request = Request::new("GET", "/metrics").bearer("a token for metrics only");
    let metrics = stage.send(request).await.expect(200);
    let text = String::from_utf8_lossy(&metrics.body).into_owned();
    assert!(!text.contains("verde-cafe") && !text.contains("adm_"), "metrics name tenants or keys");
}
