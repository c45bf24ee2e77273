//! What a session proved counts, and nothing that its account has: whatever the account gains or loses, sessions that were
//! opened before it come to nothing more by it.

use crate::{
    people::{Browser, OWN_ORIGIN, PASSWORD},
    support::{App, Tenant},
    users::joined,
};
use http::Method;
use misy_hostile::{Lie, SoftAuthenticator};
use misy_testkit::person::app_of;
use serde_json::{Value, json};
use std::time::Duration;

const ANA: &str = "ana@business.example";
const LUZ: &str = "luz@business.example";
/// The password of whoever was invited.
const LONG: &str = "un elefante se balanceaba";

/// Signs in with a stolen password, from elsewhere.
async fn thief(app: &App, email: &str, password: &str) -> Browser {
    let mut thief = Browser::at("198.51.100.66");
    thief.sign_in(app, email, password).await.expect(200);
    thief
}

/// Tries everything that a session of an administrator could do, and is refused all of it.
async fn opens_nothing(app: &App, browser: &mut Browser, tenant: &Tenant, status: u16, code: &str) {
    for (method, path, body) in [
        (Method::GET, tenant.path(""), None),
        (Method::GET, tenant.path("/users"), None),
        (Method::GET, tenant.path("/audit/export"), None),
        (Method::PATCH, tenant.path(""), Some(json!({ "contactEmail": "evil@evil.example" }))),
        (
            Method::POST,
            tenant.path("/sites"),
            Some(json!({ "siteId": "evil", "origins": ["https://evil.example"] })),
        ),
        (Method::POST, tenant.path("/tokens/revoke-all"), Some(json!({}))),
        (Method::GET, "/tenants".to_owned(), None),
        (Method::GET, "/auth/sessions".to_owned(), None),
        (Method::GET, "/auth/tokens".to_owned(), None),
    ] {
        let answer = browser.call_on(&app.router, method, &path, body.as_ref()).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{path}: {}", answer.body);
    }
}

/// Adds a passkey to whoever is signed in.
async fn add_passkey(app: &App, browser: &mut Browser) -> String {
    let mut device = SoftAuthenticator::new(OWN_ORIGIN);
    let begun = browser.order(app, Method::POST, "/auth/passkeys/registration").await.expect(200).body;
    let credential = device.create(&begun["options"], Lie::None);
    let body = json!({ "ceremony": begun["ceremony"], "name": "Telephone", "credential": credential });
    browser.post(app, "/auth/passkeys/registration/finish", &body).await.expect(201).text("passkeyId")
}

#[tokio::test]
async fn a_session_that_proved_no_second_factor_becomes_nothing_when_its_user_enrols_one() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    for (tenant, email) in [(&andina, ANA), (&owner, "olga@colombiatic.example")] {
        let mut first = Browser::new();
        first.post(&app, "/auth/enroll", &App::enrollment(tenant, email)).await.expect(200);
        let mut before = thief(&app, email, PASSWORD).await;
        opens_nothing(&app, &mut before, tenant, 403, "second_factor_enrollment_required").await;
        first.enroll_app(&app).await;
        opens_nothing(&app, &mut before, tenant, 401, "session_invalid").await;
        first.get(&app, &tenant.path("/users")).await.expect(200);
        // With a passkey it is the same.
        let email = format!("second-{email}");
        let (mut second, _) = joined(&app, &mut first, tenant, &email, &["admin"]).await;
        let mut before = thief(&app, &email, LONG).await;
        add_passkey(&app, &mut second).await;
        opens_nothing(&app, &mut before, tenant, 401, "session_invalid").await;
        second.get(&app, &tenant.path("/users")).await.expect(200);
    }
}

#[tokio::test]
async fn a_factor_of_the_account_is_no_proof_of_the_session_however_it_got_there() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (mut luz, _) = joined(&app, &mut ana, &andina, LUZ, &["manager"]).await;
    luz.get(&app, &andina.path("")).await.expect(200);
    // As if a factor had come in a way that ends no session.
    let given = "update misy.users set second_factor_since = now() where second_factor_since is null";
    app.store.admin(given).await.unwrap();
    luz.get(&app, &andina.path("")).await.refused(403, "second_factor_required");
    luz.get(&app, "/auth/sessions").await.refused(403, "second_factor_required");
    luz.order(&app, Method::POST, "/auth/totp").await.refused(401, "step_up_required");
    luz.get(&app, "/auth/me").await.expect(200);
}

