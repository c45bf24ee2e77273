//! Tokens, answers and accounts that are not what they say; and tokens as Amazon Cognito makes them.

use super::{
    BOSS, CLIENT, SECRET, boss, claims, come_back, configuration, configure,
    fake::{FakeProvider, Signed},
    location, parameter, set_out, visit,
};
use crate::{
    people::Browser,
    support::{Answer, App, Tenant},
};
use misy_domain::Clock;
use serde_json::{Value, json};
use std::time::Duration;

async fn stage() -> (App, Tenant, FakeProvider) {
    let (app, andina, provider, _) = stage_with_boss().await;
    (app, andina, provider)
}

/// And the administrator who set the provider.
async fn stage_with_boss() -> (App, Tenant, FakeProvider, Browser) {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let provider = FakeProvider::start("").await;
    configure(&app, &mut boss, &andina, &configuration(&provider.issuer)).await.expect(200);
    (app, andina, provider, boss)
}

#[tokio::test]
async fn a_token_that_is_not_what_it_must_be_brings_nobody_in() {
    let (app, _, provider) = stage().await;
    let now = app.store.clock.now().as_second();
    let changes: [(&str, Value); 18] = [
        ("iss", json!("https://login.evil.example")),
        ("iss", json!(format!("{}/", provider.issuer))),
        ("iss", Value::Null),
        ("aud", json!("another-client")),
        ("aud", json!([CLIENT, "another-client"])),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("azp", json!("another-client")),
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("exp", json!(now - 1)),
        ("exp", Value::Null),
        ("iat", json!(now - 3600)),
        ("iat", json!(now + 3600)),
        ("iat", Value::Null),
        ("sub", json!("")),
        ("sub", Value::Null),
        ("token_use", json!("access")),
    ];
    for (name, value) in changes {
        let mut browser = Browser::new();
        let out = set_out(&app, &mut browser, "andina").await;
        let mut token = claims(&app, &provider, &out);
        if value.is_null() {
            token.as_object_mut().unwrap().remove(name);
        } else {
            token[name] = value.clone();
        }
        let code = provider.code(&token, Signed::Well);
        let answer = come_back(&app, &mut browser, &out, &code).await;
        assert_eq!(answer.status, 401, "{name}: {value}: {}", answer.body);
        assert!(!browser.cookies.keys().any(|name| name.contains("session")), "{name}");
    }
    for signed in [Signed::None, Signed::ByAnother, Signed::WithTheSecret] {
        let mut browser = Browser::new();
        let out = set_out(&app, &mut browser, "andina").await;
        let code = provider.code(&claims(&app, &provider, &out), signed);
        come_back(&app, &mut browser, &out, &code).await.refused(401, "sign_in_refused");
    }
}

#[tokio::test]
async fn who_belongs_elsewhere_or_is_not_vouched_for_is_refused() {
    let (app, _, provider) = stage().await;
    let changes: [(&str, Value, &str); 9] = [
        ("tenant", json!("verde-cafe"), "tenant_claim_mismatch"),
        ("tenant", json!("Andina"), "tenant_claim_mismatch"),
        ("tenant", json!("andina "), "tenant_claim_mismatch"),
        ("tenant", json!(["andina"]), "tenant_claim_mismatch"),
        ("tenant", Value::Null, "tenant_claim_mismatch"),
        ("email_verified", json!(false), "email_not_verified"),
        ("email_verified", Value::Null, "email_not_verified"),
        ("email", Value::Null, "email_missing"),
        ("email", json!("no address"), "email_missing"),
    ];
    for (name, value, code) in changes {
        let mut browser = Browser::new();
        let out = set_out(&app, &mut browser, "andina").await;
        let mut token = claims(&app, &provider, &out);
        if value.is_null() {
            token.as_object_mut().unwrap().remove(name);
        } else {
            token[name] = value;
        }
        let given = provider.code(&token, Signed::Well);
        come_back(&app, &mut browser, &out, &given).await.refused(403, code);
    }
}

