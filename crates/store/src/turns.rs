//! Turns: everything a turn needs, read at once ([`load`]), everything it came to, written at once ([`commit`]), and those that
//! wait ([`waits`]).

mod commit;
mod load;
mod waits;

pub use load::{load_turn, pack_of_version};
pub use waits::{AfterWait, WaitingTurn, Woken, end_wait, waiting_turns, wake};

use crate::{
    StoreError, TenantKeys, TenantTx,
    leases::Leased,
    limits::LimitRow,
    sessions::ConversationStatus,
    vault::{ContactKey, Via},
};
use misy_domain::{
    Channel, ConversationId, Entropy, Language, Locale, Message, MessageId, MessageOrigin, Permissions, Plan,
    Reply, SiteId, TenantId, agent::WaitsFor, limit::Quota,
};
use misy_trust::Place;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// How many messages that were said before a turn gets to see.
pub const HISTORY: i64 = 20;
/// How many waiting messages one turn answers at most; the rest is the next turn's.
pub const MOST_WAITING: i64 = 50;

/// Conversations, as leased work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Conversations;

impl Leased for Conversations {
    type Id = ConversationId;
    const TABLE: &'static str = "conversations";
    const KIND: &'static str = "conversation";
}

/// What a turn has to work with.
#[derive(Debug, Clone)]
pub struct TurnWork {
    /// Where the newest waiting message was written; replies go there.
    pub origin: MessageOrigin,
    /// The site of the session, if it is one.
    pub site_id: Option<SiteId>,
    /// Its channel.
    pub channel: Channel,
    /// What the client prefers to read.
    pub locale: Option<Locale>,
    /// What both the session's token and the site allow, or else the account.
    pub permissions: Permissions,
    /// Where the conversation stands.
    pub status: ConversationStatus,
    /// Whether a person holds it, or it was closed: then the assistant says nothing.
    pub is_silent: bool,
    /// The language of the conversation so far.
    pub language: Option<Language>,
    /// How many turns in a row ended without an answer.
    pub unanswered_in_a_row: u8,
    /// The messages that wait for an answer, oldest first.
    pub waiting: Vec<Message>,
    /// The sequence of the newest message that the contact had written; it may be one that is the next turn's.
    pub seen_through: i64,
    /// The messages before, oldest first.
    pub history: Vec<Message>,
    /// The version of the context pack in force.
    pub pack_version: i64,
    /// What the tenant pays for.
    pub plan: Plan,
    /// Limits of agents that differ from the plan's.
    pub agent_limits: Vec<LimitRow>,
    /// What the turn waited for, if it goes on now.
    pub waited: Option<Waited>,
}

/// A turn that waited and goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Waited {
    /// What for.
    pub waits_for: WaitsFor,
    /// Whether it waited as long as it was to; otherwise it was woken, or the contact wrote.
    pub is_over: bool,
    /// The agent that waited.
    pub agent: String,
    /// Where it goes on.
    pub state: Value,
    /// What it waited for, if somebody brought it: the result of a tool, or a person's word.
    pub outcome: Option<Value>,
    /// The sequence of the newest message that the contact had written when it began to wait.
    pub seen_through: i64,
}

/// A turn that is to wait. Nobody holds its conversation meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct NewWait<'a> {
    /// What for.
    pub waits_for: WaitsFor,
    /// For how long at most.
    pub most: Duration,
    /// The agent that waits.
    pub agent: &'a str,
    /// Where it goes on; sealed, as it may quote the contact.
    pub state: &'a Value,
}

/// A person is asked to take over.
#[derive(Debug, Clone, Copy)]
pub struct NewHandoff<'a> {
    /// Why, as a code.
    pub reason: &'a str,
    /// What the person should know; sealed, as it may quote the contact.
    pub summary: &'a str,
}

/// What a turn came to.
#[derive(Debug, Clone, Copy)]
pub struct TurnResult<'a> {
    /// What it worked with.
    pub work: &'a TurnWork,
    /// What is said, in order; each reply names all waiting messages as what it answers.
    pub replies: &'a [Reply],
    /// The agent that the turn was given to.
    pub agent: &'a str,
    /// The language of the conversation now.
    pub language: Language,
    /// How many turns in a row ended without an answer, with this one.
    pub unanswered_in_a_row: u8,
    /// Whether a person takes over.
    pub handoff: Option<NewHandoff<'a>>,
    /// Why; without a contact's words. Written down when the turn is over.
    pub decision: &'a Value,
    /// Whether the turn is not over but waits; then what was asked stays unanswered.
    pub wait: Option<NewWait<'a>>,
    /// How long the turn took until now.
    pub took: Duration,
}

/// A turn that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedTurn {
    /// The ids of the replies.
    pub replies: Vec<MessageId>,
    /// The sequence of the newest message.
    pub last_sequence: i64,
    /// Whether messages arrived meanwhile: the conversation is due again.
    pub has_more: bool,
}

impl TurnWork {
    /// How many turns an agent may have.
    pub fn agent_quota(&self, agent: &str) -> Quota {
        let of = |subject: &str| self.agent_limits.iter().find(|row| row.subject == subject);
        of(agent).or_else(|| of("")).map_or(self.plan.terms().limits.agent, LimitRow::quota)
    }

    /// The sequence up to which the turn answers.
    pub fn answered_through(&self) -> i64 {
        self.waiting.last().map_or(0, |message| message.sequence)
    }
}

/// What is kept of a turn that waits.
#[derive(Serialize, Deserialize)]
struct Kept<A> {
    agent: A,
    state: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<Value>,
    seen_through: i64,
}

fn seal_kept<A: Serialize>(
    kept: &Kept<A>,
    place: &Place<'_>,
    key: &ContactKey,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, StoreError> {
    let kept = serde_json::to_vec(kept);
    let kept = kept.map_err(|_| StoreError::Refused("What the turn waits with cannot be written."))?;
    Ok(key.seal(place, &kept, entropy))
}

fn place<'a>(tenant: &'a TenantId, column: &'static str, conversation: &'a str) -> Place<'a> {
    Place { tenant, table: "conversations", column, row: conversation }
}

/// What the person who takes over should know, if one was asked to.
pub async fn handoff_summary(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
) -> Result<Option<String>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = conversation.to_string();
    let sealed = sqlx::query_scalar!(
        "select sealed_handoff from conversations where tenant_id = $1 and conversation_id = $2",
        tenant.as_str(),
        row,
    )
    .fetch_optional(tx.connection())
    .await?
    .flatten();
    let Some(sealed) = sealed else { return Ok(None) };
    let Some(key) = keys.contact(Via::Connection(tx.connection()), &row).await? else { return Ok(None) };
    keys.know(Via::Connection(tx.connection()), [&*sealed]).await?;
    let bytes = key.open(keys, &place(&tenant, "sealed_handoff", &row), &sealed)?;
    String::from_utf8(bytes).map(Some).map_err(|_| StoreError::Unsealable("conversations"))
}
