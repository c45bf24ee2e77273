//! Opens every table of tenants as the roles of the program, without a tenant and as another tenant.

use misy_testkit::store::{TestStore, test_store};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

const TENANTS: [&str; 2] = ["aa", "bb"];
const ROLES: [&str; 2] = ["misy_app", "misy_worker"];

/// A row in every table for each of two tenants.
fn rows_of(tenant: &str) -> String {
    format!(
        "insert into misy.tenants (tenant_id, tenant_type, name, contact_email, website_url, business_industry, locale,
                                   timezone)
         values ('{tenant}', 'standard', 'A', 'a@example.com', 'https://a.example', 'clinic', 'es', 'UTC');
         insert into misy.sites values ('{tenant}', 'main', 'Main', '{{}}');
         insert into misy.site_origins values ('{tenant}', 'main', 'https://{tenant}.example');
         insert into misy.api_keys (tenant_id, key_id, kind, key_hash, prefix, permissions)
         values ('{tenant}', 'key_{tenant}', 'publishable', '{tenant}', 'pk', '{{}}');
         insert into misy.data_keys values ('{tenant}', 'data', 1, 'x');
         insert into misy.tenant_secrets values ('{tenant}', 'key_s{tenant}', 'x');
         insert into misy.context_packs values ('{tenant}', 1, '{{}}');
         insert into misy.rate_limits values ('{tenant}', 'tenant', '', 1, 1);
         insert into misy.revoked_tokens values ('{tenant}', 'tat_1', now(), now());
         insert into misy.idempotency_keys values ('{tenant}', 's', 'k', 'x', 200, 'x', now(), now());
         insert into misy.contacts values ('{tenant}', 'con_1');
         insert into misy.contact_keys (tenant_id, contact_id, wrapped_key) values ('{tenant}', 'con_1', 'x');
         insert into misy.key_rotations (tenant_id, rotation_id, to_version, requested_by, rows_total)
         values ('{tenant}', 'rot_1', 2, 'a', 0);
         insert into misy.conversations (tenant_id, conversation_id, contact_id)
         values ('{tenant}', 'cnv_1', 'con_1');
         insert into misy.sessions (tenant_id, session_id, site_id, conversation_id, contact_id, channel, token_family,
                                    expires_at)
         values ('{tenant}', 'ses_1', 'main', 'cnv_1', 'con_1', 'web', 'tat_1', now());
         insert into misy.messages (tenant_id, conversation_id, sequence, message_id, session_id, role, sealed_body)
         values ('{tenant}', 'cnv_1', 1, 'msg_1', 'ses_1', 'contact', 'x');
         insert into misy.channel_accounts (tenant_id, account_id, channel, vendor_account_id, name, permissions, sealed_secret,
                                            made_by, created_at, updated_at)
         values ('{tenant}', 'cha_{tenant}', 'api', '{tenant}', 'A', '{{}}', 'x', 'usr_1', now(), now());
         insert into misy.contact_identities values
             ('{tenant}', 'idn_1', 'api', 'cha_{tenant}', decode(repeat('00', 32), 'hex'), 'con_1', 'x', now());
         insert into misy.channel_threads values ('{tenant}', 'cha_{tenant}', 'idn_1', 'cnv_1', null, now());
         insert into misy.deliveries (tenant_id, delivery_id, account_id, conversation_id, sequence, message_id, created_at)
         values ('{tenant}', 'dlv_1', 'cha_{tenant}', 'cnv_1', 1, 'msg_1', now());
         insert into misy.delivery_pieces (tenant_id, delivery_id, piece, account_id, tried_at, heard)
         values ('{tenant}', 'dlv_1', 0, 'cha_{tenant}', now(), 0);
         insert into misy.attachments (tenant_id, file_id, conversation_id, contact_id, media_type, size)
         values ('{tenant}', 'fil_1', 'cnv_1', 'con_1', 'image/png', 1);
         insert into misy.booking_calendars values ('{tenant}', 'dr-a');
         insert into misy.bookings (tenant_id, booking_id, contact_id, service_id, service_name, provider_id, provider_name, place,
                                    state, starts_at, ends_at, occupies, sealed_details, created_at, changed_at)
         values ('{tenant}', 'bkg_1', 'con_1', 's', 'S', 'dr-a', 'A', 1, 'booked', '2026-12-02T10:00Z', '2026-12-02T11:00Z',
                 '[2026-12-02T10:00Z,2026-12-02T11:00Z)', 'x', now(), now());
         insert into misy.booking_forms values ('{tenant}', 'cnv_1', 1, 'x');
         insert into misy.booking_shares values ('{tenant}', 'host x', '2026-12-02', 1);
         insert into misy.conversation_notes values ('{tenant}', 'nte_1', 'cnv_1', 'usr_1', 'x', now());
         insert into misy.roles (tenant_id, role_id, name, actions) values ('{tenant}', 'front', 'Front', '{{}}');
         insert into misy.privilege_uses values ('{tenant}', 'grt_1', 'own', 'usr_1', 'support_access', 'tenant', 'r', now());
         insert into misy.alerts (tenant_id, alert_id, rule, occurrence, severity, raised_at)
         values ('{tenant}', 'alr_1', 'r', 'o', 'info', now());
         insert into misy.quotas values ('{tenant}', 'messages', 1);
         insert into misy.usage_slots values ('{tenant}', 'messages', '2026-11-01', 0, 1, 1, 1);
         insert into misy.usage_events (tenant_id, month, kind, subject, at, amount, slot)
         values ('{tenant}', '2026-11-01', 'messages', 'msg_1', now(), 1, 0);
         insert into misy.quota_events values ('{tenant}', 'messages', '2026-11-01', 80, 1, now(), 1);
         insert into misy.refusals values ('{tenant}', '2026-11-22', 'rate_limited', 1);
         insert into misy.decisions values ('{tenant}', 'msg_1', 'cnv_1', '{{}}');
         insert into misy.certificates (tenant_id, certificate_id, name, bound_by, fingerprint)
         values ('{tenant}', 'crt_1', 'A', 'key', decode(repeat('00', 32), 'hex'));
         insert into misy.token_renewals values ('{tenant}', 'tat_2', 'tat_1', now());
         insert into misy.tenant_events values ('{tenant}', 1, 'registered', now(), 'key_1');
         insert into misy.users (tenant_id, user_id, sealed_email, email_index, email_route, sealed_name, roles, created_at,
                                 updated_at)
         values ('{tenant}', 'usr_1', 'x', 'x', 'x', 'x', '{{}}', now(), now());
         insert into misy.user_sessions (tenant_id, sign_in_id, user_id, token_hash, methods, created_at, last_seen_at,
                                         expires_at, idle_seconds)
         values ('{tenant}', 'sgn_1', 'usr_1', 's{tenant}', '{{}}', now(), now(), now(), 1);
         insert into misy.user_tickets (tenant_id, token_hash, user_id, purpose, created_at, expires_at)
         values ('{tenant}', 't{tenant}', 'usr_1', 'invitation', now(), now());
         insert into misy.user_devices values ('{tenant}', 'usr_1', 'device of {tenant}', now(), now(), now());
         insert into misy.user_recovery_codes values ('{tenant}', 'usr_1', 'x');
         insert into misy.personal_tokens (tenant_id, key_id, user_id, token_hash, prefix, name, scopes, created_at,
                                           expires_at)
         values ('{tenant}', 'key_p', 'usr_1', 'p{tenant}', 'pat_', 'n', '{{}}', now(), now());
         insert into misy.passkeys values ('{tenant}', 'psk_1', 'usr_1', 'c{tenant}', 'x', 'n', 0, false, false, now());
         insert into misy.sign_in_providers (tenant_id, issuer, client_id, scopes, tenant_claim, tenant_claim_value,
             role_mapping, default_roles, email_domains, trust_email, provisioning, exclusive, trusted_acr, trusted_amr,
             stands_for, created_at, updated_at)
         values ('{tenant}', 'i', 'c', '{{}}', 't', 'v', '{{}}', '{{}}', '{{}}', false, false, false, '{{}}', '{{}}', '{{}}', now(), now());
         insert into misy.email_domains values ('{tenant}', '{tenant}.example', 'c', now());
         insert into misy.federated_identities values ('{tenant}', 'i', 'x', 'usr_1', now(), now());
         insert into misy.mails (tenant_id, mail_id, sealed_mail, created_at) values ('{tenant}', 'eml_1', 'x', now());
         insert into misy.enrollments values ('{tenant}', 'key_{tenant}', 'usr_1', now());
         insert into misy.audit_entries (tenant_id, audit_id, kind, action, actor, outcome)
         values ('{tenant}', 'aud_1', 'change', 'a', 'b', 'ok');
         insert into misy.audit_leaves values ('{tenant}', 0, 'aud_1', sha256('x'));
         insert into misy.audit_nodes values ('{tenant}', 8, 0, sha256('x'));
         insert into misy.audit_checkpoints values ('{tenant}', 1, sha256('x'), 'note', now());
         insert into misy.audit_trees values ('{tenant}', 1);
         insert into misy.audit_quarantine values ('{tenant}', 'aud_1');"
    )
}

