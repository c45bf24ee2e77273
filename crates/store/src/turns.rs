//! Turns: everything a turn needs, read at once, and everything it came to, written at once.

use crate::{
    Bell, Database, StoreError, TenantKeys, TenantTx,
    bell::News,
    leases::{Lease, Leased, interval},
    limits::LimitRow,
    messages::{self, Row},
    readable::stored,
    sessions::{self, ConversationStatus},
    vault::{ContactKey, Via},
};
use jiff_sqlx::ToSqlx;
use misy_domain::{
    AuditId, Channel, Clock, Content, ConversationId, Entropy, Language, Locale, Message, MessageId,
    MessageOrigin, Permissions, Plan, Reply, Role, SiteId, TenantId, agent::WaitsFor, limit::Quota,
};
use misy_telemetry::Span;
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
    /// The language of the conversation so far.
    pub language: Option<Language>,
    /// How many turns in a row ended without an answer.
    pub unanswered_in_a_row: u8,
    /// The messages that wait for an answer, oldest first.
    pub waiting: Vec<Message>,
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

/// Reads what a turn needs. `None` if no message waits: then the conversation rests again once the transaction is
/// committed. [`StoreError::LeaseLost`] if the conversation is somebody else's by now.
pub async fn load_turn(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    lease: &Lease<Conversations>,
) -> Result<Option<TurnWork>, StoreError> {
    let tenant = tx.tenant().clone();
    let conversation = lease.id.to_string();
    let state = sqlx::query!(
        r#"select c.status, c.language, c.unanswered_in_a_row, c.answered_sequence, c.last_inbound_sequence,
                  c.waits_for, c.sealed_wait, c.waits_until <= clock_timestamp() as wait_is_over,
                  (select max(p.version) from context_packs p where p.tenant_id = c.tenant_id) as pack_version,
                  (select t.plan from tenants t where t.tenant_id = c.tenant_id) as plan,
                  (select jsonb_agg(jsonb_build_object('scope', l.scope, 'subject', l.subject, 'requests', l.requests,
                                                       'periodSeconds', l.period_seconds))
                   from rate_limits l where l.tenant_id = c.tenant_id and l.scope = 'agent') as agent_limits
           from conversations c
           where c.tenant_id = $1 and c.conversation_id = $2 and c.fence = $3 and c.lease_owner = $4"#,
        tenant.as_str(),
        conversation,
        lease.fence,
        lease.worker.as_str(),
    )
    .fetch_optional(tx.connection())
    .await?
    .ok_or(StoreError::LeaseLost)?;
    let waiting = waiting(tx, &tenant, &conversation, state.answered_sequence).await?;
    let Some(newest) = waiting.last() else {
        rest(tx, lease, state.last_inbound_sequence).await?;
        return Ok(None);
    };
    let origin = origin_of_turn(tx, &tenant, &conversation, newest).await?;
    let history = before(tx, &tenant, &conversation, state.answered_sequence).await?;

    let waiting = Row::open_all(waiting, keys, &conversation, Via::Connection(tx.connection())).await?;
    let history = Row::open_all(history, keys, &conversation, Via::Connection(tx.connection())).await?;

    let broken = || StoreError::Unsealable("conversations");
    let waited = match (state.waits_for, state.sealed_wait) {
        (Some(waits_for), Some(sealed)) => {
            let kept = open_wait(tx, keys, &conversation, &sealed).await?;
            let (waits_for, is_over) = (stored(waits_for.parse())?, state.wait_is_over.unwrap_or_default());
            Some(Waited { waits_for, is_over, agent: kept.agent, state: kept.state })
        }
        _ => None,
    };
    Ok(Some(TurnWork {
        origin: origin.origin,
        site_id: origin.site_id,
        channel: origin.channel,
        locale: origin.locale,
        permissions: origin.permissions,
        status: state.status.parse().map_err(|_| broken())?,
        language: state.language.as_deref().and_then(sessions::language),
        unanswered_in_a_row: u8::try_from(state.unanswered_in_a_row).unwrap_or(u8::MAX),
        waiting,
        history,
        pack_version: state.pack_version.ok_or(StoreError::Unsealable("context_packs"))?,
        plan: stored(state.plan.unwrap_or_default().parse())?,
        agent_limits: match state.agent_limits {
            Some(rows) => stored(serde_json::from_value(rows))?,
            None => Vec::new(),
        },
        waited,
    }))
}

