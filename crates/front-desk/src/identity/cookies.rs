//! The cookies: who is signed in, which browsers were here before, and what a browser has begun.

use crate::settings::Settings;
use http::{HeaderMap, HeaderValue, header};
use misy_store::users::devices;
use misy_trust::{RandomToken, TokenUse};
use std::time::Duration;

const SESSION: &str = "misy_session";
const DEVICE: &str = "misy_device";
/// Held while somebody is at a provider: what was begun here is ended in the same browser.
const AWAY: &str = "misy_away";
/// The challenge of somebody who came back from a provider: it is good in the browser that came back, and in no other.
const CHALLENGE: &str = "misy_challenge";
/// Accounts that one browser is remembered for.
const MOST_DEVICES: usize = 5;

/// With `__Host-` a browser takes the cookie over TLS only, for this host alone, so that no neighbour can plant one. On
/// plain HTTP, which is for trying out on one's own machine, browsers would not take it.
fn name(settings: &Settings, cookie: &str) -> String {
    if settings.is_plain_loopback() { cookie.to_owned() } else { format!("__Host-{cookie}") }
}

fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(known, value)| (known == name).then_some(value));
    // Of two with the same name somebody planted one; neither is believed.
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

fn cookie(settings: &Settings, name_of: &str, value: &str, age: Duration) -> Option<HeaderValue> {
    let secure = if settings.is_plain_loopback() { "" } else { "; Secure" };
    let (name, seconds) = (name(settings, name_of), age.as_secs());
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether the browser says that it is signed in.
pub(crate) fn has_session(settings: &Settings, headers: &HeaderMap) -> bool {
    value(headers, &name(settings, SESSION)).is_some()
}

/// The token of the session.
pub(crate) fn session(settings: &Settings, headers: &HeaderMap) -> Option<RandomToken> {
    RandomToken::parse(TokenUse::Session, value(headers, &name(settings, SESSION))?)
}

/// The tokens that the browser got when somebody signed in from it.
pub(crate) fn devices(settings: &Settings, headers: &HeaderMap) -> Vec<RandomToken> {
    let text = value(headers, &name(settings, DEVICE)).unwrap_or_default();
    text.split('.').take(MOST_DEVICES).filter_map(|one| RandomToken::parse(TokenUse::Device, one)).collect()
}

/// Gives the browser a session.
pub(crate) fn set_session(settings: &Settings, token: &RandomToken, age: Duration) -> Option<HeaderValue> {
    cookie(settings, SESSION, token.text(), age)
}

/// Takes the session from the browser.
pub(crate) fn clear_session(settings: &Settings) -> Option<HeaderValue> {
    cookie(settings, SESSION, "", Duration::ZERO)
}

/// Lets the browser be known again, the newest account first.
pub(crate) fn set_devices(settings: &Settings, tokens: &[RandomToken]) -> Option<HeaderValue> {
    let texts: Vec<&str> = tokens.iter().take(MOST_DEVICES).map(RandomToken::text).collect();
    cookie(settings, DEVICE, &texts.join("."), devices::REMEMBERED)
}

/// What the browser got when it set out for a provider.
pub(crate) fn away<'h>(settings: &Settings, headers: &'h HeaderMap) -> Option<&'h str> {
    value(headers, &name(settings, AWAY))
}

/// Lets the browser come back from a provider.
pub(crate) fn set_away(settings: &Settings, handle: &str, age: Duration) -> Option<HeaderValue> {
    cookie(settings, AWAY, handle, age)
}

/// It is back.
pub(crate) fn clear_away(settings: &Settings) -> Option<HeaderValue> {
    cookie(settings, AWAY, "", Duration::ZERO)
}

/// The challenge that the browser came back from a provider with.
pub(crate) fn challenge(settings: &Settings, headers: &HeaderMap) -> Option<RandomToken> {
    RandomToken::parse(TokenUse::SecondFactor, value(headers, &name(settings, CHALLENGE))?)
}

/// Binds a challenge to the browser.
pub(crate) fn set_challenge(settings: &Settings, token: &RandomToken, age: Duration) -> Option<HeaderValue> {
    cookie(settings, CHALLENGE, token.text(), age)
}

/// It is answered.
pub(crate) fn clear_challenge(settings: &Settings) -> Option<HeaderValue> {
    cookie(settings, CHALLENGE, "", Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use misy_trust::SystemEntropy;

    fn settings(url: &str) -> Settings {
        Settings::new(url, "colombiatic".parse().unwrap())
    }

    #[test]
    fn only_trying_out_on_ones_own_machine_goes_without_tls() {
        let token = RandomToken::generate(TokenUse::Session, &SystemEntropy::new());
        let text = |url: &str| {
            let value = set_session(&settings(url), &token, Duration::from_mins(1)).unwrap();
            value.to_str().unwrap().replace(token.text(), "…")
        };
        let safe = "__Host-misy_session=…; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(text("https://api.misy.example"), safe);
        assert_eq!(text("http://api.misy.example"), safe);
        assert_eq!(text("http://127.0.0.1.evil.example"), safe);
        let plain = "misy_session=…; Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        for url in ["http://127.0.0.1:8787", "http://localhost:8787", "http://[::1]:8787"] {
            assert_eq!(text(url), plain, "{url}");
        }
    }

    #[test]
    fn of_two_cookies_with_the_name_neither_is_believed() {
        let settings = settings("https://api.misy.example");
        let token = RandomToken::generate(TokenUse::Session, &SystemEntropy::new());
        let mut headers = HeaderMap::new();
        let one = format!("a=b; __Host-misy_session={}", token.text());
        headers.append(header::COOKIE, one.parse().unwrap());
        assert_eq!(session(&settings, &headers).unwrap().hash(), token.hash());
        headers.append(header::COOKIE, "__Host-misy_session=other".parse().unwrap());
        assert!(session(&settings, &headers).is_none());
    }
}
