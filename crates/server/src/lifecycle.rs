//! From settings to a running program and back to rest.

use crate::{
    attached, given,
    http::{self, Terms},
    internal::{self, Peers, Service},
    loops, root_keys,
    settings::Settings,
    tls::{self, Tls},
    weights,
};
use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;
use misy_domain::{Clock, Entropy, Secret, SystemClock};
use misy_front_desk::{FrontDesk, InstallationProvider, Parts, Provider};
use misy_orchestrator::{Courier, Mailer, Turns, WorkerSettings, rotations};
use misy_postgres::{PrivateServer, Programs};
use misy_store::{
    Bell, Database, DatabaseOptions, Files, Limits, Shared, Vault,
    database::Login,
    shared::{self, IN_THE_CLEAR},
};
use misy_trust::{BootstrapSecret, ServiceRole, SystemEntropy};
use misy_workbench::Packs;
use sqlx::postgres::PgConnectOptions;
use std::{
    fs,
    io::Write,
    num::NonZero,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
    thread,
    time::Instant,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

/// The running program.
pub(crate) struct Running {
    /// Where it listens and how browsers reach it.
    pub(crate) public_url: String,
    /// The front desk, for those who seed it.
    pub(crate) front_desk: FrontDesk,
    stop: CancellationToken,
    tasks: TaskTracker,
    database: Database,
    private: Option<PrivateServer>,
}

/// `misy serve`
pub(crate) async fn serve(settings: Settings, metrics: PrometheusHandle) -> anyhow::Result<()> {
    let running = Running::start(&settings, metrics).await?;
    info!(url = running.public_url, "ready");
    running.until_told_to_stop().await
}

impl Running {
    /// Starts everything; when this returns, requests are answered.
    pub(crate) async fn start(settings: &Settings, metrics: PrometheusHandle) -> anyhow::Result<Self> {
        let began = Instant::now();
        let listener = http::listen(settings.address.http, http::DEFAULT_PORT).await?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(&settings.data_dir)
            .with_context(|| format!("cannot create the data directory {}", settings.data_dir.display()))?;
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (private, database) = open_database(settings, &clock, &entropy).await?;
        match Self::assemble(settings, metrics, listener, &database, entropy, clock).await {
            Ok((front_desk, public_url, stop, tasks)) => {
                info!(millis = began.elapsed().as_millis(), "started");
                Ok(Self { public_url, front_desk, stop, tasks, database, private })
            }
            Err(error) => {
                database.close().await;
                if let Some(server) = private {
                    server.stop().await;
                }
                Err(error)
            }
        }
    }

    async fn assemble(
        settings: &Settings,
        metrics: PrometheusHandle,
        listener: TcpListener,
        database: &Database,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<(FrontDesk, String, CancellationToken, TaskTracker)> {
        let vault = attached::vault(settings, database, &clock, &entropy).await?;
        let tls = settings.tls.public.clone().map(Tls::load).transpose()?;
        let redis = match settings.redis.clone() {
            Some(address) => {
                if address.is_in_the_clear() {
                    warn!("Redis: {IN_THE_CLEAR}");
                }
                Some(Shared::at(address, shared::PATIENCE).await)
            }
            None => None,
        };
        let letters = vault.letters(database, clock.clone()).await?;
        let bell = Bell::through(redis.as_ref(), letters);
        let public_url = match &settings.address.public_url {
            Some(origin) => origin.to_string(),
            None if tls.is_some() => format!("https://{}", listener.local_addr()?),
            None => format!("http://{}", listener.local_addr()?),
        };
        let desk_settings = desk_settings(settings, &public_url, tls.is_some(), &*entropy)?;
        let mailer = match &settings.mail {
            Some(mail) => Some(Mailer::new(database.clone(), vault.clone(), mail.url.expose(), &mail.from)?),
            None => None,
        };
        let packs = packs(settings).await?;
        let front_desk = FrontDesk::new(Parts {
            database: database.clone(),
            vault: vault.clone(),
            bell: bell.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            egress: root_keys::egress(settings)?,
            settings: desk_settings,
            metrics: Some(metrics),
            redis: redis.clone(),
            packs: packs.clone(),
            files: files(settings)?,
        })
        .await?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let neighbours = Neighbours {
            database: database.clone(),
            vault: vault.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        neighbours.start(settings, &front_desk, &stop, &tasks).await?;
        let rotations = rotations(database.clone(), vault.clone(), entropy.clone());
        let egress = root_keys::egress(settings)?;
        let courier = Courier::new(database.clone(), vault.clone(), bell.clone(), egress, clock.clone())
            .calling(settings.vendors.clone());
        let turns = Turns::new(database.clone(), vault, bell, packs, clock, entropy.clone())
            .limited_by(Limits::through(redis))
            .telling(courier.signs());
        if let Some(tls) = &tls {
            tasks.spawn(tls.clone().follow(stop.clone()));
            tasks.spawn(tls::overdue::watch(tls.clone(), "public", front_desk.clone(), stop.clone()));
        }
        tasks.spawn(http::serve(
            listener,
            front_desk.router(),
            tls,
            settings.connections.terms.clone(),
            stop.clone(),
        ));
        loops::start(settings, &front_desk, &stop, &tasks);
        if settings.work.worker {
            tasks.spawn(rotations.run(stop.clone()));
            let cores = thread::available_parallelism().map_or(1, NonZero::get);
            tasks.spawn(turns.worker(WorkerSettings::for_cores(cores)).run(stop.clone()));
            tasks.spawn(courier.worker(entropy.clone(), Courier::settings()).run(stop.clone()));
            if let Some(mailer) = mailer {
                tasks.spawn(mailer.worker(entropy, Mailer::settings()).run(stop.clone()));
            }
        }
        Ok((front_desk, public_url, stop, tasks))
    }

    /// Stops together with the program, in its own task.
    pub(crate) fn also_serve(&self, listener: TcpListener, router: axum::Router) {
        self.tasks.spawn(http::serve(listener, router, None, Terms::default(), self.stop.clone()));
    }

    /// Waits for SIGTERM or Ctrl-C, then ends in order.
    pub(crate) async fn until_told_to_stop(self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        self.stop().await;
        Ok(())
    }

    /// Ends in order: no new requests, work given back, audit written, PostgreSQL down.
    pub(crate) async fn stop(self) {
        info!("stopping");
        self.stop.cancel();
        self.front_desk.stop_streams();
        self.tasks.close();
        self.tasks.wait().await;
        self.front_desk.shutdown().await;
        self.database.close().await;
        if let Some(server) = self.private {
            server.stop().await;
        }
        info!("stopped");
    }
}

/// Where the bytes of files lie.
fn files(settings: &Settings) -> anyhow::Result<Files> {
    let directory = settings.files.directory.clone().unwrap_or_else(|| settings.data_dir.join("files"));
    Files::in_directory(&directory).with_context(|| format!("cannot keep files in {}", directory.display()))
}

/// What the front desk is told.
/// Where packs are made ready: understood by their meaning if weights are installed, and else by words alone.
async fn packs(settings: &Settings) -> anyhow::Result<Packs> {
    let packs = Packs::start(settings.work.pack_memory).context("cannot start the threads of agents")?;
    let data_dir = settings.data_dir.clone();
    let opened = tokio::task::spawn_blocking(move || weights::open(&data_dir)).await?;
    match opened {
        Ok(Some((name, encoder))) => {
            info!(weights = name, bytes = encoder.bytes(), "questions are understood by their meaning");
            Ok(packs.understood_by(Arc::new(encoder)))
        }
        Ok(None) => {
            info!("no weights are installed: questions are understood by their words alone");
            Ok(packs)
        }
        Err(error) => {
            warn!(%error, "the weights cannot be used: questions are understood by their words alone");
            Ok(packs)
        }
    }
}

fn desk_settings(
    settings: &Settings,
    public_url: &str,
    ends_tls: bool,
    entropy: &dyn Entropy,
) -> anyhow::Result<misy_front_desk::Settings> {
    let mut desk_settings = misy_front_desk::Settings::new(public_url, settings.owner.id.clone());
    desk_settings.algorithm = settings.token_algorithm;
    desk_settings.bootstrap_secret = Some(BootstrapSecret::new(&bootstrap_secret(settings, entropy)?));
    desk_settings.self_registration = settings.owner.self_registration;
    desk_settings.provider = settings.sign_in.as_ref().map(|oidc| InstallationProvider {
        provider: Provider {
            issuer: oidc.issuer.clone(),
            client_id: oidc.client_id.clone(),
            client_secret: oidc.client_secret.clone(),
            scopes: vec!["email".into(), "profile".into()],
        },
        tenant_claim: oidc.tenant_claim.clone(),
    });
    desk_settings.trusted_proxies = settings.connections.trusted_proxies;
    desk_settings.proxy_header = settings.connections.proxy_header;
    desk_settings.close_grace = settings.close_grace;
    desk_settings.graph_url.clone_from(&settings.vendors);
    desk_settings.strict_transport = ends_tls;
    desk_settings.streams_per_family = settings.connections.streams_per_visitor;
    desk_settings.streams_per_address = settings.connections.streams_per_address;
    desk_settings.largest_file = settings.files.largest;
    desk_settings.body_timeout = settings.connections.body_timeout;
    desk_settings.metrics_token = settings.telemetry.metrics_token.as_ref().map(BootstrapSecret::new);
    desk_settings.mail = settings.mail.is_some();
    Ok(desk_settings)
}

/// What the internal address and the calls to other processes need.
struct Neighbours {
    database: Database,
    vault: Vault,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Neighbours {
    /// Listens to other processes of the installation and tells them of changes, as far as that is set.
    async fn start(
        self,
        settings: &Settings,
        front_desk: &FrontDesk,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> anyhow::Result<()> {
        let Some(files) = settings.tls.internal.clone() else { return Ok(()) };
        let tls = Tls::load(files)?;
        let mut roles = vec![ServiceRole::FrontDesk];
        roles.extend(settings.work.worker.then_some(ServiceRole::Worker));
        let service = Service::start(self.database, self.vault, self.clock, self.entropy, roles).await?;
        tasks.spawn(tls.clone().follow(stop.clone()));
        tasks.spawn(tls::overdue::watch(tls.clone(), "internal", front_desk.clone(), stop.clone()));
        tasks.spawn(service.clone().follow_keys(stop.clone()));
        if let Some(address) = settings.tls.internal_addr {
            let listener = http::listen(Some(address), 0).await?;
            info!(%address, "listening to other processes of the installation");
            let router = internal::router(service.clone(), front_desk.clone());
            tasks.spawn(http::serve(listener, router, Some(tls.clone()), Terms::default(), stop.clone()));
        }
        if !settings.tls.peers.is_empty() {
            let peers = Peers { service, tls, addresses: settings.tls.peers.clone() };
            tasks.spawn(peers.tell_changes(front_desk.clone(), stop.clone()));
        }
        Ok(())
    }
}

/// The given server, or the private one.
pub(crate) async fn open_database(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<(Option<PrivateServer>, Database)> {
    if let Some(url) = &settings.database.url {
        return Ok((None, given::open(settings, url, clock, entropy).await?));
    }
    let programs = Programs::find(settings.database.postgres_bin.as_deref())?;
    let server = PrivateServer::start(misy_postgres::Options::new(&settings.data_dir, programs)).await?;
    let administrator = PgConnectOptions::new_without_pgpass()
        .socket(server.socket_dir())
        .port(server.port())
        .username("postgres")
        .database("postgres");
    match Database::connect(&DatabaseOptions::new(administrator, Login::ByName)).await {
        Ok(database) => Ok((Some(server), database)),
        Err(error) => {
            server.stop().await;
            let place = settings.data_dir.join("postgres");
            Err(anyhow::Error::new(error)
                .context(format!("the private PostgreSQL server in {}", place.display())))
        }
    }
}

/// The one-time secret that registers the owner: as set, or made once and kept where only the operator can read it.
fn bootstrap_secret(settings: &Settings, entropy: &dyn Entropy) -> anyhow::Result<Secret<String>> {
    if let Some(secret) = &settings.owner.bootstrap_secret {
        return Ok(secret.clone());
    }
    secret_file(&settings.data_dir.join("bootstrap-secret"), entropy)
}

fn secret_file(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<Secret<String>> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let created = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match created {
        Ok(mut file) => {
            let secret = Secret::new(URL_SAFE_NO_PAD.encode(entropy.key()));
            file.write_all(secret.expose().as_bytes())?;
            file.sync_all()?;
            info!(file = %path.display(), "made the secret that registers the owner");
            Ok(secret)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            let text = text.trim();
            anyhow::ensure!(
                text.len() >= 16,
                "{} holds no secret: delete it, and a new one is made",
                path.display()
            );
            Ok(Secret::new(text.to_owned()))
        }
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}
