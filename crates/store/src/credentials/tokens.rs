//! Tokens that were revoked, and the chains of renewals that they are part of.

use crate::{Database, StoreError, TenantTx};
use jiff_sqlx::ToSqlx;
use misy_domain::{TenantId, Timestamp, TokenId};

/// Remembers to which chain a renewed token belongs.
pub async fn note_renewal(
    tx: &mut TenantTx,
    token: TokenId,
    family: TokenId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    // A few that are over go with each that comes, so that there are never more than count.
    sqlx::query!(
        "delete from token_renewals where tenant_id = $1 and token_id in (
             select token_id from token_renewals where tenant_id = $1 and expires_at < $2
             order by expires_at limit 4 for update skip locked)",
        tenant.as_str(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    sqlx::query!(
        "insert into token_renewals (tenant_id, token_id, family, expires_at) values ($1, $2, $3, $4)",
        tenant.as_str(),
        token.to_string(),
        family.to_string(),
        expires_at.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Revokes tokens, each by its identifier with the whole chain of renewals that it is part of.
pub async fn revoke_tokens(
    tx: &mut TenantTx,
    tokens: &[TokenId],
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        // Both clocks say so: what was revoked must not come back because the clock of a replica was wrong.
        "delete from revoked_tokens where tenant_id = $1 and expires_at < least($2, clock_timestamp())",
        tenant.as_str(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    let ids: Vec<String> = tokens.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "insert into revoked_tokens (tenant_id, token_id, expires_at)
         select $1, id, $3::timestamptz from (
             select id from unnest($2::text[]) id
             union
             select family from token_renewals where tenant_id = $1 and token_id = any ($2)) ids
         on conflict (tenant_id, token_id) do update
         set expires_at = greatest(revoked_tokens.expires_at, excluded.expires_at), revoked_at = excluded.revoked_at",
        tenant.as_str(),
        &ids,
        expires_at.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Takes the sessions of a chain of tokens away from it: whoever renews it later finds nothing.
pub async fn detach_sessions(tx: &mut TenantTx, family: TokenId) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update sessions set token_family = 'revoked' where tenant_id = $1 and token_family = $2",
        tenant.as_str(),
        family.to_string()
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

impl Database {
    /// Whether a token was revoked at any time, by itself or by its chain.
    pub async fn token_is_revoked(
        &self,
        tenant: &TenantId,
        token: TokenId,
        family: TokenId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.tenant("tokens.look_up", tenant).await?;
        let revoked = sqlx::query_scalar!(
            r#"select exists (
                   select from revoked_tokens
                   where tenant_id = $1 and token_id in ($2, $3) and expires_at > $4) as "revoked!""#,
            tenant.as_str(),
            token.to_string(),
            family.to_string(),
            now.to_sqlx() as _
        )
        .fetch_one(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(revoked)
    }
}