/// What is kept of a turn that waits.
#[derive(Serialize, Deserialize)]
struct Kept<A> {
    agent: A,
    state: Value,
}

async fn open_wait(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: &str,
    sealed: &[u8],
) -> Result<Kept<String>, StoreError> {
    let broken = || StoreError::Unsealable("conversations");
    let tenant = tx.tenant().clone();
    let key = keys.contact(Via::Connection(tx.connection()), conversation).await?.ok_or_else(broken)?;
    keys.know(Via::Connection(tx.connection()), [sealed]).await?;
    let bytes = key.open(keys, &place(&tenant, "sealed_wait", conversation), sealed)?;
    serde_json::from_slice(&bytes).map_err(|_| broken())
}

/// Lets a turn that waits go on now, as what it waited for is there; whether there is such a conversation. Once this is
/// committed, ring the bell for work. A turn that is about to wait, and does not know yet, does not wait.
pub async fn wake(tx: &mut TenantTx, conversation: ConversationId) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let found =
        sqlx::query_scalar!("select misy.wake_turn($1, $2)", tenant.as_str(), conversation.to_string())
            .fetch_one(tx.connection())
            .await?;
    Ok(found.unwrap_or_default())
}

/// Ends a lease on a conversation in which nothing waits, for example because what waited was erased. A message that
/// arrives at this moment changes the sequence that is compared here, under the lock of the row.
async fn rest(tx: &mut TenantTx, lease: &Lease<Conversations>, seen: i64) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let rested = sqlx::query!(
        "update conversations
         set work_at = case when last_inbound_sequence > $1 then clock_timestamp() end,
             answered_sequence = greatest(answered_sequence, $1), lease_owner = null, attempts = 0, last_error = null,
             waits_for = null, waits_until = null, sealed_wait = null
         where tenant_id = $2 and conversation_id = $3 and fence = $4 and lease_owner = $5",
        seen,
        tenant.as_str(),
        lease.id.to_string(),
        lease.fence,
        lease.worker.as_str(),
    )
    .execute(tx.connection())
    .await?;
    if rested.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

async fn waiting(
    tx: &mut TenantTx,
    tenant: &TenantId,
    conversation: &str,
    answered: i64,
) -> Result<Vec<Row>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "select message_id, session_id, account_id, sequence, role, agent_name, sealed_body, external_id, created_at
         from messages
         where tenant_id = $1 and conversation_id = $2 and sequence > $3 and role = 'contact'
         order by sequence
         limit $4",
        tenant.as_str(),
        conversation,
        answered,
        MOST_WAITING,
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows)
}

/// What was said before: what was answered already, and what anybody but the contact has said since.
async fn before(
    tx: &mut TenantTx,
    tenant: &TenantId,
    conversation: &str,
    answered: i64,
) -> Result<Vec<Row>, StoreError> {
    let mut rows = sqlx::query_as!(
        Row,
        "select message_id, session_id, account_id, sequence, role, agent_name, sealed_body, external_id, created_at
         from messages
         where tenant_id = $1 and conversation_id = $2 and (sequence <= $3 or role <> 'contact')
         order by sequence desc
         limit $4",
        tenant.as_str(),
        conversation,
        answered,
        HISTORY,
    )
    .fetch_all(tx.connection())
    .await?;
    rows.reverse();
    Ok(rows)
}

/// What the place allows and prefers where the newest waiting message was written.
struct OriginOfTurn {
    origin: MessageOrigin,
    site_id: Option<SiteId>,
    channel: Channel,
    locale: Option<Locale>,
    permissions: Permissions,
}

async fn origin_of_turn(
    tx: &mut TenantTx,
    tenant: &TenantId,
    conversation: &str,
    newest: &Row,
) -> Result<OriginOfTurn, StoreError> {
    match (&newest.session_id, &newest.account_id) {
        (Some(session), _) => session_of_turn(tx, tenant, session).await,
        (None, Some(account)) => account_of_turn(tx, tenant, conversation, account).await,
        (None, None) => Err(StoreError::Unsealable("messages")),
    }
}

