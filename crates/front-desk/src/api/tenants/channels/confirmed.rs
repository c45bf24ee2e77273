//! What accounts with a vendor share: ids and secrets, and how what they have with it is renewed.

use super::{
    super::{Mistakes, sign_in::SecretText},
    bodies::AccountRequest,
    meta::{self, MetaPatch},
    whatsapp::{self, NumberPatch},
};
use crate::{api::BASE, desk::FrontDesk, management::AtTenant, problem::Problem};
use misy_domain::{Channel, ChannelAccountId, Secret, Timestamp};
use misy_store::{
    TenantTx,
    channels::{self, Account, Business, Credentials},
};
use std::time::Duration;

const LONGEST_ID: usize = 32;
const LONGEST_SECRET: usize = 1_000;
/// How long what was signed with the secret before still counts.
const OVERLAP: Duration = Duration::from_hours(24);

/// An account that the vendor has confirmed.
pub(super) struct Confirmed {
    pub(super) vendor_account_id: String,
    pub(super) credentials: Credentials,
    pub(super) business: Business,
    /// The version of the account that it was confirmed for, unless the account is new.
    pub(super) version: Option<i64>,
}

/// The address that the vendor is to call.
pub(super) fn webhook_url(desk: &FrontDesk, account: &Account) -> String {
    let (channel, id) = (account.channel, account.account_id);
    format!("{}{BASE}/channels/{channel}/{id}/webhook", desk.settings.public_url)
}

pub(super) fn check_id(mistakes: &mut Mistakes, pointer: &str, id: &str) {
    if !(5..=LONGEST_ID).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        mistakes.add(pointer, "format", "must be 5 to 32 digits");
    }
}

pub(super) fn check_secret(mistakes: &mut Mistakes, pointer: &str, secret: &Secret<String>) {
    let text = secret.expose();
    if !(1..=LONGEST_SECRET).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        mistakes.add(pointer, "format", "must be 1 to 1000 visible characters");
    }
}

/// What an account begins with.
pub(super) fn credentials(desk: &FrontDesk, token: &SecretText, secret: &SecretText) -> Credentials {
    Credentials {
        access_token: token.0.clone(),
        app_secret: secret.0.clone(),
        old_app_secret: None,
        verify_token: Secret::new(hex::encode(desk.entropy.key())),
    }
}

/// What it goes on with: the secret before counts for another day.
pub(super) fn renewed(
    now: &Credentials,
    token: Option<&SecretText>,
    secret: Option<&SecretText>,
    at: Timestamp,
) -> Credentials {
    let mut credentials = now.clone();
    if let Some(token) = token {
        credentials.access_token = token.0.clone();
    }
    if let Some(secret) = secret {
        let until = at.checked_add(OVERLAP).unwrap_or(Timestamp::MAX);
        let before = std::mem::replace(&mut credentials.app_secret, secret.0.clone());
        credentials.old_app_secret = Some((before, until));
    }
    credentials
}

/// Has the vendor confirm what is to be connected; nothing where the account has none.
pub(super) async fn confirm(desk: &FrontDesk, new: &AccountRequest) -> Result<Option<Confirmed>, Problem> {
    Ok(match (&new.whatsapp, new.messenger.as_ref().or(new.instagram.as_ref())) {
        (Some(number), _) => Some(whatsapp::confirm(desk, number).await?),
        (None, Some(asked)) => Some(meta::confirm(desk, new.channel, asked).await?),
        (None, None) => None,
    })
}

/// Writes down what an account has with its vendor.
pub(super) async fn keep(
    desk: &FrontDesk,
    tx: &mut TenantTx,
    call: &AtTenant,
    account: ChannelAccountId,
    confirmed: &Confirmed,
) -> Result<(), Problem> {
    channels::set_credentials(tx, call.keys(), account, &confirmed.credentials, &*desk.entropy).await?;
    channels::set_business(tx, account, &confirmed.business).await?;
    Ok(())
}

/// What of an account with a vendor is to be changed.
pub(super) struct Changed {
    pub(super) whatsapp: Option<NumberPatch>,
    pub(super) messenger: Option<MetaPatch>,
    pub(super) instagram: Option<MetaPatch>,
}

impl Changed {
    /// The channel that it is of.
    fn channel(&self) -> Option<Channel> {
        match self {
            Self { whatsapp: Some(_), .. } => Some(Channel::Whatsapp),
            Self { messenger: Some(_), .. } => Some(Channel::Messenger),
            Self { instagram: Some(_), .. } => Some(Channel::Instagram),
            _ => None,
        }
    }
}

/// Has the vendor confirm what is to be changed of an account, before anything is locked.
pub(super) async fn confirm_change(
    desk: &FrontDesk,
    call: &AtTenant,
    account: ChannelAccountId,
    asked: &Changed,
) -> Result<Option<Confirmed>, Problem> {
    let Some(channel) = asked.channel() else { return Ok(None) };
    let mut tx = desk.database.tenant("channels.number", &call.tenant).await?;
    let read = channels::read(&mut tx, account).await?.ok_or_else(Problem::not_found)?;
    let now = channels::vendor_account(&mut tx, call.keys(), channel, account).await?;
    tx.commit().await?;
    let version = read.version;
    let Some((now, business)) = now.zip(read.business_account_id) else {
        let told = format!("is of accounts of the channel {channel}");
        return Err(Problem::invalid_field(&format!("/{channel}"), "unknown", told));
    };
    let at = desk.clock.now();
    let confirmed = match (&asked.whatsapp, asked.messenger.as_ref().or(asked.instagram.as_ref())) {
        (Some(number), _) => whatsapp::confirm_change(desk, number, &now, &business, at).await?,
        (None, Some(patch)) => meta::confirm_change(desk, channel, patch, &now, &business, at).await?,
        (None, None) => return Ok(None),
    };
    Ok(Some(Confirmed { version: Some(version), ..confirmed }))
}
