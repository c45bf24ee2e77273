//! Who is seen writing while a turn runs.

use misy_domain::{ConversationId, Role, TenantId};
use misy_store::{
    Bell,
    bell::{Agent, News},
    leases::Lease,
    sessions::ConversationStatus,
    turns::{Conversations, TurnWork},
};

/// Who is said to write before the first answer of a conversation.
const FIRST_AGENT: Agent = Agent::Support;

/// Shows that an agent is writing, until it is dropped.
pub(super) struct Typing<'a> {
    bell: &'a Bell,
    tenant: TenantId,
    conversation: ConversationId,
}

impl<'a> Typing<'a> {
    pub(super) fn start(bell: &'a Bell, lease: &Lease<Conversations>, work: &TurnWork) -> Option<Self> {
        // A person who has taken over is not interrupted by the look of a machine.
        if work.is_silent || work.status == ConversationStatus::Handoff {
            return None;
        }
        let last = work.history.iter().rev().find(|message| message.role == Role::Agent);
        let name = last.and_then(|message| message.agent_name.as_deref());
        let agent = name.and_then(Agent::named).unwrap_or(FIRST_AGENT);
        bell.ring(&lease.tenant, lease.id, News::typing(Some(agent)));
        Some(Self { bell, tenant: lease.tenant.clone(), conversation: lease.id })
    }
}

impl Drop for Typing<'_> {
    fn drop(&mut self) {
        self.bell.ring(&self.tenant, self.conversation, News::typing(None));
    }
}
