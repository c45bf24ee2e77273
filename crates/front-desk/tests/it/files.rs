//! Files that contacts send: how they come, who reads them, and how they go.

mod bytes;
mod room;

use crate::{
    live::follow,
    support::{Answer, App, BASE, Tenant, Token, put, raw, send_to},
};
use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, StatusCode};
use misy_store::files::CHUNK;
use serde_json::{Value, json};
use std::{fs, time::Duration};
use tower::ServiceExt;

/// A picture of a few pieces: the bytes of each are its own.
pub(crate) fn picture(size: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend((bytes.len()..size).map(|at| u8::try_from(at * 31 % 251).unwrap()));
    bytes
}

/// A form with these texts and a file.
pub(crate) fn form(texts: &[(&str, &str)], name: &str, file: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, text) in texts {
        let field = format!("--border\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
        body.extend_from_slice(field.as_bytes());
    }
    let head = format!(
        "--border\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--border--\r\n");
    body
}

fn upload_request(app: &App, token: &Token, body: &[u8]) -> Request<Body> {
    let mut request = app.signed_by(&token.key, Some(&token.text), Method::POST, "/files", Some(body));
    put(&mut request, "content-type", "multipart/form-data; boundary=border");
    if let Some(origin) = &token.origin {
        put(&mut request, "origin", origin);
    }
    request
}

async fn upload(app: &App, token: &Token, texts: &[(&str, &str)], name: &str, file: &[u8]) -> Answer {
    app.send(upload_request(app, token, &form(texts, name, file))).await
}

/// The tenant with a key whose visitors may send files.
pub(crate) async fn with_files(app: &App, tenant: &Tenant) -> Tenant {
    let all = json!({ "permissions": ["chat:read", "chat:write", "files:upload", "agents:support"] });
    app.manage(tenant, Method::PATCH, &tenant.path("/sites/main"), Some(&all)).await.expect(200);
    let mut key = all;
    key["siteId"] = json!("main");
    let key = app.manage(tenant, Method::POST, &tenant.path("/keys"), Some(&key)).await.expect(201);
    Tenant { publishable_key: key.text("key"), ..tenant.clone() }
}

/// A visitor with a session.
struct Visitor {
    token: Token,
    session: String,
}

impl Visitor {
    async fn of(app: &App, tenant: &Tenant) -> Self {
        let token = app.browser(tenant).await;
        let session = app.session(&token).await;
        Self { token, session }
    }

    async fn upload(&self, app: &App, name: &str, file: &[u8]) -> Answer {
        upload(app, &self.token, &[("sessionId", &self.session)], name, file).await
    }

    async fn send(&self, app: &App, id: &str, files: &[&str]) -> Answer {
        let body = json!({ "sessionId": self.session, "clientMessageId": id, "attachments": files });
        app.call(&self.token, Method::POST, "/messages", Some(&body)).await
    }

    async fn history(&self, app: &App) -> Vec<Value> {
        let path = format!("/sessions/{}/messages", self.session);
        let answer = app.call(&self.token, Method::GET, &path, None).await.expect(200);
        answer.body["items"].as_array().unwrap().clone()
    }

    /// The link to the file of the newest message.
    async fn link(&self, app: &App) -> String {
        let history = self.history(app).await;
        history.last().unwrap().pointer("/parts/0/url").unwrap().as_str().unwrap().to_owned()
    }

    async fn read(&self, app: &App, file: &str) -> Answer {
        app.call(&self.token, Method::GET, &format!("/files/{file}"), None).await
    }
}

/// One file that a message carries, and one that none does.
pub(crate) async fn leave(app: &App, tenant: &Tenant) {
    let ana = Visitor::of(app, tenant).await;
    let file = ana.upload(app, "foto.png", &picture(100)).await.expect(201).text("fileId");
    ana.upload(app, "loose.png", &picture(100)).await.expect(201);
    ana.send(app, "1", &[&file]).await.expect(202);
}

/// Somebody with a visitor of andina who has sent a picture.
async fn sent(app: &App) -> (Tenant, Tenant, Visitor, String, Vec<u8>) {
    let (owner, andina) = app.two().await;
    let andina = with_files(app, &andina).await;
    let ana = Visitor::of(app, &andina).await;
    let bytes = picture(2 * CHUNK + 1000);
    let file = ana.upload(app, "foto.png", &bytes).await.expect(201).text("fileId");
    ana.send(app, "1", &[&file]).await.expect(202);
    (owner, andina, ana, file, bytes)
}

