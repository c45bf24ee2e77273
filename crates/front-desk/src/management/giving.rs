//! Who may give what to whom, as management calls meet it. The check itself is one: [`misy_trust::access::Powers`].

use super::AtTenant;
use crate::{desk::FrontDesk, problem::Problem};
use misy_store::{TenantTx, roles};
use misy_trust::access::{Given, Powers};

/// What is answered to whoever reaches beyond what they may do themselves.
fn above_own() -> Problem {
    Problem::forbidden("role_above_own", "Nobody handles a role above its own.")
}

impl AtTenant {
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
