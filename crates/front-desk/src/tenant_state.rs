//! What is known of tenants at this moment: status, epoch, sites, limits, revoked tokens. Read from the database at most
//! once a second per tenant, and at once when something is changed in this process.

mod states;

pub use states::{News, TenantStates};

use crate::{problem::Code, settings::PlanLimits};
use misy_domain::{
    CertificateId, KeyId, Metered, Origin, Permission, Permissions, Plan, SiteId, TenantStatus, TenantType,
    Timestamp, limit::Quota, plan::FileLimits,
};
use misy_store::{
    TenantKeys,
    certificates::CertificateSnapshot,
    limits::{LimitRow, Scope},
    tenants::{SecretSnapshot, TenantSnapshot},
};
use misy_trust::{ClientCertificate, RequestKey, TatClaims};
use std::{collections::HashSet, sync::Arc, time::Duration};

/// What all that is known of tenants may take in memory: tens of thousands of ordinary ones.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// What is known of a tenant takes at least so much; each thing that it has of its own takes about as much as given here.
const TENANT_BYTES: usize = 2 * 1024;
const THING_BYTES: usize = 512;
const ID_BYTES: usize = 64;
/// What of a tenant that somebody waits for news of is this young is not read again.
pub(crate) const FRESH_ENOUGH: Duration = Duration::from_millis(300);
/// Tenants that are looked at again at the same time.
const LOOKS: usize = 8;
/// Changes that may wait to be told to other replicas; one that is left out counts there a second later.
const UNTOLD: usize = 1024;

/// A tenant secret, ready to check signatures.
pub struct ReadySecret {
    /// Its id.
    pub key_id: KeyId,
    /// The key.
    pub key: RequestKey,
    /// Whether it counts only together with a client certificate.
    pub needs_certificate: bool,
    expires_at: Option<Timestamp>,
}

/// A tenant at one moment.
pub struct TenantState {
    snapshot: TenantSnapshot,
    /// Messages of this month. No news to anybody who waits for some.
    messages_used: i64,
    revoked: HashSet<misy_domain::TokenId>,
    revoked_keys: HashSet<KeyId>,
    secrets: Vec<ReadySecret>,
    limits: PlanLimits,
    /// Limits of single subjects.
    overrides: Vec<LimitRow>,
    /// Its keys.
    pub keys: Arc<TenantKeys>,
}

/// What the files of a tenant may take.
#[derive(Debug, Clone, Copy)]
pub struct FileRoom {
    /// Bytes of one file.
    pub largest: u64,
    /// Bytes of all files, if there is a limit.
    pub total: Option<i64>,
}

/// A site of a tenant at one moment.
#[derive(Clone, Copy)]
pub struct SiteState<'a> {
    /// What a token of it may hold at most.
    pub permissions: &'a Permissions,
    /// Where it may be used from.
    pub origins: &'a [Origin],
}

impl TenantState {
    /// Whether it may be served.
    pub fn is_active(&self) -> bool {
        self.snapshot.status == TenantStatus::Active
    }

    /// Whether it is closed, and waits for its clean-up.
    pub fn is_closed(&self) -> bool {
        self.snapshot.status == TenantStatus::Closed
    }

    /// Whether its people may sign in: also while it is closed, so that an administrator can open it again.
    pub fn lets_people_in(&self) -> bool {
        self.is_active() || self.is_closed()
    }

    /// What it takes in memory, about.
    fn bytes(&self) -> u32 {
        let TenantSnapshot {
            sites, secrets, spent_secrets, limits, certificates, revoked, revoked_keys, ..
        } = &self.snapshot;
        let origins: usize = sites.iter().map(|site| site.origins.len()).sum();
        let secrets = secrets.len() + spent_secrets.len();
        let things = sites.len() + origins + secrets + limits.len() + certificates.len();
        let bytes = TENANT_BYTES + things * THING_BYTES + (revoked.len() + revoked_keys.len()) * ID_BYTES;
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// Whether it is the owner of the platform.
    pub fn is_owner(&self) -> bool {
        self.snapshot.tenant_type == TenantType::Owner
    }

    /// The credential epoch.
    pub fn epoch(&self) -> i64 {
        self.snapshot.epoch
    }

    /// How long its sessions live.
    pub fn session_ttl(&self) -> Duration {
        Duration::from_secs(self.snapshot.session_ttl_seconds.unsigned_abs())
    }

    /// One of its sites.
    pub fn site(&self, site: &SiteId) -> Option<SiteState<'_>> {
        let site = self.snapshot.sites.iter().find(|known| known.site_id == *site)?;
        Some(SiteState { permissions: &site.permissions, origins: &site.origins })
    }

