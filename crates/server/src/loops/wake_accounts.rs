//! Makes due what waited on channel accounts that are active again, some threads at a time.

use misy_front_desk::FrontDesk;
use misy_store::{Bell, Database, StoreError, database::Role, loops::Loop};
use std::time::Duration;

pub(super) struct WakeAccounts {
    database: Database,
    bell: Bell,
}

impl WakeAccounts {
    pub(super) fn new(desk: &FrontDesk) -> Self {
        Self { database: desk.database.clone(), bell: desk.bell.clone() }
    }
}

impl Loop for WakeAccounts {
    const NAME: &'static str = "wake_accounts";
    const PERIOD: Duration = Duration::from_secs(1);
    const ROLE: Role = Role::System;

    async fn round(&mut self) -> Result<(), StoreError> {
        if self.database.wake_accounts().await? > 0 {
            self.bell.ring_deliveries();
        }
        Ok(())
    }
}
