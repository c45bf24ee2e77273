//! The threads of people on a channel account, and the identities that they are known by.

use crate::{Database, StoreError, TenantKeys, TenantTx, readable::stored};
use jiff_sqlx::ToSqlx;
use misy_domain::{
    Channel, ChannelAccountId, Clock, ContactId, ConversationId, Entropy, IdentityId, Locale, TenantId,
};
use misy_trust::Place;

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
