//! Addresses that callers name: nothing inside is ever asked, and none is called while it is only written down.

use crate::{
    description::{Callers, Ids, operations},
    stage::{Stage, registration},
    wire::{Request, each},
};
use misy_testkit::client::BASE;
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::net::TcpListener;

/// A server inside that should never hear from the program.
async fn trap() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    (port, calls)
}

fn addresses(port: u16) -> Vec<String> {
    let hosts = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.1",
        "0",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "127.0.0.1.nip.io",
        "user:password@127.0.0.1",
        "evil.example@127.0.0.1",
        "127.0.0.1#@evil.example",
        "127.0.0.1%2f",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "[fe80::1%25lo]",
        "[fc00::1]",
    ];
    let mut all: Vec<String> = hosts
        .iter()
        .flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:{port}/")))
        .collect();
    let elsewhere = [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://metadata.google.internal/",
        "http://10.0.0.1/",
        "http://192.168.0.1/",
        "http://172.16.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_INFO",
        "ftp://127.0.0.1/",
        "dict://127.0.0.1:11211/",
        "ldap://127.0.0.1/",
        "jar:http://127.0.0.1!/",
        "data:text/plain,x",
        "javascript:alert(1)",
        "//127.0.0.1/",
        "http:\\\\127.0.0.1\\",
        "unix:/run/postgresql",
        "http://",
        "about:blank",
    ];
    all.extend(elsewhere.map(str::to_owned));
    all
}

#[tokio::test]
async fn what_takes_an_address_calls_nobody() {
    let stage = Stage::start().await;
    let (port, calls) = trap().await;
    let mut callers = Callers::of(&stage, &stage.andina).await;
    callers.person = Some(stage.person(&stage.owner, "olga@colombiatic.example").await);
    let ids = Ids::default().with("tenantId", "andina").with("siteId", "main");
    // Members that take addresses, by their names: those of operations to come are among them.
    let takes = |name: &str| {
        let name = name.to_lowercase();
        [
            "url", "uri", "origin", "issuer", "endpoint", "host", "webhook", "callback", "redirect", "link",
            "avatar", "logo",
        ]
        .iter()
        .any(|word| name.contains(word))
    };
    let mut places = Vec::new();
    for operation in operations(&stage).await {
        for (name, sample) in operation.members.clone() {
            if takes(&name) {
                places.push((operation.clone(), name, sample.is_array()));
            }
        }
    }
    assert!(places.len() >= 8, "{}", places.len());
    each(&places, 4, async |(operation, name, is_list)| {
        for address in addresses(port) {
            let mut body = operation.good_body(&ids).unwrap();
            body[name] = if *is_list { json!([address]) } else { json!(address) };
            if body.get("siteId").is_some() && operation.id == "createSite" {
                body["siteId"] = json!("other-site");
            }
            let request = callers.prove(operation, operation.request(operation.fill(&ids), Some(&body)));
            let answer = stage.send(request).await;
            assert!(answer.status < 500, "{} {name} {address}: {}", operation.id, answer.shown());
            let text = String::from_utf8_lossy(&answer.body);
            assert!(
                !text.contains("root:x:") && !text.contains("redis_version"),
                "{} {name} {address}",
                operation.id
            );
        }
    })
    .await;
    assert_eq!(calls.load(Ordering::Relaxed), 0, "something inside was called");
    stage.is_well().await;
}

#[tokio::test]
async fn a_web_page_of_a_business_is_one_that_a_browser_can_open() {
    let stage = Stage::start().await;
    for address in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "gopher://127.0.0.1/",
        "ftp://shop.example",
        "shop.example",
        "//shop.example",
        "https://",
        "https://user:password@shop.example",
        "https://shop.example\r\nx: y",
        "https://shop.example:99999",
        "https://[::ffff:127.0.0.1]",
        "http://169.254.169.254/",
        "http://10.0.0.1/",
        "https://①②⑦.⓪.⓪.①",
        "https://shop_example",
    ] {
        let mut body = registration("some-shop");
        body["websiteUrl"] = json!(address);
        let request = Request::new("POST", format!("{BASE}/tenants/register")).json(&body);
        stage.send(request).await.refused(422, "validation_failed");
        let change = json!({ "websiteUrl": address });
        let answer = stage.manage(&stage.andina, "PATCH", &stage.andina.path(""), Some(&change)).await;
        assert_eq!(answer.status, 422, "{address}: {}", answer.shown());
    }
}
