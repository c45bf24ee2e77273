//! Key management services that keep the root key from lying about: each wraps a root key of ours, which is stored wrapped
//! and unwrapped once, at the start. So the service is asked at starts and rotations only, not for each tenant, and when it
//! is down a running program goes on. See ADR 7.

mod aws;
mod azure;
mod vault;

pub use aws::AwsKms;
pub use azure::{AzureIdentity, AzureKeyVault};
pub use vault::VaultTransit;

use crate::{Database, StoreError, SystemTx, signing_keys};
use misy_domain::{Entropy, Secret};
use misy_egress::{Egress, EgressError, Reach, Request, Response};
use misy_trust::RootKey;
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

    /// The root keys that are stored, the newest first. `before` are those of another provider that are known.
    ///
    /// The oldest is believed because nothing can be put before it, or because one of `before` vouches for it; each other
    /// one because a key before it does. What is none of ours is set aside.
    pub async fn root_keys(
        &self,
        database: &Database,
        before: &[RootKey],
    ) -> Result<Vec<RootKey>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "select generation, version, wrapped_key, seal, links from platform.root_keys
             where provider = $1 order by generation",
            self.name()
        )
        .fetch_all(database.app())
        .await?;
        let mut keys: Vec<RootKey> = Vec::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            match self.open(row).await {
                Ok(key) if row.is_vouched_for(self.name(), before.iter().chain(&keys)) => keys.push(key),
                Ok(key) if place == 0 && before.is_empty() => keys.push(key),
                Ok(_) if place == 0 => return Err(StoreError::ForeignRootKey),
                Err(error) if place == 0 || !is_of_the_row(&error) => return Err(error),
                Ok(_) | Err(_) => {
                    let generation = row.generation;
                    tracing::error!(
                        provider = self.name(),
                        generation,
                        "a root key is none of ours and is set aside"
                    );
                    metrics::counter!("misy_keys_set_aside_total", "table" => "root_keys").increment(1);
                }
            }
        }
        keys.reverse();
        Ok(keys)
    }

    async fn open(&self, row: &Row) -> Result<RootKey, StoreError> {
        let broken = || StoreError::Unsealable(TABLE);
        let key = self.unwrap(u32::try_from(row.version).map_err(|_| broken())?, &row.wrapped_key).await?;
        if row.seal == sealed(&key, self.name(), row.generation) { Ok(key) } else { Err(broken()) }
    }

    /// The version of the newest root key that is stored; the service is not asked.
    pub async fn newest_version(&self, database: &Database) -> Result<Option<u32>, StoreError> {
        let version = sqlx::query_scalar!(
            "select version from platform.root_keys where provider = $1 order by generation desc limit 1",
            self.name()
        )
        .fetch_optional(database.app())
        .await?;
        Ok(version.and_then(|version| u32::try_from(version).ok()))
    }

    /// The root keys that are stored; the first one is made, unless something is wrapped by one that is not there.
    pub async fn load_or_create(
        &self,
        database: &Database,
        before: &[RootKey],
        entropy: &dyn Entropy,
    ) -> Result<Vec<RootKey>, StoreError> {
        let keys = self.root_keys(database, before).await?;
        if !keys.is_empty() {
            return Ok(keys);
        }
        let mut tx = database.system("root_keys.create").await?;
        signing_keys::lock(&mut tx).await?;
        // Somebody else may have made one while we waited.
        let keys = self.root_keys(database, before).await?;
        if !keys.is_empty() {
            return Ok(keys);
        }
        if before.is_empty() && has_data_keys(database).await? {
            return Err(StoreError::RootKeyGone);
        }
        let key = self.add(&mut tx, before, entropy).await?;
        tx.commit().await?;
        Ok(vec![key])
    }

    /// Makes a root key and stores it wrapped, in this transaction; those that are known vouch for it. It is stored only after
    /// the service has shown that it can unwrap it.
    pub async fn add(
        &self,
        tx: &mut SystemTx,
        known: &[RootKey],
        entropy: &dyn Entropy,
    ) -> Result<RootKey, StoreError> {
        let (key, _) = RootKey::generate(entropy);
        let wrapped = self.wrap(&key).await?;
        self.unwrap(key.version(), &wrapped).await?;
        let generation = sqlx::query_scalar!(
            r#"select coalesce(max(generation), 0) + 1 as "next!" from platform.root_keys where provider = $1"#,
            self.name()
        )
        .fetch_one(tx.connection())
        .await?;
        let seal = sealed(&key, self.name(), generation);
        let links: Vec<Vec<u8>> = known
            .iter()
            .take(MOST_LINKS)
            .map(|known| linked(known, self.name(), generation, &seal))
            .collect();
        let is_added = sqlx::query_scalar!(
            r#"select platform.add_root_key($1, $2, $3, $4, $5, $6, $7) as "added!""#,
            self.name(),
            generation,
            i64::from(key.version()),
            wrapped,
            seal,
            &links,
            &misy_trust::sha256(&word(&key, self.name(), generation))[..]
        )
        .fetch_one(tx.connection())
        .await?;
        if is_added { Ok(key) } else { Err(StoreError::Refused("another root key was added meanwhile")) }
    }

    /// Forgets all of these root keys of this service but one.
    pub async fn keep_only(
        &self,
        tx: &mut SystemTx,
        keys: &[RootKey],
        version: u32,
    ) -> Result<u64, StoreError> {
        let rows = sqlx::query!(
            "select generation, version from platform.root_keys where provider = $1",
            self.name()
        )
        .fetch_all(tx.connection())
        .await?;
        let mut gone = 0;
        for row in rows.into_iter().filter(|row| row.version != i64::from(version)) {
            for key in keys.iter().filter(|key| i64::from(key.version()) == row.version) {
                let is_gone = sqlx::query_scalar!(
                    r#"select platform.drop_root_key($1, $2, $3) as "dropped!""#,
                    self.name(),
                    row.generation,
                    word(key, self.name(), row.generation)
                )
                .fetch_one(tx.connection())
                .await?;
                gone += u64::from(is_gone);
            }
        }
        Ok(gone)
    }
}

