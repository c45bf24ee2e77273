//! How much files may take, and who removes them.

use super::{Visitor, follow_link, picture, sent, upload_request, with_files};
use crate::support::{App, put};
use http::Method;
use serde_json::json;
use std::time::Duration;

const MIB: usize = 1 << 20;

#[tokio::test]
async fn whoever_brought_a_file_takes_it_back_until_a_message_carries_it() {
    let app = App::start().await;
    let (_, andina, ana, carried, _) = sent(&app).await;
    let loose = ana.upload(&app, "b.png", &picture(100)).await.expect(201).text("fileId");
    let bob = Visitor::of(&app, &andina).await;
    let take_back = async |who: &Visitor, file: &str| {
        app.call(&who.token, Method::DELETE, &format!("/files/{file}"), None).await
    };
    take_back(&bob, &loose).await.refused(404, "not_found");
    take_back(&ana, "fil_00000000000000000000000000").await.refused(404, "not_found");
    take_back(&ana, &carried).await.refused(409, "conflict");
    let before = app.store.stored_bytes().len();
    take_back(&ana, &loose).await.expect(204);
    assert_eq!(app.store.stored_bytes().len(), before - 1, "its bytes go at once");
    take_back(&ana, &loose).await.refused(404, "not_found");
    // Whoever sends it all the same hears which one it is.
    let refused = ana.send(&app, "2", &[&loose]).await.refused(422, "validation_failed");
    let pointers = ["/errors/0/pointer", "/errors/1/pointer"].map(|at| refused.body.pointer(at).cloned());
    assert_eq!(pointers, [Some(json!("/attachments")), Some(json!("/attachments/0"))]);
    ana.read(&app, &carried).await.expect(200);
    // A message that takes it and whoever takes it back at once: one of the two.
    for id in ["3", "4", "5"] {
        let file = ana.upload(&app, "c.png", &picture(100)).await.expect(201).text("fileId");
        let files = [&*file];
        let (said, taken) = tokio::join!(ana.send(&app, id, &files), take_back(&ana, &file));
        let statuses = (said.status.as_u16(), taken.status.as_u16());
        assert!([(202, 409), (422, 204)].contains(&statuses), "{statuses:?}");
    }
    app.desk.sweep().await.unwrap();
}

#[tokio::test]
async fn a_tenant_removes_any_file_of_its_own_and_sees_what_files_take() {
    let app = App::start().await;
    let (owner, andina, ana, file, bytes) = sent(&app).await;
    let limits = app.manage(&andina, Method::GET, &andina.path("/limits"), None).await.expect(200);
    let total = 1_u64 << 30;
    assert_eq!(
        limits.body["files"],
        json!({ "largestBytes": 5 * MIB, "totalBytes": total, "usedBytes": bytes.len(), "files": 1 })
    );
    let link = ana.link(&app).await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let path = |tenant: &crate::support::Tenant| tenant.path(&format!("/files/{file}"));
    app.manage(&verde, Method::DELETE, &path(&andina), None).await.refused(404, "not_found");
    app.manage(&verde, Method::DELETE, &path(&verde), None).await.refused(404, "not_found");
    follow_link(&app, &link).await.expect(200);
    app.manage(&andina, Method::DELETE, &path(&andina), None).await.expect(204);
    app.manage(&andina, Method::DELETE, &path(&andina), None).await.refused(404, "not_found");
    assert!(app.store.stored_bytes().is_empty());
    // The message stays, with what the file was called; its link and its id lead nowhere.
    let part = ana.history(&app).await[0]["parts"][0].clone();
    assert_eq!((&part["type"], &part["name"]), (&json!("image"), &json!("foto.png")));
    follow_link(&app, &link).await.refused(404, "not_found");
    ana.read(&app, &file).await.refused(404, "not_found");
    let limits = app.manage(&andina, Method::GET, &andina.path("/limits"), None).await.expect(200);
    assert_eq!((&limits.body["files"]["usedBytes"], &limits.body["files"]["files"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn what_a_visitor_and_an_address_bring_in_a_day_leaves_room_for_others() {
    let app = App::start_with(|settings| settings.trusted_proxies = 1).await;
    let (_, andina) = app.two().await;
    let andina = with_files(&app, &andina).await;
    let large = picture(5 * MIB - 100);
    let bring = async |who: &Visitor, from: &str| {
        let body = super::form(&[("sessionId", &who.session)], "a.png", &large);
        let mut request = upload_request(&app, &who.token, &body);
        put(&mut request, "x-forwarded-for", from);
        app.send(request).await
    };
    // A fiftieth of a gigabyte for a visitor, twice that for an address.
    let mut brought = 0;
    for _ in 0..4 {
        let visitor = Visitor::of(&app, &andina).await;
        for _ in 0..6 {
            let answer = bring(&visitor, "198.51.100.7").await;
            if answer.status == 201 {
                brought += 1;
            } else {
                let answer = answer.refused(429, "rate_limited");
                assert!(answer.headers.contains_key("retry-after"));
            }
        }
        assert!(brought <= 8);
    }
    assert_eq!(brought, 8, "four each for two of them, and then the address has brought its share");
    // Who is elsewhere is not kept from anything, and a day later there is a share again.
    let elsewhere = Visitor::of(&app, &andina).await;
    bring(&elsewhere, "203.0.113.9").await.expect(201);
    app.advance(Duration::from_hours(25));
    let later = Visitor::of(&app, &andina).await;
    bring(&later, "198.51.100.7").await.expect(201);
}
