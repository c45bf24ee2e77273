//! (f) Memory at rest and the time of a start on an existing data directory.

use crate::{process, report, stage::Stage};
use anyhow::ensure;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

pub(crate) async fn measure() -> anyhow::Result<()> {
    let mut stage = Stage::set(&[]).await?;
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        stage.program.stop()?;
        let began = Instant::now();
        stage.program = stage.start.spawn()?;
        ensure!(stage.program.ready(Duration::from_mins(1)).await, "see {}", stage.start.log().display());
        times.push(began.elapsed());
        memory.push(process::resident(stage.program.pid()));
    }
    times.sort();
    memory.sort_unstable();
    report(format!(
        "idle         start to ready {:.2} s (budget 1.5), resident {} MB (budget 60), PostgreSQL's own processes aside",
        times[ROUNDS / 2].as_secs_f64(),
        memory[ROUNDS / 2] / 1024,
    ));
    Ok(())
}
