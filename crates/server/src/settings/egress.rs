//! What outgoing calls may reach, and whom they trust.

use super::declare::{declare, set, switch};
use std::path::PathBuf;

declare! {
    "Outgoing calls";
    open egress_ca_file: String = String::new(),
        "PEM file with certificate authorities to trust besides the machine's own [none]";
    open egress_allow_loopback: String = "off".into(),
        "on or off: whether outgoing calls may reach this machine itself; for development only [off]";
}

/// What outgoing calls may reach, and whom they trust.
#[derive(Debug, Clone)]
pub(crate) struct Egress {
    /// Certificate authorities besides the machine's own.
    pub(crate) ca_file: Option<PathBuf>,
    /// Whether outgoing calls may reach this machine itself.
    pub(crate) allow_loopback: bool,
}

pub(super) fn check(written: &Written) -> anyhow::Result<Egress> {
    Ok(Egress {
        ca_file: set(&written.egress_ca_file).map(PathBuf::from),
        allow_loopback: switch("egress_allow_loopback", &written.egress_allow_loopback)?,
    })
}
