//! The threads of people on a channel account, the identities that they are known by, and what they say there.

use super::{VendorAccount, name_of};
use crate::{
    Bell, Database, StoreError, TenantKeys, TenantTx,
    messages::{self, InboundOrigin, Ingested, NewInbound, Receipt},
    readable::stored,
    tenant_tx,
    transaction::Collides,
    vault::{ContactKey, Via},
};
use jiff_sqlx::ToSqlx;
use misy_domain::{
    Channel, ChannelAccountId, Clock, ContactId, Content, ConversationId, Entropy, IdentityId, KeyId, Locale,
    Message, Pressed, SiteId, TenantId, Timestamp, phone,
};
use misy_telemetry::{Field, Span, Traced};
use misy_trust::Place;
use std::sync::Arc;

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
}

/// What somebody on an account wrote.
#[derive(Debug, Clone, Copy)]
pub struct Passed<'a> {
    /// Who.
    pub sender: Sender<'a>,
    /// The site that its usage is counted for, if it came over one.
    pub site: Option<&'a SiteId>,
    /// The id that the message has on the account; the same again is the same message.
    pub external_id: &'a str,
    /// What it says.
    pub content: &'a Content,
    /// When it was sent there, if that is known.
    pub sent_at: Option<Timestamp>,
    /// The tenant secret that its usage is counted for.
    pub key: Option<KeyId>,
    /// Messages that the tenant may have stored in a month, if there is a limit.
    pub monthly: Option<i64>,
}

/// Where what somebody says on an account goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thread {
    /// To this conversation.
    Open(ConversationId),
    /// To none yet: they write for the first time. They may be known as this contact.
    New(Option<ContactId>),
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

    pub(super) fn index(&self, keys: &TenantKeys) -> [u8; 32] {
        let known_as = match self.channel {
            Channel::Whatsapp => phone::known_as(self.external_id),
            _ => self.external_id.to_owned(),
        };
        let value = format!("{}\n{}\n{known_as}", self.channel.as_str(), self.scope());
        keys.blind_index("contact_identities", "identity").of(value.as_bytes())
    }
}

impl<'a> Passed<'a> {
    fn inbound(&self, tenant: &'a TenantId, conversation: ConversationId) -> NewInbound<'a> {
        let Sender { account, channel, .. } = self.sender;
        NewInbound {
            tenant,
            origin: InboundOrigin::Account { account, conversation, channel, site: self.site },
            external_id: self.external_id,
            content: self.content,
            sent_at: self.sent_at,
            key: self.key,
            monthly: self.monthly,
        }
    }
}

/// Why somebody's first message came to nothing: all of it was undone.
enum Undone {
    Store(StoreError),
    /// Somebody else has opened the thread meanwhile.
    Overtaken,
    /// The message was not stored.
    NotStored(Ingested),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Collides for Undone {
    fn is_collision(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_collision())
    }
}

impl Database {
    /// The thread of somebody on an account.
    pub async fn thread(
        &self,
        keys: &TenantKeys,
        sender: &Sender<'_>,
        monthly: Option<i64>,
        clock: &dyn Clock,
    ) -> Result<Thread, StoreError> {
        let mut served = self.served(keys.tenant()).await?;
        let row = sqlx::query!(
            "select outcome, conversation_id, contact_id from channel_thread($1, $2, $3, $4, $5, $6, $7)",
            keys.tenant().as_str(),
            sender.account.to_string(),
            sender.channel.as_str(),
            sender.scope(),
            &sender.index(keys)[..],
            monthly,
            clock.now().to_sqlx() as _,
        )
        .fetch_one(served.connection()?)
        .await?;
        served.give_back();
        Ok(match (row.outcome.as_deref(), row.conversation_id) {
            (Some("found"), Some(id)) => Thread::Open(stored(id.parse())?),
            (Some("new"), _) => Thread::New(row.contact_id.map(|id| stored(id.parse())).transpose()?),
            (Some("quota_exceeded"), _) => Thread::QuotaExceeded,
            (Some("disabled"), _) => Thread::Disabled,
            _ => Thread::NotFound,
        })
    }

