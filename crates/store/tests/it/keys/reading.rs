//! What a batch of a rotation reads of large tables.

use misy_testkit::store::{TestStore, test_store};
use sqlx::{Connection, Executor, PgConnection};

const ROWS: i64 = 4_000;
/// Values that are still under the old data key: the last of all.
const OLD: i64 = 60;
const BATCH: i64 = 50;

/// Some thousand rows of each large table, which are done as far as a rotation gets to them but for a few.
async fn nearly_done(store: &TestStore) {
    let under = |version: u8| format!("'\\x01000000000{version}'::bytea || decode(repeat('00', 60), 'hex')");
    let (old, new) = (under(1), under(2));
    let of_contact = "'\\x02'::bytea || decode(repeat('00', 60), 'hex')";
    store
        .admin(format!(
            "insert into misy.data_keys values ('andina', 'data', 2, 'x');
             insert into misy.contacts select 'andina', 'con_' || lpad(n::text, 6, '0') from generate_series(1, {ROWS}) n;
             insert into misy.contact_keys (tenant_id, contact_id, wrapped_key)
             select 'andina', 'con_' || lpad(n::text, 6, '0'), case when n > {ROWS} - {OLD} then {old} else {new} end
             from generate_series(1, {ROWS}) n;
             insert into misy.conversations (tenant_id, conversation_id, contact_id, sealed_handoff)
             select 'andina', 'cnv_' || n, 'con_' || lpad(n::text, 6, '0'), {of_contact} from generate_series(1, {ROWS}) n;
             insert into misy.sessions (tenant_id, session_id, site_id, conversation_id, contact_id, channel, token_family,
                                        expires_at, sealed_metadata)
             select 'andina', 'ses_' || n, 'main', 'cnv_' || n, 'con_' || lpad(n::text, 6, '0'), 'web', 't', now(), {of_contact}
             from generate_series(1, {ROWS}) n;
             insert into misy.messages (tenant_id, conversation_id, sequence, message_id, session_id, role, sealed_body)
             select 'andina', 'cnv_' || n, 1, 'msg_' || n, 'ses_' || n, 'contact', {of_contact} from generate_series(1, {ROWS}) n;
             insert into misy.idempotency_keys
             select 'andina', 's', 'k' || n, 'x', 200, {new}, now(), now() from generate_series(1, {ROWS}) n;
             analyze"
        ))
        .await
        .unwrap();
}

/// How many rows of all tables the connection has read, as far as that was not collected yet: it is not within a transaction.
async fn read(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)::bigint
         from pg_catalog.pg_stat_xact_user_tables where schemaname = 'misy'",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_batch_reads_about_as_many_rows_as_it_seals_anew() {
    let store = test_store().await.unwrap();
    store.tenant("andina").await.unwrap();
    nearly_done(&store).await;
    let mut app = store.connect_as("misy_app").await.unwrap();
    let mut tx = app.begin().await.unwrap();
    tx.execute("select set_config('app.tenant_id', 'andina', true)").await.unwrap();

    let before = read(&mut tx).await;
    let below = "select count(*) from misy.sealed_below('andina', 2, 50)";
    let found: i64 = sqlx::query_scalar(below).fetch_one(&mut *tx).await.unwrap();
    assert_eq!(found, BATCH);
    let looked = read(&mut tx).await - before;
    assert!(looked <= 2 * BATCH, "{looked} rows to find {BATCH}");

    let reseal = "select misy.reseal('andina', 'contact_keys', 'wrapped_key', jsonb_agg(b.row_key), array_agg(b.sealed),
                                     array_agg(overlay(b.sealed placing '\\x02' from 6)))
                  from misy.sealed_below('andina', 2, 50) b where b.table_name = 'contact_keys'";
    let changed: i64 = sqlx::query_scalar(reseal).fetch_one(&mut *tx).await.unwrap();
    assert!(changed > 0);
    let changing = read(&mut tx).await - before - looked;
    // To find them, to replace them, and to look whether their key is in force.
    assert!(changing <= 6 * BATCH, "{changing} rows to replace {changed}");
    tx.rollback().await.unwrap();

    // The look that finds nothing, at the end of a rotation.
    let mut tx = app.begin().await.unwrap();
    tx.execute("select set_config('app.tenant_id', 'andina', true)").await.unwrap();
    let before = read(&mut tx).await;
    let none = "select count(*) from misy.sealed_below('andina', 1, 50)";
    assert_eq!(sqlx::query_scalar::<_, i64>(none).fetch_one(&mut *tx).await.unwrap(), 0);
    let looked = read(&mut tx).await - before;
    assert!(looked <= BATCH, "{looked} rows to find none");
}
