//! What it costs to sign a token and to see one for the first time, by algorithm: `cargo run --release -p misy-trust --example
//! token_cost`.

use misy_domain::{Clock, Permissions, SystemClock, TokenId};
use misy_trust::{Algorithm, RequestKeyKind, SigningKey, SystemEntropy, TatClaims, TokenKeys};
use std::{
    hint::black_box,
    io::Write,
    time::{Duration, Instant},
};

const ROUNDS: u32 = 500;
const SAMPLES: usize = 9;

/// The median of several samples, in microseconds for one call.
fn microseconds<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut samples = [0.0; SAMPLES];
    for sample in &mut samples {
        let begun = Instant::now();
        for _ in 0..ROUNDS {
            black_box(call());
        }
        *sample = begun.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS);
    }
    samples.sort_by(f64::total_cmp);
    samples[SAMPLES / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let entropy = SystemEntropy::new();
    let now = SystemClock.now();
    let jti = TokenId::new(&SystemClock, &entropy);
    let claims = TatClaims {
        tenant_id: "andina".parse()?,
        site_id: "main".parse()?,
        origin: Some("https://andina.example".parse()?),
        permissions: Permissions::anonymous_chat(),
        iat: now,
        exp: now + Duration::from_hours(1),
        jti,
        epoch: 3,
        sig: RequestKeyKind::Token,
        family: jti,
        key: None,
        certificate: None,
    };
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm, &SystemClock, &entropy)?;
        let keys = TokenKeys::new("https://misy.example", vec![key])?;
        let token = keys.issue(&claims)?;
        let signed = microseconds(|| keys.issue(&claims));
        let verified = microseconds(|| keys.verify(&token, now));
        writeln!(std::io::stdout(), "{algorithm}: signed in {signed:.1} µs, verified in {verified:.1} µs")?;
    }
    Ok(())
}
