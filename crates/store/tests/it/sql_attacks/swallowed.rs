//! Keeping the trail from telling: by standing where an entry or an alert would, and by writing more than the sequencer can hold.

use super::{Stage, andina, refused};
use misy_domain::{AlertId, Clock, RequestId, TenantId};
use misy_store::{
    AuditLog,
    alerts::{self, Alert, Severity},
    audit::CallEntry,
    database::Role,
};
use sqlx::{AssertSqlSafe, Executor};

fn call(stage: &Stage, request_id: RequestId) -> CallEntry {
    CallEntry {
        at: stage.clock.now(),
        action: "readTenant",
        actor: Some("key_1".into()),
        site_id: None,
        session_id: None,
        origin: Some("https://a.example".into()),
        outcome: "ok",
        status: 200,
        duration_micros: 7,
        request_id,
        subject: None,
        detail: None,
    }
}

/// Writes calls as the program does, and waits until they are written.
async fn written(stage: &Stage, calls: &[CallEntry]) {
    let log = AuditLog::start(stage.database.clone());
    for call in calls {
        log.record_call(andina(), call.clone());
    }
    log.shutdown().await;
}

#[tokio::test]
async fn nobody_takes_the_place_of_a_calls_entry() {
    let stage = Stage::private().await;
    let of = |request: &RequestId| request.to_string().replacen("req_", "aud_", 1);
    let requests: Vec<_> = (0..5).map(|_| RequestId::new(&*stage.clock, &*stage.entropy)).collect();
    let forged = |id: &str, kind: &str| {
        format!(
            "insert into misy.audit_entries (tenant_id, audit_id, kind, action, actor, outcome)
             values ('andina', '{id}', '{kind}', 'nothing', 'system', 'ok')"
        )
    };
    // Who writes changes only has none of the ids of calls, and is told so.
    for (role, kind) in [(Role::App, "change"), (Role::Worker, "change"), (Role::System, "system")] {
        let mut session = stage.session(role).await;
        session.execute("set app.tenant_id = 'andina'").await.unwrap();
        for request in &requests {
            refused(&mut session, role, &forged(&of(request), kind)).await;
        }
    }
    // Who writes calls may stand there first: then the entry comes under another id, and the tenant hears of it.
    let mut worker = stage.session(Role::Worker).await;
    worker.execute("set app.tenant_id = 'andina'").await.unwrap();
    worker.execute(AssertSqlSafe(forged(&of(&requests[0]), "call"))).await.unwrap();
    let calls: Vec<_> = requests.iter().map(|request| call(&stage, *request)).collect();
    written(&stage, &calls).await;
    let told = "select count(*)::text from misy.audit_entries where action = 'readTenant'";
    assert_eq!(stage.text(told).await, "5");
    let elsewhere = "select detail ->> 'insteadOf' from misy.audit_entries where action = 'readTenant' and detail is not null";
    assert_eq!(stage.text(elsewhere).await, of(&requests[0]));
    let alert = "select rule || severity || subject from misy.alerts";
    assert_eq!(stage.text(alert).await, format!("audit_entry_takencritical{}", of(&requests[0])));

    // What comes again after a lost connection is the same and is not written again.
    written(&stage, &calls[1..]).await;
    assert_eq!(stage.text(told).await, "5");
    assert_eq!(stage.text("select count(*)::text from misy.alerts").await, "1");
    stage.sealer.round().await.unwrap();
    assert_eq!(stage.findings().await, Vec::<String>::new());
    // No text of a call is so long that its entry is refused.
    let mut long = call(&stage, RequestId::new(&*stage.clock, &*stage.entropy));
    long.origin = Some("x".repeat(100_000));
    long.subject = Some("é".repeat(100_000));
    long.detail = Some(serde_json::json!({ "x": "x".repeat(100_000) }));
    written(&stage, &[long]).await;
    assert_eq!(stage.text(told).await, "6");
}

