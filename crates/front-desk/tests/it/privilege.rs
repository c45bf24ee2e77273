//! Privileged operations of the owner's people.

use crate::{
    people::Browser,
    support::{App, PATIENCE, Tenant},
};
use http::Method;
use misy_domain::Clock;
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ana@colombiatic.example";

fn support() -> Value {
    json!({ "operation": "support_access", "resource": "tenant", "reason": "Ticket 12: the widget does not open" })
}

fn system() -> Value {
    json!({ "operation": "system_access", "resource": "all_agents", "reason": "Ticket 13: an agent quotes old prices" })
}

impl App {
    /// The hour of the day that it is somewhere.
    fn hour(&self, zone: &str) -> i8 {
        self.store.clock.now().to_zoned(jiff::tz::TimeZone::get(zone).unwrap()).hour()
    }
}

/// What the trail of a tenant tells, once it tells something.
async fn trail(app: &App, who: &Tenant, query: &str) -> Vec<Value> {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let page =
            app.manage(who, Method::GET, &who.path(&format!("/audit?{query}")), None).await.expect(200);
        let items = page.body["items"].as_array().unwrap().clone();
        if !items.is_empty() {
            return items;
        }
        assert!(std::time::Instant::now() < deadline, "{query} is never told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An owner with a person who has just proved a second factor, and a tenant.
async fn scene() -> (App, Tenant, Tenant, Browser) {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let ana = app.administrator(&owner, EMAIL).await;
    (app, owner, andina, ana)
}

#[tokio::test]
async fn without_a_fresh_second_factor_there_is_no_privilege_and_the_answer_says_how_to_get_it() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let path = andina.path("/privilege");
    // A token has no second factor at all.
    let refused = app.with_token(&owner, Method::POST, &path, Some(&support())).await;
    let refused = refused.refused(401, "step_up_required");
    let mut ana = app.administrator(&owner, EMAIL).await;
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.contains("insufficient_user_authentication") && challenge.contains("max_age=300"),
        "{challenge}"
    );
    app.advance(Duration::from_secs(301));
    ana.post(&app, &path, &support()).await.refused(401, "step_up_required");
    ana.step_up(&app).await;
    ana.post(&app, &path, &support()).await.expect(201);
    // Nobody else learns more than that there is nothing.
    app.manage(&andina, Method::POST, &path, Some(&support())).await.refused(403, "permission_denied");
    let verde = app.register(&owner, "verde", "https://verde.example").await;
    app.manage(&verde, Method::POST, &path, Some(&support())).await.refused(404, "not_found");
}

#[tokio::test]
async fn support_access_lets_the_owners_person_read_a_tenant_for_a_while_and_change_nothing() {
    let (app, _, andina, mut ana) = scene().await;
    let pack = andina.path("/context-pack");
    ana.get(&app, &pack).await.refused(403, "privilege_required");
    let given = ana.post(&app, &andina.path("/privilege"), &support()).await.expect(201);
    ana.get(&app, &pack).await.expect(200);
    ana.get(&app, &andina.path("/keys")).await.expect(200);
    let site = json!({ "siteId": "evil", "origins": ["https://evil.example"] });
    ana.post(&app, &andina.path("/sites"), &site).await.refused(403, "privilege_required");
    // The tenant sees who, why and until when, and ends it.
    let seen = app.manage(&andina, Method::GET, &andina.path("/privilege"), None).await.expect(200);
    let seen = &seen.body["items"][0];
    assert_eq!(seen["reason"], "Ticket 12: the widget does not open");
    assert!(seen["actor"].as_str().unwrap().starts_with("colombiatic/usr_"), "{seen}");
    let one = andina.path(&format!("/privilege/{}", given.text("grantId")));
    app.manage(&andina, Method::DELETE, &one, None).await.expect(204);
    ana.get(&app, &pack).await.refused(403, "privilege_required");
    app.manage(&andina, Method::DELETE, &one, None).await.refused(404, "not_found");
    // By itself it ends after an hour.
    ana.post(&app, &andina.path("/privilege"), &support()).await.expect(201);
    ana.get(&app, &pack).await.expect(200);
    for _ in 0..4 {
        app.advance(Duration::from_mins(16));
        ana.get(&app, "/auth/me").await.expect(200);
    }
    ana.get(&app, &pack).await.refused(403, "privilege_required");
}