#[tokio::test]
async fn whatever_an_account_gains_or_loses_ends_what_was_opened_before() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (luz, id) = joined(&app, &mut ana, &andina, LUZ, &["manager"]).await;
    let me = andina.path(&format!("/users/{id}"));
    let mut luz = luz;
    let mut passkey = String::new();
    for what in [
        "app",
        "passkey",
        "another app",
        "passkey removed",
        "password",
        "role",
        "factor taken away",
        "disabled",
    ] {
        app.advance(Duration::from_mins(1));
        // Another browser of the same person, and a sign-in that waits for its second factor.
        let at =
            |net: &str| Browser { totp: luz.totp.clone(), ..Browser::at(&format!("{net}.{}", what.len())) };
        let (mut other, mut waiting) = (at("203.0.113"), at("198.51.100"));
        let answer = other.sign_in(&app, LUZ, LONG).await.expect(200);
        let mut challenge = None;
        if answer.text("status") == "second_factor_required" {
            let prove = |answer: &crate::support::Answer, code: String| json!({ "challenge": answer.text("challenge"), "factor": "totp", "code": code });
            let body = prove(&answer, other.next_code(&app));
            other.post(&app, "/auth/second-factor", &body).await.expect(200);
            let answer = waiting.sign_in(&app, LUZ, LONG).await.expect(200);
            challenge = Some(prove(&answer, waiting.next_code(&app)));
            luz.step_up(&app).await;
        }
        other.get(&app, "/auth/me").await.expect(200);
        let as_admin = async |ana: &mut Browser, method: Method, path: &str, body: Option<Value>| {
            ana.step_up(&app).await;
            let answer = ana.call_on(&app.router, method, path, body.as_ref()).await;
            assert!(answer.status.is_success(), "{path}: {}", answer.body);
        };
        match what {
            "app" | "another app" => drop(luz.enroll_app(&app).await),
            "passkey" => passkey = add_passkey(&app, &mut luz).await,
            "passkey removed" => {
                luz.order(&app, Method::DELETE, &format!("/auth/passkeys/{passkey}")).await.expect(204);
            }
            "password" => {
                let body = json!({ "currentPassword": LONG, "newPassword": LONG });
                luz.post(&app, "/auth/password", &body).await.expect(200);
            }
            "role" => {
                as_admin(&mut ana, Method::PATCH, &me, Some(json!({ "roles": ["manager", "auditor"] })))
                    .await;
            }
            "factor taken away" => {
                as_admin(&mut ana, Method::POST, &format!("{me}/second-factor-reset"), None).await;
            }
            _ => as_admin(&mut ana, Method::PATCH, &me, Some(json!({ "disabled": true }))).await,
        }
        other.get(&app, "/auth/me").await.refused(401, "session_invalid");
        if let Some(body) = challenge {
            waiting.post(&app, "/auth/second-factor", &body).await.refused(401, "challenge_invalid");
        }
        match what {
            // Their own session goes on, where they did it themselves.
            "role" => drop(luz.sign_in(&app, LUZ, LONG).await),
            "factor taken away" | "disabled" => {
                luz.get(&app, "/auth/me").await.refused(401, "session_invalid");
                if what == "factor taken away" {
                    luz.totp = None;
                    luz.sign_in(&app, LUZ, LONG).await.expect(200);
                }
            }
            _ => drop(luz.get(&app, "/auth/me").await.expect(200)),
        }
        if what == "role" {
            let answer = luz.sign_in(&app, LUZ, LONG).await.expect(200);
            let body = json!({ "challenge": answer.text("challenge"), "factor": "totp", "code": luz.next_code(&app) });
            luz.post(&app, "/auth/second-factor", &body).await.expect(200);
        }
    }
}

