//! Tells tenants in which somebody has waited for a person and nobody takes the conversation.

use misy_front_desk::FrontDesk;
use misy_store::{StoreError, database::Role, loops::Loop};
use std::time::Duration;
use tracing::info;

/// Somebody who waits longer is told of.
const PATIENCE: Duration = Duration::from_mins(15);

pub(super) struct Waiting(FrontDesk);

impl Waiting {
    pub(super) fn new(desk: &FrontDesk) -> Self {
        Self(desk.clone())
    }
}

impl Loop for Waiting {
    const NAME: &'static str = "waiting";
    const PERIOD: Duration = Duration::from_mins(1);
    const ROLE: Role = Role::System;

    async fn round(&mut self) -> Result<(), StoreError> {
        let told = self.0.database.tell_of_waiting(&self.0.vault, PATIENCE).await?;
        if told > 0 {
            info!(told, "somebody waits too long for a person");
        }
        Ok(())
    }
}
