//! `bench/run`: every budget of the program, measured side by side in one run.

mod connections;
mod echo;
mod encryption;
mod idle;
mod ingest;
mod load;
mod neighbour;
mod operations;
mod pgbench;
mod pipeline;
mod process;
mod rls;
mod stage;
mod turns;

use clap::Parser;

#[derive(Parser)]
struct Command {
    /// Which parts to measure; none means all
    #[arg(value_enum)]
    parts: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Full security pipeline against a bare echo
    Pipeline,
    /// A query under row-level security against the same without
    Rls,
    /// Ingest over HTTP against pgbench calling the same function
    Ingest,
    /// Message in to reply event out at 100 messages a second
    Turns,
    /// Memory of 10,000 idle live connections
    Connections,
    /// A thousand operations on tenants at once
    Operations,
    /// Memory and time of a start
    Idle,
    /// Sealing a message, and rotating keys
    Encryption,
    /// What a tenant notices of another one that does its worst
    Neighbour,
}

const ALL: [Part; 9] = [
    Part::Idle,
    Part::Pipeline,
    Part::Rls,
    Part::Ingest,
    Part::Turns,
    Part::Connections,
    Part::Operations,
    Part::Encryption,
    Part::Neighbour,
];

/// Prints a line of the report.
#[allow(clippy::print_stdout, reason = "the report is what this program is for")]
pub(crate) fn report(line: impl std::fmt::Display) {
    println!("{line}");
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("echo") {
        return echo::serve().await;
    }
    let parts = Command::parse().parts;
    for part in ALL.into_iter().filter(|part| parts.is_empty() || parts.contains(part)) {
        match part {
            Part::Pipeline => pipeline::measure().await?,
            Part::Rls => rls::measure().await?,
            Part::Ingest => ingest::measure().await?,
            Part::Turns => turns::measure().await?,
            Part::Connections => connections::measure().await?,
            Part::Operations => operations::measure().await?,
            Part::Idle => idle::measure().await?,
            Part::Encryption => encryption::measure().await?,
            Part::Neighbour => neighbour::measure().await?,
        }
    }
    Ok(())
}
