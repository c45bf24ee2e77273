//! Client certificates that are bound to a tenant.

use crate::{
    StoreError, TenantTx,
    readable::stored,
    sites::{permission_names, permissions},
};
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use misy_domain::{Action, CertificateId, KeyId, SiteId, Timestamp};
use misy_trust::{
    ClientCertificate, Fingerprint,
    access::{Given, Handled, Powers, Reach, StandsFor},
};
use serde::Deserialize;

/// What of a certificate is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BoundBy {
    /// Its public key, which a renewal with the same key keeps.
    Key,
    /// All of it.
    Certificate,
}

impl BoundBy {
    /// As it stands in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Certificate => "certificate",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Key => Self::Certificate,
            Self::Certificate => Self::Key,
        }
    }

    /// What of this certificate is compared.
    pub fn fingerprint_of(self, certificate: &ClientCertificate) -> Fingerprint {
        match self {
            Self::Key => certificate.key,
            Self::Certificate => certificate.certificate,
        }
    }
}

/// A bound certificate as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its id.
    pub certificate_id: CertificateId,
    /// What people call it.
    pub name: String,
    /// What the fingerprint is of.
    pub bound_by: BoundBy,
    /// SHA-256.
    pub fingerprint: Fingerprint,
    /// Whose it says it is.
    pub subject: Option<String>,
    /// The one tenant secret it is good for.
    pub secret_key_id: Option<KeyId>,
    /// The one site it is good for.
    pub site_id: Option<SiteId>,
    /// Who bound it.
    pub made_by: String,
    /// What whoever bound it could do: it is no proof for a secret that carries more.
    pub stands_for: Reach,
    /// When it was bound.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
}

impl StandsFor for Certificate {
    fn reach(&self) -> Reach {
        self.stands_for.clone()
    }
}

struct Row {
    certificate_id: String,
    name: String,
    bound_by: String,
    fingerprint: Vec<u8>,
    subject: Option<String>,
    secret_key_id: Option<String>,
    site_id: Option<String>,
    made_by: String,
    actions: Vec<String>,
    permissions: Vec<String>,
    created_at: SqlTimestamp,
    expires_at: Option<SqlTimestamp>,
    revoked_at: Option<SqlTimestamp>,
}

impl TryFrom<Row> for Certificate {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let bound_by =
            [BoundBy::Key, BoundBy::Certificate].into_iter().find(|by| by.as_str() == row.bound_by);
        let unknown = misy_domain::tenant::UnknownValue;
        Ok(Self {
            certificate_id: stored(row.certificate_id.parse())?,
            name: row.name,
            bound_by: stored(bound_by.ok_or(unknown))?,
            fingerprint: Fingerprint::from_bytes(stored(row.fingerprint.try_into().map_err(|_| unknown))?),
            subject: row.subject,
            secret_key_id: row.secret_key_id.map(|id| stored(id.parse())).transpose()?,
            site_id: row.site_id.map(|id| stored(id.parse())).transpose()?,
            made_by: row.made_by,
            stands_for: Reach {
                powers: Powers::from_actions(row.actions.iter().filter_map(|action| action.parse().ok())),
                permissions: permissions(&row.permissions)?,
            },
            created_at: row.created_at.to_jiff(),
            expires_at: row.expires_at.map(SqlTimestamp::to_jiff),
            revoked_at: row.revoked_at.map(SqlTimestamp::to_jiff),
        })
    }
}

/// What came of binding a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// It is bound.
    Done,
    /// The secret or the site that it names is none of the tenant's.
    UnknownReference,
    /// It is bound already, by this one.
    Already(CertificateId),
}

/// Binds a certificate that is not bound yet. `other`: the fingerprint by which the same certificate could be bound too.
pub async fn bind(
    tx: &mut TenantTx,
    new: &Given<Certificate>,
    other: Option<Fingerprint>,
) -> Result<Binding, StoreError> {
    let tenant = tx.tenant().clone();
    let fingerprints: Vec<Vec<u8>> =
        [Some(new.fingerprint), other].into_iter().flatten().map(|one| one.as_bytes().to_vec()).collect();
    // One whose time is over stands in nobody's way.
    sqlx::query!(
        "update certificates set revoked_at = expires_at
         where tenant_id = $1 and fingerprint = any($2) and revoked_at is null and expires_at <= $3",
        tenant.as_str(),
        &fingerprints,
        new.created_at.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    if let Some(already) = bound_by(tx, &fingerprints).await? {
        return Ok(Binding::Already(already));
    }
    let done = sqlx::query!(
        "insert into certificates (tenant_id, certificate_id, name, bound_by, fingerprint, subject, secret_key_id, site_id,
                                   created_at, expires_at, made_by, actions, permissions)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
         where ($7::text is null or exists (
                   select from tenant_secrets k where k.tenant_id = $1 and k.key_id = $7))
           and ($8::text is null or exists (select from sites s where s.tenant_id = $1 and s.site_id = $8))
         on conflict (tenant_id, fingerprint) where revoked_at is null do nothing",
        tenant.as_str(),
        new.certificate_id.to_string(),
        new.name,
        new.bound_by.as_str(),
        &new.fingerprint.as_bytes()[..],
        new.subject,
        new.secret_key_id.map(|id| id.to_string()),
        new.site_id.as_ref().map(SiteId::as_str),
        new.created_at.to_sqlx() as _,
        new.expires_at.map(ToSqlx::to_sqlx) as _,
        new.made_by,
        &new.stands_for.powers.iter().map(|action: Action| action.to_string()).collect::<Vec<_>>(),
        &permission_names(&new.stands_for.permissions)
    )
    .execute(tx.connection())
    .await?;
    if done.rows_affected() > 0 {
        return Ok(Binding::Done);
    }
    // Somebody else may have bound it a moment ago.
    Ok(bound_by(tx, &fingerprints).await?.map_or(Binding::UnknownReference, Binding::Already))
}

