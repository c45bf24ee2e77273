//! The worker: claims rows of one kind that are due and has them worked on, as many at a time as it may.

use crate::{
    WorkerSettings,
    held::{Held, Holding, Places},
    round::Round,
};
use futures_util::FutureExt;
use metrics::{counter, gauge, histogram};
use misy_domain::Entropy;
use misy_store::{
    Company, Database, StoreError,
    database::Role,
    leases::{Failed, Lease, Leased, Share, Trouble, WorkerId},
    loops::Notes,
};
use misy_workbench::{PackError, Unfinished};
use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::{task::JoinSet, time};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, debug, info, info_span, warn};

/// What is done with one kind of work.
pub trait Handler: Send + Sync + 'static {
    /// The kind of work.
    type Kind: Leased;

    /// Works on a row. It must end the lease with its result, in one transaction under the fence. It may be dropped at any
    /// await, and run again for the same work.
    fn handle(&self, lease: &Lease<Self::Kind>) -> impl Future<Output = Result<(), WorkError>> + Send;

    /// Told before the work begins where its places are. Work that waits for somebody else leaves its own to others.
    fn placed(&mut self, _places: Places<Self::Kind>) {}

    /// Ends when something may be due. Without it the worker looks from time to time. It may be dropped at any await.
    fn rung(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// The span of one piece of work.
    fn span(&self, lease: &Lease<Self::Kind>) -> Span {
        info_span!("work", kind = Self::Kind::KIND, tenantId = %lease.tenant, id = %lease.id)
    }
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
fn most_of_tenant(settings: &WorkerSettings, company: bool) -> u32 {
    let most = (settings.concurrency / 4).max(1);
    // It never holds twice as much, so half of it, rounded up, holds no more than it may.
    let beside = settings.beside_others.filter(|_| company).map(|beside| beside.div_ceil(2).max(1));
    beside.map_or(most, |beside| beside.min(most))
}

/// The most that is claimed at once when so much is worked on. Half of the places are kept for tenants of which nothing is
/// worked on: `true` when only those are left, of which one piece each is claimed.
fn room(settings: &WorkerSettings, busy: u32) -> (u32, bool) {
    let concurrency = settings.concurrency.max(1);
    let anybodys = concurrency.div_ceil(2);
    let (room, kept) =
        if busy < anybodys { (anybodys - busy, false) } else { (concurrency.saturating_sub(busy), true) };
    (room.min(settings.batch), kept)
}

/// Why work did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// Something is missing or broken; it is tried again.
    #[error("{}", .0.code())]
    Failed(Trouble),
    /// No later attempt can succeed either: the work is given up at once.
    #[error("{}, for good", .0.code())]
    Hopeless(Trouble),
    /// It is tried again, but not before this time has passed.
    #[error("{}, not before {}s", .0.code(), .1.as_secs())]
    Later(Trouble, time::Duration),
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

/// What a worker remembers of its claims.
#[derive(Default)]
struct Rounds {
    round: Round,
    company: Company,
}

/// A worker for one kind of work. Several may run in one process and in many.
pub struct Worker<H: Handler> {
    id: WorkerId,
    database: Database,
    entropy: Arc<dyn Entropy>,
    settings: WorkerSettings,
    handler: H,
    held: Held<H::Kind>,
    notes: Mutex<Notes>,
}

impl<H: Handler> Worker<H> {
    /// The name of the work, for logs and metrics.
    const KIND: &'static str = H::Kind::KIND;

    /// A worker that gives its work to the handler.
    pub fn new(
        database: Database,
        entropy: Arc<dyn Entropy>,
        settings: WorkerSettings,
        mut handler: H,
    ) -> Self {
        let held = Held::new(&settings);
        handler.placed(held.places());
        let id = WorkerId::new(&*entropy);
        let notes = Mutex::new(Notes::new(Self::KIND, Role::Worker, settings.poll));
        Self { id, database, entropy, settings, handler, held, notes }
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
        info!(kind = Self::KIND, worker = %worker.id, "the worker has stopped");
    }

    async fn work(self: Arc<Self>, tasks: &mut JoinSet<()>, shutdown: &CancellationToken) {
        let mut rounds = Rounds::default();
        let mut hungry = Hunger::Hungry;
        while !shutdown.is_cancelled() {
            while tasks.try_join_next().is_some() {
                hungry = hungry.after_an_end();
            }
            let aside = self.held.aside();
            let busy = u32::try_from(tasks.len()).unwrap_or(u32::MAX).saturating_sub(aside);
            gauge!("misy_worker_aside", "kind" => Self::KIND).set(f64::from(aside));
            gauge!("misy_worker_busy", "kind" => Self::KIND).set(f64::from(busy));
            let (free, kept) = room(&self.settings, busy);
            if hungry == Hunger::Hungry && free > 0 {
                hungry = self.claim(tasks, &mut rounds, free, kept, shutdown).await;
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.handler.rung(), if free > 0 => hungry = Hunger::Hungry,
                () = time::sleep(self.pause()), if free > 0 => hungry = Hunger::Hungry,
                () = self.held.place_left() => hungry = hungry.after_an_end(),
                Some(_) = tasks.join_next() => hungry = hungry.after_an_end(),
            }
        }
    }

    /// Claims and begins; answers whether there may be more to claim. What is kept for tenants of which nothing is worked on is
    /// for those alone.
    async fn claim(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        rounds: &mut Rounds,
        free: u32,
        kept: bool,
        shutdown: &CancellationToken,
    ) -> Hunger {
        let Rounds { round, company } = rounds;
        let most = if kept { 1 } else { most_of_tenant(&self.settings, company.is_there(Instant::now())) };
        let full = self.held.tenants_with(most);
        let share = Share { most, full: &full };
        let began = Instant::now();
        let claim =
            self.database.claim::<H::Kind>(&self.id, free, &self.settings.terms, round.cursor(), share);
        let outcome = claim.await;
        self.note(outcome.as_ref().err());
        let claimed = match outcome {
            Ok(claimed) => claimed,
            Err(error) => {
                debug!(kind = Self::KIND, worker = %self.id, %error, "cannot claim");
                counter!("misy_worker_claim_errors_total", "kind" => Self::KIND).increment(1);
                return Hunger::Fed;
            }
        };
        histogram!("misy_worker_claim_seconds", "kind" => Self::KIND).record(began.elapsed());
        counter!("misy_worker_claimed_total", "kind" => Self::KIND).increment(claimed.leases.len() as u64);
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
            company.met(&lease.tenant, Instant::now());
            let holding = self.held.hold(&lease);
            let span = self.handler.span(&lease);
            tasks.spawn(self.clone().begin(lease, holding).instrument(span));
        }
        hungry
    }

    /// Works on one row and sees to its failure.
    async fn begin(self: Arc<Self>, lease: Lease<H::Kind>, holding: Holding<H::Kind>) {
        let began = Instant::now();
        let work = AssertUnwindSafe(self.handler.handle(&lease)).catch_unwind();
        let error = tokio::select! {
            // First, as a lease that was ended by the work itself looks lost to the heartbeat.
            biased;
            ended = time::timeout(self.settings.most_time, work) => match ended {
                Ok(Ok(Ok(()))) => {
                    histogram!("misy_work_seconds", "kind" => Self::KIND).record(began.elapsed());
                    return Self::count("done");
                }
                Ok(Ok(Err(WorkError::Store(StoreError::LeaseLost)))) => {
                    warn!("the lease was lost before the end of the work; nothing was written");
                    return Self::count("lost");
                }
                Ok(Ok(Err(error))) => error,
                // What the panic says may quote a contact, so it is kept nowhere.
                Ok(Err(_panic)) => WorkError::Failed(Trouble::Panic),
                Err(_elapsed) => WorkError::Failed(Trouble::Timeout),
            },
            () = holding.lost.cancelled() => {
                warn!("the lease was lost during the work");
                return Self::count("lost");
            }
        };
        self.fail(&lease, &error).await;
    }

    async fn fail(&self, lease: &Lease<H::Kind>, error: &WorkError) {
        let trouble = error.trouble();
        warn!(code = trouble.code(), attempts = lease.attempts, %error, "the work failed");
        let delay = self.settings.backoff.after(lease.attempts, &*self.entropy);
        let delay = if let WorkError::Later(_, least) = error { delay.max(*least) } else { delay };
        let is_hopeless = matches!(error, WorkError::Hopeless(_));
        let most_attempts = if is_hopeless { 0 } else { self.settings.terms.most_attempts };
        match self.database.fail(lease, trouble, delay, most_attempts).await {
            Ok(Failed::Dead) => {
                warn!(code = trouble.code(), "the work is given up until somebody revives it");
                Self::count("dead");
            }
            Ok(Failed::Retry) => Self::count("failed"),
            Ok(Failed::Lost) => Self::count("lost"),
            // The lease runs out by itself.
            Err(error) => warn!(%error, "the failure could not be written"),
        }
    }

    /// Notes that the worker is there, and whether the database was: when it claims, and while it works.
    fn note(&self, failure: Option<&StoreError>) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).take(&self.database, failure);
    }

    fn count(outcome: &'static str) {
        counter!("misy_work_total", "kind" => Self::KIND, "outcome" => outcome).increment(1);
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
            let outcome = self.database.extend(&self.id, &leases, &self.settings.terms).await;
            self.note(outcome.as_ref().err());
            match outcome {
                Ok(lost) => {
                    for lease in &lost {
                        self.held.lose(lease);
                    }
                }
                Err(error) => warn!(kind = Self::KIND, worker = %self.id, %error, "cannot prolong leases"),
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

    async fn give_back(&self, lease: &Lease<H::Kind>) {
        match self.database.postpone(lease, time::Duration::ZERO).await {
            Ok(_) => debug!(kind = Self::KIND, tenantId = %lease.tenant, id = %lease.id, "given back"),
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
    pub(crate) fn trouble(&self) -> Trouble {
        match self {
            Self::Failed(trouble) | Self::Hopeless(trouble) | Self::Later(trouble, _) => *trouble,
            Self::Store(error) => error.into(),
            Self::Unfinished(Unfinished::Full) => Trouble::TooMuchAtOnce,
            Self::Unfinished(Unfinished::Panicked) => Trouble::Panic,
            Self::Pack(PackError::TooCostly(_)) => Trouble::ContextPackTooCostly,
            Self::Pack(_) => Trouble::ContextPackInvalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a worker may hold of a tenant, as it claims up to `most` while it holds less than that.
    fn held_at_most(settings: &WorkerSettings, company: bool) -> u32 {
        2 * most_of_tenant(settings, company) - 1
    }

    #[test]
    fn one_tenant_holds_half_of_the_cores_beside_others_and_less_than_half_of_the_worker_alone() {
        for cores in [0, 1, 2, 3, 4, 8, 64] {
            let settings = WorkerSettings::for_cores(cores);
            let (beside, alone) = (held_at_most(&settings, true), held_at_most(&settings, false));
            assert!((1..=u32::try_from(cores / 2).unwrap().max(1)).contains(&beside), "{cores}: {beside}");
            assert!(beside <= alone && 2 * alone < settings.concurrency, "{cores}: {alone}");
        }
        let waits_for_others = WorkerSettings::default();
        assert_eq!(held_at_most(&waits_for_others, true), held_at_most(&waits_for_others, false));
    }
}
