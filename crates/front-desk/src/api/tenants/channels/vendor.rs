//! `/tenants/{tenantId}/channels/{accountId}/test` and `…/templates`: what the vendor itself says of an account.

use crate::{
    desk::FrontDesk,
    management::{AtTenant, Managed},
    problem::Problem,
    vendors::{Fault, asked},
};
use axum::{Json, extract::State};
use misy_channels::{vendor, whatsapp};
use misy_domain::{Channel, ChannelAccountId, act};
use misy_store::{
    channels::{self, VendorAccount},
    tenant_tx,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

const LONGEST_TEMPLATE: usize = 20_000;

/// Whether an account works, as its vendor says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChannelTest)]
pub struct TestAnswer {
    /// Whether the vendor lets the account in.
    works: bool,
    /// Why not, for example `vendor_unauthorised`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "vendor_unauthorised")]
    reason: Option<&'static str>,
    /// The vendor's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
}

/// A template of WhatsApp.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WhatsappTemplate)]
pub struct TemplateAnswer {
    /// Its name.
    #[schema(example = "we_have_an_answer")]
    name: String,
    /// Its language.
    #[schema(example = "es_CO")]
    language: String,
    /// How it stands with the vendor, for example `APPROVED`, `PENDING` or `REJECTED`.
    #[schema(example = "APPROVED")]
    status: String,
    /// What the vendor takes it for: `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    #[schema(example = "UTILITY")]
    category: String,
    /// What it is made of, as the vendor has it.
    #[schema(value_type = Vec<Object>)]
    components: Value,
}

/// Templates of a number.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WhatsappTemplates)]
pub struct TemplatesAnswer {
    /// The first hundred, as the vendor orders them.
    items: Vec<TemplateAnswer>,
}

/// A template to be made. The vendor decides whether it is approved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewWhatsappTemplate)]
pub struct TemplateRequest {
    /// Its name: lower-case letters, digits and underscores.
    #[schema(example = "we_have_an_answer", max_length = 512)]
    name: String,
    /// Its language.
    #[schema(example = "es_CO", max_length = 16)]
    language: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    #[schema(example = "UTILITY")]
    category: String,
    /// What it is made of, as the vendor has it.
    #[schema(value_type = Vec<Object>, example = json!([{"type": "BODY", "text": "We have an answer for you."}]))]
    components: Vec<Value>,
}

/// An account that a vendor knows, with its business there.
async fn known(
    desk: &FrontDesk,
    call: &AtTenant,
    id: ChannelAccountId,
) -> Result<(Channel, VendorAccount, String), Problem> {
    let found = tenant_tx!(desk.database, "channels.vendor", &call.tenant, async |tx| {
        let account = channels::read(tx, id).await?.ok_or_else(Problem::not_found)?;
        let known = channels::vendor_account(tx, call.keys(), account.channel, id).await?;
        Ok::<_, Problem>((account.channel, known.zip(account.business_account_id)))
    });
    match found.await? {
        (channel, Some((known, business))) => Ok((channel, known, business)),
        (_, None) => Err(Problem::not_supported("", "Accounts of this channel have no vendor.")),
    }
}

/// Test a channel account
///
/// Asks the vendor whether it lets the account in. Nothing is sent to a contact, and nothing is changed.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/channels/{accountId}/test", tag = "channels",
    operation_id = "testChannelAccount",
    params(("tenantId" = String, Path, description = "The tenant"), ("accountId" = String, Path, description = "The account")),
    responses(
        (status = 200, description = "What the vendor says", body = TestAnswer),
        (status = 422, description = "`not_supported`: the account has no vendor", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn test(
    State(desk): State<FrontDesk>,
    call: Managed<act::ChannelsWrite>,
) -> Result<Json<TestAnswer>, Problem> {
    let id: ChannelAccountId = call.received.param("accountId")?;
    let (channel, account, _) = known(&desk, &call, id).await?;
    let vendor = vendor(channel).ok_or_else(Problem::internal)?;
    let health = vendor.health(&account.vendor_account_id, &account.credentials.access_token);
    Ok(Json(match asked(&desk, channel, &account, health).await? {
        Ok(_) => TestAnswer { works: true, reason: None, code: None },
        Err(Fault { reason, code }) => TestAnswer { works: false, reason: Some(reason.code()), code },
    }))
}

/// The number of a call that is about templates.
async fn number(desk: &FrontDesk, call: &AtTenant) -> Result<(VendorAccount, String), Problem> {
    let id: ChannelAccountId = call.received.param("accountId")?;
    match known(desk, call, id).await? {
        (Channel::Whatsapp, account, business) => Ok((account, business)),
        _ => Err(Problem::not_supported("", "Only numbers of WhatsApp have templates.")),
    }
}

/// What the vendor answers, or a problem that says why it gives none.
async fn told(
    desk: &FrontDesk,
    account: &VendorAccount,
    call: misy_channels::VendorCall,
) -> Result<Value, Problem> {
    asked(desk, Channel::Whatsapp, account, call).await?.map_err(|Fault { reason, code }| {
        let code = code.map(|code| format!(" (its code {code})")).unwrap_or_default();
        Problem::invalid_field("", "reference", format!("the vendor refused: {}{code}", reason.code()))
    })
}

/// List the templates of a number
///
/// As the vendor has them now, with how they stand. At most a hundred.
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/channels/{accountId}/templates", tag = "channels",
    operation_id = "listChannelTemplates",
    params(("tenantId" = String, Path, description = "The tenant"), ("accountId" = String, Path, description = "The account")),
    responses(
        (status = 200, description = "The templates", body = TemplatesAnswer),
        (status = 422, description = "The account is no number of WhatsApp, or the vendor refused", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn templates(
    State(desk): State<FrontDesk>,
    call: Managed<act::ChannelsRead>,
) -> Result<Json<TemplatesAnswer>, Problem> {
    let (account, business) = number(&desk, &call).await?;
    let list = whatsapp::templates(&business, &account.credentials.access_token);
    let answer = told(&desk, &account, list).await?;
    let all = answer.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |one: &Value, name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let items = all.iter().map(|one| TemplateAnswer {
        name: text(one, "name"),
        language: text(one, "language"),
        status: text(one, "status"),
        category: text(one, "category"),
        components: one.get("components").filter(|all| all.is_array()).cloned().unwrap_or_else(|| json!([])),
    });
    Ok(Json(TemplatesAnswer { items: items.collect() }))
}

/// Make a template for a number
///
/// The vendor looks at it and approves it or not; how it stands is told by the list. A template of the same name and language is
/// refused by the vendor.
#[utoipa::path(
    post, path = "/api/meta-agent/tenants/{tenantId}/channels/{accountId}/templates", tag = "channels",
    operation_id = "createChannelTemplate",
    request_body(content = TemplateRequest, example = json!({
        "name": "we_have_an_answer", "language": "es_CO", "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Tenemos una respuesta para usted."}]
    })),
    params(("tenantId" = String, Path, description = "The tenant"), ("accountId" = String, Path, description = "The account")),
    responses(
        (status = 201, description = "How it stands", body = TemplateAnswer),
        (status = 422, description = "The account is no number of WhatsApp, or the vendor refused", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("tenantAccessToken" = [], "requestSignature" = []))
)]
pub(crate) async fn create_template(
    State(desk): State<FrontDesk>,
    call: Managed<act::ChannelsWrite>,
) -> Result<(http::StatusCode, Json<TemplateAnswer>), Problem> {
    let asked: TemplateRequest = call.received.json()?;
    asked.check()?;
    let (account, business) = number(&desk, &call).await?;
    let body = json!({ "name": asked.name, "language": asked.language, "category": asked.category,
                       "components": asked.components });
    let make = whatsapp::new_template(&business, body, &account.credentials.access_token);
    let answer = told(&desk, &account, make).await?;
    let id: ChannelAccountId = call.received.param("accountId")?;
    let detail = json!({ "template": asked.name, "language": asked.language });
    tenant_tx!(desk.database, "channels.template", &call.tenant, async |tx| {
        call.record_change(&desk, tx, id.to_string(), Some(detail.clone())).await
    })
    .await?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let template = TemplateAnswer {
        name: asked.name,
        language: asked.language,
        status: text("status").unwrap_or_else(|| "PENDING".to_owned()),
        category: text("category").unwrap_or(asked.category),
        components: Value::Array(asked.components),
    };
    Ok((http::StatusCode::CREATED, Json(template)))
}

impl TemplateRequest {
    fn check(&self) -> Result<(), Problem> {
        let mut mistakes = super::Mistakes::default();
        super::whatsapp::check_template(&mut mistakes, "", &self.name, &self.language);
        if !["MARKETING", "UTILITY", "AUTHENTICATION"].contains(&&*self.category) {
            mistakes.add("/category", "format", "must be MARKETING, UTILITY or AUTHENTICATION");
        }
        let length = json!(self.components).to_string().len();
        if self.components.is_empty() || length > LONGEST_TEMPLATE {
            mistakes.add("/components", "range", "must be there, with at most 20000 characters");
        }
        mistakes.into_result()
    }
}
