//! What a turn is allowed before its agent runs, and what is written down after it did.

use super::Turns;
use misy_agents::{
    TurnOutcome,
    agent::{Agent, Tokens},
};
use misy_domain::{Metered, agent::Definition, network::Width, share};
use misy_store::{
    StoreError,
    leases::Lease,
    limits::{Decision, Limit, Nonce, Scope, Unreachable},
    turns::{Conversations, TurnWork},
    usage::{self, CountedFor, Reserved},
};
use std::time::Duration;
use tracing::warn;

/// A turn whose agent reached its limit waits for so long at most; beyond it a person is asked.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// For so many seconds a turn that was counted is remembered, so that it is counted once. No run of a turn is longer, with its
/// further attempts.
const REMEMBERED: i64 = 10 * 60;

/// Whether the agent runs.
pub(super) enum Permit {
    /// It may spend this.
    Run(Tokens),
    /// It may in a while.
    Later(Duration),
    /// It reached its limit for long.
    OverLimit,
    /// It was tried as often as it may be, and its worker died with it.
    Spent,
    /// It may not, for this reason; the draft of the built-in agents stands.
    Drafted(String),
}

impl Turns {
    /// Whether the agent may run now. What it may cost is reserved when it may; an agent that costs nothing asks no database.
    pub(super) async fn permit(
        &self,
        lease: &Lease<Conversations>,
        work: &TurnWork,
        drafted: &TurnOutcome,
        agent: &dyn Agent,
    ) -> Result<Permit, StoreError> {
        let definition = agent.definition();
        if lease.attempts > definition.limits.attempts {
            return Ok(Permit::Spent);
        }
        if let Some(missing) = definition.permission.filter(|needed| !work.permissions.contains(*needed)) {
            return Ok(Permit::Drafted(format!("permission {missing} is missing")));
        }
        if let Some(wait) = self.over_limit(lease, work, drafted).await? {
            return Ok(if wait <= LONGEST_WAIT { Permit::Later(wait) } else { Permit::OverLimit });
        }
        if definition.limits.tokens == 0 {
            return Ok(Permit::Run(Tokens::new(0)));
        }
        if self.reserve(lease, work, definition).await? {
            return Ok(Permit::Run(Tokens::new(definition.limits.tokens)));
        }
        Ok(Permit::Drafted("the month's AI tokens are used up".to_owned()))
    }

    /// For how long the agent may not answer, if it may not now; counts the turn if it may. A turn counts once, by the message that
    /// has waited longest: however often it is claimed, interrupted or woken. Each message that the contact writes while it waits
    /// makes it run again, and counts. Without an answer it counts nowhere. While Redis is lost each worker counts by itself: contacts are answered all the same.
    async fn over_limit(
        &self,
        lease: &Lease<Conversations>,
        work: &TurnWork,
        outcome: &TurnOutcome,
    ) -> Result<Option<Duration>, StoreError> {
        if outcome.replies.is_empty() {
            return Ok(None);
        }
        let agent = outcome.decision.agent.as_str();
        let counts_by = match work.waited.as_ref().filter(|waited| waited.agent == agent) {
            Some(waited) if waited.seen_through >= work.seen_through => return Ok(None),
            // The contact wrote while it waited: that is another run.
            Some(_) => work.waiting.last(),
            None => work.waiting.first(),
        };
        let quota = work.agent_quota(agent);
        // One conversation gets a part, so that nobody takes the agent from all others.
        let alone = format!("{agent} in {}", lease.id);
        let limits = [
            Limit { scope: Scope::Agent, subject: agent, quota },
            Limit { scope: Scope::Agent, subject: &alone, quota: share::of_limit(quota, Width::Host) },
        ];
        let now = self.clock.now();
        let message = counts_by.map(|message| format!("{agent} to {}", message.message_id));
        let once = message.as_deref().map(|value| Nonce { value, forget_at: now.as_second() + REMEMBERED });
        let check = |once| self.limits.check(&lease.tenant, once, &limits, now, Unreachable::DecideHere);
        let decided = match check(once).await? {
            // There is no room to remember it: it may be counted twice.
            Decision::Full => check(None).await?,
            decided => decided,
        };
        match decided {
            Decision::Limited { retry_after, .. } => {
                Ok(Some(Duration::try_from(retry_after).unwrap_or_default()))
            }
            _ => Ok(None),
        }
    }

    /// Reserves what a run may cost; whether there was so much. What earlier claims of the turn reserved and nobody settled counts
    /// in full: their workers died, and what they had spent nobody knows.
    async fn reserve(
        &self,
        lease: &Lease<Conversations>,
        work: &TurnWork,
        definition: &Definition,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let counted_for = CountedFor { key: None, site: work.site_id.as_ref(), channel: Some(work.channel) };
        let mut tx = self.database.tenant_work("turn.reserve", &lease.tenant).await?;
        usage::count_unsettled(&mut tx, Metered::AiTokens, &of_conversation(lease), now).await?;
        let monthly = usage::monthly(&mut tx, Metered::AiTokens).await?;
        let (subject, tokens) = (of_claim(lease), definition.limits.tokens);
        let reserved =
            usage::reserve(&mut tx, Metered::AiTokens, &subject, tokens, monthly, counted_for, now).await?;
        tx.commit().await?;
        Ok(reserved == Reserved::Taken)
    }

    /// Writes down what a run cost; the rest of what was reserved is free again.
    pub(super) async fn settle(
        &self,
        lease: &Lease<Conversations>,
        tokens: &Tokens,
    ) -> Result<(), StoreError> {
        let (now, used) = (self.clock.now(), tokens.used());
        let mut tx = self.database.tenant_work("turn.settle", &lease.tenant).await?;
        let settled = usage::settle(&mut tx, Metered::AiTokens, &of_claim(lease), used, now).await?;
        tx.commit().await?;
        if !settled {
            // Another claim has the conversation and counted it in full.
            warn!("what the agent cost was counted already");
        }
        Ok(())
    }
}

/// What the reservations of a conversation begin with.
fn of_conversation(lease: &Lease<Conversations>) -> String {
    format!("turn/{}/", lease.id)
}

/// The reservation of one claim.
fn of_claim(lease: &Lease<Conversations>) -> String {
    format!("{}{}", of_conversation(lease), lease.fence)
}
