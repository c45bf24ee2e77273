//! Limits and nonces in Redis: one call of one script per request, so that replicas count as one.

use super::{Decision, Limit, Nonce, Standing};
use crate::{Shared, StoreError, shared::TenantKey};
use jiff::SignedDuration;
use misy_domain::{TenantId, Timestamp};
use redis::Script;
use std::sync::LazyLock;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("check.lua")));

/// For how many seconds longer than this replica would take a request its nonce is remembered: another replica's clock
/// may be that far behind.
const SKEW: i64 = 300;

/// As [`super::Limits::check`]. Redis's own clock decides about limits unless a test gives another.
pub(super) async fn check(
    shared: &Shared,
    tenant: &TenantId,
    nonce: Option<Nonce<'_>>,
    limits: &[Limit<'_>],
    now: Timestamp,
    clock: Option<Timestamp>,
) -> Result<Decision, StoreError> {
    let limits = &limits[..limits.len().min(super::MOST_AT_ONCE)];
    let mut call = SCRIPT.prepare_invoke();
    let keep = nonce.map_or(0, |nonce| (nonce.forget_at - now.as_second() + 1).max(1) + SKEW);
    call.arg(clock.map_or(0, Timestamp::as_microsecond)).arg(keep * 1_000);
    for limit in limits {
        call.key(TenantKey::limit(tenant, limit.scope, limit.subject, limit.quota));
        call.arg(limit.quota.interval()).arg(limit.quota.requests.max(1));
    }
    if let Some(nonce) = nonce {
        call.key(TenantKey::nonce(tenant, nonce.value));
    }
    let answer: Vec<i64> = shared.ask(async |mut redis| call.invoke_async(&mut redis).await).await?;
    let micros = SignedDuration::from_micros;
    let limit = |at: i64| usize::try_from(at - 1).ok().and_then(|at| limits.get(at));
    let decision = match *answer {
        [0] => Some(Decision::Allowed(None)),
        [0, at, remaining, reset] => limit(at).map(|limit| {
            Decision::Allowed(Some(Standing {
                scope: limit.scope,
                quota: limit.quota,
                remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
                reset: micros(reset),
            }))
        }),
        [1, at, wait] => limit(at).map(|limit| Decision::Limited {
            scope: limit.scope,
            quota: limit.quota,
            retry_after: micros(wait),
        }),
        [2] => Some(Decision::Replayed),
        _ => None,
    };
    decision.ok_or(StoreError::SharedUnavailable)
}
