//! `/auth`: people sign in, prove their second factor, and look after their own account.

pub mod access;
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

use crate::{
    desk::FrontDesk,
    identity::UserCall,
    problem::{Code, Problem},
};
use misy_store::{
    TenantTx,
    users::{self, LockedUser, User, UserStatus, passkeys as stored_passkeys, sign_ins},
};

/// The caller's own account, locked in a transaction of its tenant. Whatever was checked before may have taken its time: who was
/// disabled meanwhile, or whose session ended, is refused.
pub(crate) async fn own_account(
    desk: &FrontDesk,
    call: &UserCall,
    name: &'static str,
) -> Result<(TenantTx, LockedUser), Problem> {
    let invalid = || Problem::unauthorized(Code::SessionInvalid);
    let mut tx = desk.database.tenant(name, &call.proved.tenant).await?;
    let user = users::lock(&mut tx, &call.proved.state.keys, call.proved.user.user_id).await?;
    let user = user.filter(|user| user.status == UserStatus::Active).ok_or_else(invalid)?;
    if let Some((sign_in, _)) = &call.proved.session
        && !sign_ins::is_there(&mut tx, user.user_id, sign_in.sign_in_id).await?
    {
        return Err(invalid());
    }
    Ok((tx, user))
}

misy_domain::words! {
    /// A kind of second factor.
    pub enum Factor as SecondFactor {
        /// A code of an authenticator app.
        Totp = "totp",
        /// One of the codes that were shown when the first factor was enrolled.
        RecoveryCode = "recovery_code",
        /// A passkey.
        Passkey = "passkey",
    }
}

/// The kinds of second factors that a user can prove itself with.
pub(crate) async fn factors_of(tx: &mut TenantTx, user: &User) -> Result<Vec<Factor>, Problem> {
    let mut factors = Vec::new();
    if stored_passkeys::has_any(tx, user.user_id).await? {
        factors.push(Factor::Passkey);
    }
    if user.has_totp {
        factors.push(Factor::Totp);
    }
    if !factors.is_empty() {
        factors.push(Factor::RecoveryCode);
    }
    Ok(factors)
}
