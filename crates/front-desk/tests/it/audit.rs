//! The audit trail: that everything is in it, and that it can be proved by whoever asks.

mod formats;

use crate::support::{App, PATIENCE, Tenant, bare, raw, with_bearer};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, Request};
use http_body_util::BodyExt;
use misy_trust::audit_tree::{
    bundle::{Judgement, Verifier},
    checkpoint::{Checkpoint, PublicKey},
    entry::canonical,
    leaf_hash, verify_consistency, verify_inclusion,
};
use serde_json::{Value, json};
use std::{io::Write, process::Command};

async fn text(app: &App, who: &Tenant, path: &str) -> String {
    let request: Request<_> = with_bearer(bare(Method::GET, &who.path(path), None), &who.administrator);
    let response = app.open(request).await;
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(status, 200, "{text}");
    text
}

/// Waits until an entry of this kind is written: calls are, a moment later.
async fn wait_for(app: &App, who: &Tenant, query: &str) -> Value {
    let began = std::time::Instant::now();
    while began.elapsed() < PATIENCE {
        let path = who.path(&format!("/audit?limit=200&{query}"));
        let found = app.manage(who, Method::GET, &path, None).await.expect(200).body["items"].clone();
        if found.as_array().is_some_and(|found| !found.is_empty()) {
            return found[0].clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no entry for {query}");
}

/// An app in which something of every kind was done to `andina`.
async fn busy() -> (App, Tenant, Tenant, String) {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let token = app.browser(&andina).await;
    let session = app.session(&token).await;
    app.say(&token, &session, "mi teléfono es 300 123 4567").await.expect(202);
    app.say(&token, "ses_00000000000000000000000000", "hola").await.refused(404, "not_found");
    let shop = json!({ "siteId": "shop", "origins": ["https://shop.andina.example"] });
    app.manage(&andina, Method::POST, &andina.path("/sites"), Some(&shop)).await.expect(201);
    app.manage(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    app.manage(&owner, Method::POST, &andina.path("/activate"), None).await.expect(200);
    app.manage(&andina, Method::POST, &andina.path("/suspend"), None).await.refused(403, "permission_denied");
    (app, owner, andina, session)
}

#[tokio::test]
async fn calls_changes_refusals_tokens_and_cross_tenant_work_are_recorded_without_anything_personal() {
    let (app, owner, andina, session) = busy().await;
    let call = wait_for(&app, &andina, "action=writeMessage&outcome=ok").await;
    assert_eq!(call["sessionId"], session.as_str());
    assert_eq!(call["origin"], andina.origin.as_str());
    assert_eq!((call["tenantId"].as_str(), call["siteId"].as_str()), (Some("andina"), Some("main")));
    assert!(call["actor"].as_str().unwrap().starts_with("tat_"));
    assert!(call["durationMicros"].as_i64().unwrap() > 0);
    // The entry of a call is found by the id that its answer carried.
    assert_eq!(call["auditId"].as_str().unwrap()[4..], call["requestId"].as_str().unwrap()[4..]);
    let refusal = wait_for(&app, &andina, "action=writeMessage&outcome=not_found").await;
    assert_eq!((refusal["status"].as_i64(), refusal["kind"].as_str()), (Some(404), Some("call")));
    let denied = wait_for(&app, &andina, "action=suspendTenant&outcome=permission_denied").await;
    assert!(denied["actor"].as_str().unwrap().starts_with("key_"));
    let minted = wait_for(&app, &andina, "action=mintToken&kind=call&outcome=ok").await;
    assert_eq!(minted["origin"], andina.origin.as_str());
    let change = wait_for(&app, &andina, "kind=change&action=createSite&subject=shop").await;
    assert!(change["actor"].as_str().unwrap().starts_with("key_"));
    let foreign = wait_for(&app, &andina, "kind=change&action=suspendTenant").await;
    assert!(foreign["actor"].as_str().unwrap().starts_with("colombiatic/usr_"), "{foreign}");
    // Work across all tenants stands in the trail of whose it is.
    app.manage(&owner, Method::GET, "/tenants", None).await.expect(200);
    wait_for(&app, &owner, "kind=system&action=listTenants").await;
    let only = |query: &str| {
        let path = andina.path(&format!("/audit?{query}"));
        let app = &app;
        let andina = &andina;
        async move {
            app.manage(andina, Method::GET, &path, None).await.expect(200).body["items"]
                .as_array()
                .unwrap()
                .len()
        }
    };
    assert_eq!(only(&format!("siteId=main&sessionId={session}&action=writeMessage&outcome=ok")).await, 1);
    assert_eq!(only("siteId=elsewhere").await + only("subject=nothing").await, 0);

    let whole = text(&app, &andina, "/audit/export").await;
    for secret in
        ["300 123", "teléfono", "hola@business.example", &andina.administrator, &andina.publishable_key]
    {
        assert!(!whole.contains(secret), "{secret} stands in the trail");
    }
    assert!(!whole.contains("eyJ"), "a token stands in the trail");
}

#[tokio::test]
async fn an_entry_and_the_growth_of_the_trail_are_proved() {
    let (app, _, andina, _) = busy().await;
    let first = Checkpoint::read(&text(&app, &andina, "/audit/checkpoint").await).unwrap();
    let change = wait_for(&app, &andina, "kind=change&action=createSite").await;
    let path = andina.path(&format!("/audit/entries/{}/proof", change["auditId"].as_str().unwrap()));
    let proof = app.manage(&andina, Method::GET, &path, None).await.expect(200).body;
    let hash =
        |text: &Value| -> [u8; 32] { STANDARD.decode(text.as_str().unwrap()).unwrap().try_into().unwrap() };
    let hashes = |list: &Value| list.as_array().unwrap().iter().map(hash).collect::<Vec<[u8; 32]>>();
    let leaf = leaf_hash(&canonical(proof["entry"].as_object().unwrap()).unwrap());
    let size = proof["treeSize"].as_u64().unwrap();
    let root = hash(&proof["rootHash"]);
    verify_inclusion(&leaf, proof["leafIndex"].as_u64().unwrap(), size, &hashes(&proof["hashes"]), &root)
        .unwrap();
    assert_eq!(proof["entry"]["actor"], change["actor"]);

    let keys = app.send(raw(Method::GET, "/.well-known/misy-audit-keys.json", None)).await.expect(200).body;
    let origin = format!("{}/audit/andina", keys["issuer"].as_str().unwrap());
    let key =
        PublicKey::new(&origin, &STANDARD.decode(keys["keys"][0]["publicKey"].as_str().unwrap()).unwrap());
    let note = proof["checkpoint"].as_str().unwrap();
    let signed = Checkpoint::verify(note, &origin, std::slice::from_ref(&key)).unwrap();
    assert_eq!((signed.size, signed.root), (size, root));

    // A new entry comes later and is sealed when it is asked for.
    let second = json!({ "siteId": "second", "origins": ["https://second.andina.example"] });
    app.manage(&andina, Method::POST, &andina.path("/sites"), Some(&second)).await.expect(201);
    let change = wait_for(&app, &andina, "kind=change&subject=second").await;
    let path = andina.path(&format!("/audit/entries/{}/proof", change["auditId"].as_str().unwrap()));
    let later = app.manage(&andina, Method::GET, &path, None).await.expect(200).body;
    let target = andina.path(&format!("/audit/consistency?from={}", first.size));
    let consistency = app.manage(&andina, Method::GET, &target, None).await.expect(200).body;
    assert_eq!(consistency["to"], later["treeSize"]);
    assert_eq!(hash(&consistency["fromRootHash"]), first.root);
    verify_consistency(
        first.size,
        consistency["to"].as_u64().unwrap(),
        &first.root,
        &hash(&later["rootHash"]),
        &hashes(&consistency["hashes"]),
    )
    .unwrap();
    let listed =
        app.manage(&andina, Method::GET, &andina.path("/audit/checkpoints?limit=1"), None).await.expect(200);
    assert_eq!(listed.body["items"][0]["treeSize"], later["treeSize"]);
    let next = format!("/audit/checkpoints?cursor={}", listed.text("nextCursor"));
    let older = app.manage(&andina, Method::GET, &andina.path(&next), None).await.expect(200);
    assert_eq!(older.body["items"].as_array().unwrap().last().unwrap()["treeSize"], first.size);
    for bad in ["/audit/consistency?from=0", "/audit/consistency", "/audit/consistency?from=2&to=999999"] {
        app.manage(&andina, Method::GET, &andina.path(bad), None).await.refused(422, "validation_failed");
    }
    let nowhere = andina.path("/audit/entries/aud_00000000000000000000000000/proof");
    app.manage(&andina, Method::GET, &nowhere, None).await.refused(404, "not_found");
}

fn judge(export: &str, keys: &[PublicKey], since: Option<&str>) -> Judgement {
    let mut verifier = Verifier::new(keys.to_vec());
    if let Some(note) = since {
        verifier = verifier.since(note);
    }
    export.lines().for_each(|line| verifier.line(line));
    verifier.judge()
}

/// The other verifier: Python's standard library and nothing of ours.
fn judge_elsewhere(export: &str, keys: &[PublicKey], since: Option<&str>) -> (bool, String) {
    let dir = std::env::temp_dir().join(format!(
        "misy-audit-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&dir).unwrap();
    let (file, note) = (dir.join("export.ndjson"), dir.join("checkpoint"));
    std::fs::File::create(&file).unwrap().write_all(export.as_bytes()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/verify-audit-export");
    let mut command = Command::new("python3");
    command.arg(script).arg(&file);
    for key in keys {
        command.arg("--key").arg(key.to_string());
    }
    if let Some(since) = since {
        std::fs::write(&note, since).unwrap();
        command.arg("--since").arg(&note);
    }
    let output = command.output().unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.code().is_some_and(|code| code < 2), "{said}");
    (output.status.success(), said)
}

fn lines(export: &str) -> Vec<Value> {
    export.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn joined(lines: &[Value]) -> String {
    lines.iter().flat_map(|line| [line.to_string(), "\n".to_owned()]).collect()
}

fn entry_places(lines: &[Value]) -> Vec<usize> {
    (0..lines.len()).filter(|place| lines[*place]["type"] == "entry").collect()
}

/// Something that is done to an export.
type Edit<'a> = Box<dyn Fn(&mut Vec<Value>) + 'a>;

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "a table of what can be done to an export")]
async fn an_export_is_verified_by_two_programs_and_whatever_is_done_to_it_is_found() {
    let (app, owner, andina, _) = busy().await;
    wait_for(&app, &andina, "action=suspendTenant&kind=call").await;
    let earlier = text(&app, &andina, "/audit/checkpoint").await;
    let second = json!({ "siteId": "second", "origins": ["https://second.andina.example"] });
    app.manage(&andina, Method::POST, &andina.path("/sites"), Some(&second)).await.expect(201);
    let export = text(&app, &andina, "/audit/export?format=ndjson").await;
    let all = lines(&export);
    let key: PublicKey =
        all.iter().find(|line| line["type"] == "key").unwrap()["key"].as_str().unwrap().parse().unwrap();
    let keys = std::slice::from_ref(&key);
    let judgement = judge(&export, keys, Some(&earlier));
    assert_eq!(judgement.findings, Vec::<String>::new());
    assert!(judgement.entries > 8 && judgement.checkpoints_compared >= 3 && judgement.keys_are_pinned);
    let (fine, said) = judge_elsewhere(&export, keys, Some(&earlier));
    assert!(fine, "{said}");
    assert!(judge(&export, &[], None).findings.is_empty() && judge_elsewhere(&export, &[], None).0);

    let foreign = text(&app, &owner, "/audit/export").await;
    let other_note = lines(&foreign).iter().rev().find(|l| l["type"] == "checkpoint").unwrap().clone();
    let entries = entry_places(&all);
    let last_note = all.iter().rposition(|line| line["type"] == "checkpoint").unwrap();
    let reseal = |line: &mut Value| {
        let hash = leaf_hash(&canonical(line["entry"].as_object().unwrap()).unwrap());
        line["leafHash"] = STANDARD.encode(hash).into();
    };
    let edits: Vec<(&str, Edit<'_>)> = vec![
        ("an edited field", Box::new(|all| all[entries[2]]["entry"]["actor"] = "nobody".into())),
        (
            "an edited field with its hash",
            Box::new(|all| {
                all[entries[2]]["entry"]["outcome"] = "fine".into();
                reseal(&mut all[entries[2]]);
            }),
        ),
        ("an added field", Box::new(|all| all[entries[1]]["entry"]["note"] = "x".into())),
        (
            "a removed entry",
            Box::new(|all| {
                all.remove(entries[3]);
            }),
        ),
        (
            "a removed entry, renumbered",
            Box::new(|all| {
                all.remove(entries[3]);
                for (index, place) in entry_places(all).into_iter().enumerate() {
                    all[place]["leafIndex"] = index.into();
                }
                let count = entry_places(all).len();
                all[0]["treeSize"] = count.into();
                all.last_mut().unwrap()["entries"] = count.into();
            }),
        ),
        (
            "a swapped pair",
            Box::new(|all| {
                let (one, other) = (all[entries[1]]["entry"].clone(), all[entries[2]]["entry"].clone());
                all[entries[1]]["entry"] = other;
                all[entries[2]]["entry"] = one;
                reseal(&mut all[entries[1]]);
                reseal(&mut all[entries[2]]);
            }),
        ),
        ("a truncated tail", Box::new(|all| all.truncate(entries[5]))),
        (
            "a tail cut off with care",
            Box::new(|all| {
                // As if the trail had ended at the first checkpoint, which is genuine.
                let kept = Checkpoint::read(
                    all.iter().find(|l| l["type"] == "checkpoint").unwrap()["note"].as_str().unwrap(),
                );
                let size = kept.unwrap().size;
                all[0]["treeSize"] = size.into();
                let mut notes = 0;
                all.retain(|line| match line["type"].as_str().unwrap() {
                    "checkpoint" => {
                        notes += 1;
                        notes == 1
                    }
                    "entry" => line["leafIndex"].as_u64().unwrap() < size,
                    _ => true,
                });
                all.last_mut().unwrap()["entries"] = size.into();
            }),
        ),
        (
            "a forged checkpoint",
            Box::new(|all| {
                let note = all[last_note]["note"].as_str().unwrap().to_owned();
                let signature = note.rfind(' ').unwrap() + 12;
                let mut forged = note.into_bytes();
                forged[signature] = if forged[signature] == b'A' { b'B' } else { b'A' };
                all[last_note]["note"] = String::from_utf8(forged).unwrap().into();
            }),
        ),
        ("a checkpoint of another tenant", Box::new(|all| all[last_note] = other_note.clone())),
        (
            "a checkpoint of another key",
            Box::new(|all| {
                let entropy = misy_trust::SystemEntropy::new();
                let seed = misy_trust::audit_tree::checkpoint::CheckpointKey::generate(&entropy);
                let forger = misy_trust::audit_tree::checkpoint::CheckpointKey::from_seed(&seed).unwrap();
                let genuine = Checkpoint::read(all[last_note]["note"].as_str().unwrap()).unwrap();
                all[last_note]["note"] = genuine.sign(&[&forger]).into();
                let key = all.iter().position(|line| line["type"] == "key").unwrap();
                all[key]["key"] = forger.public(&genuine.origin).to_string().into();
            }),
        ),
        (
            "a key beside the genuine ones that no key vouches for",
            Box::new(|all| {
                let entropy = misy_trust::SystemEntropy::new();
                let seed = misy_trust::audit_tree::checkpoint::CheckpointKey::generate(&entropy);
                let forger = misy_trust::audit_tree::checkpoint::CheckpointKey::from_seed(&seed).unwrap();
                let genuine = Checkpoint::read(all[last_note]["note"].as_str().unwrap()).unwrap();
                all[last_note]["note"] = genuine.sign(&[&forger]).into();
                let key = all.iter().position(|line| line["type"] == "key").unwrap();
                let mut slipped_in = all[key].clone();
                slipped_in["key"] = forger.public(&genuine.origin).to_string().into();
                all.insert(key + 1, slipped_in);
            }),
        ),
        ("no checkpoint", Box::new(|all| all.retain(|line| line["type"] != "checkpoint"))),
    ];
    for (what, edit) in edits {
        let mut edited = all.clone();
        edit(&mut edited);
        let edited = joined(&edited);
        assert!(
            !judge(&edited, keys, Some(&text(&app, &andina, "/audit/checkpoint").await)).findings.is_empty(),
            "{what}"
        );
        let (fine, said) =
            judge_elsewhere(&edited, keys, Some(&text(&app, &andina, "/audit/checkpoint").await));
        assert!(!fine, "{what}: {said}");
    }
}

#[tokio::test]
async fn a_part_of_the_trail_is_proved_too() {
    let app = App::start().await;
    let andina = app.two().await.1;
    app.advance(std::time::Duration::from_hours(1));
    let from = misy_domain::Clock::now(&*app.store.clock);
    for number in 0..5 {
        let site =
            json!({ "siteId": format!("s{number}"), "origins": [format!("https://s{number}.example")] });
        app.manage(&andina, Method::POST, &andina.path("/sites"), Some(&site)).await.expect(201);
    }
    wait_for(&app, &andina, "kind=call&action=createSite").await;
    app.advance(std::time::Duration::from_hours(1));
    let to = misy_domain::Clock::now(&*app.store.clock);
    app.manage(&andina, Method::DELETE, &andina.path("/sites/s0"), None).await.expect(204);
    let export = text(&app, &andina, &format!("/audit/export?from={from}&to={to}")).await;
    let all = lines(&export);
    assert!(all[0]["firstLeaf"].as_i64().unwrap() > 0);
    assert_eq!(judge(&export, &[], None).findings, Vec::<String>::new());
    let (fine, said) = judge_elsewhere(&export, &[], None);
    assert!(fine, "{said}");
    let first = lines(&text(&app, &andina, "/audit/export").await)
        .iter()
        .find(|l| l["type"] == "checkpoint")
        .unwrap()["note"]
        .as_str()
        .unwrap()
        .to_owned();
    // A change is in the trail with its answer, unlike a call: so the trail is longer now than it was then.
    app.manage(&andina, Method::DELETE, &andina.path("/sites/s1"), None).await.expect(204);
    let none = text(&app, &andina, "/audit/export?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z").await;
    assert_eq!(judge(&none, &[], None).findings, Vec::<String>::new());
    assert!(judge_elsewhere(&none, &[], None).0);
    assert!(!judge(&none, &[], Some(&first)).findings.is_empty(), "it does not reach back");
}

#[tokio::test]
async fn a_report_says_who_did_what_and_proves_it() {
    let (app, _, andina, _) = busy().await;
    wait_for(&app, &andina, "action=suspendTenant&kind=call&outcome=permission_denied").await;
    let key = json!({ "siteId": "main", "mode": "test" });
    app.manage(&andina, Method::POST, &andina.path("/keys"), Some(&key)).await.expect(201);
    app.advance(std::time::Duration::from_secs(5));
    let report = app.manage(&andina, Method::GET, &andina.path("/audit/report"), None).await.expect(200).body;
    let has = |list: &str, name: &str, text: &str| {
        report[list].as_array().unwrap().iter().any(|item| item[name].as_str().unwrap().contains(text))
    };
    assert!(has("privileged", "actor", "colombiatic/"), "{report}");
    assert!(has("credentialChanges", "action", "createKey"), "{report}");
    assert!(has("refusals", "reason", "permission_denied") && has("access", "actor", "tat_"), "{report}");
    assert!(report["entries"]["change"].as_i64().unwrap() > 3);
    assert_eq!(report["integrity"]["leavesWithoutEntry"], 0);
    Checkpoint::read(report["integrity"]["checkpoint"].as_str().unwrap()).unwrap();
    for (lang, title) in [("es", "Informe de cumplimiento"), ("en", "Compliance report"), ("pt", "Relatório")]
    {
        let page = text(&app, &andina, &format!("/audit/report?format=html&lang={lang}")).await;
        assert!(
            page.contains(title)
                && page.contains(&format!("<html lang=\"{lang}\">"))
                && !page.contains("<script")
        );
        assert!(
            text(&app, &andina, &format!("/audit/report?format=markdown&lang={lang}")).await.contains(title)
        );
    }
    for bad in ["?format=pdf", "?lang=fr", "?from=2030-01-01T00:00:00Z&to=2029-01-01T00:00:00Z"] {
        let path = andina.path(&format!("/audit/report{bad}"));
        app.manage(&andina, Method::GET, &path, None).await.refused(422, "validation_failed");
    }
}

#[tokio::test]
async fn a_row_that_somebody_put_among_the_keys_is_not_published_and_the_owner_hears_of_it_once() {
    let app = App::start().await;
    let owner = app.two().await.0;
    let published = async || {
        let request = raw(Method::GET, "/.well-known/misy-audit-keys.json", None);
        app.send(request).await.expect(200).body
    };
    let before = published().await;
    let insert = "insert into platform.audit_keys (key_id, public_key, sealed_private_key, created_at, retires_at)
                  values ('key_x', sha256('x'), 'x', now() - interval '400 days', now() - interval '300 days')";
    app.store.admin(insert).await.unwrap();
    assert_eq!(published().await, before);
    for _ in 0..2 {
        app.desk.tell_of_keys_set_aside().await.unwrap();
    }
    let alerts = app.manage(&owner, Method::GET, &owner.path("/alerts"), None).await.expect(200).body;
    let told: Vec<_> =
        alerts["items"].as_array().unwrap().iter().filter(|alert| alert["rule"] == "key_set_aside").collect();
    assert_eq!(told.len(), 1, "{alerts}");
    assert_eq!(told[0]["subject"], "audit_keys/key_x");
}
