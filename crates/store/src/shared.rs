//! What the replicas of an installation share through Redis: limits, nonces and news. Nothing in it is the truth about
//! anything that must last: that is PostgreSQL alone.
//!
//! A slow or absent Redis must not make requests slow: whoever finds it so marks it as lost, all others are told so at
//! once, and one task looks for it until it is back.

mod fan_out;
mod key;
mod letter;
mod wire;

pub(crate) use fan_out::{FanOut, Heard, Telling};
pub use key::TenantKey;
pub use letter::Letters;
pub use wire::{Address, BadAddress};

use crate::StoreError;
use redis::{
    AsyncConnectionConfig, ErrorKind, RedisError, RedisResult, ServerErrorKind,
    aio::{MultiplexedConnection, PubSub},
};
use std::{
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
    time::{Duration, Instant},
};
use tokio::sync::{Notify, watch};
use tracing::{info, warn};
use wire::Unread;

/// The longest that a request waits for Redis.
pub const PATIENCE: Duration = Duration::from_millis(200);
/// What is to be said where everybody on the way can read.
pub const IN_THE_CLEAR: &str = "the way to it is not encrypted: use rediss:// or a socket of this machine";
/// How often Redis is asked whether it is there.
const LOOK: Duration = Duration::from_secs(1);
/// How soon it is looked for again when it was lost.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How often the log says that Redis refuses calls.
const SAY_AGAIN: Duration = Duration::from_mins(1);

/// A Redis server that several replicas share. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    inner: Arc<Inner>,
}

struct Inner {
    address: Address,
    patience: Duration,
    connection: RwLock<Option<InUse>>,
    /// When the log last said that Redis refuses.
    refusal_said: Mutex<Option<Instant>>,
    /// Wakes the task that stays connected, at a loss and at the end.
    lost: Arc<Notify>,
    /// Counts connections; none while Redis is lost.
    state: watch::Sender<Option<u64>>,
}

/// The connection in use.
#[derive(Clone)]
struct InUse {
    number: u64,
    connection: MultiplexedConnection,
    unread: Unread,
}

impl Shared {
    /// Connects, and stays connected as long as somebody holds it. When Redis is not there yet, it is looked for.
    pub async fn open(url: &str) -> Result<Self, BadAddress> {
        Self::open_with(url, PATIENCE).await
    }

    /// The same, waiting longer or less long for an answer.
    pub async fn open_with(url: &str, patience: Duration) -> Result<Self, BadAddress> {
        Ok(Self::at(Address::parse(url, None)?, patience).await)
    }

    /// The same, at an address that was read before.
    pub async fn at(address: Address, patience: Duration) -> Self {
        let lost = Arc::new(Notify::new());
        let inner = Arc::new(Inner {
            address,
            patience,
            connection: RwLock::new(None),
            refusal_said: Mutex::new(None),
            lost: lost.clone(),
            state: watch::Sender::new(None),
        });
        if let Err(error) = inner.connect(1).await {
            inner.state_changed(None, &error);
        }
        tokio::spawn(Inner::stay_connected(Arc::downgrade(&inner), lost));
        Self { inner }
    }

    /// Whether Redis answered when it was asked last, which was less than a second or so ago.
    pub fn is_up(&self) -> bool {
        self.inner.state.borrow().is_some()
    }

    /// The connection in use, counted up with each new one; `None` while Redis is lost. Changes are heard.
    pub(crate) fn state(&self) -> watch::Receiver<Option<u64>> {
        self.inner.state.subscribe()
    }

    /// A connection to listen on, and the account of what came over it.
    async fn subscription(&self) -> RedisResult<(PubSub, Unread)> {
        let address = &self.inner.address;
        let (wire, unread) = address.reach().await?;
        Ok((PubSub::new(address.settings(), wire).await?, unread))
    }

