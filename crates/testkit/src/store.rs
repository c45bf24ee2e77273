//! A database of its own for a test, with the schema in it, and what tests put there.

use crate::{
    determinism::{SeededEntropy, TestClock, seed},
    postgres::{TestDatabase, TestkitError},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use misy_domain::{
    Channel, ChannelAccountId, Clock, Content, Language, Part, Permissions, Reply, Secret, SessionId,
    SignInId, SiteId, SystemClock, TenantId, TokenId, UserId,
};
use misy_store::{
    Bell, Database, DatabaseOptions, Files, StoreError, TenantKeys, Vault,
    channels::{self, NewAccount, Passed, Sender},
    database::Login,
    leases::{Claimed, Cursor, LeaseTerms, Share, WorkerId},
    messages::{InboundOrigin, Ingested, NewInbound},
    sessions::{self, NewSession, Session},
    turns::{self, Conversations, TurnResult},
};
use misy_trust::{RandomToken, RootKey, TokenUse, access::Reach};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection, postgres::PgConnectOptions};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;

/// A store on a database that the test has to itself. The connections log in as the program's own unprivileged roles.
pub struct TestStore {
    /// The store.
    pub database: Database,
    /// The keys of the tenants.
    pub vault: Vault,
    /// The bell that [`TestStore::say`] rings.
    pub bell: Bell,
    /// The time that the program sees; the database has its own.
    pub clock: Arc<TestClock>,
    /// Randomness from the printed seed.
    pub entropy: Arc<SeededEntropy>,
    /// Where the bytes of files lie.
    pub files: Files,
    directory: TempDir,
    data: TestDatabase,
}

/// A tenant with a site, keys and the starter's context pack.
#[derive(Clone)]
pub struct TestTenant {
    /// The tenant.
    pub id: TenantId,
    /// Its site.
    pub site: SiteId,
    /// Its keys.
    pub keys: Arc<TenantKeys>,
    /// The token family of its visitor.
    pub family: TokenId,
}

/// A fresh database, from a template that is built once per schema.
pub async fn test_store() -> Result<TestStore, TestkitError> {
    test_store_with(|options| options).await
}

/// As [`test_store`], with other numbers of connections.
pub async fn test_store_with(
    change: impl FnOnce(DatabaseOptions) -> DatabaseOptions,
) -> Result<TestStore, TestkitError> {
    let data = TestDatabase::create(&Database::schema_fingerprint(), async |admin: PgConnectOptions| {
        Database::connect(&DatabaseOptions::new(admin, Login::ByName)).await?.close().await;
        Ok::<_, StoreError>(())
    })
    .await?;
    let options = change(DatabaseOptions::new(data.options(misy_postgres::SUPERUSER), Login::ByName));
    let entropy = Arc::new(SeededEntropy::new(seed()));
    let directory = TempDir::new().map_err(|error| TestkitError::Build(error.into()))?;
    Ok(TestStore {
        database: Database::open(&options),
        vault: Vault::new(RootKey::new(Secret::new([7; 32])), entropy.clone()),
        bell: Bell::default(),
        clock: Arc::new(TestClock::default()),
        entropy,
        files: Files::in_directory(directory.path()).map_err(|error| TestkitError::Build(error.into()))?,
        directory,
        data,
    })
}

