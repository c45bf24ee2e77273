//! The root keys, from where the settings say.

use crate::settings::{RootKeySettings, Settings};
use anyhow::Context;
use misy_domain::{Clock, Entropy};
use misy_egress::{Egress, EgressSettings};
use misy_store::{
    Database, Roots, StoreError,
    key_provider::{self, AwsKms, AzureIdentity, AzureKeyVault, Kms, VaultTransit},
    vault::KeySource,
};
use misy_trust::{KeyProvider, RootKey, sigv4::Credentials};
use std::{fs, path::PathBuf, sync::Arc};
use tracing::warn;

/// Where the file with the root key stands.
pub(crate) fn file(settings: &Settings) -> PathBuf {
    settings.data_dir.join("root-key")
}

/// The way out, as the operator allows it.
pub(crate) fn egress(settings: &Settings) -> anyhow::Result<Egress> {
    if settings.egress.allow_loopback {
        warn!(
            "MISY_EGRESS_ALLOW_LOOPBACK is on: outgoing calls may reach this machine. Never use it in production"
        );
    }
    let (allow_loopback, extra_roots) = (settings.egress.allow_loopback, extra_roots(settings)?);
    Ok(Egress::new(EgressSettings { allow_loopback, extra_roots, ..EgressSettings::default() })?)
}

/// The authorities that are trusted besides the machine's own.
pub(crate) fn extra_roots(settings: &Settings) -> anyhow::Result<Option<Vec<u8>>> {
    let file = settings.egress.ca_file.as_ref();
    file.map(|path| fs::read(path).with_context(|| format!("egress_ca_file {}", path.display()))).transpose()
}

/// The key management service of the settings, if one is named.
pub(crate) fn kms(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<Kms>> {
    let kms = match &settings.root_key {
        RootKeySettings::File | RootKeySettings::Given(_) => return Ok(None),
        RootKeySettings::Vault { addr, mount, key, token, namespace } => {
            let egress = egress(settings)?;
            Kms::Vault(VaultTransit::new(egress, addr, mount, key, token, namespace.as_deref())?)
        }
        RootKeySettings::Azure { key, authority, tenant_id, client_id, client_secret } => {
            let identity = match (tenant_id, client_id, client_secret) {
                (Some(tenant), Some(client_id), Some(client_secret)) => AzureIdentity::Application {
                    authority: authority.clone(),
                    tenant: tenant.clone(),
                    client_id: client_id.clone(),
                    client_secret: client_secret.clone(),
                },
                _ => AzureIdentity::Managed { client_id: client_id.clone(), endpoint: None },
            };
            Kms::Azure(AzureKeyVault::new(egress(settings)?, clock.clone(), key, identity)?)
        }
        RootKeySettings::Aws { key_id, region, access_key, secret_key, session_token, endpoint } => {
            let credentials = Credentials {
                access_key: access_key.clone(),
                secret_key: secret_key.clone(),
                region: region.clone(),
                service: "kms",
            };
            let (token, endpoint) = (session_token.clone(), endpoint.as_deref());
            Kms::Aws(AwsKms::new(egress(settings)?, clock.clone(), key_id, credentials, token, endpoint)?)
        }
    };
    Ok(Some(kms))
}

/// The root keys. With a key management service, the file of before still unwraps what it wrapped.
pub(crate) async fn load(
    settings: &Settings,
    database: &Database,
    clock: &Arc<dyn Clock>,
    entropy: &dyn Entropy,
) -> anyhow::Result<Roots> {
    if let RootKeySettings::Given(text) = &settings.root_key {
        let keys = RootKey::parse_all(text.expose()).context("root_key must be 32 bytes in base64url")?;
        return Ok(Roots::fixed(keys));
    }
    let file = KeyProvider::File(file(settings));
    let Some(kms) = kms(settings, clock)? else {
        if !self::file(settings).exists() && key_provider::has_data_keys(database).await? {
            return Err(StoreError::RootKeyGone.into());
        }
        file.load(entropy)?;
        return Ok(Roots::new(file.load_all()?, KeySource::Local(file)));
    };
    let before = if self::file(settings).exists() { file.load_all()? } else { Vec::new() };
    let keys = kms
        .load_or_create(database, &before, entropy)
        .await
        .with_context(|| format!("the root key cannot be had from {}", kms.name()))?;
    let all = [keys, before.clone()].concat();
    Ok(Roots::new(all, KeySource::Remote(Box::new(kms), database.clone(), before)))
}
