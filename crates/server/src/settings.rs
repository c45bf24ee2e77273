//! What an operator can set: defaults, then `misy.toml`, then `MISY_…` in the environment.
//!
//! Each section is one file, which says its settings with their defaults and what they mean, and checks them. A new
//! setting is one line there; docs/SETTINGS.md follows by a test.

mod address;
mod close_grace;
mod connections;
mod data_dir;
mod data_keys;
mod database;
mod declare;
mod demo_port;
mod egress;
mod files;
mod mail;
mod owner;
mod redis;
mod root_key;
mod sign_in;
mod telemetry;
#[cfg(test)]
mod tests;
mod tls;
mod token_algorithm;
mod vendors;
mod work;

use anyhow::{Context, bail};
use figment::{
    Figment, Provider,
    providers::{Env, Format, Serialized, Toml},
    value::Value,
};
use misy_store::{rotation::LongestUse, shared::Address as RedisAddress};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) use declare::Setting;
pub(crate) use root_key::RootKeySettings;
pub(crate) use telemetry::{LogFormat, Receiver};
pub(crate) use tls::peer;

/// The file that is read when it stands in the working directory and nothing else is named.
const FILE: &str = "misy.toml";

/// Puts the sections together, in the order in which they are explained.
macro_rules! sections {
    ($($section:ident: $checked:ty,)*) => {
        /// The settings, checked.
        #[derive(Debug, Clone)]
        pub(crate) struct Settings {
            $(pub(crate) $section: $checked,)*
            /// What `misy config` shows.
            pub(crate) shown: Vec<Shown>,
        }

        /// All settings under the titles of their sections.
        const SECTIONS: &[(&str, &[Setting])] = &[$(($section::TITLE, $section::SETTINGS),)*];

        fn defaults() -> Figment {
            Figment::new()$(.merge(Serialized::defaults($section::Written::default())))*
        }

        fn check(figment: &Figment, shown: Vec<Shown>) -> anyhow::Result<Settings> {
            Ok(Settings { $($section: $section::check(&figment.extract().context("settings")?)?,)* shown })
        }
    };
}

sections! {
    address: address::Address,
    data_dir: PathBuf,
    database: database::Database,
    redis: Option<RedisAddress>,
    owner: owner::Owner,
    root_key: RootKeySettings,
    egress: egress::Egress,
    vendors: String,
    files: files::Files,
    token_algorithm: misy_trust::Algorithm,
    telemetry: telemetry::Telemetry,
    work: work::Work,
    connections: connections::Connections,
    sign_in: Option<sign_in::Oidc>,
    mail: Option<mail::Mail>,
    demo_port: u16,
    tls: tls::Tls,
    data_keys: Option<LongestUse>,
    close_grace: Duration,
}

/// A setting as `misy config` shows it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it means.
    pub(crate) meaning: &'static str,
    /// Its value as it may be shown.
    pub(crate) value: String,
    /// Where the value comes from.
    pub(crate) source: &'static str,
}

impl Settings {
    /// Reads and checks all settings. Each error names the setting and what it takes.
    pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut figment = defaults();
        match file {
            Some(file) if !file.is_file() => bail!("{} is not a file", file.display()),
            Some(file) => figment = merge_file(figment, file)?,
            None if Path::new(FILE).is_file() => figment = merge_file(figment, Path::new(FILE))?,
            None => {}
        }
        let known: Vec<&str> = all().map(|setting| setting.name).collect();
        // Other MISY_… variables belong to tests and tools; only a file must not hold unknown names.
        figment = figment.merge(Env::prefixed("MISY_").only(&known));
        check(&figment, all().map(|setting| shown(&figment, setting)).collect())
    }
}

fn all() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|(_, settings)| *settings)
}

/// A name in a file that is no setting is a slip that would otherwise go unseen.
fn merge_file(figment: Figment, file: &Path) -> anyhow::Result<Figment> {
    for name in Toml::file_exact(file).data().context("settings")?.values().flat_map(|names| names.keys()) {
        if !all().any(|setting| setting.name == name) {
            bail!("settings: unknown name {name:?} in {}; misy config explains all names", file.display());
        }
    }
    Ok(figment.merge(Toml::file_exact(file)))
}

fn shown(figment: &Figment, setting: &Setting) -> Shown {
    let text = figment.find_value(setting.name).map(|value| text_of(&value)).unwrap_or_default();
    let source =
        figment.find_metadata(setting.name).map(|metadata| metadata.name.to_string()).unwrap_or_default();
    let source = match &*source {
        name if name.contains("environment") => "environment",
        name if name.contains("TOML") => "file",
        _ => "default",
    };
    let value = if setting.secret && !text.is_empty() { "(set)".to_owned() } else { text };
    Shown { name: setting.name, meaning: setting.meaning, value, source }
}

/// A value as somebody would write it. A file's whole numbers have a sign, those of the environment have none.
fn text_of(value: &Value) -> String {
    let whole = || value.to_i128().map(|number| number.to_string());
    let natural = || value.to_u128().map(|number| number.to_string());
    let real = || value.to_f64().map(|number| number.to_string());
    value.as_str().map(str::to_owned).or_else(natural).or_else(whole).or_else(real).unwrap_or_default()
}
