//! `/tenants/{tenantId}/roles`: the built-in roles, and those that the tenant makes for itself.

use super::{Mistakes, conversations, expected_version, versioned};
use crate::{
    desk::FrontDesk,
    idempotent::Once,
    management::Managed,
    problem::{Code, Problem},
};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use misy_domain::{Action, BuiltInRole, Timestamp, act};
use misy_store::{
    inbox,
    roles::{self, Role, RoleChange},
    tenant_tx, users,
};
use misy_trust::access;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// Roles that a tenant may make.
const MOST_ROLES: usize = 100;

/// A role.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Role)]
pub struct RoleAnswer {
    /// Its id; chosen once.
    #[schema(example = "reception")]
    role_id: String,
    /// Whether every tenant has it; such a role cannot be changed.
    built_in: bool,
    /// What people call it.
    name: String,
    /// What it is for.
    description: String,
    /// What it allows.
    #[schema(example = json!(["context-pack:read", "decisions:read"]))]
    actions: Vec<Action>,
    /// Grows with each change; the `ETag`.
    version: i64,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

impl From<Role> for RoleAnswer {
    fn from(role: Role) -> Self {
        Self {
            role_id: role.role_id,
            built_in: false,
            name: role.name,
            description: role.description,
            actions: role.actions,
            version: role.version,
            created_at: Some(role.created_at),
            updated_at: Some(role.updated_at),
        }
    }
}

fn built_in(role: BuiltInRole) -> RoleAnswer {
    RoleAnswer {
        role_id: role.to_string(),
        built_in: true,
        name: role.to_string(),
        description: String::new(),
        actions: access::actions_of(role),
        version: 1,
        created_at: None,
        updated_at: None,
    }
}

/// All roles of a tenant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Roles)]
pub struct RolesAnswer {
    /// Built-in ones first. There are at most 100 others, so this list has no further page.
    items: Vec<RoleAnswer>,
    /// Always `null`.
    next_cursor: Option<String>,
}

/// A role to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewRole {
    /// Its id: a letter, then letters, digits, `-` and `_`; at most 40 characters, and not that of a built-in role.
    #[schema(example = "reception", max_length = 40)]
    role_id: String,
    /// What people call it; the id unless given.
    #[schema(max_length = 120)]
    name: Option<String>,
    /// What it is for.
    #[schema(max_length = 500)]
    description: Option<String>,
    /// What it allows, of what its maker may do.
    actions: Vec<Action>,
}

/// What changes of a role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolePatch {
    /// What people call it.
    #[schema(max_length = 120)]
    name: Option<String>,
    /// What it is for.
    #[schema(max_length = 500)]
    description: Option<String>,
    /// What it allows, in the place of what it did.
    actions: Option<Vec<Action>>,
}

/// List roles
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/roles", tag = "people", operation_id = "listRoles",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "Built-in roles, then the tenant's own by id", body = RolesAnswer)),
    security(("administrator" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::RolesRead>,
) -> Result<Json<RolesAnswer>, Problem> {
    let mut tx = desk.database.tenant("roles.list", &call.tenant).await?;
    let own = roles::list(&mut tx, None, i64::try_from(MOST_ROLES).unwrap_or(i64::MAX)).await?;
    tx.commit().await?;
    let offered =
        BuiltInRole::ALL.into_iter().filter(|role| *role != BuiltInRole::Owner || call.state.is_owner());
    let items = offered.map(built_in).chain(own.into_iter().map(RoleAnswer::from)).collect();
    Ok(Json(RolesAnswer { items, next_cursor: None }))
}

/// Create a role
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/roles", tag = "people", operation_id = "createRole",
    request_body(content = NewRole, example = json!({"roleId": "reception", "actions": ["context-pack:read", "decisions:read"]})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once"),
    ),
    responses((status = 201, description = "The role", body = RoleAnswer)),
    security(("administrator" = []))
)]
pub(crate) async fn create(
    State(desk): State<FrontDesk>,
    call: Managed<act::RolesWrite>,
) -> Result<Response, Problem> {
    let new: NewRole = call.received.json()?;
    let name = new.name.clone().unwrap_or_else(|| new.role_id.clone());
    let description = new.description.clone().unwrap_or_default();
    let mut mistakes = Mistakes::default();
    if !is_role_id(&new.role_id) {
        mistakes.add("/roleId", "format", "must be a letter, then up to 39 letters a-z, digits, - and _");
    } else if new.role_id.parse::<BuiltInRole>().is_ok() {
        mistakes.add("/roleId", "duplicate", "is the id of a built-in role");
    }
    check(Some(&name), Some(&description), Some(&new.actions), &mut mistakes);
    mistakes.into_result()?;
    let actions = call.may_give(&desk, &call.tenant, &new.actions)?;
    let once = Once::of(&call.received, &call.manager.maker)?;
    tenant_tx!(desk.database, "roles.create", &call.tenant, async |tx| {
        if let Some(answer) = once.answered(&desk, tx).await? {
            return Ok(answer);
        }
        roles::create(tx, &new.role_id, &name, &description, &actions).await?;
        let role = roles::read(tx, &new.role_id).await?.ok_or_else(Problem::internal)?;
        call.record_change(&desk, tx, new.role_id.as_str(), Some(json!({ "actions": new.actions }))).await?;
        once.keep(&desk, tx, call.keys(), StatusCode::CREATED, &RoleAnswer::from(role)).await
    })
    .await
}

