//! Channel accounts: where messages come from and go to beside the tenant's own sites.

use crate::{
    Database, StoreError, TenantKeys, TenantTx,
    readable::{readable_rows, stored},
    sites,
    vault::Via,
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Channel, ChannelAccountId, Entropy, Permissions, Secret, TenantId, Timestamp};
use misy_trust::{
    Place, WebhookSecret,
    access::{Given, Handled, Reach, StandsFor},
};

misy_domain::words! {
    /// Whether an account takes and sends messages.
    pub enum AccountStatus {
        /// It does.
        Active = "active",
        /// It takes them, and what is to be delivered waits.
        Paused = "paused",
        /// It does neither; what is to be delivered waits.
        Disabled = "disabled",
    }
}

/// An account on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub account_id: ChannelAccountId,
    /// The channel.
    pub channel: Channel,
    /// The id by which the vendor knows it.
    pub vendor_account_id: String,
    /// What people call it.
    pub name: String,
    /// Whether it takes and sends messages.
    pub status: AccountStatus,
    /// Why the program itself paused or disabled it.
    pub disabled_reason: Option<String>,
    /// What turns of its conversations may use.
    pub permissions: Permissions,
    /// Where deliveries go.
    pub callback_url: Option<String>,
    /// The business that it belongs to with its vendor.
    pub business_account_id: Option<String>,
    /// Whether the vendor has approved that people answer up to seven days later.
    pub human_agent: bool,
    /// Until when deliveries are signed with the secret before, too.
    pub old_secret_until: Option<Timestamp>,
    /// Who made it.
    pub made_by: String,
    /// Grows with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Whoever writes through an account has turns use what it may.
impl StandsFor for Account {
    fn reach(&self) -> Reach {
        self.permissions.reach()
    }
}

/// An account to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewAccount<'a> {
    /// Its id.
    pub account_id: ChannelAccountId,
    /// The channel.
    pub channel: Channel,
    /// The id by which the vendor knows it: whoever has it here has proved to the vendor that it is theirs.
    pub vendor_account_id: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// What turns of its conversations may use.
    pub permissions: &'a Given<Permissions>,
    /// Where deliveries go.
    pub callback_url: Option<&'a str>,
    /// Who makes it.
    pub made_by: &'a str,
}

/// What of an account can be changed; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// What people call it.
    pub name: Option<String>,
    /// What turns of its conversations may use.
    pub permissions: Option<Given<Permissions>>,
    /// Where deliveries go.
    pub callback_url: Option<String>,
    /// Whether it takes and sends messages.
    pub status: Option<AccountStatus>,
}

struct Row {
    account_id: String,
    channel: String,
    vendor_account_id: String,
    name: String,
    status: String,
    disabled_reason: Option<String>,
    permissions: Vec<String>,
    callback_url: Option<String>,
    business_account_id: Option<String>,
    human_agent: bool,
    old_secret_until: Option<SqlTimestamp>,
    made_by: String,
    version: i64,
    created_at: SqlTimestamp,
    updated_at: SqlTimestamp,
}

impl TryFrom<Row> for Account {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            account_id: stored(row.account_id.parse())?,
            channel: stored(row.channel.parse())?,
            vendor_account_id: row.vendor_account_id,
            name: row.name,
            status: stored(row.status.parse())?,
            disabled_reason: row.disabled_reason,
            permissions: sites::permissions(&row.permissions)?,
            callback_url: row.callback_url,
            business_account_id: row.business_account_id,
            human_agent: row.human_agent,
            old_secret_until: row.old_secret_until.map(SqlTimestamp::to_jiff),
            made_by: row.made_by,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        })
    }
}

/// Threads that are made due in one transaction.
const AT_ONCE: i32 = 200;

const SECRET: &str = "sealed_secret";
const OLD_SECRET: &str = "sealed_old_secret";

fn secret_place<'a>(tenant: &'a TenantId, column: &'static str, account: &'a str) -> Place<'a> {
    Place { tenant, table: "channel_accounts", column, row: account }
}

