//! `/tenants/{tenantId}/privilege`: privileged operations of the owner's people.

use super::{Mistakes, Page, PageQuery, life, user_access};
use crate::{
    api::tokens::revoke_all,
    desk::FrontDesk,
    management::{AtTenant, Managed},
    privilege::{self, CATALOGUE, Entry, On, Operation, SELF_REGISTRATION},
    problem::{Code, Problem},
    settings::SelfRegistration,
};
use axum::{Json, extract::State};
use http::StatusCode;
use misy_domain::{GrantId, TenantId, Timestamp, UserId, act};
use misy_store::{
    TenantTx, global_settings,
    privilege::{self as uses, PrivilegeUse},
    tenant_tx,
    tenants::LifeStep,
    users,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A privileged operation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrivilegeRequest {
    /// What to do, of the catalogue.
    operation: Operation,
    /// To what, of what the catalogue says.
    #[schema(example = "all_agents")]
    resource: String,
    /// Why; stands in both trails, where the tenant reads it. 10 to 500 characters.
    #[schema(
        min_length = 10,
        max_length = 500,
        example = "Ticket 4711: the agent quotes last year's prices"
    )]
    reason: String,
    /// How long access shall last; an hour unless given, at most four.
    #[schema(minimum = 1, maximum = 240)]
    duration_minutes: Option<u32>,
    /// For `set_global_setting`: what is decided.
    #[schema(value_type = Option<HashMap<String, Value>>)]
    value: Option<Value>,
}

/// A privileged operation that was carried out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PrivilegeUse)]
pub struct PrivilegeAnswer {
    /// Its id.
    grant_id: GrantId,
    /// The tenant it touches.
    #[schema(value_type = misy_domain::TenantId)]
    tenant_id: String,
    /// The person of the owner, as `tenant/user`.
    #[schema(example = "colombiatic/usr_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    actor: String,
    /// What was done: an operation of the catalogue, or the name of an ordinary call that is answered for, such as `suspendTenant`.
    #[schema(example = "system_access")]
    operation: String,
    /// To what.
    resource: String,
    /// Why.
    reason: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    used_at: Timestamp,
    /// Until when the access lasts that it gave.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When that access was ended before its time.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// By whom.
    ended_by: Option<String>,
}

impl PrivilegeAnswer {
    fn of(tenant: &TenantId, used: PrivilegeUse) -> Self {
        Self {
            grant_id: used.grant_id,
            tenant_id: tenant.to_string(),
            actor: format!("{}/{}", used.home, used.actor),
            operation: used.operation,
            resource: used.resource,
            reason: used.reason,
            used_at: used.used_at,
            expires_at: used.expires_at,
            ended_at: used.ended_at,
            ended_by: used.ended_by,
        }
    }
}

/// What can be done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PrivilegeCatalogue)]
pub struct CatalogueAnswer {
    /// The operations.
    items: Vec<Entry>,
}

/// Run a privileged operation
///
/// For people of the owner, with a second factor not older than five minutes; else `401 step_up_required`. It is told in the
/// owner's trail and in the tenant's, with the reason. At most 20 an hour for each person.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/privilege", tag = "privilege", operation_id = "usePrivilege",
    request_body(content = PrivilegeRequest, example = json!({
        "operation": "system_access", "resource": "all_agents", "reason": "Ticket 4711: the agent quotes old prices"
    })),
    params(("tenantId" = String, Path, description = "The tenant that is touched; the owner for what is about all")),
    responses(
        (status = 201, description = "It is done", body = PrivilegeAnswer),
        (status = 409, description = "`conflict`: not with this tenant", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = []))
)]
pub(crate) async fn run(
    State(desk): State<FrontDesk>,
    call: Managed<act::PrivilegeUse>,
) -> Result<(StatusCode, Json<PrivilegeAnswer>), Problem> {
    let asked: PrivilegeRequest = call.received.json()?;
    let decided = check(&asked, &call)?;
    privilege::expect_within_limit(&desk, &call).await?;

    let used = used(&desk, &call, &asked);
    let mut tx = desk.database.system("privilege.run").await?;
    let raised = privilege::write_down(&desk, &call, &mut tx, &call.tenant, &used).await?;
    if let Some(setting) = &decided {
        global_settings::set(&mut tx, SELF_REGISTRATION, setting, &used.actor, used.used_at).await?;
    }
    let mut tx = tx.on_behalf_of(&call.tenant).await?;
    carry_out(&desk, &asked, &call, &mut tx).await?;
    tx.commit().await?;

    for rule in raised {
        privilege::announce(&call.manager.home, rule, &used.actor);
    }
    if decided.is_some() {
        desk.read_global_settings().await?;
    }
    desk.tenants.changed(&call.tenant);
    Ok((StatusCode::CREATED, Json(PrivilegeAnswer::of(&call.tenant, used))))
}

