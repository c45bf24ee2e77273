//! What somebody made that goes on without them: tenant secrets, keys, bound certificates, channel accounts and personal API
//! tokens. Also what was made with a secret of theirs, and with that in turn.

use crate::{
    StoreError, TenantTx,
    certificates::{self, Certificate},
    channels::{self, Account},
    credentials::{self, LockedKey, SecretRecord},
    readable::stored,
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Timestamp, UserId};
use misy_trust::access::{Handled, Reach, StandsFor};

misy_domain::words! {
    /// What kind of thing was made.
    pub enum MadeKind {
        /// A tenant secret.
        Secret = "secret",
        /// A publishable key.
        Key = "key",
        /// A bound client certificate.
        Certificate = "certificate",
        /// A channel account, which hands on what is said to contacts.
        ChannelAccount = "channel_account",
        /// A personal API token.
        PersonalToken = "personal_token",
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
             where tenant_id = $1 and made_by in (select id from makers) and status <> 'disabled'
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

/// A credential that somebody made, which nobody else changes until the transaction ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    /// A tenant secret.
    Secret(SecretRecord),
    /// A publishable key.
    Key(LockedKey),
    /// A bound client certificate.
    Certificate(Certificate),
    /// A channel account.
    ChannelAccount(Account),
}

impl StandsFor for Locked {
    fn reach(&self) -> Reach {
        match self {
            Self::Secret(secret) => secret.reach(),
            Self::Key(key) => key.reach(),
            Self::Certificate(certificate) => certificate.reach(),
            Self::ChannelAccount(account) => account.reach(),
        }
    }
}

/// What somebody made, to be handled; `None` for a personal token, which is their own and ends with them.
pub async fn lock(tx: &mut TenantTx, made: &Made) -> Result<Option<Locked>, StoreError> {
    Ok(match made.kind {
        MadeKind::Secret => credentials::lock_secret(tx, stored(made.id.parse())?).await?.map(Locked::Secret),
        // A person makes keys of pages only, whoever the tenant is.
        MadeKind::Key => credentials::lock_key(tx, false, stored(made.id.parse())?).await?.map(Locked::Key),
        MadeKind::Certificate => {
            certificates::lock(tx, stored(made.id.parse())?).await?.map(Locked::Certificate)
        }
        MadeKind::ChannelAccount => {
            channels::lock(tx, stored(made.id.parse())?).await?.map(Locked::ChannelAccount)
        }
        MadeKind::PersonalToken => None,
    })
}

/// Revokes what somebody made: secrets and keys with all tokens that they gave. A channel account is disabled.
pub async fn revoke(tx: &mut TenantTx, made: &Handled<Locked>, now: Timestamp) -> Result<(), StoreError> {
    match &**made {
        Locked::Secret(secret) => credentials::end_secret(tx, secret.key_id, true, now).await,
        Locked::Key(key) => credentials::end_key(tx, key.record.key_id, true, now).await,
        Locked::Certificate(certificate) => certificates::end(tx, certificate.certificate_id, now).await,
        Locked::ChannelAccount(account) => channels::disable(tx, account.account_id, now).await,
    }
}
