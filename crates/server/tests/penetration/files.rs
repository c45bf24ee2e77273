//! Files, through the running program: what is brought, what is shown, and where it lies.

use crate::{
    stage::{PUBLIC_URL, Stage, Tenant, Token},
    wire::{Answer, Request, each},
};
use misy_testkit::client::BASE;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR<script>alert(document.domain)</script>";

/// A tenant whose visitors may send files.
async fn with_files(stage: &Stage, tenant: &Tenant) -> Tenant {
    let all = json!({ "permissions": ["chat:read", "chat:write", "files:upload", "agents:support"] });
    stage.manage(tenant, "PATCH", &tenant.path("/sites/main"), Some(&all)).await.expect(200);
    let mut key = all;
    key["siteId"] = json!("main");
    let key = stage.manage(tenant, "POST", &tenant.path("/keys"), Some(&key)).await.expect(201);
    Tenant { publishable_key: key.text("/key"), ..tenant.clone() }
}

async fn upload(stage: &Stage, token: &Token, session: &str, head: &str, file: &[u8]) -> Answer {
    let mut body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"sessionId\"\r\n\r\n{session}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"file\"{head}\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let request = Request::new("POST", format!("{BASE}/files"))
        .set("content-type", "multipart/form-data; boundary=x")
        .body(body);
    stage.send(token.sign(request)).await
}

/// A file of a visitor, which a message carries.
pub(crate) async fn sent(stage: &Stage, tenant: &Tenant) -> String {
    let token = stage.browser(&with_files(stage, tenant).await).await;
    let session = stage.session(&token).await;
    let file = upload(stage, &token, &session, "", PNG).await.expect(201).text("/fileId");
    let message = json!({ "sessionId": session, "attachments": [file] });
    stage.send(token.sign(Request::new("POST", format!("{BASE}/messages")).json(&message))).await.expect(202);
    file
}

/// All files below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let path = |entry: fs::DirEntry| entry.path();
    entries.map(path).flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn what_is_brought_does_no_harm_where_it_lies_and_where_it_is_shown() {
    let stage = Stage::start_with(&[]).await;
    let andina = with_files(&stage, &stage.andina).await;
    let token = stage.browser(&andina).await;
    let session = stage.session(&token).await;
    for file in [
        &b"<html><script>alert(1)</script></html>"[..],
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
        b"\x7fELF\x02\x01\x01\0",
        b"PK\x03\x04\x14\0\0\0\x08\0",
    ] {
        let head = "; filename=\"foto.png\"\r\nContent-Type: image/png";
        let answer = upload(&stage, &token, &session, head, file).await;
        assert_eq!(answer.status, 422, "{}", answer.shown());
    }
    for name in
        ["../../../../root-key", "a%0D%0ASet-Cookie: x=1", "\u{202e}gnp.exe", "%22; x=%22", "C:\\a\\b"]
    {
        let head = format!("; filename=\"{name}\"\r\nContent-Type: text/html");
        let file = upload(&stage, &token, &session, &head, PNG).await.expect(201).text("/fileId");
        let message = json!({ "sessionId": session, "attachments": [file] });
        let request = Request::new("POST", format!("{BASE}/messages")).json(&message);
        stage.send(token.sign(request)).await.expect(202);
        let history = Request::new("GET", format!("{BASE}/sessions/{session}/messages?limit=100"));
        let history = stage.send(token.sign(history)).await.expect(200).json();
        let mut parts = history["items"].as_array().unwrap().iter().map(|item| &item["parts"][0]);
        let part = parts.rfind(|part| part["fileId"] == file.as_str()).unwrap().clone();
        let link = part["url"].as_str().unwrap().strip_prefix(PUBLIC_URL).unwrap().to_owned();
        let shown = stage.send(Request::new("GET", link)).await.expect(200);
        assert_eq!(shown.body, PNG);
        assert_eq!(shown.header("content-type").as_deref(), Some("image/png"), "what the bytes say");
        assert_eq!(shown.header("x-content-type-options").as_deref(), Some("nosniff"));
        assert!(shown.header("content-security-policy").unwrap().contains("sandbox"));
        assert!(shown.header("set-cookie").is_none());
        let disposition = shown.header("content-disposition").unwrap();
        assert!(disposition.starts_with("inline") && disposition.contains(".png"), "{disposition}");
        assert!(!disposition.contains(['/', '\\']) && !disposition.contains(".."), "{disposition}");
    }
    // Messages without a word are answered like any other.
    let answered = async {
        loop {
            let history = Request::new("GET", format!("{BASE}/sessions/{session}/messages?limit=100"));
            let history = stage.send(token.sign(history)).await.expect(200).json();
            if history["items"].as_array().unwrap().iter().any(|item| item["role"] == "agent") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), answered).await.expect("an answer");
    // In the data directory there is nothing of it in the clear, and nothing beside its own folder.
    let all = below(&stage.dir.path().join("a"));
    let is_file =
        |path: &&PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("fil_"));
    let files: Vec<_> = all.iter().filter(is_file).collect();
    assert_eq!(files.len(), 5);
    for file in &files {
        assert!(file.starts_with(stage.dir.path().join("a/files/andina")), "{}", file.display());
        let bytes = fs::read(file).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"document"), "{}", file.display());
    }
    // Paths in the place of an id lead nowhere.
    let ids = ["..%2f..%2froot-key", "%2e%2e", "fil_", "andina%2ffil_x", "fil_00000000000000000000000000%00"];
    each(&ids, 5, async |id| {
        let request = token.sign(Request::new("GET", format!("{BASE}/files/{id}")));
        let answer = stage.send(request).await;
        assert_eq!(answer.status, 404, "{id}: {}", answer.shown());
    })
    .await;
}
