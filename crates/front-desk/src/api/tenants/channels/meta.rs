//! What a page of Messenger and an account of Instagram have of their own: how they are connected, and how they are let in again.

use super::{
    super::{Mistakes, sign_in::SecretText},
    confirmed::{Confirmed, check_id, check_secret, credentials, renewed, webhook_url},
};
use crate::{
    desk::FrontDesk,
    problem::Problem,
    vendors::{Claimed, confirm_page},
};
use misy_domain::{Channel, Timestamp};
use misy_store::channels::{Account, Business, VendorAccount};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of Messenger, or an account of Instagram that is linked to a page, to be connected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewMetaAccount)]
pub struct MetaRequest {
    /// With `messenger` the id of the page, with `instagram` the id of the professional account: digits.
    #[schema(example = "300000000000003")]
    id: String,
    /// What calls carry: the token of the page. Never shown again.
    #[schema(value_type = String, max_length = 1000)]
    access_token: SecretText,
    /// The secret of the app that the token belongs to. Never shown again.
    #[schema(value_type = String, max_length = 1000)]
    app_secret: SecretText,
    /// Whether the vendor has approved the feature Human Agent for the app: then people answer up to seven days after the contact
    /// wrote, and not 24 hours only. Agents never do.
    #[serde(default)]
    human_agent: bool,
}

/// What of a page or an account is to be changed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = MetaAccountPatch)]
pub struct MetaPatch {
    /// What calls carry from now on.
    #[schema(value_type = Option<String>, max_length = 1000)]
    access_token: Option<SecretText>,
    /// What the vendor signs with from now on; the one before counts for another day.
    #[schema(value_type = Option<String>, max_length = 1000)]
    app_secret: Option<SecretText>,
    /// Whether the vendor has approved that people answer up to seven days later.
    human_agent: Option<bool>,
}

/// What a page or an account has of its own.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MetaAccount)]
pub struct MetaAnswer {
    /// The id of the page with `messenger`, of the account with `instagram`.
    #[schema(example = "300000000000003")]
    id: String,
    /// The page that it belongs to.
    #[schema(example = "300000000000003")]
    page_id: Option<String>,
    /// Whether people answer up to seven days after the contact wrote.
    human_agent: bool,
    /// The address that the app has to call: give it to the vendor as callback.
    #[schema(
        example = "https://api.example.com/api/meta-agent/channels/messenger/cha_01k9z3v5d2m8q4x7c1b6n0f9gh/webhook"
    )]
    webhook_url: String,
    /// What the vendor is to say when it asks whether the address is the right one. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verify_token: Option<String>,
}

impl MetaAnswer {
    pub(super) fn of(desk: &FrontDesk, account: &Account) -> Self {
        Self {
            id: account.vendor_account_id.clone(),
            page_id: account.business_account_id.clone(),
            human_agent: account.human_agent,
            webhook_url: webhook_url(desk, account),
            verify_token: None,
        }
    }
}

/// Checks what was asked and has the vendor confirm it.
pub(super) async fn confirm(
    desk: &FrontDesk,
    channel: Channel,
    asked: &MetaRequest,
) -> Result<Confirmed, Problem> {
    let mut mistakes = Mistakes::default();
    check_id(&mut mistakes, &format!("/{channel}/id"), &asked.id);
    check_secret(&mut mistakes, &format!("/{channel}/accessToken"), &asked.access_token.0);
    check_secret(&mut mistakes, &format!("/{channel}/appSecret"), &asked.app_secret.0);
    mistakes.into_result()?;
    let claimed = Claimed {
        channel,
        account: &asked.id,
        access_token: &asked.access_token.0,
        app_secret: &asked.app_secret.0,
    };
    let page = confirm_page(desk, &claimed).await?;
    Ok(Confirmed {
        vendor_account_id: asked.id.clone(),
        credentials: credentials(desk, &asked.access_token, &asked.app_secret),
        business: Business { business_account_id: page, reopening: None, human_agent: asked.human_agent },
        version: None,
    })
}

/// Checks what is to be changed and has the vendor confirm that it is still theirs.
pub(super) async fn confirm_change(
    desk: &FrontDesk,
    channel: Channel,
    patch: &MetaPatch,
    now: &VendorAccount,
    page: &str,
    at: Timestamp,
) -> Result<Confirmed, Problem> {
    let mut mistakes = Mistakes::default();
    if let Some(token) = &patch.access_token {
        check_secret(&mut mistakes, &format!("/{channel}/accessToken"), &token.0);
    }
    if let Some(secret) = &patch.app_secret {
        check_secret(&mut mistakes, &format!("/{channel}/appSecret"), &secret.0);
    }
    mistakes.into_result()?;
    let credentials = renewed(&now.credentials, patch.access_token.as_ref(), patch.app_secret.as_ref(), at);
    let mut page = page.to_owned();
    if patch.access_token.is_some() || patch.app_secret.is_some() {
        let claimed = Claimed {
            channel,
            account: &now.vendor_account_id,
            access_token: &credentials.access_token,
            app_secret: &credentials.app_secret,
        };
        page = confirm_page(desk, &claimed).await?;
    }
    let human_agent = patch.human_agent.unwrap_or(now.human_agent);
    Ok(Confirmed {
        vendor_account_id: now.vendor_account_id.clone(),
        credentials,
        business: Business { business_account_id: page, reopening: None, human_agent },
        version: None,
    })
}
