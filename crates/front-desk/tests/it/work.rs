//! Work that was given up: listed, explained, revived and dropped by those who may.

use crate::support::{App, Tenant};
use http::Method;
use misy_store::{
    leases::{Cursor, Lease, LeaseTerms, Leased, Share, Trouble, WorkerId},
    mails::{self, Mail, Mails},
    rotation::Rotations,
    turns::Conversations,
};
use serde_json::{Value, json};
use std::time::Duration;

/// A worker takes what is due of one kind.
async fn claim<K: Leased>(app: &App) -> Vec<Lease<K>> {
    let worker = WorkerId::new(&*app.store.entropy);
    let (terms, anywhere) = (LeaseTerms::default(), Cursor::default());
    app.store.database.claim(&worker, 10, &terms, &anywhere, Share::ALL).await.unwrap().leases
}

/// A worker takes what is due of one kind, fails for the last time, and says of how much.
async fn give_up<K: Leased>(app: &App, trouble: Trouble) -> usize {
    let leases = claim::<K>(app).await;
    for lease in &leases {
        app.store.database.fail(lease, trouble, Duration::ZERO, 1).await.unwrap();
    }
    leases.len()
}

async fn queue_mail(app: &App, tenant: &Tenant) {
    let id = tenant.tenant_id();
    let keys = app.store.vault.keys(&app.store.database, &id).await.unwrap().unwrap();
    let mail = Mail { to: "luz@business.example".into(), subject: "Hola".into(), text: "Hola".into() };
    let mut tx = app.store.database.tenant("test.mail", &id).await.unwrap();
    mails::queue(&mut tx, &keys, &mail, &*app.store.clock, &*app.store.entropy).await.unwrap();
    tx.commit().await.unwrap();
}

fn items(body: &Value) -> Vec<Value> {
    body["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_conversation_that_was_given_up_is_explained_revived_and_dropped_and_keeps_its_messages() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    app.say(&token, &session, "Hola").await.expect(202);
    assert_eq!(give_up::<Conversations>(&app, Trouble::ContextPackInvalid).await, 1);

    let path = andina.path("/work?status=dead");
    let listed = app.manage(&andina, Method::GET, &path, None).await.expect(200);
    let dead = &items(&listed.body)[0];
    assert_eq!((&dead["kind"], &dead["attempts"]), (&json!("conversation"), &json!(1)));
    assert_eq!(dead["lastError"], "context_pack_invalid");
    assert!(dead["meaning"].as_str().unwrap().contains("Put a valid one"), "{dead}");
    assert!(dead["deadAt"].is_string() && listed.body["nextCursor"].is_null());
    let alerts = app.manage(&andina, Method::GET, &andina.path("/alerts?open=true"), None).await.expect(200);
    let alert = &items(&alerts.body)[0];
    assert_eq!((&alert["rule"], &alert["subject"]), (&json!("work_dead"), &dead["workId"]));

    let work = andina.path(&format!("/work/conversation/{}", dead["workId"].as_str().unwrap()));
    let revive = format!("{work}/revive");
    app.manage(&andina, Method::POST, &revive, None).await.expect(204);
    app.manage(&andina, Method::POST, &revive, None).await.expect(404);
    assert!(items(&app.manage(&andina, Method::GET, &path, None).await.expect(200).body).is_empty());

    assert_eq!(give_up::<Conversations>(&app, Trouble::Panic).await, 1, "it was due at once");
    app.manage(&andina, Method::DELETE, &work, None).await.expect(204);
    app.manage(&andina, Method::DELETE, &work, None).await.expect(404);
    assert!(claim::<Conversations>(&app).await.is_empty());
    let history =
        app.call(&token, Method::GET, &format!("/sessions/{session}/messages"), None).await.expect(200);
    assert_eq!(items(&history.body).len(), 1);
    app.say(&token, &session, "¿Hola?").await.expect(202);
    assert_eq!(claim::<Conversations>(&app).await.len(), 1);

    let trail = app.manage(&andina, Method::GET, &andina.path("/audit?kind=change"), None).await.expect(200);
    for action in ["reviveWork", "dropWork"] {
        let entry = items(&trail.body).into_iter().find(|entry| entry["action"] == action).expect(action);
        assert_eq!(entry["subject"], dead["workId"]);
    }
}

#[tokio::test]
async fn work_that_was_given_up_is_listed_in_pages_and_by_kind() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    for _ in 0..3 {
        queue_mail(&app, &andina).await;
    }
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    app.say(&token, &session, "Hola").await.expect(202);
    assert_eq!(give_up::<Mails>(&app, Trouble::MailRefused).await, 3);
    assert_eq!(give_up::<Conversations>(&app, Trouble::Timeout).await, 1);

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = andina.path(&format!("/work?limit=1{cursor}"));
        let page = app.manage(&andina, Method::GET, &path, None).await.expect(200);
        seen.extend(items(&page.body));
        let Some(next) = page.body["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let kinds: Vec<_> = seen.iter().map(|work| work["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["conversation", "mail", "mail", "mail"]);
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|work| work["workId"].to_string()).collect();
    assert_eq!(ids.len(), 4);

    let mails = app.manage(&andina, Method::GET, &andina.path("/work?kind=mail"), None).await.expect(200);
    assert_eq!(items(&mails.body).len(), 3);
    for query in [
        "kind=nothing",
        "status=alive",
        "cursor=x",
        "cursor=1.mail",
        "cursor=1.mail.%00",
        "limit=0",
        "other=1",
    ] {
        let path = andina.path(&format!("/work?{query}"));
        let refused = app.manage(&andina, Method::GET, &path, None).await;
        assert!([400, 422].contains(&refused.status.as_u16()), "{query}: {}", refused.body);
    }
    // A mail goes when it is dropped, and the others stay.
    let path = andina.path(&format!("/work/mail/{}", seen[1]["workId"].as_str().unwrap()));
    app.manage(&andina, Method::DELETE, &path, None).await.expect(204);
    let left = app.manage(&andina, Method::GET, &andina.path("/work?kind=mail"), None).await.expect(200);
    assert_eq!(items(&left.body).len(), 2);
}

