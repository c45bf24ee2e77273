//! `/tenants/{tenantId}/conversations`: what contacts say, and people who answer them.

pub mod events;
pub mod holding;
pub mod list;
pub mod messages;
pub mod notes;
pub mod read;
pub mod typing;
pub mod write;

use crate::{
    desk::FrontDesk,
    management::{AtTenant, Manager, UserCaller},
    problem::{Code, Problem},
};
use misy_domain::{Action, Channel, ContactId, ConversationId, Language, Role, TenantId, Timestamp, UserId};
use misy_store::{
    StoreError, TenantTx,
    inbox::{self, Assignee, Handling, HandlingState, Listed, Preview},
    users::{User, UserStatus},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A conversation as the people of the tenant see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Conversation)]
pub struct ConversationAnswer {
    /// Its id.
    conversation_id: ConversationId,
    /// Who writes.
    contact_id: ContactId,
    /// Where from.
    channel: Channel,
    /// The language that they write in, once it is known.
    language: Option<Language>,
    /// Who answers.
    state: HandlingState,
    /// The person who holds it.
    assignee: Option<AssigneeAnswer>,
    /// Since when it waits for a person.
    #[schema(value_type = Option<String>, format = DateTime)]
    waiting_since: Option<Timestamp>,
    /// Why a person was asked for, as a code.
    #[schema(example = "asked")]
    handoff_reason: Option<String>,
    /// When something was said last.
    #[schema(value_type = String, format = DateTime)]
    active_at: Timestamp,
    /// How many messages there are: the sequence of the newest.
    messages: i64,
    /// The newest message.
    newest: Option<PreviewAnswer>,
    /// Whether the contact was erased: nobody reads what was said.
    erased: bool,
    /// Grows with each change of who answers; the `ETag`.
    version: i64,
}

/// A person who holds a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Assignee)]
pub struct AssigneeAnswer {
    /// The user.
    user_id: UserId,
    /// What they are called.
    #[schema(example = "Ana")]
    name: String,
}

/// The beginning of a message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessagePreview)]
pub struct PreviewAnswer {
    /// Who said it.
    role: Role,
    /// What it says, on one line; empty where it has no words.
    text: String,
}

impl From<Assignee> for AssigneeAnswer {
    fn from(assignee: Assignee) -> Self {
        Self { user_id: assignee.user_id, name: assignee.name }
    }
}

impl From<Listed> for ConversationAnswer {
    fn from(listed: Listed) -> Self {
        Self {
            conversation_id: listed.conversation_id,
            contact_id: listed.contact_id,
            channel: listed.channel,
            language: listed.language,
            state: listed.handling.state(),
            version: listed.handling.version,
            assignee: listed.handling.assignee.map(AssigneeAnswer::from),
            waiting_since: listed.waiting_since,
            handoff_reason: listed.handoff_reason,
            active_at: listed.active_at,
            messages: listed.messages,
            erased: listed.is_erased,
            newest: listed.newest.map(|Preview { role, text }| PreviewAnswer { role, text }),
        }
    }
}

/// The person who calls: only people answer contacts.
fn person(call: &AtTenant) -> Result<&UserCaller, Problem> {
    call.manager.user().ok_or_else(Problem::person_required)
}

/// The conversation that the path names; the trail says that it was about this one.
fn named(call: &AtTenant) -> Result<ConversationId, Problem> {
    let id: ConversationId = call.received.param("conversationId")?;
    call.received.record.facts().subject = Some(id.to_string());
    Ok(id)
}

/// What somebody holds who may not answer any more waits for whoever takes it; says what that is.
pub(super) async fn release_unless_answers(
    desk: &FrontDesk,
    call: &AtTenant,
    tx: &mut TenantTx,
    user: &User,
) -> Result<Vec<ConversationId>, StoreError> {
    if answers(desk, call, user) { Ok(Vec::new()) } else { inbox::release(tx, user.user_id).await }
}

/// Whether a person of the tenant may answer contacts.
fn answers(desk: &FrontDesk, call: &AtTenant, user: &User) -> bool {
    let manager = Manager::of_user(&call.tenant, user, call.state.is_owner());
    user.status == UserStatus::Active && manager.may(desk, Action::ConversationsWrite, &call.tenant)
}

/// Lets everybody hear that somebody else answers in these now.
pub(super) fn tell_of_all(desk: &FrontDesk, tenant: &TenantId, conversations: Vec<ConversationId>) {
    for conversation in conversations {
        inbox::tell(&desk.bell, tenant, conversation);
    }
}

/// 409 for who comes second: says who holds the conversation.
fn held(by: &Assignee) -> Problem {
    Problem::conflict(Code::ConversationHeld, format!("{} holds this conversation.", by.name))
}

/// 409 for who would write without holding the conversation: says who does, if anybody.
fn not_held(handling: Option<&Handling>) -> Problem {
    match handling.and_then(|handling| handling.assignee.as_ref()) {
        Some(assignee) => held(assignee),
        None => Problem::conflict(Code::ConversationNotHeld, "Take the conversation first."),
    }
}
