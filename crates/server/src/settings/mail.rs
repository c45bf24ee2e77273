//! The mail server.

use super::declare::{declare, hidden, set};
use anyhow::bail;
use misy_domain::Secret;

declare! {
    "Mail";
    secret smtp_url: String = String::new(),
        "mail server for invitations and links: smtps://user:password@host or smtp://user:password@host:587?tls=required [no mail is sent]";
    open mail_from: String = String::new(),
        "whom mail comes from, such as Misy <no-reply@example.com>; needed with smtp_url";
}

/// The mail server.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// Where it is, and what opens it.
    pub(crate) url: Secret<String>,
    /// Whom mail comes from.
    pub(crate) from: String,
}

/// One-time links travel to it: only to one's own machine without TLS.
pub(super) fn check(written: &Written) -> anyhow::Result<Option<Mail>> {
    let Some(url) = hidden(&written.smtp_url) else { return Ok(None) };
    let Some(from) = set(&written.mail_from) else { bail!("mail_from must be set together with smtp_url") };
    let text = url.expose();
    let plain = text.strip_prefix("smtp://").filter(|rest| !rest.contains("tls=required"));
    let is_local = |rest: &str| {
        let host = rest.rsplit('@').next().unwrap_or_default();
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| {
            host.strip_prefix(local)
                .is_some_and(|after| after.is_empty() || after.starts_with([':', '/', '?']))
        })
    };
    if plain.is_some_and(|rest| !is_local(rest)) || !text.starts_with("smtp") {
        bail!(
            "smtp_url must be smtps://… or smtp://…?tls=required: without TLS only a server on this machine is used"
        );
    }
    Ok(Some(Mail { from: from.to_owned(), url }))
}
