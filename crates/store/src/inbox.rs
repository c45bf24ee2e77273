//! Conversations as the people of a tenant see them: which there are, who answers, and what people write.
//!
//! A person takes a conversation, and the assistant says nothing until they give it back. Who answers changes under the lock of
//! the conversation, and with each change its `handling` grows. A turn that is under way then loses its lease, so that nothing
//! is said after the person is told that the conversation is theirs.

mod notes;
mod page;
mod write;

pub use notes::{Note, add_note, notes};
pub use page::{Listed, Place, Preview, Which, page, read};
pub use write::{NewAnswer, Written, answer};

use crate::{
    Bell, Database, StoreError, TenantKeys, TenantTx, Vault, bell::News, readable::stored,
    sessions::ConversationStatus, users,
};
use misy_domain::{ConversationId, TenantId, UserId};
use std::time::Duration;

/// Conversations that one person holds at a time. All of them are given up in the one moment in which they lose the right.
const MOST_HELD: i64 = 200;

misy_domain::words! {
    /// Who answers in a conversation.
    pub enum HandlingState {
        /// The assistant does.
        Assistant = "assistant",
        /// It waits for a person to take it.
        Waiting = "waiting",
        /// A person does.
        Person = "person",
        /// It is over until the contact writes again.
        Closed = "closed",
    }
}

impl HandlingState {
    /// As a conversation's status and assignee say it.
    pub fn of(status: ConversationStatus, is_held: bool) -> Self {
        match status {
            ConversationStatus::Active => Self::Assistant,
            ConversationStatus::Handoff if is_held => Self::Person,
            ConversationStatus::Handoff => Self::Waiting,
            ConversationStatus::Closed => Self::Closed,
        }
    }
}

/// A person who holds a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignee {
    /// The user.
    pub user_id: UserId,
    /// What they are called.
    pub name: String,
}

/// Who answers in a conversation, at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handling {
    /// Its status.
    pub status: ConversationStatus,
    /// The person who holds it.
    pub assignee: Option<Assignee>,
    /// Grows with each change of these.
    pub version: i64,
}

impl Handling {
    /// Who answers.
    pub fn state(&self) -> HandlingState {
        HandlingState::of(self.status, self.assignee.is_some())
    }

    /// The person who holds it, unless it is this one.
    pub fn held_by_other(&self, user: UserId) -> Option<&Assignee> {
        self.assignee.as_ref().filter(|assignee| assignee.user_id != user)
    }
}

/// Who answers in a conversation from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// The assistant.
    ByAssistant,
    /// Whoever takes it.
    ByAnybody,
    /// This person.
    By(UserId),
    /// Nobody, until the contact writes again.
    Closed,
}

/// Who answers in a conversation.
pub async fn handling(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
) -> Result<Option<Handling>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query!(
        "select status, assignee, handling from conversations where tenant_id = $1 and conversation_id = $2",
        tenant.as_str(),
        conversation.to_string(),
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let assignee = match row.assignee {
        Some(id) => users::named(tx, keys, &[id]).await?.pop(),
        None => None,
    };
    let assignee = assignee.map(|(user_id, name)| Assignee { user_id, name });
    Ok(Some(Handling { status: stored(row.status.parse())?, assignee, version: row.handling }))
}

/// The same, which nobody else changes until the transaction ends.
pub async fn lock(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    conversation: ConversationId,
) -> Result<Option<Handling>, StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "select 1 as one from conversations where tenant_id = $1 and conversation_id = $2 for no key update",
        tenant.as_str(),
        conversation.to_string(),
    )
    .fetch_optional(tx.connection())
    .await?;
    handling(tx, keys, conversation).await
}

/// The sequence of the newest message of the contact.
pub async fn heard_through(tx: &mut TenantTx, conversation: ConversationId) -> Result<i64, StoreError> {
    let tenant = tx.tenant().clone();
    Ok(sqlx::query_scalar!(
        "select last_inbound_sequence from conversations where tenant_id = $1 and conversation_id = $2",
        tenant.as_str(),
        conversation.to_string(),
    )
    .fetch_one(tx.connection())
    .await?)
}

/// Whether a person holds as many conversations as one person may.
pub async fn holds_most(tx: &mut TenantTx, user: UserId) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let held = sqlx::query_scalar!(
        "select count(*) from conversations where tenant_id = $1 and assignee = $2",
        tenant.as_str(),
        user.to_string(),
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(held.unwrap_or_default() >= MOST_HELD)
}

