//! The threads, and who works on them next.
//!
//! There are two kinds. *Quick* threads compute for tenants that compute little. *Patient* ones stand back behind everything
//! else that the program does; they compute for tenants that computed much lately, and make packs ready. So a tenant that keeps
//! the machine busy waits for itself, and the short work of another is done at once.

mod effort;

use effort::{Efforts, processor_time};
use metrics::histogram;
use misy_domain::TenantId;
use std::{
    collections::{HashMap, VecDeque},
    io,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, time::timeout};

/// So much of one tenant may wait; what comes beyond is refused, and comes again later.
const MOST_WAITING: usize = 16;
/// What works for longer is told to stop. Steps are counted, so this is met only on a machine that hardly runs at all.
const LONGEST: Duration = Duration::from_secs(5);

/// How much patient threads stand back: who takes a message or reads an answer goes before whoever computes much.
const NICENESS: i32 = 15;

/// The threads that agents work on. Cheap to clone; they end with the last clone.
#[derive(Clone)]
pub struct Workbench {
    bench: Arc<Bench>,
    _open: Arc<Open>,
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// Too much of the tenant waits already.
    #[error("too much of the tenant waits already")]
    Full,
    /// The work panicked. What the panic says may quote somebody, so it is kept nowhere.
    #[error("the work panicked")]
    Panicked,
}

struct Bench {
    state: Mutex<State>,
    changed: Condvar,
    /// How many threads of each kind one tenant occupies at most.
    share: usize,
}

/// The kinds of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threads {
    Quick,
    Patient,
}

/// The kinds of work.
#[derive(Clone, Copy)]
enum Work {
    /// Somebody waits for an answer. What it takes counts for its tenant.
    Turn,
    /// Long work that few wait for. It is always patient, and does not count.
    Preparation,
    /// The vector of a text: the same, and one at a time for all tenants, as a processor makes one with all it has.
    Vector,
}

/// Closes the bench when the last handle goes.
struct Open(Arc<Bench>);

type Job = Box<dyn FnOnce() + Send>;

struct State {
    of_tenants: HashMap<TenantId, OfTenant>,
    /// The tenants that wait, the next one first.
    round: VecDeque<TenantId>,
    efforts: Efforts,
    /// Whether a vector is being made.
    makes_vector: bool,
    closed: bool,
}

#[derive(Default)]
struct OfTenant {
    turns: VecDeque<Job>,
    preparations: VecDeque<Job>,
    vectors: VecDeque<Job>,
    on_quick: usize,
    on_patient: usize,
}

impl OfTenant {
    fn waiting(&self) -> usize {
        self.turns.len() + self.preparations.len() + self.vectors.len()
    }

    fn running(&mut self, threads: Threads) -> &mut usize {
        match threads {
            Threads::Quick => &mut self.on_quick,
            Threads::Patient => &mut self.on_patient,
        }
    }

    fn next(&mut self, threads: Threads, computes_much: bool, makes_vector: bool) -> Option<(Work, Job)> {
        let turns = if computes_much { Threads::Patient } else { Threads::Quick };
        if turns == threads
            && let Some(job) = self.turns.pop_front()
        {
            return Some((Work::Turn, job));
        }
        if threads == Threads::Quick {
            return None;
        }
        if let Some(job) = self.preparations.pop_front() {
            return Some((Work::Preparation, job));
        }
        let job = if makes_vector { None } else { self.vectors.pop_front() };
        job.map(|job| (Work::Vector, job))
    }
}

impl State {
    fn push(&mut self, tenant: &TenantId, work: Work, job: Job) -> Result<(), Unfinished> {
        let own = self.of_tenants.entry(tenant.clone()).or_default();
        if own.waiting() >= MOST_WAITING {
            return Err(Unfinished::Full);
        }
        if own.waiting() == 0 {
            self.round.push_back(tenant.clone());
        }
        match work {
            Work::Turn => own.turns.push_back(job),
            Work::Preparation => own.preparations.push_back(job),
            Work::Vector => own.vectors.push_back(job),
        }
        Ok(())
    }

    /// The next job for such threads: tenants take turns, and who has its share of them is passed over.
    fn next(&mut self, threads: Threads, share: usize, now: Instant) -> Option<(TenantId, Work, Job)> {
        for _ in 0..self.round.len() {
            let tenant = self.round.pop_front()?;
            let Some(own) = self.of_tenants.get_mut(&tenant) else { continue };
            let may = *own.running(threads) < share;
            let is_much = self.efforts.is_much(&tenant, now);
            let job = if may { own.next(threads, is_much, self.makes_vector) } else { None };
            if own.waiting() > 0 {
                self.round.push_back(tenant.clone());
            }
            if let Some((work, job)) = job {
                *own.running(threads) += 1;
                self.makes_vector |= matches!(work, Work::Vector);
                return Some((tenant, work, job));
            }
        }
        None
    }

