//! `misy audit …`: prove an export, compare the database with what was sealed, renew the key.

use super::config::print;
use crate::{attached, settings::Settings};
use anyhow::{Context, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::{Args, Subcommand};
use misy_domain::{Clock, Entropy, SystemClock, TenantId};
use misy_store::audit::{check, keys};
use misy_trust::{
    SystemEntropy,
    audit_tree::{
        bundle::Verifier,
        checkpoint::PublicKey,
        succession::{Successor, Voucher, follow_first},
    },
};
use serde::Deserialize;
use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The longest line of an export that is read.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

#[derive(Subcommand)]
pub(super) enum Audit {
    /// Prove, offline, that an export is what was sealed; says what is wrong and fails if anything is
    Verify(Verify),
    /// Compare every entry in the database with its leaf and the signed checkpoints
    Check {
        /// Only this tenant
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// Make a new key for checkpoints; the present one signs beside it for a week
    RotateKey,
}

#[derive(Args)]
pub(super) struct Verify {
    /// What `GET /tenants/{tenantId}/audit/export` answered
    export: PathBuf,
    /// A key that you hold, as name+id+key; may be given more than once
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<PublicKey>,
    /// A saved copy of /.well-known/misy-audit-keys.json
    #[arg(long = "keys", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// A checkpoint that you kept: the trail must be a continuation of it
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
}

impl Verify {
    /// Needs no settings and no database.
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let mut pinned = self.keys.clone();
        if let Some(file) = &self.key_file {
            pinned.extend(saved_keys(file, &origin_of(&self.export)?)?);
        }
        let mut verifier = Verifier::new(pinned);
        if let Some(file) = &self.since {
            let note = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            verifier = verifier.since(&note);
        }
        let mut reader = open(&self.export)?;
        while let Some(line) = next_line(&mut reader)? {
            verifier.line(&line);
        }
        let judgement = verifier.judge();
        let mut text = format!(
            "{}\n{} entries computed anew, {} in the trail; {} checkpoints compared\n",
            judgement.origin, judgement.entries, judgement.tree_size, judgement.checkpoints_compared
        );
        if !judgement.keys_are_pinned {
            text += "note: the keys are those of the export itself; name yours with --key or --keys\n";
        }
        for finding in &judgement.findings {
            text += &format!("WRONG  {finding}\n");
        }
        print(&text)?;
        ensure!(
            judgement.findings.is_empty(),
            "the export proves nothing: {} findings",
            judgement.findings.len()
        );
        print("ok: every entry is as it was sealed\n")
    }
}

fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    Ok(BufReader::new(File::open(path).with_context(|| format!("cannot read {}", path.display()))?))
}

fn next_line(reader: &mut BufReader<File>) -> anyhow::Result<Option<String>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read = reader.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', &mut bytes)?;
    ensure!(read < LONGEST_LINE, "a line is longer than any of an export");
    if read == 0 {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.trim_end_matches('\n').to_owned()))
}

/// The origin that an export says it is of: saved keys have no name of their own.
fn origin_of(export: &Path) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Header {
        origin: String,
    }
    let line = next_line(&mut open(export)?)?.unwrap_or_default();
    Ok(serde_json::from_str::<Header>(&line).context("the export has no header")?.origin)
}

fn saved_keys(file: &Path, origin: &str) -> anyhow::Result<Vec<PublicKey>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Saved {
        issuer: String,
        keys: Vec<SavedKey>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct SavedKey {
        public_key: String,
        predecessor: Option<String>,
        signature: Option<String>,
    }
    impl SavedKey {
        fn successor(&self) -> anyhow::Result<Successor> {
            let decoded = |text: &Option<String>| text.as_ref().map(|text| STANDARD.decode(text)).transpose();
            let voucher = decoded(&self.predecessor)?.zip(decoded(&self.signature)?);
            let voucher = voucher.map(|(predecessor, signature)| Voucher { predecessor, signature });
            Ok(Successor { key: STANDARD.decode(&self.public_key)?, voucher })
        }
    }
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let saved: Saved =
        serde_json::from_str(&text).with_context(|| format!("{} holds no keys", file.display()))?;
    ensure!(
        origin.starts_with(&format!("{}/audit/", saved.issuer)),
        "the export is of {origin} and the keys are of {}",
        saved.issuer
    );
    let keys = saved.keys.iter().map(SavedKey::successor).collect::<anyhow::Result<Vec<_>>>()?;
    let (trusted, unknown) = follow_first(&saved.issuer, &keys);
    if let Some(key) = unknown.first() {
        bail!("{}: no key before it vouches for the key {}", file.display(), STANDARD.encode(key));
    }
    Ok(trusted.iter().map(|key| PublicKey::new(origin, key)).collect())
}

/// Walks the trails of all tenants or of one.
pub(super) async fn check(settings: &Settings, tenant: Option<TenantId>) -> anyhow::Result<()> {
    let attached = attached::attach(settings).await?;
    let database = attached.database.clone();
    let result = async {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let vault = attached::vault(settings, &database, &clock, &entropy).await?;
        let issuer = database.installation_issuer(&SystemClock, &*entropy).await?;
        let tenants = match tenant {
            Some(tenant) => vec![tenant],
            None => check::tenants(&database).await?,
        };
        let mut wrong = 0;
        for tenant in &tenants {
            let checked = check::check(&database, &vault, &issuer, tenant).await?;
            wrong += checked.findings.len();
            let word = if checked.findings.is_empty() { "ok   " } else { "WRONG" };
            print(&format!(
                "{word} {tenant}: {} entries, {} checkpoints, {} waiting\n",
                checked.leaves, checked.checkpoints, checked.waiting
            ))?;
            for finding in &checked.findings {
                print(&format!("      {finding}\n"))?;
            }
        }
        ensure!(wrong == 0, "{wrong} findings: what is stored is not what was sealed");
        anyhow::Ok(())
    }
    .await;
    attached.detach().await;
    result
}

/// Makes a successor of the key that signs checkpoints.
pub(super) async fn rotate_key(settings: &Settings) -> anyhow::Result<()> {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let attached = attached::attach(settings).await?;
    let made = async {
        let vault = attached::vault(settings, &attached.database, &clock, &entropy).await?;
        anyhow::Ok(keys::rotate(&attached.database, &vault, &SystemClock).await?)
    }
    .await;
    attached.detach().await;
    print(&format!("{} signs from now on\n", made?))
}
