//! What `misy doctor` says of a given PostgreSQL server.

use super::Finding;
use crate::{given, settings::Settings};
use misy_domain::{Clock, Entropy, Secret, SystemClock};
use misy_store::DatabaseOptions;
use misy_trust::SystemEntropy;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::sync::Arc;

/// The oldest that is tried.
const OLDEST: i32 = 15;

/// What is wrong with the roles and functions of the program there, one thing a row. Nothing is there before the first start.
const WRONG: &str = "
    with ours as (
        select * from pg_catalog.pg_roles r
        where r.rolname in ('misy_owner', 'misy_app', 'misy_worker', 'misy_system', 'misy_sealer')
    )
    select pg_catalog.format('%s has rights over the whole server', rolname) from ours
    where rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
    union all
    select 'misy_owner can log in' from ours where rolname = 'misy_owner' and rolcanlogin
    union all
    select pg_catalog.format('%s can become %s', o.rolname, m.roleid::pg_catalog.regrole)
    from ours o join pg_catalog.pg_auth_members m on m.member = o.oid
    union all
    select pg_catalog.format('%s may create things in the database: revoke create, temporary on it from public', rolname)
    from ours where pg_catalog.has_database_privilege(oid, pg_catalog.current_database()::text, 'create, temporary')
    union all
    select pg_catalog.format('%s may create things in the schema %s', o.rolname, n.nspname)
    from ours o cross join pg_catalog.pg_namespace n
    where o.rolname <> 'misy_owner' and pg_catalog.has_schema_privilege(o.oid, n.oid, 'create')
    union all
    select pg_catalog.format('%s does not look up names in pg_catalog first', p.oid::pg_catalog.regprocedure)
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    join pg_catalog.pg_language l on l.oid = p.prolang
    -- What PostgreSQL makes for a type is its own code, and looks up nothing.
    where n.nspname in ('misy', 'platform') and l.lanname <> 'internal' and (p.prosecdef or p.prosqlbody is null)
        and not coalesce(p.proconfig @> array['search_path=pg_catalog, pg_temp'], false)";

/// What only a superuser can take away.
const LEFT: &str = "
    select exists (select from pg_catalog.pg_roles where rolname = 'misy_app')
        and pg_catalog.has_function_privilege('misy_app', 'pg_catalog.lo_create(oid)', 'execute')";

/// All checks of the server.
pub(super) async fn check(settings: &Settings, url: &Secret<String>) -> Vec<(&'static str, Finding)> {
    let server = server(url).await;
    let is_prepared = server.as_ref().is_ok_and(|(_, prepared)| *prepared);
    let mut findings = vec![("given PostgreSQL", server.map(|(text, _)| text))];
    if is_prepared {
        match logins(settings, url).await {
            Ok(options) => {
                findings
                    .push(("roles there", Ok("each logs in as itself and can become nobody else".into())));
                findings.push(("loops there", super::loops::check(&options).await));
            }
            Err(wrong) => findings.push(("roles there", Err(wrong))),
        }
    }
    findings
}

/// The server in words, and whether the program was started on it before.
async fn server(url: &Secret<String>) -> Result<(String, bool), String> {
    let problem = |error: sqlx::Error| format!("{error}: check MISY_DATABASE_URL");
    let options: PgConnectOptions = url.expose().parse().map_err(problem)?;
    let mut connection = PgConnection::connect_with(&options).await.map_err(problem)?;
    let (version, number, may, prepared): (String, i32, bool, bool) = sqlx::query_as(
        "select pg_catalog.version(), pg_catalog.current_setting('server_version_num')::int / 10000,
                (select rolsuper or rolcreaterole from pg_catalog.pg_roles where rolname = current_user),
                pg_catalog.to_regclass('platform.installation_secrets') is not null",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(problem)?;
    if number < OLDEST {
        return Err(format!("{version} is too old: {OLDEST} or newer is needed"));
    }
    if !may {
        return Err("the user of MISY_DATABASE_URL must be allowed to create roles (CREATEROLE)".into());
    }
    let wrong: Vec<String> = sqlx::query_scalar(WRONG).fetch_all(&mut connection).await.map_err(problem)?;
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    let left: bool = sqlx::query_scalar(LEFT).fetch_one(&mut connection).await.map_err(problem)?;
    let note = if left {
        "; the program's roles can make large objects and take advisory locks: start once as a superuser to take that away"
    } else {
        ""
    };
    Ok((format!("{version}{note}"), prepared))
}

/// How each role logs in as itself, if it can do no more than it should.
async fn logins(settings: &Settings, url: &Secret<String>) -> Result<DatabaseOptions, String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    given::options(settings, url, &clock, &entropy).await.map_err(|error| format!("{error:#}"))
}