#[tokio::test]
async fn nobody_raises_an_alert_before_its_event_or_one_that_is_acknowledged() {
    let stage = Stage::private().await;
    let alert = Alert {
        alert_id: AlertId::new(&*stage.clock, &*stage.entropy),
        rule: "privilege_burst".into(),
        occurrence: "usr_1/42".into(),
        severity: Severity::Critical,
        actor: None,
        subject: None,
        detail: serde_json::json!({}),
        raised_at: stage.clock.now(),
        acknowledged_at: None,
        acknowledged_by: None,
    };
    let columns = "tenant_id, alert_id, rule, occurrence, severity, raised_at";
    let values = "'andina', 'alr_x', 'privilege_burst', 'usr_1/42', 'info', now()";
    for role in Role::ALL {
        let mut session = stage.session(role).await;
        session.execute("set app.tenant_id = 'andina'").await.unwrap();
        let acknowledged =
            format!("insert into misy.alerts ({columns}, acknowledged_at) values ({values}, now())");
        refused(&mut session, role, &acknowledged).await;
    }
    let mut app = stage.session(Role::App).await;
    app.execute("set app.tenant_id = 'andina'").await.unwrap();
    app.execute(AssertSqlSafe(format!("insert into misy.alerts ({columns}) values ({values})")))
        .await
        .unwrap();
    let mut tx = stage.database.tenant("test", &andina()).await.unwrap();
    assert!(alerts::raise(&mut tx, &stage.vault, &alert).await.unwrap(), "it is raised nonetheless");
    let again = Alert { alert_id: AlertId::new(&*stage.clock, &*stage.entropy), ..alert };
    assert!(!alerts::raise(&mut tx, &stage.vault, &again).await.unwrap(), "and once");
    tx.commit().await.unwrap();
    assert_eq!(stage.text("select count(*)::text from misy.alerts where severity = 'critical'").await, "1");
}

#[tokio::test]
async fn what_fills_the_trail_of_one_tenant_is_taken_in_small_pieces_and_keeps_no_other_waiting() {
    let stage = Stage::private().await;
    let mut app = stage.session(Role::App).await;
    app.execute("set app.tenant_id = 'andina'").await.unwrap();
    let many = |rows: u32, octets: u32| {
        format!(
            "insert into misy.audit_entries (tenant_id, audit_id, kind, action, actor, outcome, detail)
             select 'andina', 'aud_' || replace(gen_random_uuid()::text, '-', '') || '1', 'change', 'a', 'b', 'ok',
                    jsonb_build_object('x', repeat('x', {octets}))
             from generate_series(1, {rows})"
        )
    };
    // Neither is one entry large, nor one statement endless.
    refused(&mut app, Role::App, &many(1, 1_000_000)).await;
    refused(&mut app, Role::App, &many(1, 17_000)).await;
    refused(&mut app, Role::App, &many(5_001, 1)).await;
    for _ in 0..2 {
        app.execute(AssertSqlSafe(many(1_000, 16_000))).await.unwrap();
    }
    let largest = "select max(octets)::text from misy.audit_pending";
    assert!(stage.text(largest).await.parse::<i64>().unwrap() < 300_000, "{}", stage.text(largest).await);

    // One round takes turns: the other tenant's entry has its leaf long before the flood has.
    let other: TenantId = "verde-cafe".parse().unwrap();
    let mut tx = stage.database.tenant("test", &other).await.unwrap();
    let entry = misy_store::audit::AuditEntry::new(
        misy_store::audit::Kind::Change,
        "createSite",
        &misy_store::audit::Actor::outside("key_2"),
        &*stage.clock,
        &*stage.entropy,
    );
    misy_store::audit::record(&mut tx, &entry).await.unwrap();
    tx.commit().await.unwrap();
    stage.sealer.round().await.unwrap();
    let is_first = "select ((select max(xmin::text::bigint) from misy.audit_leaves where tenant_id = 'verde-cafe')
                            < (select max(xmin::text::bigint) from misy.audit_leaves where tenant_id = 'andina'))::text";
    assert_eq!(stage.text(is_first).await, "true");
    let most = "select max(n)::text from (
                    select count(*) as n from misy.audit_leaves where tenant_id = 'andina' group by xmin::text) t";
    let most: i64 = stage.text(most).await.parse().unwrap();
    assert!(most < 400, "one transaction takes about four megabytes: {most} of 2000 entries");
    assert_eq!(stage.text("select count(*)::text from misy.audit_leaves").await, "2004");
    assert_eq!(stage.findings().await, Vec::<String>::new());
}