/// Whether something is wrapped by a root key already: then none may be made out of nothing.
pub async fn has_data_keys(database: &Database) -> Result<bool, StoreError> {
    let mut tx = database.system("root_keys.in_use").await?;
    let found = sqlx::query_scalar!(r#"select exists (select from data_keys) as "found!""#)
        .fetch_one(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(found)
}

const TABLE: &str = "root_keys";
/// So many keys vouch for a new one at most: those of a rotation, and of the provider before.
const MOST_LINKS: usize = 16;

/// A root key as it is stored.
struct Row {
    generation: i64,
    version: i64,
    wrapped_key: String,
    seal: Vec<u8>,
    links: Vec<Vec<u8>>,
}

impl Row {
    fn is_vouched_for<'a>(&self, provider: &str, mut known: impl Iterator<Item = &'a RootKey>) -> bool {
        known.any(|known| self.links.contains(&linked(known, provider, self.generation, &self.seal)))
    }
}

/// That the holder of a root key put it there, of this service and in this place.
fn sealed(key: &RootKey, provider: &str, generation: i64) -> Vec<u8> {
    key.blind_index(TABLE, "seal").of(format!("{provider}\n{generation}").as_bytes()).to_vec()
}

/// That the holder of a root key knows the one of this seal.
fn linked(known: &RootKey, provider: &str, generation: i64, seal: &[u8]) -> Vec<u8> {
    let text = [format!("{provider}\n{generation}\n").as_bytes(), seal].concat();
    known.blind_index(TABLE, "links").of(&text).to_vec()
}

/// The word by which the holder of a root key may take it away.
fn word(key: &RootKey, provider: &str, generation: i64) -> Vec<u8> {
    key.blind_index(TABLE, "release").of(format!("{provider}\n{generation}").as_bytes()).to_vec()
}

/// Tells a row that is none of ours from a service that cannot be used now.
fn is_of_the_row(error: &StoreError) -> bool {
    use KeyProviderError::{Refused, WrongAnswer};
    matches!(error, StoreError::Unsealable(_) | StoreError::KeyProvider(Refused { .. } | WrongAnswer { .. }))
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
