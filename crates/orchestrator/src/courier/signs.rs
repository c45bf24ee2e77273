//! Tells contacts that what they wrote was read and is being answered. A sign and no message: nobody waits for it, and where the
//! vendor is slow or refuses it, it is left out.

use super::Courier;
use crate::worker::WorkError;
use misy_channels::{Read, vendor};
use misy_domain::{ChannelAccountId, ConversationId, TenantId};
use misy_store::{channels, credentials::keys_of};
use std::{fmt, sync::Arc};
use tokio::sync::Semaphore;
use tracing::debug;

/// Signs that are under way at a time; what is more is left out.
const AT_A_TIME: usize = 32;

/// Makes signs.
#[derive(Clone)]
pub struct Signs {
    courier: Arc<Courier>,
    places: Arc<Semaphore>,
}

impl fmt::Debug for Signs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signs").finish_non_exhaustive()
    }
}

impl Signs {
    pub(super) fn of(courier: Courier) -> Self {
        Self { courier: Arc::new(courier), places: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// Somebody who wrote on an account is told that they are read and answered, if their vendor can tell that.
    pub(crate) fn reading(&self, tenant: &TenantId, account: ChannelAccountId, conversation: ConversationId) {
        let Ok(place) = self.places.clone().try_acquire_owned() else { return };
        let (courier, tenant) = (self.courier.clone(), tenant.clone());
        tokio::spawn(async move {
            if let Err(error) = courier.tell_reading(&tenant, account, conversation).await {
                debug!(code = error.trouble().code(), "somebody could not be told that they are read");
            }
            drop(place);
        });
    }
}

impl Courier {
    async fn tell_reading(
        &self,
        tenant: &TenantId,
        account: ChannelAccountId,
        conversation: ConversationId,
    ) -> Result<(), WorkError> {
        let keys = keys_of(&self.vault, &self.database, tenant).await?;
        let mut tx = self.database.tenant_work("channels.last_heard", tenant).await?;
        let heard = channels::last_heard(&mut tx, &keys, account, conversation).await?;
        tx.commit().await?;
        let Some(heard) = heard else { return Ok(()) };
        let Some(vendor) = vendor(heard.channel) else { return Ok(()) };
        let credentials = &heard.account.credentials;
        let read = Read { writer: &heard.writer, message: &heard.message };
        for call in vendor.reading(&heard.account.vendor_account_id, &read, &credentials.access_token) {
            let answer = self.call(call.proved(&credentials.app_secret, &credentials.access_token)).await;
            match answer {
                Ok(answer) if answer.status.is_success() => {}
                Ok(answer) => {
                    debug!(status = %answer.status, "the vendor does not tell that somebody is read");
                }
                Err(error) => debug!(%error, "the vendor could not be asked"),
            }
        }
        Ok(())
    }
}
