//! What a tenant is told when its turns do not end as they should.

use super::Turns;
use metrics::counter;
use misy_agents::Spent;
use misy_domain::AlertId;
use misy_store::{
    alerts::{self, Alert, Severity},
    leases::Lease,
    turns::Conversations,
};
use serde_json::{Value, json};
use std::time::Duration;
use tracing::warn;

/// A tenant is told once in so long that turns did not end as they should.
const TOLD_EVERY: Duration = Duration::from_hours(1);

/// What a tenant is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// A turn ran out of its budget.
    Budget(Spent),
    /// An agent did not end in time.
    Deadline { agent: String },
    /// An agent came to no answer, as often as it was tried.
    Failed { agent: String },
}

impl Told {
    fn rule(&self) -> &'static str {
        match self {
            Self::Budget(_) => "turn_budget",
            Self::Deadline { .. } => "agent_deadline",
            Self::Failed { .. } => "agent_failed",
        }
    }

    fn detail(&self) -> Value {
        match self {
            Self::Budget(spent) => json!({ "budget": spent.to_string() }),
            Self::Deadline { agent } | Self::Failed { agent } => json!({ "agent": agent }),
        }
    }
}

impl Turns {
    /// Tells the tenant. A failure to raise the alert fails nothing else: the contact is answered all the same.
    pub(super) async fn tell(&self, lease: &Lease<Conversations>, told: &Told) {
        if let Told::Budget(spent) = told {
            let of = if *spent == Spent::Time { "time" } else { "steps" };
            counter!("misy_turns_spent_total", "of" => of).increment(1);
        }
        warn!(rule = told.rule(), "the turn did not end as it should: a person is asked");
        let now = self.clock.now();
        let every = i64::try_from(TOLD_EVERY.as_secs()).unwrap_or(i64::MAX);
        let alert = Alert {
            alert_id: AlertId::new(&*self.clock, &*self.entropy),
            rule: told.rule().to_owned(),
            occurrence: now.as_second().div_euclid(every).to_string(),
            severity: Severity::Warning,
            actor: None,
            subject: Some(lease.id.to_string()),
            detail: told.detail(),
            raised_at: now,
            acknowledged_at: None,
            acknowledged_by: None,
        };
        let raise = async {
            let mut tx = self.database.tenant_work("turn.alert", &lease.tenant).await?;
            alerts::raise(&mut tx, &self.vault, &alert).await?;
            tx.commit().await
        };
        if let Err(error) = raise.await {
            warn!(%error, "an alert could not be raised");
        }
    }
}
