//! What a business says of itself when it becomes a tenant, and what is wrong with it.

use crate::{
    pipeline::Received,
    problem::{FieldError, Problem},
};
use misy_domain::{ContextPack, Locale, Origin, Plan, TenantType, context_pack::ZoneName};
use misy_store::{audit::Actor, provisioning::NewTenant};
use serde::Deserialize;
use utoipa::ToSchema;

const USUAL_LOCALE: &str = "es-CO";
const USUAL_TIMEZONE: &str = "America/Bogota";
const MOST_ORIGINS: usize = 20;

/// A business that wants to be a tenant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registration {
    /// The name of the business.
    #[schema(example = "Clínica Andina", max_length = 120)]
    pub tenant_name: String,
    /// Whom to write to.
    #[schema(example = "contacto@clinicaandina.example")]
    pub contact_email: String,
    /// Its main web page.
    #[schema(example = "https://clinicaandina.example")]
    pub website_url: String,
    /// What it does.
    #[schema(example = "Dental clinic", max_length = 120)]
    pub business_industry: String,
    /// Its slug; that of the name unless given. Chosen once.
    #[schema(example = "andina")]
    pub tenant_id: Option<String>,
    /// Where its first site may be used from; the origin of the web page unless given.
    #[schema(example = json!(["https://clinicaandina.example"]))]
    pub origins: Option<Vec<String>>,
    /// Its language tag; `es-CO` unless given.
    #[schema(example = "es-CL")]
    pub locale: Option<String>,
    /// Its IANA time zone; `America/Bogota` unless given.
    #[schema(example = "America/Santiago")]
    pub timezone: Option<String>,
    /// `FREE`, `PRO` or `ENTERPRISE`; `FREE` unless given, and only the owner gives another.
    #[schema(value_type = Option<String>, example = "FREE")]
    pub plan: Option<Plan>,
}

/// Everything that is wrong with a registration, or what to make of it.
pub(super) fn checked(
    received: &Received,
    registration: Registration,
    tenant_type: TenantType,
    actor: Actor,
    mut mistakes: Vec<FieldError>,
) -> Result<NewTenant, Problem> {
    let mut wrong = |pointer: &str, message: &str| mistakes.push(FieldError::new(pointer, "format", message));
    let locale = registration.locale.as_deref().unwrap_or(USUAL_LOCALE).parse::<Locale>();
    if let Err(error) = &locale {
        wrong("/locale", &error.to_string());
    }
    let timezone = ZoneName::parse(registration.timezone.as_deref().unwrap_or(USUAL_TIMEZONE));
    if timezone.is_none() {
        wrong("/timezone", "must be a time zone such as America/Bogota");
    }
    let website = Origin::of_url(&registration.website_url);
    if let Err(error) = &website {
        wrong("/websiteUrl", &format!("must be an address whose origin can be used: {error}"));
    }
    let origins = match &registration.origins {
        None => website.into_iter().collect(),
        Some(list) => origins("/origins", list, &mut mistakes),
    };
    if let (Ok(locale), Some(timezone)) = (&locale, &timezone) {
        mistakes.extend(starter_mistakes(&registration, locale, timezone.clone()));
    }
    let (Ok(locale), Some(timezone), true) = (locale, timezone, mistakes.is_empty()) else {
        return Err(Problem::invalid(mistakes));
    };
    Ok(NewTenant {
        tenant_type,
        name: registration.tenant_name.trim().to_owned(),
        contact_email: registration.contact_email,
        website_url: registration.website_url,
        business_industry: registration.business_industry.trim().to_owned(),
        locale,
        timezone,
        plan: registration.plan.unwrap_or(match tenant_type {
            TenantType::Owner => Plan::Enterprise,
            TenantType::Standard => Plan::Free,
        }),
        origins,
        limits: Vec::new(),
        actor,
        request_id: Some(received.record.request_id.clone()),
    })
}

/// The rules of a context pack hold for what its first version is made of.
fn starter_mistakes(registration: &Registration, locale: &Locale, timezone: ZoneName) -> Vec<FieldError> {
    let Registration { tenant_name, contact_email, website_url, business_industry, .. } = registration;
    let starter = ContextPack::starter(
        tenant_name.trim(),
        contact_email,
        website_url,
        business_industry.trim(),
        locale,
        timezone,
    );
    let Err(invalid) = ContextPack::parse(&starter.to_json()) else { return Vec::new() };
    let known = [
        ("/displayName", "/tenantName"),
        ("/industry", "/businessIndustry"),
        ("/contact/email", "/contactEmail"),
    ];
    let own = |mistake: &misy_domain::context_pack::Invalid| {
        let (_, pointer) = known.iter().find(|(pointer, _)| *pointer == mistake.pointer)?;
        Some(FieldError::new(*pointer, &mistake.code, &mistake.message))
    };
    let mut mistakes: Vec<FieldError> = invalid.iter().filter_map(own).collect();
    if mistakes.is_empty() {
        // A value that only becomes too long together with others, or an address that hides something.
        mistakes.push(FieldError::new("", "format", "the values make no context pack"));
    }
    mistakes
}

/// Origins of a site.
pub(super) fn origins(pointer: &str, list: &[String], mistakes: &mut Vec<FieldError>) -> Vec<Origin> {
    if list.is_empty() {
        mistakes.push(FieldError::new(pointer, "required", "must have at least one origin"));
    }
    if list.len() > MOST_ORIGINS {
        mistakes.push(FieldError::new(pointer, "too_many", "must have at most 20 origins"));
        // Comparing each with each of what may be tens of thousands would keep a thread busy for seconds.
        return Vec::new();
    }
    let mut origins = Vec::with_capacity(list.len());
    for (at, text) in list.iter().enumerate() {
        match text.parse::<Origin>() {
            Ok(origin) if origins.contains(&origin) => {
                mistakes.push(FieldError::new(format!("{pointer}/{at}"), "duplicate", "stands there twice"));
            }
            Ok(origin) => origins.push(origin),
            Err(error) => {
                mistakes.push(FieldError::new(format!("{pointer}/{at}"), "format", error.to_string()));
            }
        }
    }
    origins
}
