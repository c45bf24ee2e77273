//! What the replicas of an installation share through Redis: limits, nonces and news. Nothing in it is the truth about
//! anything that must last: that is PostgreSQL alone.
//!
//! A slow or absent Redis must not make requests slow: whoever finds it so marks it as lost, all others are told so at
//! once, and one task looks for it until it is back.

mod fan_out;
mod key;

pub(crate) use fan_out::{FanOut, Heard, Telling};
pub use key::TenantKey;

use crate::StoreError;
use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult, aio::MultiplexedConnection};
use std::{
    sync::{Arc, PoisonError, RwLock, Weak},
    time::{Duration, Instant},
};
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

/// The longest that a request waits for Redis.
pub const PATIENCE: Duration = Duration::from_millis(200);
/// How often Redis is asked whether it is there.
const LOOK: Duration = Duration::from_secs(1);
/// How soon it is looked for again when it was lost.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A Redis server that several replicas share. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    patience: Duration,
    connection: RwLock<Option<(u64, MultiplexedConnection)>>,
    /// Wakes the task that stays connected, at a loss and at the end.
    lost: Arc<Notify>,
    /// Counts connections; none while Redis is lost.
    state: watch::Sender<Option<u64>>,
}

/// The address of Redis cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("is no address of a Redis server, such as redis://host:6379/0")]
pub struct BadAddress;

impl Shared {
    /// Connects, and stays connected as long as somebody holds it. When Redis is not there yet, it is looked for.
    pub async fn open(url: &str) -> Result<Self, BadAddress> {
        Self::open_with(url, PATIENCE).await
    }

    /// The same, waiting longer or less long for an answer.
    pub async fn open_with(url: &str, patience: Duration) -> Result<Self, BadAddress> {
        let client = Client::open(url).map_err(|_| BadAddress)?;
        let (connection, lost, state) =
            (RwLock::new(None), Arc::new(Notify::new()), watch::Sender::new(None));
        let shared =
            Self { inner: Arc::new(Inner { client, patience, connection, lost: lost.clone(), state }) };
        if let Err(error) = shared.inner.connect(1).await {
            shared.inner.state_changed(None, &error);
        }
        tokio::spawn(Inner::stay_connected(Arc::downgrade(&shared.inner), lost));
        Ok(shared)
    }

    /// Whether Redis answered when it was asked last, which was less than a second or so ago.
    pub fn is_up(&self) -> bool {
        self.inner.state.borrow().is_some()
    }

    /// The connection in use, counted up with each new one; `None` while Redis is lost. Changes are heard.
    pub(crate) fn state(&self) -> watch::Receiver<Option<u64>> {
        self.inner.state.subscribe()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.inner.client
    }

    /// Asks something, for no longer than its patience lasts.
    pub(crate) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, StoreError> {
        let connection = self.inner.connection.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((number, connection)) = connection else {
            metrics::counter!("misy_redis_failures_total", "kind" => "lost").increment(1);
            return Err(StoreError::SharedUnavailable);
        };
        let began = Instant::now();
        let answered = tokio::time::timeout(self.inner.patience, question(connection)).await;
        metrics::histogram!("misy_redis_seconds").record(began.elapsed().as_secs_f64());
        let (kind, why): (_, &dyn std::fmt::Display) = match &answered {
            Ok(Ok(_)) => return answered.ok().and_then(Result::ok).ok_or(StoreError::SharedUnavailable),
            Ok(Err(error)) => ("error", error),
            Err(late) => ("late", late),
        };
        metrics::counter!("misy_redis_failures_total", "kind" => kind).increment(1);
        self.inner.lose(number, why);
        Err(StoreError::SharedUnavailable)
    }

    /// What `misy doctor` says of a server: its version, or what is wrong with it.
    pub async fn examine(url: &str) -> Result<String, String> {
        let client = Client::open(url).map_err(|_| format!("MISY_REDIS_URL {BadAddress}"))?;
        let said = |error: RedisError| format!("{error}: check MISY_REDIS_URL");
        let mut connection = new_connection(&client, PATIENCE).await.map_err(said)?;
        let facts: redis::InfoDict = redis::cmd("INFO").query_async(&mut connection).await.map_err(said)?;
        let version: String = facts.get("redis_version").unwrap_or_default();
        let limit: u64 = facts.get("maxmemory").unwrap_or_default();
        let policy: String = facts.get("maxmemory_policy").unwrap_or_default();
        if limit > 0 && policy != "noeviction" {
            return Err(format!(
                "maxmemory-policy is {policy}: a nonce that is thrown away can be used again; set noeviction"
            ));
        }
        let known: RedisResult<String> =
            redis::cmd("EVAL").arg("return redis.call('TIME')[1]").arg(0).query_async(&mut connection).await;
        known.map_err(|error| format!("its user may not run scripts: {error}"))?;
        Ok(format!("version {version}"))
    }
}

async fn new_connection(client: &Client, patience: Duration) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(patience * 5))
        .set_response_timeout(Some(patience));
    client.get_multiplexed_async_connection_with_config(&config).await
}

impl Inner {
    /// Makes a new connection the one in use, if Redis answers on it.
    async fn connect(&self, number: u64) -> RedisResult<()> {
        let mut connection = new_connection(&self.client, self.patience).await?;
        let _pong: redis::Value = redis::cmd("PING").query_async(&mut connection).await?;
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = Some((number, connection));
        self.state_changed(Some(number), &"it answers");
        Ok(())
    }

    /// Nobody asks on this connection any more; the first who says so is heard.
    fn lose(&self, number: u64, why: &dyn std::fmt::Display) {
        let mut connection = self.connection.write().unwrap_or_else(PoisonError::into_inner);
        if connection.as_ref().is_some_and(|(in_use, _)| *in_use == number) {
            *connection = None;
            drop(connection);
            self.state_changed(None, why);
            self.lost.notify_one();
        }
    }

    fn state_changed(&self, state: Option<u64>, why: &dyn std::fmt::Display) {
        self.state.send_replace(state);
        metrics::gauge!("misy_redis_up").set(if state.is_some() { 1.0 } else { 0.0 });
        if state.is_some() {
            info!("Redis is there");
        } else {
            warn!(%why, "Redis is lost: what changes something is refused until it is back");
        }
    }

    async fn stay_connected(this: Weak<Self>, wake: Arc<Notify>) {
        let mut number = 1;
        let mut connected_at = Instant::now();
        loop {
            let Some(inner) = this.upgrade() else { return };
            let in_use = inner.connection.read().unwrap_or_else(PoisonError::into_inner).clone();
            let pause = match in_use {
                Some((number, mut connection)) => {
                    let pong: RedisResult<redis::Value> =
                        redis::cmd("PING").query_async(&mut connection).await;
                    if let Err(error) = pong {
                        inner.lose(number, &error);
                    }
                    LOOK
                }
                // One that refuses as soon as it is back (a replica, a full memory) is not asked all the time.
                None if connected_at.elapsed() < LOOK && number > 1 => LOOK,
                None => LOOK_AGAIN,
            };
            let lost = inner.connection.read().unwrap_or_else(PoisonError::into_inner).is_none();
            if lost {
                number += 1;
                if inner.connect(number).await.is_ok() {
                    connected_at = Instant::now();
                }
            }
            // Not held while it waits, so that it ends with whoever needs it.
            drop(inner);
            let _ = tokio::time::timeout(pause, wake.notified()).await;
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.lost.notify_one();
    }
}

#[cfg(test)]
mod tests;
