//! Who stores rings, who waits hears: within the process, and through Redis in the other replicas. A ring may be lost;
//! whoever waits looks into the database, which alone knows. It carries ids only, and what an agent is writing at this moment:
//! that is for those who look on, is never stored, and is sealed on its way to other replicas.

use crate::{
    Shared,
    shared::{FanOut, Heard, Letters, Telling},
};
use misy_domain::{ConversationId, TenantId};
use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::{Notify, broadcast, watch};

const SHARDS: usize = 64;
/// Changes of tenants that were not listened to yet; who is behind hears of none of those, and looks once a second.
const CHANGES: usize = 1_000;
/// Conversations that are told of at once.
const MOST_TOGETHER: usize = 100;

type Key = (TenantId, ConversationId);
type Shard = Mutex<HashMap<Key, watch::Sender<Ring>>>;

/// The most of an answer that is shown while it is written, in bytes. The message has the rest.
pub const MOST_WRITTEN: usize = 16 * 1024;

/// The newest news of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ring {
    /// The highest sequence known to be stored.
    pub sequence: i64,
    /// The agent that is writing at this moment.
    pub typing: Option<Agent>,
    /// What it has written so far.
    pub written: Option<Written>,
    /// Whether the status of the conversation changed; counts up.
    pub status_changes: u32,
    /// How often news of other replicas may have been missed; counts up.
    pub gaps: u32,
    /// The newest turn of which is known that it writes no more.
    over: i64,
}

/// What an agent has written so far of an answer that is not stored yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// Who writes.
    pub agent: Agent,
    /// Which claim of the conversation that is: its fence. Later ones are greater.
    pub turn: i64,
    /// All of it so far, [`MOST_WRITTEN`] at most.
    pub text: Arc<str>,
}

// It may quote a contact.
impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Written({}, {}, {} bytes)", self.agent.as_str(), self.turn, self.text.len())
    }
}

/// Something that happened in a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// Up to this sequence messages are stored.
    pub sequence: Option<i64>,
    /// An agent began to write, or nobody writes any more.
    pub typing: Option<Typing>,
    /// The status is another one.
    pub status_changed: bool,
}

/// An agent that can be seen writing. Between replicas it travels as a number: no text that somebody else could choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// Answers questions.
    Support,
    /// Sells.
    Sales,
    /// Makes appointments.
    Booking,
    /// Tells of offers.
    Marketing,
    /// Calls a person.
    Handoff,
    /// Greets and thanks.
    Smalltalk,
    /// Says what it does not know.
    OutOfScope,
    /// A person of the tenant.
    Person,
}

impl Agent {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Support,
        Self::Sales,
        Self::Booking,
        Self::Marketing,
        Self::Handoff,
        Self::Smalltalk,
        Self::OutOfScope,
        Self::Person,
    ];

    /// As it stands in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::Sales => "sales",
            Self::Booking => "booking",
            Self::Marketing => "marketing",
            Self::Handoff => "handoff",
            Self::Smalltalk => "smalltalk",
            Self::OutOfScope => "out_of_scope",
            Self::Person => "person",
        }
    }

    /// The agent of a name, if it is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|agent| agent.as_str() == name)
    }

    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// Whether an agent is writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// This one is.
    By(Agent),
    /// None is.
    Nobody,
}

impl News {
    /// Messages were stored.
    pub fn stored(sequence: i64) -> Self {
        Self { sequence: Some(sequence), ..Self::default() }
    }

    /// An agent began to write, or stopped.
    pub fn typing(agent: Option<Agent>) -> Self {
        Self { typing: Some(agent.map_or(Typing::Nobody, Typing::By)), ..Self::default() }
    }
}

impl Ring {
    fn take(&mut self, news: &News) {
        self.sequence = self.sequence.max(news.sequence.unwrap_or_default());
        if let Some(typing) = news.typing {
            self.typing = match typing {
                Typing::By(agent) => Some(agent),
                Typing::Nobody => None,
            };
            // What was written until now is said, or was given up.
            if let Some(written) = self.written.take() {
                self.over = self.over.max(written.turn);
            }
        }
        self.status_changes = self.status_changes.wrapping_add(u32::from(news.status_changed));
    }

