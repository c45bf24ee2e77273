//! `/tenants/{tenantId}/channels`: accounts on channels, beside the tenant's own sites.

pub mod bodies;
mod confirmed;
pub mod deliveries;
pub mod meta;
pub mod vendor;
pub mod whatsapp;

use super::{Mistakes, Page, PageQuery, expected_version, versioned};
use crate::{
    desk::FrontDesk,
    idempotent::Once,
    management::{AtTenant, Managed},
    problem::Problem,
};
use axum::{Json, extract::State, response::Response};
use bodies::{AccountAnswer, AccountPatch, AccountRequest, RotationRequest, SecretAnswer};
use confirmed::{Changed, confirm, confirm_change, keep};
use http::StatusCode;
use misy_domain::{Channel, ChannelAccountId, Permission, Permissions, Timestamp, act};
use misy_egress::Reach;
use misy_store::{
    StoreError,
    channels::{self, AccountChange, AccountStatus, NewAccount},
    tenant_tx,
};
use misy_trust::access::Given;
use serde_json::json;
use std::time::Duration;

const USUAL_OVERLAP: u32 = 24 * 60 * 60;
const LONGEST_OVERLAP: u32 = 30 * 24 * 60 * 60;
const LONGEST_URL: usize = 2_000;

/// An address that deliveries may go to. Where its name leads is judged at each delivery.
fn callback_url(desk: &FrontDesk, pointer: &str, text: &str, mistakes: &mut Mistakes) {
    let fits = text.len() <= LONGEST_URL && !text.contains('#');
    if !fits || desk.egress.judge(Reach::Internet, text).is_err() {
        mistakes.add(pointer, "format", "must be a public address that begins with https://");
    }
}

/// What the trail says of an address: what stands behind the question mark may be a secret of the receiver's.
fn told(callback_url: &str) -> &str {
    callback_url.split('?').next().unwrap_or_default()
}

fn is_of_agents(one: Permission) -> bool {
    one.as_str().starts_with("agents:")
}

/// What conversations may use is for agents, and no more than the caller may give.
fn permissions(
    desk: &FrontDesk,
    call: &AtTenant,
    asked: &[Permission],
) -> Result<Given<Permissions>, Problem> {
    if let Some(at) = asked.iter().position(|one| !is_of_agents(*one)) {
        let pointer = format!("/permissions/{at}");
        return Err(Problem::invalid_field(&pointer, "format", "must be a permission of agents"));
    }
    call.give(desk, asked.iter().copied().collect())
}

/// The agents that visitors of a site may use whom nobody knows, as far as the caller may give that.
fn usual_permissions(desk: &FrontDesk, call: &AtTenant) -> Result<Given<Permissions>, Problem> {
    let most = call.reach(desk)?.permissions;
    call.give(
        desk,
        Permissions::anonymous_chat().intersection(&most).iter().filter(|one| is_of_agents(*one)).collect(),
    )
}

