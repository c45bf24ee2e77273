//! People come in, and stay out.

use crate::{
    people::{Browser, OWN_ORIGIN, PASSWORD},
    support::{App, put, with_bearer},
};
use http::Method;
use misy_trust::PasswordCost;
use serde_json::json;
use std::time::Duration;

const ANA: &str = "ana@business.example";
const SESSION: &str = "__Host-misy_session";
/// `Sec-Fetch-Site`, `Origin`, `X-Misy-Csrf`, whether the call passes.
type CsrfCase<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>, bool);

#[tokio::test]
async fn the_first_administrator_enrols_with_the_token_of_the_registration_and_manages_the_tenant() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = Browser::new();
    let answer = ana.post(&app, "/auth/enroll", &App::enrollment(&andina, ANA)).await.expect(200);
    assert_eq!(answer.body["user"]["roles"], json!(["admin"]));
    assert_eq!(answer.body["secondFactorEnrollmentRequired"], true);
    // Nothing but enrolling a second factor can be done yet.
    ana.get(&app, "/auth/me").await.expect(200);
    ana.get(&app, &andina.path("")).await.refused(403, "second_factor_enrollment_required");
    ana.get(&app, "/auth/sessions").await.refused(403, "second_factor_enrollment_required");
    let codes = ana.enroll_app(&app).await;
    assert_eq!(codes.len(), 10);
    ana.get(&app, &andina.path("")).await.expect(200);
    let me = ana.get(&app, "/auth/me").await.expect(200);
    assert_eq!((me.text("tenantId"), &me.body["user"]["email"]), (andina.id.clone(), &json!(ANA)));
    // The token opens nothing any more, and enrols nobody.
    app.with_token(&andina, Method::GET, &andina.path(""), None).await.refused(401, "token_revoked");
    let again = Browser::new().post(&app, "/auth/enroll", &App::enrollment(&andina, ANA)).await;
    again.refused(409, "enrollment_finished");
}

#[tokio::test]
async fn the_owners_first_administrator_is_the_owner_for_a_shorter_time() {
    let app = App::start().await;
    let owner = app.owner().await;
    let mut olga = app.administrator(&owner, "olga@colombiatic.example").await;
    let me = olga.get(&app, "/auth/me").await.expect(200);
    assert_eq!(me.body["user"]["roles"], json!(["owner", "admin"]));
    assert_eq!(me.body["idleSeconds"], 1800);
    olga.get(&app, "/tenants").await.expect(200);
    app.advance(Duration::from_mins(31));
    olga.get(&app, "/auth/me").await.refused(401, "session_expired");
}

#[tokio::test]
async fn whoever_leaves_before_the_second_factor_signs_in_with_the_password_and_goes_on() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = Browser::new();
    ana.post(&app, "/auth/enroll", &App::enrollment(&andina, ANA)).await.expect(200);
    // The token is dead from the first moment on, for Ana and for whoever else has it.
    app.with_token(&andina, Method::GET, &andina.path(""), None).await.refused(401, "token_revoked");
    for email in [ANA, "eva@business.example"] {
        let body = App::enrollment(&andina, email);
        Browser::new().post(&app, "/auth/enroll", &body).await.refused(409, "enrollment_finished");
    }
    ana.order(&app, Method::POST, "/auth/sign-out").await.expect(204);
    let answer = ana.sign_in(&app, ANA, PASSWORD).await.expect(200);
    assert_eq!(answer.body["secondFactorEnrollmentRequired"], true);
    ana.get(&app, &andina.path("")).await.refused(403, "second_factor_enrollment_required");
    ana.enroll_app(&app).await;
    ana.get(&app, &andina.path("")).await.expect(200);
}

