//! What is remembered between the two halves of a sign-in: for minutes, once, sealed for the browser that began.

use crate::{Database, StoreError};
use jiff_sqlx::ToSqlx;
use misy_domain::{Clock, Entropy, Timestamp};
use misy_trust::{CeremonyHandle, passkey::CEREMONY_LIFETIME};
use serde::{Serialize, de::DeserializeOwned};

impl Database {
    /// Keeps a state and gives the handle that gets it back. `kind` says which ceremony it is for.
    pub async fn begin_ceremony(
        &self,
        kind: &'static str,
        state: &impl Serialize,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<CeremonyHandle, StoreError> {
        let handle = CeremonyHandle::generate(entropy);
        let state = serde_json::to_vec(state).map_err(|_| StoreError::Unsealable("ceremonies"))?;
        let expires = clock.now().checked_add(CEREMONY_LIFETIME).unwrap_or(Timestamp::MAX);
        sqlx::query_scalar!(
            "select platform.keep_ceremony($1, $2, $3)",
            &handle.lookup()[..],
            handle.seal(kind, &state, entropy),
            expires.to_sqlx() as _
        )
        .fetch_one(self.app())
        .await?;
        Ok(handle)
    }

    /// The state that was kept, once; `None` if it is over, was taken before, or was of another kind.
    pub async fn end_ceremony<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        handle: &CeremonyHandle,
        now: Timestamp,
    ) -> Result<Option<T>, StoreError> {
        let sealed = sqlx::query_scalar!(
            "select platform.take_ceremony($1, $2)",
            &handle.lookup()[..],
            now.to_sqlx() as _
        )
        .fetch_one(self.app())
        .await?;
        let state = sealed.and_then(|sealed| handle.open(kind, &sealed));
        Ok(state.and_then(|state| serde_json::from_slice(&state).ok()))
    }
}
