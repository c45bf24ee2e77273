//! Between the processes of one installation: an address of its own that answers only to whoever shows a client certificate
//! of the private authority and a service token for a role of this process, bound to that certificate. What is asked here
//! makes things quicker or visible; nothing is lost when nobody asks.

mod client;

pub(crate) use client::Peers;

use axum::{
    Extension, Json, Router,
    extract::{Path, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use hyper::{StatusCode, header};
use misy_domain::{Clock, Entropy, RequestId, TenantId, Timestamp, TokenId};
use misy_front_desk::FrontDesk;
use misy_store::{Database, StoreError, Vault, service_keys};
use misy_trust::{
    ClientCertificate, RefusedCertificate, ServiceClaims, ServiceKeys, ServiceRole, service_token,
};
use serde::Serialize;
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// How often the service keys are read again, and rotated when it is time.
const READ_KEYS: Duration = Duration::from_mins(1);
/// Tokens that are remembered at most; more in two minutes is no traffic of ours.
const REMEMBERED: usize = 50_000;

/// This process among the others, and what it signs with.
pub(crate) struct Service {
    database: Database,
    vault: Vault,
    issuer: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    keys: RwLock<Arc<ServiceKeys>>,
    /// The roles of this process, the one first that it calls others as.
    roles: Vec<ServiceRole>,
    instance: String,
    started: Timestamp,
    /// Tokens that were used, until they are over.
    seen: Mutex<HashMap<TokenId, i64>>,
}

impl Service {
    /// Reads the service keys, or makes the first.
    pub(crate) async fn start(
        database: Database,
        vault: Vault,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        roles: Vec<ServiceRole>,
    ) -> Result<Arc<Self>, StoreError> {
        let issuer = database.installation_issuer(&*clock, &*entropy).await?;
        let keys = service_keys::load_or_create(&database, &vault, &issuer, &*clock).await?;
        let instance = RequestId::new(&*clock, &*entropy).to_string().replace("req_", "process-");
        let (keys, started) = (RwLock::new(Arc::new(keys)), clock.now());
        let seen = Mutex::default();
        Ok(Arc::new(Self { database, vault, issuer, clock, entropy, keys, roles, instance, started, seen }))
    }

    fn keys(&self) -> Arc<ServiceKeys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the service keys until told to stop.
    pub(crate) async fn follow_keys(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(READ_KEYS)).await.is_some() {
            match service_keys::load_or_create(&self.database, &self.vault, &self.issuer, &*self.clock).await
            {
                Ok(keys) => *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys),
                Err(error) => warn!(%error, "service keys could not be read"),
            }
        }
    }

    /// Whether the caller is one of ours; else the reason, for the log.
    fn admit(&self, request: &Request) -> Result<ServiceClaims, &'static str> {
        if let Some(refused) = request.extensions().get::<RefusedCertificate>() {
            return Err(refused.reason);
        }
        let shown = request.extensions().get::<Arc<ClientCertificate>>().ok_or("no_certificate")?;
        let now = self.clock.now();
        if !shown.is_good_at(now) {
            return Err("certificate_over");
        }
        let token = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or("no_token")?;
        let claims = self.keys().verify(token, &self.roles, shown.certificate, now).map_err(|error| {
            use service_token::ServiceTokenError as E;
            match error {
                E::Expired => "token_expired",
                E::Audience => "token_for_another_role",
                E::Certificate => "token_of_another_certificate",
                E::Invalid | E::Unissuable => "token_invalid",
            }
        })?;
        self.see(&claims, now)?;
        Ok(claims)
    }

    /// Each token counts once.
    fn see(&self, claims: &ServiceClaims, now: Timestamp) -> Result<(), &'static str> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_second();
        if seen.len() >= REMEMBERED {
            seen.retain(|_, until| *until > now);
        }
        if seen.len() >= REMEMBERED {
            return Err("too_many_tokens");
        }
        let until = claims.exp.as_second() + service_token::CLOCK_TOLERANCE;
        if seen.insert(claims.jti, until).is_some() { Err("token_replayed") } else { Ok(()) }
    }
}

#[derive(Clone)]
struct Internal {
    service: Arc<Service>,
    desk: FrontDesk,
}

/// What is answered on the internal address.
pub(crate) fn router(service: Arc<Service>, desk: FrontDesk) -> Router {
    let internal = Internal { service, desk };
    Router::new()
        .route("/internal/status", get(status))
        .route("/internal/tenants/{tenantId}/changed", post(tenant_changed))
        .route("/metrics", get(metrics))
        .layer(middleware::from_fn_with_state(internal.clone(), guard))
        .with_state(internal)
}

/// Nothing is answered to anybody else, not even that there is nothing.
async fn guard(State(internal): State<Internal>, mut request: Request, next: Next) -> Response {
    match internal.service.admit(&request) {
        Ok(claims) => {
            info!(role = %claims.role, instance = claims.instance, path = request.uri().path(), "internal call");
            request.extensions_mut().insert(Arc::new(claims));
            next.run(request).await
        }
        Err(reason) => {
            metrics::counter!("misy_internal_refusals_total", "reason" => reason).increment(1);
            warn!(reason, "an internal call was refused");
            (StatusCode::UNAUTHORIZED, Json(json!({ "code": "unauthorized" }))).into_response()
        }
    }
}

/// How a process is.
#[derive(Serialize)]
struct Status {
    instance: String,
    roles: Vec<ServiceRole>,
    version: &'static str,
    started_at: Timestamp,
    database: bool,
}

async fn status(State(internal): State<Internal>) -> Json<Status> {
    let service = &internal.service;
    let ping = tokio::time::timeout(Duration::from_secs(2), service.database.ping()).await;
    Json(Status {
        instance: service.instance.clone(),
        roles: service.roles.clone(),
        version: env!("CARGO_PKG_VERSION"),
        started_at: service.started,
        database: matches!(ping, Ok(Ok(()))),
    })
}

/// A tenant was changed elsewhere: what is known of it here is forgotten at once.
async fn tenant_changed(
    State(internal): State<Internal>,
    Extension(claims): Extension<Arc<ServiceClaims>>,
    Path(tenant): Path<String>,
) -> StatusCode {
    if claims.role == ServiceRole::Worker || claims.audience != ServiceRole::FrontDesk {
        return StatusCode::FORBIDDEN;
    }
    let Ok(tenant) = tenant.parse::<TenantId>() else { return StatusCode::NOT_FOUND };
    internal.desk.forget_tenant(&tenant);
    StatusCode::NO_CONTENT
}

async fn metrics(State(internal): State<Internal>) -> Response {
    match &internal.desk.metrics {
        Some(handle) => handle.render().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
