//! Becoming somebody else, making things, reading files, and the catalogue.

use super::{Stage, refused};
use misy_store::database::Role;
use sqlx::Executor;

/// Whom an attacker would like to be.
const OTHERS: [&str; 6] = ["postgres", "misy_owner", "misy_app", "misy_worker", "misy_system", "misy_sealer"];

/// What no role may do.
const NEVER: &[&str] = &[
    // Rights.
    "alter role current_user superuser",
    "alter role current_user createrole",
    "alter role current_user bypassrls",
    "alter role misy_owner login",
    "grant misy_owner to current_user",
    "grant pg_read_all_data to current_user",
    "grant pg_execute_server_program to current_user",
    "create role intruder",
    "set session_replication_role = replica",
    "alter system set log_statement = 'all'",
    "select pg_reload_conf()",
    "set log_min_messages = debug5",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
    // Things, lasting or not.
    "create temporary table t (a int)",
    "select 1 as a into temporary t",
    "create domain pg_temp.text as pg_catalog.text",
    "create type pg_temp.uuid as (a int)",
    "create type pg_temp.jsonb as enum ('a')",
    "create function pg_temp.f() returns int language sql as 'select 1'",
    "create temporary view v as select 1",
    "create temporary sequence s",
    "create table public.t (a int)",
    "create table misy.t (a int)",
    "create table platform.t (a int)",
    "create schema intruder",
    "create domain misy.text as pg_catalog.text",
    "create domain public.text as pg_catalog.text",
    "create function misy.length(bytea) returns int language sql as 'select 1'",
    "create function public.now() returns timestamptz language sql as 'select null::timestamptz'",
    "create operator misy.= (leftarg = text, rightarg = text, function = pg_catalog.texteq)",
    "create operator class misy.c for type text using btree as operator 1 <",
    "create aggregate misy.a (int) (sfunc = int4pl, stype = int)",
    "create cast (text as bytea) without function as implicit",
    "create collation misy.c from \"C\"",
    "create statistics misy.s on tenant_id, status from misy.tenants",
    "create extension dblink",
    "create extension file_fdw",
    "create language plperlu",
    "create event trigger e on ddl_command_end execute function misy.refuse_change()",
    "create trigger t before insert on misy.audit_entries for each row execute function misy.refuse_change()",
    "create rule r as on insert to misy.audit_entries do instead nothing",
    "create policy p on misy.messages using (true)",
    "create index i on misy.messages (tenant_id)",
    "create publication p for all tables",
    "create server s foreign data wrapper w",
    "create database intruder",
    "create tablespace t location '/tmp'",
    "do $$ begin null; end $$",
    "select lo_create(0)",
    "select lo_creat(-1)",
    "select lo_from_bytea(0, 'x')",
    "select lo_import('/etc/passwd')",
    "select lo_export(1, '/tmp/intruder')",
    // Changes to what is there.
    "alter table misy.audit_entries disable trigger all",
    "alter table misy.audit_entries disable trigger append_only",
    "alter table misy.messages disable row level security",
    "alter table misy.messages no force row level security",
    "alter table misy.messages owner to current_user",
    "alter table misy.audit_entries drop constraint audit_entries_at_check",
    "drop policy own_tenant on misy.messages",
    "drop trigger append_only on misy.audit_entries",
    "drop table misy.audit_entries",
    "drop function misy.refuse_change() cascade",
    "drop schema misy cascade",
    "alter function misy.refuse_change() set search_path = misy",
    "comment on table misy.users is 'outlives its tenant'",
    "reassign owned by misy_owner to current_user",
    "truncate misy.messages",
    "begin; lock table platform.schema_lock",
    "begin; lock table misy.audit_leaves",
    "select pg_advisory_lock(1)",
    "select pg_try_advisory_lock(1, 2)",
    "select pg_advisory_xact_lock_shared(1)",
    // Files and programs.
    "copy (select 1) to '/tmp/intruder'",
    "copy (select 1) to program 'id'",
    "copy misy.audit_entries from program 'id'",
    "copy misy.audit_entries from '/etc/passwd'",
    "select pg_read_file('/etc/passwd')",
    "select pg_read_binary_file('postgresql.conf')",
    "select pg_ls_dir('.')",
    "select pg_stat_file('postgresql.conf')",
    "load '/tmp/intruder.so'",
    // What is nobody's to read.
    "select * from pg_authid",
    "select * from pg_shadow",
    "select * from pg_hba_file_rules",
    "select * from platform.credentials",
    "select * from platform.owner",
    "select * from platform.tenant_ids",
    "select * from platform.secret_ids",
    "select * from platform.origins",
    "select * from platform.user_emails",
    "select * from platform.ceremonies",
    "select * from platform.migrations",
    "insert into platform.owner values (false, 'andina')",
    "update platform.sealed_columns set condition = 'false'",
    "delete from platform.audit_keys",
    "update platform.installation set installation_id = 'x'",
    "set row_security = off; select * from misy.messages",
    // The catalogue itself.
    "update pg_catalog.pg_class set relowner = 1 where relname = 'messages'",
    "update pg_catalog.pg_authid set rolsuper = true",
    "delete from pg_catalog.pg_policy",
    "update pg_catalog.pg_trigger set tgenabled = 'D'",
];

