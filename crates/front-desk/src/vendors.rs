//! Calls to the vendors of channels.

use crate::{desk::FrontDesk, problem::Problem};
use misy_channels::{Asked, Channel, Reason, VendorAnswer, VendorCall, Verdict, meta::graph_error, whatsapp};
use misy_domain::Secret;
use misy_egress::{EgressError, Reach, Request, Response};
use serde_json::Value;

/// The error of the vendor's with this subcode: there is no such thing, or the token may not see it.
const NOT_THERE: i64 = 33;

/// What somebody says that they have with a vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claimed<'a> {
    /// The number, by the vendor's id.
    pub(crate) account: &'a str,
    /// The business that it belongs to.
    pub(crate) business: &'a str,
    /// What calls to the vendor carry.
    pub(crate) access_token: &'a Secret<String>,
    /// What the vendor signs with.
    pub(crate) app_secret: &'a Secret<String>,
}

/// Has the vendor confirm that a number is theirs who bring its token: the token sees the number, the number belongs to the business,
/// and the secret is that of the token's app.
pub(crate) async fn confirm_number(desk: &FrontDesk, claimed: &Claimed<'_>) -> Result<(), Problem> {
    let token = claimed.access_token;
    let calls =
        [whatsapp::Whatsapp.health(claimed.account, token), whatsapp::numbers(claimed.business, token)];
    let fields = ["/whatsapp/phoneNumberId", "/whatsapp/businessAccountId"];
    let [number, business] = calls.map(|call| call.proved(claimed.app_secret, token));
    let number = ask(desk, number, fields[0]).await?;
    if number.get("id").and_then(Value::as_str) != Some(claimed.account) {
        return Err(not_theirs(fields[0]));
    }
    let business = ask(desk, business, fields[1]).await?;
    let numbers = business.get("data").and_then(Value::as_array);
    let is_theirs = |one: &Value| one.get("id").and_then(Value::as_str) == Some(claimed.account);
    if numbers.is_some_and(|all| all.iter().any(is_theirs)) { Ok(()) } else { Err(not_theirs(fields[1])) }
}

fn not_theirs(pointer: &str) -> Problem {
    Problem::invalid_field(pointer, "reference", "the vendor does not confirm that it is yours")
}

async fn ask(desk: &FrontDesk, call: VendorCall, pointer: &str) -> Result<Value, Problem> {
    let answer = send(desk, call).await.map_err(|error| {
        tracing::warn!(%error, "the vendor of a channel could not be asked");
        Problem::unavailable()
    })?;
    if answer.status.is_success() {
        return answer.json().map_err(|_| Problem::unavailable());
    }
    let usage = None;
    let judged = VendorAnswer {
        status: answer.status.as_u16(),
        retry_after: None,
        usage,
        body: &answer.body,
        tries: 0,
    };
    Err(match (whatsapp::Whatsapp.judge(&judged), graph_error(&answer.body)) {
        (Verdict::Retry { .. }, _) => Problem::unavailable(),
        (Verdict::Pause { reason: Reason::Unauthorised, .. }, _) => {
            let told = "the vendor does not let in whoever has this token";
            Problem::invalid_field("/whatsapp/accessToken", "reference", told)
        }
        (_, Some(error)) if error.code == 100 && error.subcode != Some(NOT_THERE) => {
            let told = "is not the secret of the app that the token belongs to";
            Problem::invalid_field("/whatsapp/appSecret", "reference", told)
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
