//! Where requests come from, and the coarse guard that keeps floods from one place away from costly work.

use crate::{desk::FrontDesk, problem::Problem, record::CallRecord};
use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap, HeaderName};
use misy_domain::limit::Quota;
use misy_store::limits::Decision;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What is counted per address; each has its own count.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Tokens that are asked for.
    Tokens,
    /// Registrations.
    Registrations,
    /// Sign-ins that begin or end without a password: passkeys, providers.
    SignIns,
    /// Origins that turn out to be nobody's.
    UnknownOrigins,
    /// Keys, tokens and links that turn out to be nobody's.
    WrongKeys,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Registrations => "registrations",
            Self::SignIns => "sign-ins",
            Self::UnknownOrigins => "unknown-origins",
            Self::WrongKeys => "wrong-keys",
        }
    }

    fn quota(self, desk: &FrontDesk) -> Quota {
        let limits = &desk.settings.limits;
        match self {
            Self::Tokens | Self::SignIns => limits.tokens_per_address,
            Self::Registrations => limits.registrations_per_address,
            Self::UnknownOrigins => limits.unknown_origins_per_address,
            Self::WrongKeys => limits.wrong_keys_per_address,
        }
    }
}

/// The address of whoever calls: the peer's, or what the operator's own proxies say.
pub(crate) fn address_of(
    trusted_proxies: usize,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if trusted_proxies == 0 {
        return peer;
    }
    let values = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let entries: Vec<&str> = values.flat_map(|value| value.split(',')).collect();
    let told = entries.len().checked_sub(trusted_proxies).map(|at| entries[at].trim());
    told.and_then(|text| text.parse().ok()).or(peer)
}

/// Counts one more; a refusal when it is too many.
pub(crate) fn guard(desk: &FrontDesk, extensions: &Extensions, purpose: Purpose) -> Result<(), Problem> {
    let address = extensions.get::<Arc<CallRecord>>().and_then(|record| record.address);
    count(desk, address, purpose)
}

/// The same, by the address.
pub(crate) fn count(desk: &FrontDesk, address: Option<IpAddr>, purpose: Purpose) -> Result<(), Problem> {
    let Some(address) = address else { return Ok(()) };
    let now = desk.clock.now();
    match desk.limits.check_address(purpose.name(), address, purpose.quota(desk), now) {
        Decision::Limited { retry_after, .. } => Err(Problem::rate_limited(retry_after)),
        _ => Ok(()),
    }
}

/// Whether an address has used up what it may; counts nothing.
pub(crate) fn is_spent(desk: &FrontDesk, address: Option<IpAddr>, purpose: Purpose) -> bool {
    let quota = purpose.quota(desk);
    address
        .is_some_and(|address| desk.limits.address_is_spent(purpose.name(), address, quota, desk.clock.now()))
}
