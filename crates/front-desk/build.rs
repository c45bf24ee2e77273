//! The browser SDK and the console are embedded from where their own builds put them; a build without them embeds nothing and
//! serves 404. A debug build reads them when it runs, so it need not be built anew when they are.

use std::{env, fs, path::Path};

fn main() -> std::io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(std::io::Error::other)?;
    for package in ["sdk", "console"] {
        let dist = Path::new(&root).join("../../packages").join(package).join("dist");
        fs::create_dir_all(&dist)?;
        let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
        let changes = if is_release { dist.as_path() } else { Path::new("build.rs") };
        println!("cargo:rerun-if-changed={}", changes.display());
    }
    Ok(())
}
