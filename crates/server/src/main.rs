//! `misy`: the one program.

mod attached;
mod commands;
mod demo;
mod given;
mod http;
mod internal;
mod lifecycle;
mod loops;
mod own_memory;
mod root_keys;
mod settings;
mod telemetry;
mod tls;
mod weights;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match commands::Command::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The last word goes to the person at the terminal, logs or not.
            #[allow(clippy::print_stderr, reason = "the command line answers its caller")]
            {
                eprintln!("misy: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
