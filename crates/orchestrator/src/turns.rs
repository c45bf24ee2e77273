//! A turn: load what waits, understand it and choose an agent, permit and reserve, run, settle, commit.
//!
//! Messages are understood on the workbench, where what the built-in agents say is drafted in the same pass. No transaction is
//! open while anything is computed or waited for.

mod loaded;
mod outcome;
mod permit;
mod run;
mod telling;
mod timeline;
mod typing;
mod writing;

use crate::{
    Agents, Places, Signs, Worker, WorkerSettings,
    booking::Booking,
    traced_turn::TracedTurn,
    worker::{Handler, WorkError},
};
pub(crate) use loaded::Loaded;
use metrics::{counter, histogram};
use misy_agents::{Budget, CompiledPack, TurnInput, TurnOutcome, agent::Wait, decide_turn};
use misy_domain::{Clock, Entropy, MessageOrigin, TenantId, agent::AgentKind, decision::Stage};
use misy_store::{
    Bell, Database, Limits, Vault, bookings,
    leases::{Lease, Trouble},
    turns::{self, Conversations, NewHandoff, NewWait, TurnResult, TurnWork},
};
use misy_telemetry::{Field, Traced};
use misy_workbench::{Packs, Unfinished};
use outcome::{LATE, OVER_LIMIT, count, failed, hand_over, stay_silent, take, take_words};
use permit::Permit;
use run::Ran;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use telling::Told;
use timeline::Timeline;
use tracing::{Span, info, info_span};
use typing::Typing;

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
    agents: Agents,
    booking: Arc<Booking>,
    decide: Arc<Decide>,
    places: Option<Places<Conversations>>,
    signs: Option<Signs>,
}

impl Turns {
    /// Turns over a database, answered by the built-in agents.
    pub fn new(
        database: Database,
        vault: Vault,
        bell: Bell,
        packs: Packs,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let workbench = packs.workbench().clone();
        let booking =
            Booking::new(database.clone(), vault.clone(), workbench, clock.clone(), entropy.clone());
        let booking = Arc::new(booking);
        let agents = Agents::built_in().with(booking.clone());
        let (limits, decide) = (Limits::default(), Arc::new(decide_turn));
        Self {
            database,
            vault,
            bell,
            packs,
            clock,
            entropy,
            limits,
            agents,
            booking,
            decide,
            places: None,
            signs: None,
        }
    }

