//! What keeps the root key, and how to get at it.

use super::declare::{declare, hidden, set};
use anyhow::{Context, bail};
use misy_domain::Secret;

declare! {
    "The root key";
    secret root_key: String = String::new(),
        "key above all data keys, 32 bytes in base64url; while it is rotated the new one, a comma and the old one [made and kept in <data_dir>/root-key]";
    open root_key_provider: String = String::new(),
        "what keeps the root key: file, environment (root_key), vault, azure or aws [environment if root_key is set, else file]";
    open vault_addr: String = String::new(),
        "HashiCorp Vault, such as https://vault.internal:8200";
    secret vault_token: String = String::new(),
        "its token, which may encrypt and decrypt with the key";
    open vault_namespace: String = String::new(),
        "its namespace [none]";
    open vault_transit_mount: String = "transit".into(),
        "where its transit engine is mounted [transit]";
    open vault_transit_key: String = "misy".into(),
        "its key, of a type with associated data such as aes256-gcm96 [misy]";
    open azure_key: String = String::new(),
        "RSA key of an Azure Key Vault: https://<vault>.vault.azure.net/keys/<name>";
    open azure_tenant_id: String = String::new(),
        "directory of the application that may wrap and unwrap [the managed identity is used]";
    open azure_client_id: String = String::new(),
        "the application, or which of several managed identities";
    secret azure_client_secret: String = String::new(),
        "secret of the application";
    open azure_authority: String = "https://login.microsoftonline.com".into(),
        "where its tokens come from [https://login.microsoftonline.com]";
    open aws_kms_key_id: String = String::new(),
        "id or ARN of a symmetric key of AWS KMS";
    open aws_region: String = String::new(),
        "its region, such as eu-west-1";
    open aws_access_key_id: String = String::new(),
        "id of the access key that may encrypt and decrypt";
    secret aws_secret_access_key: String = String::new(),
        "the access key";
    secret aws_session_token: String = String::new(),
        "session token of temporary credentials [none]";
    open aws_kms_endpoint: String = String::new(),
        "another address of KMS, such as a VPC endpoint [https://kms.<region>.amazonaws.com]";
}

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

pub(super) fn check(written: &Written) -> anyhow::Result<RootKeySettings> {
    let given = hidden(&written.root_key);
    let text = |value: &str, name: &str| {
        let provider = &written.root_key_provider;
        set(value).map(str::to_owned).with_context(|| format!("root_key_provider {provider} needs {name}"))
    };
    Ok(match &*written.root_key_provider {
        "" => given.map_or(RootKeySettings::File, RootKeySettings::Given),
        "file" if given.is_some() => {
            bail!("root_key is set and root_key_provider is file: take away one of them")
        }
        "file" => RootKeySettings::File,
        "environment" => {
            RootKeySettings::Given(given.context("root_key_provider environment needs root_key")?)
        }
        "vault" => RootKeySettings::Vault {
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
            if tenant_id.is_some() != client_secret.is_some() || (tenant_id.is_some() && client_id.is_none())
            {
                bail!(
                    "azure_tenant_id, azure_client_id and azure_client_secret belong together; without tenant and \
                         secret the managed identity is used"
                );
            }
            let key = text(&written.azure_key, "azure_key")?;
            let authority = text(&written.azure_authority, "azure_authority")?;
            RootKeySettings::Azure { key, authority, tenant_id, client_id, client_secret }
        }
        "aws" => RootKeySettings::Aws {
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