#[tokio::test]
async fn an_answer_counts_once_in_its_own_browser_and_from_its_own_provider() {
    let (app, _, provider) = stage().await;
    let mut browser = Browser::new();
    let out = set_out(&app, &mut browser, "andina").await;
    let away = browser.cookies.clone();
    // Another browser, with the whole address.
    let code = provider.code(&claims(&app, &provider, &out), Signed::Well);
    come_back(&app, &mut Browser::new(), &out, &code).await.refused(401, "sign_in_refused");
    // Another flow of the same person, and none at all.
    let mut other = Browser::new();
    let another = set_out(&app, &mut other, "andina").await;
    come_back(&app, &mut other, &out, &code).await.refused(401, "sign_in_refused");
    assert_ne!(parameter(&another, "state"), parameter(&out, "state"));
    visit(&app, &mut Browser::new(), "/auth/oidc/callback?code=x&state=y")
        .await
        .refused(401, "sign_in_refused");
    // In its own it counts, and once.
    assert_eq!(location(&come_back(&app, &mut browser, &out, &code).await), "/console");
    let mut again = Browser { cookies: away.clone(), ..Browser::new() };
    come_back(&app, &mut again, &out, &code).await.refused(401, "sign_in_refused");
    // A code that the provider has given out for already.
    let mut third = Browser::new();
    let out = set_out(&app, &mut third, "andina").await;
    come_back(&app, &mut third, &out, &code).await.refused(401, "sign_in_denied");
    // The answer of another issuer (RFC 9207), and none where one is promised.
    let mut fourth = Browser::new();
    let out = set_out(&app, &mut fourth, "andina").await;
    let state = parameter(&out, "state");
    let path = format!("/auth/oidc/callback?code=x&state={state}&iss=https%3A%2F%2Flogin.evil.example");
    visit(&app, &mut fourth, &path).await.refused(401, "sign_in_refused");
    // And one that took too long.
    let mut late = Browser::new();
    let out = set_out(&app, &mut late, "andina").await;
    let code = provider.code(&claims(&app, &provider, &out), Signed::Well);
    app.advance(Duration::from_mins(5));
    come_back(&app, &mut late, &out, &code).await.refused(401, "sign_in_refused");
}

#[tokio::test]
async fn the_way_out_carries_what_protects_it_and_leads_back_to_one_address() {
    let (app, _, provider) = stage().await;
    let mut browser = Browser::new();
    let out = set_out(&app, &mut browser, "andina").await;
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("code_challenge_method", "S256"),
        ("redirect_uri", super::CALLBACK),
        ("scope", "openid email profile"),
    ] {
        assert_eq!(parameter(&out, name), value);
    }
    assert!(!out.contains(SECRET));
    let code = provider.code(&claims(&app, &provider, &out), Signed::Well);
    come_back(&app, &mut browser, &out, &code).await.expect(303);
    let asked = provider.asked();
    assert!(asked.contains("code_verifier=") && !asked.contains("client_secret"), "{asked}");
    for path in [
        "https://evil.example",
        "//evil.example",
        "/%5Cevil.example",
        // A call of the API, to which a page of our own would go: the way to another tenant's provider.
        "/api/meta-agent/auth/oidc/verde-cafe/start",
        "/console/../api/meta-agent/auth/oidc/verde-cafe/start",
        "/console/%252E./api/meta-agent/auth/oidc/verde-cafe/start",
        "/consoles",
    ] {
        let start = format!("/auth/oidc/andina/start?returnTo={path}");
        visit(&app, &mut Browser::new(), &start).await.refused(422, "validation_failed");
    }
}