struct Table {
    name: String,
    columns: String,
    /// The row of each tenant.
    rows: [Value; 2],
}

async fn tables(store: &TestStore) -> Vec<Table> {
    let mut admin = store.connect_as("postgres").await.unwrap();
    let found: Vec<(String, String)> = sqlx::query_as(
        "select c.relname::text,
                (select string_agg(quote_ident(a.attname), ', ') from pg_attribute a
                 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '')
         from pg_class c where c.relnamespace = 'misy'::regnamespace and c.relkind in ('r', 'p')",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    let mut tables = Vec::new();
    for (name, columns) in found {
        let mut rows = [Value::Null, Value::Null];
        for (row, tenant) in rows.iter_mut().zip(TENANTS) {
            let sql = format!("select to_jsonb(t) from misy.{name} t where tenant_id = $1");
            *row = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(tenant)
                .fetch_optional(&mut admin)
                .await
                .unwrap()
                .unwrap_or_else(|| panic!("give the new table {name} a row in this test"));
        }
        tables.push(Table { name, columns, rows });
    }
    tables
}

async fn count(connection: &mut PgConnection, sql: String) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.unwrap()
}

/// Writes that do nothing or are refused for want of a right: by policy or by grant.
async fn writes_are_refused(connection: &mut PgConnection, table: &Table, context: &str) {
    let Table { name, columns, rows } = table;
    let insert = format!(
        "insert into misy.{name} ({columns}) select {columns} from jsonb_populate_record(null::misy.{name}, $1)"
    );
    for row in rows.iter().filter(|row| row["tenant_id"] != context) {
        let mut row = row.clone();
        if name == "tenants" {
            // Another one, so that nothing but the policy can refuse it.
            row["tenant_id"] = "cc".into();
        }
        let refused = sqlx::query(AssertSqlSafe(insert.clone())).bind(row).execute(&mut *connection).await;
        assert_denied(name, "insert", refused.map(|_| ()));
    }
    let others = format!("update misy.{name} set tenant_id = tenant_id where tenant_id <> '{context}'");
    assert_nothing_done(name, "update", connection.execute(AssertSqlSafe(others)).await);
    let others = format!("delete from misy.{name} where tenant_id <> '{context}'");
    assert_nothing_done(name, "delete", connection.execute(AssertSqlSafe(others)).await);
    if !context.is_empty() {
        let away = format!("update misy.{name} set tenant_id = 'bb' where tenant_id = '{context}'");
        assert_denied(name, "giving away", connection.execute(AssertSqlSafe(away)).await.map(|_| ()));
    }
}