    /// Asks something, for no longer than its patience lasts.
    pub(crate) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, StoreError> {
        let connection = self.inner.connection.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(InUse { number, connection, unread }) = connection else {
            metrics::counter!("misy_redis_failures_total", "kind" => "lost").increment(1);
            return Err(StoreError::SharedUnavailable);
        };
        let began = Instant::now();
        let answered = tokio::time::timeout(self.inner.patience, question(connection)).await;
        metrics::histogram!("misy_redis_seconds").record(began.elapsed().as_secs_f64());
        let (kind, why): (_, &dyn std::fmt::Display) = match &answered {
            Ok(Ok(_)) => {
                unread.take_all();
                return answered.ok().and_then(Result::ok).ok_or(StoreError::SharedUnavailable);
            }
            Ok(Err(error)) if is_loss(error) => ("error", error),
            Ok(Err(error)) => {
                metrics::counter!("misy_redis_failures_total", "kind" => "refused").increment(1);
                self.inner.note_refusal(error);
                return Err(StoreError::SharedUnavailable);
            }
            Err(late) => ("late", late),
        };
        metrics::counter!("misy_redis_failures_total", "kind" => kind).increment(1);
        self.inner.lose(number, why);
        Err(StoreError::SharedUnavailable)
    }

    /// What `misy doctor` says of a server: its version, or what is wrong with it.
    pub async fn examine(address: &Address) -> Result<String, String> {
        let said = |error: RedisError| format!("{error}: check MISY_REDIS_URL");
        let (mut connection, _) = new_connection(address, PATIENCE).await.map_err(said)?;
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
        Ok(if address.is_in_the_clear() {
            format!("version {version}; {IN_THE_CLEAR}")
        } else {
            format!("version {version}")
        })
    }
}

/// Whether an answer says that this connection or this server is of no use now. Any other error is about the one call that
/// met it: what one tenant's keys can bring about must not be a loss for all.
fn is_loss(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly,
        ) => true,
        ErrorKind::Server(_) | ErrorKind::UnexpectedReturnType => false,
        ErrorKind::Extension => error.code() == Some("NOAUTH"),
        // The connection broke, or what came over it is not Redis's language.
        _ => true,
    }
}

async fn new_connection(
    address: &Address,
    patience: Duration,
) -> RedisResult<(MultiplexedConnection, Unread)> {
    let connect = async {
        let (wire, unread) = address.reach().await?;
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(patience));
        let (connection, driver) =
            MultiplexedConnection::new_with_config(address.settings(), wire, config).await?;
        tokio::spawn(driver);
        Ok((connection, unread))
    };
    let late = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
    tokio::time::timeout(patience * 5, connect).await.map_err(late)?
}

impl Inner {
    /// Makes a new connection the one in use, if Redis answers on it.
    async fn connect(&self, number: u64) -> RedisResult<()> {
        let (mut connection, unread) = new_connection(&self.address, self.patience).await?;
        let _pong: redis::Value = redis::cmd("PING").query_async(&mut connection).await?;
        let in_use = InUse { number, connection, unread };
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = Some(in_use);
        self.state_changed(Some(number), &"it answers");
        Ok(())
    }

    /// Nobody asks on this connection any more; the first who says so is heard.
    fn lose(&self, number: u64, why: &dyn std::fmt::Display) {
        let mut connection = self.connection.write().unwrap_or_else(PoisonError::into_inner);
        if connection.as_ref().is_some_and(|in_use| in_use.number == number) {
            *connection = None;
            drop(connection);
            self.state_changed(None, why);
            self.lost.notify_one();
        }
    }

    /// Says in the log, once in a while, that Redis answers and refuses.
    fn note_refusal(&self, error: &RedisError) {
        let mut said = self.refusal_said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|at| at.elapsed() > SAY_AGAIN) {
            *said = Some(Instant::now());
            warn!(%error, "Redis refuses a call: what changes something is refused with it");
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
                Some(InUse { number, mut connection, unread }) => {
                    let pong: RedisResult<redis::Value> =
                        redis::cmd("PING").query_async(&mut connection).await;
                    match pong {
                        Err(error) if is_loss(&error) => inner.lose(number, &error),
                        _ => unread.take_all(),
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
mod attacks;
#[cfg(test)]
mod tests;
