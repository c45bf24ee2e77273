//! What is there, told by how its absence is answered.

use crate::{
    stage::{PASSWORD, Stage, from_own_page, mint_request, signed},
    wire::{Answer, Request},
};
use misy_domain::{Clock, SystemClock};
use misy_testkit::client::BASE;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// An answer without what differs between any two: all that an attacker can compare.
fn visible(answer: &Answer) -> (u16, Value, Vec<(String, Vec<u8>)>) {
    let mut body = answer.json();
    if let Some(members) = body.as_object_mut() {
        members.remove("requestId");
    }
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| !["x-request-id", "date"].contains(&&**name));
    (answer.status, body, headers)
}

async fn all_look_alike(stage: &Stage, what: &str, requests: Vec<Request>) {
    let mut seen = Vec::new();
    for request in requests {
        let answer = stage.send(request.clone()).await;
        assert!((400..500).contains(&answer.status), "{what} {}: {}", request.target, answer.shown());
        seen.push((visible(&answer), answer.body.len(), request.target));
    }
    for (answer, length, target) in &seen[1..] {
        assert_eq!((answer, length), (&seen[0].0, &seen[0].1), "{what}: {target} and {}", seen[0].2);
    }
}

#[tokio::test]
async fn nobody_learns_which_secrets_there_are() {
    let stage = Stage::start().await;
    let (andina, verde) = (&stage.andina, &stage.verde);
    let unknown = format!("key_{}", "0".repeat(26));
    let keys = stage.manage(andina, "GET", &andina.path("/keys"), None).await.expect(200).json();
    let publishable = keys["items"][0]["keyId"].as_str().unwrap().to_owned();
    // One that was there once, and one of a tenant that is suspended.
    let rotated =
        stage.manage(andina, "POST", &andina.path("/secrets"), Some(&json!({ "overlapSeconds": 0 }))).await;
    assert!(rotated.status < 300, "{}", rotated.shown());
    let sleeping = stage.register("sleeping").await;
    stage.govern("POST", &sleeping.path("/suspend"), &json!({})).await.expect(200);
    let now = SystemClock.unix_seconds();
    let ids = [&verde.secret_id, &andina.secret_id, &sleeping.secret_id, &publishable, &unknown];
    let ask = |id: &str| {
        Request::new("POST", format!("{BASE}/tokens"))
            .header("x-misy-key", id)
            .json(&json!({ "siteId": "main" }))
    };
    let wrong = stage.browser(verde).await.key;
    let of_all = |make: &dyn Fn(Request) -> Request| ids.iter().map(|id| make(ask(id))).collect::<Vec<_>>();
    all_look_alike(&stage, "without a signature", of_all(&|request| request)).await;
    all_look_alike(&stage, "with another's key", of_all(&|request| signed(&wrong, None, request, now))).await;
    all_look_alike(&stage, "from a page", of_all(&|request| request.header("origin", &verde.origin))).await;
    all_look_alike(&stage, "long ago", of_all(&|request| signed(&wrong, None, request, now - 9_000))).await;
    all_look_alike(&stage, "with no body", of_all(&|request| signed(&wrong, None, request.body(""), now)))
        .await;
    all_look_alike(
        &stage,
        "with half a signature",
        of_all(&|request| request.header("x-misy-nonce", "0123456789")),
    )
    .await;
    // The right signature tells its holder what is the matter.
    let good = signed(&sleeping.secret, None, ask(&sleeping.secret_id), now);
    stage.send(good).await.refused(403, "tenant_suspended");
    stage.send(signed(&verde.secret, None, ask(&verde.secret_id), now)).await.expect(201);
}

