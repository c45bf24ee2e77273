//! Limits and nonces in Redis: one call of one script per request, so that replicas count as one.

use super::{Decision, Limit, Nonce, Standing};
use crate::{Shared, StoreError, shared::TenantKey};
use jiff::SignedDuration;
use misy_domain::{TenantId, Timestamp};
use redis::{Script, Value};
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
    weight: u32,
    now: Timestamp,
    clock: Option<Timestamp>,
) -> Result<Decision, StoreError> {
    let limits = &limits[..limits.len().min(super::MOST_AT_ONCE)];
    let mut call = SCRIPT.prepare_invoke();
    let keep = nonce.map_or(0, |nonce| (nonce.forget_at - now.as_second() + 1).max(1) + SKEW);
    call.arg(clock.map_or(0, Timestamp::as_microsecond)).arg(keep * 1_000).arg(weight.max(1));
    for limit in limits {
        call.key(TenantKey::limit(tenant, limit.scope, limit.subject, limit.quota));
        call.arg(limit.quota.interval()).arg(limit.quota.requests.max(1));
    }
    if let Some(nonce) = nonce {
        call.key(TenantKey::nonce(tenant, nonce.value));
    }
    let answer: Value = shared.ask(async |mut redis| call.invoke_async(&mut redis).await).await?;
    let numbers = numbers(&answer);
    numbers.and_then(|numbers| read(&numbers, limits, weight, nonce.is_some())).ok_or_else(|| {
        metrics::counter!("misy_redis_failures_total", "kind" => "answer").increment(1);
        StoreError::SharedUnavailable
    })
}

fn numbers(answer: &Value) -> Option<Vec<i64>> {
    let Value::Array(values) = answer else { return None };
    values.iter().map(|value| if let Value::Int(number) = value { Some(*number) } else { None }).collect()
}

/// What an answer says, if it is one that the script could give to this call.
fn read(answer: &[i64], limits: &[Limit<'_>], weight: u32, with_nonce: bool) -> Option<Decision> {
    let limit = |at: i64| usize::try_from(at.checked_sub(1)?).ok().and_then(|at| limits.get(at));
    let within = |value: i64, most: i64| (0..=most).contains(&value).then_some(value);
    match *answer {
        [0] if limits.is_empty() => Some(Decision::Allowed(None)),
        [0, at, remaining, reset] => {
            let limit = limit(at)?;
            let remaining = within(remaining, i64::from(limit.quota.requests.max(1)) - 1)?;
            Some(Decision::Allowed(Some(Standing {
                scope: limit.scope,
                quota: limit.quota,
                remaining: u32::try_from(remaining).ok()?,
                reset: SignedDuration::from_micros(within(reset, limit.quota.burst())?),
            })))
        }
        [1, at, wait] => {
            let limit = limit(at)?;
            Some(Decision::Limited {
                scope: limit.scope,
                quota: limit.quota,
                retry_after: SignedDuration::from_micros(within(
                    wait,
                    limit.quota.interval().saturating_mul(i64::from(weight.max(1))),
                )?),
            })
        }
        [2] if with_nonce => Some(Decision::Replayed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Scope, *};
    use misy_domain::limit::Quota;

    #[test]
    fn an_answer_that_the_script_cannot_give_is_none() {
        let limits = [Limit { scope: Scope::Tenant, subject: "", quota: Quota::per_minute(60) }];
        for lie in [
            &[][..],
            &[0],
            &[2],
            &[3],
            &[0, 0, 5, 5],
            &[0, 2, 5, 5],
            &[0, i64::MIN, 5, 5],
            &[0, 1, 60, 5],
            &[0, 1, -1, 5],
            &[0, 1, i64::MAX, 5],
            &[0, 1, 5, -1],
            &[0, 1, 5, 60_000_001],
            &[1, 1, -1],
            &[1, 1, 1_000_001],
            &[1, 1, i64::MAX],
            &[1, 2, 5],
            &[0, 1, 5, 5, 5],
        ] {
            assert_eq!(read(lie, &limits, 1, false), None, "{lie:?}");
        }
        assert!(read(&[0, 1, 59, 1_000_000], &limits, 1, false).is_some());
        assert!(read(&[1, 1, 1_000_000], &limits, 1, false).is_some());
        assert!(read(&[1, 1, 5_000_000], &limits, 5, false).is_some());
        assert_eq!(read(&[2], &limits, 1, true), Some(Decision::Replayed));
        assert_eq!(read(&[0], &[], 1, true), Some(Decision::Allowed(None)));
    }
}
