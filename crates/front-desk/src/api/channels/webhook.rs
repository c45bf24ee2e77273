//! `/channels/{channel}/{accountId}/webhook`: vendors tell what happened.
//!
//! The address names one account; what comes may tell of several. A thing that happened counts only if the bytes are signed with a
//! secret of the very account that it happened on. Everything is durable when `200` is answered. Anything else makes the vendor
//! send all of it again for days, and what was stored before is known again by its id: so what is beyond a limit, or more than one
//! body may take, is refused and not lost (adr/0078).

use super::inbox::{Inbox, Work};
use crate::{
    desk::FrontDesk,
    edge::limited,
    look_up,
    pipeline::Head,
    problem::{Code, Problem},
    record::CallRecord,
    shares::{Counts, Who},
    tenant_state::TenantState,
};
use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use misy_channels::{Channel as Vendor, Parsed, Posted, vendor};
use misy_domain::{Channel, ChannelAccountId, Secret, TenantId};
use misy_store::{
    channels::{self, VendorAccount},
    limits::Unreachable,
    tenant_tx,
};
use misy_workbench::{PackError, Workbench};
use std::{collections::HashMap, net::IpAddr, sync::Arc};
use tracing::{debug, info, warn};

/// The vendors send 3 MB at most.
const LONGEST: usize = 4 << 20;
/// What is read at once, where it came in: a body of some messages.
const SMALL: usize = 32 << 10;
/// Other accounts that one body may name: as many as a tenant has at most.
const MOST_ACCOUNTS: usize = 100;

/// An account that a vendor calls for, with its tenant.
#[derive(Clone)]
pub(super) struct Called {
    pub(super) tenant: TenantId,
    pub(super) state: Arc<TenantState>,
    pub(super) channel: Channel,
    pub(super) account: VendorAccount,
}

impl Called {
    async fn of(
        desk: &FrontDesk,
        tenant: TenantId,
        channel: Channel,
        account: ChannelAccountId,
    ) -> Result<Option<Self>, Problem> {
        let Some(state) = desk.tenants.get(&tenant).await? else { return Ok(None) };
        let found = tenant_tx!(desk.database, "channels.called", &tenant, async |tx| {
            channels::vendor_account(tx, &state.keys, channel, account).await
        });
        let found = found.await?;
        Ok(found.map(|account| Self { tenant, state, channel, account }))
    }

    /// The account that the address names.
    async fn at(
        desk: &FrontDesk,
        from: Option<IpAddr>,
        channel: Channel,
        account: ChannelAccountId,
    ) -> Result<Self, Problem> {
        let tenant = look_up::tenant_of_account(desk, from, channel, account).await?;
        let tenant = tenant.ok_or_else(Problem::not_found)?;
        Self::of(desk, tenant, channel, account).await?.ok_or_else(Problem::not_found)
    }

    /// The account that the vendor names, whoever's it is.
    async fn named(desk: &FrontDesk, channel: Channel, vendor_id: &str) -> Result<Option<Self>, Problem> {
        let Some(tenant) = desk.database.tenant_of_vendor_account(channel, vendor_id).await? else {
            return Ok(None);
        };
        let account = tenant_tx!(desk.database, "channels.named", &tenant, async |tx| {
            channels::by_vendor_account(tx, channel, vendor_id).await
        });
        match account.await? {
            Some(account) => Self::of(desk, tenant, channel, account).await,
            None => Ok(None),
        }
    }

    /// What counts as the vendor's signature for the account.
    fn secrets(&self, desk: &FrontDesk) -> Vec<Secret<String>> {
        self.account.credentials.app_secrets(desk.clock.now())
    }

    /// Counts something against limits of the tenant.
    pub(super) async fn within(
        &self,
        desk: &FrontDesk,
        counts: &Counts<'_>,
        record: &CallRecord,
    ) -> Result<(), Problem> {
        let (limits, now) = (counts.limits(), desk.clock.now());
        let decision = desk.limits.check(&self.tenant, None, &limits, now, Unreachable::Refuse).await?;
        limited(decision, record)
    }
}

/// A body as it came, from whoever says that they are the vendor. What is computed over a large one is computed where agents work,
/// in the turn of the tenant that the address names: whoever else is served waits for no body.
struct Sent<'d> {
    workbench: &'d Workbench,
    vendor: &'static dyn Vendor,
    tenant: TenantId,
    signature: Option<HeaderValue>,
    body: Bytes,
}

