//! `kvmfair profile`

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::progress::print;
use super::{Common, exit::Exit};
use crate::profile::{schema, starter};

/// Write a commented profile to begin with, or print the format's JSON schema.
#[derive(Debug, clap::Args)]
pub struct Profile {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Write a commented profile; never over a file that is there
    New {
        /// Where; its stem becomes the profile's name
        path: PathBuf,
    },
    /// Print the JSON schema of the format, for editors
    Schema,
}

impl Profile {
    pub(super) fn run(self, _common: &Common) -> Result<Exit> {
        match self.action {
            Action::Schema => print(&format!("{:#}\n", schema())),
            Action::New { path } => write_starter(path),
        }
    }
}

fn write_starter(mut path: PathBuf) -> Result<Exit> {
    if path.extension().is_none() {
        path.set_extension("toml");
    }
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        bail!("`{name}` cannot name a profile: use lower-case letters, digits and hyphens");
    }
    let file = File::options().write(true).create_new(true).open(&path);
    let mut file = file.with_context(|| format!("failed to create {}", path.display()))?;
    file.write_all(starter(&name).as_bytes())?;
    print(&format!("wrote {0}; next: kvmfair plan {0}\n", path.display()))
}
