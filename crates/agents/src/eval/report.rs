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

/// How questions ended of which is known whether the pack has an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ends {
    /// How many the pack has an answer for.
    pub all: usize,
    /// That answer first.
    pub right: usize,
    /// Asked back, with the right one among the choices.
    pub asked: usize,
    /// Asked back without it.
    pub asked_in_vain: usize,
    /// Said that it is not known, or asked for a person.
    pub unknown: usize,
    /// Answered something else.
    pub wrong: usize,
    /// How many the pack has no answer for.
    pub none: usize,
    /// Of these: said so, or asked for a person.
    pub none_unknown: usize,
    /// Of these: asked back.
    pub none_asked: usize,
    /// Of these: answered something.
    pub none_answered: usize,
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
    /// How questions to the pack ended, by (kind, language).
    pub ends: BTreeMap<(String, String), Ends>,
    /// Small conversations whose last answer is right, by kind.
    pub field: BTreeMap<String, Rate>,
    /// What went wrong, by turn.
    pub missed: Vec<(String, Vec<String>)>,
}

impl Report {
    fn write_ends(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ends.is_empty() {
            return Ok(());
        }
        #[allow(clippy::cast_precision_loss)]
        let part = |some: usize, all: usize| match all {
            0 => "     -".to_owned(),
            all => format!("{:>6.1}", 100.0 * some as f64 / all as f64),
        };
        writeln!(
            f,
            "\nquestions to the pack, %    right  asked   vain unknown wrong    of | no answer: unknown asked answered   of"
        )?;
        for ((kind, language), ends) in &self.ends {
            let name = if kind == "all" { format!("language {language}") } else { format!("kind {kind}") };
            writeln!(
                f,
                "{name:<24} {} {} {} {} {} {:>6} |            {} {} {} {:>6}",
                part(ends.right, ends.all),
                part(ends.asked, ends.all),
                part(ends.asked_in_vain, ends.all),
                part(ends.unknown, ends.all),
                part(ends.wrong, ends.all),
                ends.all,
                part(ends.none_unknown, ends.none),
                part(ends.none_asked, ends.none),
                part(ends.none_answered, ends.none),
                ends.none,
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, rate: &Rate| writeln!(f, "{name:<24}{rate}");
        let mut all = Rate::default();
        for (kind, rate) in &self.field {
            row(kind, rate)?;
            (all.right, all.all) = (all.right + rate.right, all.all + rate.all);
        }
        if all.all > 0 {
            row("conversations", &all)?;
        }
        if self.agent.all == 0 {
            return Ok(());
        }
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
        self.write_ends(f)?;
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
