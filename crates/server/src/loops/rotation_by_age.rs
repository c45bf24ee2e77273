//! Begins rotations of data keys that have been in use for too long. Every process looks; one begins each rotation.

use misy_front_desk::FrontDesk;
use misy_store::{
    StoreError,
    database::Role,
    loops::Loop,
    rotation::{LongestUse, start_due},
};
use std::time::Duration;
use tracing::info;

pub(super) struct RotationByAge {
    desk: FrontDesk,
    longest: LongestUse,
}

impl RotationByAge {
    pub(super) fn new(desk: &FrontDesk, longest: LongestUse) -> Self {
        Self { desk: desk.clone(), longest }
    }
}

impl Loop for RotationByAge {
    const NAME: &'static str = "rotation_by_age";
    const PERIOD: Duration = Duration::from_hours(1);
    const ROLE: Role = Role::System;

    async fn round(&mut self) -> Result<(), StoreError> {
        let desk = &self.desk;
        let begun =
            start_due(&desk.database, &desk.vault, self.longest, &*desk.clock, &*desk.entropy).await?;
        if !begun.is_empty() {
            info!(tenants = begun.len(), "data keys are rotated by age");
        }
        Ok(())
    }
}
