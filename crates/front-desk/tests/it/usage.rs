//! Monthly quotas, usage and what it costs.

use crate::support::{Answer, App, put};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn quota(
    app: &App,
    owner: &crate::support::Tenant,
    andina: &crate::support::Tenant,
    monthly: i64,
) -> Answer {
    let body = json!({ "limits": [], "quotas": [{ "kind": "messages", "monthly": monthly }] });
    app.manage(owner, Method::PUT, &andina.path("/limits"), Some(&body)).await.expect(200)
}

#[tokio::test]
async fn a_message_beyond_the_quota_is_refused_with_what_is_used_up_and_until_when() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    quota(&app, &owner, &andina, 2).await;
    for id in ["a", "b", "b"] {
        let body = json!({ "sessionId": session, "clientMessageId": id, "text": "Hola" });
        app.call(&token, Method::POST, "/messages", Some(&body)).await.expect(202);
    }
    let refused = app.say(&token, &session, "Hola").await.refused(402, "quota_exceeded");
    assert_eq!(
        refused.body["quota"],
        json!({ "kind": "messages", "limit": 2, "resetsAt": "2026-10-01T00:00:00Z" })
    );
    assert!(refused.text("detail").contains("2 messages a month"), "{}", refused.body);
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 60);
    // It can be read all the same, and what was stored is answered again.
    app.call(&token, Method::GET, &format!("/sessions/{session}/messages"), None).await.expect(200);
    let again = json!({ "sessionId": session, "clientMessageId": "a", "text": "Hola" });
    let again = app.call(&token, Method::POST, "/messages", Some(&again)).await.expect(202);
    assert_eq!(again.body["sequence"], 1);

    let raised = quota(&app, &owner, &andina, 3).await;
    assert_eq!(raised.body["quotas"], json!([{ "kind": "messages", "monthly": 3 }]));
    let standing = &raised.body["quotasInForce"][0];
    assert_eq!((&standing["monthly"], &standing["used"]), (&json!(3), &json!(2)));
    app.say(&token, &session, "Hola").await.expect(202);
    app.say(&token, &session, "Hola").await.refused(402, "quota_exceeded");
    // Limits without quotas leave the quotas as they are; another plan has another quota.
    let limits = json!({ "limits": [] });
    let left = app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&limits)).await.expect(200);
    assert_eq!(left.body["quotas"][0]["monthly"], 3);
    let none = json!({ "limits": [], "quotas": [] });
    app.manage(&andina, Method::PUT, &andina.path("/limits"), Some(&none))
        .await
        .refused(403, "permission_denied");
    let plan = app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&none)).await.expect(200);
    assert_eq!(plan.body["quotasInForce"][0]["monthly"], 5_000);
    app.say(&token, &session, "Hola").await.expect(202);
    for quotas in [
        json!([{ "kind": "messages", "monthly": -1 }]),
        json!([{ "kind": "messages", "monthly": 1 }, { "kind": "messages", "monthly": 2 }]),
    ] {
        let body = json!({ "limits": [], "quotas": quotas });
        app.manage(&owner, Method::PUT, &andina.path("/limits"), Some(&body))
            .await
            .refused(422, "validation_failed");
    }
}

