//! Forging and removing audit entries.

use super::{Stage, andina, refused};
use misy_store::{audit, database::Role};
use sqlx::Executor;

/// Refused to every role.
const NEVER: &[&str] = &[
    "update misy.audit_entries set actor = 'nobody'",
    "update misy.audit_entries set at = 'infinity'",
    "delete from misy.audit_entries",
    "with gone as (delete from misy.audit_entries returning *) select * from gone",
    "truncate misy.audit_entries cascade",
    "select from misy.audit_entries for update",
    "update misy.audit_leaves set leaf_hash = sha256('x')",
    "delete from misy.audit_leaves",
    "truncate misy.audit_leaves",
    "update misy.audit_nodes set node_hash = sha256('x')",
    "delete from misy.audit_nodes",
    "update misy.audit_checkpoints set note = 'x'",
    "delete from misy.audit_checkpoints",
    "delete from misy.audit_trees",
    "update misy.audit_pending set audit_ids = '{}'",
    "truncate misy.audit_pending",
    "delete from misy.audit_quarantine",
    "delete from misy.privilege_uses",
];

/// Refused to everybody but the sequencer.
const TREE: &[&str] = &[
    "insert into misy.audit_leaves values ('andina', 3, 'aud_x', sha256('x'))",
    "insert into misy.audit_leaves values ('andina', 9, 'aud_x', sha256('x'))",
    "insert into misy.audit_nodes values ('andina', 8, 0, sha256('x'))",
    "insert into misy.audit_checkpoints values ('andina', 99, sha256('x'), 'x', now())",
    "insert into misy.audit_pending (tenant_id, audit_ids) values ('andina', '{aud_x}')",
    "delete from misy.audit_pending",
    "update misy.audit_trees set tree_size = 0",
    "insert into misy.audit_quarantine values ('andina', 'aud_x')",
];

/// Entries of every kind.
fn forged(kind: &str, actor: &str, id: &str, at: &str, tenant: &str) -> String {
    format!(
        "insert into misy.audit_entries (tenant_id, audit_id, at, kind, action, actor, outcome)
         values ('{tenant}', '{id}', '{at}', '{kind}', 'a', '{actor}', 'ok')"
    )
}

