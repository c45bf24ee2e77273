//! What somebody can do who gets to run any SQL as a role of the program: on the private server, where the roles are known by the
//! account, and on a given one, where they have passwords. They become nobody else, make nothing, and neither forge nor remove
//! what stands in the audit trail.

mod given;
mod keys;
mod poison;
mod rows;
mod statements;
mod swallowed;
mod trail;

use misy_domain::TenantId;
use misy_store::{
    Database, Vault,
    audit::{self, Actor, AuditEntry, Kind, SealTerms, Sealer, check},
    database::Role,
};
use misy_testkit::{
    determinism::{SeededEntropy, TestClock},
    store::{TestStore, test_store},
};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection, postgres::PgConnectOptions};
use std::{sync::Arc, time::Duration};

/// A database under attack, with a tenant, a victim.
pub(crate) struct Stage {
    pub(crate) database: Database,
    pub(crate) vault: Vault,
    pub(crate) sealer: Sealer,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) entropy: Arc<SeededEntropy>,
    /// How a role logs in, as the program's own connections do.
    login: Box<dyn Fn(Role) -> PgConnectOptions>,
    /// A superuser, who sees everything.
    superuser: PgConnectOptions,
    /// Keeps the database.
    _store: Option<TestStore>,
}

impl Stage {
    pub(crate) async fn private() -> Self {
        let store = test_store().await.unwrap();
        let options: Vec<_> = Role::ALL
            .iter()
            .map(|role| store.options(role.name()))
            .chain([store.options("postgres")])
            .collect();
        let superuser = options.last().unwrap().clone();
        let login = Box::new(move |role: Role| options[role as usize].clone());
        let (clock, entropy) = (store.clock.clone(), store.entropy.clone());
        let (database, vault) = (store.database.clone(), store.vault.clone());
        Self::new(database, vault, clock, entropy, login, superuser, Some(store)).await
    }

    pub(crate) async fn new(
        database: Database,
        vault: Vault,
        clock: Arc<TestClock>,
        entropy: Arc<SeededEntropy>,
        login: Box<dyn Fn(Role) -> PgConnectOptions>,
        superuser: PgConnectOptions,
        store: Option<TestStore>,
    ) -> Self {
        let terms = SealTerms { after: Duration::ZERO, entries: 10_000 };
        let sealer = Sealer::new(database.clone(), vault.clone(), clock.clone(), terms).await.unwrap();
        let stage =
            Self { database, vault: vault.clone(), sealer, clock, entropy, login, superuser, _store: store };
        stage
            .admin(
                "insert into misy.tenants (tenant_id, tenant_type, name, contact_email, website_url, business_industry,
                                           locale, timezone)
                 values ('andina', 'standard', 'A', 'a@example.com', 'https://a.example', 'clinic', 'es-CO', 'UTC'),
                        ('verde-cafe', 'standard', 'V', 'v@example.com', 'https://v.example', 'cafe', 'es-CO', 'UTC');
                 insert into misy.sites (tenant_id, site_id, name, permissions) values ('andina', 'main', 'Main', '{}')",
            )
            .await;
        let mut tx = stage.database.tenant("test", &andina()).await.unwrap();
        vault.create(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        for _ in 0..3 {
            stage.tell("createSite").await;
        }
        stage.sealer.round().await.unwrap();
        stage
    }

    /// A session that an attacker has taken over: nothing is set but what the server sets.
    pub(crate) async fn session(&self, role: Role) -> PgConnection {
        (self.login)(role).connect().await.unwrap()
    }

    pub(crate) async fn superuser(&self) -> PgConnection {
        self.superuser.connect().await.unwrap()
    }

    pub(crate) async fn admin(&self, statements: &str) {
        let mut superuser = self.superuser().await;
        superuser.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await.unwrap();
    }

    pub(crate) async fn text(&self, query: &str) -> String {
        let mut superuser = self.superuser().await;
        let text: Option<String> =
            sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut superuser).await.unwrap();
        text.unwrap_or_default()
    }

    /// Writes an entry as the program does.
    pub(crate) async fn tell(&self, action: &str) {
        let mut tx = self.database.tenant("test", &andina()).await.unwrap();
        let entry =
            AuditEntry::new(Kind::Change, action, &Actor::outside("key_1"), &*self.clock, &*self.entropy);
        audit::record(&mut tx, &entry).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The whole trail and tree of the victim.
    pub(crate) async fn trail(&self) -> String {
        self.text(
            "select string_agg(t, E'\n' order by t) from (
                 select e::text as t from misy.audit_entries e union all select l::text from misy.audit_leaves l
                 union all select n::text from misy.audit_nodes n union all select c::text from misy.audit_checkpoints c
                 union all select q::text from misy.audit_quarantine q) s",
        )
        .await
    }

    pub(crate) async fn findings(&self) -> Vec<String> {
        check::check(&self.database, &self.vault, self.sealer.issuer(), &andina()).await.unwrap().findings
    }

    /// Who is who, who may what, and what there is: everything that an attack might leave behind.
    pub(crate) async fn order_of_things(&self) -> String {
        self.text(
            "select string_agg(t, E'\n' order by t) from (
                 select format('role %s %s %s %s %s %s %s', rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls,
                               rolreplication, rolcanlogin) as t from pg_roles where rolname !~ '^pg_'
                 union all select format('member %s %s', roleid::regrole, member::regrole) from pg_auth_members
                 union all select format('table %s %s %s %s %s', oid::regclass, relowner::regrole, relacl,
                                         relrowsecurity, relforcerowsecurity)
                     from pg_class where relnamespace not in ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)
                 union all select format('function %s %s %s %s', oid::regprocedure, proowner::regrole, proacl, proconfig)
                     from pg_proc where pronamespace <> 'pg_catalog'::regnamespace
                 union all select format('trigger %s %s %s', tgrelid::regclass, tgname, tgenabled) from pg_trigger
                 union all select format('policy %s %s %s', polrelid::regclass, polname, polroles) from pg_policy
                 union all select format('type %s %s', oid::regtype, typacl) from pg_type
                     where typnamespace <> 'pg_catalog'::regnamespace
                 union all select format('schema %s %s', nspname, nspacl) from pg_namespace where nspname !~ '^pg_t'
                 union all select format('database %s %s', datname, datacl) from pg_database where datname = current_database()
                 union all select format('large object %s', oid) from pg_largeobject_metadata
                 union all select format('extension %s', extname) from pg_extension
                 union all select format('language %s %s', lanname, lanacl) from pg_language
                 union all select format('comment %s', description) from pg_description d
                     where d.classoid = 'pg_class'::regclass and d.objoid >= 16384) s",
        )
        .await
    }
}

pub(crate) fn andina() -> TenantId {
    "andina".parse().unwrap()
}

/// Runs what is refused, for a right or a rule.
pub(crate) async fn refused(session: &mut PgConnection, role: Role, statement: &str) {
    let done = session.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await;
    let Err(error) = done else { panic!("{} may: {statement}", role.name()) };
    let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
    // A right, a policy or a trigger (42501); a check (23514); too much (54000); not in this place or session (0A000, 55000, 55P02, 25006);
    // something that is not there for it to use (42704, 58P01, 42P01, 42883). Never an error of the statement itself.
    let refusals = ["42501", "23514", "54000", "0A000", "55000", "55P02", "42704", "58P01", "42883", "3F000"];
    assert!(
        code.as_deref().is_some_and(|code| refusals.contains(&code)),
        "{}: {statement}: {error}",
        role.name()
    );
    session.execute("rollback").await.unwrap();
}
