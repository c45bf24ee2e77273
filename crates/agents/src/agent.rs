//! What runs a turn: the interface that built-in agents and those that wait for something outside have in common.
//!
//! An agent gets a [`Call`] with everything it may know and use, and ends in one of the ways of [`Ended`]. It may be cancelled at
//! any await, and run again for the same messages: what it does outside it must be able to do twice.

use crate::{Handoff, TurnInput, TurnOutcome, booking::Settled};
use misy_domain::{
    ConversationId, Part, Source, TenantId,
    agent::{Definition, WaitsFor},
};
use serde_json::Value;
use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// A run of an agent.
pub type Run<'a> = Pin<Box<dyn Future<Output = Result<Ended, Failed>> + Send + 'a>>;

/// An agent that can be run.
pub trait Agent: Send + Sync + 'static {
    /// What everybody may know of it.
    fn definition(&self) -> &Definition;

    /// Runs a turn. What is permitted and reserved is settled by whoever calls.
    fn run<'a>(&'a self, call: Call<'a>) -> Run<'a>;
}

/// What an agent is called with.
pub struct Call<'a> {
    /// Whose conversation it is.
    pub tenant: &'a TenantId,
    /// Which.
    pub conversation: ConversationId,
    /// The number of the newest message that waits.
    pub through: i64,
    /// What the contact wrote, and everything that a turn may know.
    pub input: &'a TurnInput<'a>,
    /// How it was understood, and what the built-in agents would answer.
    pub drafted: &'a TurnOutcome,
    /// Where the agent goes on, if it waited.
    pub resumed: Option<Resumed<'a>>,
    /// The number of the attempt, from one.
    pub attempt: u32,
    /// What may be spent.
    pub tokens: &'a Tokens,
    /// Takes what is written so far, for whoever looks on. Nothing of it is stored; the answer stands for itself.
    pub writing: &'a dyn Writing,
    /// Cancelled when nobody waits for the result any more: the lease is lost, the contact wrote again, or the deadline is over.
    /// The run itself is dropped then; this is for what it started elsewhere.
    pub cancelled: CancellationToken,
    /// When it must have ended.
    pub deadline: Instant,
}

/// Takes what an agent writes while it writes it.
pub trait Writing: Send + Sync {
    /// Some more of the answer's text.
    fn wrote(&self, text: &str);
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// The draft of the built-in agents is the answer.
    Drafted,
    /// With an answer of its own.
    Answered(Answer),
    /// Not yet: it goes on later, in this process or another.
    Waiting(Wait),
}

/// A wait. Nothing is held meanwhile; it outlives every process.
#[derive(Debug)]
pub struct Wait {
    /// What for.
    pub waits_for: WaitsFor,
    /// For how long at most. It goes on before that when somebody wakes it or the contact writes.
    pub most: Duration,
    /// Where it goes on; kept sealed. 64 KiB as JSON at most.
    pub state: Value,
    /// What the contact is told meanwhile; nothing is silence.
    pub saying: Vec<Part>,
}

/// A wait that ended.
#[derive(Debug, Clone, Copy)]
pub struct Resumed<'a> {
    /// What it was for.
    pub waits_for: WaitsFor,
    /// Whether it lasted as long as it might; otherwise somebody woke it, or the contact wrote.
    pub is_over: bool,
    /// Where the agent goes on.
    pub state: &'a Value,
    /// What it waited for, if somebody brought it: the result of a tool, or a person's word. From outside, so never trusted.
    pub outcome: Option<&'a Value>,
}

/// What an agent answers.
#[derive(Debug, Default)]
pub struct Answer {
    /// What is said; nothing is silence.
    pub parts: Vec<Part>,
    /// Where it comes from, the main source first.
    pub sources: Vec<Source>,
    /// What was applied, in order, each as `rule: what it did`; no words of a contact.
    pub rules: Vec<String>,
    /// Whether a person is asked for.
    pub handoff: Option<Handoff>,
    /// What it settles of a booking: done and kept together with the answer, or not at all.
    pub settled: Option<Box<Settled>>,
}

/// A run came to no answer. It is tried again, as often as the definition says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the agent failed")]
pub struct Failed;

/// The AI tokens of a run.
#[derive(Debug)]
pub struct Tokens {
    reserved: i64,
    used: AtomicI64,
}

/// More tokens than are reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more tokens than are reserved")]
pub struct NoTokens;

impl Tokens {
    /// So many are reserved.
    pub fn new(reserved: i64) -> Self {
        Self { reserved, used: AtomicI64::new(0) }
    }

    /// Takes some before they are spent: all of them, or none.
    pub fn take(&self, tokens: u32) -> Result<(), NoTokens> {
        let take = |used: i64| Some(used + i64::from(tokens)).filter(|used| *used <= self.reserved);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).map(drop).map_err(|_| NoTokens)
    }

    /// How many are reserved.
    pub fn reserved(&self) -> i64 {
        self.reserved
    }

    /// How many were taken.
    pub fn used(&self) -> i64 {
        self.used.load(Ordering::Relaxed)
    }
}
