//! A number of WhatsApp: connected only by whom the vendor knows, and told of by the vendor alone.

use crate::support::{Answer, App, Tenant};
use axum::body::Body;
use http::{Method, Request};
use misy_domain::{Clock, Part};
use misy_egress::{Egress, EgressSettings};
use misy_front_desk::Settings;
use misy_testkit::graph::{Graph, Number, status, wrote};
use serde_json::{Value, json};
use std::time::Duration;

const CUSTOMER: &str = "15550002222";

pub(crate) async fn stage() -> (App, Graph, Tenant, Tenant) {
    let (app, graph, _, andina, verde) = stage_with(|_| {}).await;
    (app, graph, andina, verde)
}

/// The same with other settings, and with the owner.
pub(crate) async fn stage_with(change: impl FnOnce(&mut Settings)) -> (App, Graph, Tenant, Tenant, Tenant) {
    let graph = Graph::start().await.unwrap();
    let egress = Egress::new(EgressSettings { allow_loopback: true, ..EgressSettings::default() }).unwrap();
    let url = graph.url.clone();
    let app = App::with_egress_and(egress, |settings| {
        settings.graph_url = url;
        change(settings);
    })
    .await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    (app, graph, owner, andina, verde)
}

pub(crate) fn number(number: &Number) -> Value {
    json!({
        "channel": "whatsapp", "name": "Reception",
        "whatsapp": {
            "phoneNumberId": number.id, "businessAccountId": number.business, "accessToken": number.token,
            "appSecret": number.app_secret, "reopening": { "name": "we_have_an_answer", "language": "es_CO" },
        },
    })
}

pub(crate) async fn connect(app: &App, tenant: &Tenant, body: &Value) -> Answer {
    app.manage(tenant, Method::POST, &tenant.path("/channels"), Some(body)).await
}

/// The path of the webhook, without where it is.
pub(crate) fn path(account: &Answer) -> String {
    let url = account.body[account.text("channel")]["webhookUrl"].as_str().unwrap();
    url[url.find("/api/").unwrap()..].to_owned()
}

pub(crate) async fn tell(app: &App, path: &str, signature: Option<&str>, body: &str) -> Answer {
    let mut request =
        Request::post(path).header("host", crate::support::HOST).header("content-type", "application/json");
    request = request.header("content-length", body.len());
    if let Some(signature) = signature {
        request = request.header("x-hub-signature-256", signature);
    }
    app.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

/// The vendor tells something, signed.
pub(crate) async fn told(app: &App, graph: &Graph, path: &str, event: &Value) -> Answer {
    let (_, signature, body) = graph.told(event);
    tell(app, path, Some(&signature), &body).await
}

/// Everything that contacts said, oldest first.
pub(crate) async fn said(app: &App, tenant: &Tenant) -> Vec<(i64, Value, Value)> {
    let store = &app.store;
    let id = tenant.tenant_id();
    let keys = store.vault.keys(&store.database, &id).await.unwrap().unwrap();
    let mut admin = store.connect_as("postgres").await.unwrap();
    let conversations: Vec<String> = sqlx::query_scalar(
        "select conversation_id from misy.conversations where tenant_id = $1 order by created_at",
    )
    .bind(id.as_str())
    .fetch_all(&mut admin)
    .await
    .unwrap();
    let mut all = Vec::new();
    for conversation in conversations {
        let conversation = conversation.parse().unwrap();
        let messages = store.database.messages_since(&id, &keys, conversation, 0, 100).await.unwrap();
        all.extend(messages.into_iter().filter(|one| one.role == misy_domain::Role::Contact).map(|one| {
            (one.sequence, serde_json::to_value(&one.parts).unwrap(), one.metadata.unwrap_or_default())
        }));
    }
    all
}

pub(crate) fn text(words: &str) -> Value {
    json!([{ "type": "text", "text": words }])
}

#[tokio::test]
async fn a_number_is_connected_only_by_whom_the_vendor_knows_and_by_one_tenant() {
    let (app, graph, andina, verde) = stage().await;
    for (change, pointer) in [
        (json!({ "accessToken": "EAAsomebodyelse" }), "/whatsapp/accessToken"),
        (json!({ "appSecret": "guessed" }), "/whatsapp/appSecret"),
        (json!({ "phoneNumberId": "200000000000009" }), "/whatsapp/phoneNumberId"),
        (json!({ "businessAccountId": "100000000000009" }), "/whatsapp/businessAccountId"),
        (json!({ "phoneNumberId": "../me" }), "/whatsapp/phoneNumberId"),
        (json!({ "accessToken": "a b" }), "/whatsapp/accessToken"),
        (json!({ "reopening": { "name": "A B", "language": "es" } }), "/whatsapp/reopening/name"),
    ] {
        let mut body = number(graph.number());
        body["whatsapp"].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = connect(&app, &andina, &body).await.refused(422, "validation_failed");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer);
    }
    let made = connect(&app, &andina, &number(graph.number())).await.expect(201);
    assert!(made.body["secret"].is_null(), "the vendor signs");
    assert!(made.body["whatsapp"]["verifyToken"].is_string());
    let own = andina.path(&format!("/channels/{}", made.text("accountId")));
    let read = app.manage(&andina, Method::GET, &own, None).await.expect(200);
    let shown = read.body.to_string();
    assert!(read.body["whatsapp"]["verifyToken"].is_null(), "shown once");
    assert!(!shown.contains(&graph.number().token) && !shown.contains(&graph.number().app_secret));
    // Whoever else has the token all the same does not get what the first has.
    connect(&app, &verde, &number(graph.number())).await.refused(409, "conflict");
    app.manage(&verde, Method::GET, &own, None).await.refused(404, "not_found");

    let again = json!({ "whatsapp": { "accessToken": "EAAsomebodyelse" } });
    let refused =
        app.manage(&andina, Method::PATCH, &own, Some(&again)).await.refused(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["pointer"], "/whatsapp/accessToken");
    let again = json!({ "status": "active", "whatsapp": { "accessToken": graph.number().token } });
    app.manage(&andina, Method::PATCH, &own, Some(&again)).await.expect(200);
    let url = json!({ "callbackUrl": "https://crm.andina.example/" });
    app.manage(&andina, Method::PATCH, &own, Some(&url)).await.refused(422, "validation_failed");
}

