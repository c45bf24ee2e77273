//! Slipping in keys of one's own: to forge an audit history, to sign tokens, and to keep the program from its own keys.

use super::{Stage, andina, refused};
use base64::{Engine, engine::general_purpose::STANDARD};
use misy_domain::{Clock, Secret};
use misy_store::{
    audit::{keys, tree},
    database::Role,
    signing_keys,
};
use misy_trust::{
    Algorithm,
    audit_tree::checkpoint::{Checkpoint, CheckpointKey},
};
use sqlx::{AssertSqlSafe, Executor};

/// What was known before is known afterwards, and nothing else; and everything goes on.
async fn stands(stage: &Stage, before: &[keys::KnownKey], what: &str) {
    let known = keys::known(&stage.database, &stage.vault).await.unwrap();
    assert_eq!(known, before, "{what}");
    stage.tell("afterwards").await;
    stage.sealer.round().await.unwrap();
    let mut tx = stage.database.tenant("test", &andina()).await.unwrap();
    let newest = tree::latest_checkpoint(&mut tx).await.unwrap().unwrap();
    let leaves = tree::size(&mut tx).await.unwrap();
    assert_eq!(newest.tree_size, leaves, "{what}: it is signed");
    assert_eq!(stage.findings().await, Vec::<String>::new(), "{what}");
}

#[tokio::test]
async fn a_row_among_the_audit_keys_is_no_key() {
    let stage = Stage::private().await;
    let before = keys::known(&stage.database, &stage.vault).await.unwrap();
    let forger = CheckpointKey::from_seed(&Secret::new(vec![9; 32])).unwrap();
    let public = STANDARD.encode(forger.public_bytes());
    let row = |public: &str, sealed: &str, retires: &str| {
        format!(
            "insert into platform.audit_keys (key_id, public_key, sealed_private_key, created_at, retires_at)
             select '{{}}', {public}, {sealed}, now() - interval '400 days', {retires}"
        )
    };
    let own = format!("decode('{public}', 'base64')");
    let mine = "(select sealed_private_key from platform.audit_keys limit 1)";
    let mut session = stage.session(Role::System).await;
    for (number, row) in [
        // A key of one's own that signed long ago.
        row(&own, "'\\x00'", "now() - interval '300 days'"),
        // Rubbish that signs now, short and long enough to look like something.
        row(&own, "'\\x00'", "null"),
        row(&own, "decode(repeat('00', 200), 'hex')", "null"),
        // Beside what is sealed in a genuine row.
        row(&own, mine, "null"),
        row("(select public_key from platform.audit_keys limit 1)", mine, "null"),
    ]
    .into_iter()
    .enumerate()
    {
        let fresh = format!("key_0000000000000000000000000{number}");
        for id in [&fresh, &before[0].key_id] {
            let row = row.replace("{}", id);
            session.execute(AssertSqlSafe(row.clone())).await.unwrap();
            stands(&stage, &before, &row).await;
        }
    }
    // The operator hears of those that are not just another word on a key that is there.
    let aside = signing_keys::set_aside(&stage.database, &stage.vault).await.unwrap();
    assert_eq!(aside.len(), 5, "{aside:?}");
    // What is there is not changed, not by the program either.
    for role in Role::ALL {
        let mut session = stage.session(role).await;
        for statement in [
            "update platform.audit_keys set retires_at = now()",
            "update platform.audit_keys set sealed_private_key = 'x'",
            "delete from platform.audit_keys",
            "truncate platform.audit_keys",
        ] {
            refused(&mut session, role, statement).await;
        }
    }

    // There is an end to rows, and a genuine successor follows nonetheless.
    let many = "insert into platform.audit_keys (key_id, public_key, sealed_private_key, created_at)
                select 'key_' || n, sha256('x'), 'x', now() from generate_series(1, 1000) n";
    refused(&mut session, Role::System, many).await;
    stage.clock.advance(std::time::Duration::from_secs(1));
    let next = keys::rotate(&stage.database, &stage.vault, &*stage.clock).await.unwrap();
    let known = keys::known(&stage.database, &stage.vault).await.unwrap();
    assert_eq!((known.len(), &known[1].key_id), (2, &next));
    assert_eq!(known[1].voucher.as_ref().unwrap().predecessor, before[0].public_key);

    // A revision from before it retired, put there again, does not keep the old key signing.
    session
        .execute(
            "insert into platform.audit_keys
                 (key_id, public_key, predecessor, voucher, sealed_private_key, created_at, retires_at)
             select key_id, public_key, predecessor, voucher, sealed_private_key, created_at, retires_at
             from platform.audit_keys order by revision limit 1",
        )
        .await
        .unwrap();
    stands(&stage, &known, "rolled back").await;

    // Who owns the server writes a history of their own and signs it: nobody takes the key for ours.
    let origin = stage.sealer.origin(&andina());
    let checkpoint = Checkpoint { origin, size: 1, root: [7; 32] };
    let note = checkpoint.sign(&[&forger]);
    stage
        .admin(&format!(
            "insert into misy.audit_checkpoints values ('andina', 1, sha256('x'), $n${note}$n$, now())"
        ))
        .await;
    let findings = stage.findings().await;
    assert!(findings[0].contains("is signed by no known key"), "{findings:?}");
}

