//! The end of a tenant: closed with a time to come back, and then gone but for its audit trail.

use crate::{
    files,
    people::Browser,
    support::{App, Tenant, with_bearer},
};
use http::Method;
use misy_domain::TenantId;
use misy_store::closing::{self, Purged};
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// Rows of a tenant in every table that has a `tenant_id`, by table: whoever adds a table adds it here too.
async fn rows_of(app: &App, tenant: &str) -> Vec<(String, i64)> {
    let mut admin = app.store.connect_as("postgres").await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c join pg_attribute a on a.attrelid = c.oid
         where c.relnamespace in ('misy'::regnamespace, 'platform'::regnamespace) and c.relkind in ('r', 'p')
             and a.attname = 'tenant_id' and not a.attisdropped order by 1",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let sql = format!("select count(*) from {table} where tenant_id = $1");
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(tenant).fetch_one(&mut admin).await.unwrap();
        rows.push((table, count));
    }
    rows
}

/// What stays of a tenant that is gone: its sealed audit, what the owner's people did to it, and that its id is taken.
fn may_stay(table: &str) -> bool {
    table.starts_with("audit") || table == "privilege_uses" || table == "platform.tenant_ids"
}

/// The bytes of files follow their rows with the sweep.
async fn assert_gone(app: &App, tenant: &str) {
    app.desk.sweep().await.unwrap();
    let folder = format!("/{tenant}/");
    let bytes = app.store.stored_bytes();
    assert!(!bytes.iter().any(|path| path.to_str().unwrap().contains(&folder)), "files of {tenant} are left");
    for (table, count) in rows_of(app, tenant).await {
        assert!(count == 0 || may_stay(&table), "{count} rows of {tenant} are left in {table}");
    }
}

/// A tenant that has something in as many tables as calls can reach.
async fn lived_in(app: &App, owner: &Tenant, id: &str) -> Tenant {
    let tenant = app.register(owner, id, &format!("https://{id}.example")).await;
    let tenant = files::with_files(app, &tenant).await;
    files::leave(app, &tenant).await;
    let token = app.browser(&tenant).await;
    let session = app.session(&token).await;
    for text in ["hola", "¿cuánto cuesta?", "gracias"] {
        app.say(&token, &session, text).await.expect(202);
    }
    let limits = json!({ "limits": [{ "scope": "tenant", "requests": 1_000_000, "periodSeconds": 1 }] });
    app.manage(owner, Method::PUT, &tenant.path("/limits"), Some(&limits)).await.expect(200);
    let certificate = json!({ "name": "x", "fingerprint": "ab".repeat(32) });
    app.manage(&tenant, Method::POST, &tenant.path("/certificates"), Some(&certificate)).await.expect(201);
    let mut once = with_bearer(
        crate::support::bare(Method::POST, &tenant.path("/keys"), Some(&json!({ "siteId": "main" }))),
        &tenant.administrator,
    );
    crate::support::put(&mut once, "idempotency-key", "one-key-please");
    app.send(once).await.expect(201);
    let mut renewal = app.signed(&token, Method::POST, "/tokens", Some(&json!({ "siteId": "main" })));
    crate::support::put(&mut renewal, "x-api-key", &tenant.publishable_key);
    app.send(renewal).await.expect(201);
    app.call(&token, Method::POST, "/tokens/revoke", None).await.expect(204);
    tenant
}

async fn close(app: &App, who: &Tenant, tenant: &Tenant, body: serde_json::Value) -> crate::support::Answer {
    app.manage(who, Method::POST, &tenant.path("/close"), Some(&body)).await
}

