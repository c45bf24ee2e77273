//! What keeps the root key, and how to get at it.

use super::{Written, hidden, set};
use anyhow::{Context, bail};
use misy_domain::Secret;

/// What keeps the root key.
#[derive(Debug, Clone)]
pub(crate) enum RootKeySettings {
    /// A file in the data directory.
    File,
    /// The settings themselves: one key, or the new one and the one before.
    Given(Secret<String>),
    /// The transit engine of HashiCorp Vault.
    Vault { addr: String, mount: String, key: String, token: Secret<String>, namespace: Option<String> },
    /// Azure Key Vault; without an application the machine's own identity is used.
    Azure {
        key: String,
        authority: String,
        tenant_id: Option<String>,
        client_id: Option<String>,
        client_secret: Option<Secret<String>>,
    },
    /// AWS KMS.
    Aws {
        key_id: String,
        region: String,
        access_key: String,
        secret_key: Secret<String>,
        session_token: Option<Secret<String>>,
        endpoint: Option<String>,
    },
}

impl RootKeySettings {
    pub(super) fn check(written: &Written) -> anyhow::Result<Self> {
        let given = hidden(&written.root_key);
        let text = |value: &str, name: &str| {
            let provider = &written.root_key_provider;
            set(value)
                .map(str::to_owned)
                .with_context(|| format!("root_key_provider {provider} needs {name}"))
        };
        Ok(match &*written.root_key_provider {
            "" => given.map_or(Self::File, Self::Given),
            "file" if given.is_some() => {
                bail!("root_key is set and root_key_provider is file: take away one of them")
            }
            "file" => Self::File,
            "environment" => Self::Given(given.context("root_key_provider environment needs root_key")?),
            "vault" => Self::Vault {
                addr: text(&written.vault_addr, "vault_addr")?,
                mount: text(&written.vault_transit_mount, "vault_transit_mount")?,
                key: text(&written.vault_transit_key, "vault_transit_key")?,
                token: Secret::new(text(&written.vault_token, "vault_token")?),
                namespace: set(&written.vault_namespace).map(str::to_owned),
            },
            "azure" => {
                let client_secret = hidden(&written.azure_client_secret);
                let tenant_id = set(&written.azure_tenant_id).map(str::to_owned);
                let client_id = set(&written.azure_client_id).map(str::to_owned);
                if tenant_id.is_some() != client_secret.is_some()
                    || (tenant_id.is_some() && client_id.is_none())
                {
                    bail!(
                        "azure_tenant_id, azure_client_id and azure_client_secret belong together; without tenant and \
                         secret the managed identity is used"
                    );
                }
                let key = text(&written.azure_key, "azure_key")?;
                let authority = text(&written.azure_authority, "azure_authority")?;
                Self::Azure { key, authority, tenant_id, client_id, client_secret }
            }
            "aws" => Self::Aws {
                key_id: text(&written.aws_kms_key_id, "aws_kms_key_id")?,
                region: text(&written.aws_region, "aws_region")?,
                access_key: text(&written.aws_access_key_id, "aws_access_key_id")?,
                secret_key: Secret::new(text(&written.aws_secret_access_key, "aws_secret_access_key")?),
                session_token: hidden(&written.aws_session_token),
                endpoint: set(&written.aws_kms_endpoint).map(str::to_owned),
            },
            other => {
                bail!("root_key_provider must be file, environment, vault, azure or aws, not {other:?}")
            }
        })
    }
}
