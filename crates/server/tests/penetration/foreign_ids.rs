//! Ids of another tenant, in every operation, by every kind of caller: answered as ids that nobody has.

use crate::{
    bookings::takes_bookings,
    description::{Ids, Operation, operations},
    files,
    stage::{Person, SESSION_COOKIE, Stage, Token, seconds_from_now},
    wire::{Answer, Request, each},
};
use misy_domain::Timestamp;
use misy_testkit::client::BASE;
use serde_json::{Value, json};

/// What differs between any two answers.
const OF_THE_MOMENT: [&str; 5] = ["x-request-id", "date", "ratelimit", "ratelimit-policy", "retry-after"];
const ROLES: [&str; 8] =
    ["owner", "admin", "manager", "agent", "analyst", "developer", "privacy_officer", "auditor"];

/// An answer without what differs between any two.
fn lasting(answer: &Answer) -> (u16, Value, Vec<(String, Vec<u8>)>, usize) {
    let mut body = answer.json();
    if let Some(members) = body.as_object_mut() {
        members.remove("requestId");
    }
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| !OF_THE_MOMENT.contains(&&**name));
    headers.sort();
    (answer.status, body, headers, answer.body.len())
}

/// Somebody who calls, and how.
enum Attacker {
    Nobody,
    Visitor(Token),
    Program(Token),
    Key(String),
    Person(Person),
}

impl Attacker {
    fn prove(&self, request: Request) -> Request {
        match self {
            Self::Nobody => request,
            Self::Visitor(token) | Self::Program(token) => token.sign(request),
            Self::Key(key) => request.bearer(key),
            Self::Person(person) => person.sends(request),
        }
    }
}

/// What the victim has, by the names that paths give it.
async fn possessions(stage: &Stage) -> (Ids, Person) {
    let verde = &stage.verde;
    let ask = async |method: &str, path: &str, body: Option<Value>| {
        let answer = stage.manage(verde, method, &verde.path(path), body.as_ref()).await;
        assert!(answer.status < 300, "{path}: {}", answer.shown());
        answer
    };
    ask("POST", "/sites", Some(json!({ "siteId": "solo-verde", "origins": ["https://solo.verde.example"] })))
        .await;
    ask("POST", "/roles", Some(json!({ "roleId": "solo-rol", "actions": ["context-pack:read"] }))).await;
    let certificate = json!({ "name": "backend", "fingerprint": "ab".repeat(32) });
    let certificate = ask("POST", "/certificates", Some(certificate)).await.text("/certificateId");
    let account = json!({ "channel": "api", "name": "CRM", "callbackUrl": "https://crm.verde.example/" });
    let account = ask("POST", "/channels", Some(account)).await.text("/accountId");
    takes_bookings(stage, verde).await;
    let minute = Timestamp::from_second((seconds_from_now(86_400).as_second() / 60) * 60).unwrap();
    let key = ask("GET", "/keys", None).await.text("/items/0/keyId");
    let entry = ask("GET", "/audit", None).await.text("/items/0/auditId");
    let visitor = stage.browser(verde).await;
    let session = stage.session(&visitor).await;
    let file = files::sent(stage, verde).await;
    let message = stage.say(&visitor, &session, "hola").await.expect(202).text("/messageId");
    let luz = stage.person(verde, "luz@verde.example").await;
    let conversations = Request::new("GET", verde.path("/conversations"));
    let conversation = stage.send(luz.sends(conversations)).await.expect(200).text("/items/0/conversationId");
    let booking = json!({ "booking": { "serviceId": "solo-servicio", "startsAt": minute } });
    let booking = Request::new("POST", verde.path("/bookings")).json(&booking);
    let booking = stage.send(luz.sends(booking)).await.expect(201).text("/bookingId");
    let domain =
        Request::new("POST", verde.path("/domains")).json(&json!({ "domain": "solo-verde.example" }));
    stage.send(luz.sends(domain)).await.expect(201);
    let ids = Ids::default()
        .with("domain", "solo-verde.example")
        .with("userId", &luz.user_id)
        .with("tenantId", &verde.id)
        .with("siteId", "solo-verde")
        .with("roleId", "solo-rol")
        .with("certificateId", certificate)
        .with("accountId", account)
        .with("keyId", key)
        .with("auditId", entry)
        .with("sessionId", session)
        .with("fileId", file)
        .with("bookingId", booking)
        .with("serviceId", "solo-servicio")
        .with("conversationId", conversation)
        .with("messageId", message);
    (ids, luz)
}