#[tokio::test]
async fn a_closed_tenant_can_come_back_whole_until_its_grace_period_is_over() {
    let app = App::start().await;
    let owner = app.owner().await;
    let andina = lived_in(&app, &owner, "andina").await;
    let verde = app.register(&owner, "verde-cafe", "https://verde.example").await;
    let before = rows_of(&app, "andina").await;

    close(&app, &verde, &andina, json!({})).await.refused(404, "not_found");
    close(&app, &andina, &andina, json!({ "graceDays": 9 })).await.refused(403, "permission_denied");
    // Nobody leaves no time at all.
    close(&app, &owner, &andina, json!({ "graceDays": 0 })).await.refused(422, "validation_failed");
    close(&app, &andina, &andina, json!({ "graceDays": 366 })).await.refused(422, "validation_failed");
    let reason = "x".repeat(501);
    close(&app, &andina, &andina, json!({ "reason": reason })).await.refused(422, "validation_failed");
    let closed = close(&app, &andina, &andina, json!({ "reason": "moving on" })).await.expect(200);
    assert_eq!(closed.body["status"], "closed");
    assert_eq!(closed.body["notice"]["removes"]["messages"], 4, "{}", closed.body);
    assert_eq!(closed.body["notice"]["removes"]["attachments"], 2);
    assert!(closed.body["notice"]["removes"].get("audit_entries").is_none());
    let purge_at = closed.text("purgeAt");
    let closed_at: jiff::Timestamp = closed.text("closedAt").parse().unwrap();
    assert_eq!(purge_at.parse::<jiff::Timestamp>().unwrap(), closed_at + 30 * DAY);
    app.send(app.mint_request(&andina, &json!({ "siteId": "main" }))).await.refused(403, "tenant_suspended");
    app.manage(&andina, Method::GET, &andina.path(""), None).await.refused(403, "tenant_suspended");

    // Closing once more moves nothing; the owner may move it.
    app.pass(DAY).await;
    assert_eq!(close(&app, &owner, &andina, json!({})).await.expect(200).text("purgeAt"), purge_at);
    let moved = close(&app, &owner, &andina, json!({ "graceDays": 9 })).await.expect(200);
    assert_eq!(moved.text("purgeAt").parse::<jiff::Timestamp>().unwrap(), closed_at + 10 * DAY);
    app.pass(8 * DAY).await;
    assert_eq!(app.desk.purge_due().await.unwrap(), 0, "not before its time");
    let read = app.manage(&owner, Method::GET, &andina.path(""), None).await.expect(200);
    assert_eq!(read.text("purgeAt"), moved.text("purgeAt"));

    let back = json!({ "reason": "they stay after all" });
    let back = app.manage(&owner, Method::POST, &andina.path("/activate"), Some(&back)).await.expect(200);
    assert!(back.body["purgeAt"].is_null() && back.body["closedAt"].is_null());
    app.pass(15 * DAY).await;
    assert_eq!(app.desk.purge_due().await.unwrap(), 0);
    let after = rows_of(&app, "andina").await;
    for ((table, before), (_, after)) in before.iter().zip(&after) {
        assert!(after >= before, "{table} has lost rows");
    }
    let mint = app.mint_request(&andina, &json!({ "siteId": "main" }));
    app.send(mint).await.expect(201);

    let events = app.manage(&owner, Method::GET, &andina.path("/events"), None).await.expect(200);
    let events = events.body["items"].as_array().unwrap().clone();
    let told: Vec<_> =
        events.iter().map(|event| (event["event"].as_str().unwrap(), event["reason"].as_str())).collect();
    let expected = [
        ("activated", Some("they stay after all")),
        ("closed", Some("Ticket 17: as agreed on the phone")),
        ("closed", Some("Ticket 17: as agreed on the phone")),
        ("closed", Some("moving on")),
        ("registered", None),
    ];
    assert_eq!(told, expected);
    assert!(events[0]["actor"].as_str().unwrap().starts_with("colombiatic/"));
    assert!(events[3]["actor"].as_str().unwrap().starts_with("usr_"));
}

