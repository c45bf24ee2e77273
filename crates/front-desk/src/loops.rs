//! What a front desk does again and again in the background, one file each.

mod changes;
mod refusals;
mod signing_keys;

use crate::desk::FrontDesk;
use misy_store::loops::{Loop, run};
use tokio_util::task::TaskTracker;

/// Starts the loops, until the desk stops.
pub(crate) fn start(desk: &FrontDesk, tasks: &TaskTracker) {
    spawn(desk, tasks, changes::Changes(desk.clone()));
    spawn(desk, tasks, refusals::Refusals(desk.clone()));
    spawn(desk, tasks, signing_keys::SigningKeys(desk.clone()));
}

fn spawn(desk: &FrontDesk, tasks: &TaskTracker, looped: impl Loop) {
    let running = run(looped, desk.database.clone());
    tasks.spawn(desk.stopping.clone().run_until_cancelled_owned(running));
}
