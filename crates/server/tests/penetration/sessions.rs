//! Sessions: hijacked, fixed, ridden on.

use crate::{
    stage::{PASSWORD, Person, SESSION_COOKIE, Stage, Token, cookie_of, from_own_page, seconds_from_now},
    wire::Request,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_testkit::client::BASE;
use serde_json::json;

const ANA: &str = "ana@business.example";

#[tokio::test]
async fn a_chat_session_belongs_to_the_chain_of_tokens_that_opened_it() {
    let stage = Stage::start().await;
    let victim = stage.browser(&stage.andina).await;
    let session = stage.session(&victim).await;
    stage.say(&victim, &session, "mi secreto").await.expect(202);
    // Another site of the same tenant, with a key of its own.
    let (andina, origin) = (&stage.andina, "https://two.andina.example");
    let site = json!({ "siteId": "two", "origins": [origin] });
    stage.manage(andina, "POST", &andina.path("/sites"), Some(&site)).await.expect(201);
    let key = json!({ "siteId": "two" });
    let key = stage.manage(andina, "POST", &andina.path("/keys"), Some(&key)).await.expect(201).text("/key");
    let mint = crate::stage::mint_request(andina).set("x-api-key", key).set("origin", origin);
    let answer = stage.send(mint.json(&json!({ "siteId": "two" }))).await.expect(201);
    let of_site = Token { text: answer.text("/token"), origin: Some(origin.into()), ..key_from(&answer) };
    let attackers = [
        ("another visitor", stage.browser(andina).await),
        ("another site", of_site),
        ("another tenant", stage.browser(&stage.verde).await),
        ("a chat server of the tenant", stage.server(andina, &["chat:read", "chat:write"]).await),
    ];
    let nobodys = format!("ses_{}", "0".repeat(26));
    for (who, attacker) in &attackers {
        for (method, path) in
            [("GET", ""), ("GET", "/messages"), ("GET", "/messages?after=0&limit=100"), ("GET", "/events")]
        {
            let ask = async |session: &str| {
                let request = Request::new(method, format!("{BASE}/sessions/{session}{path}"));
                stage.send(attacker.sign(request)).await
            };
            let (theirs, nothing) = (ask(&session).await, ask(&nobodys).await);
            assert_eq!(theirs.outcome(), nothing.outcome(), "{who} at {path}");
            assert_eq!(theirs.status, 404, "{who} at {path}: {}", theirs.shown());
        }
        let answer = stage.say(attacker, &session, "soy yo").await;
        assert_eq!(answer.status, 404, "{who}: {}", answer.shown());
        // Asked to go on with it, one gets nothing or a session of one's own.
        let resume = json!({ "channel": "web", "resume": session });
        let answer =
            stage.send(attacker.sign(Request::new("POST", format!("{BASE}/sessions")).json(&resume))).await;
        if answer.status < 300 {
            assert_ne!(answer.text("/sessionId"), session, "{who}");
        }
    }
    let read = Request::new("GET", format!("{BASE}/sessions/{session}/messages"));
    let history = stage.send(victim.sign(read)).await.expect(200);
    assert!(!String::from_utf8_lossy(&history.body).contains("soy yo"));
}

fn key_from(answer: &crate::wire::Answer) -> Token {
    let bytes = URL_SAFE_NO_PAD.decode(answer.text("/signingKey")).unwrap().try_into().unwrap();
    let key = misy_trust::RequestKey::new(misy_domain::Secret::new(bytes));
    Token { text: String::new(), key, origin: None }
}

async fn me(stage: &Stage, person: &Person) -> u16 {
    stage.send(person.sends(Request::new("GET", format!("{BASE}/auth/me")))).await.status
}

/// Signs in with both factors in a browser that has this cookie already; gives the person and its new cookie.
async fn sign_in(stage: &Stage, person: &Person, planted: Option<&str>, at: i64) -> Person {
    let page = |path: &str| {
        let request = from_own_page(Request::new("POST", format!("{BASE}/auth/{path}")));
        match planted {
            Some(cookie) => request.header("cookie", format!("{SESSION_COOKIE}={cookie}")),
            None => request,
        }
    };
    let body = json!({ "email": ANA, "password": PASSWORD });
    let challenge = stage.send(page("sign-in").json(&body)).await.expect(200).text("/challenge");
    let code = person.totp.code_at(seconds_from_now(at));
    let body = json!({ "challenge": challenge, "factor": "totp", "code": code });
    let answer = stage.send(page("second-factor").json(&body)).await.expect(200);
    let mut fresh = person.clone();
    fresh.take(&answer);
    fresh
}

#[tokio::test]
async fn no_session_of_the_console_is_taken_from_who_planted_it() {
    let stage = Stage::start().await;
    let first = stage.person(&stage.andina, ANA).await;
    // What an attacker made up, what it got itself, and what the victim had before: none is the session afterwards.
    for planted in
        ["x", "ses_made_up", &*"A".repeat(43), "../../x", "%00", "'; drop table x", &*"a".repeat(4_000)]
    {
        let cookie = format!("{SESSION_COOKIE}={planted}");
        let request = Request::new("GET", format!("{BASE}/auth/me")).header("cookie", cookie);
        let answer = stage.send(request).await;
        assert_eq!(answer.status, 401, "{planted}: {}", answer.shown());
        assert_eq!(cookie_of(&answer, SESSION_COOKIE), None, "{planted}");
    }
    let second = sign_in(&stage, &first, Some(&first.cookie), 0).await;
    assert_ne!(second.cookie, first.cookie);
    assert_eq!((me(&stage, &first).await, me(&stage, &second).await), (401, 200));
    // A step up gives another one again, and ends that.
    let body = json!({ "factor": "totp", "code": second.totp.code_at(seconds_from_now(30)) });
    let step = second.sends(Request::new("POST", format!("{BASE}/auth/step-up"))).json(&body);
    let mut third = second.clone();
    third.take(&stage.send(step.clone()).await.expect(200));
    assert_ne!(third.cookie, second.cookie);
    assert_eq!((me(&stage, &second).await, me(&stage, &third).await), (401, 200));
    // The code of it counts once.
    assert_eq!(stage.send(third.sends(step)).await.status, 401);
    // After signing out the cookie is worth nothing, whoever copied it.
    let out = third.sends(Request::new("POST", format!("{BASE}/auth/sign-out")));
    assert!(stage.send(out).await.status < 300);
    assert_eq!(me(&stage, &third).await, 401);
}

#[tokio::test]
async fn a_cookie_counts_by_its_whole_name_and_only_alone() {
    let stage = Stage::start().await;
    let ana = stage.person(&stage.andina, ANA).await;
    let luz = stage.person(&stage.verde, "luz@verde.example").await;
    let ask = async |cookies: &[String]| {
        let mut request = Request::new("GET", format!("{BASE}/auth/me"));
        for cookie in cookies {
            request = request.header("cookie", cookie);
        }
        stage.send(request).await
    };
    let (a, l) = (&ana.cookie, &luz.cookie);
    // Tossed from a neighbour, doubled, spelled otherwise.
    for cookies in [
        vec![format!("{SESSION_COOKIE}={l}; {SESSION_COOKIE}={a}")],
        vec![format!("{SESSION_COOKIE}={a}; {SESSION_COOKIE}={l}")],
        vec![format!("{SESSION_COOKIE}={a}"), format!("{SESSION_COOKIE}={l}")],
        vec![format!("{SESSION_COOKIE}={a}"), format!("{SESSION_COOKIE}=")],
        vec![format!("misy_session={a}")],
        vec![format!("__Secure-misy_session={a}")],
        vec![format!("__host-misy_session={a}")],
        vec![format!("__Host-misy_session ={a}x")],
        vec![format!("={SESSION_COOKIE}={a}")],
        vec![format!("x={SESSION_COOKIE}={a}")],
        vec![format!("x=\"; {SESSION_COOKIE}={a}\"")],
        vec![format!("{SESSION_COOKIE}=\"{a}\"")],
        vec![format!("{SESSION_COOKIE}={a},{SESSION_COOKIE}={l}")],
        vec![format!("{SESSION_COOKIE}={}", a.to_uppercase())],
        vec![format!("{SESSION_COOKIE}={a}%00")],
        vec![format!("{SESSION_COOKIE}={a}.")],
        vec![format!("__Host-misy_device={a}")],
        vec![format!("$Version=1; {SESSION_COOKIE}={a}; $Path=/; {SESSION_COOKIE}={a}")],
    ] {
        let answer = ask(&cookies).await;
        assert_eq!(answer.status, 401, "{cookies:?}: {}", answer.shown());
    }
    ask(&[format!("theme=dark; {SESSION_COOKIE}={a}; lang=es")]).await.expect(200);
}

#[tokio::test]
async fn cookies_are_for_this_host_over_tls_and_out_of_reach_of_scripts() {
    let stage = Stage::start().await;
    let body =
        json!({ "token": stage.andina.administrator, "email": ANA, "name": "Ana", "password": PASSWORD });
    let request = from_own_page(Request::new("POST", format!("{BASE}/auth/enroll")).json(&body));
    let answer = stage.send(request).await.expect(200);
    let mut set = 0;
    for (_, text) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
        let text = String::from_utf8_lossy(text);
        for attribute in ["__Host-", "; Secure", "; HttpOnly", "; SameSite=", "; Path=/"] {
            assert!(text.contains(attribute), "{text}");
        }
        assert!(!text.contains("Domain") && !text.contains("SameSite=None"), "{text}");
        set += 1;
    }
    assert_eq!(set, 2);
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
}

