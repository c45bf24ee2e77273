//! Administrators look after people.

use crate::{
    people::{Browser, PASSWORD},
    support::{Answer, App, Tenant, bare, put, with_bearer},
};
use http::Method;
use misy_store::mails::{self, Cause};
use serde_json::{Value, json};
use std::time::Duration;

const ANA: &str = "ana@business.example";
const LUZ: &str = "luz@business.example";
/// Long enough for who has no second factor.
const LONG: &str = "un elefante se balanceaba";

async fn invite(app: &App, by: &mut Browser, tenant: &Tenant, email: &str, roles: &[&str]) -> Answer {
    let body = json!({ "email": email, "name": "Luz Díaz", "roles": roles });
    by.post(app, &tenant.path("/users"), &body).await
}

/// Somebody who was invited and has come in.
pub(crate) async fn joined(
    app: &App,
    by: &mut Browser,
    tenant: &Tenant,
    email: &str,
    roles: &[&str],
) -> (Browser, String) {
    let invited = invite(app, by, tenant, email, roles).await.expect(201);
    let token = invited.body["invitation"]["token"].as_str().unwrap();
    let mut browser = Browser::at("198.51.100.20");
    let body = json!({ "token": token, "password": LONG });
    browser.post(app, "/auth/invitations/accept", &body).await.expect(200);
    (browser, invited.body["user"]["userId"].as_str().unwrap().to_owned())
}

async fn change(app: &App, by: &mut Browser, tenant: &Tenant, user: &str, body: &Value) -> Answer {
    by.call_on(&app.router, Method::PATCH, &tenant.path(&format!("/users/{user}")), Some(body)).await
}

#[tokio::test]
async fn who_is_invited_comes_in_once_and_an_invitation_can_be_renewed_revoked_and_runs_out() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let invited = invite(&app, &mut ana, &andina, "Luz@Business.example ", &["agent"]).await.expect(201);
    assert_eq!(
        (&invited.body["user"]["status"], &invited.body["user"]["email"]),
        (&json!("invited"), &json!(LUZ))
    );
    let url = invited.body["invitation"]["url"].as_str().unwrap();
    assert!(url.starts_with("https://api.misy.example/invite#token=inv_"), "{url}");
    invite(&app, &mut ana, &andina, LUZ, &["agent"]).await.refused(409, "conflict");
    let user = invited.body["user"]["userId"].as_str().unwrap().to_owned();
    let accept = async |token: &str, password: &str| {
        Browser::new()
            .post(&app, "/auth/invitations/accept", &json!({ "token": token, "password": password }))
            .await
    };
    let first = invited.body["invitation"]["token"].as_str().unwrap();
    let path = andina.path(&format!("/users/{user}/invitation"));
    let second = ana.order(&app, Method::POST, &path).await.expect(200).text("token");
    accept(first, LONG).await.refused(401, "link_invalid");
    // An agent needs no second factor, so the password alone must be longer.
    accept(&second, "doce letras!").await.refused(422, "validation_failed");
    app.advance(Duration::from_hours(7 * 24));
    accept(&second, LONG).await.refused(401, "link_invalid");
    let mut ana = Browser::new_with(&ana);
    ana.sign_in_twice(&app, ANA).await.expect(200);
    let third = ana.order(&app, Method::POST, &path).await.expect(200).text("token");
    let luz = accept(&third, LONG).await.expect(200);
    assert_eq!(luz.body["secondFactorEnrollmentRequired"], false);
    accept(&third, LONG).await.refused(401, "link_invalid");
    ana.order(&app, Method::POST, &path).await.refused(409, "not_invited");
    // Another one is revoked by removing whom it was for.
    let other = invite(&app, &mut ana, &andina, "eva@business.example", &["agent"]).await.expect(201);
    let id = other.body["user"]["userId"].as_str().unwrap();
    ana.order(&app, Method::DELETE, &andina.path(&format!("/users/{id}"))).await.expect(204);
    accept(other.body["invitation"]["token"].as_str().unwrap(), LONG).await.refused(401, "link_invalid");
}

