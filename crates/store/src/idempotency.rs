//! Answers to creating calls that carried an Idempotency-Key, written in the transaction of the effect: a call that is made
//! again is answered again, and has its effect once.

use crate::{StoreError, TenantKeys, TenantTx, Vault, vault::Via};
use jiff_sqlx::ToSqlx;
use misy_domain::{Entropy, TenantId, Timestamp};
use misy_trust::Place;
use std::time::Duration;

/// For how long a key is remembered.
pub const REMEMBERED: Duration = Duration::from_hours(24);

/// A creating call.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Which operation, and by whom: two callers never share keys.
    pub scope: &'a str,
    /// The key as it came.
    pub key: &'a str,
    /// SHA-256 of what was asked.
    pub request: [u8; 32],
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What is known of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It comes for the first time; the transaction now holds the key, and a second one waits for its end.
    Fresh,
    /// It was answered.
    Answered(Answer),
    /// The key was used for another request.
    Mismatch,
}

/// Takes the key within the transaction that will have the effect. If another transaction holds it, waits for its end.
pub async fn claim(
    tx: &mut TenantTx,
    vault: &Vault,
    call: &Call<'_>,
    now: Timestamp,
) -> Result<Claim, StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "delete from idempotency_keys
         where tenant_id = $1 and scope = $2 and idempotency_key = $3 and expires_at <= $4",
        tenant.as_str(),
        call.scope,
        call.key,
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    let expires_at = now.checked_add(REMEMBERED).unwrap_or(Timestamp::MAX);
    let taken = sqlx::query!(
        "insert into idempotency_keys (tenant_id, scope, idempotency_key, request_hash, status, sealed_response, expires_at)
         values ($1, $2, $3, $4, 0, '', $5) on conflict do nothing",
        tenant.as_str(),
        call.scope,
        call.key,
        &call.request[..],
        expires_at.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    if taken.rows_affected() > 0 {
        return Ok(Claim::Fresh);
    }
    let row = sqlx::query!(
        "select request_hash, status, sealed_response from idempotency_keys
         where tenant_id = $1 and scope = $2 and idempotency_key = $3",
        tenant.as_str(),
        call.scope,
        call.key
    )
    .fetch_one(tx.connection())
    .await?;
    if row.request_hash != call.request {
        return Ok(Claim::Mismatch);
    }
    let keys = vault.keys_within(tx).await?.ok_or(StoreError::Unsealable("data_keys"))?;
    let row_name = row_name(call);
    let place = place(&tenant, &row_name);
    let body = keys.open_fresh(Via::Connection(tx.connection()), &place, &row.sealed_response).await?;
    Ok(Claim::Answered(Answer { status: u16::try_from(row.status).unwrap_or(500), body }))
}

/// Writes the answer down, sealed, since it may hold a secret that is shown once.
pub async fn complete(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    entropy: &dyn Entropy,
    call: &Call<'_>,
    answer: &Answer,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let sealed = keys.seal(&place(&tenant, &row_name(call)), &answer.body, entropy)?;
    sqlx::query!(
        "update idempotency_keys set status = $4, sealed_response = $5
         where tenant_id = $1 and scope = $2 and idempotency_key = $3",
        tenant.as_str(),
        call.scope,
        call.key,
        i32::from(answer.status),
        sealed
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

fn row_name(call: &Call<'_>) -> String {
    format!("{}\n{}", call.scope, call.key)
}

fn place<'a>(tenant: &'a TenantId, row: &'a str) -> Place<'a> {
    Place { tenant, table: "idempotency_keys", column: "sealed_response", row }
}
