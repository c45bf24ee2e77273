//! How much work a turn or a pack may cost.
//!
//! Contacts and tenants decide how long the loops of this crate are. Each of those loops takes its steps from a budget and
//! ends when none are left. Steps are counted and not timed, so the same input always ends the same way, on any machine.
//! A step is about as much as comparing two short words: some ten nanoseconds in a release build.

use misy_domain::decision::Stage;
use std::{
    cell::Cell,
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

/// What one turn may cost: some eighty times of what a message to a demo business costs at most.
pub const TURN_STEPS: u64 = 1_000_000;
/// What making a pack ready may cost: more than three times of what fourteen businesses in one pack do.
pub const PACK_STEPS: u64 = 8_000_000;

/// Steps that may still be taken.
pub struct Budget<'a> {
    all: u64,
    left: Cell<u64>,
    stop: Option<&'a AtomicBool>,
    hears: Option<&'a dyn Fn(Stage)>,
}

impl fmt::Debug for Budget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("all", &self.all).field("left", &self.left).finish_non_exhaustive()
    }
}

/// The work ended before it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Spent {
    /// It would take more steps than these.
    #[error("more than {0} steps")]
    Steps(u64),
    /// It was told to stop, as it took too long.
    #[error("too much time")]
    Time,
}

impl<'a> Budget<'a> {
    /// So many steps.
    pub fn new(steps: u64) -> Self {
        Self { all: steps, left: Cell::new(steps), stop: None, hears: None }
    }

    /// The steps of one turn.
    pub fn of_turn() -> Self {
        Self::new(TURN_STEPS)
    }

    /// The same, and none any more from the moment on that the flag is set.
    #[must_use]
    pub fn until(self, stop: &'a AtomicBool) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// The same, with somebody who hears of each stage when it begins. Nothing here reads a clock; whoever hears may.
    #[must_use]
    pub fn heard_by(self, hears: &'a dyn Fn(Stage)) -> Self {
        Self { hears: Some(hears), ..self }
    }

    /// Says that a stage begins.
    pub(crate) fn begin(&self, stage: Stage) {
        if let Some(hears) = self.hears {
            hears(stage);
        }
    }

    /// How many steps were taken.
    pub fn used(&self) -> u64 {
        self.all - self.left.get()
    }

    /// Takes steps, before the work that they are for.
    pub(crate) fn take(&self, steps: usize) -> Result<(), Spent> {
        if self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Err(Spent::Time);
        }
        let left = self.left.get().checked_sub(steps as u64);
        self.left.set(left.unwrap_or_default());
        left.map(drop).ok_or(Spent::Steps(self.all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_once() {
        let budget = Budget::new(10);
        assert_eq!(budget.take(7), Ok(()));
        assert_eq!(budget.used(), 7);
        assert_eq!(budget.take(4), Err(Spent::Steps(10)));
        assert_eq!((budget.take(1), budget.used()), (Err(Spent::Steps(10)), 10));
    }

    #[test]
    fn whoever_is_told_to_stop_takes_no_further_step() {
        let stop = AtomicBool::new(false);
        let budget = Budget::new(10).until(&stop);
        assert_eq!(budget.take(1), Ok(()));
        stop.store(true, Ordering::Relaxed);
        assert_eq!(budget.take(1), Err(Spent::Time));
    }
}
