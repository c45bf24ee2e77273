//! `/tenants/{tenantId}/sign-in`: with which provider the tenant's people sign in.

use super::{Mistakes, expected_version, versioned};
use crate::{
    desk::FrontDesk,
    management::{AtTenant, Managed},
    problem::Problem,
};
use axum::{extract::State, response::Response};
use http::StatusCode;
use misy_domain::{BuiltInRole, DomainName, Secret, Timestamp, UserId, act};
use misy_store::{
    TenantTx, email_domains, roles as stored_roles,
    sign_in_providers::{self, SignInProvider},
    tenant_tx,
    users::{self, UserStatus},
};
use misy_trust::access::Powers;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

const LONGEST: usize = 300;
const MOST: usize = 50;

/// A claim and what it must say.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantClaim {
    /// Its name in the ID token.
    #[schema(example = "custom:tenantId")]
    name: String,
    /// What it must say, to the letter.
    #[schema(example = "andina")]
    value: String,
}

/// A claim that lists groups, and the roles they give.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleClaim {
    /// Its name in the ID token.
    #[schema(example = "cognito:groups")]
    name: String,
    /// Roles by group.
    #[schema(example = json!({"clinic-admins": ["admin"], "front-desk": ["agent"]}))]
    roles: BTreeMap<String, Vec<String>>,
}

/// What the provider must say for its sign-in to count as both factors.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustedFactor {
    /// Values of `acr`.
    #[serde(default)]
    acr: Vec<String>,
    /// Values in `amr` (RFC 8176).
    #[serde(default)]
    #[schema(example = json!(["mfa"]))]
    amr: Vec<String>,
}

/// A provider of OpenID Connect to sign in with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(clippy::option_option, reason = "absent, null and a value are three things to say of a secret")]
pub struct SignInProviderRequest {
    /// The issuer, exactly as it names itself.
    #[schema(example = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example")]
    issuer: String,
    /// What this installation is called there.
    #[schema(example = "4example0client")]
    client_id: String,
    /// What it proves itself with there. Never shown again. Absent: the one before, if the issuer is the one before; `null`:
    /// none.
    #[serde(default, deserialize_with = "crate::json::present")]
    #[schema(value_type = Option<String>)]
    client_secret: Option<Option<SecretText>>,
    /// What is asked for besides `openid`; `email` and `profile` unless given.
    scopes: Option<Vec<String>>,
    /// Says whose the person is. Whoever has another value, or none, is refused.
    tenant_claim: TenantClaim,
    /// Gives roles at each sign-in. Without it roles are managed here.
    role_claim: Option<RoleClaim>,
    /// The roles of people whom no group gives one.
    #[serde(default)]
    default_roles: Vec<String>,
    /// Whose addresses introduce people who come for the first time: domains that the tenant has proved. Without one, only
    /// people come in who are linked already.
    #[serde(default)]
    #[schema(example = json!(["business.example"]))]
    email_domains: Vec<String>,
    /// Whether an address counts as verified when the provider does not say whether it is.
    #[serde(default)]
    trust_email: bool,
    /// Whether people without an account get one when they come.
    #[serde(default)]
    provisioning: bool,
    /// Whether this is the only way in: no passwords and no passkeys any more, but for one account.
    #[serde(default)]
    exclusive: bool,
    /// The administrator who may sign in here all the same, for when the provider fails. Needed with `exclusive`.
    break_glass_user_id: Option<UserId>,
    /// What counts as a second factor; nothing unless given.
    #[serde(default)]
    second_factor: TrustedFactor,
}

/// A text that no log shows.
#[derive(Debug, Clone)]
pub struct SecretText(pub(super) Secret<String>);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