#[tokio::test]
async fn what_a_role_allows_asks_for_a_second_factor_and_not_what_it_is_called() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let actions = json!(["users:read", "users:write", "roles:write", "sites:read"]);
    ana.post(&app, &andina.path("/roles"), &json!({ "roleId": "helper", "actions": actions }))
        .await
        .expect(201);
    for (email, role) in [("eva@business.example", "developer"), ("ivo@business.example", "helper")] {
        ana.step_up(&app).await;
        let (mut person, _) = joined(&app, &mut ana, &andina, email, &[role]).await;
        let me = person.get(&app, "/auth/me").await.expect(200);
        assert_eq!(me.body["secondFactorEnrollmentRequired"], true, "{role}");
        person.get(&app, &andina.path("/sites")).await.refused(403, "second_factor_enrollment_required");
        // Whoever stole the password enrols nothing of their own with it, be it an app or a passkey.
        let mut stolen = thief(&app, email, LONG).await;
        for _ in 0..2 {
            stolen.order(&app, Method::POST, "/auth/totp").await.refused(403, "enrollment_link_required");
            let body = json!({ "code": "123456" });
            stolen.post(&app, "/auth/totp/confirm", &body).await.refused(403, "enrollment_link_required");
            let passkey = stolen.order(&app, Method::POST, "/auth/passkeys/registration").await;
            passkey.refused(403, "enrollment_link_required");
            // Nor the second time in the same browser.
            stolen.sign_in(&app, email, LONG).await.expect(200);
        }
        // The browser in which the link was used goes on, also after a pause.
        person.order(&app, Method::POST, "/auth/sign-out").await.expect(204);
        person.sign_in(&app, email, LONG).await.expect(200);
        person.enroll_app(&app).await;
        person.get(&app, &andina.path("/sites")).await.expect(200);
        // It is their last factor, and what they may do needs one.
        let passkey = add_passkey(&app, &mut person).await;
        person.order(&app, Method::DELETE, &format!("/auth/passkeys/{passkey}")).await.expect(204);
        app.store
            .admin("update misy.users set sealed_totp = null where 'admin' <> all (roles)")
            .await
            .unwrap();
        let passkey = add_passkey(&app, &mut person).await;
        let last = person.order(&app, Method::DELETE, &format!("/auth/passkeys/{passkey}")).await;
        last.refused(409, "last_second_factor");
    }
    // Who needs none adds one with the password alone; it opens nothing that the password does not.
    let (mut ada, _) = joined(&app, &mut ana, &andina, "ada@business.example", &["agent"]).await;
    ada.enroll_app(&app).await;
}

#[tokio::test]
async fn whoever_becomes_more_enrols_by_a_link_and_not_by_a_password() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (_, id) = joined(&app, &mut ana, &andina, LUZ, &["agent"]).await;
    let path = andina.path(&format!("/users/{id}"));
    let mut stolen = thief(&app, LUZ, LONG).await;
    let more = json!({ "roles": ["agent", "developer"] });
    ana.call_on(&app.router, Method::PATCH, &path, Some(&more)).await.expect(200);
    stolen.get(&app, "/auth/me").await.refused(401, "session_invalid");
    let mut stolen = thief(&app, LUZ, LONG).await;
    stolen.order(&app, Method::POST, "/auth/totp").await.refused(403, "enrollment_link_required");
    // A link of an administrator's, used in a browser, lets that browser enrol.
    let link =
        ana.order(&app, Method::POST, &format!("{path}/password-reset")).await.expect(200).text("token");
    let mut luz = Browser::at("203.0.113.5");
    luz.post(&app, "/auth/password/reset", &json!({ "token": link, "password": PASSWORD })).await.expect(204);
    stolen.get(&app, "/auth/me").await.refused(401, "session_invalid");
    luz.sign_in(&app, LUZ, PASSWORD).await.expect(200);
    luz.enroll_app(&app).await;
    luz.get(&app, &andina.path("/sites")).await.expect(200);
}

#[tokio::test]
async fn an_invitation_lets_nobody_in_past_a_second_factor_that_is_there() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (mut luz, id) = joined(&app, &mut ana, &andina, LUZ, &["admin"]).await;
    add_passkey(&app, &mut luz).await;
    // Somebody with a passkey and no password, as a provider brings in.
    app.store
        .admin(format!("update misy.users set password_hash = null where user_id = '{id}'"))
        .await
        .unwrap();
    let path = andina.path(&format!("/users/{id}"));
    for disabled in [true, false] {
        ana.step_up(&app).await;
        let body = json!({ "disabled": disabled });
        let answer = ana.call_on(&app.router, Method::PATCH, &path, Some(&body)).await.expect(200);
        assert_eq!(answer.body["status"], if disabled { "disabled" } else { "active" });
    }
    ana.order(&app, Method::POST, &format!("{path}/invitation")).await.refused(409, "not_invited");
    // However they came to be invited again: the link sets a password and asks for the factor.
    app.store
        .admin(format!("update misy.users set status = 'invited' where user_id = '{id}'"))
        .await
        .unwrap();
    let link = ana.order(&app, Method::POST, &format!("{path}/invitation")).await.expect(200).text("token");
    let mut holder = Browser::at("198.51.100.66");
    let body = json!({ "token": link, "password": LONG });
    let answer = holder.post(&app, "/auth/invitations/accept", &body).await.expect(200);
    assert_eq!(answer.text("status"), "second_factor_required");
    assert!(!holder.cookies.contains_key("__Host-misy_session"));
}

