//! Booking: the terms of a service with a provider, and what a booking is.

mod book;
mod ics;

pub use book::{Book, Refused, Slot, Taken};
pub use ics::{Appointment, ics};

use crate::context_pack::{BookingPolicy, ContextPack, Provider, Service};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Starts fall on multiples of this where the policy says nothing.
const USUAL_STEP: u32 = 30;
/// How far ahead may be booked where the policy says nothing, in days.
const USUAL_HORIZON: u32 = 90;
/// So many free times of one provider are looked at, at most: as many as the longest day has minutes.
const MOST_OF_ONE: usize = 25 * 60;

crate::words! {
    /// Where a booking stands.
    pub enum BookingState as BookingState {
        /// The time is kept for somebody who decides; it is free again after a few minutes.
        Held = "held",
        /// It is booked.
        Booked = "booked",
        /// It was called off, or a hold ran out.
        Cancelled = "cancelled",
    }
}

/// The rules that hold for a service with one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long it takes, in minutes.
    pub duration: u32,
    /// Minutes that the provider needs before it.
    pub before: u32,
    /// Minutes that the provider needs after it.
    pub after: u32,
    /// Starts fall on multiples of so many minutes of the local day.
    pub step: u32,
    /// The least time before the start, in minutes.
    pub min_advance: u32,
    /// How many days ahead, by the local date.
    pub max_advance: u32,
    /// How many the provider takes at once.
    pub capacity: u16,
    /// Until how many hours before the start contacts may move or cancel it by themselves.
    pub cancellation: u32,
}

impl Terms {
    /// Of a service with a provider; none if the service has no length.
    pub fn of(policy: Option<&BookingPolicy>, service: &Service, provider: &Provider) -> Option<Self> {
        let of = |read: fn(&BookingPolicy) -> Option<u32>| policy.and_then(read);
        Some(Self {
            duration: service.duration_minutes?,
            before: service.buffer_before_minutes.unwrap_or_default(),
            after: service.buffer_after_minutes.unwrap_or_default(),
            step: of(|policy| policy.slot_minutes).unwrap_or(USUAL_STEP).max(1),
            min_advance: of(|policy| policy.min_advance_minutes).unwrap_or_default(),
            max_advance: of(|policy| policy.max_advance_days).unwrap_or(USUAL_HORIZON),
            capacity: provider.capacity.and_then(|places| u16::try_from(places).ok()).unwrap_or(1).max(1),
            cancellation: of(|policy| policy.cancellation_hours).unwrap_or_default(),
        })
    }
}

/// A service together with one of those who do it.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// What.
    pub service: &'a Service,
    /// By whom.
    pub provider: &'a Provider,
    /// Under which rules.
    pub terms: Terms,
}

/// A time that is free with a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Free {
    /// When.
    pub slot: Slot,
    /// With whom.
    pub provider_id: String,
}

impl ContextPack {
    /// A service with each provider that does it, in the order of the pack; none if it cannot be booked.
    pub fn offers(&self, service: &str) -> Vec<Offer<'_>> {
        let Some(service) = self.service(service) else { return Vec::new() };
        let offer = |provider| {
            let terms = Terms::of(self.booking_policy.as_ref(), service, provider)?;
            Some(Offer { service, provider, terms })
        };
        let providers = service.provider_ids.iter().filter_map(|id| self.provider(id));
        providers.filter_map(offer).collect()
    }

    /// A service with one provider, if they do it.
    pub fn offer(&self, service: &str, provider: &str) -> Option<Offer<'_>> {
        self.offers(service).into_iter().find(|offer| offer.provider.id == provider)
    }

    /// The book of an offer: its free times, where these are taken.
    pub fn book<'a>(&'a self, offer: &Offer<'a>, taken: &'a [Taken]) -> Book<'a> {
        let closed = self.opening_hours.as_ref().map_or(&[][..], |hours| &hours.exceptions);
        Book {
            weekly: &offer.provider.weekly_availability,
            exceptions: &offer.provider.exceptions,
            closed,
            zone: self.timezone.zone(),
            terms: offer.terms,
            taken,
        }
    }

    /// The free times of some offers between two instants, in order: one for each start, with the first who can. `taken` is by
    /// provider.
    ///
    /// How long it takes is for the tenant to say, who has a hundred providers with a start every minute: it belongs on the workbench.
    pub fn free(
        &self,
        offers: &[Offer<'_>],
        taken: &BTreeMap<String, Vec<Taken>>,
        between: (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Vec<Free> {
        let mut free: BTreeMap<Slot, &str> = BTreeMap::new();
        for offer in offers {
            let taken = taken.get(&offer.provider.id).map_or(&[][..], Vec::as_slice);
            for slot in self.book(offer, taken).free(between, now, MOST_OF_ONE) {
                free.entry(slot).or_insert(&offer.provider.id);
            }
        }
        free.into_iter().map(|(slot, provider)| Free { slot, provider_id: provider.to_owned() }).collect()
    }
}
