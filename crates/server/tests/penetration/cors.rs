//! Cross-origin requests from every page but the right one.

use crate::{
    stage::{Stage, mint_request},
    wire::{Answer, Request, each},
};
use misy_testkit::client::BASE;
use serde_json::json;

/// Origins that resemble `https://andina.example`, the only one that the site lists.
const HOSTILE: &[&str] = &[
    "",
    "null",
    "*",
    "undefined",
    "https://",
    "http://",
    "://",
    "/",
    "andina.example",
    "//andina.example",
    "https:andina.example",
    "https:/andina.example",
    "https:///andina.example",
    "https:\\\\andina.example",
    // Scheme.
    "http://andina.example",
    "HTTPS://andina.example",
    "Https://andina.example",
    "wss://andina.example",
    "ftp://andina.example",
    "file://andina.example",
    "file://",
    "data:text/html,x",
    "blob:https://andina.example",
    "javascript://andina.example",
    "chrome-extension://abcdefghijklmnop",
    "moz-extension://abc",
    "about:blank",
    "view-source:https://andina.example",
    "capacitor://andina.example",
    "app://andina.example",
    "xhttps://andina.example",
    // Suffix, prefix, neighbours.
    "https://evil.example",
    "https://andina.example.evil.example",
    "https://evilandina.example",
    "https://evil-andina.example",
    "https://www.andina.example",
    "https://sub.sub.andina.example",
    "https://andina.examples",
    "https://andina.exampl",
    "https://ndina.example",
    "https://andina",
    "https://example",
    "https://andina-example",
    "https://andina_example",
    "https://andinaXexample",
    "https://andina.example.",
    "https://.andina.example",
    "https://andina..example",
    "https://*.andina.example",
    "https://*.example",
    // Case and spelling.
    "https://Andina.example",
    "https://ANDINA.EXAMPLE",
    "https://andina.EXAMPLE",
    "https://andin\u{e1}.example",
    "https://\u{430}ndina.example",
    "https://andina\u{3002}example",
    "https://andina\u{ff0e}example",
    "https://andina\u{2024}example",
    "https://xn--andina-9va.example",
    "https://xn--ndina-7fa.example",
    "https://andina.example\u{200b}",
    "https://\u{ff41}ndina.example",
    "https://andina%2eexample",
    "https://%61ndina.example",
    "https://andina.example%00",
    "https://andina.example%20",
    "https://andina.example%0d%0a",
    // Ports.
    "https://andina.example:443",
    "https://andina.example:8443",
    "https://andina.example:0443",
    "https://andina.example:",
    "https://andina.example:0",
    "https://andina.example:99999",
    "https://andina.example:80",
    // What does not belong to an origin.
    "https://andina.example/",
    "https://andina.example/x",
    "https://andina.example?",
    "https://andina.example#",
    "https://andina.example@evil.example",
    "https://evil.example@andina.example",
    "https://andina.example:x@evil.example",
    "https://evil.example#https://andina.example",
    "https://evil.example?https://andina.example",
    "https://evil.example\\@andina.example",
    "https://evil.example,https://andina.example",
    "https://andina.example, https://evil.example",
    "https://andina.example https://evil.example",
    "https://andina.example\thttps://evil.example",
    "\"https://andina.example\"",
    "'https://andina.example'",
    "<https://andina.example>",
    "https://andina.example;",
    "https://andina.example|",
    "https://andina.example`",
    "https://[andina.example]",
    "https://andina.example}",
    // Addresses.
    "https://127.0.0.1",
    "http://127.0.0.1",
    "http://localhost",
    "http://localhost:8787",
    "https://[::1]",
    "http://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://2130706433",
    "https://0x7f000001",
    "https://0",
    "https://[fe80::1%25eth0]",
    // The installation itself is no site.
    "https://api.misy.example",
];

fn hostile_origins() -> Vec<Vec<u8>> {
    let mut origins: Vec<Vec<u8>> = HOSTILE.iter().map(|text| text.as_bytes().to_vec()).collect();
    origins.push(format!("https://{}.andina.example", "a".repeat(5_000)).into_bytes());
    origins.push(format!("https://{}andina.example", "a.".repeat(2_000)).into_bytes());
    origins.push(b"https://andina.example\xff".to_vec());
    origins.push(b"https://andina\xe3\x80\x82example".to_vec());
    origins
}

