//! A data directory that is ours: from nothing to a running server.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    account::Account,
    config,
    error::{StartError, file},
    initdb,
    layout::{Layout, make_data_dir},
    lock::DirLock,
    options::Options,
    postmaster::{self, Output, POLL, Running},
    probe::{self, Answer},
    programs::Programs,
};

/// How long processes of a killed server may hold its memory.
const REMAINS_PATIENCE: Duration = Duration::from_secs(15);

/// What to do when the data directory is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Patience {
    Refuse,
    Wait,
}

/// A cluster that this process holds; dropped, another may have it.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) layout: Layout,
    pub(crate) socket_dir: PathBuf,
    account: Account,
    programs: Programs,
    options: Options,
    _locks: Vec<DirLock>,
}

impl Cluster {
    /// Takes the data directory and finds out where everything is.
    pub(crate) async fn hold(options: Options, patience: Patience) -> Result<Self, StartError> {
        options.check()?;
        let data_dir = make_data_dir(&options.data_dir)?;
        let mut locks = vec![lock(data_dir.clone(), patience).await?];
        let (layout, account) = Layout::of(&data_dir, &options)?;
        if layout.base != data_dir {
            // A copied data directory names the same cluster.
            locks.push(lock(layout.base.clone(), patience).await?);
        }
        let socket_dir = layout.socket_dir(&account)?;
        Ok(Self { layout, socket_dir, account, programs: options.programs.clone(), options, _locks: locks })
    }

    /// Makes the cluster when there is none, and writes its configuration.
    pub(crate) async fn prepare(&mut self) -> Result<(), StartError> {
        initdb::ensure(&self.layout, &self.options, &self.programs, &self.account).await?;
        let cluster = &self.layout.cluster;
        let made_by = major_of(cluster)?;
        self.programs =
            self.options.programs.of_major(made_by, &self.account).ok_or_else(|| StartError::OtherMajor {
                cluster: cluster.clone(),
                made_by,
                found: self.options.programs.version(),
            })?;
        config::write(cluster, &self.socket_dir, &self.options, &Account::own()?, &self.account)
    }

    /// Starts the server and waits until it accepts connections.
    ///
    /// Without a limit it waits as long as the server lives: recovery after a crash takes what it takes.
    pub(crate) async fn launch(
        &self,
        limit: Option<Duration>,
        output: &Output,
    ) -> Result<Running, StartError> {
        let started = Instant::now();
        loop {
            postmaster::clear_way(&self.layout.cluster, &self.socket_dir).await?;
            let running = Running::start(
                &self.programs,
                &self.account,
                &self.layout.cluster,
                &self.socket_dir,
                output,
            )?;
            match self.until_ready(running, started, limit).await {
                Err(StartError::Exited { log, .. })
                    if is_remains(&log) && started.elapsed() < REMAINS_PATIENCE =>
                {
                    tracing::info!(target: "postgres", "waiting for the processes of a killed PostgreSQL to end");
                    tokio::time::sleep(POLL * 10).await;
                }
                done => return done,
            }
        }
    }

    async fn until_ready(
        &self,
        mut running: Running,
        started: Instant,
        limit: Option<Duration>,
    ) -> Result<Running, StartError> {
        let pid_path = self.layout.cluster.join("postmaster.pid");
        loop {
            let exited = running.child.try_wait().map_err(file("wait for", self.programs.postgres()))?;
            if let Some(status) = exited {
                return Err(StartError::Exited {
                    status: status.to_string(),
                    log: running.last_words().await,
                });
            }
            // Asked too early the server logs each question as a fatal error.
            let ready = postmaster::pid_file(&pid_path)
                .is_some_and(|file| file.ready && Some(file.pid) == running.pid());
            if ready {
                match probe::ask(&self.socket_dir).await {
                    Answer::Ready => return Ok(running),
                    Answer::Refused(words) => return Err(StartError::Refused(words)),
                    Answer::NotYet => {}
                }
            }
            if let Some(limit) = limit.filter(|limit| started.elapsed() > *limit) {
                return Err(StartError::NotReady { after: limit, log: running.words() });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Removes the cluster. Its server must be gone.
    pub(crate) fn remove(&self) -> Result<(), StartError> {
        let data_dir = make_data_dir(&self.options.data_dir)?;
        self.layout.remove(&data_dir)
    }

    pub(crate) fn start_timeout(&self) -> Duration {
        self.options.start_timeout
    }

    pub(crate) fn programs(&self) -> &Programs {
        &self.programs
    }
}

async fn lock(dir: PathBuf, patience: Patience) -> Result<DirLock, StartError> {
    match patience {
        Patience::Refuse => DirLock::take(&dir),
        Patience::Wait => {
            let path = dir.clone();
            tokio::task::spawn_blocking(move || DirLock::wait(&dir))
                .await
                .unwrap_or_else(|error| Err(file("lock", path)(std::io::Error::other(error))))
        }
    }
}

fn major_of(cluster: &Path) -> Result<u32, StartError> {
    fs::read_to_string(cluster.join("PG_VERSION"))
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| StartError::NotACluster(cluster.to_path_buf()))
}

/// Whether the server stopped because processes of a killed one are still ending.
fn is_remains(log: &str) -> bool {
    log.contains("pre-existing shared memory block") || log.contains("\"postmaster.pid\" already exists")
}