/// Read a role
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/roles/{roleId}", tag = "people", operation_id = "readRole",
    params(("tenantId" = String, Path, description = "The tenant"), ("roleId" = String, Path, description = "The role")),
    responses((status = 200, description = "The role, with its version as ETag", body = RoleAnswer)),
    security(("administrator" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::RolesRead>,
) -> Result<Response, Problem> {
    let id: String = call.received.param("roleId")?;
    if let Ok(role) = id.parse::<BuiltInRole>() {
        return Ok(versioned(1, built_in(role)));
    }
    let mut tx = desk.database.tenant("roles.read", &call.tenant).await?;
    let role = roles::read(&mut tx, &id).await?;
    tx.commit().await?;
    let role = role.ok_or_else(Problem::not_found)?;
    Ok(versioned(role.version, RoleAnswer::from(role)))
}

/// Change a role
///
/// It holds for everybody who has it, at once. Whoever changes it may do themselves what it allowed and what it allows.
#[utoipa::path(
    patch, path = "/api/meta-agent/tenants/{tenantId}/roles/{roleId}", tag = "people", operation_id = "changeRole",
    request_body(content = RolePatch, example = json!({"actions": ["context-pack:read"]})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("roleId" = String, Path, description = "The role"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 200, description = "The role as it is now", body = RoleAnswer),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []))
)]
pub(crate) async fn change(
    State(desk): State<FrontDesk>,
    call: Managed<act::RolesWrite>,
) -> Result<Response, Problem> {
    let id: String = call.received.param("roleId")?;
    refuse_built_in(&id)?;
    let expected = expected_version(&call.received)?;
    let patch: RolePatch = call.received.json()?;
    let mut mistakes = Mistakes::default();
    check(patch.name.as_deref(), patch.description.as_deref(), patch.actions.as_deref(), &mut mistakes);
    mistakes.into_result()?;
    let (role, released) = tenant_tx!(desk.database, "roles.change", &call.tenant, async |tx| {
        let before = roles::lock(tx, &id).await?.ok_or_else(Problem::not_found)?;
        call.may_give(&desk, &call.tenant, &before.actions)?;
        let actions = match &patch.actions {
            Some(actions) => Some(call.may_give(&desk, &call.tenant, actions)?),
            None => None,
        };
        let (name, description) = (patch.name.clone(), patch.description.clone());
        let change = RoleChange { name, description, actions };
        let role = roles::change(tx, &id, &change, expected).await?.ok_or_else(Problem::not_found)?;
        let detail = json!({ "version": role.version, "actions": role.actions });
        call.record_change(&desk, tx, id.as_str(), Some(detail)).await?;
        let mut released = Vec::new();
        for holder in inbox::holders_with_role(tx, &id).await? {
            if let Some(user) = users::lock(tx, call.keys(), holder).await? {
                released.extend(conversations::release_unless_answers(&desk, &call, tx, &user).await?);
            }
        }
        Ok::<_, Problem>((role, released))
    })
    .await?;
    conversations::tell_of_all(&desk, &call.tenant, released);
    Ok(versioned(role.version, RoleAnswer::from(role)))
}

/// Delete a role
///
/// Refused while somebody has it, and to whoever may not do themselves what it allows.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/roles/{roleId}", tag = "people", operation_id = "deleteRole",
    params(("tenantId" = String, Path, description = "The tenant"), ("roleId" = String, Path, description = "The role")),
    responses((status = 204, description = "It is gone")),
    security(("administrator" = []))
)]
pub(crate) async fn delete(
    State(desk): State<FrontDesk>,
    call: Managed<act::RolesWrite>,
) -> Result<StatusCode, Problem> {
    let id: String = call.received.param("roleId")?;
    refuse_built_in(&id)?;
    call.received.expect_no_body()?;
    tenant_tx!(desk.database, "roles.delete", &call.tenant, async |tx| {
        let role = roles::lock(tx, &id).await?.ok_or_else(Problem::not_found)?;
        call.may_give(&desk, &call.tenant, &role.actions)?;
        if roles::in_use(tx, &id).await? {
            return Err(Problem::conflict(
                Code::RoleInUse,
                "Somebody has this role; take it away from everybody first.",
            ));
        }
        if !roles::delete(tx, &id).await? {
            return Err(Problem::not_found());
        }
        call.record_change(&desk, tx, id.as_str(), None).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn refuse_built_in(id: &str) -> Result<(), Problem> {
    if id.parse::<BuiltInRole>().is_ok() {
        Err(Problem::conflict(
            Code::Conflict,
            "A built-in role stays as it is; make one of your own instead.",
        ))
    } else {
        Ok(())
    }
}

fn is_role_id(text: &str) -> bool {
    let mut characters = text.chars();
    (2..=40).contains(&text.len())
        && characters.next().is_some_and(|first| first.is_ascii_lowercase())
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
}

fn check(name: Option<&str>, description: Option<&str>, actions: Option<&[Action]>, mistakes: &mut Mistakes) {
    if let Some(name) = name {
        mistakes.line("/name", name, 120);
    }
    if let Some(description) = description
        && !description.is_empty()
    {
        mistakes.line("/description", description, 500);
    }
    if actions.is_some_and(<[Action]>::is_empty) {
        mistakes.add("/actions", "required", "must have at least one");
    }
    if let Some(actions) = actions {
        for (at, action) in actions.iter().enumerate() {
            if actions[..at].contains(action) {
                mistakes.add(&format!("/actions/{at}"), "duplicate", "stands there twice");
            }
            if !access::is_delegable(*action) {
                mistakes.add(&format!("/actions/{at}"), "format", "is for the owner of the platform only");
            }
        }
    }
}
