//! Who may give what to whom, as management calls meet it. The check itself is one: [`misy_trust::access::Powers`].

use super::AtTenant;
use crate::{desk::FrontDesk, problem::Problem};
use misy_store::{TenantTx, roles};
use misy_trust::access::{Given, Handled, Powers, Reach, StandsFor};

/// What is answered to whoever reaches beyond what they may do themselves.
fn above_own() -> Problem {
    Problem::forbidden("role_above_own", "Nobody handles a role above its own.")
}

fn beyond_own() -> Problem {
    Problem::forbidden("permission_denied", "You can give to others only what you may do yourself.")
}

impl AtTenant {
    /// How far the caller reaches: what they may do to the tenant, and what tokens may hold that they have given. Whoever gives
    /// or handles something has proved the second factor freshly.
    pub(crate) fn reach(&self, desk: &FrontDesk) -> Result<Reach, Problem> {
        if self.manager.home != self.tenant {
            // Only the owner of the platform comes to another tenant, for what the policies let it do there. What it does to a
            // credential it answers for, with a reason, in both trails.
            return Ok(if self.has_answered() { Reach::of_operator() } else { Reach::default() });
        }
        let permissions = self.manager.most_permissions(&self.state, desk.clock.now());
        Ok(Reach { powers: self.powers(desk, &self.tenant)?, permissions })
    }

    /// Gives what a credential is to carry.
    pub(crate) fn give<T: StandsFor>(&self, desk: &FrontDesk, what: T) -> Result<Given<T>, Problem> {
        self.reach(desk)?.give(what).map_err(|_| beyond_own())
    }

    /// Handles a credential: nobody changes, replaces or ends one that can do more than they may.
    pub(crate) fn handle<T: StandsFor>(&self, desk: &FrontDesk, what: T) -> Result<Handled<T>, Problem> {
        let nothing = Reach::default();
        let own = if what.reach() == nothing { nothing } else { self.reach(desk)? };
        own.handle(what).map_err(|_| {
            Problem::forbidden("permission_denied", "It stands for more than you may do yourself.")
        })
    }

    /// Gives roles, by their names.
    pub(crate) async fn give_roles(
        &self,
        desk: &FrontDesk,
        tx: &mut TenantTx,
        names: Vec<String>,
    ) -> Result<Given<Vec<String>>, Problem> {
        let own = self.powers(desk, &self.tenant)?;
        let roles = roles::weigh(tx, self.state.is_owner(), names).await?;
        own.give_roles(roles).map_err(|_| above_own())
    }

    /// Refuses to handle whoever has these roles, if they may do more than the caller.
    pub(crate) async fn expect_handles(
        &self,
        desk: &FrontDesk,
        tx: &mut TenantTx,
        names: &[String],
    ) -> Result<(), Problem> {
        let theirs = roles::weigh(tx, self.state.is_owner(), names.to_vec()).await?;
        self.expect_covers(desk, theirs.powers())
    }

    /// Refuses to handle what these powers stand behind, unless the caller has them all.
    pub(crate) fn expect_covers(&self, desk: &FrontDesk, powers: &Powers) -> Result<(), Problem> {
        self.powers(desk, &self.tenant)?.cover(powers).map_err(|_| above_own())
    }
}
