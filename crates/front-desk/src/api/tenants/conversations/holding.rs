//! Who answers in a conversation: a person takes it, gives it to somebody, gives it back, closes it.

use super::{answers, held, named, person, read};
use crate::{
    api::tenants::{expected_version, versioned},
    desk::FrontDesk,
    management::{AtTenant, Managed},
    problem::{Code, Problem},
};
use axum::{extract::State, response::Response};
use misy_domain::{Action, ConversationId, UserId, act};
use misy_store::{
    StoreError, TenantTx,
    inbox::{self, Handled, Handling},
    sessions::ConversationStatus,
    tenant_tx, users,
};
use read::ConversationDetail;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// Whom a conversation is given to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignRequest {
    /// The person, who may answer contacts; `null`: whoever takes it.
    user_id: Option<UserId>,
}

/// What somebody saw of a conversation before they decided.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeenRequest {
    /// The sequence of the newest message that they saw. If the contact has written since, nothing is done:
    /// `conversation_moved`. Without it they count as having seen everything.
    seen: Option<i64>,
}

/// Take a conversation
///
/// From now on the caller answers, and the assistant says nothing. Of two people who take it the second hears who was first
/// (`conversation_held`); whoever holds it already holds it. One person holds 200 at a time.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/conversations/{conversationId}/take", tag = "inbox",
    operation_id = "takeConversation",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("conversationId" = String, Path, description = "The conversation"),
        ("If-Match" = Option<String>, Header, description = "The version that was read"),
    ),
    responses((status = 200, description = "The conversation as it is now", body = ConversationDetail)),
    security(("session" = []))
)]
pub(crate) async fn take(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsWrite>,
) -> Result<Response, Problem> {
    let me = person(&call)?.user_id;
    let handled = |handling: &Handling| match handling.held_by_other(me) {
        Some(other) => Err(held(other)),
        None => Ok(Handled::By(me)),
    };
    change(&desk, &call, Wanted { seen: None, handled }).await
}

/// Assign a conversation
///
/// Gives it to a person who may answer contacts, also from somebody who holds it, or to whoever takes it.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/conversations/{conversationId}/assign", tag = "inbox",
    operation_id = "assignConversation",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("conversationId" = String, Path, description = "The conversation"),
        ("If-Match" = Option<String>, Header, description = "The version that was read"),
    ),
    request_body(content = AssignRequest, example = json!({ "userId": "usr_01k9z3v5d2m8q4x7c1b6n0f9gh" })),
    responses((status = 200, description = "The conversation as it is now", body = ConversationDetail)),
    security(("session" = []))
)]
pub(crate) async fn assign(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsAssign>,
) -> Result<Response, Problem> {
    person(&call)?;
    let request: AssignRequest = call.received.json()?;
    let handled = match request.user_id {
        Some(user) => Handled::By(user),
        None => Handled::ByAnybody,
    };
    change(&desk, &call, Wanted { seen: None, handled: |_: &Handling| Ok(handled) }).await
}

/// Give a conversation back
///
/// The assistant answers again what the contact writes from now on. What they wrote until now is answered, so say up to where
/// you saw it.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/conversations/{conversationId}/hand-back", tag = "inbox",
    operation_id = "handBackConversation",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("conversationId" = String, Path, description = "The conversation"),
        ("If-Match" = Option<String>, Header, description = "The version that was read"),
    ),
    request_body(content = Option<SeenRequest>, example = json!({ "seen": 12 })),
    responses(
        (status = 200, description = "The conversation as it is now", body = ConversationDetail),
        (status = 409, description = "`conversation_moved`: the contact wrote meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = []))
)]
pub(crate) async fn hand_back(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsWrite>,
) -> Result<Response, Problem> {
    end(&desk, &call, Handled::ByAssistant).await
}

/// Close a conversation
///
/// It is over until the contact writes again; then the assistant answers. What they wrote until now stays as it is, so say up to
/// where you saw it.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/conversations/{conversationId}/close", tag = "inbox",
    operation_id = "closeConversation",
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("conversationId" = String, Path, description = "The conversation"),
        ("If-Match" = Option<String>, Header, description = "The version that was read"),
    ),
    request_body(content = Option<SeenRequest>, example = json!({ "seen": 12 })),
    responses(
        (status = 200, description = "The conversation as it is now", body = ConversationDetail),
        (status = 409, description = "`conversation_moved`: the contact wrote meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("session" = []))
)]
pub(crate) async fn close(
    State(desk): State<FrontDesk>,
    call: Managed<act::ConversationsWrite>,
) -> Result<Response, Problem> {
    end(&desk, &call, Handled::Closed).await
}

