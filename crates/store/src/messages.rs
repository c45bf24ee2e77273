//! Messages: how they come in, and how they are read again.
//!
//! The content of a message (parts, sources, what it replies to) is sealed under the key of its contact and bound to its row.

use crate::{
    Bell, Database, StoreError, TenantKeys, TenantTx,
    bell::News,
    channels::name_of,
    readable::stored,
    transaction::whole::repeated,
    vault::{ContactKey, Via},
};
use jiff_sqlx::ToSqlx;
use misy_domain::{
    Channel, ChannelAccountId, Clock, Content, ConversationId, Entropy, KeyId, Message, MessageId, Part,
    Pressed, Role, SessionId, SiteId, TenantId, Timestamp, TokenId,
};
use misy_telemetry::{Field, Span, Traced};
use misy_trust::Place;
use sqlx::PgConnection;
use std::collections::HashMap;

/// Where a message of a contact comes from. The same outside id may come from several places.
#[derive(Debug, Clone, Copy)]
pub enum InboundOrigin<'a> {
    /// A session of the web.
    Session {
        /// The session.
        session: SessionId,
        /// The site that it must belong to.
        site: &'a SiteId,
        /// The token family that it must belong to.
        family: TokenId,
        /// The channel that it must be on.
        channel: Channel,
    },
    /// The thread of a conversation on a channel account.
    Account {
        /// The account.
        account: ChannelAccountId,
        /// The conversation.
        conversation: ConversationId,
        /// The channel that the account must be on.
        channel: Channel,
        /// The site that its usage is counted for, if it came over one.
        site: Option<&'a SiteId>,
    },
}

/// A message of a contact on its way in.
#[derive(Debug, Clone, Copy)]
pub struct NewInbound<'a> {
    /// Whose it is.
    pub tenant: &'a TenantId,
    /// Where it comes from.
    pub origin: InboundOrigin<'a>,
    /// The id that the message has there; the same again is the same message. On an account: the name of that id (`name_of`).
    pub external_id: &'a str,
    /// What it says.
    pub content: &'a Content,
    /// When it was sent there, if that is known.
    pub sent_at: Option<Timestamp>,
    /// The publishable key or tenant secret that its usage is counted for.
    pub key: Option<KeyId>,
    /// Messages that the tenant may have stored in a month, if there is a limit.
    pub monthly: Option<i64>,
}

/// Where a stored message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its id.
    pub message_id: MessageId,
    /// The conversation it belongs to.
    pub conversation_id: ConversationId,
    /// Its place in the conversation.
    pub sequence: i64,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// What came of a message on its way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ingested {
    /// It is durable and its conversation is due.
    Stored(Receipt),
    /// It was durable before; this is the answer of that time.
    Duplicate(Receipt),
    /// Another message of the account has its outside id: of somebody else, or one that says something else.
    Another,
    /// There is no such session for this site, token family and channel, or no such thread on the account.
    NotFound,
    /// The session is over, or the account disabled.
    Expired,
    /// The tenant's messages of the month are used up.
    QuotaExceeded,
    /// A file of it is not there, is of another conversation, or another message carries it.
    FilesUnavailable,
}

/// Seals what a message says for its row.
pub(crate) fn seal(
    content: &Content,
    key: &ContactKey,
    tenant: &TenantId,
    message: MessageId,
    role: Role,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(content).map_err(|_| StoreError::Unsealable("messages"))?;
    let row = row_name(&message.to_string(), role.as_str());
    Ok(key.seal(&place(tenant, &row), &json, entropy))
}

/// Which message, and who says it: nobody who writes to the table puts words into the mouth of another. Its sequence is given by
/// the database after it is sealed, so that is not bound.
fn row_name(message: &str, role: &str) -> String {
    format!("{message} {role}")
}

fn place<'a>(tenant: &'a TenantId, row: &'a str) -> Place<'a> {
    Place { tenant, table: "messages", column: "sealed_body", row }
}

/// Where a message comes from, as the database is asked for it.
struct Columns<'a> {
    session: Option<String>,
    site: Option<&'a str>,
    family: Option<String>,
    channel: &'static str,
    account: Option<String>,
    conversation: Option<String>,
}

impl<'a> Columns<'a> {
    fn of(origin: &InboundOrigin<'a>) -> Self {
        match *origin {
            InboundOrigin::Session { session, site, family, channel } => Self {
                session: Some(session.to_string()),
                site: Some(site.as_str()),
                family: Some(family.to_string()),
                channel: channel.as_str(),
                account: None,
                conversation: None,
            },
            InboundOrigin::Account { account, conversation, channel, site } => Self {
                session: None,
                site: site.map(SiteId::as_str),
                family: None,
                channel: channel.as_str(),
                account: Some(account.to_string()),
                conversation: Some(conversation.to_string()),
            },
        }
    }
}

