//! The run of an agent: with a deadline, cancelled when nobody waits for it, and with everything it may know and use.

use super::{Turns, loaded::Loaded, writing::Shown};
use futures_util::FutureExt;
use misy_agents::{
    TurnOutcome,
    agent::{Agent, Answer, Call, Ended, Resumed, Tokens, Wait},
};
use misy_domain::{
    Part,
    agent::{MOST_TOGETHER, WhenWritten},
    message::{Writer, check},
};
use misy_store::{leases::Lease, turns::Conversations};
use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};
use tokio::time;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// No run takes longer than this, whatever its definition says: well below the time that a worker gives to any work.
const LONGEST: Duration = Duration::from_secs(90);

/// A turn waits for so long at least and at most.
const WAITS: std::ops::RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_hours(30 * 24);
/// What an agent may keep while it waits, in bytes of JSON.
const MOST_KEPT: usize = 64 * 1024;

/// How a run ended, as the turn sees it.
pub(super) enum Ran {
    /// The draft of the built-in agents is the answer.
    Drafted,
    /// With an answer of its own.
    Answered(Answer),
    /// It goes on later.
    Waiting(Wait),
    /// The contact wrote again: everything is answered together.
    Interrupted,
    /// It came to no answer.
    Failed,
    /// Its time was over.
    Late,
}

impl Turns {
    /// Runs the agent. Whatever it started elsewhere is told to stop when this ends or is dropped.
    pub(super) async fn run(
        &self,
        lease: &Lease<Conversations>,
        loaded: &Loaded,
        drafted: &TurnOutcome,
        agent: &dyn Agent,
        tokens: &Tokens,
    ) -> Ran {
        let definition = agent.definition();
        let shown = Shown::of(&self.bell, lease, &loaded.work, &drafted.decision.agent);
        let interrupted = self.written_again(lease, loaded, definition.when_written);
        let cancelled = CancellationToken::new();
        let _cancel = cancelled.clone().drop_guard();
        let most = definition.limits.deadline.min(LONGEST);
        let messages = loaded.messages();
        let input = loaded.input(&messages, self.clock.now());
        let call = Call {
            tenant: &lease.tenant,
            conversation: lease.id,
            through: loaded.work.answered_through(),
            input: &input,
            drafted,
            resumed: loaded.work.waited.as_ref().filter(|waited| waited.agent == definition.key).map(
                |waited| Resumed {
                    waits_for: waited.waits_for,
                    is_over: waited.is_over,
                    state: &waited.state,
                    outcome: waited.outcome.as_ref(),
                },
            ),
            attempt: lease.attempts,
            tokens,
            writing: &shown,
            cancelled,
            deadline: Instant::now() + most,
        };
        let run = AssertUnwindSafe(async { agent.run(call).await }).catch_unwind();
        tokio::select! {
            biased;
            ended = run => match ended {
                Ok(Ok(Ended::Drafted)) => Ran::Drafted,
                Ok(Ok(Ended::Answered(answer))) if can_be_said(&answer.parts) => Ran::Answered(answer),
                Ok(Ok(Ended::Waiting(wait))) if can_be_said(&wait.saying) && can_be_kept(&wait) => {
                    Ran::Waiting(Wait { most: wait.most.clamp(*WAITS.start(), *WAITS.end()), ..wait })
                }
                Ok(Ok(Ended::Answered(_) | Ended::Waiting(_))) => {
                    warn!("the agent ended with what no message or wait may hold");
                    Ran::Failed
                }
                Ok(Err(error)) => {
                    warn!(%error, "the agent failed");
                    Ran::Failed
                }
                // What the panic says may quote a contact, so it is kept nowhere.
                Err(_panic) => {
                    warn!("the agent panicked");
                    Ran::Failed
                }
            },
            () = interrupted => Ran::Interrupted,
            never = shown.tell() => match never {},
            () = time::sleep(most) => Ran::Late,
        }
    }

    /// Ends when the contact writes again, if that matters. A ring of the bell may be lost: then the run goes on, and the next turn
    /// answers what came.
    fn written_again(
        &self,
        lease: &Lease<Conversations>,
        loaded: &Loaded,
        policy: WhenWritten,
    ) -> impl Future<Output = ()> + use<> {
        let work = &loaded.work;
        let matters = policy == WhenWritten::StartOver && work.waiting.len() < MOST_TOGETHER;
        let listener = matters.then(|| self.bell.listen(&lease.tenant, lease.id));
        let newest = work.waiting.iter().chain(&work.history).map(|message| message.sequence).max();
        async move {
            let Some(mut listener) = listener else { return std::future::pending().await };
            while listener.heard().await.sequence <= newest.unwrap_or_default() {}
        }
    }
}

fn can_be_said(parts: &[Part]) -> bool {
    parts.is_empty() || check(parts, Writer::Tenant, "").is_ok()
}

fn can_be_kept(wait: &Wait) -> bool {
    serde_json::to_vec(&wait.state).is_ok_and(|bytes| bytes.len() <= MOST_KEPT)
}
