//! Which times are free.

use super::{offers, offers_of, pack};
use crate::{
    desk::FrontDesk,
    problem::{FreeTime, Problem},
};
use misy_domain::{TenantId, Timestamp, booking::Free};
use misy_store::{
    bookings::{self, Own},
    tenant_tx,
};
use misy_workbench::PackError;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Free times are looked for within so many days at once.
const LONGEST_LOOK: i64 = 31;
/// So many free times are told at most.
const MOST_FREE: usize = 200;

/// Between which times, and with whom.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FreeQuery {
    /// Starts from here on; now unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Starts before this, 31 days later at most; a week later unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// With this provider; with anybody who does the service unless given.
    provider_id: Option<String>,
}

/// Free times, in order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FreeTimes {
    /// The IANA zone that the hours of the business are local to.
    #[schema(example = "America/Santiago")]
    timezone: String,
    /// At most 200; go on from the last one for more.
    items: Vec<FreeTime>,
}

pub(super) fn told(free: Free) -> FreeTime {
    FreeTime { starts_at: free.slot.from, ends_at: free.slot.until, provider_id: free.provider_id }
}

/// The free times of a service. They are computed where agents compute.
pub(crate) async fn free(
    desk: &FrontDesk,
    tenant: &TenantId,
    service: String,
    query: FreeQuery,
) -> Result<FreeTimes, Problem> {
    let now = desk.clock.now();
    let from = query.from.unwrap_or(now).max(now);
    let days = |days: i64| jiff::SignedDuration::from_hours(24 * days);
    let until = query.until.unwrap_or_else(|| from.checked_add(days(7)).unwrap_or(from));
    let length = until.duration_since(from);
    if !length.is_positive() || length > days(LONGEST_LOOK) {
        return Err(Problem::invalid_field(
            "?until",
            "range",
            "must be after the beginning, within 31 days of it",
        ));
    }
    let (pack, taken) = Box::pin(tenant_tx!(desk.database, "bookings.free", tenant, async |tx| {
        let pack = pack(desk, tx).await?;
        if pack.pack().service(&service).is_none() {
            return Err(Problem::not_found());
        }
        let at = ("?serviceId", "?providerId");
        let offers = offers(pack.pack(), &service, query.provider_id.as_deref(), at)?;
        let taken = bookings::taken(tx, &offers, (from, until), Own::default(), now).await?;
        Ok((pack.clone(), taken))
    }))
    .await?;
    let timezone = pack.pack().timezone.as_str().to_owned();
    let look = move |_: &_| {
        let offers = offers_of(pack.pack(), &service, query.provider_id.as_deref());
        pack.pack().free(&offers, &taken, (from, until), now)
    };
    let mut found = desk.packs.workbench().run(tenant, look).await.map_err(PackError::from)?;
    found.truncate(MOST_FREE);
    Ok(FreeTimes { timezone, items: found.into_iter().map(told).collect() })
}
