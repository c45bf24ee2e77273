//! `misy enroll`: a new link for the first administrator of a tenant where nobody enrolled in time, or
//! who did left before they had a second factor.

use super::config::print;
use crate::{attached, settings::Settings};
use anyhow::Context;
use clap::Args;
use misy_domain::{SystemClock, TenantId};
use misy_store::provisioning;
use misy_trust::SystemEntropy;

#[derive(Args)]
pub(super) struct Enroll {
    /// The tenant, in which nobody has a second factor yet
    tenant: TenantId,
}

impl Enroll {
    pub(super) async fn run(&self, settings: &Settings) -> anyhow::Result<()> {
        let attached = attached::attach(settings).await?;
        let made = async {
            let mut tx = attached.database.tenant("provisioning.renew_enrollment", &self.tenant).await?;
            let made = provisioning::renew_enrollment(&mut tx, &SystemClock, &SystemEntropy::new()).await?;
            tx.commit().await?;
            anyhow::Ok(made)
        }
        .await;
        attached.detach().await;
        let enrollment = made.with_context(|| format!("no link for {}", self.tenant))?;
        let token = enrollment.token.expose();
        let link = settings.address.public_url.as_ref().map(|url| format!("{url}/enroll#token={token}"));
        let link = link.unwrap_or_else(|| format!("/enroll#token={token}"));
        print(&format!("{link}\ngood until {}, for one person\n", enrollment.expires_at))
    }
}
