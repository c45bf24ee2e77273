//! What a vendor's webhook is called with, by strangers and by a tenant that holds the secret of its own number.

use crate::{
    stage::{ROOT_KEY, Stage, Tenant},
    wire::{Answer, PATIENCE, Request, each},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use misy_domain::{Clock, Secret, SystemClock};
use misy_store::Vault;
use misy_testkit::{
    client::BASE,
    graph::{Graph, Number, wrote},
};
use misy_trust::{RootKey, SystemEntropy};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A number of a tenant: who knows its secret, and where it is called.
struct Line {
    graph: Graph,
    path: String,
}

impl Line {
    async fn of(stage: &Stage, tenant: &Tenant, id: &str) -> Self {
        let number = Number { id: id.into(), app_secret: format!("secret-of-{id}"), ..Number::default() };
        let graph = Graph::with(number).await.unwrap();
        let root = RootKey::new(Secret::new(BASE64.decode(ROOT_KEY).unwrap().try_into().unwrap()));
        let (vault, tenant) = (Vault::new(root, Arc::new(SystemEntropy::new())), tenant.id.parse().unwrap());
        let keys = vault.keys(&stage.store.database, &tenant).await.unwrap().unwrap();
        let account = stage.store.number_of(&tenant, &keys, &graph, None).await.unwrap();
        Self { graph, path: format!("{BASE}/channels/whatsapp/{account}/webhook") }
    }

    /// Strangers who write for the first time, each once.
    fn strangers(&self, from: usize, number: usize) -> Value {
        let now = SystemClock.now();
        let one = |at| wrote(&format!("1555{at:07}"), &format!("wamid.{at}"), "Hola", now);
        self.graph.event("messages", &(from..from + number).map(one).collect::<Vec<_>>())
    }

    fn signed(&self, event: &Value) -> Request {
        let (name, signature, body) = self.graph.told(event);
        self.post(body).header(name, signature)
    }

    fn post(&self, body: impl Into<Vec<u8>>) -> Request {
        Request::new("POST", &self.path).header("content-type", "application/json").body(body)
    }

    /// Sends it as often as a vendor does, until everything is durable; says how often that was.
    async fn tell(&self, stage: &Stage, event: &Value) -> usize {
        let request = self.signed(event);
        let told = async {
            for times in 1.. {
                let answer = stage.send(request.clone()).await;
                if answer.status == 200 {
                    return times;
                }
                answer.refused(503, "unavailable");
            }
            0
        };
        timeout(PATIENCE * 4, told).await.expect("the body comes to its end")
    }
}

async fn stored(stage: &Stage, tenant: &Tenant) -> i64 {
    stage.count(&format!("select count(*) from misy.messages where tenant_id = '{}'", tenant.id)).await
}

#[tokio::test]
async fn nobody_but_the_vendor_tells_anything_and_it_tells_once() {
    let stage = Stage::start().await;
    let andina = Line::of(&stage, &stage.andina, "200000000000001").await;
    let verde = Line::of(&stage, &stage.verde, "200000000000002").await;
    let event = andina.strangers(0, 1);
    let (name, good, body) = andina.graph.told(&event);
    let (_, foreign, _) = verde.graph.told(&event);
    let huge = "x".repeat(5 << 20);
    let forged = [
        (andina.post(body.clone()), 401, "signature_missing"),
        (andina.post(body.clone()).header(name, ""), 401, "signature_invalid"),
        (andina.post(body.clone()).header(name, "sha256="), 401, "signature_invalid"),
        (andina.post(body.clone()).header(name, good.to_uppercase()), 401, "signature_invalid"),
        (andina.post(body.clone()).header(name, &foreign), 401, "signature_invalid"),
        (andina.post(body.clone()).header(name, &good).header(name, &good), 400, "bad_request"),
        (andina.post(format!("{body} ")).header(name, &good), 401, "signature_invalid"),
        (andina.post(huge).header(name, &good), 413, "body_too_large"),
        // The address of one number, signed for another.
        (verde.post(body.clone()).header(name, &good), 401, "signature_invalid"),
        (
            andina.post(body.clone()).header(name, &good).header("content-encoding", "gzip"),
            415,
            "unsupported_media_type",
        ),
    ];
    for (request, status, code) in forged {
        stage.send(request).await.refused(status, code);
    }
    let nobody =
        Request::new("POST", andina.path.replace("cha_", "cha_0")).body(body.clone()).header(name, &good);
    stage.send(nobody).await.refused(404, "not_found");
    assert_eq!(stored(&stage, &stage.andina).await, 0);
    // Caught and sent again, at once and later.
    let request = andina.signed(&event);
    each(&[(); 20], 10, async |()| {
        let answer: Answer = stage.send(request.clone()).await;
        assert!([200, 503].contains(&answer.status), "{}", answer.shown());
    })
    .await;
    stage.send(request).await.expect(200);
    let contacts = "select count(*) from misy.contacts where tenant_id = 'andina'";
    let written = "select count(*) from misy.messages where tenant_id = 'andina' and role = 'contact'";
    assert_eq!((stage.count(written).await, stage.count(contacts).await), (1, 1));
    assert_eq!(stored(&stage, &stage.verde).await, 0);
}

#[tokio::test]
async fn a_tenant_speaks_for_no_number_but_its_own_and_no_body_of_it_does_harm() {
    let stage = Stage::start().await;
    let andina = Line::of(&stage, &stage.andina, "200000000000001").await;
    let verde = Line::of(&stage, &stage.verde, "200000000000002").await;
    // Its own number, one of another tenant, and eight thousand that are nobody's, in one body.
    let mut mixed = andina.strangers(0, 1);
    let entries = mixed["entry"].as_array_mut().unwrap();
    entries.push(verde.strangers(100, 1)["entry"][0].clone());
    for number in 0..8_000 {
        let value = json!({ "metadata": { "phone_number_id": format!("3{number:014}") },
                            "messages": [wrote("1", &format!("wamid.x{number}"), "x", SystemClock.now())] });
        entries.push(json!({ "changes": [{ "field": "messages", "value": value }] }));
    }
    stage.send(andina.signed(&mixed)).await.expect(200);
    let written = |tenant: &str| {
        format!("select count(*) from misy.messages where tenant_id = '{tenant}' and role = 'contact'")
    };
    assert_eq!(stage.count(&written("andina")).await, 1);
    assert_eq!(stage.count(&written("verde-cafe")).await, 0);
    // Deep, wide, odd: whoever signs it hears that it was taken, and nothing comes of it.
    let deep = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let many: Vec<String> = (0..200_000).map(|number| format!("\"k{number}\":{number}")).collect();
    // Each message would be looked for among all contacts.
    let value = format!(
        "{{\"metadata\":{{\"phone_number_id\":\"{}\"}},\"messages\":[{}{{}}],\"contacts\":[{}{{}}]}}",
        andina.graph.number().id,
        "{},".repeat(600_000),
        "{},".repeat(600_000),
    );
    let crossed = format!(
        "{{\"object\":\"whatsapp_business_account\",\"entry\":[{{\"changes\":[{{\"field\":\"messages\",\"value\":{value}}}]}}]}}"
    );
    for body in [
        crossed,
        deep(100_000),
        "[".repeat(1_000_000),
        format!("{{{}}}", many.join(",")),
        format!("{{\"object\":{}}}", "9".repeat(1_000_000)),
        "\u{0}".to_owned(),
        String::from("{\"object\":\"whatsapp_business_account\",\"entry\":")
            + &"[".repeat(120)
            + &"]".repeat(120)
            + "}",
    ] {
        let (name, signature) = andina.graph.signature(&body);
        let request = andina.post(body).header(name, signature);
        stage.send(request).await.expect(200);
    }
    assert_eq!(stage.count(&written("andina")).await, 1);
    // A body that does not arrive: its time ends, and others are served meanwhile.
    let mut slow = TcpStream::connect(stage.wire.address).await.unwrap();
    let request = andina.signed(&andina.strangers(1, 1)).bytes();
    slow.write_all(&request[..request.len() - 1]).await.unwrap();
    assert_eq!(verde.tell(&stage, &verde.strangers(100, 1)).await, 1);
    let mut answer = Vec::new();
    timeout(PATIENCE, slow.read_to_end(&mut answer)).await.expect("its time ends").unwrap();
    assert!(String::from_utf8_lossy(&answer).contains(" 408 "), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_thousand_first_messages_and_a_flood_keep_no_other_tenant_waiting() {
    let stage = Stage::start().await;
    let andina = Line::of(&stage, &stage.andina, "200000000000001").await;
    let verde = Line::of(&stage, &stage.verde, "200000000000002").await;
    let visitor = stage.browser(&stage.verde).await;
    let session = stage.session(&visitor).await;
    // A thousand in one body, and more bodies at once than a tenant has connections.
    let bodies: Vec<Value> = std::iter::once(andina.strangers(0, 1_000))
        .chain((0..30).map(|body| andina.strangers(10_000 + body * 10, 10)))
        .collect();
    let flood = each(&bodies, 31, async |body| {
        andina.tell(&stage, body).await;
    });
    let others = async {
        for number in 0..20 {
            stage.say(&visitor, &session, "hola").await.expect(202);
            stage.send(verde.signed(&verde.strangers(500_000 + number, 1))).await.expect(200);
        }
    };
    tokio::join!(flood, others);
    let written = "select count(*) from misy.messages where tenant_id = 'andina' and role = 'contact'";
    assert_eq!(stage.count(written).await, 1_300, "each once");
    // What is beyond the limit of the channel waits with the vendor.
    let limits = json!({ "limits": [
        { "scope": "channel", "subject": "whatsapp", "requests": 10, "periodSeconds": 86_400 } ] });
    stage.govern("PUT", &stage.andina.path("/limits"), &limits).await.expect(200);
    let more = andina.signed(&andina.strangers(900_000, 50));
    for _ in 0..2 {
        stage.send(more.clone()).await.refused(429, "rate_limited");
        assert_eq!(stage.count(written).await, 1_310);
    }
    stage.send(verde.signed(&verde.strangers(600_000, 1))).await.expect(200);
}
