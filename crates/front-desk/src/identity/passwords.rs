//! Hashing passwords is slow on purpose: it is done beside the threads that serve, a few at a time. One network has one of
//! these at a time, so that whoever floods waits for themselves; and browsers that somebody signed in from have a place that
//! no stranger takes.

use crate::problem::Problem;
use misy_domain::{EmailAddress, Secret, network::Network, password};
use misy_store::Turns;
use misy_trust::{PasswordCheck, PasswordCost, Stretched, Stretching};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::timeout};

/// How many are hashed at a time for whoever comes: each takes its megabytes and a core.
const AT_A_TIME: usize = 3;
/// And for those whose browser is known.
const FOR_KNOWN: usize = 1;
/// How long somebody waits for a place. A flood is told to come back, and the machine stays usable.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Hashes and checks passwords.
pub(crate) struct Passwords {
    cost: PasswordCost,
    places: Arc<Semaphore>,
    places_for_known: Arc<Semaphore>,
    networks: Turns<Option<Network>>,
}

/// Who waits for a password to be hashed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker {
    network: Option<Network>,
    is_known: bool,
}

impl Asker {
    /// Somebody at this address. `is_known`: in a browser that the account was signed in from, or is.
    pub(crate) fn at(address: Option<IpAddr>, is_known: bool) -> Self {
        Self { network: address.and_then(Network::region_of), is_known }
    }
}

/// What is stored of an account's password, and the pepper of its tenant.
pub(crate) struct Stored<'a> {
    pub(crate) hash: &'a str,
    pub(crate) pepper: Secret<[u8; 32]>,
}

impl Passwords {
    pub(crate) fn new(cost: PasswordCost) -> Self {
        Self {
            cost,
            places: Arc::new(Semaphore::new(AT_A_TIME)),
            places_for_known: Arc::new(Semaphore::new(FOR_KNOWN)),
            networks: Turns::of(1),
        }
    }

    /// The slow part, for the accounts of an address.
    async fn stretch(
        &self,
        password: &str,
        stretching: Stretching,
        asker: Asker,
    ) -> Result<Stretched, Problem> {
        let turn = self.networks.wait(&asker.network).await.map_err(|_| Problem::unavailable())?;
        let places = if asker.is_known { &self.places_for_known } else { &self.places };
        let place = timeout(LONGEST_WAIT, places.clone().acquire_owned()).await;
        let place = place.ok().and_then(Result::ok).ok_or_else(Problem::unavailable)?;
        // Longer ones were never taken; hashing them would only cost.
        let cut: String = password.chars().take(password::LONGEST + 1).collect();
        let password = Secret::new(cut);
        // The place is held by the work itself, which goes on even when nobody waits for it any more.
        let task = tokio::task::spawn_blocking(move || {
            let done = stretching.stretch(password.expose());
            drop((place, turn));
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
        asker: Asker,
    ) -> Result<String, Problem> {
        let stretching = Stretching::new(self.cost, address);
        let stretched = self.stretch(password, stretching, asker).await?;
        Ok(stretching.store(&stretched, pepper))
    }

    /// Compares a password with what is stored of all accounts of an address, in their order. The slow work is done once,
    /// however many there are, and also when there is none; only hashes of an older cost need theirs.
    pub(crate) async fn check(
        &self,
        password: &str,
        address: &[u8; 32],
        accounts: &[Stored<'_>],
        asker: Asker,
    ) -> Result<Vec<PasswordCheck>, Problem> {
        let present = Stretching::new(self.cost, address);
        let of = |account: &Stored<'_>| Stretching::of(account.hash).map_err(|_| Problem::internal());
        let needed = accounts.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        let mut stretched = vec![(present, self.stretch(password, present, asker).await?)];
        let mut checked = Vec::with_capacity(accounts.len());
        for (account, stretching) in accounts.iter().zip(needed) {
            if stretched.iter().all(|(known, _)| *known != stretching) {
                stretched.push((stretching, self.stretch(password, stretching, asker).await?));
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

    fn at(address: &str) -> Asker {
        Asker::at(Some(address.parse().unwrap()), false)
    }

    #[tokio::test]
    async fn each_account_of_an_address_is_compared_and_one_of_an_older_cost_told_of() {
        let pepper = |byte| Secret::new([byte; 32]);
        let passwords = Passwords::new(CHEAP);
        let older = Passwords::new(PasswordCost { passes: 2, ..CHEAP });
        let first = passwords.hash(PASSWORD, &ANA, &pepper(1), at("192.0.2.1")).await.unwrap();
        let other = passwords.hash("another password", &ANA, &pepper(2), at("192.0.2.1")).await.unwrap();
        let outdated = older.hash(PASSWORD, &ANA, &pepper(3), at("192.0.2.1")).await.unwrap();
        let accounts = [(&first, 1), (&other, 2), (&outdated, 3)]
            .map(|(hash, byte)| Stored { hash, pepper: pepper(byte) });
        let checked = passwords.check(PASSWORD, &ANA, &accounts, at("192.0.2.1")).await.unwrap();
        let right = |outdated| PasswordCheck::Right { outdated };
        assert_eq!(checked, [right(false), PasswordCheck::Wrong, right(true)]);
        assert_eq!(passwords.check(PASSWORD, &ANA, &[], at("192.0.2.1")).await.unwrap(), []);
    }

    #[tokio::test]
    async fn no_more_than_a_few_are_hashed_at_a_time_and_without_an_account_the_same_work_is_done() {
        let passwords = Passwords::new(CHEAP);
        let places = passwords.places.clone();
        let all = places.clone().acquire_many_owned(u32::try_from(AT_A_TIME).unwrap()).await.unwrap();
        let waiting = passwords.check("a", &ANA, &[], at("192.0.2.1"));
        let mut waiting = std::pin::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        drop(all);
        assert_eq!(waiting.await.unwrap(), []);
        assert_eq!(places.available_permits(), AT_A_TIME);
    }

    #[tokio::test]
    async fn whoever_floods_waits_for_themselves() {
        let passwords = Passwords::new(CHEAP);
        let slow = passwords.networks.wait(&at("2001:db8:1::1").network).await.unwrap();
        // However many addresses of theirs wait, nobody else does.
        let flood = (0..100).map(|n| format!("2001:db8:1:{n:x}::1")).map(|address| at(&address));
        let mut flood: Vec<_> = flood.map(|asker| Box::pin(passwords.check("a", &ANA, &[], asker))).collect();
        for one in &mut flood {
            assert!(futures_util::poll!(one.as_mut()).is_pending());
        }
        assert_eq!(passwords.check("a", &ANA, &[], at("2001:db8:2::1")).await.unwrap(), []);
        drop(slow);

        // When strangers from everywhere take all places, one is left for those who were here before.
        let all =
            passwords.places.clone().acquire_many_owned(u32::try_from(AT_A_TIME).unwrap()).await.unwrap();
        let known = Asker::at(Some("2001:db8:3::1".parse().unwrap()), true);
        assert_eq!(passwords.check("a", &ANA, &[], known).await.unwrap(), []);
        drop(all);
    }
}
