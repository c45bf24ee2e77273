//! What one decision of the access policies costs: `cargo run --release -p misy-trust --example access_cost`.

use misy_domain::{Action, BuiltInRole, TenantId};
use misy_trust::{AccessPolicies, Moment, Principal, PrincipalKind};
use std::{io::Write, time::Instant};

const DECISIONS: u32 = 20_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let andina: TenantId = "andina".parse()?;
    let verde: TenantId = "verde".parse()?;
    let policies = AccessPolicies::in_force();
    let person = PrincipalKind::User { scopes: None };
    let admin = Principal {
        kind: person,
        id: "usr_01k9z3v5d2m8q4x7c1b6n0f9gh",
        tenant: &andina,
        is_owner: false,
        roles: &[BuiltInRole::Admin],
        granted: &[],
    };
    for (what, action, tenant) in [
        ("allowed", Action::SitesRead, &andina),
        ("asks for a second factor", Action::UsersWrite, &andina),
        ("another tenant's", Action::SitesRead, &verde),
    ] {
        let began = Instant::now();
        for _ in 0..DECISIONS {
            std::hint::black_box(policies.decide(&admin, action, tenant, Moment::default()));
        }
        let micros = began.elapsed().as_secs_f64() * 1e6 / f64::from(DECISIONS);
        writeln!(std::io::stdout(), "policies     {what}: {micros:.1} µs")?;
    }
    Ok(())
}
