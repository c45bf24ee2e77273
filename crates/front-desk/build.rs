//! The browser SDK is embedded from where its own build puts it; a build without it embeds nothing and serves 404.

use std::{env, fs, path::Path};

fn main() -> std::io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(std::io::Error::other)?;
    let dist = Path::new(&root).join("../../packages/sdk/dist");
    fs::create_dir_all(&dist)?;
    println!("cargo:rerun-if-changed={}", dist.display());
    Ok(())
}