impl Sent<'_> {
    /// Whether the vendor signed it with one of these secrets.
    async fn is_signed(&self, secrets: Vec<Secret<String>>) -> Result<bool, Problem> {
        let (vendor, signature, body) = (self.vendor, self.signature.clone(), self.body.clone());
        self.compute(move || {
            let signature = signature.as_ref().map(HeaderValue::as_bytes);
            vendor.verify(&Posted { signature, body: &body }, &secrets).is_ok()
        })
        .await
    }

    /// What it tells.
    async fn parse(&self) -> Result<Parsed, Problem> {
        let (vendor, body) = (self.vendor, self.body.clone());
        self.compute(move || vendor.parse(&body)).await
    }

    /// Whether it takes a moment to read.
    fn is_large(&self) -> bool {
        self.body.len() > SMALL
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        if !self.is_large() {
            return Ok(work());
        }
        let done = self.workbench.run(&self.tenant, move |_| work()).await;
        Ok(done.map_err(PackError::Unfinished)?)
    }
}

/// What the address names: a channel that has a vendor, and an account.
fn address(head: &Head) -> Result<(Channel, &'static dyn Vendor, ChannelAccountId), Problem> {
    let channel: Channel = head.param("channel")?;
    let vendor = vendor(channel).ok_or_else(Problem::not_found)?;
    Ok((channel, vendor, head.param("accountId")?))
}

/// Confirm the address of a webhook
///
/// For vendors: they ask whether this is the address to call. Answers what stands in `hub.challenge`, to whoever knows the
/// account's token.
#[utoipa::path(
    get, path = "/api/meta-agent/channels/{channel}/{accountId}/webhook", tag = "channels", operation_id = "confirmChannelWebhook",
    params(
        ("channel" = String, Path, description = "The channel"),
        ("accountId" = String, Path, description = "The account"),
        ("hub.mode" = Option<String>, Query, description = "`subscribe`"),
        ("hub.verify_token" = Option<String>, Query, description = "The account's token"),
        ("hub.challenge" = Option<String>, Query, description = "What is to be answered"),
    ),
    responses((status = 200, description = "The challenge", body = String, content_type = "text/plain")),
    security(())
)]
pub(crate) async fn confirm(State(desk): State<FrontDesk>, request: Request) -> Result<Response, Problem> {
    let head = Head::of(request, 0).await?;
    let (channel, vendor, account) = address(&head)?;
    let called = Called::at(&desk, head.address(), channel, account).await?;
    let answer = vendor.challenge(head.query(), &called.account.credentials.verify_token);
    let answer = answer.ok_or_else(|| {
        Problem::forbidden(
            Code::PermissionDenied,
            "This is not the token of the account, or no subscription.",
        )
    })?;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, plain)], answer).into_response())
}

/// Take what a vendor tells
///
/// For vendors. The body is signed with the secret of the account's app (`X-Hub-Signature-256`). Answers when everything is
/// durable; sent again, it has no further effect.
#[utoipa::path(
    post, path = "/api/meta-agent/channels/{channel}/{accountId}/webhook", tag = "channels", operation_id = "takeChannelEvents",
    request_body(content = Object, description = "As the vendor has it", example = json!({"object": "whatsapp_business_account", "entry": []})),
    params(
        ("channel" = String, Path, description = "The channel"),
        ("accountId" = String, Path, description = "The account"),
        ("X-Hub-Signature-256" = Option<String>, Header, description = "The vendor's signature over the body"),
    ),
    responses(
        (status = 200, description = "Everything is durable"),
        (status = 402, description = "`quota_exceeded`: the month's messages are used up; the vendor sends it again", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: the calls of the tenant or the messages of the channel are too many; what was stored is known when the vendor sends it again", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: not everything is durable yet; the vendor sends it again, and the rest is stored then", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(())
)]
pub(crate) async fn take(State(desk): State<FrontDesk>, request: Request) -> Result<StatusCode, Problem> {
    let head = Head::of(request, LONGEST).await?;
    let (channel, vendor, account) = address(&head)?;
    let called = Called::at(&desk, head.address(), channel, account).await?;
    head.record().facts().tenant = Some(called.tenant.clone());
    // Whoever does not even say that they signed it is not read.
    if !head.headers().contains_key(vendor.signature_header()) {
        return Err(Problem::unauthorized(Code::SignatureMissing));
    }
    let received = head.read(&desk, LONGEST).await?;
    let mut work = Work::of(desk.settings.webhook_work);
    let sent = Sent {
        workbench: desk.packs.workbench(),
        vendor,
        tenant: called.tenant.clone(),
        signature: received.headers().get(vendor.signature_header()).cloned(),
        body: received.body.clone(),
    };
    if !sent.is_signed(called.secrets(&desk)).await? {
        return Err(Problem::unauthorized(Code::SignatureInvalid));
    }
    // The call counts as one of the tenant, and each new message that it tells of against its channel.
    let counted = called.within(&desk, &Counts::of(&called.state, Who::Program), &received.record).await;
    if counted.is_err() && sent.is_large() {
        return counted.map(|()| StatusCode::OK);
    }
    let parsed = sent.parse().await?;
    if !parsed.left_out.is_empty() {
        debug!(kinds = ?parsed.left_out, "a vendor tells what has no use here");
    }
    if let Err(problem) = counted {
        // No other account is looked up for it.
        for (called, inbox) in sorted(&desk, &sent, channel, called, parsed, 0).await?.inboxes {
            inbox.expect(&desk, &called).await;
        }
        return Err(problem);
    }
    let sorted = sorted(&desk, &sent, channel, called, parsed, MOST_ACCOUNTS).await?;
    // What waits for the secret of its account stays with the vendor until that is known.
    let mut outcome = if sorted.some_wait { Err(Problem::unavailable()) } else { Ok(StatusCode::OK) };
    for (called, inbox) in sorted.inboxes {
        // Others may share its app, and be told of here alone.
        let stored = if called.state.is_active() {
            inbox.store(&desk, vendor, &called, &mut work, &received.record).await
        } else {
            inbox.expect(&desk, &called).await;
            Err(Problem::suspended())
        };
        if let Err(problem) = stored {
            outcome = Err(problem);
        }
    }
    outcome
}