/// What the database answers to a message on its way in.
struct InboundRow {
    outcome: Option<String>,
    message_id: Option<String>,
    conversation_id: Option<String>,
    sequence: Option<i64>,
    created_at: Option<jiff_sqlx::Timestamp>,
}

/// As `misy.ingest_with_files` says that a message cannot carry its files.
const FILES_UNAVAILABLE: &str = "MF001";

impl InboundRow {
    /// `None` if a file of it cannot be sent: then nothing of it was done.
    async fn store(
        connection: &mut PgConnection,
        inbound: &NewInbound<'_>,
        place: &Columns<'_>,
        message_id: &str,
        sealed: &[u8],
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let files: Vec<String> = inbound.content.files().map(|file| file.to_string()).collect();
        let stored = sqlx::query_as!(
            Self,
            "select outcome, message_id, conversation_id, sequence, created_at
             from ingest_with_files($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            inbound.tenant.as_str(),
            place.session,
            place.site,
            place.family,
            place.channel,
            place.account,
            place.conversation,
            inbound.external_id,
            message_id,
            sealed,
            inbound.sent_at.map(ToSqlx::to_sqlx) as _,
            now.to_sqlx(),
            inbound.key.map(|key| key.to_string()),
            inbound.monthly,
            &files,
        )
        .fetch_one(connection)
        .await;
        match stored {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(FILES_UNAVAILABLE) => {
                Ok(None)
            }
            stored => Ok(Some(stored?)),
        }
    }
}

/// A row of the table of messages.
pub(crate) struct Row {
    pub(crate) message_id: String,
    pub(crate) session_id: Option<String>,
    pub(crate) account_id: Option<String>,
    pub(crate) sequence: i64,
    pub(crate) role: String,
    pub(crate) agent_name: Option<String>,
    pub(crate) sealed_body: Vec<u8>,
    pub(crate) external_id: Option<String>,
    pub(crate) created_at: jiff_sqlx::Timestamp,
}

impl Row {
    /// Opens the rows of one conversation. Of somebody whose key was destroyed they say that they were erased.
    pub(crate) async fn open_all(
        rows: Vec<Self>,
        keys: &TenantKeys,
        conversation: &str,
        via: Via<'_>,
    ) -> Result<Vec<Message>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut via = via;
        let Some(key) = keys.contact(via.again(), conversation).await? else {
            let erased = || Content::of(vec![Part::Unsupported { kind: "erased".to_owned(), text: None }]);
            return rows.into_iter().map(|row| row.saying(erased())).collect();
        };
        keys.know(via, rows.iter().map(|row| &*row.sealed_body)).await?;
        rows.into_iter().map(|row| row.open(keys, &key)).collect()
    }

    fn open(self, keys: &TenantKeys, key: &ContactKey) -> Result<Message, StoreError> {
        let row = row_name(&self.message_id, &self.role);
        let json = key.open(keys, &place(keys.tenant(), &row), &self.sealed_body)?;
        let content = serde_json::from_slice(&json).map_err(|_| StoreError::Unsealable("messages"))?;
        self.saying(content)
    }

    fn saying(self, content: Content) -> Result<Message, StoreError> {
        let broken = || StoreError::Unsealable("messages");
        let role: Role = self.role.parse().map_err(|_| broken())?;
        // What came over an account has its id sealed; beside it stands a name alone.
        let has_name = role == Role::Contact && self.account_id.is_some();
        Ok(Message {
            message_id: self.message_id.parse().map_err(|_| broken())?,
            session_id: self.session_id.map(|id| id.parse()).transpose().map_err(|_| broken())?,
            account_id: self.account_id.map(|id| id.parse()).transpose().map_err(|_| broken())?,
            sequence: self.sequence,
            role,
            agent_name: self.agent_name,
            author_name: content.author_name,
            parts: content.parts,
            sources: content.sources,
            in_reply_to: content.in_reply_to,
            action: content.action,
            metadata: content.metadata,
            client_message_id: if has_name { content.external_id } else { self.external_id },
            created_at: self.created_at.to_jiff(),
            trace: content.trace,
        })
    }
}