#[tokio::test]
async fn the_vendor_says_whether_a_number_works_and_which_templates_it_has() {
    let (app, graph, andina, _) = stage().await;
    let made = connect(&app, &andina, &number(graph.number())).await.expect(201);
    let own = |what: &str| andina.path(&format!("/channels/{}/{what}", made.text("accountId")));
    let test = app.manage(&andina, Method::POST, &own("test"), None).await.expect(200);
    assert_eq!(test.body, json!({ "works": true }));

    let list = app.manage(&andina, Method::GET, &own("templates"), None).await.expect(200);
    let one = &list.body["items"][0];
    assert_eq!((&one["name"], &one["status"]), (&json!("we_have_an_answer"), &json!("APPROVED")));
    let template = |name: &str| {
        json!({ "name": name, "language": "es_CO", "category": "UTILITY",
                "components": [{ "type": "BODY", "text": "Su cita es mañana." }] })
    };
    let ask_for = async |body: &Value| app.manage(&andina, Method::POST, &own("templates"), Some(body)).await;
    let answer = ask_for(&template("your_visit")).await.expect(201);
    assert_eq!(answer.text("status"), "PENDING");
    ask_for(&template("we_have_an_answer")).await.refused(422, "validation_failed");
    ask_for(&template("A B")).await.refused(422, "validation_failed");
    let mut odd = template("your_visit");
    odd["components"] = json!([]);
    ask_for(&odd).await.refused(422, "validation_failed");

    // Somebody took the token back.
    let keys = app.store.vault.keys(&app.store.database, &andina.tenant_id()).await.unwrap().unwrap();
    let account = made.text("accountId").parse().unwrap();
    let mut tx = app.store.database.tenant("test", &andina.tenant_id()).await.unwrap();
    let channel = misy_domain::Channel::Whatsapp;
    let known =
        misy_store::channels::vendor_account(&mut tx, &keys, channel, account).await.unwrap().unwrap();
    let mut credentials = known.credentials;
    credentials.access_token = misy_domain::Secret::new("EAAover".to_owned());
    misy_store::channels::set_credentials(&mut tx, &keys, account, &credentials, &*app.store.entropy)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let test = app.manage(&andina, Method::POST, &own("test"), None).await.expect(200);
    assert_eq!(test.body, json!({ "works": false, "reason": "vendor_unauthorised", "code": 190 }));
    app.manage(&andina, Method::GET, &own("templates"), None).await.refused(422, "validation_failed");
}

