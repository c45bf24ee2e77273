//! Reads the keys that sign tokens again, makes a new one when it is time, and tells of rows that are none of them.

use crate::desk::FrontDesk;
use misy_store::{StoreError, database::Role, loops::Loop};
use std::time::Duration;

pub(super) struct SigningKeys(pub(super) FrontDesk);

impl Loop for SigningKeys {
    const NAME: &'static str = "signing_keys";
    const PERIOD: Duration = Duration::from_mins(1);
    const ROLE: Role = Role::System;

    async fn round(&mut self) -> Result<(), StoreError> {
        self.0.tokens.refresh().await?;
        self.0.tell_of_keys_set_aside().await
    }
}