#[tokio::test]
async fn system_access_to_all_agents_reaches_what_makes_agents_answer_and_nothing_else() {
    let (app, owner, andina, mut ana) = scene().await;
    ana.post(&app, &owner.path("/privilege"), &system()).await.expect(201);
    let pack = ana.get(&app, &andina.path("/context-pack")).await.expect(200);
    assert!(pack.body["faq"].is_array(), "{}", pack.body);
    ana.get(&app, &andina.path("/secrets")).await.refused(403, "privilege_required");
    ana.get(&app, &andina.path("/roles")).await.refused(403, "privilege_required");
}

#[tokio::test]
async fn what_the_owner_does_to_a_tenant_stands_in_both_trails() {
    let (app, owner, andina, mut ana) = scene().await;
    let given = ana.post(&app, &andina.path("/privilege"), &support()).await.expect(201);
    ana.get(&app, &andina.path("/context-pack")).await.expect(200);
    for (who, actor) in [(&owner, "usr_"), (&andina, "colombiatic/usr_")] {
        let told = trail(&app, who, "kind=system&action=usePrivilege").await;
        let entry = told
            .iter()
            .find(|entry| entry["subject"] == given.body["grantId"])
            .unwrap_or_else(|| panic!("{told:?}"));
        assert!(entry["actor"].as_str().unwrap().starts_with(actor), "{entry}");
        assert_eq!(entry["detail"]["reason"], "Ticket 12: the widget does not open");
        let reads = trail(&app, who, "kind=call&action=readContextPack").await;
        assert_eq!(reads[0]["detail"]["policies"], json!(["owner-supports-a-tenant"]), "{reads:?}");
    }
}

