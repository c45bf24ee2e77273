//! Whether more than one tenant is there.

use misy_domain::TenantId;
use std::time::{Duration, Instant};

/// Who was there so recently is there again soon.
const LATELY: Duration = Duration::from_secs(5);

/// Notes which tenants come, and says whether there is more than one.
#[derive(Debug, Default)]
pub struct Company {
    last: Option<TenantId>,
    changed: Option<Instant>,
}

impl Company {
    /// Notes that a tenant came.
    pub fn met(&mut self, tenant: &TenantId, now: Instant) {
        let Some(last) = &self.last else {
            self.last = Some(tenant.clone());
            return;
        };
        if last != tenant {
            self.last = Some(tenant.clone());
            self.changed = Some(now);
        }
    }

    /// Whether at least two tenants came lately.
    pub fn is_there(&self, now: Instant) -> bool {
        self.changed.is_some_and(|changed| now.saturating_duration_since(changed) < LATELY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tenant_is_alone_until_another_comes_and_again_when_it_is_gone() {
        let (mut company, began) = (Company::default(), Instant::now());
        let (one, other) = ("andina".parse().unwrap(), "muro".parse().unwrap());
        assert!(!company.is_there(began));
        company.met(&one, began);
        company.met(&one, began);
        assert!(!company.is_there(began));
        company.met(&other, began);
        company.met(&one, began);
        assert!(company.is_there(began + LATELY / 2));
        company.met(&one, began + LATELY / 2);
        assert!(!company.is_there(began + LATELY));
    }
}
