//! Passkeys, with an authenticator in software: added, used to come in, and lied about.

use crate::{
    people::{Browser, OWN_ORIGIN, PASSWORD},
    support::{Answer, App, Tenant, send_to},
};
use http::Method;
use misy_hostile::{Lie, SoftAuthenticator};
use serde_json::{Value, json};
use std::time::Duration;

const ANA: &str = "ana@business.example";
const REGISTRATION: &str = "/auth/passkeys/registration";

async fn begin(app: &App, browser: &mut Browser, path: &str) -> Value {
    browser.order(app, Method::POST, path).await.expect(200).body
}

/// Adds the passkey of a device.
async fn add(app: &App, browser: &mut Browser, device: &mut SoftAuthenticator, lie: Lie) -> Answer {
    let begun = begin(app, browser, REGISTRATION).await;
    let credential = device.create(&begun["options"], lie);
    let body = json!({ "ceremony": begun["ceremony"], "name": "Telephone", "credential": credential });
    browser.post(app, &format!("{REGISTRATION}/finish"), &body).await
}

/// Comes in with the passkey of a device and nothing else.
async fn come_in(app: &App, browser: &mut Browser, device: &mut SoftAuthenticator, lie: Lie) -> Answer {
    let begun = begin(app, browser, "/auth/passkeys/sign-in").await;
    let body = json!({ "ceremony": begun["ceremony"], "credential": device.get(&begun["options"], lie) });
    browser.post(app, "/auth/passkeys/sign-in/finish", &body).await
}

/// An administrator with an app and a passkey.
async fn with_passkey(app: &App, tenant: &Tenant) -> (Browser, SoftAuthenticator) {
    let mut ana = app.administrator(tenant, ANA).await;
    let mut device = SoftAuthenticator::new(OWN_ORIGIN);
    add(app, &mut ana, &mut device, Lie::None).await.expect(201);
    (ana, device)
}

#[tokio::test]
async fn a_passkey_alone_brings_its_holder_in_with_both_factors() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (_, mut device) = with_passkey(&app, &andina).await;
    let mut elsewhere = Browser::at("198.51.100.9");
    let answer = come_in(&app, &mut elsewhere, &mut device, Lie::None).await.expect(200);
    assert_eq!((answer.text("status"), answer.text("tenantId")), ("signed_in".into(), andina.id.clone()));
    assert_eq!(answer.body["secondFactorAgeSeconds"], 0);
    elsewhere.get(&app, &andina.path("")).await.expect(200);
    let sessions = elsewhere.get(&app, "/auth/sessions").await.expect(200);
    assert_eq!(sessions.body["items"][0]["methods"], json!(["passkey"]));
    let list = elsewhere.get(&app, "/auth/passkeys").await.expect(200);
    assert_eq!(list.body["items"][0]["name"], "Telephone");
    assert!(list.body["items"][0]["lastUsedAt"].is_string());
}

#[tokio::test]
async fn a_passkey_can_be_the_first_second_factor_and_comes_with_recovery_codes() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = Browser::new();
    ana.post(&app, "/auth/enroll", &App::enrollment(&andina, ANA)).await.expect(200);
    ana.get(&app, &andina.path("")).await.refused(403, "second_factor_enrollment_required");
    let mut device = SoftAuthenticator::new(OWN_ORIGIN);
    let added = add(&app, &mut ana, &mut device, Lie::None).await.expect(201);
    assert_eq!(added.body["recoveryCodes"].as_array().unwrap().len(), 10);
    ana.get(&app, &andina.path("")).await.expect(200);
    // It is the last second factor of an administrator.
    let id = added.text("passkeyId");
    let removed = ana.order(&app, Method::DELETE, &format!("/auth/passkeys/{id}")).await;
    removed.refused(409, "last_second_factor");
    // After the password it is asked for.
    let mut again = Browser::new();
    let first = again.sign_in(&app, ANA, PASSWORD).await.expect(200);
    assert_eq!(first.body["factors"], json!(["passkey", "recovery_code"]));
    let challenge = json!({ "challenge": first.text("challenge") });
    let begun = again.post(&app, "/auth/passkeys/second-factor", &challenge).await.expect(200).body;
    let mut body = challenge;
    body["ceremony"] = begun["ceremony"].clone();
    body["credential"] = device.get(&begun["options"], Lie::None);
    let finish = "/auth/passkeys/second-factor/finish";
    again.post(&app, finish, &body).await.expect(200);
    let sessions = again.get(&app, "/auth/sessions").await.expect(200);
    assert_eq!(sessions.body["items"][0]["methods"], json!(["password", "passkey"]));
    // All of it is good once.
    Browser::new().post(&app, finish, &body).await.refused(401, "passkey_invalid");
}