/// A provider of OpenID Connect to sign in with; its secret is not shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignInProvider)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own in the API")]
pub struct SignInProviderAnswer {
    /// The issuer.
    issuer: String,
    /// What this installation is called there.
    client_id: String,
    /// Whether it proves itself with a secret there.
    has_client_secret: bool,
    /// What is asked for besides `openid`.
    scopes: Vec<String>,
    /// Says whose the person is.
    tenant_claim: TenantClaim,
    /// Gives roles at each sign-in.
    role_claim: Option<RoleClaim>,
    /// The roles of people whom no group gives one.
    default_roles: Vec<String>,
    /// Whose addresses introduce people who come for the first time.
    email_domains: Vec<String>,
    /// Whether an address counts as verified when the provider does not say whether it is.
    trust_email: bool,
    /// Whether people without an account get one when they come.
    provisioning: bool,
    /// Whether this is the only way in.
    exclusive: bool,
    /// The administrator who may sign in here all the same.
    break_glass_user_id: Option<UserId>,
    /// What counts as a second factor.
    second_factor: TrustedFactor,
    /// To be allowed at the provider, to the letter.
    #[schema(example = "https://api.example.com/api/meta-agent/auth/oidc/callback")]
    redirect_uri: String,
    /// Where people begin.
    #[schema(example = "https://api.example.com/api/meta-agent/auth/oidc/andina/start")]
    start_url: String,
    /// Grows with each change; the `ETag`.
    version: i64,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

fn answer(
    desk: &FrontDesk,
    tenant: &misy_domain::TenantId,
    provider: SignInProvider,
) -> SignInProviderAnswer {
    let url = &desk.settings.public_url;
    SignInProviderAnswer {
        has_client_secret: provider.client_secret.is_some(),
        issuer: provider.issuer,
        client_id: provider.client_id,
        scopes: provider.scopes,
        tenant_claim: TenantClaim { name: provider.tenant_claim, value: provider.tenant_claim_value },
        role_claim: provider.role_claim.map(|name| RoleClaim { name, roles: provider.role_mapping }),
        default_roles: provider.default_roles,
        email_domains: provider.email_domains.unwrap_or_default().into_iter().map(String::from).collect(),
        trust_email: provider.trust_email,
        provisioning: provider.provisioning,
        exclusive: provider.exclusive,
        break_glass_user_id: provider.break_glass_user,
        second_factor: TrustedFactor { acr: provider.trusted_acr, amr: provider.trusted_amr },
        redirect_uri: crate::api::auth::oidc::redirect_uri(url),
        start_url: format!("{url}/api/meta-agent/auth/oidc/{tenant}/start"),
        version: provider.version,
        updated_at: provider.updated_at,
    }
}

/// Read how people sign in
#[utoipa::path(
    get, path = "/api/meta-agent/tenants/{tenantId}/sign-in", tag = "tenants", operation_id = "readSignIn",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 200, description = "The provider; 404 if people sign in here", body = SignInProviderAnswer)),
    security(("administrator" = []), ("session" = []))
)]
pub(crate) async fn read(
    State(desk): State<FrontDesk>,
    call: Managed<act::SignInRead>,
) -> Result<Response, Problem> {
    let mut tx = desk.database.tenant("sign_in.read", &call.tenant).await?;
    let provider = sign_in_providers::read(&mut tx, call.keys()).await?;
    tx.commit().await?;
    let provider = provider.ok_or_else(Problem::not_found)?;
    Ok(versioned(provider.version, answer(&desk, &call.tenant, provider)))
}