    /// The same, opened if they send something before their first message, as a file is. Never [`Thread::New`].
    pub async fn opened_thread(
        &self,
        keys: &TenantKeys,
        sender: &Sender<'_>,
        monthly: Option<i64>,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Thread, StoreError> {
        for _ in 0..3 {
            let contact = match self.thread(keys, sender, monthly, clock).await? {
                Thread::New(contact) => contact,
                known => return Ok(known),
            };
            let conversation = ConversationId::new(clock, entropy);
            let opened = tenant_tx!(self, "channels.open_thread", keys.tenant(), async |tx| {
                join(tx, keys, sender, contact, conversation, clock, entropy).await
            });
            match opened.await {
                Ok(_) => return Ok(Thread::Open(conversation)),
                Err(Undone::Store(error)) => return Err(error),
                // Somebody was faster: it is found now.
                Err(Undone::Overtaken | Undone::NotStored(_)) => {}
            }
        }
        Err(StoreError::Conflict("thread"))
    }

    /// Stores what somebody wrote on an account. Who writes for the first time gets a contact and a conversation with it, or
    /// nothing at all. What is known already is answered as it was then, if the same person says the same.
    pub async fn pass_on(
        &self,
        keys: &TenantKeys,
        passed: &Passed<'_>,
        bell: &Bell,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Ingested, StoreError> {
        let name = name_of(keys, passed.sender.account, passed.external_id);
        let external_id = Some(passed.external_id.to_owned());
        let content = Content { external_id, ..passed.content.clone() };
        let passed = &Passed { external_id: &name, content: &content, ..*passed };
        // Whoever comes second when two write for the first time at once finds the thread.
        for _ in 0..3 {
            let contact = match self.thread(keys, &passed.sender, passed.monthly, clock).await? {
                Thread::Open(conversation) => {
                    let inbound = passed.inbound(keys.tenant(), conversation);
                    return match self.ingest(&inbound, keys, bell, clock, entropy).await? {
                        Ingested::Duplicate(receipt) if receipt.conversation_id != conversation => {
                            Ok(Ingested::Another)
                        }
                        Ingested::Duplicate(receipt) => self.known(keys, passed.content, receipt).await,
                        ingested => Ok(ingested),
                    };
                }
                Thread::New(contact) => contact,
                Thread::Disabled => return Ok(Ingested::Expired),
                Thread::NotFound => return Ok(Ingested::NotFound),
                Thread::QuotaExceeded => return Ok(Ingested::QuotaExceeded),
            };
            let conversation = ConversationId::new(clock, entropy);
            let span = Span::step("ingest");
            span.id(Field::Tenant, keys.tenant()).id(Field::Conversation, &conversation);
            let first = tenant_tx!(self, "channels.first_message", keys.tenant(), async |tx| {
                first_message(tx, keys, passed, contact, conversation, clock, entropy).await
            });
            match first.in_span(&span).await {
                Ok(ingested) => {
                    messages::ring(bell, keys.tenant(), &ingested);
                    return Ok(ingested);
                }
                Err(Undone::Overtaken) => {}
                // It is known in a conversation of somebody else.
                Err(Undone::NotStored(Ingested::Duplicate(_))) => return Ok(Ingested::Another),
                Err(Undone::NotStored(ingested)) => return Ok(ingested),
                Err(Undone::Store(error)) => return Err(error),
            }
        }
        Err(StoreError::Conflict("thread"))
    }

    /// A message that is known already, if it says the same.
    async fn known(
        &self,
        keys: &TenantKeys,
        content: &Content,
        receipt: Receipt,
    ) -> Result<Ingested, StoreError> {
        let conversation = receipt.conversation_id.to_string();
        let known = tenant_tx!(self, "channels.known_message", keys.tenant(), async |tx| {
            messages::at(tx, keys, &conversation, receipt.sequence).await
        });
        let same = known.await?.is_some_and(|known| says(&known, content));
        Ok(if same { Ingested::Duplicate(receipt) } else { Ingested::Another })
    }
}

/// Somebody who wrote on an account, and what they wrote last there.
#[derive(Debug)]
pub struct Heard {
    /// The channel.
    pub channel: Channel,
    /// What the account has with its vendor.
    pub account: VendorAccount,
    /// They, by the vendor's id.
    pub writer: String,
    /// Their newest message, by the vendor's id.
    pub message: String,
}

/// Who wrote last on an active account of a vendor; `None` where there is none.
pub async fn last_heard(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    account: ChannelAccountId,
    conversation: ConversationId,
) -> Result<Option<Heard>, StoreError> {
    let tenant = tx.tenant().clone();
    let conversation = conversation.to_string();
    let row = sqlx::query!(
        r#"select a.channel, i.identity_id, i.sealed_identity, m.sequence
           from channel_threads t
           join channel_accounts a on a.tenant_id = t.tenant_id and a.account_id = t.account_id
           join contact_identities i on i.tenant_id = t.tenant_id and i.identity_id = t.identity_id
           join messages m on m.tenant_id = t.tenant_id and m.conversation_id = t.conversation_id
               and m.account_id = t.account_id and m.role = 'contact' and m.external_id is not null
           where t.tenant_id = $1 and t.account_id = $2 and t.conversation_id = $3 and a.status = 'active'
               and a.sealed_credentials is not null
           order by m.sequence desc limit 1"#,
        tenant.as_str(),
        account.to_string(),
        conversation,
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let channel = stored(row.channel.parse())?;
    let Some(account) = super::vendor_account(tx, keys, channel, account).await? else { return Ok(None) };
    let Some(key) = keys.contact(Via::Connection(tx.connection()), &conversation).await? else {
        return Ok(None);
    };
    let writer = key.open(keys, &identity_place(&tenant, &row.identity_id), &row.sealed_identity)?;
    let writer = String::from_utf8(writer).map_err(|_| StoreError::Unsealable("contact_identities"))?;
    let message = messages::at(tx, keys, &conversation, row.sequence).await?;
    let message = message.and_then(|message| message.client_message_id);
    Ok(message.map(|message| Heard { channel, account, writer, message }))
}

/// Whether a message says this. What was pressed is known by its id: the same may stand on a newer message by now.
fn says(message: &Message, content: &Content) -> bool {
    match (&message.action, &content.action) {
        (None, None) => message.parts == content.parts,
        (Some(Pressed::Button { id: then, .. }), Some(Pressed::Button { id: now, .. })) => then == now,
        _ => false,
    }
}

/// Opens the thread of somebody, who becomes a contact unless they are one, and stores what they wrote.
async fn first_message(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    passed: &Passed<'_>,
    contact: Option<ContactId>,
    conversation: ConversationId,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Ingested, Undone> {
    let key = match join(tx, keys, &passed.sender, contact, conversation, clock, entropy).await? {
        Some(key) => Some(key),
        None => keys.contact(Via::Connection(tx.connection()), &conversation.to_string()).await?,
    };
    let key = key.ok_or(Undone::NotStored(Ingested::NotFound))?;
    let inbound = passed.inbound(keys.tenant(), conversation);
    match messages::ingest_over(tx.connection(), &inbound, &key, clock, entropy).await? {
        stored @ Ingested::Stored(_) => Ok(stored),
        other => Err(Undone::NotStored(other)),
    }
}

/// Opens the thread of somebody, who becomes a contact unless they are one; with their key, if it is new.
async fn join(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    sender: &Sender<'_>,
    contact: Option<ContactId>,
    conversation: ConversationId,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Option<Arc<ContactKey>>, Undone> {
    let (contact, key) = if let Some(contact) = contact {
        (contact, None)
    } else {
        let made = add_contact(tx, keys, sender, clock, entropy).await?;
        let (contact, key) = made.ok_or(Undone::Overtaken)?;
        (contact, Some(key))
    };
    if open_thread(tx, keys, sender, contact, conversation, clock).await? {
        Ok(key)
    } else {
        Err(Undone::Overtaken)
    }
}

/// Opens a thread with a new conversation; says whether nobody else has done so meanwhile.
async fn open_thread(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    sender: &Sender<'_>,
    contact: ContactId,
    conversation: ConversationId,
    clock: &dyn Clock,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let made = sqlx::query!(
        "with conversation as (
             insert into conversations (tenant_id, conversation_id, contact_id, channel, created_at)
             values ($1, $2, $3, $7, $4)
         )
         insert into channel_threads (tenant_id, account_id, identity_id, conversation_id, locale, created_at)
         select $1, $5, i.identity_id, $2, $6, $4
         from contact_identities i
         where i.tenant_id = $1 and i.channel = $7 and i.scope = $8 and i.identity_index = $9
         on conflict (tenant_id, account_id, identity_id) do nothing",
        tenant.as_str(),
        conversation.to_string(),
        contact.to_string(),
        clock.now().to_sqlx() as _,
        sender.account.to_string(),
        sender.locale.map(Locale::as_str),
        sender.channel.as_str(),
        sender.scope(),
        &sender.index(keys)[..],
    )
    .execute(tx.connection())
    .await?;
    Ok(made.rows_affected() == 1)
}

/// A contact that is known by its identity on a channel; `None` if somebody else has made it meanwhile.
async fn add_contact(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    sender: &Sender<'_>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Option<(ContactId, Arc<ContactKey>)>, StoreError> {
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
    Ok((made.rows_affected() == 1).then_some((contact, key)))
}

pub(crate) fn identity_place<'a>(tenant: &'a TenantId, identity: &'a str) -> Place<'a> {
    Place { tenant, table: "contact_identities", column: "sealed_identity", row: identity }
}