#[tokio::test]
async fn of_many_who_enrol_at_once_one_comes_in_and_the_token_is_dead_for_all() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    for tenant in [&owner, &andina] {
        let attempts = (0..8).map(|number| {
            let body = App::enrollment(tenant, &format!("person{number}@business.example"));
            let mut browser = Browser::at(&format!("198.51.100.{number}"));
            let app = &app;
            async move {
                let answer = browser.post(app, "/auth/enroll", &body).await;
                // Whatever it was answered with: nobody who was answered finds the token alive.
                app.with_token(tenant, Method::GET, &tenant.path(""), None)
                    .await
                    .refused(401, "token_revoked");
                (answer.status.as_u16(), answer.code().to_owned())
            }
        });
        let mut outcomes = futures_util::future::join_all(attempts).await;
        outcomes.sort_unstable();
        let lost = vec![(409, "enrollment_finished".to_owned()); 7];
        assert_eq!((outcomes[0].0, &outcomes[1..]), (200, &lost[..]));
        let mut admin = app.store.connect_as("postgres").await.unwrap();
        let sql = "select count(*) from misy.users where tenant_id = $1";
        let people: i64 = sqlx::query_scalar(sql).bind(&tenant.id).fetch_one(&mut admin).await.unwrap();
        assert_eq!(people, 1);
    }
}

#[tokio::test]
async fn a_token_that_nobody_enrolled_with_is_over_after_a_week() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    app.advance(Duration::from_hours(7 * 24 - 1));
    app.with_token(&andina, Method::GET, &andina.path(""), None).await.expect(200);
    app.advance(Duration::from_hours(1));
    app.with_token(&andina, Method::GET, &andina.path(""), None).await.refused(401, "token_expired");
    let body = App::enrollment(&andina, ANA);
    Browser::new().post(&app, "/auth/enroll", &body).await.refused(401, "token_invalid");
}

#[tokio::test]
async fn password_and_app_sign_in_and_each_proof_gives_a_token_that_was_not_there_before() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let enrolled = app.administrator(&andina, ANA).await;
    let mut planted = Browser::new();
    planted.totp.clone_from(&enrolled.totp);
    // Somebody planted a session of its own in the browser, even a genuine one.
    let genuine = enrolled.cookies[SESSION].clone();
    planted.cookies.insert(SESSION.into(), genuine.clone());
    planted.sign_in_twice(&app, ANA).await.expect(200);
    let after_sign_in = planted.cookies[SESSION].clone();
    assert_ne!(after_sign_in, genuine);
    // And that one is worth nothing any more.
    let mut old = enrolled.clone();
    old.get(&app, "/auth/me").await.refused(401, "session_invalid");
    let before = planted.clone();
    planted.step_up(&app).await;
    assert_ne!(planted.cookies[SESSION], after_sign_in);
    let mut before = before;
    before.get(&app, "/auth/me").await.refused(401, "session_invalid");
    planted.get(&app, "/auth/me").await.expect(200);
}

#[tokio::test]
async fn cookies_are_out_of_reach_of_scripts_neighbours_and_plain_connections() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let answer = Browser::new().post(&app, "/auth/enroll", &App::enrollment(&andina, ANA)).await.expect(200);
    let mut names = Vec::new();
    for cookie in answer.headers.get_all("set-cookie") {
        let text = cookie.to_str().unwrap();
        for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(text.contains(attribute), "{text}");
        }
        assert!(!text.contains("Domain"), "{text}");
        names.push(text.split('=').next().unwrap().to_owned());
    }
    assert_eq!(names, [SESSION, "__Host-misy_device"]);
    // A token of a session is not a bearer token.
    let token = answer.headers["set-cookie"].to_str().unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
    let mut request = Browser::new().request(Method::GET, "/auth/me", None);
    request = with_bearer(request, &token);
    app.send(request).await.refused(401, "token_invalid");
}