#[tokio::test]
async fn an_address_introduces_one_person_once_and_is_never_the_person() {
    let (app, _, provider, ana) = stage_with_boss().await;
    let enter = async |subject: &str, email: &str, verified: bool| {
        let mut browser = Browser::new();
        let out = set_out(&app, &mut browser, "andina").await;
        let mut token = claims(&app, &provider, &out);
        (token["sub"], token["email"], token["email_verified"]) =
            (json!(subject), json!(email), json!(verified));
        let code = provider.code(&token, Signed::Well);
        (come_back(&app, &mut browser, &out, &code).await, browser)
    };
    // An address that nobody verified does not open the account of whoever has it here, nor does one of a domain that the
    // tenant has not proved.
    enter("stranger", BOSS, false).await.0.refused(403, "email_not_verified");
    enter("stranger", "ana@business.example", true).await.0.refused(403, "email_domain_not_allowed");
    // Verified, it leads to the account; what the provider does not vouch for is proved here.
    let (answer, mut browser) = enter("ana", BOSS, true).await;
    browser.totp.clone_from(&ana.totp);
    prove_here(&app, &mut browser, &answer).await.expect(200);
    // Somebody else who has the address later does not.
    enter("successor", BOSS, true).await.0.refused(403, "account_linked");
    // And the person stays the person when the address changes.
    let (answer, _) = enter("ana", "ana.rojas@andina.example", true).await;
    assert!(location(&answer).starts_with("/sign-in#challenge=chl_"));
    // Two with different subjects are two accounts.
    let (answer, mut luz) = enter("luz", "luz@andina.example", true).await;
    assert_eq!(location(&answer), "/console");
    let me = luz.get(&app, "/auth/me").await.expect(200);
    assert_eq!(
        (&me.body["user"]["email"], &me.body["user"]["roles"]),
        (&json!("luz@andina.example"), &json!(["analyst"]))
    );
}

/// Proves with the app what the provider is not believed.
pub(super) async fn prove_here(app: &App, browser: &mut Browser, answer: &Answer) -> Answer {
    let to = location(answer);
    let challenge = to.split("challenge=").nth(1).unwrap_or_else(|| panic!("{to}"));
    let challenge = challenge.split('&').next().unwrap();
    let body = json!({ "challenge": challenge, "factor": "totp", "code": browser.next_code(app) });
    browser.post(app, "/auth/second-factor", &body).await
}

#[tokio::test]
async fn a_provider_may_change_its_keys_whenever_it_likes() {
    let (app, _, provider) = stage().await;
    let mut browser = Browser::new();
    let out = set_out(&app, &mut browser, "andina").await;
    provider.rotate();
    app.advance(Duration::from_secs(11));
    let code = provider.code(&claims(&app, &provider, &out), Signed::Well);
    assert_eq!(location(&come_back(&app, &mut browser, &out, &code).await), "/console");
}

/// An ID token as Amazon Cognito makes it for a user of a pool ("Understanding the identity (ID) token" in its
/// documentation), with groups and a custom attribute.
fn cognito(app: &App, provider: &FakeProvider, out: &str) -> Value {
    let now = app.store.clock.now().as_second();
    json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "cognito:groups": ["clinic-admins", "everybody"],
        "cognito:preferred_role": "arn:aws:iam::111122223333:role/example",
        "cognito:roles": ["arn:aws:iam::111122223333:role/example"],
        "cognito:username": "ana.rojas",
        "iss": provider.issuer,
        "aud": CLIENT,
        "event_id": "64f513be-32db-42b0-b78e-b02127b4f463",
        "origin_jti": "8e4f2d3a-0000-4000-8000-000000000001",
        "jti": "8e4f2d3a-0000-4000-8000-000000000002",
        "nonce": parameter(out, "nonce"),
        "at_hash": "DVjnhzKaBcDeFgHiJkLmNo",
        "token_use": "id",
        "auth_time": now,
        "exp": now + 3600,
        "iat": now,
        "email": "ana@andina.example",
        "email_verified": true,
        "custom:tenantId": "andina",
        "given_name": "Ana",
    })
}

