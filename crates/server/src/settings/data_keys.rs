//! How long data keys are used.

use super::declare::declare;
use misy_store::rotation::LongestUse;
use std::time::Duration;

declare! {
    "Data keys";
    open key_days: u32 = 365,
        "days after which the data key of a tenant is rotated by itself; 0 for never [365]";
    open owner_key_days: u32 = 90,
        "the same for the owner's [90]";
}

/// After how long data keys are rotated by themselves. Never is so long that nothing gets there.
#[allow(clippy::unnecessary_wraps, reason = "every section is checked in the same way")]
pub(super) fn check(written: &Written) -> anyhow::Result<Option<LongestUse>> {
    let days = |days: u32| Duration::from_hours(24 * u64::from(if days == 0 { 365_000 } else { days }));
    Ok((written.key_days > 0 || written.owner_key_days > 0)
        .then(|| LongestUse { tenant: days(written.key_days), owner: days(written.owner_key_days) }))
}
