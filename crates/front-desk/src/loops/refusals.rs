//! Writes down how many calls were refused.

use crate::desk::FrontDesk;
use misy_store::{StoreError, database::Role, loops::Loop};
use std::time::Duration;

pub(super) struct Refusals(pub(super) FrontDesk);

impl Loop for Refusals {
    const NAME: &'static str = "refusals";
    const PERIOD: Duration = Duration::from_secs(5);
    const ROLE: Role = Role::App;

    async fn round(&mut self) -> Result<(), StoreError> {
        self.0.refusals.write(&self.0).await
    }
}