    /// The same, with the limits of agents counted there.
    #[must_use]
    pub fn limited_by(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, answered by these agents.
    #[must_use]
    pub fn answered_by(mut self, agents: Agents) -> Self {
        self.agents = agents;
        self
    }

    /// The same, with contacts on the channels of vendors told that they are read.
    #[must_use]
    pub fn telling(mut self, signs: Signs) -> Self {
        self.signs = Some(signs);
        self
    }

    /// The same, understood in another way.
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
        let form = bookings::form(&mut tx, &keys, lease.id).await?;
        tx.commit().await?;
        let form = form.and_then(|kept| loaded::open_form(kept, &work));
        let pack = self.pack(&lease.tenant, work.pack_version).await?;
        let pack = pack.ok_or(WorkError::Failed(Trouble::NoContextPack))?;
        Ok(Some(Loaded::new(keys, work, pack, form)))
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

    /// Understands, routes and drafts on the workbench, among what other tenants have to decide.
    async fn decide(
        &self,
        lease: &Lease<Conversations>,
        loaded: &Arc<Loaded>,
        timeline: &Arc<Timeline>,
    ) -> Result<TurnOutcome, WorkError> {
        let (decide, loaded, now) = (self.decide.clone(), loaded.clone(), self.clock.now());
        let timeline = timeline.clone();
        timeline.begin(Stage::Understand);
        let work = move |stop: &_| {
            let hears = |stage| timeline.begin(stage);
            let budget = Budget::of_turn().until(stop).heard_by(&hears);
            let messages = loaded.messages();
            let outcome = decide(&loaded.input(&messages, now), &budget);
            (outcome, budget.used())
        };
        let (outcome, steps) = self.packs.workbench().run(&lease.tenant, work).await?;
        // Far below 2^52.
        #[allow(clippy::cast_precision_loss)]
        histogram!("misy_turn_steps").record(steps as f64);
        Ok(outcome)
    }

    async fn commit(
        &self,
        lease: &Lease<Conversations>,
        loaded: &Loaded,
        outcome: TurnOutcome,
        wait: Option<Wait>,
        began: Instant,
    ) -> Result<Committed, WorkError> {
        let with = match &outcome.settled {
            None => None,
            Some(settled) => match self.booking.settle(lease, loaded, settled).await? {
                Some(tx) => Some(tx),
                None => return Ok(Committed::Overtaken),
            },
        };
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
            wait: wait.as_ref().map(|wait| NewWait {
                waits_for: wait.waits_for,
                most: wait.most,
                agent: &outcome.decision.agent,
                state: &wait.state,
            }),
            took: began.elapsed(),
        };
        let committed = self
            .database
            .commit_turn_with(with, lease, &result, &loaded.keys, &self.bell, &*self.clock, &*self.entropy)
            .await?;
        info!(
            asked = loaded.work.waiting.len(),
            replies = committed.replies.len(),
            micros = began.elapsed().as_micros(),
            "turn"
        );
        Ok(Committed::Durable)
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

    fn placed(&mut self, places: Places<Conversations>) {
        self.places = Some(places);
    }

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
        let typing = Typing::start(&self.bell, lease, &loaded.work);
        // Where a person has taken over nobody says that a machine reads.
        if let (Some(_), Some(signs), MessageOrigin::Account(account)) =
            (&typing, &self.signs, loaded.work.origin)
        {
            signs.reading(&lease.tenant, account, lease.id);
        }
        let (loaded, timeline) = (Arc::new(loaded), Arc::new(Timeline::since(began)));
        let decided = self.decide(lease, &loaded, &timeline).in_span(&steps.step("decide")).await;
        let mut outcome = match decided {
            // So much of the tenant waits for the workbench that this waits better where nothing is held for it.
            Err(WorkError::Unfinished(Unfinished::Full)) => {
                self.database.postpone(lease, CROWDED).await?;
                return Ok(());
            }
            outcome => outcome?,
        };
        if loaded.work.is_silent {
            stay_silent(&mut outcome);
        }
        Span::current().record("agentName", outcome.decision.agent.as_str());
        steps.turn.id(Field::Agent, &outcome.decision.agent);
        let (told, wait) = match self.answer(lease, &loaded, &mut outcome, steps, &timeline).await? {
            After::Commit(told) => (told.or(outcome.spent.map(Told::Budget)), None),
            After::Wait(wait) => (None, Some(wait)),
            After::Later(delay) => return self.begin_anew(lease, delay).await,
        };
        // Before the turn is stored, as its lease ends with that.
        if let Some(told) = told {
            self.tell(lease, &told).await;
        }
        timeline.begin(Stage::Commit);
        outcome.decision.stages = timeline.times();
        let commit = steps.step("commit");
        commit.id(Field::Agent, &outcome.decision.agent);
        match self.commit(lease, &loaded, outcome, wait, began).in_span(&commit).await? {
            Committed::Durable => Ok(()),
            // Nothing of the turn is there. It is begun anew, and finds how it stands now.
            Committed::Overtaken => self.begin_anew(lease, Duration::ZERO).await,
        }
    }

    async fn begin_anew(&self, lease: &Lease<Conversations>, delay: Duration) -> Result<(), WorkError> {
        self.database.postpone(lease, delay).await?;
        if delay.is_zero() {
            self.bell.ring_work();
        }
        Ok(())
    }

