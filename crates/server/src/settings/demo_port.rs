//! The demo.

use super::declare::declare;

declare! {
    "The demo";
    open demo_port: u16 = 8788,
        "first port of the demo sites of `misy demo` [8788]";
}

/// The first port of the demo sites.
#[allow(clippy::unnecessary_wraps, reason = "every section is checked in the same way")]
pub(super) fn check(written: &Written) -> anyhow::Result<u16> {
    Ok(written.demo_port)
}
