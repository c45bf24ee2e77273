//! Removes what is left of closed tenants when their time is over. Every process tries; one at a time does.

use misy_front_desk::FrontDesk;
use misy_store::{StoreError, database::Role, loops::Loop};
use std::time::Duration;

pub(super) struct Purge(FrontDesk);

impl Purge {
    pub(super) fn new(desk: &FrontDesk) -> Self {
        Self(desk.clone())
    }
}

impl Loop for Purge {
    const NAME: &'static str = "purge";
    const PERIOD: Duration = Duration::from_secs(10);
    const ROLE: Role = Role::System;

    async fn round(&mut self) -> Result<(), StoreError> {
        self.0.purge_due().await.map(drop)
    }
}
