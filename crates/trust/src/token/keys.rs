//! The set of keys that issues and verifies tokens.

use super::{
    AUDIENCE, CLOCK_TOLERANCE, MAX_LENGTH, SigningKey, TYPE, TatClaims,
    claims::Wire,
    jws::{Compact, object},
};
use jsonwebtoken::Header;
use misy_domain::{KeyId, Timestamp};
use std::time::Duration;

/// A token is not accepted. Little is said, since all of it could reach whoever forged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token: too long, not three parts, not base64url, not the header of a token.
    #[error("is not a tenant access token")]
    Malformed,
    /// A token, but not one that this installation would have issued.
    #[error("is not a valid tenant access token")]
    Invalid,
    /// A genuine token whose time is over.
    #[error("the tenant access token has expired")]
    Expired {
        /// Its `exp`.
        at: Timestamp,
    },
}

/// A token cannot be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// No key signs at the time of `iat`.
    #[error("no signing key is active")]
    NoActiveKey,
    /// `exp` is not after `iat` or more than 24 hours later, or the epoch is negative.
    #[error("a token lives at most 24 hours and has an epoch of 0 or more")]
    Unsound,
    /// More than 4 KiB.
    #[error("the token would be too long")]
    TooLong,
    /// The key did not sign.
    #[error("the key did not sign")]
    Signing,
}

/// Keys do not make a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// Two keys have one name.
    #[error("two signing keys are called {0}")]
    Duplicate(KeyId),
}

/// The keys of this installation. Cheap to read, changed by putting a new set in its place.
#[derive(Debug, Clone)]
pub struct TokenKeys {
    issuer: String,
    keys: Vec<SigningKey>,
}

impl TokenKeys {
    /// The keys of the installation called `issuer`.
    pub fn new(issuer: impl Into<String>, keys: Vec<SigningKey>) -> Result<Self, KeyRingError> {
        let mut set = Self { issuer: issuer.into(), keys: Vec::with_capacity(keys.len()) };
        for key in keys {
            set.refuse_known(&key)?;
            set.keys.push(key);
        }
        Ok(set)
    }

    /// The `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its keys, to be stored.
    pub fn keys(&self) -> &[SigningKey] {
        &self.keys
    }

    /// Adds the next key. It is published from now on, signs from its `activates_at` on, and the keys before it sign until
    /// then; they verify for as long as a token of theirs can be alive.
    pub fn rotate(&mut self, successor: SigningKey) -> Result<(), KeyRingError> {
        self.refuse_known(&successor)?;
        // What predecessors signed before the successor was made must live its whole time.
        let takes_over = successor.record().activates_at.max(successor.record().created_at);
        for predecessor in &mut self.keys {
            predecessor.retire_no_later_than(takes_over);
        }
        self.keys.push(successor);
        Ok(())
    }

    fn refuse_known(&self, key: &SigningKey) -> Result<(), KeyRingError> {
        if self.keys.iter().any(|known| known.kid() == key.kid()) {
            return Err(KeyRingError::Duplicate(key.kid()));
        }
        Ok(())
    }

    /// A token with these claims, signed by the key that is active at their `iat`.
    pub fn issue(&self, claims: &TatClaims) -> Result<String, IssueError> {
        if !claims.are_sound() {
            return Err(IssueError::Unsound);
        }
        let key = self
            .keys
            .iter()
            .filter(|key| key.signs_at(claims.iat))
            .max_by_key(|key| key.record().activates_at)
            .ok_or(IssueError::NoActiveKey)?;
        let mut header = Header::new(key.algorithm().backend());
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key.kid().to_string());
        let token = jsonwebtoken::encode(&header, &Wire::new(claims, &self.issuer), key.encoding())
            .map_err(|_| IssueError::Signing)?;
        if token.len() > MAX_LENGTH { Err(IssueError::TooLong) } else { Ok(token) }
    }

    /// What a token says, if it is genuine and alive.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<TatClaims, TokenError> {
        self.verify_for_renewal(token, now, Duration::ZERO)
    }

    /// What a token says, if it is genuine and expired at most `grace` ago. Good for renewing it and nothing else.
    pub fn verify_for_renewal(
        &self,
        token: &str,
        now: Timestamp,
        grace: Duration,
    ) -> Result<TatClaims, TokenError> {
        let claims = self.authenticate(token, now, grace)?;
        if is_over(claims.exp, now, grace) { Err(TokenError::Expired { at: claims.exp }) } else { Ok(claims) }
    }

    /// Everything but the expiry.
    fn authenticate(&self, token: &str, now: Timestamp, grace: Duration) -> Result<TatClaims, TokenError> {
        let compact = Compact::split(token).map_err(|_| TokenError::Malformed)?;
        let header = compact.header().map_err(|_| TokenError::Malformed)?;
        if header.typ != TYPE {
            return Err(TokenError::Invalid);
        }
        let kid: KeyId = header.kid.parse().map_err(|_| TokenError::Invalid)?;
        let key = self.keys.iter().find(|key| key.kid() == kid).ok_or(TokenError::Invalid)?;
        if key.verifies_until().is_some_and(|end| is_over(end, now, grace)) {
            return Err(TokenError::Invalid);
        }
        let payload = compact.open(&header, key.verifying()).ok_or(TokenError::Invalid)?;
        let wire: Wire<'_> = object(&payload).map_err(|_| TokenError::Invalid)?;
        if wire.iss != self.issuer || wire.aud != AUDIENCE {
            return Err(TokenError::Invalid);
        }
        let claims = wire.into_claims();
        let from_the_future = claims.iat.as_second() > now.as_second() + CLOCK_TOLERANCE;
        if from_the_future || !claims.are_sound() {
            return Err(TokenError::Invalid);
        }
        Ok(claims)
    }

    /// The public keys, for `/.well-known/jwks.json`: all that a token alive now, or issued soon, may be signed with.
    pub fn jwks(&self, now: Timestamp) -> serde_json::Value {
        let alive = |key: &&SigningKey| key.verifies_until().is_none_or(|end| now < end);
        let keys: Vec<_> = self.keys.iter().filter(alive).filter_map(SigningKey::public_jwk).collect();
        serde_json::json!({ "keys": keys })
    }
}

/// Whether a time limit and the grace after it have passed.
fn is_over(limit: Timestamp, now: Timestamp, grace: Duration) -> bool {
    // A grace beyond the end of time is a mistake; none at all is the answer that lets nobody in.
    now >= limit.checked_add(grace).unwrap_or(limit)
}
