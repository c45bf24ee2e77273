//! `/tenants/{tenantId}/channels`: accounts on channels, beside the tenant's own sites.

pub mod deliveries;
pub mod whatsapp;

use super::{Mistakes, Page, PageQuery, expected_version, versioned};
use crate::{
    desk::FrontDesk,
    idempotent::Once,
    management::{AtTenant, Managed},
    problem::Problem,
};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use misy_domain::{Channel, ChannelAccountId, Permission, Permissions, Timestamp, act};
use misy_egress::Reach;
use misy_store::{
    TenantTx,
    channels::{self, Account, AccountChange, AccountStatus, NewAccount},
    tenant_tx,
};
use misy_trust::access::Given;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use utoipa::ToSchema;
use whatsapp::{NumberAnswer, NumberPatch, NumberRequest};

const USUAL_OVERLAP: u32 = 24 * 60 * 60;
const LONGEST_OVERLAP: u32 = 30 * 24 * 60 * 60;
const LONGEST_URL: usize = 2_000;

/// An account on a channel; its secret is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChannelAccount)]
pub struct AccountAnswer {
    /// Its id.
    #[schema(example = "cha_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    account_id: ChannelAccountId,
    /// `api` or `whatsapp`.
    #[schema(example = "api")]
    channel: Channel,
    /// What people call it.
    name: String,
    /// `active`; `paused`: it takes messages, and what is to be delivered waits; or `disabled`: it takes none either.
    status: AccountStatus,
    /// Why the program itself paused or disabled it: `gone`, when the receiver answered that it is no more;
    /// `vendor_unauthorised` or `vendor_blocked`, when the vendor lets it send nothing.
    disabled_reason: Option<String>,
    /// What its conversations may use.
    #[schema(example = json!(["agents:support"]))]
    permissions: Permissions,
    /// Where messages to the contacts are delivered, with `api`.
    #[schema(example = "https://crm.andina.example/misy")]
    callback_url: Option<String>,
    /// What it has of its own, with `whatsapp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    whatsapp: Option<NumberAnswer>,
    /// What deliveries are signed with, once: `whsec_` and base64, as Standard Webhooks has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Until when deliveries are signed with the secret before, too.
    #[schema(value_type = Option<String>, format = DateTime)]
    old_secret_until: Option<Timestamp>,
    /// Who made it.
    #[schema(example = "usr_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    made_by: String,
    /// Grows with each change; the `ETag`.
    version: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl AccountAnswer {
    fn of(desk: &FrontDesk, account: Account) -> Self {
        Self {
            whatsapp: (account.channel == Channel::Whatsapp).then(|| NumberAnswer::of(desk, &account)),
            account_id: account.account_id,
            channel: account.channel,
            name: account.name,
            status: account.status,
            disabled_reason: account.disabled_reason,
            permissions: account.permissions,
            callback_url: account.callback_url,
            secret: None,
            old_secret_until: account.old_secret_until,
            made_by: account.made_by,
            version: account.version,
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}

/// An account to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewChannelAccount)]
pub struct AccountRequest {
    /// `api`: a program of the tenant, which writes and takes messages over HTTP; or `whatsapp`. Others are not supported yet.
    #[schema(example = "api")]
    channel: Channel,
    /// What people call it.
    #[schema(max_length = 120)]
    name: String,
    /// Where messages to the contacts are delivered, over https. With `api`, and only there.
    #[schema(example = "https://crm.andina.example/misy")]
    callback_url: Option<String>,
    /// The number, with `whatsapp` and only there. The vendor is asked whether it is yours.
    whatsapp: Option<NumberRequest>,
    /// What its conversations may use; the agents that anonymous visitors of a site may use, unless given.
    #[schema(example = json!(["agents:support"]))]
    permissions: Option<Vec<Permission>>,
}

/// What of an account is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ChannelAccountPatch)]
pub struct AccountPatch {
    /// What people call it.
    #[schema(max_length = 120)]
    name: Option<String>,
    /// Where messages to the contacts are delivered, over https.
    callback_url: Option<String>,
    /// What its conversations may use.
    permissions: Option<Vec<Permission>>,
    /// `active`, `paused` or `disabled`.
    #[schema(example = "disabled")]
    status: Option<String>,
    /// What of a number of WhatsApp is to be changed. The vendor is asked whether it is still yours.
    whatsapp: Option<NumberPatch>,
}

/// How a secret takes over from the one before.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ChannelSecretRotation)]
pub struct RotationRequest {
    /// How long deliveries are signed with the secret before, too: 0 to 2592000; a day unless given.
    #[schema(minimum = 0, maximum = 2_592_000)]
    overlap_seconds: Option<u32>,
}

/// A secret that was made, shown once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChannelSecret)]
pub struct SecretAnswer {
    /// What deliveries are signed with from now on.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
    /// Until when they are signed with the one before, too.
    #[schema(value_type = String, format = DateTime)]
    old_secret_until: Timestamp,
}

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
    let number = match &new.whatsapp {
        Some(asked) => Some(whatsapp::confirm(&desk, asked).await?),
        None => None,
    };
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
            vendor_account_id: number.as_ref().map_or(&own_id, |number| &number.phone_number_id),
            name: &new.name,
            permissions: &permissions,
            callback_url: new.callback_url.as_deref(),
            made_by: &made_by,
        };
        let secret = channels::create(tx, call.keys(), &stored, desk.clock.now(), &*desk.entropy).await?;
        if let Some(number) = &number {
            keep_number(&desk, tx, &call, account_id, number).await?;
        }
        let account = channels::read(tx, account_id).await?.ok_or_else(Problem::internal)?;
        let detail = json!({ "channel": new.channel, "callbackUrl": new.callback_url.as_deref().map(told),
                    "vendorAccountId": account.vendor_account_id, "permissions": *permissions });
        call.record_change(&desk, tx, account_id.to_string(), Some(detail)).await?;
        let mut answer = AccountAnswer::of(&desk, account);
        match (&number, &mut answer.whatsapp) {
            (Some(number), Some(shown)) => {
                shown.verify_token = Some(number.credentials.verify_token.expose().clone());
            }
            // With a vendor it is the vendor that signs.
            _ => answer.secret = Some(secret.text().expose().clone()),
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
    let number = match &patch.whatsapp {
        Some(asked) => Some(confirm_change(&desk, &call, id, asked).await?),
        None => None,
    };
    let account = tenant_tx!(desk.database, "channels.change", &call.tenant, async |tx| {
        let account = channels::lock(tx, id).await?.ok_or_else(Problem::not_found)?;
        let account = call.handle(&desk, account)?;
        if change.callback_url.is_some() && account.channel != Channel::Api {
            return Err(Problem::invalid_field("/callbackUrl", "unknown", "is of accounts of the channel api"));
        }
        if let Some(number) = &number {
            keep_number(&desk, tx, &call, id, number).await?;
        }
        let account = channels::change(tx, &account, &change, expected, desk.clock.now()).await?;
        let detail = json!({
            "version": account.version, "status": account.status.as_str(), "callbackUrl": account.callback_url.as_deref().map(told),
            "permissions": account.permissions, "credentials": number.is_some(),
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
    match (new.channel, &new.callback_url, &new.whatsapp) {
        (Channel::Api, Some(url), None) => callback_url(desk, "/callbackUrl", url, &mut mistakes),
        (Channel::Api, None, _) => mistakes.add("/callbackUrl", "required", "must be there"),
        (Channel::Whatsapp, None, Some(_)) => {}
        (Channel::Whatsapp, _, None) => mistakes.add("/whatsapp", "required", "must be there"),
        (Channel::Api, ..) => mistakes.add("/whatsapp", "unknown", "is of accounts of the channel whatsapp"),
        (Channel::Whatsapp, ..) => {
            mistakes.add("/callbackUrl", "unknown", "is of accounts of the channel api");
        }
        _ => {
            return Err(Problem::not_supported(
                "/channel",
                "Accounts of this channel are not supported yet.",
            ));
        }
    }
    mistakes.into_result()
}

/// Writes down what an account has with its vendor.
async fn keep_number(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    call: &AtTenant,
    account: ChannelAccountId,
    number: &whatsapp::Confirmed,
) -> Result<(), Problem> {
    channels::set_credentials(tx, call.keys(), account, &number.credentials, &*desk.entropy).await?;
    channels::set_business(tx, account, &number.business_account_id, number.reopening.as_ref()).await?;
    Ok(())
}

/// Has the vendor confirm what is to be changed of a number, before anything is locked.
async fn confirm_change(
    desk: &FrontDesk,
    call: &AtTenant,
    account: ChannelAccountId,
    asked: &NumberPatch,
) -> Result<whatsapp::Confirmed, Problem> {
    let mut tx = desk.database.tenant("channels.number", &call.tenant).await?;
    let read = channels::read(&mut tx, account).await?.ok_or_else(Problem::not_found)?;
    let now = channels::vendor_account(&mut tx, call.keys(), Channel::Whatsapp, account).await?;
    tx.commit().await?;
    let known = now.zip(read.business_account_id);
    let Some((now, business)) = known else {
        return Err(Problem::invalid_field("/whatsapp", "unknown", "is of accounts of the channel whatsapp"));
    };
    whatsapp::confirm_change(desk, asked, &now, &business, desk.clock.now()).await
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
