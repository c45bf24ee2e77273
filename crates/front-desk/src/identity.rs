//! People: how they prove who they are, and what their browsers and programs hold afterwards.

pub(crate) mod cookies;
pub(crate) mod csrf;
pub(crate) mod guard;
pub(crate) mod mails;
pub(crate) mod passwords;
pub(crate) mod prove;
pub(crate) mod qr;
pub(crate) mod start;

pub use guard::MOST_GUESSES_PER_HOUR;
pub(crate) use passwords::{Asker, Passwords, Stored};
pub use prove::{Proved, UserCall};
pub use start::{SignedInAnswer, UserSummary};

use crate::problem::Problem;
use jiff::SignedDuration;
use misy_domain::Timestamp;

/// How old a second factor may be where it must be fresh.
pub const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// Refuses unless the second factor was proved in the last five minutes.
pub(crate) fn expect_fresh(second_factor_at: Option<Timestamp>, now: Timestamp) -> Result<(), Problem> {
    let is_fresh = second_factor_at.is_some_and(|at| now.duration_since(at) <= FRESH);
    if is_fresh { Ok(()) } else { Err(Problem::step_up_required()) }
}