/// The binding of one of these fingerprints, if there is one.
async fn bound_by(tx: &mut TenantTx, fingerprints: &[Vec<u8>]) -> Result<Option<CertificateId>, StoreError> {
    let tenant = tx.tenant().clone();
    let id = sqlx::query_scalar!(
        "select certificate_id from certificates
         where tenant_id = $1 and fingerprint = any($2) and revoked_at is null limit 1",
        tenant.as_str(),
        fingerprints
    )
    .fetch_optional(tx.connection())
    .await?;
    id.map(|id| stored(id.parse())).transpose()
}

/// Takes note that a certificate with this public key was shown for one of the tenant's bindings. Says no when the key is
/// another tenant's: a binding of theirs counts, by which it was shown.
pub async fn hold(
    tx: &mut TenantTx,
    key: Fingerprint,
    binding: CertificateId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let is_ours = sqlx::query_scalar!(
        "select platform.hold_certificate($1, $2, $3, $4)",
        &key.as_bytes()[..],
        tenant.as_str(),
        binding.to_string(),
        now.to_sqlx() as _
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(is_ours.unwrap_or_default())
}

/// Certificates from the newest, before one and at most so many.
pub async fn list(
    tx: &mut TenantTx,
    before: Option<CertificateId>,
    limit: i64,
) -> Result<Vec<Certificate>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select certificate_id, name, bound_by, fingerprint, subject, secret_key_id, site_id, made_by, actions, permissions,
                created_at, expires_at, revoked_at
         from certificates where tenant_id = $1 and ($2::text is null or certificate_id < $2)
         order by certificate_id desc limit $3",
        tenant.as_str(),
        before.map(|id| id.to_string()),
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(Certificate::try_from).collect()
}

/// A certificate, or those of a site that are bound; nobody else changes them until the transaction ends.
async fn lock_some(
    tx: &mut TenantTx,
    id: Option<CertificateId>,
    site: Option<&SiteId>,
) -> Result<Vec<Certificate>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        "select certificate_id, name, bound_by, fingerprint, subject, secret_key_id, site_id, made_by, actions, permissions,
                created_at, expires_at, revoked_at
         from certificates
         where tenant_id = $1 and (certificate_id = $2 or (site_id = $3 and revoked_at is null))
         order by certificate_id for update",
        tenant.as_str(),
        id.map(|id| id.to_string()),
        site.map(SiteId::as_str)
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(Certificate::try_from).collect()
}

/// A certificate, to be handled.
pub async fn lock(tx: &mut TenantTx, id: CertificateId) -> Result<Option<Certificate>, StoreError> {
    Ok(lock_some(tx, Some(id), None).await?.pop())
}

/// The certificates that are bound for one site alone, to be handled.
pub async fn lock_of(tx: &mut TenantTx, site: &SiteId) -> Result<Vec<Certificate>, StoreError> {
    lock_some(tx, None, Some(site)).await
}

/// Revokes a certificate.
pub async fn revoke(
    tx: &mut TenantTx,
    certificate: &Handled<Certificate>,
    now: Timestamp,
) -> Result<(), StoreError> {
    end(tx, certificate.certificate_id, now).await
}

/// The same, where it is handled together with other things.
pub(crate) async fn end(tx: &mut TenantTx, id: CertificateId, now: Timestamp) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "update certificates set revoked_at = coalesce(revoked_at, $3) where tenant_id = $1 and certificate_id = $2",
        tenant.as_str(),
        id.to_string(),
        now.to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A bound certificate in a snapshot.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateSnapshot {
    /// Its id.
    pub certificate_id: CertificateId,
    /// What the fingerprint is of.
    pub bound_by: BoundBy,
    /// SHA-256 in hex.
    pub fingerprint: String,
    /// The one tenant secret it is good for.
    pub secret_key_id: Option<KeyId>,
    /// The one site it is good for.
    pub site_id: Option<SiteId>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// The secrets that carry more than whoever bound it could do.
    #[serde(default)]
    pub not_for: Option<Vec<KeyId>>,
}
