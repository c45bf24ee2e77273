//! Roles that tenants make for themselves.

use crate::{StoreError, TenantTx, users::sign_ins};
use jiff_sqlx::Timestamp as SqlTimestamp;
use misy_domain::{Action, Timestamp};
use misy_trust::access::{Given, WeighedRoles};

/// A role of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its id; chosen once.
    pub role_id: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it allows. An action that the program no longer knows allows nothing.
    pub actions: Vec<Action>,
    /// Grows with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What changes of a role.
#[derive(Debug, Clone, Default)]
pub struct RoleChange {
    /// Another name.
    pub name: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// Other actions, in the place of those before.
    pub actions: Option<Given<Vec<Action>>>,
}

struct Row {
    role_id: String,
    name: String,
    description: String,
    actions: Vec<String>,
    version: i64,
    created_at: SqlTimestamp,
    updated_at: SqlTimestamp,
}

impl From<Row> for Role {
    fn from(row: Row) -> Self {
        Self {
            role_id: row.role_id,
            name: row.name,
            description: row.description,
            actions: known(&row.actions),
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }
    }
}

pub(crate) fn known(names: &[String]) -> Vec<Action> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

fn names(actions: &[Action]) -> Vec<String> {
    actions.iter().map(|action| action.as_str().to_owned()).collect()
}

/// Roles by id, after one and at most so many.
pub async fn list(tx: &mut TenantTx, after: Option<&str>, limit: i64) -> Result<Vec<Role>, StoreError> {
    let tenant = tx.tenant().clone();
    let rows = sqlx::query_as!(
        Row,
        r#"select role_id, name, description, actions, version, created_at, updated_at from roles
           where tenant_id = $1 and ($2::text is null or role_id > $2) order by role_id limit $3"#,
        tenant.as_str(),
        after,
        limit
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows.into_iter().map(Role::from).collect())
}

/// One role.
pub async fn read(tx: &mut TenantTx, role: &str) -> Result<Option<Role>, StoreError> {
    let tenant = tx.tenant().clone();
    let row = sqlx::query_as!(
        Row,
        "select role_id, name, description, actions, version, created_at, updated_at from roles
         where tenant_id = $1 and role_id = $2",
        tenant.as_str(),
        role
    )
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.map(Role::from))
}

/// One role, which nobody else changes until the transaction ends.
pub async fn lock(tx: &mut TenantTx, role: &str) -> Result<Option<Role>, StoreError> {
    let tenant = tx.tenant().clone();
    sqlx::query!(
        "select 1 as one from roles where tenant_id = $1 and role_id = $2 for update",
        tenant.as_str(),
        role
    )
    .fetch_optional(tx.connection())
    .await?;
    read(tx, role).await
}

/// Makes a role.
pub async fn create(
    tx: &mut TenantTx,
    role: &str,
    name: &str,
    description: &str,
    actions: &Given<Vec<Action>>,
) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let made = sqlx::query!(
        "insert into roles (tenant_id, role_id, name, description, actions) values ($1, $2, $3, $4, $5)
         on conflict do nothing",
        tenant.as_str(),
        role,
        name,
        description,
        &names(actions)
    )
    .execute(tx.connection())
    .await?;
    if made.rows_affected() == 0 { Err(StoreError::Conflict("role")) } else { Ok(()) }
}

/// Changes a role; with `expected`, only if that is still its version.
pub async fn change(
    tx: &mut TenantTx,
    role: &str,
    change: &RoleChange,
    expected: Option<i64>,
) -> Result<Option<Role>, StoreError> {
    let tenant = tx.tenant().clone();
    let actions = change.actions.as_ref().map(|actions| names(actions));
    let changed = sqlx::query!(
        "update roles set name = coalesce($3, name), description = coalesce($4, description),
                          actions = coalesce($5, actions), version = version + 1, updated_at = now()
         where tenant_id = $1 and role_id = $2 and ($6::bigint is null or version = $6)",
        tenant.as_str(),
        role,
        change.name,
        change.description,
        actions.as_deref(),
        expected
    )
    .execute(tx.connection())
    .await?;
    if actions.is_some() {
        sign_ins::end_unproved_of_role(tx, role).await?;
    }
    let now = read(tx, role).await?;
    if changed.rows_affected() == 0 && now.is_some() {
        return Err(StoreError::Stale("role"));
    }
    Ok(now)
}

/// Removes a role. Says whether there was one.
pub async fn delete(tx: &mut TenantTx, role: &str) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let gone = sqlx::query!("delete from roles where tenant_id = $1 and role_id = $2", tenant.as_str(), role)
        .execute(tx.connection())
        .await?;
    Ok(gone.rows_affected() > 0)
}

/// Whether somebody has the role.
pub async fn in_use(tx: &mut TenantTx, role: &str) -> Result<bool, StoreError> {
    let tenant = tx.tenant().clone();
    let used = sqlx::query_scalar!(
        r#"select exists (select from users where tenant_id = $1 and $2 = any (roles)) as "used!""#,
        tenant.as_str(),
        role
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(used)
}

/// Which of these the tenant has made.
pub async fn known_of(tx: &mut TenantTx, roles: &[String]) -> Result<Vec<String>, StoreError> {
    let tenant = tx.tenant().clone();
    let known = sqlx::query_scalar!(
        "select role_id from roles where tenant_id = $1 and role_id = any($2)",
        tenant.as_str(),
        roles
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(known)
}

/// What these roles, built in or of the tenant, let somebody do. Nobody changes them until the transaction ends.
pub async fn weigh(
    tx: &mut TenantTx,
    tenant_is_owner: bool,
    roles: Vec<String>,
) -> Result<WeighedRoles, StoreError> {
    let tenant = tx.tenant().clone();
    let own = sqlx::query_scalar!(
        "select actions from roles where tenant_id = $1 and role_id = any($2) for share",
        tenant.as_str(),
        &roles
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(WeighedRoles::new(tenant_is_owner, roles, &known(&own.concat())))
}

/// The roles that anybody of the tenant has.
pub async fn of_everybody(tx: &mut TenantTx) -> Result<Vec<String>, StoreError> {
    let tenant = tx.tenant().clone();
    let roles = sqlx::query_scalar!(
        r#"select distinct unnest(roles) as "role!" from users where tenant_id = $1"#,
        tenant.as_str()
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(roles)
}

/// What these roles of the tenant allow together.
pub async fn granted(tx: &mut TenantTx, roles: &[String]) -> Result<Vec<Action>, StoreError> {
    let tenant = tx.tenant().clone();
    let actions = sqlx::query_scalar!(
        r#"select distinct unnest(actions) as "action!" from roles where tenant_id = $1 and role_id = any($2)"#,
        tenant.as_str(),
        roles
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(known(&actions))
}