#[tokio::test]
async fn people_are_listed_by_page_status_role_and_address() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    for (email, role) in
        [(LUZ, "agent"), ("eva@business.example", "analyst"), ("ivo@business.example", "agent")]
    {
        app.advance(Duration::from_millis(1));
        invite(&app, &mut ana, &andina, email, &[role]).await.expect(201);
    }
    let mut emails = async |query: &str| -> Vec<String> {
        let answer = ana.get(&app, &andina.path(&format!("/users{query}"))).await.expect(200);
        let items = answer.body["items"].as_array().unwrap();
        items.iter().map(|user| user["email"].as_str().unwrap()[..3].to_owned()).collect()
    };
    assert_eq!(emails("").await, ["ivo", "eva", "luz", "ana"]);
    assert_eq!(emails("?limit=2").await, ["ivo", "eva"]);
    assert_eq!(emails("?status=active").await, ["ana"]);
    assert_eq!(emails("?role=agent").await, ["ivo", "luz"]);
    assert_eq!(emails("?email=EVA%40business.example").await, ["eva"]);
    ana.get(&app, &andina.path("/users?status=gone")).await.refused(422, "validation_failed");
}

#[tokio::test]
async fn the_last_administrator_stays_even_when_two_let_go_of_each_other_at_once() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let me = ana.get(&app, "/auth/me").await.expect(200).body["user"]["userId"].as_str().unwrap().to_owned();
    for body in [json!({ "roles": ["manager"] }), json!({ "disabled": true })] {
        change(&app, &mut ana, &andina, &me, &body).await.refused(409, "last_administrator");
    }
    let path = andina.path(&format!("/users/{me}"));
    ana.order(&app, Method::DELETE, &path).await.refused(409, "last_administrator");
    // Nor does the token of the registration, which is dead.
    app.with_token(&andina, Method::DELETE, &path, None).await.refused(401, "token_revoked");
    let (mut luz, other) = joined(&app, &mut ana, &andina, LUZ, &["admin"]).await;
    luz.enroll_app(&app).await;
    let requests = [(&ana, &other), (&luz, &me)].map(|(by, whom)| {
        let body = json!({ "roles": ["agent"] });
        app.send(by.request(Method::PATCH, &andina.path(&format!("/users/{whom}")), Some(&body)))
    });
    let answers = futures_util::future::join_all(requests).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    // One of the two is done; the other comes too late: as the last administrator, as none any more, or without a session, as
    // whoever gains a role has to sign in anew.
    assert_eq!(statuses[0], 200, "{:?}", answers.iter().map(|answer| &answer.body).collect::<Vec<_>>());
    assert!([401, 403, 409].contains(&statuses[1]), "{statuses:?}");
    // Whoever of the two is left sees nobody else.
    let mut left = 0;
    for browser in [&mut ana, &mut luz] {
        let listed = browser.get(&app, &andina.path("/users?role=admin")).await;
        if listed.status == 200 {
            assert_eq!(listed.body["items"].as_array().unwrap().len(), 1);
            left += 1;
        }
    }
    assert_eq!(left, 1);
}

#[tokio::test]
async fn nobody_handles_a_role_above_its_own() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    invite(&app, &mut ana, &andina, LUZ, &["owner"]).await.refused(403, "role_above_own");
    invite(&app, &mut ana, &andina, LUZ, &["wizard"]).await.refused(422, "validation_failed");
    // An administrator of the owner's tenant who is no owner makes none.
    let mut olga = app.administrator(&owner, "olga@colombiatic.example").await;
    let (mut ivo, _) = joined(&app, &mut olga, &owner, "ivo@colombiatic.example", &["admin"]).await;
    ivo.enroll_app(&app).await;
    invite(&app, &mut ivo, &owner, "eva@colombiatic.example", &["owner"])
        .await
        .refused(403, "role_above_own");
    invite(&app, &mut olga, &owner, "eva@colombiatic.example", &["owner"]).await.expect(201);
    // A manager makes no administrator, nor takes anything from one.
    let (mut luz, _) = joined(&app, &mut ana, &andina, LUZ, &["manager"]).await;
    luz.enroll_app(&app).await;
    let refused = invite(&app, &mut luz, &andina, "eva@business.example", &["admin"]).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let me = ana.get(&app, "/auth/me").await.expect(200).body["user"]["userId"].as_str().unwrap().to_owned();
    for body in [json!({ "disabled": true }), json!({ "name": "Nobody" })] {
        assert_eq!(change(&app, &mut luz, &andina, &me, &body).await.status, 403);
    }
    for call in ["password-reset", "second-factor-reset"] {
        let answer = luz.order(&app, Method::POST, &andina.path(&format!("/users/{me}/{call}"))).await;
        assert_eq!(answer.status, 403, "{call}");
    }
}