/// No person answers any more, after what they saw.
async fn end(desk: &FrontDesk, call: &AtTenant, handled: Handled) -> Result<Response, Problem> {
    let may_change = holds_or_assigns(desk, call)?;
    let SeenRequest { seen } = call.received.json_or_default()?;
    let wanted = Wanted { seen, handled: |handling: &Handling| may_change(handling).map(|()| handled) };
    change(desk, call, wanted).await
}

/// What somebody else holds is for those to change who say who answers.
fn holds_or_assigns(
    desk: &FrontDesk,
    call: &AtTenant,
) -> Result<impl Fn(&Handling) -> Result<(), Problem> + use<>, Problem> {
    let me = person(call)?.user_id;
    let assigns = call.manager.may(desk, Action::ConversationsAssign, &call.tenant);
    Ok(move |handling: &Handling| match handling.held_by_other(me) {
        Some(other) if !assigns => Err(held(other)),
        _ => Ok(()),
    })
}

/// What a call is to change.
struct Wanted<F> {
    /// The newest message that the caller saw, if that matters.
    seen: Option<i64>,
    /// Who answers from now on, by who does now.
    handled: F,
}

/// Changes who answers, under the lock of the conversation. What is so already is left as it is.
async fn change<F>(desk: &FrontDesk, call: &AtTenant, wanted: Wanted<F>) -> Result<Response, Problem>
where
    F: Fn(&Handling) -> Result<Handled, Problem>,
{
    let id = named(call)?;
    let expected = expected_version(&call.received)?;
    let (detail, changed) = tenant_tx!(desk.database, "inbox.handle", &call.tenant, async |tx| {
        // Before the conversation: who disables somebody holds them first, and then what they hold.
        let handling =
            Box::pin(inbox::handling(tx, call.keys(), id)).await?.ok_or_else(Problem::not_found)?;
        if let Handled::By(user) = (wanted.handled)(&handling)? {
            Box::pin(expect_answers(desk, call, tx, user)).await?;
        }
        let handling = Box::pin(inbox::lock(tx, call.keys(), id)).await?.ok_or_else(Problem::not_found)?;
        if expected.is_some_and(|version| version != handling.version) {
            return Err(Problem::from(StoreError::Stale("conversation")));
        }
        let handled = (wanted.handled)(&handling)?;
        let changed = !is_so(&handling, handled);
        if changed {
            expect_seen(tx, id, wanted.seen).await?;
            if let Handled::By(user) = handled
                && inbox::holds_most(tx, user).await?
            {
                let full = "They hold as many conversations as one person may.";
                return Err(StoreError::Full(full.to_owned()).into());
            }
            inbox::handle(tx, id, handled).await?;
            let to = match handled {
                Handled::By(user) => Some(user.to_string()),
                _ => None,
            };
            let from = handling.assignee.as_ref().map(|assignee| assignee.user_id.to_string());
            call.record_change(desk, tx, id.to_string(), Some(json!({ "from": from, "to": to }))).await?;
        }
        let detail = Box::pin(read::detail(tx, call.keys(), id)).await?.ok_or_else(Problem::not_found)?;
        Ok((detail, changed))
    })
    .await?;
    if changed {
        inbox::tell(&desk.bell, &call.tenant, id);
    }
    Ok(versioned(detail.conversation.version, detail))
}

/// Refuses to end what somebody has not seen all of.
async fn expect_seen(tx: &mut TenantTx, id: ConversationId, seen: Option<i64>) -> Result<(), Problem> {
    match seen {
        Some(seen) if inbox::heard_through(tx, id).await? > seen => Err(Problem::conflict(
            Code::ConversationMoved,
            "The contact has written since; read it, and decide anew.",
        )),
        _ => Ok(()),
    }
}

fn is_so(handling: &Handling, handled: Handled) -> bool {
    let assignee = handling.assignee.as_ref().map(|assignee| assignee.user_id);
    match handled {
        Handled::ByAssistant => handling.status == ConversationStatus::Active,
        Handled::ByAnybody => handling.status == ConversationStatus::Handoff && assignee.is_none(),
        Handled::By(user) => assignee == Some(user),
        Handled::Closed => handling.status == ConversationStatus::Closed,
    }
}

/// Refuses who may not answer contacts: nobody would hear them. Nobody disables them until the transaction ends.
async fn expect_answers(
    desk: &FrontDesk,
    call: &AtTenant,
    tx: &mut TenantTx,
    user: UserId,
) -> Result<(), Problem> {
    let unfit = || {
        Problem::invalid_field(
            "/userId",
            "reference",
            "must be somebody of the tenant who may answer contacts",
        )
    };
    let user = users::lock(tx, call.keys(), user).await?.ok_or_else(unfit)?;
    if answers(desk, call, &user) { Ok(()) } else { Err(unfit()) }
}
