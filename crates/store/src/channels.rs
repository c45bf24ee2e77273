//! Channel accounts: where messages come from and go to beside the tenant's own sites; and the threads on them.

use crate::{
    Database, StoreError, TenantKeys, TenantTx,
    readable::{readable_rows, stored},
    sites,
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{
    Channel, ChannelAccountId, Clock, ContactId, ConversationId, Entropy, IdentityId, Locale, Permissions,
    Secret, TenantId, Timestamp,
};
use misy_trust::{
    Place, WebhookSecret,
    access::{Given, Handled, Reach, StandsFor},
};

misy_domain::words! {
    /// Whether an account takes and sends messages.
    pub enum AccountStatus {
        /// It does.
        Active = "active",
        /// It does not; what is to be delivered waits.
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
    /// Why the program itself disabled it.
    pub disabled_reason: Option<String>,
    /// What turns of its conversations may use.
    pub permissions: Permissions,
    /// Where deliveries go.
    pub callback_url: Option<String>,
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
            old_secret_until: row.old_secret_until.map(SqlTimestamp::to_jiff),
            made_by: row.made_by,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        })
    }
}

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
                old_secret_until, made_by, version, created_at, updated_at
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
                old_secret_until, made_by, version, created_at, updated_at
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
                old_secret_until, made_by, version, created_at, updated_at
         from channel_accounts where tenant_id = $1 and account_id = $2 for no key update",
        tenant.as_str(),
        id.to_string(),
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(Account::try_from).transpose()
}

/// Changes an account; with `expected`, only if that is still its version. What waited while it was disabled is due at once.
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
        sqlx::query!("select wake_account($1, $2)", tenant.as_str(), account)
            .execute(tx.connection())
            .await?;
    }
    read(tx, handled.account_id).await?.ok_or(StoreError::Stale("channel account"))
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
    let bytes = keys.open_fresh(crate::vault::Via::Connection(tx.connection()), &place, sealed).await?;
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

/// Somebody on an account, as the vendor names them.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The account.
    pub account: ChannelAccountId,
    /// Its channel.
    pub channel: Channel,
    /// The id that the vendor gives them.
    pub external_id: &'a str,
    /// What they prefer to read, if that is known.
    pub locale: Option<&'a Locale>,
    /// Whether they get a conversation if they have none yet.
    pub opens: bool,
}

/// Where what somebody says on an account goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thread {
    /// To this conversation.
    Open(ConversationId),
    /// Nowhere: they have no conversation, and get none for this.
    None,
    /// Nowhere: the account is disabled.
    Disabled,
    /// Nowhere: there is no such account.
    NotFound,
    /// Nowhere: they write for the first time, and the tenant's messages of the month are used up.
    QuotaExceeded,
}

impl Sender<'_> {
    /// Within what the vendor's id names one person: most vendors give a person another id on each account.
    fn scope(&self) -> String {
        match self.channel {
            // A telephone number or an address is the same wherever it writes to.
            Channel::Whatsapp | Channel::Email => String::new(),
            _ => self.account.to_string(),
        }
    }

    fn index(&self, keys: &TenantKeys) -> [u8; 32] {
        let value = format!("{}\n{}\n{}", self.channel.as_str(), self.scope(), self.external_id);
        keys.blind_index("contact_identities", "identity").of(value.as_bytes())
    }
}