    /// Takes what is written, if it is news: more than before, or of a later turn.
    fn take_written(&mut self, written: Written) -> bool {
        let is_more = self.written.as_ref().is_none_or(|before| {
            written.turn > before.turn
                || (written.turn == before.turn && written.text.len() > before.text.len())
        });
        let is_news = written.turn > self.over && is_more;
        if is_news {
            self.written = Some(written);
        }
        is_news
    }
}

/// The bell. Cheap to clone.
#[derive(Clone)]
pub struct Bell {
    inner: Arc<Inner>,
}

struct Inner {
    work: Notify,
    deliveries: Notify,
    /// Whether somebody works in this process.
    works_here: AtomicBool,
    hasher: RandomState,
    shards: Vec<Shard>,
    changes: broadcast::Sender<TenantId>,
    /// Of tenants whose people follow what happens in all conversations.
    inboxes: RwLock<HashMap<TenantId, broadcast::Sender<Option<ConversationId>>>>,
    fan_out: Option<FanOut>,
}

impl Default for Bell {
    fn default() -> Self {
        Self { inner: Arc::new(Inner::new(None)) }
    }
}

/// Hears in which conversations of a tenant something happens, until it is dropped.
pub struct InboxListener {
    bell: Bell,
    tenant: TenantId,
    receiver: Option<broadcast::Receiver<Option<ConversationId>>>,
}

/// What is heard of all conversations of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboxNews {
    /// Something happened in these.
    In(Vec<ConversationId>),
    /// Something may have been missed: look at all of them.
    Missed,
}

/// Hears what happens in one conversation until it is dropped.
pub struct Listener {
    bell: Bell,
    key: Key,
    receiver: Option<watch::Receiver<Ring>>,
}

impl Bell {
    /// A bell that is heard in the other replicas too, if there is a Redis between them. Needs a runtime.
    pub fn through(shared: Option<&Shared>, letters: Letters) -> Self {
        let Some(shared) = shared else { return Self::default() };
        let inner = Arc::new_cyclic(|this: &Weak<Inner>| {
            let this = this.clone();
            let hear = move |heard| {
                if let Some(inner) = this.upgrade() {
                    inner.heard(heard);
                }
            };
            Inner::new(Some(FanOut::start(shared.clone(), letters, hear)))
        });
        Self { inner }
    }

    /// Says that some conversation has work.
    pub fn ring_work(&self) {
        self.inner.work.notify_one();
    }

    /// Says that a delivery is due; heard in this process only, and others look from time to time.
    pub fn ring_deliveries(&self) {
        self.inner.deliveries.notify_one();
    }

    /// Waits until a delivery may be due.
    pub async fn deliveries(&self) {
        self.inner.deliveries.notified().await;
    }

    /// Waits until some conversation has work. Rings while nobody waits are remembered as one.
    pub async fn work(&self) {
        self.inner.works_here.store(true, Ordering::Relaxed);
        self.inner.work.notified().await;
    }

    /// Tells the listeners of a conversation, if there are any, here and in other replicas.
    pub fn ring(&self, tenant: &TenantId, conversation: ConversationId, news: News) {
        let key = (tenant.clone(), conversation);
        self.inner.ring(&key, &news);
        if let Some(fan_out) = &self.inner.fan_out {
            let work = news.sequence.is_some() && !self.inner.works_here.load(Ordering::Relaxed);
            fan_out.tell(tenant, Telling::Rung { conversation, news, work });
        }
    }

    /// Shows what an agent has written so far to whoever follows the conversation, here and in other replicas.
    pub fn show(&self, tenant: &TenantId, conversation: ConversationId, written: Written) {
        if written.text.len() > MOST_WRITTEN {
            return;
        }
        self.inner.show(&(tenant.clone(), conversation), &written);
        if let Some(fan_out) = &self.inner.fan_out {
            fan_out.tell(tenant, Telling::Written { conversation, written });
        }
    }

    /// Tells the other replicas that something about a tenant was changed.
    pub fn tenant_changed(&self, tenant: &TenantId) {
        if let Some(fan_out) = &self.inner.fan_out {
            fan_out.tell(tenant, Telling::Changed);
        }
    }

    /// Hears which tenants were changed by other replicas.
    pub fn forget(&self) -> broadcast::Receiver<TenantId> {
        self.inner.changes.subscribe()
    }

    /// Starts to listen to all conversations of a tenant.
    pub fn listen_to_all(&self, tenant: &TenantId) -> InboxListener {
        let mut inboxes = self.inner.inboxes.write().unwrap_or_else(PoisonError::into_inner);
        let sender = inboxes.entry(tenant.clone()).or_insert_with(|| broadcast::Sender::new(CHANGES));
        let receiver = Some(sender.subscribe());
        drop(inboxes);
        InboxListener { bell: self.clone(), tenant: tenant.clone(), receiver }
    }