/// List channel accounts
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/channels", tag = "channels", operation_id = "listChannelAccounts",
    params(("tenantId" = String, Path, description = "The tenant"), PageQuery),
    responses((status = 200, description = "Accounts from the newest", body = Page<AccountAnswer>)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn list(
    State(desk): State<FrontDesk>,
    call: Managed<act::ChannelsRead>,
) -> Result<Json<Page<AccountAnswer>>, Problem> {
    let query: PageQuery = call.received.query()?;
    let limit = query.limit()?;
    let mut tx = desk.database.tenant("channels.list", &call.tenant).await?;
    let accounts = channels::list(&mut tx, query.cursor()?, i64::from(limit) + 1).await?;
    tx.commit().await?;
    Ok(Json(
        Page::of(accounts, limit, |account| account.account_id.to_string())
            .map(|account| AccountAnswer::of(&desk, account)),
    ))
}

/// Create a channel account
///
/// The secret that deliveries are signed with is shown in this answer and never again.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/channels", tag = "channels", operation_id = "createChannelAccount",
    request_body(content = AccountRequest, example = json!({
        "channel": "api", "name": "CRM", "callbackUrl": "https://crm.andina.example/misy"
    })),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once"),
    ),
    responses((status = 201, description = "The account, with its secret", body = AccountAnswer)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn create(
    State(desk): State<FrontDesk>,
    call: Managed<act::ChannelsWrite>,
) -> Result<Response, Problem> {
    let new: AccountRequest = call.received.json()?;
    check_new(&desk, &new)?;
    let permissions = match &new.permissions {
        Some(asked) => permissions(&desk, &call, asked)?,
        None => usual_permissions(&desk, &call)?,
    };
    let once = Once::of(&call.received, &call.manager.maker)?;
    // Nobody else can claim the vendor's id from then on, so the vendor is asked before.
    let confirmed = confirm(&desk, &new).await?;
    tenant_tx!(desk.database, "channels.create", &call.tenant, async |tx| {
        if let Some(answer) = once.answered(&desk, tx).await? {
            return Ok(answer);
        }
        let account_id = ChannelAccountId::new(&*desk.clock, &*desk.entropy);
        let made_by = call.maker_in(&call.tenant);
        // The tenant's own program is its own vendor.
        let own_id = account_id.to_string();
        let stored = NewAccount {
            account_id,
            channel: new.channel,
            vendor_account_id: confirmed.as_ref().map_or(&own_id, |known| &known.vendor_account_id),
            name: &new.name,
            permissions: &permissions,
            callback_url: new.callback_url.as_deref(),
            made_by: &made_by,
        };
        let secret = channels::create(tx, call.keys(), &stored, desk.clock.now(), &*desk.entropy).await?;
        if let Some(confirmed) = &confirmed {
            keep(&desk, tx, &call, account_id, confirmed).await?;
        }
        let account = channels::read(tx, account_id).await?.ok_or_else(Problem::internal)?;
        let detail = json!({ "channel": new.channel, "callbackUrl": new.callback_url.as_deref().map(told),
                    "vendorAccountId": account.vendor_account_id, "permissions": *permissions });
        call.record_change(&desk, tx, account_id.to_string(), Some(detail)).await?;
        let mut answer = AccountAnswer::of(&desk, account);
        match &confirmed {
            Some(confirmed) => answer.show_once(confirmed),
            // With a vendor it is the vendor that signs.
            None => answer.secret = Some(secret.text().expose().clone()),
        }
        once.keep(&desk, tx, call.keys(), StatusCode::CREATED, &answer).await
    })
    .await
}

/// Read a channel account
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/channels/{accountId}", tag = "channels", operation_id = "readChannelAccount",
    params(("tenantId" = String, Path, description = "The tenant"), ("accountId" = String, Path, description = "The account")),
    responses((status = 200, description = "The account, with its version as ETag", body = AccountAnswer)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::ChannelsRead>,
) -> Result<Response, Problem> {
    let id: ChannelAccountId = call.received.param("accountId")?;
    let mut tx = desk.database.tenant("channels.read", &call.tenant).await?;
    let account = channels::read(&mut tx, id).await?;
    tx.commit().await?;
    let account = account.ok_or_else(Problem::not_found)?;
    Ok(versioned(account.version, AccountAnswer::of(&desk, account)))
}

/// Change a channel account
///
/// A disabled account takes no messages, and what is to be delivered waits until it is active again.
#[utoipa::path(
    patch, path = "/api/meta-agent/tenants/{tenantId}/channels/{accountId}", tag = "channels",
    operation_id = "changeChannelAccount",
    request_body(content = AccountPatch, example = json!({"status": "disabled"})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("accountId" = String, Path, description = "The account"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 200, description = "The account as it is now", body = AccountAnswer),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn change(
    State(desk): State<FrontDesk>,
    call: Managed<act::ChannelsWrite>,
) -> Result<Response, Problem> {
    let id: ChannelAccountId = call.received.param("accountId")?;
    let expected = expected_version(&call.received)?;
    let patch: AccountPatch = call.received.json()?;
    let mut mistakes = Mistakes::default();
    if let Some(name) = &patch.name {
        mistakes.line("/name", name, 120);
    }
    if let Some(url) = &patch.callback_url {
        callback_url(&desk, "/callbackUrl", url, &mut mistakes);
    }
    let status = patch.status.as_deref().map(str::parse::<AccountStatus>);
    if matches!(status, Some(Err(_))) {
        mistakes.add("/status", "format", "must be active, paused or disabled");
    }
    mistakes.into_result()?;
    let asked = Changed { whatsapp: patch.whatsapp, messenger: patch.messenger, instagram: patch.instagram };
    let change = AccountChange {
        name: patch.name,
        permissions: patch
            .permissions
            .as_deref()
            .map(|asked| permissions(&desk, &call, asked))
            .transpose()?,
        callback_url: patch.callback_url,
        status: status.and_then(Result::ok),
    };
    let confirmed = confirm_change(&desk, &call, id, &asked).await?;
    let account = tenant_tx!(desk.database, "channels.change", &call.tenant, async |tx| {
        let account = channels::lock(tx, id).await?.ok_or_else(Problem::not_found)?;
        let account = call.handle(&desk, account)?;
        if change.callback_url.is_some() && account.channel != Channel::Api {
            return Err(Problem::invalid_field("/callbackUrl", "unknown", "is of accounts of the channel api"));
        }
        if let Some(confirmed) = &confirmed {
            // It was read before the lock, and somebody else may have changed it since.
            if confirmed.version.is_some_and(|version| version != account.version) {
                return Err(StoreError::Stale("channel account").into());
            }
            keep(&desk, tx, &call, id, confirmed).await?;
        }
        let account = channels::change(tx, &account, &change, expected, desk.clock.now()).await?;
        let detail = json!({
            "version": account.version, "status": account.status.as_str(), "callbackUrl": account.callback_url.as_deref().map(told),
            "permissions": account.permissions, "credentials": confirmed.is_some(),
        });
        call.record_change(&desk, tx, id.to_string(), Some(detail)).await?;
        Ok::<_, Problem>(account)
    })
    .await?;
    Ok(versioned(account.version, AccountAnswer::of(&desk, account)))
}

/// What of a request must be there belongs to its channel.
fn check_new(desk: &FrontDesk, new: &AccountRequest) -> Result<(), Problem> {
    let mut mistakes = Mistakes::default();
    mistakes.line("/name", &new.name, 120);
    let needs = match new.channel {
        Channel::Api => "callbackUrl",
        Channel::Whatsapp => "whatsapp",
        Channel::Messenger => "messenger",
        Channel::Instagram => "instagram",
        _ => {
            let told = "Accounts of this channel are not supported yet.";
            return Err(Problem::not_supported("/channel", told));
        }
    };
    let given = [
        ("callbackUrl", "api", new.callback_url.is_some()),
        ("whatsapp", "whatsapp", new.whatsapp.is_some()),
        ("messenger", "messenger", new.messenger.is_some()),
        ("instagram", "instagram", new.instagram.is_some()),
    ];
    for (name, channel, is_given) in given {
        let pointer = format!("/{name}");
        if name == needs && !is_given {
            mistakes.add(&pointer, "required", "must be there");
        } else if name != needs && is_given {
            mistakes.add(&pointer, "unknown", &format!("is of accounts of the channel {channel}"));
        }
    }
    if let Some(url) = &new.callback_url {
        callback_url(desk, "/callbackUrl", url, &mut mistakes);
    }
    mistakes.into_result()
}

/// Make a new secret for a channel account
///
/// It is shown in this answer and never again. For a while deliveries are signed with both, so that the receiver can change over.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/channels/{accountId}/secret", tag = "channels",
    operation_id = "rotateChannelSecret",
    request_body(content = RotationRequest, example = json!({"overlapSeconds": 3600})),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("accountId" = String, Path, description = "The account"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call have its effect once"),
    ),
    responses((status = 201, description = "The secret, shown once", body = SecretAnswer)),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn rotate(
    State(desk): State<FrontDesk>,
    call: Managed<act::ChannelsWrite>,
) -> Result<Response, Problem> {
    let id: ChannelAccountId = call.received.param("accountId")?;
    let asked: RotationRequest = call.received.json()?;
    let overlap = asked.overlap_seconds.unwrap_or(USUAL_OVERLAP);
    if overlap > LONGEST_OVERLAP {
        return Err(Problem::invalid_field("/overlapSeconds", "range", "must be from 0 to 2592000"));
    }
    let once = Once::of(&call.received, &call.manager.maker)?;
    tenant_tx!(desk.database, "channels.rotate", &call.tenant, async |tx| {
        if let Some(answer) = once.answered(&desk, tx).await? {
            return Ok(answer);
        }
        let now = desk.clock.now();
        let until = now.checked_add(Duration::from_secs(u64::from(overlap))).unwrap_or(Timestamp::MAX);
        let account = channels::lock(tx, id).await?.ok_or_else(Problem::not_found)?;
        let account = call.handle(&desk, account)?;
        let secret = channels::rotate_secret(tx, call.keys(), &account, until, now, &*desk.entropy).await?;
        let detail = json!({ "secret": "rotated", "overlapSeconds": overlap });
        call.record_change(&desk, tx, id.to_string(), Some(detail)).await?;
        let answer = SecretAnswer { secret: secret.text().expose().clone(), old_secret_until: until };
        once.keep(&desk, tx, call.keys(), StatusCode::CREATED, &answer).await
    })
    .await
}
