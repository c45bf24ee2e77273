//! `misy internal`: asks other processes of the installation.

use crate::{
    attached,
    internal::{Peers, Service},
    settings::{Settings, peer},
    tls::Tls,
};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use hyper::{Method, StatusCode};
use misy_domain::{Clock, Entropy, SystemClock};
use misy_trust::{ServiceRole, SystemEntropy};
use std::sync::Arc;

/// Ask another process of this installation, with mutual TLS and a service token
#[derive(Args)]
pub(super) struct Internal {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// How the process is
    Status(At),
    /// Its metrics
    Metrics(At),
}

#[derive(Args)]
struct At {
    /// Its internal address, such as <https://10.0.0.7:8790>
    #[arg(long, value_name = "URL")]
    peer: String,
    /// The role that is asked for: front-desk or worker
    #[arg(long, default_value = "front-desk")]
    role: ServiceRole,
}

impl Internal {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let (path, at) = match &self.what {
            What::Status(at) => ("/internal/status", at),
            What::Metrics(at) => ("/metrics", at),
        };
        let address = peer(&at.peer)?;
        let files = settings.tls.internal.clone().context(
            "set MISY_INTERNAL_CERTIFICATE, MISY_INTERNAL_KEY and MISY_INTERNAL_CA, as for the processes",
        )?;
        let database = attached::reach_database(settings).await?;
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let vault = attached::vault(settings, &database, &clock, &entropy).await?;
        let roles = vec![ServiceRole::Operator];
        let service = Service::start(database.clone(), vault, Arc::new(SystemClock), entropy, roles).await?;
        let peers = Peers { service, tls: Tls::load(files)?, addresses: Vec::new() };
        let answer = peers.call(Method::GET, &address, path, at.role).await;
        database.close().await;
        let (status, body) = answer?;
        if status != StatusCode::OK {
            bail!("{address} answers {status}");
        }
        super::config::print(&format!("{}\n", String::from_utf8_lossy(&body).trim_end()))
    }
}
