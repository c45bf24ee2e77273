//! Who runs the platform, and who may join it.

use super::declare::{declare, hidden};
use anyhow::{Context, bail};
use misy_domain::{Secret, TenantId};
use misy_front_desk::SelfRegistration;

declare! {
    "The owner and registration";
    secret bootstrap_secret: String = String::new(),
        "one-time secret that registers the owner, at least 10 characters [made and kept in <data_dir>/bootstrap-secret]";
    open owner_tenant_id: String = "colombiatic".into(),
        "id of the tenant that runs the platform [colombiatic]";
    open self_registration: String = "invite".into(),
        "who may register tenants: open, invite (the owner) or off [invite]";
}

/// A shorter bootstrap secret could be guessed over the network in spite of the limit on attempts.
const SHORTEST_SECRET: usize = 10;

/// Who runs the platform, and who may join it.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    /// Registers the owner.
    pub(crate) bootstrap_secret: Option<Secret<String>>,
    /// The owner's id.
    pub(crate) id: TenantId,
    /// Who may register tenants.
    pub(crate) self_registration: SelfRegistration,
}

pub(super) fn check(written: &Written) -> anyhow::Result<Owner> {
    let bootstrap_secret = hidden(&written.bootstrap_secret);
    if bootstrap_secret.as_ref().is_some_and(|secret| secret.expose().len() < SHORTEST_SECRET) {
        bail!("bootstrap_secret must have at least {SHORTEST_SECRET} characters");
    }
    let self_registration = match &*written.self_registration {
        "open" => SelfRegistration::Open,
        "invite" => SelfRegistration::Invite,
        "off" => SelfRegistration::Off,
        other => bail!("self_registration must be open, invite or off, not {other:?}"),
    };
    let id = written.owner_tenant_id.parse().context("owner_tenant_id")?;
    Ok(Owner { bootstrap_secret, id, self_registration })
}
