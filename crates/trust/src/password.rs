//! Passwords as they are stored: Argon2id (RFC 9106), then an HMAC with a pepper that is not stored beside them. The text names
//! its own cost.
//!
//! All accounts of one e-mail address have the same salt. So a password is compared with however many of them by one run of
//! Argon2, and nobody makes somebody else's sign-in dear, or leaves an account of theirs out, by adding accounts.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use misy_domain::Secret;

/// Not the name of plain Argon2id, whose tag is another one.
const NAME: &str = "argon2id-hmac";

/// What one guess costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for PasswordCost {
    /// The first choice of the OWASP Password Storage Cheat Sheet for Argon2id: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

/// A password cannot be hashed, which happens only with a cost that Argon2 does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password cannot be hashed")]
pub struct HashError;

/// What a stored hash says of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCheck {
    /// It is another one.
    Wrong,
    /// It is this one.
    Right {
        /// Whether it was hashed at another cost than the present one, so that it should be hashed again.
        outdated: bool,
    },
}

/// What of a password is slow to compute: the same for all accounts of one address, whose salt they share.
#[derive(Clone)]
pub struct Stretched(Secret<[u8; 32]>);

/// How a stored hash was made: what must be stretched to compare with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretching {
    cost: PasswordCost,
    salt: [u8; 16],
}

impl Stretching {
    /// At a cost, for the accounts of an address, by its keyed hash.
    pub fn new(cost: PasswordCost, address: &[u8; 32]) -> Self {
        let hash = crate::digest::sha256_of(&[b"misy-password-salt-v1|", address]);
        let mut salt = [0; 16];
        salt.copy_from_slice(&hash[..16]);
        Self { cost, salt }
    }

    /// As a stored hash says.
    pub fn of(stored: &str) -> Result<Self, HashError> {
        Ok(Self::parse(stored)?.0)
    }

    /// What one guess at it costs.
    pub fn cost(&self) -> PasswordCost {
        self.cost
    }

    /// Stretches a password. Takes the time and memory that the cost says: not for a thread that serves others.
    pub fn stretch(&self, password: &str) -> Result<Stretched, HashError> {
        let PasswordCost { memory_kib, passes, lanes } = self.cost;
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| HashError)?;
        let mut bytes = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), &self.salt, &mut bytes)
            .map_err(|_| HashError)?;
        Ok(Stretched(Secret::new(bytes)))
    }

    /// What is stored of a stretched password, for an account of the tenant whose pepper this is.
    pub fn store(&self, stretched: &Stretched, pepper: &Secret<[u8; 32]>) -> String {
        let PasswordCost { memory_kib, passes, lanes } = self.cost;
        let (salt, tag) = (BASE64.encode(self.salt), BASE64.encode(tag(stretched, pepper)));
        format!("${NAME}$v=19$m={memory_kib},t={passes},p={lanes}${salt}${tag}")
    }

    /// Whether a stretched password is the one that is stored.
    pub fn is(
        &self,
        stretched: &Stretched,
        stored: &str,
        pepper: &Secret<[u8; 32]>,
    ) -> Result<bool, HashError> {
        let (of_hash, expected) = Self::parse(stored)?;
        let is_same = crate::digest::equal_in_constant_time(&tag(stretched, pepper), &expected);
        Ok(is_same && of_hash == *self)
    }

    fn parse(stored: &str) -> Result<(Self, [u8; 32]), HashError> {
        let mut parts = stored.split('$');
        let mut next = || parts.next().ok_or(HashError);
        let (nothing, name, version, cost) = (next()?, next()?, next()?, next()?);
        let (salt, tag) = (next()?, next()?);
        if !nothing.is_empty() || name != NAME || version != "v=19" || parts.next().is_some() {
            return Err(HashError);
        }
        let mut figures = cost.split(',').zip(["m=", "t=", "p="]);
        let mut figure = || {
            let (text, name) = figures.next()?;
            text.strip_prefix(name)?.parse().ok()
        };
        let (memory_kib, passes, lanes) = (figure(), figure(), figure());
        let cost = PasswordCost {
            memory_kib: memory_kib.ok_or(HashError)?,
            passes: passes.ok_or(HashError)?,
            lanes: lanes.ok_or(HashError)?,
        };
        Ok((Self { cost, salt: bytes(salt)? }, bytes(tag)?))
    }
}

fn tag(stretched: &Stretched, pepper: &Secret<[u8; 32]>) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, pepper.expose());
    crate::digest::hmac_sha256(&key, &[b"password|", stretched.0.expose()])
}

fn bytes<const LENGTH: usize>(text: &str) -> Result<[u8; LENGTH], HashError> {
    BASE64.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(HashError)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: PasswordCost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };
    const ANA: [u8; 32] = [7; 32];

    #[test]
    fn a_password_is_known_again_with_the_same_pepper_only() {
        let stretching = Stretching::new(CHEAP, &ANA);
        let pepper = Secret::new([1; 32]);
        let stored = stretching.store(&stretching.stretch("tres tristes tigres").unwrap(), &pepper);
        assert!(stored.starts_with("$argon2id-hmac$v=19$m=64,t=1,p=1$"), "{stored}");
        assert_eq!(Stretching::of(&stored), Ok(stretching));
        let is = |password, pepper| {
            stretching.is(&stretching.stretch(password).unwrap(), &stored, pepper).unwrap()
        };
        assert!(is("tres tristes tigres", &pepper));
        assert!(!is("tres tristes tigre", &pepper));
        assert!(!is("tres tristes tigres", &Secret::new([2; 32])));
    }

    #[test]
    fn the_accounts_of_an_address_are_compared_by_one_run_and_those_of_others_by_another() {
        let stretching = Stretching::new(CHEAP, &ANA);
        let stretched = stretching.stretch("tres tristes tigres").unwrap();
        let stored = |pepper| stretching.store(&stretched, &Secret::new([pepper; 32]));
        assert_ne!(stored(1), stored(2));
        for pepper in [1, 2] {
            assert!(stretching.is(&stretched, &stored(pepper), &Secret::new([pepper; 32])).unwrap());
        }
        assert_ne!(Stretching::new(CHEAP, &[8; 32]), stretching);
        // A hash of another address or cost is not confirmed by what was stretched for this one.
        let dearer = Stretching::new(PasswordCost { passes: 2, ..CHEAP }, &ANA);
        assert!(!dearer.is(&stretched, &stored(1), &Secret::new([1; 32])).unwrap());
    }

    #[test]
    fn what_is_no_hash_is_an_error() {
        let stretching = Stretching::new(CHEAP, &ANA);
        let good = stretching.store(&stretching.stretch("x").unwrap(), &Secret::new([1; 32]));
        for bad in [
            "",
            "$",
            "x",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{good}$"),
            &good.replace("m=64", "m="),
        ] {
            assert!(Stretching::of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_usual_cost_is_what_owasp_recommends() {
        let cost = PasswordCost::default();
        assert_eq!((cost.memory_kib, cost.passes, cost.lanes), (19_456, 2, 1));
        assert!(Stretching::new(cost, &ANA).stretch("x").is_ok());
    }
}
