//! Members that nobody asked for, in every body.

use crate::{
    description::{Callers, Ids, operations},
    stage::{Stage, registration},
    wire::{Request, each},
};
use misy_testkit::client::BASE;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Members that something inside has, or other programs have.
fn forbidden() -> Vec<(&'static str, Value)> {
    vec![
        ("tenantType", json!("owner")),
        ("tenant_type", json!("owner")),
        ("type", json!("owner")),
        ("isOwner", json!(true)),
        ("is_owner", json!(true)),
        ("isAdmin", json!(true)),
        ("admin", json!(true)),
        ("role", json!("owner")),
        ("roles", json!(["owner"])),
        ("status", json!("active")),
        ("version", json!(99)),
        ("epoch", json!(0)),
        ("createdAt", json!("2000-01-01T00:00:00Z")),
        ("userId", json!("usr_00000000000000000000000000")),
        ("secondFactorAt", json!("2100-01-01T00:00:00Z")),
        ("second_factor_at", json!("2100-01-01T00:00:00Z")),
        ("emailVerified", json!(true)),
        ("family", json!("tat_00000000000000000000000000")),
        ("jti", json!("tat_00000000000000000000000000")),
        ("tokenHash", json!("00")),
        ("kind", json!("administrator")),
        ("sequence", json!(1)),
        ("inReplyTo", json!(["msg_00000000000000000000000000"])),
        ("__proto__", json!({ "isOwner": true })),
        ("constructor", json!({ "prototype": { "isOwner": true } })),
        ("$set", json!({ "tenantType": "owner" })),
        ("", json!("x")),
        ("TenantType", json!("owner")),
    ]
}

#[tokio::test]
async fn no_body_takes_a_member_that_is_not_in_its_description() {
    let stage = Stage::start().await;
    let person = stage.person(&stage.owner, "olga@colombiatic.example").await;
    let mut callers = Callers::of(&stage, &stage.andina).await;
    callers.person = Some(person);
    let ids = Ids::default().with("tenantId", "andina").with("siteId", "main");
    let before = stage.rows_of(&stage.andina).await;
    let (named, refusing) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let with_bodies: Vec<_> =
        operations(&stage).await.into_iter().filter(|one| one.example.is_some()).collect();
    each(&with_bodies, 6, async |operation| {
        let (mut told, mut refuses) = (false, true);
        for (name, value) in forbidden() {
            if operation.members.iter().any(|(known, _)| known == name) {
                continue;
            }
            let mut body = operation.good_body(&ids).unwrap();
            body[name] = value;
            let request = operation.request(operation.fill(&ids), Some(&body));
            let answer = stage.send(callers.prove(operation, request)).await;
            let shown = format!("{} with {name}: {}", operation.id, answer.shown());
            assert!((400..500).contains(&answer.status), "{shown}");
            told |= answer.status == 422;
            refuses &= matches!(answer.status, 401 | 403);
        }
        named.fetch_add(usize::from(told), Ordering::Relaxed);
        refusing.fetch_add(usize::from(refuses), Ordering::Relaxed);
    })
    .await;
    // Most say that it is the member that they do not take, and two in three of those that take this caller at all; the rest know
    // nothing of that id before.
    let (named, all) = (named.into_inner(), with_bodies.len());
    let hearing = all - refusing.into_inner();
    assert!(
        named * 2 > all && named * 3 > hearing * 2,
        "{named} of {hearing} that take the caller, of {all}"
    );
    let after = stage.rows_of(&stage.andina).await;
    for ((table, before), (_, after)) in before.iter().zip(&after) {
        // What somebody of the owner set out to do to a tenant stands there, however it ended.
        if *table != "privilege_uses" {
            assert_eq!(before, after, "{table}");
        }
    }
    stage.is_well().await;
}

#[tokio::test]
async fn what_only_the_owner_gives_nobody_gives_to_oneself() {
    let stage = Stage::start_with(&[("MISY_SELF_REGISTRATION", "open")]).await;
    let program = stage.server(&stage.andina, &["tenant:manage"]).await;
    let own = stage.andina.path("");
    for (path, method, body) in [
        ("", "PATCH", json!({ "plan": "ENTERPRISE" })),
        (
            "/limits",
            "PUT",
            json!({ "limits": [{ "scope": "tenant", "requests": 9_000_000, "periodSeconds": 1 }] }),
        ),
        ("/suspend", "POST", json!({})),
        ("/activate", "POST", json!({})),
    ] {
        let request = || {
            let request = Request::new(method, format!("{own}{path}"));
            if body.is_null() { request } else { request.json(&body) }
        };
        for request in [request().bearer(&stage.andina.administrator), program.sign(request())] {
            let answer = stage.send(request).await;
            assert!([401, 403, 404].contains(&answer.status), "{method} {path}: {}", answer.shown());
        }
    }
    // Somebody without any proof registers, and says to be more.
    for (name, value) in
        [("plan", json!("ENTERPRISE")), ("tenantId", json!("colombiatic")), ("tenantId", json!("misy"))]
    {
        let mut body = registration("new-one");
        body[name] = value;
        let answer = stage.send(Request::new("POST", format!("{BASE}/tenants/register")).json(&body)).await;
        assert!(
            (400..500).contains(&answer.status) || answer.json()["plan"] == "FREE",
            "{name}: {}",
            answer.shown()
        );
    }
    let paying = "select count(*) from misy.tenants where plan <> 'FREE' and tenant_type <> 'owner'";
    assert_eq!(stage.count(paying).await, 0);
    // A browser gets what its key allows, whatever it asks for.
    let all = ["tenant:manage", "chat:read", "chat:write", "files:upload", "agents:support"];
    let body = json!({ "siteId": "main", "permissions": all });
    let answer = stage.send(crate::stage::mint_request(&stage.andina).json(&body)).await.expect(201);
    let token = crate::stage::Token { text: answer.text("/token"), ..stage.browser(&stage.andina).await };
    let answer = stage.send(token.sign(Request::new("GET", own))).await;
    assert!([401, 403].contains(&answer.status), "{}", answer.shown());
}
