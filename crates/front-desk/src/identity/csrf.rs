//! A call that a browser makes with its cookie comes from a page of our own: the browser says so, and the page knows what
//! only a page of our own can have read.

use crate::{pipeline::Received, problem::Problem, settings::Settings};
use http::{HeaderName, header};
use misy_trust::RandomToken;

const TOKEN: HeaderName = HeaderName::from_static("x-misy-csrf");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

fn refused() -> Problem {
    Problem::forbidden("csrf_refused", "The call does not come from a page of this installation.")
}

/// What the browser says of where a call comes from; `None` if it says nothing.
fn is_same_origin(settings: &Settings, received: &Received) -> Option<bool> {
    let site = received.header(&FETCH_SITE).map(|site| site == "same-origin");
    let origin = received.header(&header::ORIGIN).map(|origin| {
        let own = settings.public_origin().is_some_and(|own| own.as_str() == origin);
        // On one's own machine the program goes by several names; that of the request is one of them.
        let here = settings.is_plain_loopback() && origin.strip_prefix("http://") == Some(received.host());
        own || here
    });
    match (site, origin) {
        (None, None) => None,
        (site, origin) => Some(site.unwrap_or(true) && origin.unwrap_or(true)),
    }
}

/// Refuses a call with a cookie that may change something unless it is proved to come from a page of our own.
pub(crate) fn check(settings: &Settings, received: &Received, session: &RandomToken) -> Result<(), Problem> {
    if received.record.method.is_safe() {
        return Ok(());
    }
    let proved = received.header(&TOKEN).is_some_and(|token| session.is_csrf_token(token));
    if is_same_origin(settings, received) == Some(true) && proved { Ok(()) } else { Err(refused()) }
}

/// Refuses a visit that somebody else's page sends a browser on. An address that was typed or kept is no page's.
pub(crate) fn check_visit(received: &Received) -> Result<(), Problem> {
    let site = received.header(&FETCH_SITE);
    if site.is_none_or(|site| ["same-origin", "none"].contains(&site)) { Ok(()) } else { Err(refused()) }
}

/// Refuses a call without a session, such as a sign-in, that a browser makes from somebody else's page.
pub(crate) fn check_stranger(settings: &Settings, received: &Received) -> Result<(), Problem> {
    if is_same_origin(settings, received) == Some(false) { Err(refused()) } else { Ok(()) }
}
