//! The real program with one tenant, for one measurement.

use anyhow::{Context, ensure};
use misy_testkit::{
    client::{Site, Visitor},
    program::{Program, Start, register},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// A started program and what is needed to use it.
pub(crate) struct Stage {
    /// The program.
    pub(crate) program: Program,
    /// How it was started.
    pub(crate) start: Start,
    /// A site of its one tenant.
    pub(crate) site: Site,
    _dir: tempfile::TempDir,
}

/// A started program without any tenant.
pub(crate) struct Empty {
    /// The program.
    pub(crate) program: Program,
    /// How it was started.
    start: Start,
    dir: tempfile::TempDir,
}

impl Empty {
    /// Starts the program.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_with(&[]).await
    }

    /// Starts the program with environment variables of its own.
    pub(crate) async fn start_with(variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("misy-b").tempdir_in("/tmp")?;
        let binary = std::env::current_exe()?.with_file_name("misy");
        let mut start = Start::new(binary, dir.path().join("data"))?.with("MISY_LOG", "warn");
        for (name, value) in variables {
            start = start.with(name, *value);
        }
        let mut program = start.spawn()?;
        ensure!(program.ready(Duration::from_mins(1)).await, "see {}", start.log().display());
        Ok(Self { program, start, dir })
    }
}

impl Stage {
    /// Starts the program with environment variables of its own.
    pub(crate) async fn set(variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let Empty { program, start, dir } = Empty::start_with(variables).await?;
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds/businesses/andina.json");
        let site = register(&program.url, "andina", &pack).await?;
        Ok(Self { program, start, site, _dir: dir })
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        self.site.api.trim_start_matches("http://")
    }

    /// Where the private PostgreSQL listens.
    pub(crate) fn socket_dir(&self) -> PathBuf {
        self.start.data_dir.join("run")
    }

    /// A visitor with so many sessions.
    pub(crate) async fn visitor(&self, sessions: usize) -> anyhow::Result<(Visitor, Vec<String>)> {
        let visitor = Visitor::arrive(&self.site).await?;
        let mut ids = Vec::with_capacity(sessions);
        for _ in 0..sessions {
            ids.push(visitor.open_session().await.context("session")?);
        }
        Ok((visitor, ids))
    }
}
