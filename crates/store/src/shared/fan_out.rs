//! News from replica to replica, by publish and subscribe. They may be lost: whoever waits looks into the database from time
//! to time, and at once when news may have been missed. What an agent is writing comes once more with its message.

use super::{
    Shared,
    key::TenantKey,
    letter::{Letter, Letters},
};
use crate::bell::{News, Written};
use futures_util::StreamExt;
use misy_domain::{ConversationId, TenantId};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, time::timeout};
use tracing::debug;

/// News that wait to be told; more are dropped.
const WAITING: usize = 10_000;
/// Bytes of what agents write that wait to be told; more are dropped.
const MOST_TEXT: usize = 1024 * 1024;
/// News that are told at once.
const BATCH: usize = 256;
const PATIENCE: Duration = Duration::from_secs(1);

/// What a replica has to tell of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Something happened in a conversation; `work`: nobody works where it happened.
    Rung { conversation: ConversationId, news: News, work: bool },
    /// An agent wrote some more of its answer.
    Written { conversation: ConversationId, written: Written },
    /// Something about the tenant was changed.
    Changed,
}

impl Telling {
    /// How many bytes of what an agent writes it holds.
    fn text(&self) -> usize {
        if let Self::Written { written, .. } = self { written.text.len() } else { 0 }
    }
}

/// What is heard from other replicas.
#[derive(Debug)]
pub(crate) enum Heard {
    Told(TenantId, Telling),
    /// News may have been missed.
    Gap,
}

/// Tells the other replicas; dropped, it ends.
pub(crate) struct FanOut {
    outbox: mpsc::Sender<(TenantId, Telling)>,
    /// The bytes of what agents write that wait in it.
    text: Arc<AtomicUsize>,
}

impl FanOut {
    /// Starts to tell and to listen.
    pub(crate) fn start(
        shared: Shared,
        letters: Letters,
        hear: impl Fn(Heard) + Send + Sync + 'static,
    ) -> Self {
        let (outbox, inbox) = mpsc::channel(WAITING);
        let replica = RandomState::new().hash_one(());
        let listening = tokio::spawn(listen(shared.clone(), letters.clone(), replica, hear));
        let text = Arc::new(AtomicUsize::new(0));
        let waiting = text.clone();
        tokio::spawn(async move {
            tell(shared, letters, replica, inbox, &waiting).await;
            listening.abort();
        });
        Self { outbox, text }
    }

    /// Tells as soon as it can, or not at all when too much waits.
    pub(crate) fn tell(&self, tenant: &TenantId, telling: Telling) {
        let text = telling.text();
        let fits = text == 0 || self.text.load(Ordering::Relaxed) + text <= MOST_TEXT;
        self.text.fetch_add(text, Ordering::Relaxed);
        if !fits || self.outbox.try_send((tenant.clone(), telling)).is_err() {
            self.text.fetch_sub(text, Ordering::Relaxed);
            metrics::counter!("misy_redis_news_dropped_total").increment(1);
        }
    }
}

async fn tell(
    shared: Shared,
    letters: Letters,
    replica: u64,
    mut inbox: mpsc::Receiver<(TenantId, Telling)>,
    text: &AtomicUsize,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while inbox.recv_many(&mut batch, BATCH).await > 0 {
        let mut pipe = redis::pipe();
        for (tenant, told) in batch.drain(..) {
            text.fetch_sub(told.text(), Ordering::Relaxed);
            let letter = letters.write(&tenant, &Letter { from: replica, told });
            pipe.publish(TenantKey::news(&tenant), &letter[..]).ignore();
        }
        if shared.ask(async |mut redis| pipe.exec_async(&mut redis).await).await.is_err() {
            metrics::counter!("misy_redis_news_dropped_total").increment(1);
        }
    }
}

async fn listen(shared: Shared, letters: Letters, replica: u64, hear: impl Fn(Heard) + Send + Sync) {
    let mut state = shared.state();
    loop {
        let Ok(connection) = state.wait_for(Option::is_some).await.map(|state| *state) else { return };
        if let Err(error) = listen_once(&shared, &letters, replica, connection, &hear).await {
            debug!(%error, "news of other replicas cannot be heard");
            tokio::time::sleep(super::PATIENCE).await;
        }
    }
}

/// Until this connection or Redis is lost.
async fn listen_once(
    shared: &Shared,
    letters: &Letters,
    replica: u64,
    connection: Option<u64>,
    hear: &(impl Fn(Heard) + Sync),
) -> redis::RedisResult<()> {
    let late = |_| redis::RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
    let (mut subscription, unread) = timeout(PATIENCE, shared.subscription()).await.map_err(late)??;
    timeout(PATIENCE, subscription.psubscribe(TenantKey::ALL_NEWS)).await.map_err(late)??;
    hear(Heard::Gap);
    let mut messages = subscription.into_on_message();
    let mut state = shared.state();
    loop {
        let message = tokio::select! {
            message = messages.next() => message,
            // Another connection in use: this one may be dead without knowing it.
            _ = state.wait_for(|now| *now != connection) => return Ok(()),
        };
        let Some(message) = message else {
            hear(Heard::Gap);
            return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
        };
        let (channel, payload) = (message.get_channel_name(), message.get_payload_bytes());
        unread.take(length_of(channel, payload));
        let tenant = TenantKey::tenant_of_news(channel);
        let letter = tenant.as_ref().and_then(|tenant| letters.read(tenant, payload));
        let (Some(tenant), Some(letter)) = (tenant, letter) else {
            metrics::counter!("misy_redis_letters_refused_total").increment(1);
            continue;
        };
        if letter.from != replica {
            hear(Heard::Told(tenant, letter.told));
        }
    }
}

/// How many bytes a message was on the way.
fn length_of(channel: &str, payload: &[u8]) -> usize {
    let bulk = |length: usize| "$\r\n\r\n".len() + length.to_string().len() + length;
    let parts = ["pmessage".len(), TenantKey::ALL_NEWS.len(), channel.len(), payload.len()];
    "*4\r\n".len() + parts.into_iter().map(bulk).sum::<usize>()
}
