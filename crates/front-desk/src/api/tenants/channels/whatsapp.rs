//! What a number of WhatsApp has of its own: how it is connected, and how it is let in again.

use super::{
    super::{Mistakes, sign_in::SecretText},
    confirmed::{Confirmed, check_id, check_secret, credentials, renewed, webhook_url},
};
use crate::{
    desk::FrontDesk,
    problem::Problem,
    vendors::{Claimed, confirm_number},
};
use misy_domain::{Channel, Timestamp};
use misy_store::channels::{Account, Business, Reopening, VendorAccount};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const LONGEST_NAME: usize = 512;
const LONGEST_LANGUAGE: usize = 16;

/// A template that asks a contact to write again.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WhatsappReopening)]
pub struct ReopeningBody {
    /// Its name with the vendor, which has approved it. It takes no parameters.
    #[schema(example = "we_have_an_answer", max_length = 512)]
    name: String,
    /// Its language there.
    #[schema(example = "es_CO", max_length = 16)]
    language: String,
}

/// A number of WhatsApp to be connected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewWhatsappNumber)]
pub struct NumberRequest {
    /// The id of the number: digits, and not the number itself.
    #[schema(example = "200000000000002")]
    phone_number_id: String,
    /// The id of the WhatsApp business account that it belongs to.
    #[schema(example = "100000000000001")]
    business_account_id: String,
    /// What calls carry. Never shown again.
    #[schema(value_type = String, max_length = 1000)]
    access_token: SecretText,
    /// The secret of the app that the token belongs to. Never shown again.
    #[schema(value_type = String, max_length = 1000)]
    app_secret: SecretText,
    /// What is sent when an answer is ready and the contact has not written for 24 hours. Without it the answer waits all the same.
    reopening: Option<ReopeningBody>,
}

/// What of a number is to be changed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WhatsappNumberPatch)]
pub struct NumberPatch {
    /// What calls carry from now on.
    #[schema(value_type = Option<String>, max_length = 1000)]
    access_token: Option<SecretText>,
    /// What the vendor signs with from now on; the one before counts for another day.
    #[schema(value_type = Option<String>, max_length = 1000)]
    app_secret: Option<SecretText>,
    /// What is sent when an answer is ready and the contact has not written for 24 hours.
    reopening: Option<ReopeningBody>,
}

/// What a number has of its own.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WhatsappNumber)]
pub struct NumberAnswer {
    /// The id of the number.
    #[schema(example = "200000000000002")]
    phone_number_id: String,
    /// The id of the business account that it belongs to.
    #[schema(example = "100000000000001")]
    business_account_id: Option<String>,
    /// The address that the app has to call: give it to the vendor as callback.
    #[schema(
        example = "https://api.example.com/api/meta-agent/channels/whatsapp/cha_01k9z3v5d2m8q4x7c1b6n0f9gh/webhook"
    )]
    webhook_url: String,
    /// What the vendor is to say when it asks whether the address is the right one. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verify_token: Option<String>,
}

impl NumberAnswer {
    pub(super) fn of(desk: &FrontDesk, account: &Account) -> Self {
        Self {
            phone_number_id: account.vendor_account_id.clone(),
            business_account_id: account.business_account_id.clone(),
            webhook_url: webhook_url(desk, account),
            verify_token: None,
        }
    }
}

fn check_reopening(mistakes: &mut Mistakes, reopening: Option<&ReopeningBody>) {
    if let Some(ReopeningBody { name, language }) = reopening {
        check_template(mistakes, "/whatsapp/reopening", name, language);
    }
}

/// A template is known by its name and language.
pub(super) fn check_template(mistakes: &mut Mistakes, at: &str, name: &str, language: &str) {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !(1..=LONGEST_NAME).contains(&name.len()) || !name.bytes().all(is_name) {
        let told = "must be lower-case letters, digits and underscores";
        mistakes.add(&format!("{at}/name"), "format", told);
    }
    let is_language = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    if !(2..=LONGEST_LANGUAGE).contains(&language.len()) || !language.bytes().all(is_language) {
        mistakes.add(&format!("{at}/language"), "format", "must be a language such as es_CO");
    }
}

impl From<&ReopeningBody> for Reopening {
    fn from(body: &ReopeningBody) -> Self {
        Self { name: body.name.clone(), language: body.language.clone() }
    }
}

/// Checks what was asked and has the vendor confirm it.
pub(super) async fn confirm(desk: &FrontDesk, asked: &NumberRequest) -> Result<Confirmed, Problem> {
    let mut mistakes = Mistakes::default();
    check_id(&mut mistakes, "/whatsapp/phoneNumberId", &asked.phone_number_id);
    check_id(&mut mistakes, "/whatsapp/businessAccountId", &asked.business_account_id);
    check_secret(&mut mistakes, "/whatsapp/accessToken", &asked.access_token.0);
    check_secret(&mut mistakes, "/whatsapp/appSecret", &asked.app_secret.0);
    check_reopening(&mut mistakes, asked.reopening.as_ref());
    mistakes.into_result()?;
    let claimed = Claimed {
        channel: Channel::Whatsapp,
        account: &asked.phone_number_id,
        access_token: &asked.access_token.0,
        app_secret: &asked.app_secret.0,
    };
    confirm_number(desk, &claimed, &asked.business_account_id).await?;
    Ok(Confirmed {
        vendor_account_id: asked.phone_number_id.clone(),
        credentials: credentials(desk, &asked.access_token, &asked.app_secret),
        business: Business {
            business_account_id: asked.business_account_id.clone(),
            reopening: asked.reopening.as_ref().map(Reopening::from),
            human_agent: false,
        },
        version: None,
    })
}

/// Checks what is to be changed and has the vendor confirm that the number is still theirs.
pub(super) async fn confirm_change(
    desk: &FrontDesk,
    patch: &NumberPatch,
    now: &VendorAccount,
    business: &str,
    at: Timestamp,
) -> Result<Confirmed, Problem> {
    let mut mistakes = Mistakes::default();
    if let Some(token) = &patch.access_token {
        check_secret(&mut mistakes, "/whatsapp/accessToken", &token.0);
    }
    if let Some(secret) = &patch.app_secret {
        check_secret(&mut mistakes, "/whatsapp/appSecret", &secret.0);
    }
    check_reopening(&mut mistakes, patch.reopening.as_ref());
    mistakes.into_result()?;
    let credentials = renewed(&now.credentials, patch.access_token.as_ref(), patch.app_secret.as_ref(), at);
    if patch.access_token.is_some() || patch.app_secret.is_some() {
        let claimed = Claimed {
            channel: Channel::Whatsapp,
            account: &now.vendor_account_id,
            access_token: &credentials.access_token,
            app_secret: &credentials.app_secret,
        };
        confirm_number(desk, &claimed, business).await?;
    }
    Ok(Confirmed {
        vendor_account_id: now.vendor_account_id.clone(),
        credentials,
        business: Business {
            business_account_id: business.to_owned(),
            reopening: patch.reopening.as_ref().map(Reopening::from).or_else(|| now.reopening.clone()),
            human_agent: false,
        },
        version: None,
    })
}
