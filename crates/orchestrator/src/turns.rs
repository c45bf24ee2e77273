//! A turn: load what waits, decide, commit. It is decided on the workbench, and no transaction is open meanwhile.

use crate::{
    Worker, WorkerSettings,
    traced_turn::TracedTurn,
    worker::{Handler, WorkError},
};
use metrics::{counter, histogram};
use misy_agents::{
    Budget, CompiledPack, Handoff, HistoryItem, InboundText, Spent, TurnInput, TurnOutcome, busy_phrase,
    decide_turn, offered,
};
use misy_domain::{
    AlertId, Clock, ConversationId, Entropy, Message, MessageOrigin, Part, Reply, Role, TenantId, Timestamp,
    message::{Pressed, Reference, text_of},
    network::Width,
    share,
};
use misy_store::{
    Bell, Database, Limits, StoreError, Vault,
    alerts::{self, Alert, Severity},
    bell::{Agent, News},
    leases::{Lease, Trouble},
    limits::{Decision, Limit, Scope, Unreachable},
    sessions::ConversationStatus,
    turns::{self, Conversations, NewHandoff, TurnResult, TurnWork},
};
use misy_telemetry::{Field, Traced};
use misy_workbench::{Packs, Unfinished};
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::{Span, info, info_span, warn};

/// Who is said to write before the first answer of a conversation.
const FIRST_AGENT: Agent = Agent::Support;
/// A turn whose agent reached its limit waits for so long at most; beyond it a person is asked.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// A tenant is told once in so long that turns ran out of their budget.
const TOLD_EVERY: Duration = Duration::from_hours(1);

/// How long a turn waits when too much of its tenant waits already.
const CROWDED: Duration = Duration::from_millis(500);

/// Decides a turn within a budget.
type Decide = dyn Fn(&TurnInput<'_>, &Budget<'_>) -> TurnOutcome + Send + Sync;

/// Runs the turns of conversations.
pub struct Turns {
    database: Database,
    vault: Vault,
    bell: Bell,
    packs: Packs,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: Limits,
    decide: Arc<Decide>,
}

impl Turns {
    /// Turns over a database, decided by the built-in agents.
    pub fn new(
        database: Database,
        vault: Vault,
        bell: Bell,
        packs: Packs,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let (limits, decide) = (Limits::default(), Arc::new(decide_turn));
        Self { database, vault, bell, packs, clock, entropy, limits, decide }
    }