/// The same shapes, which nobody has.
fn nobodys(ids: &Ids) -> Ids {
    let mut free = Ids::default()
        .with("tenantId", "nobody-1")
        .with("siteId", "nowhere-12")
        .with("roleId", "none-121")
        .with("serviceId", "no-service")
        .with("domain", "nowhere-12.example");
    for (name, value) in &ids.known {
        if let Some((prefix, _)) = value.split_once('_') {
            free = free.with(name, format!("{prefix}_{}", "0".repeat(26)));
        }
    }
    free
}

fn target(operation: &Operation, ids: &Ids) -> String {
    let path = operation.fill(ids);
    let message = ids.known.iter().find(|(name, _)| name == "messageId");
    match message {
        Some((_, id)) if operation.queries.iter().any(|name| name == "messageId") => {
            format!("{path}?messageId={id}")
        }
        _ => path,
    }
}

/// Every operation that names something in its path, with the victim's ids and with nobody's: no difference.
async fn tries_everything(stage: &Stage, who: &str, attacker: &Attacker, ids: &Ids) {
    let free = nobodys(ids);
    let operations: Vec<Operation> =
        operations(stage).await.into_iter().filter(|one| !one.places().is_empty()).collect();
    each(&operations, 6, async |operation| {
        let mut pairs = vec![(ids.clone(), free.clone())];
        if operation.places().len() > 1 {
            // Through the door of the own tenant.
            let own = |ids: &Ids| ids.clone().with("tenantId", &stage.andina.id);
            pairs.push((own(ids), own(&free)));
        }
        for (foreign, unknown) in pairs {
            let mut answers = Vec::new();
            for ids in [&foreign, &unknown] {
                let secret = operation.path.contains("/secrets/");
                let known = ids.known.contains(&("tenantId".into(), stage.verde.id.clone()));
                let ids = if secret && known {
                    ids.clone().with("keyId", &stage.verde.secret_id)
                } else {
                    ids.clone()
                };
                let body = operation.good_body(&ids);
                let request = operation.request(target(operation, &ids), body.as_ref());
                let answer = stage.send(attacker.prove(request)).await;
                assert!(answer.status >= 400, "{who} at {}: {}", operation.id, answer.shown());
                assert!(answer.status < 500, "{who} at {}: {}", operation.id, answer.shown());
                answers.push(lasting(&answer));
            }
            assert_eq!(answers[0], answers[1], "{who} at {} {}", operation.id, operation.fill(&foreign));
        }
    })
    .await;
}

#[tokio::test]
async fn ids_of_another_tenant_are_nobodys_to_every_kind_of_caller() {
    let stage = Stage::start_with(&[("MISY_WORKER", "off")]).await;
    let (ids, _) = possessions(&stage).await;
    let before = stage.rows_of(&stage.verde).await;
    let callers = [
        ("nobody", Attacker::Nobody),
        ("a visitor", Attacker::Visitor(stage.browser(&stage.andina).await)),
        ("a chat server", Attacker::Program(stage.server(&stage.andina, &["chat:read", "chat:write"]).await)),
        ("a managing server", Attacker::Program(stage.server(&stage.andina, &["tenant:manage"]).await)),
        ("an administrator's key", Attacker::Key(stage.andina.administrator.clone())),
    ];
    for (who, attacker) in &callers {
        tries_everything(&stage, who, attacker, &ids).await;
    }
    // All the while who may manage its own tenant could.
    for (_, attacker) in &callers[3..] {
        stage.send(attacker.prove(Request::new("GET", stage.andina.path("")))).await.expect(200);
    }
    assert_eq!(stage.rows_of(&stage.verde).await, before);
    stage.is_well().await;
}

#[tokio::test]
async fn ids_of_another_tenant_are_nobodys_to_a_person_of_any_role() {
    let stage = Stage::start_with(&[("MISY_WORKER", "off")]).await;
    let person = stage.person(&stage.andina, "ana@business.example").await;
    let scopes =
        ["tenant:read", "keys:read", "audit:read", "sites:write", "context-pack:write", "decisions:read"];
    let body = json!({ "name": "everything", "scopes": scopes, "expiresAt": seconds_from_now(86_400) });
    let made = Request::new("POST", format!("{BASE}/auth/tokens")).json(&body);
    let personal = stage.send(person.sends(made)).await.expect(201).text("/token");
    let (ids, _) = possessions(&stage).await;
    let before = stage.rows_of(&stage.verde).await;
    for role in ROLES {
        let changed = format!("update misy.users set roles = '{{{role}}}' where tenant_id = 'andina'");
        stage.store.admin(changed).await.unwrap();
        tries_everything(&stage, role, &Attacker::Person(person.clone()), &ids).await;
        tries_everything(&stage, &format!("a token of {role}"), &Attacker::Key(personal.clone()), &ids).await;
    }
    assert_eq!(stage.rows_of(&stage.verde).await, before);
    // All the while its token was good, and it was signed in.
    let own = Request::new("GET", stage.andina.path(""));
    stage.send(own.bearer(&personal)).await.expect(200);
    let me = stage.send(person.sends(Request::new("GET", format!("{BASE}/auth/me")))).await.expect(200);
    assert_eq!(me.text("/user/userId"), person.user_id);
}