/// What a link answers, as a browser follows it that sends nothing else.
async fn get(router: &Router, link: &str, range: Option<&str>) -> (StatusCode, HeaderMap, Vec<u8>) {
    let target = link.strip_prefix("https://api.misy.example").unwrap();
    let mut request = raw(Method::GET, target, None);
    if let Some(range) = range {
        put(&mut request, "range", range);
    }
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 20_000_000).await.unwrap();
    (parts.status, parts.headers, bytes.to_vec())
}

async fn follow_link(app: &App, link: &str) -> Answer {
    send_to(&app.router, raw(Method::GET, link.strip_prefix("https://api.misy.example").unwrap(), None)).await
}

#[tokio::test]
async fn a_picture_is_sent_and_read_by_link_and_by_token_and_lies_sealed() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let andina = with_files(&app, &andina).await;
    let ana = Visitor::of(&app, &andina).await;
    let mut events = follow(&app, &ana.token, &ana.session, None).await;
    events.expect("status").await;
    let bytes = picture(3 * CHUNK + 17);
    let made = ana.upload(&app, "../../mañana.exe", &bytes).await.expect(201);
    let file = made.text("fileId");
    assert_eq!(
        made.body,
        json!({ "fileId": file, "mediaType": "image/png", "size": bytes.len(), "name": "mañana.exe.png" })
    );
    let body = json!({ "sessionId": ana.session, "text": "Así quedó", "attachments": [file] });
    app.call(&ana.token, Method::POST, "/messages", Some(&body)).await.expect(202);

    let message = events.expect("message").await.data;
    assert_eq!(message["parts"][0], json!({ "type": "text", "text": "Así quedó" }));
    let part = &message["parts"][1];
    assert_eq!(
        (part["type"].as_str(), part["fileId"].as_str(), part["size"].as_u64(), part["name"].as_str()),
        (Some("image"), Some(&*file), Some(bytes.len() as u64), Some("mañana.exe.png"))
    );
    let live = part["url"].as_str().unwrap().to_owned();
    let stored = ana.history(&app).await[0]["parts"][1]["url"].as_str().unwrap().to_owned();
    for link in [live, stored] {
        let (status, headers, read) = get(&app.router, &link, None).await;
        assert_eq!((status, read == bytes), (StatusCode::OK, true));
        assert_eq!(headers["content-type"], "image/png");
        assert_eq!(headers["content-length"], bytes.len().to_string());
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cache-control"], "no-store");
        assert!(headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
        let disposition = headers["content-disposition"].to_str().unwrap();
        assert_eq!(disposition, "inline; filename=\"ma_ana.exe.png\"; filename*=UTF-8''ma%C3%B1ana.exe.png");
        for (range, within) in [
            ("bytes=0-0", 0..1),
            ("bytes=65530-65540", CHUNK - 6..CHUNK + 5),
            ("bytes=131072-", 2 * CHUNK..bytes.len()),
            ("bytes=-17", bytes.len() - 17..bytes.len()),
        ] {
            let (status, headers, read) = get(&app.router, &link, Some(range)).await;
            assert_eq!(status, StatusCode::PARTIAL_CONTENT);
            let told = format!("bytes {}-{}/{}", within.start, within.end - 1, bytes.len());
            assert_eq!(headers["content-range"], told);
            assert!(read == bytes[within], "{range}");
        }
        let beyond = format!("bytes={}-", bytes.len());
        assert_eq!(get(&app.router, &link, Some(&beyond)).await.0, StatusCode::RANGE_NOT_SATISFIABLE);
    }
    let read = app.open(app.signed(&ana.token, Method::GET, &format!("/files/{file}"), None)).await;
    assert_eq!(read.status(), 200);

    // Nothing of it, nor what it is called, lies anywhere in the clear.
    let [path] = &*app.store.stored_bytes() else { panic!("one file") };
    let lies = fs::read(path).unwrap();
    assert!(path.to_str().unwrap().contains("/andina/") && lies.len() > bytes.len());
    assert!(!lies.windows(32).any(|window| window == &bytes[500..532]));
}