impl Database {
    /// The thread of somebody on an account; who writes for the first time gets a contact and a conversation.
    pub async fn thread(
        &self,
        keys: &TenantKeys,
        sender: &Sender<'_>,
        monthly: Option<i64>,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Thread, StoreError> {
        let (scope, index) = (sender.scope(), sender.index(keys));
        // Whoever comes second when two make it at once finds it.
        for _ in 0..3 {
            let mut served = self.served(keys.tenant()).await?;
            let row = sqlx::query!(
                "select outcome, conversation_id, contact_id from channel_thread($1, $2, $3, $4, $5, $6, $7)",
                keys.tenant().as_str(),
                sender.account.to_string(),
                sender.channel.as_str(),
                scope,
                &index[..],
                monthly,
                clock.now().to_sqlx() as _,
            )
            .fetch_one(served.connection()?)
            .await?;
            served.give_back();
            let contact = row.contact_id.map(|id| stored(id.parse())).transpose()?;
            match (row.outcome.as_deref(), row.conversation_id) {
                (Some("found"), Some(id)) => return Ok(Thread::Open(stored(id.parse())?)),
                (Some("new"), _) if !sender.opens => return Ok(Thread::None),
                (Some("new"), _) => {
                    if let Some(made) = self.open_thread(keys, sender, contact, clock, entropy).await? {
                        return Ok(Thread::Open(made));
                    }
                }
                (Some("quota_exceeded"), _) => return Ok(Thread::QuotaExceeded),
                (Some("disabled"), _) => return Ok(Thread::Disabled),
                _ => return Ok(Thread::NotFound),
            }
        }
        Err(StoreError::Conflict("thread"))
    }

    /// Opens a thread with a new conversation, of a new contact unless it is known; `None` if somebody else has done so
    /// meanwhile.
    async fn open_thread(
        &self,
        keys: &TenantKeys,
        sender: &Sender<'_>,
        contact: Option<ContactId>,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Option<ConversationId>, StoreError> {
        let tenant = keys.tenant().clone();
        let now = clock.now();
        let conversation = ConversationId::new(clock, entropy);
        let mut tx = self.tenant("channels.thread", &tenant).await?;
        let contact = match contact {
            Some(contact) => contact,
            None => match add_contact(&mut tx, keys, sender, clock, entropy).await? {
                Some(contact) => contact,
                None => return Ok(None),
            },
        };
        let made = sqlx::query!(
            "with conversation as (
                 insert into conversations (tenant_id, conversation_id, contact_id, created_at) values ($1, $2, $3, $4)
             )
             insert into channel_threads (tenant_id, account_id, identity_id, conversation_id, locale, created_at)
             select $1, $5, i.identity_id, $2, $6, $4
             from contact_identities i
             where i.tenant_id = $1 and i.channel = $7 and i.scope = $8 and i.identity_index = $9
             on conflict (tenant_id, account_id, identity_id) do nothing",
            tenant.as_str(),
            conversation.to_string(),
            contact.to_string(),
            now.to_sqlx() as _,
            sender.account.to_string(),
            sender.locale.map(Locale::as_str),
            sender.channel.as_str(),
            sender.scope(),
            &sender.index(keys)[..],
        )
        .execute(tx.connection())
        .await?;
        if made.rows_affected() == 0 {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some(conversation))
    }
}

/// A contact that is known by its identity on a channel; `None` if somebody else has made it meanwhile.
async fn add_contact(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    sender: &Sender<'_>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Option<ContactId>, StoreError> {
    let tenant = tx.tenant().clone();
    let contact = ContactId::new(clock, entropy);
    let identity = IdentityId::new(clock, entropy).to_string();
    let (key, wrapped_key) = keys.new_contact(contact)?;
    let sealed = key.seal(&identity_place(&tenant, &identity), sender.external_id.as_bytes(), entropy);
    let made = sqlx::query!(
        "with contact as (
             insert into contacts (tenant_id, contact_id, created_at) values ($1, $2, $3)
         ), contact_key as (
             insert into contact_keys (tenant_id, contact_id, wrapped_key) values ($1, $2, $4)
         )
         insert into contact_identities (tenant_id, identity_id, channel, scope, identity_index, contact_id,
                                         sealed_identity, created_at)
         values ($1, $5, $6, $7, $8, $2, $9, $3)
         on conflict (tenant_id, channel, scope, identity_index) do nothing",
        tenant.as_str(),
        contact.to_string(),
        clock.now().to_sqlx() as _,
        wrapped_key,
        identity,
        sender.channel.as_str(),
        sender.scope(),
        &sender.index(keys)[..],
        sealed,
    )
    .execute(tx.connection())
    .await?;
    Ok((made.rows_affected() == 1).then_some(contact))
}

pub(crate) fn identity_place<'a>(tenant: &'a TenantId, identity: &'a str) -> Place<'a> {
    Place { tenant, table: "contact_identities", column: "sealed_identity", row: identity }
}
