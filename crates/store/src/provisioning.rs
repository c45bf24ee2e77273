//! Making a tenant (TEN-7): named steps in one transaction. A step that fails leaves nothing behind, and the same call
//! can be made again.

use crate::{
    StoreError, TenantKeys, TenantTx, Vault,
    audit::{self, Actor, AuditEntry, Kind},
    context_packs,
    credentials::{self, NewKey, NewSecret, SecretGrant},
    limits::{self, LimitRow},
    sites,
    tenants::{self, TenantEvent},
};
use jiff_sqlx::ToSqlx;
use misy_domain::{
    Clock, ContextPack, Entropy, KeyId, Locale, Origin, Permissions, Plan, Secret, SiteId, TenantId,
    TenantType, Timestamp, context_pack::ZoneName,
};
use misy_trust::{
    ApiKey, ApiKeyKind,
    access::{Given, Reach, StandsFor},
};
use std::{sync::Arc, time::Duration};

/// How long the token is good that the first administrator enrols with, unless somebody does so earlier.
pub const ENROLLMENT: Duration = Duration::from_hours(7 * 24);

/// Ids that no tenant can have: they stand in addresses, or would pass for the platform itself.
const RESERVED: [&str; 25] = [
    "admin",
    "administrator",
    "anonymous",
    "api",
    "app",
    "assets",
    "bootstrap",
    "console",
    "docs",
    "enroll",
    "health",
    "help",
    "internal",
    "metrics",
    "misy",
    "misy-installation",
    "owner",
    "platform",
    "public",
    "register",
    "root",
    "sdk",
    "support",
    "system",
    "www",
];

/// Whether no tenant can have this id.
pub fn is_reserved(tenant: &TenantId) -> bool {
    RESERVED.contains(&tenant.as_str())
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProvisionStep {
    /// The tenant itself; its id is taken for ever.
    Tenant,
    /// Its data key and signing root.
    Keys,
    /// The first site, its origins and what its tokens may hold: which agents may answer.
    Site,
    /// A publishable key for use and one for trying out.
    PublishableKeys,
    /// The secret of its servers.
    TenantSecret,
    /// The token that the first administrator enrols with.
    Administrator,
    /// The context pack to start from.
    ContextPack,
    /// Limits that differ from the plan's.
    Limits,
    /// The entry in its audit trail.
    Audit,
}

impl ProvisionStep {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Tenant,
        Self::Keys,
        Self::Site,
        Self::PublishableKeys,
        Self::TenantSecret,
        Self::Administrator,
        Self::ContextPack,
        Self::Limits,
        Self::Audit,
    ];
}

/// What a tenant is made of.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Owner or standard.
    pub tenant_type: TenantType,
    /// The name of the business.
    pub name: String,
    /// Whom to write to.
    pub contact_email: String,
    /// Its main web page.
    pub website_url: String,
    /// What it does.
    pub business_industry: String,
    /// Its language tag.
    pub locale: Locale,
    /// Its time zone.
    pub timezone: ZoneName,
    /// What it pays for.
    pub plan: Plan,
    /// Where its first site may be used from.
    pub origins: Vec<Origin>,
    /// Limits that differ from the plan's.
    pub limits: Vec<LimitRow>,
    /// Who asked, for the audit trail.
    pub actor: Actor,
    /// Which request it was.
    pub request_id: Option<String>,
}

/// A new tenant's credentials, shown once.
pub struct Provisioned {
    /// The first site.
    pub site_id: SiteId,
    /// Its publishable key.
    pub publishable_key: (KeyId, Secret<String>),
    /// Its publishable key for trying out.
    pub test_key: (KeyId, Secret<String>),
    /// The secret of its servers: 32 bytes.
    pub tenant_secret: (KeyId, Secret<[u8; 32]>),
    /// What the first administrator enrols with.
    pub administrator: Enrollment,
    /// The keys of the tenant.
    pub keys: Arc<TenantKeys>,
}