#[tokio::test]
async fn a_page_of_somebody_else_cannot_use_the_session() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let other = app.administrator(&verde, "luz@verde.example").await;
    let good = ana.csrf.clone();
    // site, origin, token, whether it passes
    let table: &[CsrfCase<'_>] = &[
        (Some("same-origin"), Some(OWN_ORIGIN), Some(&good), true),
        (Some("same-origin"), None, Some(&good), true),
        (None, Some(OWN_ORIGIN), Some(&good), true),
        (None, None, Some(&good), false),
        (Some("same-origin"), Some(OWN_ORIGIN), None, false),
        (Some("same-origin"), Some(OWN_ORIGIN), Some(""), false),
        (Some("same-origin"), Some(OWN_ORIGIN), Some(&other.csrf), false),
        (Some("same-site"), Some(OWN_ORIGIN), Some(&good), false),
        (Some("cross-site"), Some(OWN_ORIGIN), Some(&good), false),
        (Some("cross-site"), Some("https://evil.example"), Some(&good), false),
        (Some("none"), None, Some(&good), false),
        (Some("same-origin"), Some("https://evil.example"), Some(&good), false),
        (None, Some("null"), Some(&good), false),
        (None, Some("http://api.misy.example"), Some(&good), false),
        (None, Some("https://api.misy.example.evil.example"), Some(&good), false),
        (None, Some("https://api.misy.example:444"), Some(&good), false),
        // The site of a tenant may chat, not manage.
        (None, Some(crate::support::ORIGIN), Some(&good), false),
    ];
    for (site, origin, token, passes) in table {
        let body = json!({ "tenantName": "Andina" });
        let mut request = ana.request(Method::PATCH, &andina.path(""), Some(&body));
        for (name, value) in [("sec-fetch-site", site), ("origin", origin), ("x-misy-csrf", token)] {
            request.headers_mut().remove(name);
            if let Some(value) = value {
                put(&mut request, name, value);
            }
        }
        let answer = app.send(request).await;
        if *passes {
            answer.expect(200);
        } else {
            answer.refused(403, "csrf_refused");
        }
    }
    // Reading needs no token, since a page elsewhere cannot read the answer.
    ana.csrf.clear();
    ana.get(&app, &andina.path("")).await.expect(200);
    // Nor can a page elsewhere sign its visitors in to an account of its own.
    let mut request = Browser::new().request(
        Method::POST,
        "/auth/sign-in",
        Some(&json!({ "email": ANA, "password": PASSWORD })),
    );
    put(&mut request, "sec-fetch-site", "cross-site");
    app.send(request).await.refused(403, "csrf_refused");
}

#[tokio::test]
async fn whoever_asks_for_an_account_is_not_told_whether_there_is_one() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    app.administrator(&andina, ANA).await;
    let mut answers = Vec::new();
    for (email, password) in [
        (ANA, "some other password"),
        ("nobody@business.example", "some other password"),
        ("nobody@business.example", PASSWORD),
        ("not an address", PASSWORD),
        (ANA, ""),
    ] {
        let mut answer =
            Browser::new().sign_in(&app, email, password).await.refused(401, "credentials_invalid");
        answer.body["requestId"] = json!("");
        let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort_unstable();
        answers.push((answer.body.to_string(), headers));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_password_is_hashed_anew_when_the_cost_has_grown() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let dearer = app.replica_with(|settings| {
        settings.password_cost = PasswordCost { passes: 2, ..settings.password_cost };
    });
    let dearer = dearer.await.router();
    let stored = async || -> String {
        let mut admin = app.store.connect_as("postgres").await.unwrap();
        sqlx::query_scalar("select password_hash from misy.users").fetch_one(&mut admin).await.unwrap()
    };
    assert!(stored().await.contains("t=1,"), "{}", stored().await);
    let body = json!({ "email": ANA, "password": PASSWORD });
    ana.call_on(&dearer, Method::POST, "/auth/sign-in", Some(&body)).await.expect(200);
    assert!(stored().await.contains("t=2,"), "{}", stored().await);
    ana.sign_in(&app, ANA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_code_of_the_app_counts_once_and_a_clock_may_be_half_a_minute_wrong() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let secret = ana.totp.clone().unwrap();
    app.advance(Duration::from_mins(5));
    let now = || misy_domain::Clock::now(&*app.store.clock);
    // offset of the phone's clock in seconds, whether its code is taken
    for (offset, taken) in [(-61, false), (61, false), (-30, true), (30, true)] {
        let at = now().checked_add(jiff::SignedDuration::from_secs(offset)).unwrap();
        let code = secret.code_at(at);
        let first = ana.sign_in(&app, ANA, PASSWORD).await.expect(200);
        let body = json!({ "challenge": first.text("challenge"), "factor": "totp", "code": code });
        let answer = ana.post(&app, "/auth/second-factor", &body).await;
        if taken {
            answer.expect(200);
            // The same code again, in another sign-in.
            let mut thief = Browser::at("198.51.100.9");
            let first = thief.sign_in(&app, ANA, PASSWORD).await.expect(200);
            let body = json!({ "challenge": first.text("challenge"), "factor": "totp", "code": code });
            thief.post(&app, "/auth/second-factor", &body).await.refused(401, "code_invalid");
        } else {
            answer.refused(401, "code_invalid");
        }
        app.advance(Duration::from_mins(5));
    }
}

#[tokio::test]
async fn a_code_is_taken_as_apps_show_it_and_counts_once_however_it_is_typed() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let code = ana.next_code(&app);
    let (left, right) = code.split_at(3);
    let step_up = |code: String| json!({ "factor": "totp", "code": code });
    ana.post(&app, "/auth/step-up", &step_up(format!("{left} {right}"))).await.expect(200);
    for again in [format!("{left}-{right}"), code.clone()] {
        ana.post(&app, "/auth/step-up", &step_up(again)).await.refused(401, "code_invalid");
    }
    let first = ana.sign_in(&app, ANA, PASSWORD).await.expect(200);
    let code = ana.next_code(&app);
    let (left, right) = code.split_at(3);
    let typed = format!(" {left}\u{a0}{right} ");
    let body = json!({ "challenge": first.text("challenge"), "factor": "totp", "code": typed });
    ana.post(&app, "/auth/second-factor", &body).await.expect(200);
}