#[tokio::test]
async fn a_file_is_carried_once_and_in_the_conversation_it_was_sent_to() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let andina = with_files(&app, &andina).await;
    let ana = Visitor::of(&app, &andina).await;
    let file = ana.upload(&app, "a.png", &picture(100)).await.expect(201).text("fileId");
    let again = ana.upload(&app, "b.png", &picture(100)).await.expect(201).text("fileId");

    // Two messages with the same file at once: one is stored.
    let (ids, files) = (["1", "2", "3", "4"], [&*file]);
    let answers = futures_util::future::join_all(ids.iter().map(|id| ana.send(&app, id, &files))).await;
    let stored: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 202).collect();
    assert_eq!(stored.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 202) {
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert_eq!(answer.body["errors"][0]["pointer"], "/attachments");
    }
    assert_eq!(ana.history(&app).await.len(), 1, "nothing of the others is left");
    // The same message again is the same message.
    let which = answers.iter().position(|answer| answer.status == 202).unwrap();
    let repeated = ana.send(&app, ids[which], &files).await.expect(202);
    assert_eq!(repeated.body, answers[which].body);
    // One of two that cannot be sent: neither is.
    ana.send(&app, "5", &[&again, &file]).await.refused(422, "validation_failed");
    ana.send(&app, "6", &[&again]).await.expect(202);

    // Nobody else carries or reads it: another visitor, another session of the same one, another tenant.
    let third = ana.upload(&app, "c.png", &picture(100)).await.expect(201).text("fileId");
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let verde = with_files(&app, &verde).await;
    let others = [
        Visitor::of(&app, &andina).await,
        Visitor { token: ana.token.clone(), session: app.session(&ana.token).await },
        Visitor::of(&app, &verde).await,
    ];
    for (at, other) in others.iter().enumerate() {
        other.send(&app, "1", &[&third]).await.refused(422, "validation_failed");
        assert!(other.history(&app).await.is_empty());
        if at != 1 {
            for file in [&file, &third] {
                other.read(&app, file).await.refused(404, "not_found");
            }
        }
    }
    let server = app.server(&andina, json!({ "siteId": "main", "permissions": ["chat:read"] })).await;
    app.call(&server, Method::GET, &format!("/files/{file}"), None).await.refused(404, "not_found");

    let body = |files: Value| json!({ "sessionId": ana.session, "attachments": files });
    let many: Vec<String> = (0..10).map(|n| format!("fil_{n:026}")).collect();
    for files in [json!([]), json!([third, third]), json!(many), json!(["x"]), json!([1]), json!("x")] {
        let sent = app.call(&ana.token, Method::POST, "/messages", Some(&body(files.clone()))).await;
        assert_eq!(sent.status, 422, "{files}");
    }
    let mut pressed = body(json!([third]));
    pressed["action"] = json!({ "type": "button", "id": "x" });
    app.call(&ana.token, Method::POST, "/messages", Some(&pressed)).await.refused(422, "validation_failed");
    ana.send(&app, "7", &[&third]).await.expect(202);
}

#[tokio::test]
async fn what_is_not_taken_is_refused_and_leaves_nothing() {
    let app = App::start_with(|settings| settings.largest_file = 2 * 1024 * 1024).await;
    let (_, plain) = app.two().await;
    let andina = with_files(&app, &plain).await;
    let ana = Visitor::of(&app, &andina).await;
    for file in [
        &b"<!DOCTYPE html><script>alert(document.domain)</script>"[..],
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><x/>",
        b"MZ\x90\0\x03\0\0\0\x04\0\0\0",
        b"PK\x03\x04\x14\0\0\0\x08\0",
        b"\0\x01\x02\x03",
    ] {
        let refused = ana.upload(&app, "foto.png", file).await.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], "/file");
    }
    // Larger than is said to be allowed, and larger than it says.
    ana.upload(&app, "a.png", &picture(3_000_000)).await.refused(413, "body_too_large");
    ana.upload(&app, "a.png", &picture(2 * 1024 * 1024 + 1)).await.refused(413, "body_too_large");
    let small = form(&[("sessionId", &ana.session)], "a.png", &picture(3_000_000));
    let mut chunked = upload_request(&app, &ana.token, &small);
    chunked.headers_mut().remove("content-length");
    put(&mut chunked, "transfer-encoding", "chunked");
    app.send(chunked).await.refused(413, "body_too_large");
    // Before a byte of it is read, whoever has no token is sent away.
    let stranger = raw(Method::POST, &format!("{BASE}/files"), Some(vec![0; 1_000_000]));
    app.send(stranger).await.refused(401, "token_missing");

    let png = picture(100);
    let session = ("sessionId", &*ana.session);
    for texts in [&[][..], &[session, ("accountId", "x")], &[("accountId", "x")], &[session, ("odd", "x")]] {
        upload(&app, &ana.token, texts, "a.png", &png).await.refused(422, "validation_failed");
    }
    let nobodys = [("sessionId", "ses_00000000000000000000000000")];
    upload(&app, &ana.token, &nobodys, "a.png", &png).await.refused(404, "not_found");
    let other = Visitor::of(&app, &andina).await;
    upload(&app, &other.token, &[session], "a.png", &png).await.refused(404, "not_found");
    let contact = [("accountId", "cha_00000000000000000000000000"), ("contactId", "c")];
    upload(&app, &ana.token, &contact, "a.png", &png).await.refused(403, "permission_denied");
    // A key that does not give it.
    let bob = Visitor::of(&app, &plain).await;
    bob.upload(&app, "a.png", &png).await.refused(403, "permission_denied");
    let mut json = upload_request(&app, &ana.token, b"{}");
    put(&mut json, "content-type", "application/json");
    app.send(json).await.refused(415, "unsupported_media_type");
    app.send(upload_request(&app, &ana.token, b"--border")).await.refused(400, "bad_request");
    // What was signed is what counts.
    let mut changed = upload_request(&app, &ana.token, &form(&[session], "a.png", &png));
    *changed.body_mut() = Body::from(form(&[session], "b.png", &png));
    app.send(changed).await.refused(401, "signature_invalid");
    assert!(app.store.stored_bytes().is_empty());
    // A session that is over takes none.
    app.advance(Duration::from_hours(40 * 24));
    let token = app.browser(&andina).await;
    let late = Visitor { token, session: ana.session.clone() };
    assert!([404, 409].contains(&late.upload(&app, "a.png", &png).await.status.as_u16()));
}