#[tokio::test]
async fn no_page_elsewhere_rides_on_a_session() {
    let stage = Stage::start().await;
    let ana = stage.person(&stage.andina, ANA).await;
    let luz = stage.person(&stage.verde, "luz@verde.example").await;
    let own = stage.andina.path("");
    let change = || Request::new("PATCH", &*own).json(&json!({ "tenantName": "taken" }));
    let good = || ana.sends(change());
    let attacks = vec![
        ("no token", good().without("x-misy-csrf")),
        ("an empty token", good().set("x-misy-csrf", "")),
        ("another session's token", good().set("x-misy-csrf", &luz.csrf)),
        ("the cookie as token", good().set("x-misy-csrf", &ana.cookie)),
        ("the token cut", good().set("x-misy-csrf", &ana.csrf[1..])),
        ("the token in upper case", good().set("x-misy-csrf", ana.csrf.to_uppercase())),
        ("two tokens", good().header("x-misy-csrf", &luz.csrf)),
        ("a cross-site call", good().set("sec-fetch-site", "cross-site")),
        ("a neighbour's call", good().set("sec-fetch-site", "same-site")),
        ("a typed address", good().set("sec-fetch-site", "none").without("origin")),
        ("two opinions on the site", good().header("sec-fetch-site", "cross-site")),
        ("an unknown opinion on the site", good().set("sec-fetch-site", "Same-Origin")),
        ("an evil origin", good().set("origin", "https://evil.example")),
        ("no origin to name", good().set("origin", "null")),
        ("the origin of a site", good().set("origin", &stage.andina.origin)),
        ("the origin without TLS", good().set("origin", "http://api.misy.example")),
        ("the origin with a port", good().set("origin", "https://api.misy.example:8443")),
        ("the origin with a suffix", good().set("origin", "https://api.misy.example.evil.example")),
        ("the origin in upper case", good().set("origin", "https://API.misy.example")),
        ("nothing that tells where from", good().without("origin").without("sec-fetch-site")),
        (
            "only a referer",
            good().without("origin").without("sec-fetch-site").header("referer", "https://api.misy.example/"),
        ),
        ("the host as origin", good().set("host", "evil.example").set("origin", "http://evil.example")),
    ];
    for (what, request) in attacks {
        let answer = stage.send(request).await;
        assert!([400, 403].contains(&answer.status), "{what}: {}", answer.shown());
    }
    // What a form can send without being asked before.
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        for request in [good(), good().without("x-misy-csrf").set("sec-fetch-site", "cross-site")] {
            let answer = stage.send(request.set("content-type", media)).await;
            assert!([400, 403, 415].contains(&answer.status), "{media}: {}", answer.shown());
        }
    }
    // A method is what stands in front, not what some header or parameter says.
    let override_headers = ["x-http-method-override", "x-http-method", "x-method-override"];
    for name in override_headers {
        for method in ["PATCH", "DELETE", "PUT"] {
            let request = ana.sends(Request::new("GET", &*own)).without("x-misy-csrf").header(name, method);
            stage.send(request.json(&json!({ "tenantName": "taken" }))).await;
            let request = ana.sends(Request::new("POST", &*own)).header(name, method);
            let answer = stage.send(request.json(&json!({ "tenantName": "taken" }))).await;
            assert_eq!(answer.status, 405, "{name}: {}", answer.shown());
        }
    }
    for query in ["_method=PATCH", "_method=DELETE", "method=PATCH"] {
        stage.send(ana.sends(Request::new("GET", format!("{own}?{query}"))).without("x-misy-csrf")).await;
    }
    let read = stage.manage(&stage.andina, "GET", &own, None).await.expect(200);
    assert_eq!(read.text("/tenantName"), "andina");
    // Nobody is signed in to another's account from elsewhere.
    let body = json!({ "email": ANA, "password": PASSWORD });
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = from_own_page(Request::new("POST", format!("{BASE}/auth/sign-in"))).set(name, value);
        stage.send(request.json(&body)).await.refused(403, "csrf_refused");
    }
    stage.send(good()).await.expect(200);
}