#[tokio::test]
async fn who_is_disabled_is_out_at_once_with_all_sessions_and_tokens() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (mut luz, id) = joined(&app, &mut ana, &andina, LUZ, &["developer"]).await;
    luz.enroll_app(&app).await;
    let expires = "2026-12-31T00:00:00Z";
    let body = json!({ "name": "ci", "scopes": ["sites:read"], "expiresAt": expires });
    let token = luz.post(&app, "/auth/tokens", &body).await.expect(201).text("token");
    let read = || with_bearer(bare(Method::GET, &andina.path("/sites"), None), &token);
    app.send(read()).await.expect(200);
    let replica = app.replica().await.router();
    crate::support::send_to(&replica, read()).await.expect(200);
    let answer = change(&app, &mut ana, &andina, &id, &json!({ "disabled": true })).await.expect(200);
    assert_eq!(answer.body["status"], "disabled");
    luz.call_on(&replica, Method::GET, "/auth/me", None).await.refused(401, "session_invalid");
    crate::support::send_to(&replica, read()).await.refused(401, "token_revoked");
    Browser::new().sign_in(&app, LUZ, LONG).await.refused(401, "credentials_invalid");
    change(&app, &mut ana, &andina, &id, &json!({ "disabled": false })).await.expect(200);
    // What was revoked by it stays revoked.
    app.send(read()).await.refused(401, "token_revoked");
    luz.get(&app, "/auth/me").await.refused(401, "session_invalid");
}

#[tokio::test]
async fn a_personal_token_does_what_it_was_made_for_and_nothing_that_needs_its_person() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let expires = |days: i64| {
        let now = misy_domain::Clock::now(&*app.store.clock);
        now.checked_add(jiff::SignedDuration::from_hours(24 * days)).unwrap().to_string()
    };
    let body = |scopes: &[&str], days| json!({ "name": "ci", "scopes": scopes, "expiresAt": expires(days) });
    for wrong in
        [body(&[], 30), body(&["sites:fly"], 30), body(&["sites:read"], 400), body(&["sites:read"], -1)]
    {
        ana.post(&app, "/auth/tokens", &wrong).await.refused(422, "validation_failed");
    }
    let made = ana.post(&app, "/auth/tokens", &body(&["sites:read", "users:write"], 30)).await.expect(201);
    let token = made.text("token");
    assert!(token.starts_with("pat_") && token.starts_with(&made.text("prefix")));
    let call = async |method: Method, path: &str, body: Option<&Value>| {
        app.send(with_bearer(bare(method, path, body), &token)).await
    };
    call(Method::GET, &andina.path("/sites"), None).await.expect(200);
    call(Method::GET, &andina.path("/keys"), None).await.refused(403, "permission_denied");
    let person = json!({ "email": LUZ, "name": "Luz", "roles": ["agent"] });
    call(Method::POST, &andina.path("/users"), Some(&person)).await.refused(401, "step_up_required");
    call(Method::GET, "/auth/tokens", None).await.refused(403, "session_required");
    let listed = ana.get(&app, "/auth/tokens").await.expect(200);
    let item = &listed.body["items"][0];
    assert!(item["token"].is_null() && item["lastUsedAt"].is_string(), "{item}");
    let id = item["tokenId"].as_str().unwrap();
    ana.order(&app, Method::DELETE, &format!("/auth/tokens/{id}")).await.expect(204);
    call(Method::GET, &andina.path("/sites"), None).await.refused(401, "token_revoked");
    app.advance(Duration::from_mins(6));
    ana.post(&app, "/auth/tokens", &body(&["sites:read"], 30)).await.refused(401, "step_up_required");
    ana.step_up(&app).await;
    let token = ana.post(&app, "/auth/tokens", &body(&["sites:read"], 30)).await.expect(201).text("token");
    app.advance(Duration::from_hours(31 * 24));
    let request = with_bearer(bare(Method::GET, &andina.path("/sites"), None), &token);
    app.send(request).await.refused(401, "token_expired");
}

