//! The private server that lives as long as the program.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use crate::{
    PORT,
    cluster::{Cluster, Patience},
    connection_url,
    error::StartError,
    options::Options,
    postmaster::{Output, Running},
    version::Version,
};

/// How long a stop may take before it is hurried: first orderly, then without a checkpoint.
const STOP_STEPS: [(Signal, Duration); 2] =
    [(Signal::INT, Duration::from_secs(20)), (Signal::QUIT, Duration::from_secs(5))];

/// The longest pause between two attempts to bring a dead server back.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A server that lived this long before it died starts the pauses anew.
const STEADY: Duration = Duration::from_mins(1);

/// How the private server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It accepts connections. When one of its processes dies it ends all connections and recovers by itself.
    Ready,
    /// It died and is being brought back.
    Restarting,
    /// It was stopped.
    Stopped,
}

/// A PostgreSQL server of our own, restarted when it dies, stopped with the program.
///
/// Dropping it stops the server in the background; [`PrivateServer::stop`] waits for the end.
#[derive(Debug)]
pub struct PrivateServer {
    socket_dir: PathBuf,
    cluster: PathBuf,
    version: Version,
    state: watch::Receiver<State>,
    restarts: Arc<AtomicU64>,
    stop: watch::Sender<bool>,
    supervisor: JoinHandle<()>,
}

impl PrivateServer {
    /// Starts the server of a data directory, making the cluster the first time, and waits until it accepts
    /// connections. A server that an earlier process left running is stopped first.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let begun = Instant::now();
        let mut cluster = Cluster::hold(options, Patience::Refuse).await?;
        cluster.prepare().await?;
        let running = cluster.launch(Some(cluster.start_timeout()), &Output::Log).await?;
        let version = cluster.programs().version();
        tracing::info!(
            target: "postgres",
            "PostgreSQL {version} is ready in {}, after {} ms",
            cluster.layout.cluster.display(), begun.elapsed().as_millis()
        );
        let (state_sender, state) = watch::channel(State::Ready);
        let (stop, stop_receiver) = watch::channel(false);
        let restarts = Arc::new(AtomicU64::new(0));
        Ok(Self {
            socket_dir: cluster.socket_dir.clone(),
            cluster: cluster.layout.cluster.clone(),
            version,
            state,
            restarts: Arc::clone(&restarts),
            stop,
            supervisor: tokio::spawn(
                Supervisor { cluster, state: state_sender, restarts, stop: stop_receiver }.run(running),
            ),
        })
    }

    /// The folder of the Unix socket, the `host` of a connection.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The `port` of a connection.
    pub fn port(&self) -> u16 {
        PORT
    }

    /// The address of a database for one of the roles in [`Options::roles`]; no password is needed.
    pub fn connection_url(&self, role: &str, database: &str) -> String {
        connection_url(&self.socket_dir, role, database)
    }

    /// The cluster's folder, `PGDATA`.
    pub fn cluster_dir(&self) -> &Path {
        &self.cluster
    }

    /// The version that runs.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The state, now and whenever it changes.
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// How many times the server died and was brought back.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Stops the server and waits until it is gone: connections are ended, everything is written down.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.supervisor).await {
            tracing::error!(target: "postgres", "the server's supervisor ended early: {error}");
        }
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        // The supervisor stops the server in order; when the runtime ends first, `Running` tells the server to stop.
        self.stop.send_replace(true);
    }
}

/// Keeps a server running. It holds the cluster, so the data directory stays taken until the server is gone.
struct Supervisor {
    cluster: Cluster,
    state: watch::Sender<State>,
    restarts: Arc<AtomicU64>,
    stop: watch::Receiver<bool>,
}

impl Supervisor {
    async fn run(mut self, mut running: Running) {
        let mut deaths = 0;
        loop {
            let since = Instant::now();
            let status = tokio::select! {
                status = running.child.wait() => status,
                () = stopped(&mut self.stop) => {
                    shut_down(&mut running).await;
                    break;
                }
            };
            let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            tracing::error!(target: "postgres", "PostgreSQL died ({status}) and is started again");
            self.state.send_replace(State::Restarting);
            deaths = if since.elapsed() > STEADY { 0 } else { deaths };
            let Some(next) = self.bring_back(&mut deaths).await else { break };
            running = next;
            self.restarts.fetch_add(1, Ordering::Relaxed);
            self.state.send_replace(State::Ready);
            tracing::info!(target: "postgres", "PostgreSQL is ready again");
        }
        self.state.send_replace(State::Stopped);
    }

    /// Starts the server until it runs, or until we are told to stop.
    async fn bring_back(&mut self, deaths: &mut u32) -> Option<Running> {
        let mut stop = self.stop.clone();
        loop {
            let pause = pause_after(*deaths);
            *deaths = deaths.saturating_add(1);
            let attempt = async {
                tokio::time::sleep(pause).await;
                self.cluster.launch(None, &Output::Log).await
            };
            let result = tokio::select! {
                result = attempt => result,
                () = stopped(&mut stop) => {
                    // Dropping the attempt told its server to stop; this waits for it.
                    let gone = crate::postmaster::clear_way(&self.cluster.layout.cluster, &self.cluster.socket_dir);
                    if let Err(error) = gone.await {
                        tracing::error!(target: "postgres", "{error}");
                    }
                    return None;
                }
            };
            match result {
                Ok(running) => return Some(running),
                Err(error) => tracing::error!(target: "postgres", "{error}"),
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// No pause before the first attempt, then 0.2 s, doubling.
fn pause_after(deaths: u32) -> Duration {
    match deaths {
        0 => Duration::ZERO,
        _ => Duration::from_millis(100).saturating_mul(1 << deaths.min(10)).min(LONGEST_PAUSE),
    }
}

async fn shut_down(running: &mut Running) {
    for (signal, patience) in STOP_STEPS {
        running.signal(signal);
        if timeout(patience, running.child.wait()).await.is_ok() {
            return;
        }
        tracing::warn!(target: "postgres", "PostgreSQL did not stop within {patience:?}");
    }
    if let Err(error) = running.child.kill().await {
        tracing::error!(target: "postgres", "PostgreSQL could not be killed: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let pauses: Vec<_> = [0, 1, 2, 6, 7, u32::MAX].map(|deaths| pause_after(deaths).as_millis()).into();
        assert_eq!(pauses, [0, 200, 400, 6_400, 10_000, 10_000]);
    }
}