async fn session_of_turn(
    tx: &mut TenantTx,
    tenant: &TenantId,
    session: &str,
) -> Result<OriginOfTurn, StoreError> {
    let row = sqlx::query!(
        "select s.site_id, s.channel, s.locale, s.permissions, i.permissions as site_permissions
         from sessions s
         join sites i on i.tenant_id = s.tenant_id and i.site_id = s.site_id
         where s.tenant_id = $1 and s.session_id = $2",
        tenant.as_str(),
        session,
    )
    .fetch_one(tx.connection())
    .await?;
    let of_site = sessions::permissions(&row.site_permissions);
    Ok(OriginOfTurn {
        origin: MessageOrigin::Session(stored(session.parse())?),
        site_id: Some(stored(row.site_id.parse())?),
        channel: stored(row.channel.parse())?,
        locale: row.locale.and_then(|text| text.parse().ok()),
        permissions: sessions::permissions(&row.permissions).intersection(&of_site),
    })
}

async fn account_of_turn(
    tx: &mut TenantTx,
    tenant: &TenantId,
    conversation: &str,
    account: &str,
) -> Result<OriginOfTurn, StoreError> {
    let row = sqlx::query!(
        "select a.channel, a.permissions, t.locale
         from channel_threads t
         join channel_accounts a on a.tenant_id = t.tenant_id and a.account_id = t.account_id
         where t.tenant_id = $1 and t.conversation_id = $2 and t.account_id = $3",
        tenant.as_str(),
        conversation,
        account,
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(OriginOfTurn {
        origin: MessageOrigin::Account(stored(account.parse())?),
        site_id: None,
        channel: stored(row.channel.parse())?,
        locale: row.locale.and_then(|text| text.parse().ok()),
        permissions: sessions::permissions(&row.permissions),
    })
}

/// The context pack of a version, as it was stored.
pub async fn pack_of_version(tx: &mut TenantTx, version: i64) -> Result<Option<Value>, StoreError> {
    let tenant = tx.tenant().clone();
    let pack = sqlx::query_scalar!(
        "select pack from context_packs where tenant_id = $1 and version = $2",
        tenant.as_str(),
        version,
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(pack)
}

impl Database {
    /// Makes a turn durable in one round trip and rings the bell; [`StoreError::LeaseLost`], and nothing written, if the
    /// conversation is somebody else's by now.
    pub async fn commit_turn(
        &self,
        lease: &Lease<Conversations>,
        result: &TurnResult<'_>,
        keys: &TenantKeys,
        bell: &Bell,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<CommittedTurn, StoreError> {
        let asked: Vec<MessageId> = result.work.waiting.iter().map(|message| message.message_id).collect();
        // What is said before a wait answers nothing yet.
        let answers = if result.wait.is_some() { &[] } else { asked.as_slice() };
        let key = keys.contact(Via::Pool(self.worker()), &lease.id.to_string()).await?;
        // Without its contact the conversation is gone, and the lease with it.
        let key = key.ok_or(StoreError::LeaseLost)?;
        let sealed = SealedReplies::of(result.replies, answers, &lease.tenant, &key, clock, entropy)?;
        let sealed_handoff = result.handoff.map(|handoff| seal_handoff(lease, handoff, &key, entropy));
        let status = result.handoff.map(|_| ConversationStatus::Handoff.as_str());
        let outcome = match (&result.handoff, &result.wait, result.replies.is_empty()) {
            (Some(_), ..) => "handoff",
            (None, Some(_), _) => "waiting",
            (None, None, true) => "silent",
            (None, None, false) => "answered",
        };
        let sealed_wait = result.wait.map(|wait| seal_wait(lease, wait, &key, entropy)).transpose()?;
        let (session, account) = match result.work.origin {
            MessageOrigin::Session(session) => (Some(session.to_string()), None),
            MessageOrigin::Account(account) => (None, Some(account.to_string())),
        };
        let detail = serde_json::json!({
            "packVersion": result.work.pack_version,
            "asked": asked.len(),
            "replies": result.replies.len(),
        });
        let row = sqlx::query!(
            "select committed, last_sequence, has_more
             from commit_turn($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                              $21, $22, $23, $24, $25, $26, $27)",
            lease.tenant.as_str(),
            lease.id.to_string(),
            lease.worker.as_str(),
            lease.fence,
            result.work.answered_through(),
            session,
            account,
            result.work.site_id.as_ref().map(SiteId::as_str),
            &sealed.ids_as_text(),
            &sealed.agents,
            &sealed.bodies,
            &asked.iter().map(MessageId::to_string).collect::<Vec<_>>(),
            result.wait.is_none().then_some(result.decision),
            result.language.code(),
            i16::from(result.unanswered_in_a_row),
            status,
            result.handoff.map(|handoff| handoff.reason),
            sealed_handoff,
            AuditId::new(clock, entropy).to_string(),
            result.agent,
            outcome,
            i64::try_from(result.took.as_micros()).unwrap_or(i64::MAX),
            detail,
            clock.now().to_sqlx(),
            result.wait.map(|wait| wait.waits_for.as_str()),
            result.wait.map(|wait| interval(wait.most)) as _,
            sealed_wait,
        )
        .fetch_one(self.worker())
        .await?;
        if row.committed != Some(true) {
            return Err(StoreError::LeaseLost);
        }
        let last_sequence = row.last_sequence.unwrap_or_default();
        let has_more = row.has_more.unwrap_or_default();
        if has_more {
            bell.ring_work();
        }
        if matches!(result.work.origin, MessageOrigin::Account(_)) {
            bell.ring_deliveries();
        }
        let status_changed = result.handoff.is_some() && result.work.status != ConversationStatus::Handoff;
        let news = News { status_changed, ..News::typing(None) };
        bell.ring(&lease.tenant, lease.id, News { sequence: Some(last_sequence), ..news });
        Ok(CommittedTurn { replies: sealed.ids, last_sequence, has_more })
    }
}

struct SealedReplies {
    ids: Vec<MessageId>,
    agents: Vec<String>,
    bodies: Vec<Vec<u8>>,
}

impl SealedReplies {
    fn of(
        replies: &[Reply],
        asked: &[MessageId],
        tenant: &TenantId,
        key: &ContactKey,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<Self, StoreError> {
        let mut sealed = Self { ids: Vec::new(), agents: Vec::new(), bodies: Vec::new() };
        for reply in replies {
            let id = MessageId::new(clock, entropy);
            let content = Content {
                parts: reply.parts.clone(),
                sources: reply.sources.clone(),
                in_reply_to: asked.to_vec(),
                trace: Span::present(),
                ..Content::default()
            };
            sealed.bodies.push(messages::seal(&content, key, tenant, id, Role::Agent, entropy)?);
            sealed.agents.push(reply.agent_name.clone());
            sealed.ids.push(id);
        }
        Ok(sealed)
    }

    fn ids_as_text(&self) -> Vec<String> {
        self.ids.iter().map(MessageId::to_string).collect()
    }
}

fn seal_handoff(
    lease: &Lease<Conversations>,
    handoff: NewHandoff<'_>,
    key: &ContactKey,
    entropy: &dyn Entropy,
) -> Vec<u8> {
    let row = lease.id.to_string();
    key.seal(&place(&lease.tenant, "sealed_handoff", &row), handoff.summary.as_bytes(), entropy)
}

fn seal_wait(
    lease: &Lease<Conversations>,
    wait: NewWait<'_>,
    key: &ContactKey,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, StoreError> {
    let row = lease.id.to_string();
    let kept = serde_json::to_vec(&Kept { agent: wait.agent, state: wait.state.clone() });
    let kept = kept.map_err(|_| StoreError::Refused("What the turn waits with cannot be written."))?;
    Ok(key.seal(&place(&lease.tenant, "sealed_wait", &row), &kept, entropy))
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
    let key = keys.contact(Via::Connection(tx.connection()), &row).await?;
    let key = key.ok_or(StoreError::Unsealable("conversations"))?;
    keys.know(Via::Connection(tx.connection()), [&*sealed]).await?;
    let bytes = key.open(keys, &place(&tenant, "sealed_handoff", &row), &sealed)?;
    String::from_utf8(bytes).map(Some).map_err(|_| StoreError::Unsealable("conversations"))
}