#[tokio::test]
async fn no_header_of_a_caller_makes_it_into_a_link_or_an_issuer() {
    let stage = Stage::start().await;
    let ana = stage.person(&stage.andina, ANA).await;
    let evil = "evil.example";
    let lies = |request: Request| {
        request
            .set("host", evil)
            .header("x-forwarded-host", evil)
            .header("x-host", evil)
            .header("x-original-url", "/api/meta-agent/tenants")
            .header("x-rewrite-url", "/api/meta-agent/tenants")
            .header("forwarded", format!("host={evil};proto=https"))
            .header("x-forwarded-proto", "http")
            .header("x-forwarded-prefix", "/evil.example")
    };
    let own = stage.andina.path("");
    for path in [
        "/openapi.json",
        "/docs",
        "/enroll",
        "/.well-known/jwks.json",
        "/health/ready",
        "/",
        "/docs/",
        "/sdk",
        &own,
    ] {
        let answer = stage.send(lies(ana.sends(Request::new("GET", path)))).await;
        let whole = answer.headers.iter().map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        let whole: Vec<String> = whole.chain([String::from_utf8_lossy(&answer.body).into_owned()]).collect();
        assert!(whole.iter().all(|text| !text.contains(evil)), "{path}: {}", answer.shown());
    }
    let answer = stage.send(lies(crate::stage::mint_request(&stage.andina))).await.expect(201);
    let claims = URL_SAFE_NO_PAD.decode(answer.text("/token").split('.').nth(1).unwrap()).unwrap();
    assert!(!String::from_utf8_lossy(&claims).contains(evil));
}