/// How many calls wait for somebody's lock.
async fn waiting(app: &App, wanted: i64) {
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let began = std::time::Instant::now();
    let sql = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut admin).await.unwrap() < wanted {
        assert!(began.elapsed() < Duration::from_mins(1), "nobody waits");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_password_that_was_right_when_the_check_began_opens_nothing_after_it_was_changed() {
    use sqlx::Connection;
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (_, id) = joined(&app, &mut ana, &andina, LUZ, &["manager"]).await;
    // What happens while the old password is being checked, and what the sign-in comes to.
    for (change, back, comes_in) in [
        // That of somebody else: Ana's.
        ("password_hash = (select password_hash from misy.users where 'admin' = any (roles))", "", false),
        ("status = 'disabled'", "status = 'active'", false),
        ("second_factor_since = now()", "second_factor_since = null", false),
        ("updated_at = now()", "updated_at = now()", true),
    ] {
        let mut admin = app.store.connect_as("postgres").await.unwrap();
        let kept: String = sqlx::query_scalar("select password_hash from misy.users where user_id = $1")
            .bind(&id)
            .fetch_one(&mut admin)
            .await
            .unwrap();
        let mut held = admin.begin().await.unwrap();
        let sql = format!("update misy.users set {change} where user_id = '{id}'");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *held).await.unwrap();
        let mut browser = Browser::at("198.51.100.66");
        let sign_in = browser.sign_in(&app, LUZ, LONG);
        let commit = async {
            // The check is over, and the sign-in waits to hold whom it lets in.
            waiting(&app, 1).await;
            held.commit().await.unwrap();
        };
        let (answer, ()) = tokio::join!(sign_in, commit);
        let session = browser.cookies.contains_key("__Host-misy_session");
        assert_eq!(session, comes_in, "{change}: {}", answer.body);
        if change.starts_with("second") {
            assert_eq!(answer.text("status"), "second_factor_required");
        } else if !comes_in {
            answer.refused(401, "credentials_invalid");
        }
        let back = if back.is_empty() { format!("password_hash = '{kept}'") } else { back.to_owned() };
        app.store.admin(format!("update misy.users set {back} where user_id = '{id}'")).await.unwrap();
    }
}

#[tokio::test]
async fn a_change_of_a_password_rests_on_the_one_that_is_there_when_it_is_made() {
    use sqlx::Connection;
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (mut luz, id) = joined(&app, &mut ana, &andina, LUZ, &["manager"]).await;
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let mut held = admin.begin().await.unwrap();
    // Guesses are counted after the account is read and before the password is checked.
    sqlx::query("lock table platform.guesses in access exclusive mode").execute(&mut *held).await.unwrap();
    let body = json!({ "currentPassword": LONG, "newPassword": "una clave de otra gente" });
    let change = luz.post(&app, "/auth/password", &body);
    let meanwhile = async {
        waiting(&app, 1).await;
        let sql = format!("update misy.users set password_hash = 'another' where user_id = '{id}'");
        app.store.admin(sql).await.unwrap();
        // Here it would still find the old password right, were it not read again: it was read before.
        held.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(change, meanwhile);
    answer.refused(401, "credentials_invalid");
}

#[tokio::test]
async fn whoever_holds_an_account_is_told_of_each_change_of_how_one_comes_in() {
    let app = App::start_with(|settings| settings.mail = true).await;
    let (_, andina) = app.two().await;
    let mut ana = Browser::new();
    ana.post(&app, "/auth/enroll", &App::enrollment(&andina, ANA)).await.expect(200);
    let told = async || {
        let told = app.take_mails(&andina).await;
        assert!(told.iter().all(|mail| mail.to == ANA));
        told.into_iter().map(|mail| mail.subject).collect::<Vec<_>>().join("|")
    };
    ana.enroll_app(&app).await;
    assert!(told().await.contains("aplicación de códigos"));
    let passkey = add_passkey(&app, &mut ana).await;
    assert!(told().await.contains("agregó una llave"));
    ana.order(&app, Method::DELETE, &format!("/auth/passkeys/{passkey}")).await.expect(204);
    assert!(told().await.contains("quitó una llave"));
    ana.order(&app, Method::POST, "/auth/recovery-codes").await.expect(200);
    assert!(told().await.contains("códigos de recuperación"));
    let body = json!({ "currentPassword": PASSWORD, "newPassword": "otra canción de cuna" });
    ana.post(&app, "/auth/password", &body).await.expect(200);
    assert!(told().await.contains("contraseña"));
    let secret = ana.order(&app, Method::POST, "/auth/totp").await.expect(200).text("secret");
    assert_eq!(told().await, "", "nothing has changed yet");
    ana.totp = app_of(&secret);
    let code = ana.next_code(&app);
    ana.post(&app, "/auth/totp/confirm", &json!({ "code": code })).await.expect(200);
    assert!(told().await.contains("aplicación de códigos"));
}
