//! Loops: what every process does again and again in the background, and what became of it.
//!
//! A [`Loop`] is one round of something; [`run`] repeats it, counts it, and notes in `platform.loops` when it ran last and
//! when and why it failed last. Several processes may run the same loop: the table has one row for its name, and the
//! metrics of each process tell of its own.

use crate::{Database, StoreError, database::Role, leases::interval};
use metrics::{counter, gauge, histogram};
use misy_domain::Timestamp;
use std::{convert::Infallible, future::Future, time::Duration};
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

/// A loop whose rounds go well is noted once in so long.
const NOTED_EVERY: Duration = Duration::from_secs(30);

/// Something that is done again and again.
pub trait Loop: Send + 'static {
    /// Its name in the table, in logs and in metrics.
    const NAME: &'static str;
    /// How long it rests between two rounds, at least.
    const PERIOD: Duration;
    /// The role of PostgreSQL that it works as.
    const ROLE: Role;

    /// One round. It may be dropped at any await, and other processes may do the same at the same time.
    fn round(&mut self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// How long to rest after a round that took so long. Unless said otherwise a loop never takes more than a third of the
    /// time, so that a flood of work is caught up with afterwards rather than made worse.
    fn rest(took: Duration) -> Duration {
        Self::PERIOD.max(took * 2)
    }
}

/// Repeats the rounds of a loop until dropped.
pub async fn run<L: Loop>(mut looped: L, database: Database) -> Infallible {
    let mut notes = Notes::new(L::NAME, L::ROLE, L::PERIOD);
    loop {
        let began = Instant::now();
        let outcome = looped.round().await;
        let took = began.elapsed();
        histogram!("misy_loop_seconds", "name" => L::NAME).record(took);
        notes.take(&database, outcome.as_ref().err());
        sleep(L::rest(took)).await;
    }
}

/// What a process notes of one loop.
#[derive(Debug)]
pub struct Notes {
    name: &'static str,
    role: Role,
    period: Duration,
    /// When it was written last, and whether it said that the loop failed.
    written: Option<(Instant, bool)>,
}

impl Notes {
    /// Of a loop of this name.
    pub fn new(name: &'static str, role: Role, period: Duration) -> Self {
        Self { name, role, period, written: None }
    }

    /// Takes note of a round: counts it, and has it written down if it is time to, or if it went another way than the one
    /// before. Nobody waits for that: the loop goes on also while no connection is free.
    pub fn take(&mut self, database: &Database, failure: Option<&StoreError>) {
        let (name, failed) = (self.name, failure.is_some());
        let outcome = if failed { "failed" } else { "done" };
        counter!("misy_loop_rounds_total", "name" => name, "outcome" => outcome).increment(1);
        gauge!("misy_loop_failing", "name" => name).set(f64::from(u8::from(failed)));
        match (failure, self.written.is_some_and(|(_, as_failed)| as_failed)) {
            (Some(error), false) => warn!(name, %error, "a loop fails; it goes on trying"),
            (Some(error), true) => debug!(name, %error, "a loop still fails"),
            (None, true) => info!(name, "a loop goes on"),
            (None, false) => {}
        }
        if self.written.is_some_and(|(at, as_failed)| as_failed == failed && at.elapsed() < NOTED_EVERY) {
            return;
        }
        self.written = Some((Instant::now(), failed));
        let (database, role, period) = (database.clone(), self.role, self.period);
        let failure = failure.map(ToString::to_string);
        tokio::spawn(async move {
            // The log and the metrics have it all the same.
            if let Err(error) = database.note_loop(name, role, period, failure).await {
                debug!(name, %error, "a loop could not be noted");
            }
        });
    }
}

/// A loop as the table knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopState {
    /// Its name.
    pub name: String,
    /// The role of PostgreSQL that it works as.
    pub role: String,
    /// How long it rests between two rounds.
    pub period: Duration,
    /// When a round ended last, well or not.
    pub last_run: Timestamp,
    /// When a round failed last.
    pub last_failure: Option<Timestamp>,
    /// Why the last round failed, if it did.
    pub failure: Option<String>,
    /// How long ago the last round was noted, by the clock of the database.
    pub rested: Duration,
}

impl Database {
    async fn note_loop(
        &self,
        name: &str,
        role: Role,
        period: Duration,
        failure: Option<String>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into platform.loops as l (name, role, period, last_run, last_failure, failure)
             values ($1, $2, $3, clock_timestamp(), case when $4::text is not null then clock_timestamp() end, $4)
             on conflict (name) do update
             set role = excluded.role, period = excluded.period, last_run = excluded.last_run,
                 last_failure = coalesce(excluded.last_failure, l.last_failure), failure = excluded.failure",
            name,
            role.name(),
            interval(period),
            failure,
        )
        .execute(self.worker())
        .await?;
        Ok(())
    }

    /// All loops that ever ran, by name.
    pub async fn loops(&self) -> Result<Vec<LoopState>, StoreError> {
        let rows = sqlx::query!(
            r#"select name, role, last_run, last_failure, failure,
                      (extract(epoch from period) * 1000)::bigint as "period!",
                      greatest(extract(epoch from clock_timestamp() - last_run) * 1000, 0)::bigint as "rested!"
               from platform.loops order by name"#
        )
        .fetch_all(self.worker())
        .await?;
        let millis = |number: i64| Duration::from_millis(number.unsigned_abs());
        let states = rows.into_iter().map(|row| LoopState {
            name: row.name,
            role: row.role,
            period: millis(row.period),
            last_run: row.last_run.to_jiff(),
            last_failure: row.last_failure.map(jiff_sqlx::Timestamp::to_jiff),
            failure: row.failure,
            rested: millis(row.rested),
        });
        Ok(states.collect())
    }
}
