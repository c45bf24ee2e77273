//! The built-in agents, as values: one row each, and how each comes to its draft.

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods are not general over the lifetime of a desk"
)]

use crate::answer::{Desk, Draft};
use misy_domain::{
    Permission,
    agent::{AgentKind, AgentLimits, Definition, WhenWritten},
};
use std::{borrow::Cow, time::Duration};

/// How a built-in agent comes to its draft.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// It says something in any case.
    Says(fn(&Desk<'_>) -> Draft),
    /// It may find that it does not know.
    Knows(fn(&Desk<'_>) -> Draft),
    /// It asks a person.
    HandsOver,
    /// It has nothing of its own to say.
    Rests,
}

/// A built-in agent.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    pub(crate) definition: Definition,
    pub(crate) way: Way,
    /// Whether what it says leaves open what was not answered before.
    pub(crate) passes_by: bool,
}

/// It computes: nothing to pay for, nothing to wait for, and nothing to cancel.
const FREE: AgentLimits = AgentLimits { tokens: 0, deadline: Duration::MAX, attempts: u32::MAX };

const fn agent(key: &'static str, permission: Option<Permission>, way: Way, passes_by: bool) -> BuiltIn {
    let definition = Definition {
        key: Cow::Borrowed(key),
        kind: AgentKind::BuiltIn,
        permission,
        version: 1,
        limits: FREE,
        when_written: WhenWritten::Finish,
    };
    BuiltIn { definition, way, passes_by }
}

static SUPPORT: BuiltIn =
    agent("support", Some(Permission::AgentsSupport), Way::Knows(|desk| desk.support()), false);

/// All but support, which answers in the place of those that a session may not use.
static OTHERS: [BuiltIn; 8] = [
    agent("sales", Some(Permission::AgentsSales), Way::Says(|desk| desk.sales()), false),
    agent("booking", Some(Permission::AgentsBooking), Way::Says(|desk| desk.booking()), false),
    agent("marketing", Some(Permission::AgentsMarketing), Way::Says(|desk| desk.marketing()), false),
    agent("handoff", None, Way::HandsOver, false),
    agent("smalltalk", Some(Permission::AgentsSupport), Way::Says(|desk| desk.smalltalk()), true),
    agent("out_of_scope", Some(Permission::AgentsSupport), Way::Says(|desk| desk.out_of_scope()), true),
    // Says once that a person will reply.
    agent("waiting", None, Way::Rests, false),
    // Stays silent.
    agent("none", None, Way::Rests, false),
];

/// The built-in agent of a key; support where there is none.
pub(crate) fn built_in(key: &str) -> &'static BuiltIn {
    OTHERS.iter().find(|agent| agent.definition.key == key).unwrap_or(&SUPPORT)
}

/// The definitions of all built-in agents.
pub fn definitions() -> impl Iterator<Item = &'static Definition> {
    std::iter::once(&SUPPORT).chain(&OTHERS).map(|agent| &agent.definition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understanding::AGENTS;

    #[test]
    fn whatever_a_message_can_be_for_is_an_agent() {
        let keys: Vec<&str> = definitions().map(|definition| &*definition.key).collect();
        assert!(AGENTS.iter().all(|agent| keys.contains(agent)), "{keys:?}");
        assert!(keys.iter().all(|key| built_in(key).definition.key == *key));
    }
}