    /// The same, with the limits of agents counted there.
    #[must_use]
    pub fn limited_by(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, decided in another way.
    #[must_use]
    pub fn deciding(
        mut self,
        decide: impl Fn(&TurnInput<'_>, &Budget<'_>) -> TurnOutcome + Send + Sync + 'static,
    ) -> Self {
        self.decide = Arc::new(decide);
        self
    }

    /// A worker that runs these turns.
    pub fn worker(self, settings: WorkerSettings) -> Worker<Self> {
        Worker::new(self.database.clone(), self.entropy.clone(), settings, self)
    }

    async fn load(&self, lease: &Lease<Conversations>) -> Result<Option<Loaded>, WorkError> {
        let keys = self.vault.keys(&self.database, &lease.tenant).await?;
        let keys = keys.ok_or(WorkError::Failed(Trouble::NoKeys))?;
        let mut tx = self.database.tenant_work("turn.load", &lease.tenant).await?;
        let Some(work) = turns::load_turn(&mut tx, &keys, lease).await? else {
            tx.commit().await?;
            return Ok(None);
        };
        tx.commit().await?;
        let pack = self.pack(&lease.tenant, work.pack_version).await?;
        let pack = pack.ok_or(WorkError::Failed(Trouble::NoContextPack))?;
        Ok(Some(Loaded { keys, work, pack }))
    }

    /// The pack of a version; `None` if it is not there.
    async fn pack(&self, tenant: &TenantId, version: i64) -> Result<Option<CompiledPack>, WorkError> {
        let load = async || {
            let mut tx = self.database.tenant_work("turn.pack", tenant).await?;
            let json = turns::pack_of_version(&mut tx, version).await?;
            tx.commit().await?;
            Ok(json)
        };
        self.packs.get(tenant, version, load).await
    }

    /// Decides on the workbench, among what other tenants have to decide.
    async fn decide(
        &self,
        lease: &Lease<Conversations>,
        loaded: &Arc<Loaded>,
    ) -> Result<TurnOutcome, WorkError> {
        let (decide, loaded, now) = (self.decide.clone(), loaded.clone(), self.clock.now());
        let work = move |stop: &_| {
            let budget = Budget::of_turn().until(stop);
            let outcome = loaded.decide(&*decide, now, &budget);
            (outcome, budget.used())
        };
        let (outcome, steps) = self.packs.workbench().run(&lease.tenant, work).await?;
        // Far below 2^52.
        #[allow(clippy::cast_precision_loss)]
        histogram!("misy_turn_steps").record(steps as f64);
        Ok(outcome)
    }

    /// Tells the tenant that a turn ran out of its budget. What the contact was told is durable by now, so a failure to
    /// raise the alert fails nothing else.
    async fn tell_spent(&self, lease: &Lease<Conversations>, spent: Spent) {
        let of = if spent == Spent::Time { "time" } else { "steps" };
        counter!("misy_turns_spent_total", "of" => of).increment(1);
        warn!(%spent, "the turn ran out of its budget: a person is asked");
        let now = self.clock.now();
        let every = i64::try_from(TOLD_EVERY.as_secs()).unwrap_or(i64::MAX);
        let alert = Alert {
            alert_id: AlertId::new(&*self.clock, &*self.entropy),
            rule: "turn_budget".to_owned(),
            occurrence: now.as_second().div_euclid(every).to_string(),
            severity: Severity::Warning,
            actor: None,
            subject: Some(lease.id.to_string()),
            detail: json!({ "budget": spent.to_string() }),
            raised_at: now,
            acknowledged_at: None,
            acknowledged_by: None,
        };
        let raise = async {
            let mut tx = self.database.tenant_work("turn.alert", &lease.tenant).await?;
            alerts::raise(&mut tx, &self.vault, &alert).await?;
            tx.commit().await
        };
        if let Err(error) = raise.await {
            warn!(%error, "an alert could not be raised");
        }
    }

    async fn commit(
        &self,
        lease: &Lease<Conversations>,
        loaded: &Loaded,
        outcome: TurnOutcome,
        began: Instant,
    ) -> Result<(), WorkError> {
        let decision = serde_json::to_value(&outcome.decision)
            .map_err(|_| WorkError::Failed(Trouble::UnwritableDecision))?;
        let handoff = outcome
            .handoff
            .as_ref()
            .map(|handoff| NewHandoff { reason: &handoff.reason, summary: &handoff.summary });
        let result = TurnResult {
            work: &loaded.work,
            replies: &outcome.replies,
            agent: &outcome.decision.agent,
            language: outcome.language,
            unanswered_in_a_row: outcome.unanswered_in_a_row,
            handoff,
            decision: &decision,
            took: began.elapsed(),
        };
        let committed = self
            .database
            .commit_turn(lease, &result, &loaded.keys, &self.bell, &*self.clock, &*self.entropy)
            .await?;
        info!(
            asked = loaded.work.waiting.len(),
            replies = committed.replies.len(),
            micros = began.elapsed().as_micros(),
            "turn"
        );
        Ok(())
    }

    /// For how long the agent may not answer, if it may not now; counts the turn if it may. A turn without an answer counts
    /// nowhere. While Redis is lost each worker counts by itself: contacts are answered all the same.
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
        let quota = work.agent_quota(agent);
        // One conversation gets a part, so that nobody takes the agent from all others.
        let alone = format!("{agent} in {}", lease.id);
        let limits = [
            Limit { scope: Scope::Agent, subject: agent, quota },
            Limit { scope: Scope::Agent, subject: &alone, quota: share::of_limit(quota, Width::Host) },
        ];
        let now = self.clock.now();
        match self.limits.check(&lease.tenant, None, &limits, now, Unreachable::DecideHere).await? {
            Decision::Limited { retry_after, .. } => {
                Ok(Some(Duration::try_from(retry_after).unwrap_or_default()))
            }
            _ => Ok(None),
        }
    }

    /// How long the oldest waiting message has waited.
    fn record_age(&self, work: &TurnWork) {
        if let Some(oldest) = work.waiting.first() {
            let age = self.clock.now().duration_since(oldest.created_at);
            histogram!("misy_queue_age_seconds").record(age.as_secs_f64().max(0.0));
        }
    }
}

impl Handler for Turns {
    type Kind = Conversations;

    async fn rung(&self) {
        self.bell.work().await;
    }

    fn span(&self, lease: &Lease<Conversations>) -> Span {
        info_span!(
            "turn",
            tenantId = %lease.tenant,
            conversationId = %lease.id,
            sessionId = tracing::field::Empty,
            agentName = tracing::field::Empty,
        )
    }

