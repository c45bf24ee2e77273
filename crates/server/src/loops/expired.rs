//! Removes rows that are over, such as the answers that are kept for repeated calls.

use misy_front_desk::FrontDesk;
use misy_store::{Database, StoreError, database::Role, loops::Loop};
use std::time::Duration;
use tracing::debug;

pub(super) struct Expired(Database);

impl Expired {
    pub(super) fn new(desk: &FrontDesk) -> Self {
        Self(desk.database.clone())
    }
}

impl Loop for Expired {
    const NAME: &'static str = "expired";
    const PERIOD: Duration = Duration::from_mins(10);
    const ROLE: Role = Role::System;

    async fn round(&mut self) -> Result<(), StoreError> {
        let rows = self.0.remove_expired().await?;
        debug!(rows, "removed what is over");
        Ok(())
    }
}
