//! What is asked and answered about accounts.

use super::{
    confirmed::Confirmed,
    meta::{MetaAnswer, MetaPatch, MetaRequest},
    whatsapp::{NumberAnswer, NumberPatch, NumberRequest},
};
use crate::desk::FrontDesk;
use misy_domain::{Channel, ChannelAccountId, Permission, Permissions, Timestamp};
use misy_store::channels::{Account, AccountStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account on a channel; its secret is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChannelAccount)]
pub struct AccountAnswer {
    /// Its id.
    #[schema(example = "cha_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    pub(super) account_id: ChannelAccountId,
    /// `api`, `whatsapp`, `messenger` or `instagram`.
    #[schema(example = "api")]
    pub(super) channel: Channel,
    /// What people call it.
    pub(super) name: String,
    /// `active`; `paused`: it takes messages, and what is to be delivered waits; or `disabled`: it takes none either.
    pub(super) status: AccountStatus,
    /// Why the program itself paused or disabled it: `gone`, when the receiver answered that it is no more;
    /// `vendor_unauthorised` or `vendor_blocked`, when the vendor lets it send nothing.
    pub(super) disabled_reason: Option<String>,
    /// What its conversations may use.
    #[schema(example = json!(["agents:support"]))]
    pub(super) permissions: Permissions,
    /// Where messages to the contacts are delivered, with `api`.
    #[schema(example = "https://crm.andina.example/misy")]
    pub(super) callback_url: Option<String>,
    /// What it has of its own, with `whatsapp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) whatsapp: Option<NumberAnswer>,
    /// What it has of its own, with `messenger`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) messenger: Option<MetaAnswer>,
    /// What it has of its own, with `instagram`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instagram: Option<MetaAnswer>,
    /// What deliveries are signed with, once: `whsec_` and base64, as Standard Webhooks has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
    /// Until when deliveries are signed with the secret before, too.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) old_secret_until: Option<Timestamp>,
    /// Who made it.
    #[schema(example = "usr_01k9z3v5d2m8q4x7c1b6n0f9gh")]
    pub(super) made_by: String,
    /// Grows with each change; the `ETag`.
    pub(super) version: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub(super) created_at: Timestamp,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub(super) updated_at: Timestamp,
}

impl AccountAnswer {
    pub(super) fn of(desk: &FrontDesk, account: Account) -> Self {
        let of_meta = |channel| (account.channel == channel).then(|| MetaAnswer::of(desk, &account));
        Self {
            messenger: of_meta(Channel::Messenger),
            instagram: of_meta(Channel::Instagram),
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

    /// What the vendor is to say when it asks for the address.
    pub(super) fn show_once(&mut self, confirmed: &Confirmed) {
        let token = Some(confirmed.credentials.verify_token.expose().clone());
        if let Some(number) = &mut self.whatsapp {
            number.verify_token = token;
        } else if let Some(account) = self.messenger.as_mut().or(self.instagram.as_mut()) {
            account.verify_token = token;
        }
    }
}

/// An account to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewChannelAccount)]
pub struct AccountRequest {
    /// `api`: a program of the tenant, which writes and takes messages over HTTP; `whatsapp`, `messenger` or
    /// `instagram`. Others are not supported yet.
    #[schema(example = "api")]
    pub(super) channel: Channel,
    /// What people call it.
    #[schema(max_length = 120)]
    pub(super) name: String,
    /// Where messages to the contacts are delivered, over https. With `api`, and only there.
    #[schema(example = "https://crm.andina.example/misy")]
    pub(super) callback_url: Option<String>,
    /// The number, with `whatsapp` and only there. The vendor is asked whether it is yours.
    pub(super) whatsapp: Option<NumberRequest>,
    /// The page, with `messenger` and only there. The vendor is asked whether it is yours.
    pub(super) messenger: Option<MetaRequest>,
    /// The account, with `instagram` and only there. The vendor is asked whether it is yours.
    pub(super) instagram: Option<MetaRequest>,
    /// What its conversations may use; the agents that anonymous visitors of a site may use, unless given.
    #[schema(example = json!(["agents:support"]))]
    pub(super) permissions: Option<Vec<Permission>>,
}

/// What of an account is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ChannelAccountPatch)]
pub struct AccountPatch {
    /// What people call it.
    #[schema(max_length = 120)]
    pub(super) name: Option<String>,
    /// Where messages to the contacts are delivered, over https.
    pub(super) callback_url: Option<String>,
    /// What its conversations may use.
    pub(super) permissions: Option<Vec<Permission>>,
    /// `active`, `paused` or `disabled`.
    #[schema(example = "disabled")]
    pub(super) status: Option<String>,
    /// What of a number of WhatsApp is to be changed. The vendor is asked whether it is still yours.
    pub(super) whatsapp: Option<NumberPatch>,
    /// What of a page is to be changed. The vendor is asked whether it is still yours.
    pub(super) messenger: Option<MetaPatch>,
    /// What of an account of Instagram is to be changed. The vendor is asked whether it is still yours.
    pub(super) instagram: Option<MetaPatch>,
}

/// How a secret takes over from the one before.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ChannelSecretRotation)]
pub struct RotationRequest {
    /// How long deliveries are signed with the secret before, too: 0 to 2592000; a day unless given.
    #[schema(minimum = 0, maximum = 2_592_000)]
    pub(super) overlap_seconds: Option<u32>,
}

/// A secret that was made, shown once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChannelSecret)]
pub struct SecretAnswer {
    /// What deliveries are signed with from now on.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub(super) secret: String,
    /// Until when they are signed with the one before, too.
    #[schema(value_type = String, format = DateTime)]
    pub(super) old_secret_until: Timestamp,
}
