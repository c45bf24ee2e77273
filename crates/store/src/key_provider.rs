//! Key management services that keep the root key from lying about: each wraps a root key of ours, which is stored wrapped
//! and unwrapped once, at the start. So the service is asked at starts and rotations only, not for each tenant, and when it
//! is down a running program goes on. See ADR 7.

mod aws;
mod azure;
mod vault;

pub use aws::AwsKms;
pub use azure::{AzureIdentity, AzureKeyVault};
pub use vault::VaultTransit;

use crate::{Database, StoreError, SystemTx};
use misy_domain::{Entropy, Secret};
use misy_egress::{Egress, EgressError, Reach, Request, Response};
use misy_trust::RootKey;
use sqlx::Executor;
use std::time::Duration;

/// A key management service cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyProviderError {
    /// It was not reached, or gave no whole answer in time.
    #[error("{provider} was not reached: {source}")]
    Unreachable {
        /// Which service.
        provider: &'static str,
        /// Why.
        source: EgressError,
    },
    /// It is overloaded or down.
    #[error("{provider} cannot answer now (status {status})")]
    Unavailable {
        /// Which service.
        provider: &'static str,
        /// What it said.
        status: u16,
    },
    /// It does not accept our credentials, or they may not use the key.
    #[error(
        "{provider} refuses our credentials (status {status}): check them and what they may do with the key"
    )]
    Denied {
        /// Which service.
        provider: &'static str,
        /// What it said.
        status: u16,
    },
    /// It refuses the request: there is no such key, or it did not wrap this.
    #[error("{provider} refuses the request (status {status}): is the key there, and did it wrap this?")]
    Refused {
        /// Which service.
        provider: &'static str,
        /// What it said.
        status: u16,
    },
    /// Its answer is not what its protocol says, or is about another key.
    #[error("{provider} gave a wrong answer")]
    WrongAnswer {
        /// Which service.
        provider: &'static str,
    },
    /// A setting cannot be used.
    #[error("the settings of {provider} cannot be used: {problem}")]
    Settings {
        /// Which service.
        provider: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}

impl KeyProviderError {
    /// Whether the same may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => source.is_transient(),
            Self::Unavailable { .. } => true,
            _ => false,
        }
    }
}

/// A key management service with the key that wraps ours.
#[derive(Clone)]
pub enum Kms {
    /// The transit engine of HashiCorp Vault.
    Vault(VaultTransit),
    /// Azure Key Vault.
    Azure(AzureKeyVault),
    /// AWS KMS.
    Aws(AwsKms),
}

