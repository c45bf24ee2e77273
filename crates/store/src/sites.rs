//! Sites of a tenant and the origins they may be used from.

use crate::{
    StoreError, TenantTx,
    certificates::{self, Certificate},
    credentials::{self, LockedKey},
    readable::stored,
};
use jiff_sqlx::Timestamp as SqlTimestamp;
use misy_domain::{Origin, Permission, Permissions, SiteId, Timestamp};
use misy_trust::access::{Handled, Reach, StandsFor};

/// A site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its slug.
    pub site_id: SiteId,
    /// What people call it.
    pub name: String,
    /// What a token of it may hold at most.
    pub permissions: Permissions,
    /// Where it may be used from.
    pub origins: Vec<Origin>,
    /// Grows with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What of a site can be changed; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteChange {
    /// What people call it.
    pub name: Option<String>,
    /// What a token of it may hold at most.
    pub permissions: Option<Permissions>,
    /// Where it may be used from.
    pub origins: Option<Vec<Origin>>,
}

struct Row {
    site_id: String,
    name: String,
    permissions: Vec<String>,
    origins: Vec<String>,
    version: i64,
    created_at: SqlTimestamp,
    updated_at: SqlTimestamp,
}

impl TryFrom<Row> for Site {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            site_id: stored(row.site_id.parse())?,
            name: row.name,
            permissions: permissions(&row.permissions)?,
            origins: row.origins.iter().map(|origin| stored(origin.parse())).collect::<Result<_, _>>()?,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        })
    }
}

pub(crate) fn permissions(stored_names: &[String]) -> Result<Permissions, StoreError> {
    stored_names.iter().map(|name| stored(name.parse::<Permission>())).collect()
}

pub(crate) fn permission_names(permissions: &Permissions) -> Vec<String> {
    permissions.iter().map(|permission| permission.as_str().to_owned()).collect()
}

/// Sites by id, after one and at most so many.
pub async fn list(tx: &mut TenantTx, after: Option<&SiteId>, limit: i64) -> Result<Vec<Site>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        r#"select site_id, name, permissions,
                  array(select o.origin from site_origins o
                        where o.tenant_id = s.tenant_id and o.site_id = s.site_id order by 1) as "origins!",
                  version, created_at, updated_at
           from sites s where tenant_id = $1 and ($2::text is null or site_id > $2) order by site_id limit $3"#,
        tenant.as_str(),
        after.map(SiteId::as_str),
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(Site::try_from).collect()
}

/// One site.
pub async fn read(tx: &mut TenantTx, site: &SiteId) -> Result<Option<Site>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        Row,
        r#"select site_id, name, permissions,
                  array(select o.origin from site_origins o
                        where o.tenant_id = s.tenant_id and o.site_id = s.site_id order by 1) as "origins!",
                  version, created_at, updated_at
           from sites s where tenant_id = $1 and site_id = $2"#,
        tenant.as_str(),
        site.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(Site::try_from).transpose()
}

/// Makes a site.
pub async fn create(
    tx: &mut TenantTx,
    site: &SiteId,
    name: &str,
    permissions: &Permissions,
    origins: &[Origin],
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let made = sqlx::query!(
        "insert into sites (tenant_id, site_id, name, permissions) values ($1, $2, $3, $4) on conflict do nothing",
        tenant.as_str(),
        site.as_str(),
        name,
        &permission_names(permissions)
    )
    .execute(tx.connection())
    .await?;
    if made.rows_affected() == 0 {
        return Err(StoreError::Conflict("site"));
    }
    add_origins(tx, site, origins).await
}

async fn add_origins(tx: &mut TenantTx, site: &SiteId, origins: &[Origin]) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "insert into site_origins (tenant_id, site_id, origin)
         select distinct $1, $2, origin from unnest($3::text[]) origin on conflict do nothing",
        tenant.as_str(),
        site.as_str(),
        &origins
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Changes a site; with `expected`, only if that is still its version.
pub async fn change(
    tx: &mut TenantTx,
    site: &SiteId,
    change: &SiteChange,
    expected: Option<i64>,
) -> Result<Option<Site>, StoreError> {
    let tenant = tx.tenant().clone();
    let names = change.permissions.as_ref().map(permission_names);
    let changed = sqlx::query!(
        "update sites set name = coalesce($3, name), permissions = coalesce($4, permissions),
                          version = version + 1, updated_at = now()
         where tenant_id = $1 and site_id = $2 and ($5::bigint is null or version = $5)",
        tenant.as_str(),
        site.as_str(),
        change.name,
        names.as_deref(),
        expected
    )
    .execute(tx.connection())
    .await?;
    if changed.rows_affected() == 0 {
        return if read(tx, site).await?.is_some() { Err(StoreError::Stale("site")) } else { Ok(None) };
    }
    if let Some(origins) = &change.origins {
        let kept: Vec<String> = origins.iter().map(ToString::to_string).collect();
        sqlx::query!(
            "delete from site_origins where tenant_id = $1 and site_id = $2 and origin <> all($3)",
            tenant.as_str(),
            site.as_str(),
            &kept
        )
        .execute(tx.connection())
        .await?;
        add_origins(tx, site, origins).await?;
    }
    read(tx, site).await
}

/// A site with what goes when it goes, which nobody else changes until the transaction ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedSite {
    site_id: SiteId,
    /// Its keys that were not revoked.
    pub keys: Vec<LockedKey>,
    /// The certificates that are bound for it alone.
    pub certificates: Vec<Certificate>,
}

impl StandsFor for LockedSite {
    fn reach(&self) -> Reach {
        Reach::of_all(&self.keys).and(&Reach::of_all(&self.certificates))
    }
}

/// A site, to be removed.
pub async fn lock(
    tx: &mut TenantTx,
    tenant_is_owner: bool,
    site: &SiteId,
) -> Result<Option<LockedSite>, StoreError> {
    let tenant = tx.tenant().clone();
    let found = sqlx::query_scalar!(
        "select site_id from sites where tenant_id = $1 and site_id = $2 for update",
        tenant.as_str(),
        site.as_str()
    )
    .fetch_optional(tx.connection())
    .await?;
    if found.is_none() {
        return Ok(None);
    }
    let keys = credentials::lock_keys_of(tx, tenant_is_owner, site).await?;
    let certificates = certificates::lock_of(tx, site).await?;
    Ok(Some(LockedSite { site_id: site.clone(), keys, certificates }))
}

/// Removes a site with its origins, its keys, its certificates and its sessions.
pub async fn delete(tx: &mut TenantTx, site: &Handled<LockedSite>) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "delete from sites where tenant_id = $1 and site_id = $2",
        tenant.as_str(),
        site.site_id.as_str()
    )
    .execute(tx.connection())
    .await?;
    Ok(())
}
