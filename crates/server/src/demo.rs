//! `misy demo`: the owner and the demo businesses, registered through the program's own API as anybody would, and their
//! sites, each on an origin of its own, as a stranger's site would be.

mod seed;
mod site;

pub(crate) use seed::packs;

use crate::{http, lifecycle::Running, settings::Settings};
use metrics_exporter_prometheus::PrometheusHandle;
use misy_domain::Origin;
use std::io::Write;

/// Serves, with everything a visitor needs to try it.
pub(crate) async fn serve(settings: Settings, metrics: PrometheusHandle) -> anyhow::Result<()> {
    let running = Running::start(&settings, metrics).await?;
    match open_sites(&settings, &running).await {
        Ok(lines) => {
            std::io::stdout().lock().write_all(lines.as_bytes())?;
            running.until_told_to_stop().await
        }
        Err(error) => {
            running.stop().await;
            Err(error)
        }
    }
}

async fn open_sites(settings: &Settings, running: &Running) -> anyhow::Result<String> {
    let seeder = seed::Seeder::new(running.front_desk.router(), settings)?;
    let businesses = seeder.register_all().await?;
    let mut lines = String::from("\nMisy is running. Open a site and write to its assistant:\n\n");
    for (place, business) in (0u16..).zip(&businesses) {
        // Port 0 lets the system choose for every site.
        let port = if settings.demo_port == 0 { 0 } else { settings.demo_port.saturating_add(place) };
        let listener = http::listen(None, port).await?;
        let address = format!("http://{}", listener.local_addr()?);
        seeder.allow_origin(business, &address.parse::<Origin>()?).await?;
        running.also_serve(listener, site::router(business, &running.public_url));
        lines += &format!("  {:<18} {address}/\n", business.name);
    }
    lines += "\nBecome the first administrator of one of them, with a second factor; later sign in:\n\n";
    for business in &businesses {
        if let Some(token) = seeder.enrollment_token(&business.tenant).await {
            lines +=
                &format!("  {:<18} {}/enroll#token={token}\n", business.tenant.as_str(), running.public_url);
        }
    }
    lines += &format!(
        "  {:<18} {url}/sign-in\n\n  {:<18} {url}/docs\n  {:<18} {url}/health/ready\n\nCtrl-C stops it; data stays in {}\n\n",
        "Sign in",
        "API",
        "Health",
        settings.data_dir.display(),
        url = running.public_url,
    );
    Ok(lines)
}
