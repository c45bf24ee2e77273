//! Calls to other processes of the installation.

use super::Service;
use crate::tls::Tls;
use anyhow::Context;
use axum::body::{Body, Bytes};
use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, StatusCode, Uri, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use misy_domain::{TenantId, Timestamp, TokenId};
use misy_front_desk::FrontDesk;
use misy_trust::{ServiceClaims, ServiceRole, service_token::MAX_LIFETIME};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpStream, sync::broadcast::error::RecvError};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// A call that takes longer is given up; what it would have told counts a second later by itself.
const PATIENCE: Duration = Duration::from_secs(2);
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// The other processes, and what this one proves itself to them with.
#[derive(Clone)]
pub(crate) struct Peers {
    pub(crate) service: Arc<Service>,
    pub(crate) tls: Arc<Tls>,
    pub(crate) addresses: Vec<Uri>,
}

impl Peers {
    /// Calls one process, with a token made for this call.
    pub(crate) async fn call(
        &self,
        method: Method,
        peer: &Uri,
        path: &str,
        audience: ServiceRole,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        tokio::time::timeout(PATIENCE, self.converse(method, peer, path, audience))
            .await
            .with_context(|| format!("{peer} does not answer"))?
    }

    async fn converse(
        &self,
        method: Method,
        peer: &Uri,
        path: &str,
        audience: ServiceRole,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let authority = peer.authority().context("no host")?;
        let loaded = self.tls.now();
        let config = loaded.client.clone().context("no client certificate")?;
        let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let stream = TcpStream::connect((&*name, authority.port_u16().unwrap_or(443))).await?;
        let name = ServerName::try_from(name)?;
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let token = self.token(audience, &loaded.own)?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, authority.as_str())
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
        connection.abort();
        let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
        Ok((status, body.to_bytes()))
    }

    fn token(&self, audience: ServiceRole, own: &misy_trust::Fingerprint) -> anyhow::Result<String> {
        let service = &self.service;
        let now = service.clock.now();
        let iat = Timestamp::from_second(now.as_second())?;
        let claims = ServiceClaims {
            role: service.roles.first().copied().unwrap_or(ServiceRole::Operator),
            instance: service.instance.clone(),
            audience,
            jti: TokenId::new(&*service.clock, &*service.entropy),
            iat,
            exp: Timestamp::from_second(iat.as_second() + MAX_LIFETIME)?,
            certificate: *own,
        };
        Ok(service.keys().issue(&claims)?)
    }

    /// Tells the others of each tenant that is changed here, until told to stop.
    pub(crate) async fn tell_changes(self, desk: FrontDesk, stop: CancellationToken) {
        let mut changes = desk.tenants.changes();
        while let Some(heard) = stop.run_until_cancelled(changes.recv()).await {
            match heard {
                Ok(tenant) => {
                    for peer in self.addresses.clone() {
                        let (this, tenant) = (self.clone(), tenant.clone());
                        tokio::spawn(async move { this.tell(&peer, &tenant).await });
                    }
                }
                Err(RecvError::Lagged(missed)) => debug!(missed, "changes were not told to other processes"),
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn tell(&self, peer: &Uri, tenant: &TenantId) {
        let path = format!("/internal/tenants/{tenant}/changed");
        match self.call(Method::POST, peer, &path, ServiceRole::FrontDesk).await {
            Ok((StatusCode::NO_CONTENT, _)) => {
                metrics::counter!("misy_internal_changes_told_total", "outcome" => "ok").increment(1);
            }
            Ok((status, _)) => refused(peer, &status.to_string()),
            Err(error) => refused(peer, &format!("{error:#}")),
        }
    }
}

fn refused(peer: &Uri, cause: &str) {
    metrics::counter!("misy_internal_changes_told_total", "outcome" => "failed").increment(1);
    warn!(%peer, cause, "another process could not be told of a change; it will see it within a second");
}