#[tokio::test]
async fn what_changes_people_needs_a_second_factor_of_the_last_five_minutes() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    app.advance(Duration::from_mins(5));
    invite(&app, &mut ana, &andina, LUZ, &["agent"]).await.expect(201);
    app.advance(Duration::from_secs(1));
    let answer = invite(&app, &mut ana, &andina, "eva@business.example", &["agent"]).await;
    let answer = answer.refused(401, "step_up_required");
    let challenge = "Bearer realm=\"misy\", error=\"insufficient_user_authentication\", max_age=300";
    assert_eq!(answer.headers["www-authenticate"], challenge);
    ana.post(&app, "/auth/step-up", &json!({ "factor": "totp", "code": "000000" }))
        .await
        .refused(401, "code_invalid");
    let key = json!({ "siteId": "main" });
    ana.post(&app, &andina.path("/keys"), &key).await.refused(401, "step_up_required");
    ana.order(&app, Method::POST, &andina.path("/secrets")).await.refused(401, "step_up_required");
    ana.step_up(&app).await;
    invite(&app, &mut ana, &andina, "eva@business.example", &["agent"]).await.expect(201);
    ana.post(&app, &andina.path("/keys"), &key).await.expect(201);
}

#[tokio::test]
async fn a_password_is_changed_by_its_person_and_ends_the_other_sessions() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let mut phone = Browser::new_with(&ana);
    phone.sign_in_twice(&app, ANA).await.expect(200);
    app.advance(Duration::from_mins(6));
    let body = |current: Option<&str>, new: &str| json!({ "currentPassword": current, "newPassword": new });
    ana.post(&app, "/auth/password", &body(Some("wrong"), LONG)).await.refused(401, "credentials_invalid");
    ana.post(&app, "/auth/password", &body(None, LONG)).await.refused(401, "step_up_required");
    ana.post(&app, "/auth/password", &body(Some(PASSWORD), "password1234"))
        .await
        .refused(422, "validation_failed");
    let before = ana.clone();
    ana.post(&app, "/auth/password", &body(Some(PASSWORD), LONG)).await.expect(200);
    let mut before = before;
    before.get(&app, "/auth/me").await.refused(401, "session_invalid");
    phone.get(&app, "/auth/me").await.refused(401, "session_invalid");
    // A password is no second factor.
    invite(&app, &mut ana, &andina, LUZ, &["agent"]).await.refused(401, "step_up_required");
    Browser::new().sign_in(&app, ANA, PASSWORD).await.refused(401, "credentials_invalid");
    Browser::new().sign_in(&app, ANA, LONG).await.expect(200);
}

#[tokio::test]
async fn who_forgot_the_password_gets_a_link_of_an_administrator_that_is_good_once_for_an_hour() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (mut luz, id) = joined(&app, &mut ana, &andina, LUZ, &["agent"]).await;
    luz.enroll_app(&app).await;
    let tomorrow = misy_domain::Clock::now(&*app.store.clock) + jiff::SignedDuration::from_hours(24);
    let personal = json!({ "name": "ci", "scopes": ["tenant:read"], "expiresAt": tomorrow.to_string() });
    let personal = luz.post(&app, "/auth/tokens", &personal).await.expect(201).text("token");
    let by_token = || with_bearer(bare(Method::GET, &andina.path(""), None), &personal);
    ana.step_up(&app).await;
    let path = andina.path(&format!("/users/{id}/password-reset"));
    let reset = async |token: &str, password: &str| {
        Browser::new()
            .post(&app, "/auth/password/reset", &json!({ "token": token, "password": password }))
            .await
    };
    let link = ana.order(&app, Method::POST, &path).await.expect(200);
    app.advance(Duration::from_hours(1));
    reset(&link.text("token"), "otra canción de cuna").await.refused(401, "link_invalid");
    ana.step_up(&app).await;
    let link = ana.order(&app, Method::POST, &path).await.expect(200).text("token");
    reset(&link, "corta").await.refused(422, "validation_failed");
    app.send(by_token()).await.expect(200);
    reset(&link, "otra canción de cuna").await.expect(204);
    // Whoever had the old password may have made it.
    app.send(by_token()).await.refused(401, "token_revoked");
    reset(&link, "una tercera canción").await.refused(401, "link_invalid");
    luz.get(&app, "/auth/me").await.refused(401, "session_invalid");
    luz.sign_in(&app, LUZ, "otra canción de cuna").await.expect(200);
    // Without mail nothing goes out, and the answer is the same.
    for email in [LUZ, "nobody@business.example", "no address"] {
        let answer = Browser::new().post(&app, "/auth/password/forgot", &json!({ "email": email })).await;
        assert_eq!(answer.status, 202);
    }
}

