//! When the stages of a turn began.

use misy_domain::decision::{Stage, StageTime};
use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// The stages of a turn so far. Shared with the thread that decides.
#[derive(Debug)]
pub(crate) struct Timeline(Mutex<Vec<(Stage, Instant)>>);

impl Timeline {
    /// A turn that began to load at that time.
    pub(crate) fn since(began: Instant) -> Self {
        let mut stages = Vec::with_capacity(Stage::ALL.len());
        stages.push((Stage::Load, began));
        Self(Mutex::new(stages))
    }

    /// A stage begins, and the one before ends. Said again, it goes on.
    pub(crate) fn begin(&self, stage: Stage) {
        let mut stages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stages.last().is_none_or(|(last, _)| *last != stage) {
            stages.push((stage, Instant::now()));
        }
    }

    /// The stages in order. The last one is still under way and has no time.
    pub(crate) fn times(&self) -> Vec<StageTime> {
        let stages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = stages.iter().skip(1).map(|(_, began)| Some(*began)).chain([None]);
        let took = |(stage, began): &(Stage, Instant), end: Option<Instant>| StageTime {
            stage: *stage,
            micros: end.map(|end| u64::try_from(end.duration_since(*began).as_micros()).unwrap_or(u64::MAX)),
        };
        stages.iter().zip(ends).map(|(stage, end)| took(stage, end)).collect()
    }
}
