//! The command line.

mod audit;
mod config;
mod doctor;
mod enroll;
mod eval;
mod internal;
mod keys;
mod models;

use crate::{demo, lifecycle, own_memory, settings::Settings, telemetry::Telemetry};
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Misy gives thousands of businesses an AI agent that talks to their customers, each kept strictly apart.
///
/// Settings come from defaults, `misy.toml` and the environment; `misy config` explains each one and shows its value.
#[derive(Parser)]
#[command(name = "misy", version, arg_required_else_help = true)]
pub(crate) struct Command {
    /// Read settings from this file instead of ./misy.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Serve requests and work on conversations until SIGTERM or Ctrl-C
    Serve,
    /// Serve, with the owner, three demo businesses and their sites on this machine
    Demo,
    /// Check that this machine has what Misy needs, and say what to do where it has not
    Doctor,
    /// Make a new link for the first administrator of a tenant in which nobody enrolled in time
    Enroll(enroll::Enroll),
    /// Look after the key above all others
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Look after the weights that understand questions by their meaning
    #[command(subcommand)]
    Models(models::Models),
    /// Explain every setting and show its value and where that comes from
    Config,
    Internal(internal::Internal),
    /// Measure decisions and answers against labelled messages
    Eval(eval::Eval),
    /// Prove audit trails
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Print the OpenAPI description
    Openapi,
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if let Action::Openapi = self.action {
            return config::print(&misy_front_desk::openapi_document());
        }
        if let Action::Eval(eval) = self.action {
            return eval.run(self.config.as_deref());
        }
        if let Action::Audit(audit::Audit::Verify(verify)) = self.action {
            return verify.run();
        }
        // From here on there are secrets in memory.
        own_memory::hide().context("cannot keep other processes out of this one's memory")?;
        let settings = Settings::read(self.config.as_deref())?;
        match self.action {
            Action::Config => config::run(&settings),
            Action::Doctor => runtime()?.block_on(doctor::run(&settings)),
            Action::Enroll(enroll) => runtime()?.block_on(enroll.run(&settings)),
            Action::Keys(keys) => runtime()?.block_on(keys.run(&settings)),
            Action::Models(models) => runtime()?.block_on(models.run(&settings)),
            Action::Serve => {
                let runtime = runtime()?;
                let telemetry = Telemetry::start(&settings, runtime.handle())?;
                runtime.block_on(telemetry.watch(async |metrics| lifecycle::serve(settings, metrics).await))
            }
            Action::Demo => {
                let runtime = runtime()?;
                let telemetry = Telemetry::start(&settings, runtime.handle())?;
                runtime.block_on(telemetry.watch(async |metrics| demo::serve(settings, metrics).await))
            }
            Action::Internal(internal) => runtime()?.block_on(internal.run(&settings)),
            Action::Audit(audit::Audit::Check { tenant }) => {
                runtime()?.block_on(audit::check(&settings, tenant))
            }
            Action::Audit(audit::Audit::RotateKey) => runtime()?.block_on(audit::rotate_key(&settings)),
            Action::Audit(audit::Audit::Verify(_)) | Action::Eval(_) | Action::Openapi => Ok(()),
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