    /// Has the agent answer that the turn was routed to, as far as it is permitted.
    async fn answer(
        &self,
        lease: &Lease<Conversations>,
        loaded: &Loaded,
        outcome: &mut TurnOutcome,
        steps: &TracedTurn,
        timeline: &Timeline,
    ) -> Result<After, WorkError> {
        // What a test decides may name no agent at all.
        let Some(agent) = self.agents.of(&outcome.decision.agent).cloned() else {
            return Ok(After::Commit(None));
        };
        let (agent, definition) = (&*agent, agent.definition());
        // Whoever waits for the network leaves its place to those who compute. Where too many wait so, it is not begun.
        let aside = match (definition.kind, &self.places) {
            (AgentKind::Connected, Some(places)) => match places.step_aside(lease) {
                Some(aside) => Some(aside),
                None => return Ok(After::Later(CROWDED)),
            },
            _ => None,
        };
        timeline.begin(Stage::Permit);
        let tokens = match self.permit(lease, &loaded.work, outcome, agent).await? {
            Permit::Run(tokens) => tokens,
            Permit::Later(wait) => {
                info!(millis = wait.as_millis(), "the agent's limit is reached: the turn waits");
                counter!("misy_turns_limited_total").increment(1);
                return Ok(After::Later(wait));
            }
            Permit::OverLimit => {
                info!("the agent's limit is reached: a person is asked");
                counter!("misy_turns_limited_total").increment(1);
                hand_over(outcome, &OVER_LIMIT);
                return Ok(After::Commit(None));
            }
            Permit::Spent => return Ok(After::Commit(Some(failed(outcome, definition)))),
            Permit::Drafted(why) => {
                count(definition, "not_permitted");
                outcome.decision.limits.push(why);
                return Ok(After::Commit(None));
            }
        };
        timeline.begin(Stage::Run);
        let ran = self.run(lease, loaded, outcome, agent, &tokens);
        let ran = match definition.kind {
            AgentKind::BuiltIn => ran.await,
            AgentKind::Connected => ran.in_span(&steps.step("run")).await,
        };
        drop(aside);
        outcome.decision.agent_kind = Some(definition.kind);
        outcome.decision.agent_version = Some(definition.version);
        if tokens.reserved() > 0 {
            timeline.begin(Stage::Settle);
            outcome.decision.tokens = Some(tokens.used());
            self.settle(lease, &tokens).await?;
        }
        Ok(match ran {
            Ran::Drafted => After::Commit(None),
            Ran::Answered(answer) => {
                count(definition, "answered");
                take(outcome, answer);
                After::Commit(None)
            }
            Ran::Waiting(mut wait) => {
                count(definition, "waiting");
                outcome.unanswered_in_a_row = loaded.work.unanswered_in_a_row;
                let parts = std::mem::take(&mut wait.saying);
                take_words(outcome, parts, Vec::new());
                outcome.handoff = None;
                After::Wait(wait)
            }
            Ran::Interrupted => {
                count(definition, "interrupted");
                After::Later(Duration::ZERO)
            }
            Ran::Late => {
                count(definition, "late");
                hand_over(outcome, &LATE);
                After::Commit(Some(Told::Deadline { agent: definition.key.to_string() }))
            }
            Ran::Failed if lease.attempts < definition.limits.attempts => {
                count(definition, "failed");
                return Err(WorkError::Failed(Trouble::AgentFailed));
            }
            Ran::Failed => After::Commit(Some(failed(outcome, definition))),
        })
    }
}

/// What comes after the agent.
enum After {
    /// The outcome is stored, and then the tenant told.
    Commit(Option<Told>),
    /// The turn waits.
    Wait(Wait),
    /// The turn is begun anew after a while.
    Later(Duration),
}

/// What came of the end of a turn.
enum Committed {
    /// It is durable.
    Durable,
    /// What it was to do with a booking cannot be done any more.
    Overtaken,
}
