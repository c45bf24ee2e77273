//! Second factors: authenticator apps, and recovery codes for when one is lost.

use crate::{
    StoreError, TenantKeys, TenantTx, sign_in_providers,
    users::{devices, end_older, passkeys, place},
    vault::Via,
};
use jiff_sqlx::ToSqlx;
use misy_domain::{Entropy, Secret, SignInId, Timestamp, UserId};
use misy_trust::{Place, TotpSecret, recovery_code, recovery_code_hash};

/// How many recovery codes a user gets.
pub const RECOVERY_CODES: usize = 10;

async fn open_totp(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    place: &Place<'_>,
    sealed: &[u8],
) -> Result<TotpSecret, StoreError> {
    let secret = keys.open_fresh(Via::Connection(tx.connection()), place, sealed).await?;
    TotpSecret::new(&secret).ok_or(StoreError::Unsealable("users"))
}

/// Keeps the secret of an app until a code of it proves that the app has it. The app in use stays in use till then.
pub async fn propose_totp(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    entropy: &dyn Entropy,
    user: UserId,
    secret: &TotpSecret,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let row = user.to_string();
    let sealed = keys.seal(&place(&tenant, "sealed_totp_candidate", &row), secret.expose(), entropy)?;
    sqlx::query!(
        "update users set sealed_totp_candidate = $3 where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        row,
        sealed
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Takes the proposed app into use if the code is one of it, and ends all sessions but that which did it. Says whether it was;
/// `None` if none is proposed.
pub async fn confirm_totp(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    entropy: &dyn Entropy,
    user: UserId,
    code: &str,
    keep: SignInId,
    now: Timestamp,
) -> Result<Option<bool>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = user.to_string();
    let sealed = sqlx::query_scalar!(
        "select sealed_totp_candidate from users where tenant_id = $1 and user_id = $2 for no key update",
        tenant.as_str(),
        row
    )
    .fetch_optional(tx.connection())
    .await?
    .flatten();
    let Some(sealed) = sealed else { return Ok(None) };
    let secret = open_totp(tx, keys, &place(&tenant, "sealed_totp_candidate", &row), &sealed).await?;
    let Some(step) = secret.step_of(code, now) else { return Ok(Some(false)) };
    let sealed = keys.seal(&place(&tenant, "sealed_totp", &row), secret.expose(), entropy)?;
    sqlx::query!(
        "update users set sealed_totp = $3, sealed_totp_candidate = null, totp_last_step = $4,
                          second_factor_since = coalesce(second_factor_since, $5), updated_at = $5, version = version + 1
         where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        row,
        sealed,
        step,
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    end_older(tx, user, Some(keep)).await?;
    Ok(Some(true))
}

/// Whether this is a code of the user's app that was not taken before. It is taken by this.
pub async fn take_totp(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    user: UserId,
    code: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let row = user.to_string();
    let found = sqlx::query!(
        "select sealed_totp, totp_last_step from users where tenant_id = $1 and user_id = $2 for no key update",
        tenant.as_str(),
        row
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some((sealed, last)) = found.and_then(|found| Some((found.sealed_totp?, found.totp_last_step)))
    else {
        return Ok(false);
    };
    let secret = open_totp(tx, keys, &place(&tenant, "sealed_totp", &row), &sealed).await?;
    let Some(step) = secret.step_of(code, now).filter(|step| *step > last) else { return Ok(false) };
    sqlx::query!(
        "update users set totp_last_step = $3 where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        row,
        step
    )
    .execute(tx.connection())
    .await?;
    Ok(true)
}

/// Gives a user new recovery codes in the place of all older ones.
pub async fn renew_recovery_codes(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    entropy: &dyn Entropy,
    user: UserId,
) -> Result<Vec<Secret<String>>, StoreError> {
    let tenant = tx.tenant().clone();
    let pepper = keys.pepper();
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code(entropy)).collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| recovery_code_hash(code, &pepper).to_vec()).collect();
    sqlx::query!(
        "delete from user_recovery_codes where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user.to_string()
    )
    .execute(tx.connection())
    .await?;
    sqlx::query!(
        "insert into user_recovery_codes (tenant_id, user_id, code_hash) select $1, $2, h from unnest($3::bytea[]) h",
        tenant.as_str(),
        user.to_string(),
        &hashes
    )
    .execute(tx.connection())
    .await?;
    Ok(codes.into_iter().map(Secret::new).collect())
}

/// Whether this is a recovery code of the user that was not used before. It is used up by this.
pub async fn take_recovery_code(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    user: UserId,
    code: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let done = sqlx::query!(
        "update user_recovery_codes set used_at = $4
         where tenant_id = $1 and user_id = $2 and code_hash = $3 and used_at is null",
        tenant.as_str(),
        user.to_string(),
        &recovery_code_hash(code, &keys.pepper())[..],
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// How many recovery codes a user has left.
pub async fn recovery_codes_left(tx: &mut TenantTx, user: UserId) -> Result<i64, StoreError> {
    let tenant = tx.tenant().clone();
    let left = sqlx::query_scalar!(
        "select count(*) from user_recovery_codes where tenant_id = $1 and user_id = $2 and used_at is null",
        tenant.as_str(),
        user.to_string()
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(left.unwrap_or_default())
}

/// Takes all second factors from a user, who enrols anew at the next sign-in. All sessions end, and no browser is trusted more
/// than another.
pub async fn reset(tx: &mut TenantTx, user: UserId, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update users set sealed_totp = null, sealed_totp_candidate = null, second_factor_since = null, updated_at = $3,
                          version = version + 1
         where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    sqlx::query!(
        "delete from user_recovery_codes where tenant_id = $1 and user_id = $2",
        tenant.as_str(),
        user.to_string()
    )
    .execute(tx.connection())
    .await?;
    passkeys::remove_all(tx, user).await?;
    sign_in_providers::unprove(tx, user).await?;
    devices::forget(tx, user).await?;
    end_older(tx, user, None).await
}
