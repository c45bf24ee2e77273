//! A table of states that never grows beyond a bound and never forgets by clearing.

use std::collections::{BTreeSet, HashMap};

/// States that are let go at most with each look: more than a look adds, so that none pays for many.
const AT_ONCE: usize = 64;

/// States by their key. A state is a moment: until then it says something, afterwards it is as good as none. When there
/// is no room, the one nearest to its end goes, which is the one that says least.
///
/// Keys are 128-bit keyed hashes: short, and nobody can aim for a collision.
pub(super) struct Table {
    most: usize,
    ends: HashMap<u128, i64>,
    order: BTreeSet<(i64, u128)>,
}

impl Table {
    /// An empty table for so many states.
    pub(super) fn of(most: usize) -> Self {
        Self { most, ends: HashMap::new(), order: BTreeSet::new() }
    }

    /// Lets go of states that say nothing any more.
    pub(super) fn forget(&mut self, now: i64) {
        self.forget_each(now, |_| {});
    }

    /// The same, and says whose states these were.
    pub(super) fn forget_each(&mut self, now: i64, mut forgotten: impl FnMut(u128)) {
        for _ in 0..AT_ONCE {
            match self.order.first() {
                Some((end, key)) if *end <= now => {
                    forgotten(*key);
                    self.drop_first();
                }
                _ => return,
            }
        }
    }

    /// The state of a key.
    pub(super) fn get(&self, key: u128) -> Option<i64> {
        self.ends.get(&key).copied()
    }

    /// Puts a state in the place of the one before.
    pub(super) fn set(&mut self, key: u128, end: i64) {
        if let Some(before) = self.ends.insert(key, end) {
            self.order.remove(&(before, key));
        } else if self.ends.len() > self.most {
            self.drop_first();
        }
        self.order.insert((end, key));
    }

    /// Whether so many more keys find room without another having to go.
    pub(super) fn has_room(&self, more: usize) -> bool {
        self.ends.len() + more <= self.most
    }

    /// When the next state ends.
    pub(super) fn next_end(&self) -> Option<i64> {
        self.order.first().map(|(end, _)| *end)
    }

    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn drop_first(&mut self) {
        if let Some((_, key)) = self.order.pop_first() {
            self.ends.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a table is to be, written as plainly as can be.
    fn model(most: usize, states: &mut Vec<(u128, i64)>, key: u128, end: i64) {
        if let Some(known) = states.iter_mut().find(|(one, _)| *one == key) {
            known.1 = end;
            return;
        }
        if states.len() == most {
            let first = states.iter().map(|(key, end)| (*end, *key)).min().unwrap();
            states.retain(|(key, _)| *key != first.1);
        }
        states.push((key, end));
    }

    proptest! {
        #[test]
        fn only_what_ends_first_ever_goes(
            steps in proptest::collection::vec((0..12_u128, 0..40_i64, 0..3_i64), 1..200), most in 1..8_usize
        ) {
            let (mut table, mut states, mut now) = (Table::of(most), Vec::new(), 0);
            for (key, ahead, pause) in steps {
                now += pause;
                table.forget(now);
                states.retain(|(_, end)| *end > now);
                table.set(key, now + 1 + ahead);
                model(most, &mut states, key, now + 1 + ahead);
                prop_assert!(table.len() <= most && table.len() == table.order.len());
                for key in 0..12 {
                    let expected = states.iter().find(|(one, _)| *one == key).map(|(_, end)| *end);
                    prop_assert_eq!(table.get(key), expected);
                }
                prop_assert_eq!(table.has_room(1), states.len() < most);
                prop_assert_eq!(table.next_end(), states.iter().map(|(_, end)| *end).min());
            }
        }
    }

    #[test]
    fn who_is_furthest_from_free_outlives_a_million_others() {
        let mut table = Table::of(1_000);
        table.set(0, 2_000_000);
        for other in 1..=1_000_000_u128 {
            table.set(other, 1_000 + i64::try_from(other).unwrap() % 500);
            assert!(table.len() <= 1_000);
        }
        assert_eq!(table.get(0), Some(2_000_000));
    }
}