#[tokio::test]
async fn the_vendor_confirms_the_address_with_the_token_of_the_account() {
    let (app, graph, andina, _) = stage().await;
    let made = connect(&app, &andina, &number(graph.number())).await.expect(201);
    let path = path(&made);
    let token = made.body["whatsapp"]["verifyToken"].as_str().unwrap();
    let ask = async |path: &str, token: &str| {
        let uri = format!("{path}?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444");
        let request = Request::get(uri).header("host", crate::support::HOST).body(Body::empty()).unwrap();
        app.open(request).await
    };
    let answer = ask(&path, token).await;
    assert_eq!(answer.status(), 200);
    let body = axum::body::to_bytes(answer.into_body(), 1_000).await.unwrap();
    assert_eq!(&body[..], b"1158201444");
    assert_eq!(ask(&path, "guessed").await.status(), 403);
    let nobody = path.replace(&made.text("accountId"), "cha_00000000000000000000000000");
    assert_eq!(ask(&nobody, token).await.status(), 404);
    assert_eq!(ask(&path.replace("/whatsapp/", "/web/"), token).await.status(), 404);
    assert_eq!(ask(&path.replace("/whatsapp/", "/email/"), token).await.status(), 404);
    assert_eq!(ask(&path.replace("/whatsapp/", "/instagram/"), token).await.status(), 404);
}

