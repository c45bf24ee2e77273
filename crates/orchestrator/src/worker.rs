//! The worker: claims conversations that are due and has them worked on, as many at a time as it may.

use crate::{
    WorkerSettings,
    held::{Held, Holding},
    round::Round,
};
use futures_util::FutureExt;
use metrics::{counter, gauge, histogram};
use misy_domain::Entropy;
use misy_store::{
    Bell, Database, StoreError,
    leases::{Failed, Lease, Share, WorkerId},
};
use misy_workbench::{PackError, Unfinished};
use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Instant};
use tokio::{task::JoinSet, time};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, info, info_span, warn};

/// What is done with a conversation that is due. It must end the lease with its result, in one transaction under the
/// fence. It may be dropped at any await, and run again for the same work.
pub trait Handler: Send + Sync + 'static {
    /// Works on the conversation.
    fn handle(&self, lease: &Lease) -> impl Future<Output = Result<(), WorkError>> + Send;
}

/// Whether there may be more to claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hunger {
    /// There may be.
    Hungry,
    /// Of tenants that have their share already: when work ends, it may be one of theirs.
    Waits,
    /// There was nothing left.
    Fed,
}

impl Hunger {
    fn after_an_end(self) -> Self {
        if self == Self::Waits { Self::Hungry } else { self }
    }
}

/// The most of one tenant that is claimed at once, and how much of it a worker holds when it claims no more: so it never
/// holds twice as much, which is less than half of what it works on.
fn most_of_tenant(concurrency: u32) -> u32 {
    (concurrency / 4).max(1)
}

/// Why a conversation was not worked on to its end.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// Something is missing or broken. The code is kept with the conversation and never holds a contact's words.
    #[error("{0}")]
    Failed(&'static str),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The workbench.
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
    /// The context pack.
    #[error(transparent)]
    Pack(PackError),
}

impl From<PackError> for WorkError {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Unfinished(unfinished) => Self::Unfinished(unfinished),
            error => Self::Pack(error),
        }
    }
}

/// A worker. Several may run in one process and in many.
pub struct Worker<H> {
    id: WorkerId,
    database: Database,
    bell: Bell,
    entropy: Arc<dyn Entropy>,
    settings: WorkerSettings,
    handler: H,
    held: Held,
}

impl<H: Handler> Worker<H> {
    /// A worker that gives conversations to the handler.
    pub fn new(
        database: Database,
        bell: Bell,
        entropy: Arc<dyn Entropy>,
        settings: WorkerSettings,
        handler: H,
    ) -> Self {
        let id = WorkerId::new(&*entropy);
        Self { id, database, bell, entropy, settings, handler, held: Held::default() }
    }

    /// Its id.
    pub fn id(&self) -> &WorkerId {
        &self.id
    }

    /// Works until shutdown is asked for. Then it claims no more, gives back what it has not begun, and waits for what
    /// it has. Dropped instead, it leaves its leases to run out, as a crash would.
    pub async fn run(self, shutdown: CancellationToken) {
        let worker = Arc::new(self);
        let mut heartbeat = JoinSet::new();
        heartbeat.spawn(worker.clone().prolong_leases());
        let mut tasks = JoinSet::new();
        worker.clone().work(&mut tasks, &shutdown).await;
        worker.finish(&mut tasks).await;
        info!(worker = %worker.id, "the worker has stopped");
    }

    async fn work(self: Arc<Self>, tasks: &mut JoinSet<()>, shutdown: &CancellationToken) {
        let concurrency = self.settings.concurrency.max(1);
        let mut round = Round::default();
        let mut hungry = Hunger::Hungry;
        while !shutdown.is_cancelled() {
            while tasks.try_join_next().is_some() {
                hungry = hungry.after_an_end();
            }
            let busy = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
            gauge!("misy_worker_busy").set(f64::from(busy));
            let free = concurrency.saturating_sub(busy).min(self.settings.batch);
            if hungry == Hunger::Hungry && free > 0 {
                hungry = self.claim(tasks, &mut round, free, shutdown).await;
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.bell.work(), if free > 0 => hungry = Hunger::Hungry,
                () = time::sleep(self.pause()), if free > 0 => hungry = Hunger::Hungry,
                Some(_) = tasks.join_next() => hungry = hungry.after_an_end(),
            }
        }
    }

