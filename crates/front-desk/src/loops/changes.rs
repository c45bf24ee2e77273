//! Looks for what other replicas changed, on behalf of live streams, and for what the owner decided.

use crate::{desk::FrontDesk, live::LAST_WORDS, tenant_state::FRESH_ENOUGH};
use misy_store::{StoreError, database::Role, loops::Loop};
use std::time::Duration;

/// How often another replica's changes are looked for on behalf of live streams. With the age of what is not read again
/// ([`FRESH_ENOUGH`]) and the time for last words it stays well below the second within which a revocation counts everywhere.
const LOOK_AGAIN: Duration = Duration::from_millis(300);
const _: () = assert!(LOOK_AGAIN.as_millis() + FRESH_ENOUGH.as_millis() + LAST_WORDS.as_millis() < 800);

pub(super) struct Changes(pub(super) FrontDesk);

impl Loop for Changes {
    const NAME: &'static str = "changes";
    const PERIOD: Duration = LOOK_AGAIN;
    const ROLE: Role = Role::App;

    async fn round(&mut self) -> Result<(), StoreError> {
        self.0.tenants.look_again().await;
        self.0.read_global_settings().await
    }

    /// A revocation must be heard of in time, however much there is to look at.
    fn rest(_took: Duration) -> Duration {
        Self::PERIOD
    }
}
