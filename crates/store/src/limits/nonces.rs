//! Nonces of some tenants, of which none is ever forgotten before its time: so who brings too many is refused, and nobody else.

use super::table::Table;
use std::collections::HashMap;

/// Nonces, each tenant's counted.
pub(super) struct Nonces {
    /// By keys of which the upper half is the tenant's hash.
    seen: Table,
    of_tenants: HashMap<u64, usize>,
    most: usize,
}

/// What one tenant has when others have taken everything else.
const FOR_EACH: usize = 1 << 14;
/// One tenant gets one of so many parts.
const PARTS: usize = 4;

/// The key of a nonce.
pub(super) fn key(tenant: u64, nonce: u64) -> u128 {
    u128::from(tenant) << 64 | u128::from(nonce)
}

fn tenant_of(key: u128) -> u64 {
    u64::try_from(key >> 64).unwrap_or_default()
}

impl Nonces {
    /// Room for so many, and for a few of each tenant besides.
    pub(super) fn of(most: usize) -> Self {
        Self { seen: Table::of(usize::MAX), of_tenants: HashMap::new(), most }
    }

    /// Lets go of those whose time is over.
    pub(super) fn forget(&mut self, now: i64) {
        let counts = &mut self.of_tenants;
        self.seen.forget_each(now, |key| {
            let tenant = tenant_of(key);
            if let Some(count) = counts.get_mut(&tenant) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&tenant);
                }
            }
        });
    }

    /// Until when it is remembered.
    pub(super) fn get(&self, key: u128) -> Option<i64> {
        self.seen.get(key)
    }

    /// Whether its tenant has room for one more.
    pub(super) fn has_room(&self, key: u128) -> bool {
        let count = self.of_tenants.get(&tenant_of(key)).copied().unwrap_or_default();
        count < FOR_EACH.min(self.most) || (count < self.most / PARTS && self.seen.len() < self.most)
    }

    /// Remembers it.
    pub(super) fn set(&mut self, key: u128, end: i64) {
        if self.seen.get(key).is_none() {
            *self.of_tenants.entry(tenant_of(key)).or_default() += 1;
        }
        self.seen.set(key, end);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Brings nonces of a tenant until one finds no room, and says how many did.
    fn fill(nonces: &mut Nonces, tenant: u64) -> usize {
        let fits = |nonces: &mut Nonces, nonce: u64| {
            let has_room = nonces.has_room(key(tenant, nonce));
            if has_room {
                nonces.set(key(tenant, nonce), 1_000);
            }
            has_room
        };
        (0..100_000_000).take_while(|nonce| fits(nonces, *nonce)).count()
    }

    #[test]
    fn a_busy_tenant_is_refused_beyond_its_share_and_shuts_nobody_out() {
        const MOST: usize = 1 << 18;
        let mut nonces = Nonces::of(MOST);
        for busy in 1..=4 {
            assert_eq!(fill(&mut nonces, busy), MOST / PARTS);
        }
        // Everything is taken: others have what each has.
        assert_eq!(fill(&mut nonces, 5), FOR_EACH);
        assert_eq!(fill(&mut nonces, 6), FOR_EACH);
        assert!(!nonces.has_room(key(1, u64::MAX)));
        // None is forgotten before its time, and all are afterwards.
        nonces.forget(999);
        assert_eq!(nonces.len(), MOST + 2 * FOR_EACH);
        while nonces.len() > 0 {
            nonces.forget(1_000);
        }
        assert!(nonces.of_tenants.is_empty() && nonces.has_room(key(1, 0)));
    }
}