#[tokio::test]
async fn ids_of_another_tenant_in_a_body_or_a_cookie_are_nobodys_either() {
    let stage = Stage::start_with(&[("MISY_WORKER", "off")]).await;
    let (ids, luz) = possessions(&stage).await;
    let free = nobodys(&ids);
    let value = |ids: &Ids, name: &str| ids.known.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let visitor = stage.browser(&stage.andina).await;
    let victim = stage.browser(&stage.verde).await;
    let person = stage.person(&stage.andina, "ana@business.example").await;
    let before = stage.rows_of(&stage.verde).await;
    // Of a tenant where nobody enrolled yet.
    let key = Attacker::Key(stage.register("roja").await.administrator);
    let program = Attacker::Program(stage.server(&stage.andina, &["tenant:manage"]).await);
    let visitor = Attacker::Visitor(visitor);
    let person = Attacker::Person(person);
    let bodies = |ids: &Ids, user_session: &str, tenant: &str, token: &str| {
        let session = value(ids, "sessionId");
        vec![
            (
                &visitor,
                "POST",
                "/messages".to_owned(),
                json!({ "sessionId": session, "channel": "web", "text": "x" }),
            ),
            (&visitor, "POST", "/sessions".to_owned(), json!({ "channel": "web", "resume": session })),
            (
                &key,
                "POST",
                "/tokens/revoke".to_owned(),
                json!({ "tenantId": tenant, "tokenId": "tat_00000000000000000000000000" }),
            ),
            (&key, "POST", "/tokens/revoke".to_owned(), json!({ "token": token })),
            (&program, "POST", "/tokens/revoke".to_owned(), json!({ "token": token })),
            (&program, "POST", "/tokens/revoke".to_owned(), json!({ "tenantId": tenant, "token": token })),
            (&person, "POST", "/tokens/revoke".to_owned(), json!({ "token": token })),
            (&person, "DELETE", format!("/auth/sessions/{user_session}"), Value::Null),
            (&key, "POST", "/tenants/andina/keys".to_owned(), json!({ "siteId": value(ids, "siteId") })),
            (
                &key,
                "POST",
                "/tenants/andina/certificates".to_owned(),
                json!({ "name": "x", "fingerprint": "cd".repeat(32), "siteId": value(ids, "siteId") }),
            ),
            (
                &key,
                "POST",
                "/tenants/andina/certificates".to_owned(),
                json!({ "name": "x", "fingerprint": "cd".repeat(32), "secretKeyId": value(ids, "keyId") }),
            ),
        ]
    };
    let damaged = format!("{}x", victim.text);
    let nobody_session = format!("sgn_{}", "0".repeat(26));
    let foreign = bodies(&ids, &luz.session_id, &stage.verde.id, &victim.text);
    let unknown = bodies(&free, &nobody_session, "nobody-1", &damaged);
    for ((who, method, path, theirs), (_, _, other_path, nobodys)) in foreign.into_iter().zip(unknown) {
        let ask = async |path: &str, body: &Value| {
            let request = Request::new(method, format!("{BASE}{path}"));
            let request = if body.is_null() { request } else { request.json(body) };
            stage.send(who.prove(request)).await
        };
        let (first, second) = (ask(&path, &theirs).await, ask(&other_path, &nobodys).await);
        assert!((400..500).contains(&first.status), "{path} {theirs}: {}", first.shown());
        assert_eq!(lasting(&first), lasting(&second), "{path} {theirs}");
    }
    assert_eq!(stage.rows_of(&stage.verde).await, before);
    // What the victims have still works, and only with their own cookie.
    stage.send(luz.sends(Request::new("GET", format!("{BASE}/auth/me")))).await.expect(200);
    let request =
        victim.sign(Request::new("POST", format!("{BASE}/sessions")).json(&json!({ "channel": "web" })));
    stage.send(request).await.expect(201);
    let swapped = luz.sends(Request::new("PATCH", stage.verde.path("")).json(&json!({ "tenantName": "x" })));
    let Attacker::Person(ana) = &person else { unreachable!() };
    let swapped = swapped.set("cookie", format!("{SESSION_COOKIE}={}", ana.cookie));
    let answer = stage.send(swapped).await;
    assert!([403, 404].contains(&answer.status), "{}", answer.shown());
}