    async fn handle(&self, lease: &Lease<Conversations>) -> Result<(), WorkError> {
        let began = Instant::now();
        let Some(loaded) = self.load(lease).await? else { return Ok(()) };
        let span = Span::current();
        if let MessageOrigin::Session(session) = loaded.work.origin {
            span.record("sessionId", tracing::field::display(session));
        }
        self.record_age(&loaded.work);
        let steps = TracedTurn::start(lease, &loaded.work, began);
        let worked = self.work(lease, loaded, &steps, began).in_span(&steps.turn).await;
        if let Err(error) = &worked {
            steps.turn.fail(error.trouble().code());
        }
        worked
    }
}

impl Turns {
    async fn work(
        &self,
        lease: &Lease<Conversations>,
        loaded: Loaded,
        steps: &TracedTurn,
        began: Instant,
    ) -> Result<(), WorkError> {
        let _typing = Typing::start(&self.bell, lease, &loaded.work);
        let loaded = Arc::new(loaded);
        let mut outcome = match self.decide(lease, &loaded).in_span(&steps.step("decide")).await {
            // So much of the tenant waits for the workbench that this waits better where nothing is held for it.
            Err(WorkError::Unfinished(Unfinished::Full)) => {
                self.database.postpone(lease, CROWDED).await?;
                return Ok(());
            }
            outcome => outcome?,
        };
        Span::current().record("agentName", outcome.decision.agent.as_str());
        steps.turn.id(Field::Agent, &outcome.decision.agent);
        if let Some(wait) = self.over_limit(lease, &loaded.work, &outcome).await? {
            let agent = outcome.decision.agent.clone();
            counter!("misy_turns_limited_total").increment(1);
            if wait <= LONGEST_WAIT {
                info!(agent, millis = wait.as_millis(), "the agent's limit is reached: the turn waits");
                self.database.postpone(lease, wait).await?;
                return Ok(());
            }
            info!(agent, "the agent's limit is reached: a person is asked");
            hand_over(&mut outcome);
        }
        let spent = outcome.spent;
        let commit = steps.step("commit");
        commit.id(Field::Agent, &outcome.decision.agent);
        self.commit(lease, &loaded, outcome, began).in_span(&commit).await?;
        if let Some(spent) = spent {
            self.tell_spent(lease, spent).await;
        }
        Ok(())
    }
}

/// A person answers in the place of an agent that may not for a long time.
fn hand_over(outcome: &mut TurnOutcome) {
    outcome.replies = vec![Reply {
        parts: vec![Part::text(busy_phrase(outcome.language))],
        sources: Vec::new(),
        agent_name: outcome.decision.agent.clone(),
    }];
    outcome.handoff.get_or_insert_with(|| Handoff {
        reason: "agent_limit".to_owned(),
        summary: "The agent had reached its limit; the last messages are not answered.".to_owned(),
    });
}

struct Loaded {
    keys: Arc<misy_store::TenantKeys>,
    work: TurnWork,
    pack: CompiledPack,
}

impl Loaded {
    fn decide(&self, decide: &Decide, now: Timestamp, budget: &Budget<'_>) -> TurnOutcome {
        let work = &self.work;
        let texts: Vec<_> = work.waiting.iter().map(|message| text_of(&message.parts)).collect();
        let messages: Vec<_> = work
            .waiting
            .iter()
            .zip(&texts)
            .map(|(message, text)| InboundText {
                message_id: message.message_id,
                text,
                pressed: message.action.as_ref().and_then(reference),
            })
            .collect();
        let history: Vec<_> = work.history.iter().map(history_item).collect();
        let input = TurnInput {
            pack: &self.pack,
            channel: work.channel,
            locale: work.locale.as_ref(),
            session_language: work.language,
            messages: &messages,
            history: &history,
            permissions: &work.permissions,
            handed_off: work.status == ConversationStatus::Handoff,
            unanswered_in_a_row: work.unanswered_in_a_row,
            now,
        };
        decide(&input, budget)
    }
}

fn history_item(message: &Message) -> HistoryItem {
    HistoryItem {
        role: message.role,
        text: text_of(&message.parts),
        agent_name: message.agent_name.clone(),
        offered: offered(&message.parts),
    }
}

/// What a press stands for.
fn reference(pressed: &Pressed) -> Option<&Reference> {
    let Pressed::Button { reference, .. } = pressed;
    reference.as_ref()
}

/// Shows that an agent is writing, until it is dropped.
struct Typing<'a> {
    bell: &'a Bell,
    tenant: TenantId,
    conversation: ConversationId,
}

impl<'a> Typing<'a> {
    fn start(bell: &'a Bell, lease: &Lease<Conversations>, work: &TurnWork) -> Option<Self> {
        // A person who has taken over is not interrupted by the look of a machine.
        if work.status == ConversationStatus::Handoff {
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
