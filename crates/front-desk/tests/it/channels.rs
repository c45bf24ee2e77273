//! Channel accounts, and what a program passes on.

use crate::support::{Answer, App, Tenant, Token};
use http::Method;
use misy_domain::Part;
use serde_json::{Value, from_value, json};

async fn account(app: &App, tenant: &Tenant) -> Answer {
    let body = json!({ "channel": "api", "name": "CRM", "callbackUrl": "https://crm.andina.example/misy" });
    app.manage(tenant, Method::POST, &tenant.path("/channels"), Some(&body)).await.expect(201)
}

/// A server's token that may write.
async fn server(app: &App, tenant: &Tenant) -> Token {
    app.server(tenant, json!({ "siteId": "main", "permissions": ["chat:read", "chat:write"] })).await
}

async fn pass_on(app: &App, token: &Token, account: &str, body: &Value) -> Answer {
    app.call(token, Method::POST, &format!("/channels/api/{account}/messages"), Some(body)).await
}

fn wrote(contact: &str, id: &str, text: &str) -> Value {
    json!({ "contactId": contact, "messageId": id, "text": text })
}

#[tokio::test]
async fn an_account_is_made_read_changed_and_disabled() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let made = account(&app, &andina).await;
    let id = made.text("accountId");
    assert!(id.starts_with("cha_"));
    assert!(made.text("secret").starts_with("whsec_"));
    assert_eq!(
        made.body["permissions"],
        json!(["agents:support", "agents:sales", "agents:booking", "agents:marketing"])
    );
    let path = andina.path(&format!("/channels/{id}"));
    let read = app.manage(&andina, Method::GET, &path, None).await.expect(200);
    assert!(read.body["secret"].is_null(), "shown once");
    assert_eq!(read.headers["etag"], "\"1\"");
    let list = app.manage(&andina, Method::GET, &andina.path("/channels"), None).await.expect(200);
    assert_eq!(list.body["items"][0]["accountId"], id);

    let change = json!({ "name": "ERP", "callbackUrl": "https://erp.andina.example/", "permissions": ["agents:sales"] });
    let changed = app.manage(&andina, Method::PATCH, &path, Some(&change)).await.expect(200);
    assert_eq!((changed.text("name"), changed.body["version"].as_i64()), ("ERP".to_owned(), Some(2)));
    let rotated = app
        .manage(&andina, Method::POST, &format!("{path}/secret"), Some(&json!({ "overlapSeconds": 60 })))
        .await
        .expect(201);
    assert_ne!(rotated.text("secret"), made.text("secret"));

    let token = server(&app, &andina).await;
    pass_on(&app, &token, &id, &wrote("a", "1", "Hola")).await.expect(202);
    let off =
        app.manage(&andina, Method::PATCH, &path, Some(&json!({ "status": "disabled" }))).await.expect(200);
    assert_eq!(off.text("status"), "disabled");
    pass_on(&app, &token, &id, &wrote("a", "2", "Hola")).await.refused(409, "conflict");
    pass_on(&app, &token, &id, &wrote("new", "3", "Hola")).await.refused(409, "conflict");
    app.manage(&andina, Method::PATCH, &path, Some(&json!({ "status": "active" }))).await.expect(200);
    pass_on(&app, &token, &id, &wrote("a", "2", "Hola")).await.expect(202);
}