#[tokio::test]
async fn suspending_activating_and_revoking_take_effect_and_are_told() {
    let (app, _, andina, mut ana) = scene().await;
    let token = app.browser(&andina).await;
    let path = andina.path("/privilege");
    let run = |operation: &str, resource: &str| json!({ "operation": operation, "resource": resource, "reason": "Ticket 14: abuse was reported" });
    ana.post(&app, &path, &run("suspend_tenant", "tenant")).await.expect(201);
    app.call(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" })))
        .await
        .refused(403, "tenant_suspended");
    ana.post(&app, &path, &run("activate_tenant", "tenant")).await.expect(201);
    app.call(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" }))).await.expect(201);
    ana.post(&app, &path, &run("revoke_all_tokens", "all_tokens")).await.expect(201);
    app.call(&token, Method::POST, "/sessions", Some(&json!({ "channel": "web" })))
        .await
        .refused(401, "token_revoked");
}

#[tokio::test]
async fn a_global_setting_holds_on_every_replica_without_a_restart() {
    let (app, owner, _, mut ana) = scene().await;
    let decide = |value: &str| {
        json!({ "operation": "set_global_setting", "resource": "self_registration", "value": value,
                "reason": "Open house during the fair" })
    };
    let other = app.replica().await;
    ana.post(&app, &owner.path("/privilege"), &decide("open")).await.expect(201);
    let deadline = std::time::Instant::now() + PATIENCE;
    while other.self_registration() != misy_front_desk::SelfRegistration::Open {
        assert!(std::time::Instant::now() < deadline, "the other replica never hears of it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let body = crate::support::registration("Roja", "https://roja.example");
    app.send(crate::support::bare(Method::POST, "/tenants/register", Some(&body))).await.expect(201);
    ana.post(&app, &owner.path("/privilege"), &decide("off")).await.expect(201);
    app.send(crate::support::bare(Method::POST, "/tenants/register", Some(&body))).await.expect(404);
    other.shutdown().await;
}

#[tokio::test]
async fn what_is_asked_wrongly_does_nothing_and_says_what_is_wrong() {
    let (app, owner, andina, mut ana) = scene().await;
    let with = |name: &str, value: Value| {
        let mut body = support();
        body[name] = value;
        body
    };
    for (pointer, body) in [
        ("/reason", with("reason", json!("because"))),
        ("/reason", with("reason", json!("   "))),
        ("/resource", with("resource", json!("everything"))),
        ("/durationMinutes", with("durationMinutes", json!(241))),
        ("/durationMinutes", with("durationMinutes", json!(0))),
        ("/value", with("value", json!("open"))),
    ] {
        let refused =
            ana.post(&app, &andina.path("/privilege"), &body).await.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.body);
    }
    ana.post(&app, &andina.path("/privilege"), &with("operation", json!("become_god"))).await.expect(422);
    ana.post(&app, &owner.path("/privilege"), &support()).await.refused(409, "conflict");
    ana.post(&app, "/tenants/nobody/privilege", &support()).await.refused(404, "not_found");
    let none = app.manage(&andina, Method::GET, &andina.path("/privilege"), None).await.expect(200);
    assert_eq!(none.body["items"], json!([]));
}

#[tokio::test]
async fn a_burst_of_privilege_or_of_refusals_raises_one_alert_that_can_be_acknowledged() {
    let (app, owner, andina, mut ana) = scene().await;
    for _ in 0..6 {
        ana.post(&app, &andina.path("/privilege"), &support()).await.expect(201);
    }
    let open = owner.path("/alerts?open=true");
    let alerts = app.manage(&owner, Method::GET, &open, None).await.expect(200);
    let bursts: Vec<_> = alerts.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|alert| alert["rule"] == "privilege_burst")
        .collect();
    assert_eq!(bursts.len(), 1, "{}", alerts.body);
    let id = bursts[0]["alertId"].as_str().unwrap();
    let path = owner.path(&format!("/alerts/{id}/acknowledge"));
    ana.post(&app, &path, &json!({})).await.expect(200);
    let again = ana.post(&app, &path, &json!({})).await.expect(200);
    assert!(again.body["acknowledgedBy"].as_str().unwrap().starts_with("usr_"));

    app.advance(Duration::from_mins(6));
    for _ in 0..7 {
        ana.post(&app, &andina.path("/privilege"), &support()).await.refused(401, "step_up_required");
    }
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let alerts = app.manage(&owner, Method::GET, &open, None).await.expect(200);
        if alerts.body["items"].as_array().unwrap().iter().any(|alert| alert["rule"] == "owner_refused") {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{}", alerts.body);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The tenant has none of the owner's alerts.
    let own = app.manage(&andina, Method::GET, &andina.path("/alerts"), None).await.expect(200);
    assert_eq!(own.body["items"], json!([]));
}

/// Waits until an alert of a rule stands with the owner.
async fn raised(app: &App, owner: &Tenant, rule: &str) {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let alerts = app.manage(owner, Method::GET, &owner.path("/alerts"), None).await.expect(200);
        if alerts.body["items"].as_array().unwrap().iter().any(|alert| alert["rule"] == rule) {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "no {rule}: {}", alerts.body);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn guessing_at_the_bootstrap_secret_or_at_the_owners_people_is_told() {
    let (app, owner, _, _) = scene().await;
    for _ in 0..7 {
        let body = crate::support::registration("Roja", "https://roja.example");
        let request = crate::support::bare(Method::POST, "/tenants/register/owner", Some(&body));
        let answer = app.send(crate::support::with_bearer(request, "not the bootstrap secret")).await;
        assert!([401, 429].contains(&answer.status.as_u16()), "{}", answer.body);
    }
    raised(&app, &owner, "bootstrap_attempts").await;
    let mut stranger = Browser::at("198.51.100.9");
    for _ in 0..7 {
        stranger.sign_in(&app, EMAIL, "not the password of Ana").await.refused(401, "credentials_invalid");
    }
    raised(&app, &owner, "owner_sign_in_refused").await;
}

#[tokio::test]
async fn working_at_night_is_told() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    while (6..22).contains(&app.hour("America/Bogota")) {
        app.advance(Duration::from_mins(30));
    }
    let mut ana = app.administrator(&owner, EMAIL).await;
    ana.post(&app, &andina.path("/privilege"), &support()).await.expect(201);
    raised(&app, &owner, "privilege_at_night").await;
}

#[tokio::test]
async fn going_through_many_tenants_is_told() {
    let (app, owner, _, mut ana) = scene().await;
    for number in 0..4 {
        let tenant =
            app.register(&owner, &format!("tenant-{number}"), &format!("https://t{number}.example")).await;
        ana.post(&app, &tenant.path("/privilege"), &support()).await.expect(201);
    }
    let alerts = app.manage(&owner, Method::GET, &owner.path("/alerts"), None).await.expect(200);
    let rules: Vec<_> =
        alerts.body["items"].as_array().unwrap().iter().map(|alert| alert["rule"].clone()).collect();
    assert!(rules.contains(&json!("privilege_many_tenants")), "{rules:?}");
}

#[tokio::test]
async fn whom_nobody_in_the_tenant_can_help_enrols_anew_after_a_privileged_operation() {
    let app = App::start_with(|settings| settings.mail = true).await;
    let (owner, andina) = app.two().await;
    let mut ana = app.administrator(&owner, EMAIL).await;
    let mut eva = app.administrator(&andina, "eva@andina.example").await;
    let id = eva.get(&app, "/auth/me").await.expect(200).body["user"]["userId"].as_str().unwrap().to_owned();
    let reset = |resource: &str| json!({ "operation": "reset_second_factor", "resource": resource, "reason": "Ticket 15: phone lost, known by voice" });
    ana.post(&app, &andina.path("/privilege"), &reset("tenant")).await.refused(422, "validation_failed");
    let nobody = "usr_00000000000000000000000000";
    ana.post(&app, &andina.path("/privilege"), &reset(nobody)).await.refused(404, "not_found");
    ana.post(&app, &andina.path("/privilege"), &reset(&id)).await.expect(201);
    eva.get(&app, "/auth/me").await.refused(401, "session_invalid");
    let mut eva = Browser::new();
    let signed_in = eva.sign_in(&app, "eva@andina.example", crate::people::PASSWORD).await.expect(200);
    assert_ne!(signed_in.text("status"), "second_factor_required", "{}", signed_in.body);
    eva.get(&app, &andina.path("/keys")).await.refused(403, "second_factor_enrollment_required");
    // The password alone is not enough: a link comes by mail.
    eva.order(&app, Method::POST, "/auth/totp").await.refused(403, "enrollment_link_required");
    app.take_mails(&andina).await;
    let asked = eva.post(&app, "/auth/password/forgot", &json!({ "email": "eva@andina.example" })).await;
    assert_eq!(asked.status, 202);
    let deadline = std::time::Instant::now() + PATIENCE;
    let link = loop {
        let mails = app.take_mails(&andina).await;
        if let Some(link) = mails.iter().find_map(|mail| mail.text.split("/reset#token=").nth(1)) {
            break link.split_whitespace().next().unwrap().to_owned();
        }
        assert!(std::time::Instant::now() < deadline, "no link arrives");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let reset = json!({ "token": link, "password": crate::people::PASSWORD });
    eva.post(&app, "/auth/password/reset", &reset).await.expect(204);
    eva.sign_in(&app, "eva@andina.example", crate::people::PASSWORD).await.expect(200);
    eva.enroll_app(&app).await;
    eva.get(&app, &andina.path("/keys")).await.expect(200);
}

#[tokio::test]
async fn one_person_has_a_limit_of_privileged_operations_of_its_own() {
    let (app, _, andina, mut ana) = scene().await;
    let mut last = 0;
    for _ in 0..21 {
        last = ana.post(&app, &andina.path("/privilege"), &support()).await.status.as_u16();
    }
    assert_eq!(last, 429);
}