#[tokio::test]
async fn nobody_learns_which_keys_tokens_tenants_and_sites_there_are() {
    let stage = Stage::start().await;
    let (andina, verde) = (&stage.andina, &stage.verde);
    let mint = || mint_request(andina);
    let damaged = |key: &str| format!("{}{}", &key[..key.len() - 4], "AAAA");
    let keys = [
        "pk_live_x".to_owned(),
        damaged(&andina.publishable_key),
        damaged(&verde.publishable_key),
        "x".to_owned(),
    ];
    let requests = keys.iter().map(|key| mint().set("x-api-key", key)).collect();
    all_look_alike(&stage, "publishable keys", requests).await;
    let damaged = [damaged(&andina.administrator), damaged(&verde.administrator), "adm_x".to_owned()];
    let requests = damaged.iter().map(|key| Request::new("GET", andina.path("")).bearer(key)).collect();
    all_look_alike(&stage, "administrators' keys", requests).await;
    for (who, bearer) in [("an administrator", Some(&andina.administrator)), ("nobody", None)] {
        for rest in [
            "",
            "/sites/main",
            "/keys",
            "/audit",
            "/limits",
            "/secrets",
            "/roles",
            "/alerts",
            "/sites/nowhere",
        ] {
            let ids = ["verde-cafe", "colombiatic", "nobody-12", "misy", "a1"];
            let requests = ids.map(|id| {
                let request = Request::new("GET", format!("{BASE}/tenants/{id}{rest}"));
                match bearer {
                    Some(bearer) => request.bearer(bearer),
                    None => request,
                }
            });
            all_look_alike(&stage, who, requests.to_vec()).await;
        }
    }
    // Registering says that a name is taken, as it must; and only to who may register.
    let taken = Request::new("POST", format!("{BASE}/tenants/register"))
        .json(&crate::stage::registration("verde-cafe"));
    let free = Request::new("POST", format!("{BASE}/tenants/register"))
        .json(&crate::stage::registration("free-name"));
    let by_invitation = Stage::start_with(&[("MISY_SELF_REGISTRATION", "invite")]).await;
    all_look_alike(&by_invitation, "registrations", vec![taken.clone(), free.clone()]).await;
    let other = &by_invitation.andina.administrator;
    all_look_alike(&by_invitation, "registrations", vec![taken.bearer(other), free.bearer(other)]).await;
}

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let stage = Stage::start().await;
    stage.person(&stage.andina, "ana@business.example").await;
    let sign_in = |email: &str, password: &str, tenant: Option<&str>| {
        let mut body = json!({ "email": email, "password": password });
        if let Some(tenant) = tenant {
            body["tenantId"] = json!(tenant);
        }
        from_own_page(Request::new("POST", format!("{BASE}/auth/sign-in"))).json(&body)
    };
    let (ana, nobody) = ("ana@business.example", "nobody@business.example");
    let requests = vec![
        sign_in(ana, "a wrong password", None),
        sign_in(nobody, "a wrong password", None),
        sign_in(nobody, PASSWORD, None),
        sign_in(ana, "a wrong password", Some("andina")),
        sign_in(ana, PASSWORD, Some("verde-cafe")),
        sign_in(ana, PASSWORD, Some("nobody-12")),
        sign_in("no address", PASSWORD, None),
        sign_in(ana, "", None),
        sign_in(ana, &"x".repeat(2_000), None),
    ];
    all_look_alike(&stage, "signing in", requests).await;
    let second = |challenge: &str| {
        let body = json!({ "challenge": challenge, "factor": "totp", "code": "000000" });
        from_own_page(Request::new("POST", format!("{BASE}/auth/second-factor"))).json(&body)
    };
    let made_up = format!("chl_{}", "A".repeat(43));
    all_look_alike(&stage, "challenges", vec![second("chl_x"), second(&made_up), second("")]).await;
    // How long it takes is told and not judged: on a busy machine it says little.
    let mut medians = Vec::new();
    for email in [ana, nobody] {
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..7 {
            let began = Instant::now();
            stage.send(sign_in(email, "a wrong password", None)).await;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        medians.push(times[times.len() / 2]);
    }
    println!("median of a wrong password: {:?} at an account, {:?} at none", medians[0], medians[1]);
}