fn assert_denied(table: &str, what: &str, result: sqlx::Result<()>) {
    let error = result.expect_err(&format!("{what} into {table}"));
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some("42501"), "{what} of {table}: {error}");
}

fn assert_nothing_done(table: &str, what: &str, result: sqlx::Result<sqlx::postgres::PgQueryResult>) {
    match result {
        Ok(done) => assert_eq!(done.rows_affected(), 0, "{what} of {table}"),
        Err(error) => assert_denied(table, what, Err(error)),
    }
}

async fn nothing_without_a_tenant(connection: &mut PgConnection, tables: &[Table]) {
    for table in tables {
        let all = count(connection, format!("select count(*) from misy.{}", table.name)).await;
        assert_eq!(all, 0, "{}", table.name);
        writes_are_refused(connection, table, "").await;
    }
}

async fn filled() -> (TestStore, Vec<Table>) {
    let store = test_store().await.unwrap();
    for tenant in TENANTS {
        store.admin(rows_of(tenant)).await.unwrap();
    }
    let tables = tables(&store).await;
    assert!(tables.len() >= 19);
    (store, tables)
}

#[tokio::test]
async fn without_a_tenant_no_table_shows_or_takes_a_row() {
    let (store, tables) = filled().await;
    for role in ROLES {
        let mut connection = store.connect_as(role).await.unwrap();
        nothing_without_a_tenant(&mut connection, &tables).await;
    }
}

