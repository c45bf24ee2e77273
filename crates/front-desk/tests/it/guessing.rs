//! Guessing, while what counts the guesses is emptied, restarted or flooded.

use crate::{
    people::{Browser, PASSWORD},
    support::{App, Tenant, desk_on, put, replica_through, send_to, with_bearer},
};
use axum::{Router, body::Body};
use http::{Method, Request};
use misy_domain::limit::Quota;
use misy_testkit::{redis::TestRedis, store::test_store};
use misy_trust::{RandomToken, SystemEntropy, TokenUse};
use serde_json::{Value, json};
use std::time::Duration;

const ANA: &str = "ana@business.example";
/// However slow the machine is that the test runs on.
const PATIENCE: Duration = Duration::from_secs(20);

/// Signs in with a wrong password, each time from another address; says whether the guess was looked at.
async fn guess(router: &Router, number: u32) -> bool {
    let thief = Browser::at(&format!("198.51.{}.{}", number / 200, number % 200));
    let body = json!({ "email": ANA, "password": format!("guess number {number}") });
    let answer = send_to(router, thief.request(Method::POST, "/auth/sign-in", Some(&body))).await;
    match answer.status.as_u16() {
        401 => true,
        429 => {
            assert!(answer.headers.contains_key("retry-after"));
            false
        }
        other => panic!("{other}: {}", answer.body),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_empties_or_restarts_redis_and_the_program_guesses_no_more_often() {
    let mut redis = TestRedis::start().unwrap();
    let store = test_store().await.unwrap();
    let desk = replica_through(&store, &redis, PATIENCE).await;
    let app = App { store, router: desk.router(), desk };
    let andina = app.two().await.1;
    let mut ana = app.administrator(&andina, ANA).await;
    let mut looked_at = 0;
    for round in 0..6 {
        // A program that was started anew each time.
        let router = replica_through(&app.store, &redis, PATIENCE).await.router();
        for turn in 0..25 {
            if round == 4 && turn == 10 {
                redis.kill().unwrap();
            }
            looked_at += u32::from(guess(&router, round * 25 + turn).await);
            if round < 4 {
                redis.forget_all().unwrap();
            }
        }
        if round == 4 {
            redis.start_again().unwrap();
        }
    }
    assert_eq!(looked_at, 20, "of 150 guesses");
    // Her own browser is let in at once, and with time so is any other.
    ana.sign_in_twice(&app, ANA).await.expect(200);
    app.advance(Duration::from_hours(1));
    let an_hour_later = "update platform.guesses set arrival = arrival - interval '1 hour'";
    app.store.admin(an_hour_later).await.unwrap();
    redis.forget_all().unwrap();
    let mut phone = Browser::at("203.0.113.9");
    phone.sign_in(&app, ANA, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn codes_are_counted_where_no_restart_reaches() {
    let app = App::start().await;
    let andina = app.two().await.1;
    app.administrator(&andina, ANA).await;
    let mut looked_at = 0;
    for round in 0..6 {
        let router = desk_on(&app.store, |_| {}).await.router();
        let mut thief = Browser::at(&format!("198.51.100.{round}"));
        let body = json!({ "email": ANA, "password": PASSWORD });
        let first = send_to(&router, thief.request(Method::POST, "/auth/sign-in", Some(&body))).await;
        if first.status == 429 {
            continue;
        }
        let challenge = first.expect(200).text("challenge");
        for _ in 0..5 {
            let body = json!({ "challenge": challenge, "factor": "totp", "code": "000000" });
            let answer =
                send_to(&router, thief.request(Method::POST, "/auth/second-factor", Some(&body))).await;
            thief.take(&answer);
            looked_at += u32::from(answer.body["code"] == "code_invalid");
        }
    }
    assert_eq!(looked_at, 20, "of 30 codes");
}

/// Everything that names a secret which nobody has: what it is told, and from where.
fn wrong_secrets(andina: &Tenant) -> Vec<(&'static str, Request<Body>, &'static str)> {
    let entropy = SystemEntropy::new();
    let token = |kind| RandomToken::generate(kind, &entropy).text().to_owned();
    let thief = Browser::at("198.51.100.1");
    let post = |path: &str, body: Value| thief.request(Method::POST, path, Some(&body));
    let challenge = json!({ "challenge": token(TokenUse::SecondFactor), "factor": "totp", "code": "123456" });
    let link = |kind| json!({ "token": token(kind), "password": "tres tristes tigres" });
    let key = misy_trust::ApiKey::generate(misy_trust::ApiKeyKind::Administrator, &entropy);
    let read = |bearer: &str| with_bearer(thief.request(Method::GET, &andina.path(""), None), bearer);
    let mut session = thief.request(Method::GET, "/auth/me", None);
    put(&mut session, "cookie", &format!("__Host-misy_session={}", token(TokenUse::Session)));
    vec![
        ("adm_", read(key.text().expose()), "token_invalid"),
        ("pat_", read(&token(TokenUse::Personal)), "token_invalid"),
        ("bss_", session, "session_invalid"),
        ("chl_", post("/auth/second-factor", challenge), "challenge_invalid"),
        ("inv_", post("/auth/invitations/accept", link(TokenUse::Invitation)), "link_invalid"),
        ("rst_", post("/auth/password/reset", link(TokenUse::PasswordReset)), "link_invalid"),
    ]
}

#[tokio::test]
async fn one_address_cannot_make_the_database_look_for_secrets_of_any_kind_without_end() {
    for (at, kind) in ["adm_", "pat_", "bss_", "chl_", "inv_", "rst_"].into_iter().enumerate() {
        let app =
            App::start_with(|settings| settings.limits.wrong_keys_per_address = Quota::per_minute(3)).await;
        let andina = app.two().await.1;
        let send = async || {
            let (named, request, code) = wrong_secrets(&andina).swap_remove(at);
            assert_eq!(named, kind);
            (app.send(request).await, code)
        };
        for _ in 0..3 {
            let (answer, code) = send().await;
            answer.refused(401, code);
        }
        let (answer, _) = send().await;
        answer.refused(429, "rate_limited");
    }
}

#[tokio::test]
async fn who_has_all_networks_of_a_home_or_a_region_is_counted_as_one() {
    let app = App::start().await;
    let ask = async |region: u32, home: u32, host: u32| {
        let mut somebody = Browser::at(&format!("[2001:db8:{region:x}:{:x}::1]", (home << 8) | host));
        somebody.post(&app, "/auth/password/forgot", &json!({ "email": ANA })).await
    };
    // Each from a network of its own: twice as many as one may, and four times as many.
    for home in 1..=2 {
        for host in 0..200 {
            ask(1, home, host).await.expect(202);
        }
    }
    ask(1, 2, 200).await.refused(429, "rate_limited");
    ask(1, 3, 0).await.refused(429, "rate_limited");
    for host in 0..200 {
        ask(2, 1, host).await.expect(202);
    }
    ask(2, 1, 200).await.refused(429, "rate_limited");
    ask(2, 2, 0).await.expect(202);
}

#[tokio::test]
async fn who_guesses_from_many_addresses_gets_nowhere_and_locks_nobody_out() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let mut tried = 0;
    // An hour of guessing, each time from another address.
    for minute in 0..60 {
        for guess in 0..3 {
            let mut thief = Browser::at(&format!("198.51.{minute}.{guess}"));
            let answer = thief.sign_in(&app, ANA, "guess after guess after guess").await;
            match answer.status.as_u16() {
                401 => tried += 1,
                429 => assert!(answer.headers.contains_key("retry-after")),
                other => panic!("{other}"),
            }
        }
        app.advance(Duration::from_mins(1));
    }
    assert!(tried <= misy_front_desk::identity::MOST_GUESSES_PER_HOUR, "{tried}");
    // From a browser that was never seen the account is slow now, even with the right password …
    for _ in 0..2 {
        Browser::at("203.0.113.200").sign_in(&app, ANA, "guess").await;
    }
    Browser::at("203.0.113.1").sign_in(&app, ANA, PASSWORD).await.refused(429, "rate_limited");
    // … an account that does not exist is just as slow …
    for guess in 0..20 {
        let mut thief = Browser::at(&format!("203.0.113.{}", 10 + guess));
        thief.sign_in(&app, "nobody@business.example", "guess").await.refused(401, "credentials_invalid");
    }
    let mut thief = Browser::at("203.0.113.99");
    thief.sign_in(&app, "nobody@business.example", "guess").await.refused(429, "rate_limited");
    // … and Ana's own browser is let in at once.
    ana.sign_in_twice(&app, ANA).await.expect(200);
}

#[tokio::test]
async fn an_account_in_a_tenant_of_ones_own_helps_nobody_to_guess_at_another() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    app.administrator(&andina, ANA).await;
    // The thief's own tenant has an account with Ana's address, whose password the thief chose.
    let roja = app.register(&owner, "roja", "https://roja.example").await;
    let mut thief = Browser::new();
    let mut body = App::enrollment(&roja, ANA);
    body["password"] = json!("mi propia clave larga");
    thief.post(&app, "/auth/enroll", &body).await.expect(200);
    let mut tried = 0;
    for guess in 0..40 {
        thief.address = format!("198.51.100.{guess}");
        for body in [
            json!({ "email": ANA, "password": "guess after guess" }),
            json!({ "email": ANA, "password": "guess after guess", "tenantId": "andina" }),
        ] {
            tried += usize::from(thief.post(&app, "/auth/sign-in", &body).await.status == 401);
        }
    }
    // At Ana's account no more than before. What goes on, by the browser that is known for it, is at the thief's own.
    assert!((20..=30).contains(&tried), "{tried}");
}

#[tokio::test]
async fn who_guesses_at_an_address_keeps_no_known_browser_out_even_with_an_account_of_that_address() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let roja = app.register(&owner, "roja", "https://roja.example").await;
    let mut body = App::enrollment(&roja, ANA);
    body["password"] = json!("mi propia clave larga");
    let mut thief = Browser::new();
    thief.post(&app, "/auth/enroll", &body).await.expect(200);
    let mut tried = 0;
    for guess in 0..60 {
        thief.address = format!("198.51.100.{guess}");
        tried += usize::from(thief.sign_in(&app, ANA, "guess after guess").await.status == 401);
    }
    // The thief's browser is known for the thief's account only: what it is still asked about is that one.
    assert!(tried <= 30, "{tried}");
    Browser::at("203.0.113.9").sign_in(&app, ANA, PASSWORD).await.refused(429, "rate_limited");
    ana.sign_in_twice(&app, ANA).await.expect(200);
}

#[tokio::test]
async fn a_sign_in_that_is_refused_does_nothing_in_any_tenant() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    app.administrator(&andina, ANA).await;
    for number in 0..20 {
        guess(&app.router, number).await;
    }
    // Whoever looks at an account now waits for this.
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let mut held = sqlx::Connection::begin(&mut admin).await.unwrap();
    sqlx::query("lock table misy.users in access exclusive mode").execute(&mut *held).await.unwrap();
    let refused = async {
        for number in 20..30 {
            assert!(!guess(&app.router, number).await);
            let mut thief = Browser::at(&format!("203.0.113.{number}"));
            let body = json!({ "email": ANA, "password": "guess", "tenantId": "andina" });
            thief.post(&app, "/auth/sign-in", &body).await.refused(429, "rate_limited");
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("accounts are looked at before it is counted");
    held.rollback().await.unwrap();
}

#[tokio::test]
async fn an_address_in_tenants_without_end_is_looked_up_in_a_hundred_and_its_known_browser_gets_in() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let mut ana = app.administrator(&andina, ANA).await;
    let taken = "insert into platform.user_emails
                 select e.email_route, 'x' || n, 'usr_' || lpad(n::text, 26, '0')
                 from platform.user_emails e, generate_series(1, 150) n where e.tenant_id = 'andina'";
    app.store.admin(taken).await.unwrap();
    let route = app.desk.vault.email_route(&ANA.parse().unwrap()).unwrap();
    let found = async |wanted: Option<&str>| {
        let wanted = wanted.map(|tenant| tenant.parse().unwrap());
        app.desk.database.accounts_of_email(&route, &[], wanted.as_ref()).await.unwrap()
    };
    assert_eq!(found(None).await.len(), 100);
    assert_eq!(found(Some("andina")).await.len(), 1);
    assert_eq!(found(Some("verde")).await, []);
    ana.sign_in_twice(&app, ANA).await.expect(200);
    // Elsewhere she names her tenant, as these were there before her: what is beyond is like what is not there.
    let mut phone = Browser::at("203.0.113.9");
    phone.sign_in(&app, ANA, PASSWORD).await.refused(401, "credentials_invalid");
    let body = json!({ "email": ANA, "password": PASSWORD, "tenantId": "andina" });
    phone.post(&app, "/auth/sign-in", &body).await.expect(200);
}