#[tokio::test]
async fn what_an_account_is_made_of_is_checked() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    for (change, pointer) in [
        (json!({ "callbackUrl": "http://crm.andina.example/" }), "/callbackUrl"),
        (json!({ "callbackUrl": "ftp://crm.andina.example/" }), "/callbackUrl"),
        (json!({ "callbackUrl": "https://user:secret@crm.andina.example/" }), "/callbackUrl"),
        (json!({ "callbackUrl": "https://10.0.0.1/" }), "/callbackUrl"),
        (json!({ "callbackUrl": "https://169.254.169.254/latest/" }), "/callbackUrl"),
        (json!({ "callbackUrl": "https://[::ffff:192.168.0.1]/" }), "/callbackUrl"),
        (json!({ "callbackUrl": "nonsense" }), "/callbackUrl"),
        (json!({ "name": " " }), "/name"),
        (json!({ "permissions": ["tenant:manage"] }), "/permissions/0"),
        (json!({ "permissions": ["chat:write"] }), "/permissions/0"),
    ] {
        let mut body =
            json!({ "channel": "api", "name": "CRM", "callbackUrl": "https://crm.andina.example/" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = app.manage(&andina, Method::POST, &andina.path("/channels"), Some(&body)).await;
        assert_eq!(answer.refused(422, "validation_failed").body["errors"][0]["pointer"], pointer, "{body}");
    }
    let body = json!({ "channel": "email", "name": "W", "callbackUrl": "https://crm.andina.example/" });
    app.manage(&andina, Method::POST, &andina.path("/channels"), Some(&body))
        .await
        .refused(422, "not_supported");
}

#[tokio::test]
async fn what_a_program_passes_on_is_stored_once_in_order_and_answered_on_its_account() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let id = account(&app, &andina).await.text("accountId");
    let token = server(&app, &andina).await;
    let first = pass_on(&app, &token, &id, &wrote("customer-1", "m1", "Hola")).await.expect(202);
    assert_eq!(first.body["sequence"], 1);
    let again = pass_on(&app, &token, &id, &wrote("customer-1", "m1", "Hola")).await.expect(202);
    assert_eq!(again.body, first.body, "the same message again");
    for number in 2..=4 {
        let body = json!({ "contactId": "customer-1", "messageId": format!("m{number}"),
                           "parts": [{ "type": "text", "text": number.to_string() },
                                     { "type": "location", "latitude": 4.6, "longitude": -74.1 }],
                           "sentAt": "2026-11-20T10:00:00Z", "metadata": { "ticket": 9 } });
        let answer = pass_on(&app, &token, &id, &body).await.expect(202);
        assert_eq!(answer.body["sequence"], number);
    }
    // Somebody else has a conversation of their own.
    let other = pass_on(&app, &token, &id, &wrote("customer-2", "m9", "Hola")).await.expect(202);
    assert_eq!(other.body["sequence"], 1);

    let buttons: Part = from_value(json!({ "type": "buttons", "text": "¿Cuál?", "buttons": [
        { "id": "a", "title": "La primera" }, { "id": "b", "title": "La segunda" } ] }))
    .unwrap();
    assert_eq!(app.store.answer(&[buttons]).await.unwrap(), 2);
    let pressed =
        json!({ "contactId": "customer-1", "messageId": "m5", "action": { "type": "button", "id": "b" } });
    let answer = pass_on(&app, &token, &id, &pressed).await.expect(202);
    assert_eq!(answer.body["sequence"], 6, "four that were written, one that was answered");
    let nowhere =
        json!({ "contactId": "customer-1", "messageId": "m6", "action": { "type": "button", "id": "c" } });
    pass_on(&app, &token, &id, &nowhere).await.refused(422, "validation_failed");

    // Each answer waits to be delivered on the account that was written on, and nowhere else.
    let path = andina.path(&format!("/channels/{id}/deliveries"));
    let page = app.manage(&andina, Method::GET, &path, None).await.expect(200);
    let mut standing: Vec<_> = page.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["sequence"].as_i64().unwrap(), one["status"].as_str().unwrap(), one["attempts"] == 0))
        .collect();
    standing.sort_unstable();
    assert_eq!(standing, [(2, "queued", true), (5, "queued", true)]);
    let page = app.manage(&andina, Method::GET, &format!("{path}?limit=1"), None).await.expect(200);
    let rest = format!("{path}?cursor={}", page.text("nextCursor"));
    let rest = app.manage(&andina, Method::GET, &rest, None).await.expect(200);
    assert_eq!(rest.body["items"].as_array().unwrap().len(), 1);
    let nowhere = andina.path("/channels/cha_00000000000000000000000000/deliveries");
    app.manage(&andina, Method::GET, &nowhere, None).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_known_id_with_another_message_is_refused_and_leaves_nothing() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let id = account(&app, &andina).await.text("accountId");
    let token = server(&app, &andina).await;
    let first = pass_on(&app, &token, &id, &wrote("customer-1", "m1", "Hola")).await.expect(202);
    pass_on(&app, &token, &id, &wrote("customer-2", "m2", "Hola")).await.expect(202);
    for another in [
        wrote("customer-1", "m1", "Adiós"),
        wrote("customer-2", "m1", "Hola"),
        wrote("somebody-new", "m1", "Hola"),
        json!({ "contactId": "customer-1", "messageId": "m1",
                "parts": [{ "type": "text", "text": "Hola" }, { "type": "text", "text": "¿Hay alguien?" }] }),
    ] {
        pass_on(&app, &token, &id, &another).await.refused(409, "idempotency_mismatch");
    }
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let statement = "select (select count(*) from misy.contacts), (select count(*) from misy.conversations),
                            (select count(*) from misy.messages)";
    let left: (i64, i64, i64) = sqlx::query_as(statement).fetch_one(&mut admin).await.unwrap();
    assert_eq!(left, (2, 2, 2), "nobody without a message");
    // What is known about where it was written is no part of what it says.
    let mut again = wrote("customer-1", "m1", "Hola");
    again["metadata"] = json!({ "attempt": 2 });
    assert_eq!(pass_on(&app, &token, &id, &again).await.expect(202).body, first.body);
}