#[tokio::test]
async fn what_lists_things_lists_the_own_ones_only() {
    let stage = Stage::start_with(&[("MISY_WORKER", "off")]).await;
    possessions(&stage).await;
    let person = stage.person(&stage.andina, "ana@business.example").await;
    let callers = [
        Attacker::Program(stage.server(&stage.andina, &["tenant:manage"]).await),
        Attacker::Visitor(stage.browser(&stage.andina).await),
        Attacker::Person(person),
        Attacker::Nobody,
    ];
    let own = Ids::default().with("tenantId", &stage.andina.id).with("siteId", "main");
    for operation in operations(&stage).await.iter().filter(|one| one.method == "GET") {
        let path = operation.fill(&own);
        let mut targets = vec![path.clone()];
        for query in &operation.queries {
            targets.extend(
                ["verde-cafe", "%25", "'%20or%20true--", "*"].map(|text| format!("{path}?{query}={text}")),
            );
        }
        for target in targets {
            for attacker in &callers {
                let answer = stage.send(attacker.prove(Request::new("GET", &*target))).await;
                let text = String::from_utf8_lossy(&answer.body);
                let asked = target.contains("verde");
                assert!(answer.status < 500, "{target}: {text}");
                let leaks = text.contains("solo-verde")
                    || text.contains("luz@")
                    || (!asked && text.contains("verde"));
                assert!(!leaks, "{target}: {text}");
            }
        }
    }
}

/// Calls with an `Idempotency-Key` are answered again with what was answered before, secrets included: to nobody else.
#[tokio::test]
async fn an_answer_is_repeated_to_nobody_but_its_caller() {
    let stage = Stage::start_with(&[("MISY_SELF_REGISTRATION", "open")]).await;
    let key = "the-same-key-for-everybody-0001";
    let repeated = |request: Request| request.header("idempotency-key", key);
    let program = stage.server(&stage.andina, &["tenant:manage"]).await;
    let secret = |tenant: &crate::stage::Tenant| {
        repeated(Request::new("POST", tenant.path("/secrets")).json(&json!({ "overlapSeconds": 3_600 })))
    };
    let ana = stage.person(&stage.andina, "ana@andina.example").await;
    let eva = stage.person(&stage.andina, "eva@andina.example").await;
    let luz = stage.person(&stage.verde, "luz@verde.example").await;
    let olga = stage.person(&stage.owner, "olga@colombiatic.example").await;
    let first = stage.send(ana.sends(secret(&stage.andina))).await.expect(201);
    let again = stage.send(ana.sends(secret(&stage.andina))).await.expect(201);
    assert_eq!(first.body, again.body);
    for request in [
        program.sign(secret(&stage.andina)),
        eva.sends(secret(&stage.andina)),
        luz.sends(secret(&stage.verde)),
        ana.sends(secret(&stage.verde)),
        luz.sends(secret(&stage.andina)),
        olga.sends(secret(&stage.andina)),
        secret(&stage.andina).bearer(&stage.andina.administrator),
        secret(&stage.andina),
    ] {
        let answer = stage.send(request).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains(&first.text("/secret")), "{text}");
        assert!(!text.contains(&first.text("/keyId")), "{text}");
    }
    // Of two visitors, each has its own session.
    let open =
        || repeated(Request::new("POST", format!("{BASE}/sessions")).json(&json!({ "channel": "web" })));
    let (one, two) = (stage.browser(&stage.andina).await, stage.browser(&stage.andina).await);
    let ids = [
        stage.send(one.sign(open())).await.expect(201).text("/sessionId"),
        stage.send(two.sign(open())).await.expect(201).text("/sessionId"),
    ];
    assert_ne!(ids[0], ids[1]);
    // Who registers without any proof is answered again only for the whole of the same body, and never for a short key.
    let register = |id: &str, key: &str| {
        let body = crate::stage::registration(id);
        Request::new("POST", format!("{BASE}/tenants/register")).json(&body).header("idempotency-key", key)
    };
    stage.send(register("first-shop", "1")).await.refused(400, "bad_request");
    let mine = stage.send(register("first-shop", key)).await.expect(201).text("/tenantSecret/secret");
    let other = stage.send(register("other-shop", key)).await;
    assert!(!String::from_utf8_lossy(&other.body).contains(&mine), "{}", other.shown());
}