pub(crate) async fn attack(stage: &Stage) {
    let before = stage.order_of_things().await;
    let _somebody_else = stage.superuser().await;
    for role in Role::ALL {
        let mut session = stage.session(role).await;
        // There is nobody behind the role.
        session.execute("reset role; reset session authorization").await.unwrap();
        let (is, session_is): (String, String) =
            sqlx::query_as("select current_user::text, session_user::text")
                .fetch_one(&mut session)
                .await
                .unwrap();
        assert_eq!((&*is, &*session_is), (role.name(), role.name()));
        for other in OTHERS.into_iter().filter(|other| *other != role.name()) {
            for statement in [
                format!("set role {other}"),
                format!("set session authorization {other}"),
                format!("alter role {other} password 'known'"),
                format!("alter role {other} set search_path = pg_temp"),
                format!("grant {other} to current_user"),
                format!("drop owned by {other}"),
            ] {
                refused(&mut session, role, &statement).await;
            }
        }
        for statement in NEVER {
            refused(&mut session, role, statement).await;
        }
        // Where no superuser set the server up, PostgreSQL lets each of these pass; the rights must be as they were.
        for statement in ["drop owned by current_user", "grant all on misy.audit_entries to public"] {
            let _ = session.execute(statement).await;
        }
    }
    assert_eq!(stage.order_of_things().await, before);
}

#[tokio::test]
async fn no_role_of_the_private_server_becomes_or_makes_anything() {
    attack(&Stage::private().await).await;
}

/// What a role may make would be found first by whatever runs with more rights: so even if it could, nothing would come of it.
#[tokio::test]
async fn a_type_in_pg_temp_is_not_what_a_function_finds() {
    let stage = Stage::private().await;
    stage
        .admin(
            "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$;
             grant usage on language plpgsql to public; drop event trigger refuse_definitions",
        )
        .await;
    for role in [Role::App, Role::Worker, Role::System] {
        let mut session = stage.session(role).await;
        session
            .execute(
                "create function pg_temp.spy(value pg_catalog.text) returns pg_catalog.bool language plpgsql as
                 $$ begin
                     perform pg_catalog.set_config(
                         'spy.was', pg_catalog.current_setting('spy.was', true) || ' ' || current_user, false);
                     return true;
                 end $$",
            )
            .await
            .unwrap();
        for name in
            ["text", "bytea", "jsonb", "uuid", "timestamptz", "regclass", "record", "date", "name", "int8"]
        {
            let base = if name == "record" { "text" } else { name };
            session
                .execute(sqlx::AssertSqlSafe(format!(
                    "create domain pg_temp.{name} as pg_catalog.{base} check (pg_temp.spy(value::pg_catalog.text))"
                )))
                .await
                .unwrap();
        }
        session
            .execute(
                "set spy.was = ''; set app.tenant_id = 'andina'; set search_path = pg_temp, misy, pg_catalog",
            )
            .await
            .unwrap();
        let statements: &[&str] = match role {
            Role::App => &[
                "insert into misy.site_origins values ('andina', 'main', 'https://a.example')",
                "insert into misy.audit_entries (tenant_id, audit_id, kind, action, actor, outcome)
                 values ('andina', 'aud_spx', 'change', 'a', 'b', 'ok')",
                "insert into misy.tenant_secrets (tenant_id, key_id, sealed_secret)
                 values ('andina', 'key_spy', pg_catalog.decode('01000000000100000000000000000000000000000000000000000000000000000000000000000000000000000000000000', 'hex'))",
            ],
            Role::Worker => &[
                "select * from misy.claim_conversations('w', 1, '1 minute', null, 3, 1, '{}')",
                "select * from misy.claim_mails('w', 1, '1 minute', null, 3, 1, '{}')",
            ],
            _ => &["select * from platform.purge_batch('andina', pg_catalog.now(), 1)"],
        };
        for statement in statements {
            // Some are refused at last; what counts is who looked at the values meanwhile.
            let _ = session.execute(*statement).await;
            let spied: String = sqlx::query_scalar("select pg_catalog.current_setting('spy.was')")
                .fetch_one(&mut session)
                .await
                .unwrap();
            assert!(!spied.contains("misy_owner"), "{statement}: run as {spied}");
        }
    }
}
