//! Names in Redis.

use crate::limits::Scope;
use misy_domain::{TenantId, limit::Quota};
use redis::{RedisWrite, ToRedisArgs};

/// The name of something in Redis. It belongs to a tenant: there is no way to make one without.
///
/// ```compile_fail
/// // The name itself is private.
/// let key = misy_store::shared::TenantKey(String::from("misy:anything"));
/// ```
///
/// ```compile_fail
/// // And no constructor does without a tenant.
/// let key = misy_store::shared::TenantKey::nonce("bm9uY2UtMDAwMQ");
/// ```
///
/// ```
/// let tenant: misy_domain::TenantId = "andina".parse().unwrap();
/// let key = misy_store::shared::TenantKey::nonce(&tenant, "bm9uY2UtMDAwMQ");
/// assert!(key.as_str().starts_with("misy:{andina}:nonce:"));
/// ```
///
/// The braces are the hash tag of Redis Cluster: all names of a tenant are on one node, where one script reaches them.
/// What callers write is hashed, so that nothing in it can end the tenant's part of the name or make it long.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TenantKey(String);

impl TenantKey {
    /// A nonce that was seen.
    pub fn nonce(tenant: &TenantId, nonce: &str) -> Self {
        Self::of(tenant, "nonce", nonce.as_bytes())
    }

    /// The state of a limit. The rule is in the name: who is locked out under one rule starts afresh when it is changed.
    pub fn limit(tenant: &TenantId, scope: Scope, subject: &str, quota: Quota) -> Self {
        let rule = format!("{}/{}/{}/{subject}", scope.as_str(), quota.requests, quota.period.as_micros());
        Self::of(tenant, "limit", rule.as_bytes())
    }

    /// The channel on which replicas tell each other news of the tenant.
    pub fn news(tenant: &TenantId) -> Self {
        Self(format!("{PREFIX}{{{tenant}}}{NEWS}"))
    }

    /// The channels of news of all tenants, for the replica that listens to them.
    pub(super) const ALL_NEWS: &str = "misy:{*}:news";

    /// The tenant of a channel of news, by its name.
    pub(super) fn tenant_of_news(channel: &str) -> Option<TenantId> {
        channel.strip_prefix(PREFIX)?.strip_prefix('{')?.strip_suffix(NEWS)?.strip_suffix('}')?.parse().ok()
    }

    fn of(tenant: &TenantId, kind: &str, what: &[u8]) -> Self {
        let [a, b, ..] = *misy_trust::sha256(what).as_chunks::<8>().0 else { unreachable!() };
        let (a, b) = (u64::from_be_bytes(a), u64::from_be_bytes(b));
        Self(format!("{PREFIX}{{{tenant}}}:{kind}:{a:016x}{b:016x}"))
    }

    /// As it stands in Redis.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const PREFIX: &str = "misy:";
const NEWS: &str = ":news";

impl ToRedisArgs for TenantKey {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        self.0.write_redis_args(out);
    }
}

impl redis::ToSingleRedisArg for TenantKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_of_news_tells_its_tenant_and_nothing_else_does() {
        let andina: TenantId = "andina".parse().unwrap();
        assert_eq!(TenantKey::tenant_of_news(TenantKey::news(&andina).as_str()), Some(andina));
        for text in ["misy:{andina}:nonce:00", "misy:andina:news", "misy:{}:news", "misy:{a}b}:news", ":news"]
        {
            assert_eq!(TenantKey::tenant_of_news(text), None, "{text}");
        }
    }

    #[test]
    fn what_callers_write_cannot_leave_the_tenant() {
        let andina: TenantId = "andina".parse().unwrap();
        for hostile in ["}:nonce:{verde", "misy:{verde}:nonce:x", "", "\r\n", &"x".repeat(100_000)] {
            let quota = Quota::per_minute(1);
            for key in [
                TenantKey::nonce(&andina, hostile),
                TenantKey::limit(&andina, Scope::Session, hostile, quota),
            ] {
                let rest = key.as_str().strip_prefix("misy:{andina}:").unwrap();
                assert!(rest.len() < 50 && !rest.contains(['{', '}', '*']), "{rest}");
            }
        }
    }
}
