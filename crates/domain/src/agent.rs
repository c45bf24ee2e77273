//! Agents as values: who answers, what it needs, and what it may cost.

use crate::Permission;
use std::{borrow::Cow, time::Duration};

crate::words! {
    /// How an agent comes to its answer.
    pub enum AgentKind {
        /// It computes the answer from the context pack, at once and at no cost.
        BuiltIn = "built_in",
        /// It asks something outside: a model, a tool or a person.
        Connected = "connected",
    }
}

crate::words! {
    /// What a turn waits for.
    pub enum WaitsFor {
        /// The result of a tool.
        Tool = "tool",
        /// Somebody's word.
        Person = "person",
        /// A time.
        Timer = "timer",
    }
}

/// What happens to a run of an agent when the contact writes again meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenWritten {
    /// It goes on; the next turn answers what came later.
    Finish,
    /// It is cancelled, and a new turn answers everything together. A contact who goes on writing is answered in the end: once
    /// [`MOST_TOGETHER`] messages wait, the run goes on.
    StartOver,
}

/// From so many waiting messages on a run is not cancelled by the next.
pub const MOST_TOGETHER: usize = 5;

/// What one turn of an agent may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentLimits {
    /// AI tokens; none is free. They are reserved before the run, and what is left is given back after it.
    pub tokens: i64,
    /// How long it may run.
    pub deadline: Duration,
    /// How often it is tried before a person is asked.
    pub attempts: u32,
}

/// An agent, as everybody sees it but itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its name, in decisions and messages.
    pub key: Cow<'static, str>,
    /// How it comes to its answer.
    pub kind: AgentKind,
    /// What a session needs to be answered by it.
    pub permission: Option<Permission>,
    /// Grows with each change of what it does; decisions name it.
    pub version: u32,
    /// What a turn of it may cost.
    pub limits: AgentLimits,
    /// What happens when the contact writes again.
    pub when_written: WhenWritten,
}
