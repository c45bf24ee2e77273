//! Which conversations there are.

use super::{Assignee, Handling, HandlingState};
use crate::{
    StoreError, TenantKeys, TenantTx,
    messages::Row as MessageRow,
    readable::stored,
    sessions::{self, ConversationStatus},
    users,
    vault::Via,
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{
    Channel, ContactId, ConversationId, Language, Message, Role, Timestamp, UserId, message::text_of,
};
use std::{collections::HashMap, fmt, str::FromStr};

/// Characters of a message that a list shows.
const SHOWN: usize = 140;

/// Which conversations to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Which {
    /// Those in which these answer.
    pub state: Option<HandlingState>,
    /// Those that this person holds.
    pub assignee: Option<UserId>,
    /// Those of this channel.
    pub channel: Option<Channel>,
}

/// A place in the list, which goes on behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// When something was said last in the conversation before, in microseconds since 1970.
    active_micros: i64,
    /// That conversation.
    conversation: ConversationId,
}

impl Place {
    /// Behind this one.
    pub fn of(listed: &Listed) -> Self {
        Self { active_micros: listed.active_at.as_microsecond(), conversation: listed.conversation_id }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.active_micros, self.conversation)
    }
}

impl FromStr for Place {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let parse = || {
            let (micros, conversation) = text.split_once('.')?;
            let active_micros = micros.parse().ok()?;
            Timestamp::from_microsecond(active_micros).ok()?;
            Some(Self { active_micros, conversation: conversation.parse().ok()? })
        };
        parse().ok_or(StoreError::Refused("It is no place in a list of conversations."))
    }
}

/// The newest message of a conversation, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Who said it.
    pub role: Role,
    /// Its beginning, on one line.
    pub text: String,
}

/// A conversation, as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub conversation_id: ConversationId,
    /// Who writes.
    pub contact_id: ContactId,
    /// Where from.
    pub channel: Channel,
    /// The language that they write in, once it is known.
    pub language: Option<Language>,
    /// Who answers.
    pub handling: Handling,
    /// Since when it waits for a person.
    pub waiting_since: Option<Timestamp>,
    /// Why a person was asked for, as a code.
    pub handoff_reason: Option<String>,
    /// When something was said last.
    pub active_at: Timestamp,
    /// How many messages there are.
    pub messages: i64,
    /// The newest of them.
    pub newest: Option<Preview>,
    /// Whether the contact was erased: their key was destroyed, and nobody reads what was said.
    pub is_erased: bool,
}

struct Row {
    conversation_id: String,
    contact_id: String,
    channel: String,
    language: Option<String>,
    status: String,
    assignee: Option<String>,
    handling: i64,
    waiting_since: Option<SqlTimestamp>,
    handoff_reason: Option<String>,
    active_at: SqlTimestamp,
    last_sequence: i64,
    is_erased: bool,
    message_id: Option<String>,
    session_id: Option<String>,
    account_id: Option<String>,
    role: Option<String>,
    agent_name: Option<String>,
    sealed_body: Option<Vec<u8>>,
    external_id: Option<String>,
    created_at: Option<SqlTimestamp>,
}

impl Row {
    /// The newest message, which is opened apart.
    fn take_message(&mut self) -> Option<MessageRow> {
        Some(MessageRow {
            message_id: self.message_id.take()?,
            session_id: self.session_id.take(),
            account_id: self.account_id.take(),
            sequence: self.last_sequence,
            role: self.role.take()?,
            agent_name: self.agent_name.take(),
            sealed_body: self.sealed_body.take()?,
            external_id: self.external_id.take(),
            created_at: self.created_at.take()?,
        })
    }

    fn listed(self, newest: Option<&Message>, names: &HashMap<UserId, String>) -> Result<Listed, StoreError> {
        let assignee: Option<UserId> = self.assignee.map(|id| stored(id.parse())).transpose()?;
        let assignee_of = |user_id| names.get(&user_id).map(|name| Assignee { user_id, name: name.clone() });
        let status: ConversationStatus = stored(self.status.parse())?;
        Ok(Listed {
            conversation_id: stored(self.conversation_id.parse())?,
            contact_id: stored(self.contact_id.parse())?,
            channel: stored(self.channel.parse())?,
            language: self.language.as_deref().and_then(sessions::language),
            handling: Handling { status, assignee: assignee.and_then(assignee_of), version: self.handling },
            waiting_since: self.waiting_since.map(SqlTimestamp::to_jiff),
            handoff_reason: self.handoff_reason,
            active_at: self.active_at.to_jiff(),
            messages: self.last_sequence,
            newest: newest.map(preview),
            is_erased: self.is_erased,
        })
    }
}