#[tokio::test]
async fn nothing_of_a_closed_tenant_remains_but_its_audit_trail() {
    let app = App::start().await;
    let owner = app.owner().await;
    let andina = lived_in(&app, &owner, "andina").await;
    let verde = lived_in(&app, &owner, "verde-cafe").await;
    let untouched = rows_of(&app, "verde-cafe").await;
    let replica = app.replica().await;
    close(&app, &owner, &andina, json!({ "graceDays": 1, "reason": "contract ended" })).await.expect(200);
    app.pass(DAY).await;
    // Two replicas clean up at the same time; each tenant is cleaned up once.
    let (one, other) = tokio::join!(app.desk.purge_due(), replica.purge_due());
    assert_eq!(one.unwrap() + other.unwrap(), 1);
    assert_gone(&app, "andina").await;
    let kept = rows_of(&app, "verde-cafe").await;
    for ((table, before), (_, after)) in untouched.iter().zip(&kept) {
        assert!(after >= before, "{table} has lost rows of another tenant");
    }
    app.manage(&owner, Method::GET, &andina.path(""), None).await.refused(404, "not_found");
    app.with_token(&andina, Method::GET, &andina.path(""), None).await.refused(401, "token_invalid");
    app.manage(&verde, Method::GET, &verde.path(""), None).await.expect(200);
    let mut again = crate::support::registration("andina", "https://andina.example");
    again["tenantId"] = json!("andina");
    app.manage(&owner, Method::POST, "/tenants", Some(&again)).await.refused(409, "conflict");

    let mut tx = app.store.database.tenant("test", &andina.tenant_id()).await.unwrap();
    let filter = misy_store::audit::AuditFilter { limit: 200, ..Default::default() };
    let trail = misy_store::audit::list(&mut tx, &filter).await.unwrap().entries;
    let of =
        |action: &str| trail.iter().find(|entry| entry.action == action && entry.kind.as_str() != "call");
    let closed = of("closeTenant").unwrap().detail.clone().unwrap();
    assert_eq!(closed["reason"], "contract ended");
    assert!(of("purgeTenant").unwrap().detail.clone().unwrap()["rows"].as_i64().unwrap() > 20);
    replica.shutdown().await;
}

#[tokio::test]
async fn to_delete_a_tenant_is_to_close_it_whoever_asks_and_can_be_undone() {
    let app = App::start().await;
    let owner = app.owner().await;
    let andina = lived_in(&app, &owner, "andina").await;
    for who in [&owner, &andina] {
        app.in_person(who, Method::DELETE, &andina.path(""), None).await.expect(204);
        let read = app.manage(&owner, Method::GET, &andina.path(""), None).await.expect(200);
        assert_eq!(read.body["status"], "closed");
        let closed_at: jiff::Timestamp = read.text("closedAt").parse().unwrap();
        assert_eq!(read.text("purgeAt").parse::<jiff::Timestamp>().unwrap(), closed_at + 30 * DAY);
        app.pass(29 * DAY).await;
        assert_eq!(app.desk.purge_due().await.unwrap(), 0, "not before its time");
        app.manage(&owner, Method::POST, &andina.path("/activate"), None).await.expect(200);
        app.send(app.mint_request(&andina, &json!({ "siteId": "main" }))).await.expect(201);
    }
    // Once more does not bring the end nearer.
    for _ in 0..2 {
        app.in_person(&owner, Method::DELETE, &andina.path(""), None).await.expect(204);
        app.pass(29 * DAY).await;
    }
    assert_eq!(app.desk.purge_due().await.unwrap(), 1);
    assert_gone(&app, "andina").await;
}

#[tokio::test]
async fn a_tenant_is_closed_although_nobody_can_count_what_it_has() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    // As with so many rows that the statement does not end in time.
    app.store
        .admin(
            "create or replace function misy.tenant_inventory(p_tenant text) returns jsonb language plpgsql
             set search_path = pg_catalog, pg_temp
             as $$ begin raise exception 'too late' using errcode = 'query_canceled'; end $$",
        )
        .await
        .unwrap();
    app.in_person(&owner, Method::DELETE, &andina.path(""), None).await.expect(204);
    let read = app.manage(&owner, Method::GET, &andina.path(""), None).await.expect(200);
    assert_eq!(read.body["status"], "closed");
}

