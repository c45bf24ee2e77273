//! What the encoder costs: `cargo run --release -p misy-encoder --example measure -- WEIGHTS < texts`
//!
//! Embeds each line as a question and prints the time that one thread ran for it, and the memory of the process.
#![allow(clippy::print_stdout)]

use misy_encoder::Encoder;
use std::{error::Error, fs, io, path::Path, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("a file of weights is needed")?;
    let start = Instant::now();
    let encoder = Encoder::open(Path::new(&path))?;
    println!(
        "read in {:.0} ms; the weights take {} MB",
        start.elapsed().as_secs_f64() * 1e3,
        encoder.bytes() >> 20
    );
    let (mut times, mut pieces) = (Vec::new(), Vec::new());
    for text in io::stdin().lines() {
        let text = text?;
        let before = on_cpu()?;
        encoder.query(&text);
        times.push(on_cpu()? - before);
        pieces.push(encoder.query_pieces(&text).len());
    }
    times.sort_by(f64::total_cmp);
    pieces.sort_unstable();
    let (Some(last), at) = (times.len().checked_sub(1), |share: usize| times.len() * share / 100) else {
        return Err("there are no texts".into());
    };
    println!(
        "{} texts of {} pieces (p50), {} (p95): {:.1} ms (p50), {:.1} ms (p95), {:.1} ms (most) of one core",
        times.len(),
        pieces[at(50)],
        pieces[at(95)],
        times[at(50)],
        times[at(95)],
        times[last],
    );
    let status = fs::read_to_string("/proc/self/status")?;
    for line in status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM")) {
        println!("{line}");
    }
    Ok(())
}

/// How long this thread ran, in milliseconds, whatever else the machine did.
fn on_cpu() -> Result<f64, Box<dyn Error>> {
    let times = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(times.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e6)
}
