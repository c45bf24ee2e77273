//! Removes rows that are over, such as the answers that are kept for repeated calls, mails that were given up long ago and files
//! that nobody sent; and the bytes of files whose rows are gone.

use misy_front_desk::FrontDesk;
use misy_store::{StoreError, database::Role, loops::Loop};
use std::time::Duration;
use tracing::debug;

pub(super) struct Expired(FrontDesk);

impl Expired {
    pub(super) fn new(desk: &FrontDesk) -> Self {
        Self(desk.clone())
    }
}

impl Loop for Expired {
    const NAME: &'static str = "expired";
    const PERIOD: Duration = Duration::from_mins(10);
    const ROLE: Role = Role::System;

    async fn round(&mut self) -> Result<(), StoreError> {
        let (rows, files) = self.0.sweep().await?;
        debug!(rows, files, "removed what is over");
        Ok(())
    }
}