/// What a body tells.
struct Sorted {
    /// By the accounts that it speaks for.
    inboxes: Vec<(Called, Inbox)>,
    /// Whether it tells of an account of the same tenant under another secret than that has: where accounts share an app, a new
    /// secret comes to one after the other.
    some_wait: bool,
}

/// What is told, by the accounts that the body speaks for: the one that was called, and of others so many at most.
async fn sorted(
    desk: &FrontDesk,
    sent: &Sent<'_>,
    channel: Channel,
    called: Called,
    parsed: Parsed,
    most_others: usize,
) -> Result<Sorted, Problem> {
    let mut some_wait = false;
    let mut known = HashMap::from([(called.account.vendor_account_id.clone(), Some(called))]);
    let mut inboxes: Vec<(Called, Inbox)> = Vec::new();
    let mut too_many = false;
    for event in parsed.events {
        if !known.contains_key(&event.account) {
            if known.len() > most_others {
                too_many = true;
                continue;
            }
            let named = Called::named(desk, channel, &event.account).await?;
            let signed = match named {
                // Who has one secret does not speak for an account that has another.
                Some(one) if sent.is_signed(one.secrets(desk)).await? => Some(one),
                Some(one) if one.tenant == sent.tenant => {
                    let account = one.account.account_id;
                    warn!(accountId = %account, "a vendor tells of an account under another secret than it has here");
                    some_wait = true;
                    None
                }
                _ => {
                    info!("a vendor tells of an account that is not known, or under the secret of another");
                    None
                }
            };
            known.insert(event.account.clone(), signed);
        }
        let Some(Some(called)) = known.get(&event.account) else { continue };
        let at = inboxes.iter().position(|(one, _)| one.account.account_id == called.account.account_id);
        let at = at.unwrap_or_else(|| {
            inboxes.push((called.clone(), Inbox::default()));
            inboxes.len() - 1
        });
        inboxes[at].1.put(event.at, event.happening);
    }
    if too_many && most_others > 0 {
        warn!(
            "a vendor tells of more accounts in one body than a tenant can have: those that come last are not heard"
        );
    }
    Ok(Sorted { inboxes, some_wait })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[tokio::test]
    async fn what_is_computed_over_a_large_body_keeps_no_thread_from_serving() {
        let workbench = Workbench::with_threads(1).unwrap();
        for (length, is_aside) in [(SMALL, false), (SMALL + 1, true), (LONGEST, true)] {
            let sent = Sent {
                workbench: &workbench,
                vendor: vendor(Channel::Whatsapp).unwrap(),
                tenant: "andina".parse().unwrap(),
                signature: Some(HeaderValue::from_static("sha256=00")),
                body: vec![b'x'; length].into(),
            };
            let serving = thread::current().id();
            let computed = sent.compute(move || thread::current().id() != serving).await;
            assert_eq!(computed.ok(), Some(is_aside), "{length}");
            let secrets = vec![Secret::new("app secret".to_owned())];
            assert_eq!(sent.is_signed(secrets).await.ok(), Some(false));
            assert!(sent.parse().await.ok().unwrap().events.is_empty());
        }
    }
}