    fn ended(&mut self, tenant: &TenantId, threads: Threads, work: Work) {
        if let Work::Vector = work {
            self.makes_vector = false;
        }
        if let Some(own) = self.of_tenants.get_mut(tenant) {
            *own.running(threads) -= 1;
            if own.on_quick + own.on_patient + own.waiting() == 0 {
                self.of_tenants.remove(tenant);
            }
        }
    }
}

impl Bench {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, threads: Threads) {
        if threads == Threads::Patient {
            // Where a thread may not stand back, it works like the others.
            let _ = rustix::process::nice(NICENESS);
        }
        let mut state = self.state();
        loop {
            if let Some((tenant, work, job)) = state.next(threads, self.share, Instant::now()) {
                drop(state);
                let began = processor_time();
                job();
                let took = processor_time().saturating_sub(began);
                state = self.state();
                if let Work::Turn = work {
                    state.efforts.add(&tenant, took, Instant::now());
                }
                state.ended(&tenant, threads, work);
                // Whoever was passed over because of this tenant's share may go on now.
                self.changed.notify_all();
            } else if state.closed {
                return;
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.changed.notify_all();
    }
}

/// Tells the work to stop when nobody waits for it any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Workbench {
    /// As many threads of each kind as the machine has cores, and two at least, so that no tenant has all of them.
    pub fn start() -> io::Result<Self> {
        Self::with_threads(thread::available_parallelism().map_or(2, NonZero::get).max(2))
    }

    /// So many threads of each kind, of which one tenant occupies half at most.
    pub fn with_threads(threads: usize) -> io::Result<Self> {
        let (threads, share) = (threads.max(1), (threads / 2).max(1));
        let state = State {
            of_tenants: HashMap::new(),
            round: VecDeque::new(),
            efforts: Efforts::on(threads),
            makes_vector: false,
            closed: false,
        };
        let bench = Arc::new(Bench { state: Mutex::new(state), changed: Condvar::new(), share });
        let open = Arc::new(Open(bench.clone()));
        for number in 0..threads {
            for (kind, threads) in [("agents", Threads::Quick), ("patient", Threads::Patient)] {
                let bench = bench.clone();
                let thread = thread::Builder::new().name(format!("misy-{kind}-{number}"));
                thread.spawn(move || bench.work(threads))?;
            }
        }
        Ok(Self { bench, _open: open })
    }

    /// Has something done for a tenant that somebody waits for, and gives its result. The work must look at its flag: it is set
    /// when the work has taken too long, and when nobody waits for it any more.
    pub async fn run<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        self.done(tenant, Work::Turn, work).await
    }

    /// The same for long work, which is done when nothing else is to be done.
    pub async fn prepare<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        self.done(tenant, Work::Preparation, work).await
    }

    /// The same for the vector of a text. One is made at a time, and tenants take turns: whoever waits for its own threads keeps
    /// nobody waiting.
    pub async fn vector<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        self.done(tenant, Work::Vector, work).await
    }

    async fn done<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        kind: Work,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let stop = Arc::new(AtomicBool::new(false));
        let _stop = StopOnDrop(stop.clone());
        let (begun, has_begun) = oneshot::channel();
        let (done, mut is_done) = oneshot::channel();
        let (flag, asked) = (stop.clone(), Instant::now());
        let job = move || {
            if flag.load(Ordering::Relaxed) || begun.send(()).is_err() {
                return;
            }
            histogram!("misy_agents_wait_seconds").record(asked.elapsed());
            // Whoever waited may have gone.
            let _ = done.send(catch_unwind(AssertUnwindSafe(|| work(&flag))));
        };
        self.bench.state().push(tenant, kind, Box::new(job))?;
        // All, as one may be of the other kind.
        self.bench.changed.notify_all();
        if has_begun.await.is_err() {
            return Err(Unfinished::Panicked);
        }
        let result = if let Ok(result) = timeout(LONGEST, &mut is_done).await {
            result
        } else {
            stop.store(true, Ordering::Relaxed);
            is_done.await
        };
        result.ok().and_then(Result::ok).ok_or(Unfinished::Panicked)
    }
}

#[cfg(test)]
mod tests;
