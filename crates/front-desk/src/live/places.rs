//! How many live streams there are of each holder.

use misy_domain::{SessionId, TenantId, TokenId, UserId, network::Network};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How many streams there are of each holder.
#[derive(Default)]
pub(crate) struct Streams {
    counts: Mutex<HashMap<Holder, u32>>,
}

/// What a stream counts against.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    Session(SessionId),
    /// One visitor, with any number of sessions.
    Family(TokenId),
    /// A network that an address is in: whoever has it can be any number of visitors.
    Network(Network),
    Tenant(TenantId),
    /// Somebody of a tenant who follows all its conversations.
    Person(TenantId, UserId),
    /// All people of a tenant who do.
    People(TenantId),
}

/// The place of one stream among the others.
pub(super) struct Place {
    streams: Arc<Streams>,
    holders: Vec<Holder>,
}

impl Streams {
    /// Takes a place with each of them, or none at all.
    pub(super) fn enter(self: &Arc<Self>, wanted: Vec<(Holder, u32)>) -> Option<Place> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.iter().any(|(holder, most)| counts.get(holder).is_some_and(|count| count >= most)) {
            return None;
        }
        let holders: Vec<_> = wanted.into_iter().map(|(holder, _)| holder).collect();
        for holder in &holders {
            *counts.entry(holder.clone()).or_default() += 1;
        }
        drop(counts);
        metrics::gauge!("misy_live_connections").increment(1.0);
        Some(Place { streams: self.clone(), holders })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.streams.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for holder in &self.holders {
            if let Some(count) = counts.get_mut(holder) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(holder);
                }
            }
        }
        metrics::gauge!("misy_live_connections").decrement(1.0);
    }
}
