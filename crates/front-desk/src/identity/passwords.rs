//! Hashing passwords is slow on purpose: it is done beside the threads that serve, a few at a time.

use crate::problem::Problem;
use misy_domain::{EmailAddress, Secret, password};
use misy_trust::{PasswordCheck, PasswordCost, Stretched, Stretching};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::timeout};

/// How many are hashed at a time: each takes its megabytes and a core.
const AT_A_TIME: usize = 4;
/// How long somebody waits for a place. A flood is told to come back, and the machine stays usable.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Hashes and checks passwords.
pub(crate) struct Passwords {
    cost: PasswordCost,
    places: Arc<Semaphore>,
}

/// What is stored of an account's password, and the pepper of its tenant.
pub(crate) struct Stored<'a> {
    pub(crate) hash: &'a str,
    pub(crate) pepper: Secret<[u8; 32]>,
}

impl Passwords {
    pub(crate) fn new(cost: PasswordCost) -> Self {
        Self { cost, places: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// The slow part, for the accounts of an address.
    async fn stretch(&self, password: &str, stretching: Stretching) -> Result<Stretched, Problem> {
        let place = timeout(LONGEST_WAIT, self.places.clone().acquire_owned()).await;
        let place = place.ok().and_then(Result::ok).ok_or_else(Problem::unavailable)?;
        // Longer ones were never taken; hashing them would only cost.
        let cut: String = password.chars().take(password::LONGEST + 1).collect();
        let password = Secret::new(cut);
        // The place is held by the work itself, which goes on even when nobody waits for it any more.
        let task = tokio::task::spawn_blocking(move || {
            let done = stretching.stretch(password.expose());
            drop(place);
            done
        });
        task.await.map_err(|_| Problem::internal())?.map_err(|_| Problem::internal())
    }

    /// A new password as it is stored. `address`: the keyed hash of the account's.
    pub(crate) async fn hash(
        &self,
        password: &str,
        address: &[u8; 32],
        pepper: &Secret<[u8; 32]>,
    ) -> Result<String, Problem> {
        let stretching = Stretching::new(self.cost, address);
        let stretched = self.stretch(password, stretching).await?;
        Ok(stretching.store(&stretched, pepper))
    }

    /// Compares a password with what is stored of all accounts of an address, in their order. The slow work is done once,
    /// however many there are, and also when there is none; only hashes of an older cost need theirs.
    pub(crate) async fn check(
        &self,
        password: &str,
        address: &[u8; 32],
        accounts: &[Stored<'_>],
    ) -> Result<Vec<PasswordCheck>, Problem> {
        let present = Stretching::new(self.cost, address);
        let of = |account: &Stored<'_>| Stretching::of(account.hash).map_err(|_| Problem::internal());
        let needed = accounts.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        let mut stretched = vec![(present, self.stretch(password, present).await?)];
        let mut checked = Vec::with_capacity(accounts.len());
        for (account, stretching) in accounts.iter().zip(needed) {
            if stretched.iter().all(|(known, _)| *known != stretching) {
                stretched.push((stretching, self.stretch(password, stretching).await?));
            }
            let is_right =
                stretched.iter().filter(|(known, _)| *known == stretching).any(|(_, stretched)| {
                    stretching.is(stretched, account.hash, &account.pepper).unwrap_or_default()
                });
            checked.push(if is_right {
                PasswordCheck::Right { outdated: stretching != present }
            } else {
                PasswordCheck::Wrong
            });
        }
        Ok(checked)
    }
}

/// Refuses a new password that is too easy to guess.
pub(crate) fn expect_strong(
    pointer: &str,
    password: &str,
    email: &EmailAddress,
    name: &str,
    alone: bool,
) -> Result<(), Problem> {
    password::check(password, email, name, alone)
        .map_err(|weak| Problem::invalid_field(pointer, weak.code(), weak.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: PasswordCost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };
    const ANA: [u8; 32] = [7; 32];
    const PASSWORD: &str = "tres tristes tigres";

    #[tokio::test]
    async fn each_account_of_an_address_is_compared_and_one_of_an_older_cost_told_of() {
        let pepper = |byte| Secret::new([byte; 32]);
        let passwords = Passwords::new(CHEAP);
        let older = Passwords::new(PasswordCost { passes: 2, ..CHEAP });
        let first = passwords.hash(PASSWORD, &ANA, &pepper(1)).await.unwrap();
        let other = passwords.hash("another password", &ANA, &pepper(2)).await.unwrap();
        let outdated = older.hash(PASSWORD, &ANA, &pepper(3)).await.unwrap();
        let accounts = [(&first, 1), (&other, 2), (&outdated, 3)]
            .map(|(hash, byte)| Stored { hash, pepper: pepper(byte) });
        let checked = passwords.check(PASSWORD, &ANA, &accounts).await.unwrap();
        let right = |outdated| PasswordCheck::Right { outdated };
        assert_eq!(checked, [right(false), PasswordCheck::Wrong, right(true)]);
        assert_eq!(passwords.check(PASSWORD, &ANA, &[]).await.unwrap(), []);
    }

    #[tokio::test]
    async fn no_more_than_a_few_are_hashed_at_a_time_and_without_an_account_the_same_work_is_done() {
        let passwords = Passwords::new(CHEAP);
        let places = passwords.places.clone();
        let all = places.clone().acquire_many_owned(u32::try_from(AT_A_TIME).unwrap()).await.unwrap();
        let waiting = passwords.check("a", &ANA, &[]);
        let mut waiting = std::pin::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        drop(all);
        assert_eq!(waiting.await.unwrap(), []);
        assert_eq!(places.available_permits(), AT_A_TIME);
    }
}
