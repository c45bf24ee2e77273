//! Audit trails only grow, every entry finds its place in the tree, and whatever is changed behind the program's back is found.

use misy_domain::{AuditId, Clock, TenantId};
use misy_store::{
    Database,
    audit::{self, Actor, AuditEntry, Kind, SealTerms, Sealer, check, entries, keys, tree},
};
use misy_testkit::store::{TestStore, test_store};
use misy_trust::audit_tree::{checkpoint::Checkpoint, verify_consistency, verify_inclusion};
use sqlx::Executor;
use std::{sync::Arc, time::Duration};

const ON_TIME: SealTerms = SealTerms { after: Duration::ZERO, entries: 10_000 };

fn tenant() -> TenantId {
    "andina".parse().unwrap()
}

async fn sealer(store: &TestStore, terms: SealTerms) -> Sealer {
    Sealer::new(store.database.clone(), store.vault.clone(), store.clock.clone(), terms).await.unwrap()
}

fn entry(store: &TestStore, action: &str) -> AuditEntry {
    let mut entry =
        AuditEntry::new(Kind::Change, action, &Actor::outside("key_1"), &*store.clock, &*store.entropy);
    entry.detail = Some(serde_json::json!({ "version": 1.50, "names": ["é", "\u{1}"] }));
    entry
}

