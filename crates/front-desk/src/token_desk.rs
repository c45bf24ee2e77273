//! Tokens: the keys that sign them, and what was found out about those that were seen before.

use crate::{
    problem::{Code, Problem},
    tenant_state::TenantState,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use misy_domain::{Clock, KeyId, Timestamp};
use misy_store::{Database, StoreError, Vault, signing_keys};
use misy_trust::{Algorithm, RequestKey, TatClaims, TokenError, TokenKeys};
use moka::sync::Cache;
use serde::Deserialize;
use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// What all tokens together may take in memory: some 100,000 of them.
const MOST_BYTES: u64 = 128 * 1024 * 1024;
/// What a token takes beside its claims: the entry, and two texts of 30 characters.
const ENTRY_BYTES: usize = 256;
/// How often an unknown key may make us look whether another replica has made one.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How often a token is looked for among the revoked ones. The snapshot of its tenant tells of a longer time than this, so
/// that nothing falls between.
const LOOK_UP: Duration = Duration::from_secs(80);

/// A token that was found genuine.
pub struct KnownToken {
    /// What it says.
    pub claims: TatClaims,
    /// Its SHA-256, which is signed with each request.
    pub sha256: [u8; 32],
    /// `jti` and `family` as text, for limits and records.
    pub jti: String,
    /// See `jti`.
    pub family: String,
    bound: OnceLock<RequestKey>,
    /// When it was last looked for among the revoked ones.
    looked_up: Mutex<Option<Instant>>,
    /// What it takes in memory, about.
    bytes: u32,
}

impl KnownToken {
    fn new(claims: TatClaims, token: &str, sha256: [u8; 32]) -> Self {
        let (jti, family) = (claims.jti.to_string(), claims.family.to_string());
        // Its claims take no more than they did in the token, which writes them in base64.
        let bytes = u32::try_from(size_of::<Self>() + token.len() + ENTRY_BYTES).unwrap_or(u32::MAX);
        Self { claims, sha256, jti, family, bound: OnceLock::new(), looked_up: Mutex::default(), bytes }
    }

    /// The key bound to it, derived once.
    pub fn bound_key(&self, keys: &misy_store::TenantKeys) -> &RequestKey {
        let claims = &self.claims;
        self.bound.get_or_init(|| {
            misy_trust::bound_key(&keys.signing_root, claims.jti, &claims.tenant_id, &claims.site_id)
        })
    }
}

/// Issues and checks tokens.
pub struct TokenDesk {
    database: Database,
    vault: Vault,
    clock: Arc<dyn Clock>,
    issuer: String,
    algorithm: Algorithm,
    keys: RwLock<Arc<TokenKeys>>,
    looked_at: tokio::sync::Mutex<Instant>,
    seen: Cache<[u8; 32], Arc<KnownToken>>,
}

impl TokenDesk {
    /// With keys that were loaded.
    pub fn new(
        database: Database,
        vault: Vault,
        clock: Arc<dyn Clock>,
        algorithm: Algorithm,
        keys: TokenKeys,
    ) -> Self {
        Self {
            database,
            vault,
            clock,
            issuer: keys.issuer().to_owned(),
            algorithm,
            keys: RwLock::new(Arc::new(keys)),
            looked_at: tokio::sync::Mutex::new(Instant::now()),
            seen: Cache::builder()
                .weigher(|_, known: &Arc<KnownToken>| known.bytes)
                .max_capacity(MOST_BYTES)
                .time_to_idle(Duration::from_mins(30))
                .build(),
        }
    }

    /// The keys of this moment.
    pub fn keys(&self) -> Arc<TokenKeys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the keys again, after making a new one if it is time.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        signing_keys::rotate_if_due(&self.database, &self.vault, self.algorithm, &*self.clock).await?;
        self.reload().await
    }

    /// Makes a successor of the present key now.
    pub async fn rotate(&self) -> Result<(), StoreError> {
        signing_keys::rotate(&self.database, &self.vault, self.algorithm, &*self.clock, None).await?;
        self.reload().await
    }

    async fn reload(&self) -> Result<(), StoreError> {
        let keys = signing_keys::load(&self.database, &self.vault, &self.issuer, self.clock.now()).await?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    /// What a token says, if it is genuine and alive.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<KnownToken>, Problem> {
        let sha256 = misy_trust::sha256(token.as_bytes());
        if let Some(known) = self.seen.get(&sha256) {
            if now < known.claims.exp {
                return Ok(known);
            }
            self.seen.invalidate(&sha256);
            return Err(Problem::unauthorized(Code::TokenExpired));
        }
        let known = self.verify_first(token, sha256, now, Duration::ZERO).await?;
        self.seen.insert(sha256, known.clone());
        Ok(known)
    }

    /// What a token says, if it is genuine and expired at most `grace` ago; good for renewing it only.
    pub async fn verify_for_renewal(
        &self,
        token: &str,
        now: Timestamp,
        grace: Duration,
    ) -> Result<Arc<KnownToken>, Problem> {
        self.verify_first(token, misy_trust::sha256(token.as_bytes()), now, grace).await
    }

    async fn verify_first(
        &self,
        token: &str,
        sha256: [u8; 32],
        now: Timestamp,
        grace: Duration,
    ) -> Result<Arc<KnownToken>, Problem> {
        let mut result = self.keys().verify_for_renewal(token, now, grace);
        if result == Err(TokenError::Invalid) && self.is_of_unknown_key(token) && self.look_again().await {
            result = self.keys().verify_for_renewal(token, now, grace);
        }
        Ok(Arc::new(KnownToken::new(result?, token, sha256)))
    }

    /// Whether the header names a key that we have not got.
    fn is_of_unknown_key(&self, token: &str) -> bool {
        #[derive(Deserialize)]
        struct Header {
            kid: KeyId,
        }
        let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
        let header = header.and_then(|json| serde_json::from_slice::<Header>(&json).ok());
        header.is_some_and(|header| !self.keys().keys().iter().any(|key| key.kid() == header.kid))
    }

    /// Reads the keys again unless that was done a moment ago.
    async fn look_again(&self) -> bool {
        let mut looked_at = self.looked_at.lock().await;
        if looked_at.elapsed() < LOOK_AGAIN {
            return false;
        }
        *looked_at = Instant::now();
        match self.reload().await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "signing keys could not be read");
                false
            }
        }
    }

    /// Whether a genuine token was revoked at any time. The state of its tenant tells of the last two minutes; of the time
    /// before, the database does, when the token is seen first and now and then.
    pub async fn was_revoked(&self, token: &KnownToken, state: &TenantState) -> Result<bool, StoreError> {
        let claims = &token.claims;
        if state.has_revoked(claims) {
            return Ok(true);
        }
        let asked_at = Instant::now();
        let looked_up = *token.looked_up.lock().unwrap_or_else(PoisonError::into_inner);
        if looked_up.is_some_and(|at| at.elapsed() < LOOK_UP) && !state.revokes_much() {
            return Ok(false);
        }
        let (tenant, now) = (&claims.tenant_id, self.clock.now());
        let revoked = self.database.token_is_revoked(tenant, claims.jti, claims.family, now).await?;
        if revoked {
            self.seen.invalidate(&token.sha256);
        } else {
            *token.looked_up.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked_at);
        }
        Ok(revoked)
    }

    /// Forgets a token that was revoked.
    pub fn forget(&self, token: &str) {
        self.seen.invalidate(&misy_trust::sha256(token.as_bytes()));
    }
}
