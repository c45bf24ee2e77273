//! The end of a tenant.

use super::declare::declare;
use std::time::Duration;

declare! {
    "The end of a tenant";
    open close_grace_days: u32 = 30,
        "days from the closing of a tenant to the removal of its data, 1 to 365 [30]";
}

/// How long a closed tenant keeps its data.
pub(super) fn check(written: &Written) -> anyhow::Result<Duration> {
    anyhow::ensure!((1..=365).contains(&written.close_grace_days), "close_grace_days must be from 1 to 365");
    Ok(Duration::from_hours(24 * u64::from(written.close_grace_days)))
}