/// The beginning of a message on one line. What it says in parts without words is told by their kinds.
fn preview(message: &Message) -> Preview {
    let words = text_of(&message.parts);
    let mut text: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    Preview { role: message.role, text }
}

/// Conversations in which something was said, those with the newest activity first: behind a place, and at most so many.
pub async fn page(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    which: &Which,
    behind: Option<Place>,
    limit: i32,
) -> Result<Vec<Listed>, StoreError> {
    let tenant = tx.tenant().clone();
    let before = behind.map(|place| stored(Timestamp::from_microsecond(place.active_micros))).transpose()?;
    let rows = sqlx::query_as!(
        Row,
        r#"select c.conversation_id as "conversation_id!", c.contact_id as "contact_id!", c.channel as "channel!", c.language,
                  c.status as "status!", c.assignee, c.handling as "handling!",
                  c.waiting_since, c.handoff_reason, c.active_at as "active_at!", c.last_sequence as "last_sequence!",
                  not exists (select from contact_keys k where k.tenant_id = $1 and k.contact_id = c.contact_id) as "is_erased!",
                  m.message_id as "message_id?", m.session_id, m.account_id, m.role as "role?", m.agent_name,
                  m.sealed_body as "sealed_body?", m.external_id, m.created_at as "created_at?"
           from conversation_page($1, $2, $3, $4, $5, $6, $7) c
           left join messages m on m.tenant_id = $1 and m.conversation_id = c.conversation_id and m.sequence = c.last_sequence
           order by c.active_at desc, c.conversation_id desc"#,
        tenant.as_str(),
        which.state.map(HandlingState::as_str),
        which.assignee.map(|user| user.to_string()),
        which.channel.map(Channel::as_str),
        before.map(ToSqlx::to_sqlx) as _,
        behind.map(|place| place.conversation.to_string()),
        limit,
    )
    .fetch_all(tx.connection())
    .await?;
    open(tx, keys, rows).await
}

/// One conversation, if something was said in it.
pub async fn read(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
) -> Result<Option<Listed>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        r#"select c.conversation_id, c.contact_id, c.channel, c.language, c.status, c.assignee, c.handling, c.waiting_since,
                  c.handoff_reason, c.active_at as "active_at!", c.last_sequence,
                  not exists (select from contact_keys k where k.tenant_id = $1 and k.contact_id = c.contact_id) as "is_erased!",
                  m.message_id as "message_id?", m.session_id, m.account_id, m.role as "role?", m.agent_name,
                  m.sealed_body as "sealed_body?", m.external_id, m.created_at as "created_at?"
           from conversations c
           left join messages m on m.tenant_id = $1 and m.conversation_id = c.conversation_id and m.sequence = c.last_sequence
           where c.tenant_id = $1 and c.conversation_id = $2 and c.active_at is not null"#,
        tenant.as_str(),
        conversation.to_string(),
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(open(tx, keys, rows).await?.pop())
}

async fn open(tx: &mut TenantTx, keys: &TenantKeys, mut rows: Vec<Row>) -> Result<Vec<Listed>, StoreError> {
    let conversations: Vec<String> = rows.iter().map(|row| row.conversation_id.clone()).collect();
    keys.fetch_contacts(tx.connection(), &conversations).await?;
    let holders: Vec<String> = rows.iter().filter_map(|row| row.assignee.clone()).collect();
    let names: HashMap<UserId, String> = users::named(tx, keys, &holders).await?.into_iter().collect();
    let mut listed = Vec::with_capacity(rows.len());
    for mut row in rows.drain(..) {
        let newest = match row.take_message().filter(|_| !row.is_erased) {
            Some(message) => {
                let via = Via::Connection(tx.connection());
                MessageRow::open_all(vec![message], keys, &row.conversation_id, via).await?.pop()
            }
            None => None,
        };
        listed.push(row.listed(newest.as_ref(), &names)?);
    }
    Ok(listed)
}
