//! A turn in the trace of the message that it answers.

use misy_domain::{ConversationId, MessageOrigin, TenantId};
use misy_store::{
    leases::Lease,
    turns::{Conversations, TurnWork},
};
use misy_telemetry::{Field, Span};
use std::time::Instant;

/// Whose turn it is.
type Whose = (TenantId, MessageOrigin, ConversationId);

/// The steps of a turn, in the trace of the message that has waited longest: how long it waited for somebody to hear the
/// bell, the lease, and within it the turn. Messages that are answered together with it are linked. Where no message is
/// recorded there are no steps.
pub(crate) struct TracedTurn {
    /// The turn.
    pub(crate) turn: Span,
    whose: Whose,
    _lease: Span,
}

impl TracedTurn {
    /// Begins the steps of a turn that began at that time.
    pub(crate) fn start(lease: &Lease<Conversations>, work: &TurnWork, began: Instant) -> Self {
        let whose = (lease.tenant.clone(), work.origin, lease.id);
        let mut recorded = work.waiting.iter().filter(|message| message.trace.is_some());
        let Some(oldest) = recorded.next() else {
            return Self { turn: Span::NONE, whose, _lease: Span::NONE };
        };
        tell(&Span::waited("bell", oldest.trace, oldest.created_at), &whose);
        let held = Span::after_since("lease", oldest.trace, began);
        tell(&held, &whose);
        held.id(Field::Worker, &lease.worker)
            .set(Field::Fence, lease.fence)
            .set(Field::Attempts, i64::from(lease.attempts));
        let turn = Span::after_since("turn", held.context(), began);
        tell(&turn, &whose);
        turn.set(Field::Asked, i64::try_from(work.waiting.len()).unwrap_or(i64::MAX));
        for other in recorded.filter_map(|message| message.trace) {
            turn.link(other);
        }
        Self { turn, whose, _lease: held }
    }

    /// A step of the turn, begun within it.
    pub(crate) fn step(&self, name: &'static str) -> Span {
        let step = Span::step(name);
        tell(&step, &self.whose);
        step
    }
}

fn tell(span: &Span, (tenant, origin, conversation): &Whose) {
    span.id(Field::Tenant, tenant).id(Field::Conversation, conversation);
    if let MessageOrigin::Session(session) = origin {
        span.id(Field::Session, session);
    }
}