    /// Whether a genuine token was revoked lately, itself or its family, or with everything of its epoch or of its key. What
    /// was revoked earlier, [`crate::token_desk::TokenDesk::was_revoked`] knows.
    pub fn has_revoked(&self, claims: &TatClaims) -> bool {
        claims.epoch < self.snapshot.epoch
            || claims.key.is_some_and(|key| self.revoked_keys.contains(&key))
            || (!self.revoked.is_empty()
                && (self.revoked.contains(&claims.jti) || self.revoked.contains(&claims.family)))
    }

    /// Whether more was revoked lately than is known here.
    pub fn revokes_much(&self) -> bool {
        self.snapshot.revoked_more
    }

    /// Whether a secret counts only together with a client certificate.
    pub fn needs_certificate(&self, secret: KeyId) -> bool {
        self.snapshot.certificate_secrets.contains(&secret)
    }

    /// The bindings by which a client certificate counts for this secret and site at this time.
    pub fn bindings_of(
        &self,
        shown: &ClientCertificate,
        secret: Option<KeyId>,
        site: &SiteId,
        now: Timestamp,
    ) -> impl Iterator<Item = CertificateId> {
        let counts = move |bound: &&CertificateSnapshot| {
            shown.is_good_at(now)
                && bound.bound_by.fingerprint_of(shown).to_string() == bound.fingerprint
                && bound.expires_at.is_none_or(|expires| now < expires)
                && bound.secret_key_id.is_none_or(|only| Some(only) == secret)
                && bound.site_id.as_ref().is_none_or(|only| only == site)
                && secret.is_none_or(|secret| !bound.not_for.iter().flatten().any(|other| *other == secret))
        };
        self.snapshot.certificates.iter().filter(counts).map(|bound| bound.certificate_id)
    }

    /// Whether a token comes from its holder: one that is bound to a client certificate comes with that one, by a binding
    /// that still counts, and one of a secret that needs a certificate is bound to one. Else the code of the refusal.
    pub fn check_holder(
        &self,
        claims: &TatClaims,
        shown: Option<&ClientCertificate>,
        now: Timestamp,
    ) -> Result<(), Code> {
        match (claims.certificate, shown) {
            (None, _) if claims.key.is_some_and(|key| self.needs_certificate(key)) => {
                Err(Code::CertificateRequired)
            }
            (None, _) => Ok(()),
            (Some(_), None) => Err(Code::CertificateRequired),
            (Some(bound), Some(shown)) => {
                let mut bindings = self.bindings_of(shown, claims.key, &claims.site_id, now);
                let holds = shown.certificate == bound.certificate && bindings.any(|id| id == bound.binding);
                if holds { Ok(()) } else { Err(Code::CertificateInvalid) }
            }
        }
    }

    /// Its secrets that count at this time.
    pub fn secrets(&self, now: Timestamp) -> impl Iterator<Item = &ReadySecret> {
        self.secrets.iter().filter(move |secret| secret.expires_at.is_none_or(|expires| now < expires))
    }

    /// The secrets that sign at this time for the tokens of one: itself, and those that took over from it and carry all that it
    /// does. One that is over signs no more, but has its successors.
    pub fn signers(&self, of: KeyId, now: Timestamp) -> impl Iterator<Item = &ReadySecret> {
        let mut line = vec![of];
        while let Some(next) = line.last().and_then(|last| self.successor(*last))
            && !line.contains(&next)
        {
            line.push(next);
        }
        let signs = move |secret: &&ReadySecret| {
            secret.key_id == of || (line.contains(&secret.key_id) && self.carries_all(secret.key_id, of, now))
        };
        self.secrets(now).filter(signs)
    }

