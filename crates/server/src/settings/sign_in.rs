//! An OpenID provider for the whole installation.

use super::declare::{declare, hidden, set};
use anyhow::Context;
use misy_domain::Secret;

declare! {
    "Sign-in with a provider";
    open oidc_issuer: String = String::new(),
        "OpenID provider that people of all tenants may sign in with, such as https://login.example.com [none]";
    open oidc_client_id: String = String::new(),
        "what this installation is called at that provider";
    secret oidc_client_secret: String = String::new(),
        "what it proves itself with there";
    open oidc_tenant_claim: String = String::new(),
        "claim of that provider's ID tokens that holds the tenant id, such as custom:tenantId";
}

/// An OpenID provider for the whole installation.
#[derive(Debug, Clone)]
pub(crate) struct Oidc {
    /// The issuer.
    pub(crate) issuer: String,
    /// What this installation is called there.
    pub(crate) client_id: String,
    /// What it proves itself with there.
    pub(crate) client_secret: Option<Secret<String>>,
    /// The claim that holds the tenant id.
    pub(crate) tenant_claim: String,
}

/// A provider is set whole or not at all.
pub(super) fn check(written: &Written) -> anyhow::Result<Option<Oidc>> {
    let Some(issuer) = set(&written.oidc_issuer) else { return Ok(None) };
    let needed = |name: &str, text: &str| {
        set(text).map(str::to_owned).with_context(|| format!("{name} is needed with oidc_issuer"))
    };
    Ok(Some(Oidc {
        issuer: issuer.to_owned(),
        client_id: needed("oidc_client_id", &written.oidc_client_id)?,
        client_secret: hidden(&written.oidc_client_secret),
        tenant_claim: needed("oidc_tenant_claim", &written.oidc_tenant_claim)?,
    }))
}
