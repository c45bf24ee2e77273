//! The scores, and the table that shows them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    /// How many were right.
    pub right: usize,
    /// How many there were.
    pub all: usize,
}

impl Rate {
    pub(crate) fn add(&mut self, right: bool) {
        self.all += 1;
        self.right += usize::from(right);
    }

    /// The share that was right, 1 if there was none to get wrong.
    #[allow(clippy::cast_precision_loss)]
    pub fn share(&self) -> f64 {
        if self.all == 0 { 1.0 } else { self.right as f64 / self.all as f64 }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6.1} %  {:>4} of {:>4}", self.share() * 100.0, self.right, self.all)
    }
}

/// The scores of a set of turns.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The right agent.
    pub agent: Rate,
    /// The right agent, by the agent that is right.
    pub per_agent: BTreeMap<String, Rate>,
    /// The right agent, by tenant.
    pub per_tenant: BTreeMap<String, Rate>,
    /// The right agent, by the message's language.
    pub per_language: BTreeMap<String, Rate>,
    /// How often (the agent that is right, the agent that answered).
    pub confusion: BTreeMap<(String, String), usize>,
    /// The right approved answer first.
    pub faq: Rate,
    /// No invented answer where the pack has none.
    pub null: Rate,
    /// The right service first.
    pub service: Rate,
    /// The second question answered too.
    pub also: Rate,
    /// The reply in the right language.
    pub language: Rate,
    /// What went wrong, by turn.
    pub missed: Vec<(String, Vec<String>)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, rate: &Rate| writeln!(f, "{name:<24}{rate}");
        row("agent", &self.agent)?;
        for (title, rates) in
            [("agent", &self.per_agent), ("tenant", &self.per_tenant), ("language", &self.per_language)]
        {
            for (name, rate) in rates {
                row(&format!("  {title} {name}"), rate)?;
            }
        }
        row("faq, first", &self.faq)?;
        row("no answer, none invented", &self.null)?;
        row("service", &self.service)?;
        row("second question", &self.also)?;
        row("language of the reply", &self.language)?;
        let names: BTreeSet<&String> = self.confusion.keys().flat_map(|(a, b)| [a, b]).collect();
        write!(f, "\n{:<14}", "right \\ given")?;
        for name in &names {
            write!(f, "{name:>13}")?;
        }
        for right in self.per_agent.keys() {
            write!(f, "\n{right:<14}")?;
            for given in &names {
                let count = self.confusion.get(&(right.clone(), (*given).clone())).copied().unwrap_or(0);
                write!(f, "{count:>13}")?;
            }
        }
        writeln!(f)
    }
}