#[tokio::test]
async fn a_link_opens_one_file_for_a_short_time_while_its_tenant_is_served() {
    let app = App::start().await;
    let (owner, andina, ana, file, _) = sent(&app).await;
    let other = ana.upload(&app, "b.png", &picture(100)).await.expect(201).text("fileId");
    let link = ana.link(&app).await;
    follow_link(&app, &link).await.expect(200);
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let bad = [
        link.replace(&file, &other),
        link.replace("tenantId=andina", &format!("tenantId={}", verde.id)),
        link.replace("tenantId=andina", "tenantId=nobody"),
        link.replace("tenantId=andina", "tenantId=../andina"),
        link.replace("expires=", "expires=9"),
        link.replace("signature=", "signature=A"),
    ];
    for bad in bad {
        follow_link(&app, &bad).await.refused(404, "not_found");
    }
    follow_link(&app, &format!("{link}&x=1")).await.refused(422, "validation_failed");
    follow_link(&app, &format!("{link}&tenantId=andina")).await.refused(422, "validation_failed");
    follow_link(&app, link.split('?').next().unwrap()).await.refused(401, "token_missing");
    let both = link.strip_prefix("https://api.misy.example/api/meta-agent").unwrap();
    app.call(&ana.token, Method::GET, both, None).await.refused(400, "bad_request");

    // A replica whose clock is four minutes behind makes it, and one four minutes ahead reads it.
    app.advance(Duration::from_mins(8));
    follow_link(&app, &link).await.expect(200);
    app.advance(Duration::from_mins(8));
    follow_link(&app, &link).await.refused(403, "link_invalid");

    // All tokens are revoked: all links are over.
    let link = ana.link(&app).await;
    follow_link(&app, &link).await.expect(200);
    app.manage(&andina, Method::POST, &andina.path("/tokens/revoke-all"), None).await.expect(200);
    follow_link(&app, &link).await.refused(404, "not_found");

    let ana = Visitor::of(&app, &andina).await;
    let file = ana.upload(&app, "c.png", &picture(100)).await.expect(201).text("fileId");
    ana.send(&app, "1", &[&file]).await.expect(202);
    let link = ana.link(&app).await;
    let why = json!({ "reason": "unpaid since May" });
    app.manage(&owner, Method::POST, &andina.path("/suspend"), Some(&why)).await.expect(200);
    follow_link(&app, &link).await.refused(403, "tenant_suspended");
    ana.read(&app, &file).await.refused(403, "tenant_suspended");
    ana.upload(&app, "d.png", &picture(100)).await.refused(403, "tenant_suspended");
}

