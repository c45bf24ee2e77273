//! The agents that a worker can run.

use misy_agents::{
    agent::{Agent, Call, Ended, Run},
    definitions,
};
use misy_domain::agent::Definition;
use std::{borrow::Cow, collections::HashMap, sync::Arc};

/// The agents by their keys. Turns are routed to a key; whoever is registered under it answers. Cheap to clone.
#[derive(Clone)]
pub struct Agents(Arc<HashMap<Cow<'static, str>, Arc<dyn Agent>>>);

impl Agents {
    /// The built-in agents.
    pub fn built_in() -> Self {
        let agents = definitions().map(|definition| {
            let agent: Arc<dyn Agent> = Arc::new(BuiltIn(definition));
            (definition.key.clone(), agent)
        });
        Self(Arc::new(agents.collect()))
    }

    /// The same with another, which answers in the place of the one that has its key. What that one would have said goes on being
    /// drafted.
    #[must_use]
    pub fn with(self, agent: Arc<dyn Agent>) -> Self {
        let mut agents = Arc::unwrap_or_clone(self.0);
        agents.insert(agent.definition().key.clone(), agent);
        Self(Arc::new(agents))
    }

    /// The agent of a key, if there is one.
    pub(crate) fn of(&self, key: &str) -> Option<&Arc<dyn Agent>> {
        self.0.get(key)
    }
}

impl Default for Agents {
    fn default() -> Self {
        Self::built_in()
    }
}

/// A built-in agent. What it says was drafted on the workbench, in the pass that understood the message: one way there and
/// back is enough.
struct BuiltIn(&'static Definition);

impl Agent for BuiltIn {
    fn definition(&self) -> &Definition {
        self.0
    }

    fn run<'a>(&'a self, _: Call<'a>) -> Run<'a> {
        Box::pin(std::future::ready(Ok(Ended::Drafted)))
    }
}
