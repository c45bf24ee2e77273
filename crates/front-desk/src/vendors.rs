//! Calls to the vendors of channels.

use crate::{desk::FrontDesk, problem::Problem};
use misy_channels::{
    Asked, Channel as _, Reason, VendorAnswer, VendorCall, Verdict,
    meta::{graph_error, page},
    vendor, whatsapp,
};
use misy_domain::{Channel as Kind, Secret};
use misy_egress::{EgressError, Reach, Request, Response};
use misy_store::{channels::VendorAccount, leases::Trouble};
use serde_json::Value;

/// The error of the vendor's with this subcode: there is no such thing, or the token may not see it.
const NOT_THERE: i64 = 33;

/// What somebody says that they have with a vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claimed<'a> {
    /// The channel.
    pub(crate) channel: Kind,
    /// The number, the page or the account, by the vendor's id.
    pub(crate) account: &'a str,
    /// What calls to the vendor carry.
    pub(crate) access_token: &'a Secret<String>,
    /// What the vendor signs with.
    pub(crate) app_secret: &'a Secret<String>,
}

/// Has the vendor confirm that a number is theirs who bring its token: the token sees the number, the number belongs to the business,
/// and the secret is that of the token's app.
pub(crate) async fn confirm_number(
    desk: &FrontDesk,
    claimed: &Claimed<'_>,
    business: &str,
) -> Result<(), Problem> {
    let token = claimed.access_token;
    let calls = [whatsapp::Whatsapp.health(claimed.account, token), whatsapp::numbers(business, token)];
    let fields = ["/whatsapp/phoneNumberId", "/whatsapp/businessAccountId"];
    let [number, business] = calls.map(|call| call.proved(claimed.app_secret, token));
    let number = ask(desk, claimed, number, fields[0]).await?;
    if number.get("id").and_then(Value::as_str) != Some(claimed.account) {
        return Err(not_theirs(fields[0]));
    }
    let business = ask(desk, claimed, business, fields[1]).await?;
    let numbers = business.get("data").and_then(Value::as_array);
    let is_theirs = |one: &Value| one.get("id").and_then(Value::as_str) == Some(claimed.account);
    if numbers.is_some_and(|all| all.iter().any(is_theirs)) { Ok(()) } else { Err(not_theirs(fields[1])) }
}

/// What a vendor answers about an account that is connected: a value, or why it gives none.
pub(crate) async fn asked(
    desk: &FrontDesk,
    channel: Kind,
    account: &VendorAccount,
    call: VendorCall,
) -> Result<Result<Value, Fault>, Problem> {
    let credentials = &account.credentials;
    let call = call.proved(&credentials.app_secret, &credentials.access_token);
    let vendor = vendor(channel).ok_or_else(Problem::internal)?;
    let answer = match send(desk, call).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(%error, "the vendor of a channel could not be asked");
            return Ok(Err(Fault { reason: Trouble::VendorUnreachable, code: None }));
        }
    };
    if answer.status.is_success() {
        return answer.json().map(Ok).map_err(|_| Problem::unavailable());
    }
    let status = answer.status.as_u16();
    let judged = VendorAnswer { status, retry_after: None, usage: None, body: &answer.body, tries: 0 };
    let reason = Trouble::of_verdict(&vendor.judge(&judged)).unwrap_or(Trouble::VendorRefused);
    Ok(Err(Fault { reason, code: graph_error(&answer.body).map(|error| error.code) }))
}

/// Why a vendor does not do what it was asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// Why.
    pub(crate) reason: Trouble,
    /// Its own code.
    pub(crate) code: Option<i64>,
}

/// Has the vendor confirm that a page, or the account of Instagram that is linked to it, is theirs who bring the page's token, and
/// has it tell what happens there. Answers the page.
pub(crate) async fn confirm_page(desk: &FrontDesk, claimed: &Claimed<'_>) -> Result<String, Problem> {
    let token = claimed.access_token;
    let field = format!("/{}/id", claimed.channel);
    let whose = ask(desk, claimed, page::whose(token).proved(claimed.app_secret, token), &field).await?;
    let theirs = match claimed.channel {
        Kind::Instagram => page::instagram_of(&whose),
        _ => page::page_of(&whose),
    };
    let page = page::page_of(&whose).filter(|_| theirs.as_deref() == Some(claimed.account));
    let page = page.ok_or_else(|| not_theirs(&field))?;
    // Sent again, it has no further effect.
    let token_field = format!("/{}/accessToken", claimed.channel);
    ask(desk, claimed, page::subscription(token).proved(claimed.app_secret, token), &token_field).await?;
    Ok(page)
}

fn not_theirs(pointer: &str) -> Problem {
    Problem::invalid_field(pointer, "reference", "the vendor does not confirm that it is yours")
}

async fn ask(
    desk: &FrontDesk,
    claimed: &Claimed<'_>,
    call: VendorCall,
    pointer: &str,
) -> Result<Value, Problem> {
    let answer = send(desk, call).await.map_err(|error| {
        tracing::warn!(%error, "the vendor of a channel could not be asked");
        Problem::unavailable()
    })?;
    if answer.status.is_success() {
        return answer.json().map_err(|_| Problem::unavailable());
    }
    let status = answer.status.as_u16();
    let judged = VendorAnswer { status, retry_after: None, usage: None, body: &answer.body, tries: 0 };
    let vendor = vendor(claimed.channel).ok_or_else(Problem::internal)?;
    let field = |name: &str| format!("/{}/{name}", claimed.channel);
    Err(match (vendor.judge(&judged), graph_error(&answer.body)) {
        (Verdict::Retry { .. } | Verdict::Unsure, _) => Problem::unavailable(),
        (Verdict::Pause { reason: Reason::Unauthorised, .. }, _) => {
            let told = "the vendor does not let in whoever has this token";
            Problem::invalid_field(&field("accessToken"), "reference", told)
        }
        (_, Some(error)) if error.code == 100 && error.subcode != Some(NOT_THERE) => {
            let told = "is not the secret of the app that the token belongs to";
            Problem::invalid_field(&field("appSecret"), "reference", told)
        }
        _ => not_theirs(pointer),
    })
}

async fn send(desk: &FrontDesk, call: VendorCall) -> Result<Response, EgressError> {
    let url = format!("{}{}", desk.settings.graph_url, call.path);
    let request = match (call.asked, &call.body) {
        (Asked::Get, _) => Request::get(&url)?,
        (Asked::Post, Some(body)) => Request::post_json(&url, body)?,
        (Asked::Post, None) => Request::post(&url, "application/json", Vec::new())?,
    };
    desk.egress.send(Reach::Internet, request.authorized(call.authorization.expose())?).await
}
