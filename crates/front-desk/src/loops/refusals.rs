//! Writes down how many calls were refused, and tells of calls that are told of together.

use crate::desk::FrontDesk;
use misy_store::{StoreError, database::Role, loops::Loop};
use std::time::Duration;

pub(super) struct Refusals(pub(super) FrontDesk);

impl Loop for Refusals {
    const NAME: &'static str = "refusals";
    const PERIOD: Duration = Duration::from_secs(5);
    const ROLE: Role = Role::App;

    async fn round(&mut self) -> Result<(), StoreError> {
        let desk = &self.0;
        desk.tell_of(desk.tallies.over(Some(desk.clock.now())));
        desk.refusals.write(desk).await
    }
}