#[tokio::test]
async fn whoever_may_write_the_ring_of_signing_keys_makes_none_sign_otherwise() {
    let stage = Stage::private().await;
    let issuer = "misy-test";
    let make = async || {
        signing_keys::load_or_create(&stage.database, &stage.vault, issuer, Algorithm::EdDsa, &*stage.clock)
            .await
            .map(|_| ())
    };
    let load = async || {
        let keys =
            signing_keys::load(&stage.database, &stage.vault, issuer, stage.clock.now()).await.unwrap();
        keys.keys().iter().map(misy_trust::SigningKey::kid).collect::<Vec<_>>()
    };
    make().await.unwrap();
    let first = load().await;
    signing_keys::rotate(&stage.database, &stage.vault, Algorithm::EdDsa, &*stage.clock, None).await.unwrap();
    let both = load().await;
    assert_eq!((first.len(), both.len()), (1, 2));
    let mut session = stage.session(Role::System).await;
    let old = first[0].to_string();
    for (changed, restored) in [
        ("retires_at = null", "retires_at = k.retires_at"),
        ("retires_at = '2900-01-01'", "retires_at = k.retires_at"),
        ("activates_at = now() + interval '900 days'", "activates_at = k.activates_at"),
        ("created_at = now()", "created_at = k.created_at"),
        ("purpose = 'service'", "purpose = k.purpose"),
        ("algorithm = 'HS256'", "algorithm = k.algorithm"),
        ("sealed_private_key = 'x'", "sealed_private_key = k.sealed_private_key"),
    ] {
        stage
            .admin(
                "drop table if exists misy.kept; create table misy.kept as table platform.token_signing_keys",
            )
            .await;
        session
            .execute(AssertSqlSafe(format!(
                "update platform.token_signing_keys set {changed} where kid = '{old}'"
            )))
            .await
            .unwrap();
        assert_eq!(load().await, both[both.len() - 1..], "{changed}");
        let aside = signing_keys::set_aside(&stage.database, &stage.vault).await.unwrap();
        assert_eq!(aside, [format!("token_signing_keys/{old}")], "{changed}");
        stage
            .admin(&format!(
                "update platform.token_signing_keys t set {restored} from misy.kept k where k.kid = t.kid"
            ))
            .await;
        assert_eq!(load().await, both, "{restored}");
    }
    // Where none opens it is the root key that is wrong: no key is made in their place.
    session.execute("update platform.token_signing_keys set sealed_private_key = 'x'").await.unwrap();
    make().await.unwrap_err();
    let never = "update platform.token_signing_keys set retires_at = 'infinity'";
    refused(&mut session, Role::System, never).await;
}
