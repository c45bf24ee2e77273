//! `misy config`

use crate::settings::{Settings, Shown};
use std::io::Write;

/// Explains every setting and shows its value.
pub(super) fn run(settings: &Settings) -> anyhow::Result<()> {
    let mut text = String::from(
        "Each setting stands in misy.toml by its name, or in the environment in upper case behind MISY_.\n",
    );
    for Shown { name, meaning, value, source } in &settings.shown {
        let value = if value.is_empty() { "(not set)" } else { value };
        text += &format!("\n{name}  =  {value}    from: {source}\n    {meaning}\n");
    }
    text += &format!("\ndata directory in use: {}\n", settings.data_dir.display());
    print(&text)
}

/// Writes to standard output; a reader that went away is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