#[tokio::test]
async fn usage_is_told_by_day_key_site_and_channel_as_json_and_csv() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let second = json!({ "siteId": "main", "name": "=1+1" });
    let second = app.manage(&andina, Method::POST, &andina.path("/keys"), Some(&second)).await.expect(201);
    let visitor = app.browser(&andina).await;
    let session = app.session(&visitor).await;
    for _ in 0..3 {
        app.say(&visitor, &session, "Hola").await.expect(202);
    }
    let mut request = app.mint_request(&andina, &json!({ "siteId": "main" }));
    put(&mut request, "x-api-key", &second.text("key"));
    let minted = app.send(request).await.expect(201);
    let other = crate::support::Token::of(&minted.body, None, Some(andina.origin.clone()));
    let session = app.session(&other).await;
    app.advance(Duration::from_hours(12));
    app.say(&other, &session, "Hola").await.expect(202);

    let read = async |query: &str| {
        let path = andina.path(&format!("/usage?{query}"));
        app.manage(&andina, Method::GET, &path, None).await
    };
    let item = |group: &str, amount: i64| json!({ "group": group, "kind": "messages", "amount": amount, "events": amount });
    let by_day = read("").await.expect(200);
    assert_eq!(by_day.body["items"], json!([item("2026-09-21", 3), item("2026-09-22", 1)]));
    let by_key = read("groupBy=key").await.expect(200);
    let rows = by_key.body["items"].as_array().unwrap();
    let of_second = |row: &&Value| row["group"] == second.body["keyId"];
    assert_eq!(rows.iter().find(of_second).unwrap()["amount"], 1);
    assert_eq!(rows.iter().find(|row| !of_second(row)).unwrap()["amount"], 3);
    assert_eq!(read("groupBy=site").await.expect(200).body["items"], json!([item("main", 4)]));
    assert_eq!(read("groupBy=channel").await.expect(200).body["items"], json!([item("web", 4)]));
    let page = read("limit=1").await.expect(200);
    let cursor = page.text("nextCursor");
    let rest = read(&format!("limit=1&cursor={cursor}")).await.expect(200);
    assert_eq!(rest.body, json!({ "items": [item("2026-09-22", 1)], "nextCursor": null }));
    let narrow = read("from=2026-09-22&to=2026-09-23").await.expect(200);
    assert_eq!(narrow.body["items"], json!([item("2026-09-22", 1)]));
    for bad in
        ["from=x", "to=2026-09-01&from=2026-09-02", "from=2020-01-01", "groupBy=x", "limit=0", "cursor=x"]
    {
        let answer = read(bad).await;
        assert!([400, 422].contains(&answer.status.as_u16()), "{bad}: {}", answer.body);
    }

    for (query, accept) in [("format=csv", None), ("", Some("text/csv"))] {
        let path = andina.path(&format!("/usage?{query}"));
        let mut request = crate::support::bare(Method::GET, &path, None);
        if let Some(accept) = accept {
            put(&mut request, "accept", accept);
        }
        let response = app.open(crate::support::with_bearer(request, &andina.administrator)).await;
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let expected = "day,kind,amount,events\r\n2026-09-21,messages,3,3\r\n2026-09-22,messages,1,1\r\n";
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }
}

#[tokio::test]
async fn an_invoice_adds_up_a_month_and_refusals_are_counted_by_reason() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    app.say(&token, &session, "Hola").await.expect(202);
    quota(&app, &owner, &andina, 1).await;
    app.say(&token, &session, "Hola").await.refused(402, "quota_exceeded");
    app.say(&token, &session, "Hola").await.refused(402, "quota_exceeded");
    let plan = json!({ "plan": "ENTERPRISE" });
    app.manage(&owner, Method::PATCH, &andina.path(""), Some(&plan)).await.expect(200);
    let read = async |query: &str| {
        app.manage(&andina, Method::GET, &andina.path(&format!("/usage/invoice{query}")), None).await
    };
    let invoice = read("").await.expect(200);
    assert_eq!((invoice.text("month"), invoice.text("total")), ("2026-09".to_owned(), "990.00".to_owned()));
    assert_eq!((&invoice.body["isFinal"], &invoice.body["lines"][1]["quantity"]), (&json!(false), &json!(1)));
    assert_eq!(read("?month=2026-08").await.expect(200).body["isFinal"], true);
    for month in ["2026-10", "2026-13", "2026", "2026-09-01"] {
        read(&format!("?month={month}")).await.refused(422, "validation_failed");
    }
    app.manage(&owner, Method::GET, &andina.path("/usage/invoice"), None).await.expect(200);

    app.desk.shutdown().await;
    let told = app.manage(&andina, Method::GET, &andina.path("/usage/refusals"), None).await.expect(200);
    let rows = told.body["items"].as_array().unwrap();
    let of = |reason: &str| rows.iter().find(|row| row["reason"] == reason).map(|row| row["count"].clone());
    assert_eq!(of("quota_exceeded"), Some(json!(2)));
    assert_eq!(of("validation_failed"), Some(json!(4)));
}
