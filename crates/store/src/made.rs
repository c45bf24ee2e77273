//! What somebody made that goes on without them: tenant secrets, keys, bound certificates, channel accounts and personal API
//! tokens. Also what was made with a secret of theirs, and with that in turn.

use crate::{
    StoreError, TenantTx, certificates,
    channels::{self, AccountChange, AccountStatus},
    credentials,
    tenants::stored,
    users::tokens,
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Timestamp, UserId};

/// What kind of thing was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeKind {
    /// A tenant secret.
    Secret,
    /// A publishable key.
    Key,
    /// A bound client certificate.
    Certificate,
    /// A channel account, which hands on what is said to contacts.
    ChannelAccount,
    /// A personal API token.
    PersonalToken,
}

impl MadeKind {
    /// As it stands in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Key => "key",
            Self::Certificate => "certificate",
            Self::ChannelAccount => "channel_account",
            Self::PersonalToken => "personal_token",
        }
    }
}

/// Something that was made and is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// What it is.
    pub kind: MadeKind,
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Who made it: the person, or a secret.
    pub made_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// What a person made that is in force, the oldest first.
pub async fn by(tx: &mut TenantTx, user: UserId, now: Timestamp) -> Result<Vec<Made>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query!(
        r#"with recursive makers (id) as (
             select $2::text collate "C"
             union
             select s.key_id from tenant_secrets s join makers m on s.made_by = m.id where s.tenant_id = $1
         )
         select kind as "kind!", id as "id!", name as "name!", made_by as "made_by!", created_at as "created_at!: SqlTimestamp"
         from (
             select 'secret' as kind, key_id as id, name, made_by, created_at from tenant_secrets
             where tenant_id = $1 and made_by in (select id from makers)
                 and revoked_at is null and (expires_at is null or expires_at > $3)
             union all
             select 'key', key_id, name, made_by, created_at from api_keys
             where tenant_id = $1 and made_by in (select id from makers)
                 and revoked_at is null and (expires_at is null or expires_at > $3)
             union all
             select 'certificate', certificate_id, name, made_by, created_at from certificates
             where tenant_id = $1 and made_by in (select id from makers)
                 and revoked_at is null and (expires_at is null or expires_at > $3)
             union all
             select 'channel_account', account_id, name, made_by, created_at from channel_accounts
             where tenant_id = $1 and made_by in (select id from makers) and status = 'active'
             union all
             select 'personal_token', key_id, name, user_id, created_at from personal_tokens
             where tenant_id = $1 and user_id = $2 and revoked_at is null and expires_at > $3) made
         order by created_at, id"#,
        tenant.as_str(),
        user.to_string(),
        now.to_sqlx() as _
    )
    .fetch_all(tx.connection())
    .await?;
    let made = rows.into_iter().map(|row| Made {
        kind: match row.kind.as_str() {
            "secret" => MadeKind::Secret,
            "key" => MadeKind::Key,
            "certificate" => MadeKind::Certificate,
            "channel_account" => MadeKind::ChannelAccount,
            _ => MadeKind::PersonalToken,
        },
        id: row.id,
        name: row.name,
        made_by: row.made_by,
        created_at: row.created_at.to_jiff(),
    });
    Ok(made.collect())
}

/// Revokes what a person made: secrets and keys with all tokens that they gave. Channel accounts are disabled.
pub async fn revoke(
    tx: &mut TenantTx,
    user: UserId,
    made: &[Made],
    now: Timestamp,
) -> Result<(), StoreError> {
    for one in made {
        match one.kind {
            MadeKind::Secret => {
                credentials::revoke_secret(tx, stored(one.id.parse())?, true, now).await?;
            }
            MadeKind::Key => {
                credentials::revoke_key(tx, stored(one.id.parse())?, true, now).await?;
            }
            MadeKind::Certificate => {
                certificates::revoke(tx, stored(one.id.parse())?, now).await?;
            }
            MadeKind::ChannelAccount => {
                let off = AccountChange { status: Some(AccountStatus::Disabled), ..AccountChange::default() };
                channels::change(tx, stored(one.id.parse())?, &off, None, now).await?;
            }
            MadeKind::PersonalToken => {
                tokens::revoke(tx, user, stored(one.id.parse())?, now).await?;
            }
        }
    }
    Ok(())
}