#[tokio::test]
async fn adding_and_removing_asks_for_a_fresh_second_factor_which_a_passkey_gives() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (mut ana, mut device) = with_passkey(&app, &andina).await;
    app.advance(Duration::from_mins(6));
    ana.order(&app, Method::POST, REGISTRATION).await.refused(401, "step_up_required");
    let list = ana.get(&app, "/auth/passkeys").await.expect(200);
    let path = format!("/auth/passkeys/{}", list.body["items"][0]["passkeyId"].as_str().unwrap());
    ana.order(&app, Method::DELETE, &path).await.refused(401, "step_up_required");
    let begun = begin(&app, &mut ana, "/auth/passkeys/step-up").await;
    let body = json!({
        "ceremony": begun["ceremony"], "credential": device.get(&begun["options"], Lie::None)
    });
    let mut before = ana.clone();
    ana.post(&app, "/auth/passkeys/step-up/finish", &body).await.expect(200);
    before.get(&app, "/auth/me").await.refused(401, "session_invalid");
    ana.call_on(&app.router, Method::PATCH, &path, Some(&json!({ "name": "Old telephone" })))
        .await
        .expect(204);
    // The app is left, so it may go; and it opens nothing any more.
    ana.order(&app, Method::DELETE, &path).await.expect(204);
    come_in(&app, &mut Browser::new(), &mut device, Lie::None).await.refused(401, "passkey_invalid");
}

#[tokio::test]
async fn no_lie_adds_a_passkey_or_brings_anybody_in() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (mut ana, mut device) = with_passkey(&app, &andina).await;
    for lie in Lie::ALL {
        let mut new = SoftAuthenticator::new(OWN_ORIGIN);
        add(&app, &mut ana, &mut new, lie).await.refused(401, "passkey_invalid");
        let answer = come_in(&app, &mut Browser::new(), &mut device, lie).await;
        answer.refused(401, "passkey_invalid");
    }
    come_in(&app, &mut Browser::new(), &mut device, Lie::None).await.expect(200);
    // Somebody else's handle, or none, under one's own key.
    let mut posing = device.clone().posing_as(&[7; 16]);
    come_in(&app, &mut Browser::new(), &mut posing, Lie::None).await.refused(401, "passkey_invalid");
}

#[tokio::test]
async fn a_ceremony_is_good_once_for_five_minutes_and_for_what_it_was_begun_for() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (mut ana, mut device) = with_passkey(&app, &andina).await;
    let finish = "/auth/passkeys/sign-in/finish";
    let begun = begin(&app, &mut Browser::new(), "/auth/passkeys/sign-in").await;
    let mut body =
        json!({ "ceremony": begun["ceremony"], "credential": device.get(&begun["options"], Lie::None) });
    Browser::new().post(&app, finish, &body).await.expect(200);
    Browser::new().post(&app, finish, &body).await.refused(401, "passkey_invalid");
    // One that was begun to prove oneself again is none to come in with.
    let begun = begin(&app, &mut ana, "/auth/passkeys/step-up").await;
    body = json!({ "ceremony": begun["ceremony"], "credential": device.get(&begun["options"], Lie::None) });
    Browser::new().post(&app, finish, &body).await.refused(401, "passkey_invalid");
    let begun = begin(&app, &mut Browser::new(), "/auth/passkeys/sign-in").await;
    body = json!({ "ceremony": begun["ceremony"], "credential": device.get(&begun["options"], Lie::None) });
    app.advance(Duration::from_mins(5));
    Browser::new().post(&app, finish, &body).await.refused(401, "passkey_invalid");
}

#[tokio::test]
async fn a_copy_of_an_authenticator_is_refused_and_stands_in_the_trail() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (mut ana, mut device) = with_passkey(&app, &andina).await;
    let mut copy = device.clone();
    come_in(&app, &mut Browser::new(), &mut device, Lie::None).await.expect(200);
    come_in(&app, &mut Browser::new(), &mut copy, Lie::None).await.refused(401, "passkey_cloned");
    let trail = ana.get(&app, &andina.path("/audit?limit=200")).await.expect(200);
    let seen = trail.body["items"].as_array().unwrap().iter().any(|entry| {
        entry["outcome"] == "passkey_cloned"
            && entry["subject"].as_str().is_some_and(|id| id.starts_with("psk_"))
    });
    assert!(seen, "{}", trail.body);
}

