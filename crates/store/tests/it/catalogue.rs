//! Walks the catalogue of a fresh database and refuses anything that breaks the rules of the schema.

mod rules;

use misy_testkit::store::test_store;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

async fn complaints(connection: &mut PgConnection) -> Vec<String> {
    let mut all = Vec::new();
    for rule in rules::rules() {
        let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rule.clone()))
            .fetch_all(&mut *connection)
            .await
            .unwrap_or_else(|error| panic!("{error}: {rule}"));
        all.extend(found);
    }
    all
}

#[tokio::test]
async fn the_schema_breaks_no_rule() {
    let store = test_store().await.unwrap();
    let mut admin = store.connect_as("postgres").await.unwrap();
    let complaints = complaints(&mut admin).await;
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// Statements that break a rule, run by whoever may, and a part of the complaint that is expected.
const BAD: &[(&str, &str)] = &[
    ("create table public.stray (a int)", "stray is outside"),
    ("create schema other; create view other.v as select 1", "other.v is outside"),
    ("create function public.f() returns int language sql as 'select 1'", "function public.f() is outside"),
    ("create materialized view misy.m as select * from misy.messages", "misy.m is of kind m"),
    ("set role misy_owner; create view misy.v as select * from misy.messages", "view misy.v runs with"),
    ("create table misy.mine (tenant_id text primary key)", "misy.mine belongs to postgres"),
    ("set role misy_owner; create table misy.t (id text primary key)", "misy.t has no tenant_id"),
    ("set role misy_owner; create table misy.t (tenant_id text primary key)", "compared byte by byte"),
    ("set role misy_owner; create table misy.t (tenant_id text collate \"C\" not null)", "no primary key"),
    (
        "set role misy_owner; create table misy.t (tenant_id text collate \"C\" primary key)",
        "misy.t does not enable and force",
    ),
    ("alter table misy.messages no force row level security", "misy.messages does not enable and force"),
    ("alter table misy.messages disable row level security", "misy.messages does not enable and force"),
    ("drop policy own_tenant on misy.messages", "misy.messages has 2 policies"),
    ("create policy more on misy.messages for select using (true)", "misy.messages has 4 policies"),
    ("alter policy own_tenant on misy.messages with check (true)", "policy own_tenant on misy.messages"),
    ("alter policy own_tenant on misy.messages to misy_app", "policy own_tenant on misy.messages"),
    ("alter policy on_behalf on misy.messages to misy_worker", "policy on_behalf on misy.messages"),
    ("alter policy granted on misy.messages to public", "policy granted on misy.messages"),
    ("create index bad on misy.messages (message_id, tenant_id)", "index misy.bad does not begin"),
    ("create unique index bad on misy.messages (lower(tenant_id))", "index misy.bad does not begin"),
    ("alter table misy.messages add constraint bad unique (message_id)", "constraint bad of misy.messages"),
    (
        "alter table misy.messages add constraint bad foreign key (message_id) references platform.tenant_ids",
        "foreign key bad of misy.messages leads out",
    ),
    ("alter table misy.messages owner to misy_app", "misy.messages belongs to misy_app"),
    (
        "alter table misy.audit_entries drop constraint audit_entries_tenant_id_check",
        "misy.audit_entries takes rows of what is no tenant",
    ),
    ("drop trigger cap on misy.tenant_secrets", "misy.tenant_secrets has no cap"),
    ("alter table misy.sites disable trigger cap", "misy.sites has no cap"),
    (
        "alter table misy.sites add column sealed_note bytea",
        "sites.sealed_note is sealed and takes no part in the rotation of keys",
    ),
    (
        "drop index misy.sessions_sealed_metadata_under_data_key",
        "sessions.sealed_metadata has no index by the data key",
    ),
    ("grant select on misy.messages to public", "everybody may SELECT misy.messages"),
    ("grant truncate on misy.messages to misy_app", "misy_app may TRUNCATE misy.messages"),
    ("grant references on misy.messages to misy_worker", "misy_worker may REFERENCES misy.messages"),
    ("grant trigger on misy.messages to misy_system", "misy_system may TRIGGER misy.messages"),
    ("grant select on misy.messages to misy_app with grant option", "misy_app may SELECT misy.messages"),
    (
        "grant select (message_id) on misy.messages to misy_app",
        "a grant of SELECT on the column misy.messages.message_id to misy_app",
    ),
    ("grant delete on misy.contacts to misy_app", "misy_app may remove rows of misy.contacts"),
    ("grant update on misy.audit_entries to misy_app", "misy_app may UPDATE audit_entries"),
    ("grant insert on misy.audit_entries to misy_sealer", "misy_sealer may INSERT misy.audit_entries"),
    ("grant select on misy.messages to misy_sealer", "misy_sealer may SELECT misy.messages"),
    ("grant execute on function pg_catalog.lo_create to public", "everybody may call lo_create(oid)"),
    (
        "grant execute on function pg_catalog.pg_advisory_lock(bigint) to misy_app",
        "everybody may call pg_advisory_lock(bigint)",
    ),
    ("grant usage on language plpgsql to public", "everybody may run blocks of plpgsql"),
    ("grant select on platform.credentials to misy_app", "misy_app may SELECT platform.credentials"),
    ("grant create on schema misy to misy_app", "misy_app may CREATE the schema misy"),
    ("grant usage on schema public to public", "everybody may USAGE the schema public"),
    (
        "grant execute on function misy.claim_conversations to public",
        "everybody may call misy.claim_conversations",
    ),
    (
        "grant execute on function misy.claim_conversations to misy_app",
        "misy.claim_conversations(p_worker text, p_batch integer, p_lease interval, p_after_tenant text, \
         p_most_attempts integer, p_most_of_tenant integer, p_full text[]) runs with its owner's rights and is not on the list, or others may call it",
    ),
    (
        "set role misy_owner; create function misy.f() returns text language sql security definer set search_path = pg_catalog, pg_temp \
         as 'select sealed_body::text from misy.messages limit 1'",
        "misy.f() runs with its owner's rights and is not on the list",
    ),
    (
        "drop function platform.tenant_of_secret; set role misy_owner; \
         create function platform.tenant_of_secret(id text) returns setof platform.secret_ids language sql \
         security definer set search_path = pg_catalog, pg_temp as 'select * from platform.secret_ids'",
        "platform.tenant_of_secret(id text) runs with its owner's rights and is not on the list",
    ),
    (
        "set role misy_owner; create or replace function misy.postpone_mails(p_tenant text, p_id text, p_worker text, \
         p_fence bigint, p_delay interval) returns boolean language plpgsql set search_path = pg_catalog, pg_temp \
         as 'begin return true; end'",
        "misy.postpone_mails is not what misy.lease makes",
    ),
    ("drop function misy.claim_mails", "misy.claim_mails is not what misy.lease makes"),
    ("drop trigger tell_of_dead_work on misy.mails", "misy.mails raises no alert"),
    (
        "alter function misy.extend_conversations reset search_path",
        "misy.extend_conversations(text,text[],text[],bigint[],interval) does not look up",
    ),
    (
        "alter function misy.extend_conversations set search_path = ''",
        "misy.extend_conversations(text,text[],text[],bigint[],interval) does not look up",
    ),
    (
        "alter function misy.extend_conversations set search_path = pg_catalog",
        "misy.extend_conversations(text,text[],text[],bigint[],interval) does not look up",
    ),
    (
        "alter function misy.extend_conversations set search_path = pg_temp, pg_catalog",
        "misy.extend_conversations(text,text[],text[],bigint[],interval) does not look up",
    ),
    (
        "alter function misy.take_usage reset search_path",
        "misy.take_usage(text,text,bigint,bigint,timestamp with time zone) does not look up",
    ),
    (
        "set role misy_owner; create or replace function platform.owner_tenant() returns text language sql stable \
         security definer set search_path = pg_catalog, pg_temp as 'select tenant_id::text from platform.owner'",
        "platform.owner_tenant() runs with its owner's rights and names a type without its schema",
    ),
    (
        "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$",
        "everybody may TEMPORARY the database",
    ),
    (
        "do $$ begin execute format('grant create on database %I to misy_app', current_database()); end $$",
        "misy_app may CREATE the database",
    ),
    (
        "create schema x; grant create on schema x to misy_worker",
        "role misy_worker may create in the schema x",
    ),
    ("select lo_create(4711); alter large object 4711 owner to misy_app", "belongs to misy_app"),
    ("alter function platform.owner_tenant() leakproof", "platform.owner_tenant() is declared leakproof"),
    ("alter role misy_app bypassrls", "role misy_app has rights over the server"),
    ("alter role misy_worker superuser", "role misy_worker has rights over the server"),
    ("alter role misy_owner login", "misy_owner can log in"),
    ("grant misy_owner to misy_app", "role misy_app is a member of misy_owner"),
    ("create rule r as on delete to misy.messages do instead nothing", "rule r on misy.messages"),
    (
        "create function misy.e() returns event_trigger language plpgsql as 'begin end'; \
         create event trigger e on ddl_command_end execute function misy.e()",
        "event trigger e",
    ),
    ("create publication p for all tables", "publication p"),
];

#[tokio::test]
async fn each_bad_object_is_found() {
    let store = test_store().await.unwrap();
    let mut admin = store.connect_as("postgres").await.unwrap();
    for (statement, expected) in BAD {
        // Rolled back at the end, also what is said of roles, which belong to the whole server.
        let mut transaction = admin.begin().await.unwrap();
        transaction
            .execute(sqlx::raw_sql(*statement))
            .await
            .unwrap_or_else(|error| panic!("{error}: {statement}"));
        transaction.execute("reset role; set local search_path = pg_catalog").await.unwrap();
        let complaints = complaints(&mut transaction).await;
        transaction.rollback().await.unwrap();
        assert!(
            complaints.iter().any(|complaint| complaint.contains(expected)),
            "{statement}\nexpected: {expected}\ngot: {complaints:#?}"
        );
    }
}