#[tokio::test]
async fn an_administrator_opens_again_what_somebody_of_the_tenant_closed_and_not_what_the_owner_closed() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let (email, reopen) = ("ana@business.example", andina.path("/reopen"));
    let mut ana = app.administrator(&andina, email).await;
    ana.order(&app, Method::POST, &reopen).await.refused(409, "conflict");
    ana.order(&app, Method::DELETE, &andina.path("")).await.expect(204);
    // Nothing else goes on, not even for a session that is there.
    ana.get(&app, &andina.path("")).await.refused(403, "tenant_suspended");
    ana.get(&app, "/auth/tokens").await.refused(403, "tenant_suspended");
    app.pass(20 * DAY).await;
    let mut ana = Browser::new_with(&ana);
    ana.sign_in_twice(&app, email).await.expect(200);
    ana.get(&app, &andina.path("/users")).await.refused(403, "tenant_suspended");
    app.advance(Duration::from_mins(6));
    ana.order(&app, Method::POST, &reopen).await.refused(401, "step_up_required");
    ana.step_up(&app).await;
    assert_eq!(ana.order(&app, Method::POST, &reopen).await.expect(200).body["status"], "active");
    ana.get(&app, &andina.path("")).await.expect(200);
    // The owner's word counts more, whether it closed the tenant or moved its end.
    app.in_person(&owner, Method::POST, &andina.path("/close"), None).await.expect(200);
    ana.order(&app, Method::POST, &reopen).await.refused(403, "permission_denied");
    app.manage(&owner, Method::POST, &andina.path("/activate"), None).await.expect(200);
    app.manage(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    ana.order(&app, Method::POST, &reopen).await.refused(403, "tenant_suspended");
}

#[tokio::test]
async fn people_of_a_suspended_tenant_can_sign_out_and_do_nothing_else() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let mut ana = app.administrator(&andina, "ana@business.example").await;
    app.manage(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    let mut kept = ana.clone();
    for path in ["/auth/tokens", "/auth/access", "/auth/sessions", &andina.path("")] {
        ana.get(&app, path).await.refused(403, "tenant_suspended");
    }
    ana.order(&app, Method::DELETE, "/auth/sessions").await.refused(403, "tenant_suspended");
    // A page that is loaded now reads what proves that it is one of ours; another's still signs nobody out.
    assert_eq!(ana.get(&app, "/auth/me").await.expect(200).text("tenantId"), "andina");
    let mut foreign = ana.request(Method::POST, "/auth/sign-out", None);
    foreign.headers_mut().remove("x-misy-csrf");
    app.send(foreign).await.refused(403, "csrf_refused");
    ana.order(&app, Method::POST, "/auth/sign-out").await.expect(204);
    kept.get(&app, "/auth/me").await.refused(401, "session_invalid");
}

#[tokio::test]
async fn closing_itself_is_no_way_out_of_the_owners_hold() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let email = "ana@business.example";
    let (close, reopen) = (andina.path("/close"), andina.path("/reopen"));
    let mut ana = app.administrator(&andina, email).await;
    ana.order(&app, Method::POST, &close).await.expect(200);
    let held = app.in_person(&owner, Method::POST, &andina.path("/suspend"), None).await.expect(200);
    assert_eq!(held.body["status"], "closed");
    assert!(held.body["suspendedAt"].is_string(), "{}", held.body);
    let mut ana = Browser::new_with(&ana);
    app.advance(Duration::from_mins(2));
    ana.sign_in_twice(&app, email).await.expect(200);
    assert_eq!(ana.order(&app, Method::POST, &reopen).await.expect(200).body["status"], "suspended");
    ana.get(&app, &andina.path("")).await.refused(403, "tenant_suspended");
    for path in [&close, &reopen] {
        ana.order(&app, Method::POST, path).await.refused(403, "tenant_suspended");
    }
    app.send(app.mint_request(&andina, &json!({ "siteId": "main" }))).await.refused(403, "tenant_suspended");
    let back = app.in_person(&owner, Method::POST, &andina.path("/activate"), None).await.expect(200);
    assert_eq!((&back.body["status"], &back.body["suspendedAt"]), (&json!("active"), &json!(null)));
    ana.get(&app, &andina.path("")).await.expect(200);
}