#[tokio::test]
async fn with_mail_links_go_out_to_whom_they_are_for_and_to_nobody_else() {
    let app = App::start_with(|settings| settings.mail = true).await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    joined(&app, &mut ana, &andina, LUZ, &["agent"]).await;
    // Waits until so many mails are queued, and takes them.
    let take = async |wanted: usize| {
        let mut mails = Vec::new();
        let began = std::time::Instant::now();
        while mails.len() < wanted {
            assert!(began.elapsed() < Duration::from_mins(1), "{} of {wanted} mails", mails.len());
            mails.extend(app.take_mails(&andina).await);
            tokio::task::yield_now().await;
        }
        mails
    };
    // Ana's app, the invitation, the password that was set by it.
    let first = take(3).await;
    let invited = first.iter().find(|mail| mail.text.contains("/invite#token=inv_")).unwrap();
    assert_eq!(invited.to, LUZ);
    assert_eq!(first.iter().filter(|mail| mail.to == LUZ).count(), 2);
    for email in ["nobody@business.example", LUZ] {
        let body = json!({ "email": email });
        let answer = Browser::new().post(&app, "/auth/password/forgot", &body).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
    }
    let mail = take(1).await.remove(0);
    // Strangers ask for more, which neither makes the first void nor goes on for ever, nor keeps her from asking herself.
    let ask = async |address: &str| {
        Browser::at(address).post(&app, "/auth/password/forgot", &json!({ "email": LUZ })).await
    };
    for number in 0..25 {
        ask(&format!("198.51.100.{number}")).await.expect(202);
    }
    for _ in 0..10 {
        ask("203.0.113.66").await.expect(202);
    }
    ask("203.0.113.66").await.refused(429, "rate_limited");
    ask("203.0.113.9").await.expect(202);
    take(2).await;
    let token = mail.text.split("token=").nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(mail.to, LUZ);
    let body = json!({ "token": token, "password": "otra canción de cuna" });
    Browser::new().post(&app, "/auth/password/reset", &body).await.expect(204);
    let notice = take(1).await.remove(0);
    assert!(notice.to == LUZ && notice.subject.contains("contraseña"), "{}", notice.subject);
    Browser::new().sign_in(&app, LUZ, "otra canción de cuna").await.expect(200);
}

#[tokio::test]
async fn who_lost_everything_gets_the_second_factor_reset_by_an_administrator_and_enrols_anew() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let me = ana.get(&app, "/auth/me").await.expect(200).body["user"]["userId"].as_str().unwrap().to_owned();
    let reset = |id: &str| andina.path(&format!("/users/{id}/second-factor-reset"));
    ana.order(&app, Method::POST, &reset(&me)).await.refused(409, "conflict");
    let (mut luz, id) = joined(&app, &mut ana, &andina, LUZ, &["admin"]).await;
    luz.enroll_app(&app).await;
    ana.order(&app, Method::POST, &reset(&id)).await.expect(204);
    luz.get(&app, "/auth/me").await.refused(401, "session_invalid");
    let answer = luz.sign_in(&app, LUZ, LONG).await.expect(200);
    assert_eq!(answer.body["secondFactorEnrollmentRequired"], true);
    luz.get(&app, &andina.path("")).await.refused(403, "second_factor_enrollment_required");
    // The password alone is not enough for that: somebody else may know it, and have waited for this.
    luz.order(&app, Method::POST, "/auth/totp").await.refused(403, "enrollment_link_required");
    let path = andina.path(&format!("/users/{id}/password-reset"));
    let link = ana.order(&app, Method::POST, &path).await.expect(200).text("token");
    let body = json!({ "token": link, "password": PASSWORD });
    luz.post(&app, "/auth/password/reset", &body).await.expect(204);
    luz.sign_in(&app, LUZ, PASSWORD).await.expect(200);
    luz.enroll_app(&app).await;
    luz.get(&app, &andina.path("")).await.expect(200);
}