#[tokio::test]
async fn who_lost_the_app_comes_in_with_a_recovery_code_once() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = Browser::new();
    ana.post(&app, "/auth/enroll", &App::enrollment(&andina, ANA)).await.expect(200);
    let codes = ana.enroll_app(&app).await;
    let mut elsewhere = Browser::at("198.51.100.4");
    let attempt = async |browser: &mut Browser, code: &str| {
        let first = browser.sign_in(&app, ANA, PASSWORD).await.expect(200);
        let body = json!({ "challenge": first.text("challenge"), "factor": "recovery_code", "code": code });
        browser.post(&app, "/auth/second-factor", &body).await
    };
    attempt(&mut elsewhere, &codes[0].to_uppercase().replace('-', " ")).await.expect(200);
    attempt(&mut Browser::new(), &codes[0]).await.refused(401, "code_invalid");
    // A new app takes the place of the lost one, and new codes that of the old ones.
    let body = json!({ "factor": "recovery_code", "code": codes[1] });
    elsewhere.post(&app, "/auth/step-up", &body).await.expect(200);
    let fresh = elsewhere.enroll_app(&app).await;
    attempt(&mut Browser::new(), &codes[2]).await.refused(401, "code_invalid");
    attempt(&mut Browser::new(), &fresh[0]).await.expect(200);
    let renewed = elsewhere.order(&app, Method::POST, "/auth/recovery-codes").await.expect(200);
    assert_eq!(renewed.body["recoveryCodes"].as_array().unwrap().len(), 10);
    attempt(&mut Browser::new(), &fresh[1]).await.refused(401, "code_invalid");
}

#[tokio::test]
async fn a_challenge_bears_five_wrong_codes_and_five_minutes() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let first = ana.sign_in(&app, ANA, PASSWORD).await.expect(200);
    let body = |code: &str| json!({ "challenge": first.text("challenge"), "factor": "totp", "code": code });
    for _ in 0..5 {
        ana.post(&app, "/auth/second-factor", &body("000000")).await.refused(401, "code_invalid");
    }
    let right = ana.next_code(&app);
    ana.post(&app, "/auth/second-factor", &body(&right)).await.refused(401, "challenge_invalid");
    let first = ana.sign_in(&app, ANA, PASSWORD).await.expect(200);
    app.advance(Duration::from_mins(5));
    let body = json!({ "challenge": first.text("challenge"), "factor": "totp", "code": ana.code(&app) });
    ana.post(&app, "/auth/second-factor", &body).await.refused(401, "challenge_invalid");
}

#[tokio::test]
async fn a_session_that_is_revoked_is_over_at_once_on_every_replica() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut laptop = app.administrator(&andina, ANA).await;
    let mut phone = Browser::at("198.51.100.77");
    phone.totp.clone_from(&laptop.totp);
    phone.sign_in_twice(&app, ANA).await.expect(200);
    let list = laptop.get(&app, "/auth/sessions").await.expect(200);
    let items = list.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!((&items[0]["current"], &items[1]["current"]), (&json!(false), &json!(true)));
    assert_eq!(items[0]["addressPrefix"], "198.51.100.0/24");
    let id = items[0]["sessionId"].as_str().unwrap();
    let replica = app.replica().await;
    phone.call_on(&replica.router(), Method::GET, "/auth/me", None).await.expect(200);
    laptop.order(&app, Method::DELETE, &format!("/auth/sessions/{id}")).await.expect(204);
    phone.call_on(&replica.router(), Method::GET, "/auth/me", None).await.refused(401, "session_invalid");
    laptop.order(&app, Method::DELETE, &format!("/auth/sessions/{id}")).await.refused(404, "not_found");
    laptop.order(&app, Method::DELETE, "/auth/sessions").await.expect(204);
    let stolen = laptop.clone();
    laptop.order(&app, Method::POST, "/auth/sign-out").await.expect(204);
    assert!(!laptop.cookies.contains_key(SESSION));
    let mut stolen = stolen;
    stolen.get(&app, "/auth/me").await.refused(401, "session_invalid");
}

