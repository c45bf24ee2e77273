//! An agent that does what a test tells it: slow, dear, failing, hanging; and that remembers how it was called.

use misy_agents::agent::{Agent, Answer, Call, Ended, Failed, Run, Wait};
use misy_domain::{
    Part, Permission,
    agent::{AgentKind, AgentLimits, Definition, WaitsFor, WhenWritten},
};
use serde_json::Value;
use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// What a run does, one after the other.
#[derive(Debug, Clone)]
pub enum Step {
    /// Waits until the test opens the gate for it.
    Gate,
    /// Takes so many tokens; fails where there are not as many.
    Spend(u32),
    /// Writes some of its answer.
    Write(&'static str),
    /// Never ends.
    Hang,
    /// Fails.
    Fail,
    /// Panics.
    Panic,
    /// Ends with a wait: for what, how long at most, with this to go on from, and what the contact is told.
    Wait(WaitsFor, Duration, Value, &'static str),
    /// Ends with what the built-in agents drafted.
    Draft,
    /// Ends with the words that it was asked, after these.
    Answer(&'static str),
}

/// How a run was called.
#[derive(Debug, Clone)]
pub struct Heard {
    /// What waited.
    pub texts: Vec<String>,
    /// The number of the attempt.
    pub attempt: u32,
    /// Where it goes on, if it waited, and whether the wait lasted as long as it might.
    pub resumed: Option<(Value, bool)>,
    /// What it waited for, if somebody brought it.
    pub outcome: Option<Value>,
    /// Cancelled when nobody waits for the run any more.
    pub cancelled: CancellationToken,
}

type Script = dyn Fn(&Heard) -> Vec<Step> + Send + Sync;

/// The agent.
pub struct TestAgent {
    definition: Definition,
    script: Box<Script>,
    heard: Mutex<Vec<Heard>>,
    gate: Semaphore,
}

impl TestAgent {
    /// An agent in the place of support, whose runs go as the script says.
    pub fn new(
        change: impl FnOnce(&mut Definition),
        script: impl Fn(&Heard) -> Vec<Step> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let mut definition = Definition {
            key: Cow::Borrowed("support"),
            kind: AgentKind::Connected,
            permission: Some(Permission::AgentsSupport),
            version: 7,
            limits: AgentLimits { tokens: 0, deadline: Duration::from_mins(1), attempts: 3 },
            when_written: WhenWritten::Finish,
        };
        change(&mut definition);
        let (heard, gate) = (Mutex::default(), Semaphore::new(0));
        Arc::new(Self { definition, script: Box::new(script), heard, gate })
    }

    /// Lets so many runs through the gate.
    pub fn open_for(&self, runs: usize) {
        self.gate.add_permits(runs);
    }

    /// All calls so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.list().clone()
    }

    /// Waits until it was called so many times.
    pub async fn called(&self, times: usize) -> Vec<Heard> {
        loop {
            let heard = self.heard();
            if heard.len() >= times {
                return heard;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn list(&self) -> MutexGuard<'_, Vec<Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn act(&self, call: Call<'_>) -> Result<Ended, Failed> {
        let texts: Vec<_> = call.input.messages.iter().map(|message| message.text.to_owned()).collect();
        let heard = Heard {
            texts,
            attempt: call.attempt,
            resumed: call.resumed.map(|resumed| (resumed.state.clone(), resumed.is_over)),
            outcome: call.resumed.and_then(|resumed| resumed.outcome.cloned()),
            cancelled: call.cancelled.clone(),
        };
        self.list().push(heard.clone());
        for step in (self.script)(&heard) {
            match step {
                Step::Gate => self.gate.acquire().await.map_err(|_| Failed)?.forget(),
                Step::Spend(tokens) => call.tokens.take(tokens).map_err(|_| Failed)?,
                Step::Write(text) => call.writing.wrote(text),
                Step::Hang => std::future::pending().await,
                Step::Fail => return Err(Failed),
                // Without the hook, which would only fill the output.
                Step::Panic => std::panic::resume_unwind(Box::new("as the test wants it")),
                Step::Wait(waits_for, most, state, saying) => {
                    let saying = if saying.is_empty() { Vec::new() } else { vec![Part::text(saying)] };
                    return Ok(Ended::Waiting(Wait { waits_for, most, state, saying }));
                }
                Step::Draft => return Ok(Ended::Drafted),
                Step::Answer(before) => {
                    let text = format!("{before}{}", heard.texts.join(" + "));
                    return Ok(Ended::Answered(Answer {
                        parts: vec![Part::text(text)],
                        ..Answer::default()
                    }));
                }
            }
        }
        Ok(Ended::Drafted)
    }
}

impl Agent for TestAgent {
    fn definition(&self) -> &Definition {
        &self.definition
    }

    fn run<'a>(&'a self, call: Call<'a>) -> Run<'a> {
        Box::pin(self.act(call))
    }
}
