//! `misy models …`: the weights that understand by meaning.

use super::config::print;
use crate::{root_keys, settings::Settings, weights};
use anyhow::Context;
use clap::Subcommand;
use misy_egress::{Egress, EgressSettings, Reach, Request};
use misy_encoder::{
    Encoder, MOST_BYTES,
    models::{self, Model, ModelError, Shelf},
};
use misy_trust::sha256;
use std::{path::Path, time::Duration};

/// How long fetching weights may take.
const PATIENCE: Duration = Duration::from_mins(15);

/// What to do about the weights.
#[derive(Subcommand)]
pub(super) enum Models {
    /// Show which weights the program knows, under which licence, and which are installed
    List,
    /// Install weights from a file or an address; what differs from the pinned checksum is refused
    Install {
        /// The name, as `misy models list` shows it
        name: String,
        /// A file, or an address that begins with https:// or http://
        #[arg(long, value_name = "FILE|URL")]
        from: String,
    },
    /// Prove that what is installed is what is pinned and can be used
    Verify {
        /// The name; all that are installed otherwise
        name: Option<String>,
    },
    /// Remove weights; questions are then understood by their words alone
    Remove {
        /// The name
        name: String,
    },
}

impl Models {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let folder = Shelf::of(&settings.data_dir, sha256);
        match self {
            Self::List => list(&folder),
            Self::Install { name, from } => {
                let model = Model::named(&name)?;
                let bytes = bytes(settings, &from).await?;
                model.check(&bytes, sha256)?;
                Encoder::adapted(&bytes)?;
                folder.install(&model, &bytes)?;
                print(&format!("{name} is installed in {}\n", folder.path(&model).display()))
            }
            Self::Verify { name: Some(name) } => {
                folder.open(&Model::named(&name)?)?;
                print(&format!("{name} is as pinned\n"))
            }
            Self::Verify { name: None } => verify_all(&folder),
            Self::Remove { name } => {
                let was_there = folder.remove(&Model::named(&name)?)?;
                print(&format!("{name} {}\n", if was_there { "is removed" } else { "was not installed" }))
            }
        }
    }
}

fn list(shelf: &Shelf) -> anyhow::Result<()> {
    let mut text = String::new();
    for model in Model::known() {
        let state = match shelf.verified(&model) {
            Ok(_) => format!("installed in {}", shelf.path(&model).display()),
            Err(ModelError::Missing(_)) => "not installed".to_owned(),
            Err(error) => error.to_string(),
        };
        let (megabytes, Model { name, licence, package, file, .. }) = (model.bytes >> 20, &model);
        text += &format!("{name}  {megabytes} MB  {licence}  {file} of {package}  {state}\n");
    }
    print(&text)
}

fn verify_all(shelf: &Shelf) -> anyhow::Result<()> {
    let mut text = String::new();
    for model in Model::known() {
        match shelf.open(&model) {
            Ok(_) => text += &format!("{} is as pinned\n", model.name),
            Err(ModelError::Missing(name)) => text += &format!("{name} is not installed\n"),
            Err(error) => return Err(error.into()),
        }
    }
    print(&text)
}

/// What a file or an address holds.
async fn bytes(settings: &Settings, from: &str) -> anyhow::Result<Vec<u8>> {
    if !from.starts_with("https://") && !from.starts_with("http://") {
        return models::read(Path::new(from)).with_context(|| from.to_owned());
    }
    let extra_roots = root_keys::extra_roots(settings)?;
    let egress = Egress::new(EgressSettings {
        allow_loopback: settings.egress.allow_loopback,
        timeout: PATIENCE,
        largest_body: MOST_BYTES,
        extra_roots,
        ..EgressSettings::default()
    })?;
    let answer = egress.send(Reach::Operator, Request::get(from)?).await.with_context(|| from.to_owned())?;
    anyhow::ensure!(answer.status.is_success(), "{from} answered {}", answer.status);
    Ok(answer.body.into())
}

/// For `misy doctor`: whether there are weights, and what it means if there are none.
pub(super) fn finding(data_dir: &Path) -> Result<String, String> {
    match weights::open(data_dir) {
        Ok(Some((name, _))) => Ok(format!("{name}: questions are understood by their meaning")),
        Ok(None) => {
            Ok("none: questions are understood by their words alone; scripts/models fetches them".into())
        }
        Err(error) => Err(format!("{error}: install it again with misy models install")),
    }
}