/// Makes an account; answers with what its deliveries are signed with. [`StoreError::Conflict`] if somebody has the vendor's
/// account already, whoever that is.
pub async fn create(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    new: &NewAccount<'_>,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<WebhookSecret, StoreError> {
    let tenant = tx.tenant().clone();
    let account = new.account_id.to_string();
    let secret = WebhookSecret::new(Secret::new(entropy.key()));
    let sealed = keys.seal(&secret_place(&tenant, SECRET, &account), secret.expose(), entropy)?;
    let made = sqlx::query!(
        "insert into channel_accounts (tenant_id, account_id, channel, vendor_account_id, name, permissions, callback_url,
                                       sealed_secret, made_by, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        tenant.as_str(),
        account,
        new.channel.as_str(),
        new.vendor_account_id,
        new.name,
        &sites::permission_names(new.permissions),
        new.callback_url,
        sealed,
        new.made_by,
        now.to_sqlx() as _,
    )
    .execute(tx.connection())
    .await;
    match made {
        Ok(_) => Ok(secret),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Err(StoreError::Conflict("channel account"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Accounts from the newest, before one and at most so many.
pub async fn list(
    tx: &mut TenantTx,
    before: Option<ChannelAccountId>,
    limit: i64,
) -> Result<Vec<Account>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select account_id, channel, vendor_account_id, name, status, disabled_reason, permissions, callback_url,
                business_account_id, human_agent, old_secret_until, made_by, version, created_at, updated_at
         from channel_accounts
         where tenant_id = $1 and ($2::text is null or account_id < $2)
         order by account_id desc limit $3",
        tenant.as_str(),
        before.map(|id| id.to_string()),
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(readable_rows("channel account", rows))
}

/// One account.
pub async fn read(tx: &mut TenantTx, id: ChannelAccountId) -> Result<Option<Account>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        Row,
        "select account_id, channel, vendor_account_id, name, status, disabled_reason, permissions, callback_url,
                business_account_id, human_agent, old_secret_until, made_by, version, created_at, updated_at
         from channel_accounts where tenant_id = $1 and account_id = $2",
        tenant.as_str(),
        id.to_string(),
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(Account::try_from).transpose()
}

/// An account, to be handled; nobody else changes it until the transaction ends.
pub async fn lock(tx: &mut TenantTx, id: ChannelAccountId) -> Result<Option<Account>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        Row,
        "select account_id, channel, vendor_account_id, name, status, disabled_reason, permissions, callback_url,
                business_account_id, human_agent, old_secret_until, made_by, version, created_at, updated_at
         from channel_accounts where tenant_id = $1 and account_id = $2 for no key update",
        tenant.as_str(),
        id.to_string(),
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(Account::try_from).transpose()
}

/// Changes an account; with `expected`, only if that is still its version. What waited while it was disabled is due at once, or where
/// that is much, as [`Database::wake_accounts`] gets to it.
pub async fn change(
    tx: &mut TenantTx,
    handled: &Handled<Account>,
    change: &AccountChange,
    expected: Option<i64>,
    now: Timestamp,
) -> Result<Account, StoreError> {
    let tenant = tx.tenant().clone();
    let account = handled.account_id.to_string();
    if expected.is_some_and(|expected| expected != handled.version) {
        return Err(StoreError::Stale("channel account"));
    }
    let permissions = change.permissions.as_deref().map(sites::permission_names);
    sqlx::query!(
        "update channel_accounts
         set name = coalesce($3, name), permissions = coalesce($4, permissions),
             callback_url = coalesce($5, callback_url), status = coalesce($6, status),
             disabled_reason = case when $6::text is null then disabled_reason end,
             wakes_after = case when $6 = 'active' then '' else wakes_after end,
             version = version + 1, updated_at = $7
         where tenant_id = $1 and account_id = $2",
        tenant.as_str(),
        account,
        change.name.as_deref(),
        permissions.as_deref(),
        change.callback_url.as_deref(),
        change.status.map(AccountStatus::as_str),
        now.to_sqlx() as _,
    )
    .execute(tx.connection())
    .await?;
    if change.status == Some(AccountStatus::Active) {
        sqlx::query_scalar!("select wake_account($1, $2, $3)", tenant.as_str(), account, AT_ONCE)
            .fetch_one(tx.connection())
            .await?;
    }
    read(tx, handled.account_id).await?.ok_or(StoreError::Stale("channel account"))
}

impl Database {
    /// Makes due, some threads at a time, what waited on accounts that are active again; says how many threads. Several processes may
    /// do so at once.
    pub async fn wake_accounts(&self) -> Result<i32, StoreError> {
        self.wake_some(AT_ONCE).await
    }

    /// The same with so many threads of each account.
    pub async fn wake_some(&self, limit: i32) -> Result<i32, StoreError> {
        let mut tx = self.system("channels.wake").await?;
        let woken = sqlx::query_scalar!(r#"select wake_accounts($1) as "woken!""#, limit)
            .fetch_one(tx.connection())
            .await?;
        tx.commit().await?;
        Ok(woken)
    }
}

/// Disables an account that is handled together with other things.
pub(crate) async fn disable(
    tx: &mut TenantTx,
    id: ChannelAccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update channel_accounts
         set status = 'disabled', disabled_reason = null, version = version + 1, updated_at = $3
         where tenant_id = $1 and account_id = $2 and status = 'active'",
        tenant.as_str(),
        id.to_string(),
        now.to_sqlx() as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Gives an account a new secret. Until `until` its deliveries are signed with the one before, too.
pub async fn rotate_secret(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    handled: &Handled<Account>,
    until: Timestamp,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<WebhookSecret, StoreError> {
    let tenant = tx.tenant().clone();
    let account = handled.account_id.to_string();
    let sealed = sqlx::query_scalar!(
        "select sealed_secret from channel_accounts where tenant_id = $1 and account_id = $2",
        tenant.as_str(),
        account,
    )
    .fetch_one(tx.connection())
    .await?;
    let old = open_secret(tx, keys, SECRET, &account, &sealed).await?;
    let secret = WebhookSecret::new(Secret::new(entropy.key()));
    let sealed = keys.seal(&secret_place(&tenant, SECRET, &account), secret.expose(), entropy)?;
    let sealed_old = keys.seal(&secret_place(&tenant, OLD_SECRET, &account), old.expose(), entropy)?;
    sqlx::query!(
        "update channel_accounts
         set sealed_secret = $3, sealed_old_secret = $4, old_secret_until = $5, version = version + 1, updated_at = $6
         where tenant_id = $1 and account_id = $2",
        tenant.as_str(),
        account,
        sealed,
        sealed_old,
        until.to_sqlx() as _,
        now.to_sqlx() as _,
    )
    .execute(tx.connection())
    .await?;
    Ok(secret)
}

async fn open_secret(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    column: &'static str,
    account: &str,
    sealed: &[u8],
) -> Result<WebhookSecret, StoreError> {
    let tenant = tx.tenant().clone();
    let place = secret_place(&tenant, column, account);
    let bytes = keys.open_fresh(Via::Connection(tx.connection()), &place, sealed).await?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| StoreError::Unsealable("channel_accounts"))?;
    Ok(WebhookSecret::new(Secret::new(bytes)))
}

/// What deliveries of an account are signed with at this moment.
pub async fn secrets(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    id: ChannelAccountId,
    now: Timestamp,
) -> Result<Vec<WebhookSecret>, StoreError> {
    let tenant = tx.tenant().clone();
    let account = id.to_string();
    let row = sqlx::query!(
        "select sealed_secret, case when old_secret_until > $3 then sealed_old_secret end as sealed_old_secret
         from channel_accounts where tenant_id = $1 and account_id = $2",
        tenant.as_str(),
        account,
        now.to_sqlx() as _,
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(Vec::new()) };
    let mut secrets = vec![open_secret(tx, keys, SECRET, &account, &row.sealed_secret).await?];
    if let Some(sealed) = row.sealed_old_secret {
        secrets.push(open_secret(tx, keys, OLD_SECRET, &account, &sealed).await?);
    }
    Ok(secrets)
}