#[tokio::test]
async fn a_passkey_of_one_tenant_is_nothing_in_another_and_nobody_has_the_same_twice() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let (mut ana, mut device) = with_passkey(&app, &andina).await;
    let mut vera = app.administrator(&verde, "vera@verde.example").await;
    // The same key again, in the other tenant and in the same, where the device was told that it has one.
    add(&app, &mut vera, &mut device, Lie::None).await.refused(409, "conflict");
    add(&app, &mut ana, &mut device, Lie::None).await.refused(401, "passkey_invalid");
    // Nobody ends what another began.
    let begun = begin(&app, &mut ana, REGISTRATION).await;
    let mut new = SoftAuthenticator::new(OWN_ORIGIN);
    let body = json!({
        "ceremony": begun["ceremony"], "name": "x", "credential": new.create(&begun["options"], Lie::None)
    });
    vera.post(&app, &format!("{REGISTRATION}/finish"), &body).await.refused(401, "passkey_invalid");
    let list = ana.get(&app, "/auth/passkeys").await.expect(200);
    let id = list.body["items"][0]["passkeyId"].as_str().unwrap();
    vera.order(&app, Method::DELETE, &format!("/auth/passkeys/{id}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_account_has_ten_passkeys_at_most() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (mut ana, _) = with_passkey(&app, &andina).await;
    for _ in 1..10 {
        let mut device = SoftAuthenticator::new(OWN_ORIGIN);
        add(&app, &mut ana, &mut device, Lie::None).await.expect(201);
    }
    ana.order(&app, Method::POST, REGISTRATION).await.refused(409, "too_many_passkeys");
}

#[tokio::test]
async fn an_installation_without_a_name_has_no_passkeys() {
    let app = App::start_with(|settings| settings.public_url = "http://127.0.0.1:8787".into()).await;
    let answer = Browser::new().order(&app, Method::POST, "/auth/passkeys/sign-in").await;
    answer.refused(422, "not_supported");
}

/// A request to finish something, by a browser that is nobody yet.
fn finishing(path: &str, body: &Value) -> http::Request<axum::body::Body> {
    Browser::new().request(Method::POST, path, Some(body))
}

#[tokio::test]
async fn a_ceremony_that_ends_many_times_at_once_on_two_replicas_ends_once() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (mut ana, mut device) = with_passkey(&app, &andina).await;
    let other = app.replica().await.router();
    let finish = "/auth/passkeys/sign-in/finish";
    let routers = [&app.router, &other, &app.router, &other, &app.router, &other];
    // Begun here, finished anywhere, once.
    let begun = begin(&app, &mut Browser::new(), "/auth/passkeys/sign-in").await;
    let body =
        json!({ "ceremony": begun["ceremony"], "credential": device.get(&begun["options"], Lie::None) });
    let all = routers.map(|router| send_to(router, finishing(finish, &body)));
    let answers = futures_util::future::join_all(all).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401]);
    send_to(&other, finishing(finish, &body)).await.refused(401, "passkey_invalid");

    // Two copies of an authenticator at the same moment, each in a ceremony of its own: one of them comes in.
    let mut copies = [device.clone(), device.clone()];
    let mut requests = Vec::new();
    for copy in &mut copies {
        let begun = begin(&app, &mut Browser::new(), "/auth/passkeys/sign-in").await;
        let credential = copy.get(&begun["options"], Lie::None);
        requests.push(finishing(finish, &json!({ "ceremony": begun["ceremony"], "credential": credential })));
    }
    let pair = requests.into_iter().zip(routers).map(|(request, router)| send_to(router, request));
    let answers = futures_util::future::join_all(pair).await;
    let mut outcomes: Vec<_> =
        answers.iter().map(|answer| (answer.status.as_u16(), answer.code().to_owned())).collect();
    outcomes.sort();
    assert_eq!(outcomes, [(200, String::new()), (401, "passkey_cloned".into())]);

    // A new passkey is added once too, however often it is sent.
    let begun = begin(&app, &mut ana, REGISTRATION).await;
    let mut new = SoftAuthenticator::new(OWN_ORIGIN);
    let body = json!({
        "ceremony": begun["ceremony"], "name": "x", "credential": new.create(&begun["options"], Lie::None)
    });
    let path = format!("{REGISTRATION}/finish");
    let all = routers.map(|router| send_to(router, ana.request(Method::POST, &path, Some(&body))));
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
}