impl Kms {
    /// Its name in the settings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Vault(_) => "vault",
            Self::Azure(_) => "azure",
            Self::Aws(_) => "aws",
        }
    }

    /// A root key as it is stored.
    pub async fn wrap(&self, key: &RootKey) -> Result<String, KeyProviderError> {
        let bound = bound_to(key.version());
        match self {
            Self::Vault(vault) => vault.wrap(key.bytes(), &bound).await,
            Self::Azure(azure) => azure.wrap(key.bytes()).await,
            Self::Aws(aws) => aws.wrap(key.bytes(), &bound).await,
        }
    }

    /// The root key of this version from what [`Kms::wrap`] gave. A service that answers with another key is not believed.
    pub async fn unwrap(&self, version: u32, wrapped: &str) -> Result<RootKey, KeyProviderError> {
        let bound = bound_to(version);
        let key = match self {
            Self::Vault(vault) => vault.unwrap(wrapped, &bound).await?,
            Self::Azure(azure) => azure.unwrap(wrapped).await?,
            Self::Aws(aws) => aws.unwrap(wrapped, &bound).await?,
        };
        let key = RootKey::new(key);
        let provider = self.name();
        if key.version() == version { Ok(key) } else { Err(KeyProviderError::WrongAnswer { provider }) }
    }

    /// Wraps a key made for this purpose and unwraps it again.
    pub async fn check(&self, entropy: &dyn Entropy) -> Result<(), KeyProviderError> {
        let (key, _) = RootKey::generate(entropy);
        let wrapped = self.wrap(&key).await?;
        self.unwrap(key.version(), &wrapped).await.map(|_| ())
    }

    /// The root keys that are stored, the newest first.
    pub async fn root_keys(&self, database: &Database) -> Result<Vec<RootKey>, StoreError> {
        let rows = sqlx::query!(
            "select version, wrapped_key from platform.root_keys where provider = $1 order by created_at desc",
            self.name()
        )
        .fetch_all(database.app())
        .await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            let version = u32::try_from(row.version).map_err(|_| StoreError::Unsealable("root_keys"))?;
            keys.push(self.unwrap(version, &row.wrapped_key).await?);
        }
        Ok(keys)
    }

    /// The version of the newest root key that is stored; the service is not asked.
    pub async fn newest_version(&self, database: &Database) -> Result<Option<u32>, StoreError> {
        let version = sqlx::query_scalar!(
            "select version from platform.root_keys where provider = $1 order by created_at desc limit 1",
            self.name()
        )
        .fetch_optional(database.app())
        .await?;
        Ok(version.and_then(|version| u32::try_from(version).ok()))
    }

    /// The root keys that are stored; the first one is made.
    pub async fn load_or_create(
        &self,
        database: &Database,
        entropy: &dyn Entropy,
    ) -> Result<Vec<RootKey>, StoreError> {
        let keys = self.root_keys(database).await?;
        if !keys.is_empty() {
            return Ok(keys);
        }
        let mut tx = database.system("root_keys.create").await?;
        tx.connection().execute("lock table platform.root_keys in share row exclusive mode").await?;
        // Somebody else may have made one while we waited.
        let keys = self.root_keys(database).await?;
        if !keys.is_empty() {
            return Ok(keys);
        }
        let key = self.add(&mut tx, entropy).await?;
        tx.commit().await?;
        Ok(vec![key])
    }

    /// Makes a root key and stores it wrapped, in this transaction. It is stored only after the service has shown that it
    /// can unwrap it.
    pub async fn add(&self, tx: &mut SystemTx, entropy: &dyn Entropy) -> Result<RootKey, StoreError> {
        let (key, _) = RootKey::generate(entropy);
        let wrapped = self.wrap(&key).await?;
        self.unwrap(key.version(), &wrapped).await?;
        sqlx::query!(
            "insert into platform.root_keys (version, provider, wrapped_key) values ($1, $2, $3)",
            i64::from(key.version()),
            self.name(),
            wrapped,
        )
        .execute(tx.connection())
        .await?;
        Ok(key)
    }

    /// Forgets all root keys of this service but one.
    pub async fn keep_only(&self, tx: &mut SystemTx, version: u32) -> Result<u64, StoreError> {
        let gone = sqlx::query!(
            "delete from platform.root_keys where provider = $1 and version <> $2",
            self.name(),
            i64::from(version),
        )
        .execute(tx.connection())
        .await?;
        Ok(gone.rows_affected())
    }
}

/// What a wrapped root key is bound to, where the service can bind it to something.
fn bound_to(version: u32) -> String {
    format!("misy-root-key-{version:08x}")
}

const ATTEMPTS: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Sends a request until it is answered for good: wrapping and unwrapping can be done twice without harm.
async fn send(
    provider: &'static str,
    egress: &Egress,
    reach: Reach,
    mut request: impl FnMut() -> Result<Request, KeyProviderError>,
) -> Result<Response, KeyProviderError> {
    let mut wait = FIRST_WAIT;
    for attempt in 1.. {
        let error = match egress.send(reach, request()?).await {
            Ok(answer) => match verdict(provider, &answer) {
                None => return Ok(answer),
                Some(error) => {
                    wait = wait.max(retry_after(&answer));
                    error
                }
            },
            Err(source) => KeyProviderError::Unreachable { provider, source },
        };
        if !error.is_transient() || attempt >= ATTEMPTS {
            return Err(error);
        }
        tracing::warn!(%error, attempt, "a key management service is asked again");
        tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
        wait *= 2;
    }
    Err(KeyProviderError::WrongAnswer { provider })
}

fn verdict(provider: &'static str, answer: &Response) -> Option<KeyProviderError> {
    let status = answer.status.as_u16();
    // AWS throttles with 400.
    let throttled = status == 400 && contains(&answer.body, b"ThrottlingException");
    match status {
        200 => None,
        429 | 500..=599 => Some(KeyProviderError::Unavailable { provider, status }),
        _ if throttled => Some(KeyProviderError::Unavailable { provider, status }),
        401 | 403 => Some(KeyProviderError::Denied { provider, status }),
        400 if contains(&answer.body, b"AccessDeniedException")
            || contains(&answer.body, b"UnrecognizedClientException") =>
        {
            Some(KeyProviderError::Denied { provider, status })
        }
        _ => Some(KeyProviderError::Refused { provider, status }),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn retry_after(answer: &Response) -> Duration {
    let seconds = answer.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or_default())
}

/// 32 bytes from a service's answer.
fn key_of(provider: &'static str, mut bytes: Vec<u8>) -> Result<Secret<[u8; 32]>, KeyProviderError> {
    use zeroize::Zeroize;
    let key = <[u8; 32]>::try_from(bytes.as_slice()).map(Secret::new);
    bytes.zeroize();
    key.map_err(|_| KeyProviderError::WrongAnswer { provider })
}