#[tokio::test]
async fn a_change_that_did_not_see_the_last_one_is_refused() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (_, id) = joined(&app, &mut ana, &andina, LUZ, &["agent"]).await;
    let path = andina.path(&format!("/users/{id}"));
    let read = ana.get(&app, &path).await.expect(200);
    let tag = read.headers["etag"].to_str().unwrap().to_owned();
    for (status, method) in [(200, Method::PATCH), (412, Method::PATCH), (412, Method::DELETE)] {
        let body = (method == Method::PATCH).then(|| json!({ "name": "Luz" }));
        let mut request = ana.request(method, &path, body.as_ref());
        put(&mut request, "if-match", &tag);
        app.send(request).await.expect(status);
    }
}

#[tokio::test]
async fn an_administrator_sees_and_ends_the_sessions_of_others_and_everything_is_in_the_trail() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let (mut luz, id) = joined(&app, &mut ana, &andina, LUZ, &["agent"]).await;
    let path = andina.path(&format!("/users/{id}/sessions"));
    let listed = ana.get(&app, &path).await.expect(200);
    let session = listed.body["items"][0]["sessionId"].as_str().unwrap();
    assert_eq!(listed.body["items"][0]["current"], false);
    ana.order(&app, Method::DELETE, &format!("{path}/{session}")).await.expect(204);
    luz.get(&app, "/auth/me").await.refused(401, "session_invalid");
    ana.order(&app, Method::DELETE, &path).await.expect(204);
    let trail = ana.get(&app, &andina.path("/audit?limit=200")).await.expect(200);
    let text = trail.body.to_string();
    for action in
        ["enroll", "confirmTotp", "inviteUser", "acceptInvitation", "endUserSession", "endUserSessions"]
    {
        assert!(text.contains(&format!("\"{action}\"")), "{action} in {text}");
    }
    assert!(
        !text.contains("@business.example") && !text.contains("bss_") && !text.contains("inv_"),
        "{text}"
    );
}

#[tokio::test]
async fn who_asks_for_one_mail_too_many_is_told_and_a_stranger_is_not() {
    let app = App::start_with(|settings| settings.mail = true).await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let invited = invite(&app, &mut ana, &andina, LUZ, &["agent"]).await.expect(201);
    let user = invited.body["user"]["userId"].as_str().unwrap();
    let again = andina.path(&format!("/users/{user}/invitation"));
    let mut link = String::new();
    for _ in 0..5 {
        link = ana.order(&app, Method::POST, &again).await.expect(200).text("token");
    }
    let refused = ana.order(&app, Method::POST, &again).await;
    assert!(refused.headers.contains_key("retry-after"));
    refused.refused(429, "rate_limited");
    // Nothing of it happened: the last link is good. Others are invited as ever.
    invite(&app, &mut ana, &andina, "eva@business.example", &["agent"]).await.expect(201);
    let body = json!({ "token": link, "password": LONG });
    Browser::new().post(&app, "/auth/invitations/accept", &body).await.expect(200);

    // Somebody has asked for many links already; who asks now gets the same answer as ever, and no mail.
    let store = &app.store;
    let mut tx = store.database.tenant("test", &andina.tenant_id()).await.unwrap();
    while mails::count(&mut tx, &store.vault, LUZ, Cause::Stranger).await.unwrap().is_none() {}
    tx.commit().await.unwrap();
    let stranger = Browser::new().post(&app, "/auth/password/forgot", &json!({ "email": LUZ })).await;
    assert_eq!((stranger.status.as_u16(), &stranger.body), (202, &Value::Null));
    app.desk.shutdown().await;
    let mut mails = Vec::new();
    while let Some(some) = Some(app.take_mails(&andina).await).filter(|some| !some.is_empty()) {
        mails.extend(some);
    }
    let to_luz = |what: &str| mails.iter().filter(|mail| mail.to == LUZ && mail.text.contains(what)).count();
    assert_eq!((to_luz("/invite#"), to_luz("/reset#")), (6, 0));
}
