//! What could not be booked, and which other times are free.

use super::{free::told, offers_of};
use crate::{
    desk::FrontDesk,
    problem::{Code, FreeTime, Problem},
};
use http::StatusCode;
use misy_domain::{
    TenantId, Timestamp,
    booking::{Refused, Taken},
};
use misy_store::{Collides, StoreError};
use misy_workbench::CompiledPack;
use std::collections::BTreeMap;

/// So many other times are offered in the place of one that cannot be had.
const ALTERNATIVES: usize = 5;

/// Why nothing was booked.
pub(crate) enum NotBooked {
    /// For this reason.
    For(Problem),
    /// The time cannot be had.
    Slot(Box<Missed>),
}

impl From<Problem> for NotBooked {
    fn from(problem: Problem) -> Self {
        Self::For(problem)
    }
}

impl From<StoreError> for NotBooked {
    fn from(error: StoreError) -> Self {
        Self::For(error.into())
    }
}

impl Collides for NotBooked {
    fn is_collision(&self) -> bool {
        matches!(self, Self::For(problem) if problem.is_collision())
    }
}

impl NotBooked {
    /// As it is answered: which other times are free is looked for after everything was let go.
    async fn answered(self, desk: &FrontDesk, tenant: &TenantId) -> Problem {
        let missed = match self {
            Self::For(problem) => return problem,
            Self::Slot(missed) => missed,
        };
        let problem = refused(missed.why);
        match desk.packs.workbench().run(tenant, move |_| missed.alternatives()).await {
            Ok(alternatives) => problem.with_alternatives(alternatives),
            Err(_) => problem,
        }
    }
}

/// What came of a transaction that books, as it is answered.
pub(crate) async fn answered<T>(
    desk: &FrontDesk,
    tenant: &TenantId,
    booked: Result<T, NotBooked>,
) -> Result<T, Problem> {
    match booked {
        Ok(booked) => Ok(booked),
        Err(not) => Err(not.answered(desk, tenant).await),
    }
}

/// A time that cannot be had, and what the times around it are computed from.
pub(crate) struct Missed {
    pub(super) why: Refused,
    pub(super) pack: CompiledPack,
    pub(super) service: String,
    pub(super) provider: Option<String>,
    pub(super) taken: BTreeMap<String, Vec<Taken>>,
    pub(super) at: Timestamp,
    pub(super) now: Timestamp,
}

impl Missed {
    /// The nearest times that are free.
    fn alternatives(&self) -> Vec<FreeTime> {
        let pack = self.pack.pack();
        let offers = offers_of(pack, &self.service, self.provider.as_deref());
        let half_a_day = jiff::SignedDuration::from_hours(12);
        let near = self.at.checked_sub(half_a_day).ok().zip(self.at.checked_add(half_a_day).ok());
        let within = |between| pack.free(&offers, &self.taken, between, self.now);
        let mut free = near.map(within).unwrap_or_default();
        if free.len() < ALTERNATIVES {
            free = within(around(self.at, self.now));
        }
        free.sort_by_key(|free| free.slot.from.duration_since(self.at).abs());
        free.truncate(ALTERNATIVES);
        free.sort_by_key(|free| free.slot);
        free.into_iter().map(told).collect()
    }
}

/// A week around a time, and not what is over.
pub(super) fn around(at: Timestamp, now: Timestamp) -> (Timestamp, Timestamp) {
    let days = |days: i64| jiff::SignedDuration::from_hours(24 * days);
    let from = at.checked_sub(days(3)).unwrap_or(now).max(now);
    (from, from.checked_add(days(7)).unwrap_or(from))
}

/// Taken is a conflict, which another moment may end. The rest is against the rules of the business.
pub(super) fn refused(why: Refused) -> Problem {
    if why == Refused::Taken {
        return Problem::conflict(Code::SlotTaken, "Somebody else has this time.");
    }
    let detail = match why {
        Refused::Past => "This time is over.",
        Refused::TooSoon => "This begins sooner than the business takes bookings.",
        Refused::TooFar => "This is further ahead than the business takes bookings.",
        Refused::Holiday => "The business is closed that day.",
        Refused::DoesNotFit => "It takes longer than somebody is there.",
        Refused::OffGrid => "Bookings begin at other minutes.",
        Refused::Closed | Refused::Taken => "Nobody is there at that time.",
    };
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Code::SlotRefused, detail)
}
