//! `misy doctor`

mod given;
mod loops;

use super::{config::print, models};
use crate::{
    http, root_keys,
    settings::{RootKeySettings, Settings},
    tls::{Files, Tls},
};
use misy_domain::{Clock, SystemClock};
use misy_postgres::Programs;
use misy_trust::{Currency, KeyProvider, RootKey, SystemEntropy};
use std::{fs, path::Path, sync::Arc};

/// What a check found: fine and why, or what is wrong and what to do.
type Finding = Result<String, String>;

/// Checks the machine and says, line by line, what is well and what is to be done.
pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let mut findings = vec![
        ("data directory", data_dir(&settings.data_dir)),
        ("root key", root_key(settings).await),
        ("open files", open_files()),
        ("address", address(settings).await),
        ("clock", clock()),
        ("weights", models::finding(&settings.data_dir)),
    ];
    match &settings.database.url {
        Some(url) => findings.extend(given::check(settings, url).await),
        None => {
            findings.push(("private PostgreSQL", private_server(settings.database.postgres_bin.as_deref())));
        }
    }
    if let Some(address) = &settings.redis {
        findings.push(("Redis", misy_store::Shared::examine(address).await));
    }
    if let Some(files) = &settings.tls.public {
        findings.push(("TLS", tls(files)));
    }
    if let Some(files) = &settings.tls.internal {
        findings.push(("internal TLS", tls(files)));
    }
    let mut text = String::new();
    for (name, finding) in &findings {
        text += &match finding {
            Ok(fine) => format!("ok    {name}: {fine}\n"),
            Err(wrong) => format!("FAIL  {name}: {wrong}\n"),
        };
    }
    print(&text)?;
    let failed = findings.iter().filter(|(_, finding)| finding.is_err()).count();
    anyhow::ensure!(failed == 0, "{failed} of {} checks failed", findings.len());
    Ok(())
}

fn data_dir(dir: &Path) -> Finding {
    let mut existing = dir;
    while !existing.exists() {
        existing = existing.parent().ok_or("has no parent that exists: set MISY_DATA_DIR")?;
    }
    let probe = existing.join(format!(".misy-doctor-{}", std::process::id()));
    fs::write(&probe, b"").map_err(|error| format!("{}: {error}: set MISY_DATA_DIR", existing.display()))?;
    let _ = fs::remove_file(&probe);
    Ok(format!("{} can be written", dir.display()))
}

async fn root_key(settings: &Settings) -> Finding {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match root_keys::kms(settings, &clock) {
        Ok(Some(kms)) => {
            let checked = kms.check(&SystemEntropy::new()).await;
            return checked
                .map(|()| format!("{} wraps and unwraps", kms.name()))
                .map_err(|error| error.to_string());
        }
        Ok(None) => {}
        Err(error) => return Err(format!("{error:#}")),
    }
    let file = root_keys::file(settings);
    if let RootKeySettings::Given(text) = &settings.root_key {
        let fits = RootKey::parse_all(text.expose()).is_some();
        return if fits {
            Ok("fits".into())
        } else {
            Err("MISY_ROOT_KEY must be 32 bytes in base64url".into())
        };
    }
    if !file.exists() {
        return Ok(format!("will be made in {}", file.display()));
    }
    KeyProvider::File(file)
        .load(&SystemEntropy::new())
        .map(|_| "fits".to_owned())
        .map_err(|error| error.to_string())
}

fn open_files() -> Finding {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok());
    match soft {
        Some(soft) if soft < 4096 => {
            Err(format!("{soft} at a time limit the connections: raise it with ulimit -n 65536"))
        }
        Some(soft) => Ok(format!("{soft} at a time")),
        None => Ok("no limit known".into()),
    }
}

async fn address(settings: &Settings) -> Finding {
    let listener = http::listen(settings.address.http, http::DEFAULT_PORT).await;
    let listener = listener.map_err(|error| format!("{error:#}: set MISY_HTTP_ADDR to a free one"))?;
    listener.local_addr().map(|address| format!("{address} is free")).map_err(|error| error.to_string())
}

/// Whether the files of a listener can be used, and whether its revocation lists are of now.
fn tls(files: &Files) -> Finding {
    let loaded = Tls::load(files.clone()).map_err(|error| format!("{error:#}"))?.now();
    let lists = loaded.authorities.as_ref().map(|authorities| authorities.lists.clone());
    let (mut fine, mut wrong) = (vec!["certificate and key fit".to_owned()], Vec::new());
    for name in &loaded.without_list {
        wrong.push(format!("there is no revocation list of {name}: what it issued is refused"));
    }
    for (list, currency) in lists.iter().flat_map(|lists| lists.standings(SystemClock.now())) {
        let (name, due) =
            (&list.issuer_name, list.due_at.map_or("no time".to_owned(), |due| due.to_string()));
        match currency {
            Currency::Current => fine.push(format!("the next revocation list of {name} is due at {due}")),
            Currency::Overdue => {
                wrong.push(format!("the next revocation list of {name} was due at {due}: fetch it before this one no longer counts"));
            }
            Currency::Outdated => {
                wrong.push(format!("the next revocation list of {name} was due at {due}: what {name} issued is refused; fetch it"));
            }
        }
    }
    if wrong.is_empty() { Ok(fine.join(", ")) } else { Err(wrong.join("; ")) }
}

fn clock() -> Finding {
    // Before the release of this program no clock is right.
    let now = SystemClock.now();
    if now.as_second() < 1_790_000_000 {
        return Err(format!("it is {now} here: set the clock, signatures live for five minutes"));
    }
    Ok(now.to_string())
}

fn private_server(bin: Option<&Path>) -> Finding {
    let programs = Programs::find(bin).map_err(|error| error.to_string())?;
    Ok(format!("{} in {}", programs.version(), programs.bin_dir().display()))
}
