//! `kvmfair profile`

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};

use super::progress::print;
use super::{Common, exit::Exit};
use crate::profile::{is_name, schema, starter};

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

/// What the system says, with the next step.
fn not_created(path: &Path, error: &io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        _ if path.is_dir() => "it is a directory: name a file in it, for example DIR/my-lab.toml",
        ErrorKind::AlreadyExists => "choose another name, or remove that file first: nothing is overwritten",
        ErrorKind::NotFound => "its directory is not there: make it first with mkdir -p",
        ErrorKind::NotADirectory => "a part of the path is a file, not a directory: check the path",
        ErrorKind::PermissionDenied => "this user may not write there: choose another directory",
        _ => "choose another directory",
    };
    anyhow!("failed to create {}: {error} (hint: {hint})", path.display())
}

fn write_starter(mut path: PathBuf) -> Result<Exit> {
    if path.extension().is_none() {
        path.set_extension("toml");
    }
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if !is_name(&name) {
        bail!("`{name}` cannot name a profile: use lower-case letters, digits and hyphens, no hyphen first");
    }
    let file = File::options().write(true).create_new(true).open(&path);
    let mut file = file.map_err(|error| not_created(&path, &error))?;
    file.write_all(starter(&name).as_bytes())
        .with_context(|| format!("failed to write {}", path.display()))?;
    print(&format!("wrote {0}; next: kvmfair plan {0}\n", path.display()))
}
