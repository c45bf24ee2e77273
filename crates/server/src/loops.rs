//! What the program does again and again in the background, one file each. `platform.loops` says when each ran last and why
//! it failed; `misy doctor` and `/metrics` show it.
//!
//! | loop | every | does |
//! | --- | --- | --- |
//! | `data_keys` | quarter of a second | learns of data keys that another process made |
//! | `expired` | ten minutes | removes rows that are over, such as answers kept for repeated calls, and the bytes of files that are gone |
//! | `purge` | ten seconds | removes what is left of closed tenants |
//! | `rotation_by_age` | hour | begins rotations of data keys that are too old |
//! | `waiting` | minute | tells tenants in which somebody waits too long for a person |
//! | `seal` | second | gives audit entries their places in the trees, and signs |
//! | `wake_accounts` | second | makes due what waited on channel accounts that are active again |
//!
//! The front desk has three more for what it keeps in memory (its module `loops`): `changes`, `refusals`, `signing_keys`. Each
//! worker notes itself in the same table by the kind of its work, when it looks for some.

mod data_keys;
mod expired;
mod purge;
mod rotation_by_age;
mod seal;
mod waiting;
mod wake_accounts;

use crate::settings::Settings;
use misy_front_desk::FrontDesk;
use misy_store::loops::{Loop, run};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Starts the loops of this process. Those that work for the queues run where there is a worker.
pub(crate) fn start(settings: &Settings, desk: &FrontDesk, stop: &CancellationToken, tasks: &TaskTracker) {
    let runner = Runner { desk, stop, tasks };
    runner.start(data_keys::DataKeys::new(desk));
    runner.start(expired::Expired::new(desk));
    runner.start(purge::Purge::new(desk));
    runner.start(waiting::Waiting::new(desk));
    if let Some(longest) = settings.data_keys {
        runner.start(rotation_by_age::RotationByAge::new(desk, longest));
    }
    if settings.work.worker {
        runner.start(seal::Seal::new(desk));
        runner.start(wake_accounts::WakeAccounts::new(desk));
    }
}

struct Runner<'a> {
    desk: &'a FrontDesk,
    stop: &'a CancellationToken,
    tasks: &'a TaskTracker,
}

impl Runner<'_> {
    fn start(&self, looped: impl Loop) {
        let running = run(looped, self.desk.database.clone());
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(running));
    }
}
