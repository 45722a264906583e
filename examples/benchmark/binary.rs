//! The `kvmfair` that is measured: the one built with the same profile as this benchmark.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Its path; under `cargo run` it is brought up to date first, for Cargo builds an example without the binary.
pub fn up_to_date() -> Result<PathBuf> {
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--bin", "kvmfair", "--manifest-path"]);
        build.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        if !build.status().context("failed to start cargo")?.success() {
            bail!("kvmfair does not build");
        }
    }
    let example = std::env::current_exe().context("failed to find this program")?;
    let path = example.ancestors().nth(2).map(|target| target.join("kvmfair")).unwrap_or_default();
    if !path.is_file() {
        bail!("there is no {} (hint: cargo build --release)", path.display());
    }
    Ok(path)
}