/// What a person held waits for whoever takes it; says what that is. Tell the bell afterwards: see [`tell`].
pub async fn release(tx: &mut TenantTx, user: UserId) -> Result<Vec<ConversationId>, StoreError> {
    let tenant = tx.tenant().clone();
    let released = sqlx::query_scalar!(
        "update conversations
         set assignee = null, waiting_since = clock_timestamp(), handling = handling + 1
         where tenant_id = $1 and assignee = $2
         returning conversation_id",
        tenant.as_str(),
        user.to_string(),
    )
    .fetch_all(tx.connection())
    .await?;
    released.into_iter().map(|id| stored(id.parse())).collect()
}

/// Who holds conversations and has this role.
pub async fn holders_with_role(tx: &mut TenantTx, role: &str) -> Result<Vec<UserId>, StoreError> {
    let tenant = tx.tenant().clone();
    let holders = sqlx::query_scalar!(
        "select u.user_id from users u
         where u.tenant_id = $1 and $2 = any (u.roles)
             and exists (select from conversations c where c.tenant_id = u.tenant_id and c.assignee = u.user_id)",
        tenant.as_str(),
        role,
    )
    .fetch_all(tx.connection())
    .await?;
    holders.into_iter().map(|id| stored(id.parse())).collect()
}

/// What a list of conversations looks like at this moment: another one once somebody writes, or somebody else answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(String);

/// The mark of a tenant's list.
pub async fn mark(tx: &mut TenantTx) -> Result<Mark, StoreError> {
    let tenant = tx.tenant().clone();
    let mark = sqlx::query_scalar!(r#"select inbox_mark($1) as "mark!""#, tenant.as_str());
    Ok(Mark(mark.fetch_one(tx.connection()).await?))
}

/// Changes who answers. What a person gives back or closes is answered: by them, or by nobody. A turn that is under way is somebody else's to end: its lease is gone, and what waits is due again. Tell the bell
/// afterwards: see [`tell`].
pub async fn handle(
    tx: &mut TenantTx,
    conversation: ConversationId,
    handled: Handled,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let (status, assignee) = match handled {
        Handled::ByAssistant => (ConversationStatus::Active, None),
        Handled::ByAnybody => (ConversationStatus::Handoff, None),
        Handled::By(user) => (ConversationStatus::Handoff, Some(user.to_string())),
        Handled::Closed => (ConversationStatus::Closed, None),
    };
    let is_answered = matches!(handled, Handled::ByAssistant | Handled::Closed);
    sqlx::query!(
        "update conversations
         set status = $3, assignee = $4, handling = handling + 1,
             waiting_since = case when $3 = 'handoff' and $4::text is null then coalesce(waiting_since, clock_timestamp()) end,
             fence = fence + 1,
             work_at = case when lease_owner is not null or waits_for is not null or dead_at is not null and $5
                            then clock_timestamp() else work_at end,
             answered_sequence = case when $5 then last_inbound_sequence else answered_sequence end,
             attempts = case when $5 then 0 else attempts end,
             unanswered_in_a_row = case when $5 then 0 else unanswered_in_a_row end,
             handoff_reason = case when $5 then null else handoff_reason end,
             sealed_handoff = case when $5 then null else sealed_handoff end,
             dead_at = case when $5 then null else dead_at end,
             lease_owner = null
         where tenant_id = $1 and conversation_id = $2",
        tenant.as_str(),
        conversation.to_string(),
        status.as_str(),
        assignee,
        is_answered,
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Lets whoever waits hear that somebody else answers now.
pub fn tell(bell: &Bell, tenant: &TenantId, conversation: ConversationId) {
    bell.ring(tenant, conversation, News { status_changed: true, ..News::default() });
    bell.ring_work();
}

impl Database {
    /// Raises an alert, once an hour, for each tenant in which somebody has waited for a person for so long; says how many.
    pub async fn tell_of_waiting(&self, vault: &Vault, patience: Duration) -> Result<i64, StoreError> {
        let mut tx = self.system("inbox.tell_of_waiting").await?;
        let told = sqlx::query_scalar!(
            r#"select misy.tell_of_waiting($1, $2) as "told!""#,
            crate::leases::interval(patience) as _,
            &vault.occurrences("handoff_waiting")[..],
        )
        .fetch_one(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(told)
    }
}