impl TestStore {
    /// The files whose bytes lie somewhere, as paths.
    pub fn stored_bytes(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut directories = vec![self.directory.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let into = if is_directory { &mut directories } else { &mut found };
                into.push(entry.path());
            }
        }
        found.sort();
        found
    }

    /// How to reach the database as a role.
    pub fn options(&self, role: &str) -> PgConnectOptions {
        self.data.options(role).options([("search_path", "misy"), ("timezone", "UTC")])
    }

    /// A connection as a role.
    pub async fn connect_as(&self, role: &str) -> sqlx::Result<PgConnection> {
        self.options(role).connect().await
    }

    /// Statements of the superuser, whom no policy stops.
    pub async fn admin(&self, sql: impl Into<String>) -> sqlx::Result<()> {
        let mut admin = self.connect_as(misy_postgres::SUPERUSER).await?;
        admin.execute(AssertSqlSafe(sql.into())).await?;
        Ok(())
    }

    /// A new tenant.
    pub async fn tenant(&self, slug: &str) -> Result<TestTenant, TestkitError> {
        let id: TenantId = slug.parse().map_err(|_| TestkitError::Build("no slug".into()))?;
        let pack = starter_pack().to_string().replace('\'', "''");
        self.admin(format!(
            "insert into misy.tenants (tenant_id, tenant_type, name, contact_email, website_url, business_industry, locale,
                                       timezone)
             values ('{id}', 'standard', 'A', 'a@example.com', 'https://a.example', 'clinic', 'es-CO', 'America/Bogota');
             insert into misy.sites (tenant_id, site_id, name, permissions)
             values ('{id}', 'main', 'Main', '{{chat:read,chat:write,agents:support,agents:sales,agents:booking}}');
             insert into misy.context_packs (tenant_id, version, pack) values ('{id}', 1, '{pack}')"
        ))
        .await?;
        let build = |error: StoreError| TestkitError::Build(error.into());
        let mut tx = self.database.tenant("test.tenant", &id).await.map_err(build)?;
        let keys = self.vault.create(&mut tx).await.map_err(build)?;
        tx.commit().await.map_err(build)?;
        let site = "main".parse().map_err(|_| TestkitError::Build("no slug".into()))?;
        Ok(TestTenant { id, site, keys, family: TokenId::new(&*self.clock, &*self.entropy) })
    }

    /// A session of somebody in the owner's role, with a second factor of just now, for the cookie and the header of its
    /// calls. Whoever it is has no name and no address.
    pub async fn session_of_owner(&self, owner: &TenantId) -> sqlx::Result<RandomToken> {
        let (user, sign_in) =
            (UserId::new(&SystemClock, &*self.entropy), SignInId::new(&SystemClock, &*self.entropy));
        let token = RandomToken::generate(TokenUse::Session, &*self.entropy);
        let hash = STANDARD.encode(token.hash());
        self.admin(format!(
            "insert into misy.users (tenant_id, user_id, status, sealed_email, email_index, email_route, sealed_name, roles,
                                     created_at, updated_at)
             values ('{owner}', '{user}', 'active', '', '{user}', '', '', '{{owner}}', now(), now());
             insert into misy.user_sessions (tenant_id, sign_in_id, user_id, token_hash, methods, second_factor_at, created_at,
                                             last_seen_at, expires_at, idle_seconds)
             values ('{owner}', '{sign_in}', '{user}', decode('{hash}', 'base64'), '{{password,totp}}', now(), now(), now(),
                     now() + interval '1 day', 3600)"
        ))
        .await?;
        Ok(token)
    }

    /// A new session of a visitor on the web.
    pub async fn session(&self, tenant: &TestTenant) -> Result<Session, StoreError> {
        let permissions = Permissions::anonymous_chat();
        let new = NewSession {
            site: &tenant.site,
            channel: Channel::Web,
            locale: None,
            family: tenant.family,
            permissions: &permissions,
            metadata: None,
            counts_as: &[],
            ttl: Duration::from_hours(1),
        };
        let mut tx = self.database.tenant("test.session", &tenant.id).await?;
        let session =
            sessions::open_session(&mut tx, &tenant.keys, &new, &*self.clock, &*self.entropy).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// The visitor says something, under an id of its own.
    pub async fn say(
        &self,
        tenant: &TestTenant,
        session: SessionId,
        external_id: &str,
        text: &str,
    ) -> Result<Ingested, StoreError> {
        self.send(tenant, session, external_id, &Content::text(text)).await
    }

    /// The visitor sends something, under an id of its own.
    pub async fn send(
        &self,
        tenant: &TestTenant,
        session: SessionId,
        external_id: &str,
        content: &Content,
    ) -> Result<Ingested, StoreError> {
        let inbound = NewInbound {
            tenant: &tenant.id,
            origin: InboundOrigin::Session {
                session,
                site: &tenant.site,
                family: tenant.family,
                channel: Channel::Web,
            },
            external_id,
            content,
            sent_at: None,
            key: None,
            monthly: None,
        };
        self.database.ingest(&inbound, &tenant.keys, &self.bell, &*self.clock, &*self.entropy).await
    }

    /// An account of a program of the tenant, whose deliveries go there.
    pub async fn account(&self, tenant: &TestTenant, callback: &str) -> Result<ChannelAccountId, StoreError> {
        let account_id = ChannelAccountId::new(&*self.clock, &*self.entropy);
        let given = Reach::of_operator().give(Permissions::anonymous_chat());
        let given = given.map_err(|_| StoreError::Refused("Nobody could give that."))?;
        let new = NewAccount {
            account_id,
            channel: Channel::Api,
            vendor_account_id: &account_id.to_string(),
            name: "CRM",
            permissions: &given,
            callback_url: Some(callback),
            made_by: "usr_1",
        };
        let mut tx = self.database.tenant("test.account", &tenant.id).await?;
        channels::create(&mut tx, &tenant.keys, &new, self.clock.now(), &*self.entropy).await?;
        tx.commit().await?;
        Ok(account_id)
    }

    /// Somebody says something on an account of a program.
    pub async fn pass_on(
        &self,
        tenant: &TestTenant,
        account: ChannelAccountId,
        contact: &str,
        external_id: &str,
        text: &str,
    ) -> Result<Ingested, StoreError> {
        let sender = Sender { account, channel: Channel::Api, external_id: contact, locale: None };
        let content = Content::text(text);
        let passed = Passed {
            sender,
            site: None,
            external_id,
            content: &content,
            sent_at: None,
            key: None,
            monthly: None,
        };
        let stored = self.database.pass_on(&tenant.keys, &passed, &self.bell, &*self.clock, &*self.entropy);
        Box::pin(stored).await
    }

    /// Answers whatever waits, with one reply of these parts to each conversation; says to how many.
    pub async fn answer(&self, parts: &[Part]) -> Result<usize, StoreError> {
        let (worker, terms) = (WorkerId::new(&*self.entropy), LeaseTerms::default());
        let claimed: Claimed<Conversations> =
            self.database.claim(&worker, 100, &terms, &Cursor::default(), Share::ALL).await?;
        for lease in &claimed.leases {
            let keys = self.vault.keys(&self.database, &lease.tenant).await?.ok_or(StoreError::LeaseLost)?;
            let mut tx = self.database.tenant_work("test.answer", &lease.tenant).await?;
            let work = turns::load_turn(&mut tx, &keys, lease).await?.ok_or(StoreError::LeaseLost)?;
            tx.commit().await?;
            let reply =
                Reply { agent_name: "support".to_owned(), parts: parts.to_vec(), sources: Vec::new() };
            let result = TurnResult {
                work: &work,
                replies: &[reply],
                agent: "support",
                language: Language::Es,
                unanswered_in_a_row: 0,
                handoff: None,
                decision: &serde_json::json!({}),
                wait: None,
                took: Duration::ZERO,
            };
            self.database
                .commit_turn(lease, &result, &keys, &self.bell, &*self.clock, &*self.entropy)
                .await?;
        }
        Ok(claimed.leases.len())
    }
}