    /// Starts to listen to a conversation.
    pub fn listen(&self, tenant: &TenantId, conversation: ConversationId) -> Listener {
        let key = (tenant.clone(), conversation);
        let mut shard = self.inner.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        let receiver =
            shard.entry(key.clone()).or_insert_with(|| watch::Sender::new(Ring::default())).subscribe();
        drop(shard);
        Listener { bell: self.clone(), key, receiver: Some(receiver) }
    }
}

impl Inner {
    fn new(fan_out: Option<FanOut>) -> Self {
        Self {
            work: Notify::new(),
            deliveries: Notify::new(),
            works_here: AtomicBool::new(false),
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            changes: broadcast::Sender::new(CHANGES),
            inboxes: RwLock::default(),
            fan_out,
        }
    }

    fn shard(&self, key: &Key) -> &Shard {
        let hash = self.hasher.hash_one(key);
        &self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()]
    }

    fn ring(&self, key: &Key, news: &News) {
        if let Some(sender) = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            sender.send_modify(|ring| ring.take(news));
        }
        if (news.sequence.is_some() || news.status_changed)
            && let Some(sender) = self.inboxes.read().unwrap_or_else(PoisonError::into_inner).get(&key.0)
        {
            // Nobody may be listening any more.
            let _ = sender.send(Some(key.1));
        }
    }

    fn show(&self, key: &Key, written: &Written) {
        if let Some(sender) = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            sender.send_if_modified(|ring| ring.take_written(written.clone()));
        }
    }

    /// What other replicas say.
    fn heard(&self, heard: Heard) {
        match heard {
            Heard::Told(tenant, Telling::Rung { conversation, news, work }) => {
                self.ring(&(tenant, conversation), &news);
                if work {
                    self.work.notify_one();
                }
            }
            Heard::Told(tenant, Telling::Written { conversation, written }) => {
                self.show(&(tenant, conversation), &written);
            }
            // Nobody may be listening.
            Heard::Told(tenant, Telling::Changed) => drop(self.changes.send(tenant)),
            Heard::Gap => {
                for shard in &self.shards {
                    for sender in shard.lock().unwrap_or_else(PoisonError::into_inner).values() {
                        sender.send_modify(|ring| ring.gaps = ring.gaps.wrapping_add(1));
                    }
                }
                for sender in self.inboxes.read().unwrap_or_else(PoisonError::into_inner).values() {
                    let _ = sender.send(None);
                }
            }
        }
    }
}

impl Listener {
    /// Waits for the next ring and gives the newest state.
    pub async fn heard(&mut self) -> Ring {
        if let Some(receiver) = &mut self.receiver
            && receiver.changed().await.is_ok()
        {
            return receiver.borrow_and_update().clone();
        }
        std::future::pending().await
    }
}

impl InboxListener {
    /// Waits until something happens, and gives all that happened by then, each conversation once.
    pub async fn heard(&mut self) -> InboxNews {
        let Some(receiver) = &mut self.receiver else { return std::future::pending().await };
        let Ok(Some(first)) = receiver.recv().await else { return InboxNews::Missed };
        let mut heard = vec![first];
        while heard.len() < MOST_TOGETHER {
            match receiver.try_recv() {
                Ok(Some(next)) if heard.contains(&next) => {}
                Ok(Some(next)) => heard.push(next),
                Err(broadcast::error::TryRecvError::Empty) => break,
                Ok(None) | Err(_) => return InboxNews::Missed,
            }
        }
        InboxNews::In(heard)
    }
}

impl Drop for InboxListener {
    fn drop(&mut self) {
        self.receiver = None;
        let mut inboxes = self.bell.inner.inboxes.write().unwrap_or_else(PoisonError::into_inner);
        if inboxes.get(&self.tenant).is_some_and(|sender| sender.receiver_count() == 0) {
            inboxes.remove(&self.tenant);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut shard = self.bell.inner.shard(&self.key).lock().unwrap_or_else(PoisonError::into_inner);
        self.receiver = None;
        if shard.get(&self.key).is_some_and(|sender| sender.receiver_count() == 0) {
            shard.remove(&self.key);
        }
    }
}
