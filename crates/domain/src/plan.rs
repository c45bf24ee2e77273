//! What each plan allows and costs: the one place where it is written. A tenant's own limits and quotas, which the owner
//! sets, go before these.

use crate::{Plan, limit::Quota};

crate::words! {
    /// What is metered, and limited by the month.
    pub enum Metered {
        /// Messages that contacts wrote and that were stored.
        Messages = "messages",
        /// Bookings that were made.
        Bookings = "bookings",
        /// Tokens that went into language models and came out of them.
        AiTokens = "ai_tokens",
    }
}

impl Metered {
    /// In words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Bookings => "bookings",
            Self::AiTokens => "AI tokens",
        }
    }
}

/// Rate limits of one plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanLimits {
    /// All calls of the tenant.
    pub tenant: Quota,
    /// All calls of one site.
    pub site: Quota,
    /// Calls with one chain of tokens, one tenant secret or one administrator token.
    pub key: Quota,
    /// Messages of one session.
    pub session: Quota,
    /// Messages on one channel.
    pub channel: Quota,
    /// Turns of one agent.
    pub agent: Quota,
}

crate::words! {
    /// How a plan is paid.
    pub enum Billing {
        /// A price for the month; what goes beyond the quota is refused.
        Fixed = "fixed",
        /// A price for the month and one for each unit beyond what it includes.
        PayPerUse = "pay_per_use",
    }
}

/// What a plan costs. Amounts are millionths of the currency's unit, so that one AI token has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// How it is paid.
    pub billing: Billing,
    /// ISO 4217.
    pub currency: &'static str,
    /// For the month.
    pub monthly: i64,
    /// For each unit beyond the included ones.
    pub per_unit: PerMetered,
    /// Units that the monthly price includes.
    pub included: PerMetered,
}

/// A number for each thing that is metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerMetered {
    /// Messages.
    pub messages: i64,
    /// Bookings.
    pub bookings: i64,
    /// AI tokens.
    pub ai_tokens: i64,
}

impl PerMetered {
    const NONE: Self = Self { messages: 0, bookings: 0, ai_tokens: 0 };

    /// The number of one thing.
    pub fn of(&self, metered: Metered) -> i64 {
        match metered {
            Metered::Messages => self.messages,
            Metered::Bookings => self.bookings,
            Metered::AiTokens => self.ai_tokens,
        }
    }
}

/// What files may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// Bytes of one file.
    pub largest: u64,
    /// Bytes of all files that are kept.
    pub total: i64,
}

/// Everything about a plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanTerms {
    /// What files may take.
    pub files: FileLimits,
    /// Rate limits.
    pub limits: PlanLimits,
    /// What may be used in a month, in UTC.
    pub quotas: PerMetered,
    /// The price.
    pub price: Price,
}

const fn limits(per_minute: u32, per_key: u32) -> PlanLimits {
    PlanLimits {
        tenant: Quota::per_minute(per_minute),
        site: Quota::per_minute(per_minute),
        key: Quota::per_minute(per_key),
        session: Quota::per_minute(30),
        channel: Quota::per_minute(per_minute),
        agent: Quota::per_minute(per_minute),
    }
}

const UNITS: i64 = 1_000_000;
const MIB: u64 = 1 << 20;
const GIB: i64 = 1 << 30;

const FREE: PlanTerms = PlanTerms {
    files: FileLimits { largest: 5 * MIB, total: GIB },
    limits: limits(12_000, 600),
    quotas: PerMetered { messages: 5_000, bookings: 100, ai_tokens: 1_000_000 },
    price: Price {
        billing: Billing::Fixed,
        currency: "USD",
        monthly: 0,
        per_unit: PerMetered::NONE,
        included: PerMetered { messages: 5_000, bookings: 100, ai_tokens: 1_000_000 },
    },
};

const PRO: PlanTerms = PlanTerms {
    files: FileLimits { largest: 10 * MIB, total: 50 * GIB },
    limits: limits(60_000, 3_000),
    quotas: PerMetered { messages: 200_000, bookings: 10_000, ai_tokens: 100_000_000 },
    price: Price {
        billing: Billing::Fixed,
        currency: "USD",
        monthly: 149 * UNITS,
        per_unit: PerMetered::NONE,
        included: PerMetered { messages: 200_000, bookings: 10_000, ai_tokens: 100_000_000 },
    },
};

const ENTERPRISE: PlanTerms = PlanTerms {
    files: FileLimits { largest: 15 * MIB, total: 1024 * GIB },
    limits: limits(600_000, 60_000),
    quotas: PerMetered { messages: 50_000_000, bookings: 1_000_000, ai_tokens: 20_000_000_000 },
    price: Price {
        billing: Billing::PayPerUse,
        currency: "USD",
        monthly: 990 * UNITS,
        per_unit: PerMetered { messages: 600, bookings: 20_000, ai_tokens: 2 },
        included: PerMetered { messages: 1_000_000, bookings: 20_000, ai_tokens: 200_000_000 },
    },
};

impl Plan {
    /// What the plan allows and costs.
    pub const fn terms(self) -> &'static PlanTerms {
        match self {
            Self::Free => &FREE,
            Self::Pro => &PRO,
            Self::Enterprise => &ENTERPRISE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_plan_includes_all_that_it_allows_and_a_larger_plan_allows_more() {
        for plan in [Plan::Free, Plan::Pro] {
            let terms = plan.terms();
            assert_eq!(terms.quotas, terms.price.included);
        }
        for metered in Metered::ALL {
            let of = |plan: Plan| plan.terms().quotas.of(metered);
            assert!(of(Plan::Free) < of(Plan::Pro) && of(Plan::Pro) < of(Plan::Enterprise));
        }
        let files = |plan: Plan| plan.terms().files;
        for (smaller, larger) in [(Plan::Free, Plan::Pro), (Plan::Pro, Plan::Enterprise)] {
            assert!(
                files(smaller).largest < files(larger).largest && files(smaller).total < files(larger).total
            );
        }
    }
}