    /// Claims and begins; answers whether there may be more to claim.
    async fn claim(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        round: &mut Round,
        free: u32,
        shutdown: &CancellationToken,
    ) -> Hunger {
        let most = most_of_tenant(self.settings.concurrency);
        let full = self.held.tenants_with(most);
        let share = Share { most, full: &full };
        let began = Instant::now();
        let claimed = match self
            .database
            .claim_conversations(&self.id, free, &self.settings.terms, round.cursor(), share)
            .await
        {
            Ok(claimed) => claimed,
            Err(error) => {
                warn!(worker = %self.id, %error, "cannot claim");
                counter!("misy_worker_claim_errors_total").increment(1);
                return Hunger::Fed;
            }
        };
        histogram!("misy_worker_claim_seconds").record(began.elapsed());
        counter!("misy_worker_claimed_total").increment(claimed.leases.len() as u64);
        let hungry = if round.went(&claimed, free) {
            Hunger::Hungry
        } else if full.is_empty() && claimed.leases.len() < most as usize {
            Hunger::Fed
        } else {
            Hunger::Waits
        };
        for lease in claimed.leases {
            if shutdown.is_cancelled() {
                self.give_back(&lease).await;
                continue;
            }
            let holding = self.held.hold(&lease);
            let span = info_span!(
                "turn",
                tenantId = %lease.tenant,
                conversationId = %lease.conversation,
                sessionId = tracing::field::Empty,
                agentName = tracing::field::Empty,
            );
            tasks.spawn(self.clone().begin(lease, holding).instrument(span));
        }
        hungry
    }

    /// Works on one conversation and sees to its failure.
    async fn begin(self: Arc<Self>, lease: Lease, holding: Holding) {
        let began = Instant::now();
        let work = AssertUnwindSafe(self.handler.handle(&lease)).catch_unwind();
        let (code, error) = tokio::select! {
            // First, as a lease that was ended by the work itself looks lost to the heartbeat.
            biased;
            ended = time::timeout(self.settings.most_time, work) => match ended {
                Ok(Ok(Ok(()))) => {
                    histogram!("misy_turn_seconds").record(began.elapsed());
                    counter!("misy_turns_total", "outcome" => "done").increment(1);
                    return;
                }
                Ok(Ok(Err(WorkError::Store(StoreError::LeaseLost)))) => {
                    warn!("the lease was lost before the end of the work; nothing was written");
                    counter!("misy_turns_total", "outcome" => "lost").increment(1);
                    return;
                }
                Ok(Ok(Err(error))) => (error.code(), Some(error)),
                // What the panic says may quote a contact, so it is kept nowhere.
                Ok(Err(_panic)) => ("panic", None),
                Err(_elapsed) => ("timeout", None),
            },
            () = holding.lost.cancelled() => {
                warn!("the lease was lost during the work");
                counter!("misy_turns_total", "outcome" => "lost").increment(1);
                return;
            }
        };
        let delay = self.settings.backoff.after(lease.attempts, &*self.entropy);
        warn!(code, attempts = lease.attempts, error = error.map(tracing::field::display), "the work failed");
        match self.database.fail_conversation(&lease, code, delay, &self.settings.terms).await {
            Ok(Failed::Dead) => {
                counter!("misy_turns_total", "outcome" => "dead").increment(1);
                warn!(code, "the conversation is given up until a message or an operator revives it");
            }
            Ok(Failed::Retry) => counter!("misy_turns_total", "outcome" => "failed").increment(1),
            Ok(Failed::Lost) => counter!("misy_turns_total", "outcome" => "lost").increment(1),
            // The lease runs out by itself.
            Err(error) => warn!(%error, "the failure could not be written"),
        }
    }

    async fn prolong_leases(self: Arc<Self>) {
        let mut ticks = time::interval(self.settings.heartbeat);
        ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let leases = self.held.leases();
            if leases.is_empty() {
                continue;
            }
            match self.database.extend_leases(&self.id, &leases, &self.settings.terms).await {
                Ok(lost) => {
                    for lease in &lost {
                        self.held.lose(lease);
                    }
                }
                Err(error) => warn!(worker = %self.id, %error, "cannot prolong leases"),
            }
        }
    }

    async fn finish(&self, tasks: &mut JoinSet<()>) {
        let all = async { while tasks.join_next().await.is_some() {} };
        if time::timeout(self.settings.grace, all).await.is_ok() {
            return;
        }
        let begun = self.held.leases();
        tasks.shutdown().await;
        for lease in begun {
            self.give_back(&lease).await;
        }
    }

    async fn give_back(&self, lease: &Lease) {
        match self.database.release_conversation(lease).await {
            Ok(_) => debug!(tenantId = %lease.tenant, conversationId = %lease.conversation, "given back"),
            Err(error) => {
                warn!(%error, "not given back; the lease runs out by itself");
            }
        }
    }

    /// Between half of the poll time and all of it, so that replicas do not look at the same moment.
    fn pause(&self) -> time::Duration {
        let mut byte = [0u8; 1];
        self.entropy.fill(&mut byte);
        self.settings.poll.mul_f64(0.5 + f64::from(byte[0]) / 512.0)
    }
}

impl WorkError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Failed(code) => code,
            Self::Store(StoreError::Unsealable(_)) => "unsealable",
            Self::Store(StoreError::Unavailable(_)) => "database_unavailable",
            Self::Store(_) => "database",
            Self::Unfinished(Unfinished::Full) => "too_much_at_once",
            Self::Unfinished(Unfinished::Panicked) => "panic",
            Self::Pack(PackError::TooCostly(_)) => "context_pack_too_costly",
            Self::Pack(_) => "context_pack_invalid",
        }
    }
}