#[tokio::test]
async fn a_person_of_a_cognito_pool_comes_in_with_the_roles_of_its_groups() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut boss = boss(&app, &andina).await;
    let provider = FakeProvider::start("/us-east-1_Example").await;
    let body = json!({
        "emailDomains": ["andina.example"],
        "issuer": provider.issuer, "clientId": CLIENT, "clientSecret": SECRET, "provisioning": true,
        "tenantClaim": { "name": "custom:tenantId", "value": "andina" },
        "roleClaim": { "name": "cognito:groups", "roles": { "clinic-admins": ["manager"], "front-desk": ["agent"] } },
    });
    configure(&app, &mut boss, &andina, &body).await.expect(200);
    let enter = async |change: fn(&mut Value)| {
        let mut browser = Browser::new();
        let out = set_out(&app, &mut browser, "andina").await;
        let mut token = cognito(&app, &provider, &out);
        change(&mut token);
        let code = provider.code(&token, Signed::Well);
        (come_back(&app, &mut browser, &out, &code).await, browser)
    };
    let (answer, mut ana) = enter(|_| {}).await;
    assert_eq!(location(&answer), "/console");
    let me = ana.get(&app, "/auth/me").await.expect(200);
    assert_eq!(me.body["user"]["roles"], json!(["manager"]));
    // The groups count at each sign-in.
    let (answer, mut ana) = enter(|token| token["cognito:groups"] = json!(["front-desk"])).await;
    assert_eq!(location(&answer), "/console");
    assert_eq!(ana.get(&app, "/auth/me").await.expect(200).body["user"]["roles"], json!(["agent"]));
    // Without a group that has a role nobody comes in; nor with an access token, nor from another tenant's users.
    enter(|token| token["cognito:groups"] = json!(["everybody"])).await.0.refused(403, "no_role");
    enter(|token| token["token_use"] = json!("access")).await.0.refused(401, "sign_in_refused");
    enter(|token| token["custom:tenantId"] = json!("verde-cafe"))
        .await
        .0
        .refused(403, "tenant_claim_mismatch");
}

#[tokio::test]
async fn what_the_provider_says_of_a_second_factor_counts_if_the_tenant_trusts_it() {
    let (app, andina, provider, mut boss) = stage_with_boss().await;
    let mut body = configuration(&provider.issuer);
    body["defaultRoles"] = json!(["admin"]);
    body["secondFactor"] = json!({ "amr": ["mfa"] });
    let enter = async |amr: Value, age: i64| {
        let mut browser = Browser::new();
        let out = set_out(&app, &mut browser, "andina").await;
        let mut token = claims(&app, &provider, &out);
        token["amr"] = amr;
        token["auth_time"] = json!(token["auth_time"].as_i64().unwrap() - age);
        let code = provider.code(&token, Signed::Well);
        (come_back(&app, &mut browser, &out, &code).await.expect(303), browser)
    };
    configure(&app, &mut boss, &andina, &body).await.expect(200);
    // Whatever the provider says: an administrator enrols a second factor of their own first, and proves the link with it.
    let (_, mut ana) = enter(json!(["pwd", "mfa"]), 0).await;
    assert_eq!(ana.get(&app, "/auth/me").await.expect(200).body["secondFactorEnrollmentRequired"], true);
    ana.get(&app, &andina.path("")).await.refused(403, "second_factor_enrollment_required");
    ana.enroll_app(&app).await;
    let (answer, mut again) = enter(json!(["pwd", "mfa"]), 0).await;
    again.totp.clone_from(&ana.totp);
    prove_here(&app, &mut again, &answer).await.expect(200);
    // From then on what the tenant trusts counts, from when it was proved there.
    let (answer, _) = enter(json!(["pwd"]), 0).await;
    assert!(location(&answer).starts_with("/sign-in#challenge=chl_"));
    let (_, mut ana) = enter(json!(["pwd", "mfa"]), 3_000).await;
    let me = ana.get(&app, "/auth/me").await.expect(200);
    assert_eq!(
        (&me.body["secondFactorEnrollmentRequired"], &me.body["secondFactorAgeSeconds"]),
        (&json!(false), &json!(3_000))
    );
    ana.get(&app, &andina.path("")).await.expect(200);
}
