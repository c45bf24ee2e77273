//! Passwords as they are stored: Argon2id (RFC 9106) with a pepper, as PHC strings that name their own cost.

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::SaltString,
};
use misy_domain::{Entropy, Secret};

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

fn argon2(cost: PasswordCost, pepper: &Secret<[u8; 32]>) -> Result<Argon2<'_>, HashError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None).map_err(|_| HashError)?;
    Argon2::new_with_secret(pepper.expose(), Algorithm::Argon2id, Version::V0x13, params)
        .map_err(|_| HashError)
}

/// Hashes a password. Takes the time and memory that the cost says: not for a thread that serves others.
pub fn hash_password(
    password: &str,
    pepper: &Secret<[u8; 32]>,
    cost: PasswordCost,
    entropy: &dyn Entropy,
) -> Result<String, HashError> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|_| HashError)?;
    let hash = argon2(cost, pepper)?.hash_password(password.as_bytes(), &salt).map_err(|_| HashError)?;
    Ok(hash.to_string())
}

/// Compares a password with a stored hash, at the cost that the hash names.
pub fn check_password(
    password: &str,
    stored: &str,
    pepper: &Secret<[u8; 32]>,
    cost: PasswordCost,
) -> Result<PasswordCheck, HashError> {
    let stored = PasswordHash::new(stored).map_err(|_| HashError)?;
    if argon2(cost, pepper)?.verify_password(password.as_bytes(), &stored).is_err() {
        return Ok(PasswordCheck::Wrong);
    }
    let params = Params::try_from(&stored).map_err(|_| HashError)?;
    let of_hash =
        PasswordCost { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() };
    Ok(PasswordCheck::Right { outdated: of_hash != cost })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    const CHEAP: PasswordCost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };

    #[test]
    fn a_password_is_known_again_with_the_same_pepper_only() {
        let pepper = Secret::new([1; 32]);
        let stored = hash_password("tres tristes tigres", &pepper, CHEAP, &SystemEntropy::new()).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{stored}");
        let check = |password, pepper| check_password(password, &stored, pepper, CHEAP).unwrap();
        assert_eq!(check("tres tristes tigres", &pepper), PasswordCheck::Right { outdated: false });
        assert_eq!(check("tres tristes tigre", &pepper), PasswordCheck::Wrong);
        assert_eq!(check("tres tristes tigres", &Secret::new([2; 32])), PasswordCheck::Wrong);
    }

    #[test]
    fn a_hash_of_another_cost_is_still_known_and_told_of() {
        let pepper = Secret::new([1; 32]);
        let stored = hash_password("tres tristes tigres", &pepper, CHEAP, &SystemEntropy::new()).unwrap();
        let dearer = PasswordCost { passes: 2, ..CHEAP };
        let check = check_password("tres tristes tigres", &stored, &pepper, dearer).unwrap();
        assert_eq!(check, PasswordCheck::Right { outdated: true });
    }

    #[test]
    fn the_usual_cost_is_what_owasp_recommends() {
        let cost = PasswordCost::default();
        assert_eq!((cost.memory_kib, cost.passes, cost.lanes), (19_456, 2, 1));
        assert!(argon2(cost, &Secret::new([0; 32])).is_ok());
    }
}
