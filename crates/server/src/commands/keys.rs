//! `misy keys status` and `misy keys rotate-root`: the root key, for the operator.

use super::config::print;
use crate::{
    attached::attach,
    root_keys,
    settings::{RootKeySettings, Settings},
};
use anyhow::bail;
use clap::Subcommand;
use misy_domain::{Clock, Entropy, SystemClock};
use misy_store::{Database, Vault, rotation::root};
use misy_trust::{SystemEntropy, root_key};
use std::{sync::Arc, time::Duration};

/// How long until every replica wraps by a new root key: they look for one every ten seconds.
const HEARD: Duration = Duration::from_secs(15);

/// What to do about the root key.
#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Show how many data keys each root key wraps
    Status,
    /// Make a new root key, wrap all data keys by it, and give up the old one; can be interrupted and run again
    RotateRoot {
        /// Make no new key: finish a rotation that was interrupted, or one to another provider
        #[arg(long)]
        resume: bool,
    },
}

impl Keys {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let attached = attach(settings).await?;
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let database = attached.database.clone();
        let done = async {
            let roots = root_keys::load(settings, &database, &clock, &*entropy).await?;
            let vault = Vault::over(roots, entropy.clone());
            match self {
                Self::Status => status(&database, &vault).await,
                Self::RotateRoot { resume } => rotate(settings, &database, &vault, &clock, resume).await,
            }
        }
        .await;
        attached.detach().await;
        done
    }
}

async fn status(database: &Database, vault: &Vault) -> anyhow::Result<()> {
    let mut text = format!("root key {:08x} wraps\n", vault.roots().active().version());
    for wrapped in root::status(database, vault).await? {
        let state = if wrapped.active { "in use" } else { "old: run misy keys rotate-root --resume" };
        text += &format!("{:08x}  {:>8} data keys  {state}\n", wrapped.root, wrapped.data_keys);
    }
    print(&text)
}

async fn rotate(
    settings: &Settings,
    database: &Database,
    vault: &Vault,
    clock: &Arc<dyn Clock>,
    resume: bool,
) -> anyhow::Result<()> {
    let entropy = vault.entropy();
    let kms = root_keys::kms(settings, clock)?;
    if !resume {
        match (&settings.root_key, &kms) {
            (_, Some(kms)) => {
                let mut tx = database.system("root_keys.add").await?;
                kms.add(&mut tx, &vault.roots().all(), entropy).await?;
                tx.commit().await?;
            }
            (RootKeySettings::File, None) => {
                root_key::add_to_file(&root_keys::file(settings), entropy)?;
            }
            _ => bail!(
                "the root key stands in the settings: set root_key to the new key, a comma and the old one, restart every \
                 replica, and run misy keys rotate-root --resume"
            ),
        }
        vault.roots().reload().await?;
        print(&format!(
            "made root key {:08x}; waiting until every replica uses it\n",
            vault.roots().active().version()
        ))?;
        tokio::time::sleep(HEARD).await;
    }
    let began = std::time::Instant::now();
    let total = root::rewrap(database, vault, |_| ()).await?;
    print(&format!("wrapped {total} data keys anew in {:.1} s\n", began.elapsed().as_secs_f64()))?;
    let left: i64 = root::status(database, vault)
        .await?
        .iter()
        .filter(|wrapped| !wrapped.active)
        .map(|wrapped| wrapped.data_keys)
        .sum();
    if left > 0 {
        bail!(
            "{left} data keys are still wrapped by the old root key, which is kept: run misy keys rotate-root --resume; \
             if the number stays, the log names those that do not open"
        );
    }
    let active = vault.roots().active().version();
    match (&settings.root_key, &kms) {
        (_, Some(kms)) => {
            let mut tx = database.system("root_keys.keep_only").await?;
            kms.keep_only(&mut tx, &vault.roots().all(), active).await?;
            tx.commit().await?;
        }
        (RootKeySettings::File, None) => {
            root_key::keep_first_in_file(&root_keys::file(settings), entropy)?;
        }
        _ => print("now take the old key out of the setting root_key\n")?,
    }
    print(&format!("root key {active:08x} is the only one\n"))
}