#[tokio::test]
async fn after_a_transaction_of_a_tenant_a_connection_shows_nothing_again() {
    let (store, tables) = filled().await;
    for role in ROLES {
        let mut connection = store.connect_as(role).await.unwrap();
        connection
            .execute("begin; set local app.tenant_id = 'aa'; select count(*) from misy.messages; commit")
            .await
            .unwrap();
        let setting: String = sqlx::query_scalar("select current_setting('app.tenant_id', true)")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(setting, "");
        nothing_without_a_tenant(&mut connection, &tables).await;
    }
}

#[tokio::test]
async fn a_tenant_sees_its_own_rows_and_touches_no_other() {
    let (store, tables) = filled().await;
    for role in ROLES {
        let mut connection = store.connect_as(role).await.unwrap();
        connection.execute("set app.tenant_id = 'aa'").await.unwrap();
        for table in &tables {
            let all = count(&mut connection, format!("select count(*) from misy.{}", table.name)).await;
            assert_eq!(all, 1, "{}", table.name);
            let foreign = format!("select count(*) from misy.{} where tenant_id = 'bb'", table.name);
            assert_eq!(count(&mut connection, foreign).await, 0, "{}", table.name);
            writes_are_refused(&mut connection, table, "aa").await;
        }
    }
    // And nothing was lost of what could not be seen.
    let mut admin = store.connect_as("postgres").await.unwrap();
    for table in &tables {
        assert_eq!(count(&mut admin, format!("select count(*) from misy.{}", table.name)).await, 2);
    }
}

/// The owner's work sees all tenants until it acts on behalf of one; then it sees that one, and touches no other.
#[tokio::test]
async fn on_behalf_of_a_tenant_the_owners_work_sees_that_tenant_and_touches_no_other() {
    let (store, tables) = filled().await;
    let mut connection = store.connect_as("misy_system").await.unwrap();
    let counted = async |connection: &mut PgConnection, table: &Table| -> Option<i64> {
        let sql = AssertSqlSafe(format!("select count(tenant_id) from misy.{}", table.name));
        match sqlx::query_scalar(sql).fetch_one(connection).await {
            Ok(count) => Some(count),
            Err(error) => {
                assert_denied(&table.name, "read", Err(error));
                None
            }
        }
    };
    let mut read = 0;
    for table in &tables {
        connection.execute("reset app.on_behalf_of").await.unwrap();
        let Some(all) = counted(&mut connection, table).await else { continue };
        assert_eq!(all, 2, "{}", table.name);
        connection.execute("set app.on_behalf_of = 'aa'").await.unwrap();
        assert_eq!(counted(&mut connection, table).await, Some(1), "{}", table.name);
        writes_are_refused(&mut connection, table, "aa").await;
        read += 1;
    }
    assert!(read >= 10, "{read}");
}

#[tokio::test]
async fn functions_that_look_across_tenants_are_closed_to_those_who_serve_requests() {
    let (store, _) = filled().await;
    let mut connection = store.connect_as("misy_app").await.unwrap();
    for call in [
        "select * from misy.claim_conversations('w', 1, '1 s', '', 8, 1, '{}')",
        "select * from misy.claim_conversations_of('aa', 'w', 1, now(), '1 s', 8)",
        "select * from misy.extend_conversations('w', '{}', '{}', '{}', '1 s')",
        "select misy.record_calls('{bb}', '{aud_2}', '{2026-01-01}', '{call}', '{a}', '{b}', '{x}', '{x}', '{x}', '{x}', '{ok}',
                                  '{1}', '{1}', '{x}', '{x}', '{null}')",
        "select * from platform.audit_keys for update",
        "select * from platform.credentials",
    ] {
        assert_denied(call, "call", connection.execute(call).await.map(|_| ()));
    }
}