/// What is wrong with what is asked; else what is decided for the installation, if anything.
fn check(asked: &PrivilegeRequest, call: &AtTenant) -> Result<Option<Value>, Problem> {
    let entry = asked.operation.entry();
    let mut mistakes = Mistakes::default();
    let fits = match asked.operation {
        Operation::ResetSecondFactor => asked.resource.parse::<UserId>().is_ok(),
        _ => entry.resources.contains(&asked.resource.as_str()),
    };
    if !fits {
        mistakes.add("/resource", "reference", &format!("must be one of: {}", entry.resources.join(", ")));
    }
    mistakes.why("/reason", &asked.reason);
    if let Some(minutes) = asked.duration_minutes
        && !(1..=entry.most_minutes).contains(&minutes)
    {
        let message = if entry.most_minutes == 0 {
            "must not be given: this is done at once".to_owned()
        } else {
            format!("must be from 1 to {}", entry.most_minutes)
        };
        mistakes.add("/durationMinutes", "range", &message);
    }
    let decided = match (asked.operation, &asked.value) {
        (Operation::SetGlobalSetting, Some(Value::String(text)))
            if text.parse::<SelfRegistration>().is_ok() =>
        {
            asked.value.clone()
        }
        (Operation::SetGlobalSetting, _) => {
            mistakes.add("/value", "format", "must be open, invite or off");
            None
        }
        (_, Some(_)) => {
            mistakes.add("/value", "format", "must not be given with this operation");
            None
        }
        (_, None) => None,
    };
    mistakes.into_result()?;
    match (entry.on, call.state.is_owner()) {
        (On::Tenant, true) => {
            Err(Problem::conflict(Code::Conflict, "This is not done to the owner of the platform."))
        }
        (On::Owner, false) => {
            Err(Problem::conflict(Code::Conflict, "This is about the installation: name the owner tenant."))
        }
        _ => Ok(decided),
    }
}

fn used(desk: &FrontDesk, call: &AtTenant, asked: &PrivilegeRequest) -> PrivilegeUse {
    let now = desk.clock.now();
    let entry = asked.operation.entry();
    let minutes = asked.duration_minutes.unwrap_or(entry.usual_minutes);
    let lasts = jiff::SignedDuration::from_mins(i64::from(minutes));
    PrivilegeUse {
        grant_id: GrantId::new(&*desk.clock, &*desk.entropy),
        home: call.manager.home.clone(),
        actor: call.manager.actor.clone(),
        operation: asked.operation.as_str().to_owned(),
        resource: asked.resource.clone(),
        reason: asked.reason.clone(),
        used_at: now,
        expires_at: (minutes > 0).then(|| now + lasts),
        ended_at: None,
        ended_by: None,
    }
}

/// What happens at once.
async fn carry_out(
    desk: &FrontDesk,
    asked: &PrivilegeRequest,
    call: &AtTenant,
    tx: &mut TenantTx,
) -> Result<(), Problem> {
    let reason = Some(asked.reason.clone());
    let step = match asked.operation {
        Operation::SuspendTenant => LifeStep::Suspend,
        Operation::ActivateTenant => LifeStep::Activate,
        Operation::RevokeAllTokens => {
            revoke_all::raise(desk, call, tx, reason).await?;
            return Ok(());
        }
        Operation::ResetSecondFactor => {
            let id: UserId = asked.resource.parse().map_err(|_| Problem::not_found())?;
            let user = users::lock(tx, call.keys(), id).await?.ok_or_else(Problem::not_found)?;
            return user_access::take_second_factors(desk, tx, call, &user).await;
        }
        Operation::SystemAccess | Operation::SupportAccess | Operation::SetGlobalSetting => return Ok(()),
    };
    life::write(desk, call, tx, &step, None, reason).await?;
    Ok(())
}

/// List privileged operations
///
/// Those that touched the tenant: who had access, why, and until when.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/privilege", tag = "privilege", operation_id = "listPrivilege",
    params(("tenantId" = String, Path, description = "The tenant"), PageQuery),
    responses((status = 200, description = "Operations from the newest", body = Page<PrivilegeAnswer>)),
    security(("administrator" = []), ("session" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::PrivilegeRead>,
) -> Result<Json<Page<PrivilegeAnswer>>, Problem> {
    let query: PageQuery = call.received.query()?;
    let limit = query.limit()?;
    let mut tx = desk.database.tenant("privilege.list", &call.tenant).await?;
    let found = uses::list(&mut tx, query.cursor()?, i64::from(limit) + 1).await?;
    tx.commit().await?;
    let page = Page::of(found, limit, |used| used.grant_id.to_string());
    Ok(Json(page.map(|used| PrivilegeAnswer::of(&call.tenant, used))))
}

/// Read the catalogue of privileged operations
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/privilege/operations", tag = "privilege",
    operation_id = "listPrivilegedOperations",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "What can be done", body = CatalogueAnswer)),
    security(("administrator" = []), ("session" = []))
)]
pub(crate) async fn catalogue(
    _desk: State<FrontDesk>,
    _call: Managed<act::PrivilegeRead>,
) -> Result<Json<CatalogueAnswer>, Problem> {
    Ok(Json(CatalogueAnswer { items: CATALOGUE.to_vec() }))
}

/// End privileged access
///
/// For the owner, and for the tenant's own administrators: at once, before its time.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/privilege/{grantId}", tag = "privilege",
    operation_id = "endPrivilege",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("grantId" = String, Path, description = "The operation that gave it"),
    ),
    responses((status = 204, description = "It has ended")),
    security(("administrator" = []), ("session" = []))
)]
pub(crate) async fn end(
    State(desk): State<FrontDesk>,
    call: Managed<act::PrivilegeEnd>,
) -> Result<StatusCode, Problem> {
    let id: GrantId = call.received.param("grantId")?;
    call.received.expect_no_body()?;
    tenant_tx!(desk.database, "privilege.end", &call.tenant, async |tx| {
        let by = format!("{}/{}", call.manager.home, call.manager.actor);
        if !uses::end(tx, id, &by, desk.clock.now()).await? {
            return Err(Problem::not_found());
        }
        call.record_change(&desk, tx, id.to_string(), None).await?;
        Ok::<_, Problem>(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