/// What one person enrols with.
pub struct Enrollment {
    /// The id of the token.
    pub key_id: KeyId,
    /// The token.
    pub token: Secret<String>,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// What a tenant begins with is given by the operator, who set up the installation.
fn given<T: StandsFor>(what: T) -> Result<Given<T>, StoreError> {
    Reach::of_operator().give(what).map_err(|_| StoreError::Refused("Nobody could give that."))
}

async fn enrollment(
    tx: &mut TenantTx,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    made_by: &str,
) -> Result<Enrollment, StoreError> {
    let expires_at = clock.now().checked_add(ENROLLMENT).unwrap_or(Timestamp::MAX);
    let (key_id, key) = (KeyId::new(clock, entropy), ApiKey::generate(ApiKeyKind::Administrator, entropy));
    let none = given(Permissions::default())?;
    let new = NewKey {
        key_id,
        key: &key,
        name: "first administrator",
        site_id: None,
        permissions: &none,
        origins: None,
        requests_per_minute: None,
        made_by,
        expires_at: Some(expires_at),
    };
    credentials::create_key(tx, &new).await?;
    Ok(Enrollment { key_id, token: key.text(), expires_at })
}

/// Makes a new token for the first administrator of the tenant of the transaction, by hand of the operator; refused once
/// somebody there can help others: has a second factor, or comes by a provider. Older ones are revoked.
pub async fn renew_enrollment(
    tx: &mut TenantTx,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Enrollment, StoreError> {
    let tenant = tx.tenant().clone();
    tenants::read(tx).await?.ok_or(StoreError::Refused("There is no such tenant."))?;
    let helped = sqlx::query_scalar!(
        "select exists (select from users where tenant_id = $1 and second_factor_since is not null)
             or exists (select from sign_in_providers where tenant_id = $1)",
        tenant.as_str()
    )
    .fetch_one(tx.connection())
    .await?;
    if helped.unwrap_or_default() {
        return Err(StoreError::Refused(
            "Somebody has come in to the tenant with a second factor, and helps others.",
        ));
    }
    sqlx::query!(
        "update api_keys set revoked_at = coalesce(revoked_at, $2) where tenant_id = $1 and kind = 'administrator'",
        tenant.as_str(),
        clock.now().to_sqlx() as _
    )
    .execute(tx.connection())
    .await?;
    let made = enrollment(tx, clock, entropy, "operator").await?;
    let mut entry =
        AuditEntry::new(Kind::Change, "renewEnrollment", &Actor::outside("operator"), clock, entropy);
    entry.subject = Some(made.key_id.to_string());
    audit::record(tx, &entry).await?;
    Ok(made)
}

/// Makes the tenant of the transaction, which is neither committed nor rolled back here. `after` is called after each step
/// and can make it fail, for tests.
pub async fn provision(
    tx: &mut TenantTx,
    vault: &Vault,
    clock: &dyn Clock,
    new: &NewTenant,
    mut after: impl FnMut(ProvisionStep) -> Result<(), StoreError>,
) -> Result<Provisioned, StoreError> {
    use ProvisionStep as Step;
    let entropy = vault.entropy();
    let key_id = || KeyId::new(clock, entropy);

    insert_tenant(tx, new).await?;
    after(Step::Tenant)?;

    let keys = vault.create(tx).await?;
    after(Step::Keys)?;

    let site: SiteId = crate::readable::stored("main".parse())?;
    sites::create(tx, &site, &new.name, &Permissions::all(), &new.origins).await?;
    after(Step::Site)?;

    let anonymous = given(Permissions::anonymous_chat())?;
    let mut publishable = [ApiKeyKind::PublishableLive, ApiKeyKind::PublishableTest]
        .map(|kind| (key_id(), ApiKey::generate(kind, entropy)));
    for (id, key) in &publishable {
        let key = NewKey { made_by: new.actor.as_str(), ..for_site(*id, key, &site, &anonymous) };
        credentials::create_key(tx, &key).await?;
    }
    let [(live_id, live), (test_id, test)] = &mut publishable;
    after(Step::PublishableKeys)?;

    let secret_id = key_id();
    let grant = given(SecretGrant::new(&Permissions::all(), misy_trust::access::for_programs()))?;
    let new_secret = NewSecret {
        key_id: secret_id,
        name: "",
        grant: &grant,
        needs_certificate: false,
        made_by: new.actor.as_str(),
    };
    let secret = credentials::create_secret(tx, &keys, entropy, &new_secret).await?;
    after(Step::TenantSecret)?;

    let administrator = enrollment(tx, clock, entropy, new.actor.as_str()).await?;
    after(Step::Administrator)?;

    let pack = ContextPack::starter(
        &new.name,
        &new.contact_email,
        &new.website_url,
        &new.business_industry,
        &new.locale,
        new.timezone.clone(),
    );
    context_packs::put(tx, &pack, None).await?;
    after(Step::ContextPack)?;

    limits::replace(tx, &new.limits).await?;
    after(Step::Limits)?;

    let mut entry = AuditEntry::new(Kind::Change, "provisionTenant", &new.actor, clock, entropy);
    entry.subject = Some(tx.tenant().to_string());
    entry.request_id.clone_from(&new.request_id);
    audit::record(tx, &entry).await?;
    let registered = TenantEvent {
        number: 1,
        event: "registered".into(),
        at: clock.now(),
        actor: new.actor.as_str().to_owned(),
        reason: None,
        purge_at: None,
    };
    tenants::note_event(tx, &registered).await?;
    after(Step::Audit)?;

    Ok(Provisioned {
        site_id: site,
        publishable_key: (*live_id, live.text()),
        test_key: (*test_id, test.text()),
        tenant_secret: (secret_id, Secret::new(*secret.expose())),
        administrator,
        keys,
    })
}

fn for_site<'a>(
    id: KeyId,
    key: &'a ApiKey,
    site: &'a SiteId,
    permissions: &'a Given<Permissions>,
) -> NewKey<'a> {
    NewKey {
        key_id: id,
        key,
        name: "",
        site_id: Some(site),
        permissions,
        origins: None,
        requests_per_minute: None,
        made_by: "",
        expires_at: None,
    }
}

async fn insert_tenant(tx: &mut TenantTx, new: &NewTenant) -> Result<(), StoreError> {
    let tenant = tx.tenant().clone();
    let inserted = sqlx::query!(
        "insert into tenants (tenant_id, tenant_type, name, contact_email, website_url, business_industry, locale, timezone,
                              plan)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        tenant.as_str(),
        new.tenant_type.as_str(),
        new.name,
        new.contact_email,
        new.website_url,
        new.business_industry,
        new.locale.as_str(),
        new.timezone.as_str(),
        new.plan.as_str()
    )
    .execute(tx.connection())
    .await;
    match inserted {
        Ok(_) => Ok(()),
        // The trigger that takes the id for ever, and the one row of the owner.
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            let owner = error.constraint() == Some("owner_pkey");
            Err(StoreError::Conflict(if owner { "the owner" } else { "a tenant with this id" }))
        }
        Err(error) => Err(error.into()),
    }
}
