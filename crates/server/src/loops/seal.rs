//! Gives audit entries their places in the trees of their tenants, and signs what is due.

use misy_front_desk::FrontDesk;
use misy_store::{StoreError, audit::Sealer, database::Role, loops::Loop};
use std::time::Duration;

pub(super) struct Seal(Sealer);

impl Seal {
    pub(super) fn new(desk: &FrontDesk) -> Self {
        Self(desk.sealer.clone())
    }
}

impl Loop for Seal {
    const NAME: &'static str = "seal";
    const PERIOD: Duration = Duration::from_secs(1);
    const ROLE: Role = Role::Sealer;

    async fn round(&mut self) -> Result<(), StoreError> {
        self.0.round().await
    }
}