pub(crate) async fn attack(stage: &Stage) {
    let before = stage.trail().await;
    for role in Role::ALL {
        let mut session = stage.session(role).await;
        session.execute("set app.tenant_id = 'andina'").await.unwrap();
        for statement in NEVER {
            refused(&mut session, role, statement).await;
        }
        if role != Role::Sealer {
            for statement in TREE {
                refused(&mut session, role, statement).await;
            }
        }
        let own: &[&str] = match role {
            Role::App => &["change"],
            Role::Worker => &["call", "change", "turn"],
            Role::System => &["change", "system"],
            Role::Sealer => &[],
        };
        for kind in ["call", "change", "turn", "system", "other"] {
            // An id that fits the kind, and one that does not.
            let (id, other_id) = if kind == "call" { ("aud_8", "aud_9") } else { ("aud_9", "aud_8") };
            let actor = if kind == "turn" { "agent:sales" } else { "key_1" };
            if !own.contains(&kind) {
                refused(&mut session, role, &forged(kind, actor, id, "2026-05-01 00:00Z", "andina")).await;
                continue;
            }
            // What a role may write at all, it writes in order.
            let wrong = if kind == "turn" { "key_1" } else { "agent:sales" };
            for statement in [
                forged(kind, wrong, id, "2026-05-01 00:00Z", "andina"),
                forged(kind, actor, id, "infinity", "andina"),
                forged(kind, actor, id, "-infinity", "andina"),
                forged(kind, actor, id, "9999-12-31 00:00Z", "andina"),
                forged(kind, actor, "", "2026-05-01 00:00Z", "andina"),
                forged(kind, actor, "usr_9", "2026-05-01 00:00Z", "andina"),
                forged(kind, &format!("x{}", "y".repeat(9_000)), id, "2026-05-01 00:00Z", "andina"),
                forged(kind, actor, other_id, "2026-05-01 00:00Z", "andina"),
                forged(kind, actor, id, "2026-05-01 00:00Z", "andina")
                    .replace("outcome)", "outcome, detail)")
                    .replace("'ok')", "'ok', jsonb_build_object('x', repeat('x', 17000)))"),
            ] {
                refused(&mut session, role, &statement).await;
            }
            if role != Role::System {
                refused(&mut session, role, &forged(kind, actor, id, "2026-05-01 00:00Z", "verde-cafe"))
                    .await;
            }
        }
        if role == Role::Worker {
            for (id, at) in
                [("aud_8", "infinity"), ("aud_9", "2026-05-01 00:00Z"), ("x", "2026-05-01 00:00Z")]
            {
                let call = format!(
                    "select misy.record_calls('{{andina}}', '{{{id}}}', '{{{at}}}', '{{call}}', '{{a}}', '{{b}}', '{{null}}', \
                     '{{null}}', '{{null}}', '{{null}}', '{{ok}}', '{{200}}', '{{1}}', '{{null}}', '{{null}}', '{{null}}')"
                );
                refused(&mut session, role, &call).await;
            }
        } else {
            refused(
                &mut session,
                role,
                "select misy.record_calls('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
            )
            .await;
        }
    }
    assert_eq!(stage.trail().await, before);

    // Nothing that hangs on the tenant takes the trail along: not its removal, nor its end.
    let mut session = stage.session(Role::System).await;
    let removal = "set app.tenant_id = 'andina'; delete from misy.tenants where tenant_id = 'andina'";
    refused(&mut session, Role::System, removal).await;
    let end =
        "update misy.tenants set closed_at = '-infinity', purge_at = '-infinity' where tenant_id = 'andina'";
    refused(&mut session, Role::System, end).await;
    stage.admin(end).await;
    let mut session = stage.session(Role::System).await;
    session.execute("select platform.purge_batch('andina', 'infinity', 2147483647)").await.unwrap();
    assert_eq!(stage.text("select count(*)::text from misy.tenants where tenant_id = 'andina'").await, "0");
    assert_eq!(stage.trail().await, before);
    stage.tell("afterwards").await;
    stage.sealer.round().await.unwrap();
    assert_eq!(stage.findings().await, Vec::<String>::new());
    assert_eq!(stage.text("select count(*)::text from misy.audit_leaves").await, "4");
}

#[tokio::test]
async fn no_role_of_the_private_server_forges_or_removes_anything() {
    attack(&Stage::private().await).await;
}

/// Whoever owns the server can put anything there. What cannot be read keeps nothing else waiting, and is told of.
#[tokio::test]
async fn an_entry_that_cannot_be_read_is_put_aside() {
    let stage = Stage::private().await;
    stage.tell("before").await;
    stage
        .admin(
            "alter table misy.audit_entries drop constraint audit_entries_at_check;
             alter table misy.audit_entries drop constraint audit_entries_audit_id_check;
             insert into misy.audit_entries (tenant_id, audit_id, at, kind, action, actor, outcome) values
                 ('andina', 'aud_00000000000000000000000004', 'infinity', 'call', 'a', 'b', 'ok'),
                 ('andina', 'aud_00000000000000000000000002', '-infinity', 'call', 'a', 'b', 'ok'),
                 ('andina', 'no id', now(), 'change', 'a', 'b', 'ok')",
        )
        .await;
    stage.tell("after").await;
    stage.sealer.round().await.unwrap();
    assert_eq!(stage.text("select count(*)::text from misy.audit_leaves").await, "6", "all that can be read");
    assert_eq!(stage.text("select count(*)::text from misy.audit_pending").await, "0");
    let findings = stage.findings().await;
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings.iter().all(|finding| finding.contains("is in quarantine")), "{findings:?}");
    assert_eq!(stage.text("select rule || severity from misy.alerts").await, "audit_quarantinecritical");

    let mut tx = stage.database.tenant("test", &andina()).await.unwrap();
    let filter = audit::AuditFilter { limit: 100, ..audit::AuditFilter::default() };
    let shown = audit::list(&mut tx, &filter).await.unwrap().entries;
    assert_eq!(shown.len(), 7, "all but the one that has no id");
}