fn starter_pack() -> serde_json::Value {
    let zone = misy_domain::context_pack::ZoneName::parse("America/Bogota");
    let locale = "es-CO".parse();
    match (zone, locale) {
        (Some(zone), Ok(locale)) => misy_domain::ContextPack::starter(
            "Clínica A",
            "a@example.com",
            "https://a.example",
            "clinic",
            &locale,
            zone,
        )
        .to_json(),
        _ => serde_json::Value::Null,
    }
}

impl TestStore {
    /// Somebody says something on an account of any channel, at a time that its vendor tells.
    #[allow(clippy::too_many_arguments, reason = "a message has as much")]
    pub async fn pass_on_at(
        &self,
        tenant: &TestTenant,
        account: ChannelAccountId,
        channel: Channel,
        contact: &str,
        external_id: &str,
        content: &Content,
        at: misy_domain::Timestamp,
    ) -> Result<misy_domain::ConversationId, StoreError> {
        let sender = Sender { account, channel, external_id: contact, locale: None };
        let passed =
            Passed { sender, site: None, external_id, content, sent_at: Some(at), key: None, monthly: None };
        let passed =
            Box::pin(self.database.pass_on(&tenant.keys, &passed, &self.bell, &*self.clock, &*self.entropy))
                .await?;
        match passed {
            Ingested::Stored(receipt) | Ingested::Duplicate(receipt) => Ok(receipt.conversation_id),
            _ => Err(StoreError::Refused("It was not stored.")),
        }
    }
}