#[tokio::test]
async fn only_those_who_may_see_work_or_touch_it() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    queue_mail(&app, &andina).await;
    assert_eq!(give_up::<Mails>(&app, Trouble::MailRefused).await, 1);
    let list = andina.path("/work");
    let listed = app.manage(&andina, Method::GET, &list, None).await.expect(200);
    let path = andina.path(&format!("/work/mail/{}", items(&listed.body)[0]["workId"].as_str().unwrap()));

    for role in ["agent", "analyst", "privacy_officer"] {
        let mut browser = app.somebody(&andina, &[role]).await.0;
        browser.get(&app, &list).await.refused(403, "permission_denied");
        browser.order(&app, Method::DELETE, &path).await.refused(403, "permission_denied");
    }
    let mut auditor = app.somebody(&andina, &["auditor"]).await.0;
    auditor.get(&app, &list).await.expect(200);
    auditor.order(&app, Method::DELETE, &path).await.refused(403, "permission_denied");
    // Whoever may revive mail may not touch the rotation of keys.
    let mut manager = app.somebody(&andina, &["manager"]).await.0;
    let begun =
        app.manage(&andina, Method::POST, &andina.path("/encryption/rotations"), None).await.expect(202);
    app.store.admin("update misy.key_rotations set work_at = now()").await.unwrap();
    assert_eq!(give_up::<Rotations>(&app, Trouble::KeysUnavailable).await, 1);
    let rotation = andina.path(&format!("/work/key_rotation/{}", begun.text("rotationId")));
    manager.order(&app, Method::DELETE, &rotation).await.refused(403, "permission_denied");
    app.manage(&andina, Method::DELETE, &rotation, None).await.expect(204);
    // Then another rotation can begin.
    app.manage(&andina, Method::POST, &andina.path("/encryption/rotations"), None).await.expect(202);
    manager.post(&app, &format!("{path}/revive"), &json!({})).await.expect(204);
}