#[tokio::test]
async fn challenges_are_not_swapped_between_ceremonies_sessions_and_people() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (mut ana, mut device) = with_passkey(&app, &andina).await;
    let finish = "/auth/passkeys/sign-in/finish";
    // The answer to one challenge in the ceremony of another.
    let first = begin(&app, &mut Browser::new(), "/auth/passkeys/sign-in").await;
    let second = begin(&app, &mut Browser::new(), "/auth/passkeys/sign-in").await;
    let body =
        json!({ "ceremony": first["ceremony"], "credential": device.get(&second["options"], Lie::None) });
    app.send(finishing(finish, &body)).await.refused(401, "passkey_invalid");
    // That used up the first; the second is as good as before.
    let right = device.get(&first["options"], Lie::None);
    app.send(finishing(finish, &json!({ "ceremony": first["ceremony"], "credential": right })))
        .await
        .refused(401, "passkey_invalid");
    let right = device.get(&second["options"], Lie::None);
    app.send(finishing(finish, &json!({ "ceremony": second["ceremony"], "credential": right })))
        .await
        .expect(200);

    // What one session of a person began no other one ends, be it to prove oneself or to add a passkey.
    let mut elsewhere = Browser::at("198.51.100.9");
    come_in(&app, &mut elsewhere, &mut device, Lie::None).await.expect(200);
    let begun = begin(&app, &mut ana, "/auth/passkeys/step-up").await;
    let body =
        json!({ "ceremony": begun["ceremony"], "credential": device.get(&begun["options"], Lie::None) });
    elsewhere.post(&app, "/auth/passkeys/step-up/finish", &body).await.refused(401, "passkey_invalid");
    let begun = begin(&app, &mut ana, REGISTRATION).await;
    let mut new = SoftAuthenticator::new(OWN_ORIGIN);
    let body = json!({
        "ceremony": begun["ceremony"], "name": "x", "credential": new.create(&begun["options"], Lie::None)
    });
    let path = format!("{REGISTRATION}/finish");
    elsewhere.post(&app, &path, &body).await.refused(401, "passkey_invalid");

    // Each end refuses what was begun for another purpose.
    let purposes = [
        ("/auth/passkeys/step-up", "/auth/passkeys/sign-in"),
        ("/auth/passkeys/sign-in", "/auth/passkeys/step-up"),
    ];
    for (begins, ends) in purposes {
        let begun = begin(&app, &mut ana, begins).await;
        let body =
            json!({ "ceremony": begun["ceremony"], "credential": device.get(&begun["options"], Lie::None) });
        ana.post(&app, &format!("{ends}/finish"), &body).await.refused(401, "passkey_invalid");
    }
}

#[tokio::test]
async fn a_key_that_claims_to_be_anothers_replaces_nothing() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let (mut ana, mut device) = with_passkey(&app, &andina).await;
    let mut vera = app.administrator(&verde, "vera@verde.example").await;
    // Another key under the id of Ana's, in another account of another tenant, and in her own.
    let mut posing = SoftAuthenticator::new(OWN_ORIGIN).claiming_to_be(&device);
    add(&app, &mut vera, &mut posing, Lie::None).await.refused(409, "conflict");
    add(&app, &mut ana, &mut posing, Lie::None).await.refused(401, "passkey_invalid");
    let mut posing = posing.posing_as(&[7; 16]);
    come_in(&app, &mut Browser::new(), &mut posing, Lie::None).await.refused(401, "passkey_invalid");
    come_in(&app, &mut Browser::new(), &mut device, Lie::None).await.expect(200);
}

#[tokio::test]
async fn a_counter_that_is_set_back_or_left_out_is_a_copy() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (_, mut device) = with_passkey(&app, &andina).await;
    for _ in 0..3 {
        come_in(&app, &mut Browser::new(), &mut device, Lie::None).await.expect(200);
    }
    let mut back = device.clone();
    back.counter = 1;
    come_in(&app, &mut Browser::new(), &mut back, Lie::None).await.refused(401, "passkey_cloned");
    let mut silent = device.clone();
    (silent.counter, silent.counts) = (0, false);
    come_in(&app, &mut Browser::new(), &mut silent, Lie::None).await.refused(401, "passkey_cloned");
    come_in(&app, &mut Browser::new(), &mut device, Lie::None).await.expect(200);
}

#[tokio::test]
async fn who_is_disabled_in_the_middle_of_a_ceremony_does_not_end_it() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let (_, mut device) = with_passkey(&app, &andina).await;
    let begun = begin(&app, &mut Browser::new(), "/auth/passkeys/sign-in").await;
    let body =
        json!({ "ceremony": begun["ceremony"], "credential": device.get(&begun["options"], Lie::None) });
    app.store.admin("update misy.users set status = 'disabled'").await.unwrap();
    let other = app.replica().await.router();
    for router in [&app.router, &other] {
        send_to(router, finishing("/auth/passkeys/sign-in/finish", &body))
            .await
            .refused(401, "passkey_invalid");
    }
}
