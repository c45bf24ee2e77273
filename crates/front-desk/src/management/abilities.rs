//! What somebody may do to a tenant, told in advance, so that a page shows nobody what they would only be refused.

use super::Manager;
use crate::{desk::FrontDesk, problem::Problem};
use misy_domain::{Action, TenantId};
use misy_store::privilege::Access;
use misy_trust::{AccessOutcome, AccessPolicies, Moment};

/// Something that somebody may do to a tenant, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ability {
    /// What.
    pub action: Action,
    /// A second factor that was proved in the last five minutes.
    pub second_factor: bool,
    /// A reason.
    pub reason: bool,
    /// A privileged operation, which has not been run yet.
    pub privilege: bool,
}

impl Manager {
    /// All that it may do to a tenant; nothing if it may not even know of it.
    pub(crate) async fn abilities(
        &self,
        desk: &FrontDesk,
        tenant: &TenantId,
    ) -> Result<Vec<Ability>, Problem> {
        let privileges = self.privileges(desk, tenant).await?;
        Ok(Action::ALL
            .iter()
            .filter_map(|action| self.ability(*action, tenant, privileges.to(*action)))
            .collect())
    }

    fn ability(&self, action: Action, tenant: &TenantId, access: Access) -> Option<Ability> {
        let outcome = |fresh: bool, reason_given: bool| {
            let moment = Moment {
                second_factor_age: fresh.then_some(0),
                support_access: access.support,
                agent_access: access.agents,
                reason_given,
            };
            self.as_principal(|who| AccessPolicies::in_force().decide(who, action, tenant, moment)).outcome
        };
        let privilege = match outcome(true, true) {
            AccessOutcome::Allowed => false,
            AccessOutcome::NeedsPrivilege => true,
            _ => return None,
        };
        Some(Ability {
            action,
            second_factor: outcome(false, true) == AccessOutcome::StepUp,
            reason: outcome(true, false) == AccessOutcome::NeedsReason,
            privilege,
        })
    }
}
