//! `/auth`: people sign in, prove their second factor, and look after their own account.

pub mod enroll;
pub mod invitations;
pub mod me;
pub mod oidc;
pub mod passkeys;
pub mod password;
pub mod second_factor;
pub mod sessions;
pub mod sign_in;
pub mod step_up;
pub mod tokens;
pub mod totp;

use crate::{desk::FrontDesk, identity::UserCall, problem::Problem};
use misy_store::{
    TenantTx,
    users::{self, User, passkeys as stored_passkeys},
};

/// The caller's own account, in a transaction of its tenant.
pub(crate) async fn own_account(
    desk: &FrontDesk,
    call: &UserCall,
    name: &'static str,
) -> Result<(TenantTx, User), Problem> {
    let mut tx = desk.database.tenant(name, &call.proved.tenant).await?;
    let user = users::lock(&mut tx, &call.proved.state.keys, call.proved.user.user_id).await?;
    Ok((tx, user.ok_or_else(|| Problem::unauthorized("session_invalid"))?))
}

/// The kinds of second factors that a user can prove itself with.
pub(crate) async fn factors_of(tx: &mut TenantTx, user: &User) -> Result<Vec<&'static str>, Problem> {
    let mut factors = Vec::new();
    if stored_passkeys::has_any(tx, user.user_id).await? {
        factors.push("passkey");
    }
    if user.has_totp {
        factors.push("totp");
    }
    if !factors.is_empty() {
        factors.push("recovery_code");
    }
    Ok(factors)
}
