//! Learns of data keys that another process made, so that they seal here well within a second.

use misy_front_desk::FrontDesk;
use misy_store::{Database, StoreError, database::Role, loops::Loop, vault::Follower};
use std::time::Duration;

pub(super) struct DataKeys {
    follower: Follower,
    database: Database,
}

impl DataKeys {
    pub(super) fn new(desk: &FrontDesk) -> Self {
        Self { follower: desk.vault.follower(), database: desk.database.clone() }
    }
}

impl Loop for DataKeys {
    const NAME: &'static str = "data_keys";
    const PERIOD: Duration = misy_store::vault::LOOK;
    const ROLE: Role = Role::Worker;

    async fn round(&mut self) -> Result<(), StoreError> {
        self.follower.round(&self.database).await
    }
}