async fn write(store: &TestStore, database: &Database, tenant: &TenantId, count: usize) {
    let mut tx = database.tenant("test", tenant).await.unwrap();
    for _ in 0..count {
        audit::record(&mut tx, &entry(store, "createSite")).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn findings(store: &TestStore, sealer: &Sealer) -> Vec<String> {
    check::check(&store.database, &store.vault, sealer.issuer(), &tenant()).await.unwrap().findings
}

/// Refused, for want of a right or by a trigger; and if a statement succeeds, it did nothing.
async fn refused(connection: &mut sqlx::PgConnection, statement: &str) {
    let result = connection.execute(sqlx::AssertSqlSafe(statement.to_owned())).await;
    let error = result.expect_err(statement);
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
}

#[tokio::test]
async fn nobody_changes_or_removes_what_was_recorded() {
    let store = test_store().await.unwrap();
    write(&store, &store.database, &tenant(), 300).await;
    sealer(&store, ON_TIME).await.round().await.unwrap();
    let tables = ["audit_entries", "audit_leaves", "audit_nodes", "audit_checkpoints"];
    for role in ["misy_app", "misy_worker", "misy_system", "misy_owner"] {
        let login = if role == "misy_owner" { "postgres" } else { role };
        let mut connection = store.connect_as(login).await.unwrap();
        connection.execute("set app.tenant_id = 'andina'").await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(format!("set role {role}"))).await.unwrap();
        for table in tables {
            for statement in [
                format!("update misy.{table} set tenant_id = tenant_id"),
                format!("delete from misy.{table}"),
                format!("truncate misy.{table}"),
                format!("truncate misy.{table} cascade"),
                format!("truncate misy.tenants, misy.{table} cascade"),
                format!(
                    "insert into misy.{table} select * from misy.{table} limit 1 \
                     on conflict on constraint {table}_pkey do update set tenant_id = excluded.tenant_id"
                ),
            ] {
                refused(&mut connection, &statement).await;
            }
            if role != "misy_owner" {
                for statement in [
                    format!("alter table misy.{table} disable trigger all"),
                    format!("alter table misy.{table} disable trigger append_only"),
                    format!("drop trigger append_only on misy.{table}"),
                    format!("drop table misy.{table} cascade"),
                    format!("alter table misy.{table} disable row level security"),
                    format!("create rule r as on delete to misy.{table} do instead nothing"),
                    "set session_replication_role = replica".to_owned(),
                    "drop function misy.refuse_change() cascade".to_owned(),
                ] {
                    refused(&mut connection, &statement).await;
                }
            }
        }
        if role != "misy_owner" {
            refused(&mut connection, "delete from platform.audit_keys").await;
        }
    }
    // Also who pretends to be a replica, for whom usual triggers do not fire.
    let mut admin = store.connect_as("postgres").await.unwrap();
    admin.execute("set session_replication_role = replica").await.unwrap();
    for table in tables {
        refused(&mut admin, &format!("update misy.{table} set tenant_id = tenant_id")).await;
        refused(&mut admin, &format!("truncate misy.{table}")).await;
    }
    assert!(findings(&store, &sealer(&store, ON_TIME).await).await.is_empty());
}

#[tokio::test]
async fn every_entry_finds_one_place_however_many_write_and_seal_at_once() {
    let store = Arc::new(test_store().await.unwrap());
    let sealers =
        [sealer(&store, ON_TIME).await, sealer(&store, ON_TIME).await, sealer(&store, ON_TIME).await];
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..6 {
        let store = store.clone();
        tasks.spawn(async move {
            for _ in 0..20 {
                write(&store, &store.database, &tenant(), 1 + writer % 3).await;
            }
        });
    }
    for sealer in sealers.clone() {
        tasks.spawn(async move {
            for _ in 0..15 {
                sealer.round().await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    sealers[0].round().await.unwrap();
    let mut tx = store.database.tenant("test", &tenant()).await.unwrap();
    assert_eq!(tree::size(&mut tx).await.unwrap(), 240);
    let stored = entries::by_leaf(&mut tx, 0, 1_000, 1_000).await.unwrap();
    let mut places: Vec<_> = stored.iter().map(|entry| entry.leaf_index.unwrap()).collect();
    places.dedup();
    assert_eq!(places, (0..240).collect::<Vec<_>>());
    let checked = check::check(&store.database, &store.vault, sealers[0].issuer(), &tenant()).await.unwrap();
    assert_eq!((checked.findings.as_slice(), checked.leaves, checked.waiting), (&[] as &[String], 240, 0));
    assert!(checked.checkpoints > 0);
}

#[tokio::test]
async fn an_entry_that_commits_late_is_not_missed() {
    let store = test_store().await.unwrap();
    let sealer = sealer(&store, ON_TIME).await;
    let late = entry(&store, "late");
    let mut tx = store.database.tenant("test", &tenant()).await.unwrap();
    audit::record(&mut tx, &late).await.unwrap();
    store.clock.advance(Duration::from_hours(1));
    write(&store, &store.database, &tenant(), 5).await;
    sealer.round().await.unwrap();
    tx.commit().await.unwrap();
    sealer.round().await.unwrap();
    let mut tx = store.database.tenant("test", &tenant()).await.unwrap();
    assert_eq!(tree::leaf_of(&mut tx, late.audit_id).await.unwrap().unwrap().0, 5);
    drop(tx);
    assert!(findings(&store, &sealer).await.is_empty());
}

#[tokio::test]
async fn proofs_hold_across_stored_nodes() {
    let store = test_store().await.unwrap();
    let sealer = sealer(&store, ON_TIME).await;
    for count in [1, 254, 1, 1, 300, 230] {
        write(&store, &store.database, &tenant(), count).await;
        sealer.round().await.unwrap();
    }
    let mut tx = store.database.tenant("test", &tenant()).await.unwrap();
    let sizes: Vec<i64> =
        tree::checkpoints(&mut tx, None, 100).await.unwrap().iter().rev().map(|c| c.tree_size).collect();
    assert_eq!(sizes, [1, 255, 256, 257, 557, 787]);
    for size in [1, 2, 255, 256, 257, 511, 512, 557, 786, 787] {
        let root = tree::root(&mut tx, size).await.unwrap();
        let unsigned = u64::try_from(size).unwrap();
        for index in [0, 1, 100, 255, 256, 511, 512, 600, 786].into_iter().filter(|index| *index < size) {
            let proof = tree::inclusion(&mut tx, index, size).await.unwrap();
            let leaf = entries::by_leaf(&mut tx, index, index + 1, 1).await.unwrap().pop().unwrap();
            let leaf = leaf.hash().unwrap();
            verify_inclusion(&leaf, u64::try_from(index).unwrap(), unsigned, &proof, &root).unwrap();
        }
        for first in sizes.iter().filter(|first| **first <= size) {
            let first_root = tree::root(&mut tx, *first).await.unwrap();
            let proof = tree::consistency(&mut tx, *first, size).await.unwrap();
            let first = u64::try_from(*first).unwrap();
            verify_consistency(first, unsigned, &first_root, &root, &proof).unwrap();
        }
    }
    drop(tx);
    assert!(findings(&store, &sealer).await.is_empty());
}

#[tokio::test]
async fn an_edit_by_somebody_with_all_rights_is_found() {
    for (edit, expected) in [
        ("update misy.audit_entries set actor = 'nobody' where audit_id = '{}'", "was changed"),
        ("update misy.audit_entries set detail = '{\"version\": 2}' where audit_id = '{}'", "was changed"),
        ("update misy.audit_entries set at = at + '1 microsecond' where audit_id = '{}'", "was changed"),
        ("delete from misy.audit_entries where audit_id = '{}'", "is gone"),
        ("delete from misy.audit_leaves where leaf_index = 7", "leaf 7 is gone"),
        (
            "update misy.audit_entries set actor = 'x' where audit_id = '{}'; \
             update misy.audit_leaves set leaf_hash = sha256('x') where leaf_index = 3",
            "are not those that were sealed",
        ),
        (
            "insert into misy.audit_entries (tenant_id, audit_id, kind, action, actor, outcome) \
             values ('andina', 'aud_0', 'call', 'a', 'b', 'ok'); delete from misy.audit_pending",
            "waits for none",
        ),
        ("update misy.audit_checkpoints set tree_size = 9", "is not the signed one"),
        (
            "update misy.audit_checkpoints set note = replace(note, 'andina', 'verde-cafe')",
            "checkpoint of another trail",
        ),
    ] {
        let store = test_store().await.unwrap();
        let sealer = sealer(&store, ON_TIME).await;
        write(&store, &store.database, &tenant(), 12).await;
        sealer.round().await.unwrap();
        assert!(findings(&store, &sealer).await.is_empty());
        let mut tx = store.database.tenant("test", &tenant()).await.unwrap();
        let third = entries::by_leaf(&mut tx, 3, 4, 1).await.unwrap().pop().unwrap().audit_id;
        drop(tx);
        store
            .admin(format!(
                "alter table misy.audit_entries disable trigger append_only; \
                 alter table misy.audit_leaves disable trigger append_only; \
                 alter table misy.audit_checkpoints disable trigger append_only; {}",
                edit.replacen("'{}'", &format!("'{third}'"), 1)
            ))
            .await
            .unwrap();
        let found = findings(&store, &sealer).await;
        assert!(found.iter().any(|finding| finding.contains(expected)), "{edit}: {found:?}");
    }
}

#[tokio::test]
async fn checkpoints_come_by_time_by_number_and_at_the_close() {
    let store = test_store().await.unwrap();
    let made = store.tenant("andina").await.unwrap();
    let terms = SealTerms { after: Duration::from_mins(15), entries: 10 };
    let sealer = sealer(&store, terms).await;
    let count = async || {
        let mut tx = store.database.tenant("test", &made.id).await.unwrap();
        tree::checkpoints(&mut tx, None, 100).await.unwrap().len()
    };
    write(&store, &store.database, &made.id, 3).await;
    sealer.round().await.unwrap();
    assert_eq!(count().await, 0, "neither due nor many");
    store.admin("update misy.audit_trees set checkpoint_due = now()").await.unwrap();
    sealer.round().await.unwrap();
    assert_eq!(count().await, 1, "its time has come");
    sealer.round().await.unwrap();
    assert_eq!(count().await, 1, "nothing is new");
    write(&store, &store.database, &made.id, 10).await;
    sealer.round().await.unwrap();
    assert_eq!(count().await, 2, "enough are new");
    store.admin("update misy.tenants set closed_at = now()").await.unwrap();
    write(&store, &store.database, &made.id, 1).await;
    sealer.round().await.unwrap();
    assert_eq!(count().await, 3, "the tenant is closed");
}

#[tokio::test]
async fn tenants_that_always_have_something_to_seal_keep_nobody_waiting() {
    let store = test_store().await.unwrap();
    let sealer = sealer(&store, ON_TIME).await.in_rounds_of(1);
    let mut tenants = Vec::new();
    for name in ["a-busy", "b-busy", "z-calm"] {
        tenants.push(store.tenant(name).await.unwrap().id);
    }
    write(&store, &store.database, &tenants[2], 1).await;
    // Once around: each of the two, and the third, and what the store itself wrote.
    for _ in 0..8 {
        write(&store, &store.database, &tenants[0], 1).await;
        write(&store, &store.database, &tenants[1], 1).await;
        sealer.round().await.unwrap();
    }
    let mut tx = store.database.tenant("test", &tenants[2]).await.unwrap();
    assert_ne!(tree::checkpoints(&mut tx, None, 100).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_new_key_signs_beside_the_old_one_and_old_checkpoints_stay_good() {
    let store = test_store().await.unwrap();
    let sealer = sealer(&store, ON_TIME).await;
    write(&store, &store.database, &tenant(), 1).await;
    sealer.round().await.unwrap();
    store.clock.advance(Duration::from_secs(1));
    keys::rotate(&store.database, &store.vault, &*store.clock).await.unwrap();
    write(&store, &store.database, &tenant(), 1).await;
    sealer.round().await.unwrap();
    store.clock.advance(keys::OVERLAP + Duration::from_secs(1));
    write(&store, &store.database, &tenant(), 1).await;
    sealer.round().await.unwrap();
    let origin = sealer.origin(&tenant());
    let known = keys::known(&store.database, &store.vault).await.unwrap();
    let verifiers: Vec<_> = known.iter().map(|key| vec![key.verifier(&origin)]).collect();
    let mut tx = store.database.tenant("test", &tenant()).await.unwrap();
    let notes = tree::checkpoints(&mut tx, None, 10).await.unwrap();
    let signed =
        |note: usize, key: usize| Checkpoint::verify(&notes[note].note, &origin, &verifiers[key]).is_ok();
    assert_eq!((notes.len(), known.len()), (3, 2));
    assert_eq!([signed(2, 0), signed(2, 1)], [true, false], "before");
    assert_eq!([signed(1, 0), signed(1, 1)], [true, true], "the overlap");
    assert_eq!([signed(0, 0), signed(0, 1)], [false, true], "after");
    assert!(known[0].retires_at.unwrap() < store.clock.now());
    drop(tx);
    assert!(findings(&store, &sealer).await.is_empty());
}

#[tokio::test]
async fn one_tenant_cannot_be_asked_about_the_tree_of_another() {
    let store = test_store().await.unwrap();
    let sealer = sealer(&store, ON_TIME).await;
    write(&store, &store.database, &tenant(), 4).await;
    sealer.round().await.unwrap();
    let other: TenantId = "verde-cafe".parse().unwrap();
    let mut tx = store.database.tenant("test", &other).await.unwrap();
    assert_eq!(tree::size(&mut tx).await.unwrap(), 0);
    assert!(tree::latest_checkpoint(&mut tx).await.unwrap().is_none());
    assert!(entries::by_leaf(&mut tx, 0, 10, 10).await.unwrap().is_empty());
    let unknown = AuditId::new(&*store.clock, &*store.entropy);
    assert!(tree::leaf_of(&mut tx, unknown).await.unwrap().is_none());
}