impl Database {
    /// Stores a message of a contact and rings the bell, in one round trip to the database once the contact's key is in
    /// memory. When it answers, the message is durable; called again with the same account and outside id it answers the same.
    pub async fn ingest(
        &self,
        inbound: &NewInbound<'_>,
        keys: &TenantKeys,
        bell: &Bell,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Ingested, StoreError> {
        let span = Span::step("ingest");
        span.id(Field::Tenant, inbound.tenant);
        match &inbound.origin {
            InboundOrigin::Session { session, .. } => span.id(Field::Session, session),
            InboundOrigin::Account { conversation, .. } => span.id(Field::Conversation, conversation),
        };
        let stored = repeated("messages.ingest", || self.store_inbound(inbound, keys, bell, clock, entropy));
        stored.in_span(&span).await
    }

    async fn store_inbound(
        &self,
        inbound: &NewInbound<'_>,
        keys: &TenantKeys,
        bell: &Bell,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Ingested, StoreError> {
        let mut served = self.served(inbound.tenant).await?;
        let subject = match &inbound.origin {
            InboundOrigin::Session { session, .. } => session.to_string(),
            InboundOrigin::Account { conversation, .. } => conversation.to_string(),
        };
        let Some(key) = keys.contact(Via::Connection(served.connection()?), &subject).await? else {
            return Ok(Ingested::NotFound);
        };
        let ingested = ingest_over(served.connection()?, inbound, &key, clock, entropy).await?;
        served.give_back();
        ring(bell, inbound.tenant, &ingested);
        Ok(ingested)
    }

    /// The messages of a conversation after a sequence, at most `limit`, in one round trip: for live events, whose
    /// reader has proved before that the conversation is its own.
    pub async fn messages_since(
        &self,
        tenant: &TenantId,
        keys: &TenantKeys,
        conversation: ConversationId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let mut served = self.served(tenant).await?;
        let conversation = conversation.to_string();
        let rows = sqlx::query_as!(
            Row,
            r#"select message_id as "message_id!", session_id, account_id, sequence as "sequence!",
                      role as "role!", agent_name, sealed_body as "sealed_body!", external_id,
                      created_at as "created_at!"
               from messages_since($1, $2, $3, $4)"#,
            tenant.as_str(),
            conversation,
            after,
            i32::try_from(limit).unwrap_or(i32::MAX),
        )
        .fetch_all(served.connection()?)
        .await?;
        let opened = Row::open_all(rows, keys, &conversation, Via::Connection(served.connection()?)).await;
        served.give_back();
        opened
    }
}

/// Stores a message over a connection, sealed under the key of its contact. Nobody hears of it yet: see [`ring`].
pub(crate) async fn ingest_over(
    connection: &mut PgConnection,
    inbound: &NewInbound<'_>,
    key: &ContactKey,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Ingested, StoreError> {
    let place = Columns::of(&inbound.origin);
    let id = MessageId::new(clock, entropy);
    let message_id = id.to_string();
    let traced = Span::present().map(|at| Content { trace: Some(at), ..inbound.content.clone() });
    let content = traced.as_ref().unwrap_or(inbound.content);
    let sealed = seal(content, key, inbound.tenant, id, Role::Contact, entropy)?;
    let Some(row) = InboundRow::store(connection, inbound, &place, &message_id, &sealed, clock.now()).await?
    else {
        return Ok(Ingested::FilesUnavailable);
    };
    let receipt = || {
        Some(Receipt {
            message_id: row.message_id.as_ref()?.parse().ok()?,
            conversation_id: row.conversation_id.as_ref()?.parse().ok()?,
            sequence: row.sequence?,
            created_at: row.created_at?.to_jiff(),
        })
    };
    let known = || receipt().ok_or(StoreError::Unsealable("messages"));
    Ok(match row.outcome.as_deref() {
        Some("stored") => Ingested::Stored(known()?),
        Some("duplicate") => Ingested::Duplicate(known()?),
        Some("expired") => Ingested::Expired,
        Some("quota_exceeded") => Ingested::QuotaExceeded,
        _ => Ingested::NotFound,
    })
}

/// Lets whoever waits hear of a message that is durable now.
pub(crate) fn ring(bell: &Bell, tenant: &TenantId, ingested: &Ingested) {
    if let Ingested::Stored(receipt) = ingested {
        bell.ring_work();
        bell.ring(tenant, receipt.conversation_id, News::stored(receipt.sequence));
    }
}

/// The message at a place of a conversation.
pub(crate) async fn at(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: &str,
    sequence: i64,
) -> Result<Option<Message>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select message_id, session_id, account_id, sequence, role, agent_name, sealed_body, external_id, created_at
         from messages where tenant_id = $1 and conversation_id = $2 and sequence = $3",
        tenant.as_str(),
        conversation,
        sequence,
    )
    .fetch_all(tx.connection())
    .await?;
    let mut messages = Row::open_all(rows, keys, conversation, Via::Connection(tx.connection())).await?;
    Ok(messages.pop())
}

/// The messages of a conversation after a sequence, at most `limit`, oldest first.
pub async fn history(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
    after: i64,
    limit: u32,
) -> Result<Vec<Message>, StoreError> {
    let tenant = tx.tenant().clone();
    let conversation = conversation.to_string();
    let rows = sqlx::query_as!(
        Row,
        "select message_id, session_id, account_id, sequence, role, agent_name, sealed_body, external_id, created_at
         from messages
         where tenant_id = $1 and conversation_id = $2 and sequence > $3
         order by sequence
         limit $4",
        tenant.as_str(),
        conversation,
        after,
        i64::from(limit),
    )
    .fetch_all(tx.connection())
    .await?;
    Row::open_all(rows, keys, &conversation, Via::Connection(tx.connection())).await
}

/// The newest messages of a conversation before a sequence, or the newest of all: at most `limit`, oldest first.
pub async fn newest_before(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Message>, StoreError> {
    let tenant = tx.tenant().clone();
    let conversation = conversation.to_string();
    let mut rows = sqlx::query_as!(
        Row,
        "select message_id, session_id, account_id, sequence, role, agent_name, sealed_body, external_id, created_at
         from messages
         where tenant_id = $1 and conversation_id = $2 and sequence < $3
         order by sequence desc
         limit $4",
        tenant.as_str(),
        conversation,
        before.unwrap_or(i64::MAX),
        i64::from(limit),
    )
    .fetch_all(tx.connection())
    .await?;
    rows.reverse();
    Row::open_all(rows, keys, &conversation, Via::Connection(tx.connection())).await
}

/// Which of these outside ids of an account are known already, each with its conversation.
pub async fn known_of_account<'a>(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    account: ChannelAccountId,
    external_ids: &[&'a str],
) -> Result<HashMap<&'a str, ConversationId>, StoreError> {
    let tenant = tx.tenant().clone();
    let ids: HashMap<String, &str> =
        external_ids.iter().map(|id| (name_of(keys, account, id), *id)).collect();
    let names: Vec<String> = ids.keys().cloned().collect();
    let rows = sqlx::query!(
        r#"select external_id as "external_id!", conversation_id from messages
           where tenant_id = $1 and coalesce(account_id, session_id) = $2 and external_id = any($3)
               and role = 'contact'"#,
        tenant.as_str(),
        account.to_string(),
        &names,
    )
    .fetch_all(tx.connection())
    .await?;
    let known = rows.into_iter().filter_map(|row| Some((*ids.get(&row.external_id)?, row.conversation_id)));
    known.map(|(id, conversation)| Ok((id, stored(conversation.parse())?))).collect()
}

/// How far back a contact can press what stands in a conversation, in messages.
const PRESSABLE: i64 = 200;

/// What stands under an id to be pressed in a conversation: in the newest message that has it, or in the one that is named.
/// Only what was said to the contact counts, among the last 200 messages.
pub async fn pressed(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
    message: Option<MessageId>,
    id: &str,
) -> Result<Option<Pressed>, StoreError> {
    let tenant = tx.tenant().clone();
    let conversation = conversation.to_string();
    let rows = sqlx::query_as!(
        Row,
        "select message_id, session_id, account_id, sequence, role, agent_name, sealed_body, external_id, created_at
         from messages
         where tenant_id = $1 and conversation_id = $2 and role <> 'contact' and ($4::text is null or message_id = $4)
             and sequence > (select c.last_sequence - $3 from conversations c
                             where c.tenant_id = $1 and c.conversation_id = $2)
         order by sequence desc",
        tenant.as_str(),
        conversation,
        PRESSABLE,
        message.map(|message| message.to_string()),
    )
    .fetch_all(tx.connection())
    .await?;
    let messages = Row::open_all(rows, keys, &conversation, Via::Connection(tx.connection())).await?;
    Ok(messages.iter().find_map(|message| {
        let choices = message.parts.iter().flat_map(misy_domain::Part::choices);
        let choice = choices.into_iter().find(|choice| choice.id == id)?;
        Some(Pressed::Button {
            id: choice.id.to_owned(),
            title: choice.title.to_owned(),
            message_id: message.message_id,
            reference: choice.reference.cloned(),
        })
    }))
}