fn allows(answer: &Answer) -> bool {
    answer.headers.iter().any(|(name, _)| name.starts_with("access-control-allow"))
}

fn preflight(origin: &[u8]) -> Request {
    Request::new("OPTIONS", format!("{BASE}/messages"))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,x-misy-signature")
}

#[tokio::test]
async fn no_origin_but_the_one_that_is_listed_is_allowed_anything() {
    let stage = Stage::start().await;
    let token = stage.browser(&stage.andina).await;
    let session = stage.session(&token).await;
    let origins = hostile_origins();
    assert!(origins.len() > 100);
    each(&origins, 8, async |origin| {
        let shown = String::from_utf8_lossy(origin);
        let asked = stage.send(preflight(origin)).await;
        assert!(!allows(&asked), "preflight of {shown}: {:?}", asked.headers);
        let open = Request::new("POST", format!("{BASE}/sessions")).json(&json!({ "channel": "web" }));
        let read = Request::new("GET", format!("{BASE}/sessions/{session}"));
        let requests = [
            token.sign(open).set("origin", origin),
            token.sign(read).set("origin", origin),
            mint_request(&stage.andina).set("origin", origin),
        ];
        for request in requests {
            let answer = stage.send(request).await;
            assert!([400, 403, 431].contains(&answer.status), "{shown}: {}", answer.shown());
            assert!(!allows(&answer), "{shown}: {:?}", answer.headers);
        }
        // Calls that browsers make without asking before.
        for path in
            ["/health/live", "/openapi.json", "/docs", "/enroll", &*format!("{BASE}/auth/me"), "/nowhere"]
        {
            let answer = stage.send(Request::new("GET", path).header("origin", origin)).await;
            assert!(!allows(&answer), "{path} from {shown}: {:?}", answer.headers);
        }
    })
    .await;
}

#[tokio::test]
async fn the_origin_that_is_listed_is_allowed_itself_and_nothing_more() {
    let stage = Stage::start().await;
    let answer = stage.send(preflight(stage.andina.origin.as_bytes())).await.expect(204);
    assert_eq!(answer.header("access-control-allow-origin").as_ref(), Some(&stage.andina.origin));
    assert!(answer.header("vary").unwrap().contains("Origin"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    for (name, value) in &answer.headers {
        assert!(!value.contains(&b'*'), "{name}");
    }
    // Two at once, or of several sites.
    let (andina, verde) = (stage.andina.origin.clone(), stage.verde.origin.clone());
    for origins in [[&andina, &verde], [&andina, &andina]] {
        let asked = preflight(origins[0].as_bytes()).header("origin", origins[1]);
        assert!(!allows(&stage.send(asked).await), "{origins:?}");
    }
    // A known site of another tenant may ask, and is refused by the token.
    let token = stage.browser(&stage.andina).await;
    let open = Request::new("POST", format!("{BASE}/sessions")).json(&json!({ "channel": "web" }));
    stage.send(token.sign(open).set("origin", &verde)).await.refused(403, "origin_not_allowed");
    // What is for everybody is read without anybody's credentials.
    let keys = Request::new("GET", "/.well-known/jwks.json").header("origin", "https://evil.example");
    let answer = stage.send(keys).await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin").as_deref(), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

/// Where the console's cookie counts, no page of elsewhere reads the answer, a listed site included.
#[tokio::test]
async fn no_site_reads_with_the_cookie_of_the_console() {
    let stage = Stage::start().await;
    let person = stage.person(&stage.andina, "ana@business.example").await;
    for origin in [&*stage.andina.origin, &*stage.verde.origin, "https://evil.example", "null"] {
        for path in [format!("{BASE}/auth/me"), stage.andina.path(""), stage.andina.path("/keys")] {
            let request = person.sends(Request::new("GET", path)).set("origin", origin);
            let answer = stage.send(request.set("sec-fetch-site", "cross-site")).await;
            assert_eq!(answer.header("access-control-allow-credentials"), None, "{origin}");
        }
        let write =
            person.sends(Request::new("PATCH", stage.andina.path("")).json(&json!({ "tenantName": "x" })));
        stage
            .send(write.set("origin", origin).set("sec-fetch-site", "cross-site"))
            .await
            .refused(403, "csrf_refused");
    }
}