    fn successor(&self, of: KeyId) -> Option<KeyId> {
        let TenantSnapshot { secrets, spent_secrets, .. } = &self.snapshot;
        let present = secrets.iter().find(|secret| secret.key_id == of).map(|secret| secret.successor);
        let spent = || spent_secrets.iter().find(|secret| secret.key_id == of).map(|secret| secret.successor);
        present.or_else(spent).flatten()
    }

    /// Whether one secret carries all that another does. Of what is over only what its tokens may hold counts: it manages nothing.
    fn carries_all(&self, one: KeyId, other: KeyId, now: Timestamp) -> bool {
        let Some(one) = self.secret(one, now) else { return false };
        let actions = self.secret(other, now).map(|other| &other.actions[..]).unwrap_or_default();
        let Some(permissions) = self.last_permissions(other) else { return false };
        actions.iter().all(|action| one.actions.contains(action))
            && permissions
                .iter()
                .all(|held| held == Permission::TenantManage || one.permissions.contains(held))
    }

    /// What a secret can give, or could last: to be over gives its tokens nothing back.
    fn last_permissions(&self, secret: KeyId) -> Option<&Permissions> {
        let TenantSnapshot { secrets, spent_secrets, .. } = &self.snapshot;
        let present = secrets.iter().find(|known| known.key_id == secret).map(|known| &known.permissions);
        let spent = || spent_secrets.iter().find(|known| known.key_id == secret);
        present.or_else(|| spent().map(|known| &known.permissions))
    }

    /// What a token may do now: what it says, as far as its site and its secret still allow it. Everybody who serves by a token
    /// asks this.
    pub fn permissions_now(&self, claims: &TatClaims) -> Permissions {
        let Some(site) = self.site(&claims.site_id) else { return Permissions::default() };
        let permissions = claims.permissions.intersection(site.permissions);
        match claims.key.and_then(|key| self.last_permissions(key)) {
            Some(secret) => permissions.intersection(secret),
            // Nobody narrows the key of a page. A server's token is of a secret, and of one that is not known nothing is left.
            None if claims.origin.is_some() => permissions,
            None => Permissions::default(),
        }
    }

    /// What a secret can give now; `None` for what is no secret, or none that counts at this time.
    pub fn secret(&self, key: KeyId, now: Timestamp) -> Option<&SecretSnapshot> {
        let counts = |secret: &&SecretSnapshot| {
            secret.key_id == key && secret.expires_at.is_none_or(|expires| now < expires)
        };
        self.snapshot.secrets.iter().find(counts)
    }

    /// The limit of a subject.
    pub fn quota(&self, scope: Scope, subject: &str) -> Quota {
        let own = self.overrides.iter().find(|row| row.scope == scope && row.subject == subject);
        own.map_or_else(|| scope.of_plan(&self.limits), LimitRow::quota)
    }

    /// What it pays for.
    pub fn plan(&self) -> Plan {
        self.snapshot.plan
    }

    /// What its files may take.
    pub fn file_limits(&self) -> FileRoom {
        let FileLimits { largest, total } = self.plan().terms().files;
        if self.is_owner() {
            return FileRoom { largest: u64::MAX, total: None };
        }
        FileRoom { largest, total: Some(total) }
    }

    /// What it may use in a month; `None`: as much as it likes, as the owner of the platform does.
    pub fn monthly(&self, metered: Metered) -> Option<i64> {
        let own = self.snapshot.quotas.get(&metered).copied();
        own.or_else(|| (!self.is_owner()).then(|| self.plan().terms().quotas.of(metered)))
    }

    /// Messages that are left of the month; `None`: as many as it likes.
    pub fn messages_left(&self) -> Option<i64> {
        self.monthly(Metered::Messages).map(|most| most.saturating_sub(self.messages_used).max(0))
    }
}
