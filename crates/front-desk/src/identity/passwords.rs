//! Hashing passwords is slow on purpose: it is done beside the threads that serve, a few at a time.

use crate::problem::Problem;
use misy_domain::{EmailAddress, Entropy, Secret, password};
use misy_trust::{PasswordCheck, PasswordCost, check_password, hash_password};
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
    /// A hash that no password has, at the present cost: what is checked where there is no account.
    nobodys: String,
}

impl Passwords {
    pub(crate) fn new(cost: PasswordCost) -> Self {
        let PasswordCost { memory_kib, passes, lanes } = cost;
        let nobodys = format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}$bm9ib2R5cyBzYWx0IQ${}",
            "A".repeat(43)
        );
        Self { cost, places: Arc::new(Semaphore::new(AT_A_TIME)), nobodys }
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let place = timeout(LONGEST_WAIT, self.places.clone().acquire_owned()).await;
        let place = place.ok().and_then(Result::ok).ok_or_else(Problem::unavailable)?;
        // The place is held by the work itself, which goes on even when nobody waits for it any more.
        let task = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        task.await.map_err(|_| Problem::internal())
    }

    /// A new password as it is stored.
    pub(crate) async fn hash(
        &self,
        password: &str,
        pepper: Secret<[u8; 32]>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<String, Problem> {
        let (password, cost) = (Secret::new(password.to_owned()), self.cost);
        let hashed = self.run(move || hash_password(password.expose(), &pepper, cost, &*entropy)).await?;
        hashed.map_err(|_| Problem::internal())
    }

    /// Compares a password with what is stored; where nothing is, the same work is done in vain.
    pub(crate) async fn check(
        &self,
        password: &str,
        stored: Option<&str>,
        pepper: Secret<[u8; 32]>,
    ) -> Result<PasswordCheck, Problem> {
        let (known, stored) = (stored.is_some(), stored.unwrap_or(&self.nobodys).to_owned());
        // Longer ones were never taken; hashing them would only cost.
        let cut: String = password.chars().take(password::LONGEST + 1).collect();
        let (password, cost) = (Secret::new(cut), self.cost);
        let checked = self.run(move || check_password(password.expose(), &stored, &pepper, cost)).await?;
        let checked = checked.map_err(|_| Problem::internal())?;
        Ok(if known { checked } else { PasswordCheck::Wrong })
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

    #[tokio::test]
    async fn where_there_is_no_account_the_same_work_is_done() {
        let cost = PasswordCost { memory_kib: 64, passes: 1, lanes: 1 };
        let passwords = Passwords::new(cost);
        // It is a hash that is really computed against, at the present cost: an error would mean that nothing was computed.
        let checked = check_password("tres tristes tigres", &passwords.nobodys, &Secret::new([0; 32]), cost);
        assert_eq!(checked, Ok(PasswordCheck::Wrong));
        assert!(passwords.nobodys.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        let checked = passwords.check("tres tristes tigres", None, Secret::new([0; 32])).await.unwrap();
        assert_eq!(checked, PasswordCheck::Wrong);
    }

    #[tokio::test]
    async fn no_more_than_a_few_are_hashed_at_a_time() {
        let passwords = Passwords::new(PasswordCost { memory_kib: 64, passes: 1, lanes: 1 });
        let places = passwords.places.clone();
        let all = places.clone().acquire_many_owned(u32::try_from(AT_A_TIME).unwrap()).await.unwrap();
        let waiting = passwords.check("a", None, Secret::new([0; 32]));
        let mut waiting = std::pin::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        drop(all);
        assert_eq!(waiting.await.unwrap(), PasswordCheck::Wrong);
        assert_eq!(places.available_permits(), AT_A_TIME);
    }
}
