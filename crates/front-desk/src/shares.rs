//! The shares of visitors and networks in what a tenant has left for the month, as limits.

use crate::tenant_state::TenantState;
use misy_domain::{
    limit::Quota,
    share::{Shares, Trace},
};
use misy_store::limits::{Limit, Scope, network_of};
use std::net::IpAddr;

/// What tenants without a quota have left, as far as sessions and the like go.
const PLENTY: i64 = 1_000_000;

/// A share, and whose it is.
pub(crate) struct Share {
    subject: String,
    quota: Quota,
}

impl Share {
    /// As a limit among the others.
    pub(crate) fn limit(&self) -> Limit<'_> {
        Limit { scope: Scope::Key, subject: &self.subject, quota: self.quota }
    }
}

/// The shares that something a visitor does counts against: theirs, and those of where they are.
pub(crate) fn of(trace: Trace, state: &TenantState, family: &str, address: Option<IpAddr>) -> Vec<Share> {
    let left = match (state.messages_left(), trace) {
        (Some(left), _) => left,
        (None, Trace::Message) => return Vec::new(),
        (None, _) => PLENTY,
    };
    let Shares { visitor, network, region } = Shares::of(trace, left);
    let share = |whose: String, quota| Share { subject: format!("{} {whose}", trace.as_str()), quota };
    let mut shares = vec![share(family.to_owned(), visitor)];
    if let Some(address) = address.map(|address| address.to_canonical()) {
        shares.push(share(format!("{:x}", network_of(address)), network));
        if let IpAddr::V6(address) = address {
            shares.push(share(format!("{:x}/48", address.to_bits() >> 80), region));
        }
    }
    shares
}
