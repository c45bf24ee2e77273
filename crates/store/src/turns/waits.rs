//! Turns that wait: which there are, and how they are made to go on.

use super::{Kept, load::open_wait, place, seal_kept};
use crate::{StoreError, TenantKeys, TenantTx, readable::stored, vault::Via};
use jiff_sqlx::ToSqlx;
use misy_domain::{ConversationId, Entropy, Timestamp, agent::WaitsFor};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// A turn that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingTurn {
    /// Whose.
    pub conversation: ConversationId,
    /// The number of the wait: no other of the conversation has it.
    pub wait: i64,
    /// The agent that waits.
    pub agent: String,
    /// What for.
    pub waits_for: WaitsFor,
    /// Since when.
    pub since: Timestamp,
    /// When it goes on at the latest.
    pub until: Timestamp,
}

/// A place in the list of turns that wait: after this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterWait {
    since: Timestamp,
    conversation: ConversationId,
}

impl AfterWait {
    /// After this turn.
    pub fn of(turn: &WaitingTurn) -> Self {
        Self { since: turn.since, conversation: turn.conversation }
    }
}

/// As it travels: `microseconds.conversation`.
impl fmt::Display for AfterWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.since.as_microsecond(), self.conversation)
    }
}

/// The text is no place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no place in a list of turns")]
pub struct NoPlace;

impl FromStr for AfterWait {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (since, conversation) = text.split_once('.').ok_or(NoPlace)?;
        let since = since.parse().ok().and_then(|at| Timestamp::from_microsecond(at).ok()).ok_or(NoPlace)?;
        Ok(Self { since, conversation: conversation.parse().map_err(|_| NoPlace)? })
    }
}

/// What came of an attempt to end a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// The turn goes on with the outcome.
    Now,
    /// It was woken before; what was brought then holds.
    Before,
    /// The turn goes on already, or is over.
    Over,
    /// There is no such conversation.
    Unknown,
}

/// Turns of the tenant that wait and that nobody has woken, the longest waiting first.
pub async fn waiting_turns(
    tx: &mut TenantTx,
    after: Option<&AfterWait>,
    limit: u32,
) -> Result<Vec<WaitingTurn>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"select conversation_id, wait as "wait!", waits_agent as "agent!", waits_for as "waits_for!",
                  waits_since as "since!", waits_until as "until!"
           from conversations
           where tenant_id = $1 and waits_for is not null and lease_owner is null and dead_at is null and woken <> wait
               and ($2::timestamptz is null or (waits_since, conversation_id) > ($2, $3))
           order by waits_since, conversation_id
           limit $4"#,
        tenant.as_str(),
        after.map(|after| after.since.to_sqlx()) as _,
        after.map(|after| after.conversation.to_string()),
        i64::from(limit),
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(WaitingTurn {
                conversation: stored(row.conversation_id.parse())?,
                wait: row.wait,
                agent: row.agent,
                waits_for: stored(row.waits_for.parse())?,
                since: row.since.to_jiff(),
                until: row.until.to_jiff(),
            })
        })
        .collect()
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

/// Ends a wait with what was waited for, once. After [`Woken::Now`] is committed, ring the bell for work.
pub async fn end_wait(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
    wait: i64,
    outcome: &Value,
    entropy: &dyn Entropy,
) -> Result<Woken, StoreError> {
    let (tenant, row) = (tx.tenant().clone(), conversation.to_string());
    let found = sqlx::query!(
        "select wait, woken, sealed_wait, lease_owner
         from conversations
         where tenant_id = $1 and conversation_id = $2
         for no key update",
        tenant.as_str(),
        row,
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(found) = found else { return Ok(Woken::Unknown) };
    if found.woken == wait && wait > 0 {
        return Ok(Woken::Before);
    }
    let (true, Some(sealed), None) = (found.wait == Some(wait), found.sealed_wait, found.lease_owner) else {
        return Ok(Woken::Over);
    };
    let kept = open_wait(tx, keys, &row, &sealed).await?;
    let kept = Kept { outcome: Some(outcome.clone()), ..kept };
    let key = keys.contact(Via::Connection(tx.connection()), &row).await?;
    let key = key.ok_or(StoreError::Unsealable("conversations"))?;
    let sealed = seal_kept(&kept, &place(&tenant, "sealed_wait", &row), &key, entropy)?;
    wake(tx, conversation).await?;
    // By its own number, which a claim that failed since has left behind.
    sqlx::query!(
        "update conversations set sealed_wait = $3, woken = $4 where tenant_id = $1 and conversation_id = $2",
        tenant.as_str(),
        row,
        sealed,
        wait,
    )
    .execute(tx.connection())
    .await?;
    Ok(Woken::Now)
}
