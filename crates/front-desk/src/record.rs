//! What becomes known of a call on its way, for headers, metrics, logs and the audit trail.

use crate::problem::Problem;
use http::Method;
use misy_domain::{Action, RequestId, TenantId};
use misy_store::{AuditLog, audit::AuditPermit, limits::Standing};
use misy_trust::AccessDecision;
use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Everything that is known of a call so far.
#[derive(Debug, Default)]
pub struct Facts {
    /// Whose it is, once that is proved.
    pub tenant: Option<TenantId>,
    /// The site of the token.
    pub site: Option<String>,
    /// The session that is spoken of.
    pub session: Option<String>,
    /// The `jti` of the token, or the id of the key.
    pub actor: Option<String>,
    /// Whether it is somebody on a page of the tenant, who proves nothing.
    pub is_visitor: bool,
    /// Whether the caller is proved and within the limits.
    pub is_within_limits: bool,
    /// What it was done to.
    pub subject: Option<String>,
    /// The other tenant that somebody of the owner came to; it is told in that trail too.
    pub visited: Option<TenantId>,
    /// What the access policies said last.
    pub decision: Option<(Action, AccessDecision)>,
    /// The origin of the request was found allowed, so the answer may be read there.
    pub origin_is_known: bool,
    /// Where the nearest limit stands.
    pub standing: Option<Standing>,
}

/// A call that is being served.
pub struct CallRecord {
    /// Its id.
    pub id: RequestId,
    /// Its id as text.
    pub request_id: String,
    /// The id of the operation.
    pub operation: &'static str,
    /// Its method.
    pub method: Method,
    /// Where it comes from.
    pub address: Option<IpAddr>,
    facts: Mutex<Facts>,
    /// Room in the audit log, kept from when the caller is proved: what changes something is recorded or not done.
    permit: Mutex<Option<AuditPermit>>,
}

impl CallRecord {
    /// Nothing is known yet.
    pub fn new(id: RequestId, operation: &'static str, method: Method, address: Option<IpAddr>) -> Self {
        Self {
            id,
            request_id: id.to_string(),
            operation,
            method,
            address,
            facts: Mutex::default(),
            permit: Mutex::default(),
        }
    }

    /// Keeps room in the audit log for a call that changes something, once its caller is proved and no sooner: strangers
    /// must not be able to take it up.
    pub async fn keep_room(&self, audit: &AuditLog) -> Result<(), Problem> {
        if !self.method.is_safe() {
            let tenant = self.facts().tenant.clone().ok_or_else(Problem::internal)?;
            let permit = audit.reserve(&tenant).await.ok_or_else(Problem::unavailable)?;
            *self.permit.lock().unwrap_or_else(PoisonError::into_inner) = Some(permit);
        }
        Ok(())
    }

    /// The room that was kept.
    pub fn take_room(&self) -> Option<AuditPermit> {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What is known, to be read or added to.
    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