#[tokio::test]
async fn what_the_vendor_tells_is_stored_once_in_the_order_of_its_clock() {
    let (app, graph, andina, _) = stage().await;
    let path = path(&connect(&app, &andina, &number(graph.number())).await.expect(201));
    let now = app.store.clock.now();
    let before = now - Duration::from_mins(1);
    // The later one stands first, and one has letters that the vendor escapes.
    let event = graph.event(
        "messages",
        &[
            wrote(CUSTOMER, "wamid.2", "¿Tienen hora mañana? 😀", now),
            wrote(CUSTOMER, "wamid.1", "Hola", before),
        ],
    );
    for _ in 0..3 {
        told(&app, &graph, &path, &event).await.expect(200);
    }
    let (one, two) = (text("Hola"), text("¿Tienen hora mañana? 😀"));
    let all = said(&app, &andina).await;
    assert_eq!(all.iter().map(|(at, parts, _)| (*at, parts)).collect::<Vec<_>>(), [(1, &one), (2, &two)]);

    // A sticker, an answer to a message, and a kind that is not known yet.
    let mut other = wrote(CUSTOMER, "wamid.3", "Sí", now);
    other["context"] = json!({ "from": "15550001111", "id": "wamid.1" });
    let unknown = json!({ "from": CUSTOMER, "id": "wamid.4", "timestamp": now.as_second(), "type": "hologram", "hologram": {} });
    let picture = json!({ "from": CUSTOMER, "id": "wamid.5", "timestamp": now.as_second(), "type": "image",
                          "image": { "id": "301", "mime_type": "image/jpeg", "caption": "Mi diente" } });
    let thumb = json!({ "from": CUSTOMER, "id": "wamid.6", "timestamp": now.as_second(), "type": "reaction",
                        "reaction": { "message_id": "wamid.1", "emoji": "👍" } });
    told(&app, &graph, &path, &graph.event("messages", &[other, unknown, picture, thumb])).await.expect(200);
    let all = said(&app, &andina).await;
    assert_eq!(all.len(), 6);
    assert!(all[2].2["replyTo"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(all[3].1[0], json!({ "type": "unsupported", "kind": "hologram" }));
    assert_eq!(all[4].1[0], json!({ "type": "unsupported", "kind": "image", "text": "Mi diente" }));
    assert_eq!(all[4].2["files"][0]["id"], "301");
    assert_eq!((&all[5].1[0]["type"], &all[5].1[0]["emoji"]), (&json!("reaction"), &json!("👍")));
}

#[tokio::test]
async fn what_is_pressed_is_found_in_the_message_it_stood_in() {
    let (app, graph, andina, _) = stage().await;
    let path = path(&connect(&app, &andina, &number(graph.number())).await.expect(201));
    let now = app.store.clock.now();
    told(&app, &graph, &path, &graph.event("messages", &[wrote(CUSTOMER, "wamid.1", "Hola", now)]))
        .await
        .expect(200);
    let buttons: Part = serde_json::from_value(json!({ "type": "buttons", "text": "¿Cuál?", "buttons": [
        { "id": "a", "title": "La primera" }, { "id": "b", "title": "La segunda" } ] }))
    .unwrap();
    assert_eq!(app.store.answer(&[buttons]).await.unwrap(), 1);
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let message: String = sqlx::query_scalar("select message_id from misy.messages where role = 'agent'")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    let press = |id: &str, button: &str| {
        let reply = json!({ "id": format!("{message}/{button}"), "title": "Something else" });
        json!({ "from": CUSTOMER, "id": id, "timestamp": now.as_second().to_string(), "type": "interactive",
                "interactive": { "type": "button_reply", "button_reply": reply } })
    };
    told(&app, &graph, &path, &graph.event("messages", &[press("wamid.2", "b"), press("wamid.3", "zzz")]))
        .await
        .expect(200);
    let all = said(&app, &andina).await;
    assert_eq!(all[1].1, text("La segunda"), "what stood there, whatever comes back");
    assert_eq!(all[2].1, text("Something else"), "nothing of ours: what it says");
}

#[tokio::test]
async fn who_is_written_in_two_ways_is_one_contact() {
    let (app, graph, andina, _) = stage().await;
    let path = path(&connect(&app, &andina, &number(graph.number())).await.expect(201));
    let now = app.store.clock.now();
    let both = [wrote("551187654321", "wamid.1", "Oi", now), wrote("5511987654321", "wamid.2", "Oi", now)];
    told(&app, &graph, &path, &graph.event("messages", &both)).await.expect(200);
    let places: Vec<i64> = said(&app, &andina).await.iter().map(|(at, ..)| *at).collect();
    assert_eq!(places, [1, 2]);
}

#[tokio::test]
async fn only_the_secret_of_an_account_speaks_for_it() {
    let (app, graph, andina, verde) = stage().await;
    let path = path(&connect(&app, &andina, &number(graph.number())).await.expect(201));
    let now = app.store.clock.now();
    let event = graph.event("messages", &[wrote(CUSTOMER, "wamid.1", "Hola", now)]);
    let (_, signature, body) = graph.told(&event);
    tell(&app, &path, None, &body).await.refused(401, "signature_missing");
    tell(&app, &path, Some("sha256=00"), &body).await.refused(401, "signature_invalid");
    tell(&app, &path, Some(&signature), &body.replace("Hola", "Hole"))
        .await
        .refused(401, "signature_invalid");
    assert!(said(&app, &andina).await.is_empty());

    // Another tenant has a number of its own, and the secret of its own app. It signs a body that names the first one's number.
    let other = Graph::with(Number {
        id: "200000000000077".into(),
        app_secret: "theirs".into(),
        ..Number::default()
    })
    .await
    .unwrap();
    let keys = app.store.vault.keys(&app.store.database, &verde.tenant_id()).await.unwrap().unwrap();
    let account = app.store.number_of(&verde.tenant_id(), &keys, &other, None).await.unwrap();
    let theirs = format!("/api/meta-agent/channels/whatsapp/{account}/webhook");
    let (_, signature, body) = other.told(&event);
    tell(&app, &theirs, Some(&signature), &body).await.expect(200);
    assert!(said(&app, &andina).await.is_empty(), "a number is spoken for by its own secret alone");
    tell(&app, &path, Some(&signature), &body).await.refused(401, "signature_invalid");

    // What happened on a number counts wherever it is told, if its own secret signs it; of others nothing does.
    let mut mixed = event.clone();
    let more = other.event("messages", &[wrote(CUSTOMER, "wamid.9", "Buenas", now)])["entry"][0].clone();
    mixed["entry"].as_array_mut().unwrap().push(more);
    told(&app, &graph, &path, &mixed).await.expect(200);
    assert_eq!(said(&app, &andina).await.len(), 1);
    assert!(said(&app, &verde).await.is_empty());
}

#[tokio::test]
async fn while_a_secret_takes_over_both_count() {
    let (app, graph, andina, _) = stage().await;
    let made = connect(&app, &andina, &number(graph.number())).await.expect(201);
    let account = made.text("accountId").parse().unwrap();
    let keys = app.store.vault.keys(&app.store.database, &andina.tenant_id()).await.unwrap().unwrap();
    let mut tx = app.store.database.tenant("test", &andina.tenant_id()).await.unwrap();
    let channel = misy_domain::Channel::Whatsapp;
    let known =
        misy_store::channels::vendor_account(&mut tx, &keys, channel, account).await.unwrap().unwrap();
    let until = app.store.clock.now() + Duration::from_hours(1);
    let mut credentials = known.credentials;
    let new = misy_domain::Secret::new("the next one".to_owned());
    credentials.old_app_secret = Some((std::mem::replace(&mut credentials.app_secret, new), until));
    misy_store::channels::set_credentials(&mut tx, &keys, account, &credentials, &*app.store.entropy)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let event = graph.event("messages", &[wrote(CUSTOMER, "wamid.1", "Hola", app.store.clock.now())]);
    told(&app, &graph, &path(&made), &event).await.expect(200);
    assert_eq!(said(&app, &andina).await.len(), 1);
}

#[tokio::test]
async fn what_is_told_under_a_new_secret_of_a_shared_app_waits_until_each_account_has_it() {
    let (app, graph, andina, _) = stage().await;
    let path = path(&connect(&app, &andina, &number(graph.number())).await.expect(201));
    let old =
        Number { id: "200000000000088".into(), app_secret: "the one before".into(), ..Number::default() };
    let other = Graph::with(old).await.unwrap();
    let (store, tenant) = (&app.store, andina.tenant_id());
    let keys = store.vault.keys(&store.database, &tenant).await.unwrap().unwrap();
    let account = store.number_of(&tenant, &keys, &other, None).await.unwrap();
    // The vendor calls one address for the app, and signs with its new secret, which only one account has here.
    let now = store.clock.now();
    let mut event = graph.event("messages", &[wrote(CUSTOMER, "wamid.1", "uno", now)]);
    let of_other = other.event("messages", &[wrote(CUSTOMER, "wamid.2", "dos", now)]);
    event["entry"].as_array_mut().unwrap().push(of_other["entry"][0].clone());
    told(&app, &graph, &path, &event).await.refused(503, "unavailable");
    assert_eq!(said(&app, &andina).await.len(), 1, "what can be stored is stored");
    let mut tx = store.database.tenant("test", &tenant).await.unwrap();
    let channel = misy_domain::Channel::Whatsapp;
    let known =
        misy_store::channels::vendor_account(&mut tx, &keys, channel, account).await.unwrap().unwrap();
    let mut credentials = known.credentials;
    credentials.app_secret = misy_domain::Secret::new(graph.number().app_secret.clone());
    misy_store::channels::set_credentials(&mut tx, &keys, account, &credentials, &*store.entropy)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // The vendor sends it again, and nothing twice.
    for _ in 0..2 {
        told(&app, &graph, &path, &event).await.expect(200);
        assert_eq!(said(&app, &andina).await.len(), 2);
    }
}

#[tokio::test]
async fn a_paused_number_takes_messages_and_a_disabled_one_takes_none() {
    let (app, graph, andina, _) = stage().await;
    let made = connect(&app, &andina, &number(graph.number())).await.expect(201);
    let own = andina.path(&format!("/channels/{}", made.text("accountId")));
    let set = async |status: &str| {
        app.manage(&andina, Method::PATCH, &own, Some(&json!({ "status": status }))).await.expect(200);
    };
    let now = app.store.clock.now();
    set("paused").await;
    told(&app, &graph, &path(&made), &graph.event("messages", &[wrote(CUSTOMER, "wamid.1", "uno", now)]))
        .await
        .expect(200);
    assert_eq!(said(&app, &andina).await.len(), 1);
    set("disabled").await;
    told(&app, &graph, &path(&made), &graph.event("messages", &[wrote(CUSTOMER, "wamid.2", "dos", now)]))
        .await
        .expect(200);
    assert_eq!(said(&app, &andina).await.len(), 1);
    // The vendor finds fault with the account itself.
    set("active").await;
    told(&app, &graph, &path(&made), &graph.event("errors", &[json!({ "code": 131_031 })])).await.expect(200);
    let read = app.manage(&andina, Method::GET, &own, None).await.expect(200);
    assert_eq!(
        (read.text("status"), read.text("disabledReason")),
        ("paused".into(), "vendor_blocked".into())
    );
}

#[tokio::test]
async fn bodies_that_no_vendor_sends_do_no_harm() {
    let (app, graph, andina, _) = stage().await;
    let path = path(&connect(&app, &andina, &number(graph.number())).await.expect(201));
    let receipt = status(
        &json!({ "biz_opaque_callback_data": "dlv_00000000000000000000000000/0/1" }),
        "wamid.X",
        "read",
        None,
    );
    for event in [
        json!({}),
        json!([]),
        json!({ "object": "whatsapp_business_account", "entry": [{ "changes": [{}] }] }),
        graph.event("messages", &[json!({ "type": "text" }), json!(7)]),
        graph.event(
            "statuses",
            &[receipt, json!({ "id": "x", "status": "read", "biz_opaque_callback_data": "no/thing" })],
        ),
    ] {
        told(&app, &graph, &path, &event).await.expect(200);
    }
    let (_, signature, body) = graph.told(&graph.event("messages", &[]));
    tell(&app, &path, Some(&signature), &format!("{body} ")).await.refused(401, "signature_invalid");
    let huge = "x".repeat(5 << 20);
    tell(&app, &path, Some(&signature), &huge).await.refused(413, "body_too_large");
    assert!(said(&app, &andina).await.is_empty());
}

/// A text from each of so many who never wrote before.
fn strangers(graph: &Graph, app: &App, number: usize) -> Value {
    let now = app.store.clock.now();
    let one = |at| wrote(&format!("1555000{at:04}"), &format!("wamid.S{at}"), &format!("Hola {at}"), now);
    graph.event("messages", &(0..number).map(one).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_finished_by_being_sent_again() {
    let (app, graph, _, andina, _) = stage_with(|settings| settings.webhook_work = Duration::ZERO).await;
    let path = path(&connect(&app, &andina, &number(graph.number())).await.expect(201));
    let event = strangers(&graph, &app, 5);
    for stored in 1..5 {
        let answer = told(&app, &graph, &path, &event).await.refused(503, "unavailable");
        assert!(answer.headers.contains_key("retry-after"));
        assert_eq!(said(&app, &andina).await.len(), stored, "each time it gets further");
    }
    for _ in 0..2 {
        told(&app, &graph, &path, &event).await.expect(200);
        assert_eq!(said(&app, &andina).await.len(), 5);
    }
}

#[tokio::test]
async fn messages_beyond_the_limit_of_a_channel_wait_with_the_vendor_and_none_is_lost() {
    let (app, graph, owner, andina, _) = stage_with(|_| {}).await;
    let path = path(&connect(&app, &andina, &number(graph.number())).await.expect(201));
    let limits = json!({ "limits": [
        { "scope": "channel", "subject": "whatsapp", "requests": 3, "periodSeconds": 60 } ] });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&limits)).await.expect(200);
    let event = strangers(&graph, &app, 5);
    for _ in 0..3 {
        // What was stored does not count again.
        told(&app, &graph, &path, &event).await.refused(429, "rate_limited");
        assert_eq!(said(&app, &andina).await.len(), 3);
    }
    // Who writes on the site is not kept waiting by that.
    let visitor = app.browser(&andina).await;
    let session = app.session(&visitor).await;
    app.say(&visitor, &session, "Hola").await.expect(202);
    app.store.clock.advance(Duration::from_mins(1));
    told(&app, &graph, &path, &event).await.expect(200);
    told(&app, &graph, &path, &event).await.expect(200);
    assert_eq!(said(&app, &andina).await.len(), 5 + 1);
}

#[tokio::test]
async fn each_call_of_a_vendor_counts_as_one_of_the_tenant() {
    let (app, graph, owner, andina, _) = stage_with(|_| {}).await;
    let path = path(&connect(&app, &andina, &number(graph.number())).await.expect(201));
    let limits = json!({ "limits": [{ "scope": "tenant", "requests": 2, "periodSeconds": 60 }] });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&limits)).await.expect(200);
    let nothing = graph.event("messages", &[]);
    // Who cannot sign uses up nothing.
    for _ in 0..5 {
        tell(&app, &path, Some("sha256=00"), "{}").await.refused(401, "signature_invalid");
    }
    told(&app, &graph, &path, &nothing).await.expect(200);
    told(&app, &graph, &path, &nothing).await.expect(200);
    told(&app, &graph, &path, &nothing).await.refused(429, "rate_limited");
}