#[tokio::test]
async fn an_upload_that_is_made_again_is_one_file() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let andina = with_files(&app, &andina).await;
    let ana = Visitor::of(&app, &andina).await;
    let body = form(&[("sessionId", &ana.session)], "a.png", &picture(100));
    let request = |body: &[u8]| {
        let mut request = upload_request(&app, &ana.token, body);
        put(&mut request, "idempotency-key", "one-please");
        request
    };
    let first = app.send(request(&body)).await.expect(201);
    let again = app.send(request(&body)).await.expect(201);
    assert_eq!(
        (&again.body, &again.headers["idempotency-replayed"]),
        (&first.body, &"true".parse().unwrap())
    );
    assert_eq!(app.store.stored_bytes().len(), 1);
    let other = form(&[("sessionId", &ana.session)], "a.png", &picture(101));
    app.send(request(&other)).await.refused(409, "idempotency_mismatch");
    // At once: one answer, and what was written for nothing is nobody's and goes with the sweep.
    let bob = Visitor::of(&app, &andina).await;
    let body = form(&[("sessionId", &bob.session)], "a.png", &picture(100));
    let request = || {
        let mut request = upload_request(&app, &bob.token, &body);
        put(&mut request, "idempotency-key", "one-please");
        app.send(request)
    };
    let (one, two, three) = tokio::join!(request(), request(), request());
    assert_eq!((one.text("fileId"), two.text("fileId")), (two.text("fileId"), three.text("fileId")));
}

#[tokio::test]
async fn a_program_passes_on_files_of_its_contacts_and_what_it_says_of_them_does_not_count() {
    let app = App::start().await;
    let (_, andina) = app.two().await;
    let account =
        json!({ "channel": "api", "name": "CRM", "callbackUrl": "https://crm.andina.example/misy" });
    let account = app
        .manage(&andina, Method::POST, &andina.path("/channels"), Some(&account))
        .await
        .expect(201)
        .text("accountId");
    let all = json!({ "siteId": "main", "permissions": ["chat:read", "chat:write", "files:upload"] });
    let server = app.server(&andina, all).await;
    let of = |contact: &'static str| [("accountId", account.clone()), ("contactId", contact.to_owned())];
    let send = async |contact: &'static str, name: &str, file: &[u8]| {
        let texts = of(contact);
        let texts: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
        upload(&app, &server, &texts, name, file).await
    };
    let bytes = b"%PDF-1.7\n1 0 obj".to_vec();
    let file = send("customer-1", "factura.pdf", &bytes).await.expect(201).text("fileId");
    let foreign = send("customer-2", "otra.pdf", &bytes).await.expect(201).text("fileId");
    let pass_on = async |id: &str, part: Value| {
        let body = json!({ "contactId": "customer-1", "messageId": id, "parts": [part] });
        app.call(&server, Method::POST, &format!("/channels/api/{account}/messages"), Some(&body)).await
    };
    let said = json!({ "type": "image", "fileId": file, "mediaType": "image/svg+xml", "name": "x.svg", "size": 1,
                       "caption": "La factura" });
    for not_theirs in [json!(foreign), json!("fil_00000000000000000000000000")] {
        let mut part = said.clone();
        part["fileId"] = not_theirs;
        let refused = pass_on("1", part).await.refused(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], "/parts");
    }
    pass_on("1", said.clone()).await.expect(202);
    pass_on("2", said).await.refused(422, "validation_failed");

    let tenant = andina.tenant_id();
    let keys = app.store.vault.keys(&app.store.database, &tenant).await.unwrap().unwrap();
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let conversation: String =
        sqlx::query_scalar("select conversation_id from misy.attachments where message_id is not null")
            .fetch_one(&mut admin)
            .await
            .unwrap();
    let conversation = conversation.parse().unwrap();
    let stored = app.store.database.messages_since(&tenant, &keys, conversation, 0, 10).await.unwrap();
    assert_eq!(
        serde_json::to_value(&stored[0].parts[0]).unwrap(),
        json!({ "type": "file", "fileId": file, "mediaType": "application/pdf", "name": "factura.pdf",
                "size": bytes.len(), "caption": "La factura" })
    );
    let read = app.open(app.signed(&server, Method::GET, &format!("/files/{file}"), None)).await;
    assert_eq!(read.headers()["content-disposition"].to_str().unwrap().split(';').next(), Some("attachment"));
    assert_eq!(axum::body::to_bytes(read.into_body(), 1_000).await.unwrap(), bytes);
    // A page of the tenant does not read what came over its program.
    let page = Visitor::of(&app, &andina).await;
    page.read(&app, &file).await.refused(404, "not_found");
}
