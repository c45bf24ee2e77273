//! A server that outlives the process that starts it, shared by the processes of a test run.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    cluster::{Cluster, Patience},
    error::{StartError, file},
    options::Options,
    postmaster::{self, Output},
    probe::{self, Answer},
};

/// Finds the running server of a data directory or starts one, and gives its socket folder.
///
/// Any number of processes may call this at once: the first starts the server, the others wait for it.
pub async fn ensure(options: Options) -> Result<PathBuf, StartError> {
    let mut cluster = Cluster::hold(options, Patience::Wait).await?;
    if postmaster::living(&cluster.layout.cluster).is_some_and(|found| found.ready)
        && probe::ask(&cluster.socket_dir).await == Answer::Ready
    {
        return Ok(cluster.socket_dir);
    }
    cluster.prepare().await?;
    let log = cluster.layout.base.join("server.log");
    cluster.launch(Some(cluster.start_timeout()), &Output::File(log)).await?.leave();
    Ok(cluster.socket_dir)
}

/// Stops the server of a data directory and removes its cluster: everything in it is lost.
pub async fn discard(options: Options) -> Result<(), StartError> {
    let cluster = match Cluster::hold(options, Patience::Wait).await {
        Ok(cluster) => cluster,
        Err(StartError::Lost { location, .. }) => {
            return fs::remove_file(&location).map_err(file("remove", location));
        }
        Err(error) => return Err(error),
    };
    if let Some(found) = postmaster::living(&cluster.layout.cluster) {
        postmaster::stop_leftover(&cluster.layout.cluster, found.pid).await?;
    }
    cluster.remove()
}

/// Whether a server behind this socket folder accepts our connections.
pub async fn answers(socket_dir: &Path) -> bool {
    probe::ask(socket_dir).await == Answer::Ready
}