#[tokio::test]
async fn who_has_accounts_in_two_tenants_is_asked_which() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    app.administrator(&andina, ANA).await;
    app.administrator(&verde, ANA).await;
    let answer = Browser::new().sign_in(&app, ANA, PASSWORD).await.expect(200);
    assert_eq!(answer.text("status"), "tenant_required");
    assert_eq!(answer.body["tenants"][0]["tenantId"], "andina");
    let body = json!({ "email": ANA, "password": PASSWORD, "tenantId": "verde-cafe" });
    let answer = Browser::new().post(&app, "/auth/sign-in", &body).await.expect(200);
    assert_eq!(answer.text("status"), "second_factor_required");
    // The session of one tenant opens nothing of the other.
    let mut ana = app
        .administrator(&app.register(&owner, "roja", "https://roja.example").await, "r@roja.example")
        .await;
    ana.get(&app, &andina.path("")).await.refused(404, "not_found");
}

#[tokio::test]
async fn tenants_that_take_an_address_keep_nobody_from_signing_in_without_a_tenant_id() {
    let app = App::start().await;
    let (owner, zeta) = (app.owner().await, "zeta");
    let zeta = app.register(&owner, zeta, "https://zeta.example").await;
    app.administrator(&zeta, ANA).await;
    // More than there ever was a limit for: some enrol the address, with a password of their own, others invite it.
    for number in 0..20 {
        let id = format!("squat-{number}");
        let squatter = app.register(&owner, &id, &format!("https://{id}.example")).await;
        if number % 2 == 0 {
            let mut body = App::enrollment(&squatter, ANA);
            body["password"] = json!("una clave de otra gente");
            Browser::at(&format!("198.51.100.{number}")).post(&app, "/auth/enroll", &body).await.expect(200);
        } else {
            let body = json!({ "email": ANA, "name": "Ana", "roles": ["agent"] });
            app.in_person(&squatter, Method::POST, &squatter.path("/users"), Some(&body)).await.expect(201);
        }
    }
    // One of them keeps all connections busy that it may have.
    let squatter: misy_domain::TenantId = "squat-0".parse().unwrap();
    let mut busy = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (database, squatter) = (app.store.database.clone(), squatter.clone());
        busy.spawn(async move {
            let _held = database.tenant("busy", &squatter).await;
            std::future::pending::<()>().await;
        });
    }
    while tokio::time::timeout(Duration::from_millis(50), app.store.database.tenant("busy", &squatter))
        .await
        .is_ok()
    {}
    let answer = Browser::at("203.0.113.2").sign_in(&app, ANA, PASSWORD).await.expect(200);
    assert_eq!(answer.text("status"), "second_factor_required");
    // What could not be looked at may be where a password is right: nobody is told that it is wrong.
    Browser::at("203.0.113.3").sign_in(&app, ANA, "not this one either").await.refused(503, "unavailable");
    busy.shutdown().await;
    // Her password opens her account, and says nothing of the others; theirs opens all of theirs, and she is asked which.
    let answer = Browser::at("203.0.113.1").sign_in(&app, ANA, PASSWORD).await.expect(200);
    assert_eq!(answer.text("status"), "second_factor_required");
    let answer = Browser::at("203.0.113.2").sign_in(&app, ANA, "una clave de otra gente").await.expect(200);
    assert_eq!(answer.text("status"), "tenant_required");
    let tenants = answer.body["tenants"].as_array().unwrap();
    assert_eq!(tenants.len(), 10);
    assert!(tenants.iter().all(|tenant| tenant["tenantId"] != "zeta"));
    Browser::at("203.0.113.3")
        .sign_in(&app, ANA, "neither of both")
        .await
        .refused(401, "credentials_invalid");
}
