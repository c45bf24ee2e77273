//! Calls that anybody can make any number of, told of together: reads by visitors, and refusals of callers that passed no
//! limit. The first of its kind stands in the trail at once; how many followed it in the next minute stands there in one
//! entry more. So nobody who proves nothing makes a trail grow with each call, and nothing goes untold.

use misy_domain::{TenantId, Timestamp};
use misy_store::audit::CallEntry;
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// For how long calls are told of together.
const WINDOW: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);
/// Callers of one tenant that are told of one by one in that time; what further ones do is told of all together.
const CALLERS: usize = 1_000;
/// As whom further ones stand in the trail.
const VARIOUS: &str = "various";

/// The kind of a call: who, what, with which outcome.
#[derive(PartialEq, Eq, Hash)]
struct Kind {
    actor: Option<String>,
    action: &'static str,
    outcome: &'static str,
}

/// Calls of a kind.
struct Tally {
    began: Timestamp,
    /// Those that are not told of yet.
    untold: u64,
    /// The last of them, with the longest time that one took.
    last: CallEntry,
}

/// What is to be told of later.
#[derive(Default)]
pub(crate) struct Tallies(Mutex<HashMap<TenantId, HashMap<Kind, Tally>>>);

impl Tallies {
    /// The entry to be written now, if it is the first of its kind.
    pub(crate) fn note(&self, tenant: &TenantId, mut entry: CallEntry) -> Option<CallEntry> {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tallies = match tallies.get_mut(tenant) {
            Some(tallies) => tallies,
            None => tallies.entry(tenant.clone()).or_default(),
        };
        let mut kind = Kind { actor: entry.actor.clone(), action: entry.action, outcome: entry.outcome };
        if tallies.len() >= CALLERS && !tallies.contains_key(&kind) {
            kind.actor = Some(VARIOUS.to_owned());
            entry.actor.clone_from(&kind.actor);
            (entry.session_id, entry.subject) = (None, None);
        }
        if let Some(tally) = tallies.get_mut(&kind) {
            tally.untold += 1;
            entry.duration_micros = entry.duration_micros.max(tally.last.duration_micros);
            tally.last = entry;
            return None;
        }
        let tally =
            Tally { began: entry.at, untold: 0, last: CallEntry { duration_micros: 0, ..entry.clone() } };
        tallies.insert(kind, tally);
        Some(entry)
    }

    /// The entries of what is over by now; at the end, of everything.
    pub(crate) fn over(&self, now: Option<Timestamp>) -> Vec<(TenantId, CallEntry)> {
        let is_over =
            |tally: &Tally| now.is_none_or(|now| tally.began + WINDOW <= now || tally.began > now + WINDOW);
        let mut over = Vec::new();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|tenant, tallies| {
            let ended = tallies.extract_if(|_, tally| is_over(tally)).map(|(_, tally)| tally);
            let untold = ended.filter(|tally| tally.untold > 0);
            over.extend(untold.map(|tally| (tenant.clone(), tally.told())));
            !tallies.is_empty()
        });
        over
    }
}

impl Tally {
    /// As one entry: that of the last call, with how many it stands for.
    fn told(self) -> CallEntry {
        let detail = json!({ "calls": self.untold, "since": self.began, "until": self.last.at });
        CallEntry { detail: Some(detail), ..self.last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use misy_domain::RequestId;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn call(actor: &str, seconds: i64, number: u128) -> CallEntry {
        CallEntry {
            at: at(seconds),
            action: "readSession",
            actor: Some(actor.to_owned()),
            site_id: None,
            session_id: None,
            origin: None,
            outcome: "ok",
            status: 200,
            duration_micros: 10 + seconds,
            request_id: RequestId::from_bytes(number.to_be_bytes()),
            subject: None,
            detail: None,
        }
    }

    #[test]
    fn the_first_is_told_at_once_and_the_others_together() {
        let (tallies, andina) = (Tallies::default(), "andina".parse().unwrap());
        assert!(tallies.note(&andina, call("a", 0, 0)).is_some());
        for number in 1..=500 {
            assert!(tallies.note(&andina, call("a", 30, number)).is_none());
        }
        assert!(tallies.note(&"verde-cafe".parse().unwrap(), call("a", 0, 900)).is_some());
        assert!(tallies.note(&andina, call("b", 50, 901)).is_some());
        assert!(tallies.over(Some(at(59))).is_empty());
        let over = tallies.over(Some(at(60)));
        let [(tenant, entry)] = &over[..] else { panic!("{over:?}") };
        assert_eq!((tenant.as_str(), entry.at, entry.duration_micros), ("andina", at(30), 40));
        assert_eq!(entry.detail.as_ref().unwrap()["calls"], 500);
        assert_eq!(entry.request_id, RequestId::from_bytes(500_u128.to_be_bytes()));
        // What one call is told of is told once, and then a new minute begins.
        assert!(tallies.note(&andina, call("a", 61, 902)).is_some());
        assert!(tallies.over(None).is_empty());
        assert!(tallies.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_flood_of_callers_is_told_of_in_few_entries_and_every_call_counts() {
        let (tallies, andina) = (Tallies::default(), "andina".parse().unwrap());
        let mut told = 0;
        for number in 0..50_000_u128 {
            told += u64::from(tallies.note(&andina, call(&format!("t{number}"), 0, number)).is_some());
        }
        let over = tallies.over(None);
        assert_eq!((told, over.len()), (1_001, 1));
        assert_eq!(over[0].1.actor.as_deref(), Some(VARIOUS));
        assert_eq!(over[0].1.detail.as_ref().unwrap()["calls"], 50_000 - told);
    }
}