#[tokio::test]
async fn the_trail_says_where_deliveries_go_without_what_may_be_a_secret() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let body = json!({ "channel": "api", "name": "CRM",
                       "callbackUrl": "https://crm.andina.example/misy?token=s3cr3t-1" });
    let made = app.manage(&andina, Method::POST, &andina.path("/channels"), Some(&body)).await.expect(201);
    assert_eq!(made.text("callbackUrl"), "https://crm.andina.example/misy?token=s3cr3t-1");
    let change = json!({ "callbackUrl": "https://erp.andina.example/?key=s3cr3t-2" });
    let path = andina.path(&format!("/channels/{}", made.text("accountId")));
    app.manage(&andina, Method::PATCH, &path, Some(&change)).await.expect(200);
    let trail = andina.path(&format!("/audit?kind=change&subject={}", made.text("accountId")));
    let trail = app.manage(&andina, Method::GET, &trail, None).await.expect(200);
    let items = trail.body["items"].as_array().unwrap();
    let mut told: Vec<_> =
        items.iter().map(|one| one["detail"]["callbackUrl"].as_str().unwrap_or_default()).collect();
    told.sort_unstable();
    assert_eq!(told, ["https://crm.andina.example/misy", "https://erp.andina.example/"]);
    assert!(!trail.body.to_string().contains("s3cr3t"));
}

#[tokio::test]
async fn only_a_server_of_the_tenant_passes_on() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let id = account(&app, &andina).await.text("accountId");
    let body = wrote("customer-1", "m1", "Hola");
    let browser = app.browser(&andina).await;
    pass_on(&app, &browser, &id, &body).await.refused(403, "permission_denied");
    let theirs = server(&app, &verde).await;
    pass_on(&app, &theirs, &id, &body).await.refused(404, "not_found");
    let reader = app.server(&andina, json!({ "siteId": "main", "permissions": ["chat:read"] })).await;
    pass_on(&app, &reader, &id, &body).await.refused(403, "permission_denied");
    let ours = server(&app, &andina).await;
    for nowhere in ["cha_00000000000000000000000000", "con_00000000000000000000000000", "x"] {
        pass_on(&app, &ours, nowhere, &body).await.refused(404, "not_found");
    }
    let path = andina.path(&format!("/channels/{id}"));
    app.manage(&verde, Method::GET, &path, None).await.refused(404, "not_found");
    app.manage(&verde, Method::PATCH, &path, Some(&json!({ "status": "disabled" })))
        .await
        .refused(404, "not_found");
    app.manage(&verde, Method::POST, &format!("{path}/secret"), Some(&json!({})))
        .await
        .refused(404, "not_found");
    app.manage(&verde, Method::GET, &format!("{path}/deliveries"), None).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_is_passed_on_is_checked() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let id = account(&app, &andina).await.text("accountId");
    let token = server(&app, &andina).await;
    for (body, pointer) in [
        (json!({ "contactId": "a", "messageId": "1" }), "/text"),
        (json!({ "contactId": "a", "messageId": "1", "text": "a", "parts": [] }), "/text"),
        (json!({ "contactId": "", "messageId": "1", "text": "a" }), "/contactId"),
        (json!({ "contactId": "a", "messageId": "x".repeat(257), "text": "a" }), "/messageId"),
        (json!({ "contactId": "a", "messageId": "1", "text": " " }), "/text"),
        (json!({ "contactId": "a", "messageId": "1", "parts": [] }), "/parts"),
        (
            json!({ "contactId": "a", "messageId": "1", "parts": [{ "type": "buttons", "text": "a", "buttons": [] }] }),
            "/parts/0/type",
        ),
        (
            json!({ "contactId": "a", "messageId": "1", "parts": [{ "type": "text", "text": "a", "bold": true }] }),
            "/parts/0/bold",
        ),
        (json!({ "contactId": "a", "messageId": "1", "text": "a", "sentAt": "yesterday" }), "/sentAt"),
        (json!({ "contactId": "a", "messageId": "1", "text": "a", "metadata": [] }), "/metadata"),
        (json!({ "contactId": "a", "text": "a" }), "/messageId"),
        (
            json!({ "contactId": "a", "messageId": "1", "action": { "type": "button", "id": "x" } }),
            "/action/id",
        ),
    ] {
        let answer = pass_on(&app, &token, &id, &body).await.refused(422, "validation_failed");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{body}");
    }
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let contacts: i64 =
        sqlx::query_scalar("select count(*) from misy.contacts").fetch_one(&mut admin).await.unwrap();
    assert_eq!(contacts, 0, "nothing comes of what is refused");
}

#[tokio::test]
async fn a_suspended_tenant_and_a_used_up_quota_take_nothing() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let id = account(&app, &andina).await.text("accountId");
    let token = server(&app, &andina).await;
    let quota = json!({ "limits": [], "quotas": [{ "kind": "messages", "monthly": 1 }] });
    app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&quota)).await.expect(200);
    pass_on(&app, &token, &id, &wrote("a", "1", "Hola")).await.expect(202);
    pass_on(&app, &token, &id, &wrote("a", "2", "Hola")).await.refused(402, "quota_exceeded");
    pass_on(&app, &token, &id, &wrote("b", "3", "Hola")).await.refused(402, "quota_exceeded");
    pass_on(&app, &token, &id, &wrote("a", "1", "Hola")).await.expect(202);
    let suspend = json!({ "reason": "They have not paid for a year" });
    app.in_person(&owner, Method::POST, &andina.path("/suspend"), Some(&suspend)).await.expect(200);
    pass_on(&app, &token, &id, &wrote("a", "1", "Hola")).await.refused(403, "tenant_suspended");
}