#[tokio::test]
async fn what_the_owner_decides_while_an_administrator_opens_again_is_not_undone() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let mut ana = app.administrator(&andina, "ana@business.example").await;
    for round in 0..8 {
        ana.order(&app, Method::POST, &andina.path("/close")).await.expect(200);
        let owners = if round % 2 == 0 { "/close" } else { "/suspend" };
        let path = andina.path(owners);
        let owners = app.in_person(&owner, Method::POST, &path, None);
        let (owners, _) =
            tokio::join!(owners, async { ana.order(&app, Method::POST, &andina.path("/reopen")).await });
        owners.expect(200);
        // Before or after: what the owner decided stands.
        let left = app.manage(&owner, Method::GET, &andina.path(""), None).await.expect(200);
        assert_ne!(left.body["status"], "active", "{}", left.body);
        app.in_person(&owner, Method::POST, &andina.path("/activate"), None).await.expect(200);
        app.advance(Duration::from_mins(1));
        ana.step_up(&app).await;
    }
}

#[tokio::test]
async fn a_clean_up_that_is_killed_anywhere_is_finished_by_the_next() {
    let app = App::start().await;
    let owner = app.owner().await;
    let andina = lived_in(&app, &owner, "andina").await;
    close(&app, &owner, &andina, json!({ "graceDays": 1 })).await.expect(200);
    app.pass(DAY).await;
    let id: TenantId = andina.tenant_id();
    let (clock, entropy) = (&*app.store.clock, &*app.store.entropy);
    let count = async || {
        let rows = rows_of(&app, "andina").await;
        let own = rows.iter().filter(|(table, _)| !may_stay(table) && !table.starts_with("platform."));
        own.map(|(_, count)| count).sum::<i64>()
    };
    let whole = count().await;
    let mut batches = 0;
    loop {
        // Killed in the middle of a batch: nothing of it stays.
        let mut admin = app.store.connect_as("misy_system").await.unwrap();
        let before = count().await;
        sqlx::raw_sql(AssertSqlSafe(format!("begin; select platform.purge_batch('{id}', '2100-01-01', 3)")))
            .execute(&mut admin)
            .await
            .unwrap();
        // While it works, nobody else does.
        let meanwhile = closing::purge_batch(&app.store.database, &id, 3, clock, entropy).await.unwrap();
        assert_eq!(meanwhile, Purged::Nothing);
        drop(admin);
        let purged = loop {
            let purged = closing::purge_batch(&app.store.database, &id, 3, clock, entropy).await.unwrap();
            // PostgreSQL may need a moment to notice that the connection is gone.
            if purged != Purged::Nothing {
                break purged;
            }
            tokio::task::yield_now().await;
        };
        batches += 1;
        if purged == Purged::Done {
            break;
        }
        // What was refused is counted meanwhile, a row now and then.
        assert!(count().await < before);
        // There is no way back from here.
        app.manage(&owner, Method::POST, &andina.path("/activate"), None).await.refused(409, "conflict");
    }
    assert!(batches > 5 && whole > 20, "{whole} rows in {batches} batches");
    assert_gone(&app, "andina").await;
    let again = closing::purge_batch(&app.store.database, &id, 3, clock, entropy).await.unwrap();
    assert_eq!(again, Purged::Nothing);
}

#[tokio::test]
async fn a_tenant_that_is_not_closed_or_not_due_cannot_be_cleaned_up() {
    let app = App::start().await;
    let (owner, andina) = app.two().await;
    let (clock, entropy) = (&*app.store.clock, &*app.store.entropy);
    for id in [&andina, &owner] {
        let purged = closing::purge_batch(&app.store.database, &id.tenant_id(), 9, clock, entropy).await;
        assert_eq!(purged.unwrap(), Purged::Nothing);
    }
    app.manage(&owner, Method::POST, &andina.path("/close"), None).await.expect(200);
    let purged = closing::purge_batch(&app.store.database, &andina.tenant_id(), 9, clock, entropy).await;
    assert_eq!(purged.unwrap(), Purged::Nothing);
    app.manage(&andina, Method::GET, &andina.path(""), None).await.refused(403, "tenant_suspended");
    let mut reserved = crate::support::registration("Owner", "https://owner.example");
    reserved["tenantId"] = json!("owner");
    let refused = app.manage(&owner, Method::POST, "/tenants", Some(&reserved)).await;
    assert!(refused.status.is_client_error(), "{}", refused.body);
}
