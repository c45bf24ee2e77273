//! The way of a worker's claims around the tenants that have work.

use misy_store::leases::{Claimed, Cursor, Leased};

/// Where the next claim begins, and where an unbroken row of claims that found nothing began. A claim looks at so many
/// tenants and no more, so when thousands wait to be tried again it takes several to see that nothing is due.
#[derive(Debug, Default)]
pub(crate) struct Round {
    cursor: Cursor,
    empty_since: Option<Cursor>,
}

impl Round {
    /// Where the next claim begins.
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Notes a claim of up to `batch`; answers whether to claim again at once.
    pub(crate) fn went<K: Leased>(&mut self, claimed: &Claimed<K>, batch: u32) -> bool {
        let before = std::mem::replace(&mut self.cursor, claimed.next.clone());
        if !claimed.leases.is_empty() || claimed.complete {
            self.empty_since = None;
            return !claimed.complete || claimed.leases.len() >= batch as usize;
        }
        let start = self.empty_since.get_or_insert_with(|| before.clone());
        let after = &self.cursor;
        let is_round = if *after > before {
            *start > before && *start <= *after
        } else {
            *start > before || *start <= *after
        };
        if is_round {
            self.empty_since = None;
        }
        !is_round
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use misy_store::turns::Conversations;

    fn claim(next: &str, complete: bool) -> Claimed<Conversations> {
        Claimed { leases: Vec::new(), next: Cursor::after(&next.parse().unwrap()), complete }
    }

    #[test]
    fn a_worker_that_finds_nothing_goes_round_once() {
        let mut round = Round::default();
        assert!(round.went(&claim("gg", false), 1));
        assert!(round.went(&claim("pp", false), 1));
        assert!(!round.went(&claim("cc", false), 1), "past the end and its beginning");
        // It goes on where it stopped, and around again when it is woken.
        assert!(round.went(&claim("mm", false), 1));
        assert!(round.went(&claim("zz", false), 1));
        assert!(!round.went(&claim("dd", false), 1));
    }

    #[test]
    fn a_claim_that_saw_all_tenants_ends_the_round() {
        let mut round = Round::default();
        assert!(!round.went(&claim("cc", true), 1));
    }
}