/// Set how people sign in
///
/// The provider is asked to describe itself before anything is stored. It stands for whoever sets it: it gives no role that
/// they could not give, and on its word alone nobody comes in who may do more than they may, or what needs a second factor;
/// such a person proves a second factor of their own once, and is linked by that. With another issuer or client, nobody is
/// linked any more.
#[utoipa::path(
    put, path = "/api/meta-agent/tenants/{tenantId}/sign-in", tag = "tenants", operation_id = "replaceSignIn",
    request_body(content = SignInProviderRequest, example = json!({
        "issuer": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example", "clientId": "4example0client",
        "clientSecret": "…", "tenantClaim": {"name": "custom:tenantId", "value": "andina"},
        "roleClaim": {"name": "cognito:groups", "roles": {"clinic-admins": ["admin"]}}, "provisioning": true,
        "emailDomains": ["andina.example"]
    })),
    params(
        ("tenantId" = String, Path, description = "The tenant"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read"),
    ),
    responses(
        (status = 200, description = "The provider as it is now", body = SignInProviderAnswer),
        (status = 403, description = "`role_above_own`: it stands, or stood, for more than you may do", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
        (status = 412, description = "`stale`: it was changed meanwhile", body = crate::problem::ProblemBody<'static>, content_type = "application/problem+json"),
    ),
    security(("administrator" = []), ("session" = [], "csrf" = []))
)]
pub(crate) async fn replace(
    State(desk): State<FrontDesk>,
    call: Managed<act::SignInWrite>,
) -> Result<Response, Problem> {
    let expected = expected_version(&call.received)?;
    let request: SignInProviderRequest = call.received.json()?;
    check(&request)?;
    // Nobody is called for whoever comes too late.
    tenant_tx!(desk.database, "sign_in.expect", &call.tenant, async |tx| {
        sign_in_providers::expect(tx, expected).await
    })
    .await?;
    if let Err(error) = desk.providers.check(&request.issuer).await {
        return Err(Problem::invalid_field("/issuer", "unusable", error.to_string()));
    }
    call.expect_still(&desk).await?;
    let mut tx = desk.database.tenant("sign_in.replace", &call.tenant).await?;
    users::lock_administrators(&mut tx).await?;
    check_break_glass(&mut tx, call.keys(), &request).await?;
    let domains = proved_domains(&mut tx, &request.email_domains).await?;
    let before = sign_in_providers::read(&mut tx, call.keys()).await?;
    expect_handles(&desk, &call, &mut tx, before.as_ref(), request.exclusive).await?;
    let now = desk.clock.now();
    let stands_for = call.powers(&desk, &call.tenant)?;
    let provider = provider(request, domains, stands_for, before, now)?;
    let all = provider.role_mapping.values().flatten().chain(&provider.default_roles).cloned().collect();
    call.give_roles(&desk, &mut tx, all).await?;
    sign_in_providers::replace(&mut tx, call.keys(), &*desk.entropy, &provider, expected, now).await?;
    let detail = json!({
        "issuer": provider.issuer, "provisioning": provider.provisioning, "exclusive": provider.exclusive,
        "roleClaim": provider.role_claim, "breakGlassUserId": provider.break_glass_user,
        "emailDomains": provider.email_domains,
    });
    call.record_change(&desk, &mut tx, "sign-in", Some(detail)).await?;
    let stored = sign_in_providers::read(&mut tx, call.keys()).await?.ok_or_else(Problem::internal)?;
    tx.commit().await?;
    Ok(versioned(stored.version, answer(&desk, &call.tenant, stored)))
}

/// Remove the provider
///
/// People sign in here again, with passwords and passkeys; whoever has neither asks for a link to set a password.
#[utoipa::path(
    delete, path = "/api/meta-agent/tenants/{tenantId}/sign-in", tag = "tenants", operation_id = "deleteSignIn",
    params(("tenantId" = String, Path, description = "The tenant")),
    responses((status = 204, description = "It is gone")),
    security(("administrator" = []), ("session" = [], "csrf" = []))
)]
pub(crate) async fn delete(
    State(desk): State<FrontDesk>,
    call: Managed<act::SignInWrite>,
) -> Result<StatusCode, Problem> {
    call.received.expect_no_body()?;
    let mut tx = desk.database.tenant("sign_in.delete", &call.tenant).await?;
    users::lock_administrators(&mut tx).await?;
    let before = sign_in_providers::read(&mut tx, call.keys()).await?.ok_or_else(Problem::not_found)?;
    expect_handles(&desk, &call, &mut tx, Some(&before), false).await?;
    sign_in_providers::remove(&mut tx).await?;
    call.record_change(&desk, &mut tx, "sign-in", None).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses to handle a provider that stands for more than the caller may do; and one that closes all other ways in, or would,
/// if anybody of the tenant may do more.
async fn expect_handles(
    desk: &FrontDesk,
    call: &AtTenant,
    tx: &mut TenantTx,
    before: Option<&SignInProvider>,
    exclusive: bool,
) -> Result<(), Problem> {
    if let Some(before) = before {
        call.expect_covers(desk, &before.stands_for)?;
    }
    if exclusive || before.is_some_and(|before| before.exclusive) {
        let everybody = stored_roles::of_everybody(tx).await?;
        call.expect_handles(desk, tx, &everybody).await?;
    }
    Ok(())
}

/// The domains of a list, all of which the tenant must have proved.
async fn proved_domains(tx: &mut TenantTx, list: &[String]) -> Result<Vec<DomainName>, Problem> {
    let mut mistakes = Mistakes::default();
    let mut domains = Vec::new();
    for (at, text) in list.iter().enumerate() {
        let pointer = format!("/emailDomains/{at}");
        let Ok(domain) = text.parse::<DomainName>() else {
            mistakes.add(&pointer, "format", "must be a domain such as business.example");
            continue;
        };
        if !email_domains::is_proved(tx, &domain).await? {
            mistakes.add(&pointer, "not_proved", "is no domain that the tenant has proved");
        }
        domains.push(domain);
    }
    mistakes.into_result()?;
    Ok(domains)
}

fn provider(
    request: SignInProviderRequest,
    domains: Vec<DomainName>,
    stands_for: Powers,
    before: Option<SignInProvider>,
    now: Timestamp,
) -> Result<SignInProvider, Problem> {
    let client_secret = match request.client_secret {
        Some(given) => given.map(|secret| secret.0),
        None => match before {
            None => None,
            // The secret of one provider is never sent to another.
            Some(before) if before.issuer == request.issuer && before.client_id == request.client_id => {
                before.client_secret
            }
            Some(_) => {
                let message = "must be given anew when the issuer or the client changes";
                return Err(Problem::invalid_field("/clientSecret", "required", message));
            }
        },
    };
    let (role_claim, role_mapping) = request.role_claim.map(|claim| (claim.name, claim.roles)).unzip();
    Ok(SignInProvider {
        issuer: request.issuer,
        client_id: request.client_id,
        client_secret,
        scopes: request.scopes.unwrap_or_else(|| vec!["email".into(), "profile".into()]),
        tenant_claim: request.tenant_claim.name,
        tenant_claim_value: request.tenant_claim.value,
        role_claim,
        role_mapping: role_mapping.unwrap_or_default(),
        default_roles: request.default_roles,
        email_domains: Some(domains),
        trust_email: request.trust_email,
        provisioning: request.provisioning,
        exclusive: request.exclusive,
        break_glass_user: request.break_glass_user_id,
        trusted_acr: request.second_factor.acr,
        trusted_amr: request.second_factor.amr,
        stands_for,
        version: 0,
        created_at: now,
        updated_at: now,
    })
}

fn check(request: &SignInProviderRequest) -> Result<(), Problem> {
    let mut mistakes = Mistakes::default();
    mistakes.line("/issuer", &request.issuer, LONGEST);
    mistakes.line("/clientId", &request.client_id, LONGEST);
    mistakes.line("/tenantClaim/name", &request.tenant_claim.name, LONGEST);
    mistakes.line("/tenantClaim/value", &request.tenant_claim.value, LONGEST);
    if let Some(Some(secret)) = &request.client_secret {
        mistakes.line("/clientSecret", secret.0.expose(), LONGEST);
    }
    if request.issuer.contains(['?', '#']) {
        mistakes.add("/issuer", "format", "must have neither a query nor a fragment");
    }
    if request.exclusive && request.break_glass_user_id.is_none() {
        let message = "is needed where there is no other way in: an administrator of the tenant";
        mistakes.add("/breakGlassUserId", "required", message);
    }
    if request.provisioning && request.email_domains.is_empty() {
        let message = "is needed to give people an account: domains that the tenant has proved";
        mistakes.add("/emailDomains", "required", message);
    }
    if request.provisioning && request.role_claim.is_none() && request.default_roles.is_empty() {
        mistakes.add("/defaultRoles", "required", "or a role claim is needed to give new people a role");
    }
    let lists = [
        ("/scopes", request.scopes.as_deref().unwrap_or_default()),
        ("/emailDomains", &request.email_domains),
        ("/secondFactor/acr", &request.second_factor.acr),
        ("/secondFactor/amr", &request.second_factor.amr),
    ];
    for (pointer, list) in lists {
        texts(&mut mistakes, pointer, list);
    }
    roles(&mut mistakes, "/defaultRoles", &request.default_roles);
    if let Some(claim) = &request.role_claim {
        mistakes.line("/roleClaim/name", &claim.name, LONGEST);
        if claim.roles.len() > MOST {
            mistakes.add("/roleClaim/roles", "too_many", "must name at most 50 groups");
        }
        for (group, list) in claim.roles.iter().take(MOST) {
            let step = group.replace('~', "~0").replace('/', "~1");
            roles(&mut mistakes, &format!("/roleClaim/roles/{step}"), list);
        }
    }
    mistakes.into_result()
}

fn texts(mistakes: &mut Mistakes, pointer: &str, list: &[String]) {
    if list.len() > MOST {
        mistakes.add(pointer, "too_many", "must have at most 50 entries");
    }
    for (at, text) in list.iter().take(MOST).enumerate() {
        mistakes.line(&format!("{pointer}/{at}"), text, 100);
        if text.contains(char::is_whitespace) {
            mistakes.add(&format!("{pointer}/{at}"), "format", "must have no blanks");
        }
    }
}

/// Nobody becomes the owner of the platform by what a provider says.
fn roles(mistakes: &mut Mistakes, pointer: &str, list: &[String]) {
    texts(mistakes, pointer, list);
    for (at, role) in list.iter().take(MOST).enumerate() {
        match role.parse::<BuiltInRole>() {
            Ok(BuiltInRole::Owner) => {
                mistakes.add(&format!("{pointer}/{at}"), "not_allowed", "is given to nobody by a provider");
            }
            Ok(_) => {}
            Err(_) => mistakes.add(&format!("{pointer}/{at}"), "unknown", "is no role"),
        }
    }
}

/// The way in that stays open must be one: an administrator who can sign in here.
async fn check_break_glass(
    tx: &mut TenantTx,
    keys: &misy_store::TenantKeys,
    request: &SignInProviderRequest,
) -> Result<(), Problem> {
    let Some(id) = request.break_glass_user_id else { return Ok(()) };
    let user = users::read(tx, keys, id).await?;
    let fits = user.is_some_and(|user| {
        let administers = user.has_role(BuiltInRole::Admin) || user.has_role(BuiltInRole::Owner);
        let comes_in = user.password_hash.is_some() || user.second_factor_since.is_some();
        user.status == UserStatus::Active && administers && comes_in
    });
    if fits {
        return Ok(());
    }
    let message = "must be an active administrator with a password or a passkey";
    Err(Problem::invalid_field("/breakGlassUserId", "unusable", message))
}
